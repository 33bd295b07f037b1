// A client of the cluster, made from its file.
#ifndef MIRBFT_EXAMPLES_KV_CLUSTER_CLIENT_HPP
#define MIRBFT_EXAMPLES_KV_CLUSTER_CLIENT_HPP

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include <mirbft/client/batch_signer.hpp>
#include <mirbft/client/client.hpp>
#include <mirbft/client/client_config.hpp>
#include <mirbft/modules/crypto/sodium.hpp>
#include <mirbft/modules/hasher/openssl.hpp>
#include <mirbft/modules/net/tls_transport.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/wire/config_file.hpp>

#include "checks.hpp"
#include "config.hpp"

namespace kv {

using ClusterClient = mirbft::Client<mirbft::BatchSigner<mirbft::Ed25519Key, mirbft::Sha256>,
                                     mirbft::Sha256, mirbft::TlsClient>;

/// A client's file, which holds its secret: no complaint shows that.
inline ClientConfig load_client(const std::string& path) {
  (void)read_file(path, Content::secret);
  try {
    return mirbft::wire::load_config<ClientConfig>(path);
  } catch (const mirbft::ConfigError& error) {
    if (!error.field().ends_with("seed")) throw;
    throw mirbft::ConfigError(error.field(), "(not shown)", error.rule());
  }
}

/// Begins to connect. Throws ConfigError.
inline std::unique_ptr<ClusterClient> make_client(const std::string& path, std::uint32_t open,
                                                  std::chrono::seconds deadline) {
  const ClientConfig file = load_client(path);
  mirbft::ClientConfig config;
  config.cluster_id = file.cluster;
  config.id = file.id;
  for (const Member& member : file.members)
    config.replicas.push_back({member.id, member.host, member.client_port});
  config.max_open = open;
  config.deadline = deadline;
  return std::make_unique<ClusterClient>(
      config,
      mirbft::BatchSigner<mirbft::Ed25519Key, mirbft::Sha256>(
          mirbft::Ed25519Key(mirbft::ByteView(file.seed)), mirbft::Bytes(file.cluster)),
      mirbft::TlsClient(mirbft::TlsPins(pins_of(file.members))));
}

}  // namespace kv

#endif

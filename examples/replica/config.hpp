// What a replica of the quickstart is told: one JSON file, which the launcher writes.
#ifndef MIRBFT_EXAMPLES_REPLICA_CONFIG_HPP
#define MIRBFT_EXAMPLES_REPLICA_CONFIG_HPP

#include <array>
#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/modules/net/tls.hpp>
#include <mirbft/modules/net/tls_identity.hpp>
#include <mirbft/protocol/iss/config.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/id.hpp>

namespace quickstart {

/// A public key, or the secret seed of a pair. Hexadecimal digits in the file.
using Key = std::array<std::uint8_t, 32>;

struct MemberConfig {
  mirbft::NodeId id;
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  Key public_key{};
  /// The SHA-256 of what it shows in TLS.
  mirbft::Digest certificate;
};

struct ClientConfig {
  mirbft::ClientId id;
  Key public_key{};
};

/// A client that lives in this replica's process, and its secret.
struct OwnClientConfig {
  mirbft::ClientId id;
  Key seed{};
};

struct ReplicaConfig {
  std::string cluster = "quickstart";
  mirbft::NodeId self;
  Key seed{};
  /// What it shows in TLS, and the secret to that, in PEM.
  std::string certificate;
  std::string key;
  /// Directory of the write-ahead log and the request store; relative to this file.
  std::string data = "data";
  /// The same at every replica, in the same order.
  std::vector<MemberConfig> members;
  std::vector<ClientConfig> clients;
  std::vector<OwnClientConfig> own_clients;
  /// How many requests each client has under way at most.
  std::uint32_t outstanding = 64;

  std::uint32_t epoch_length = mirbft::IssConfig{}.epoch_length;
  std::uint32_t max_batch_requests = mirbft::IssConfig{}.max_batch_requests;
  std::uint64_t max_batch_bytes = mirbft::IssConfig{}.max_batch_bytes;
  std::uint32_t batch_delay_ms = 20;
  std::uint32_t pipeline = mirbft::IssConfig{}.pipeline;
};

/// Throws ConfigError for the first rule that is broken and that no module checks by itself.
inline void check(const ReplicaConfig& config) {
  const auto text = [](auto number) { return std::to_string(number); };
  for (const MemberConfig& member : config.members)
    if (member.port == 0)
      throw mirbft::ConfigError("port of member " + text(member.id.value), "0",
                                "must be where the replica listens: from 1 to 65535");
  std::set<mirbft::ClientId> clients;
  for (const ClientConfig& client : config.clients)
    if (!clients.insert(client.id).second)
      throw mirbft::ConfigError("clients", text(client.id.value),
                                "is listed twice: ids must be distinct");
  for (const OwnClientConfig& own : config.own_clients)
    if (!clients.contains(own.id))
      throw mirbft::ConfigError("own_clients", text(own.id.value),
                                "is no client: add it to `clients`");
  if (config.outstanding == 0)
    throw mirbft::ConfigError("outstanding", "0",
                              "must be at least 1: leave it out for the default");
}

inline mirbft::IssConfig iss_config(const ReplicaConfig& config) {
  mirbft::IssConfig made;
  made.self = config.self;
  for (const MemberConfig& member : config.members) made.members.push_back(member.id);
  made.cluster = mirbft::Bytes(config.cluster);
  made.epoch_length = config.epoch_length;
  made.max_batch_requests = config.max_batch_requests;
  made.max_batch_bytes = config.max_batch_bytes;
  made.batch_delay = std::chrono::milliseconds(config.batch_delay_ms);
  made.pipeline = config.pipeline;
  return made;
}

/// `config.self` must be a member.
inline mirbft::TlsConfig tls_config(const ReplicaConfig& config) {
  mirbft::TlsConfig made{
      {}, mirbft::TlsIdentity::from_pem(config.certificate, config.key), {}};
  made.tcp.self = config.self;
  made.tcp.cluster_id = config.cluster;
  for (const MemberConfig& member : config.members) {
    made.tcp.peers.push_back({member.id, member.host, member.port});
    made.certificates[member.id].insert(member.certificate);
    if (member.id != config.self) continue;
    made.tcp.listen_host = member.host;
    made.tcp.listen_port = member.port;
  }
  return made;
}

}  // namespace quickstart

BOOST_HANA_ADAPT_STRUCT(quickstart::MemberConfig, id, host, port, public_key, certificate);
BOOST_HANA_ADAPT_STRUCT(quickstart::ClientConfig, id, public_key);
BOOST_HANA_ADAPT_STRUCT(quickstart::OwnClientConfig, id, seed);
BOOST_HANA_ADAPT_STRUCT(quickstart::ReplicaConfig, cluster, self, seed, certificate, key, data,
                        members, clients, own_clients, outstanding, epoch_length,
                        max_batch_requests, max_batch_bytes, batch_delay_ms, pipeline);

#endif

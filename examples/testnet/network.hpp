// The files of a cluster on one machine: keys, certificates, configurations, and new directories.
#ifndef MIRBFT_EXAMPLES_TESTNET_NETWORK_HPP
#define MIRBFT_EXAMPLES_TESTNET_NETWORK_HPP

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/modules/net/tls_identity.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/wire/json.hpp>

#include "../kv/config.hpp"
#include "../kv/data_directory.hpp"
#include "../shared/keys.hpp"
#include "../shared/reserved_port.hpp"
#include "../shared/text_file.hpp"

namespace testnet {

/// What a cluster is made from.
struct Plan {
  std::size_t nodes = 4;
  std::size_t clients = 1;
  /// The first of three a node; nothing: free ones are found.
  std::optional<std::uint16_t> base_port;
  std::string cluster = "mirbft-testnet";
  std::string service = kv::key_value_service;
};

/// The file of one node; all else of it is named after it, without `.json`.
inline std::filesystem::path node_file(const std::filesystem::path& folder, std::size_t node) {
  return folder / ("node-" + std::to_string(node) + ".json");
}

/// The first client's is `client.json`.
inline std::filesystem::path client_file(const std::filesystem::path& folder, std::size_t client) {
  return folder / (client == 0 ? "client.json" : "client-" + std::to_string(client) + ".json");
}

namespace detail {

inline void check(const Plan& plan, const std::filesystem::path& folder) {
  const auto require = [](bool holds, const char* field, const std::string& value,
                          const char* rule) {
    if (!holds) throw mirbft::ConfigError(field, value, rule);
  };
  require(plan.nodes >= 1 && plan.nodes <= 100, "--nodes", std::to_string(plan.nodes),
          "must be from 1 to 100; with 4, one may fail");
  require(plan.clients >= 1 && plan.clients <= 1000, "--clients", std::to_string(plan.clients),
          "must be from 1 to 1000");
  require(!plan.base_port || (*plan.base_port >= 1024 && *plan.base_port + 3 * plan.nodes <= 65536),
          "--base-port", std::to_string(plan.base_port.value_or(0)),
          "must be from 1024 on, with three ports a node up to 65535");
  const bool is_free =
      !std::filesystem::exists(folder) ||
      (std::filesystem::is_directory(folder) && std::filesystem::is_empty(folder));
  require(is_free, "--out", folder, "is there and not empty: name a new directory");
}

/// Three a node: where the others and where clients reach it, and where the operator looks.
inline std::vector<std::uint16_t> choose_ports(const Plan& plan) {
  std::vector<std::uint16_t> ports;
  std::vector<programs::ReservedPort> reserved;
  for (std::size_t i = 0; i < 3 * plan.nodes; ++i) {
    if (!plan.base_port) reserved.emplace_back();
    ports.push_back(plan.base_port ? static_cast<std::uint16_t>(*plan.base_port + i)
                                   : reserved.back().number());
  }
  return ports;
}

template <class T>
void write_json(const std::filesystem::path& path, const T& value, programs::Readers readers) {
  programs::write_file(path,
                       mirbft::wire::to_json(value, mirbft::wire::JsonLayout::indented) + '\n',
                       readers);
}

/// The files of one node, and its directory.
inline void make_node(kv::Config config, std::size_t node, const programs::Key& seed,
                      const mirbft::TlsIdentity& identity, std::uint16_t http_port,
                      const std::filesystem::path& folder) {
  using programs::Readers;
  const std::string name = node_file(folder, node).stem();
  config.self = mirbft::NodeId(node);
  config.key_file = name + ".key";
  config.certificate_file = name + ".crt";
  config.certificate_key_file = name + ".crt.key";
  config.data = name;
  config.http_port = http_port;
  programs::write_file(folder / config.key_file, mirbft::hex(mirbft::ByteView(seed)) + '\n',
                       Readers::owner);
  programs::write_file(folder / config.certificate_file, identity.certificate_pem());
  programs::write_file(folder / config.certificate_key_file, identity.key_pem(), Readers::owner);
  write_json(node_file(folder, node), config, Readers::all);
  config.data = folder / config.data;
  kv::DataDirectory::create(config);
}

}  // namespace detail

/// Writes all files of a new cluster. Throws ConfigError unless the folder is new or empty.
inline void make_network(const Plan& plan, const std::filesystem::path& folder) {
  detail::check(plan, folder);
  std::filesystem::create_directories(folder);
  const auto ports = detail::choose_ports(plan);
  kv::Config common;
  common.cluster = plan.cluster;
  common.service = plan.service;
  std::vector<programs::Key> seeds;
  std::vector<mirbft::TlsIdentity> identities;
  for (std::size_t i = 0; i < plan.nodes; ++i) {
    seeds.push_back(programs::new_seed());
    identities.push_back(mirbft::TlsIdentity::generate("node " + std::to_string(i)));
    common.members.push_back({mirbft::NodeId(i), "127.0.0.1", ports[3 * i], ports[3 * i + 1],
                              programs::public_key_of(seeds[i]), {identities[i].fingerprint()}});
  }
  for (std::size_t i = 0; i < plan.clients; ++i) {
    const kv::ClientConfig client{plan.cluster, mirbft::ClientId(i), programs::new_seed(),
                                  common.members};
    common.clients.push_back({client.id, programs::public_key_of(client.seed)});
    detail::write_json(client_file(folder, i), client, programs::Readers::owner);
  }
  for (std::size_t i = 0; i < plan.nodes; ++i)
    detail::make_node(common, i, seeds[i], identities[i], ports[3 * i + 2], folder);
}

}  // namespace testnet

#endif

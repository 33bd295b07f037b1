// What one replica of the key-value store is told, and what its clients are told: JSON files.
#ifndef MIRBFT_EXAMPLES_KV_CONFIG_HPP
#define MIRBFT_EXAMPLES_KV_CONFIG_HPP

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/client/client_port_config.hpp>
#include <mirbft/modules/hasher/openssl.hpp>
#include <mirbft/modules/net/tcp_config.hpp>
#include <mirbft/modules/net/tls.hpp>
#include <mirbft/modules/net/tls_identity.hpp>
#include <mirbft/protocol/iss/config.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/wire/config_file.hpp>
#include <mirbft/wire/json.hpp>

#include "../shared/keys.hpp"
#include "../shared/environment.hpp"

namespace kv {

using programs::Key;

/// A replica: where the others and where clients reach it, the key that it signs with, and the
/// SHA-256 of the certificate that it shows; of two while it changes to another.
struct Member {
  mirbft::NodeId id;
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::uint16_t client_port = 0;
  Key public_key{};
  std::vector<mirbft::Digest> certificates;
};

/// Who may send requests.
struct ClientEntry {
  mirbft::ClientId id;
  Key public_key{};
};

/// `mirbft::KeyValueStore`, for mirbft-client.
inline constexpr const char* key_value_service = "key-value";
/// The database of Redis, for mirbft-redis.
inline constexpr const char* redis_service = "redis";

/// The configuration of a replica. Paths are relative to the file that they stand in.
struct Config {
  std::string cluster = "mirbft-kv";
  mirbft::NodeId self;
  /// Holds the secret seed in hexadecimal digits, for its owner's eyes alone.
  std::string key_file = "node.key";
  /// What it shows in TLS, and the secret to that, in PEM.
  std::string certificate_file = "node.crt";
  std::string certificate_key_file = "node.crt.key";
  /// Directory of the write-ahead log and the request store.
  std::string data = "data";
  /// Where it listens for the others and for clients, where that is not the host that they are
  /// told: behind a translation of addresses, or 0.0.0.0 for all addresses of this machine.
  std::string listen_host;
  /// Where the operator looks; port 0: nowhere.
  std::string http_host = "127.0.0.1";
  std::uint16_t http_port = 0;
  /// The same at every replica, and so is all that follows.
  std::vector<Member> members;
  std::vector<ClientEntry> clients;

  std::uint32_t epoch_length = mirbft::IssConfig{}.epoch_length;
  std::uint32_t max_batch_requests = mirbft::IssConfig{}.max_batch_requests;
  std::uint64_t max_batch_bytes = mirbft::IssConfig{}.max_batch_bytes;
  std::uint32_t batch_delay_ms = 20;
  std::uint32_t base_timeout_ms = 1000;
  std::uint32_t pipeline = mirbft::IssConfig{}.pipeline;
  /// Of a file of the log.
  std::uint32_t segment_kib = 64 << 10;
  /// Most memory, besides what the cluster keeps.
  std::uint32_t memory_mib = 2 << 10;
  /// What the cluster keeps: one of those above.
  std::string service = key_value_service;
};

/// One client, with its secret, and where the replicas are.
struct ClientConfig {
  std::string cluster;
  mirbft::ClientId id;
  Key seed{};
  std::vector<Member> members;
};

}  // namespace kv

BOOST_HANA_ADAPT_STRUCT(kv::Member, id, host, port, client_port, public_key, certificates);
BOOST_HANA_ADAPT_STRUCT(kv::ClientEntry, id, public_key);
BOOST_HANA_ADAPT_STRUCT(kv::Config, cluster, self, key_file, certificate_file, certificate_key_file,
                        data, listen_host, http_host, http_port, members, clients, epoch_length,
                        max_batch_requests, max_batch_bytes, batch_delay_ms, base_timeout_ms,
                        pipeline, segment_kib, memory_mib, service);
BOOST_HANA_ADAPT_STRUCT(kv::ClientConfig, cluster, id, seed, members);

namespace kv {

inline constexpr const char* environment_prefix = "MIRBFT_KV_";

/// Reads a file and what the environment says instead. Throws ConfigError.
inline Config load_config(const std::string& path) {
  auto config = mirbft::wire::load_config<Config>(path);
  programs::override_from_environment(config, environment_prefix);
  const auto folder = std::filesystem::absolute(path).parent_path();
  for (std::string* const name : {&config.key_file, &config.certificate_file,
                                  &config.certificate_key_file, &config.data})
    *name = folder / *name;
  return config;
}

inline mirbft::IssConfig iss_config(const Config& config, mirbft::Memory memory) {
  mirbft::IssConfig made;
  made.self = config.self;
  for (const Member& member : config.members) made.members.push_back(member.id);
  made.cluster = mirbft::Bytes(config.cluster);
  made.epoch_length = config.epoch_length;
  made.max_batch_requests = config.max_batch_requests;
  made.max_batch_bytes = config.max_batch_bytes;
  made.batch_delay = std::chrono::milliseconds(config.batch_delay_ms);
  made.base_timeout = std::chrono::milliseconds(config.base_timeout_ms);
  made.pipeline = config.pipeline;
  made.memory = memory;
  return made;
}

/// What all replicas must agree on; addresses and certificates are changed one after another.
inline mirbft::Digest common_digest(Config config) {
  config.self = {};
  config.http_port = 0;
  for (std::string* own : {&config.key_file, &config.certificate_file,
                           &config.certificate_key_file, &config.data, &config.listen_host,
                           &config.http_host})
    own->clear();
  config.segment_kib = 0;
  config.memory_mib = 0;
  for (Member& member : config.members) {
    member.host.clear();
    member.port = member.client_port = 0;
    member.certificates.clear();
  }
  mirbft::Sha256 hasher;
  hasher.update(mirbft::Bytes(mirbft::wire::to_json(config)).view());
  return hasher.finish();
}

/// The certificates of all members.
inline std::map<mirbft::NodeId, std::set<mirbft::Digest>> pins_of(
    const std::vector<Member>& members) {
  std::map<mirbft::NodeId, std::set<mirbft::Digest>> pins;
  for (const Member& member : members)
    pins[member.id].insert(member.certificates.begin(), member.certificates.end());
  return pins;
}

/// Where this member listens, as far as this configuration tells.
inline const std::string& listen_host(const Config& config, const Member& member) {
  const bool is_told = member.id == config.self && !config.listen_host.empty();
  return is_told ? config.listen_host : member.host;
}

/// `config.self` must be a member.
inline mirbft::TlsConfig net_config(const Config& config, mirbft::TlsIdentity identity) {
  mirbft::TcpConfig made;
  made.self = config.self;
  made.cluster_id = config.cluster;
  made.configuration = common_digest(config);
  for (const Member& member : config.members) {
    made.peers.push_back({member.id, member.host, member.port});
    if (member.id != config.self) continue;
    made.listen_host = listen_host(config, member);
    made.listen_port = member.port;
  }
  return {std::move(made), std::move(identity), pins_of(config.members)};
}

/// The same for clients.
inline mirbft::ClientPortConfig client_port_config(const Config& config) {
  mirbft::ClientPortConfig made;
  made.self = config.self;
  made.cluster_id = config.cluster;
  for (const Member& member : config.members) {
    if (member.id != config.self) continue;
    made.listen_host = listen_host(config, member);
    made.listen_port = member.client_port;
  }
  return made;
}

}  // namespace kv

#endif

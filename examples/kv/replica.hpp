// A replica, as the rest of the program sees it.
#ifndef MIRBFT_EXAMPLES_KV_REPLICA_HPP
#define MIRBFT_EXAMPLES_KV_REPLICA_HPP

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include <mirbft/types/id.hpp>

#include "config.hpp"
#include "counted_files.hpp"
#include "data_directory.hpp"

namespace kv {

/// Where a replica stands.
struct Look {
  /// Not before `run`.
  bool has_begun = false;
  std::uint64_t connected = 0;
  std::uint64_t wal_syncs = 0;
  std::uint64_t recovered_events = 0;
  std::uint64_t torn_bytes = 0;
  mirbft::Epoch epoch;
  std::uint64_t delivered = 0;
  std::uint64_t suspected = 0;
  /// The last connection that ended, in words.
  std::string last_end;
  /// Which peers are missing, and why; empty: none.
  std::string absent;
  /// False while it does not remember what it has voted for.
  bool may_vote = true;
  /// All of `node.status()`, and of the port for clients.
  std::string json;
  std::string metrics;
};

/// The Node over its modules, with a port for clients. Hides them: they take a compiler long.
class Replica {
 public:
  Replica() = default;
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;
  virtual ~Replica() = default;

  /// Works until it is told to stop or a module fails; false then. First it plays back its log.
  virtual bool run(const std::stop_token& stop) = 0;
  /// Why it failed; for after `run`.
  virtual const std::string& failure() const = 0;
  /// From any thread; waits until the log is played back.
  virtual Look look() const = 0;
};

/// Listens, and reads both logs; `reading` counts the bytes, and may break that off. Throws
/// ConfigError, or ModuleFailure where the disk fails or what is on it is damaged.
using MakeReplica = std::unique_ptr<Replica>(const Config& config, const DataDirectory& directory,
                                             Reading& reading);
/// Of the service that the configuration names.
MakeReplica make_replica;
MakeReplica make_key_value_replica;
MakeReplica make_redis_replica;

}  // namespace kv

#endif

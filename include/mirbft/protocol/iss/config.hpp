// The parameters of ISS. They are the same at every replica, `self` aside.
#ifndef MIRBFT_PROTOCOL_ISS_CONFIG_HPP
#define MIRBFT_PROTOCOL_ISS_CONFIG_HPP

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft {

/// What a replica remembers of its own votes when it starts. One whose write-ahead log is lost or
/// damaged must say so: it would otherwise vote twice, and count as Byzantine.
enum class Memory : std::uint8_t { whole, lost };

/// When a leader whose next slot holds up what others have proposed fills it, if need be with
/// nothing: at once, or only when its last proposal is `batch_delay` old, as in the ISS paper.
enum class PullAlong : std::uint8_t { at_once, delayed };

/// When a batch that is not full is proposed: at the latest when the last one is `batch_delay` old.
/// An adaptive leader does so once it is as large as the load makes worth while (see
/// `iss::Proposer`).
enum class Batching : std::uint8_t { adaptive, fixed_delay };

/// Configuration of `Iss`. The defaults are for a local network, and are what the benchmark runs.
struct IssConfig {
  NodeId self;
  /// All replicas, `self` among them. Any order; each once.
  std::vector<NodeId> members;
  /// Name of the cluster: part of everything that is hashed or signed.
  Bytes cluster{"mirbft"};
  /// Sequence numbers of an epoch, about: each leader gets the same share.
  std::uint32_t epoch_length = 512;
  std::uint32_t min_segment_length = 2;
  std::uint32_t max_segment_length = 4096;
  /// Most requests, and bytes of their bodies, in a batch.
  std::uint32_t max_batch_requests = 2048;
  std::uint64_t max_batch_bytes = 4u << 20;
  /// How long a request may wait for its batch to fill. An adaptive leader lets it wait for as long
  /// as a commit takes if that is longer, but no more than eight times as long as this.
  std::chrono::nanoseconds batch_delay = std::chrono::milliseconds(20);
  /// How many of its slots a leader has in flight at most.
  std::uint32_t pipeline = 8;
  /// Open request numbers of each client; must be that of the Tracker.
  std::uint64_t client_window = 1u << 20;
  /// How long a replica waits for a missing body to come by itself before it asks for it.
  std::chrono::nanoseconds fetch_delay = std::chrono::milliseconds(100);
  /// T_0, the shortest patience with a leader; it grows while leaders are suspected that are not
  /// to blame (see `iss::Pace`). Between far places 4 s do.
  std::chrono::nanoseconds base_timeout = std::chrono::seconds(1);
  /// t_max, how long one slot of a segment may take when all is well. Between far places 150 ms do.
  std::chrono::nanoseconds slot_time = std::chrono::milliseconds(20);
  /// Bytes that are kept of each peer's messages for the next epochs.
  std::uint64_t early_bytes_per_peer = 32u << 20;
  Memory memory = Memory::whole;
  PullAlong pull_along = PullAlong::at_once;
  Batching batching = Batching::adaptive;
};

namespace iss {

/// Within these no time that is derived from them overflows (see `iss::Pace`).
inline constexpr std::chrono::nanoseconds longest_timeout = std::chrono::hours(1);
inline constexpr std::chrono::nanoseconds longest_slot_time = std::chrono::seconds(1);

inline void check(const IssConfig& config) {
  const auto number = [](std::uint64_t value) { return std::to_string(value); };
  const auto at_least_one = [&](const char* field, std::uint64_t value) {
    if (value == 0)
      throw ConfigError(field, "0", "must be at least 1: leave it out for the default");
  };
  if (config.members.empty())
    throw ConfigError("members", "[]", "a cluster has at least one member: list all of them");
  std::vector<NodeId> sorted = config.members;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end())
    throw ConfigError("members", number(twice->value), "is listed twice: ids must be distinct");
  if (!std::binary_search(sorted.begin(), sorted.end(), config.self))
    throw ConfigError("self", number(config.self.value), "is no member: add it to `members`");
  if (config.cluster.empty())
    throw ConfigError("cluster", "\"\"", "a cluster needs a name: give it any that is not empty");
  at_least_one("epoch_length", config.epoch_length);
  at_least_one("min_segment_length", config.min_segment_length);
  at_least_one("max_batch_requests", config.max_batch_requests);
  at_least_one("max_batch_bytes", config.max_batch_bytes);
  at_least_one("pipeline", config.pipeline);
  at_least_one("client_window", config.client_window);
  if (config.max_segment_length < config.min_segment_length)
    throw ConfigError("max_segment_length", number(config.max_segment_length),
                      "must not be below min_segment_length");
  if (config.max_batch_requests > 65536)
    throw ConfigError("max_batch_requests", number(config.max_batch_requests),
                      "a proposal must fit a frame of 4 MiB: at most 65536");
  if (config.batch_delay.count() < 0 || config.fetch_delay.count() < 0)
    throw ConfigError("batch_delay, fetch_delay", "a negative time", "must not be negative");
  if (config.base_timeout.count() <= 0 || config.base_timeout > longest_timeout)
    throw ConfigError("base_timeout", std::to_string(config.base_timeout.count()) + " ns",
                      "must be above 0 and at most an hour");
  if (config.slot_time.count() <= 0 || config.slot_time > longest_slot_time)
    throw ConfigError("slot_time", std::to_string(config.slot_time.count()) + " ns",
                      "must be above 0 and at most a second");
}

}  // namespace iss
}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::IssConfig, self, members, cluster, epoch_length,
                        min_segment_length, max_segment_length, max_batch_requests,
                        max_batch_bytes, batch_delay, pipeline, client_window,
                        fetch_delay, base_timeout, slot_time, early_bytes_per_peer, memory,
                        pull_along, batching);

#endif

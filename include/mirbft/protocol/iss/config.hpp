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
  /// How long a request may wait for its batch to fill while earlier batches are in flight.
  std::chrono::nanoseconds batch_delay = std::chrono::milliseconds(20);
  /// How many of its slots a leader has in flight at most.
  std::uint32_t pipeline = 8;
  /// Open request numbers of each client; must be that of the Tracker.
  std::uint64_t client_window = 1u << 20;
  /// How long a replica waits for a missing body to come by itself before it asks for it.
  std::chrono::nanoseconds fetch_delay = std::chrono::milliseconds(100);
  /// Bytes that are kept of each peer's messages for the next epochs.
  std::uint64_t early_bytes_per_peer = 32u << 20;
};

namespace iss {

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
}

}  // namespace iss
}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::IssConfig, self, members, cluster, epoch_length,
                        min_segment_length, max_segment_length, max_batch_requests,
                        max_batch_bytes, batch_delay, pipeline, client_window,
                        fetch_delay, early_bytes_per_peer);

#endif

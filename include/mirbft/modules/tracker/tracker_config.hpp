// What the Tracker is configured with, and the rules that a configuration must keep.
#ifndef MIRBFT_MODULES_TRACKER_TRACKER_CONFIG_HPP
#define MIRBFT_MODULES_TRACKER_TRACKER_CONFIG_HPP

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/frame_class.hpp>

namespace mirbft {

/// Bounds of what a ClientTracker admits and keeps.
struct TrackerConfig {
  /// The cluster's id, a part of everything that is hashed and signed.
  Bytes cluster;
  /// W: request numbers in `[low, low + W)` are valid. The same at every replica.
  std::uint64_t window = std::uint64_t{1} << 20;
  /// Longest body of a request. The same at every replica.
  std::uint64_t max_request_bytes = 64 * 1024;
  /// Most bytes of requests that are open: being checked, or admitted and not yet delivered. Each
  /// counts with its body, its authenticator and `request_overhead`. Fetched requests may take as
  /// much again, so that clients cannot keep a replica from following its leaders.
  std::uint64_t max_pending_bytes = 256 * 1024 * 1024;
  /// Requests of further clients are not taken.
  std::uint64_t max_clients = 65536;
  /// Newest results that are kept for repeated submissions, for each client; 0 keeps none.
  std::uint64_t reply_cache_bytes = 16 * 1024;

  static constexpr std::uint64_t max_window = std::uint64_t{1} << 26;
  /// Longest authenticator of a request.
  static constexpr std::uint64_t max_authenticator_bytes = 4096;
  /// What the bookkeeping of an open request is taken to cost.
  static constexpr std::uint64_t request_overhead = 512;

  /// Throws ConfigError for the first rule that is broken.
  void check() const;
};

inline void TrackerConfig::check() const {
  const auto require = [](bool kept, std::string_view field, std::uint64_t value,
                          std::string rule) {
    if (!kept)
      throw ConfigError("tracker." + std::string(field), std::to_string(value), std::move(rule));
  };
  const auto at_most = [](std::uint64_t limit) {
    return "must be from 1 to " + std::to_string(limit);
  };
  constexpr std::uint64_t header_bytes = 256;
  constexpr std::uint64_t longest_body =
      frame_limit(FrameClass::request) - max_authenticator_bytes - header_bytes;

  require(window >= 1 && window <= max_window, "window", window, at_most(max_window));
  require(max_request_bytes >= 1 && max_request_bytes <= longest_body, "max_request_bytes",
          max_request_bytes,
          at_most(longest_body) + ", so that a request and its authenticator fit into a frame");
  const std::uint64_t one = max_request_bytes + max_authenticator_bytes + request_overhead;
  require(max_pending_bytes >= one, "max_pending_bytes", max_pending_bytes,
          "must hold one request of max_request_bytes: at least " + std::to_string(one));
  require(max_clients >= 1, "max_clients", max_clients, "must be at least 1");
}

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::TrackerConfig, cluster, window, max_request_bytes,
                        max_pending_bytes, max_clients, reply_cache_bytes);

#endif

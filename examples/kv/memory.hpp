// How much memory a replica may use, and which part of it gets how much.
//
// An eighth each: requests that are admitted; as much again for those that leaders have proposed
// and that were fetched; requests that clients wait for; answers that wait until they are read;
// connections of clients; frames that wait for peers; messages of peers who are ahead; and the
// rest, which is the program, what is decided in the last epochs, and a file of the log while it
// is read. What the service keeps comes on top, as only its users know how much that is.
#ifndef MIRBFT_EXAMPLES_KV_MEMORY_HPP
#define MIRBFT_EXAMPLES_KV_MEMORY_HPP

#include <algorithm>
#include <cstdint>
#include <string>

#include <mirbft/client/client_port_config.hpp>
#include <mirbft/engine/config.hpp>
#include <mirbft/modules/net/tcp_config.hpp>
#include <mirbft/modules/tracker/tracker_config.hpp>
#include <mirbft/protocol/iss/config.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/frame_class.hpp>
#include <mirbft/types/request.hpp>

#include "config.hpp"

namespace kv {

/// In bytes, what each of the eight parts may take.
inline std::uint64_t memory_share(const Config& config) noexcept {
  return (std::uint64_t{config.memory_mib} << 20) / 8;
}

/// What the rest needs: each client's last results; a file of the log while it is read; batches of
/// three epochs at most, the one that is being delivered and two whose checkpoints are not stable.
inline std::uint64_t memory_of_the_rest(const Config& config) noexcept {
  constexpr std::uint64_t program = 16 << 20;
  constexpr std::uint64_t epochs = 3;
  const std::uint64_t client = mirbft::TrackerConfig{}.reply_cache_bytes + (4 << 10);
  return program + config.clients.size() * client + (std::uint64_t{config.segment_kib} << 10) +
         epochs * config.epoch_length * config.max_batch_requests * sizeof(mirbft::RequestRef);
}

inline void limit_memory(const Config& config, mirbft::NodeConfig& node) noexcept {
  node.received_bytes = std::min(node.received_bytes, memory_share(config) / 2);
}

inline void limit_memory(const Config& config, mirbft::TrackerConfig& tracker) noexcept {
  tracker.max_pending_bytes = std::min(tracker.max_pending_bytes, memory_share(config));
}

inline void limit_memory(const Config& config, mirbft::IssConfig& protocol) noexcept {
  protocol.early_bytes_per_peer =
      std::min(protocol.early_bytes_per_peer, memory_share(config) / config.members.size());
}

inline void limit_memory(const Config& config, mirbft::TcpConfig& net) noexcept {
  net.queue_bytes = std::min(net.queue_bytes, memory_share(config) / config.members.size());
}

/// An address may use up half of it, and a client a quarter.
inline void limit_memory(const Config& config, mirbft::ClientPortConfig& port) noexcept {
  constexpr std::uint64_t connection = 128 << 10;  // most of it is for TLS and for a frame
  const std::uint64_t share = memory_share(config);
  const auto limit = [&](mirbft::PortShare& part, std::uint64_t divisor) {
    part.connections = std::min(part.connections, share / connection / divisor);
    part.request_bytes = std::min(part.request_bytes, share / divisor);
    part.answer_bytes = std::min(part.answer_bytes, share / divisor);
  };
  limit(port.total, 1);
  limit(port.per_address, 2);
  limit(port.per_client, 4);
}

/// Throws ConfigError if it is too little to work with.
inline void check_memory(const Config& config) {
  const std::uint64_t two_frames = 2 * mirbft::frame_limit(mirbft::FrameClass::batch);
  const std::uint64_t least =
      8 * std::max({memory_of_the_rest(config), two_frames * config.members.size(),
                    4 * two_frames});
  const std::uint64_t least_mib = (least + (1 << 20) - 1) >> 20;
  if (config.memory_mib < least_mib)
    throw mirbft::ConfigError("memory_mib", std::to_string(config.memory_mib),
                              "must be at least " + std::to_string(least_mib) +
                                  " for so many members and clients, and epochs, batches and "
                                  "segments so long");
}

}  // namespace kv

#endif

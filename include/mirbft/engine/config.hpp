// What a Node is told about itself, and the rules for that.
#ifndef MIRBFT_ENGINE_CONFIG_HPP
#define MIRBFT_ENGINE_CONFIG_HPP

#include <chrono>
#include <cstdint>
#include <string>

#include <mirbft/engine/event_list.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft {

/// How votes leave: those to the same peers that come of one list of events in one frame, or each
/// in a frame of its own. Replicas understand both.
enum class VoteFrames : std::uint8_t { gathered, single };

/// How often the write-ahead log is synced: once for a list of events, after which everything that
/// waited for any of its entries goes on; or once for each entry.
enum class GroupCommit : std::uint8_t { list, entry };

/// What a Node needs to know that is no module's business.
struct NodeConfig {
  /// This replica, for logs and reports.
  NodeId self;
  /// Name of the cluster; part of everything that is hashed or signed. Not empty.
  Bytes cluster{"mirbft"};
  /// How often time is told to the modules.
  std::chrono::nanoseconds tick_every = std::chrono::milliseconds(5);
  /// Above so many pending events the Node takes nothing in until it has caught up.
  std::uint64_t busy_above = 1 << 15;
  /// So many submissions may wait to be taken in; further ones are refused as overloaded.
  std::uint64_t inbox_capacity = 1 << 16;
  /// How many frames are taken from the Net at a time.
  std::uint64_t frames_at_a_time = 1024;
  /// A Net with a thread of its own reads nothing more while frames of so many bytes wait for the
  /// rest of the Node. The last ones that were taken may go beyond this.
  std::uint64_t received_bytes = 64u << 20;
  VoteFrames vote_frames = VoteFrames::gathered;
  GroupCommit group_commit = GroupCommit::list;
};

namespace engine {

/// Throws ConfigError for the first rule that is broken.
inline void check(const NodeConfig& config) {
  const auto positive = [](const char* field, auto value, const char* mend) {
    if (value <= 0) throw ConfigError(field, std::to_string(value), mend);
  };
  const auto countable = [](const char* field, std::uint64_t value, const char* mend) {
    if (value == 0 || value > list_capacity / 4)
      throw ConfigError(field, std::to_string(value),
                        mend + std::to_string(list_capacity / 4));
  };
  if (config.cluster.empty())
    throw ConfigError("cluster", "\"\"", "a cluster needs a name: give it any that is not empty");
  positive("tick_every", config.tick_every.count(),
           "time must be told now and then: set it to a few milliseconds");
  countable("busy_above", config.busy_above, "so many events may be pending: from 1 to ");
  countable("inbox_capacity", config.inbox_capacity, "so many submissions may wait: from 1 to ");
  countable("frames_at_a_time", config.frames_at_a_time,
            "so many frames are taken from the net at once: from 1 to ");
  positive("received_bytes", config.received_bytes,
           "so many bytes of frames may wait: at least 1, 67108864 are good");
}

}  // namespace engine
}  // namespace mirbft

#endif

// What a chunked App says of its state when a checkpoint is due.
#ifndef MIRBFT_TYPES_FROZEN_CHUNKS_HPP
#define MIRBFT_TYPES_FROZEN_CHUNKS_HPP

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mirbft {

/// The chunks of an App's state at one sequence number. See `IsChunkedApp`.
struct FrozenChunks {
  /// They are numbered from 0 to `count - 1`.
  std::uint64_t count = 0;
  /// Those that were changed or added since the last time, ascending.
  std::vector<std::uint64_t> changed;
};

/// How large a chunk should be at most, and may be: it must fit a frame.
inline constexpr std::size_t good_chunk_size = 256 * 1024;
inline constexpr std::size_t max_chunk_size = 1024 * 1024 - 1024;

}  // namespace mirbft

#endif

// How the blocks of an event log may be compressed: what is known, and what this program can do.
#ifndef MIRBFT_LOG_COMPRESSION_HPP
#define MIRBFT_LOG_COMPRESSION_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <mirbft/types/bytes.hpp>

namespace mirbft {

/// How a block is stored; the numbers stand in its header.
enum class Compression : std::uint8_t { none = 0, zstd = 1 };

namespace log_format {

/// A compression that needs a library of its own. Its header, which only a program that has the
/// library includes, gives it to all readers and writers of the program; see log/zstd.hpp.
struct Codec {
  /// Room that compressing so many bytes may need.
  std::size_t (*bound)(std::size_t) = nullptr;
  /// Compresses into `bound(from.size())` bytes; returns how many it has used.
  std::size_t (*compress)(ByteView from, std::uint8_t* to) = nullptr;
  /// Whether `from` expands to exactly `size` bytes.
  bool (*expand)(ByteView from, std::uint8_t* to, std::size_t size) = nullptr;
};

/// What compresses so, null where the program has not included its header.
inline const Codec*& codec_of(Compression compression) noexcept {
  static constinit std::array<const Codec*, 2> codecs{};
  return codecs[static_cast<std::size_t>(compression)];
}

inline bool is_known(Compression compression) noexcept {
  return compression <= Compression::zstd;
}

}  // namespace log_format

inline constexpr std::string_view to_string(Compression compression) noexcept {
  return compression == Compression::zstd ? "zstd" : "none";
}

/// Whether this program can write and read blocks that are compressed so.
inline bool is_available(Compression compression) noexcept {
  return compression == Compression::none || log_format::codec_of(compression) != nullptr;
}

}  // namespace mirbft

#endif

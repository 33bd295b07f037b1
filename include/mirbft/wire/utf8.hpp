// Whether bytes are text.
#ifndef MIRBFT_WIRE_UTF8_HPP
#define MIRBFT_WIRE_UTF8_HPP

#include <cstddef>
#include <cstdint>

#include <mirbft/types/bytes.hpp>

namespace mirbft::wire {

namespace detail {

// The bytes of the character that `text` begins with, 0 if it begins with none. Overlong forms,
// surrogates and what lies beyond U+10FFFF are none (Unicode 15, table 3-7).
inline std::size_t character_length(ByteView text) noexcept {
  const std::uint8_t first = text[0];
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  const std::uint8_t lowest = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const std::uint8_t highest = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (text[1] < lowest || text[1] > highest) return 0;
  for (std::size_t place = 2; place < length; ++place) {
    if ((text[place] & 0xc0) != 0x80) return 0;
  }
  return length;
}

}  // namespace detail

/// Holds for well-formed UTF-8, which a protobuf `string` has to be.
inline bool is_utf8(ByteView text) noexcept {
  while (!text.empty()) {
    const std::size_t length = detail::character_length(text);
    if (length == 0) return false;
    text = text.subspan(length);
  }
  return true;
}

}  // namespace mirbft::wire

#endif

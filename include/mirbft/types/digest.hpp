// The result of a hash function.
#ifndef MIRBFT_TYPES_DIGEST_HPP
#define MIRBFT_TYPES_DIGEST_HPP

#include <array>
#include <compare>
#include <cstdint>
#include <string>

#include <mirbft/types/bytes.hpp>

namespace mirbft {

/// 32 bytes of a collision-resistant hash. All zero means "none yet".
struct Digest {
  static constexpr std::size_t size = 32;
  std::array<std::uint8_t, size> bytes{};

  friend constexpr auto operator<=>(const Digest&, const Digest&) = default;

  ByteView view() const noexcept { return bytes; }
};

/// Lower-case hexadecimal digits, for people.
inline std::string hex(ByteView bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const std::uint8_t byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}
inline std::string hex(const Digest& digest) { return hex(digest.view()); }

}  // namespace mirbft

#endif

// Numbers as files hold them: the lowest byte first, whatever the machine.
#ifndef MIRBFT_TYPES_LITTLE_ENDIAN_HPP
#define MIRBFT_TYPES_LITTLE_ENDIAN_HPP

#include <concepts>
#include <cstddef>
#include <cstdint>

namespace mirbft::little_endian {

/// Writes a number and moves on behind it.
template <std::unsigned_integral Number>
void put(std::uint8_t*& at, Number number) noexcept {
  for (std::size_t i = 0; i < sizeof number; ++i)
    *at++ = static_cast<std::uint8_t>(number >> (8 * i));
}

/// Reads a number and moves on behind it.
template <std::unsigned_integral Number>
Number get(const std::uint8_t*& at) noexcept {
  Number number = 0;
  for (std::size_t i = 0; i < sizeof number; ++i)
    number = static_cast<Number>(number | static_cast<Number>(*at++) << (8 * i));
  return number;
}

}  // namespace mirbft::little_endian

#endif

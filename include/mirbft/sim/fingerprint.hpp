// The hash of a run: two runs of one seed must have the same.
#ifndef MIRBFT_SIM_FINGERPRINT_HPP
#define MIRBFT_SIM_FINGERPRINT_HPP

#include <bit>
#include <cstddef>
#include <cstdint>

#include <mirbft/types/bytes.hpp>

namespace mirbft::sim {

/// Sums up, in order, everything that it is told. Fast and the same on every machine; no
/// protection against those who look for collisions.
class Fingerprint {
 public:
  void add(std::uint64_t value) noexcept {
    state_ = std::rotl((state_ ^ value) * 0x9e3779b97f4a7c15ull, 29);
  }
  void add(ByteView bytes) noexcept {
    add(bytes.size());
    std::size_t at = 0;
    for (; at + 8 <= bytes.size(); at += 8) add(word(bytes.data() + at, 8));
    if (at != bytes.size()) add(word(bytes.data() + at, bytes.size() - at));
  }

  std::uint64_t value() const noexcept {
    return (state_ ^ (state_ >> 32)) * 0xd6e8feb86659fd93ull;
  }

 private:
  /// Little-endian on every machine; compilers make one load of it.
  static std::uint64_t word(const std::uint8_t* bytes, std::size_t count) noexcept {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value |= std::uint64_t{bytes[i]} << (8 * i);
    return value;
  }

  // Not 0, so that zeros count too.
  std::uint64_t state_ = 0x6a09e667f3bcc908ull;
};

}  // namespace mirbft::sim

#endif

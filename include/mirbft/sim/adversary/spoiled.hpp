// What is left of bytes in the wrong hands.
#ifndef MIRBFT_SIM_ADVERSARY_SPOILED_HPP
#define MIRBFT_SIM_ADVERSARY_SPOILED_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <mirbft/sim/random.hpp>
#include <mirbft/types/bytes.hpp>

namespace mirbft::sim::byzantine {

/// The same bytes but for one; a byte where there is none.
inline Bytes spoiled(const Bytes& bytes, Random& random) {
  const std::size_t size = std::max<std::size_t>(bytes.size(), 1);
  return Bytes::filled(size, [&](std::uint8_t* out) {
    *out = 0;
    std::copy(bytes.begin(), bytes.end(), out);
    out[random.below(size)] ^= static_cast<std::uint8_t>(random.between(1, 255));
  });
}

}  // namespace mirbft::sim::byzantine

#endif

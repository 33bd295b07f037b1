// What is left of bytes in the wrong hands.
#ifndef MIRBFT_SIM_ADVERSARY_SPOILED_HPP
#define MIRBFT_SIM_ADVERSARY_SPOILED_HPP

#include <cstdint>
#include <vector>

#include <mirbft/sim/random.hpp>
#include <mirbft/types/bytes.hpp>

namespace mirbft::sim::byzantine {

/// The same bytes but for one; a byte where there is none.
inline Bytes spoiled(const Bytes& bytes, Random& random) {
  std::vector<std::uint8_t> copy(bytes.begin(), bytes.end());
  if (copy.empty()) copy.push_back(0);
  copy[random.below(copy.size())] ^= static_cast<std::uint8_t>(random.between(1, 255));
  return Bytes(ByteView(copy));
}

}  // namespace mirbft::sim::byzantine

#endif

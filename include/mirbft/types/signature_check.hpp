// What the check of a signature found.
#ifndef MIRBFT_TYPES_SIGNATURE_CHECK_HPP
#define MIRBFT_TYPES_SIGNATURE_CHECK_HPP

#include <algorithm>
#include <cstdint>
#include <vector>

namespace mirbft {

/// The verdict on one signature; everything but `valid` rejects, the kinds are for counters.
enum class SignatureCheck : std::uint8_t { valid, unknown_signer, malformed, invalid };

inline bool all_valid(const std::vector<SignatureCheck>& verdicts) {
  return std::all_of(verdicts.begin(), verdicts.end(),
                     [](SignatureCheck one) { return one == SignatureCheck::valid; });
}

}  // namespace mirbft

#endif

// What the check of a signature found.
#ifndef MIRBFT_TYPES_SIGNATURE_CHECK_HPP
#define MIRBFT_TYPES_SIGNATURE_CHECK_HPP

#include <cstdint>

namespace mirbft {

/// The verdict on one signature; everything but `valid` rejects, the kinds are for counters.
enum class SignatureCheck : std::uint8_t { valid, unknown_signer, malformed, invalid };

}  // namespace mirbft

#endif

// An enum travels as 32 bits.
// expect: [mirbft] an enum travels as uint32: give it a shorter type
// max-errors: 1
#include <mirbft/wire/canonical.hpp>

enum class Wide : std::uint64_t { none };

mirbft::Bytes bytes_of_wide(Wide wide) { return mirbft::wire::canonical("wide", {}, wide); }

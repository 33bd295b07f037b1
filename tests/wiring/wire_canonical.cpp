// Hashed bytes have to be the same everywhere.
// expect: [mirbft] a value of this type has no canonical bytes: use integers, enums, ids,
// expect: durations,
// max-errors: 2
#include <mirbft/wire/canonical.hpp>

mirbft::Bytes bytes_of_share(double share) { return mirbft::wire::canonical("share", {}, share); }

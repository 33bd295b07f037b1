// Replicas that compute with fractions may disagree, so they do not travel.
// expect: [mirbft] a member of this type cannot travel: use integers, enums, ids, durations,
// max-errors: 2
#include <boost/hana/adapt_struct.hpp>

#include <mirbft/wire/codec.hpp>

struct Load {
  double share = 0;
};
BOOST_HANA_ADAPT_STRUCT(Load, share);

mirbft::Bytes bytes_of_load(const Load& load) { return mirbft::wire::encode(load); }

// Nothing set has to be what a variant begins with.
// expect: [mirbft] std::monostate stands for nothing set: put it first in the variant
#include <variant>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/wire/codec.hpp>

struct First {};
BOOST_HANA_ADAPT_STRUCT(First);

mirbft::Bytes bytes_of_either(const std::variant<First, std::monostate>& either) {
  return mirbft::wire::encode(either);
}

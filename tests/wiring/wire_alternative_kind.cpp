// An alternative that is no message.
// expect: [mirbft] an alternative of a variant that travels is no message: make it a reflected
// expect: struct
#include <variant>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/wire/codec.hpp>

struct First {};
BOOST_HANA_ADAPT_STRUCT(First);

mirbft::Bytes bytes_of_either(const std::variant<First, std::uint32_t>& either) {
  return mirbft::wire::encode(either);
}

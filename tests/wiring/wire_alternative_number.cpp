// Two alternatives that would share a field.
// expect: [mirbft] two alternatives of a variant have the same field number, or one that
// expect: protobuf does not allow: change their `number`
// max-errors: 1
#include <variant>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/wire/codec.hpp>

struct First {};
struct Second {
  static constexpr std::uint32_t number = 1;
};
BOOST_HANA_ADAPT_STRUCT(First);
BOOST_HANA_ADAPT_STRUCT(Second);

mirbft::Bytes bytes_of_either(const std::variant<First, Second>& either) {
  return mirbft::wire::encode(either);
}

// A member of a type that protobuf has nothing for.
// expect: [mirbft] a member of this type cannot travel: use integers, enums, ids, durations,
// expect: wrap what is nested deeper in a struct
// max-errors: 2
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/wire/codec.hpp>

struct Matrix {
  std::vector<std::vector<std::uint32_t>> rows;
};
BOOST_HANA_ADAPT_STRUCT(Matrix, rows);

bool is_matrix(const mirbft::Bytes& bytes) {
  return mirbft::wire::decode<Matrix>(bytes, mirbft::wire::Form::canonical).has_value();
}

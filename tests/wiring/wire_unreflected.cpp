// A struct whose members nobody listed is no message.
// expect: [mirbft] this is no message: list the members of a struct by one line
// expect: BOOST_HANA_ADAPT_STRUCT(type, member, member) in the global namespace
// max-errors: 2
#include <mirbft/wire/codec.hpp>

struct Forgotten {
  std::uint32_t value = 0;
};

mirbft::Bytes bytes_of_it(const Forgotten& it) { return mirbft::wire::encode(it); }

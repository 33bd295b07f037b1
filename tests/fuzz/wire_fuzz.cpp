// Our decoder against protobuf's parser, on arbitrary bytes. The first byte chooses the type.
//
// What we read leniently, protobuf reads too, and both write the same bytes again; what protobuf
// reads, we read, but for what `may_differ` lists. What we accept as canonical is what we write.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include <google/protobuf/stubs/logging.h>

#include <mirbft/wire/codec.hpp>

#include "../conformance/proto_message.hpp"
#include "../conformance/sample_schema.hpp"

namespace {

using mirbft::Bytes;
using mirbft::wire::DecodeError;
using mirbft::wire::Form;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

// Where we are stricter than protobuf on purpose.
bool may_differ(DecodeError error) {
  return error == DecodeError::limit ||         // protobuf bounds the depth only
         error == DecodeError::range ||         // protobuf cuts the number to its type
         error == DecodeError::length ||        // protobuf knows no byte strings of fixed length
         error == DecodeError::no_choice ||     // a variant without std::monostate is never empty
         error == DecodeError::oversized_tag;   // protobuf cuts the tag to 32 bits
}

const mirbft::wire::Schema& schema() {
  static const mirbft::wire::Schema made = sample::schema();
  return made;
}

const google::protobuf::Message& prototype(std::string_view name) {
  static const mirbft::test::DynamicPrototypes made(schema());
  return made.of(schema().find(name)->full_name());
}

template <class T>
void check(const Bytes& input) {
  T lenient;
  const DecodeError error = mirbft::wire::decode_into(lenient, input, Form::lenient);
  const std::unique_ptr<google::protobuf::Message> theirs(
      prototype(mirbft::wire::type_name<T>).New());
  const bool they_read = theirs->ParseFromArray(input.data(), static_cast<int>(input.size()));
  T strict;
  const DecodeError strict_error = mirbft::wire::decode_into(strict, input, Form::canonical);

  if (error != DecodeError::none) {
    require(!they_read || may_differ(error), "protobuf reads what we refuse");
    require(strict_error != DecodeError::none, "canonical reads what lenient refuses");
    return;
  }
  require(they_read, "we read what protobuf refuses");
  theirs->DiscardUnknownFields();
  mirbft::test::normalize(*theirs, schema());
  const Bytes ours = mirbft::wire::encode(lenient);
  require(theirs->SerializeAsString() == ours.text(), "we write other bytes than protobuf");
  require((strict_error == DecodeError::none) == (ours == input), "canonical is not what we write");
  if (strict_error == DecodeError::none) {
    require(strict == lenient, "canonical and lenient read different values");
  }
}

template <class... Ts>
void check_one_of(std::size_t chosen, const Bytes& input) {
  std::size_t place = 0;
  ((place++ == chosen % sizeof...(Ts) ? check<Ts>(input) : void()), ...);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sample;
  [[maybe_unused]] static const google::protobuf::LogSilencer* silencer =
      new google::protobuf::LogSilencer;
  if (size == 0) return 0;
  const Bytes input(mirbft::ByteView(data + 1, size - 1));
  check_one_of<Numbers, Blobs, Empty, Lists, Optionals, Ping, Tree, Choice, Nested, Configured,
               Wrapper, Templates>(data[0], input);
  return 0;
}

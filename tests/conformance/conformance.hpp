// Checks that our codec and protobuf's own agree, in both directions, on any list of types.
#ifndef MIRBFT_TESTS_CONFORMANCE_CONFORMANCE_HPP
#define MIRBFT_TESTS_CONFORMANCE_CONFORMANCE_HPP

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include <doctest/doctest.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <mirbft/types/bytes.hpp>
#include <mirbft/wire/codec.hpp>
#include <mirbft/wire/descriptor.hpp>
#include <mirbft/wire/proto_text.hpp>
#include <mirbft/wire/schema.hpp>

#include "../wire/random_value.hpp"
#include "proto_message.hpp"

namespace mirbft::test {

namespace detail {

// Our value, through protobuf and back: the same bytes each time.
template <class T>
void check_ours(const google::protobuf::Message& prototype, Random& random) {
  const Bytes bytes = wire::encode(random_value<T>(random));
  const std::unique_ptr<google::protobuf::Message> theirs(prototype.New());
  REQUIRE(theirs->ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  // What protobuf did not understand it would carry along, and so hide.
  theirs->DiscardUnknownFields();
  REQUIRE(theirs->SerializeAsString() == bytes.text());

  T back;
  REQUIRE(wire::decode_into(back, bytes, wire::Form::canonical) == wire::DecodeError::none);
  REQUIRE(wire::encode(back) == bytes);
}

// A message that protobuf made, through our struct and back.
template <class T>
void check_theirs(const wire::Schema& schema, const google::protobuf::Message& prototype,
                  Random& random) {
  const std::unique_ptr<google::protobuf::Message> theirs(prototype.New());
  fill(*theirs, schema, random);
  T ours;
  const Bytes loose(theirs->SerializeAsString());
  REQUIRE(wire::decode_into(ours, loose, wire::Form::lenient) == wire::DecodeError::none);

  normalize(*theirs, schema);
  const Bytes strict(theirs->SerializeAsString());
  REQUIRE(wire::encode(ours) == strict);
  REQUIRE(wire::decode_into(ours, strict, wire::Form::canonical) == wire::DecodeError::none);
}

}  // namespace detail

/// Round-trips random values of each of `Ts` through protobuf, ours through its classes and its
/// messages through our structs. `schema` has to hold all `Ts`.
template <class... Ts>
void check_conformance(const wire::Schema& schema, const Prototypes& prototypes,
                       int rounds = 200) {
  const auto check = [&]<class T>(std::type_identity<T>) {
    CAPTURE(wire::type_name<T>);
    const google::protobuf::Message& prototype =
        prototypes.of(schema.find(wire::type_name<T>)->full_name());
    Random random(2024);
    for (int round = 0; round < rounds; ++round) {
      CAPTURE(round);
      detail::check_ours<T>(prototype, random);
      detail::check_theirs<T>(schema, prototype, random);
    }
  };
  (check(std::type_identity<Ts>{}), ...);
}

/// Compares a committed .proto file with what the C++ types print. Where they differ, the
/// environment variable MIRBFT_REWRITE=1 has the file written anew.
inline void check_published(const wire::Schema& schema, const std::filesystem::path& committed) {
  const std::string printed = wire::proto_text(schema);
  if (std::getenv("MIRBFT_REWRITE") != nullptr) std::ofstream(committed) << printed;
  std::ifstream file(committed);
  REQUIRE_MESSAGE(file.good(), committed.string() << " cannot be read");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  CHECK_MESSAGE(text == printed,
                committed.string() << " differs from the C++ types: if the change is meant and "
                                      "only appends, run the test with MIRBFT_REWRITE=1");
}

/// Compares what protoc made of a .proto file with our own description of the schema. protoc's
/// classes for the file have to be linked.
inline void check_descriptor(const wire::Schema& schema) {
  const google::protobuf::FileDescriptor* file =
      google::protobuf::DescriptorPool::generated_pool()->FindFileByName(schema.file);
  REQUIRE_MESSAGE(file != nullptr, schema.file << " is not linked");
  google::protobuf::FileDescriptorProto theirs;
  file->CopyTo(&theirs);
  CHECK(theirs.SerializeAsString() == wire::descriptor(schema).SerializeAsString());
}

}  // namespace mirbft::test

#endif

// Our codec against protobuf's, on types that hold everything it can carry.

#include <doctest/doctest.h>

#include "conformance.hpp"
#include "sample.pb.h"
#include "sample_schema.hpp"

namespace sample_test {

namespace {

using mirbft::test::check_conformance;

void check_all(const mirbft::test::Prototypes& prototypes) {
  check_conformance<sample::Numbers, sample::Blobs, sample::Empty, sample::Lists,
                    sample::Optionals, sample::Ping, sample::Tree, sample::Choice, sample::Nested,
                    sample::Configured, sample::Wrapper, sample::Templates>(sample::schema(),
                                                                            prototypes);
}

TEST_CASE("conformance: sample.proto is what the C++ types print") {
  mirbft::test::check_published(sample::schema(),
                                MIRBFT_SOURCE_DIR "/tests/conformance/sample.proto");
}

TEST_CASE("conformance: protoc reads the printed schema as we describe it") {
  REQUIRE(sample::v1::Numbers::descriptor() != nullptr);  // Has the classes linked.
  mirbft::test::check_descriptor(sample::schema());
}

TEST_CASE("conformance: protobuf's dynamic messages and our structs agree") {
  check_all(mirbft::test::DynamicPrototypes(sample::schema()));
}

TEST_CASE("conformance: protoc's classes and our structs agree") {
  check_all(mirbft::test::GeneratedPrototypes());
}

TEST_CASE("conformance: a field that protoc's class sets is the member of that place") {
  sample::v1::Numbers theirs;
  theirs.set_flag(true);
  theirs.set_signed_medium(-5);
  theirs.set_direction(0xffffffff);
  theirs.set_time(-7);
  sample::Numbers expected;
  expected.flag = true;
  expected.signed_medium = -5;
  expected.direction = sample::Direction::back;
  expected.time = std::chrono::nanoseconds(-7);
  const mirbft::Bytes bytes(theirs.SerializeAsString());
  CHECK(mirbft::wire::decode<sample::Numbers>(bytes, mirbft::wire::Form::canonical) == expected);
}

}  // namespace

}  // namespace sample_test

// The bytes of every kind of member, digit by digit.
#include <doctest/doctest.h>

#include <string>

#include <mirbft/wire/encode.hpp>

#include "sample_types.hpp"

namespace mirbft::encode_test {

namespace {

template <class T>
std::string hex_of(const T& value) {
  return hex(wire::encode(value).view());
}

}  // namespace

TEST_CASE("defaults are left out") {
  CHECK(hex_of(sample::Numbers{}) == "");
  CHECK(hex_of(sample::Blobs{}) == "");
  CHECK(hex_of(sample::Lists{}) == "");
  CHECK(hex_of(sample::Optionals{}) == "");
  CHECK(hex_of(sample::Nested{}) == "");
  CHECK(hex_of(sample::MaybeChoice{}) == "");
}

TEST_CASE("a number is a varint under the number of its place") {
  CHECK(hex_of(sample::Numbers{.flag = true}) == "0801");
  CHECK(hex_of(sample::Numbers{.medium = 300}) == "20ac02");
  CHECK(hex_of(sample::Numbers{.sn = SeqNr(1)}) == "6001");
  CHECK(hex_of(sample::Numbers{.check = SignatureCheck::invalid}) == "5003");
}

TEST_CASE("negative numbers take ten bytes, whatever their type; enums five at most") {
  CHECK(hex_of(sample::Numbers{.signed_tiny = -1}) == "30ffffffffffffffffff01");
  CHECK(hex_of(sample::Numbers{.signed_medium = -1}) == "40ffffffffffffffffff01");
  CHECK(hex_of(sample::Numbers{.direction = sample::Direction::back}) == "58ffffffff0f");
  CHECK(hex_of(sample::Numbers{.time = std::chrono::nanoseconds(-1)}) == "68ffffffffffffffffff01");
}

TEST_CASE("byte strings have a length; those of fixed length are left out when they are zero") {
  CHECK(hex_of(sample::Blobs{.bytes = Bytes{7, 8}}) == "0a020708");
  CHECK(hex_of(sample::Blobs{.text = "ab"}) == "12026162");
  CHECK(hex_of(sample::Blobs{.nonce = {0, 0, 0, 1}}) == "220400000001");
}

TEST_CASE("elements of vectors are always written, numbers packed") {
  CHECK(hex_of(sample::Lists{.numbers = {0, 300}}) == "0a0300ac02");
  CHECK(hex_of(sample::Lists{.flags = {true, false}}) == "1a020100");
  CHECK(hex_of(sample::Lists{.parts = {Bytes(), Bytes{1}}}) == "3200320101");
  CHECK(hex_of(sample::Lists{.empties = {{}, {}}}) == "52005200");
  CHECK(hex_of(sample::Lists{.digests = {Digest{}}}) == "4220" + std::string(64, '0'));
}

TEST_CASE("optionals that are set are written, whatever they hold") {
  CHECK(hex_of(sample::Optionals{.number = 0}) == "0800");
  CHECK(hex_of(sample::Optionals{.bytes = Bytes()}) == "1a00");
  CHECK(hex_of(sample::Optionals{.empty = sample::Empty{}}) == "3a00");
}

TEST_CASE("a variant is a message with the field of its alternative") {
  CHECK(hex_of(sample::Choice(sample::Numbers{})) == "0a00");
  CHECK(hex_of(sample::Choice(sample::Blobs{.text = "a"})) == "1203120161");
  CHECK(hex_of(sample::Choice(sample::Ping{5})) == "c23e020805");
  CHECK(hex_of(sample::Nested{.maybe_choice = sample::Empty{}}) == "3a021a00");
}

TEST_CASE("messages in messages, at any depth") {
  const sample::Tree leaf{3, {}};
  CHECK(hex_of(sample::Tree{1, {sample::Tree{2, {leaf}}, leaf}}) == "0801120608021202080312020803");
}

}  // namespace mirbft::encode_test

// What a decoder refuses, what it forgives, and what it spends.
#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include <mirbft/wire/decode.hpp>

#include "random_value.hpp"
#include "sample_types.hpp"

namespace mirbft::decode_test {

using wire::DecodeError;
using wire::Form;

namespace {

Bytes from_hex(std::string_view digits) {
  std::string bytes;
  for (std::size_t place = 0; place + 1 < digits.size(); place += 2) {
    bytes += static_cast<char>(std::stoi(std::string(digits.substr(place, 2)), nullptr, 16));
  }
  return Bytes(bytes);
}

template <class T>
DecodeError lenient(std::string_view digits, const wire::Limits& limits = {}) {
  T value;
  return wire::decode_into(value, from_hex(digits), Form::lenient, limits);
}

template <class T>
DecodeError strict(std::string_view digits) {
  T value;
  return wire::decode_into(value, from_hex(digits), Form::canonical);
}

// What is read leniently, written again.
template <class T>
std::string mended(std::string_view digits) {
  T value;
  REQUIRE(wire::decode_into(value, from_hex(digits), Form::lenient) == DecodeError::none);
  CHECK(strict<T>(digits) == DecodeError::not_canonical);
  return hex(wire::encode(value).view());
}

}  // namespace

TEST_CASE("field number 0 is refused, with every wire type") {
  for (const char* digits : {"00", "0001", "0200", "010000000000000000", "0304", "0500000000"}) {
    CAPTURE(digits);
    CHECK(lenient<sample::Numbers>(digits) == DecodeError::malformed);
    CHECK(strict<sample::Numbers>(digits) == DecodeError::malformed);
  }
}

TEST_CASE("no length reaches beyond what encloses it") {
  // A packed list of 5 bytes in a message of 4, followed by bytes enough.
  CHECK(lenient<sample::Choice>("22040a050102" "a00601") == DecodeError::malformed);
  CHECK(lenient<sample::Choice>("22040a020102" "a00601") == DecodeError::none);
  CHECK(lenient<sample::Lists>("0a05010203") == DecodeError::malformed);
  CHECK(lenient<sample::Tree>("1204" "12030801" "0801") == DecodeError::malformed);
  // A varint of a packed list that goes on behind the list.
  CHECK(lenient<sample::Lists>("0a0281800a0101") == DecodeError::malformed);
  CHECK(lenient<sample::Blobs>("0a0201") == DecodeError::malformed);
  CHECK(lenient<sample::Blobs>("0affffffff0f01") == DecodeError::malformed);
}

TEST_CASE("tags and lengths are not cut to 32 bits") {
  // Field 1 of Numbers, were the tag cut: 2^32 + 8.
  CHECK(lenient<sample::Numbers>("888080801001") == DecodeError::oversized_tag);
  CHECK(lenient<sample::Numbers>("88808080808001" "01") == DecodeError::malformed);
  // A length of 2^32 + 1.
  CHECK(lenient<sample::Blobs>("0a818080801041") == DecodeError::malformed);
  // Five bytes at most, as protobuf has it, even if the number is small.
  CHECK(lenient<sample::Numbers>("8880808000" "01") == DecodeError::none);
  CHECK(lenient<sample::Numbers>("888080808000" "01") == DecodeError::malformed);
}

TEST_CASE("what is cut off is refused at every place") {
  test::Random random(3);
  const Bytes whole = wire::encode(test::random_value<sample::Optionals>(random));
  sample::Optionals value;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes part = whole.slice(0, size);
    const DecodeError error = wire::decode_into(value, part, Form::canonical);
    // A message may end after any field, and is another one then.
    CHECK((error == DecodeError::malformed || wire::encode(value) == part));
  }
}

TEST_CASE("bad varints, wire types and groups are refused") {
  CHECK(lenient<sample::Numbers>("08") == DecodeError::malformed);
  CHECK(lenient<sample::Numbers>("0880808080808080808080" "01") == DecodeError::malformed);
  CHECK(lenient<sample::Numbers>("0e") == DecodeError::malformed);
  CHECK(lenient<sample::Numbers>("0f") == DecodeError::malformed);
  CHECK(lenient<sample::Numbers>("0c") == DecodeError::malformed);
  CHECK(lenient<sample::Numbers>("a306") == DecodeError::malformed);
  CHECK(lenient<sample::Numbers>("a306ac06") == DecodeError::malformed);
  CHECK(lenient<sample::Numbers>("a106000000") == DecodeError::malformed);
  CHECK(lenient<sample::Numbers>("a506000000") == DecodeError::malformed);
}

TEST_CASE("numbers that do not fit are refused, not cut") {
  CHECK(lenient<sample::Numbers>("1080" "02") == DecodeError::range);             // uint8 = 256
  CHECK(lenient<sample::Numbers>("0802") == DecodeError::range);                  // bool = 2
  CHECK(lenient<sample::Numbers>("308001") == DecodeError::range);                // int8 = 128
  CHECK(lenient<sample::Numbers>("2080808080" "10") == DecodeError::range);       // uint32 = 2^32
  CHECK(lenient<sample::Numbers>("5080" "02") == DecodeError::range);             // enum = 256
  CHECK(lenient<sample::Lists>("2a02ac02") == DecodeError::range);                // enums in a list
  CHECK(lenient<sample::Numbers>("40ffffffff0f") == DecodeError::range);          // int32 = 2^32-1
}

TEST_CASE("byte strings of fixed length have it") {
  CHECK(lenient<sample::Blobs>("2203010203") == DecodeError::length);
  CHECK(lenient<sample::Blobs>("22050102030405") == DecodeError::length);
  CHECK(lenient<sample::Blobs>("2200") == DecodeError::length);
  CHECK(lenient<sample::Blobs>("220401020304") == DecodeError::none);
}

TEST_CASE("strings are UTF-8, bytes need not be") {
  CHECK(lenient<sample::Blobs>("1201ff") == DecodeError::text);
  CHECK(lenient<sample::Lists>("3a02c080") == DecodeError::text);
  CHECK(lenient<sample::Blobs>("0a01ff") == DecodeError::none);
}

TEST_CASE("a variant that has to hold something does") {
  CHECK(lenient<sample::Choice>("") == DecodeError::no_choice);
  CHECK(lenient<sample::Choice>("a20600") == DecodeError::no_choice);  // An unknown alternative.
  CHECK(lenient<sample::MaybeChoice>("") == DecodeError::none);
  CHECK(lenient<sample::MaybeChoice>("a20600") == DecodeError::none);
}

TEST_CASE("lenient: unknown fields are skipped, in every wire type") {
  CHECK(mended<sample::Numbers>("a00601" "0801") == "0801");
  CHECK(mended<sample::Numbers>("0801" "a10600000000000000ff") == "0801");
  CHECK(mended<sample::Numbers>("a206020102" "0801") == "0801");
  CHECK(mended<sample::Numbers>("a306" "0801" "a30608" "01a406" "a406" "0801") == "0801");
  CHECK(mended<sample::Numbers>("a50600000000" "0801") == "0801");
  // A known number with another wire type is an unknown field.
  CHECK(mended<sample::Numbers>("0a0101" "0801") == "0801");
}

TEST_CASE("lenient: fields come in any order and more than once") {
  CHECK(mended<sample::Numbers>("2005" "0801" "2006") == "08012006");
  CHECK(mended<sample::Numbers>("0801" "0800") == "");
  CHECK(mended<sample::Numbers>("0880808000") == "");
  CHECK(mended<sample::Optionals>("0805" "0800") == "0800");
}

TEST_CASE("lenient: messages that come twice are merged") {
  CHECK(mended<sample::Nested>("0a020801" "0a022005") == "0a0408012005");
  CHECK(mended<sample::Nested>("1203120161" "12030a0162") == "12060a0162120161");
  CHECK(mended<sample::Optionals>("3203120161" "32030a0162") == "32060a0162120161");
  CHECK(mended<sample::Choice>("0a020801" "0a022005") == "0a0408012005");
  // Of two alternatives the last holds.
  CHECK(mended<sample::Choice>("0a020801" "c23e020805") == "c23e020805");
  CHECK(mended<sample::Choice>("0a020801" "c23e020805" "0a00") == "0a00");
}

TEST_CASE("lenient: numbers of lists come packed or not, whole or in parts") {
  CHECK(mended<sample::Lists>("0801" "08ac02") == "0a0301ac02");
  CHECK(mended<sample::Lists>("0a0101" "0a02ac02") == "0a0301ac02");
  CHECK(mended<sample::Lists>("0801" "0a02ac02" "0805") == "0a0401ac0205");
  CHECK(mended<sample::Nested>("2001" "1a00" "2202ac02") == "1a00" "220301ac02");
  CHECK(mended<sample::Nested>("1a020801" "0a00" "1a020802") == "1a020801" "1a020802");
}

TEST_CASE("canonical: empty messages, zeros and long varints are refused") {
  CHECK(mended<sample::Nested>("0a00") == "");
  CHECK(mended<sample::Blobs>("0a00") == "");
  CHECK(mended<sample::Blobs>("220400000000") == "");
  CHECK(mended<sample::Lists>("0a00") == "");
  CHECK(mended<sample::Numbers>("2081" "00") == "2001");
  CHECK(mended<sample::Blobs>("0a8100" "41") == "0a0141");
  CHECK(mended<sample::Numbers>("888000" "01") == "0801");
}

TEST_CASE("limits: the length of the input") {
  CHECK(lenient<sample::Numbers>("20ac02", {.bytes = 3}) == DecodeError::none);
  CHECK(lenient<sample::Numbers>("20ac02", {.bytes = 2}) == DecodeError::limit);
}

TEST_CASE("limits: messages within messages, known or not") {
  // Each level of the tree holds the next one, the innermost is empty.
  const auto tree = [](int depth) {
    sample::Tree made;
    for (int level = 0; level < depth; ++level) made = sample::Tree{1, {made}};
    return wire::encode(made);
  };
  sample::Tree value;
  CHECK(wire::decode_into(value, tree(100), Form::canonical) == DecodeError::none);
  CHECK(wire::decode_into(value, tree(101), Form::canonical) == DecodeError::limit);
  CHECK(wire::decode_into(value, tree(3), Form::canonical, {.depth = 2}) == DecodeError::limit);

  const auto groups = [](std::size_t depth) {
    std::string made;
    for (std::size_t level = 0; level < depth; ++level) made += "\xa3\x06";
    for (std::size_t level = 0; level < depth; ++level) made += "\xa4\x06";
    return Bytes(made);
  };
  CHECK(wire::decode_into(value, groups(100), Form::lenient) == DecodeError::none);
  CHECK(wire::decode_into(value, groups(100'000), Form::lenient) == DecodeError::limit);
}

TEST_CASE("limits: what the elements of vectors take in memory") {
  const wire::Limits limits{.memory = 10 * sizeof(std::uint64_t)};
  CHECK(lenient<sample::Lists>("0a0a01010101010101010101", limits) == DecodeError::none);
  CHECK(lenient<sample::Lists>("0a0b0101010101010101010101", limits) == DecodeError::limit);

  std::string empties;
  while (empties.size() < 8'000'000) empties += std::string("\x12\0", 2);
  sample::Tree value;
  CHECK(wire::decode_into(value, Bytes(empties), Form::canonical) == DecodeError::limit);
}

TEST_CASE("limits: coming back to a shared list over and over is paid for") {
  std::string fields;
  while (fields.size() < 600'000) fields += std::string("\x1a\0\x08\0", 4);
  sample::Nested value;
  CHECK(wire::decode_into(value, Bytes(fields), Form::lenient) == DecodeError::limit);
  CHECK(wire::decode_into(value, Bytes(fields), Form::canonical) == DecodeError::not_canonical);
}

TEST_CASE("random bytes never do harm") {
  test::Random random(11);
  for (int round = 0; round < 20'000; ++round) {
    const Bytes input(random.bytes(random.below(40)));
    sample::Nested value;
    if (wire::decode_into(value, input, Form::canonical) == DecodeError::none) {
      CHECK(wire::encode(value) == input);
    }
  }
}

TEST_CASE("changed bytes give an error or another value, never the same one canonically") {
  test::Random random(12);
  for (int round = 0; round < 2'000; ++round) {
    const auto original = test::random_value<sample::Nested>(random);
    std::string bytes(wire::encode(original).text());
    if (bytes.empty()) continue;
    const std::size_t place = random.below(bytes.size());
    bytes[place] = static_cast<char>(bytes[place] ^ static_cast<char>(1 + random.below(255)));
    CHECK(wire::decode<sample::Nested>(Bytes(bytes), Form::canonical) != original);
  }
}

TEST_CASE("decode gives nothing where decode_into names an error; every error has words") {
  CHECK_FALSE(wire::decode<sample::Numbers>(from_hex("00"), Form::lenient).has_value());
  for (int error = 0; error <= static_cast<int>(DecodeError::not_canonical); ++error) {
    CHECK(to_string(static_cast<DecodeError>(error)) != "an unknown error");
  }
}

}  // namespace mirbft::decode_test

// The bytes that are hashed and signed, and that no two different values share them.
#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include <mirbft/wire/canonical.hpp>
#include <mirbft/wire/encode.hpp>

#include "random_value.hpp"
#include "sample_types.hpp"

using namespace mirbft;

namespace {

template <class T>
Bytes statement(const T& value) {
  return wire::canonical("test", {}, value);
}

struct Words {
  std::vector<std::string> first;
  std::vector<std::string> second;
};

struct Lengths {
  Bytes content;
  std::uint64_t after = 0;
};

}  // namespace

BOOST_HANA_ADAPT_STRUCT(Words, first, second);
BOOST_HANA_ADAPT_STRUCT(Lengths, content, after);

TEST_CASE("canonical: the layout, digit by digit") {
  CHECK(hex(wire::canonical("dom", bytes_of("id"), sample::Ping{7}).view()) ==
        "0300000000000000" "646f6d"
        "0200000000000000" "6964"
        "0800000000000000" "0700000000000000");
  const auto value_of = [](const auto& value) {
    return hex(statement(value).view()).substr(2 * (3 * 8 + 4));
  };
  CHECK(value_of(std::int32_t{-2}) == "feffffffffffffff");
  CHECK(value_of(SignatureCheck::invalid) == "0300000000000000");
  CHECK(value_of(Bytes{1, 2}) == "0200000000000000" "0102");
  CHECK(value_of(std::array<std::uint8_t, 2>{1, 2}) == "0102");
  CHECK(value_of(std::vector<bool>{true}) == "0100000000000000" "0100000000000000");
  CHECK(value_of(std::optional<bool>()) == "0000000000000000");
  CHECK(value_of(std::optional<bool>(false)) == "0100000000000000" "0000000000000000");
  CHECK(value_of(sample::Choice(sample::Ping{2})) == "e803000000000000" "0200000000000000");
  CHECK(value_of(sample::MaybeChoice()) == "0000000000000000");
  CHECK(value_of(Shared(sample::Ping{2})) == "0200000000000000");
}

TEST_CASE("canonical: what plain concatenation would confuse is told apart") {
  const std::vector<Words> words = {
      {{"ab"}, {}},      {{"a", "b"}, {}}, {{"a"}, {"b"}},    {{}, {"ab"}},
      {{}, {"a", "b"}},  {{"ab", ""}, {}}, {{"", "ab"}, {}},  {{"a"}, {"", "b"}},
      {{std::string("a\0b", 3)}, {}},
  };
  std::set<Bytes> seen;
  for (const Words& value : words) CHECK(seen.insert(statement(value)).second);

  // A content that looks like a length and a number behind it.
  CHECK(statement(Lengths{Bytes(), 1}) != statement(Lengths{Bytes{1, 0, 0, 0, 0, 0, 0, 0}, 0}));
  // Absent, zero and empty are three things.
  CHECK(statement(std::optional<Bytes>()) != statement(std::optional<Bytes>(Bytes())));
  CHECK(statement(sample::Optionals{}) != statement(sample::Optionals{.number = 0}));
  // The same members in another alternative.
  CHECK(statement(sample::MaybeChoice(sample::Empty{})) != statement(sample::MaybeChoice()));
}

TEST_CASE("canonical: domain, cluster and value do not run into one another") {
  const Bytes one = wire::canonical("ab", bytes_of("c"), Bytes("d"));
  CHECK(one != wire::canonical("a", bytes_of("bc"), Bytes("d")));
  CHECK(one != wire::canonical("abc", bytes_of(""), Bytes("d")));
  CHECK(one != wire::canonical("ab", bytes_of("cd"), Bytes("")));
  CHECK(one != wire::canonical("ab", bytes_of(""), Bytes("cd")));
  CHECK(one == wire::canonical("ab", bytes_of("c"), Bytes("d")));
}

TEST_CASE("canonical: different values differ, equal values do not") {
  test::Random random(5);
  std::set<Bytes> encoded;
  std::set<Bytes> stated;
  for (int round = 0; round < 2'000; ++round) {
    const auto value = test::random_value<sample::Optionals>(random);
    // The codec, which is tested on its own, tells whether the value is a new one.
    CHECK(encoded.insert(wire::encode(value)).second == stated.insert(statement(value)).second);
  }
}

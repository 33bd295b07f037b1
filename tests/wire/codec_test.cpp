// Values survive the way to bytes and back.
#include <doctest/doctest.h>

#include <vector>

#include <mirbft/wire/codec.hpp>

#include "random_value.hpp"
#include "sample_types.hpp"

namespace mirbft::codec_test {

using wire::Form;

namespace {

template <class T>
void check_round_trips(std::uint64_t seed) {
  test::Random random(seed);
  for (int round = 0; round < 300; ++round) {
    CAPTURE(round);
    const T value = test::random_value<T>(random);
    const Bytes bytes = wire::encode(value);
    REQUIRE(bytes.size() == wire::encoded_size(value));
    REQUIRE(wire::decode<T>(bytes, Form::canonical) == value);
    REQUIRE(wire::decode<T>(bytes, Form::lenient) == value);
  }
}

}  // namespace

TEST_CASE_TEMPLATE("random values of every kind come back as they were", T, sample::Numbers,
                   sample::Blobs, sample::Empty, sample::Lists, sample::Optionals, sample::Ping,
                   sample::Tree, sample::Choice, sample::MaybeChoice, sample::Nested,
                   sample::Configured, sample::Wrapper, sample::Templates, RequestRef, Request) {
  check_round_trips<T>(7);
}

TEST_CASE("every number at the ends of its range comes back") {
  const auto check = []<class T>(std::vector<T> numbers) {
    for (const T number : numbers) {
      T back{};
      CHECK(wire::from_number(wire::to_number(number), back));
      CHECK(back == number);
    }
  };
  check(std::vector<std::uint8_t>{0, 255});
  check(std::vector<std::int8_t>{-128, -1, 0, 127});
  check(std::vector<std::int32_t>{INT32_MIN, -1, 0, INT32_MAX});
  check(std::vector<std::int64_t>{INT64_MIN, -1, 0, INT64_MAX});
  check(std::vector<std::uint64_t>{0, UINT64_MAX});
  check(std::vector<sample::Direction>{sample::Direction::back, sample::Direction::forward});
  check(std::vector<SeqNr>{SeqNr(0), SeqNr(UINT64_MAX)});
  check(std::vector{std::chrono::nanoseconds::min(), std::chrono::nanoseconds::max()});
}

TEST_CASE("what a struct initialises itself does not come back in place of zeros") {
  const sample::Configured zeros{0, "", {}, std::nullopt};
  CHECK(wire::encode(zeros).empty());
  CHECK(wire::decode<sample::Configured>(Bytes(), Form::canonical) == zeros);

  const sample::Wrapper wrapped{Shared(zeros), zeros, {zeros, sample::Configured{}}, zeros};
  CHECK(wire::decode<sample::Wrapper>(wire::encode(wrapped), Form::canonical) == wrapped);
}

TEST_CASE("bytes that are read are slices of the input; text and digests are copies") {
  const sample::Blobs blobs{Bytes("a body"), "text", Digest{{1}}, {2}};
  const Bytes input = wire::encode(sample::Lists{.parts = {Bytes("a part")}, .blobs = {blobs}});
  const auto lists = wire::decode<sample::Lists>(input, Form::canonical);
  REQUIRE(lists.has_value());
  const auto is_inside = [&](const Bytes& part) {
    return part.begin() >= input.begin() && part.end() <= input.end();
  };
  CHECK(is_inside(lists->parts[0]));
  CHECK(is_inside(lists->blobs[0].bytes));
}

TEST_CASE("shared values are on the wire what they hold") {
  const sample::Blobs plain{Bytes("x"), "y", {}, {}};
  const Bytes alone = wire::encode(plain);
  CHECK(wire::encode(Shared(plain)) == alone);
  CHECK(wire::decode<Shared<sample::Blobs>>(alone, Form::canonical) == Shared(plain));
}

}  // namespace mirbft::codec_test

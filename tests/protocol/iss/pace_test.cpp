#include <mirbft/protocol/iss/pace.hpp>

#include <chrono>
#include <cstddef>

#include <doctest/doctest.h>

#include <mirbft/wire/codec.hpp>

namespace mirbft::iss::pace_test {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::nanoseconds base = 1s;

/// The pace of a cluster of seven, of which two may be faulty.
struct Seven {
  void epochs(int count, std::size_t suspected) {
    for (int i = 0; i < count; ++i) pace.epoch_ended(suspected, Quorum(7), base);
  }
  Pace pace{base, 0};
};

// Nothing overflows at the limits of the configuration.
static_assert(view_timeout(longest_timeout, View(~std::uint64_t{0})) == longest_timeout * 4096);
static_assert(segment_timeout(longest_timeout, ~std::uint32_t{0}, longest_slot_time) > 0s);

}  // namespace

TEST_CASE("more suspects than can be faulty double the time-out, fewer do not") {
  Seven seven;
  seven.epochs(20, 2);
  CHECK(seven.pace.timeout == base);
  seven.epochs(1, 3);
  CHECK(seven.pace.timeout == 2 * base);
  seven.epochs(2, 7);
  CHECK(seven.pace.timeout == 8 * base);
}

TEST_CASE("eight clean epochs in a row halve it, down to the base") {
  Seven seven;
  seven.epochs(2, 7);
  seven.epochs(7, 0);
  CHECK(seven.pace.timeout == 4 * base);
  seven.epochs(1, 0);
  CHECK(seven.pace.timeout == 2 * base);
  seven.epochs(7, 0);
  seven.epochs(1, 1);  // not clean: the count starts again
  seven.epochs(7, 0);
  CHECK(seven.pace.timeout == 2 * base);
  seven.epochs(1, 0);
  CHECK(seven.pace.timeout == base);
  seven.epochs(80, 0);
  CHECK(seven.pace.timeout == base);
}

TEST_CASE("the time-out stays within an hour") {
  Seven seven;
  seven.epochs(1000, 7);
  CHECK(seven.pace.timeout == 1h);
  seven.epochs(8, 0);
  CHECK(seven.pace.timeout == 30min);
}

TEST_CASE("times that follow from it") {
  CHECK(view_timeout(1s, View(0)) == 1s);
  CHECK(view_timeout(1s, View(1)) == 1s);
  CHECK(view_timeout(1s, View(7)) == 8s);
  CHECK(view_timeout(1s, View(24)) == 4096s);
  CHECK(view_timeout(1s, View(64)) == 4096s);  // and not 1 << 64
  CHECK(segment_timeout(1s, 128, 20ms) == 4s + 5120ms);
  CHECK(resend_interval(1s) == 500ms);
}

TEST_CASE("it survives a checkpoint") {
  Seven seven;
  seven.epochs(3, 7);
  seven.epochs(5, 0);
  const Bytes bytes = wire::encode(seven.pace);
  CHECK(wire::decode<Pace>(bytes, wire::Form::canonical) == seven.pace);
}

}  // namespace mirbft::iss::pace_test

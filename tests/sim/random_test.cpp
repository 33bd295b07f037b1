#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/sim/random.hpp>

namespace mirbft::sim::random_test {

TEST_CASE("a seed gives the same numbers with every compiler and on every machine") {
  Random random(42);
  CHECK(random.next() == 0x15780b2e0c2ec716ull);
  CHECK(random.next() == 0x6104d9866d113a7eull);
  CHECK(random.next() == 0xae17533239e499a1ull);
}

TEST_CASE("draws stay within their bounds, and reach them") {
  Random random(1);
  std::vector<int> seen(7);
  for (int i = 0; i < 1000; ++i) ++seen[static_cast<std::size_t>(random.between(-3, 3) + 3)];
  CHECK(*std::min_element(seen.begin(), seen.end()) > 50);
  CHECK(random.between(5, 5) == 5);
  const auto span = random.between(std::chrono::nanoseconds(3), std::chrono::nanoseconds(4));
  CHECK((span.count() == 3 || span.count() == 4));
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  bool negative = false;
  for (int i = 0; i < 64; ++i) negative = negative || random.between(least, most) < 0;
  CHECK(negative);
}

TEST_CASE("chances are of a thousand") {
  Random random(2);
  int hits = 0;
  for (int i = 0; i < 10'000; ++i) hits += random.chance(100);
  CHECK(hits > 800);
  CHECK(hits < 1200);
  CHECK(!random.chance(0));
  CHECK(random.chance(1000));
}

TEST_CASE("a shuffled list has the same elements in another order") {
  Random random(3);
  std::vector<int> list(50);
  std::iota(list.begin(), list.end(), 0);
  const std::vector<int> before = list;
  random.shuffle(list);
  CHECK(list != before);
  CHECK(std::is_permutation(list.begin(), list.end(), before.begin()));
  CHECK(std::find(list.begin(), list.end(), random.pick(list)) != list.end());
}

TEST_CASE("a fork depends on label and number, and not on what was drawn before") {
  Random random(4);
  const std::uint64_t first = random.fork("net", 1).next();
  (void)random.next();
  CHECK(random.fork("net", 1).next() == first);
  CHECK(random.fork("net", 2).next() != first);
  CHECK(random.fork("disk", 1).next() != first);
  CHECK(Random(5).fork("net", 1).next() != first);
}

}  // namespace mirbft::sim::random_test

#include <mirbft/modules/crypto/verified_roots.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <random>
#include <utility>

#include <doctest/doctest.h>

namespace mirbft::verified_roots_test {

namespace {

SignedRoot root(std::uint8_t number) {
  SignedRoot made{{}, 2, Bytes{number}};
  made.root.bytes.fill(number);
  return made;
}

}  // namespace

TEST_CASE("a root is known by all that is signed, and by its signature") {
  VerifiedRoots roots({.all = 4, .of_one = 2});
  roots.insert(ClientId(1), root(7));
  CHECK(roots.contains(ClientId(1), root(7)));
  CHECK_FALSE(roots.contains(ClientId(2), root(7)));
  SignedRoot other = root(7);
  ++other.leaves;
  CHECK_FALSE(roots.contains(ClientId(1), other));
  other = root(7);
  other.signature = Bytes("another");
  CHECK_FALSE(roots.contains(ClientId(1), other));
  other = root(7);
  other.root.bytes[31] = 0;
  CHECK_FALSE(roots.contains(ClientId(1), other));
}

TEST_CASE("a client that brings many roots loses its own oldest") {
  VerifiedRoots roots({.all = 10, .of_one = 3});
  roots.insert(ClientId(1), root(0));
  for (std::uint8_t number = 1; number <= 100; ++number) roots.insert(ClientId(2), root(number));
  CHECK(roots.size() == 4);
  CHECK(roots.contains(ClientId(1), root(0)));
  CHECK(roots.contains(ClientId(2), root(98)));
  CHECK_FALSE(roots.contains(ClientId(2), root(97)));
}

TEST_CASE("when all is full, the oldest goes out") {
  VerifiedRoots roots({.all = 3, .of_one = 2});
  for (std::uint8_t number = 0; number < 4; ++number)
    roots.insert(ClientId(number), root(number));
  CHECK(roots.size() == 3);
  CHECK_FALSE(roots.contains(ClientId(0), root(0)));
  CHECK(roots.contains(ClientId(1), root(1)));
  CHECK(roots.contains(ClientId(3), root(3)));
}

TEST_CASE("what is there is not kept twice") {
  VerifiedRoots roots({.all = 3, .of_one = 2});
  for (int i = 0; i < 5; ++i) roots.insert(ClientId(1), root(1));
  CHECK(roots.size() == 1);
}

TEST_CASE("of a client that is forgotten nothing is left, of others all") {
  VerifiedRoots roots({.all = 6, .of_one = 3});
  for (std::uint8_t number = 0; number < 6; ++number)
    roots.insert(ClientId(number % 2u), root(number));
  roots.forget(ClientId(0));
  roots.forget(ClientId(9));
  CHECK(roots.size() == 3);
  for (std::uint8_t number = 0; number < 6; ++number)
    CHECK(roots.contains(ClientId(number % 2u), root(number)) == (number % 2 == 1));
}

TEST_CASE("under any calls, the memory is that of a plain list in the order of age") {
  std::mt19937_64 random(1);
  constexpr RootLimits limits{.all = 8, .of_one = 3};
  VerifiedRoots roots(limits);
  std::deque<std::pair<std::uint64_t, std::uint8_t>> plain;
  const auto of = [&](std::uint64_t client) {
    return std::count_if(plain.begin(), plain.end(),
                         [&](const auto& entry) { return entry.first == client; });
  };
  for (int step = 0; step < 5000; ++step) {
    const std::uint64_t client = random() % 5;
    const auto number = static_cast<std::uint8_t>(random() % 6);
    const std::pair entry{client, number};
    if (random() % 20 == 0) {
      roots.forget(ClientId(client));
      std::erase_if(plain, [&](const auto& known) { return known.first == client; });
    } else if (std::find(plain.begin(), plain.end(), entry) == plain.end()) {
      const bool full = of(client) == static_cast<std::ptrdiff_t>(limits.of_one);
      if (full || plain.size() == limits.all)
        plain.erase(std::find_if(plain.begin(), plain.end(), [&](const auto& known) {
          return !full || known.first == client;
        }));
      plain.push_back(entry);
      roots.insert(ClientId(client), root(number));
    } else {
      roots.insert(ClientId(client), root(number));
    }
    REQUIRE(roots.size() == plain.size());
    for (std::uint64_t who = 0; who < 5; ++who)
      for (std::uint8_t what = 0; what < 6; ++what)
        REQUIRE(roots.contains(ClientId(who), root(what)) ==
                (std::find(plain.begin(), plain.end(), std::pair{who, what}) != plain.end()));
  }
}

TEST_CASE("limits that leave no room are refused") {
  CHECK_THROWS_AS(VerifiedRoots({.all = 1, .of_one = 0}), ConfigError);
  CHECK_THROWS_AS(VerifiedRoots({.all = 1, .of_one = 2}), ConfigError);
}

}  // namespace mirbft::verified_roots_test

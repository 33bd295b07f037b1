#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include <mirbft/types/number_map.hpp>

namespace mirbft::number_map_test {

using Map = NumberMap<int, 8>;

TEST_CASE("an entry is made on first use, found, and taken") {
  Map map;
  CHECK(map.empty());
  CHECK(map.find(5) == nullptr);
  CHECK(map[5] == 0);
  map[5] = 50;
  map[UINT64_MAX] = 60;
  CHECK_FALSE(map.empty());
  REQUIRE(map.find(5));
  CHECK(*map.find(5) == 50);
  CHECK(*map.find(UINT64_MAX) == 60);
  CHECK(map.find(4) == nullptr);
  CHECK(map.find(6) == nullptr);

  CHECK(map.take(5) == 50);
  CHECK(map.find(5) == nullptr);
  CHECK(map.take(5) == std::nullopt);
  CHECK(map.take(6) == std::nullopt);
  CHECK(map.take(UINT64_MAX) == 60);
  CHECK(map.empty());
}

TEST_CASE("the end is past the highest entry that is there") {
  Map map;
  CHECK(map.end() == 0);
  map[3] = 1;
  map[21] = 1;
  map[22] = 1;
  map[23] = 1;
  CHECK(map.end() == 24);
  map.take(23);
  CHECK(map.end() == 23);
  map.take(21);
  map.take(22);
  CHECK(map.end() == 4);
  map.take(3);
  CHECK(map.end() == 0);
}

TEST_CASE("what was taken may be made anew") {
  Map map;
  for (std::uint64_t i = 0; i < 8; ++i) map[i] = 1;
  map.take(3);
  CHECK(map[3] == 0);
  CHECK(*map.find(3) == 0);
}

TEST_CASE("entries are visited in order, and dropped on the way") {
  Map map;
  for (const std::uint64_t number : {90u, 3u, 4u, 20u, 1u, 91u}) map[number] = 1;
  std::vector<std::uint64_t> seen;
  map.erase_if([&seen](std::uint64_t number, int&) {
    seen.push_back(number);
    return number % 2 == 1;
  });
  CHECK(seen == std::vector<std::uint64_t>{1, 3, 4, 20, 90, 91});
  seen.clear();
  map.for_each([&seen](std::uint64_t number, int&) { seen.push_back(number); });
  CHECK(seen == std::vector<std::uint64_t>{4, 20, 90});
  seen.clear();
  map.erase_if([&seen](std::uint64_t number, int&) {
    seen.push_back(number);
    return true;
  });
  CHECK(seen == std::vector<std::uint64_t>{4, 20, 90});
  CHECK(map.empty());
}

TEST_CASE("it does what a map does, over many random steps") {
  std::mt19937_64 random(3);
  NumberMap<std::vector<int>> map;
  std::map<std::uint64_t, std::vector<int>> model;
  std::uint64_t base = 0;
  for (int step = 0; step < 50'000; ++step) {
    const std::uint64_t number = base + random() % 300;
    switch (random() % 8) {
      case 0:
      case 1:
      case 2: {  // mostly upwards
        base += random() % 2;
        map[number].push_back(step);
        model[number].push_back(step);
        break;
      }
      case 3: {
        const auto taken = map.take(number);
        const auto found = model.find(number);
        REQUIRE(taken.has_value() == (found != model.end()));
        if (!taken) break;
        REQUIRE(*taken == found->second);
        model.erase(found);
        break;
      }
      case 4: {
        if (random() % 50 != 0) break;
        const auto drop = [&](std::uint64_t visited) { return visited % 3 == number % 3; };
        map.erase_if([&](std::uint64_t visited, const std::vector<int>& value) {
          REQUIRE(model.at(visited) == value);
          return drop(visited);
        });
        std::erase_if(model, [&](const auto& entry) { return drop(entry.first); });
        break;
      }
      default: {
        const std::vector<int>* found = map.find(number);
        REQUIRE((found != nullptr) == model.contains(number));
        if (found) REQUIRE(*found == model[number]);
      }
    }
    REQUIRE(map.empty() == model.empty());
  }
}

}  // namespace mirbft::number_map_test

#include <doctest/doctest.h>

#include <map>
#include <random>

#include <mirbft/types/sliding_window.hpp>

namespace mirbft::sliding_window_test {

using Window = SlidingWindow<int, 4>;

TEST_CASE("an entry is made on first use and forgotten below the window") {
  Window window;
  CHECK(window.find(5) == nullptr);
  window.at(5) = 50;
  REQUIRE(window.find(5) != nullptr);
  CHECK(*window.find(5) == 50);
  // The number shares a chunk with 5, so it is there, and untouched.
  REQUIRE(window.find(6) != nullptr);
  CHECK(*window.find(6) == 0);
  window.advance(6);
  CHECK(window.low() == 6);
  CHECK(window.find(5) == nullptr);
  CHECK(window.find(6) != nullptr);
  window.advance(3);
  CHECK(window.low() == 6);
}

TEST_CASE("it does what a map does, over many random steps") {
  Window window;
  std::map<std::uint64_t, int> model;
  std::mt19937 random(1);
  std::uint64_t low = 0;
  for (int step = 1; step < 5'000; ++step) {
    const std::uint64_t number = low + random() % 40;
    if (random() % 4 == 0) {
      low += random() % 3 == 0 ? random() % 60 : random() % 3;
      window.advance(low);
      model.erase(model.begin(), model.lower_bound(low));
    } else {
      window.at(number) = step;
      model[number] = step;
    }
    std::map<std::uint64_t, int> held;
    window.for_each([&](std::uint64_t place, int value) {
      if (value != 0) held[place] = value;
    });
    REQUIRE(held == model);
    for (std::uint64_t i = low; i < low + 45; ++i) {
      const int* found = window.find(i);
      REQUIRE((found ? *found : 0) == (model.contains(i) ? model[i] : 0));
    }
  }
}

}  // namespace mirbft::sliding_window_test

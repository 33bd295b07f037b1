#include <mirbft/engine/cell.hpp>

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace cell_test {

using namespace mirbft::engine;

namespace {

/// Counts how many of it live.
struct Counted {
  explicit Counted(int& lives) : alive(&lives) { ++*alive; }
  Counted(const Counted& other) : alive(other.alive) { ++*alive; }
  Counted(Counted&& other) noexcept : alive(other.alive) { ++*alive; }
  ~Counted() { --*alive; }
  int* alive;
};

template <std::size_t N>
struct Numbered {
  std::size_t value = N;
};

template <class Indices>
struct ManyOf;
template <std::size_t... N>
struct ManyOf<std::index_sequence<N...>> {
  using cell = Cell<Numbered<N>...>;

  static std::vector<std::size_t> visited() {
    std::vector<std::size_t> numbers;
    (visit<N>(numbers), ...);
    return numbers;
  }
  template <std::size_t I>
  static void visit(std::vector<std::size_t>& numbers) {
    cell one;
    one.put(Numbered<I>{});
    one.take([&]<std::size_t M>(Numbered<M>&& held) {
      if (held.value == M) numbers.push_back(M);
    });
  }
};

}  // namespace

TEST_CASE("a cell hands out what was put in, once") {
  Cell<int, std::string, std::unique_ptr<int>> cell;
  cell.put(std::string("text"));
  std::string seen;
  cell.peek([&]<class E>(const E& event) {
    if constexpr (std::is_same_v<E, std::string>) seen = event;
  });
  CHECK(seen == "text");

  std::string taken;
  cell.take([&]<class E>(E&& event) {
    if constexpr (std::is_same_v<E, std::string>) taken = std::move(event);
  });
  CHECK(taken == "text");

  cell.put(std::make_unique<int>(7));
  int number = 0;
  cell.take([&]<class E>(E&& event) {
    if constexpr (std::is_same_v<E, std::unique_ptr<int>>) number = *event;
  });
  CHECK(number == 7);
}

TEST_CASE("an event ends when it is taken, also when its user throws") {
  int alive = 0;
  Cell<int, Counted> cell;
  cell.put(Counted(alive));
  CHECK(alive == 1);
  cell.take([](auto&&) {});
  CHECK(alive == 0);

  cell.put(Counted(alive));
  CHECK_THROWS_AS(cell.take([](auto&&) { throw std::runtime_error("no"); }), std::runtime_error);
  CHECK(alive == 0);
}

TEST_CASE("the visitor finds each of many alternatives") {
  const std::vector<std::size_t> visited = ManyOf<std::make_index_sequence<60>>::visited();
  REQUIRE(visited.size() == 60);
  for (std::size_t i = 0; i < visited.size(); ++i) CHECK(visited[i] == i);
}

}  // namespace cell_test

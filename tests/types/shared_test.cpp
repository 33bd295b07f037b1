#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <mirbft/types/shared.hpp>

namespace mirbft::shared_test {

TEST_CASE("a default one holds a default value") {
  const Shared<std::vector<int>> none;
  CHECK(none->empty());
  CHECK(none == Shared(std::vector<int>{}));
}

TEST_CASE("copies are the same object; equality is that of the values") {
  const Shared one(std::string("batch"));
  const Shared copy = one;
  const Shared other(std::string("batch"));
  CHECK(&*copy == &*one);
  CHECK(&*other != &*one);
  CHECK(other == one);
  CHECK_FALSE(other == Shared(std::string("another")));
}

TEST_CASE("the value goes with its last owner, and not before") {
  const auto alive = std::make_shared<int>(1);
  {
    Shared one(alive);
    Shared moved = std::move(one);
    Shared copy = moved;
    moved = Shared<std::shared_ptr<int>>();
    CHECK(alive.use_count() == 2);
    const auto& same = copy;
    copy = same;
    CHECK(alive.use_count() == 2);
  }
  CHECK(alive.use_count() == 1);
}

TEST_SUITE("threads") {
  TEST_CASE("two threads share a value, and the last one frees it") {
    for (int round = 0; round < 50; ++round) {
      Shared value(std::vector<int>(100, 1));
      const auto use = [](Shared<std::vector<int>> mine) {
        int sum = 0;
        for (std::size_t i = 0; i < 100; ++i) {
          const Shared copy = mine;
          sum += (*copy)[i];
        }
        return sum;
      };
      int there = 0;
      std::thread other([&there, use, mine = value]() mutable { there = use(std::move(mine)); });
      const int here = use(std::move(value));
      other.join();
      CHECK(here == 100);
      CHECK(there == 100);
    }
  }
}

}  // namespace mirbft::shared_test

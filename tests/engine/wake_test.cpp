#include <mirbft/engine/wake.hpp>

#include <atomic>
#include <chrono>
#include <thread>

#include <doctest/doctest.h>

#include "../support/waiting.hpp"

namespace wake_test {

using namespace mirbft::engine;
using namespace std::chrono_literals;

TEST_SUITE_BEGIN("threads");

TEST_CASE("a wake-up ends the wait, also one that came before it, and only one") {
  Wake wake;
  wake.wake();
  wake.wake();
  wake.wait(1h);
  CHECK_FALSE(wake.take());
  std::thread other([&] { wake.wake(); });
  wake.wait(1h);
  other.join();
  CHECK_FALSE(wake.take());
}

TEST_CASE("a wait ends when its time is up") {
  Wake wake;
  wake.wait(1ms);
  CHECK_FALSE(wake.take());
  wake.wake();
  CHECK(wake.take());
  CHECK_FALSE(wake.take());
}

TEST_CASE("who waits elsewhere is told there, once until he has taken notice") {
  struct Elsewhere {
    std::atomic<int> wakes = 0;
    void wake() { ++wakes; }
  } elsewhere;
  Wake wake;
  wake.also_wake(elsewhere);
  wake.wake();
  wake.wake();
  CHECK(elsewhere.wakes == 1);
  CHECK(wake.take());
  wake.wake();
  CHECK(elsewhere.wakes == 2);
  wake.take();
  wake.forget();
  wake.wake();
  CHECK(elsewhere.wakes == 2);
}

TEST_CASE("no wake-up of many threads is lost") {
  constexpr int threads = 3, each = 500;
  Wake wake;
  std::atomic<int> put = 0;
  int seen = 0;
  std::thread others[threads];
  for (std::thread& thread : others)
    thread = std::thread([&] {
      for (int i = 0; i < each; ++i) {
        ++put;
        wake.wake();
      }
    });
  while (seen < threads * each) {
    wake.wait(mirbft::testing::patience);
    const int now = put;
    REQUIRE(now > 0);
    seen = now;
  }
  for (std::thread& thread : others) thread.join();
  CHECK(seen == threads * each);
}

TEST_SUITE_END();

}  // namespace wake_test

#include <mirbft/engine/inquiry.hpp>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "../support/waiting.hpp"

namespace inquiry_test {

using namespace mirbft::engine;
using namespace std::chrono_literals;

TEST_SUITE_BEGIN("threads");

TEST_CASE("while it is closed, and on the answering thread, who asks looks for himself") {
  Inquiry<int> inquiry;
  Wake wake;
  CHECK(inquiry.ask([] { return 1; }, wake) == 1);
  inquiry.open();
  CHECK(inquiry.ask([] { return 2; }, wake) == 2);
  inquiry.answer([]() -> int { throw std::runtime_error("nobody has asked"); });
  inquiry.close();
  CHECK(inquiry.ask([] { return 3; }, wake) == 3);
  CHECK_FALSE(wake.take());
}

TEST_CASE("the answering thread looks for the others, as often as they ask") {
  Inquiry<int> inquiry;
  Wake wake;
  int secret = 0;  // the answering thread's alone
  std::atomic<int> asked = 0;
  inquiry.open();
  std::vector<std::jthread> others;
  for (int i = 0; i < 3; ++i)
    others.emplace_back([&] {
      for (int last = 0, n = 0; n < 100; ++n) {
        const int now = inquiry.ask([]() -> int { throw std::runtime_error("not I"); }, wake);
        CHECK(now > last);
        last = now;
      }
      ++asked;
      wake.wake();
    });
  while (asked < 3) {
    wake.wait(mirbft::testing::patience);
    inquiry.answer([&] { return ++secret; });
  }
  inquiry.close();
  CHECK(secret >= 100);
}

TEST_CASE("who still waits when it closes looks for himself") {
  Inquiry<int> inquiry;
  Wake wake;
  inquiry.open();
  std::atomic<int> got = 0;
  std::thread other([&] { got = inquiry.ask([] { return 7; }, wake); });
  wake.wait(mirbft::testing::patience);
  inquiry.close();
  other.join();
  CHECK(got == 7);
}

TEST_SUITE_END();

}  // namespace inquiry_test

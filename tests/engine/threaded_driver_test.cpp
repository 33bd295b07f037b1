// The driver by itself; with callers and replies it is tested in tests/node_threads_test.cpp.
#include <mirbft/engine/threaded_driver.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/modules/interceptor/null.hpp>

#include "../support/relay.hpp"
#include "../support/waiting.hpp"

namespace mirbft::threaded_driver_test {

using namespace mirbft::testing;
using engine::Phase;

namespace {

using Core = engine::Core<RelayPlan, NullInterceptor>;
template <std::size_t S>
using Module = RelayPlan::Module<S>;

/// `Threads` by slot: tracker, hasher, crypto, store, protocol, wal, app, net, node.
template <std::size_t... Threads>
struct Fixture {
  Core core{NodeConfig{}, NullInterceptor{}, Module<0>{}, Module<1>{},      Module<2>{},
            Module<3>{},  Module<4>{},       Module<5>{}, Module<6>{},      Module<7>{},
            engine::TheNode{}};
  std::stop_source stop;
  std::atomic<std::uint64_t> rounds = 0;
  std::atomic<std::uint64_t> looks = 0;

  void run() {
    engine::ThreadedDriver<Core, std::index_sequence<Threads...>>(core).run(
        stop.get_token(),
        [this] {
          ++looks;
          return std::chrono::steady_clock::now().time_since_epoch();
        },
        [this] { ++rounds; });
  }
};

/// Balls that are put in while the driver works arrive at the end of the row, all and in order,
/// before it returns.
template <std::size_t... Threads>
void pass_balls() {
  Fixture<Threads...> fixture;
  std::vector<std::uint64_t> sent;
  std::thread thread([&] { fixture.run(); });
  for (std::uint64_t i = 0; i < 1000; ++i) {
    while (fixture.core.inbox().put(ToTracker{i}) != engine::Inbox<RelayPlan>::Put::taken)
      std::this_thread::yield();
    sent.push_back(i);
  }
  CHECK(eventually([&] { return fixture.rounds > 0; }));
  fixture.stop.request_stop();
  thread.join();
  CHECK(fixture.core.phase() == Phase::stopped);
  CHECK(fixture.core.items().size() == 0);
  CHECK(fixture.core.template stage<slot::net.index()>().module().caught == sent);
}

}  // namespace

TEST_SUITE_BEGIN("threads");

TEST_CASE("what was put in is done when the driver returns, however the threads are shared out") {
  SUBCASE("none") { pass_balls<0, 0, 0, 0, 0, 0, 0, 0, 0>(); }
  SUBCASE("every other") { pass_balls<0, 1, 0, 1, 0, 1, 0, 1, 0>(); }
  SUBCASE("all, and pools") { pass_balls<1, 2, 3, 1, 1, 1, 1, 1, 0>(); }
}

TEST_CASE("a driver that is stopped before it begins does not begin") {
  Fixture<0, 0, 0, 0, 0, 1, 0, 1, 0> fixture;
  fixture.core.inbox().put(ToTracker{1});
  fixture.stop.request_stop();
  fixture.run();
  CHECK(fixture.core.phase() == Phase::stopped);
  CHECK(fixture.rounds == 0);
  CHECK(fixture.core.stage<slot::tracker.index()>().module().caught.empty());
}

TEST_CASE("a driver without work sleeps between two ticks") {
  Fixture<0, 0, 0, 0, 0, 1, 0, 1, 0> fixture;
  std::thread thread([&] { fixture.run(); });
  CHECK_FALSE(eventually([&] { return fixture.looks > 500; }, std::chrono::milliseconds(100)));
  fixture.stop.request_stop();
  thread.join();
}

TEST_SUITE_END();

}  // namespace mirbft::threaded_driver_test

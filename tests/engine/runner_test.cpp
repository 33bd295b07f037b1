#include <mirbft/engine/runner.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/modules/interceptor/null.hpp>
#include <mirbft/protocol/solo.hpp>

#include "../support/relay.hpp"
#include "../support/waiting.hpp"

namespace mirbft::runner_test {

using namespace mirbft::testing;
using engine::FollowUps;

namespace {

constexpr std::size_t crypto = slot::crypto.index();

struct Asked {
  static constexpr auto module = slot::tracker;
  static constexpr std::uint32_t number = 1000;

  std::uint64_t value = 0;
};

/// Signs with what it was given; notes which threads it works on, and how it is called.
struct WatchedCrypto : StubCrypto {
  struct Shared {
    std::mutex mutex;
    std::set<std::thread::id> threads;
    std::atomic<int> at_once = 0;
    std::atomic<int> most_at_once = 0;
    std::atomic<int> beside_update = 0;
    /// When set, each signature waits until so many are being made at once.
    int rendezvous = 0;
  };
  Shared* shared = nullptr;

  Bytes sign(Epoch, ByteView message) const {
    if (message.size() == 4) throw std::runtime_error("four bytes are too many");
    {
      const std::lock_guard lock(shared->mutex);
      shared->threads.insert(std::this_thread::get_id());
    }
    const int now = ++shared->at_once;
    shared->most_at_once = std::max<int>(shared->most_at_once, now);
    if (shared->rendezvous != 0)
      CHECK(eventually([&] { return shared->most_at_once >= shared->rendezvous; }));
    --shared->at_once;
    return Bytes(message);
  }
  void update_node_key(NodeId, Epoch, const std::optional<Bytes>&) {
    if (shared->at_once != 0) ++shared->beside_update;
  }
};
struct AskingTracker : StubTracker {
  using consumes = events<NewRequest, Applied, SignResult<Asked>, ToTracker>;
  using emits = events<SignRequest<Asked>, UpdateNodeKeys, ToTracker>;
  using StubTracker::process;
  void process(const SignResult<Asked>&, auto&) {}
  void process(const ToTracker&, auto&) {}
};

using TestPlan = engine::Plan<StubNet, StubHasher, WatchedCrypto, StubApp, StubWal, AskingTracker,
                              StubStore, StubProtocol>;
using Core = engine::Core<TestPlan, NullInterceptor>;

struct Fixture {
  WatchedCrypto::Shared shared;
  Core core{NodeConfig{},
            NullInterceptor{},
            AskingTracker{},
            StubHasher{},
            WatchedCrypto{{}, &shared},
            StubStore{},
            StubProtocol{},
            StubWal{},
            StubApp{},
            StubNet{},
            engine::TheNode{}};
  std::vector<FollowUps> due;

  auto& list() { return core.items().list<crypto>(); }
  void ask(std::uint64_t begin, std::uint64_t end, std::size_t bytes = 1) {
    for (std::uint64_t i = begin; i < end; ++i)
      core.items().push(SignRequest<Asked>{Epoch(0), Bytes(std::string(bytes, 'm')), Asked{i}});
  }
  template <class R>
  void wait(R& runner) {
    while (!runner.idle()) {
      core.inbox().dispatcher().wait(patience);
      runner.collect(core.items(), due);
    }
  }
  /// The answers that have come back, and the balls behind them.
  std::vector<std::uint64_t> answers() {
    std::vector<std::uint64_t> values;
    core.items().release(due);
    core.items().list<slot::tracker.index()>().consume(due, [&]<class E>(E&& event) {
      if constexpr (requires { event.origin.value; }) values.push_back(event.origin.value);
      if constexpr (std::is_same_v<E, ToTracker>) values.push_back(event.value);
    });
    return values;
  }
};

std::vector<std::uint64_t> numbers(std::uint64_t begin, std::uint64_t end) {
  std::vector<std::uint64_t> values;
  for (std::uint64_t i = begin; i < end; ++i) values.push_back(i);
  return values;
}

}  // namespace

TEST_SUITE_BEGIN("threads");

TEST_CASE_FIXTURE(Fixture, "a runner takes a list, and what it makes of it comes back in order") {
  engine::Runner<crypto, Core, 1> runner(core);
  CHECK(runner.idle());
  for (std::uint64_t round = 0; round < 20; ++round) {
    ask(100 * round, 100 * round + 100);
    REQUIRE(runner.ready());
    runner.hand_over(list());
    CHECK(list().size() == 0);
    CHECK_FALSE(runner.idle());
    wait(runner);
    CHECK(answers() == numbers(100 * round, 100 * round + 100));
  }
  CHECK(shared.threads.size() == 1);
  CHECK(shared.threads.count(std::this_thread::get_id()) == 0);
}

TEST_CASE_FIXTURE(Fixture, "a pool shares a list, and what comes back is in order all the same") {
  engine::Runner<crypto, Core, 3> runner(core);
  shared.rendezvous = 3;
  ask(0, 100);
  runner.hand_over(list());
  wait(runner);
  CHECK(answers() == numbers(0, 100));
  CHECK(shared.threads.size() == 3);
  CHECK(shared.most_at_once == 3);
}

TEST_CASE_FIXTURE(Fixture, "a list that is shorter than the pool is done too") {
  engine::Runner<crypto, Core, 3> runner(core);
  for (std::uint64_t i = 0; i < 20; ++i) {
    ask(i, i + 1);
    runner.hand_over(list());
    wait(runner);
    CHECK(answers() == numbers(i, i + 1));
  }
}

TEST_CASE_FIXTURE(Fixture, "a change of keys runs beside nothing else") {
  engine::Runner<crypto, Core, 3> runner(core);
  for (int round = 0; round < 20; ++round) {
    ask(0, 50);
    core.items().push(UpdateNodeKeys{Epoch(1), {{NodeId(1), Bytes("key")}}});
    ask(50, 100);
    runner.hand_over(list());
    wait(runner);
    CHECK(answers() == numbers(0, 100));
  }
  CHECK(shared.beside_update == 0);
  CHECK(shared.most_at_once == 1);
}

TEST_CASE_FIXTURE(Fixture, "follow-ups come back when their parents are done") {
  engine::Runner<crypto, Core, 2> runner(core);
  for (std::uint64_t i = 0; i < 10; ++i) {
    FollowUps& place = *core.items().push(SignRequest<Asked>{Epoch(0), Bytes("m"), Asked{i}});
    core.items().append(place, ToTracker{100 + i});
  }
  runner.hand_over(list());
  wait(runner);
  std::vector<std::uint64_t> expected = numbers(0, 10);
  for (std::uint64_t i = 0; i < 10; ++i) expected.push_back(100 + i);
  CHECK(answers() == expected);
}

TEST_CASE_FIXTURE(Fixture, "a failure is thrown at whoever collects, and what is left is dropped") {
  engine::Runner<crypto, Core, 2> runner(core);
  ask(0, 10);
  ask(10, 11, 4);
  ask(11, 20);
  runner.hand_over(list());
  CHECK_THROWS_WITH_AS(wait(runner), "four bytes are too many", ModuleFailure);
}

TEST_CASE_FIXTURE(Fixture, "a runner that ends amid its work finishes the list and forgets it") {
  engine::Runner<crypto, Core, 2> runner(core);
  ask(0, 1000);
  core.items().append(*core.items().push(SignRequest<Asked>{Epoch(0), Bytes("m"), Asked{}}),
                      ToTracker{});
  runner.hand_over(list());
}

TEST_SUITE_END();

}  // namespace mirbft::runner_test

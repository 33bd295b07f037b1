#include <mirbft/engine/inbox.hpp>

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "../support/relay.hpp"
#include "../support/waiting.hpp"

namespace mirbft::inbox_test {

using namespace mirbft::engine;
using namespace mirbft::testing;

namespace {

using TestInbox = Inbox<RelayPlan>;
using Put = TestInbox::Put;

std::vector<std::uint64_t> take(WorkItems<RelayPlan>& items) {
  std::vector<std::uint64_t> values;
  std::vector<FollowUps> due;
  items.list<slot::tracker.index()>().consume(due, [&]<class E>(E&& event) {
    if constexpr (requires { event.value; }) values.push_back(event.value);
  });
  return values;
}

}  // namespace

TEST_SUITE_BEGIN("threads");

TEST_CASE("what is put in comes out in its order, up to the capacity, until it is closed") {
  TestInbox inbox(3);
  WorkItems<RelayPlan> items;
  Callers callers;
  CHECK_FALSE(inbox.drain(items, callers));
  for (int round = 0; round < 3; ++round) {
    for (std::uint64_t i = 0; i < 3; ++i) CHECK(inbox.put(ToTracker{i}) == Put::taken);
    CHECK(inbox.put(ToTracker{3}) == Put::full);
    CHECK(inbox.drain(items, callers));
    CHECK_FALSE(inbox.drain(items, callers));
    CHECK(take(items) == std::vector<std::uint64_t>{0, 1, 2});
  }
  CHECK(inbox.put(ToTracker{4}) == Put::taken);
  inbox.close();
  CHECK(inbox.put(ToTracker{5}) == Put::closed);
  CHECK(inbox.drain(items, callers));
  CHECK(take(items) == std::vector<std::uint64_t>{4});
}

TEST_CASE("what is drained comes behind what is pending") {
  TestInbox inbox(10);
  WorkItems<RelayPlan> items;
  Callers callers;
  items.push(ToTracker{0});
  inbox.put(ToTracker{1});
  inbox.drain(items, callers);
  inbox.put(ToTracker{2});
  inbox.drain(items, callers);
  CHECK(take(items) == std::vector<std::uint64_t>{0, 1, 2});
}

TEST_CASE("who waits comes along; who is refused is not called") {
  TestInbox inbox(1);
  WorkItems<RelayPlan> items;
  Callers callers;
  int calls = 0;
  const auto waiting = [&] {
    return Waiting{ClientId(1), ReqNo(2), Callback([&](const Replied&) { ++calls; })};
  };
  CHECK(inbox.put(ToTracker{}, waiting()) == Put::taken);
  CHECK(inbox.put(ToTracker{}, waiting()) == Put::full);
  CHECK(callers.size() == 0);
  inbox.drain(items, callers);
  CHECK(callers.size() == 1);
  CHECK(calls == 0);
}

TEST_CASE("many threads put in, one takes out, and nothing is lost or turned round") {
  constexpr std::uint64_t threads = 3, each = 2000;
  TestInbox inbox(100);
  std::vector<std::jthread> others;
  for (std::uint64_t t = 0; t < threads; ++t)
    others.emplace_back([&, t] {
      for (std::uint64_t i = 0; i < each;)
        if (inbox.put(ToTracker{t * each + i}) == Put::taken) ++i;
    });
  WorkItems<RelayPlan> items;
  Callers callers;
  std::vector<std::uint64_t> next(threads);
  std::uint64_t seen = 0, turned_round = 0;
  while (seen < threads * each) {
    if (!inbox.drain(items, callers)) inbox.dispatcher().wait(patience);
    for (const std::uint64_t value : take(items)) {
      if (value % each != next[value / each]++) ++turned_round;
      ++seen;
    }
  }
  CHECK(turned_round == 0);
}

TEST_SUITE_END();

}  // namespace mirbft::inbox_test

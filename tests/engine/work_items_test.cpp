#include <mirbft/engine/work_items.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "../support/relay.hpp"

namespace mirbft::work_items_test {

using namespace mirbft::testing;
using engine::FollowUps;

namespace {

using Items = engine::WorkItems<RelayPlan>;

/// What is in the list of slot `S`; the follow-ups of its events are released into `items`.
template <std::size_t S>
std::vector<std::uint64_t> take(Items& items) {
  std::vector<std::uint64_t> values;
  std::vector<FollowUps> due;
  items.list<S>().consume(due, [&]<class E>(E&& event) {
    if constexpr (requires { event.value; }) values.push_back(event.value);
  });
  items.release(due);
  return values;
}
constexpr std::size_t to_tracker = slot::tracker.index();
constexpr std::size_t to_wal = slot::wal.index();
constexpr std::size_t to_app = slot::app.index();
constexpr std::size_t to_protocol = slot::protocol.index();
constexpr std::size_t to_net = slot::net.index();

using Values = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("an event goes to the list of its slot, in order") {
  Items items;
  CHECK(items.size() == 0);
  CHECK(items.pending() == Slot(0));
  for (std::uint64_t i = 0; i < 100; ++i) {
    items.push(ToTracker{i});
    items.push(ToApp{1000 + i});
  }
  CHECK(items.size() == 200);
  CHECK(items.pending() == (slot::tracker | slot::app));
  const Values tracked = take<to_tracker>(items);
  REQUIRE(tracked.size() == 100);
  CHECK(tracked.front() == 0);
  CHECK(tracked.back() == 99);
  CHECK(items.pending() == slot::app);
  CHECK(take<to_app>(items).back() == 1099);
  CHECK(items.pending() == Slot(0));
}

TEST_CASE("a broadcast goes to all who want it and to nobody else") {
  Items items;
  CHECK(items.push(ToAll{5}) == nullptr);
  CHECK(items.pending() == slot::all);
  CHECK(items.push(Init{}) == nullptr);
  CHECK(items.size() == 8);
}

TEST_CASE("follow-ups go to their lists once their parent is processed, and not before") {
  Items items;
  FollowUps& first = *items.push(ToWal{1});
  items.append(first, ToNet{11});
  FollowUps& deeper = items.append(first, ToApp{12});
  items.append(deeper, ToProtocol{121});
  items.append(first, ToAll{13});
  items.append(*items.push(ToWal{2}), ToNet{21});
  CHECK(items.pending() == slot::wal);

  CHECK(take<to_wal>(items) == Values{1, 2});
  CHECK(take<to_net>(items) == Values{11, 13, 21});
  CHECK(take<to_protocol>(items) == Values{13});
  CHECK(take<to_app>(items) == Values{12, 13});
  CHECK(take<to_protocol>(items) == Values{121});
}

TEST_CASE("what another thread has put out is taken over in its order, follow-ups included") {
  Items items, other;
  items.push(ToTracker{0});
  for (int round = 0; round < 2; ++round) {
    other.push(ToTracker{1});
    other.push(ToTracker{2});
    items.absorb(other);
  }
  CHECK(other.size() == 0);
  CHECK(take<to_tracker>(items) == Values{0, 1, 2, 1, 2});

  FollowUps& first = *other.push(ToWal{1});
  FollowUps& deeper = other.append(first, ToApp{12});
  other.append(deeper, ToProtocol{121});
  other.append(deeper, ToNet{122});
  other.append(first, ToNet{13});
  other.push(ToWal{2});
  items.absorb(other);
  CHECK(other.pending() == Slot(0));
  CHECK(take<to_wal>(items) == Values{1, 2});
  CHECK(take<to_net>(items) == Values{13});
  CHECK(take<to_app>(items) == Values{12});
  CHECK(take<to_protocol>(items) == Values{121});
  CHECK(take<to_net>(items) == Values{122});
  CHECK(items.size() == 0);
}

}  // namespace mirbft::work_items_test

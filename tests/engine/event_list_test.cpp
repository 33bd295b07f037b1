#include <mirbft/engine/event_list.hpp>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace mirbft::event_list_test {

using namespace mirbft::engine;

namespace {

struct Small {
  std::uint32_t value = 0;
};
struct Owner {
  std::unique_ptr<std::uint32_t> value;
};
using List = EventList<events<Small, Owner>>;

std::uint32_t value_of(const Small& event) { return event.value; }
std::uint32_t value_of(const Owner& event) { return *event.value; }

/// Handles that can be told from one another.
FollowUps follow_ups(std::uint32_t number) {
  static char places[400];
  return {&places[number]};
}

/// Pushes the numbers from `begin` to `end`, each as one or the other kind of event.
void fill(List& list, std::uint32_t begin, std::uint32_t end) {
  for (std::uint32_t i = begin; i < end; ++i) {
    if (i % 3 == 0) {
      list.push(Small{i});
    } else {
      list.push(Owner{std::make_unique<std::uint32_t>(i)});
    }
  }
}

std::vector<std::uint32_t> seen(const List& list) {
  std::vector<std::uint32_t> values;
  list.for_each([&](const auto& event) { values.push_back(value_of(event)); });
  return values;
}
std::vector<std::uint32_t> consumed(List& list) {
  std::vector<FollowUps> due;
  std::vector<std::uint32_t> values;
  list.consume(due, [&](auto&& event) { values.push_back(value_of(event)); });
  return values;
}
std::vector<std::uint32_t> numbers(std::uint32_t begin, std::uint32_t end) {
  std::vector<std::uint32_t> values;
  for (std::uint32_t i = begin; i < end; ++i) values.push_back(i);
  return values;
}

}  // namespace

TEST_CASE("a list is first in, first out, over many chunks and many rounds") {
  List list;
  for (std::uint32_t round = 0; round < 3; ++round) {
    fill(list, 0, 1000);
    CHECK(list.size() == 1000);
    CHECK(seen(list) == numbers(0, 1000));
    CHECK(consumed(list) == numbers(0, 1000));
    CHECK(list.size() == 0);
  }
}

TEST_CASE("follow-ups are collected in the order of their parents, and only those that exist") {
  List list;
  for (std::uint32_t i = 0; i < 100; ++i) {
    FollowUps& place = list.push(Small{i});
    if (i % 10 == 0) place = follow_ups(i + 1);
  }
  std::vector<FollowUps> due;
  list.consume(due, [](auto&&) {});
  REQUIRE(due.size() == 10);
  for (std::uint32_t i = 0; i < due.size(); ++i)
    CHECK(due[i].first == follow_ups(10 * i + 1).first);

  // A place that was used before holds no old follow-ups.
  due.clear();
  fill(list, 0, 100);
  list.consume(due, [](auto&&) {});
  CHECK(due.empty());
}

TEST_CASE("when the user of an event throws, that event is gone and the rest stays") {
  List list;
  fill(list, 0, 200);
  std::vector<FollowUps> due;
  const auto use = [](auto&& event) {
    if (value_of(event) == 70) throw std::runtime_error("no");
  };
  CHECK_THROWS_AS(list.consume(due, use), std::runtime_error);
  CHECK(list.size() == 129);
  CHECK(seen(list) == numbers(71, 200));
  // What stays is destroyed with the list: the sanitizers see to it.
}

TEST_CASE("lists are joined: into an empty one, and behind what is there") {
  List list, other;
  fill(other, 0, 100);
  list.append(other);
  CHECK(list.size() == 100);
  CHECK(other.size() == 0);

  fill(other, 100, 180);
  other.push(Small{180}) = follow_ups(5);
  list.append(other);
  CHECK(other.size() == 0);
  CHECK(seen(list) == numbers(0, 181));
  std::vector<FollowUps> due;
  list.consume(due, [](auto&&) {});
  REQUIRE(due.size() == 1);
  CHECK(due[0].first == follow_ups(5).first);
}

TEST_CASE("a list is consumed in parts") {
  List list;
  fill(list, 0, 300);
  list.push(Small{300}) = follow_ups(9);
  std::vector<std::uint32_t> late, early;
  list.consume_part(150, 301, [&](auto&& event) { late.push_back(value_of(event)); });
  list.consume_part(0, 150, [&](auto&& event) { early.push_back(value_of(event)); });
  CHECK(early == numbers(0, 150));
  CHECK(late == numbers(150, 301));
  std::vector<FollowUps> due;
  list.consumed(due);
  CHECK(list.size() == 0);
  REQUIRE(due.size() == 1);
  CHECK(due[0].first == follow_ups(9).first);
}

TEST_CASE("a list moves with what is in it") {
  List list;
  fill(list, 0, 100);
  List moved(std::move(list));
  CHECK(seen(moved) == numbers(0, 100));
  fill(list, 7, 8);
  CHECK(consumed(list) == numbers(7, 8));
  list = std::move(moved);
  CHECK(consumed(list) == numbers(0, 100));
}

TEST_CASE("a list that grows without end is a failure of its module, not of the machine") {
  EventList<events<Small>> list;
  for (std::size_t i = 0; i < list_capacity; ++i) list.push(Small{});
  CHECK_THROWS_WITH_AS(list.push(Small{}), "its list of events is full", ModuleFailure);
  CHECK(list.size() == list_capacity);
}

}  // namespace mirbft::event_list_test

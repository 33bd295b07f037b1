#include <chrono>
#include <string>

#include <doctest/doctest.h>

#include <mirbft/sim/agenda.hpp>
#include <mirbft/sim/clock.hpp>

namespace mirbft::sim::agenda_test {

TEST_CASE("things happen in the order of time, and of being noted at one time") {
  Agenda<char> agenda;
  CHECK(agenda.next() == never);
  for (const char what : {'c', 'd', 'e'}) agenda.at(Time(2), what);
  agenda.at(Time(3), 'f');
  agenda.at(Time(1), 'a');
  agenda.at(Time(1), 'b');
  CHECK(agenda.size() == 6);
  std::string order;
  while (!agenda.empty()) {
    const Time next = agenda.next();
    order += agenda.take();
    CHECK(next <= agenda.next());
  }
  CHECK(order == "abcdef");
}

TEST_CASE("virtual time never goes back") {
  Clock clock;
  clock.advance_to(Time(5));
  clock.advance_to(Time(3));
  CHECK(clock.now() == Time(5));
}

TEST_CASE("a node's clock has an origin, a drift, and jumps") {
  LocalClock clock(std::chrono::seconds(10), std::chrono::hours(1), 1000);
  CHECK(clock.read(std::chrono::seconds(10)) == std::chrono::hours(1));
  CHECK(clock.read(std::chrono::seconds(20)) ==
        std::chrono::hours(1) + std::chrono::milliseconds(10'010));
  clock.jump(std::chrono::seconds(5));
  CHECK(clock.read(std::chrono::seconds(10)) == std::chrono::hours(1) + std::chrono::seconds(5));
}

}  // namespace mirbft::sim::agenda_test

#include <mirbft/mircat/matching.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace matching_test {

using mirbft::mircat::MessageMatcher;
using Matcher = MessageMatcher<int>;
using Key = Matcher::Key;

namespace {

std::vector<int> lost(const Matcher& matcher) {
  std::vector<int> events;
  matcher.for_each_lost([&](const Key&, int event) { events.push_back(event); });
  return events;
}

}  // namespace

TEST_CASE("A receipt belongs to the message of its sender, to its receiver, with its content") {
  Matcher matcher;
  CHECK_FALSE(matcher.sent({0, 1, 50}, 1));
  CHECK_FALSE(matcher.sent({0, 2, 50}, 2));
  CHECK_FALSE(matcher.sent({0, 1, 51}, 3));
  CHECK(matcher.received({0, 1, 51}, 10) == 3);
  CHECK(matcher.received({0, 2, 50}, 11) == 2);
  CHECK(lost(matcher) == std::vector{1});
}

TEST_CASE("Of equal messages it was the first ones that were lost") {
  Matcher matcher;
  matcher.sent({0, 1, 50}, 1);
  matcher.sent({0, 1, 50}, 2);
  CHECK(matcher.received({0, 1, 50}, 10) == 2);
  CHECK(lost(matcher) == std::vector{1});
}

TEST_CASE("A second receipt is of the same message, and a message sent anew is another") {
  Matcher matcher;
  matcher.sent({0, 1, 50}, 1);
  CHECK(matcher.received({0, 1, 50}, 10) == 1);
  CHECK(matcher.received({0, 1, 50}, 11) == 1);
  CHECK_FALSE(matcher.sent({0, 1, 50}, 2));
  CHECK(lost(matcher) == std::vector{2});
}

TEST_CASE("Where clocks differ, a receipt waits for its message") {
  Matcher matcher;
  CHECK_FALSE(matcher.received({0, 1, 50}, 10));
  CHECK(matcher.sent({0, 1, 50}, 1) == 10);
  CHECK(lost(matcher).empty());
}

TEST_CASE("What is long past is forgotten, and what is asked for again is not") {
  Matcher matcher(4);
  matcher.sent({0, 1, 1}, 1);
  matcher.sent({0, 1, 2}, 2);
  matcher.sent({0, 1, 3}, 3);
  CHECK(matcher.received({0, 1, 1}, 11) == 1);
  for (int other = 4; other < 8; ++other) matcher.sent({0, 1, static_cast<unsigned>(other)}, other);
  CHECK_FALSE(matcher.received({0, 1, 2}, 12));
}

TEST_CASE("Of equal messages that nobody receives, and of such receipts, the last are remembered") {
  Matcher matcher;
  const int many = 4 * static_cast<int>(Matcher::most_equal);
  for (int event = 0; event < many; ++event) matcher.sent({0, 1, 50}, event);
  REQUIRE(lost(matcher).size() == Matcher::most_equal);
  CHECK(lost(matcher).back() == many - 1);

  for (int event = 0; event < many; ++event) matcher.received({0, 1, 51}, event);
  CHECK(matcher.sent({0, 1, 51}, many) == many - static_cast<int>(Matcher::most_equal));
}

}  // namespace matching_test

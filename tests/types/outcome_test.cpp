#include <doctest/doctest.h>

#include <set>

#include <mirbft/types/outcome.hpp>

namespace mirbft::outcome_test {

TEST_CASE("every outcome has a text of its own") {
  constexpr auto last = static_cast<int>(Outcome::shut_down);
  std::set<std::string_view> texts;
  for (int i = 0; i <= last; ++i) texts.insert(to_string(static_cast<Outcome>(i)));
  CHECK(texts.size() == last + 1);
  CHECK_FALSE(texts.contains("unknown"));
  CHECK(to_string(static_cast<Outcome>(last + 1)) == "unknown");
}

}  // namespace mirbft::outcome_test

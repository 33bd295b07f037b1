// The numbers of alternatives.
#include <doctest/doctest.h>

#include <array>
#include <variant>

#include <mirbft/wire/choice.hpp>

#include "sample_types.hpp"

using namespace mirbft;

namespace {

// A member called `number` is not a field number.
struct Counted {
  std::uint32_t number = 5;
};

}  // namespace

BOOST_HANA_ADAPT_STRUCT(Counted, number);

static_assert(wire::alternative_numbers<sample::Choice> ==
              std::array<std::uint32_t, 4>{1, 2, 1000, 4});
static_assert(wire::alternative_numbers<sample::MaybeChoice> ==
              std::array<std::uint32_t, 3>{0, 2, 3});
static_assert(wire::alternative_numbers<std::variant<Counted, Shared<sample::Ping>>> ==
              std::array<std::uint32_t, 2>{1, 1000});
static_assert(wire::may_be_empty<sample::MaybeChoice>);
static_assert(!wire::may_be_empty<sample::Choice>);

TEST_CASE("choice: exactly what is held is visited, with its number") {
  const auto visited = [](const auto& value) {
    std::vector<std::uint32_t> numbers;
    wire::visit_choice(value,
                       [&](std::uint32_t number, const auto&) { numbers.push_back(number); });
    return numbers;
  };
  CHECK(visited(sample::Choice(sample::Blobs{})) == std::vector<std::uint32_t>{2});
  CHECK(visited(sample::Choice(sample::Ping{})) == std::vector<std::uint32_t>{1000});
  CHECK(visited(sample::MaybeChoice()).empty());
  CHECK(wire::held_number(sample::Choice(sample::Ping{})) == 1000);
  CHECK(wire::held_number(sample::MaybeChoice()) == 0);
}

#include <doctest/doctest.h>

#include <functional>
#include <type_traits>

#include <mirbft/types/id.hpp>

namespace mirbft::id_test {

static_assert(!std::is_convertible_v<std::uint64_t, NodeId>, "a plain number is no id");
static_assert(!std::is_convertible_v<NodeId, std::uint64_t>, "an id is no plain number");
static_assert(!std::is_constructible_v<NodeId, SeqNr>, "kinds do not mix");
static_assert(!std::is_invocable_v<std::less<>, NodeId, SeqNr>, "kinds do not compare");

TEST_CASE("an id starts at zero, counts and compares by its number") {
  SeqNr id;
  CHECK(id == SeqNr(0));
  CHECK(++id == SeqNr(1));
  CHECK(id + 4 == SeqNr(5));
  CHECK(SeqNr(5) - id == 4);
  CHECK(SeqNr(2) < SeqNr(10));
}

}  // namespace mirbft::id_test

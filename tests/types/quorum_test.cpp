#include <doctest/doctest.h>

#include <mirbft/types/quorum.hpp>

namespace mirbft::quorum_test {

namespace {

constexpr std::size_t largest = 200;

/// Whether `rule(n)` holds for every size of a cluster up to the largest.
template <class Rule>
constexpr bool always(Rule rule) {
  for (std::size_t n = 1; n <= largest; ++n)
    if (!rule(Quorum(n))) return false;
  return true;
}

// Two sets of q among n share at least 2q - n members.
static_assert(always([](Quorum of) { return 2 * of.strong() >= of.members() + of.faulty() + 1; }),
              "two strong quorums share a correct member");
static_assert(always([](Quorum of) {
                return 2 * (of.strong() - 1) < of.members() + of.faulty() + 1;
              }),
              "a smaller strong quorum would not do");
static_assert(always([](Quorum of) { return of.strong() + of.faulty() <= of.members(); }),
              "the correct members alone make a strong quorum");
static_assert(always([](Quorum of) { return of.weak() == of.faulty() + 1; }),
              "a weak quorum has a correct member");
static_assert(always([](Quorum of) { return 3 * of.faulty() < of.members(); }),
              "fewer than a third may be faulty");
static_assert(always([](Quorum of) { return 3 * (of.faulty() + 1) >= of.members(); }),
              "as many as can be may be faulty");

/// The same of members that only stop.
template <class Rule>
constexpr bool always_of_crashes(Rule rule) {
  for (std::size_t n = 1; n <= largest; ++n)
    if (!rule(Quorum(n, Faults::crash))) return false;
  return true;
}

static_assert(always_of_crashes([](Quorum of) { return 2 * of.strong() > of.members(); }),
              "two majorities share a member");
static_assert(always_of_crashes([](Quorum of) { return 2 * (of.strong() - 1) <= of.members(); }),
              "half would not do");
static_assert(always_of_crashes([](Quorum of) {
                return of.strong() + of.faulty() <= of.members();
              }),
              "the members that run alone make a majority");
static_assert(always_of_crashes([](Quorum of) { return of.weak() == 1; }), "nobody lies");
static_assert(always_of_crashes([](Quorum of) {
                return 2 * of.faulty() < of.members() && 2 * (of.faulty() + 1) >= of.members();
              }),
              "fewer than half may stop, and as many as can be");

}  // namespace

TEST_CASE("the sizes that people know") {
  struct {
    std::size_t members, faulty, strong, weak;
  } const known[] = {{0, 0, 1, 1}, {1, 0, 1, 1}, {2, 0, 2, 1}, {3, 0, 2, 1},
                     {4, 1, 3, 2}, {5, 1, 4, 2}, {6, 1, 4, 2}, {7, 2, 5, 3},
                     {10, 3, 7, 4}, {100, 33, 67, 34}};
  for (const auto& size : known) {
    CAPTURE(size.members);
    const Quorum of(size.members);
    CHECK(of.faulty() == size.faulty);
    CHECK(of.strong() == size.strong);
    CHECK(of.weak() == size.weak);
  }
}

TEST_CASE("the sizes that people know, of members that only stop") {
  struct {
    std::size_t members, faulty, strong;
  } const known[] = {{0, 0, 1}, {1, 0, 1}, {2, 0, 2}, {3, 1, 2}, {4, 1, 3}, {5, 2, 3}, {7, 3, 4}};
  for (const auto& size : known) {
    CAPTURE(size.members);
    const Quorum of(size.members, Faults::crash);
    CHECK(of.faulty() == size.faulty);
    CHECK(of.strong() == size.strong);
    CHECK(of.weak() == 1);
  }
}

TEST_CASE("2f+1 of six would let two disjoint quorums decide") {
  const Quorum of(6);
  CHECK(2 * (2 * of.faulty() + 1) == of.members());
  CHECK(2 * of.strong() > of.members());
}

}  // namespace mirbft::quorum_test

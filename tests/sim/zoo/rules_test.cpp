#include <doctest/doctest.h>

#include <cstddef>

#include <mirbft/sim/zoo/rules.hpp>

namespace mirbft::rules_test {

using sim::zoo::Mutant;

namespace {

/// Everything that rules say of values, as one number.
template <class Rules>
std::size_t sum(const Rules& rules) {
  Digest some;
  some.bytes[0] = 1;
  std::size_t all = 0;
  const auto add = [&](std::size_t value) { all = all * 11 + value; };
  add(rules.prepares(Quorum(7)));
  add(rules.commits(Quorum(7)));
  add(rules.view_changes(Quorum(7)));
  add(rules.callers(Quorum(7)));
  add(rules.may_prepare(View(0), View(1)));
  add(rules.must_claim(some));
  add(rules.must_claim(Digest{}));
  add(rules.supersedes(View(2), View(1)));
  add(rules.supersedes(View(1), View(2)));
  add(rules.counts_for(View(1), View(2)));
  return all;
}

}  // namespace

TEST_CASE("a mutant of the rules breaks them, and the others are the rules") {
  const std::size_t sound = sum(iss::Rules());
  for (const Mutant broken :
       {Mutant::quorum_2f, Mutant::weak_commit, Mutant::votes_after_leaving,
        Mutant::claims_forgotten, Mutant::nil_not_claimed, Mutant::lowest_claim,
        Mutant::view_not_compared, Mutant::never_joins})
    CHECK(sum(sim::zoo::Rules(broken)) != sound);
  CHECK(sum(sim::zoo::Rules(Mutant::amnesia_ignored)) == sound);
}

}  // namespace mirbft::rules_test

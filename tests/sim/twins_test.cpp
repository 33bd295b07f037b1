#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include <mirbft/protocol/orderers/paxos.hpp>
#include <mirbft/sim/twins.hpp>
#include <mirbft/sim/twins_pbft.hpp>
#include <mirbft/sim/zoo/mutant.hpp>
#include <mirbft/sim/zoo/rules.hpp>

#include "../support/sanitized.hpp"

namespace mirbft::twins_test {

using namespace sim::twins;
using sim::zoo::Mutant;

namespace {

using PbftTwins = Twins<PbftSubject<>>;
using WrongPbft = PbftSubject<sim::zoo::Rules>;

/// Only what comes of it is looked at: decisions, and whether there are any.
struct BlackBox : WrongPbft {
  using Checks = sim::Checks<>;
  static Checks checks(const IssConfig&) { return {}; }
};

constexpr auto to_the_end = [](const Tally&) { return true; };

template <class Subject>
Twins<Subject> with(Mutant mutant, const Shape& shape) {
  return Twins<Subject>(shape, 1, {{sim::zoo::Rules(mutant)}});
}

std::string first_finding(const auto& twins, const Tally& tally) {
  return tally.failed ? twins.play(*tally.failed).findings.front().text : "";
}

/// No slot is ever decided.
struct NeverEnough : iss::Rules {
  std::size_t commits(Quorum quorum) const noexcept { return quorum.members() + 1; }
};

}  // namespace

static_assert(bears_liars<Pbft> && !bears_liars<Paxos>);

TEST_CASE("scenarios of twins are counted") {
  CHECK(Space({4, 1, 4, 2}).count() == 41'764'504);
  CHECK(Space({4, 1, 4, 3}).count() == 2'019'868'004);
  const Space space({4, 1, 1, 2});
  std::set<std::string> all;
  for (std::uint64_t i = 0; i < space.count(); ++i) all.insert(to_string(space.at(i)));
  CHECK(all.size() == 4 * 46);
}

TEST_CASE("a scenario of twins is there for its number alone, and can be read") {
  CHECK(to_string(Space({4, 1, 2, 2}).at(10'000)) ==
        "4 nodes, with twins: 3\n"
        "  round 0: votes and commits within 0 2 3' | 1 3\n"
        "  round 1: commits within 0 3 3' | 1 2\n");
  CHECK(to_string(Space({4, 1, 2, 3}).at(0)) ==
        "4 nodes, with twins: 0\n"
        "  round 0: the network is whole\n"
        "  round 1: the network is whole\n");
  CHECK(to_string(Space({7, 2, 1, 3}).draw(5)) == to_string(Space({7, 2, 1, 3}).draw(5)));
}

TEST_CASE("what twins cannot be is refused") {
  CHECK_THROWS_WITH_AS(Space({3, 1, 4, 2}), "nodes = 3: must be 4 to 10 for twins", ConfigError);
  CHECK_THROWS_AS(Space({4, 2, 4, 2}), ConfigError);
  CHECK_THROWS_AS(Space({4, 0, 4, 2}), ConfigError);
  CHECK_THROWS_AS(Space({4, 1, 0, 2}), ConfigError);
  CHECK_THROWS_AS(Space({4, 1, 4, 4}), ConfigError);
  CHECK_THROWS_WITH_AS((void)Space({4, 1, 1, 2}).at(184),
                       "scenario = 184: must be below 184", ConfigError);
  CHECK_THROWS_WITH_AS((void)Space({7, 2, 7, 3}).at(0),
                       "scenario = 0: are too many to be counted: draw them", ConfigError);
}

TEST_CASE("a partition strikes from its moment on, between its groups") {
  const Cut cut{0x01010, Moment::vote};
  CHECK(cut.loses(Moment::vote, 0, 1));
  CHECK(cut.loses(Moment::commit, 3, 4));
  CHECK(!cut.loses(Moment::proposal, 0, 1));
  CHECK(!cut.loses(Moment::commit, 1, 3));
  CHECK(!Cut{}.loses(Moment::commit, 0, 1));
}

TEST_CASE("with twins that contradict themselves, correct nodes agree and come to an end") {
  Shape shape{4, 1, 4, 3};
  std::uint32_t slots = 1;
  std::uint64_t seeds = 3000;
  SUBCASE("four nodes") {}
  SUBCASE("seven views") { shape.views = 7; }
  SUBCASE("two slots") { slots = 2; }
  SUBCASE("seven nodes, two of them twins") {
    shape = {7, 2, 4, 3};
    seeds = 1000;
  }
  if (testing::sanitized) seeds /= 5;
  const PbftTwins twins(shape, slots);
  const Tally tally = twins.sample(1, seeds, to_the_end);
  CHECK(first_finding(twins, tally) == "");
  CHECK(tally.played == seeds);
  CHECK(tally.figures.decided_batches + tally.figures.decided_nil == seeds * slots);
  CHECK(tally.figures.decided_nil > seeds / 20);
  CHECK(tally.figures.double_proposals > seeds / 20);
  CHECK(tally.figures.double_new_views > 0);
  CHECK(tally.figures.restarts > 0);
  CHECK(tally.figures.lost > 0);
  CHECK(tally.by_view.size() > shape.views);
}

TEST_CASE("each mistake in a rule of PBFT is found by twins") {
  struct Hunt {
    Mutant mutant;
    std::uint64_t within;
    std::uint64_t within_outside;
  };
  for (const auto [mutant, within, within_outside] :
       {Hunt{Mutant::quorum_2f, 10, 100}, Hunt{Mutant::weak_commit, 500, 5000},
        Hunt{Mutant::votes_after_leaving, 500, 20000}, Hunt{Mutant::claims_forgotten, 100, 100},
        Hunt{Mutant::nil_not_claimed, 100, 5000}, Hunt{Mutant::lowest_claim, 500, 5000},
        Hunt{Mutant::view_not_compared, 100, 5000}}) {
    const std::string name(sim::zoo::info(mutant).name);
    CAPTURE(name);
    const auto watched = with<WrongPbft>(mutant, {4, 1, 4, 3});
    const Tally inside = watched.sample(1, within, to_the_end);
    CHECK(inside.failed);
    MESSAGE(name << " in " << inside.scenarios << ": " << first_finding(watched, inside));
    const auto unwatched = with<BlackBox>(mutant, {4, 1, 4, 3});
    const Tally outside = unwatched.sample(1, within_outside, to_the_end);
    CHECK(outside.failed);
    MESSAGE(name << " in " << outside.scenarios << ": " << first_finding(unwatched, outside));
  }
}

TEST_CASE("a cluster of twins that never decides is found") {
  const Twins<PbftSubject<NeverEnough>> twins({4, 1, 1, 2});
  const Tally tally = twins.sample(1, 1, to_the_end);
  CHECK(first_finding(twins, tally).find("liveness") != std::string::npos);
}

TEST_CASE("what scenarios have in common is played once, and nothing is overlooked") {
  const auto twins = with<BlackBox>(Mutant::claims_forgotten, {4, 1, 3, 2});
  std::uint64_t alone = 0;
  while (twins.play(twins.space().at(alone)).findings.empty()) ++alone;
  const Tally tally = twins.explore(0, twins.space().count() - 1, to_the_end);
  REQUIRE(tally.failed);
  CHECK(tally.failed->number == alone);
  CHECK(tally.scenarios == alone + 1);
  CHECK(tally.played < tally.scenarios);
}

TEST_CASE("all scenarios of two views") {
  const PbftTwins twins({4, 1, 2, 2});
  const Tally tally = twins.explore(0, twins.space().count() - 1, to_the_end);
  CHECK(first_finding(twins, tally) == "");
  CHECK(tally.scenarios == twins.space().count());
}

}  // namespace mirbft::twins_test

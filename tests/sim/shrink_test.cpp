// Shrinking: what a failure does not need is left out, and what it needs stays.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/sim/scenario.hpp>
#include <mirbft/sim/schedule.hpp>
#include <mirbft/sim/shrink.hpp>
#include <mirbft/sim/trial.hpp>

#include "solo_cluster.hpp"

namespace mirbft::shrink_test {
namespace {

using namespace std::chrono_literals;
using sim::Fault;
using sim::Scenario;
using sim::Strike;

constexpr auto without_limit = [](const Scenario&, std::uint64_t) { return true; };

/// A scenario with many strikes of every kind.
Scenario wild(std::uint64_t seed) {
  Scenario scenario = sim::draw_scenario(
      seed, {.faults = sim::FaultKinds::all(), .adversaries = sim::AdversaryKinds::all()});
  scenario.rules.resize(3);
  scenario.triggers.resize(3);
  scenario.faults.links.loss = 50;
  scenario.faults.pace.shuffled_slots = 1000;
  for (int i = 0; i < 40; ++i)
    scenario.faults.strikes.push_back(
        {.at = i * 100ms, .kind = Fault::pause, .nodes = {NodeId(0)}, .lasts = 80ms});
  scenario.faults.heal = 5s;
  return scenario;
}

bool is_crash_of_2(const Strike& strike) {
  return strike.kind == Fault::crash && strike.nodes == std::vector{NodeId(2)};
}

/// Loses its count when it comes back from a crash: the replicas that did not crash are right.
struct Forgetful : Solo {
  using consumes = Solo::consumes;
  using emits = Solo::emits;

  using Solo::process;
  void process(WalEntry<SoloDecided>, auto&) {}
};

}  // namespace

TEST_CASE("of what has nothing to do with a failure, nothing is left") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    const Scenario smallest =
        sim::shrink(wild(seed), [](const Scenario&) { return true; }, without_limit);
    CHECK(smallest.faults.strikes.empty());
    CHECK(smallest.faults.links == sim::LinkRates{});
    CHECK(smallest.faults.pace == sim::Pace{});
    CHECK(smallest.faults.disks == sim::DiskRates{});
    CHECK(smallest.faults.lost.empty());
    CHECK(smallest.adversaries == sim::Roles{});
    CHECK(smallest.rules.empty());
    CHECK(smallest.triggers.empty());
    REQUIRE(smallest.clients.size() == 1);
    CHECK(smallest.clients[0] == sim::ClientLoad{.requests = 1});
    CHECK(smallest.faults.heal == 0s);
  }
}

TEST_CASE("what a failure needs stays, be it two things far apart") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Scenario scenario = wild(seed);
    auto& strikes = scenario.faults.strikes;
    std::erase_if(strikes, is_crash_of_2);
    const Strike crash{.at = 1s, .kind = Fault::crash, .nodes = {NodeId(2)}, .amount = 9,
                       .lasts = 1s};
    const Strike wipe{.at = 4s, .kind = Fault::wipe, .nodes = {NodeId(3)}, .lasts = 64ms};
    strikes.insert(strikes.begin() + 1, crash);
    strikes.push_back(wipe);
    const auto fails = [&](const Scenario& one) {
      const auto& left = one.faults.strikes;
      return std::ranges::any_of(left, is_crash_of_2) && left.back().at == 4s &&
             left.back().kind == Fault::wipe && left.back().lasts >= 16ms &&
             one.faults.links.loss != 0 && one.clients.back().requests >= 3;
    };
    scenario.clients.push_back({.requests = 60, .open = 9});
    const Scenario smallest = sim::shrink(scenario, fails, without_limit);
    REQUIRE(smallest.faults.strikes.size() == 2);
    CHECK(is_crash_of_2(smallest.faults.strikes[0]));
    CHECK(smallest.faults.strikes[0].amount == 0);
    CHECK(smallest.faults.strikes[0].lasts <= 2ms);
    CHECK(smallest.faults.strikes[1].lasts == 16ms);
    CHECK(smallest.faults.links == sim::LinkRates{.loss = 50});
    CHECK(smallest.faults.pace == sim::Pace{});
    REQUIRE(smallest.clients.size() == 1);
    CHECK(smallest.clients[0] == sim::ClientLoad{.requests = 3});
  }
}

TEST_CASE("of what makes a replica faulty, that stays which a failure needs") {
  sim::AdversaryKinds some;
  for (const std::size_t kind : {1u, 2u, 4u}) some.add(kind);
  Scenario scenario = wild(1);
  scenario.adversaries = {{{NodeId(0), some}, {NodeId(2), some}}, sim::AdversaryKinds::all()};
  const auto fails = [](const Scenario& one) {
    const sim::Roles& roles = one.adversaries;
    return !roles.replicas.empty() && roles.replicas.back().node == NodeId(2) &&
           roles.replicas.back().kinds.has(2) && roles.clients.has(0);
  };
  const sim::Roles smallest = sim::shrink(scenario, fails, without_limit).adversaries;
  REQUIRE(smallest.replicas.size() == 1);
  sim::AdversaryKinds one;
  one.add(2);
  CHECK(smallest.replicas[0].kinds == one);
  sim::AdversaryKinds first;
  first.add(0);
  CHECK(smallest.clients == first);
}

TEST_CASE("no run is made that is not allowed, and what is smaller by then is kept") {
  for (std::uint64_t most = 0; most <= 35; ++most) {
    std::uint64_t runs = 0;
    const Scenario scenario = wild(3);
    const auto fails = [&](const Scenario& one) {
      ++runs;
      return std::ranges::any_of(one.faults.strikes,
                                 [](const Strike& strike) { return strike.at == 1s; });
    };
    const auto go_on = [&](const Scenario&, std::uint64_t made) {
      CHECK(made == runs);
      return made < most;
    };
    const Scenario smallest = sim::shrink(scenario, fails, go_on);
    CHECK(runs == most);
    CHECK(fails(smallest));
    if (most == 0) CHECK(smallest == scenario);
    if (most > 20) CHECK(smallest.faults.strikes.size() < scenario.faults.strikes.size() / 4);
  }
}

TEST_CASE("a failure of a real replica shrinks to the crash that it needs") {
  using Replica = testing::SimulatedSolo<Forgetful>;
  const auto run = [](const Scenario& one) {
    return sim::Trial<Replica>(one, testing::solo_modules<Forgetful>()).run();
  };
  const sim::TrialConfig config{.nodes = 1, .faults = sim::FaultKinds::all()};
  std::uint64_t shrunk = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    const Scenario scenario = sim::draw_scenario(seed, config);
    const auto findings = run(scenario).findings;
    if (findings.empty()) continue;
    const auto fails = [&](const Scenario& one) {
      const auto found = run(one).findings;
      return !found.empty() && found[0].rule == findings[0].rule;
    };
    const Scenario smallest = sim::shrink(scenario, fails, without_limit);
    CHECK(fails(smallest));
    const auto& left = smallest.faults.strikes;
    for (std::size_t i = 0; i < left.size(); ++i) {
      Scenario without = smallest;
      without.faults.strikes.erase(without.faults.strikes.begin() + static_cast<int>(i));
      CHECK_FALSE(fails(without));
    }
    CHECK(std::ranges::any_of(left, [](const Strike& strike) {
      return strike.kind == Fault::crash || strike.kind == Fault::crash_in_list ||
             strike.kind == Fault::wipe;
    }));
    CHECK(left.size() <= 2);
    shrunk += left.size() == 1;
  }
  CHECK(shrunk > 5);
}

}  // namespace mirbft::shrink_test

// Campaigns: many seeds of ISS with PBFT, each with faults of its own and all invariants.
#include <cstdint>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "iss_cluster.hpp"

namespace mirbft {
namespace {

using Replica = testing::CheckedIss;
using sim::Fault;
using sim::FaultKinds;

sim::TrialResult run(std::uint64_t seed, const sim::TrialConfig& config) {
  const IssConfig iss = testing::iss_config(config.nodes);
  return sim::Trial<Replica>(seed, config, testing::iss_modules<Replica>(iss),
                             testing::iss_checks(iss))
      .run();
}

/// All seeds come to a good end, and every kind of fault has struck.
void campaign(std::uint64_t seeds, const sim::TrialConfig& config) {
  sim::Campaign campaign;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const sim::TrialResult result = run(seed, config);
    campaign.add(result);
    for (const sim::Finding& finding : result.findings) FAIL_CHECK(finding.text);
    if (!result.findings.empty()) return;
  }
  CHECK(campaign.figures.requests > 10 * seeds);
  CHECK(sim::to_string(campaign.figures.faults.missing(config.faults)) == "none");
}

constexpr FaultKinds disorder{Fault::duplication, Fault::reordering, Fault::delay,
                              Fault::slot_order, Fault::slow_module};

}  // namespace

TEST_CASE("under delay and disorder all is delivered, by any number of nodes") {
  campaign(60, {.nodes = 4, .faults = disorder, .body = testing::command});
  campaign(10, {.nodes = 7, .faults = disorder, .body = testing::command});
  campaign(10, {.nodes = 1, .faults = {Fault::slot_order}, .body = testing::command});
}

TEST_CASE("links that lose and networks that part delay, and cost nothing") {
  campaign(60, {.faults = {Fault::loss, Fault::clog, Fault::symmetric_partition,
                           Fault::asymmetric_partition, Fault::bridge_partition,
                           Fault::slot_order},
                .body = testing::command});
}

TEST_CASE("crashes at any moment delay, and cost nothing") {
  campaign(60, {.faults = {Fault::crash, Fault::crash_in_list, Fault::lost_tail,
                           Fault::slot_order},
                .body = testing::command});
}

TEST_CASE("pauses and clocks that are wrong delay, and cost nothing") {
  campaign(60, {.faults = {Fault::pause, Fault::clock_skew, Fault::clock_jump,
                           Fault::slot_order},
                .body = testing::command});
}

TEST_CASE("all faults together delay, and cost nothing, by any number of nodes") {
  const auto all = FaultKinds::all();
  campaign(100, {.nodes = 4, .faults = all, .body = testing::command});
  campaign(30, {.nodes = 5, .faults = all, .body = testing::command});
  campaign(20, {.nodes = 7, .faults = all, .body = testing::command});
}

TEST_CASE("a seed is one course of events, also under all faults") {
  const sim::TrialConfig config{.faults = FaultKinds::all()};
  for (std::uint64_t seed = 1; seed < 4; ++seed)
    CHECK(run(seed, config).fingerprint == run(seed, config).fingerprint);
  CHECK(run(1, config).fingerprint != run(2, config).fingerprint);
}

}  // namespace mirbft

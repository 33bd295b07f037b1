// Campaigns: many seeds of ISS with PBFT, each with faults of its own and all invariants.
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "../support/sanitized.hpp"
#include "iss_cluster.hpp"

namespace mirbft::trial_test {
namespace {

using namespace std::chrono_literals;
using Replica = testing::CheckedIss;
using sim::Fault;
using sim::FaultKinds;

sim::TrialResult run(std::uint64_t seed, const sim::TrialConfig& config) {
  const IssConfig iss = testing::iss_config(config.nodes);
  return sim::Trial<Replica>(seed, config, testing::iss_modules<Replica>(iss),
                             testing::iss_checks(iss, seed))
      .run();
}

/// All seeds come to a good end, and every kind of fault has struck.
void campaign(std::uint64_t seeds, const sim::TrialConfig& config) {
  if (testing::sanitized) seeds = (seeds + 3) / 4;
  sim::Campaign campaign;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const sim::TrialResult result = run(seed, config);
    campaign.add(result);
    for (const sim::Finding& finding : result.findings) FAIL_CHECK(finding.text);
    if (!result.findings.empty()) return;
  }
  CHECK(campaign.figures.requests > 10 * seeds);
  if (!testing::sanitized)
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
  // They are too rare to strike in so few.
  const auto frequent = all.without(Fault::misdirected_write).without(Fault::no_space);
  campaign(30, {.nodes = 5, .faults = frequent, .body = testing::command});
  campaign(20, {.nodes = 7, .faults = frequent, .body = testing::command});
}

TEST_CASE("disks that are lost delay, and cost nothing, as long as they are f") {
  constexpr FaultKinds losses{Fault::wipe, Fault::crash, Fault::crash_in_list, Fault::lost_tail,
                              Fault::slot_order};
  campaign(100, {.nodes = 4, .faults = losses, .body = testing::command});
  campaign(30, {.nodes = 7, .faults = losses, .body = testing::command});
}

TEST_CASE("a replica that has lost its disk learns from the others, and votes again") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    CAPTURE(seed);
    // An epoch takes about as long as a replica waits before it asks for what it lacks.
    IssConfig iss = testing::iss_config(4);
    iss.epoch_length = 64;
    sim::ClusterConfig config;
    config.seed = seed;
    sim::Cluster<Replica> cluster(config, testing::iss_modules<Replica>(iss),
                                  testing::iss_checks(iss, seed));
    for (std::uint64_t client = 0; client < 3; ++client)
      cluster.add_client({.id = ClientId(client),
                          .requests = 5000,
                          .open = 1,
                          .rest = 50ms,
                          .body = testing::command});
    const NodeId victim(3);
    const auto reaches = [&](std::uint64_t id, Epoch epoch) {
      return cluster.run_until(
          [&] { return cluster[NodeId(id)].status().protocol.epoch >= epoch; }, 60s);
    };
    REQUIRE(reaches(0, Epoch(5)));
    cluster.wipe(victim);
    // It must be told until it has written that down.
    for (std::uint64_t lists = 0; lists < 3; ++lists) {
      cluster.restart(victim);
      cluster.crash_after(victim, lists);
      cluster.run_for(50ms);
      cluster.crash(victim);
    }
    const Epoch lost_in = cluster[NodeId(0)].status().protocol.epoch;
    cluster.restart(victim);
    REQUIRE(reaches(3, lost_in + 10));
    CHECK(cluster[victim].status().protocol.proposed_batches == 0);
    // Now nothing goes on without it, and it leads in the place of the one that is down.
    cluster.crash(NodeId(0));
    const Epoch crashed_in = cluster[NodeId(1)].status().protocol.epoch;
    CHECK(reaches(1, crashed_in + 5));
    CHECK(cluster[victim].status().protocol.proposed_batches > 0);
    cluster.restart(NodeId(0));
    CHECK_FALSE(cluster.clients_done());
    cluster.finish_requests(cluster.members());
    CHECK(cluster.run_until(
        [&] { return cluster.clients_done() && cluster.agree(cluster.members()); }, 60s));
    for (const sim::Finding& finding : cluster.findings().all()) FAIL_CHECK(finding.text);
  }
}

TEST_CASE("for a dead leader no living one is blamed, whose requests only wait behind it") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    sim::ClusterConfig config;
    config.seed = seed;
    const IssConfig iss = testing::iss_config(4);
    sim::Cluster<Replica> cluster(config, testing::iss_modules<Replica>(iss),
                                  testing::iss_checks(iss, seed));
    for (std::uint64_t client = 0; client < 3; ++client)
      cluster.add_client({.id = ClientId(client), .requests = 5000, .body = testing::command});
    const auto reaches = [&](Epoch epoch) {
      return cluster.run_until(
          [&] { return cluster[NodeId(1)].status().protocol.epoch >= epoch; }, 5s);
    };
    REQUIRE(reaches(Epoch(2 + seed)));
    cluster.crash(NodeId(0));
    CHECK(reaches(Epoch(10 + seed)));
    for (std::uint64_t id = 1; id < 4; ++id)
      CHECK(cluster[NodeId(id)].status().protocol.timeout == iss.base_timeout);
    CHECK(cluster.findings().none());
  }
}

TEST_CASE("a replica that is not told that its disk was lost is found out") {
  const IssConfig iss = testing::iss_config(4);
  const auto honest = testing::iss_modules<Replica>(iss);
  const auto unaware = [&](auto parts) {
    parts.disk = sim::Contents::kept;
    return honest(std::move(parts));
  };
  bool found = false;
  for (std::uint64_t seed = 1; seed <= 300 && !found; ++seed)
    found = !sim::Trial<Replica>(seed, {.faults = {Fault::wipe}, .body = testing::command},
                                 unaware, testing::iss_checks(iss, seed))
                 .run()
                 .findings.empty();
  CHECK(found);
}

TEST_CASE("a seed is one course of events, also under all faults") {
  const sim::TrialConfig config{.faults = FaultKinds::all()};
  for (std::uint64_t seed = 1; seed < 4; ++seed)
    CHECK(run(seed, config).fingerprint == run(seed, config).fingerprint);
  CHECK(run(1, config).fingerprint != run(2, config).fingerprint);
}

}  // namespace mirbft::trial_test

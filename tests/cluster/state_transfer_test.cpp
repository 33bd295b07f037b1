// Replicas that come back after many epochs, in virtual time: from their log, or by state transfer.
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "../sim/iss_cluster.hpp"

namespace mirbft::state_transfer_test {
namespace {

using namespace std::chrono_literals;

using Replica = testing::SimulatedIss<sim::TotalOrder, sim::Integrity>;
using Cluster = sim::Cluster<Replica>;

Cluster& with_clients(Cluster& cluster, std::uint64_t requests) {
  for (std::uint64_t client = 0; client < 3; ++client)
    cluster.add_client({.id = ClientId(client),
                        .requests = requests,
                        .target = static_cast<sim::Target>(client),
                        .body = testing::command});
  return cluster;
}
sim::ClusterConfig seeded(std::uint64_t seed) {
  sim::ClusterConfig config;
  config.seed = seed;
  return config;
}
std::uint64_t stable(Cluster& cluster, std::uint64_t id) {
  return cluster[NodeId(id)].status().protocol.stable_checkpoints;
}
bool settle(Cluster& cluster, std::chrono::seconds at_most) {
  const bool settled = cluster.run_until(
      [&] { return cluster.clients_done() && cluster.agree(cluster.members()); }, at_most);
  for (const sim::Finding& finding : cluster.findings().all()) FAIL_CHECK(finding.text);
  return settled;
}

}  // namespace

TEST_CASE("a replica that was away for many epochs comes back while load goes on") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    CAPTURE(seed);
    Cluster cluster(seeded(seed), testing::iss_modules<Replica>(testing::iss_config(4)));
    with_clients(cluster, 600);
    cluster.run_for(300ms);
    cluster.crash(NodeId(3));
    REQUIRE(cluster.run_until([&] { return stable(cluster, 0) >= 20; }, 120s));
    CHECK_FALSE(cluster.clients_done());
    cluster.restart(NodeId(3));
    CHECK(settle(cluster, 120s));
    CHECK(stable(cluster, 3) >= 20);
  }
}

TEST_CASE("a replica that was cut off for 100 epochs comes back while load goes on") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    CAPTURE(seed);
    IssConfig iss = testing::iss_config(4);
    iss.epoch_length = 8;
    Cluster cluster(seeded(seed), testing::iss_modules<Replica>(iss));
    with_clients(cluster, 5000);
    cluster.run_for(300ms);
    const std::uint64_t before = stable(cluster, 3);
    const sim::Cut cut =
        sim::symmetric_partition({NodeId(3)}, {NodeId(0), NodeId(1), NodeId(2)});
    cluster.network().cut(cut);
    REQUIRE(cluster.run_until([&] { return stable(cluster, 0) >= before + 102; }, 300s));
    CHECK(stable(cluster, 3) <= before + 2);
    cluster.network().mend(cut);
    CHECK(cluster.run_until([&] { return stable(cluster, 3) >= before + 102; }, 30s));
    CHECK(cluster.run_until([&] { return stable(cluster, 3) + 2 >= stable(cluster, 0); }, 30s));
    CHECK_FALSE(cluster.clients_done());
    cluster.finish_requests(cluster.members());
    CHECK(settle(cluster, 60s));
  }
}

TEST_CASE("a replica without anything catches up, though epochs take less than its ticks") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    CAPTURE(seed);
    Cluster cluster(seeded(seed), testing::iss_modules<Replica>(testing::iss_config(4)));
    for (std::uint64_t client = 0; client < 3; ++client)
      cluster.add_client({.id = ClientId(client), .requests = 5000, .body = testing::command});
    REQUIRE(cluster.run_until([&] { return stable(cluster, 0) >= 5; }, 60s));
    cluster.wipe(NodeId(3));
    cluster.restart(NodeId(3));
    // Once the others have done without its first proposals, an epoch lasts for about 16 ms.
    REQUIRE(cluster.run_until([&] { return stable(cluster, 0) >= 50; }, 60s));
    CHECK(cluster.run_until([&] { return stable(cluster, 3) >= 50; }, 2s));
    CHECK_FALSE(cluster.clients_done());
    cluster.finish_requests(cluster.members());
    CHECK(settle(cluster, 60s));
  }
}

TEST_CASE("a large state comes over links that lose frames, to a replica that stops meanwhile") {
  sim::ClusterConfig config = seeded(5);
  config.links.loss = 20;
  config.links.reordering = 50;
  Cluster cluster(config, testing::iss_modules<Replica>(testing::iss_config(4)));
  // About 3 MiB, twelve chunks, that change only here and there.
  const auto large = [](ClientId, ReqNo number, sim::Random& random) {
    return "SET key" + std::to_string(number.value % 50) + " " +
           std::string(60000, static_cast<char>('a' + random.below(26)));
  };
  cluster.add_client({.id = ClientId(1), .requests = 400, .body = large});
  cluster.run_for(300ms);
  cluster.crash(NodeId(3));
  REQUIRE(cluster.run_until([&] { return stable(cluster, 0) >= 10; }, 120s));
  for (int i = 0; i < 3; ++i) {
    cluster.restart(NodeId(3));
    cluster.run_for(20ms);
    cluster.crash(NodeId(3));
  }
  cluster.restart(NodeId(3));
  CHECK(settle(cluster, 240s));
  CHECK(stable(cluster, 3) >= 10);
}

TEST_CASE("all replicas stop at once and go on from their logs") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    CAPTURE(seed);
    Cluster cluster(seeded(seed), testing::iss_modules<Replica>(testing::iss_config(4)));
    with_clients(cluster, 300);
    for (std::uint64_t round = 1; round <= 3; ++round) {
      REQUIRE(cluster.run_until([&] { return stable(cluster, 0) >= 4 * round; }, 60s));
      for (const NodeId id : cluster.members()) cluster.crash(id);
      for (const NodeId id : cluster.members()) cluster.restart(id);
    }
    CHECK(settle(cluster, 60s));
  }
}

}  // namespace mirbft::state_transfer_test

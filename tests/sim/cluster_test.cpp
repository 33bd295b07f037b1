// Clusters in virtual time: one seed, one course of events.
#include <cstdint>
#include <utility>

#include <doctest/doctest.h>

#include "iss_cluster.hpp"

namespace mirbft::cluster_test {
namespace {

using Replica = testing::SimulatedIss<sim::TotalOrder, sim::Integrity>;
using Cluster = sim::Cluster<Replica>;

struct Ended {
  bool done = false;
  std::uint64_t fingerprint = 0;
  std::uint64_t requests = 0;
};

Ended run(std::uint64_t seed, sim::ClusterConfig config = {}) {
  config.seed = seed;
  Cluster cluster(config, testing::iss_modules<Replica>(testing::iss_config(config.nodes)));
  for (std::uint64_t client = 0; client < 3; ++client)
    cluster.add_client({.id = ClientId(client),
                        .requests = 50,
                        .target = static_cast<sim::Target>(client),
                        .body = testing::command});
  const bool done = cluster.run_until(
      [&] { return cluster.clients_done() && cluster.agree(cluster.members()); },
      std::chrono::seconds(30));
  for (const sim::Finding& finding : cluster.findings().all()) MESSAGE(finding.text);
  return {done, cluster.fingerprint(), cluster.checks().get<sim::TotalOrder>().requests()};
}

}  // namespace

TEST_CASE("a cluster answers all requests of all kinds of clients, and its states agree") {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    CAPTURE(seed);
    const Ended ended = run(seed);
    CHECK(ended.done);
    CHECK(ended.requests == 150);
  }
}

TEST_CASE("one seed, one course of events") {
  CHECK(run(1).fingerprint == run(1).fingerprint);
  CHECK(run(1).fingerprint != run(2).fingerprint);
}

}  // namespace mirbft::cluster_test

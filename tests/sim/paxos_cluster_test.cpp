// Clusters that agree by Paxos, in virtual time: nobody lies, up to f of 2f + 1 members crash.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include <mirbft/protocol/orderers/paxos.hpp>

#include "iss_cluster.hpp"

namespace mirbft::paxos_cluster_test {
namespace {

using namespace std::chrono_literals;

using Checks = sim::Checks<sim::TotalOrder, sim::Integrity, sim::CheckpointsAgree>;
using Replica = Node<sim::Net, Sha256, NullCrypto, KeyValueStore, sim::Wal, ClientTracker,
                     sim::Store, Iss<Paxos>, sim::Watch<Checks>>;

using sim::Fault;
constexpr sim::FaultKinds faults{
    Fault::loss,  Fault::duplication,         Fault::reordering,           Fault::delay,
    Fault::clog,  Fault::symmetric_partition, Fault::asymmetric_partition, Fault::bridge_partition,
    Fault::crash, Fault::pause,               Fault::clock_skew,           Fault::clock_jump,
    Fault::slow_module,                       Fault::slot_order};

auto modules_for(std::size_t nodes) {
  return [nodes](auto parts) {
    IssConfig own = testing::iss_config(nodes);
    own.self = parts.self;
    return Replica::Modules{.net = std::move(parts.net),
                            .hasher = {},
                            .crypto = {},
                            .app = {},
                            .wal = std::move(parts.wal),
                            .tracker = ClientTracker(TrackerConfig{.cluster = own.cluster}),
                            .store = std::move(parts.store),
                            .protocol = Iss<Paxos>(std::move(own)),
                            .interceptor = std::move(parts.watch)};
  };
}
auto checks_for(std::size_t nodes) {
  return sim::Cluster<Replica>::ChecksOfCluster(sim::TotalOrder(), sim::Integrity(),
                                                sim::CheckpointsAgree(Paxos::quorum(nodes)));
}

/// A cluster with clients that ask for 40 requests each.
class Cluster : public sim::Cluster<Replica> {
 public:
  explicit Cluster(std::size_t nodes)
      : sim::Cluster<Replica>(config(nodes), modules_for(nodes), checks_for(nodes)) {
    for (std::uint64_t client = 0; client < 3; ++client)
      add_client({.id = ClientId(client), .requests = 40, .body = testing::command});
  }
  ~Cluster() {
    for (const sim::Finding& finding : findings().all()) MESSAGE(finding.text);
  }

  std::uint64_t requests() { return checks().get<sim::TotalOrder>().requests(); }

 private:
  static sim::ClusterConfig config(std::size_t nodes) {
    sim::ClusterConfig made;
    made.nodes = nodes;
    return made;
  }
};

}  // namespace

TEST_CASE("Paxos: clusters of every size answer all requests, and their states agree") {
  for (const std::size_t nodes : {1u, 2u, 3u, 4u, 5u}) {
    CAPTURE(nodes);
    Cluster cluster(nodes);
    CHECK(cluster.run_until(
        [&] { return cluster.clients_done() && cluster.agree(cluster.members()); }, 30s));
    CHECK(cluster.requests() == 120);
  }
}

TEST_CASE("Paxos: as many members as may fail are gone, and all goes on") {
  for (const std::size_t nodes : {3u, 5u}) {
    CAPTURE(nodes);
    Cluster cluster(nodes);
    cluster.run_for(20ms);
    for (std::size_t gone = 0; gone < Paxos::quorum(nodes).faulty(); ++gone)
      cluster.crash(NodeId(gone));
    CHECK(cluster.run_until([&] { return cluster.clients_done(); }, 10min));
    CHECK(cluster.requests() == 120);
  }
}

TEST_CASE("Paxos: whatever happens short of lies, all is delivered in one order") {
  sim::Campaign campaign;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    const sim::TrialConfig config{.nodes = 2 + seed % 4,
                                  .faults = faults,
                                  .body = testing::command};
    const sim::TrialResult result =
        sim::Trial<Replica>(seed, config, modules_for(config.nodes), checks_for(config.nodes))
            .run();
    campaign.add(result);
    for (const sim::Finding& finding : result.findings) FAIL_CHECK(finding.text);
    for (const std::string& state : result.states) MESSAGE(state);
  }
  CHECK(campaign.failed == 0);
  CHECK(campaign.figures.requests > 400);
  CHECK(sim::to_string(campaign.figures.faults.missing(faults)) == "none");
}

}  // namespace mirbft::paxos_cluster_test

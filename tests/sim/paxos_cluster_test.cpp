// Clusters that agree by Paxos, in virtual time: nobody lies, up to f of 2f + 1 members crash.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <doctest/doctest.h>

#include <mirbft/protocol/orderers/paxos.hpp>

#include "iss_cluster.hpp"

namespace mirbft {
namespace {

using namespace std::chrono_literals;

using Checks = sim::Checks<sim::TotalOrder, sim::Integrity>;
using Replica = Node<sim::Net, Sha256, NullCrypto, KeyValueStore, sim::Wal, ClientTracker,
                     sim::Store, Iss<Paxos>, sim::Watch<Checks>>;

/// A cluster with clients that ask for 40 requests each.
class Cluster : public sim::Cluster<Replica> {
 public:
  Cluster(std::uint64_t seed, std::size_t nodes, sim::LinkRates links = {})
      : sim::Cluster<Replica>(config(seed, nodes, links),
                              [nodes](auto parts) { return modules(nodes, std::move(parts)); }) {
    for (std::uint64_t client = 0; client < 3; ++client)
      add_client({.id = ClientId(client), .requests = 40, .body = testing::command});
  }
  ~Cluster() {
    for (const sim::Finding& finding : findings().all()) MESSAGE(finding.text);
  }

  std::uint64_t requests() { return checks().get<sim::TotalOrder>().requests(); }
  bool finish(sim::Time at_most) {
    return run_until([&] { return clients_done() && agree(members()); }, at_most);
  }

 private:
  static sim::ClusterConfig config(std::uint64_t seed, std::size_t nodes, sim::LinkRates links) {
    sim::ClusterConfig made;
    made.seed = seed;
    made.nodes = nodes;
    made.links = links;
    return made;
  }
  static Replica::Modules modules(std::size_t nodes, auto parts) {
    IssConfig own = testing::iss_config(nodes);
    own.self = parts.self;
    return {.net = std::move(parts.net),
            .hasher = {},
            .crypto = {},
            .app = {},
            .wal = std::move(parts.wal),
            .tracker = ClientTracker(TrackerConfig{.cluster = own.cluster}),
            .store = std::move(parts.store),
            .protocol = Iss<Paxos>(std::move(own)),
            .interceptor = std::move(parts.watch)};
  }
};

}  // namespace

TEST_CASE("Paxos: clusters of every size answer all requests, and their states agree") {
  for (const std::size_t nodes : {1u, 2u, 3u, 4u, 5u}) {
    CAPTURE(nodes);
    Cluster cluster(nodes, nodes);
    CHECK(cluster.finish(30s));
    CHECK(cluster.requests() == 120);
  }
}

TEST_CASE("Paxos: as many members as may fail are gone, and all goes on") {
  for (const std::size_t nodes : {3u, 5u}) {
    CAPTURE(nodes);
    Cluster cluster(nodes, nodes);
    cluster.run_for(20ms);
    for (std::size_t gone = 0; gone < Paxos::quorum(nodes).faulty(); ++gone)
      cluster.crash(NodeId(gone));
    CHECK(cluster.run_until([&] { return cluster.clients_done(); }, 10min));
    CHECK(cluster.requests() == 120);
  }
}

TEST_CASE("Paxos: members crash and come back while frames are lost") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    const std::size_t nodes = seed % 2 == 0 ? 3 : 5;
    Cluster cluster(seed, nodes, {.loss = 30, .duplication = 20, .reordering = 50});
    sim::Random random(seed);
    for (int round = 0; round < 10; ++round) {
      cluster.run_for(std::chrono::milliseconds(random.below(1500)));
      const NodeId victim(random.below(nodes));
      cluster.crash_after(victim, random.below(200));
      cluster.run_for(std::chrono::milliseconds(random.below(1500)));
      for (const NodeId member : cluster.members()) cluster.restart(member);
    }
    cluster.heal();
    cluster.run_for(1s);
    for (const NodeId member : cluster.members()) cluster.restart(member);
    CHECK(cluster.finish(10min));
    CHECK(cluster.requests() == 120);
  }
}

}  // namespace mirbft

// Clusters of real Nodes in one process: one log everywhere, over many epochs.
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/modules/net/loopback.hpp>
#include <mirbft/types/frame_class.hpp>

#include "../support/cluster.hpp"

namespace mirbft::cluster_test {
namespace {

using testing::Cluster;
using testing::ClusterConfig;

std::size_t count(const std::vector<Replied>& replies, Outcome outcome) {
  std::size_t total = 0;
  for (const Replied& reply : replies) total += reply.outcome == outcome;
  return total;
}

/// Every client sends all its requests to every replica, each of which gets them in another order.
void submit_in_random_orders(Cluster& cluster, std::uint64_t clients, std::uint64_t requests) {
  std::vector<std::vector<Request>> waiting(cluster.size());
  for (auto& list : waiting) {
    for (std::uint64_t i = 0; i < clients * requests; ++i)
      list.push_back(Cluster::request(i % clients, i / clients));
    std::ranges::shuffle(list, cluster.random());
  }
  for (std::size_t left = cluster.size() * clients * requests; left != 0;) {
    const std::size_t to = cluster.random()() % cluster.size();
    for (std::size_t i = 0; i < 8 && !waiting[to].empty(); ++i, --left) {
      REQUIRE(cluster.submit(to, std::move(waiting[to].back()), Spread::by_client) ==
              Submitted::accepted);
      waiting[to].pop_back();
    }
    cluster.stir();
  }
}

}  // namespace

TEST_CASE("replicas of every number deliver one log, whatever order requests come in") {
  for (const std::size_t nodes : {1u, 4u, 5u, 6u, 7u, 10u}) {
    for (const std::uint64_t seed : {1u, 2u}) {
      CAPTURE(nodes);
      CAPTURE(seed);
      Cluster cluster({.nodes = nodes, .seed = seed});
      submit_in_random_orders(cluster, 4, 100);
      CHECK(cluster.deliver(400));
      cluster.check_agreement(400);
      cluster.check_collected(8);
      for (std::size_t i = 0; i < nodes; ++i)
        CHECK(count(cluster.replies(i), Outcome::delivered) == 400);
    }
  }
}

TEST_CASE("different orders of arrival make different logs") {
  const auto log_of = [](std::uint64_t seed) {
    Cluster cluster({.seed = seed});
    submit_in_random_orders(cluster, 2, 50);
    CHECK(cluster.deliver(100));
    return cluster.log(0);
  };
  CHECK((log_of(3) != log_of(4)));
}

TEST_CASE("requests that one replica alone was given reach the log of all") {
  for (const std::uint32_t epoch_length : {16u, 32u}) {
    Cluster cluster({.epoch_length = epoch_length});
    for (std::uint64_t i = 0; i < 600; ++i) {
      const std::size_t to = cluster.random()() % cluster.size();
      REQUIRE(cluster.submit(to, Cluster::request(i % 5, i / 5), Spread::by_replica) ==
              Submitted::accepted);
      if (i % 10 == 0) cluster.stir();
    }
    CHECK(cluster.deliver(600));
    cluster.check_agreement(600);
    cluster.check_collected(8);
    std::size_t answers = 0;
    for (std::size_t i = 0; i < cluster.size(); ++i) answers += cluster.replies(i).size();
    CHECK(answers == 600);
  }
}

TEST_CASE("a client who waits for each answer gets it, also at the end of an epoch") {
  for (const std::size_t nodes : {1u, 4u, 7u}) {
    CAPTURE(nodes);
    Cluster cluster({.nodes = nodes});
    for (std::uint64_t number = 0; number < 150; ++number) {
      CAPTURE(number);
      cluster.submit_to_all(Cluster::request(1, number));
      REQUIRE(cluster.deliver(number + 1));
    }
    cluster.check_agreement(150);
    CHECK(cluster[0].status().protocol.epoch >= Epoch(4));
  }
}

TEST_CASE("of an equivocating client's requests each is delivered once, with the same body") {
  Cluster cluster({});
  constexpr std::uint64_t requests = 200;
  for (std::uint64_t number = 0; number < requests; ++number)
    for (std::size_t i = 0; i < cluster.size(); ++i)
      cluster.submit(i, Cluster::request(1, number, i == number % 4 ? " pay Ann" : " pay Bob"),
                     Spread::by_client);
  CHECK(cluster.deliver(requests));
  cluster.check_agreement(requests);
  cluster.submit_to_all(Cluster::request(2, 0));  // others go on
  CHECK(cluster.deliver(requests + 1));
}

TEST_CASE("a client who sends to all and one who sends to one do not disturb each other") {
  Cluster cluster({.nodes = 5, .seed = 9});
  for (std::uint64_t number = 0; number < 100; ++number) {
    cluster.submit_to_all(Cluster::request(1, number));
    cluster.submit(number % 5, Cluster::request(2, number), Spread::by_replica);
    // The same request, given to two replicas to pass on.
    cluster.submit(number % 5, Cluster::request(3, number), Spread::by_replica);
    cluster.submit((number + 1) % 5, Cluster::request(3, number), Spread::by_replica);
    cluster.stir();
  }
  CHECK(cluster.deliver(300));
  cluster.check_agreement(300);
}

TEST_CASE("malformed frames are counted, and the cluster goes on") {
  Cluster cluster({});
  LoopbackNet stranger(cluster.hub(), cluster.stranger());
  const auto send = [](LoopbackNet& net, const Bytes& payload) {
    net.send(NodeId(0), FrameClass::batch, payload);
    net.flush();
  };
  for (std::uint64_t number = 0; number < 50; ++number) {
    cluster.submit_to_all(Cluster::request(1, number));
    send(cluster[1].net(), Bytes("this is no message"));
    send(cluster[2].net(), Bytes(std::string(1000, '\xff')));
    send(stranger, Bytes(std::string(1000, '\0')));
    cluster.stir();
  }
  CHECK(cluster.deliver(50));
  cluster.check_agreement(50);
  CHECK(cluster[0].status().malformed_frames == 150);
  CHECK(cluster[1].status().malformed_frames == 0);
}

TEST_CASE("a request that is too large is refused where it is submitted, and others go on") {
  Cluster cluster({});
  for (std::uint64_t number = 0; number < 50; ++number) {
    const Request huge{ClientId(9), ReqNo(number), Bytes(std::string(100'000, 'x')), {}};
    CHECK(cluster.submit(number % 4, huge, Spread::by_replica) == Submitted::accepted);
    cluster.submit_to_all(Cluster::request(1, number));
    cluster.stir();
  }
  CHECK(cluster.deliver(50));
  cluster.check_agreement(50);
  std::size_t refused = 0;
  for (std::size_t i = 0; i < cluster.size(); ++i)
    refused += count(cluster.replies(i), Outcome::rejected_size);
  CHECK(refused == 50);
}

TEST_CASE("a full inbox refuses, and what it has taken is delivered") {
  ClusterConfig config;
  config.node.inbox_capacity = 10;
  Cluster cluster(config);
  std::size_t accepted = 0;
  for (std::uint64_t number = 0; number < 30; ++number)
    accepted += cluster.submit(0, Cluster::request(1, number), Spread::by_replica) ==
                Submitted::accepted;
  CHECK(accepted == 10);
  CHECK(cluster.deliver(accepted));
  for (std::uint64_t number = accepted; number < 30; ++number) {
    REQUIRE(cluster.submit(0, Cluster::request(1, number), Spread::by_replica) ==
            Submitted::accepted);
    cluster.pass_time();
  }
  CHECK(cluster.deliver(30));
  cluster.check_agreement(30);
}

}  // namespace mirbft::cluster_test

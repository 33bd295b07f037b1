// A client that has lost its memory, at real replicas, of which f lie to it.
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/client/client_recovery.hpp>
#include <mirbft/client/reply_quorum.hpp>
#include <mirbft/wire/codec.hpp>

#include "../support/cluster.hpp"

namespace mirbft::client_recovery_test {
namespace {

using testing::Cluster;

constexpr ClientId self(5);

Replied position(std::uint64_t low, std::uint64_t next) {
  return {self, never_valid, Outcome::rejected_window, {},
          wire::encode(ClientPosition{ReqNo(low), ReqNo(next)})};
}
ClientPosition at(std::uint64_t low, std::uint64_t next) { return {ReqNo(low), ReqNo(next)}; }

/// What every replica has answered so far, the liars' answers replaced by their lie.
template <class Use>
void hear(Cluster& cluster, std::map<std::size_t, Replied> lies, Use&& use) {
  for (std::size_t i = 0; i < cluster.size(); ++i)
    for (const Replied& reply : cluster.replies(i))
      use(NodeId(i), lies.contains(i) && reply.req_no == lies.at(i).req_no ? lies.at(i) : reply);
}

}  // namespace

TEST_CASE("positions are believed once a strong quorum has answered, as far as w replicas go") {
  ClientRecovery recovery(self, testing::node_ids(4));
  CHECK(recovery.probe().client == self);
  CHECK(!recovery.replied(NodeId(0), position(4, 9)));
  CHECK(!recovery.replied(NodeId(0), position(5, 9)));
  CHECK(!recovery.replied(NodeId(1), position(6, 8)));
  SUBCASE("a liar claims that all is used up") {
    CHECK(recovery.replied(NodeId(2), position(1'000'000, 2'000'000)) == at(6, 9));
    CHECK(recovery.replied(NodeId(3), position(5, 10)) == at(6, 10));
  }
  SUBCASE("a liar claims that nothing is") {
    CHECK(recovery.replied(NodeId(2), position(0, 0)) == at(5, 8));
  }
  SUBCASE("who is no replica, or says something else, is not heard") {
    CHECK(!recovery.replied(NodeId(4), position(9, 9)));
    CHECK(!recovery.replied(NodeId(2), position(9, 8)));
    Replied other = position(9, 9);
    other.client = ClientId(6);
    CHECK(!recovery.replied(NodeId(2), other));
    other = position(9, 9);
    other.req_no = ReqNo(9);
    CHECK(!recovery.replied(NodeId(2), other));
    other = position(9, 9);
    other.result = Bytes("\xff");
    CHECK(!recovery.replied(NodeId(2), other));
    CHECK(recovery.replied(NodeId(3), position(6, 9)) == at(6, 9));
  }
}

TEST_CASE("a client without memory goes on with the next number, though a replica lies") {
  Cluster cluster({.nodes = 4});
  // Of the numbers 0 to 40, number 20 was lost on its way, and so was the client's memory.
  for (std::uint64_t number = 0; number <= 40; ++number)
    if (number != 20) cluster.submit_to_all(Cluster::request(self.value, number));
  REQUIRE(cluster.deliver(40));

  ClientRecovery recovery(self, testing::node_ids(4));
  cluster.submit_to_all(recovery.probe());
  cluster.pass_time();
  std::optional<ClientPosition> found;
  hear(cluster, {{3, position(0, 1'000'000)}}, [&](NodeId from, const Replied& reply) {
    if (const auto known = recovery.replied(from, reply)) found = known;
  });
  REQUIRE(found);
  CHECK(found->next == ReqNo(41));
  CHECK(found->low <= ReqNo(20));

  // It fills the gap, and goes on; one replica lies about every result.
  ReplyQuorum<Sha256> results(self, testing::node_ids(4));
  for (ReqNo number = found->low; number < found->next; ++number)
    cluster.submit_to_all({self, number, {}, {}});
  results.expect(found->next);
  cluster.submit_to_all(Cluster::request(self.value, found->next.value));
  REQUIRE(cluster.deliver(42));
  cluster.check_agreement(42);
  std::optional<ClientResult> result;
  const Replied lie{self, found->next, Outcome::delivered, {}, Bytes("lie")};
  hear(cluster, {{0, lie}}, [&](NodeId from, const Replied& reply) {
    if (const auto known = results.replied(from, reply)) result = known;
  });
  REQUIRE(result);
  CHECK(result->result == Bytes("5/41"));
  CHECK(results.status().conflicting == 1);
}

TEST_CASE("a new client is told that it is new") {
  Cluster cluster({.nodes = 4});
  ClientRecovery recovery(self, testing::node_ids(4));
  cluster.submit_to_all(recovery.probe());
  cluster.pass_time();
  std::optional<ClientPosition> found;
  hear(cluster, {}, [&](NodeId from, const Replied& reply) {
    if (const auto known = recovery.replied(from, reply)) found = known;
  });
  CHECK(found == at(0, 0));
}

}  // namespace mirbft::client_recovery_test

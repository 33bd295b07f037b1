// What a replica answers to those who fetch a state, and how much of it.
#include <mirbft/protocol/iss/state_supply.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include "../../support/state_replica.hpp"

namespace mirbft::iss::state_supply_test {
namespace {

using testing::app_state;
using testing::StateCluster;
using testing::StateReplica;

constexpr std::size_t members = 4;
constexpr std::size_t peer = 2;

StateCluster finished(Epoch last, const Bytes& app) {
  StateCluster cluster(members);
  for (Epoch epoch; epoch <= last; ++epoch) cluster.finish(epoch, app);
  return cluster;
}

}  // namespace

TEST_CASE("the head and each chunk of a stable state are supplied") {
  StateCluster cluster = finished(Epoch(0), app_state(2));
  StateReplica& replica = cluster[0];
  const CheckpointState& state = *replica.checkpointing.stable_state(Epoch(0));
  replica.receive(peer, StateWanted{Epoch(0)});
  const auto heads = replica.env.take_all<StateHead>();
  REQUIRE(heads.size() == 1);
  CHECK(heads[0].to == std::vector{NodeId(peer)});
  CHECK(heads[0].message.app == replica.app_list(Epoch(0)));
  CHECK(heads[0].message.app.length == app_state(2).size());
  CHECK(heads[0].message.clients == list_of(state.clients));
  CHECK(heads[0].message.pace == state.pace);

  const auto chunk = [&](std::uint64_t index) {
    replica.receive(peer, ChunkWanted{Epoch(0), index});
    const auto supplied = replica.env.take_all<ChunkSupplied>();
    REQUIRE(supplied.size() == 1);
    CHECK(supplied[0].message.epoch == Epoch(0));
    CHECK(supplied[0].message.index == index);
    return supplied[0].message.data;
  };
  CHECK(chunk(0) == state.clients.data);
  CHECK(chunk(1) == chunk_of(app_state(2), 0));
  CHECK(chunk(2) == chunk_of(app_state(2), 1));
  CHECK(chunk(3).size() == 77);
}

TEST_CASE("a place that the state does not have is a bad message") {
  StateCluster cluster = finished(Epoch(0), app_state(2));
  StateReplica& replica = cluster[0];
  for (const std::uint64_t index : {std::uint64_t{4}, ~std::uint64_t{0}})
    replica.receive(peer, ChunkWanted{Epoch(0), index});
  CHECK(replica.env.bad_messages.oversized == 2);
  CHECK(replica.env.take_all<ChunkSupplied>().empty());
}

TEST_CASE("only stable states that are kept are supplied") {
  StateCluster cluster = finished(Epoch(3), Bytes("state"));
  StateReplica& replica = cluster[0];
  replica.finish(Epoch(4));  // the others have not
  (void)replica.env.take_all<CheckpointVote>();
  for (Epoch epoch; epoch <= Epoch(5); ++epoch) {
    CAPTURE(epoch.value);
    const bool kept = epoch == Epoch(2) || epoch == Epoch(3);
    replica.receive(peer, StateWanted{epoch});
    CHECK(replica.env.take_all<StateHead>().size() == kept);
    replica.receive(peer, ChunkWanted{epoch, 0});
    CHECK(replica.env.take_all<ChunkSupplied>().size() == kept);
  }
}

TEST_CASE("who asks for a collected state hears which ones there are") {
  StateCluster cluster = finished(Epoch(3), Bytes("state"));
  StateReplica& replica = cluster[0];
  replica.receive(peer, ChunkWanted{Epoch(0), 0});
  const auto told = replica.env.take_all<StableCheckpoint>();
  REQUIRE(told.size() == 2);
  CHECK(told[0].message.header.epoch == Epoch(2));
  CHECK(told[1].message.header.epoch == Epoch(3));
}

TEST_CASE("a peer is given so many bytes until the allowance is filled up again") {
  StateCluster cluster = finished(Epoch(0), app_state(2));
  StateReplica& replica = cluster[0];
  const auto supplied = [&](std::size_t whom) {
    std::size_t bytes = 0;
    for (int i = 0; i < 200; ++i) {
      replica.receive(whom, ChunkWanted{Epoch(0), 1});
      for (const auto& sent : replica.env.take_all<ChunkSupplied>())
        bytes += sent.message.data.size();
    }
    return bytes;
  };
  const std::size_t first = supplied(peer);
  CHECK(first > answer_allowance * 9 / 10);
  CHECK(first <= answer_allowance + chunk_size);
  CHECK(replica.env.bad_messages.oversized > 0);
  CHECK(supplied(peer) == 0);
  CHECK(supplied(1) == first);  // its own allowance
  replica.supply.refill();
  CHECK(supplied(peer) == first);
}

TEST_CASE("questions that bring small answers are counted too") {
  StateCluster cluster = finished(Epoch(3), Bytes("state"));
  StateReplica& replica = cluster[0];
  std::size_t told = 0;
  for (int i = 0; i < 10000; ++i) {
    replica.receive(peer, StateWanted{Epoch(0)});
    told += replica.env.take_all<StableCheckpoint>().size();
  }
  CHECK(told <= 2 * answer_allowance / 4096);
}

}  // namespace mirbft::iss::state_supply_test

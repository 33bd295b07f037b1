#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/sim/adversary/state.hpp>

#include "stage.hpp"

namespace mirbft::testing::state_test {
namespace {

CheckpointVote vote(std::uint64_t epoch) {
  CheckpointVote made;
  made.header.epoch = Epoch(epoch);
  made.header.app_state = digest(1);
  powers().sign(made);
  return made;
}
SignatureCheck check(NodeId node, const CheckpointHeader& header, const Bytes& signature) {
  const Bytes content =
      wire::canonical("checkpoint", powers().cluster().name().view(), header);
  return sim::Crypto(NodeId(9)).verify_node(node, header.epoch, content.view(), signature.view());
}

}  // namespace

TEST_CASE("spoiled bytes differ") {
  sim::Random random(1);
  for (int i = 0; i < 100; ++i) CHECK(spoiled(Bytes("some bytes"), random) != Bytes("some bytes"));
  CHECK(spoiled({}, random).size() == 1);
}

TEST_CASE("fake checkpoints are signed by their author, and certified by nobody else") {
  FakeCheckpoints liar(powers());
  for (const std::uint64_t from : {1u, 2u, 3u}) (void)heard(liar, vote(1), from);
  std::uint64_t lies = 0;
  for (std::uint64_t epoch = 0; epoch < 10; ++epoch) {
    const Letters letters = said(liar, vote(epoch));
    const auto own = all<CheckpointVote>(letters).at(0);
    CHECK(check(NodeId(0), own.header, own.signature) == SignatureCheck::valid);
    const auto proofs = all<StableCheckpoint>(letters);
    CHECK((own.header.app_state != digest(1)) == (proofs.size() == 1));
    lies += proofs.size();
    for (const StableCheckpoint& proof : proofs) {
      REQUIRE(proof.certificate.size() == 3);
      for (const CheckpointSignature& one : proof.certificate)
        CHECK((check(one.node, proof.header, one.signature) == SignatureCheck::valid) ==
              (one.node == NodeId(0)));
    }
  }
  CHECK(lies == liar.acted());
  CHECK(lies > 0);
  CHECK(lies < 10);
}

TEST_CASE("whoever is supplied by a corrupt replica gets something else, or nothing") {
  CorruptState liar(powers());
  std::size_t arrived = 0;
  for (int i = 0; i < 50; ++i) {
    for (const auto& one : all<ChunkSupplied>(said(liar, ChunkSupplied{Epoch(1), 2, Bytes("x")}))) {
      ++arrived;
      CHECK(one.index == 2);
      CHECK(one.data != Bytes("x"));
    }
    for (const auto& one : all<BatchSupplied>(said(liar, BatchSupplied{segment, 1, {}})))
      CHECK(one.batch->size() == 1);
    const StateHead head{Epoch(1), {1, {digest(1)}}, Bytes("p"), Bytes("q"), {1, {digest(2)}}};
    for (const auto& one : all<StateHead>(said(liar, head)))
      CHECK((one.clients != head.clients || one.app != head.app || one.policy != head.policy ||
             one.pace != head.pace));
  }
  CHECK(arrived > 0);
  CHECK(arrived < 50);
  CHECK(liar.acted() == 150);
  CHECK(said(liar, prepare(1)).size() == 1);
}

TEST_CASE("forged relays have another body than their client has signed") {
  ForgedRelays liar(powers());
  const Relayed honest{{{ClientId(1), ReqNo(0), Bytes("body"), Bytes("good")}}};
  for (int i = 0; i < 20; ++i) {
    CHECK(all<Relayed>(said(liar, honest)).at(0).requests[0].data != Bytes("body"));
    const auto again = heard(liar, honest);
    CHECK(again.at(0).to != NodeId(0));
    CHECK(all<Relayed>(again).at(0).requests[0].data != Bytes("body"));
  }
}

TEST_CASE("false replies are delivered results, and wrong") {
  FalseReplies liar(powers());
  Replied reply{ClientId(1), ReqNo(0), Outcome::rejected_size, SeqNr(1), Bytes("ok")};
  liar.reply(reply);
  CHECK(reply.outcome == Outcome::delivered);
  CHECK(reply.result != Bytes("ok"));
}

TEST_CASE("who suffers from amnesia crashes now and then, and has lost the end of its log") {
  Amnesia patient(powers());
  std::size_t crashes = 0;
  for (int i = 0; i < 20'000; ++i) crashes += patient.crashes();
  CHECK(crashes > 0);
  CHECK(crashes < 100);
  std::vector<bool> seen(11);
  for (int i = 0; i < 500; ++i) seen.at(patient.remembers(10)) = true;
  CHECK(seen == std::vector<bool>(11, true));
}

}  // namespace mirbft::testing::state_test

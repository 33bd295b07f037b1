// A replica that is started again from its log, and what peers may not do to it: the faults that
// earlier implementations had (protocol.md, section 11), as far as they are of Iss as a whole.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/protocol/iss.hpp>
#include <mirbft/wire/canonical.hpp>
#include <mirbft/wire/codec.hpp>

#include "../support/iss_fixture.hpp"

namespace mirbft::iss_recovery_test {
namespace {

using namespace std::chrono_literals;

using testing::iss_config;
using testing::signature_of;
using Fixture = testing::IssFixture<>;
using Plan = iss::EpochPlan;
using Batches = std::vector<Batch>;

constexpr std::uint64_t most = ~std::uint64_t{0};

/// These peers are done with a segment that holds `batches`; an empty one stands for nil.
template <class Policy>
void finish_segment(testing::IssFixture<Policy>& r, const Plan& plan, std::uint32_t segment,
                    const Batches& batches, const std::vector<std::uint64_t>& peers = {2, 3}) {
  Done done{{plan.epoch(), segment}, {}};
  for (std::uint32_t slot = 0; slot < plan.segment_length(); ++slot)
    done.digests.push_back(
        batches[slot]->empty()
            ? nil_digest
            : r.digest(plan.epoch(), plan.sn_of(segment, slot), batches[slot]));
  for (const std::uint64_t peer : peers) r.receive(NodeId(peer), done);
  for (std::uint32_t slot = 0; slot < plan.segment_length(); ++slot)
    if (!batches[slot]->empty())
      r.receive(NodeId(peers.front()),
                BatchSupplied{{plan.epoch(), segment}, slot, batches[slot]});
}

/// The epoch ends; all of it is nil.
template <class Policy>
void finish_epoch(testing::IssFixture<Policy>& r, const Plan& plan) {
  for (std::uint32_t segment = 0; segment < plan.segments(); ++segment)
    finish_segment(r, plan, segment, Batches(plan.segment_length()));
}

CheckpointVote vote_of(const IssConfig& config, NodeId node, const CheckpointHeader& header) {
  return {header, signature_of(node, wire::canonical("checkpoint", config.cluster.view(), header))};
}
/// These sign what the replica has just signed.
template <class Policy>
void stabilise(testing::IssFixture<Policy>& r, const std::vector<std::uint64_t>& peers = {1, 2}) {
  const auto own = r.template take<CheckpointVote>();
  REQUIRE(own.size() == 1);
  for (const std::uint64_t peer : peers)
    r.receive(NodeId(peer), vote_of(r.config, NodeId(peer), own.front().header));
}

template <class M>
std::vector<Bytes> bytes_of(const std::vector<M>& messages) {
  std::vector<Bytes> all;
  for (const M& message : messages) all.push_back(wire::encode(message));
  return all;
}

/// A replica of four and the plan of the first epoch.
struct Four {
  void propose(std::uint64_t sn, const Batch& batch) {
    r.receive(plan.leader(plan.segment_of(SeqNr(sn))), r.proposal(plan, SeqNr(sn), batch));
  }
  RequestRef ready(NodeId leader, std::size_t nth = 0) {
    const RequestRef request = r.request_of(plan, leader, nth);
    r.ready(request);
    return request;
  }

  Fixture r{iss_config(4)};
  Plan plan = r.plan();
};

}  // namespace

// Restarts.

TEST_CASE_FIXTURE(Four, "a restarted replica says again what it has said, byte for byte") {
  const Batch batch({ready(NodeId(1))});
  propose(1, batch);
  r.receive(NodeId(2), r.prepare(plan, NodeId(2), SeqNr(1), batch));
  Fixture after(r.config, {}, r.log);
  CHECK(bytes_of(after.take<Prepare>()) == bytes_of(r.take<Prepare>()));
  CHECK(bytes_of(after.take<Commit>()) == bytes_of(r.take<Commit>()));
  after.ready(batch->front());
  after.receive(NodeId(1), after.proposal(plan, SeqNr(1), Batch({ready(NodeId(1), 1)})));
  CHECK(after.take<Prepare>().empty());
  for (const std::uint64_t peer : {1u, 2u})
    after.receive(NodeId(peer), after.commit(plan, SeqNr(1), batch));
  finish_segment(after, plan, 0, Batches(4));
  REQUIRE(after.delivered.size() == 2);
  CHECK(*after.delivered[1].batch == *batch);
  CHECK(after.halts.empty());
}

namespace {

/// What a replica stands by, in order.
std::vector<Bytes> repeated(const Fixture& r) {
  std::vector<Bytes> all;
  r.iss.repeat([&](const Fixture::Message& message) { all.push_back(wire::encode(message)); });
  return all;
}
/// How many of it are an `M`.
template <class M>
std::size_t repeated(const Fixture& r) {
  std::size_t count = 0;
  r.iss.repeat([&](const Fixture::Message& message) {
    const auto* ordering = std::get_if<PbftMessage>(&message);
    count += ordering && std::holds_alternative<M>(*ordering);
  });
  return count;
}

}  // namespace

TEST_CASE_FIXTURE(Four, "what a replica stands by is repeated, and the same after a restart") {
  const Batch batch({ready(NodeId(1))});
  propose(1, batch);
  CHECK(repeated<Prepare>(r) == 1);
  CHECK(repeated<Commit>(r) == 0);
  r.receive(NodeId(2), r.prepare(plan, NodeId(2), SeqNr(1), batch));
  CHECK(repeated<Commit>(r) == 1);
  const std::vector<Bytes> undecided = repeated(r);
  for (const std::uint64_t peer : {1u, 2u})
    r.receive(NodeId(peer), r.commit(plan, SeqNr(1), batch));
  CHECK(repeated(r) != undecided);
  CHECK(repeated(Fixture(r.config, {}, r.log)) == repeated(r));
}

// Section 11: different batch re-proposed after a crash.
// Otherwise those that were all started again wait for ever: none of them hears a proposal anew.
TEST_CASE_FIXTURE(Four, "who is behind what was voted for before a restart is suspected after it") {
  propose(3, Batch({ready(NodeId(3))}));
  Fixture after(r.config, {}, r.log);
  after.tick(1ms);
  after.tick(r.config.base_timeout);
  std::vector<std::uint32_t> suspected;
  for (const ViewChange& change : after.take<ViewChange>())
    suspected.push_back(change.segment.index);
  CHECK(suspected == std::vector<std::uint32_t>{0, 1, 2});
}

TEST_CASE_FIXTURE(Four, "a leader does not propose another batch after a restart") {
  ready(NodeId(0));
  const auto before = r.take<PrePrepare>();
  REQUIRE(before.size() == 1);
  Fixture after(r.config, {}, r.log);
  CHECK(bytes_of(after.take<PrePrepare>()) == bytes_of(before));
  after.ready(r.request_of(plan, NodeId(0), 1));
  after.tick(1s);
  for (const PrePrepare& proposal : after.take<PrePrepare>()) {
    CHECK(proposal.sn != before.front().sn);
    CHECK(*proposal.batch != *before.front().batch);
  }
  CHECK(after.halts.empty());
}

TEST_CASE_FIXTURE(Four, "what was voted for before a restart is in no second batch after it") {
  const RequestRef request = ready(NodeId(1));
  propose(1, Batch({request}));
  Fixture after(r.config, {}, r.log);
  after.take<Prepare>();
  after.ready(request);
  after.receive(NodeId(1), after.proposal(plan, SeqNr(5), Batch({request})));
  CHECK(after.take<Prepare>().empty());
  CHECK(after.bad().proposal == 1);
}

TEST_CASE_FIXTURE(Four, "a restarted replica delivers the same again, behind its checkpoint") {
  const Batch batch({ready(NodeId(1))});
  finish_segment(r, plan, 0, Batches(4));
  finish_segment(r, plan, 1, {batch, {}, {}, {}});
  SUBCASE("before there is one") {
    Fixture after(r.config, {}, r.log);
    REQUIRE(after.delivered.size() == r.delivered.size());
    CHECK(*after.delivered[1].batch == *batch);
    CHECK(after.iss.status().next_delivery == SeqNr(2));
    CHECK(after.log.size() == 1);  // that the epoch is entered, and nothing else
  }
  SUBCASE("behind one") {
    for (const std::uint32_t segment : {2u, 3u}) finish_segment(r, plan, segment, Batches(4));
    stabilise(r);
    finish_segment(r, r.plan(Epoch(1), SeqNr(16)), 0, Batches(4));
    Fixture after(r.config, {}, r.log);
    CHECK(after.iss.status().epoch == Epoch(1));
    CHECK(after.iss.status().next_delivery == SeqNr(17));
    CHECK(after.out.take<AppRestoreState>().sn == SeqNr(15));
    CHECK(after.moves.back().reached == Reached::by_restoring);
    REQUIRE(after.delivered.size() == 1);
    CHECK(after.delivered.front().sn == SeqNr(16));
  }
}

TEST_CASE_FIXTURE(Four, "a log that ends anywhere is one to start from") {
  const Batch batch({ready(NodeId(1)), ready(NodeId(1), 1)});
  propose(1, batch);
  r.receive(NodeId(2), r.prepare(plan, NodeId(2), SeqNr(1), batch));
  for (const std::uint64_t peer : {1u, 2u})
    r.receive(NodeId(peer), r.commit(plan, SeqNr(1), batch));
  finish_epoch(r, plan);
  stabilise(r);
  finish_segment(r, r.plan(Epoch(1), SeqNr(16)), 0, Batches(4));
  for (std::size_t length = 0; length <= r.log.size(); ++length) {
    const auto end = r.log.begin() + static_cast<std::ptrdiff_t>(length);
    Fixture after(r.config, {}, Fixture::Log(r.log.begin(), end));
    CHECK(after.halts.empty());
    for (const Prepare& vote : after.take<Prepare>())
      CHECK(vote.digest == r.digest(Epoch(0), SeqNr(1), batch));
  }
}

// Section 11: requests of nil batches lost.
TEST_CASE("requests of a batch that became nil are proposed again, after a restart too") {
  using Alone = testing::IssFixture<Fixed>;  // node 0 leads every epoch
  Alone first(iss_config(4));
  const RequestRef request = Alone::reference(ClientId(1), ReqNo(0));
  first.ready(request);
  REQUIRE(first.take<PrePrepare>().size() == 1);
  Alone again(first.config, {}, first.log);
  again.ready(request);  // its client asks again
  again.take<PrePrepare>();
  bool restarted = false;
  SUBCASE("without a restart") {}
  SUBCASE("after one") { restarted = true; }
  Alone& r = restarted ? again : first;
  finish_epoch(r, r.plan());
  REQUIRE(r.iss.status().epoch == Epoch(1));
  CHECK(r.iss.status().delivered_requests == 0);
  r.tick(1s);
  const auto proposals = r.take<PrePrepare>();
  REQUIRE(proposals.size() == 1);
  CHECK(proposals.front().sn == SeqNr(16));
  CHECK(*proposals.front().batch == std::vector{request});
}

// What is judged when.

// Section 11: window judged at receive time.
TEST_CASE("a number is judged by the window at the beginning of the epoch") {
  IssConfig config = iss_config(4);
  config.client_window = 1;
  Fixture r(config);
  const Plan plan = r.plan();
  const Plan next = r.plan(Epoch(1), SeqNr(16));
  const auto owner = [](const Plan& where, ClientId client, std::uint64_t number) {
    return where.leader(where.owner(iss::bucket_of(client, ReqNo(number), where.buckets())));
  };
  ClientId client;  // node 1 may propose its first two requests
  while (owner(plan, client, 0) != NodeId(1) || owner(plan, client, 1) != NodeId(1)) ++client;
  const RequestRef inside = Fixture::reference(client, ReqNo(0));
  const RequestRef beyond = Fixture::reference(client, ReqNo(1));
  r.ready(inside);
  finish_segment(r, plan, 0, Batches(4));
  finish_segment(r, plan, 1, {Batch({inside}), Batch(), Batch(), Batch()}, {2, 3});
  REQUIRE(r.iss.status().delivered_requests == 1);

  // Whoever has delivered this and whoever has not must judge alike.
  Fixture fresh(config);
  fresh.ready(inside);
  fresh.receive(NodeId(1), fresh.proposal(plan, SeqNr(1), Batch({beyond})));
  CHECK(fresh.bad().proposal == 1);
  const NodeId then = owner(next, client, 1);
  for (const std::uint32_t segment : {2u, 3u}) finish_segment(r, plan, segment, Batches(4));
  REQUIRE(r.iss.status().epoch == Epoch(1));
  const auto sn = next.sn_of(next.segment_of(SeqNr(16 + then.value)), 0);
  r.receive(then, r.proposal(next, sn, Batch({beyond})));
  CHECK(r.bad().proposal == 0);
  r.take<Prepare>();
  r.ready(beyond);
  CHECK(r.take<Prepare>().size() == (then == r.config.self ? 0 : 1));
}

TEST_CASE("a delivery within an epoch does not open the window") {
  IssConfig config = iss_config(4);
  config.client_window = 1;
  Fixture r(config);
  const Plan plan = r.plan();
  const auto is_of = [&](ClientId client, std::uint64_t number, NodeId leader) {
    const auto bucket = iss::bucket_of(client, ReqNo(number), plan.buckets());
    return plan.leader(plan.owner(bucket)) == leader;
  };
  ClientId client;
  while (!is_of(client, 0, NodeId(1)) || !is_of(client, 1, NodeId(2))) ++client;
  r.ready(Fixture::reference(client, ReqNo(0)));
  finish_segment(r, plan, 0, Batches(4));
  finish_segment(r, plan, 1,
                 {Batch({Fixture::reference(client, ReqNo(0))}), Batch(), Batch(), Batch()});
  REQUIRE(r.iss.status().delivered_requests == 1);
  const RequestRef beyond = Fixture::reference(client, ReqNo(1));
  r.ready(beyond);
  r.receive(NodeId(2), r.proposal(plan, SeqNr(2), Batch({beyond})));
  CHECK(r.bad().proposal == 1);
  CHECK(r.take<Prepare>().empty());
}

// Section 11: watermark stall by a client's gap.
TEST_CASE_FIXTURE(Four, "a client that leaves a number out holds up nobody") {
  const RequestRef gap = r.request_of(plan, NodeId(1), 1, ClientId(9));
  REQUIRE(gap.req_no != ReqNo(0));
  r.ready(gap);
  finish_segment(r, plan, 0, Batches(4));
  finish_segment(r, plan, 1, {Batch({gap}), Batch(), Batch(), Batch()});
  CHECK(r.iss.status().delivered_requests == 1);
  for (const std::uint32_t segment : {2u, 3u}) finish_segment(r, plan, segment, Batches(4));
  stabilise(r);
  const Plan next = r.plan(Epoch(1), SeqNr(16));
  CHECK(r.iss.status().epoch == Epoch(1));
  const RequestRef other = r.request_of(next, NodeId(1), 0, ClientId(8));
  r.ready(other);
  r.take<Prepare>();
  r.receive(NodeId(1), r.proposal(next, SeqNr(17), Batch({other})));
  CHECK(r.take<Prepare>().size() == 1);
}

// Quorums.

// Section 11: duplicate senders counted twice in a quorum.
TEST_CASE_FIXTURE(Four, "what one member says twice is said once") {
  const std::vector<std::uint64_t> twice{3, 3, 3};
  for (std::uint32_t segment = 0; segment < 4; ++segment)
    finish_segment(r, plan, segment, Batches(4), twice);
  for (int i = 0; i < 3; ++i) r.receive(NodeId(3), Decided{{Epoch(0), 0}, {{0, nil_digest}}});
  CHECK(r.delivered.empty());
  finish_epoch(r, plan);
  CHECK(r.delivered.size() == 16);
  stabilise(r, {3, 3, 3});
  CHECK(r.iss.status().stable_checkpoints == 0);
}

// Section 11: quorum 2f+1 for n != 3f+1.
TEST_CASE("of six members four make a checkpoint stable, and two are believed") {
  Fixture r(iss_config(6));
  const Plan plan = r.plan();
  for (std::uint32_t segment = 0; segment < plan.segments(); ++segment)
    finish_segment(r, plan, segment, Batches(plan.segment_length()), {2});
  CHECK(r.delivered.empty());
  finish_epoch(r, plan);
  REQUIRE(r.delivered.size() == plan.length());
  const auto own = r.take<CheckpointVote>();
  REQUIRE(own.size() == 1);
  for (const std::uint64_t peer : {1u, 2u, 3u}) {
    CHECK(r.iss.status().stable_checkpoints == 0);
    r.receive(NodeId(peer), vote_of(r.config, NodeId(peer), own.front().header));
  }
  CHECK(r.iss.status().stable_checkpoints == 1);
}

TEST_CASE("of six members four make a certificate") {
  Fixture r(iss_config(6));
  const Plan plan = r.plan();
  const RequestRef request = r.request_of(plan, NodeId(1));
  r.ready(request);
  const Batch batch({request});
  r.receive(NodeId(1), r.proposal(plan, SeqNr(1), batch));
  r.receive(NodeId(2), r.prepare(plan, NodeId(2), SeqNr(1), batch));
  CHECK(r.take<Commit>().empty());
  r.receive(NodeId(3), r.prepare(plan, NodeId(3), SeqNr(1), batch));
  CHECK(r.take<Commit>().size() == 1);
}

// Numbers from the network.

// Section 11: arrays indexed by attacker's lengths; `1 << view` overflow.
TEST_CASE_FIXTURE(Four, "no number in a message does harm") {
  const std::uint64_t before = r.out.size();
  for (const std::uint64_t number : {std::uint64_t{4}, std::uint64_t{1} << 60, most}) {
    const auto index = static_cast<std::uint32_t>(number);
    for (const SegmentId segment :
         {SegmentId{Epoch(0), 1}, SegmentId{Epoch(0), index}, SegmentId{Epoch(most), 1},
          SegmentId{Epoch(number), index}}) {
      const SeqNr sn(number);
      const View view(number);
      const PreparedClaim claim{view, sn, {}};
      const RequestRef request{ClientId(number), ReqNo(number), {}};
      r.receive(NodeId(1), PrePrepare{segment, sn, Batch({request}), {}});
      r.receive(NodeId(1), Prepare{segment, view, sn, {}, {}});
      r.receive(NodeId(1), Commit{segment, view, sn, {}});
      r.receive(NodeId(1), ViewChange{segment, view, NodeId(1), {claim, claim}, {}, {}});
      r.receive(NodeId(1), ViewChange{segment, view, NodeId(number), {}, {}, {Certificate{}}});
      r.receive(NodeId(1), NewView{segment, view, {}, {Certificate{view, sn, {}, {}}}, {}});
      r.receive(NodeId(1), NewView{segment, view, std::vector<ViewChange>(3), {}, {}});
      r.receive(NodeId(1), Done{segment, std::vector<Digest>(100)});
      r.receive(NodeId(1), Decided{segment, {{index, {}}}});
      r.receive(NodeId(1), Decided{segment, std::vector<SlotDecision>(1000)});
      r.receive(NodeId(1), BatchesWanted{segment, {index}});
      r.receive(NodeId(1), BatchSupplied{segment, index, {}});
      r.receive(NodeId(1), SlotsWanted{segment, {index}});
      r.receive(NodeId(1), SlotsWanted{segment, {1, 0}});
      r.receive(NodeId(1), SlotsWanted{segment, {0, index}});
    }
    r.receive(NodeId(1), Progress{Epoch(number), SeqNr(number), number});
    r.receive(NodeId(1), StateWanted{Epoch(number)});
    r.receive(NodeId(1), ChunkWanted{Epoch(number), number});
    r.receive(NodeId(1), ChunkSupplied{Epoch(number), number, {}});
    r.receive(NodeId(1), StateHead{Epoch(number), {number, {}}, {}, {}, {number, {}}});
    r.receive(NodeId(1), StableCheckpoint{});
  }
  CHECK(r.halts.empty());
  CHECK(r.delivered.empty());
  CHECK(r.take<Prepare>().empty());
  CHECK(r.take<Commit>().empty());
  CHECK(r.bad().oversized > 0);
  CHECK(r.bad().vote > 0);
  CHECK(r.bad().far_epoch > 0);
  CHECK(r.out.size() == before);
  r.tick(100ms);
  CHECK(r.iss.status().epoch == Epoch(0));

  const Batch batch({ready(NodeId(2))});
  propose(2, batch);
  CHECK(r.take<Prepare>().size() == 1);
}

// Small questions.

// Section 11: small fetch, huge answer.
TEST_CASE_FIXTURE(Four, "who asks for bodies gets so many bytes of them at a time") {
  const RequestRef request = ready(NodeId(1));
  const Request large{request.client, request.req_no, Bytes(std::string(1u << 20, 'x')), {}};
  std::size_t answered = 0;
  const auto ask = [&] {
    r.receive(NodeId(3), RequestsWanted{{request}});
    if (r.out.count<FetchRequests<SupplyFetch>>() == 0) return;
    const auto fetch = r.out.take<FetchRequests<SupplyFetch>>();
    r.iss.process(RequestsFetched<SupplyFetch>{{large}, {}, fetch.origin}, r.out);
    r.work();
    answered += r.take<RequestsSupplied>().size();
  };
  for (int i = 0; i < 100; ++i) ask();
  CHECK(answered <= iss::answer_allowance / large.data.size() + 1);
  const std::size_t before = answered;
  r.tick(r.config.fetch_delay);
  ask();
  CHECK(answered == before + 1);
}

TEST_CASE("who asks for batches gets so many of them at a time") {
  IssConfig config = iss_config(4);
  config.max_batch_requests = 2000;
  config.client_window = 1u << 20;
  Fixture r(config);
  const Plan plan = r.plan();
  const auto batch_of = [&](NodeId leader) {
    std::vector<RequestRef> many;
    for (ReqNo number; many.size() < config.max_batch_requests; ++number) {
      const auto bucket = iss::bucket_of(ClientId(1), number, plan.buckets());
      if (plan.leader(plan.owner(bucket)) != leader) continue;
      many.push_back(Fixture::reference(ClientId(1), number));
      r.iss.process(RequestReady{many.back(), 10, Spread::by_client}, r.out);
    }
    r.work();
    return Batch(many);
  };
  const auto bytes_for = [&](auto question) {
    std::size_t bytes = 0;
    for (int i = 0; i < 1000; ++i) {
      r.receive(NodeId(3), question);
      for (const auto& sent : std::exchange(r.sent, {})) bytes += wire::encoded_size(sent.message);
    }
    return bytes;
  };
  const std::size_t limit = iss::answer_allowance + (1u << 20);
  SUBCASE("that are decided") {
    finish_segment(r, plan, 1, {batch_of(NodeId(1)), Batch(), Batch(), Batch()});
    REQUIRE(r.iss.status().open_segments == 3);
    const BatchesWanted question{{Epoch(0), 1}, {0}};
    CHECK(bytes_for(question) <= limit);
    r.tick(config.fetch_delay);
    CHECK(bytes_for(question) > 1u << 20);
  }
  SUBCASE("that were proposed") {
    (void)batch_of(NodeId(0));
    REQUIRE(r.iss.status().proposed_batches == 1);
    const SlotsWanted question{{Epoch(0), 0}, {0}};
    CHECK(bytes_for(question) <= limit);
    r.tick(config.base_timeout);
    CHECK(bytes_for(question) > 1u << 20);
  }
}

// Amnesia.

TEST_CASE("a replica that has forgotten its votes stays silent in all epochs before it may vote") {
  IssConfig config = iss_config(5);  // two who are done and the replica itself are no strong quorum
  config.memory = Memory::lost;
  Fixture r(config);
  for (const std::uint64_t peer : {1u, 2u, 3u, 4u}) r.receive(NodeId(peer), Progress{});
  Plan plan = r.plan();
  for (std::uint64_t epoch = 0; epoch < 2 * iss::epochs_ahead; ++epoch) {
    plan = r.plan(Epoch(epoch), SeqNr(plan.length() * epoch));
    finish_epoch(r, plan);
    stabilise(r, {1, 2, 3});
  }
  REQUIRE(r.iss.status().epoch == Epoch(4));
  const SegmentId old{Epoch(3), 1};
  r.sent.clear();
  for (const std::uint64_t peer : {2u, 3u}) {
    ViewChange call{old, View(1), NodeId(peer), {}, {}, {}};
    call.signature = signature_of(
        NodeId(peer), pbft::signed_bytes(iss::Cluster(config, Pbft::quorum(5)), call));
    r.receive(NodeId(peer), call);
  }
  CHECK(r.take<ViewChange>().empty());
  const Plan now = r.plan(Epoch(4), SeqNr(4 * plan.length()));
  const RequestRef request = r.request_of(now, NodeId(1));
  r.ready(request);
  r.receive(NodeId(1), r.proposal(now, now.sn_of(1, 0), Batch({request})));
  CHECK(r.take<Prepare>().size() == 1);
}

TEST_CASE("an epoch waits for the keys that its requests are judged by, also after a restart") {
  Fixture before(iss_config(4));
  const Plan zero = before.plan();
  before.changes = {ClientKey{ClientId(1), Bytes("new")}};
  finish_epoch(before, zero);
  const CheckpointHeader header = before.take<CheckpointVote>().at(0).header;
  finish_epoch(before, before.plan(Epoch(1), SeqNr(zero.length())));

  // The checkpoint of epoch 0 is in the log, and becomes stable while the App applies it again.
  Fixture again(before.config, {}, before.log, Fixture::AppIs::busy);
  for (const std::uint64_t peer : {1u, 2u})
    again.receive(NodeId(peer), vote_of(again.config, NodeId(peer), header));
  CHECK(again.iss.status().stable_checkpoints == 1);
  CHECK(again.iss.status().epoch == Epoch(1));
  again.changes = {ClientKey{ClientId(1), Bytes("new")}};
  again.app = Fixture::AppIs::idle;
  again.work();
  CHECK(again.iss.status().epoch == Epoch(2));
  REQUIRE(again.client_keys.size() == 1);
  CHECK(again.client_keys[0].keys == std::vector<ClientKey>{{ClientId(1), Bytes("new")}});
}

}  // namespace mirbft::iss_recovery_test

// One replica among hand-made peers: what it votes for, what it refuses, and what it counts.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/protocol/iss.hpp>
#include <mirbft/wire/canonical.hpp>
#include <mirbft/wire/codec.hpp>

#include "../support/iss_fixture.hpp"

namespace mirbft::iss_test {
namespace {

using namespace std::chrono_literals;

using testing::iss_config;
using testing::signature_of;
using Fixture = testing::IssFixture<>;
using Plan = iss::EpochPlan;
using Batches = std::vector<Batch>;

/// A replica's word that it has finished a segment, with these batches in its slots.
Done done_of(const Fixture& f, const Plan& plan, std::uint32_t segment, const Batches& batches) {
  Done done{{plan.epoch(), segment}, {}};
  for (std::uint32_t slot = 0; slot < plan.segment_length(); ++slot)
    done.digests.push_back(f.digest(plan.epoch(), plan.sn_of(segment, slot), batches[slot]));
  return done;
}

/// Two others vouch for a segment, and one of them supplies its batches.
void finish_segment(Fixture& f, const Plan& plan, std::uint32_t segment, const Batches& batches) {
  for (const std::uint64_t peer : {2u, 3u})
    f.receive(NodeId(peer), done_of(f, plan, segment, batches));
  for (std::uint32_t slot = 0; slot < plan.segment_length(); ++slot)
    f.receive(NodeId(2), BatchSupplied{{plan.epoch(), segment}, slot, batches[slot]});
}

/// The epoch ends with `first` in the first slot of each segment and nothing in the others.
void finish_epoch(Fixture& f, const Plan& plan, const Batch& first = {}, std::uint32_t of = 0) {
  for (std::uint32_t segment = 0; segment < plan.segments(); ++segment) {
    Batches batches(plan.segment_length());
    if (segment == of) batches[0] = first;
    finish_segment(f, plan, segment, batches);
  }
}

CheckpointVote vote_of(const Fixture& f, NodeId node, const CheckpointHeader& header) {
  return {header,
          signature_of(node, wire::canonical("checkpoint", f.config.cluster.view(), header))};
}

/// Two others sign what this replica has just signed.
void stabilise(Fixture& f) {
  const auto own = f.take<CheckpointVote>();
  REQUIRE(own.size() == 1);
  for (const std::uint64_t peer : {1u, 2u})
    f.receive(NodeId(peer), vote_of(f, NodeId(peer), own.front().header));
}

/// A replica of four, the first epoch's plan, and requests that node 1 may propose in it.
struct Four {
  explicit Four(IssConfig config = iss_config(4)) : f(std::move(config)) {}

  RequestRef request(std::size_t nth = 0) const { return f.request_of(plan, NodeId(1), nth); }
  RequestRef ready(std::size_t nth = 0) {
    f.ready(request(nth));
    return request(nth);
  }
  void propose(std::uint64_t sn, const Batch& batch) {
    f.receive(NodeId(1), f.proposal(plan, SeqNr(sn), batch));
  }
  std::size_t votes() { return f.take<Prepare>().size(); }

  Fixture f;
  Plan plan = f.plan();
};

}  // namespace

TEST_CASE("a proposal is voted for, certified, committed and delivered in its turn") {
  Four four;
  Fixture& f = four.f;
  const Batch batch({four.ready()});
  four.propose(1, batch);
  const auto votes = f.take<Prepare>();
  REQUIRE(votes.size() == 1);
  CHECK(votes.front().digest == f.digest(Epoch(0), SeqNr(1), batch));
  CHECK(f.take<Commit>().empty());

  f.receive(NodeId(2), f.prepare(four.plan, NodeId(2), SeqNr(1), batch));
  CHECK(f.take<Commit>().size() == 1);

  for (const std::uint64_t peer : {1u, 2u})
    f.receive(NodeId(peer), f.commit(four.plan, SeqNr(1), batch));
  CHECK(f.delivered.empty());  // the slot before is open
  finish_segment(f, four.plan, 0, Batches(4));
  REQUIRE(f.delivered.size() == 2);
  CHECK(f.delivered[1].sn == SeqNr(1));
  CHECK(*f.delivered[1].batch == *batch);
}

TEST_CASE("Commits alone decide nothing") {
  Four four;
  const Batch batch({four.ready()});
  four.propose(1, batch);
  for (const std::uint64_t peer : {1u, 2u, 3u})
    four.f.receive(NodeId(peer), four.f.commit(four.plan, SeqNr(1), batch));
  finish_segment(four.f, four.plan, 0, Batches(4));
  CHECK(four.f.delivered.size() == 1);
}

// The rules of a proposal, each broken once.

TEST_CASE("rule 1: only the leader of a segment proposes in it") {
  Four four;
  const Batch batch({four.ready()});
  four.f.receive(NodeId(2), four.f.proposal(four.plan, SeqNr(1), batch));
  CHECK(four.votes() == 0);
  CHECK(four.f.bad().proposal == 1);
}

TEST_CASE("rule 1: a slot is one of the segment that the proposal names") {
  Four four;
  PrePrepare foreign = four.f.proposal(four.plan, SeqNr(1), Batch({four.ready()}));
  foreign.sn = SeqNr(2);
  four.f.receive(NodeId(1), foreign);
  foreign.sn = four.plan.end() + 1;
  four.f.receive(NodeId(1), foreign);
  CHECK(four.votes() == 0);
  CHECK(four.f.bad().proposal == 2);
}

TEST_CASE("rule 1: a slot is voted for once") {
  Four four;
  four.propose(1, Batch({four.ready()}));
  CHECK(four.votes() == 1);
  four.propose(1, Batch({four.ready(1)}));
  CHECK(four.votes() == 0);
  CHECK(four.f.bad().duplicate == 1);
}

TEST_CASE("rule 2: a batch has only so many requests") {
  Four four;
  std::vector<RequestRef> many;
  for (std::size_t i = 0; i < 5; ++i) many.push_back(four.ready(i));
  four.propose(1, Batch(many));
  CHECK(four.votes() == 0);
  CHECK(four.f.bad().proposal == 1);
  many.pop_back();
  four.propose(5, Batch(many));
  CHECK(four.votes() == 1);
}

TEST_CASE("rule 2: bodies have only so many bytes, unless it is one") {
  IssConfig config = iss_config(4);
  config.max_batch_bytes = 100;
  Four four(config);
  for (const std::size_t i : {0u, 1u, 2u})
    four.f.ready(four.request(i), Spread::by_client, i == 2 ? 101 : 51);
  four.propose(1, Batch({four.request(0), four.request(1)}));
  CHECK(four.votes() == 0);
  CHECK(four.f.bad().proposal == 1);
  four.propose(5, Batch({four.request(2)}));
  CHECK(four.votes() == 1);
  four.propose(9, Batch({four.request(0)}));  // the refused proposal has no claim on it
  CHECK(four.votes() == 1);
}

TEST_CASE("rule 3: a leader proposes from its own buckets") {
  Four four;
  const RequestRef foreign = four.f.request_of(four.plan, NodeId(2));
  four.f.ready(foreign);
  four.propose(1, Batch({four.ready(), foreign}));
  CHECK(four.votes() == 0);
  CHECK(four.f.bad().proposal == 1);
}

TEST_CASE("rule 4: a number lies in the window") {
  Four four;
  std::size_t nth = 0;
  while (four.request(nth).req_no.value < four.f.config.client_window) ++nth;
  four.propose(1, Batch({four.request(nth)}));
  CHECK(four.votes() == 0);
  CHECK(four.f.bad().proposal == 1);
  CHECK(four.f.iss.status().batches_waiting_for_bodies == 0);
}

TEST_CASE("rule 4: what an earlier epoch delivered is not delivered again") {
  Four four;
  Fixture& f = four.f;
  const Plan next = f.plan(Epoch(1), SeqNr(16));
  std::size_t nth = 0;  // node 1 leads its bucket now, and node 2 in the next epoch
  const auto moves = [&](const RequestRef& request) {
    const auto bucket = iss::bucket_of(request.client, request.req_no, next.buckets());
    return next.leader(next.owner(bucket)) == NodeId(2) && request.req_no != ReqNo(0);
  };
  while (!moves(four.request(nth))) ++nth;
  const Batch batch({four.ready(nth)});
  finish_epoch(f, four.plan, batch, 1);
  REQUIRE(f.iss.status().epoch == Epoch(1));
  REQUIRE(f.iss.status().delivered_requests == 1);

  f.take<Prepare>();
  f.receive(NodeId(2), f.proposal(next, SeqNr(18), batch));
  CHECK(four.votes() == 0);
  CHECK(f.bad().proposal == 1);
}

TEST_CASE("rule 5: no request stands twice in a batch") {
  Four four;
  const RequestRef request = four.ready();
  RequestRef other_body = request;
  other_body.digest = testing::digest_of_bytes(Bytes("other").view());
  four.propose(1, Batch({request, request}));
  four.propose(5, Batch({request, other_body}));
  CHECK(four.votes() == 0);
  CHECK(four.f.bad().proposal == 2);
}

TEST_CASE("rule 5: no request stands in two batches of a segment") {
  Four four;
  const RequestRef request = four.ready();
  four.propose(1, Batch({request}));
  CHECK(four.votes() == 1);
  four.propose(5, Batch({four.ready(1), request}));
  CHECK(four.votes() == 0);
  CHECK(four.f.bad().proposal == 1);
  four.propose(9, Batch({four.request(1)}));  // the refused proposal has no claim on it
  CHECK(four.votes() == 1);
}

TEST_CASE("rule 6: a vote waits for the bodies, which the leader is asked for first") {
  Four four;
  Fixture& f = four.f;
  const RequestRef absent = four.request();
  four.propose(1, Batch({absent, four.ready(1)}));
  CHECK(four.votes() == 0);
  f.sent.clear();
  f.tick(f.config.fetch_delay);
  REQUIRE(f.sent.size() == 1);
  CHECK(f.sent.front().to == std::vector{NodeId(1)});
  const auto wanted = f.take<RequestsWanted>();
  REQUIRE(wanted.size() == 1);
  CHECK(wanted.front().references == std::vector{absent});

  f.tick(f.config.fetch_delay);
  REQUIRE(f.sent.size() == 1);
  CHECK(f.sent.front().to != std::vector{NodeId(1)});

  f.receive(NodeId(1), RequestsSupplied{{Request{absent.client, absent.req_no, {}, {}}}});
  REQUIRE(f.handed_on.size() == 1);
  CHECK(f.handed_on.front().spread == Spread::fetched);
  CHECK(four.votes() == 0);  // not before the Tracker has found it authentic
  f.ready(absent);
  CHECK(four.votes() == 1);
}

// Votes.

TEST_CASE("a forged signature makes no certificate, and does not stand in the way of one") {
  Four four;
  Fixture& f = four.f;
  const Batch batch({four.ready()});
  four.propose(1, batch);
  Prepare forged = f.prepare(four.plan, NodeId(2), SeqNr(1), batch);
  forged.signature = Bytes("forged");
  f.receive(NodeId(2), forged);
  CHECK(f.bad().signature == 1);
  CHECK(f.take<Commit>().empty());
  f.receive(NodeId(3), f.prepare(four.plan, NodeId(3), SeqNr(1), batch));
  CHECK(f.take<Commit>().size() == 1);
}

TEST_CASE("votes for another digest do not count, and one member has one vote") {
  Four four;
  Fixture& f = four.f;
  const Batch batch({four.ready()});
  four.propose(1, batch);
  f.receive(NodeId(2), f.prepare(four.plan, NodeId(2), SeqNr(1), Batch({four.ready(1)})));
  f.receive(NodeId(2), f.prepare(four.plan, NodeId(2), SeqNr(1), batch));
  CHECK(f.bad().duplicate == 1);
  CHECK(f.take<Commit>().empty());
}

TEST_CASE("votes for slots and segments that do not exist are counted") {
  Four four;
  Fixture& f = four.f;
  Prepare vote = f.prepare(four.plan, NodeId(2), SeqNr(1), {});
  Commit commit = f.commit(four.plan, SeqNr(1), {});
  vote.sn = commit.sn = four.plan.end() + 1;
  f.receive(NodeId(2), vote);
  f.receive(NodeId(2), commit);
  CHECK(f.bad().vote == 2);
  vote.segment.index = commit.segment.index = 4;
  f.receive(NodeId(2), vote);
  f.receive(NodeId(2), commit);
  f.receive(NodeId(2), Done{{Epoch(0), 4}, std::vector<Digest>(4)});
  f.receive(NodeId(2), BatchesWanted{{Epoch(0), 4}, {0}});
  f.receive(NodeId(2), BatchSupplied{{Epoch(0), ~std::uint32_t{0}}, 0, {}});
  CHECK(f.bad().vote == 7);
}

TEST_CASE("strangers are not heard") {
  Four four;
  const Batch batch({four.ready()});
  four.f.receive(NodeId(4), four.f.proposal(four.plan, SeqNr(1), batch));
  four.f.receive(NodeId(4), four.f.prepare(four.plan, NodeId(4), SeqNr(1), batch));
  four.f.receive(NodeId(4), Relayed{{Request{ClientId(1), ReqNo(0), {}, {}}}});
  CHECK(four.f.bad().stranger == 3);
  CHECK(four.votes() == 0);
  CHECK(four.f.handed_on.empty());
}

// Epochs.

TEST_CASE("messages of the next epochs wait, those of far ones are dropped") {
  Four four;
  Fixture& f = four.f;
  const Plan next = f.plan(Epoch(1), SeqNr(16));
  const RequestRef request = f.request_of(next, NodeId(1));
  f.ready(request);
  f.receive(NodeId(1), f.proposal(next, SeqNr(17), Batch({request})));
  CHECK(f.iss.status().early_bytes > 0);
  f.receive(NodeId(1), f.prepare(f.plan(Epoch(5), SeqNr(80)), NodeId(1), SeqNr(81), {}));
  f.receive(NodeId(1), Done{{Epoch(5), 0}, std::vector<Digest>(4)});
  CheckpointHeader far;
  far.epoch = Epoch(5);
  f.receive(NodeId(1), vote_of(f, NodeId(1), far));
  CHECK(f.bad().far_epoch == 3);

  f.take<Prepare>();
  finish_epoch(f, four.plan);
  REQUIRE(f.iss.status().epoch == Epoch(1));
  CHECK(f.iss.status().early_bytes == 0);
  std::size_t votes = 0;
  for (const Prepare& vote : f.take<Prepare>()) votes += vote.sn == SeqNr(17);
  CHECK(votes == 1);
}

TEST_CASE("a peer that is ahead takes only so much memory") {
  IssConfig config = iss_config(4);
  config.early_bytes_per_peer = 1000;
  Four four(config);
  const Plan next = four.f.plan(Epoch(1), SeqNr(16));
  const Prepare vote = four.f.prepare(next, NodeId(1), SeqNr(17), {});
  for (int i = 0; i < 100; ++i) four.f.receive(NodeId(1), vote);
  const auto kept = four.f.iss.status().early_bytes;
  CHECK(kept <= 1000);
  CHECK(four.f.bad().far_epoch > 0);
  four.f.receive(NodeId(2), vote);  // each has room of its own
  CHECK(four.f.iss.status().early_bytes > kept);
}

TEST_CASE("a third epoch waits for a stable checkpoint, and forgotten ones are not heard of") {
  Four four;
  Fixture& f = four.f;
  const Prepare old = f.prepare(four.plan, NodeId(2), SeqNr(1), {});
  finish_epoch(f, four.plan);
  finish_epoch(f, f.plan(Epoch(1), SeqNr(16)));
  CHECK(f.iss.status().epoch == Epoch(1));
  auto own = f.take<CheckpointVote>();
  REQUIRE(own.size() == 2);
  for (const CheckpointVote& vote : own) {
    for (const std::uint64_t peer : {1u, 2u})
      f.receive(NodeId(peer), vote_of(f, NodeId(peer), vote.header));
  }
  CHECK(f.iss.status().stable_checkpoints == 2);
  CHECK(f.iss.status().epoch == Epoch(2));
  CHECK(f.bad().old_epoch == 0);
  finish_epoch(f, f.plan(Epoch(2), SeqNr(32)));
  stabilise(f);
  CHECK(f.iss.status().epoch == Epoch(3));
  f.receive(NodeId(2), old);
  CHECK(f.bad().old_epoch == 1);
  CHECK(f.halts.empty());
}

TEST_CASE("a forged checkpoint vote is counted and makes nothing stable") {
  Four four;
  Fixture& f = four.f;
  finish_epoch(f, four.plan);
  const auto own = f.take<CheckpointVote>();
  REQUIRE(own.size() == 1);
  const CheckpointHeader header = own.front().header;
  f.receive(NodeId(1), vote_of(f, NodeId(1), header));
  f.receive(NodeId(2), CheckpointVote{header, Bytes("forged")});
  CHECK(f.bad().signature == 1);
  CHECK(f.iss.status().stable_checkpoints == 0);
  f.receive(NodeId(3), vote_of(f, NodeId(3), header));
  CHECK(f.iss.status().stable_checkpoints == 1);
}

TEST_CASE("a replica that has diverged stops, whether its own checkpoint comes first or last") {
  Four four;
  Fixture& f = four.f;
  CheckpointHeader other;
  other.last = four.plan.last();
  other.app_length = 77;
  const auto others_certify = [&] {
    for (const std::uint64_t peer : {1u, 2u, 3u})
      f.receive(NodeId(peer), vote_of(f, NodeId(peer), other));
  };
  SUBCASE("last") {
    others_certify();
    CHECK(f.halts.empty());
    finish_epoch(f, four.plan);
  }
  SUBCASE("first") {
    finish_epoch(f, four.plan);
    CHECK(f.halts.empty());
    others_certify();
  }
  CHECK(f.delivered.size() == four.plan.length());
  REQUIRE(f.halts.size() == 1);
  CHECK(f.halts.front().find("diverged") != std::string::npos);
}

// Answers and questions.

TEST_CASE("an oversized message is counted, and nothing of it goes on") {
  Four four;
  Fixture& f = four.f;
  const RequestRef absent = four.request();
  four.propose(1, Batch({absent}));  // so that its body is wanted
  const Request body{absent.client, absent.req_no, {}, {}};

  f.receive(NodeId(1), Relayed{std::vector<Request>(iss::Bodies::requests_at_once + 1, body)});
  CHECK(f.bad().oversized == 1);
  f.receive(NodeId(1),
            RequestsSupplied{std::vector<Request>(iss::Bodies::requests_at_once + 1, body)});
  CHECK(f.bad().oversized == 2);
  CHECK(f.handed_on.empty());

  std::vector<RequestRef> wanted;
  for (std::uint64_t i = 0; i <= iss::Bodies::asked_at_once; ++i)
    wanted.push_back(Fixture::reference(ClientId(1), ReqNo(i)));
  f.receive(NodeId(1), RequestsWanted{wanted});
  f.receive(NodeId(1), RequestsWanted{{wanted[0], wanted[0]}});
  CHECK(f.bad().oversized == 4);
  CHECK(f.out.count<FetchRequests<SupplyFetch>>() == 0);

  std::vector<std::uint32_t> slots(iss::Laggard::asked_at_once + 1);
  for (std::uint32_t i = 0; i < slots.size(); ++i) slots[i] = i;
  f.receive(NodeId(1), BatchesWanted{{Epoch(0), 1}, slots});
  f.receive(NodeId(1), BatchesWanted{{Epoch(0), 1}, {0, 0}});
  f.receive(NodeId(1), BatchesWanted{{Epoch(0), 1}, {4}});
  CHECK(f.bad().oversized == 7);

  f.receive(NodeId(1), Done{{Epoch(0), 1}, std::vector<Digest>(5)});
  f.receive(NodeId(1), Done{{Epoch(0), 1}, {}});
  f.receive(NodeId(1),
            BatchSupplied{{Epoch(0), 1}, 0, Batch(std::vector<RequestRef>(5, absent))});
  CHECK(f.bad().oversized == 10);
}

TEST_CASE("answers that nobody asked for are counted") {
  Four four;
  Fixture& f = four.f;
  f.receive(NodeId(1), RequestsSupplied{{Request{ClientId(1), ReqNo(0), {}, {}}}});
  CHECK(f.bad().unasked == 1);
  CHECK(f.handed_on.empty());
  f.receive(NodeId(1), BatchSupplied{{Epoch(0), 1}, 0, {}});
  f.receive(NodeId(1), BatchSupplied{{Epoch(0), 1}, 4, {}});
  CHECK(f.bad().unasked == 3);

  for (const std::uint64_t peer : {2u, 3u})
    f.receive(NodeId(peer), done_of(f, four.plan, 0, Batches(4)));
  f.receive(NodeId(1), BatchSupplied{{Epoch(0), 0}, 0, Batch({four.ready()})});
  CHECK(f.bad().unasked == 4);  // not the one that is vouched for
  CHECK(f.delivered.empty());
}

TEST_CASE("one liar's Done moves nothing, and another one is counted") {
  Four four;
  Fixture& f = four.f;
  const Batches others{Batch({four.ready()}), {}, {}, {}};
  f.receive(NodeId(3), done_of(f, four.plan, 0, Batches(4)));
  f.receive(NodeId(3), done_of(f, four.plan, 0, Batches(4)));
  CHECK(f.bad().duplicate == 0);  // said again
  f.receive(NodeId(3), done_of(f, four.plan, 0, others));
  CHECK(f.bad().duplicate == 1);
  f.tick(1s);
  CHECK(f.take<BatchesWanted>().empty());
  f.receive(NodeId(3), BatchSupplied{{Epoch(0), 0}, 0, {}});
  CHECK(f.bad().unasked == 1);
}

TEST_CASE("a laggard is given what was decided here") {
  Four four;
  Fixture& f = four.f;
  const Batch batch({four.ready()});
  finish_segment(f, four.plan, 1, {batch, {}, {}, {}});
  f.receive(NodeId(3), BatchesWanted{{Epoch(0), 1}, {0, 3}});
  const auto supplied = f.take<BatchSupplied>();
  REQUIRE(supplied.size() == 2);
  CHECK(*supplied[0].batch == *batch);
  CHECK(supplied[1].slot == 3);
}

// What clients and leaders may not do to others.

TEST_CASE("an equivocating client does not keep other proposals from being voted for") {
  Four four;
  Fixture& f = four.f;
  RequestRef body = f.request_of(four.plan, NodeId(1), 0, ClientId(7));
  f.ready(body);
  for (int i = 0; i < 5000; ++i) {
    body.digest = testing::digest_of_bytes(Bytes(std::to_string(i)).view());
    f.ready(body);
  }
  // The leader was given another body of this number than this replica.
  const RequestRef here = four.ready();
  RequestRef there = here;
  there.digest = testing::digest_of_bytes(Bytes("the leader's").view());
  four.propose(1, Batch({there}));
  CHECK(four.votes() == 0);
  f.ready(there, Spread::fetched);
  CHECK(four.votes() == 1);
}

TEST_CASE("numbers that are merely named take no room and do not change how others are judged") {
  Four four;
  Fixture& f = four.f;
  std::vector<RequestRef> junk;
  for (std::uint64_t client = 100; client < 104; ++client)
    junk.push_back(f.request_of(four.plan, NodeId(1), 0, ClientId(client)));
  four.propose(1, Batch(junk));
  CHECK(f.iss.status().clients == 0);

  const RequestRef honest = f.request_of(four.plan, NodeId(2));
  f.ready(honest);
  f.receive(NodeId(2), f.proposal(four.plan, SeqNr(2), Batch({honest})));
  CHECK(four.votes() == 1);

  f.ready(junk[0]);  // it is authentic after all: the claim stays
  four.propose(5, Batch({junk[0]}));
  CHECK(four.votes() == 0);
  CHECK(f.bad().proposal == 1);
}

TEST_CASE("what was merely named is open again in the next epoch") {
  Four four;
  Fixture& f = four.f;
  const Plan next = f.plan(Epoch(1), SeqNr(16));
  std::size_t nth = 0;
  const auto leader_then = [&] {
    const RequestRef request = four.request(nth);
    return next.leader(
        next.owner(iss::bucket_of(request.client, request.req_no, next.buckets())));
  };
  while (leader_then() != NodeId(2)) ++nth;
  RequestRef phantom = four.request(nth);
  phantom.digest = {};
  four.propose(1, Batch({phantom}));
  finish_epoch(f, four.plan);
  REQUIRE(f.iss.status().epoch == Epoch(1));
  f.take<Prepare>();
  f.receive(NodeId(2), f.proposal(next, SeqNr(18), Batch({four.request(nth)})));
  CHECK(f.bad().proposal == 0);
  f.ready(four.request(nth));
  std::size_t votes = 0;
  for (const Prepare& vote : f.take<Prepare>()) votes += vote.sn == SeqNr(18);
  CHECK(votes == 1);
}

TEST_CASE("phantom bodies do not keep a replica from learning what was decided") {
  Four four;
  Fixture& f = four.f;
  four.propose(1, Batch({four.request()}));  // never ready
  for (const std::uint64_t peer : {2u, 3u})
    f.receive(NodeId(peer), done_of(f, four.plan, 1, Batches(4)));
  f.tick(1s);
  const auto asked = f.take<BatchesWanted>();
  REQUIRE(asked.size() == 1);
  CHECK(asked.front().slots == std::vector<std::uint32_t>{0, 1, 2, 3});
}

TEST_CASE("an adopted batch completes though another proposal holds its claim") {
  Four four;
  Fixture& f = four.f;
  const RequestRef request = four.request();
  four.propose(1, Batch({request}));  // to the others it was proposed for the next slot
  Batches decided(4);
  decided[1] = Batch({request});
  finish_segment(f, four.plan, 1, decided);
  f.receive(NodeId(2), RequestsSupplied{{Request{request.client, request.req_no, {}, {}}}});
  CHECK(f.handed_on.size() == 1);
  f.ready(request);
  CHECK(f.iss.status().batches_waiting_for_bodies == 0);
  finish_segment(f, four.plan, 0, Batches(4));
  finish_segment(f, four.plan, 2, Batches(4));
  finish_segment(f, four.plan, 3, Batches(4));
  CHECK(f.iss.status().delivered_requests == 1);
  CHECK(f.halts.empty());
}

TEST_CASE("Done of the longest segment fits its frame") {
  IssConfig config = iss_config(1);
  config.epoch_length = config.max_segment_length;
  iss::check(config);
  const Fixture::Message done = Done{{Epoch(0), 0}, std::vector<Digest>(config.max_segment_length)};
  CHECK(wire::encode(done).size() <= frame_limit(Fixture::Protocol::frame_class(done)));
}

TEST_CASE("a client's new key holds two epochs later, and what it signed before is void") {
  Four four;
  Fixture& f = four.f;
  const SeqNr third(2 * four.plan.length());
  const Plan later = f.plan(Epoch(2), third);
  const RequestRef request = f.request_of(later, NodeId(1));
  f.ready(request);
  f.changes = {ClientKey{ClientId(1), Bytes("new")}, NodeKey{NodeId(2), Bytes("its new one")}};
  finish_epoch(f, four.plan);
  stabilise(f);
  REQUIRE(f.node_keys.size() == 1);
  CHECK(f.node_keys[0].from == Epoch(2));
  CHECK(f.iss.status().key_changes == 1);
  const Plan second = f.plan(Epoch(1), SeqNr(four.plan.length()));
  CHECK(f.client_keys.empty());
  const RequestRef before = f.request_of(second, NodeId(1), 5);
  f.ready(before);
  f.receive(NodeId(1), f.proposal(second, SeqNr(second.first().value + 1), Batch({before})));
  CHECK(four.votes() == 1);

  finish_epoch(f, second);
  stabilise(f);
  REQUIRE(f.client_keys.size() == 1);
  CHECK(f.client_keys[0].epoch == Epoch(2));
  CHECK(f.client_keys[0].keys == std::vector<ClientKey>{{ClientId(1), Bytes("new")}});
  CHECK(f.moves.back().epoch == Epoch(2));
  CHECK(f.moves.back().rekeyed == std::vector{ClientId(1)});
  CHECK(f.iss.status().own_requests_waiting == 0);
  const SeqNr sn(third.value + 1);
  f.receive(NodeId(1), f.proposal(later, sn, Batch({request})));
  CHECK(four.votes() == 0);
  f.ready(request, Spread::by_client, 10, Epoch(1));  // was on its way when the epoch began
  CHECK(four.votes() == 0);
  f.ready(request, Spread::fetched, 10, Epoch(2));
  CHECK(four.votes() == 1);
}

TEST_CASE("keys that have changed are known again after a restart") {
  Four four;
  Fixture& f = four.f;
  f.changes = {ClientKey{ClientId(1), Bytes("new")}, NodeKey{NodeId(2), Bytes("its new one")}};
  finish_epoch(f, four.plan);
  stabilise(f);
  for (const std::uint64_t epoch : {1u, 2u}) {
    finish_epoch(f, f.plan(Epoch(epoch), SeqNr(epoch * four.plan.length())));
    stabilise(f);
  }
  Fixture again(f.config, {}, f.log);
  CHECK(again.iss.status().epoch == Epoch(3));
  REQUIRE(again.node_keys.size() == 1);
  CHECK(again.node_keys[0].from == Epoch(2));
  CHECK(again.node_keys[0].keys == f.node_keys[0].keys);
  REQUIRE(again.client_keys.size() == 1);
  CHECK(again.client_keys[0].epoch == Epoch(3));
  CHECK(again.client_keys[0].keys == f.client_keys[0].keys);
}

}  // namespace mirbft::iss_test

// View changes of PBFT: the faults that earlier implementations had (protocol.md, section 11), each
// put before one replica among hand-made peers.
#include <mirbft/protocol/orderers/pbft_view_change.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/wire/codec.hpp>

#include "../../support/pbft_replica.hpp"

namespace mirbft::pbft_view_change_test {
namespace {

using namespace std::chrono_literals;

using Peers = testing::PbftPeers;
using Replica = testing::PbftReplica;
using Door = Replica::Door;
using Log = Replica::Log;
using Changes = std::vector<ViewChange>;
using Certificates = std::vector<Certificate>;

const Batch batch = Peers::batch(7);
const Digest digest = Peers::digest(7);
const Digest other_digest = Peers::digest(8);

/// Four members, the segment of node 1. The primaries of its views are 1, 2, 3, 0 and so on.
struct Four {
  /// In view 0 the replica votes for `batch` in a slot, and holds a certificate for it.
  void prepare(std::uint32_t place = 0, const Batch& of = batch) {
    r.receive(NodeId(1), peers.proposal(place, of));
    r.receive(NodeId(2), peers.prepare(NodeId(2), View(0), place, Peers::digest(of)));
  }
  /// Its peers call for a view, and claim nothing.
  void call(View view, std::initializer_list<std::uint64_t> nodes) {
    for (const std::uint64_t node : nodes)
      r.receive(NodeId(node), peers.view_change(NodeId(node), view));
  }
  /// Each of its peers would have it vote for `digest` in view 0.
  void tempt(std::uint32_t place = 0) {
    r.receive(NodeId(1), peers.proposal(place, batch));
    for (const std::uint64_t node : {1u, 2u, 3u})
      r.receive(NodeId(node), peers.prepare(NodeId(node), View(0), place, digest));
  }
  /// View 1 begins with what one of them has a certificate for.
  NewView reproposal(const Certificate& certificate) const {
    return peers.new_view(View(1), {peers.view_change(NodeId(1), View(1)),
                                    peers.view_change(NodeId(2), View(1)),
                                    peers.view_change(NodeId(3), View(1), {certificate})},
                          {certificate});
  }
  /// The others finish view `view` with `of` in a slot.
  void commit(View view, std::uint32_t place, const Digest& of) {
    for (const std::uint64_t node : {1u, 2u, 3u}) {
      r.receive(NodeId(node), peers.prepare(NodeId(node), view, place, of));
      r.receive(NodeId(node), peers.commit(view, place, of));
    }
  }

  Peers peers{4};
  Replica r{peers};
};

/// ViewChanges of three for view 2, and what is well formed.
struct Proof {
  ViewChange change(std::uint64_t node, Certificates of = {}) const {
    return peers.view_change(NodeId(node), View(2), std::move(of));
  }
  bool accepts(const ViewChange& message) const {
    return pbft::is_well_formed(message, peers.range(), peers.cluster());
  }
  bool accepts(const NewView& message) const {
    return pbft::is_well_formed(message, peers.range(), peers.cluster());
  }
  NewView new_view(Changes changes, Certificates of = {}) const {
    return peers.new_view(View(2), std::move(changes), std::move(of));
  }

  Peers peers{4};
  Certificate certificate = peers.certificate(View(1), 0, digest);
  Certificate second = peers.certificate(View(0), 1, other_digest);
};

Bytes bytes_of(const PbftMessage& message) { return wire::encode(message); }

/// Sorted: no message depends on one before it.
std::vector<Bytes> bytes_of(const std::vector<Replica::Said>& said) {
  std::vector<Bytes> all;
  for (const Replica::Said& one : said) all.push_back(bytes_of(one.message));
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace

// What is well formed.

TEST_CASE_FIXTURE(Proof, "a ViewChange with the certificates of its claims is well formed") {
  CHECK(accepts(change(1)));
  CHECK(accepts(change(1, {certificate, second})));
  CHECK_FALSE(accepts(peers.view_change(NodeId(1), View(0))));
}

// Section 11: arrays indexed by attacker's lengths.
TEST_CASE_FIXTURE(Proof, "claims without certificates, and certificates without claims") {
  ViewChange message = change(1, {certificate, second});
  message.certificates.pop_back();
  CHECK_FALSE(accepts(message));
  message.certificates.clear();
  CHECK_FALSE(accepts(message));
  message = change(1, {certificate});
  message.certificates.push_back(second);
  CHECK_FALSE(accepts(message));
  message.certificates = {second};
  CHECK_FALSE(accepts(message));
}

TEST_CASE_FIXTURE(Proof, "claims ascend, lie in the segment, and are of earlier views") {
  CHECK_FALSE(accepts(change(1, {second, certificate})));
  CHECK_FALSE(accepts(change(1, {certificate, certificate})));
  for (const SeqNr sn : {SeqNr(0), SeqNr(2), peers.sn(3) + 4, SeqNr(~std::uint64_t{0})}) {
    Certificate outside = certificate;
    outside.sn = sn;
    CHECK_FALSE(accepts(change(1, {outside})));
  }
  CHECK_FALSE(accepts(change(1, {peers.certificate(View(2), 0, digest)})));
  CHECK_FALSE(accepts(change(1, {peers.certificate(View(~std::uint64_t{0}), 0, digest)})));
}

// Section 11: duplicate senders counted twice in a quorum; quorum 2f+1 for n != 3f+1.
TEST_CASE_FIXTURE(Proof, "a certificate has exactly a strong quorum of distinct members") {
  const auto accepts_with = [&](auto&& change_signatures) {
    Certificate altered = certificate;
    change_signatures(altered.signatures);
    return accepts(change(1, {altered}));
  };
  CHECK_FALSE(accepts_with([](auto& list) { list.pop_back(); }));
  CHECK_FALSE(accepts_with([](auto& list) { list.clear(); }));
  CHECK_FALSE(accepts_with([](auto& list) { list.push_back({NodeId(3), {}}); }));
  CHECK_FALSE(accepts_with([](auto& list) { list[2] = list[1]; }));
  CHECK_FALSE(accepts_with([](auto& list) { std::swap(list[0], list[1]); }));
  CHECK_FALSE(accepts_with([](auto& list) { list[2].node = NodeId(4); }));

  const Peers six(6);  // f is 1, and two sets of three are disjoint
  Certificate of_four = six.certificate(View(0), 0, digest);
  REQUIRE(of_four.signatures.size() == 4);
  CHECK(pbft::is_well_formed(of_four, six.cluster()));
  of_four.signatures.pop_back();
  CHECK_FALSE(pbft::is_well_formed(of_four, six.cluster()));
}

TEST_CASE_FIXTURE(Proof, "a certificate is for what is claimed") {
  for (const Certificate& wrong :
       {peers.certificate(View(0), 0, digest), peers.certificate(View(1), 1, digest),
        peers.certificate(View(1), 0, other_digest), peers.certificate(View(1), 0, nil_digest)}) {
    ViewChange message = change(1, {certificate});
    message.certificates = {wrong};
    CHECK_FALSE(accepts(message));
    CHECK_FALSE(accepts(new_view({change(1, {certificate}), change(2), change(3)}, {wrong})));
  }
}

TEST_CASE_FIXTURE(Proof, "a NewView is exactly a strong quorum of ViewChanges, by sender") {
  CHECK(accepts(new_view({change(0), change(1), change(3)})));
  CHECK_FALSE(accepts(new_view({change(0), change(1)})));
  CHECK_FALSE(accepts(new_view({change(0), change(1), change(2), change(3)})));
  CHECK_FALSE(accepts(new_view({change(0), change(1), change(1)})));
  CHECK_FALSE(accepts(new_view({change(1), change(0), change(3)})));
  CHECK_FALSE(accepts(new_view({change(0), change(1), change(4)})));
  CHECK_FALSE(accepts(new_view({})));
  CHECK_FALSE(accepts(peers.new_view(View(0), {change(0), change(1), change(3)})));
}

// Section 11: inner ViewChange view not compared.
TEST_CASE_FIXTURE(Proof, "each ViewChange of a NewView is of that very view") {
  for (const View view : {View(0), View(1), View(3)})
    CHECK_FALSE(
        accepts(new_view({change(0), change(1), peers.view_change(NodeId(3), view)})));
}

// Section 11: ViewChange signature without epoch and segment (replay).
TEST_CASE_FIXTURE(Proof, "each ViewChange of a NewView is of that very segment") {
  for (const SegmentId foreign : {SegmentId{Epoch(0), 2}, SegmentId{Epoch(1), 1}}) {
    const Peers elsewhere(4, foreign);
    const ViewChange replayed = elsewhere.view_change(NodeId(3), View(2));
    CHECK_FALSE(accepts(new_view({change(0), change(1), replayed})));
  }
}

TEST_CASE_FIXTURE(Proof, "a NewView has one certificate for each slot of its outcome") {
  const Changes changes{change(0, {certificate}), change(1), change(3, {second})};
  CHECK(accepts(new_view(changes, {certificate, second})));
  CHECK_FALSE(accepts(new_view(changes, {certificate})));
  CHECK_FALSE(accepts(new_view(changes)));
  CHECK_FALSE(accepts(new_view(changes, {second, certificate})));
  CHECK_FALSE(accepts(new_view(changes, {certificate, second, second})));
  Certificate few = certificate;
  few.signatures.pop_back();
  CHECK_FALSE(accepts(new_view(changes, {few, second})));
}

TEST_CASE_FIXTURE(Proof, "two digests at the highest view of a slot are no outcome") {
  const Certificate contrary = peers.certificate(View(1), 0, other_digest);
  const Changes changes{change(0, {certificate}), change(1, {contrary}), change(3)};
  CHECK_FALSE(pbft::outcome(changes).has_value());
  CHECK_FALSE(accepts(new_view(changes, {certificate})));
  CHECK_FALSE(accepts(new_view(changes, {contrary})));

  const Certificate older = peers.certificate(View(0), 0, other_digest);
  CHECK(accepts(new_view({change(0, {older}), change(1, {certificate}), change(3)},
                         {certificate})));
}

TEST_CASE_FIXTURE(Proof, "the claim of the highest view wins, wherever it stands") {
  const Certificate older = peers.certificate(View(0), 0, other_digest);
  for (const Changes& changes : {Changes{change(0, {certificate}), change(1, {older}), change(2)},
                                 Changes{change(0, {older}), change(1), change(2, {certificate})}})
    CHECK(pbft::outcome(changes) ==
          std::vector<PreparedClaim>{{View(1), peers.sn(0), digest}});
}

// Section 11: absent key read as view 0.
TEST_CASE_FIXTURE(Proof, "a claim of view 0 is a claim, and no claim is none") {
  const Certificate of_0 = peers.certificate(View(0), 0, digest);
  const auto found = pbft::outcome({change(0), change(1, {of_0}), change(2)});
  REQUIRE(found.has_value());
  CHECK(*found == std::vector<PreparedClaim>{{View(0), peers.sn(0), digest}});
  CHECK(pbft::outcome({change(0), change(1), change(2)})->empty());
}

// Section 11: prepared nil dropped from claims.
TEST_CASE_FIXTURE(Proof, "a prepared nil outweighs an older batch") {
  const Certificate nil = peers.certificate(View(1), 0, nil_digest);
  const Certificate older = peers.certificate(View(0), 0, digest);
  const Changes changes{change(0, {older}), change(1, {nil}), change(2)};
  CHECK(pbft::outcome(changes) ==
        std::vector<PreparedClaim>{{View(1), peers.sn(0), nil_digest}});
  CHECK(accepts(new_view(changes, {nil})));
  CHECK_FALSE(accepts(new_view(changes, {older})));
}

// Section 11: NewView evaluated in arrival order by the primary, sorted by the others.
TEST_CASE("the primary makes the same NewView in whatever order ViewChanges arrive") {
  const Peers peers(4);
  const Certificate newer = peers.certificate(View(1), 0, digest);
  const Certificate older = peers.certificate(View(0), 0, digest);
  const Changes changes{peers.view_change(NodeId(1), View(3)),
                        peers.view_change(NodeId(2), View(3), {newer}),
                        peers.view_change(NodeId(3), View(3), {older})};
  std::vector<Bytes> made;
  std::vector<std::size_t> order{0, 1, 2};
  do {
    Replica r(peers);
    r.disk = Door::shut;  // its own ViewChange comes too late
    for (const std::size_t i : order) r.receive(changes[i].sender, changes[i]);
    r.disk = Door::open;
    r.work();
    const auto sent = r.take<NewView>();
    REQUIRE(sent.size() == 1);
    CHECK(pbft::is_well_formed(sent.front(), peers.range(), peers.cluster()));
    Replica follower(peers, NodeId(2));
    follower.receive(NodeId(0), sent.front());
    CHECK(follower.segment.view() == View(3));
    CHECK(follower.segment.wanted(0) == digest);
    made.push_back(wire::encode(sent.front()));
  } while (std::next_permutation(order.begin(), order.end()));
  CHECK(made == std::vector<Bytes>(6, made.front()));
}

// Signatures.

// Section 11: forged signature logged but not rejected.
TEST_CASE_FIXTURE(Four, "a ViewChange with a forged signature proves nothing") {
  ViewChange forged = peers.view_change(NodeId(1), View(3));
  SUBCASE("of its own") { forged.signature = Bytes("forged"); }
  SUBCASE("of another member") {
    forged.signature = peers.view_change(NodeId(2), View(3)).signature;
  }
  SUBCASE("for another view") {
    forged.signature = peers.view_change(NodeId(1), View(2)).signature;
  }
  SUBCASE("for other claims") {
    forged = peers.view_change(NodeId(1), View(3), {peers.certificate(View(0), 0, digest)});
    forged.signature = peers.view_change(NodeId(1), View(3)).signature;
  }
  SUBCASE("for another segment") {
    const Peers elsewhere(4, {Epoch(0), 2});
    forged.signature = elsewhere.view_change(NodeId(1), View(3)).signature;
  }
  SUBCASE("for another epoch") {
    const Peers elsewhere(4, {Epoch(1), 1});
    forged.signature = elsewhere.view_change(NodeId(1), View(3)).signature;
  }
  SUBCASE("in a certificate") {
    Certificate certificate = peers.certificate(View(0), 0, digest);
    certificate.signatures[1].signature = certificate.signatures[0].signature;
    forged = peers.view_change(NodeId(1), View(3), {certificate});
  }
  SUBCASE("of a certificate of another segment") {
    Certificate certificate = Peers(4, {Epoch(0), 2}).certificate(View(0), 0, digest);
    certificate.sn = peers.sn(0);
    forged = peers.view_change(NodeId(1), View(3), {certificate});
  }
  r.receive(NodeId(1), forged);
  CHECK(r.bad().signature == 1);
  call(View(3), {2});
  CHECK(r.take<ViewChange>().size() == 1);  // two of its peers do call for that view
  CHECK(r.take<NewView>().empty());         // but only two of them can prove it
  call(View(3), {3});
  CHECK(r.take<NewView>().size() == 1);
}

TEST_CASE_FIXTURE(Four, "a ViewChange is believed of its sender alone") {
  r.receive(NodeId(1), peers.view_change(NodeId(2), View(3)));
  r.receive(NodeId(3), peers.view_change(NodeId(2), View(3)));
  CHECK(r.bad().vote == 2);
  CHECK(r.take<ViewChange>().empty());
}

// Section 11: forged signature logged but not rejected; NewView of a replayed or altered proof.
TEST_CASE_FIXTURE(Four, "a NewView with any signature forged is not entered") {
  const Certificate certificate = peers.certificate(View(0), 0, digest);
  Changes changes;
  for (const std::uint64_t node : {1u, 2u, 3u})
    changes.push_back(peers.view_change(NodeId(node), View(1), {certificate}));
  NewView forged = peers.new_view(View(1), changes, {certificate});
  SUBCASE("the primary's") { forged.signature = Bytes("forged"); }
  SUBCASE("by a member that is not the primary") {
    forged.signature =
        testing::signature_of(NodeId(3), pbft::signed_bytes(peers.cluster(), forged));
  }
  SUBCASE("the primary's, for another view") {
    forged.signature = peers.empty_new_view(View(1)).signature;
  }
  SUBCASE("a ViewChange's") {
    forged.view_changes[1].signature = Bytes("forged");
    forged = peers.sign(forged);
  }
  SUBCASE("a ViewChange's, of another segment") {
    const Peers elsewhere(4, {Epoch(0), 2});
    forged.view_changes[1].signature = elsewhere.view_change(NodeId(2), View(1)).signature;
    forged = peers.sign(forged);
  }
  SUBCASE("a claim is left out") {
    for (ViewChange& change : forged.view_changes) change.claims.clear();
    forged.certificates.clear();
    forged = peers.sign(forged);
  }
  SUBCASE("a certificate's") {
    forged.certificates[0].signatures[0].signature = Bytes("forged");
    forged = peers.sign(forged);
  }
  r.receive(NodeId(2), forged);
  CHECK(r.bad().signature == 1);
  CHECK(r.segment.view() == View(0));
  CHECK(r.log.empty());
  r.receive(NodeId(2), peers.new_view(View(1), changes, {certificate}));
  CHECK(r.segment.view() == View(1));
}

TEST_CASE_FIXTURE(Four, "a NewView is passed on by anybody, and made by its primary alone") {
  NewView message = peers.empty_new_view(View(1));
  message.signature =
      testing::signature_of(NodeId(3), pbft::signed_bytes(peers.cluster(), message));
  r.receive(NodeId(3), message);
  CHECK(r.bad().signature == 1);
  CHECK(r.segment.view() == View(0));
  r.receive(NodeId(3), peers.empty_new_view(View(1)));
  CHECK(r.segment.view() == View(1));
}

TEST_CASE_FIXTURE(Four, "a NewView that is no proof is refused before any signature is checked") {
  r.verifier = Door::shut;
  NewView message = peers.empty_new_view(View(1));
  message.view_changes.pop_back();
  r.receive(NodeId(2), peers.sign(message));
  r.receive(NodeId(2), peers.view_change(NodeId(2), View(0)));
  CHECK(r.bad().vote == 2);
  CHECK(r.unverified<NewViewChecking>() + r.unverified<ViewChangeChecking>() == 0);
}

// Section 11: stale hash or signature result applied to a newer view.
TEST_CASE_FIXTURE(Four, "a verdict on a ViewChange is not taken for its sender's next one") {
  r.verifier = Door::shut;
  call(View(1), {2, 3});
  ViewChange forged = peers.view_change(NodeId(1), View(3));
  r.receive(NodeId(1), peers.view_change(NodeId(1), View(2)));
  forged.signature = Bytes("forged");
  r.receive(NodeId(1), forged);
  call(View(3), {2});
  for (int i = 0; i < 3; ++i) r.verify_one<ViewChangeChecking>();  // 2, 3, and 1's for view 2
  r.verifier = Door::open;
  r.work();
  CHECK(r.bad().signature == 1);
  CHECK(r.take<NewView>().empty());
}

TEST_CASE_FIXTURE(Four, "a verdict on a NewView is not taken for its sender's next one") {
  r.verifier = Door::shut;
  r.receive(NodeId(2), peers.empty_new_view(View(1)));
  r.receive(NodeId(3), peers.empty_new_view(View(2)));
  r.verify_one<NewViewChecking>();
  REQUIRE(r.segment.view() == View(1));
  NewView forged = peers.empty_new_view(View(2));
  forged.signature = Bytes("forged");
  r.receive(NodeId(3), forged);
  r.verify_one<NewViewChecking>();  // what was valid
  if (r.segment.view() == View(2))
    CHECK(r.last<NewViewEntry>().message.signature != Bytes("forged"));
  r.verifier = Door::open;
  r.work();
  r.receive(NodeId(2), peers.empty_new_view(View(2)));
  CHECK(r.segment.view() == View(2));
  CHECK(r.last<NewViewEntry>().message.signature != Bytes("forged"));
}

TEST_CASE_FIXTURE(Four, "an own signature that comes too late makes no vote in a later view") {
  r.signer = Door::shut;
  r.receive(NodeId(1), peers.proposal(0, batch));
  r.receive(NodeId(2), peers.empty_new_view(View(1)));
  CHECK(r.segment.view() == View(1));
  r.signer = Door::open;
  r.work();
  const auto votes = r.take<Prepare>();
  REQUIRE(votes.size() == 4);
  for (const Prepare& vote : votes) {
    CHECK(vote.view == View(1));
    CHECK(vote.digest == nil_digest);
  }
  CHECK(r.logged<VoteEntry>() == 4);
}

TEST_CASE_FIXTURE(Four, "an own signature that comes too late makes no vote once views change") {
  r.signer = Door::shut;
  r.receive(NodeId(1), peers.proposal(0, batch));
  r.lose_patience();
  r.signer = Door::open;
  r.work();
  CHECK(r.take<ViewChange>().size() == 1);
  CHECK(r.take<Prepare>().empty());
  CHECK(r.logged<VoteEntry>() == 0);
}

TEST_CASE_FIXTURE(Four, "an own signature that comes once a segment is stable says nothing") {
  prepare();
  r.signer = Door::shut;
  r.lose_patience();
  for (std::uint32_t place = 0; place < peers.range().count; ++place) r.adopt(place, batch);
  r.segment.stable();
  r.signer = Door::open;
  r.work();
  CHECK(r.take<ViewChange>().empty());
  CHECK(r.logged<ViewChangeEntry>() == 0);
}
TEST_CASE_FIXTURE(Four, "verdicts on votes of an earlier view make no certificate in a later one") {
  r.verifier = Door::shut;
  r.receive(NodeId(1), peers.proposal(0, batch));
  r.receive(NodeId(2), peers.prepare(NodeId(2), View(0), 0, digest));
  REQUIRE(r.unverified<PrepareChecking>() == 1);
  r.receive(NodeId(2), peers.empty_new_view(View(1)));
  r.verify_one<NewViewChecking>();
  REQUIRE(r.segment.view() == View(1));
  Prepare forged = peers.prepare(NodeId(1), View(1), 0, nil_digest);
  forged.signature = Bytes("forged");
  r.receive(NodeId(1), forged);
  r.verify_one<PrepareChecking>();  // 1 and 2 have voted in view 0
  r.receive(NodeId(3), peers.prepare(NodeId(3), View(1), 0, nil_digest));
  r.verifier = Door::open;
  r.work();
  CHECK(r.bad().signature == 1);
  CHECK(r.take<Commit>().empty());
  CHECK(r.logged<PreparedEntry>() == 0);
}

TEST_CASE_FIXTURE(Four, "a proposal that is checked too late is not voted for") {
  r.checker = Door::shut;
  r.receive(NodeId(1), peers.proposal(0, batch));
  SUBCASE("while the view is changing") { r.lose_patience(); }
  SUBCASE("in a later view, which gives the slot up") {
    r.receive(NodeId(2), peers.empty_new_view(View(1)));
    CHECK(r.take<Prepare>().size() == 4);
  }
  r.checker = Door::open;
  r.work();
  CHECK(r.take<Prepare>().empty());
  CHECK(r.halts().empty());
}

TEST_CASE_FIXTURE(Four, "a digest that comes late is not taken for that of another batch") {
  // The leader has told this replica something else than the others.
  r.checker = Door::shut;
  r.receive(NodeId(1), peers.proposal(0, Peers::batch(8)));
  r.adopt(0, batch);
  r.checker = Door::open;
  r.work();
  CHECK(r.take<Prepare>().empty());
  const Certificate certificate = peers.certificate(View(0), 0, digest);
  r.receive(NodeId(2), reproposal(certificate));
  std::size_t votes = 0;
  for (const Prepare& vote : r.take<Prepare>()) votes += vote.sn == peers.sn(0);
  CHECK(votes == 1);  // those who have not decided need it
}

// Who calls for a view, and who follows.

// Section 11: ViewChange sent to the primary only, no join rule.
TEST_CASE_FIXTURE(Four, "who loses patience tells everybody") {
  r.lose_patience();
  REQUIRE(r.said.size() == 1);
  CHECK(r.said.front().to == std::vector{NodeId(1), NodeId(2), NodeId(3)});
  const auto calls = r.take<ViewChange>();
  CHECK(calls.front().view == View(1));
}

TEST_CASE_FIXTURE(Four, "a replica joins the highest view that a weak quorum calls for") {
  call(View(9), {1});
  CHECK(r.take<ViewChange>().empty());
  call(View(4), {2});
  auto calls = r.take<ViewChange>();
  REQUIRE(calls.size() == 1);
  CHECK(calls.front().view == View(4));
  call(View(6), {3});
  calls = r.take<ViewChange>();
  REQUIRE(calls.size() == 1);
  CHECK(calls.front().view == View(6));
  call(View(5), {2});  // nothing new
  CHECK(r.take<ViewChange>().empty());
}

// Section 11: quorum 2f+1 for n != 3f+1.
TEST_CASE("in a cluster of six a NewView takes four, and two are enough to join") {
  const Peers six(6);
  Replica r(six, NodeId(2));  // the primary of view 1
  r.receive(NodeId(0), six.view_change(NodeId(0), View(1)));
  CHECK(r.take<ViewChange>().empty());
  r.receive(NodeId(1), six.view_change(NodeId(1), View(1)));
  CHECK(r.take<ViewChange>().size() == 1);
  CHECK(r.take<NewView>().empty());  // three with its own
  r.receive(NodeId(3), six.view_change(NodeId(3), View(1)));
  CHECK(r.take<NewView>().size() == 1);
}

// Section 11: duplicate senders counted twice in a quorum.
TEST_CASE_FIXTURE(Four, "one member that calls again and again is one") {
  for (const std::uint64_t view : {1u, 1u, 2u, 3u, 3u}) call(View(view), {1});
  CHECK(r.take<ViewChange>().empty());
  r.disk = Door::shut;
  call(View(3), {2, 2, 1, 2, 1});
  r.receive(NodeId(3), peers.view_change(NodeId(1), View(3)));
  CHECK(r.segment.view() == View(0));  // they are two
  r.disk = Door::open;
  r.work();
  CHECK(r.take<ViewChange>().size() == 1);
  CHECK(r.take<NewView>().size() == 1);  // with its own they are three
}

TEST_CASE_FIXTURE(Four, "the own ViewChange does not count before it is durable") {
  r.disk = Door::shut;
  call(View(3), {1, 2});
  CHECK(r.said.empty());
  r.disk = Door::open;
  r.work();
  CHECK(r.take<ViewChange>().size() == 1);
  CHECK(r.take<NewView>().size() == 1);
}

TEST_CASE_FIXTURE(Four, "a NewView is durable before it is sent, and before a vote in its view") {
  call(View(3), {1, 2, 3});
  CHECK(r.segment.view() == View(3));
  REQUIRE(r.log.size() == 6);
  CHECK(std::holds_alternative<ViewChangeEntry>(r.log[0]));
  CHECK(std::holds_alternative<NewViewEntry>(r.log[1]));
  Replica slow(peers);
  slow.disk = Door::shut;
  for (const std::uint64_t node : {1u, 2u, 3u})
    slow.receive(NodeId(node), peers.view_change(NodeId(node), View(3)));
  CHECK(slow.said.empty());
}

// Section 11: `1 << view` overflow.
TEST_CASE_FIXTURE(Four, "a view of 2^60 does no harm") {
  const View far(std::uint64_t{1} << 60);
  const View last(~std::uint64_t{0});
  SUBCASE("called for by one member") {
    call(far, {1});
    call(last, {1});
    CHECK(r.take<ViewChange>().empty());
    call(View(1), {2, 3});
    CHECK(r.take<ViewChange>().front().view == View(1));
  }
  SUBCASE("called for by all") {
    call(far, {1, 2, 3});
    auto calls = r.take<ViewChange>();
    REQUIRE(calls.size() == 1);
    CHECK(calls.front().view == far);
    r.tick(1ms);
    r.tick(4095s);
    CHECK(r.take<ViewChange>().front().view == far);  // said again
    r.tick(1s);
    CHECK(r.take<ViewChange>().back().view == far + 1);
  }
  SUBCASE("begun") {
    r.receive(peers.primary(far), peers.empty_new_view(far));
    CHECK(r.segment.view() == far);
    CHECK(r.take<Prepare>().size() == 4);
    r.tick(1ms);
    r.tick(4095s);
    CHECK(r.take<ViewChange>().empty());
    r.tick(1s);
    CHECK(r.take<ViewChange>().size() == 1);
  }
  SUBCASE("in votes") {
    for (const View view : {far, last}) {
      r.receive(NodeId(2), peers.prepare(NodeId(2), view, 0, digest));
      r.receive(NodeId(2), peers.commit(view, 0, digest));
    }
    CHECK(r.said.empty());
    r.receive(NodeId(1), peers.proposal(0, batch));
    r.receive(NodeId(3), peers.prepare(NodeId(3), View(0), 0, digest));
    CHECK(r.take<Commit>().size() == 1);
  }
  CHECK(r.halts().empty());
}

// Votes while the view changes, and after.

TEST_CASE_FIXTURE(Four, "nothing is voted for below the view that was called for") {
  r.lose_patience();
  tempt();
  CHECK(r.take<Prepare>().empty());
  CHECK(r.logged<VoteEntry>() == 0);
  CHECK_FALSE(r.segment.is_open());

  call(View(3), {1, 2});  // that is its view now
  r.receive(NodeId(2), peers.empty_new_view(View(1)));
  r.receive(NodeId(3), peers.empty_new_view(View(2)));
  CHECK(r.segment.view() == View(3));
  for (const Prepare& vote : r.take<Prepare>()) CHECK(vote.view == View(3));
}

TEST_CASE_FIXTURE(Four, "no certificate is made below the view that was called for") {
  r.receive(NodeId(1), peers.proposal(0, batch));
  r.lose_patience();
  const auto calls = r.take<ViewChange>();
  REQUIRE(calls.size() == 1);
  CHECK(calls.front().claims.empty());
  for (const std::uint64_t node : {2u, 3u})
    r.receive(NodeId(node), peers.prepare(NodeId(node), View(0), 0, digest));
  CHECK(r.take<Commit>().empty());
  CHECK(r.logged<PreparedEntry>() == 0);
}

// Section 11: prepared nil dropped from claims.
TEST_CASE_FIXTURE(Four, "what is prepared is claimed, with the certificate, nil too") {
  prepare(2);
  r.receive(NodeId(2), peers.new_view(View(1), {peers.view_change(NodeId(1), View(1)),
                                                peers.view_change(NodeId(2), View(1)),
                                                peers.view_change(NodeId(3), View(1))}));
  for (const std::uint64_t node : {1u, 2u})
    r.receive(NodeId(node), peers.prepare(NodeId(node), View(1), 0, nil_digest));
  CHECK(r.take<Commit>().size() == 2);
  call(View(2), {1, 3});
  const auto calls = r.take<ViewChange>();
  REQUIRE(calls.size() == 1);
  CHECK(pbft::is_well_formed(calls.front(), peers.range(), peers.cluster()));
  CHECK(calls.front().claims ==
        std::vector<PreparedClaim>{{View(1), peers.sn(0), nil_digest},
                                   {View(0), peers.sn(2), digest}});
}

TEST_CASE_FIXTURE(Four, "a nil that was prepared survives the next view") {
  const Certificate nil = peers.certificate(View(1), 0, nil_digest);
  const Certificate older = peers.certificate(View(0), 0, digest);
  prepare();
  r.take<Prepare>();
  r.receive(NodeId(3), peers.new_view(View(2), {peers.view_change(NodeId(0), View(2), {older}),
                                                peers.view_change(NodeId(1), View(2), {nil}),
                                                peers.view_change(NodeId(3), View(2))},
                                      {nil}));
  REQUIRE(r.segment.view() == View(2));
  CHECK(r.take<Prepare>().front().digest == nil_digest);
  commit(View(2), 0, nil_digest);
  CHECK(r.decided.at(0) == nil_digest);
}

TEST_CASE_FIXTURE(Four, "what was prepared is voted for again once its batch is here") {
  const Certificate certificate = peers.certificate(View(0), 0, digest);
  const NewView message = reproposal(certificate);
  SUBCASE("as it was proposed") { r.receive(NodeId(1), peers.proposal(0, batch)); }
  SUBCASE("supplied by another") {
    r.receive(NodeId(2), message);
    CHECK(r.segment.wanted(0) == digest);
    CHECK(r.take<Prepare>().size() == 3);
    r.supply(0, Peers::batch(8));
    CHECK(r.take<Prepare>().empty());
    r.supply(0, batch);
  }
  r.receive(NodeId(2), message);
  commit(View(1), 0, digest);
  CHECK(r.decided.at(0) == digest);
  CHECK(r.last<VoteEntry>().content.view == View(1));
}

TEST_CASE_FIXTURE(Four, "who has decided votes in later views, and never for something else") {
  prepare();
  commit(View(0), 0, digest);
  REQUIRE(r.decided.contains(0));
  const Certificate certificate = peers.certificate(View(0), 0, digest);
  r.take<Prepare>();
  r.receive(NodeId(2), reproposal(certificate));
  const auto votes = r.take<Prepare>();
  REQUIRE(votes.size() == 4);
  CHECK(votes.front().digest == digest);
  CHECK(r.halts().empty());
  r.receive(NodeId(3), peers.empty_new_view(View(2)));  // more than f lie
  CHECK(r.halts().size() == 1);
  for (const Prepare& vote : r.take<Prepare>()) CHECK(vote.sn != peers.sn(0));
}

// What is durable before what is said or counted.

// Section 11: send before persist; own vote counted before sync.
TEST_CASE_FIXTURE(Four, "the own vote is neither sent nor counted before it is durable") {
  r.disk = r.verifier = Door::shut;
  r.receive(NodeId(1), peers.proposal(0, batch));
  for (const std::uint64_t node : {2u, 3u})
    r.receive(NodeId(node), peers.prepare(NodeId(node), View(0), 0, digest));
  CHECK(r.said.empty());
  CHECK(r.unverified<PrepareChecking>() == 0);  // that would be for a certificate
  r.disk = r.verifier = Door::open;
  r.work();
  CHECK(r.take<Prepare>().size() == 1);
  CHECK(r.take<Commit>().size() == 1);
}

TEST_CASE_FIXTURE(Four, "a Commit is neither sent nor counted before its certificate is durable") {
  r.receive(NodeId(1), peers.proposal(0, batch));
  r.take<Prepare>();
  r.disk = Door::shut;
  r.receive(NodeId(2), peers.prepare(NodeId(2), View(0), 0, digest));
  for (const std::uint64_t node : {1u, 2u, 3u})
    r.receive(NodeId(node), peers.commit(View(0), 0, digest));
  CHECK(r.said.empty());
  CHECK(r.decided.empty());
  r.disk = Door::open;
  r.work();
  CHECK(r.take<Commit>().size() == 1);
  CHECK(r.decided.at(0) == digest);
  const Certificate certificate = r.last<PreparedEntry>().certificate;
  CHECK(pbft::is_well_formed(certificate, peers.cluster()));
}

TEST_CASE_FIXTURE(Four, "Commits without an own certificate decide nothing") {
  r.receive(NodeId(1), peers.proposal(0, batch));
  for (const std::uint64_t node : {1u, 2u, 3u})
    r.receive(NodeId(node), peers.commit(View(0), 0, digest));
  CHECK(r.decided.empty());
  r.receive(NodeId(2), peers.prepare(NodeId(2), View(0), 0, digest));
  CHECK(r.decided.at(0) == digest);
}

TEST_CASE_FIXTURE(Four, "Commits for another digest or view are not counted") {
  prepare();
  r.receive(NodeId(1), peers.commit(View(0), 0, other_digest));
  r.receive(NodeId(1), peers.commit(View(0), 0, digest));
  r.receive(NodeId(2), peers.commit(View(1), 0, digest));
  r.receive(NodeId(3), peers.commit(View(0), 0, digest));
  r.receive(NodeId(3), peers.commit(View(0), 0, digest));
  CHECK(r.bad().duplicate == 1);
  CHECK(r.decided.empty());
}

TEST_CASE_FIXTURE(Four, "votes for slots that the segment does not have are counted") {
  Prepare vote = peers.prepare(NodeId(2), View(0), 0, digest);
  for (const SeqNr sn : {SeqNr(0), SeqNr(2), peers.sn(3) + 4, SeqNr(~std::uint64_t{0})}) {
    vote.sn = sn;
    r.receive(NodeId(2), vote);
    r.receive(NodeId(2), Commit{vote.segment, View(0), sn, digest});
  }
  CHECK(r.bad().vote == 8);
}

// Restarts.

// Section 11: different batch re-proposed after a crash.
TEST_CASE("the leader proposes after a restart what it has proposed before, byte for byte") {
  const Peers peers(4);
  Replica before(peers, NodeId(1));
  before.propose(0, batch);
  const auto sent = before.take<PrePrepare>();
  REQUIRE(sent.size() == 1);

  Replica after(peers, NodeId(1), before.log);
  CHECK(*after.claimed.at(0) == *batch);
  CHECK(after.segment.is_proposed(0));
  CHECK_FALSE(after.segment.is_proposed(1));
  const auto again = after.take<PrePrepare>();
  REQUIRE(again.size() == 1);
  CHECK(bytes_of(again.front()) == bytes_of(sent.front()));
  CHECK(after.log.empty());

  after.propose(0, Peers::batch(8));
  CHECK(after.halts().size() == 1);
  CHECK(after.said.empty());
  CHECK(after.log.empty());
}

TEST_CASE_FIXTURE(Four, "a recorded vote is given once, whatever is proposed after a restart") {
  r.receive(NodeId(1), peers.proposal(0, batch));
  const auto sent = r.take<Prepare>();
  Replica after(peers, NodeId(0), r.log);
  const auto again = after.take<Prepare>();
  REQUIRE(again.size() == 1);
  CHECK(bytes_of(again.front()) == bytes_of(sent.front()));
  after.receive(NodeId(1), peers.proposal(0, Peers::batch(8)));
  CHECK(after.said.empty());
  CHECK(after.log.empty());

  after.receive(NodeId(1), peers.proposal(0, batch));  // and it goes on from there
  after.receive(NodeId(1), peers.prepare(NodeId(1), View(0), 0, digest));
  after.receive(NodeId(2), peers.prepare(NodeId(2), View(0), 0, digest));
  CHECK(after.take<Commit>().size() == 1);
}

TEST_CASE_FIXTURE(Four, "the log's vote for a view and slot is the only one") {
  const NewView nil = peers.empty_new_view(View(1));
  r.receive(NodeId(2), nil);
  Log log = r.log;
  // The log has a vote in view 1 that its NewView does not allow.
  const Prepare other = peers.prepare(NodeId(0), View(1), 0, digest);
  log = {log.front(),
         VoteEntry{{other.segment, other.view, other.sn, other.digest}, other.signature, batch}};
  Replica after(peers, NodeId(0), log);
  // The slot is as it was voted for, and no second vote is made for it.
  for (const Prepare& vote : after.take<Prepare>())
    if (vote.sn == other.sn) CHECK(vote.digest == digest);
  after.receive(NodeId(2), nil);
  for (const Prepare& vote : after.take<Prepare>()) CHECK(vote.sn != other.sn);
  for (const Pbft::Entry& entry : after.log)
    if (const auto* vote = std::get_if<VoteEntry>(&entry)) CHECK(vote->content.sn != other.sn);
}

TEST_CASE_FIXTURE(Four, "a restarted replica says the same again, and writes nothing twice") {
  std::vector<Bytes> before;
  const auto restart = [&] {
    Replica after(peers, NodeId(0), r.log);
    CHECK(after.log.empty());
    CHECK(after.halts().empty());
    CHECK(after.segment.view() == r.segment.view());
    CHECK(after.segment.is_open() == r.segment.is_open());
    return bytes_of(after.said);
  };
  SUBCASE("after a vote and a Commit") {
    prepare();
    before = bytes_of(r.said);
    CHECK(restart() == before);
  }
  SUBCASE("after a call for the next view") {
    prepare();
    r.said.clear();
    r.lose_patience();
    before = bytes_of(r.said);
    REQUIRE(before.size() == 1);
    const auto after = restart();
    REQUIRE(after.size() == 3);  // with its vote and its Commit
    CHECK(std::count(after.begin(), after.end(), before.front()) == 1);
  }
  SUBCASE("after a NewView of its own") {
    call(View(3), {1, 2});
    r.take<ViewChange>();
    before = bytes_of(r.said);
    CHECK(restart() == before);
  }
  SUBCASE("after another's NewView, and votes in its view") {
    prepare();
    r.said.clear();
    r.receive(NodeId(2), peers.empty_new_view(View(1)));
    for (const std::uint64_t node : {1u, 2u})
      r.receive(NodeId(node), peers.prepare(NodeId(node), View(1), 3, nil_digest));
    std::size_t known = 0;
    const auto after = restart();
    for (const Bytes& said : bytes_of(r.said))
      known += static_cast<std::size_t>(std::count(after.begin(), after.end(), said));
    CHECK(known == r.said.size());
  }
}

// Section 11: `in view change` flag cleared by re-initialisation.
TEST_CASE_FIXTURE(Four, "a replica that has called for a view is still calling after a restart") {
  prepare(0);
  r.lose_patience();
  const auto call = r.take<ViewChange>();
  Replica after(peers, NodeId(0), r.log);
  CHECK_FALSE(after.segment.is_open());
  CHECK(wire::encode(after.take<ViewChange>().front()) == wire::encode(call.front()));
  after.said.clear();
  after.receive(NodeId(1), peers.proposal(1, batch));
  for (const std::uint64_t node : {1u, 2u, 3u})
    after.receive(NodeId(node), peers.prepare(NodeId(node), View(0), 1, digest));
  CHECK(after.said.empty());
  after.receive(NodeId(2), peers.empty_new_view(View(1)));
  CHECK(after.segment.view() == View(1));
}

TEST_CASE_FIXTURE(Four, "a ViewChange after a restart claims what was prepared before") {
  prepare(1);
  Replica after(peers, NodeId(0), r.log);
  after.lose_patience();
  const auto calls = after.take<ViewChange>();
  REQUIRE(calls.size() == 1);
  CHECK(calls.front().claims == std::vector<PreparedClaim>{{View(0), peers.sn(1), digest}});
  CHECK(pbft::is_well_formed(calls.front(), peers.range(), peers.cluster()));
}

TEST_CASE_FIXTURE(Four, "a vote that did not reach the disk was never given") {
  r.disk = Door::shut;
  r.receive(NodeId(1), peers.proposal(0, batch));
  Replica after(peers, NodeId(0), r.log);
  after.receive(NodeId(1), peers.proposal(0, Peers::batch(8)));
  const auto votes = after.take<Prepare>();
  REQUIRE(votes.size() == 1);
  CHECK(votes.front().digest == other_digest);
}

TEST_CASE_FIXTURE(Four, "what was decided is known after a restart, and not written again") {
  prepare();
  commit(View(0), 0, digest);
  r.adopt(1, Peers::batch(8));  // never voted for here: its batch is in its entry
  REQUIRE(r.logged<DecidedEntry>() == 2);
  Replica after(peers, NodeId(0), r.log);
  CHECK(after.decided == r.decided);
  CHECK(after.log.empty());
  CHECK(after.said.empty());  // who lacks it asks
}

TEST_CASE_FIXTURE(Four, "a vote for what is decided counts after a restart too") {
  prepare();
  commit(View(0), 0, digest);
  const Certificate certificate = peers.certificate(View(0), 0, digest);
  r.receive(NodeId(2), reproposal(certificate));
  REQUIRE(r.logged<VoteEntry>() == 5);
  Replica after(peers, NodeId(0), r.log);
  for (const std::uint64_t node : {1u, 2u})
    after.receive(NodeId(node), peers.prepare(NodeId(node), View(1), 0, digest));
  std::size_t commits = 0;
  for (const Commit& commit : after.take<Commit>()) commits += commit.view == View(1);
  CHECK(commits == 1);
}

// What a later view has decided may differ from what an earlier one proposes: the earlier one's
// certificate was known to too few.
TEST_CASE_FIXTURE(Four, "who has learned a later view's decision joins an earlier view") {
  r.adopt(0, Peers::batch(8));
  r.receive(NodeId(2), reproposal(peers.certificate(View(0), 0, digest)));
  CHECK(r.halts().empty());
  const auto votes = r.take<Prepare>();
  CHECK(votes.size() == 3);
  CHECK(std::ranges::none_of(votes, [&](const Prepare& vote) { return vote.sn == peers.sn(0); }));
  CHECK_FALSE(r.segment.awaits_votes(0));
  Replica after(peers, NodeId(0), r.log);
  CHECK(after.halts().empty());
  CHECK(after.decided == r.decided);
}

TEST_CASE_FIXTURE(Four, "who has learned a later view's decision after an earlier view began") {
  r.receive(NodeId(2), reproposal(peers.certificate(View(0), 0, digest)));
  r.adopt(0, Peers::batch(8));
  Replica after(peers, NodeId(0), r.log);
  CHECK(after.halts().empty());
  CHECK(after.decided == r.decided);
}

TEST_CASE_FIXTURE(Four, "a vote is stood by also where the decision came first") {
  r.disk = Door::shut;
  r.receive(NodeId(2), reproposal(peers.certificate(View(0), 0, digest)));
  r.supply(0, batch);
  r.adopt(0, batch);
  r.disk = Door::open;
  r.work();
  std::vector<PbftMessage> said;
  r.segment.repeat_slot(0, NodeId(0), [&](PbftMessage message) { said.push_back(message); });
  REQUIRE(said.size() == 1);
  CHECK(std::get<Prepare>(said.front()).view == View(1));
}

// Its leader has proposed one batch here and another one there.
TEST_CASE_FIXTURE(Four, "a vote is recorded with the batch that it is for, or not given") {
  r.signer = Door::shut;
  r.receive(NodeId(1), peers.proposal(0, batch));
  r.adopt(0, Peers::batch(8));
  r.signer = Door::open;
  r.work();
  CHECK(r.logged<VoteEntry>() == 0);
  CHECK(r.take<Prepare>().empty());
}

TEST_CASE_FIXTURE(Four, "a view that contradicts what Commits have decided stops the replica") {
  prepare();
  commit(View(0), 0, digest);
  r.receive(NodeId(2), reproposal(peers.certificate(View(0), 0, other_digest)));
  CHECK(r.halts().size() == 1);
}

// Who asks often.

// Section 11: small fetch, huge answer.
TEST_CASE_FIXTURE(Four, "who calls for a view that has begun gets its NewView, now and then") {
  r.receive(NodeId(2), peers.empty_new_view(View(1)));
  for (int i = 0; i < 100; ++i) call(View(1), {3});
  CHECK(r.take<NewView>().size() == 1);
  r.tick(500ms);
  call(View(1), {3});
  CHECK(r.take<NewView>().size() == 1);
}

}  // namespace mirbft::pbft_view_change_test

// NewViews that are not what their ViewChanges say, and votes for something else, are caught.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/sim/view_invariants.hpp>

#include "seen.hpp"

namespace mirbft::sim::view_invariants_test {
namespace {

using namespace testing;

/// Of epoch 0 with four leaders: its slots are 1 and 5, and node 3 makes its view 2.
constexpr SegmentId segment{Epoch(0), 1};
constexpr View view(2);

/// Only the primary's signature is valid.
struct PrimaryCrypto {
  SignatureCheck verify_node(NodeId node, Epoch, ByteView, ByteView) const {
    return node == NodeId(3) ? SignatureCheck::valid : SignatureCheck::invalid;
  }
  void update_node_key(NodeId, Epoch, const std::optional<Bytes>&) {}
};
using NewViews = NewViewsFollow<PrimaryCrypto>;

PreparedClaim claim(std::uint64_t in, std::uint64_t sn, std::uint8_t mark) {
  return {View(in), SeqNr(sn), digest_of(mark)};
}
Certificate proof(const PreparedClaim& of) { return {of.view, of.sn, of.digest, {}}; }
ViewChange change(std::uint64_t sender, std::vector<PreparedClaim> claims = {}) {
  return {segment, view, NodeId(sender), std::move(claims), {}, {}};
}
NewView made_of(std::vector<ViewChange> changes, std::vector<Certificate> certificates = {}) {
  return {segment, view, std::move(changes), std::move(certificates), {}};
}

std::string found(const NewView& message) {
  Seen accepted;
  NewViews(seen_config(), {}).event(NodeId(0), appended(NewViewEntry{message}),
                                    accepted.findings);
  Seen sending;
  NewViews(seen_config(), {}).event(NodeId(0), sent(message), sending.findings);
  CHECK(accepted.findings.none() == sending.findings.none());
  CHECK((accepted.first() == "" || accepted.first() == "new views"));
  return accepted.text();
}
bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("new views: exactly a strong quorum of ViewChanges, in order, each for this view") {
  CHECK(found(made_of({change(0), change(1), change(2)})) == "");
  CHECK(contains(found(made_of({change(0), change(1)})), "has 2 ViewChanges"));
  CHECK(contains(found(made_of({change(0), change(1), change(2), change(3)})), "has 4"));
  CHECK(contains(found(made_of({change(0), change(1), change(4)})), "no member"));
  CHECK(contains(found(made_of({change(0), change(1), change(1)})), "distinct"));
  CHECK(contains(found(made_of({change(1), change(0), change(2)})), "order"));
  std::vector<ViewChange> others{change(0), change(1), change(2)};
  SUBCASE("another view") { others[1].view = View(1); }
  SUBCASE("another segment") { others[1].segment.index = 2; }
  SUBCASE("another epoch") { others[1].segment.epoch = Epoch(1); }
  CHECK(contains(found(made_of(others)), "another segment or view"));
}

TEST_CASE("new views: claims are of slots of the segment, once, and of views before") {
  const auto claiming = [](std::vector<PreparedClaim> claims, std::vector<Certificate> proofs) {
    return found(made_of({change(0, std::move(claims)), change(1), change(2)},
                         std::move(proofs)));
  };
  const PreparedClaim one = claim(1, 5, 1);
  CHECK(claiming({one}, {proof(one)}) == "");
  CHECK(contains(claiming({claim(1, 6, 1)}, {proof(claim(1, 6, 1))}), "another segment"));
  CHECK(contains(claiming({claim(1, 9, 1)}, {proof(claim(1, 9, 1))}), "another segment"));
  CHECK(contains(claiming({one, one}, {proof(one)}), "two claims"));
  CHECK(contains(claiming({claim(2, 5, 1)}, {proof(claim(2, 5, 1))}), "not over"));
}

TEST_CASE("new views: each claim of the highest view is proven, and no other") {
  const PreparedClaim low = claim(0, 5, 1);
  const PreparedClaim high = claim(1, 5, 2);
  const auto proven = [&](std::vector<Certificate> proofs) {
    return found(made_of({change(0, {low}), change(1, {high}), change(2, {low})},
                         std::move(proofs)));
  };
  CHECK(proven({proof(high)}) == "");
  CHECK(contains(proven({proof(low)}), "does not prove the claim for sn 5"));
  CHECK(contains(proven({}), "does not prove"));
  CHECK(contains(proven({proof(high), proof(low)}), "nobody claims"));
  CHECK(contains(found(made_of({change(0, {high}), change(1, {claim(1, 5, 3)}), change(2)},
                               {proof(high)})),
                 "contradict"));
}

TEST_CASE("new views: signed by the primary of the view, who moves on from the leader") {
  NewView other = made_of({change(0), change(1), change(2)});
  other.view = View(6);
  for (ViewChange& one : other.view_changes) one.view = View(6);
  CHECK(found(other) == "");
  other.view = View(7);
  for (ViewChange& one : other.view_changes) one.view = View(7);
  CHECK(contains(found(other), "not signed by its primary"));
  other.view = View(0);
  CHECK(contains(found(other), "view 0"));
  other.segment.index = 4;
  CHECK(contains(found(other), "of no segment"));
}

namespace {

/// Node 0 has accepted that slot 5 has digest 1 in view 2, and slot 1 nothing.
struct Accepted {
  Seen seen;
  NewViews checks{seen_config(), {}};

  Accepted() {
    const PreparedClaim one = claim(1, 5, 1);
    checks.event(NodeId(0),
                 appended(NewViewEntry{
                     made_of({change(0), change(1, {one}), change(2)}, {proof(one)})}),
                 seen.findings);
  }
  std::string votes(std::uint64_t node, View in, std::uint64_t sn, const Digest& digest) {
    checks.event(NodeId(node), appended(VoteEntry{{segment, in, SeqNr(sn), digest}, {}, {}}),
                 seen.findings);
    return seen.first();
  }
};

}  // namespace

TEST_CASE("new views: votes are for the outcome") {
  CHECK(Accepted().votes(0, view, 5, digest_of(1)) == "");
  CHECK(Accepted().votes(0, view, 1, nil_digest) == "");
  CHECK(Accepted().votes(0, View(0), 5, digest_of(2)) == "");
  CHECK(Accepted().votes(0, view, 5, nil_digest) == "new views");
  CHECK(Accepted().votes(0, view, 1, digest_of(1)) == "new views");
  CHECK(Accepted().votes(0, view, 2, nil_digest) == "new views");
  CHECK(Accepted().votes(0, View(3), 5, digest_of(1)) == "new views");
  CHECK(Accepted().votes(1, view, 5, digest_of(1)) == "new views");
  Accepted wiped;
  wiped.checks.wiped(NodeId(0));
  CHECK(wiped.votes(0, view, 5, digest_of(1)) == "new views");
}

}  // namespace mirbft::sim::view_invariants_test

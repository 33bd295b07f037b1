// Each invariant of PBFT catches what it is there for, and lets pass what is right.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/sim/pbft_invariants.hpp>

#include "seen.hpp"

namespace mirbft::sim::pbft_invariants_test {
namespace {

using namespace testing;

constexpr SegmentId segment{Epoch(1), 2};

Prepare prepare(std::uint64_t view, std::uint64_t sn, std::uint8_t mark) {
  return {segment, View(view), SeqNr(sn), digest_of(mark), {}};
}
Commit commit(std::uint64_t view, std::uint64_t sn, std::uint8_t mark) {
  return {segment, View(view), SeqNr(sn), digest_of(mark)};
}
ViewChange view_change(std::uint64_t view, std::vector<PreparedClaim> claims = {}) {
  return {segment, View(view), NodeId(0), std::move(claims), {}, {}};
}
PreparedEntry prepared(std::uint64_t view, std::uint64_t sn, std::uint8_t mark) {
  return {segment, {View(view), SeqNr(sn), digest_of(mark), {}}};
}
WalAppend<DecidedEntry> decided(std::uint64_t sn, std::uint8_t mark) {
  return appended(DecidedEntry{segment, SeqNr(sn), digest_of(mark), {}});
}
StableEntry stable_to(std::uint64_t last) {
  CheckpointHeader header;
  header.last = SeqNr(last);
  return {header, {}};
}

/// Whether a node may send both.
template <class First, class Second>
bool may_say(First first, Second second) {
  Seen seen;
  SingleVote votes;
  votes.event(NodeId(0), sent(std::move(first)), seen.findings);
  REQUIRE(seen.first() == "");
  votes.event(NodeId(0), sent(std::move(second)), seen.findings);
  CHECK((seen.first() == "" || seen.first() == "single vote"));
  return seen.first() == "";
}

}  // namespace

TEST_CASE("single vote: two contents in one place, of every kind of statement") {
  CHECK(!may_say(prepare(0, 5, 1), prepare(0, 5, 2)));
  CHECK(!may_say(commit(0, 5, 1), commit(0, 5, 2)));
  CHECK(!may_say(PrePrepare{segment, SeqNr(5), {}, {}},
                 PrePrepare{segment, SeqNr(5), Batch({RequestRef{}}), {}}));
  CHECK(!may_say(view_change(1), view_change(1, {{View(0), SeqNr(5), digest_of(1)}})));
  CHECK(!may_say(NewView{segment, View(1), {}, {}, {}},
                 NewView{segment, View(1), {view_change(1)}, {}, {}}));
  CHECK(!may_say(Done{segment, {digest_of(1)}}, Done{segment, {digest_of(2)}}));
  CheckpointHeader header;
  header.epoch = Epoch(1);
  CheckpointHeader other = header;
  other.app_length = 1;
  CHECK(!may_say(CheckpointVote{header, {}}, CheckpointVote{other, {}}));
}

TEST_CASE("single vote: repetitions, other places and other nodes are right") {
  CHECK(may_say(prepare(0, 5, 1), prepare(0, 5, 1)));
  CHECK(may_say(prepare(0, 5, 1), prepare(1, 5, 2)));
  CHECK(may_say(prepare(0, 5, 1), prepare(0, 7, 2)));
  CHECK(may_say(prepare(0, 5, 1), commit(0, 5, 2)));
  CHECK(may_say(Progress{}, Progress{Epoch(1), SeqNr(1), 0}));
  Seen seen;
  SingleVote votes;
  votes.event(NodeId(0), sent(prepare(0, 5, 1)), seen.findings);
  votes.event(NodeId(1), sent(prepare(0, 5, 2)), seen.findings);
  CHECK(seen.first() == "");
}

TEST_CASE("single vote: what is truncated is forgotten, and what is kept is not") {
  for (const std::uint64_t first_kept : {1u, 2u}) {
    Seen seen;
    SingleVote votes;
    votes.event(NodeId(0), sent(prepare(0, 5, 1)), seen.findings);
    votes.event(NodeId(0), WalTruncate{RetentionIndex(first_kept)}, seen.findings);
    votes.event(NodeId(0), sent(prepare(0, 5, 2)), seen.findings);
    CHECK(seen.first() == (first_kept == 1 ? "single vote" : ""));
  }
}

// A faulty primary tells one thing before, and another after.
TEST_CASE("single vote: a NewView that is passed on may differ once the first is lost") {
  const NewView one{segment, View(1), {}, {}, {}};
  const NewView other{segment, View(1), {view_change(1)}, {}, {}};
  for (const bool own : {false, true}) {
    Seen seen;
    SingleVote votes;
    if (own)
      votes.event(NodeId(0), SignRequest<NewViewSigning>{{}, {}, {{segment, View(1), NodeId(0)}}},
                  seen.findings);
    votes.event(NodeId(0), sent(one), seen.findings);
    votes.wiped(NodeId(0));
    votes.event(NodeId(0), sent(other), seen.findings);
    CHECK(seen.first() == (own ? "single vote" : ""));
  }
}

TEST_CASE("amnesia: who has lost its disk votes nowhere where it may have voted") {
  const auto found = [](auto before, auto after) {
    Seen seen;
    SingleVote votes;
    votes.event(NodeId(0), sent(std::move(before)), seen.findings);
    votes.event(NodeId(1), sent(prepare(0, 5, 1)), seen.findings);
    votes.wiped(NodeId(0));
    votes.event(NodeId(1), sent(commit(0, 5, 1)), seen.findings);
    REQUIRE(seen.text() == "");
    votes.event(NodeId(0), sent(std::move(after)), seen.findings);
    return seen.first();
  };
  Prepare later = prepare(0, 5, 1);
  later.segment.epoch = Epoch(2);
  CHECK(found(prepare(0, 5, 1), prepare(0, 9, 1)) == "amnesia");
  CHECK(found(prepare(0, 5, 1), view_change(1)) == "amnesia");
  CHECK(found(view_change(1), PrePrepare{segment, SeqNr(5), {}, {}}) == "amnesia");
  CHECK(found(later, commit(0, 5, 1)) == "amnesia");
  CHECK(found(prepare(0, 5, 1), later) == "");
  CHECK(found(prepare(0, 5, 1), Done{segment, {}}) == "");
  CHECK(found(Progress{}, prepare(0, 5, 1)) == "");
}

TEST_CASE("decisions agree: two digests for one number") {
  Seen seen;
  Decisions decisions(Quorum(1));
  decisions.started(NodeId(0));
  for (const std::uint64_t sn : {5u, 6u})
    for (const std::uint8_t mark : {std::uint8_t{1}, std::uint8_t{2}})
      decisions.durable(NodeId(0), prepared(0, sn, mark), seen.findings);
  decisions.event(NodeId(0), decided(5, 1), seen.findings);
  decisions.event(NodeId(1), decided(5, 1), seen.findings);
  decisions.event(NodeId(1), decided(6, 2), seen.findings);
  CHECK(seen.text() == "");
  decisions.event(NodeId(2), decided(5, 2), seen.findings);
  CHECK(seen.first() == "decisions agree");
}

namespace {

/// Four correct nodes, of which 0 and 1 hold a certificate for what is decided.
struct Proven {
  Seen seen;
  Decisions decisions{Quorum(4)};

  Proven() {
    for (const std::uint64_t node : {0u, 1u, 2u, 3u}) decisions.started(NodeId(node));
    decisions.durable(NodeId(0), prepared(0, 5, 1), seen.findings);
    decisions.durable(NodeId(1), prepared(3, 5, 1), seen.findings);
    decisions.event(NodeId(2), decided(5, 1), seen.findings);
    REQUIRE(seen.text() == "");
  }
};

}  // namespace

TEST_CASE("certificates: a decision that too few disks can prove") {
  Proven run;
  run.decisions.durable(NodeId(0), prepared(0, 6, 1), run.seen.findings);
  run.decisions.durable(NodeId(0), prepared(1, 6, 1), run.seen.findings);
  run.decisions.durable(NodeId(1), prepared(0, 6, 2), run.seen.findings);
  SUBCASE("of two certificates one is for something else") {}
  SUBCASE("a stable checkpoint before it proves nothing") {
    run.decisions.durable(NodeId(1), stable_to(5), run.seen.findings);
  }
  run.decisions.event(NodeId(0), decided(6, 1), run.seen.findings);
  CHECK(run.seen.first() == "certificates");
}

TEST_CASE("certificates: a stable checkpoint past it proves as much, of a fetched state too") {
  Proven run;
  run.decisions.durable(NodeId(0), stable_to(6), run.seen.findings);
  run.decisions.durable(NodeId(3), InstalledEntry{stable_to(6).header, {}, {}},
                        run.seen.findings);
  run.decisions.event(NodeId(0), decided(6, 1), run.seen.findings);
  CHECK(run.seen.text() == "");
}

TEST_CASE("certificates: they stay after the decision") {
  Proven run;
  std::string expected = "certificates";
  SUBCASE("one is lost with its disk") { run.decisions.wiped(NodeId(1), run.seen.findings); }
  SUBCASE("one is truncated too early") {
    run.decisions.event(NodeId(0), WalTruncate{RetentionIndex(2)}, run.seen.findings);
  }
  SUBCASE("one is truncated under a stable checkpoint") {
    run.decisions.durable(NodeId(0), stable_to(5), run.seen.findings);
    run.decisions.event(NodeId(0), WalTruncate{RetentionIndex(2)}, run.seen.findings);
    expected = "";
  }
  SUBCASE("truncation ends before it") {
    run.decisions.event(NodeId(0), WalTruncate{RetentionIndex(1)}, run.seen.findings);
    expected = "";
  }
  SUBCASE("the disk of another one is lost") {
    run.decisions.wiped(NodeId(2), run.seen.findings);
    expected = "";
  }
  CHECK(run.seen.first() == expected);
}

TEST_CASE("certificates: nobody asks for what a quorum has left behind") {
  Proven run;
  for (const std::uint64_t node : {0u, 1u, 2u})
    run.decisions.durable(NodeId(node), stable_to(5), run.seen.findings);
  for (const std::uint64_t node : {0u, 1u, 2u})
    run.decisions.wiped(NodeId(node), run.seen.findings);
  CHECK(run.seen.text() == "");
}

}  // namespace mirbft::sim::pbft_invariants_test

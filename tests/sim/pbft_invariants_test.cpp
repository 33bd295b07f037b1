// Each invariant of PBFT catches what it is there for, and lets pass what is right.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/sim/findings.hpp>
#include <mirbft/sim/pbft_invariants.hpp>

namespace mirbft::sim {
namespace {

using Message = SingleVote::Message;

struct Seen {
  Clock clock;
  Findings findings{7, clock};

  std::string first() const { return findings.none() ? "" : findings.all()[0].rule; }
};

constexpr SegmentId segment{Epoch(1), 2};

Digest digest(std::uint8_t mark) {
  Digest made;
  made.bytes[0] = mark;
  return made;
}
Prepare prepare(std::uint64_t view, std::uint64_t sn, std::uint8_t mark) {
  return {segment, View(view), SeqNr(sn), digest(mark), {}};
}
Commit commit(std::uint64_t view, std::uint64_t sn, std::uint8_t mark) {
  return {segment, View(view), SeqNr(sn), digest(mark)};
}
ViewChange view_change(std::uint64_t view, std::vector<PreparedClaim> claims = {}) {
  return {segment, View(view), NodeId(0), std::move(claims), {}, {}};
}
template <class M>
Message message(M one) {
  if constexpr (std::is_constructible_v<PbftMessage, M>) {
    return PbftMessage(std::move(one));
  } else {
    return one;
  }
}
template <class M>
SendMessage<Message> send(M one) {
  return {{NodeId(3)}, message(std::move(one))};
}
CheckpointEntry checkpoint(const CheckpointHeader& of) {
  CheckpointEntry entry;
  entry.header = of;
  return entry;
}
template <class Entry>
Record record(const Entry& entry) {
  return {WalAppend<Entry>::number, wire::encode(entry), RetentionIndex(0)};
}
WalAppend<DecidedEntry> decided(std::uint64_t sn, std::uint8_t mark) {
  return {{segment, SeqNr(sn), digest(mark), {}}, RetentionIndex(0)};
}
PreparedEntry prepared(std::uint64_t view, std::uint64_t sn, std::uint8_t mark) {
  return {segment, {View(view), SeqNr(sn), digest(mark), {}}};
}

/// Whether a node may send both.
template <class First, class Second>
bool may_say(First first, Second second) {
  Seen seen;
  SingleVote votes;
  votes.event(NodeId(0), send(std::move(first)), seen.findings);
  REQUIRE(seen.first() == "");
  votes.event(NodeId(0), send(std::move(second)), seen.findings);
  return seen.first() == "";
}

}  // namespace

TEST_CASE("single vote: two contents in one place, of every kind of statement") {
  CHECK(!may_say(prepare(0, 5, 1), prepare(0, 5, 2)));
  CHECK(!may_say(commit(0, 5, 1), commit(0, 5, 2)));
  CHECK(!may_say(PrePrepare{segment, SeqNr(5), {}, {}},
                 PrePrepare{segment, SeqNr(5), Batch({RequestRef{}}), {}}));
  CHECK(!may_say(view_change(1), view_change(1, {{View(0), SeqNr(5), digest(1)}})));
  CHECK(!may_say(NewView{segment, View(1), {}, {}, {}},
                 NewView{segment, View(1), {view_change(1)}, {}, {}}));
  CHECK(!may_say(Done{segment, {digest(1)}}, Done{segment, {digest(2)}}));
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
  votes.event(NodeId(0), send(prepare(0, 5, 1)), seen.findings);
  votes.event(NodeId(1), send(prepare(0, 5, 2)), seen.findings);
  CHECK(seen.first() == "");
}

namespace {

/// What a node may send, and count as its own, when it has these records.
class Written {
 public:
  template <class... Entries>
  explicit Written(const Entries&... entries) {
    (checks_.durable(NodeId(0), record(entries), seen_.findings), ...);
  }
  void wipe() { checks_.wiped(NodeId(0)); }

  template <class M>
  bool allows(const M& one) {
    const std::uint64_t before = seen_.findings.count();
    checks_.event(NodeId(0), send(one), seen_.findings);
    const bool sent = seen_.findings.count() == before;
    checks_.event(NodeId(0), MessageReceived<Message>{NodeId(0), message(one)}, seen_.findings);
    const bool counted = seen_.findings.count() == before + (sent ? 0 : 1);
    CHECK(sent == counted);
    // What others have said is no business of this disk.
    checks_.event(NodeId(0), MessageReceived<Message>{NodeId(1), message(one)}, seen_.findings);
    return sent;
  }

 private:
  Seen seen_;
  WriteAhead checks_{Quorum(4)};
};

constexpr EpochEntry entered{Epoch(1), SeqNr(0)};

VoteEntry vote(std::uint64_t view, std::uint64_t sn, std::uint8_t mark) {
  return {{segment, View(view), SeqNr(sn), digest(mark)}, {}, {}};
}

}  // namespace

TEST_CASE("write-ahead: a vote that is not on disk is not sent and not counted") {
  CHECK(Written(entered, vote(0, 5, 1)).allows(prepare(0, 5, 1)));
  CHECK(!Written(entered).allows(prepare(0, 5, 1)));
  CHECK(!Written(entered, vote(0, 5, 2)).allows(prepare(0, 5, 1)));
  CHECK(!Written(entered, vote(1, 5, 1)).allows(prepare(0, 5, 1)));
  CHECK(!Written(entered, vote(0, 6, 1)).allows(prepare(0, 5, 1)));
  CHECK(!Written(vote(0, 5, 1)).allows(prepare(0, 5, 1)));  // the epoch
  CHECK(Written(entered, vote(0, 5, 1)).allows(PrePrepare{segment, SeqNr(5), {}, {}}));
  CHECK(!Written(entered, vote(0, 6, 1)).allows(PrePrepare{segment, SeqNr(5), {}, {}}));
  Written wiped(entered, vote(0, 5, 1));
  wiped.wipe();
  CHECK(!wiped.allows(prepare(0, 5, 1)));
}

TEST_CASE("write-ahead: certificates, view changes, new views and checkpoints too") {
  CHECK(Written(entered, prepared(0, 5, 1)).allows(commit(0, 5, 1)));
  CHECK(!Written(entered, vote(0, 5, 1)).allows(commit(0, 5, 1)));
  CHECK(!Written(entered, prepared(0, 5, 2)).allows(commit(0, 5, 1)));
  CHECK(Written(entered, ViewChangeEntry{view_change(1)}).allows(view_change(1)));
  CHECK(!Written(entered, ViewChangeEntry{view_change(1)}).allows(view_change(2)));
  const NewView new_view{segment, View(1), {}, {}, {}};
  CHECK(Written(entered, NewViewEntry{new_view}).allows(new_view));
  CHECK(!Written(entered).allows(new_view));
  CheckpointHeader header;
  header.epoch = Epoch(1);
  CHECK(Written(entered, checkpoint(header)).allows(CheckpointVote{header, {}}));
  CHECK(!Written(entered).allows(CheckpointVote{header, {}}));
  CHECK(Written().allows(Progress{}));
}

TEST_CASE("no vote in a view that was left: records that a ViewChange on disk does not know of") {
  const auto may_write = [](const auto& first, const auto& second) {
    Seen seen;
    WriteAhead checks(Quorum(4));
    checks.durable(NodeId(0), record(first), seen.findings);
    checks.durable(NodeId(1), record(second), seen.findings);
    REQUIRE(seen.first() == "");
    checks.durable(NodeId(0), record(second), seen.findings);
    CHECK((seen.first() == "" || seen.first() == "no vote in a view that was left"));
    return seen.first() == "";
  };
  const ViewChangeEntry change{view_change(2)};
  CHECK(!may_write(change, vote(1, 5, 1)));
  CHECK(!may_write(change, prepared(1, 5, 1)));
  CHECK(may_write(change, vote(2, 5, 1)));
  CHECK(may_write(change, prepared(2, 5, 1)));
  CHECK(may_write(vote(1, 5, 1), change));
  CHECK(may_write(prepared(1, 5, 1), change));
}

TEST_CASE("certificates: a decision that too few disks can prove") {
  Seen seen;
  WriteAhead checks(Quorum(4));
  checks.durable(NodeId(0), record(prepared(0, 5, 1)), seen.findings);
  checks.durable(NodeId(0), record(prepared(1, 5, 1)), seen.findings);
  checks.durable(NodeId(1), record(prepared(0, 5, 2)), seen.findings);
  SUBCASE("one is too few") {
    checks.event(NodeId(0), decided(5, 1), seen.findings);
    CHECK(seen.first() == "certificates");
  }
  SUBCASE("one that was lost does not count") {
    checks.durable(NodeId(2), record(prepared(0, 5, 1)), seen.findings);
    checks.wiped(NodeId(2));
    checks.event(NodeId(0), decided(5, 1), seen.findings);
    CHECK(seen.first() == "certificates");
  }
  SUBCASE("two are enough, of whatever views") {
    checks.durable(NodeId(2), record(prepared(3, 5, 1)), seen.findings);
    checks.event(NodeId(0), decided(5, 1), seen.findings);
    CHECK(seen.first() == "");
  }
  SUBCASE("a stable checkpoint past it proves as much") {
    CheckpointHeader header;
    header.last = SeqNr(5);
    checks.durable(NodeId(2), record(StableEntry{header, {}}), seen.findings);
    checks.event(NodeId(0), decided(5, 1), seen.findings);
    CHECK(seen.first() == "");
    checks.event(NodeId(0), decided(6, 1), seen.findings);
    CHECK(seen.first() == "certificates");
  }
}

TEST_CASE("decisions agree: two digests for one number") {
  Seen seen;
  DecisionsAgree decisions;
  decisions.event(NodeId(0), decided(5, 1), seen.findings);
  decisions.event(NodeId(1), decided(5, 1), seen.findings);
  decisions.event(NodeId(1), decided(6, 2), seen.findings);
  CHECK(seen.first() == "");
  decisions.event(NodeId(2), decided(5, 2), seen.findings);
  CHECK(seen.first() == "decisions agree");
}

}  // namespace mirbft::sim

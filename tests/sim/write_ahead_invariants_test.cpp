// What must be durable before what is caught where it is not, and let pass where it is.
#include <cstdint>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/sim/disk.hpp>
#include <mirbft/sim/write_ahead_invariants.hpp>

#include "seen.hpp"

namespace mirbft::sim::write_ahead_invariants_test {
namespace {

using namespace testing;

constexpr SegmentId segment{Epoch(1), 2};
constexpr NodeId node(0);
const RequestRef request{ClientId(1), ReqNo(2), {}};

EpochEntry entered(std::uint64_t epoch = 1) { return {Epoch(epoch), SeqNr(8 * epoch)}; }
VoteEntry vote(std::uint64_t view, std::uint64_t sn, std::uint8_t mark, Batch batch = {}) {
  return {{segment, View(view), SeqNr(sn), digest_of(mark)}, {}, std::move(batch)};
}
PreparedEntry prepared(std::uint64_t view, std::uint64_t sn, std::uint8_t mark) {
  return {segment, {View(view), SeqNr(sn), digest_of(mark), {}}};
}
DecidedEntry decided(std::uint64_t sn, std::uint8_t mark) {
  return {segment, SeqNr(sn), digest_of(mark), {}};
}
Prepare prepare(std::uint64_t view, std::uint64_t sn, std::uint8_t mark) {
  return {segment, View(view), SeqNr(sn), digest_of(mark), {}};
}
Commit commit(std::uint64_t view, std::uint64_t sn, std::uint8_t mark) {
  return {segment, View(view), SeqNr(sn), digest_of(mark)};
}
ViewChange view_change(std::uint64_t view, std::vector<PreparedClaim> claims = {}) {
  return {segment, View(view), node, std::move(claims), {}, {}};
}
NewView new_view(std::uint64_t view, std::vector<Certificate> certificates = {}) {
  return {segment, View(view), {}, std::move(certificates), {}};
}

/// What a node may send, and count as its own, when it has these records.
class Written {
 public:
  template <class... Entries>
  explicit Written(const Entries&... entries) {
    (checks_.durable(node, entries, seen_.findings), ...);
    REQUIRE(seen_.text() == "");
  }
  void wipe() { checks_.wiped(node); }

  template <class M>
  bool allows(const M& one) {
    const std::uint64_t before = seen_.findings.count();
    checks_.event(node, sent(one), seen_.findings);
    const bool may_send = seen_.findings.count() == before;
    checks_.event(node, MessageReceived<IssPbftMessage>{node, message_of(one)}, seen_.findings);
    const bool counts = seen_.findings.count() == before + (may_send ? 0 : 1);
    CHECK(may_send == counts);
    // What others have said is no business of this disk.
    const std::uint64_t now = seen_.findings.count();
    checks_.event(node, MessageReceived<IssPbftMessage>{NodeId(1), message_of(one)},
                  seen_.findings);
    CHECK(seen_.findings.count() == now);
    return may_send;
  }

 private:
  Seen seen_;
  WriteAhead checks_;
};

/// What is found when `second` is written after `first`.
template <class... First, class Second>
std::string rule_broken(const Second& second, const First&... first) {
  Seen seen;
  WriteAhead checks;
  (checks.durable(node, first, seen.findings), ...);
  checks.durable(NodeId(1), second, seen.findings);
  const std::uint64_t before = seen.findings.count();
  checks.durable(node, second, seen.findings);
  return seen.findings.count() == before ? "" : seen.findings.all()[before].rule;
}

}  // namespace

TEST_CASE("write-ahead: a vote that is not on disk is not sent and not counted") {
  CHECK(Written(entered(), vote(0, 5, 1)).allows(prepare(0, 5, 1)));
  CHECK(!Written(entered()).allows(prepare(0, 5, 1)));
  CHECK(!Written(entered(), vote(0, 5, 2)).allows(prepare(0, 5, 1)));
  CHECK(!Written(entered(), vote(0, 5, 1)).allows(prepare(1, 5, 1)));
  CHECK(!Written(entered(), vote(0, 6, 1)).allows(prepare(0, 5, 1)));
  CHECK(!Written(vote(0, 5, 1)).allows(prepare(0, 5, 1)));  // the epoch
  Written wiped(entered(), vote(0, 5, 1));
  wiped.wipe();
  CHECK(!wiped.allows(prepare(0, 5, 1)));
}

TEST_CASE("write-ahead: a proposal is that of the vote") {
  const Batch batch({request});
  const PrePrepare proposal{segment, SeqNr(5), batch, {}};
  CHECK(Written(entered(), vote(0, 5, 1, batch)).allows(proposal));
  CHECK(!Written(entered(), vote(0, 5, 1)).allows(proposal));
  CHECK(!Written(entered(), vote(0, 6, 1, batch)).allows(proposal));
}

TEST_CASE("write-ahead: certificates, view changes, new views and checkpoints too") {
  CHECK(Written(entered(), prepared(0, 5, 1)).allows(commit(0, 5, 1)));
  CHECK(!Written(entered(), vote(0, 5, 1)).allows(commit(0, 5, 1)));
  CHECK(!Written(entered(), prepared(0, 5, 2)).allows(commit(0, 5, 1)));
  const PreparedClaim claim{View(0), SeqNr(5), digest_of(1)};
  const ViewChangeEntry change{view_change(1, {claim})};
  CHECK(Written(entered(), prepared(0, 5, 1), change).allows(view_change(1, {claim})));
  CHECK(!Written(entered(), prepared(0, 5, 1), change).allows(view_change(1)));
  CHECK(!Written(entered(), prepared(0, 5, 1), change).allows(view_change(2, {claim})));
  CHECK(Written(entered(), NewViewEntry{new_view(1)}).allows(new_view(1)));
  CHECK(!Written(entered(), NewViewEntry{new_view(1)}).allows(new_view(1, {{}})));
  CHECK(!Written(entered()).allows(new_view(1)));
  const CheckpointVote checkpoint{header_of(1), {}};
  CHECK(Written(entered(), checkpoint_of(header_of(1))).allows(checkpoint));
  CHECK(!Written(entered(), checkpoint_of(header_of(1, 2))).allows(checkpoint));
  CHECK(!Written(entered()).allows(checkpoint));
  CHECK(Written().allows(Progress{}));
}

TEST_CASE("write-ahead: a segment is done when that and its decisions are on disk") {
  const Done done{segment, {digest_of(1), digest_of(2)}};
  const DoneEntry entry{segment};
  CHECK(Written(entered(), decided(9, 2), decided(5, 1), entry).allows(done));
  CHECK(!Written(entered(), decided(9, 2), decided(5, 1)).allows(done));
  CHECK(!Written(entered(), decided(5, 1), entry).allows(done));
  CHECK(!Written(entered(), decided(9, 2), decided(5, 3), entry).allows(done));
}

TEST_CASE("write-ahead: what is truncated is not judged any more, and what is kept is") {
  for (const std::uint64_t first_kept : {1u, 2u}) {
    Seen seen;
    WriteAhead checks;
    checks.durable(node, entered(), seen.findings);
    checks.event(node, WalTruncate{RetentionIndex(first_kept)}, seen.findings);
    checks.event(node, sent(prepare(0, 5, 1)), seen.findings);
    CHECK(seen.first() == (first_kept == 1 ? "write-ahead" : ""));
  }
}

TEST_CASE("write-ahead: bodies are on disk before votes for them") {
  for (const bool is_there : {true, false}) {
    Disk disk{Random(1)};
    Store store(disk);
    store.put(request, Bytes("body"), {});
    if (is_there) store.sync();
    Seen seen;
    WriteAhead checks;
    checks.disk(node, disk);
    checks.durable(node, vote(0, 5, 1, Batch({request})), seen.findings);
    CHECK(seen.first() == (is_there ? "" : "write-ahead"));
  }
}

TEST_CASE("no vote in a view that was left: records that a ViewChange on disk does not know of") {
  const ViewChangeEntry change{view_change(2)};
  CHECK(rule_broken(vote(1, 5, 1), change) == "no vote in a view that was left");
  CHECK(rule_broken(prepared(1, 5, 1), change) == "no vote in a view that was left");
  CHECK(rule_broken(vote(0, 5, 1)) == "");
  CHECK(rule_broken(prepared(0, 5, 1)) == "");
}

TEST_CASE("write-ahead: a vote in a view comes after the NewView that begins it") {
  const NewViewEntry begun{new_view(2)};
  CHECK(rule_broken(vote(2, 5, 1), begun) == "");
  CHECK(rule_broken(prepared(2, 5, 1), begun) == "");
  CHECK(rule_broken(vote(2, 5, 1)) == "write-ahead");
  CHECK(rule_broken(prepared(2, 5, 1)) == "write-ahead");
  CHECK(rule_broken(vote(3, 5, 1), begun) == "write-ahead");
}

TEST_CASE("claims: a ViewChange claims the newest certificate of each slot, and nothing else") {
  const auto claims = [](std::vector<PreparedClaim> claimed) {
    Seen seen;
    WriteAhead checks;
    checks.durable(node, prepared(0, 5, 1), seen.findings);
    checks.durable(node, prepared(0, 9, 2), seen.findings);
    checks.durable(node, NewViewEntry{new_view(1)}, seen.findings);
    checks.durable(node, PreparedEntry{segment, {View(1), SeqNr(9), nil_digest, {}}},
                   seen.findings);
    REQUIRE(seen.text() == "");
    checks.durable(node, ViewChangeEntry{view_change(2, std::move(claimed))}, seen.findings);
    return seen.first();
  };
  const PreparedClaim first{View(0), SeqNr(5), digest_of(1)};
  const PreparedClaim nil{View(1), SeqNr(9), nil_digest};
  CHECK(claims({first, nil}) == "");
  CHECK(claims({first}) == "claims");
  CHECK(claims({nil}) == "claims");
  CHECK(claims({first, {View(0), SeqNr(9), digest_of(2)}}) == "claims");
  CHECK(claims({first, nil, {View(0), SeqNr(13), digest_of(3)}}) == "claims");
}

namespace {

/// What is found when a node does something with these records on its disk.
template <class Do, class... Entries>
std::string found_after(Do&& act, const Entries&... entries) {
  Seen seen;
  StableFirst checks;
  (checks.durable(node, entries, seen.findings), ...);
  REQUIRE(seen.text() == "");
  act(checks, seen.findings);
  return seen.first();
}
StableEntry stable(std::uint64_t epoch) { return {header_of(epoch), {}}; }
InstalledEntry installed(std::uint64_t epoch) { return {header_of(epoch), {}, {}}; }

}  // namespace

TEST_CASE("stable first: an epoch needs the state of two before it, and its predecessor") {
  const auto enter = [](std::uint64_t epoch) {
    return [epoch](StableFirst& checks, Findings& findings) {
      checks.durable(node, entered(epoch), findings);
    };
  };
  CHECK(found_after(enter(0)) == "");
  CHECK(found_after(enter(1)) == "stable first");
  CHECK(found_after(enter(1), entered(0)) == "");
  CHECK(found_after(enter(2), entered(0), entered(1)) == "stable first");
  CHECK(found_after(enter(2), entered(0), entered(1), stable(0)) == "");
  CHECK(found_after(enter(2), entered(0), stable(0)) == "stable first");
  CHECK(found_after(enter(2), entered(0), stable(1)) == "");
  CHECK(found_after(enter(9), entered(0), installed(8)) == "");
  CHECK(found_after(
            [&](StableFirst& checks, Findings& findings) {
              checks.wiped(node);
              checks.durable(node, entered(9), findings);
            },
            entered(0), installed(8)) == "stable first");
}

TEST_CASE("stable first: truncation waits for a checkpoint that is two epochs newer") {
  const auto truncate = [](std::uint64_t index) {
    return [index](StableFirst& checks, Findings& findings) {
      checks.event(node, WalTruncate{RetentionIndex(index)}, findings);
    };
  };
  CHECK(found_after(truncate(0)) == "");
  CHECK(found_after(truncate(1)) == "stable first");
  CHECK(found_after(truncate(1), stable(1)) == "stable first");
  CHECK(found_after(truncate(1), stable(2)) == "");
  CHECK(found_after(truncate(2), stable(2)) == "stable first");
  CHECK(found_after(truncate(6), installed(6)) == "stable first");
  CHECK(found_after(truncate(5), installed(6)) == "");
}

TEST_CASE("stable first: so does collection, but for what a fetched state covers") {
  const auto collect = [](std::uint64_t through) {
    return [through](StableFirst& checks, Findings& findings) {
      checks.event(node, CollectRequests{{SeqNr(through), {}}}, findings);
    };
  };
  CHECK(found_after(collect(7), stable(0), stable(1)) == "stable first");
  CHECK(found_after(collect(7), stable(0), stable(1), stable(2)) == "");
  CHECK(found_after(collect(8), stable(0), stable(1), stable(2)) == "stable first");
  CHECK(found_after(collect(7), installed(0)) == "");
  CHECK(found_after(collect(8), installed(0)) == "stable first");
}

}  // namespace mirbft::sim::write_ahead_invariants_test

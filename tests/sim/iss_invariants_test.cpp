// Each invariant of ISS catches what it is there for, and lets pass what is right.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/sim/findings.hpp>
#include <mirbft/sim/iss_invariants.hpp>

namespace mirbft::sim {
namespace {

struct Seen {
  Clock clock;
  Findings findings{7, clock};

  std::string first() const { return findings.none() ? "" : findings.all()[0].rule; }
};

CheckpointHeader header(std::uint64_t epoch, std::uint64_t length = 1) {
  CheckpointHeader made;
  made.epoch = Epoch(epoch);
  made.last = SeqNr(16 * epoch + 15);
  made.app_length = length;
  return made;
}
template <class Entry>
WalAppend<Entry> append(Entry entry) {
  return {std::move(entry), RetentionIndex(0)};
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

IssConfig config() {
  IssConfig made;
  for (std::uint64_t i = 0; i < 4; ++i) made.members.push_back(NodeId(i));
  made.epoch_length = 8;
  return made;
}
using Leaders = LeadersAndBuckets<Simple>;

/// A request of a bucket that segment 0 of epoch 0 has, or does not have.
RequestRef request_of(std::uint32_t segment) {
  const iss::EpochPlan plan(Epoch(0), SeqNr(0), config().members, config().members, config());
  for (std::uint64_t number = 0;; ++number) {
    const std::uint32_t bucket = iss::bucket_of(ClientId(1), ReqNo(number), plan.buckets());
    if (plan.owner(bucket) == segment) return {ClientId(1), ReqNo(number), {}};
  }
}
/// All of epoch 0 is decided, with `first` at sn 0; the others are empty.
void decide_epoch(Leaders& leaders, Findings& findings, std::vector<RequestRef> first,
                  SegmentId first_segment = {Epoch(0), 0}) {
  Digest digest;
  digest.bytes[0] = 1;
  for (std::uint64_t sn = 0; sn < 8; ++sn) {
    const SegmentId segment =
        sn == 0 ? first_segment : SegmentId{Epoch(0), static_cast<std::uint32_t>(sn % 4)};
    leaders.event(NodeId(0), append(DecidedEntry{segment, SeqNr(sn), digest, {}}), findings);
    leaders.event(NodeId(0), Deliver{SeqNr(sn), sn == 0 ? Batch(first) : Batch()}, findings);
  }
}

}  // namespace

TEST_CASE("checkpoints agree: two headers of one epoch") {
  Seen seen;
  CheckpointsAgree checkpoints(Quorum(4));
  checkpoints.event(NodeId(0), append(checkpoint(header(0))), seen.findings);
  checkpoints.event(NodeId(1), append(checkpoint(header(0))), seen.findings);
  checkpoints.event(NodeId(1), append(checkpoint(header(1))), seen.findings);
  CHECK(seen.first() == "");
  checkpoints.event(NodeId(2), append(checkpoint(header(0, 2))), seen.findings);
  CHECK(seen.first() == "checkpoints agree");
}

TEST_CASE("checkpoints agree: one is stable that too few have on disk") {
  Seen seen;
  CheckpointsAgree checkpoints(Quorum(4));
  checkpoints.durable(NodeId(0), record(checkpoint(header(0))), seen.findings);
  SUBCASE("only one has it") {}
  SUBCASE("another has lost it") {
    checkpoints.durable(NodeId(1), record(checkpoint(header(0))), seen.findings);
    checkpoints.wiped(NodeId(1));
  }
  SUBCASE("another has it twice") {
    checkpoints.durable(NodeId(0), record(checkpoint(header(0))), seen.findings);
  }
  checkpoints.event(NodeId(0), append(StableEntry{header(0), {}}), seen.findings);
  CHECK(seen.first() == "checkpoints agree");
}

TEST_CASE("checkpoints agree: a stable one that enough have is right") {
  Seen seen;
  CheckpointsAgree checkpoints(Quorum(4));
  for (const std::uint64_t node : {0u, 3u})
    checkpoints.durable(NodeId(node), record(checkpoint(header(0))), seen.findings);
  checkpoints.event(NodeId(0), append(StableEntry{header(0), {}}), seen.findings);
  CHECK(seen.first() == "");
}

TEST_CASE("buckets: a request outside of its leader's buckets") {
  for (const std::uint32_t segment : {0u, 1u, 3u}) {
    CAPTURE(segment);
    Seen seen;
    Leaders leaders(config(), Quorum(4));
    decide_epoch(leaders, seen.findings, {request_of(0), request_of(segment)});
    leaders.ended(seen.findings);
    CHECK(leaders.epochs() == 1);
    CHECK(seen.first() == (segment == 0 ? "" : "buckets"));
  }
}

TEST_CASE("leaders agree: a slot that is decided in a segment that does not own it") {
  Seen seen;
  Leaders leaders(config(), Quorum(4));
  decide_epoch(leaders, seen.findings, {}, {Epoch(0), 2});
  leaders.ended(seen.findings);
  CHECK(seen.first() == "leaders agree");
}

TEST_CASE("epochs agree: one begins at two places, or at a wrong one") {
  Seen seen;
  Leaders leaders(config(), Quorum(4));
  leaders.event(NodeId(0), append(EpochEntry{Epoch(0), SeqNr(0)}), seen.findings);
  decide_epoch(leaders, seen.findings, {});
  SUBCASE("at two") {
    leaders.event(NodeId(0), append(EpochEntry{Epoch(1), SeqNr(8)}), seen.findings);
    CHECK(seen.first() == "");
    leaders.event(NodeId(1), append(EpochEntry{Epoch(1), SeqNr(9)}), seen.findings);
  }
  SUBCASE("at a wrong one") {
    leaders.event(NodeId(0), append(EpochEntry{Epoch(1), SeqNr(9)}), seen.findings);
  }
  CHECK(seen.first() == "epochs agree");
}

TEST_CASE("an epoch that is not wholly known yet is not judged") {
  Seen seen;
  Leaders leaders(config(), Quorum(4));
  leaders.event(NodeId(0), Deliver{SeqNr(0), Batch({request_of(1)})}, seen.findings);
  leaders.ended(seen.findings);
  CHECK(leaders.epochs() == 0);
  CHECK(seen.first() == "");
}

namespace {

/// What these invariants ask of a replica.
struct FakeProtocol {
  struct Status {
    Epoch epoch;
    SeqNr next_delivery;
    std::uint64_t stable_checkpoints = 0;
    std::uint64_t early_bytes = 0;
  };
  Status standing;

  Status status() const { return standing; }
};
struct FakeReplica {
  struct Status {
    FakeProtocol::Status protocol;
    struct {
      std::uint64_t pending_bytes = 0;
    } tracker;
  };
  FakeProtocol standing;
  std::uint64_t pending_bytes = 0;

  const FakeProtocol& protocol() const { return standing; }
  Status status() const { return {standing.standing, {pending_bytes}}; }
};

FakeReplica at(std::uint64_t epoch, std::uint64_t next, std::uint64_t stable) {
  return {{{Epoch(epoch), SeqNr(next), stable, 0}}, 0};
}

}  // namespace

TEST_CASE("never back: epoch, delivery and checkpoints of a node that is up") {
  const NodeId node(1);
  for (const FakeReplica& back : {at(1, 40, 1), at(2, 39, 1), at(2, 40, 0)}) {
    Seen seen;
    NeverBack never_back;
    never_back.looked(node, at(1, 20, 0), seen.findings);
    never_back.looked(node, at(2, 40, 1), seen.findings);
    never_back.looked(NodeId(2), at(0, 0, 0), seen.findings);
    CHECK(seen.first() == "");
    NeverBack restarted = never_back;
    restarted.started(node);
    restarted.looked(node, back, seen.findings);
    CHECK(seen.first() == "");
    never_back.looked(node, back, seen.findings);
    CHECK(seen.first() == "never back");
  }
}

TEST_CASE("bounded: buffers above their caps") {
  Seen seen;
  FakeReplica replica = at(0, 0, 0);
  SUBCASE("messages of later epochs") {
    replica.standing.standing.early_bytes = 4 * config().early_bytes_per_peer;
    Bounded(config(), 1000).looked(NodeId(0), replica, seen.findings);
    CHECK(seen.first() == "");
    ++replica.standing.standing.early_bytes;
  }
  SUBCASE("open requests") {
    replica.pending_bytes = 2000;
    Bounded(config(), 1000).looked(NodeId(0), replica, seen.findings);
    CHECK(seen.first() == "");
    ++replica.pending_bytes;
  }
  Bounded(config(), 1000).looked(NodeId(0), replica, seen.findings);
  CHECK(seen.first() == "bounded");
}

}  // namespace mirbft::sim

// Each invariant of ISS catches what it is there for, and lets pass what is right.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/sim/iss_invariants.hpp>

#include "seen.hpp"

namespace mirbft::sim::iss_invariants_test {

using namespace testing;

TEST_CASE("checkpoints agree: two headers of one epoch") {
  Seen seen;
  CheckpointsAgree checkpoints(Quorum(4));
  checkpoints.event(NodeId(0), appended(checkpoint_of(header_of(0))), seen.findings);
  checkpoints.event(NodeId(1), appended(checkpoint_of(header_of(0))), seen.findings);
  checkpoints.event(NodeId(1), appended(checkpoint_of(header_of(1))), seen.findings);
  CHECK(seen.text() == "");
  SUBCASE("signed") {
    checkpoints.event(NodeId(2), appended(checkpoint_of(header_of(0, 2))), seen.findings);
  }
  SUBCASE("fetched") {
    checkpoints.event(NodeId(2), appended(InstalledEntry{header_of(0, 2), {}, {}}),
                      seen.findings);
  }
  CHECK(seen.first() == "checkpoints agree");
}

TEST_CASE("checkpoints agree: one is stable that too few have on disk") {
  Seen seen;
  CheckpointsAgree checkpoints(Quorum(4));
  checkpoints.durable(NodeId(0), checkpoint_of(header_of(0)), seen.findings);
  SUBCASE("only one has it") {}
  SUBCASE("another has lost it") {
    checkpoints.durable(NodeId(1), checkpoint_of(header_of(0)), seen.findings);
    checkpoints.wiped(NodeId(1));
  }
  SUBCASE("another has it twice") {
    checkpoints.durable(NodeId(0), checkpoint_of(header_of(0)), seen.findings);
  }
  checkpoints.event(NodeId(0), appended(StableEntry{header_of(0), {}}), seen.findings);
  CHECK(seen.first() == "checkpoints agree");
}

TEST_CASE("checkpoints agree: a stable one that enough have is right") {
  Seen seen;
  CheckpointsAgree checkpoints(Quorum(4));
  for (const std::uint64_t node : {0u, 3u})
    checkpoints.durable(NodeId(node), checkpoint_of(header_of(0)), seen.findings);
  checkpoints.event(NodeId(0), appended(StableEntry{header_of(0), {}}), seen.findings);
  CHECK(seen.text() == "");
}

TEST_CASE("checkpoints agree: what lies far behind is neither kept nor judged") {
  Seen seen;
  CheckpointsAgree checkpoints(Quorum(4));
  for (std::uint64_t epoch = 0; epoch < 40; ++epoch)
    for (const std::uint64_t node : {0u, 3u})
      checkpoints.durable(NodeId(node), checkpoint_of(header_of(epoch)), seen.findings);
  checkpoints.event(NodeId(0), appended(StableEntry{header_of(0), {}}), seen.findings);
  checkpoints.event(NodeId(0), appended(StableEntry{header_of(39), {}}), seen.findings);
  CHECK(seen.text() == "");
}

namespace {

/// What these invariants ask of a replica.
struct FakeProtocol {
  struct Status {
    Epoch epoch;
    SeqNr next_delivery;
    std::uint64_t stable_checkpoints = 0;
    std::uint64_t early_bytes = 0;
    std::uint64_t batches_waiting_for_bodies = 0;
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
    std::uint64_t pending_events = 0;
  };
  FakeProtocol standing;
  std::uint64_t pending_bytes = 0;
  std::uint64_t pending_events = 0;

  const FakeProtocol& protocol() const { return standing; }
  Status status() const { return {standing.standing, {pending_bytes}, pending_events}; }
};

FakeReplica at(std::uint64_t epoch, std::uint64_t next, std::uint64_t stable) {
  return {{{Epoch(epoch), SeqNr(next), stable, 0, 0}}, 0, 0};
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

TEST_CASE("never back: a restart may lose what is not durable, and no stable checkpoint") {
  const NodeId node(1);
  const auto restarted_at = [&](const FakeReplica& back, const auto& entry) {
    Seen seen;
    NeverBack never_back;
    never_back.looked(node, at(3, 30, 2), seen.findings);
    never_back.durable(node, entry, seen.findings);
    never_back.started(node);
    never_back.looked(node, back, seen.findings);
    return seen.first();
  };
  const StableEntry stable{header_of(1), {}};  // its last sequence number is 15
  CHECK(restarted_at(at(2, 16, 2), stable) == "");
  CHECK(restarted_at(at(1, 16, 2), stable) == "never back");
  CHECK(restarted_at(at(2, 15, 2), stable) == "never back");
  CHECK(restarted_at(at(2, 16, 1), stable) == "never back");
  CHECK(restarted_at(at(2, 15, 2), InstalledEntry{header_of(1), {}, {}}) == "never back");
}

TEST_CASE("never back: the views of a segment that are written down") {
  constexpr SegmentId segment{Epoch(1), 2};
  const auto change = [&](std::uint64_t view) {
    return ViewChangeEntry{{segment, View(view), NodeId(0), {}, {}, {}}};
  };
  const auto begun = [&](std::uint64_t view) {
    return NewViewEntry{{segment, View(view), {}, {}, {}}};
  };
  const auto found = [](const auto& first, const auto& second) {
    Seen seen;
    NeverBack never_back;
    never_back.durable(NodeId(0), first, seen.findings);
    never_back.started(NodeId(0));
    never_back.durable(NodeId(1), second, seen.findings);
    REQUIRE(seen.text() == "");
    never_back.durable(NodeId(0), second, seen.findings);
    return seen.first();
  };
  CHECK(found(change(2), change(3)) == "");
  CHECK(found(change(2), change(2)) == "never back");
  CHECK(found(change(2), begun(2)) == "");
  CHECK(found(change(2), begun(1)) == "never back");
  CHECK(found(begun(2), change(3)) == "");
  CHECK(found(begun(2), change(2)) == "never back");
}

TEST_CASE("bounded: buffers above their caps") {
  Seen seen;
  FakeReplica replica = at(0, 0, 0);
  std::uint64_t* size = nullptr;
  std::uint64_t cap = 0;
  SUBCASE("messages of later epochs") {
    size = &replica.standing.standing.early_bytes;
    cap = 4 * seen_config().early_bytes_per_peer;
  }
  SUBCASE("batches without bodies: four epochs of at most 8 + 4") {
    size = &replica.standing.standing.batches_waiting_for_bodies;
    cap = 48;
  }
  SUBCASE("open requests") {
    size = &replica.pending_bytes;
    cap = 2000;
  }
  SUBCASE("events") {
    size = &replica.pending_events;
    cap = 20;
  }
  REQUIRE(size);
  *size = cap;
  Bounded(seen_config(), 1000, 10).looked(NodeId(0), replica, seen.findings);
  CHECK(seen.text() == "");
  ++*size;
  Bounded(seen_config(), 1000, 10).looked(NodeId(0), replica, seen.findings);
  CHECK(seen.first() == "bounded");
}

}  // namespace mirbft::sim::iss_invariants_test

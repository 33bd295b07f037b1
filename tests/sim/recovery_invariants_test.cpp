// A recovery that forgets anything that a running node stands by is found.
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/sim/recovery_invariants.hpp>

#include "seen.hpp"

namespace mirbft::sim::recovery_invariants_test {
namespace {

using namespace testing;

constexpr NodeId node(0);
constexpr SegmentId segment{Epoch(1), 2};

/// Where a protocol stands that takes votes, certificates and decisions from its log, and may
/// forget one kind of them.
class FakeProtocol {
 public:
  enum class Forgets : std::uint8_t { nothing, votes, certificates, decisions, stable };
  struct Status {
    Epoch epoch;
    SeqNr next_delivery;
    std::uint64_t stable_checkpoints = 0;
    std::chrono::nanoseconds timeout{};
  };
  using consumes = events<WalEntry<VoteEntry>, WalEntry<PreparedEntry>, WalEntry<DecidedEntry>,
                          WalEntry<StableEntry>, Init>;

  explicit FakeProtocol(Forgets forgets) : forgets_(forgets) {}

  void process(WalEntry<VoteEntry> read, auto&) {
    const auto& [of, view, sn, digest] = read.entry.content;
    if (forgets_ != Forgets::votes) say(PbftMessage(Prepare{of, view, sn, digest, {}}));
  }
  void process(WalEntry<PreparedEntry> read, auto&) {
    const Certificate& one = read.entry.certificate;
    if (forgets_ != Forgets::certificates)
      say(PbftMessage(Commit{read.entry.segment, one.view, one.sn, one.digest}));
  }
  void process(WalEntry<DecidedEntry> read, auto&) {
    if (forgets_ != Forgets::decisions)
      say(Decided{read.entry.segment, {{0, read.entry.digest}}});
  }
  void process(WalEntry<StableEntry> read, auto&) {
    if (forgets_ == Forgets::stable) return;
    status_.stable_checkpoints = read.entry.header.epoch.value + 1;
    status_.epoch = read.entry.header.epoch + 1;
    status_.next_delivery = read.entry.header.last + 1;
  }
  void process(Init, auto& out) { out.emit(Progress{}).then(Progress{}); }

  Status status() const { return status_; }
  void repeat(auto&& send) const {
    for (const IssPbftMessage& message : said_) send(message);
  }
  void say(IssPbftMessage message) { said_.push_back(std::move(message)); }
  Status& standing() { return status_; }

 private:
  Forgets forgets_;
  Status status_;
  std::vector<IssPbftMessage> said_;
};
using Forgets = FakeProtocol::Forgets;

struct FakeReplica {
  FakeProtocol own{Forgets::nothing};
  std::uint16_t busy = 0;

  const FakeProtocol& protocol() const { return own; }
  Slot pending() const { return Slot(busy); }
};

/// A node that has all of its log on its disk.
struct Running {
  Seen seen;
  Disk disk{Random(1)};
  Wal wal{disk};
  FakeReplica replica;

  Running() {
    add(StableEntry{header_of(0), {}});
    add(VoteEntry{{segment, View(0), SeqNr(5), digest_of(1)}, {}, {}});
    add(PreparedEntry{segment, {View(0), SeqNr(5), digest_of(1), {}}});
    add(DecidedEntry{segment, SeqNr(5), digest_of(1), {}});
    wal.sync();
  }
  template <class Entry>
  void add(const Entry& entry) {
    wal.append(WalAppend<Entry>::number, wire::encode(entry), RetentionIndex(1));
    detail::Nowhere out;
    replica.own.process(WalEntry<Entry>{entry}, out);
  }
  /// What is found when recovery forgets so much.
  std::string found(Forgets forgets) {
    const auto make = [forgets](NodeId, Contents) { return FakeProtocol(forgets); };
    Recoverable<FakeProtocol> checks({make, Random(1), 1});
    checks.disk(node, disk);
    checks.looked(node, replica, seen.findings);
    CHECK((seen.first() == "" || seen.first() == "recovery"));
    return seen.text();
  }
};
bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("recovery: all that is on the disk comes back") {
  CHECK(Running().found(Forgets::nothing) == "");
  CHECK(contains(Running().found(Forgets::votes), "stands by its Prepare"));
  CHECK(contains(Running().found(Forgets::certificates), "stands by its Commit"));
  CHECK(contains(Running().found(Forgets::decisions), "stands by its Done"));
  CHECK(contains(Running().found(Forgets::stable), "would be at sn 0 of epoch 0"));
}

TEST_CASE("recovery: what a node stands by must be on its disk") {
  Running run;
  run.replica.own.say(PbftMessage(Prepare{segment, View(0), SeqNr(9), digest_of(1), {}}));
  SUBCASE("in an epoch that is open") {
    CHECK(contains(run.found(Forgets::nothing), "would not know of it"));
  }
  SUBCASE("but not in one that is stable") {
    run.replica.own.standing().stable_checkpoints = 2;
    run.add(StableEntry{header_of(1), {}});
    run.wal.sync();
    CHECK(run.found(Forgets::nothing) == "");
  }
  SUBCASE("with the same content") {
    run.add(VoteEntry{{segment, View(0), SeqNr(9), digest_of(2)}, {}, {}});
    run.wal.sync();
    run.replica.own.say(PbftMessage(Prepare{segment, View(0), SeqNr(9), digest_of(1), {}}));
    CHECK(contains(run.found(Forgets::nothing), "would say something else"));
  }
}

TEST_CASE("recovery: whoever knows of a later view knows more") {
  Running run;
  run.wal.append(WalAppend<VoteEntry>::number,
                 wire::encode(VoteEntry{{segment, View(2), SeqNr(5), digest_of(2)}, {}, {}}),
                 RetentionIndex(1));
  run.wal.sync();
  CHECK(run.found(Forgets::nothing) == "");
}

TEST_CASE("recovery: where a node stands: epoch, sequence number and patience") {
  const auto moved = [](auto&& change) {
    Running run;
    change(run.replica.own.standing());
    return run.found(Forgets::nothing) == "";
  };
  CHECK(moved([](auto&) {}));
  CHECK(!moved([](auto& standing) { ++standing.epoch; }));
  CHECK(!moved([](auto& standing) { ++standing.next_delivery; }));
  CHECK(!moved([](auto& standing) { standing.stable_checkpoints = 0; }));
  CHECK(!moved([](auto& standing) { standing.timeout = std::chrono::seconds(1); }));
}

TEST_CASE("recovery: only moments count at which all is durable, and nothing is under way") {
  Running unsynced;
  unsynced.wal.append(1, {}, RetentionIndex(1));
  CHECK(unsynced.found(Forgets::votes) == "");
  Running busy;
  busy.replica.busy = 1;
  CHECK(busy.found(Forgets::votes) == "");
}

}  // namespace mirbft::sim::recovery_invariants_test

// A replay that emits anything else, or ends elsewhere, is found.
#include <cstdint>
#include <string>

#include <boost/hana/adapt_struct.hpp>

#include <doctest/doctest.h>

#include <mirbft/events/node.hpp>
#include <mirbft/sim/replay_invariants.hpp>

#include "seen.hpp"

namespace mirbft::sim::replay_invariants_test {
namespace {

using namespace testing;

constexpr NodeId node(0);

}  // namespace

/// Where a `Sum` stands.
struct SumStatus {
  std::uint64_t total = 0;
};

namespace {

/// Adds up times, and writes each total down.
class Sum {
 public:
  using Message = IssPbftMessage;
  using consumes = events<Tick>;
  using emits = events<WalAppend<EpochEntry>, MessageReceived<Message>>;

  explicit Sum(std::uint64_t begin) : total_(begin) {}

  void process(Tick tick, auto& out) {
    total_ += static_cast<std::uint64_t>(tick.now.count());
    out.emit(WalAppend<EpochEntry>{{Epoch(total_), SeqNr(0)}, RetentionIndex(0)});
  }
  SumStatus status() const { return {total_}; }

 private:
  std::uint64_t total_;
};

struct FakeReplica {
  Sum sum{0};

  const Sum& protocol() const { return sum; }
};

Tick tick(std::int64_t now) { return Tick{std::chrono::nanoseconds(now)}; }
WalAppend<EpochEntry> total(std::uint64_t of) {
  return appended(EpochEntry{Epoch(of), SeqNr(0)});
}

/// A life that is replayed; `begin` is what the second `Sum` wrongly starts from.
struct Life {
  Seen seen;
  Disk disk{Random(1)};
  ReplaysAlike<Sum> checks;

  explicit Life(std::uint64_t begin = 0, std::uint32_t one_in = 1)
      : checks({[begin](NodeId, Contents) { return Sum(begin); }, Random(1), one_in}) {
    checks.disk(node, disk);
    checks.started(node);
  }
  template <class E>
  Life& dispatch(Slot slot, const E& event) {
    checks.event(node, slot, event, seen.findings);
    return *this;
  }
  std::string look(std::uint64_t at) {
    checks.looked(node, FakeReplica{Sum(at)}, seen.findings);
    return seen.first();
  }
};

}  // namespace

TEST_CASE("replay: what is dispatched was emitted, in its order") {
  Life right;
  right.dispatch(slot::protocol, tick(2)).dispatch(slot::protocol, tick(3));
  right.dispatch(slot::wal, total(2)).dispatch(slot::wal, total(5));
  CHECK(right.seen.text() == "");
  CHECK(right.dispatch(slot::wal, total(5)).seen.first() == "replay");

  Life wrong;
  wrong.dispatch(slot::protocol, tick(2));
  CHECK(wrong.dispatch(slot::wal, total(3)).seen.first() == "replay");

  Life early;
  CHECK(early.dispatch(slot::wal, total(2)).seen.first() == "replay");

  Life swapped;
  swapped.dispatch(slot::protocol, tick(2)).dispatch(slot::protocol, tick(3));
  CHECK(swapped.dispatch(slot::wal, total(5)).seen.first() == "replay");
}

TEST_CASE("replay: only what is for the Protocol is its input, and others may emit some too") {
  Life life;
  life.dispatch(slot::tracker, tick(2));
  life.dispatch(slot::protocol, MessageReceived<IssPbftMessage>{NodeId(1), Progress{}});
  CHECK(life.look(0) == "");
}

TEST_CASE("replay: both end at the same state") {
  Life life;
  life.dispatch(slot::protocol, tick(2));
  CHECK(life.look(2) == "");
  CHECK(Life().dispatch(slot::protocol, tick(2)).look(3) == "replay");
  CHECK(Life(1).look(0) == "replay");
}

TEST_CASE("replay: a life ends with a crash, and those that are not drawn are not replayed") {
  Life crashed(1);
  crashed.checks.crashed(node);
  CHECK(crashed.look(0) == "");
  CHECK(crashed.checks.replayed() == 1);
  Life never(1, 0);
  CHECK(never.look(0) == "");
  CHECK(never.checks.replayed() == 0);
}

}  // namespace mirbft::sim::replay_invariants_test

BOOST_HANA_ADAPT_STRUCT(mirbft::sim::replay_invariants_test::SumStatus, total);

#include <mirbft/protocol/iss/proposer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace mirbft::iss::proposer_test {
namespace {

using namespace std::chrono_literals;

/// The proposer of node 0 among four, with segments of four slots if not told otherwise.
struct Leader {
  explicit Leader(std::uint32_t epoch_length = 16) {
    config.epoch_length = epoch_length;
    config.max_batch_requests = 3;
    config.pipeline = 2;
    config.batch_delay = 20ms;
    proposer.begin_epoch(plan(), NodeId(0));
    buckets.begin_epoch(plan(), clients, proposer.own_segment());
  }

  EpochPlan plan() const {
    const std::vector<NodeId> members{NodeId(0), NodeId(1), NodeId(2), NodeId(3)};
    return {Epoch(0), SeqNr(0), members, members, config};
  }
  std::optional<std::uint32_t> due(std::chrono::nanoseconds now = 0ms) const {
    return proposer.due(plan(), buckets, config, now);
  }
  std::size_t take_all() {
    const auto all = [](const RequestRef&) { return true; };
    return buckets.cut(config.max_batch_requests, 1000, all).size();
  }
  void propose(std::chrono::nanoseconds now = 0ms) {
    proposer.propose(take_all(), buckets, now);
  }
  void decide(std::uint32_t slot, std::chrono::nanoseconds now = 0ms) {
    proposer.decided(slot, buckets, now);
  }
  /// One more request of an own bucket.
  void add() {
    const std::uint64_t had = buckets.own_requests();
    while (buckets.own_requests() == had)
      buckets.add({ClientId(1), ReqNo(next_++), {}}, 10);
  }

  IssConfig config;
  Clients clients{1000};
  Buckets buckets{buckets_per_member * 4};
  Proposer proposer;

 private:
  std::uint64_t next_ = 0;
};

}  // namespace

TEST_CASE("an idle leader proposes the first request at once, and nothing without one") {
  Leader leader;
  CHECK_FALSE(leader.due());
  leader.add();
  CHECK(leader.due() == 0);
}

TEST_CASE("while a batch is in flight the next one gathers, until it is full or has waited") {
  Leader leader;
  leader.config.batching = Batching::fixed_delay;
  leader.add();
  leader.propose(5ms);
  leader.add();
  CHECK_FALSE(leader.due(24ms));
  CHECK(leader.due(25ms) == 1);
  leader.add();
  CHECK_FALSE(leader.due(24ms));
  leader.add();
  CHECK(leader.due(24ms) == 1);
}

TEST_CASE("with few requests none waits, whatever is in flight") {
  Leader leader;
  for (std::uint32_t slot = 0; slot < 4; ++slot) {
    leader.add();
    CHECK(leader.due() == slot);
    leader.propose();
    if (slot > 0) leader.decide(slot - 1);
  }
}

TEST_CASE("a batch grows to what arrives during a commit, but waits in vain for a tick at most") {
  Leader leader;
  leader.config.max_batch_requests = 100;
  leader.add();
  for (std::uint32_t slot = 0; slot < 3; ++slot) {  // 8, 14 and 19 quarters of a request
    leader.propose(5ms);
    for (int i = 0; i < 8; ++i) leader.add();
    leader.decide(slot, 5ms);
    CHECK(leader.due(5ms) == slot + 1);
  }
  leader.take_all();
  for (int i = 0; i < 4; ++i) {
    leader.add();
    CHECK_FALSE(leader.due(5ms));
    CHECK(leader.due(10ms) == 3);
  }
  leader.add();
  CHECK(leader.due(5ms) == 3);
}

TEST_CASE("a batch waits for as long as a commit takes, if that is long, but not for ever") {
  using Times = std::pair<std::chrono::nanoseconds, std::chrono::nanoseconds>;
  for (const auto& [commit, patience] : {Times{5ms, 20ms}, {60ms, 60ms}, {10s, 160ms}}) {
    Leader leader(400);
    leader.config.max_batch_requests = 100;
    std::chrono::nanoseconds now = 0ms;
    for (std::uint32_t slot = 0; slot < 30; ++slot) {
      leader.propose(now);
      for (int i = 0; i < 40; ++i) leader.add();
      now += commit;
      leader.decide(slot, now);
    }
    leader.propose(now);
    leader.add();
    CHECK_FALSE(leader.due(now + patience - 1ms));
    CHECK(leader.due(now + patience) == 31);
  }
}

TEST_CASE("what was delivered from elsewhere does not count as arriving") {
  Leader leader;
  leader.config.max_batch_requests = 100;
  for (int i = 0; i < 8; ++i) leader.add();
  leader.proposer.propose(0, leader.buckets, 5ms);
  leader.take_all();
  leader.decide(0, 5ms);
  leader.add();
  CHECK(leader.due(5ms) == 1);
}

TEST_CASE("with a fixed delay a batch waits for it, even if nothing is in flight") {
  Leader leader;
  leader.config.batching = Batching::fixed_delay;
  leader.add();
  CHECK_FALSE(leader.due(19ms));
  CHECK(leader.due(20ms) == 0);
  leader.propose(20ms);
  leader.decide(0);
  leader.add();
  CHECK_FALSE(leader.due(39ms));
  leader.add();
  leader.add();
  CHECK(leader.due(39ms) == 1);  // it is full
}

TEST_CASE("without pull-along a leader that is behind waits for the delay, and then catches up") {
  Leader leader;
  leader.config.pull_along = PullAlong::delayed;
  CHECK(leader.proposer.saw(SeqNr(5), leader.plan()));
  CHECK_FALSE(leader.due(19ms));
  CHECK(leader.due(20ms) == 0);
  leader.propose(20ms);
  CHECK_FALSE(leader.due(39ms));
  CHECK(leader.due(40ms) == 1);
}

TEST_CASE("only so many slots are in flight") {
  Leader leader;
  for (int i = 0; i < 9; ++i) leader.add();
  leader.propose();
  CHECK(leader.due() == 1);
  leader.propose();
  CHECK_FALSE(leader.due());
  leader.decide(0);
  CHECK(leader.due() == 2);
}

TEST_CASE("a leader that is behind fills its slots with nothing") {
  Leader leader;
  CHECK(leader.proposer.saw(SeqNr(5), leader.plan()));  // slot 1 of segment 1
  CHECK_FALSE(leader.proposer.saw(SeqNr(5), leader.plan()));
  CHECK_FALSE(leader.proposer.saw(SeqNr(3), leader.plan()));
  CHECK(leader.due() == 0);
  leader.propose();
  CHECK(leader.due() == 1);  // sequence number 4
  leader.propose();
  leader.decide(0);
  CHECK_FALSE(leader.due());  // 8 is not behind 5
}

TEST_CASE("the last slot of any segment pulls all leaders to the end of the epoch") {
  Leader leader;
  CHECK(leader.proposer.saw(SeqNr(12), leader.plan()));
  for (std::uint32_t slot = 0; slot < 4; ++slot) {
    CHECK(leader.due() == slot);
    leader.propose();
    leader.decide(slot);
  }
  leader.add();
  CHECK_FALSE(leader.due(1s));  // there is no slot left
  CHECK(leader.proposer.proposed() == 4);
}

TEST_CASE("who leads no segment never proposes") {
  Leader leader;
  leader.add();
  leader.proposer.begin_epoch(leader.plan(), NodeId(9));
  CHECK_FALSE(leader.proposer.own_segment());
  CHECK_FALSE(leader.due(1s));
}

}  // namespace mirbft::iss::proposer_test

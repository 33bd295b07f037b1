// Bounds for the figures that `mirbft-sim --figures` prints, and what each improvement is worth.
#include <chrono>
#include <cstddef>
#include <cstdint>

#include <doctest/doctest.h>

#include "../../examples/sim/measure.hpp"

namespace simulation {
namespace {

using namespace std::chrono_literals;
using mirbft::Batching;
using mirbft::GroupCommit;
using mirbft::PullAlong;
using mirbft::VoteFrames;

double seconds(Time time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

TEST_CASE("a decision takes a signature of each replica, and no more frames than votes") {
  for (const std::size_t nodes : {4u, 16u}) {
    const auto n = static_cast<double>(nodes);
    const Cost cost = cost_of_a_decision({.nodes = nodes});
    MESSAGE(nodes, " nodes: ", cost.frames, " frames, ", cost.bytes, " bytes, ", cost.made,
            " signatures made and ", cost.checked, " checked a decision");
    // The rest is the epoch's checkpoint.
    CHECK(cost.made >= n);
    CHECK(cost.made < 1.05 * n);
    const auto q = static_cast<double>(mirbft::Quorum(nodes).strong());
    CHECK(cost.checked >= n * (q - 1));
    CHECK(cost.checked < 1.05 * n * (n - 1));
    const Cost single = cost_of_a_decision({.nodes = nodes, .vote_frames = VoteFrames::single});
    CHECK(single.frames > 2 * n * (n - 1));
    CHECK(cost.frames < 0.8 * single.frames);
    CHECK(cost.bytes < 1.1 * single.bytes);
  }
}

TEST_CASE("one sync is for many entries") {
  const Cost cost = cost_of_a_decision({});
  const Cost without = cost_of_a_decision({.group_commit = GroupCommit::entry});
  MESSAGE(cost.syncs, " syncs a decision, ", without.syncs, " without group commit");
  CHECK(without.syncs > 3 * 4);  // a vote, a certificate and a decision at each node
  CHECK(cost.syncs < 0.7 * without.syncs);
}

TEST_CASE("with few requests nobody waits for a delay that is meant for many") {
  const Rate rate = rate_under_load({}, 8, 50ms);
  const Rate unpulled = rate_under_load({.pull_along = PullAlong::delayed}, 8, 50ms);
  const Rate fixed = rate_under_load({.batching = Batching::fixed_delay}, 8, 50ms);
  MESSAGE("median and slowest hundredth: ", seconds(rate.median), " s, ",
          seconds(rate.slowest_percent), " s; without pull-along ", seconds(unpulled.median),
          " s, ", seconds(unpulled.slowest_percent), " s; with a fixed delay ",
          seconds(fixed.median), " s, ", seconds(fixed.slowest_percent), " s");
  CHECK(rate.median < 5ms);
  CHECK(rate.slowest_percent < 8ms);
  CHECK(unpulled.slowest_percent > 2 * rate.slowest_percent);
  CHECK(fixed.median > 2 * rate.median);
}

TEST_CASE("when a leader is killed the others go on after one time-out") {
  const Time patience = mirbft::IssConfig{}.base_timeout;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    CAPTURE(seed);
    const FailOver one = kill_one({.seed = seed});
    MESSAGE("after ", seconds(one.time) / seconds(patience), " T_0; longest pause ",
            seconds(one.pause), " s");
    CHECK(one.time > 0.9 * patience);
    CHECK(one.time < 1.2 * patience);
    CHECK(one.pause < 1.2 * patience);
  }
}

TEST_CASE("a silent leader costs time-outs once, and is left out then") {
  const double all = throughput_with_silent({}, 0, 10s);
  const double but_one = throughput_with_silent({}, 1, 10s);
  MESSAGE(but_one, " requests/s of ", all);
  CHECK(but_one > 0.6 * all);
}

}  // namespace simulation

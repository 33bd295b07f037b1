// What a seed draws: within what is allowed, within what a cluster must bear, and its own.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/sim/faults.hpp>
#include <mirbft/sim/schedule.hpp>
#include <mirbft/types/quorum.hpp>

namespace mirbft::schedule_test {
namespace {

using namespace std::chrono_literals;
using sim::Fault;
using sim::FaultKinds;
using sim::Schedule;
using sim::Strike;

Schedule draw(std::uint64_t seed, FaultKinds allowed, std::size_t nodes = 4) {
  return sim::draw_schedule(allowed, nodes, 5s, sim::Random(seed));
}

std::vector<Strike> of_kind(const Schedule& faults, Fault kind) {
  std::vector<Strike> strikes = faults.strikes;
  std::erase_if(strikes, [&](const Strike& strike) { return strike.kind != kind; });
  return strikes;
}

}  // namespace

TEST_CASE("a seed draws what is allowed: some seeds much of it, some nothing") {
  bool calm = false;
  bool wild = false;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Schedule faults = draw(seed, {Fault::loss, Fault::crash});
    CHECK(faults.links.duplication == 0);
    CHECK(faults.pace.shuffled_slots == 0);
    CHECK(faults.disks.tail == sim::Tail::kept);
    CHECK(of_kind(faults, Fault::crash) == faults.strikes);
    calm = calm || (faults.links.loss == 0 && faults.strikes.empty());
    wild = wild || (faults.links.loss > 50 && faults.strikes.size() > 9);
    CHECK(draw(seed, {}).strikes.empty());
    CHECK(draw(seed, {}).lost.empty());
  }
  CHECK(calm);
  CHECK(wild);
}

TEST_CASE("every kind that strikes at a moment is drawn as its shape says") {
  std::set<Fault> drawn;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Schedule faults = draw(seed, FaultKinds::all(), 5);
    CHECK(faults.heal <= 5s);
    CHECK(std::ranges::is_sorted(faults.strikes, {}, &Strike::at));
    for (const Strike& strike : faults.strikes) {
      const sim::StrikeShape* shape = sim::shape_of(strike.kind);
      REQUIRE(shape != nullptr);
      drawn.insert(strike.kind);
      CHECK(strike.at < faults.heal);
      CHECK(strike.amount >= std::min<std::int64_t>(0, shape->least));
      CHECK(strike.amount <= shape->most_drawn);
      CHECK((strike.lasts == 0s) == shape->span.empty());
      CHECK(strike.nodes.empty() == false);
      CHECK(strike.others.empty() == (shape->whom == sim::Whom::node));
    }
  }
  CHECK(drawn.size() == std::size(sim::strike_shapes));
}

TEST_CASE("those that may forget and those that stay down are no more than f together") {
  for (const std::size_t nodes : {1u, 2u, 3u, 4u, 7u})
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      const Schedule faults = draw(seed, FaultKinds::all(), nodes);
      std::set<NodeId> gone(faults.lost.begin(), faults.lost.end());
      for (const Strike& strike : faults.strikes)
        if (sim::forgets(strike.kind)) gone.insert(strike.nodes[0]);
      CHECK(gone.size() <= Quorum(nodes).faulty());
    }
}

TEST_CASE("of a partition each group has a member, and a bridge has one between") {
  std::set<std::size_t> sizes;
  for (std::uint64_t seed = 0; seed < 100; ++seed)
    for (const Strike& strike : draw(seed, FaultKinds::all(), 4).strikes) {
      if (sim::shape_of(strike.kind)->whom != sim::Whom::groups) continue;
      const bool bridge = strike.kind == Fault::bridge_partition;
      CHECK(strike.nodes.size() + strike.others.size() + bridge == 4);
      CHECK(!strike.others.empty());
      for (const NodeId node : strike.nodes)
        CHECK(std::ranges::find(strike.others, node) == strike.others.end());
      sizes.insert(strike.nodes.size());
      if (bridge) CHECK(strike.nodes.size() < 3);
    }
  CHECK(sizes == std::set<std::size_t>{1, 2, 3});
  CHECK(of_kind(draw(1, FaultKinds::all(), 2), Fault::symmetric_partition).empty());
}

TEST_CASE("what is drawn of one kind does not depend on the others") {
  const FaultKinds few{Fault::crash, Fault::pause, Fault::loss};
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Schedule all = draw(seed, FaultKinds::all());
    const Schedule some = draw(seed, few);
    CHECK(of_kind(all, Fault::crash) == of_kind(some, Fault::crash));
    CHECK(of_kind(all, Fault::pause) == of_kind(some, Fault::pause));
    CHECK(all.links.loss == some.links.loss);
  }
}

}  // namespace mirbft::schedule_test

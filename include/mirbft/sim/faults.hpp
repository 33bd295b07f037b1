// Which faults strike a cluster, when and how often: drawn anew for each seed.
#ifndef MIRBFT_SIM_FAULTS_HPP
#define MIRBFT_SIM_FAULTS_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <mirbft/sim/clock.hpp>
#include <mirbft/sim/disk.hpp>
#include <mirbft/sim/fault.hpp>
#include <mirbft/sim/node_ids.hpp>
#include <mirbft/sim/random.hpp>
#include <mirbft/sim/schedule.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/quorum.hpp>

namespace mirbft::sim {

/// Those of the nodes from 0 to `nodes - 1` that a run may do without: as many as a cluster must
/// bear. Who is faulty, who ever loses its disk and who stays down are among them.
inline std::vector<NodeId> draw_suspects(std::size_t nodes, const Random& random) {
  std::vector<NodeId> all = node_ids(nodes);
  Random order = random.fork("suspects");
  order.shuffle(all);
  all.resize(Quorum(nodes).faulty());
  return all;
}

/// Draws the faults of one run, ahead of it. Of the kinds that are allowed, each seed leaves some
/// out and exaggerates others: swarm testing (Groce and others, ISSTA 2012) finds what an average
/// hides. Each kind has random numbers of its own: one that is added changes none of the others.
class ScheduleDraw {
 public:
  /// For the nodes from 0 to `nodes - 1`; they are healed when `most` is over, or before.
  ScheduleDraw(FaultKinds allowed, std::size_t nodes, Time most, const Random& random)
      : allowed_(allowed),
        random_(random),
        most_(most),
        members_(node_ids(nodes)),
        suspects_(draw_suspects(nodes, random)) {}

  Schedule draw() {
    draw_end();
    draw_rates();
    for (const StrikeShape& shape : strike_shapes) draw_strikes(shape);
    std::stable_sort(faults_.strikes.begin(), faults_.strikes.end(),
                     [](const Strike& left, const Strike& right) { return left.at < right.at; });
    return std::move(faults_);
  }

 private:
  using microseconds = std::chrono::microseconds;
  using milliseconds = std::chrono::milliseconds;

  /// In whole microseconds, since people are going to read it.
  static Time between(Random& random, Time least, Time most) {
    return std::chrono::duration_cast<microseconds>(random.between(least, most));
  }
  /// Short ones are as likely as long ones.
  static Time span(Random& random, Time least, Time most) {
    return between(random, least, std::max(least, most / (1 << random.below(6))));
  }
  Random numbers_of(Fault kind) const noexcept { return random_.fork(to_string(kind)); }
  bool has(Fault kind, Random& random, std::uint32_t chance = 600) const noexcept {
    return random.chance(chance) && allowed_.has(kind);
  }
  /// In a thousand; small ones are as likely as large ones.
  std::uint32_t rate(Fault kind, std::uint32_t most) const noexcept {
    Random random = numbers_of(kind);
    return has(kind, random) ? random.between(1u, 1u + most / (1u << random.below(5))) : 0;
  }

  /// Those that stay down, where nodes may go down at all, are as many as a cluster must bear.
  void draw_end() {
    Random random = random_.fork("end");
    faults_.heal = between(random, most_ / 4, most_);
    if (allowed_.has(Fault::crash) && random.chance(500)) {
      const std::size_t lost = random.below(suspects_.size() + 1);
      faults_.lost.assign(suspects_.begin(), suspects_.begin() + static_cast<std::ptrdiff_t>(lost));
      std::sort(faults_.lost.begin(), faults_.lost.end());
    }
  }

  void draw_rates() {
    Random random = random_.fork("rates");
    LinkRates& links = faults_.links;
    links.longest = span(random, microseconds(100), milliseconds(100));
    links.longest_delay = span(random, milliseconds(10), milliseconds(1000));
    links.loss = rate(Fault::loss, 200);
    links.duplication = rate(Fault::duplication, 300);
    links.reordering = rate(Fault::reordering, 900);
    links.delay = rate(Fault::delay, 50);
    faults_.pace.reaction = span(random, microseconds(1), milliseconds(5));
    Random order = numbers_of(Fault::slot_order);
    if (has(Fault::slot_order, order)) faults_.pace.shuffled_slots = 1000;
    Random tail = numbers_of(Fault::lost_tail);
    if (has(Fault::lost_tail, tail)) faults_.disks.tail = Tail::drawn;
  }

  /// A seed has its own idea of how often a kind strikes, and for how long. To lose what is on a
  /// disk is so hard that it should be rarer.
  void draw_strikes(const StrikeShape& shape) {
    Random random = numbers_of(shape.kind);
    const bool is_hard = forgets(shape.kind);
    const std::vector<NodeId> victims = is_hard ? suspects_ : members_;
    if (!has(shape.kind, random, is_hard ? 300 : 600)) return;
    if (victims.size() < (shape.whom == Whom::groups ? 3 : 1)) return;
    const Time every = span(random, milliseconds(is_hard ? 500 : 100), milliseconds(4000));
    const Time longest = span(random, milliseconds(5), milliseconds(2000));
    for (Time at{};;) {
      at += between(random, every / 2, every + every / 2);
      if (at >= faults_.heal) return;
      Strike strike{.at = at, .kind = shape.kind};
      draw_whom(strike, shape.whom, victims, random);
      if (!shape.amount.empty()) strike.amount = random.between(shape.least, shape.most_drawn);
      if (!shape.span.empty()) strike.lasts = between(random, milliseconds(1), longest);
      faults_.strikes.push_back(std::move(strike));
    }
  }

  static void draw_whom(Strike& strike, Whom whom, std::vector<NodeId> victims, Random& random) {
    if (whom == Whom::groups) return draw_groups(strike, std::move(victims), random);
    strike.nodes = {random.pick(victims)};
    if (whom == Whom::link) strike.others = {random.pick(victims)};
  }
  /// Each has a member at least; of a bridge, there is one between them.
  static void draw_groups(Strike& strike, std::vector<NodeId> members, Random& random) {
    random.shuffle(members);
    const bool bridge = strike.kind == Fault::bridge_partition;
    const auto size = static_cast<std::ptrdiff_t>(1 + random.below(members.size() - 1 - bridge));
    const auto middle = members.begin() + size;
    strike.nodes.assign(members.begin(), middle);
    strike.others.assign(middle + bridge, members.end());
    std::sort(strike.nodes.begin(), strike.nodes.end());
    std::sort(strike.others.begin(), strike.others.end());
  }

  FaultKinds allowed_;
  Random random_;
  Time most_;
  std::vector<NodeId> members_;
  std::vector<NodeId> suspects_;
  Schedule faults_;
};

/// The kinds that can strike a cluster of so many nodes: a single one has no links, two have no
/// groups, and none may forget where none may be faulty.
inline FaultKinds faults_among(std::size_t nodes) {
  FaultKinds kinds = FaultKinds::all();
  for (const StrikeShape& shape : strike_shapes) {
    const bool too_few = (shape.whom == Whom::groups && nodes < 3) ||
                         (forgets(shape.kind) && Quorum(nodes).faulty() == 0);
    if (too_few) kinds = kinds.without(shape.kind);
  }
  if (nodes > 1) return kinds;
  for (const Fault kind :
       {Fault::loss, Fault::duplication, Fault::reordering, Fault::delay, Fault::clog})
    kinds = kinds.without(kind);
  return kinds;
}

/// Draws the faults of a run of so many nodes that are healed after `most`, or before.
inline Schedule draw_schedule(FaultKinds allowed, std::size_t nodes, Time most,
                              const Random& random) {
  return ScheduleDraw(allowed, nodes, most, random).draw();
}

}  // namespace mirbft::sim

#endif

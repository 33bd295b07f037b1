// Which faults strike a cluster, and how often: drawn anew for each seed.
#ifndef MIRBFT_SIM_FAULTS_HPP
#define MIRBFT_SIM_FAULTS_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <mirbft/events/event.hpp>
#include <mirbft/sim/agenda.hpp>
#include <mirbft/sim/cluster.hpp>
#include <mirbft/sim/fault.hpp>
#include <mirbft/sim/network.hpp>
#include <mirbft/sim/random.hpp>
#include <mirbft/types/quorum.hpp>

namespace mirbft::sim {

/// A fault that comes and goes.
struct Trouble {
  Fault kind = Fault::pause;
  /// Between two of them, about: from half of it to one and a half.
  Time every = std::chrono::seconds(1);
  /// How long one lasts, at most.
  Time lasts = std::chrono::milliseconds(500);
};

/// How a cluster is mistreated.
struct FaultPlan {
  LinkRates links;
  std::uint32_t shuffled_slots = 0;
  Time reaction = std::chrono::microseconds(100);
  Tail tail = Tail::kept;
  std::vector<Trouble> troubles;

  /// Sets what a cluster is made with.
  void set(ClusterConfig& config) const {
    config.links = links;
    config.shuffled_slots = shuffled_slots;
    config.reaction = reaction;
    config.tail = tail;
  }
};

/// Draws the faults of one run. Of the kinds that are allowed, each seed leaves some out and
/// exaggerates others: swarm testing (Groce and others, ISSTA 2012) finds what an average hides.
inline FaultPlan draw_faults(FaultKinds allowed, Random& random) {
  FaultPlan faults;
  const auto has = [&](Fault kind) { return allowed.has(kind) && random.chance(600); };
  // Small rates are as likely as large ones.
  const auto rate = [&](Fault kind, std::uint32_t most) {
    return has(kind) ? random.between(1u, 1u + most / (1u << random.below(5))) : 0u;
  };
  const auto span = [&](Time least, Time most) {
    return random.between(least, std::max(least, most / (1 << random.below(6))));
  };
  using std::chrono::microseconds;
  using std::chrono::milliseconds;
  faults.links.longest = span(microseconds(100), milliseconds(100));
  faults.links.loss = rate(Fault::loss, 200);
  faults.links.duplication = rate(Fault::duplication, 300);
  faults.links.reordering = rate(Fault::reordering, 900);
  faults.links.delay = rate(Fault::delay, 50);
  faults.links.longest_delay = span(milliseconds(10), milliseconds(1000));
  faults.shuffled_slots = has(Fault::slot_order) ? 1000 : 0;
  faults.reaction = span(microseconds(1), milliseconds(5));
  faults.tail = has(Fault::lost_tail) ? Tail::drawn : Tail::kept;
  for (const Fault kind :
       {Fault::clog, Fault::symmetric_partition, Fault::asymmetric_partition,
        Fault::bridge_partition, Fault::crash, Fault::crash_in_list, Fault::pause,
        Fault::clock_skew, Fault::clock_jump, Fault::slow_module})
    if (has(kind))
      faults.troubles.push_back({kind, span(milliseconds(100), milliseconds(4000)),
                                 span(milliseconds(5), milliseconds(2000))});
  // From numbers of its own: it is newer than the others, whose seeds stay what they are.
  Random apart = random.fork("wipe");
  if (allowed.has(Fault::wipe) && apart.chance(300))
    faults.troubles.push_back({Fault::wipe,
                               apart.between(milliseconds(500), milliseconds(4000)),
                               apart.between(milliseconds(5), milliseconds(2000))});
  return faults;
}

/// Makes trouble in a cluster: ask `next()` when, let the cluster go on until then, and `act`.
class Chaos {
 public:
  Chaos(std::vector<Trouble> troubles, Random random)
      : troubles_(std::move(troubles)), random_(random) {
    for (std::size_t i = 0; i < troubles_.size(); ++i) begin_later(i, {});
  }

  Time next() const noexcept { return agenda_.next(); }

  template <class Replica>
  void act(Cluster<Replica>& cluster) {
    Deed deed = agenda_.take();
    if (deed.kind == Deed::Kind::mend) return cluster.network().mend(deed.cut);
    if (deed.kind == Deed::Kind::restart) return restart(cluster, std::move(deed));
    const Trouble& trouble = troubles_[deed.trouble];
    begin_later(deed.trouble, cluster.now());
    const Time end = cluster.now() + random_.between(Time(1), trouble.lasts);
    strike(trouble, end, cluster);
  }

 private:
  struct Deed {
    enum class Kind : std::uint8_t { begin, mend, restart };

    Kind kind;
    std::size_t trouble;
    Cut cut;
    NodeId node;
  };

  void begin_later(std::size_t trouble, Time now) {
    const Time every = troubles_[trouble].every;
    agenda_.at(now + random_.between(every / 2, every + every / 2),
               {Deed::Kind::begin, trouble, {}, {}});
  }

  template <class Replica>
  void strike(const Trouble& trouble, Time end, Cluster<Replica>& cluster) {
    const NodeId node = random_.pick(cluster.members());
    switch (trouble.kind) {
      case Fault::clog:
        return cluster.network().clog(node, random_.pick(cluster.members()), end);
      case Fault::symmetric_partition:
      case Fault::asymmetric_partition:
      case Fault::bridge_partition: return part(trouble.kind, end, cluster);
      case Fault::crash:
        if (!cluster.is_up(node)) return;
        cluster.crash_after(node, random_.below(20));
        return agenda_.at(end, {Deed::Kind::restart, 0, {}, node});
      case Fault::crash_in_list:
        if (!cluster.is_up(node)) return;
        cluster.disk(node).fail_after(random_.below(20));
        return agenda_.at(end, {Deed::Kind::restart, 0, {}, node});
      case Fault::wipe: return wipe(node, end, cluster);
      case Fault::pause: return cluster.pause(node, end);
      case Fault::clock_skew:
        return cluster.skew(node, random_.between<std::int64_t>(-100'000, 100'000));
      case Fault::clock_jump: return cluster.jump(node, end - cluster.now());
      case Fault::slow_module:
        return cluster.hold(node, Slot(static_cast<std::uint16_t>(1u << random_.below(slot_count))),
                            end);
      default: return;  // struck by the network or by the course of the cluster
    }
  }

  /// Only so many nodes ever lose their disks as a cluster must bear: they count as faulty, and the
  /// faulty count as well.
  template <class Replica>
  void wipe(NodeId node, Time end, Cluster<Replica>& cluster) {
    std::vector<NodeId> lost = cluster.members();
    std::erase_if(
        lost, [&](NodeId id) { return !cluster.was_wiped(id) && !cluster.is_faulty(id); });
    const std::size_t most = Quorum(cluster.members().size()).faulty();
    if (most == 0) return;
    const NodeId victim = lost.size() < most ? node : random_.pick(lost);
    cluster.wipe(victim);
    agenda_.at(end, {Deed::Kind::restart, 0, {}, victim});
  }

  template <class Replica>
  void part(Fault kind, Time end, Cluster<Replica>& cluster) {
    std::vector<NodeId> all = cluster.members();
    if (all.size() < 3) return;
    random_.shuffle(all);
    const auto size = static_cast<std::ptrdiff_t>(1 + random_.below(all.size() - 2));
    const auto middle = all.begin() + size;
    const std::vector<NodeId> left(all.begin(), middle);
    const std::vector<NodeId> right(middle + (kind == Fault::bridge_partition), all.end());
    Cut cut = kind == Fault::bridge_partition       ? bridge_partition(left, right)
              : kind == Fault::asymmetric_partition ? asymmetric_partition(left, right)
                                                    : symmetric_partition(left, right);
    cluster.network().cut(cut);
    agenda_.at(end, {Deed::Kind::mend, 0, std::move(cut), {}});
  }

  /// A node whose crash is due and has not come yet is waited for.
  template <class Replica>
  void restart(Cluster<Replica>& cluster, Deed deed) {
    if (!cluster.is_up(deed.node)) return cluster.restart(deed.node);
    agenda_.at(cluster.now() + std::chrono::milliseconds(50), std::move(deed));
  }

  std::vector<Trouble> troubles_;
  Random random_;
  Agenda<Deed> agenda_;
};

}  // namespace mirbft::sim

#endif

// What a strike does to a cluster.
#ifndef MIRBFT_SIM_STRIKES_HPP
#define MIRBFT_SIM_STRIKES_HPP

#include <chrono>
#include <cstdint>
#include <utility>

#include <mirbft/events/event.hpp>
#include <mirbft/sim/cluster.hpp>
#include <mirbft/sim/fault.hpp>
#include <mirbft/sim/network.hpp>
#include <mirbft/sim/schedule.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft::sim {

namespace detail {

/// A node whose crash is due and has not come yet is waited for.
template <class Replica>
void restart_at(Cluster<Replica>& cluster, NodeId node, Time time) {
  cluster.at(time, [&cluster, node] {
    if (!cluster.is_up(node)) return cluster.restart(node);
    restart_at(cluster, node, cluster.now() + std::chrono::milliseconds(50));
  });
}

template <class Replica>
void part(Cluster<Replica>& cluster, Cut cut, Time end) {
  cluster.network().cut(cut);
  cluster.at(end, [&cluster, cut = std::move(cut)] { cluster.network().mend(cut); });
}

}  // namespace detail

/// Strikes now, and makes sure that it ends: after the time that the strike lasts, or at `heal`.
/// May be called amid the work of a node.
template <class Replica>
void strike(Cluster<Replica>& cluster, const Strike& strike, Time heal) {
  const Time end = strike.lasts == Time{} ? heal : cluster.now() + strike.lasts;
  const NodeId node = strike.nodes.front();
  const auto lists = static_cast<std::uint64_t>(strike.amount);
  switch (strike.kind) {
    case Fault::clog: return cluster.network().clog(node, strike.others.front(), end);
    case Fault::symmetric_partition:
      return detail::part(cluster, symmetric_partition(strike.nodes, strike.others), end);
    case Fault::asymmetric_partition:
      return detail::part(cluster, asymmetric_partition(strike.nodes, strike.others), end);
    case Fault::bridge_partition:
      return detail::part(cluster, bridge_partition(strike.nodes, strike.others), end);
    case Fault::crash:
      if (!cluster.is_up(node)) return;
      cluster.crash_after(node, lists);
      return detail::restart_at(cluster, node, end);
    case Fault::crash_in_list:
      if (!cluster.is_up(node)) return;
      cluster.disk(node).fail_after(lists);
      return detail::restart_at(cluster, node, end);
    case Fault::wipe:
      cluster.at(cluster.now(), [&cluster, node] { cluster.wipe(node); });
      return detail::restart_at(cluster, node, end);
    case Fault::pause: return cluster.pause(node, end);
    case Fault::clock_skew: return cluster.skew(node, strike.amount);
    case Fault::clock_jump: return cluster.jump(node, end - cluster.now());
    case Fault::slow_module:
      return cluster.hold(node, Slot(static_cast<std::uint16_t>(1u << strike.amount)), end);
    default: return;  // throughout a run, and no strike
  }
}

}  // namespace mirbft::sim

#endif

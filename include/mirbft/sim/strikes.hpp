// What a strike does to a cluster.
#ifndef MIRBFT_SIM_STRIKES_HPP
#define MIRBFT_SIM_STRIKES_HPP

#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>

#include <mirbft/events/event.hpp>
#include <mirbft/sim/cluster.hpp>
#include <mirbft/sim/fault.hpp>
#include <mirbft/sim/file_system.hpp>
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

/// What one of the next operations on its files meets stops the node.
template <class Replica>
void trouble_files(Cluster<Replica>& cluster, NodeId node, std::uint64_t operations,
                   FileTrouble trouble, Time end) {
  if (!cluster.is_up(node)) return;
  cluster.files(node).fail_after(operations, trouble);
  restart_at(cluster, node, end);
}

/// The node is restarted, at once if it is up.
template <class Replica>
void crash_and_restart(Cluster<Replica>& cluster, NodeId node, Time time) {
  cluster.at(time, [&cluster, node] {
    cluster.crash(node);
    cluster.restart(node);
  });
}

template <class Replica>
void set_back(Cluster<Replica>& cluster, NodeId node, Time time) {
  if (cluster.files(node).empty()) return;
  const auto image = std::make_shared<const FileSystem::Image>(cluster.files(node).image());
  cluster.at(time, [&cluster, node, image] { cluster.set_back(node, *image); });
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
    case Fault::torn_write:
      return detail::trouble_files(cluster, node, lists, FileTrouble::power, end);
    case Fault::no_space:
      return detail::trouble_files(cluster, node, lists, FileTrouble::no_space, end);
    case Fault::io_error:
      return detail::trouble_files(cluster, node, lists, FileTrouble::io_error, end);
    case Fault::failed_sync:
      return detail::trouble_files(cluster, node, lists, FileTrouble::failed_sync, end);
    case Fault::misdirected_write:
      if (!cluster.is_up(node)) return;
      cluster.files(node).fail_after(lists, FileTrouble::misdirected_write);
      return detail::crash_and_restart(cluster, node, end);
    case Fault::bit_rot:
      cluster.rot(node);
      return detail::crash_and_restart(cluster, node, end);
    case Fault::old_directory: return detail::set_back(cluster, node, end);
    case Fault::slow_disk:
      return cluster.hold(node, slot::wal | slot::store, end, Fault::slow_disk);
    case Fault::pause: return cluster.pause(node, end);
    case Fault::clock_skew: return cluster.skew(node, strike.amount);
    case Fault::clock_jump: return cluster.jump(node, strike.lasts);
    case Fault::slow_module:
      return cluster.hold(node, Slot(static_cast<std::uint16_t>(1u << strike.amount)), end);
    default: return;  // throughout a run, and no strike
  }
}

}  // namespace mirbft::sim

#endif

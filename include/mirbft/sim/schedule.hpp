// The faults of a run as data: how the links misbehave throughout, and what strikes when.
#ifndef MIRBFT_SIM_SCHEDULE_HPP
#define MIRBFT_SIM_SCHEDULE_HPP

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/events/event.hpp>
#include <mirbft/sim/clock.hpp>
#include <mirbft/sim/disk.hpp>
#include <mirbft/sim/fault.hpp>
#include <mirbft/sim/network.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft::sim {

/// A fault that strikes at one moment. What its members mean is said by the shape of its kind.
struct Strike {
  Time at{};
  Fault kind = Fault::pause;
  /// The node that is struck, the sender of the link, or one group.
  std::vector<NodeId> nodes{};
  /// The receiver of the link, or the other group.
  std::vector<NodeId> others{};
  std::int64_t amount = 0;
  /// 0 for as long as there are faults at all.
  Time lasts{};

  friend bool operator==(const Strike&, const Strike&) = default;
};

/// Whom a kind of strike hits.
enum class Whom : std::uint8_t { node, link, groups };

/// What there is to say of a strike. A kind of fault that strikes at a moment has a row below, and
/// a case in `strike` (strikes.hpp): drawing it, printing it and reading it follow from the row.
struct StrikeShape {
  Fault kind;
  Whom whom = Whom::node;
  /// The word before the amount; none for kinds without.
  std::string_view amount = {};
  /// What an amount may be, and the most that a seed draws.
  std::int64_t least = 0;
  std::int64_t most = 0;
  std::int64_t most_drawn = most;
  /// For amounts that are names: those from 0 to `most`.
  const char* const* names = nullptr;
  /// The word before the time that it lasts; none for kinds that come to stay.
  std::string_view span = "for";
};

inline constexpr StrikeShape strike_shapes[] = {
    {.kind = Fault::clog, .whom = Whom::link},
    {.kind = Fault::symmetric_partition, .whom = Whom::groups},
    {.kind = Fault::asymmetric_partition, .whom = Whom::groups},
    {.kind = Fault::bridge_partition, .whom = Whom::groups},
    // After so many more lists of events, or operations of the disk.
    {.kind = Fault::crash, .amount = "after", .most = 1'000'000, .most_drawn = 19},
    {.kind = Fault::crash_in_list, .amount = "after", .most = 1'000'000, .most_drawn = 19},
    {.kind = Fault::pause},
    // Parts in a million.
    {.kind = Fault::clock_skew, .amount = "ppm", .least = -100'000, .most = 100'000, .span = ""},
    {.kind = Fault::clock_jump, .span = "by"},
    {.kind = Fault::slow_module, .amount = "module", .most = slot_count - 1, .names = slot_names},
    {.kind = Fault::wipe},
    // After so many more operations on files.
    {.kind = Fault::torn_write, .amount = "after", .most = 1'000'000, .most_drawn = 19},
    {.kind = Fault::bit_rot},
    {.kind = Fault::misdirected_write, .amount = "after", .most = 1'000'000, .most_drawn = 19},
    {.kind = Fault::no_space, .amount = "after", .most = 1'000'000, .most_drawn = 19},
    {.kind = Fault::io_error, .amount = "after", .most = 1'000'000, .most_drawn = 19},
    {.kind = Fault::failed_sync, .amount = "after", .most = 1'000'000, .most_drawn = 19},
    {.kind = Fault::slow_disk},
    {.kind = Fault::old_directory},
};

/// Whether a node may forget, by a fault of this kind, what it has said: then it counts as faulty.
constexpr bool forgets(Fault kind) noexcept {
  return kind == Fault::wipe || kind == Fault::bit_rot || kind == Fault::misdirected_write ||
         kind == Fault::old_directory;
}

/// The shape of a kind; null for those that do not strike at a moment.
constexpr const StrikeShape* shape_of(Fault kind) noexcept {
  for (const StrikeShape& shape : strike_shapes)
    if (shape.kind == kind) return &shape;
  return nullptr;
}

/// How the nodes are driven, as in `ClusterConfig`.
struct Pace {
  std::uint32_t shuffled_slots = 0;
  Time reaction = std::chrono::microseconds(100);

  friend bool operator==(const Pace&, const Pace&) = default;
};

/// How the disks behave.
struct DiskRates {
  /// What crashes leave of what is not synced.
  Tail tail = Tail::kept;

  friend bool operator==(const DiskRates&, const DiskRates&) = default;
};

/// All faults of a run.
struct Schedule {
  LinkRates links;
  Pace pace;
  DiskRates disks;
  /// By their time.
  std::vector<Strike> strikes{};
  /// When everything is healed.
  Time heal = std::chrono::seconds(5);
  /// Those that stay down from then on.
  std::vector<NodeId> lost{};

  friend bool operator==(const Schedule&, const Schedule&) = default;
};

}  // namespace mirbft::sim

BOOST_HANA_ADAPT_STRUCT(mirbft::sim::LinkRates, shortest, longest, loss, duplication, reordering,
                        delay, longest_delay);
BOOST_HANA_ADAPT_STRUCT(mirbft::sim::Pace, shuffled_slots, reaction);
BOOST_HANA_ADAPT_STRUCT(mirbft::sim::DiskRates, tail);

#endif

// The kinds of faults, and how often each has struck.
#ifndef MIRBFT_SIM_FAULT_HPP
#define MIRBFT_SIM_FAULT_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <mirbft/types/errors.hpp>

namespace mirbft::sim {

/// What can go wrong in a simulated cluster without anybody's malice.
enum class Fault : std::uint8_t {
  /// A frame disappears.
  loss,
  /// A frame arrives twice.
  duplication,
  /// A frame overtakes others of its link, or is overtaken.
  reordering,
  /// A frame takes far longer than others.
  delay,
  /// A link holds back everything for a while.
  clog,
  /// Two groups do not hear each other.
  symmetric_partition,
  /// One group does not hear the other, which hears it.
  asymmetric_partition,
  /// Two groups do not hear each other, but one member hears both and is heard by both.
  bridge_partition,
  /// A node is gone between two lists of events, and comes back later on the same disk.
  crash,
  /// A node is gone amid a list of its disk: a part of it is written, and nothing is synced.
  crash_in_list,
  /// What was written and not synced before a crash is lost, but for some prefix of it.
  lost_tail,
  /// A node does nothing for a while.
  pause,
  /// The clock of a node runs too fast or too slow.
  clock_skew,
  /// The clock of a node jumps forward.
  clock_jump,
  /// A module of a node gets no work done for a while; the others of the node do.
  slow_module,
  /// The modules of a node get their work in another order than `Node::process` would give it.
  slot_order,
  /// A node loses its whole disk, and comes back without its memory.
  wipe,
  /// The power fails amid a write: some sectors of it come to the disk, and others do not.
  torn_write,
  /// A bit of a file flips, and then the node is restarted.
  bit_rot,
  /// A write comes to another place, and then the node is restarted: it may have forgotten.
  misdirected_write,
  /// There is no room for a file: the node stops.
  no_space,
  /// An operation on a file is refused: the node stops.
  io_error,
  /// A sync fails, and what was to be synced is gone: the node stops.
  failed_sync,
  /// The log and the store of a node get no work done for a while.
  slow_disk,
  /// A node is restarted on what it had on its disk a while ago, and does not know it.
  old_directory,
};

inline constexpr std::size_t fault_kinds = 25;

constexpr std::string_view to_string(Fault fault) noexcept {
  constexpr std::string_view names[fault_kinds] = {"loss",
                                                   "duplication",
                                                   "reordering",
                                                   "delay",
                                                   "clog",
                                                   "symmetric_partition",
                                                   "asymmetric_partition",
                                                   "bridge_partition",
                                                   "crash",
                                                   "crash_in_list",
                                                   "lost_tail",
                                                   "pause",
                                                   "clock_skew",
                                                   "clock_jump",
                                                   "slow_module",
                                                   "slot_order",
                                                   "wipe",
                                                   "torn_write",
                                                   "bit_rot",
                                                   "misdirected_write",
                                                   "no_space",
                                                   "io_error",
                                                   "failed_sync",
                                                   "slow_disk",
                                                   "old_directory"};
  return names[static_cast<std::size_t>(fault)];
}

constexpr Fault fault_at(std::size_t place) noexcept { return static_cast<Fault>(place); }

/// Which kinds of faults may strike.
class FaultKinds {
 public:
  constexpr FaultKinds() = default;
  constexpr FaultKinds(std::initializer_list<Fault> kinds) noexcept {
    for (const Fault kind : kinds) bits_ |= bit(kind);
  }
  static constexpr FaultKinds all() noexcept {
    FaultKinds kinds;
    kinds.bits_ = (1u << fault_kinds) - 1;
    return kinds;
  }

  constexpr bool has(Fault kind) const noexcept { return (bits_ & bit(kind)) != 0; }
  constexpr bool none() const noexcept { return bits_ == 0; }
  constexpr FaultKinds without(Fault kind) const noexcept {
    FaultKinds others = *this;
    others.bits_ &= ~bit(kind);
    return others;
  }
  friend constexpr FaultKinds operator|(FaultKinds left, FaultKinds right) noexcept {
    left.bits_ |= right.bits_;
    return left;
  }
  friend constexpr bool operator==(FaultKinds, FaultKinds) = default;

 private:
  static constexpr std::uint32_t bit(Fault kind) noexcept {
    return 1u << static_cast<unsigned>(kind);
  }

  std::uint32_t bits_ = 0;
};

/// The names of kinds, with commas between; "none" for none of them.
inline std::string to_string(FaultKinds kinds) {
  std::string text;
  for (std::size_t i = 0; i < fault_kinds; ++i)
    if (kinds.has(fault_at(i))) (text += text.empty() ? "" : ",") += to_string(fault_at(i));
  return text.empty() ? "none" : text;
}

/// Reads names with commas between, "all" or "none". Throws ConfigError for anything else.
inline FaultKinds parse_fault_kinds(std::string_view text) {
  if (text == "all") return FaultKinds::all();
  FaultKinds kinds;
  if (text == "none") return kinds;
  for (std::string_view rest = text;;) {
    const std::string_view name = rest.substr(0, rest.find(','));
    std::optional<Fault> found;
    for (std::size_t i = 0; i < fault_kinds; ++i)
      if (name == to_string(fault_at(i))) found = fault_at(i);
    if (!found)
      throw ConfigError("faults", '"' + std::string(name) + '"',
                        "must be all, none or a list of " + to_string(FaultKinds::all()));
    kinds = kinds | FaultKinds{*found};
    if (name.size() == rest.size()) return kinds;
    rest.remove_prefix(name.size() + 1);
  }
}

/// How often each kind of fault has struck.
class FaultCounts {
 public:
  void count(Fault kind, std::uint64_t times = 1) noexcept {
    counts_[static_cast<std::size_t>(kind)] += times;
  }
  std::uint64_t operator[](Fault kind) const noexcept {
    return counts_[static_cast<std::size_t>(kind)];
  }
  FaultCounts& operator+=(const FaultCounts& other) noexcept {
    for (std::size_t i = 0; i < fault_kinds; ++i) counts_[i] += other.counts_[i];
    return *this;
  }
  /// Those of `wanted` that have never struck.
  FaultKinds missing(FaultKinds wanted) const noexcept {
    FaultKinds kinds;
    for (std::size_t i = 0; i < fault_kinds; ++i)
      if (wanted.has(fault_at(i)) && counts_[i] == 0) kinds = kinds | FaultKinds{fault_at(i)};
    return kinds;
  }

 private:
  std::array<std::uint64_t, fault_kinds> counts_{};
};

}  // namespace mirbft::sim

#endif

// Events as ShiViz (https://bestchai.bitbucket.io/shiviz) reads them: with vector clocks.
#ifndef MIRBFT_MIRCAT_EXPORT_SHIVIZ_HPP
#define MIRBFT_MIRCAT_EXPORT_SHIVIZ_HPP

#include <algorithm>
#include <cstdint>
#include <map>
#include <ostream>
#include <string>

#include <mirbft/mircat/found.hpp>
#include <mirbft/mircat/matching.hpp>
#include <mirbft/mircat/meaning.hpp>

namespace mirbft::mircat {

/// Of each node, how many of its events are known to have happened (Mattern, "Virtual Time and
/// Global States of Distributed Systems", 1988).
class VectorClock {
 public:
  void tick(std::uint64_t node) { ++events_[node]; }
  void learn(const VectorClock& other) {
    for (const auto& [node, events] : other.events_) {
      std::uint64_t& known = events_[node];
      known = std::max(known, events);
    }
  }
  const std::map<std::uint64_t, std::uint64_t>& events() const noexcept { return events_; }

  /// Whether what has this clock happened before what has the other, and by no accident.
  bool is_before(const VectorClock& other) const {
    return *this != other && std::ranges::all_of(events_, [&](const auto& entry) {
      const auto found = other.events_.find(entry.first);
      return found != other.events_.end() && entry.second <= found->second;
    });
  }

  friend bool operator==(const VectorClock&, const VectorClock&) = default;

 private:
  std::map<std::uint64_t, std::uint64_t> events_;
};

/// The clocks of all nodes, as their events come.
class CausalOrder {
 public:
  /// The clock of the next event. A receipt knows all that its sender knew, where the sending is
  /// among the events before.
  const VectorClock& add(std::uint64_t node, const Meaning& meaning) {
    VectorClock& clock = clocks_[node];
    clock.tick(node);
    if (meaning.direction == Direction::received && meaning.peers.front() != node) {
      const auto sending =
          matcher_.received({meaning.peers.front(), node, meaning.content}, VectorClock());
      if (sending) clock.learn(*sending);
    } else if (meaning.direction == Direction::sent) {
      for (const std::uint64_t peer : meaning.peers)
        matcher_.sent({node, peer, meaning.content}, clock);
    }
    return clock;
  }

 private:
  std::map<std::uint64_t, VectorClock> clocks_;
  MessageMatcher<VectorClock> matcher_{std::size_t{1} << 18};
};

/// The first line is the regular expression that the rest is read with, the second is empty: there
/// is one execution.
class ShivizLog {
 public:
  explicit ShivizLog(std::ostream& out) : out_(out) {
    out_ << "(?<event>.*)\\n(?<host>\\S*) (?<clock>{.*})\n\n";
  }

  void add(const Found& found) {
    const Meaning meaning =
        meaning_of(found.printer->parse(found.event), found.event.payload.view());
    const std::uint64_t node = found.node.value;
    out_ << meaning.name();
    if (meaning.direction == Direction::sent) out_ << " sent";
    if (meaning.direction == Direction::received)
      out_ << " received from node" << meaning.peers.front();
    if (meaning.sn) out_ << " sn " << *meaning.sn;
    out_ << " (" << slot_name(found.event) << " #" << found.event.index << ")\nnode" << node
         << " {";
    const char* comma = "";
    for (const auto& [other, events] : order_.add(node, meaning).events()) {
      out_ << comma << "\"node" << other << "\":" << events;
      comma = ",";
    }
    out_ << "}\n";
  }

  void finish() {}

 private:
  std::ostream& out_;
  CausalOrder order_;
};

}  // namespace mirbft::mircat

#endif

// Scripted faults as data: which messages they are about, from when, until when, and what is done.
#ifndef MIRBFT_SIM_RULE_HPP
#define MIRBFT_SIM_RULE_HPP

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <mirbft/sim/clock.hpp>
#include <mirbft/sim/message_facts.hpp>
#include <mirbft/sim/schedule.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft::sim {

/// Numbers from `first` to `last`, both included.
struct Span {
  std::uint64_t first = 0;
  std::uint64_t last = std::numeric_limits<std::uint64_t>::max();

  bool has(std::uint64_t number) const noexcept { return first <= number && number <= last; }
  friend bool operator==(const Span&, const Span&) = default;
};

/// Some of the messages that are sent. A message to several nodes is one message for each of them.
struct Match {
  /// The name of its type, as in the schema; empty for all types.
  std::string type;
  /// Senders and receivers; empty for all of them.
  std::vector<NodeId> from;
  std::vector<NodeId> to;
  /// Those without such a number do not match.
  std::optional<Span> epoch;
  std::optional<Span> view;
  std::optional<Span> sn;

  bool has(NodeId sender, NodeId receiver, const MessageFacts& facts) const {
    return (type.empty() || type == facts.type) && is_one_of(from, sender) &&
           is_one_of(to, receiver) && is_within(epoch, facts.epoch) &&
           is_within(view, facts.view) && is_within(sn, facts.sn);
  }

  friend bool operator==(const Match&, const Match&) = default;

 private:
  static bool is_one_of(const std::vector<NodeId>& nodes, NodeId node) {
    return nodes.empty() || std::find(nodes.begin(), nodes.end(), node) != nodes.end();
  }
  static bool is_within(const std::optional<Span>& span, std::optional<std::uint64_t> number) {
    return !span || (number && span->has(*number));
  }
};

/// A point in the course of events: a time, or when so many messages have been sent. The message
/// that makes them so many still comes before it.
struct Moment {
  Time time{};
  /// 0 for a time.
  std::uint64_t messages = 0;
  Match match;

  friend bool operator==(const Moment&, const Moment&) = default;
};

/// What is done to messages.
enum class Meddling : std::uint8_t { drop, delay, duplicate };

/// Messages that do not arrive as they were sent.
struct Rule {
  /// The rule holds from one moment to the other; by default all the time.
  std::optional<Moment> after;
  std::optional<Moment> until;
  Match match;
  Meddling what = Meddling::drop;
  /// By how much it delays.
  Time late{};
  /// How many messages it takes, the first ones; 0 for all.
  std::uint64_t first = 0;

  friend bool operator==(const Rule&, const Rule&) = default;
};

/// A strike that waits for messages; its own time does not count.
struct Trigger {
  Moment after;
  Strike strike;

  friend bool operator==(const Trigger&, const Trigger&) = default;
};

}  // namespace mirbft::sim

#endif

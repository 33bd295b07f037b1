// Plays scripted faults: watches a cluster's messages, meddles with some, strikes after others.
#ifndef MIRBFT_SIM_SCRIPT_HPP
#define MIRBFT_SIM_SCRIPT_HPP

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include <mirbft/sim/clock.hpp>
#include <mirbft/sim/fault.hpp>
#include <mirbft/sim/message_facts.hpp>
#include <mirbft/sim/network.hpp>
#include <mirbft/sim/rule.hpp>
#include <mirbft/sim/schedule.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/wire/codec.hpp>
#include <mirbft/wire/joined.hpp>

namespace mirbft::sim {

/// Judges the frames of replicas that say `Message`s to one another. A frame with several messages
/// is taken apart if it must be: those that are left alone go on together.
template <class Message>
class Script {
 public:
  Script(const std::vector<Rule>& rules, const std::vector<Trigger>& triggers) {
    for (const Rule& rule : rules) rules_.push_back({rule, Gate(rule.after), Gate(rule.until), 0});
    for (const Trigger& trigger : triggers) triggers_.push_back({trigger, Gate(trigger.after)});
  }

  bool empty() const noexcept { return rules_.empty() && triggers_.empty(); }
  /// Those that no message has met so far.
  std::vector<Rule> idle_rules() const {
    std::vector<Rule> idle;
    for (const Playing& playing : rules_)
      if (playing.taken == 0) idle.push_back(playing.rule);
    return idle;
  }
  std::vector<Trigger> idle_triggers() const {
    std::vector<Trigger> idle;
    for (const Waiting& waiting : triggers_)
      if (!waiting.after.is_past()) idle.push_back(waiting.trigger);
    return idle;
  }

  /// What becomes of a frame that is sent `now`. Calls `strike(const Strike&)` for the strikes that
  /// one of its messages sets off, and `count(Fault)` for what is done to it.
  template <class Do, class Count>
  std::vector<Passage> judge(const Frame& frame, Time now, Do&& strike, Count&& count) {
    Judged judged;
    const auto take = [&](const Bytes& bytes) {
      const auto message = wire::decode<Message>(bytes, wire::Form::lenient);
      if (!message) return false;
      const Seen seen{frame.from, frame.to, now, facts_of(*message)};
      notice(seen, strike);
      pass(bytes, meddle(seen, count), judged);
      return true;
    };
    if (!take_each(frame.payload, take)) return {{frame.payload, {}}};
    if (!judged.alone.empty()) judged.passages.push_back({wire::join(judged.alone), {}});
    return std::move(judged.passages);
  }

 private:
  static constexpr std::size_t every_message = std::numeric_limits<std::size_t>::max();

  struct Seen {
    NodeId from;
    NodeId to;
    Time now;
    MessageFacts facts;

    bool is(const Match& match) const { return match.has(from, to, facts); }
  };

  /// Whether a moment has come.
  class Gate {
   public:
    explicit Gate(std::optional<Moment> moment) : moment_(std::move(moment)) {}

    /// Whether there is anything to wait for.
    explicit operator bool() const noexcept { return moment_.has_value(); }
    /// Whether a message comes after the moment: the one that completes it does not.
    bool is_over(const Seen& seen) const {
      return moment_->messages == 0 ? seen.now >= moment_->time : is_past();
    }
    /// Whether there have been as many messages.
    bool is_past() const noexcept { return count_ >= moment_->messages; }
    /// Whether it is this message that completes the moment.
    bool note(const Seen& seen) {
      return moment_ && moment_->messages != 0 && count_ < moment_->messages &&
             seen.is(moment_->match) && ++count_ == moment_->messages;
    }

   private:
    std::optional<Moment> moment_;
    std::uint64_t count_ = 0;
  };
  struct Playing {
    Rule rule;
    Gate after;
    Gate until;
    std::uint64_t taken;
  };
  struct Waiting {
    Trigger trigger;
    Gate after;
  };
  struct Fate {
    bool dropped = false;
    bool twice = false;
    Time late{};
  };
  struct Judged {
    std::vector<Bytes> alone;
    std::vector<Passage> passages;
  };

  template <class Take>
  static bool take_each(const Bytes& payload, Take& take) {
    if constexpr (wire::ends_by_itself<Message>()) {
      return wire::split(payload, every_message, take);
    } else {
      return take(payload);
    }
  }

  template <class Do>
  void notice(const Seen& seen, Do& strike) {
    for (Waiting& waiting : triggers_)
      if (waiting.after.note(seen)) strike(std::as_const(waiting.trigger.strike));
  }

  /// What all rules together make of a message.
  template <class Count>
  Fate meddle(const Seen& seen, Count& count) {
    Fate fate;
    for (Playing& playing : rules_) {
      if (takes(playing, seen)) apply(playing.rule, fate, count);
      playing.after.note(seen);
      playing.until.note(seen);
    }
    return fate;
  }
  static bool takes(Playing& playing, const Seen& seen) {
    const Rule& rule = playing.rule;
    if (playing.after && !playing.after.is_over(seen)) return false;
    if (playing.until && playing.until.is_over(seen)) return false;
    if (!seen.is(rule.match)) return false;
    if (rule.first != 0 && playing.taken == rule.first) return false;
    ++playing.taken;
    return true;
  }
  template <class Count>
  static void apply(const Rule& rule, Fate& fate, Count& count) {
    switch (rule.what) {
      case Meddling::drop: count(Fault::loss); fate.dropped = true; break;
      case Meddling::delay: count(Fault::delay); fate.late += rule.late; break;
      case Meddling::duplicate: count(Fault::duplication); fate.twice = true; break;
    }
  }

  static void pass(const Bytes& message, const Fate& fate, Judged& judged) {
    if (fate.dropped) return;
    if (fate.late == Time{} && !fate.twice) return judged.alone.push_back(message);
    judged.passages.push_back({message, fate.late});
    if (fate.twice) judged.passages.push_back({message, fate.late});
  }

  std::vector<Playing> rules_;
  std::vector<Waiting> triggers_;
};

}  // namespace mirbft::sim

#endif

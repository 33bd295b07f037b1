// Runs a deterministic module once more on what an event log says it was given, and compares what
// it emits with what the log says was dispatched.
//
// The log shows events where they are dispatched and not where they are emitted, so the rule is:
//
// - Whatever the module emits directly to one module goes to the end of that module's list, and
//   lists are first in, first out. So such events stand in the log, for each destination, in the
//   order in which they were emitted.
// - Follow-ups wait for their parent, and of a broadcast it is not known here who handles it: such
//   events may stand anywhere after they were emitted.
// - Nothing that only this module emits stands in the log unless it was emitted before.
//
// The first recorded event that breaks this is the difference. A log of the same module never
// breaks it, whatever drives the Node and wherever the log ends: what the module has emitted and
// the log does not show is pending. An altered output that only this module emits breaks it at
// that event; if the alteration happens to make it another one that is due, where that one comes
// and is not expected any more. An altered input breaks it as soon as the outputs differ.
#ifndef MIRBFT_LOG_REPLAY_HPP
#define MIRBFT_LOG_REPLAY_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <list>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <mirbft/engine/follow_ups.hpp>
#include <mirbft/events/event.hpp>
#include <mirbft/log/error.hpp>
#include <mirbft/log/event.hpp>
#include <mirbft/log/joint.hpp>
#include <mirbft/log/printer.hpp>
#include <mirbft/log/reader.hpp>
#include <mirbft/log/schema.hpp>
#include <mirbft/wire/encode.hpp>

namespace mirbft {

/// Where a replay and its log part.
struct LogDifference {
  /// The recorded event that the module did not emit, or not then.
  LogEvent recorded;
  /// What the replay has in its place: a line a field (`modified: sn: 5 -> 6`, from the log to the
  /// replay) where it is an event of the same type.
  std::string text;
};

namespace detail {

/// What a replayed module has emitted and the log has not shown yet.
class ExpectedEvents {
 public:
  template <class E>
  void add_in_order(const E& event) {
    newest_.push_back(expected(event));
    if (auto& joint = joints_[E::destination.index()]) {
      joint->emit(newest_.back());
    } else {
      ordered_[E::destination.index()].push_back(newest_.back());
    }
  }
  template <class E>
  void add_in_any_order(const E& event) {
    newest_.push_back(expected(event));
    for (std::size_t place = 0; place < slot_count; ++place)
      if ((E::destination.bits() >> place & 1) != 0) unordered_[place].push_back(newest_.back());
  }

  /// What was added since `forget_newest`, in that order.
  const std::vector<LogEvent>& newest() const noexcept { return newest_; }
  void forget_newest() noexcept { newest_.clear(); }

  /// The log begins in the middle: what stands there before what is expected is passed over.
  void join() {
    for (auto& joint : joints_) joint.emplace();
  }
  bool is_joining(const LogEvent& event) const noexcept {
    return joints_[event.slot.index()].has_value();
  }
  /// The next event of the log, at a place that is joining. Returns the one that nothing leads to
  /// if that is certain.
  const LogEvent* join(const LogEvent& event) {
    auto& joint = joints_[event.slot.index()];
    joint->show(event);
    if (!joint->is_over() || joint->parting()) return joint->is_over() ? joint->parting() : nullptr;
    joined_ += joint->matched();
    passed_over_ += joint->passed_over();
    ordered_[event.slot.index()] = joint->rest();
    joint.reset();
    return nullptr;
  }
  /// The same at the end of the log.
  const LogEvent* parting() const noexcept {
    for (const auto& joint : joints_)
      if (const LogEvent* event = joint ? joint->parting() : nullptr) return event;
    return nullptr;
  }
  /// How many events were found in the log while joining, and how many were passed over.
  std::uint64_t joined() const noexcept {
    std::uint64_t sum = joined_;
    for (const auto& joint : joints_) sum += joint ? joint->matched() : 0;
    return sum;
  }
  std::uint64_t passed_over() const noexcept {
    std::uint64_t sum = passed_over_;
    for (const auto& joint : joints_) sum += joint ? joint->passed_over() : 0;
    return sum;
  }

  /// Crosses a recorded event off; false when it was not expected. Those in order come first: of
  /// two equal events it does not matter which goes, but nothing may hold up the order.
  bool take(const LogEvent& event) {
    const SameAs equal{event};
    auto& ordered = ordered_[event.slot.index()];
    if (!ordered.empty() && equal(ordered.front())) {
      ordered.pop_front();
      return true;
    }
    auto& unordered = unordered_[event.slot.index()];
    const auto found = std::ranges::find_if(unordered, equal);
    if (found == unordered.end()) return false;
    unordered.erase(found);
    return true;
  }

  /// What most likely should stand in the place of an event that was not expected: the next one
  /// in order if it is of the same type or comes too late; null if there is nothing.
  const LogEvent* in_place_of(const LogEvent& event) const {
    const auto& ordered = ordered_[event.slot.index()];
    const auto& unordered = unordered_[event.slot.index()];
    const LogEvent* next = ordered.empty() ? nullptr : &ordered.front();
    if (next && next->number == event.number) return next;
    if (std::ranges::any_of(ordered, SameAs{event})) return next;
    const auto found = std::ranges::find(unordered, event.number, &LogEvent::number);
    return found != unordered.end() ? &*found : next;
  }

  std::size_t size() const noexcept {
    std::size_t total = 0;
    for (const auto& events : ordered_) total += events.size();
    for (const auto& events : unordered_) total += events.size();
    for (const auto& joint : joints_) total += joint ? joint->pending() : 0;
    return total;
  }

 private:
  struct SameAs {
    const LogEvent& event;

    bool operator()(const LogEvent& expected) const {
      return expected.number == event.number && expected.payload == event.payload;
    }
  };

  template <class E>
  static LogEvent expected(const E& event) {
    LogEvent made;
    made.slot = E::destination;
    made.number = E::number;
    made.name = log_format::message_name<E>();
    made.payload = wire::encode(event);
    return made;
  }

  std::array<std::list<LogEvent>, slot_count> ordered_;
  std::array<std::list<LogEvent>, slot_count> unordered_;
  std::array<std::optional<Joint>, slot_count> joints_;
  std::uint64_t joined_ = 0;
  std::uint64_t passed_over_ = 0;
  std::vector<LogEvent> newest_;
};

/// The follow-ups of an event that a replayed module emits.
class ReplayedFollowUps {
 public:
  explicit ReplayedFollowUps(ExpectedEvents& expected) noexcept : expected_(expected) {}

  template <class... Next>
  void then(const Next&... next) {
    (add(next), ...);
  }

 private:
  template <class E>
  void add(const E& event) {
    expected_.add_in_any_order(event);
  }
  template <class E, class... Next>
  void add(const Chain<E, Next...>& chain) {
    add(chain.event);
    std::apply([this](const Next&... next) { (add(next), ...); }, chain.next);
  }

  ExpectedEvents& expected_;
};

/// What a replayed module gets as its `out`.
class ReplayOut {
 public:
  explicit ReplayOut(ExpectedEvents& expected) noexcept : expected_(expected) {}

  template <class E>
  ReplayedFollowUps emit(const E& event) {
    if constexpr (E::destination.is_single()) {
      expected_.add_in_order(event);
    } else {
      expected_.add_in_any_order(event);
    }
    return ReplayedFollowUps(expected_);
  }

 private:
  ExpectedEvents& expected_;
};

}  // namespace detail

/// An event-shaped module under replay: one with `consumes`, `emits` and `process(event, out)`.
/// `Shared` lists those of its `emits` that somebody else in the Node may emit or inject too: such
/// an event is no difference when this module did not emit it.
template <class Module, class Shared = events<>>
class Replay {
 public:
  /// `module` is as it was when the recorded Node started. It and `log` outlive this.
  Replay(Module& module, Slot slot, const LogReader& log)
      : module_(module), slot_(slot), log_(log), printer_(log) {}

  /// To be called before the first event of a log whose beginning is gone. Only a module that has
  /// no memory, and emits each event directly to one module, can be replayed then: of others it is
  /// not known what they were by that event. What the log shows of earlier inputs is passed over.
  void join() { expected_.join(); }

  /// Takes the next event of the log. Throws LogError when the module's C++ type cannot hold an
  /// input. A module that fails is given nothing more; if the recorded one did not, then what it
  /// has emitted since is the difference.
  std::optional<LogDifference> step(const LogEvent& event) {
    expected_.forget_newest();
    std::optional<LogDifference> difference;
    if (is_one_of(typename Module::emits{}, event)) {
      if (expected_.is_joining(event)) {
        difference = parting(expected_.join(event));
      } else if (expected_.take(event)) {
        ++compared_;
      } else if (!is_one_of(Shared{}, event)) {
        difference = LogDifference{event, describe(event)};
      }
    }
    if (event.slot == slot_ && failure_.empty()) feed(event, typename Module::consumes{});
    return difference;
  }

  /// Events that the module was given.
  std::uint64_t fed() const noexcept { return fed_; }
  /// Recorded events that the module has emitted in the replay too.
  std::uint64_t compared() const noexcept { return compared_ + expected_.joined(); }
  /// Recorded events that were taken for those of inputs that are gone.
  std::uint64_t passed_over() const noexcept { return expected_.passed_over(); }
  /// At the end of a log that was joined: the difference, if one has come to light only by that.
  std::optional<LogDifference> end() const { return parting(expected_.parting()); }
  /// Events that the module has emitted and the log has not shown up to here.
  std::size_t pending() const noexcept { return expected_.size(); }
  /// What the module has emitted at the last step, follow-ups included.
  const std::vector<LogEvent>& emitted() const noexcept { return expected_.newest(); }
  /// How the module has failed, and at which event; empty while it has not.
  const std::string& failure() const noexcept { return failure_; }

 private:
  template <class... Es>
  static bool is_one_of(events<Es...>, const LogEvent& event) {
    return ((event.number == Es::number) || ...);
  }

  template <class... Es>
  void feed(const LogEvent& event, events<Es...>) {
    (void)((event.number == Es::number && (feed_as<Es>(event), true)) || ...);
  }
  template <class E>
  void feed_as(const LogEvent& event) {
    detail::ReplayOut out(expected_);
    E input = log_.template decode<E>(event);
    ++fed_;
    try {
      module_.process(std::move(input), out);
    } catch (const std::exception& error) {
      failure_ = "fails at event " + std::to_string(event.index) + ": " + error.what();
    }
  }

  static std::optional<LogDifference> parting(const LogEvent* event) {
    if (!event) return std::nullopt;
    return LogDifference{*event, "nothing that the replay emits leads to this event"};
  }

  std::string describe(const LogEvent& event) const {
    const LogEvent* expected = expected_.in_place_of(event);
    if (!failure_.empty()) return "the replay " + failure_;
    if (!expected) return "the replay has not emitted such an event";
    try {
      if (expected->number == event.number) {
        const std::string text = printer_.differences(event, *expected);
        return text.empty() ? "the replay has the same fields in other bytes" : text;
      }
      return "the replay has " + std::string(expected->name) + " { " + printer_.text(*expected) +
             " }";
    } catch (const LogError& error) {
      return error.reason();
    }
  }

  Module& module_;
  Slot slot_;
  const LogReader& log_;
  LogPrinter printer_;
  detail::ExpectedEvents expected_;
  std::uint64_t fed_ = 0;
  std::uint64_t compared_ = 0;
  std::string failure_;
};

/// What came of a replay.
struct ReplayResult {
  std::uint64_t fed = 0;
  std::uint64_t compared = 0;
  std::uint64_t pending = 0;
  /// As `Replay::failure`.
  std::string failure;
  std::optional<LogDifference> difference;
};

/// Replays what is left of a log up to the first difference; see `Replay`.
template <class Shared = events<>, class Module>
ReplayResult replay(Module& module, Slot slot, LogReader& log) {
  Replay<Module, Shared> replay(module, slot, log);
  std::optional<LogDifference> difference;
  while (!difference) {
    const std::optional<LogEvent> event = log.next();
    if (!event) break;
    difference = replay.step(*event);
  }
  return {replay.fed(), replay.compared(), replay.pending(), replay.failure(),
          std::move(difference)};
}

}  // namespace mirbft

#endif

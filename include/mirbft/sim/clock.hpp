// Virtual time, and what the clock of a node makes of it.
#ifndef MIRBFT_SIM_CLOCK_HPP
#define MIRBFT_SIM_CLOCK_HPP

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace mirbft::sim {

/// A point in virtual time, since the beginning of the simulation, or a span of it.
using Time = std::chrono::nanoseconds;

/// The time of the simulation: it stands still while anything happens, and jumps in between.
class Clock {
 public:
  Time now() const noexcept { return now_; }
  /// Goes on to `time`; never back.
  void advance_to(Time time) noexcept { now_ = std::max(now_, time); }

 private:
  Time now_{};
};

/// Virtual time as an event log notes it.
class LoggedTime {
 public:
  explicit LoggedTime(const Clock& clock) noexcept : clock_(&clock) {}
  std::uint64_t operator()() const noexcept {
    return static_cast<std::uint64_t>(clock_->now().count());
  }

 private:
  const Clock* clock_;
};

/// The clock of one node: it has an origin of its own, runs too fast or too slow, and may jump
/// forward. It never goes back, as steady clocks do not.
class LocalClock {
 public:
  LocalClock() = default;
  /// Shows `origin` at the time `now`, and gains `drift` nanoseconds in a million.
  LocalClock(Time now, Time origin, std::int64_t drift) noexcept
      : since_(now), shown_(origin), drift_(drift) {}

  Time read(Time now) const noexcept {
    const Time passed = now - since_;
    return shown_ + passed + passed / 1'000'000 * drift_;
  }
  void jump(Time by) noexcept { shown_ += by; }

 private:
  Time since_{};
  Time shown_{};
  std::int64_t drift_ = 0;
};

}  // namespace mirbft::sim

#endif

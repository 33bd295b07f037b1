// Runs a Node on threads: one that dispatches, and those that modules have of their own.
#ifndef MIRBFT_ENGINE_THREADED_DRIVER_HPP
#define MIRBFT_ENGINE_THREADED_DRIVER_HPP

#include <array>
#include <chrono>
#include <cstddef>
#include <stop_token>
#include <tuple>
#include <utility>
#include <vector>

#include <mirbft/engine/core.hpp>
#include <mirbft/engine/net_runner.hpp>
#include <mirbft/engine/runner.hpp>

namespace mirbft::engine {

/// A slot without a thread of its own: its lists run where they are dispatched.
template <class Core>
struct RunHere {
  explicit RunHere(Core&) {}
  bool idle() const noexcept { return true; }
};

template <std::size_t S, class Core, std::size_t Threads>
struct RunnerFor {
  using type = Runner<S, Core, Threads>;
};
template <std::size_t S, class Core>
struct RunnerFor<S, Core, 0> {
  using type = RunHere<Core>;
};
template <class Core, std::size_t Threads>
  requires(Threads > 0)
struct RunnerFor<slot::net.index(), Core, Threads> {
  using type = NetRunner<Core>;
};

/// `Threads` is an index sequence with the number of threads of each slot.
template <class Core, class Threads>
class ThreadedDriver;

template <class Core, std::size_t... Threads>
class ThreadedDriver<Core, std::index_sequence<Threads...>> {
  template <std::size_t S>
  static constexpr std::size_t threads = std::array{Threads...}[S];
  static constexpr std::size_t net = slot::net.index();
  static constexpr bool net_is_here = threads<net> == 0;

 public:
  explicit ThreadedDriver(Core& core) : core_(core) {}

  /// Works until `stop` is requested or a module fails; then finishes what was begun.
  /// `clock()` tells the time as nanoseconds since any fixed point; `each_round()` is called now
  /// and then.
  template <class Clock, class EachRound>
  void run(std::stop_token stop, Clock&& clock, EachRound&& each_round) {
    Wake& wake = core_.inbox().dispatcher();
    if constexpr (net_is_here) wake.also_wake(core_.template stage<net>().module());
    {
      const std::stop_callback on_stop(stop, [&wake] { wake.wake(); });
      if (!stop.stop_requested()) core_.start();
      if (core_.phase() == Phase::working)
        core_.guarded("threads", [&] { work_on_threads(stop, clock, each_round); });
    }
    core_.stop();
    wake.forget();
  }

 private:
  template <class Indices>
  struct RunnersOf;
  template <std::size_t... S>
  struct RunnersOf<std::index_sequence<S...>> {
    struct type : std::tuple<typename RunnerFor<S, Core, threads<S>>::type...> {
      explicit type(Core& core)
          : std::tuple<typename RunnerFor<S, Core, threads<S>>::type...>((void(S), core)...) {}
    };
  };
  using Runners = typename RunnersOf<std::make_index_sequence<slot_count>>::type;

  template <class Clock, class EachRound>
  void work_on_threads(const std::stop_token& stop, Clock& clock, EachRound& each_round) {
    Runners runners(core_);
    std::chrono::nanoseconds next_tick = clock();
    while (!stop.stop_requested() && core_.phase() == Phase::working) {
      const std::chrono::nanoseconds now = clock();
      if (now >= next_tick) {
        core_.items().push(Tick{now});
        next_tick = now + core_.config().tick_every;
      }
      bool busy = core_.take_submitted();
      if constexpr (net_is_here) {
        if (core_.take_received(std::chrono::nanoseconds(0))) busy = true;
      }
      if (round(runners)) busy = true;
      each_round();
      if (!busy) wait(next_tick - now);
    }
    finish(runners, each_round);
  }

  /// No more inputs: goes on until every list is empty and every thread idle.
  template <class EachRound>
  void finish(Runners& runners, EachRound& each_round) {
    core_.inbox().close();
    if constexpr (!net_is_here) std::get<net>(runners).stop_receiving();
    while (core_.phase() == Phase::working) {
      const bool busy = core_.take_submitted() || round(runners);
      each_round();
      if (busy) continue;
      if (all_idle(runners) && core_.items().size() == 0) return;
      core_.inbox().dispatcher().wait(std::chrono::milliseconds(100));
    }
  }

  /// Waits for a reason to go on. A Node that is full reads nothing, so it doesn't wait in the Net.
  void wait(std::chrono::nanoseconds at_most) {
    Wake& wake = core_.inbox().dispatcher();
    if (!net_is_here || core_.is_full()) {
      wake.wait(at_most);
    } else if (!wake.take()) {
      core_.take_received(at_most);
    }
  }

  /// Every list once, then the callers. Says if anything moved.
  bool round(Runners& runners) {
    const bool moved = [&]<std::size_t... S>(std::index_sequence<S...>) {
      return (int{visit<S>(runners)} | ...) != 0;
    }(std::make_index_sequence<slot_count>{});
    core_.call_back();
    return moved;
  }
  template <std::size_t S>
  bool visit(Runners& runners) {
    if constexpr (threads<S> == 0) {
      return core_.template dispatch<S>() != 0;
    } else {
      return exchange<S>(std::get<S>(runners));
    }
  }
  /// Takes what the module's threads have finished and gives them the next list.
  template <std::size_t S, class R>
  bool exchange(R& runner) {
    if (core_.phase() != Phase::working) return false;
    bool moved = false;
    core_.guarded(slot_names[S], [&] {
      const std::size_t before = core_.items().size();
      runner.collect(core_.items(), follow_ups_);
      core_.items().release(follow_ups_);
      moved = core_.items().size() != before;
      if (hand_over<S>(runner)) moved = true;
    });
    return moved;
  }
  template <std::size_t S, class R>
  bool hand_over(R& runner) {
    auto& list = core_.items().template list<S>();
    if (list.size() == 0 || !runner.ready()) return false;
    if (!core_.template intercept<S>(list)) return false;
    runner.hand_over(list);
    return true;
  }

  bool all_idle(const Runners& runners) {
    return [&]<std::size_t... S>(std::index_sequence<S...>) {
      return (std::get<S>(runners).idle() && ...);
    }(std::make_index_sequence<slot_count>{});
  }

  Core& core_;
  std::vector<FollowUps> follow_ups_;
};

}  // namespace mirbft::engine

#endif

// Runs a Node on threads: one that dispatches, and those that modules have of their own.
#ifndef MIRBFT_ENGINE_THREADED_DRIVER_HPP
#define MIRBFT_ENGINE_THREADED_DRIVER_HPP

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <mirbft/engine/core.hpp>
#include <mirbft/engine/net_runner.hpp>
#include <mirbft/engine/runner.hpp>

namespace mirbft::engine {

/// A slot without a thread of its own: its lists run where they are dispatched.
struct RunHere {
  template <class Stage>
  RunHere(Stage&, Wake&, const NodeConfig&) {}
};

template <std::size_t S, class Core, std::size_t Threads>
struct RunnerFor {
  using Stage = std::remove_reference_t<decltype(std::declval<Core&>().template stage<S>())>;
  struct type : Runner<Stage, Threads> {
    type(Stage& stage, Wake& dispatcher, const NodeConfig&)
        : Runner<Stage, Threads>(stage, dispatcher) {}
  };
};
template <std::size_t S, class Core>
struct RunnerFor<S, Core, 0> {
  using type = RunHere;
};
template <class Core>
struct RunnerFor<slot::net.index(), Core, 1> {
  using Stage = std::remove_reference_t<
      decltype(std::declval<Core&>().template stage<slot::net.index()>())>;
  using type = NetRunner<Stage>;
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
  static_assert(std::array{Threads...}[slot::net.index()] <= 1,
                "[mirbft] a Net cannot run on a pool: use inline_<Net> or on_thread<Net>");

 public:
  explicit ThreadedDriver(Core& core) : core_(core) {}

  /// Works until `stop` is requested or a module fails; then finishes what was begun.
  /// `clock()` tells the time as nanoseconds since any fixed point.
  template <class Clock>
  void run(std::stop_token stop, Clock&& clock) {
    Wake& wake = core_.inbox().dispatcher();
    if constexpr (net_is_here) wake.also_wake(core_.template stage<net>().module());
    const std::stop_callback on_stop(stop, [&wake] { wake.wake(); });
    core_.start();
    {
      Runners runners = make_runners(std::make_index_sequence<slot_count>{});
      work(runners, stop, clock);
      finish(runners);
    }
    core_.stop();
  }

 private:
  template <class Indices>
  struct RunnersOf;
  template <std::size_t... S>
  struct RunnersOf<std::index_sequence<S...>> {
    using type = std::tuple<typename RunnerFor<S, Core, threads<S>>::type...>;
  };
  using Runners = typename RunnersOf<std::make_index_sequence<slot_count>>::type;

  template <std::size_t S>
  struct RunnerArgument {
    Core& core;
    template <class R>
    operator R() const {
      return R(core.template stage<S>(), core.inbox().dispatcher(), core.config());
    }
  };
  template <std::size_t... S>
  Runners make_runners(std::index_sequence<S...>) {
    return Runners(RunnerArgument<S>{core_}...);
  }

  template <class Clock>
  void work(Runners& runners, std::stop_token stop, Clock& clock) {
    std::chrono::nanoseconds next_tick = clock();
    while (!stop.stop_requested() && core_.phase() == Phase::working) {
      const std::chrono::nanoseconds now = clock();
      if (now >= next_tick) {
        core_.items().push(Tick{now});
        next_tick = now + core_.config().tick_every;
      }
      bool busy = core_.template take_inputs<net_is_here>(std::chrono::nanoseconds(0));
      busy = round(runners) || busy;
      core_.call_back();
      if (!busy) wait(next_tick - now);
    }
  }

  void wait(std::chrono::nanoseconds at_most) {
    Wake& wake = core_.inbox().dispatcher();
    if constexpr (net_is_here) {
      if (!wake.take()) core_.template take_inputs<true>(at_most);
    } else {
      wake.wait(at_most);
    }
  }

  /// Every list once. Says if anything moved.
  bool round(Runners& runners) {
    return [&]<std::size_t... S>(std::index_sequence<S...>) {
      return (int{visit<S>(runners)} | ...) != 0;
    }(std::make_index_sequence<slot_count>{});
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
    bool moved = false;
    core_.guarded(slot_names[S], [&] {
      const std::size_t before = core_.items().size();
      if (const std::optional<std::string> failure = runner.collect(core_.items(), follow_ups_))
        throw ModuleFailure(*failure);
      core_.items().release(follow_ups_);
      moved = core_.items().size() != before;
      auto& list = core_.items().template list<S>();
      if (list.size() != 0 && runner.idle()) {
        core_.template intercept<S>(list);
        runner.hand_over(list);
        moved = true;
      }
    });
    return moved;
  }

  /// No more inputs: goes on until every list is empty and every thread idle.
  void finish(Runners& runners) {
    core_.inbox().close();
    core_.template take_inputs<false>(std::chrono::nanoseconds(0));
    while (core_.phase() == Phase::working) {
      const bool moved = round(runners);
      core_.call_back();
      if (!moved && all_idle(runners)) return;
      if (!moved) core_.inbox().dispatcher().wait(std::chrono::milliseconds(100));
    }
  }
  bool all_idle(Runners& runners) {
    return [&]<std::size_t... S>(std::index_sequence<S...>) {
      return (is_idle(std::get<S>(runners)) && ...);
    }(std::make_index_sequence<slot_count>{});
  }
  static bool is_idle(const RunHere&) { return true; }
  template <class R>
  static bool is_idle(const R& runner) {
    return runner.idle();
  }

  Core& core_;
  std::vector<FollowUps> follow_ups_;
};

}  // namespace mirbft::engine

#endif

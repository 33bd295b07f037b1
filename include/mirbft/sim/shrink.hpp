// Makes a scenario that fails small, so that what is left of it is what matters.
#ifndef MIRBFT_SIM_SHRINK_HPP
#define MIRBFT_SIM_SHRINK_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <mirbft/sim/adversary/kinds.hpp>
#include <mirbft/sim/clock.hpp>
#include <mirbft/sim/scenario.hpp>
#include <mirbft/sim/schedule.hpp>
#include <mirbft/wire/reflection.hpp>

namespace mirbft::sim {

/// Leaves out of a scenario whatever it fails without: delta debugging (Zeller and Hildebrandt,
/// "Simplifying and Isolating Failure-Inducing Input", 2002) over its lists, and then the rates,
/// the load and the length one by one, until none of that helps any more.
///
/// `fails(const Scenario&)` runs one and says whether it still fails in the way that is looked for.
/// `go_on(const Scenario& smallest, std::uint64_t runs)` is asked before each run whether there may
/// be one more: who calls bounds runs and time there, and shows progress.
template <class Fails, class GoOn>
class Shrinker {
 public:
  /// `scenario` fails.
  Shrinker(Scenario scenario, Fails fails, GoOn go_on)
      : smallest_(std::move(scenario)), fails_(std::move(fails)), go_on_(std::move(go_on)) {}

  Scenario shrink() {
    for (bool smaller = true; smaller;) {
      smaller = shrink_lists();
      smaller |= shrink_adversaries();
      smaller |= shrink_rates();
      smaller |= shrink_load();
      smaller |= shrink_length();
    }
    return std::move(smallest_);
  }

 private:
  /// Each of these returns whether it has made the scenario smaller.
  bool shrink_lists() {
    bool smaller = thin([](Scenario& one) -> auto& { return one.faults.strikes; }, 0);
    smaller |= thin([](Scenario& one) -> auto& { return one.rules; }, 0);
    smaller |= thin([](Scenario& one) -> auto& { return one.triggers; }, 0);
    smaller |= thin([](Scenario& one) -> auto& { return one.clients; }, 1);
    smaller |= thin([](Scenario& one) -> auto& { return one.faults.lost; }, 0);
    return smaller;
  }

  bool shrink_adversaries() {
    bool smaller = thin([](Scenario& one) -> auto& { return one.adversaries.replicas; }, 0);
    for (std::size_t i = 0; i < smallest_.adversaries.replicas.size(); ++i)
      smaller |=
          drop_kinds([i](Scenario& one) -> auto& { return one.adversaries.replicas[i].kinds; });
    smaller |= attempt([](Scenario& one) { one.adversaries.clients = {}; },
                       !smallest_.adversaries.clients.none());
    smaller |= drop_kinds([](Scenario& one) -> auto& { return one.adversaries.clients; });
    return smaller;
  }
  /// One after another, but for the last.
  template <class Kinds>
  bool drop_kinds(Kinds kinds) {
    bool smaller = false;
    for (std::size_t place = 0; place < adversary_kinds.size(); ++place) {
      AdversaryKinds others;
      for (std::size_t other = 0; other < adversary_kinds.size(); ++other)
        if (other != place && kinds(smallest_).has(other)) others.add(other);
      smaller |= attempt([&](Scenario& one) { kinds(one) = others; },
                         others != kinds(smallest_) && !others.none());
    }
    return smaller;
  }

  bool shrink_rates() {
    bool smaller = reset([](Scenario& one) -> auto& { return one.faults.links; });
    smaller |= reset([](Scenario& one) -> auto& { return one.faults.pace; });
    smaller |= reset([](Scenario& one) -> auto& { return one.faults.disks; });
    return smaller;
  }

  bool shrink_load() {
    bool smaller = false;
    for (std::size_t i = 0; i < smallest_.clients.size(); ++i) {
      const auto set = [&](const ClientLoad& load) {
        return attempt([&](Scenario& one) { one.clients[i] = load; },
                       load != smallest_.clients[i]);
      };
      ClientLoad usual;
      usual.requests = smallest_.clients[i].requests;
      smaller |= set(usual);
      for (ClientLoad load = smallest_.clients[i]; load.requests > 1; smaller = true)
        if (load.requests /= 2; !set(load)) break;
    }
    return smaller;
  }

  /// Ends soon after the last strike, and halves what lasts.
  bool shrink_length() {
    bool smaller = false;
    while (attempt([](Scenario& one) { one.faults.heal = rounded(one.faults.heal / 2); },
                   smallest_.faults.heal / 2 > end_of_strikes()))
      smaller = true;
    for (std::size_t i = 0; i < smallest_.faults.strikes.size(); ++i) {
      const auto strike = [i](Scenario& one) -> auto& { return one.faults.strikes[i]; };
      while (attempt([&](Scenario& one) { strike(one).lasts = rounded(strike(one).lasts / 2); },
                     strike(smallest_).lasts > std::chrono::milliseconds(2)))
        smaller = true;
      smaller |= attempt([&](Scenario& one) { strike(one).amount = 0; },
                         strike(smallest_).amount != 0 && !shape_of(strike(smallest_).kind)->names);
    }
    return smaller;
  }

  static Time rounded(Time time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time);
  }
  Time end_of_strikes() const {
    Time end{};
    for (const Strike& strike : smallest_.faults.strikes)
      end = std::max(end, strike.at + strike.lasts);
    return end;
  }

  /// Delta debugging: leaves out ever shorter pieces of a list, as long as `least` are left.
  template <class List>
  bool thin(List list, std::size_t least) {
    const std::size_t before = list(smallest_).size();
    for (std::size_t piece = before; piece != 0; piece /= 2)
      for (std::size_t begin = 0; begin < list(smallest_).size();) {
        const std::size_t size = list(smallest_).size();
        const std::size_t end = std::min(begin + piece, size);
        const auto leave_out = [&](Scenario& one) {
          auto& all = list(one);
          all.erase(all.begin() + static_cast<std::ptrdiff_t>(begin),
                    all.begin() + static_cast<std::ptrdiff_t>(end));
        };
        if (!attempt(leave_out, size - (end - begin) >= least)) begin = end;
      }
    return list(smallest_).size() != before;
  }

  /// Gives each member the value that it has anyway.
  template <class Part>
  bool reset(Part part) {
    using Object = std::remove_reference_t<decltype(part(smallest_))>;
    bool smaller = false;
    for (std::size_t place = 0; place < wire::member_names<Object>.size(); ++place) {
      Object changed = part(smallest_);
      copy_member(place, Object{}, changed);
      smaller |= attempt([&](Scenario& one) { part(one) = changed; }, changed != part(smallest_));
    }
    return smaller;
  }
  template <class Object>
  static void copy_member(std::size_t place, const Object& from, Object& to) {
    using wire::FieldNumber;
    const auto copy = [&]<std::uint32_t number>(FieldNumber<number>, const auto& value) {
      wire::for_each_member(to, [&]<std::uint32_t own>(FieldNumber<own>, auto& member) {
        if constexpr (own == number)
          if (own == place + 1) member = value;
      });
    };
    wire::for_each_member(from, copy);
  }

  /// Changes the scenario if it still fails then, and returns whether it does.
  template <class Change>
  bool attempt(Change&& change, bool worth_it) {
    if (!worth_it || !go_on_(std::as_const(smallest_), runs_)) return false;
    Scenario trial = smallest_;
    change(trial);
    ++runs_;
    if (!fails_(std::as_const(trial))) return false;
    smallest_ = std::move(trial);
    return true;
  }

  Scenario smallest_;
  Fails fails_;
  GoOn go_on_;
  std::uint64_t runs_ = 0;
};

/// See Shrinker.
template <class Fails, class GoOn>
Scenario shrink(Scenario scenario, Fails fails, GoOn go_on) {
  return Shrinker(std::move(scenario), std::move(fails), std::move(go_on)).shrink();
}

}  // namespace mirbft::sim

#endif

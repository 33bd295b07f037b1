// `out`: what a module emits its events into.
#ifndef MIRBFT_ENGINE_EMITTER_HPP
#define MIRBFT_ENGINE_EMITTER_HPP

#include <tuple>
#include <type_traits>
#include <utility>

#include <mirbft/engine/assertions.hpp>
#include <mirbft/engine/follow_ups.hpp>
#include <mirbft/engine/type_list.hpp>

namespace mirbft::engine {

/// The follow-ups of an event that was just emitted.
template <class M, class Declared, class Items>
class Emitted {
 public:
  Emitted(Items& items, FollowUps& place) noexcept : items_(items), place_(place) {}

  /// These events go to their modules after the emitted one has been processed; they have no
  /// order among one another. `chain(e).then(…)` nests.
  template <class... Next>
  void then(Next... next) {
    (append(place_, std::move(next)), ...);
  }

 private:
  template <class E>
  void append(FollowUps& list, E&& event) {
    if constexpr (contains<E, Declared>) {
      items_.append(list, std::move(event));
    } else {
      (void)sizeof(typename Flaws<E>::template is_not_declared_among<Declared>);
    }
  }
  template <class E>
  void append(FollowUps& list, ChainStart<E>&& chain) {
    append(list, std::move(chain.event));
  }
  template <class E, class... Next>
  void append(FollowUps& list, Chain<E, Next...>&& chain) {
    if constexpr (!contains<E, Declared>) {
      (void)sizeof(typename Flaws<E>::template is_not_declared_among<Declared>);
    } else if constexpr (!E::destination.is_single()) {
      (void)sizeof(typename Flaws<E>::template goes_to_several_and_has_follow_ups<E>);
    } else {
      FollowUps& own = items_.append(list, std::move(chain.event));
      std::apply([&](Next&... deeper) { (append(own, std::move(deeper)), ...); }, chain.next);
    }
  }

  template <class E>
  using Flaws = typename wiring::event<E>::template emitted_by<M>;

  Items& items_;
  FollowUps& place_;
};

/// The place where a broadcast would have follow-ups.
template <class M, class E>
struct NoFollowUps {
  template <class... Next>
  void then(Next&&...) {
    (void)sizeof(typename wiring::event<E>::template emitted_by<
                 M>::template goes_to_several_and_has_follow_ups<E>);
  }
};
/// The place behind an event that was refused: one error is enough.
struct Refused {
  template <class... Next>
  void then(Next&&...) {}
};

/// Emits into `Items` whatever `Declared` lists. The checks stand where the compiler, in telling
/// of a flaw, also names the line that emits.
template <class M, class Declared, class Items>
class Emitter {
 public:
  explicit Emitter(Items& items) noexcept : items_(items) {}

  template <class E>
  auto emit(E event) {
    if constexpr (!contains<E, Declared>) {
      (void)sizeof(typename wiring::event<E>::template emitted_by<
                   M>::template is_not_declared_among<Declared>);
      return Refused{};
    } else if constexpr (E::destination.is_single()) {
      return Emitted<M, Declared, Items>(items_, *items_.push(std::move(event)));
    } else {
      items_.push(std::move(event));
      return NoFollowUps<M, E>{};
    }
  }

 private:
  Items& items_;
};

/// What a task emits into: answers, which the plan holds when anybody asks. An event that nobody
/// in this Node asks for goes nowhere.
template <class Events, class Items>
class TaskEmitter {
 public:
  explicit TaskEmitter(Items& items) noexcept : items_(items) {}

  template <class E>
  void emit(E&& event) {
    if constexpr (contains<std::remove_cvref_t<E>, Events>) items_.push(std::move(event));
  }

 private:
  Items& items_;
};

}  // namespace mirbft::engine

#endif

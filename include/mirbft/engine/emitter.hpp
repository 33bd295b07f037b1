// `out`: what a module emits its events into.
#ifndef MIRBFT_ENGINE_EMITTER_HPP
#define MIRBFT_ENGINE_EMITTER_HPP

#include <tuple>
#include <utility>

#include <mirbft/engine/follow_ups.hpp>
#include <mirbft/engine/type_list.hpp>

namespace mirbft::engine {

/// What a module of type `M` may emit: the check stands here, where the emitting line is named.
template <class M, class Declared, class E>
constexpr void check_declared() {
  static_assert(contains<E, Declared>,
                "[mirbft] this module emits an event that it does not declare: add the event to "
                "the module's `using emits = events<…>;`");
}

/// The follow-ups of an event that was just emitted.
template <class M, class Declared, class Items>
class Emitted {
 public:
  Emitted(Items& items, FollowUps* place) noexcept : items_(items), place_(place) {}

  /// These events go to their modules after the emitted one has been processed; they have no
  /// order among one another. `chain(e).then(…)` nests.
  template <class... Next>
  void then(Next... next) {
    (append(*place_, std::move(next)), ...);
  }

 private:
  template <class E>
  void append(FollowUps& list, E&& event) {
    check_declared<M, Declared, E>();
    if constexpr (contains<E, Declared>) items_.append(list, std::move(event));
  }
  template <class E, class... Next>
  void append(FollowUps& list, Chain<E, Next...>&& chain) {
    check_declared<M, Declared, E>();
    if constexpr (contains<E, Declared>) {
      static_assert(E::destination.is_single(),
                    "[mirbft] a broadcast has no follow-ups: chain them to an event with a single "
                    "destination");
      FollowUps& own = items_.append(list, std::move(chain.event));
      std::apply([&](Next&... deeper) { (append(own, std::move(deeper)), ...); }, chain.next);
    }
  }

  Items& items_;
  FollowUps* place_;
};

/// The result of emitting a broadcast or an undeclared event: there is nothing to follow.
struct NoFollowUps {
  template <class... Next>
  void then(Next&&...) {
    static_assert(sizeof...(Next) == 0,
                  "[mirbft] a broadcast has no follow-ups: chain them to an event with a single "
                  "destination");
  }
};

/// Emits into `Items` whatever `Declared` lists.
template <class M, class Declared, class Items>
class Emitter {
 public:
  explicit Emitter(Items& items) noexcept : items_(items) {}

  template <class E>
  auto emit(E event) {
    check_declared<M, Declared, E>();
    if constexpr (!contains<E, Declared>) {
      return Emitted<M, Declared, Items>(items_, nullptr);
    } else if constexpr (E::destination.is_single()) {
      return Emitted<M, Declared, Items>(items_, items_.push(std::move(event)));
    } else {
      items_.push(std::move(event));
      return NoFollowUps{};
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

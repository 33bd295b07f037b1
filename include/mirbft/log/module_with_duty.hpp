// Any module of a Node as an event-shaped one, so that it can be replayed: with the duty of its
// slot a task-shaped module takes events and answers them.
#ifndef MIRBFT_LOG_MODULE_WITH_DUTY_HPP
#define MIRBFT_LOG_MODULE_WITH_DUTY_HPP

#include <cstddef>
#include <type_traits>
#include <utility>

#include <mirbft/engine/config.hpp>
#include <mirbft/engine/module_traits.hpp>
#include <mirbft/engine/plan.hpp>
#include <mirbft/engine/tasks.hpp>
#include <mirbft/engine/type_list.hpp>
#include <mirbft/events/crypto.hpp>
#include <mirbft/events/event.hpp>

namespace mirbft {

/// Whether what slot `S` emits follows from the events that it is given: the others talk to the
/// world outside.
template <std::size_t S>
inline constexpr bool is_replayable = (slot::tracker | slot::hasher | slot::crypto |
                                       slot::protocol | slot::app)
                                          .includes(Slot(static_cast<std::uint16_t>(1u << S)));

/// Whether what the task-shaped module of slot `S` does hangs on nothing that it was given before:
/// a Hasher begins anew after each digest. Crypto has keys that may have changed.
template <std::size_t S>
inline constexpr bool has_no_memory = S == slot::hasher.index();

/// The module in slot `S` of a Node with this plan. It does not sign: that takes a secret, which no
/// log holds.
template <class Plan, std::size_t S>
class ModuleWithDuty {
  using Task = typename Plan::template Task<S>;
  using Events = typename Plan::Events;

  template <class E>
  struct needs_no_secret {
    static constexpr bool value = !engine::is_instance<SignRequest, E>;
  };
  template <class E>
  static constexpr auto answer_to() {
    if constexpr (!Task::template handles<E>) {
      return events<>{};
    } else if constexpr (engine::HasAnswer<E>) {
      return events<typename E::answer>{};
    } else {
      return events<>{};
    }
  }
  template <class List>
  struct Answers;
  template <class... Es>
  struct Answers<events<Es...>> {
    using type = engine::Union<decltype(answer_to<Es>())...>;
  };
  template <class... Es>
  static constexpr bool is_answered(events<Es...>) {
    return ((Task::template handles<Es> && engine::HasAnswer<Es>) && ...);
  }
  template <class... Es>
  static constexpr bool is_direct(events<Es...>) {
    return (Es::destination.is_single() && ...);
  }
  template <class E>
  struct comes_from_elsewhere {
    static constexpr bool value = []<std::size_t... T>(std::index_sequence<T...>) {
      return ((T != S && engine::contains<E, typename Plan::template Emits<T>>) || ...);
    }(std::make_index_sequence<slot_count>{});
  };

 public:
  using Module = typename Plan::template Module<S>;
  using consumes =
      typename engine::Select<needs_no_secret, typename Plan::template Received<S>>::type;
  using emits =
      engine::Union<typename Plan::template Emits<S>, typename Answers<consumes>::type>;
  /// Those of its `emits` that may come from elsewhere too.
  using shared = typename engine::Select<comes_from_elsewhere, emits>::type;

  /// Whether it can be replayed from anywhere in a log: see `Replay::join`.
  static constexpr bool can_join =
      has_no_memory<S> && is_answered(consumes{}) && is_direct(emits{});

  /// `module` is as it was when the recorded Node started.
  ModuleWithDuty(Module module, const NodeConfig& config)
      : module_(std::move(module)), task_(config) {}

  template <class E>
  void process(E event, auto& out) {
    if constexpr (Task::template handles<E>) {
      KnownEvents<std::remove_reference_t<decltype(out)>> known{out};
      task_.process(module_, std::move(event), known);
    } else {
      module_.process(std::move(event), out);
    }
  }

  const Module& module() const noexcept { return module_; }
  auto status() const { return engine::status_of(module_); }

 private:
  /// As in a Node, what nobody asks for goes nowhere.
  template <class Out>
  struct KnownEvents {
    Out& out;

    template <class E>
    void emit(E&& event) {
      if constexpr (engine::contains<std::remove_cvref_t<E>, Events>)
        out.emit(std::forward<E>(event));
    }
  };

  Module module_;
  Task task_;
};

}  // namespace mirbft

#endif

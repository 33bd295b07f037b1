// The plan of a Node: which events it can see, who handles each, and the proof that all arrive.
#ifndef MIRBFT_ENGINE_WIRING_HPP
#define MIRBFT_ENGINE_WIRING_HPP

#include <array>
#include <concepts>
#include <cstdint>
#include <tuple>

#include <mirbft/engine/module_traits.hpp>
#include <mirbft/engine/tasks.hpp>
#include <mirbft/engine/type_list.hpp>
#include <mirbft/events/event.hpp>

namespace mirbft::engine {

/// An event that the compiler can route.
template <class E>
concept HasDestination = requires {
  { E::destination } -> std::convertible_to<Slot>;
  { E::number } -> std::convertible_to<std::uint32_t>;
};
template <class O>
concept NamesItsModule = requires {
  { O::module } -> std::convertible_to<Slot>;
  { O::number } -> std::convertible_to<std::uint32_t>;
};
template <class E>
concept HasOrigin = requires { typename E::origin_type; };

/// An event whose destination depends on an origin (or on a log entry) that names no module.
template <class E>
constexpr bool origin_is_sound() {
  if constexpr (HasOrigin<E>) {
    return NamesItsModule<typename E::origin_type>;
  } else {
    return true;
  }
}
template <class E>
constexpr bool is_routable() {
  if constexpr (origin_is_sound<E>()) {
    return HasDestination<E>;
  } else {
    return false;
  }
}

template <class E>
concept HasAnswer = requires { typename E::answer; };

/// `E` and what it is answered by.
template <class E>
constexpr auto with_answer() {
  if constexpr (!is_routable<E>()) {
    return events<>{};
  } else if constexpr (HasAnswer<E>) {
    return events<E, typename E::answer>{};
  } else {
    return events<E>{};
  }
}
template <class List>
struct Closure;
template <class... Es>
struct Closure<events<Es...>> {
  using type = Union<decltype(with_answer<Es>())...>;
};

/// The modules of a Node, by the slots in `events/event.hpp`.
template <class Net, class Hasher, class Crypto, class App, class Wal, class Tracker, class Store,
          class Protocol>
struct Plan {
  using Message = typename Protocol::Message;

  /// Modules by slot index; the last is the Node itself.
  using Modules = std::tuple<Tracker, Hasher, Crypto, Store, Protocol, Wal, App, Net, TheNode>;
  template <std::size_t S>
  using Module = std::tuple_element_t<S, Modules>;
  template <std::size_t S>
  using Task = TaskOf<S, Module<S>, Protocol>;

  /// What may come out of the module in slot S, answers aside: what it declares, and what its
  /// duty brings.
  template <std::size_t S>
  using Emits = Union<typename Task<S>::emits, emits_of<Module<S>>>;

  using Emitted = Union<Emits<0>, Emits<1>, Emits<2>, Emits<3>, Emits<4>, Emits<5>, Emits<6>,
                        Emits<7>, Emits<8>>;
  /// Every event that this Node can see.
  using Events = typename Closure<Emitted>::type;

  template <std::size_t S, class E>
  static constexpr bool handles =
      Task<S>::template handles<E> || contains<E, consumes_of<Module<S>>>;

  /// Whether events of type E go to the list of slot S. A broadcast goes to those who want it.
  template <std::size_t S, class E>
  static constexpr bool routes =
      E::destination.includes(Slot(static_cast<std::uint16_t>(1u << S))) && handles<S, E>;

  template <std::size_t S>
  struct To {
    template <class E>
    struct keep {
      static constexpr bool value = routes<S, E>;
    };
    using type = typename Select<keep, Events>::type;
  };
  /// The events of the list of slot S.
  template <std::size_t S>
  using Received = typename To<S>::type;

  /// Whether somebody handles E; nobody need handle a broadcast.
  template <class E>
  static constexpr bool is_handled = []<std::size_t... S>(std::index_sequence<S...>) {
    return (!E::destination.is_single() || ... || routes<S, E>);
  }(std::make_index_sequence<slot_count>{});
};

namespace wiring {

// The names of these templates read as a sentence in the compiler's message, and a failed
// assertion inside one of them stands alone, without a cascade.
template <class E>
struct event {
  static_assert(origin_is_sound<E>(),
                "[mirbft] this event's origin belongs to no module: give the origin type "
                "`static constexpr auto module = slot::…;` and `static constexpr std::uint32_t number`");
  static_assert(!origin_is_sound<E>() || is_routable<E>(),
                "[mirbft] this type is no event: give it `static constexpr auto destination = "
                "slot::…;` and `static constexpr std::uint32_t number`");

  template <class M>
  struct emitted_by {
    /// `Handled` is whether any module in the event's destination handles it.
    template <bool Handled>
    struct reaches_a_module {
      static_assert(Handled,
                    "[mirbft] no module handles this event: add it to `consumes` of the module in "
                    "its destination slot, or take it out of the emitting module's `emits`");
      static constexpr bool value = true;
    };
  };

  template <class M>
  struct consumed_by {
    /// `Callable` is whether `module.process(E, out)` exists and returns void.
    template <bool Callable>
    struct with_process {
      static_assert(Callable,
                    "[mirbft] the module lists this event in `consumes` but has no "
                    "`void process(Event, auto& out)` that takes it");
      static constexpr bool value = true;
    };
  };

  template <class Other>
  struct and_event {
    template <bool Differ>
    struct have_numbers_that {
      static_assert(Differ,
                    "[mirbft] two events of this Node have the same number: numbers name events in "
                    "logs, so give one of them another `number`");
      static constexpr bool value = true;
    };
  };
};

/// An `out` for the check of a signature: nothing is instantiated in its body.
struct AnyOut {
  template <class E>
  AnyOut& emit(E&&);
  template <class... Next>
  AnyOut& then(Next&&...);
};

template <class M, class E>
concept Processes = requires(M& module, E event, AnyOut& out) {
  { module.process(std::move(event), out) } -> std::same_as<void>;
};

template <class Plan, class M, class E>
constexpr bool emission_is_sound() {
  if constexpr (is_routable<E>()) {
    return event<E>::template emitted_by<M>::template reaches_a_module<
        Plan::template is_handled<E>>::value;
  } else {
    return sizeof(event<E>) == 0;
  }
}

template <class Plan, class M, class... Es>
constexpr bool emissions_are_sound(events<Es...>) {
  return (emission_is_sound<Plan, M, Es>() && ...);
}

template <class M, class... Es>
constexpr bool consumption_is_sound(events<Es...>) {
  return (event<Es>::template consumed_by<M>::template with_process<Processes<M, Es>>::value &&
          ...);
}

template <class E, class... Others>
constexpr bool is_first_of_its_number() {
  return (event<E>::template and_event<Others>::template have_numbers_that<
              std::is_same_v<E, Others> || E::number != Others::number>::value &&
          ...);
}
template <class... Es>
constexpr bool numbers_are_unique(events<Es...>) {
  constexpr std::array<std::uint32_t, sizeof...(Es)> numbers{Es::number...};
  for (std::size_t i = 0; i < numbers.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (numbers[i] == numbers[j]) return false;
  return true;
}
/// Only when a number is taken twice are the pairs spelled out: it costs n² templates.
template <class... Es>
constexpr bool spell_out_numbers(events<Es...>) {
  if constexpr (numbers_are_unique(events<Es...>{})) {
    return true;
  } else {
    return (is_first_of_its_number<Es, Es...>() && ...);
  }
}

/// A base class of Node: what fails in here fails before any module is instantiated.
template <class Plan>
struct Checked {
  static constexpr bool emissions = []<std::size_t... S>(std::index_sequence<S...>) {
    return (emissions_are_sound<Plan, typename Plan::template Module<S>>(
                typename Plan::template Emits<S>{}) &&
            ...);
  }(std::make_index_sequence<slot_count>{});

  static constexpr bool consumptions = []<std::size_t... S>(std::index_sequence<S...>) {
    return (consumption_is_sound<typename Plan::template Module<S>>(
                consumes_of<typename Plan::template Module<S>>{}) &&
            ...);
  }(std::make_index_sequence<slot_count>{});

  static constexpr bool answers =
      emissions_are_sound<Plan, TheNode>(typename Plan::Events{});
  static constexpr bool numbers = spell_out_numbers(typename Plan::Events{});
  static constexpr bool sound = emissions && consumptions && answers && numbers;
};

}  // namespace wiring
}  // namespace mirbft::engine

#endif

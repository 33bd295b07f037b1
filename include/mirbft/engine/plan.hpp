// The plan of a Node: which events it can see, and which module gets each.
#ifndef MIRBFT_ENGINE_PLAN_HPP
#define MIRBFT_ENGINE_PLAN_HPP

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>

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

}  // namespace mirbft::engine

#endif

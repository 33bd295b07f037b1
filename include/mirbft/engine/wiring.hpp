// The proof that in a Node every event arrives, or a compiler's words on why it does not.
#ifndef MIRBFT_ENGINE_WIRING_HPP
#define MIRBFT_ENGINE_WIRING_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <mirbft/engine/assertions.hpp>
#include <mirbft/engine/module_traits.hpp>
#include <mirbft/engine/plan.hpp>
#include <mirbft/engine/type_list.hpp>

namespace mirbft::engine::wiring {

/// An `out` for the check of a signature: nothing is instantiated in the body.
struct AnyOut {
  template <class E>
  AnyOut& emit(E&&);
  template <class... Next>
  AnyOut& then(Next&&...);
};

template <class M, class E>
concept Processes = requires(M& module, E event, AnyOut& out) {
  module.process(std::move(event), out);
};
template <class M, class E>
using Processed =
    decltype(std::declval<M&>().process(std::declval<E>(), std::declval<AnyOut&>()));

/// Lists of flaws one after another. No function is called with them: that would look into them.
template <class... Lists>
struct Joined {
  using type = events<>;
};
template <class... Flaws>
struct Joined<events<Flaws...>> {
  using type = events<Flaws...>;
};
template <class... Left, class... Right, class... Rest>
struct Joined<events<Left...>, events<Right...>, Rest...>
    : Joined<events<Left..., Right...>, Rest...> {};

/// What is wrong with a list that module `M` declares.
template <class M, class List>
constexpr auto flaws_of_list() {
  if constexpr (is_list_of_events<List>) {
    return Type<events<>>{};
  } else {
    return Type<events<typename module<M>::template declares_no_list_but<List>>>{};
  }
}
template <class M>
constexpr auto flaws_of_consumes() {
  if constexpr (DeclaresConsumes<M>) {
    return flaws_of_list<M, typename M::consumes>();
  } else {
    return Type<events<>>{};
  }
}
template <class M>
constexpr auto flaws_of_emits() {
  if constexpr (DeclaresEmits<M>) {
    return flaws_of_list<M, typename M::emits>();
  } else {
    return Type<events<>>{};
  }
}

/// What is wrong with event `E` coming out of module `M`.
template <class Plan, class M, class E>
constexpr auto flaws_of_emission() {
  using Here = typename event<E>::template emitted_by<M>;
  if constexpr (!origin_is_sound<E>()) {
    return Type<events<
        typename Here::template is_for_an_origin_without_module<typename E::origin_type>>>{};
  } else if constexpr (!HasDestination<E>) {
    return Type<events<typename Here::template has_no_destination<E>>>{};
  } else if constexpr (!Plan::template is_handled<E>) {
    using Destination = typename Plan::template Module<E::destination.index()>;
    return Type<events<typename Here::template is_not_handled_by<Destination>>>{};
  } else {
    return Type<events<>>{};
  }
}

/// The same for what the module in the event's destination answers.
template <class Plan, class E>
constexpr auto flaws_of_answer() {
  if constexpr (HasAnswer<E>) {
    return flaws_of_emission<Plan, typename Plan::template Module<E::destination.index()>,
                             typename E::answer>();
  } else {
    return Type<events<>>{};
  }
}

/// What is wrong with module `M`, whose task is `Task`, handling event `E` itself.
template <class Task, class M, class E>
constexpr auto flaws_of_consumption() {
  using Here = typename event<E>::template consumed_by<M>;
  if constexpr (Task::template handles<E>) {
    return Type<events<typename Here::template but_handled_by<Task>>>{};
  } else if constexpr (!Processes<M, E>) {
    return Type<events<typename Here::template without_process<E>>>{};
  } else if constexpr (!std::is_void_v<Processed<M, E>>) {
    return Type<events<typename Here::template with_process_returning<Processed<M, E>>>>{};
  } else {
    return Type<events<>>{};
  }
}

template <class E, class Other>
constexpr auto flaws_of_pair() {
  if constexpr (E::number == Other::number && !std::is_same_v<E, Other>) {
    using Here = typename event<E>::template and_event<Other>;
    return Type<events<typename Here::template have_the_same_number<E::number>>>{};
  } else {
    return Type<events<>>{};
  }
}

template <class... Es>
constexpr bool numbers_are_unique(events<Es...>) {
  std::array<std::uint32_t, sizeof...(Es)> numbers{Es::number...};
  std::sort(numbers.begin(), numbers.end());
  return std::adjacent_find(numbers.begin(), numbers.end()) == numbers.end();
}

/// Only when a number is taken twice are the pairs spelled out: that costs n² templates.
template <class List, bool Unique>
struct FlawsOfNumbers {
  using type = events<>;
};
template <class E, class... Es>
struct FlawsOfNumbers<events<E, Es...>, false>
    : Joined<typename decltype(flaws_of_pair<E, Es>())::type...,
             typename FlawsOfNumbers<events<Es...>, false>::type> {};

template <class Plan, class M, class List>
struct FlawsOfEmissions;
template <class Plan, class M, class... Es>
struct FlawsOfEmissions<Plan, M, events<Es...>>
    : Joined<typename decltype(flaws_of_emission<Plan, M, Es>())::type...> {};

template <class Plan, class List>
struct FlawsOfAnswers;
template <class Plan, class... Es>
struct FlawsOfAnswers<Plan, events<Es...>>
    : Joined<typename decltype(flaws_of_answer<Plan, Es>())::type...> {};

template <class Task, class M, class List>
struct FlawsOfConsumptions;
template <class Task, class M, class... Es>
struct FlawsOfConsumptions<Task, M, events<Es...>>
    : Joined<typename decltype(flaws_of_consumption<Task, M, Es>())::type...> {};

/// What comes out of the modules.
template <class Plan, class Slots>
struct FlawsOfOutputs;
template <class Plan, std::size_t... S>
struct FlawsOfOutputs<Plan, std::index_sequence<S...>>
    : Joined<typename decltype(flaws_of_consumes<typename Plan::template Module<S>>())::type...,
             typename decltype(flaws_of_emits<typename Plan::template Module<S>>())::type...,
             typename FlawsOfEmissions<Plan, typename Plan::template Module<S>,
                                       typename Plan::template Emits<S>>::type...,
             typename FlawsOfAnswers<Plan, typename Plan::Events>::type> {};

/// What goes into them; looked at only when what comes out is sound.
template <class Plan, class Slots, class FlawsBefore>
struct FlawsOf {
  using type = FlawsBefore;
};
template <class Plan, std::size_t... S>
struct FlawsOf<Plan, std::index_sequence<S...>, events<>>
    : Joined<typename FlawsOfConsumptions<typename Plan::template Task<S>,
                                          typename Plan::template Module<S>,
                                          consumes_of<typename Plan::template Module<S>>>::type...,
             typename FlawsOfNumbers<typename Plan::Events,
                                     numbers_are_unique(typename Plan::Events{})>::type> {};

/// Where the flaws are looked into.
template <class List>
struct node_refused_because;
template <class... Flaws>
struct node_refused_because<events<Flaws...>> : Flaws... {};

/// A base class of Node: empty when all is well.
template <class Plan, class Slots = std::make_index_sequence<slot_count>>
using Verdict = node_refused_because<
    typename FlawsOf<Plan, Slots, typename FlawsOfOutputs<Plan, Slots>::type>::type>;

}  // namespace mirbft::engine::wiring

#endif

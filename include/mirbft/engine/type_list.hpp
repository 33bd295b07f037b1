// Compile-time lists of event types: joining, deduplicating, selecting. Plain folds, because
// hana::set, map and union_ cost three to four times their front-end time.
#ifndef MIRBFT_ENGINE_TYPE_LIST_HPP
#define MIRBFT_ENGINE_TYPE_LIST_HPP

#include <cstddef>
#include <type_traits>

#include <mirbft/events/event.hpp>

namespace mirbft::engine {

/// Carries a type as a value.
template <class T>
struct Type {
  using type = T;
};

template <class T, class List>
inline constexpr bool contains = false;
template <class T, class... Ts>
inline constexpr bool contains<T, events<Ts...>> = (std::is_same_v<T, Ts> || ...);

/// Place of `T` in the list; the list's length when it is not there.
template <class T, class List>
inline constexpr std::size_t index_of = 0;
template <class T, class... Ts>
inline constexpr std::size_t index_of<T, events<Ts...>> = [] {
  std::size_t place = 0;
  (void)((std::is_same_v<T, Ts> || (++place, false)) || ...);
  return place;
}();

template <class List>
inline constexpr std::size_t length = 0;
template <class... Ts>
inline constexpr std::size_t length<events<Ts...>> = sizeof...(Ts);

namespace detail {

template <class... As, class B>
constexpr auto operator+(events<As...>, Type<B>) {
  if constexpr ((std::is_same_v<As, B> || ...)) {
    return events<As...>{};
  } else {
    return events<As..., B>{};
  }
}
template <class... As, class... Bs>
constexpr auto operator|(events<As...> list, events<Bs...>) {
  return (list + ... + Type<Bs>{});
}
template <class... Lists>
constexpr auto join(Lists... lists) {
  return (events<>{} | ... | lists);
}

}  // namespace detail

/// The lists one after another, each type once.
template <class... Lists>
using Union = decltype(detail::join(Lists{}...));

/// The types of `List` for which `Keep<T>::value` holds.
template <template <class> class Keep, class List>
struct Select;
template <template <class> class Keep, class... Ts>
struct Select<Keep, events<Ts...>> {
  using type = Union<std::conditional_t<Keep<Ts>::value, events<Ts>, events<>>...>;
};

}  // namespace mirbft::engine

#endif

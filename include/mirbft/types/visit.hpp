// Visiting a variant without calls through pointers.
#ifndef MIRBFT_TYPES_VISIT_HPP
#define MIRBFT_TYPES_VISIT_HPP

#include <cstddef>
#include <utility>
#include <variant>

namespace mirbft {

/// Calls `visit(alternative)` for the alternative that `variant` holds: a fold over the indices,
/// which the compilers turn into one jump table. `std::visit` would call through pointers.
template <class Visit, class... Es>
constexpr void visit_alternative(std::variant<Es...>& variant, Visit&& visit) {
  const std::size_t index = variant.index();
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (void)((index == I && (visit(*std::get_if<I>(&variant)), true)) || ...);
  }(std::index_sequence_for<Es...>{});
}
template <class Visit, class... Es>
constexpr void visit_alternative(const std::variant<Es...>& variant, Visit&& visit) {
  const std::size_t index = variant.index();
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (void)((index == I && (visit(*std::get_if<I>(&variant)), true)) || ...);
  }(std::index_sequence_for<Es...>{});
}

}  // namespace mirbft

#endif

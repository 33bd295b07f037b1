// Variants: the field numbers of their alternatives, and visiting without a table of functions.
#ifndef MIRBFT_WIRE_CHOICE_HPP
#define MIRBFT_WIRE_CHOICE_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <variant>

#include <mirbft/wire/kind.hpp>

namespace mirbft::wire {

namespace detail {

template <class T>
struct Unshared {
  using type = T;
};
template <class T>
struct Unshared<Shared<T>> : Unshared<T> {};

template <class Alternative>
constexpr std::uint32_t alternative_number(std::size_t place) {
  using Plain = typename Unshared<Alternative>::type;
  if constexpr (std::is_same_v<Plain, std::monostate>) {
    return 0;
  } else if constexpr (requires { typename FieldNumber<std::uint32_t{Plain::number}>; }) {
    return Plain::number;
  } else {
    return static_cast<std::uint32_t>(place + 1);
  }
}

// Protobuf's range, without the numbers that it keeps for itself.
constexpr bool is_field_number(std::uint32_t number) {
  return number >= 1 && number < (1u << 29) && (number < 19000 || number > 19999);
}

template <class Variant>
struct ChoiceTraits;

template <class... Alternatives>
struct ChoiceTraits<std::variant<Alternatives...>> {
  static constexpr std::size_t count = sizeof...(Alternatives);
  static constexpr bool may_be_empty = (std::is_same_v<Alternatives, std::monostate> || ...);
  static constexpr std::array<std::uint32_t, count> numbers = [] {
    std::array<std::uint32_t, count> made{};
    std::size_t place = 0;
    ((made[place] = alternative_number<Alternatives>(place), ++place), ...);
    return made;
  }();

  static constexpr bool numbers_are_valid() {
    std::array<std::uint32_t, count> sorted = numbers;
    std::sort(sorted.begin(), sorted.end());
    return std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end() &&
           std::all_of(sorted.begin() + may_be_empty, sorted.end(), is_field_number);
  }

  static_assert(((Message<Alternatives> || std::is_same_v<Alternatives, std::monostate>) && ...),
                "[mirbft] an alternative of a variant that travels is no message: make it a "
                "reflected struct");
  static_assert(!may_be_empty || numbers[0] == 0,
                "[mirbft] std::monostate stands for nothing set: put it first in the variant");
  static_assert(numbers_are_valid(),
                "[mirbft] two alternatives of a variant have the same field number, or one that "
                "protobuf does not allow: change their `number`");
};

}  // namespace detail

/// The field numbers of a variant's alternatives: `number` where an alternative declares one, else
/// its place counted from 1; 0 for std::monostate.
template <class Variant>
inline constexpr auto& alternative_numbers = detail::ChoiceTraits<Variant>::numbers;

/// Holds if a variant may hold nothing (its first alternative is std::monostate).
template <class Variant>
inline constexpr bool may_be_empty = detail::ChoiceTraits<Variant>::may_be_empty;

/// The field number of what a variant holds; 0 for nothing.
template <class... Alternatives>
constexpr std::uint32_t held_number(const std::variant<Alternatives...>& value) {
  using Traits = detail::ChoiceTraits<std::variant<Alternatives...>>;
  return value.valueless_by_exception() ? 0 : Traits::numbers[value.index()];
}

/// Calls `visit(field number, alternative)` for what the variant holds, and not at all for
/// std::monostate. Not std::visit, whose table of functions the optimiser cannot see through.
template <class... Alternatives, class Visit>
constexpr void visit_choice(const std::variant<Alternatives...>& value, Visit&& visit) {
  using Traits = detail::ChoiceTraits<std::variant<Alternatives...>>;
  const auto visit_one = [&](std::size_t place, const auto* held) {
    if constexpr (!std::is_same_v<decltype(held), const std::monostate*>) {
      visit(Traits::numbers[place], *held);
    }
  };
  const std::size_t index = value.index();
  [&]<std::size_t... place>(std::index_sequence<place...>) {
    static_cast<void>(
        ((index == place && (visit_one(place, std::get_if<place>(&value)), true)) || ...));
  }(std::index_sequence_for<Alternatives...>{});
}

}  // namespace mirbft::wire

#endif

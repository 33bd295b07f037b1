// Walking over the members of a reflected struct. The only header of wire/ that knows Hana.
#ifndef MIRBFT_WIRE_REFLECTION_HPP
#define MIRBFT_WIRE_REFLECTION_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include <boost/hana/accessors.hpp>
#include <boost/hana/concept/struct.hpp>
#include <boost/hana/pair.hpp>
#include <boost/hana/string.hpp>
#include <boost/hana/tuple.hpp>

namespace mirbft::wire {

/// A struct whose members are listed by BOOST_HANA_ADAPT_STRUCT or MIRBFT_ADAPT_TEMPLATE.
template <class T>
concept Reflected = boost::hana::Struct<T>::value;

/// The number of a member's field: its place, counted from 1.
template <std::uint32_t number>
using FieldNumber = std::integral_constant<std::uint32_t, number>;

namespace detail {

// Hana keeps the characters of a string in a variable that every translation unit has for itself;
// an inline function that names it cannot be linked into a program of two. These are shared.
template <class Name>
struct MemberName;
template <char... letters>
struct MemberName<boost::hana::string<letters...>> {
  static constexpr char text[] = {letters..., '\0'};
  static constexpr std::string_view value{text, sizeof...(letters)};
};

// Hana's algorithms would be instantiated once more for every struct; the packs of names and
// accessors are all that is needed, and matching them costs next to nothing.
template <class Accessors>
struct MemberList;

template <class... Name, class... Access>
struct MemberList<boost::hana::tuple<boost::hana::pair<Name, Access>...>> {
  static constexpr std::array<std::string_view, sizeof...(Name)> names{MemberName<Name>::value...};

  template <class T, class Visit, std::size_t... place>
  static constexpr void forward(T& value, Visit& visit, std::index_sequence<place...>) {
    (visit(FieldNumber<place + 1>{}, Access{}(value)), ...);
  }

  // A fold over `=` runs from the last operand to the first, since an assignment evaluates its
  // right side before its left.
  template <class T, class Visit, std::size_t... place>
  static constexpr void backward(T& value, Visit& visit, std::index_sequence<place...>) {
    [[maybe_unused]] int target = 0;
    static_cast<void>(((visit(FieldNumber<place + 1>{}, Access{}(value)), target) = ... = 0));
  }
};

template <Reflected T>
using Members = MemberList<std::remove_cv_t<decltype(boost::hana::accessors<T>())>>;

template <class T>
using Places = std::make_index_sequence<Members<T>::names.size()>;

}  // namespace detail

/// The members' names, in their order.
template <Reflected T>
inline constexpr auto& member_names = detail::Members<T>::names;

/// Calls `visit(FieldNumber<n>, member)` for every member, first to last.
template <class T, class Visit>
  requires Reflected<std::remove_const_t<T>>
constexpr void for_each_member(T& value, Visit&& visit) {
  using Plain = std::remove_const_t<T>;
  detail::Members<Plain>::forward(value, visit, detail::Places<Plain>{});
}

/// The same, last to first.
template <class T, class Visit>
  requires Reflected<std::remove_const_t<T>>
constexpr void for_each_member_backward(T& value, Visit&& visit) {
  using Plain = std::remove_const_t<T>;
  detail::Members<Plain>::backward(value, visit, detail::Places<Plain>{});
}

}  // namespace mirbft::wire

#endif

// The name of a type, the same with every compiler: what a message is called in the schema.
#ifndef MIRBFT_WIRE_TYPE_NAME_HPP
#define MIRBFT_WIRE_TYPE_NAME_HPP

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <variant>

#include <mirbft/types/shared.hpp>

namespace mirbft::wire {

/// A name for `T` that overrides the one below. A type says it by a member
/// `static constexpr std::string_view wire_name`; for a type that cannot (a variant), specialise
/// this.
template <class T>
inline constexpr std::string_view given_name = {};
template <class T>
  requires requires { std::string_view(T::wire_name); }
inline constexpr std::string_view given_name<T> = T::wire_name;

namespace detail {

// "… [with T = mirbft::HashResult<mirbft::BatchHash>]" on g++, "… [T = …]" on clang. The return
// type is not spelled out, since g++ would then explain it after a semicolon.
template <class T>
constexpr auto compiler_text() {
  return std::string_view(__PRETTY_FUNCTION__);
}

constexpr bool is_identifier(char character) {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
         (character >= '0' && character <= '9') || character == '_';
}

// The text before the '<' that the final '>' closes.
constexpr std::string_view without_arguments(std::string_view text) {
  std::size_t end = text.size();
  for (int depth = 0; end > 0;) {
    --end;
    if (text[end] == '>') ++depth;
    if (text[end] == '<' && --depth == 0) break;
  }
  return text.substr(0, end);
}

constexpr std::string_view last_identifier(std::string_view text) {
  std::size_t begin = text.size();
  while (begin > 0 && is_identifier(text[begin - 1])) --begin;
  return text.substr(begin);
}

template <class T>
constexpr std::string_view type_text() {
  const std::string_view text = compiler_text<T>();
  return text.substr(0, text.rfind(']'));
}

template <const std::string_view&... part>
struct Joined {
  static constexpr auto storage = [] {
    std::array<char, (part.size() + ... + 0)> made{};
    auto at = made.begin();
    ((at = std::copy(part.begin(), part.end(), at)), ...);
    return made;
  }();
  static constexpr std::string_view value{storage.data(), storage.size()};
};

// Compilers differ in how they spell these.
template <std::integral T>
constexpr std::string_view integer_name() {
  if (std::same_as<T, bool>) return "bool";
  constexpr std::array<std::string_view, 4> names[] = {{"uint8", "uint16", "uint32", "uint64"},
                                                       {"int8", "int16", "int32", "int64"}};
  return names[std::is_signed_v<T>][sizeof(T) == 8 ? 3 : sizeof(T) / 2];
}

template <class T>
struct DerivedName {
  static constexpr std::string_view derive() {
    if constexpr (std::integral<T>) {
      return integer_name<T>();
    } else {
      static_assert(!type_text<T>().ends_with('>'),
                    "[mirbft] a template with arguments that are no types has no name on the "
                    "wire: give it a member `static constexpr std::string_view wire_name`");
      return last_identifier(type_text<T>());
    }
  }
  static constexpr std::string_view value = derive();
};

template <class T>
struct TypeName {
  static constexpr std::string_view choose() {
    if constexpr (given_name<T>.empty()) {
      return DerivedName<T>::value;
    } else {
      return given_name<T>;
    }
  }
  static constexpr std::string_view value = choose();
};

inline constexpr std::string_view underscore = "_";
inline constexpr std::string_view one_of = "OneOf";

template <class T>
struct NameAsArgument : Joined<underscore, TypeName<T>::value> {};

template <template <class...> class Template, class... Arguments>
struct DerivedName<Template<Arguments...>> {
  static constexpr std::string_view own =
      last_identifier(without_arguments(type_text<Template<Arguments...>>()));
  static constexpr std::string_view value = Joined<own, NameAsArgument<Arguments>::value...>::value;
};

template <class T>
struct DerivedName<Shared<T>> : TypeName<T> {};

template <>
struct DerivedName<std::monostate> {
  static constexpr std::string_view value = "Nothing";
};

template <class... Alternatives>
struct DerivedName<std::variant<Alternatives...>>
    : Joined<one_of, NameAsArgument<Alternatives>::value...> {};

}  // namespace detail

/// What `T` is called in the schema: its name without namespaces; `HashRequest_BatchHash` for
/// `HashRequest<BatchHash>`; `OneOf_Prepare_Commit` for a variant of these.
template <class T>
inline constexpr std::string_view type_name = detail::TypeName<T>::value;

}  // namespace mirbft::wire

#endif

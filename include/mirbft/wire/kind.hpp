// What a C++ type is on the wire: a number, a byte string, a message, or a repetition of these.
#ifndef MIRBFT_WIRE_KIND_HPP
#define MIRBFT_WIRE_KIND_HPP

#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/shared.hpp>
#include <mirbft/wire/reflection.hpp>

namespace mirbft::wire {

/// What a type is made into.
enum class Kind : std::uint8_t {
  number,   ///< integers, bool, enums, ids, durations: a varint
  blob,     ///< Bytes, std::string, Digest, byte arrays: length and content
  record,   ///< a reflected struct: a message
  choice,   ///< a variant: a message with one `oneof`
  list,     ///< a vector: a repeated field
  maybe,    ///< an optional: a field with explicit presence
  unknown,  ///< what cannot travel
};

namespace detail {

template <class T>
concept Character = std::same_as<T, char> || std::same_as<T, wchar_t> ||
                    std::same_as<T, char8_t> || std::same_as<T, char16_t> ||
                    std::same_as<T, char32_t>;

template <class T>
struct Category {
  static constexpr Kind kind = (std::is_integral_v<T> && !Character<T>) ? Kind::number
                               : std::is_enum_v<T>                      ? Kind::number
                               : Reflected<T>                           ? Kind::record
                                                                        : Kind::unknown;
};
template <class Tag>
struct Category<Id<Tag>> {
  static constexpr Kind kind = Kind::number;
};
template <std::signed_integral Rep, class Period>
struct Category<std::chrono::duration<Rep, Period>> {
  static constexpr Kind kind = Kind::number;
};

template <>
struct Category<Bytes> {
  static constexpr Kind kind = Kind::blob;
  static constexpr std::size_t fixed_size = 0;
};
template <>
struct Category<std::string> : Category<Bytes> {};
template <std::size_t size>
  requires(size > 0)
struct Category<std::array<std::uint8_t, size>> {
  static constexpr Kind kind = Kind::blob;
  static constexpr std::size_t fixed_size = size;
};
template <>
struct Category<Digest> : Category<std::array<std::uint8_t, Digest::size>> {};

template <class... Alternatives>
struct Category<std::variant<Alternatives...>> {
  static constexpr Kind kind = Kind::choice;
};
template <class Element>
struct Category<std::vector<Element>> {
  static constexpr Kind kind = Kind::list;
};
template <class Value>
struct Category<std::optional<Value>> {
  static constexpr Kind kind = Kind::maybe;
};
template <class Value>
struct Category<Shared<Value>> : Category<Value> {};

}  // namespace detail

/// The kind of `T`; a `Shared<T>` is what its `T` is.
template <class T>
inline constexpr Kind kind_of = detail::Category<T>::kind;

/// The length of a byte string that has only one, such as a Digest; 0 where it varies.
template <class T>
  requires(kind_of<T> == Kind::blob)
inline constexpr std::size_t fixed_size = detail::Category<T>::fixed_size;

template <class T>
inline constexpr bool is_shared = false;
template <class T>
inline constexpr bool is_shared<Shared<T>> = true;

/// Holds for what is a message of its own: structs and variants.
template <class T>
concept Message = kind_of<T> == Kind::record || kind_of<T> == Kind::choice;

/// Holds for what can be repeated or optional, or stand alone as a member.
template <class T>
concept Single = Message<T> || kind_of<T> == Kind::number || kind_of<T> == Kind::blob;

/// The varint of a number: negative ones as 64-bit two's complement, as protobuf has it.
template <class T>
constexpr std::uint64_t to_number(T value) noexcept {
  if constexpr (requires { value.count(); }) {
    return static_cast<std::uint64_t>(std::int64_t{value.count()});
  } else if constexpr (requires { value.value; }) {
    return value.value;
  } else if constexpr (std::is_enum_v<T>) {
    static_assert(sizeof(T) <= 4, "[mirbft] an enum travels as uint32: give it a shorter type");
    return static_cast<std::uint32_t>(value);
  } else if constexpr (std::is_signed_v<T>) {
    return static_cast<std::uint64_t>(std::int64_t{value});
  } else {
    return value;
  }
}

/// The inverse of `to_number`. False if `T` cannot hold the number, which is never cut to fit.
template <class T>
constexpr bool from_number(std::uint64_t number, T& value) noexcept {
  if constexpr (requires { value.count(); }) {
    value = T(static_cast<typename T::rep>(number));
  } else {
    value = static_cast<T>(number);
  }
  return to_number(value) == number;
}

inline ByteView view_of(const Bytes& blob) noexcept { return blob.view(); }
inline ByteView view_of(const std::string& blob) noexcept { return bytes_of(blob); }
inline ByteView view_of(const Digest& blob) noexcept { return blob.view(); }
template <std::size_t size>
ByteView view_of(const std::array<std::uint8_t, size>& blob) noexcept {
  return blob;
}

}  // namespace mirbft::wire

#endif

// Reflected structs as JSON, for people and scripts: statuses, logs, reports. It is not read back.
#ifndef MIRBFT_WIRE_JSON_HPP
#define MIRBFT_WIRE_JSON_HPP

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/wire/choice.hpp>
#include <mirbft/wire/kind.hpp>
#include <mirbft/wire/type_name.hpp>

namespace mirbft::wire {

/// One line, or one line a value with two spaces a level.
enum class JsonLayout : std::uint8_t { compact, indented };

namespace detail {

class JsonWriter {
 public:
  explicit JsonWriter(JsonLayout layout) noexcept : layout_(layout) {}

  std::string take() && { return std::move(text_); }

  template <class T>
  void put(const T& value) {
    if constexpr (is_shared<T>) {
      put(*value);
    } else if constexpr (std::same_as<T, bool>) {
      text_ += value ? "true" : "false";
    } else if constexpr (std::convertible_to<T, std::string_view>) {
      put_text(value);
    } else if constexpr (std::floating_point<T>) {
      put_fraction(value);
    } else if constexpr (kind_of<T> == Kind::number) {
      put_number(value);
    } else if constexpr (kind_of<T> == Kind::blob) {
      put_text(hex(view_of(value)));
    } else if constexpr (kind_of<T> == Kind::unknown) {
      static_assert(kind_of<T> != Kind::unknown,
                    "[mirbft] a value of this type cannot be shown as JSON: use numbers, enums, "
                    "ids, durations, text, Bytes, reflected structs, variants, vectors and "
                    "optionals");
    } else {
      put_compound(value);
    }
  }

 private:
  template <class T>
  void put_compound(const T& value) {
    if constexpr (kind_of<T> == Kind::maybe) {
      value ? put(*value) : put_null();
    } else if constexpr (kind_of<T> == Kind::choice) {
      if (held_number(value) == 0) return put_null();
      open('{');
      visit_choice(value, [&](std::uint32_t, const auto& held) {
        put_pair(type_name<std::remove_cvref_t<decltype(held)>>, held);
      });
      close('}');
    } else if constexpr (kind_of<T> == Kind::list) {
      open('[');
      for (const auto& element : value) {
        next();
        put(element);
      }
      close(']');
    } else {
      open('{');
      for_each_member(value, [&](auto number, const auto& member) {
        put_pair(member_names<T>[number - 1], member);
      });
      close('}');
    }
  }

  template <class T>
  void put_pair(std::string_view name, const T& value) {
    next();
    put_text(name);
    text_ += layout_ == JsonLayout::indented ? ": " : ":";
    put(value);
  }

  template <class T>
  void put_number(const T& value) {
    if constexpr (requires { value.count(); }) {
      put_digits(std::chrono::duration_cast<std::chrono::nanoseconds>(value).count());
    } else if constexpr (std::is_enum_v<T>) {
      put_digits(static_cast<std::int64_t>(value));
    } else if constexpr (std::signed_integral<T>) {
      put_digits(value);
    } else {
      put_digits(to_number(value));
    }
  }

  template <std::integral T>
  void put_digits(T value) {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.begin(), digits.end(), value).ptr;
    text_.append(digits.begin(), end);
  }

  // JSON has no infinities and no NaN.
  void put_fraction(double value) {
    if (!std::isfinite(value)) return put_null();
    std::array<char, 32> digits;
    const auto end = std::to_chars(digits.begin(), digits.end(), value).ptr;
    text_.append(digits.begin(), end);
  }

  void put_null() { text_ += "null"; }

  void put_text(std::string_view text) {
    text_ += '"';
    for (const char character : text) put_character(character);
    text_ += '"';
  }

  void put_character(char character) {
    switch (character) {
      case '"': text_ += "\\\""; return;
      case '\\': text_ += "\\\\"; return;
      case '\n': text_ += "\\n"; return;
      case '\r': text_ += "\\r"; return;
      case '\t': text_ += "\\t"; return;
      default: break;
    }
    const auto code = static_cast<std::uint8_t>(character);
    if (code < 0x20) {
      text_ += "\\u00" + hex(ByteView(&code, 1));
    } else {
      text_ += character;
    }
  }

  void open(char bracket) {
    text_ += bracket;
    ++depth_;
    empty_ = true;
  }

  void next() {
    if (!empty_) text_ += ',';
    empty_ = false;
    break_line();
  }

  void close(char bracket) {
    --depth_;
    if (!empty_) break_line();
    empty_ = false;
    text_ += bracket;
  }

  void break_line() {
    if (layout_ == JsonLayout::indented) text_.append(1, '\n').append(2 * depth_, ' ');
  }

  JsonLayout layout_;
  std::string text_;
  std::size_t depth_ = 0;
  bool empty_ = true;  // Nothing stands yet between the innermost brackets.
};

}  // namespace detail

/// A value as JSON: structs are objects, vectors arrays, absent optionals null; ids, enums and
/// durations (in nanoseconds) numbers; digests and bytes hexadecimal strings; a variant an object
/// with one member, named after the type that it holds. Text is taken to be UTF-8.
template <class T>
std::string to_json(const T& value, JsonLayout layout = JsonLayout::compact) {
  detail::JsonWriter writer(layout);
  writer.put(value);
  return std::move(writer).take();
}

}  // namespace mirbft::wire

#endif

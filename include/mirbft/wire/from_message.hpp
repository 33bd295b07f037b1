// From a message that protobuf has parsed to a reflected struct: for what people write.
#ifndef MIRBFT_WIRE_FROM_MESSAGE_HPP
#define MIRBFT_WIRE_FROM_MESSAGE_HPP

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/wire/kind.hpp>
#include <mirbft/wire/reflection.hpp>
#include <mirbft/wire/schema.hpp>

namespace mirbft::wire {

/// The schema of `T` as people write it: a field that is left out can be told from a zero, and
/// bytes are hexadecimal digits, as `to_json` prints them.
template <Reflected T>
Schema text_schema() {
  Schema made = schema<T>("text.proto");
  for (MessageSchema& message : made.messages) {
    for (FieldSchema& field : message.fields) {
      if (field.label == Label::plain) field.label = Label::optional;
      if (field.type == "bytes") field.type = "string";
    }
  }
  return made;
}

namespace detail {

// A value of a parsed field; `index` counts those of a repeated one.
struct ParsedValue {
  const google::protobuf::Message& message;
  const google::protobuf::FieldDescriptor* field;
  int index = 0;

  std::uint64_t number() const {
    using google::protobuf::FieldDescriptor;
    const auto& from = *message.GetReflection();
    const bool one = !field->is_repeated();
    const auto extend = [](std::int64_t number) { return static_cast<std::uint64_t>(number); };
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_BOOL:
        return one ? from.GetBool(message, field) : from.GetRepeatedBool(message, field, index);
      case FieldDescriptor::CPPTYPE_INT32:
        return extend(one ? from.GetInt32(message, field)
                          : from.GetRepeatedInt32(message, field, index));
      case FieldDescriptor::CPPTYPE_INT64:
        return extend(one ? from.GetInt64(message, field)
                          : from.GetRepeatedInt64(message, field, index));
      case FieldDescriptor::CPPTYPE_UINT32:
        return one ? from.GetUInt32(message, field) : from.GetRepeatedUInt32(message, field, index);
      default:
        return one ? from.GetUInt64(message, field) : from.GetRepeatedUInt64(message, field, index);
    }
  }
  std::string text() const {
    const auto& from = *message.GetReflection();
    return field->is_repeated() ? from.GetRepeatedString(message, field, index)
                                : from.GetString(message, field);
  }
  const google::protobuf::Message& record() const {
    const auto& from = *message.GetReflection();
    return field->is_repeated() ? from.GetRepeatedMessage(message, field, index)
                                : from.GetMessage(message, field);
  }
};

// Text from outside in an error: one line, not too long.
inline std::string shown(std::string_view text) {
  constexpr std::size_t longest = 80;
  std::string made(text.substr(0, longest));
  for (char& letter : made)
    if (static_cast<unsigned char>(letter) < ' ') letter = ' ';
  return text.size() > longest ? made + "…" : made;
}

// Two digits a byte.
template <class Refuse>
void read_hex(std::string_view text, std::uint8_t* out, Refuse&& refuse) {
  const auto digit = [&](char letter) {
    const std::size_t place = std::string_view("0123456789abcdef").find(letter);
    if (place == std::string_view::npos) refuse("must be hexadecimal digits, 0-9 and a-f");
    return place;
  };
  for (std::size_t i = 0; i < text.size(); i += 2)
    *out++ = static_cast<std::uint8_t>(digit(text[i]) << 4 | digit(text[i + 1]));
}

// Carries values over. `path` is where they stand, for the error.
struct FromMessage {
  template <Reflected T>
  static void fill(T& value, const google::protobuf::Message& message, const std::string& path) {
    for_each_member(value, [&](auto number, auto& member) {
      const auto* field = message.GetDescriptor()->FindFieldByNumber(number);
      fill_member(member, ParsedValue{message, field}, path + field->name());
    });
  }

  template <class T>
  static void fill_member(T& member, ParsedValue from, const std::string& path) {
    const auto& reflection = *from.message.GetReflection();
    if constexpr (kind_of<T> == Kind::list) {
      const int size = reflection.FieldSize(from.message, from.field);
      if (size != 0) member.clear();
      for (; from.index < size; ++from.index)
        put(member.emplace_back(), from, path + '[' + std::to_string(from.index) + ']');
    } else if (reflection.HasField(from.message, from.field)) {
      if constexpr (kind_of<T> == Kind::maybe) {
        put(member.emplace(), from, path);
      } else {
        put(member, from, path);
      }
    }
  }

  template <class T>
  static void put(T& value, const ParsedValue& from, const std::string& path) {
    static_assert(
        kind_of<T> == Kind::number || kind_of<T> == Kind::blob || kind_of<T> == Kind::record,
        "[mirbft] a member of this type cannot be read from text: use numbers, ids, "
        "text, bytes, reflected structs, and vectors and optionals of these");
    if constexpr (kind_of<T> == Kind::record) {
      fill(value, from.record(), path + '.');
    } else if constexpr (kind_of<T> == Kind::number) {
      put_number(value, from.number(), path);
    } else if constexpr (std::is_same_v<T, std::string>) {
      value = from.text();
    } else {
      put_bytes(value, from.text(), path);
    }
  }

  template <class T>
  static void put_number(T& value, std::uint64_t number, const std::string& path) {
    if (from_number(number, value)) return;
    const std::string given = std::is_signed_v<T>
                                  ? std::to_string(static_cast<std::int64_t>(number))
                                  : std::to_string(number);
    throw ConfigError(
        path, given,
        "must be a whole number of at most " + std::to_string(8 * sizeof(T)) + " bits");
  }

  template <class T>
  static void put_bytes(T& value, const std::string& text, const std::string& path) {
    const auto refuse = [&](std::string rule) {
      throw ConfigError(path, shown('"' + text + '"'), std::move(rule));
    };
    constexpr std::size_t size = fixed_size<T>;
    if (text.size() % 2 != 0) refuse("must have two hexadecimal digits for each byte");
    if (size != 0 && text.size() != 2 * size)
      refuse("must be " + std::to_string(size) + " bytes, two hexadecimal digits each");
    if constexpr (std::is_same_v<T, Bytes>) {
      value =
          Bytes::filled(text.size() / 2, [&](std::uint8_t* out) { read_hex(text, out, refuse); });
    } else if constexpr (requires { value.bytes; }) {
      read_hex(text, value.bytes.data(), refuse);
    } else {
      read_hex(text, value.data(), refuse);
    }
  }
};

}  // namespace detail

/// Overwrites the members of `value` that stand in `message`, which was made from `text_schema<T>`;
/// the others keep their values. Throws ConfigError where a value does not fit its member; `path`
/// stands before the member's name in the error.
template <Reflected T>
void fill_from(T& value, const google::protobuf::Message& message, const std::string& path = {}) {
  detail::FromMessage::fill(value, message, path);
}

}  // namespace mirbft::wire

#endif

// Recorded events as short JSON that is safe within HTML: for pages, where what is long is cut.
#ifndef MIRBFT_MIRCAT_SHORT_JSON_HPP
#define MIRBFT_MIRCAT_SHORT_JSON_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/digest.hpp>

namespace mirbft::mircat {

/// Appends a JSON string. `<` is escaped too, so that no text ends the element that it stands in;
/// what is no UTF-8 must not come here.
inline void put_json(std::string& out, std::string_view text) {
  out += '"';
  for (const char character : text) {
    const auto code = static_cast<std::uint8_t>(character);
    if (character == '"' || character == '\\') {
      out += '\\';
      out += character;
    } else if (code < 0x20 || character == '<' || code == 0x7f) {
      out += "\\u00" + hex(ByteView(&code, 1));
    } else {
      out += character;
    }
  }
  out += '"';
}

/// How much of a long value is shown.
inline constexpr std::size_t shown_bytes = 32;
inline constexpr std::size_t shown_text = 160;
inline constexpr int shown_elements = 24;

namespace detail {

/// Printable text as it stands, in quotes of its own; everything else in hexadecimal.
inline std::string short_bytes(std::string_view value) {
  const bool printable = std::ranges::all_of(value, [](char c) { return c >= ' ' && c <= '~'; });
  const std::size_t limit = printable ? shown_text : shown_bytes;
  const std::string_view part = value.substr(0, limit);
  std::string text = printable ? "'" + std::string(part) + "'" : "0x" + hex(bytes_of(part));
  if (part.size() < value.size()) text += "… (" + std::to_string(value.size()) + " bytes)";
  return text;
}

// Numbers that JavaScript would round are texts.
template <class Number>
void put_number(std::string& out, Number value) {
  constexpr std::int64_t exact = std::int64_t{1} << 53;
  const bool fits = std::cmp_less(value, exact) && std::cmp_greater(value, -exact);
  const std::string text = std::to_string(value);
  out += fits ? text : '"' + text + '"';
}

inline void put_message(std::string& out, const google::protobuf::Message& message,
                        const google::protobuf::FieldDescriptor* left_out);

/// A value of a field that has several, or, for `place` -1, that of one that has one.
inline void put_value(std::string& out, const google::protobuf::Message& message,
                      const google::protobuf::FieldDescriptor* field, int place) {
  using Field = google::protobuf::FieldDescriptor;
  using Seen = google::protobuf::Reflection;
  const auto* seen = message.GetReflection();
  const auto get = [&](auto&& single, auto&& repeated) {
    return place < 0 ? (seen->*single)(message, field) : (seen->*repeated)(message, field, place);
  };
  switch (field->cpp_type()) {
    case Field::CPPTYPE_UINT64:
      return put_number(out, get(&Seen::GetUInt64, &Seen::GetRepeatedUInt64));
    case Field::CPPTYPE_UINT32:
      return put_number(out, get(&Seen::GetUInt32, &Seen::GetRepeatedUInt32));
    case Field::CPPTYPE_INT64:
      return put_number(out, get(&Seen::GetInt64, &Seen::GetRepeatedInt64));
    case Field::CPPTYPE_INT32:
      return put_number(out, get(&Seen::GetInt32, &Seen::GetRepeatedInt32));
    case Field::CPPTYPE_BOOL:
      out += get(&Seen::GetBool, &Seen::GetRepeatedBool) ? "true" : "false";
      return;
    case Field::CPPTYPE_STRING: {
      const std::string value = get(&Seen::GetString, &Seen::GetRepeatedString);
      return put_json(out, field->type() == Field::TYPE_BYTES ? short_bytes(value)
                                                              : value.substr(0, shown_text));
    }
    case Field::CPPTYPE_MESSAGE:
      return put_message(out,
                         place < 0 ? seen->GetMessage(message, field)
                                   : seen->GetRepeatedMessage(message, field, place),
                         nullptr);
    default: out += "null";  // The wire format has no other kind.
  }
}

inline void put_elements(std::string& out, const google::protobuf::Message& message,
                         const google::protobuf::FieldDescriptor* field) {
  const int size = message.GetReflection()->FieldSize(message, field);
  out += '[';
  for (int place = 0; place < std::min(size, shown_elements); ++place) {
    if (place != 0) out += ',';
    put_value(out, message, field, place);
  }
  if (size > shown_elements)
    put_json(out += ',', "… " + std::to_string(size - shown_elements) + " more");
  out += ']';
}

inline void put_message(std::string& out, const google::protobuf::Message& message,
                        const google::protobuf::FieldDescriptor* left_out) {
  const auto& type = *message.GetDescriptor();
  const auto& reflection = *message.GetReflection();
  out += '{';
  bool first = true;
  for (int place = 0; place < type.field_count(); ++place) {
    const auto* field = type.field(place);
    if (field == left_out) continue;
    if (!field->is_repeated() && field->has_presence() && !reflection.HasField(message, field))
      continue;
    if (!first) out += ',';
    first = false;
    put_json(out, field->name());
    out += ':';
    field->is_repeated() ? put_elements(out, message, field) : put_value(out, message, field, -1);
  }
  out += '}';
}

}  // namespace detail

/// All fields of a message, without one of them if it is named.
inline std::string short_json(const google::protobuf::Message& message,
                              std::string_view left_out = {}) {
  std::string out;
  const auto* field = message.GetDescriptor()->FindFieldByName(std::string(left_out));
  detail::put_message(out, message, left_out.empty() ? nullptr : field);
  return out;
}

/// What is sent or received.
inline std::string short_json_of_field(const google::protobuf::Message& message,
                                       std::string_view name) {
  std::string out;
  detail::put_value(out, message, message.GetDescriptor()->FindFieldByName(std::string(name)), -1);
  return out;
}

}  // namespace mirbft::mircat

#endif

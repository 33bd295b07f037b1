// A schema as the text of a .proto file.
#ifndef MIRBFT_WIRE_PROTO_TEXT_HPP
#define MIRBFT_WIRE_PROTO_TEXT_HPP

#include <algorithm>
#include <string>
#include <string_view>

#include <mirbft/wire/schema.hpp>

namespace mirbft::wire {

namespace detail {

inline std::string field_text(const FieldSchema& field, std::string_view package) {
  const bool own = field.type.starts_with(std::string(package) + '.');
  const std::string_view type = std::string_view(field.type).substr(own ? package.size() + 1 : 0);
  std::string text = field.label == Label::repeated   ? "repeated "
                     : field.label == Label::optional ? "optional "
                                                      : "";
  text.append(type) += ' ' + field.name + " = " + std::to_string(field.number) + ';';
  if (!field.note.empty()) text += "  // " + field.note;
  return text + '\n';
}

inline std::string message_text(const MessageSchema& message) {
  if (message.fields.empty()) return "message " + message.name + " {}\n";
  const bool is_choice = message.fields.front().label == Label::alternative;
  std::string text = "message " + message.name + " {\n";
  if (is_choice) text += "  oneof which {\n";
  for (const FieldSchema& field : message.fields) {
    text += (is_choice ? "    " : "  ") + field_text(field, message.package);
  }
  if (is_choice) text += "  }\n";
  return text + "}\n";
}

}  // namespace detail

/// The .proto file of a schema. The same text with every compiler.
inline std::string proto_text(const Schema& schema) {
  std::string text =
      "// Printed from the C++ types; a test fails where the two drift apart. A field's number is\n"
      "// the place of its member: members are appended, and never moved.\n"
      "syntax = \"proto3\";\n\npackage " +
      schema.package + ";\n";
  if (!schema.imports.empty()) text += '\n';
  for (const Schema& import : schema.imports) text += "import \"" + import.file + "\";\n";
  for (const MessageSchema& message : schema.messages) text += '\n' + detail::message_text(message);
  return text;
}

}  // namespace mirbft::wire

#endif

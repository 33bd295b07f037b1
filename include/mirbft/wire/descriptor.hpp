// A schema as protobuf's own description of a file: what a log carries along, and what a
// google::protobuf::DynamicMessage is made from.
#ifndef MIRBFT_WIRE_DESCRIPTOR_HPP
#define MIRBFT_WIRE_DESCRIPTOR_HPP

#include <cstdint>
#include <string>

#include <google/protobuf/descriptor.pb.h>

#include <mirbft/wire/schema.hpp>

namespace mirbft::wire {

namespace detail {

using google::protobuf::DescriptorProto;
using google::protobuf::FieldDescriptorProto;

inline FieldDescriptorProto::Type scalar_type(const std::string& name) {
  if (name == "bool") return FieldDescriptorProto::TYPE_BOOL;
  if (name == "uint32") return FieldDescriptorProto::TYPE_UINT32;
  if (name == "uint64") return FieldDescriptorProto::TYPE_UINT64;
  if (name == "int32") return FieldDescriptorProto::TYPE_INT32;
  if (name == "int64") return FieldDescriptorProto::TYPE_INT64;
  if (name == "string") return FieldDescriptorProto::TYPE_STRING;
  return FieldDescriptorProto::TYPE_BYTES;
}

inline void describe_field(const FieldSchema& field, DescriptorProto& message) {
  FieldDescriptorProto& made = *message.add_field();
  made.set_name(field.name);
  made.set_number(static_cast<std::int32_t>(field.number));
  made.set_label(field.label == Label::repeated ? FieldDescriptorProto::LABEL_REPEATED
                                                : FieldDescriptorProto::LABEL_OPTIONAL);
  if (field.kind == Kind::number || field.kind == Kind::blob) {
    made.set_type(scalar_type(field.type));
  } else {
    made.set_type(FieldDescriptorProto::TYPE_MESSAGE);
    made.set_type_name('.' + field.type);
  }
  if (field.label == Label::alternative) {
    if (message.oneof_decl_size() == 0) message.add_oneof_decl()->set_name("which");
    made.set_oneof_index(0);
  } else if (field.label == Label::optional) {
    // As protoc does it: a oneof of its own for each field with explicit presence.
    made.set_oneof_index(message.oneof_decl_size());
    made.set_proto3_optional(true);
    message.add_oneof_decl()->set_name('_' + field.name);
  }
}

}  // namespace detail

/// What protoc would make of `proto_text(schema)`, but for names in JSON and places in the text.
inline google::protobuf::FileDescriptorProto descriptor(const Schema& schema) {
  google::protobuf::FileDescriptorProto file;
  file.set_name(schema.file);
  file.set_package(schema.package);
  file.set_syntax("proto3");
  for (const Schema& import : schema.imports) file.add_dependency(import.file);
  for (const MessageSchema& message : schema.messages) {
    google::protobuf::DescriptorProto& made = *file.add_message_type();
    made.set_name(message.name);
    for (const FieldSchema& field : message.fields) detail::describe_field(field, made);
  }
  return file;
}

}  // namespace mirbft::wire

#endif

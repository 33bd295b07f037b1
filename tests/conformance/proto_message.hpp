// Protobuf's own classes for the types of a schema, and what tests do to messages of any class.
#ifndef MIRBFT_TESTS_CONFORMANCE_PROTO_MESSAGE_HPP
#define MIRBFT_TESTS_CONFORMANCE_PROTO_MESSAGE_HPP

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/message.h>

#include <mirbft/wire/descriptor.hpp>
#include <mirbft/wire/schema.hpp>

#include "../wire/random_value.hpp"

namespace mirbft::test {

/// Finds protobuf's class for a message's full name.
class Prototypes {
 public:
  virtual ~Prototypes() = default;
  virtual const google::protobuf::Message& of(const std::string& full_name) const = 0;
};

/// Classes that protobuf makes at run time from our description of a schema.
class DynamicPrototypes final : public Prototypes {
 public:
  explicit DynamicPrototypes(const wire::Schema& schema) : factory_(&pool_) { add(schema); }

  const google::protobuf::Message& of(const std::string& full_name) const override {
    return *factory_.GetPrototype(pool_.FindMessageTypeByName(full_name));
  }

 private:
  void add(const wire::Schema& schema) {
    for (const wire::Schema& import : schema.imports) add(import);
    if (pool_.FindFileByName(schema.file) != nullptr) return;
    if (pool_.BuildFile(wire::descriptor(schema)) == nullptr) {
      throw std::logic_error("protobuf refuses the schema of " + schema.file);
    }
  }

  google::protobuf::DescriptorPool pool_;
  mutable google::protobuf::DynamicMessageFactory factory_;
};

/// Classes that protoc generated; they have to be linked.
class GeneratedPrototypes final : public Prototypes {
 public:
  const google::protobuf::Message& of(const std::string& full_name) const override {
    const auto* found =
        google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(full_name);
    if (found == nullptr) throw std::logic_error(full_name + " is not linked");
    return *google::protobuf::MessageFactory::generated_factory()->GetPrototype(found);
  }
};

namespace detail {

using google::protobuf::FieldDescriptor;

inline const wire::MessageSchema& schema_of(const google::protobuf::Message& message,
                                            const wire::Schema& schema) {
  return *schema.find(message.GetDescriptor()->name());
}

// A random number as protobuf's reflection takes it, sign-extended from the C++ type's size.
inline std::int64_t random_signed(const wire::FieldSchema& field, Random& random) {
  const auto spare = static_cast<int>(64 - 8 * field.size);
  const std::uint64_t number = random.number(static_cast<std::uint32_t>(8 * field.size));
  return static_cast<std::int64_t>(number << spare) >> spare;
}

inline std::string random_string(const wire::FieldSchema& field, Random& random) {
  if (field.type == "string") return random.text(20);
  if (field.size == 0) return random.bytes(random.below(50));
  return random.one_in(3) ? std::string(field.size, '\0') : random.bytes(field.size);
}

void fill_message(google::protobuf::Message& message, const wire::Schema& schema, Random& random,
                  int depth);

// Adds an element to a repeated field, or sets any other.
inline void put_random(google::protobuf::Message& message, const wire::FieldSchema& field,
                       const wire::Schema& schema, Random& random, int depth) {
  const auto* target = message.GetDescriptor()->FindFieldByNumber(static_cast<int>(field.number));
  const auto* access = message.GetReflection();
  const bool repeated = target->is_repeated();
  const auto bits = static_cast<std::uint32_t>(8 * field.size);
  switch (target->cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL: {
      const bool value = random.one_in(2);
      return repeated ? access->AddBool(&message, target, value)
                      : access->SetBool(&message, target, value);
    }
    case FieldDescriptor::CPPTYPE_UINT32: {
      const auto value = static_cast<std::uint32_t>(random.number(bits));
      return repeated ? access->AddUInt32(&message, target, value)
                      : access->SetUInt32(&message, target, value);
    }
    case FieldDescriptor::CPPTYPE_UINT64: {
      const std::uint64_t value = random.number(bits);
      return repeated ? access->AddUInt64(&message, target, value)
                      : access->SetUInt64(&message, target, value);
    }
    case FieldDescriptor::CPPTYPE_INT32: {
      const auto value = static_cast<std::int32_t>(random_signed(field, random));
      return repeated ? access->AddInt32(&message, target, value)
                      : access->SetInt32(&message, target, value);
    }
    case FieldDescriptor::CPPTYPE_INT64: {
      const std::int64_t value = random_signed(field, random);
      return repeated ? access->AddInt64(&message, target, value)
                      : access->SetInt64(&message, target, value);
    }
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string value = random_string(field, random);
      return repeated ? access->AddString(&message, target, std::move(value))
                      : access->SetString(&message, target, std::move(value));
    }
    default: {
      auto& part = *(repeated ? access->AddMessage(&message, target)
                              : access->MutableMessage(&message, target));
      return fill_message(part, schema, random, depth + 1);
    }
  }
}

inline void fill_message(google::protobuf::Message& message, const wire::Schema& schema,
                         Random& random, int depth) {
  const wire::MessageSchema& own = schema_of(message, schema);
  if (own.fields.empty()) return;
  if (own.fields.front().label == wire::Label::alternative) {
    if (!own.needs_choice && random.one_in(3)) return;
    const wire::FieldSchema& chosen = own.fields[random.below(own.fields.size())];
    return put_random(message, chosen, schema, random, depth);
  }
  for (const wire::FieldSchema& field : own.fields) {
    std::uint64_t times = 1;
    if (field.label != wire::Label::plain) {
      const std::uint64_t most = field.label == wire::Label::repeated ? 3 : 1;
      times = depth < greatest_depth ? random.below(most + 1) : 0;
    }
    for (std::uint64_t time = 0; time < times; ++time) {
      put_random(message, field, schema, random, depth);
    }
  }
}

inline bool is_zero(const std::string& bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char byte) { return byte == 0; });
}

}  // namespace detail

/// Fills a message with random fields that the C++ types can hold.
inline void fill(google::protobuf::Message& message, const wire::Schema& schema, Random& random) {
  detail::fill_message(message, schema, random, 0);
}

/// Clears what protobuf tells from absent and our structs do not: plain fields that hold an empty
/// message, or a byte string of fixed length that is all zero.
inline void normalize(google::protobuf::Message& message, const wire::Schema& schema) {
  const auto* access = message.GetReflection();
  std::vector<const detail::FieldDescriptor*> present;
  access->ListFields(message, &present);
  for (const detail::FieldDescriptor* target : present) {
    const auto& fields = detail::schema_of(message, schema).fields;
    const auto field = std::find_if(fields.begin(), fields.end(), [&](const auto& candidate) {
      return candidate.number == static_cast<std::uint32_t>(target->number());
    });
    const bool is_message = target->cpp_type() == detail::FieldDescriptor::CPPTYPE_MESSAGE;
    if (is_message && target->is_repeated()) {
      for (int place = 0; place < access->FieldSize(message, target); ++place) {
        normalize(*access->MutableRepeatedMessage(&message, target, place), schema);
      }
    } else if (is_message) {
      auto& part = *access->MutableMessage(&message, target);
      normalize(part, schema);
      const bool is_empty = part.ByteSizeLong() == 0;
      if (field->label == wire::Label::plain && is_empty) access->ClearField(&message, target);
    } else if (field->label == wire::Label::plain && field->kind == wire::Kind::blob &&
               field->size > 0 && detail::is_zero(access->GetString(message, target))) {
      access->ClearField(&message, target);
    }
  }
}

}  // namespace mirbft::test

#endif

// Finds the fields of recorded messages by their names, with nothing but the log's schema.
#ifndef MIRBFT_MIRCAT_FIELDS_HPP
#define MIRBFT_MIRCAT_FIELDS_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <mirbft/log/printer.hpp>
#include <mirbft/mircat/pattern.hpp>
#include <mirbft/types/errors.hpp>

namespace mirbft::mircat {

/// From a message to one of the fields in it, or in what it contains.
using FieldPath = std::vector<const google::protobuf::FieldDescriptor*>;

namespace detail {

/// Looks for the paths from one type. A few messages can contain one another in 2^40 ways: what
/// real schemas are far below ends the search.
template <class Accept>
class PathSearch {
 public:
  static constexpr std::size_t most_steps = 100'000;
  static constexpr std::size_t deepest = 64;

  PathSearch(const google::protobuf::Descriptor& type, const Accept& accept)
      : type_(type), accept_(accept) {
    look_into(type);
  }

  std::vector<FieldPath> take() { return std::move(found_); }

 private:
  void look_into(const google::protobuf::Descriptor& type) {
    for (int place = 0; place < type.field_count(); ++place) {
      const auto* field = type.field(place);
      path_.push_back(field);
      if (++steps_ > most_steps || path_.size() > deepest) refuse();
      if (accept_(std::as_const(path_))) found_.push_back(path_);
      const auto* nested = field->message_type();
      // A type that contains itself is looked into once.
      const bool is_new = std::ranges::none_of(
          path_, [&](const auto* step) { return step->containing_type() == nested; });
      if (nested && is_new) look_into(*nested);
      path_.pop_back();
    }
  }

  [[noreturn]] void refuse() const {
    throw ConfigError("schema", type_.name(),
                      "its messages contain one another in more than " +
                          std::to_string(most_steps) + " ways, or more than " +
                          std::to_string(deepest) +
                          " deep: that is no log of a sound program, record it anew");
  }

  const google::protobuf::Descriptor& type_;
  const Accept& accept_;
  FieldPath path_;
  std::size_t steps_ = 0;
  std::vector<FieldPath> found_;
};

}  // namespace detail

/// All paths from messages of `type` that `accept(path)` is true of. Throws ConfigError for a type
/// that contains others without measure.
template <class Accept>
std::vector<FieldPath> field_paths(const google::protobuf::Descriptor& type, const Accept& accept) {
  return detail::PathSearch(type, accept).take();
}

/// Whether a path ends with a name: `sn`, or `content.sn` for the field of that very one.
inline bool ends_with_name(const FieldPath& path, std::string_view name) {
  for (auto step = path.rbegin(); step != path.rend(); ++step) {
    const std::size_t dot = name.rfind('.');
    const std::string_view last = dot == std::string_view::npos ? name : name.substr(dot + 1);
    if ((*step)->name() != last) return false;
    if (dot == std::string_view::npos) return true;
    name = name.substr(0, dot);
  }
  return false;
}

namespace detail {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

/// A value of a field that has several, or, for `place` -1, that of one that has one.
inline bool holds_value(const Message& message, const FieldDescriptor* field, int place,
                        const Patterns& patterns) {
  const auto* seen = message.GetReflection();
  const auto get = [&](auto&& single, auto&& repeated) {
    return place < 0 ? (seen->*single)(message, field) : (seen->*repeated)(message, field, place);
  };
  using Seen = google::protobuf::Reflection;
  const auto number = [&](auto value) { return holds_any(patterns, Number(value)); };
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return number(std::int64_t{get(&Seen::GetInt32, &Seen::GetRepeatedInt32)});
    case FieldDescriptor::CPPTYPE_INT64:
      return number(std::int64_t{get(&Seen::GetInt64, &Seen::GetRepeatedInt64)});
    case FieldDescriptor::CPPTYPE_UINT32:
      return number(std::uint64_t{get(&Seen::GetUInt32, &Seen::GetRepeatedUInt32)});
    case FieldDescriptor::CPPTYPE_UINT64:
      return number(std::uint64_t{get(&Seen::GetUInt64, &Seen::GetRepeatedUInt64)});
    case FieldDescriptor::CPPTYPE_BOOL: {
      const bool value = get(&Seen::GetBool, &Seen::GetRepeatedBool);
      return number(std::uint64_t{value}) ||
             holds_any(patterns, value ? "true" : "false", Case::ignored);
    }
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string value = get(&Seen::GetString, &Seen::GetRepeatedString);
      return holds_any(patterns, value, Case::counts) ||
             (field->type() == FieldDescriptor::TYPE_BYTES &&
              holds_any(patterns, "0x" + hex(bytes_of(value)), Case::ignored));
    }
    case FieldDescriptor::CPPTYPE_MESSAGE: return holds_any(patterns, "", Case::counts);
    default: return false;  // The wire format has no other kind.
  }
}

}  // namespace detail

/// Whether a value at the end of a path, from its step `depth` on, is one of `patterns`. An
/// absent message has no values; an absent number is 0, as protobuf has it.
inline bool holds_at(const google::protobuf::Message& message, const FieldPath& path,
                     std::size_t depth, const Patterns& patterns) {
  const auto* field = path[depth];
  const auto* seen = message.GetReflection();
  const bool is_last = depth + 1 == path.size();
  if (!field->is_repeated()) {
    if (field->has_presence() && !seen->HasField(message, field)) return false;
    if (is_last) return detail::holds_value(message, field, -1, patterns);
    return holds_at(seen->GetMessage(message, field), path, depth + 1, patterns);
  }
  for (int place = 0; place < seen->FieldSize(message, field); ++place) {
    if (is_last ? detail::holds_value(message, field, place, patterns)
                : holds_at(seen->GetRepeatedMessage(message, field, place), path, depth + 1,
                           patterns))
      return true;
  }
  return false;
}

}  // namespace mirbft::mircat

#endif

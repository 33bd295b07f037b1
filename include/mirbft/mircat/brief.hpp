// What an event says in few words: for lists of events that are to be compared by eye.
#ifndef MIRBFT_MIRCAT_BRIEF_HPP
#define MIRBFT_MIRCAT_BRIEF_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/text_format.h>

#include <mirbft/mircat/found.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/crc32c.hpp>
#include <mirbft/types/digest.hpp>

namespace mirbft::mircat {

namespace detail {

/// What differs between replicas that agree: who it is for, and proofs of which many will do.
inline bool is_beside_the_point(std::string_view field) {
  constexpr std::array<std::string_view, 7> names{"signature",    "signatures",  "destinations",
                                                  "certificates", "certificate", "retention",
                                                  "authenticator"};
  return std::ranges::find(names, field) != names.end();
}
/// What tells events of a type apart, whatever else they say.
inline bool is_identity(std::string_view field) {
  constexpr std::array<std::string_view, 5> names{"from", "view", "sender", "node", "use"};
  return std::ranges::find(names, field) != names.end();
}

enum class BriefOf { everything, identity };

inline std::string brief_value(const google::protobuf::Message& message,
                               const google::protobuf::FieldDescriptor* field) {
  using google::protobuf::FieldDescriptor;
  constexpr std::size_t shown = 6;
  constexpr std::size_t short_text = 24;
  if (field->type() != FieldDescriptor::TYPE_BYTES) {
    std::string text;
    google::protobuf::TextFormat::PrintFieldValueToString(message, field, -1, &text);
    return text;
  }
  const std::string value = message.GetReflection()->GetString(message, field);
  const bool is_text = std::ranges::all_of(value, [](char c) { return c >= ' ' && c <= '~'; });
  if (is_text && value.size() <= short_text) return '"' + value + '"';
  return "0x" + hex(bytes_of(value).first(std::min(shown, value.size()))) +
         (value.size() > shown ? "…" : "");
}

/// "[3: 0f23ab01]": how many there are, and a sum over them.
inline std::string brief_list(const google::protobuf::Message& message,
                              const google::protobuf::FieldDescriptor* field) {
  const auto* seen = message.GetReflection();
  const int size = seen->FieldSize(message, field);
  std::string all;
  for (int place = 0; place < size; ++place) {
    std::string text;
    google::protobuf::TextFormat::PrintFieldValueToString(message, field, place, &text);
    all += text + '\n';
  }
  const std::uint32_t sum = crc32c(bytes_of(all));
  std::string digits;
  for (int shift = 28; shift >= 0; shift -= 4) digits += "0123456789abcdef"[sum >> shift & 15];
  return "[" + std::to_string(size) + ": " + digits + ']';
}

inline bool is_variant(const google::protobuf::Descriptor& type) {
  return type.real_oneof_decl_count() == 1 &&
         type.real_oneof_decl(0)->field_count() == type.field_count();
}

/// The event's type; of one that carries any message, only the family, as the message tells more.
inline std::string brief_type(const Found& found) {
  const auto& type = found.printer->type(found.event);
  const std::string_view name = short_name(found.event.name);
  for (int place = 0; place < type.field_count(); ++place)
    if (const auto* nested = type.field(place)->message_type(); nested && is_variant(*nested))
      return std::string(name.substr(0, name.find('_')));
  return std::string(name);
}

inline void add_brief(const google::protobuf::Message& message, BriefOf what, std::string& text) {
  const auto* seen = message.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  seen->ListFields(message, &fields);
  const auto add = [&text](const std::string& word) {
    text += ' ' + word;
  };
  for (const auto* field : fields) {
    if (is_beside_the_point(field->name())) continue;
    const bool is_nested = field->message_type() && !field->is_repeated();
    if (is_nested) {
      // The alternative of a variant is called by its name, unless it is itself a variant.
      if (field->real_containing_oneof() && !is_variant(*field->message_type()))
        add(field->message_type()->name());
      add_brief(seen->GetMessage(message, field), what, text);
    } else if (what == BriefOf::everything || is_identity(field->name())) {
      add(field->name() + '=' +
          (field->is_repeated() ? brief_list(message, field) : brief_value(message, field)));
    }
  }
}

}  // namespace detail

/// "MessageReceived from=2 Prepare epoch=1 sn=5 digest=0x0123456789ab…". Fields that hold their
/// default are left out, and those in which replicas that agree may differ.
inline std::string brief(const Found& found) {
  std::string text = detail::brief_type(found);
  detail::add_brief(found.printer->parse(found.event), detail::BriefOf::everything, text);
  return text;
}

/// The same for events that should be alike in two logs: type, alternative and sender.
inline std::string identity(const Found& found) {
  std::string text = std::string(slot_name(found.event)) + ' ' + detail::brief_type(found);
  detail::add_brief(found.printer->parse(found.event), detail::BriefOf::identity, text);
  return text;
}

}  // namespace mirbft::mircat

#endif

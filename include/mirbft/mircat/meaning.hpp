// What an event means, read from its message by the schema in its log: no C++ type is needed, and
// an event that nobody here has heard of is a plain mark.
#ifndef MIRBFT_MIRCAT_MEANING_HPP
#define MIRBFT_MIRCAT_MEANING_HPP

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/message.h>
#include <google/protobuf/wire_format_lite.h>

#include <mirbft/types/bytes.hpp>

namespace mirbft::mircat {

/// Whether an event has to do with another node.
enum class Direction : std::uint8_t { local, sent, received };

/// How far a node is with a sequence number.
enum class Phase : std::uint8_t { none, proposed, prepared, committed, delivered };
inline constexpr std::size_t phase_count = 4;
inline constexpr std::string_view phase_names[] = {"none", "proposed", "prepared", "committed",
                                                   "delivered"};

/// What else an event tells of its node.
enum class Mark : std::uint8_t {
  none,
  started,
  tick,
  halted,
  request_came,
  request_applied,
  state_restored,
  view_change,
};

/// A request by its client and number.
struct RequestName {
  std::uint64_t client = 0;
  std::uint64_t req_no = 0;

  friend auto operator<=>(const RequestName&, const RequestName&) = default;
};

/// What one event says.
struct Meaning {
  /// Of the event, without its package; as long-lived as the schema.
  std::string_view type;
  /// Of the message that is sent or received, or else empty.
  std::string_view message;
  Direction direction = Direction::local;
  /// Where it is sent to, or the one that it is received from.
  std::vector<std::uint64_t> peers;
  /// A hash of the message's bytes, the same at both ends.
  std::uint64_t content = 0;
  std::optional<std::uint64_t> sn;
  std::uint64_t view = 0;
  /// The node has come so far with `sn`.
  Phase reached = Phase::none;
  /// A message for `sn` that says its sender is in favour of coming so far.
  Phase vote = Phase::none;
  Mark mark = Mark::none;
  std::vector<RequestName> requests;

  /// How people call it: by its message, or by its type.
  std::string_view name() const { return message.empty() ? type : message; }
};

namespace detail {

struct Role {
  std::string_view name;
  Phase reached = Phase::none;
  Phase vote = Phase::none;
  Mark mark = Mark::none;
};

// The vocabulary of the library and of its orderers.
inline constexpr Role roles[] = {
    {"Init", Phase::none, Phase::none, Mark::started},
    {"Tick", Phase::none, Phase::none, Mark::tick},
    {"Halt", Phase::none, Phase::none, Mark::halted},
    {"NewRequest", Phase::none, Phase::none, Mark::request_came},
    {"Applied", Phase::none, Phase::none, Mark::request_applied},
    {"AppRestored", Phase::none, Phase::none, Mark::state_restored},
    {"Deliver", Phase::delivered, Phase::none, Mark::none},
    {"PrePrepare", Phase::proposed, Phase::prepared, Mark::none},
    {"Prepare", Phase::none, Phase::prepared, Mark::none},
    {"Commit", Phase::none, Phase::committed, Mark::none},
    {"ViewChange", Phase::none, Phase::none, Mark::view_change},
    {"VoteEntry", Phase::proposed, Phase::none, Mark::none},
    {"PreparedEntry", Phase::prepared, Phase::none, Mark::none},
    {"DecidedEntry", Phase::committed, Phase::none, Mark::none},
    {"PaxosAccept", Phase::proposed, Phase::committed, Mark::none},
    {"PaxosAccepted", Phase::none, Phase::committed, Mark::none},
    {"PaxosPromise", Phase::none, Phase::none, Mark::view_change},
    {"PaxosAcceptedEntry", Phase::prepared, Phase::none, Mark::none},
    {"PaxosDecidedEntry", Phase::committed, Phase::none, Mark::none},
};

/// The role of a message, of an entry of the write-ahead log, or of an event.
inline Role role_of(std::string_view name) {
  for (const std::string_view prefix : {"WalAppend_", "WalEntry_"})
    if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  for (const Role& role : roles)
    if (role.name == name) return role;
  return {};
}

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

inline std::uint64_t number_of(const Message& message, const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_UINT64
             ? message.GetReflection()->GetUInt64(message, &field)
             : message.GetReflection()->GetUInt32(message, &field);
}

inline bool is_number(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_UINT64 ||
         field.cpp_type() == FieldDescriptor::CPPTYPE_UINT32;
}

inline bool is_message(const FieldDescriptor* field) {
  return field && field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
}

/// The first number of one of these names, in the message itself or in what it contains once.
inline std::optional<std::uint64_t> find_number(const Message& message,
                                                std::initializer_list<std::string_view> names) {
  const auto& type = *message.GetDescriptor();
  const auto& reflection = *message.GetReflection();
  for (int place = 0; place < type.field_count(); ++place) {
    const FieldDescriptor& field = *type.field(place);
    if (field.is_repeated() || !is_number(field)) continue;
    if (field.has_presence() && !reflection.HasField(message, &field)) continue;
    for (const std::string_view name : names)
      if (field.name() == name) return number_of(message, field);
  }
  for (int place = 0; place < type.field_count(); ++place) {
    const FieldDescriptor& field = *type.field(place);
    if (field.is_repeated() || !is_message(&field)) continue;
    if (!reflection.HasField(message, &field)) continue;
    if (const auto found = find_number(reflection.GetMessage(message, &field), names)) return found;
  }
  return std::nullopt;
}

/// Every request that the message names, however deep.
inline void find_requests(const Message& message, std::vector<RequestName>& found) {
  const auto& type = *message.GetDescriptor();
  const auto& reflection = *message.GetReflection();
  const FieldDescriptor* client = type.FindFieldByName("client");
  const FieldDescriptor* req_no = type.FindFieldByName("req_no");
  if (client && req_no && is_number(*client) && is_number(*req_no) && !client->is_repeated() &&
      !req_no->is_repeated()) {
    found.push_back({number_of(message, *client), number_of(message, *req_no)});
    return;
  }
  std::vector<const FieldDescriptor*> present;
  reflection.ListFields(message, &present);
  for (const FieldDescriptor* field : present) {
    if (!is_message(field)) continue;
    if (!field->is_repeated()) {
      find_requests(reflection.GetMessage(message, field), found);
      continue;
    }
    for (int place = 0; place < reflection.FieldSize(message, field); ++place)
      find_requests(reflection.GetRepeatedMessage(message, field, place), found);
  }
}

/// What a variant holds, and what that holds if it is one again: of an IssMessage its PrePrepare.
inline const Message& held_in(const Message& message) {
  const auto& type = *message.GetDescriptor();
  if (type.real_oneof_decl_count() != 1 ||
      type.field_count() != type.oneof_decl(0)->field_count())
    return message;
  const FieldDescriptor* held =
      message.GetReflection()->GetOneofFieldDescriptor(message, type.oneof_decl(0));
  if (!is_message(held)) return message;
  return held_in(message.GetReflection()->GetMessage(message, held));
}

/// The recorded bytes of a field that stands there once.
inline ByteView bytes_of_field(ByteView message, int number) {
  using google::protobuf::internal::WireFormatLite;
  google::protobuf::io::CodedInputStream in(message.data(), static_cast<int>(message.size()));
  while (const std::uint32_t tag = in.ReadTag()) {
    if (WireFormatLite::GetTagFieldNumber(tag) != number) {
      if (!WireFormatLite::SkipField(&in, tag)) break;
      continue;
    }
    std::uint32_t length = 0;
    if (!in.ReadVarint32(&length)) break;
    const auto at = static_cast<std::size_t>(in.CurrentPosition());
    return message.subspan(at, std::min<std::size_t>(length, message.size() - at));
  }
  return {};
}

inline std::vector<std::uint64_t> peers_in(const Message& event, const FieldDescriptor& field) {
  if (!field.is_repeated()) return {number_of(event, field)};
  const auto& reflection = *event.GetReflection();
  std::vector<std::uint64_t> peers;
  for (int place = 0; place < reflection.FieldSize(event, &field); ++place)
    peers.push_back(field.cpp_type() == FieldDescriptor::CPPTYPE_UINT64
                        ? reflection.GetRepeatedUInt64(event, &field, place)
                        : reflection.GetRepeatedUInt32(event, &field, place));
  return peers;
}

}  // namespace detail

/// Reads an event. `payload` is what `event` was parsed from: whatever has a `message` and its
/// `destinations` is taken for something sent, and with a node that it is `from`, for a receipt.
inline Meaning meaning_of(const google::protobuf::Message& event, ByteView payload) {
  const auto& type = *event.GetDescriptor();
  Meaning meaning;
  meaning.type = type.name();
  const google::protobuf::Message* subject = &event;
  const auto* message = type.FindFieldByName("message");
  const auto* to = type.FindFieldByName("destinations");
  const auto* from = type.FindFieldByName("from");
  const bool sent = to && to->is_repeated() && detail::is_number(*to);
  const bool received = !sent && from && !from->is_repeated() && detail::is_number(*from);
  if (detail::is_message(message) && !message->is_repeated() && (sent || received)) {
    subject = &detail::held_in(event.GetReflection()->GetMessage(event, message));
    meaning.message = subject->GetDescriptor()->name();
    meaning.direction = sent ? Direction::sent : Direction::received;
    meaning.peers = detail::peers_in(event, sent ? *to : *from);
    const ByteView bytes = detail::bytes_of_field(payload, message->number());
    meaning.content = std::hash<std::string_view>{}(
        {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  meaning.sn = detail::find_number(*subject, {"sn"});
  meaning.view = detail::find_number(*subject, {"view", "ballot"}).value_or(0);
  const detail::Role role = detail::role_of(meaning.name());
  meaning.reached = role.reached;
  meaning.vote = role.vote;
  meaning.mark = role.mark;
  if (role.mark == Mark::request_came || role.mark == Mark::request_applied ||
      (role.reached == Phase::proposed && !meaning.message.empty()))
    detail::find_requests(*subject, meaning.requests);
  return meaning;
}

}  // namespace mirbft::mircat

#endif

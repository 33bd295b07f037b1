// What a message says of itself, whatever its type: its name, and the place that it is about.
#ifndef MIRBFT_SIM_MESSAGE_FACTS_HPP
#define MIRBFT_SIM_MESSAGE_FACTS_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <mirbft/types/id.hpp>
#include <mirbft/types/visit.hpp>
#include <mirbft/wire/kind.hpp>
#include <mirbft/wire/reflection.hpp>
#include <mirbft/wire/type_name.hpp>

namespace mirbft::sim {

/// What can be seen from outside of a message.
struct MessageFacts {
  /// The name of its type, as in the schema.
  std::string_view type;
  /// The first of its members with such a type, those of its members' members included.
  std::optional<std::uint64_t> epoch;
  std::optional<std::uint64_t> view;
  std::optional<std::uint64_t> sn;
};

namespace detail {

template <class T>
void note_place(const T& member, MessageFacts& facts) {
  const auto note = [](std::optional<std::uint64_t>& fact, std::uint64_t number) {
    if (!fact) fact = number;
  };
  if constexpr (std::is_same_v<T, Epoch>) {
    note(facts.epoch, member.value);
  } else if constexpr (std::is_same_v<T, View>) {
    note(facts.view, member.value);
  } else if constexpr (std::is_same_v<T, SeqNr>) {
    note(facts.sn, member.value);
  } else if constexpr (wire::kind_of<T> == wire::Kind::record && !wire::is_shared<T>) {
    wire::for_each_member(member, [&](auto, const auto& inner) { note_place(inner, facts); });
  }
}

template <class T>
inline constexpr bool is_variant = false;
template <class... Alternatives>
inline constexpr bool is_variant<std::variant<Alternatives...>> = true;

/// Calls `visit(message)` for a message of each type that a variant can hold, those of variants
/// within it included.
template <class Message, class Visit>
void for_each_type(Visit&& visit) {
  if constexpr (is_variant<Message>) {
    [&]<std::size_t... place>(std::index_sequence<place...>) {
      (for_each_type<std::variant_alternative_t<place, Message>>(visit), ...);
    }(std::make_index_sequence<std::variant_size_v<Message>>{});
  } else {
    visit(Message{});
  }
}

}  // namespace detail

/// Of a reflected struct, or of what a variant holds.
template <class Message>
MessageFacts facts_of(const Message& message) {
  if constexpr (detail::is_variant<Message>) {
    MessageFacts facts;
    visit_alternative(message, [&](const auto& held) { facts = facts_of(held); });
    return facts;
  } else {
    MessageFacts facts{.type = wire::type_name<Message>, .epoch = {}, .view = {}, .sn = {}};
    detail::note_place(message, facts);
    return facts;
  }
}

/// One of each type of message that there is, with those numbers that the type has.
using Vocabulary = std::vector<MessageFacts>;

template <class Message>
Vocabulary vocabulary() {
  Vocabulary words;
  detail::for_each_type<Message>([&](const auto& one) { words.push_back(facts_of(one)); });
  return words;
}

}  // namespace mirbft::sim

#endif

// Which receipt belongs to which sent message, across the logs of several nodes.
#ifndef MIRBFT_MIRCAT_MATCHING_HPP
#define MIRBFT_MIRCAT_MATCHING_HPP

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace mirbft::mircat {

/// Pairs sent messages with receipts that have the same sender, receiver and content, while events
/// come in the order of their time.
///
/// Of equal messages the newest that is not received yet is taken: what is sent again from time to
/// time was then lost, if any, in the first times. A receipt when all are received is a duplicate
/// of the last. One that no send precedes waits for it, since clocks of machines differ.
///
/// Memory is bounded: a message is forgotten when `remembered` others have come after it, or
/// `most_equal` that are equal to it.
template <class Event>
class MessageMatcher {
 public:
  static constexpr std::size_t most_equal = 256;

  explicit MessageMatcher(std::size_t remembered = std::size_t{1} << 20)
      : remembered_(remembered) {}

  /// What both ends know of a message.
  struct Key {
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    std::uint64_t content = 0;

    friend auto operator<=>(const Key&, const Key&) = default;
  };

  /// The receipt that came before its sending, if there is one.
  std::optional<Event> sent(const Key& key, Event event) {
    Message& message = at(key);
    if (!message.early.empty()) {
      message.last = std::move(event);
      Event receipt = std::move(message.early.front());
      message.early.erase(message.early.begin());
      return receipt;
    }
    remember(message.open, std::move(event));
    return std::nullopt;
  }

  /// The sending of what is received, if it is known already.
  std::optional<Event> received(const Key& key, Event event) {
    Message& message = at(key);
    if (!message.open.empty()) {
      message.last = std::move(message.open.back());
      message.open.pop_back();
      return message.last;
    }
    if (message.last) return message.last;
    remember(message.early, std::move(event));
    return std::nullopt;
  }

  /// Calls `visit(key, event)` for everything remembered that was sent and never received.
  template <class Visit>
  void for_each_lost(Visit&& visit) const {
    for (const auto* messages : {&older_, &newer_})
      for (const auto& [key, message] : *messages)
        for (const Event& event : message.open) visit(key, event);
  }

 private:
  struct Message {
    std::vector<Event> open;
    std::vector<Event> early;
    std::optional<Event> last;
  };

  static void remember(std::vector<Event>& equal, Event event) {
    if (equal.size() == most_equal) equal.erase(equal.begin());
    equal.push_back(std::move(event));
  }

  Message& at(const Key& key) {
    if (const auto found = newer_.find(key); found != newer_.end()) return found->second;
    if (newer_.size() >= std::max<std::size_t>(remembered_ / 2, 1)) {
      older_ = std::move(newer_);
      newer_.clear();
    }
    Message message;
    if (const auto found = older_.find(key); found != older_.end()) {
      message = std::move(found->second);
      older_.erase(found);
    }
    return newer_.emplace(key, std::move(message)).first->second;
  }

  std::size_t remembered_;
  std::map<Key, Message> newer_;
  std::map<Key, Message> older_;
};

}  // namespace mirbft::mircat

#endif

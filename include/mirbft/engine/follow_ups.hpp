// Events that wait for another event to be processed: `out.emit(a).then(b, chain(c).then(d))`.
#ifndef MIRBFT_ENGINE_FOLLOW_UPS_HPP
#define MIRBFT_ENGINE_FOLLOW_UPS_HPP

#include <array>
#include <cstdint>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include <mirbft/engine/cell.hpp>
#include <mirbft/events/event.hpp>

namespace mirbft {

/// An event with its follow-ups, as a value; made by `chain`.
template <class E, class... Next>
struct Chain {
  E event;
  std::tuple<Next...> next;
};

/// Begins a nested follow-up: `chain(SendMessage{…}).then(Deliver{…})`.
template <class E>
struct ChainStart {
  E event;

  template <class... Next>
  Chain<E, Next...> then(Next... next) && {
    return {std::move(event), {std::move(next)...}};
  }
};
template <class E>
ChainStart<E> chain(E event) {
  return {std::move(event)};
}

namespace engine {

/// Handle of a list of follow-ups in a `FollowUpSlab`; 0 means none. Eight bytes beside each
/// event, so that event structs need not know of one another.
struct FollowUps {
  std::uint32_t first = 0;
  std::uint32_t last = 0;

  explicit operator bool() const noexcept { return first != 0; }
};

/// Where follow-ups wait: reused nodes in chunks that never move. Used by one thread.
template <class List>
class FollowUpSlab;

template <class... Es>
class FollowUpSlab<events<Es...>> {
 public:
  /// Puts an event at the end of `list`; returns the place for its own follow-ups.
  template <class E>
  FollowUps& append(FollowUps& list, E&& event) {
    const std::uint32_t place = acquire();
    Node& node = at(place);
    node.event.put(std::move(event));
    node.next = {};
    node.sibling = 0;
    if (list) {
      at(list.last).sibling = place;
    } else {
      list.first = place;
    }
    list.last = place;
    return node.next;
  }

  /// Takes the events out in their order: `use(E&&, FollowUps its_own)`.
  template <class Use>
  void release(FollowUps list, Use&& use) {
    for (std::uint32_t place = list.first; place != 0;) {
      Node& node = at(place);
      const FollowUps next = node.next;
      const std::uint32_t sibling = node.sibling;
      node.event.take([&](auto&& event) { use(std::move(event), next); });
      node.sibling = free_;
      free_ = place;
      place = sibling;
    }
  }

 private:
  static constexpr std::uint32_t chunk_size = 256;
  struct Node {
    Cell<Es...> event;
    FollowUps next;
    std::uint32_t sibling = 0;
  };
  using Chunk = std::array<Node, chunk_size>;

  Node& at(std::uint32_t place) { return (*chunks_[place / chunk_size])[place % chunk_size]; }

  std::uint32_t acquire() {
    if (free_ == 0) grow();
    const std::uint32_t place = free_;
    free_ = at(place).sibling;
    return place;
  }
  void grow() {
    const auto start = static_cast<std::uint32_t>(chunks_.size()) * chunk_size;
    chunks_.push_back(std::make_unique<Chunk>());
    for (std::uint32_t i = chunk_size; i-- > 0;) {
      if (start + i == 0) continue;  // place 0 means "none"
      at(start + i).sibling = free_;
      free_ = start + i;
    }
  }

  std::uint32_t free_ = 0;
  std::vector<std::unique_ptr<Chunk>> chunks_;
};

}  // namespace engine
}  // namespace mirbft

#endif

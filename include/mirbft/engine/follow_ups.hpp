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
  FollowUpSlab() = default;
  FollowUpSlab(const FollowUpSlab&) = delete;
  FollowUpSlab& operator=(const FollowUpSlab&) = delete;
  /// Follow-ups whose parents were never processed end here: those that are on no free list.
  ~FollowUpSlab() {
    std::vector<bool> waits(chunks_.size() * chunk_size, true);
    for (std::uint32_t place = free_; place != 0; place = at(place).sibling) waits[place] = false;
    for (std::uint32_t place = 1; place < waits.size(); ++place)
      if (waits[place]) at(place).event.take([](auto&&) {});
  }

  /// Whether it never held anything.
  bool is_unused() const noexcept { return chunks_.empty(); }

  /// Puts an event at the end of `list`; returns the place for its own follow-ups.
  template <class E>
  FollowUps& append(FollowUps& list, E&& event) {
    if (free_ == 0) grow();
    const std::uint32_t place = free_;
    Node& node = at(place);
    node.event.put(std::move(event));
    free_ = std::exchange(node.sibling, 0);
    node.next = {};
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
      const std::uint32_t sibling = node.sibling;
      const Freed freed{*this, place};
      node.event.take([&](auto&& event) { use(std::move(event), node.next); });
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
  /// Puts a place on the free list once it is empty, which it also is when its user threw.
  struct Freed {
    FollowUpSlab& slab;
    std::uint32_t place;
    ~Freed() { slab.at(place).sibling = std::exchange(slab.free_, place); }
  };

  Node& at(std::uint32_t place) { return (*chunks_[place / chunk_size])[place % chunk_size]; }

  void grow() {
    const auto start = static_cast<std::uint32_t>(chunks_.size()) * chunk_size;
    chunks_.push_back(std::make_unique<Chunk>());
    for (std::uint32_t place = start + chunk_size; place-- > start;)
      if (place != 0) at(place).sibling = std::exchange(free_, place);  // place 0 means "none"
  }

  std::uint32_t free_ = 0;
  std::vector<std::unique_ptr<Chunk>> chunks_;
};

}  // namespace engine
}  // namespace mirbft

#endif

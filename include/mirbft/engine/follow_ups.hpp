// Events that wait for another event to be processed: `out.emit(a).then(b, chain(c).then(d))`.
#ifndef MIRBFT_ENGINE_FOLLOW_UPS_HPP
#define MIRBFT_ENGINE_FOLLOW_UPS_HPP

#include <cstddef>
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

/// Handle of a list of follow-ups in a `FollowUpSlab`; null means none. Eight bytes beside each
/// event, so that event structs need not know of one another.
struct FollowUps {
  void* first = nullptr;

  explicit operator bool() const noexcept { return first != nullptr; }
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
  /// Follow-ups whose parents were never processed end here: those that are not on the free list.
  ~FollowUpSlab() {
    for (Node* node = free_; node; node = node->sibling) node->is_free = true;
    for (const std::unique_ptr<Node[]>& chunk : chunks_)
      for (std::size_t i = 0; i < chunk_size; ++i)
        if (!chunk[i].is_free) chunk[i].event.take([](auto&&) {});
  }

  /// Whether it never held anything.
  bool is_unused() const noexcept { return chunks_.empty(); }

  /// Puts an event at the end of `list`; returns the place for its own follow-ups.
  template <class E>
  FollowUps& append(FollowUps& list, E&& event) {
    if (!free_) grow();
    Node& node = *free_;
    node.event.put(std::move(event));
    free_ = std::exchange(node.sibling, nullptr);
    node.next = {};
    if (list) {
      Node* const first = first_of(list);
      first->last->sibling = &node;
      first->last = &node;
    } else {
      list.first = &node;
      node.last = &node;
    }
    return node.next;
  }

  /// Takes the events out in their order: `use(E&&, FollowUps its_own)`.
  template <class Use>
  void release(FollowUps list, Use&& use) {
    for (Node* node = first_of(list); node;) {
      Node* const sibling = node->sibling;
      const Freed freed{*this, *node};
      node->event.take([&](auto&& event) { use(std::move(event), node->next); });
      node = sibling;
    }
  }

 private:
  static constexpr std::size_t chunk_size = 256;
  struct Node {
    Cell<Es...> event;
    FollowUps next;
    Node* sibling = nullptr;
    Node* last = nullptr;  // of its list, in the list's first node
    bool is_free = false;  // known at the end only
  };
  /// Puts a node on the free list once it is empty, which it also is when its user threw.
  struct Freed {
    FollowUpSlab& slab;
    Node& node;
    ~Freed() { node.sibling = std::exchange(slab.free_, &node); }
  };

  static Node* first_of(FollowUps list) noexcept { return static_cast<Node*>(list.first); }

  void grow() {
    chunks_.push_back(std::make_unique<Node[]>(chunk_size));
    for (std::size_t i = chunk_size; i-- > 0;)
      chunks_.back()[i].sibling = std::exchange(free_, &chunks_.back()[i]);
  }

  Node* free_ = nullptr;
  std::vector<std::unique_ptr<Node[]>> chunks_;
};

}  // namespace engine
}  // namespace mirbft

#endif

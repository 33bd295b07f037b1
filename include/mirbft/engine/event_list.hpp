// The list of events that wait for one module.
#ifndef MIRBFT_ENGINE_EVENT_LIST_HPP
#define MIRBFT_ENGINE_EVENT_LIST_HPP

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include <mirbft/engine/cell.hpp>
#include <mirbft/engine/follow_ups.hpp>
#include <mirbft/types/errors.hpp>

namespace mirbft::engine {

/// No list may hold more events than this. The Node stops taking input long before (see
/// `NodeConfig::busy_above`), so reaching it means that a module emits without end.
inline constexpr std::size_t list_capacity = std::size_t{1} << 22;

/// A FIFO of events with their follow-ups, in chunks that never move and are reused.
template <class List>
class EventList;

/// A module that handles nothing.
template <>
class EventList<events<>> {
 public:
  std::size_t size() const noexcept { return 0; }
  template <class Look>
  void for_each(Look&&) const {}
  template <class Use>
  void consume(std::vector<FollowUps>&, Use&&) {}
  template <class Use>
  void consume_items(Use&&) {}
  template <class Use>
  void consume_part(std::size_t, std::size_t, Use&&) {}
  void consumed(std::vector<FollowUps>&) {}
  void append(EventList&) {}
};

template <class... Es>
class EventList<events<Es...>> {
 public:
  EventList() = default;
  EventList(EventList&& other) noexcept
      : chunks_(std::move(other.chunks_)),
        last_(std::exchange(other.last_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        taken_(std::exchange(other.taken_, 0)) {}
  EventList& operator=(EventList&& other) noexcept {
    std::swap(chunks_, other.chunks_);
    std::swap(last_, other.last_);
    std::swap(size_, other.size_);
    std::swap(taken_, other.taken_);
    return *this;
  }
  ~EventList() {
    while (taken_ < size_) at(taken_++).event.take([](auto&&) {});
  }

  std::size_t size() const noexcept { return size_ - taken_; }

  /// Appends; returns the place for the event's follow-ups, valid until the list is consumed.
  template <class E>
  FollowUps& push(E&& event) {
    if (size_ % chunk_size == 0) begin_chunk();
    Item& item = last_[size_ % chunk_size];
    item.event.put(std::move(event));
    item.next = {};
    ++size_;
    return item.next;
  }

  /// Moves everything from `other`, whose follow-ups wait in the same place, to the end.
  void append(EventList& other) {
    if (size() == 0) return std::swap(*this, other);
    other.consume_items(
        [this](auto&& event, FollowUps next) { this->push(std::move(event)) = next; });
  }

  /// Calls `look(const E&)` for each event, in order.
  template <class Look>
  void for_each(Look&& look) const {
    for (std::size_t i = taken_; i < size_; ++i) at(i).event.peek(look);
  }

  /// Hands each event to `use(E&&)`, collects their follow-ups in order, and empties the list.
  /// When `use` throws, the rest stays.
  template <class Use>
  void consume(std::vector<FollowUps>& follow_ups, Use&& use) {
    while (taken_ < size_) {
      Item& item = at(taken_++);
      item.event.take(use);
      if (item.next) follow_ups.push_back(item.next);
    }
    size_ = taken_ = 0;
  }

  /// Hands each event with its follow-ups to `use(E&&, FollowUps)`, and empties the list.
  template <class Use>
  void consume_items(Use&& use) {
    while (taken_ < size_) {
      Item& item = at(taken_++);
      item.event.take([&](auto&& event) { use(std::move(event), item.next); });
    }
    size_ = taken_ = 0;
  }

  /// As `consume`, but of the part `[begin, end)`, by one of several threads. `use` must not
  /// throw. When every part is consumed, one thread calls `consumed`.
  template <class Use>
  void consume_part(std::size_t begin, std::size_t end, Use&& use) {
    for (std::size_t i = begin; i < end; ++i) at(i).event.take(use);
  }
  /// Collects the follow-ups after `consume_part` has covered everything.
  void consumed(std::vector<FollowUps>& follow_ups) {
    for (std::size_t i = 0; i < size_; ++i)
      if (at(i).next) follow_ups.push_back(at(i).next);
    size_ = taken_ = 0;
  }

 private:
  static constexpr std::size_t chunk_size = 64;
  struct Item {
    Cell<Es...> event;
    FollowUps next;
  };
  using Chunk = std::unique_ptr<Item[]>;

  Item& at(std::size_t i) { return chunks_[i / chunk_size][i % chunk_size]; }
  const Item& at(std::size_t i) const { return chunks_[i / chunk_size][i % chunk_size]; }

  void begin_chunk() {
    if (size_ >= list_capacity) throw ModuleFailure("its list of events is full");
    const std::size_t chunk = size_ / chunk_size;
    if (chunk == chunks_.size()) chunks_.push_back(std::make_unique<Item[]>(chunk_size));
    last_ = chunks_[chunk].get();
  }

  std::vector<Chunk> chunks_;
  Item* last_ = nullptr;  // the chunk that is being filled
  std::size_t size_ = 0;
  std::size_t taken_ = 0;
};

}  // namespace mirbft::engine

#endif

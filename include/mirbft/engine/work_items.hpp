// The WorkItems: one list of events for each module, and the follow-ups that wait.
#ifndef MIRBFT_ENGINE_WORK_ITEMS_HPP
#define MIRBFT_ENGINE_WORK_ITEMS_HPP

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include <mirbft/engine/event_list.hpp>
#include <mirbft/engine/follow_ups.hpp>
#include <mirbft/engine/type_list.hpp>

namespace mirbft::engine {

/// The lists of a Node, or of a thread that works for it. Filled at `push`, where the destination
/// is known; not thread-safe.
template <class Plan>
class WorkItems {
 public:
  template <std::size_t S>
  using List = EventList<typename Plan::template Received<S>>;

  /// Appends the event to the list of each module that it goes to. Returns the place for its
  /// follow-ups; null for a broadcast, which has none.
  template <class E>
  FollowUps* push(E&& event) {
    return push_to(std::move(event), std::make_index_sequence<slot_count>{});
  }

  template <std::size_t S>
  List<S>& list() noexcept {
    return std::get<S>(lists_);
  }
  /// How many events are pending, follow-ups that still wait aside.
  std::size_t size() const noexcept {
    return std::apply([](const auto&... lists) { return (lists.size() + ...); }, lists_);
  }

  /// Stores a follow-up at the end of `list`; returns the place for its own follow-ups.
  template <class E>
  FollowUps& append(FollowUps& list, E&& event) {
    return slab_.append(list, std::move(event));
  }

  /// Moves follow-ups whose parents have been processed to their modules' lists.
  void release(std::vector<FollowUps>& follow_ups) {
    for (const FollowUps list : follow_ups)
      slab_.release(list, [this](auto&& event, FollowUps next) {
        FollowUps* place = this->push(std::move(event));
        if (place) *place = next;
      });
    follow_ups.clear();
  }

  /// Takes over everything that another thread has put out, in its order.
  void absorb(WorkItems& other) {
    [&]<std::size_t... S>(std::index_sequence<S...>) {
      (absorb_list<S>(other), ...);
    }(std::make_index_sequence<slot_count>{});
  }

  /// The slots whose lists hold something.
  Slot pending() const noexcept {
    return [&]<std::size_t... S>(std::index_sequence<S...>) {
      return Slot(static_cast<std::uint16_t>(
          ((std::get<S>(lists_).size() != 0 ? 1u << S : 0u) | ...)));
    }(std::make_index_sequence<slot_count>{});
  }

 private:
  template <class E, std::size_t... S>
  FollowUps* push_to(E&& event, std::index_sequence<S...>) {
    if constexpr (E::destination.is_single()) {
      return &list<E::destination.index()>().push(std::move(event));
    } else {
      (push_copy<S>(event), ...);
      return nullptr;
    }
  }
  template <std::size_t S, class E>
  void push_copy(const E& event) {
    if constexpr (Plan::template routes<S, E>) list<S>().push(E(event));
  }

  template <std::size_t S>
  void absorb_list(WorkItems& other) {
    if constexpr (length<typename Plan::template Received<S>> != 0) {
      if (other.slab_.is_unused()) return list<S>().append(other.template list<S>());
      other.template list<S>().consume_items([&](auto&& event, FollowUps next) {
        FollowUps& place = list<S>().push(std::move(event));
        if (next) adopt(place, other, next);
      });
    }
  }
  void adopt(FollowUps& place, WorkItems& other, FollowUps theirs) {
    other.slab_.release(theirs, [&](auto&& event, FollowUps next) {
      FollowUps& own = slab_.append(place, std::move(event));
      adopt(own, other, next);
    });
  }

  template <class Indices>
  struct ListsOf;
  template <std::size_t... S>
  struct ListsOf<std::index_sequence<S...>> {
    using type = std::tuple<List<S>...>;
  };

  typename ListsOf<std::make_index_sequence<slot_count>>::type lists_;
  FollowUpSlab<typename Plan::Events> slab_;
};

}  // namespace mirbft::engine

#endif

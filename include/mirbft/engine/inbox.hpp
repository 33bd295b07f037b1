// What other threads put into a Node: events, and callers who wait for replies.
#ifndef MIRBFT_ENGINE_INBOX_HPP
#define MIRBFT_ENGINE_INBOX_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include <mirbft/engine/callers.hpp>
#include <mirbft/engine/wake.hpp>
#include <mirbft/engine/work_items.hpp>

namespace mirbft::engine {

/// A bounded, thread-safe way into the lists.
template <class Plan>
class Inbox {
 public:
  enum class Put : std::uint8_t { taken, full, closed };

  explicit Inbox(std::size_t capacity) : capacity_(capacity) {}

  /// Puts an event in, with those who wait for what it brings, and wakes the dispatcher.
  template <class E, class... Waitings>
  Put put(E&& event, Waitings&&... waiting) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return Put::closed;
      if (count_ >= capacity_) return Put::full;
      (waiting_.push_back(std::move(waiting)), ...);
      items_.push(std::move(event));
      ++count_;
      if (filled_.exchange(true, std::memory_order_relaxed)) return Put::taken;
    }
    dispatcher_.wake();
    return Put::taken;
  }

  /// Moves everything to the dispatcher's own lists. Returns whether there was anything.
  bool drain(WorkItems<Plan>& items, Callers& callers) {
    if (!filled_.load(std::memory_order_relaxed)) return false;
    {
      const std::lock_guard lock(mutex_);
      filled_.store(false, std::memory_order_relaxed);
      count_ = 0;
      items.absorb(items_);
      std::swap(waiting_, drained_);
    }
    for (Waiting& waiting : drained_) callers.expect(std::move(waiting));
    drained_.clear();
    return true;
  }

  /// From now on nothing is taken.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }

  Wake& dispatcher() const noexcept { return dispatcher_; }

 private:
  const std::size_t capacity_;
  mutable Wake dispatcher_;
  std::atomic<bool> filled_{false};
  std::mutex mutex_;
  bool closed_ = false;
  std::size_t count_ = 0;
  WorkItems<Plan> items_;
  std::vector<Waiting> waiting_;
  std::vector<Waiting> drained_;  // the dispatcher's alone; kept for its storage
};

}  // namespace mirbft::engine

#endif

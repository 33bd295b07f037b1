// How other threads tell the dispatching thread that there is something to do.
#ifndef MIRBFT_ENGINE_WAKE_HPP
#define MIRBFT_ENGINE_WAKE_HPP

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace mirbft::engine {

/// A latch that any thread may set and one thread waits for. When that thread waits inside the
/// Net instead, the Net is told to end that wait.
class Wake {
 public:
  /// Ends the current wait, or the next one at once.
  void wake() {
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(set_, true)) return;
      if (interrupt_) interrupt_(interrupted_);
    }
    condition_.notify_one();
  }

  /// Waits until woken, at most for `at_most`.
  void wait(std::chrono::nanoseconds at_most) {
    std::unique_lock lock(mutex_);
    condition_.wait_for(lock, at_most, [this] { return set_; });
    set_ = false;
  }
  /// Whether it was woken since the last wait; clears that.
  bool take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(set_, false);
  }

  /// From now on a wake-up also calls `object.wake()`, until `forget` is called.
  template <class Object>
  void also_wake(Object& object) noexcept {
    const std::lock_guard lock(mutex_);
    interrupted_ = &object;
    interrupt_ = [](void* it) { static_cast<Object*>(it)->wake(); };
  }
  void forget() noexcept {
    const std::lock_guard lock(mutex_);
    interrupt_ = nullptr;
  }

 private:
  std::mutex mutex_;
  std::condition_variable condition_;
  bool set_ = false;
  void* interrupted_ = nullptr;
  void (*interrupt_)(void*) = nullptr;
};

}  // namespace mirbft::engine

#endif

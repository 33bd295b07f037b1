// How any thread asks the dispatching one for what only that one may look at.
#ifndef MIRBFT_ENGINE_INQUIRY_HPP
#define MIRBFT_ENGINE_INQUIRY_HPP

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>

#include <mirbft/engine/wake.hpp>

namespace mirbft::engine {

/// While it is open, one thread answers and the others wait for it; while it is closed, whoever
/// asks looks for himself.
template <class Answer>
class Inquiry {
 public:
  /// This thread answers from now on, until it closes.
  void open() {
    const std::lock_guard lock(mutex_);
    answering_ = std::this_thread::get_id();
  }
  /// The last call of the thread that answers: who still waits then looks for himself.
  void close() {
    {
      const std::lock_guard lock(mutex_);
      answering_ = {};
    }
    changed_.notify_all();
  }

  /// `look()`, or what the answering thread says, which is woken. Not while that thread is
  /// blocked for good.
  template <class Look>
  Answer ask(Look&& look, Wake& answering) {
    std::unique_lock lock(mutex_);
    if (answers_itself()) return look();
    const std::uint64_t question = ++asked_;
    pending_.store(true, std::memory_order_relaxed);
    lock.unlock();
    answering.wake();
    lock.lock();
    changed_.wait(lock, [&] { return answered_ >= question || answers_itself(); });
    return answered_ >= question ? *answer_ : look();
  }

  /// Answers all who have asked: `look()` is called only when there is anybody.
  template <class Look>
  void answer(Look&& look) {
    if (!pending_.load(std::memory_order_relaxed)) return;
    {
      const std::lock_guard lock(mutex_);
      pending_.store(false, std::memory_order_relaxed);
      answer_.emplace(look());
      answered_ = asked_;
    }
    changed_.notify_all();
  }

 private:
  bool answers_itself() const noexcept {
    return answering_ == std::thread::id{} || answering_ == std::this_thread::get_id();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::thread::id answering_;
  std::atomic<bool> pending_{false};
  std::uint64_t asked_ = 0;
  std::uint64_t answered_ = 0;
  std::optional<Answer> answer_;
};

}  // namespace mirbft::engine

#endif

// Threads for the modules that have them: one, or a pool that shares each list.
#ifndef MIRBFT_ENGINE_RUNNER_HPP
#define MIRBFT_ENGINE_RUNNER_HPP

#include <array>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <mirbft/engine/stage.hpp>
#include <mirbft/engine/wake.hpp>

namespace mirbft::engine {

/// Runs the lists of one stage on `Threads` threads of its own. The dispatching thread hands a
/// whole list over when the last one is back; meanwhile the next one grows. All calls are the
/// dispatching thread's.
template <class Stage, std::size_t Threads>
class Runner {
 public:
  using Items = typename Stage::Items;
  using List = typename Stage::List;

  Runner(Stage& stage, Wake& dispatcher) : stage_(stage), dispatcher_(dispatcher) {
    status_ = status_of(stage_.module());
    for (std::size_t i = 0; i < Threads; ++i)
      threads_[i] = std::jthread([this, i](std::stop_token stop) { work(stop, i); });
  }
  ~Runner() {
    for (std::jthread& thread : threads_) thread.request_stop();
    handed_over_.notify_all();
  }

  bool idle() const noexcept { return !busy_; }

  /// Takes the list, which is left empty. Requires `idle()`.
  void hand_over(List& list) {
    busy_ = true;
    const std::lock_guard lock(mutex_);
    std::swap(list_, list);
    remaining_ = Threads;
    ++round_;
    handed_over_.notify_all();
  }

  /// When the list is done: moves what came out of it to `items`, with the follow-ups that are
  /// due. Returns the reason when the module failed.
  std::optional<std::string> collect(Items& items, std::vector<FollowUps>& follow_ups) {
    if (!busy_) return std::nullopt;
    const std::lock_guard lock(mutex_);
    if (remaining_ != 0) return std::nullopt;
    busy_ = false;
    for (Items& out : out_) items.absorb(out);
    list_.consumed(follow_ups);
    return std::exchange(failure_, std::nullopt);
  }

  auto status() const {
    const std::lock_guard lock(mutex_);
    return status_;
  }

 private:
  void work(std::stop_token stop, std::size_t part) {
    std::size_t seen = 0;
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        if (!handed_over_.wait(lock, stop, [&] { return round_ != seen; })) return;
        seen = round_;
      }
      run_part(part);
      const std::lock_guard lock(mutex_);
      if (--remaining_ != 0) continue;
      guarded([&] { stage_.finish(out_[part]); });
      status_ = status_of(stage_.module());
      dispatcher_.wake();
    }
  }

  /// This thread's part of the list; all of it goes to the first where an event wants to be alone.
  void run_part(std::size_t part) {
    bool alone = false;
    if constexpr (Threads > 1) {
      list_.for_each([&]<class E>(const E&) { alone = alone || Stage::Task::template alone<E>; });
    }
    const std::size_t size = list_.size();
    const std::size_t parts = alone ? 1 : Threads;
    if (part >= parts) return;
    list_.consume_part(size * part / parts, size * (part + 1) / parts, [&](auto&& event) {
      guarded_unlocked([&] { stage_.process(std::move(event), out_[part]); });
    });
  }

  template <class Call>
  void guarded_unlocked(Call&& call) {
    try {
      call();
    } catch (const std::exception& error) {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = error.what();
    }
  }
  template <class Call>
  void guarded(Call&& call) {
    try {
      call();
    } catch (const std::exception& error) {
      if (!failure_) failure_ = error.what();
    }
  }

  Stage& stage_;
  Wake& dispatcher_;
  bool busy_ = false;  // the dispatching thread's alone

  mutable std::mutex mutex_;
  std::condition_variable_any handed_over_;
  std::size_t round_ = 0;
  std::size_t remaining_ = 0;
  List list_;
  std::array<Items, Threads> out_;
  std::optional<std::string> failure_;
  decltype(status_of(std::declval<const typename Stage::Module&>())) status_;

  std::array<std::jthread, Threads> threads_;
};

}  // namespace mirbft::engine

#endif

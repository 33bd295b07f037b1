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

#include <mirbft/engine/core.hpp>

namespace mirbft::engine {

/// Runs the lists of slot `S` on `Threads` threads of its own. The dispatching thread hands a
/// whole list over when the last one is back; meanwhile the next one grows. All calls are the
/// dispatching thread's.
template <std::size_t S, class Core, std::size_t Threads>
class Runner {
 public:
  using Stage = engine::Stage<S, typename Core::Plan>;
  using Items = typename Stage::Items;
  using List = typename Stage::List;

  explicit Runner(Core& core) : stage_(core.template stage<S>()), wake_(core.inbox().dispatcher()) {
    stage_.lend();
    for (std::size_t i = 0; i < Threads; ++i)
      threads_[i] = std::jthread([this, i](std::stop_token stop) { work(stop, i); });
  }
  ~Runner() {
    for (std::jthread& thread : threads_) thread.request_stop();
    for (std::jthread& thread : threads_) thread.join();
    stage_.take_back();
  }

  /// Whether nothing is left of what was handed over.
  bool idle() const noexcept { return !busy_; }
  /// Whether a list may be handed over.
  bool ready() const noexcept { return !busy_; }

  /// Takes the list, which is left empty. Requires `ready()`.
  void hand_over(List& list) {
    busy_ = true;
    {
      const std::lock_guard lock(mutex_);
      std::swap(list_, list);
      parts_ = can_be_shared(list_) ? Threads : 1;
      remaining_ = Threads;
      done_ = false;
      ++round_;
    }
    handed_over_.notify_all();
  }

  /// When the list is done: moves what came out of it to `items`, with the follow-ups that are
  /// due. Throws ModuleFailure with the reason when the module failed.
  void collect(Items& items, std::vector<FollowUps>& follow_ups) {
    if (!busy_) return;
    {
      const std::lock_guard lock(mutex_);
      if (!done_) return;
      if (failure_) throw ModuleFailure(*failure_);
    }
    busy_ = false;
    for (Items& out : out_) items.absorb(out);
    follow_ups.insert(follow_ups.end(), due_.begin(), due_.end());
    due_.clear();
  }

 private:
  /// Whether no event of the list wants to be alone.
  static bool can_be_shared(const List& list) {
    bool shared = Threads > 1;
    if constexpr (Threads > 1) {
      list.for_each([&]<class E>(const E&) { shared = shared && !Stage::Task::template alone<E>; });
    }
    return shared;
  }

  void work(std::stop_token stop, std::size_t part) {
    for (std::size_t seen = 0;;) {
      {
        std::unique_lock lock(mutex_);
        if (!handed_over_.wait(lock, stop, [&] { return round_ != seen; })) return;
        seen = round_;
      }
      if (part < parts_) run_part(part);
      {
        const std::lock_guard lock(mutex_);
        if (--remaining_ != 0) continue;
      }
      finish(part);
    }
  }

  /// This thread's part of the list. After a failure the rest is dropped: a write-ahead log must
  /// not hold what comes after an entry that it does not hold.
  void run_part(std::size_t part) {
    const std::size_t size = list_.size();
    bool well = true;
    list_.consume_part(size * part / parts_, size * (part + 1) / parts_, [&](auto&& event) {
      if (well) well = guarded([&] { stage_.process(std::move(event), out_[part]); });
    });
  }

  /// The end of a list, on the thread that was last. It may take long: a sync does.
  void finish(std::size_t part) {
    list_.consumed(due_);
    const auto failed = [&] {
      const std::lock_guard lock(mutex_);
      return failure_.has_value();
    };
    if (!failed()) guarded([&] { stage_.finish(out_[part]); });
    guarded([&] { stage_.publish(); });
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    wake_.wake();
  }

  template <class Call>
  bool guarded(Call&& call) {
    bool well = true;
    engine::guarded(call, [&](const char* why) {
      const std::lock_guard lock(mutex_);
      well = false;
      if (!failure_) failure_ = why;
    });
    return well;
  }

  Stage& stage_;
  Wake& wake_;
  bool busy_ = false;  // the dispatching thread's alone

  std::mutex mutex_;
  std::condition_variable_any handed_over_;
  std::size_t round_ = 0;
  std::size_t remaining_ = 0;
  bool done_ = true;
  std::optional<std::string> failure_;

  // These belong to the threads between `hand_over` and `done_`, else to the dispatching thread.
  List list_;
  std::size_t parts_ = 1;
  std::array<Items, Threads> out_;
  std::vector<FollowUps> due_;

  std::array<std::jthread, Threads> threads_;
};

}  // namespace mirbft::engine

#endif

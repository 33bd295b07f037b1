// Waiting for other threads, never longer than a test may take.
#ifndef MIRBFT_TESTS_SUPPORT_WAITING_HPP
#define MIRBFT_TESTS_SUPPORT_WAITING_HPP

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace mirbft::testing {

inline constexpr std::chrono::seconds patience{20};

/// Threads wait at it until it is opened, for good.
class Gate {
 public:
  void open() {
    {
      const std::lock_guard lock(mutex_);
      open_ = true;
    }
    opened_.notify_all();
  }
  /// Whether it was opened in time.
  bool wait(std::chrono::milliseconds at_most = patience) {
    std::unique_lock lock(mutex_);
    return opened_.wait_for(lock, at_most, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

/// Whether `holds()` becomes true in time, for what cannot be waited for otherwise.
template <class Condition>
bool eventually(Condition&& holds, std::chrono::milliseconds at_most = patience) {
  const auto end = std::chrono::steady_clock::now() + at_most;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace mirbft::testing

#endif

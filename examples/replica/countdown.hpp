// What a replica's threads tell the one that waits for them.
#ifndef MIRBFT_EXAMPLES_REPLICA_COUNTDOWN_HPP
#define MIRBFT_EXAMPLES_REPLICA_COUNTDOWN_HPP

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <system_error>

namespace quickstart {

/// Counts deliveries and clients that have all their replies; wakes whoever polls `handle()` when
/// there is nothing more to come, or when `end` is called.
class Countdown {
 public:
  using Clock = std::chrono::steady_clock;

  Countdown(std::uint64_t requests, std::uint64_t clients)
      : requests_(requests), clients_(clients), handle_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (handle_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  Countdown(const Countdown&) = delete;
  Countdown& operator=(const Countdown&) = delete;
  ~Countdown() { ::close(handle_); }

  /// Readable once there is a reason to look.
  int handle() const noexcept { return handle_; }

  /// The requests begin to be submitted.
  void begin() { began_ = last_ = Clock::now(); }

  /// Called by the replica's thread alone.
  void delivered(std::uint64_t more) {
    last_.store(Clock::now());
    delivered_ += more;
    if (complete()) wake();
  }
  /// One client more has all its replies.
  void client_finished() {
    ++finished_;
    if (complete()) wake();
  }
  /// The replica has stopped.
  void end() {
    ended_ = true;
    wake();
  }

  std::uint64_t delivered() const noexcept { return delivered_; }
  bool complete() const noexcept { return delivered_ >= requests_ && finished_ == clients_; }
  bool ended() const noexcept { return ended_; }

  /// Deliveries a second, from `begin` to the last one.
  std::uint64_t rate() const {
    const std::chrono::duration<double> spent = last_.load() - began_.load();
    return spent.count() > 0
               ? static_cast<std::uint64_t>(static_cast<double>(delivered_) / spent.count())
               : 0;
  }

 private:
  void wake() const noexcept { (void)::eventfd_write(handle_, 1); }

  const std::uint64_t requests_;
  const std::uint64_t clients_;
  const int handle_;
  std::atomic<std::uint64_t> delivered_{0};
  std::atomic<std::uint64_t> finished_{0};
  std::atomic<bool> ended_{false};
  std::atomic<Clock::time_point> began_{Clock::time_point{}};
  std::atomic<Clock::time_point> last_{Clock::time_point{}};
};

}  // namespace quickstart

#endif

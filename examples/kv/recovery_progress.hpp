// How far the playing back of the logs is: a bar on a terminal, a line every few seconds elsewhere.
#ifndef MIRBFT_EXAMPLES_KV_RECOVERY_PROGRESS_HPP
#define MIRBFT_EXAMPLES_KV_RECOVERY_PROGRESS_HPP

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <string>

namespace kv {

/// Counts from when it is made. Not thread-safe.
class RecoveryProgress {
 public:
  /// So many bytes are to be read, about.
  explicit RecoveryProgress(std::uint64_t total) : total_(total) {}

  /// How often `show` should be called.
  std::chrono::milliseconds every() const noexcept {
    return is_terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(5000);
  }

  /// As in "1200 of 4096 MB read, 310 MB/s, 9 s left".
  std::string text(std::uint64_t done) const {
    const double rate = static_cast<double>(done) / std::max(seconds(), 1e-3);
    const std::uint64_t rest = total_ - std::min(done, total_);
    return number(static_cast<double>(done) / 1e6) + " of " +
           number(static_cast<double>(std::max(done, total_)) / 1e6) + " MB read, " +
           number(rate / 1e6) + " MB/s, " +
           number(static_cast<double>(rest) / std::max(rate, 1.0) + 0.5) + " s left";
  }
  /// After the end.
  std::string summary(std::uint64_t done) const {
    return number(static_cast<double>(done) / 1e6) + " MB read in " + number(seconds()) + " s, " +
           number(static_cast<double>(done) / 1e6 / std::max(seconds(), 1e-3)) + " MB/s";
  }

  /// On standard error; `prefix` begins a line.
  void show(const char* prefix, std::uint64_t done) const {
    if (!is_terminal_) {
      std::cerr << std::string(prefix) + "recovering: " + text(done) + '\n';
      return;
    }
    constexpr std::uint64_t width = 30;
    const auto filled = static_cast<std::size_t>(std::min(done, total_) * width /
                                                 std::max<std::uint64_t>(total_, 1));
    std::cerr << "\r\033[K[" + std::string(filled, '#') + std::string(width - filled, '.') + "] " +
                     text(done)
              << std::flush;
  }
  /// Takes the bar away.
  void clear() const {
    if (is_terminal_) std::cerr << "\r\033[K" << std::flush;
  }

 private:
  using Clock = std::chrono::steady_clock;

  static std::string number(double value) {
    return std::to_string(static_cast<std::uint64_t>(value));
  }
  double seconds() const noexcept {
    return std::chrono::duration<double>(Clock::now() - began_).count();
  }

  const std::uint64_t total_;
  const bool is_terminal_ = ::isatty(STDERR_FILENO) == 1;
  const Clock::time_point began_ = Clock::now();
};

}  // namespace kv

#endif

// How far a run is: a bar on a terminal, a line every few seconds elsewhere.
#ifndef MIRBFT_EXAMPLES_QUICKSTART_PROGRESS_BAR_HPP
#define MIRBFT_EXAMPLES_QUICKSTART_PROGRESS_BAR_HPP

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <iostream>
#include <string>

namespace quickstart {

/// Writes to standard output. On a terminal it is gone when the run is.
class ProgressBar {
 public:
  explicit ProgressBar(std::uint64_t total) : total_(total) {}
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  ~ProgressBar() {
    if (terminal_) std::cout << "\r\033[K" << std::flush;
  }

  void show(std::uint64_t done) {
    const auto now = Clock::now();
    if (!terminal_ && now - shown_ < between_lines) return;
    shown_ = now;
    const std::string count = std::to_string(done) + " of " + std::to_string(total_);
    if (!terminal_) {
      std::cout << count << " delivered by every replica" << std::endl;
      return;
    }
    constexpr std::uint64_t width = 40;
    const auto filled = static_cast<std::size_t>(total_ == 0 ? 0 : done * width / total_);
    std::cout << "\r[" << std::string(filled, '#') << std::string(width - filled, '.') << "] "
              << count << std::flush;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds between_lines{3};

  const std::uint64_t total_;
  const bool terminal_ = ::isatty(STDOUT_FILENO) == 1;
  Clock::time_point shown_ = Clock::now();
};

}  // namespace quickstart

#endif

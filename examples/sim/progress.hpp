// How far long work has come: on a terminal a line that changes, elsewhere one every five seconds.
#ifndef MIRBFT_EXAMPLES_SIM_PROGRESS_HPP
#define MIRBFT_EXAMPLES_SIM_PROGRESS_HPP

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>

namespace simulation {

/// Writes to the standard error; the line on a terminal is gone with the object.
class Progress {
 public:
  Progress() = default;
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() {
    if (terminal_) std::fputs("\r\033[K", stderr);
  }

  std::chrono::duration<double> passed() const { return Clock::now() - begin_; }

  /// Shows what `text()` returns, if it is time for that.
  template <class Text>
  void show(Text&& text) {
    const auto now = Clock::now();
    if (now - shown_ < (terminal_ ? std::chrono::milliseconds(200) : std::chrono::seconds(5)))
      return;
    shown_ = now;
    std::fprintf(stderr, terminal_ ? "\r\033[K%s" : "%s\n", std::string(text()).c_str());
  }

  /// A line that stays.
  void tell(const std::string& line) {
    std::fprintf(stderr, terminal_ ? "\r\033[K%s\n" : "%s\n", line.c_str());
  }

 private:
  using Clock = std::chrono::steady_clock;

  const bool terminal_ = isatty(STDERR_FILENO) != 0;
  const Clock::time_point begin_ = Clock::now();
  Clock::time_point shown_ = begin_;
};

}  // namespace simulation

#endif

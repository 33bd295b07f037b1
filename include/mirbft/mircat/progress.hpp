// How far a long pass has come: a bar on a terminal, elsewhere a line every five seconds.
#ifndef MIRBFT_MIRCAT_PROGRESS_HPP
#define MIRBFT_MIRCAT_PROGRESS_HPP

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ostream>
#include <string>
#include <utility>

#include <mirbft/mircat/console.hpp>

namespace mirbft::mircat {

/// What else is written during a pass.
enum class Meanwhile { silence, lines };

/// Writes to the errors' stream. A bar is gone when this is, and does not appear at all where
/// lines are written to a terminal meanwhile: they say enough.
class Progress {
 public:
  Progress(Console& console, std::string what, Meanwhile meanwhile = Meanwhile::silence)
      : err_(console.err()),
        what_(std::move(what)),
        is_bar_(console.terminals().err),
        is_hidden_(meanwhile == Meanwhile::lines && console.terminals().out) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { clear(); }

  /// Cheap enough for every event.
  void show(std::uint64_t done, std::uint64_t total) {
    if (++calls_ % calls_per_look != 0 || is_hidden_) return;
    const auto now = Clock::now();
    if (now - shown_ < (is_bar_ ? between_bars : between_lines)) return;
    shown_ = now;
    const std::uint64_t percent = std::min(done, total) * 100 / std::max<std::uint64_t>(total, 1);
    if (!is_bar_) {
      err_ << what_ << ": " << percent << " % of " << (total >> 20) << " MiB" << std::endl;
      return;
    }
    const auto filled = static_cast<std::size_t>(percent * width / 100);
    err_ << "\r\033[K" << what_ << " [" << std::string(filled, '#')
         << std::string(width - filled, '.') << "] " << percent << " %" << std::flush;
    is_drawn_ = true;
  }

  /// Takes the bar away, for what is written next.
  void clear() {
    if (std::exchange(is_drawn_, false)) err_ << "\r\033[K" << std::flush;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds between_bars{100};
  static constexpr std::chrono::milliseconds between_lines{5000};
  static constexpr std::uint64_t calls_per_look = 256;
  static constexpr std::size_t width = 40;

  std::ostream& err_;
  const std::string what_;
  const bool is_bar_;
  const bool is_hidden_;
  bool is_drawn_ = false;
  std::uint64_t calls_ = 0;
  Clock::time_point shown_ = Clock::now();
};

}  // namespace mirbft::mircat

#endif

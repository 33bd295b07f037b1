// Where a replay joins a log whose beginning is gone.
#ifndef MIRBFT_LOG_JOINT_HPP
#define MIRBFT_LOG_JOINT_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <utility>
#include <vector>

#include <mirbft/log/event.hpp>

namespace mirbft::detail {

/// Lays what a replayed module emits to one destination, in order, beside what the log shows there.
///
/// A log without its beginning first shows what the module has emitted on inputs that are gone.
/// How much that is nobody knows, and it may look like what comes later: a client sends a request
/// twice. So every place in the log where all that the replay has emitted may begin is kept in mind
/// for as long as it holds, until nothing of the earlier inputs can be on its way any more.
class Joint {
 public:
  /// So many events are not on their way at once.
  static constexpr std::uint64_t patience = 16384;
  /// So many equal events in a row are hardly chance.
  static constexpr std::size_t enough = 64;

  void emit(LogEvent event) { emitted_.push_back(std::move(event)); }

  /// The next event of the log.
  void show(const LogEvent& event) {
    ++shown_;
    if (emitted_.empty()) return;
    ++late_;
    const bool was_likely = matched() >= enough;
    std::erase_if(matched_, [&](std::size_t count) {
      return count == emitted_.size() || !is_same(emitted_[count], event);
    });
    for (std::size_t& count : matched_) ++count;
    if (late_ <= patience && is_same(emitted_.front(), event)) matched_.push_back(1);
    if (matched_.empty() && (was_likely || is_over())) parting_ = event;
  }

  /// Nothing changes its mind any more.
  bool is_over() const noexcept { return late_ > patience; }
  /// How many events the log and the replay have in common; the most that is possible.
  std::size_t matched() const noexcept { return matched_.empty() ? 0 : matched_.front(); }
  /// How many the log has shown before those.
  std::uint64_t passed_over() const noexcept { return shown_ - matched(); }
  /// What the replay has emitted, and the log has not shown.
  std::list<LogEvent> rest() const {
    return {emitted_.begin() + static_cast<std::ptrdiff_t>(matched()), emitted_.end()};
  }
  std::size_t pending() const noexcept { return emitted_.size() - matched(); }
  /// The event to which nothing that was emitted leads, if no place is left; null if one is, or may
  /// still come.
  const LogEvent* parting() const noexcept {
    return matched_.empty() && parting_ ? &*parting_ : nullptr;
  }

 private:
  static bool is_same(const LogEvent& one, const LogEvent& other) {
    return one.number == other.number && one.payload == other.payload;
  }

  std::vector<LogEvent> emitted_;
  /// For each place that is possible, how many events from there on are the same; falling.
  std::vector<std::size_t> matched_;
  std::optional<LogEvent> parting_;
  std::uint64_t shown_ = 0;
  std::uint64_t late_ = 0;
};

}  // namespace mirbft::detail

#endif

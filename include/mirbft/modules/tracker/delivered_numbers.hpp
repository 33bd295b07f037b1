// Which of a client's request numbers are delivered, as bits.
#ifndef MIRBFT_MODULES_TRACKER_DELIVERED_NUMBERS_HPP
#define MIRBFT_MODULES_TRACKER_DELIVERED_NUMBERS_HPP

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include <mirbft/types/client_window.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/sliding_window.hpp>

namespace mirbft::tracker {

/// A client's window: every number below `low()` is delivered, of those from `low()` up it knows
/// one by one, `width` of them at most. One bit a number.
class DeliveredNumbers {
 public:
  ReqNo low() const noexcept { return low_; }
  /// One past the highest number that is delivered.
  ReqNo end() const noexcept { return end_; }

  bool contains(ReqNo number) const noexcept {
    if (number < low_) return true;
    const std::uint64_t* word = words_.find(number.value / 64);
    return word && (*word >> (number.value % 64) & 1);
  }

  /// Numbers outside the window stay as they are.
  void insert(ReqNo number, std::uint64_t width) {
    if (number < low_ || number - low_ >= width) return;
    words_.at(number.value / 64) |= std::uint64_t{1} << (number.value % 64);
    end_ = std::max(end_, number + 1);
  }

  /// Slides to the window's `low` and takes over its bits. A window that lies behind is ignored.
  void advance(const ClientWindow& window, std::uint64_t width) {
    if (window.low < low_) return;
    low_ = window.low;
    end_ = std::max(end_, low_);
    words_.advance(low_.value / 64);
    for (std::size_t i = 0; i < window.delivered.size() && 8 * i < width; ++i)
      if (window.delivered[i] != 0) insert_byte(low_ + 8 * i, window.delivered[i]);
  }

 private:
  void insert_byte(ReqNo first, std::uint64_t bits) {
    end_ = std::max(end_, first + static_cast<std::uint64_t>(std::bit_width(bits)));
    const std::uint64_t shift = first.value % 64;
    words_.at(first.value / 64) |= bits << shift;
    if (shift > 64 - 8) words_.at(first.value / 64 + 1) |= bits >> (64 - shift);
  }

  ReqNo low_;
  ReqNo end_;
  SlidingWindow<std::uint64_t, 64> words_;
};

}  // namespace mirbft::tracker

#endif

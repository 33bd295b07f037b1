// A sparse array that slides forward: one entry for each number of a client's window.
#ifndef MIRBFT_TYPES_SLIDING_WINDOW_HPP
#define MIRBFT_TYPES_SLIDING_WINDOW_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

namespace mirbft {

/// Entries for the numbers from `low()` up, made on first use, forgotten below `low()`.
/// Storage comes in chunks, so memory follows what is used and not how wide the window is.
/// The caller checks that a number is inside its window before it calls `at`.
template <class T, std::size_t ChunkSize = 128>
class SlidingWindow {
 public:
  std::uint64_t low() const noexcept { return low_; }

  /// The entry, or null when it was never made or lies below `low()`.
  T* find(std::uint64_t number) noexcept {
    if (number < low_) return nullptr;
    const std::uint64_t place = number / ChunkSize - first_chunk_;
    if (place >= chunks_.size() || !chunks_[place]) return nullptr;
    return &(*chunks_[place])[number % ChunkSize];
  }
  const T* find(std::uint64_t number) const noexcept {
    return const_cast<SlidingWindow*>(this)->find(number);
  }

  /// The entry, default-made on first use. Requires `number >= low()`.
  T& at(std::uint64_t number) {
    const std::uint64_t place = number / ChunkSize - first_chunk_;
    if (place >= chunks_.size()) chunks_.resize(place + 1);
    if (!chunks_[place]) chunks_[place] = std::make_unique<Chunk>();
    return (*chunks_[place])[number % ChunkSize];
  }

  /// Forgets every number below `low`; entries that share a chunk with it are reset.
  void advance(std::uint64_t low) {
    if (low <= low_) return;
    while (!chunks_.empty() && (first_chunk_ + 1) * ChunkSize <= low) {
      chunks_.pop_front();
      ++first_chunk_;
    }
    if (chunks_.empty()) first_chunk_ = low / ChunkSize;
    if (!chunks_.empty() && chunks_.front()) {
      const std::uint64_t start = first_chunk_ * ChunkSize;
      for (std::uint64_t i = low_ > start ? low_ - start : 0; i < low - start; ++i)
        (*chunks_.front())[i] = T{};
    }
    low_ = low;
  }

  /// Calls `visit(number, entry)` for every entry of every chunk in use, in order.
  template <class Visit>
  void for_each(Visit&& visit) {
    for (std::size_t place = 0; place < chunks_.size(); ++place) {
      if (!chunks_[place]) continue;
      for (std::size_t i = 0; i < ChunkSize; ++i) {
        const std::uint64_t number = (first_chunk_ + place) * ChunkSize + i;
        if (number >= low_) visit(number, (*chunks_[place])[i]);
      }
    }
  }

 private:
  using Chunk = std::array<T, ChunkSize>;

  std::uint64_t low_ = 0;
  std::uint64_t first_chunk_ = 0;
  std::deque<std::unique_ptr<Chunk>> chunks_;
};

}  // namespace mirbft

#endif

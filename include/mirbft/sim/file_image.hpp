// A file of a simulated disk: what a program reads of it, and what is on the disk.
#ifndef MIRBFT_SIM_FILE_IMAGE_HPP
#define MIRBFT_SIM_FILE_IMAGE_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <mirbft/sim/disk.hpp>
#include <mirbft/sim/random.hpp>
#include <mirbft/types/bytes.hpp>

namespace mirbft::sim {

/// How many sectors and names that were not synced a crash has spared, and how many not.
struct CrashLoss {
  std::size_t kept = 0;
  std::size_t lost = 0;

  CrashLoss& operator+=(const CrashLoss& other) noexcept {
    kept += other.kept;
    lost += other.lost;
    return *this;
  }
};

/// The bytes in the operating system's cache, those on the disk, and in which part they may differ
/// by right: there a power failure leaves each sector as the one or the other says.
class FileImage {
 public:
  static constexpr std::size_t sector = 512;

  /// A file of zeros, of which nothing is on the disk.
  explicit FileImage(std::size_t size) : cached_(size) { touch(0, size); }

  std::size_t size() const noexcept { return cached_.size(); }
  ByteView cached() const noexcept { return cached_; }
  ByteView durable() const noexcept { return durable_; }

  void write(std::size_t offset, ByteView bytes) {
    if (cached_.size() < offset + bytes.size()) cached_.resize(offset + bytes.size());
    std::copy(bytes.begin(), bytes.end(), cached_.begin() + static_cast<std::ptrdiff_t>(offset));
    touch(offset, bytes.size());
  }
  void sync() {
    durable_.resize(cached_.size());
    for_dirty([this](std::size_t begin, std::size_t size) {
      std::copy_n(cached_.begin() + static_cast<std::ptrdiff_t>(begin), size,
                  durable_.begin() + static_cast<std::ptrdiff_t>(begin));
    });
    dirty_begin_ = dirty_end_ = 0;
  }
  /// The write-back has failed: what was to be synced is forgotten, though it may still be read for
  /// as long as the machine runs (as PostgreSQL found in 2018).
  void lose_sync(Tail seen) {
    if (seen == Tail::lost) cached_ = durable_;
    dirty_begin_ = dirty_end_ = 0;
  }

  /// The power failed.
  CrashLoss crash(Tail tail, Random& random) {
    CrashLoss loss;
    if (tail != Tail::lost && durable_.size() < cached_.size()) durable_.resize(cached_.size());
    // A short queue of the disk loses a tail, a long one any part.
    const bool is_prefix = random.chance(500);
    bool keep = true;
    for_dirty([&](std::size_t begin, std::size_t size) {
      if (tail != Tail::drawn) keep = tail == Tail::kept;
      else if (keep || !is_prefix) keep = random.chance(is_prefix ? 800 : 500);
      ++(keep ? loss.kept : loss.lost);
      if (!keep) return;
      std::copy_n(cached_.begin() + static_cast<std::ptrdiff_t>(begin), size,
                  durable_.begin() + static_cast<std::ptrdiff_t>(begin));
    });
    cached_ = durable_;
    dirty_begin_ = dirty_end_ = 0;
    return loss;
  }

  /// The disk changes by itself, and nobody is told.
  void flip(std::size_t bit) noexcept {
    const auto mask = static_cast<std::uint8_t>(1u << bit % 8);
    if (bit / 8 < durable_.size()) durable_[bit / 8] ^= mask;
    if (bit / 8 < cached_.size()) cached_[bit / 8] ^= mask;
  }
  /// Only the first `size` bytes are left.
  void cut(std::size_t size) {
    durable_.resize(std::min(size, durable_.size()));
    cached_.resize(std::min(size, cached_.size()));
    dirty_begin_ = dirty_end_ = 0;
  }

 private:
  void touch(std::size_t offset, std::size_t size) noexcept {
    if (size == 0) return;
    const bool is_clean = dirty_begin_ == dirty_end_;
    dirty_begin_ = is_clean ? offset : std::min(dirty_begin_, offset);
    dirty_end_ = std::max(dirty_end_, offset + size);
  }
  /// Calls `use(begin, size)` for every sector that may be dirty.
  template <class Use>
  void for_dirty(Use&& use) {
    for (std::size_t at = dirty_begin_ / sector * sector; at < dirty_end_; at += sector)
      use(at, std::min(sector, cached_.size() - at));
  }

  std::vector<std::uint8_t> cached_;
  std::vector<std::uint8_t> durable_;
  std::size_t dirty_begin_ = 0;
  std::size_t dirty_end_ = 0;
};

}  // namespace mirbft::sim

#endif

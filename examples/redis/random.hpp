// Choices that look random and are the same at every replica.
#ifndef MIRBFT_EXAMPLES_REDIS_RANDOM_HPP
#define MIRBFT_EXAMPLES_REDIS_RANDOM_HPP

#include <cstddef>
#include <cstdint>

namespace redis {

/// SplitMix64 (Steele, Lea and Flood 2014). Its state is part of the database's. Whoever knows that
/// can tell the choices beforehand.
class Random {
 public:
  explicit Random(std::uint64_t state = 0) noexcept : state_(state) {}

  std::uint64_t state() const noexcept { return state_; }

  /// From 0 to `end - 1`; `end` is not 0. The last ones are rarer by `end` in 2^64.
  std::size_t below(std::size_t end) noexcept { return static_cast<std::size_t>(next() % end); }

 private:
  std::uint64_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31);
  }

  std::uint64_t state_;
};

}  // namespace redis

#endif

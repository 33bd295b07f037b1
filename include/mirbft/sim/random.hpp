// Random numbers that are the same with every compiler: all that a simulation draws comes from it.
#ifndef MIRBFT_SIM_RANDOM_HPP
#define MIRBFT_SIM_RANDOM_HPP

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

namespace mirbft::sim {

/// xoshiro256** (Blackman and Vigna, 2018), seeded by SplitMix64. Integers only, since results of
/// floating point and of the standard library's distributions differ between platforms.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : seed_(seed) {
    for (std::uint64_t& word : state_) word = mix(seed += golden);
  }

  std::uint64_t next() noexcept {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// From 0 to `n - 1`; `n` is not 0. Its bias is below `n / 2^64`.
  std::uint64_t below(std::uint64_t n) noexcept { return next() % n; }

  /// From `low` to `high`, both included and in this order.
  template <class T>
    requires std::is_integral_v<T>
  T between(T low, T high) noexcept {
    const auto span = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
    return static_cast<T>(static_cast<std::uint64_t>(low) +
                          (span == ~std::uint64_t{0} ? next() : below(span + 1)));
  }
  std::chrono::nanoseconds between(std::chrono::nanoseconds low,
                                   std::chrono::nanoseconds high) noexcept {
    return std::chrono::nanoseconds(between(low.count(), high.count()));
  }

  /// True in so many of a thousand cases.
  bool chance(std::uint32_t per_mille) noexcept {
    return per_mille != 0 && below(1000) < per_mille;
  }

  /// An element of a list that is not empty.
  template <class List>
  auto& pick(List& list) noexcept {
    return list[below(list.size())];
  }

  template <class List>
  void shuffle(List& list) noexcept {
    for (std::size_t i = list.size(); i > 1; --i) std::swap(list[i - 1], list[below(i)]);
  }

  /// A generator of its own for a part of the simulation. It depends on the seed, the label and
  /// the number, and not on what was drawn before: a part that draws more disturbs no other.
  Random fork(std::string_view label, std::uint64_t number = 0) const noexcept {
    std::uint64_t child = mix(seed_ + golden);
    for (const char letter : label) child = mix(child ^ static_cast<unsigned char>(letter));
    return Random(mix(child + number));
  }

 private:
  static constexpr std::uint64_t golden = 0x9e3779b97f4a7c15ull;

  static constexpr std::uint64_t mix(std::uint64_t value) noexcept {
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ull;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebull;
    return value ^ (value >> 31);
  }

  std::uint64_t seed_;
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace mirbft::sim

#endif

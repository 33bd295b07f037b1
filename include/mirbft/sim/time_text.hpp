// Times as people write them: "250ms", "1.5s".
#ifndef MIRBFT_SIM_TIME_TEXT_HPP
#define MIRBFT_SIM_TIME_TEXT_HPP

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <mirbft/sim/clock.hpp>

namespace mirbft::sim {

namespace detail {

struct TimeUnit {
  std::string_view name;
  std::int64_t nanoseconds;
};
inline constexpr TimeUnit time_units[] = {
    {"s", 1'000'000'000}, {"ms", 1'000'000}, {"us", 1'000}, {"ns", 1}};

}  // namespace detail

/// In the largest unit that needs no more than three decimals. `time` is not negative.
inline std::string time_text(Time time) {
  for (const auto& [name, unit] : detail::time_units) {
    const std::int64_t thousandth = unit == 1 ? 1 : unit / 1000;
    if (time.count() < unit || time.count() % thousandth != 0) continue;
    std::string text = std::to_string(time.count() / unit);
    if (std::int64_t rest = time.count() % unit; rest != 0) {
      std::string decimals = std::to_string(1000 + rest / thousandth);
      decimals.erase(decimals.find_last_not_of('0') + 1);
      text += '.' + decimals.substr(1);
    }
    return text.append(name);
  }
  return "0s";
}

/// Reads what `time_text` writes. Empty for anything else, and for more than a year.
inline std::optional<Time> parse_time(std::string_view text) {
  const std::size_t size = std::min(text.find_first_not_of("0123456789."), text.size());
  const auto* unit = std::ranges::find(detail::time_units, text.substr(size),
                                       &detail::TimeUnit::name);
  const std::size_t dot = std::min(text.substr(0, size).find('.'), size);
  constexpr std::int64_t longest = std::int64_t{366} * 24 * 3600 * 1'000'000'000;
  std::int64_t whole = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + dot, whole);
  if (unit == std::end(detail::time_units) || error != std::errc() || end != text.data() + dot ||
      dot + 1 == size || whole > longest / unit->nanoseconds)
    return std::nullopt;
  std::int64_t sum = whole * unit->nanoseconds;
  std::int64_t worth = unit->nanoseconds;
  for (const char digit : text.substr(std::min(dot + 1, size), size - std::min(dot + 1, size))) {
    if (digit == '.' || worth % 10 != 0) return std::nullopt;
    sum += (digit - '0') * (worth /= 10);
  }
  return Time(sum);
}

}  // namespace mirbft::sim

#endif

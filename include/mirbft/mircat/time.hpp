// Times of events, as people write and read them.
#ifndef MIRBFT_MIRCAT_TIME_HPP
#define MIRBFT_MIRCAT_TIME_HPP

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace mirbft::mircat {

inline constexpr std::uint64_t nanoseconds_per_second = 1'000'000'000;

/// A time of a log, in nanoseconds since the Unix epoch: a date in UTC, or, where that would be in
/// 1970, as in the simulator, whose time is virtual, plain seconds. "-" where nothing is known.
inline std::string time_text(std::uint64_t time) {
  constexpr std::uint64_t a_year = 366 * 86'400 * nanoseconds_per_second;
  if (time == 0) return "-";
  std::array<char, 48> text;
  const auto fraction = static_cast<unsigned long long>(time % nanoseconds_per_second);
  const std::uint64_t seconds = time / nanoseconds_per_second;
  if (time < a_year) {
    std::snprintf(text.data(), text.size(), "%llu.%09llus",
                  static_cast<unsigned long long>(seconds), fraction);
    return text.data();
  }
  const auto date = static_cast<std::time_t>(seconds);
  std::tm parts{};
  ::gmtime_r(&date, &parts);
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text.data() + length, text.size() - length, ".%09lluZ", fraction);
  return text.data();
}

/// A span of time with a unit that suits it: "1.250 s".
inline std::string duration_text(std::uint64_t nanoseconds) {
  static constexpr std::array<std::pair<const char*, double>, 4> units{
      {{"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1}}};
  const auto value = static_cast<double>(nanoseconds);
  for (const auto& [name, size] : units)
    if (value >= size) {
      std::array<char, 48> text;
      std::snprintf(text.data(), text.size(), "%.3f %s", value / size, name);
      return text.data();
    }
  return "0 s";
}

namespace detail {

/// "5", "5.25": as nanoseconds, when one is worth `unit`.
inline std::optional<std::uint64_t> scaled(std::string_view text, std::uint64_t unit) {
  std::uint64_t whole = 0;
  const char* end = text.data() + text.size();
  auto [at, error] = std::from_chars(text.data(), end, whole);
  if (error != std::errc() || whole > UINT64_MAX / unit) return std::nullopt;
  std::uint64_t time = whole * unit;
  if (at == end) return time;
  if (*at != '.') return std::nullopt;
  for (++at; at != end; ++at) {
    if (*at < '0' || *at > '9') return std::nullopt;
    unit /= 10;
    time += unit * static_cast<std::uint64_t>(*at - '0');
  }
  return time;
}

inline std::optional<std::uint64_t> date(const std::string& text) {
  std::tm parts{};
  const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (!rest) rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M", &parts);
  if (!rest) return std::nullopt;
  const std::time_t seconds = ::timegm(&parts);
  std::string_view fraction(rest);
  if (fraction.ends_with('Z')) fraction.remove_suffix(1);
  const auto part = scaled("0" + std::string(fraction), nanoseconds_per_second);
  if (seconds < 0 || !part) return std::nullopt;
  return static_cast<std::uint64_t>(seconds) * nanoseconds_per_second + *part;
}

}  // namespace detail

/// What `time_text` writes, a date without seconds, or a number with the unit s, ms, us or ns.
inline std::optional<std::uint64_t> parse_time(std::string_view text) {
  if (const auto found = detail::date(std::string(text))) return found;
  static constexpr std::array<std::pair<std::string_view, std::uint64_t>, 4> units{
      {{"ns", 1}, {"us", 1'000}, {"ms", 1'000'000}, {"s", nanoseconds_per_second}}};
  for (const auto& [name, size] : units)
    if (text.ends_with(name))
      return detail::scaled(text.substr(0, text.size() - name.size()), size);
  return std::nullopt;
}

}  // namespace mirbft::mircat

#endif

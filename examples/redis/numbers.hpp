// Numbers as Redis reads and writes them, on every machine alike.
#ifndef MIRBFT_EXAMPLES_REDIS_NUMBERS_HPP
#define MIRBFT_EXAMPLES_REDIS_NUMBERS_HPP

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace redis {

/// A number of 64 bits in its one form: no plus sign, no zeros before it, no blanks.
inline std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  if (digits.starts_with('0') && text != "0") return std::nullopt;
  return number;
}

/// A score: decimal or hexadecimal as C has it, or infinite; not NaN, and neither too large nor
/// too small for a double. There is one zero, which Redis remembers the sign of only at times.
inline std::optional<double> parse_score(std::string_view text) {
  std::string_view digits = text;
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  std::chars_format format = std::chars_format::general;
  if (digits.starts_with("0x") || digits.starts_with("0X")) {
    digits.remove_prefix(2);
    format = std::chars_format::hex;
    if (digits.starts_with('i') || digits.starts_with('I')) return std::nullopt;
  }
  if (digits.starts_with('-')) return std::nullopt;  // one sign is enough
  double number = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), number, format);
  if (error != std::errc() || end != digits.data() + digits.size() || std::isnan(number))
    return std::nullopt;
  return negative ? 0 - number : number;
}

/// 17 digits, which tell every double from every other.
inline std::string text_of(double number) {
  std::array<char, 32> digits{};
  const auto [end, error] =
      std::to_chars(digits.data(), digits.data() + digits.size(), number,
                    std::chars_format::general, 17);
  return std::string(digits.data(), error == std::errc() ? end : digits.data());
}

}  // namespace redis

#endif

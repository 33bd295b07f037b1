// What may stand behind the `=` of a filter: words with wildcards, numbers and ranges of them.
#ifndef MIRBFT_MIRCAT_PATTERN_HPP
#define MIRBFT_MIRCAT_PATTERN_HPP

#include <algorithm>
#include <cctype>
#include <charconv>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mirbft::mircat {

/// A whole number of any of the kinds that protobuf has.
struct Number {
  constexpr Number(std::uint64_t value) noexcept : low(value) {}
  constexpr Number(std::int64_t value) noexcept
      : high(value < 0 ? -1 : 0), low(static_cast<std::uint64_t>(value)) {}

  friend constexpr auto operator<=>(const Number&, const Number&) = default;

  std::int64_t high = 0;
  std::uint64_t low;
};

/// All of a decimal number, or nothing.
inline std::optional<Number> parse_number(std::string_view text) {
  const auto parse = [text]<class T>(T value) -> std::optional<Number> {
    const char* end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || at != end || text.empty()) return std::nullopt;
    return Number(value);
  };
  return text.starts_with('-') ? parse(std::int64_t{0}) : parse(std::uint64_t{0});
}

/// Whether letters are told apart by their size.
enum class Case { counts, ignored };

/// Whether a text is what a pattern with `*` and `?` says.
inline bool matches_glob(std::string_view text, std::string_view glob, Case letters) {
  const auto same = [letters](char left, char right) {
    const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
    return left == right || (letters == Case::ignored && lower(left) == lower(right));
  };
  std::size_t at = 0, place = 0;
  std::size_t star = std::string_view::npos, resumed = 0;
  while (at < text.size()) {
    if (place < glob.size() && glob[place] == '*') {
      star = place++;
      resumed = at;
    } else if (place < glob.size() && (glob[place] == '?' || same(glob[place], text[at]))) {
      ++place;
      ++at;
    } else if (star != std::string_view::npos) {
      // The last star takes one character more.
      place = star + 1;
      at = ++resumed;
    } else {
      return false;
    }
  }
  return glob.find_first_not_of('*', place) == std::string_view::npos;
}

/// One value: a word with wildcards, a number, or a range `5..9`, `5..` or `..9`.
class Pattern {
 public:
  /// How the ends of a range are read.
  using ParseEnd = std::optional<Number>(std::string_view);

  Pattern(std::string text, ParseEnd* parse) : text_(std::move(text)) {
    const std::string_view whole = text_;
    if (const auto number = parse(whole)) {
      from_ = to_ = number;
      return;
    }
    const std::size_t dots = whole.find("..");
    if (dots == std::string_view::npos || whole.size() == 2) return;
    const std::string_view low = whole.substr(0, dots);
    const std::string_view high = whole.substr(dots + 2);
    const auto from = low.empty() ? Number(INT64_MIN) : parse(low);
    const auto to = high.empty() ? Number(UINT64_MAX) : parse(high);
    if (!from || !to) return;
    from_ = from;
    to_ = to;
  }

  const std::string& text() const noexcept { return text_; }
  /// Whether it is a number or a range.
  bool is_numeric() const noexcept { return from_.has_value(); }
  /// Whether it is a range that holds nothing, as `9..5`.
  bool is_empty() const noexcept { return from_ && *from_ > *to_; }

  bool holds(Number number) const noexcept {
    return from_ ? *from_ <= number && number <= *to_ : text_ == "*";
  }
  bool holds(std::string_view text, Case letters) const {
    return matches_glob(text, text_, letters);
  }

 private:
  std::string text_;
  std::optional<Number> from_;
  std::optional<Number> to_;
};

/// Values of which one is enough.
using Patterns = std::vector<Pattern>;

inline bool holds_any(const Patterns& patterns, Number number) {
  return std::ranges::any_of(patterns, [&](const Pattern& one) { return one.holds(number); });
}
inline bool holds_any(const Patterns& patterns, std::string_view text, Case letters) {
  return std::ranges::any_of(patterns,
                             [&](const Pattern& one) { return one.holds(text, letters); });
}

}  // namespace mirbft::mircat

#endif

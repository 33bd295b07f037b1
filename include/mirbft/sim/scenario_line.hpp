// A line of a scenario file, taken word by word.
#ifndef MIRBFT_SIM_SCENARIO_LINE_HPP
#define MIRBFT_SIM_SCENARIO_LINE_HPP

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include <mirbft/sim/rule.hpp>
#include <mirbft/sim/scenario_words.hpp>
#include <mirbft/sim/time_text.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/wire/reflection.hpp>

namespace mirbft::sim {

/// The words of a line from left to right. What is not as it must be raises a ConfigError, in one
/// line: where, the word, what is wrong with it and how to mend that.
class ScenarioLine {
 public:
  /// `place` says where it stands; `text` must outlive it.
  ScenarioLine(std::string place, std::string_view text)
      : place_(std::move(place)), rest_(text.substr(0, text.find('#'))) {
    skip_blanks();
  }

  bool done() const noexcept { return rest_.empty(); }
  /// The next word; empty at the end.
  std::string_view peek() const noexcept { return rest_.substr(0, rest_.find_first_of(blanks)); }
  std::string_view take() noexcept {
    const std::string_view word = peek();
    rest_.remove_prefix(word.size());
    skip_blanks();
    return word;
  }
  /// Takes the next word if it is this one.
  bool takes(std::string_view word) noexcept {
    if (peek() != word) return false;
    take();
    return true;
  }
  void expect(std::string_view word) {
    if (!takes(word)) refuse(peek(), "must be `" + std::string(word) + "`; put that before it");
  }
  bool begins_with_digit() const noexcept {
    return !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9';
  }

  /// The one of `known` that the next word names, which is not taken. `what` is said of others.
  template <class Known, class Name>
  const auto& one_of(const Known& known, Name&& name, const std::string& what) const {
    const auto found = std::ranges::find(known, peek(), name);
    if (found == std::ranges::end(known)) {
      std::string names;
      for (const auto& one : known)
        (names += names.empty() ? "" : ", ") += std::invoke(name, one);
      refuse(peek(), what + ": use one of " + names);
    }
    return *found;
  }
  /// The place of the next word among some names.
  std::int64_t place_in(const char* const* names, std::size_t count) {
    std::vector<std::string_view> known(names, names + count);
    const std::string_view& found = one_of(known, std::identity(), "is not known here");
    take();
    return &found - known.data();
  }

  std::uint64_t number(std::uint64_t least, std::uint64_t most) {
    const std::string_view word = take();
    return read_number(word, least, most, word);
  }
  std::int64_t integer(std::int64_t least, std::int64_t most) {
    const std::string_view word = take();
    return read_number(word, least, most, word);
  }
  /// With commas between.
  std::vector<std::uint64_t> numbers(std::uint64_t least, std::uint64_t most) {
    std::vector<std::uint64_t> all;
    const std::string_view word = take();
    for (std::string_view rest = word;;) {
      const std::string_view one = rest.substr(0, rest.find(','));
      all.push_back(read_number(one, least, most, word));
      if (one.size() == rest.size()) return all;
      rest.remove_prefix(one.size() + 1);
    }
  }
  /// 5, 5..9 or 5.. .
  Span span() {
    const std::string_view word = take();
    const std::size_t dots = word.find("..");
    Span span;
    span.first = read_number(word.substr(0, dots), std::uint64_t{0}, span.last, word);
    if (dots == word.npos) return {span.first, span.first};
    if (dots + 2 != word.size())
      span.last = read_number(word.substr(dots + 2), span.first, span.last, word);
    return span;
  }
  Time time() {
    const std::string_view word = take();
    const std::optional<Time> read = parse_time(word);
    if (!read) refuse(word, "must be a time; say it as 250ms, 1.5s or 80us");
    return *read;
  }

  /// A value of the type that is asked for.
  template <class T>
  T value() {
    if constexpr (std::is_same_v<T, Time>) {
      return time();
    } else if constexpr (std::is_enum_v<T>) {
      const auto& names = detail::value_names<T>;
      const std::string_view& found = one_of(names, std::identity(), "is not known here");
      take();
      return static_cast<T>(&found - names);
    } else {
      return static_cast<T>(number(0, std::numeric_limits<T>::max()));
    }
  }
  /// Names of members, each with its value, up to the end.
  template <class T>
  void members(T& object) {
    while (!done()) {
      const std::string_view& name =
          one_of(wire::member_names<T>, std::identity(), "is nothing to say here");
      const auto place = static_cast<std::size_t>(&name - wire::member_names<T>.data());
      take();
      wire::for_each_member(object, [&](auto member, auto& at) {
        if (member() == place + 1) at = value<std::remove_cvref_t<decltype(at)>>();
      });
    }
  }

  [[noreturn]] void refuse(std::string_view word, const std::string& why) const {
    constexpr std::size_t enough = 60;
    const std::string shown = word.empty()            ? "(end of line)"
                              : word.size() > enough ? '"' + std::string(word, 0, enough) + "…\""
                                                     : '"' + std::string(word) + '"';
    throw ConfigError(place_, shown, why);
  }

 private:
  static constexpr std::string_view blanks = " \t\r";

  void skip_blanks() noexcept {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(blanks), rest_.size()));
  }

  /// The number that stands in a part of a word.
  template <class T>
  T read_number(std::string_view part, T least, T most, std::string_view word) const {
    T read{};
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), read);
    if (part.empty() || error != std::errc() || end != part.data() + part.size() || read < least ||
        read > most)
      refuse(word, "must be a number from " + std::to_string(least) + " to " +
                       std::to_string(most) + "; correct it");
    return read;
  }

  std::string place_;
  std::string_view rest_;
};

}  // namespace mirbft::sim

#endif

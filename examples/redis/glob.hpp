// Patterns of KEYS, SCAN and CONFIG GET: * ? [a-z] [^a-z] and \ before a letter that means itself.
#ifndef MIRBFT_EXAMPLES_REDIS_GLOB_HPP
#define MIRBFT_EXAMPLES_REDIS_GLOB_HPP

#include <cstddef>
#include <string_view>
#include <utility>

namespace redis {

namespace detail {

/// Takes one class such as `[^a-c\]]` off the pattern, which begins behind its bracket, and returns
/// whether the letter is in it. One that is not closed ends with the pattern.
inline bool takes_class(std::string_view& pattern, char letter) {
  const auto take = [&pattern] {
    const char first = pattern.front();
    pattern.remove_prefix(1);
    return first;
  };
  const bool negated = pattern.starts_with('^');
  if (negated) take();
  bool found = false;
  while (!pattern.empty() && pattern.front() != ']') {
    if (pattern.front() == '\\' && pattern.size() >= 2) {
      take();
      found |= take() == letter;
    } else if (pattern.size() >= 3 && pattern[1] == '-') {
      auto low = static_cast<unsigned char>(pattern[0]);
      auto high = static_cast<unsigned char>(pattern[2]);
      if (low > high) std::swap(low, high);
      const auto value = static_cast<unsigned char>(letter);
      found |= low <= value && value <= high;
      pattern.remove_prefix(3);
    } else {
      found |= take() == letter;
    }
  }
  if (!pattern.empty()) take();
  return found != negated;
}

/// Takes what matches one letter off the pattern, and returns whether this one does.
inline bool takes_one(std::string_view& pattern, char letter) {
  const char first = pattern.front();
  pattern.remove_prefix(1);
  if (first == '?') return true;
  if (first == '[') return takes_class(pattern, letter);
  if (first != '\\' || pattern.empty()) return first == letter;
  const char meant = pattern.front();
  pattern.remove_prefix(1);
  return meant == letter;
}

}  // namespace detail

/// Whether all of the text matches. Takes time of pattern times text at most: after a failure only
/// the last star takes one letter more.
inline bool matches(std::string_view pattern, std::string_view text) {
  bool starred = false;
  std::string_view after_star;
  std::string_view at_star;
  while (!text.empty()) {
    if (pattern.starts_with('*')) {
      pattern.remove_prefix(1);
      starred = true;
      after_star = pattern;
      at_star = text;
    } else if (!pattern.empty() && detail::takes_one(pattern, text.front())) {
      text.remove_prefix(1);
    } else if (starred) {
      at_star.remove_prefix(1);
      pattern = after_star;
      text = at_star;
    } else {
      return false;
    }
  }
  while (pattern.starts_with('*')) pattern.remove_prefix(1);
  return pattern.empty();
}

}  // namespace redis

#endif

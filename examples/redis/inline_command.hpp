// A command typed by hand: words between blanks, with quotes as Redis has them.
#ifndef MIRBFT_EXAMPLES_REDIS_INLINE_COMMAND_HPP
#define MIRBFT_EXAMPLES_REDIS_INLINE_COMMAND_HPP

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace redis {

namespace detail {

constexpr bool is_blank(char letter) noexcept {
  return letter == ' ' || ('\t' <= letter && letter <= '\r');
}
constexpr int hex_value(char letter) noexcept {
  if ('0' <= letter && letter <= '9') return letter - '0';
  if ('a' <= letter && letter <= 'f') return letter - 'a' + 10;
  if ('A' <= letter && letter <= 'F') return letter - 'A' + 10;
  return -1;
}

/// What stands behind a backslash between double quotes; takes it off the line.
inline char take_escaped(std::string_view& line) {
  if (line.size() >= 3 && line[0] == 'x' && hex_value(line[1]) >= 0 && hex_value(line[2]) >= 0) {
    const int value = hex_value(line[1]) * 16 + hex_value(line[2]);
    line.remove_prefix(3);
    return static_cast<char>(value);
  }
  const char letter = line.front();
  line.remove_prefix(1);
  switch (letter) {
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'b': return '\b';
    case 'a': return '\a';
    default: return letter;
  }
}

/// Takes a quoted part, whose first quote is gone, off the line. False if it does not end, or if
/// no blank follows it.
inline bool take_quoted(std::string_view& line, char quote, std::string& word) {
  while (!line.empty()) {
    const char letter = line.front();
    line.remove_prefix(1);
    if (letter == quote) return line.empty() || is_blank(line.front());
    if (letter == '\\' && quote == '"' && !line.empty()) {
      word += take_escaped(line);
    } else if (letter == '\\' && quote == '\'' && line.starts_with('\'')) {
      word += '\'';
      line.remove_prefix(1);
    } else {
      word += letter;
    }
  }
  return false;
}

}  // namespace detail

/// The words of a line, which ends at a NUL as well; none if its quotes are not balanced.
inline std::optional<std::vector<std::string>> split_inline(std::string_view line) {
  line = line.substr(0, line.find('\0'));
  std::vector<std::string> words;
  while (true) {
    while (!line.empty() && detail::is_blank(line.front())) line.remove_prefix(1);
    if (line.empty()) return words;
    std::string word;
    while (!line.empty() && !detail::is_blank(line.front())) {
      const char letter = line.front();
      line.remove_prefix(1);
      if (letter != '"' && letter != '\'') word += letter;
      else if (!detail::take_quoted(line, letter, word)) return std::nullopt;
    }
    words.push_back(std::move(word));
  }
}

}  // namespace redis

#endif

// Names of commands and options, which may be written in capitals or not.
#ifndef MIRBFT_EXAMPLES_REDIS_WORDS_HPP
#define MIRBFT_EXAMPLES_REDIS_WORDS_HPP

#include <algorithm>
#include <string>
#include <string_view>

namespace redis {

constexpr char lower(char letter) noexcept {
  return 'A' <= letter && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}
inline std::string lower(std::string_view text) {
  std::string made(text);
  for (char& letter : made) letter = lower(letter);
  return made;
}
/// Whether `text` is the word, which is given in small letters.
constexpr bool is_word(std::string_view text, std::string_view word) noexcept {
  return text.size() == word.size() &&
         std::equal(text.begin(), text.end(), word.begin(),
                    [](char left, char right) { return lower(left) == right; });
}

}  // namespace redis

#endif

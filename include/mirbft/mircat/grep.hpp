// `mircat grep`: the events whose line has what a regular expression says.
#ifndef MIRBFT_MIRCAT_GREP_HPP
#define MIRBFT_MIRCAT_GREP_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <regex.h>

#include <mirbft/mircat/command.hpp>
#include <mirbft/mircat/console.hpp>
#include <mirbft/mircat/line.hpp>
#include <mirbft/mircat/progress.hpp>
#include <mirbft/mircat/selection.hpp>
#include <mirbft/mircat/time.hpp>
#include <mirbft/types/errors.hpp>

namespace mirbft::mircat {

/// An extended regular expression of POSIX, which the C library matches fast.
class Expression {
 public:
  /// Throws ConfigError.
  Expression(const std::string& text, Case letters) {
    const int flags = REG_EXTENDED | (letters == Case::ignored ? REG_ICASE : 0);
    if (const int error = ::regcomp(&compiled_, text.c_str(), flags); error != 0) {
      std::array<char, 128> reason;
      ::regerror(error, &compiled_, reason.data(), reason.size());
      throw ConfigError("expression", text, std::string(reason.data()) +
                                                ": write a regular expression as for grep -E");
    }
  }
  Expression(const Expression&) = delete;
  Expression& operator=(const Expression&) = delete;
  ~Expression() { ::regfree(&compiled_); }

  /// Begin and end of the first match.
  std::optional<std::pair<std::size_t, std::size_t>> find(const std::string& line) const {
    ::regmatch_t match{};
    if (::regexec(&compiled_, line.c_str(), 1, &match, 0) != 0) return std::nullopt;
    return std::pair(static_cast<std::size_t>(match.rm_so), static_cast<std::size_t>(match.rm_eo));
  }

 private:
  ::regex_t compiled_;
};

/// Exits with 1 when no line matches, as grep does.
class Grep {
 public:
  static constexpr std::string_view name = "grep";
  static constexpr std::string_view about = "print events whose line matches an expression";
  static constexpr std::string_view examples =
      "  mircat grep 'SET k(1|2) ' node-0.log\n"
      "  mircat grep -c 0x51317df0 run/\n"
      "  mircat grep -A 3 -B 1 'data: \"DEL' run/ --filter slot=app\n";

  void options(Options& options) {
    options.required("expression", "a regular expression, as for grep -E", &expression_);
    selection_.options(options);
    options.optional("-v,--invert-match", "those that do not match", &invert_);
    options.optional("-i,--ignore-case", "letters great and small are the same", &ignore_case_);
    options.optional("-c,--count", "print only how many", &count_);
    options.optional("-A,--after-context", "print so many events after each, too", &after_);
    options.optional("-B,--before-context", "print so many events before each, too", &before_);
  }

  int run(Console& console) {
    const Expression expression(expression_, ignore_case_ ? Case::ignored : Case::counts);
    SelectedEvents events(selection_);
    const std::uint64_t matched = search(console, events, expression);
    if (count_) console.out() << matched << '\n';
    return matched == 0 ? status::finding : status::ok;
  }

 private:
  std::uint64_t search(Console& console, SelectedEvents& events, const Expression& expression) {
    Progress progress(console, "searching", count_ ? Meanwhile::silence : Meanwhile::lines);
    const Console plain(console.in(), console.out(), console.err());
    std::deque<std::string> earlier;
    std::uint64_t matched = 0, due = 0, skipped = 0;
    while (const auto found = events.next()) {
      progress.show(events.logs().done(), events.logs().total());
      std::string line = event_line(plain, *found);
      const auto match = expression.find(line);
      if (match.has_value() != invert_) {
        ++matched;
        if (count_) continue;
        const bool has_context = before_ != 0 || after_ != 0;
        if (has_context && matched > 1 && skipped > earlier.size()) console.out() << "--\n";
        for (const std::string& one : earlier) console.out() << one << '\n';
        console.out() << highlighted(console, line, match) << '\n';
        earlier.clear();
        due = after_;
        skipped = 0;
      } else if (due > 0) {
        --due;
        console.out() << line << '\n';
      } else {
        ++skipped;
        earlier.push_back(std::move(line));
        if (earlier.size() > before_) earlier.pop_front();
      }
    }
    return matched;
  }

  static std::string highlighted(const Console& console, const std::string& line,
                                 const std::optional<std::pair<std::size_t, std::size_t>>& match) {
    if (!match || match->first == match->second) return line;
    const auto [begin, end] = *match;
    return line.substr(0, begin) + console.paint(Ink::red, line.substr(begin, end - begin)) +
           line.substr(end);
  }

  std::string expression_;
  Selection selection_;
  bool invert_ = false;
  bool ignore_case_ = false;
  bool count_ = false;
  std::uint64_t after_ = 0;
  std::uint64_t before_ = 0;
};

}  // namespace mirbft::mircat

#endif

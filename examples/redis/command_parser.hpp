// What a client of Redis sends, as commands: arrays of strings, and lines typed by hand.
#ifndef MIRBFT_EXAMPLES_REDIS_COMMAND_PARSER_HPP
#define MIRBFT_EXAMPLES_REDIS_COMMAND_PARSER_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mirbft/types/bytes.hpp>

#include "inline_command.hpp"
#include "numbers.hpp"

namespace redis {

/// The name of a command and its arguments.
using Command = std::vector<mirbft::Bytes>;

/// What one command may take, checked before anything of it is kept.
struct ParserLimits {
  /// Of all arguments together, with `argument_cost` for each.
  std::size_t command_bytes = 60 * 1024;
  /// Of a line typed by hand, and of one that says a length.
  std::size_t line_bytes = 64 * 1024;

  static constexpr std::size_t argument_cost = 8;
};

/// Reads a stream that comes in pieces of any size. After an error there is no way to tell where
/// the next command begins: the connection is to be closed.
class CommandParser {
 public:
  enum class Result : std::uint8_t { command, needs_more, error };

  explicit CommandParser(ParserLimits limits = {}) : limits_(limits) {}

  void feed(std::string_view bytes) {
    input_.erase(0, used_);
    used_ = 0;
    input_.append(bytes);
  }
  /// Bytes that have come and are part of no command yet.
  std::size_t waiting() const noexcept { return input_.size() - used_ + size_; }

  /// Reads the next command, if all of it has come.
  Result next(Command& command) {
    while (error_.empty()) {
      const bool advanced = missing_ == 0 ? begin() : length_ ? take_argument() : take_length();
      if (!advanced) return error_.empty() ? Result::needs_more : Result::error;
      if (missing_ != 0 || arguments_.empty()) continue;
      command = std::move(arguments_);
      arguments_.clear();
      size_ = 0;
      return Result::command;
    }
    return Result::error;
  }
  /// In Redis' words.
  const std::string& error() const noexcept { return error_; }

 private:
  std::string_view rest() const noexcept { return std::string_view(input_).substr(used_); }
  bool fail(std::string_view why) {
    error_ = "ERR Protocol error: ";
    error_ += why;
    return false;
  }

  /// The first line of a command, which may be all of it. Each of these returns false if it can
  /// not go on, for want of bytes or after an error.
  bool begin() {
    if (rest().empty()) return false;
    if (rest().front() != '*') return take_inline();
    const auto line = take_line("too big mbulk count string");
    if (!line) return false;
    const auto count = parse_integer(line->substr(1));
    const auto most = static_cast<std::int64_t>(limits_.command_bytes / limits_.argument_cost);
    if (!count || *count > most) return fail("invalid multibulk length");
    missing_ = *count > 0 ? static_cast<std::size_t>(*count) : 0;
    return true;
  }

  bool take_inline() {
    const std::size_t end = rest().substr(0, limits_.line_bytes + 1).find('\n');
    if (end == std::string_view::npos)
      return rest().size() > limits_.line_bytes && fail("too big inline request");
    std::string_view line = rest().substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    auto words = split_inline(line);
    used_ += end + 1;
    if (!words) return fail("unbalanced quotes in request");
    for (const std::string& word : *words)
      if (!fits(word.size())) return fail("too big inline request");
      else arguments_.emplace_back(std::string_view(word));
    return true;
  }

  bool take_length() {
    if (rest().empty()) return false;
    if (rest().front() != '$')
      return fail(std::string("expected '$', got '") + rest().front() + '\'');
    const auto line = take_line("too big bulk count string");
    if (!line) return false;
    const auto length = parse_integer(line->substr(1));
    if (!length || *length < 0 || !fits(static_cast<std::uint64_t>(*length)))
      return fail("invalid bulk length");
    length_ = static_cast<std::size_t>(*length);
    return true;
  }
  /// Counts an argument of that length.
  bool fits(std::uint64_t length) {
    const std::size_t room = limits_.command_bytes - size_;
    if (room < limits_.argument_cost || length > room - limits_.argument_cost) return false;
    size_ += limits_.argument_cost + static_cast<std::size_t>(length);
    return true;
  }

  bool take_argument() {
    constexpr std::size_t line_end = 2;  // as in Redis, two bytes of any kind
    if (rest().size() < *length_ + line_end) return false;
    arguments_.emplace_back(rest().substr(0, *length_));
    used_ += *length_ + line_end;
    length_.reset();
    --missing_;
    return true;
  }

  /// A line that says a length, without its end; valid until the next bytes.
  std::optional<std::string_view> take_line(std::string_view if_too_long) {
    const std::size_t end = rest().substr(0, limits_.line_bytes + 1).find('\r');
    if (end == std::string_view::npos) {
      if (rest().size() > limits_.line_bytes) fail(if_too_long);
      return std::nullopt;
    }
    if (rest().size() < end + 2) return std::nullopt;
    const std::string_view line = rest().substr(0, end);
    used_ += end + 2;
    return line;
  }

  ParserLimits limits_;
  std::string input_;
  std::size_t used_ = 0;  // of the input
  Command arguments_;
  std::size_t size_ = 0;     // of the arguments, those with a known length included
  std::size_t missing_ = 0;  // arguments of the command that has begun
  std::optional<std::size_t> length_;  // of the next one
  std::string error_;
};

}  // namespace redis

#endif

// Where a command's text goes: standard output, errors and input, and what a terminal is spared.
#ifndef MIRBFT_MIRCAT_CONSOLE_HPP
#define MIRBFT_MIRCAT_CONSOLE_HPP

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <stdexcept>
#include <streambuf>
#include <string>
#include <string_view>

#include <unistd.h>

namespace mirbft::mircat {

/// Exit statuses of all commands.
namespace status {
inline constexpr int ok = 0;
/// A difference, or damage, or nothing found by who was to find something.
inline constexpr int finding = 1;
/// Wrong usage, or input that cannot be read.
inline constexpr int unusable = 2;
}  // namespace status

/// Thrown by a stream whose reader has gone (`mircat cat x | head -1`): a quiet end, no error.
struct ClosedPipe {};

/// A stream's way to a file descriptor. What cannot be written is an exception, and not a state
/// that every command had to look at.
class OutputBuffer : public std::streambuf {
 public:
  explicit OutputBuffer(int handle) : handle_(handle) { restart(); }

 protected:
  int_type overflow(int_type character) override {
    sync();
    if (!traits_type::eq_int_type(character, traits_type::eof())) {
      *pptr() = traits_type::to_char_type(character);
      pbump(1);
    }
    return traits_type::not_eof(character);
  }

  int sync() override {
    std::string_view rest(pbase(), static_cast<std::size_t>(pptr() - pbase()));
    restart();
    while (!rest.empty()) {
      const ssize_t done = ::write(handle_, rest.data(), rest.size());
      if (done < 0 && errno == EINTR) continue;
      if (done < 0 && errno == EPIPE) throw ClosedPipe();
      if (done < 0)
        throw std::runtime_error(std::string("the output takes no more: ") + std::strerror(errno));
      rest.remove_prefix(static_cast<std::size_t>(done));
    }
    return 0;
  }

 private:
  void restart() { setp(buffer_.data(), buffer_.data() + buffer_.size()); }

  int handle_;
  std::array<char, std::size_t{1} << 16> buffer_;
};

/// Ways to write that only a terminal gets to see.
enum class Ink { bold = 1, dim = 2, red = 31, green = 32, yellow = 33, blue = 34, cyan = 36 };

/// Which of the streams are terminals, and whether the output may be coloured.
struct Terminals {
  bool in = false;
  bool out = false;
  bool err = false;
  bool colours = false;
};

/// The streams of a command.
class Console {
 public:
  Console(std::istream& in, std::ostream& out, std::ostream& err, Terminals terminals = {})
      : in_(in), out_(out), err_(err), terminals_(terminals) {}

  std::istream& in() const noexcept { return in_; }
  /// Throws ClosedPipe, or std::runtime_error where the output takes no more.
  std::ostream& out() const noexcept { return out_; }
  std::ostream& err() const noexcept { return err_; }
  const Terminals& terminals() const noexcept { return terminals_; }

  /// The text for `out()`, in colour where that is wanted.
  std::string paint(Ink ink, std::string_view text) const {
    if (!terminals_.colours) return std::string(text);
    return "\033[" + std::to_string(static_cast<int>(ink)) + 'm' + std::string(text) + "\033[0m";
  }

 private:
  std::istream& in_;
  std::ostream& out_;
  std::ostream& err_;
  Terminals terminals_;
};

/// The console of this process. Colours go to a terminal that knows them, unless the environment
/// has NO_COLOR (https://no-color.org).
class StandardConsole {
 public:
  StandardConsole() : console_(std::cin, out_, std::cerr, look()) {
    out_.exceptions(std::ios::badbit);
    // A closed pipe is told by write() then, and never ends the process amid something.
    std::signal(SIGPIPE, SIG_IGN);
  }

  Console& get() noexcept { return console_; }

 private:
  static Terminals look() {
    const auto given = [](const char* name) {
      const char* value = std::getenv(name);
      return std::string_view(value ? value : "");
    };
    Terminals found{::isatty(STDIN_FILENO) == 1, ::isatty(STDOUT_FILENO) == 1,
                    ::isatty(STDERR_FILENO) == 1, false};
    found.colours = found.out && given("NO_COLOR").empty() && given("TERM") != "dumb";
    return found;
  }

  OutputBuffer buffer_{STDOUT_FILENO};
  std::ostream out_{&buffer_};
  Console console_;
};

}  // namespace mirbft::mircat

#endif

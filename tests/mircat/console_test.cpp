#include <mirbft/mircat/console.hpp>

#include <doctest/doctest.h>

#include <array>
#include <csignal>
#include <ostream>
#include <sstream>
#include <stdexcept>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include <mirbft/mircat/progress.hpp>
#include <mirbft/mircat/table.hpp>
#include <mirbft/mircat/time.hpp>

namespace console_test {

using namespace mirbft::mircat;

namespace {

/// A console on strings, of which some are told to be terminals.
struct Recorded {
  explicit Recorded(Terminals terminals = {}) : console(in, out, err, terminals) {}

  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  Console console;
};

void show_for_long(Progress& progress) {
  for (std::uint64_t calls = 0; calls < 256; ++calls) progress.show(1, 4);
}

}  // namespace

TEST_CASE("What is written arrives, also when it is more than the buffer holds") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  REQUIRE(::fcntl(ends[1], F_SETPIPE_SZ, 1 << 18) >= 1 << 18);
  OutputBuffer buffer(ends[1]);
  std::ostream out(&buffer);
  const std::string text(100'000, 'x');
  out << "begin " << text << " end" << std::flush;
  ::close(ends[1]);
  std::string got(text.size() + 20, '\0');
  std::size_t size = 0;
  for (ssize_t part = 0; (part = ::read(ends[0], got.data() + size, got.size() - size)) > 0;)
    size += static_cast<std::size_t>(part);
  ::close(ends[0]);
  CHECK(got.substr(0, size) == "begin " + text + " end");
}

TEST_CASE("A reader that has gone ends what writes, by an exception of its own") {
  std::signal(SIGPIPE, SIG_IGN);
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  ::close(ends[0]);
  OutputBuffer buffer(ends[1]);
  std::ostream out(&buffer);
  out.exceptions(std::ios::badbit);
  out << "a line that nobody reads\n";
  CHECK_THROWS_AS(out.flush(), ClosedPipe);
  ::close(ends[1]);
}

TEST_CASE("A full disk is told") {
  const int full = ::open("/dev/full", O_WRONLY);
  REQUIRE(full >= 0);
  OutputBuffer buffer(full);
  std::ostream out(&buffer);
  out.exceptions(std::ios::badbit);
  out << "a line";
  CHECK_THROWS_WITH_AS(out.flush(), "the output takes no more: No space left on device",
                       std::runtime_error);
  ::close(full);
}

TEST_CASE("Colours are for who wants them") {
  const Recorded plain;
  CHECK(plain.console.paint(Ink::red, "text") == "text");
  const Recorded coloured({.in = false, .out = true, .err = false, .colours = true});
  CHECK(coloured.console.paint(Ink::red, "text") == "\033[31mtext\033[0m");
}

TEST_CASE("Progress is a bar on a terminal, gone in the end") {
  Recorded terminal({.in = true, .out = false, .err = true, .colours = false});
  {
    Progress progress(terminal.console, "reading", Meanwhile::lines);
    while (terminal.err.str().empty()) show_for_long(progress);
  }
  CHECK(terminal.err.str().find("reading [##########..............................] 25 %") !=
        std::string::npos);
  CHECK(terminal.err.str().ends_with("\r\033[K"));
}

TEST_CASE("Nothing is told of a short pass elsewhere, nor beside lines on the same terminal") {
  Recorded pipe;
  Recorded terminal({.in = true, .out = true, .err = true, .colours = false});
  Progress quiet(pipe.console, "reading");
  Progress hidden(terminal.console, "reading", Meanwhile::lines);
  Progress bar(terminal.console, "counting");
  while (terminal.err.str().empty()) {
    show_for_long(quiet);
    show_for_long(hidden);
    show_for_long(bar);
  }
  CHECK(pipe.err.str().empty());
  CHECK(terminal.err.str().find("reading") == std::string::npos);
}

TEST_CASE("A table's columns are as wide as they must be") {
  Recorded recorded;
  Table table({"name", " count", "note"});
  table.add({"a", "100000", "first"});
  table.add({"long name", "7", ""});
  table.print(recorded.console);
  CHECK(recorded.out.str() ==
        "name        count  note\n"
        "a          100000  first\n"
        "long name       7\n");
}

TEST_CASE("Sizes and times are for people") {
  CHECK(size_text(0) == "0");
  CHECK(size_text(1023) == "1023");
  CHECK(size_text(1536) == "1.5 KiB");
  CHECK(size_text(std::uint64_t{5} << 40) == "5.0 TiB");
  CHECK(duration_text(0) == "0 s");
  CHECK(duration_text(1'250) == "1.250 us");
  CHECK(duration_text(90'000'000'000) == "90.000 s");
  CHECK(time_text(0) == "-");
  CHECK(time_text(1'500'000'000) == "1.500000000s");
  CHECK(time_text(1'767'225'600'000'000'001) == "2026-01-01T00:00:00.000000001Z");
}

TEST_CASE("What is written for a time is read as that time") {
  for (const std::uint64_t time : {std::uint64_t{1}, std::uint64_t{1'500'000'000},
                                   std::uint64_t{1'767'225'600'000'000'001}})
    CHECK(parse_time(time_text(time)) == time);
  CHECK(parse_time("2026-01-01T00:00") == 1'767'225'600'000'000'000);
  CHECK(parse_time("2026-01-01T00:00:00.5") == 1'767'225'600'500'000'000);
  CHECK(parse_time("250ms") == 250'000'000);
  CHECK(parse_time("7ns") == 7);
  for (const char* wrong : {"", "s", "1", "1h", "1.x s", "-1s", "2026-13-01T00:00",
                            "2026-01-01T00:00:00.x", "1960-01-01T00:00", "99999999999999s"})
    CHECK_FALSE(parse_time(wrong));
}

}  // namespace console_test

// The protocol's reading side: commands in pieces of any size, limits, errors in Redis' words.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "../../examples/redis/command_parser.hpp"
#include "../../examples/redis/glob.hpp"

namespace redis::parser_test {

namespace {

using Words = std::vector<std::string>;

/// All commands of a stream that comes in pieces of `step` bytes, and the error at its end.
struct Read {
  explicit Read(std::string_view stream, std::size_t step = 1, ParserLimits limits = {}) {
    CommandParser parser(limits);
    for (; !stream.empty(); stream.remove_prefix(std::min(step, stream.size()))) {
      parser.feed(stream.substr(0, step));
      Command command;
      while (parser.next(command) == CommandParser::Result::command) {
        commands.emplace_back();
        for (const mirbft::Bytes& word : command) commands.back().emplace_back(word.text());
      }
    }
    error = parser.error();
    waiting = parser.waiting();
  }

  std::vector<Words> commands;
  std::string error;
  std::size_t waiting = 0;
};

std::string error_of(std::string_view stream, ParserLimits limits = {}) {
  return Read(stream, 1 << 20, limits).error;
}

}  // namespace

TEST_CASE("parser: arrays and lines, cut anywhere") {
  using namespace std::literals;
  const std::string_view stream =
      "*2\r\n$3\r\nGET\r\n$4\r\na\r\nb\r\nPING\r\n\r\n*0\r\n*-1\r\n"
      "  set 'a b' \"c\\x41\\n\\\"\"\n*1\r\n$0\r\n\r\n"sv;
  const std::vector<Words> expected{{"GET", "a\r\nb"}, {"PING"}, {"set", "a b", "cA\n\""}, {""}};
  for (std::size_t step = 1; step <= stream.size(); ++step) {
    const Read read(stream, step);
    CHECK(read.commands == expected);
    CHECK(read.error.empty());
    CHECK(read.waiting == 0);
  }
}

TEST_CASE("parser: quotes of lines typed by hand") {
  CHECK(Read("a'b c'\n").commands == std::vector<Words>{{"ab c"}});
  CHECK(Read("'it\\'s' \"\\t\\a\\b\\r\\q\\xzz\"\n").commands ==
        std::vector<Words>{{"it's", "\t\a\b\rqxzz"}});
  CHECK(Read("\"\" ''\n").commands == std::vector<Words>{{"", ""}});
  for (const char* line : {"a 'b\n", "a \"b\n", "\"a\"b\n", "'a'b\n", "\"a\\\n"})
    CHECK(error_of(line) == "ERR Protocol error: unbalanced quotes in request");
}

TEST_CASE("parser: errors in Redis' words, once and for all") {
  const std::string start = "ERR Protocol error: ";
  CHECK(error_of("*x\r\n") == start + "invalid multibulk length");
  CHECK(error_of("*99999999999\r\n") == start + "invalid multibulk length");
  CHECK(error_of("*1\r\nPING\r\n") == start + "expected '$', got 'P'");
  CHECK(error_of("*1\r\n$-1\r\n") == start + "invalid bulk length");
  CHECK(error_of("*1\r\n$01\r\n") == start + "invalid bulk length");
  CHECK(error_of("*1\r\n$999999999999\r\n") == start + "invalid bulk length");
  const std::string endless(70'000, '1');
  CHECK(error_of(endless) == start + "too big inline request");
  CHECK(error_of('*' + endless) == start + "too big mbulk count string");
  CHECK(error_of("*1\r\n$" + endless) == start + "too big bulk count string");
  CHECK(Read("PING\r\n*x\r\nPING\r\n").commands == std::vector<Words>{{"PING"}});
}

TEST_CASE("parser: a command that is too large is refused before it comes") {
  const ParserLimits limits{.command_bytes = 100};
  CHECK(error_of("*2\r\n$42\r\n" + std::string(42, 'x') + "\r\n$42\r\n", limits).empty());
  CHECK(error_of("*2\r\n$42\r\n" + std::string(42, 'x') + "\r\n$43\r\n", limits) ==
        "ERR Protocol error: invalid bulk length");
  CHECK(error_of("*12\r\n", limits).empty());
  CHECK(error_of("*13\r\n", limits) == "ERR Protocol error: invalid multibulk length");
  CHECK(error_of("a " + std::string(100, 'x') + "\n", limits) ==
        "ERR Protocol error: too big inline request");
  // The next command has the whole limit again.
  const std::string large = "*1\r\n$92\r\n" + std::string(92, 'x') + "\r\n";
  CHECK(Read(large + large, 7, limits).commands.size() == 2);
}

TEST_CASE("numbers: integers have one form") {
  CHECK(parse_integer("-9223372036854775808") == std::numeric_limits<std::int64_t>::min());
  CHECK(parse_integer("0") == 0);
  for (const char* text : {"", "-", "+1", "01", "-0", "1 ", " 1", "1.0", "9223372036854775808"})
    CHECK_FALSE(parse_integer(text));
}

TEST_CASE("numbers: scores are read as C reads them, and written with 17 digits") {
  CHECK(parse_score("0x1p3") == 8);
  CHECK(parse_score("+1e3") == 1000);
  CHECK(parse_score("1e-310") == 1e-310);
  CHECK(text_of(parse_score("-INF").value()) == "-inf");
  CHECK(text_of(parse_score("-0").value()) == "0");
  CHECK(text_of(3.1) == "3.1000000000000001");
  CHECK(text_of(1e17) == "1e+17");
  for (const char* text : {"", "nan", "-nan", "1x", " 1", "--1", "+-1", "1e999",
                           "1e-999", "0x", "0xinf"})
    CHECK_FALSE(parse_score(text));
}

TEST_CASE("glob: stars, classes and letters that mean themselves") {
  CHECK(matches("h?llo*", "hello world"));
  CHECK(matches("*a*b*c", "xxaxxbxxbxc"));
  CHECK(matches("[^b-d]x\\*", "ax*"));
  CHECK(matches("[z-a]", "m"));
  CHECK(matches("[\\]]", "]"));
  CHECK(matches("", ""));
  CHECK(matches("**", ""));
  CHECK_FALSE(matches("a", ""));
  CHECK_FALSE(matches("", "a"));
  CHECK_FALSE(matches("[^a]", "a"));
  CHECK_FALSE(matches("a\\*", "ab"));
  CHECK_FALSE(matches("[a", "b"));
}

TEST_CASE("glob: no pattern takes for ever") {
  std::string pattern;
  for (int stars = 0; stars < 1000; ++stars) pattern += "a*";
  CHECK_FALSE(matches(pattern + "b", std::string(20'000, 'a')));
}

}  // namespace redis::parser_test

// The quickstart's input: which lines are commands, what a wrong one is told, who submits which.
#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include <mirbft/types/errors.hpp>

#include "../../examples/replica/commands.hpp"

namespace mirbft::commands_test {

using namespace quickstart;

namespace {

std::string complaint(const std::string& text) {
  try {
    parse_commands(text, "a.txt");
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "none";
}

}  // namespace

TEST_CASE("commands: one a line, without blank lines, remarks and line ends of any kind") {
  const std::vector<std::string> expected{"SET a two words ", "GET a", "INCR n", "DEL a"};
  CHECK(parse_commands("SET a two words \nGET a\nINCR n\nDEL a\n", "a.txt") == expected);
  CHECK(parse_commands("# first\r\n\r\nSET a two words \r\nGET a\n\nINCR n\n#\nDEL a", "a.txt") ==
        expected);
}

TEST_CASE("commands: a wrong line is named with its number and the rule") {
  const std::string rule = "must be SET key value, GET key, DEL key or INCR key";
  CHECK(complaint("GET a\n\nPUT a 1\n") == "a.txt line 3 = \"PUT a 1\": " + rule);
  CHECK(complaint("get a") == "a.txt line 1 = \"get a\": " + rule);
  CHECK(complaint("#\nSET a") == "a.txt line 2 = \"SET a\": " + rule);
  CHECK(complaint(" GET a") == "a.txt line 1 = \" GET a\": " + rule);
  CHECK(complaint(std::string("\x7f"
                              "ELF\x01\x00\t",
                              7)) ==
        "a.txt line 1 = \"\x7f"
        "ELF???\": " +
            rule);
  CHECK(complaint("GET a\n" + std::string(100, 'x')) ==
        "a.txt line 2 = \"" + std::string(40, 'x') + "...\": " + rule);
  CHECK(complaint("SET a " + std::string(65530, 'x')) == "none");
  CHECK(complaint("SET a " + std::string(65531, 'x')) ==
        "a.txt line 1 = \"SET a " + std::string(34, 'x') +
            "...\": must be no longer than 65536 bytes");
}

TEST_CASE("commands: an input without any is told so") {
  for (const char* text : {"", "\n\n", "# only a remark\n"})
    CHECK(complaint(text) ==
          "a.txt = no command: must hold one a line: SET key value, GET key, DEL key or INCR key");
}

TEST_CASE("commands: what cannot be read is told so") {
  CHECK_THROWS_WITH_AS(read_input("/nowhere/a.txt"),
                       "/nowhere/a.txt = No such file or directory: must be a file that this user "
                       "can read; - is standard input",
                       ConfigError);
  CHECK_THROWS_WITH_AS(
      read_input("/"),
      "/ = Is a directory: must be a file that this user can read; - is standard input",
      ConfigError);
}

TEST_CASE("workload: every command is one client's, and each client has its own in order") {
  for (const std::size_t commands : std::vector<std::size_t>{1, 7, 8, 9, 100}) {
    const std::vector<ClientId> clients{ClientId(5), ClientId(2), ClientId(9)};
    const Workload workload(std::vector<std::string>(commands, "GET a"), clients);
    std::set<std::size_t> places;
    for (std::size_t c = 0; c < clients.size(); ++c)
      for (ReqNo number; number.value < workload.share_of(clients[c]); ++number) {
        const std::size_t place = workload.place_of(clients[c], number);
        CHECK(place % clients.size() == c);
        CHECK(place / clients.size() == number.value);
        CHECK(place < commands);
        places.insert(place);
      }
    CHECK(places.size() == commands);
  }
}

TEST_CASE("workload: what is no command has no place") {
  const Workload workload({"GET a", "GET b", "GET c"}, {ClientId(0), ClientId(1)});
  CHECK(workload.command(workload.place_of(ClientId(1), ReqNo(0))) == "GET b");
  CHECK(workload.place_of(ClientId(1), ReqNo(1)) == workload.size());
  CHECK(workload.place_of(ClientId(0), ReqNo(2)) == workload.size());
  CHECK(workload.place_of(ClientId(0), ReqNo(~std::uint64_t{0})) == workload.size());
  CHECK(workload.place_of(ClientId(2), ReqNo(0)) == workload.size());
}

}  // namespace mirbft::commands_test

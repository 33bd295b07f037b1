// Any stream, cut in any way, gives the same commands and the same error as in one piece; none
// takes more than its limit, and each reads the same when it is written as an array.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "../../examples/redis/command_parser.hpp"

using namespace redis;

namespace {

constexpr ParserLimits limits{.command_bytes = 400, .line_bytes = 200};

void require(bool holds) {
  if (!holds) std::abort();
}

struct Read {
  std::vector<Command> commands;
  std::string error;
};

Read read(std::string_view stream, std::string_view cuts) {
  Read read;
  CommandParser parser(limits);
  for (std::size_t round = 0; !stream.empty(); ++round) {
    const std::size_t here = std::min<std::size_t>(
        stream.size(), static_cast<unsigned char>(cuts[round % cuts.size()]) + 1U);
    parser.feed(stream.substr(0, here));
    stream.remove_prefix(here);
    Command command;
    while (parser.next(command) == CommandParser::Result::command)
      read.commands.push_back(command);
  }
  read.error = parser.error();
  return read;
}

void check_round_trip(const Command& command) {
  std::size_t size = 0;
  std::string written = '*' + std::to_string(command.size()) + "\r\n";
  for (const mirbft::Bytes& word : command) {
    size += word.size() + ParserLimits::argument_cost;
    written += '$' + std::to_string(word.size()) + "\r\n";
    written += word.text();
    written += "\r\n";
  }
  require(!command.empty() && size <= limits.command_bytes);
  const Read again = read(written, "\xff");
  require(again.error.empty() && again.commands == std::vector<Command>{command});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t cut_count = 4;
  if (size < cut_count) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view stream = input.substr(cut_count);
  const Read whole = read(stream, "\xff");
  const Read cut = read(stream, input.substr(0, cut_count));
  require(cut.commands == whole.commands && cut.error == whole.error);
  for (const Command& command : whole.commands) check_round_trip(command);
  return 0;
}

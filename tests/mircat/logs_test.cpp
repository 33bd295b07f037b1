#include <mirbft/mircat/logs.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <vector>

#include "../log/sample_log.hpp"

namespace mirbft::logs_test {

using namespace mirbft::mircat;

namespace {

/// Lists of one Tick each, dispatched at these times.
void write_ticks(const std::string& path, NodeId node, std::initializer_list<std::uint64_t> times) {
  LogWriter log(path);
  log.begin(node, bytes_of("sample"), sample::Types{});
  for (const std::uint64_t time : times)
    log.append(slot::tracker, sample::List{sample::tick(static_cast<std::int64_t>(time))}, time);
}

/// "node:index" of all that is left.
std::vector<std::string> rest_of(Logs& logs) {
  std::vector<std::string> order;
  while (const auto found = logs.next())
    order.push_back(std::to_string(found->node.value) + ':' + std::to_string(found->event.index));
  return order;
}

using Order = std::vector<std::string>;

}  // namespace

TEST_CASE("Logs are read by time, then node, then index") {
  const sample::TemporaryFile one, two;
  write_ticks(one.path(), NodeId(1), {10, 20, 20, 40});
  write_ticks(two.path(), NodeId(0), {20, 30});
  Logs logs({one.path(), two.path()});
  CHECK(rest_of(logs) == Order{"1:0", "0:0", "1:1", "1:2", "0:1", "1:3"});
  CHECK(logs.done() <= logs.total());
}

TEST_CASE("A clock that goes back does not change the order within a log") {
  const sample::TemporaryFile one, two;
  write_ticks(one.path(), NodeId(0), {50, 10, 60});
  write_ticks(two.path(), NodeId(1), {20, 55});
  Logs logs({one.path(), two.path()});
  CHECK(rest_of(logs) == Order{"1:0", "0:0", "0:1", "1:1", "0:2"});
}

TEST_CASE("A directory stands for all logs in it and below it, and for nothing else") {
  const sample::TemporaryFile directory;
  std::filesystem::create_directories(directory.path() + "/inner");
  write_ticks(directory.path() + "/inner/a", NodeId(2), {10});
  write_ticks(directory.path() + "/b.log", NodeId(3), {20});
  std::ofstream(directory.path() + "/notes.txt") << "no log at all";
  std::ofstream(directory.path() + "/empty.log");
  Logs logs({directory.path()});
  CHECK(rest_of(logs) == Order{"2:0", "3:0"});
}

TEST_CASE("A series of files is one log, and a directory has it once") {
  const sample::TemporaryFile directory;
  std::filesystem::create_directory(directory.path());
  LogOptions options;
  options.rotation = LogRotation();
  options.rotation->bytes = 1;
  {
    LogWriter log(directory.path() + "/node", options);
    log.begin(NodeId(4), bytes_of("sample"), sample::Types{});
    for (const std::uint64_t time : {10u, 20u, 30u})
      log.append(slot::tracker, sample::List{sample::tick(1)}, time);
  }
  const std::vector<std::string> files = log_files({directory.path()});
  REQUIRE(files.size() == 1);
  CHECK(files[0] == directory.path() + "/node-0001");
  CHECK(log_size(files[0]) > 3 * log_format::prologue_size);
  Logs logs({directory.path()});
  CHECK(rest_of(logs) == Order{"4:0", "4:1", "4:2"});
}

TEST_CASE("A log that grows is read on") {
  const sample::TemporaryFile file;
  LogWriter writer(file.path());
  writer.begin(NodeId(0), bytes_of("sample"), sample::Types{});
  Logs logs({file.path()});
  CHECK_FALSE(logs.next());
  writer.append(slot::tracker, sample::List{sample::tick(1)}, 1);
  CHECK(rest_of(logs) == Order{"0:0"});
  writer.append(slot::tracker, sample::List{sample::tick(2), sample::tick(3)}, 2);
  CHECK(rest_of(logs) == Order{"0:1", "0:2"});
}

TEST_CASE("Damage in one log is told after all that can be read") {
  const sample::TemporaryFile damaged, sound;
  write_ticks(damaged.path(), NodeId(0), {10, 20, 30});
  write_ticks(sound.path(), NodeId(1), {15, 25, 35});
  std::string content = damaged.content();
  const std::uint64_t block = sample::block_ends(damaged.path())[1];
  content[static_cast<std::size_t>(block) + 3] ^= 1;
  damaged.write(content);
  Logs logs({damaged.path(), sound.path()});
  Order order;
  CHECK_THROWS_WITH_AS(
      while (const auto found = logs.next()) order.push_back(std::to_string(found->event.time)),
      doctest::Contains((damaged.path() + ": at byte " + std::to_string(block)).c_str()), LogError);
  CHECK(order == Order{"10", "15", "25", "35"});
}

TEST_CASE("What is no log is refused by name") {
  const sample::TemporaryFile text, directory;
  text.write("It was a dark and stormy night");
  std::filesystem::create_directory(directory.path());
  CHECK_THROWS_WITH_AS(Logs({text.path()}),
                       doctest::Contains((text.path() + ": this is no event log").c_str()),
                       ConfigError);
  CHECK_THROWS_WITH_AS(Logs({"/nowhere/a.log"}), doctest::Contains("cannot open"), ConfigError);
  CHECK_THROWS_WITH_AS(Logs({directory.path()}), doctest::Contains("no file in this directory"),
                       ConfigError);
}

}  // namespace mirbft::logs_test

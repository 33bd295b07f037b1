#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <mirbft/log/reader.hpp>
#include <mirbft/log/series.hpp>
#include <mirbft/log/writer.hpp>

#include "sample_log.hpp"

namespace mirbft::series_test {

namespace {

/// A folder that is gone at the end.
struct Folder : sample::TemporaryFile {
  Folder() { std::filesystem::create_directory(path()); }
  std::string operator/(const char* name) const { return path() + '/' + name; }
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& file : log_format::series_files(path())) names.push_back(file.file());
    return names;
  }
};

LogOptions rotating(const LogRotation& rotation) {
  LogOptions options;
  options.rotation = rotation;
  return options;
}

/// A file for every list.
LogOptions one_list_each() {
  LogRotation rotation;
  rotation.bytes = 1;
  return rotating(rotation);
}

LogWriter begun(const std::string& path, const LogOptions& options, NodeId self = NodeId(3)) {
  LogWriter log(path, options);
  log.begin(self, {}, sample::Types{});
  return log;
}

void write(LogWriter& log, std::int64_t first, std::int64_t end, std::uint64_t step = 10) {
  for (std::int64_t i = first; i < end; ++i)
    log.append(slot::tracker, sample::List{sample::tick(i), sample::tick(i)},
               static_cast<std::uint64_t>(i) * step);
}

/// Reads what is left; each tick must be the one that its index says.
std::uint64_t read_on(LogReader& log) {
  std::uint64_t count = 0;
  for (; const auto event = log.next(); ++count)
    REQUIRE(event->as<Tick>()->now.count() == static_cast<std::int64_t>(event->index / 2));
  return count;
}

std::string reason(const std::string& path) {
  try {
    LogReader log(path);
    while (log.next()) continue;
  } catch (const LogError& error) {
    return error.reason();
  }
  return "none";
}

}  // namespace

TEST_CASE("names of files, series and logs") {
  const auto file = log_format::SeriesFile::of("a-1-0012.000345.mirlog");
  REQUIRE(file);
  CHECK(file->name == "a-1");
  CHECK(file->run == 12);
  CHECK(file->number == 345);
  CHECK(file->series() == "a-1-0012");
  CHECK(file->file() == "a-1-0012.000345.mirlog");
  CHECK(log_format::SeriesFile{"a", 12345, 1234567}.file() == "a-12345.1234567.mirlog");
  for (const char* other :
       {"", "a", ".mirlog", "a.mirlog", "a.1.mirlog", "a-1.mirlog", "-1.1.mirlog", "a-1.x.mirlog",
        "a-x.1.mirlog", "a-1.1.mirlog.gz", "a-1.+1.mirlog", "a-1.99999999999999999999.mirlog"}) {
    CAPTURE(other);
    CHECK_FALSE(log_format::SeriesFile::of(other));
  }
}

TEST_CASE("files that are long enough are followed by others, and read as one log") {
  const Folder folder;
  LogWriter log = begun(folder / "n", one_list_each());
  CHECK(log.path() == folder / "n-0001.000001.mirlog");
  write(log, 0, 5);
  CHECK(folder.names() == std::vector<std::string>{
                              "n-0001.000001.mirlog", "n-0001.000002.mirlog",
                              "n-0001.000003.mirlog", "n-0001.000004.mirlog",
                              "n-0001.000005.mirlog"});
  for (const std::string& path : {folder.path(), folder / "n-0001"}) {
    LogReader all(path);
    CHECK(all.node() == NodeId(3));
    CHECK(read_on(all) == 10);
    CHECK(all.file() == folder / "n-0001.000005.mirlog");
  }
  LogReader one(folder / "n-0001.000004.mirlog");
  CHECK(one.next()->index == 6);
  CHECK(one.next()->index == 7);
  CHECK_FALSE(one.next());
}

TEST_CASE("files grow up to what is asked for, and are not cut within a list") {
  const Folder folder;
  LogRotation rotation;
  rotation.bytes = 10'000;
  {
    LogWriter log = begun(folder / "n", rotating(rotation));
    write(log, 0, 500);
  }
  const auto names = folder.names();
  REQUIRE(names.size() > 2);
  for (std::size_t i = 0; i + 1 < names.size(); ++i) {
    const auto size = std::filesystem::file_size(folder.path() + '/' + names[i]);
    CHECK(size >= 10'000);
    CHECK(size < 10'200);
  }
  LogReader all(folder.path());
  CHECK(read_on(all) == 1000);
}

TEST_CASE("a file may follow after a list whose last event has filled a block") {
  const Folder folder;
  const std::string text(log_format::block_target, 'x');
  {
    LogWriter log = begun(folder / "n", one_list_each());
    log.append(slot::tracker, sample::List{sample::new_request(0, text.c_str())});
    log.append(slot::tracker, sample::List{sample::new_request(1, text.c_str())});
    log.append(slot::tracker, sample::List{});
    log.append(slot::tracker, sample::List{sample::new_request(2, "y")});
  }
  CHECK(folder.names().size() == 3);
  LogReader all(folder.path());
  std::uint64_t count = 0;
  for (; const auto event = all.next(); ++count)
    CHECK(event->as<NewRequest>()->request.req_no == ReqNo(count));
  CHECK(count == 3);
}

TEST_CASE("files that are old enough are followed by others, also when the clock goes back") {
  const Folder folder;
  LogRotation rotation;
  rotation.age = std::chrono::nanoseconds(100);
  LogWriter log = begun(folder / "n", rotating(rotation));
  write(log, 50, 60);
  CHECK(folder.names().size() == 1);
  write(log, 60, 61);
  CHECK(folder.names().size() == 2);
  write(log, 20, 30);
  CHECK(folder.names().size() == 2);
  write(log, 71, 72);
  CHECK(folder.names().size() == 3);
}

TEST_CASE("the oldest files go, of earlier runs first, and nobody else's") {
  const Folder folder;
  std::ofstream(folder / "m-0001.000001.mirlog") << "another log's";
  LogOptions options = one_list_each();
  {
    LogWriter log = begun(folder / "n", options);
    write(log, 0, 3);
  }
  options.rotation->keep_files = 4;
  {
    LogWriter log = begun(folder / "n", options);
    CHECK(folder.names().size() == 1 + 4);
    write(log, 0, 3);
  }
  CHECK(folder.names() == std::vector<std::string>{
                              "m-0001.000001.mirlog", "n-0001.000003.mirlog",
                              "n-0002.000001.mirlog", "n-0002.000002.mirlog",
                              "n-0002.000003.mirlog"});
  LogReader left(folder / "n-0001");
  CHECK(left.next()->index == 4);

  options.rotation->keep_files = 0;
  options.rotation->keep_bytes = 1;
  LogWriter log = begun(folder / "n", options);
  write(log, 0, 7);
  CHECK(folder.names() ==
        std::vector<std::string>{"m-0001.000001.mirlog", "n-0003.000007.mirlog"});
}

TEST_CASE("a series is read while it grows, file by file") {
  const Folder folder;
  LogWriter log = begun(folder / "n", one_list_each());
  LogReader reader(folder / "n-0001");
  CHECK_FALSE(reader.next());
  for (std::int64_t i = 0; i < 4; ++i) {
    write(log, i, i + 1);
    CHECK(read_on(reader) == 2);
    CHECK(reader.file() == log.path());
  }
  SUBCASE("a next file that is only begun is not there yet") {
    const std::string next = folder / "n-0001.000005.mirlog";
    const std::string whole = [&] {
      const Folder other;
      LogWriter same = begun(other / "n", one_list_each());
      write(same, 0, 5);
      return std::string(std::istreambuf_iterator<char>(
                             std::ifstream(other / "n-0001.000005.mirlog", std::ios::binary)
                                 .rdbuf()),
                         {});
    }();
    for (const std::size_t size : {std::size_t{0}, std::size_t{11}, std::size_t{60}}) {
      std::ofstream(next, std::ios::binary) << whole.substr(0, size);
      CHECK_FALSE(reader.next());
    }
    std::ofstream(next, std::ios::binary) << whole;
    CHECK(read_on(reader) == 2);
  }
  SUBCASE("what is deleted before it was read is missed") {
    write(log, 4, 7);
    std::filesystem::remove(folder / "n-0001.000005.mirlog");
    CHECK_THROWS_WITH_AS(reader.next(), doctest::Contains("n-0001.000005.mirlog is gone"),
                         LogError);
  }
  SUBCASE("what is deleted while it is read is read to its end") {
    write(log, 4, 6);
    CHECK(reader.next()->index == 8);
    for (const auto& name : folder.names())
      if (name != "n-0001.000006.mirlog") std::filesystem::remove(folder.path() + '/' + name);
    CHECK(read_on(reader) == 3);
  }
}

TEST_CASE("files that do not belong together are refused with a reason") {
  const Folder folder;
  {
    LogWriter log = begun(folder / "n", one_list_each());
    write(log, 0, 3);
  }
  const std::string second = folder / "n-0001.000002.mirlog";
  SUBCASE("a file of another node") {
    const Folder other;
    LogWriter log = begun(other / "n", one_list_each(), NodeId(4));
    write(log, 0, 2);
    std::filesystem::copy_file(other / "n-0001.000002.mirlog", second,
                               std::filesystem::copy_options::overwrite_existing);
    CHECK(reason(folder.path()) == "the file is another Node's than those before it");
  }
  SUBCASE("a file in the middle that is cut off") {
    std::filesystem::resize_file(second, std::filesystem::file_size(second) - 1);
    CHECK(reason(folder.path()) == "damaged: the file is cut off, and yet another follows");
  }
  SUBCASE("a file without its last block") {
    std::filesystem::resize_file(second, sample::block_ends(second)[0]);
    CHECK(reason(folder.path()) == "damaged: event 4 follows where 2 must");
  }
  SUBCASE("several logs in a folder") {
    LogWriter log = begun(folder / "n", one_list_each());
    CHECK(reason(folder.path()) ==
          "the folder holds several logs, such as n-0001 and n-0002: choose one");
    CHECK(reason(folder / "n-0001") == "none");
  }
  CHECK(reason(folder / "n-0009") == "cannot open: No such file or directory");
}

TEST_CASE("a file tells of which log it is a part, and a log how long it is") {
  const Folder folder;
  sample::write_log(folder / "plain.mirlog");
  LogWriter log = begun(folder / "n", one_list_each());
  write(log, 0, 2);
  CHECK(log_of(folder / "plain.mirlog") == folder / "plain.mirlog");
  CHECK(log_of(folder / "n-0001.000002.mirlog") == folder / "n-0001");
  CHECK(log_size(folder / "plain.mirlog") ==
        std::filesystem::file_size(folder / "plain.mirlog"));
  CHECK(log_size(folder / "n-0001") ==
        std::filesystem::file_size(folder / "n-0001.000001.mirlog") +
            std::filesystem::file_size(folder / "n-0001.000002.mirlog"));
  CHECK(log_size(folder / "none") == 0);
}

}  // namespace mirbft::series_test

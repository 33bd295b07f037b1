#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <mirbft/log/reader.hpp>

#include "sample_log.hpp"

using namespace mirbft;

namespace {

struct ReadBack {
  std::vector<LogEvent> events;
  std::uint64_t torn = 0;
  bool refused = false;
};

ReadBack read_back(const std::string& path) {
  ReadBack result;
  try {
    LogReader log(path);
    while (auto event = log.next()) result.events.push_back(std::move(*event));
    result.torn = log.torn_bytes();
  } catch (const LogError&) {
    result.refused = true;
  }
  return result;
}

bool is_same(const LogEvent& one, const LogEvent& other) {
  return one.index == other.index && one.slot == other.slot && one.number == other.number &&
         one.payload == other.payload && one.offset == other.offset &&
         one.time == other.time;
}

bool is_prefix(const std::vector<LogEvent>& part, const std::vector<LogEvent>& whole) {
  return part.size() <= whole.size() &&
         std::equal(part.begin(), part.end(), whole.begin(), is_same);
}

std::string reason(const std::string& path) {
  try {
    LogReader log(path);
    while (log.next()) continue;
  } catch (const LogError& error) {
    CHECK(error.file() == path);
    return error.reason();
  }
  return "none";
}

/// A log of this block after a sound beginning.
void write_block(const sample::TemporaryFile& file, log_format::BlockHeader header,
                 const std::string& content) {
  std::filesystem::remove(file.path());
  {
    LogWriter writer(file.path());
    writer.begin(NodeId(1), {}, sample::Types{});
  }
  header.length = static_cast<std::uint32_t>(content.size());
  header.checksum = crc32c(bytes_of(content));
  std::string stored(log_format::BlockHeader::size, '\0');
  header.store(reinterpret_cast<std::uint8_t*>(stored.data()));
  std::ofstream(file.path(), std::ios::binary | std::ios::app) << stored << content;
}

std::string entry(std::uint32_t number, std::uint32_t length, const std::string& payload) {
  std::string stored(log_format::EntryHeader::size, '\0');
  log_format::EntryHeader{number, length}.store(reinterpret_cast<std::uint8_t*>(stored.data()));
  return stored + payload;
}

}  // namespace

TEST_CASE("a log cut at any byte reads up to its last whole block") {
  const sample::TemporaryFile file;
  sample::write_log(file.path());
  const std::vector<LogEvent> all = read_back(file.path()).events;
  const std::vector<std::uint64_t> ends = sample::block_ends(file.path());
  const std::vector<std::size_t> events_until{0, 3, 6, 7};
  REQUIRE(ends.size() == events_until.size());

  for (std::uint64_t size = std::filesystem::file_size(file.path()); size-- > 0;) {
    CAPTURE(size);
    std::filesystem::resize_file(file.path(), size);
    const ReadBack cut = read_back(file.path());
    REQUIRE(cut.refused == (size < ends.front()));
    if (cut.refused) continue;
    std::size_t whole = ends.size() - 1;
    while (ends[whole] > size) --whole;
    REQUIRE(cut.events.size() == events_until[whole]);
    REQUIRE(is_prefix(cut.events, all));
    REQUIRE(cut.torn == size - ends[whole]);
  }
}

TEST_CASE("every flipped bit is detected, and what comes before it is good") {
  const sample::TemporaryFile file;
  sample::write_log(file.path());
  const std::vector<LogEvent> all = read_back(file.path()).events;
  std::fstream bytes(file.path(), std::ios::binary | std::ios::in | std::ios::out);
  const std::string content = file.content();

  for (std::size_t bit = 0; bit < 8 * content.size(); ++bit) {
    CAPTURE(bit);
    const auto place = static_cast<std::streamoff>(bit / 8);
    const char original = content[bit / 8];
    bytes.seekp(place).put(static_cast<char>(original ^ (1 << (bit % 8)))).flush();
    const ReadBack damaged = read_back(file.path());
    bytes.seekp(place).put(original).flush();
    REQUIRE(damaged.refused);
    REQUIRE(is_prefix(damaged.events, all));
  }
  CHECK(read_back(file.path()).events.size() == all.size());
}

TEST_CASE("what is no log is refused with a reason") {
  const sample::TemporaryFile file;
  CHECK(reason(file.path()) == "cannot open: No such file or directory");
  CHECK(reason("/tmp") == "this is no regular file and so no event log");
  CHECK(reason("/dev/zero") == "this is no regular file and so no event log");

  file.write("");
  CHECK(reason(file.path()) == "the file is empty: no Node has begun to write to it");
  file.write("#!/bin/sh\n");
  CHECK(reason(file.path()) == "this is no event log: it does not begin like one");
  file.write("#");
  CHECK(reason(file.path()) == "this is no event log: it does not begin like one");
  file.write("\x89mirlog\n");
  CHECK(reason(file.path()) == "the log is cut off in its very beginning");
  file.write(std::string("\x89mirlog\n\x01\0\0\0", 12));
  CHECK(reason(file.path()) ==
        "the log has version 1 of the format, and this program reads only version 2");
  file.write(std::string("\x89mirlog\n\x02\0\0\0", 12));
  CHECK(reason(file.path()) == "the log is cut off before it says what its events are");
}

TEST_CASE("blocks with sound checksums and senseless content are refused with a reason") {
  using log_format::Kind;
  const sample::TemporaryFile file;
  const std::string good = entry(Tick::number, 0, "");

  write_block(file, {0, Kind::list, 0, 0, 0, 0}, good);
  CHECK(reason(file.path()) == "none");
  write_block(file, {0, Kind::list, 0, 0, 0, 0}, "");
  CHECK(reason(file.path()) == "none");
  write_block(file, {0, Kind{3}, 0, 0, 0, 0}, good);
  CHECK(reason(file.path()) == "damaged: no list of events where one must be");
  write_block(file, {0, Kind::preamble, 0, 0, 0, 0}, good);
  CHECK(reason(file.path()) == "damaged: no list of events where one must be");
  write_block(file, {0, Kind::list, slot_count, 0, 0, 0}, good);
  CHECK(reason(file.path()) == "damaged: no list of events where one must be");
  write_block(file, {0, Kind::list, 0, 0, 0, 0}, good + "1234567");
  CHECK(reason(file.path()) == "damaged: half an event");
  write_block(file, {0, Kind::list, 0, 0, 0, 0}, entry(Tick::number, 2, "1"));
  CHECK(reason(file.path()) == "damaged: the event reaches beyond its block");
  write_block(file, {0, Kind::list, 0, 0, 0, 0}, entry(77, 0, ""));
  CHECK(reason(file.path()) == "damaged: event number 77 is not among the log's types");
}

TEST_CASE("a missing block is noticed, and a log may begin in the middle of the order") {
  const sample::TemporaryFile file;
  sample::write_log(file.path());
  const std::vector<std::uint64_t> ends = sample::block_ends(file.path());
  const std::string content = file.content();

  file.write(content.substr(0, ends[1]) + content.substr(ends[2]));
  CHECK(reason(file.path()) == "damaged: event 6 follows where 3 must");

  file.write(content.substr(0, ends[0]) + content.substr(ends[1]));
  const ReadBack later = read_back(file.path());
  REQUIRE(later.events.size() == 4);
  CHECK(later.events.front().index == 3);
}

TEST_CASE("an event that its C++ type cannot hold is an error, not a crash") {
  const sample::TemporaryFile file;
  write_block(file, {0, log_format::Kind::list, 0, 0, 0, 0}, entry(Tick::number, 1, "\xff"));
  LogReader log(file.path());
  const auto event = log.next();
  REQUIRE(event);
  CHECK_FALSE(event->as<Tick>());
  CHECK_THROWS_WITH_AS(log.decode<Tick>(*event),
                       doctest::Contains("mirbft.v1.Tick is not as this program knows it"),
                       LogError);
}

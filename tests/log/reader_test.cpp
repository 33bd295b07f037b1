#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <vector>

#include <mirbft/log/reader.hpp>

#include "sample_log.hpp"

namespace mirbft::reader_test {

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

std::string list(std::uint32_t slot, std::uint32_t events) {
  std::string stored(log_format::ListHeader::size, '\0');
  log_format::ListHeader{slot, events, 0}.store(reinterpret_cast<std::uint8_t*>(stored.data()));
  return stored;
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
  log_format::BlockHeader one;
  one.kind = Kind::lists;
  one.events = 1;
  one.slots = (1u << slot_count) - 1;
  one.types = ~std::uint64_t{0};

  write_block(file, one, list(0, 1) + good);
  CHECK(reason(file.path()) == "none");
  write_block(file, one, list(0, 0) + list(1, 1) + good);
  CHECK(reason(file.path()) == "none");
  write_block(file, one, list(0, 1) + good + good);
  CHECK(reason(file.path()) == "damaged: the block here holds more than its header says");
  write_block(file, one, list(0, 2) + good + good);
  CHECK(reason(file.path()) == "damaged: the block here holds more than its header says");
  write_block(file, one, list(slot_count, 1) + good);
  CHECK(reason(file.path()) == "damaged: a list for no slot that there is");
  write_block(file, one, list(0, 1).substr(1));
  CHECK(reason(file.path()) == "damaged: half a list");
  write_block(file, one, list(0, 1) + "1234567");
  CHECK(reason(file.path()) == "damaged: half an event");
  write_block(file, one, list(0, 1) + entry(Tick::number, 2, "1"));
  CHECK(reason(file.path()) == "damaged: the event reaches beyond its block");
  write_block(file, one, list(0, 1) + entry(77, 0, ""));
  CHECK(reason(file.path()) == "damaged: event number 77 is not among the log's types");

  log_format::BlockHeader less = one;
  less.slots = 2;
  write_block(file, less, list(0, 1) + good);
  CHECK(reason(file.path()) == "damaged: the block's header leaves out this list");
  less = one;
  less.earliest = less.latest = 1;
  write_block(file, less, list(0, 1) + good);
  CHECK(reason(file.path()) == "damaged: the block's header leaves out this list");
  less = one;
  less.types = ~log_format::type_bit(Tick::number);
  write_block(file, less, list(0, 1) + good);
  CHECK(reason(file.path()) == "damaged: the block's header leaves out the type of this event");

  log_format::BlockHeader none = one;
  none.events = 0;
  write_block(file, none, "");
  CHECK(reason(file.path()) == "none");
  write_block(file, none, list(0, 1) + good);
  CHECK(reason(file.path()) == "damaged: the block here holds more than its header says");
  for (const Kind kind : {Kind{3}, Kind::preamble}) {
    log_format::BlockHeader other = one;
    other.kind = kind;
    write_block(file, other, list(0, 1) + good);
    CHECK(reason(file.path()) == "damaged: no lists of events where they must be");
  }

  log_format::BlockHeader odd = one;
  odd.compression = Compression{2};
  write_block(file, odd, list(0, 1) + good);
  CHECK(reason(file.path()) ==
        "the block here is compressed in a way that this program does not know");
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
  log_format::BlockHeader header;
  header.kind = log_format::Kind::lists;
  header.slots = (1u << slot_count) - 1;
  header.types = ~std::uint64_t{0};
  header.events = 1;
  write_block(file, header, list(0, 1) + entry(Tick::number, 1, "\xff"));
  LogReader log(file.path());
  const auto event = log.next();
  REQUIRE(event);
  CHECK_FALSE(event->as<Tick>());
  CHECK_THROWS_WITH_AS(log.decode<Tick>(*event),
                       doctest::Contains("mirbft.v1.Tick is not as this program knows it"),
                       LogError);
}

namespace {

/// A log of 30 blocks of two events each, a tick and, in every tenth block, a delivery.
void write_mixed(const std::string& path) {
  LogWriter log(path);
  log.begin(NodeId(1), {}, sample::Types{});
  for (std::int64_t i = 0; i < 30; ++i) {
    const auto time = static_cast<std::uint64_t>(100 * i);
    if (i % 10 == 9) {
      log.append(slot::store, sample::List{sample::tick(i), sample::deliver(5, 1)}, time);
    } else {
      log.append(slot::tracker, sample::List{sample::tick(i), sample::tick(i)}, time);
    }
  }
}

/// Flips a bit in the content of each block but those with these numbers, from 0.
void damage_all_but(const sample::TemporaryFile& file, std::initializer_list<std::size_t> sound) {
  std::string content = file.content();
  const auto ends = sample::block_ends(file.path());
  for (std::size_t i = 1; i < ends.size(); ++i)
    if (std::ranges::find(sound, i - 1) == sound.end()) content[ends[i] - 1] ^= 1;
  file.write(content);
}

}  // namespace

TEST_CASE("blocks that cannot hold what is looked for are left out unread") {
  const sample::TemporaryFile file;
  write_mixed(file.path());
  damage_all_but(file, {9, 19, 29});

  SUBCASE("by type") {
    LogReader log(file.path());
    const auto bits =
        log.type_bits([](const auto& type) { return type.name.ends_with("Deliver"); });
    std::vector<std::uint64_t> found;
    while (const auto event = log.next([&](const LogBlock& block) { return block.types & bits; }))
      found.push_back(event->index);
    CHECK(found == std::vector<std::uint64_t>{18, 19, 38, 39, 58, 59});
  }
  SUBCASE("by slot") {
    LogReader log(file.path());
    const auto of_store = [](const LogBlock& block) {
      return (block.slots & slot::store.bits()) != 0;
    };
    std::size_t found = 0;
    while (log.next(of_store)) ++found;
    CHECK(found == 6);
  }
  SUBCASE("by time") {
    LogReader log(file.path());
    const auto late = [](const LogBlock& block) { return block.latest >= 2900; };
    const auto event = log.next(late);
    REQUIRE(event);
    CHECK(event->time == 2900);
    CHECK(event->index == 58);
  }
  SUBCASE("none at all") {
    LogReader log(file.path());
    CHECK_FALSE(log.next([](const LogBlock&) { return false; }));
    CHECK(log.torn_bytes() == 0);
  }
  SUBCASE("and what is looked at is checked") {
    LogReader log(file.path());
    CHECK_THROWS_WITH_AS(log.next(), doctest::Contains("wrong checksum"), LogError);
  }
}

TEST_CASE("a missing block is noticed among those that are left out") {
  const sample::TemporaryFile file;
  write_mixed(file.path());
  const auto ends = sample::block_ends(file.path());
  const std::string content = file.content();
  file.write(content.substr(0, ends[5]) + content.substr(ends[6]));
  LogReader log(file.path());
  CHECK_THROWS_WITH_AS(log.next([](const LogBlock&) { return false; }),
                       doctest::Contains("damaged: event 12 follows where 10 must"), LogError);
}

TEST_CASE("a reader goes to any event, forward and back, and reads no block before it") {
  const sample::TemporaryFile file;
  write_mixed(file.path());
  LogReader log(file.path());
  CHECK(log.next()->index == 0);
  for (const std::uint64_t index : {5u, 6u, 6u, 59u, 0u, 30u, 29u, 7u, 58u, 59u, 1u}) {
    log.seek(index);
    CAPTURE(index);
    REQUIRE(log.next()->index == index);
    if (index != 59) REQUIRE(log.next()->index == index + 1);
  }
  log.seek(60);
  CHECK_FALSE(log.next());
  log.seek(10);
  CHECK_FALSE(log.next([](const LogBlock&) { return false; }));
  log.seek(12);
  CHECK(log.next()->index == 12);

  damage_all_but(file, {20});
  LogReader damaged(file.path());
  damaged.seek(41);
  CHECK(damaged.next()->index == 41);
  CHECK_THROWS_AS(damaged.next(), LogError);
  damaged.seek(40);
  CHECK(damaged.next()->index == 40);
}

TEST_CASE("what a reader has gone to may be yet to come") {
  const sample::TemporaryFile file;
  LogWriter writer(file.path());
  writer.begin(NodeId(1), {}, sample::Types{});
  LogReader log(file.path());
  log.seek(3);
  for (std::int64_t i = 0; i < 3; ++i) {
    writer.append(slot::tracker, sample::List{sample::tick(i)});
    CHECK_FALSE(log.next());
  }
  writer.append(slot::tracker, sample::List{sample::tick(3)});
  CHECK(log.next()->index == 3);
}

}  // namespace mirbft::reader_test

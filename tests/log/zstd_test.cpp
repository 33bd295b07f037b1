#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/log/reader.hpp>
#include <mirbft/log/zstd.hpp>

#include "sample_log.hpp"

namespace mirbft::zstd_test {

namespace {

/// One block of a hundred lists, which look alike.
void write_alike(const std::string& path, Compression compression) {
  LogOptions options;
  options.gather = std::chrono::seconds(1);
  options.compression = compression;
  LogWriter log(path, options);
  log.begin(NodeId(3), {}, sample::Types{});
  for (int i = 0; i < 100; ++i)
    log.append(slot::tracker, sample::List{sample::tick(i), sample::new_request(5, "SET a 1")}, 7);
}

std::vector<LogEvent> events_of(const std::string& path) {
  LogReader log(path);
  return sample::read_all(log);
}

/// As in a program that does not include log/zstd.hpp.
template <class Use>
void without_zstd(Use&& use) {
  const auto* codec = std::exchange(log_format::codec_of(Compression::zstd), nullptr);
  use();
  log_format::codec_of(Compression::zstd) = codec;
}

}  // namespace

TEST_CASE("what is compressed is the same events in fewer bytes") {
  const sample::TemporaryFile plain;
  const sample::TemporaryFile small;
  write_alike(plain.path(), Compression::none);
  write_alike(small.path(), Compression::zstd);

  const auto expected = events_of(plain.path());
  const auto found = events_of(small.path());
  REQUIRE(found.size() == 200);
  REQUIRE(expected.size() == found.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i].index == i);
    CHECK(found[i].slot == slot::tracker);
    CHECK(found[i].number == expected[i].number);
    CHECK(found[i].payload == expected[i].payload);
    CHECK(found[i].time == 7);
    CHECK(found[i].offset == sample::block_ends(small.path()).front());
  }
  const auto length = [](const sample::TemporaryFile& file) {
    return file.content().size() - sample::block_ends(file.path()).front();
  };
  CHECK(length(small) < length(plain) / 8);
}

TEST_CASE("what would not become smaller stays as it is") {
  const sample::TemporaryFile file;
  LogOptions options;
  options.compression = Compression::zstd;
  LogWriter log(file.path(), options);
  log.begin(NodeId(3), {}, sample::Types{});
  log.append(slot::tracker, sample::List{sample::tick(1)});
  log_format::BlockReader blocks(LogFile::open(file.path()));
  REQUIRE(blocks.next());
  const auto block = blocks.next();
  REQUIRE(block);
  CHECK(block->header.compression == Compression::none);
}

TEST_CASE("no flipped bit of a compressed log is accepted, and it may be cut anywhere") {
  const sample::TemporaryFile file;
  write_alike(file.path(), Compression::zstd);
  const std::string content = file.content();
  const std::size_t lists = sample::block_ends(file.path()).front();
  for (std::size_t bit = 8 * lists; bit < 8 * content.size(); ++bit) {
    std::string damaged = content;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    file.write(damaged);
    CAPTURE(bit);
    REQUIRE_THROWS_AS(events_of(file.path()), LogError);
  }
  for (std::size_t size = lists; size < content.size(); ++size) {
    file.write(content.substr(0, size));
    CAPTURE(size);
    REQUIRE(events_of(file.path()).empty());
  }
}

TEST_CASE("a block that lies of its length is refused, and asks for no memory") {
  const sample::TemporaryFile file;
  write_alike(file.path(), Compression::zstd);
  const std::string content = file.content();
  const std::size_t lists = sample::block_ends(file.path()).front();
  const auto* found = reinterpret_cast<const std::uint8_t*>(content.data()) + lists;
  const auto header = log_format::BlockHeader::load(found);
  REQUIRE(header);
  for (const std::uint32_t length : {0u, 1u, header->plain_length - 1, header->plain_length + 1,
                                     1u << 26, 1u << 27, ~0u}) {
    log_format::BlockHeader wrong = *header;
    wrong.plain_length = length;
    std::string stored(log_format::BlockHeader::size, '\0');
    wrong.store(reinterpret_cast<std::uint8_t*>(stored.data()));
    file.write(content.substr(0, lists) + stored + content.substr(lists + stored.size()));
    CAPTURE(length);
    CHECK_THROWS_WITH_AS(events_of(file.path()),
                         doctest::Contains("damaged: what is compressed here does not expand"),
                         LogError);
  }
}

TEST_CASE("a program without zstd refuses to write and to read what is compressed") {
  const sample::TemporaryFile file;
  write_alike(file.path(), Compression::zstd);
  CHECK(is_available(Compression::zstd));
  without_zstd([&] {
    CHECK_FALSE(is_available(Compression::zstd));
    CHECK_THROWS_WITH_AS(
        events_of(file.path()),
        doctest::Contains("the log is compressed by zstd, and this program is built without it"),
        LogError);
    const sample::TemporaryFile other;
    CHECK_THROWS_WITH_AS(write_alike(other.path(), Compression::zstd),
                         doctest::Contains("this program is built without zstd"), LogError);
  });
  CHECK(events_of(file.path()).size() == 200);
}

}  // namespace mirbft::zstd_test

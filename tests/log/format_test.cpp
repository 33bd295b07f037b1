#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <string>

#include <mirbft/log/format.hpp>
#include <mirbft/types/digest.hpp>

#include "sample_log.hpp"

namespace mirbft::format_test {

TEST_CASE("numbers are little-endian, on every machine") {
  std::array<std::uint8_t, 8> bytes{};
  std::uint8_t* out = bytes.data();
  log_format::put(out, std::uint16_t{0x0102});
  log_format::put(out, std::uint32_t{0xf3040506});
  CHECK(hex(bytes) == "0201060504f30000");
  CHECK(out == bytes.data() + 6);

  const std::uint8_t* in = bytes.data();
  CHECK(log_format::get<std::uint16_t>(in) == 0x0102);
  CHECK(log_format::get<std::uint32_t>(in) == 0xf3040506);
  CHECK(in == bytes.data() + 6);
}

TEST_CASE("a block header survives, and does not survive any flipped bit") {
  using log_format::BlockHeader;
  const BlockHeader header{
      5, 9, log_format::Kind::lists, Compression::zstd, 7, 3, 1ull << 40, 99, 100, 1ull << 63,
      0xdeadbeef};
  std::array<std::uint8_t, BlockHeader::size> stored;
  header.store(stored.data());
  CHECK(hex(stored) ==
        "05000000090000000201070003000000000000000001000063000000000000006400000000000000"
        "0000000000000080efbeadde643d7c6d");

  const auto loaded = BlockHeader::load(stored.data());
  REQUIRE(loaded);
  CHECK(loaded->length == header.length);
  CHECK(loaded->plain_length == header.plain_length);
  CHECK(loaded->kind == header.kind);
  CHECK(loaded->compression == header.compression);
  CHECK(loaded->slots == header.slots);
  CHECK(loaded->events == header.events);
  CHECK(loaded->first == header.first);
  CHECK(loaded->earliest == header.earliest);
  CHECK(loaded->latest == header.latest);
  CHECK(loaded->types == header.types);
  CHECK(loaded->checksum == header.checksum);

  for (std::size_t bit = 0; bit < 8 * stored.size(); ++bit) {
    stored[bit / 8] ^= static_cast<std::uint8_t>(1 << (bit % 8));
    CHECK_FALSE(BlockHeader::load(stored.data()));
    stored[bit / 8] ^= static_cast<std::uint8_t>(1 << (bit % 8));
  }
}

TEST_CASE("zeros, as a power failure leaves them, are no block header") {
  const std::array<std::uint8_t, log_format::BlockHeader::size> zeros{};
  CHECK_FALSE(log_format::BlockHeader::load(zeros.data()));
}

// This test holds the format: who changes it changes `log_format::version` too.
TEST_CASE("a log looks like this, byte for byte") {
  const sample::TemporaryFile file;
  sample::write_log(file.path());
  const std::string content = file.content();
  CHECK(hex(bytes_of(content).first(12)) == "896d69726c6f670a02000000");

  const std::size_t lists = sample::block_ends(file.path()).front();
  CHECK(hex(bytes_of(content).subspan(lists)) ==
        // Three events for slot 0, from index 0, at time 100; ticks 1 and 2 with a request between.
        "4000000040000000" "02000100" "03000000" "0000000000000000" "6400000000000000"
        "6400000000000000" "0080000000004000" "55264377" "4f1f77ac"
        "00000000" "03000000" "6400000000000000"
        "0200000002000000" "0801"
        "0300000014000000" "0a1008071a075345542061203122030102031001"
        "0200000002000000" "0802"
        // Three for slot 4, from index 3, at 250, one of them a user's.
        "4000000040000000" "02001000" "03000000" "0300000000000000" "fa00000000000000"
        "fa00000000000000" "0480000000000000" "a92ab1b1" "6c96aae3"
        "04000000" "03000000" "fa00000000000000"
        "0200000002000000" "0801"
        "e803000014000000" "08d8ffffffffffffffff0112074b72616bc3b377"
        "0200000002000000" "0802"
        // One for slot 3, with index 6, at 300: the first reference is all zero and has no bytes.
        "2000000020000000" "02000800" "01000000" "0600000000000000" "2c01000000000000"
        "2c01000000000000" "0000000000200000" "f9c5cade" "cce4918a"
        "03000000" "01000000" "2c01000000000000"
        "0600000008000000" "0805120012021001");
}

}  // namespace mirbft::format_test

#include <doctest/doctest.h>

#include <cstdint>
#include <numeric>
#include <vector>

#include <mirbft/types/crc32c.hpp>

namespace crc32c_test {

using mirbft::ByteView;
using mirbft::bytes_of;
using mirbft::crc32c;

namespace {

using Text = std::vector<std::uint8_t>;

// The definition, bit by bit.
std::uint32_t naive(ByteView bytes) {
  std::uint32_t rest = 0xffffffff;
  for (const std::uint8_t byte : bytes) {
    rest ^= byte;
    for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1) ^ ((rest & 1) != 0 ? 0x82f63b78 : 0);
  }
  return ~rest;
}

Text noise(std::size_t size) {
  Text bytes(size);
  std::uint32_t state = 1;
  for (std::uint8_t& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<std::uint8_t>(state >> 24);
  }
  return bytes;
}

}  // namespace

TEST_CASE("crc32c gives the known answers") {
  Text ascending(32);
  std::iota(ascending.begin(), ascending.end(), std::uint8_t{0});
  const Text descending(ascending.rbegin(), ascending.rend());

  // RFC 3720, appendix B.4, and the check value of the catalogue of CRCs.
  CHECK(crc32c(Text(32, 0x00)) == 0x8a9136aa);
  CHECK(crc32c(Text(32, 0xff)) == 0x62a8ab43);
  CHECK(crc32c(ascending) == 0x46dd794e);
  CHECK(crc32c(descending) == 0x113fdb5c);
  CHECK(crc32c(bytes_of("123456789")) == 0xe3069283);
  CHECK(crc32c({}) == 0);
}

TEST_CASE("crc32c by instruction and by tables follows its definition at any length and offset") {
  const Text bytes = noise(96);
  for (std::size_t from = 0; from < 9; ++from)
    for (std::size_t length = 0; from + length <= bytes.size(); ++length) {
      const ByteView part = ByteView(bytes).subspan(from, length);
      CAPTURE(from);
      CAPTURE(length);
      REQUIRE(crc32c(part) == naive(part));
      REQUIRE(~mirbft::detail::crc32c_by_tables(part, ~0u) == naive(part));
    }
}

TEST_CASE("crc32c continues where it left off") {
  const Text bytes = noise(64);
  const ByteView all = bytes;
  for (std::size_t cut = 0; cut <= all.size(); ++cut)
    CHECK(crc32c(all.subspan(cut), crc32c(all.first(cut))) == crc32c(all));
}

}  // namespace crc32c_test

#include <doctest/doctest.h>

#include <cstdint>

#include <mirbft/types/little_endian.hpp>

namespace mirbft::little_endian_test {

TEST_CASE("numbers stand one behind the other, the lowest byte first") {
  std::uint8_t bytes[6] = {};
  std::uint8_t* out = bytes;
  little_endian::put(out, std::uint32_t{0x04030201});
  little_endian::put(out, std::uint16_t{0xfffe});
  CHECK(out == bytes + 6);
  CHECK(bytes[0] == 1);
  CHECK(bytes[3] == 4);
  CHECK(bytes[4] == 0xfe);
  const std::uint8_t* in = bytes;
  CHECK(little_endian::get<std::uint32_t>(in) == 0x04030201);
  CHECK(little_endian::get<std::uint16_t>(in) == 0xfffe);
  CHECK(in == bytes + 6);
}

}  // namespace mirbft::little_endian_test

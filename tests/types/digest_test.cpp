#include <doctest/doctest.h>

#include <mirbft/types/digest.hpp>

namespace mirbft::digest_test {

TEST_CASE("a default digest is all zero") {
  CHECK(hex(Digest()) == std::string(64, '0'));
  CHECK(Digest().view().size() == Digest::size);
}

TEST_CASE("digests order by their bytes from the first") {
  Digest low, high;
  low.bytes[31] = 0xff;
  high.bytes[0] = 1;
  CHECK(low < high);
  CHECK(low != high);
}

TEST_CASE("hexadecimal digits are lower case, two a byte") {
  CHECK(hex(Bytes{0x00, 0x0f, 0xa0, 0xff}.view()) == "000fa0ff");
  CHECK(hex(ByteView()).empty());
}

}  // namespace mirbft::digest_test

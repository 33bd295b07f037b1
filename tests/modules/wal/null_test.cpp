#include <doctest/doctest.h>

#include <mirbft/modules/wal/null.hpp>

namespace mirbft::wal_null_test {

TEST_CASE("what goes in never comes out") {
  NullWal wal;
  wal.append(1, Bytes("a"), RetentionIndex(0));
  wal.sync();
  wal.truncate(RetentionIndex(0));
  wal.replay([](std::uint32_t, const Bytes&) { FAIL("an entry came back"); });
}

}  // namespace mirbft::wal_null_test

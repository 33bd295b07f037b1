#include <mirbft/protocol/iss/slot_range.hpp>

#include <cstdint>
#include <optional>

#include <doctest/doctest.h>

namespace mirbft::iss::slot_range_test {

TEST_CASE("places and sequence numbers of a segment") {
  const SlotRange range{SeqNr(10), 4, 3};  // 10, 14, 18
  for (std::uint32_t place = 0; place < 3; ++place)
    CHECK(range.place_of(range.sn_of(place)) == place);
  CHECK(range.sn_of(2) == SeqNr(18));
  for (const std::uint64_t other : {std::uint64_t{0}, std::uint64_t{6}, std::uint64_t{11},
                                    std::uint64_t{22}, ~std::uint64_t{0}})
    CHECK(range.place_of(SeqNr(other)) == std::nullopt);
}

}  // namespace mirbft::iss::slot_range_test

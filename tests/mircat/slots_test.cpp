#include <mirbft/mircat/slots.hpp>

#include <doctest/doctest.h>

#include <cstdint>

namespace slots_test {

using namespace mirbft::mircat;

namespace {

void add(SlotTable& slots, std::uint64_t node, std::uint64_t sn, Phase phase) {
  Meaning meaning;
  meaning.sn = sn;
  meaning.reached = phase;
  slots.add(node, {sn, sn}, meaning, [](Phase, Phase, auto) {});
}

}  // namespace

TEST_CASE("A node that ended early does not keep all later slots in memory") {
  SlotTable slots;
  slots.add_node(0);
  slots.add_node(1);
  for (std::uint64_t sn = 0; sn <= 5; ++sn) add(slots, 1, sn, Phase::delivered);
  for (std::uint64_t sn = 0; sn < 50'000; ++sn) add(slots, 0, sn, Phase::delivered);
  CHECK(slots.slots().size() < 2 * SlotTable::kept);
  CHECK(slots.find(6, 0));
  CHECK(slots.find(5 + SlotTable::kept_gaps, 0));
  CHECK_FALSE(slots.find(25'000, 0));
  CHECK(slots.find(50'000 - SlotTable::kept, 0));

  // It is back: of what is forgotten, nothing is made up.
  for (std::uint64_t sn = 6; sn < 30'000; ++sn) add(slots, 1, sn, Phase::delivered);
  CHECK(slots.delivered_up_to(1) == 29'999);
  CHECK_FALSE(slots.find(25'000, 1));
}

TEST_CASE("Slots that nobody delivers are not all kept either") {
  SlotTable slots;
  slots.add_node(0);
  for (std::uint64_t sn = 0; sn < 50'000; ++sn) add(slots, 0, sn, Phase::proposed);
  CHECK(slots.slots().size() < 2 * SlotTable::kept);
  CHECK(slots.find(0, 0));
  CHECK(slots.find(49'999, 0));
}

}  // namespace slots_test

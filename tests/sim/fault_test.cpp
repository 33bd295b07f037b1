#include <string>

#include <doctest/doctest.h>

#include <mirbft/sim/fault.hpp>

namespace mirbft::sim::fault_test {

TEST_CASE("kinds of faults are read as they are written") {
  const FaultKinds kinds{Fault::loss, Fault::crash, Fault::slot_order};
  CHECK(to_string(kinds) == "loss,crash,slot_order");
  CHECK(parse_fault_kinds(to_string(kinds)) == kinds);
  CHECK(parse_fault_kinds("all") == FaultKinds::all());
  CHECK(FaultKinds{Fault::loss, Fault::crash}.without(Fault::crash) == FaultKinds{Fault::loss});
  CHECK(parse_fault_kinds("none").none());
  CHECK(to_string(FaultKinds()) == "none");
  for (std::size_t i = 0; i < fault_kinds; ++i)
    CHECK(parse_fault_kinds(to_string(fault_at(i))) == FaultKinds{fault_at(i)});
}

TEST_CASE("an unknown kind is refused by its name, with all that exist") {
  try {
    (void)parse_fault_kinds("loss,los");
    FAIL("it was taken");
  } catch (const ConfigError& error) {
    const std::string what = error.what();
    CHECK(what.starts_with("faults = \"los\": must be all, none or a list of loss,"));
  }
  CHECK_THROWS_AS((void)parse_fault_kinds(""), ConfigError);
  CHECK_THROWS_AS((void)parse_fault_kinds("loss,"), ConfigError);
}

TEST_CASE("a kind that never struck is named") {
  FaultCounts counts;
  counts.count(Fault::loss);
  FaultCounts more;
  more.count(Fault::crash, 3);
  counts += more;
  CHECK(counts[Fault::crash] == 3);
  CHECK(counts.missing({Fault::loss, Fault::crash, Fault::pause}) == FaultKinds{Fault::pause});
  CHECK(counts.missing({Fault::loss}).none());
}

}  // namespace mirbft::sim::fault_test

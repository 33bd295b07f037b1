#include <doctest/doctest.h>

#include <cstddef>
#include <string>

#include <mirbft/sim/zoo/mutant.hpp>

namespace mirbft::mutant_test {

using sim::zoo::Mutant;

TEST_CASE("every mutant has a name of its own, which is read again") {
  CHECK(sim::zoo::mutants.size() >= 15);
  for (std::size_t i = 0; i < sim::zoo::mutants.size(); ++i) {
    const auto mutant = static_cast<Mutant>(i);
    CHECK(sim::zoo::parse_mutant(sim::zoo::info(mutant).name) == mutant);
  }
  CHECK(sim::zoo::info(Mutant::amnesia_ignored).name == "amnesia_ignored");
}

TEST_CASE("a name of no mutant is refused with those that there are") {
  try {
    (void)sim::zoo::parse_mutant("bug");
    FAIL("was taken");
  } catch (const ConfigError& error) {
    CHECK(std::string(error.what()).find("\"bug\"") != std::string::npos);
    CHECK(std::string(error.what()).find("weak_commit") != std::string::npos);
  }
}

}  // namespace mirbft::mutant_test

// The bug zoo: mistakes put into the library, which the simulator must find.
#ifndef MIRBFT_EXAMPLES_SIM_ZOO_HPP
#define MIRBFT_EXAMPLES_SIM_ZOO_HPP

#include <cstdint>
#include <string>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

namespace simulation {

/// What became of one mistake.
struct Catch {
  std::string mutant;
  std::string about;
  /// The rule that was seen broken first; empty if none was.
  std::string rule;
  std::string finding;
  std::uint64_t seeds = 0;
  double cpu_seconds = 0;
};

struct ZooReport {
  std::uint64_t mutants = 0;
  std::uint64_t killed = 0;
  std::vector<Catch> catches;
};

/// Puts in the mutant of that name, or "all" one after another, and runs seeds from `first` on until
/// one fails, `at_most` of them. "none" is the library as it is, and must not fail. Throws
/// ConfigError for a name that is none.
ZooReport run_zoo(const std::string& name, std::uint64_t first, std::uint64_t at_most,
                  std::uint32_t nodes);
void print(const ZooReport& report);

}  // namespace simulation

BOOST_HANA_ADAPT_STRUCT(simulation::Catch, mutant, about, rule, finding, seeds, cpu_seconds);
BOOST_HANA_ADAPT_STRUCT(simulation::ZooReport, mutants, killed, catches);

#endif

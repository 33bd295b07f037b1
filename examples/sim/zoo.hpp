// The bug zoo: mistakes put into the library, which the simulator must find.
#ifndef MIRBFT_EXAMPLES_SIM_ZOO_HPP
#define MIRBFT_EXAMPLES_SIM_ZOO_HPP

#include <cstdint>
#include <string>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include "options.hpp"

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
  /// Seeds without any mistake, none of which may fail: it is the mistakes that are found.
  std::uint64_t control_seeds = 0;
  std::uint64_t control_failed = 0;
  std::uint64_t mutants = 0;
  std::uint64_t killed = 0;
  std::vector<Catch> catches;
};

/// Puts in the mutant that `options` name, or all of them one after another, and runs seeds until
/// one fails; first some seeds without any. Prints how each was found, and returns the program's
/// exit status: 0 if all were, and nothing was found where there is nothing.
int run_zoo(const Options& options);

}  // namespace simulation

BOOST_HANA_ADAPT_STRUCT(simulation::Catch, mutant, about, rule, finding, seeds, cpu_seconds);
BOOST_HANA_ADAPT_STRUCT(simulation::ZooReport, control_seeds, control_failed, mutants, killed,
                        catches);

#endif

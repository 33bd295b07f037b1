// What mirbft-sim can be told.
#ifndef MIRBFT_EXAMPLES_SIM_OPTIONS_HPP
#define MIRBFT_EXAMPLES_SIM_OPTIONS_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <mirbft/sim/adversary/kinds.hpp>
#include <mirbft/sim/fault.hpp>

namespace simulation {

/// The first and the last of the seeds to run.
struct Seeds {
  std::uint64_t first = 1;
  std::uint64_t last = 100;
};

struct Options {
  Seeds seeds;
  std::uint32_t nodes = 4;
  /// End after so many minutes; 0 for all seeds.
  double minutes = 0;
  mirbft::sim::FaultKinds faults = mirbft::sim::FaultKinds::all();
  /// As it was typed, for the command that repeats a failure.
  std::string faults_text = "all";
  mirbft::sim::AdversaryKinds adversaries;
  std::string adversaries_text = "none";
  /// Only say which there are.
  bool lists_adversaries = false;
  /// End after so many seeds that failed.
  std::uint64_t failures = 1;
  /// Run this file, "-" being the standard input, and no seeds; empty for seeds.
  std::string scenario;
  /// Only print the scenario of the seed.
  bool prints_scenario = false;
  unsigned jobs = 1;
  std::string event_logs;
  /// CPU seconds to make each failure smaller in.
  double shrink = 60;
  /// The folder for what is left behind of failures.
  std::string out = "mirbft-sim-failures";
  /// A mistake to put in, or "all"; empty for none.
  std::string mutant;
  /// Run twins: so many views, in a network that falls into so many groups at most. The scenarios
  /// are drawn from the seeds, unless these count them.
  bool twins = false;
  std::size_t views = 4;
  std::size_t groups = 3;
  std::optional<Seeds> scenarios;
  bool figures = false;
  bool verbose = false;
  bool json = false;
};

/// Reads "A..B", "A.." for all from A on, or "A" for one. Throws ConfigError for anything else.
/// `option` is what the user has typed it for.
Seeds parse_seeds(const std::string& option, const std::string& text);

/// Reads the command line. Throws ConfigError that says what is wrong with it; the program ends
/// here where it only asks for help or for the version.
Options parse_options(int argc, char** argv);

}  // namespace simulation

#endif

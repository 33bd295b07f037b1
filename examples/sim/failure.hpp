// A run that failed: what is told of it, and what is left behind for those who look into it.
#ifndef MIRBFT_EXAMPLES_SIM_FAILURE_HPP
#define MIRBFT_EXAMPLES_SIM_FAILURE_HPP

#include <cstdint>
#include <string>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/sim/findings.hpp>
#include <mirbft/sim/scenario.hpp>
#include <mirbft/sim/trial.hpp>

#include "options.hpp"
#include "trials.hpp"

namespace simulation {

struct Failure {
  std::uint64_t seed = 0;
  std::vector<mirbft::sim::Finding> findings;
  /// The status of each node that was up, as JSON.
  std::vector<std::string> states;
  /// What to type to see it again.
  std::string command;
  /// What is left of the scenario once everything is out that the failure does not need, how many
  /// runs that took, and what to type to see it fail.
  std::string smallest;
  std::uint64_t runs = 0;
  std::string smallest_command;
  /// Where that scenario lies, with the event logs of all nodes.
  std::string folder;
  /// Why there is none.
  std::string trouble;
};

/// Makes the scenario of a failed run smaller, within the CPU time that the options allow, and
/// writes what there is to know to a folder of that name within that of the options.
Failure examine(const mirbft::sim::Scenario& scenario, mirbft::sim::TrialResult result,
                const std::string& name, const std::string& command, const Options& options,
                const RunTrial& run);

void print(const Failure& failure);

}  // namespace simulation

BOOST_HANA_ADAPT_STRUCT(simulation::Failure, seed, findings, states, command, smallest, runs,
                        smallest_command, folder, trouble);

#endif

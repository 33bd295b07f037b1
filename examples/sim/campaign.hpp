// Runs, and what they add up to: of many seeds, or of one scenario.
#ifndef MIRBFT_EXAMPLES_SIM_CAMPAIGN_HPP
#define MIRBFT_EXAMPLES_SIM_CAMPAIGN_HPP

#include "options.hpp"
#include "trials.hpp"

namespace simulation {

/// Runs the seeds, with progress on the standard error, and prints what came of them. Returns the
/// program's exit status: 0 if every seed ended well and every fault has struck, else 1.
int run_campaign(const Options& options, const RunTrial& run = run_trial);

/// The same for the one run of a scenario file. Throws ConfigError for what is wrong with it.
int run_scenario(const Options& options, const RunTrial& run = run_trial);

/// Prints the scenario that the first seed draws, and runs nothing. Returns 0.
int print_scenario(const Options& options);

}  // namespace simulation

#endif

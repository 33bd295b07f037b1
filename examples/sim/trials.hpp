// A run with the replica of mirbft-sim: apart, since it takes long to compile.
#ifndef MIRBFT_EXAMPLES_SIM_TRIALS_HPP
#define MIRBFT_EXAMPLES_SIM_TRIALS_HPP

#include <functional>
#include <string>

#include <mirbft/sim/message_facts.hpp>
#include <mirbft/sim/scenario.hpp>
#include <mirbft/sim/trial.hpp>

namespace simulation {

/// Runs a scenario. With a folder that is not empty text, every node records its events there, in
/// one file for each of its lives. May be called on several threads at once.
using RunTrial =
    std::function<mirbft::sim::TrialResult(const mirbft::sim::Scenario&, const std::string& logs)>;

/// The library as it is.
mirbft::sim::TrialResult run_trial(const mirbft::sim::Scenario& scenario, const std::string& logs);

/// The messages that scenario files can name.
mirbft::sim::Vocabulary known_messages();

}  // namespace simulation

#endif

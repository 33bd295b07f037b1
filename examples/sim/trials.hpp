// A run of one seed with the replica of mirbft-sim: apart, since it takes long to compile.
#ifndef MIRBFT_EXAMPLES_SIM_TRIALS_HPP
#define MIRBFT_EXAMPLES_SIM_TRIALS_HPP

#include <cstddef>
#include <cstdint>
#include <string>

#include <mirbft/sim/fault.hpp>
#include <mirbft/sim/trial.hpp>

namespace simulation {

/// One run, from its seed alone. With `logs`, a folder, every node records its events there, in one
/// file for each of its lives. May be called on several threads at once.
mirbft::sim::TrialResult run_trial(std::uint64_t seed, std::size_t nodes,
                                   mirbft::sim::FaultKinds faults, const std::string& logs = "");

}  // namespace simulation

#endif

// Many seeds, one after another, and what they add up to.
#ifndef MIRBFT_EXAMPLES_SIM_CAMPAIGN_HPP
#define MIRBFT_EXAMPLES_SIM_CAMPAIGN_HPP

#include "options.hpp"

namespace simulation {

/// Runs the seeds, with progress on the standard error, and prints what came of them. Returns the
/// program's exit status: 0 if every seed ended well and every fault has struck, else 1.
int run_campaign(const Options& options);

}  // namespace simulation

#endif

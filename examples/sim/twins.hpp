// Twins: nodes that are there twice, with one identity and one key, in networks that fall apart.
#ifndef MIRBFT_EXAMPLES_SIM_TWINS_HPP
#define MIRBFT_EXAMPLES_SIM_TWINS_HPP

#include <cstdint>
#include <string>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/sim/findings.hpp>
#include <mirbft/sim/twins_cluster.hpp>

#include "options.hpp"

namespace simulation {

/// A scenario in which a rule was broken.
struct TwinsFailure {
  /// What happens in it, a line a round.
  std::string scenario;
  std::vector<mirbft::sim::Finding> findings;
  /// What to type to see it again.
  std::string command;
};

struct TwinsReport {
  /// Of which those that were `played`; all others come to what was seen in one of these.
  std::uint64_t scenarios = 0;
  std::uint64_t played = 0;
  double cpu_seconds = 0;
  double scenarios_per_cpu_second = 0;
  double played_per_cpu_second = 0;
  mirbft::sim::twins::Figures figures;
  /// How many were played with view i as the highest one of a correct node.
  std::vector<std::uint64_t> by_view;
  std::vector<TwinsFailure> failures;
};

/// Runs the scenarios that the seeds draw, or those that are counted if `options` name any, with
/// progress on the standard error, and prints what came of them. Ends with the first that fails.
/// Returns the program's exit status: 0 if none did and twins have contradicted one another.
int run_twins(const Options& options);

}  // namespace simulation

BOOST_HANA_ADAPT_STRUCT(simulation::TwinsFailure, scenario, findings, command);
BOOST_HANA_ADAPT_STRUCT(simulation::TwinsReport, scenarios, played, cpu_seconds,
                        scenarios_per_cpu_second, played_per_cpu_second, figures, by_view,
                        failures);

#endif

// mirbft-sim: whole clusters from one seed each, under faults, with every invariant checked.
#include <cstdio>
#include <exception>
#include <iostream>

#include <mirbft/types/errors.hpp>

#include "campaign.hpp"
#include "figures.hpp"
#include "options.hpp"
#include "report.hpp"
#include "twins.hpp"
#include "zoo.hpp"

namespace {

/// Does what was asked for, and returns the exit status.
int run(const simulation::Options& options) {
  if (options.figures) {
    simulation::print_figures();
    return 0;
  }
  if (options.lists_adversaries) {
    simulation::print_adversaries();
    return 0;
  }
  if (!options.mutant.empty()) return simulation::run_zoo(options);
  if (options.prints_scenario) return simulation::print_scenario(options);
  if (!options.scenario.empty()) return simulation::run_scenario(options);
  if (options.twins) return simulation::run_twins(options);
  return simulation::run_campaign(options);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const int status = run(simulation::parse_options(argc, argv));
    if (std::cout.flush() && std::fflush(stdout) == 0) return status;
    std::cerr << "error: the standard output takes no more: the report is not whole\n";
    return 1;
  } catch (const mirbft::ConfigError& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 1;
  }
}

// mirbft-sim: whole clusters from one seed each, under faults, with every invariant checked.
#include <algorithm>
#include <cstdint>
#include <exception>
#include <iostream>

#include <mirbft/types/errors.hpp>
#include <mirbft/wire/json.hpp>

#include "campaign.hpp"
#include "figures.hpp"
#include "options.hpp"
#include "zoo.hpp"

namespace {

using namespace simulation;

/// Every mistake must be found, and nothing where there is none.
int hunt_mutants(const Options& options) {
  const std::uint64_t seeds = options.seeds.last - options.seeds.first + 1;
  const ZooReport report = run_zoo(options.mutant, options.seeds.first, seeds, options.nodes);
  if (options.json) {
    std::cout << mirbft::wire::to_json(report) << '\n';
  } else {
    print(report);
  }
  const auto is_right = [](const Catch& one) {
    return one.rule.empty() == (one.mutant == "none");
  };
  return std::ranges::all_of(report.catches, is_right) ? 0 : 1;
}

/// Does what was asked for, and returns the exit status.
int run(const Options& options) {
  if (options.figures) {
    print_figures();
    return 0;
  }
  if (!options.mutant.empty()) return hunt_mutants(options);
  return run_campaign(options);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(parse_options(argc, argv));
  } catch (const mirbft::ConfigError& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 1;
  }
}

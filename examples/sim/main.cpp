// mirbft-sim: whole clusters from one seed each, under faults, with every invariant checked.
#include <exception>
#include <iostream>

#include <mirbft/types/errors.hpp>

#include "campaign.hpp"
#include "figures.hpp"
#include "options.hpp"
#include "zoo.hpp"

namespace {

using namespace simulation;

/// Does what was asked for, and returns the exit status.
int run(const Options& options) {
  if (options.figures) {
    print_figures();
    return 0;
  }
  if (!options.mutant.empty()) return run_zoo(options);
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

#include "options.hpp"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>

#include <CLI/CLI.hpp>

#include <mirbft/sim/fault.hpp>
#include <mirbft/sim/faults.hpp>
#include <mirbft/types/errors.hpp>

namespace simulation {

using mirbft::ConfigError;
using mirbft::sim::FaultKinds;

Seeds parse_seeds(const std::string& option, const std::string& text) {
  const auto number = [&](std::string_view part) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (error != std::errc() || end != part.data() + part.size())
      throw ConfigError(option, '"' + text + '"', "must be A..B, A.. or A, with numbers");
    return value;
  };
  const std::string_view view = text;
  const std::size_t dots = view.find("..");
  if (dots == view.npos) return {number(view), number(view)};
  const std::string_view last = view.substr(dots + 2);
  const Seeds seeds{number(view.substr(0, dots)),
                    last.empty() ? std::numeric_limits<std::uint64_t>::max() : number(last)};
  if (seeds.last < seeds.first)
    throw ConfigError(option, '"' + text + '"', "must not end before it begins");
  return seeds;
}

namespace {

/// One line of what CLI11 says of an error: the rest asks to run with --help.
std::string first_line(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

void parse(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {
    std::exit(app.exit(asked));
  } catch (const CLI::ParseError& error) {
    throw ConfigError("command line", first_line(error.what()), "--help lists what there is");
  }
}

/// What makes no use of an option must not be asked for together with it.
void check_alone(const CLI::App& app, const std::string& what,
                 std::initializer_list<const char*> useless) {
  if (app.count(what) == 0) return;
  for (const char* other : useless)
    if (app.count(other) != 0)
      throw ConfigError(what, std::string("with ") + other,
                        "makes no use of it: leave one of the two out");
}
void check_together(const CLI::App& app) {
  check_alone(app, "--figures",
              {"--seeds", "--nodes", "--minutes", "--faults", "--adversary", "--failures",
               "--jobs", "--mutant", "--twins", "--print", "--scenario", "--event-logs"});
  check_alone(app, "--scenario",
              {"--seeds", "--nodes", "--minutes", "--faults", "--adversary", "--failures",
               "--jobs", "--mutant", "--twins", "--print"});
  check_alone(app, "--mutant",
              {"--minutes", "--failures", "--jobs", "--twins", "--print", "--event-logs"});
  check_alone(app, "--twins", {"--faults", "--adversary", "--jobs", "--print", "--event-logs"});
  check_alone(app, "--scenarios", {"--seeds"});
}

/// An option that is given and says nothing is a variable that was not set.
void check_values(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options())
    for (const std::string& value : option->results())
      if (value.empty() || value == "nan")
        throw ConfigError(option->get_name(), '"' + value + '"', "must say something");
}

void add_twins(CLI::App& app, Options& options, std::string& scenarios) {
  auto* const twins = app.add_flag(
      "--twins", options.twins,
      "nodes with one key that are there twice, under partitions that --seeds draw");
  app.add_option("--views", options.views, "of twins, until the network heals")->needs(twins);
  app.add_option("--groups", options.groups, "of a partition around twins, at most: 2 or 3")
      ->needs(twins);
  app.add_option("--scenarios", scenarios, "of twins, counted and not drawn: A..B, A.. or A")
      ->needs(twins);
}

void add_options(CLI::App& app, Options& options, std::string& seeds, std::string& scenarios) {
  app.set_version_flag("--version", "mirbft-sim " MIRBFT_VERSION);
  app.option_defaults()->always_capture_default();
  // What is run.
  app.add_option("--seeds", seeds, "A..B, A.. or A");
  app.add_option("--nodes", options.nodes, "members of a cluster")->check(CLI::Range(1, 64));
  app.add_option("--minutes", options.minutes, "end after so many minutes; 0 for all seeds")
      ->check(CLI::Range(0.0, 100000.0));
  app.add_option("--faults", options.faults_text,
                 "all, none or a list of " + to_string(FaultKinds::all()));
  app.add_option("--adversary", options.adversaries_text,
                 "faulty replicas and clients: none, all, names with commas between, or list");
  app.add_option("--failures", options.failures, "end after so many seeds that failed")
      ->check(CLI::PositiveNumber);
  app.add_option("--jobs", options.jobs, "run so many seeds at a time, each on a processor")
      ->check(CLI::Range(1, 64));
  // What is run instead.
  app.add_option("--scenario", options.scenario, "run this file, - for the standard input");
  app.add_flag("--print", options.prints_scenario, "print the scenario of one seed, run nothing");
  app.add_flag("--figures", options.figures,
               "measure the protocol in virtual time, and its improvements one by one");
  app.add_option("--mutant", options.mutant,
                 "put in a mistake, or all in turn: each must be found within --seeds");
  add_twins(app, options, scenarios);
  // What is said of it.
  app.add_option("--event-logs", options.event_logs,
                 "an empty folder for the event logs of all nodes; for one run");
  app.add_option("--shrink", options.shrink,
                 "CPU seconds to take out of a failed run what it does not need")
      ->check(CLI::Range(0.0, 1e6));
  app.add_option("--out", options.out, "a folder for scenarios and event logs of failed runs");
  app.add_flag("--verbose", options.verbose, "print the fingerprint of each seed");
  app.add_flag("--json", options.json, "print the figures as JSON");
}

/// All means all that there can be among so many nodes.
FaultKinds fault_kinds(const Options& options) {
  const FaultKinds possible = mirbft::sim::faults_among(options.nodes);
  if (options.faults_text == "all") return possible;
  const FaultKinds kinds = mirbft::sim::parse_fault_kinds(options.faults_text);
  for (std::size_t i = 0; i < mirbft::sim::fault_kinds; ++i) {
    const auto kind = mirbft::sim::fault_at(i);
    if (kinds.has(kind) && !possible.has(kind))
      throw ConfigError("--faults", std::string(to_string(kind)),
                        "cannot strike " + std::to_string(options.nodes) +
                            " nodes: raise --nodes, or leave it out");
  }
  return kinds;
}

void check(const Options& options) {
  const bool is_one = options.seeds.first == options.seeds.last;
  if (!options.event_logs.empty() && options.scenario.empty() && !is_one)
    throw ConfigError("--event-logs", options.event_logs, "needs --seeds with one seed");
  if (options.prints_scenario && !is_one)
    throw ConfigError("--print", "of many seeds", "needs --seeds with one seed");
}

}  // namespace

Options parse_options(int argc, char** argv) {
  Options options;
  std::string seeds = "1..100";
  std::string scenarios;
  CLI::App app{"Runs clusters of mirbft nodes in virtual time, one a seed, and checks every rule.",
               "mirbft-sim"};
  add_options(app, options, seeds, scenarios);
  parse(app, argc, argv);
  check_values(app);
  check_together(app);
  // A mistake that shows rarely needs more of them.
  if (!options.mutant.empty() && app.count("--seeds") == 0) seeds = "1..3000";
  options.seeds = parse_seeds("--seeds", seeds);
  if (!scenarios.empty()) options.scenarios = parse_seeds("--scenarios", scenarios);
  options.faults = fault_kinds(options);
  options.lists_adversaries = options.adversaries_text == "list";
  if (!options.lists_adversaries)
    options.adversaries = mirbft::sim::parse_adversary_kinds(options.adversaries_text);
  check(options);
  return options;
}

}  // namespace simulation

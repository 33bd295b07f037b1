#include "campaign.hpp"

#include <array>
#include <cstddef>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/sim/fingerprint.hpp>
#include <mirbft/sim/scenario_parser.hpp>
#include <mirbft/sim/scenario_text.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/wire/json.hpp>

#include "cpu_time.hpp"
#include "failure.hpp"
#include "in_order.hpp"
#include "progress.hpp"
#include "report.hpp"

namespace simulation {
namespace {

using mirbft::sim::FaultKinds;
using mirbft::sim::Scenario;
using mirbft::sim::TrialResult;

std::string hexadecimal(std::uint64_t value) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016lx", value);
  return text.data();
}

/// Runs that are over, in the order of their seeds.
struct Runs {
  mirbft::sim::Campaign sum;
  mirbft::sim::Fingerprint fingerprint;
  std::vector<std::pair<Scenario, TrialResult>> failed;

  void add(const Scenario& scenario, TrialResult result) {
    sum.add(result);
    fingerprint.add(result.fingerprint);
    if (!result.findings.empty()) failed.push_back({scenario, std::move(result)});
  }
};

Scenario draw(std::uint64_t seed, const Options& options) {
  return mirbft::sim::draw_scenario(seed, {.nodes = options.nodes,
                                           .faults = options.faults,
                                           .adversaries = options.adversaries});
}

std::string progress_text(std::uint64_t seed, const Runs& runs, double seconds,
                          const Options& options) {
  std::array<char, 160> text{};
  const double rate = static_cast<double>(runs.sum.seeds) / seconds;
  std::snprintf(text.data(), text.size(), "seed %lu: %lu done, %lu failed, %.0f seeds/s", seed,
                runs.sum.seeds, runs.sum.failed, rate);
  const auto left = static_cast<double>(options.seeds.last - seed);
  // Seeds without an end are as many as there are numbers.
  if (left > 1e15) return text.data();
  return text.data() + (", " + std::to_string(static_cast<long>(left / rate)) + " s left");
}

/// Runs seeds until they, the time or the patience with failures are at an end.
Runs run_seeds(const Options& options, const RunTrial& run) {
  Runs runs;
  Progress progress;
  const auto run_one = [&](std::uint64_t seed) {
    return run(draw(seed, options), options.event_logs);
  };
  const auto take = [&](std::uint64_t seed, TrialResult result) {
    if (options.verbose)
      std::fprintf(stderr, "seed %lu: %s\n", seed, hexadecimal(result.fingerprint).c_str());
    // At once: who ends a long campaign early must not lose what it has found.
    if (!result.findings.empty()) progress.tell(result.findings.front().text);
    runs.add(draw(seed, options), std::move(result));
    const double seconds = progress.passed().count();
    progress.show([&] { return progress_text(seed, runs, seconds, options); });
    return runs.failed.size() < options.failures &&
           (options.minutes == 0 || seconds < 60 * options.minutes);
  };
  make_in_order(options.seeds.first, options.seeds.last, options.jobs, run_one, take);
  return runs;
}

/// Whether a campaign proves what it is meant to. A kind of fault that never strikes in so many
/// seeds shows that the campaign does not test what it says.
bool is_good(const Report& report) {
  constexpr std::uint64_t enough_seeds = 100;
  if (report.failed != 0) return false;
  if (report.seeds < enough_seeds) return true;
  if (report.missing != "none")
    std::cerr << "error: these faults never struck: " << report.missing << '\n';
  if (report.idle_adversaries != "none")
    std::cerr << "error: these adversaries never acted: " << report.idle_adversaries << '\n';
  return report.missing == "none" && report.idle_adversaries == "none";
}

/// Those that have struck.
FaultKinds kinds_of(const mirbft::sim::FaultCounts& counts) {
  FaultKinds kinds;
  for (std::size_t i = 0; i < mirbft::sim::fault_kinds; ++i)
    if (counts[mirbft::sim::fault_at(i)] != 0)
      kinds = kinds | FaultKinds{mirbft::sim::fault_at(i)};
  return kinds;
}

mirbft::sim::AdversaryKinds kinds_of(const mirbft::sim::Roles& roles) {
  mirbft::sim::AdversaryKinds kinds = roles.clients;
  for (const mirbft::sim::Role& role : roles.replicas)
    for (const std::size_t place : role.kinds.of_replicas()) kinds.add(place);
  return kinds;
}

/// Prints it all and returns the exit status. `cpu_before` is when the runs began.
template <class Name, class Command>
int conclude(Runs runs, double cpu_before, const Options& options, const RunTrial& run,
             Name&& name_of, Command&& command_of) {
  Report report =
      make_report(runs.sum, options.faults, options.adversaries, cpu_seconds() - cpu_before);
  report.fingerprint = hexadecimal(runs.fingerprint.value());
  for (auto& [scenario, result] : runs.failed)
    report.failures.push_back(examine(scenario, std::move(result), name_of(scenario),
                                      command_of(scenario), options, run));
  if (options.json) {
    std::cout << mirbft::wire::to_json(report) << '\n';
  } else {
    print(report);
  }
  return is_good(report) ? 0 : 1;
}

std::string read_text(const std::string& path) {
  if (path == "-") return {std::istreambuf_iterator<char>(std::cin), {}};
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path))
    throw mirbft::ConfigError("--scenario", path, "must be a file that this user can read, or -");
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

int run_campaign(const Options& options, const RunTrial& run) {
  const double cpu_before = cpu_seconds();
  const auto name = [](const Scenario& one) { return "seed-" + std::to_string(one.seed); };
  const auto command = [&](const Scenario& one) {
    return "mirbft-sim --seeds " + std::to_string(one.seed) + " --nodes " +
           std::to_string(options.nodes) + " --faults " + options.faults_text +
           (options.adversaries.none() ? "" : " --adversary " + options.adversaries_text);
  };
  Runs runs = run_seeds(options, run);
  return conclude(std::move(runs), cpu_before, options, run, name, command);
}

int print_scenario(const Options& options) {
  std::cout << scenario_text(draw(options.seeds.first, options));
  return 0;
}

int run_scenario(const Options& options, const RunTrial& run) {
  const double cpu_before = cpu_seconds();
  const std::string source = options.scenario == "-" ? "(standard input)" : options.scenario;
  const Scenario scenario =
      mirbft::sim::parse_scenario(read_text(options.scenario), source, known_messages());
  TrialResult result = run(scenario, options.event_logs);
  const std::vector<std::string> idle = result.idle;
  // The table shows what there was.
  Options shown = options;
  shown.faults = kinds_of(result.figures.faults);
  shown.adversaries = kinds_of(scenario.adversaries);
  const auto name = [&](const Scenario&) {
    return options.scenario == "-" ? "scenario"
                                   : std::filesystem::path(options.scenario).stem().string();
  };
  const auto command = [&](const Scenario& one) {
    // What came by a pipe is gone, but the folder of the failure has it.
    const std::filesystem::path kept =
        std::filesystem::path(options.out) / name(one) / "drawn.scenario";
    return "mirbft-sim --scenario " +
           (options.scenario == "-" ? kept.string() : options.scenario);
  };
  Runs runs;
  runs.add(scenario, std::move(result));
  const int status = conclude(std::move(runs), cpu_before, shown, run, name, command);
  for (const std::string& line : idle)
    std::cerr << "error: " << source << ": no message met this line: " << line << '\n';
  return idle.empty() ? status : 1;
}

}  // namespace simulation

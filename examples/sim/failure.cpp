#include "failure.hpp"

#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mirbft/sim/scenario_text.hpp>
#include <mirbft/sim/shrink.hpp>

#include "cpu_time.hpp"
#include "progress.hpp"

namespace simulation {
namespace {

namespace fs = std::filesystem;
using mirbft::sim::Scenario;
using mirbft::sim::TrialResult;

/// Smaller, and still failing by the same rule.
Scenario shrink_failure(const Scenario& scenario, const std::string& rule, double at_most,
                        const RunTrial& run, std::uint64_t& runs) {
  const double end = cpu_seconds() + at_most;
  Progress progress;
  const auto fails = [&](const Scenario& one) {
    const TrialResult result = run(one, "");
    return !result.findings.empty() && result.findings.front().rule == rule;
  };
  const auto go_on = [&](const Scenario& smallest, std::uint64_t so_far) {
    runs = so_far;
    progress.show([&] {
      return "shrinking: " + std::to_string(smallest.faults.strikes.size()) + " of " +
             std::to_string(scenario.faults.strikes.size()) + " strikes left after " +
             std::to_string(so_far) + " runs";
    });
    return cpu_seconds() < end;
  };
  return mirbft::sim::shrink(scenario, fails, go_on);
}

void write(const fs::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

/// The event logs of an earlier run of the same name.
void remove_logs(const fs::path& folder) {
  std::vector<fs::path> logs;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("node-") && name.ends_with(".log")) logs.push_back(entry.path());
  }
  for (const fs::path& log : logs) fs::remove(log);
}

void write_all(const fs::path& folder, const Scenario& drawn, const Scenario& smallest,
               const RunTrial& run) {
  fs::create_directories(folder);
  remove_logs(folder);
  write(folder / "drawn.scenario", scenario_text(drawn));
  write(folder / "smallest.scenario", scenario_text(smallest));
  const TrialResult result = run(smallest, folder.string());
  std::string findings;
  for (const mirbft::sim::Finding& finding : result.findings) findings += finding.text + '\n';
  write(folder / "findings.txt", findings);
  std::string states;
  for (const std::string& state : result.states) states += state + '\n';
  write(folder / "states.json", states);
}

}  // namespace

Failure examine(const Scenario& scenario, TrialResult result, const std::string& name,
                const std::string& command, const Options& options, const RunTrial& run) {
  Failure failure;
  failure.seed = scenario.seed;
  failure.findings = std::move(result.findings);
  failure.states = std::move(result.states);
  failure.command = command;
  const Scenario smallest = shrink_failure(scenario, failure.findings.front().rule, options.shrink,
                                           run, failure.runs);
  failure.smallest = scenario_text(smallest);
  const fs::path folder = fs::path(options.out) / name;
  try {
    write_all(folder, scenario, smallest, run);
    failure.folder = folder.string();
    failure.smallest_command =
        "mirbft-sim --scenario " + (folder / "smallest.scenario").string();
  } catch (const std::exception& error) {
    failure.trouble = error.what();
  }
  return failure;
}

void print(const Failure& failure) {
  std::printf("\n");
  for (const mirbft::sim::Finding& finding : failure.findings)
    std::printf("%s\n", finding.text.c_str());
  std::printf("  again: %s\n", failure.command.c_str());
  std::printf("\nAfter %lu runs, all that it needs is\n\n%s\n", failure.runs,
              failure.smallest.c_str());
  if (!failure.trouble.empty()) {
    std::printf("  its event logs are missing: %s\n", failure.trouble.c_str());
    return;
  }
  std::printf("  again: %s\n", failure.smallest_command.c_str());
  std::printf("  event logs and states: %s\n", failure.folder.c_str());
}

}  // namespace simulation

// mirbft-sim: whole clusters from one seed each, under faults, with every invariant checked.
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <iostream>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <mirbft/sim/fingerprint.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/wire/json.hpp>

#include "figures.hpp"
#include "replica.hpp"
#include "report.hpp"

namespace {

using namespace simulation;
using mirbft::ConfigError;
using mirbft::sim::FaultKinds;

struct Options {
  std::string seeds = "1..100";
  std::uint32_t nodes = 4;
  double minutes = 0;
  std::string faults = "all";
  std::string adversary = "none";
  std::uint64_t failures = 1;
  std::string event_logs;
  bool figures = false;
  bool verbose = false;
  bool json = false;
};

struct Seeds {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

/// Reads "A..B", "A.." for all from A on, or "A" for one.
Seeds parse_seeds(const std::string& text) {
  const auto number = [&](std::string_view part) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (error != std::errc() || end != part.data() + part.size())
      throw ConfigError("--seeds", '"' + text + '"', "must be A..B, A.. or A, with numbers");
    return value;
  };
  const std::string_view view = text;
  const std::size_t dots = view.find("..");
  if (dots == view.npos) return {number(view), number(view)};
  const std::string_view last = view.substr(dots + 2);
  const Seeds seeds{number(view.substr(0, dots)),
                    last.empty() ? std::numeric_limits<std::uint64_t>::max() : number(last)};
  if (seeds.last < seeds.first)
    throw ConfigError("--seeds", '"' + text + '"', "must not end before it begins");
  return seeds;
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::string hexadecimal(std::uint64_t value) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016lx", value);
  return text.data();
}

std::string command_for(std::uint64_t seed, const Options& options) {
  return "mirbft-sim --seeds " + std::to_string(seed) + " --nodes " +
         std::to_string(options.nodes) + " --faults " + options.faults + " --adversary " +
         options.adversary;
}

/// Runs seeds until they, the time or the patience with failures are at an end.
Report run_all(const Seeds& seeds, const Options& options) {
  using Clock = std::chrono::steady_clock;
  if (!options.event_logs.empty() && seeds.first != seeds.last)
    throw ConfigError("--event-logs", options.event_logs, "needs --seeds with one seed");
  const FaultKinds kinds = mirbft::sim::parse_fault_kinds(options.faults);
  const auto adversaries = mirbft::sim::parse_adversary_kinds(options.adversary);
  const bool terminal = isatty(STDERR_FILENO) != 0;
  const double cpu_before = cpu_seconds();
  const auto begin = Clock::now();
  auto shown = begin;
  mirbft::sim::Campaign campaign;
  mirbft::sim::Fingerprint fingerprint;
  std::vector<Failure> failures;
  for (std::uint64_t seed = seeds.first;; ++seed) {
    mirbft::sim::TrialResult result =
        run(seed, options.nodes, kinds, adversaries, options.event_logs);
    campaign.add(result);
    fingerprint.add(result.fingerprint);
    if (options.verbose)
      std::fprintf(stderr, "seed %lu: %s\n", seed, hexadecimal(result.fingerprint).c_str());
    if (!result.findings.empty())
      failures.push_back({seed, std::move(result.findings), std::move(result.states),
                          command_for(seed, options)});
    const auto now = Clock::now();
    if (terminal && now - shown > std::chrono::milliseconds(200)) {
      shown = now;
      std::fprintf(stderr, "\rseed %lu, %lu failed  ", seed, campaign.failed);
    }
    const std::chrono::duration<double> spent = now - begin;
    if (seed == seeds.last || failures.size() >= options.failures ||
        (options.minutes > 0 && spent.count() >= 60 * options.minutes))
      break;
  }
  if (terminal) std::fprintf(stderr, "\r\033[K");
  Report report = make_report(campaign, kinds, adversaries, cpu_seconds() - cpu_before);
  report.fingerprint = hexadecimal(fingerprint.value());
  report.failures = std::move(failures);
  return report;
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

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Runs clusters of mirbft nodes in virtual time, one a seed, and checks every rule.",
               "mirbft-sim"};
  app.set_version_flag("--version", "mirbft-sim " MIRBFT_VERSION);
  app.option_defaults()->always_capture_default();
  app.add_option("--seeds", options.seeds, "A..B, A.. or A");
  app.add_option("--nodes", options.nodes, "members of a cluster")->check(CLI::Range(1, 64));
  app.add_option("--minutes", options.minutes, "end after so many minutes; 0 for all seeds")
      ->check(CLI::Range(0.0, 100000.0));
  app.add_option("--faults", options.faults,
                 "all, none or a list of " +
                     mirbft::sim::to_string(mirbft::sim::FaultKinds::all()));
  app.add_option("--adversary", options.adversary,
                 "all, none, or a list of the names that 'list' prints");
  app.add_option("--failures", options.failures, "end after so many seeds that failed")
      ->check(CLI::PositiveNumber);
  app.add_option("--event-logs", options.event_logs,
                 "an empty folder for the event logs of all nodes; for one seed");
  app.add_flag("--figures", options.figures,
               "measure the protocol in virtual time, and its improvements one by one");
  app.add_flag("--verbose", options.verbose, "print the fingerprint of each seed");
  app.add_flag("--json", options.json, "print the figures as JSON");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    if (options.figures) {
      print_figures();
      return 0;
    }
    if (options.adversary == "list") {
      print_adversaries();
      return 0;
    }
    const Report report = run_all(parse_seeds(options.seeds), options);
    if (options.json) {
      std::cout << mirbft::wire::to_json(report) << '\n';
    } else {
      print(report);
    }
    return is_good(report) ? 0 : 1;
  } catch (const ConfigError& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 1;
  }
}

#include "campaign.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/sim/fingerprint.hpp>
#include <mirbft/wire/json.hpp>

#include "report.hpp"
#include "trials.hpp"

namespace simulation {
namespace {

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
         std::to_string(options.nodes) + " --faults " + options.faults_text;
}

/// Runs seeds until they, the time or the patience with failures are at an end.
Report run_all(const Options& options) {
  using Clock = std::chrono::steady_clock;
  const bool terminal = isatty(STDERR_FILENO) != 0;
  const double cpu_before = cpu_seconds();
  const auto begin = Clock::now();
  auto shown = begin;
  mirbft::sim::Campaign campaign;
  mirbft::sim::Fingerprint fingerprint;
  std::vector<Failure> failures;
  for (std::uint64_t seed = options.seeds.first;; ++seed) {
    mirbft::sim::TrialResult result =
        run_trial(seed, options.nodes, options.faults, options.event_logs);
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
    if (seed == options.seeds.last || failures.size() >= options.failures ||
        (options.minutes > 0 && spent.count() >= 60 * options.minutes))
      break;
  }
  if (terminal) std::fprintf(stderr, "\r\033[K");
  Report report = make_report(campaign, options.faults, cpu_seconds() - cpu_before);
  report.fingerprint = hexadecimal(fingerprint.value());
  report.failures = std::move(failures);
  return report;
}

/// Whether a campaign proves what it is meant to. A kind of fault that never strikes in so many
/// seeds shows that the campaign does not test what it says.
bool is_good(const Report& report) {
  constexpr std::uint64_t enough_seeds = 100;
  if (report.failed != 0) return false;
  if (report.missing == "none" || report.seeds < enough_seeds) return true;
  std::cerr << "error: these faults never struck: " << report.missing << '\n';
  return false;
}

}  // namespace

int run_campaign(const Options& options) {
  const Report report = run_all(options);
  if (options.json) {
    std::cout << mirbft::wire::to_json(report) << '\n';
  } else {
    print(report);
  }
  return is_good(report) ? 0 : 1;
}

}  // namespace simulation

#include "twins.hpp"

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <iostream>
#include <utility>

#include <mirbft/sim/twins.hpp>
#include <mirbft/sim/twins_pbft.hpp>
#include <mirbft/types/quorum.hpp>
#include <mirbft/wire/json.hpp>

#include "cpu_time.hpp"

namespace simulation {
namespace {

namespace twins = mirbft::sim::twins;
using PbftTwins = twins::Twins<twins::PbftSubject<>>;

/// As many twins as there may be faulty nodes.
twins::Shape shape_of(const Options& options) {
  return {options.nodes, mirbft::Quorum(options.nodes).faulty(), options.views, options.groups};
}

std::string command_for(const twins::Scenario& scenario) {
  const char* by = scenario.choice == twins::Choice::counted ? " --scenarios " : " --seeds ";
  return "mirbft-sim --twins --nodes " + std::to_string(scenario.shape.nodes) + " --views " +
         std::to_string(scenario.shape.views) + " --groups " +
         std::to_string(scenario.shape.groups) + by + std::to_string(scenario.number);
}

/// Shows how far it has come, and tells when the time is up.
class Progress {
 public:
  explicit Progress(double minutes) : minutes_(minutes) {}

  bool operator()(const twins::Tally& tally) {
    const auto now = Clock::now();
    if (terminal_ && now - shown_ > std::chrono::milliseconds(200)) {
      shown_ = now;
      std::fprintf(stderr, "\r\033[K%lu scenarios, %lu played  ", tally.scenarios, tally.played);
    }
    const std::chrono::duration<double> spent = now - begin_;
    return minutes_ == 0 || spent.count() < 60 * minutes_;
  }
  void end() const {
    if (terminal_) std::fprintf(stderr, "\r\033[K");
  }

 private:
  using Clock = std::chrono::steady_clock;

  double minutes_;
  bool terminal_ = isatty(STDERR_FILENO) != 0;
  Clock::time_point begin_ = Clock::now();
  Clock::time_point shown_ = begin_;
};

TwinsReport run_all(const Options& options) {
  const PbftTwins twins(shape_of(options));
  Progress progress(options.minutes);
  const double before = cpu_seconds();
  const twins::Tally tally =
      options.scenarios
          ? twins.explore(options.scenarios->first, options.scenarios->last, progress)
          : twins.sample(options.seeds.first, options.seeds.last, progress);
  progress.end();
  const double seconds = cpu_seconds() - before;
  TwinsReport report{tally.scenarios,
                     tally.played,
                     seconds,
                     static_cast<double>(tally.scenarios) / seconds,
                     static_cast<double>(tally.played) / seconds,
                     tally.figures,
                     tally.by_view,
                     {}};
  if (tally.failed)
    report.failures.push_back({to_string(*tally.failed), twins.play(*tally.failed).findings,
                               command_for(*tally.failed)});
  return report;
}

void print(const TwinsReport& report) {
  const twins::Figures& figures = report.figures;
  std::printf("  scenarios                  %14lu\n", report.scenarios);
  std::printf("  of them played             %14lu\n", report.played);
  std::printf("  CPU seconds                %14.2f\n", report.cpu_seconds);
  std::printf("  scenarios/CPU-second       %14.0f\n", report.scenarios_per_cpu_second);
  std::printf("  played/CPU-second          %14.0f\n\n", report.played_per_cpu_second);
  std::printf("  decided batches            %14lu\n", figures.decided_batches);
  std::printf("  decided nil                %14lu\n", figures.decided_nil);
  std::printf("  of these before healing    %14lu\n", figures.decided_early);
  std::printf("  double proposals           %14lu\n", figures.double_proposals);
  std::printf("  of these in NewViews       %14lu\n", figures.double_new_views);
  std::printf("  messages                   %14lu\n", figures.messages);
  std::printf("  of them lost               %14lu\n", figures.lost);
  std::printf("  restarts                   %14lu\n", figures.restarts);
  std::printf("  rounds to heal, at most    %14lu\n", figures.healing_rounds);
  for (std::size_t view = 0; view < report.by_view.size(); ++view)
    std::printf("  came to view %-13zu %14lu\n", view, report.by_view[view]);
  for (const TwinsFailure& failure : report.failures) {
    std::printf("\n");
    for (const mirbft::sim::Finding& finding : failure.findings)
      std::printf("%s\n", finding.text.c_str());
    std::printf("%s  again: %s\n", failure.scenario.c_str(), failure.command.c_str());
  }
}

/// Twins that never contradict one another prove nothing. In some ranges of those that are counted
/// they do not lead.
bool is_good(const TwinsReport& report, const Options& options) {
  constexpr std::uint64_t enough = 1000;
  if (!report.failures.empty()) return false;
  if (report.figures.double_proposals != 0 || report.scenarios < enough || options.scenarios)
    return true;
  std::cerr << "error: twins have never proposed two things at once\n";
  return false;
}

}  // namespace

int run_twins(const Options& options) {
  const TwinsReport report = run_all(options);
  if (options.json) {
    std::cout << mirbft::wire::to_json(report) << '\n';
  } else {
    print(report);
  }
  return is_good(report, options) ? 0 : 1;
}

}  // namespace simulation

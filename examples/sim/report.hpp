// What a campaign prints at its end.
#ifndef MIRBFT_EXAMPLES_SIM_REPORT_HPP
#define MIRBFT_EXAMPLES_SIM_REPORT_HPP

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/sim/trial.hpp>

#include "failure.hpp"

namespace simulation {

struct FaultLine {
  std::string kind;
  std::uint64_t times = 0;
};
struct AdversaryLine {
  std::string kind;
  std::uint64_t times = 0;
};

struct Report {
  std::uint64_t seeds = 0;
  std::uint64_t failed = 0;
  double node_hours = 0;
  std::uint64_t requests = 0;
  std::uint64_t retries = 0;
  std::uint64_t events = 0;
  std::uint64_t frames = 0;
  double cpu_seconds = 0;
  double seeds_per_cpu_minute = 0;
  double node_hours_per_cpu_minute = 0;
  double requests_per_cpu_minute = 0;
  /// Of the fingerprints of all seeds, in their order: the same whatever compiled the program.
  std::string fingerprint;
  std::vector<FaultLine> faults;
  /// Kinds that may strike and never did; they fail a campaign of many seeds.
  std::string missing;
  std::vector<AdversaryLine> adversaries;
  /// The same of adversaries that never acted.
  std::string idle_adversaries;
  std::vector<Failure> failures;
};

inline Report make_report(const mirbft::sim::Campaign& campaign, mirbft::sim::FaultKinds kinds,
                          mirbft::sim::AdversaryKinds adversaries, double cpu_seconds) {
  using namespace mirbft::sim;
  const Figures& figures = campaign.figures;
  const double minutes = cpu_seconds / 60;
  Report report;
  report.seeds = campaign.seeds;
  report.failed = campaign.failed;
  report.node_hours = static_cast<double>(figures.node_time.count()) / 3.6e12;
  report.requests = figures.requests;
  report.retries = figures.retries;
  report.events = figures.events;
  report.frames = figures.frames;
  report.cpu_seconds = cpu_seconds;
  report.seeds_per_cpu_minute = static_cast<double>(campaign.seeds) / minutes;
  report.node_hours_per_cpu_minute = report.node_hours / minutes;
  report.requests_per_cpu_minute = static_cast<double>(figures.requests) / minutes;
  for (std::size_t i = 0; i < fault_kinds; ++i)
    if (kinds.has(fault_at(i)))
      report.faults.push_back(
          {std::string(to_string(fault_at(i))), figures.faults[fault_at(i)]});
  report.missing = to_string(figures.faults.missing(kinds));
  for (std::size_t i = 0; i < adversary_kinds.size(); ++i)
    if (adversaries.has(i))
      report.adversaries.push_back(
          {std::string(adversary_kinds[i].name), campaign.adversaries[i]});
  report.idle_adversaries = to_string(campaign.adversaries.missing(adversaries));
  return report;
}

inline void print(const Report& report) {
  std::printf("  seeds                      %14lu\n", report.seeds);
  std::printf("  of them failed             %14lu\n", report.failed);
  std::printf("  requests answered          %14lu\n", report.requests);
  std::printf("  asked again                %14lu\n", report.retries);
  std::printf("  events                     %14lu\n", report.events);
  std::printf("  frames                     %14lu\n", report.frames);
  std::printf("  virtual node-hours         %14.2f\n", report.node_hours);
  std::printf("  CPU seconds                %14.2f\n", report.cpu_seconds);
  std::printf("  seeds/CPU-minute           %14.0f\n", report.seeds_per_cpu_minute);
  std::printf("  node-hours/CPU-minute      %14.2f\n", report.node_hours_per_cpu_minute);
  std::printf("  requests/CPU-minute        %14.0f\n", report.requests_per_cpu_minute);
  std::printf("  fingerprint              %s\n\n", report.fingerprint.c_str());
  for (const FaultLine& line : report.faults)
    std::printf("  %-26s %14lu\n", line.kind.c_str(), line.times);
  for (const AdversaryLine& line : report.adversaries)
    std::printf("  %-26s %14lu\n", line.kind.c_str(), line.times);
  for (const Failure& failure : report.failures) print(failure);
}

/// The table of adversaries.
inline void print_adversaries() {
  for (const mirbft::sim::AdversaryKind& kind : mirbft::sim::adversary_kinds)
    std::printf("  %-21s  %s\n", kind.name.data(), kind.what.data());
}

}  // namespace simulation

BOOST_HANA_ADAPT_STRUCT(simulation::FaultLine, kind, times);
BOOST_HANA_ADAPT_STRUCT(simulation::AdversaryLine, kind, times);
BOOST_HANA_ADAPT_STRUCT(simulation::Report, seeds, failed, node_hours, requests, retries, events,
                        frames, cpu_seconds, seeds_per_cpu_minute, node_hours_per_cpu_minute,
                        requests_per_cpu_minute, fingerprint, faults, missing, adversaries,
                        idle_adversaries, failures);

#endif

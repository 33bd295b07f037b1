#include "zoo.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <iostream>
#include <utility>

#include <mirbft/sim/zoo/disk.hpp>
#include <mirbft/sim/zoo/mutant.hpp>
#include <mirbft/sim/zoo/rules.hpp>
#include <mirbft/wire/json.hpp>

#include "cpu_time.hpp"
#include "replica.hpp"

namespace simulation {
namespace {

namespace sim = mirbft::sim;
namespace zoo = mirbft::sim::zoo;
using zoo::Mutant;

using Orderer = mirbft::Iss<mirbft::Pbft, zoo::Policy, zoo::Rules>;
using ZooReplica =
    mirbft::Node<Net, mirbft::Sha256, Crypto, zoo::App<mirbft::KeyValueStore>,
                 zoo::Wal<sim::Wal>, mirbft::ClientTracker, zoo::Store<sim::Store>, Orderer,
                 sim::Watch<ChecksOf<Orderer, zoo::Policy>>>;

sim::TrialResult run_seed(std::uint64_t seed, const Options& options, Mutant mutant) {
  const mirbft::IssConfig protocol = protocol_config(options.nodes, seed);
  const zoo::Policy policy{{}, mutant == Mutant::policy_not_persisted, 0};
  const std::function make_protocol = [&](mirbft::NodeId self, sim::Contents disk) {
    mirbft::IssConfig own = protocol;
    own.self = self;
    if (disk == sim::Contents::lost && mutant != Mutant::amnesia_ignored)
      own.memory = mirbft::Memory::lost;
    return Orderer(std::move(own), policy, zoo::Rules(mutant));
  };
  const auto make = [&](auto parts) {
    return ZooReplica::Modules{
        .net = Net(std::move(parts.net), parts.adversary),
        .hasher = {},
        .crypto = Crypto(parts.self),
        .app = zoo::App<mirbft::KeyValueStore>(mutant),
        .wal = {std::move(parts.wal), mutant},
        .tracker = mirbft::ClientTracker(mirbft::TrackerConfig{.cluster = protocol.cluster}),
        .store = {std::move(parts.store), mutant},
        .protocol = make_protocol(parts.self, parts.disk),
        .interceptor = std::move(parts.watch)};
  };
  const sim::TrialConfig config{
      .nodes = options.nodes,
      .faults = options.faults,
      .adversaries = options.adversaries,
      .body = make_command};
  return sim::Trial<ZooReplica>(seed, config, make,
                                make_checks(protocol, policy, make_protocol, seed))
      .run();
}

Catch hunt(Mutant mutant, const Options& options) {
  Catch caught{std::string(zoo::info(mutant).name), std::string(zoo::info(mutant).about), "", "", 0,
               0};
  const double before = cpu_seconds();
  for (std::uint64_t seed = options.seeds.first; caught.rule.empty(); ++seed) {
    const sim::TrialResult result = run_seed(seed, options, mutant);
    ++caught.seeds;
    if (!result.findings.empty()) {
      caught.rule = result.findings.front().rule;
      caught.finding = result.findings.front().text;
    }
    if (seed == options.seeds.last) break;
  }
  caught.cpu_seconds = cpu_seconds() - before;
  return caught;
}

void run_control(const Options& options, ZooReport& report) {
  constexpr std::uint64_t most = 100;
  const std::uint64_t last = std::min(options.seeds.last, options.seeds.first + (most - 1));
  for (std::uint64_t seed = options.seeds.first;; ++seed) {
    ++report.control_seeds;
    report.control_failed += !run_seed(seed, options, Mutant::none).findings.empty();
    if (seed == last) return;
  }
}

void print(const ZooReport& report) {
  std::printf("  without a mistake: %lu of %lu seeds failed\n", report.control_failed,
              report.control_seeds);
  std::printf("  %-28s %8s %10s  %s\n", "mutant", "seeds", "CPU s", "killed by");
  for (const Catch& one : report.catches)
    std::printf("  %-28s %8lu %10.2f  %s\n", one.mutant.c_str(), one.seeds, one.cpu_seconds,
                one.rule.empty() ? "- (survived)" : one.rule.c_str());
  std::printf("  %lu of %lu killed\n", report.killed, report.mutants);
}

}  // namespace

int run_zoo(const Options& options) {
  const bool all = options.mutant == "all";
  const bool terminal = isatty(STDERR_FILENO) != 0;
  const std::size_t first = all ? 0 : static_cast<std::size_t>(zoo::parse_mutant(options.mutant));
  const std::size_t end = all ? zoo::mutants.size() : first + 1;
  ZooReport report;
  run_control(options, report);
  for (std::size_t i = first; i < end; ++i) {
    if (terminal)
      std::fprintf(stderr, "\r\033[K%zu of %zu: %s", i - first + 1, end - first,
                   std::string(zoo::mutants[i].name).c_str());
    report.catches.push_back(hunt(static_cast<Mutant>(i), options));
    ++report.mutants;
    report.killed += !report.catches.back().rule.empty();
  }
  if (terminal) std::fprintf(stderr, "\r\033[K");
  if (options.json) {
    std::cout << mirbft::wire::to_json(report) << '\n';
  } else {
    print(report);
  }
  return report.killed == report.mutants && report.control_failed == 0 ? 0 : 1;
}

}  // namespace simulation

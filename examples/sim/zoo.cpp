#include "zoo.hpp"

#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <utility>

#include <mirbft/sim/zoo/disk.hpp>
#include <mirbft/sim/zoo/mutant.hpp>
#include <mirbft/sim/zoo/rules.hpp>

#include "replica.hpp"

namespace simulation {
namespace {

namespace sim = mirbft::sim;
namespace zoo = mirbft::sim::zoo;
using zoo::Mutant;

using ZooChecks =
    sim::Checks<sim::TotalOrder, sim::Integrity, sim::CheckpointsAgree,
                sim::LeadersAndBuckets<zoo::Policy>, sim::NeverBack, sim::Bounded, sim::SingleVote,
                sim::WriteAhead, sim::DecisionsAgree, sim::Linearizable<sim::KeyValueModel>>;
using Orderer = mirbft::Iss<mirbft::Pbft, zoo::Policy, zoo::Rules>;
using ZooReplica =
    mirbft::Node<sim::Net, mirbft::Sha256, mirbft::NullCrypto, zoo::App<mirbft::KeyValueStore>,
                 zoo::Wal<sim::Wal>, mirbft::ClientTracker, zoo::Store<sim::Store>, Orderer,
                 sim::Watch<ZooChecks>>;

ZooChecks make_zoo_checks(const mirbft::IssConfig& config) {
  const mirbft::Quorum quorum(config.members.size());
  return ZooChecks(sim::TotalOrder(), sim::Integrity(), sim::CheckpointsAgree(quorum),
                   sim::LeadersAndBuckets<zoo::Policy>(config, quorum), sim::NeverBack(),
                   sim::Bounded(config, mirbft::TrackerConfig{}.max_pending_bytes),
                   sim::SingleVote(), sim::WriteAhead(quorum), sim::DecisionsAgree(),
                   sim::Linearizable<sim::KeyValueModel>());
}

sim::TrialResult run_seed(std::uint64_t seed, std::size_t nodes, Mutant mutant) {
  const mirbft::IssConfig protocol = protocol_config(nodes, seed);
  const auto make = [&](auto parts) {
    mirbft::IssConfig own = protocol;
    own.self = parts.self;
    if (parts.disk == sim::Contents::lost && mutant != Mutant::amnesia_ignored)
      own.memory = mirbft::Memory::lost;
    const zoo::Policy policy{{}, mutant == Mutant::policy_not_persisted, 0};
    return ZooReplica::Modules{
        .net = std::move(parts.net),
        .hasher = {},
        .crypto = {},
        .app = zoo::App<mirbft::KeyValueStore>(mutant),
        .wal = {std::move(parts.wal), mutant},
        .tracker = mirbft::ClientTracker(mirbft::TrackerConfig{.cluster = own.cluster}),
        .store = {std::move(parts.store), mutant},
        .protocol = Orderer(std::move(own), policy, zoo::Rules(mutant)),
        .interceptor = std::move(parts.watch)};
  };
  const sim::TrialConfig config{
      .nodes = nodes, .faults = sim::FaultKinds::all(), .body = make_command};
  return sim::Trial<ZooReplica>(seed, config, make, make_zoo_checks(protocol)).run();
}

Catch hunt(Mutant mutant, std::uint64_t first, std::uint64_t at_most, std::uint32_t nodes) {
  Catch caught{std::string(zoo::info(mutant).name), std::string(zoo::info(mutant).about), "", "", 0,
               0};
  const std::clock_t before = std::clock();
  for (std::uint64_t seed = first; caught.seeds < at_most && caught.rule.empty(); ++seed) {
    const sim::TrialResult result = run_seed(seed, nodes, mutant);
    ++caught.seeds;
    if (result.findings.empty()) continue;
    caught.rule = result.findings.front().rule;
    caught.finding = result.findings.front().text;
  }
  caught.cpu_seconds = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  return caught;
}

}  // namespace

ZooReport run_zoo(const std::string& name, std::uint64_t first, std::uint64_t at_most,
                  std::uint32_t nodes) {
  const bool all = name == "all";
  const bool terminal = isatty(STDERR_FILENO) != 0;
  const std::size_t begin = all ? 1 : static_cast<std::size_t>(zoo::parse_mutant(name));
  const std::size_t end = all ? zoo::mutants.size() : begin + 1;
  ZooReport report;
  for (std::size_t i = begin; i < end; ++i) {
    if (terminal)
      std::fprintf(stderr, "\r\033[K%zu of %zu: %s", i - begin + 1, end - begin,
                   std::string(zoo::mutants[i].name).c_str());
    report.catches.push_back(hunt(static_cast<Mutant>(i), first, at_most, nodes));
    report.mutants += i != 0;
    report.killed += i != 0 && !report.catches.back().rule.empty();
  }
  if (terminal) std::fprintf(stderr, "\r\033[K");
  return report;
}

void print(const ZooReport& report) {
  std::printf("  %-28s %8s %10s  %s\n", "mutant", "seeds", "CPU s", "killed by");
  for (const Catch& one : report.catches)
    std::printf("  %-28s %8lu %10.2f  %s\n", one.mutant.c_str(), one.seeds, one.cpu_seconds,
                one.rule.empty() ? "- (survived)" : one.rule.c_str());
  std::printf("  %lu of %lu killed\n", report.killed, report.mutants);
}

}  // namespace simulation

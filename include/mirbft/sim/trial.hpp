// A run of one seed: faults first, then healing, and then everything must get done.
#ifndef MIRBFT_SIM_TRIAL_HPP
#define MIRBFT_SIM_TRIAL_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/sim/adversary/cast.hpp>
#include <mirbft/sim/client.hpp>
#include <mirbft/sim/cluster.hpp>
#include <mirbft/sim/crypto.hpp>
#include <mirbft/sim/fault.hpp>
#include <mirbft/sim/faults.hpp>
#include <mirbft/sim/findings.hpp>
#include <mirbft/sim/random.hpp>
#include <mirbft/types/quorum.hpp>
#include <mirbft/wire/json.hpp>

namespace mirbft::sim {

/// What is the same for all seeds of a campaign.
struct TrialConfig {
  std::size_t nodes = 4;
  /// The kinds of faults that a seed may draw.
  FaultKinds faults{};
  /// The kinds of adversaries that a seed may draw. They go on when all else has healed.
  AdversaryKinds adversaries{};
  /// How long faults strike, at most.
  Time faulty_for = std::chrono::seconds(5);
  /// Within this time after it everything must be delivered, and states agree.
  Time heal_within = std::chrono::seconds(120);
  /// Clients, and requests of each, at most.
  std::uint64_t clients = 4;
  std::uint64_t requests = 60;
  /// The body of a request, if it is not to be the default of `ClientConfig`.
  std::function<std::string(ClientId, ReqNo, Random&)> body{};
};

/// How a run ended.
struct TrialResult {
  std::uint64_t seed = 0;
  Figures figures;
  AdversaryCounts adversaries;
  std::uint64_t fingerprint = 0;
  Time took{};
  std::vector<Finding> findings;
  /// If there are findings: the status of each node that is up, as JSON.
  std::vector<std::string> states;
};

/// Runs a cluster under the faults that a seed draws, then heals a core of at least n − f nodes
/// and demands that every request gets delivered there and that their states agree.
template <class Replica>
class Trial {
 public:
  using ClusterOfTrial = Cluster<Replica>;

  Trial(std::uint64_t seed, TrialConfig config, typename ClusterOfTrial::Make make,
        typename ClusterOfTrial::ChecksOfCluster checks = {})
      : seed_(seed),
        config_(std::move(config)),
        random_(Random(seed).fork("trial")),
        faults_(draw_faults(config_.faults, random_)),
        cast_(config_.adversaries, members(), hash, Random(seed).fork("cast")),
        cluster_(cluster_config(), std::move(make), std::move(checks)) {
    add_clients();
  }

  ClusterOfTrial& cluster() noexcept { return cluster_; }

  TrialResult run() {
    if (suffer()) recover();
    cluster_.checks().ended(cluster_.findings());
    return {seed_,          cluster_.figures(),        acted(), cluster_.fingerprint(),
            cluster_.now(), cluster_.findings().all(), states()};
  }

 private:
  ClusterConfig cluster_config() {
    ClusterConfig config;
    config.seed = seed_;
    config.nodes = config_.nodes;
    config.faulty = cast_.nodes();
    config.adversary = [this](NodeId node) { return cast_.of(node); };
    faults_.set(config);
    return config;
  }

  std::vector<NodeId> members() const {
    std::vector<NodeId> all;
    for (std::size_t i = 0; i < config_.nodes; ++i) all.push_back(NodeId(i));
    return all;
  }

  void add_clients() {
    const std::uint64_t clients = random_.between<std::uint64_t>(1, config_.clients);
    for (std::uint64_t i = 0; i < clients; ++i)
      cluster_.add_client(
          {.id = ClientId(i),
           .requests = random_.between<std::uint64_t>(1, config_.requests),
           .open = random_.between<std::size_t>(1, 16),
           .target = static_cast<Target>(random_.below(3)),
           .belief = cast_.nodes().empty() ? Belief::answers : Belief::equal_answers,
           .forgers = cast_.clients().empty() ? Forgers::none : Forgers::some,
           .retry_after = random_.between(std::chrono::seconds(1), std::chrono::seconds(5)),
           .rest = random_.between(Time{}, std::chrono::milliseconds(200)),
           .body = config_.body,
           .sign = sign});
    const Random random = Random(seed_).fork("faulty clients");
    for (const std::size_t kind : cast_.clients()) {
      const ClientId id(config_.clients + kind);
      cluster_.add_faulty_client(adversary_kinds[kind].client(
          id, cluster_.members(), sign, random.fork(adversary_kinds[kind].name)));
    }
  }

  /// The replicas' Hasher, for those who would forge what it hashes.
  using Hasher = typename detail::ModulesOf<Replica>::Hasher;
  static Digest hash(ByteView bytes) {
    Hasher hasher;
    hasher.update(bytes);
    return hasher.finish();
  }
  static Bytes sign(const Request& request) {
    return signature_under<Hasher>(request, NodeConfig{}.cluster.view());
  }
  AdversaryCounts acted() const {
    AdversaryCounts counts = cast_.counts();
    for (std::size_t i = 0; i < cast_.clients().size(); ++i)
      counts.count(cast_.clients()[i], cluster_.faulty_clients()[i]->acted());
    return counts;
  }

  /// The first phase. Returns whether no rule was broken.
  bool suffer() {
    Chaos chaos(faults_.troubles, random_.fork("chaos"));
    const Time end = random_.between(config_.faulty_for / 4, config_.faulty_for);
    while (chaos.next() < end) {
      if (!cluster_.run_until(chaos.next())) return false;
      chaos.act(cluster_);
    }
    return cluster_.run_until(end);
  }

  void recover() {
    const std::vector<NodeId> core = heal();
    cluster_.finish_requests(core);
    const auto settled = [&] { return cluster_.clients_done() && cluster_.agree(core); };
    if (cluster_.run_until(settled, config_.heal_within) || !cluster_.findings().none()) return;
    report_what_is_open(core);
  }

  /// Nodes that stay down, where nodes may go down at all, are as many as a cluster must bear,
  /// together with those that have lost their disks and those that are faulty.
  std::vector<NodeId> heal() {
    std::vector<NodeId> core = cluster_.members();
    random_.shuffle(core);
    std::erase_if(core, [&](NodeId id) { return cluster_.is_faulty(id); });
    std::stable_partition(core.begin(), core.end(),
                          [&](NodeId id) { return !cluster_.was_wiped(id); });
    if (config_.faults.has(Fault::crash) && random_.chance(500)) {
      const std::size_t faulty = cluster_.members().size() - core.size();
      const std::size_t lost =
          random_.below(Quorum(cluster_.members().size()).faulty() + 1 - faulty);
      for (std::size_t i = core.size() - lost; i < core.size(); ++i) cluster_.crash(core[i]);
      core.resize(core.size() - lost);
    }
    std::sort(core.begin(), core.end());
    cluster_.heal();
    for (const NodeId id : core) cluster_.restart(id);
    for (const NodeId id : cast_.nodes()) cluster_.restart(id);
    return core;
  }

  std::vector<std::string> states() {
    std::vector<std::string> all;
    if (cluster_.findings().none()) return all;
    for (const NodeId id : cluster_.members())
      if (cluster_.is_up(id)) all.push_back(wire::to_json(cluster_[id].status()));
    return all;
  }

  void report_what_is_open(const std::vector<NodeId>& core) {
    const std::string bound =
        " within " + std::to_string(config_.heal_within / std::chrono::seconds(1)) +
        " s after all faults have ended";
    for (std::size_t i = 0; i < cluster_.clients(); ++i) {
      const Client& client = cluster_.client(i);
      if (const auto number = client.waits_for())
        cluster_.findings().report("liveness", core.front(), std::nullopt,
                                   name_of(client.id(), *number) + " has no answer" + bound);
    }
    if (cluster_.clients_done())
      cluster_.findings().report("liveness", core.front(), std::nullopt,
                                 "the replicas' states do not come to agree" + bound);
  }

  std::uint64_t seed_;
  TrialConfig config_;
  Random random_;
  FaultPlan faults_;
  Cast cast_;
  ClusterOfTrial cluster_;
};

/// What many runs add up to.
struct Campaign {
  std::uint64_t seeds = 0;
  std::uint64_t failed = 0;
  Figures figures;
  AdversaryCounts adversaries;

  void add(const TrialResult& result) noexcept {
    ++seeds;
    adversaries += result.adversaries;
    failed += !result.findings.empty();
    figures += result.figures;
  }
};

}  // namespace mirbft::sim

#endif

// A run of one scenario: faults first, then healing, and then everything must get done.
#ifndef MIRBFT_SIM_TRIAL_HPP
#define MIRBFT_SIM_TRIAL_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/sim/adversary/cast.hpp>
#include <mirbft/sim/client.hpp>
#include <mirbft/sim/cluster.hpp>
#include <mirbft/sim/crypto.hpp>
#include <mirbft/sim/fault.hpp>
#include <mirbft/sim/findings.hpp>
#include <mirbft/sim/node_ids.hpp>
#include <mirbft/sim/scenario.hpp>
#include <mirbft/sim/scenario_text.hpp>
#include <mirbft/sim/script.hpp>
#include <mirbft/sim/strikes.hpp>
#include <mirbft/sim/time_text.hpp>
#include <mirbft/wire/json.hpp>

namespace mirbft::sim {

/// How a run ended.
struct TrialResult {
  std::uint64_t seed = 0;
  Figures figures;
  AdversaryCounts adversaries;
  std::uint64_t fingerprint = 0;
  Time took{};
  std::vector<Finding> findings;
  /// If there are findings: the status of each node that is up, as JSON.
  std::vector<std::string> states{};
  /// Lines of the scenario that no message has met.
  std::vector<std::string> idle{};
};

/// Runs a cluster under the faults of a scenario, then heals all but those that are lost and
/// demands that every request gets delivered there and that their states agree.
template <class Replica>
class Trial {
 public:
  using ClusterOfTrial = Cluster<Replica>;

  /// `make` as for a cluster; `body` is that of `ClientConfig`, if it is not to be its default.
  Trial(Scenario scenario, typename ClusterOfTrial::Make make,
        typename ClusterOfTrial::ChecksOfCluster checks = {}, MakeBody body = {})
      : scenario_(std::move(scenario)),
        script_(scenario_.rules, scenario_.triggers),
        cast_(scenario_.adversaries, node_ids(scenario_.nodes), hash,
              Random(scenario_.seed).fork("cast")),
        cluster_(cluster_config(), std::move(make), std::move(checks)) {
    add_clients(body);
  }
  /// The run that a seed draws.
  Trial(std::uint64_t seed, const TrialConfig& config, typename ClusterOfTrial::Make make,
        typename ClusterOfTrial::ChecksOfCluster checks = {})
      : Trial(draw_scenario(seed, config), std::move(make), std::move(checks), config.body) {}
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

  ClusterOfTrial& cluster() noexcept { return cluster_; }

  TrialResult run() {
    if (suffer()) recover();
    cluster_.checks().ended(cluster_.findings());
    return {scenario_.seed, cluster_.figures(),        acted(), cluster_.fingerprint(),
            cluster_.now(), cluster_.findings().all(), states(), idle_lines()};
  }

 private:
  using Message = typename detail::ModulesOf<Replica>::Protocol::Message;
  using Hasher = typename detail::ModulesOf<Replica>::Hasher;

  ClusterConfig cluster_config() const {
    ClusterConfig config;
    config.seed = scenario_.seed;
    config.nodes = scenario_.nodes;
    config.adversary = [this](NodeId node) { return cast_.of(node); };
    config.faulty = cast_.nodes();
    config.links = scenario_.faults.links;
    config.shuffled_slots = scenario_.faults.pace.shuffled_slots;
    config.reaction = scenario_.faults.pace.reaction;
    config.tail = scenario_.faults.disks.tail;
    return config;
  }

  /// The replicas' Hasher, for those who would forge what it hashes.
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

  void add_clients(const MakeBody& body) {
    std::uint64_t id = 0;
    for (const ClientLoad& load : scenario_.clients)
      cluster_.add_client({.id = ClientId(id++),
                           .requests = load.requests,
                           .open = load.open,
                           .target = load.target,
                           .belief = scenario_.adversaries.replicas.empty()
                                         ? Belief::answers
                                         : Belief::equal_answers,
                           .forgers = cast_.clients().empty() ? Forgers::none : Forgers::some,
                           .retry_after = load.retry_after,
                           .rest = load.rest,
                           .body = body,
                           .sign = sign});
    const Random random = Random(scenario_.seed).fork("faulty clients");
    for (const std::size_t kind : cast_.clients())
      cluster_.add_faulty_client(
          adversary_kinds[kind].client(ClientId(id + kind), cluster_.members(), sign,
                                       random.fork(adversary_kinds[kind].name)));
  }

  /// The first phase. Returns whether no rule was broken.
  bool suffer() {
    const Time heal = scenario_.faults.heal;
    const auto strike_now = [this, heal](const Strike& one) { strike(cluster_, one, heal); };
    for (const Strike& one : scenario_.faults.strikes)
      cluster_.at(one.at, [&one, strike_now] { strike_now(one); });
    if (!script_.empty())
      cluster_.network().judge([this, strike_now](const Frame& frame) {
        return script_.judge(frame, cluster_.now(), strike_now,
                             [this](Fault kind) { cluster_.network().count(kind); });
      });
    return cluster_.run_until(heal);
  }

  void recover() {
    const std::vector<NodeId> core = heal();
    cluster_.finish_requests(core);
    const auto settled = [&] {
      return !core.empty() && cluster_.clients_done() && cluster_.agree(core);
    };
    if (cluster_.run_until(settled, scenario_.settle) || !cluster_.findings().none()) return;
    report_what_is_open(core);
  }

  /// Returns the correct ones that are up and stay up.
  std::vector<NodeId> heal() {
    const std::vector<NodeId>& lost = scenario_.faults.lost;
    std::vector<NodeId> core = cluster_.members();
    std::erase_if(core, [&](NodeId id) { return std::ranges::find(lost, id) != lost.end(); });
    for (const NodeId id : lost) cluster_.crash(id);
    cluster_.heal();
    for (const NodeId id : core) cluster_.restart(id);
    std::erase_if(core, [&](NodeId id) { return cluster_.is_faulty(id); });
    return core;
  }

  std::vector<std::string> states() {
    std::vector<std::string> all;
    if (cluster_.findings().none()) return all;
    for (const NodeId id : cluster_.members())
      if (cluster_.is_up(id)) all.push_back(wire::to_json(cluster_[id].status()));
    return all;
  }

  std::vector<std::string> idle_lines() const {
    std::vector<std::string> lines;
    for (const Rule& rule : script_.idle_rules()) lines.push_back(rule_text(rule));
    for (const Trigger& trigger : script_.idle_triggers()) lines.push_back(trigger_text(trigger));
    return lines;
  }

  void report_what_is_open(const std::vector<NodeId>& core) {
    // A scenario may leave nobody who is correct.
    const NodeId witness = core.empty() ? NodeId(0) : core.front();
    const std::string bound =
        " within " + time_text(scenario_.settle) + " after all faults have ended";
    for (std::size_t i = 0; i < cluster_.clients(); ++i) {
      const Client& client = cluster_.client(i);
      if (const auto number = client.waits_for())
        cluster_.findings().report("liveness", witness, std::nullopt,
                                   name_of(client.id(), *number) + " has no answer" + bound);
    }
    if (cluster_.clients_done())
      cluster_.findings().report("liveness", witness, std::nullopt,
                                 "the replicas' states do not come to agree" + bound);
  }

  const Scenario scenario_;
  Script<Message> script_;
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

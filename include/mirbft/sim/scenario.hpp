// All that decides the course of a run: who takes part, what is asked of them, and what goes wrong.
#ifndef MIRBFT_SIM_SCENARIO_HPP
#define MIRBFT_SIM_SCENARIO_HPP

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/sim/adversary/kinds.hpp>
#include <mirbft/sim/adversary/roles.hpp>
#include <mirbft/sim/client.hpp>
#include <mirbft/sim/clock.hpp>
#include <mirbft/sim/fault.hpp>
#include <mirbft/sim/faults.hpp>
#include <mirbft/sim/random.hpp>
#include <mirbft/sim/rule.hpp>
#include <mirbft/sim/schedule.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft::sim {

/// What a client does, as in `ClientConfig`.
struct ClientLoad {
  std::uint64_t requests = 20;
  std::uint64_t open = 4;
  Target target = Target::all;
  Time retry_after = std::chrono::seconds(2);
  Time rest = std::chrono::milliseconds(20);

  friend bool operator==(const ClientLoad&, const ClientLoad&) = default;
};

/// A run. Two runs of one scenario, with the same replica, are the same course of events.
struct Scenario {
  /// Of all that is still drawn on the way, such as how long each frame takes.
  std::uint64_t seed = 1;
  std::uint64_t nodes = 4;
  std::vector<ClientLoad> clients;
  Schedule faults;
  /// They go on when all else has healed.
  Roles adversaries;
  std::vector<Rule> rules;
  std::vector<Trigger> triggers;
  /// Within this time after the healing everything must be delivered, and states agree.
  Time settle = std::chrono::seconds(120);

  friend bool operator==(const Scenario&, const Scenario&) = default;
};

/// What a client asks for: the body of its request with that number.
using MakeBody = std::function<std::string(ClientId, ReqNo, Random&)>;

/// What is the same for all seeds of a campaign.
struct TrialConfig {
  std::uint64_t nodes = 4;
  /// The kinds of faults that a seed may draw.
  FaultKinds faults{};
  /// The kinds of adversaries that a seed may draw.
  AdversaryKinds adversaries{};
  /// How long faults strike, at most.
  Time faulty_for = std::chrono::seconds(5);
  /// Within this time after it everything must be delivered, and states agree.
  Time heal_within = std::chrono::seconds(120);
  /// Clients, and requests of each, at most.
  std::uint64_t clients = 4;
  std::uint64_t requests = 60;
  /// The bodies of requests, if they are not to be the default of `ClientConfig`.
  MakeBody body{};
};

/// A scenario that follows from the seed and the configuration alone. It has no rules. Throws
/// ConfigError if a replica is to be faulty, and there are too few for that.
inline Scenario draw_scenario(std::uint64_t seed, const TrialConfig& config) {
  using std::chrono::milliseconds;
  Scenario scenario;
  scenario.seed = seed;
  scenario.nodes = config.nodes;
  scenario.settle = config.heal_within;
  const Random random = Random(seed).fork("trial");
  scenario.faults =
      draw_schedule(config.faults, config.nodes, config.faulty_for, random.fork("schedule"));
  scenario.adversaries =
      draw_roles(config.adversaries, draw_suspects(config.nodes, random.fork("schedule")),
                 random.fork("roles"));
  Random load = random.fork("load");
  scenario.clients.resize(load.between<std::uint64_t>(1, config.clients));
  for (ClientLoad& client : scenario.clients)
    client = {.requests = load.between<std::uint64_t>(1, config.requests),
              .open = load.between<std::uint64_t>(1, 16),
              .target = static_cast<Target>(load.below(3)),
              .retry_after = milliseconds(load.between(1000, 5000)),
              .rest = milliseconds(load.between(0, 200))};
  return scenario;
}

}  // namespace mirbft::sim

BOOST_HANA_ADAPT_STRUCT(mirbft::sim::ClientLoad, requests, open, target, retry_after, rest);

#endif

#include "trials.hpp"

#include <string>
#include <utility>

#include "replica.hpp"

namespace simulation {

mirbft::sim::TrialResult run_trial(const mirbft::sim::Scenario& scenario,
                                   const std::string& logs) {
  const mirbft::IssConfig protocol = protocol_config(scenario.nodes, scenario.seed);
  const auto make = [&protocol, &logs](auto parts) {
    if (!logs.empty())
      parts.watch.also(mirbft::FileInterceptor(logs + "/node-" + std::to_string(parts.self.value) +
                                               "-" + std::to_string(parts.incarnation) + ".log"));
    mirbft::IssConfig own = protocol;
    own.self = parts.self;
    if (parts.disk == mirbft::sim::Contents::lost) own.memory = mirbft::Memory::lost;
    return Replica::Modules{
        .net = std::move(parts.net),
        .hasher = {},
        .crypto = {},
        .app = {},
        .wal = std::move(parts.wal),
        .tracker = mirbft::ClientTracker(mirbft::TrackerConfig{.cluster = own.cluster}),
        .store = std::move(parts.store),
        .protocol = mirbft::Iss<mirbft::Pbft>(std::move(own)),
        .interceptor = std::move(parts.watch)};
  };
  return mirbft::sim::Trial<Replica>(scenario, make, make_checks(protocol), make_command).run();
}

mirbft::sim::Vocabulary known_messages() {
  return mirbft::sim::vocabulary<mirbft::Iss<mirbft::Pbft>::Message>();
}

}  // namespace simulation

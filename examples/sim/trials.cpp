#include "trials.hpp"

#include <functional>
#include <string>
#include <utility>

#include "replica.hpp"

namespace simulation {

mirbft::sim::TrialResult run_trial(const mirbft::sim::Scenario& scenario,
                                   const std::string& logs) {
  const mirbft::IssConfig protocol = protocol_config(scenario.nodes, scenario.seed);
  const std::function make_protocol = [&protocol](mirbft::NodeId self,
                                                  mirbft::sim::Contents disk) {
    mirbft::IssConfig own = protocol;
    own.self = self;
    if (disk == mirbft::sim::Contents::lost) own.memory = mirbft::Memory::lost;
    return Protocol(std::move(own));
  };
  const auto make = [&](auto parts) {
    if (!logs.empty())
      parts.watch.also(Log(logs + "/node-" + std::to_string(parts.self.value) + "-" +
                               std::to_string(parts.incarnation) + ".log",
                           mirbft::sim::LoggedTime(parts.clock)));
    return Replica::Modules{
        .net = Net(std::move(parts.net), parts.adversary),
        .hasher = {},
        .crypto = Crypto(parts.self),
        .app = {},
        .wal = Wal(mirbft::sim::FileWal(parts.account, parts.files, parts.self), parts.adversary),
        .tracker = mirbft::ClientTracker(mirbft::TrackerConfig{.cluster = protocol.cluster}),
        .store = mirbft::sim::FileStore(parts.account, parts.files, parts.self),
        .protocol = make_protocol(parts.self, parts.disk),
        .interceptor = std::move(parts.watch)};
  };
  return mirbft::sim::Trial<Replica>(
             scenario, make,
             make_checks(protocol, mirbft::Blacklist(), make_protocol, scenario.seed), make_command)
      .run();
}

mirbft::sim::Vocabulary known_messages() {
  return mirbft::sim::vocabulary<Protocol::Message>();
}

}  // namespace simulation

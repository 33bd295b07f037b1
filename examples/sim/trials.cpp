#include "trials.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "replica.hpp"

namespace simulation {

mirbft::sim::TrialResult run_trial(std::uint64_t seed, std::size_t nodes,
                                   mirbft::sim::FaultKinds faults, const std::string& logs) {
  const mirbft::IssConfig protocol = protocol_config(nodes, seed);
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
        .wal = mirbft::sim::FileWal(parts.account, parts.files, parts.self),
        .tracker = mirbft::ClientTracker(mirbft::TrackerConfig{.cluster = own.cluster}),
        .store = mirbft::sim::FileStore(parts.account, parts.files, parts.self),
        .protocol = mirbft::Iss<mirbft::Pbft>(std::move(own)),
        .interceptor = std::move(parts.watch)};
  };
  return mirbft::sim::Trial<Replica>(
             seed, {.nodes = nodes, .faults = faults, .body = make_command}, make,
             make_checks(protocol))
      .run();
}

}  // namespace simulation

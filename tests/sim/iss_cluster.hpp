// The cluster that the tests of the simulator run: ISS with PBFT over a key-value store.
#ifndef MIRBFT_TESTS_SIM_ISS_CLUSTER_HPP
#define MIRBFT_TESTS_SIM_ISS_CLUSTER_HPP

#include <cstdint>
#include <string>
#include <utility>

#include <mirbft/modules/app/key_value_store.hpp>
#include <mirbft/modules/crypto/null.hpp>
#include <mirbft/modules/hasher/openssl.hpp>
#include <mirbft/modules/tracker/client_tracker.hpp>
#include <mirbft/protocol/iss.hpp>
#include <mirbft/protocol/orderers/pbft.hpp>
#include <mirbft/sim/cluster.hpp>
#include <mirbft/sim/file_modules.hpp>
#include <mirbft/sim/iss_checks.hpp>
#include <mirbft/sim/node_ids.hpp>
#include <mirbft/sim/trial.hpp>

namespace mirbft::testing {

template <class ChecksOfIss>
using WatchedIss = Node<sim::Net, Sha256, NullCrypto, KeyValueStore, sim::FileWal, ClientTracker,
                        sim::FileStore, Iss<Pbft>, sim::Watch<ChecksOfIss>>;
template <class... Invariants>
using SimulatedIss = WatchedIss<sim::Checks<Invariants...>>;

/// With all invariants that there are.
using CheckedIss = WatchedIss<sim::IssChecks<Iss<Pbft>>>;

inline IssConfig iss_config(std::size_t nodes) {
  IssConfig config;
  config.members = sim::node_ids(nodes);
  config.epoch_length = 16;
  config.max_batch_requests = 4;
  return config;
}

inline Iss<Pbft> iss_protocol(IssConfig config, NodeId self, sim::Contents disk) {
  config.self = self;
  if (disk == sim::Contents::lost) config.memory = Memory::lost;
  return Iss<Pbft>(std::move(config));
}

template <class Replica>
auto iss_modules(IssConfig config) {
  return [config](auto parts) {
    return typename Replica::Modules{
        .net = std::move(parts.net),
        .hasher = {},
        .crypto = {},
        .app = {},
        .wal = sim::FileWal(parts.account, parts.files, parts.self),
        .tracker = ClientTracker(TrackerConfig{.cluster = config.cluster}),
        .store = sim::FileStore(parts.account, parts.files, parts.self),
        .protocol = iss_protocol(config, parts.self, parts.disk),
        .interceptor = std::move(parts.watch)};
  };
}

inline auto iss_checks(const IssConfig& config, std::uint64_t seed = 1) {
  const sim::Random random = sim::Random(seed).fork("checks");
  const auto make = [config](NodeId self, sim::Contents disk) {
    return iss_protocol(config, self, disk);
  };
  return sim::iss_checks<Iss<Pbft>, Blacklist, NullCrypto>({.config = config,
                                                            .replays = {make, random, 8},
                                                            .recoveries = {make, random, 256}});
}

/// Commands on few keys, so that they meet.
inline std::string command(ClientId client, ReqNo number, sim::Random& random) {
  const std::string key = "k" + std::to_string(random.below(8));
  if (number.value % 3 == 0) return "INCR n" + key;
  return "SET " + key + " " + std::to_string(client.value) + "/" + std::to_string(number.value);
}

}  // namespace mirbft::testing

#endif

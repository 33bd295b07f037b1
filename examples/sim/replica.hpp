// The replica that mirbft-sim runs: ISS with PBFT over a key-value store, with all invariants.
#ifndef MIRBFT_EXAMPLES_SIM_REPLICA_HPP
#define MIRBFT_EXAMPLES_SIM_REPLICA_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include <mirbft/modules/app/key_value_store.hpp>
#include <mirbft/modules/hasher/openssl.hpp>
#include <mirbft/modules/interceptor/file.hpp>
#include <mirbft/modules/tracker/client_tracker.hpp>
#include <mirbft/protocol/iss.hpp>
#include <mirbft/protocol/orderers/pbft.hpp>
#include <mirbft/sim/adversary/net.hpp>
#include <mirbft/sim/adversary/wal.hpp>
#include <mirbft/sim/crypto.hpp>
#include <mirbft/sim/invariants.hpp>
#include <mirbft/sim/iss_invariants.hpp>
#include <mirbft/sim/key_value_model.hpp>
#include <mirbft/sim/linearizability.hpp>
#include <mirbft/sim/pbft_invariants.hpp>
#include <mirbft/sim/trial.hpp>

namespace simulation {

using Checks =
    mirbft::sim::Checks<mirbft::sim::TotalOrder, mirbft::sim::Integrity,
                        mirbft::sim::CheckpointsAgree, mirbft::sim::LeadersAndBuckets<>,
                        mirbft::sim::NeverBack, mirbft::sim::Bounded, mirbft::sim::SingleVote,
                        mirbft::sim::WriteAhead, mirbft::sim::DecisionsAgree,
                        mirbft::sim::Linearizable<mirbft::sim::KeyValueModel>>;
using Net = mirbft::sim::Adversarial<mirbft::sim::Net>;
using Wal = mirbft::sim::Forgetful<mirbft::sim::Wal>;
using Replica = mirbft::Node<Net, mirbft::Sha256, mirbft::sim::Crypto, mirbft::KeyValueStore, Wal,
                             mirbft::ClientTracker, mirbft::sim::Store, mirbft::Iss<mirbft::Pbft>,
                             mirbft::sim::Watch<Checks, mirbft::FileInterceptor>>;

/// Epochs are short and batches small, so that a second sees many of them.
inline mirbft::IssConfig protocol_config(std::size_t nodes) {
  mirbft::IssConfig config;
  for (std::size_t i = 0; i < nodes; ++i) config.members.push_back(mirbft::NodeId(i));
  config.epoch_length = 16;
  config.max_batch_requests = 8;
  return config;
}

inline Checks make_checks(const mirbft::IssConfig& config) {
  const mirbft::Quorum quorum(config.members.size());
  return Checks(mirbft::sim::TotalOrder(), mirbft::sim::Integrity(),
                mirbft::sim::CheckpointsAgree(quorum),
                mirbft::sim::LeadersAndBuckets<>(config, quorum), mirbft::sim::NeverBack(),
                mirbft::sim::Bounded(config, mirbft::TrackerConfig{}.max_pending_bytes),
                mirbft::sim::SingleVote(), mirbft::sim::WriteAhead(quorum),
                mirbft::sim::DecisionsAgree(),
                mirbft::sim::Linearizable<mirbft::sim::KeyValueModel>());
}

/// Commands on few keys, so that their order shows in the state.
inline std::string make_command(mirbft::ClientId client, mirbft::ReqNo number,
                                mirbft::sim::Random& random) {
  const std::string key = "k" + std::to_string(random.below(16));
  switch (random.below(4)) {
    case 0: return "GET " + key;
    case 1: return "INCR n" + key;
    case 2: return "DEL " + key;
    default: break;
  }
  return "SET " + key + ' ' + std::to_string(client.value) + '/' + std::to_string(number.value);
}

/// One run, from its seed alone. With `logs`, a folder, every node records its events there, in one
/// file for each of its lives.
inline mirbft::sim::TrialResult run(std::uint64_t seed, std::size_t nodes,
                                    mirbft::sim::FaultKinds faults,
                                    mirbft::sim::AdversaryKinds adversaries = {},
                                    const std::string& logs = "") {
  const mirbft::IssConfig protocol = protocol_config(nodes);
  const auto make = [&protocol, &logs](auto parts) {
    if (!logs.empty())
      parts.watch.also(mirbft::FileInterceptor(logs + "/node-" + std::to_string(parts.self.value) +
                                               "-" + std::to_string(parts.incarnation) + ".log"));
    mirbft::IssConfig own = protocol;
    own.self = parts.self;
    if (parts.disk == mirbft::sim::Contents::lost) own.memory = mirbft::Memory::lost;
    return Replica::Modules{
        .net = Net(std::move(parts.net), parts.adversary),
        .hasher = {},
        .crypto = mirbft::sim::Crypto(own.self),
        .app = {},
        .wal = Wal(std::move(parts.wal), parts.adversary),
        .tracker = mirbft::ClientTracker(mirbft::TrackerConfig{.cluster = own.cluster}),
        .store = std::move(parts.store),
        .protocol = mirbft::Iss<mirbft::Pbft>(std::move(own)),
        .interceptor = std::move(parts.watch)};
  };
  return mirbft::sim::Trial<Replica>(seed,
                                     {.nodes = nodes,
                                      .faults = faults,
                                      .adversaries = adversaries,
                                      .body = make_command},
                                     make, make_checks(protocol))
      .run();
}

}  // namespace simulation

#endif

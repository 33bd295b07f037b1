// The replica that mirbft-sim runs: ISS with PBFT over a key-value store, with all invariants.
#ifndef MIRBFT_EXAMPLES_SIM_REPLICA_HPP
#define MIRBFT_EXAMPLES_SIM_REPLICA_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include <mirbft/modules/app/key_value_store.hpp>
#include <mirbft/modules/crypto/null.hpp>
#include <mirbft/modules/hasher/openssl.hpp>
#include <mirbft/modules/interceptor/file.hpp>
#include <mirbft/modules/tracker/client_tracker.hpp>
#include <mirbft/protocol/iss.hpp>
#include <mirbft/protocol/orderers/pbft.hpp>
#include <mirbft/sim/iss_checks.hpp>
#include <mirbft/sim/file_modules.hpp>
#include <mirbft/sim/key_value_model.hpp>
#include <mirbft/sim/linearizability.hpp>
#include <mirbft/sim/trial.hpp>

namespace simulation {

using Crypto = mirbft::NullCrypto;

/// All of them.
using Checks = mirbft::sim::IssChecks<Crypto, mirbft::Blacklist,
                                      mirbft::sim::Linearizable<mirbft::sim::KeyValueModel>>;
using Replica = mirbft::Node<mirbft::sim::Net, mirbft::Sha256, Crypto, mirbft::KeyValueStore,
                             mirbft::sim::FileWal, mirbft::ClientTracker, mirbft::sim::FileStore,
                             mirbft::Iss<mirbft::Pbft>,
                             mirbft::sim::Watch<Checks, mirbft::FileInterceptor>>;

/// Epochs are short and batches small, so that a second sees many of them. The patience with
/// leaders is drawn, from 62 ms to 1 s: views change often under some seeds, rarely under others.
inline mirbft::IssConfig protocol_config(std::size_t nodes, std::uint64_t seed) {
  mirbft::sim::Random random = mirbft::sim::Random(seed).fork("protocol");
  mirbft::IssConfig config;
  config.base_timeout = std::chrono::milliseconds(1000) / (1 << random.below(5));
  for (std::size_t i = 0; i < nodes; ++i) config.members.push_back(mirbft::NodeId(i));
  config.epoch_length = 16;
  config.max_batch_requests = 8;
  return config;
}

inline Checks make_checks(const mirbft::IssConfig& config) {
  return mirbft::sim::iss_checks(config, Crypto(),
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

}  // namespace simulation

#endif

// The replica that mirbft-sim runs: ISS with PBFT over a key-value store, with all invariants.
#ifndef MIRBFT_EXAMPLES_SIM_REPLICA_HPP
#define MIRBFT_EXAMPLES_SIM_REPLICA_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
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
#include <mirbft/sim/clock.hpp>
#include <mirbft/sim/crypto.hpp>
#include <mirbft/sim/file_modules.hpp>
#include <mirbft/sim/iss_checks.hpp>
#include <mirbft/sim/key_value_model.hpp>
#include <mirbft/sim/linearizability.hpp>
#include <mirbft/sim/node_ids.hpp>
#include <mirbft/sim/trial.hpp>

namespace simulation {

using Crypto = mirbft::sim::Crypto;
using Net = mirbft::sim::Adversarial<mirbft::sim::Net>;
using Wal = mirbft::sim::Forgetful<mirbft::sim::FileWal>;

using Protocol = mirbft::Iss<mirbft::Pbft>;

template <class AnyProtocol, class Policy>
using ChecksOf = mirbft::sim::IssChecks<AnyProtocol, Policy, Crypto,
                                        mirbft::sim::Linearizable<mirbft::sim::KeyValueModel>>;
/// Notes virtual time, so that the same seed makes the same log.
using Log = mirbft::TimedFileInterceptor<mirbft::sim::LoggedTime>;
using Replica = mirbft::Node<Net, mirbft::Sha256, Crypto, mirbft::KeyValueStore, Wal,
                             mirbft::ClientTracker, mirbft::sim::FileStore, Protocol,
                             mirbft::sim::Watch<ChecksOf<Protocol, mirbft::Blacklist>, Log>>;

/// Epochs are short and batches small, so that a second sees many of them. The patience with
/// leaders is drawn, from 62 ms to 1 s: views change often under some seeds, rarely under others.
inline mirbft::IssConfig protocol_config(std::size_t nodes, std::uint64_t seed) {
  mirbft::sim::Random random = mirbft::sim::Random(seed).fork("protocol");
  mirbft::IssConfig config;
  config.base_timeout = std::chrono::milliseconds(1000) / (1 << random.below(5));
  config.members = mirbft::sim::node_ids(nodes);
  config.epoch_length = 16;
  config.max_batch_requests = 8;
  return config;
}

/// All invariants. Recoveries and replays, which are dear, are so rare that they cost a few
/// percent, and so frequent that a hundred seeds see many of them.
template <class AnyProtocol, class Policy>
auto make_checks(const mirbft::IssConfig& config, const Policy& policy,
                 const std::function<AnyProtocol(mirbft::NodeId, mirbft::sim::Contents)>& make,
                 std::uint64_t seed) {
  const mirbft::sim::Random random = mirbft::sim::Random(seed).fork("checks");
  return mirbft::sim::iss_checks<AnyProtocol, Policy, Crypto>(
      {config, policy, Crypto(mirbft::NodeId(0)), {make, random.fork("replays"), 32},
       {make, random.fork("recoveries"), 1024}},
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

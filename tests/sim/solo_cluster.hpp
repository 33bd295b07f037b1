// The smallest replica that recovers from its log: what crashes are tested with.
#ifndef MIRBFT_TESTS_SIM_SOLO_CLUSTER_HPP
#define MIRBFT_TESTS_SIM_SOLO_CLUSTER_HPP

#include <utility>

#include <mirbft/modules/app/counter.hpp>
#include <mirbft/modules/crypto/null.hpp>
#include <mirbft/modules/hasher/openssl.hpp>
#include <mirbft/modules/tracker/client_tracker.hpp>
#include <mirbft/protocol/solo.hpp>
#include <mirbft/sim/cluster.hpp>
#include <mirbft/sim/invariants.hpp>

namespace mirbft::testing {

/// Notes which hooks were called.
class Hooks {
 public:
  void started(NodeId) { ++starts; }
  void crashed(NodeId) { ++crashes; }
  void durable(NodeId, const sim::Record&, sim::Findings&) { ++records; }
  void submitted(const Request&, sim::Time) { ++requests; }
  void looked(NodeId, const auto& replica, sim::Findings&) {
    next = replica.protocol().status().next;
  }
  void ended(sim::Findings&) { ++ends; }

  int starts = 0;
  int crashes = 0;
  int records = 0;
  int requests = 0;
  int ends = 0;
  SeqNr next;
};

template <class Protocol>
using SimulatedSolo =
    Node<sim::Net, Sha256, NullCrypto, Counter, sim::Wal, ClientTracker, sim::Store, Protocol,
         sim::Watch<sim::Checks<sim::TotalOrder, sim::Integrity, Hooks>>>;

template <class Protocol>
auto solo_modules() {
  using Replica = SimulatedSolo<Protocol>;
  return [](auto parts) {
    return typename Replica::Modules{
        .net = std::move(parts.net),
        .hasher = {},
        .crypto = {},
        .app = {},
        .wal = std::move(parts.wal),
        .tracker = ClientTracker(TrackerConfig{.cluster = Bytes("mirbft")}),
        .store = std::move(parts.store),
        .protocol = {},
        .interceptor = std::move(parts.watch)};
  };
}

}  // namespace mirbft::testing

#endif

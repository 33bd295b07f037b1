// All invariants of ISS with PBFT in one list, so that every program checks the same.
#ifndef MIRBFT_SIM_ISS_CHECKS_HPP
#define MIRBFT_SIM_ISS_CHECKS_HPP

#include <utility>

#include <mirbft/modules/crypto/null.hpp>
#include <mirbft/modules/tracker/tracker_config.hpp>
#include <mirbft/protocol/iss/config.hpp>
#include <mirbft/protocol/iss/leader_policies.hpp>
#include <mirbft/sim/certificate_invariants.hpp>
#include <mirbft/sim/disk_invariants.hpp>
#include <mirbft/sim/epoch_invariants.hpp>
#include <mirbft/sim/invariants.hpp>
#include <mirbft/sim/iss_invariants.hpp>
#include <mirbft/sim/pbft_invariants.hpp>
#include <mirbft/sim/recovery_invariants.hpp>
#include <mirbft/sim/replay_invariants.hpp>
#include <mirbft/sim/spares.hpp>
#include <mirbft/sim/view_invariants.hpp>
#include <mirbft/sim/watch.hpp>
#include <mirbft/sim/write_ahead_invariants.hpp>
#include <mirbft/types/quorum.hpp>

namespace mirbft::sim {

/// For a `Protocol` that is an `Iss<Pbft, Policy>` and signs by `Crypto`; `More` are invariants of
/// the App and others.
template <class Protocol, class Policy = Blacklist, class Crypto = NullCrypto, class... More>
using IssChecks =
    Checks<TotalOrder, Integrity, CheckpointsAgree, EpochsAgree<Policy>, ConfigurationAgrees,
           NeverBack, Bounded, SingleVote, WriteAhead, StableFirst, Decisions,
           CertificatesVerify<Crypto>, NewViewsFollow<Crypto, Policy>, LogKept, BodiesKept,
           Recoverable<Protocol>, ReplaysAlike<Protocol>, More...>;

/// What `iss_checks` needs to know of the run.
template <class Protocol, class Policy = Blacklist, class Crypto = NullCrypto>
struct IssUnderCheck {
  /// That of any replica.
  IssConfig config;
  Policy policy{};
  /// Verifies for whomever.
  Crypto crypto{};
  /// For lives that are replayed, and for moments at which a recovery is tried.
  Spares<Protocol> replays{};
  Spares<Protocol> recoveries{};
};

template <class Protocol, class Policy, class Crypto, class... More>
IssChecks<Protocol, Policy, Crypto, More...> iss_checks(
    const IssUnderCheck<Protocol, Policy, Crypto>& run, More... more) {
  const IssConfig& config = run.config;
  const Quorum quorum(config.members.size());
  return IssChecks<Protocol, Policy, Crypto, More...>(
      TotalOrder(), Integrity(), CheckpointsAgree(quorum), EpochsAgree<Policy>(config, run.policy),
      ConfigurationAgrees(), NeverBack(), Bounded(config, TrackerConfig{}.max_pending_bytes),
      SingleVote(), WriteAhead(), StableFirst(), Decisions(quorum),
      CertificatesVerify<Crypto>(config, run.crypto),
      NewViewsFollow<Crypto, Policy>(config, run.crypto, run.policy), LogKept(), BodiesKept(),
      Recoverable<Protocol>(run.recoveries), ReplaysAlike<Protocol>(run.replays),
      std::move(more)...);
}

}  // namespace mirbft::sim

#endif

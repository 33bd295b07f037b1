// All invariants of ISS with PBFT in one list, so that every program checks the same.
#ifndef MIRBFT_SIM_ISS_CHECKS_HPP
#define MIRBFT_SIM_ISS_CHECKS_HPP

#include <utility>

#include <mirbft/modules/crypto/null.hpp>
#include <mirbft/modules/tracker/tracker_config.hpp>
#include <mirbft/protocol/iss/config.hpp>
#include <mirbft/protocol/iss/leader_policies.hpp>
#include <mirbft/sim/certificate_invariants.hpp>
#include <mirbft/sim/epoch_invariants.hpp>
#include <mirbft/sim/invariants.hpp>
#include <mirbft/sim/iss_invariants.hpp>
#include <mirbft/sim/pbft_invariants.hpp>
#include <mirbft/sim/view_invariants.hpp>
#include <mirbft/sim/watch.hpp>
#include <mirbft/sim/write_ahead_invariants.hpp>
#include <mirbft/types/quorum.hpp>

namespace mirbft::sim {

/// For an `Iss<Pbft, Policy>` that signs by `Crypto`; `More` are invariants of the App and others.
template <class Crypto = NullCrypto, class Policy = Blacklist, class... More>
using IssChecks =
    Checks<TotalOrder, Integrity, CheckpointsAgree, EpochsAgree<Policy>, ConfigurationAgrees,
           NeverBack, Bounded, SingleVote, WriteAhead, StableFirst, Decisions,
           CertificatesVerify<Crypto>, NewViewsFollow<Crypto, Policy>, More...>;

/// `config` is that of any replica, and `crypto` verifies for whomever.
template <class Policy = Blacklist, class Crypto = NullCrypto, class... More>
IssChecks<Crypto, Policy, More...> iss_checks(const IssConfig& config, const Crypto& crypto = {},
                                              More... more) {
  const Quorum quorum(config.members.size());
  return IssChecks<Crypto, Policy, More...>(
      TotalOrder(), Integrity(), CheckpointsAgree(quorum), EpochsAgree<Policy>(config),
      ConfigurationAgrees(), NeverBack(), Bounded(config, TrackerConfig{}.max_pending_bytes),
      SingleVote(), WriteAhead(), StableFirst(), Decisions(quorum),
      CertificatesVerify<Crypto>(config, crypto), NewViewsFollow<Crypto, Policy>(config, crypto),
      std::move(more)...);
}

}  // namespace mirbft::sim

#endif

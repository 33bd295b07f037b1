// What twins need to know of PBFT, and the invariants that its correct instances must keep.
#ifndef MIRBFT_SIM_TWINS_PBFT_HPP
#define MIRBFT_SIM_TWINS_PBFT_HPP

#include <optional>
#include <variant>

#include <mirbft/protocol/iss/leader_policies.hpp>
#include <mirbft/protocol/iss/rules.hpp>
#include <mirbft/protocol/orderers/pbft.hpp>
#include <mirbft/sim/certificate_invariants.hpp>
#include <mirbft/sim/fingerprint.hpp>
#include <mirbft/sim/pbft_invariants.hpp>
#include <mirbft/sim/twins_cluster.hpp>
#include <mirbft/sim/view_invariants.hpp>
#include <mirbft/sim/watch.hpp>
#include <mirbft/sim/write_ahead_invariants.hpp>

namespace mirbft::sim::twins {

/// PBFT, or what other rules make of it.
template <class RulesOfSubject = iss::Rules>
struct PbftSubject {
  using Orderer = Pbft;
  using Checks = sim::Checks<SingleVote, WriteAhead, Decisions, CertificatesVerify<Keys>,
                             NewViewsFollow<Keys, Fixed>>;

  static Checks checks(const IssConfig& config) {
    return Checks(SingleVote(), WriteAhead(), Decisions(Quorum(config.members.size())),
                  CertificatesVerify<Keys>(config), NewViewsFollow<Keys, Fixed>(config));
  }

  static Moment moment_of(const PbftMessage& message) noexcept {
    if (std::holds_alternative<ViewChange>(message)) return Moment::call;
    if (std::holds_alternative<Prepare>(message)) return Moment::vote;
    if (std::holds_alternative<Commit>(message)) return Moment::commit;
    return Moment::proposal;
  }

  /// A NewView proposes what its certificates are for.
  static std::optional<Proposal> proposal_of(const PbftMessage& message) {
    Fingerprint content;
    if (const auto* fresh = std::get_if<PrePrepare>(&message)) {
      for (const RequestRef& one : *fresh->batch) content.add(one.req_no.value);
      return Proposal{View(0), fresh->sn, content.value()};
    }
    const auto* again = std::get_if<NewView>(&message);
    if (!again) return std::nullopt;
    for (const Certificate& one : again->certificates) {
      content.add(one.sn.value);
      content.add(one.digest.view());
    }
    return Proposal{again->view, SeqNr(0), content.value()};
  }

  RulesOfSubject rules{};
};

}  // namespace mirbft::sim::twins

#endif

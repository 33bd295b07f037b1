// What twins need to know of PBFT, and the invariants that its correct instances must keep.
#ifndef MIRBFT_SIM_TWINS_PBFT_HPP
#define MIRBFT_SIM_TWINS_PBFT_HPP

#include <cstddef>
#include <optional>
#include <set>
#include <variant>

#include <mirbft/protocol/iss/rules.hpp>
#include <mirbft/protocol/orderers/pbft.hpp>
#include <mirbft/sim/fingerprint.hpp>
#include <mirbft/sim/pbft_invariants.hpp>
#include <mirbft/sim/twins_cluster.hpp>
#include <mirbft/sim/watch.hpp>

namespace mirbft::sim::twins {

/// Certificates verify: whatever a correct node commits to has valid signatures of a strong quorum.
class CertificatesVerify {
 public:
  /// `members` must outlive it.
  explicit CertificatesVerify(const iss::Cluster& members) noexcept : members_(&members) {}

  void event(NodeId node, const WalAppend<PreparedEntry>& append, Findings& findings) {
    const auto& [view, sn, digest, signatures] = append.entry.certificate;
    const Bytes message =
        pbft::signed_bytes(*members_, PrepareContent{append.entry.segment, view, sn, digest});
    std::set<NodeId> signers;
    for (const CertificateSignature& one : signatures)
      if (members_->find(one.node) && one.signature == sign(one.node, message))
        signers.insert(one.node);
    if (signers.size() < members_->quorum().strong())
      findings.report("certificates verify", node, sn,
                      "holds a certificate with valid signatures of " +
                          std::to_string(signers.size()) + " members");
  }

 private:
  const iss::Cluster* members_;
};

/// PBFT, or what other `RulesOfSubject` make of it.
template <class RulesOfSubject = iss::Rules>
struct PbftSubject {
  using Orderer = Pbft;
  using Rules = RulesOfSubject;
  using Checks = sim::Checks<SingleVote, WriteAhead, CertificatesVerify>;

  static Checks checks(const Setting& setting) {
    const iss::Cluster& members = setting.cluster_of(0);
    return Checks(SingleVote(), WriteAhead(members.quorum()), CertificatesVerify(members));
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
};

}  // namespace mirbft::sim::twins

#endif

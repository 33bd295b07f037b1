// Certificates of stable checkpoints that other replicas send: checked, and the newest one kept.
#ifndef MIRBFT_PROTOCOL_ISS_CHECKPOINT_PROOFS_HPP
#define MIRBFT_PROTOCOL_ISS_CHECKPOINT_PROOFS_HPP

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include <mirbft/events/crypto.hpp>
#include <mirbft/protocol/iss/bad_message.hpp>
#include <mirbft/protocol/iss/cluster.hpp>
#include <mirbft/protocol/iss/events.hpp>
#include <mirbft/protocol/iss/key_changes.hpp>
#include <mirbft/types/signature_check.hpp>
#include <mirbft/wire/canonical.hpp>

namespace mirbft::iss {

/// Believes a certificate for its signatures, not for its sender.
class CheckpointProofs {
 public:
  using consumes = events<NodeSigsVerified<ProofChecking>>;
  using emits = events<VerifyNodeSigs<ProofChecking>>;

  /// How many certificates of one sender are checked at a time: as many as a replica keeps.
  static constexpr std::uint32_t checked_at_once = 2;

  /// A certificate of an epoch that is not stable here. `membership` is the hash of the members
  /// that are known here: others' signatures prove nothing. One that is signed by keys of which
  /// nothing is known yet waits to be sent again.
  void receive(Member from, StableCheckpoint proof, const std::optional<Digest>& membership,
               const KeyChain& keys, auto& env) {
    if ((newest_ && newest_->header == proof.header) || !keys.covers(proof.header)) return;
    if (proof.header.membership != membership || !is_quorum(proof, env.cluster()))
      return env.bad(BadMessage::certificate);
    if (checking_[from.id] == checked_at_once) return env.bad(BadMessage::oversized);
    ++checking_[from.id];
    const Bytes message =
        wire::canonical("checkpoint", env.cluster().name().view(), proof.header);
    VerifyNodeSigs<ProofChecking> request;
    request.epoch = proof.header.epoch;
    for (const CheckpointSignature& one : proof.certificate)
      request.signatures.push_back({one.node, message, one.signature});
    request.origin = {from.id, std::move(proof)};
    env.emit(std::move(request));
  }

  /// The certificate that was checked, if it is valid.
  std::optional<StableCheckpoint> checked(NodeSigsVerified<ProofChecking> verified, auto& env) {
    --checking_[verified.origin.from];
    if (!all_valid(verified.verdicts)) {
      env.bad(BadMessage::signature);
      return std::nullopt;
    }
    StableCheckpoint& proof = verified.origin.proof;
    if (!newest_ || newest_->header.epoch < proof.header.epoch) newest_ = proof;
    return std::move(proof);
  }

  /// The valid certificate of the latest epoch.
  const std::optional<StableCheckpoint>& newest() const noexcept { return newest_; }

 private:
  /// Whether a strong quorum is said to have signed: exactly, by ascending id, each a member.
  static bool is_quorum(const StableCheckpoint& proof, const Cluster& cluster) {
    const auto& signers = proof.certificate;
    if (signers.size() != cluster.quorum().strong()) return false;
    for (std::size_t i = 0; i < signers.size(); ++i)
      if (!cluster.find(signers[i].node) || (i > 0 && signers[i - 1].node >= signers[i].node))
        return false;
    return true;
  }

  std::map<NodeId, std::uint32_t> checking_;
  std::optional<StableCheckpoint> newest_;
};

}  // namespace mirbft::iss

#endif

// Checkpoints on their way to stability: own state, others' votes, certificates.
#ifndef MIRBFT_PROTOCOL_ISS_CHECKPOINTS_HPP
#define MIRBFT_PROTOCOL_ISS_CHECKPOINTS_HPP

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include <mirbft/events/crypto.hpp>
#include <mirbft/protocol/iss/bad_message.hpp>
#include <mirbft/protocol/iss/cluster.hpp>
#include <mirbft/protocol/iss/events.hpp>
#include <mirbft/protocol/iss/key_changes.hpp>
#include <mirbft/protocol/iss/state_chunks.hpp>
#include <mirbft/wire/canonical.hpp>

namespace mirbft::iss {

/// The members' votes for one epoch's checkpoint.
class CheckpointVotes {
 public:
  /// Keeps a member's vote. False when there is another one; the same one may come again.
  bool keep(std::size_t member, CheckpointVote vote, bool trusted, std::size_t members) {
    votes_.resize(members);
    if (votes_[member]) return votes_[member]->vote == vote;
    votes_[member] = Kept{std::move(vote), trusted, false};
    return true;
  }

  /// Has the signatures under `header` checked together, once they could make a quorum and the keys
  /// of its epoch are known.
  void check(const CheckpointHeader& header, const KeyChain& keys, auto& env) {
    if (!keys.covers(header)) return;
    const auto unchecked = to_check(header, env.cluster().quorum().strong());
    if (unchecked.empty()) return;
    const Bytes message = wire::canonical("checkpoint", env.cluster().name().view(), header);
    VerifyNodeSigs<CheckpointChecking> request{header.epoch, {}, {header, {}}};
    for (const std::size_t member : unchecked) {
      const NodeId signer = env.cluster().members()[member];
      request.signatures.push_back({signer, message, signature(member)});
      request.origin.signers.push_back(signer);
    }
    env.emit(std::move(request));
  }
  void checked(const NodeSigsVerified<CheckpointChecking>& verified, auto& env) {
    for (std::size_t i = 0; i < verified.verdicts.size(); ++i) {
      const bool valid = verified.verdicts[i] == SignatureCheck::valid;
      if (!valid) env.bad(BadMessage::signature);
      checked(env.cluster().find(verified.origin.signers[i])->index, valid);
    }
  }

  /// The members whose votes for `header` must be checked, now that they could make a quorum.
  std::vector<std::size_t> to_check(const CheckpointHeader& header, std::size_t quorum) {
    std::vector<std::size_t> unchecked;
    std::size_t matching = 0;
    for (std::size_t i = 0; i < votes_.size(); ++i) {
      if (!votes_[i] || votes_[i]->vote.header != header) continue;
      ++matching;
      if (!votes_[i]->valid && !votes_[i]->checking) unchecked.push_back(i);
    }
    if (matching < quorum) return {};
    for (const std::size_t i : unchecked) votes_[i]->checking = true;
    return unchecked;
  }
  const Bytes& signature(std::size_t member) const { return votes_[member]->vote.signature; }

  void checked(std::size_t member, bool valid) {
    if (valid) {
      votes_[member]->valid = true;
    } else {
      votes_[member].reset();
    }
  }

  /// The header that a strong quorum has validly signed, once there is one. It need not be the own.
  std::optional<StableCheckpoint> certified(const Cluster& cluster) const {
    const std::size_t quorum = cluster.quorum().strong();
    for (const auto& candidate : votes_) {
      if (!candidate || !candidate->valid) continue;
      StableCheckpoint made{candidate->vote.header, {}};
      for (std::size_t i = 0; i < votes_.size() && made.certificate.size() < quorum; ++i)
        if (votes_[i] && votes_[i]->valid && votes_[i]->vote.header == made.header)
          made.certificate.push_back({cluster.members()[i], votes_[i]->vote.signature});
      if (made.certificate.size() == quorum) return made;
    }
    return std::nullopt;
  }

 private:
  struct Kept {
    CheckpointVote vote;
    bool valid = false;
    bool checking = false;
  };

  std::vector<std::optional<Kept>> votes_;
};

/// What is known of one epoch's checkpoint.
struct Checkpoint {
  /// This replica's state and vote, once they are durable. There is no signature under a state
  /// that was fetched.
  std::optional<CheckpointEntry> own;
  CheckpointVotes votes;
  /// That a quorum has signed it: verified, but perhaps not what this replica has.
  std::optional<StableCheckpoint> proof;
};

inline CheckpointVote vote_of(const CheckpointEntry& own) { return {own.header, own.signature}; }
/// What may be forgotten when the epochs up to this one are.
inline Collection collection_of(const CheckpointEntry& own) {
  auto windows = windows_of(own.state);
  for (ClientWindow& window : windows) window.delivered = {};
  return {own.header.last, std::move(windows)};
}

}  // namespace mirbft::iss

#endif

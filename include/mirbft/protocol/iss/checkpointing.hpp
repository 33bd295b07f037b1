// Checkpoints: made at the end of every epoch, agreed on, and collected behind.
#ifndef MIRBFT_PROTOCOL_ISS_CHECKPOINTING_HPP
#define MIRBFT_PROTOCOL_ISS_CHECKPOINTING_HPP

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mirbft/events/app.hpp>
#include <mirbft/events/crypto.hpp>
#include <mirbft/events/hasher.hpp>
#include <mirbft/events/node.hpp>
#include <mirbft/events/store.hpp>
#include <mirbft/events/wal.hpp>
#include <mirbft/protocol/iss/bad_message.hpp>
#include <mirbft/protocol/iss/checkpoints.hpp>
#include <mirbft/protocol/iss/early_messages.hpp>
#include <mirbft/wire/canonical.hpp>

namespace mirbft::iss {

/// The checkpoint of every epoch that is not collected yet (protocol, section 8).
/// `env` is what an orderer gets: see `Pbft`.
class Checkpointing {
 public:
  using consumes = events<AppSnapshot, HashResult<CheckpointHash>, SignResult<CheckpointSigning>,
                          NodeSigsVerified<CheckpointChecking>>;
  using emits = events<AppSnapshotRequest, HashRequest<CheckpointHash>,
                       SignRequest<CheckpointSigning>, VerifyNodeSigs<CheckpointChecking>,
                       WalAppend<CheckpointEntry>, WalAppend<StableEntry>, WalTruncate,
                       CollectRequests, Halt>;

  /// How many stable epochs are kept for those who lag behind.
  static constexpr std::uint64_t epochs_kept = 2;

  /// How many epochs have a stable checkpoint.
  std::uint64_t stable_epochs() const noexcept { return stable_ ? stable_->value + 1 : 0; }
  /// The first epoch that is not forgotten.
  Epoch first_kept() const noexcept {
    return Epoch(stable_epochs() > epochs_kept ? stable_epochs() - epochs_kept : 0);
  }

  /// All of `epoch` is delivered: `digests` up to `last`. The other arguments are what else the
  /// header covers.
  template <class Policy>
  void begin(Epoch epoch, SeqNr last, const std::vector<Digest>& digests,
             std::vector<ClientWindow> windows, const Policy& policy, const IssConfig& parameters,
             auto& env) {
    const auto part = [&](CheckpointPart kind, std::string_view domain, const auto& value) {
      env.emit(HashRequest<CheckpointHash>{{canonical(domain, value, env)}, {epoch, kind}});
    };
    part(CheckpointPart::log, "log", LogContent{log_, digests});
    part(CheckpointPart::clients, "clients", windows);
    part(CheckpointPart::policy, "policy", policy);
    part(CheckpointPart::membership, "members", env.cluster().members());
    part(CheckpointPart::parameters, "parameters", parameters);
    checkpoints_[epoch].begin(epoch, last, std::move(windows));
    env.emit(AppSnapshotRequest{last});
  }

  void process(AppSnapshot snapshot, auto& env) {
    const Epoch epoch = snapshot_epoch_;
    ++snapshot_epoch_;
    checkpoints_[epoch].app_length(snapshot.data.size());
    Bytes head = canonical("app state", std::uint64_t{snapshot.data.size()}, env);
    env.emit(HashRequest<CheckpointHash>{{std::move(head), std::move(snapshot.data)},
                                         {epoch, CheckpointPart::app_state}});
  }

  void process(HashResult<CheckpointHash> hashed, auto& env) {
    const CheckpointHash& origin = hashed.origin;
    if (origin.part == CheckpointPart::log) log_ = hashed.digest;
    const auto header = checkpoints_[origin.epoch].part(origin.part, hashed.digest);
    if (!header) return;
    env.emit(SignRequest<CheckpointSigning>{canonical("checkpoint", *header, env), {*header}});
  }

  void process(SignResult<CheckpointSigning> signed_, auto& env) {
    const CheckpointVote vote{signed_.origin.header, signed_.signature};
    env.emit(WalAppend<CheckpointEntry>{{vote.header, vote.signature},
                                        RetentionIndex(vote.header.epoch.value)})
        .then(env.to_others(vote), env.to_self(vote));
  }

  /// A vote for a checkpoint, of `current + epochs_ahead_kept` at the latest.
  void receive(Member from, CheckpointVote vote, Epoch current, auto& env) {
    const CheckpointHeader header = vote.header;
    if (stable_ && header.epoch <= *stable_) return;
    if (header.epoch > current + epochs_ahead_kept) return env.bad(BadMessage::far_epoch);
    Checkpoint& checkpoint = checkpoints_[header.epoch];
    const bool own = from.id == env.cluster().self().id;
    if (!checkpoint.keep(from.index, std::move(vote), own, env.cluster().members().size()))
      return env.bad(BadMessage::duplicate);
    check_votes(checkpoint, header, env);
    if (own) try_to_stabilise(header.epoch, env);
  }

  void process(NodeSigsVerified<CheckpointChecking> verified, auto& env) {
    const CheckpointHeader& header = verified.origin.header;
    const auto checkpoint = checkpoints_.find(header.epoch);
    if (checkpoint == checkpoints_.end()) return;
    for (std::size_t i = 0; i < verified.verdicts.size(); ++i) {
      const bool valid = verified.verdicts[i] == SignatureCheck::valid;
      if (!valid) env.bad(BadMessage::signature);
      checkpoint->second.checked(env.cluster().find(verified.origin.signers[i])->index, valid);
    }
    try_to_stabilise(header.epoch, env);
  }

 private:
  template <class T>
  static Bytes canonical(std::string_view domain, const T& value, auto& env) {
    return wire::canonical(domain, env.cluster().name().view(), value);
  }

  /// Signatures are checked together, once there are enough that they could make a quorum.
  void check_votes(Checkpoint& checkpoint, const CheckpointHeader& header, auto& env) {
    const auto unchecked = checkpoint.to_check(header, env.cluster().quorum().strong());
    if (unchecked.empty()) return;
    const Bytes message = canonical("checkpoint", header, env);
    VerifyNodeSigs<CheckpointChecking> request{{}, {header, {}}};
    for (const std::size_t member : unchecked) {
      const NodeId signer = env.cluster().members()[member];
      request.signatures.push_back({signer, message, checkpoint.signature(member)});
      request.origin.signers.push_back(signer);
    }
    env.emit(std::move(request));
  }

  /// A certified header that differs from the own one means that states have diverged: going on
  /// would only spread the damage.
  void try_to_stabilise(Epoch epoch, auto& env) {
    Checkpoint& checkpoint = checkpoints_[epoch];
    auto certified = checkpoint.certified(env.cluster());
    const auto own = checkpoint.own();
    if (!certified || !own || (stable_ && epoch <= *stable_)) return;
    if (*own != certified->header) {
      env.emit(Halt{"this replica has diverged: at the end of epoch " +
                    std::to_string(epoch.value) +
                    " a quorum certifies another state than the own one"});
      return;
    }
    stable_ = epoch;
    collect(env.emit(WalAppend<StableEntry>{
        {certified->header, std::move(certified->certificate)}, RetentionIndex(epoch.value)}));
  }

  /// Forgets what lies before `first_kept`, once the stable checkpoint is durable.
  void collect(auto stable) {
    if (first_kept() == Epoch(0)) return;
    const Epoch through(first_kept().value - 1);
    const auto checkpoint = checkpoints_.find(through);
    if (checkpoint != checkpoints_.end())
      stable.then(CollectRequests{{checkpoint->second.last(), checkpoint->second.windows()}},
                  WalTruncate{RetentionIndex(first_kept().value)});
    checkpoints_.erase(checkpoints_.begin(), checkpoints_.upper_bound(through));
  }

  std::map<Epoch, Checkpoint> checkpoints_;
  /// Hash of the log up to the last epoch whose hash is there.
  Digest log_;
  std::optional<Epoch> stable_;
  /// The epoch of the next snapshot: the App makes them in order.
  Epoch snapshot_epoch_;
};

}  // namespace mirbft::iss

#endif

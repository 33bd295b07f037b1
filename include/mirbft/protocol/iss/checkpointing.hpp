// Checkpoints: made at the end of every epoch, agreed on, and collected behind.
#ifndef MIRBFT_PROTOCOL_ISS_CHECKPOINTING_HPP
#define MIRBFT_PROTOCOL_ISS_CHECKPOINTING_HPP

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/events/app.hpp>
#include <mirbft/events/crypto.hpp>
#include <mirbft/events/node.hpp>
#include <mirbft/events/store.hpp>
#include <mirbft/events/wal.hpp>
#include <mirbft/protocol/iss/bad_message.hpp>
#include <mirbft/protocol/iss/checkpoint_maker.hpp>
#include <mirbft/protocol/iss/checkpoint_proofs.hpp>
#include <mirbft/protocol/iss/checkpoints.hpp>
#include <mirbft/protocol/iss/chunk_table.hpp>
#include <mirbft/protocol/iss/early_messages.hpp>
#include <mirbft/protocol/iss/key_changes.hpp>
#include <mirbft/protocol/iss/state_chunks.hpp>
#include <mirbft/wire/canonical.hpp>

namespace mirbft::iss {

/// The checkpoint of every epoch that is not collected yet (protocol, section 8).
/// `env` is what an orderer gets: see `Pbft`.
class Checkpointing {
 public:
  using consumes =
      joined<events<SignResult<CheckpointSigning>, NodeSigsVerified<CheckpointChecking>,
                    WalEntry<ChunkEntry>, WalEntry<CheckpointEntry>, WalEntry<StableEntry>,
                    WalEntry<InstalledEntry>, WalEntry<KeyEntry>>,
             CheckpointMaker::consumes, CheckpointProofs::consumes>;
  using emits =
      joined<events<SignRequest<CheckpointSigning>, VerifyNodeSigs<CheckpointChecking>,
                    WalAppend<CheckpointEntry>, WalAppend<StableEntry>, WalAppend<KeyEntry>,
                    WalTruncate, CollectRequests, UpdateNodeKeys, ForgetNodeKeys, Halt>,
             CheckpointMaker::emits, CheckpointProofs::emits>;

  /// How many epochs have a stable checkpoint.
  std::uint64_t stable_epochs() const noexcept { return stable_ ? stable_->value + 1 : 0; }
  /// How many epochs are certified to be stable somewhere.
  std::uint64_t proven_epochs() const noexcept {
    const auto& newest = proofs_.newest();
    return std::max(stable_epochs(), newest ? newest->header.epoch.value + 1 : 0);
  }
  /// How many epochs this replica needs no other's state for: they are stable, or all of them is
  /// delivered and only the App or the disk has not come as far.
  std::uint64_t reached_epochs() const noexcept {
    const auto own = std::find_if(checkpoints_.rbegin(), checkpoints_.rend(),
                                  [](const auto& one) { return one.second.own.has_value(); });
    return std::max({stable_epochs(), maker_.begun_epochs(),
                     own != checkpoints_.rend() ? own->first.value + 1 : 0});
  }
  /// The first epoch that is not forgotten.
  Epoch first_kept() const noexcept {
    return Epoch(stable_epochs() > epochs_kept ? stable_epochs() - epochs_kept : 0);
  }

  // Keys.

  /// Of how many changes of nodes' keys this replica knows.
  std::uint64_t known_key_changes() const noexcept { return keys_.length(); }
  const ClientKeys& client_keys() const noexcept { return maker_.client_keys(); }
  /// Up to which epoch the keys are known that may be in use.
  Epoch keys_known_below() const noexcept {
    return in_force_from(Epoch(std::min(stable_epochs(), maker_.snapshots())));
  }
  std::uint64_t refused_reconfigurations() const noexcept {
    return maker_.refused_reconfigurations();
  }
  /// Tells Crypto the keys that were changed before a restart. Call it before anything is signed.
  void announce_keys(auto& env) const { keys_.announce(env); }

  // Recovery: entries of the write-ahead log in their order, then `announce_keys`, `restored` and
  // `start`.

  void process(WalEntry<ChunkEntry> read, auto& /*env*/) {
    maker_.chunks().put(std::move(read.entry));
  }
  void process(WalEntry<CheckpointEntry> read, auto& env) {
    CheckpointEntry& entry = read.entry;
    // A fetched state came before it in the log, and covers it.
    if (is_stable(entry.header.epoch)) return;
    const Cluster& cluster = env.cluster();
    Checkpoint& checkpoint = checkpoints_[entry.header.epoch];
    checkpoint.votes.keep(cluster.self().index, {entry.header, entry.signature}, true,
                          cluster.members().size());
    checkpoint.own = std::move(entry);
  }
  void process(WalEntry<StableEntry> read, auto& /*env*/) {
    StableEntry& entry = read.entry;
    Checkpoint* checkpoint = find(entry.header.epoch);
    if (!checkpoint || !checkpoint->own || checkpoint->own->header != entry.header) return;
    checkpoint->proof = {entry.header, std::move(entry.certificate)};
    go_on_from(*checkpoint->own);
    forget();
  }
  void process(WalEntry<InstalledEntry> read, auto& /*env*/) { adopt(std::move(read.entry)); }
  void process(WalEntry<KeyEntry> read, auto& /*env*/) { keys_.recover(std::move(read.entry)); }

  /// The newest stable checkpoint with its state, if there is one. Throws ModuleFailure.
  std::optional<StableState> restored() const {
    if (!stable_) return std::nullopt;
    const CheckpointEntry& own = *checkpoints_.find(*stable_)->second.own;
    return opened(own.header, own.state, maker_.chunks());
  }

  /// The same, to go on from there. Requires that there is one.
  StableState skip_to_stable() {
    go_on_from(*checkpoints_.find(*stable_)->second.own);
    return *restored();
  }

  /// From here on this replica may speak: what it said of epochs that are not stable yet, it says
  /// again.
  void start(const IssConfig& parameters, auto& env) {
    maker_.start(parameters, env);
    std::vector<Epoch> open;
    for (const auto& [epoch, checkpoint] : checkpoints_)
      if (checkpoint.own && !is_stable(epoch)) open.push_back(epoch);
    for (const Epoch epoch : open) {
      env.emit(env.to_others(vote_of(*checkpoints_[epoch].own)));
      try_to_stabilise(epoch, env);
    }
  }

  // The own checkpoint.

  /// All of `epoch` is delivered: `digests` up to `last`. The other arguments are what else the
  /// header covers; `policy` and `pace` are reflected.
  template <class Policy, class Pace>
  void begin(Epoch epoch, SeqNr last, std::vector<Digest> digests,
             std::vector<ClientWindow> windows, const Policy& policy, const Pace& pace,
             const IssConfig& parameters, auto& env) {
    maker_.begin(epoch, last, std::move(digests), std::move(windows), policy, pace, parameters,
                 env);
  }

  void process(AppSnapshot piece, auto& env) { maker_.process(std::move(piece), env); }
  void process(HashResult<ChunkHash> hashed, auto& env) { maker_.process(std::move(hashed), env); }
  void process(HashResult<TreeHash> hashed, auto& env) { maker_.process(std::move(hashed), env); }
  void process(HashResult<CheckpointHash> hashed, auto& env) {
    if (const auto header = maker_.process(std::move(hashed), env)) made(*header, env);
  }

  void process(SignResult<CheckpointSigning> signed_, auto& env) {
    const CheckpointVote vote{signed_.origin.header, signed_.signature};
    const CheckpointState* state = maker_.state(vote.header.epoch);
    if (!state) return;
    for (ChunkEntry& chunk : maker_.chunks().renew(vote.header.epoch, state->app_chunks))
      env.emit(written_ahead(std::move(chunk)));
    env.emit(WalAppend<CheckpointEntry>{{vote.header, vote.signature, *state},
                                        RetentionIndex(vote.header.epoch.value)})
        .then(env.to_others(vote), env.to_self(vote));
  }

  // What others say.

  /// A vote for a checkpoint, of `current + epochs_ahead_kept` at the latest.
  void receive(Member from, CheckpointVote vote, Epoch current, auto& env) {
    const CheckpointHeader header = vote.header;
    if (is_stable(header.epoch)) return;
    if (header.epoch > current + epochs_ahead_kept) return env.bad(BadMessage::far_epoch);
    Checkpoint& checkpoint = checkpoints_[header.epoch];
    const bool own = from.id == env.cluster().self().id;
    if (own) record(vote);
    if (!checkpoint.votes.keep(from.index, std::move(vote), own, env.cluster().members().size()))
      return env.bad(BadMessage::duplicate);
    checkpoint.votes.check(header, keys_, env);
    if (own) try_to_stabilise(header.epoch, env);
  }

  void process(NodeSigsVerified<CheckpointChecking> verified, auto& env) {
    const CheckpointHeader& header = verified.origin.header;
    Checkpoint* checkpoint = find(header.epoch);
    if (!checkpoint || is_stable(header.epoch)) return;
    checkpoint->votes.checked(verified, env);
    try_to_stabilise(header.epoch, env);
  }

  /// Proof that a checkpoint is stable elsewhere.
  void receive(Member from, StableCheckpoint proof, auto& env) {
    if (is_stable(proof.header.epoch)) return;
    const Checkpoint* checkpoint = find(proof.header.epoch);
    if (checkpoint && checkpoint->proof) return;
    proofs_.receive(from, std::move(proof), maker_.membership(), keys_, env);
  }
  void process(NodeSigsVerified<ProofChecking> verified, auto& env) {
    auto proof = proofs_.checked(std::move(verified), env);
    if (proof && keys_.extend(*proof, env)) check_later(proof->header.epoch, env);
    if (!proof || is_stable(proof->header.epoch)) return;
    const Epoch epoch = proof->header.epoch;
    if (maker_.parameters() && maker_.parameters() != proof->header.parameters)
      return env.halt("this replica's configuration differs from that of the others, who have "
                      "certified the checkpoint of epoch " + std::to_string(epoch.value));
    if (Checkpoint* checkpoint = find(epoch)) checkpoint->proof = std::move(proof);
    try_to_stabilise(epoch, env);
  }

  // Those who lag behind.

  /// Sends a peer what it lacks to have as many stable epochs as this replica: certificates, and
  /// the own votes for what is not stable here either.
  void tell(Member to, std::uint64_t its_stable_epochs, auto& env) const {
    auto known = checkpoints_.lower_bound(Epoch(its_stable_epochs));
    for (; known != checkpoints_.end(); ++known) {
      const auto& [epoch, checkpoint] = *known;
      if (is_stable(epoch)) {
        if (checkpoint.proof) env.emit(env.to(to.id, *checkpoint.proof));
      } else if (checkpoint.own) {
        env.emit(env.to(to.id, vote_of(*checkpoint.own)));
      }
    }
  }

  /// Says again, by `send(message)`, which states this replica vouches for that are not stable yet.
  void repeat(auto&& send) const {
    for (const auto& [epoch, checkpoint] : checkpoints_)
      if (checkpoint.own && !is_stable(epoch)) send(vote_of(*checkpoint.own));
  }

  /// Sends a peer the next change of nodes' keys that it does not know of, if there is one. It says
  /// so again when it has learnt that.
  void tell_keys(Member to, std::uint64_t its_key_changes, auto& env) const {
    if (const StableCheckpoint* link = keys_.after(its_key_changes))
      env.emit(env.to(to.id, *link));
  }

  /// The state of a stable checkpoint, for those who ask for it; null if it is not kept.
  const CheckpointState* stable_state(Epoch epoch) const {
    const auto found = checkpoints_.find(epoch);
    const bool kept = found != checkpoints_.end() && is_stable(epoch) && found->second.own &&
                      found->second.proof;
    return kept ? &found->second.own->state : nullptr;
  }

  /// The App's chunks, at the ends of all epochs whose states are kept.
  const ChunkTable& chunks() const noexcept { return maker_.chunks(); }

  /// The newest stable checkpoint of others, if it is of `epoch` or later and not reached here.
  const StableCheckpoint* proven_from(Epoch epoch) const {
    const auto& newest = proofs_.newest();
    const std::uint64_t first = std::max(epoch.value, reached_epochs());
    return newest && newest->header.epoch.value >= first ? &*newest : nullptr;
  }

  /// A state that was fetched is durable. Returns what to go on from; nothing if this replica got
  /// as far by itself. Throws ModuleFailure.
  std::optional<StableState> install(FetchedState fetched, auto& env) {
    if (fetched.entry.header.epoch.value < reached_epochs()) return std::nullopt;
    for (ChunkEntry& chunk : fetched.chunks) maker_.chunks().put(std::move(chunk));
    adopt(std::move(fetched.entry));
    env.emit(CollectRequests{collection_of(*checkpoints_[*stable_].own)});
    env.emit(WalTruncate{RetentionIndex(first_kept().value)});
    return restored();
  }

 private:
  bool is_stable(Epoch epoch) const noexcept { return stable_ && epoch <= *stable_; }
  Checkpoint* find(Epoch epoch) {
    const auto found = checkpoints_.find(epoch);
    return found == checkpoints_.end() ? nullptr : &found->second;
  }

  /// The own header is there. Before a restart it must have been the same.
  void made(const CheckpointHeader& header, auto& env) {
    const Checkpoint* before = find(header.epoch);
    if (!before || !before->own) {
      Bytes message = wire::canonical("checkpoint", env.cluster().name().view(), header);
      env.emit(SignRequest<CheckpointSigning>{header.epoch, std::move(message), {header}});
    } else if (before->own->header != header) {
      env.halt("this replica has diverged: at the end of epoch " +
               std::to_string(header.epoch.value) +
               " it has another state than before it was restarted");
    } else {
      maker_.forget(header.epoch);
    }
  }
  /// The own vote has been written ahead, with the state.
  void record(const CheckpointVote& vote) {
    const Epoch epoch = vote.header.epoch;
    const CheckpointState* state = maker_.state(epoch);
    if (!state) return;
    checkpoints_[epoch].own = CheckpointEntry{vote.header, vote.signature, *state};
    maker_.forget(epoch);
  }

  // Stability.

  /// Stable is what a quorum has signed and this replica has durably. A certified header that
  /// differs from the own one means that states have diverged: going on would only spread the
  /// damage.
  void try_to_stabilise(Epoch epoch, auto& env) {
    Checkpoint* checkpoint = find(epoch);
    if (!checkpoint || !checkpoint->own || is_stable(epoch)) return;
    if (!keys_.covers(checkpoint->own->header)) return;
    const auto& newest = proofs_.newest();
    if (!checkpoint->proof)
      checkpoint->proof = newest && newest->header.epoch == epoch
                              ? newest
                              : checkpoint->votes.certified(env.cluster());
    if (!checkpoint->proof) return;
    if (checkpoint->own->header != checkpoint->proof->header)
      return env.halt("this replica has diverged: at the end of epoch " +
                      std::to_string(epoch.value) +
                      " a quorum certifies another state than the own one");
    stable_ = epoch;
    const bool changes_keys = keys_.extend(*checkpoint->proof, env);
    collect(env.emit(WalAppend<StableEntry>{
        {checkpoint->proof->header, checkpoint->proof->certificate},
        RetentionIndex(epoch.value)}));
    if (changes_keys) check_later(epoch, env);
  }
  /// Votes of later epochs may wait for the keys of this one.
  void check_later(Epoch epoch, auto& env) {
    std::vector<Epoch> later;
    for (auto at = checkpoints_.upper_bound(epoch); at != checkpoints_.end(); ++at)
      if (at->second.own) later.push_back(at->first);
    for (const Epoch one : later) {
      // One that is stable may have ended others.
      Checkpoint* checkpoint = find(one);
      if (!checkpoint) continue;
      checkpoint->votes.check(checkpoint->own->header, keys_, env);
      try_to_stabilise(one, env);
    }
  }

  /// Forgets what lies before `first_kept`, once the stable checkpoint is durable. That and its
  /// state have the retention index of their epoch, so they stay until there are two newer ones.
  void collect(auto stable) {
    if (first_kept() == Epoch(0)) return;
    const WalTruncate truncate{RetentionIndex(first_kept().value)};
    if (keys_.length() != 0) stable.then(ForgetNodeKeys{first_kept()});
    const Checkpoint* last = find(Epoch(first_kept().value - 1));
    if (last && last->own) {
      stable.then(CollectRequests{collection_of(*last->own)}, truncate);
    } else {
      stable.then(truncate);
    }
    forget();
  }
  void forget() {
    checkpoints_.erase(checkpoints_.begin(), checkpoints_.lower_bound(first_kept()));
    const auto oldest = std::find_if(checkpoints_.begin(), checkpoints_.end(),
                                     [](const auto& one) { return one.second.own.has_value(); });
    if (oldest != checkpoints_.end())
      maker_.chunks().forget_before(oldest->first, oldest->second.own->state.app_chunks);
  }

  void go_on_from(const CheckpointEntry& own) {
    stable_ = own.header.epoch;
    maker_.go_on_from(own.header, ClientKeys(clients_of(own.state).keys));
  }
  /// A fetched state takes the place of an own one, without an own vote.
  void adopt(InstalledEntry installed) {
    const CheckpointHeader header = installed.header;
    checkpoints_.erase(checkpoints_.begin(), checkpoints_.upper_bound(header.epoch));
    Checkpoint& checkpoint = checkpoints_[header.epoch];
    checkpoint.own = CheckpointEntry{header, {}, std::move(installed.state)};
    checkpoint.proof = {header, std::move(installed.certificate)};
    go_on_from(*checkpoint.own);
    forget();
  }

  std::map<Epoch, Checkpoint> checkpoints_;
  std::optional<Epoch> stable_;
  CheckpointMaker maker_;
  CheckpointProofs proofs_;
  KeyChain keys_;
};

}  // namespace mirbft::iss

#endif

// The making of this replica's own checkpoints: everything that a header covers, hashed.
#ifndef MIRBFT_PROTOCOL_ISS_CHECKPOINT_MAKER_HPP
#define MIRBFT_PROTOCOL_ISS_CHECKPOINT_MAKER_HPP

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <mirbft/events/app.hpp>
#include <mirbft/events/hasher.hpp>
#include <mirbft/events/wal.hpp>
#include <mirbft/protocol/iss/app_root.hpp>
#include <mirbft/protocol/iss/checkpoint_draft.hpp>
#include <mirbft/protocol/iss/chunk_table.hpp>
#include <mirbft/protocol/iss/config.hpp>
#include <mirbft/protocol/iss/key_changes.hpp>
#include <mirbft/protocol/iss/state_chunks.hpp>
#include <mirbft/wire/canonical.hpp>
#include <mirbft/wire/codec.hpp>

namespace mirbft::iss {

/// Makes headers of the epochs that end here. Knows nothing of votes.
class CheckpointMaker {
 public:
  using consumes = joined<
      events<AppSnapshot, HashResult<CheckpointHash>, HashResult<ChunkHash>>, AppRoot::consumes>;
  using emits = joined<events<AppSnapshotRequest, HashRequest<CheckpointHash>,
                              HashRequest<ChunkHash>, WalAppend<ChunkEntry>>,
                       AppRoot::emits>;

  /// Computes what every header says of members and configuration, to check those of others.
  void start(const IssConfig& parameters, auto& env) {
    hash_common_parts(next_log_, parameters, env);
  }
  const std::optional<Digest>& membership() const noexcept { return membership_; }
  const std::optional<Digest>& parameters() const noexcept { return parameters_; }

  /// The log up to here is that of another's checkpoint, or of one from before a restart.
  void go_on_from(const CheckpointHeader& header, ClientKeys keys) {
    drafts_.erase(drafts_.begin(), drafts_.upper_bound(header.epoch));
    log_ = header.log;
    next_log_ = next_root_ = next_snapshot_ = header.epoch + 1;
    root_.clear();
    root_is_begun_ = false;
    key_changes_ = header.key_changes;
    client_keys_ = std::move(keys);
  }

  /// What the App's snapshots have asked for until now.
  const ClientKeys& client_keys() const noexcept { return client_keys_; }
  /// Of how many epochs the App's snapshot is here. After a restart a checkpoint may be stable
  /// before the App has come to it again.
  std::uint64_t snapshots() const noexcept { return next_snapshot_.value; }
  /// How many reconfigurations were not carried out.
  std::uint64_t refused_reconfigurations() const noexcept { return refused_; }

  /// See `Checkpointing::begin`.
  template <class Policy, class Pace>
  void begin(Epoch epoch, SeqNr last, std::vector<Digest> digests,
             std::vector<ClientWindow> windows, const Policy& policy, const Pace& pace,
             const IssConfig& parameters, auto& env) {
    CheckpointState state;
    state.policy = wire::encode(policy);
    state.pace = wire::encode(pace);
    hash(epoch, CheckpointPart::policy,
         policy_content(env.cluster().name().view(), state.policy, state.pace), env);
    hash_common_parts(epoch, parameters, env);
    drafts_.try_emplace(epoch, epoch, last, std::move(digests), std::move(windows),
                        std::move(state));
    if (epoch == next_log_) hash_log(env);
    env.emit(AppSnapshotRequest{last});
  }

  void process(AppSnapshot piece, auto& env) {
    for (auto& [epoch, draft] : drafts_) {
      if (draft.last() != piece.sn) continue;
      draft.snapshot(piece);
      for (AppChunk& chunk : piece.changed)
        hash_chunk({epoch, CheckpointPart::app_state, chunk.index}, std::move(chunk.data), env);
      if (piece.remaining == 0)
        change_keys(epoch, draft, std::move(piece.reconfigurations), env);
    }
    begin_root(env);
  }
  void process(HashResult<ChunkHash> hashed, auto& env) {
    const auto& [epoch, part, index] = hashed.origin;
    const auto found = drafts_.find(epoch);
    if (found == drafts_.end()) return;
    CheckpointDraft& draft = found->second;
    if (part == CheckpointPart::clients) {
      if (draft.clients_chunk(index, hashed.digest)) hash_clients_list(epoch, draft, env);
    } else {
      write(ChunkTable::changed(epoch, index, hashed.digest, draft.app_chunk(index)), env);
      begin_root(env);
    }
  }
  void process(HashResult<TreeHash> hashed, auto& env) {
    if (root_is_begun_ && root_.process(hashed, env)) end_root(env);
  }
  /// Returns the header when its last part is there.
  std::optional<CheckpointHeader> process(HashResult<CheckpointHash> hashed, auto& env) {
    const auto& [epoch, part] = hashed.origin;
    if (part == CheckpointPart::membership) membership_ = hashed.digest;
    if (part == CheckpointPart::parameters) parameters_ = hashed.digest;
    if (part == CheckpointPart::log) extend_log(epoch, hashed.digest, env);
    const auto draft = drafts_.find(epoch);
    if (draft == drafts_.end()) return std::nullopt;
    return draft->second.part(part, hashed.digest);
  }

  /// Up to how many epochs there are drafts.
  std::uint64_t begun_epochs() const noexcept {
    return drafts_.empty() ? 0 : drafts_.rbegin()->first.value + 1;
  }
  /// The state that is being hashed, or was; null when there is none.
  const CheckpointState* state(Epoch epoch) const {
    const auto draft = drafts_.find(epoch);
    return draft == drafts_.end() ? nullptr : &draft->second.state();
  }
  /// The checkpoint of `epoch` is done with.
  void forget(Epoch epoch) { drafts_.erase(epoch); }

  /// The App's chunks, at the ends of these and of earlier epochs.
  ChunkTable& chunks() noexcept { return chunks_; }
  const ChunkTable& chunks() const noexcept { return chunks_; }

 private:
  static void hash(Epoch epoch, CheckpointPart part, Bytes content, auto& env) {
    env.emit(HashRequest<CheckpointHash>{{std::move(content)}, {epoch, part}});
  }
  template <class T>
  static void hash(Epoch epoch, CheckpointPart part, std::string_view domain, const T& value,
                   auto& env) {
    hash(epoch, part, wire::canonical(domain, env.cluster().name().view(), value), env);
  }
  static void hash_common_parts(Epoch epoch, const IssConfig& parameters, auto& env) {
    hash(epoch, CheckpointPart::membership, "members", env.cluster().members(), env);
    hash(epoch, CheckpointPart::parameters, "parameters", parameters, env);
  }

  static void hash_chunk(ChunkHash origin, Bytes chunk, auto& env) {
    env.emit(HashRequest<ChunkHash>{chunk_content(env.cluster().name().view(), std::move(chunk)),
                                    std::move(origin)});
  }
  /// Snapshots come in the order of their epochs, so that all know the changes before these.
  void change_keys(Epoch epoch, CheckpointDraft& draft, std::vector<Reconfiguration> asked,
                   auto& env) {
    KeyChanges changes = key_changes(std::move(asked), env.cluster());
    refused_ += changes.refused;
    key_changes_ += !changes.nodes.empty();
    client_keys_.asked(epoch, changes.clients);
    next_snapshot_ = epoch + 1;
    draft.keys(std::move(changes.nodes), key_changes_, client_keys_.changes());
    hash_clients(epoch, draft, env);
  }
  static void hash_clients(Epoch epoch, const CheckpointDraft& draft, auto& env) {
    const Bytes& data = draft.state().clients.data;
    if (data.empty()) return hash_clients_list(epoch, draft, env);
    for (std::uint64_t index = 0; index < chunks_of(data.size()); ++index)
      hash_chunk({epoch, CheckpointPart::clients, index}, chunk_of(data, index), env);
  }
  static void hash_clients_list(Epoch epoch, const CheckpointDraft& draft, auto& env) {
    hash(epoch, CheckpointPart::clients,
         clients_content(env.cluster().name().view(), list_of(draft.state().clients)), env);
  }

  /// What was written before a restart is not written again.
  void write(ChunkEntry entry, auto& env) {
    if (chunks_.put(entry)) env.emit(written_ahead(std::move(entry)));
  }
  /// Each epoch's root builds on the one before.
  void begin_root(auto& env) {
    const auto found = drafts_.find(next_root_);
    if (found == drafts_.end() || root_is_begun_ || !found->second.app_is_hashed()) return;
    const CheckpointDraft& draft = found->second;
    root_is_begun_ = true;
    if (root_.begin(next_root_, draft.state().app_chunks, draft.changed(), chunks_, env))
      end_root(env);
  }
  void end_root(auto& env) {
    drafts_.find(next_root_)->second.app_length(root_.length());
    hash(next_root_, CheckpointPart::app_state,
         app_content(env.cluster().name().view(), root_.tree()), env);
    ++next_root_;
    root_is_begun_ = false;
    begin_root(env);
  }

  /// Each epoch's hash of the log goes into the next one's, so they are computed one by one, though
  /// several epochs may end at once after a restart.
  void hash_log(auto& env) {
    const auto draft = drafts_.find(next_log_);
    if (draft == drafts_.end()) return;
    hash(next_log_, CheckpointPart::log, "log", LogContent{log_, draft->second.log()}, env);
  }
  void extend_log(Epoch epoch, const Digest& digest, auto& env) {
    if (epoch != next_log_) return;
    log_ = digest;
    ++next_log_;
    hash_log(env);
  }

  std::map<Epoch, CheckpointDraft> drafts_;
  /// Hash of the log before the epoch whose hash is the next one.
  Digest log_;
  Epoch next_log_;
  ChunkTable chunks_;
  AppRoot root_;
  /// Whose root is the next one, and whether it is being computed.
  Epoch next_root_;
  bool root_is_begun_ = false;
  std::optional<Digest> membership_;
  std::optional<Digest> parameters_;
  Epoch next_snapshot_;
  /// Of all epochs whose snapshots are here.
  std::uint64_t key_changes_ = 0;
  ClientKeys client_keys_;
  std::uint64_t refused_ = 0;
};

}  // namespace mirbft::iss

#endif

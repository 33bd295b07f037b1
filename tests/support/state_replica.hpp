// The parts of replicas that have to do with checkpoints, without the rest of Iss.
#ifndef MIRBFT_TESTS_SUPPORT_STATE_REPLICA_HPP
#define MIRBFT_TESTS_SUPPORT_STATE_REPLICA_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <mirbft/protocol/iss/checkpointing.hpp>
#include <mirbft/protocol/iss/leader_policies.hpp>
#include <mirbft/protocol/iss/state_supply.hpp>
#include <mirbft/protocol/iss/state_transfer.hpp>
#include <mirbft/types/frozen_chunks.hpp>

#include "iss_env.hpp"

namespace mirbft::testing {

/// What is written ahead of checkpoints.
struct WalRecord {
  std::variant<ChunkEntry, CheckpointEntry, StableEntry, InstalledEntry, KeyEntry> entry;
  RetentionIndex retention;
};

/// A chunked App whose chunks the test sets.
struct StateApp {
  FrozenChunks freeze() {
    FrozenChunks list{chunks.size(), {}};
    for (std::size_t i = 0; i < chunks.size(); ++i)
      if (i >= last.size() || chunks[i] != last[i]) list.changed.push_back(i);
    last = chunks;
    return list;
  }
  void restore(std::vector<Bytes> state) { last = chunks = std::move(state); }

  std::vector<Bytes> chunks;
  std::vector<Bytes> last;
};

inline std::vector<Bytes> cut(const Bytes& state) {
  std::vector<Bytes> chunks;
  for (std::uint64_t i = 0; i < iss::chunks_of(state.size()); ++i)
    chunks.push_back(iss::chunk_of(state, i));
  return chunks;
}
inline Bytes joined(const std::vector<Bytes>& chunks) {
  std::string all;
  for (const Bytes& chunk : chunks) all += chunk.text();
  return Bytes(all);
}

/// `n` chunks' worth of bytes, and a few more, that differ from place to place.
inline Bytes app_state(std::size_t chunks, std::uint8_t seed = 1) {
  const std::size_t size = chunks * iss::chunk_size + 77;
  return Bytes::filled(size, [&](std::uint8_t* at) {
    for (std::size_t i = 0; i < size; ++i)
      at[i] = static_cast<std::uint8_t>((i >> 8) + i * seed + i / iss::chunk_size);
  });
}

/// One replica. `work()` answers all that it asks of its own modules; what it sends is kept.
class StateReplica {
 public:
  StateReplica(std::size_t n, NodeId self, const std::vector<WalRecord>& log = {})
      : env(iss_config(n, self)), supply(n), wal(log) {
    for (const WalRecord& record : log)
      std::visit([&](const auto& entry) { checkpointing.process(read_back(entry), env); },
                 record.entry);
    checkpointing.announce_keys(env);
    checkpointing.start(parameters(), env);
    work();
    if (checkpointing.stable_epochs() != 0) app_.restore(checkpointing.skip_to_stable().app);
  }

  /// The same for all replicas.
  IssConfig parameters() const {
    IssConfig common = env.config;
    common.self = {};
    return common;
  }

  static SeqNr last_of(Epoch epoch) { return SeqNr(16 * epoch.value + 15); }
  static std::vector<Digest> log_of(Epoch epoch) {
    return {digest_of_bytes(Bytes("log " + std::to_string(epoch.value)).view())};
  }
  static std::vector<ClientWindow> windows_at(Epoch epoch) {
    return {{ClientId(7), ReqNo(epoch.value + 1), Bytes("\x05")}};
  }
  /// All of an epoch is delivered; the App's state is then `app`. It asks for what is in `asked`.
  void begin(Epoch epoch, const Bytes& app) { begin(epoch, cut(app)); }
  void begin(Epoch epoch, std::vector<Bytes> chunks) {
    app_.chunks = std::move(chunks);
    checkpointing.begin(epoch, last_of(epoch), log_of(epoch), windows_at(epoch), Simple{},
                        Fixed{static_cast<std::uint32_t>(epoch.value)}, parameters(), env);
  }
  void finish(Epoch epoch, const Bytes& app = Bytes("state")) {
    begin(epoch, app);
    work();
  }

  void work() {
    while (work_once()) continue;
  }
  /// Of the App's state in a stable checkpoint.
  Bytes app_chunk(Epoch epoch, std::uint64_t index) const {
    return checkpointing.chunks().find(epoch, index)->data;
  }
  ChunkList app_list(Epoch epoch) const {
    ChunkList list;
    for (std::uint64_t i = 0; i < checkpointing.stable_state(epoch)->app_chunks; ++i) {
      list.length += app_chunk(epoch, i).size();
      list.digests.push_back(checkpointing.chunks().find(epoch, i)->digest);
    }
    return list;
  }
  /// A stable state as one that was fetched.
  iss::FetchedState fetched(const StableCheckpoint& proof) const {
    const Epoch epoch = proof.header.epoch;
    iss::FetchedState state{{proof.header, proof.certificate, *checkpointing.stable_state(epoch)},
                            {}};
    for (std::uint64_t i = 0; i < state.entry.state.app_chunks; ++i) {
      const ChunkEntry& chunk = *checkpointing.chunks().find(epoch, i);
      state.chunks.push_back(iss::ChunkTable::changed(epoch, i, chunk.digest, chunk.data));
    }
    return state;
  }
  template <class M>
  void receive(std::size_t from, M message) {
    const iss::Member member = env.member(from);
    if constexpr (std::is_same_v<M, CheckpointVote>) {
      checkpointing.receive(member, std::move(message), Epoch(1000), env);
    } else if constexpr (std::is_same_v<M, StableCheckpoint>) {
      checkpointing.receive(member, std::move(message), env);
    } else if constexpr (std::is_same_v<M, StateWanted> || std::is_same_v<M, ChunkWanted>) {
      supply.receive(member, message, checkpointing, env);
    } else {
      transfer.receive(member, std::move(message), env);
    }
    work();
  }
  void tick(std::chrono::nanoseconds later) {
    env.time += later;
    transfer.tick(checkpointing.reached_epochs(), env);
    work();
  }

  IssEnv env;
  iss::Checkpointing checkpointing;
  iss::StateSupply supply;
  iss::StateTransfer transfer;
  /// What is durable.
  std::vector<WalRecord> wal;
  std::vector<Collection> collected;
  /// What the App asks for at its next snapshot, and which keys are forgotten.
  std::vector<Reconfiguration> asked;
  std::vector<Epoch> forgotten;
  std::optional<iss::StableState> installed;

 private:
  template <class Entry>
  static WalEntry<Entry> read_back(const Entry& entry) {
    return {entry};
  }
  /// In the order in which they were written.
  template <class... Entries>
  bool append() {
    return env.out.take_any<WalAppend<Entries>...>(
        [&](auto written) { wal.push_back({std::move(written.entry), written.retention}); });
  }
  bool work_once() {
    bool any = env.hash<CheckpointHash>(checkpointing);
    any |= env.hash<ChunkHash>(checkpointing);
    any |= env.hash<TreeHash>(checkpointing);
    any |= env.hash<TransferHash>(transfer);
    any |= env.hash<TransferTreeHash>(transfer);
    any |= env.sign<CheckpointSigning>(checkpointing);
    any |= env.verify<CheckpointChecking>(checkpointing);
    any |= env.verify<ProofChecking>(checkpointing);
    any |= append<ChunkEntry, CheckpointEntry, StableEntry, InstalledEntry, KeyEntry>();
    any |= env.update_keys();
    any |= env.each<ForgetNodeKeys>([&](ForgetNodeKeys of) { forgotten.push_back(of.before); });
    any |= env.each<WalTruncate>([&](WalTruncate cut) {
      std::erase_if(wal, [&](const WalRecord& one) { return one.retention < cut.index; });
    });
    any |= env.each<CollectRequests>(
        [&](CollectRequests of) { collected.push_back(std::move(of.collection)); });
    any |= env.each<AppSnapshotRequest>([&](AppSnapshotRequest of) { snapshot(of.sn); });
    any |= env.each<ToSelf<CheckpointVote>>([&](ToSelf<CheckpointVote> own) {
      checkpointing.receive(env.cluster().self(), std::move(own.message), Epoch(1000), env);
    });
    any |= env.each<StateInstalled>(
        [&](StateInstalled) { installed = checkpointing.install(transfer.take(), env); });
    if (installed && restored_ < installed->header.last) {
      restored_ = installed->header.last;
      app_.restore(installed->app);
    }
    return any;
  }
  /// One chunk a piece.
  void snapshot(SeqNr sn) {
    const FrozenChunks frozen = app_.freeze();
    std::uint64_t remaining = frozen.changed.size();
    std::vector<Reconfiguration> changes = std::exchange(asked, {});
    if (remaining == 0)
      checkpointing.process(AppSnapshot{sn, frozen.count, {}, 0, std::move(changes)}, env);
    for (const std::uint64_t index : frozen.changed) {
      AppSnapshot piece{sn, frozen.count, {{index, app_.last[index]}}, --remaining, {}};
      if (remaining == 0) piece.reconfigurations = std::move(changes);
      checkpointing.process(std::move(piece), env);
    }
  }

  StateApp app_;
  SeqNr restored_;
};

/// `n` of them and a network that loses what goes to or comes from those that are `down`.
class StateCluster {
 public:
  explicit StateCluster(std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) replicas.emplace_back(n, NodeId(i));
  }

  StateReplica& operator[](std::size_t index) { return replicas[index]; }

  /// All that are up finish an epoch with this state and agree on its checkpoint.
  void finish(Epoch epoch, const Bytes& app = Bytes("state")) {
    for (std::size_t i = 0; i < replicas.size(); ++i)
      if (!down.contains(i)) replicas[i].finish(epoch, app);
    exchange();
  }
  /// Carries messages until there are none.
  void exchange() {
    while (carry<CheckpointVote, StableCheckpoint, StateWanted, StateHead, ChunkWanted,
                 ChunkSupplied>())
      continue;
  }

  std::vector<StateReplica> replicas;
  std::set<std::size_t> down;
  /// May change an answer on its way, or lose it by returning false.
  std::function<bool(std::size_t from, ChunkSupplied&)> on_chunk;
  std::function<bool(std::size_t from, StateHead&)> on_head;

 private:
  template <class... Ms>
  bool carry() {
    bool any = false;
    for (std::size_t from = 0; from < replicas.size(); ++from)
      ((any |= carry_from<Ms>(from)), ...);
    return any;
  }
  template <class M>
  bool carry_from(std::size_t from) {
    bool any = false;
    for (Sent<M>& sent : replicas[from].env.take_all<M>()) {
      any = true;
      if (down.contains(from) || !passes(from, sent.message)) continue;
      for (const NodeId to : sent.to)
        if (!down.contains(to.value)) replicas[to.value].receive(from, sent.message);
    }
    return any;
  }
  template <class M>
  bool passes(std::size_t from, M& message) {
    if constexpr (std::is_same_v<M, ChunkSupplied>) return !on_chunk || on_chunk(from, message);
    if constexpr (std::is_same_v<M, StateHead>) return !on_head || on_head(from, message);
    return true;
  }
};

}  // namespace mirbft::testing

#endif

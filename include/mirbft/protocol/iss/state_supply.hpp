// Answers to those who fetch the state of a stable checkpoint.
#ifndef MIRBFT_PROTOCOL_ISS_STATE_SUPPLY_HPP
#define MIRBFT_PROTOCOL_ISS_STATE_SUPPLY_HPP

#include <cstddef>
#include <cstdint>
#include <utility>

#include <mirbft/protocol/iss/allowance.hpp>
#include <mirbft/protocol/iss/bad_message.hpp>
#include <mirbft/protocol/iss/checkpointing.hpp>
#include <mirbft/protocol/iss/cluster.hpp>
#include <mirbft/protocol/iss/messages.hpp>
#include <mirbft/protocol/iss/state_chunks.hpp>

namespace mirbft::iss {

/// Supplies heads and chunks of the stable states that are kept, so many bytes to each peer.
class StateSupply {
 public:
  explicit StateSupply(std::size_t members) : allowance_(members) {}

  /// From time to time: peers may ask again.
  void refill() { allowance_.refill(); }

  void receive(Member from, StateWanted wanted, const Checkpointing& kept, auto& env) {
    const CheckpointState* state = state_for(from, wanted.epoch, kept, env);
    if (!state) return;
    StateHead head{wanted.epoch, list_of(state->clients), state->policy, state->pace,
                   app_list(kept, wanted.epoch)};
    const std::size_t digests = head.clients.digests.size() + head.app.digests.size();
    allowance_.spend(from, Digest::size * digests + head.policy.size() + head.pace.size());
    env.emit(env.to(from.id, std::move(head)));
  }

  void receive(Member from, ChunkWanted wanted, const Checkpointing& kept, auto& env) {
    const CheckpointState* state = state_for(from, wanted.epoch, kept, env);
    if (!state) return;
    const std::uint64_t clients = state->clients.digests.size();
    if (wanted.index >= clients + state->app_chunks) return env.bad(BadMessage::oversized);
    Bytes chunk = wanted.index < clients
                      ? chunk_of(state->clients.data, wanted.index)
                      : kept.chunks().find(wanted.epoch, wanted.index - clients)->data;
    allowance_.spend(from, chunk.size());
    env.emit(env.to(from.id, ChunkSupplied{wanted.epoch, wanted.index, std::move(chunk)}));
  }

 private:
  static ChunkList app_list(const Checkpointing& kept, Epoch epoch) {
    ChunkList list;
    for (std::uint64_t index = 0; index < kept.stable_state(epoch)->app_chunks; ++index) {
      const ChunkEntry& chunk = *kept.chunks().find(epoch, index);
      list.length += chunk.data.size();
      list.digests.push_back(chunk.digest);
    }
    return list;
  }

  /// What any answer costs at least: about a certificate.
  static constexpr std::uint64_t least_cost = 4096;

  /// The state, if it is kept and the peer may have more. Who asks for one that is collected hears
  /// which ones are there.
  const CheckpointState* state_for(Member from, Epoch epoch, const Checkpointing& kept, auto& env) {
    if (allowance_.is_spent(from)) {
      env.bad(BadMessage::oversized);
      return nullptr;
    }
    allowance_.spend(from, least_cost);
    const CheckpointState* state = kept.stable_state(epoch);
    if (!state) kept.tell(from, epoch.value, env);
    return state;
  }

  Allowance allowance_;
};

}  // namespace mirbft::iss

#endif

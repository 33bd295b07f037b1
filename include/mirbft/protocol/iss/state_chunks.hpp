// A checkpoint's state as bytes: in chunks, hashed, and read back.
#ifndef MIRBFT_PROTOCOL_ISS_STATE_CHUNKS_HPP
#define MIRBFT_PROTOCOL_ISS_STATE_CHUNKS_HPP

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/protocol/iss/chunk_table.hpp>
#include <mirbft/protocol/iss/events.hpp>
#include <mirbft/types/client_window.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/frozen_chunks.hpp>
#include <mirbft/types/merkle_tree.hpp>
#include <mirbft/wire/canonical.hpp>
#include <mirbft/wire/codec.hpp>

namespace mirbft::iss {

/// How many stable epochs are kept, with their states, for those who lag behind.
inline constexpr std::uint64_t epochs_kept = 2;

/// Of the clients' part; the App decides on its own chunks.
inline constexpr std::uint64_t chunk_size = good_chunk_size;

constexpr std::uint64_t chunks_of(std::uint64_t length) noexcept {
  return length / chunk_size + (length % chunk_size != 0);
}
/// Length of a chunk of a string of `length` bytes.
constexpr std::uint64_t chunk_length(std::uint64_t length, std::uint64_t index) noexcept {
  return std::min(chunk_size, length - index * chunk_size);
}
inline Bytes chunk_of(const Bytes& data, std::uint64_t index) noexcept {
  return data.slice(index * chunk_size, chunk_size);
}

/// What is hashed for a chunk; its place is given by the list that its digest stands in.
inline std::vector<Bytes> chunk_content(ByteView cluster, Bytes chunk) {
  return {wire::canonical("chunk", cluster, std::uint64_t{chunk.size()}), std::move(chunk)};
}
/// What is hashed for an inner node of the tree over the App's chunks.
inline Bytes inner_content(ByteView cluster, const MerkleInner& inner) {
  return wire::canonical("inner node", cluster, MerkleContent{inner.left, inner.right});
}
/// What is hashed for the parts of a state, and stands in the checkpoint's header. The number of
/// chunks is in it, so that nobody can pass off inner nodes as chunks.
inline Bytes app_content(ByteView cluster, const MerkleTree& tree) {
  return wire::canonical("app state", cluster, AppContent{tree.size(), tree.root()});
}
inline Bytes clients_content(ByteView cluster, const ChunkList& list) {
  return wire::canonical("clients", cluster, list);
}
inline Bytes policy_content(ByteView cluster, const Bytes& policy, const Bytes& pace) {
  return wire::canonical("policy", cluster, PolicyContent{policy, pace});
}

inline ChunkList list_of(const ChunkedBytes& bytes) { return {bytes.data.size(), bytes.digests}; }

/// Client windows and keys as the bytes that are hashed, written ahead and transferred.
struct ClientsPart {
  std::vector<ClientWindow> windows;
  std::vector<ClientKeyChange> keys;
};

}  // namespace mirbft::iss

BOOST_HANA_ADAPT_STRUCT(mirbft::iss::ClientsPart, windows, keys);

namespace mirbft::iss {

inline Bytes encoded(std::vector<ClientWindow> windows, std::vector<ClientKeyChange> keys) {
  return wire::encode(ClientsPart{std::move(windows), std::move(keys)});
}
/// Reads what this replica encoded, or a quorum certified. Throws ModuleFailure.
inline ClientsPart clients_of(const CheckpointState& state) {
  // Nobody made these bytes to hurt, so their length alone bounds what they take.
  wire::Limits limits;
  limits.memory = limits.bytes;
  auto read = wire::decode<ClientsPart>(state.clients.data, wire::Form::canonical, limits);
  if (!read) throw ModuleFailure("the client windows of a checkpoint cannot be read");
  return std::move(*read);
}
inline std::vector<ClientWindow> windows_of(const CheckpointState& state) {
  return clients_of(state).windows;
}

/// What a replica goes on from: a stable checkpoint with its state.
struct StableState {
  CheckpointHeader header;
  std::vector<ClientWindow> windows;
  /// The encoded states of the leader policy and of the time-out, to `wire::decode`.
  Bytes policy;
  Bytes pace;
  /// The chunks of the App's state.
  std::vector<Bytes> app;
};

/// Throws ModuleFailure when something is missing.
inline StableState opened(const CheckpointHeader& header, const CheckpointState& state,
                          const ChunkTable& chunks) {
  StableState stable{header, windows_of(state), state.policy, state.pace, {}};
  for (std::uint64_t index = 0; index < state.app_chunks; ++index) {
    const ChunkEntry* chunk = chunks.find(header.epoch, index);
    if (!chunk)
      throw ModuleFailure("the write-ahead log lacks chunk " + std::to_string(index) +
                          " of the App's state at the end of epoch " +
                          std::to_string(header.epoch.value));
    stable.app.push_back(chunk->data);
  }
  return stable;
}

}  // namespace mirbft::iss

#endif

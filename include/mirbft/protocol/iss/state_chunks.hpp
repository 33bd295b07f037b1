// A checkpoint's state as bytes: cut into chunks, hashed, and read back.
#ifndef MIRBFT_PROTOCOL_ISS_STATE_CHUNKS_HPP
#define MIRBFT_PROTOCOL_ISS_STATE_CHUNKS_HPP

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include <mirbft/protocol/iss/events.hpp>
#include <mirbft/types/client_window.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/wire/canonical.hpp>
#include <mirbft/wire/codec.hpp>

namespace mirbft::iss {

inline constexpr std::uint64_t chunk_size = 256 * 1024;

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
/// What is hashed for the parts of a state, and stands in the checkpoint's header.
inline Bytes list_content(ByteView cluster, CheckpointPart part, const ChunkList& list) {
  return wire::canonical(part == CheckpointPart::clients ? "clients" : "app state", cluster, list);
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

inline Bytes encoded(std::vector<ClientWindow> windows, std::vector<ClientKeyChange> keys = {}) {
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
  Bytes app;
};

inline StableState opened(const CheckpointHeader& header, const CheckpointState& state) {
  return {header, windows_of(state), state.policy, state.pace, state.app.data};
}

}  // namespace mirbft::iss

#endif

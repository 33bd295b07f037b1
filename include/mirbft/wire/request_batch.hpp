// One signature of a client over many of its requests: what is hashed, what is signed, and what
// each of the requests carries.
#ifndef MIRBFT_WIRE_REQUEST_BATCH_HPP
#define MIRBFT_WIRE_REQUEST_BATCH_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <utility>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/little_endian.hpp>
#include <mirbft/types/merkle_tree.hpp>
#include <mirbft/types/request.hpp>
#include <mirbft/wire/canonical.hpp>

namespace mirbft::wire {

/// Most requests of a batch.
inline constexpr std::size_t max_batch_leaves = 1024;

/// What a client signs in place of each single request: the root of the Merkle tree (RFC 6962)
/// over them. The number of leaves fixes the shape of the tree.
struct RequestBatch {
  ClientId client;
  Digest root;
  std::uint64_t leaves = 0;
};

/// What is hashed for an inner node.
struct BatchNode {
  Digest left;
  Digest right;
};

}  // namespace mirbft::wire

BOOST_HANA_ADAPT_STRUCT(mirbft::wire::RequestBatch, client, root, leaves);
BOOST_HANA_ADAPT_STRUCT(mirbft::wire::BatchNode, left, right);

namespace mirbft::wire {

/// The bytes that a client signs for a batch.
inline Bytes batch_signature_bytes(ByteView cluster, const RequestBatch& batch) {
  return canonical("request batch signature", cluster, batch);
}

/// A request's leaf. It is no inner node and nothing that is signed: each has a domain of its own.
template <class Hasher>
Digest batch_leaf(Hasher& hasher, ByteView cluster, const RequestRef& request) {
  hasher.update(canonical("request batch leaf", cluster, request).view());
  return hasher.finish();
}
/// The parent of two nodes. Of which cluster they are is in the leaves, and in what is signed.
template <class Hasher>
Digest batch_node(Hasher& hasher, const Digest& left, const Digest& right) {
  hasher.update(canonical("request batch node", {}, BatchNode{left, right}).view());
  return hasher.finish();
}

/// What `Request::authenticator` holds for a request of a batch: its place among the leaves and
/// how many there are, two bytes each, little-endian; the digests of `merkle_path_length` nodes,
/// from below; the signature over `batch_signature_bytes`.
///
/// Other authenticators are a signature alone. Each has one length, so that none can be taken for
/// one of the other kind, or of another place: a path has at least one digest.
struct BatchAuthenticator {
  static constexpr std::size_t max_path = 10;
  static_assert(max_batch_leaves == std::size_t{1} << max_path);

  std::uint16_t leaf = 0;
  std::uint16_t leaves = 0;
  std::array<Digest, max_path> nodes{};
  ByteView signature;

  std::span<const Digest> path() const noexcept {
    return {nodes.data(), merkle_path_length(leaf, leaves)};
  }
};

inline Bytes write_batch_authenticator(std::uint16_t leaf, std::uint16_t leaves,
                                       std::span<const Digest> path, ByteView signature) {
  const std::size_t size = 2 * sizeof leaf + path.size() * Digest::size + signature.size();
  return Bytes::filled(size, [&](std::uint8_t* out) {
    little_endian::put(out, leaf);
    little_endian::put(out, leaves);
    for (const Digest& node : path) {
      std::memcpy(out, node.bytes.data(), Digest::size);
      out += Digest::size;
    }
    if (!signature.empty()) std::memcpy(out, signature.data(), signature.size());
  });
}

/// The authenticator that these bytes are, where a signature has `signature_size`; none if
/// `write_batch_authenticator` writes no such bytes for a batch of 2 to `max_batch_leaves`. The
/// signature is a part of `bytes`.
inline std::optional<BatchAuthenticator> read_batch_authenticator(ByteView bytes,
                                                                  std::size_t signature_size) {
  std::optional<BatchAuthenticator> found(std::in_place);  // large, so it is made where it goes
  BatchAuthenticator& read = *found;
  const std::size_t header = sizeof read.leaf + sizeof read.leaves;
  if (bytes.size() < header) return std::nullopt;
  const std::uint8_t* at = bytes.data();
  read.leaf = little_endian::get<std::uint16_t>(at);
  read.leaves = little_endian::get<std::uint16_t>(at);
  if (read.leaves < 2 || read.leaves > max_batch_leaves || read.leaf >= read.leaves)
    return std::nullopt;
  const std::size_t path = read.path().size() * Digest::size;
  if (bytes.size() != header + path + signature_size) return std::nullopt;
  std::memcpy(read.nodes.data(), at, path);
  read.signature = bytes.last(signature_size);
  return found;
}

}  // namespace mirbft::wire

#endif

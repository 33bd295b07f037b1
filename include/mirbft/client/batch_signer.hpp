// How a client signs many requests for the price of one signature.
#ifndef MIRBFT_CLIENT_BATCH_SIGNER_HPP
#define MIRBFT_CLIENT_BATCH_SIGNER_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/merkle_tree.hpp>
#include <mirbft/types/request.hpp>
#include <mirbft/wire/request_batch.hpp>
#include <mirbft/wire/request_bytes.hpp>

namespace mirbft {

/// Signs requests of one client by its `Key` (`Bytes sign(ByteView) const`, such as an
/// `Ed25519Key`). Replicas need a `BatchVerifier` over the same `Hasher`.
///
/// A request of a batch of n carries 4 + 32·⌈log2 n⌉ bytes beside the signature, and costs as many
/// hashes at each replica: dozens at a time take most of the gain. One thread at a time.
template <class Key, class Hasher>
class BatchSigner {
 public:
  /// For requests to this cluster.
  BatchSigner(Key key, Bytes cluster, Hasher hasher = {})
      : key_(std::move(key)), cluster_(std::move(cluster)), hasher_(std::move(hasher)) {}

  /// `Request::authenticator` of each, in their order. A single request gets a plain signature;
  /// more than `wire::max_batch_leaves` become several batches. Each can be submitted, and proven,
  /// without the others. Throws ConfigError unless all are of one client.
  std::vector<Bytes> sign(std::span<const RequestRef> requests) {
    for (const RequestRef& request : requests)
      if (request.client != requests.front().client)
        throw ConfigError("requests", "client " + std::to_string(request.client.value),
                          "must all be of client " +
                              std::to_string(requests.front().client.value) +
                              ", as the first one is");
    std::vector<Bytes> authenticators;
    authenticators.reserve(requests.size());
    while (!requests.empty()) {
      const auto batch = requests.first(std::min(requests.size(), wire::max_batch_leaves));
      if (batch.size() == 1) {
        authenticators.push_back(sign_alone(batch.front()));
      } else {
        sign_batch(batch, authenticators);
      }
      requests = requests.subspan(batch.size());
    }
    return authenticators;
  }

 private:
  Bytes sign_alone(const RequestRef& request) const {
    return key_.sign(wire::request_signature_bytes(cluster_.view(), request).view());
  }

  void sign_batch(std::span<const RequestRef> requests, std::vector<Bytes>& authenticators) {
    const MerkleTree tree = tree_over(requests);
    const Bytes signature =
        key_.sign(wire::batch_signature_bytes(
                      cluster_.view(), {requests.front().client, tree.root(), tree.size()})
                      .view());
    const auto leaves = static_cast<std::uint16_t>(tree.size());
    for (std::uint16_t leaf = 0; leaf < leaves; ++leaf)
      authenticators.push_back(
          wire::write_batch_authenticator(leaf, leaves, tree.path(leaf), signature.view()));
  }

  MerkleTree tree_over(std::span<const RequestRef> requests) {
    MerkleTree tree;
    tree.resize(requests.size());
    for (std::size_t leaf = 0; leaf < requests.size(); ++leaf)
      tree.set(leaf, wire::batch_leaf(hasher_, cluster_.view(), requests[leaf]));
    for (auto due = tree.rise(); !due.empty(); due = tree.rise())
      for (const MerkleInner& node : due)
        tree.hashed(node.level, node.index,
                    wire::batch_node(hasher_, cluster_.view(), node.left, node.right));
    return tree;
  }

  Key key_;
  Bytes cluster_;
  Hasher hasher_;
};

}  // namespace mirbft

#endif

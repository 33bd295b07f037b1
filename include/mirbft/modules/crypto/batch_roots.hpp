// The roots to which requests of batches lead, with few hashes for those that come one by one.
#ifndef MIRBFT_MODULES_CRYPTO_BATCH_ROOTS_HPP
#define MIRBFT_MODULES_CRYPTO_BATCH_ROOTS_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/types/merkle_tree.hpp>
#include <mirbft/types/request.hpp>
#include <mirbft/wire/request_batch.hpp>

namespace mirbft {

/// Remembers the last way from a leaf to the root. Where the next one meets it, with the same nodes
/// there and the same ones beside the rest, the root is the same; in the order of the leaves, that
/// is after one inner node on average. What is remembered changes no root. Not thread-safe.
class BatchWay {
 public:
  /// `join(left, right)` is the parent of two nodes, always the same of the same.
  template <class Join>
  Digest root(const Digest& leaf, const wire::BatchAuthenticator& batch, Join&& join) {
    const unsigned apart = batch.leaves == leaves_ ? unsigned{batch.leaf} ^ leaf_ : 0;
    leaves_ = 0;  // nothing is known if `join` throws
    Digest node = leaf;
    std::span<const Digest> rest = batch.path();
    bool met = false;
    for_each_merkle_sibling(batch.leaf, batch.leaves, [&](std::uint64_t level, auto sibling) {
      if (met) return;
      const Digest& other = rest.front();
      rest = rest.subspan(1);
      // The last way to have passed the node beside this one.
      met = apart >> level == 1 && is_known(node, other, rest);
      passed_[rest.size()] = {node, other};
      if (!met) node = sibling % 2 == 0 ? join(other, node) : join(node, other);
    });
    if (!met) root_ = node;
    leaf_ = batch.leaf;
    leaves_ = batch.leaves;
    return root_;
  }

 private:
  /// A node on the way, and the one beside it.
  struct Passed {
    Digest node;
    Digest other;
  };

  /// Whether the last way came by the other one of these two, and went on beside `rest`.
  bool is_known(const Digest& node, const Digest& other, std::span<const Digest> rest) const {
    const Passed& last = passed_[rest.size()];
    return last.node == other && last.other == node &&
           std::equal(rest.rbegin(), rest.rend(), passed_.begin(),
                      [](const Digest& beside, const Passed& above) {
                        return beside == above.other;
                      });
  }

  std::uint16_t leaf_ = 0;
  std::uint16_t leaves_ = 0;
  Digest root_;
  /// By how many there are above, so that ways that meet agree on the places.
  std::array<Passed, wire::BatchAuthenticator::max_path> passed_;
};

/// Hashes for one thread, with a way of each client, or of a few that share it.
template <class Hasher>
class BatchRoots {
 public:
  Digest root_of(ByteView cluster, const RequestRef& request,
                 const wire::BatchAuthenticator& batch) {
    const Digest leaf = wire::batch_leaf(hasher_, cluster, request);
    return ways_[request.client.value % ways_.size()].root(
        leaf, batch, [this](const Digest& left, const Digest& right) {
          return wire::batch_node(hasher_, left, right);
        });
  }

 private:
  Hasher hasher_;
  std::array<BatchWay, 16> ways_;
};

}  // namespace mirbft

#endif

// A Merkle tree that hashes anew only what lies above changed leaves, and the paths to its root.
#ifndef MIRBFT_TYPES_MERKLE_TREE_HPP
#define MIRBFT_TYPES_MERKLE_TREE_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <mirbft/types/digest.hpp>

namespace mirbft {

/// An inner node that is to be hashed: `index` counts from the left, `level` from the leaves, which
/// are level 0.
struct MerkleInner {
  std::uint64_t level = 0;
  std::uint64_t index = 0;
  Digest left;
  Digest right;
};

/// Calls `pass(level, index)` for each node beside the way from a leaf to the root, from
/// below. Where the way has none beside it, it goes up as it is.
template <class Pass>
constexpr void for_each_merkle_sibling(std::uint64_t leaf, std::uint64_t leaves, Pass&& pass) {
  for (std::uint64_t level = 0; leaves > 1; ++level, leaf /= 2, leaves -= leaves / 2)
    if ((leaf ^ 1) < leaves) pass(level, leaf ^ 1);
}

/// How many nodes stand beside the way from a leaf to the root.
constexpr std::size_t merkle_path_length(std::uint64_t leaf, std::uint64_t leaves) {
  std::size_t length = 0;
  for_each_merkle_sibling(leaf, leaves, [&](auto, auto) { ++length; });
  return length;
}

/// The root of a tree of which one leaf is known, and its path: the nodes beside the way to the
/// root, from below, as many as `merkle_path_length` says. `join(left, right)` is their parent.
template <class Join>
Digest merkle_root(const Digest& digest, std::uint64_t leaf, std::uint64_t leaves,
                   std::span<const Digest> path, Join&& join) {
  Digest node = digest;
  for_each_merkle_sibling(leaf, leaves, [&](auto, std::uint64_t sibling) {
    const Digest& other = path.front();
    node = sibling % 2 == 0 ? join(other, node) : join(node, other);
    path = path.subspan(1);
  });
  return node;
}

/// The tree of RFC 6962, section 2.1: a last node without a sibling goes up as it is. Hashes
/// nothing itself: `rise` asks for the inner nodes of one level at a time, lowest first, and
/// `hashed` takes the answers in any order.
class MerkleTree {
 public:
  std::uint64_t size() const noexcept { return levels_.front().size(); }
  const std::vector<Digest>& leaves() const noexcept { return levels_.front(); }

  /// New leaves must be set. Not while answers are awaited.
  void resize(std::uint64_t size) {
    if (size < this->size() && size != 0) stale_.push_back(size - 1);
    levels_.front().resize(size);
  }
  void set(std::uint64_t leaf, const Digest& digest) {
    levels_.front()[leaf] = digest;
    stale_.push_back(leaf);
  }

  /// Once all leaves are set, and again whenever `hashed` returns true: what to hash next. When
  /// there is nothing, `root` holds.
  std::vector<MerkleInner> rise() {
    std::vector<MerkleInner> due;
    for (; due.empty() && levels_[level_].size() > 1; ++level_) climb(due);
    awaited_ = due.size();
    if (due.empty()) {
      levels_.resize(level_ + 1);
      level_ = 0;
      stale_.clear();
    }
    return due;
  }
  /// Returns whether this was the last answer to `rise`.
  bool hashed(std::uint64_t level, std::uint64_t index, const Digest& digest) {
    levels_[level][index] = digest;
    return --awaited_ == 0;
  }
  /// Of no leaves, the digest of zeros; of one, the leaf.
  Digest root() const { return levels_.back().empty() ? Digest{} : levels_.back().front(); }
  /// The nodes beside the way from a leaf to the root, from below, once that one holds.
  std::vector<Digest> path(std::uint64_t leaf) const {
    std::vector<Digest> nodes;
    nodes.reserve(levels_.size());
    for_each_merkle_sibling(leaf, size(), [&](std::uint64_t level, std::uint64_t sibling) {
      nodes.push_back(levels_[level][sibling]);
    });
    return nodes;
  }

 private:
  /// Makes `stale_` the places on the level above that are affected: passes on those that have no
  /// sibling, and adds the others to `due`.
  void climb(std::vector<MerkleInner>& due) {
    if (levels_.size() == level_ + 1) levels_.emplace_back();
    const std::vector<Digest>& below = levels_[level_];
    std::vector<Digest>& above = levels_[level_ + 1];
    above.resize((below.size() + 1) / 2);
    std::sort(stale_.begin(), stale_.end());
    std::vector<std::uint64_t> parents;
    for (const std::uint64_t place : stale_) {
      const std::uint64_t parent = place / 2;
      if (place >= below.size() || (!parents.empty() && parents.back() == parent)) continue;
      parents.push_back(parent);
      if (2 * parent + 1 < below.size()) {
        due.push_back({level_ + 1, parent, below[2 * parent], below[2 * parent + 1]});
      } else {
        above[parent] = below[2 * parent];
      }
    }
    stale_ = std::move(parents);
  }

  std::vector<std::vector<Digest>> levels_{1};
  /// Changed places on level `level_`, whose parents are not asked for yet.
  std::vector<std::uint64_t> stale_;
  std::size_t level_ = 0;
  std::size_t awaited_ = 0;
};

}  // namespace mirbft

#endif

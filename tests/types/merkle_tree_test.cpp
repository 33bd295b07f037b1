// A tree that is updated is the one that is built anew, only paths to what changed are hashed, and
// a leaf and its path give the root.
#include <mirbft/types/merkle_tree.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "../support/iss_values.hpp"

namespace mirbft::merkle_tree_test {
namespace {

Digest inner(const Digest& left, const Digest& right) {
  std::vector<std::uint8_t> both(left.bytes.begin(), left.bytes.end());
  both.insert(both.end(), right.bytes.begin(), right.bytes.end());
  return testing::digest_of_bytes(both);
}
Digest leaf(std::uint64_t number) {
  return testing::digest_of_bytes(Bytes(std::to_string(number)).view());
}
/// MTH of RFC 6962, section 2.1, as it stands there.
Digest reference(const std::vector<Digest>& leaves, std::size_t first, std::size_t count) {
  if (count == 0) return {};
  if (count == 1) return leaves[first];
  std::size_t left = 1;
  while (2 * left < count) left *= 2;
  return inner(reference(leaves, first, left), reference(leaves, first + left, count - left));
}
/// Answers everything that the tree asks; returns how many nodes that were.
std::size_t finish(MerkleTree& tree, std::mt19937_64& random) {
  std::size_t hashed = 0;
  for (;;) {
    auto due = tree.rise();
    if (due.empty()) return hashed;
    hashed += due.size();
    std::shuffle(due.begin(), due.end(), random);
    for (std::size_t i = 0; i < due.size(); ++i) {
      const bool last = tree.hashed(due[i].level, due[i].index, inner(due[i].left, due[i].right));
      CHECK(last == (i + 1 == due.size()));
    }
  }
}
std::size_t height(std::size_t leaves) {
  std::size_t levels = 0;
  while ((std::size_t{1} << levels) < leaves) ++levels;
  return levels;
}

}  // namespace

TEST_CASE("a Merkle tree has the root that RFC 6962 says") {
  std::mt19937_64 random(1);
  for (std::size_t size = 0; size < 70; ++size) {
    CAPTURE(size);
    MerkleTree tree;
    tree.resize(size);
    for (std::size_t i = 0; i < size; ++i) tree.set(i, leaf(i));
    CHECK(finish(tree, random) == (size == 0 ? 0 : size - 1));
    CHECK(tree.root() == reference(tree.leaves(), 0, size));
  }
}

TEST_CASE("under any changes, the root is that of a tree that is built anew") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    MerkleTree tree;
    std::vector<Digest> leaves;
    for (int round = 0; round < 100; ++round) {
      CAPTURE(round);
      const std::size_t before = leaves.size();
      if (random() % 3 == 0) leaves.resize(random() % 40);
      std::size_t changed = before > leaves.size() ? 1 : 0;
      tree.resize(leaves.size());
      for (std::size_t i = 0; i < leaves.size(); ++i) {
        if (i < before && random() % 10 != 0) continue;
        leaves[i] = leaf(random());
        tree.set(i, leaves[i]);
        ++changed;
      }
      CHECK(finish(tree, random) <= changed * height(leaves.size()));
      CHECK(tree.size() == leaves.size());
      CHECK(tree.root() == reference(leaves, 0, leaves.size()));
    }
  }
}

TEST_CASE("one changed leaf of many costs one path") {
  std::mt19937_64 random(1);
  MerkleTree tree;
  tree.resize(10'000);
  for (std::size_t i = 0; i < 10'000; ++i) tree.set(i, leaf(i));
  finish(tree, random);
  const Digest before = tree.root();
  tree.set(7777, leaf(1));
  CHECK(finish(tree, random) == height(10'000));
  CHECK(tree.root() != before);
  CHECK(finish(tree, random) == 0);
}

TEST_CASE("a leaf and its path give the root, and no other leaf or place does") {
  std::mt19937_64 random(1);
  for (std::size_t size = 1; size < 70; ++size) {
    CAPTURE(size);
    MerkleTree tree;
    tree.resize(size);
    for (std::size_t i = 0; i < size; ++i) tree.set(i, leaf(i));
    finish(tree, random);
    for (std::size_t i = 0; i < size; ++i) {
      CAPTURE(i);
      const std::vector<Digest> path = tree.path(i);
      CHECK(path.size() == merkle_path_length(i, size));
      CHECK(path.size() <= height(size));
      CHECK(merkle_root(leaf(i), i, size, path, inner) == tree.root());
      CHECK(merkle_root(leaf(size), i, size, path, inner) != tree.root());
      for (std::size_t other = 0; other < size; ++other) {
        if (other == i || merkle_path_length(other, size) != path.size()) continue;
        CHECK(merkle_root(leaf(i), other, size, path, inner) != tree.root());
      }
    }
  }
}

TEST_CASE("the longest path of a tree") {
  CHECK(merkle_path_length(0, 0) == 0);
  CHECK(merkle_path_length(0, 1) == 0);
  CHECK(merkle_path_length(0, 2) == 1);
  CHECK(merkle_path_length(2, 3) == 1);
  CHECK(merkle_path_length(1023, 1024) == 10);
  CHECK(merkle_path_length(1024, 1025) == 1);
  CHECK(merkle_path_length(0, ~std::uint64_t{0}) == 64);
}

}  // namespace mirbft::merkle_tree_test

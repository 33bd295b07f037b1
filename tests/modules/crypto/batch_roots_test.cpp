// What is remembered of the last way saves hashes and changes no root.
#include <mirbft/modules/crypto/batch_roots.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "../../support/iss_values.hpp"

namespace mirbft::batch_roots_test {

namespace {

Digest join(const Digest& left, const Digest& right) {
  std::vector<std::uint8_t> both(left.bytes.begin(), left.bytes.end());
  both.insert(both.end(), right.bytes.begin(), right.bytes.end());
  return mirbft::testing::digest_of_bytes(both);
}

/// A batch of requests, with the proof of each.
struct Tree {
  MerkleTree tree;

  Tree(std::size_t size, const std::string& name) {
    tree.resize(size);
    for (std::size_t i = 0; i < size; ++i)
      tree.set(i, mirbft::testing::digest_of_bytes(Bytes(name + std::to_string(i)).view()));
    for (auto due = tree.rise(); !due.empty(); due = tree.rise())
      for (const MerkleInner& node : due)
        tree.hashed(node.level, node.index, join(node.left, node.right));
  }
  const Digest& leaf(std::size_t place) const { return tree.leaves()[place]; }
  wire::BatchAuthenticator proof(std::size_t place) const {
    wire::BatchAuthenticator made;
    made.leaf = static_cast<std::uint16_t>(place);
    made.leaves = static_cast<std::uint16_t>(tree.size());
    std::ranges::copy(tree.path(place), made.nodes.begin());
    return made;
  }
};

std::size_t joins_of(BatchWay& way, const Tree& tree, std::size_t place) {
  std::size_t joins = 0;
  const Digest root = way.root(tree.leaf(place), tree.proof(place), [&](auto& left, auto& right) {
    ++joins;
    return join(left, right);
  });
  CHECK(root == tree.tree.root());
  return joins;
}

}  // namespace

TEST_CASE("requests in their order cost one inner node each, or less") {
  for (const std::size_t size : std::vector<std::size_t>{2, 3, 5, 64, 100, 1000, 1024}) {
    CAPTURE(size);
    const Tree tree(size, "a");
    BatchWay way;
    std::size_t joins = 0;
    for (std::size_t place = 0; place < size; ++place) joins += joins_of(way, tree, place);
    CHECK(joins < size + merkle_path_length(0, size));
    CHECK(joins_of(way, tree, size - 1) == merkle_path_length(size - 1, size));
  }
}

TEST_CASE("whatever came before, a root is that of the leaf and its path") {
  std::mt19937_64 random(1);
  std::vector<Tree> trees;
  for (const std::size_t size : std::vector<std::size_t>{2, 3, 6, 7, 8, 8, 13, 16, 33})
    trees.emplace_back(size, std::to_string(trees.size()));
  BatchWay way;
  std::size_t place = 0;
  std::size_t tree_number = 0;
  for (int step = 0; step < 200'000; ++step) {
    if (random() % 8 == 0) tree_number = random() % trees.size();
    const Tree& tree = trees[tree_number];
    place = (random() % 4 == 0 ? random() : place + 1) % tree.tree.size();
    Digest leaf = tree.leaf(place);
    wire::BatchAuthenticator proof = tree.proof(place);
    const std::size_t length = proof.path().size();
    switch (random() % 8) {
      case 0: proof.nodes[random() % length].bytes[random() % 32] ^= 1; break;
      case 1: std::swap(proof.nodes[random() % length], proof.nodes[random() % length]); break;
      case 2: std::swap(leaf, proof.nodes[0]); break;
      case 3: leaf = tree.leaf(random() % tree.tree.size()); break;
      default: break;
    }
    REQUIRE(way.root(leaf, proof, join) ==
            merkle_root(leaf, proof.leaf, proof.leaves, proof.path(), join));
  }
}

TEST_CASE("a way that broke off is not remembered") {
  const Tree tree(8, "a"), other(8, "b");
  BatchWay way;
  joins_of(way, tree, 0);
  int left = 1;
  const auto failing = [&](const Digest& one, const Digest& two) {
    return left-- > 0 ? join(one, two) : throw std::runtime_error("out of order");
  };
  CHECK_THROWS_AS(way.root(other.leaf(2), other.proof(2), failing), std::runtime_error);
  // What it would be if the nodes passed until then were taken for a part of the first way.
  wire::BatchAuthenticator mixed = other.proof(3);
  mixed.leaf = 1;
  mixed.nodes[2] = tree.proof(0).nodes[2];
  CHECK(way.root(other.leaf(3), mixed, join) ==
        merkle_root(other.leaf(3), 1, 8, mixed.path(), join));
}

}  // namespace mirbft::batch_roots_test

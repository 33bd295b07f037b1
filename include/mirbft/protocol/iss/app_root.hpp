// The Merkle root of the App's state from epoch to epoch.
#ifndef MIRBFT_PROTOCOL_ISS_APP_ROOT_HPP
#define MIRBFT_PROTOCOL_ISS_APP_ROOT_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <mirbft/events/hasher.hpp>
#include <mirbft/protocol/iss/chunk_table.hpp>
#include <mirbft/protocol/iss/events.hpp>
#include <mirbft/protocol/iss/state_chunks.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/merkle_tree.hpp>

namespace mirbft::iss {

/// Each epoch's root is that of the one before, with what has changed hashed anew.
class AppRoot {
 public:
  using consumes = events<HashResult<TreeHash>>;
  using emits = events<HashRequest<TreeHash>>;

  /// The next epoch does not follow on the last one: its root is computed from all chunks.
  void clear() { *this = {}; }

  /// Begins with an epoch, when the last one is done. All of its chunks are in `chunks`, and these
  /// have changed. Returns whether it is done at once. Throws ModuleFailure.
  bool begin(Epoch epoch, std::uint64_t count, const std::vector<std::uint64_t>& changed,
             const ChunkTable& chunks, auto& env) {
    epoch_ = epoch;
    const std::uint64_t before = tree_.size();
    for (std::uint64_t index = count; index < before; ++index) length_ -= sizes_[index];
    tree_.resize(count);
    sizes_.resize(count);
    for (const std::uint64_t index : changed)
      if (index < before) set(index, chunks);
    for (std::uint64_t index = before; index < count; ++index) set(index, chunks);
    return rise(env);
  }
  /// Returns whether the root is there.
  bool process(const HashResult<TreeHash>& hashed, auto& env) {
    const auto& [epoch, level, index] = hashed.origin;
    return epoch == epoch_ && tree_.hashed(level, index, hashed.digest) && rise(env);
  }

  const MerkleTree& tree() const noexcept { return tree_; }
  /// Of all chunks together, in bytes.
  std::uint64_t length() const noexcept { return length_; }

 private:
  void set(std::uint64_t index, const ChunkTable& chunks) {
    const ChunkEntry* chunk = chunks.find(*epoch_, index);
    if (!chunk)
      throw ModuleFailure("the App has not handed out chunk " + std::to_string(index) +
                          " of its state");
    length_ += chunk->data.size() - sizes_[index];
    sizes_[index] = chunk->data.size();
    tree_.set(index, chunk->digest);
  }
  bool rise(auto& env) {
    const std::vector<MerkleInner> due = tree_.rise();
    for (const MerkleInner& inner : due)
      env.emit(HashRequest<TreeHash>{{inner_content(env.cluster().name().view(), inner)},
                                     {*epoch_, inner.level, inner.index}});
    return due.empty();
  }

  MerkleTree tree_;
  std::vector<std::uint64_t> sizes_;
  std::uint64_t length_ = 0;
  std::optional<Epoch> epoch_;
};

}  // namespace mirbft::iss

#endif

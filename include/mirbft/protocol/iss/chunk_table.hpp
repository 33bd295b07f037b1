// The chunks of the App's state as they stood at the checkpoints that are kept, and in the log.
#ifndef MIRBFT_PROTOCOL_ISS_CHUNK_TABLE_HPP
#define MIRBFT_PROTOCOL_ISS_CHUNK_TABLE_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include <mirbft/events/wal.hpp>
#include <mirbft/protocol/iss/events.hpp>

namespace mirbft::iss {

inline WalAppend<ChunkEntry> written_ahead(ChunkEntry entry) {
  const RetentionIndex retention(entry.kept.value);
  return {std::move(entry), retention};
}

/// Versions of chunks. A version is of the epoch at whose end the chunk had first this content; at
/// the end of a later epoch a chunk is what its latest version by then is.
///
/// The write-ahead log holds the same versions, as `ChunkEntry`, in any order. That of an unchanged
/// chunk must outlive truncations, so it is written again before one can reach it. What this rests
/// on: when the checkpoint of an epoch is written ahead, each of its chunks is in the log before
/// it, with a retention index of that epoch or later. An entry is kept the longer the longer its
/// chunk has not changed, so that few are written again, and for a bounded time, as the log can
/// drop no more than its oldest part.
class ChunkTable {
 public:
  static constexpr std::uint64_t shortest_life = 8;
  static constexpr std::uint64_t longest_life = 128;

  /// What is written ahead for a chunk that has changed in `epoch`.
  static ChunkEntry changed(Epoch epoch, std::uint64_t index, const Digest& digest, Bytes data) {
    return {epoch, index, kept_until(epoch, index, epoch), digest, std::move(data)};
  }

  /// Takes a version in. False if it is here.
  bool put(ChunkEntry entry) {
    std::vector<ChunkEntry>& versions = chunks_[entry.index];
    auto place = std::partition_point(versions.begin(), versions.end(),
                                      [&](const auto& one) { return one.epoch < entry.epoch; });
    const bool is_here = place != versions.end() && place->epoch == entry.epoch;
    if (is_here && place->digest == entry.digest && place->kept >= entry.kept) return false;
    due_.emplace(entry.kept, entry.index);
    touched_.emplace(entry.epoch, entry.index);
    if (is_here) {
      *place = std::move(entry);
    } else {
      versions.insert(place, std::move(entry));
    }
    return true;
  }

  /// The chunk at the end of `epoch`; null if it is not known.
  const ChunkEntry* find(Epoch epoch, std::uint64_t index) const {
    const auto chunk = chunks_.find(index);
    if (chunk == chunks_.end()) return nullptr;
    const auto& versions = chunk->second;
    const auto next = std::partition_point(versions.begin(), versions.end(),
                                           [&](const auto& one) { return one.epoch <= epoch; });
    return next == versions.begin() ? nullptr : &*std::prev(next);
  }

  /// The checkpoint of `epoch`, with so many chunks, is about to be written ahead: those chunks
  /// that must be written again before it.
  std::vector<ChunkEntry> renew(Epoch epoch, std::uint64_t count) {
    std::vector<ChunkEntry> renewed;
    while (!due_.empty() && due_.begin()->first < epoch) {
      const std::uint64_t index = due_.extract(due_.begin()).value().second;
      const ChunkEntry* chunk = index < count ? find(epoch, index) : nullptr;
      if (!chunk || chunk->kept >= epoch) continue;
      ChunkEntry entry = *chunk;
      entry.kept = kept_until(epoch, index, entry.epoch);
      put(entry);
      renewed.push_back(std::move(entry));
    }
    return renewed;
  }

  /// No checkpoint before that of `epoch` is of use, and that one has so many chunks.
  void forget_before(Epoch epoch, std::uint64_t count) {
    for (auto gone = chunks_.lower_bound(count); gone != chunks_.end();) {
      std::erase_if(gone->second, [&](const auto& one) { return one.epoch <= epoch; });
      gone = gone->second.empty() ? chunks_.erase(gone) : std::next(gone);
    }
    while (!touched_.empty() && touched_.begin()->first <= epoch) {
      const auto chunk = chunks_.find(touched_.extract(touched_.begin()).value().second);
      if (chunk == chunks_.end()) continue;
      auto& versions = chunk->second;
      const auto next = std::partition_point(versions.begin(), versions.end(),
                                             [&](const auto& one) { return one.epoch <= epoch; });
      if (next != versions.begin()) versions.erase(versions.begin(), std::prev(next));
    }
  }

  /// How many versions there are.
  std::size_t size() const noexcept {
    std::size_t sum = 0;
    for (const auto& [index, versions] : chunks_) sum += versions.size();
    return sum;
  }

 private:
  /// Chunks that are written together are not all written again together.
  static Epoch kept_until(Epoch now, std::uint64_t index, Epoch changed) {
    const std::uint64_t life =
        std::clamp(now.value - changed.value, shortest_life, longest_life);
    return now + life + index % life;
  }

  /// By number; versions by ascending epoch.
  std::map<std::uint64_t, std::vector<ChunkEntry>> chunks_;
  /// Until when the log keeps versions; of some, also until when it would have.
  std::set<std::pair<Epoch, std::uint64_t>> due_;
  /// Which chunks have versions of which epochs that are not looked through yet.
  std::set<std::pair<Epoch, std::uint64_t>> touched_;
};

/// A state that was fetched from others, and its App's chunks, all of that epoch.
struct FetchedState {
  InstalledEntry entry;
  std::vector<ChunkEntry> chunks;
};

}  // namespace mirbft::iss

#endif

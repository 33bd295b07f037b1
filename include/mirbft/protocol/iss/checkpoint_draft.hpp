// A checkpoint that this replica is making: its parts come one by one from the App and the Hasher.
#ifndef MIRBFT_PROTOCOL_ISS_CHECKPOINT_DRAFT_HPP
#define MIRBFT_PROTOCOL_ISS_CHECKPOINT_DRAFT_HPP

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <mirbft/events/app.hpp>
#include <mirbft/protocol/iss/events.hpp>
#include <mirbft/protocol/iss/state_chunks.hpp>

namespace mirbft::iss {

/// The end of an epoch on its way to a header.
class CheckpointDraft {
 public:
  /// `state` is what there is without the parts of App and clients; `log` are the digests of the
  /// epoch.
  CheckpointDraft(Epoch epoch, SeqNr last, std::vector<Digest> log,
                  std::vector<ClientWindow> windows, CheckpointState state)
      : log_(std::move(log)), windows_(std::move(windows)), state_(std::move(state)) {
    header_.epoch = epoch;
    header_.last = last;
  }

  SeqNr last() const noexcept { return header_.last; }
  const std::vector<Digest>& log() const noexcept { return log_; }

  // The App's part.

  /// A piece of what has changed; its chunks are to be hashed.
  void snapshot(const AppSnapshot& piece) {
    state_.app_chunks = piece.chunks;
    for (const AppChunk& chunk : piece.changed) {
      changed_.push_back(chunk.index);
      unhashed_.emplace(chunk.index, chunk.data);
    }
    app_is_here_ = piece.remaining == 0;
  }
  /// The keys that were asked for: of nodes in this epoch, in the `key_changes`-th such epoch so
  /// far, and of clients until now. The clients' part is there then, and to be hashed.
  void keys(std::vector<NodeKey> nodes, std::uint64_t key_changes,
            std::vector<ClientKeyChange> clients) {
    header_.node_keys = std::move(nodes);
    header_.key_changes = key_changes;
    state_.clients.data = encoded(std::move(windows_), std::move(clients));
    missing_clients_ = chunks_of(state_.clients.data.size());
    state_.clients.digests.resize(missing_clients_);
  }
  /// One chunk's hash is there. Returns the chunk.
  Bytes app_chunk(std::uint64_t index) { return unhashed_.extract(index).mapped(); }
  bool app_is_hashed() const noexcept { return app_is_here_ && unhashed_.empty(); }
  /// The chunks that have changed.
  const std::vector<std::uint64_t>& changed() const noexcept { return changed_; }
  void app_length(std::uint64_t length) noexcept { header_.app_length = length; }

  /// One chunk's hash of the clients' part is there. Returns whether it is the last one.
  bool clients_chunk(std::uint64_t index, const Digest& digest) {
    state_.clients.digests[index] = digest;
    return --missing_clients_ == 0;
  }

  /// One part's hash is there. Returns the header when it is the last one.
  std::optional<CheckpointHeader> part(CheckpointPart part, const Digest& digest) {
    if (is_complete()) return std::nullopt;
    switch (part) {
      case CheckpointPart::log: header_.log = digest; break;
      case CheckpointPart::app_state: header_.app_state = digest; break;
      case CheckpointPart::clients: header_.clients = digest; break;
      case CheckpointPart::policy: header_.policy = digest; break;
      case CheckpointPart::membership: header_.membership = digest; break;
      case CheckpointPart::parameters: header_.parameters = digest; break;
    }
    parts_ |= 1u << static_cast<std::uint32_t>(part);
    if (!is_complete()) return std::nullopt;
    return header_;
  }

  const CheckpointState& state() const noexcept { return state_; }

 private:
  bool is_complete() const noexcept { return parts_ + 1 == 1u << checkpoint_parts; }

  CheckpointHeader header_;
  std::vector<Digest> log_;
  /// Until the keys are known that go with them.
  std::vector<ClientWindow> windows_;
  CheckpointState state_;
  std::uint64_t missing_clients_ = 0;
  bool app_is_here_ = false;
  std::vector<std::uint64_t> changed_;
  std::map<std::uint64_t, Bytes> unhashed_;
  /// A bit for each part that is there.
  std::uint32_t parts_ = 0;
};

}  // namespace mirbft::iss

#endif

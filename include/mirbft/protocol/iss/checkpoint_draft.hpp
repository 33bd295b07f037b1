// A checkpoint that this replica is making: its parts come one by one from the App and the Hasher.
#ifndef MIRBFT_PROTOCOL_ISS_CHECKPOINT_DRAFT_HPP
#define MIRBFT_PROTOCOL_ISS_CHECKPOINT_DRAFT_HPP

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

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

  void snapshot(Bytes data) {
    header_.app_length = data.size();
    state_.app.data = std::move(data);
    make_room(CheckpointPart::app_state);
  }

  /// The keys that were asked for: of nodes in this epoch, in the `key_changes`-th such epoch so
  /// far, and of clients until now.
  void keys(std::vector<NodeKey> nodes, std::uint64_t key_changes,
            std::vector<ClientKeyChange> clients) {
    header_.node_keys = std::move(nodes);
    header_.key_changes = key_changes;
    state_.clients.data = encoded(std::move(windows_), std::move(clients));
    make_room(CheckpointPart::clients);
  }

  /// One of the two parts that are chunked.
  const ChunkedBytes& chunked(CheckpointPart part) const noexcept {
    return part == CheckpointPart::clients ? state_.clients : state_.app;
  }
  /// One chunk's hash is there. Returns whether it is the last one of its part.
  bool chunk(CheckpointPart part, std::uint64_t index, const Digest& digest) {
    mutable_chunked(part).digests[index] = digest;
    return --missing(part) == 0;
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
  ChunkedBytes& mutable_chunked(CheckpointPart part) noexcept {
    return part == CheckpointPart::clients ? state_.clients : state_.app;
  }
  std::uint64_t& missing(CheckpointPart part) noexcept {
    return part == CheckpointPart::clients ? missing_clients_ : missing_app_;
  }
  void make_room(CheckpointPart part) {
    ChunkedBytes& bytes = mutable_chunked(part);
    missing(part) = chunks_of(bytes.data.size());
    bytes.digests.resize(missing(part));
  }

  CheckpointHeader header_;
  std::vector<Digest> log_;
  /// Until the keys are known that go with them.
  std::vector<ClientWindow> windows_;
  CheckpointState state_;
  std::uint64_t missing_clients_ = 0;
  std::uint64_t missing_app_ = 0;
  /// A bit for each part that is there.
  std::uint32_t parts_ = 0;
};

}  // namespace mirbft::iss

#endif

// Checkpoints on their way to stability: own headers, others' votes, certificates.
#ifndef MIRBFT_PROTOCOL_ISS_CHECKPOINTS_HPP
#define MIRBFT_PROTOCOL_ISS_CHECKPOINTS_HPP

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <mirbft/protocol/iss/cluster.hpp>
#include <mirbft/protocol/iss/events.hpp>
#include <mirbft/types/client_window.hpp>
#include <mirbft/types/signature_check.hpp>

namespace mirbft::iss {

/// What is known of one epoch's checkpoint.
class Checkpoint {
 public:
  /// The end of the epoch: what its header is computed from.
  void begin(Epoch epoch, SeqNr last, std::vector<ClientWindow> windows) {
    own_.epoch = epoch;
    own_.last = last;
    for (ClientWindow& window : windows) window.delivered = {};
    windows_ = std::move(windows);
  }
  const std::vector<ClientWindow>& windows() const noexcept { return windows_; }
  SeqNr last() const noexcept { return own_.last; }

  void app_length(std::uint64_t length) noexcept { own_.app_length = length; }
  /// One part's hash is there. Returns the header when it is the last one.
  std::optional<CheckpointHeader> part(CheckpointPart part, const Digest& digest) {
    switch (part) {
      case CheckpointPart::log: own_.log = digest; break;
      case CheckpointPart::app_state: own_.app_state = digest; break;
      case CheckpointPart::clients: own_.clients = digest; break;
      case CheckpointPart::policy: own_.policy = digest; break;
      case CheckpointPart::membership: own_.membership = digest; break;
      case CheckpointPart::parameters: own_.parameters = digest; break;
    }
    if (++parts_ != checkpoint_parts) return std::nullopt;
    return own_;
  }
  std::optional<CheckpointHeader> own() const {
    return parts_ == checkpoint_parts ? std::optional(own_) : std::nullopt;
  }

  /// Keeps a member's vote. False when there is one already.
  bool keep(std::size_t member, CheckpointVote vote, bool trusted, std::size_t members) {
    votes_.resize(members);
    if (votes_[member]) return false;
    votes_[member] = Kept{std::move(vote), trusted, false};
    return true;
  }

  /// The members whose votes for `header` must be checked, now that they could make a quorum.
  std::vector<std::size_t> to_check(const CheckpointHeader& header, std::size_t quorum) {
    std::vector<std::size_t> unchecked;
    std::size_t matching = 0;
    for (std::size_t i = 0; i < votes_.size(); ++i) {
      if (!votes_[i] || votes_[i]->vote.header != header) continue;
      ++matching;
      if (!votes_[i]->valid && !votes_[i]->checking) unchecked.push_back(i);
    }
    if (matching < quorum) return {};
    for (const std::size_t i : unchecked) votes_[i]->checking = true;
    return unchecked;
  }
  const Bytes& signature(std::size_t member) const { return votes_[member]->vote.signature; }

  void checked(std::size_t member, bool valid) {
    if (valid) {
      votes_[member]->valid = true;
    } else {
      votes_[member].reset();
    }
  }

  struct Certified {
    CheckpointHeader header;
    std::vector<CheckpointSignature> certificate;
  };
  /// The header that a strong quorum has validly signed, once there is one. It need not be the own.
  std::optional<Certified> certified(const Cluster& cluster) const {
    for (const auto& candidate : votes_) {
      if (!candidate || !candidate->valid) continue;
      Certified made{candidate->vote.header, {}};
      for (std::size_t i = 0; i < votes_.size(); ++i)
        if (votes_[i] && votes_[i]->valid && votes_[i]->vote.header == made.header)
          made.certificate.push_back({cluster.members()[i], votes_[i]->vote.signature});
      if (made.certificate.size() >= cluster.quorum().strong()) return made;
    }
    return std::nullopt;
  }

 private:
  struct Kept {
    CheckpointVote vote;
    bool valid = false;
    bool checking = false;
  };

  CheckpointHeader own_;
  std::uint32_t parts_ = 0;
  std::vector<ClientWindow> windows_;
  std::vector<std::optional<Kept>> votes_;
};

}  // namespace mirbft::iss

#endif

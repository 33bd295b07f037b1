// One slot of a PBFT segment: the proposal, the votes for it, and what they have led to.
#ifndef MIRBFT_PROTOCOL_ORDERERS_PBFT_SLOT_HPP
#define MIRBFT_PROTOCOL_ORDERERS_PBFT_SLOT_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <mirbft/protocol/iss/slot_range.hpp>
#include <mirbft/protocol/orderers/pbft_messages.hpp>

namespace mirbft::pbft {

using iss::SlotRange;

/// A member's Prepare.
struct PrepareVote {
  enum class Opinion : std::uint8_t { unchecked, valid, forged };

  View view;
  Digest digest;
  Bytes signature;
  Opinion opinion = Opinion::unchecked;
};
/// A member's Commit.
struct CommitVote {
  View view;
  Digest digest;
};

/// What became of a vote: `contradicts` means another digest in the same view.
enum class Kept : std::uint8_t { news, known, contradicts };

/// Of each member the vote of its highest view: a correct member never goes back to a lower one.
template <class Vote>
class Votes {
 public:
  void make_room(std::size_t members) {
    if (votes_.empty()) votes_.resize(members);
  }
  void clear() { votes_ = {}; }

  Kept keep(std::size_t member, Vote vote) {
    auto& kept = votes_[member];
    if (kept && vote.view < kept->view) return Kept::known;
    if (kept && vote.view == kept->view)
      return vote.digest == kept->digest ? Kept::known : Kept::contradicts;
    kept = std::move(vote);
    return Kept::news;
  }
  /// The vote of a member if it is for `digest` in `view`.
  Vote* find(std::size_t member, View view, const Digest& digest) {
    if (member >= votes_.size() || !votes_[member]) return nullptr;
    Vote& vote = *votes_[member];
    return vote.view == view && vote.digest == digest ? &vote : nullptr;
  }
  std::size_t size() const noexcept { return votes_.size(); }

 private:
  std::vector<std::optional<Vote>> votes_;
};

/// What this replica knows of a slot.
struct Slot {
  /// How far it has come in the current view.
  enum class Stage : std::uint8_t {
    idle,
    checking,  // the proposal is being checked, its bodies may be missing
    fetching,  // the view's digest is known, its batch is not here
    voting,    // the own Prepare is being signed and written ahead
    voted,
    preparing,  // the certificate is being written ahead
    prepared,
  };

  Stage stage = Stage::idle;
  /// What is voted for in the current view.
  Digest digest;
  /// Signatures of Prepares are being checked.
  bool checking = false;
  Votes<PrepareVote> prepares;
  Votes<CommitVote> commits;

  /// The newest batch that is here, and its digest once that is computed.
  Batch batch;
  std::optional<Digest> batch_digest;
  Bytes leader_signature;

  // What this replica has said, durably; of each the newest.
  std::optional<PrepareVote> own_prepare;
  std::optional<CommitVote> own_commit;
  std::optional<Certificate> certificate;

  std::optional<Digest> decided;
  /// Votes of this view and below no longer matter.
  View decided_in;
  /// Whose Commits have decided it here. None if others have said what is decided, or the log:
  /// that may be the decision of any view.
  std::optional<View> committed_in;

  bool holds(const Digest& wanted) const noexcept {
    return wanted == nil_digest || batch_digest == wanted;
  }
  Batch batch_for(const Digest& wanted) const { return wanted == nil_digest ? Batch{} : batch; }
};

}  // namespace mirbft::pbft

#endif

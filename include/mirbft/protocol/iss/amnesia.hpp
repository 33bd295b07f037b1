// A replica whose durable records are gone: it learns, and does not vote until that is safe.
#ifndef MIRBFT_PROTOCOL_ISS_AMNESIA_HPP
#define MIRBFT_PROTOCOL_ISS_AMNESIA_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <mirbft/protocol/iss/config.hpp>
#include <mirbft/protocol/iss/events.hpp>
#include <mirbft/types/quorum.hpp>

namespace mirbft::iss {

/// How many epochs may begin before the checkpoint of an earlier one is stable: K.
inline constexpr std::uint64_t epochs_ahead = 2;

/// From which epoch on a replica may vote (protocol, section 9). One that has forgotten its votes
/// could vote a second time, for something else, in any epoch that it has ever been in. It was at
/// most K epochs past the newest stable checkpoint then, and a strong quorum shows where that is
/// at least by now; what it can have said is over once 2K more epochs are.
class Amnesia {
 public:
  Amnesia(Memory memory, std::size_t members)
      : has_forgotten_(memory == Memory::lost), claims_(members) {}

  /// In the order of the write-ahead log: amnesia outlasts a restart.
  void recover(const AmnesiaEntry& entry) {
    has_forgotten_ = true;
    if (entry.votes_from != Epoch(0)) votes_from_ = entry.votes_from;
  }
  /// What to write ahead when the replica begins.
  std::optional<AmnesiaEntry> begin() const {
    return has_forgotten_ && !votes_from_ ? std::optional(AmnesiaEntry{}) : std::nullopt;
  }

  bool may_vote_in(Epoch epoch) const noexcept {
    return !has_forgotten_ || (votes_from_ && epoch >= *votes_from_);
  }

  /// A member says how many epochs are stable for it, of which `proven` are certified here: it is
  /// believed no more than that. It says so again, with a certificate in between. Returns what is
  /// to be written ahead once that is settled.
  std::optional<AmnesiaEntry> heard(std::size_t member, std::uint64_t stable_epochs,
                                    std::uint64_t proven, Quorum quorum) {
    if (!has_forgotten_ || votes_from_ || stable_epochs > proven) return std::nullopt;
    claims_[member] = stable_epochs;
    std::size_t heard = 0;
    std::uint64_t highest = 0;
    for (const auto& claim : claims_) {
      heard += claim.has_value();
      highest = std::max(highest, claim.value_or(0));
    }
    if (heard < quorum.strong()) return std::nullopt;
    votes_from_ = Epoch(highest + 2 * epochs_ahead);
    return AmnesiaEntry{*votes_from_};
  }

 private:
  bool has_forgotten_;
  /// Unknown until a strong quorum has told where it stands.
  std::optional<Epoch> votes_from_;
  std::vector<std::optional<std::uint64_t>> claims_;
};

}  // namespace mirbft::iss

#endif

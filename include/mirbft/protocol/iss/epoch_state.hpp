// One epoch at one replica: its segments, what they decided, and who else is done.
#ifndef MIRBFT_PROTOCOL_ISS_EPOCH_STATE_HPP
#define MIRBFT_PROTOCOL_ISS_EPOCH_STATE_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <mirbft/protocol/iss/epoch_plan.hpp>
#include <mirbft/protocol/iss/messages.hpp>
#include <mirbft/types/quorum.hpp>

namespace mirbft::iss {

/// A decided slot.
struct Decision {
  Digest digest;
  Batch batch;
};

/// `Segment` is the orderer's.
template <class Segment>
class EpochState {
 public:
  EpochState(EpochPlan plan, std::size_t members)
      : plan_(std::move(plan)),
        decisions_(plan_.length()),
        open_(plan_.segments(), plan_.segment_length()),
        first_open_(plan_.segments()),
        members_(members),
        said_(plan_.segments()),
        done_(plan_.segments(), std::vector<bool>(members)) {
    segments_.reserve(plan_.segments());
    for (std::uint32_t index = 0; index < plan_.segments(); ++index)
      segments_.emplace_back(plan_, index, members);
  }

  const EpochPlan& plan() const noexcept { return plan_; }
  bool has(std::uint32_t segment) const noexcept { return segment < segments_.size(); }
  Segment& segment(std::uint32_t index) { return segments_[index]; }
  const Segment& segment(std::uint32_t index) const { return segments_[index]; }

  /// Notes a decision. Returns whether its segment is complete by that.
  bool decide(std::uint32_t segment, std::uint32_t slot, const Digest& digest, Batch batch) {
    auto& decision = at(segment, slot);
    if (decision) return false;
    decision = Decision{digest, std::move(batch)};
    return --open_[segment] == 0;
  }
  const std::optional<Decision>& decision(SeqNr sn) const { return decisions_[sn - plan_.first()]; }
  std::optional<Decision>& at(std::uint32_t segment, std::uint32_t slot) {
    return decisions_[segment + std::size_t{slot} * plan_.segments()];
  }
  bool is_complete(std::uint32_t segment) const noexcept { return open_[segment] == 0; }
  /// The first sequence number of a segment that is not decided; the epoch's end if all are.
  SeqNr first_open(std::uint32_t segment) {
    std::uint32_t& slot = first_open_[segment];
    while (slot < plan_.segment_length() && at(segment, slot)) ++slot;
    return slot < plan_.segment_length() ? plan_.sn_of(segment, slot) : plan_.end();
  }
  /// How many leaders have lost a slot.
  std::size_t suspected() {
    std::size_t count = 0;
    for (std::uint32_t segment = 0; segment < plan_.segments(); ++segment)
      count += std::ranges::any_of(digests(segment), [](auto& one) { return one == nil_digest; });
    return count;
  }

  std::vector<Digest> digests(std::uint32_t segment) {
    std::vector<Digest> all;
    for (std::uint32_t slot = 0; slot < plan_.segment_length(); ++slot)
      all.push_back(at(segment, slot)->digest);
    return all;
  }
  std::vector<Digest> digests() const {
    std::vector<Digest> all;
    all.reserve(decisions_.size());
    for (const auto& decision : decisions_) all.push_back(decision->digest);
    return all;
  }

  // What members say that they have decided.

  /// A member says so of one slot. False when it has said otherwise before.
  bool said(std::size_t member, std::uint32_t segment, std::uint32_t slot, const Digest& digest) {
    auto& all = said_[segment];
    if (all.empty()) all.resize(members_);
    if (all[member].empty()) all[member].resize(plan_.segment_length());
    auto& known = all[member][slot];
    if (!known) known = digest;
    return known == digest;
  }
  /// The members that have said anything of a segment.
  std::vector<std::size_t> speakers(std::uint32_t segment) const {
    std::vector<std::size_t> found;
    for (std::size_t member = 0; member < said_[segment].size(); ++member)
      if (!said_[segment][member].empty()) found.push_back(member);
    return found;
  }
  /// The digest that a weak quorum has decided for a slot, if one says so.
  std::optional<Digest> vouched(std::uint32_t segment, std::uint32_t slot, Quorum quorum) const {
    const auto& all = said_[segment];
    for (std::size_t member = 0; member < all.size(); ++member) {
      if (all[member].empty() || !all[member][slot]) continue;
      std::size_t same = 0;
      for (const auto& other : all) same += !other.empty() && other[slot] == all[member][slot];
      if (same >= quorum.weak()) return all[member][slot];
    }
    return std::nullopt;
  }
  /// A member has all of a segment durably.
  void done(std::size_t member, std::uint32_t segment) { done_[segment][member] = true; }
  bool is_done(std::size_t member, std::uint32_t segment) const {
    return done_[segment][member];
  }
  /// How many members have that, and have decided it as this replica has.
  std::size_t agreeing(std::uint32_t segment) {
    std::size_t count = 0;
    for (std::size_t member = 0; member < said_[segment].size(); ++member) {
      const auto& one = said_[segment][member];
      bool same = done_[segment][member];
      for (std::uint32_t slot = 0; same && slot < plan_.segment_length(); ++slot)
        same = one[slot] == at(segment, slot)->digest;
      count += same;
    }
    return count;
  }

 private:
  EpochPlan plan_;
  std::vector<Segment> segments_;
  std::vector<std::optional<Decision>> decisions_;
  /// Undecided slots by segment.
  std::vector<std::uint32_t> open_;
  /// No slot of a segment before this one is open.
  std::vector<std::uint32_t> first_open_;
  std::size_t members_;
  /// By segment, member and slot; empty where nobody has said anything.
  std::vector<std::vector<std::vector<std::optional<Digest>>>> said_;
  /// By segment and member.
  std::vector<std::vector<bool>> done_;
};

}  // namespace mirbft::iss

#endif

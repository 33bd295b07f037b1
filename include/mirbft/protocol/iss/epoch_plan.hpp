// Who leads what in an epoch: segments, their sequence numbers, and their buckets.
#ifndef MIRBFT_PROTOCOL_ISS_EPOCH_PLAN_HPP
#define MIRBFT_PROTOCOL_ISS_EPOCH_PLAN_HPP

#include <algorithm>
#include <cstdint>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/protocol/iss/config.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft {

/// One leader's share of an epoch (ISS, section 2.3).
struct SegmentId {
  Epoch epoch;
  std::uint32_t index = 0;

  friend auto operator<=>(const SegmentId&, const SegmentId&) = default;
};

/// What is decided for a slot that is given up: nothing. No hash has this value, so it stands for
/// itself; the slot is named beside it wherever it is signed.
inline constexpr Digest nil_digest{};

namespace iss {

inline constexpr std::uint32_t buckets_per_member = 16;

/// The finalizer of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): a bijection that spreads.
constexpr std::uint64_t mix(std::uint64_t value) noexcept {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ull;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebull;
  return value ^ (value >> 31);
}

/// The bucket of a request. The body is left out on purpose: two bodies under one number must not
/// land in two buckets. Numbers are mixed, or clients in lock-step would all hit one leader. A
/// cryptographic hash would resist a client no better, since it could compute that as well.
constexpr std::uint32_t bucket_of(ClientId client, ReqNo req_no, std::uint32_t buckets) noexcept {
  return static_cast<std::uint32_t>(
      mix(mix(client.value + 0x9e3779b97f4a7c15ull) + req_no.value) % buckets);
}

/// The layout of one epoch; the same at every correct replica.
class EpochPlan {
 public:
  /// `members` is sorted; `leaders` is a non-empty subset, sorted.
  EpochPlan(Epoch epoch, SeqNr first, const std::vector<NodeId>& members,
            std::vector<NodeId> leaders, const IssConfig& config)
      : epoch_(epoch), first_(first), leaders_(std::move(leaders)) {
    const auto count = static_cast<std::uint32_t>(leaders_.size());
    segment_length_ = std::clamp((config.epoch_length + count - 1) / count,
                                 config.min_segment_length, config.max_segment_length);
    assign_buckets(members);
  }

  Epoch epoch() const noexcept { return epoch_; }
  SeqNr first() const noexcept { return first_; }
  SeqNr end() const noexcept { return first_ + length(); }
  SeqNr last() const noexcept { return first_ + (length() - 1); }
  std::uint64_t length() const noexcept { return leaders_.size() * segment_length_; }
  std::uint32_t segments() const noexcept { return static_cast<std::uint32_t>(leaders_.size()); }
  std::uint32_t segment_length() const noexcept { return segment_length_; }
  NodeId leader(std::uint32_t segment) const noexcept { return leaders_[segment]; }
  const std::vector<NodeId>& leaders() const noexcept { return leaders_; }

  bool contains(SeqNr sn) const noexcept { return sn >= first_ && sn < end(); }
  std::uint32_t segment_of(SeqNr sn) const noexcept {
    return static_cast<std::uint32_t>((sn - first_) % leaders_.size());
  }
  /// Place of `sn` within its segment.
  std::uint32_t slot_of(SeqNr sn) const noexcept {
    return static_cast<std::uint32_t>((sn - first_) / leaders_.size());
  }
  SeqNr sn_of(std::uint32_t segment, std::uint32_t slot) const noexcept {
    return first_ + (segment + std::uint64_t{slot} * leaders_.size());
  }
  /// The segment whose leader may propose the requests of a bucket.
  std::uint32_t owner(std::uint32_t bucket) const noexcept { return owners_[bucket]; }
  std::uint32_t buckets() const noexcept { return static_cast<std::uint32_t>(owners_.size()); }

 private:
  /// Rotation runs over all members, so that every bucket comes to every leader within n epochs;
  /// the buckets of those who do not lead are dealt out among those who do.
  void assign_buckets(const std::vector<NodeId>& members) {
    const std::size_t n = members.size();
    owners_.resize(buckets_per_member * n);
    std::uint32_t dealt = 0;
    for (std::uint32_t bucket = 0; bucket < owners_.size(); ++bucket) {
      const NodeId member = members[(bucket + epoch_.value % n) % n];
      const auto leader = std::lower_bound(leaders_.begin(), leaders_.end(), member);
      const bool leads = leader != leaders_.end() && *leader == member;
      owners_[bucket] = leads ? static_cast<std::uint32_t>(leader - leaders_.begin())
                              : dealt++ % segments();
    }
  }

  Epoch epoch_;
  SeqNr first_;
  std::vector<NodeId> leaders_;
  std::uint32_t segment_length_ = 0;
  std::vector<std::uint32_t> owners_;
};

}  // namespace iss
}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::SegmentId, epoch, index);

#endif

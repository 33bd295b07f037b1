// When a leader fills its next slot.
#ifndef MIRBFT_PROTOCOL_ISS_PROPOSER_HPP
#define MIRBFT_PROTOCOL_ISS_PROPOSER_HPP

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include <mirbft/protocol/iss/buckets.hpp>
#include <mirbft/protocol/iss/config.hpp>
#include <mirbft/protocol/iss/epoch_plan.hpp>

namespace mirbft::iss {

/// This replica's own segment of the current epoch, if it leads one.
class Proposer {
 public:
  void begin_epoch(const EpochPlan& plan, NodeId self) {
    own_.reset();
    for (std::uint32_t segment = 0; segment < plan.segments(); ++segment)
      if (plan.leader(segment) == self) own_ = segment;
    next_ = in_flight_ = 0;
    highest_ = plan.first();
  }

  const std::optional<std::uint32_t>& own_segment() const noexcept { return own_; }
  bool leads(std::uint32_t segment) const noexcept { return own_ == segment; }
  std::uint64_t proposed() const noexcept { return proposed_; }

  /// Somebody has proposed for `sn`; leaders that are behind propose then too, if need be nothing,
  /// so that it can be delivered. Who has used the last slot of a segment needs the next epoch, and
  /// so the end of this one. Returns whether that is news.
  bool saw(SeqNr sn, const EpochPlan& plan) noexcept {
    if (plan.slot_of(sn) + 1 == plan.segment_length()) sn = plan.end();
    if (sn <= highest_) return false;
    highest_ = sn;
    return true;
  }

  /// Somebody has delivered everything before `next`.
  void reached(SeqNr next) noexcept { highest_ = std::max(highest_, next); }

  /// The slot that is to be filled now: a batch is full or has waited long enough, nothing of
  /// one's own is in flight, or other leaders are ahead. So batches grow with the load: while one
  /// is on its way the next one gathers.
  std::optional<std::uint32_t> due(const EpochPlan& plan, const Buckets& buckets,
                                   const IssConfig& config, std::chrono::nanoseconds now) const {
    if (!own_ || next_ >= plan.segment_length() || in_flight_ >= config.pipeline)
      return std::nullopt;
    const bool any = buckets.own_requests() != 0;
    const bool full = buckets.own_requests() >= config.max_batch_requests ||
                      buckets.own_bytes() >= config.max_batch_bytes;
    const bool waited = now - last_ >= config.batch_delay;
    const bool idle = any && in_flight_ == 0;
    const bool pulled = plan.sn_of(*own_, next_) < highest_ &&
                        (waited || config.pull_along == PullAlong::at_once);
    return full || (any && waited) || idle || pulled ? std::optional(next_) : std::nullopt;
  }
  /// The slot that was due is proposed for.
  void propose(std::chrono::nanoseconds now) noexcept {
    ++next_;
    ++in_flight_;
    ++proposed_;
    last_ = now;
  }
  /// The slot that was due needs no proposal: this replica has made one before it was restarted.
  void skip() noexcept { ++next_; }
  /// One of the own slots is decided, perhaps without ever having been proposed for.
  void decided(std::uint32_t slot) noexcept {
    if (slot < next_ && in_flight_ != 0) --in_flight_;
  }

  /// Whoever leads this sequence number is expected to propose for it.
  bool is_pulled(SeqNr sn) const noexcept { return sn < highest_; }

 private:
  std::optional<std::uint32_t> own_;
  std::uint32_t next_ = 0;
  std::uint32_t in_flight_ = 0;
  SeqNr highest_;
  std::chrono::nanoseconds last_{};
  std::uint64_t proposed_ = 0;
};

}  // namespace mirbft::iss

#endif

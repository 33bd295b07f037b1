// When a leader fills its next slot.
#ifndef MIRBFT_PROTOCOL_ISS_PROPOSER_HPP
#define MIRBFT_PROTOCOL_ISS_PROPOSER_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <mirbft/protocol/iss/buckets.hpp>
#include <mirbft/protocol/iss/config.hpp>
#include <mirbft/protocol/iss/epoch_plan.hpp>

namespace mirbft::iss {

/// This replica's own segment of the current epoch, if it leads one.
///
/// An adaptive leader lets a batch grow to what arrives during one commit: the rate of requests
/// times the time that a commit takes. Both are measured as one, by counting what arrives while a
/// slot is in flight, since ticks are coarser than a commit. With few requests that is less than
/// one of them, and each leaves at once. A batch that is still smaller when nothing is in flight
/// and time goes on shows that the load has fallen, and waits no longer.
class Proposer {
 public:
  void begin_epoch(const EpochPlan& plan, NodeId self) {
    own_.reset();
    for (std::uint32_t segment = 0; segment < plan.segments(); ++segment)
      if (plan.leader(segment) == self) own_ = segment;
    next_ = in_flight_ = 0;
    arrived_before_.assign(plan.segment_length(), std::nullopt);
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

  /// The slot that is to be filled now: a batch is full, has waited long enough or need not wait,
  /// or other leaders are ahead.
  std::optional<std::uint32_t> due(const EpochPlan& plan, const Buckets& buckets,
                                   const IssConfig& config, std::chrono::nanoseconds now) const {
    if (!own_ || next_ >= plan.segment_length() || in_flight_ >= config.pipeline)
      return std::nullopt;
    const bool any = buckets.own_requests() != 0;
    const bool full = buckets.own_requests() >= config.max_batch_requests ||
                      buckets.own_bytes() >= config.max_batch_bytes;
    const bool waited = now - last_ >= config.batch_delay;
    const bool enough = 4 * buckets.own_requests() >= arrivals_x4_ ||
                        (in_flight_ == 0 && now != decided_at_);
    const bool adaptive = config.batching == Batching::adaptive;
    const bool pulled = plan.sn_of(*own_, next_) < highest_ &&
                        (waited || config.pull_along == PullAlong::at_once);
    return full || (any && (waited || (adaptive && enough))) || pulled ? std::optional(next_)
                                                                       : std::nullopt;
  }
  /// The slot that was due is proposed for, with so many requests, which have left the buckets.
  void propose(std::size_t requests, const Buckets& buckets, std::chrono::nanoseconds now) {
    taken_ += requests;
    arrived_before_[next_] = arrived(buckets);
    ++next_;
    ++in_flight_;
    ++proposed_;
    last_ = now;
  }
  /// The slot that was due needs no proposal: this replica has made one before it was restarted.
  void skip() noexcept { ++next_; }
  /// One of the own slots is decided, perhaps without having been proposed for since a restart.
  void decided(std::uint32_t slot, const Buckets& buckets, std::chrono::nanoseconds now) {
    const auto before = std::exchange(arrived_before_[slot], std::nullopt);
    if (!before) return;
    --in_flight_;
    decided_at_ = now;
    // What is delivered from another replica's memory leaves the buckets without being taken.
    const std::uint64_t meanwhile = std::max(arrived(buckets), *before) - *before;
    arrivals_x4_ += meanwhile - arrivals_x4_ / 4;
  }

  /// Whoever leads this sequence number is expected to propose for it.
  bool is_pulled(SeqNr sn) const noexcept { return sn < highest_; }

 private:
  /// How many requests have come into the own buckets: only differences within an epoch count.
  std::uint64_t arrived(const Buckets& buckets) const noexcept {
    return taken_ + buckets.own_requests();
  }

  std::optional<std::uint32_t> own_;
  std::uint32_t next_ = 0;
  std::uint32_t in_flight_ = 0;
  /// For each slot that is in flight what had arrived when it was proposed for.
  std::vector<std::optional<std::uint64_t>> arrived_before_;
  std::uint64_t taken_ = 0;
  /// Four times the running mean of what arrives during a commit; each commit counts a quarter.
  std::uint64_t arrivals_x4_ = 0;
  std::chrono::nanoseconds decided_at_{};
  SeqNr highest_;
  std::chrono::nanoseconds last_{};
  std::uint64_t proposed_ = 0;
};

}  // namespace mirbft::iss

#endif

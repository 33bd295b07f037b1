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
/// and time goes on shows that the load has fallen, and waits no longer; nor does one that has
/// waited for as long as a commit takes, or for `batch_delay` if that is longer. Where the machine
/// has all that it can do, commits take long, and only large batches make it less.
class Proposer {
 public:
  void begin_epoch(const EpochPlan& plan, NodeId self) {
    own_.reset();
    for (std::uint32_t segment = 0; segment < plan.segments(); ++segment)
      if (plan.leader(segment) == self) own_ = segment;
    next_ = in_flight_ = 0;
    flying_.assign(plan.segment_length(), std::nullopt);
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
    const bool adaptive = config.batching == Batching::adaptive;
    const bool waited = now - last_ >= (adaptive ? patience(config) : config.batch_delay);
    const bool enough = 4 * buckets.own_requests() >= arrivals_x4_ ||
                        (in_flight_ == 0 && now != decided_at_);
    const bool pulled = plan.sn_of(*own_, next_) < highest_ &&
                        (waited || config.pull_along == PullAlong::at_once);
    return full || (any && (waited || (adaptive && enough))) || pulled ? std::optional(next_)
                                                                       : std::nullopt;
  }
  /// The slot that was due is proposed for, with so many requests, which have left the buckets.
  void propose(std::size_t requests, const Buckets& buckets, std::chrono::nanoseconds now) {
    taken_ += requests;
    flying_[next_] = Flight{arrived(buckets), now};
    ++next_;
    ++in_flight_;
    ++proposed_;
    last_ = now;
  }
  /// The slot that was due needs no proposal: this replica has made one before it was restarted.
  void skip() noexcept { ++next_; }
  /// One of the own slots is decided, perhaps without having been proposed for since a restart.
  void decided(std::uint32_t slot, const Buckets& buckets, std::chrono::nanoseconds now) {
    const auto flight = std::exchange(flying_[slot], std::nullopt);
    if (!flight) return;
    --in_flight_;
    decided_at_ = now;
    // What is delivered from another replica's memory leaves the buckets without being taken.
    const std::uint64_t meanwhile = std::max(arrived(buckets), flight->arrived) - flight->arrived;
    arrivals_x4_ += meanwhile - arrivals_x4_ / 4;
    commit_x4_ += now - flight->since - commit_x4_ / 4;
  }

  /// Whoever leads this sequence number is expected to propose for it.
  bool is_pulled(SeqNr sn) const noexcept { return sn < highest_; }

 private:
  /// How many requests have come into the own buckets: only differences within an epoch count.
  std::uint64_t arrived(const Buckets& buckets) const noexcept {
    return taken_ + buckets.own_requests();
  }

  /// How long an adaptive leader lets a batch wait. A commit that took a view change tells nothing
  /// about the load, so there is a bound.
  std::chrono::nanoseconds patience(const IssConfig& config) const noexcept {
    return std::clamp(commit_x4_ / 4, config.batch_delay, 8 * config.batch_delay);
  }

  /// A slot that is proposed for and not decided: what had arrived then, and when it was.
  struct Flight {
    std::uint64_t arrived = 0;
    std::chrono::nanoseconds since{};
  };

  std::optional<std::uint32_t> own_;
  std::uint32_t next_ = 0;
  std::uint32_t in_flight_ = 0;
  std::vector<std::optional<Flight>> flying_;
  std::uint64_t taken_ = 0;
  /// Four times the running mean of what arrives during a commit; each commit counts a quarter.
  std::uint64_t arrivals_x4_ = 0;
  /// The same of the time that a commit takes.
  std::chrono::nanoseconds commit_x4_{};
  std::chrono::nanoseconds decided_at_{};
  SeqNr highest_;
  std::chrono::nanoseconds last_{};
  std::uint64_t proposed_ = 0;
};

}  // namespace mirbft::iss

#endif

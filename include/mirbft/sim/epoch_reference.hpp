// What the epochs of ISS must be like, worked out from what was decided.
#ifndef MIRBFT_SIM_EPOCH_REFERENCE_HPP
#define MIRBFT_SIM_EPOCH_REFERENCE_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <mirbft/protocol/iss/config.hpp>
#include <mirbft/protocol/iss/epoch_plan.hpp>
#include <mirbft/protocol/iss/leader_policies.hpp>
#include <mirbft/protocol/iss/pace.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/quorum.hpp>

namespace mirbft::sim {

/// Runs the leader policy again, and works out the time-outs of the epochs as protocol, section 6,
/// says, from nothing but which sequence numbers were decided as nil.
template <class Policy = Blacklist>
class EpochReference {
 public:
  struct Known {
    iss::EpochPlan plan;
    std::chrono::nanoseconds timeout{};
    /// The policy at the end of this epoch, and the time-out from then on; none before that.
    std::optional<Policy> policy_after{};
    iss::Pace pace_after{};
  };

  /// `config` is that of any replica.
  explicit EpochReference(IssConfig config, Policy policy = {})
      : config_(std::move(config)),
        quorum_(config_.members.size()),
        policy_(std::move(policy)),
        timeout_(config_.base_timeout) {
    std::sort(config_.members.begin(), config_.members.end());
    begin(Epoch(0), SeqNr(0));
  }

  Quorum quorum() const noexcept { return quorum_; }
  const std::vector<NodeId>& members() const noexcept { return config_.members; }

  /// A correct node has decided; the first one for a sequence number counts.
  void decided(SeqNr sn, bool is_nil) {
    const iss::EpochPlan& plan = known_.rbegin()->second.plan;
    if (!plan.contains(sn) || outcomes_[sn - plan.first()]) return;
    outcomes_[sn - plan.first()] = is_nil ? SlotOutcome::nil : SlotOutcome::batch;
    if (--open_ == 0) end();
  }

  /// An epoch that is known by now and not long over; null for others.
  const Known* find(Epoch epoch) const {
    const auto found = known_.find(epoch);
    return found == known_.end() ? nullptr : &found->second;
  }
  const Known* find(SeqNr sn) const {
    for (const auto& [epoch, one] : known_)
      if (one.plan.contains(sn)) return &one;
    return nullptr;
  }
  /// The epoch that is not wholly decided yet.
  Epoch current() const { return known_.rbegin()->first; }

 private:
  /// More than any replica keeps.
  static constexpr std::size_t epochs_kept = 8;
  static constexpr std::uint32_t clean_epochs_needed = 8;

  void begin(Epoch epoch, SeqNr first) {
    iss::EpochPlan plan(epoch, first, config_.members,
                        policy_.leaders(epoch, config_.members, quorum_), config_);
    open_ = plan.length();
    outcomes_.assign(open_, std::nullopt);
    known_.try_emplace(epoch, Known{std::move(plan), timeout_});
    if (known_.size() > epochs_kept) known_.erase(known_.begin());
  }
  void end() {
    auto& [epoch, known] = *known_.rbegin();
    const iss::EpochPlan& plan = known.plan;
    std::set<NodeId> suspected;
    for (SeqNr sn = plan.first(); sn < plan.end(); ++sn) {
      const NodeId leader = plan.leader(plan.segment_of(sn));
      const SlotOutcome outcome = *outcomes_[sn - plan.first()];
      policy_.delivered(sn, leader, outcome);
      if (outcome == SlotOutcome::nil) suspected.insert(leader);
    }
    policy_.epoch_ended(epoch, plan.leaders());
    learn_patience(suspected.size());
    known.policy_after = policy_;
    known.pace_after = {timeout_, clean_epochs_};
    begin(epoch + 1, plan.end());
  }
  void learn_patience(std::size_t suspected) {
    if (suspected > quorum_.faulty())
      timeout_ = std::min<std::chrono::nanoseconds>(2 * timeout_, iss::longest_timeout);
    clean_epochs_ = suspected == 0 ? clean_epochs_ + 1 : 0;
    if (clean_epochs_ != clean_epochs_needed) return;
    clean_epochs_ = 0;
    timeout_ = std::max(config_.base_timeout, timeout_ / 2);
  }

  IssConfig config_;
  Quorum quorum_;
  Policy policy_;
  std::chrono::nanoseconds timeout_;
  std::uint32_t clean_epochs_ = 0;
  std::map<Epoch, Known> known_;
  /// Of the last epoch that is known.
  std::vector<std::optional<SlotOutcome>> outcomes_;
  std::size_t open_ = 0;
};

}  // namespace mirbft::sim

#endif

// Invariants of ISS: epochs, leaders, buckets, checkpoints and buffers.
#ifndef MIRBFT_SIM_ISS_INVARIANTS_HPP
#define MIRBFT_SIM_ISS_INVARIANTS_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/events/net.hpp>
#include <mirbft/events/store.hpp>
#include <mirbft/events/wal.hpp>
#include <mirbft/protocol/iss/config.hpp>
#include <mirbft/protocol/iss/epoch_plan.hpp>
#include <mirbft/protocol/iss/events.hpp>
#include <mirbft/protocol/iss/leader_policies.hpp>
#include <mirbft/protocol/iss/messages.hpp>
#include <mirbft/protocol/orderers/pbft_messages.hpp>
#include <mirbft/sim/disk.hpp>
#include <mirbft/sim/findings.hpp>
#include <mirbft/sim/invariants.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/quorum.hpp>
#include <mirbft/wire/codec.hpp>

namespace mirbft::sim {

/// Checkpoints agree: correct nodes sign, and hold as stable, one header for an epoch; when one is
/// stable, a weak quorum of correct nodes has it on its disks.
class CheckpointsAgree {
 public:
  explicit CheckpointsAgree(Quorum quorum) : quorum_(quorum) {}

  void durable(NodeId node, const Record& record, Findings&) {
    if (record.type != WalAppend<CheckpointEntry>::number) return;
    if (auto entry = wire::decode<CheckpointEntry>(record.entry, wire::Form::lenient))
      holders_[entry->header.epoch].insert(node);
  }
  void wiped(NodeId node) {
    for (auto& [epoch, holders] : holders_) holders.erase(node);
  }

  void event(NodeId node, const WalAppend<CheckpointEntry>& append, Findings& findings) {
    compare(node, append.entry.header, findings);
  }
  void event(NodeId node, const WalAppend<StableEntry>& append, Findings& findings) {
    const CheckpointHeader& header = append.entry.header;
    compare(node, header, findings);
    const std::size_t holders = holders_[header.epoch].size();
    if (holders < quorum_.weak())
      findings.report("checkpoints agree", node, header.last,
                      "the checkpoint of epoch " + std::to_string(header.epoch.value) +
                          " is stable, and only " + std::to_string(holders) +
                          " correct nodes have it on disk");
  }

 private:
  void compare(NodeId node, const CheckpointHeader& header, Findings& findings) {
    const auto [place, is_first] = headers_.try_emplace(header.epoch, header);
    if (!is_first && place->second != header)
      findings.report("checkpoints agree", node, header.last,
                      "the checkpoint of epoch " + std::to_string(header.epoch.value) +
                          " differs from that of a correct node before it");
  }

  Quorum quorum_;
  std::map<Epoch, CheckpointHeader> headers_;
  std::map<Epoch, std::set<NodeId>> holders_;
};

/// Leaders and buckets: epochs begin where the leader policy says, every slot belongs to the
/// segment that it says, and every delivered request to a bucket of that segment's leader. The
/// policy is run again here, over what was decided.
template <class Policy = Blacklist>
class LeadersAndBuckets {
 public:
  /// `config` is that of any replica.
  LeadersAndBuckets(IssConfig config, Quorum quorum, Policy policy = {})
      : config_(std::move(config)), quorum_(quorum), policy_(std::move(policy)) {
    std::sort(config_.members.begin(), config_.members.end());
  }

  void event(NodeId, const Deliver& delivery, Findings&) {
    if (delivery.sn >= first_) slots_[delivery.sn].batch = delivery.batch;
  }
  void event(NodeId node, const WalAppend<DecidedEntry>& append, Findings&) {
    const DecidedEntry& entry = append.entry;
    if (entry.sn < first_) return;
    Slot& slot = slots_[entry.sn];
    slot.by = node;
    slot.segment = entry.segment;
    slot.is_nil = entry.digest == nil_digest;
  }
  void event(NodeId node, const WalAppend<EpochEntry>& append, Findings& findings) {
    const auto [place, is_new] = begins_.try_emplace(append.entry.epoch, append.entry.first);
    if (place->second != append.entry.first)
      findings.report("epochs agree", node, append.entry.first,
                      "begins epoch " + std::to_string(append.entry.epoch.value) +
                          " at another place than a correct node before it");
    while (check_epoch(findings)) {
    }
  }
  void ended(Findings& findings) {
    while (check_epoch(findings)) {
    }
  }

  /// How many epochs were checked.
  std::uint64_t epochs() const noexcept { return epoch_.value; }

 private:
  struct Slot {
    NodeId by;
    std::optional<SegmentId> segment;
    bool is_nil = false;
    std::optional<Batch> batch;
  };

  /// Checks the next epoch, if all of it is known by now.
  bool check_epoch(Findings& findings) {
    const iss::EpochPlan plan(epoch_, first_, config_.members,
                              policy_.leaders(epoch_, config_.members, quorum_), config_);
    for (SeqNr sn = first_; sn < plan.end(); ++sn) {
      const auto slot = slots_.find(sn);
      if (slot == slots_.end() || !slot->second.segment || !slot->second.batch) return false;
    }
    for (SeqNr sn = first_; sn < plan.end(); ++sn) check_slot(plan, sn, slots_[sn], findings);
    policy_.epoch_ended(epoch_, plan.leaders());
    const auto next = begins_.find(epoch_ + 1);
    if (next != begins_.end() && next->second != plan.end())
      findings.report("epochs agree", slots_[first_].by, next->second,
                      "epoch " + std::to_string(epoch_.value + 1) +
                          " does not begin where the leaders say, at sn " +
                          std::to_string(plan.end().value));
    ++epoch_;
    first_ = plan.end();
    slots_.erase(slots_.begin(), slots_.lower_bound(first_));
    return true;
  }

  void check_slot(const iss::EpochPlan& plan, SeqNr sn, const Slot& slot, Findings& findings) {
    const std::uint32_t segment = plan.segment_of(sn);
    if (*slot.segment != SegmentId{epoch_, segment})
      findings.report("leaders agree", slot.by, sn,
                      "was decided in segment " + std::to_string(slot.segment->index) +
                          " of epoch " + std::to_string(slot.segment->epoch.value) +
                          ", and belongs to segment " + std::to_string(segment) + " of epoch " +
                          std::to_string(epoch_.value));
    for (const RequestRef& reference : **slot.batch) {
      const auto bucket = iss::bucket_of(reference.client, reference.req_no, plan.buckets());
      if (plan.owner(bucket) != segment)
        findings.report("buckets", slot.by, sn,
                        name_of(reference.client, reference.req_no) +
                            " is of a bucket that the leader, node " +
                            std::to_string(plan.leader(segment).value) + ", does not have");
    }
    policy_.delivered(sn, plan.leader(segment),
                      slot.is_nil ? SlotOutcome::nil : SlotOutcome::batch);
  }

  IssConfig config_;
  Quorum quorum_;
  Policy policy_;
  /// The epoch that is checked next, and its first sequence number.
  Epoch epoch_;
  SeqNr first_;
  std::map<SeqNr, Slot> slots_;
  std::map<Epoch, SeqNr> begins_;
};

/// While a node is up, its epoch, its place in the order and its checkpoints only go forward.
class NeverBack {
 public:
  void started(NodeId node) { seen_.erase(node); }

  void looked(NodeId node, const auto& replica, Findings& findings) {
    const auto status = replica.protocol().status();
    Seen& seen = seen_[node];
    if (status.epoch < seen.epoch || status.next_delivery < seen.next ||
        status.stable_checkpoints < seen.stable)
      findings.report("never back", node, status.next_delivery,
                      "stands at epoch " + std::to_string(status.epoch.value) + " with " +
                          std::to_string(status.stable_checkpoints) +
                          " stable checkpoints, and was at epoch " +
                          std::to_string(seen.epoch.value) + ", sn " +
                          std::to_string(seen.next.value) + " with " +
                          std::to_string(seen.stable));
    seen = {status.epoch, status.next_delivery, status.stable_checkpoints};
  }

 private:
  struct Seen {
    Epoch epoch;
    SeqNr next;
    std::uint64_t stable = 0;
  };

  std::map<NodeId, Seen> seen_;
};

/// Buffers stay under their caps, those of the Tracker included.
class Bounded {
 public:
  /// The configurations of any replica.
  Bounded(const IssConfig& protocol, std::uint64_t max_pending_bytes)
      : early_bytes_(protocol.early_bytes_per_peer * protocol.members.size()),
        pending_bytes_(2 * max_pending_bytes) {}

  void looked(NodeId node, const auto& replica, Findings& findings) {
    // Asking costs as much as a step of the node: now and then is enough.
    if (looks_++ % 256 != 0) return;
    const auto status = replica.status();
    check(node, "messages of later epochs", status.protocol.early_bytes, early_bytes_, findings);
    if constexpr (requires { status.tracker.pending_bytes; })
      check(node, "open requests", status.tracker.pending_bytes, pending_bytes_, findings);
  }

  void check(NodeId node, const std::string& what, std::uint64_t bytes, std::uint64_t cap,
             Findings& findings) const {
    if (bytes > cap)
      findings.report("bounded", node, std::nullopt,
                      what + " take " + std::to_string(bytes) + " bytes, and may take " +
                          std::to_string(cap));
  }

 private:
  std::uint64_t early_bytes_;
  std::uint64_t pending_bytes_;
  std::uint64_t looks_ = 0;
};

}  // namespace mirbft::sim

#endif

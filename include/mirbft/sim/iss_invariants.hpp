// Invariants of ISS: checkpoints, progress and buffers.
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

#include <mirbft/engine/config.hpp>
#include <mirbft/events/wal.hpp>
#include <mirbft/protocol/iss/config.hpp>
#include <mirbft/protocol/iss/epoch_plan.hpp>
#include <mirbft/protocol/iss/events.hpp>
#include <mirbft/protocol/iss/messages.hpp>
#include <mirbft/protocol/orderers/pbft_messages.hpp>
#include <mirbft/sim/findings.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/quorum.hpp>

namespace mirbft::sim {

/// Checkpoints agree: correct nodes sign, and hold as stable, one header for an epoch; when one is
/// stable, a weak quorum of correct nodes has it on its disks.
class CheckpointsAgree {
 public:
  explicit CheckpointsAgree(Quorum quorum) : quorum_(quorum) {}

  void durable(NodeId node, const CheckpointEntry& entry, Findings&) {
    if (Known* known = find(entry.header)) known->holders.insert(node);
  }
  void wiped(NodeId node) {
    for (auto& [epoch, known] : epochs_) known.holders.erase(node);
  }

  void event(NodeId node, const WalAppend<CheckpointEntry>& append, Findings& findings) {
    compare(node, append.entry.header, findings);
  }
  void event(NodeId node, const WalAppend<InstalledEntry>& append, Findings& findings) {
    compare(node, append.entry.header, findings);
  }
  void event(NodeId node, const WalAppend<StableEntry>& append, Findings& findings) {
    const CheckpointHeader& header = append.entry.header;
    compare(node, header, findings);
    const Known* known = find(header);
    if (known && known->holders.size() < quorum_.weak())
      findings.report("checkpoints agree", node, header.last,
                      "the checkpoint of epoch " + std::to_string(header.epoch.value) +
                          " is stable, and only " + std::to_string(known->holders.size()) +
                          " correct nodes have it on disk");
  }

 private:
  /// More than any node keeps.
  static constexpr std::size_t epochs_kept = 16;

  struct Known {
    CheckpointHeader header;
    std::set<NodeId> holders;
  };

  /// Null for one that is too old.
  Known* find(const CheckpointHeader& header) {
    if (header.epoch < first_) return nullptr;
    Known& known = epochs_.try_emplace(header.epoch, Known{header, {}}).first->second;
    if (epochs_.size() > epochs_kept) {
      epochs_.erase(epochs_.begin());
      first_ = epochs_.begin()->first;
    }
    return header.epoch < first_ ? nullptr : &known;
  }
  void compare(NodeId node, const CheckpointHeader& header, Findings& findings) {
    const Known* known = find(header);
    if (known && known->header != header)
      findings.report("checkpoints agree", node, header.last,
                      "the checkpoint of epoch " + std::to_string(header.epoch.value) +
                          " differs from that of a correct node before it");
  }

  Quorum quorum_;
  std::map<Epoch, Known> epochs_;
  Epoch first_;
};

/// A node's epoch, its place in the order and its checkpoints only go forward: while it is up, and
/// across restarts as far as a stable checkpoint on its disk goes. So do the views of a segment
/// that it writes down.
class NeverBack {
 public:
  void started(NodeId node) { of_[node].seen = of_[node].durable; }
  void wiped(NodeId node) { of_.erase(node); }

  void durable(NodeId node, const StableEntry& entry, Findings&) { note(node, entry.header); }
  void durable(NodeId node, const InstalledEntry& entry, Findings&) { note(node, entry.header); }
  void durable(NodeId node, const ViewChangeEntry& entry, Findings& findings) {
    const ViewChange& change = entry.message;
    View& view = of_[node].views[change.segment];
    if (change.view <= view)
      went_back(node, "a ViewChange to", change.segment, change.view, findings);
    view = std::max(view, change.view);
  }
  void durable(NodeId node, const NewViewEntry& entry, Findings& findings) {
    const NewView& made = entry.message;
    View& view = of_[node].views[made.segment];
    if (made.view < view) went_back(node, "the NewView of", made.segment, made.view, findings);
    view = std::max(view, made.view);
  }
  void event(NodeId node, const WalTruncate& truncate, Findings&) {
    auto& views = of_[node].views;
    views.erase(views.begin(), views.lower_bound({Epoch(truncate.index.value), 0}));
  }

  void looked(NodeId node, const auto& replica, Findings& findings) {
    const auto status = replica.protocol().status();
    Seen& seen = of_[node].seen;
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
  struct Node {
    Seen seen;
    /// Where it must be after a restart, at least.
    Seen durable;
    /// The highest view of each segment that is written down.
    std::map<SegmentId, View> views;
  };

  void note(NodeId node, const CheckpointHeader& header) {
    Seen& durable = of_[node].durable;
    if (header.epoch.value < durable.stable) return;
    durable = {header.epoch + 1, header.last + 1, header.epoch.value + 1};
  }
  static void went_back(NodeId node, const char* what, SegmentId segment, View view,
                        Findings& findings) {
    findings.report("never back", node, std::nullopt,
                    std::string("writes ") + what + " view " + std::to_string(view.value) +
                        " of segment " + std::to_string(segment.index) + " of epoch " +
                        std::to_string(segment.epoch.value) +
                        " after that of a later view, or the same");
  }

  std::map<NodeId, Node> of_;
};

/// What waits stays under its caps: the bytes that protocol and Tracker keep of what may never be
/// of use, the batches without bodies, and the events of the node.
class Bounded {
 public:
  /// The configurations of any replica. Of a Node that is full what is pending may still beget
  /// more, by far less than it is itself.
  Bounded(const IssConfig& protocol, std::uint64_t max_pending_bytes,
          std::uint64_t busy_above = NodeConfig{}.busy_above)
      : early_bytes_(protocol.early_bytes_per_peer * protocol.members.size()),
        pending_bytes_(2 * max_pending_bytes),
        batches_(epochs_alive *
                 std::max<std::uint64_t>(protocol.epoch_length + protocol.members.size(),
                                         protocol.min_segment_length * protocol.members.size())),
        events_(2 * busy_above) {}

  void looked(NodeId node, const auto& replica, Findings& findings) {
    // Asking costs as much as a step of the node: now and then is enough.
    if (looks_++ % 256 != 0) return;
    const auto status = replica.status();
    check(node, "messages of later epochs", status.protocol.early_bytes, early_bytes_, findings);
    check(node, "batches without bodies", status.protocol.batches_waiting_for_bodies, batches_,
          findings);
    check(node, "events", status.pending_events, events_, findings);
    if constexpr (requires { status.tracker.pending_bytes; })
      check(node, "open requests", status.tracker.pending_bytes, pending_bytes_, findings);
  }

 private:
  /// R that are kept, and K that may be begun.
  static constexpr std::uint64_t epochs_alive = 4;

  static void check(NodeId node, const char* what, std::uint64_t size, std::uint64_t cap,
                    Findings& findings) {
    if (size > cap)
      findings.report("bounded", node, std::nullopt,
                      std::string(what) + " are " + std::to_string(size) +
                          " that wait, or their bytes, and may be " + std::to_string(cap));
  }

  std::uint64_t early_bytes_;
  std::uint64_t pending_bytes_;
  std::uint64_t batches_;
  std::uint64_t events_;
  std::uint64_t looks_ = 0;
};

}  // namespace mirbft::sim

#endif

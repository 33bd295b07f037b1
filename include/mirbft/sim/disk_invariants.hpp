// Invariants of what is on the disks: nothing that is still needed goes.
#ifndef MIRBFT_SIM_DISK_INVARIANTS_HPP
#define MIRBFT_SIM_DISK_INVARIANTS_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/events/node.hpp>
#include <mirbft/events/store.hpp>
#include <mirbft/events/wal.hpp>
#include <mirbft/protocol/iss/events.hpp>
#include <mirbft/protocol/orderers/pbft_messages.hpp>
#include <mirbft/sim/disk.hpp>
#include <mirbft/sim/findings.hpp>
#include <mirbft/sim/invariants.hpp>
#include <mirbft/sim/statement.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft::sim {

/// Whoever starts again finds at least those records in its log that were durable, and are not
/// truncated.
class LogKept {
 public:
  void durable(NodeId node, const Record& record, Findings&) {
    Log& log = of_[node];
    if (record.retention >= log.truncated) ++log.kept[record.retention];
  }
  void wiped(NodeId node) { of_.erase(node); }
  void event(NodeId node, const WalTruncate& truncate, Findings&) {
    Log& log = of_[node];
    log.truncated = std::max(log.truncated, truncate.index);
    log.kept.erase(log.kept.begin(), log.kept.lower_bound(log.truncated));
  }

  void started(NodeId node) { of_[node].read = 0; }
  template <class Entry>
  void event(NodeId node, const WalEntry<Entry>&, Findings&) {
    if (of_[node].read) ++*of_[node].read;
  }
  void event(NodeId node, const Init&, Findings& findings) {
    Log& log = of_[node];
    const std::optional<std::uint64_t> read = std::exchange(log.read, std::nullopt);
    std::uint64_t expected = 0;
    for (const auto& [retention, count] : log.kept) expected += count;
    if (read && *read < expected)
      findings.report("log kept", node, std::nullopt,
                      "finds " + std::to_string(*read) + " records in its log, and " +
                          std::to_string(expected) + " were durable");
  }

 private:
  struct Log {
    std::map<RetentionIndex, std::uint64_t> kept;
    RetentionIndex truncated;
    /// Since the start; none once that was compared.
    std::optional<std::uint64_t> read;
  };

  std::map<NodeId, Log> of_;
};

/// No body goes that a live slot refers to: whatever a node has voted for or decided past what it
/// collects is still in its Store afterwards.
class BodiesKept {
 public:
  void disk(NodeId node, const Disk& disk) { of_[node].disk = &disk; }
  void wiped(NodeId node) { of_[node].live.clear(); }

  void durable(NodeId node, const VoteEntry& entry, Findings&) {
    add(node, entry.content.sn, entry.batch);
  }
  void durable(NodeId node, const DecidedEntry& entry, Findings&) {
    add(node, entry.sn, entry.batch);
  }
  void event(NodeId node, const CollectRequests& collect, Findings&) {
    of_[node].collected = std::max(of_[node].collected, collect.collection.through + 1);
    of_[node].is_due = true;
  }
  void looked(NodeId node, const auto&, Findings& findings) {
    Node& one = of_[node];
    if (!std::exchange(one.is_due, false)) return;
    one.live.erase(one.live.begin(), one.live.lower_bound({one.collected, 0}));
    for (const auto& [slot, batch] : one.live)
      for (const RequestRef& reference : *batch)
        if (!one.disk->holds(reference))
          findings.report("bodies kept", node, slot.first,
                          "has collected the body of " +
                              name_of(reference.client, reference.req_no));
  }

 private:
  struct Node {
    const Disk* disk = nullptr;
    /// By sequence number and content.
    std::map<std::pair<SeqNr, std::uint64_t>, Batch> live;
    SeqNr collected;
    bool is_due = false;
  };

  void add(NodeId node, SeqNr sn, const Batch& batch) {
    if (!batch->empty() && sn >= of_[node].collected)
      of_[node].live.try_emplace({sn, content_of(batch)}, batch);
  }

  std::map<NodeId, Node> of_;
};

}  // namespace mirbft::sim

#endif

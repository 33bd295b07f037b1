// What must be durable before what is said, forgotten or begun (protocol, section 9).
#ifndef MIRBFT_SIM_WRITE_AHEAD_INVARIANTS_HPP
#define MIRBFT_SIM_WRITE_AHEAD_INVARIANTS_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <mirbft/events/net.hpp>
#include <mirbft/events/protocol.hpp>
#include <mirbft/events/store.hpp>
#include <mirbft/events/wal.hpp>
#include <mirbft/protocol/iss/events.hpp>
#include <mirbft/protocol/iss/messages.hpp>
#include <mirbft/protocol/orderers/pbft_messages.hpp>
#include <mirbft/sim/disk.hpp>
#include <mirbft/sim/findings.hpp>
#include <mirbft/sim/invariants.hpp>
#include <mirbft/sim/statement.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft::sim {

/// Write-ahead: whatever a correct node sends, or counts as its own vote, is what the records on
/// its disk say; those of its votes come after the bodies that they name, and after the NewView of
/// their view; its ViewChange claims all certificates on its disk, and none of a view that it has
/// left is written after it.
class WriteAhead {
 public:
  using Message = IssMessage<PbftMessage>;

  void disk(NodeId node, const Disk& disk) { of_[node].disk = &disk; }
  void wiped(NodeId node) {
    Log empty;
    empty.disk = of_[node].disk;
    of_[node] = std::move(empty);
  }

  void durable(NodeId node, const EpochEntry& entry, Findings&) {
    of_[node].epochs.insert(entry.epoch);
  }
  void durable(NodeId node, const VoteEntry& entry, Findings& findings) {
    const auto& [segment, view, sn, digest] = entry.content;
    const StatementPlace place{segment, Statement::prepare, view, sn};
    Log& log = of_[node];
    log.records.replace({place, content_of(digest)});
    if (view == View(0)) log.records.replace(said(PrePrepare{segment, sn, entry.batch, {}}));
    check_view(node, place, findings);
    // What a fetched state covers may have been collected while the record was on its way.
    if (sn < log.installed_end) return;
    for (const RequestRef& reference : *entry.batch)
      if (log.disk && !log.disk->holds(reference))
        findings.report("write-ahead", node, sn,
                        "writes its vote for a batch with " +
                            name_of(reference.client, reference.req_no) +
                            ", whose body is not on its disk");
  }
  void durable(NodeId node, const InstalledEntry& entry, Findings&) {
    of_[node].installed_end = entry.header.last + 1;
  }
  void durable(NodeId node, const PreparedEntry& entry, Findings& findings) {
    const Certificate& held = entry.certificate;
    const StatementPlace place{entry.segment, Statement::commit, held.view, held.sn};
    of_[node].records.replace({place, content_of(held.digest)});
    check_view(node, place, findings);
    of_[node].segments[entry.segment].prepared[held.sn] = {held.view, held.sn, held.digest};
  }
  void durable(NodeId node, const DecidedEntry& entry, Findings&) {
    of_[node].segments[entry.segment].decided[entry.sn] = entry.digest;
  }
  void durable(NodeId node, const DoneEntry& entry, Findings&) {
    Done done{entry.segment, {}};
    for (const auto& [sn, digest] : of_[node].segments[entry.segment].decided)
      done.digests.push_back(digest);
    of_[node].records.replace(said(done));
  }
  void durable(NodeId node, const ViewChangeEntry& entry, Findings& findings) {
    const ViewChange& change = entry.message;
    of_[node].records.replace(said(change));
    Segment& segment = of_[node].segments[change.segment];
    segment.called = std::max(segment.called, change.view);
    std::vector<PreparedClaim> all;
    for (const auto& [sn, claim] : segment.prepared) all.push_back(claim);
    if (change.claims != all)
      findings.report("claims", node, std::nullopt,
                      "calls for view " + std::to_string(change.view.value) + " of segment " +
                          std::to_string(change.segment.index) + " of epoch " +
                          std::to_string(change.segment.epoch.value) +
                          " and claims other certificates than the newest on its disk");
  }
  void durable(NodeId node, const NewViewEntry& entry, Findings&) {
    of_[node].records.replace(said(entry.message));
    of_[node].segments[entry.message.segment].entered = entry.message.view;
  }
  void durable(NodeId node, const CheckpointEntry& entry, Findings&) {
    of_[node].records.replace(said(CheckpointVote{entry.header, {}}));
  }

  void event(NodeId node, const SendMessage<Message>& send, Findings& findings) {
    check(node, send.message, "sends", findings);
  }
  void event(NodeId node, const MessageReceived<Message>& received, Findings& findings) {
    if (received.from == node) check(node, received.message, "counts", findings);
  }
  void event(NodeId node, const WalTruncate& truncate, Findings&) {
    const Epoch first(truncate.index.value);
    Log& log = of_[node];
    log.records.forget_before(first);
    log.segments.erase(log.segments.begin(), log.segments.lower_bound({first, 0}));
    log.epochs.erase(log.epochs.begin(), log.epochs.lower_bound(first));
  }

 private:
  /// What the records of a segment say.
  struct Segment {
    /// The highest views of a ViewChange and of a NewView.
    View called;
    View entered;
    std::map<SeqNr, PreparedClaim> prepared;
    std::map<SeqNr, Digest> decided;
  };
  struct Log {
    const Disk* disk = nullptr;
    /// What may be said.
    Statements records;
    std::map<SegmentId, Segment> segments;
    std::set<Epoch> epochs;
    /// Where the epoch ends whose state was fetched last.
    SeqNr installed_end;
  };

  void check_view(NodeId node, const StatementPlace& place, Findings& findings) {
    const Segment& segment = of_[node].segments[place.segment];
    const auto wrong = [&](const char* rule, const char* when, View view) {
      findings.report(rule, node, place.sn,
                      "writes the record of its " + to_string(place) + when +
                          std::to_string(view.value));
    };
    if (place.view < segment.called) {
      wrong("no vote in a view that was left", " after that of its ViewChange to view ",
            segment.called);
    } else if (place.view != segment.entered) {
      wrong("write-ahead", ", and its disk says that it is in view ", segment.entered);
    }
  }

  void check(NodeId node, const Message& message, std::string_view does, Findings& findings) {
    const std::optional<Said> statement = statement_of(message);
    if (!statement) return;
    const StatementPlace& place = statement->place;
    const Log& log = of_[node];
    if (log.records.has_forgotten(place.segment.epoch)) return;
    const auto wrong = [&](const std::string& what) {
      findings.report("write-ahead", node, place.sn,
                      std::string(does) + " what needs the record of its " + to_string(place) +
                          ": " + what);
    };
    const std::optional<std::uint64_t> record = log.records.at(place);
    if (!record) return wrong("that is not on its disk");
    if (*record != statement->content) return wrong("that says something else on its disk");
    if (!log.epochs.contains(place.segment.epoch))
      wrong("that the epoch was entered is not on its disk");
  }

  std::map<NodeId, Log> of_;
};

/// What is begun or forgotten needs a stable checkpoint on the disk: an epoch that of two before
/// it, and its predecessor or what takes its place; truncation and collection one that is two newer
/// than all that goes, unless a fetched state covers it.
class StableFirst {
 public:
  void durable(NodeId node, const EpochEntry& entry, Findings& findings) {
    Log& log = of_[node];
    const std::uint64_t epoch = entry.epoch.value;
    const auto wrong = [&](const char* what) {
      findings.report("stable first", node, entry.first,
                      "begins epoch " + std::to_string(epoch) + what);
    };
    if (epoch > log.stable_epochs + 1) {
      wrong(" and has no stable checkpoint of two epochs before on its disk");
    } else if (epoch > log.stable_epochs && epoch > log.entered_below) {
      wrong(" and has neither been in the one before nor a state of it on its disk");
    }
    log.entered_below = std::max(log.entered_below, epoch + 1);
  }
  void durable(NodeId node, const CheckpointEntry& entry, Findings&) {
    note_end(node, entry.header);
  }
  void durable(NodeId node, const StableEntry& entry, Findings&) { note(node, entry.header); }
  void durable(NodeId node, const InstalledEntry& entry, Findings&) {
    note(node, entry.header);
    of_[node].installed_end = entry.header.last + 1;
  }
  void wiped(NodeId node) { of_.erase(node); }

  void event(NodeId node, const WalTruncate& truncate, Findings& findings) {
    if (truncate.index.value <= first_kept(of_[node])) return;
    findings.report("stable first", node, std::nullopt,
                    "truncates what belongs to epochs before " +
                        std::to_string(truncate.index.value) + ", and has but " +
                        std::to_string(of_[node].stable_epochs) +
                        " stable epochs on its disk");
  }
  void event(NodeId node, const CollectRequests& collect, Findings& findings) {
    const Log& log = of_[node];
    const auto first = log.ends.lower_bound(Epoch(first_kept(log)));
    const SeqNr end = first == log.ends.begin() ? SeqNr(0) : std::prev(first)->second;
    if (collect.collection.through < std::max(end, log.installed_end)) return;
    findings.report("stable first", node, collect.collection.through,
                    "collects requests up to here, and those before sn " +
                        std::to_string(end.value) + " are all that its disk allows");
  }

 private:
  /// R: for so many epochs before the newest stable one everything is kept.
  static constexpr std::uint64_t epochs_kept = 2;

  struct Log {
    std::uint64_t stable_epochs = 0;
    /// Epochs below have been entered, as far as they were at all.
    std::uint64_t entered_below = 0;
    /// Where the last epochs end whose states are here, and where one ends that was fetched.
    std::map<Epoch, SeqNr> ends;
    SeqNr installed_end;
  };

  static std::uint64_t first_kept(const Log& log) noexcept {
    return log.stable_epochs > epochs_kept ? log.stable_epochs - epochs_kept : 0;
  }
  void note(NodeId node, const CheckpointHeader& header) {
    std::uint64_t& stable = of_[node].stable_epochs;
    stable = std::max(stable, header.epoch.value + 1);
    note_end(node, header);
  }
  void note_end(NodeId node, const CheckpointHeader& header) {
    constexpr std::size_t enough = 8;
    auto& ends = of_[node].ends;
    ends[header.epoch] = header.last + 1;
    if (ends.size() > enough) ends.erase(ends.begin());
  }

  std::map<NodeId, Log> of_;
};

}  // namespace mirbft::sim

#endif

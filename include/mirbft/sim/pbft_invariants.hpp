// Invariants of PBFT within ISS: what is said, decided, and proven by the disks.
#ifndef MIRBFT_SIM_PBFT_INVARIANTS_HPP
#define MIRBFT_SIM_PBFT_INVARIANTS_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/events/crypto.hpp>
#include <mirbft/events/net.hpp>
#include <mirbft/events/wal.hpp>
#include <mirbft/protocol/iss/events.hpp>
#include <mirbft/protocol/iss/messages.hpp>
#include <mirbft/protocol/orderers/pbft_messages.hpp>
#include <mirbft/sim/findings.hpp>
#include <mirbft/sim/statement.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/quorum.hpp>

namespace mirbft::sim {

/// Single vote: over everything that a correct node ever sends, restarts included, there is at most
/// one content for each place. A node that has lost its disk votes in no epoch in which it may have
/// voted before. It may pass on another NewView than before, since that is not its own word: a
/// faulty primary has given it two.
class SingleVote {
 public:
  using Message = IssMessage<PbftMessage>;

  void event(NodeId node, const SendMessage<Message>& send, Findings& findings) {
    const std::optional<Said> said = statement_of(send.message);
    if (!said) return;
    Speaker& speaker = of_[node];
    const StatementPlace& place = said->place;
    if (place.kind <= Statement::view_change) {
      if (speaker.forgotten && place.segment.epoch <= *speaker.forgotten)
        findings.report("amnesia", node, place.sn,
                        "has lost its disk and sends its " + to_string(place) +
                            ", where it may have said something else before");
      speaker.newest = std::max(speaker.newest, std::optional(place.segment.epoch));
    }
    if (speaker.said.keep(*said) != said->content && !speaker.may_differ(place))
      findings.report("single vote", node, place.sn,
                      "sends two different messages as its " + to_string(place));
  }
  void event(NodeId node, const SignRequest<NewViewSigning>& sign, Findings&) {
    of_[node].led.insert({sign.origin.content.segment, sign.origin.content.view});
  }
  void event(NodeId node, const WalTruncate& truncate, Findings&) {
    const Epoch first(truncate.index.value);
    Speaker& speaker = of_[node];
    speaker.said.forget_before(first);
    speaker.led.erase(speaker.led.begin(), speaker.led.lower_bound({{first, 0}, View(0)}));
  }
  void wiped(NodeId node) {
    of_[node].forgotten = of_[node].newest;
    of_[node].was_wiped = true;
  }

 private:
  struct Speaker {
    Statements said;
    /// The last epoch in which it has said anything, ever and before it lost its disk.
    std::optional<Epoch> newest;
    std::optional<Epoch> forgotten;
    bool was_wiped = false;
    /// The views of which it has signed a NewView.
    std::set<std::pair<SegmentId, View>> led;

    bool may_differ(const StatementPlace& place) const {
      return place.kind == Statement::new_view && was_wiped &&
             !led.contains({place.segment, place.view});
    }
  };

  std::map<NodeId, Speaker> of_;
};

/// Correct nodes decide one digest for a sequence number. Once one of them has, so many correct
/// disks hold a certificate for it, or a stable checkpoint past it, that every strong quorum meets
/// one of them: then, and for ever after.
class Decisions {
 public:
  explicit Decisions(Quorum quorum)
      : needed_(quorum.strong() - quorum.faulty()), forgetting_(quorum.strong()) {}

  void started(NodeId node) { covered_.try_emplace(node); }
  void durable(NodeId node, const PreparedEntry& entry, Findings&) {
    const Certificate& held = entry.certificate;
    if (held.sn < forgotten_) return;
    Slot& slot = slots_[held.sn];
    slot.epoch = entry.segment.epoch;
    slot.holders[held.digest].insert(node);
  }
  void durable(NodeId node, const StableEntry& entry, Findings&) { cover(node, entry.header); }
  void durable(NodeId node, const InstalledEntry& entry, Findings&) { cover(node, entry.header); }

  void event(NodeId node, const WalAppend<DecidedEntry>& append, Findings& findings) {
    const DecidedEntry& entry = append.entry;
    if (entry.sn < forgotten_) return;
    Slot& slot = slots_[entry.sn];
    slot.epoch = entry.segment.epoch;
    if (!slot.decided) slot.decided = entry.digest;
    if (slot.decided != entry.digest)
      findings.report("decisions agree", node, entry.sn,
                      "decides another digest than a correct node before it");
    check(node, entry.sn, slot, "is decided", findings);
  }
  void event(NodeId node, const WalTruncate& truncate, Findings& findings) {
    for (auto& [sn, slot] : slots_) {
      if (slot.epoch.value >= truncate.index.value) break;
      for (auto& [digest, holders] : slot.holders) holders.erase(node);
      check(node, sn, slot, "is truncated here", findings);
    }
  }
  void wiped(NodeId node, Findings& findings) {
    covered_[node] = SeqNr(0);
    for (auto& [sn, slot] : slots_) {
      for (auto& [digest, holders] : slot.holders) holders.erase(node);
      check(node, sn, slot, "was lost here", findings);
    }
  }

 private:
  struct Slot {
    Epoch epoch;
    std::map<Digest, std::set<NodeId>> holders;
    std::optional<Digest> decided;
  };

  void cover(NodeId node, const CheckpointHeader& header) {
    covered_[node] = std::max(covered_[node], header.last + 1);
    std::vector<SeqNr> ends;
    for (const auto& [one, end] : covered_) ends.push_back(end);
    if (ends.size() < forgetting_) return;
    std::sort(ends.rbegin(), ends.rend());
    forgotten_ = std::max(forgotten_, ends[forgetting_ - 1]);
    slots_.erase(slots_.begin(), slots_.lower_bound(forgotten_));
  }
  void check(NodeId node, SeqNr sn, const Slot& slot, const char* what, Findings& findings) {
    if (!slot.decided) return;
    const auto holders = slot.holders.find(*slot.decided);
    std::size_t count = 0;
    for (const auto& [one, end] : covered_)
      count += end > sn || (holders != slot.holders.end() && holders->second.contains(one));
    if (count < needed_)
      findings.report("certificates", node, sn,
                      std::string(what) + ", and only " + std::to_string(count) +
                          " correct disks hold a certificate for its digest or a stable "
                          "checkpoint past it");
  }

  std::size_t needed_;
  std::size_t forgetting_;
  std::map<SeqNr, Slot> slots_;
  /// Where the newest stable checkpoint on each correct disk ends.
  std::map<NodeId, SeqNr> covered_;
  /// Nothing is left to be shown of what lies before.
  SeqNr forgotten_;
};

}  // namespace mirbft::sim

#endif

// View changes, worked out once more by brute force.
#ifndef MIRBFT_SIM_VIEW_INVARIANTS_HPP
#define MIRBFT_SIM_VIEW_INVARIANTS_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <mirbft/events/net.hpp>
#include <mirbft/events/wal.hpp>
#include <mirbft/modules/crypto/null.hpp>
#include <mirbft/protocol/iss/config.hpp>
#include <mirbft/protocol/iss/messages.hpp>
#include <mirbft/protocol/orderers/pbft_messages.hpp>
#include <mirbft/sim/certificate_invariants.hpp>
#include <mirbft/sim/epoch_reference.hpp>
#include <mirbft/sim/findings.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft::sim {

/// What each slot of a segment must be decided as in a view, if at all.
using ViewOutcome = std::map<SeqNr, Digest>;

/// What is wrong with a NewView, and else its outcome.
struct NewViewVerdict {
  /// Empty if nothing is.
  std::string fault;
  ViewOutcome outcome;
};

/// Protocol, section 5, word for word: exactly `q` ViewChanges of distinct members, ascending, each
/// for this segment and view; of each claimed slot the claim of the highest view, proven by one
/// certificate; nil for every other slot.
class NewViewReference {
 public:
  /// `plan` is that of the NewView's epoch; both outlive this.
  NewViewReference(const NewView& message, const iss::EpochPlan& plan) noexcept
      : message_(message), plan_(plan) {}

  NewViewVerdict judge(const std::vector<NodeId>& members, std::size_t strong) const {
    if (message_.segment.index >= plan_.segments()) return {"is of no segment", {}};
    if (message_.view == View(0)) return {"is of view 0, which needs none", {}};
    if (message_.view_changes.size() != strong)
      return {"has " + std::to_string(message_.view_changes.size()) + " ViewChanges", {}};
    for (std::size_t i = 0; i < strong; ++i)
      if (const char* fault = fault_of(i, members); *fault != 0) return {fault, {}};
    return combine();
  }
  /// The one who makes it: members take turns, beginning with the leader.
  static NodeId primary(const NewView& message, const iss::EpochPlan& plan,
                        const std::vector<NodeId>& members) {
    std::size_t turn = 0;
    while (members[turn] != plan.leader(message.segment.index)) ++turn;
    for (std::uint64_t left = message.view.value % members.size(); left != 0; --left)
      turn = turn + 1 == members.size() ? 0 : turn + 1;
    return members[turn];
  }

 private:
  const char* fault_of(std::size_t place, const std::vector<NodeId>& members) const {
    const ViewChange& change = message_.view_changes[place];
    if (std::ranges::find(members, change.sender) == members.end())
      return "has a ViewChange of somebody who is no member";
    if (place != 0 && message_.view_changes[place - 1].sender >= change.sender)
      return "has ViewChanges that are not of distinct members in their order";
    if (change.segment != message_.segment || change.view != message_.view)
      return "has a ViewChange for another segment or view";
    std::set<SeqNr> claimed;
    for (const PreparedClaim& claim : change.claims) {
      if (!has(claim.sn)) return "has a claim for a slot of another segment";
      if (!claimed.insert(claim.sn).second) return "has two claims for one slot in a ViewChange";
      if (claim.view >= change.view) return "has a claim of a view that was not over";
    }
    return "";
  }
  NewViewVerdict combine() const {
    NewViewVerdict verdict;
    std::size_t proofs = 0;
    for (std::uint32_t slot = 0; slot < plan_.segment_length(); ++slot) {
      const SeqNr sn = plan_.sn_of(message_.segment.index, slot);
      std::optional<View> highest;
      std::set<Digest> claimed;
      for (const PreparedClaim& claim : claims_of(sn)) {
        if (!highest || claim.view > *highest) claimed.clear();
        if (!highest || claim.view >= *highest) claimed.insert(claim.digest);
        highest = std::max(highest, std::optional(claim.view));
      }
      if (claimed.size() > 1) return {"has claims that contradict one another", {}};
      verdict.outcome[sn] = claimed.empty() ? nil_digest : *claimed.begin();
      if (!highest) continue;
      if (proofs == message_.certificates.size() ||
          !proves(message_.certificates[proofs++], {*highest, sn, *claimed.begin()}))
        return {"does not prove the claim for sn " + std::to_string(sn.value), {}};
    }
    if (proofs != message_.certificates.size()) return {"proves what nobody claims", {}};
    return verdict;
  }

  bool has(SeqNr sn) const {
    return plan_.contains(sn) && plan_.segment_of(sn) == message_.segment.index;
  }
  std::vector<PreparedClaim> claims_of(SeqNr sn) const {
    std::vector<PreparedClaim> all;
    for (const ViewChange& change : message_.view_changes)
      for (const PreparedClaim& claim : change.claims)
        if (claim.sn == sn) all.push_back(claim);
    return all;
  }
  static bool proves(const Certificate& certificate, const PreparedClaim& claim) {
    return PreparedClaim{certificate.view, certificate.sn, certificate.digest} == claim;
  }

  const NewView& message_;
  const iss::EpochPlan& plan_;
};

/// Every NewView that a correct node sends or accepts is what `NewViewReference` says that it must
/// be, and signed by the primary of its view; and whoever votes in a view votes for its outcome.
template <class Crypto = NullCrypto, class Policy = Blacklist>
class NewViewsFollow {
 public:
  using Message = IssMessage<PbftMessage>;

  /// `config` is that of any replica.
  explicit NewViewsFollow(const IssConfig& config, Crypto crypto = Crypto(), Policy policy = {})
      : cluster_(config.cluster), crypto_(std::move(crypto)), epochs_(config, std::move(policy)) {}

  void wiped(NodeId node) { accepted_.erase(node); }
  void event(NodeId, const UpdateNodeKeys& update, Findings&) {
    for (const NodeKey& key : update.keys) crypto_.update_node_key(key.node, update.from, key.key);
  }
  void event(NodeId, const WalAppend<DecidedEntry>& append, Findings&) {
    epochs_.decided(append.entry.sn, append.entry.digest == nil_digest);
  }
  void event(NodeId node, const WalTruncate& truncate, Findings&) {
    auto& all = accepted_[node];
    all.erase(all.begin(), all.lower_bound({{Epoch(truncate.index.value), 0}, View(0)}));
  }

  void event(NodeId node, const SendMessage<Message>& send, Findings& findings) {
    const auto* ordering = std::get_if<PbftMessage>(&send.message);
    if (const auto* made = ordering ? std::get_if<NewView>(ordering) : nullptr)
      (void)check(node, *made, "sends", findings);
  }
  void event(NodeId node, const WalAppend<NewViewEntry>& append, Findings& findings) {
    const NewView& made = append.entry.message;
    accepted_[node][{made.segment, made.view}] = check(node, made, "accepts", findings);
  }
  void event(NodeId node, const WalAppend<VoteEntry>& append, Findings& findings) {
    const PrepareContent& vote = append.entry.content;
    if (vote.view == View(0) || !epochs_.find(vote.segment.epoch)) return;
    const auto& all = accepted_[node];
    const auto accepted = all.find({vote.segment, vote.view});
    const auto wrong = [&](const char* what) {
      findings.report("new views", node, vote.sn,
                      "votes in view " + std::to_string(vote.view.value) + " of segment " +
                          std::to_string(vote.segment.index) + " of epoch " +
                          std::to_string(vote.segment.epoch.value) + what);
    };
    if (accepted == all.end()) return wrong(" and has accepted no NewView for it");
    const auto outcome = accepted->second.find(vote.sn);
    if (outcome == accepted->second.end() || outcome->second != vote.digest)
      wrong(" for something else than its outcome");
  }

 private:
  ViewOutcome check(NodeId node, const NewView& made, const char* does, Findings& findings) {
    const auto* known = epochs_.find(made.segment.epoch);
    if (!known) return {};
    NewViewVerdict verdict =
        NewViewReference(made, known->plan).judge(epochs_.members(), epochs_.quorum().strong());
    const NewViewContent content{made.segment, made.view, made.view_changes, made.certificates};
    if (verdict.fault.empty() &&
        !is_signed(crypto_, cluster_,
                   NewViewReference::primary(made, known->plan, epochs_.members()),
                   made.segment.epoch, "new view", content, made.signature))
      verdict.fault = "is not signed by its primary";
    if (!verdict.fault.empty())
      findings.report("new views", node, std::nullopt,
                      std::string(does) + " a NewView for view " +
                          std::to_string(made.view.value) + " of segment " +
                          std::to_string(made.segment.index) + " of epoch " +
                          std::to_string(made.segment.epoch.value) + " that " + verdict.fault);
    return std::move(verdict.outcome);
  }

  Bytes cluster_;
  Crypto crypto_;
  EpochReference<Policy> epochs_;
  std::map<NodeId, std::map<std::pair<SegmentId, View>, ViewOutcome>> accepted_;
};

}  // namespace mirbft::sim

#endif

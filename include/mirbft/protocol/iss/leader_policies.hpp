// Who leads an epoch: pure functions of the delivered log.
#ifndef MIRBFT_PROTOCOL_ISS_LEADER_POLICIES_HPP
#define MIRBFT_PROTOCOL_ISS_LEADER_POLICIES_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/types/id.hpp>
#include <mirbft/types/quorum.hpp>

namespace mirbft {

// A leader policy is a value type, reflected (its state is part of the checkpoint), with
//   leaders(epoch, members, quorum) const  the leaders of an epoch, sorted, at least one;
//   delivered(sn, leader, outcome)         what became of a leader's sequence number; called for
//                                          each, in ascending order;
//   epoch_ended(epoch, leaders)            all of an epoch, which these led, is delivered; called
//                                          before the epoch's checkpoint is made.
// Anything else that it depends on would let replicas disagree on who leads.

/// Whether a sequence number delivered a batch, or nothing because its leader was given up on.
enum class SlotOutcome : std::uint8_t { batch, nil };

/// Every member leads (ISS, section 3.4, SIMPLE).
struct Simple {
  std::vector<NodeId> leaders(Epoch, const std::vector<NodeId>& members, Quorum) const {
    return members;
  }
  void delivered(SeqNr, NodeId, SlotOutcome) noexcept {}
  void epoch_ended(Epoch, const std::vector<NodeId>&) noexcept {}
};

/// One member leads everything: plain PBFT. `leader` is its place among the sorted members.
struct Fixed {
  std::uint32_t leader = 0;

  std::vector<NodeId> leaders(Epoch, const std::vector<NodeId>& members, Quorum) const {
    return {members[leader % members.size()]};
  }
  void delivered(SeqNr, NodeId, SlotOutcome) noexcept {}
  void epoch_ended(Epoch, const std::vector<NodeId>&) noexcept {}
};

/// All lead but the f whose last nil is the most recent (ISS, section 3.4, BLACKLIST). Who fails
/// stays out until others fail later; a correct member that was suspected wrongly comes back then.
struct Blacklist {
  /// Every member that ever had a nil, once, by its last one. Sequence numbers are delivered in
  /// order, so the newest stands last, and none need be kept.
  std::vector<NodeId> suspects;

  std::vector<NodeId> leaders(Epoch, const std::vector<NodeId>& members, Quorum quorum) const {
    std::vector<NodeId> leading = members;
    for (auto suspect = suspects.rbegin();
         suspect != suspects.rend() && members.size() - leading.size() < quorum.faulty(); ++suspect)
      std::erase(leading, *suspect);
    return leading;
  }
  void delivered(SeqNr, NodeId leader, SlotOutcome outcome) {
    if (outcome != SlotOutcome::nil || (!suspects.empty() && suspects.back() == leader)) return;
    std::erase(suspects, leader);
    suspects.push_back(leader);
  }
  void epoch_ended(Epoch, const std::vector<NodeId>&) noexcept {}
};

/// What `Backoff` remembers of a member that has failed.
struct Ban {
  NodeId member;
  /// How many epochs the next ban lasts.
  std::uint64_t length = 0;
  /// The first epoch that it may lead again.
  Epoch until;
};

/// Who has a nil is banned for some epochs, each time for twice as many, and for one fewer with
/// each epoch that it leads without one (ISS, section 3.4, BACKOFF). At least f+1 lead, so that one
/// of them is correct: the bans that end first are lifted for that.
struct Backoff {
  /// Epochs of the first ban, and of the longest.
  std::uint64_t first_ban = 2;
  std::uint64_t longest_ban = 1024;
  /// By ascending member.
  std::vector<Ban> bans;
  /// Who had a nil in the current epoch, ascending.
  std::vector<NodeId> failed;

  std::vector<NodeId> leaders(Epoch epoch, const std::vector<NodeId>& members,
                              Quorum quorum) const {
    std::vector<NodeId> leading;
    std::vector<std::pair<Epoch, NodeId>> banned;
    for (const NodeId member : members) {
      const auto ban = place(member);
      if (is_at(ban, member) && epoch < ban->until) {
        banned.emplace_back(ban->until, member);
      } else {
        leading.push_back(member);
      }
    }
    std::sort(banned.begin(), banned.end());
    for (auto next = banned.begin(); leading.size() < quorum.faulty() + 1; ++next)
      leading.push_back(next->second);
    std::sort(leading.begin(), leading.end());
    return leading;
  }
  void delivered(SeqNr, NodeId leader, SlotOutcome outcome) {
    if (outcome != SlotOutcome::nil) return;
    const auto at = std::lower_bound(failed.begin(), failed.end(), leader);
    if (at == failed.end() || *at != leader) failed.insert(at, leader);
  }
  void epoch_ended(Epoch epoch, const std::vector<NodeId>& leaders) {
    for (const NodeId leader : leaders) {
      if (std::binary_search(failed.begin(), failed.end(), leader)) {
        ban(leader, epoch);
      } else {
        relent(leader);
      }
    }
    failed.clear();
  }

 private:
  std::vector<Ban>::const_iterator place(NodeId member) const {
    return std::lower_bound(bans.begin(), bans.end(), member,
                            [](const Ban& ban, NodeId wanted) { return ban.member < wanted; });
  }
  bool is_at(std::vector<Ban>::const_iterator ban, NodeId member) const {
    return ban != bans.end() && ban->member == member;
  }
  Ban* find(NodeId member) {
    const auto ban = place(member);
    return is_at(ban, member) ? &bans[static_cast<std::size_t>(ban - bans.begin())] : nullptr;
  }

  void ban(NodeId member, Epoch epoch) {
    Ban* known = find(member);
    if (!known) known = &*bans.insert(place(member), {member, first_ban, {}});
    known->until = epoch + 1 + known->length;
    known->length = std::min(2 * known->length, longest_ban);
  }
  void relent(NodeId member) {
    Ban* known = find(member);
    if (!known) return;
    if (known->length > first_ban) --known->length;
    if (known->length <= first_ban) bans.erase(place(member));
  }
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::Simple);
BOOST_HANA_ADAPT_STRUCT(mirbft::Fixed, leader);
BOOST_HANA_ADAPT_STRUCT(mirbft::Blacklist, suspects);
BOOST_HANA_ADAPT_STRUCT(mirbft::Ban, member, length, until);
BOOST_HANA_ADAPT_STRUCT(mirbft::Backoff, first_ban, longest_ban, bans, failed);

#endif

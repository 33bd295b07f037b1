// Rules of the protocol and a leader policy, each with a mistake.
#ifndef MIRBFT_SIM_ZOO_RULES_HPP
#define MIRBFT_SIM_ZOO_RULES_HPP

#include <cstddef>
#include <cstdint>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/protocol/iss/leader_policies.hpp>
#include <mirbft/protocol/iss/rules.hpp>
#include <mirbft/sim/zoo/mutant.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/quorum.hpp>
#include <mirbft/types/request.hpp>

namespace mirbft::sim::zoo {

/// The rules, but for one.
class Rules : public iss::Rules {
  using Sound = iss::Rules;

 public:
  Rules() = default;
  explicit Rules(Mutant mutant) noexcept : mutant_(mutant) {}

  std::size_t prepares(Quorum quorum) const noexcept {
    return Sound::prepares(quorum) - is(Mutant::quorum_2f);
  }
  std::size_t commits(Quorum quorum) const noexcept {
    return is(Mutant::weak_commit) ? quorum.weak()
                                   : Sound::commits(quorum) - is(Mutant::quorum_2f);
  }
  std::size_t view_changes(Quorum quorum) const noexcept {
    return Sound::view_changes(quorum) - is(Mutant::quorum_2f);
  }
  std::size_t callers(Quorum quorum) const noexcept {
    return is(Mutant::never_joins) ? quorum.members() + 1 : Sound::callers(quorum);
  }
  bool may_prepare(View view, View target) const noexcept {
    return is(Mutant::votes_after_leaving) || Sound::may_prepare(view, target);
  }
  bool must_claim(const Digest& digest) const noexcept {
    return !is(Mutant::claims_forgotten) && !(is(Mutant::nil_not_claimed) && digest == Digest{}) &&
           Sound::must_claim(digest);
  }
  bool supersedes(View claim, View known) const noexcept {
    return is(Mutant::lowest_claim) ? claim < known : Sound::supersedes(claim, known);
  }
  bool counts_for(View view, View wanted) const noexcept {
    return is(Mutant::view_not_compared) ? view <= wanted : Sound::counts_for(view, wanted);
  }
  bool claim(auto& clients, SeqNr sn, const RequestRef& request) const {
    return Sound::claim(clients, sn, request) || is(Mutant::no_duplicate_filter);
  }
  bool may_propose(auto& clients, const RequestRef& request) const {
    return is(Mutant::no_duplicate_filter) || Sound::may_propose(clients, request);
  }
  void put_back(auto& batches, auto& buckets, auto& clients) const {
    if (!is(Mutant::lost_batches)) Sound::put_back(batches, buckets, clients);
  }

 private:
  bool is(Mutant mutant) const noexcept { return mutant_ == mutant; }

  Mutant mutant_ = Mutant::none;
};

/// `Blacklist`, but for a count that no checkpoint holds.
struct Policy {
  Blacklist base{};
  /// Whether it is wrong; a part of the state, since a policy is made anew from that.
  std::uint8_t forgets = 0;
  std::uint64_t ended{};

  std::vector<NodeId> leaders(Epoch epoch, const std::vector<NodeId>& members,
                              Quorum quorum) const {
    if (forgets == 0 || ended % 8 < 4) return base.leaders(epoch, members, quorum);
    return {members.front()};
  }
  void delivered(SeqNr sn, NodeId leader, SlotOutcome outcome) {
    base.delivered(sn, leader, outcome);
  }
  void epoch_ended(Epoch epoch, const std::vector<NodeId>& leaders) {
    ++ended;
    base.epoch_ended(epoch, leaders);
  }
};

}  // namespace mirbft::sim::zoo

BOOST_HANA_ADAPT_STRUCT(mirbft::sim::zoo::Policy, base, forgets);

#endif

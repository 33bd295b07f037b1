// Who leads an epoch: pure functions of the delivered log.
#ifndef MIRBFT_PROTOCOL_ISS_LEADER_POLICIES_HPP
#define MIRBFT_PROTOCOL_ISS_LEADER_POLICIES_HPP

#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/types/id.hpp>

namespace mirbft {

// A leader policy is a value type, reflected (its state is part of the checkpoint), with
//   leaders(epoch, members) const  the leaders of an epoch, sorted, at least one;
//   delivered(sn, leader, outcome) what became of a leader's sequence number.

/// Whether a sequence number delivered a batch, or nothing because its leader was given up on.
enum class SlotOutcome : std::uint8_t { batch, nil };

/// Every member leads (ISS, section 3.4, SIMPLE).
struct Simple {
  std::vector<NodeId> leaders(Epoch, const std::vector<NodeId>& members) const { return members; }
  void delivered(SeqNr, NodeId, SlotOutcome) noexcept {}
};

/// One member leads everything: plain PBFT. `leader` is its place among the sorted members.
struct Fixed {
  std::uint32_t leader = 0;

  std::vector<NodeId> leaders(Epoch, const std::vector<NodeId>& members) const {
    return {members[leader % members.size()]};
  }
  void delivered(SeqNr, NodeId, SlotOutcome) noexcept {}
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::Simple);
BOOST_HANA_ADAPT_STRUCT(mirbft::Fixed, leader);

#endif

// One slot of a Paxos segment: what is proposed, what was accepted, and what that has led to.
#ifndef MIRBFT_PROTOCOL_ORDERERS_PAXOS_SLOT_HPP
#define MIRBFT_PROTOCOL_ORDERERS_PAXOS_SLOT_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <mirbft/protocol/iss/epoch_plan.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/request.hpp>

namespace mirbft::paxos {

/// What a member has accepted, and in which ballot.
struct Acceptance {
  View ballot;
  Digest digest;

  friend bool operator==(const Acceptance&, const Acceptance&) = default;
};

/// What this replica knows of a slot.
struct Slot {
  /// How far it has come in the current ballot.
  enum class Stage : std::uint8_t {
    idle,
    checking,  // the leader's proposal is being checked, its bodies may be missing
    fetching,  // the ballot's digest is known, its batch is not here
    accepted,
  };

  Stage stage = Stage::idle;
  /// What the current ballot proposes, once its digest is known.
  Digest proposed;

  /// The leader's batch if it is here, and its digest once that is computed.
  Batch batch;
  std::optional<Digest> batch_digest;

  /// The newest that this replica has accepted; durable before anything is said that follows
  /// from it, since the log keeps its order.
  std::optional<Acceptance> accepted;
  /// The newest that is durable, so that it may be said again.
  std::optional<Acceptance> said;

  /// Of each member the newest. A member never goes back to a lower ballot.
  std::vector<std::optional<Acceptance>> acceptances;
  /// A majority has accepted this in one ballot.
  std::optional<Acceptance> chosen;
  std::optional<Digest> decided;

  bool holds(const Digest& wanted) const noexcept {
    return wanted == nil_digest || batch_digest == wanted;
  }
  Batch batch_for(const Digest& wanted) const { return wanted == nil_digest ? Batch{} : batch; }
  /// The batch as the log needs it: nothing where what was accepted last has it already.
  Batch batch_to_log(const Digest& wanted) const {
    return accepted && accepted->digest == wanted ? Batch{} : batch_for(wanted);
  }

  /// Notes what a member has accepted. Returns how many have accepted the same.
  std::size_t note(std::size_t member, const Acceptance& acceptance, std::size_t members) {
    acceptances.resize(members);
    auto& newest = acceptances[member];
    if (!newest || newest->ballot < acceptance.ballot) newest = acceptance;
    std::size_t same = 0;
    for (const auto& other : acceptances) same += other == acceptance;
    return same;
  }
};

}  // namespace mirbft::paxos

#endif

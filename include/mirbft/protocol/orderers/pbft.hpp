// PBFT as an orderer of ISS: agreement on each slot of one segment.
#ifndef MIRBFT_PROTOCOL_ORDERERS_PBFT_HPP
#define MIRBFT_PROTOCOL_ORDERERS_PBFT_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <mirbft/events/crypto.hpp>
#include <mirbft/events/wal.hpp>
#include <mirbft/protocol/iss/bad_message.hpp>
#include <mirbft/protocol/iss/cluster.hpp>
#include <mirbft/protocol/iss/epoch_plan.hpp>
#include <mirbft/protocol/orderers/pbft_messages.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/frame_class.hpp>
#include <mirbft/wire/canonical.hpp>

namespace mirbft {

/// Practical Byzantine Fault Tolerance (Castro and Liskov, OSDI 1999), one instance a segment.
///
/// An orderer of `Iss` offers `Message`, `consumes`, `emits`, `quorum`, `segment_of`, `frame_class`
/// and the class `Segment`, whose calls get an environment `env`:
///   env.cluster()                         the members;
///   env.emit(event)                       emits, with `.then(…)`;
///   env.to_others(m), env.to_self(m)      events that carry an orderer's message;
///   env.check(segment, slot, batch)       asks whether a proposal may be voted for; the answer is
///                                         a call of `checked`, when every body is there, or none;
///   env.decided(segment, slot, digest, batch)  the slot is committed;
///   env.bad(reason)                       counts a message that breaks a rule.
struct Pbft {
  using Message = PbftMessage;
  using consumes = events<SignResult<PrepareSigning>, NodeSigsVerified<PrepareChecking>,
                          WalEntry<ProposalEntry>, WalEntry<VoteEntry>, WalEntry<PreparedEntry>,
                          WalEntry<DecidedEntry>>;
  using emits = events<SignRequest<PrepareSigning>, VerifyNodeSigs<PrepareChecking>,
                       WalAppend<ProposalEntry>, WalAppend<VoteEntry>, WalAppend<PreparedEntry>,
                       WalAppend<DecidedEntry>>;

  static constexpr Quorum quorum(std::size_t members) noexcept { return Quorum(members); }

  static FrameClass frame_class(const Message& message) noexcept {
    return std::holds_alternative<PrePrepare>(message) ? FrameClass::batch : FrameClass::vote;
  }

  static SegmentId segment_of(const Message& message) noexcept {
    if (const auto* preprepare = std::get_if<PrePrepare>(&message)) return preprepare->segment;
    if (const auto* prepare = std::get_if<Prepare>(&message)) return prepare->segment;
    return std::get_if<Commit>(&message)->segment;
  }

  class Segment;
};

/// The state of one segment at one replica.
class Pbft::Segment {
 public:
  Segment(const iss::EpochPlan& plan, std::uint32_t index, std::size_t members)
      : id_{plan.epoch(), index},
        leader_(plan.leader(index)),
        first_(plan.sn_of(index, 0)),
        stride_(plan.segments()),
        members_(members),
        slots_(plan.segment_length()) {}

  /// The leader's own proposal for a slot. Requires that the slot has none yet.
  void propose(std::uint32_t place, Batch batch, const Digest& digest, auto& env) {
    Slot& slot = slots_[place];
    slot.batch = std::move(batch);
    vote(place, digest, env);
  }

  /// The answer to `env.check`: the proposal keeps the rules, its bodies are here.
  void checked(std::uint32_t place, const Digest& digest, auto& env) {
    Slot& slot = slots_[place];
    if (slot.stage != Stage::checking) return;
    slot.prepares[slot.leader_index] = {Opinion::unchecked, digest, slot.leader_signature};
    vote(place, digest, env);
  }

  void receive(iss::Member from, Message message, auto& env) {
    if (auto* preprepare = std::get_if<PrePrepare>(&message)) {
      receive(from, std::move(*preprepare), env);
    } else if (auto* prepare = std::get_if<Prepare>(&message)) {
      receive(from, std::move(*prepare), env);
    } else if (auto* commit = std::get_if<Commit>(&message)) {
      receive(from, *commit, env);
    }
  }

  /// Own signature is there: the vote becomes durable, and only then is it sent and counted.
  void process(SignResult<PrepareSigning> signed_, auto& env) {
    const PrepareContent& content = signed_.origin.content;
    const std::optional<std::uint32_t> place = place_of(content.sn);
    if (!place || slots_[*place].stage != Stage::voting) return;
    const Slot& slot = slots_[*place];
    const RetentionIndex retention(id_.epoch.value);
    const Prepare own{id_, content.view, content.sn, content.digest, signed_.signature};
    const bool leads = env.cluster().self().id == leader_;
    if (leads) env.emit(WalAppend<ProposalEntry>{{id_, content.sn, slot.batch}, retention});
    auto voted = env.emit(WalAppend<VoteEntry>{{content, signed_.signature}, retention});
    if (leads) {
      voted.then(env.to_others(PrePrepare{id_, content.sn, slot.batch, signed_.signature}),
                 env.to_self(own));
    } else {
      voted.then(env.to_others(own), env.to_self(own));
    }
  }

  void process(NodeSigsVerified<PrepareChecking> verified, auto& env) {
    const PrepareContent& content = verified.origin.content;
    const std::optional<std::uint32_t> place = place_of(content.sn);
    if (!place) return;
    Slot& slot = slots_[*place];
    slot.checking = false;
    if (slot.stage != Stage::voted || slot.digest != content.digest) return;
    for (std::size_t i = 0; i < verified.verdicts.size(); ++i) {
      const auto signer = env.cluster().find(verified.origin.signers[i]);
      const bool valid = verified.verdicts[i] == SignatureCheck::valid;
      slot.prepares[signer->index].opinion = valid ? Opinion::valid : Opinion::forged;
      if (!valid) env.bad(Bad::signature);
    }
    try_to_prepare(*place, env);
  }

  /// Others have committed this: so has this replica.
  void adopt(std::uint32_t place, const Digest& digest, Batch batch, auto& env) {
    Slot& slot = slots_[place];
    if (slot.stage == Stage::committed) return;
    slot.digest = digest;
    slot.batch = std::move(batch);
    commit(place, env);
  }
  bool is_committed(std::uint32_t place) const noexcept {
    return slots_[place].stage == Stage::committed;
  }
  NodeId leader() const noexcept { return leader_; }

 private:
  enum class Stage : std::uint8_t { idle, checking, voting, voted, preparing, prepared, committed };
  enum class Opinion : std::uint8_t { absent, unchecked, valid, forged };
  using Bad = iss::BadMessage;

  struct Vote {
    Opinion opinion = Opinion::absent;
    Digest digest;
    Bytes signature;
  };
  struct Slot {
    Stage stage = Stage::idle;
    bool checking = false;
    std::size_t leader_index = 0;
    Batch batch;
    Digest digest;
    Bytes leader_signature;
    std::vector<Vote> prepares;
    std::vector<std::optional<Digest>> commits;
  };

  SeqNr sn_of(std::uint32_t place) const noexcept { return first_ + place * stride_; }
  std::optional<std::uint32_t> place_of(SeqNr sn) const noexcept {
    const std::uint64_t distance = sn - first_;
    if (sn < first_ || distance % stride_ != 0 || distance / stride_ >= slots_.size())
      return std::nullopt;
    return static_cast<std::uint32_t>(distance / stride_);
  }
  void make_room(Slot& slot) {
    if (!slot.prepares.empty()) return;
    slot.prepares.resize(members_);
    slot.commits.resize(members_);
  }

  void vote(std::uint32_t place, const Digest& digest, auto& env) {
    Slot& slot = slots_[place];
    make_room(slot);
    slot.stage = Stage::voting;
    slot.digest = digest;
    const PrepareContent content{id_, View(0), sn_of(place), digest};
    env.emit(SignRequest<PrepareSigning>{signed_bytes(content, env), {content}});
  }

  static Bytes signed_bytes(const PrepareContent& content, auto& env) {
    return wire::canonical("prepare", env.cluster().name().view(), content);
  }

  void receive(iss::Member from, PrePrepare message, auto& env) {
    const std::optional<std::uint32_t> place = place_of(message.sn);
    if (!place || from.id != leader_ || from.id == env.cluster().self().id)
      return env.bad(Bad::proposal);
    Slot& slot = slots_[*place];
    if (slot.stage == Stage::committed) return;
    if (slot.stage != Stage::idle) return env.bad(Bad::duplicate);
    make_room(slot);
    slot.stage = Stage::checking;
    slot.leader_index = from.index;
    slot.batch = std::move(message.batch);
    slot.leader_signature = std::move(message.signature);
    env.check(id_, *place, slot.batch);
  }

  void receive(iss::Member from, Prepare message, auto& env) {
    const std::optional<std::uint32_t> place = place_of(message.sn);
    if (!place || message.view != View(0)) return env.bad(Bad::vote);
    Slot& slot = slots_[*place];
    if (slot.stage >= Stage::preparing) return;
    make_room(slot);
    Vote& vote = slot.prepares[from.index];
    if (vote.opinion != Opinion::absent) return env.bad(Bad::duplicate);
    const bool own = from.id == env.cluster().self().id;
    vote = {own ? Opinion::valid : Opinion::unchecked, message.digest,
            std::move(message.signature)};
    if (own) slot.stage = Stage::voted;
    try_to_prepare(*place, env);
  }

  void receive(iss::Member from, const Commit& message, auto& env) {
    const std::optional<std::uint32_t> place = place_of(message.sn);
    if (!place || message.view != View(0)) return env.bad(Bad::vote);
    Slot& slot = slots_[*place];
    if (slot.stage == Stage::committed) return;
    make_room(slot);
    if (slot.commits[from.index]) return env.bad(Bad::duplicate);
    slot.commits[from.index] = message.digest;
    if (from.id == env.cluster().self().id) slot.stage = Stage::prepared;
    try_to_commit(*place, env);
  }

  /// q valid Prepares that match the own vote make a certificate. Signatures are checked together,
  /// once there are enough that they could matter.
  void try_to_prepare(std::uint32_t place, auto& env) {
    Slot& slot = slots_[place];
    if (slot.stage != Stage::voted || slot.checking) return;
    std::size_t valid = 0;
    std::size_t unchecked = 0;
    for (const Vote& vote : slot.prepares) {
      if (vote.digest != slot.digest) continue;
      valid += vote.opinion == Opinion::valid;
      unchecked += vote.opinion == Opinion::unchecked;
    }
    const std::size_t needed = env.cluster().quorum().strong();
    if (valid >= needed) {
      prepare(place, env);
    } else if (valid + unchecked >= needed) {
      check_signatures(place, env);
    }
  }

  void check_signatures(std::uint32_t place, auto& env) {
    Slot& slot = slots_[place];
    const PrepareContent content{id_, View(0), sn_of(place), slot.digest};
    const Bytes message = signed_bytes(content, env);
    VerifyNodeSigs<PrepareChecking> request{{}, {content, {}}};
    for (std::size_t i = 0; i < slot.prepares.size(); ++i) {
      const Vote& vote = slot.prepares[i];
      if (vote.opinion != Opinion::unchecked || vote.digest != slot.digest) continue;
      const NodeId signer = env.cluster().members()[i];
      request.signatures.push_back({signer, message, vote.signature});
      request.origin.signers.push_back(signer);
    }
    slot.checking = true;
    env.emit(std::move(request));
  }

  /// The certificate becomes durable before the Commit that stands for it is sent or counted.
  void prepare(std::uint32_t place, auto& env) {
    Slot& slot = slots_[place];
    slot.stage = Stage::preparing;
    const PrepareContent content{id_, View(0), sn_of(place), slot.digest};
    PreparedEntry entry{content, {}};
    for (std::size_t i = 0; i < slot.prepares.size(); ++i)
      if (slot.prepares[i].opinion == Opinion::valid && slot.prepares[i].digest == slot.digest)
        entry.certificate.push_back({env.cluster().members()[i], slot.prepares[i].signature});
    const Commit own{id_, content.view, content.sn, content.digest};
    env.emit(WalAppend<PreparedEntry>{std::move(entry), RetentionIndex(id_.epoch.value)})
        .then(env.to_others(own), env.to_self(own));
  }

  void try_to_commit(std::uint32_t place, auto& env) {
    Slot& slot = slots_[place];
    if (slot.stage != Stage::prepared) return;
    std::size_t matching = 0;
    for (const auto& digest : slot.commits) matching += digest == slot.digest;
    if (matching < env.cluster().quorum().strong()) return;
    env.emit(WalAppend<DecidedEntry>{{{id_, View(0), sn_of(place), slot.digest}},
                                     RetentionIndex(id_.epoch.value)});
    commit(place, env);
  }

  void commit(std::uint32_t place, auto& env) {
    Slot& slot = slots_[place];
    slot.stage = Stage::committed;
    slot.prepares = {};
    slot.commits = {};
    env.decided(id_, place, slot.digest, std::move(slot.batch));
  }

  SegmentId id_;
  NodeId leader_;
  SeqNr first_;
  std::uint64_t stride_;
  std::size_t members_;
  std::vector<Slot> slots_;
};

}  // namespace mirbft

#endif

// PBFT as an orderer of ISS: agreement on each slot of one segment, under changing primaries.
#ifndef MIRBFT_PROTOCOL_ORDERERS_PBFT_HPP
#define MIRBFT_PROTOCOL_ORDERERS_PBFT_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <mirbft/events/crypto.hpp>
#include <mirbft/events/wal.hpp>
#include <mirbft/protocol/iss/bad_message.hpp>
#include <mirbft/protocol/iss/cluster.hpp>
#include <mirbft/protocol/iss/epoch_plan.hpp>
#include <mirbft/protocol/orderers/pbft_messages.hpp>
#include <mirbft/protocol/orderers/pbft_slot.hpp>
#include <mirbft/protocol/orderers/pbft_view_change.hpp>
#include <mirbft/types/frame_class.hpp>
#include <mirbft/types/visit.hpp>

namespace mirbft {

/// Practical Byzantine Fault Tolerance (Castro and Liskov, OSDI 1999), one instance a segment.
///
/// An orderer of `Iss` offers `Message`, `Entry` (a variant of what it writes ahead), `consumes`,
/// `emits`, `segment_of`, `frame_class`, `quorum`, and the class `Segment`, whose calls get an
/// environment `env`:
///   env.cluster()                         the members;
///   env.rules()                           what is decided by: `iss::Rules`;
///   env.emit(event)                       emits, with `.then(…)`;
///   env.to(node, m), env.to_others(m), env.to_self(m)   events that carry an orderer's message;
///   env.now()                             the time of the newest Tick;
///   env.patience(view)                    how long a view may go without progress;
///   env.segment_patience(length)          how long a whole segment may be waited for;
///   env.resend_after()                    when to say something again;
///   env.may_vote(segment)                 false where this replica only learns;
///   env.claimed(segment, slot, batch)     a proposal that was voted for before a restart;
///   env.check(segment, slot, batch)       asks whether a proposal may be voted for; the answer is
///                                         a call of `checked`, when every body is there, or none;
///   env.decided(segment, slot, digest, batch)  the slot is committed, `nil_digest` for nothing;
///   env.bad(reason)                       counts a message that breaks a rule;
///   env.halt(reason)                      going on would be wrong.
struct Pbft {
  using Message = PbftMessage;
  using Entry =
      std::variant<VoteEntry, PreparedEntry, DecidedEntry, ViewChangeEntry, NewViewEntry>;
  using consumes =
      events<SignResult<PrepareSigning>, NodeSigsVerified<PrepareChecking>,
             SignResult<ViewChangeSigning>, NodeSigsVerified<ViewChangeChecking>,
             SignResult<NewViewSigning>, NodeSigsVerified<NewViewChecking>, WalEntry<VoteEntry>,
             WalEntry<PreparedEntry>, WalEntry<DecidedEntry>, WalEntry<ViewChangeEntry>,
             WalEntry<NewViewEntry>>;
  using emits =
      events<SignRequest<PrepareSigning>, VerifyNodeSigs<PrepareChecking>,
             SignRequest<ViewChangeSigning>, VerifyNodeSigs<ViewChangeChecking>,
             SignRequest<NewViewSigning>, VerifyNodeSigs<NewViewChecking>, WalAppend<VoteEntry>,
             WalAppend<PreparedEntry>, WalAppend<DecidedEntry>, WalAppend<ViewChangeEntry>,
             WalAppend<NewViewEntry>>;

  static constexpr Quorum quorum(std::size_t members) noexcept {
    return Quorum(members);
  }

  static FrameClass frame_class(const Message& message) noexcept {
    const bool small =
        std::holds_alternative<Prepare>(message) || std::holds_alternative<Commit>(message);
    return small ? FrameClass::vote : FrameClass::batch;
  }

  static SegmentId segment_of(const Message& message) noexcept {
    SegmentId segment;
    visit_alternative(message, [&](const auto& one) { segment = one.segment; });
    return segment;
  }
  static SegmentId segment_of(const VoteEntry& entry) noexcept { return entry.content.segment; }
  static SegmentId segment_of(const PreparedEntry& entry) noexcept { return entry.segment; }
  static SegmentId segment_of(const DecidedEntry& entry) noexcept { return entry.segment; }
  static SegmentId segment_of(const ViewChangeEntry& entry) noexcept {
    return entry.message.segment;
  }
  static SegmentId segment_of(const NewViewEntry& entry) noexcept { return entry.message.segment; }

  class Segment;
};

/// The state of one segment at one replica.
class Pbft::Segment {
 public:
  Segment(const iss::EpochPlan& plan, std::uint32_t index, std::size_t members)
      : id_{plan.epoch(), index},
        leader_(plan.leader(index)),
        range_{plan.sn_of(index, 0), plan.segments(), plan.segment_length()},
        members_(members),
        slots_(plan.segment_length()) {}

  NodeId leader() const noexcept { return leader_; }
  View view() const noexcept { return view_; }
  bool is_complete() const noexcept { return decided_ == slots_.size(); }
  /// Whether its leader may still propose.
  bool is_open() const noexcept { return view_ == View(0) && !is_changing(); }

  // Proposals, batches and decisions.

  /// The leader's own proposal for a slot that has none yet. It comes to nothing once the view is
  /// changing: then the slot is decided as nil, and its requests go back to their buckets.
  void propose(std::uint32_t place, Batch batch, const Digest& digest, auto& env) {
    if (!is_open()) return;
    hold(place, std::move(batch), digest);
    vote(place, digest, env);
  }
  /// Whether this replica has proposed for a slot, perhaps before a restart.
  bool is_proposed(std::uint32_t place) const noexcept {
    return slots_[place].stage != Stage::idle || slots_[place].decided;
  }

  /// The answer to `env.check`: the proposal keeps the rules, its bodies are here.
  void checked(std::uint32_t place, const Digest& digest, auto& env) {
    Slot& slot = slots_[place];
    if (slot.batch_digest) return;  // another batch has taken the place of the one that was checked
    slot.batch_digest = digest;
    if (slot.stage == Stage::fetching && slot.digest == digest) return vote(place, digest, env);
    if (slot.stage != Stage::checking || is_changing()) return;
    const std::size_t leader = env.cluster().find(leader_)->index;
    make_room(slot);
    (void)slot.prepares.keep(leader, {view_, digest, slot.leader_signature});
    vote(place, digest, env);
  }

  /// The digest of a batch that this replica lacks: fetched from others, and then `supplied`.
  std::optional<Digest> wanted(std::uint32_t place) const {
    const Slot& slot = slots_[place];
    return slot.stage == Stage::fetching && !slot.decided ? std::optional(slot.digest)
                                                          : std::nullopt;
  }
  void supplied(std::uint32_t place, const Digest& digest, Batch batch, auto& env) {
    if (wanted(place) != digest) return;
    hold(place, std::move(batch), digest);
    vote(place, digest, env);
  }
  /// The batch that is here for a slot that may be undecided, for others who want it.
  std::optional<Batch> batch_of(std::uint32_t place) const {
    const Slot& slot = slots_[place];
    return slot.batch_digest ? std::optional(slot.batch) : std::nullopt;
  }

  /// Others have committed this: so has this replica.
  void adopt(std::uint32_t place, const Digest& digest, Batch batch, auto& env) {
    if (slots_[place].decided) return;
    if (digest != nil_digest) hold(place, std::move(batch), digest);
    commit(place, digest, env);
  }

  // Messages, and answers of other modules.

  void receive(iss::Member from, Message message, auto& env) {
    if (is_stable_) return;
    visit_alternative(message, [&](auto& one) { receive(from, std::move(one), env); });
  }

  /// The own signature is there: the vote becomes durable, and only then is it sent and counted.
  void process(SignResult<PrepareSigning> signed_, auto& env) {
    const PrepareContent& content = signed_.origin.content;
    const std::optional<std::uint32_t> place = range_.place_of(content.sn);
    if (!place || content.view != view_ || is_changing()) return;
    const Slot& slot = slots_[*place];
    if (slot.stage != Stage::voting || slot.digest != content.digest) return;
    // Another batch may have been decided meanwhile; the vote stays ungiven, as nobody needs it.
    if (!slot.holds(content.digest)) return;
    const Batch batch = slot.batch_for(content.digest);
    const Prepare own{id_, content.view, content.sn, content.digest, signed_.signature};
    auto voted =
        env.emit(WalAppend<VoteEntry>{{content, signed_.signature, batch}, retention()});
    if (view_ == View(0) && env.cluster().self().id == leader_) {
      voted.then(env.to_others(PrePrepare{id_, content.sn, batch, signed_.signature}),
                 env.to_self(own));
    } else {
      voted.then(env.to_others(own), env.to_self(own));
    }
  }

  void process(NodeSigsVerified<PrepareChecking> verified, auto& env) {
    const PrepareContent& content = verified.origin.content;
    const std::optional<std::uint32_t> place = range_.place_of(content.sn);
    if (!place) return;
    Slot& slot = slots_[*place];
    if (content.view == view_) slot.checking = false;
    for (std::size_t i = 0; i < verified.verdicts.size(); ++i) {
      const std::size_t signer = env.cluster().find(verified.origin.signers[i])->index;
      const bool valid = verified.verdicts[i] == SignatureCheck::valid;
      if (!valid) env.bad(Bad::signature);
      if (PrepareVote* vote = slot.prepares.find(signer, content.view, content.digest))
        vote->opinion = valid ? Opinion::valid : Opinion::forged;
    }
    try_to_prepare(*place, env);
  }

  void process(SignResult<ViewChangeSigning> signed_, auto& env) {
    ViewChangeContent& content = signed_.origin.content;
    if (content.view != target_ || !is_changing() || is_stable_) return;
    ViewChange own{content.segment,          content.view, content.sender,
                   std::move(content.claims), {},           {}};
    own.signature = std::move(signed_.signature);
    auto durable = env.emit(WalAppend<ViewChangeEntry>{{own}, retention()});
    own.certificates = certificates(env.rules());
    durable.then(env.to_others(own), env.to_self(own));
  }

  void process(NodeSigsVerified<ViewChangeChecking> verified, auto& env) {
    const ViewChangeMark& mark = verified.origin.content;
    const bool valid = all_valid(verified.verdicts);
    if (!valid) env.bad(Bad::signature);
    changes_.checked(env.cluster().find(mark.sender)->index, mark.view, valid);
    try_to_lead(env);
  }

  void process(SignResult<NewViewSigning> signed_, auto& env) {
    if (!draft_ || signed_.origin.content.view != draft_->view || target_ != draft_->view) return;
    draft_->signature = std::move(signed_.signature);
    const NewView own = std::move(*draft_);
    env.emit(WalAppend<NewViewEntry>{{own}, retention()})
        .then(env.to_others(own), env.to_self(own));
    enter(own, env);
  }

  void process(NodeSigsVerified<NewViewChecking> verified, auto& env) {
    const ViewChangeMark& mark = verified.origin.content;
    const std::size_t sender = env.cluster().find(mark.sender)->index;
    if (sender >= offered_.size() || !offered_[sender] || offered_[sender]->view != mark.view)
      return;
    const NewView message = *std::exchange(offered_[sender], std::nullopt);
    if (!all_valid(verified.verdicts)) return env.bad(Bad::signature);
    if (message.view <= view_ || message.view < target_) return;
    env.emit(WalAppend<NewViewEntry>{{message}, retention()}).then(env.to_self(message));
    enter(message, env);
  }

  // Time.

  /// Whether this replica still needs votes of the current view to help those who have not decided
  /// a slot that it has.
  bool awaits_votes(std::uint32_t place) const noexcept {
    const Slot& slot = slots_[place];
    return !is_stable_ && !is_changing() && view_ != View(0) && slot.stage < Stage::preparing &&
           (!slot.decided || (slot.decided_in < view_ && slot.decided == slot.digest));
  }

  /// At every Tick. `expected` tells whether anybody waits for this segment: a leader who has
  /// nothing to propose is not suspected.
  void tick(bool expected, auto& env) {
    const auto now = env.now();
    const auto elapsed = now - std::exchange(last_tick_, now);
    if (is_stable_ || is_complete()) return;
    if (is_changing()) return tick_while_changing(env);
    if (!expected && view_ == View(0)) {
      last_progress_ = now;
      return;
    }
    if (began_) waited_ += elapsed;
    if (!std::exchange(began_, true)) last_progress_ = now;
    const bool stuck = now - last_progress_ >= env.patience(view_);
    const bool slow = view_ == View(0) && waited_ >= env.segment_patience(slots_.size());
    if (stuck || slow) call_for(view_ + 1, env);
  }
  /// For how long nothing has been decided here although it was expected.
  std::chrono::nanoseconds idle_for(std::chrono::nanoseconds now) const noexcept {
    return began_ ? now - last_progress_ : std::chrono::nanoseconds(0);
  }

  /// A strong quorum is done with the segment: nobody needs its votes or certificates any more.
  void stable() {
    if (!is_complete()) return;
    is_stable_ = true;
    for (Slot& slot : slots_) {
      const auto decided = slot.decided;
      slot = {};
      slot.decided = decided;
    }
    changes_.clear();
    offered_ = {};
    own_change_.reset();
    draft_.reset();
    new_view_.reset();
  }

  /// Says again, by `send(message)`, what this replica has said of a slot.
  void repeat_slot(std::uint32_t place, NodeId self, auto&& send) const {
    const Slot& slot = slots_[place];
    const SeqNr sn = range_.sn_of(place);
    if (const auto& own = slot.own_prepare) {
      if (own->view == View(0) && self == leader_) {
        send(PrePrepare{id_, sn, slot.batch, own->signature});
      } else {
        send(Prepare{id_, own->view, sn, own->digest, own->signature});
      }
    }
    if (const auto& own = slot.own_commit) send(Commit{id_, own->view, sn, own->digest});
  }
  /// The same of the segment as a whole.
  void repeat_view(auto&& send) const {
    if (is_changing() && own_change_) send(*own_change_);
    if (new_view_) send(*new_view_);
  }

  // After a restart: entries of the write-ahead log, in order, and then `resume`.

  void recover(VoteEntry entry, auto& env) {
    const auto place = range_.place_of(entry.content.sn);
    if (!place) return;
    Slot& slot = slots_[*place];
    const PrepareContent& content = entry.content;
    if (content.digest != nil_digest) hold(*place, std::move(entry.batch), content.digest);
    if (content.view == View(0)) env.claimed(id_, *place, slot.batch);
    slot.own_prepare = {content.view, content.digest, entry.signature, Opinion::valid};
    if (content.view != view_ || (slot.decided && content.view <= slot.decided_in)) return;
    slot.digest = content.digest;
    slot.stage = Stage::voted;
    make_room(slot);
    (void)slot.prepares.keep(env.cluster().self().index, *slot.own_prepare);
  }
  void recover(PreparedEntry entry, auto& env) {
    const auto place = range_.place_of(entry.certificate.sn);
    if (!place) return;
    Slot& slot = slots_[*place];
    slot.own_commit = {entry.certificate.view, entry.certificate.digest};
    if (!slot.decided) {
      make_room(slot);
      (void)slot.commits.keep(env.cluster().self().index, *slot.own_commit);
    }
    if (entry.certificate.view == view_) slot.stage = Stage::prepared;
    slot.certificate = std::move(entry.certificate);
  }
  void recover(DecidedEntry entry, auto& env) {
    const auto place = range_.place_of(entry.sn);
    if (!place || slots_[*place].decided) return;
    if (!slots_[*place].holds(entry.digest)) hold(*place, std::move(entry.batch), entry.digest);
    decide(*place, entry.digest, env);
  }
  void recover(ViewChangeEntry entry, auto& env) {
    target_ = entry.message.view;
    began_ = true;
    own_change_ = std::move(entry.message);
    own_change_->certificates = certificates(env.rules());
    changes_.make_room(members_);
    keep_own_change(env);
  }
  void recover(NewViewEntry entry, auto& env) {
    begin_view(entry.message, env);
    new_view_ = std::move(entry.message);
  }

  void resume(auto& env) {
    if (!is_changing() && view_ != View(0)) vote_for_outcome(env);
    const auto send = [&](auto message) { env.emit(env.to_others(std::move(message))); };
    repeat_view(send);
    for (std::uint32_t place = 0; place < slots_.size(); ++place) {
      if (slots_[place].decided) continue;
      repeat_slot(place, env.cluster().self().id, send);
      try_to_prepare(place, env);
      try_to_commit(place, env);
    }
  }

 private:
  using Bad = iss::BadMessage;
  using Slot = pbft::Slot;
  using Stage = Slot::Stage;
  using PrepareVote = pbft::PrepareVote;
  using Opinion = PrepareVote::Opinion;

  RetentionIndex retention() const noexcept { return RetentionIndex(id_.epoch.value); }
  /// This replica has called for a view, and votes in none until that or a later one begins.
  bool is_changing() const noexcept { return target_ > view_; }
  NodeId primary(View view, const iss::Cluster& cluster) const {
    const std::size_t n = cluster.members().size();
    return cluster.members()[(cluster.find(leader_)->index + view.value % n) % n];
  }
  void make_room(Slot& slot) {
    slot.prepares.make_room(members_);
    slot.commits.make_room(members_);
  }
  void hold(std::uint32_t place, Batch batch, const Digest& digest) {
    slots_[place].batch = std::move(batch);
    slots_[place].batch_digest = digest;
  }

  // Voting.

  /// One vote a slot and view, restarts included: another one would be a lie to somebody.
  void vote(std::uint32_t place, const Digest& digest, auto& env) {
    if (!env.may_vote(id_)) return;
    Slot& slot = slots_[place];
    make_room(slot);
    slot.digest = digest;
    if (slot.own_prepare && slot.own_prepare->view == view_) {
      if (slot.own_prepare->digest != digest)
        return env.halt("a second vote for sequence number " +
                        std::to_string(range_.sn_of(place).value) + " in view " +
                        std::to_string(view_.value));
      slot.stage = Stage::voted;
      return try_to_prepare(place, env);
    }
    slot.stage = Stage::voting;
    const PrepareContent content{id_, view_, range_.sn_of(place), digest};
    env.emit(SignRequest<PrepareSigning>{
        id_.epoch, pbft::signed_bytes(env.cluster(), content), {content}});
  }

  void receive(iss::Member from, PrePrepare message, auto& env) {
    const std::optional<std::uint32_t> place = range_.place_of(message.sn);
    if (!place || from.id != leader_ || from.id == env.cluster().self().id)
      return env.bad(Bad::proposal);
    Slot& slot = slots_[*place];
    if (slot.decided || !is_open()) return;
    if (slot.stage != Stage::idle) {
      // Said again, since this replica has asked; or a second proposal.
      if (!(slot.batch == message.batch)) env.bad(Bad::duplicate);
      return;
    }
    slot.stage = Stage::checking;
    slot.batch = std::move(message.batch);
    slot.batch_digest.reset();
    slot.leader_signature = std::move(message.signature);
    env.check(id_, *place, slot.batch);
  }

  /// The slot of a vote, if the vote may still matter.
  Slot* slot_for(SeqNr sn, View view, auto& env) {
    const std::optional<std::uint32_t> place = range_.place_of(sn);
    if (!place) {
      env.bad(Bad::vote);
      return nullptr;
    }
    Slot& slot = slots_[*place];
    if (slot.decided && view <= slot.decided_in) return nullptr;
    make_room(slot);
    return &slot;
  }

  /// What was given is stood by, also where the decision came first.
  template <class Vote>
  static void stand_by(std::optional<Vote>& newest, const Vote& vote) {
    if (!newest || newest->view < vote.view) newest = vote;
  }

  void receive(iss::Member from, Prepare message, auto& env) {
    const bool own = from.id == env.cluster().self().id;
    const PrepareVote vote{message.view, message.digest, std::move(message.signature),
                           own ? Opinion::valid : Opinion::unchecked};
    if (own) stand_by(slots_[*range_.place_of(message.sn)].own_prepare, vote);
    Slot* slot = slot_for(message.sn, message.view, env);
    if (!slot) return;
    const auto kept = slot->prepares.keep(from.index, vote);
    if (kept == pbft::Kept::contradicts) return env.bad(Bad::duplicate);
    if (own && kept == pbft::Kept::news) {
      if (slot->stage == Stage::voting && message.view == view_) slot->stage = Stage::voted;
    }
    try_to_prepare(*range_.place_of(message.sn), env);
  }

  void receive(iss::Member from, const Commit& message, auto& env) {
    const bool own = from.id == env.cluster().self().id;
    const pbft::CommitVote vote{message.view, message.digest};
    if (own) stand_by(slots_[*range_.place_of(message.sn)].own_commit, vote);
    Slot* slot = slot_for(message.sn, message.view, env);
    if (!slot) return;
    const auto kept = slot->commits.keep(from.index, vote);
    if (kept == pbft::Kept::contradicts) return env.bad(Bad::duplicate);
    if (own && kept == pbft::Kept::news) {
      if (slot->stage == Stage::preparing && message.view == view_) slot->stage = Stage::prepared;
    }
    try_to_commit(*range_.place_of(message.sn), env);
  }

  /// q valid Prepares that match the own vote make a certificate. Signatures are checked together,
  /// once there are enough that they could matter.
  void try_to_prepare(std::uint32_t place, auto& env) {
    Slot& slot = slots_[place];
    if (slot.stage != Stage::voted || slot.checking ||
        !env.rules().may_prepare(view_, target_))
      return;
    std::size_t valid = 0;
    std::size_t unchecked = 0;
    for (std::size_t member = 0; member < slot.prepares.size(); ++member) {
      const PrepareVote* vote = slot.prepares.find(member, view_, slot.digest);
      valid += vote && vote->opinion == Opinion::valid;
      unchecked += vote && vote->opinion == Opinion::unchecked;
    }
    const std::size_t needed = env.rules().prepares(env.cluster().quorum());
    if (valid >= needed) {
      prepare(place, env);
    } else if (valid + unchecked >= needed) {
      check_signatures(place, env);
    }
  }

  void check_signatures(std::uint32_t place, auto& env) {
    Slot& slot = slots_[place];
    const PrepareContent content{id_, view_, range_.sn_of(place), slot.digest};
    const Bytes message = pbft::signed_bytes(env.cluster(), content);
    VerifyNodeSigs<PrepareChecking> request{id_.epoch, {}, {content, {}}};
    for (std::size_t member = 0; member < slot.prepares.size(); ++member) {
      const PrepareVote* vote = slot.prepares.find(member, view_, slot.digest);
      if (!vote || vote->opinion != Opinion::unchecked) continue;
      const NodeId signer = env.cluster().members()[member];
      request.signatures.push_back({signer, message, vote->signature});
      request.origin.signers.push_back(signer);
    }
    slot.checking = true;
    env.emit(std::move(request));
  }

  /// The certificate becomes durable before the Commit that stands for it is sent or counted.
  void prepare(std::uint32_t place, auto& env) {
    Slot& slot = slots_[place];
    slot.stage = Stage::preparing;
    Certificate certificate{view_, range_.sn_of(place), slot.digest, {}};
    for (std::size_t member = 0; member < slot.prepares.size(); ++member) {
      const PrepareVote* vote = slot.prepares.find(member, view_, slot.digest);
      if (vote && vote->opinion == Opinion::valid &&
          certificate.signatures.size() < env.rules().prepares(env.cluster().quorum()))
        certificate.signatures.push_back({env.cluster().members()[member], vote->signature});
    }
    const Commit own{id_, view_, certificate.sn, slot.digest};
    slot.certificate = certificate;
    env.emit(WalAppend<PreparedEntry>{{id_, std::move(certificate)}, retention()})
        .then(env.to_others(own), env.to_self(own));
  }

  /// Also while the view is changing: a decision is one in every view.
  void try_to_commit(std::uint32_t place, auto& env) {
    Slot& slot = slots_[place];
    if (slot.decided || !slot.certificate || !slot.own_commit ||
        slot.own_commit->view != slot.certificate->view)
      return;
    const Certificate& certificate = *slot.certificate;
    std::size_t matching = 0;
    for (std::size_t member = 0; member < slot.commits.size(); ++member)
      matching += slot.commits.find(member, certificate.view, certificate.digest) != nullptr;
    if (matching < env.rules().commits(env.cluster().quorum())) return;
    slot.committed_in = certificate.view;
    commit(place, Digest(certificate.digest), env);
  }

  /// The entry repeats the batch only where no vote in the log has it.
  void commit(std::uint32_t place, const Digest& digest, auto& env) {
    const Slot& slot = slots_[place];
    const bool voted = slot.own_prepare && slot.own_prepare->digest == digest;
    env.emit(WalAppend<DecidedEntry>{
        {id_, range_.sn_of(place), digest, voted ? Batch{} : slot.batch_for(digest)},
        retention()});
    decide(place, digest, env);
  }
  void decide(std::uint32_t place, const Digest& digest, auto& env) {
    Slot& slot = slots_[place];
    slot.decided = digest;
    slot.decided_in = view_;
    slot.prepares.clear();
    slot.commits.clear();
    ++decided_;
    last_progress_ = env.now();
    env.decided(id_, place, digest, slot.batch_for(digest));
  }

  // Changing views.

  /// Votes in no view before `view` any more, and calls for it.
  void call_for(View view, auto& env) {
    if (!env.may_vote(id_)) return;
    target_ = view;
    began_ = true;
    called_.reset();
    draft_.reset();
    ViewChange change{id_, view, env.cluster().self().id, {}, {}, {}};
    for (const Slot& slot : slots_)
      if (slot.certificate && env.rules().must_claim(slot.certificate->digest))
        change.claims.push_back(
            {slot.certificate->view, slot.certificate->sn, slot.certificate->digest});
    env.emit(SignRequest<ViewChangeSigning>{
        id_.epoch, pbft::signed_bytes(env.cluster(), change), {pbft::content_of(change)}});
  }
  std::vector<Certificate> certificates(const auto& rules) const {
    std::vector<Certificate> all;
    for (const Slot& slot : slots_)
      if (slot.certificate && rules.must_claim(slot.certificate->digest))
        all.push_back(*slot.certificate);
    return all;
  }
  void keep_own_change(auto& env) {
    const std::size_t self = env.cluster().self().index;
    (void)changes_.keep(self, *own_change_);
    changes_.checked(self, own_change_->view, true);
  }

  void receive(iss::Member from, ViewChange message, auto& env) {
    if (message.sender != from.id ||
        !pbft::is_well_formed(message, range_, env.cluster(), env.rules()))
      return env.bad(Bad::vote);
    changes_.make_room(members_);
    if (from.id == env.cluster().self().id) {
      own_change_ = std::move(message);
      keep_own_change(env);
    } else if (message.view <= view_) {
      if (new_view_ && may_answer(from, env)) env.emit(env.to(from.id, *new_view_));
      return;
    } else {
      VerifyNodeSigs<ViewChangeChecking> check{id_.epoch,
                                               pbft::signatures_of(message, env.cluster()),
                                               {{id_, message.view, from.id}}};
      const View view = message.view;
      if (!changes_.keep(from.index, std::move(message))) return answer(from, view, env);
      env.emit(std::move(check));
    }
    join(env);
    try_to_lead(env);
  }

  /// A member says it again, so it still waits. Whoever waits repeats itself unasked; a replica
  /// that is complete does not.
  void answer(iss::Member from, View view, auto& env) {
    if (is_complete() && own_change_ && own_change_->view >= view && may_answer(from, env))
      env.emit(env.to(from.id, *own_change_));
  }

  /// Whoever says something again has waited for an interval; who does not wait is not answered
  /// each time, since an answer is large.
  bool may_answer(iss::Member from, auto& env) {
    answered_.resize(members_);
    auto& last = answered_[from.index];
    if (last && env.now() - *last < env.resend_after() / 2) return false;
    last = env.now();
    return true;
  }

  /// One correct member that has given up on a view is reason enough to do so too.
  void join(auto& env) {
    const View wanted = changes_.called_for_by(env.rules().callers(env.cluster().quorum()));
    if (wanted > target_) call_for(wanted, env);
  }

  /// The primary of the view that is called for proves what may be voted for in it.
  void try_to_lead(auto& env) {
    if (!is_changing() || draft_ || primary(target_, env.cluster()) != env.cluster().self().id)
      return;
    draft_ = changes_.new_view(id_, target_, env.cluster().quorum(), env.rules());
    if (draft_)
      env.emit(SignRequest<NewViewSigning>{id_.epoch,
                                           pbft::signed_bytes(env.cluster(), *draft_),
                                           {{id_, target_, env.cluster().self().id}}});
  }

  /// Anybody may pass a NewView on: its primary has signed it.
  void receive(iss::Member from, NewView message, auto& env) {
    if (from.id == env.cluster().self().id) {
      if (message.view == view_) new_view_ = std::move(message);
      return;
    }
    if (message.view <= view_ || message.view < target_) return;
    if (!pbft::is_well_formed(message, range_, env.cluster(), env.rules()))
      return env.bad(Bad::vote);
    offered_.resize(members_);
    if (offered_[from.index]) return;
    const NodeId leads = primary(message.view, env.cluster());
    env.emit(VerifyNodeSigs<NewViewChecking>{
        id_.epoch,
        pbft::signatures_of(message, leads, env.cluster()),
        {{id_, message.view, from.id}}});
    offered_[from.index] = std::move(message);
  }

  void enter(const NewView& message, auto& env) {
    begin_view(message, env);
    vote_for_outcome(env);
  }

  /// Every slot has an outcome, so that no fresh proposal is made in this view.
  void begin_view(const NewView& message, auto& env) {
    view_ = target_ = message.view;
    called_.reset();
    draft_.reset();
    began_ = true;
    last_progress_ = last_said_ = env.now();
    for (Slot& slot : slots_) {
      slot.stage = Stage::idle;
      slot.checking = false;
      slot.digest = nil_digest;
    }
    for (const Certificate& certificate : message.certificates)
      slots_[*range_.place_of(certificate.sn)].digest = certificate.digest;
    new_view_.reset();
  }

  /// Also for what is decided here: others may need the vote to finish. Where a later view is known
  /// to have decided otherwise, this one cannot.
  void vote_for_outcome(auto& env) {
    for (std::uint32_t place = 0; place < slots_.size(); ++place) {
      Slot& slot = slots_[place];
      const bool contradicted = slot.decided && slot.decided != slot.digest;
      if (contradicted && slot.committed_in)
        return env.halt("view " + std::to_string(view_.value) +
                        " contradicts what is decided for sequence number " +
                        std::to_string(range_.sn_of(place).value));
      if (contradicted || slot.stage != Stage::idle) continue;
      if (slot.holds(slot.digest)) {
        vote(place, Digest(slot.digest), env);
      } else {
        slot.stage = Stage::fetching;
      }
    }
  }

  /// The next view is called for only once a strong quorum is ready for this one: a replica that
  /// is cut off must not race ahead alone.
  void tick_while_changing(auto& env) {
    const auto now = env.now();
    if (own_change_ && own_change_->view == target_ && now - last_said_ >= env.resend_after()) {
      last_said_ = now;
      env.emit(env.to_others(*own_change_));
    }
    if (changes_.called_for_by(env.cluster().quorum().strong()) < target_) return called_.reset();
    if (!called_) called_ = now;
    if (now - *called_ >= env.patience(target_)) call_for(target_ + 1, env);
  }

  SegmentId id_;
  NodeId leader_;
  pbft::SlotRange range_;
  std::size_t members_;
  std::vector<Slot> slots_;
  std::size_t decided_ = 0;
  bool is_stable_ = false;

  View view_;
  /// The view that this replica has called for; no less than `view_`.
  View target_;
  pbft::ViewChanges changes_;
  std::optional<ViewChange> own_change_;
  /// The own NewView while it is being signed.
  std::optional<NewView> draft_;
  /// What made the current view, once that is durable.
  std::optional<NewView> new_view_;
  /// NewViews whose signatures are being checked, by sender. Each stays until that is done, or its
  /// verdict would be taken for that of the sender's next one.
  std::vector<std::optional<NewView>> offered_;
  /// When each member was last told of a view that it calls for.
  std::vector<std::optional<std::chrono::nanoseconds>> answered_;

  /// Whether this segment has been waited for yet.
  bool began_ = false;
  std::chrono::nanoseconds last_tick_{};
  std::chrono::nanoseconds last_progress_{};
  std::chrono::nanoseconds last_said_{};
  /// All the time for which this segment was waited for.
  std::chrono::nanoseconds waited_{};
  /// Since when a strong quorum calls for `target_` or a later view.
  std::optional<std::chrono::nanoseconds> called_;
};

}  // namespace mirbft

#endif

// Paxos as an orderer of ISS: for clusters whose members may crash but do not lie.
#ifndef MIRBFT_PROTOCOL_ORDERERS_PAXOS_HPP
#define MIRBFT_PROTOCOL_ORDERERS_PAXOS_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <mirbft/events/wal.hpp>
#include <mirbft/protocol/iss/bad_message.hpp>
#include <mirbft/protocol/iss/cluster.hpp>
#include <mirbft/protocol/iss/epoch_plan.hpp>
#include <mirbft/protocol/iss/slot_range.hpp>
#include <mirbft/protocol/orderers/paxos_messages.hpp>
#include <mirbft/protocol/orderers/paxos_slot.hpp>
#include <mirbft/types/frame_class.hpp>
#include <mirbft/types/quorum.hpp>
#include <mirbft/types/visit.hpp>

namespace mirbft {

/// Single-decree Paxos (Lamport, "Paxos Made Simple", 2001) for each slot of a segment, with the
/// ballots of all its slots in common. n > 2f members, of which f may stop; nothing is signed.
/// `env` is what every orderer gets: see `Pbft`.
///
/// Ballot b is owned by members[(index(leader) + b) mod n]. The leader owns ballot 0 and proposes
/// in it at once, since there is no lower one. Who gives up on a ballot promises the next one and
/// tells all: phases 1a and 1b in one. The others then wait for the segment as well, and promise
/// in their turn unless it makes progress: one member that hears too little does not stop it. The
/// owner of a ballot with a majority of promises proposes for all slots together. In ballots above
/// 0 digests are enough, since no member accepts what it does not hold. A slot has one batch at
/// most: what the leader has proposed was durable first, and no other member proposes a new one.
struct Paxos {
  using Message = PaxosMessage;
  using Entry = std::variant<PaxosPromiseEntry, PaxosTakeOverEntry, PaxosAcceptedEntry,
                             PaxosDecidedEntry>;
  using consumes = events<WalEntry<PaxosPromiseEntry>, WalEntry<PaxosTakeOverEntry>,
                          WalEntry<PaxosAcceptedEntry>, WalEntry<PaxosDecidedEntry>>;
  using emits = events<WalAppend<PaxosPromiseEntry>, WalAppend<PaxosTakeOverEntry>,
                       WalAppend<PaxosAcceptedEntry>, WalAppend<PaxosDecidedEntry>>;

  static constexpr Quorum quorum(std::size_t members) noexcept {
    return Quorum(members, Faults::crash);
  }

  static FrameClass frame_class(const Message& message) noexcept {
    return std::holds_alternative<PaxosAccepted>(message) ? FrameClass::vote : FrameClass::batch;
  }

  static SegmentId segment_of(const Message& message) noexcept {
    SegmentId segment;
    visit_alternative(message, [&](const auto& one) { segment = one.segment; });
    return segment;
  }
  static SegmentId segment_of(const PaxosPromiseEntry& entry) noexcept { return entry.segment; }
  static SegmentId segment_of(const PaxosTakeOverEntry& entry) noexcept {
    return entry.message.segment;
  }
  static SegmentId segment_of(const PaxosAcceptedEntry& entry) noexcept { return entry.segment; }
  static SegmentId segment_of(const PaxosDecidedEntry& entry) noexcept { return entry.segment; }

  class Segment;
};

/// The state of one segment at one replica.
class Paxos::Segment {
 public:
  Segment(const iss::EpochPlan& plan, std::uint32_t index, std::size_t members)
      : id_{plan.epoch(), index},
        leader_(plan.leader(index)),
        range_{plan.sn_of(index, 0), plan.segments(), plan.segment_length()},
        slots_(plan.segment_length()),
        promises_(members) {}

  NodeId leader() const noexcept { return leader_; }
  View view() const noexcept { return ballot_; }
  bool is_complete() const noexcept { return decided_ == slots_.size(); }
  /// Whether its leader may still propose.
  bool is_open() const noexcept { return promised_ == View(0); }

  // Proposals, batches and decisions.

  /// The leader's own proposal for a slot that has none yet. It comes to nothing once ballot 0 is
  /// given up on: then the slot is decided as nil, and its requests go back to their buckets.
  void propose(std::uint32_t place, Batch batch, const Digest& digest, auto& env) {
    if (!is_open()) return;
    hold(place, std::move(batch), digest);
    accept(place, digest, env);
  }
  /// Whether this replica has proposed for a slot, perhaps before a restart.
  bool is_proposed(std::uint32_t place) const noexcept {
    return slots_[place].stage != Stage::idle || slots_[place].decided;
  }

  /// The answer to `env.check`: the proposal keeps the rules, its bodies are here.
  void checked(std::uint32_t place, const Digest& digest, auto& env) {
    Slot& slot = slots_[place];
    if (slot.decided) return;
    slot.batch_digest = digest;
    if (slot.stage == Stage::checking && is_open()) {
      accept(place, digest, env);
      note(place, env.cluster().find(leader_)->index, {View(0), digest}, env);
    }
    has_come(place, digest, env);
  }

  /// The digest of a batch that this replica lacks: fetched from others, and then `supplied`.
  std::optional<Digest> wanted(std::uint32_t place) const {
    const Slot& slot = slots_[place];
    if (slot.decided) return std::nullopt;
    if (slot.chosen) return slot.chosen->digest;
    return slot.stage == Stage::fetching ? std::optional(slot.proposed) : std::nullopt;
  }
  void supplied(std::uint32_t place, const Digest& digest, Batch batch, auto& env) {
    if (wanted(place) != digest) return;
    hold(place, std::move(batch), digest);
    has_come(place, digest, env);
  }
  /// The batch that is here for a slot that may be undecided, for others who want it.
  std::optional<Batch> batch_of(std::uint32_t place) const {
    const Slot& slot = slots_[place];
    return slot.batch_digest ? std::optional(slot.batch) : std::nullopt;
  }

  /// Others have decided this: so has this replica.
  void adopt(std::uint32_t place, const Digest& digest, Batch batch, auto& env) {
    if (slots_[place].decided) return;
    if (digest != nil_digest) hold(place, std::move(batch), digest);
    decide(place, digest, env);
  }
  /// Who has decided a slot tells the digest to whoever asks, and needs nobody's votes for that.
  static constexpr bool awaits_votes(std::uint32_t) noexcept { return false; }
  bool is_committed(std::uint32_t place) const noexcept {
    return slots_[place].decided.has_value();
  }

  void receive(iss::Member from, Message message, auto& env) {
    if (is_stable_) return;
    visit_alternative(message, [&](auto& one) { receive(from, std::move(one), env); });
  }

  // Time.

  /// At every Tick. `expected` tells whether anybody waits for this segment: a leader who has
  /// nothing to propose is not suspected.
  void tick(bool expected, auto& env) {
    const auto now = env.now();
    const auto elapsed = now - std::exchange(last_tick_, now);
    if (is_stable_) return;
    if (is_changing()) return tick_while_changing(env);
    if (is_complete()) return;
    if (!expected && ballot_ == View(0) && highest_promise() == View(0)) {
      last_progress_ = now;
      return;
    }
    if (began_) waited_ += elapsed;
    if (!std::exchange(began_, true)) last_progress_ = now;
    const bool stuck = now - last_progress_ >= env.patience(ballot_);
    const bool slow = ballot_ == View(0) && waited_ >= env.segment_patience(slots_.size());
    if (stuck || slow) promise(std::max(ballot_ + 1, highest_promise()), env);
  }
  /// For how long nothing has been decided here although it was expected.
  std::chrono::nanoseconds idle_for(std::chrono::nanoseconds now) const noexcept {
    return began_ ? now - last_progress_ : std::chrono::nanoseconds(0);
  }

  /// A majority is done with the segment: nobody needs what was said of it any more.
  void stable() {
    if (!is_complete()) return;
    is_stable_ = true;
    for (Slot& slot : slots_) {
      const auto decided = slot.decided;
      slot = {};
      slot.decided = decided;
    }
    promises_ = {};
    take_over_.reset();
  }

  /// Says again, by `send(message)`, what this replica has said of a slot.
  void repeat_slot(std::uint32_t place, NodeId self, auto&& send) const {
    const Slot& slot = slots_[place];
    if (!slot.said) return;
    const SeqNr sn = range_.sn_of(place);
    if (self == leader_ && slot.said->ballot == View(0)) send(PaxosAccept{id_, sn, slot.batch});
    // Of a leader too: who no longer looks at its proposal can still learn from that.
    send(PaxosAccepted{id_, slot.said->ballot, sn, slot.said->digest});
  }
  /// The same of the segment as a whole.
  void repeat_view(auto&& send) const {
    if (is_changing() && has_said_promise_) send(own_promise());
    if (take_over_) send(*take_over_);
  }

  // After a restart: entries of the write-ahead log, in order, and then `resume`.

  void recover(PaxosPromiseEntry entry, auto&) {
    promised_ = std::max(promised_, entry.ballot);
    has_said_promise_ = true;
  }
  void recover(PaxosTakeOverEntry entry, auto& env) { begin(std::move(entry.message), env); }
  void recover(PaxosAcceptedEntry entry, auto& env) {
    const auto place = range_.place_of(entry.sn);
    if (!place) return;
    Slot& slot = slots_[*place];
    if (!slot.holds(entry.digest)) hold(*place, std::move(entry.batch), entry.digest);
    if (entry.ballot == View(0)) env.claimed(id_, *place, slot.batch);
    slot.accepted = slot.said = {entry.ballot, entry.digest};
    slot.stage = Stage::accepted;
    slot.proposed = entry.digest;
    if (!slot.decided)
      (void)slot.note(env.cluster().self().index, *slot.said, env.cluster().members().size());
  }
  void recover(PaxosDecidedEntry entry, auto& env) {
    const auto place = range_.place_of(entry.sn);
    if (!place || slots_[*place].decided) return;
    if (!slots_[*place].holds(entry.digest)) hold(*place, std::move(entry.batch), entry.digest);
    settle(*place, entry.digest, env);
  }
  void resume(auto& env) {
    if (is_changing()) {
      promises_[env.cluster().self().index] = own_promise();
      try_to_take_over(env);
    } else if (ballot_ != View(0)) {
      accept_all(env);
    }
    const NodeId self = env.cluster().self().id;
    const auto send = [&](auto message) { env.emit(env.to_others(std::move(message))); };
    repeat_view(send);
    for (std::uint32_t place = 0; place < slots_.size(); ++place)
      if (!slots_[place].decided) repeat_slot(place, self, send);
  }

 private:
  using Bad = iss::BadMessage;
  using Slot = paxos::Slot;
  using Stage = Slot::Stage;

  RetentionIndex retention() const noexcept { return RetentionIndex(id_.epoch.value); }
  /// This replica has promised a ballot, and accepts nothing until that or a later one begins.
  bool is_changing() const noexcept { return promised_ > ballot_; }
  NodeId owner(View ballot, const iss::Cluster& cluster) const {
    const std::size_t n = cluster.members().size();
    return cluster.members()[(cluster.find(leader_)->index + ballot.value % n) % n];
  }
  void hold(std::uint32_t place, Batch batch, const Digest& digest) {
    slots_[place].batch = std::move(batch);
    slots_[place].batch_digest = digest;
  }

  // Accepting, and learning what was chosen.

  /// At most one value a slot and ballot; it is here, and durable before anybody hears of it.
  void accept(std::uint32_t place, const Digest& digest, auto& env) {
    if (!env.may_vote(id_)) return;
    Slot& slot = slots_[place];
    const SeqNr sn = range_.sn_of(place);
    slot.stage = Stage::accepted;
    slot.proposed = digest;
    const Batch to_log = slot.batch_to_log(digest);
    slot.accepted = {ballot_, digest};
    const PaxosAccepted own{id_, ballot_, sn, digest};
    auto durable =
        env.emit(WalAppend<PaxosAcceptedEntry>{{id_, ballot_, sn, digest, to_log}, retention()});
    if (ballot_ == View(0) && env.cluster().self().id == leader_) {
      durable.then(env.to_others(PaxosAccept{id_, sn, slot.batch}), env.to_self(own));
    } else {
      durable.then(env.to_others(own), env.to_self(own));
    }
  }

  void receive(iss::Member from, PaxosAccept message, auto& env) {
    const std::optional<std::uint32_t> place = range_.place_of(message.sn);
    if (!place || from.id != leader_ || from.id == env.cluster().self().id)
      return env.bad(Bad::proposal);
    Slot& slot = slots_[*place];
    if (slot.decided || !is_open() || slot.stage != Stage::idle) return;
    slot.stage = Stage::checking;
    slot.batch = std::move(message.batch);
    slot.batch_digest.reset();
    env.check(id_, *place, slot.batch);
  }

  void receive(iss::Member from, const PaxosAccepted& message, auto& env) {
    const std::optional<std::uint32_t> place = range_.place_of(message.sn);
    if (!place) return env.bad(Bad::vote);
    const paxos::Acceptance acceptance{message.ballot, message.digest};
    if (from.id == env.cluster().self().id) slots_[*place].said = acceptance;
    note(*place, from.index, acceptance, env);
  }

  void note(std::uint32_t place, std::size_t member, const paxos::Acceptance& acceptance,
            auto& env) {
    Slot& slot = slots_[place];
    if (slot.decided || slot.chosen) return;
    const std::size_t same = slot.note(member, acceptance, env.cluster().members().size());
    if (same < env.cluster().quorum().strong()) return;
    slot.chosen = acceptance;
    if (slot.holds(acceptance.digest)) decide(place, acceptance.digest, env);
  }

  /// A batch is here now: it may be what a majority has chosen, or what the ballot proposes.
  void has_come(std::uint32_t place, const Digest& digest, auto& env) {
    Slot& slot = slots_[place];
    if (slot.stage == Stage::fetching && slot.proposed == digest && !is_changing())
      accept(place, digest, env);
    if (slot.chosen && slot.chosen->digest == digest && !slot.decided) decide(place, digest, env);
  }

  void decide(std::uint32_t place, const Digest& digest, auto& env) {
    const Slot& slot = slots_[place];
    env.emit(WalAppend<PaxosDecidedEntry>{
        {id_, range_.sn_of(place), digest, slot.batch_to_log(digest)}, retention()});
    settle(place, digest, env);
  }
  void settle(std::uint32_t place, const Digest& digest, auto& env) {
    Slot& slot = slots_[place];
    slot.decided = digest;
    slot.acceptances = {};
    ++decided_;
    last_progress_ = env.now();
    env.decided(id_, place, digest, slot.batch_for(digest));
  }

  // Changing ballots.

  /// Accepts nothing below `ballot` any more, and tells all.
  void promise(View ballot, auto& env) {
    if (!env.may_vote(id_)) return;
    promised_ = ballot;
    called_.reset();
    has_said_promise_ = has_drafted_ = false;
    const PaxosPromise own = own_promise();
    env.emit(WalAppend<PaxosPromiseEntry>{{id_, ballot}, retention()})
        .then(env.to_others(own), env.to_self(own));
  }
  View highest_promise() const noexcept {
    View highest;
    for (const auto& one : promises_)
      if (one) highest = std::max(highest, one->ballot);
    return highest;
  }
  /// Nothing is accepted between a promise and the ballot that it is for, so that this is the same
  /// each time.
  PaxosPromise own_promise() const {
    PaxosPromise own{id_, promised_, {}};
    for (std::uint32_t place = 0; place < slots_.size(); ++place)
      if (const auto& accepted = slots_[place].accepted)
        own.claims.push_back({accepted->ballot, range_.sn_of(place), accepted->digest});
    return own;
  }

  void receive(iss::Member from, PaxosPromise message, auto& env) {
    for (const PaxosClaim& claim : message.claims)
      if (!range_.place_of(claim.sn) || claim.ballot >= message.ballot) return env.bad(Bad::vote);
    if (message.ballot <= ballot_) {
      if (take_over_ && from.id != env.cluster().self().id)
        env.emit(env.to(from.id, *take_over_));
      return;
    }
    if (from.id == env.cluster().self().id && message.ballot == promised_)
      has_said_promise_ = true;
    auto& newest = promises_[from.index];
    if (newest && message.ballot < newest->ballot) return;
    newest = std::move(message);
    // Who has decided everything has nothing to lose by it.
    if ((is_changing() || is_complete()) && newest->ballot > promised_)
      promise(newest->ballot, env);
    try_to_take_over(env);
  }

  /// A majority has promised the own ballot: of each slot what was accepted last, or nil where
  /// nothing can have been chosen. Durable before it is proposed, since after a restart another
  /// majority might lead to another proposal.
  void try_to_take_over(auto& env) {
    if (!is_changing() || has_drafted_ ||
        owner(promised_, env.cluster()) != env.cluster().self().id)
      return;
    std::size_t promised = 0;
    std::vector<paxos::Acceptance> newest(slots_.size());
    for (const auto& one : promises_) {
      if (!one || one->ballot != promised_) continue;
      ++promised;
      for (const PaxosClaim& claim : one->claims) {
        paxos::Acceptance& best = newest[*range_.place_of(claim.sn)];
        if (claim.ballot >= best.ballot) best = {claim.ballot, claim.digest};
      }
    }
    if (promised < env.cluster().quorum().strong()) return;
    has_drafted_ = true;
    PaxosTakeOver own{id_, promised_, {}};
    for (const paxos::Acceptance& best : newest) own.digests.push_back(best.digest);
    env.emit(WalAppend<PaxosTakeOverEntry>{{own}, retention()})
        .then(env.to_others(own), env.to_self(own));
  }

  /// Anybody may pass it on: nobody lies.
  void receive(iss::Member from, PaxosTakeOver message, auto& env) {
    if (message.digests.size() != slots_.size()) return env.bad(Bad::vote);
    if (message.ballot <= ballot_ || message.ballot < promised_ || !env.may_vote(id_)) return;
    if (from.id != env.cluster().self().id)
      env.emit(WalAppend<PaxosTakeOverEntry>{{message}, retention()});
    begin(std::move(message), env);
    accept_all(env);
  }

  void begin(PaxosTakeOver message, auto& env) {
    ballot_ = promised_ = message.ballot;
    called_.reset();
    has_said_promise_ = has_drafted_ = false;
    began_ = true;
    last_progress_ = last_said_ = env.now();
    for (std::uint32_t place = 0; place < slots_.size(); ++place) {
      slots_[place].stage = Stage::idle;
      slots_[place].proposed = message.digests[place];
    }
    take_over_ = std::move(message);
  }

  /// Also what is decided here: others may need that to finish. Where a later ballot is known to
  /// have decided otherwise, this one cannot.
  void accept_all(auto& env) {
    for (std::uint32_t place = 0; place < slots_.size(); ++place) {
      Slot& slot = slots_[place];
      const bool contradicted = slot.decided && slot.decided != slot.proposed;
      if (contradicted && slot.chosen && slot.chosen->ballot <= ballot_)
        return env.halt("ballot " + std::to_string(ballot_.value) +
                        " contradicts what is decided for sequence number " +
                        std::to_string(range_.sn_of(place).value));
      if (contradicted || slot.stage == Stage::accepted) continue;
      if (slot.holds(slot.proposed)) {
        accept(place, Digest(slot.proposed), env);
      } else {
        slot.stage = Stage::fetching;
      }
    }
  }

  /// The next ballot is promised only once a majority is ready for this one: a replica that is cut
  /// off must not race ahead alone.
  void tick_while_changing(auto& env) {
    const auto now = env.now();
    if (has_said_promise_ && now - last_said_ >= env.resend_after()) {
      last_said_ = now;
      env.emit(env.to_others(own_promise()));
    }
    std::size_t ready = 0;
    for (const auto& one : promises_) ready += one && one->ballot >= promised_;
    if (ready < env.cluster().quorum().strong()) return called_.reset();
    if (!called_) called_ = now;
    if (now - *called_ >= env.patience(promised_)) promise(promised_ + 1, env);
  }

  SegmentId id_;
  NodeId leader_;
  iss::SlotRange range_;
  std::vector<Slot> slots_;
  std::size_t decided_ = 0;
  bool is_stable_ = false;

  /// The ballot in which this replica accepts.
  View ballot_;
  /// No less than `ballot_`; above it while its owner's proposals are awaited.
  View promised_;
  /// The newest of each member.
  std::vector<std::optional<PaxosPromise>> promises_;
  /// The promise of `promised_` is durable.
  bool has_said_promise_ = false;
  /// This replica owns `promised_` and is about to propose in it.
  bool has_drafted_ = false;
  /// The proposals of the current ballot, if it is above 0.
  std::optional<PaxosTakeOver> take_over_;

  /// Whether this segment has been waited for yet.
  bool began_ = false;
  std::chrono::nanoseconds last_tick_{};
  std::chrono::nanoseconds last_progress_{};
  std::chrono::nanoseconds last_said_{};
  /// All the time for which this segment was waited for.
  std::chrono::nanoseconds waited_{};
  /// Since when a majority has promised `promised_` or a later ballot.
  std::optional<std::chrono::nanoseconds> called_;
};

}  // namespace mirbft

#endif

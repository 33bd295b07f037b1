// ISS: total order from many leaders at once, each with a segment of every epoch.
#ifndef MIRBFT_PROTOCOL_ISS_HPP
#define MIRBFT_PROTOCOL_ISS_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/events/app.hpp>
#include <mirbft/events/crypto.hpp>
#include <mirbft/events/hasher.hpp>
#include <mirbft/events/net.hpp>
#include <mirbft/events/node.hpp>
#include <mirbft/events/protocol.hpp>
#include <mirbft/events/store.hpp>
#include <mirbft/events/tracker.hpp>
#include <mirbft/events/wal.hpp>
#include <mirbft/protocol/iss/amnesia.hpp>
#include <mirbft/protocol/iss/bad_message.hpp>
#include <mirbft/protocol/iss/bodies.hpp>
#include <mirbft/protocol/iss/buckets.hpp>
#include <mirbft/protocol/iss/checkpointing.hpp>
#include <mirbft/protocol/iss/clients.hpp>
#include <mirbft/protocol/iss/cluster.hpp>
#include <mirbft/protocol/iss/config.hpp>
#include <mirbft/protocol/iss/early_messages.hpp>
#include <mirbft/protocol/iss/epoch_plan.hpp>
#include <mirbft/protocol/iss/epoch_state.hpp>
#include <mirbft/protocol/iss/events.hpp>
#include <mirbft/protocol/iss/laggard.hpp>
#include <mirbft/protocol/iss/leader_policies.hpp>
#include <mirbft/protocol/iss/messages.hpp>
#include <mirbft/protocol/iss/own_batches.hpp>
#include <mirbft/protocol/iss/pace.hpp>
#include <mirbft/protocol/iss/proposer.hpp>
#include <mirbft/protocol/iss/reminders.hpp>
#include <mirbft/protocol/iss/rules.hpp>
#include <mirbft/protocol/iss/state_chunks.hpp>
#include <mirbft/protocol/iss/state_supply.hpp>
#include <mirbft/protocol/iss/state_transfer.hpp>
#include <mirbft/protocol/iss/waiting_batches.hpp>
#include <mirbft/types/visit.hpp>
#include <mirbft/wire/canonical.hpp>
#include <mirbft/wire/codec.hpp>

namespace mirbft {

/// Where the protocol stands.
struct IssStatus {
  Epoch epoch;
  SeqNr next_delivery;
  std::uint64_t stable_checkpoints = 0;
  std::uint64_t delivered_requests = 0;
  std::uint64_t proposed_batches = 0;
  std::uint64_t own_requests_waiting = 0;
  std::uint64_t batches_waiting_for_bodies = 0;
  std::uint64_t clients = 0;
  std::uint64_t early_bytes = 0;
  /// Of the current epoch: segments that are not finished, and those whose leader this replica has
  /// given up on.
  std::uint64_t open_segments = 0;
  std::uint64_t suspected_segments = 0;
  /// T_e, how long a leader may stand still.
  std::chrono::nanoseconds timeout{};
  /// How many epochs have changed keys of nodes, as far as this replica knows, and how much of what
  /// the App has asked for was not carried out.
  std::uint64_t key_changes = 0;
  std::uint64_t refused_reconfigurations = 0;
  /// False while it must not vote, since it does not remember what it has voted for.
  bool may_vote = true;
  iss::BadMessages bad_messages;
};

/// ISS (Stathakopoulou, Pavlovic, Vukolić, EuroSys 2022): epochs of sequence numbers, cut into
/// segments that their leaders fill in parallel from disjoint buckets of requests; an orderer such
/// as `Pbft` agrees on each slot. Deterministic.
template <class Orderer, class LeaderPolicy = Blacklist, class Rules = iss::Rules>
class Iss {
 public:
  using Message = IssMessage<typename Orderer::Message>;
  using Status = IssStatus;
  using consumes = joined<
      events<Init, Tick, Continue, RequestReady, MessageReceived<Message>, HashResult<BatchHash>,
             WalEntry<EpochEntry>, WalEntry<AmnesiaEntry>, WalEntry<DoneEntry>, StateInstalled,
             AppRestored>,
      iss::Bodies::consumes, iss::Checkpointing::consumes, iss::StateTransfer::consumes,
      typename Orderer::consumes>;
  using emits = joined<events<Continue, Deliver, SendMessage<Message>, MessageReceived<Message>,
                              NewRequest, HashRequest<BatchHash>, WalAppend<EpochEntry>,
                              WalAppend<AmnesiaEntry>, WalAppend<DoneEntry>, WindowsMoved,
                              UpdateClientKeys, AppRestoreState, Halt>,
                       iss::Bodies::emits, iss::Checkpointing::emits, iss::StateTransfer::emits,
                       typename Orderer::emits>;

  /// Throws ConfigError.
  explicit Iss(IssConfig config, LeaderPolicy policy = {}, Rules rules = {})
      : config_((iss::check(config), std::move(config))),
        policy_(std::move(policy)),
        rules_(std::move(rules)),
        cluster_(config_, Orderer::quorum(config_.members.size())),
        clients_(config_.client_window),
        buckets_(static_cast<std::uint32_t>(iss::buckets_per_member * config_.members.size())),
        early_(config_.members.size(), config_.early_bytes_per_peer),
        bodies_(config_.members.size()),
        laggard_(config_.members.size()),
        reminders_(config_.members.size()),
        supply_(config_.members.size()),
        amnesia_(config_.memory, config_.members.size()),
        pace_{config_.base_timeout} {}

  /// As it was made.
  const IssConfig& config() const noexcept { return config_; }

  static FrameClass frame_class(const Message& message) {
    return iss::frame_class<Orderer>(message);
  }

  /// The write-ahead log has been played back: goes on from the newest stable checkpoint in it.
  void process(Init, auto& out) {
    auto env = env_of(out);
    checkpointing_.announce_keys(env);
    if (const auto entry = amnesia_.begin()) remember(*entry, out);
    if (auto state = checkpointing_.restored()) {
      go_on_from(std::move(*state), out);
    } else {
      enter_epoch(Epoch(0), SeqNr(0), Reached::by_applying, out);
    }
    checkpointing_.start(parameters(), env);
    go_on(out);
  }

  void process(Tick tick, auto& out) {
    now_ = tick.now;
    if (started_) {
      auto env = env_of(out);
      if (now_ - refilled_ >= config_.fetch_delay) {
        refilled_ = now_;
        bodies_.refill();
        laggard_.refill();
        supply_.refill();
      }
      ask_for_bodies(env);
      laggard_.ask(current(), waiting_, now_, config_.fetch_delay, env);
      watch_segments(env);
      reminders_.remind(current(),
                        {epoch_, next_, checkpointing_.stable_epochs(),
                         checkpointing_.known_key_changes()},
                        env);
      transfer_state(env);
    }
    note_to_continue(out);
  }

  void process(Continue, auto& out) {
    noted_ = false;
    auto env = env_of(out);
    bodies_.relay(env);
    propose(out);
  }

  void process(RequestReady ready, auto& out) {
    const RequestRef& reference = ready.reference;
    if (ready.keys < checkpointing_.client_keys().since(reference.client, epoch_)) return;
    const bool wanted = waiting_.wants(reference);
    const auto readiness =
        clients_.ready(reference, ready.size, wanted ? iss::Wanted::yes : iss::Wanted::no);
    if (readiness == iss::Clients::Readiness::refused) return;
    if (readiness == iss::Clients::Readiness::first) buckets_.add(reference, ready.size);
    if (ready.spread == Spread::by_replica) bodies_.relay_later(reference);
    if (wanted)
      for (BatchHash& complete : waiting_.body_came(reference))
        await_bodies(std::move(complete), out);
    note_to_continue(out);
  }

  void process(MessageReceived<Message> received, auto& out) {
    const std::optional<iss::Member> from = cluster_.find(received.from);
    if (!from) return bad_.count(Bad::stranger);
    receive(*from, std::move(received.message), out);
  }

  void process(HashResult<BatchHash> hashed, auto& out) {
    BatchHash& origin = hashed.origin;
    Epochs* epoch = find_epoch(origin.segment.epoch);
    if (!epoch) return;
    auto env = env_of(out);
    auto& segment = epoch->segment(origin.segment.index);
    switch (origin.use) {
      case BatchUse::propose:
        segment.propose(origin.slot, std::move(origin.batch), hashed.digest, env);
        break;
      case BatchUse::vote: segment.checked(origin.slot, hashed.digest, env); break;
      case BatchUse::adopt: adopt(*epoch, std::move(origin), hashed.digest, env); break;
    }
  }

  /// Events of the orderer go to the segment that they name.
  template <class E>
    requires requires(E event) { event.origin.content.segment; }
  void process(E event, auto& out) {
    Epochs* epoch = find_epoch(event.origin.content.segment.epoch);
    if (!epoch) return;
    auto env = env_of(out);
    epoch->segment(event.origin.content.segment.index).process(std::move(event), env);
  }

  /// What the orderer has written ahead waits for its epoch to be entered.
  template <class Entry>
    requires std::is_constructible_v<typename Orderer::Entry, Entry>
  void process(WalEntry<Entry> found, auto&) {
    const Epoch epoch = Orderer::segment_of(found.entry).epoch;
    recovered_[epoch].push_back(std::move(found.entry));
  }
  /// Which epochs were begun follows from what was decided in them.
  void process(WalEntry<EpochEntry>, auto&) {}
  void process(WalEntry<DoneEntry> found, auto&) { recovered_done_.insert(found.entry.segment); }
  void process(WalEntry<AmnesiaEntry> found, auto&) { amnesia_.recover(found.entry); }

  void process(HashResult<TransferHash> hashed, auto& out) {
    auto env = env_of(out);
    transfer_.process(std::move(hashed), env);
  }
  void process(HashResult<TransferTreeHash> hashed, auto& out) {
    auto env = env_of(out);
    transfer_.process(std::move(hashed), env);
  }
  void process(StateInstalled, auto& out) {
    auto env = env_of(out);
    if (auto state = checkpointing_.install(transfer_.take(), env))
      go_on_from(std::move(*state), out);
  }
  void process(AppRestored, auto&) {}

  template <class E>
    requires is_listed<E, iss::Bodies::consumes>
  void process(E event, auto& out) {
    auto env = env_of(out);
    bodies_.process(std::move(event), env);
  }

  template <class E>
    requires is_listed<E, iss::Checkpointing::consumes>
  void process(E event, auto& out) {
    auto env = env_of(out);
    checkpointing_.process(std::move(event), env);
    go_on(out);
    // At once: where epochs are short, the next Tick finds a certificate too old to be of use.
    if (started_) transfer_state(env);
  }

  /// Says again, by `send(message)`, all that this replica stands by in the epochs that it keeps:
  /// what it has voted for and called for, its decisions, and its open checkpoints. A restart must
  /// not change any of it.
  void repeat(auto&& send) const {
    for (const auto& [number, epoch] : epochs_)
      for (std::uint32_t index = 0; epoch.has(index); ++index) {
        const Segment& segment = epoch.segment(index);
        const auto say = [&](auto message) { send(wrap(std::move(message))); };
        Decided decided{{number, index}, {}};
        segment.repeat_view(say);
        for (std::uint32_t slot = 0; slot < epoch.plan().segment_length(); ++slot) {
          segment.repeat_slot(slot, cluster_.self().id, say);
          if (const auto& decision = epoch.decision(epoch.plan().sn_of(index, slot)))
            decided.decisions.push_back({slot, decision->digest});
        }
        say(std::move(decided));
      }
    checkpointing_.repeat(send);
  }

  Status status() const {
    std::uint64_t open = 0;
    std::uint64_t suspected = 0;
    if (const auto found = epochs_.find(epoch_); found != epochs_.end())
      for (std::uint32_t index = 0; found->second.has(index); ++index) {
        const Segment& segment = found->second.segment(index);
        open += !segment.is_complete();
        suspected += !segment.is_complete() && !segment.is_open();
      }
    return {epoch_,
            next_,
            checkpointing_.stable_epochs(),
            delivered_,
            proposer_.proposed(),
            buckets_.own_requests(),
            waiting_.size(),
            clients_.size(),
            early_.bytes(),
            open,
            suspected,
            pace_.timeout,
            checkpointing_.known_key_changes(),
            checkpointing_.refused_reconfigurations(),
            amnesia_.may_vote_in(epoch_),
            bad_};
  }

 private:
  using Bad = iss::BadMessage;
  using Segment = typename Orderer::Segment;
  using Epochs = iss::EpochState<Segment>;

  /// What the orderer sees of ISS while it handles one event.
  template <class Out>
  class Env {
   public:
    Env(Iss& iss, Out& out) : iss_(iss), out_(out) {}

    const iss::Cluster& cluster() const noexcept { return iss_.cluster_; }
    const Rules& rules() const noexcept { return iss_.rules_; }
    template <class E>
    auto emit(E event) {
      return out_.emit(std::move(event));
    }
    auto to_others(auto message) { return to(iss_.cluster_.others(), std::move(message)); }
    auto to(NodeId whom, auto message) { return to(std::vector{whom}, std::move(message)); }
    std::chrono::nanoseconds now() const noexcept { return iss_.now_; }
    std::chrono::nanoseconds timeout() const noexcept { return iss_.pace_.timeout; }
    std::chrono::nanoseconds patience(View view) const noexcept {
      return iss::view_timeout(iss_.pace_.timeout, view);
    }
    std::chrono::nanoseconds segment_patience(std::size_t length) const noexcept {
      return iss::segment_timeout(iss_.pace_.timeout, static_cast<std::uint32_t>(length),
                                  iss_.config_.slot_time);
    }
    std::chrono::nanoseconds resend_after() const noexcept {
      return iss::resend_interval(iss_.pace_.timeout);
    }
    bool may_vote(SegmentId segment) const noexcept {
      return iss_.amnesia_.may_vote_in(segment.epoch);
    }
    auto to_self(auto message) {
      return MessageReceived<Message>{iss_.cluster_.self().id, wrap(std::move(message))};
    }
    void check(SegmentId segment, std::uint32_t slot, const Batch& batch) {
      iss_.check_proposal(segment, slot, batch, out_);
    }
    void decided(SegmentId segment, std::uint32_t slot, const Digest& digest, Batch batch) {
      iss_.decided(segment, slot, digest, std::move(batch), out_);
    }
    void claimed(SegmentId segment, std::uint32_t slot, const Batch& batch) {
      Epochs& epoch = *iss_.find_epoch(segment.epoch);
      const SeqNr sn = epoch.plan().sn_of(segment.index, slot);
      (void)iss_.claim_all(epoch, segment.index, sn, batch);
      if (iss_.proposer_.leads(segment.index)) iss_.own_batches_.proposed(sn, batch);
    }
    void bad(Bad reason) { iss_.bad_.count(reason); }
    void halt(std::string reason) { out_.emit(Halt{std::move(reason)}); }

   private:
    static SendMessage<Message> to(std::vector<NodeId> destinations, auto message) {
      return {std::move(destinations), wrap(std::move(message))};
    }

    Iss& iss_;
    Out& out_;
  };

  /// An orderer's message is one of the orderer's alternatives within ours.
  template <class M>
  static Message wrap(M message) {
    if constexpr (std::is_constructible_v<typename Orderer::Message, M>) {
      return typename Orderer::Message(std::move(message));
    } else {
      return message;
    }
  }

  template <class Out>
  Env<Out> env_of(Out& out) {
    return {*this, out};
  }

  Epochs* find_epoch(Epoch epoch) {
    const auto found = epochs_.find(epoch);
    return found == epochs_.end() ? nullptr : &found->second;
  }
  Epochs& current() { return epochs_.find(epoch_)->second; }
  const iss::EpochPlan& plan() { return current().plan(); }

  void note_to_continue(auto& out) {
    if (!std::exchange(noted_, true)) out.emit(Continue{});
  }

  // Messages.

  void receive(iss::Member from, Message message, auto& out) {
    auto env = env_of(out);
    if (auto* ordering = std::get_if<typename Orderer::Message>(&message)) {
      receive(from, std::move(*ordering), out);
    } else if (auto* done = std::get_if<Done>(&message)) {
      receive(from, std::move(*done), env);
    } else if (auto* vote = std::get_if<CheckpointVote>(&message)) {
      checkpointing_.receive(from, std::move(*vote), epoch_, env);
      go_on(out);
    } else if (auto* relayed = std::get_if<Relayed>(&message)) {
      receive(std::move(*relayed), out);
    } else if (auto* wanted = std::get_if<RequestsWanted>(&message)) {
      bodies_.receive(from, std::move(*wanted), env);
    } else if (auto* supplied = std::get_if<RequestsSupplied>(&message)) {
      receive(std::move(*supplied), out);
    } else if (auto* batches = std::get_if<BatchesWanted>(&message)) {
      if (Epochs* epoch = epoch_of(batches->segment))
        laggard_.answer(from, *batches, *epoch, env);
    } else if (auto* batch = std::get_if<BatchSupplied>(&message)) {
      receive(std::move(*batch), out);
    } else if (auto* stable = std::get_if<StableCheckpoint>(&message)) {
      checkpointing_.receive(from, std::move(*stable), env);
    } else if (auto* state = std::get_if<StateWanted>(&message)) {
      supply_.receive(from, *state, checkpointing_, env);
    } else if (auto* head = std::get_if<StateHead>(&message)) {
      transfer_.receive(from, std::move(*head), env);
    } else if (auto* chunk = std::get_if<ChunkWanted>(&message)) {
      supply_.receive(from, *chunk, checkpointing_, env);
    } else if (auto* piece = std::get_if<ChunkSupplied>(&message)) {
      transfer_.receive(from, std::move(*piece), env);
    } else if (auto* progress = std::get_if<Progress>(&message)) {
      receive(from, *progress, env);
    } else if (auto* decided = std::get_if<Decided>(&message)) {
      receive(from, *decided, env);
    } else if (auto* slots = std::get_if<SlotsWanted>(&message)) {
      receive(from, *slots, env);
    }
  }

  /// The epoch of a message, if it is one that is kept; counts the message as bad otherwise.
  Epochs* epoch_of(SegmentId segment) {
    Epochs* epoch = find_epoch(segment.epoch);
    if (epoch && epoch->has(segment.index)) return epoch;
    bad_.count(epoch ? Bad::vote : segment.epoch > epoch_ ? Bad::far_epoch : Bad::old_epoch);
    return nullptr;
  }
  bool is_early(SegmentId segment) const noexcept {
    return !started_ ||
           (segment.epoch > epoch_ && segment.epoch <= epoch_ + iss::epochs_ahead_kept);
  }
  void keep_for_later(iss::Member from, Message message) {
    const std::size_t size = wire::encoded_size(message);
    if (!early_.keep(from.index, {from.id, std::move(message)}, size)) bad_.count(Bad::far_epoch);
  }

  void receive(iss::Member from, typename Orderer::Message message, auto& out) {
    const SegmentId segment = Orderer::segment_of(message);
    if (is_early(segment)) return keep_for_later(from, std::move(message));
    Epochs* epoch = epoch_of(segment);
    if (!epoch) return;
    auto env = env_of(out);
    epoch->segment(segment.index).receive(from, std::move(message), env);
  }

  void receive(iss::Member from, Done done, auto& env) {
    if (is_early(done.segment)) return keep_for_later(from, std::move(done));
    Epochs* epoch = epoch_of(done.segment);
    if (!epoch) return;
    if (done.digests.size() != epoch->plan().segment_length()) return bad_.count(Bad::oversized);
    bool consistent = true;
    for (std::uint32_t slot = 0; slot < done.digests.size(); ++slot)
      consistent &= epoch->said(from.index, done.segment.index, slot, done.digests[slot]);
    if (!consistent) bad_.count(Bad::duplicate);
    epoch->done(from.index, done.segment.index);
    settle(done.segment, env);
  }
  void receive(iss::Member from, const Decided& decided, auto& env) {
    Epochs* epoch = started_ ? find_epoch(decided.segment.epoch) : nullptr;
    if (!epoch || !epoch->has(decided.segment.index)) return bad_.count(Bad::old_epoch);
    if (decided.decisions.size() > iss::Reminders::asked_at_once)
      return bad_.count(Bad::oversized);
    for (const auto& [slot, digest] : decided.decisions)
      if (slot >= epoch->plan().segment_length() ||
          !epoch->said(from.index, decided.segment.index, slot, digest))
        return bad_.count(Bad::duplicate);
    settle(decided.segment, env);
  }

  /// What members say that they have decided: a strong quorum that is done makes a segment stable,
  /// a weak one is believed what was given up on, where there is nothing to fetch.
  void settle(SegmentId id, auto& env) {
    Epochs& epoch = *find_epoch(id.epoch);
    if (epoch.is_complete(id.index)) {
      if (epoch.agreeing(id.index) >= cluster_.quorum().strong()) epoch.segment(id.index).stable();
      return;
    }
    for (std::uint32_t slot = 0; slot < epoch.plan().segment_length(); ++slot) {
      Epochs* still = find_epoch(id.epoch);
      if (still && !still->at(id.index, slot) &&
          still->vouched(id.index, slot, cluster_.quorum()) == nil_digest)
        still->segment(id.index).adopt(slot, nil_digest, {}, env);
    }
  }

  /// A peer that is ahead shows that there is something to wait for; one that is behind is told
  /// what it has missed.
  void receive(iss::Member from, const Progress& progress, auto& env) {
    if (!started_) return;
    checkpointing_.tell_keys(from, progress.key_changes, env);
    checkpointing_.tell(from, progress.stable_epochs, env);
    if (const auto entry = amnesia_.heard(from.index, progress.stable_epochs,
                                          checkpointing_.proven_epochs(), cluster_.quorum()))
      remember(*entry, env);
    if (progress.epoch < epoch_) return;
    const SeqNr seen = progress.epoch > epoch_ ? plan().end() : progress.next;
    if (seen > next_) proposer_.reached(seen);
  }
  void receive(iss::Member from, const SlotsWanted& wanted, auto& env) {
    if (Epochs* epoch = started_ ? find_epoch(wanted.segment.epoch) : nullptr)
      if (epoch->has(wanted.segment.index)) reminders_.answer(from, wanted, *epoch, env);
  }

  /// A request that leaves its message: a slice would keep the whole frame in memory.
  static Request own_copy(const Request& request) {
    return {request.client, request.req_no, Bytes(request.data.view()),
            Bytes(request.authenticator.view())};
  }

  /// Requests that clients gave to the sender alone: checked like any other, by the Tracker.
  void receive(Relayed relayed, auto& out) {
    if (relayed.requests.size() > iss::Bodies::requests_at_once) return bad_.count(Bad::oversized);
    for (Request& request : relayed.requests)
      out.emit(NewRequest{own_copy(request), Spread::relayed});
  }

  /// A batch that was asked for. What it is worth shows when it is hashed.
  void receive(BatchSupplied supplied, auto& out) {
    Epochs* epoch = epoch_of(supplied.segment);
    if (!epoch) return;
    if (supplied.batch->size() > config_.max_batch_requests) return bad_.count(Bad::oversized);
    if (!laggard_.expected(*epoch, supplied.segment.index, supplied.slot, cluster_.quorum()))
      return bad_.count(Bad::unasked);
    hash(*epoch, {supplied.segment, supplied.slot, std::move(supplied.batch), BatchUse::adopt},
         out);
  }

  // Proposals of others.

  /// Rules 2 to 6 for a proposal (protocol, section 3). An acceptable one is hashed as soon as all
  /// its bodies are here; of one that breaks a rule nothing more is heard.
  void check_proposal(SegmentId segment, std::uint32_t slot, const Batch& batch, auto& out) {
    Epochs& epoch = *find_epoch(segment.epoch);
    const SeqNr sn = epoch.plan().sn_of(segment.index, slot);
    if (batch->size() > config_.max_batch_requests || !claim_all(epoch, segment.index, sn, batch))
      return bad_.count(Bad::proposal);
    if (proposer_.saw(sn, epoch.plan())) note_to_continue(out);
    await_bodies({segment, slot, batch, BatchUse::vote}, out);
  }

  bool claim_all(Epochs& epoch, std::uint32_t segment, SeqNr sn, const Batch& batch) {
    const iss::EpochPlan& where = epoch.plan();
    for (std::size_t i = 0; i < batch->size(); ++i) {
      const RequestRef& reference = (*batch)[i];
      const std::uint32_t bucket =
          iss::bucket_of(reference.client, reference.req_no, where.buckets());
      if (where.owner(bucket) == segment && rules_.claim(clients_, sn, reference)) continue;
      unclaim(sn, *batch, i);
      return false;
    }
    return true;
  }
  void unclaim(SeqNr sn, const std::vector<RequestRef>& batch, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) clients_.unclaim(sn, batch[i].client, batch[i].req_no);
  }

  /// Hashes a batch of another replica if all its bodies are here; lets it wait for them otherwise.
  void await_bodies(BatchHash batch, auto& out) {
    Epochs* epoch = find_epoch(batch.segment.epoch);
    if (!epoch) return;
    const SeqNr sn = epoch->plan().sn_of(batch.segment.index, batch.slot);
    std::vector<RequestRef> missing;
    std::uint64_t bytes = 0;
    for (const RequestRef& reference : *batch.batch) {
      const auto size = clients_.ready_size(reference);
      bytes += size.value_or(0);
      if (!size) missing.push_back(reference);
    }
    if (!missing.empty()) return waiting_.add(sn, std::move(batch), missing, now_);
    if (batch.use == BatchUse::vote && batch.batch->size() > 1 &&
        bytes > config_.max_batch_bytes) {
      unclaim(sn, *batch.batch, batch.batch->size());
      return bad_.count(Bad::proposal);
    }
    hash(*epoch, std::move(batch), out);
  }

  void hash(Epochs& epoch, BatchHash batch, auto& out) {
    const SeqNr sn = epoch.plan().sn_of(batch.segment.index, batch.slot);
    Bytes bytes = wire::canonical("batch", cluster_.name().view(),
                                  BatchContent{batch.segment.epoch, sn, batch.batch});
    out.emit(HashRequest<BatchHash>{{std::move(bytes)}, std::move(batch)});
  }

  /// Bodies that have not come by themselves: asks the leader first, then the others in turn.
  void ask_for_bodies(auto& env) {
    const std::vector<NodeId>& others = cluster_.others();
    waiting_.ask_again(now_, config_.fetch_delay, [&](const auto& waiting) {
      const SegmentId segment = waiting.batch.segment;
      Epochs* epoch = find_epoch(segment.epoch);
      if (!epoch || others.empty()) return;
      std::vector<RequestRef> absent;
      for (const RequestRef& reference : *waiting.batch.batch)
        if (waiting_.wants(reference)) absent.push_back(reference);
      std::sort(absent.begin(), absent.end());
      if (absent.size() > iss::Bodies::asked_at_once) absent.resize(iss::Bodies::asked_at_once);
      const NodeId leader = epoch->plan().leader(segment.index);
      const bool ask_leader = waiting.asked == 1 && leader != cluster_.self().id;
      env.emit(env.to(ask_leader ? leader : others[waiting.asked % others.size()],
                      RequestsWanted{std::move(absent)}));
    });
  }

  /// Bodies that were asked for. Each is checked by the Tracker like any other request.
  void receive(RequestsSupplied supplied, auto& out) {
    if (supplied.requests.size() > iss::Bodies::requests_at_once) return bad_.count(Bad::oversized);
    for (Request& request : supplied.requests) {
      if (waiting_.wants(request.client, request.req_no)) {
        out.emit(NewRequest{own_copy(request), Spread::fetched});
      } else {
        bad_.count(Bad::unasked);
      }
    }
  }

  /// The batch is adopted if it is the one that is vouched for, as soon as its bodies are here; or
  /// handed to the orderer, who wants it for a vote.
  void adopt(Epochs& epoch, BatchHash batch, const Digest& digest, auto& env) {
    const std::uint32_t segment = batch.segment.index;
    if (laggard_.expected(epoch, segment, batch.slot, cluster_.quorum()) != digest)
      return bad_.count(Bad::unasked);
    std::vector<RequestRef> missing;
    for (const RequestRef& reference : *batch.batch)
      if (!clients_.ready_size(reference)) missing.push_back(reference);
    if (missing.empty() && epoch.segment(segment).wanted(batch.slot) == digest) {
      epoch.segment(segment).supplied(batch.slot, digest, std::move(batch.batch), env);
    } else if (missing.empty()) {
      epoch.segment(segment).adopt(batch.slot, digest, std::move(batch.batch), env);
    } else {
      waiting_.add(epoch.plan().sn_of(segment, batch.slot), std::move(batch), missing, now_);
    }
  }

  // Own proposals.

  void propose(auto& out) {
    if (!started_ || !amnesia_.may_vote_in(epoch_)) return;
    while (const auto slot = proposer_.due(plan(), buckets_, config_, now_)) {
      const std::uint32_t segment = *proposer_.own_segment();
      if (!current().segment(segment).is_open()) return;
      if (current().segment(segment).is_proposed(*slot)) {
        proposer_.skip();
        continue;
      }
      const SeqNr sn = plan().sn_of(segment, *slot);
      const auto claim = [&](const RequestRef& reference) {
        return rules_.may_propose(clients_, reference) && rules_.claim(clients_, sn, reference);
      };
      Batch batch(buckets_.cut(config_.max_batch_requests, config_.max_batch_bytes, claim));
      if (!batch->empty()) (void)proposer_.saw(sn, plan());
      own_batches_.proposed(sn, batch);
      proposer_.propose(batch->size(), buckets_, now_);
      hash(current(), {{epoch_, segment}, *slot, std::move(batch), BatchUse::propose}, out);
    }
  }

  // Decisions and delivery.

  void decided(SegmentId segment, std::uint32_t slot, const Digest& digest, Batch batch,
               auto& out) {
    Epochs& epoch = *find_epoch(segment.epoch);
    if (epoch.decide(segment.index, slot, digest, std::move(batch))) {
      const Done done{segment, epoch.digests(segment.index)};
      const SendMessage<Message> to_others{cluster_.others(), done};
      const MessageReceived<Message> to_self{cluster_.self().id, done};
      if (recovered_done_.erase(segment) != 0) {
        out.emit(to_others);
        out.emit(to_self);
      } else {
        out.emit(WalAppend<DoneEntry>{{segment}, RetentionIndex(segment.epoch.value)})
            .then(to_others, to_self);
      }
    }
    if (segment.epoch == epoch_) {
      if (proposer_.leads(segment.index)) proposer_.decided(slot, buckets_, now_);
      (void)proposer_.saw(plan().sn_of(segment.index, slot), plan());
      note_to_continue(out);
    }
    deliver(out);
  }

  /// Delivers the contiguous prefix of what is decided.
  void deliver(auto& out) {
    if (finished_) return;
    while (plan().contains(next_) && current().decision(next_)) {
      const iss::Decision& decision = *current().decision(next_);
      for (const RequestRef& reference : *decision.batch) {
        if (!clients_.deliver(next_, reference)) return halt_for_duplicate(reference, out);
        buckets_.delivered(reference, clients_);
      }
      delivered_ += decision.batch->size();
      own_batches_.delivered(next_, decision.batch);
      policy_.delivered(next_, plan().leader(plan().segment_of(next_)),
                        decision.digest == nil_digest ? SlotOutcome::nil : SlotOutcome::batch);
      out.emit(Deliver{next_, decision.batch});
      ++next_;
      delivered_at_ = now_;
    }
    waiting_.forget_before(next_);
    if (next_ == plan().end()) finish_epoch(out);
  }

  void halt_for_duplicate(const RequestRef& reference, auto& out) {
    out.emit(Halt{"sequence number " + std::to_string(next_.value) + " would deliver request " +
                  std::to_string(reference.req_no.value) + " of client " +
                  std::to_string(reference.client.value) + " a second time"});
  }

  // Epochs.

  void enter_epoch(Epoch epoch, SeqNr first, Reached reached, auto& out) {
    started_ = true;
    finished_ = false;
    const std::vector<ClientId> rekeyed = change_client_keys(epoch, out);
    epoch_ = epoch;
    iss::EpochPlan next(epoch, first, cluster_.members(),
                        policy_.leaders(epoch, cluster_.members(), cluster_.quorum()),
                        config_);
    proposer_.begin_epoch(next, cluster_.self().id);
    rules_.put_back(own_batches_, buckets_, clients_);
    clients_.begin_epoch(first);
    buckets_.begin_epoch(next, clients_, proposer_.own_segment());
    epochs_.try_emplace(epoch, std::move(next), cluster_.members().size());
    out.emit(WalAppend<EpochEntry>{{epoch, first}, RetentionIndex(epoch.value)});
    out.emit(WindowsMoved{epoch, clients_.windows(), rekeyed, reached});
    resume(epoch, out);
    for (MessageReceived<Message>& message : early_.take())
      receive(*cluster_.find(message.from), std::move(message.message), out);
    note_to_continue(out);
  }

  /// The keys of clients that come into force. A request is ordered in an epoch only if it is
  /// authentic by its client's key of that epoch: what is signed with an older one and not
  /// delivered by then is void. So the keys are as frozen as the windows, and all correct replicas
  /// judge a proposal alike, whether its bodies came before the change or are fetched after it. A
  /// correct leader proposes nothing that others would have to refuse; and what a quorum has voted
  /// for can be fetched and checked by everybody, since no replica leaves an epoch before it has
  /// delivered all of it. Returns whose keys they are.
  std::vector<ClientId> change_client_keys(Epoch epoch, auto& out) {
    std::vector<ClientKey> keys = checkpointing_.client_keys().due(epoch_, epoch);
    std::vector<ClientId> rekeyed;
    for (const ClientKey& key : keys) {
      clients_.forget_bodies(key.client);
      rekeyed.push_back(key.client);
    }
    if (!keys.empty()) out.emit(UpdateClientKeys{epoch, std::move(keys)});
    return rekeyed;
  }

  /// Where others have forgotten the current epoch, only a transfer of state helps; and also where
  /// they do remember it, or should, and that has not helped for long: those who were restarted
  /// know no more than their checkpoint.
  void transfer_state(auto& env) {
    const bool stuck = now_ - delivered_at_ >= 2 * pace_.timeout;
    const std::uint64_t ahead = stuck ? 0 : iss::epochs_kept;
    if (const auto* proof = checkpointing_.proven_from(epoch_ + ahead))
      transfer_.begin(*proof, env);
    transfer_.tick(checkpointing_.reached_epochs(), env);
  }

  /// For ever: another restart must not make up for what was forgotten.
  static void remember(const AmnesiaEntry& entry, auto& out) {
    out.emit(WalAppend<AmnesiaEntry>{entry, RetentionIndex(~std::uint64_t{0})});
  }

  /// A stable checkpoint with its state takes the place of all that came before it.
  void go_on_from(iss::StableState state, auto& out) {
    const Epoch next(state.header.epoch.value + 1);
    policy_ = decoded<LeaderPolicy>(state.policy, "leader policy");
    pace_ = decoded<iss::Pace>(state.pace, "time-out");
    clients_.restore(state.windows);
    next_ = state.header.last + 1;
    waiting_.forget_before(next_);
    epochs_.erase(epochs_.begin(), epochs_.lower_bound(next));
    recovered_.erase(recovered_.begin(), recovered_.lower_bound(next));
    std::erase_if(recovered_done_, [&](const SegmentId& id) { return id.epoch < next; });
    out.emit(AppRestoreState{state.header.last, std::move(state.app)});
    enter_epoch(next, next_, Reached::by_restoring, out);
  }
  template <class T>
  static T decoded(const Bytes& bytes, const char* what) {
    auto value = wire::decode<T>(bytes, wire::Form::canonical);
    if (!value)
      throw ModuleFailure(std::string("the ") + what + " of a stable checkpoint cannot be read");
    return std::move(*value);
  }

  /// What was done in this epoch before a restart is known again, and said again. That may end the
  /// epoch, and even begin the next.
  void resume(Epoch epoch, auto& out) {
    auto found = recovered_.extract(epoch);
    if (!found) return;
    auto env = env_of(out);
    for (typename Orderer::Entry& entry : found.mapped())
      visit_alternative(entry, [&](auto& one) {
        const SegmentId id = Orderer::segment_of(one);
        Epochs* state = find_epoch(epoch);
        if (state && state->has(id.index)) state->segment(id.index).recover(std::move(one), env);
      });
    for (std::uint32_t index = 0;; ++index) {
      Epochs* state = find_epoch(epoch);
      if (!state || !state->has(index)) return;
      state->segment(index).resume(env);
    }
  }

  /// Tells each segment the time, and whether anybody waits for it: its leader has requests to
  /// propose that are known here, or others have gone ahead. Requests that wait in vain are passed
  /// on again: perhaps nobody else knows of them.
  void watch_segments(auto& env) {
    const bool relays = now_ - relayed_ >= env.resend_after();
    if (relays) relayed_ = now_;
    Epochs* const epoch = &current();
    const auto is_decided = [&](const RequestRef& reference) {
      const auto sn = clients_.claimed_by(reference.client, reference.req_no);
      return sn && epoch->decision(*sn);
    };
    for (std::uint32_t index = 0; epoch->has(index); ++index) {
      if (epoch->is_complete(index)) continue;
      const bool expected = proposer_.is_pulled(epoch->first_open(index)) ||
                            buckets_.waits(index, is_decided);
      epoch->segment(index).tick(expected, env);
      if (relays && epoch->segment(index).idle_for(now_) >= env.resend_after())
        for (const RequestRef& reference :
             buckets_.oldest(index, iss::Bodies::repeated_at_once, clients_))
          bodies_.relay_later(reference);
    }
  }

  /// Everything of the epoch is delivered: begins its checkpoint.
  void finish_epoch(auto& out) {
    finished_ = true;
    clients_.slide();
    policy_.epoch_ended(epoch_, plan().leaders());
    pace_.epoch_ended(current().suspected(), cluster_.quorum(), config_.base_timeout);
    auto env = env_of(out);
    checkpointing_.begin(epoch_, plan().last(), current().digests(), clients_.windows(), policy_,
                         pace_, parameters(), env);
    go_on(out);
  }

  /// Forgets epochs that are no longer needed, and begins the next one if it may begin. After a
  /// restart the checkpoint of an epoch may become stable before its batches are here again: then
  /// its state, which is, takes their place.
  void go_on(auto& out) {
    if (!started_) return;
    if (!finished_ && checkpointing_.stable_epochs() > epoch_.value)
      return go_on_from(checkpointing_.skip_to_stable(), out);
    epochs_.erase(epochs_.begin(), epochs_.lower_bound(checkpointing_.first_kept()));
    const Epoch next = epoch_ + 1;
    if (finished_ && next < checkpointing_.keys_known_below())
      enter_epoch(next, plan().end(), Reached::by_applying, out);
  }

  /// The configuration as it must be the same everywhere.
  IssConfig parameters() const {
    IssConfig common = config_;
    common.self = {};
    common.memory = {};
    common.members = cluster_.members();
    return common;
  }

  IssConfig config_;
  LeaderPolicy policy_;
  [[no_unique_address]] Rules rules_;
  iss::Cluster cluster_;
  iss::Clients clients_;
  iss::Buckets buckets_;
  iss::EarlyMessages<Message> early_;
  iss::WaitingBatches waiting_;
  iss::Bodies bodies_;
  iss::Laggard laggard_;
  iss::Proposer proposer_;
  iss::OwnBatches own_batches_;
  iss::Reminders reminders_;
  iss::StateSupply supply_;
  iss::StateTransfer transfer_;
  iss::Amnesia amnesia_;
  iss::Pace pace_;
  iss::Checkpointing checkpointing_;
  std::map<Epoch, Epochs> epochs_;
  /// Entries of the write-ahead log, of epochs that are not entered yet.
  std::map<Epoch, std::vector<typename Orderer::Entry>> recovered_;
  std::set<SegmentId> recovered_done_;

  Epoch epoch_;
  SeqNr next_;
  std::chrono::nanoseconds now_{};
  std::chrono::nanoseconds refilled_{};
  std::chrono::nanoseconds relayed_{};
  std::chrono::nanoseconds delivered_at_{};
  bool started_ = false;
  /// The current epoch is delivered; the next one waits for a stable checkpoint.
  bool finished_ = false;
  /// A `Continue` is on its way.
  bool noted_ = false;
  std::uint64_t delivered_ = 0;
  iss::BadMessages bad_;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::IssStatus, epoch, next_delivery, stable_checkpoints,
                        delivered_requests, proposed_batches, own_requests_waiting,
                        batches_waiting_for_bodies, clients, early_bytes, open_segments,
                        suspected_segments, timeout, key_changes, refused_reconfigurations,
                        may_vote, bad_messages);

#endif

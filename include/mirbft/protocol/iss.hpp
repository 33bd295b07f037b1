// ISS: total order from many leaders at once, each with a segment of every epoch.
#ifndef MIRBFT_PROTOCOL_ISS_HPP
#define MIRBFT_PROTOCOL_ISS_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
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
#include <mirbft/protocol/iss/bad_message.hpp>
#include <mirbft/protocol/iss/buckets.hpp>
#include <mirbft/protocol/iss/checkpoints.hpp>
#include <mirbft/protocol/iss/clients.hpp>
#include <mirbft/protocol/iss/cluster.hpp>
#include <mirbft/protocol/iss/config.hpp>
#include <mirbft/protocol/iss/early_messages.hpp>
#include <mirbft/protocol/iss/epoch_plan.hpp>
#include <mirbft/protocol/iss/epoch_state.hpp>
#include <mirbft/protocol/iss/events.hpp>
#include <mirbft/protocol/iss/leader_policies.hpp>
#include <mirbft/protocol/iss/messages.hpp>
#include <mirbft/protocol/iss/waiting_batches.hpp>
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
  iss::BadMessages bad_messages;
};

/// ISS (Stathakopoulou, Pavlovic, Vukolić, EuroSys 2022): epochs of sequence numbers, cut into
/// segments that their leaders fill in parallel from disjoint buckets of requests; an orderer such as
/// `Pbft` agrees on each slot. Deterministic.
template <class Orderer, class LeaderPolicy = Simple>
class Iss {
 public:
  using Message = IssMessage<typename Orderer::Message>;
  using Status = IssStatus;
  using consumes = joined<
      events<Init, Tick, Continue, RequestReady, MessageReceived<Message>, HashResult<BatchHash>,
             HashResult<CheckpointHash>, SignResult<CheckpointSigning>,
             NodeSigsVerified<CheckpointChecking>, RequestsFetched<RelayFetch>,
             RequestsFetched<SupplyFetch>, AppSnapshot, WalEntry<EpochEntry>,
             WalEntry<CheckpointEntry>, WalEntry<StableEntry>>,
      typename Orderer::consumes>;
  using emits = joined<
      events<Continue, Deliver, SendMessage<Message>, MessageReceived<Message>, NewRequest,
             HashRequest<BatchHash>, HashRequest<CheckpointHash>, SignRequest<CheckpointSigning>,
             VerifyNodeSigs<CheckpointChecking>, FetchRequests<RelayFetch>,
             FetchRequests<SupplyFetch>, WalAppend<EpochEntry>, WalAppend<CheckpointEntry>,
             WalAppend<StableEntry>, WalTruncate, CollectRequests, AppSnapshotRequest,
             WindowsMoved, Halt>,
      typename Orderer::emits>;

  /// Throws ConfigError.
  explicit Iss(IssConfig config, LeaderPolicy policy = {})
      : config_((iss::check(config), std::move(config))),
        policy_(std::move(policy)),
        cluster_(config_),
        clients_(config_.client_window, config_.max_clients),
        buckets_(static_cast<std::uint32_t>(iss::buckets_per_member * config_.members.size())),
        early_(config_.members.size(), config_.early_bytes_per_peer) {}

  static FrameClass frame_class(const Message& message) {
    return iss::frame_class<Orderer>(message);
  }

  void process(Init, auto& out) { enter_epoch(Epoch(0), SeqNr(0), out); }

  void process(Tick tick, auto& out) {
    now_ = tick.now;
    ask_for_bodies(out);
    ask_for_batches(out);
    note_to_continue(out);
  }

  void process(Continue, auto& out) {
    noted_ = false;
    relay(out);
    propose(out);
  }

  void process(RequestReady ready, auto& out) {
    const RequestRef& reference = ready.reference;
    const auto readiness = clients_.ready(reference, ready.size);
    if (readiness == iss::Clients::Readiness::refused) return;
    if (readiness == iss::Clients::Readiness::first) buckets_.add(reference, ready.size);
    if (ready.spread == Spread::by_replica) to_relay_.push_back(reference);
    if (!waiting_.empty()) {
      const auto sn = clients_.claimed_by(plan().first(), reference.client, reference.req_no);
      if (sn)
        if (auto complete = waiting_.body_came(*sn, clients_)) hash(std::move(*complete), out);
    }
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
    Env env(*this, out);
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
    Env env(*this, out);
    epoch->segment(event.origin.content.segment.index).process(std::move(event), env);
  }

  template <class Entry>
  void process(WalEntry<Entry>, auto& out) {
    out.emit(Halt{
        "the write-ahead log is not empty, and this version cannot recover from it: start this "
        "replica with an empty log, as a new member"});
  }

  // Dissemination.

  void process(RequestsFetched<RelayFetch> fetched, auto& out) {
    send_requests<Relayed>(cluster_.others(), std::move(fetched.found), out);
  }
  void process(RequestsFetched<SupplyFetch> fetched, auto& out) {
    send_requests<RequestsSupplied>({fetched.origin.to}, std::move(fetched.found), out);
  }

  // Checkpoints.

  void process(AppSnapshot snapshot, auto& out) {
    const Epoch epoch = snapshot_epoch_;
    ++snapshot_epoch_;
    checkpoints_[epoch].app_length(snapshot.data.size());
    hash_part(epoch, CheckpointPart::app_state, {std::move(snapshot.data)}, out);
  }

  void process(HashResult<CheckpointHash> hashed, auto& out) {
    const CheckpointHash& origin = hashed.origin;
    if (origin.part == CheckpointPart::log) log_ = hashed.digest;
    const auto header = checkpoints_[origin.epoch].part(origin.part, hashed.digest);
    if (!header) return;
    out.emit(SignRequest<CheckpointSigning>{signed_bytes(*header), {*header}});
  }

  void process(SignResult<CheckpointSigning> signed_, auto& out) {
    const CheckpointVote vote{signed_.origin.header, signed_.signature};
    out.emit(WalAppend<CheckpointEntry>{{vote.header, vote.signature},
                                        RetentionIndex(vote.header.epoch.value)})
        .then(to_others(vote), to_self(vote));
  }

  void process(NodeSigsVerified<CheckpointChecking> verified, auto& out) {
    const CheckpointHeader& header = verified.origin.header;
    const auto checkpoint = checkpoints_.find(header.epoch);
    if (checkpoint == checkpoints_.end()) return;
    for (std::size_t i = 0; i < verified.verdicts.size(); ++i) {
      const bool valid = verified.verdicts[i] == SignatureCheck::valid;
      if (!valid) bad_.count(Bad::signature);
      checkpoint->second.checked(cluster_.find(verified.origin.signers[i])->index, valid);
    }
    try_to_stabilise(header, out);
  }

  Status status() const {
    return {epoch_,
            next_,
            stable_ ? stable_->value + 1 : 0,
            delivered_,
            proposed_,
            buckets_.own_requests(),
            waiting_.size(),
            clients_.size(),
            early_.bytes(),
            bad_};
  }

 private:
  using Bad = iss::BadMessage;
  using Segment = typename Orderer::Segment;
  using Epochs = iss::EpochState<Segment>;

  /// How many epochs may begin before the checkpoint of an earlier one is stable.
  static constexpr std::uint64_t epochs_ahead = 2;
  /// How many stable epochs are kept for those who lag behind.
  static constexpr std::uint64_t epochs_kept = 2;
  static constexpr std::size_t slots_asked_at_once = 16;
  static constexpr std::size_t bodies_asked_at_once = 4096;
  static constexpr std::size_t bytes_of_an_answer = 1u << 20;

  /// What the orderer sees of ISS while it handles one event.
  template <class Out>
  class Env {
   public:
    Env(Iss& iss, Out& out) : iss_(iss), out_(out) {}

    const iss::Cluster& cluster() const noexcept { return iss_.cluster_; }
    template <class E>
    auto emit(E event) {
      return out_.emit(std::move(event));
    }
    auto to_others(typename Orderer::Message message) {
      return iss_.to_others(std::move(message));
    }
    auto to_self(typename Orderer::Message message) { return iss_.to_self(std::move(message)); }
    void check(SegmentId segment, std::uint32_t slot, const Batch& batch) {
      iss_.check_proposal(segment, slot, batch, out_);
    }
    void decided(SegmentId segment, std::uint32_t slot, const Digest& digest, Batch batch) {
      iss_.decided(segment, slot, digest, std::move(batch), out_);
    }
    void bad(Bad reason) { iss_.bad_.count(reason); }

   private:
    Iss& iss_;
    Out& out_;
  };

  SendMessage<Message> to_others(Message message) {
    return {cluster_.others(), std::move(message)};
  }
  MessageReceived<Message> to_self(Message message) {
    return {cluster_.self().id, std::move(message)};
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
    if (auto* ordering = std::get_if<typename Orderer::Message>(&message)) {
      receive(from, std::move(*ordering), out);
    } else if (auto* done = std::get_if<Done>(&message)) {
      receive(from, std::move(*done), out);
    } else if (auto* vote = std::get_if<CheckpointVote>(&message)) {
      receive(from, std::move(*vote), out);
    } else if (auto* relayed = std::get_if<Relayed>(&message)) {
      for (Request& request : relayed->requests)
        out.emit(NewRequest{std::move(request), Spread::by_client});
    } else if (auto* wanted = std::get_if<RequestsWanted>(&message)) {
      if (wanted->references.size() > bodies_asked_at_once) return bad_.count(Bad::oversized);
      out.emit(FetchRequests<SupplyFetch>{std::move(wanted->references), {from.id}});
    } else if (auto* supplied = std::get_if<RequestsSupplied>(&message)) {
      receive(from, std::move(*supplied), out);
    } else if (auto* batches = std::get_if<BatchesWanted>(&message)) {
      receive(from, *batches, out);
    } else if (auto* batch = std::get_if<BatchSupplied>(&message)) {
      receive(from, std::move(*batch), out);
    }
  }

  /// Finds the epoch of a message; keeps the message for later when that is the next epoch.
  Epochs* epoch_of(iss::Member from, SegmentId segment, const Message& message) {
    if (segment.epoch == epoch_ + 1 || !started_) {
      if (!early_.keep(from.index, {from.id, message}, wire::encoded_size(message)))
        bad_.count(Bad::far_epoch);
      return nullptr;
    }
    if (segment.epoch > epoch_) {
      bad_.count(Bad::far_epoch);
      return nullptr;
    }
    Epochs* epoch = find_epoch(segment.epoch);
    if (!epoch) bad_.count(Bad::old_epoch);
    if (epoch && !epoch->has(segment.index)) {
      bad_.count(Bad::vote);
      return nullptr;
    }
    return epoch;
  }

  void receive(iss::Member from, typename Orderer::Message message, auto& out) {
    const SegmentId segment = Orderer::segment_of(message);
    if (segment.epoch <= epoch_ && started_) {  // the usual case, without a copy
      Epochs* epoch = find_epoch(segment.epoch);
      if (!epoch) return bad_.count(Bad::old_epoch);
      if (!epoch->has(segment.index)) return bad_.count(Bad::vote);
      Env env(*this, out);
      return epoch->segment(segment.index).receive(from, std::move(message), env);
    }
    (void)epoch_of(from, segment, Message(std::move(message)));
  }

  void receive(iss::Member from, Done done, auto& /*out*/) {
    Epochs* epoch = epoch_of(from, done.segment, Message(done));
    if (!epoch) return;
    if (done.digests.size() != epoch->plan().segment_length()) return bad_.count(Bad::oversized);
    if (!epoch->done(from.index, done.segment.index, std::move(done.digests)))
      bad_.count(Bad::duplicate);
  }

  // Proposals of others.

  /// Rules 2 to 6 for a proposal (protocol, section 3). An acceptable one is hashed as soon as all
  /// its bodies are here; of one that breaks a rule nothing more is heard.
  void check_proposal(SegmentId segment, std::uint32_t slot, const Batch& batch, auto& out) {
    Epochs& epoch = *find_epoch(segment.epoch);
    const SeqNr sn = epoch.plan().sn_of(segment.index, slot);
    if (batch->size() > config_.max_batch_requests || !claim_all(epoch, segment.index, sn, batch))
      return bad_.count(Bad::proposal);
    if (sn > highest_proposed_) {
      highest_proposed_ = sn;
      note_to_continue(out);
    }
    await_bodies(sn, {segment, slot, batch, BatchUse::vote}, out);
  }

  bool claim_all(Epochs& epoch, std::uint32_t segment, SeqNr sn, const Batch& batch) {
    const iss::EpochPlan& where = epoch.plan();
    for (std::size_t i = 0; i < batch->size(); ++i) {
      const RequestRef& reference = (*batch)[i];
      const std::uint32_t bucket =
          iss::bucket_of(reference.client, reference.req_no, where.buckets());
      if (where.owner(bucket) == segment &&
          clients_.claim(where.first(), sn, reference.client, reference.req_no))
        continue;
      while (i-- > 0) clients_.unclaim(sn, (*batch)[i].client, (*batch)[i].req_no);
      return false;
    }
    return true;
  }

  void await_bodies(SeqNr sn, BatchHash batch, auto& out) {
    const std::size_t missing = iss::WaitingBatches::missing(*batch.batch, clients_).size();
    if (missing == 0) {
      hash(std::move(batch), out);
    } else {
      waiting_.add(sn, std::move(batch), missing, now_);
    }
  }

  void hash(BatchHash batch, auto& out) {
    if (batch.use == BatchUse::vote && bytes_of(*batch.batch) > config_.max_batch_bytes &&
        batch.batch->size() > 1)
      return bad_.count(Bad::proposal);
    const Epochs& epoch = *find_epoch(batch.segment.epoch);
    const BatchContent content{batch.segment.epoch,
                               epoch.plan().sn_of(batch.segment.index, batch.slot), batch.batch};
    Bytes bytes = wire::canonical("batch", cluster_.name().view(), content);
    out.emit(HashRequest<BatchHash>{{std::move(bytes)}, std::move(batch)});
  }
  std::uint64_t bytes_of(const std::vector<RequestRef>& batch) {
    std::uint64_t bytes = 0;
    for (const RequestRef& reference : batch)
      bytes += clients_.ready_size(reference).value_or(0);
    return bytes;
  }

  /// Bodies that have not come by themselves: asks the leader first, then the others in turn.
  void ask_for_bodies(auto& out) {
    waiting_.ask_again(now_, config_.fetch_delay, [&](const auto& waiting) {
      std::vector<RequestRef> absent =
          iss::WaitingBatches::missing(*waiting.batch.batch, clients_);
      if (absent.size() > bodies_asked_at_once) absent.resize(bodies_asked_at_once);
      const Epochs* epoch = find_epoch(waiting.batch.segment.epoch);
      if (!epoch || cluster_.others().empty()) return;
      const NodeId leader = epoch->plan().leader(waiting.batch.segment.index);
      const NodeId whom = waiting.asked == 1 && leader != cluster_.self().id
                              ? leader
                              : cluster_.others()[waiting.asked % cluster_.others().size()];
      out.emit(SendMessage<Message>{{whom}, RequestsWanted{std::move(absent)}});
    });
  }

  /// Bodies that were asked for. Each is checked by the Tracker like any other request.
  void receive(iss::Member, RequestsSupplied supplied, auto& out) {
    for (Request& request : supplied.requests) {
      const auto sn = clients_.claimed_by(plan().first(), request.client, request.req_no);
      if (sn && waiting_.contains(*sn)) {
        out.emit(NewRequest{std::move(request), Spread::fetched});
      } else {
        bad_.count(Bad::unasked);
      }
    }
  }

  // Own proposals.

  /// Fills the next own slots: when a batch is full or has waited long enough, when nothing of
  /// one's own is in flight, or when other leaders are ahead and wait for this slot to deliver theirs.
  void propose(auto& out) {
    if (!own_segment_) return;
    while (next_slot_ < plan().segment_length() && in_flight_ < config_.pipeline) {
      const SeqNr sn = plan().sn_of(*own_segment_, next_slot_);
      const std::uint64_t ready = buckets_.own_requests();
      const bool full = ready >= config_.max_batch_requests ||
                        buckets_.own_bytes() >= config_.max_batch_bytes;
      const bool due = ready != 0 && (in_flight_ == 0 || now_ - last_cut_ >= config_.batch_delay);
      const bool pulled = sn < highest_proposed_;
      if (!full && !due && !pulled) return;
      cut_batch(sn, out);
    }
  }

  void cut_batch(SeqNr sn, auto& out) {
    const SeqNr first = plan().first();
    Batch batch(buckets_.cut(config_.max_batch_requests, config_.max_batch_bytes,
                             [&](const RequestRef& reference) {
                               return clients_.claim(first, sn, reference.client,
                                                     reference.req_no);
                             }));
    if (sn > highest_proposed_ && !batch->empty()) highest_proposed_ = sn;
    last_cut_ = now_;
    ++in_flight_;
    ++proposed_;
    hash({{epoch_, *own_segment_}, next_slot_++, std::move(batch), BatchUse::propose}, out);
  }

  // Decisions and delivery.

  void decided(SegmentId segment, std::uint32_t slot, const Digest& digest, Batch batch,
               auto& out) {
    Epochs& epoch = *find_epoch(segment.epoch);
    if (epoch.decide(segment.index, slot, digest, std::move(batch))) {
      Done done{segment, epoch.digests(segment.index)};
      out.emit(to_others(done));
      (void)epoch.done(cluster_.self().index, segment.index, std::move(done.digests));
    }
    if (segment.epoch == epoch_ && own_segment_ == segment.index) {
      --in_flight_;
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
      policy_.delivered(next_, plan().leader(plan().segment_of(next_)), SlotOutcome::batch);
      out.emit(Deliver{next_, decision.batch});
      ++next_;
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

  void enter_epoch(Epoch epoch, SeqNr first, auto& out) {
    started_ = true;
    finished_ = false;
    epoch_ = epoch;
    iss::EpochPlan next(epoch, first, cluster_.members(),
                        policy_.leaders(epoch, cluster_.members()), config_);
    own_segment_.reset();
    for (std::uint32_t i = 0; i < next.segments(); ++i)
      if (next.leader(i) == cluster_.self().id) own_segment_ = i;
    next_slot_ = in_flight_ = 0;
    highest_proposed_ = first;
    buckets_.begin_epoch(next, clients_, own_segment_ ? &*own_segment_ : nullptr);
    epochs_.try_emplace(epoch, std::move(next), cluster_.members().size());
    out.emit(WalAppend<EpochEntry>{{epoch, first}, RetentionIndex(epoch.value)});
    out.emit(WindowsMoved{epoch, clients_.windows()});
    for (MessageReceived<Message>& message : early_.take())
      receive(*cluster_.find(message.from), std::move(message.message), out);
    note_to_continue(out);
  }

  /// Everything of the epoch is delivered: begins its checkpoint.
  void finish_epoch(auto& out) {
    finished_ = true;
    clients_.slide();
    std::vector<ClientWindow> windows = clients_.windows();
    hash_part(epoch_, CheckpointPart::log,
              {canonical("log", LogContent{log_, current().digests()})}, out);
    hash_part(epoch_, CheckpointPart::clients, {canonical("clients", windows)}, out);
    hash_part(epoch_, CheckpointPart::policy, {canonical("policy", policy_)}, out);
    hash_part(epoch_, CheckpointPart::membership, {canonical("members", cluster_.members())}, out);
    hash_part(epoch_, CheckpointPart::parameters, {canonical("parameters", parameters())}, out);
    checkpoints_[epoch_].begin(epoch_, plan().last(), std::move(windows));
    out.emit(AppSnapshotRequest{plan().last()});
    try_to_go_on(out);
  }

  void try_to_go_on(auto& out) {
    const std::uint64_t next = epoch_.value + 1;
    const std::uint64_t stable = stable_ ? stable_->value + 1 : 0;
    if (finished_ && next < stable + epochs_ahead) enter_epoch(Epoch(next), plan().end(), out);
  }

  // Checkpoints.

  void receive(iss::Member from, CheckpointVote vote, auto& out) {
    const CheckpointHeader header = vote.header;
    if (stable_ && header.epoch <= *stable_) return;
    if (header.epoch > epoch_ + 1) return bad_.count(Bad::far_epoch);
    iss::Checkpoint& checkpoint = checkpoints_[header.epoch];
    const bool own = from.id == cluster_.self().id;
    if (!checkpoint.keep(from.index, std::move(vote), own, cluster_.members().size()))
      return bad_.count(Bad::duplicate);
    check_votes(checkpoint, header, out);
    if (own) try_to_stabilise(header, out);
  }

  void check_votes(iss::Checkpoint& checkpoint, const CheckpointHeader& header, auto& out) {
    const auto unchecked = checkpoint.to_check(header, cluster_.quorum().strong());
    if (unchecked.empty()) return;
    VerifyNodeSigs<CheckpointChecking> request{{}, {header, {}}};
    for (const std::size_t member : unchecked) {
      const NodeId signer = cluster_.members()[member];
      request.signatures.push_back({signer, signed_bytes(header), checkpoint.signature(member)});
      request.origin.signers.push_back(signer);
    }
    out.emit(std::move(request));
  }

  /// A certified header that differs from the own one means that states have diverged: going on
  /// would only spread the damage.
  void try_to_stabilise(const CheckpointHeader& header, auto& out) {
    iss::Checkpoint& checkpoint = checkpoints_[header.epoch];
    auto certificate = checkpoint.certificate(header, cluster_);
    const auto own = checkpoint.own();
    if (!certificate || !own || (stable_ && header.epoch <= *stable_)) return;
    if (*own != header)
      return (void)out.emit(Halt{"this replica has diverged: at epoch " +
                                 std::to_string(header.epoch.value) +
                                 " a quorum certifies another state than the own one"});
    stable_ = header.epoch;
    auto stable = out.emit(WalAppend<StableEntry>{{header, std::move(*certificate)},
                                                  RetentionIndex(header.epoch.value)});
    collect(header.epoch, stable);
    try_to_go_on(out);
  }

  /// Forgets what lies `epochs_kept` behind the stable checkpoint, once that is durable.
  void collect(Epoch stable_epoch, auto& stable) {
    if (stable_epoch.value < epochs_kept) return;
    const Epoch through(stable_epoch.value - epochs_kept);
    const auto checkpoint = checkpoints_.find(through);
    if (checkpoint != checkpoints_.end())
      stable.then(CollectRequests{{checkpoint->second.last(), checkpoint->second.windows()}},
                  WalTruncate{RetentionIndex(through.value + 1)});
    checkpoints_.erase(checkpoints_.begin(), checkpoints_.upper_bound(through));
    epochs_.erase(epochs_.begin(), epochs_.upper_bound(through));
  }

  void hash_part(Epoch epoch, CheckpointPart part, std::vector<Bytes> bytes, auto& out) {
    out.emit(HashRequest<CheckpointHash>{std::move(bytes), {epoch, part}});
  }
  Bytes signed_bytes(const CheckpointHeader& header) const {
    return canonical("checkpoint", header);
  }
  template <class T>
  Bytes canonical(std::string_view domain, const T& value) const {
    return wire::canonical(domain, cluster_.name().view(), value);
  }
  /// The configuration as it must be the same everywhere.
  IssConfig parameters() const {
    IssConfig common = config_;
    common.self = {};
    common.members = cluster_.members();
    return common;
  }

  // Catching up with those who are done.

  /// Segments that `w` others have finished and this replica has not: asks them for the batches.
  void ask_for_batches(auto& out) {
    if (!started_ || now_ - asked_batches_ < config_.fetch_delay) return;
    asked_batches_ = now_;
    for (std::uint32_t index = 0; index < plan().segments(); ++index) {
      if (current().is_complete(index)) continue;
      const auto vouching = current().vouching(index, cluster_.quorum());
      if (vouching.empty()) continue;
      BatchesWanted wanted{{epoch_, index}, {}};
      for (std::uint32_t slot = 0; slot < plan().segment_length(); ++slot)
        if (!current().at(index, slot) && !waiting_.contains(plan().sn_of(index, slot)) &&
            wanted.slots.size() < slots_asked_at_once)
          wanted.slots.push_back(slot);
      const std::size_t whom = vouching[asking_++ % vouching.size()];
      out.emit(SendMessage<Message>{{cluster_.members()[whom]}, std::move(wanted)});
    }
  }

  void receive(iss::Member from, const BatchesWanted& wanted, auto& out) {
    Epochs* epoch = find_epoch(wanted.segment.epoch);
    if (!epoch) return bad_.count(Bad::old_epoch);
    if (!epoch->has(wanted.segment.index) || wanted.slots.size() > slots_asked_at_once)
      return bad_.count(Bad::oversized);
    for (const std::uint32_t slot : wanted.slots) {
      if (slot >= epoch->plan().segment_length()) return bad_.count(Bad::oversized);
      if (const auto& decision = epoch->at(wanted.segment.index, slot))
        out.emit(SendMessage<Message>{{from.id},
                                      BatchSupplied{wanted.segment, slot, decision->batch}});
    }
  }

  void receive(iss::Member, BatchSupplied supplied, auto& out) {
    Epochs* epoch = find_epoch(supplied.segment.epoch);
    const bool wanted = epoch && supplied.segment.epoch == epoch_ &&
                        epoch->has(supplied.segment.index) &&
                        supplied.slot < epoch->plan().segment_length() &&
                        !epoch->at(supplied.segment.index, supplied.slot) &&
                        !epoch->vouching(supplied.segment.index, cluster_.quorum()).empty();
    if (!wanted) return bad_.count(Bad::unasked);
    if (supplied.batch->size() > config_.max_batch_requests) return bad_.count(Bad::oversized);
    hash({supplied.segment, supplied.slot, std::move(supplied.batch), BatchUse::adopt}, out);
  }

  /// The batch is adopted if it is the one that `w` members vouch for, as soon as its bodies are here.
  template <class E>
  void adopt(Epochs& epoch, BatchHash batch, const Digest& digest, E& env) {
    const auto vouching = epoch.vouching(batch.segment.index, cluster_.quorum());
    if (vouching.empty() || epoch.at(batch.segment.index, batch.slot)) return;
    if (epoch.digests_of(vouching.front(), batch.segment.index)[batch.slot] != digest)
      return bad_.count(Bad::unasked);
    const SeqNr sn = epoch.plan().sn_of(batch.segment.index, batch.slot);
    if (iss::WaitingBatches::missing(*batch.batch, clients_).empty()) {
      epoch.segment(batch.segment.index)
          .adopt(batch.slot, digest, std::move(batch.batch), env);
      return;
    }
    for (const RequestRef& reference : *batch.batch)
      (void)clients_.claim(epoch.plan().first(), sn, reference.client, reference.req_no);
    const std::size_t missing = iss::WaitingBatches::missing(*batch.batch, clients_).size();
    waiting_.add(sn, std::move(batch), missing, now_);
  }

  // Dissemination.

  /// Requests that were given to this replica alone go to the others.
  void relay(auto& out) {
    if (to_relay_.empty() || cluster_.others().empty()) return to_relay_.clear();
    out.emit(FetchRequests<RelayFetch>{std::exchange(to_relay_, {}), {}});
  }

  template <class Kind>
  void send_requests(const std::vector<NodeId>& destinations, std::vector<Request> requests,
                     auto& out) {
    Kind message;
    std::size_t bytes = 0;
    for (Request& request : requests) {
      bytes += request.data.size() + request.authenticator.size();
      message.requests.push_back(std::move(request));
      if (bytes < bytes_of_an_answer) continue;
      out.emit(SendMessage<Message>{destinations, std::exchange(message, {})});
      bytes = 0;
    }
    if (!message.requests.empty())
      out.emit(SendMessage<Message>{destinations, std::move(message)});
  }

  IssConfig config_;
  LeaderPolicy policy_;
  iss::Cluster cluster_;
  iss::Clients clients_;
  iss::Buckets buckets_;
  iss::EarlyMessages<Message> early_;
  iss::WaitingBatches waiting_;
  std::vector<RequestRef> to_relay_;
  std::map<Epoch, Epochs> epochs_;
  std::map<Epoch, iss::Checkpoint> checkpoints_;

  Epoch epoch_;
  SeqNr next_;
  Digest log_;
  std::optional<Epoch> stable_;
  Epoch snapshot_epoch_;
  bool started_ = false;
  /// The current epoch is delivered; the next one waits for a stable checkpoint.
  bool finished_ = false;
  bool noted_ = false;

  std::optional<std::uint32_t> own_segment_;
  std::uint32_t next_slot_ = 0;
  std::uint32_t in_flight_ = 0;
  SeqNr highest_proposed_;
  std::chrono::nanoseconds now_{};
  std::chrono::nanoseconds last_cut_{};
  std::chrono::nanoseconds asked_batches_{};
  std::size_t asking_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t proposed_ = 0;
  iss::BadMessages bad_;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::IssStatus, epoch, next_delivery, stable_checkpoints,
                        delivered_requests, proposed_batches, own_requests_waiting,
                        batches_waiting_for_bodies, clients, early_bytes, bad_messages);

#endif

// One replica's Iss, driven by hand: the test is its hasher, its signer, its log and its peers.
#ifndef MIRBFT_TESTS_SUPPORT_ISS_FIXTURE_HPP
#define MIRBFT_TESTS_SUPPORT_ISS_FIXTURE_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <mirbft/protocol/iss.hpp>
#include <mirbft/protocol/orderers/pbft.hpp>

#include "iss_values.hpp"
#include "recorder.hpp"

namespace mirbft::testing {

/// The replica `config.self`. `work()` answers everything that it asks of its own modules; what it
/// sends, delivers and reports is kept.
template <class Policy = Simple>
class IssFixture {
 public:
  using Protocol = Iss<Pbft, Policy>;
  using Message = typename Protocol::Message;

  struct Sent {
    std::vector<NodeId> to;
    Message message;
  };

  /// Entries of the write-ahead log, in order; each plays itself back.
  using Log = std::vector<std::function<void(Protocol&, Recorder&)>>;

  /// Whether the App is asked for snapshots, or has too much to do.
  enum class AppIs : std::uint8_t { idle, busy };

  /// Starts with what is in `written`.
  explicit IssFixture(IssConfig of, Policy policy = {}, const Log& written = {},
                      AppIs app_is = AppIs::idle)
      : app(app_is), config(std::move(of)), iss(config, std::move(policy)) {
    for (const auto& play_back : written) play_back(iss, out);
    iss.process(Init{}, out);
    work();
  }

  // Inputs.

  template <class M>
  void receive(NodeId from, M message) {
    if constexpr (is_ordering<M>) {
      receive(from, Message(PbftMessage(std::move(message))));
    } else {
      iss.process(MessageReceived<Message>{from, std::move(message)}, out);
      work();
    }
  }
  void ready(const RequestRef& reference, Spread spread = Spread::by_client,
             std::uint32_t size = 10, Epoch keys = {}) {
    iss.process(RequestReady{reference, size, spread, keys}, out);
    work();
  }
  void tick(std::chrono::nanoseconds later) {
    now_ += later;
    iss.process(Tick{now_}, out);
    work();
  }

  /// Answers whatever the replica asks for, until it asks for nothing more.
  void work() {
    while (work_once()) continue;
  }

  AppIs app;

  // What came out.

  std::vector<Sent> sent;
  std::vector<Deliver> delivered;
  std::vector<NewRequest> handed_on;
  std::vector<std::string> halts;
  Log log;
  /// What the App asks for at its next snapshot, and what Crypto and Tracker hear of that.
  std::vector<Reconfiguration> changes;
  std::vector<UpdateNodeKeys> node_keys;
  std::vector<UpdateClientKeys> client_keys;
  std::vector<WindowsMoved> moves;

  /// Takes out the messages of type `M` that were sent.
  template <class M>
  std::vector<M> take() {
    std::vector<M> found;
    std::erase_if(sent, [&](Sent& one) {
      const M* message = held<M>(one.message);
      if (message) found.push_back(*message);
      return message != nullptr;
    });
    return found;
  }
  iss::BadMessages bad() const { return iss.status().bad_messages; }

  // What its peers make.

  iss::EpochPlan plan(Epoch epoch = Epoch(0), SeqNr first = SeqNr(0)) const {
    const Quorum quorum(config.members.size());
    return {epoch, first, config.members, Policy{}.leaders(epoch, config.members, quorum), config};
  }
  Digest digest(Epoch epoch, SeqNr sn, const Batch& batch) const {
    const BatchContent content{epoch, sn, batch};
    return digest_of_bytes(wire::canonical("batch", config.cluster.view(), content).view());
  }
  Bytes sign(NodeId node, const PrepareContent& content) const {
    return signature_of(node, wire::canonical("prepare", config.cluster.view(), content));
  }
  PrePrepare proposal(const iss::EpochPlan& where, SeqNr sn, const Batch& batch) const {
    const SegmentId segment{where.epoch(), where.segment_of(sn)};
    const Digest hash = digest(where.epoch(), sn, batch);
    return {segment, sn, batch,
            sign(where.leader(segment.index), {segment, View(0), sn, hash})};
  }
  Prepare prepare(const iss::EpochPlan& where, NodeId node, SeqNr sn, const Batch& batch) const {
    const SegmentId segment{where.epoch(), where.segment_of(sn)};
    const Digest hash = digest(where.epoch(), sn, batch);
    return {segment, View(0), sn, hash, sign(node, {segment, View(0), sn, hash})};
  }
  Commit commit(const iss::EpochPlan& where, SeqNr sn, const Batch& batch) const {
    return {{where.epoch(), where.segment_of(sn)}, View(0), sn,
            digest(where.epoch(), sn, batch)};
  }
  /// A request of the client whose bucket belongs to `leader` in this epoch; the `nth` such.
  RequestRef request_of(const iss::EpochPlan& where, NodeId leader, std::size_t nth = 0,
                        ClientId client = ClientId(1)) const {
    for (ReqNo number;; ++number) {
      const std::uint32_t bucket = iss::bucket_of(client, number, where.buckets());
      if (where.leader(where.owner(bucket)) == leader && nth-- == 0)
        return reference(client, number);
    }
  }
  static RequestRef reference(ClientId client, ReqNo number, std::string_view body = "body") {
    return {client, number,
            digest_of_bytes(Bytes(std::string(body) + std::to_string(number.value)).view())};
  }

  IssConfig config;
  Recorder out;
  Protocol iss;

 private:
  template <class M>
  static constexpr bool is_ordering = std::is_constructible_v<PbftMessage, M>;

  template <class M>
  static const M* held(const Message& message) {
    if constexpr (is_ordering<M>) {
      const auto* ordering = std::get_if<PbftMessage>(&message);
      return ordering ? std::get_if<M>(ordering) : nullptr;
    } else {
      return std::get_if<M>(&message);
    }
  }

  template <class E, class Answer>
  bool each(Answer&& answer) {
    bool any = false;
    for (; out.count<E>() != 0; any = true) answer(out.take<E>());
    return any;
  }
  template <class Origin>
  bool hash() {
    return each<HashRequest<Origin>>([&](HashRequest<Origin> asked) {
      const Digest digest = digest_of_parts(asked.parts);
      iss.process(HashResult<Origin>{digest, std::move(asked.origin)}, out);
    });
  }
  template <class Origin>
  bool sign() {
    return each<SignRequest<Origin>>([&](SignRequest<Origin> asked) {
      const Bytes signature = signature_of(config.self, asked.message);
      iss.process(SignResult<Origin>{signature, std::move(asked.origin)}, out);
    });
  }
  template <class Origin>
  bool verify() {
    return each<VerifyNodeSigs<Origin>>([&](VerifyNodeSigs<Origin> asked) {
      NodeSigsVerified<Origin> verified{{}, std::move(asked.origin)};
      for (const NodeSignature& one : asked.signatures)
        verified.verdicts.push_back(one.signature == signature_of(one.node, one.message)
                                        ? SignatureCheck::valid
                                        : SignatureCheck::invalid);
      iss.process(std::move(verified), out);
    });
  }
  template <class... Entries>
  bool persist() {
    return out.template take_any<WalAppend<Entries>...>([&]<class Entry>(WalAppend<Entry> append) {
      log.push_back([entry = std::move(append.entry)](Protocol& to, Recorder& from) {
        to.process(WalEntry<Entry>{entry}, from);
      });
    });
  }
  template <class... Dropped>
  bool drop() {
    bool any = false;
    ((any |= each<Dropped>([](const Dropped&) {})), ...);
    return any;
  }

  bool work_once() {
    bool any = hash<BatchHash>();
    any |= hash<CheckpointHash>();
    any |= hash<ChunkHash>();
    any |= hash<TreeHash>();
    any |= sign<PrepareSigning>();
    any |= sign<CheckpointSigning>();
    any |= sign<ViewChangeSigning>();
    any |= sign<NewViewSigning>();
    any |= verify<PrepareChecking>();
    any |= verify<ViewChangeChecking>();
    any |= verify<NewViewChecking>();
    any |= verify<CheckpointChecking>();
    any |= verify<ProofChecking>();
    any |= persist<EpochEntry, VoteEntry, ViewChangeEntry, NewViewEntry, PreparedEntry,
                   DecidedEntry, ChunkEntry, CheckpointEntry, StableEntry, AmnesiaEntry, DoneEntry,
                   KeyEntry>();
    any |= drop<WalTruncate, CollectRequests, ForgetNodeKeys>();
    any |= each<UpdateNodeKeys>([&](UpdateNodeKeys one) { node_keys.push_back(std::move(one)); });
    any |= each<UpdateClientKeys>(
        [&](UpdateClientKeys one) { client_keys.push_back(std::move(one)); });
    any |= each<WindowsMoved>([&](WindowsMoved one) { moves.push_back(std::move(one)); });
    if (app == AppIs::idle) any |= each<AppSnapshotRequest>([&](const AppSnapshotRequest& asked) {
      const Bytes state("state " + std::to_string(asked.sn.value));
      iss.process(AppSnapshot{asked.sn, 1, {{0, state}}, 0, std::exchange(changes, {})}, out);
    });
    any |= each<MessageReceived<Message>>(
        [&](MessageReceived<Message> own) { iss.process(std::move(own), out); });
    any |= each<Continue>([&](Continue go_on) { iss.process(go_on, out); });
    any |= each<SendMessage<Message>>([&](SendMessage<Message> send) {
      sent.push_back({std::move(send.destinations), std::move(send.message)});
    });
    any |= each<Deliver>([&](Deliver deliver) { delivered.push_back(std::move(deliver)); });
    any |= each<NewRequest>([&](NewRequest made) { handed_on.push_back(std::move(made)); });
    any |= each<Halt>([&](Halt halt) { halts.push_back(std::move(halt.reason)); });
    return any;
  }

  std::chrono::nanoseconds now_{};
};

}  // namespace mirbft::testing

#endif

// One replica's PBFT segment, driven by hand: the test is its modules, its disk and its peers.
#ifndef MIRBFT_TESTS_SUPPORT_PBFT_REPLICA_HPP
#define MIRBFT_TESTS_SUPPORT_PBFT_REPLICA_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <mirbft/protocol/iss/events.hpp>
#include <mirbft/protocol/iss/pace.hpp>
#include <mirbft/protocol/orderers/pbft.hpp>
#include <mirbft/wire/codec.hpp>

#include "iss_env.hpp"

namespace mirbft::testing {

/// What the members of a cluster say and sign about one segment.
class PbftPeers {
 public:
  explicit PbftPeers(std::size_t n, SegmentId of = {Epoch(2), 1})
      : segment(of),
        config(iss_config(n)),
        plan_(plan_of(of.epoch)),
        cluster_(cluster_of(config)) {}

  SeqNr sn(std::uint32_t place) const { return plan_.sn_of(segment.index, place); }
  NodeId primary(View view) const {
    return NodeId((plan_.leader(segment.index).value + view.value) % config.members.size());
  }
  /// A batch with a number, and its digest.
  static Batch batch(std::uint64_t number) {
    return Batch({RequestRef{ClientId(1), ReqNo(number), {}}});
  }
  static Digest digest(const Batch& of) {
    return digest_of_bytes(wire::encode(BatchContent{{}, {}, of}).view());
  }
  static Digest digest(std::uint64_t number) { return digest(batch(number)); }

  PrePrepare proposal(std::uint32_t place, const Batch& of) const {
    const NodeId leader = plan_.leader(segment.index);
    return {segment, sn(place), of, prepare(leader, View(0), place, digest(of)).signature};
  }
  Prepare prepare(NodeId node, View view, std::uint32_t place, const Digest& of) const {
    const PrepareContent content{segment, view, sn(place), of};
    return {segment, view, sn(place), of,
            signature_of(node, pbft::signed_bytes(cluster_, content))};
  }
  Commit commit(View view, std::uint32_t place, const Digest& of) const {
    return {segment, view, sn(place), of};
  }
  /// Of the first members, exactly a strong quorum.
  Certificate certificate(View view, std::uint32_t place, const Digest& of) const {
    Certificate made{view, sn(place), of, {}};
    for (std::size_t i = 0; i < cluster_.quorum().strong(); ++i)
      made.signatures.push_back({NodeId(i), prepare(NodeId(i), view, place, of).signature});
    return made;
  }
  ViewChange sign(ViewChange message) const {
    message.signature = signature_of(message.sender, pbft::signed_bytes(cluster_, message));
    return message;
  }
  NewView sign(NewView message) const {
    message.signature =
        signature_of(primary(message.view), pbft::signed_bytes(cluster_, message));
    return message;
  }
  ViewChange view_change(NodeId node, View view, std::vector<Certificate> of = {}) const {
    ViewChange made{segment, view, node, {}, {}, std::move(of)};
    for (const Certificate& one : made.certificates)
      made.claims.push_back({one.view, one.sn, one.digest});
    return sign(std::move(made));
  }
  /// From ViewChanges as they are sent. `certificates` are those of the outcome.
  NewView new_view(View view, std::vector<ViewChange> changes,
                   std::vector<Certificate> certificates = {}) const {
    for (ViewChange& change : changes) change.certificates.clear();
    return sign(NewView{segment, view, std::move(changes), std::move(certificates), {}});
  }
  /// Of the last members, who claim nothing.
  NewView empty_new_view(View view) const {
    std::vector<ViewChange> changes;
    const std::size_t n = config.members.size();
    for (std::size_t i = n - cluster_.quorum().strong(); i < n; ++i)
      changes.push_back(view_change(NodeId(i), view));
    return new_view(view, std::move(changes));
  }

  const iss::Cluster& cluster() const noexcept { return cluster_; }
  const iss::EpochPlan& plan() const noexcept { return plan_; }
  pbft::SlotRange range() const {
    return {sn(0), plan_.segments(), plan_.segment_length()};
  }

  SegmentId segment;
  IssConfig config;

 private:
  iss::EpochPlan plan_of(Epoch epoch) const {
    return {epoch, SeqNr(epoch.value * config.epoch_length), config.members, config.members,
            config};
  }
  static iss::Cluster cluster_of(const IssConfig& config) {
    return {config, Pbft::quorum(config.members.size())};
  }

  iss::EpochPlan plan_;
  iss::Cluster cluster_;
};

/// The replica `self`. `work()` answers what it asks of its modules, as far as these are `open`.
class PbftReplica {
 public:
  using Log = std::vector<Pbft::Entry>;

  /// Whether a module answers, or lets its work pile up.
  enum class Door : std::uint8_t { open, shut };

  struct Said {
    std::vector<NodeId> to;
    PbftMessage message;
  };

  explicit PbftReplica(const PbftPeers& among, NodeId self = NodeId(0), const Log& disk_of = {})
      : peers(among), env_(*this, self), segment(among.plan(), among.segment.index, size()) {
    for (const Pbft::Entry& entry : disk_of)
      visit_alternative(entry, [&](const auto& one) { segment.recover(one, env_); });
    if (!disk_of.empty()) segment.resume(env_);
    work();
  }
  PbftReplica(const PbftReplica&) = delete;
  PbftReplica& operator=(const PbftReplica&) = delete;

  // Inputs.

  void receive(NodeId from, PbftMessage message) {
    segment.receive(*peers.cluster().find(from), std::move(message), env_);
    work();
  }
  void propose(std::uint32_t place, const Batch& batch) {
    segment.propose(place, batch, PbftPeers::digest(batch), env_);
    work();
  }
  void adopt(std::uint32_t place, const Batch& batch) {
    segment.adopt(place, PbftPeers::digest(batch), batch, env_);
    work();
  }
  void supply(std::uint32_t place, const Batch& batch) {
    segment.supplied(place, PbftPeers::digest(batch), batch, env_);
    work();
  }
  void tick(std::chrono::nanoseconds later) {
    env_.time += later;
    segment.tick(true, env_);
    work();
  }
  /// Its patience with the leader is at an end.
  void lose_patience() {
    tick({});
    tick(env_.patience(View(0)));
  }

  void work() {
    while (work_once()) continue;
  }
  /// The verifier is shut, and yet answers the oldest question of one kind.
  template <class Origin>
  void verify_one() {
    judge(env_.out.take<VerifyNodeSigs<Origin>>());
    work();
  }
  /// What the verifier has not answered.
  template <class Origin>
  std::size_t unverified() const {
    return env_.out.count<VerifyNodeSigs<Origin>>();
  }

  Door disk = Door::open;
  Door signer = Door::open;
  Door verifier = Door::open;
  Door checker = Door::open;

  // What came out.

  /// Takes out what was said, of one type.
  template <class M>
  std::vector<M> take() {
    std::vector<M> found;
    std::erase_if(said, [&](const Said& one) {
      const M* message = std::get_if<M>(&one.message);
      if (message) found.push_back(*message);
      return message != nullptr;
    });
    return found;
  }
  template <class Entry>
  std::size_t logged() const {
    return static_cast<std::size_t>(std::count_if(log.begin(), log.end(), [](const auto& entry) {
      return std::holds_alternative<Entry>(entry);
    }));
  }
  template <class Entry>
  Entry last() const {
    for (auto entry = log.rbegin(); entry != log.rend(); ++entry)
      if (const auto* one = std::get_if<Entry>(&*entry)) return *one;
    FAIL("there is no such entry");
    return {};
  }
  const iss::BadMessages& bad() const noexcept { return env_.bad_messages; }
  const std::vector<std::string>& halts() const noexcept { return env_.halts; }

  const PbftPeers& peers;
  Log log;
  std::vector<Said> said;
  std::map<std::uint32_t, Digest> decided;
  std::map<std::uint32_t, Batch> claimed;

 private:
  struct Check {
    std::uint32_t place;
    Batch batch;
  };

  /// What Iss gives to a segment.
  class Env : public IssEnv {
   public:
    Env(PbftReplica& replica, NodeId self) : IssEnv(config_of(replica, self)), replica_(replica) {}

    std::chrono::nanoseconds patience(View view) const {
      return iss::view_timeout(timeout(), view);
    }
    std::chrono::nanoseconds segment_patience(std::size_t) const { return std::chrono::hours(1); }
    std::chrono::nanoseconds resend_after() const { return iss::resend_interval(timeout()); }
    bool may_vote(SegmentId) const noexcept { return true; }
    iss::Rules rules() const noexcept { return {}; }
    void claimed(SegmentId, std::uint32_t place, const Batch& batch) {
      replica_.claimed.insert_or_assign(place, batch);
    }
    void check(SegmentId, std::uint32_t place, const Batch& batch) {
      replica_.checks_.push_back({place, batch});
    }
    void decided(SegmentId, std::uint32_t place, const Digest& digest, const Batch& batch) {
      CHECK(digest == (batch->empty() ? nil_digest : PbftPeers::digest(batch)));
      CHECK(replica_.decided.emplace(place, digest).second);
    }

   private:
    static IssConfig config_of(const PbftReplica& replica, NodeId self) {
      IssConfig config = replica.peers.config;
      config.self = self;
      return config;
    }
    PbftReplica& replica_;
  };

  std::size_t size() const { return peers.config.members.size(); }

  template <class Origin>
  bool sign() {
    return env_.each<SignRequest<Origin>>([&](SignRequest<Origin> asked) {
      CHECK(asked.epoch == asked.origin.content.segment.epoch);
      segment.process(SignResult<Origin>{signature_of(env_.config.self, asked.message),
                                         std::move(asked.origin)},
                      env_);
    });
  }
  template <class Origin>
  bool verify() {
    return env_.each<VerifyNodeSigs<Origin>>(
        [&](VerifyNodeSigs<Origin> asked) { judge(std::move(asked)); });
  }
  template <class Origin>
  void judge(VerifyNodeSigs<Origin> asked) {
    CHECK(asked.epoch == asked.origin.content.segment.epoch);
    NodeSigsVerified<Origin> verified{{}, std::move(asked.origin)};
    for (const NodeSignature& one : asked.signatures)
      verified.verdicts.push_back(one.signature == signature_of(one.node, one.message)
                                      ? SignatureCheck::valid
                                      : SignatureCheck::invalid);
    segment.process(std::move(verified), env_);
  }
  /// The disk keeps the order of what was appended, whatever its type.
  bool sync() {
    return env_.out.take_any<WalAppend<VoteEntry>, WalAppend<PreparedEntry>,
                             WalAppend<DecidedEntry>, WalAppend<ViewChangeEntry>,
                             WalAppend<NewViewEntry>>(
        [&](auto append) { log.push_back(std::move(append.entry)); });
  }
  template <class M>
  bool send() {
    bool any = env_.each<Sent<M>>([&](Sent<M> sent) {
      said.push_back({std::move(sent.to), std::move(sent.message)});
    });
    any |= env_.each<ToSelf<M>>([&](ToSelf<M> own) {
      segment.receive(env_.cluster().self(), PbftMessage(std::move(own.message)), env_);
    });
    return any;
  }
  bool answer_checks() {
    const bool any = !checks_.empty();
    for (const Check& check : std::exchange(checks_, {}))
      segment.checked(check.place, PbftPeers::digest(check.batch), env_);
    return any;
  }

  bool work_once() {
    bool any = false;
    if (checker == Door::open) any |= answer_checks();
    if (signer == Door::open) {
      any |= sign<PrepareSigning>();
      any |= sign<ViewChangeSigning>();
      any |= sign<NewViewSigning>();
    }
    if (verifier == Door::open) {
      any |= verify<PrepareChecking>();
      any |= verify<ViewChangeChecking>();
      any |= verify<NewViewChecking>();
    }
    if (disk == Door::open) any |= sync();
    any |= send<PrePrepare>();
    any |= send<Prepare>();
    any |= send<Commit>();
    any |= send<ViewChange>();
    any |= send<NewView>();
    return any;
  }

  std::vector<Check> checks_;
  Env env_;

 public:
  Pbft::Segment segment;
};

}  // namespace mirbft::testing

#endif

// Instances of one segment, some of them twins, in a network that is cut as a scenario says.
#ifndef MIRBFT_SIM_TWINS_CLUSTER_HPP
#define MIRBFT_SIM_TWINS_CLUSTER_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include <mirbft/events/crypto.hpp>
#include <mirbft/events/event.hpp>
#include <mirbft/events/net.hpp>
#include <mirbft/events/protocol.hpp>
#include <mirbft/events/wal.hpp>
#include <mirbft/protocol/iss/bad_message.hpp>
#include <mirbft/protocol/iss/cluster.hpp>
#include <mirbft/protocol/iss/epoch_plan.hpp>
#include <mirbft/protocol/iss/events.hpp>
#include <mirbft/protocol/iss/messages.hpp>
#include <mirbft/sim/clock.hpp>
#include <mirbft/sim/disk.hpp>
#include <mirbft/sim/findings.hpp>
#include <mirbft/sim/fingerprint.hpp>
#include <mirbft/sim/random.hpp>
#include <mirbft/sim/twins_scenario.hpp>
#include <mirbft/sim/twins_setting.hpp>
#include <mirbft/types/visit.hpp>
#include <mirbft/wire/codec.hpp>

namespace mirbft::sim::twins {

/// What a message proposes for a slot, or for all of them, in a view.
struct Proposal {
  View view;
  SeqNr sn;
  std::uint64_t content = 0;
};

/// Whether an orderer bears nodes that lie, as twins do; Paxos bears only crashes.
template <class Orderer>
inline constexpr bool bears_liars = Orderer::quorum(4).weak() > 1;

/// One segment at every instance of a scenario, leaders and their batches included. Everything that
/// an instance asks of its own modules is answered at once and in order, so that its log is written
/// ahead; messages travel in steps, all that are under way at a time. May be copied, so that
/// scenarios which begin alike need not begin twice.
///
/// `Subject` says what is tested:
///   Orderer, and its rules     the protocol, and what it decides by;
///   Checks checks(config)      the invariants that its correct instances must keep;
///   Moment moment_of(message)  when in a view a message is due;
///   std::optional<Proposal> proposal_of(message)  what a message proposes, if it does.
template <class Subject>
class Cluster {
 public:
  using Orderer = typename Subject::Orderer;
  using Ordering = typename Orderer::Message;
  using Message = IssMessage<Ordering>;

  static_assert(bears_liars<Orderer>,
                "[mirbft] a twin is Byzantine, and this orderer bears only crashes: name one whose "
                "quorum counts liars, such as Pbft");

  /// `setting` must outlive it.
  Cluster(const Setting<Subject>& setting, const Scenario& scenario)
      : state_(setting, scenario), findings_(scenario.number, clock_) {
    for (std::size_t i = 0; i < state_.instances.size(); ++i) enter_epoch(i);
  }
  /// For scenarios that begin alike; nothing may have been found.
  Cluster(const Cluster& other)
      : state_(other.state_), clock_(other.clock_), findings_(0, clock_) {}
  Cluster& operator=(const Cluster&) = delete;

  /// A round, under the partition that it brings.
  void play(const Round& round) {
    state_.round = round;
    run();
    if (round.reminded == Reminded::each_round) remind();
    end_round();
  }

  /// The network is whole, and so everybody must come to an end.
  void heal(std::uint64_t within) {
    state_.round = {};
    state_.figures.decided_early = decided();
    for (; !is_done() && findings_.none(); ++state_.figures.healing_rounds) {
      if (state_.figures.healing_rounds == within) return report_what_is_open(within);
      run();
      remind();
      end_round();
    }
    count_decisions();
  }

  const Findings& findings() const noexcept { return findings_; }
  const Figures& figures() const noexcept { return state_.figures; }

  /// Of all that the instances have been told: if it is the same, so are they.
  std::uint64_t fingerprint() const noexcept {
    Fingerprint sum;
    for (const Instance& one : state_.instances) sum.add(one.history.value());
    return sum.value();
  }

 private:
  static constexpr std::chrono::nanoseconds round_time = std::chrono::seconds(1);

  using Segment = typename Orderer::Segment;
  using ProposalPlace = std::tuple<NodeId, View, SeqNr>;

  struct BatchCheck {
    std::uint32_t place = 0;
    Batch batch;
  };
  template <class List>
  struct VariantOf;
  template <class... Es>
  struct VariantOf<events<Es...>> {
    using type = std::variant<Es...>;
  };
  using Event = typename VariantOf<joined<
      typename Orderer::emits,
      events<SendMessage<Message>, MessageReceived<Message>, BatchCheck>>>::type;

  /// A copy of a node: its segment, its log, and what it has asked for.
  struct Instance {
    Segment segment;
    std::vector<typename Orderer::Entry> log{};
    std::deque<Event> events{};
    /// What it has decided; and has ever decided, also where a restart has made it forget that.
    std::vector<std::optional<Digest>> decided{};
    std::vector<std::optional<Digest>> ever_decided{};
    std::vector<Batch> batches{};
    Fingerprint history{};
  };
  struct Letter {
    std::size_t from = 0;
    std::size_t to = 0;
    Ordering message;
    std::uint64_t hash = 0;
  };

  /// All that a copy takes along.
  struct State {
    State(const Setting<Subject>& of, const Scenario& what)
        : setting(&of),
          scenario(what),
          checks(Subject::checks(of.config())),
          order(Random(what.number).fork("order")) {
      for (std::size_t i = 0; i < what.shape.instances(); ++i) {
        Instance& one = instances.emplace_back(Instance{Segment(of.plan(), 0, what.shape.nodes)});
        one.decided.resize(of.slots());
        one.ever_decided.resize(of.slots());
        one.batches.resize(of.slots());
      }
    }

    const Setting<Subject>* setting;
    Scenario scenario;
    std::vector<Instance> instances;
    std::vector<Letter> under_way;
    Round round;
    typename Subject::Checks checks;
    /// What each instance of a node has proposed first, and where it has then contradicted that.
    std::map<ProposalPlace, std::uint64_t> proposals;
    std::set<ProposalPlace> contradicted;
    Figures figures;
    Random order;
  };

  /// What a segment sees of the rest.
  class Env {
   public:
    Env(Cluster& cluster, std::size_t self) : cluster_(cluster), self_(self) {}

    const iss::Cluster& cluster() const noexcept { return cluster_.members_of(self_); }
    const auto& rules() const noexcept { return cluster_.state_.setting->subject().rules; }

    struct Emitted {
      std::deque<Event>& events;
      void then(auto... followed) { (events.emplace_back(std::move(followed)), ...); }
    };
    Emitted emit(auto event) {
      std::deque<Event>& events = cluster_.state_.instances[self_].events;
      events.emplace_back(std::move(event));
      return {events};
    }
    auto to(NodeId whom, auto message) const {
      return SendMessage<Message>{{whom}, Ordering(std::move(message))};
    }
    auto to_others(auto message) const {
      return SendMessage<Message>{cluster().others(), Ordering(std::move(message))};
    }
    auto to_self(auto message) const {
      return MessageReceived<Message>{cluster().self().id, Ordering(std::move(message))};
    }
    std::chrono::nanoseconds now() const noexcept { return cluster_.clock_.now(); }
    std::chrono::nanoseconds patience(View) const noexcept { return round_time; }
    std::chrono::nanoseconds segment_patience(std::size_t) const noexcept {
      return std::chrono::hours(24);
    }
    std::chrono::nanoseconds resend_after() const noexcept { return round_time; }
    bool may_vote(SegmentId) const noexcept { return true; }
    void claimed(SegmentId, std::uint32_t, const Batch&) const noexcept {}
    void check(SegmentId, std::uint32_t place, const Batch& batch) {
      emit(BatchCheck{place, batch});
    }
    void decided(SegmentId, std::uint32_t place, const Digest& digest, const Batch& batch) {
      cluster_.note_decision(self_, place, digest, batch);
    }
    void bad(iss::BadMessage) const noexcept {}
    void halt(const std::string& reason) {
      if (cluster_.is_correct(self_)) cluster_.report(self_, std::nullopt, "halt", reason);
    }

   private:
    Cluster& cluster_;
    std::size_t self_;
  };

  NodeId node_of(std::size_t instance) const {
    return NodeId(state_.scenario.node_of(instance));
  }
  bool is_correct(std::size_t instance) const { return state_.scenario.is_correct(instance); }
  const iss::Cluster& members_of(std::size_t instance) const {
    return state_.setting->cluster_of(state_.scenario.node_of(instance));
  }
  void report(std::size_t instance, std::optional<SeqNr> sn, std::string rule,
              const std::string& what) {
    findings_.report(std::move(rule), node_of(instance), sn, what);
  }

  // Batches. Each instance has its own, so that twins who lead contradict one another.

  static Digest digest_of(const Batch& batch) {
    const Bytes hash = sign(NodeId(batch->front().req_no.value), ByteView());
    Digest digest;
    std::copy(hash.begin(), hash.end(), digest.bytes.begin());
    return digest;
  }
  /// As Iss does: notes that it has begun, and proposes if it leads.
  void enter_epoch(std::size_t self) {
    if (is_correct(self)) {
      state_.checks.started(node_of(self));
      append(self, WalAppend<EpochEntry>{});
    }
    if (node_of(self) != state_.instances[self].segment.leader()) return;
    Env env(*this, self);
    for (std::uint32_t place = 0; place < state_.setting->slots(); ++place) {
      const Batch batch({RequestRef{ClientId(1), ReqNo(100 * place + self), {}}});
      state_.instances[self].segment.propose(place, batch, digest_of(batch), env);
    }
  }

  // Steps and rounds.

  /// Until nobody has anything more to say.
  void run() {
    do {
      for (std::size_t i = 0; i < state_.instances.size(); ++i) work(i);
      std::vector<Letter> letters = std::exchange(state_.under_way, {});
      if (state_.scenario.choice == Choice::drawn) state_.order.shuffle(letters);
      for (Letter& letter : letters) deliver(std::move(letter));
    } while (findings_.none() && !is_quiet());
  }
  bool is_quiet() const {
    return std::all_of(state_.instances.begin(), state_.instances.end(),
                       [](const Instance& one) { return one.events.empty(); });
  }
  /// Patience with the current view ends; so does that with those who have called for another one.
  void end_round() {
    tick();
    run();
    clock_.advance_to(clock_.now() + round_time);
    tick();
  }
  void tick() {
    for (std::size_t i = 0; i < state_.instances.size(); ++i) {
      if ((state_.round.patient >> i & 1) != 0) continue;
      Env env(*this, i);
      state_.instances[i].segment.tick(true, env);
    }
  }

  void work(std::size_t self) {
    Instance& instance = state_.instances[self];
    while (!instance.events.empty() && findings_.none()) {
      if (must_restart(self)) restart(self);
      if (instance.events.empty()) return;
      Event event = std::move(instance.events.front());
      instance.events.pop_front();
      visit_alternative(event, [&](auto& one) {
        show(self, one);
        handle(self, std::move(one));
      });
    }
  }

  template <class E>
  void show(std::size_t self, const E& event) {
    if constexpr (requires { E::destination; })
      if (is_correct(self))
        state_.checks.event(node_of(self), E::destination, event, findings_);
  }

  // What an instance asks of its modules.

  template <class Origin>
  void handle(std::size_t self, SignRequest<Origin> asked) {
    Env env(*this, self);
    Bytes signature = sign(node_of(self), asked.message.view());
    state_.instances[self].segment.process(
        SignResult<Origin>{std::move(signature), std::move(asked.origin)}, env);
  }
  template <class Origin>
  void handle(std::size_t self, VerifyNodeSigs<Origin> asked) {
    NodeSigsVerified<Origin> verified{{}, std::move(asked.origin)};
    for (const NodeSignature& one : asked.signatures)
      verified.verdicts.push_back(
          Keys().verify_node(one.node, asked.epoch, one.message.view(), one.signature.view()));
    Env env(*this, self);
    state_.instances[self].segment.process(std::move(verified), env);
  }
  template <class Entry>
  void handle(std::size_t self, WalAppend<Entry> asked) {
    if (is_correct(self)) append(self, asked);
    state_.instances[self].log.push_back(std::move(asked.entry));
  }
  template <class Entry>
  void append(std::size_t self, const WalAppend<Entry>& asked) {
    const Record record{asked.number, wire::encode(asked.entry), asked.retention};
    state_.checks.durable(node_of(self), record, events<WalAppend<Entry>>{}, findings_);
  }
  void handle(std::size_t self, BatchCheck asked) {
    Env env(*this, self);
    state_.instances[self].segment.checked(asked.place, digest_of(asked.batch), env);
  }
  void handle(std::size_t self, MessageReceived<Message> own) {
    Env env(*this, self);
    state_.instances[self].segment.receive(env.cluster().self(),
                                           std::get<Ordering>(std::move(own.message)), env);
  }
  void handle(std::size_t self, SendMessage<Message> sent) {
    const Ordering& message = std::get<Ordering>(sent.message);
    if (!is_correct(self)) note_proposal(self, message);
    Fingerprint hash;
    hash.add(wire::encode(message).view());
    for (std::size_t i = 0; i < state_.instances.size(); ++i)
      if (std::find(sent.destinations.begin(), sent.destinations.end(), node_of(i)) !=
          sent.destinations.end())
        state_.under_way.push_back({self, i, message, hash.value()});
  }

  void deliver(Letter letter) {
    ++state_.figures.messages;
    if (state_.round.cut.loses(Subject::moment_of(letter.message), letter.from, letter.to)) {
      ++state_.figures.lost;
      return;
    }
    Instance& receiver = state_.instances[letter.to];
    receiver.history.add(letter.from);
    receiver.history.add(letter.hash);
    Env env(*this, letter.to);
    receiver.segment.receive(*env.cluster().find(node_of(letter.from)), std::move(letter.message),
                             env);
  }

  // Restarts.

  bool must_restart(std::size_t self) {
    std::optional<Restart>& due = state_.round.restart;
    return due && due->instance == self && due->after-- == 0;
  }
  /// What is in the log is there again, and nothing else.
  void restart(std::size_t self) {
    state_.round.restart.reset();
    ++state_.figures.restarts;
    Instance& instance = state_.instances[self];
    instance.events.clear();
    std::fill(instance.decided.begin(), instance.decided.end(), std::nullopt);
    instance.segment = Segment(state_.setting->plan(), 0, state_.scenario.shape.nodes);
    Env env(*this, self);
    for (const auto& entry : instance.log)
      visit_alternative(entry, [&](const auto& one) { instance.segment.recover(one, env); });
    instance.segment.resume(env);
  }

  // The ladder: those who stand still are told again, and catch up with those who are done.

  void remind() {
    for (std::size_t i = 0; i < state_.instances.size(); ++i)
      for (std::size_t j = 0; j < state_.instances.size(); ++j)
        if (node_of(i) != node_of(j)) repeat(j, i);
    run();
    for (std::size_t i = 0; i < state_.instances.size(); ++i) catch_up(i);
    run();
  }
  /// What `from` has said is said again to `to`, as far as it may be of use there.
  void repeat(std::size_t from, std::size_t to) {
    Env env(*this, from);
    const Segment& wanting = state_.instances[to].segment;
    const Segment& segment = state_.instances[from].segment;
    const auto send = [&](auto message) { env.emit(env.to(node_of(to), std::move(message))); };
    if (!wanting.is_complete()) segment.repeat_view(send);
    for (std::uint32_t place = 0; place < state_.setting->slots(); ++place)
      if (!state_.instances[to].decided[place] || wanting.awaits_votes(place))
        segment.repeat_slot(place, node_of(from), send);
  }
  /// Takes over what a weak quorum has decided, and gets batches of which it knows the digest.
  void catch_up(std::size_t self) {
    Instance& instance = state_.instances[self];
    if (is_stable_for(self)) return instance.segment.stable();
    Env env(*this, self);
    for (std::uint32_t place = 0; place < state_.setting->slots(); ++place) {
      if (instance.decided[place]) continue;
      for (std::size_t other = 0; other < state_.instances.size(); ++other) {
        if (!reaches(other, self)) continue;
        const Instance& peer = state_.instances[other];
        if (const auto batch = peer.segment.batch_of(place))
          instance.segment.supplied(place, digest_of(*batch), *batch, env);
        const auto& digest = peer.decided[place];
        if (!instance.decided[place] && digest && is_vouched(self, place, *digest))
          instance.segment.adopt(place, *digest, peer.batches[place], env);
      }
    }
  }
  /// How many nodes that reach `self` have decided a digest there.
  std::size_t vouchers(std::size_t self, std::uint32_t place, const Digest& digest) const {
    std::set<NodeId> by;
    for (std::size_t i = 0; i < state_.instances.size(); ++i)
      if (reaches(i, self) && state_.instances[i].decided[place] == digest) by.insert(node_of(i));
    return by.size();
  }
  bool is_vouched(std::size_t self, std::uint32_t place, const Digest& digest) const {
    return vouchers(self, place, digest) >= members_of(self).quorum().weak();
  }
  bool is_stable_for(std::size_t self) const {
    const Instance& instance = state_.instances[self];
    for (std::uint32_t place = 0; place < state_.setting->slots(); ++place)
      if (!instance.decided[place] ||
          1 + vouchers(self, place, *instance.decided[place]) < members_of(self).quorum().strong())
        return false;
    return true;
  }
  bool reaches(std::size_t from, std::size_t to) const {
    return node_of(from) != node_of(to) && !state_.round.cut.loses(Moment::commit, from, to);
  }

  // What is seen.

  void note_proposal(std::size_t self, const Ordering& message) {
    const auto proposal = Subject::proposal_of(message);
    if (!proposal) return;
    const ProposalPlace place(node_of(self), proposal->view, proposal->sn);
    const auto [known, is_first] = state_.proposals.try_emplace(place, proposal->content);
    if (is_first || known->second == proposal->content) return;
    if (!state_.contradicted.insert(place).second) return;
    ++state_.figures.double_proposals;
    state_.figures.double_new_views += proposal->view != View(0);
  }
  void note_decision(std::size_t self, std::uint32_t place, const Digest& digest,
                     const Batch& batch) {
    Instance& instance = state_.instances[self];
    instance.decided[place] = digest;
    instance.batches[place] = batch;
    if (!is_correct(self)) return;
    for (std::size_t i = 0; i < state_.instances.size(); ++i) {
      const auto& other = state_.instances[i].ever_decided[place];
      if (is_correct(i) && other && other != digest)
        report(self, state_.setting->plan().sn_of(0, place), "agreement",
               "decides another digest than node " + std::to_string(node_of(i).value));
    }
    instance.ever_decided[place] = digest;
  }

  bool is_done() const {
    for (std::size_t i = 0; i < state_.instances.size(); ++i)
      if (is_correct(i) && !state_.instances[i].segment.is_complete()) return false;
    return true;
  }
  void report_what_is_open(std::uint64_t rounds) {
    for (std::size_t i = 0; i < state_.instances.size(); ++i)
      if (is_correct(i) && !state_.instances[i].segment.is_complete())
        report(i, std::nullopt, "liveness",
               "is not done " + std::to_string(rounds) +
                   " rounds after the network has healed, in view " +
                   std::to_string(state_.instances[i].segment.view().value));
  }
  /// The slots that some correct node has decided, and of them those that were decided as nil.
  std::uint64_t decided() const {
    return count_slots([](const std::optional<Digest>& digest) { return digest.has_value(); });
  }
  void count_decisions() {
    Figures& figures = state_.figures;
    figures.decided_nil = count_slots([](const auto& digest) { return digest == nil_digest; });
    figures.decided_batches = decided() - figures.decided_nil;
    for (std::size_t i = 0; i < state_.instances.size(); ++i)
      if (is_correct(i))
        figures.highest_view =
            std::max(figures.highest_view, state_.instances[i].segment.view().value);
  }
  std::uint64_t count_slots(auto&& is_one) const {
    std::uint64_t count = 0;
    for (std::uint32_t place = 0; place < state_.setting->slots(); ++place) {
      bool any = false;
      for (std::size_t i = 0; i < state_.instances.size(); ++i)
        any |= is_correct(i) && is_one(state_.instances[i].decided[place]);
      count += any;
    }
    return count;
  }

  State state_;
  Clock clock_;
  Findings findings_;
};

}  // namespace mirbft::sim::twins

#endif

// A whole cluster of real Nodes in one thread, one seed and virtual time.
#ifndef MIRBFT_SIM_CLUSTER_HPP
#define MIRBFT_SIM_CLUSTER_HPP

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <mirbft/events/event.hpp>
#include <mirbft/modules/files/segment_examination.hpp>
#include <mirbft/node.hpp>
#include <mirbft/sim/adversary/adversary.hpp>
#include <mirbft/sim/adversary/faulty_client.hpp>
#include <mirbft/sim/agenda.hpp>
#include <mirbft/sim/client.hpp>
#include <mirbft/sim/clock.hpp>
#include <mirbft/sim/disk.hpp>
#include <mirbft/sim/fault.hpp>
#include <mirbft/sim/file_system.hpp>
#include <mirbft/sim/findings.hpp>
#include <mirbft/sim/network.hpp>
#include <mirbft/sim/node_ids.hpp>
#include <mirbft/sim/random.hpp>
#include <mirbft/sim/watch.hpp>

namespace mirbft::sim {

/// How a cluster is made, and how its nodes are driven.
struct ClusterConfig {
  std::uint64_t seed = 1;
  std::size_t nodes = 4;
  /// Of every node; `self` is set by the cluster.
  NodeConfig node{};
  /// How often a node is told the time. Every tick costs, so it is not that of `node`.
  Time tick_every = std::chrono::milliseconds(50);
  /// Nodes that keep no rules: their events are not checked. One that stops comes back by itself.
  std::vector<NodeId> faulty{};
  /// What faulty nodes are given as `Parts::adversary`; of others, null. It outlives the cluster.
  std::function<Adversary*(NodeId)> adversary{};
  LinkRates links{};
  /// In so many of a thousand steps, the next slot of a node is drawn; in the others it is the
  /// first that has work.
  std::uint32_t shuffled_slots = 1000;
  /// Between the arrival of work and its begin, at most.
  Time reaction = std::chrono::microseconds(100);
  /// After so many of a thousand steps a node pauses for at most `reaction`.
  std::uint32_t short_pauses = 20;
  /// What crashes leave of what is not synced.
  Tail tail = Tail::drawn;
};

/// What a replica's modules are made of: hand them over to `Node::Modules`.
template <class WatchOfReplica>
struct Parts {
  NodeId self;
  /// How many times this node was restarted.
  std::uint64_t incarnation = 0;
  /// Whether its disk was lost: a protocol that votes must know.
  Contents disk = Contents::kept;
  const std::vector<NodeId>& members;
  Net net;
  Wal wal;
  Store store;
  WatchOfReplica watch;
  /// For an `Adversarial` Net and a `Forgetful` Wal; null for a correct node.
  Adversary* adversary = nullptr;
  /// For a FileWal and a FileStore, in place of `wal` and `store`.
  Disk& account;
  FileSystem& files;
  const Clock& clock;
};

namespace detail {

/// Modules of a Node.
template <class Replica>
struct ModulesOf;
template <class N, class H, class C, class A, class W, class T, class S, class P, class I>
struct ModulesOf<Node<N, H, C, A, W, T, S, P, I>> {
  using Hasher = H;
  using Protocol = P;
  using Interceptor = I;
};

}  // namespace detail

/// What a cluster has done.
struct Figures {
  /// Time that nodes were up, summed over them.
  Time node_time{};
  std::uint64_t events = 0;
  std::uint64_t frames = 0;
  std::uint64_t frame_bytes = 0;
  std::uint64_t requests = 0;
  std::uint64_t retries = 0;
  FaultCounts faults;

  Figures& operator+=(const Figures& other) noexcept {
    node_time += other.node_time;
    events += other.events;
    frames += other.frames;
    frame_bytes += other.frame_bytes;
    requests += other.requests;
    retries += other.retries;
    faults += other.faults;
    return *this;
  }
};

/// Runs `Replica`s, any `Node<sim::Net, …, sim::Watch<Checks<…>>>`, against one another.
///
/// Everything happens in virtual time and in an order that the seed decides: when frames arrive,
/// when nodes get to work, and which of a node's modules is next, as they are independent in
/// production. Nothing depends on real time, addresses or threads. A node that stops by itself is
/// a finding; the run ends at the first findings.
///
///     using Replica = Node<sim::Net, Sha256, NullCrypto, Counter, sim::Wal, ClientTracker,
///                          sim::Store, Iss<Pbft>, sim::Watch<sim::Checks<sim::TotalOrder>>>;
///     sim::Cluster<Replica> cluster({.seed = 7}, [](auto parts) {
///       return Replica::Modules{.net = std::move(parts.net), …};
///     });
///     cluster.add_client({.id = ClientId(1), .requests = 100});
///     cluster.run_until([&] { return cluster.clients_done(); }, std::chrono::minutes(1));
template <class Replica>
class Cluster {
 public:
  using WatchOfReplica = typename detail::ModulesOf<Replica>::Interceptor;
  using ChecksOfCluster = typename WatchOfReplica::ChecksOfWatch;
  using PartsOfReplica = Parts<WatchOfReplica>;
  using Make = std::function<typename Replica::Modules(PartsOfReplica)>;

  /// `make(parts)` returns the modules of a replica; it is called again for each restart. All
  /// nodes are started. Throws what `make` and the Nodes throw.
  Cluster(ClusterConfig config, Make make, ChecksOfCluster checks = {})
      : config_(std::move(config)),
        make_(std::move(make)),
        random_(Random(config_.seed).fork("cluster")),
        observed_{std::move(checks), Findings(config_.seed, clock_), {}, 0, {}},
        network_(node_ids(config_.nodes), clock_, Random(config_.seed).fork("network"),
                 config_.links) {
    network_.tap([this](const Frame& frame) { see(frame); });
    for (const NodeId id : network_.members()) {
      const Random disk = Random(config_.seed).fork("disk", id.value);
      Member& member = *members_.emplace_back(std::make_unique<Member>(id, disk));
      member.faulty = std::ranges::find(config_.faulty, id) != config_.faulty.end();
      if (config_.adversary) member.adversary = config_.adversary(id);
      if (member.faulty) continue;
      observed_.checks.disk(id, std::as_const(member.disk));
      member.disk.on_durable([this, &member, id](const Record& record) {
        if (!member.faulty)
          observed_.checks.durable(id, record, typename Replica::Events{}, observed_.findings);
      });
    }
    for (const NodeId id : network_.members()) start(id);
  }
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;
  /// Callers of requests are told that their node is gone, and do not care.
  ~Cluster() {
    for (auto& member : members_) member->replica.reset();
  }

  Time now() const noexcept { return clock_.now(); }
  const std::vector<NodeId>& members() const noexcept { return network_.members(); }
  Network& network() noexcept { return network_; }
  Disk& disk(NodeId id) { return at(id).disk; }
  /// Where its FileWal and FileStore have their files.
  FileSystem& files(NodeId id) { return at(id).files; }
  ChecksOfCluster& checks() noexcept { return observed_.checks; }
  Findings& findings() noexcept { return observed_.findings; }
  /// Two runs of one seed have the same, whatever compiled them.
  std::uint64_t fingerprint() const noexcept { return observed_.fingerprint.value(); }

  bool is_up(NodeId id) { return at(id).replica != nullptr; }
  /// The Node, which must be up. It lives until it crashes.
  Replica& operator[](NodeId id) { return *at(id).replica; }

  // Clients.

  /// A client begins now.
  void add_client(ClientConfig config) {
    const Random random = Random(config_.seed).fork("client", config.id.value);
    clients_.push_back({Client(std::move(config), members(), random)});
    wake_client(clients_.size() - 1, now());
  }
  std::size_t clients() const noexcept { return clients_.size(); }
  const Client& client(std::size_t place) const noexcept { return clients_[place].client; }
  bool clients_done() const {
    return std::ranges::all_of(clients_, [](const auto& entry) { return entry.client.done(); });
  }
  /// A faulty client, which begins now and never ends. Requests in its name count as submitted.
  void add_faulty_client(std::unique_ptr<FaultyClient> client) {
    faulty_clients_.push_back(std::move(client));
    deeds_.at(now(), {Deed::Kind::trouble, faulty_clients_.size() - 1, 0});
  }
  const std::vector<std::unique_ptr<FaultyClient>>& faulty_clients() const noexcept {
    return faulty_clients_;
  }
  /// No client makes further requests; all turn to `replicas` with those that are open.
  void finish_requests(const std::vector<NodeId>& replicas) {
    for (std::size_t place = 0; place < clients_.size(); ++place) {
      clients_[place].client.stop();
      clients_[place].client.turn_to(replicas, now());
      wake_client(place, now());
    }
  }

  // Faults.

  /// The node is gone at once: what its disk has not synced may be lost.
  void crash(NodeId id) {
    Member& member = at(id);
    if (!member.replica) return;
    // What the files met is counted by them.
    if (member.disk.failed()) faults_.count(Fault::crash_in_list);
    if (!member.fails()) faults_.count(Fault::crash);
    member.steps_left.reset();
    member.frames_left.reset();
    member.node_time += now() - member.since;
    ++member.incarnation;
    member.replica.reset();
    lose_unsynced(member);
    if (!member.faulty) observed_.checks.crashed(id);
    if (member.was_misdirected()) distrust(member);
  }
  /// The node is gone, and with it all that is on its disk.
  void wipe(NodeId id) {
    crash(id);
    faults_.count(Fault::wipe);
    lose_all(at(id));
  }
  /// A bit of its files flips. A node refuses to begin with what has changed; then it is wiped.
  void rot(NodeId id) {
    Member& member = at(id);
    if (!member.files.rot()) return;
    member.damaged = true;
    faults_.count(Fault::bit_rot);
  }
  /// The node is restarted on what its disk was once. It counts as faulty from now on, for it has
  /// forgotten what it has said since.
  void set_back(NodeId id, const FileSystem::Image& image) {
    faults_.count(Fault::old_directory);
    crash(id);
    at(id).files.restore(image);
    distrust(at(id));
    restart(id);
  }
  /// Whether what the node says is not checked.
  bool is_faulty(NodeId id) { return at(id).faulty; }
  /// Whether the node has ever lost its disk.
  bool was_wiped(NodeId id) { return at(id).wiped; }
  /// The node is gone after so many lists of events more.
  void crash_after(NodeId id, std::uint64_t lists) { at(id).steps_left = lists; }
  /// The node is gone after it has sent so many frames more: amid a list, if they are of one.
  void crash_after_frames(NodeId id, std::uint64_t frames) { at(id).frames_left = frames; }
  /// A new Node begins on the disk of the one that crashed; does nothing if the node is up.
  void restart(NodeId id) {
    if (!is_up(id)) start(id);
  }
  // The next four strike nodes that are up; a node that begins has none of it.

  /// The node does nothing until `until`.
  void pause(NodeId id, Time until) {
    if (!is_up(id)) return;
    faults_.count(Fault::pause);
    at(id).paused_until = until;
    wake(id, until);
  }
  /// The modules in `slots` do nothing until `until`; the others of the node do.
  void hold(NodeId id, Slot slots, Time until, Fault kind = Fault::slow_module) {
    if (!is_up(id)) return;
    faults_.count(kind);
    at(id).held = slots;
    at(id).held_until = until;
    wake(id, until);
  }
  /// The node's clock gains `drift` nanoseconds in a million from now on.
  void skew(NodeId id, std::int64_t drift) {
    if (!is_up(id)) return;
    faults_.count(Fault::clock_skew);
    Member& member = at(id);
    member.clock = LocalClock(now(), member.clock.read(now()), drift);
  }
  void jump(NodeId id, Time by) {
    if (!is_up(id)) return;
    faults_.count(Fault::clock_jump);
    at(id).clock.jump(by);
  }
  /// Calls `act()` when its time has come, between the steps of nodes.
  void at(Time time, std::function<void()> act) { acts_.at(time, std::move(act)); }
  /// Ends everything that hinders nodes that are up, or would crash them, and the network; forgets
  /// what was to come by `at`.
  void heal() {
    network_.heal();
    acts_.clear();
    for (auto& member : members_) {
      member->paused_until = member->held_until = {};
      member->steps_left.reset();
      member->frames_left.reset();
      member->disk.spare();
      member->files.spare();
      if (member->replica) wake(member->id, now());
    }
  }

  // Time.

  /// Goes on until `end`, or the first finding. Returns whether there is none.
  bool run_until(Time end) {
    while (findings().none() && next() <= end) step();
    if (findings().none()) clock_.advance_to(end);
    return findings().none();
  }
  bool run_for(Time span) { return run_until(now() + span); }
  /// Goes on until `done()` holds, and asks for it now and then. False if that takes longer than
  /// `at_most`, or there are findings before.
  template <class Done>
    requires std::is_invocable_r_v<bool, Done>
  bool run_until(Done&& done, Time at_most, Time ask_every = std::chrono::milliseconds(20)) {
    const Time end = now() + at_most;
    while (!done()) {
      if (now() >= end) return false;
      if (!run_until(std::min(end, now() + ask_every))) return false;
    }
    return true;
  }

  /// Whether these nodes are up and their Apps stand at the same place, in the same state.
  bool agree(const std::vector<NodeId>& nodes) {
    const Member* first = nullptr;
    for (const NodeId id : nodes) {
      const Member& member = at(id);
      if (!member.replica) return false;
      if (first && (observed_.applied[member.id] != observed_.applied[first->id] ||
                    member.replica->app().snapshot() != first->replica->app().snapshot()))
        return false;
      first = &member;
    }
    return true;
  }

  Figures figures() {
    Figures sum;
    for (auto& member : members_)
      sum.node_time +=
          member->node_time + (member->replica ? now() - member->since : Time{});
    sum.events = observed_.events;
    sum.frames = network_.frames();
    sum.frame_bytes = network_.bytes();
    for (const auto& entry : clients_) {
      sum.requests += entry.client.completed();
      sum.retries += entry.client.retries();
    }
    sum.faults = faults_;
    sum.faults += network_.faults();
    for (auto& member : members_) {
      sum.faults.count(Fault::io_error, member->files.struck(FileTrouble::io_error));
      sum.faults.count(Fault::no_space, member->files.struck(FileTrouble::no_space));
      sum.faults.count(Fault::failed_sync, member->files.struck(FileTrouble::failed_sync));
      sum.faults.count(Fault::misdirected_write,
                       member->files.struck(FileTrouble::misdirected_write));
    }
    return sum;
  }

 private:
  struct Member {
    Member(NodeId self, Random random)
        : id(self), disk(random), files(random.fork("files")) {}

    /// Whether the power has failed it, or its disk.
    bool fails() const noexcept { return disk.failed() || files.failed(); }

    const NodeId id;
    Disk disk;
    FileSystem files;
    bool faulty = false;
    Adversary* adversary = nullptr;
    bool wiped = false;
    /// Its files may be corrupt, so that it stops, or refuses to begin.
    bool damaged = false;

    bool was_misdirected() const noexcept {
      return files.struck(FileTrouble::misdirected_write) != 0;
    }
    std::unique_ptr<Replica> replica;
    LocalClock clock;
    std::uint64_t incarnation = 0;
    /// When it will work; `never` if it sees no reason to.
    Time work_at = never;
    Time paused_until{};
    Slot held{0};
    Time held_until{};
    std::optional<std::uint64_t> steps_left;
    std::optional<std::uint64_t> frames_left;
    /// Lists since it had nothing to do.
    std::uint64_t restless_steps = 0;
    Time since{};
    Time node_time{};
  };
  struct ClientEntry {
    Client client;
    Time wake = never;
  };
  /// What the cluster itself is going to do.
  struct Deed {
    enum class Kind : std::uint8_t { work, tick, restart, ask, trouble };

    Kind kind;
    /// Of a member, of a client or of a faulty client.
    std::size_t place;
    std::uint64_t incarnation;
  };
  /// A request on its way.
  struct Submission {
    NodeId to;
    /// None waits for the answer to a faulty client.
    std::optional<std::size_t> client;
    Request request;
    Spread spread;
  };

  Member& at(NodeId id) { return *members_[id.value]; }

  /// A frame is about to be sent. Throws PowerFailure if its sender is gone before that.
  void see(const Frame& frame) {
    Member& sender = at(frame.from);
    if (sender.frames_left && (*sender.frames_left)-- == 0) {
      sender.disk.fail();
      throw PowerFailure();
    }
    observed_.fingerprint.add(frame.from.value << 32 | frame.to.value);
    observed_.fingerprint.add(frame.payload.view());
    observed_.checks.frame(frame, observed_.findings);
  }

  // The course of time.

  Time next() const noexcept {
    return std::min({network_.next_arrival(), acts_.next(), deeds_.next(), submissions_.next()});
  }
  void step() {
    clock_.advance_to(next());
    if (network_.next_arrival() == now()) return wake(network_.arrive(), now());
    if (acts_.next() == now()) return acts_.take()();
    if (submissions_.next() == now()) return submit(submissions_.take());
    const Deed deed = deeds_.take();
    switch (deed.kind) {
      case Deed::Kind::work: return begin_work(*members_[deed.place]);
      case Deed::Kind::tick: return tick(*members_[deed.place], deed.incarnation);
      case Deed::Kind::restart: return restart(members_[deed.place]->id);
      case Deed::Kind::ask: return ask(deed.place);
      case Deed::Kind::trouble: return make_trouble(deed.place);
    }
  }

  // Nodes.

  /// What is not synced may be lost. Files tell when they are opened again: after a failure of the
  /// power, or of a process alone, where the disk has refused something.
  void lose_unsynced(Member& member) {
    if (member.files.empty())
      return faults_.count(Fault::lost_tail, member.disk.crash(config_.tail));
    const Tail tail = member.files.failed() ? Tail::drawn : config_.tail;
    CrashLoss loss;
    if (member.files.refused()) {
      member.files.kill();
    } else {
      loss = member.files.crash(tail);
    }
    faults_.count(Fault::lost_tail, member.disk.doubt() + loss.lost);
    faults_.count(Fault::torn_write, loss.lost != 0 && loss.kept != 0);
  }
  /// The disk may have forgotten what the node has said, and the node cannot know.
  void distrust(Member& member) {
    member.disk.set_back();
    if (!member.faulty) {
      observed_.checks.wiped(member.id, findings());
      observed_.checks.distrusted(member.id);
    }
    member.faulty = true;
  }
  void lose_all(Member& member) {
    member.disk.wipe();
    member.files.wipe();
    member.wiped = true;
    member.damaged = false;
    if (!member.faulty) observed_.checks.wiped(member.id, findings());
  }

  /// Null if the disk lets no node begin. What is corrupt, an operator wipes.
  std::unique_ptr<Replica> make(Member& member) {
    using Subject = typename WatchOfReplica::Subject;
    NodeConfig config = config_.node;
    config.self = member.id;
    const Subject subject = member.faulty ? Subject::faulty : Subject::correct;
    try {
      return std::make_unique<Replica>(
          std::move(config),
          make_({member.id, member.incarnation, member.disk.contents(), members(),
                 network_.connect(member.id), Wal(member.disk), Store(member.disk),
                 WatchOfReplica(observed_, member.id, subject), member.adversary, member.disk,
                 member.files, clock_}));
    } catch (const LogCorruption& corruption) {
      if (!member.damaged && !member.faulty)
        findings().report("no failure", member.id, std::nullopt, corruption.what());
      lose_all(member);
      return make(member);
    } catch (const ModuleFailure& failure) {
      if (!member.files.failed())
        findings().report("no failure", member.id, std::nullopt, failure.what());
      member.files.kill();
      return nullptr;
    }
  }

  void start(NodeId id) {
    Member& member = at(id);
    member.since = now();
    observed_.applied[id] = SeqNr(0);
    member.restless_steps = 0;
    member.work_at = never;
    // A steady clock begins anywhere.
    member.clock = LocalClock(now(), random_.between(Time{}, Time(std::chrono::hours(1))), 0);
    member.replica = make(member);
    if (!member.replica) return restart_soon(id);
    // Only now it is known what its disk holds.
    if (!member.faulty) observed_.checks.started(id);
    member.replica->start();
    if (!survives(member)) return;
    deeds_.at(now() + random_.between(Time{}, config_.tick_every),
              {Deed::Kind::tick, id.value, member.incarnation});
    wake(id, now());
  }

  void tick(Member& member, std::uint64_t incarnation) {
    if (incarnation != member.incarnation || !member.replica) return;
    deeds_.at(now() + config_.tick_every, {Deed::Kind::tick, member.id.value, incarnation});
    if (member.paused_until > now()) return;
    member.replica->tick(member.clock.read(now()));
    work(member);
  }

  /// The node will work soon after `time`.
  void wake(NodeId id, Time time) {
    Member& member = at(id);
    if (member.work_at <= time) return;
    member.work_at = time + random_.between(Time{}, config_.reaction);
    deeds_.at(member.work_at, {Deed::Kind::work, id.value, 0});
  }
  void begin_work(Member& member) {
    if (member.work_at != now()) return;  // it has worked meanwhile
    work(member);
  }

  /// The node takes in what has come and works until nothing is left, or it pauses.
  void work(Member& member) {
    member.work_at = never;
    if (!member.replica) return;
    if (member.paused_until > now()) return wake(member.id, member.paused_until);
    member.replica->take_inputs();
    for (;;) {
      const Slot pending = unhindered(member, member.replica->pending());
      if (pending.bits() == 0) {
        member.restless_steps = 0;
        break;
      }
      if (++member.restless_steps > most_steps)
        return findings().report("rest", member.id, std::nullopt,
                                 "does not come to rest: its modules emit in a loop");
      member.replica->process(choose(pending));
      if (!survives(member)) return;
      if (random_.chance(config_.short_pauses)) {
        wake(member.id, now());
        break;
      }
    }
    if (member.held_until > now()) wake(member.id, member.held_until);
    if (!member.faulty)
      observed_.checks.looked(member.id, std::as_const(*member.replica), findings());
  }

  Slot unhindered(Member& member, Slot pending) {
    if (member.held_until <= now()) return pending;
    return Slot(static_cast<std::uint16_t>(pending.bits() & ~member.held.bits()));
  }
  /// One of the pending slots.
  Slot choose(Slot pending) {
    auto bits = pending.bits();
    if (!std::has_single_bit(bits) && random_.chance(config_.shuffled_slots)) {
      faults_.count(Fault::slot_order);
      for (auto skip = random_.below(static_cast<unsigned>(std::popcount(bits))); skip != 0; --skip)
        bits = static_cast<std::uint16_t>(bits & (bits - 1));
    }
    return Slot(static_cast<std::uint16_t>(1u << std::countr_zero(bits)));
  }

  /// Whether the node is still there after a step: it crashes if its time has come, or if its disk
  /// has failed; any other failure is a finding, unless the node is faulty.
  bool survives(Member& member) {
    const bool failed = !member.replica->failure().empty();
    if (failed && !member.fails()) stopped(member);
    const bool due = member.steps_left && (*member.steps_left)-- == 0;
    if (failed || due) crash(member.id);
    return !failed && !due;
  }

  /// By itself. Who has met corrupt files is started again by its operator, as faulty nodes are.
  void stopped(const Member& member) {
    if (!member.faulty && !member.damaged && !member.was_misdirected())
      return findings().report("no failure", member.id, std::nullopt,
                               "the node stopped: " + member.replica->failure());
    restart_soon(member.id);
  }
  void restart_soon(NodeId id) {
    const Time pause = random_.between(Time{}, Time(std::chrono::seconds(1)));
    deeds_.at(now() + pause, {Deed::Kind::restart, id.value, 0});
  }

  // Clients.

  void wake_client(std::size_t place, Time time) {
    ClientEntry& entry = clients_[place];
    if (entry.wake <= time) return;
    entry.wake = time;
    deeds_.at(time, {Deed::Kind::ask, place, 0});
  }
  void ask(std::size_t place) {
    ClientEntry& entry = clients_[place];
    if (entry.wake != now()) return;
    entry.wake = never;
    const Time wake = entry.client.go_on(
        now(),
        [&](NodeId to, const Request& request, Spread spread) {
          for (const auto& faulty : faulty_clients_) faulty->overhear(request);
          submit_soon({to, place, request, spread});
        },
        [&](const Request& request) { observed_.checks.submitted(request, now()); });
    if (wake != never) wake_client(place, wake);
  }
  void make_trouble(std::size_t place) {
    FaultyClient& client = *faulty_clients_[place];
    for (Errand& errand : client.act()) {
      if (errand.request.client == client.id())
        observed_.checks.signed_by_faulty(errand.request);
      submit_soon({errand.to, std::nullopt, std::move(errand.request), errand.spread});
    }
    const Time pause = random_.between(Time{}, Time(std::chrono::milliseconds(100)));
    deeds_.at(now() + pause, {Deed::Kind::trouble, place, 0});
  }
  void submit_soon(Submission submission) {
    const LinkRates ways;
    submissions_.at(now() + random_.between(ways.shortest, ways.longest), std::move(submission));
  }
  /// A request has come to its replica. If that is down or has too much to do, it is lost.
  void submit(Submission submission) {
    Member& member = at(submission.to);
    if (!member.replica) return;
    observed_.fingerprint.add(submission.request.data.view());
    const auto on_reply = [this, to = submission.to, place = submission.client,
                           incarnation = member.incarnation](const Replied& reply) {
      if (place && at(to).incarnation == incarnation) replied(to, *place, reply);
    };
    (void)member.replica->submit(std::move(submission.request), on_reply, submission.spread);
    wake(submission.to, now());
  }
  void replied(NodeId from, std::size_t place, Replied reply) {
    const Member& member = at(from);
    if (member.adversary) member.adversary->reply(reply);
    Client& client = clients_[place].client;
    const auto whom = member.faulty ? Client::Whom::anybody : Client::Whom::correct;
    const auto known = client.replied(from, reply, findings(), whom);
    if (!known) return;
    if (known->result)
      observed_.checks.answered(reply.client, reply.req_no, *known->result, now());
    wake_client(place, now() + client.rest());
  }

  /// More than any sane node makes of what can be pending.
  static constexpr std::uint64_t most_steps = 100'000;

  ClusterConfig config_;
  Make make_;
  Clock clock_;
  Random random_;
  Observation<ChecksOfCluster> observed_;
  Network network_;
  std::vector<std::unique_ptr<Member>> members_;
  std::vector<ClientEntry> clients_;
  Agenda<std::function<void()>> acts_;
  std::vector<std::unique_ptr<FaultyClient>> faulty_clients_;
  Agenda<Deed> deeds_;
  Agenda<Submission> submissions_;
  FaultCounts faults_;
};

}  // namespace mirbft::sim

#endif

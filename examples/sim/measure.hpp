// Figures of the protocol that no machine can blur: counted, or taken in virtual time.
#ifndef MIRBFT_EXAMPLES_SIM_MEASURE_HPP
#define MIRBFT_EXAMPLES_SIM_MEASURE_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/modules/app/counter.hpp>
#include <mirbft/modules/hasher/openssl.hpp>
#include <mirbft/modules/tracker/client_tracker.hpp>
#include <mirbft/protocol/iss.hpp>
#include <mirbft/protocol/orderers/pbft.hpp>
#include <mirbft/sim/cluster.hpp>

namespace simulation {

using mirbft::NodeId;
using mirbft::sim::Time;

/// Signatures of nodes, of the whole cluster.
struct Signatures {
  std::uint64_t made = 0;
  std::uint64_t checked = 0;
};

/// As long as real signatures, all valid, and counted.
class CountingCrypto {
 public:
  explicit CountingCrypto(Signatures& count) noexcept : count_(&count) {}

  mirbft::Bytes sign(mirbft::Epoch, mirbft::ByteView) const {
    ++count_->made;
    return mirbft::Bytes(std::string(64, 's'));
  }
  mirbft::SignatureCheck verify_node(NodeId, mirbft::Epoch, mirbft::ByteView,
                                     mirbft::ByteView) const noexcept {
    ++count_->checked;
    return mirbft::SignatureCheck::valid;
  }
  mirbft::SignatureCheck verify_client(mirbft::ClientId, mirbft::ByteView,
                                       mirbft::ByteView) const noexcept {
    return mirbft::SignatureCheck::valid;
  }
  void update_node_key(NodeId, mirbft::Epoch, const std::optional<mirbft::Bytes>&) noexcept {}
  void forget_node_keys(mirbft::Epoch) noexcept {}
  void update_client_key(mirbft::ClientId, const std::optional<mirbft::Bytes>&) noexcept {}

 private:
  Signatures* count_;
};

/// Notes how long requests take until a weak quorum has replied, and how long replicas deliver
/// nothing. It stands where invariants do.
class Stopwatch {
 public:
  /// A time without deliveries.
  struct Pause {
    Time length{};
    Time end{};
  };

  void begin(std::function<Time()> now, std::size_t weak) {
    now_ = std::move(now);
    weak_ = weak;
  }
  /// Forgets what it has seen.
  void reset() {
    latencies_.clear();
    pauses_.clear();
    for (auto& [node, time] : delivered_) time = now_();
  }

  void submitted(const mirbft::Request& request, Time now) {
    open_[{request.client, request.req_no}] = {now, 0};
  }
  void event(NodeId, const mirbft::Replied& reply, mirbft::sim::Findings&) {
    const auto found = open_.find({reply.client, reply.req_no});
    if (found == open_.end() || ++found->second.replies != weak_) return;
    latencies_.push_back(now_() - found->second.begin);
    open_.erase(found);
  }
  void event(NodeId node, const mirbft::Deliver&, mirbft::sim::Findings&) {
    const Time now = now_();
    const auto [last, is_first] = delivered_.try_emplace(node, now);
    Pause& longest = pauses_[node];
    if (now - last->second > longest.length) longest = {now - last->second, now};
    last->second = now;
  }

  std::size_t answered() const noexcept { return latencies_.size(); }
  /// The latency that so many of a hundred requests do not exceed.
  Time latency(std::size_t percent) const {
    std::vector<Time> sorted = latencies_;
    std::sort(sorted.begin(), sorted.end());
    return sorted.empty() ? Time{} : sorted[(sorted.size() - 1) * percent / 100];
  }
  /// The longest pause of any replica.
  Pause longest() const {
    Pause longest;
    for (const auto& [node, pause] : pauses_)
      if (pause.length > longest.length) longest = pause;
    return longest;
  }

 private:
  struct Open {
    Time begin{};
    std::size_t replies = 0;
  };

  std::function<Time()> now_;
  std::size_t weak_ = 1;
  std::map<std::pair<mirbft::ClientId, mirbft::ReqNo>, Open> open_;
  std::vector<Time> latencies_;
  std::map<NodeId, Time> delivered_;
  std::map<NodeId, Pause> pauses_;
};

/// What is measured: a cluster of this size with these options.
struct Setup {
  std::size_t nodes = 4;
  std::uint64_t seed = 1;
  mirbft::VoteFrames vote_frames = mirbft::VoteFrames::gathered;
  mirbft::GroupCommit group_commit = mirbft::GroupCommit::list;
  mirbft::PullAlong pull_along = mirbft::PullAlong::at_once;
  mirbft::Batching batching = mirbft::Batching::adaptive;
};

/// A cluster with the defaults of the library on links that take from 50 us to 1 ms.
class Measured {
 public:
  using Replica =
      mirbft::Node<mirbft::sim::Net, mirbft::Sha256, CountingCrypto, mirbft::Counter,
                   mirbft::sim::Wal, mirbft::ClientTracker, mirbft::sim::Store,
                   mirbft::Iss<mirbft::Pbft>, mirbft::sim::Watch<mirbft::sim::Checks<Stopwatch>>>;
  using Cluster = mirbft::sim::Cluster<Replica>;

  explicit Measured(const Setup& setup)
      : setup_(setup), cluster_(config(setup), [this](auto parts) {
          return modules(std::move(parts));
        }) {
    watch().begin([this] { return cluster_.now(); }, mirbft::Quorum(setup.nodes).weak());
  }

  Cluster& cluster() noexcept { return cluster_; }
  Stopwatch& watch() { return cluster_.checks().get<Stopwatch>(); }
  const Signatures& signatures() const noexcept { return signatures_; }
  mirbft::IssStatus status(NodeId id) { return cluster_[id].status().protocol; }

  /// Clients that keep so many requests open each, and rest at most so long after an answer.
  void load(std::uint64_t clients, std::size_t open, Time rest) {
    for (std::uint64_t i = 0; i < clients; ++i)
      cluster_.add_client({.id = mirbft::ClientId(i),
                           .requests = std::uint64_t{1} << 40,
                           .open = open,
                           .target = mirbft::sim::Target::all,
                           .retry_after = std::chrono::minutes(1),
                           .rest = rest,
                           .body = [](auto...) { return std::string(100, 'x'); }});
  }
  void run(Time time) { require(cluster_.run_for(time)); }
  void run_to(mirbft::SeqNr end) {
    require(cluster_.run_until([&] { return status(NodeId(0)).next_delivery >= end; },
                               std::chrono::hours(1), std::chrono::milliseconds(1)));
  }

 private:
  static mirbft::sim::ClusterConfig config(const Setup& setup) {
    mirbft::sim::ClusterConfig config;
    config.seed = setup.seed;
    config.nodes = setup.nodes;
    config.node.vote_frames = setup.vote_frames;
    config.node.group_commit = setup.group_commit;
    config.tick_every = config.node.tick_every;
    config.shuffled_slots = config.short_pauses = 0;
    return config;
  }
  Replica::Modules modules(Cluster::PartsOfReplica parts) {
    mirbft::IssConfig protocol;
    protocol.self = parts.self;
    protocol.members = parts.members;
    protocol.pull_along = setup_.pull_along;
    protocol.batching = setup_.batching;
    return {.net = std::move(parts.net),
            .hasher = {},
            .crypto = CountingCrypto(signatures_),
            .app = {},
            .wal = std::move(parts.wal),
            .tracker = mirbft::ClientTracker(mirbft::TrackerConfig{.cluster = protocol.cluster}),
            .store = std::move(parts.store),
            .protocol = mirbft::Iss<mirbft::Pbft>(std::move(protocol)),
            .interceptor = std::move(parts.watch)};
  }
  void require(bool went_well) {
    if (went_well) return;
    const auto& findings = cluster_.findings().all();
    throw mirbft::ModuleFailure(findings.empty() ? "the cluster stands still" : findings[0].text);
  }

  Setup setup_;
  Signatures signatures_;
  Cluster cluster_;
};

/// What a decision costs the whole cluster, on average over an epoch and what follows of the next
/// one until no requests are left, checkpoints included.
struct Cost {
  /// That it orders.
  double requests = 0;
  double frames = 0;
  double bytes = 0;
  /// Signatures of replicas.
  double made = 0;
  double checked = 0;
  double syncs = 0;
};

inline Cost cost_of_a_decision(const Setup& setup) {
  Measured measured(setup);
  auto& cluster = measured.cluster();
  measured.load(16, 16, {});
  measured.run_to(mirbft::SeqNr(mirbft::IssConfig{}.epoch_length));
  cluster.finish_requests(cluster.members());
  measured.run(std::chrono::seconds(1));
  const mirbft::IssStatus status = measured.status(NodeId(0));
  const auto each = [&](std::uint64_t all) {
    return static_cast<double>(all) / static_cast<double>(status.next_delivery.value);
  };
  std::uint64_t syncs = 0;
  for (const NodeId id : cluster.members()) syncs += cluster[id].status().wal.syncs;
  return {each(status.delivered_requests),     each(cluster.network().frames()),
          each(cluster.network().bytes()),     each(measured.signatures().made),
          each(measured.signatures().checked), each(syncs)};
}

/// How long requests take until a weak quorum has replied, and how many a second.
struct Rate {
  double requests_per_second = 0;
  Time median{};
  Time slowest_percent{};
  double requests_per_decision = 0;
};

inline Rate rate_under_load(const Setup& setup, std::uint64_t clients, Time rest,
                            Time time = std::chrono::seconds(10)) {
  Measured measured(setup);
  measured.load(clients, 1, rest);
  measured.run(std::chrono::seconds(1));
  measured.watch().reset();
  const auto before = measured.status(NodeId(0));
  measured.run(time);
  const auto after = measured.status(NodeId(0));
  const std::chrono::duration<double> seconds = time;
  const Stopwatch& watch = measured.watch();
  return {static_cast<double>(watch.answered()) / seconds.count(), watch.latency(50),
          watch.latency(99),
          static_cast<double>(after.delivered_requests - before.delivered_requests) /
              static_cast<double>(after.next_delivery.value - before.next_delivery.value)};
}

/// A replica is killed under load.
struct FailOver {
  /// From the crash until all others deliver again.
  Time time{};
  /// The longest time for which any of the others delivered nothing.
  Time pause{};
};

inline FailOver kill_one(const Setup& setup) {
  Measured measured(setup);
  measured.load(8, 4, std::chrono::milliseconds(20));
  mirbft::sim::Random random = mirbft::sim::Random(setup.seed).fork("kill");
  measured.run(random.between(Time(std::chrono::seconds(1)), Time(std::chrono::seconds(4))));
  measured.watch().reset();
  const Time crash = measured.cluster().now();
  measured.cluster().crash(NodeId(random.below(setup.nodes)));
  measured.run(std::chrono::seconds(5));
  const Stopwatch::Pause pause = measured.watch().longest();
  return {pause.end - crash, pause.length};
}

/// Requests a second for a while from the beginning on, where so many of the leaders say nothing.
inline double throughput_with_silent(const Setup& setup, std::size_t silent, Time time) {
  Measured measured(setup);
  const auto& members = measured.cluster().members();
  const auto middle = members.end() - static_cast<std::ptrdiff_t>(silent);
  measured.cluster().network().cut(mirbft::sim::asymmetric_partition(
      std::vector(middle, members.end()), std::vector(members.begin(), middle)));
  measured.load(4, 4, {});
  measured.run(time);
  return static_cast<double>(measured.watch().answered()) /
         std::chrono::duration<double>(time).count();
}

}  // namespace simulation

#endif

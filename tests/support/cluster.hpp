// Whole clusters of real Nodes in one process, and what must be true of their logs.
#ifndef MIRBFT_TESTS_SUPPORT_CLUSTER_HPP
#define MIRBFT_TESTS_SUPPORT_CLUSTER_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/modules/crypto/null.hpp>
#include <mirbft/modules/hasher/openssl.hpp>
#include <mirbft/modules/interceptor/null.hpp>
#include <mirbft/modules/net/loopback.hpp>
#include <mirbft/modules/store/memory.hpp>
#include <mirbft/modules/tracker/client_tracker.hpp>
#include <mirbft/modules/wal/null.hpp>
#include <mirbft/node.hpp>
#include <mirbft/protocol/iss.hpp>
#include <mirbft/protocol/orderers/pbft.hpp>

namespace mirbft::testing {

/// A request as an App was given it.
struct Logged {
  SeqNr sn;
  ClientId client;
  ReqNo req_no;
  std::string body;

  friend bool operator==(const Logged&, const Logged&) = default;
};
using Log = std::vector<Logged>;

/// An App whose state is all that it was given, kept where a test can see it.
class RecordingApp {
 public:
  explicit RecordingApp(Log& log) : log_(&log) {}

  std::vector<Bytes> apply(SeqNr sn, std::span<const Request> requests) {
    std::vector<Bytes> replies;
    for (const Request& request : requests) {
      log_->push_back({sn, request.client, request.req_no, std::string(request.data.text())});
      replies.push_back(request.data);
    }
    return replies;
  }
  /// Differs for logs that differ, so that checkpoints compare them too.
  Bytes snapshot() const {
    std::uint64_t state = 0;
    for (const Logged& one : *log_)
      for (const std::uint64_t part : {one.sn.value, one.client.value, one.req_no.value})
        state = iss::mix(state + part);
    return Bytes(std::to_string(log_->size()) + " " + std::to_string(state));
  }
  void restore(ByteView) {}

 private:
  Log* log_;
};

/// Sequence numbers ascend, and no request stands twice.
inline void check_log(const Log& log) {
  std::set<std::pair<ClientId, ReqNo>> seen;
  for (std::size_t i = 0; i < log.size(); ++i) {
    if (i != 0 && log[i].sn < log[i - 1].sn) FAIL("sequence numbers do not ascend");
    if (!seen.insert({log[i].client, log[i].req_no}).second) FAIL("a request was delivered twice");
  }
}

inline std::vector<NodeId> node_ids(std::size_t count) {
  std::vector<NodeId> ids;
  for (std::size_t i = 0; i < count; ++i) ids.push_back(NodeId(i));
  return ids;
}

struct ClusterConfig {
  std::size_t nodes = 4;
  std::uint32_t epoch_length = 16;
  std::uint32_t max_batch_requests = 2;
  std::uint64_t seed = 1;
  NodeConfig node{};
};

/// Replicas driven inline, in an order that the seed decides anew in every round.
class Cluster {
 public:
  using Replica = Node<LoopbackNet, Sha256, NullCrypto, RecordingApp, NullWal, ClientTracker,
                       MemoryStore, Iss<Pbft>, NullInterceptor>;
  static constexpr std::chrono::nanoseconds round = std::chrono::milliseconds(10);

  /// One id more than there are members is in the hub, for a stranger.
  explicit Cluster(ClusterConfig config)
      : config_(config),
        members_(node_ids(config.nodes)),
        hub_(node_ids(config.nodes + 1)),
        logs_(config.nodes),
        replies_(config.nodes),
        random_(config.seed) {
    for (const NodeId self : members_) {
      NodeConfig node = config.node;
      node.self = self;
      nodes_.push_back(std::make_unique<Replica>(std::move(node), modules(self)));
    }
  }

  std::size_t size() const noexcept { return nodes_.size(); }
  Replica& operator[](std::size_t i) { return *nodes_[i]; }
  const Log& log(std::size_t i) const { return logs_[i]; }
  /// What callers of a replica were told.
  const std::vector<Replied>& replies(std::size_t i) const { return replies_[i]; }
  NodeId stranger() const { return NodeId(config_.nodes); }
  LoopbackHub& hub() noexcept { return hub_; }
  std::mt19937_64& random() noexcept { return random_; }

  static Request request(std::uint64_t client, std::uint64_t number, const std::string& body = "") {
    return {ClientId(client), ReqNo(number),
            Bytes(std::to_string(client) + "/" + std::to_string(number) + body), {}};
  }
  Submitted submit(std::size_t to, Request request, Spread spread) {
    return nodes_[to]->submit(
        std::move(request), [this, to](const Replied& reply) { replies_[to].push_back(reply); },
        spread);
  }
  void submit_to_all(const Request& request) {
    for (std::size_t i = 0; i < size(); ++i)
      REQUIRE(submit(i, request, Spread::by_client) == Submitted::accepted);
  }

  /// From now on this replica does nothing at all.
  void silence(std::size_t i) { silent_.insert(i); }

  /// Some replicas work for a moment.
  void stir() {
    for (const std::size_t i : shuffled())
      if (random_() % 2 == 0) nodes_[i]->process();
  }
  /// One round of time, after which nobody has anything left to do.
  void pass_time() {
    now_ += round;
    for (auto& node : nodes_) node->tick(now_);
    for (std::size_t work = 1; work != 0;) {
      work = 0;
      for (const std::size_t i : shuffled()) work += nodes_[i]->process();
    }
    for (auto& node : nodes_) REQUIRE(node->failure() == "");
  }
  /// Lets time pass until `done()`; false if that takes more than a minute of the cluster's.
  template <class Done>
  bool until(Done&& done) {
    for (int rounds = 0; !done() && rounds < 6000; ++rounds) pass_time();
    return done();
  }
  /// Whether all that are not silent have delivered so many.
  bool deliver(std::size_t requests) {
    return until([&] {
      for (std::size_t i = 0; i < size(); ++i)
        if (!silent_.contains(i) && logs_[i].size() < requests) return false;
      return true;
    });
  }

  /// All have the same log of `requests` requests, each once, and nobody broke a rule.
  void check_agreement(std::size_t requests) {
    check_log(logs_[0]);
    for (std::size_t i = 0; i < size(); ++i) {
      CAPTURE(i);
      CHECK(logs_[i].size() == requests);
      CHECK((logs_[i] == logs_[0]));
      const auto status = nodes_[i]->status();
      CHECK(status.protocol.delivered_requests == requests);
      CHECK(status.protocol.next_delivery == nodes_[0]->status().protocol.next_delivery);
      CHECK(status.protocol.batches_waiting_for_bodies == 0);
      CHECK(status.tracker.pending == 0);
      const iss::BadMessages& bad = status.protocol.bad_messages;
      CHECK(bad.stranger + bad.proposal + bad.vote + bad.signature + bad.oversized +
                bad.far_epoch == 0);
    }
  }
  /// Checkpoints have become stable behind the delivered epochs, and what they cover is collected.
  void check_collected(std::uint64_t at_least_epochs) {
    constexpr std::uint64_t kept = 4;  // two stable ones, and two on their way
    const std::uint64_t longest = std::max<std::uint64_t>(config_.epoch_length, 3 * config_.nodes);
    for (auto& node : nodes_) {
      const auto status = node->status();
      CHECK(status.protocol.epoch.value >= at_least_epochs);
      CHECK(status.protocol.stable_checkpoints + 1 >= status.protocol.epoch.value);
      CHECK(status.store.requests <= kept * longest * config_.max_batch_requests);
      CHECK(status.protocol.early_bytes == 0);
    }
  }

 private:
  Replica::Modules modules(NodeId self) {
    IssConfig iss;
    iss.self = self;
    iss.members = members_;
    iss.epoch_length = config_.epoch_length;
    iss.max_batch_requests = config_.max_batch_requests;
    return {.net = LoopbackNet(hub_, self),
            .hasher = {},
            .crypto = {},
            .app = RecordingApp(logs_[self.value]),
            .wal = {},
            .tracker = ClientTracker(TrackerConfig{.cluster = config_.node.cluster}),
            .store = {},
            .protocol = Iss<Pbft>(std::move(iss))};
  }
  std::vector<std::size_t> shuffled() {
    std::vector<std::size_t> order(size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::shuffle(order, random_);
    std::erase_if(order, [&](std::size_t i) { return silent_.contains(i); });
    return order;
  }

  ClusterConfig config_;
  std::vector<NodeId> members_;
  LoopbackHub hub_;
  std::vector<Log> logs_;
  std::vector<std::vector<Replied>> replies_;
  std::mt19937_64 random_;
  std::set<std::size_t> silent_;
  std::chrono::nanoseconds now_{};
  std::vector<std::unique_ptr<Replica>> nodes_;
};

}  // namespace mirbft::testing

#endif

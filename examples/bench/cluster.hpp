// The nodes of a benchmark: in one process, each on a thread of its own.
#ifndef MIRBFT_EXAMPLES_BENCH_CLUSTER_HPP
#define MIRBFT_EXAMPLES_BENCH_CLUSTER_HPP

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <mirbft/modules/crypto/null.hpp>
#include <mirbft/modules/crypto/sodium.hpp>
#include <mirbft/modules/hasher/openssl.hpp>
#include <mirbft/modules/net/loopback.hpp>
#include <mirbft/modules/net/tcp.hpp>
#include <mirbft/modules/store/memory.hpp>
#include <mirbft/modules/tracker/client_tracker.hpp>
#include <mirbft/modules/wal/memory.hpp>
#include <mirbft/modules/wal/null.hpp>
#include <mirbft/node.hpp>
#include <mirbft/protocol/iss.hpp>
#include <mirbft/protocol/orderers/pbft.hpp>

#include "either.hpp"
#include "options.hpp"
#include "order_app.hpp"
#include "recording.hpp"

namespace bench {

/// A log in memory whose syncs take as long as those of a disk.
class SlowWal : public mirbft::MemoryWal {
 public:
  explicit SlowWal(std::uint32_t microseconds) : time_(microseconds) {}

  void sync() {
    if (time_.count() != 0) std::this_thread::sleep_for(time_);
    MemoryWal::sync();
  }

 private:
  std::chrono::microseconds time_;
};

using Net = EitherNet<mirbft::LoopbackNet, mirbft::TcpNet>;
using Crypto = EitherCrypto<mirbft::NullCrypto, mirbft::SodiumCrypto>;
using Wal = EitherWal<mirbft::NullWal, SlowWal>;
using Replica = mirbft::Node<Net, mirbft::Sha256, Crypto, OrderApp, Wal, mirbft::ClientTracker,
                             mirbft::MemoryStore, mirbft::Iss<mirbft::Pbft>,
                             EitherInterceptor>;

inline const mirbft::Bytes cluster_name("bench");

/// Keys that depend on nothing but an id: good for measuring, and for nothing else.
inline std::string seed_of(char kind, std::uint64_t id) {
  std::string seed(32, kind);
  for (int i = 0; i < 8; ++i) seed[static_cast<std::size_t>(i)] = static_cast<char>(id >> (8 * i));
  return seed;
}
inline mirbft::Ed25519Key key_of(char kind, std::uint64_t id) {
  return mirbft::Ed25519Key(mirbft::bytes_of(seed_of(kind, id)));
}

class Cluster {
 public:
  explicit Cluster(const Options& options) : options_(options) {
    for (std::uint32_t i = 0; i < options.nodes; ++i) members_.push_back(mirbft::NodeId(i));
    make_nets();
    for (const mirbft::NodeId id : members_) replicas_.push_back(make_replica(id));
  }
  ~Cluster() { stop(); }

  void start() {
    for (auto& replica : replicas_)
      threads_.emplace_back([&replica = *replica](std::stop_token stop) { replica.run(stop); });
  }
  /// Ends the threads; from then on the Apps may be looked at.
  void stop() {
    for (std::jthread& thread : threads_) thread.request_stop();
    threads_.clear();
  }

  std::size_t size() const noexcept { return replicas_.size(); }
  Replica& operator[](std::size_t i) { return *replicas_[i]; }

  /// The first reason why a node stopped; empty when none has failed.
  std::string failure() const {
    for (const auto& replica : replicas_)
      if (!replica->failure().empty()) return replica->failure();
    return {};
  }
  bool agreed(std::uint64_t requests) const {
    for (const auto& replica : replicas_)
      if (replica->app().status().applied != requests ||
          replica->app().status() != replicas_.front()->app().status())
        return false;
    return true;
  }

 private:
  void make_nets() {
    if (options_.transport == "memory") {
      hub_.emplace(members_, std::size_t{1} << 28);
      for (const mirbft::NodeId id : members_)
        nets_.push_back(Net(mirbft::LoopbackNet(*hub_, id)));
      return;
    }
    std::vector<mirbft::TcpNet> nets;
    for (const mirbft::NodeId id : members_) {
      mirbft::TcpConfig config;
      config.self = id;
      config.cluster_id = std::string(cluster_name.text());
      for (const mirbft::NodeId peer : members_) config.peers.push_back({peer, "127.0.0.1", 0});
      nets.emplace_back(std::move(config));
    }
    for (mirbft::TcpNet& net : nets)
      for (std::size_t peer = 0; peer < nets.size(); ++peer)
        if (&nets[peer] != &net)
          net.set_peer_address(members_[peer], "127.0.0.1", nets[peer].port());
    for (mirbft::TcpNet& net : nets) nets_.push_back(Net(std::move(net)));
  }

  Crypto make_crypto(mirbft::NodeId id) const {
    if (options_.signatures == "none") return Crypto(mirbft::NullCrypto());
    std::map<mirbft::NodeId, mirbft::Bytes> nodes;
    std::map<mirbft::ClientId, mirbft::Bytes> clients;
    for (const mirbft::NodeId member : members_)
      nodes[member] = mirbft::Bytes(key_of('n', member.value).public_key());
    for (std::uint32_t i = 0; i < options_.clients; ++i)
      clients[mirbft::ClientId(i)] = mirbft::Bytes(key_of('c', i).public_key());
    const std::string seed = seed_of('n', id.value);
    return Crypto(mirbft::SodiumCrypto(mirbft::bytes_of(seed), nodes, clients));
  }

  std::unique_ptr<Replica> make_replica(mirbft::NodeId id) {
    mirbft::NodeConfig node;
    node.self = id;
    node.cluster = cluster_name;
    if (options_.votes == "single") node.vote_frames = mirbft::VoteFrames::single;
    if (options_.group_commit == "entry") node.group_commit = mirbft::GroupCommit::entry;
    mirbft::TrackerConfig tracker;
    tracker.cluster = cluster_name;
    mirbft::IssConfig protocol;
    protocol.self = id;
    protocol.members = members_;
    protocol.cluster = cluster_name;
    if (options_.pull_along == "delayed") protocol.pull_along = mirbft::PullAlong::delayed;
    if (options_.batching == "fixed-delay") protocol.batching = mirbft::Batching::fixed_delay;
    return std::make_unique<Replica>(
        node, Replica::Modules{.net = std::move(nets_[id.value]),
                               .hasher = mirbft::Sha256(),
                               .crypto = make_crypto(id),
                               .app = OrderApp(),
                               .wal = options_.wal == "none"
                                          ? Wal(mirbft::NullWal())
                                          : Wal(SlowWal(options_.sync_time)),
                               .tracker = mirbft::ClientTracker(tracker),
                               .store = mirbft::MemoryStore(),
                               .protocol = mirbft::Iss<mirbft::Pbft>(protocol),
                               .interceptor = recorder(options_.record, id)});
  }

  const Options& options_;
  std::vector<mirbft::NodeId> members_;
  std::optional<mirbft::LoopbackHub> hub_;
  std::vector<Net> nets_;
  std::vector<std::unique_ptr<Replica>> replicas_;
  std::vector<std::jthread> threads_;
};

}  // namespace bench

#endif

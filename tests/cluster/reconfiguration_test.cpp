// Keys of nodes and clients are changed by the ordered log, while load goes on, in virtual time.
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/modules/app/reconfigurable.hpp>
#include <mirbft/modules/crypto/sodium.hpp>
#include <mirbft/wire/request_bytes.hpp>

#include "../sim/iss_cluster.hpp"

namespace mirbft::reconfiguration_test {
namespace {

using namespace std::chrono_literals;

using Replica = Node<sim::Net, Sha256, SodiumCrypto, Reconfigurable<KeyValueStore>, sim::Wal,
                     ClientTracker, sim::Store, Iss<Pbft>,
                     sim::Watch<sim::Checks<sim::TotalOrder, sim::Integrity>>>;
using Cluster = sim::Cluster<Replica>;

constexpr std::size_t nodes = 4;
/// How many key pairs each node has: as many as there are rounds of changes, and the first.
constexpr std::uint64_t generations = 3;
constexpr ClientId administrator(99);

Ed25519Key key_of(std::uint64_t owner, std::uint64_t generation) {
  std::string seed(Ed25519Key::seed_size, static_cast<char>(owner));
  seed[0] = static_cast<char>(generation);
  return Ed25519Key(bytes_of(seed));
}
Ed25519Key key_of(NodeId node, std::uint64_t generation) { return key_of(node.value, generation); }
Ed25519Key key_of(ClientId client, std::uint64_t generation) {
  return key_of(100 + client.value, generation);
}

/// The cluster, its administrator, and which keys the clients sign with.
class Scene {
 public:
  /// Of nodes that are `faulty` it does not matter when they stop.
  explicit Scene(std::uint64_t seed, std::vector<NodeId> faulty = {})
      : config_(testing::iss_config(nodes)), cluster_(of(seed, std::move(faulty)), make()) {}

  Cluster& operator*() noexcept { return cluster_; }
  Cluster* operator->() noexcept { return &cluster_; }

  void load(std::uint64_t client, std::uint64_t requests, sim::Target target = sim::Target::all) {
    add(ClientId(client), requests, target, testing::command);
  }
  /// Its requests ask for these changes, one after the other.
  void administer(std::vector<Reconfiguration> changes) {
    const auto count = changes.size();
    add(administrator, count, sim::Target::all, [changes](ClientId, ReqNo number, sim::Random&) {
      return std::string(wire::encode(ReconfigurationRequest{changes[number.value]}).text());
    });
  }
  /// From now on a client signs with this key.
  void turn(ClientId client, std::uint64_t generation) { generations_[client] = generation; }

  auto protocol(std::uint64_t id) { return cluster_[NodeId(id)].status().protocol; }
  auto tracker(std::uint64_t id) { return cluster_[NodeId(id)].status().tracker; }
  bool settle(std::chrono::seconds at_most) {
    const bool settled = cluster_.run_until(
        [&] { return cluster_.clients_done() && cluster_.agree(cluster_.members()); }, at_most);
    report();
    return settled;
  }
  void report() {
    for (const sim::Finding& finding : cluster_.findings().all()) FAIL_CHECK(finding.text);
  }

 private:
  static sim::ClusterConfig of(std::uint64_t seed, std::vector<NodeId> faulty) {
    sim::ClusterConfig config;
    config.seed = seed;
    config.faulty = std::move(faulty);
    config.nodes = nodes;
    return config;
  }
  void add(ClientId client, std::uint64_t requests, sim::Target target, auto body) {
    cluster_.add_client({.id = client,
                         .requests = requests,
                         .open = client == administrator ? 1u : 4u,
                         .target = target,
                         .retry_after = 500ms,
                         .body = body,
                         .sign = [this](const Request& request) { return sign(request); }});
  }
  Bytes sign(const Request& request) const {
    Sha256 hasher;
    for (const Bytes& part : wire::request_parts(config_.cluster.view(), request.client,
                                                 request.req_no, request.data))
      hasher.update(part.view());
    const RequestRef reference{request.client, request.req_no, hasher.finish()};
    const auto turned = generations_.find(request.client);
    return key_of(request.client, turned == generations_.end() ? 0 : turned->second)
        .sign(wire::request_signature_bytes(config_.cluster.view(), reference).view());
  }

  SodiumCrypto crypto(NodeId self) const {
    std::vector<Ed25519Key> own;
    std::map<NodeId, Bytes> node_keys;
    std::map<ClientId, Bytes> client_keys;
    for (std::uint64_t i = 0; i < generations; ++i) own.push_back(key_of(self, i));
    for (const NodeId node : config_.members) node_keys[node] = key_of(node, 0).public_key();
    for (const std::uint64_t client : {0u, 1u, 2u, 99u})
      client_keys[ClientId(client)] = key_of(ClientId(client), 0).public_key();
    return SodiumCrypto(std::move(own), self, node_keys, client_keys);
  }
  Cluster::Make make() const {
    return [this](auto parts) {
      IssConfig own = config_;
      own.self = parts.self;
      return Replica::Modules{
          .net = std::move(parts.net),
          .hasher = {},
          .crypto = crypto(parts.self),
          .app = Reconfigurable<KeyValueStore>({.administrators = {administrator},
                                                .members = {config_.members.begin(),
                                                            config_.members.end()},
                                                .is_key = Ed25519Key::is_public_key}),
          .wal = std::move(parts.wal),
          .tracker = ClientTracker(TrackerConfig{.cluster = own.cluster}),
          .store = std::move(parts.store),
          .protocol = Iss<Pbft>(std::move(own)),
          .interceptor = std::move(parts.watch)};
    };
  }

  IssConfig config_;
  std::map<ClientId, std::uint64_t> generations_;
  Cluster cluster_;
};

/// All nodes get the keys of a generation.
std::vector<Reconfiguration> rotation(std::uint64_t generation) {
  std::vector<Reconfiguration> changes;
  for (std::uint64_t node = 0; node < nodes; ++node)
    changes.push_back(NodeKey{NodeId(node), key_of(NodeId(node), generation).public_key()});
  return changes;
}

}  // namespace

TEST_CASE("all keys change under load; who was away learns them from the others or from its log") {
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    CAPTURE(seed);
    Scene scene(seed);
    for (const std::uint64_t client : {0u, 1u, 2u}) scene.load(client, 500);
    scene->run_for(300ms);
    scene->crash(NodeId(3));
    std::vector<Reconfiguration> changes = rotation(1);
    changes.push_back(ClientKey{ClientId(1), key_of(ClientId(1), 1).public_key()});
    for (Reconfiguration& change : rotation(2)) changes.push_back(std::move(change));
    scene.administer(changes);
    const auto all_changed = [&] {
      return scene->client(3).done() && scene.protocol(0).key_changes != 0;
    };
    REQUIRE(scene->run_until(all_changed, 60s));
    const std::uint64_t last = scene.protocol(0).epoch.value;
    scene->run_for(1s);
    scene.turn(ClientId(1), 1);
    const auto goes_on = [&](std::uint64_t id) {
      return scene->run_until([&] { return scene.protocol(id).stable_checkpoints > last + 12; },
                              60s);
    };
    REQUIRE(goes_on(0));
    CHECK_FALSE(scene->clients_done());
    const std::uint64_t changed = scene.protocol(0).key_changes;
    CHECK(changed >= 2);

    scene->restart(NodeId(3));  // it knows none of the keys, and the log is collected
    REQUIRE(goes_on(3));
    CHECK(scene.protocol(3).key_changes == changed);
    scene->crash(NodeId(2));  // from here on 3 is needed for every quorum
    scene->run_for(300ms);
    scene->restart(NodeId(2));
    CHECK(scene.settle(60s));
    for (std::uint64_t id = 0; id < nodes; ++id) {
      CHECK(scene.protocol(id).key_changes == changed);
      CHECK(scene.protocol(id).bad_messages.signature == 0);
    }
    CHECK(scene.tracker(0).admitted != 0);
  }
}

TEST_CASE("a client without a key is served no more, a new one is, and nobody waits in vain") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    CAPTURE(seed);
    Scene scene(seed);
    scene.load(0, 400);
    scene.load(1, 400, sim::Target::some);
    scene.load(2, 1'000'000, sim::Target::one);  // verified by one replica when its key goes
    scene.load(5, 50);                           // not known yet
    scene->run_for(300ms);
    scene.administer({ClientKey{ClientId(2), std::nullopt},
                      ClientKey{ClientId(5), key_of(ClientId(5), 0).public_key()}});
    const auto served = [&] {
      for (const std::size_t place : {0u, 1u, 3u, 4u})
        if (!scene->client(place).done()) return false;
      return true;
    };
    CHECK(scene->run_until(served, 60s));
    const std::uint64_t completed = scene->client(2).completed();
    CHECK(completed != 0);
    scene->run_for(3s);
    CHECK(scene->client(2).completed() == completed);
    CHECK(scene->run_until([&] { return scene->agree(scene->members()); }, 30s));
    scene.report();
    for (std::uint64_t id = 0; id < nodes; ++id) {
      CHECK(scene.protocol(id).bad_messages.proposal == 0);
      CHECK(scene.protocol(id).batches_waiting_for_bodies == 0);
      CHECK(scene.protocol(id).own_requests_waiting == 0);
    }
  }
}

TEST_CASE("a node that lacks its new secret key says so and stops, and the others go on") {
  Scene scene(1, {NodeId(2)});
  scene.load(0, 300);
  scene->run_for(200ms);
  scene.administer({NodeKey{NodeId(2), key_of(NodeId(2), generations).public_key()}});
  CHECK(scene->run_until([&] { return scene->clients_done() && !scene->is_up(NodeId(2)); }, 60s));
  scene.report();
  CHECK(scene->agree({NodeId(0), NodeId(1), NodeId(3)}));
}

}  // namespace mirbft::reconfiguration_test

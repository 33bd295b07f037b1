// A cluster as it runs in earnest: nodes on threads, modules on threads of their own, signatures.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/modules/crypto/sodium.hpp>
#include <mirbft/modules/wal/memory.hpp>
#include <mirbft/wire/request_bytes.hpp>

#include "../support/cluster.hpp"

namespace mirbft::threads_test {
namespace {

/// Longer than any of it takes, also under a sanitizer.
constexpr std::chrono::seconds patience{60};

using testing::Log;
using testing::RecordingApp;

using Replica = Node<LoopbackNet, Sha256, on_pool<SodiumCrypto, 2>, on_thread<RecordingApp>,
                     on_thread<MemoryWal>, ClientTracker, on_thread<MemoryStore>, Iss<Pbft>,
                     NullInterceptor>;

/// Nodes own the seeds of their number, clients those from 100 on.
Bytes seed_of(std::uint64_t owner) {
  return Bytes(std::string(Ed25519Key::seed_size, static_cast<char>(owner)));
}
Ed25519Key key_of(std::uint64_t owner) { return Ed25519Key(seed_of(owner).view()); }

Request signed_request(ClientId client, ReqNo number, const Bytes& cluster) {
  Request request{client, number, Bytes("request " + std::to_string(number.value)), {}};
  Sha256 hasher;
  for (const Bytes& part : wire::request_parts(cluster.view(), client, number, request.data))
    hasher.update(part.view());
  const RequestRef reference{client, number, hasher.finish()};
  const Bytes message = wire::request_signature_bytes(cluster.view(), reference);
  request.authenticator = key_of(100 + client.value).sign(message.view());
  return request;
}

Replica::Modules modules(LoopbackHub& hub, NodeId self, const std::vector<NodeId>& members,
                         Log& log) {
  std::map<NodeId, Bytes> nodes;
  for (const NodeId member : members) nodes[member] = key_of(member.value).public_key();
  const std::map<ClientId, Bytes> clients{{ClientId(1), key_of(101).public_key()}};
  IssConfig iss;
  iss.self = self;
  iss.members = members;
  iss.epoch_length = 16;
  iss.max_batch_requests = 8;
  TrackerConfig tracker;
  tracker.cluster = iss.cluster;
  return {.net = LoopbackNet(hub, self),
          .hasher = {},
          .crypto = SodiumCrypto(seed_of(self.value).view(), nodes, clients),
          .app = RecordingApp(log),
          .wal = {},
          .tracker = ClientTracker(tracker),
          .store = {},
          .protocol = Iss<Pbft>(iss)};
}

}  // namespace

TEST_SUITE("threads") {
  TEST_CASE("four replicas on threads deliver one log of signed requests") {
    constexpr std::uint64_t requests = 300;
    const std::vector<NodeId> members = testing::node_ids(4);
    LoopbackHub hub(members);
    std::vector<Log> logs(members.size());
    std::vector<std::unique_ptr<Replica>> nodes;
    for (const NodeId self : members) {
      NodeConfig config;
      config.self = self;
      nodes.push_back(
          std::make_unique<Replica>(config, modules(hub, self, members, logs[self.value])));
    }

    std::vector<std::future<Replied>> replies;
    Request forged = signed_request(ClientId(1), ReqNo(requests), NodeConfig{}.cluster);
    forged.data = Bytes("forged");
    std::future<Replied> refusal = nodes[0]->submit(forged, Spread::by_client);
    {
      std::vector<std::jthread> threads;
      for (auto& node : nodes)
        threads.emplace_back([&node](std::stop_token stop) { node->run(stop); });
      for (std::uint64_t number = 0; number < requests; ++number) {
        const Request request = signed_request(ClientId(1), ReqNo(number), NodeConfig{}.cluster);
        for (auto& node : nodes) replies.push_back(node->submit(request, Spread::by_client));
      }
      REQUIRE(refusal.wait_for(patience) == std::future_status::ready);
      for (std::future<Replied>& reply : replies)
        REQUIRE(reply.wait_for(patience) == std::future_status::ready);
    }

    CHECK(refusal.get().outcome == Outcome::rejected_signature);
    for (std::future<Replied>& reply : replies) CHECK(reply.get().outcome == Outcome::delivered);
    testing::check_log(logs[0]);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      CAPTURE(i);
      CHECK(nodes[i]->failure() == "");
      CHECK(logs[i].size() == requests);
      CHECK((logs[i] == logs[0]));
      CHECK(nodes[i]->status().protocol.stable_checkpoints >= 1);
      CHECK(nodes[i]->status().protocol.bad_messages.signature == 0);
    }
  }
}

}  // namespace mirbft::threads_test

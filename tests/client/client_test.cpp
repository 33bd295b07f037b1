// A Client and a replica with a ClientPort, over TCP.
#include <mirbft/client/client.hpp>

#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/client/client_port.hpp>
#include <mirbft/client/ed25519_signer.hpp>
#include <mirbft/modules/crypto/sodium.hpp>
#include <mirbft/modules/hasher/openssl.hpp>
#include <mirbft/modules/tracker/client_tracker.hpp>

#include "../support/small_node.hpp"
#include "../support/waiting.hpp"

using namespace mirbft;
using namespace mirbft::testing;
using namespace std::chrono_literals;

namespace {

const std::string cluster = "clients";

Bytes seed_of(std::uint8_t client) {
  return Bytes::filled(Ed25519Key::seed_size, [client](std::uint8_t* out) {
    std::fill_n(out, Ed25519Key::seed_size, client);
  });
}

struct Parts : SmallParts {
  using Hasher = Sha256;
  using Crypto = SodiumCrypto;
  using Tracker = ClientTracker;
};
using Replica = NodeOf<Parts>;

/// A cluster of one, with clients 1 to 3 and a port for them.
class OneReplica {
 public:
  OneReplica()
      : node_({.self = NodeId(0), .cluster = Bytes(cluster)},
              {.crypto = SodiumCrypto(seed_of(0).view(), {},
                                      {{ClientId(1), key_of(1)}, {ClientId(2), key_of(2)}}),
               .tracker = ClientTracker({.cluster = Bytes(cluster)})}),
        thread_([this](std::stop_token stop) { node_.run(stop); }),
        port_({.self = NodeId(0), .cluster_id = cluster}, node_) {}

  ClientConfig client(std::uint64_t id) const {
    return {.cluster_id = cluster,
            .id = ClientId(id),
            .replicas = {{NodeId(0), "127.0.0.1", port_.port()}},
            .max_open = 64};
  }
  Ed25519Signer signer(std::uint8_t id) const {
    return Ed25519Signer(seed_of(id).view(), cluster);
  }
  ClientPortStatus status() const { return port_.status(); }

 private:
  static Bytes key_of(std::uint8_t id) { return Ed25519Key(seed_of(id).view()).public_key(); }

  Replica node_;
  std::jthread thread_;
  ClientPort<Replica> port_;
};

using TestClient = Client<Ed25519Signer, Sha256>;

}  // namespace

TEST_CASE("a client's requests are ordered, and their results come back") {
  OneReplica replica;
  TestClient client(replica.client(1), replica.signer(1));

  SUBCASE("blocking") {
    const ClientReply reply = client.call(Bytes("hello"), patience);
    CHECK(reply.end == ClientEnd::delivered);
    CHECK(reply.result == Bytes("hello"));
  }
  SUBCASE("by futures, many at a time, in the order of the submissions") {
    std::vector<std::future<ClientReply>> replies;
    for (int i = 0; i < 64; ++i)
      replies.push_back(client.submit(Bytes(std::to_string(i)), patience));
    std::optional<SeqNr> last;
    for (int i = 0; i < 64; ++i) {
      const ClientReply reply = replies[static_cast<std::size_t>(i)].get();
      CHECK(reply.end == ClientEnd::delivered);
      CHECK(reply.result.text() == std::to_string(i));
      CHECK((!last || *last < reply.sn));
      last = reply.sn;
    }
  }
  SUBCASE("by callback, which may submit the next one") {
    Gate done;
    struct Chain {
      TestClient& client;
      Gate& done;
      void operator()(const ClientReply& reply) const {
        if (reply.result.text() == "9") return done.open();
        client.submit(Bytes(std::to_string(std::stoi(std::string(reply.result.text())) + 1)),
                      *this);
      }
    };
    CHECK(client.submit(Bytes("0"), Chain{client, done}) == Submitted::accepted);
    CHECK(done.wait());
  }
}

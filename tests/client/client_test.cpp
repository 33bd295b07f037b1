// A Client, over TCP and TLS: with a replica that works, and with some that do not.
#include <mirbft/client/client.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/client/batch_signer.hpp>
#include <mirbft/client/client_port.hpp>
#include <mirbft/client/ed25519_signer.hpp>
#include <mirbft/modules/crypto/batch.hpp>
#include <mirbft/modules/crypto/sodium.hpp>
#include <mirbft/modules/hasher/openssl.hpp>
#include <mirbft/modules/net/tls_transport.hpp>
#include <mirbft/modules/tracker/client_tracker.hpp>

#include "../support/fake_replica.hpp"
#include "../support/raw_socket.hpp"
#include "../support/small_node.hpp"
#include "../support/waiting.hpp"

namespace mirbft::client_test {

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
  using Crypto = BatchVerifier<SodiumCrypto, Sha256>;
  using Tracker = ClientTracker;
};
using Replica = NodeOf<Parts>;

/// A cluster of one that knows client 1, with a port for clients.
class OneReplica {
 public:
  OneReplica()
      : node_({.self = NodeId(0), .cluster = Bytes(cluster)},
              {.crypto = Parts::Crypto(
                   SodiumCrypto(seed_of(0).view(), {}, {{ClientId(1), key_of(1)}})),
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
  std::uint64_t roots_verified() const { return node_.status().crypto.roots_verified; }

 private:
  static Bytes key_of(std::uint8_t id) { return Ed25519Key(seed_of(id).view()).public_key(); }

  Replica node_;
  std::jthread thread_;
  ClientPort<Replica> port_;
};

using TestClient = Client<Ed25519Signer, Sha256>;

/// For replicas that check nothing.
struct NoSigner {
  std::vector<Bytes> sign(std::span<const RequestRef> requests) const {
    return std::vector<Bytes>(requests.size());
  }
};
using PlainClient = Client<NoSigner, Sha256>;
using FakePort = ClientPort<FakeReplica>;

Replied delivered(const Request& request, const Bytes& result) {
  return {request.client, request.req_no, Outcome::delivered, SeqNr(request.req_no.value), result};
}
/// Answers each request with its own bytes.
std::optional<Replied> echo(const Request& request) {
  return request.req_no == never_valid ? never_seen(request) : delivered(request, request.data);
}

/// Four replicas that a test makes up, of which one may be faulty.
class FourReplicas {
 public:
  /// The others say their requests back.
  explicit FourReplicas(FakeReplica::Answer first, FakeReplica::Answer second = echo) {
    for (std::uint64_t id = 0; id < 4; ++id) {
      replicas_.push_back(
          std::make_unique<FakeReplica>(id == 0 ? first : id == 1 ? second : echo));
      ports_.push_back(std::make_unique<FakePort>(
          ClientPortConfig{.self = NodeId(id), .cluster_id = cluster}, *replicas_.back()));
    }
  }

  ClientConfig client() const {
    ClientConfig config{.cluster_id = cluster, .id = ClientId(1), .replicas = {}, .max_open = 8};
    for (std::uint64_t id = 0; id < 4; ++id)
      config.replicas.push_back({NodeId(id), "127.0.0.1", ports_[id]->port()});
    config.retry_after = 50ms;
    config.reconnect_longest = 100ms;
    return config;
  }
  void stop(std::size_t place) { ports_[place].reset(); }
  void start(std::size_t place, std::uint16_t port) {
    ports_[place] = std::make_unique<FakePort>(
        ClientPortConfig{
            .self = NodeId(place), .cluster_id = cluster, .listen_port = port},
        *replicas_[place]);
  }

 private:
  std::vector<std::unique_ptr<FakeReplica>> replicas_;
  std::vector<std::unique_ptr<FakePort>> ports_;
};

void check_echoes(PlainClient& client) {
  std::vector<std::future<ClientReply>> replies;
  for (int i = 0; i < 8; ++i) replies.push_back(client.submit(Bytes(std::to_string(i)), patience));
  for (int i = 0; i < 8; ++i) {
    const ClientReply reply = replies[static_cast<std::size_t>(i)].get();
    CHECK(reply.end == ClientEnd::delivered);
    CHECK(reply.result.text() == std::to_string(i));
  }
}

}  // namespace

TEST_CASE("a client's requests are ordered, and their results come back") {
  OneReplica replica;
  Gate done;
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

TEST_CASE("one signature covers what is submitted together") {
  OneReplica replica;
  Client<BatchSigner<Ed25519Key, Sha256>, Sha256> client(
      replica.client(1), {Ed25519Key(seed_of(1).view()), Bytes(cluster)});
  std::vector<std::future<ClientReply>> replies;
  for (int i = 0; i < 60; ++i) replies.push_back(client.submit(Bytes("together"), patience));
  for (auto& reply : replies) CHECK(reply.get().end == ClientEnd::delivered);
  CHECK(replica.roots_verified() > 0);
}

TEST_CASE("a client that comes back goes on with new numbers") {
  OneReplica replica;
  std::set<SeqNr> places;
  for (int life = 0; life < 3; ++life) {
    TestClient client(replica.client(1), replica.signer(1));
    const ClientReply reply = client.call(Bytes("life " + std::to_string(life)), patience);
    CHECK(reply.end == ClientEnd::delivered);
    CHECK(reply.result.text() == "life " + std::to_string(life));
    CHECK(places.insert(reply.sn).second);
    CHECK(eventually([&] { return client.status().filled >= 64; }));
  }
}

TEST_CASE("a client whose key nobody knows is rejected, and told why") {
  OneReplica replica;
  TestClient client(replica.client(3), replica.signer(3));
  const ClientReply reply = client.call(Bytes("hello"), patience);
  CHECK(reply.end == ClientEnd::rejected);
  CHECK(reply.reason == Outcome::rejected_signature);
}

TEST_CASE("one faulty replica of four changes nothing") {
  SUBCASE("it lies") {
    FourReplicas replicas([](const Request& request) {
      return request.req_no == never_valid ? never_seen(request)
                                           : delivered(request, Bytes("a lie"));
    });
    PlainClient client(replicas.client(), {});
    check_echoes(client);
  }
  SUBCASE("it is silent") {
    FourReplicas replicas([](const Request&) { return std::nullopt; });
    PlainClient client(replicas.client(), {});
    check_echoes(client);
  }
  SUBCASE("it refuses everything") {
    FourReplicas replicas([](const Request& request) {
      return Replied{request.client, request.req_no, Outcome::rejected_signature, {}, {}};
    });
    PlainClient client(replicas.client(), {});
    check_echoes(client);
  }
  SUBCASE("it lies, and is asked first together with one that is not") {
    FourReplicas replicas([](const Request& request) {
      return request.req_no == never_valid ? never_seen(request)
                                           : delivered(request, Bytes("a lie"));
    });
    ClientConfig config = replicas.client();
    config.send_to = 2;
    PlainClient client(config, {});
    CHECK(eventually([&] { return client.status().connected == 4; }));
    check_echoes(client);
    CHECK(client.status().retries > 0);
  }
  SUBCASE("it is not there, and then it is, and another goes") {
    FourReplicas replicas(echo);
    const ClientConfig config = replicas.client();
    replicas.stop(0);
    PlainClient client(config, {});
    check_echoes(client);
    CHECK(client.status().connected == 3);
    replicas.start(0, config.replicas[0].port);
    CHECK(eventually([&] { return client.status().connected == 4; }));
    replicas.stop(3);
    check_echoes(client);
    CHECK(eventually([&] { return client.status().ended.lost >= 1; }));
  }
}

TEST_CASE("replicas that all say something else are not believed") {
  const auto lie = [](const char* what) {
    return [what](const Request& request) -> std::optional<Replied> {
      if (request.req_no == never_valid) return never_seen(request);
      return request.data.empty() ? delivered(request, {}) : delivered(request, Bytes(what));
    };
  };
  FakeReplica one(lie("one")), two(lie("two")), three(lie("three")), four(lie("four"));
  std::vector<std::unique_ptr<FakePort>> ports;
  ClientConfig config{.cluster_id = cluster, .id = ClientId(1), .replicas = {}};
  for (FakeReplica* replica : {&one, &two, &three, &four}) {
    const NodeId id(ports.size());
    ports.push_back(std::make_unique<FakePort>(
        ClientPortConfig{.self = id, .cluster_id = cluster}, *replica));
    config.replicas.push_back({id, "127.0.0.1", ports.back()->port()});
  }
  PlainClient client(config, {});
  CHECK(client.call(Bytes("hello"), 200ms).end == ClientEnd::timed_out);
  CHECK(eventually([&] { return client.status().filled > 0; }));  // they agree on empty ones
}

TEST_CASE("a replica that speaks otherwise is not spoken to, and tried again") {
  FourReplicas replicas(echo);
  RawListener listener;
  ClientConfig config = replicas.client();
  config.replicas[0].port = listener.port();
  config.reconnect_first = config.reconnect_longest = 1ms;
  PlainClient client(config, {});
  std::uint64_t LinkEnds::*reason = nullptr;
  ReplicaHello hello{client_protocol, cluster, NodeId(0)};
  RawReplica first = listener.accept();
  CHECK(first.read<ClientHello>(ToReplica::hello).has_value());
  SUBCASE("another cluster") {
    hello.cluster_id = "another";
    first.write(ToClient::hello, hello);
    reason = &LinkEnds::wrong_cluster;
  }
  SUBCASE("another version") {
    ++hello.version;
    first.write(ToClient::hello, hello);
    reason = &LinkEnds::wrong_version;
  }
  SUBCASE("another replica") {
    hello.node = NodeId(2);
    first.write(ToClient::hello, hello);
    reason = &LinkEnds::stranger;
  }
  SUBCASE("rubbish in a Hello") {
    first.write_frame(ToClient::hello, Bytes("\xff\xff rubbish"));
    reason = &LinkEnds::bad_hello;
  }
  SUBCASE("rubbish in an answer") {
    first.write(ToClient::hello, hello);
    first.write_frame(ToClient::answer, Bytes("rubbish"));
    reason = &LinkEnds::bad_frame;
  }
  SUBCASE("an answer that is announced as too long") {
    first.write(ToClient::hello, hello);
    first.write(frame_header(ToClient::answer, std::size_t{5} << 20));
    reason = &LinkEnds::too_long;
  }
  CHECK(first.is_closed());
  CHECK(eventually([&] { return client.status().ended.*reason == 1; }));
  CHECK(client.status().last_end.starts_with("replica 0 at 127.0.0.1:"));
  RawReplica second = listener.accept();
  CHECK(second.read<ClientHello>(ToReplica::hello).has_value());
  check_echoes(client);
}

TEST_CASE("what a client does not take") {
  FourReplicas replicas([](const Request&) { return std::nullopt; });
  const ClientConfig config = replicas.client();
  for (const std::size_t place : {1U, 2U, 3U}) replicas.stop(place);  // nothing ends by itself
  PlainClient client(config, {});

  CHECK(client.call(Bytes(std::string(64 * 1024 + 1, 'x'))).reason == Outcome::rejected_size);

  std::vector<std::future<ClientReply>> open;
  for (int i = 0; i < 8; ++i) open.push_back(client.submit(Bytes("open"), patience));
  CHECK(client.call(Bytes("one more")).end == ClientEnd::overloaded);
  CHECK(client.submit(Bytes("one more"), [](const ClientReply&) {}) == Submitted::overloaded);

  client.shut_down();
  for (auto& reply : open) CHECK(reply.get().end == ClientEnd::shut_down);
  CHECK(client.call(Bytes("late")).end == ClientEnd::shut_down);
  CHECK(client.submit(Bytes("late"), [](const ClientReply&) {}) == Submitted::stopped);
  CHECK(client.status().connected == 0);
}

TEST_CASE("over TLS a client reaches only the replicas whose certificates it knows") {
  const TlsIdentity mine = TlsIdentity::generate("replica 0");
  const TlsIdentity anothers = TlsIdentity::generate("replica 1");
  FakeReplica replica(echo);
  ClientPort<FakeReplica, TlsServer> port({.self = NodeId(0), .cluster_id = cluster}, replica,
                                          TlsServer(mine));
  const auto client_with = [&](std::map<NodeId, std::set<Digest>> pins) {
    return std::make_unique<Client<NoSigner, Sha256, TlsClient>>(
        ClientConfig{.cluster_id = cluster,
                     .id = ClientId(1),
                     .replicas = {{NodeId(0), "127.0.0.1", port.port()}},
                     .max_open = 8},
        NoSigner{}, TlsClient(TlsPins(pins)));
  };
  SUBCASE("the right one") {
    const auto client = client_with({{NodeId(0), {mine.fingerprint()}}});
    const Bytes body(std::string(60'000, 'x'));  // more than a record of TLS
    CHECK(client->call(body, patience).result == body);
  }
  SUBCASE("one that nobody knows") {
    const auto client = client_with({{NodeId(0), {anothers.fingerprint()}}});
    CHECK(eventually([&] { return client->status().ended.bad_handshake > 0; }));
    CHECK(client->status().connected == 0);
    CHECK(eventually([&] { return port.status().ended.bad_handshake > 0; }));
  }
  SUBCASE("another replica's") {
    const auto client = client_with(
        {{NodeId(0), {anothers.fingerprint()}}, {NodeId(1), {mine.fingerprint()}}});
    CHECK(eventually([&] { return client->status().ended.stranger > 0; }));
    CHECK(client->status().connected == 0);
  }
  SUBCASE("a client without TLS") {
    RawClient plain = connect_to(port.port());
    plain.write(ToReplica::hello, ClientHello{client_protocol, cluster, ClientId(1)});
    CHECK(plain.is_closed());
    CHECK(eventually([&] { return port.status().ended.bad_handshake == 1; }));
  }
}

}  // namespace mirbft::client_test

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/write.hpp>

#include <openssl/ssl.h>
#include <openssl/sslerr.h>

#include <mirbft/modules/net/tls.hpp>

#include "../../support/mesh_peers.hpp"
#include "../../support/odd_tls.hpp"

namespace mirbft::tls_test {

using namespace mirbft::testing;
using namespace std::string_literals;

namespace {

using Socket = boost::asio::ip::tcp::socket;
using Nodes = Peers<TlsNet>;

OddTls::Manners as(std::uint64_t node) { return {.identity = identity(NodeId(node))}; }

/// Node 1 after it has turned an end of TLS away that dialed it, and talked first.
template <class Talk>
TcpStatus status_after(const OddTls::Manners& manners, Talk talk,
                       const TcpConfig& own = tcp_config(1)) {
  Nodes nodes = one<TlsNet>(own);
  OddTls odd(nodes[0]->net.port(), manners);
  talk(odd);
  run(nodes, [&] { return odd.closed(); });
  const TcpStatus status = nodes[0]->net.status();
  CHECK(status.connected == 0);
  return status;
}

bool tells(const TcpStatus& status, std::string_view reason) {
  return status.last_end.ends_with(reason);
}

/// Two nodes of which 0 dials 1, with these configurations; not connected yet.
Nodes pair(const TlsConfig& zero, const TlsConfig& one) {
  Nodes nodes;
  nodes.push_back(std::make_unique<Peer<TlsNet>>(zero));
  nodes.push_back(std::make_unique<Peer<TlsNet>>(one));
  nodes[0]->net.set_peer_address(NodeId(1), "127.0.0.1", nodes[1]->net.port());
  return nodes;
}

/// How often node `of` has ended a connection for this reason.
std::uint64_t ends(const Nodes& nodes, std::size_t of, const TcpEnd& reason) {
  return nodes[of]->net.status().ended.*reason.counter;
}

/// Waits until both nodes know why they do not come together.
void part(Nodes& nodes, const TcpEnd& zero, const TcpEnd& one) {
  run(nodes, [&] { return ends(nodes, 0, zero) > 0 && ends(nodes, 1, one) > 0; });
  CHECK(tells(nodes[0]->net.status(), zero.text));
  CHECK(tells(nodes[1]->net.status(), one.text));
  CHECK(nodes[0]->net.status().connected + nodes[1]->net.status().connected == 0);
}

/// TLS that renews its keys often, and counts it.
struct RestlessTls : MutualTls {
  using MutualTls::MutualTls;

  static constexpr std::uint64_t bytes_per_key = 100'000;
  static bool renew_key(Stream& stream) noexcept {
    const bool renewed = MutualTls::renew_key(stream);
    renewals += renewed ? 1 : 0;
    return renewed;
  }
  static inline std::uint64_t renewals = 0;
};

struct RestlessNet : MeshNet<RestlessTls> {
  explicit RestlessNet(const TlsConfig& config)
      : MeshNet(config.tcp, RestlessTls(config.identity, pins_of(config))) {}
};

}  // namespace

TEST_CASE("a connection is TLS 1.3 with both certificates, and nothing of it can be resumed") {
  Nodes nodes = one<TlsNet>(tcp_config(1));
  OddTls odd(nodes[0]->net.port(), as(0));
  odd.hello(0);
  run(nodes, [&] { return odd.heard() > 0 && nodes[0]->net.connected(NodeId(0)); });
  CHECK(SSL_version(odd.ssl()) == TLS1_3_VERSION);
  CHECK(fingerprint(*detail::Certificate(SSL_get1_peer_certificate(odd.ssl()))) ==
        identity(NodeId(1)).fingerprint());
  CHECK_FALSE(SSL_SESSION_is_resumable(SSL_get0_session(odd.ssl())));
  CHECK(SSL_SESSION_get_max_early_data(SSL_get0_session(odd.ssl())) == 0);
}

TEST_CASE("who speaks plaintext is refused, whether it dialed or was dialed") {
  const std::string a_hello{"\x15\0\0\0\xf0 and the rest", 18};
  for (const std::string& said : {"GET / HTTP/1.1\r\n\r\n"s, "CONNECT x\r\n"s, a_hello}) {
    Nodes nodes = one<TlsNet>(tcp_config(1));
    boost::asio::io_context io;
    Socket plain(io);
    plain.connect({boost::asio::ip::make_address("127.0.0.1"), nodes[0]->net.port()});
    boost::asio::write(plain, boost::asio::buffer(said));
    run(nodes, [&] { return ends(nodes, 0, TcpEnd::not_tls) == 1; });
    CHECK(tells(nodes[0]->net.status(), ": the other side does not speak TLS"));
  }
  Nodes nodes = one<TlsNet>(tcp_config(0));
  TcpNet plain(tcp_config(1));
  nodes[0]->net.set_peer_address(NodeId(1), "127.0.0.1", plain.port());
  run(nodes, [&] {
    plain.poll([](NodeId, const Bytes&) {}, 0ns, all);
    return ends(nodes, 0, TcpEnd::not_tls) > 0;
  });
  CHECK(plain.status().connected == 0);
}

TEST_CASE("TLS 1.2 is refused, whether it dialed or was dialed") {
  OddTls::Manners old = as(0);
  old.version = TLS1_2_VERSION;
  const TcpStatus status = status_after(old, [](OddTls& odd) { odd.hello(0); });
  CHECK(status.ended.old_tls == 1);
  CHECK(tells(status, ": the other side does not speak TLS 1.3"));

  old.identity = identity(NodeId(1));
  OddTls odd(old);
  Nodes nodes = one<TlsNet>(tcp_config(0));
  nodes[0]->net.set_peer_address(NodeId(1), "127.0.0.1", odd.port());
  run(nodes, [&] { return odd.closed(); });
  run(nodes, [&] { return ends(nodes, 0, TcpEnd::old_tls) == 1; });
}

TEST_CASE("who shows no certificate is refused, and told so") {
  Nodes nodes = one<TlsNet>(tcp_config(1));
  OddTls odd(nodes[0]->net.port(), {});
  odd.hello(0);
  run(nodes, [&] { return odd.closed(); });
  CHECK(odd.reason() == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED);
  CHECK(ends(nodes, 0, TcpEnd::no_certificate) == 1);
  CHECK(tells(nodes[0]->net.status(), ": the other side showed no certificate"));
}

TEST_CASE("a certificate that is pinned for nobody is refused, and both sides say so") {
  TlsConfig zero = with_identities(tcp_config(0));
  TlsConfig one = with_identities(tcp_config(1));
  SUBCASE("by the node that was dialed") {
    one.certificates[NodeId(0)] = {identity(NodeId(7)).fingerprint()};
    Nodes nodes = pair(zero, one);
    part(nodes, TcpEnd::turned_away, TcpEnd::wrong_certificate);
  }
  SUBCASE("by the node that dialed") {
    zero.certificates[NodeId(1)] = {identity(NodeId(7)).fingerprint()};
    Nodes nodes = pair(zero, one);
    part(nodes, TcpEnd::wrong_certificate, TcpEnd::turned_away);
  }
}

TEST_CASE("a node speaks for itself only: its certificate decides, not its Hello") {
  const TcpConfig own = tcp_config(2, 3);
  const TcpStatus status = status_after(as(1), [](OddTls& odd) { odd.hello(0); }, own);
  CHECK(status.ended.wrong_certificate == 1);
  CHECK(tells(status, ": the other side showed a certificate that is not pinned for it"));
  // A node's own certificate does not make another one that node.
  CHECK(status_after(as(2), [](OddTls& odd) { odd.hello(2); }, own).ended.stranger == 1);
  CHECK(status_after(as(2), [](OddTls& odd) { odd.hello(0); }, own).ended.wrong_certificate == 1);
}

TEST_CASE("a node that answers in another's place is refused, though its certificate is pinned") {
  Nodes nodes = one<TlsNet>(tcp_config(0, 3));
  OddTls two(as(2));
  two.hello(1);
  nodes[0]->net.set_peer_address(NodeId(1), "127.0.0.1", two.port());
  run(nodes, [&] { return two.closed(); });
  CHECK(ends(nodes, 0, TcpEnd::wrong_certificate) == 1);
}

TEST_CASE("a wrong Hello is refused, by name") {
  const auto after = [](const Hello& hello) {
    return status_after(as(0), [&](OddTls& odd) { odd.say(hello); });
  };
  const std::uint32_t version = Hello::current_version;
  TcpStatus status = after({version + 1, "test", NodeId(0)});
  CHECK(status.ended.wrong_version == 1);
  CHECK(tells(status, ": the other side speaks a different version of the protocol"));
  status = after({version, "other", NodeId(0)});
  CHECK(status.ended.wrong_cluster == 1);
  CHECK(tells(status, ": the other side belongs to a different cluster"));
  status = after({version, "test", NodeId(0), Digest{{1}}});
  CHECK(status.ended.wrong_configuration == 1);
  CHECK(tells(status, ": the other side has a different configuration of the cluster"));
}

TEST_CASE("nodes of two clusters or two configurations both say why they part") {
  const TlsConfig zero = with_identities(tcp_config(0));
  TlsConfig one = with_identities(tcp_config(1));
  SUBCASE("clusters") {
    one.tcp.cluster_id = "other";
    Nodes nodes = pair(zero, one);
    part(nodes, TcpEnd::wrong_cluster, TcpEnd::wrong_cluster);
  }
  SUBCASE("configurations") {
    one.tcp.configuration = Digest{{1}};
    Nodes nodes = pair(zero, one);
    part(nodes, TcpEnd::wrong_configuration, TcpEnd::wrong_configuration);
  }
}

TEST_CASE("a second connection of a node replaces the first, and is counted") {
  Nodes nodes = one<TlsNet>(tcp_config(1));
  OddTls first(nodes[0]->net.port(), as(0));
  first.hello(0);
  run(nodes, [&] { return !first.closed() && nodes[0]->net.connected(NodeId(0)); });
  OddTls second(nodes[0]->net.port(), as(0));
  second.hello(0);
  run(nodes, [&] { return !second.closed() && first.closed(); });
  CHECK(nodes[0]->net.status().ended.replaced == 1);
  CHECK(tells(nodes[0]->net.status(), ": a newer connection took its place"));
  CHECK(nodes[0]->net.status().connected == 1);
}

TEST_CASE("a second connection in a node's name, without its certificate, changes nothing") {
  Nodes nodes = one<TlsNet>(tcp_config(2, 3));
  OddTls first(nodes[0]->net.port(), as(0));
  first.hello(0);
  run(nodes, [&] { return !first.closed() && nodes[0]->net.connected(NodeId(0)); });
  OddTls second(nodes[0]->net.port(), as(1));
  second.hello(0);
  run(nodes, [&] { return second.closed() && !first.closed(); });
  CHECK(nodes[0]->net.status().ended.replaced == 0);
  CHECK(nodes[0]->net.connected(NodeId(0)));
}

TEST_CASE("a slow handshake ends in time, and so does one that no Hello follows") {
  TcpConfig hasty = tcp_config(1);
  hasty.hello_within = 50ms;
  // A record of TLS that is announced and does not come, and nothing at all.
  for (const std::string& begun : {std::string("\x16\x03\x01\x01\x00", 5), std::string()}) {
    Nodes nodes = one<TlsNet>(hasty);
    boost::asio::io_context io;
    Socket slow(io);
    slow.connect({boost::asio::ip::make_address("127.0.0.1"), nodes[0]->net.port()});
    boost::asio::write(slow, boost::asio::buffer(begun));
    run(nodes, [&] { return ends(nodes, 0, TcpEnd::slow_handshake) == 1; });
    CHECK(tells(nodes[0]->net.status(), ": the TLS handshake took too long"));
  }
  CHECK(status_after(as(0), [](OddTls&) {}, hasty).ended.no_hello == 1);
}

TEST_CASE("a frame beyond its limit, of no class, or a second Hello ends the connection") {
  const auto after_hello = [](auto talk) {
    return status_after(as(0), [&](OddTls& odd) {
      odd.hello(0);
      talk(odd);
    });
  };
  for (const FrameKind kind : {FrameKind::vote, FrameKind::batch, FrameKind::chunk,
                               FrameKind::request, FrameKind::hello, FrameKind::ping}) {
    const std::size_t length = frame_limit(kind).value() + 1;
    const TcpStatus status = after_hello([&](OddTls& odd) { odd.say(kind, length, Bytes()); });
    CHECK(status.ended.too_long == 1);
    CHECK(tells(status, ": a frame came that is longer than its class allows"));
  }
  CHECK(after_hello([](OddTls& odd) { odd.say(FrameKind{9}, Bytes()); }).ended.unknown_kind == 1);
  CHECK(after_hello([](OddTls& odd) { odd.hello(0); }).ended.bad_hello == 1);
}

TEST_CASE("bytes that the peer did not write end the connection") {
  Nodes nodes = one<TlsNet>(tcp_config(1));
  OddTls odd(nodes[0]->net.port(), as(0));
  odd.hello(0);
  run(nodes, [&] { return !odd.closed() && nodes[0]->net.connected(NodeId(0)); });
  const std::string forged = std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x');
  boost::asio::write(odd.socket(), boost::asio::buffer(forged));
  run(nodes, [&] { return odd.closed(); });
  CHECK(ends(nodes, 0, TcpEnd::bad_tls) == 1);
  CHECK(nodes[0]->count(0) == 0);
}

TEST_CASE("connections renew their keys as they wear out, in both directions at once") {
  Peers<RestlessNet> nodes;
  for (std::uint64_t id = 0; id < 2; ++id)
    nodes.push_back(std::make_unique<Peer<RestlessNet>>(with_identities(tcp_config(id))));
  introduce(nodes);
  const std::vector<Bytes> expected = numbers(200, 20'000);
  for (const Bytes& payload : expected) {
    nodes[0]->send(1, payload);
    nodes[1]->send(0, payload);
    for (const auto& node : nodes) {
      node->net.flush();
      node->poll();
    }
  }
  run(nodes, [&] { return nodes[0]->count(1) + nodes[1]->count(0) == 2 * expected.size(); });
  CHECK(nodes[0]->received[NodeId(1)] == expected);
  CHECK(nodes[1]->received[NodeId(0)] == expected);
  CHECK(RestlessTls::renewals >= 20);
}

TEST_CASE("a certificate is replaced while the nodes run, and two are valid in between") {
  const TlsIdentity next = TlsIdentity::generate("node 0, the next one");
  Nodes nodes = cluster<TlsNet>(2);
  Peer<TlsNet>& one = *nodes[1];
  one.net.add_peer_certificate(NodeId(0), next.fingerprint());
  one.poll();
  CHECK(one.net.connected(NodeId(0)));

  // Node 0 starts again with the new certificate, and again with the old one: both are taken.
  TlsConfig changed = with_identities(tcp_config(0));
  changed.tcp.peers[1].port = one.net.port();
  const auto restart = [&](const TlsIdentity& shown) {
    nodes[0].reset();
    changed.identity = shown;
    changed.certificates[NodeId(0)] = {shown.fingerprint()};
    nodes[0] = std::make_unique<Peer<TlsNet>>(changed);
    run(nodes, [&] { return connected(nodes); });
  };
  restart(next);
  restart(identity(NodeId(0)));

  one.net.set_peer_certificate(NodeId(0), next.fingerprint());
  CHECK_FALSE(one.net.connected(NodeId(0)));
  CHECK(one.net.status().ended.withdrawn == 1);
  CHECK(tells(one.net.status(), ": the certificate of the peer was withdrawn"));
  run(nodes, [&] { return ends(nodes, 0, TcpEnd::turned_away) > 0; });
  CHECK(ends(nodes, 1, TcpEnd::wrong_certificate) > 0);
  restart(next);
  nodes[0]->send(1, numbered(5));
  nodes[0]->net.flush();
  run(nodes, [&] { return one.count(0) == 1; });
  CHECK(ends(nodes, 1, TcpEnd::withdrawn) == 1);
}

TEST_CASE("a peer whose new certificate is pinned is dialed at once") {
  TlsConfig zero = with_identities(tcp_config(0));
  zero.certificates[NodeId(1)] = {identity(NodeId(7)).fingerprint()};
  zero.tcp.reconnect_first = zero.tcp.reconnect_longest = std::chrono::hours(1);
  Nodes nodes = pair(zero, with_identities(tcp_config(1)));
  part(nodes, TcpEnd::wrong_certificate, TcpEnd::turned_away);
  nodes[0]->net.set_peer_certificate(NodeId(1), identity(NodeId(1)).fingerprint());
  run(nodes, [&] { return connected(nodes); });
}

TEST_CASE("a change of certificates that cannot be is refused, and changes nothing") {
  Nodes nodes = cluster<TlsNet>(2);
  TlsNet& net = nodes[0]->net;
  const Digest own = identity(NodeId(0)).fingerprint();
  const std::string shown = hex(own);
  CHECK_THROWS_WITH_AS(net.set_peer_certificate(NodeId(7), Digest{{1}}),
                       "peers.id = 7: is no peer of this node", ConfigError);
  const std::string taken = "certificates of node 1 = " + shown +
                            ": is that of node 0; each node needs a certificate of its own";
  CHECK_THROWS_WITH_AS(net.set_peer_certificate(NodeId(1), own), taken.c_str(), ConfigError);
  CHECK_THROWS_WITH_AS(net.add_peer_certificate(NodeId(1), own), taken.c_str(), ConfigError);
  CHECK_THROWS_AS(net.add_peer_certificate(NodeId(1), Digest{}), ConfigError);
  nodes[0]->poll();
  CHECK(net.connected(NodeId(1)));
}

TEST_CASE("a wrong configuration is named") {
  const auto message = [](auto change) {
    TlsConfig wrong = with_identities(tcp_config(0));
    change(wrong);
    try {
      TlsNet net(wrong);
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const std::string zero = hex(identity(NodeId(0)).fingerprint());
  const std::string one = hex(identity(NodeId(1)).fingerprint());
  CHECK(message([](TlsConfig&) {}) == "");
  CHECK(message([](TlsConfig& fine) { fine.certificates.erase(NodeId(0)); }) == "");
  CHECK(message([](TlsConfig& wrong) { wrong.tcp.cluster_id = ""; }) ==
        "cluster_id = \"\": must have 1 to 256 bytes, the same on all nodes");
  CHECK(message([](TlsConfig& wrong) { wrong.certificates.erase(NodeId(1)); }) ==
        "certificates = 1: is missing; give the fingerprint of this peer's certificate");
  CHECK(message([](TlsConfig& wrong) { wrong.certificates[NodeId(1)] = {}; }) ==
        "certificates of node 1 = none: name at least one certificate");
  CHECK(message([](TlsConfig& wrong) { wrong.certificates[NodeId(2)] = {Digest{{1}}}; }) ==
        "certificates = 2: is no peer of this node; leave it out, or name it among the peers");
  CHECK(message([](TlsConfig& wrong) { wrong.certificates[NodeId(1)].insert(Digest{}); })
            .ends_with(": is no SHA-256 of a certificate"));
  CHECK(message([](TlsConfig& wrong) { wrong.identity = identity(NodeId(7)); })
            .ends_with(": is not what `certificates` says of this node; give it that identity"));
  CHECK(message([](TlsConfig& wrong) {
          wrong.certificates.erase(NodeId(0));
          wrong.identity = identity(NodeId(1));
        }) == "certificates of node 0 = " + one +
                  ": is that of node 1; each node needs a certificate of its own");
  CHECK(message([](TlsConfig& wrong) { wrong.certificates[NodeId(1)].insert(
                    identity(NodeId(0)).fingerprint()); }) ==
        "certificates of node 1 = " + zero +
            ": is that of node 0; each node needs a certificate of its own");
}

TEST_CASE("a peer that does not read costs no more than its queue, and nobody waits for it") {
  TcpConfig bounded = tcp_config(1);
  bounded.queue_bytes = 8U << 20;
  Nodes nodes = one<TlsNet>(bounded);
  OddTls odd(nodes[0]->net.port(), as(0));
  odd.hello(0);
  run(nodes, [&] { return !odd.closed() && nodes[0]->net.connected(NodeId(0)); });
  const Bytes chunk = numbered(0, frame_limit(FrameClass::chunk));
  for (int round = 0; round < 64; ++round) {
    nodes[0]->send(0, chunk, FrameClass::chunk);
    nodes[0]->send(0, numbered(1, 1'000), FrameClass::vote);
    nodes[0]->net.flush();
    nodes[0]->poll();
    REQUIRE(nodes[0]->net.status().queued_bytes <= bounded.queue_bytes);
  }
  const TcpStatus status = nodes[0]->net.status();
  CHECK(status.connected == 1);
  CHECK(status.dropped_chunks > 20);
  CHECK(status.dropped_votes == 0);
  CHECK(status.queued_bytes > bounded.queue_bytes / 2);
}

namespace {

/// What an end of TLS says first.
std::string client_hello() {
  boost::asio::ssl::context context(boost::asio::ssl::context::tls_client);
  const std::unique_ptr<SSL, void (*)(SSL*)> end(SSL_new(context.native_handle()), &SSL_free);
  BIO* const said = BIO_new(BIO_s_mem());
  SSL_set_bio(end.get(), BIO_new(BIO_s_mem()), said);
  SSL_connect(end.get());
  std::string text(4096, '\0');
  text.resize(static_cast<std::size_t>(BIO_read(said, text.data(), 4096)));
  return text;
}

/// Connects again and again, and has the node begin a handshake each time.
class HandshakeFlood {
 public:
  explicit HandshakeFlood(std::uint16_t port)
      : thread_([this, port](const std::stop_token& stop) {
          boost::asio::io_context io;
          const std::string hello = client_hello();
          while (!stop.stop_requested()) {
            boost::system::error_code ignored;
            Socket socket(io);
            socket.connect({boost::asio::ip::make_address("127.0.0.1"), port}, ignored);
            boost::asio::write(socket, boost::asio::buffer(hello), ignored);
            ++connections;
          }
        }) {}

  std::atomic<std::uint64_t> connections = 0;

 private:
  std::jthread thread_;
};

}  // namespace

TEST_CASE("who is absent, and why, is told on both sides") {
  TlsConfig stranger = with_identities(tcp_config(0));
  stranger.identity = TlsIdentity::generate("another");
  stranger.certificates.erase(NodeId(0));
  Nodes nodes = pair(stranger, with_identities(tcp_config(1)));
  const auto why = [&](std::size_t of) { return nodes[of]->net.status().absent.at(0).why; };
  CHECK(why(0) == "no connection was made yet");
  run(nodes, [&] { return ends(nodes, 0, TcpEnd::turned_away) > 0; });
  CHECK(nodes[0]->net.status().absent.at(0).node == NodeId(1));
  CHECK(why(0) == TcpEnd::turned_away.text);
  CHECK(nodes[1]->net.status().absent.at(0).node == NodeId(0));
  CHECK(nodes[1]->net.status().last_refused ==
        "127.0.0.1: " + std::string(TcpEnd::wrong_certificate.text));
}

TEST_SUITE("threads") {
  TEST_CASE("a flood of handshakes costs a bounded share, and peers' frames go on") {
    Nodes nodes = cluster<TlsNet>(2);
    const auto start = Clock::now();
    HandshakeFlood flood(nodes[1]->net.port());
    std::uint64_t frames = 0;
    while (flood.connections < 2'000 || frames < 200) {
      REQUIRE(Clock::now() - start < patience);
      nodes[0]->send(1, numbered(frames));
      nodes[0]->net.flush();
      const std::uint64_t expected = ++frames;
      run(nodes, [&] { return nodes[1]->count(0) == expected; });
    }
    const TcpEnds ended = nodes[1]->net.status().ended;
    const auto turns = static_cast<std::uint64_t>((Clock::now() - start) / 5ms);
    CHECK(ended.lost + ended.failed + ended.bad_tls <= 17 + turns);
    CHECK(nodes[1]->net.connected(NodeId(0)));
  }
}

}  // namespace mirbft::tls_test

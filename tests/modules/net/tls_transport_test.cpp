#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <openssl/ssl.h>
#include <openssl/sslerr.h>

#include <mirbft/modules/net/tls_transport.hpp>

#include "../../support/odd_tls.hpp"
#include "../../support/waiting.hpp"

namespace mirbft::tls_transport_test {

using namespace mirbft::testing;

namespace {

using Error = boost::system::error_code;
using tcp = boost::asio::ip::tcp;

const TlsIdentity& zero() {
  static const TlsIdentity made = TlsIdentity::generate("node 0");
  return made;
}
const TlsIdentity& one() {
  static const TlsIdentity made = TlsIdentity::generate("node 1");
  return made;
}

TlsPins both() {
  return TlsPins({{NodeId(0), {zero().fingerprint()}}, {NodeId(1), {one().fingerprint()}}});
}

/// The end of a connection that one transport made.
struct End {
  explicit End(Tls::Stream made) : stream(std::move(made)) {}

  /// In the words of `Tls::reason`; nothing if all went well, or goes on.
  std::string refusal() const {
    return error ? std::string(Tls::reason(error, TcpEnd::failed).text) : "";
  }

  Tls::Stream stream;
  Error error;
  bool done = false;
};

/// Two ends whose handshake has come to its end; a client learns what the server thinks of it
/// when it reads.
class Connection {
  boost::asio::io_context io_;  // outlives the ends

 public:
  template <class Client, class Server>
  Connection(Client& dialing, Side as, Server& accepting, Side at) {
    tcp::acceptor acceptor(io_, {boost::asio::ip::make_address("127.0.0.1"), 0});
    tcp::socket dialed(io_);
    dialed.connect(acceptor.local_endpoint());
    client.emplace(dialing.stream(std::move(dialed)));
    server.emplace(accepting.stream(acceptor.accept()));
    start(dialing, as, *client);
    start(accepting, at, *server);
    run();
  }
  template <class Client, class Server>
  Connection(Client& dialing, Server& accepting)
      : Connection(dialing, Side::dialed, accepting, Side::accepted) {}

  /// What arrives of a text that one end writes.
  static std::string pass(End& from, End& to, const std::string& text) {
    std::string heard(text.size(), ' ');
    boost::asio::write(from.stream, boost::asio::buffer(text));
    boost::asio::read(to.stream, boost::asio::buffer(heard));
    return heard;
  }

  std::optional<End> client;
  std::optional<End> server;

 private:
  template <class Transport>
  void start(Transport& transport, Side side, End& end) {
    transport.handshake(end.stream, side, [&end](Error error) {
      end.error = error;
      end.done = true;
      if (error) end.stream.lowest_layer().close();
    });
  }

  void run() {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!(client->done && server->done) && std::chrono::steady_clock::now() < deadline)
      io_.run_one_until(deadline);
    REQUIRE(client->done);
    REQUIRE(server->done);
  }
};

/// Why this client and this server do not come together, as each of them sees it.
template <class Client, class Server>
std::pair<std::string, std::string> refusals(Client client, Server server) {
  Connection made(client, server);
  return {made.client->refusal(), made.server->refusal()};
}

}  // namespace

TEST_CASE("a client that shows no certificate reaches a node that shows its pinned one") {
  TlsClient client(both());
  TlsServer server(one());
  Connection made(client, server);
  CHECK(made.client->refusal() == "");
  CHECK(made.server->refusal() == "");
  CHECK(client.speaker(made.client->stream) == NodeId(1));
  CHECK(client.may_speak(made.client->stream, NodeId(1)));
  CHECK_FALSE(client.may_speak(made.client->stream, NodeId(0)));
  CHECK(Tls::shown(made.client->stream) == one().fingerprint());
  CHECK(Tls::shown(made.server->stream) == std::nullopt);
  CHECK(SSL_version(made.client->stream.native_handle()) == TLS1_3_VERSION);
  CHECK_FALSE(SSL_SESSION_is_resumable(SSL_get0_session(made.client->stream.native_handle())));
  CHECK(Connection::pass(*made.client, *made.server, "request") == "request");
  CHECK(Connection::pass(*made.server, *made.client, "reply") == "reply");
}

TEST_CASE("a client refuses a node whose certificate is not pinned") {
  const TlsIdentity stranger = TlsIdentity::generate("node 0");
  const auto [client, server] = refusals(TlsClient(both()), TlsServer(stranger));
  CHECK(client == "the other side showed a certificate that is not pinned for it");
  CHECK(server == "the other side does not take the certificate of this node");
}

TEST_CASE("a client's pins count as they are when it connects") {
  TlsClient client(both());
  const TlsIdentity next = TlsIdentity::generate("node 0, the next one");
  TlsServer server(next);
  CHECK(Connection(client, server).client->refusal() != "");
  client.pins().add(NodeId(0), next.fingerprint());
  Connection made(client, server);
  CHECK(made.client->refusal() == "");
  CHECK(client.speaker(made.client->stream) == NodeId(0));
}

TEST_CASE("a client shows nothing, and so does not pass for a node") {
  MutualTls node(one(), both());
  TlsClient client(both());
  Connection made(client, node);
  CHECK(made.server->refusal() == "the other side showed no certificate");
}

TEST_CASE("nodes know each other by their certificates, whoever dialed") {
  MutualTls first(zero(), both());
  MutualTls second(one(), both());
  Connection made(first, second);
  CHECK(first.speaker(made.client->stream) == NodeId(1));
  CHECK(second.speaker(made.server->stream) == NodeId(0));
  second.pins().set(NodeId(0), Digest{{1}});
  CHECK(second.speaker(made.server->stream) == std::nullopt);
  CHECK_FALSE(second.may_speak(made.server->stream, NodeId(0)));
}

TEST_CASE("either side renews its key, and both still understand each other") {
  TlsClient client(both());
  TlsServer server(one());
  Connection made(client, server);
  for (int round = 0; round < 3; ++round) {
    CHECK(Tls::renew_key(made.client->stream));
    CHECK(Connection::pass(*made.client, *made.server, "request") == "request");
    CHECK(Connection::pass(*made.server, *made.client, "reply") == "reply");
    CHECK(Tls::renew_key(made.server->stream));
    CHECK(Connection::pass(*made.server, *made.client, "reply") == "reply");
    CHECK(Connection::pass(*made.client, *made.server, "request") == "request");
  }
}

TEST_CASE("a key that cannot be renewed now is no failure") {
  boost::asio::io_context io;
  TlsClient client(both());
  Tls::Stream unconnected = client.stream(tcp::socket(io));
  CHECK_FALSE(Tls::renew_key(unconnected));
}

TEST_CASE("a server cannot dial, which it would do without looking, nor a client accept") {
  TlsServer server(one());
  TlsClient client(both());
  Connection reversed(server, Side::dialed, client, Side::accepted);
  CHECK(reversed.client->refusal() != "");
  CHECK(reversed.server->refusal() != "");
}

TEST_CASE("clients and servers know TLS 1.3 only") {
  OddTls::Manners old{.identity = one(), .version = TLS1_2_VERSION};
  boost::asio::io_context io;
  TlsClient client(both());
  OddTls odd(old);
  tcp::socket dialed(io);
  dialed.connect({boost::asio::ip::make_address("127.0.0.1"), odd.port()});
  End end(client.stream(std::move(dialed)));
  client.handshake(end.stream, Side::dialed, [&](Error error) {
    end.error = error;
    end.done = true;
  });
  CHECK(eventually([&] {
    io.poll();
    return odd.closed() && end.done;
  }));
  CHECK(end.refusal() == "the other side does not speak TLS 1.3");
}

}  // namespace mirbft::tls_transport_test

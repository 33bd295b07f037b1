#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <mirbft/modules/net/tcp.hpp>
#include <mirbft/wire/codec.hpp>

#include "../../support/mesh_peers.hpp"

namespace mirbft::tcp_test {

using namespace mirbft::testing;

namespace {

/// A bare socket that says to a node what a test makes it say.
class Raw {
 public:
  explicit Raw(const TcpNet& net) : socket_(io_) {
    socket_.connect({boost::asio::ip::make_address("127.0.0.1"), net.port()});
    socket_.non_blocking(true);
  }

  void say(FrameKind kind, const Bytes& payload) { say(kind, payload.size(), payload); }
  void say(FrameKind kind, std::size_t length, const Bytes& payload) {
    const FrameHeader header = frame_header(kind, length);
    write(header);
    write(payload.view());
  }
  void hello(std::uint64_t node) {
    say(Hello{Hello::current_version, "test", NodeId(node), Digest{}});
  }
  void say(const Hello& hello) { say(FrameKind::hello, wire::encode(hello)); }

  /// Reads what has come; whether the other side has closed.
  bool closed() {
    std::array<std::uint8_t, 4096> buffer{};
    boost::system::error_code error;
    while (!error) {
      const std::size_t count = socket_.read_some(boost::asio::buffer(buffer), error);
      heard_.insert(heard_.end(), buffer.begin(), buffer.begin() + static_cast<long>(count));
    }
    return error != boost::asio::error::would_block;
  }
  std::size_t heard() {
    closed();
    return heard_.size();
  }

 private:
  void write(ByteView content) {
    if (content.empty()) return;
    REQUIRE(socket_.write_some(boost::asio::buffer(content.data(), content.size())) ==
            content.size());
  }

  boost::asio::io_context io_;
  boost::asio::ip::tcp::socket socket_;
  std::vector<std::uint8_t> heard_;
};

/// What becomes of a stranger's connection to node 1 of nodes 0 and 1 after `talk(raw)`.
template <class Talk>
TcpStatus status_after(Talk talk, const TcpConfig& own = tcp_config(1)) {
  Peers<TcpNet> nodes = one<TcpNet>(own);
  Raw raw(nodes[0]->net);
  talk(raw);
  run(nodes, [&] { return raw.closed(); });
  const TcpStatus status = nodes[0]->net.status();
  CHECK(status.connected == 0);
  return status;
}

}  // namespace

TEST_CASE("strangers are turned away") {
  CHECK(status_after([](Raw& raw) { raw.hello(7); }).ended.stranger == 1);
  // A peer with a higher id is to be dialed, not to dial; nor may anybody be the node itself.
  CHECK(status_after([](Raw& raw) { raw.hello(1); }, tcp_config(0)).ended.stranger == 1);
  CHECK(status_after([](Raw& raw) { raw.hello(1); }).ended.stranger == 1);
  const TcpStatus status =
      status_after([](Raw& raw) { raw.say({Hello::current_version, "other", NodeId(0)}); });
  CHECK(status.ended.wrong_cluster == 1);
  CHECK(status.last_end.find("the other side belongs to a different cluster") != std::string::npos);
  CHECK(status_after([](Raw& raw) { raw.say({2, "test", NodeId(0)}); }).ended.wrong_version == 1);
}

TEST_CASE("what breaks the rules of frames ends its connection") {
  CHECK(status_after([](Raw& raw) { raw.say(FrameKind::vote, Bytes("x")); }).ended.bad_hello == 1);
  CHECK(status_after([](Raw& raw) { raw.say(FrameKind::hello, Bytes("x")); }).ended.bad_hello == 1);
  const auto after_hello = [](auto talk) {
    return status_after([&](Raw& raw) {
      raw.hello(0);
      talk(raw);
    });
  };
  CHECK(after_hello([](Raw& raw) { raw.hello(0); }).ended.bad_hello == 1);
  CHECK(after_hello([](Raw& raw) { raw.say(FrameKind{9}, Bytes()); }).ended.unknown_kind == 1);
  for (const FrameKind kind : {FrameKind::vote, FrameKind::batch, FrameKind::chunk,
                               FrameKind::request, FrameKind::hello, FrameKind::ping}) {
    const std::size_t length = frame_limit(kind).value() + 1;
    CHECK(after_hello([&](Raw& raw) { raw.say(kind, length, Bytes()); }).ended.too_long == 1);
  }
  const std::size_t negative = 0xffffffff;
  CHECK(after_hello([&](Raw& raw) { raw.say(FrameKind::batch, negative, Bytes()); })
            .ended.too_long == 1);
}

TEST_CASE("good frames before a bad one are delivered") {
  Peers<TcpNet> nodes = one<TcpNet>(tcp_config(1));
  Raw raw(nodes[0]->net);
  raw.hello(0);
  raw.say(FrameKind::vote, Bytes("good"));
  raw.say(FrameKind::ping, Bytes());
  raw.say(FrameKind{200}, Bytes());
  raw.say(FrameKind::vote, Bytes("late"));
  run(nodes, [&] { return raw.closed(); });
  CHECK(nodes[0]->received[NodeId(0)] == std::vector{Bytes("good")});
}

TEST_CASE("a frame that a lost connection cut off is not delivered") {
  Peers<TcpNet> nodes = one<TcpNet>(tcp_config(1));
  {
    Raw raw(nodes[0]->net);
    raw.hello(0);
    raw.say(FrameKind::vote, Bytes("whole"));
    raw.say(FrameKind::vote, 100, Bytes("half"));
  }
  run(nodes, [&] { return nodes[0]->net.status().ended.lost == 1; });
  CHECK(nodes[0]->received[NodeId(0)] == std::vector{Bytes("whole")});
}

TEST_CASE("a connection without a Hello ends in time") {
  TcpConfig hasty = tcp_config(1);
  hasty.hello_within = 10ms;
  CHECK(status_after([](Raw&) {}, hasty).ended.no_hello == 1);
}

TEST_CASE("a new connection of a peer replaces its old one") {
  Peers<TcpNet> nodes = one<TcpNet>(tcp_config(1));
  Raw first(nodes[0]->net);
  first.hello(0);
  run(nodes, [&] { return nodes[0]->net.connected(NodeId(0)); });
  Raw second(nodes[0]->net);
  second.hello(0);
  run(nodes, [&] { return first.closed(); });
  second.say(FrameKind::vote, Bytes("second"));
  run(nodes, [&] { return nodes[0]->count(0) == 1; });
  CHECK(nodes[0]->net.status().ended.replaced == 1);
  CHECK(nodes[0]->net.status().connected == 1);
}

TEST_CASE("a peer that does not read costs no more than its queue, and votes go last") {
  TcpConfig bounded = tcp_config(1);
  bounded.queue_bytes = 8U << 20;
  Peers<TcpNet> nodes = one<TcpNet>(bounded);
  Raw raw(nodes[0]->net);
  raw.hello(0);
  run(nodes, [&] { return nodes[0]->net.connected(NodeId(0)); });
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

TEST_CASE("a silent peer is given up") {
  TcpConfig strict = tcp_config(1);
  strict.ping_after = 10ms;
  strict.dead_after = 40ms;
  Peers<TcpNet> nodes = one<TcpNet>(strict);
  Raw raw(nodes[0]->net);
  raw.hello(0);
  run(nodes, [&] { return nodes[0]->net.connected(NodeId(0)); });
  const std::size_t greeting = raw.heard();
  run(nodes, [&] { return raw.closed(); });
  CHECK(nodes[0]->net.status().ended.silent == 1);
  CHECK(raw.heard() >= greeting + 2 * FrameHeader{}.size());
}

TEST_CASE("a wrong configuration is named") {
  const auto message = [](auto change) {
    TcpConfig wrong = tcp_config(0);
    change(wrong);
    try {
      TcpNet net(wrong);
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(message([](TcpConfig&) {}) == "");
  CHECK(message([](TcpConfig& wrong) { wrong.cluster_id = ""; }) ==
        "cluster_id = \"\": must have 1 to 256 bytes, the same on all nodes");
  CHECK(message([](TcpConfig& wrong) { wrong.peers[0].id = NodeId(1); }) ==
        "peers.id = 1: stands twice; name each peer once");
  CHECK(message([](TcpConfig& wrong) { wrong.peers[1].host = ""; }) ==
        "peers.host = \"\": is empty; give an IP address or a name");
  CHECK(message([](TcpConfig& wrong) { wrong.queue_bytes = 100; }) ==
        "queue_bytes = 100: must hold two of the longest frames, 8388608");
  CHECK(message([](TcpConfig& wrong) { wrong.ping_after = 0ms; }) ==
        "ping_after = 0: must be above 0 milliseconds");
  CHECK(message([](TcpConfig& wrong) { wrong.reconnect_longest = 1ms; }) ==
        "reconnect_longest = 1: must be at least reconnect_first");
  CHECK(message([](TcpConfig& wrong) { wrong.dead_after = 3s; }) ==
        "dead_after = 3000: must be at least twice ping_after");
  CHECK(message([](TcpConfig& wrong) { wrong.listen_host = "256.1.1.1"; })
            .starts_with("listen_host = \"256.1.1.1\": must be an address of this machine"));
  CHECK(message([](TcpConfig& wrong) { wrong.listen_host = "192.0.2.1"; })
            .starts_with("listen_host = \"192.0.2.1\": must be an address of this machine"));

  const TcpNet net(tcp_config(0));
  const std::string port = std::to_string(net.port());
  CHECK(message([&](TcpConfig& wrong) { wrong.listen_port = net.port(); }) ==
        "listen_port = " + port + ": is in use; stop who has it or choose another port");
}

}  // namespace mirbft::tcp_test

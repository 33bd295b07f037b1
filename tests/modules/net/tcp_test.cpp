#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <mirbft/modules/net/tcp.hpp>
#include <mirbft/wire/codec.hpp>

using namespace mirbft;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

constexpr auto patience = 20s;  // only a failing test waits so long
constexpr auto forever = std::chrono::nanoseconds::max();
constexpr std::size_t all = 1'000'000;

TcpConfig config(std::uint64_t self, std::uint64_t members = 2) {
  TcpConfig made;
  made.self = NodeId(self);
  made.cluster_id = "test";
  made.reconnect_first = 2ms;
  made.reconnect_longest = 50ms;
  for (std::uint64_t id = 0; id < members; ++id) made.peers.push_back({NodeId(id), "127.0.0.1"});
  return made;
}

/// A net with what it has received.
struct Peer {
  explicit Peer(const TcpConfig& made) : net(made) {}

  void poll(std::chrono::nanoseconds at_most = 0ns, std::size_t max_frames = all) {
    net.poll([this](NodeId from, Bytes payload) { received[from].push_back(std::move(payload)); },
             at_most, max_frames);
  }
  void send(std::uint64_t to, const Bytes& payload, FrameClass kind = FrameClass::batch) {
    net.send(NodeId(to), kind, payload);
  }
  std::size_t count(std::uint64_t from) { return received[NodeId(from)].size(); }

  TcpNet net;
  std::map<NodeId, std::vector<Bytes>> received;
};

using Peers = std::vector<std::unique_ptr<Peer>>;

/// Polls the nodes in turn until the condition holds.
template <class Condition>
void run(Peers& nodes, Condition holds) {
  const auto deadline = Clock::now() + patience;
  while (!holds()) {
    if (Clock::now() > deadline) FAIL("what was waited for did not happen");
    for (const auto& node : nodes) node->poll();
  }
}

bool connected(Peers& nodes) {
  for (const auto& node : nodes)
    if (node->net.status().connected != nodes.size() - 1) return false;
  return true;
}

/// Tells the nodes each other's ports and waits until all are connected.
void introduce(Peers& nodes) {
  for (std::size_t of = 0; of < nodes.size(); ++of)
    for (std::size_t to = 0; to < nodes.size(); ++to)
      if (to != of) nodes[to]->net.set_peer_address(NodeId(of), "127.0.0.1", nodes[of]->net.port());
  run(nodes, [&] { return connected(nodes); });
}

Peers cluster(std::uint64_t members, const TcpConfig& common = config(0)) {
  Peers nodes;
  for (std::uint64_t id = 0; id < members; ++id) {
    TcpConfig own = common;
    own.self = NodeId(id);
    own.peers = config(id, members).peers;
    nodes.push_back(std::make_unique<Peer>(own));
  }
  introduce(nodes);
  return nodes;
}

Peers one(const TcpConfig& own) {
  Peers nodes;
  nodes.push_back(std::make_unique<Peer>(own));
  return nodes;
}

Bytes numbered(std::uint64_t number, std::size_t size = 8) {
  return Bytes::filled(size, [&](std::uint8_t* out) {
    for (std::size_t at = 0; at < size; ++at)
      out[at] = static_cast<std::uint8_t>(at < 8 ? number >> (8 * at) : number + at / 7);
  });
}

std::vector<Bytes> numbers(std::uint64_t count, std::size_t size = 8) {
  std::vector<Bytes> made;
  for (std::uint64_t number = 0; number < count; ++number) made.push_back(numbered(number, size));
  return made;
}

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
TcpStatus status_after(Talk talk, const TcpConfig& own = config(1)) {
  Peers nodes = one(own);
  Raw raw(nodes[0]->net);
  talk(raw);
  run(nodes, [&] { return raw.closed(); });
  const TcpStatus status = nodes[0]->net.status();
  CHECK(status.connected == 0);
  return status;
}

}  // namespace

TEST_CASE("frames flow in both directions, in order, and to oneself") {
  Peers nodes = cluster(2);
  for (const Bytes& payload : numbers(1'000)) {
    nodes[0]->send(1, payload);
    nodes[1]->send(0, payload, FrameClass::vote);
    nodes[1]->send(1, payload, FrameClass::request);
  }
  for (const auto& node : nodes) node->net.flush();
  run(nodes, [&] {
    return nodes[0]->count(1) + nodes[1]->count(0) + nodes[1]->count(1) == 3'000;
  });
  CHECK(nodes[0]->received[NodeId(1)] == numbers(1'000));
  CHECK(nodes[1]->received[NodeId(0)] == numbers(1'000));
  CHECK(nodes[1]->received[NodeId(1)] == numbers(1'000));
  const TcpStatus status = nodes[0]->net.status();
  CHECK(status.frames_sent == 1'000);
  CHECK(status.bytes_sent == 8'000);
  CHECK(status.frames_received == 1'000);
  CHECK(status.bytes_received == 8'000);
  CHECK(status.queued_bytes == 0);
}

TEST_CASE("four nodes exchange frames of all sizes and classes, each pair in order") {
  constexpr std::size_t sizes[] = {0, 1, 4'096, 4'097, 65'536};
  constexpr FrameClass kinds[] = {FrameClass::vote, FrameClass::batch, FrameClass::chunk,
                                  FrameClass::request};
  Peers nodes = cluster(4);
  std::vector<Bytes> expected;
  for (std::uint64_t number = 0; number < 100; ++number)
    expected.push_back(numbered(number, sizes[number % std::size(sizes)]));
  for (const auto& node : nodes) {
    for (std::size_t number = 0; number < expected.size(); ++number)
      for (std::uint64_t to = 0; to < nodes.size(); ++to)
        node->send(to, expected[number], kinds[number % std::size(kinds)]);
    node->net.flush();
  }
  run(nodes, [&] {
    for (const auto& node : nodes)
      for (std::uint64_t from = 0; from < nodes.size(); ++from)
        if (node->count(from) < expected.size()) return false;
    return true;
  });
  for (const auto& node : nodes)
    for (std::uint64_t from = 0; from < nodes.size(); ++from)
      CHECK(node->received[NodeId(from)] == expected);
}

TEST_CASE("the longest frames arrive whole") {
  Peers nodes = cluster(2);
  const std::vector<Bytes> expected = numbers(3, frame_limit(FrameClass::batch));
  for (const Bytes& payload : expected) nodes[0]->send(1, payload);
  nodes[0]->net.flush();
  run(nodes, [&] { return nodes[1]->count(0) == expected.size(); });
  CHECK(nodes[1]->received[NodeId(0)] == expected);
}

TEST_CASE("poll gives at most what was asked for, and waits only while there is nothing") {
  Peers nodes = cluster(2);
  for (const Bytes& payload : numbers(10)) nodes[0]->send(1, payload);
  nodes[0]->net.flush();
  nodes[0]->poll();
  Peer& receiver = *nodes[1];
  receiver.poll(forever, 3);
  CHECK(receiver.count(0) == 3);
  const auto start = Clock::now();
  receiver.poll(5ms, 0);
  CHECK(Clock::now() - start >= 5ms);
  CHECK(receiver.count(0) == 3);
  receiver.poll(forever, 7);
  CHECK(receiver.count(0) == 10);
  receiver.poll(5ms);
  CHECK(Clock::now() - start >= 10ms);
  CHECK(receiver.received[NodeId(0)] == numbers(10));
}

TEST_CASE("flush alone goes on with what TCP did not take at once") {
  Peers nodes = cluster(2);
  constexpr std::size_t frames = 8;
  const Bytes chunk = numbered(1, frame_limit(FrameClass::chunk));
  for (std::size_t sent = 0; sent < frames; ++sent) nodes[0]->send(1, chunk, FrameClass::chunk);
  const auto deadline = Clock::now() + patience;
  while (nodes[1]->count(0) < frames && Clock::now() < deadline) {
    nodes[0]->net.flush();
    nodes[1]->poll();
  }
  CHECK(nodes[1]->count(0) == frames);
}

TEST_CASE("what waits for a peer is sent when it comes, and again after either has restarted") {
  Peers nodes = cluster(2);
  const std::uint16_t port = nodes[1]->net.port();
  for (const std::uint64_t restarted : {1U, 0U}) {
    const std::uint64_t other = 1 - restarted;
    TcpConfig again = config(restarted);
    again.listen_port = nodes[restarted]->net.port();
    again.peers[1].port = port;
    nodes[restarted].reset();
    Peers alone;
    alone.push_back(std::move(nodes[other]));
    run(alone, [&] { return alone[0]->net.status().connected == 0; });
    nodes[other] = std::move(alone[0]);
    nodes[other]->received.clear();
    nodes[other]->send(restarted, numbered(restarted));

    nodes[restarted] = std::make_unique<Peer>(again);
    run(nodes, [&] { return nodes[restarted]->count(other) == 1; });
    nodes[restarted]->send(other, numbered(9));
    nodes[restarted]->net.flush();
    run(nodes, [&] { return nodes[other]->count(restarted) == 1; });
    CHECK(nodes[restarted]->received[NodeId(other)] == std::vector{numbered(restarted)});
    CHECK(nodes[other]->received[NodeId(restarted)] == std::vector{numbered(9)});
  }
}

TEST_CASE("a peer may be named by a name, and may move") {
  Peers nodes;
  for (std::uint64_t id = 0; id < 2; ++id) nodes.push_back(std::make_unique<Peer>(config(id)));
  nodes[0]->net.set_peer_address(NodeId(1), "127.0.0.1", 1);
  run(nodes, [&] { return nodes[0]->net.status().ended.failed > 2; });
  nodes[0]->net.set_peer_address(NodeId(1), "localhost", nodes[1]->net.port());
  run(nodes, [&] { return connected(nodes); });
  CHECK_THROWS_WITH_AS(nodes[0]->net.set_peer_address(NodeId(2), "localhost", 1),
                       "peers.id = 2: is no peer of this node", ConfigError);
}

TEST_CASE("attempts to connect go on, after longer and longer pauses") {
  TcpConfig patient = config(0);
  patient.reconnect_first = 4ms;
  patient.reconnect_longest = 32ms;
  patient.peers[1].port = 1;
  Peers nodes = one(patient);
  const auto end = Clock::now() + 250ms;
  run(nodes, [&] { return Clock::now() >= end && nodes[0]->net.status().ended.failed > 4; });
  CHECK(nodes[0]->net.status().ended.failed < 100);
  CHECK(nodes[0]->net.status().last_end.starts_with("node 1 at 127.0.0.1:1: no connection"));
}

TEST_CASE("what no receiver would take is refused and counted") {
  TcpConfig hasty = config(0);
  hasty.close_within = 10ms;
  Peers nodes = cluster(2, hasty);
  nodes[0]->send(7, numbered(0));
  nodes[0]->send(1, Bytes(std::string(frame_limit(FrameClass::vote) + 1, 'x')), FrameClass::vote);
  CHECK(nodes[0]->net.status().refused == 2);
  nodes[0]->net.close();
  nodes[0]->send(1, numbered(0));
  CHECK(nodes[0]->net.status().refused == 3);
  nodes[0]->poll(forever);
}

TEST_CASE("strangers are turned away") {
  CHECK(status_after([](Raw& raw) { raw.hello(7); }).ended.stranger == 1);
  // A peer with a higher id is to be dialed, not to dial; nor may anybody be the node itself.
  CHECK(status_after([](Raw& raw) { raw.hello(1); }, config(0)).ended.stranger == 1);
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
  Peers nodes = one(config(1));
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
  Peers nodes = one(config(1));
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
  TcpConfig hasty = config(1);
  hasty.hello_within = 10ms;
  CHECK(status_after([](Raw&) {}, hasty).ended.no_hello == 1);
}

TEST_CASE("nodes of two clusters both say why they part") {
  TcpConfig other = config(1);
  other.cluster_id = "other";
  Peers nodes;
  nodes.push_back(std::make_unique<Peer>(config(0)));
  nodes.push_back(std::make_unique<Peer>(other));
  nodes[0]->net.set_peer_address(NodeId(1), "127.0.0.1", nodes[1]->net.port());
  run(nodes, [&] {
    return nodes[0]->net.status().ended.wrong_cluster > 0 &&
           nodes[1]->net.status().ended.wrong_cluster > 0;
  });
}

TEST_CASE("nodes of two configurations both say why they part") {
  TcpConfig other = config(1);
  other.configuration = Digest{{1}};
  Peers nodes;
  nodes.push_back(std::make_unique<Peer>(config(0)));
  nodes.push_back(std::make_unique<Peer>(other));
  nodes[0]->net.set_peer_address(NodeId(1), "127.0.0.1", nodes[1]->net.port());
  run(nodes, [&] {
    return nodes[0]->net.status().ended.wrong_configuration > 0 &&
           nodes[1]->net.status().ended.wrong_configuration > 0;
  });
}

TEST_CASE("who answers must be who was dialed") {
  Peers nodes;
  nodes.push_back(std::make_unique<Peer>(config(0, 3)));
  nodes.push_back(std::make_unique<Peer>(config(2, 3)));
  nodes[0]->net.set_peer_address(NodeId(1), "127.0.0.1", nodes[1]->net.port());
  run(nodes, [&] { return nodes[0]->net.status().ended.stranger > 0; });
  CHECK_FALSE(nodes[0]->net.connected(NodeId(1)));
}

TEST_CASE("a new connection of a peer replaces its old one") {
  Peers nodes = one(config(1));
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
  TcpConfig bounded = config(1);
  bounded.queue_bytes = 8U << 20;
  Peers nodes = one(bounded);
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
  TcpConfig strict = config(1);
  strict.ping_after = 10ms;
  strict.dead_after = 40ms;
  Peers nodes = one(strict);
  Raw raw(nodes[0]->net);
  raw.hello(0);
  run(nodes, [&] { return nodes[0]->net.connected(NodeId(0)); });
  const std::size_t greeting = raw.heard();
  run(nodes, [&] { return raw.closed(); });
  CHECK(nodes[0]->net.status().ended.silent == 1);
  CHECK(raw.heard() >= greeting + 2 * FrameHeader{}.size());
}

TEST_CASE("peers with nothing to say keep their connection, and so does one that is held back") {
  TcpConfig strict = config(0);
  strict.ping_after = 50ms;
  strict.dead_after = 400ms;
  Peers nodes = cluster(2, strict);
  nodes[0]->send(1, numbered(5));
  nodes[0]->net.flush();
  const auto end = Clock::now() + 1s;
  while (Clock::now() < end) {
    nodes[0]->poll(1ms);
    nodes[1]->poll(0ns, 0);
  }
  CHECK(nodes[1]->count(0) == 0);
  run(nodes, [&] { return nodes[1]->count(0) == 1; });
  for (const auto& node : nodes) CHECK(node->net.status().last_end == "");
}

TEST_CASE("a wrong configuration is named") {
  const auto message = [](auto change) {
    TcpConfig wrong = config(0);
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

  const TcpNet net(config(0));
  const std::string port = std::to_string(net.port());
  CHECK(message([&](TcpConfig& wrong) { wrong.listen_port = net.port(); }) ==
        "listen_port = " + port + ": is in use; stop who has it or choose another port");
}

TEST_SUITE("threads") {
  TEST_CASE("wake ends the poll that waits, or else the next one") {
    TcpNet net(config(0));
    const auto sink = [](NodeId, const Bytes&) {};
    net.wake();
    net.wake();
    net.poll(sink, forever, all);
    net.wake();
    net.poll(sink, forever, 0);
    std::thread waker([&] { net.wake(); });
    net.poll(sink, forever, all);
    waker.join();
  }

  TEST_CASE("close sends what is queued") {
    TcpConfig patient = config(0);
    patient.close_within = patience;
    Peers nodes = cluster(2, patient);
    const std::vector<Bytes> expected = numbers(20, frame_limit(FrameClass::chunk));
    for (const Bytes& payload : expected) nodes[0]->send(1, payload);
    std::atomic<bool> closed = false;
    std::thread closer([&] {
      nodes[0]->net.close();
      closed = true;
    });
    const auto deadline = Clock::now() + patience;
    while ((nodes[1]->count(0) < expected.size() || !closed) && Clock::now() < deadline)
      nodes[1]->poll(1ms);
    CHECK(Clock::now() < deadline);
    closer.join();
    CHECK(nodes[1]->received[NodeId(0)] == expected);
    CHECK(nodes[0]->net.status().queued_bytes == 0);
    CHECK(nodes[0]->net.status().cut_off == 0);
  }

  TEST_CASE("nodes on threads of their own exchange frames") {
    constexpr std::size_t frames = 2'000;
    Peers nodes = cluster(3);
    std::atomic<std::size_t> done = 0;
    const auto work = [&](std::size_t self) {
      Peer& node = *nodes[self];
      for (std::uint64_t number = 0; number < frames; ++number) {
        for (std::uint64_t to = 0; to < nodes.size(); ++to) node.send(to, numbered(number));
        if (number % 10 == 9) {
          node.net.flush();
          node.poll(0ns, 50);
        }
      }
      const auto deadline = Clock::now() + patience;
      const auto received_all = [&] {
        return node.count(0) == frames && node.count(1) == frames && node.count(2) == frames;
      };
      while (!received_all() && Clock::now() < deadline) node.poll(10ms);
      if (++done == nodes.size())
        for (const auto& other : nodes) other->net.wake();
      while (done < nodes.size() && Clock::now() < deadline) node.poll(patience);
    };
    std::vector<std::thread> threads;
    for (std::size_t self = 0; self < nodes.size(); ++self) threads.emplace_back(work, self);
    for (std::thread& thread : threads) thread.join();
    for (const auto& node : nodes)
      for (std::uint64_t from = 0; from < nodes.size(); ++from)
        CHECK(node->received[NodeId(from)] == numbers(frames));
  }
}

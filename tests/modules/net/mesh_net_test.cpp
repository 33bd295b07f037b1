#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <mirbft/modules/net/mesh_net.hpp>

#include "../../support/mesh_peers.hpp"

namespace mirbft::mesh_net_test {

using namespace mirbft::testing;

TEST_CASE_TEMPLATE("frames flow in both directions, in order, and to oneself",
                   Net, TcpNet, TlsNet) {
  Peers<Net> nodes = cluster<Net>(2);
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

TEST_CASE_TEMPLATE("four nodes exchange frames of all sizes and classes, each pair in order",
                   Net, TcpNet, TlsNet) {
  constexpr std::size_t sizes[] = {0, 1, 4'096, 4'097, 65'536};
  constexpr FrameClass kinds[] = {FrameClass::vote, FrameClass::batch, FrameClass::chunk,
                                  FrameClass::request};
  Peers<Net> nodes = cluster<Net>(4);
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

TEST_CASE_TEMPLATE("the longest frames arrive whole", Net, TcpNet, TlsNet) {
  Peers<Net> nodes = cluster<Net>(2);
  const std::vector<Bytes> expected = numbers(3, frame_limit(FrameClass::batch));
  for (const Bytes& payload : expected) nodes[0]->send(1, payload);
  nodes[0]->net.flush();
  run(nodes, [&] { return nodes[1]->count(0) == expected.size(); });
  CHECK(nodes[1]->received[NodeId(0)] == expected);
}

TEST_CASE_TEMPLATE("poll gives at most what was asked for, and waits only while there is nothing",
                   Net, TcpNet, TlsNet) {
  Peers<Net> nodes = cluster<Net>(2);
  for (const Bytes& payload : numbers(10)) nodes[0]->send(1, payload);
  nodes[0]->net.flush();
  nodes[0]->poll();
  Peer<Net>& receiver = *nodes[1];
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

TEST_CASE_TEMPLATE("flush alone goes on with what TCP did not take at once", Net, TcpNet, TlsNet) {
  Peers<Net> nodes = cluster<Net>(2);
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

TEST_CASE_TEMPLATE("what waits for a peer is sent when it comes, also after either has restarted",
                   Net, TcpNet, TlsNet) {
  Peers<Net> nodes = cluster<Net>(2);
  const std::uint16_t port = nodes[1]->net.port();
  for (const std::uint64_t restarted : {1U, 0U}) {
    const std::uint64_t other = 1 - restarted;
    TcpConfig again = tcp_config(restarted);
    again.listen_port = nodes[restarted]->net.port();
    again.peers[1].port = port;
    nodes[restarted].reset();
    Peers<Net> alone;
    alone.push_back(std::move(nodes[other]));
    run(alone, [&] { return alone[0]->net.status().connected == 0; });
    nodes[other] = std::move(alone[0]);
    nodes[other]->received.clear();
    nodes[other]->send(restarted, numbered(restarted));

    nodes[restarted] = std::make_unique<Peer<Net>>(again);
    run(nodes, [&] { return nodes[restarted]->count(other) == 1; });
    nodes[restarted]->send(other, numbered(9));
    nodes[restarted]->net.flush();
    run(nodes, [&] { return nodes[other]->count(restarted) == 1; });
    CHECK(nodes[restarted]->received[NodeId(other)] == std::vector{numbered(restarted)});
    CHECK(nodes[other]->received[NodeId(restarted)] == std::vector{numbered(9)});
  }
}

TEST_CASE_TEMPLATE("a peer may be named by a name, and may move", Net, TcpNet, TlsNet) {
  Peers<Net> nodes;
  for (std::uint64_t id = 0; id < 2; ++id)
    nodes.push_back(std::make_unique<Peer<Net>>(tcp_config(id)));
  nodes[0]->net.set_peer_address(NodeId(1), "127.0.0.1", 1);
  run(nodes, [&] { return nodes[0]->net.status().ended.failed > 2; });
  nodes[0]->net.set_peer_address(NodeId(1), "localhost", nodes[1]->net.port());
  run(nodes, [&] { return connected(nodes); });
  CHECK_THROWS_WITH_AS(nodes[0]->net.set_peer_address(NodeId(2), "localhost", 1),
                       "peers.id = 2: is no peer of this node", ConfigError);
}

TEST_CASE_TEMPLATE("attempts to connect go on, after longer and longer pauses",
                   Net, TcpNet, TlsNet) {
  TcpConfig patient = tcp_config(0);
  patient.reconnect_first = 4ms;
  patient.reconnect_longest = 32ms;
  patient.peers[1].port = 1;
  Peers<Net> nodes = one<Net>(patient);
  const auto end = Clock::now() + 250ms;
  run(nodes, [&] { return Clock::now() >= end && nodes[0]->net.status().ended.failed > 4; });
  CHECK(nodes[0]->net.status().ended.failed < 100);
  CHECK(nodes[0]->net.status().last_end.starts_with("node 1 at 127.0.0.1:1: no connection"));
}

TEST_CASE_TEMPLATE("however many connections say nothing, a peer still comes in",
                   Net, TcpNet, TlsNet) {
  TcpConfig patient = tcp_config(1);
  patient.hello_within = std::chrono::hours(1);
  Peers<Net> nodes;
  nodes.push_back(std::make_unique<Peer<Net>>(tcp_config(0)));
  nodes.push_back(std::make_unique<Peer<Net>>(patient));
  boost::asio::io_context io;
  std::vector<boost::asio::ip::tcp::socket> silent;
  for (int count = 0; count < 200; ++count) {
    silent.emplace_back(io).connect(
        {boost::asio::ip::make_address("127.0.0.1"), nodes[1]->net.port()});
    nodes[1]->poll();
  }
  introduce(nodes);
  const TcpStatus status = nodes[1]->net.status();
  CHECK(status.ended.crowded_out >= 200 - 64);
  CHECK(status.last_end.ends_with(": too many others came before it said who it is"));
  // Who has said it, stays.
  for (int count = 0; count < 200; ++count) {
    silent.emplace_back(io).connect(
        {boost::asio::ip::make_address("127.0.0.1"), nodes[1]->net.port()});
    nodes[1]->poll();
  }
  CHECK(nodes[1]->net.connected(NodeId(0)));
}

TEST_CASE_TEMPLATE("one poll has to do with few of those who connect, however many they are",
                   Net, TcpNet, TlsNet) {
  Peers<Net> nodes = cluster<Net>(2);
  boost::asio::io_context io;
  std::vector<boost::asio::ip::tcp::socket> silent;
  for (int count = 0; count < 300; ++count)
    silent.emplace_back(io).connect(
        {boost::asio::ip::make_address("127.0.0.1"), nodes[1]->net.port()});
  nodes[1]->poll();
  CHECK(nodes[1]->net.status().ended.crowded_out < 100);
}

TEST_CASE_TEMPLATE("what no receiver would take is refused and counted", Net, TcpNet, TlsNet) {
  TcpConfig hasty = tcp_config(0);
  hasty.close_within = 10ms;
  Peers<Net> nodes = cluster<Net>(2, hasty);
  nodes[0]->send(7, numbered(0));
  nodes[0]->send(1, Bytes(std::string(frame_limit(FrameClass::vote) + 1, 'x')), FrameClass::vote);
  CHECK(nodes[0]->net.status().refused == 2);
  nodes[0]->net.close();
  nodes[0]->send(1, numbered(0));
  CHECK(nodes[0]->net.status().refused == 3);
  nodes[0]->poll(forever);
}

TEST_CASE_TEMPLATE("nodes of two clusters both say why they part", Net, TcpNet, TlsNet) {
  TcpConfig other = tcp_config(1);
  other.cluster_id = "other";
  Peers<Net> nodes;
  nodes.push_back(std::make_unique<Peer<Net>>(tcp_config(0)));
  nodes.push_back(std::make_unique<Peer<Net>>(other));
  nodes[0]->net.set_peer_address(NodeId(1), "127.0.0.1", nodes[1]->net.port());
  run(nodes, [&] {
    return nodes[0]->net.status().ended.wrong_cluster > 0 &&
           nodes[1]->net.status().ended.wrong_cluster > 0;
  });
  for (const auto& node : nodes)
    CHECK(node->net.status().absent.at(0).why == "the other side belongs to a different cluster");
}

TEST_CASE_TEMPLATE("who is there is not absent, and who was lost is", Net, TcpNet, TlsNet) {
  Peers<Net> nodes = cluster<Net>(2);
  CHECK(nodes[1]->net.status().absent.empty());
  nodes[0]->net.close();
  Peers<Net> left;
  left.push_back(std::move(nodes[1]));
  run(left, [&] { return !left[0]->net.status().absent.empty(); });
  CHECK(left[0]->net.status().absent[0].why == "the connection was lost");
}

TEST_CASE_TEMPLATE("a name that does not exist is told", Net, TcpNet, TlsNet) {
  Peers<Net> nodes = one<Net>(tcp_config(0));
  nodes[0]->net.set_peer_address(NodeId(1), "no name", 1);
  run(nodes, [&] { return nodes[0]->net.status().absent.at(0).why == "its name is not found"; });
}

TEST_CASE_TEMPLATE("nodes of two configurations both say why they part", Net, TcpNet, TlsNet) {
  TcpConfig other = tcp_config(1);
  other.configuration = Digest{{1}};
  Peers<Net> nodes;
  nodes.push_back(std::make_unique<Peer<Net>>(tcp_config(0)));
  nodes.push_back(std::make_unique<Peer<Net>>(other));
  nodes[0]->net.set_peer_address(NodeId(1), "127.0.0.1", nodes[1]->net.port());
  run(nodes, [&] {
    return nodes[0]->net.status().ended.wrong_configuration > 0 &&
           nodes[1]->net.status().ended.wrong_configuration > 0;
  });
}

TEST_CASE_TEMPLATE("who answers must be who was dialed", Net, TcpNet, TlsNet) {
  Peers<Net> nodes;
  nodes.push_back(std::make_unique<Peer<Net>>(tcp_config(0, 3)));
  nodes.push_back(std::make_unique<Peer<Net>>(tcp_config(2, 3)));
  nodes[0]->net.set_peer_address(NodeId(1), "127.0.0.1", nodes[1]->net.port());
  run(nodes, [&] { return nodes[0]->net.status().ended.stranger > 0; });
  CHECK_FALSE(nodes[0]->net.connected(NodeId(1)));
}

TEST_CASE_TEMPLATE("peers with nothing to say keep their connection; so does one that is held back",
                   Net, TcpNet, TlsNet) {
  TcpConfig strict = tcp_config(0);
  strict.ping_after = 50ms;
  strict.dead_after = 400ms;
  Peers<Net> nodes = cluster<Net>(2, strict);
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

TEST_SUITE("threads") {
  TEST_CASE_TEMPLATE("wake ends the poll that waits, or else the next one", Net, TcpNet, TlsNet) {
    Net net = make_net<Net>(tcp_config(0));
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

  TEST_CASE_TEMPLATE("close sends what is queued", Net, TcpNet, TlsNet) {
    TcpConfig patient = tcp_config(0);
    patient.close_within = patience;
    Peers<Net> nodes = cluster<Net>(2, patient);
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

  TEST_CASE_TEMPLATE("nodes on threads of their own exchange frames", Net, TcpNet, TlsNet) {
    constexpr std::size_t frames = 2'000;
    Peers<Net> nodes = cluster<Net>(3);
    std::atomic<std::size_t> done = 0;
    const auto work = [&](std::size_t self) {
      Peer<Net>& node = *nodes[self];
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

}  // namespace mirbft::mesh_net_test

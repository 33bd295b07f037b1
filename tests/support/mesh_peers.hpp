// Nets of several nodes for tests, polled in turn, and what they receive.
#ifndef MIRBFT_TESTS_SUPPORT_MESH_PEERS_HPP
#define MIRBFT_TESTS_SUPPORT_MESH_PEERS_HPP

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <mirbft/modules/net/tcp.hpp>
#include <mirbft/modules/net/tls.hpp>

#include "waiting.hpp"

namespace mirbft::testing {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

inline constexpr auto forever = std::chrono::nanoseconds::max();
inline constexpr std::size_t all = 1'000'000;

inline TcpConfig tcp_config(std::uint64_t self, std::uint64_t members = 2) {
  TcpConfig made;
  made.self = NodeId(self);
  made.cluster_id = "test";
  made.reconnect_first = 2ms;
  made.reconnect_longest = 50ms;
  for (std::uint64_t id = 0; id < members; ++id) made.peers.push_back({NodeId(id), "127.0.0.1"});
  return made;
}

/// The identity that a node has in all tests.
inline const TlsIdentity& identity(NodeId node) {
  static std::map<NodeId, TlsIdentity> made;
  const auto found = made.find(node);
  if (found != made.end()) return found->second;
  return made.emplace(node, TlsIdentity::generate("node " + std::to_string(node.value)))
      .first->second;
}

inline TlsConfig with_identities(const TcpConfig& tcp) {
  TlsConfig config{tcp, identity(tcp.self), {}};
  for (const TcpPeer& peer : tcp.peers)
    config.certificates[peer.id] = {identity(peer.id).fingerprint()};
  return config;
}

template <class Net>
Net make_net(const TcpConfig& tcp) {
  if constexpr (std::is_same_v<Net, TlsNet>)
    return TlsNet(with_identities(tcp));
  else
    return TcpNet(tcp);
}

/// A net with what it has received.
template <class Net>
struct Peer {
  explicit Peer(const TcpConfig& made) : net(make_net<Net>(made)) {}
  explicit Peer(const TlsConfig& made) : net(made) {}

  void poll(std::chrono::nanoseconds at_most = 0ns, std::size_t max_frames = all) {
    net.poll([this](NodeId from, Bytes payload) { received[from].push_back(std::move(payload)); },
             at_most, max_frames);
  }
  void send(std::uint64_t to, const Bytes& payload, FrameClass kind = FrameClass::batch) {
    net.send(NodeId(to), kind, payload);
  }
  std::size_t count(std::uint64_t from) { return received[NodeId(from)].size(); }

  Net net;
  std::map<NodeId, std::vector<Bytes>> received;
};

template <class Net>
using Peers = std::vector<std::unique_ptr<Peer<Net>>>;

/// Polls the nodes in turn until the condition holds.
template <class Net, class Condition>
void run(std::vector<std::unique_ptr<Peer<Net>>>& nodes, Condition holds) {
  const auto deadline = Clock::now() + patience;
  while (!holds()) {
    if (Clock::now() > deadline) FAIL("what was waited for did not happen");
    for (const auto& node : nodes) node->poll();
  }
}

template <class Net>
bool connected(std::vector<std::unique_ptr<Peer<Net>>>& nodes) {
  for (const auto& node : nodes)
    if (node->net.status().connected != nodes.size() - 1) return false;
  return true;
}

/// Tells the nodes each other's ports and waits until all are connected.
template <class Net>
void introduce(std::vector<std::unique_ptr<Peer<Net>>>& nodes) {
  for (std::size_t of = 0; of < nodes.size(); ++of)
    for (std::size_t to = 0; to < nodes.size(); ++to)
      if (to != of) nodes[to]->net.set_peer_address(NodeId(of), "127.0.0.1", nodes[of]->net.port());
  run(nodes, [&] { return connected(nodes); });
}

template <class Net>
Peers<Net> cluster(std::uint64_t members, const TcpConfig& common = tcp_config(0)) {
  Peers<Net> nodes;
  for (std::uint64_t id = 0; id < members; ++id) {
    TcpConfig own = common;
    own.self = NodeId(id);
    own.peers = tcp_config(id, members).peers;
    nodes.push_back(std::make_unique<Peer<Net>>(own));
  }
  introduce(nodes);
  return nodes;
}

template <class Net>
Peers<Net> one(const TcpConfig& own) {
  Peers<Net> nodes;
  nodes.push_back(std::make_unique<Peer<Net>>(own));
  return nodes;
}

inline Bytes numbered(std::uint64_t number, std::size_t size = 8) {
  return Bytes::filled(size, [&](std::uint8_t* out) {
    for (std::size_t at = 0; at < size; ++at)
      out[at] = static_cast<std::uint8_t>(at < 8 ? number >> (8 * at) : number + at / 7);
  });
}

inline std::vector<Bytes> numbers(std::uint64_t count, std::size_t size = 8) {
  std::vector<Bytes> made;
  for (std::uint64_t number = 0; number < count; ++number) made.push_back(numbered(number, size));
  return made;
}

}  // namespace mirbft::testing

#endif

// What all nets of TCP connections offer, over plain sockets or TLS.
#ifndef MIRBFT_MODULES_NET_MESH_NET_HPP
#define MIRBFT_MODULES_NET_MESH_NET_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <mirbft/modules/net/tcp_config.hpp>
#include <mirbft/modules/net/tcp_mesh.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/frame_class.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft {

/// Exchanges frames with the other nodes of a cluster over connections of a `Transport`.
///
/// Frames to one peer arrive in the order of sending. Gaps are possible, and counted: where its
/// queue was full, or its connection broke. Lost connections are made anew for ever. Frames to
/// oneself come back from the next `poll`.
///
/// All the work is done inside the calls, so poll at least once a second, or the peers give up
/// the connections. `wake` may be called from any thread, the rest from one at a time.
template <class Transport>
class MeshNet {
 public:
  /// The port that the net listens on.
  std::uint16_t port() const { return mesh_->port(); }

  /// From now on this peer is dialed there. Throws `ConfigError` if it is no peer.
  void set_peer_address(NodeId peer, std::string host, std::uint16_t port) {
    mesh_->set_peer_address(peer, std::move(host), port);
  }

  /// Whether frames flow to and from the peer at present.
  bool connected(NodeId peer) const noexcept { return mesh_->connected(peer); }

  /// Queues a frame for the next `flush`; never blocks. What finds no room is dropped and counted
  /// (see `PeerQueue`), and so is what no receiver would take.
  void send(NodeId to, FrameClass kind, const Bytes& payload) { mesh_->send(to, kind, payload); }

  /// Writes what was sent, many frames at once; what TCP does not take yet goes on in later calls
  /// of `flush` and `poll`.
  void flush() { mesh_->flush(); }

  /// Waits until there is a frame, a `wake()`, or the time is up, and does all due work of the
  /// connections; then calls `sink(NodeId from, Bytes payload)` for at most `max_frames` frames.
  /// The rest waits, and TCP holds back whoever sends more. Who can take nothing at present calls
  /// with 0 frames: that does not end for frames, and keeps the connections alive.
  template <class Sink>
  void poll(Sink&& sink, std::chrono::nanoseconds at_most, std::size_t max_frames) {
    mesh_->poll(sink, at_most, max_frames);
  }

  /// Makes the `poll` that waits, or else the next one, return soon.
  void wake() { mesh_->wake(); }

  /// Sends what is queued for connected peers, for `close_within` at most, and closes. What
  /// arrives meanwhile is thrown away.
  void close() { mesh_->close(); }

  TcpStatus status() const { return mesh_->status(); }

 protected:
  MeshNet(TcpConfig config, Transport transport)
      : mesh_(std::make_unique<TcpMesh<Transport>>(std::move(config), std::move(transport))) {}

  TcpMesh<Transport>& mesh() noexcept { return *mesh_; }

 private:
  std::unique_ptr<TcpMesh<Transport>> mesh_;
};

}  // namespace mirbft

#endif

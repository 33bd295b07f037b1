// Small things that a net of TCP connections needs: words for people, comparisons, sums.
#ifndef MIRBFT_MODULES_NET_TCP_REPORT_HPP
#define MIRBFT_MODULES_NET_TCP_REPORT_HPP

#include <chrono>
#include <string>

#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include <mirbft/modules/net/framing.hpp>
#include <mirbft/modules/net/peer_queue.hpp>
#include <mirbft/modules/net/tcp_config.hpp>
#include <mirbft/types/frame_class.hpp>

namespace mirbft {

/// The socket below any stream.
using TcpSocket = boost::asio::ip::tcp::socket::lowest_layer_type;

/// Where the other side of a connection is, for people.
inline std::string remote_address(const TcpSocket& socket) {
  boost::system::error_code unknown;
  const auto remote = socket.remote_endpoint(unknown);
  if (unknown) return "an unknown address";
  return remote.address().to_string() + ':' + std::to_string(remote.port());
}

inline std::string describe(const TcpPeer& peer) {
  return "node " + std::to_string(peer.id.value) + " at " + peer.host + ':' +
         std::to_string(peer.port);
}

/// Why two that say this to each other must part, whoever they are; null if they need not.
inline const TcpEnd* difference(const Hello& mine, const Hello& other) noexcept {
  if (other.version != mine.version) return &TcpEnd::wrong_version;
  if (other.cluster_id != mine.cluster_id) return &TcpEnd::wrong_cluster;
  if (other.configuration != mine.configuration) return &TcpEnd::wrong_configuration;
  return nullptr;
}

/// So long from now, cut at the end of time.
inline std::chrono::steady_clock::time_point moment_in(std::chrono::nanoseconds time) {
  using Moment = std::chrono::steady_clock::time_point;
  const Moment now = std::chrono::steady_clock::now();
  return time < Moment::max() - now ? now + time : Moment::max();
}

/// Adds what a queue holds and has dropped.
inline void add(const PeerQueue& queue, TcpStatus& status) noexcept {
  status.queued_bytes += queue.bytes();
  status.dropped_votes += queue.dropped(FrameClass::vote);
  status.dropped_batches += queue.dropped(FrameClass::batch);
  status.dropped_chunks += queue.dropped(FrameClass::chunk);
  status.dropped_requests += queue.dropped(FrameClass::request);
}

}  // namespace mirbft

#endif

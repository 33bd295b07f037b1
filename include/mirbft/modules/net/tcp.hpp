// A Net over plain TCP, by Boost.Asio: for measurements and trusted networks only.
#ifndef MIRBFT_MODULES_NET_TCP_HPP
#define MIRBFT_MODULES_NET_TCP_HPP

#include <cstdint>
#include <limits>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include <mirbft/modules/net/mesh_net.hpp>
#include <mirbft/modules/net/tcp_config.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft {

/// Sockets as they are: nothing is encrypted, and whoever connects is who he says he is.
struct PlainTcp {
  using Stream = boost::asio::ip::tcp::socket;

  /// Never inlined, or g++ 12 warns of what Asio leaves unset in a socket that is not open yet.
  [[gnu::noinline]] Stream stream(boost::asio::ip::tcp::socket socket) { return socket; }

  template <class Handler>
  void handshake(Stream&, Side, Handler&& handler) {
    handler(boost::system::error_code{});
  }

  bool may_speak(Stream&, NodeId) const noexcept { return true; }

  static constexpr auto bytes_per_key = std::numeric_limits<std::uint64_t>::max();
  static bool renew_key(Stream&) noexcept { return true; }

  static const TcpEnd& reason(boost::system::error_code, const TcpEnd& otherwise) noexcept {
    return otherwise;
  }
};

/// Exchanges frames with the other nodes of a cluster over TCP without any protection: anybody
/// who reaches the port can speak as any node. For measurements and trusted networks only.
class TcpNet : public MeshNet<PlainTcp> {
 public:
  /// Listens at once. Throws `ConfigError` for a wrong configuration or a port that is in use.
  explicit TcpNet(TcpConfig config) : MeshNet(std::move(config), PlainTcp{}) {}
};

}  // namespace mirbft

#endif

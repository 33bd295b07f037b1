// One end of a TCP connection for tests: blocks, but never for long.
#ifndef MIRBFT_TESTS_SUPPORT_RAW_SOCKET_HPP
#define MIRBFT_TESTS_SUPPORT_RAW_SOCKET_HPP

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <mirbft/client/client_frames.hpp>
#include <mirbft/modules/net/framing.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/wire/codec.hpp>

#include "waiting.hpp"

namespace mirbft::testing {

/// Reads frames of the kinds `In`, and writes anything.
template <class In, class Out>
class RawSocket {
 public:
  explicit RawSocket(int descriptor) : descriptor_(descriptor) {
    const timeval limit{patience.count(), 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }
  RawSocket(RawSocket&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), decoder_(std::move(other.decoder_)) {}
  ~RawSocket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  void write(ByteView bytes) const {
    while (!bytes.empty()) {
      const auto count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return;  // the other side is gone, as tests may want
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
  }
  void write_frame(Out kind, const Bytes& payload) const {
    write(frame_header(kind, payload.size()));
    write(payload.view());
  }
  template <class T>
  void write(Out kind, const T& value) const {
    write_frame(kind, wire::encode(value));
  }

  /// The next frame that is no ping; nothing if the connection is over.
  std::optional<BasicFrame<In>> read() {
    BasicFrame<In> frame;
    while (!decoder_->next(frame) || frame.kind == In::ping) {
      const auto room = decoder_->room();
      const auto into = room[0].empty() ? room[1] : room[0];
      const auto count = ::recv(descriptor_, into.data(), into.size(), 0);
      if (count <= 0) return std::nullopt;
      decoder_->wrote(static_cast<std::size_t>(count));
    }
    return frame;
  }
  template <class T>
  std::optional<T> read(In kind) {
    const auto frame = read();
    if (!frame || frame->kind != kind) return std::nullopt;
    return wire::decode<T>(frame->payload, wire::Form::canonical);
  }
  /// Whether the other side closes, after whatever it still says.
  bool is_closed() {
    const auto before = std::chrono::steady_clock::now();
    while (read()) continue;
    return std::chrono::steady_clock::now() - before < patience;
  }

 private:
  int descriptor_;
  std::unique_ptr<BasicFrameDecoder<In>> decoder_ = std::make_unique<BasicFrameDecoder<In>>();
};

using RawClient = RawSocket<ToClient, ToReplica>;
using RawReplica = RawSocket<ToReplica, ToClient>;

/// A client's end, connected to a port of this machine.
inline RawClient connect_to(std::uint16_t port) {
  namespace ip = boost::asio::ip;
  boost::asio::io_context io;
  ip::tcp::socket socket(io);
  socket.connect({ip::address_v4::loopback(), port});
  return RawClient(socket.release());
}

/// Listens for clients, for a replica that a test plays.
class RawListener {
 public:
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  RawReplica accept() { return RawReplica(acceptor_.accept().release()); }

 private:
  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_{io_, {boost::asio::ip::address_v4::loopback(), 0}};
};

}  // namespace mirbft::testing

#endif

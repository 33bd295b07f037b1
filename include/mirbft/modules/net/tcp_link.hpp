// One connection between two nodes: frames in, frames out, and signs of life.
#ifndef MIRBFT_MODULES_NET_TCP_LINK_HPP
#define MIRBFT_MODULES_NET_TCP_LINK_HPP

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/error_code.hpp>

#include <mirbft/modules/net/framing.hpp>
#include <mirbft/modules/net/gather.hpp>
#include <mirbft/modules/net/peer_queue.hpp>
#include <mirbft/modules/net/tcp_config.hpp>
#include <mirbft/modules/net/tcp_origin.hpp>
#include <mirbft/modules/net/tcp_report.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/wire/codec.hpp>

namespace mirbft {

/// A connection over `Transport::Stream` from its making to its end. First both sides say Hello;
/// once the owner has named the peer, the frames of that peer's queue flow.
///
/// The owner is told by `greeted(link, hello)`, `readable(link)` (frames wait for `deliver`) and
/// `ended(link, reason)`. It deletes a link that is `over()`; until then handlers refer to it.
template <class Transport, class Owner>
class TcpLink {
 public:
  using Clock = std::chrono::steady_clock;
  using Stream = typename Transport::Stream;

  /// `expected` is the peer that is dialed; none for a connection that was accepted.
  TcpLink(Owner& owner, TcpStatus& counters, Stream stream, std::optional<NodeId> expected)
      : owner_(owner), counters_(counters), stream_(std::move(stream)), expected_(expected) {}
  TcpLink(const TcpLink&) = delete;
  TcpLink& operator=(const TcpLink&) = delete;

  Stream& stream() noexcept { return stream_; }
  std::optional<NodeId> expected() const noexcept { return expected_; }
  /// The peer that `join` named, if it has.
  std::optional<NodeId> peer() const noexcept { return peer_; }
  bool joined_before(Clock::time_point when) const noexcept { return peer_ && since_ <= when; }
  bool open() const noexcept { return !ended_; }
  /// Nothing refers to the link any more.
  bool over() const noexcept { return ended_ && pending_ == 0; }
  bool writing() const noexcept { return writing_; }
  bool idle() const noexcept { return !writing_ && (!queue_ || queue_->empty()); }

  const TcpSocket& socket() const { return stream_.lowest_layer(); }
  /// Whom it comes from; the same for all whose connection is gone.
  boost::asio::ip::address origin() const {
    Error unknown;
    return origin_of(socket().remote_endpoint(unknown).address());
  }

  template <class Endpoints>
  void connect(const Endpoints& endpoints, Transport& transport, const Hello& hello) {
    boost::asio::async_connect(stream_.lowest_layer(), endpoints,
                               tracked([this, &transport, hello](Error error, const auto&) {
                                 if (error) return end(TcpEnd::failed);
                                 greet(transport, hello);
                               }));
  }

  /// Begins to talk on a stream that is connected.
  void greet(Transport& transport, const Hello& hello) {
    Error ignored;
    stream_.lowest_layer().set_option(boost::asio::ip::tcp::no_delay(true), ignored);
    shaking_hands_ = true;
    const Side side = expected_ ? Side::dialed : Side::accepted;
    transport.handshake(stream_, side, tracked([this, hello](Error error) {
      shaking_hands_ = false;
      if (error) return end(Transport::reason(error, TcpEnd::failed));
      gathered_.add(FrameKind::hello, wire::encode(hello));
      flush();
      read();
    }));
  }

  /// The Hello was right: from now on frames flow between `queue`, `deliver` and this peer.
  void join(NodeId peer, PeerQueue& queue) {
    peer_ = peer;
    queue_ = &queue;
    since_ = Clock::now();
    flush();
  }

  /// Writes what waits in the queue, unless a write is under way, which will go on by itself.
  void flush() {
    if (writing_ || ended_) return;
    while (queue_ && !queue_->empty() && gathered_.has_room()) {
      PeerQueue::Entry entry = queue_->pop();
      ++counters_.frames_sent;
      counters_.bytes_sent += entry.payload.size();
      gathered_.add(frame_kind(entry.kind), std::move(entry.payload));
    }
    if (!gathered_.empty()) write();
  }

  /// Gives at most `at_most` waiting frames to `sink(NodeId, Bytes)`; how many frames it took out
  /// of the stream, signs of life included. Reads on when none is left.
  template <class Sink>
  std::size_t deliver(Sink& sink, std::size_t at_most) {
    Frame frame;
    for (std::size_t taken = 0; taken < at_most; ++taken) {
      if (!next(frame)) return taken;
      if (!is_message(frame.kind)) continue;
      ++counters_.frames_received;
      counters_.bytes_received += frame.payload.size();
      sink(*peer_, std::move(frame.payload));
    }
    return at_most;
  }

  /// Whether frames may wait for `deliver`.
  bool readable() const noexcept { return readable_; }

  /// Pings, or ends the link, where it is time. To be called at intervals; what a call comes too
  /// late by is no silence of the peer, since nobody listened.
  void tick(Clock::time_point now, Clock::duration late, const TcpConfig& config) {
    if (ended_) return;
    heard_ = std::min(now, heard_ + late);
    if (!peer_) {
      if (now - since_ > config.hello_within)
        end(shaking_hands_ ? TcpEnd::slow_handshake : TcpEnd::no_hello);
    } else if (now - heard_ > config.dead_after && !readable_) {
      end(TcpEnd::silent);
    } else if (now - wrote_ > config.ping_after && !writing_) {
      gathered_.add(FrameKind::ping, Bytes());
      flush();
    }
  }

  /// Tells the other side that nothing more will come.
  void finish() {
    Error ignored;
    stream_.lowest_layer().shutdown(boost::asio::ip::tcp::socket::shutdown_send, ignored);
  }

  void end(const TcpEnd& reason) {
    if (ended_) return;
    ended_ = true;
    readable_ = false;
    counters_.cut_off += gathered_.messages();
    owner_.ended(*this, reason);
    Error ignored;
    stream_.lowest_layer().close(ignored);
  }

 private:
  using Error = boost::system::error_code;

  /// A handler that counts as referring to the link and does nothing once that has ended.
  template <class Handler>
  auto tracked(Handler handler) {
    ++pending_;
    return [this, handler = std::move(handler)](Error error, const auto&... results) {
      --pending_;
      if (!ended_) handler(error, results...);
    };
  }

  void read() {
    const auto room = decoder_.room();
    const std::array buffers{boost::asio::buffer(room[0].data(), room[0].size()),
                             boost::asio::buffer(room[1].data(), room[1].size())};
    stream_.async_read_some(buffers, tracked([this](Error error, std::size_t count) {
      if (error) return end(Transport::reason(error, TcpEnd::lost));
      decoder_.wrote(count);
      heard_ = Clock::now();
      if (!peer_ && !hear_hello()) return;
      readable_ = true;
      owner_.readable(*this);
    }));
  }

  void write() {
    if (written_ >= Transport::bytes_per_key && Transport::renew_key(stream_)) written_ = 0;
    buffers_.clear();
    for (const ByteView piece : gathered_.pieces())
      buffers_.push_back(boost::asio::buffer(piece.data(), piece.size()));
    writing_ = true;
    boost::asio::async_write(stream_, std::span<const boost::asio::const_buffer>(buffers_),
                             tracked([this](Error error, std::size_t count) {
                               if (error) return fail_to_write(error);
                               writing_ = false;
                               written_ += count;
                               gathered_.clear();
                               wrote_ = Clock::now();
                               flush();
                             }));
  }

  /// Who turns this node away says why before he closes: that is there to be read.
  void fail_to_write(Error error) {
    if (peer_) end(Transport::reason(error, TcpEnd::lost));
  }

  /// Whether the Hello has come, was right and made the owner name the peer.
  bool hear_hello() {
    Frame frame;
    if (!next(frame)) return false;
    std::optional<Hello> hello;
    if (frame.kind == FrameKind::hello)
      hello = wire::decode<Hello>(frame.payload, wire::Form::lenient);
    if (!hello)
      end(TcpEnd::bad_hello);
    else
      owner_.greeted(*this, *hello);
    return peer_ && !ended_;
  }

  /// The next frame that has arrived; without one, reads on or ends the link, as it must be.
  bool next(Frame& frame) {
    if (ended_) return false;
    if (decoder_.next(frame)) {
      if (!peer_ || frame.kind != FrameKind::hello) return true;
      end(TcpEnd::bad_hello);
      return false;
    }
    readable_ = false;
    if (decoder_.fault() == FrameFault::none)
      read();
    else
      end(decoder_.fault() == FrameFault::too_long ? TcpEnd::too_long : TcpEnd::unknown_kind);
    return false;
  }

  Owner& owner_;
  TcpStatus& counters_;
  Stream stream_;
  std::optional<NodeId> expected_;
  std::optional<NodeId> peer_;
  PeerQueue* queue_ = nullptr;
  FrameDecoder decoder_;
  GatheredFrames gathered_;
  std::vector<boost::asio::const_buffer> buffers_;
  Clock::time_point since_ = Clock::now();  // made, or joined
  Clock::time_point heard_ = since_;
  Clock::time_point wrote_ = since_;
  std::uint64_t written_ = 0;  // with the present key
  int pending_ = 0;
  bool shaking_hands_ = false;
  bool writing_ = false;
  bool readable_ = false;
  bool ended_ = false;
};

}  // namespace mirbft

#endif

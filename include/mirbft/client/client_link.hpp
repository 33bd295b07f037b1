// One connection between a client and a replica: frames in, frames out, and signs of life.
#ifndef MIRBFT_CLIENT_CLIENT_LINK_HPP
#define MIRBFT_CLIENT_CLIENT_LINK_HPP

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/error_code.hpp>

#include <mirbft/client/link_end.hpp>
#include <mirbft/modules/net/framing.hpp>
#include <mirbft/modules/net/tcp_config.hpp>
#include <mirbft/types/bytes.hpp>

namespace mirbft {

/// How long a connection may be quiet.
struct LinkTimes {
  std::chrono::milliseconds ping_after{2'000};    ///< of having written nothing
  std::chrono::milliseconds dead_after{6'000};    ///< of having read nothing
  std::chrono::milliseconds hello_within{5'000};  ///< connecting included
};

/// A connection over `Transport::Stream` (see `TcpMesh`), from its making to its end. `In` and
/// `Out` are the kinds of frames that are read and written.
///
/// The owner is told by `opened(link)` (it may write its Hello), `received(link, kind, payload)`,
/// `written(link)` and `ended(link, reason)`. It deletes a link that is `over()`; until then
/// handlers refer to it. What is sent waits for `flush`, so that many frames make one write.
template <class Transport, class In, class Out, class Owner>
class ClientLink {
 public:
  using Clock = std::chrono::steady_clock;
  using Stream = typename Transport::Stream;

  /// `id` is the owner's, to tell its links apart.
  ClientLink(Owner& owner, std::uint64_t id, Stream stream)
      : owner_(owner), id_(id), stream_(std::move(stream)) {}
  ClientLink(const ClientLink&) = delete;
  ClientLink& operator=(const ClientLink&) = delete;

  std::uint64_t id() const noexcept { return id_; }
  Stream& stream() noexcept { return stream_; }
  bool open() const noexcept { return !ended_; }
  /// The Hello of the other side was right.
  bool met() const noexcept { return met_; }
  bool met_before(Clock::time_point when) const noexcept { return met_ && since_ <= when; }
  /// When something was read last; while frames are handed over, when they came.
  Clock::time_point heard() const noexcept { return heard_; }
  /// Nothing refers to the link any more.
  bool over() const noexcept { return ended_ && pending_ == 0; }
  /// Bytes that are sent and not yet taken by the socket.
  std::size_t unwritten() const noexcept { return gathered_.size() + being_written_.size(); }

  void meet() noexcept {
    met_ = true;
    since_ = Clock::now();
  }

  template <class Endpoints>
  void connect(const Endpoints& endpoints, Transport& transport) {
    boost::asio::async_connect(stream_.lowest_layer(), endpoints,
                               tracked([this, &transport](Error error, const auto&) {
                                 if (error) return end(LinkEnd::failed);
                                 begin(transport, Side::dialed);
                               }));
  }
  /// Begins to talk on a stream that is connected.
  void accept(Transport& transport) { begin(transport, Side::accepted); }

  /// Queues a frame for the next `flush`.
  void send(Out kind, const Bytes& payload) {
    const FrameHeader header = frame_header(kind, payload.size());
    gathered_.insert(gathered_.end(), header.begin(), header.end());
    gathered_.insert(gathered_.end(), payload.begin(), payload.end());
  }
  static constexpr std::size_t cost(const Bytes& payload) noexcept {
    return FrameHeader{}.size() + payload.size();
  }

  /// Writes what was sent, unless a write is under way, which will go on by itself.
  void flush() {
    if (ended_ || !opened_ || !being_written_.empty() || gathered_.empty()) return;
    std::swap(gathered_, being_written_);
    began_ = Clock::now();
    if (written_ >= Transport::bytes_per_key && Transport::renew_key(stream_)) written_ = 0;
    boost::asio::async_write(
        stream_, boost::asio::buffer(being_written_.data(), being_written_.size()),
        tracked([this](Error error, std::size_t count) {
          if (error) return end(LinkEnd::lost);
          written_ += count;
          forget_written();
          wrote_ = Clock::now();
          owner_.written(*this);
          flush();
        }));
  }

  /// Pings, or ends the link, where it is time. To be called at intervals; what a call comes too
  /// late by is no silence of the other side, since nobody listened.
  void tick(Clock::time_point now, Clock::duration late, const LinkTimes& times) {
    if (ended_) return;
    heard_ = std::min(now, heard_ + late);
    if (!met_) {
      if (now - since_ > times.hello_within) end(LinkEnd::no_hello);
    } else if (now - heard_ > times.dead_after) {
      end(LinkEnd::silent);
    } else if (!being_written_.empty() && now - std::min(now, began_ + late) > times.dead_after) {
      // Whoever only pings would keep what it does not read for ever.
      end(LinkEnd::slow_reader);
    } else if (now - wrote_ > times.ping_after && unwritten() == 0) {
      send(Out::ping, Bytes());
      flush();
    }
  }

  void end(const LinkEnd& reason) {
    if (ended_) return;
    ended_ = true;
    owner_.ended(*this, reason);
    Error ignored;
    stream_.lowest_layer().close(ignored);
  }

  std::string remote_address() const {
    Error unknown;
    const auto remote = stream_.lowest_layer().remote_endpoint(unknown);
    if (unknown) return "an unknown address";
    return remote.address().to_string() + ':' + std::to_string(remote.port());
  }

 private:
  using Error = boost::system::error_code;

  static constexpr std::size_t read_size = 16 * 1024;
  static constexpr std::size_t kept_storage = 64 * 1024;

  /// A handler that counts as referring to the link and does nothing once that has ended.
  template <class Handler>
  auto tracked(Handler handler) {
    ++pending_;
    return [this, handler = std::move(handler)](Error error, const auto&... results) {
      --pending_;
      if (!ended_) handler(error, results...);
    };
  }

  void begin(Transport& transport, Side side) {
    Error ignored;
    stream_.lowest_layer().set_option(boost::asio::ip::tcp::no_delay(true), ignored);
    transport.handshake(stream_, side, tracked([this](Error error) {
      if (error)
        return end({&LinkEnds::bad_handshake, Transport::reason(error, TcpEnd::failed).text});
      opened_ = true;
      owner_.opened(*this);
      flush();
      read();
    }));
  }

  void read() {
    if (ended_) return;
    const auto room = decoder_.room();
    const std::array buffers{boost::asio::buffer(room[0].data(), room[0].size()),
                             boost::asio::buffer(room[1].data(), room[1].size())};
    stream_.async_read_some(buffers, tracked([this](Error error, std::size_t count) {
      if (error) return end(LinkEnd::lost);
      decoder_.wrote(count);
      heard_ = Clock::now();
      hand_over();
      read();
    }));
  }

  void hand_over() {
    BasicFrame<In> frame;
    while (!ended_ && decoder_.next(frame)) {
      if (met_ == (frame.kind == In::hello)) return end(LinkEnd::bad_hello);
      if (frame.kind != In::ping) owner_.received(*this, frame.kind, std::move(frame.payload));
    }
    if (decoder_.fault() == FrameFault::too_long) end(LinkEnd::too_long);
    if (decoder_.fault() == FrameFault::unknown_kind) end(LinkEnd::unknown_kind);
  }

  /// Storage for what is written now stays; that of a burst does not, once less is written.
  void forget_written() {
    const std::size_t needed = std::max(kept_storage, 4 * being_written_.size());
    being_written_.clear();
    if (being_written_.capacity() > needed) being_written_.shrink_to_fit();
  }

  Owner& owner_;
  std::uint64_t id_;
  Stream stream_;
  BasicFrameDecoder<In> decoder_{read_size};
  std::vector<std::uint8_t> gathered_;
  std::vector<std::uint8_t> being_written_;
  Clock::time_point since_ = Clock::now();  // made, or met
  Clock::time_point heard_ = since_;
  Clock::time_point began_ = since_;  // to write what is being written
  Clock::time_point wrote_ = since_;
  std::uint64_t written_ = 0;  // with the present key
  int pending_ = 0;
  bool opened_ = false;
  bool met_ = false;
  bool ended_ = false;
};

}  // namespace mirbft

#endif

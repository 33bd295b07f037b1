// How messages are cut out of a stream of bytes: headers, limits, and the decoder of frames.
#ifndef MIRBFT_MODULES_NET_FRAMING_HPP
#define MIRBFT_MODULES_NET_FRAMING_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/types/frame_class.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft {

/// What a frame is on the wire: the four classes of messages, and what connections say among
/// themselves.
enum class FrameKind : std::uint8_t { vote, batch, chunk, request, hello = 0xf0, ping = 0xf1 };

constexpr FrameKind frame_kind(FrameClass message) noexcept {
  return static_cast<FrameKind>(message);
}

/// Whether it carries a message of the Node.
constexpr bool is_message(FrameKind kind) noexcept {
  return static_cast<std::size_t>(kind) < frame_classes;
}

/// Longest payload of a kind in bytes; nothing if there is no such kind.
constexpr std::optional<std::size_t> frame_limit(FrameKind kind) noexcept {
  if (is_message(kind)) return frame_limit(static_cast<FrameClass>(kind));
  if (kind == FrameKind::hello) return 1024;
  if (kind == FrameKind::ping) return 0;
  return std::nullopt;
}

/// Before its payload a frame has the payload's length, four bytes with the lowest first, and one
/// byte for its kind.
using FrameHeader = std::array<std::uint8_t, 5>;

template <class Kind>
constexpr FrameHeader frame_header(Kind kind, std::size_t length) noexcept {
  FrameHeader header{};
  for (unsigned place = 0; place < 4; ++place)
    header[place] = static_cast<std::uint8_t>(length >> (8 * place));
  header[4] = static_cast<std::uint8_t>(kind);
  return header;
}

/// One frame of a connection.
template <class Kind>
struct BasicFrame {
  Kind kind{};
  Bytes payload;
};

using Frame = BasicFrame<FrameKind>;

/// Why a stream cannot be decoded further.
enum class FrameFault : std::uint8_t { none, unknown_kind, too_long };

/// Cuts a stream into frames. A loop of: write received bytes into `room()`, say how many with
/// `wrote()`, take frames with `next()` until there is none.
///
/// A payload is copied once, into storage of its own size. Slices of the read buffer would save
/// that copy, but one kept vote of 100 bytes would then keep the whole buffer alive, so that a
/// peer could make us hold hundreds of times what it sends and what our queues account for. A
/// frame that is longer than what was read gets the rest straight from the socket.
///
/// `frame_limit(Kind)` says which kinds there are, and how long they may be.
template <class Kind>
class BasicFrameDecoder {
 public:
  using Frame = BasicFrame<Kind>;

  explicit BasicFrameDecoder(std::size_t buffer_size = 64 * 1024)
      : buffer_(std::make_unique_for_overwrite<std::uint8_t[]>(buffer_size)),
        buffer_size_(buffer_size) {}

  /// Where the next bytes of the stream belong: the rest of the frame that has begun, and then
  /// the buffer. Valid until the next call.
  std::array<std::span<std::uint8_t>, 2> room() noexcept {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
    return {std::span(rest_, missing_), std::span(buffer_.get() + end_, buffer_size_ - end_)};
  }

  /// `count` bytes were written to `room()`, in order.
  void wrote(std::size_t count) noexcept {
    const std::size_t in_frame = std::min(count, missing_);
    rest_ += in_frame;
    missing_ -= in_frame;
    end_ += count - in_frame;
  }

  /// Gives the next frame; false if it is not complete, or if `fault()` says why there is none.
  /// For a frame with a fault nothing is allocated.
  bool next(Frame& frame) {
    if (rest_) return finish(frame);
    const ByteView read(buffer_.get() + begin_, end_ - begin_);
    if (fault_ != FrameFault::none || read.size() < FrameHeader{}.size()) return false;

    std::size_t length = 0;
    for (unsigned place = 0; place < 4; ++place) length |= std::size_t{read[place]} << (8 * place);
    const Kind kind{read[4]};
    fault_ = check(kind, length);
    if (fault_ != FrameFault::none) return false;

    const ByteView payload = read.subspan(FrameHeader{}.size());
    const ByteView here = payload.first(std::min(length, payload.size()));
    begin_ += FrameHeader{}.size() + here.size();
    if (here.size() < length) return start(kind, length, here);
    frame = {kind, Bytes(here)};
    return true;
  }

  FrameFault fault() const noexcept { return fault_; }

 private:
  static FrameFault check(Kind kind, std::size_t length) noexcept {
    const std::optional<std::size_t> limit = frame_limit(kind);
    if (!limit) return FrameFault::unknown_kind;
    return length > *limit ? FrameFault::too_long : FrameFault::none;
  }

  /// The storage is written to until `finish` gives it to somebody else.
  bool start(Kind kind, std::size_t length, ByteView here) {
    begun_ = {kind, Bytes::filled(length, [&](std::uint8_t* storage) {
      rest_ = std::copy(here.begin(), here.end(), storage);
    })};
    missing_ = length - here.size();
    return false;
  }

  bool finish(Frame& frame) noexcept {
    if (missing_ > 0) return false;
    frame = std::move(begun_);
    rest_ = nullptr;
    return true;
  }

  std::unique_ptr<std::uint8_t[]> buffer_;
  std::size_t buffer_size_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  Frame begun_;
  std::uint8_t* rest_ = nullptr;  // what `begun_` still lacks goes here; null if none has begun
  std::size_t missing_ = 0;
  FrameFault fault_ = FrameFault::none;
};

using FrameDecoder = BasicFrameDecoder<FrameKind>;

/// The first frame of a connection, from either side.
struct Hello {
  static constexpr std::uint32_t current_version = 1;

  std::uint32_t version = current_version;
  std::string cluster_id;
  NodeId node;
  Digest configuration{};  ///< of what all nodes of a cluster must be told alike
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::Hello, version, cluster_id, node, configuration);

#endif

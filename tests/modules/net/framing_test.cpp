#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/modules/net/framing.hpp>
#include <mirbft/wire/codec.hpp>

namespace mirbft::framing_test {

namespace {

using Stream = std::vector<std::uint8_t>;
using Frames = std::vector<std::pair<FrameKind, Bytes>>;

void append(Stream& stream, FrameKind kind, const Bytes& payload) {
  const FrameHeader header = frame_header(kind, payload.size());
  stream.insert(stream.end(), header.begin(), header.end());
  stream.insert(stream.end(), payload.begin(), payload.end());
}

Bytes text(std::size_t size) {
  return Bytes(std::string(size, static_cast<char>('a' + size % 26)));
}

/// Writes at most `count` bytes to where the decoder wants them; returns how many it took.
std::size_t write(FrameDecoder& decoder, ByteView stream, std::size_t count) {
  ByteView part = stream.first(std::min(count, stream.size()));
  std::size_t written = 0;
  for (const std::span<std::uint8_t> room : decoder.room()) {
    const std::size_t here = std::min(room.size(), part.size());
    std::copy_n(part.begin(), here, room.begin());
    part = part.subspan(here);
    written += here;
  }
  decoder.wrote(written);
  return written;
}

/// The frames of a stream that arrives in chunks of this size.
Frames decode(FrameDecoder& decoder, ByteView stream, std::size_t chunk) {
  Frames frames;
  while (!stream.empty() && decoder.fault() == FrameFault::none) {
    stream = stream.subspan(write(decoder, stream, chunk));
    for (Frame frame; decoder.next(frame);) frames.emplace_back(frame.kind, frame.payload);
  }
  return frames;
}

}  // namespace

TEST_CASE("frames are the same however the stream is cut and however small the buffer is") {
  Stream stream;
  Frames expected;
  for (const unsigned size : {0U, 1U, 4U, 5U, 6U, 63U, 64U, 65U, 200U, 1000U, 0U, 2U}) {
    const FrameKind kind = size == 0 ? FrameKind::ping : FrameKind::vote;
    append(stream, kind, text(size));
    expected.emplace_back(kind, text(size));
  }
  for (const unsigned buffer : {5U, 6U, 16U, 64U, 100U, 65'536U}) {
    for (const unsigned chunk : {1U, 2U, 3U, 5U, 7U, 64U, 1000U, 100'000U}) {
      FrameDecoder decoder(buffer);
      REQUIRE(decode(decoder, stream, chunk) == expected);
      REQUIRE(decoder.fault() == FrameFault::none);
    }
  }
}

TEST_CASE("a frame of each kind may be as long as its limit and not longer") {
  for (const FrameKind kind : {FrameKind::vote, FrameKind::batch, FrameKind::chunk,
                               FrameKind::request, FrameKind::hello, FrameKind::ping}) {
    const std::size_t limit = frame_limit(kind).value();
    Stream stream;
    append(stream, kind, text(limit));
    FrameDecoder decoder;
    const Frames frames = decode(decoder, stream, stream.size());
    REQUIRE(frames.size() == 1);
    CHECK(frames[0].first == kind);
    CHECK(frames[0].second == text(limit));

    FrameDecoder strict;
    CHECK(decode(strict, frame_header(kind, limit + 1), 5).empty());
    CHECK(strict.fault() == FrameFault::too_long);
  }
}

TEST_CASE("lengths use all four bytes") {
  FrameDecoder decoder;
  decode(decoder, frame_header(FrameKind::vote, 0x01000000), 5);
  CHECK(decoder.fault() == FrameFault::too_long);
}

TEST_CASE("every other kind is a fault, and nothing follows a fault") {
  for (unsigned byte = 0; byte < 256; ++byte) {
    const FrameKind kind{static_cast<std::uint8_t>(byte)};
    const bool known = byte < 4 || byte == 0xf0 || byte == 0xf1;
    CHECK(frame_limit(kind).has_value() == known);
    if (known) continue;
    Stream stream;
    append(stream, FrameKind::vote, text(3));
    append(stream, kind, Bytes());
    append(stream, FrameKind::vote, text(3));
    FrameDecoder decoder;
    REQUIRE(decode(decoder, stream, 1).size() == 1);
    REQUIRE(decoder.fault() == FrameFault::unknown_kind);
    Frame frame;
    REQUIRE_FALSE(decoder.next(frame));
  }
}

TEST_CASE("a payload stays what it was when the buffer is used again") {
  Stream stream;
  append(stream, FrameKind::vote, text(10));
  append(stream, FrameKind::vote, text(20));
  FrameDecoder decoder;
  const Frames frames = decode(decoder, stream, stream.size());
  REQUIRE(frames.size() == 2);
  decode(decoder, stream, stream.size());
  CHECK(frames[0].second == text(10));
  CHECK(frames[1].second == text(20));
}

TEST_CASE("a hello survives the wire") {
  const Digest configuration{{1, 2, 3}};
  const Bytes encoded = wire::encode(Hello{7, "cluster", NodeId(3), configuration});
  const std::optional<Hello> hello = wire::decode<Hello>(encoded, wire::Form::lenient);
  REQUIRE(hello);
  CHECK(hello->version == 7);
  CHECK(hello->cluster_id == "cluster");
  CHECK(hello->node == NodeId(3));
  CHECK(hello->configuration == configuration);
}

}  // namespace mirbft::framing_test

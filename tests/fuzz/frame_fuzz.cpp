// Any stream, cut in any way: the decoder finds the frames and the fault that a plain reading of
// the whole stream finds.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <vector>

#include <mirbft/modules/net/framing.hpp>

using namespace mirbft;

namespace {

struct Reading {
  std::vector<Frame> frames;
  FrameFault fault = FrameFault::none;
};

Reading plain_reading(ByteView stream) {
  Reading reading;
  while (stream.size() >= 5) {
    const std::size_t length = stream[0] | std::size_t{stream[1]} << 8 |
                               std::size_t{stream[2]} << 16 | std::size_t{stream[3]} << 24;
    const FrameKind kind{stream[4]};
    const std::optional<std::size_t> limit = frame_limit(kind);
    if (!limit) reading.fault = FrameFault::unknown_kind;
    else if (length > *limit) reading.fault = FrameFault::too_long;
    if (reading.fault != FrameFault::none || stream.size() - 5 < length) break;
    reading.frames.push_back({kind, Bytes(stream.subspan(5, length))});
    stream = stream.subspan(5 + length);
  }
  return reading;
}

/// Feeds the stream in chunks whose sizes `cuts` says, again and again.
Reading decoded(ByteView stream, ByteView cuts, std::size_t buffer_size) {
  Reading reading;
  FrameDecoder decoder(buffer_size);
  for (std::size_t round = 0; !stream.empty(); ++round) {
    const std::size_t chunk = std::min<std::size_t>(stream.size(), cuts[round % cuts.size()] + 1U);
    std::size_t written = 0;
    for (const std::span<std::uint8_t> room : decoder.room()) {
      const std::size_t here = std::min(room.size(), chunk - written);
      std::copy_n(stream.begin(), here, room.begin());
      stream = stream.subspan(here);
      written += here;
    }
    decoder.wrote(written);
    for (Frame frame; decoder.next(frame);) reading.frames.push_back(frame);
    if (decoder.fault() != FrameFault::none) break;
  }
  reading.fault = decoder.fault();
  return reading;
}

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t cut_count = 4;
  if (size < 1 + cut_count) return 0;
  const ByteView input(data, size);
  const ByteView stream = input.subspan(1 + cut_count);
  const Reading expected = plain_reading(stream);
  const Reading actual = decoded(stream, input.subspan(1, cut_count), 5U + input[0]);
  require(actual.fault == expected.fault);
  require(actual.frames.size() == expected.frames.size());
  for (std::size_t at = 0; at < actual.frames.size(); ++at) {
    require(actual.frames[at].kind == expected.frames[at].kind);
    require(actual.frames[at].payload == expected.frames[at].payload);
  }
  return 0;
}

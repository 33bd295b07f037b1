#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <mirbft/modules/net/gather.hpp>

namespace mirbft::gather_test {

namespace {

std::vector<std::uint8_t> concatenated(GatheredFrames& gathered) {
  std::vector<std::uint8_t> stream;
  for (const ByteView piece : gathered.pieces())
    stream.insert(stream.end(), piece.begin(), piece.end());
  return stream;
}

void append(std::vector<std::uint8_t>& stream, FrameKind kind, const Bytes& payload) {
  const FrameHeader header = frame_header(kind, payload.size());
  stream.insert(stream.end(), header.begin(), header.end());
  stream.insert(stream.end(), payload.begin(), payload.end());
}

}  // namespace

TEST_CASE("the pieces together are the frames one after another") {
  GatheredFrames gathered;
  std::vector<std::uint8_t> expected;
  constexpr std::size_t copied = GatheredFrames::copied_up_to;
  for (const std::size_t size : {copied - copied, copied, copied + 1, 2 * copied, copied / 100}) {
    const Bytes payload(std::string(size, static_cast<char>('a' + size % 26)));
    gathered.add(FrameKind::batch, payload);
    append(expected, FrameKind::batch, payload);
  }
  CHECK(concatenated(gathered) == expected);
  CHECK(gathered.messages() == 5);
}

TEST_CASE("short frames share a piece, long ones are not copied") {
  GatheredFrames gathered;
  const Bytes longer(std::string(GatheredFrames::copied_up_to + 1, 'x'));
  gathered.add(FrameKind::ping, Bytes());
  gathered.add(FrameKind::vote, Bytes("short"));
  CHECK(gathered.pieces().size() == 1);
  gathered.add(FrameKind::batch, longer);
  gathered.add(FrameKind::vote, Bytes("short"));
  REQUIRE(gathered.pieces().size() == 4);
  CHECK(gathered.pieces()[2].data() == longer.data());
  CHECK(gathered.messages() == 3);
}

TEST_CASE("there is room for any frame until there is enough for one write") {
  GatheredFrames gathered;
  const Bytes longest_copied(std::string(GatheredFrames::copied_up_to, 'x'));
  std::size_t frames = 0;
  for (; gathered.has_room(); ++frames) gathered.add(FrameKind::vote, longest_copied);
  CHECK(frames == GatheredFrames::staging_size / GatheredFrames::copied_up_to - 1);
  CHECK(concatenated(gathered).size() == frames * (longest_copied.size() + FrameHeader{}.size()));

  gathered.clear();
  CHECK(gathered.empty());
  CHECK(gathered.pieces().empty());
  CHECK(gathered.messages() == 0);
  gathered.add(FrameKind::batch, Bytes(std::string(GatheredFrames::enough_held, 'x')));
  CHECK_FALSE(gathered.has_room());
}

}  // namespace mirbft::gather_test

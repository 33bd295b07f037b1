#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <mirbft/modules/net/peer_queue.hpp>

namespace mirbft::peer_queue_test {

namespace {

std::string popped(PeerQueue& queue) {
  std::string texts;
  while (!queue.empty()) texts += queue.pop().payload.text();
  return texts;
}

/// Room for so many frames of one byte.
constexpr std::size_t frames(std::size_t count) { return count * (PeerQueue::frame_cost + 1); }

}  // namespace

TEST_CASE("frames of all classes leave in the order in which they came") {
  PeerQueue queue(frames(10));
  queue.push(FrameClass::request, Bytes("a"));
  queue.push(FrameClass::vote, Bytes("b"));
  queue.push(FrameClass::chunk, Bytes("c"));
  queue.push(FrameClass::request, Bytes("d"));
  queue.push(FrameClass::batch, Bytes("e"));
  CHECK(queue.bytes() == frames(5));
  const PeerQueue::Entry first = queue.pop();
  CHECK(first.kind == FrameClass::request);
  CHECK(first.payload == Bytes("a"));
  CHECK(popped(queue) == "bcde");
  CHECK(queue.bytes() == 0);
}

TEST_CASE("a full queue drops the lowest class first, and its oldest frames first") {
  PeerQueue queue(frames(4));
  queue.push(FrameClass::request, Bytes("a"));
  queue.push(FrameClass::batch, Bytes("b"));
  queue.push(FrameClass::request, Bytes("c"));
  queue.push(FrameClass::chunk, Bytes("d"));

  queue.push(FrameClass::vote, Bytes("e"));
  CHECK(queue.dropped(FrameClass::request) == 1);
  queue.push(FrameClass::vote, Bytes("f"));
  CHECK(queue.dropped(FrameClass::request) == 2);
  queue.push(FrameClass::vote, Bytes("g"));
  CHECK(queue.dropped(FrameClass::chunk) == 1);
  CHECK(popped(queue) == "befg");
}

TEST_CASE("a frame displaces its own class but none above") {
  PeerQueue queue(frames(2));
  queue.push(FrameClass::vote, Bytes("a"));
  queue.push(FrameClass::batch, Bytes("b"));
  queue.push(FrameClass::request, Bytes("c"));
  CHECK(queue.dropped(FrameClass::request) == 1);
  queue.push(FrameClass::batch, Bytes("d"));
  CHECK(queue.dropped(FrameClass::batch) == 1);
  CHECK(popped(queue) == "ad");
}

TEST_CASE("what cannot make enough room displaces nothing") {
  PeerQueue queue(frames(2));
  queue.push(FrameClass::vote, Bytes("a"));
  queue.push(FrameClass::request, Bytes("b"));
  queue.push(FrameClass::batch, Bytes("too long beside a vote"));
  CHECK(queue.dropped(FrameClass::batch) == 1);
  CHECK(queue.dropped(FrameClass::request) == 0);
  CHECK(popped(queue) == "ab");
}

TEST_CASE("the bound holds whatever comes") {
  constexpr std::size_t limit = 5'000;
  PeerQueue queue(limit);
  std::uint32_t state = 1;
  std::uint64_t pushed = 0;
  std::uint64_t taken = 0;
  for (int step = 0; step < 20'000; ++step) {
    state = state * 1664525 + 1013904223;
    if (state >> 30 == 0 && !queue.empty()) {
      queue.pop();
      ++taken;
    } else {
      queue.push(static_cast<FrameClass>((state >> 8) % frame_classes),
                 Bytes(std::string((state >> 12) % 700, 'x')));
      ++pushed;
    }
    REQUIRE(queue.bytes() <= limit);
  }
  while (!queue.empty()) {
    queue.pop();
    ++taken;
  }
  std::uint64_t dropped = 0;
  for (std::size_t kind = 0; kind < frame_classes; ++kind)
    dropped += queue.dropped(static_cast<FrameClass>(kind));
  CHECK(pushed == taken + dropped);
  CHECK(dropped > 0);
}

}  // namespace mirbft::peer_queue_test

#include <chrono>
#include <cstdint>
#include <set>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/sim/adversary/floods.hpp>
#include <mirbft/wire/codec.hpp>

#include "stage.hpp"

namespace mirbft::testing::floods_test {

using namespace std::chrono_literals;

TEST_CASE("a flood is of all kinds of messages, to all others, at its own pace") {
  Flood flood(powers());
  (void)heard(flood, prepare(5));
  std::set<std::size_t> kinds;
  std::set<NodeId> to;
  for (auto now = 0ms; now < 1s; now += 10ms) {
    Letters letters;
    flood.act(now, letters);
    CHECK(letters.size() == (now % 20ms == 0ms ? 30 : 0));
    for (const Letter& letter : letters) {
      kinds.insert(letter.message.index());
      to.insert(letter.to);
      if (const auto* one = as<ViewChange>(letter.message)) CHECK(is_signed(*one));
    }
  }
  CHECK(kinds.size() == 8);
  CHECK(to == std::set<NodeId>{NodeId(1), NodeId(2), NodeId(3)});
}

TEST_CASE("malformed frames are cut, noise, too long, or off by a bit") {
  MalformedFrames sender(powers());
  const Bytes honest = wire::encode(Message(wrapped(prepare(5))));
  std::uint64_t broken = 0;
  std::uint64_t malformed = 0;
  for (int i = 0; i < 500; ++i) {
    std::vector<std::uint8_t> frame(honest.begin(), honest.end());
    sender.garble(frame);
    const Bytes bytes{ByteView(frame)};
    broken += bytes != honest;
    malformed += !wire::decode<Message>(bytes, wire::Form::canonical);
  }
  CHECK(broken > 50);
  CHECK(broken <= sender.acted());
  CHECK(malformed > broken / 2);
}

}  // namespace mirbft::testing::floods_test

#include <mirbft/engine/tasks/net.hpp>

#include <chrono>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "../../support/recorder.hpp"
#include "../../support/stub_modules.hpp"

using namespace mirbft;
using namespace mirbft::testing;

namespace {

using Message = StubProtocol::Message;

struct RecordingNet {
  std::vector<std::pair<NodeId, Bytes>> sent, arriving;
  std::vector<FrameClass> kinds;
  int flushes = 0;
  std::chrono::nanoseconds waited{-1};

  void send(NodeId to, FrameClass kind, const Bytes& frame) {
    sent.emplace_back(to, frame);
    kinds.push_back(kind);
  }
  void flush() { ++flushes; }
  template <class Sink>
  void poll(Sink&& sink, std::chrono::nanoseconds at_most, std::size_t max_frames) {
    waited = at_most;
    for (std::size_t i = 0; i < max_frames && i < arriving.size(); ++i)
      sink(arriving[i].first, arriving[i].second);
  }
};
struct BatchProtocol : StubProtocol {
  static FrameClass frame_class(const Message&) { return FrameClass::batch; }
};

struct Fixture {
  RecordingNet net;
  engine::TaskOf<slot::net.index(), RecordingNet, BatchProtocol> task{Bytes("cluster")};
  Recorder out;
};

Bytes frame_of(std::uint64_t value) { return wire::encode(Message{StubMessage{value}}); }

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a message is encoded once, and sent to each of its destinations") {
  task.process(net, SendMessage<Message>{{NodeId(1), NodeId(3)}, StubMessage{5}}, out);
  REQUIRE(net.sent.size() == 2);
  CHECK(net.sent[0].first == NodeId(1));
  CHECK(net.sent[1].first == NodeId(3));
  CHECK(net.sent[0].second == frame_of(5));
  CHECK(net.sent[0].second.data() == net.sent[1].second.data());
  CHECK(net.kinds == std::vector<FrameClass>{FrameClass::batch, FrameClass::batch});
  CHECK(net.flushes == 0);
  task.finish(net, out);
  CHECK(net.flushes == 1);
}

TEST_CASE_FIXTURE(Fixture, "frames come in as messages, as many and as soon as was asked for") {
  net.arriving = {{NodeId(2), frame_of(1)}, {NodeId(3), frame_of(2)}, {NodeId(3), frame_of(3)}};
  task.receive(net, std::chrono::nanoseconds(7), 2, out);
  CHECK(net.waited == std::chrono::nanoseconds(7));
  CHECK(out.size() == 2);
  CHECK(out.take<MessageReceived<Message>>().from == NodeId(2));
  CHECK(std::get<StubMessage>(out.take<MessageReceived<Message>>().message).value == 2);
}

TEST_CASE_FIXTURE(Fixture, "what is no canonical message is counted and dropped") {
  // No field; an unknown field; the value 0, which must be left out; a byte too many.
  net.arriving = {{NodeId(2), Bytes()},
                  {NodeId(2), Bytes{0x12, 0x00}},
                  {NodeId(2), Bytes{0x0a, 0x02, 0x08, 0x00}},
                  {NodeId(2), Bytes{0x0a, 0x02, 0x08, 0x01, 0x00}},
                  {NodeId(2), frame_of(1)}};
  task.receive(net, {}, 10, out);
  CHECK(out.size() == 1);
  CHECK(task.status().malformed_frames == 4);
}

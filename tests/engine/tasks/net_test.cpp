#include <mirbft/engine/tasks/net.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "../../support/recorder.hpp"
#include "../../support/stub_modules.hpp"

using namespace mirbft;
using namespace mirbft::testing;

namespace {

using Message = StubProtocol::Message;

struct LongMessage {
  Bytes content;
};

}  // namespace

BOOST_HANA_ADAPT_STRUCT(LongMessage, content);

namespace {

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
  engine::TaskOf<slot::net.index(), RecordingNet, BatchProtocol> task{NodeConfig{}};
  Recorder out;
};

Bytes frame_of(std::uint64_t value) { return wire::encode(Message{StubMessage{value}}); }

/// Here a message is a vote, of any length.
struct VoteProtocol {
  using Message = std::variant<StubMessage, LongMessage>;
  static FrameClass frame_class(const Message&) { return FrameClass::vote; }
};
struct VoteFixture {
  using Task = engine::TaskOf<slot::net.index(), RecordingNet, VoteProtocol>;
  using Message = VoteProtocol::Message;

  void say(std::vector<NodeId> to, std::uint64_t value) {
    task.process(net, SendMessage<Message>{std::move(to), StubMessage{value}}, out);
  }
  /// A vote that takes so many bytes in its frame.
  static SendMessage<Message> vote_of_size(std::size_t size) {
    const std::size_t header = 2 * 4;  // tags and lengths of the alternative and of its field
    return {{NodeId(1)}, LongMessage{Bytes(std::string(size - header, 'x'))}};
  }
  static std::vector<std::uint64_t> values_in(const Bytes& frame) {
    std::vector<std::uint64_t> values;
    CHECK(wire::split(frame, 100, [&](const Bytes& part) {
      const auto message = wire::decode<Message>(part, wire::Form::canonical);
      REQUIRE(message);
      values.push_back(std::get<StubMessage>(*message).value);
      return true;
    }));
    return values;
  }

  RecordingNet net;
  Task task{NodeConfig{}};
  Recorder out;
};

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

TEST_CASE_FIXTURE(VoteFixture, "votes to the same peers leave in one frame at the end of a list") {
  for (const std::uint64_t value : {5u, 6u, 7u}) say({NodeId(1), NodeId(3)}, value);
  say({NodeId(3)}, 8);
  CHECK(net.sent.size() == 2);
  CHECK(values_in(net.sent[0].second) == std::vector<std::uint64_t>{5, 6, 7});
  CHECK(net.sent[1].first == NodeId(3));
  CHECK(net.sent[1].second.data() == net.sent[0].second.data());
  task.finish(net, out);
  REQUIRE(net.sent.size() == 3);
  CHECK(net.sent[2] == std::pair(NodeId(3), frame_of(8)));
  CHECK(net.flushes == 1);
  task.finish(net, out);
  CHECK(net.sent.size() == 3);
}

TEST_CASE_FIXTURE(VoteFixture, "no frame holds too many votes, or more bytes than it may") {
  for (std::uint64_t i = 0; i < 2 * engine::votes_in_a_frame + 1; ++i) say({NodeId(1)}, i);
  task.finish(net, out);
  CHECK(net.sent.size() == 3);
  net.sent.clear();
  const std::size_t most = frame_limit(FrameClass::vote);
  for (int i = 0; i < 3; ++i) task.process(net, vote_of_size(most / 2), out);
  task.finish(net, out);
  REQUIRE(net.sent.size() == 2);
  CHECK(net.sent[0].second.size() == 2 * (most / 2));
}

TEST_CASE_FIXTURE(VoteFixture, "votes leave one by one where that is wanted, and both are read") {
  NodeConfig config;
  config.vote_frames = VoteFrames::single;
  Task single{config};
  single.process(net, SendMessage<Message>{{NodeId(1)}, StubMessage{1}}, out);
  single.process(net, SendMessage<Message>{{NodeId(1)}, StubMessage{2}}, out);
  CHECK(net.sent.size() == 2);
  for (const std::uint64_t value : {3u, 4u}) say({NodeId(1)}, value);
  task.finish(net, out);
  net.arriving = net.sent;
  task.receive(net, {}, 10, out);
  for (std::uint64_t value = 1; value <= 4; ++value)
    CHECK(std::get<StubMessage>(out.take<MessageReceived<Message>>().message).value == value);
  CHECK(out.empty());
}

TEST_CASE_FIXTURE(VoteFixture, "a frame is dropped from where it holds no canonical message on") {
  const Bytes bad{0x0a, 0x02, 0x08, 0x00};
  net.arriving = {{NodeId(2), wire::join({frame_of(1), frame_of(2), bad, frame_of(3)})},
                  {NodeId(2), wire::join(std::vector<Bytes>(engine::votes_in_a_frame + 1,
                                                            frame_of(9)))}};
  task.receive(net, {}, 10, out);
  CHECK(out.size() == 2 + engine::votes_in_a_frame);
  CHECK(task.status().malformed_frames == 2);
}

TEST_CASE_FIXTURE(Fixture, "what is no canonical message is counted and dropped") {
  // No field; an unknown field; the value 0, which must be left out; a byte too many.
  net.arriving = {{NodeId(2), Bytes()},
                  {NodeId(2), Bytes{0x12, 0x00}},
                  {NodeId(2), Bytes{0x0a, 0x02, 0x08, 0x00}},
                  {NodeId(2), Bytes{0x0a, 0x03, 0x08, 0x01, 0x00}},
                  {NodeId(2), frame_of(1)}};
  task.receive(net, {}, 10, out);
  CHECK(out.size() == 1);
  CHECK(task.status().malformed_frames == 4);
}

#include <mirbft/engine/net_runner.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/modules/interceptor/null.hpp>

#include "../support/relay.hpp"
#include "../support/waiting.hpp"

namespace mirbft::net_runner_test {

using namespace mirbft::testing;
using engine::FollowUps;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t net = slot::net.index();
using Message = StubProtocol::Message;

/// A Net whose other side is the test.
class ScriptedNet {
 public:
  struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<Bytes> arriving;
    std::vector<std::uint64_t> sent;
    std::uint64_t polled = 0;
    bool woken = false;
    Gate* sending = nullptr;
    bool broken = false;

    void arrive(std::uint64_t begin, std::uint64_t end) {
      const std::lock_guard lock(mutex);
      for (std::uint64_t i = begin; i < end; ++i)
        arriving.push_back(wire::encode(Message{StubMessage{i}}));
      changed.notify_all();
    }
    std::uint64_t frames_polled() {
      const std::lock_guard lock(mutex);
      return polled;
    }
  };
  Shared* shared = nullptr;

  void send(NodeId, FrameClass, const Bytes& frame) {
    if (shared->sending && !shared->sending->wait()) throw ModuleFailure("nobody opened the gate");
    const std::lock_guard lock(shared->mutex);
    if (shared->broken) throw std::runtime_error("the cable is broken");
    const auto message = wire::decode<Message>(frame, wire::Form::canonical);
    shared->sent.push_back(std::get<StubMessage>(*message).value);
  }
  void flush() {}
  template <class Sink>
  void poll(Sink&& sink, std::chrono::nanoseconds at_most, std::size_t max_frames) {
    std::unique_lock lock(shared->mutex);
    shared->changed.wait_for(lock, at_most,
                             [&] { return shared->woken || !shared->arriving.empty(); });
    shared->woken = false;
    for (std::size_t i = 0; i < max_frames && !shared->arriving.empty(); ++i) {
      ++shared->polled;
      sink(NodeId(1), std::exchange(shared->arriving.front(), {}));
      shared->arriving.pop_front();
    }
  }
  void wake() {
    const std::lock_guard lock(shared->mutex);
    shared->woken = true;
    shared->changed.notify_all();
  }
  void close() {}

  struct Status {
    std::uint64_t polled = 0;
  };
  Status status() const {
    const std::lock_guard lock(shared->mutex);
    return {shared->polled};
  }
};
struct SendingProtocol : StubProtocol {
  using consumes = events<MessageReceived<Message>, ToProtocol>;
  using emits = events<SendMessage<Message>, ToProtocol>;
  using StubProtocol::process;
  void process(const ToProtocol&, auto&) {}
};

using TestPlan = engine::Plan<ScriptedNet, StubHasher, StubCrypto, StubApp, StubWal, StubTracker,
                              StubStore, SendingProtocol>;
using Core = engine::Core<TestPlan, NullInterceptor>;

struct Fixture {
  static constexpr std::uint64_t busy_above = 20;

  static NodeConfig config() {
    NodeConfig made;
    made.busy_above = busy_above;
    made.frames_at_a_time = 10;
    made.vote_frames = VoteFrames::single;
    return made;
  }

  explicit Fixture(const NodeConfig& node = config())
      : core{node,         NullInterceptor{}, StubTracker{},     StubHasher{},
             StubCrypto{}, StubStore{},       SendingProtocol{}, StubWal{},
             StubApp{},    ScriptedNet{&shared}, engine::TheNode{}} {}

  ScriptedNet::Shared shared;
  Core core;
  std::vector<FollowUps> due;

  auto& list() { return core.items().list<net>(); }
  void send(std::uint64_t begin, std::uint64_t end) {
    for (std::uint64_t i = begin; i < end; ++i)
      core.items().push(SendMessage<Message>{{NodeId(1)}, StubMessage{i}});
  }
  /// Collects until `holds()`, and says whether it does in time.
  template <class Condition>
  bool collect_until(engine::NetRunner<Core>& runner, Condition&& holds) {
    return eventually([&] {
      runner.collect(core.items(), due);
      return holds();
    });
  }
  /// What has come in for the Protocol: messages, and balls.
  std::vector<std::uint64_t> received() {
    std::vector<std::uint64_t> values;
    core.items().release(due);
    core.items().list<slot::protocol.index()>().consume(due, [&]<class E>(E&& event) {
      if constexpr (std::is_same_v<E, ToProtocol>) values.push_back(event.value);
      if constexpr (std::is_same_v<E, MessageReceived<Message>>)
        values.push_back(std::get<StubMessage>(event.message).value);
    });
    return values;
  }
  std::size_t pending() { return core.items().list<slot::protocol.index()>().size(); }
};

/// Frames are few, or long: what waits is bounded in bytes.
struct LongFrames : Fixture {
  static constexpr std::uint64_t frames = 30;

  LongFrames() : Fixture(few_bytes()) {}

  static NodeConfig few_bytes() {
    NodeConfig made = config();
    made.busy_above = 1000;
    made.received_bytes = frames * wire::encode(Message{StubMessage{1}}).size();
    return made;
  }
};

std::vector<std::uint64_t> numbers(std::uint64_t begin, std::uint64_t end) {
  std::vector<std::uint64_t> values;
  for (std::uint64_t i = begin; i < end; ++i) values.push_back(i);
  return values;
}

}  // namespace

TEST_SUITE_BEGIN("threads");

TEST_CASE_FIXTURE(Fixture, "what is handed over is sent in order, and counts until it is") {
  Gate gate;
  shared.sending = &gate;
  engine::NetRunner<Core> runner(core);
  CHECK(runner.idle());
  for (std::uint64_t i = 0; i < 5; ++i) {
    send(10 * i, 10 * i + 10);
    CHECK(runner.ready());
    runner.hand_over(list());
    CHECK(list().size() == 0);
  }
  CHECK_FALSE(runner.idle());
  gate.open();
  CHECK(collect_until(runner, [&] { return runner.idle(); }));
  CHECK(shared.sent == numbers(0, 50));
}

TEST_CASE_FIXTURE(Fixture, "what follows a message counts until it has been collected") {
  Gate gate;
  shared.sending = &gate;
  engine::NetRunner<Core> runner(core);
  core.items().append(*core.items().push(SendMessage<Message>{{NodeId(1)}, StubMessage{1}}),
                      ToProtocol{7});
  runner.hand_over(list());
  gate.open();
  CHECK(eventually([&] {
    const std::lock_guard lock(shared.mutex);
    return shared.sent.size() == 1;
  }));
  CHECK_FALSE(runner.idle());
  CHECK(collect_until(runner, [&] { return !due.empty(); }));
  CHECK(runner.idle());
  CHECK(received() == std::vector<std::uint64_t>{7});
}

TEST_CASE_FIXTURE(Fixture, "frames come in while nothing is sent, and wake who waits for them") {
  engine::NetRunner<Core> runner(core);
  shared.arrive(0, 5);
  core.inbox().dispatcher().wait(patience);
  CHECK(collect_until(runner, [&] { return pending() == 5; }));
  CHECK(received() == numbers(0, 5));
}

TEST_CASE_FIXTURE(Fixture, "who does not collect is read for only so long, and still served") {
  engine::NetRunner<Core> runner(core);
  shared.arrive(0, 1000);
  CHECK(eventually([&] { return shared.frames_polled() >= busy_above; }));
  CHECK_FALSE(eventually([&] { return shared.frames_polled() > busy_above + 10; }, 50ms));
  // Sending goes on.
  send(0, 3);
  runner.hand_over(list());
  CHECK(eventually([&] {
    const std::lock_guard lock(shared.mutex);
    return shared.sent == numbers(0, 3);
  }));

  // A Node that is full collects nothing more either.
  CHECK(collect_until(runner, [&] { return core.is_full(); }));
  const std::size_t taken = pending();
  runner.collect(core.items(), due);
  CHECK(pending() == taken);
  std::vector<std::uint64_t> all = received();
  while (all.size() < 1000) {
    REQUIRE(collect_until(runner, [&] { return pending() > 0; }));
    for (const std::uint64_t value : received()) all.push_back(value);
  }
  CHECK(all == numbers(0, 1000));
}

TEST_CASE_FIXTURE(LongFrames, "who does not collect is read for only so many bytes") {
  engine::NetRunner<Core> runner(core);
  shared.arrive(1, 101);
  CHECK(eventually([&] { return shared.frames_polled() >= frames; }));
  CHECK_FALSE(eventually([&] { return shared.frames_polled() > frames + 10; }, 50ms));
  CHECK(collect_until(runner, [&] { return pending() == 100; }));
  CHECK(received() == numbers(1, 101));
}

TEST_CASE_FIXTURE(LongFrames, "frames that hold no message do not stop it from reading") {
  engine::NetRunner<Core> runner(core);
  {
    const std::lock_guard lock(shared.mutex);
    const Bytes frame = wire::encode(Message{StubMessage{1}});
    shared.arriving.assign(2 * frames, Bytes(std::string(frame.size(), '\xff')));
  }
  shared.arrive(1, 2);
  CHECK(collect_until(runner, [&] { return pending() == 1; }));
  CHECK(received() == numbers(1, 2));
}

TEST_CASE_FIXTURE(Fixture, "once it is told to stop receiving it only sends") {
  engine::NetRunner<Core> runner(core);
  shared.arrive(0, 5);
  CHECK(collect_until(runner, [&] { return pending() == 5; }));
  runner.stop_receiving();
  shared.arrive(5, 10);
  send(0, 3);
  runner.hand_over(list());
  CHECK(collect_until(runner, [&] { return runner.idle(); }));
  CHECK(shared.sent == numbers(0, 3));
  // A poll that had begun may have brought some.
  CHECK(shared.frames_polled() <= 10);
  CHECK(pending() == shared.frames_polled());
}

TEST_CASE_FIXTURE(Fixture, "a frame that holds no message is counted and dropped") {
  engine::NetRunner<Core> runner(core);
  {
    const std::lock_guard lock(shared.mutex);
    shared.arriving.push_back(Bytes{0xff, 0xff});
  }
  shared.arrive(1, 2);
  CHECK(collect_until(runner, [&] { return pending() == 1; }));
  CHECK(received() == std::vector<std::uint64_t>{1});
  CHECK(eventually([&] { return core.stage<net>().report().task.malformed_frames == 1; }));
  CHECK(core.stage<net>().report().module.polled == 2);
}

TEST_CASE_FIXTURE(Fixture, "a failure is thrown at whoever collects") {
  shared.broken = true;
  engine::NetRunner<Core> runner(core);
  core.items().append(*core.items().push(SendMessage<Message>{{NodeId(1)}, StubMessage{1}}),
                      ToProtocol{7});
  send(2, 10);
  runner.hand_over(list());
  core.inbox().dispatcher().wait(patience);
  CHECK_THROWS_WITH_AS(runner.collect(core.items(), due), "the cable is broken", ModuleFailure);
}

TEST_SUITE_END();

}  // namespace mirbft::net_runner_test

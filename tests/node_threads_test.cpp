// A Node driven by run(): a dispatching thread, and modules on threads of their own.
#include <mirbft/node.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <mutex>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/modules/net/loopback.hpp>

#include "support/relay.hpp"
#include "support/small_node.hpp"
#include "support/waiting.hpp"

namespace mirbft::node_threads_test {

using namespace testing;
using namespace std::chrono_literals;

namespace {

/// Runs a Node on a thread of its own, for as long as this lives.
template <class N>
class Running {
 public:
  explicit Running(N& node) : node_(node), thread_([this] { outcome_ = node_.run({}); }) {
    // A Node that is stopped before it began would do nothing.
    CHECK(eventually([&] { return node_.status().state != "created"; }));
  }
  ~Running() { stop(); }

  /// What `run` has returned.
  bool stop() {
    node_.stop();
    return wait();
  }
  bool wait() {
    if (thread_.joinable()) thread_.join();
    return outcome_;
  }

 private:
  N& node_;
  bool outcome_ = false;
  std::thread thread_;
};

/// Everything on threads of its own, except what has to dispatch.
struct ThreadedParts : SmallParts {
  using Hasher = on_thread<StubHasher>;
  using Crypto = on_pool<StubCrypto, 3>;
  using App = on_thread<EchoApp>;
  using Wal = on_thread<MemoryWal>;
  using Tracker = on_thread<PlainTracker>;
  using Store = on_thread<MemoryStore>;
  using Protocol = on_thread<Solo>;
};
struct UsualParts : SmallParts {
  using Crypto = on_pool<StubCrypto, 2>;
  using Wal = on_thread<MemoryWal>;
  using Store = on_thread<MemoryStore>;
};

template <class Parts>
void many_callers() {
  constexpr std::uint64_t clients = 3, requests = 200;
  NodeOf<Parts> node({}, {});
  std::atomic<int> answers = 0, wrong = 0;
  {
    Running running(node);
    std::vector<std::jthread> threads;
    for (std::uint64_t client = 0; client < clients; ++client)
      threads.emplace_back([&, client] {
        for (std::uint64_t i = 0; i < requests; ++i) {
          const Request request = request_of(client, i);
          node.submit(request, [&, expected = request.data](const Replied& reply) {
            ++answers;
            if (reply.outcome != Outcome::delivered || reply.result != expected) ++wrong;
          });
        }
        const Replied last = node.submit(request_of(client, requests)).get();
        if (last.outcome != Outcome::delivered) ++wrong;
      });
    threads.clear();
    CHECK(running.stop());
  }
  CHECK(answers == clients * requests);
  CHECK(wrong == 0);
  CHECK(node.app().applied.size() == clients * (requests + 1));
  CHECK(node.status().state == "stopped");
  CHECK(node.status().pending_events == 0);
  CHECK(node.status().waiting_callers == 0);
}

/// A Wal whose sync waits until a test lets it go on.
struct GatedWal : MemoryWal {
  using placement = placement::thread;
  Gate* gate = nullptr;
  std::atomic<int>* syncs = nullptr;

  void sync() {
    if (syncs) ++*syncs;
    if (gate && !gate->wait()) throw ModuleFailure("nobody opened the gate");
    MemoryWal::sync();
  }
};
struct GatedParts : SmallParts {
  using Wal = GatedWal;
};

}  // namespace

TEST_SUITE_BEGIN("threads");

TEST_CASE("requests of many threads come back, wherever the modules run") {
  SUBCASE("all on the dispatching thread") { many_callers<SmallParts>(); }
  SUBCASE("those on threads that usually are") { many_callers<UsualParts>(); }
  SUBCASE("all on threads") { many_callers<ThreadedParts>(); }
}

namespace {

template <template <class> class Where>
struct RelayParts : SmallParts {
  using Net = Where<Relay<slot::net.index(), StubNet>>;
  using Hasher = Where<Relay<slot::hasher.index(), StubHasher>>;
  using Crypto = on_pool<Relay<slot::crypto.index(), StubCrypto>, 2>;
  using App = inline_<Relay<slot::app.index(), StubApp>>;
  using Wal = Where<Relay<slot::wal.index(), StubWal>>;
  using Tracker = inline_<Relay<slot::tracker.index(), StubTracker>>;
  using Store = Where<Relay<slot::store.index(), StubStore>>;
  using Protocol = Where<Relay<slot::protocol.index(), StubProtocol>>;
};

template <class Parts>
void pass_balls() {
  constexpr std::uint64_t balls = 3000;
  NodeOf<Parts> node({}, {});
  std::vector<std::uint64_t> sent;
  Running running(node);
  for (std::uint64_t i = 0; i < balls; ++i) {
    while (node.inject(ToTracker{i}) != Submitted::accepted) std::this_thread::yield();
    sent.push_back(i);
  }
  CHECK(node.inject(ToAll{}) == Submitted::accepted);
  // Nothing says when a ball has arrived: that it has when run() ends is what is tested.
  CHECK(running.stop());
  CHECK(node.app().caught == sent);
  CHECK(node.protocol().caught == sent);
  CHECK(node.net().caught == sent);
  CHECK(node.net().broadcasts == 1);
  CHECK(node.status().dispatched_events >= 8 * (balls + 1));
  CHECK(node.inject(ToTracker{0}) == Submitted::stopped);
}

}  // namespace

TEST_CASE("each module gets its events in order, and none is lost when the Node stops") {
  SUBCASE("on one thread") { pass_balls<RelayParts<inline_>>(); }
  SUBCASE("on many") { pass_balls<RelayParts<on_thread>>(); }
}

TEST_CASE("whoever was accepted is answered, also while the Node stops") {
  NodeOf<ThreadedParts> node({}, {});
  std::atomic<int> accepted = 0, delivered = 0, other = 0;
  Running running(node);
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t client = 0; client < 3; ++client)
      threads.emplace_back([&, client](std::stop_token) {
        for (std::uint64_t i = 0;; ++i) {
          const Submitted submitted =
              node.submit(request_of(client, i), [&](const Replied& reply) {
                ++(reply.outcome == Outcome::delivered ? delivered : other);
              });
          if (submitted == Submitted::stopped) return;
          if (submitted == Submitted::accepted) ++accepted;
        }
      });
    CHECK(eventually([&] { return delivered > 1000; }));
    CHECK(running.stop());
  }
  CHECK(delivered == accepted);
  CHECK(other == 0);
}

TEST_CASE("run() ends at once where there is nothing to run") {
  SUBCASE("stopped before") {
    SmallNode node({}, {});
    std::future<Replied> waiting = node.submit(request_of(1, 0));
    node.stop();
    CHECK(node.run({}));
    CHECK(waiting.get().outcome == Outcome::shut_down);
    CHECK(node.status().state == "stopped");
    CHECK(node.app().applied.empty());
  }
  SUBCASE("stopped by its token") {
    std::stop_source source;
    source.request_stop();
    SmallNode node({}, {});
    CHECK(node.run(source.get_token()));
    CHECK(node.submit(request_of(1, 0)).get().outcome == Outcome::shut_down);
  }
  SUBCASE("run before") {
    SmallNode node({}, {});
    CHECK(Running(node).stop());
    CHECK(node.run({}));
  }
  SUBCASE("failed before") {
    MemoryWal::Log log;
    MemoryWal(log).append(77, Bytes("?"), RetentionIndex(0));
    SmallNode node({}, {.wal = MemoryWal(log)});
    node.process();
    CHECK(node.status().state == "failed");
    CHECK_FALSE(node.run({}));
  }
}

TEST_CASE("a Node may be driven inline first, and then run") {
  SmallNode node({}, {});
  std::future<Replied> first = node.submit(request_of(1, 0));
  node.process();
  CHECK(first.get().outcome == Outcome::delivered);
  Running running(node);
  CHECK(node.submit(request_of(1, 1)).get().outcome == Outcome::delivered);
}

namespace {

struct FailingWal : MemoryWal {
  using placement = placement::thread;
  int left = 5;
  bool strangely = false;

  void append(std::uint32_t type, Bytes entry, RetentionIndex retention) {
    // Only once: what comes after it would fit.
    if (left-- == 0) {
      if (strangely) throw 42;
      throw std::runtime_error("no space left on device");
    }
    MemoryWal::append(type, std::move(entry), retention);
  }
};
struct FailingWalParts : SmallParts {
  using Wal = FailingWal;
};

template <class Parts>
void fail_after_five(typename NodeOf<Parts>::Modules modules, const std::string& reason) {
  NodeOf<Parts> node({}, std::move(modules));
  std::vector<std::future<Replied>> futures;
  for (std::uint64_t i = 0; i < 20; ++i) futures.push_back(node.submit(request_of(1, i)));
  Running running(node);
  for (std::future<Replied>& future : futures) {
    REQUIRE(future.wait_for(patience) == std::future_status::ready);
    const Outcome outcome = future.get().outcome;
    CHECK((outcome == Outcome::delivered || outcome == Outcome::shut_down));
  }
  CHECK_FALSE(running.wait());
  CHECK(node.failure() == reason);
  CHECK(node.status().state == "failed");
  CHECK(node.submit(request_of(1, 99)).get().outcome == Outcome::shut_down);
}

/// A Crypto whose keys have gone.
struct FailingCrypto : StubCrypto {
  using consumes = events<ToCrypto>;
  void process(const ToCrypto&, auto&) { throw std::runtime_error("no keys"); }
};
struct AskingTracker : PlainTracker {
  using emits = engine::Union<PlainTracker::emits, events<ToCrypto>>;
  using PlainTracker::process;
  void process(NewRequest, auto& out) { out.emit(ToCrypto{}); }
};
struct FailingPoolParts : SmallParts {
  using Crypto = on_pool<FailingCrypto, 3>;
  using Tracker = AskingTracker;
};

}  // namespace

TEST_CASE("a module that fails on its thread stops the Node with its reason") {
  SUBCASE("a thread") {
    fail_after_five<FailingWalParts>({}, "wal: no space left on device");
  }
  SUBCASE("an exception of any type") {
    FailingWal wal;
    wal.strangely = true;
    fail_after_five<FailingWalParts>({.wal = std::move(wal)},
                                     "wal: an exception that is no std::exception");
  }
  SUBCASE("a pool") { fail_after_five<FailingPoolParts>({}, "crypto: no keys"); }
}

TEST_CASE("after an entry that could not be written, none is written") {
  MemoryWal::Log log;
  FailingWal wal;
  static_cast<MemoryWal&>(wal) = MemoryWal(log);
  NodeOf<FailingWalParts> node({}, {.wal = std::move(wal)});
  for (std::uint64_t i = 0; i < 20; ++i) node.submit(request_of(1, i), [](const Replied&) {});
  CHECK_FALSE(node.run({}));
  CHECK(log.status().appended == 5);
}

TEST_CASE("the Node goes on while a module's thread waits for its disk") {
  Gate gate;
  std::atomic<int> syncs = 0;
  GatedWal wal;
  wal.gate = &gate;
  wal.syncs = &syncs;
  NodeOf<GatedParts> node({}, {.wal = std::move(wal)});
  Running running(node);
  std::future<Replied> blocked = node.submit(request_of(1, 0));
  CHECK(eventually([&] { return syncs == 1; }));
  // The tracker still works, and the status is still answered.
  std::future<Replied> next = node.submit(request_of(1, 1));
  CHECK(eventually([&] { return node.status().store.requests == 2; }));
  CHECK(node.status().wal.durable == 0);
  CHECK(node.status().waiting_callers == 2);
  gate.open();
  CHECK(blocked.get().outcome == Outcome::delivered);
  CHECK(next.get().outcome == Outcome::delivered);
  // Both lists were synced by themselves, and the status follows.
  CHECK(eventually([&] { return node.status().wal.durable == 2; }));
  CHECK(syncs == 2);
}

TEST_CASE("the status may be asked for by anybody at any time") {
  NodeOf<ThreadedParts> node({}, {});
  std::atomic<bool> done = false;
  std::atomic<std::uint64_t> last = 0;
  std::vector<std::jthread> asking;
  Running running(node);
  for (int i = 0; i < 3; ++i)
    asking.emplace_back([&] {
      while (!done) last = node.status().dispatched_events;
    });
  for (std::uint64_t i = 0; i < 50; ++i) {
    std::string state;
    node.submit(request_of(1, i), [&](const Replied&) { state = node.status().state; });
    CHECK(node.submit(request_of(2, i)).get().outcome == Outcome::delivered);
    CHECK(eventually([&] { return node.status().waiting_callers == 0; }));
    CHECK(state == "working");
  }
  CHECK(running.stop());
  CHECK(node.status().state == "stopped");
  done = true;
  asking.clear();
  CHECK(last > 0);
}

namespace {

/// A Net to which frames arrive without end, and which keeps what is sent.
struct FloodingNet {
  using placement = placement::thread;
  struct Shared {
    std::atomic<std::uint64_t> received = 0;
    std::atomic<std::uint64_t> sent = 0;
    std::atomic<bool> closed = false;
    Bytes frame = wire::encode(StubProtocol::Message{StubMessage{1}});
  };
  Shared* shared = nullptr;

  void send(NodeId, FrameClass, const Bytes&) { ++shared->sent; }
  void flush() {}
  template <class Sink>
  void poll(Sink&& sink, std::chrono::nanoseconds, std::size_t max_frames) {
    for (std::size_t i = 0; i < max_frames; ++i) {
      ++shared->received;
      sink(NodeId(1), shared->frame);
    }
  }
  void wake() {}
  void close() { shared->closed = true; }
};

/// For each message a write to the log, and then an answer.
struct DiligentProtocol : StubProtocol {
  using emits = events<ToWal, SendMessage<Message>>;
  std::uint64_t received = 0;
  void process(const MessageReceived<Message>& message, auto& out) {
    ++received;
    out.emit(ToWal{}).then(SendMessage<Message>{{message.from}, message.message});
  }
};
struct SlowWal : StubWal {
  using placement = placement::thread;
  using consumes = events<ToWal>;
  Gate* gate = nullptr;
  std::uint64_t written = 0;
  void process(const ToWal&, auto&) {
    if (++written == 1 && !gate->wait()) throw ModuleFailure("nobody opened the gate");
  }
};
template <template <class> class Where>
struct FloodedParts : SmallParts {
  using Net = Where<FloodingNet>;
  using Tracker = StubTracker;
  using Protocol = DiligentProtocol;
  using Wal = SlowWal;
};

/// Tells the time, and how often it was asked: once a round of the dispatching thread.
struct CountingClock {
  std::atomic<std::uint64_t>* rounds;
  std::chrono::nanoseconds operator()() const {
    ++*rounds;
    return std::chrono::steady_clock::now().time_since_epoch();
  }
};

template <class Parts>
void flood() {
  constexpr std::uint64_t busy_above = 200, at_a_time = 50;
  Gate gate;
  FloodingNet::Shared shared;
  SlowWal wal;
  wal.gate = &gate;
  NodeConfig config;
  config.busy_above = busy_above;
  config.frames_at_a_time = at_a_time;
  config.vote_frames = VoteFrames::single;  // so that each answer is a frame
  NodeOf<Parts> node(config, {.net = {&shared}, .wal = std::move(wal)});
  std::atomic<std::uint64_t> rounds = 0;
  std::thread thread([&] { CHECK(node.run({}, CountingClock{&rounds})); });

  // While the log waits, nothing is taken in beyond what may be pending: here, in the thread of
  // the Net, and in the list that the log has been given.
  CHECK(eventually([&] { return shared.received >= busy_above; }));
  CHECK_FALSE(eventually([&] { return shared.received > 3 * (busy_above + at_a_time); }, 200ms));
  // Nor does the dispatching thread turn idly: 200 ms are 40 ticks.
  CHECK(rounds < 2000);
  const std::uint64_t before = shared.received;
  gate.open();
  CHECK(eventually([&] { return shared.received > before + 10 * busy_above; }));
  // Frames without end do not keep the Node from stopping.
  node.stop();
  thread.join();
  CHECK(shared.closed);
  CHECK(shared.sent == node.protocol().received);
}

}  // namespace

TEST_CASE("a Node that does not keep up stops reading, and stops when it is told to") {
  SUBCASE("Net on the dispatching thread") { flood<FloodedParts<inline_>>(); }
  SUBCASE("Net on a thread of its own") { flood<FloodedParts<on_thread>>(); }
}

namespace {

/// Sends one message for each it receives, to the other of two nodes, up to a limit.
struct PingPong : StubProtocol {
  using consumes = events<MessageReceived<Message>, ToProtocol>;
  using emits = events<SendMessage<Message>, ToApp>;
  static constexpr std::uint64_t limit = 200;
  NodeId peer;

  void process(const ToProtocol&, auto& out) { send(0, out); }
  void process(const MessageReceived<Message>& received, auto& out) {
    const std::uint64_t value = std::get<StubMessage>(received.message).value;
    out.emit(ToApp{value});
    if (value < limit) send(value + 1, out);
  }
  void send(std::uint64_t value, auto& out) {
    // The App hears of what was sent, once it was.
    out.emit(SendMessage<Message>{{peer}, StubMessage{value}}).then(ToApp{1000 + value});
  }
};
struct PlayApp : StubApp {
  using consumes = events<ToApp>;
  std::vector<std::uint64_t> heard;
  std::atomic<std::uint64_t>* count = nullptr;
  void process(const ToApp& event, auto&) {
    heard.push_back(event.value);
    ++*count;
  }
};
struct KickTracker : StubTracker {
  using emits = events<ToProtocol>;
};
template <template <class> class Where>
struct PlayParts : SmallParts {
  using Net = Where<LoopbackNet>;
  using Tracker = KickTracker;
  using Protocol = PingPong;
  using App = PlayApp;
};

template <class Parts>
void play() {
  using Player = NodeOf<Parts>;
  LoopbackHub hub({NodeId(0), NodeId(1)});
  std::atomic<std::uint64_t> counts[2] = {0, 0};
  const auto modules = [&](std::uint64_t self) {
    PingPong protocol;
    protocol.peer = NodeId(1 - self);
    PlayApp app;
    app.count = &counts[self];
    return typename Player::Modules{.net = LoopbackNet(hub, NodeId(self)),
                                    .app = std::move(app),
                                    .protocol = std::move(protocol)};
  };
  Player one({}, modules(0)), two({}, modules(1));
  Running first(one), second(two);
  one.inject(ToProtocol{});
  // Each message is heard of twice: when it was sent, and when it has arrived.
  constexpr std::uint64_t messages = PingPong::limit + 1;
  CHECK(eventually([&] { return counts[0] + counts[1] == 2 * messages; }));
  CHECK(first.stop());
  CHECK(second.stop());
  CHECK(one.status().malformed_frames == 0);
  CHECK(two.status().net.received == messages / 2 + 1);
}

}  // namespace

TEST_CASE("two Nodes exchange messages, whichever thread their Net is on") {
  SUBCASE("inline") { play<PlayParts<inline_>>(); }
  SUBCASE("on a thread") { play<PlayParts<on_thread>>(); }
}

namespace {

/// A Net to which nothing arrives; it notes how long it was told to wait after a message was sent.
struct PatientNet {
  using placement = placement::thread;
  struct Shared {
    std::mutex mutex;
    bool sent = false;
    std::vector<std::chrono::nanoseconds> waits_after_sending;
    Gate woken;
  };
  Shared* shared = nullptr;

  void send(NodeId, FrameClass, const Bytes&) {
    const std::lock_guard lock(shared->mutex);
    shared->sent = true;
  }
  void flush() {}
  void poll(auto&&, std::chrono::nanoseconds at_most, std::size_t) {
    {
      const std::lock_guard lock(shared->mutex);
      if (std::exchange(shared->sent, false)) shared->waits_after_sending.push_back(at_most);
    }
    std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(at_most, 1ms));
  }
  void wake() {}
  void close() {}
};
struct PatientParts : SmallParts {
  using Net = PatientNet;
  using Tracker = KickTracker;
  using Protocol = PingPong;
  using App = PlayApp;
};

}  // namespace

TEST_CASE("what follows a message does not wait for what arrives") {
  PatientNet::Shared shared;
  std::atomic<std::uint64_t> count = 0;
  PlayApp app;
  app.count = &count;
  NodeOf<PatientParts> node({}, {.net = {&shared}, .app = std::move(app)});
  Running running(node);
  node.inject(ToProtocol{});
  CHECK(eventually([&] { return count == 1; }));
  CHECK(running.stop());
  REQUIRE(shared.waits_after_sending.size() == 1);
  CHECK(shared.waits_after_sending[0] == 0ns);
}

namespace {

struct TickingProtocol : StubProtocol {
  using consumes = events<MessageReceived<Message>, Tick>;
  using StubProtocol::process;
  std::atomic<std::uint64_t>* ticks = nullptr;
  std::chrono::nanoseconds last{-1};
  bool forward = true;

  void process(const Tick& tick, auto&) {
    forward = forward && tick.now > last;
    last = tick.now;
    ++*ticks;
  }
};
struct TickingParts : SmallParts {
  using Protocol = TickingProtocol;
  using Tracker = StubTracker;
};

}  // namespace

TEST_CASE("time is told as often as the configuration says, by the clock that is given") {
  std::atomic<std::uint64_t> ticks = 0;
  TickingProtocol protocol;
  protocol.ticks = &ticks;
  NodeConfig config;
  config.tick_every = 1ms;
  NodeOf<TickingParts> node(config, {.protocol = std::move(protocol)});
  // An hour passes each time that somebody looks.
  std::thread thread([&] {
    CHECK(node.run({}, [now = std::chrono::nanoseconds(0)]() mutable { return now += 1h; }));
  });
  CHECK(eventually([&] { return ticks > 10; }));
  node.stop();
  thread.join();
  CHECK(node.protocol().forward);
  CHECK(node.protocol().last >= 10h);
}

TEST_CASE("a callback may stop the Node") {
  SmallNode node({}, {});
  node.submit(request_of(1, 0), [&](const Replied&) { node.stop(); });
  CHECK(node.run({}));
  CHECK(node.status().state == "stopped");
}

namespace {

struct FullDisk {
  template <class... Es>
  void begin(NodeId, ByteView, events<Es...>) {}
  template <class List>
  void intercept(Slot slot, const List&) {
    if (slot == slot::wal) throw ModuleFailure("the disk is full");
  }
  void end() {}
};
struct FullDiskParts : ThreadedParts {
  using Interceptor = FullDisk;
};

}  // namespace

TEST_CASE("an Interceptor that fails stops a Node that runs") {
  MemoryWal::Log log;
  NodeOf<FullDiskParts> node({}, {.wal = MemoryWal(log)});
  std::future<Replied> future = node.submit(request_of(1, 0));
  CHECK_FALSE(node.run({}));
  CHECK(node.failure() == "interceptor: the disk is full");
  CHECK(future.get().outcome == Outcome::shut_down);
  CHECK(log.status().appended == 0);
}

TEST_SUITE_END();

}  // namespace mirbft::node_threads_test

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <mirbft/modules/net/loopback.hpp>

namespace mirbft::loopback_test {

using namespace std::chrono_literals;

namespace {

constexpr auto forever = std::chrono::nanoseconds::max();
constexpr std::size_t all = 1'000'000;

using Received = std::vector<std::pair<NodeId, std::string>>;

Received poll(LoopbackNet& net, std::chrono::nanoseconds at_most = 0ns, std::size_t max = all) {
  Received received;
  net.poll([&](NodeId from, Bytes payload) { received.emplace_back(from, payload.text()); },
           at_most, max);
  return received;
}

void send(LoopbackNet& net, std::uint64_t to, const char* text) {
  net.send(NodeId(to), FrameClass::vote, Bytes(text));
}

}  // namespace

TEST_CASE("frames go to their destination in order, after the flush, itself included") {
  LoopbackHub hub({NodeId(0), NodeId(1)});
  LoopbackNet zero(hub, NodeId(0));
  LoopbackNet one(hub, NodeId(1));
  send(zero, 1, "a");
  send(zero, 1, "b");
  send(zero, 0, "self");
  CHECK(poll(one).empty());
  zero.flush();
  send(one, 1, "c");
  one.flush();
  CHECK(poll(one) == Received{{NodeId(0), "a"}, {NodeId(0), "b"}, {NodeId(1), "c"}});
  CHECK(poll(zero) == Received{{NodeId(0), "self"}});
  CHECK(poll(one).empty());
  CHECK(zero.status().sent == 3);
  CHECK(one.status().received == 3);
}

TEST_CASE("a payload is handed over without being copied") {
  LoopbackHub hub({NodeId(0)});
  LoopbackNet net(hub, NodeId(0));
  const Bytes payload("payload");
  net.send(NodeId(0), FrameClass::batch, payload);
  net.flush();
  const std::uint8_t* arrived = nullptr;
  net.poll([&](NodeId, Bytes received) { arrived = received.data(); }, 0ns, all);
  CHECK(arrived == payload.data());
}

TEST_CASE("poll gives at most what was asked for and keeps the rest") {
  LoopbackHub hub({NodeId(0)});
  LoopbackNet net(hub, NodeId(0));
  for (const char* text : {"a", "b", "c"}) send(net, 0, text);
  net.flush();
  CHECK(poll(net, 0ns, 0).empty());
  CHECK(poll(net, 0ns, 2) == Received{{NodeId(0), "a"}, {NodeId(0), "b"}});
  CHECK(poll(net, forever, 2) == Received{{NodeId(0), "c"}});
}

TEST_CASE("what comes before the receiver is made waits for it") {
  LoopbackHub hub({NodeId(0), NodeId(1)});
  LoopbackNet zero(hub, NodeId(0));
  send(zero, 1, "early");
  zero.flush();
  LoopbackNet one(hub, NodeId(1));
  CHECK(poll(one) == Received{{NodeId(0), "early"}});
}

TEST_CASE("a full inbox drops and counts, and takes again when it was emptied") {
  const std::size_t room_for_two = 2 * (LoopbackHub::frame_cost + 1);
  LoopbackHub hub({NodeId(0), NodeId(1)}, room_for_two);
  LoopbackNet zero(hub, NodeId(0));
  LoopbackNet one(hub, NodeId(1));
  for (const char* text : {"a", "b", "over the list"}) send(zero, 1, text);
  zero.flush();
  CHECK(zero.status().dropped == 1);
  send(zero, 1, "over the inbox");
  zero.flush();
  CHECK(zero.status().dropped == 2);
  CHECK(poll(one) == Received{{NodeId(0), "a"}, {NodeId(0), "b"}});
  CHECK(poll(one).empty());
  send(zero, 1, "c");
  zero.flush();
  CHECK(poll(one) == Received{{NodeId(0), "c"}});
  CHECK(zero.status().dropped == 2);
}

TEST_CASE("an inbox that has room for a part of a list takes that part") {
  LoopbackHub hub({NodeId(0), NodeId(1)}, 3 * (LoopbackHub::frame_cost + 1));
  LoopbackNet zero(hub, NodeId(0));
  LoopbackNet one(hub, NodeId(1));
  send(one, 1, "a");
  one.flush();
  for (const char* text : {"b", "c", "d"}) send(zero, 1, text);
  zero.flush();
  CHECK(poll(one) == Received{{NodeId(1), "a"}, {NodeId(0), "b"}, {NodeId(0), "c"}});
  CHECK(zero.status().dropped == 1);
}

TEST_CASE("frames to nobody and too long ones are refused and counted") {
  LoopbackHub hub({NodeId(0)});
  LoopbackNet net(hub, NodeId(0));
  send(net, 7, "nobody");
  const std::string longest(frame_limit(FrameClass::vote), 'x');
  net.send(NodeId(0), FrameClass::vote, Bytes(longest + 'x'));
  CHECK(net.status().refused == 2);
  net.send(NodeId(0), FrameClass::vote, Bytes(longest));
  net.flush();
  CHECK(poll(net) == Received{{NodeId(0), longest}});
}

TEST_CASE("a hub has each member once and a member one net") {
  CHECK_THROWS_WITH_AS(LoopbackHub({NodeId(1), NodeId(1)}),
                       "members = 1: stands twice; name it once", ConfigError);
  LoopbackHub hub({NodeId(0)});
  CHECK_THROWS_AS(LoopbackNet(hub, NodeId(2)), ConfigError);
  LoopbackNet net(hub, NodeId(0));
  LoopbackNet moved = std::move(net);
  CHECK_THROWS_AS(LoopbackNet(hub, NodeId(0)), ConfigError);
}

TEST_CASE("close hands over what was sent; a closed member takes nothing until it is made anew") {
  LoopbackHub hub({NodeId(0), NodeId(1)});
  LoopbackNet zero(hub, NodeId(0));
  {
    LoopbackNet one(hub, NodeId(1));
    send(one, 0, "last words");
    one.close();
    CHECK(poll(zero) == Received{{NodeId(1), "last words"}});
    send(zero, 1, "too late");
    zero.flush();
    CHECK(zero.status().dropped == 1);
    CHECK(poll(one, forever).empty());
    send(one, 0, "after close");
    CHECK(one.status().refused == 1);
  }
  LoopbackNet again(hub, NodeId(1));
  send(zero, 1, "welcome");
  zero.flush();
  CHECK(poll(again) == Received{{NodeId(0), "welcome"}});
}

TEST_CASE("a poll without frames, or that takes none, ends when its time is up") {
  LoopbackHub hub({NodeId(0)});
  LoopbackNet net(hub, NodeId(0));
  const auto start = std::chrono::steady_clock::now();
  CHECK(poll(net, 5ms).empty());
  CHECK(std::chrono::steady_clock::now() - start >= 5ms);
  send(net, 0, "a");
  net.flush();
  CHECK(poll(net, 5ms, 0).empty());
  CHECK(std::chrono::steady_clock::now() - start >= 10ms);
  CHECK(poll(net, forever) == Received{{NodeId(0), "a"}});
}

TEST_SUITE("threads") {
  TEST_CASE("wake ends the poll that waits, or else the next one") {
    LoopbackHub hub({NodeId(0)});
    LoopbackNet net(hub, NodeId(0));
    net.wake();
    CHECK(poll(net, forever).empty());
    net.wake();
    CHECK(poll(net, forever, 0).empty());
    std::thread waker([&] { net.wake(); });
    CHECK(poll(net, forever).empty());
    waker.join();
  }

  TEST_CASE("members on threads of their own get every frame, each sender's in order") {
    constexpr std::uint64_t members = 4;
    constexpr std::uint64_t frames = 2'000;
    LoopbackHub hub({NodeId(0), NodeId(1), NodeId(2), NodeId(3)});
    std::vector<std::uint64_t> in_order(members, 0);

    const auto run = [&](std::uint64_t self) {
      LoopbackNet net(hub, NodeId(self));
      std::vector<std::uint64_t> next(members, 0);
      std::uint64_t missing = members * frames;
      const auto sink = [&](NodeId from, Bytes payload) {
        in_order[self] += payload.text() == std::to_string(next[from.value]++) ? 1 : 0;
        --missing;
      };
      for (std::uint64_t frame = 0; frame < frames; ++frame) {
        const Bytes payload(std::to_string(frame));
        for (std::uint64_t to = 0; to < members; ++to)
          net.send(NodeId(to), FrameClass::vote, payload);
        if (frame % 7 == 6) net.flush();
        net.poll(sink, 0ns, 5);
      }
      net.flush();
      while (missing > 0) net.poll(sink, forever, all);
    };
    std::vector<std::thread> threads;
    for (std::uint64_t self = 0; self < members; ++self) threads.emplace_back(run, self);
    for (std::thread& thread : threads) thread.join();
    for (const std::uint64_t count : in_order) CHECK(count == members * frames);
  }
}

}  // namespace mirbft::loopback_test

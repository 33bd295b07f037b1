#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/sim/adversary/leaders.hpp>
#include <mirbft/sim/adversary/links.hpp>
#include <mirbft/sim/adversary/net.hpp>
#include <mirbft/sim/adversary/replica.hpp>
#include <mirbft/sim/adversary/state.hpp>
#include <mirbft/sim/adversary/votes.hpp>
#include <mirbft/sim/adversary/wal.hpp>
#include <mirbft/sim/disk.hpp>
#include <mirbft/sim/network.hpp>

#include "stage.hpp"

namespace mirbft::testing::replica_test {
namespace {

using namespace std::chrono_literals;

template <class... Behaviours>
sim::byzantine::Replica made_of() {
  std::vector<std::unique_ptr<Behaviour>> all;
  (all.push_back(std::make_unique<Behaviours>(powers())), ...);
  return sim::byzantine::Replica(std::move(all));
}

/// Replicas 0 to 3, of which 0 has an adversary, or none.
struct Links {
  sim::Clock clock;
  sim::Network network{{NodeId(0), NodeId(1), NodeId(2), NodeId(3)}, clock, sim::Random(1)};
  sim::Adversarial<sim::Net> net;
  sim::Net other{network.connect(NodeId(1))};

  explicit Links(sim::Adversary* adversary) : net(network.connect(NodeId(0)), adversary) {}

  void pass(sim::Time time) {
    clock.advance_to(clock.now() + time);
    net.poll([](NodeId, const Bytes&) {}, 0ns, 1);
  }
  std::vector<Bytes> arrived() {
    while (network.next_arrival() != sim::never) network.arrive();
    std::vector<Bytes> frames;
    other.poll([&](NodeId, Bytes frame) { frames.push_back(std::move(frame)); }, 0ns, 100);
    return frames;
  }
};

const Bytes vote = wire::encode(Message(wrapped(prepare(1))));
const Bytes end = wire::encode(Message(wrapped(commit(1))));

}  // namespace

TEST_CASE("without an adversary, a Net is the Net that it wraps") {
  Links links(nullptr);
  const Bytes frame = wire::join({vote, end});
  links.net.send(NodeId(1), FrameClass::vote, frame);
  links.net.send(NodeId(1), FrameClass::vote, Bytes("noise"));
  CHECK(links.arrived() == std::vector<Bytes>{frame, Bytes("noise")});
  CHECK(links.net.status().sent == 2);
}

TEST_CASE("frames are taken apart, and each message goes through all behaviours") {
  auto adversary = made_of<SilentLeader, DelayedCommits>();
  Links links(&adversary);
  const Bytes leads = wire::encode(Message(wrapped(proposal(1, {}))));
  for (const std::uint64_t to : {1u, 2u, 3u})
    links.net.send(NodeId(to), FrameClass::vote, wire::join({leads, vote, end}));
  links.arrived();
  CHECK(adversary.behaviours()[0]->acted() == 3);
  CHECK(adversary.behaviours()[1]->acted() == 1);
  CHECK(links.net.status().sent == 5);
  links.pass(3s);  // the one Commit that was late
  CHECK(links.net.status().sent == 6);
}

TEST_CASE("what a replica hears it answers at once, and its honest part hears it too") {
  auto adversary = made_of<DoubleVotes>();
  Links links(&adversary);
  links.other.send(NodeId(0), FrameClass::vote, vote);
  CHECK(links.arrived().empty());
  std::vector<Bytes> seen;
  links.net.poll([&](NodeId, Bytes frame) { seen.push_back(std::move(frame)); }, 0ns, 10);
  CHECK(seen == std::vector<Bytes>{vote});
  CHECK(links.arrived().size() == 2);
}

TEST_CASE("a forgetful log shows a beginning of what was written, and crashes now and then") {
  sim::Disk disk{sim::Random(1)};
  auto adversary = made_of<Amnesia>();
  sim::Forgetful<sim::Wal> honest{sim::Wal(disk)};
  for (std::uint8_t i = 0; i < 10; ++i) honest.append(i, Bytes{i}, RetentionIndex(0));
  std::size_t kept = 0;
  honest.replay([&](std::uint32_t, const Bytes&) { ++kept; });
  CHECK(kept == 10);
  sim::Forgetful<sim::Wal> wal(sim::Wal(disk), &adversary);
  std::size_t forgotten = 0;
  for (int i = 0; i < 20; ++i) {
    std::uint32_t next = 0;
    wal.replay([&](std::uint32_t type, const Bytes&) { CHECK(type == next++); });
    forgotten += next < 10;
  }
  CHECK(forgotten == adversary.behaviours()[0]->acted());
  CHECK(forgotten > 0);
  CHECK_THROWS_AS(
      [&] {
        for (;;) wal.append(1, {}, RetentionIndex(0));
      }(),
      ModuleFailure);
}

}  // namespace mirbft::testing::replica_test

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/concepts.hpp>
#include <mirbft/sim/network.hpp>

namespace mirbft::sim::network_test {
namespace {

static_assert(IsNet<Net>);

constexpr Time millisecond = std::chrono::milliseconds(1);

/// Four members, whose nets are polled as soon as something arrives.
class Members {
 public:
  explicit Members(LinkRates rates = {}, std::uint64_t seed = 1)
      : network_({NodeId(0), NodeId(1), NodeId(2), NodeId(3)}, clock_, Random(seed), rates) {
    for (const NodeId id : network_.members()) nets_.emplace(id.value, network_.connect(id));
  }

  Network& network() { return network_; }
  Net& net(std::uint64_t id) { return nets_.at(id); }
  void leave(std::uint64_t id) { nets_.erase(id); }
  Time now() const { return clock_.now(); }

  void send(std::uint64_t from, std::uint64_t to, const std::string& text) {
    net(from).send(NodeId(to), FrameClass::vote, Bytes(text));
  }
  void pass(Time time) {
    const Time end = clock_.now() + time;
    while (network_.next_arrival() <= end) {
      clock_.advance_to(network_.next_arrival());
      poll(network_.arrive().value);
    }
    clock_.advance_to(end);
  }
  /// What a member has received, in order, as "sender:text".
  std::vector<std::string> received(std::uint64_t by) { return std::exchange(received_[by], {}); }

 private:
  void poll(std::uint64_t id) {
    const auto found = nets_.find(id);
    if (found == nets_.end()) return;
    found->second.poll(
        [&](NodeId from, const Bytes& payload) {
          received_[id].push_back(std::to_string(from.value) + ":" + std::string(payload.text()));
        },
        Time{}, 100);
  }

  Clock clock_;
  Network network_;
  std::map<std::uint64_t, Net> nets_;
  std::map<std::uint64_t, std::vector<std::string>> received_;
};

using Texts = std::vector<std::string>;

void send_many(Members& members, int count) {
  for (int i = 0; i < count; ++i) members.send(0, 1, std::to_string(i));
  members.pass(std::chrono::seconds(10));
}

}  // namespace

TEST_CASE("frames arrive once, in order, within the time that links take") {
  Members members;
  for (const char* text : {"a", "b", "c"}) members.send(0, 1, text);
  members.send(2, 1, "d");
  members.pass(std::chrono::microseconds(49));
  CHECK(members.received(1).empty());
  members.pass(millisecond);
  Texts received = members.received(1);
  std::erase(received, "2:d");
  CHECK(received == Texts{"0:a", "0:b", "0:c"});
  CHECK(members.network().next_arrival() == never);
}

TEST_CASE("loss, duplication and disorder strike at their rates, and are counted") {
  SUBCASE("loss") {
    Members members({.loss = 500});
    send_many(members, 200);
    const std::size_t received = members.received(1).size();
    CHECK(received > 50);
    CHECK(received + members.network().faults()[Fault::loss] == 200);
  }
  SUBCASE("duplication") {
    Members members({.duplication = 500});
    send_many(members, 200);
    CHECK(members.network().faults()[Fault::duplication] > 50);
    CHECK(members.received(1).size() == 200 + members.network().faults()[Fault::duplication]);
  }
  SUBCASE("reordering") {
    Members members({.reordering = 500});
    send_many(members, 200);
    const Texts received = members.received(1);
    CHECK(received.size() == 200);
    CHECK(!std::is_sorted(received.begin(), received.end(), [](auto& left, auto& right) {
      return std::stoi(left.substr(2)) < std::stoi(right.substr(2));
    }));
    CHECK(members.network().faults()[Fault::reordering] > 50);
  }
  SUBCASE("delay") {
    Members members({.delay = 1000, .longest_delay = 1000 * millisecond});
    members.send(0, 1, "a");
    members.pass(millisecond);
    CHECK(members.received(1).empty());
    members.pass(1000 * millisecond);
    CHECK(members.received(1) == Texts{"0:a"});
    CHECK(members.network().faults()[Fault::delay] == 1);
  }
}

TEST_CASE("a clogged link holds back, and then carries in order") {
  Members members;
  members.network().clog(NodeId(0), NodeId(1), 100 * millisecond);
  for (const char* text : {"a", "b"}) members.send(0, 1, text);
  members.send(1, 0, "c");
  members.pass(99 * millisecond);
  CHECK(members.received(1).empty());
  CHECK(members.received(0) == Texts{"1:c"});
  members.pass(2 * millisecond);
  CHECK(members.received(1) == Texts{"0:a", "0:b"});
  CHECK(members.network().faults()[Fault::clog] == 2);
}

TEST_CASE("partitions of every shape cut the links that they say, until they are mended") {
  const std::vector<NodeId> left{NodeId(0)};
  const std::vector<NodeId> right{NodeId(2), NodeId(3)};
  // Who hears 0, and whom 0 hears.
  const auto heard = [&](const Cut& cut) {
    Members members;
    members.network().cut(cut);
    for (const std::uint64_t other : {1u, 2u, 3u}) {
      members.send(0, other, "x");
      members.send(other, 0, "x");
    }
    members.pass(10 * millisecond);
    std::string by;
    for (const std::uint64_t other : {1u, 2u, 3u})
      if (!members.received(other).empty()) by += std::to_string(other);
    std::string of;
    for (const std::string& text : members.received(0)) of += text[0];
    std::sort(of.begin(), of.end());
    CHECK(members.network().faults()[cut.kind] == 6 - by.size() - of.size());
    members.network().mend(cut);
    members.send(0, 3, "y");
    members.pass(10 * millisecond);
    CHECK(members.received(3) == Texts{"0:y"});
    return by + "/" + of;
  };
  CHECK(heard(symmetric_partition(left, right)) == "1/1");
  CHECK(heard(asymmetric_partition(left, right)) == "1/123");
  CHECK(heard(bridge_partition(left, right)) == "1/1");
  CHECK(bridge_partition(left, right).kind == Fault::bridge_partition);
}

TEST_CASE("cuts overlap, and healing ends all of them") {
  Members members({.loss = 1000});
  const Cut one = symmetric_partition({NodeId(0)}, {NodeId(1)});
  const Cut other = asymmetric_partition({NodeId(0)}, {NodeId(1), NodeId(2)});
  members.network().cut(one);
  members.network().cut(other);
  members.network().mend(one);
  members.send(0, 1, "lost");
  members.network().clog(NodeId(0), NodeId(2), never);
  members.network().heal();
  members.network().mend(other);  // too late, and harmless
  members.send(0, 1, "a");
  members.send(0, 2, "b");
  members.pass(10 * millisecond);
  CHECK(members.received(1) == Texts{"0:a"});
  CHECK(members.received(2) == Texts{"0:b"});
}

TEST_CASE("what arrives at a node that is down is lost; it may come back") {
  Members members;
  members.send(0, 1, "a");
  members.leave(1);
  members.pass(10 * millisecond);
  Net again = members.network().connect(NodeId(1));
  members.send(0, 1, "b");
  members.pass(10 * millisecond);
  std::vector<std::string> received;
  again.poll([&](NodeId, const Bytes& payload) { received.emplace_back(payload.text()); }, Time{},
             100);
  CHECK(received == Texts{"b"});
  CHECK(again.status().received == 1);
}

TEST_CASE("a poll gives no more frames than it was asked for") {
  Members members;
  members.leave(1);
  Net net = members.network().connect(NodeId(1));
  for (const char* text : {"a", "b", "c"}) members.send(0, 1, text);
  members.pass(10 * millisecond);
  Texts received;
  const auto sink = [&](NodeId, const Bytes& payload) { received.emplace_back(payload.text()); };
  net.poll(sink, Time{}, 2);
  CHECK(received == Texts{"a", "b"});
  net.poll(sink, Time{}, 2);
  CHECK(received == Texts{"a", "b", "c"});
}

TEST_CASE("strangers, frames that are too long and second connections are refused") {
  Members members;
  members.send(0, 9, "nobody");
  members.net(0).send(NodeId(1), FrameClass::vote, Bytes(std::string(1 << 17, 'x')));
  CHECK(members.net(0).status().refused == 2);
  CHECK(members.network().frames() == 0);
  CHECK_THROWS_AS((void)members.network().connect(NodeId(1)), ConfigError);
  CHECK_THROWS_AS((void)members.network().connect(NodeId(9)), ConfigError);
}

TEST_CASE("the tap sees every frame that is sent, lost ones too") {
  Members members({.loss = 1000});
  Texts seen;
  members.network().tap([&](const Frame& frame) {
    seen.push_back(std::to_string(frame.from.value) + ">" + std::to_string(frame.to.value) + " " +
                   std::string(frame.payload.text()));
  });
  members.send(0, 1, "a");
  members.send(3, 2, "b");
  CHECK(seen == Texts{"0>1 a", "3>2 b"});
}

}  // namespace mirbft::sim::network_test

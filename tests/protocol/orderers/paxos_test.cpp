#include <mirbft/protocol/orderers/paxos.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/wire/codec.hpp>

namespace mirbft::paxos_test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t length = 4;
constexpr SegmentId segment_id{Epoch(0), 0};

/// A batch of one request, whose number is all that its digest holds.
Batch batch(std::uint64_t number) {
  return Batch({RequestRef{ClientId(1), ReqNo(number), {}}});
}
Digest digest_of(const Batch& of) {
  Digest digest;
  const std::uint64_t number = of->at(0).req_no.value + 1;
  for (std::size_t i = 0; i < 8; ++i)
    digest.bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return digest;
}

iss::Cluster cluster_of(std::size_t n, std::size_t self) {
  IssConfig config;
  for (std::size_t i = 0; i < n; ++i) config.members.push_back(NodeId(i));
  config.self = NodeId(self);
  return {config, Paxos::quorum(n)};
}
iss::EpochPlan plan_of(std::size_t n) {
  IssConfig config;
  config.epoch_length = length;
  std::vector<NodeId> members;
  for (std::size_t i = 0; i < n; ++i) members.push_back(NodeId(i));
  return {Epoch(0), SeqNr(0), members, {NodeId(0)}, config};
}

/// A cluster of replicas that each run one segment. The test moves every message, sync and check.
class Cluster {
 public:
  struct Packet {
    std::size_t from, to;
    PaxosMessage message;
  };
  struct Check {
    std::size_t node;
    std::uint32_t place;
    Digest digest;
  };

  explicit Cluster(std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) nodes_.emplace_back(*this, n, i);
  }

  std::size_t size() const noexcept { return nodes_.size(); }
  Paxos::Segment& segment(std::size_t node) { return *nodes_[node].segment; }
  bool is_up(std::size_t node) const noexcept { return nodes_[node].segment.has_value(); }
  std::size_t entries(std::size_t node) const { return nodes_[node].log.size(); }
  const Paxos::Entry& entry(std::size_t node, std::size_t at) const { return nodes_[node].log[at]; }

  void propose(std::uint32_t place, std::uint64_t number) {
    proposed[place].insert(digest_of(batch(number)));
    segment(0).propose(place, batch(number), digest_of(batch(number)), nodes_[0]);
  }
  void adopt(std::size_t node, std::uint32_t place, std::uint64_t number) {
    segment(node).adopt(place, digest_of(batch(number)), batch(number), nodes_[node]);
  }
  /// From now on this replica learns and says nothing.
  void silence(std::size_t node) { nodes_[node].votes = false; }
  /// What was appended becomes durable, and is followed by what was to follow it.
  void sync(std::size_t node) {
    Node& at = nodes_[node];
    for (const auto& follow_up : std::exchange(at.unsynced, {})) {
      at.log.push_back(follow_up.entry);
      for (const auto& event : follow_up.then) event();
    }
  }
  void sync_all() {
    for (std::size_t node = 0; node < size(); ++node)
      if (is_up(node)) sync(node);
  }
  void deliver(const Packet& packet) {
    if (!is_up(packet.to)) return;
    segment(packet.to).receive({NodeId(packet.from), packet.from}, packet.message,
                               nodes_[packet.to]);
  }
  void answer(const Check& check) {
    if (!is_up(check.node)) return;
    segment(check.node).checked(check.place, check.digest, nodes_[check.node]);
  }
  /// Runs until nothing is under way.
  void settle() {
    while (!packets.empty() || !checks.empty() || has_unsynced()) {
      for (const Packet& packet : std::exchange(packets, {})) deliver(packet);
      for (const Check& check : std::exchange(checks, {})) answer(check);
      sync_all();
    }
  }
  void tick(std::size_t node, bool expected = true) {
    if (is_up(node)) segment(node).tick(expected, nodes_[node]);
  }
  void pass(std::chrono::nanoseconds time, bool expected = true) {
    now += time;
    for (std::size_t node = 0; node < size(); ++node) tick(node, expected);
  }
  /// Nothing that is not durable survives.
  void crash(std::size_t node) {
    nodes_[node].segment.reset();
    nodes_[node].unsynced.clear();
    std::erase_if(checks, [&](const Check& check) { return check.node == node; });
  }
  void restart(std::size_t node) {
    crash(node);
    Node& at = nodes_[node];
    at.segment.emplace(plan_of(size()), 0, size());
    for (const Paxos::Entry& entry : at.log)
      std::visit([&](const auto& one) { at.segment->recover(one, at); }, entry);
    at.segment->resume(at);
  }
  /// Gives a replica the batches that it wants and that others have.
  void fetch(std::size_t node) {
    if (!is_up(node)) return;
    for (std::uint32_t place = 0; place < length; ++place) {
      for (std::size_t other = 0; other < size(); ++other) {
        const auto wanted = segment(node).wanted(place);
        if (!wanted || !is_up(other)) continue;
        const auto found = segment(other).batch_of(place);
        if (found && digest_of(*found) == *wanted)
          segment(node).supplied(place, *wanted, *found, nodes_[node]);
      }
    }
  }
  /// Everybody repeats what it has said.
  void repeat_all() {
    for (std::size_t node = 0; node < size(); ++node) {
      if (!is_up(node)) continue;
      const auto send = [&](auto message) {
        for (std::size_t to = 0; to < size(); ++to)
          if (to != node) packets.push_back({node, to, message});
      };
      segment(node).repeat_view(send);
      for (std::uint32_t place = 0; place < length; ++place)
        segment(node).repeat_slot(place, NodeId(node), send);
    }
  }
  bool is_complete() const {
    return std::all_of(nodes_.begin(), nodes_.end(), [](const Node& node) {
      return !node.segment || node.segment->is_complete();
    });
  }
  bool is_decided(std::size_t node, std::uint32_t place) {
    return segment(node).is_committed(place);
  }

  std::vector<Packet> packets;
  std::vector<Check> checks;
  std::chrono::nanoseconds now{};
  /// What was ever decided for a place, by anybody; two are a disagreement.
  std::map<std::uint32_t, std::set<Digest>> decisions;
  std::map<std::uint32_t, std::set<Digest>> proposed;
  std::vector<std::string> halts;
  /// How many proposals were found again after restarts.
  std::size_t claims = 0;

 private:
  struct FollowUp {
    Paxos::Entry entry;
    std::vector<std::function<void()>> then;
  };

  /// A replica, and the environment of its segment.
  struct Node {
    Node(Cluster& in, std::size_t n, std::size_t index)
        : all(&in), self(index), members(cluster_of(n, index)) {
      segment.emplace(plan_of(n), 0, n);
    }

    struct Send {
      std::vector<NodeId> to;
      PaxosMessage message;
    };
    struct Emitted {
      template <class... Next>
      void then(Next... next) {
        (node->unsynced.back().then.push_back([at = node, event = std::move(next)] {
          at->go(event);
        }),
         ...);
      }
      Node* node;
    };

    const iss::Cluster& cluster() const noexcept { return members; }
    template <class Entry>
    Emitted emit(WalAppend<Entry> append) {
      unsynced.push_back({std::move(append.entry), {}});
      return {this};
    }
    void emit(const Send& send) { go(send); }
    Send to(NodeId whom, PaxosMessage message) { return {{whom}, std::move(message)}; }
    Send to_others(PaxosMessage message) { return {members.others(), std::move(message)}; }
    Send to_self(PaxosMessage message) { return {{members.self().id}, std::move(message)}; }
    std::chrono::nanoseconds now() const noexcept { return all->now; }
    std::chrono::nanoseconds patience(View view) const {
      return 1s * (1 << std::min<std::uint64_t>(view.value, 6));
    }
    std::chrono::nanoseconds segment_patience(std::size_t) const { return 20s; }
    std::chrono::nanoseconds resend_after() const { return 500ms; }
    bool may_vote(SegmentId) const noexcept { return votes; }
    void bad(iss::BadMessage) { FAIL("a message breaks a rule"); }
    void halt(std::string reason) { all->halts.push_back(std::move(reason)); }
    void claimed(SegmentId, std::uint32_t place, const Batch& what) {
      CHECK(all->proposed[place].contains(digest_of(what)));
      ++all->claims;
    }
    void check(SegmentId, std::uint32_t place, const Batch& what) {
      all->checks.push_back({self, place, digest_of(what)});
    }
    void decided(SegmentId, std::uint32_t place, const Digest& digest, const Batch& what) {
      CHECK((digest == nil_digest ? what->empty() : digest_of(what) == digest));
      all->decisions[place].insert(digest);
    }

    /// Own messages arrive at once, others when the test delivers them.
    void go(const Send& send) {
      for (const NodeId to : send.to) {
        const Packet packet{self, to.value, send.message};
        to.value == self ? all->deliver(packet) : all->packets.push_back(packet);
      }
    }

    Cluster* all;
    std::size_t self;
    iss::Cluster members;
    std::optional<Paxos::Segment> segment;
    std::vector<FollowUp> unsynced;
    std::vector<Paxos::Entry> log;
    bool votes = true;
  };

  bool has_unsynced() const {
    return std::any_of(nodes_.begin(), nodes_.end(),
                       [](const Node& node) { return !node.unsynced.empty(); });
  }

  /// Never moves its elements: they are referred to.
  std::deque<Node> nodes_;
};

/// One random run: `chaos` steps of every fault, and then a cluster in which all goes well, but
/// for up to f members that stay down.
class Schedule {
 public:
  Schedule(std::size_t n, std::uint32_t seed) : all_(n), random_(seed) {}

  void run(int steps) {
    loss_ = static_cast<int>(random_() % 40);
    crashes_ = static_cast<int>(random_() % 60);
    proposals_ = 10 + static_cast<int>(random_() % 90);
    for (int step = 0; step < steps; ++step) chaos();
    heal();
    for (const auto& [place, digests] : all_.decisions) {
      REQUIRE(digests.size() == 1);  // agreement
      if (*digests.begin() != nil_digest)
        REQUIRE(all_.proposed[place].contains(*digests.begin()));
    }
    REQUIRE(all_.halts.empty());
    REQUIRE(all_.is_complete());
  }
  const Cluster& cluster() const noexcept { return all_; }

 private:
  bool chance(int percent) { return static_cast<int>(random_() % 100) < percent; }
  std::size_t any() { return random_() % all_.size(); }

  void chaos() {
    const std::size_t node = any();
    switch (random_() % 12) {
      case 0: propose(static_cast<std::uint32_t>(random_() % length)); break;
      case 1:
        if (all_.is_up(node)) all_.sync(node);
        break;
      case 2: check(); break;
      case 3:
        all_.now += std::chrono::milliseconds(random_() % 400);
        all_.tick(node, chance(70));
        break;
      case 4:
        if (chance(30)) all_.fetch(node);
        break;
      case 5:
        if (chance(crashes_)) all_.is_up(node) ? all_.crash(node) : all_.restart(node);
        break;
      case 6:
        if (chance(10)) all_.repeat_all();
        break;
      default: packet(); break;
    }
  }
  void propose(std::uint32_t place) {
    if (!chance(proposals_) || !all_.is_up(0) || all_.segment(0).is_proposed(place)) return;
    all_.propose(place, next_++);
  }
  void check() {
    if (all_.checks.empty()) return;
    std::swap(all_.checks[random_() % all_.checks.size()], all_.checks.back());
    const Cluster::Check answered = all_.checks.back();
    all_.checks.pop_back();
    all_.answer(answered);
  }
  /// Any message that is under way, whatever was sent before it; sometimes twice, or never.
  void packet() {
    if (all_.packets.empty()) return;
    const std::size_t at = random_() % all_.packets.size();
    const Cluster::Packet taken = all_.packets[at];
    if (!chance(5)) {
      all_.packets[at] = all_.packets.back();
      all_.packets.pop_back();
    }
    if (!chance(loss_)) all_.deliver(taken);
  }

  void heal() {
    std::size_t down = 0;
    for (std::size_t node = 0; node < all_.size(); ++node) {
      if (all_.is_up(node)) continue;
      if (down < Paxos::quorum(all_.size()).faulty() && chance(50)) {
        ++down;
      } else {
        all_.restart(node);
      }
    }
    for (int round = 0; round < 4000 && !all_.is_complete(); ++round) {
      all_.pass(100ms);
      if (round % 5 == 0) all_.repeat_all();
      for (std::size_t node = 0; node < all_.size(); ++node) all_.fetch(node);
      all_.settle();
    }
  }

  Cluster all_;
  std::mt19937 random_;
  // In per cent.
  int loss_ = 0;
  int crashes_ = 0;
  int proposals_ = 0;
  std::uint64_t next_ = 0;
};

const std::set<Digest> only_nil{nil_digest};
std::set<Digest> only(std::uint64_t number) { return {digest_of(batch(number))}; }

}  // namespace

TEST_CASE("three replicas decide what the leader proposes") {
  Cluster all(3);
  all.propose(0, 7);
  all.settle();
  CHECK(all.decisions[0] == only(7));
  for (const std::size_t node : {0u, 1u, 2u}) CHECK(all.is_decided(node, 0));
  CHECK(all.segment(1).batch_of(0) == batch(7));
}

TEST_CASE("nothing is said before it is durable") {
  Cluster all(3);
  all.propose(0, 7);
  CHECK(all.packets.empty());
  all.sync(0);
  REQUIRE(all.packets.size() == 2);
  all.deliver(all.packets[0]);
  all.answer(all.checks.at(0));
  CHECK(all.packets.size() == 2);
  all.sync(1);
  CHECK(all.packets.size() == 4);
  CHECK(all.is_decided(1, 0));  // two of three: the leader's word and its own
  CHECK_FALSE(all.is_decided(0, 0));
}

TEST_CASE("no promise is made before it is durable, and none is forgotten") {
  Cluster all(3);
  for (const auto time : {0s, 1s, 10s}) {
    all.now += time;
    all.tick(2);
  }
  CHECK(all.packets.empty());
  all.sync(2);
  CHECK(all.packets.size() == 2);
  all.restart(2);
  all.packets.clear();
  all.propose(0, 7);
  all.sync(0);
  for (const auto& packet : all.packets) all.deliver(packet);
  REQUIRE(all.checks.size() == 1);
  CHECK(all.checks[0].node == 1);  // node 2 does not even look at a proposal of ballot 0
}

TEST_CASE("who asks for a ballot that has begun is told of it") {
  Cluster all(3);
  all.pass(0s);
  all.pass(1s);
  for (int round = 0; round < 3; ++round) {
    all.sync_all();
    for (const auto& packet : std::exchange(all.packets, {}))
      if (packet.to != 2) all.deliver(packet);
  }
  REQUIRE(all.segment(0).view() == View(1));
  REQUIRE(all.segment(2).view() == View(0));
  all.packets.clear();
  all.pass(500ms);  // node 2 says its promise again
  all.settle();
  CHECK(all.segment(2).view() == View(1));
}

TEST_CASE("one member that hears nothing does not stop the others") {
  Cluster all(3);
  const auto settle = [&] {
    all.sync_all();
    while (!all.packets.empty() || !all.checks.empty()) {
      std::erase_if(all.packets, [](const auto& packet) { return packet.to == 2; });
      for (const auto& packet : std::exchange(all.packets, {})) all.deliver(packet);
      for (const auto& check : std::exchange(all.checks, {})) all.answer(check);
      all.sync_all();
    }
  };
  all.pass(0s);
  for (std::uint32_t place = 0; place < length; ++place) {
    for (int i = 0; i < 9; ++i) {
      all.pass(100ms);
      settle();
    }
    all.propose(place, place);
    settle();
    CHECK(all.decisions[place] == only(place));
  }
  all.repeat_all();
  const auto has_promised = [](const auto& packet) {
    return packet.from == 2 && std::holds_alternative<PaxosPromise>(packet.message);
  };
  CHECK(std::any_of(all.packets.begin(), all.packets.end(), has_promised));
  CHECK(all.segment(0).view() == View(0));
  for (const auto& packet : all.packets)
    if (packet.to == 2 && std::holds_alternative<PaxosAccepted>(packet.message))
      all.deliver(packet);
  CHECK(all.segment(2).wanted(0) == digest_of(batch(0)));
  all.settle();
  all.fetch(2);
  CHECK(all.is_complete());  // it learns what it has missed all the same
}

TEST_CASE("where one waits in vain, all wait") {
  Cluster all(3);
  all.crash(0);
  for (int round = 0; round < 30; ++round) {
    all.now += 100ms;
    all.tick(1, false);
    all.tick(2, true);
    all.settle();
  }
  CHECK(all.segment(1).view() == View(1));
  CHECK(all.is_complete());
}

TEST_CASE("what comes after a promise is not accepted below it") {
  Cluster all(3);
  all.propose(1, 8);
  all.sync(0);
  all.deliver(all.packets.at(0));  // to node 1 alone
  all.packets.clear();
  all.settle();
  all.packets.clear();
  all.crash(0);
  all.pass(0s);
  all.pass(1s);
  all.settle();
  REQUIRE(all.segment(2).view() == View(1));
  REQUIRE(all.segment(2).wanted(1) == digest_of(batch(8)));
  all.now += 2s;
  all.tick(2);  // it promises ballot 2
  all.fetch(2);
  all.sync(2);
  for (std::size_t at = 0; at < all.entries(2); ++at)
    if (const auto* accepted = std::get_if<PaxosAcceptedEntry>(&all.entry(2, at)))
      CHECK_FALSE((accepted->ballot == View(1) && accepted->sn == SeqNr(1)));
}

TEST_CASE("who is behind goes to the highest ballot at once") {
  Cluster all(5);
  const auto promised_by = [&](std::size_t node) {
    View ballot;
    all.segment(node).repeat_view([&](auto message) {
      if constexpr (std::is_same_v<decltype(message), PaxosPromise>) ballot = message.ballot;
    });
    return ballot;
  };
  all.deliver({1, 2, PaxosPromise{segment_id, View(3), {}}});
  all.pass(0s);
  all.pass(1s);
  all.sync_all();
  CHECK(promised_by(2) == View(3));
  CHECK(promised_by(3) == View(1));
  all.deliver({1, 3, PaxosPromise{segment_id, View(3), {}}});
  all.sync_all();
  CHECK(promised_by(3) == View(3));
}

TEST_CASE("a member alone is a majority of itself") {
  Cluster all(1);
  all.propose(0, 7);
  all.settle();
  CHECK(all.decisions[0] == only(7));
}

TEST_CASE("a minority decides nothing, however long it waits") {
  Cluster all(3);
  all.crash(1);
  all.crash(2);
  all.propose(0, 7);
  for (int second = 0; second < 100; ++second) {
    all.settle();
    all.pass(1s);
  }
  CHECK(all.decisions.empty());
  CHECK(all.segment(0).view() == View(0));
}

TEST_CASE("slots of a leader that is gone become nil, but for what may have been chosen") {
  Cluster all(3);
  all.propose(1, 8);
  all.sync(0);
  all.deliver(all.packets.at(0));  // node 1 alone hears of it
  all.packets.clear();
  all.answer(all.checks.at(0));
  all.checks.clear();
  all.sync(1);  // and so it is chosen, though nobody else knows
  all.packets.clear();
  all.crash(0);
  all.pass(0s);
  all.pass(1s);
  all.settle();
  all.fetch(2);
  all.settle();
  CHECK(all.segment(1).view() == View(1));
  CHECK(all.segment(2).view() == View(1));
  CHECK(all.is_complete());
  CHECK(all.decisions[0] == only_nil);
  CHECK(all.decisions[1] == only(8));

  all.restart(0);
  all.repeat_all();
  all.settle();
  CHECK(all.is_complete());
  CHECK(all.decisions[1] == only(8));
}

TEST_CASE("nobody is suspected while nobody waits") {
  Cluster all(3);
  for (int second = 0; second < 10; ++second) all.pass(1s, false);
  CHECK(all.packets.empty());
  all.pass(1s, true);
  all.pass(500ms, true);
  CHECK_FALSE(all.segment(1).view() != View(0));
  all.sync_all();
  CHECK(all.packets.empty());
  all.pass(500ms, true);
  all.sync_all();
  CHECK_FALSE(all.packets.empty());
}

TEST_CASE("a leader that makes a little progress all the time is given up on in the end") {
  Cluster all(3);
  all.pass(0s);
  for (std::uint32_t place = 0; place + 1 < length; ++place) {
    all.propose(place, place);
    all.settle();
    for (int i = 0; i < 9; ++i) all.pass(100ms);
  }
  CHECK(all.segment(1).view() == View(0));
  for (int round = 0; round < 300 && all.segment(1).view() == View(0); ++round) {
    all.pass(100ms);
    all.settle();
  }
  CHECK(all.is_complete());
  CHECK(all.decisions[length - 1] == only_nil);
}

TEST_CASE("the owner of a ballot is passed over if it is gone too") {
  Cluster all(5);
  all.crash(0);
  all.crash(1);
  for (int round = 0; round < 100; ++round) {
    all.pass(100ms);
    all.settle();
  }
  CHECK(all.segment(2).view() == View(2));
  CHECK(all.is_complete());
}

TEST_CASE("after a restart the owner of a ballot proposes the same") {
  Cluster all(3);
  all.propose(1, 8);
  all.sync(0);
  all.deliver(all.packets.at(1));  // to node 2
  all.packets.clear();
  all.answer(all.checks.at(0));
  all.sync(2);
  all.packets.clear();
  all.pass(0s);
  all.pass(1s);
  all.sync_all();
  // Node 1 owns ballot 1. It hears of what node 2 has accepted, and so must propose that.
  for (const auto& packet : std::exchange(all.packets, {}))
    if (packet.from == 2 && packet.to == 1) all.deliver(packet);
  all.sync(1);
  all.packets.clear();
  all.restart(1);
  CHECK(all.claims == 0);
  all.restart(0);
  CHECK(all.claims == 1);  // its own proposal
  all.crash(2);
  all.settle();  // now with node 0, which has accepted the same
  all.fetch(1);
  all.settle();
  CHECK(all.segment(1).view() == View(1));
  CHECK(all.decisions[1] == only(8));
  CHECK(all.is_complete());

  const std::size_t entries = all.entries(1);
  all.restart(1);
  all.settle();
  CHECK(all.entries(1) == entries);  // it has said it all
}

TEST_CASE("a replica that is cut off does not race ahead") {
  Cluster all(3);
  for (int second = 0; second < 1000; ++second) {
    all.pass(1s);
    all.sync_all();
    all.packets.clear();
  }
  all.repeat_all();
  REQUIRE_FALSE(all.packets.empty());
  for (const auto& packet : all.packets)
    CHECK(std::get<PaxosPromise>(packet.message).ballot == View(1));
}

TEST_CASE("who missed the proposal asks for what was chosen") {
  Cluster all(5);
  all.propose(0, 7);
  all.sync(0);
  std::erase_if(all.packets, [](const auto& packet) { return packet.to == 4; });
  all.settle();
  CHECK_FALSE(all.is_decided(4, 0));
  CHECK(all.segment(4).wanted(0) == digest_of(batch(7)));
  all.fetch(4);
  CHECK(all.is_decided(4, 0));
  CHECK_FALSE(all.segment(4).wanted(0));
}

TEST_CASE("what others are done with is adopted") {
  Cluster all(3);
  all.adopt(2, 0, 7);
  all.adopt(2, 0, 7);
  CHECK(all.decisions[0] == only(7));
  all.restart(2);
  CHECK_FALSE(all.is_decided(2, 0));  // the entry was not durable
  all.adopt(2, 0, 7);
  all.sync(2);
  all.restart(2);
  CHECK(all.is_decided(2, 0));
  CHECK(all.segment(2).batch_of(0) == batch(7));
}

// What a later ballot has chosen may differ from what an earlier one proposes to who comes late.
TEST_CASE("who has learned a later ballot's decision joins an earlier ballot") {
  Cluster all(3);
  all.adopt(2, 0, 8);
  all.sync(2);
  all.deliver({1, 2, PaxosTakeOver{segment_id, View(1), {digest_of(batch(7)), {}, {}, {}}}});
  all.sync(2);
  CHECK(all.halts.empty());
  const auto accepts_it = [](const Cluster::Packet& packet) {
    const auto* accepted = std::get_if<PaxosAccepted>(&packet.message);
    return accepted && accepted->digest == digest_of(batch(7));
  };
  CHECK_FALSE(all.packets.empty());
  CHECK(std::ranges::none_of(all.packets, accepts_it));
  all.restart(2);
  CHECK(all.halts.empty());
  CHECK(all.is_decided(2, 0));
}

TEST_CASE("a ballot that contradicts what an earlier one has chosen stops the replica") {
  Cluster all(3);
  all.propose(0, 7);
  all.settle();
  REQUIRE(all.is_decided(2, 0));
  all.deliver({1, 2, PaxosTakeOver{segment_id, View(1), {digest_of(batch(8)), {}, {}, {}}}});
  CHECK(all.halts.size() == 1);
}

TEST_CASE("who must not vote learns all the same") {
  Cluster all(3);
  all.silence(2);
  all.propose(0, 7);
  all.settle();
  CHECK(all.is_decided(2, 0));
  for (int round = 0; round < 20; ++round) {
    all.pass(100ms);
    all.settle();
  }
  CHECK(all.segment(0).view() == View(1));
  CHECK(all.is_complete());
  for (std::size_t entry = all.entries(2); entry != 0; --entry)
    CHECK(std::holds_alternative<PaxosDecidedEntry>(all.entry(2, entry - 1)));
}

TEST_CASE("a stable segment is quiet") {
  Cluster all(3);
  for (std::uint32_t place = 0; place < length; ++place) all.propose(place, place);
  all.settle();
  REQUIRE(all.is_complete());
  for (std::size_t node = 0; node < 3; ++node) all.segment(node).stable();
  all.pass(100s);
  all.deliver({1, 2, PaxosPromise{segment_id, View(1), {}}});
  all.sync_all();
  CHECK(all.packets.empty());
  all.repeat_all();
  CHECK(all.packets.empty());
}

TEST_CASE("agreement and progress under every schedule") {
  std::set<std::size_t> outcomes;
  for (const std::size_t n : {1u, 2u, 3u, 4u, 5u}) {
    for (std::uint32_t seed = 0; seed < 300; ++seed) {
      CAPTURE(n);
      CAPTURE(seed);
      Schedule schedule(n, seed);
      schedule.run(600);
      std::size_t nils = 0;
      for (const auto& [place, digests] : schedule.cluster().decisions)
        nils += digests.contains(nil_digest);
      outcomes.insert(nils);
    }
  }
  CHECK(outcomes.size() == length + 1);  // all proposals made it, or some, or none
}

TEST_CASE("its messages survive the wire") {
  const PaxosMessage message = PaxosPromise{segment_id, View(3), {{View(2), SeqNr(1), {}}}};
  const Bytes bytes = wire::encode(message);
  const auto decoded = wire::decode<PaxosMessage>(bytes, wire::Form::canonical);
  REQUIRE(decoded);
  CHECK(wire::encode(*decoded) == bytes);
  CHECK(Paxos::segment_of(*decoded) == segment_id);
}

}  // namespace mirbft::paxos_test

#include <mirbft/protocol/iss/leader_policies.hpp>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <random>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/wire/codec.hpp>

namespace mirbft::leader_policies_test {
namespace {

std::vector<NodeId> nodes(std::initializer_list<std::uint64_t> ids) {
  std::vector<NodeId> all;
  for (const std::uint64_t id : ids) all.push_back(NodeId(id));
  return all;
}

/// Runs a policy through epochs of one sequence number a leader.
template <class Policy>
struct Run {
  /// The leaders of the next epoch.
  std::vector<NodeId> leaders() const { return policy.leaders(epoch, members, quorum); }
  /// One epoch, in which these fail if they lead.
  void fail(const std::vector<NodeId>& failing) {
    const std::vector<NodeId> leading = leaders();
    for (const NodeId leader : leading) {
      const bool fails = std::find(failing.begin(), failing.end(), leader) != failing.end();
      policy.delivered(next, leader, fails ? SlotOutcome::nil : SlotOutcome::batch);
      ++next;
    }
    policy.epoch_ended(epoch, leading);
    ++epoch;
  }
  void clean(int epochs) {
    for (int i = 0; i < epochs; ++i) fail({});
  }

  std::vector<NodeId> members = nodes({10, 20, 30, 40, 50, 60, 70});
  Quorum quorum{7};  // two may be faulty
  Policy policy{};
  Epoch epoch{};
  SeqNr next{};
};

/// Holds for every policy, whatever happens: the leaders are some of the members, ascending; at
/// least f+1; and a policy that was decoded from a checkpoint goes on as the one it was made from.
template <class Policy>
void check_random_runs(Quorum quorum) {
  Run<Policy> run;
  run.quorum = quorum;
  std::mt19937 random(7);
  for (int i = 0; i < 500; ++i) {
    const std::vector<NodeId> leading = run.leaders();
    REQUIRE(leading.size() >= quorum.faulty() + 1);
    REQUIRE(std::is_sorted(leading.begin(), leading.end()));
    REQUIRE(std::adjacent_find(leading.begin(), leading.end()) == leading.end());
    REQUIRE(std::includes(run.members.begin(), run.members.end(), leading.begin(), leading.end()));

    const Bytes state = wire::encode(run.policy);
    auto decoded = wire::decode<Policy>(state, wire::Form::canonical);
    REQUIRE(decoded);
    REQUIRE(wire::encode(*decoded) == state);
    run.policy = std::move(*decoded);

    std::vector<NodeId> failing;
    for (const NodeId member : run.members)
      if (random() % 3 == 0) failing.push_back(member);
    run.fail(failing);
  }
}

}  // namespace

TEST_CASE_TEMPLATE("policies keep their promises in random runs", Policy, Simple, Blacklist,
                   Backoff) {
  check_random_runs<Policy>(Quorum(7));
  check_random_runs<Policy>(Quorum(7, Faults::crash));
}

TEST_CASE("Simple lets all lead, Fixed one") {
  Run<Simple> all;
  all.fail(all.members);
  CHECK(all.leaders() == all.members);
  Run<Fixed> one;
  one.policy.leader = 2;
  one.fail(one.members);
  CHECK(one.leaders() == nodes({30}));
}

TEST_CASE("Blacklist excludes the f with the newest nil") {
  Run<Blacklist> run;
  CHECK(run.leaders() == run.members);
  run.fail(nodes({20}));
  CHECK(run.leaders() == nodes({10, 30, 40, 50, 60, 70}));
  run.clean(50);  // it stays out: to come back would cost a time-out each time
  CHECK(run.leaders() == nodes({10, 30, 40, 50, 60, 70}));
  run.fail(nodes({70}));
  CHECK(run.leaders() == nodes({10, 30, 40, 50, 60}));
  run.fail(nodes({10}));  // the oldest, 20, comes back
  CHECK(run.leaders() == nodes({20, 30, 40, 50, 60}));
  run.fail(run.leaders());  // of one epoch the last sequence numbers count
  CHECK(run.leaders() == nodes({10, 20, 30, 40, 70}));
}

TEST_CASE("a suspect's newest nil is the one that counts") {
  Blacklist policy;
  for (const std::uint64_t leader : {1u, 2u, 3u, 1u, 1u})
    policy.delivered(SeqNr(), NodeId(leader), SlotOutcome::nil);
  CHECK(policy.suspects == nodes({2, 3, 1}));
  CHECK(policy.leaders(Epoch(), nodes({1, 2, 3, 4}), Quorum(4)) == nodes({2, 3, 4}));
  CHECK(policy.leaders(Epoch(), nodes({2, 3, 4, 5}), Quorum(4)) == nodes({2, 4, 5}));
  CHECK(policy.leaders(Epoch(), nodes({1, 2, 3}), Quorum(3)) == nodes({1, 2, 3}));
  CHECK(policy.leaders(Epoch(), nodes({1, 2, 3}), Quorum(3, Faults::crash)) == nodes({2, 3}));
}

TEST_CASE("Backoff bans for twice as long each time") {
  Run<Backoff> run;
  for (const int banned : {2, 4, 8}) {
    run.fail(nodes({30}));
    for (int i = 0; i < banned; ++i) {
      CHECK(run.leaders() == nodes({10, 20, 40, 50, 60, 70}));
      run.clean(1);
    }
    CHECK(run.leaders() == run.members);
  }
}

TEST_CASE("Backoff forgives with each clean epoch that a member leads") {
  Run<Backoff> run;
  run.fail(nodes({30}));
  run.clean(2);
  REQUIRE(run.policy.bans.size() == 1);
  CHECK(run.policy.bans[0].length == 4);
  run.clean(1);
  CHECK(run.policy.bans[0].length == 3);
  run.clean(1);
  CHECK(run.policy.bans.empty());  // as if it had never failed
}

TEST_CASE("Backoff has a longest ban") {
  Run<Backoff> run;
  run.policy.longest_ban = 8;
  for (int i = 0; i < 10; ++i) {
    run.fail(nodes({30}));
    while (run.leaders().size() < 7) run.clean(1);
  }
  run.fail(nodes({30}));
  run.clean(7);
  CHECK(run.leaders().size() == 6);
  run.clean(1);
  CHECK(run.leaders().size() == 7);
}

TEST_CASE("Backoff lifts the bans that end first while too few lead") {
  Run<Backoff> run;
  run.fail(nodes({10, 20}));  // until epoch 3
  CHECK(run.leaders() == nodes({30, 40, 50, 60, 70}));
  run.fail(nodes({30, 40, 50, 60, 70}));  // until epoch 4
  CHECK(run.leaders() == nodes({10, 20, 30}));
}

}  // namespace mirbft::leader_policies_test

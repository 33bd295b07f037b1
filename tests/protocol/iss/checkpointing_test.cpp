// A replica's checkpoints: written ahead, recovered, agreed on by votes or by certificates.
#include <mirbft/protocol/iss/checkpointing.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "../../support/state_replica.hpp"

namespace mirbft::iss::checkpointing_test {
namespace {

using testing::Sent;
using testing::signature_of;
using testing::StateCluster;
using testing::StateReplica;
using testing::WalRecord;

constexpr std::size_t members = 4;

Bytes signed_by(NodeId node, const CheckpointHeader& header) {
  return signature_of(node, wire::canonical("checkpoint", Bytes("test").view(), header));
}
StableCheckpoint proof_of(const CheckpointHeader& header,
                          const std::vector<std::uint64_t>& signers = {1, 2, 3}) {
  StableCheckpoint proof{header, {}};
  for (const std::uint64_t signer : signers)
    proof.certificate.push_back({NodeId(signer), signed_by(NodeId(signer), header)});
  return proof;
}
template <class Entry>
std::vector<Entry> entries(const std::vector<WalRecord>& wal) {
  std::vector<Entry> found;
  for (const WalRecord& record : wal)
    if (const Entry* entry = std::get_if<Entry>(&record.entry)) found.push_back(*entry);
  return found;
}
/// The header of an epoch that the replica finishes now.
CheckpointHeader finish(StateReplica& replica, Epoch epoch, const Bytes& app = Bytes("state")) {
  replica.finish(epoch, app);
  const auto sent = replica.env.take_all<CheckpointVote>();
  REQUIRE(sent.size() == 1);
  return sent.front().message.header;
}
void vote(StateReplica& replica, const CheckpointHeader& header,
          const std::vector<std::uint64_t>& voters = {1, 2}) {
  for (const std::uint64_t voter : voters)
    replica.receive(voter, CheckpointVote{header, signed_by(NodeId(voter), header)});
}

}  // namespace

TEST_CASE("a state is durable before its vote is sent, and the vote before it counts") {
  StateReplica replica(members, NodeId(0));
  replica.begin(Epoch(0), Bytes("state"));
  auto& env = replica.env;
  auto& checkpointing = replica.checkpointing;
  const auto request = env.out.take<AppSnapshotRequest>();
  CHECK(request.sn == StateReplica::last_of(Epoch(0)));
  checkpointing.process(AppSnapshot{request.sn, 1, {{0, Bytes("state")}}, 0}, env);
  while (env.hash<CheckpointHash>(checkpointing) || env.hash<ChunkHash>(checkpointing)) continue;
  const auto header = env.out.take<SignRequest<CheckpointSigning>>().origin.header;
  vote(replica, header, {1, 2, 3});
  CHECK(checkpointing.stable_epochs() == 0);  // others have it, this replica has not written it

  checkpointing.process(SignResult<CheckpointSigning>{Bytes("signature"), {header}}, env);
  CHECK(env.out.count<Sent<CheckpointVote>>() == 0);
  const auto append = env.out.take<WalAppend<CheckpointEntry>>();
  CHECK(env.out.count<Sent<CheckpointVote>>() == 1);
  CHECK(append.entry.header == header);
  CHECK(append.entry.state.app_chunks == 1);
  CHECK(append.retention == RetentionIndex(0));
  CHECK(checkpointing.stable_epochs() == 0);
  replica.work();
  CHECK(checkpointing.stable_epochs() == 1);
  CHECK(env.halts.empty());
}

TEST_CASE("a quorum of votes makes a checkpoint stable; what lies two epochs back is collected") {
  StateReplica replica(members, NodeId(0));
  for (std::uint64_t epoch = 0; epoch < 3; ++epoch)
    vote(replica, finish(replica, Epoch(epoch)));
  CHECK(replica.checkpointing.stable_epochs() == 3);
  CHECK(replica.checkpointing.first_kept() == Epoch(1));
  REQUIRE(replica.collected.size() == 1);
  // What is delivered in the windows is no business of who collects.
  CHECK(replica.collected[0] == Collection{StateReplica::last_of(Epoch(0)),
                                           {{ClientId(7), ReqNo(1), {}}}});
  CHECK_FALSE(replica.checkpointing.stable_state(Epoch(0)));
  CHECK(replica.checkpointing.stable_state(Epoch(1)));
  CHECK(replica.checkpointing.stable_state(Epoch(2)));
  CHECK_FALSE(replica.checkpointing.stable_state(Epoch(3)));
}

TEST_CASE("the log always holds the newest stable checkpoint with its state") {
  StateReplica replica(members, NodeId(0));
  for (std::uint64_t epoch = 0; epoch < 6; ++epoch) {
    const auto header = finish(replica, Epoch(epoch));
    vote(replica, header, {1});
    // Whatever is cut off before the certificate is durable, the checkpoint before is still there.
    const StateReplica before(members, NodeId(0), replica.wal);
    CHECK(before.checkpointing.stable_epochs() == epoch);
    vote(replica, header, {2});
    const StateReplica after(members, NodeId(0), replica.wal);
    CHECK(after.checkpointing.stable_epochs() == epoch + 1);
    REQUIRE(after.checkpointing.restored());
    CHECK(after.checkpointing.restored()->header == header);
    CHECK(entries<CheckpointEntry>(replica.wal).size() <= 2);
    CHECK(entries<StableEntry>(replica.wal).size() <= 2);
  }
}

TEST_CASE("after a restart everything is there to go on from") {
  StateReplica first(members, NodeId(0));
  CHECK_FALSE(first.checkpointing.restored());
  CheckpointHeader header;
  for (std::uint64_t epoch = 0; epoch < 2; ++epoch)
    vote(first, header = finish(first, Epoch(epoch), testing::app_state(2)));

  StateReplica second(members, NodeId(0), first.wal);
  const auto restored = second.checkpointing.restored();
  REQUIRE(restored);
  CHECK(restored->header == header);
  CHECK(restored->windows == StateReplica::windows_at(Epoch(1)));
  CHECK(testing::joined(restored->app) == testing::app_state(2));
  CHECK(restored->policy == wire::encode(Simple{}));
  CHECK(wire::decode<Fixed>(restored->pace, wire::Form::canonical)->leader == 1);
  // The next epochs have the same headers as without the restart.
  CHECK(finish(second, Epoch(2)) == finish(first, Epoch(2)));
  CHECK(finish(second, Epoch(3)) == finish(first, Epoch(3)));
  CHECK(second.env.halts.empty());
  REQUIRE(second.checkpointing.stable_state(Epoch(0)));
  CHECK(second.checkpointing.stable_state(Epoch(1))->app_chunks == 3);
}

TEST_CASE("a certificate whose state was lost is no place to go on from") {
  StateReplica first(members, NodeId(0));
  auto header = finish(first, Epoch(0));
  std::vector<WalRecord> log{{StableEntry{header, {}}, RetentionIndex(0)}};
  SUBCASE("none is there") {}
  SUBCASE("another one is there") {
    header.app_state = {};
    log = {first.wal.at(0), {StableEntry{header, {}}, RetentionIndex(0)}};
  }
  StateReplica second(members, NodeId(0), log);
  CHECK_FALSE(second.checkpointing.restored());
  CHECK(second.checkpointing.stable_epochs() == 0);
}

TEST_CASE("votes that are not stable yet are sent again after a restart, and count") {
  StateReplica first(members, NodeId(0));
  vote(first, finish(first, Epoch(0)));
  const auto header = finish(first, Epoch(1));

  StateReplica second(members, NodeId(0), first.wal);
  CHECK(second.checkpointing.stable_epochs() == 1);
  const auto again = second.env.take_all<CheckpointVote>();
  REQUIRE(again.size() == 1);
  CHECK(again[0].message.header == header);
  CHECK(again[0].message.signature == signed_by(NodeId(0), header));
  CHECK(again[0].to == second.env.cluster().others());
  vote(second, header);
  CHECK(second.checkpointing.stable_epochs() == 2);
}

TEST_CASE("a restarted replica signs nothing anew, and stops when its state has changed") {
  StateReplica first(members, NodeId(0));
  (void)finish(first, Epoch(0));

  StateReplica same(members, NodeId(0), first.wal);
  (void)same.env.take_all<CheckpointVote>();
  same.finish(Epoch(0));
  CHECK(same.env.take_all<CheckpointVote>().empty());
  CHECK(same.env.halts.empty());
  CHECK(entries<CheckpointEntry>(same.wal).size() == 1);

  StateReplica other(members, NodeId(0), first.wal);
  other.finish(Epoch(0), Bytes("another state"));
  REQUIRE(other.env.halts.size() == 1);
  CHECK(other.env.halts[0].find("diverged: at the end of epoch 0") != std::string::npos);
}

TEST_CASE("alone in a cluster, a recorded checkpoint becomes stable at the start") {
  StateReplica alone(1, NodeId(0));
  alone.finish(Epoch(0));
  CHECK(alone.checkpointing.stable_epochs() == 1);
  std::erase_if(alone.wal, [](const WalRecord& record) {
    return std::holds_alternative<StableEntry>(record.entry);
  });
  const StateReplica again(1, NodeId(0), alone.wal);
  CHECK(again.checkpointing.stable_epochs() == 1);
}

TEST_CASE("epochs that end at once are hashed one after the other") {
  StateReplica slow(members, NodeId(0));
  StateReplica hasty(members, NodeId(0));
  const auto first = finish(slow, Epoch(0));
  const auto second = finish(slow, Epoch(1));
  hasty.begin(Epoch(0), Bytes("state"));
  hasty.begin(Epoch(1), Bytes("state"));
  hasty.work();
  const auto sent = hasty.env.take_all<CheckpointVote>();
  REQUIRE(sent.size() == 2);
  CHECK(sent[0].message.header == first);
  CHECK(sent[1].message.header == second);
}

TEST_CASE("a certificate makes a checkpoint stable as votes do") {
  StateReplica replica(members, NodeId(0));
  const auto header = finish(replica, Epoch(0));
  SUBCASE("when it comes after the own state") { replica.receive(3, proof_of(header)); }
  SUBCASE("when it comes before") {
    StateReplica later(members, NodeId(0));
    later.receive(3, proof_of(header));
    CHECK(later.checkpointing.stable_epochs() == 0);
    later.finish(Epoch(0));
    CHECK(later.checkpointing.stable_epochs() == 1);
    return;
  }
  CHECK(replica.checkpointing.stable_epochs() == 1);
  const auto written = entries<StableEntry>(replica.wal);
  REQUIRE(written.size() == 1);
  CHECK(written[0].certificate == proof_of(header).certificate);
}

TEST_CASE("a replica stops when a certificate shows that it has diverged") {
  StateReplica replica(members, NodeId(0));
  auto header = finish(replica, Epoch(0));
  header.app_state = {};
  replica.receive(3, proof_of(header));
  REQUIRE(replica.env.halts.size() == 1);
  CHECK(replica.env.halts[0].find("diverged") != std::string::npos);
  CHECK(replica.checkpointing.stable_epochs() == 0);
}

TEST_CASE("a replica stops when the others certify another configuration") {
  StateReplica replica(members, NodeId(0));
  auto header = finish(replica, Epoch(0));
  header.epoch = Epoch(9);
  header.parameters = {};
  replica.receive(3, proof_of(header));
  REQUIRE(replica.env.halts.size() == 1);
  CHECK(replica.env.halts[0].find("configuration differs") != std::string::npos);
}

TEST_CASE("the newest certificate of what is not stable here is there for a transfer") {
  StateReplica replica(members, NodeId(0));
  auto header = finish(replica, Epoch(0));
  CHECK_FALSE(replica.checkpointing.proven_from(Epoch(0)));
  replica.receive(3, proof_of(header));
  CHECK_FALSE(replica.checkpointing.proven_from(Epoch(0)));  // it is stable
  header.epoch = Epoch(3);
  replica.receive(3, proof_of(header));
  CHECK_FALSE(replica.checkpointing.proven_from(Epoch(4)));
  REQUIRE(replica.checkpointing.proven_from(Epoch(3)));
  CHECK(*replica.checkpointing.proven_from(Epoch(0)) == proof_of(header));
  CHECK(replica.checkpointing.stable_epochs() == 1);
}

TEST_CASE("who lags is told the certificates that it lacks, and the own open votes") {
  StateReplica replica(members, NodeId(0));
  for (std::uint64_t epoch = 0; epoch < 3; ++epoch)
    vote(replica, finish(replica, Epoch(epoch)));
  (void)finish(replica, Epoch(3));
  const auto told = [&](std::uint64_t stable_epochs) {
    replica.checkpointing.tell(replica.env.member(2), stable_epochs, replica.env);
    std::vector<std::uint64_t> epochs;
    for (const auto& sent : replica.env.take_all<StableCheckpoint>()) {
      CHECK(sent.to == std::vector{NodeId(2)});
      CHECK(sent.message.certificate.size() == 3);
      epochs.push_back(sent.message.header.epoch.value);
    }
    return epochs;
  };
  const auto votes = [&] { return replica.env.take_all<CheckpointVote>().size(); };
  using Epochs = std::vector<std::uint64_t>;
  CHECK(told(0) == Epochs{1, 2});  // epoch 0 is collected
  CHECK(votes() == 1);
  CHECK(told(2) == Epochs{2});
  CHECK(votes() == 1);
  CHECK(told(3) == Epochs{});
  CHECK(votes() == 1);
  CHECK(told(4) == Epochs{});
  CHECK(votes() == 0);
}

TEST_CASE("a replica that lost its peers' votes is caught up by what they tell") {
  StateCluster cluster(members);
  cluster.down = {3};
  cluster.finish(Epoch(0));
  cluster.down.clear();
  cluster[3].finish(Epoch(0));
  cluster[3].env.take_all<CheckpointVote>();
  CHECK(cluster[3].checkpointing.stable_epochs() == 0);
  cluster[0].checkpointing.tell(cluster[0].env.member(3), 0, cluster[0].env);
  cluster.exchange();
  CHECK(cluster[3].checkpointing.stable_epochs() == 1);
}

TEST_CASE("votes of far epochs, second ones and late ones") {
  StateReplica replica(members, NodeId(0));
  auto& env = replica.env;
  const auto header = finish(replica, Epoch(0));
  vote(replica, header, {1, 1});
  CHECK(env.bad_messages.duplicate == 0);  // the same one, sent again
  CheckpointHeader other = header;
  other.last = SeqNr(1);
  vote(replica, other, {1});
  CHECK(env.bad_messages.duplicate == 1);
  CheckpointHeader far = header;
  far.epoch = Epoch(7);
  replica.checkpointing.receive(env.member(1), {far, {}}, Epoch(2), env);
  CHECK(env.bad_messages.far_epoch == 1);
  vote(replica, header, {2, 3});
  CHECK(replica.checkpointing.stable_epochs() == 1);
  CHECK(env.bad_messages.duplicate == 1);
}

TEST_CASE("a fetched state takes the place of an own one, survives a restart, and is supplied") {
  StateCluster cluster(members);
  cluster.down = {3};
  for (std::uint64_t epoch = 0; epoch < 4; ++epoch) cluster.finish(Epoch(epoch));
  cluster.down.clear();
  StateReplica& late = cluster[3];
  cluster[0].checkpointing.tell(cluster[0].env.member(3), 3, cluster[0].env);
  cluster.exchange();
  REQUIRE(late.checkpointing.proven_from(Epoch(0)));
  const StableCheckpoint proof = *late.checkpointing.proven_from(Epoch(0));
  const FetchedState fetched = cluster[0].fetched(proof);

  const auto installed = late.checkpointing.install(fetched, late.env);
  REQUIRE(installed);
  late.work();
  CHECK(installed->header == proof.header);
  CHECK(installed->windows == StateReplica::windows_at(Epoch(3)));
  CHECK(late.checkpointing.stable_epochs() == 4);
  CHECK(late.checkpointing.stable_state(Epoch(3)));
  REQUIRE(late.collected.size() == 1);
  CHECK(late.collected[0].through == StateReplica::last_of(Epoch(3)));
  CHECK(installed->app == std::vector{Bytes("state")});
  CHECK_FALSE(late.checkpointing.install(fetched, late.env));

  StateReplica restarted(members, NodeId(3),
                         {{fetched.chunks.at(0), RetentionIndex(9)},
                          {fetched.entry, RetentionIndex(3)}});
  CHECK(restarted.env.take_all<CheckpointVote>().empty());
  REQUIRE(restarted.checkpointing.restored());
  CHECK(restarted.checkpointing.restored()->header == proof.header);
  const auto next = finish(restarted, Epoch(4));
  CHECK(next == finish(late, Epoch(4)));
  CHECK(next == finish(cluster[0], Epoch(4)));
}

// The App was slow: its own older checkpoint came to the log after the fetched state.
TEST_CASE("a fetched state is not given up for an older own one while the App is slow") {
  StateCluster cluster(members);
  cluster.finish(Epoch(0));
  cluster.down = {3};
  for (std::uint64_t epoch = 1; epoch < 4; ++epoch) cluster.finish(Epoch(epoch));
  const std::vector<WalRecord> own = cluster[3].wal;
  REQUIRE(entries<StableEntry>(own).size() == 1);
  cluster.down.clear();
  cluster[0].checkpointing.tell(cluster[0].env.member(3), 3, cluster[0].env);
  cluster.exchange();
  const FetchedState fetched = cluster[0].fetched(*cluster[3].checkpointing.proven_from(Epoch(3)));
  std::vector<WalRecord> log;
  for (const ChunkEntry& chunk : fetched.chunks) log.push_back({chunk, RetentionIndex(9)});
  log.push_back({fetched.entry, RetentionIndex(3)});
  log.insert(log.end(), own.begin(), own.end());

  StateReplica restarted(members, NodeId(3), log);
  CHECK(restarted.checkpointing.stable_epochs() == 4);
  CHECK(restarted.env.take_all<CheckpointVote>().empty());
  CHECK(restarted.checkpointing.restored()->header.epoch == Epoch(3));
}

TEST_CASE("after a fetched state, the next root is that of the fetched chunks") {
  StateCluster cluster(members);
  const Bytes old_state = testing::app_state(3, 1);
  const Bytes new_state = testing::app_state(3, 2);
  cluster.finish(Epoch(0), old_state);
  cluster.down = {3};
  for (const std::uint64_t epoch : {1u, 2u, 3u}) cluster.finish(Epoch(epoch), new_state);
  cluster.down.clear();
  StateReplica& late = cluster[3];
  cluster[0].checkpointing.tell(cluster[0].env.member(3), 3, cluster[0].env);
  cluster.exchange();
  late.installed =
      late.checkpointing.install(cluster[0].fetched(*late.checkpointing.proven_from(Epoch(3))),
                                 late.env);
  REQUIRE(late.installed);
  late.work();
  CHECK(finish(late, Epoch(4), new_state) == finish(cluster[0], Epoch(4), new_state));
}

TEST_CASE("verdicts on votes for a state that was installed meanwhile are of no use") {
  StateReplica source(members, NodeId(1));
  const auto header = finish(source, Epoch(0));
  vote(source, header, {0, 2});
  StateReplica late(members, NodeId(0));
  for (const std::uint64_t voter : {1u, 2u, 3u})
    late.checkpointing.receive(late.env.member(voter),
                               {header, signed_by(NodeId(voter), header)}, Epoch(0), late.env);
  CHECK(late.env.out.count<VerifyNodeSigs<CheckpointChecking>>() == 1);
  CHECK(late.checkpointing.install(source.fetched(proof_of(header)), late.env));
  late.work();
  CHECK(late.checkpointing.stable_epochs() == 1);
  CHECK(late.env.halts.empty());
}

TEST_CASE("a fetched state is not installed over an own one") {
  StateReplica replica(members, NodeId(0));
  const auto header = finish(replica, Epoch(0));
  const auto entry = entries<CheckpointEntry>(replica.wal).at(0);
  const FetchedState fetched{{header, proof_of(header).certificate, entry.state},
                             entries<ChunkEntry>(replica.wal)};
  CHECK_FALSE(replica.checkpointing.install(fetched, replica.env));
  replica.begin(Epoch(1), Bytes("state"));
  FetchedState later = fetched;
  later.entry.header.epoch = Epoch(1);
  CHECK_FALSE(replica.checkpointing.install(later, replica.env));
}

TEST_CASE("memory is flat: at most the two stable states are kept") {
  StateReplica replica(members, NodeId(0));
  for (std::uint64_t epoch = 0; epoch < 200; ++epoch) {
    vote(replica, finish(replica, Epoch(epoch), Bytes(std::to_string(epoch))), {1, 2, 3});
    CHECK(replica.wal.size() <= 4 + 2 * ChunkTable::shortest_life);
    CHECK(replica.checkpointing.chunks().size() <= 2);
  }
  std::size_t kept = 0;
  for (std::uint64_t epoch = 0; epoch < 200; ++epoch)
    kept += replica.checkpointing.stable_state(Epoch(epoch)) != nullptr;
  CHECK(kept == 2);
}

TEST_CASE("what has not changed is written seldom, and never lost") {
  StateReplica replica(members, NodeId(0));
  std::vector<Bytes> chunks(50, Bytes("a chunk"));
  std::size_t written = 0;
  for (std::uint64_t epoch = 0; epoch < 1000; ++epoch) {
    const std::size_t before = replica.wal.size();
    chunks[0] = Bytes(std::to_string(epoch));
    replica.begin(Epoch(epoch), chunks);
    replica.work();
    written += entries<ChunkEntry>({replica.wal.begin() + static_cast<std::ptrdiff_t>(before),
                                    replica.wal.end()})
                   .size();
    vote(replica, replica.env.take_all<CheckpointVote>().at(0).message.header);
    CHECK(replica.wal.size() <= 4 + 2 * ChunkTable::shortest_life + 3 * chunks.size());
  }
  // The one that changes each time, the others a few times at first and then every now and then.
  CHECK(written > 1000 + 49 * 1000 / (2 * ChunkTable::longest_life));
  CHECK(written < 1000 + 49 * (5 + 1000 / ChunkTable::longest_life));
  CHECK(StateReplica(members, NodeId(0), replica.wal).checkpointing.restored()->app == chunks);
}

TEST_CASE("wherever the power fails, the state of the newest stable checkpoint is whole") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const auto below = [&](std::uint64_t n) { return random() % n; };
    StateReplica replica(1, NodeId(0));
    std::map<std::uint64_t, std::vector<Bytes>> states;
    std::vector<Bytes> chunks;
    for (std::uint64_t epoch = 0; epoch < 120; ++epoch) {
      CAPTURE(epoch);
      chunks.resize(below(8) == 0 ? below(20) : chunks.size());
      for (Bytes& chunk : chunks)
        if (chunk.empty() || below(12) == 0) chunk = Bytes(std::to_string(random()));
      states[epoch] = chunks;
      const std::vector<WalRecord> before = replica.wal;
      replica.begin(Epoch(epoch), chunks);
      replica.work();
      CHECK(replica.checkpointing.stable_epochs() == epoch + 1);
      const CheckpointHeader header = replica.checkpointing.restored()->header;

      // All that was written for this epoch follows on what was not truncated.
      const auto kept = std::ranges::count_if(before, [&](const WalRecord& record) {
        return record.retention >= RetentionIndex(replica.checkpointing.first_kept().value);
      });
      const auto written = replica.wal.begin() + kept;
      const auto spared = static_cast<std::ptrdiff_t>(below(
          static_cast<std::uint64_t>(replica.wal.end() - written) + 1));
      std::vector<WalRecord> log = before;
      log.insert(log.end(), written, written + spared);
      if (below(2) == 0) log = replica.wal;
      StateReplica again(1, NodeId(0), log);
      const std::uint64_t stable = again.checkpointing.stable_epochs();
      CHECK(stable >= epoch);
      if (stable != 0) CHECK(again.checkpointing.restored()->app == states[stable - 1]);
      // It comes to the same, and goes on in place of the one that stopped.
      if (stable == epoch) {
        again.begin(Epoch(epoch), chunks);
        again.work();
      }
      CHECK(again.checkpointing.restored()->header == header);
      CHECK(again.env.halts.empty());
      if (below(2) == 0) replica = std::move(again);
    }
  }
}

// Keys that change.

namespace {

NodeKey new_key(std::uint64_t node, const char* key = "new") { return {NodeId(node), Bytes(key)}; }
/// All that are up finish an epoch whose requests ask for this.
void finish_asking(StateCluster& cluster, std::uint64_t epoch,
                   const std::vector<Reconfiguration>& asked = {}) {
  for (StateReplica& replica : cluster.replicas) replica.asked = asked;
  cluster.finish(Epoch(epoch));
}
/// What a vote of `node` for this checkpoint looks like to `env`, by the key of some epoch.
CheckpointVote vote_of(const testing::IssEnv& env, std::uint64_t node,
                       const CheckpointHeader& header, std::uint64_t key_of) {
  const Bytes message = wire::canonical("checkpoint", Bytes("test").view(), header);
  return {header, env.signed_by(NodeId(node), Epoch(key_of), message)};
}
/// `from` tells the replica `to` of changes of keys, until there are no more to tell.
void tell_keys(StateCluster& cluster, std::size_t from, std::size_t to) {
  const auto known = [&] { return cluster[to].checkpointing.known_key_changes(); };
  for (std::uint64_t before = known() + 1; known() != before;) {
    before = known();
    cluster[from].checkpointing.tell_keys(cluster[from].env.member(to), before,
                                          cluster[from].env);
    cluster.exchange();
  }
}

}  // namespace

TEST_CASE("new keys of nodes are in the header, and durable before they are used") {
  StateReplica replica(members, NodeId(0));
  replica.asked = {new_key(2), new_key(9), ClientKey{ClientId(7), Bytes("client")}};
  const auto header = finish(replica, Epoch(0));
  CHECK(header.node_keys == std::vector{new_key(2)});
  CHECK(header.key_changes == 1);
  CHECK(replica.checkpointing.refused_reconfigurations() == 1);
  CHECK(replica.checkpointing.known_key_changes() == 0);
  vote(replica, header);
  CHECK(replica.checkpointing.known_key_changes() == 1);
  REQUIRE(replica.wal.size() == 4);  // the App's chunk, the own state, the keys, stability
  CHECK(std::holds_alternative<KeyEntry>(replica.wal[2].entry));
  CHECK(std::holds_alternative<StableEntry>(replica.wal[3].entry));
  CHECK(replica.env.keys[NodeId(2)] == std::map<Epoch, Bytes>{{Epoch(2), Bytes("new")}});
  CHECK(replica.checkpointing.client_keys().changes() ==
        std::vector<ClientKeyChange>{{ClientId(7), Epoch(2), Bytes("client")}});
  CHECK(finish(replica, Epoch(1)).key_changes == 1);
}

TEST_CASE("a vote counts by its signer's key of that epoch, an older or a newer one does not") {
  StateReplica replica(members, NodeId(0));
  replica.asked = {new_key(2)};
  vote(replica, finish(replica, Epoch(0)));
  for (const std::uint64_t epoch : {1u, 2u}) {
    CAPTURE(epoch);
    const auto header = finish(replica, Epoch(epoch));
    const std::uint64_t other_key = 3 - epoch;
    replica.receive(1, vote_of(replica.env, 1, header, epoch));
    replica.receive(2, vote_of(replica.env, 2, header, other_key));
    CHECK(replica.checkpointing.stable_epochs() == epoch);
    CHECK(replica.env.bad_messages.signature == epoch);
    replica.receive(2, vote_of(replica.env, 2, header, epoch));
    CHECK(replica.checkpointing.stable_epochs() == epoch + 1);
  }
}

TEST_CASE("a certificate by the keys of its epoch holds, also one that comes late") {
  StateReplica replica(members, NodeId(0));
  replica.asked = {new_key(2), new_key(3)};
  vote(replica, finish(replica, Epoch(0)));
  for (const std::uint64_t epoch : {1u, 2u}) {
    const auto header = finish(replica, Epoch(epoch));
    for (const std::uint64_t key_of : {3 - epoch, epoch}) {
      StableCheckpoint proof{header, {}};
      for (const std::uint64_t node : {1u, 2u, 3u})
        proof.certificate.push_back(
            {NodeId(node), vote_of(replica.env, node, header, key_of).signature});
      replica.receive(1, proof);
      CHECK((replica.checkpointing.stable_epochs() == epoch + 1) == (key_of == epoch));
    }
  }
  CHECK(replica.env.bad_messages.signature == 2);
}

TEST_CASE("an epoch is stable only after those before it that change keys") {
  StateReplica replica(members, NodeId(0));
  replica.asked = {new_key(2)};
  const auto first = finish(replica, Epoch(0));
  const auto second = finish(replica, Epoch(1));
  vote(replica, second);
  CHECK(replica.checkpointing.stable_epochs() == 0);
  vote(replica, first);
  CHECK(replica.checkpointing.stable_epochs() == 2);
  CHECK(replica.env.bad_messages.signature == 0);
}

TEST_CASE("votes by a key of which nothing is known yet wait for it") {
  StateReplica replica(members, NodeId(0));
  replica.asked = {new_key(2)};
  const auto first = finish(replica, Epoch(0));
  (void)finish(replica, Epoch(1));
  const auto third = finish(replica, Epoch(2));
  replica.receive(1, vote_of(replica.env, 1, third, 2));
  const Bytes by_old_key = signed_by(NodeId(2), third);
  replica.receive(2, CheckpointVote{third, Bytes(std::string(by_old_key.text()) + "new")});
  CHECK(replica.checkpointing.stable_epochs() == 0);
  vote(replica, first);
  CHECK(replica.checkpointing.stable_epochs() == 3);
  CHECK(replica.env.bad_messages.signature == 0);
}

TEST_CASE("keys are the same after a restart, those of clients too, and old ones are forgotten") {
  StateCluster cluster(members);
  finish_asking(cluster, 0, {new_key(2), ClientKey{ClientId(7), std::nullopt}});
  finish_asking(cluster, 1, {ClientKey{ClientId(8), Bytes("client")}});
  finish_asking(cluster, 2, {new_key(2, "newer")});
  for (std::uint64_t epoch = 3; epoch < 8; ++epoch) finish_asking(cluster, epoch);
  StateReplica& replica = cluster[0];
  CHECK(replica.env.bad_messages.signature == 0);
  REQUIRE_FALSE(replica.forgotten.empty());
  CHECK(replica.forgotten.back() == replica.checkpointing.first_kept());

  StateReplica again(members, NodeId(0), replica.wal);
  CHECK(again.checkpointing.stable_epochs() == 8);
  CHECK(again.checkpointing.known_key_changes() == 2);
  CHECK(again.env.keys == replica.env.keys);
  CHECK(again.checkpointing.client_keys().changes() ==
        replica.checkpointing.client_keys().changes());
  CHECK(again.checkpointing.client_keys().changes().size() == 2);
  again.asked = replica.asked = {new_key(1)};
  CHECK(finish(again, Epoch(8)) == finish(replica, Epoch(8)));
}

TEST_CASE("who was away while all keys changed believes the others by the chain of changes") {
  StateCluster cluster(members);
  cluster.down = {3};
  std::vector<Reconfiguration> all;
  for (const std::uint64_t node : {0u, 1u, 2u, 3u}) all.push_back(new_key(node));
  finish_asking(cluster, 0, all);
  for (std::uint64_t epoch = 1; epoch < 5; ++epoch) finish_asking(cluster, epoch);
  finish_asking(cluster, 5, {new_key(0, "newest"), ClientKey{ClientId(7), Bytes("client")}});
  for (std::uint64_t epoch = 6; epoch < 10; ++epoch) finish_asking(cluster, epoch);
  cluster.down.clear();
  StateReplica& late = cluster[3];
  const auto tell = [&] {
    cluster[0].checkpointing.tell(cluster[0].env.member(3), 0, cluster[0].env);
    cluster.exchange();
  };
  tell();
  CHECK_FALSE(late.checkpointing.proven_from(Epoch(0)));
  tell_keys(cluster, 1, 3);
  CHECK(late.checkpointing.known_key_changes() == 2);
  CHECK(late.env.keys == cluster[0].env.keys);
  tell();
  REQUIRE(late.checkpointing.proven_from(Epoch(9)));
  late.transfer.begin(*late.checkpointing.proven_from(Epoch(9)), late.env);
  cluster.exchange();
  REQUIRE(late.installed);
  CHECK(late.checkpointing.stable_epochs() == 10);
  CHECK(late.checkpointing.client_keys().changes() ==
        cluster[0].checkpointing.client_keys().changes());
  CHECK(late.env.bad_messages.signature == 0);

  // It goes on, also after a restart, and may tell others.
  finish_asking(cluster, 10);
  CHECK(late.checkpointing.stable_epochs() == 11);
  StateReplica again(members, NodeId(3), late.wal);
  CHECK(again.env.keys == late.env.keys);
  cluster.replicas[2] = StateReplica(members, NodeId(2));
  tell_keys(cluster, 3, 2);
  CHECK(cluster[2].env.keys == late.env.keys);
}

}  // namespace mirbft::iss::checkpointing_test

// A replica that was cut off fetches a state from peers, some of which are not what they seem.
#include <mirbft/protocol/iss/state_transfer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "../../support/state_replica.hpp"

namespace mirbft::iss::state_transfer_test {
namespace {

using namespace std::chrono_literals;

using testing::app_state;
using testing::IssEnv;
using testing::StateCluster;
using testing::StateReplica;

constexpr std::size_t members = 4;
/// The one that was cut off.
constexpr std::size_t late = 3;
/// More than are asked for at a time.
constexpr std::size_t full_chunks = 20;

/// Three of four replicas have finished epochs up to `last` without the fourth, and tell it.
class Scene {
 public:
  explicit Scene(Epoch last = Epoch(3), Bytes app = app_state(full_chunks)) {
    cluster.down = {late};
    for (Epoch epoch; epoch <= last; ++epoch) cluster.finish(epoch, app);
    cluster.down.clear();
    hear_of_it(0);
    REQUIRE(replica().checkpointing.proven_from(Epoch(0)));
  }

  StateReplica& replica() { return cluster[late]; }
  iss::BadMessages& bad() { return replica().env.bad_messages; }
  void hear_of_it(std::size_t from) {
    cluster[from].checkpointing.tell(cluster[from].env.member(late), 0, cluster[from].env);
    cluster.exchange();
  }
  /// Begins, or goes on with what is the newest checkpoint now.
  void begin() {
    replica().transfer.begin(*replica().checkpointing.proven_from(Epoch(0)), replica().env);
  }
  void fetch() {
    begin();
    cluster.exchange();
  }
  void tick() {
    for (StateReplica& one : cluster.replicas) one.supply.refill();
    replica().tick(1s);
    cluster.exchange();
  }
  void check_installed(Epoch epoch, const Bytes& app = app_state(full_chunks)) {
    REQUIRE(replica().installed);
    const StableState& state = *replica().installed;
    CHECK(state.header.epoch == epoch);
    CHECK(testing::joined(state.app) == app);
    CHECK(state.windows == StateReplica::windows_at(epoch));
    CHECK(state.policy == wire::encode(Simple{}));
    CHECK(state.pace == wire::encode(Fixed{static_cast<std::uint32_t>(epoch.value)}));
    CHECK(replica().checkpointing.stable_epochs() == epoch.value + 1);
    CHECK_FALSE(replica().transfer.is_active());
  }

  StateCluster cluster{members};
};

}  // namespace

TEST_CASE("a state comes in chunks from all peers, is durable, and then installed") {
  Scene scene;
  std::map<std::size_t, std::size_t> supplied;
  scene.cluster.on_chunk = [&](std::size_t from, ChunkSupplied&) { return ++supplied[from] != 0; };
  scene.fetch();
  scene.check_installed(Epoch(3));
  CHECK(supplied.size() == 3);
  CHECK(supplied[0] + supplied[1] + supplied[2] == full_chunks + 2);  // the last, and the clients'
  const auto& wal = scene.replica().wal;
  REQUIRE(wal.size() == full_chunks + 2);
  for (std::size_t i = 0; i <= full_chunks; ++i) {
    CHECK(std::holds_alternative<ChunkEntry>(wal[i].entry));
    CHECK(wal[i].retention > RetentionIndex(3));
  }
  CHECK(std::holds_alternative<InstalledEntry>(wal.back().entry));
  CHECK(wal.back().retention == RetentionIndex(3));
  const iss::BadMessages none;
  CHECK(scene.bad().unasked == none.unasked);
  CHECK(scene.bad().state == none.state);
}

TEST_CASE("nothing is installed before it is durable") {
  Scene scene(Epoch(3), Bytes("small"));
  StateReplica& replica = scene.replica();
  IssEnv& env = replica.env;
  scene.begin();
  const auto asked = env.take_all<StateWanted>();
  scene.cluster[0].receive(late, asked.at(0).message);
  replica.receive(asked[0].to[0].value,
                  scene.cluster[0].env.take_all<StateHead>().at(0).message);
  for (const auto& wanted : env.take_all<ChunkWanted>()) {
    scene.cluster[0].receive(late, wanted.message);
    const auto supplied = scene.cluster[0].env.take_all<ChunkSupplied>().at(0).message;
    replica.transfer.receive(env.member(wanted.to[0].value), supplied, env);
  }
  while (env.hash<TransferHash>(replica.transfer)) continue;
  CHECK(env.out.count<StateInstalled>() == 0);
  const auto append = env.out.take<WalAppend<InstalledEntry>>();
  CHECK(append.entry.state.app_chunks == 1);
  CHECK(env.out.take<StateInstalled>().epoch == Epoch(3));
}

TEST_CASE("an empty state is fetched as well") {
  Scene scene(Epoch(2), Bytes());
  scene.fetch();
  scene.check_installed(Epoch(2), Bytes());
}

TEST_CASE("a state of whole chunks has no last shorter one") {
  const Bytes app = app_state(2).slice(0, 2 * chunk_size);
  Scene scene(Epoch(2), app);
  scene.fetch();
  scene.check_installed(Epoch(2), app);
}

TEST_CASE("a list of inner nodes in place of chunks is refused, though it has the same root") {
  Scene scene;
  std::size_t lies = 0;
  scene.cluster.on_head = [&](std::size_t from, StateHead& head) {
    if (from != 0) return true;
    ++lies;
    std::vector<Digest> above;
    const std::vector<Digest>& leaves = head.app.digests;
    for (std::size_t i = 0; i < leaves.size(); i += 2)
      above.push_back(i + 1 == leaves.size()
                          ? leaves[i]
                          : testing::digest_of_parts({inner_content(
                                Bytes("test").view(), {1, i / 2, leaves[i], leaves[i + 1]})}));
    head.app.digests = above;
    return true;
  };
  scene.fetch();
  CHECK(lies == 1);
  CHECK(scene.bad().state == 1);
  scene.check_installed(Epoch(3));
}

TEST_CASE("a wrong chunk costs its sender's turn, and the state comes in all the same") {
  Scene scene;
  SUBCASE("other bytes") {
    scene.cluster.on_chunk = [](std::size_t from, ChunkSupplied& supplied) {
      if (from == 1) supplied.data = app_state(1, 9).slice(0, supplied.data.size());
      return true;
    };
  }
  SUBCASE("too short") {
    scene.cluster.on_chunk = [](std::size_t from, ChunkSupplied& supplied) {
      if (from == 1) supplied.data = supplied.data.slice(0, supplied.data.size() - 1);
      return true;
    };
  }
  SUBCASE("a huge one") {
    scene.cluster.on_chunk = [](std::size_t from, ChunkSupplied& supplied) {
      if (from == 1) supplied.data = app_state(3);
      return true;
    };
  }
  SUBCASE("that of another place") {
    scene.cluster.on_chunk = [&](std::size_t from, ChunkSupplied& supplied) {
      if (from == 1)
        supplied.data = scene.cluster[0].app_chunk(Epoch(3), (supplied.index + 1) % full_chunks);
      return true;
    };
  }
  scene.fetch();
  scene.check_installed(Epoch(3));
  CHECK(scene.bad().state >= 1);
  // Once it is known, it is asked for no more.
  CHECK(scene.bad().state <= StateTransfer::pieces_at_once);
}

TEST_CASE("a head that is not what the checkpoint's header says is refused") {
  Scene scene;
  std::size_t heads = 0;
  const auto forge = [&](auto change) {
    scene.cluster.on_head = [&heads, change](std::size_t, StateHead& head) {
      if (++heads == 1) change(head);
      return true;
    };
  };
  SUBCASE("another chunk") { forge([](StateHead& head) { head.app.digests[3] = {}; }); }
  SUBCASE("more chunks") { forge([](StateHead& head) { head.app.digests.resize(10000); }); }
  SUBCASE("another length") { forge([](StateHead& head) { ++head.app.length; }); }
  SUBCASE("a monstrous length") { forge([](StateHead& head) { head.app.length = ~0ull; }); }
  SUBCASE("other clients") { forge([](StateHead& head) { head.clients.digests[0] = {}; }); }
  SUBCASE("more clients") { forge([](StateHead& head) { head.clients.length = 1ull << 60; }); }
  SUBCASE("another policy") { forge([](StateHead& head) { head.policy = Bytes("x"); }); }
  SUBCASE("another time-out") { forge([](StateHead& head) { head.pace = Bytes("x"); }); }
  SUBCASE("bytes moved between the two") {
    forge([](StateHead& head) { std::swap(head.policy, head.pace); });
  }
  scene.fetch();
  CHECK(scene.bad().state == 1);
  CHECK(heads == 2);
  scene.check_installed(Epoch(3));
}

TEST_CASE("a list that does not fit its length is refused before it is hashed") {
  Scene scene;
  StateReplica& replica = scene.replica();
  scene.begin();
  const auto asked = replica.env.take_all<StateWanted>();
  StateHead head{Epoch(3), {1, {}}, {}, {}, {}};
  head.app.length = scene.replica().checkpointing.proven_from(Epoch(0))->header.app_length;
  replica.transfer.receive(replica.env.member(asked.at(0).to[0].value), head, replica.env);
  CHECK(replica.env.out.count<HashRequest<TransferHash>>() == 0);
  CHECK(scene.bad().state == 1);
  CHECK(replica.env.take_all<StateWanted>().size() == 1);
}

TEST_CASE("answers that nobody asked for are dropped") {
  Scene scene;
  StateReplica& replica = scene.replica();
  const CheckpointState state = *scene.cluster[0].checkpointing.stable_state(Epoch(3));
  const StateHead head{Epoch(3), list_of(state.clients), state.policy, state.pace,
                       scene.cluster[0].app_list(Epoch(3))};
  const ChunkSupplied chunk{Epoch(3), 1, scene.cluster[0].app_chunk(Epoch(3), 0)};
  replica.receive(0, head);
  replica.receive(0, chunk);
  CHECK(scene.bad().unasked == 2);

  scene.begin();
  const auto asked = replica.env.take_all<StateWanted>();
  REQUIRE(asked.size() == 1);
  const std::size_t peer = asked[0].to[0].value;
  const std::size_t other = (peer + 1) % 3;
  replica.receive(other, head);   // another was asked
  replica.receive(peer, chunk);   // before there is a head
  StateHead of_other_epoch = head;
  of_other_epoch.epoch = Epoch(2);
  replica.receive(peer, of_other_epoch);
  CHECK(scene.bad().unasked == 5);

  replica.receive(peer, head);
  replica.receive(peer, head);    // twice
  CHECK(scene.bad().unasked == 6);
  const auto wanted = replica.env.take_all<ChunkWanted>();
  REQUIRE(wanted.size() == StateTransfer::pieces_at_once);
  CHECK(wanted[0].message.index == 0);
  const std::size_t supplier = wanted[1].to[0].value;
  replica.receive((supplier + 1) % 3, chunk);
  ChunkSupplied beyond = chunk;
  beyond.index = full_chunks + 2;
  replica.receive(supplier, beyond);
  beyond.index = ~0ull;
  replica.receive(supplier, beyond);
  CHECK(scene.bad().unasked == 9);
  replica.receive(supplier, chunk);
  replica.receive(supplier, chunk);
  CHECK(scene.bad().unasked == 10);
  CHECK(scene.bad().state == 0);
}

TEST_CASE("peers that stop answering are asked no more once others do") {
  Scene scene;
  SUBCASE("one of them") {
    scene.cluster.on_chunk = [](std::size_t from, ChunkSupplied&) { return from != 2; };
  }
  SUBCASE("all but one") {
    scene.cluster.on_chunk = [](std::size_t from, ChunkSupplied&) { return from == 0; };
  }
  SUBCASE("the first that is asked for the head") {
    scene.cluster.on_head = [](std::size_t from, StateHead&) { return from != 0; };
  }
  scene.fetch();
  CHECK_FALSE(scene.replica().installed);
  scene.replica().tick(0s);
  scene.cluster.exchange();
  CHECK_FALSE(scene.replica().installed);  // not before the time is up
  for (int i = 0; i < 4 && !scene.replica().installed; ++i) scene.tick();
  scene.check_installed(Epoch(3));
}

TEST_CASE("a transfer waits for peers that are all down, and goes on when they are back") {
  Scene scene;
  std::size_t chunks = 0;
  scene.cluster.on_chunk = [&](std::size_t, ChunkSupplied&) { return ++chunks <= 5; };
  scene.fetch();
  for (int i = 0; i < 5; ++i) scene.tick();
  CHECK_FALSE(scene.replica().installed);
  chunks = 0;
  scene.cluster.on_chunk = {};
  scene.tick();
  scene.check_installed(Epoch(3));
}

TEST_CASE("after a restart in the middle the transfer begins anew") {
  Scene scene;
  std::size_t chunks = 0;
  scene.cluster.on_chunk = [&](std::size_t, ChunkSupplied&) { return ++chunks <= 5; };
  scene.fetch();
  CHECK(scene.replica().wal.empty());
  scene.cluster.on_chunk = {};
  scene.cluster.replicas[late] = StateReplica(members, NodeId(late), scene.replica().wal);
  CHECK_FALSE(scene.replica().checkpointing.restored());
  scene.hear_of_it(1);
  scene.fetch();
  scene.check_installed(Epoch(3));
}

TEST_CASE("a state that is collected while it is fetched gives way to a newer one") {
  Scene scene;
  std::size_t chunks = 0;
  scene.cluster.on_chunk = [&](std::size_t, ChunkSupplied&) { return ++chunks <= 6; };
  scene.fetch();
  CHECK(scene.replica().transfer.is_active());
  // Meanwhile the others go on. They still have the state of epoch 3 after one more epoch.
  scene.cluster.down = {late};
  scene.cluster.finish(Epoch(4), app_state(full_chunks));
  scene.cluster.down.clear();
  scene.hear_of_it(0);
  scene.begin();
  CHECK(scene.replica().env.take_all<StateWanted>().empty());
  // After two they have not; who asks for it hears of those that are there.
  scene.cluster.down = {late};
  scene.cluster.finish(Epoch(5), app_state(full_chunks));
  scene.cluster.down.clear();
  scene.cluster.on_chunk = {};
  scene.tick();
  CHECK_FALSE(scene.replica().installed);
  CHECK(scene.replica().checkpointing.proven_from(Epoch(0))->header.epoch == Epoch(5));
  std::size_t fetched = 0;
  scene.cluster.on_chunk = [&](std::size_t, ChunkSupplied&) { return ++fetched != 0; };
  scene.begin();
  const auto asked = scene.replica().env.take_all<StateWanted>();
  const std::size_t peer = asked.at(0).to[0].value;
  const std::uint64_t unasked = scene.bad().unasked;
  scene.replica().receive(peer, ChunkSupplied{Epoch(5), ~0ull, {}});  // no chunk is wanted yet
  CHECK(scene.bad().unasked == unasked + 1);
  scene.cluster[peer].receive(late, asked[0].message);
  scene.cluster.exchange();
  scene.check_installed(Epoch(5));
  // What is the same in both states is not fetched twice: only the clients have changed.
  CHECK(fetched == full_chunks + 2 - 5);
}

TEST_CASE("a chunk that was not checked yet is not taken over to a newer state") {
  Scene scene;
  StateReplica& replica = scene.replica();
  scene.begin();
  const auto asked = replica.env.take_all<StateWanted>();
  scene.cluster[0].receive(late, asked[0].message);
  replica.receive(asked[0].to[0].value,
                  scene.cluster[0].env.take_all<StateHead>()[0].message);
  const auto wanted = replica.env.take_all<ChunkWanted>();
  // It is hashed when the transfer is begun anew.
  const ChunkSupplied wrong{Epoch(3), wanted[1].message.index,
                            app_state(1, 9).slice(0, chunk_size)};
  replica.transfer.receive(replica.env.member(wanted[1].to[0].value), wrong, replica.env);
  scene.cluster.down = {late};
  for (const std::uint64_t epoch : {4u, 5u})
    scene.cluster.finish(Epoch(epoch), app_state(full_chunks));
  scene.cluster.down.clear();
  scene.cluster[0].checkpointing.tell(replica.env.member(late), 0, scene.cluster[0].env);
  for (const auto& sent : scene.cluster[0].env.take_all<StableCheckpoint>()) {
    replica.checkpointing.receive(replica.env.member(0), sent.message, replica.env);
    replica.env.verify<ProofChecking>(replica.checkpointing);
  }
  scene.fetch();
  scene.check_installed(Epoch(5));
}

TEST_CASE("what comes second while the first is being checked does not take its place") {
  Scene scene;
  StateReplica& replica = scene.replica();
  IssEnv& env = replica.env;
  scene.begin();
  const auto asked = env.take_all<StateWanted>();
  scene.cluster[0].receive(late, asked.at(0).message);
  const StateHead head = scene.cluster[0].env.take_all<StateHead>().at(0).message;
  const Member peer = env.member(asked[0].to[0].value);
  StateHead forged = head;
  forged.app.digests[0] = {};
  replica.transfer.receive(peer, head, env);
  replica.transfer.receive(peer, forged, env);
  CHECK(scene.bad().unasked == 1);
  replica.work();

  const auto questions = env.take_all<ChunkWanted>();
  const ChunkWanted wanted = questions.at(1).message;
  const Member supplier = env.member(questions[1].to[0].value);
  const ChunkSupplied good{Epoch(3), wanted.index,
                           scene.cluster[0].app_chunk(Epoch(3), wanted.index - 1)};
  ChunkSupplied bad = good;
  bad.data = app_state(1, 9).slice(0, good.data.size());
  for (const ChunkSupplied& one : {good, bad}) replica.transfer.receive(supplier, one, env);
  CHECK(scene.bad().unasked == 2);
}

TEST_CASE("hashes from before a transfer was begun anew say nothing of the new one") {
  Scene scene;
  StateReplica& replica = scene.replica();
  IssEnv& env = replica.env;
  scene.begin();
  const auto asked = env.take_all<StateWanted>();
  scene.cluster[0].receive(late, asked.at(0).message);
  replica.transfer.receive(env.member(asked[0].to[0].value),
                           scene.cluster[0].env.take_all<StateHead>().at(0).message, env);
  StableCheckpoint newer = *replica.checkpointing.proven_from(Epoch(0));
  newer.header.epoch = Epoch(9);
  newer.header.app_state = {};
  newer.header.clients = {};
  newer.header.policy = {};
  replica.transfer.begin(newer, env);
  replica.work();
  CHECK(scene.bad().state == 0);
  CHECK(env.take_all<StateWanted>().size() == 1);
}

TEST_CASE("what is under way is not begun again") {
  Scene scene;
  scene.begin();
  CHECK(scene.replica().env.take_all<StateWanted>().size() == 1);
  scene.begin();
  CHECK(scene.replica().env.take_all<StateWanted>().empty());
}

TEST_CASE("a replica that gets there by itself gives up") {
  Scene scene;
  StateReplica& replica = scene.replica();
  scene.begin();
  for (Epoch epoch; epoch <= Epoch(3); ++epoch) replica.finish(epoch, app_state(full_chunks));
  CHECK(replica.checkpointing.stable_epochs() == 4);
  CHECK(replica.transfer.is_active());
  replica.tick(10s);
  CHECK_FALSE(replica.transfer.is_active());
  CHECK(replica.env.take_all<StateWanted>().size() == 1);  // the first one
  scene.cluster.exchange();
  CHECK_FALSE(replica.installed);
}

TEST_CASE("a replica that only waits while its App is slow needs nobody's state") {
  Scene scene;
  StateReplica& replica = scene.replica();
  scene.begin();
  for (Epoch epoch; epoch <= Epoch(3); ++epoch) replica.begin(epoch, app_state(full_chunks));
  CHECK(replica.checkpointing.stable_epochs() == 0);
  CHECK(replica.checkpointing.reached_epochs() == 4);
  CHECK_FALSE(replica.checkpointing.proven_from(Epoch(0)));
  replica.transfer.tick(replica.checkpointing.reached_epochs(), replica.env);
  CHECK_FALSE(replica.transfer.is_active());
}

TEST_CASE("after a transfer the next one finds nothing of the last") {
  Scene scene;
  scene.fetch();
  scene.check_installed(Epoch(3));
  scene.cluster.down = {late};
  for (const std::uint64_t epoch : {4u, 5u, 6u, 7u})
    scene.cluster.finish(Epoch(epoch), app_state(2, 5));
  scene.cluster.down.clear();
  scene.hear_of_it(2);
  scene.fetch();
  scene.check_installed(Epoch(7), app_state(2, 5));
}

TEST_CASE("whatever arrives, nothing but the right state is installed") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const auto below = [&](std::uint64_t n) { return random() % n; };
    Scene scene(Epoch(3), app_state(3));
    StateReplica& replica = scene.replica();
    const CheckpointState state = *scene.cluster[0].checkpointing.stable_state(Epoch(3));
    const auto epoch = [&] { return Epoch(below(8) == 0 ? ~std::uint64_t{0} : 1 + below(4)); };
    const auto index = [&] { return below(8) == 0 ? ~std::uint64_t{0} : below(6); };
    const auto list = [&](ChunkList right) {
      if (below(2) == 0 && !right.digests.empty()) right.digests[below(right.digests.size())] = {};
      if (below(4) == 0) right.digests.resize(below(100));
      if (below(4) == 0) right.length = random() >> below(64);
      return right;
    };
    for (int step = 0; step < 300; ++step) {
      const std::size_t peer = below(3);
      switch (below(6)) {
        case 0: replica.receive(peer, StateWanted{epoch()}); break;
        case 1: replica.receive(peer, ChunkWanted{epoch(), index()}); break;
        case 2:
          replica.receive(peer, StateHead{epoch(), list(list_of(state.clients)), state.policy,
                                          Bytes(below(2) == 0 ? "x" : ""),
                                          list(scene.cluster[0].app_list(Epoch(3)))});
          break;
        case 3:
          replica.receive(peer, ChunkSupplied{epoch(), index(),
                                              chunk_of(app_state(3), below(5)).slice(
                                                  0, below(2) == 0 ? chunk_size : below(300))});
          break;
        case 4: replica.tick(std::chrono::milliseconds(below(600))); break;
        default:
          if (below(10) == 0 && !replica.installed &&
              replica.checkpointing.proven_from(Epoch(0)))
            scene.begin();
      }
    }
    for (int i = 0; i < 100 && !replica.installed; ++i) {
      if (!replica.transfer.is_active()) scene.begin();
      scene.tick();
    }
    scene.check_installed(Epoch(3), app_state(3));
    CHECK(replica.env.halts.empty());
  }
}

TEST_CASE("a cluster of seven, two of which lie") {
  StateCluster cluster(7);
  cluster.down = {6};
  for (Epoch epoch; epoch <= Epoch(4); ++epoch) cluster.finish(epoch, app_state(40));
  cluster.down.clear();
  cluster[0].checkpointing.tell(cluster[0].env.member(6), 0, cluster[0].env);
  cluster.exchange();
  const auto lies = [](std::size_t from) { return from == 1 || from == 4; };
  cluster.on_head = [&](std::size_t from, StateHead& head) {
    if (lies(from)) head.app.digests.front() = {};
    return true;
  };
  cluster.on_chunk = [&](std::size_t from, ChunkSupplied& supplied) {
    if (lies(from)) supplied.data = app_state(1, 9).slice(0, supplied.data.size());
    return true;
  };
  StateReplica& replica = cluster[6];
  replica.transfer.begin(*replica.checkpointing.proven_from(Epoch(0)), replica.env);
  cluster.exchange();
  REQUIRE(replica.installed);
  CHECK(testing::joined(replica.installed->app) == app_state(40));
}

}  // namespace mirbft::iss::state_transfer_test

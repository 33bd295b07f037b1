// Nodes that write real segments: what comes back is held against an account, and harm shows.
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include <mirbft/concepts.hpp>
#include <mirbft/sim/file_modules.hpp>

#include "solo_cluster.hpp"

namespace mirbft::file_modules_test {
namespace {

using namespace std::chrono_literals;

static_assert(IsWal<sim::FileWal>);
static_assert(IsStore<sim::FileStore>);

using Replica = Node<sim::Net, Sha256, NullCrypto, Counter, sim::FileWal, ClientTracker,
                     sim::FileStore, Solo,
                     sim::Watch<sim::Checks<sim::TotalOrder, sim::Integrity, testing::Hooks>>>;
using Cluster = sim::Cluster<Replica>;

Replica::Modules modules(Cluster::PartsOfReplica parts) {
  return {.net = std::move(parts.net),
          .hasher = {},
          .crypto = {},
          .app = {},
          .wal = sim::FileWal(parts.account, parts.files, parts.self),
          .tracker = ClientTracker(TrackerConfig{.cluster = Bytes("mirbft")}),
          .store = sim::FileStore(parts.account, parts.files, parts.self),
          .protocol = {},
          .interceptor = std::move(parts.watch)};
}

const NodeId node(0);

/// A cluster of one, with a client.
struct Course {
  explicit Course(std::uint64_t seed = 1) : cluster({.seed = seed, .nodes = 1}, modules) {
    cluster.add_client({.id = ClientId(1), .requests = 10, .retry_after = 100ms, .rest = 1ms});
  }
  bool finishes() {
    return cluster.run_until([&] { return cluster.clients_done(); }, 60s);
  }

  Cluster cluster;
};

/// A disk with its account.
struct Machine {
  Machine() {
    account.on_durable([this](const sim::Record& record) { seen += record.entry.text(); });
  }

  sim::FileWal open() { return {account, files, node}; }
  std::string log() {
    std::string text;
    open().replay([&](std::uint32_t, const Bytes& entry) { text += entry.text(); });
    return text;
  }
  static void append(sim::FileWal& wal, const char* text) {
    wal.append(1, Bytes(text), RetentionIndex(0));
  }

  sim::Disk account{sim::Random(1)};
  sim::FileSystem files{sim::Random(1)};
  std::string seen;
};

}  // namespace

TEST_CASE("records are shown once they are durable, also those that a crash has spared") {
  for (const sim::Tail tail : {sim::Tail::kept, sim::Tail::lost}) {
    Machine machine;
    {
      sim::FileWal wal = machine.open();
      machine.append(wal, "a");
      CHECK(machine.seen.empty());
      wal.sync();
      CHECK(machine.seen == "a");
      machine.append(wal, "b");
      machine.append(wal, "c");
      // After the write, before its sync.
      machine.files.fail_after(1);
      CHECK_THROWS_AS(wal.sync(), sim::PowerFailure);
    }
    machine.files.crash(tail);
    machine.account.doubt();
    CHECK(machine.seen == "a");
    const std::string left = tail == sim::Tail::kept ? "abc" : "a";
    CHECK(machine.log() == left);
    CHECK(machine.seen == left);
    CHECK(machine.account.durable() == left.size());
  }
}

// Of equal records the durable ones are not taken for those that were on their way.
TEST_CASE("a record that is lost does not come back as an earlier one that is equal") {
  Machine machine;
  {
    sim::FileWal wal = machine.open();
    machine.append(wal, "a");
    machine.append(wal, "b");
    wal.sync();
    machine.append(wal, "a");
    machine.append(wal, "b");
    machine.files.fail_after(1);
    CHECK_THROWS_AS(wal.sync(), sim::PowerFailure);
  }
  machine.files.crash(sim::Tail::lost);
  machine.account.doubt();
  CHECK(machine.log() == "ab");
  CHECK(machine.seen == "ab");
  CHECK(machine.account.durable() == 2);
}

TEST_CASE("a log or a store that has lost something durable is noticed") {
  Machine machine;
  {
    sim::FileWal wal = machine.open();
    machine.append(wal, "a");
    wal.sync();
    sim::FileStore store(machine.account, machine.files, node);
    store.put({ClientId(1), ReqNo(2), {}}, Bytes("body"), {});
    store.sync();
  }
  machine.files.wipe();
  machine.account.doubt();
  CHECK_THROWS_WITH_AS(machine.log(), "an entry of type 1, which was durable, is lost",
                       ModuleFailure);
  CHECK_THROWS_WITH_AS(sim::FileStore(machine.account, machine.files, node),
                       "request 2 of client 1, which was durable, is lost", ModuleFailure);
}

TEST_CASE("what may be truncated need not come back") {
  Machine machine;
  {
    sim::FileWal wal = machine.open();
    machine.append(wal, "a");
    wal.sync();
    wal.truncate(RetentionIndex(1));
    wal.append(1, Bytes("late"), RetentionIndex(0));
    wal.append(1, Bytes("new"), RetentionIndex(1));
    wal.sync();
  }
  machine.account.doubt();
  CHECK(machine.log().ends_with("new"));
}

TEST_CASE("a node whose power fails at any operation on its files loses nothing") {
  std::uint64_t operation = 0;
  for (;; ++operation) {
    CAPTURE(operation);
    Course course;
    course.cluster.files(node).fail_after(operation);
    course.cluster.at(1s, [&] { course.cluster.restart(node); });
    CHECK(course.finishes());
    CHECK(course.cluster.findings().none());
    CHECK(course.cluster.checks().get<sim::TotalOrder>().requests() == 10);
    if (course.cluster.files(node).struck(sim::FileTrouble::power) == 0) break;
  }
  CHECK(operation > 20);
}

TEST_CASE("a node that its disk refuses something stops, comes back and loses nothing") {
  using enum sim::FileTrouble;
  for (const sim::FileTrouble trouble : {io_error, failed_sync}) {
    std::uint64_t operation = 0;
    for (;; ++operation) {
      CAPTURE(operation);
      Course course;
      course.cluster.files(node).fail_after(operation, trouble);
      course.cluster.at(1s, [&] { course.cluster.restart(node); });
      CHECK(course.finishes());
      CHECK(course.cluster.findings().none());
      const auto kind = trouble == io_error ? sim::Fault::io_error : sim::Fault::failed_sync;
      if (course.cluster.figures().faults[kind] == 0) break;
      CHECK(course.cluster.checks().get<testing::Hooks>().crashes == 1);
    }
    CHECK(operation > 15);
  }
}

TEST_CASE("a node refuses to begin with a log that is damaged, and is wiped") {
  Course course;
  REQUIRE(course.finishes());
  CHECK(course.cluster.disk(node).records().size() == 10);
  for (int i = 0; i < 2000; ++i) course.cluster.rot(node);
  CHECK(course.cluster.figures().faults[sim::Fault::bit_rot] == 2000);
  course.cluster.crash(node);
  course.cluster.restart(node);
  CHECK(course.cluster.was_wiped(node));
  CHECK(course.cluster.is_up(node));
  CHECK(course.cluster.disk(node).contents() == sim::Contents::lost);
  CHECK(course.cluster.findings().none());
}

TEST_CASE("damage that nobody has done is a finding") {
  Course course;
  REQUIRE(course.finishes());
  sim::FileSystem& files = course.cluster.files(node);
  for (std::size_t bit = 0; bit < 8 * 512; bit += 8) files.find(files.paths().front())->flip(bit);
  course.cluster.crash(node);
  course.cluster.restart(node);
  REQUIRE(!course.cluster.findings().none());
  CHECK(course.cluster.findings().all().front().rule == "no failure");
}

TEST_CASE("a node that is set back does not know it, and counts as faulty") {
  Course course;
  const sim::FileSystem::Image image = course.cluster.files(node).image();
  REQUIRE(course.finishes());
  CHECK(!course.cluster.is_faulty(node));
  course.cluster.set_back(node, image);
  CHECK(course.cluster.is_up(node));
  CHECK(course.cluster.is_faulty(node));
  CHECK(!course.cluster.was_wiped(node));
  CHECK(course.cluster.disk(node).contents() == sim::Contents::kept);
  CHECK(course.cluster.figures().faults[sim::Fault::old_directory] == 1);
}

}  // namespace mirbft::file_modules_test

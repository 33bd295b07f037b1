// A SegmentStore does what a MemoryStore does, and outlives its node.
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/concepts.hpp>
#include <mirbft/modules/store/segment.hpp>
#include <mirbft/modules/wal/segment.hpp>
#include <mirbft/sim/files.hpp>

#include "../../support/store_use.hpp"

namespace mirbft::store_segment_test {
namespace {

using testing::Use;

using Store = SegmentStore<sim::Files>;
static_assert(IsStore<Store>);

Store open(sim::FileSystem& disk) {
  return Store(sim::Files(disk, "store"), {.node = NodeId(1), .segment_size = 4096});
}

RequestRef sample() { return {ClientId(1), ReqNo(7), {}}; }

/// Returns false if all is done before the disk strikes.
bool survive(sim::FileTrouble trouble, std::uint64_t operation, sim::Tail tail) {
  CAPTURE(static_cast<int>(trouble));
  CAPTURE(operation);
  CAPTURE(static_cast<int>(tail));
  sim::FileSystem disk{sim::Random(operation)};
  Use use(1);
  disk.fail_after(operation, trouble);
  try {
    Store store = open(disk);
    for (int step = 0; step < 40; ++step) use.step(store);
    return false;
  } catch (const ModuleFailure&) {
  }
  disk.crash(tail);
  Store store = open(disk);
  CHECK(use.fault_of(store) == "");
  use.forget_unsynced(store);
  for (int step = 0; step < 5; ++step) use.step(store);
  CHECK(use.fault_of(store) == "");
  return true;
}

}  // namespace

TEST_CASE("a store on disk has what one in memory has") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    sim::FileSystem disk{sim::Random(seed)};
    Use use(seed);
    Store store = open(disk);
    for (int step = 0; step < 300; ++step) {
      use.step(store);
      REQUIRE(use.fault_of(store) == "");
    }
    CHECK(use.found_more() == 0);
    CHECK(store.status().requests == use.memory().status().requests);
    // Segments go with what is in them.
    CHECK(store.status().log.removed_segments > 20);
    CHECK(store.status().log.segments <= 3 + 4 * store.status().bytes / 4096);
  }
}

TEST_CASE("what will soon go by itself is not written again") {
  sim::FileSystem disk{sim::Random(1)};
  Store store = open(disk);
  for (std::uint64_t i = 2; i < 200; ++i) {
    const RequestRef reference{ClientId(1), ReqNo(i), {}};
    store.put(reference, Bytes(std::string(900, 'x')), {});
    store.sync();
    store.delivered(SeqNr(i), Batch(std::vector<RequestRef>{reference}));
    store.collect({SeqNr(i - 2), {}});
    REQUIRE(store.status().log.segments <= 2);
  }
  CHECK(store.status().requests == 2);
  CHECK(store.status().log.removed_segments > 30);
  CHECK(store.status().log.carried == 0);
}

TEST_CASE("what comes back in a restart is collected again") {
  sim::FileSystem disk{sim::Random(1)};
  Use use(1);
  for (int life = 0; life < 20; ++life) {
    Store store = open(disk);
    for (int step = 0; step < 20; ++step) use.step(store);
    CHECK(use.fault_of(store) == "");
  }
  CHECK(use.found_more() != 0);
  const SegmentStoreStatus status = open(disk).status();
  CHECK(status.log.segments <= 3 + 4 * status.bytes / 4096);
}

TEST_CASE("the disk strikes at any operation") {
  using enum sim::FileTrouble;
  for (const sim::FileTrouble trouble : {power, io_error, no_space, failed_sync})
    for (const sim::Tail tail : {sim::Tail::kept, sim::Tail::lost, sim::Tail::drawn}) {
      std::uint64_t operation = 0;
      while (survive(trouble, operation, tail)) ++operation;
      CHECK(operation > 60);
    }
}

TEST_CASE("the first body under a reference stays, and takes a new authenticator") {
  sim::FileSystem disk{sim::Random(1)};
  {
    Store store = open(disk);
    store.put(sample(), Bytes("body"), Bytes("old"));
    CHECK(store.get(sample())->authenticator == Bytes("old"));
    store.put(sample(), Bytes("other"), Bytes("new"));
    CHECK(store.get(sample())->authenticator == Bytes("new"));
    store.sync();
    const std::uint64_t bytes = store.status().log.bytes;
    store.put(sample(), Bytes("body"), Bytes("new"));
    store.sync();
    CHECK(store.status().log.bytes == bytes);
  }
  Store store = open(disk);
  const Request* found = store.get(sample());
  REQUIRE(found);
  CHECK(*found == Request{ClientId(1), ReqNo(7), Bytes("body"), Bytes("new")});
  CHECK(store.status().requests == 1);
}

TEST_CASE("a body that the disk has changed is not handed out") {
  sim::FileSystem disk{sim::Random(1)};
  Store store = open(disk);
  store.put(sample(), Bytes(std::string(1000, 'x')), {});
  store.sync();
  disk.find(disk.paths().front())->flip(8 * 1000);
  // Until it is delivered, it is in memory as it was.
  REQUIRE(store.get(sample()));
  CHECK(store.get(sample())->data == Bytes(std::string(1000, 'x')));
  store.delivered(SeqNr(0), Batch(std::vector<RequestRef>{sample()}));
  CHECK_THROWS_AS((void)store.get(sample()), LogCorruption);
}

TEST_CASE("a store is not opened on a write-ahead log") {
  sim::FileSystem disk{sim::Random(1)};
  (void)open(disk);
  CHECK_THROWS_AS((segments::SegmentLog<sim::Files>(sim::Files(disk, "store"),
                                                    {.node = NodeId(1)},
                                                    segments::Content::entries,
                                                    [](segments::Place, const auto&) {})),
                  ConfigError);
}

TEST_CASE("a write-ahead log with entries is refused as what it is") {
  sim::FileSystem disk{sim::Random(1)};
  {
    SegmentWal<sim::Files> wal(sim::Files(disk, "store"), {.node = NodeId(1)});
    wal.append(1, Bytes("an entry"), RetentionIndex(0));
    wal.sync();
  }
  CHECK_THROWS_WITH_AS((void)open(disk), doctest::Contains("holds the write-ahead log of node 1"),
                       ConfigError);
}

}  // namespace mirbft::store_segment_test

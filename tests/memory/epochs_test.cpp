// Whatever the number of epochs, a replica takes the same memory.
//
// This program counts what is allocated: every object of the library comes from `operator new`.
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>

#include <doctest/doctest.h>

#include "../sim/iss_cluster.hpp"

namespace {

std::uint64_t live_bytes = 0;

}  // namespace

// std::stable_partition takes its buffer by this one and gives it back by the ordinary one.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  void* const block = std::malloc(size);
  if (block) live_bytes += malloc_usable_size(block);
  return block;
}
void* operator new(std::size_t size) {
  if (void* const block = operator new(size, std::nothrow)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept {
  live_bytes -= malloc_usable_size(block);
  std::free(block);
}
void operator delete(void* block, std::size_t) noexcept { operator delete(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept { operator delete(block); }

namespace mirbft {
namespace {

using namespace std::chrono_literals;

using Replica = testing::SimulatedIss<>;
using Cluster = sim::Cluster<Replica>;

/// What a whole cluster keeps, at most, of several looks at it.
struct Footprint {
  std::uint64_t bytes = 0;
  std::uint64_t wal_entries = 0;
  std::uint64_t wal_segments = 0;
  std::uint64_t stored_requests = 0;
  std::uint64_t open_requests = 0;
  std::uint64_t early_bytes = 0;

  void see(Cluster& cluster) {
    Footprint now{.bytes = live_bytes};
    for (const NodeId id : cluster.members()) {
      if (!cluster.is_up(id)) continue;
      const auto status = cluster[id].status();
      now.wal_entries += cluster.disk(id).records().size();
      now.wal_segments += status.wal.segments;
      now.stored_requests += status.store.requests;
      now.open_requests += status.tracker.pending + status.tracker.checking;
      now.early_bytes += status.protocol.early_bytes;
    }
    bytes = std::max(bytes, now.bytes);
    wal_entries = std::max(wal_entries, now.wal_entries);
    wal_segments = std::max(wal_segments, now.wal_segments);
    stored_requests = std::max(stored_requests, now.stored_requests);
    open_requests = std::max(open_requests, now.open_requests);
    early_bytes = std::max(early_bytes, now.early_bytes);
  }
};

sim::ClusterConfig members(std::size_t count) {
  sim::ClusterConfig config;
  config.nodes = count;
  return config;
}
/// Epochs of one slot for each leader.
auto modules(std::size_t count) {
  IssConfig config = testing::iss_config(count);
  config.epoch_length = 1;
  config.min_segment_length = 1;
  return testing::iss_modules<Replica>(std::move(config));
}

/// The cluster goes on to the given epoch and some further; what it takes meanwhile, at most.
Footprint footprint_at(Cluster& cluster, std::uint64_t epoch) {
  constexpr std::uint64_t looks = 200;
  Footprint most;
  const NodeId first = cluster.members().front();
  for (std::uint64_t look = 0; look < looks; ++look) {
    REQUIRE(cluster.run_until(
        [&] { return cluster[first].protocol().status().epoch.value >= epoch + look; }, 10h,
        1ms));
    most.see(cluster);
  }
  return most;
}

/// Three clients keep the cluster busy. They ask again soon, so that what the simulation notes down
/// of that is settled long before the first look.
void check_flat(Cluster& cluster) {
  for (std::uint64_t client = 0; client < 3; ++client)
    cluster.add_client({.id = ClientId(client),
                        .requests = ~std::uint64_t{0},
                        .target = static_cast<sim::Target>(client),
                        .retry_after = 100ms,
                        .rest = 1ms,
                        .body = testing::command});
  const Footprint before = footprint_at(cluster, 1000);
  const Footprint after = footprint_at(cluster, 10000);
  for (const sim::Finding& finding : cluster.findings().all()) FAIL_CHECK(finding.text);
  CHECK(after.bytes <= before.bytes + before.bytes / 50);
  CHECK(after.wal_entries <= before.wal_entries + 16);
  CHECK(after.wal_segments <= before.wal_segments + 4);
  CHECK(after.stored_requests <= before.stored_requests + 16);
  CHECK(after.open_requests <= before.open_requests + 16);
  CHECK(after.early_bytes <= before.early_bytes + 4096);
}

}  // namespace

TEST_CASE("one replica takes the same memory at epoch 1,000 and at epoch 10,000") {
  Cluster cluster(members(1), modules(1));
  check_flat(cluster);
}

TEST_CASE("four replicas take the same memory at epoch 1,000 and at epoch 10,000") {
  Cluster cluster(members(4), modules(4));
  check_flat(cluster);
}

TEST_CASE("three replicas of four, of which one is down, take the same memory all the time") {
  Cluster cluster(members(4), modules(4));
  cluster.crash(NodeId(2));
  check_flat(cluster);
}

}  // namespace mirbft

#include <mirbft/protocol/iss/epoch_plan.hpp>

#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace mirbft::iss::epoch_plan_test {
namespace {

std::vector<NodeId> members(std::size_t n) {
  std::vector<NodeId> all;
  for (std::size_t i = 0; i < n; ++i) all.push_back(NodeId(10 * i));
  return all;
}
EpochPlan plan_of(std::size_t n, std::vector<NodeId> leaders, Epoch epoch = {},
                  std::uint32_t length = 16) {
  IssConfig config;
  config.epoch_length = length;
  return {epoch, SeqNr(100), members(n), std::move(leaders), config};
}

}  // namespace

TEST_CASE("every sequence number of an epoch stands in one slot of one segment") {
  const EpochPlan plan = plan_of(4, members(4));
  CHECK(plan.segments() == 4);
  CHECK(plan.segment_length() == 4);
  CHECK(plan.end() == SeqNr(116));
  CHECK(plan.last() == SeqNr(115));
  std::set<SeqNr> all;
  for (std::uint32_t segment = 0; segment < 4; ++segment) {
    for (std::uint32_t slot = 0; slot < 4; ++slot) {
      const SeqNr sn = plan.sn_of(segment, slot);
      CHECK(plan.contains(sn));
      CHECK(plan.segment_of(sn) == segment);
      CHECK(plan.slot_of(sn) == slot);
      all.insert(sn);
    }
  }
  CHECK(all.size() == plan.length());
  CHECK_FALSE(plan.contains(SeqNr(99)));
  CHECK_FALSE(plan.contains(plan.end()));
}

TEST_CASE("each leader gets the same share, within the limits") {
  CHECK(plan_of(4, members(4), {}, 17).segment_length() == 5);
  CHECK(plan_of(4, members(4), {}, 1).segment_length() == 2);
  CHECK(plan_of(4, members(1), {}, 1 << 20).segment_length() == 4096);
}

TEST_CASE("every bucket belongs to one leader, and within n epochs to every one") {
  constexpr std::size_t n = 4;
  for (std::uint32_t bucket = 0; bucket < buckets_per_member * n; ++bucket) {
    std::set<NodeId> owners;
    for (std::uint64_t epoch = 7; epoch < 7 + n; ++epoch) {
      const EpochPlan plan = plan_of(n, members(n), Epoch(epoch));
      REQUIRE(plan.buckets() == buckets_per_member * n);
      owners.insert(plan.leader(plan.owner(bucket)));
    }
    CHECK(owners.size() == n);
  }
}

TEST_CASE("buckets are dealt out evenly, those of members who do not lead too") {
  for (const std::size_t leading : {1u, 2u, 3u, 4u}) {
    const EpochPlan plan = plan_of(4, members(leading), Epoch(3));
    std::vector<std::uint32_t> share(leading);
    for (std::uint32_t bucket = 0; bucket < plan.buckets(); ++bucket) {
      REQUIRE(plan.owner(bucket) < leading);
      ++share[plan.owner(bucket)];
    }
    for (const std::uint32_t one : share) {
      CHECK(one >= plan.buckets() / leading);
      CHECK(one <= plan.buckets() / leading + 1);
    }
  }
}

TEST_CASE("clients in lock-step spread over the buckets") {
  constexpr std::uint32_t buckets = 64;
  std::vector<int> hits(buckets);
  for (std::uint64_t client = 0; client < 64; ++client)
    for (std::uint64_t number = 0; number < 100; ++number)
      ++hits[bucket_of(ClientId(client), ReqNo(number), buckets)];
  for (const int one : hits) {
    CHECK(one > 50);  // 100 on average
    CHECK(one < 150);
  }
}

}  // namespace mirbft::iss::epoch_plan_test

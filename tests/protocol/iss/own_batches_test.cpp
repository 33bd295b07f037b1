#include <mirbft/protocol/iss/own_batches.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <vector>

#include <doctest/doctest.h>

namespace mirbft::iss::own_batches_test {
namespace {

/// The only leader of its cluster: all buckets are its own.
struct Leader {
  Leader() { begin(0); }

  void begin(std::uint64_t epoch) {
    const std::vector<NodeId> members{NodeId(0)};
    const EpochPlan plan{Epoch(epoch), SeqNr(epoch * 100), members, members, IssConfig{}};
    own.put_back(buckets, clients);
    clients.begin_epoch(plan.first());
    buckets.begin_epoch(plan, clients, 0);
    next = plan.first();
  }
  void add(std::uint64_t number, std::uint32_t size = 10) {
    const RequestRef request{ClientId(1), ReqNo(number), {}};
    REQUIRE(clients.ready(request, size, Wanted::no) == Clients::Readiness::first);
    buckets.add(request, size);
  }
  /// Proposes a batch for the next sequence number.
  Batch propose(std::uint64_t most) {
    const SeqNr sn = next;
    ++next;
    Batch batch(buckets.cut(most, 1'000'000, [&](const RequestRef& request) {
      return clients.claim(sn, request.client, request.req_no);
    }));
    own.proposed(sn, batch);
    return batch;
  }
  void deliver(SeqNr sn, const Batch& batch) {
    for (const RequestRef& request : *batch) {
      REQUIRE(clients.deliver(sn, request));
      buckets.delivered(request, clients);
    }
    own.delivered(sn, batch);
  }

  Clients clients{10'000};
  Buckets buckets{buckets_per_member};
  OwnBatches own;
  SeqNr next;
};

}  // namespace

TEST_CASE("requests of a lost batch wait until the end of the epoch, and then come first") {
  Leader leader;
  for (std::uint64_t number = 0; number < 100; ++number) leader.add(number);
  const Batch lost = leader.propose(30);
  const Batch kept = leader.propose(30);
  leader.deliver(SeqNr(0), {});
  leader.deliver(SeqNr(1), kept);
  CHECK(leader.own.size() == 1);
  CHECK(leader.buckets.own_requests() == 40);
  const Batch rest = leader.propose(1000);  // nothing of the lost batch: it is claimed
  CHECK(rest->size() == 40);
  leader.deliver(SeqNr(2), rest);

  leader.begin(1);
  CHECK(leader.own.size() == 0);
  CHECK(leader.buckets.own_requests() == 30);
  CHECK(leader.buckets.own_bytes() == 300);
  const Batch again = leader.propose(1000);
  const std::set<RequestRef> before(lost->begin(), lost->end());
  CHECK(std::set<RequestRef>(again->begin(), again->end()) == before);
}

TEST_CASE("what another batch has delivered does not come back") {
  Leader leader;
  for (std::uint64_t number = 0; number < 10; ++number) leader.add(number);
  const Batch lost = leader.propose(10);
  leader.deliver(SeqNr(0), Batch({lost->front()}));  // not what this replica remembers
  leader.begin(1);
  CHECK(leader.buckets.own_requests() == 9);
  CHECK(leader.propose(1000)->size() == 9);
}

TEST_CASE("what is put back has no body after a state transfer to a new disk, and is left out") {
  Leader leader;
  leader.own.proposed(SeqNr(0), Batch({RequestRef{ClientId(1), ReqNo(5), {}}}));
  leader.begin(1);
  CHECK(leader.buckets.own_requests() == 0);
}

TEST_CASE("nothing is lost, and each bucket keeps its order, whichever batches are lost") {
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    Leader leader;
    constexpr std::uint64_t count = 500;
    std::uint64_t added = 0;
    std::vector<RequestRef> delivered;
    for (std::uint64_t epoch = 0; epoch < 30; ++epoch) {
      if (epoch != 0) leader.begin(epoch);
      while (added < count && random() % 50 != 0) leader.add(added++);
      std::map<SeqNr, Batch> proposed;
      for (int i = 0; i < 5; ++i) {
        const SeqNr sn = leader.next;
        proposed[sn] = leader.propose(1 + random() % 20);
      }
      const bool last_epochs = epoch > 10;
      for (const auto& [sn, batch] : proposed) {
        const bool lost = !last_epochs && random() % 2 == 0;
        leader.deliver(sn, lost ? Batch() : batch);
        if (!lost) delivered.insert(delivered.end(), batch->begin(), batch->end());
      }
    }
    const auto left = [&] { return leader.own.size() + leader.buckets.own_requests(); };
    for (std::uint64_t epoch = 30; left() != 0; ++epoch) {
      leader.begin(epoch);
      const Batch batch = leader.propose(1000);
      leader.deliver(SeqNr(epoch * 100), batch);
      delivered.insert(delivered.end(), batch->begin(), batch->end());
    }
    CHECK(std::set(delivered.begin(), delivered.end()).size() == added);
    CHECK(delivered.size() == added);
  }
}

TEST_CASE("a run of lost batches comes back in the order in which they stood") {
  Leader leader;
  for (std::uint64_t number = 0; number < 300; ++number) leader.add(number);
  while (leader.buckets.own_requests() != 0) leader.propose(7);
  leader.begin(1);
  const Batch again = leader.propose(1000);
  REQUIRE(again->size() == 300);
  std::map<std::uint32_t, std::uint64_t> newest;
  for (const RequestRef& request : *again) {
    const std::uint32_t bucket =
        bucket_of(request.client, request.req_no, leader.buckets.count());
    const auto [at, fresh] = newest.try_emplace(bucket, request.req_no.value);
    if (!fresh) CHECK(at->second < request.req_no.value);
    at->second = request.req_no.value;
  }
}

}  // namespace mirbft::iss::own_batches_test

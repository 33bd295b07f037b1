#include <mirbft/protocol/iss/buckets.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include <doctest/doctest.h>

namespace mirbft::iss::buckets_test {
namespace {

/// The buckets of a cluster of two, filled with `count` requests of one client.
struct Two {
  explicit Two(std::uint64_t count = 0) {
    begin(Epoch(0), 0);
    for (std::uint64_t number = 0; number < count; ++number) add(number);
  }

  static EpochPlan plan(Epoch epoch) {
    const std::vector<NodeId> members{NodeId(0), NodeId(1)};
    return {epoch, SeqNr(0), members, members, IssConfig{}};
  }
  static RequestRef request(std::uint64_t number) { return {ClientId(1), ReqNo(number), {}}; }

  void begin(Epoch epoch, std::optional<std::uint32_t> own) {
    buckets.begin_epoch(plan(epoch), clients, own);
  }
  void add(std::uint64_t number, std::uint32_t size = 10) {
    clients.ready(request(number), size, Wanted::no);
    buckets.add(request(number), size);
  }
  std::vector<RequestRef> cut(std::uint64_t requests, std::uint64_t bytes = 1'000'000) {
    return buckets.cut(requests, bytes, [](const RequestRef&) { return true; });
  }
  static bool owns(const RequestRef& request, Epoch epoch, std::uint32_t segment) {
    const EpochPlan where = plan(epoch);
    return where.owner(bucket_of(request.client, request.req_no, where.buckets())) == segment;
  }

  Clients clients{1000};
  Buckets buckets{buckets_per_member * 2};
};

}  // namespace

TEST_CASE("a leader cuts all requests of its own buckets, each once") {
  Two two(200);
  const std::uint64_t own = two.buckets.own_requests();
  CHECK(own > 0);
  CHECK(own < 200);
  CHECK(two.buckets.own_bytes() == own * 10);
  std::set<RequestRef> seen;
  for (std::vector<RequestRef> batch; !(batch = two.cut(16)).empty();) {
    CHECK(batch.size() <= 16);
    for (const RequestRef& request : batch) {
      CHECK(Two::owns(request, Epoch(0), 0));
      CHECK(seen.insert(request).second);
    }
  }
  CHECK(seen.size() == own);
  CHECK(two.buckets.own_requests() == 0);
  CHECK(two.buckets.own_bytes() == 0);
}

TEST_CASE("a batch holds so many bytes, and at least one request") {
  Two two(200);
  CHECK(two.cut(16, 35).size() == 3);
  CHECK(two.cut(16, 1).size() == 1);
}

TEST_CASE("what cannot be claimed is left out for good") {
  Two two(200);
  const std::uint64_t own = two.buckets.own_requests();
  std::uint64_t asked = 0;
  const auto batch = two.buckets.cut(1000, 1'000'000, [&](const RequestRef&) {
    return ++asked % 2 == 0;
  });
  CHECK(asked == own);
  CHECK(batch.size() == own / 2);
  CHECK(two.cut(1000).empty());
}

TEST_CASE("what is put back comes first") {
  Two two(200);
  const std::vector<RequestRef> first = two.cut(1000);
  two.buckets.put_back(first.back(), 10);
  CHECK(two.buckets.own_requests() == 1);
  CHECK(two.cut(1000) == std::vector{first.back()});
}

TEST_CASE("in the next epoch another leader has what is left, without what is delivered") {
  Two two(200);
  const std::uint64_t own = two.buckets.own_requests();
  std::uint64_t delivered = 0;
  for (std::uint64_t number = 0; number < 200; number += 2) {
    const RequestRef request = Two::request(number);
    two.clients.deliver(SeqNr(number), request);
    two.buckets.delivered(request, two.clients);
    delivered += Two::owns(request, Epoch(1), 0);
  }
  two.begin(Epoch(1), 0);
  CHECK(two.buckets.own_requests() == 200 - own - delivered);
  for (const RequestRef& request : two.cut(1000)) {
    CHECK(Two::owns(request, Epoch(1), 0));
    CHECK(request.req_no.value % 2 == 1);
  }
}

TEST_CASE("who leads nothing proposes nothing") {
  Two two(200);
  two.begin(Epoch(1), std::nullopt);
  two.add(200);
  CHECK(two.buckets.own_requests() == 0);
  CHECK(two.cut(1000).empty());
}

TEST_CASE("a segment waits while one of its buckets holds something undelivered") {
  Two two;
  const auto undecided = [](const RequestRef&) { return false; };
  CHECK_FALSE(two.buckets.waits(0, undecided));
  CHECK_FALSE(two.buckets.waits(1, undecided));
  std::uint64_t number = 0;
  while (!two.buckets.waits(1, undecided)) two.add(number++);
  const RequestRef awaited = Two::request(number - 1);
  CHECK(Two::owns(awaited, Epoch(0), 1));
  CHECK(two.buckets.oldest(1, 5, two.clients) == std::vector{awaited});
  // Once it is decided its leader has nothing more to do, though it may wait for others.
  CHECK_FALSE(two.buckets.waits(
      1, [&](const RequestRef& reference) { return reference == awaited; }));
  two.clients.deliver(SeqNr(1), awaited);
  two.buckets.delivered(awaited, two.clients);
  CHECK_FALSE(two.buckets.waits(1, undecided));
  CHECK(two.buckets.oldest(1, 5, two.clients).empty());

  while (!two.buckets.waits(0, undecided)) two.add(number++);
  two.cut(1000);
  CHECK_FALSE(two.buckets.waits(0, undecided));  // it is in flight, and no longer waits here
}

TEST_CASE("the oldest of a segment are those at the heads, without what is delivered") {
  Two two(400);
  const std::vector<RequestRef> few = two.buckets.oldest(1, 16, two.clients);
  REQUIRE(few.size() == 16);  // of 16 buckets, one each
  std::set<std::uint32_t> buckets;
  for (const RequestRef& request : few) {
    CHECK(Two::owns(request, Epoch(0), 1));
    buckets.insert(bucket_of(request.client, request.req_no, two.buckets.count()));
  }
  CHECK(buckets.size() == 16);

  const std::vector<RequestRef> all = two.buckets.oldest(1, 1000, two.clients);
  CHECK(all.size() == 400 - two.buckets.own_requests());
  CHECK(std::vector(all.begin(), all.begin() + 16) == few);
  const RequestRef later = all[20];  // behind the head of its bucket
  two.clients.deliver(SeqNr(1), later);
  two.buckets.delivered(later, two.clients);
  const std::vector<RequestRef> rest = two.buckets.oldest(1, 1000, two.clients);
  CHECK(rest.size() == all.size() - 1);
  CHECK(std::find(rest.begin(), rest.end(), later) == rest.end());
}

TEST_CASE("what was delivered by another's batch is not counted as waiting") {
  Two two(200);
  const std::uint64_t own = two.buckets.own_requests();
  const std::vector<RequestRef> heads = two.buckets.oldest(0, 16, two.clients);
  REQUIRE(heads.size() == 16);
  for (const RequestRef& head : heads) {
    two.clients.deliver(SeqNr(1), head);
    two.buckets.delivered(head, two.clients);
  }
  CHECK(two.buckets.own_requests() == own - 16);
  CHECK(two.buckets.own_bytes() == (own - 16) * 10);
  CHECK(two.cut(1000).size() == own - 16);
}

TEST_CASE("at the end of an epoch, what is no longer ready is dropped") {
  Two two(200);
  two.clients.forget_bodies(ClientId(1));
  two.add(7);
  two.begin(Epoch(1), 0);
  CHECK(two.buckets.own_requests() <= 2);
  std::vector<RequestRef> left = two.buckets.oldest(0, 1000, two.clients);
  for (const RequestRef& one : two.buckets.oldest(1, 1000, two.clients)) left.push_back(one);
  for (const RequestRef& one : left) CHECK(one == Two::request(7));
}

}  // namespace mirbft::iss::buckets_test

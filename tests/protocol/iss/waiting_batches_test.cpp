#include <mirbft/protocol/iss/waiting_batches.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace mirbft::iss::waiting_batches_test {
namespace {

using namespace std::chrono_literals;

RequestRef request(std::uint64_t number, std::uint8_t body = 0) {
  RequestRef reference{ClientId(1), ReqNo(number), {}};
  reference.digest.bytes[0] = body;
  return reference;
}
BatchHash batch(std::vector<RequestRef> requests, BatchUse use = BatchUse::vote) {
  return {{}, 0, Batch(std::move(requests)), use};
}

}  // namespace

TEST_CASE("a batch is complete with its last body") {
  WaitingBatches waiting;
  waiting.add(SeqNr(1), batch({request(0), request(1), request(2)}), {request(0), request(2)}, 0ms);
  CHECK(waiting.wants(request(0)));
  CHECK_FALSE(waiting.wants(request(1)));
  CHECK_FALSE(waiting.wants(request(0, 1)));
  CHECK(waiting.wants(ClientId(1), ReqNo(2)));
  CHECK_FALSE(waiting.wants(ClientId(1), ReqNo(1)));
  CHECK_FALSE(waiting.wants(ClientId(2), ReqNo(2)));

  CHECK(waiting.body_came(request(0)).empty());
  CHECK(waiting.body_came(request(0)).empty());
  CHECK(waiting.body_came(request(1)).empty());
  const auto complete = waiting.body_came(request(2));
  REQUIRE(complete.size() == 1);
  CHECK(complete[0].batch->size() == 3);
  CHECK(waiting.empty());
  CHECK_FALSE(waiting.wants(request(2)));
}

TEST_CASE("one body may complete several batches") {
  WaitingBatches waiting;
  for (const std::uint64_t sn : {1u, 2u})
    waiting.add(SeqNr(sn), batch({request(0)}), {request(0)}, 0ms);
  CHECK(waiting.size() == 2);
  CHECK(waiting.body_came(request(0)).size() == 2);
}

TEST_CASE("what is decided takes the place of a mere proposal") {
  WaitingBatches waiting;
  waiting.add(SeqNr(1), batch({request(0)}), {request(0)}, 0ms);
  waiting.add(SeqNr(2), batch({request(0)}), {request(0)}, 0ms);
  CHECK_FALSE(waiting.adopts(SeqNr(1)));
  waiting.add(SeqNr(1), batch({request(5)}, BatchUse::adopt), {request(5)}, 0ms);
  CHECK(waiting.adopts(SeqNr(1)));
  CHECK_FALSE(waiting.adopts(SeqNr(2)));
  CHECK(waiting.size() == 2);
  CHECK(waiting.body_came(request(0)).size() == 1);  // still wanted for 2
  CHECK(waiting.body_came(request(5)).size() == 1);
}

TEST_CASE("who has waited is asked for again, each time another time later") {
  WaitingBatches waiting;
  waiting.add(SeqNr(1), batch({request(0)}), {request(0)}, 50ms);
  std::vector<std::size_t> asked;
  const auto ask = [&](const WaitingBatches::Waiting& one) { asked.push_back(one.asked); };
  for (const auto now : {50ms, 149ms, 150ms, 151ms, 249ms, 250ms})
    waiting.ask_again(now, 100ms, ask);
  CHECK(asked == std::vector<std::size_t>{1, 2});
}

TEST_CASE("what was delivered otherwise is forgotten, and wanted no more") {
  WaitingBatches waiting;
  waiting.add(SeqNr(1), batch({request(0), request(1)}), {request(0), request(1)}, 0ms);
  waiting.add(SeqNr(2), batch({request(1)}), {request(1)}, 0ms);
  waiting.forget_before(SeqNr(2));
  CHECK(waiting.size() == 1);
  CHECK_FALSE(waiting.wants(request(0)));
  CHECK(waiting.wants(request(1)));
  CHECK(waiting.body_came(request(1)).size() == 1);
}

}  // namespace mirbft::iss::waiting_batches_test

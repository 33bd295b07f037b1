#include <mirbft/engine/tasks/store.hpp>

#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/modules/store/memory.hpp>

#include "../../support/recorder.hpp"
#include "../../support/stub_modules.hpp"

namespace mirbft::store_test {

using namespace mirbft::testing;

namespace {

/// A Store that counts how often it is told to make things durable.
struct SyncedStore : MemoryStore {
  int syncs = 0;
  void sync() { ++syncs; }
};
struct Asked {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 1000;

  std::uint64_t value = 0;
};
static_assert(FetchRequests<Asked>::number != RequestsFetched<Asked>::number);

RequestRef reference(std::uint64_t req_no) { return {ClientId(1), ReqNo(req_no), {}}; }

struct Fixture {
  SyncedStore store;
  engine::TaskOf<slot::store.index(), SyncedStore, StubProtocol> task{NodeConfig{}};
  Recorder out;

  template <class E>
  void process(E event) {
    task.process(store, std::move(event), out);
  }
  void put(std::uint64_t req_no) {
    process(StoreVerifiedRequest{reference(req_no), Bytes("body"), Bytes("signature")});
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a list of requests is made durable at its end, once") {
  task.finish(store, out);
  CHECK(store.syncs == 0);
  put(0);
  put(1);
  CHECK(store.syncs == 0);
  task.finish(store, out);
  task.finish(store, out);
  CHECK(store.syncs == 1);
}

TEST_CASE_FIXTURE(Fixture, "a delivery goes on to the App with the bodies") {
  put(0);
  put(1);
  process(Deliver{SeqNr(4), Batch({reference(1), reference(0)})});
  const Apply apply = out.take<Apply>();
  CHECK(apply.sn == SeqNr(4));
  REQUIRE(apply.requests.size() == 2);
  CHECK(apply.requests[0].req_no == ReqNo(1));
  CHECK(apply.requests[1].data.text() == "body");
}

TEST_CASE_FIXTURE(Fixture, "a delivery without a body is a failure that names the request") {
  CHECK_THROWS_WITH_AS(process(Deliver{SeqNr(4), Batch({reference(7)})}),
                       "sequence number 4 delivers request 7 of client 1, whose body the store "
                       "does not have",
                       ModuleFailure);
}

TEST_CASE_FIXTURE(Fixture, "what is fetched comes back, and what is absent is named") {
  put(0);
  put(2);
  process(FetchRequests<Asked>{{reference(0), reference(1), reference(2)}, Asked{9}});
  const auto fetched = out.take<RequestsFetched<Asked>>();
  CHECK(fetched.origin.value == 9);
  REQUIRE(fetched.found.size() == 2);
  CHECK(fetched.found[1].req_no == ReqNo(2));
  CHECK(fetched.absent == std::vector<RequestRef>{reference(1)});
}

TEST_CASE_FIXTURE(Fixture, "what a checkpoint covers is forgotten") {
  put(0);
  put(1);
  process(Deliver{SeqNr(0), Batch({reference(0)})});
  process(CollectRequests{{SeqNr(0), {}}});
  CHECK(store.get(reference(0)) == nullptr);
  CHECK(store.get(reference(1)) != nullptr);
}

}  // namespace mirbft::store_test

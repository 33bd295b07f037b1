#include <mirbft/engine/tasks/app.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "../../support/recorder.hpp"
#include "../../support/stub_modules.hpp"

using namespace mirbft;
using namespace mirbft::testing;

namespace {

/// Writes down what is asked of it; returns one result too few for the request "lazy".
struct DiaryApp {
  std::string diary;

  std::vector<Bytes> apply(SeqNr sn, std::span<const Request> requests) {
    diary += "apply" + std::to_string(sn.value) + " ";
    std::vector<Bytes> results;
    for (const Request& request : requests)
      if (request.data.text() != "lazy") results.push_back(request.data);
    return results;
  }
  Bytes snapshot() {
    diary += "snapshot ";
    return Bytes("state");
  }
  void restore(ByteView state) {
    diary += "restore:" + std::string(state.begin(), state.end()) + " ";
  }
};
using Task = engine::TaskOf<slot::app.index(), DiaryApp, StubProtocol>;

Apply batch(std::uint64_t sn, const char* text = "work") {
  return {SeqNr(sn), {{ClientId(1), ReqNo(sn), Bytes(text), {}}}};
}

struct Fixture {
  DiaryApp app;
  Task task{NodeConfig{}};
  Recorder out;

  template <class E>
  void process(E event) {
    task.process(app, std::move(event), out);
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "each request of a batch gets its reply") {
  process(Apply{SeqNr(0), {{ClientId(1), ReqNo(5), Bytes("a"), {}},
                           {ClientId(2), ReqNo(6), Bytes("b"), {}}}});
  const Applied applied = out.take<Applied>();
  CHECK(applied.sn == SeqNr(0));
  CHECK(applied.replies == std::vector<Reply>{{ClientId(1), ReqNo(5), Bytes("a")},
                                              {ClientId(2), ReqNo(6), Bytes("b")}});
}

TEST_CASE_FIXTURE(Fixture, "an empty batch is applied without the App") {
  process(Apply{SeqNr(0), {}});
  CHECK(out.take<Applied>().replies.empty());
  CHECK(app.diary.empty());
}

TEST_CASE_FIXTURE(Fixture, "a batch out of turn, or a result too few, is a failure") {
  SUBCASE("a gap") {
    CHECK_THROWS_WITH_AS(process(batch(1)), "the App was given sequence numbers out of order",
                         ModuleFailure);
  }
  SUBCASE("a repetition") {
    process(batch(0));
    CHECK_THROWS_AS(process(batch(0)), ModuleFailure);
  }
  SUBCASE("a result too few") {
    CHECK_THROWS_WITH_AS(process(batch(0, "lazy")),
                         "the App must return one result for each request", ModuleFailure);
  }
}

TEST_CASE_FIXTURE(Fixture, "a snapshot is taken after its batch and before the next") {
  process(AppSnapshotRequest{SeqNr(1)});
  process(batch(0));
  CHECK(out.count<AppSnapshot>() == 0);
  process(batch(1));
  process(AppSnapshotRequest{SeqNr(1)});
  process(AppSnapshotRequest{SeqNr(3)});
  process(batch(2));
  process(batch(3));
  CHECK(app.diary == "apply0 apply1 snapshot snapshot apply2 apply3 snapshot ");
  CHECK(out.take<AppSnapshot>().sn == SeqNr(1));
  CHECK(out.take<AppSnapshot>().sn == SeqNr(1));
  const AppSnapshot last = out.take<AppSnapshot>();
  CHECK(last.sn == SeqNr(3));
  CHECK(last.data.text() == "state");
  CHECK_THROWS_WITH_AS(process(AppSnapshotRequest{SeqNr(2)}),
                       "a snapshot was asked for after later batches were applied", ModuleFailure);
}

TEST_CASE_FIXTURE(Fixture, "a restored App goes on behind its snapshot") {
  process(batch(0));
  process(AppSnapshotRequest{SeqNr(5)});
  process(AppRestoreState{SeqNr(9), Bytes("theirs")});
  CHECK(out.take<AppRestored>().sn == SeqNr(9));
  process(batch(10));
  process(batch(1));  // was on its way through the Store, and is covered
  CHECK(app.diary == "apply0 restore:theirs apply10 ");
  CHECK_THROWS_AS(process(batch(12)), ModuleFailure);
}

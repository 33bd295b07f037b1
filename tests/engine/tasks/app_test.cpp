#include <mirbft/engine/tasks/app.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "../../support/recorder.hpp"
#include "../../support/stub_modules.hpp"

namespace mirbft::app_test {

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
/// Asks for a key for every request that it applies.
struct AskingApp : DiaryApp {
  std::vector<Reconfiguration> asked;

  std::vector<Bytes> apply(SeqNr sn, std::span<const Request> requests) {
    for (const Request& request : requests)
      asked.push_back(ClientKey{request.client, request.data});
    return DiaryApp::apply(sn, requests);
  }
  std::vector<Reconfiguration> reconfigurations() { return std::exchange(asked, {}); }
};
using Task = engine::TaskOf<slot::app.index(), DiaryApp, StubProtocol>;
using AskingTask = engine::TaskOf<slot::app.index(), AskingApp, StubProtocol>;

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
  /// Takes all steps that the task has noted for later. Returns how many those were.
  std::size_t go_on() {
    std::size_t taken = 0;
    for (; out.count<AppContinue>() != 0; ++taken) process(out.take<AppContinue>());
    return taken;
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
  CHECK(go_on() == 0);
  CHECK(out.count<AppSnapshot>() == 0);
  process(batch(1));
  process(batch(2));
  CHECK(app.diary == "apply0 apply1 snapshot apply2 ");
  go_on();
  process(AppSnapshotRequest{SeqNr(3)});
  process(batch(3));
  go_on();
  CHECK(app.diary == "apply0 apply1 snapshot apply2 apply3 snapshot ");
  const AppSnapshot first = out.take<AppSnapshot>();
  CHECK(first.sn == SeqNr(1));
  CHECK(first.chunks == 1);
  REQUIRE(first.changed.size() == 1);
  CHECK(first.changed[0].data.text() == "state");
  CHECK(first.remaining == 0);
  const AppSnapshot second = out.take<AppSnapshot>();
  CHECK(second.sn == SeqNr(3));
  CHECK(second.chunks == 1);
  CHECK(second.changed.empty());
  CHECK_THROWS_WITH_AS(process(AppSnapshotRequest{SeqNr(2)}),
                       "a snapshot was asked for after later batches were applied", ModuleFailure);
}

TEST_CASE_FIXTURE(Fixture, "a restored App goes on behind its snapshot") {
  process(batch(0));
  process(AppSnapshotRequest{SeqNr(5)});
  process(AppRestoreState{SeqNr(9), {Bytes("the"), Bytes("irs")}});
  CHECK(out.take<AppRestored>().sn == SeqNr(9));
  process(batch(10));
  process(batch(1));  // was on its way through the Store, and is covered
  CHECK(app.diary == "apply0 restore:theirs apply10 ");
  CHECK_THROWS_AS(process(batch(12)), ModuleFailure);
}

namespace {

/// Writes down what is asked of it; its chunks have a third of a piece each.
struct ChunkedDiaryApp : DiaryApp {
  static constexpr std::size_t size = Task::piece_size / 3 + 1;

  FrozenChunks freeze() {
    diary += "freeze ";
    return list;
  }
  Bytes frozen(std::uint64_t index) {
    diary += "read" + std::to_string(index) + " ";
    return Bytes(std::string(chunk_size, 'c'));
  }
  void restore(std::span<const Bytes> chunks) {
    diary += "restore" + std::to_string(chunks.size()) + " ";
  }

  FrozenChunks list{6, {0, 1, 2, 3, 4, 5}};
  std::size_t chunk_size = size;
};

struct ChunkedFixture {
  ChunkedDiaryApp app;
  engine::TaskOf<slot::app.index(), ChunkedDiaryApp, StubProtocol> task{NodeConfig{}};
  Recorder out;

  template <class E>
  void process(E event) {
    task.process(app, std::move(event), out);
  }
  void go_on() { process(out.take<AppContinue>()); }
};

}  // namespace

TEST_CASE_FIXTURE(ChunkedFixture, "chunks are read piece by piece, batches applied in between") {
  process(AppSnapshotRequest{SeqNr(0)});
  process(batch(0));
  CHECK(app.diary == "apply0 freeze ");
  process(batch(1));
  go_on();
  process(batch(2));
  go_on();
  CHECK(app.diary == "apply0 freeze apply1 read0 read1 read2 apply2 read3 read4 read5 ");
  CHECK(out.count<AppContinue>() == 0);
  const AppSnapshot first = out.take<AppSnapshot>();
  CHECK(first.sn == SeqNr(0));
  CHECK(first.chunks == 6);
  REQUIRE(first.changed.size() == 3);
  CHECK(first.changed[1].index == 1);
  CHECK(first.changed[1].data.size() == ChunkedDiaryApp::size);
  CHECK(first.remaining == 3);
  const AppSnapshot second = out.take<AppSnapshot>();
  CHECK(second.changed.at(2).index == 5);
  CHECK(second.remaining == 0);
  CHECK(out.count<Applied>() == 3);
}

TEST_CASE_FIXTURE(ChunkedFixture, "a snapshot that is due before the last one is read waits") {
  process(AppSnapshotRequest{SeqNr(0)});
  process(AppSnapshotRequest{SeqNr(1)});
  for (std::uint64_t sn = 0; sn < 4; ++sn) process(batch(sn));
  // What comes behind the second snapshot is held back, and nothing before.
  CHECK(app.diary == "apply0 freeze apply1 ");
  CHECK(out.count<AppContinue>() == 1);
  app.diary.clear();
  go_on();
  process(batch(4));
  CHECK(app.diary == "read0 read1 read2 ");
  go_on();
  CHECK(app.diary == "read0 read1 read2 read3 read4 read5 freeze apply2 ");
  app.diary.clear();
  go_on();
  go_on();
  CHECK(app.diary == "read0 read1 read2 apply3 read3 read4 read5 apply4 ");
  CHECK(out.count<AppContinue>() == 0);
  CHECK(out.count<Applied>() == 5);
}

TEST_CASE_FIXTURE(ChunkedFixture, "a restored state ends what was being read and what was held") {
  process(AppSnapshotRequest{SeqNr(0)});
  process(AppSnapshotRequest{SeqNr(1)});
  for (std::uint64_t sn = 0; sn < 4; ++sn) process(batch(sn));
  app.diary.clear();
  process(AppRestoreState{SeqNr(6), {Bytes("a"), Bytes("b")}});
  go_on();
  process(batch(7));
  CHECK(app.diary == "restore2 apply7 ");
  CHECK(out.count<AppContinue>() == 0);
  CHECK(out.count<AppSnapshot>() == 0);
}

TEST_CASE_FIXTURE(ChunkedFixture, "an App that breaks the rules for chunks is a failure") {
  const auto snapshot = [&] {
    process(AppSnapshotRequest{SeqNr(0)});
    process(batch(0));
    go_on();
  };
  SUBCASE("a list out of order") { app.list.changed = {1, 0}; }
  SUBCASE("one twice") { app.list.changed = {1, 1}; }
  SUBCASE("one that is not there") { app.list.changed = {1, 8}; }
  SUBCASE("too many") { app.list.count = max_chunks + 1; }
  SUBCASE("one that is new and is not listed") { app.list = {8, {0, 1, 2, 3, 4, 5}}; }
  SUBCASE("one that is too large") { app.chunk_size = max_chunk_size + 1; }
  CHECK_THROWS_AS(snapshot(), ModuleFailure);
}

TEST_CASE("a snapshot says what the requests since the one before have asked for") {
  AskingApp app;
  AskingTask task{NodeConfig{}};
  Recorder out;
  task.process(app, AppSnapshotRequest{SeqNr(1)}, out);
  task.process(app, AppSnapshotRequest{SeqNr(2)}, out);
  for (const std::uint64_t sn : {0u, 1u, 2u}) task.process(app, batch(sn, "key"), out);
  while (out.count<AppContinue>() != 0) task.process(app, out.take<AppContinue>(), out);
  CHECK(out.take<AppSnapshot>().reconfigurations.size() == 2);
  const AppSnapshot second = out.take<AppSnapshot>();
  REQUIRE(second.reconfigurations.size() == 1);
  CHECK((second.reconfigurations[0] == Reconfiguration(ClientKey{ClientId(1), Bytes("key")})));
}

}  // namespace mirbft::app_test

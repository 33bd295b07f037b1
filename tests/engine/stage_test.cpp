#include <mirbft/engine/stage.hpp>

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/modules/wal/memory.hpp>
#include <mirbft/protocol/solo.hpp>

#include "../support/relay.hpp"

namespace mirbft::stage_test {

using namespace mirbft::testing;

namespace {

constexpr std::size_t wal = slot::wal.index();

/// A log that also takes events of its user's own.
struct RelayWal : MemoryWal {
  using consumes = events<ToWal>;
  using emits = events<ToApp>;

  void process(const ToWal& event, auto& out) {
    if (event.value == 0) throw ModuleFailure("zero");
    out.emit(ToApp{event.value});
  }
};
using Plan = engine::Plan<StubNet, StubHasher, StubCrypto, Relay<slot::app.index(), StubApp>,
                          RelayWal, StubTracker, StubStore, Solo>;
using Stage = engine::Stage<wal, Plan>;
using Items = Stage::Items;

}  // namespace

TEST_CASE("a stage turns the events of its duty into calls, and hands on the module's own") {
  const NodeConfig config{};
  Stage stage(engine::StageParts<RelayWal>{RelayWal{}, config});
  Items in, out;
  in.append(*in.push(WalAppend<SoloDecided>{{SeqNr(1), {}}, RetentionIndex(0)}), ToApp{7});
  in.push(ToWal{5});
  in.push(WalAppend<SoloDecided>{{SeqNr(2), {}}, RetentionIndex(0)});

  std::vector<engine::FollowUps> due;
  stage.run(in.list<wal>(), out, due);
  CHECK(due.size() == 1);
  CHECK(out.pending() == slot::app);
  CHECK(out.size() == 1);
  const MemoryWalStatus status = stage.report().module;
  CHECK(status.appended == 2);
  CHECK(status.syncs == 1);  // one for the whole list
}

TEST_CASE("an exception of the module leaves the stage at once") {
  const NodeConfig config{};
  Stage stage(engine::StageParts<RelayWal>{RelayWal{}, config});
  Items in, out;
  in.push(ToWal{0});
  in.push(WalAppend<SoloDecided>{{SeqNr(2), {}}, RetentionIndex(0)});
  std::vector<engine::FollowUps> due;
  CHECK_THROWS_WITH_AS(stage.run(in.list<wal>(), out, due), "zero", ModuleFailure);
  CHECK(stage.report().module.appended == 0);
}

TEST_CASE("a stage that is lent reports what its thread has published") {
  const NodeConfig config{};
  Stage stage(engine::StageParts<RelayWal>{RelayWal{}, config});
  stage.module().append(1, Bytes("a"), RetentionIndex(0));
  CHECK(stage.report().module.appended == 1);
  stage.lend();
  stage.module().append(1, Bytes("b"), RetentionIndex(0));
  CHECK(stage.report().module.appended == 1);
  stage.publish();
  CHECK(stage.report().module.appended == 2);
  stage.module().append(1, Bytes("c"), RetentionIndex(0));
  stage.take_back();
  CHECK(stage.report().module.appended == 3);
}

}  // namespace mirbft::stage_test

#include <mirbft/engine/tasks/wal.hpp>

#include <cstdint>

#include <doctest/doctest.h>

#include <mirbft/modules/wal/memory.hpp>
#include <mirbft/modules/wal/null.hpp>
#include <mirbft/protocol/solo.hpp>

#include "../../support/recorder.hpp"

namespace mirbft::wal_test {

using namespace mirbft::testing;

static_assert(engine::DiscardsEntries<NullWal>);
static_assert(!engine::DiscardsEntries<MemoryWal>);

TEST_CASE("entries are appended as they come, and made durable at the end of their list") {
  MemoryWal wal;
  engine::TaskOf<slot::wal.index(), MemoryWal, Solo> task{NodeConfig{}};
  Recorder out;
  const SoloDecided entry{SeqNr(5), Batch({{ClientId(1), ReqNo(2), {}}})};
  task.process(wal, WalAppend<SoloDecided>{entry, RetentionIndex(3)}, out);
  task.process(wal, WalAppend<SoloDecided>{entry, RetentionIndex(4)}, out);
  CHECK(wal.status().syncs == 0);
  task.finish(wal, out);
  task.finish(wal, out);
  CHECK(wal.status().syncs == 1);
  CHECK(out.empty());

  task.process(wal, WalTruncate{RetentionIndex(4)}, out);
  int entries = 0;
  wal.replay([&](std::uint32_t type, const Bytes& bytes) {
    ++entries;
    CHECK(type == WalAppend<SoloDecided>::number);
    CHECK(bytes == wire::encode(entry));
  });
  CHECK(entries == 1);
}

TEST_CASE("without group commit each entry is made durable by itself") {
  MemoryWal wal;
  NodeConfig config;
  config.group_commit = GroupCommit::entry;
  engine::TaskOf<slot::wal.index(), MemoryWal, Solo> task{config};
  Recorder out;
  for (std::uint64_t syncs = 1; syncs <= 3; ++syncs) {
    task.process(wal, WalAppend<SoloDecided>{{SeqNr(syncs), {}}, RetentionIndex(0)}, out);
    CHECK(wal.status().syncs == syncs);
  }
  task.finish(wal, out);
  CHECK(wal.status().syncs == 3);
}

}  // namespace mirbft::wal_test

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <utility>

#include <mirbft/modules/wal/memory.hpp>

namespace mirbft::wal_memory_test {

namespace {

/// "type:entry" of everything in the log.
std::string content(MemoryWal& wal) {
  std::string text;
  wal.replay([&text](std::uint32_t type, Bytes entry) {
    text += std::to_string(type) + ":" + std::string(entry.text()) + " ";
  });
  return text;
}

}  // namespace

TEST_CASE("entries come back in order, to another handle on the same log") {
  MemoryWal::Log log;
  {
    MemoryWal wal(log);
    wal.append(1, Bytes("a"), RetentionIndex(0));
    wal.append(2, Bytes("b"), RetentionIndex(5));
    wal.append(1, Bytes("c"), RetentionIndex(1));
  }
  MemoryWal again(log);
  CHECK(content(again) == "1:a 2:b 1:c ");
  CHECK(content(again) == "1:a 2:b 1:c ");
  CHECK(again.status().entries == 3);
  CHECK(again.status().bytes == 3);
}

TEST_CASE("a crash loses what was not synced, and only that") {
  MemoryWal::Log log;
  MemoryWal wal(log);
  wal.append(1, Bytes("a"), RetentionIndex(0));
  wal.sync();
  wal.append(1, Bytes("b"), RetentionIndex(0));
  wal.append(1, Bytes("c"), RetentionIndex(0));
  CHECK(wal.status().durable == 1);

  log.crash();
  CHECK(content(wal) == "1:a ");
  CHECK(log.status().lost == 2);

  log.crash();
  CHECK(content(wal) == "1:a ");
  wal.append(1, Bytes("d"), RetentionIndex(0));
  CHECK(content(wal) == "1:a 1:d ");
}

TEST_CASE("truncation drops by retention index, wherever the entry stands") {
  MemoryWal::Log log;
  MemoryWal wal(log);
  wal.append(1, Bytes("old"), RetentionIndex(1));
  wal.append(1, Bytes("new"), RetentionIndex(3));
  wal.append(1, Bytes("old too"), RetentionIndex(2));
  wal.sync();
  wal.append(1, Bytes("old, not synced"), RetentionIndex(0));
  wal.append(1, Bytes("newest"), RetentionIndex(4));

  wal.truncate(RetentionIndex(3));
  CHECK(content(wal) == "1:new 1:newest ");
  CHECK(wal.status().truncated == 3);
  CHECK(wal.status().durable == 1);
  CHECK(wal.status().bytes == 9);

  log.crash();
  CHECK(content(wal) == "1:new ");
}

TEST_CASE("the retention index survives, and never goes back") {
  MemoryWal::Log log;
  {
    MemoryWal wal(log);
    wal.truncate(RetentionIndex(3));
    wal.truncate(RetentionIndex(1));
  }
  log.crash();
  MemoryWal wal(log);
  wal.append(1, Bytes("below"), RetentionIndex(2));
  wal.append(1, Bytes("at"), RetentionIndex(3));
  CHECK(content(wal) == "1:at ");
}

TEST_CASE("a handle without a log has its own, and moves with it") {
  MemoryWal first;
  first.append(1, Bytes("a"), RetentionIndex(0));
  first.sync();
  MemoryWal moved = std::move(first);
  MemoryWal other;
  CHECK(content(moved) == "1:a ");
  CHECK(content(other).empty());
  CHECK(moved.status().syncs == 1);
  CHECK(moved.status().appended == 1);
}

}  // namespace mirbft::wal_memory_test

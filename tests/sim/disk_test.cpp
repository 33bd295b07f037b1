#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/concepts.hpp>
#include <mirbft/sim/disk.hpp>

namespace mirbft::sim::disk_test {
namespace {

static_assert(IsWal<Wal>);
static_assert(IsStore<Store>);

std::string log_of(Disk& disk) {
  std::string text;
  Wal(disk).replay([&](std::uint32_t, const Bytes& entry) { text += entry.text(); });
  return text;
}
void append(Disk& disk, const char* text, std::uint64_t retention = 0) {
  Wal(disk).append(1, Bytes(text), RetentionIndex(retention));
}
RequestRef reference(std::uint64_t number) {
  Digest digest;
  digest.bytes[0] = 1;
  return {ClientId(1), ReqNo(number), digest};
}
void put(Disk& disk, std::uint64_t number) {
  Store(disk).put(reference(number), Bytes(std::to_string(number)), {});
}
bool has(Disk& disk, std::uint64_t number) {
  return Store(disk).get(reference(number)) != nullptr;
}

}  // namespace

TEST_CASE("a crash spares what is synced, and any prefix of the rest") {
  std::vector<int> seen(4);
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Disk disk{Random(seed)};
    append(disk, "a");
    append(disk, "b");
    Wal(disk).sync();
    for (const char* text : {"c", "d", "e"}) append(disk, text);
    const std::size_t lost = disk.crash();
    const std::string left = log_of(disk);
    CHECK(std::string("abcde").starts_with(left));
    CHECK(left.size() + lost == 5);
    REQUIRE(left.size() >= 2);
    CHECK(disk.durable() == left.size());
    ++seen[left.size() - 2];
  }
  for (const int count : seen) CHECK(count > 5);
}

TEST_CASE("a crash may be made to spare everything") {
  Disk disk{Random(1)};
  append(disk, "a");
  put(disk, 1);
  CHECK(disk.crash(Tail::kept) == 0);
  CHECK(log_of(disk) == "a");
  CHECK(has(disk, 1));
}

TEST_CASE("a crash may be made to spare nothing that is not synced") {
  Disk disk{Random(1)};
  append(disk, "a");
  put(disk, 1);
  Wal(disk).sync();
  Store(disk).sync();
  append(disk, "b");
  put(disk, 2);
  CHECK(disk.crash(Tail::lost) == 2);
  CHECK(log_of(disk) == "a");
  CHECK(has(disk, 1));
  CHECK(!has(disk, 2));
}

TEST_CASE("the power may fail at once") {
  Disk disk{Random(1)};
  disk.fail();
  CHECK(disk.failed());
  CHECK_THROWS_AS(append(disk, "a"), PowerFailure);
  disk.crash();
  CHECK_NOTHROW(append(disk, "a"));
}

TEST_CASE("requests that are not synced may be lost, from the last one on") {
  bool kept_some = false;
  bool lost_some = false;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Disk disk{Random(seed)};
    put(disk, 1);
    Store(disk).sync();
    put(disk, 2);
    put(disk, 3);
    disk.crash();
    CHECK(has(disk, 1));
    CHECK((has(disk, 2) || !has(disk, 3)));
    kept_some = kept_some || has(disk, 2);
    lost_some = lost_some || !has(disk, 3);
  }
  CHECK(kept_some);
  CHECK(lost_some);
}

TEST_CASE("the power fails at any operation: it and what follows is not done") {
  for (std::uint64_t point = 0; point < 4; ++point) {
    CAPTURE(point);
    Disk disk{Random(point)};
    disk.fail_after(point);
    std::uint64_t done = 0;
    const auto attempt = [&](auto&& operation) {
      try {
        operation();
        ++done;
      } catch (const PowerFailure&) {
        CHECK(disk.failed());
      }
    };
    attempt([&] { append(disk, "a"); });
    attempt([&] { append(disk, "b"); });
    attempt([&] { Wal(disk).sync(); });
    attempt([&] { put(disk, 1); });
    CHECK(done == point);
    CHECK(disk.operations() == 4);
    CHECK(log_of(disk).size() == std::min<std::uint64_t>(point, 2));
    disk.crash();
    CHECK(!disk.failed());
    CHECK_NOTHROW(append(disk, "z"));
  }
}

TEST_CASE("records are shown once they are durable, also those that a crash happened to spare") {
  Disk disk{Random(1)};
  std::string durable;
  disk.on_durable([&](const Record& record) { durable += record.entry.text(); });
  append(disk, "a");
  CHECK(durable.empty());
  Wal(disk).sync();
  CHECK(durable == "a");
  append(disk, "b");
  disk.crash(Tail::kept);
  CHECK(durable == "ab");
  Wal(disk).sync();
  CHECK(durable == "ab");
}

TEST_CASE("truncation drops what may be dropped") {
  Disk disk{Random(1)};
  append(disk, "a", 1);
  append(disk, "b", 2);
  Wal(disk).sync();
  append(disk, "c", 1);
  append(disk, "d", 3);
  Wal(disk).truncate(RetentionIndex(2));
  CHECK(log_of(disk) == "bd");
  CHECK(disk.durable() == 1);
  CHECK(Wal(disk).status().entries == 2);
}

TEST_CASE("collection drops what was delivered, and what never will be") {
  Disk disk{Random(1)};
  for (std::uint64_t number = 0; number < 6; ++number) put(disk, number);
  Store(disk).delivered(SeqNr(4), Batch({reference(1)}));
  Store(disk).delivered(SeqNr(7), Batch({reference(2)}));
  Store(disk).collect({SeqNr(5), {{ClientId(1), ReqNo(4), {}}}});
  std::string kept;
  for (std::uint64_t number = 0; number < 6; ++number)
    if (has(disk, number)) kept += std::to_string(number);
  CHECK(kept == "245");
  CHECK(Store(disk).get(reference(5))->data == Bytes("5"));
}

TEST_CASE("a disk can be lost as a whole") {
  Disk disk{Random(1)};
  append(disk, "a");
  Wal(disk).sync();
  put(disk, 1);
  Store(disk).sync();
  CHECK(disk.contents() == Contents::kept);
  disk.wipe();
  CHECK(log_of(disk).empty());
  CHECK(!has(disk, 1));
  CHECK(disk.contents() == Contents::lost);
  // Nobody would know, were it forgotten before a record says so.
  append(disk, "b");
  disk.crash(Tail::lost);
  CHECK(disk.contents() == Contents::lost);
  append(disk, "c");
  Wal(disk).sync();
  CHECK(disk.contents() == Contents::kept);
}

}  // namespace mirbft::sim::disk_test

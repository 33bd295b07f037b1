// What operators are told about a log, and what a repair saves of it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/modules/files/segment_report.hpp>
#include <mirbft/modules/wal/segment.hpp>
#include <mirbft/sim/files.hpp>

namespace mirbft::segment_report_test {
namespace {

SegmentWal<sim::Files> open(sim::FileSystem& disk) {
  return SegmentWal<sim::Files>(sim::Files(disk, "wal"), {.segment_size = 2048});
}
/// Entries 0 to 99, in several segments.
void fill(sim::FileSystem& disk) {
  auto wal = open(disk);
  for (int i = 0; i < 100; ++i) {
    wal.append(1, Bytes(std::to_string(i)), RetentionIndex(0));
    if (i % 3 == 0) wal.sync();
  }
  wal.sync();
}
/// How many of them there are, from the first on; 1000 if there is something else.
std::size_t count(sim::FileSystem& disk) {
  std::size_t next = 0;
  open(disk).replay([&](std::uint32_t, const Bytes& entry) {
    next = entry.text() == std::to_string(next) ? next + 1 : 1000;
  });
  return next;
}
LogReport verify(sim::FileSystem& disk) {
  sim::Files files(disk, "wal");
  return verify_log(files);
}
LogReport repair(sim::FileSystem& disk) {
  sim::Files files(disk, "wal");
  return repair_log(files);
}

}  // namespace

TEST_CASE("a sound log") {
  sim::FileSystem disk{sim::Random(1)};
  CHECK(to_string(verify(disk)) == "clean\n0 sound records in 0 segments\n");
  fill(disk);
  const LogReport report = verify(disk);
  CHECK(report.outcome == LogOutcome::clean);
  CHECK(report.events == 100);
  CHECK(to_string(report) == "clean\n100 sound records in " + std::to_string(report.segments) +
                                 " segments\n");
  CHECK(repair(disk).repairs.empty());
}

TEST_CASE("a torn log is shown, and stays as it is until it is opened") {
  sim::FileSystem disk{sim::Random(1)};
  fill(disk);
  {
    auto wal = open(disk);
    wal.append(1, Bytes(std::string(1100, 'x')), RetentionIndex(0));
    // After the write, before its sync.
    disk.fail_after(1);
    CHECK_THROWS_AS(wal.sync(), ModuleFailure);
  }
  // One sector of the write is missing.
  sim::FileImage& last = *disk.find(disk.paths().back());
  disk.crash(sim::Tail::kept);
  last.write(1024, std::vector<std::uint8_t>(512));
  for (int i = 0; i < 2; ++i) {
    const LogReport report = verify(disk);
    CHECK(report.outcome == LogOutcome::torn);
    CHECK(report.torn_bytes > 600);
    CHECK(to_string(report).starts_with("torn: "));
  }
  CHECK(count(disk) == 100);
  CHECK(verify(disk).outcome == LogOutcome::clean);
  CHECK(disk.find("wal/torn-tail")->size() > 600);
}

TEST_CASE("a repair leaves what stands before the damage, wherever that is") {
  sim::FileSystem disk{sim::Random(1)};
  fill(disk);
  const sim::FileSystem::Image sound = disk.image();
  std::size_t most = 0;
  for (const auto& entry : sound)
    for (std::size_t bit = 3; bit < 8 * entry.second.size(); bit += 101) {
      const std::string& path = entry.first;
      CAPTURE(path);
      CAPTURE(bit);
      disk.restore(sound);
      disk.find(path)->flip(bit);
      const LogReport before = verify(disk);
      const LogReport after = repair(disk);
      CHECK(after.outcome != LogOutcome::corrupt);
      CHECK((before.outcome == LogOutcome::corrupt) == !after.repairs.empty());
      const std::size_t left = count(disk);
      CHECK(left <= 100);
      CHECK(left == after.events);
      if (before.outcome == LogOutcome::corrupt) most = std::max(most, left);
    }
  CHECK(most > 90);
}

TEST_CASE("a repair says what it has done, and throws nothing away") {
  sim::FileSystem disk{sim::Random(1)};
  fill(disk);
  const std::vector<std::string> paths = disk.paths();
  REQUIRE(paths.size() > 3);
  disk.find(paths[1])->flip(8 * 900);
  const LogReport report = repair(disk);
  const std::string text = to_string(report);
  CHECK(text.find(paths[1] + ": cut off, bytes ") != std::string::npos);
  CHECK(text.find(paths[2] + ": set aside, all 2048 bytes, as wal/damaged-segment-") !=
        std::string::npos);
  CHECK(text.ends_with("start this node as one that has lost its memory\n"));
  for (std::size_t i = 1; i < paths.size(); ++i)
    CHECK(disk.find("wal/damaged-" + paths[i].substr(4) + "-1") != nullptr);
}

TEST_CASE("a second repair keeps what the first one has cut off") {
  sim::FileSystem disk{sim::Random(1)};
  fill(disk);
  const std::string first = disk.paths().front();
  std::vector<std::vector<std::uint8_t>> found;
  for (const std::size_t byte : {900u, 600u}) {
    fill(disk);
    REQUIRE(verify(disk).outcome == LogOutcome::clean);
    disk.find(first)->flip(8 * byte);
    for (const std::string& path : disk.paths()) {
      const ByteView content = disk.find(path)->cached();
      found.emplace_back(content.begin(), content.end());
    }
    REQUIRE_FALSE(repair(disk).repairs.empty());
  }
  const std::vector<std::string> paths = disk.paths();
  for (const auto& content : found)
    CHECK(std::ranges::any_of(paths, [&](const std::string& path) {
      return std::ranges::equal(disk.find(path)->cached(), content);
    }));
}

TEST_CASE("a log without its first segments cannot be repaired, only emptied") {
  sim::FileSystem disk{sim::Random(1)};
  fill(disk);
  sim::FileSystem::Image image = disk.image();
  image.erase(image.begin());
  disk.restore(image);
  CHECK(verify(disk).damage.find("the file is missing") != std::string::npos);
  CHECK(repair(disk).segments == 0);
  CHECK(count(disk) == 0);
}

}  // namespace mirbft::segment_report_test

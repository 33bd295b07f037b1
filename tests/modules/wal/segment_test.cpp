// Whatever happens to the disk under a SegmentWal: it holds what was synced, or refuses to work.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/concepts.hpp>
#include <mirbft/modules/wal/segment.hpp>
#include <mirbft/sim/files.hpp>

#include "../../support/log_oracle.hpp"

namespace mirbft::wal_segment_test {
namespace {

using testing::LogOracle;
using Wal = SegmentWal<sim::Files>;
static_assert(IsFiles<sim::Files>);
static_assert(IsWal<Wal>);

constexpr std::uint64_t segment_size = 4096;

Wal open(sim::FileSystem& disk) {
  return Wal(sim::Files(disk, "wal"), {.node = NodeId(1), .segment_size = segment_size});
}

/// A node's life on a disk: it writes until it is stopped by the disk, or done.
struct Life {
  explicit Life(std::uint64_t seed) : disk(sim::Random(seed).fork("disk")), random(seed) {}

  /// Returns whether it was stopped.
  bool live(std::size_t steps = 40) {
    try {
      Wal wal = open(disk);
      oracle.work(wal, random.fork("work", lives++), steps, 400);
      return false;
    } catch (const LogCorruption&) {
      throw;
    } catch (const ModuleFailure&) {
      return true;
    }
  }
  /// What is wrong with the log, if anything.
  std::string fault() {
    Wal wal = open(disk);
    return oracle.fault_of(wal);
  }

  sim::FileSystem disk;
  sim::Random random;
  LogOracle oracle;
  std::uint64_t lives = 0;
};

/// The disk strikes at an operation of a life, and again while the log is recovered from that.
struct Strike {
  std::uint64_t seed = 1;
  sim::FileTrouble trouble = sim::FileTrouble::power;
  std::uint64_t operation = 0;
  sim::Tail tail = sim::Tail::drawn;
  std::optional<std::uint64_t> in_recovery{};
};
std::ostream& operator<<(std::ostream& out, const Strike& strike) {
  out << "seed " << strike.seed << ", trouble " << static_cast<int>(strike.trouble)
      << " at operation " << strike.operation << ", tail " << static_cast<int>(strike.tail);
  if (strike.in_recovery) out << ", and at operation " << *strike.in_recovery << " of the recovery";
  return out;
}

/// Returns false if the life ends before the strike.
bool survive(const Strike& strike) {
  CAPTURE(strike);
  Life life(strike.seed);
  life.disk.fail_after(strike.operation, strike.trouble);
  if (!life.live()) return false;
  life.disk.crash(strike.tail);
  if (strike.in_recovery) {
    life.disk.fail_after(*strike.in_recovery, strike.trouble);
    if (!life.live(0)) return false;
    life.disk.crash(strike.tail);
  }
  CHECK(life.fault() == "");
  CHECK(!life.live(10));
  CHECK(life.fault() == "");
  return true;
}

std::uint64_t survive_everywhere(Strike strike, std::uint64_t stride = 1) {
  std::uint64_t count = 0;
  for (; survive(strike); strike.operation += stride) ++count;
  return count;
}

constexpr sim::Tail tails[] = {sim::Tail::kept, sim::Tail::lost, sim::Tail::drawn};

/// A sound log of several segments, and what reading it again gives.
class Specimen {
 public:
  Specimen() : disk(sim::Random(7)) {
    write();
    read([this](const segments::Record& record) { entries_.emplace_back(record.payload); });
  }

  void write() {
    Wal wal(sim::Files(disk, "wal"), {.node = NodeId(1), .segment_size = 16384});
    sim::Random random(7);
    for (int i = 0; wal.status().bytes < 64 * 1024 + 9000; ++i) {
      // Some are all zeros: they look as if they were not written.
      wal.append(1, Bytes(std::string(random.below(1500), random.chance(200) ? '\0' : 'x')),
                 RetentionIndex(static_cast<std::uint64_t>(i)));
      if (random.chance(400)) wal.sync();
    }
    wal.sync();
  }

  enum class Outcome : std::uint8_t { original, prefix, refused, altered };

  /// What becomes of the log as it now is.
  Outcome outcome() {
    refusal.reset();
    std::size_t next = 0;
    bool is_same = true;
    const auto compare = [&](const segments::Record& record) {
      is_same = is_same && next < entries_.size() &&
                std::ranges::equal(entries_[next].view(), record.payload);
      ++next;
    };
    try {
      read(compare);
      if (!is_same) return Outcome::altered;
      return next == entries_.size() ? Outcome::original : Outcome::prefix;
    } catch (const LogCorruption& corruption) {
      refusal = corruption;
      return Outcome::refused;
    }
  }

  sim::FileSystem disk;
  std::optional<LogCorruption> refusal;

 private:
  template <class Look>
  void read(Look&& look) {
    sim::Files files(disk, "wal");
    (void)segments::Examiner<sim::Files>(files).examine(
        [&](std::uint64_t, const segments::Record& record) { look(record); });
  }

  std::vector<Bytes> entries_;
};

/// Flips bits, each alone. Returns how many flips were found out; none may pass for a log.
std::uint64_t flip_bits(std::size_t stride) {
  Specimen specimen;
  std::uint64_t refused = 0;
  std::uint64_t bytes = 0;
  for (const std::string& path : specimen.disk.paths()) {
    sim::FileImage& file = *specimen.disk.find(path);
    bytes += file.size();
    for (std::size_t bit = 0; bit < 8 * file.size(); bit += stride) {
      file.flip(bit);
      const Specimen::Outcome outcome = specimen.outcome();
      file.flip(bit);
      CAPTURE(path);
      CAPTURE(bit);
      if (outcome == Specimen::Outcome::original) continue;
      REQUIRE(outcome == Specimen::Outcome::refused);
      ++refused;
      CHECK(specimen.refusal->file() == path);
      CHECK(specimen.refusal->offset() <= bit / 8);
      CHECK(specimen.refusal->reason() != "");
    }
  }
  CHECK(bytes >= 64 * 1024);
  CHECK(specimen.outcome() == Specimen::Outcome::original);
  return refused;
}

}  // namespace

TEST_CASE("a log is what was written to it, restart after restart") {
  Life life(1);
  for (int i = 0; i < 10; ++i) {
    CHECK(!life.live());
    CHECK(life.fault() == "");
  }
  CHECK(life.oracle.size() > 10);
  // Old segments go, however many entries are kept for ever: those are written again.
  std::uint64_t bytes = 0;
  Wal wal = open(life.disk);
  wal.replay([&](std::uint32_t, const Bytes& entry) { bytes += entry.size() + 48; });
  CHECK(bytes > 2 * segment_size);
  CHECK(wal.status().segments < 6 + 4 * bytes / segment_size);
}

TEST_CASE("the power fails at any operation") {
  for (const sim::Tail tail : tails)
    for (std::uint64_t seed = 1; seed <= (tail == sim::Tail::drawn ? 20 : 3); ++seed)
      CHECK(survive_everywhere({.seed = seed, .tail = tail}) > 70);
}

TEST_CASE("the power fails again at any operation of the recovery") {
  for (const sim::Tail tail : tails) {
    std::uint64_t count = 0;
    for (std::uint64_t operation = 0; operation < 100; ++operation)
      for (std::uint64_t again = 0; survive({.seed = 2,
                                             .operation = operation,
                                             .tail = tail,
                                             .in_recovery = again});
           ++again)
        ++count;
    CHECK(count > 100);
  }
}

TEST_CASE("an operation is refused") {
  using enum sim::FileTrouble;
  for (const sim::Tail tail : tails)
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      CHECK(survive_everywhere({.seed = seed, .trouble = io_error, .tail = tail}) > 70);
      CHECK(survive_everywhere({.seed = seed, .trouble = failed_sync, .tail = tail}) > 70);
      CHECK(survive_everywhere({.seed = seed, .trouble = no_space, .tail = tail}) > 70);
    }
}

TEST_CASE("a failed sync is not tried again: the log is at its end") {
  Life life(1);
  {
    Wal wal = open(life.disk);
    life.oracle.append(wal, 20, RetentionIndex(0));
    life.disk.fail_after(1, sim::FileTrouble::failed_sync);
    CHECK_THROWS_AS(wal.sync(), ModuleFailure);
    const std::uint64_t operations = life.disk.operations();
    CHECK_THROWS_AS(wal.sync(), ModuleFailure);
    CHECK(life.disk.operations() == operations);
  }
  // What the cache still shows is made durable before it is believed.
  for (const sim::Tail tail : {sim::Tail::kept, sim::Tail::lost}) {
    life.disk.kill();
    std::size_t shown = 0;
    open(life.disk).replay([&](std::uint32_t, const Bytes&) { ++shown; });
    life.disk.crash(tail);
    std::size_t left = 0;
    open(life.disk).replay([&](std::uint32_t, const Bytes&) { ++left; });
    CHECK(left == shown);
  }
}

TEST_CASE("a sync after an append that has failed fails as well") {
  Life life(1);
  Wal wal = open(life.disk);
  const auto fill = [&] {
    for (;;) life.oracle.append(wal, 300, RetentionIndex(0));
  };
  life.disk.fail_after(0, sim::FileTrouble::no_space);
  CHECK_THROWS_AS(fill(), ModuleFailure);
  CHECK_THROWS_AS(wal.sync(), ModuleFailure);
  CHECK_THROWS_AS(wal.append(1, Bytes("x"), RetentionIndex(0)), ModuleFailure);
}

TEST_CASE("a process is killed after a sync has failed, and the machine later") {
  std::uint64_t seen = 0;
  for (std::uint64_t seed = 1; seed <= 5; ++seed)
    for (std::uint64_t operation = 0;; ++operation) {
      CAPTURE(seed);
      CAPTURE(operation);
      Life life(seed);
      life.disk.fail_after(operation, sim::FileTrouble::failed_sync);
      if (!life.live()) break;
      life.disk.kill();
      CHECK(life.fault() == "");
      life.disk.crash(sim::Tail::lost);
      CHECK(life.fault() == "");
      ++seen;
    }
  CHECK(seen > 200);
}

TEST_CASE("what is kept for ever keeps its order, also if it is there twice after a crash") {
  sim::FileSystem disk{sim::Random(3)};
  constexpr RetentionIndex for_ever = LogOracle::for_ever;
  const auto fill = [&](Wal& wal, std::uint64_t epoch) {
    for (int i = 0; i < 20; ++i)
      wal.append(2, Bytes(std::string(400, 'x')), RetentionIndex(epoch));
    wal.sync();
  };
  const auto keys = [&] {
    std::string text;
    open(disk).replay([&](std::uint32_t type, const Bytes& entry) {
      if (type == 1) text += entry.text();
    });
    return text;
  };
  for (std::uint64_t operation = 0; operation < 60; ++operation) {
    disk.wipe();
    try {
      Wal wal = open(disk);
      for (std::uint64_t epoch = 0; epoch < 5; ++epoch) {
        wal.append(1, Bytes(std::string(1, static_cast<char>('a' + epoch))), for_ever);
        fill(wal, epoch);
      }
      disk.fail_after(operation);
      wal.truncate(RetentionIndex(3));
      wal.truncate(RetentionIndex(5));
      fill(wal, 5);
    } catch (const ModuleFailure&) {
    }
    disk.crash(sim::Tail::kept);
    CHECK(keys() == "abcde");
  }
}

TEST_CASE("a flipped bit is found out, or changes nothing") {
  CHECK(flip_bits(37) > 10'000);
}
TEST_CASE("a flipped bit in a last group that has blank sectors is not taken for a torn write") {
  sim::FileSystem disk{sim::Random(1)};
  {
    Wal wal = open(disk);
    wal.append(1, Bytes("x"), RetentionIndex(0));
    wal.append(1, Bytes(std::string(2000, '\0')), RetentionIndex(0));
    wal.sync();
  }
  sim::FileImage& file = *disk.find(disk.paths().front());
  std::uint64_t refused = 0;
  for (std::size_t bit = 0; bit < 8 * file.size(); ++bit) {
    file.flip(bit);
    sim::Files files(disk, "wal");
    try {
      const auto found =
          segments::Examiner<sim::Files>(files).examine([](std::uint64_t, const auto&) {});
      CHECK(found.scans.begin()->second.events == 2);
    } catch (const LogCorruption&) {
      ++refused;
    }
    file.flip(bit);
  }
  CHECK(refused > 8 * 2000);
}
TEST_CASE("every flipped bit" * doctest::skip()) {
  MESSAGE(flip_bits(1), " flips found out");
}

TEST_CASE("a file that ends too early is refused, wherever it ends") {
  Specimen specimen;
  const std::string last = specimen.disk.paths().back();
  const sim::FileSystem::Image image = specimen.disk.image();
  for (std::size_t size = 0; size < image.at(last).size(); ++size) {
    specimen.disk.find(last)->cut(size);
    REQUIRE(specimen.outcome() == Specimen::Outcome::refused);
    CHECK(specimen.refusal->file() == last);
    CHECK(specimen.refusal->offset() == size);
    *specimen.disk.find(last) = image.at(last);
  }
}
TEST_CASE("a last segment of which only the beginning was written gives a beginning of the log") {
  Specimen specimen;
  const std::string last = specimen.disk.paths().back();
  const sim::FileImage sound = *specimen.disk.find(last);
  std::size_t prefixes = 0;
  for (std::size_t size = segments::Header::size; size < sound.size(); ++size) {
    sim::FileImage& file = *specimen.disk.find(last);
    file = sound;
    file.write(size, std::vector<std::uint8_t>(sound.size() - size));
    file.sync();
    const Specimen::Outcome outcome = specimen.outcome();
    REQUIRE(outcome != Specimen::Outcome::altered);
    prefixes += outcome == Specimen::Outcome::prefix;
  }
  CHECK(prefixes > 1000);
}
TEST_CASE("a segment that is missing is noticed, whichever it is") {
  Specimen specimen;
  const sim::FileSystem::Image sound = specimen.disk.image();
  for (const auto& entry : sound) {
    const std::string& path = entry.first;
    CAPTURE(path);
    sim::FileSystem::Image image = sound;
    image.erase(path);
    specimen.disk.restore(image);
    REQUIRE(specimen.outcome() == Specimen::Outcome::refused);
    CHECK(specimen.refusal->file() == path);
    CHECK(specimen.refusal->reason() == "the file is missing");
  }
}
TEST_CASE("a group that has vanished before an empty segment is noticed") {
  std::size_t seen = 0;
  for (std::uint64_t operation = 0; operation < 100; ++operation) {
    Life life(1);
    life.disk.fail_after(operation);
    if (!life.live()) break;
    life.disk.crash(sim::Tail::kept);
    sim::Files files(life.disk, "wal");
    const auto found =
        segments::Examiner<sim::Files>(files).examine([](std::uint64_t, const auto&) {});
    if (found.scans.size() < 2 || !found.scans.rbegin()->second.is_empty()) continue;
    const auto& [id, scan] = *std::next(found.scans.rbegin());
    sim::FileImage& file = *life.disk.find("wal/" + segments::name_of(id));
    file.write(scan.group, std::vector<std::uint8_t>(file.size() - scan.group));
    CHECK_THROWS_AS(
        (void)segments::Examiner<sim::Files>(files).examine([](std::uint64_t, const auto&) {}),
        LogCorruption);
    ++seen;
  }
  CHECK(seen > 3);
}
TEST_CASE("a seal is not to be missing, unless its successor is empty") {
  Specimen specimen;
  const std::string path = specimen.disk.paths().front();
  sim::FileImage& file = *specimen.disk.find(path);
  const std::uint64_t end = segments::written_end(file.cached(), 0);
  // Its last bytes are zeros: the retention index of a seal.
  file.write(end - 16, std::vector<std::uint8_t>(16));
  REQUIRE(specimen.outcome() == Specimen::Outcome::refused);
  CHECK(specimen.refusal->file() == path);
  CHECK(specimen.refusal->reason().starts_with("the seal is missing"));
}
TEST_CASE("segments that have changed places are noticed") {
  Specimen specimen;
  sim::FileSystem::Image image = specimen.disk.image();
  std::swap(image.begin()->second, std::next(image.begin())->second);
  specimen.disk.restore(image);
  CHECK(specimen.outcome() == Specimen::Outcome::refused);
}

TEST_CASE("a misdirected write is noticed, or it has hit what nobody had written") {
  std::size_t refused = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    Life life(seed);
    life.disk.fail_after(seed % 60, sim::FileTrouble::misdirected_write);
    try {
      (void)life.live(30);
      life.disk.crash();
      const std::string fault = life.fault();
      // The disk has lied about its last write: that alone can be taken for a torn one.
      CHECK((fault == "" || fault.ends_with("was synced and is lost")));
    } catch (const LogCorruption&) {
      ++refused;
    }
  }
  CHECK(refused > 100);
}

TEST_CASE("a log belongs to one node, and one process at a time") {
  sim::FileSystem disk{sim::Random(1)};
  {
    const Wal wal = open(disk);
    CHECK_THROWS_WITH_AS(open(disk), "cannot lock wal: another process uses this directory",
                         ModuleFailure);
  }
  CHECK_NOTHROW(open(disk));
  CHECK_THROWS_AS(Wal(sim::Files(disk, "wal"), {.node = NodeId(2)}), ConfigError);
  CHECK_THROWS_AS(Wal(sim::Files(disk, "wal"), {.node = NodeId(1), .cluster = Bytes("other")}),
                  ConfigError);
}

TEST_CASE("a record may be larger than a segment, but not too large") {
  sim::FileSystem disk{sim::Random(1)};
  {
    Wal wal = open(disk);
    wal.append(7, Bytes(std::string(3 * segment_size, 'x')), RetentionIndex(0));
    wal.append(7, Bytes("y"), RetentionIndex(0));
    wal.sync();
    const Bytes huge = Bytes::filled(segments::largest_payload + 1, [](std::uint8_t*) {});
    CHECK_THROWS_AS(wal.append(7, huge, RetentionIndex(0)), ModuleFailure);
  }
  std::vector<std::size_t> sizes;
  open(disk).replay([&](std::uint32_t, const Bytes& entry) { sizes.push_back(entry.size()); });
  CHECK(sizes == std::vector<std::size_t>{3 * segment_size, 1});
}

}  // namespace mirbft::wal_segment_test

// Any bytes as the segments of a log: they are read, or refused by LogCorruption; a repair makes of
// them a log that can be opened, holds what it held when it is opened again, and takes more.
//
// Random bytes rarely have the right checksums, so an input is read as a row of orders: make a
// segment, with what is in its header; put a sound record into it, of any kind; put raw bytes; go
// back to any place.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/modules/files/segment_report.hpp>
#include <mirbft/modules/wal/segment.hpp>
#include <mirbft/sim/files.hpp>

namespace {

using namespace mirbft;

constexpr std::size_t file_size = 4096;

/// The bytes of an input, taken from the front; zeros when there are no more.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

  bool empty() const { return rest_.empty(); }
  std::uint8_t byte() {
    const ByteView taken = bytes(1);
    return taken.empty() ? std::uint8_t{0} : taken.front();
  }
  ByteView bytes(std::size_t count) {
    const ByteView taken = rest_.first(std::min(count, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }

 private:
  ByteView rest_;
};

/// Makes segments as an input orders.
class Forger {
 public:
  explicit Forger(sim::FileSystem& disk) : files_(disk, "wal") {}

  void obey(Input& input) {
    while (!input.empty()) {
      switch (input.byte() % 4) {
        case 0: begin(input); break;
        case 1: add(input); break;
        case 2: put(input.bytes(input.byte())); break;
        default: at_ = std::size_t{input.byte()} * 16 % file_size;
      }
    }
    finish();
  }

 private:
  void begin(Input& input) {
    finish();
    header_ = {};
    header_.id = input.byte() % 4;
    header_.file_size = file_size;
    header_.first_index = input.byte() % 2 ? index_ : input.byte();
    header_.chain = input.byte() % 2 ? chain_ : input.byte();
    header_.salt = input.byte() % 2;
    header_.oldest = input.byte() % 5;
    index_ = header_.first_index;
    chain_ = header_.chain;
    count_ = 0;
    bytes_.assign(file_size, 0);
    at_ = 0;
    put(header_.store());
    group_ = at_;
  }
  void add(Input& input) {
    using enum segments::Kind;
    const segments::Kind kind = std::array{event, commit, retain, seal}[input.byte() % 4];
    std::vector<std::uint8_t> record;
    const segments::RecordHead head{kind, 1, index_, input.byte() % 8 ? index_ : input.byte(),
                                    RetentionIndex(input.byte())};
    const std::size_t end = at_ + segments::Commit::stored;
    const segments::Commit last{chain_, 0, count_, static_cast<std::uint32_t>(end - group_)};
    const std::uint32_t crc =
        kind == commit ? segments::store_record(record, header_.salt, head, {last.store()})
                       : segments::store_record(record, header_.salt, head,
                                                {input.bytes(input.byte() % 64)});
    put(record);
    if (kind == seal) return;
    chain_ = segments::checksum(crc, chain_);
    ++index_;
    ++count_;
    if (kind != commit) return;
    count_ = 0;
    group_ = at_;
  }
  void put(ByteView bytes) {
    if (bytes_.empty()) bytes_.assign(file_size, 0);
    bytes = bytes.first(std::min(bytes.size(), file_size - at_));
    std::copy(bytes.begin(), bytes.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(at_));
    at_ += bytes.size();
  }
  void finish() {
    if (bytes_.empty()) return;
    const std::string name = segments::name_of(header_.id);
    for (const std::string& other : files_.list())
      if (other == name) return;
    files_.create(name, file_size).write(0, bytes_);
    bytes_.clear();
  }

  sim::Files files_;
  segments::Header header_;
  std::vector<std::uint8_t> bytes_;
  std::size_t at_ = 0;
  std::size_t group_ = 0;
  std::uint64_t index_ = 0;
  std::uint32_t chain_ = 0;
  std::uint32_t count_ = 0;
};

using Entries = std::vector<std::pair<std::uint32_t, Bytes>>;

Entries entries_after(sim::FileSystem& disk, const char* more) {
  SegmentWal<sim::Files> wal(sim::Files(disk, "wal"), {.cluster = {}, .segment_size = file_size});
  wal.append(2, Bytes(more), RetentionIndex(~std::uint64_t{0}));
  wal.sync();
  Entries entries;
  wal.replay([&](std::uint32_t type, const Bytes& entry) { entries.emplace_back(type, entry); });
  return entries;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sim::FileSystem disk{sim::Random(1)};
  Input input(data, size);
  Forger(disk).obey(input);
  {
    sim::Files files(disk, "wal");
    if (repair_log(files).outcome == LogOutcome::corrupt) std::abort();
  }
  const Entries first = entries_after(disk, "first");
  const Entries second = entries_after(disk, "second");
  if (first.empty() || first.back().second != Bytes("first")) std::abort();
  if (second.size() != first.size() + 1) std::abort();
  if (!std::equal(first.begin(), first.end(), second.begin())) std::abort();
  return 0;
}

// Any bytes as an event log: it is read, shown, decoded and replayed, or refused by a LogError.
//
// Random bytes rarely have the right checksums, so the first byte of an input says how much of a
// log is made around the others: nothing, sound blocks, or sound blocks after a sound preamble.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <mirbft/log/printer.hpp>
#include <mirbft/log/reader.hpp>
#include <mirbft/log/replay.hpp>
#include <mirbft/wire/encode.hpp>

#include "../log/sample_log.hpp"

namespace {

using namespace mirbft;

/// A file in memory.
class MemoryFile {
 public:
  MemoryFile() : handle_(::memfd_create("log", 0)) {
    // Whoever else opens it writes to its end, as do we.
    if (handle_ < 0 || ::fcntl(handle_, F_SETFL, O_APPEND) != 0) std::abort();
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { ::close(handle_); }

  std::string path() const { return "/proc/self/fd/" + std::to_string(handle_); }
  void add(ByteView bytes) {
    if (::write(handle_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
      std::abort();
  }
  void add_prologue() {
    std::array<std::uint8_t, log_format::prologue_size> prologue;
    log_format::store_prologue(prologue.data());
    add(prologue);
  }
  void add_block(log_format::BlockHeader header, ByteView content) {
    header.length = static_cast<std::uint32_t>(content.size());
    header.checksum = crc32c(content);
    std::array<std::uint8_t, log_format::BlockHeader::size> stored;
    header.store(stored.data());
    add(stored);
    add(content);
  }

 private:
  int handle_;
};

/// The bytes of an input, taken from the front.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

  std::uint8_t byte() { return rest_.empty() ? std::uint8_t{0} : bytes(1).front(); }
  ByteView bytes(std::size_t count) {
    const ByteView taken = rest_.first(std::min(count, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  ByteView rest() { return bytes(rest_.size()); }
  bool empty() const { return rest_.empty(); }

 private:
  ByteView rest_;
};

void add_lists(MemoryFile& file, Input& input) {
  while (!input.empty()) {
    log_format::BlockHeader header;
    header.kind = log_format::Kind::lists;
    header.events = input.byte();
    header.first = input.byte();
    const std::uint8_t size = input.byte();
    // Above the longest, the content is taken for what is compressed.
    header.compression = size < 0xf0 ? Compression::none : Compression::zstd;
    header.plain_length = input.byte();
    file.add_block(header, input.bytes(size));
  }
}

void add_sound_preamble(MemoryFile& file) {
  LogWriter writer(file.path());
  writer.begin(NodeId(1), {}, sample::Types{});
}

/// Emits something for everything that it gets.
struct Echo {
  using consumes = sample::Types;
  using emits = sample::Types;

  void process(const auto& event, auto& out) { out.emit(event).then(event); }
};

void show(LogReader& log) {
  const LogPrinter printer(log);
  LogEvent last;
  while (const auto event = log.next()) {
    try {
      (void)printer.text(*event);
      (void)printer.json(*event);
      if (last.number == event->number) (void)printer.differences(last, *event);
    } catch (const LogError&) {
    }
    last = *event;
  }
}

template <class Use>
void use(const MemoryFile& file, Use&& use) {
  try {
    LogReader log(file.path());
    use(log);
  } catch (const LogError&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  MemoryFile file;
  switch (input.byte() % 3) {
    case 0:
      file.add(input.rest());
      break;
    case 1: {
      file.add_prologue();
      const std::size_t length = std::size_t{input.byte()} << 8 | input.byte();
      file.add_block({}, input.bytes(length));
      add_lists(file, input);
      break;
    }
    default:
      add_sound_preamble(file);
      add_lists(file, input);
  }
  use(file, show);
  use(file, [](LogReader& log) {
    Echo echo;
    (void)replay(echo, slot::protocol, log);
  });
  return 0;
}

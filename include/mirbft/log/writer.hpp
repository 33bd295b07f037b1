// Writes an event log: every list as it is dispatched, in one write.
#ifndef MIRBFT_LOG_WRITER_HPP
#define MIRBFT_LOG_WRITER_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/engine/module_description.hpp>
#include <mirbft/events/event.hpp>
#include <mirbft/log/file.hpp>
#include <mirbft/log/format.hpp>
#include <mirbft/log/schema.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/crc32c.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/wire/encode.hpp>

namespace mirbft {

/// An event log in the making. Used by one thread; throws LogError when the file refuses.
///
/// A list is with the operating system when `append` returns, so a killed process loses at most
/// the list it was at. Nothing is synced to the disk, so a power failure may lose more.
class LogWriter {
 public:
  /// Opens the file, which must be new or empty.
  explicit LogWriter(std::string path) : file_(LogFile::create(std::move(path))) { start_block(); }

  const std::string& path() const noexcept { return file_.path(); }

  /// Writes what comes before all lists: whose log it is, what each event type looks like, and what
  /// the Node is made of. Called once, before `append`.
  template <class... Es>
  void begin(NodeId self, ByteView cluster, events<Es...>,
             const std::vector<ModuleDescription>& modules = {}) {
    const Bytes preamble = wire::encode(log_format::Preamble{
        self, Bytes(cluster), log_format::schema_of<Es...>(),
        {log_format::EventType{Es::number, Es::destination.bits(),
                               log_format::message_name<Es>()}...},
        modules});
    std::array<std::uint8_t, log_format::prologue_size> prologue;
    log_format::store_prologue(prologue.data());
    file_.append(prologue, 0);
    size_ = prologue.size();
    put(preamble.view());
    write_block(log_format::Kind::preamble, 0);
  }

  /// Adds a list: whatever has `for_each(visit)` with `visit(const Event&)` for each in order. It is
  /// dispatched at `time`, in nanoseconds since the Unix epoch; zero is for who does not know.
  template <class List>
  void append(Slot slot, const List& list, std::uint64_t time = 0) {
    time_ = time;
    const auto place = static_cast<std::uint16_t>(slot.index());
    list.for_each([this, place]<class E>(const E& event) {
      add(E::number, wire::encode(event));
      if (block_.size() >= log_format::block_target) write_block(log_format::Kind::list, place);
    });
    if (pending_ != 0) write_block(log_format::Kind::list, place);
  }

 private:
  void start_block() {
    // One event may be huge, and the memory for it is not kept.
    if (block_.capacity() > 4 * log_format::block_target) block_ = std::vector<std::uint8_t>();
    block_.resize(log_format::BlockHeader::size);
    pending_ = 0;
  }

  void put(ByteView bytes) { block_.insert(block_.end(), bytes.begin(), bytes.end()); }

  void add(std::uint32_t number, const Bytes& event) {
    check_length(event.size());
    std::array<std::uint8_t, log_format::EntryHeader::size> entry;
    log_format::EntryHeader{number, static_cast<std::uint32_t>(event.size())}.store(entry.data());
    put(entry);
    put(event.view());
    ++pending_;
  }

  void write_block(log_format::Kind kind, std::uint16_t slot) {
    const ByteView content = ByteView(block_).subspan(log_format::BlockHeader::size);
    log_format::BlockHeader{static_cast<std::uint32_t>(content.size()), kind, slot, next_index_, time_,
                            crc32c(content)}
        .store(block_.data());
    file_.append(block_, size_);
    size_ += block_.size();
    next_index_ += pending_;
    start_block();
  }

  /// A block is full well below its limit and holds one event more, so that event is to blame.
  void check_length(std::size_t length) const {
    constexpr std::size_t longest =
        std::numeric_limits<std::uint32_t>::max() - 2 * log_format::block_target;
    if (length > longest)
      file_.fail(size_, "an event of " + std::to_string(length) + " bytes is too long for a log");
  }

  LogFile file_;
  std::vector<std::uint8_t> block_;
  std::uint64_t size_ = 0;
  std::uint64_t next_index_ = 0;
  std::uint64_t pending_ = 0;
  std::uint64_t time_ = 0;
};

}  // namespace mirbft

#endif

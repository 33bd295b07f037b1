// Writes an event log: the lists as they are dispatched.
#ifndef MIRBFT_LOG_WRITER_HPP
#define MIRBFT_LOG_WRITER_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/engine/module_description.hpp>
#include <mirbft/events/event.hpp>
#include <mirbft/log/block_builder.hpp>
#include <mirbft/log/compression.hpp>
#include <mirbft/log/error.hpp>
#include <mirbft/log/file.hpp>
#include <mirbft/log/format.hpp>
#include <mirbft/log/options.hpp>
#include <mirbft/log/schema.hpp>
#include <mirbft/log/series.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/wire/encode.hpp>

namespace mirbft {

/// An event log in the making. Used by one thread; throws LogError when the file refuses.
///
/// Unless lists are gathered, a list is with the operating system when `append` returns, so a
/// killed process loses at most the list it was at. Nothing is synced to the disk, so a power
/// failure may lose more.
class LogWriter {
 public:
  /// Opens the file, which must be new or empty; or, with rotation, the first file of a new run.
  explicit LogWriter(std::string path, LogOptions options = {})
      : name_(std::move(path)),
        options_(checked(options, name_)),
        place_(options_.rotation ? new_run(name_) : log_format::SeriesFile{}),
        file_(create()) {}
  LogWriter(LogWriter&&) = default;
  LogWriter& operator=(LogWriter&&) = default;
  /// What waits is written if it can be. Who wants to know calls `flush`.
  ~LogWriter() {
    if (!file_.is_open()) return;
    try {
      flush();
    } catch (const LogError&) {
    }
  }

  /// Of the file that is being written.
  const std::string& path() const noexcept { return file_.path(); }

  /// Writes what comes before all lists: whose log it is, what each event type looks like, and what
  /// the Node is made of. Called once, before `append`.
  template <class... Es>
  void begin(NodeId self, ByteView cluster, events<Es...>,
             const std::vector<ModuleDescription>& modules = {}) {
    preamble_ = wire::encode(log_format::Preamble{
        self, Bytes(cluster), log_format::schema_of<Es...>(),
        {log_format::EventType{Es::number, Es::destination.bits(),
                               log_format::message_name<Es>()}...},
        modules});
    begin_file();
  }

  /// Adds a list: whatever has `for_each(visit)` with `visit(const Event&)` for each in order. It
  /// is dispatched at `time`, in nanoseconds since the Unix epoch; zero is for who does not know.
  template <class List>
  void append(Slot slot, const List& list, std::uint64_t time = 0) {
    if (options_.rotation && is_due(*options_.rotation, time)) rotate();
    block_.begin_list(slot, time);
    list.for_each([&]<class E>(const E& event) {
      const std::size_t size = wire::encoded_size(event);
      check_length(size);
      block_.add(event, size);
      if (!block_.is_full()) return;
      block_.end_list();
      write_block();
      block_.begin_list(slot, time);
    });
    block_.end_list();
    if (!block_.empty() && is_overdue(time)) write_block();
  }

  /// Writes what waits to be written.
  void flush() {
    if (!block_.empty()) write_block();
  }

 private:
  static LogOptions checked(const LogOptions& options, const std::string& path) {
    if (!is_available(options.compression))
      throw LogError(path, 0, "this program is built without " +
                                  std::string(to_string(options.compression)) + " to compress it");
    return options;
  }

  static log_format::SeriesFile new_run(const std::filesystem::path& name) {
    const auto earlier = log_format::files_of_log(name);
    return {name.filename().string(), earlier.empty() ? 1 : earlier.back().run + 1, 1};
  }

  LogFile create() const {
    if (!options_.rotation) return LogFile::create(name_);
    return LogFile::create((std::filesystem::path(name_).parent_path() / place_.file()).string());
  }

  void begin_file() {
    const ByteView block = block_.finish(preamble_.view());
    const std::size_t size = log_format::prologue_size + block.size();
    const Bytes beginning = Bytes::filled(size, [&](std::uint8_t* to) {
      log_format::store_prologue(to);
      std::copy(block.begin(), block.end(), to + log_format::prologue_size);
    });
    block_.clear();
    size_ = 0;
    started_.reset();
    write(beginning.view());
    if (options_.rotation) log_format::retain(name_, *options_.rotation);
  }

  bool is_due(const LogRotation& rotation, std::uint64_t time) {
    if (!started_) started_ = time;
    if (next_index_ + block_.events() == first_of_file_) return false;
    const auto age = static_cast<std::uint64_t>(rotation.age.count());
    return (rotation.bytes != 0 && size_ + block_.size() >= rotation.bytes) ||
           (age != 0 && time > *started_ && time - *started_ >= age);
  }

  void rotate() {
    flush();
    ++place_.number;
    file_ = create();
    first_of_file_ = next_index_;
    begin_file();
  }

  /// A clock that goes back holds nothing up.
  bool is_overdue(std::uint64_t time) const {
    return time < block_.since() ||
           time - block_.since() >= static_cast<std::uint64_t>(options_.gather.count());
  }

  void write_block() {
    const ByteView bytes = block_.finish(next_index_, options_.compression);
    next_index_ += block_.events();
    try {
      write(bytes);
    } catch (const LogError&) {
      block_.clear();  // It is not tried again: nothing may follow what a half of it has left.
      throw;
    }
    block_.clear();
  }

  void write(ByteView bytes) {
    file_.append(bytes, size_);
    size_ += bytes.size();
  }

  void check_length(std::size_t length) const {
    if (length > log_format::longest_event)
      file_.fail(size_, "an event of " + std::to_string(length) + " bytes is too long for a log");
  }

  std::string name_;
  LogOptions options_;
  log_format::SeriesFile place_;
  LogFile file_;
  Bytes preamble_;
  log_format::BlockBuilder block_;
  std::uint64_t size_ = 0;
  std::uint64_t next_index_ = 0;
  std::uint64_t first_of_file_ = 0;
  std::optional<std::uint64_t> started_;
};

}  // namespace mirbft

#endif

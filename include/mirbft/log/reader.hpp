// Reads an event log, also one that is still being written or whose writer was killed.
#ifndef MIRBFT_LOG_READER_HPP
#define MIRBFT_LOG_READER_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <mirbft/engine/module_description.hpp>
#include <mirbft/events/event.hpp>
#include <mirbft/log/block_events.hpp>
#include <mirbft/log/block_reader.hpp>
#include <mirbft/log/event.hpp>
#include <mirbft/log/file.hpp>
#include <mirbft/log/format.hpp>
#include <mirbft/log/series.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/wire/decode.hpp>

namespace mirbft {

/// What is known of a block of a log before it is read: its `events` from index `first`, their
/// `slots`, their `types` (see `LogReader::type_bits`), and from when (`earliest`, `latest`).
using LogBlock = log_format::BlockHeader;

/// An event log from its first event to its last, in one file or in a series of files. A block is
/// checked before its first event comes out. Throws LogError for what is no log and for damage;
/// what came before is good. Not movable while events of it are in use; used by one thread.
class LogReader {
 public:
  using EventType = log_format::EventType;

  /// `path` is a file, or what the files of a series begin with (`NAME-0001`), or a folder with one
  /// series and no other.
  explicit LogReader(std::string path) : path_(std::move(path)), source_(open(path_)) {
    source_.preamble = read_preamble(source_.blocks);
    const wire::DecodeError error =
        wire::decode_into(preamble_, source_.preamble, wire::Form::lenient);
    if (error != wire::DecodeError::none)
      fail(log_format::prologue_size,
           "what the log says of its events is " + std::string(wire::to_string(error)));
    std::ranges::sort(preamble_.types, {}, &EventType::number);
  }

  /// As it was given.
  const std::string& path() const noexcept { return path_; }
  /// The file that is being read.
  const std::string& file() const noexcept { return source_.blocks.file().path(); }
  /// Whose log it is.
  NodeId node() const noexcept { return preamble_.node; }
  const Bytes& cluster() const noexcept { return preamble_.cluster; }
  /// A serialized google.protobuf.FileDescriptorSet.
  const Bytes& schema() const noexcept { return preamble_.schema; }
  /// Every event type that the Node could see, by ascending number.
  const std::vector<EventType>& types() const noexcept { return preamble_.types; }
  /// What the Node was made of; empty where the log does not know.
  const std::vector<ModuleDescription>& modules() const noexcept { return preamble_.modules; }

  /// The bits of those event types for which `wanted(const EventType&)` holds: a block whose
  /// `types` have none of them holds no such event.
  template <class Wanted>
  std::uint64_t type_bits(Wanted&& wanted) const {
    std::uint64_t bits = 0;
    for (const EventType& type : preamble_.types)
      if (wanted(type)) bits |= log_format::type_bit(type.number);
    return bits;
  }

  /// The next event; nothing at the end of the last whole block. Ask again when the log has grown.
  std::optional<LogEvent> next() {
    return next([](const LogBlock&) { return true; });
  }

  /// The same, but for the blocks that are not `wanted(const LogBlock&)`: they are neither read
  /// nor checked.
  template <class Wanted>
  std::optional<LogEvent> next(Wanted&& wanted) {
    const auto fail = [this](std::uint64_t offset, std::string why) {
      this->fail(offset, std::move(why));
    };
    while (true) {
      while (events_.is_at_end(fail))
        if (!open_block(wanted)) return std::nullopt;
      LogEvent event = events_.front(fail);
      event.name = name_of(event);
      events_.drop(event);
      if (event.index >= from_) return event;
    }
  }

  /// Goes to the event with that index, or the first after it; forward or back. Blocks before it
  /// are not read.
  void seek(std::uint64_t index) {
    const bool ahead = !next_block_ || index >= *next_block_ ||
                       (events_.left() != 0 && index >= events_.index());
    if (!ahead) {
      source_ = open(path_);
      source_.preamble = read_preamble(source_.blocks);
      events_ = {};
      next_block_ = std::nullopt;
    }
    from_ = index;
  }

  /// The event as a C++ value; throws LogError when `E` is another type or cannot hold it.
  template <class E>
  E decode(const LogEvent& event) const {
    std::optional<E> value = event.as<E>();
    if (!value) fail(event.offset, std::string(event.name) + " is not as this program knows it");
    return std::move(*value);
  }

  /// Bytes after the last whole block, once `next` has returned nothing: the list at which the
  /// writer was killed, or is just now.
  std::uint64_t torn_bytes() const noexcept { return source_.blocks.torn_bytes(); }

 private:
  /// The file that is being read, and which of a series it is.
  struct Source {
    std::optional<log_format::SeriesFile> place;
    log_format::BlockReader blocks;
    Bytes preamble;
  };

  [[noreturn]] void fail(std::uint64_t offset, std::string why) const {
    source_.blocks.file().fail(offset, std::move(why));
  }

  static Source open(const std::string& path) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status) || std::filesystem::is_directory(status)) {
      const bool is_folder = std::filesystem::is_directory(status);
      const auto files = is_folder ? log_format::series_files(path)
                                   : log_format::files_of_series(path);
      if (!files.empty() && files.front().series() != files.back().series())
        throw LogError(path, 0, "the folder holds several logs, such as " +
                                    files.front().series() + " and " + files.back().series() +
                                    ": choose one");
      if (!files.empty()) return {files.front(), open(folder_of(path), files.front()), {}};
    }
    return {std::nullopt, log_format::BlockReader(LogFile::open(path)), {}};
  }
  static log_format::BlockReader open(const std::filesystem::path& folder,
                                      const log_format::SeriesFile& place) {
    return log_format::BlockReader(LogFile::open((folder / place.file()).string()));
  }
  static std::filesystem::path folder_of(const std::filesystem::path& path) {
    return std::filesystem::is_directory(path) ? path : path.parent_path();
  }

  static Bytes read_preamble(log_format::BlockReader& blocks) {
    std::optional<log_format::Block> first = blocks.next();
    if (!first)
      blocks.file().fail(log_format::prologue_size,
                         "the log is cut off before it says what its events are");
    if (first->header.kind != log_format::Kind::preamble)
      blocks.file().fail(first->offset, "the log does not say what its events are");
    return std::move(first->content);
  }

  /// Opens the next block unless it is not wanted; false if there is none.
  template <class Wanted>
  bool open_block(Wanted& wanted) {
    log_format::BlockReader& blocks = source_.blocks;
    const std::optional<LogBlock> header = blocks.peek_header();
    if (!header) return open_next_file();
    if (header->kind != log_format::Kind::lists)
      fail(blocks.offset(), "damaged: no lists of events where they must be");
    if (next_block_ && header->first != *next_block_)
      fail(blocks.offset(), "damaged: event " + std::to_string(header->first) +
                                " follows where " + std::to_string(*next_block_) + " must");
    next_block_ = header->first + header->events;
    const bool too_early = header->first < from_ && *next_block_ <= from_;
    if (too_early || !wanted(*header)) {
      blocks.skip(*header);
    } else {
      events_ = log_format::BlockEvents(blocks.take(*header));
    }
    return true;
  }

  /// Goes on in the next file of a series; false while there is none. What came to the end of this
  /// file before the next was begun is read first.
  bool open_next_file() {
    if (!source_.place) return false;
    log_format::SeriesFile place = *source_.place;
    ++place.number;
    const auto folder = folder_of(path_);
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(folder / place.file(), error);
    if (error) return check_no_later(place);
    if (size < log_format::prologue_size) return false;
    Source next{place, open(folder, place), {}};
    if (!next.blocks.peek_header()) return false;
    if (source_.blocks.peek_header()) return true;
    if (torn_bytes() != 0)
      fail(source_.blocks.offset(), "damaged: the file is cut off, and yet another follows");
    next.preamble = read_preamble(next.blocks);
    if (next.preamble != source_.preamble)
      next.blocks.file().fail(log_format::prologue_size,
                              "the file is another Node's than those before it");
    source_ = std::move(next);
    return true;
  }

  bool check_no_later(const log_format::SeriesFile& missing) const {
    const auto files = log_format::files_of_series(folder_of(path_) / missing.series());
    if (!files.empty() && files.back().number >= missing.number)
      throw LogError(path_, 0, missing.file() + " is gone: was it too old to be kept?");
    return false;
  }

  std::string_view name_of(const LogEvent& event) const {
    const auto& types = preamble_.types;
    const auto found = std::ranges::lower_bound(types, event.number, {}, &EventType::number);
    if (found == types.end() || found->number != event.number)
      fail(event.offset, "damaged: event number " + std::to_string(event.number) +
                             " is not among the log's types");
    return found->name;
  }

  std::string path_;
  Source source_;
  log_format::Preamble preamble_;
  log_format::BlockEvents events_;
  /// Index of the first event after the block that was opened last.
  std::optional<std::uint64_t> next_block_;
  /// No event before it comes out.
  std::uint64_t from_ = 0;
};

}  // namespace mirbft

#endif

// A log of records on disk, in segments: what a write-ahead log and a request store are made of.
#ifndef MIRBFT_MODULES_FILES_SEGMENT_LOG_HPP
#define MIRBFT_MODULES_FILES_SEGMENT_LOG_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/modules/files/files.hpp>
#include <mirbft/modules/files/segment_examination.hpp>
#include <mirbft/modules/files/segment_format.hpp>
#include <mirbft/modules/files/segment_recovery.hpp>
#include <mirbft/modules/files/segment_scan.hpp>
#include <mirbft/modules/files/segment_tear.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/errors.hpp>

namespace mirbft {

/// Whose log this is, and how large its files are.
struct SegmentConfig {
  NodeId node{};
  /// At most 256 bytes.
  Bytes cluster{"mirbft"};
  /// Of a file; one that must hold a larger record is larger.
  std::uint64_t segment_size = std::uint64_t{64} << 20;
};

/// What a log in segments has done since it was opened, and how it was found.
struct SegmentStatus {
  std::uint64_t segments = 0;
  /// Events that were found and appended, and of these how many were written again.
  std::uint64_t events = 0;
  std::uint64_t carried = 0;
  std::uint64_t bytes = 0;
  std::uint64_t syncs = 0;
  std::uint64_t removed_segments = 0;
  /// What the torn tail had that was cut off.
  std::uint64_t torn_bytes = 0;
};

/// The policy for an operation on the disk that has failed: the module throws, now and at each
/// later call, and with that its Node stops. Nothing is tried again.
struct ThrowOnFailure {
  [[noreturn]] static void fail(const std::exception_ptr& failure) {
    std::rethrow_exception(failure);
  }
};

namespace segments {

/// Where a record stands.
struct Place {
  std::uint64_t segment = 0;
  std::uint64_t offset = 0;

  friend auto operator<=>(const Place&, const Place&) = default;
};

/// Appends records in groups: what was appended before `sync` is written by one call, and durable
/// when `sync` returns. `Policy::fail(std::exception_ptr)`, which must not return, is told what has
/// failed. Movable; nothing may be called after a failure but the destructor.
template <IsFiles Files, class Policy = ThrowOnFailure>
class SegmentLog {
 public:
  /// Opens the log in a directory, or begins one. Calls `look(Place, const Record&)` for every
  /// event in it, oldest segment first. Throws LogCorruption where something durable is lost or
  /// changed, ConfigError where the log is another node's, ModuleFailure where the disk fails.
  template <class Look>
  SegmentLog(Files files, SegmentConfig config, Content content, Look&& look)
      : files_(std::move(files)), config_(std::move(config)), content_(content) {
    if (config_.cluster.size() > longest_cluster)
      throw ConfigError("cluster", std::string(config_.cluster.text()),
                        "a name of at most 256 bytes is needed");
    if (config_.segment_size < smallest_segment || config_.segment_size > largest_segment)
      throw ConfigError("segment_size", std::to_string(config_.segment_size),
                        "from 1 KiB to 1 GiB, 64 MiB are good");
    recover(look);
  }

  /// The record gets its place and is written by the next `sync`. `origin` is that of a record that
  /// is written again. Syncs what is appended already if the segment is full.
  Place append(std::uint32_t type, RetentionIndex retention, std::initializer_list<ByteView> parts,
               std::optional<std::uint64_t> origin = std::nullopt) {
    std::uint64_t length = 0;
    for (const ByteView part : parts) length += part.size();
    if (length > largest_payload)
      throw ModuleFailure("a record of " + std::to_string(length) +
                          " bytes for the log, at most " + std::to_string(largest_payload));
    make_room(record_size(length));
    ++status_.events;
    status_.carried += origin.has_value();
    const Place place{newest(), end_ + group_.size()};
    add({Kind::event, type, index(), origin.value_or(index()), retention}, parts);
    return place;
  }

  void sync() {
    guarded([this] {
      if (count_ != 0) write_group();
    });
  }

  /// Says durably that nothing in segments before `oldest`, and nothing below `low`, is needed, and
  /// removes those segments. What is appended becomes durable before that.
  void drop_before(std::uint64_t oldest, RetentionIndex low) {
    make_room(record_size(0));
    oldest_ = oldest;
    low_ = low;
    add({Kind::retain, 0, index(), oldest, low}, {});
    guarded([this] {
      write_group();
      for (auto at = segments_.begin(); at->first < oldest_; at = segments_.erase(at)) {
        files_.remove(name_of(at->first));
        ++status_.removed_segments;
      }
      files_.sync();
    });
  }

  /// The oldest segment that is worth keeping, where `needed(id)` says how many bytes of one are
  /// needed: those before it go together, as no more than a quarter of them must be written again.
  /// So a log is about four times as large as what is needed of it, at most. Of the last few
  /// segments nothing is written again: most of what is in them will soon go by itself.
  template <class Needed>
  std::uint64_t worth_keeping_from(Needed&& needed) const {
    std::uint64_t from = oldest();
    std::uint64_t size = 0;
    std::uint64_t kept = 0;
    for (auto at = segments_.begin(); at->first != newest(); ++at) {
      size += at->second.header.file_size;
      kept += needed(at->first);
      const bool young = newest() - at->first < young_segments;
      if (kept == 0 || (kept <= size / 4 && !young)) from = at->first + 1;
    }
    return from;
  }

  /// Calls `look(Place, const Record&)` for every event in a segment that has been synced.
  template <class Look>
  void read_segment(std::uint64_t id, Look&& look) {
    std::vector<std::uint8_t> bytes;
    read_segment(id, bytes, look);
  }
  /// The same for all segments.
  template <class Look>
  void read_all(Look&& look) {
    std::vector<std::uint8_t> bytes;
    for (std::uint64_t id = oldest(); id <= newest(); ++id) read_segment(id, bytes, look);
  }
  /// Calls `use(const Record&)` for one record of `size` bytes.
  template <class Use>
  void read(Place place, std::uint64_t size, Use&& use) {
    const Segment<File>& segment = segments_.at(place.segment);
    ByteView bytes;
    if (place.segment == newest() && place.offset >= end_) {
      bytes = ByteView(group_).subspan(place.offset - end_, size);
    } else {
      scratch_.resize(size);
      segment.file.read(place.offset, scratch_);
      bytes = scratch_;
    }
    const auto record = load_record(bytes, 0, segment.header.salt);
    if (!record)
      throw LogCorruption(files_.path(name_of(place.segment)), place.segment, place.offset,
                          "a record that was sound when it was written is damaged");
    use(*record);
  }

  std::uint64_t oldest() const noexcept { return segments_.begin()->first; }
  std::uint64_t newest() const noexcept { return segments_.rbegin()->first; }
  /// Index of the first record of the oldest segment.
  std::uint64_t first_index() const noexcept {
    return segments_.begin()->second.header.first_index;
  }
  RetentionIndex low() const noexcept { return low_; }
  SegmentStatus status() const noexcept {
    SegmentStatus status = status_;
    status.segments = segments_.size();
    return status;
  }

 private:
  using File = typename Files::File;

  static constexpr std::uint64_t young_segments = 3;
  static constexpr std::uint64_t smallest_segment = std::uint64_t{1} << 10;
  static constexpr std::uint64_t largest_segment = std::uint64_t{1} << 30;

  /// `bytes` is for the segment; given again for the next one, it need not be made anew.
  template <class Look>
  void read_segment(std::uint64_t id, std::vector<std::uint8_t>& bytes, Look&& look) {
    const Segment<File>& segment = segments_.at(id);
    bytes.resize(segment.header.file_size);
    segment.file.read(0, bytes);
    const Scan found = scan(bytes, segment.header, [&](const Record& record) {
      look(Place{id, record.offset}, record);
    });
    const std::uint64_t end = id == newest() ? end_ : found.end;
    if (found.end != end || found.sealed != (id != newest()))
      throw LogCorruption(files_.path(name_of(id)), id, found.bad,
                          "it was sound when it was opened");
  }

  template <class Look>
  void recover(Look&& look) {
    auto found = Examiner<Files>(files_).examine(
        [&](std::uint64_t id, const Record& record) {
          ++status_.events;
          look(Place{id, record.offset}, record);
        },
        [this](const Header& header) { check_owner(header); });
    mend(files_, found);
    if (found.segments.empty()) return add_segment(0, Header::size);
    const Scan& end = found.scans.rbegin()->second;
    status_.torn_bytes = found.torn_end - end.end;
    segments_ = std::move(found.segments);
    end_ = end.end;
    next_index_ = end.next_index;
    chain_ = end.chain;
    oldest_ = end.oldest;
    low_ = end.low;
  }
  void check_owner(const Header& header) const {
    if (header.node == config_.node && header.cluster == config_.cluster.text() &&
        header.content == content_)
      return;
    throw ConfigError("directory", files_.path(""),
                      std::string("holds the ") + to_string(header.content) + " of node " +
                          std::to_string(header.node.value) + " of cluster \"" + header.cluster +
                          "\": each log of each node needs a directory of its own");
  }

  /// Index of the next record.
  std::uint64_t index() const noexcept { return next_index_ + count_; }

  void add(const RecordHead& head, std::initializer_list<ByteView> parts) {
    const std::uint64_t salt = segments_.rbegin()->second.header.salt;
    if (count_++ == 0) group_chain_ = chain_;
    group_chain_ = checksum(store_record(group_, salt, head, parts), group_chain_);
  }

  void write_group() {
    Segment<File>& segment = segments_.rbegin()->second;
    const std::size_t size = group_.size();
    Commit commit{group_chain_, 0, count_, static_cast<std::uint32_t>(size + Commit::stored)};
    const RecordHead head{Kind::commit, 0, index(), index(), {}};
    const auto close = [&] {
      group_.resize(size);
      chain_ = checksum(store_record(group_, segment.header.salt, head, {commit.store()}),
                        group_chain_);
    };
    close();
    commit.blank = blank_sectors(group_, end_);
    if (commit.blank != 0) close();
    segment.file.write(end_, group_);
    segment.file.sync();
    ++status_.syncs;
    status_.bytes += group_.size();
    end_ += group_.size();
    next_index_ += count_ + 1;
    count_ = 0;
    group_.clear();
  }

  /// Sees to it that a record and what ends a group and a segment fit in behind what is appended.
  void make_room(std::uint64_t size) {
    const std::uint64_t needed = size + Commit::stored + seal_size;
    guarded([&] {
      if (end_ + group_.size() + needed <= segments_.rbegin()->second.header.file_size) return;
      if (count_ != 0) write_group();
      add_segment(newest() + 1, Header::size + needed);
    });
  }

  /// A segment gets its name when its header is durable, and records when its name is, and when its
  /// predecessor is sealed: so a sealed segment always has a successor.
  void add_segment(std::uint64_t id, std::uint64_t least_size) {
    Header header{id,
                  std::max(config_.segment_size, least_size),
                  next_index_,
                  chain_,
                  content_,
                  files_.salt(),
                  config_.node,
                  std::string(config_.cluster.text()),
                  oldest_,
                  low_};
    File file = files_.create(unfinished, header.file_size);
    file.write(0, header.store());
    file.sync();
    files_.rename(unfinished, name_of(id));
    files_.sync();
    if (!segments_.empty()) {
      Scan end;
      end.end = end_;
      end.next_index = next_index_;
      write_seal(segments_.rbegin()->second, end);
    }
    segments_.emplace(id, Segment<File>{std::move(file), std::move(header)});
    end_ = Header::size;
  }

  template <class Do>
  void guarded(Do&& do_it) {
    if (failure_) Policy::fail(failure_);
    try {
      do_it();
    } catch (...) {
      failure_ = std::current_exception();
      Policy::fail(failure_);
    }
  }

  Files files_;
  SegmentConfig config_;
  Content content_;
  std::map<std::uint64_t, Segment<File>> segments_;
  SegmentStatus status_;
  std::exception_ptr failure_;

  // After the last group.
  std::uint64_t end_ = Header::size;
  std::uint64_t next_index_ = 0;
  std::uint32_t chain_ = 0;
  std::uint64_t oldest_ = 0;
  RetentionIndex low_;

  // What is appended and not synced.
  std::vector<std::uint8_t> group_;
  std::uint32_t count_ = 0;
  std::uint32_t group_chain_ = 0;

  std::vector<std::uint8_t> scratch_;
};

}  // namespace segments
}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::SegmentStatus, segments, events, carried, bytes, syncs,
                        removed_segments, torn_bytes);

#endif

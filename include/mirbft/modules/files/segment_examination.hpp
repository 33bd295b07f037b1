// Reads the segments of a directory, without changing anything, and says what state they are in.
#ifndef MIRBFT_MODULES_FILES_SEGMENT_EXAMINATION_HPP
#define MIRBFT_MODULES_FILES_SEGMENT_EXAMINATION_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/modules/files/files.hpp>
#include <mirbft/modules/files/segment_format.hpp>
#include <mirbft/modules/files/segment_scan.hpp>
#include <mirbft/modules/files/segment_tear.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/errors.hpp>

namespace mirbft {

/// A log on disk has lost or changed something that was durable. A replica must not go on with what
/// is left: what it has forgotten it may say again, otherwise.
class LogCorruption : public ModuleFailure {
 public:
  LogCorruption(std::string file, std::uint64_t segment, std::uint64_t offset, std::string reason)
      : ModuleFailure("corrupt: " + file + ": at byte " + std::to_string(offset) + ": " + reason +
                      "; this node must not go on with this directory"),
        file_(std::move(file)),
        segment_(segment),
        offset_(offset),
        reason_(std::move(reason)) {}

  const std::string& file() const noexcept { return file_; }
  /// The id of the segment that the file is.
  std::uint64_t segment() const noexcept { return segment_; }
  std::uint64_t offset() const noexcept { return offset_; }
  const std::string& reason() const noexcept { return reason_; }

 private:
  std::string file_;
  std::uint64_t segment_;
  std::uint64_t offset_;
  std::string reason_;
};

namespace segments {

/// An open segment.
template <class File>
struct Segment {
  File file;
  Header header;
};

/// What the directory holds.
template <class File>
struct Examination {
  /// By id, from the oldest that is needed.
  std::map<std::uint64_t, Segment<File>> segments;
  /// How far each is sound.
  std::map<std::uint64_t, Scan> scans;
  /// The bytes of the newest, and where its torn tail ends, or its last group if it has none.
  std::vector<std::uint8_t> newest;
  std::uint64_t torn_end = 0;
  /// Segments that were not yet removed when the node stopped.
  std::vector<std::string> leftovers;

  bool is_torn() const noexcept {
    return !scans.empty() && torn_end > scans.rbegin()->second.end;
  }
};

/// Tells three outcomes apart: all is well, the last write is torn, or something is damaged; then
/// it throws LogCorruption. Calls `look(id, record)` for every event, oldest segment first, before
/// it is known that those after it are sound; and before that, `check(header)`, which may throw,
/// for each segment.
template <class Files>
class Examiner {
 public:
  using File = typename Files::File;

  explicit Examiner(Files& files) noexcept : files_(files) {}

  template <class Look>
  Examination<File> examine(Look&& look) {
    return examine(look, [](const Header&) {});
  }
  template <class Look, class Check>
  Examination<File> examine(Look&& look, Check&& check) {
    const std::vector<std::uint64_t> ids = list();
    if (ids.empty()) return std::move(found_);
    const std::uint64_t last = ids.back();
    const Scan newest = read(last, [](const Record&) {}, check);
    if (newest.oldest > last) refuse(last, 0, "it says that it is not needed itself");
    for (const std::uint64_t id : ids)
      if (id < newest.oldest) found_.leftovers.push_back(name_of(id));
    for (std::uint64_t id = newest.oldest; id <= last; ++id) {
      if (!std::binary_search(ids.begin(), ids.end(), id)) refuse(id, 0, "the file is missing");
      found_.scans[id] = read(id, [&](const Record& record) { look(id, record); }, check);
      check_link(id);
      if (id != last) check_end(id, id + 1 == last && newest.is_empty());
    }
    check_tail(last);
    return std::move(found_);
  }

  /// What was found before `examine` threw.
  Examination<File>& found() noexcept { return found_; }

 private:
  std::vector<std::uint64_t> list() {
    std::vector<std::uint64_t> ids;
    for (const std::string& name : files_.list()) {
      if (const auto id = id_of(name)) ids.push_back(*id);
      if (name == unfinished) found_.leftovers.push_back(name);
    }
    return ids;
  }

  /// Reads a segment, of which the header vouches for the size, into `bytes`.
  template <class Look, class Check>
  Scan read(std::uint64_t id, Look&& look, Check&& check) {
    auto place = found_.segments.find(id);
    if (place == found_.segments.end()) {
      place = found_.segments.emplace(id, opened(id)).first;
      check(place->second.header);
    }
    const auto& [file, header] = place->second;
    found_.newest.resize(header.file_size);
    file.read(0, found_.newest);
    return scan(found_.newest, header, look);
  }
  Segment<File> opened(std::uint64_t id) {
    Segment<File> segment{files_.open(name_of(id)), {}};
    std::array<std::uint8_t, Header::size> bytes{};
    const std::uint64_t size = segment.file.size();
    if (size < bytes.size()) refuse(id, size, "the file has no room for a header");
    segment.file.read(0, bytes);
    const auto header = Header::load(bytes);
    if (!header) refuse(id, 0, "the header is damaged");
    if (header->id != id) refuse(id, 0, "this is segment " + std::to_string(header->id));
    if (header->file_size != size)
      refuse(id, std::min(size, header->file_size),
             "the file has " + std::to_string(size) + " bytes and should have " +
                 std::to_string(header->file_size));
    segment.header = *header;
    return segment;
  }

  /// A segment begins where the one before it ended.
  void check_link(std::uint64_t id) const {
    const auto before = found_.scans.find(id - 1);
    if (before == found_.scans.end()) return;
    const Header& header = found_.segments.at(id).header;
    if (before->second.next_index != header.first_index || before->second.chain != header.chain)
      refuse(id - 1, before->second.bad,
             "the log ends here before record " + std::to_string(before->second.next_index) +
                 ", and the next segment goes on from record " +
                 std::to_string(header.first_index));
  }
  /// One that has a successor is sealed, before that gets records.
  void check_end(std::uint64_t id, bool may_be_open) const {
    const Scan& found = found_.scans.at(id);
    if (!found.sealed && !may_be_open)
      refuse(id, found.bad, "the seal is missing, though the next segment has records");
  }
  void check_tail(std::uint64_t id) {
    const Scan& found = found_.scans.at(id);
    if (found.sealed) refuse(id + 1, 0, "the file is missing");
    found_.torn_end = written_end(found_.newest, found.end);
    if (!found_.is_torn()) return;
    const std::uint64_t salt = found_.segments.at(id).header.salt;
    if (const char* damage = damage_behind(found, found_.newest, salt))
      refuse(id, found.bad, damage);
  }

  [[noreturn]] void refuse(std::uint64_t id, std::uint64_t offset, std::string reason) const {
    throw LogCorruption(files_.path(name_of(id)), id, offset, std::move(reason));
  }

  Files& files_;
  Examination<File> found_;
};

}  // namespace segments
}  // namespace mirbft

#endif

// Whether bad bytes at the end of a log are what a crash left of its last write, or damage.
//
// A segment is made of zeros, and each group is written once, behind the group before it, which is
// durable by then. So a crash amid a write leaves whole sectors of the group as written and others
// as zeros, or the first part of it. Bad bytes that no zeros explain are damage to something that
// was durable: a node that took them for a torn write would forget what it has said.
#ifndef MIRBFT_MODULES_FILES_SEGMENT_TEAR_HPP
#define MIRBFT_MODULES_FILES_SEGMENT_TEAR_HPP

#include <algorithm>
#include <cstdint>
#include <optional>

#include <mirbft/modules/files/segment_format.hpp>
#include <mirbft/modules/files/segment_scan.hpp>
#include <mirbft/types/bytes.hpp>

namespace mirbft::segments {

inline bool is_blank(ByteView bytes) noexcept {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

/// How many of the sectors of a file that `bytes`, which stand at `offset`, have part in are blank
/// there.
inline std::uint32_t blank_sectors(ByteView bytes, std::uint64_t offset) noexcept {
  std::uint32_t count = 0;
  while (!bytes.empty()) {
    const std::size_t part =
        std::min<std::size_t>(bytes.size(), sector - static_cast<std::size_t>(offset % sector));
    count += is_blank(bytes.first(part));
    bytes = bytes.subspan(part);
    offset += part;
  }
  return count;
}

/// Where the zeros begin that a segment ends with, but not before `from`.
inline std::uint64_t written_end(ByteView segment, std::uint64_t from) noexcept {
  std::uint64_t end = segment.size();
  while (end > from && segment[end - 1] == 0) --end;
  return end;
}

/// The commit whose record begins here, if there is one.
inline std::optional<Record> commit_at(ByteView segment, std::uint64_t offset,
                                       std::uint64_t salt) noexcept {
  const std::uint8_t* at = segment.data() + offset;
  if (segment.size() - offset < Commit::stored || get<std::uint32_t>(at) != Commit::size) return {};
  const auto record = load_record(segment.first(offset + Commit::stored), offset, salt);
  return record && record->kind == Kind::commit ? record : std::nullopt;
}

/// How many bytes the bad record takes that begins at `offset`, by what is left of its head.
inline std::uint64_t presumed_size(ByteView segment, std::uint64_t offset) noexcept {
  const std::uint64_t rest = segment.size() - offset;
  if (rest < RecordHead::size) return rest;
  const std::uint8_t* at = segment.data() + offset;
  const auto length = get<std::uint32_t>(at);
  at += sizeof(std::uint32_t);
  if (Kind{get<std::uint32_t>(at)} == Kind::commit) return std::min(rest, Commit::stored);
  return record_size(length) <= rest ? record_size(length) : RecordHead::size;
}

/// Why what stands behind the last whole group of a log is damage; null if a crash explains it.
inline const char* damage_behind(const Scan& scan, ByteView segment, std::uint64_t salt) noexcept {
  std::optional<Commit> own;
  const std::uint64_t written = written_end(segment, scan.end);
  for (std::uint64_t at = scan.bad; at < written; at += 8) {
    const auto record = commit_at(segment, at, salt);
    if (!record) continue;
    own = Commit::load(*record);
    if (own->bytes != record->end() - scan.end || own->count != record->index - scan.next_index)
      return "a bad record stands before another group, so it was durable";
  }
  if (own) {
    const ByteView group = segment.subspan(scan.end, own->bytes);
    return blank_sectors(group, scan.end) > own->blank
               ? nullptr
               : "a bad record stands in a group of which all was written";
  }
  const std::uint64_t size = presumed_size(segment, scan.bad);
  const bool is_cut = written <= scan.bad + size - std::min<std::uint64_t>(size, 8);
  return is_cut || blank_sectors(segment.subspan(scan.bad, size), scan.bad) != 0
             ? nullptr
             : "a bad record, of which no part is unwritten";
}

}  // namespace mirbft::segments

#endif

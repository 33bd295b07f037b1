// Reads a segment as far as it is sound, group by group.
#ifndef MIRBFT_MODULES_FILES_SEGMENT_SCAN_HPP
#define MIRBFT_MODULES_FILES_SEGMENT_SCAN_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <mirbft/modules/files/segment_format.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft::segments {

/// How far a segment is sound, and what it says.
struct Scan {
  /// Where the last group begins and ends.
  std::uint64_t group = Header::size;
  std::uint64_t end = Header::size;
  /// Where the first thing stands that is no record of this place.
  std::uint64_t bad = Header::size;
  /// After the last group.
  std::uint64_t next_index = 0;
  std::uint32_t chain = 0;
  /// As the last Retain says.
  std::uint64_t oldest = 0;
  RetentionIndex low;
  std::uint64_t events = 0;
  bool sealed = false;

  bool is_empty() const noexcept { return end == Header::size; }
};

/// Calls `look(const Record&)` for every event of every group that is whole, in order. Nothing
/// after the first flaw is believed.
template <class Look>
Scan scan(ByteView segment, const Header& header, Look&& look) {
  Scan found;
  found.next_index = header.first_index;
  found.chain = header.chain;
  found.oldest = header.oldest;
  found.low = header.low;
  std::vector<Record> group;
  std::uint32_t chain = found.chain;
  const auto close = [&](const Record& commit) {
    for (const Record& record : group) {
      if (record.kind == Kind::event) {
        ++found.events;
        look(record);
      } else {
        found.oldest = record.origin;
        found.low = record.retention;
      }
    }
    group.clear();
    found.group = found.end;
    found.end = commit.end();
    found.next_index = commit.index + 1;
    found.chain = chain;
  };
  const auto closes = [&](const Commit& commit, const Record& record) {
    return commit.count == group.size() && commit.chain == chain &&
           commit.bytes == record.end() - found.end;
  };
  for (;;) {
    const auto record = load_record(segment, found.bad, header.salt);
    if (!record || record->index != found.next_index + group.size()) return found;
    const auto commit = Commit::load(*record);
    if (commit) {
      if (!closes(*commit, *record)) return found;
    } else if (record->kind == Kind::event || record->kind == Kind::retain) {
      group.push_back(*record);
    } else {
      found.sealed = record->kind == Kind::seal && group.empty();
      return found;
    }
    chain = checksum(record->crc, chain);
    found.bad = record->end();
    if (commit) close(*record);
  }
}

}  // namespace mirbft::segments

#endif

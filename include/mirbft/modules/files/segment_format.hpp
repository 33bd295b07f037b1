// How a log lies on the disk: a row of segment files, each a header and records.
//
//   segment  header (512 bytes, one sector), records, zeros up to its size
//   header   magic (8 bytes), CRC-32C of the rest (u32), version (u32), id of the segment (u64),
//            size of the file (u64), index of the first record (u64), chain before it (u32),
//            content (u32), length of the cluster's name (u32), salt (u64), node (u64), oldest
//            segment (u64), low retention index (u64), name of the cluster (256 bytes), zeros
//   record   length of the payload (u32), CRC-32C of salt, length and all that follows (u32),
//            kind (u32), type (u32), index (u64), origin (u64), retention index (u64), payload,
//            zeros up to the next multiple of 8
//   group    records and a commit, which says what they are; written at once, made durable at once,
//            and never begun before the group before it was durable
//
// All numbers are little-endian. The index of a record is its place in the whole log. Salt and
// index within the checksum make stale bytes and misdirected writes visible, and the chain, a
// CRC-32C of the checksums of all records so far, ties segments to one another. A record that is
// written again, so that the oldest segments can go, keeps the index of its first place as origin.
#ifndef MIRBFT_MODULES_FILES_SEGMENT_FORMAT_HPP
#define MIRBFT_MODULES_FILES_SEGMENT_FORMAT_HPP

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/crc32c.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/little_endian.hpp>

namespace mirbft::segments {

inline constexpr std::array<std::uint8_t, 8> magic{0x89, 'm', 'i', 'r', 's', 'e', 'g', '\n'};
inline constexpr std::uint32_t version = 1;
/// What a disk writes whole or not at all.
inline constexpr std::size_t sector = 512;
inline constexpr std::size_t longest_cluster = 256;
/// Of a record. It is checked before anything is allocated.
inline constexpr std::size_t largest_payload = std::size_t{64} << 20;

using little_endian::get;
using little_endian::put;

/// The CRC-32C of a number's bytes, after others.
inline std::uint32_t checksum(std::unsigned_integral auto number, std::uint32_t before) noexcept {
  std::uint8_t bytes[sizeof number];
  std::uint8_t* at = bytes;
  put(at, number);
  return crc32c(bytes, before);
}

/// What the events of a log are.
enum class Content : std::uint32_t { entries = 1, requests = 2 };

constexpr const char* to_string(Content content) noexcept {
  return content == Content::requests ? "requests" : "write-ahead log";
}

/// What stands at the beginning of a segment.
struct Header {
  static constexpr std::size_t size = sector;

  std::uint64_t id = 0;
  std::uint64_t file_size = 0;
  std::uint64_t first_index = 0;
  /// Of all records before this segment.
  std::uint32_t chain = 0;
  Content content = Content::entries;
  std::uint64_t salt = 0;
  NodeId node;
  std::string cluster;
  /// When the segment was begun, those before this one were no longer needed.
  std::uint64_t oldest = 0;
  RetentionIndex low;

  std::array<std::uint8_t, size> store() const noexcept {
    std::array<std::uint8_t, size> bytes{};
    std::uint8_t* at = std::copy(magic.begin(), magic.end(), bytes.data()) + sizeof(std::uint32_t);
    put(at, version);
    put(at, id);
    put(at, file_size);
    put(at, first_index);
    put(at, chain);
    put(at, static_cast<std::uint32_t>(content));
    put(at, static_cast<std::uint32_t>(cluster.size()));
    put(at, salt);
    put(at, node.value);
    put(at, oldest);
    put(at, low.value);
    std::copy(cluster.begin(), cluster.end(), at);
    at = bytes.data() + magic.size();
    put(at, checksum_of(bytes));
    return bytes;
  }

  /// Nothing if this is no sound header.
  static std::optional<Header> load(const std::array<std::uint8_t, size>& bytes) {
    const std::uint8_t* at = bytes.data() + magic.size();
    if (!std::equal(magic.begin(), magic.end(), bytes.begin()) ||
        get<std::uint32_t>(at) != checksum_of(bytes) || get<std::uint32_t>(at) != version)
      return std::nullopt;
    Header header;
    header.id = get<std::uint64_t>(at);
    header.file_size = get<std::uint64_t>(at);
    header.first_index = get<std::uint64_t>(at);
    header.chain = get<std::uint32_t>(at);
    header.content = Content{get<std::uint32_t>(at)};
    const std::uint32_t length = get<std::uint32_t>(at);
    header.salt = get<std::uint64_t>(at);
    header.node = NodeId(get<std::uint64_t>(at));
    header.oldest = get<std::uint64_t>(at);
    header.low = RetentionIndex(get<std::uint64_t>(at));
    if (length > longest_cluster) return std::nullopt;
    header.cluster.assign(at, at + length);
    return header;
  }

 private:
  static std::uint32_t checksum_of(const std::array<std::uint8_t, size>& bytes) noexcept {
    return crc32c(ByteView(bytes).subspan(magic.size() + sizeof(std::uint32_t)));
  }
};

/// What a record is: of the log's user; the end of a group; a note that segments before `origin`
/// and entries below `retention` may go; the end of a segment that has a successor.
enum class Kind : std::uint32_t { event = 1, commit = 2, retain = 3, seal = 4 };

/// What stands before a payload.
struct RecordHead {
  static constexpr std::size_t size = 40;

  Kind kind = Kind::event;
  /// Of the user.
  std::uint32_t type = 0;
  std::uint64_t index = 0;
  std::uint64_t origin = 0;
  RetentionIndex retention;
};

/// How many bytes a record takes.
constexpr std::uint64_t record_size(std::uint64_t payload) noexcept {
  return RecordHead::size + (payload + 7) / 8 * 8;
}

/// Appends a record whose payload is that of `parts`. Returns its checksum.
inline std::uint32_t store_record(std::vector<std::uint8_t>& to, std::uint64_t salt,
                                  const RecordHead& head,
                                  std::initializer_list<ByteView> parts) {
  std::size_t length = 0;
  for (const ByteView part : parts) length += part.size();
  const std::size_t begin = to.size();
  to.resize(begin + record_size(length));
  std::uint8_t* at = to.data() + begin;
  put(at, static_cast<std::uint32_t>(length));
  at += sizeof(std::uint32_t);
  put(at, static_cast<std::uint32_t>(head.kind));
  put(at, head.type);
  put(at, head.index);
  put(at, head.origin);
  put(at, head.retention.value);
  for (const ByteView part : parts) at = std::copy(part.begin(), part.end(), at);
  const ByteView rest = ByteView(to).subspan(begin + 8);
  const std::uint32_t crc =
      crc32c(rest, checksum(static_cast<std::uint32_t>(length), checksum(salt, 0)));
  at = to.data() + begin + sizeof(std::uint32_t);
  put(at, crc);
  return crc;
}

/// A sound record as it stands in a segment.
struct Record : RecordHead {
  std::uint64_t offset = 0;
  std::uint32_t crc = 0;
  ByteView payload;

  std::uint64_t end() const noexcept { return offset + record_size(payload.size()); }
};

/// The record at this place of a segment, or nothing if there is none whose checksum holds.
inline std::optional<Record> load_record(ByteView segment, std::uint64_t offset,
                                         std::uint64_t salt) noexcept {
  if (offset > segment.size() || segment.size() - offset < RecordHead::size) return std::nullopt;
  const std::uint8_t* at = segment.data() + offset;
  const auto length = get<std::uint32_t>(at);
  const std::uint64_t size = record_size(length);
  if (length > largest_payload || size > segment.size() - offset) return std::nullopt;
  Record record;
  record.offset = offset;
  record.crc = get<std::uint32_t>(at);
  const ByteView rest = segment.subspan(offset + 8, size - 8);
  if (record.crc != crc32c(rest, checksum(length, checksum(salt, 0)))) return std::nullopt;
  record.kind = Kind{get<std::uint32_t>(at)};
  record.type = get<std::uint32_t>(at);
  record.index = get<std::uint64_t>(at);
  record.origin = get<std::uint64_t>(at);
  record.retention = RetentionIndex(get<std::uint64_t>(at));
  record.payload = rest.subspan(RecordHead::size - 8, length);
  return record;
}

/// The payload of a commit. Its last eight bytes are never zero, so that no part of one looks
/// unwritten.
struct Commit {
  static constexpr std::size_t size = 16;
  /// Of the whole record.
  static constexpr std::uint64_t stored = record_size(size);

  /// Of all records before this one.
  std::uint32_t chain = 0;
  /// Sectors of the group that hold nothing but zeros.
  std::uint32_t blank = 0;
  /// Records of the group before this one, and bytes with it.
  std::uint32_t count = 0;
  std::uint32_t bytes = 0;

  std::array<std::uint8_t, size> store() const noexcept {
    std::array<std::uint8_t, size> content;
    std::uint8_t* at = content.data();
    for (const std::uint32_t number : {chain, blank, count, bytes}) put(at, number);
    return content;
  }
  static std::optional<Commit> load(const Record& record) noexcept {
    if (record.kind != Kind::commit || record.payload.size() != size) return std::nullopt;
    const std::uint8_t* at = record.payload.data();
    Commit commit;
    for (std::uint32_t* number : {&commit.chain, &commit.blank, &commit.count, &commit.bytes})
      *number = get<std::uint32_t>(at);
    return commit;
  }
};

/// A seal has no payload.
inline constexpr std::uint64_t seal_size = record_size(0);

/// The name of a segment's file; ascending names are ascending ids.
inline std::string name_of(std::uint64_t id) {
  std::string digits = std::to_string(id);
  return "segment-" + std::string(20 - digits.size(), '0') + digits;
}
/// The id of a segment's file, or nothing if this is another file.
inline std::optional<std::uint64_t> id_of(const std::string& name) {
  constexpr std::size_t prefix = std::string_view("segment-").size();
  if (name.size() != prefix + 20) return std::nullopt;
  std::uint64_t id = 0;
  for (const char digit : name.substr(prefix))
    id = 10 * id + static_cast<std::uint64_t>(digit - '0');
  return name_of(id) == name ? std::optional(id) : std::nullopt;
}
/// The name of a segment's file before its header is durable.
inline constexpr const char* unfinished = "segment.new";

}  // namespace mirbft::segments

#endif

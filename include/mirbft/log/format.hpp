// How an event log lies on the disk.
//
//   log       magic (8 bytes), version (u32), preamble, lists…
//   preamble  block whose content is the protobuf message Preamble below
//   lists     block whose content is dispatched lists, one after another, or a part of one
//   block     header (56 bytes, see BlockHeader), content
//   list      slot (u32), number of events (u32), time (u64), event…
//   event     number (u32), length (u32), protobuf bytes
//
// All numbers are little-endian. The index of an event is its place in the total order of dispatch
// and goes on from block to block, and from file to file of a series. The time is that of the
// dispatch, in nanoseconds since the Unix epoch. A slot is its place in `slot_names`. What a header
// says of its block is enough to leave out a block that cannot hold what is looked for. A log whose
// writer was killed may end within a block; everything else that does not fit is damage.
#ifndef MIRBFT_LOG_FORMAT_HPP
#define MIRBFT_LOG_FORMAT_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/engine/module_description.hpp>
#include <mirbft/log/compression.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/crc32c.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/little_endian.hpp>

namespace mirbft::log_format {

/// Not ASCII at first, a line end at last: neither a text nor what a text-mode copy leaves of it.
inline constexpr std::array<std::uint8_t, 8> magic{0x89, 'm', 'i', 'r', 'l', 'o', 'g', '\n'};
inline constexpr std::uint32_t version = 2;
inline constexpr std::size_t prologue_size = magic.size() + sizeof version;

/// A block that is longer takes no further event; the last one may make it much longer.
inline constexpr std::size_t block_target = std::size_t{1} << 18;

/// Longer contents are not compressed, so that no few bytes can claim all memory.
inline constexpr std::size_t longest_compressed = std::size_t{1} << 26;

/// Protobuf reads no longer message.
inline constexpr std::size_t longest_event = std::numeric_limits<std::int32_t>::max();

/// One event type that may occur in the log.
struct EventType {
  std::uint32_t number = 0;
  /// The slots it is sent to, as `Slot::bits`.
  std::uint16_t slots = 0;
  /// Full name of its message in the schema.
  std::string name;
};

/// What a reader must know before the first event.
struct Preamble {
  NodeId node;
  Bytes cluster;
  /// A serialized google.protobuf.FileDescriptorSet that defines every type's message.
  Bytes schema;
  std::vector<EventType> types;
  /// What the Node was made of, as far as who recorded it was told.
  std::vector<ModuleDescription> modules;
};

using little_endian::get;
using little_endian::put;

/// Magic and version, the first `prologue_size` bytes.
inline void store_prologue(std::uint8_t* at) noexcept {
  for (const std::uint8_t byte : magic) put(at, byte);
  put(at, version);
}

/// What a block holds.
enum class Kind : std::uint8_t { preamble = 1, lists = 2 };

/// The bit that stands for an event type in `BlockHeader::types`; some types share one.
constexpr std::uint64_t type_bit(std::uint32_t number) noexcept {
  return std::uint64_t{1} << (number * 0x9e3779b1u >> 26);
}

/// What stands before a block's content: where it lies, and what one may find in it.
struct BlockHeader {
  static constexpr std::size_t size = 56;

  /// Of the content as it is stored.
  std::uint32_t length = 0;
  /// Of the content once it is no more compressed.
  std::uint32_t plain_length = 0;
  Kind kind = Kind::preamble;
  Compression compression = Compression::none;
  /// The slots of the lists, as `Slot::bits`.
  std::uint16_t slots = 0;
  std::uint32_t events = 0;
  /// Index of the first event.
  std::uint64_t first = 0;
  /// When the earliest and the latest of the lists were dispatched.
  std::uint64_t earliest = 0;
  std::uint64_t latest = 0;
  /// The `type_bit`s of the events.
  std::uint64_t types = 0;
  /// Of the content as it is stored.
  std::uint32_t checksum = 0;

  void store(std::uint8_t* to) const noexcept {
    std::uint8_t* at = to;
    put(at, length);
    put(at, plain_length);
    put(at, static_cast<std::uint8_t>(kind));
    put(at, static_cast<std::uint8_t>(compression));
    put(at, slots);
    put(at, events);
    put(at, first);
    put(at, earliest);
    put(at, latest);
    put(at, types);
    put(at, checksum);
    put(at, crc32c({to, size - sizeof(std::uint32_t)}));
  }

  /// Nothing if the header's own checksum does not hold.
  static std::optional<BlockHeader> load(const std::uint8_t* from) noexcept {
    const std::uint8_t* at = from;
    BlockHeader header;
    header.length = get<std::uint32_t>(at);
    header.plain_length = get<std::uint32_t>(at);
    header.kind = Kind{get<std::uint8_t>(at)};
    header.compression = Compression{get<std::uint8_t>(at)};
    header.slots = get<std::uint16_t>(at);
    header.events = get<std::uint32_t>(at);
    header.first = get<std::uint64_t>(at);
    header.earliest = get<std::uint64_t>(at);
    header.latest = get<std::uint64_t>(at);
    header.types = get<std::uint64_t>(at);
    header.checksum = get<std::uint32_t>(at);
    if (get<std::uint32_t>(at) != crc32c({from, size - sizeof(std::uint32_t)})) return {};
    return header;
  }
};

/// What stands before the events of a list.
struct ListHeader {
  static constexpr std::size_t size = 16;

  std::uint32_t slot = 0;
  std::uint32_t events = 0;
  std::uint64_t time = 0;

  void store(std::uint8_t* at) const noexcept {
    put(at, slot);
    put(at, events);
    put(at, time);
  }
  static ListHeader load(const std::uint8_t* at) noexcept {
    ListHeader header;
    header.slot = get<std::uint32_t>(at);
    header.events = get<std::uint32_t>(at);
    header.time = get<std::uint64_t>(at);
    return header;
  }
};

/// What stands before an event's bytes.
struct EntryHeader {
  static constexpr std::size_t size = 8;

  std::uint32_t number = 0;
  std::uint32_t length = 0;

  void store(std::uint8_t* at) const noexcept {
    put(at, number);
    put(at, length);
  }
  static EntryHeader load(const std::uint8_t* at) noexcept {
    EntryHeader header;
    header.number = get<std::uint32_t>(at);
    header.length = get<std::uint32_t>(at);
    return header;
  }
};

}  // namespace mirbft::log_format

BOOST_HANA_ADAPT_STRUCT(mirbft::log_format::EventType, number, slots, name);
BOOST_HANA_ADAPT_STRUCT(mirbft::log_format::Preamble, node, cluster, schema, types, modules);

#endif

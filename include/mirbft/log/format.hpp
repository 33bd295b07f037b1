// How an event log lies on the disk.
//
//   log       magic (8 bytes), version (u32), preamble, list…
//   preamble  block whose content is the protobuf message Preamble below
//   list      block whose content is the events of one dispatched list, or of a part of it
//   block     header (32 bytes), content
//   header    length of the content (u32), kind (u16), slot (u16), index of the first event (u64),
//             time (u64), CRC-32C of the content (u32), CRC-32C of the header up to here
//             (u32)
//   event     number (u32), length (u32), protobuf bytes
//
// All numbers are little-endian. The index of an event is its place in the total order of dispatch
// and goes on from block to block. The time is that of the dispatch, in nanoseconds since the Unix
// epoch. A slot is its place in `slot_names`. A log whose writer was killed may end within a block;
// everything else that does not fit is damage.
#ifndef MIRBFT_LOG_FORMAT_HPP
#define MIRBFT_LOG_FORMAT_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/engine/module_description.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/crc32c.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/little_endian.hpp>

namespace mirbft::log_format {

/// Not ASCII at first, a line end at last: neither a text nor what a text-mode copy leaves of it.
inline constexpr std::array<std::uint8_t, 8> magic{0x89, 'm', 'i', 'r', 'l', 'o', 'g', '\n'};
inline constexpr std::uint32_t version = 2;
inline constexpr std::size_t prologue_size = magic.size() + sizeof version;

/// A list longer than this is cut into several blocks, none of which is much longer.
inline constexpr std::size_t block_target = std::size_t{1} << 20;

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
enum class Kind : std::uint16_t { preamble = 1, list = 2 };

/// What stands before a block's content.
struct BlockHeader {
  static constexpr std::size_t size = 32;

  std::uint32_t length = 0;
  Kind kind = Kind::preamble;
  /// Place of the slot that the list was dispatched to.
  std::uint16_t slot = 0;
  /// Index of the first event.
  std::uint64_t first = 0;
  /// When the list was dispatched, in nanoseconds since the Unix epoch.
  std::uint64_t time = 0;
  /// Of the content.
  std::uint32_t checksum = 0;

  void store(std::uint8_t* to) const noexcept {
    std::uint8_t* at = to;
    put(at, length);
    put(at, static_cast<std::uint16_t>(kind));
    put(at, slot);
    put(at, first);
    put(at, time);
    put(at, checksum);
    put(at, crc32c({to, size - sizeof(std::uint32_t)}));
  }

  /// Nothing if the header's own checksum does not hold.
  static std::optional<BlockHeader> load(const std::uint8_t* from) noexcept {
    const std::uint8_t* at = from;
    BlockHeader header;
    header.length = get<std::uint32_t>(at);
    header.kind = Kind{get<std::uint16_t>(at)};
    header.slot = get<std::uint16_t>(at);
    header.first = get<std::uint64_t>(at);
    header.time = get<std::uint64_t>(at);
    header.checksum = get<std::uint32_t>(at);
    if (get<std::uint32_t>(at) != crc32c({from, size - sizeof(std::uint32_t)})) return {};
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

// Events for the write-ahead log.
#ifndef MIRBFT_EVENTS_WAL_HPP
#define MIRBFT_EVENTS_WAL_HPP

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/events/event.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/reflect.hpp>

namespace mirbft {

/// An entry of the log as it comes back on start, to the module that wrote it.
template <class Entry>
struct WalEntry {
  using origin_type = Entry;
  static constexpr auto destination = Entry::module;
  static constexpr std::uint32_t number = family_number(10, Entry::number);

  Entry entry;
};

/// Makes an entry durable; follow-ups run after the sync. `Entry` names the `module` that gets it
/// back, and its own stable `number`.
template <class Entry>
struct WalAppend {
  using origin_type = Entry;
  static constexpr auto destination = slot::wal;
  static constexpr std::uint32_t number = family_number(9, Entry::number);
  using answer = WalEntry<Entry>;

  Entry entry;
  /// The entry may be dropped once the log is truncated at a higher index.
  RetentionIndex retention;
};

/// Drops every entry with a retention index below `index`.
struct WalTruncate {
  static constexpr auto destination = slot::wal;
  static constexpr std::uint32_t number = 16;

  RetentionIndex index;
};

}  // namespace mirbft

MIRBFT_ADAPT_TEMPLATE(mirbft::WalEntry, entry);
MIRBFT_ADAPT_TEMPLATE(mirbft::WalAppend, entry, retention);
BOOST_HANA_ADAPT_STRUCT(mirbft::WalTruncate, index);

#endif

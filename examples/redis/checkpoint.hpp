// The database as it was at the last checkpoint, in chunks.
#ifndef MIRBFT_EXAMPLES_REDIS_CHECKPOINT_HPP
#define MIRBFT_EXAMPLES_REDIS_CHECKPOINT_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/modules/app/key_value_chunks.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/frozen_chunks.hpp>
#include <mirbft/wire/codec.hpp>

#include "keyspace.hpp"
#include "numbers.hpp"

namespace redis {

/// What is part of the state besides the keys.
struct CheckpointHeader {
  std::int64_t now = 0;
  std::uint64_t random = 0;
};

/// A key and a part of what it holds. `type` is the place in `Value`; the items of a hash are
/// fields and values in turn, those of a sorted set members and scores.
struct StoredEntry {
  std::uint32_t database = 0;
  mirbft::Bytes key;
  std::uint32_t type = 0;
  std::optional<std::int64_t> expires;
  std::vector<mirbft::Bytes> items;
};

}  // namespace redis

BOOST_HANA_ADAPT_STRUCT(redis::CheckpointHeader, now, random);
BOOST_HANA_ADAPT_STRUCT(redis::StoredEntry, database, key, type, expires, items);

namespace redis {

namespace detail {

/// The value as items, in the order from which `value_of` makes the same again.
struct Items {
  std::vector<mirbft::Bytes> items;

  void add(std::string_view text) { items.emplace_back(text); }
  void operator()(const std::string& value) { add(value); }
  void operator()(const List& list) {
    for (const std::string& element : list) add(element);
  }
  void operator()(const Set& set) {
    for (std::size_t at = 0; at < set.size(); ++at) add(set[at]);
  }
  void operator()(const Hash& hash) {
    for (const auto& [field, value] : hash) {
      add(field);
      add(value);
    }
  }
  void operator()(const SortedSet& set) {
    for (const auto& [score, member] : set.by_score()) {
      add(member);
      add(text_of(score));
    }
  }
};

/// None if there is no value of that type with such items.
inline std::optional<Value> value_of(std::uint32_t type, std::span<const mirbft::Bytes> items) {
  const bool in_pairs = type == 3 || type == 4;
  if (items.empty() || (in_pairs && items.size() % 2 != 0) || (type == 0 && items.size() != 1))
    return std::nullopt;
  switch (type) {
    case 0: return std::string(items[0].text());
    case 1: {
      List list;
      for (const mirbft::Bytes& item : items) list.emplace_back(item.text());
      return list;
    }
    case 2: {
      Set set;
      for (const mirbft::Bytes& item : items)
        if (!set.insert(item.text())) return std::nullopt;
      return set;
    }
    case 3: {
      Hash hash;
      for (std::size_t at = 0; at < items.size(); at += 2)
        if (!hash.emplace(items[at].text(), items[at + 1].text()).second) return std::nullopt;
      return hash;
    }
    case 4: {
      SortedSet set;
      for (std::size_t at = 0; at < items.size(); at += 2) {
        const auto score = parse_score(items[at + 1].text());
        if (!score || set.score(items[at].text())) return std::nullopt;
        set.set(items[at].text(), *score);
      }
      return set;
    }
    default: return std::nullopt;
  }
}

}  // namespace detail

/// Keeps what was last put of each key, encoded and cut into pages, as keys and values of a
/// `KeyValueChunks`: no value is too large for a chunk. What is encoded are parts of a value, since
/// there is a limit to what is decoded at one time. The data are held twice, and a checkpoint takes
/// time of the keys that have changed, with all that they hold.
class Checkpoint {
 public:
  static constexpr std::size_t page_size = 16 * 1024;
  /// A part has so many bytes of items, or one longer item, which is a string of 512 MiB at most.
  static constexpr std::size_t part_size = 1024 * 1024;

  static mirbft::ModuleFailure unreadable() {
    return mirbft::ModuleFailure("redis: the checkpoint cannot be read");
  }

  void put(const CheckpointHeader& header) {
    set(std::string(), mirbft::wire::encode(header).text());
  }
  /// The entry is null if the key is gone.
  void put(std::uint32_t database, std::string_view key, const Entry* entry) {
    const std::string stored = entry ? parts_of(database, key, *entry) : std::string();
    std::string_view rest = stored;
    for (std::uint32_t number = 0;; ++number) {
      const std::string name = page_name(database, key, number);
      if (rest.empty() && !pages_.erase(name)) return;
      if (rest.empty()) continue;
      set(name, rest.substr(0, page_size));
      rest.remove_prefix(std::min(page_size, rest.size()));
    }
  }

  // As in `IsChunkedApp`.

  mirbft::FrozenChunks freeze() { return pages_.freeze(); }
  mirbft::Bytes frozen(std::uint64_t number) { return pages_.frozen(number); }
  void restore(std::span<const mirbft::Bytes> chunks) { pages_.restore(chunks); }

  /// Both throw ModuleFailure if what was restored is no checkpoint.
  CheckpointHeader header() const {
    const auto page = pages_.find(std::string_view());
    if (!page) throw unreadable();
    return decoded<CheckpointHeader>(*page);
  }
  /// Calls `use(database, key, entry)` for all.
  template <class Use>
  void for_each(Use&& use) const {
    std::string whole;
    std::string first_name;
    std::uint32_t next = 0;
    const auto finish = [&] {
      if (whole.empty()) return;
      const StoredEntry stored = joined(whole);
      auto value = detail::value_of(stored.type, stored.items);
      if (!value || first_name != page_name(stored.database, stored.key.text(), 0))
        throw unreadable();
      use(stored.database, stored.key.text(), Entry{std::move(*value), stored.expires});
      whole.clear();
      next = 0;
    };
    pages_.for_each([&](std::string_view name, std::string_view page) {
      if (name.empty()) return;
      if (name.size() < number_size || page.empty()) throw unreadable();
      const std::string_view owner = name.substr(0, name.size() - number_size);
      if (next == 0 || !std::string_view(first_name).starts_with(owner) ||
          first_name.size() != name.size()) {
        finish();
        first_name = name;
      }
      if (name.substr(owner.size()) != number_text(next)) throw unreadable();
      ++next;
      whole += page;
    });
    finish();
  }

 private:
  static constexpr std::size_t number_size = 4;

  /// So that they are sorted as they count.
  static std::string number_text(std::uint32_t number) {
    std::string text(number_size, '\0');
    for (std::size_t at = number_size; at-- > 0; number >>= 8)
      text[at] = static_cast<char>(number & 255);
    return text;
  }
  static std::size_t number_of(std::string_view text) {
    std::size_t number = 0;
    for (const char digit : text.substr(0, number_size))
      number = number << 8 | static_cast<unsigned char>(digit);
    return number;
  }
  /// Each part with its length before it.
  static std::string parts_of(std::uint32_t database, std::string_view key, const Entry& entry) {
    detail::Items all;
    std::visit(all, entry.value);
    std::string text;
    for (auto item = all.items.begin(); item != all.items.end();) {
      StoredEntry part{database, mirbft::Bytes(key),
                       static_cast<std::uint32_t>(entry.value.index()), entry.expires, {}};
      for (std::size_t size = 0; item != all.items.end() && size < part_size; ++item) {
        size += item->size();
        part.items.push_back(std::move(*item));
      }
      const mirbft::Bytes encoded = mirbft::wire::encode(part);
      text += number_text(static_cast<std::uint32_t>(encoded.size()));
      text += encoded.text();
    }
    return text;
  }
  static StoredEntry joined(std::string_view parts) {
    std::optional<StoredEntry> whole;
    while (!parts.empty()) {
      const std::size_t size = number_of(parts);
      parts.remove_prefix(std::min(number_size, parts.size()));
      StoredEntry part = decoded<StoredEntry>(parts.substr(0, size));
      parts.remove_prefix(std::min(size, parts.size()));
      if (!whole) {
        whole = std::move(part);
        continue;
      }
      if (part.database != whole->database || part.key != whole->key ||
          part.type != whole->type || part.expires != whole->expires)
        throw unreadable();
      std::move(part.items.begin(), part.items.end(), std::back_inserter(whole->items));
    }
    return std::move(whole).value();
  }

  /// The key's length stands before it: no key's pages lie among another's.
  static std::string page_name(std::uint32_t database, std::string_view key,
                               std::uint32_t number) {
    return number_text(database) + number_text(static_cast<std::uint32_t>(key.size())) +
           std::string(key) + number_text(number);
  }
  template <class T>
  static T decoded(std::string_view text) {
    // A quorum vouches for the state, so it may be as large as it is.
    const mirbft::wire::Limits limits{.memory = std::numeric_limits<std::size_t>::max()};
    auto value = mirbft::wire::decode<T>(mirbft::Bytes(text), mirbft::wire::Form::canonical,
                                         limits);
    if (!value) throw unreadable();
    return std::move(*value);
  }
  /// What stays the same makes no chunk change.
  void set(const std::string& name, std::string_view page) {
    if (pages_.find(name) != page) pages_.set(name, page);
  }

  mirbft::KeyValueChunks pages_;
};

}  // namespace redis

#endif

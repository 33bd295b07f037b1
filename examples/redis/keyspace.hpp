// The keys of one numbered database: what they hold, until when, and which of them have changed.
#ifndef MIRBFT_EXAMPLES_REDIS_KEYSPACE_HPP
#define MIRBFT_EXAMPLES_REDIS_KEYSPACE_HPP

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <sodium.h>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/little_endian.hpp>

#include "value.hpp"

namespace redis {

/// Milliseconds since 1970, by the clock of the database.
using Time = std::int64_t;

/// SipHash with a key that all replicas have, and everybody may know: it need not be a secret, but
/// nobody can find many names with one hash, as one can for simpler ones.
inline std::uint64_t hash_of(std::string_view name) {
  static constexpr std::array<std::uint8_t, crypto_shorthash_KEYBYTES> key{};
  std::array<std::uint8_t, crypto_shorthash_BYTES> hash{};
  crypto_shorthash(hash.data(), mirbft::bytes_of(name).data(), name.size(), key.data());
  const std::uint8_t* at = hash.data();
  return mirbft::little_endian::get<std::uint64_t>(at);
}

/// A key with its hash, which orders them: SCAN's cursor is the hash of the key where it goes on,
/// so it needs no memory of scans, and misses no key that is there all the time.
template <class Text>
struct HashedKey {
  std::uint64_t hash;
  Text text;

  explicit HashedKey(std::string_view key) : hash(hash_of(key)), text(key) {}
  template <class Other>
  explicit HashedKey(const HashedKey<Other>& other) : hash(other.hash), text(other.text) {}
};
using Key = HashedKey<std::string>;
using KeyView = HashedKey<std::string_view>;

/// Keys by hash, then by their bytes.
struct KeyOrder {
  using is_transparent = void;
  template <class Left, class Right>
  bool operator()(const HashedKey<Left>& left, const HashedKey<Right>& right) const noexcept {
    return left.hash != right.hash ? left.hash < right.hash : left.text < right.text;
  }
  template <class Text>
  bool operator()(const HashedKey<Text>& left, std::uint64_t hash) const noexcept {
    return left.hash < hash;
  }
};

/// What a key holds. A key whose time is over is erased when the clock moves on.
struct Entry {
  Value value;
  std::optional<Time> expires;
};

/// One database. Whatever may change an entry is known as changed until `take_changed`.
class Keyspace {
 public:
  using Entries = std::map<Key, Entry, KeyOrder>;
  using Changed = std::set<Key, KeyOrder>;

  /// Null if there is no such key. Both are valid until the key is erased.
  const Entry* find(std::string_view key) const {
    const auto at = entries_.find(KeyView(key));
    return at == entries_.end() ? nullptr : &at->second;
  }
  Entry* change(std::string_view key) {
    const auto at = entries_.find(KeyView(key));
    if (at == entries_.end()) return nullptr;
    changed_.insert(at->first);
    return &at->second;
  }
  /// Puts a value in the place of what there is, which keeps its time.
  Entry& put(std::string_view key, Value value) {
    const auto [at, is_new] = entries_.try_emplace(Key(key));
    at->second.value = std::move(value);
    changed_.insert(at->first);
    return at->second;
  }
  /// Returns whether there was such a key.
  bool erase(std::string_view key) {
    const auto at = entries_.find(KeyView(key));
    if (at == entries_.end()) return false;
    erase(at);
    return true;
  }
  void clear() {
    while (!entries_.empty()) erase(entries_.begin());
  }
  /// There must be such a key.
  void expire_at(std::string_view key, std::optional<Time> when) {
    const auto at = entries_.find(KeyView(key));
    forget_time(*at);
    at->second.expires = when;
    if (when) times_.emplace(*when, at->first);
    changed_.insert(at->first);
  }
  /// Erases the keys whose time lies before `now`.
  void expire(Time now) {
    while (!times_.empty() && times_.begin()->first < now)
      erase(entries_.find(times_.begin()->second));
  }

  std::size_t size() const noexcept { return entries_.size(); }
  const Entries& entries() const noexcept { return entries_; }
  /// The keys that may have changed, or gone, since the last time.
  Changed take_changed() { return std::exchange(changed_, {}); }

 private:
  struct TimeOrder {
    bool operator()(const std::pair<Time, Key>& left,
                    const std::pair<Time, Key>& right) const noexcept {
      return left.first != right.first ? left.first < right.first
                                       : KeyOrder()(left.second, right.second);
    }
  };

  void forget_time(const Entries::value_type& entry) {
    if (entry.second.expires) times_.erase({*entry.second.expires, entry.first});
  }
  void erase(Entries::iterator at) {
    forget_time(*at);
    changed_.insert(at->first);
    entries_.erase(at);
  }

  Entries entries_;
  std::set<std::pair<Time, Key>, TimeOrder> times_;
  Changed changed_;
};

}  // namespace redis

#endif

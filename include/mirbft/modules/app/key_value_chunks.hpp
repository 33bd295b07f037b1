// Keys and values in chunks of bounded size, of which a checkpoint takes those that have changed.
#ifndef MIRBFT_MODULES_APP_KEY_VALUE_CHUNKS_HPP
#define MIRBFT_MODULES_APP_KEY_VALUE_CHUNKS_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/frozen_chunks.hpp>

namespace mirbft {

/// A sorted map, cut into ranges of keys; a range is a chunk. One that grows too large is cut in
/// two, one that shrinks joins those beside it: by sizes alone, so that the same changes in the
/// same order always give the same chunks. Ranges and not hashes of keys: no choice of keys can
/// make a chunk larger than its limit, unless it has but one key.
///
/// While a frozen chunk waits to be read, a change keeps the entry as it was beside it.
class KeyValueChunks {
 public:
  /// Where a chunk is cut. Much less than a chunk may have, since a single changed key makes a
  /// whole chunk be written again.
  static constexpr std::size_t max_size = 64 * 1024;

  KeyValueChunks() { add(std::string()); }
  KeyValueChunks(KeyValueChunks&&) = default;
  KeyValueChunks& operator=(KeyValueChunks&&) = default;

  /// None if there is no such key. Valid until the next change.
  std::optional<std::string_view> find(std::string_view key) const {
    const Entries& entries = std::prev(ranges_.upper_bound(key))->second.entries;
    const auto found = entries.find(key);
    return found == entries.end() ? std::nullopt : std::optional<std::string_view>(found->second);
  }
  void set(std::string_view key, std::string_view value) {
    const auto range = std::prev(ranges_.upper_bound(key));
    Chunk& chunk = range->second;
    const auto place = chunk.entries.lower_bound(key);
    if (place != chunk.entries.end() && place->first == key) {
      touch(chunk, key, &place->second);
      chunk.size -= place->second.size();
      chunk.size += value.size();
      place->second = value;
    } else {
      touch(chunk, key, nullptr);
      chunk.size += size_of(key, value);
      chunk.entries.emplace_hint(place, key, value);
      ++size_;
    }
    if (chunk.size > max_size) {
      cut(chunk);
    } else if (chunk.size < max_size / 8) {
      join(range);
    }
  }
  /// Returns whether there was such a key.
  bool erase(std::string_view key) {
    const auto range = std::prev(ranges_.upper_bound(key));
    Chunk& chunk = range->second;
    const auto found = chunk.entries.find(key);
    if (found == chunk.entries.end()) return false;
    touch(chunk, key, &found->second);
    chunk.size -= size_of(found->first, found->second);
    chunk.entries.erase(found);
    --size_;
    if (chunk.size < max_size / 8) join(range);
    return true;
  }
  std::size_t size() const noexcept { return size_; }
  /// Calls `use(key, value)` for all, by ascending key.
  template <class Use>
  void for_each(Use&& use) const {
    for (const auto& [low, chunk] : ranges_)
      for (const auto& [key, value] : chunk.entries) use(key, value);
  }

  // As in `IsChunkedApp`.

  FrozenChunks freeze() {
    FrozenChunks frozen{by_number_.size(), {}};
    for (std::uint64_t number = 0; number < frozen.count; ++number)
      if (changed_[number]) frozen.changed.push_back(number);
    changed_.assign(frozen.count, false);
    saved_.clear();
    ++generation_;
    return frozen;
  }
  Bytes frozen(std::uint64_t number) {
    const auto saved = saved_.extract(number);
    return saved ? std::move(saved.mapped()) : thaw(*by_number_[number]);
  }
  /// Throws ModuleFailure; then nothing has changed.
  void restore(std::span<const Bytes> chunks) {
    KeyValueChunks read;
    read.ranges_.clear();
    read.by_number_.clear();
    read.changed_.clear();
    for (const Bytes& chunk : chunks) read.read(chunk);
    if (!read.is_sound()) throw unreadable();
    read.changed_.assign(read.by_number_.size(), false);
    read.generation_ += 2;  // the chunks were changed long ago
    *this = std::move(read);
  }

 private:
  using Entries = std::map<std::string, std::string, std::less<>>;
  /// Entries as they were at the last `freeze`; none where there was none.
  using Before = std::map<std::string, std::optional<std::string>, std::less<>>;

  struct Chunk {
    std::string low;
    std::uint64_t number = 0;
    Entries entries;
    /// In bytes, encoded.
    std::size_t size = 0;
    /// Between which calls of `freeze` it was last changed, and last read.
    std::uint64_t changed_in = 0;
    std::uint64_t read_in = 0;
    /// While it is changed after a `freeze`, and waits to be read: what it was.
    std::optional<Before> before;
    std::size_t frozen_size = 0;
  };
  using Ranges = std::map<std::string, Chunk, std::less<>>;

  static constexpr std::size_t length_size = 4;
  static std::size_t size_of(std::string_view key, std::string_view value) noexcept {
    return 2 * length_size + key.size() + value.size();
  }
  static ModuleFailure unreadable() {
    return ModuleFailure("key-value store: the chunks cannot be read");
  }

  // Changes.

  Chunk& add(std::string low) {
    Chunk& chunk = ranges_[low];
    chunk.low = std::move(low);
    chunk.number = by_number_.size();
    chunk.size = length_size + chunk.low.size();
    chunk.changed_in = generation_;
    by_number_.push_back(&chunk);
    changed_.push_back(true);
    return chunk;
  }
  /// The chunk is about to change. That it is frozen is noted here, and not for all at `freeze`.
  void mark(Chunk& chunk) {
    if (chunk.changed_in == generation_) return;
    if (chunk.changed_in + 1 == generation_ && chunk.read_in != generation_) {
      chunk.before.emplace();
      chunk.frozen_size = chunk.size;
    }
    chunk.changed_in = generation_;
    changed_[chunk.number] = true;
  }
  /// An entry is about to change: `value` is what there is now, if there is.
  void touch(Chunk& chunk, std::string_view key, const std::string* value) {
    mark(chunk);
    if (!chunk.before || chunk.before->contains(key)) return;
    chunk.before->emplace(key, value ? std::optional<std::string>(*value) : std::nullopt);
  }
  /// The chunk is about to change as a whole: what is frozen of it is written now.
  void settle(Chunk& chunk) {
    mark(chunk);
    if (chunk.before) saved_.emplace(chunk.number, thaw(chunk));
  }

  /// Moves the upper half to a new chunk, and goes on while the rest is too large. One entry alone
  /// has made it so: the half that does not end with it is small enough.
  void cut(Chunk& chunk) {
    while (chunk.size > max_size && chunk.entries.size() > 1) {
      settle(chunk);
      std::size_t lower = 0;
      auto first = chunk.entries.begin();
      do {
        lower += size_of(first->first, first->second);
        ++first;
      } while (lower < chunk.size / 2 && std::next(first) != chunk.entries.end());
      Chunk& upper = add(first->first);
      while (first != chunk.entries.end()) {
        const std::size_t moved = size_of(first->first, first->second);
        chunk.size -= moved;
        upper.size += moved;
        upper.entries.insert(upper.entries.end(), chunk.entries.extract(first++));
      }
    }
  }
  /// A small range and those beside it become one, as far as they are small enough together.
  void join(Ranges::iterator range) {
    if (const auto next = std::next(range); next != ranges_.end()) join_left(next);
    join_left(range);
  }
  /// A range becomes part of the one before it, if both are small enough together. The last
  /// number takes the place of the one that goes.
  void join_left(Ranges::iterator range) {
    if (range == ranges_.begin()) return;
    Chunk& gone = range->second;
    Chunk& left = std::prev(range)->second;
    const std::size_t moved = gone.size - length_size - gone.low.size();
    if (left.size + moved > max_size / 2) return;
    settle(gone);
    settle(left);
    left.size += moved;
    left.entries.merge(gone.entries);
    Chunk& last = *by_number_.back();
    settle(last);
    last.number = gone.number;
    by_number_[last.number] = &last;
    by_number_.pop_back();
    changed_.pop_back();
    ranges_.erase(range);
  }

  // Chunks as bytes: lengths and strings, the range's lower bound first.

  class Writer {
   public:
    explicit Writer(std::uint8_t* at) noexcept : at_(at) {}
    void put(std::string_view text) noexcept {
      for (std::size_t place = 0; place < length_size; ++place)
        *at_++ = static_cast<std::uint8_t>(text.size() >> (8 * place));
      if (!text.empty()) std::memcpy(at_, text.data(), text.size());
      at_ += text.size();
    }

   private:
    std::uint8_t* at_;
  };

  /// The chunk as it was at `freeze`; it is read herewith.
  Bytes thaw(Chunk& chunk) {
    const bool is_changed = chunk.changed_in == generation_;
    const Before before = is_changed ? std::move(chunk.before).value() : Before();
    chunk.before.reset();
    chunk.read_in = generation_;
    return Bytes::filled(is_changed ? chunk.frozen_size : chunk.size, [&](std::uint8_t* at) {
      Writer writer(at);
      writer.put(chunk.low);
      const auto put_old = [&](const auto& old) {
        if (!old.second) return;
        writer.put(old.first);
        writer.put(*old.second);
      };
      auto old = before.begin();
      for (const auto& [key, value] : chunk.entries) {
        while (old != before.end() && old->first < key) put_old(*old++);
        if (old != before.end() && old->first == key) {
          put_old(*old++);
        } else {
          writer.put(key);
          writer.put(value);
        }
      }
      while (old != before.end()) put_old(*old++);
    });
  }

  /// Takes the next text off `rest`.
  static std::string_view take(std::string_view& rest) {
    std::size_t length = 0;
    if (rest.size() < length_size) throw unreadable();
    for (std::size_t place = 0; place < length_size; ++place)
      length |= std::size_t{static_cast<std::uint8_t>(rest[place])} << (8 * place);
    rest.remove_prefix(length_size);
    if (rest.size() < length) throw unreadable();
    const std::string_view text = rest.substr(0, length);
    rest.remove_prefix(length);
    return text;
  }
  void read(const Bytes& bytes) {
    std::string_view rest = bytes.text();
    const std::string_view low = take(rest);
    if (ranges_.find(low) != ranges_.end()) throw unreadable();
    Chunk& chunk = add(std::string(low));
    chunk.size = bytes.size();
    while (!rest.empty()) {
      const std::string_view key = take(rest);
      const std::string_view value = take(rest);
      if (key < low || (!chunk.entries.empty() && key <= chunk.entries.rbegin()->first))
        throw unreadable();
      chunk.entries.emplace_hint(chunk.entries.end(), key, value);
    }
    size_ += chunk.entries.size();
  }
  /// Whether the ranges begin at the first key that there can be, and none reaches into the next.
  bool is_sound() const {
    if (ranges_.empty() || !ranges_.begin()->first.empty()) return false;
    for (auto range = ranges_.begin(), next = std::next(range); next != ranges_.end();
         range = next++)
      if (!range->second.entries.empty() && range->second.entries.rbegin()->first >= next->first)
        return false;
    return true;
  }

  /// By lower bound. Its nodes stay where they are.
  Ranges ranges_;
  std::vector<Chunk*> by_number_;
  std::size_t size_ = 0;
  /// By number: whether it was changed since the last `freeze`, the calls of which are counted.
  std::vector<bool> changed_;
  std::uint64_t generation_ = 1;
  /// Frozen chunks that were changed as a whole before they were read.
  std::map<std::uint64_t, Bytes> saved_;
};

}  // namespace mirbft

#endif

// SPDX-License-Identifier: Apache-2.0
// Made from include/ by single_include/amalgamate.py: edit the headers there.
#ifndef MIRBFT_MIRBFT_HPP
#define MIRBFT_MIRBFT_HPP

// <mirbft/types/bytes.hpp>
// Immutable, shared, cheaply copied byte strings: what payloads travel in.

#include <algorithm>
#include <atomic>
#include <compare>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <new>
#include <span>
#include <string_view>
#include <utility>

namespace mirbft {

/// A view of bytes that somebody else owns.
using ByteView = std::span<const std::uint8_t>;

/// The bytes of a text, without copying.
inline ByteView bytes_of(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// An immutable byte string that shares its storage: copying and slicing never copy the bytes.
///
/// The reference count is intrusive and atomic, so values may cross threads. `std::shared_ptr` is
/// not used because its control block makes virtual calls on the way of every event.
class Bytes {
 public:
  Bytes() noexcept = default;

  explicit Bytes(ByteView content)
      : Bytes(filled(content.size(), [content](std::uint8_t* out) {
          if (!content.empty()) std::memcpy(out, content.data(), content.size());
        })) {}
  explicit Bytes(std::string_view text) : Bytes(bytes_of(text)) {}
  explicit Bytes(const char* text) : Bytes(std::string_view(text)) {}
  Bytes(std::initializer_list<std::uint8_t> content)
      : Bytes(ByteView(content.begin(), content.size())) {}

  /// A new string of `size` bytes that `fill(std::uint8_t*)` writes: for encoders, which know
  /// their length beforehand.
  template <class Fill>
  static Bytes filled(std::size_t size, Fill&& fill) {
    Bytes made;
    if (size == 0) return made;
    made.block_ = Block::allocate(size);
    made.data_ = made.block_->content();
    made.size_ = size;
    std::forward<Fill>(fill)(made.block_->content());
    return made;
  }

  Bytes(const Bytes& other) noexcept
      : block_(other.block_), data_(other.data_), size_(other.size_) {
    if (block_) block_->references.fetch_add(1, std::memory_order_relaxed);
  }
  Bytes(Bytes&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  Bytes& operator=(Bytes other) noexcept {
    std::swap(block_, other.block_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Bytes() {
    if (block_) block_->release();
  }

  const std::uint8_t* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  const std::uint8_t* begin() const noexcept { return data_; }
  const std::uint8_t* end() const noexcept { return data_ + size_; }
  std::uint8_t operator[](std::size_t place) const noexcept { return data_[place]; }

  ByteView view() const noexcept { return {data_, size_}; }
  std::string_view text() const noexcept {
    return {reinterpret_cast<const char*>(data_), size_};
  }

  /// The part `[offset, offset + length)`, cut at the end; shares the storage, and keeps all of it
  /// alive for as long as the slice lives.
  Bytes slice(std::size_t offset, std::size_t length) const noexcept {
    Bytes part(*this);
    offset = std::min(offset, size_);
    part.data_ = data_ + offset;
    part.size_ = std::min(length, size_ - offset);
    return part;
  }

  friend bool operator==(const Bytes& left, const Bytes& right) noexcept {
    return left.size_ == right.size_ &&
           (left.size_ == 0 || std::memcmp(left.data_, right.data_, left.size_) == 0);
  }
  friend std::strong_ordering operator<=>(const Bytes& left, const Bytes& right) noexcept {
    const std::size_t common = std::min(left.size_, right.size_);
    const int order = common == 0 ? 0 : std::memcmp(left.data_, right.data_, common);
    return order != 0 ? order <=> 0 : left.size_ <=> right.size_;
  }

 private:
  struct Block {
    std::atomic<std::uint32_t> references{1};

    static Block* allocate(std::size_t size) {
      return new (::operator new(sizeof(Block) + size)) Block;
    }
    std::uint8_t* content() noexcept { return reinterpret_cast<std::uint8_t*>(this + 1); }
    void release() noexcept {
      // A sole owner needs no locked instruction: nobody else can take a reference meanwhile.
      if (references.load(std::memory_order_acquire) == 1 ||
          references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        this->~Block();
        ::operator delete(this);
      }
    }
  };

  Block* block_ = nullptr;
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace mirbft

// <mirbft/types/client_position.hpp>
// Where a client stands with its request numbers, as a replica sees it.

#include <limits>

#include <boost/hana/adapt_struct.hpp>

// <mirbft/types/id.hpp>
// Strong integer types: a NodeId is not a SeqNr, and the compiler knows it.

namespace mirbft {

/// A 64-bit number of one kind. Two kinds (two `Tag`s) neither compare nor convert.
template <class Tag>
struct Id {
  std::uint64_t value = 0;

  constexpr Id() = default;
  explicit constexpr Id(std::uint64_t number) noexcept : value(number) {}

  friend constexpr auto operator<=>(const Id&, const Id&) = default;

  constexpr Id& operator++() noexcept {
    ++value;
    return *this;
  }
  friend constexpr Id operator+(Id id, std::uint64_t distance) noexcept {
    return Id(id.value + distance);
  }
  /// Distance between two numbers of a kind; wraps below zero, so compare first.
  friend constexpr std::uint64_t operator-(Id left, Id right) noexcept {
    return left.value - right.value;
  }
};

/// A replica, a member of the cluster.
using NodeId = Id<struct NodeTag>;
/// A client, whose requests are numbered by itself.
using ClientId = Id<struct ClientTag>;
/// A client's number for one of its requests; counts from 0.
using ReqNo = Id<struct ReqNoTag>;
/// Place in the total order; counts from 0, without gaps.
using SeqNr = Id<struct SeqNrTag>;
/// A run of consecutive sequence numbers with one set of leaders (ISS, section 2.3).
using Epoch = Id<struct EpochTag>;
/// Number of the primary's term in one segment (PBFT, section 4).
using View = Id<struct ViewTag>;
/// The write-ahead log may drop every entry whose retention index is below the truncation's.
using RetentionIndex = Id<struct RetentionIndexTag>;

}  // namespace mirbft

namespace mirbft {

/// No window ever holds this number: a request under it is refused, and the refusal says where the
/// client stands.
inline constexpr ReqNo never_valid{std::numeric_limits<std::uint64_t>::max()};

/// The result of a `Replied` with `rejected_window`, encoded by `wire::encode`.
struct ClientPosition {
  /// Every number below is delivered.
  ReqNo low;
  /// This number and those above it the replica has not seen.
  ReqNo next;

  friend bool operator==(const ClientPosition&, const ClientPosition&) = default;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::ClientPosition, low, next);

// <mirbft/types/client_window.hpp>
// Which request numbers of a client are open, and what a checkpoint allows to be forgotten.

#include <vector>

namespace mirbft {

/// A client's window at the start of an epoch: valid request numbers are `[low, low + W)`.
struct ClientWindow {
  ClientId client;
  ReqNo low;
  /// Bit i (byte i / 8, least significant first) is set when `low + i` is delivered already;
  /// numbers past the end are not.
  Bytes delivered;

  friend bool operator==(const ClientWindow&, const ClientWindow&) = default;

  bool is_delivered(ReqNo req_no) const noexcept {
    const std::uint64_t bit = req_no - low;
    return req_no < low || (bit / 8 < delivered.size() && ((delivered[bit / 8] >> (bit % 8)) & 1));
  }
};

/// What a stable checkpoint allows a store to forget.
struct Collection {
  /// Requests delivered at or before this sequence number.
  SeqNr through;
  /// Undelivered requests below their client's `low`; the bitmaps are not set here.
  std::vector<ClientWindow> windows;

  friend bool operator==(const Collection&, const Collection&) = default;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::ClientWindow, client, low, delivered);
BOOST_HANA_ADAPT_STRUCT(mirbft::Collection, through, windows);

// <mirbft/types/crc32c.hpp>
// CRC-32C (Castagnoli), the checksum of everything that lies on a disk.

#include <array>
#include <cstddef>

#if defined(__x86_64__) && defined(__GNUC__)
#define MIRBFT_DETAIL_CRC32C_INSTRUCTION 1
#endif

namespace mirbft {
namespace detail {

using Crc32cTables = std::array<std::array<std::uint32_t, 256>, 8>;

/// `tables[k][b]` is the remainder of byte `b` with `k` zero bytes after it.
constexpr Crc32cTables make_crc32c_tables() noexcept {
  constexpr std::uint32_t reflected_polynomial = 0x82f63b78;
  Crc32cTables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) rest = rest >> 1 ^ (rest & 1 ? reflected_polynomial : 0);
    tables[0][byte] = rest;
  }
  for (std::size_t zeros = 1; zeros < tables.size(); ++zeros)
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t shorter = tables[zeros - 1][byte];
      tables[zeros][byte] = shorter >> 8 ^ tables[0][shorter & 255];
    }
  return tables;
}
inline constexpr Crc32cTables crc32c_tables = make_crc32c_tables();

/// Eight bytes a step by eight table look-ups that do not wait for one another ("slicing by 8").
constexpr std::uint32_t crc32c_by_tables(ByteView bytes, std::uint32_t rest) noexcept {
  const Crc32cTables& tables = crc32c_tables;
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; at += 8, left -= 8) {
    rest ^= static_cast<std::uint32_t>(at[0]) | static_cast<std::uint32_t>(at[1]) << 8 |
            static_cast<std::uint32_t>(at[2]) << 16 | static_cast<std::uint32_t>(at[3]) << 24;
    rest = tables[7][rest & 255] ^ tables[6][rest >> 8 & 255] ^ tables[5][rest >> 16 & 255] ^
           tables[4][rest >> 24] ^ tables[3][at[4]] ^ tables[2][at[5]] ^ tables[1][at[6]] ^
           tables[0][at[7]];
  }
  for (; left != 0; ++at, --left) rest = rest >> 8 ^ tables[0][(rest ^ *at) & 255];
  return rest;
}

#ifdef MIRBFT_DETAIL_CRC32C_INSTRUCTION
/// The same with the processor's own instruction; call it only where SSE 4.2 is there.
__attribute__((target("sse4.2"))) inline std::uint32_t crc32c_by_instruction(
    ByteView bytes, std::uint32_t rest) noexcept {
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t wide = rest;
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    wide = __builtin_ia32_crc32di(wide, word);
  }
  rest = static_cast<std::uint32_t>(wide);
  for (; left != 0; ++at, --left) rest = __builtin_ia32_crc32qi(rest, *at);
  return rest;
}
#endif

}  // namespace detail

/// The CRC-32C of `bytes` (RFC 3720, appendix B.4). It continues: `crc32c(b, crc32c(a))` is the
/// checksum of `a` followed by `b`. Finds every burst of up to 32 wrong bits; it is no defence
/// against a person who means to deceive.
inline std::uint32_t crc32c(ByteView bytes, std::uint32_t before = 0) noexcept {
#ifdef MIRBFT_DETAIL_CRC32C_INSTRUCTION
  if (__builtin_cpu_supports("sse4.2")) return ~detail::crc32c_by_instruction(bytes, ~before);
#endif
  return ~detail::crc32c_by_tables(bytes, ~before);
}

}  // namespace mirbft

// <mirbft/types/digest.hpp>
// The result of a hash function.

#include <string>

namespace mirbft {

/// 32 bytes of a collision-resistant hash. All zero means "none yet".
struct Digest {
  static constexpr std::size_t size = 32;
  std::array<std::uint8_t, size> bytes{};

  friend constexpr auto operator<=>(const Digest&, const Digest&) = default;

  ByteView view() const noexcept { return bytes; }
};

/// Lower-case hexadecimal digits, for people.
inline std::string hex(ByteView bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const std::uint8_t byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}
inline std::string hex(const Digest& digest) { return hex(digest.view()); }

}  // namespace mirbft

// <mirbft/types/errors.hpp>
// The two ways in which a Node refuses to work: it was configured wrongly, or a part of it failed.

#include <stdexcept>

namespace mirbft {

/// A configuration that cannot work: which field, what stood there, which rule it breaks and how
/// to mend it. Thrown before anything starts. Programs print `what()` and exit with status 2.
class ConfigError : public std::invalid_argument {
 public:
  ConfigError(std::string field, std::string value, std::string rule)
      : std::invalid_argument(field + " = " + value + ": " + rule),
        field_(std::move(field)),
        value_(std::move(value)),
        rule_(std::move(rule)) {}

  const std::string& field() const noexcept { return field_; }
  const std::string& value() const noexcept { return value_; }
  const std::string& rule() const noexcept { return rule_; }

 private:
  std::string field_;
  std::string value_;
  std::string rule_;
};

/// A module that can no longer do its duty (disk full, divergence). Thrown by the module, caught
/// by the engine, which stops the Node and keeps the reason: half-working is not a state.
class ModuleFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace mirbft

// <mirbft/types/frame_class.hpp>
// What kind of thing a frame carries, and so how long it may be.

namespace mirbft {

/// The class of a message. When a peer's queue is full the later classes are dropped first.
enum class FrameClass : std::uint8_t { vote, batch, chunk, request };

inline constexpr std::size_t frame_classes = 4;

/// Longest payload of a class in bytes, checked before a receiver allocates.
constexpr std::size_t frame_limit(FrameClass kind) noexcept {
  constexpr std::size_t kib = 1024;
  switch (kind) {
    case FrameClass::vote: return 64 * kib;
    case FrameClass::batch: return 4096 * kib;
    case FrameClass::chunk: return 1024 * kib;
    case FrameClass::request: return 128 * kib;
  }
  return 0;
}

}  // namespace mirbft

// <mirbft/types/frozen_chunks.hpp>
// What a chunked App says of its state when a checkpoint is due.

namespace mirbft {

/// The chunks of an App's state at one sequence number. See `IsChunkedApp`.
struct FrozenChunks {
  /// They are numbered from 0 to `count - 1`.
  std::uint64_t count = 0;
  /// Those that were changed or added since the last time, ascending.
  std::vector<std::uint64_t> changed;
};

/// How large a chunk should be at most, and may be: it must fit a frame.
inline constexpr std::size_t good_chunk_size = 256 * 1024;
inline constexpr std::size_t max_chunk_size = 1024 * 1024 - 1024;
/// How many there may be: the list of their digests must fit a frame as well.
inline constexpr std::uint64_t max_chunks = 100'000;

}  // namespace mirbft

// <mirbft/types/number_map.hpp>
// An ordered map from numbers that mostly follow one another, as a client's request numbers do.

#include <iterator>
#include <map>
#include <optional>

namespace mirbft {

/// Entries stand on short sorted shelves of neighbouring numbers: a run costs about as much as an
/// array, and numbers that are chosen to hurt cost as much as in a `std::map`.
/// A pointer to an entry is valid until an entry is made or erased.
template <class T, std::uint64_t shelf_width = 64>
class NumberMap {
 public:
  bool empty() const noexcept { return shelves_.empty(); }

  /// One past the highest number of an entry; 0 when there is none.
  std::uint64_t end() const noexcept {
    if (empty()) return 0;
    const auto& items = shelves_.rbegin()->second.items;
    return std::find_if(items.rbegin(), items.rend(),
                        [](const Item& item) { return item.value.has_value(); })
               ->number +
           1;
  }

  /// The entry, or null when there is none.
  T* find(std::uint64_t number) noexcept {
    const auto shelf = shelves_.find(number / shelf_width);
    if (shelf == shelves_.end()) return nullptr;
    const auto item = shelf->second.place(number);
    const bool found = item != shelf->second.items.end() && item->number == number && item->value;
    return found ? &*item->value : nullptr;
  }

  /// The entry, default-made on first use.
  T& operator[](std::uint64_t number) {
    // Numbers mostly ascend, so that the shelf is the last one.
    Shelf& shelf = shelves_.try_emplace(shelves_.end(), number / shelf_width)->second;
    auto item = shelf.place(number);
    if (item == shelf.items.end() || item->number != number)
      item = shelf.items.insert(item, Item{number, std::nullopt});
    if (!item->value) {
      item->value.emplace();
      ++shelf.used;
    }
    return *item->value;
  }

  /// Erases the entry, if there is one, and returns it.
  std::optional<T> take(std::uint64_t number) {
    std::optional<T> taken;
    const auto shelf = shelves_.find(number / shelf_width);
    if (shelf == shelves_.end()) return taken;
    const auto item = shelf->second.place(number);
    if (item == shelf->second.items.end() || item->number != number || !item->value) return taken;
    taken = std::move(item->value);
    shelf->second.clear(*item);
    tidy(shelf);
    return taken;
  }

  /// Visits all entries in order, and erases those for which `drop(number, entry)` holds.
  template <class Drop>
  void erase_if(Drop&& drop) {
    for (auto shelf = shelves_.begin(); shelf != shelves_.end(); shelf = tidy(shelf))
      for (Item& item : shelf->second.items)
        if (item.value && drop(item.number, *item.value)) shelf->second.clear(item);
  }

 private:
  struct Item {
    std::uint64_t number = 0;
    /// Nothing once it is erased, so that the others need not move up each time.
    std::optional<T> value;
  };

  struct Shelf {
    std::vector<Item> items;
    std::size_t used = 0;

    /// The first item that is not below `number`.
    typename std::vector<Item>::iterator place(std::uint64_t number) noexcept {
      if (items.empty() || items.back().number < number) return items.end();
      // Where there are no gaps, an item stands as far behind the first as its number says.
      const std::uint64_t guess = number - items.front().number;
      if (guess < items.size() && items[guess].number == number)
        return items.begin() + static_cast<std::ptrdiff_t>(guess);
      return std::lower_bound(
          items.begin(), items.end(), number,
          [](const Item& item, std::uint64_t wanted) { return item.number < wanted; });
    }

    void clear(Item& item) noexcept {
      item.value.reset();
      --used;
    }
  };
  using Shelves = std::map<std::uint64_t, Shelf>;

  /// Gives back the memory of erased items once they are the greater part. Returns the next shelf.
  typename Shelves::iterator tidy(typename Shelves::iterator at) {
    Shelf& shelf = at->second;
    if (shelf.used == 0) return shelves_.erase(at);
    if (2 * shelf.used < shelf.items.size()) {
      std::erase_if(shelf.items, [](const Item& item) { return !item.value; });
      shelf.items.shrink_to_fit();
    }
    return std::next(at);
  }

  Shelves shelves_;
};

}  // namespace mirbft

// <mirbft/types/outcome.hpp>
// How the submission of a request ended.

namespace mirbft {

/// What became of a request. Only `delivered` carries a result; after `shut_down` it is unknown
/// whether the cluster delivers the request, so retry with the same number.
enum class Outcome : std::uint8_t {
  delivered,
  already_delivered,
  rejected_signature,
  rejected_size,
  rejected_window,
  rejected_conflict,
  overloaded,
  shut_down,
};

constexpr std::string_view to_string(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::delivered: return "delivered";
    case Outcome::already_delivered: return "already delivered";
    case Outcome::rejected_signature: return "rejected: the signature does not verify";
    case Outcome::rejected_size: return "rejected: the request is larger than the limit";
    case Outcome::rejected_window: return "rejected: the number is outside the client's window";
    case Outcome::rejected_conflict: return "rejected: the number holds another request";
    case Outcome::overloaded: return "overloaded: try again later";
    case Outcome::shut_down: return "the node shut down: outcome unknown";
  }
  return "unknown";
}

}  // namespace mirbft

// <mirbft/types/quorum.hpp>
// How many replicas must agree.

namespace mirbft {

/// What a faulty member may do: anything at all, or only stop (and come back with its disk).
enum class Faults : std::uint8_t { byzantine, crash };

/// The quorum sizes of a cluster of `members()`, of which `faulty()` may fail.
/// Never `2f+1`: with n = 6 two sets of three could be disjoint (protocol, section 0).
class Quorum {
 public:
  explicit constexpr Quorum(std::size_t members, Faults faults = Faults::byzantine) noexcept
      : members_(members), faults_(faults) {}

  constexpr std::size_t members() const noexcept { return members_; }
  /// f: how many members may fail. Fewer than a third, or fewer than half if they only stop.
  constexpr std::size_t faulty() const noexcept {
    return members_ == 0 ? 0 : (members_ - 1) / (faults_ == Faults::byzantine ? 3 : 2);
  }
  /// q: any two strong quorums share a member that does not lie.
  constexpr std::size_t strong() const noexcept { return (members_ + liars()) / 2 + 1; }
  /// w: a weak quorum holds at least one member that does not lie.
  constexpr std::size_t weak() const noexcept { return liars() + 1; }

 private:
  constexpr std::size_t liars() const noexcept {
    return faults_ == Faults::byzantine ? faulty() : 0;
  }

  std::size_t members_;
  Faults faults_;
};

}  // namespace mirbft

// <mirbft/types/reflect.hpp>
// Reflection of templates: what BOOST_HANA_ADAPT_STRUCT does for a struct, for all instances.

#include <boost/preprocessor/seq/for_each_i.hpp>
#include <boost/preprocessor/seq/enum.hpp>
#include <boost/preprocessor/seq/transform.hpp>
#include <boost/preprocessor/punctuation/comma_if.hpp>
#include <boost/preprocessor/stringize.hpp>
#include <boost/preprocessor/variadic/to_seq.hpp>

#define MIRBFT_DETAIL_NAME(r, data, member) BOOST_PP_STRINGIZE(member)
#define MIRBFT_DETAIL_ACCESSOR(r, Type, index, member)                                        \
  BOOST_PP_COMMA_IF(index)                                                                    \
  ::boost::hana::make_pair(                                                                   \
      ::boost::hana::struct_detail::prepare_member_name<index, member_names>(),               \
      ::boost::hana::struct_detail::member_ptr<decltype(&Type::member), &Type::member>{})

/// Reflects the members of `Name<Argument>` for every `Argument`; in the global namespace:
///
///     MIRBFT_ADAPT_TEMPLATE(mirbft::HashResult, digest, origin)
#define MIRBFT_ADAPT_TEMPLATE(Name, ...)                                                      \
  namespace boost::hana {                                                                     \
  template <class Argument>                                                                   \
  struct accessors_impl<Name<Argument>> {                                                     \
    using Adapted = Name<Argument>;                                                           \
    template <typename...>                                                                    \
    static constexpr auto apply() {                                                           \
      struct member_names {                                                                   \
        static constexpr auto get() {                                                         \
          return ::boost::hana::make_tuple(BOOST_PP_SEQ_ENUM(BOOST_PP_SEQ_TRANSFORM(          \
              MIRBFT_DETAIL_NAME, _, BOOST_PP_VARIADIC_TO_SEQ(__VA_ARGS__))));                \
        }                                                                                     \
      };                                                                                      \
      return ::boost::hana::make_tuple(BOOST_PP_SEQ_FOR_EACH_I(                               \
          MIRBFT_DETAIL_ACCESSOR, Adapted, BOOST_PP_VARIADIC_TO_SEQ(__VA_ARGS__)));           \
    }                                                                                         \
  };                                                                                          \
  }                                                                                           \
  static_assert(true, "a semicolon follows")

// <mirbft/types/request.hpp>
// What clients submit and what the protocol orders.

// <mirbft/types/shared.hpp>
// An immutable value with an intrusive reference count: large event fields are copied by pointer.

namespace mirbft {

/// Shared ownership of an immutable `T`. Never null: a default one holds a default `T`.
/// On the wire and in hashes it is the same as its `T`. May cross threads.
template <class T>
class Shared {
 public:
  using value_type = T;

  Shared() noexcept = default;
  explicit Shared(T value) : block_(new Block{{1}, std::move(value)}) {}

  Shared(const Shared& other) noexcept : block_(other.block_) {
    if (block_) block_->references.fetch_add(1, std::memory_order_relaxed);
  }
  Shared(Shared&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  Shared& operator=(Shared other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~Shared() {
    if (block_ && block_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete block_;
  }

  const T& operator*() const noexcept { return block_ ? block_->value : fallback(); }
  const T* operator->() const noexcept { return &**this; }

  friend bool operator==(const Shared& left, const Shared& right) {
    return left.block_ == right.block_ || *left == *right;
  }

 private:
  struct Block {
    std::atomic<std::uint32_t> references;
    T value;
  };
  static const T& fallback() noexcept {
    static const T value{};
    return value;
  }

  Block* block_ = nullptr;
};

}  // namespace mirbft

namespace mirbft {

/// A client's request as it arrives: its body and the client's signature over it.
struct Request {
  ClientId client;
  ReqNo req_no;
  Bytes data;
  Bytes authenticator;

  friend bool operator==(const Request&, const Request&) = default;
};

/// A request named by who, which and what; the protocol orders these and never sees a body.
struct RequestRef {
  ClientId client;
  ReqNo req_no;
  Digest digest;

  friend auto operator<=>(const RequestRef&, const RequestRef&) = default;
};

/// What is decided for one sequence number. Shared, since the proposal, the vote, the delivery
/// and the message all hold it.
using Batch = Shared<std::vector<RequestRef>>;

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::Request, client, req_no, data, authenticator);
BOOST_HANA_ADAPT_STRUCT(mirbft::RequestRef, client, req_no, digest);

// <mirbft/types/signature_check.hpp>
// What the check of a signature found.

namespace mirbft {

/// The verdict on one signature; everything but `valid` rejects, the kinds are for counters.
enum class SignatureCheck : std::uint8_t { valid, unknown_signer, malformed, invalid };

inline bool all_valid(const std::vector<SignatureCheck>& verdicts) {
  return std::all_of(verdicts.begin(), verdicts.end(),
                     [](SignatureCheck one) { return one == SignatureCheck::valid; });
}

}  // namespace mirbft

// <mirbft/types/sliding_window.hpp>
// A sparse array that slides forward: one entry for each number of a client's window.

#include <deque>
#include <memory>

namespace mirbft {

/// Entries for the numbers from `low()` up, made on first use, forgotten below `low()`.
/// Storage comes in chunks, so memory follows what is used and not how wide the window is.
/// The caller checks that a number is inside its window before it calls `at`.
template <class T, std::size_t ChunkSize = 128>
class SlidingWindow {
 public:
  std::uint64_t low() const noexcept { return low_; }

  /// The entry, or null when it was never made or lies below `low()`.
  T* find(std::uint64_t number) noexcept {
    if (number < low_) return nullptr;
    const std::uint64_t place = number / ChunkSize - first_chunk_;
    if (place >= chunks_.size() || !chunks_[place]) return nullptr;
    return &(*chunks_[place])[number % ChunkSize];
  }
  const T* find(std::uint64_t number) const noexcept {
    return const_cast<SlidingWindow*>(this)->find(number);
  }

  /// The entry, default-made on first use. Requires `number >= low()`.
  T& at(std::uint64_t number) {
    const std::uint64_t place = number / ChunkSize - first_chunk_;
    if (place >= chunks_.size()) chunks_.resize(place + 1);
    if (!chunks_[place]) chunks_[place] = std::make_unique<Chunk>();
    return (*chunks_[place])[number % ChunkSize];
  }

  /// Forgets every number below `low`; entries that share a chunk with it are reset.
  void advance(std::uint64_t low) {
    if (low <= low_) return;
    while (!chunks_.empty() && (first_chunk_ + 1) * ChunkSize <= low) {
      chunks_.pop_front();
      ++first_chunk_;
    }
    if (chunks_.empty()) first_chunk_ = low / ChunkSize;
    if (!chunks_.empty() && chunks_.front()) {
      const std::uint64_t start = first_chunk_ * ChunkSize;
      for (std::uint64_t i = low_ > start ? low_ - start : 0; i < low - start; ++i)
        (*chunks_.front())[i] = T{};
    }
    low_ = low;
  }

  /// Calls `visit(number, entry)` for every entry of every chunk in use, in order.
  template <class Visit>
  void for_each(Visit&& visit) {
    for (std::size_t place = 0; place < chunks_.size(); ++place) {
      if (!chunks_[place]) continue;
      for (std::size_t i = 0; i < ChunkSize; ++i) {
        const std::uint64_t number = (first_chunk_ + place) * ChunkSize + i;
        if (number >= low_) visit(number, (*chunks_[place])[i]);
      }
    }
  }

 private:
  using Chunk = std::array<T, ChunkSize>;

  std::uint64_t low_ = 0;
  std::uint64_t first_chunk_ = 0;
  std::deque<std::unique_ptr<Chunk>> chunks_;
};

}  // namespace mirbft

// <mirbft/types/visit.hpp>
// Visiting a variant without calls through pointers.

#include <variant>

namespace mirbft {

/// Calls `visit(alternative)` for the alternative that `variant` holds: a fold over the indices,
/// which the compilers turn into one jump table. `std::visit` would call through pointers.
template <class Visit, class... Es>
constexpr void visit_alternative(std::variant<Es...>& variant, Visit&& visit) {
  const std::size_t index = variant.index();
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (void)((index == I && (visit(*std::get_if<I>(&variant)), true)) || ...);
  }(std::index_sequence_for<Es...>{});
}
template <class Visit, class... Es>
constexpr void visit_alternative(const std::variant<Es...>& variant, Visit&& visit) {
  const std::size_t index = variant.index();
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (void)((index == I && (visit(*std::get_if<I>(&variant)), true)) || ...);
  }(std::index_sequence_for<Es...>{});
}

}  // namespace mirbft

// <mirbft/wire/canonical.hpp>
// The bytes of a value that are hashed and signed: one fixed encoding, injective by construction.
//
// Every part says where it ends, so two different values of a type never give the same bytes, and
// a domain tag keeps a signature over one thing from being taken for a signature over another.

// <mirbft/wire/choice.hpp>
// Variants: the field numbers of their alternatives, and visiting without a table of functions.

#include <type_traits>

// <mirbft/wire/kind.hpp>
// What a C++ type is on the wire: a number, a byte string, a message, or a repetition of these.

#include <chrono>
#include <concepts>

// <mirbft/wire/reflection.hpp>
// Walking over the members of a reflected struct. The only header of wire/ that knows Hana.

#include <boost/hana/accessors.hpp>
#include <boost/hana/concept/struct.hpp>
#include <boost/hana/pair.hpp>
#include <boost/hana/string.hpp>
#include <boost/hana/tuple.hpp>

namespace mirbft::wire {

/// A struct whose members are listed by BOOST_HANA_ADAPT_STRUCT or MIRBFT_ADAPT_TEMPLATE.
template <class T>
concept Reflected = boost::hana::Struct<T>::value;

/// The number of a member's field: its place, counted from 1.
template <std::uint32_t number>
using FieldNumber = std::integral_constant<std::uint32_t, number>;

namespace detail {

// Hana keeps the characters of a string in a variable that every translation unit has for itself;
// an inline function that names it cannot be linked into a program of two. These are shared.
template <class Name>
struct MemberName;
template <char... letters>
struct MemberName<boost::hana::string<letters...>> {
  static constexpr char text[] = {letters..., '\0'};
  static constexpr std::string_view value{text, sizeof...(letters)};
};

// Hana's algorithms would be instantiated once more for every struct; the packs of names and
// accessors are all that is needed, and matching them costs next to nothing.
template <class Accessors>
struct MemberList;

template <class... Name, class... Access>
struct MemberList<boost::hana::tuple<boost::hana::pair<Name, Access>...>> {
  static constexpr std::array<std::string_view, sizeof...(Name)> names{MemberName<Name>::value...};

  template <class T, class Visit, std::size_t... place>
  static constexpr void forward(T& value, Visit& visit, std::index_sequence<place...>) {
    (visit(FieldNumber<place + 1>{}, Access{}(value)), ...);
  }

  // A fold over `=` runs from the last operand to the first, since an assignment evaluates its
  // right side before its left.
  template <class T, class Visit, std::size_t... place>
  static constexpr void backward(T& value, Visit& visit, std::index_sequence<place...>) {
    [[maybe_unused]] int target = 0;
    static_cast<void>(((visit(FieldNumber<place + 1>{}, Access{}(value)), target) = ... = 0));
  }
};

template <Reflected T>
using Members = MemberList<std::remove_cv_t<decltype(boost::hana::accessors<T>())>>;

template <class T>
using Places = std::make_index_sequence<Members<T>::names.size()>;

}  // namespace detail

/// The members' names, in their order.
template <Reflected T>
inline constexpr auto& member_names = detail::Members<T>::names;

/// Calls `visit(FieldNumber<n>, member)` for every member, first to last.
template <class T, class Visit>
  requires Reflected<std::remove_const_t<T>>
constexpr void for_each_member(T& value, Visit&& visit) {
  using Plain = std::remove_const_t<T>;
  detail::Members<Plain>::forward(value, visit, detail::Places<Plain>{});
}

/// The same, last to first.
template <class T, class Visit>
  requires Reflected<std::remove_const_t<T>>
constexpr void for_each_member_backward(T& value, Visit&& visit) {
  using Plain = std::remove_const_t<T>;
  detail::Members<Plain>::backward(value, visit, detail::Places<Plain>{});
}

}  // namespace mirbft::wire

namespace mirbft::wire {

/// What a type is made into.
enum class Kind : std::uint8_t {
  number,   ///< integers, bool, enums, ids, durations: a varint
  blob,     ///< Bytes, std::string, Digest, byte arrays: length and content
  record,   ///< a reflected struct: a message
  choice,   ///< a variant: a message with one `oneof`
  list,     ///< a vector: a repeated field
  maybe,    ///< an optional: a field with explicit presence
  unknown,  ///< what cannot travel
};

namespace detail {

template <class T>
concept Character = std::same_as<T, char> || std::same_as<T, wchar_t> ||
                    std::same_as<T, char8_t> || std::same_as<T, char16_t> ||
                    std::same_as<T, char32_t>;

template <class T>
struct Category {
  static constexpr Kind kind = (std::is_integral_v<T> && !Character<T>) ? Kind::number
                               : std::is_enum_v<T>                      ? Kind::number
                               : Reflected<T>                           ? Kind::record
                                                                        : Kind::unknown;
};
template <class Tag>
struct Category<Id<Tag>> {
  static constexpr Kind kind = Kind::number;
};
template <std::signed_integral Rep, class Period>
struct Category<std::chrono::duration<Rep, Period>> {
  static constexpr Kind kind = Kind::number;
};

template <>
struct Category<Bytes> {
  static constexpr Kind kind = Kind::blob;
  static constexpr std::size_t fixed_size = 0;
};
template <>
struct Category<std::string> : Category<Bytes> {};
template <std::size_t size>
  requires(size > 0)
struct Category<std::array<std::uint8_t, size>> {
  static constexpr Kind kind = Kind::blob;
  static constexpr std::size_t fixed_size = size;
};
template <>
struct Category<Digest> : Category<std::array<std::uint8_t, Digest::size>> {};

template <class... Alternatives>
struct Category<std::variant<Alternatives...>> {
  static constexpr Kind kind = Kind::choice;
};
template <class Element>
struct Category<std::vector<Element>> {
  static constexpr Kind kind = Kind::list;
};
template <class Value>
struct Category<std::optional<Value>> {
  static constexpr Kind kind = Kind::maybe;
};
template <class Value>
struct Category<Shared<Value>> : Category<Value> {};

}  // namespace detail

/// The kind of `T`; a `Shared<T>` is what its `T` is.
template <class T>
inline constexpr Kind kind_of = detail::Category<T>::kind;

/// The length of a byte string that has only one, such as a Digest; 0 where it varies.
template <class T>
  requires(kind_of<T> == Kind::blob)
inline constexpr std::size_t fixed_size = detail::Category<T>::fixed_size;

template <class T>
inline constexpr bool is_shared = false;
template <class T>
inline constexpr bool is_shared<Shared<T>> = true;

/// Holds for what is a message of its own: structs and variants.
template <class T>
concept Message = kind_of<T> == Kind::record || kind_of<T> == Kind::choice;

/// Holds for what can be repeated or optional, or stand alone as a member.
template <class T>
concept Single = Message<T> || kind_of<T> == Kind::number || kind_of<T> == Kind::blob;

/// The varint of a number: negative ones as 64-bit two's complement, as protobuf has it.
template <class T>
constexpr std::uint64_t to_number(T value) noexcept {
  if constexpr (requires { value.count(); }) {
    return static_cast<std::uint64_t>(std::int64_t{value.count()});
  } else if constexpr (requires { value.value; }) {
    return value.value;
  } else if constexpr (std::is_enum_v<T>) {
    static_assert(sizeof(T) <= 4, "[mirbft] an enum travels as uint32: give it a shorter type");
    return static_cast<std::uint32_t>(value);
  } else if constexpr (std::is_signed_v<T>) {
    return static_cast<std::uint64_t>(std::int64_t{value});
  } else {
    return value;
  }
}

/// The inverse of `to_number`. False if `T` cannot hold the number, which is never cut to fit.
template <class T>
constexpr bool from_number(std::uint64_t number, T& value) noexcept {
  if constexpr (requires { value.count(); }) {
    value = T(static_cast<typename T::rep>(number));
  } else {
    value = static_cast<T>(number);
  }
  return to_number(value) == number;
}

inline ByteView view_of(const Bytes& blob) noexcept { return blob.view(); }
inline ByteView view_of(const std::string& blob) noexcept { return bytes_of(blob); }
inline ByteView view_of(const Digest& blob) noexcept { return blob.view(); }
template <std::size_t size>
ByteView view_of(const std::array<std::uint8_t, size>& blob) noexcept {
  return blob;
}

}  // namespace mirbft::wire

namespace mirbft::wire {

namespace detail {

template <class T>
struct Unshared {
  using type = T;
};
template <class T>
struct Unshared<Shared<T>> : Unshared<T> {};

template <class Alternative>
constexpr std::uint32_t alternative_number(std::size_t place) {
  using Plain = typename Unshared<Alternative>::type;
  if constexpr (std::is_same_v<Plain, std::monostate>) {
    return 0;
  } else if constexpr (requires { typename FieldNumber<std::uint32_t{Plain::number}>; }) {
    return Plain::number;
  } else {
    return static_cast<std::uint32_t>(place + 1);
  }
}

// Protobuf's range, without the numbers that it keeps for itself.
constexpr bool is_field_number(std::uint32_t number) {
  return number >= 1 && number < (1u << 29) && (number < 19000 || number > 19999);
}

template <class Variant>
struct ChoiceTraits;

template <class... Alternatives>
struct ChoiceTraits<std::variant<Alternatives...>> {
  static constexpr std::size_t count = sizeof...(Alternatives);
  static constexpr bool may_be_empty = (std::is_same_v<Alternatives, std::monostate> || ...);
  static constexpr std::array<std::uint32_t, count> numbers = [] {
    std::array<std::uint32_t, count> made{};
    std::size_t place = 0;
    ((made[place] = alternative_number<Alternatives>(place), ++place), ...);
    return made;
  }();

  static constexpr bool numbers_are_valid() {
    std::array<std::uint32_t, count> sorted = numbers;
    std::sort(sorted.begin(), sorted.end());
    return std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end() &&
           std::all_of(sorted.begin() + may_be_empty, sorted.end(), is_field_number);
  }

  static_assert(((Message<Alternatives> || std::is_same_v<Alternatives, std::monostate>) && ...),
                "[mirbft] an alternative of a variant that travels is no message: make it a "
                "reflected struct");
  static_assert(!may_be_empty || numbers[0] == 0,
                "[mirbft] std::monostate stands for nothing set: put it first in the variant");
  static_assert(numbers_are_valid(),
                "[mirbft] two alternatives of a variant have the same field number, or one that "
                "protobuf does not allow: change their `number`");
};

}  // namespace detail

/// The field numbers of a variant's alternatives: `number` where an alternative declares one, else
/// its place counted from 1; 0 for std::monostate.
template <class Variant>
inline constexpr auto& alternative_numbers = detail::ChoiceTraits<Variant>::numbers;

/// Holds if a variant may hold nothing (its first alternative is std::monostate).
template <class Variant>
inline constexpr bool may_be_empty = detail::ChoiceTraits<Variant>::may_be_empty;

/// The field number of what a variant holds; 0 for nothing.
template <class... Alternatives>
constexpr std::uint32_t held_number(const std::variant<Alternatives...>& value) {
  using Traits = detail::ChoiceTraits<std::variant<Alternatives...>>;
  return value.valueless_by_exception() ? 0 : Traits::numbers[value.index()];
}

/// Calls `visit(field number, alternative)` for what the variant holds, and not at all for
/// std::monostate. Not std::visit, whose table of functions the optimiser cannot see through.
template <class... Alternatives, class Visit>
constexpr void visit_choice(const std::variant<Alternatives...>& value, Visit&& visit) {
  using Traits = detail::ChoiceTraits<std::variant<Alternatives...>>;
  const auto visit_one = [&](std::size_t place, const auto* held) {
    if constexpr (!std::is_same_v<decltype(held), const std::monostate*>) {
      visit(Traits::numbers[place], *held);
    }
  };
  const std::size_t index = value.index();
  [&]<std::size_t... place>(std::index_sequence<place...>) {
    static_cast<void>(
        ((index == place && (visit_one(place, std::get_if<place>(&value)), true)) || ...));
  }(std::index_sequence_for<Alternatives...>{});
}

}  // namespace mirbft::wire

namespace mirbft::wire {

namespace detail {

class CanonicalCounter {
 public:
  std::size_t size() const noexcept { return size_; }
  void number(std::uint64_t) noexcept { size_ += 8; }
  void raw(ByteView content) noexcept { size_ += content.size(); }

 private:
  std::size_t size_ = 0;
};

class CanonicalWriter {
 public:
  explicit CanonicalWriter(std::uint8_t* begin) noexcept : at_(begin) {}

  void number(std::uint64_t value) noexcept {
    for (int place = 0; place < 8; ++place) {
      at_[place] = static_cast<std::uint8_t>(value >> (8 * place));
    }
    at_ += 8;
  }
  void raw(ByteView content) noexcept {
    if (content.empty()) return;
    std::memcpy(at_, content.data(), content.size());
    at_ += content.size();
  }

 private:
  std::uint8_t* at_;
};

template <class Sink>
void put_delimited(Sink& out, ByteView content) {
  out.number(content.size());
  out.raw(content);
}

template <class Sink, class T>
void put_canonical(Sink& out, const T& value) {
  if constexpr (kind_of<T> == Kind::unknown) {
    static_assert(kind_of<T> != Kind::unknown,
                  "[mirbft] a value of this type has no canonical bytes: use integers, enums, ids, "
                  "durations, Bytes, std::string, byte arrays, reflected structs, variants, "
                  "vectors and optionals");
  } else if constexpr (is_shared<T>) {
    put_canonical(out, *value);
  } else if constexpr (kind_of<T> == Kind::number) {
    out.number(to_number(value));
  } else if constexpr (kind_of<T> == Kind::blob) {
    if constexpr (fixed_size<T> == 0) out.number(value.size());
    out.raw(view_of(value));
  } else if constexpr (kind_of<T> == Kind::record) {
    for_each_member(value, [&](auto, const auto& member) { put_canonical(out, member); });
  } else if constexpr (kind_of<T> == Kind::choice) {
    out.number(held_number(value));
    visit_choice(value, [&](std::uint32_t, const auto& held) { put_canonical(out, held); });
  } else if constexpr (kind_of<T> == Kind::maybe) {
    out.number(value.has_value());
    if (value) put_canonical(out, *value);
  } else {
    out.number(value.size());
    for (const auto& element : value) put_canonical(out, element);
  }
}

}  // namespace detail

/// What is hashed or signed to state `value`: the domain tag, the cluster's id and the value, each
/// with its length in front. All numbers are 8 bytes, little-endian; byte strings and vectors have
/// their length in front, fixed arrays do not; an optional has 0 or 1 in front, a variant the
/// field number of its alternative; a struct is its members in their order.
///
/// A domain names one purpose and one type, and changes with the type.
template <class T>
Bytes canonical(std::string_view domain, ByteView cluster_id, const T& value) {
  detail::CanonicalCounter value_counter;
  detail::put_canonical(value_counter, value);
  const std::size_t size = 3 * 8 + domain.size() + cluster_id.size() + value_counter.size();
  return Bytes::filled(size, [&](std::uint8_t* begin) {
    detail::CanonicalWriter writer(begin);
    detail::put_delimited(writer, bytes_of(domain));
    detail::put_delimited(writer, cluster_id);
    writer.number(value_counter.size());
    detail::put_canonical(writer, value);
  });
}

}  // namespace mirbft::wire

// <mirbft/wire/codec.hpp>
// Reflected structs to protobuf bytes and back.
//
//   wire::Bytes bytes = wire::encode(event);
//   std::optional<Event> event = wire::decode<Event>(bytes, wire::Form::canonical);
//
// The number of a field is the place of its member, from 1, so members are only ever appended.
// Which C++ type becomes which protobuf type is said in kind.hpp; schema.hpp prints the result.

// <mirbft/wire/decode.hpp>
// From protobuf bytes to a reflected struct: bounds-checked, limited, and never throwing.

// <mirbft/wire/encode.hpp>
// From a reflected struct to its protobuf bytes.

#include <google/protobuf/io/coded_stream.h>

// <mirbft/wire/tag.hpp>
// Protobuf's tags: the number of a field and how its value is laid out.

namespace mirbft::wire::detail {

inline constexpr std::uint32_t varint_type = 0;
inline constexpr std::uint32_t fixed64_type = 1;
inline constexpr std::uint32_t delimited_type = 2;
inline constexpr std::uint32_t group_type = 3;
inline constexpr std::uint32_t end_group_type = 4;
inline constexpr std::uint32_t fixed32_type = 5;

// No field has this tag, since there is no field number 0.
inline constexpr std::uint32_t end_tag = 0;

constexpr std::uint32_t make_tag(std::uint32_t number, std::uint32_t type) noexcept {
  return number << 3 | type;
}

// How one value of a member is laid out, whether it is alone, optional or repeated.
template <class T>
inline constexpr std::uint32_t wire_type = kind_of<T> == Kind::number ? varint_type
                                                                      : delimited_type;
template <class T>
inline constexpr std::uint32_t wire_type<std::optional<T>> = wire_type<T>;
template <class T>
inline constexpr std::uint32_t wire_type<std::vector<T>> = wire_type<T>;
template <class T>
inline constexpr std::uint32_t wire_type<Shared<T>> = wire_type<T>;

}  // namespace mirbft::wire::detail

namespace mirbft::wire {

namespace detail {

using google::protobuf::io::CodedOutputStream;

// Messages are written from their end to their beginning: a length stands before its content, and
// so is known when its turn comes, at any depth. The same walk with a Counter yields the size.
class Counter {
 public:
  std::size_t size() const noexcept { return size_; }
  void varint(std::uint64_t value) noexcept { size_ += CodedOutputStream::VarintSize64(value); }
  void raw(ByteView content) noexcept { size_ += content.size(); }

 private:
  std::size_t size_ = 0;
};

class BackwardWriter {
 public:
  explicit BackwardWriter(std::uint8_t* end) noexcept : at_(end), end_(end) {}

  std::size_t size() const noexcept { return static_cast<std::size_t>(end_ - at_); }
  void varint(std::uint64_t value) noexcept {
    at_ -= CodedOutputStream::VarintSize64(value);
    CodedOutputStream::WriteVarint64ToArray(value, at_);
  }
  void raw(ByteView content) noexcept {
    if (content.empty()) return;
    at_ -= content.size();
    std::memcpy(at_, content.data(), content.size());
  }

 private:
  std::uint8_t* at_;
  std::uint8_t* end_;
};

template <class T>
bool is_default(const T& value) {
  if constexpr (kind_of<T> == Kind::number) {
    return to_number(value) == 0;
  } else if constexpr (!Single<T>) {
    return false;
  } else if constexpr (fixed_size<T> == 0) {
    return value.empty();
  } else {
    static constexpr std::array<std::uint8_t, fixed_size<T>> zeros{};
    return std::memcmp(view_of(value).data(), zeros.data(), zeros.size()) == 0;
  }
}

template <class Sink, class T>
void put_body(Sink& out, const T& value);

// A value without its tag, with its length where it has one.
template <class Sink, class T>
void put_value(Sink& out, const T& value) {
  if constexpr (!Single<T>) {
    static_assert(Single<T>,
                  "[mirbft] a member of this type cannot travel: use integers, enums, ids, "
                  "durations, Bytes, std::string, byte arrays, reflected structs, variants, or a "
                  "vector or optional of one of these; wrap what is nested deeper in a struct");
  } else if constexpr (is_shared<T>) {
    put_value(out, *value);
  } else if constexpr (kind_of<T> == Kind::number) {
    out.varint(to_number(value));
  } else if constexpr (kind_of<T> == Kind::blob) {
    const ByteView content = view_of(value);
    out.raw(content);
    out.varint(content.size());
  } else {
    const std::size_t before = out.size();
    put_body(out, value);
    out.varint(out.size() - before);
  }
}

template <class Sink, class T>
void put_tagged(Sink& out, std::uint32_t number, const T& value) {
  put_value(out, value);
  out.varint(make_tag(number, wire_type<T>));
}

template <class Sink, class Element>
void put_list(Sink& out, std::uint32_t number, const std::vector<Element>& list) {
  if (list.empty()) return;
  const std::size_t before = out.size();
  for (auto element = list.rbegin(); element != list.rend(); ++element) {
    if constexpr (kind_of<Element> == Kind::number) {
      out.varint(to_number<Element>(*element));
    } else {
      put_tagged(out, number, *element);
    }
  }
  if constexpr (kind_of<Element> == Kind::number) {
    out.varint(out.size() - before);
    out.varint(make_tag(number, delimited_type));
  }
}

template <class Sink, class T>
void put_field(Sink& out, std::uint32_t number, const T& value) {
  if constexpr (is_shared<T>) {
    put_field(out, number, *value);
  } else if constexpr (kind_of<T> == Kind::maybe) {
    if (value) put_tagged(out, number, *value);
  } else if constexpr (kind_of<T> == Kind::list) {
    put_list(out, number, value);
  } else if constexpr (Message<T>) {
    const std::size_t before = out.size();
    put_body(out, value);
    const std::size_t length = out.size() - before;
    if (length == 0) return;
    out.varint(length);
    out.varint(make_tag(number, delimited_type));
  } else {
    if (!is_default(value)) put_tagged(out, number, value);
  }
}

template <class Sink, class T>
void put_body(Sink& out, const T& value) {
  if constexpr (is_shared<T>) {
    put_body(out, *value);
  } else if constexpr (kind_of<T> == Kind::choice) {
    visit_choice(value, [&](std::uint32_t number, const auto& held) {
      put_tagged(out, number, held);
    });
  } else if constexpr (kind_of<T> == Kind::record) {
    for_each_member_backward(
        value, [&](auto number, const auto& member) { put_field(out, number, member); });
  } else {
    static_assert(Message<T>,
                  "[mirbft] this is no message: list the members of a struct by one line "
                  "BOOST_HANA_ADAPT_STRUCT(type, member, member) in the global namespace");
  }
}

}  // namespace detail

/// The number of bytes that `encode` makes of a value.
template <class T>
std::size_t encoded_size(const T& value) {
  detail::Counter counter;
  detail::put_body(counter, value);
  return counter.size();
}

/// A struct or variant as a proto3 message: fields in the order of their numbers, those that hold
/// their default left out, each number as short as it can be. Equal values give equal bytes.
template <class T>
Bytes encode(const T& value) {
  const std::size_t size = encoded_size(value);
  return Bytes::filled(size, [&](std::uint8_t* begin) {
    detail::BackwardWriter writer(begin + size);
    detail::put_body(writer, value);
  });
}

}  // namespace mirbft::wire

// <mirbft/wire/limits.hpp>
// What a decoder accepts: how strictly it reads, what it may spend, and why it refuses.

namespace mirbft::wire {

/// How strictly bytes are read.
enum class Form : std::uint8_t {
  lenient,    ///< as protobuf's own parser does: for logs, which a later version may have written
  canonical,  ///< only what `encode` makes: for whatever comes from the network
};

/// What a decoder may spend on one input. An element of a vector may take two bytes on the wire and
/// a hundred in memory, so the length of the input alone does not bound what is allocated.
struct Limits {
  std::size_t bytes = std::size_t{1} << 30;    ///< longest input; never over 2 GiB
  std::size_t memory = std::size_t{1} << 26;   ///< bytes for the elements of all vectors together
  std::uint32_t depth = 100;                   ///< messages within messages
};

/// Why bytes were refused.
enum class DecodeError : std::uint8_t {
  none,
  malformed,      ///< no protobuf message: cut off, a bad wire type or length, field number 0
  oversized_tag,  ///< a tag of more than 32 bits, which some parsers cut
  limit,          ///< longer, deeper or larger in memory than allowed
  range,          ///< a number that its member cannot hold
  length,         ///< a byte string that is not as long as its type
  text,           ///< a string that is not UTF-8
  no_choice,      ///< a variant of which no known alternative is set
  not_canonical,  ///< readable, but not what `encode` makes of it
};

/// The error in words, for messages to people.
constexpr std::string_view to_string(DecodeError error) noexcept {
  switch (error) {
    case DecodeError::none: return "no error";
    case DecodeError::malformed: return "not a protobuf message";
    case DecodeError::oversized_tag: return "a tag of more than 32 bits";
    case DecodeError::limit: return "longer, deeper or larger in memory than allowed";
    case DecodeError::range: return "a number out of range";
    case DecodeError::length: return "a byte string of a wrong length";
    case DecodeError::text: return "a string that is not UTF-8";
    case DecodeError::no_choice: return "no known alternative of a oneof is set";
    case DecodeError::not_canonical: return "not in canonical form";
  }
  return "an unknown error";
}

}  // namespace mirbft::wire

// <mirbft/wire/reader.hpp>
// The parts that protobuf messages are made of, read one by one and bounds-checked.

namespace mirbft::wire::detail {

// What is left to spend while one input is read, and the first error.
struct Session {
  std::size_t memory;
  std::uint32_t depth;
  DecodeError error = DecodeError::none;

  bool fail(DecodeError reason) noexcept {
    error = reason;
    return false;
  }
  bool spend(std::size_t count, std::size_t size) noexcept {
    if (count > memory / size) return fail(DecodeError::limit);
    memory -= count * size;
    return true;
  }
  bool enter() noexcept {
    if (depth == 0) return fail(DecodeError::limit);
    --depth;
    return true;
  }
  void leave() noexcept { ++depth; }
};

// Reads the content of one message. A message inside gets a Reader of its own over its part of
// the bytes, so nothing can reach beyond what encloses it. All functions return false, and leave
// the reason in the session, where the bytes do not hold what was asked for.
class Reader {
 public:
  // At most 2 GiB, as protobuf has it.
  Reader(ByteView content, Session& session) noexcept
      : in_(content.data(), static_cast<int>(content.size())), session_(session) {}

  bool at_end() noexcept { return in_.ExpectAtEnd(); }

  // The next field's tag, or `end_tag`.
  bool next_tag(std::uint32_t& tag) {
    if (at_end()) {
      tag = end_tag;
      return true;
    }
    if (!varint32(tag, DecodeError::oversized_tag)) return false;
    return tag >> 3 != 0 || session_.fail(DecodeError::malformed);
  }

  // Takes the next tag if it is the one that is hoped for.
  bool accept(std::uint32_t tag) { return in_.ExpectTag(tag); }

  bool varint(std::uint64_t& value) {
    return in_.ReadVarint64(&value) || session_.fail(DecodeError::malformed);
  }

  // A length and as many bytes.
  bool delimited(ByteView& content) {
    std::uint32_t length = 0;
    return varint32(length, DecodeError::malformed) && take(length, content);
  }

  // A field that nobody here knows.
  bool skip(std::uint32_t tag) {
    ByteView ignored;
    std::uint64_t number = 0;
    switch (tag & 7) {
      case varint_type: return varint(number);
      case fixed64_type: return take(8, ignored);
      case delimited_type: return delimited(ignored);
      case group_type: return skip_group(tag);
      case fixed32_type: return take(4, ignored);
      default: return session_.fail(DecodeError::malformed);
    }
  }

 private:
  // Tags and lengths: five bytes and 32 bits at most. Read as 64 bits, since CodedInputStream
  // silently cuts what it reads as 32.
  bool varint32(std::uint32_t& value, DecodeError oversized) {
    const int before = in_.CurrentPosition();
    std::uint64_t wide = 0;
    if (!varint(wide)) return false;
    if (in_.CurrentPosition() - before > 5) return session_.fail(DecodeError::malformed);
    value = static_cast<std::uint32_t>(wide);
    return value == wide || session_.fail(oversized);
  }

  bool take(std::uint32_t length, ByteView& content) {
    const void* begin = nullptr;
    int left = 0;
    in_.GetDirectBufferPointerInline(&begin, &left);
    if (length > static_cast<std::uint32_t>(left)) return session_.fail(DecodeError::malformed);
    content = {static_cast<const std::uint8_t*>(begin), length};
    return in_.Skip(static_cast<int>(length));
  }

  bool skip_group(std::uint32_t begin) {
    if (!session_.enter()) return false;
    const std::uint32_t end = begin - group_type + end_group_type;
    for (std::uint32_t tag = end_tag;;) {
      if (!next_tag(tag)) return false;
      if (tag == end) break;
      if (tag == end_tag) return session_.fail(DecodeError::malformed);
      if (!skip(tag)) return false;
    }
    session_.leave();
    return true;
  }

  google::protobuf::io::CodedInputStream in_;
  Session& session_;
};

}  // namespace mirbft::wire::detail

// <mirbft/wire/utf8.hpp>
// Whether bytes are text.

namespace mirbft::wire {

namespace detail {

// The bytes of the character that `text` begins with, 0 if it begins with none. Overlong forms,
// surrogates and what lies beyond U+10FFFF are none (Unicode 15, table 3-7).
inline std::size_t character_length(ByteView text) noexcept {
  const std::uint8_t first = text[0];
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  const std::uint8_t lowest = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const std::uint8_t highest = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (text[1] < lowest || text[1] > highest) return 0;
  for (std::size_t place = 2; place < length; ++place) {
    if ((text[place] & 0xc0) != 0x80) return 0;
  }
  return length;
}

}  // namespace detail

/// Holds for well-formed UTF-8, which a protobuf `string` has to be.
inline bool is_utf8(ByteView text) noexcept {
  while (!text.empty()) {
    const std::size_t length = detail::character_length(text);
    if (length == 0) return false;
    text = text.subspan(length);
  }
  return true;
}

}  // namespace mirbft::wire

namespace mirbft::wire {

namespace detail {

// How much a member adds to its message.
template <class T>
std::size_t field_size(const T& value) {
  Counter counter;
  put_field(counter, 1, value);
  return counter.size();
}

// proto3 knows no default but zero, so what a struct initialises otherwise is zeroed before it is
// read: a field that is absent was zero when it was written.
template <class T>
void set_zero(T& value) {
  if constexpr (is_shared<T>) {
    if (field_size(*value) == 0) return;
    typename T::value_type zero{};
    set_zero(zero);
    value = T(std::move(zero));
  } else if constexpr (kind_of<T> == Kind::record) {
    for_each_member(value, [](auto, auto& member) { set_zero(member); });
  } else if constexpr (kind_of<T> == Kind::choice) {
    auto& first = value.template emplace<0>();
    if constexpr (!may_be_empty<T>) set_zero(first);
  } else {
    value = T{};
  }
}

template <class T>
T make_zero() {
  T value{};
  set_zero(value);
  return value;
}

template <class T>
inline constexpr bool is_list_of_numbers = false;
template <class Element>
inline constexpr bool is_list_of_numbers<std::vector<Element>> = kind_of<Element> == Kind::number;

// Numbers in lists come packed or one by one.
template <class Member>
constexpr bool is_tag_of(std::uint32_t tag, std::uint32_t number) {
  const bool packed = is_list_of_numbers<typename Unshared<Member>::type> &&
                      tag == make_tag(number, delimited_type);
  return packed || tag == make_tag(number, wire_type<Member>);
}

class Decoder {
 public:
  Decoder(const Bytes& input, Form form, const Limits& limits) noexcept
      : input_(input), form_(form), session_{limits.memory, limits.depth} {}

  DecodeError error() const noexcept { return session_.error; }

  // Merges the content of a message into `value`.
  template <class T>
  bool body(ByteView content, T& value) {
    if constexpr (is_shared<T>) {
      return edit(value, [&](auto& own) { return body(content, own); });
    } else if constexpr (kind_of<T> == Kind::choice) {
      return choice(content, value);
    } else if constexpr (kind_of<T> == Kind::record) {
      return fields(content, [&](Reader& in, std::uint32_t& tag) {
        Outcome outcome = Outcome::unknown;
        for_each_member(value, [&](auto number, auto& member) {
          using Member = std::remove_reference_t<decltype(member)>;
          if (!is_tag_of<Member>(tag, number) || outcome == Outcome::failed) return;
          outcome = outcome_of(field(in, tag, member) && in.next_tag(tag));
        });
        return outcome;
      });
    } else {
      return false;  // Does not compile, and the encoder says why.
    }
  }

 private:
  enum class Outcome : std::uint8_t { unknown, known, failed };

  static Outcome outcome_of(bool good) noexcept { return good ? Outcome::known : Outcome::failed; }

  // Calls `pass(in, tag)` until all fields are read. A pass goes over the members once and takes
  // each field that comes in their order, so that a sorted message takes a single pass.
  template <class Pass>
  bool fields(ByteView content, Pass&& pass) {
    Reader in(content, session_);
    std::uint32_t tag = end_tag;
    if (!in.next_tag(tag)) return false;
    while (tag != end_tag) {
      const Outcome outcome = pass(in, tag);
      if (outcome == Outcome::failed) return false;
      if (tag == end_tag) break;
      // Also keeps a peer from making us merge the same field over and over.
      if (form_ == Form::canonical) return session_.fail(DecodeError::not_canonical);
      if (outcome == Outcome::unknown && !(in.skip(tag) && in.next_tag(tag))) return false;
    }
    return true;
  }

  template <class... Alternatives>
  bool choice(ByteView content, std::variant<Alternatives...>& value) {
    using Variant = std::variant<Alternatives...>;
    bool found = may_be_empty<Variant>;
    const bool good = fields(content, [&](Reader& in, std::uint32_t& tag) {
      Outcome outcome = Outcome::unknown;
      [&]<std::size_t... place>(std::index_sequence<place...>) {
        const auto take = [&](auto chosen) {
          outcome = outcome_of(alternative<chosen>(in, value) && in.next_tag(tag));
          return true;
        };
        static_cast<void>(((is_tag_of_alternative<Variant, place>(tag) &&
                            take(std::integral_constant<std::size_t, place>{})) ||
                           ...));
      }(std::index_sequence_for<Alternatives...>{});
      found |= outcome == Outcome::known;
      return outcome;
    });
    return good && (found || session_.fail(DecodeError::no_choice));
  }

  template <class Variant, std::size_t place>
  static constexpr bool is_tag_of_alternative(std::uint32_t tag) {
    return tag == make_tag(alternative_numbers<Variant>[place], delimited_type);
  }

  template <std::size_t place, class Variant>
  bool alternative(Reader& in, Variant& value) {
    using Held = std::variant_alternative_t<place, Variant>;
    if constexpr (std::is_same_v<Held, std::monostate>) {
      return false;  // Has no field.
    } else {
      if (value.index() != place) value.template emplace<place>(make_zero<Held>());
      return single(in, std::get<place>(value));
    }
  }

  template <class T>
  bool field(Reader& in, std::uint32_t tag, T& member) {
    if constexpr (is_shared<T>) {
      return edit(member, [&](auto& own) { return field(in, tag, own); });
    } else if constexpr (kind_of<T> == Kind::maybe) {
      if (!member) member = make_zero<typename T::value_type>();
      return single(in, *member);
    } else if constexpr (kind_of<T> == Kind::list) {
      if constexpr (is_list_of_numbers<T>) {
        if ((tag & 7) == delimited_type) return packed(in, member);
      }
      return list(in, tag, member);
    } else {
      return single(in, member);
    }
  }

  // A run of fields of one vector.
  template <class Element>
  bool list(Reader& in, std::uint32_t tag, std::vector<Element>& list) {
    do {
      if (!session_.spend(1, sizeof(Element))) return false;
      Element element = make_zero<Element>();
      if (!single(in, element)) return false;
      list.push_back(std::move(element));
    } while (in.accept(tag));
    return true;
  }

  template <class Element>
  bool packed(Reader& in, std::vector<Element>& list) {
    ByteView content;
    if (!in.delimited(content)) return false;
    // Every varint ends with a byte below 0x80.
    const auto count = static_cast<std::size_t>(
        std::count_if(content.begin(), content.end(), [](auto byte) { return byte < 0x80; }));
    if (!session_.spend(count, sizeof(Element))) return false;
    list.reserve(list.size() + count);
    for (Reader numbers(content, session_); !numbers.at_end();) {
      Element element{};
      if (!single(numbers, element)) return false;
      list.push_back(element);
    }
    return true;
  }

  // A value without its tag.
  template <class T>
  bool single(Reader& in, T& value) {
    if constexpr (!Single<T>) {
      return false;  // Does not compile, and the encoder says why.
    } else if constexpr (kind_of<T> == Kind::number) {
      std::uint64_t number = 0;
      if (!in.varint(number)) return false;
      return from_number(number, value) || session_.fail(DecodeError::range);
    } else {
      ByteView content;
      if (!in.delimited(content)) return false;
      if constexpr (kind_of<T> == Kind::blob) {
        return blob(content, value);
      } else {
        if (!session_.enter() || !body(content, value)) return false;
        session_.leave();
        return true;
      }
    }
  }

  bool blob(ByteView content, Bytes& value) {
    value = input_.slice(static_cast<std::size_t>(content.data() - input_.data()), content.size());
    return true;
  }
  bool blob(ByteView content, std::string& value) {
    if (!is_utf8(content)) return session_.fail(DecodeError::text);
    value.assign(content.begin(), content.end());
    return true;
  }
  bool blob(ByteView content, Digest& value) { return blob(content, value.bytes); }
  template <std::size_t size>
  bool blob(ByteView content, std::array<std::uint8_t, size>& value) {
    if (content.size() != size) return session_.fail(DecodeError::length);
    std::memcpy(value.data(), content.data(), size);
    return true;
  }

  // A shared value is changed in a copy, which is paid for with what it holds already: a lenient
  // input could come back to the same field over and over.
  template <class T, class Change>
  bool edit(Shared<T>& value, Change&& change) {
    if (!session_.spend(1, sizeof(T) + field_size(*value))) return false;
    T own(*value);
    if (!change(own)) return false;
    value = Shared<T>(std::move(own));
    return true;
  }

  const Bytes& input_;
  Form form_;
  Session session_;
};

}  // namespace detail

/// Reads a message into `value`, whose `Bytes` become slices of `input`. Total: any input gives a
/// value or an error; with an error, what `value` holds is unspecified.
template <class T>
DecodeError decode_into(T& value, const Bytes& input, Form form, const Limits& limits = {}) {
  constexpr std::size_t longest = std::numeric_limits<std::int32_t>::max();
  if (input.size() > std::min(limits.bytes, longest)) return DecodeError::limit;
  detail::set_zero(value);
  detail::Decoder decoder(input, form, limits);
  if (!decoder.body(input.view(), value)) return decoder.error();
  if (form == Form::canonical && encode(value) != input) return DecodeError::not_canonical;
  return DecodeError::none;
}

/// The value that `input` holds, or nothing if `decode_into` would name an error.
template <class T>
std::optional<T> decode(const Bytes& input, Form form, const Limits& limits = {}) {
  std::optional<T> value(std::in_place);
  if (decode_into(*value, input, form, limits) != DecodeError::none) value.reset();
  return value;
}

}  // namespace mirbft::wire

// <mirbft/wire/config_file.hpp>
// Configuration files: JSON that people write, read into reflected structs.

#include <cerrno>
#include <cstdio>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/util/json_util.h>

// <mirbft/wire/descriptor.hpp>
// A schema as protobuf's own description of a file: what a log carries along, and what a
// google::protobuf::DynamicMessage is made from.

#include <google/protobuf/descriptor.pb.h>

// <mirbft/wire/schema.hpp>
// The protobuf schema of C++ types, as data. proto_text.hpp prints it, descriptor.hpp turns it
// into protobuf's own description.

#include <ratio>

// <mirbft/wire/type_name.hpp>
// The name of a type, the same with every compiler: what a message is called in the schema.

namespace mirbft::wire {

/// A name for `T` that overrides the one below. A type says it by a member
/// `static constexpr std::string_view wire_name`; for a type that cannot (a variant), specialise
/// this.
template <class T>
inline constexpr std::string_view given_name = {};
template <class T>
  requires requires { std::string_view(T::wire_name); }
inline constexpr std::string_view given_name<T> = T::wire_name;

namespace detail {

// "… [with T = mirbft::HashResult<mirbft::BatchHash>]" on g++, "… [T = …]" on clang. The return
// type is not spelled out, since g++ would then explain it after a semicolon.
template <class T>
constexpr auto compiler_text() {
  return std::string_view(__PRETTY_FUNCTION__);
}

constexpr bool is_identifier(char character) {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
         (character >= '0' && character <= '9') || character == '_';
}

// The text before the '<' that the final '>' closes.
constexpr std::string_view without_arguments(std::string_view text) {
  std::size_t end = text.size();
  for (int depth = 0; end > 0;) {
    --end;
    if (text[end] == '>') ++depth;
    if (text[end] == '<' && --depth == 0) break;
  }
  return text.substr(0, end);
}

constexpr std::string_view last_identifier(std::string_view text) {
  std::size_t begin = text.size();
  while (begin > 0 && is_identifier(text[begin - 1])) --begin;
  return text.substr(begin);
}

template <class T>
constexpr std::string_view type_text() {
  const std::string_view text = compiler_text<T>();
  return text.substr(0, text.rfind(']'));
}

template <const std::string_view&... part>
struct Joined {
  static constexpr auto storage = [] {
    std::array<char, (part.size() + ... + 0)> made{};
    auto at = made.begin();
    ((at = std::copy(part.begin(), part.end(), at)), ...);
    return made;
  }();
  static constexpr std::string_view value{storage.data(), storage.size()};
};

// Compilers differ in how they spell these.
template <std::integral T>
constexpr std::string_view integer_name() {
  if (std::same_as<T, bool>) return "bool";
  constexpr std::array<std::string_view, 4> names[] = {{"uint8", "uint16", "uint32", "uint64"},
                                                       {"int8", "int16", "int32", "int64"}};
  return names[std::is_signed_v<T>][sizeof(T) == 8 ? 3 : sizeof(T) / 2];
}

template <class T>
struct DerivedName {
  static constexpr std::string_view derive() {
    if constexpr (std::integral<T>) {
      return integer_name<T>();
    } else {
      static_assert(!type_text<T>().ends_with('>'),
                    "[mirbft] a template with arguments that are no types has no name on the "
                    "wire: give it a member `static constexpr std::string_view wire_name`");
      return last_identifier(type_text<T>());
    }
  }
  static constexpr std::string_view value = derive();
};

template <class T>
struct TypeName {
  static constexpr std::string_view choose() {
    if constexpr (given_name<T>.empty()) {
      return DerivedName<T>::value;
    } else {
      return given_name<T>;
    }
  }
  static constexpr std::string_view value = choose();
};

inline constexpr std::string_view underscore = "_";
inline constexpr std::string_view one_of = "OneOf";

template <class T>
struct NameAsArgument : Joined<underscore, TypeName<T>::value> {};

template <template <class...> class Template, class... Arguments>
struct DerivedName<Template<Arguments...>> {
  static constexpr std::string_view own =
      last_identifier(without_arguments(type_text<Template<Arguments...>>()));
  static constexpr std::string_view value = Joined<own, NameAsArgument<Arguments>::value...>::value;
};

template <class T>
struct DerivedName<Shared<T>> : TypeName<T> {};

template <>
struct DerivedName<std::monostate> {
  static constexpr std::string_view value = "Nothing";
};

template <class... Alternatives>
struct DerivedName<std::variant<Alternatives...>>
    : Joined<one_of, NameAsArgument<Alternatives>::value...> {};

}  // namespace detail

/// What `T` is called in the schema: its name without namespaces; `HashRequest_BatchHash` for
/// `HashRequest<BatchHash>`; `OneOf_Prepare_Commit` for a variant of these.
template <class T>
inline constexpr std::string_view type_name = detail::TypeName<T>::value;

}  // namespace mirbft::wire

namespace mirbft::wire {

/// How often a field may be there.
enum class Label : std::uint8_t { plain, optional, repeated, alternative };

/// One field of a message.
struct FieldSchema {
  std::string name;
  std::uint32_t number = 0;
  std::string type;  ///< a scalar type of protobuf, or a message's name with its package
  Kind kind = Kind::unknown;
  Label label = Label::plain;
  std::size_t size = 0;  ///< bytes of a number; length of a byte string that has only one
  std::string note;      ///< what the type does not say, for readers
};

/// One message, made of a struct or a variant.
struct MessageSchema {
  std::string name;
  std::string package;
  std::vector<FieldSchema> fields;
  bool needs_choice = false;   ///< a variant, which always holds something
  const void* type = nullptr;  ///< one value for each C++ type

  std::string full_name() const { return package + '.' + name; }
};

/// One .proto file.
struct Schema {
  std::string file;
  std::string package;
  std::vector<MessageSchema> messages;
  std::vector<Schema> imports;

  /// The message of this name, here or in an import; null if there is none.
  const MessageSchema* find(std::string_view name) const {
    for (const MessageSchema& message : messages) {
      if (message.name == name) return &message;
    }
    for (const Schema& import : imports) {
      if (const MessageSchema* found = import.find(name)) return found;
    }
    return nullptr;
  }
};

/// The package of the library's own messages. Not `mirbft`: protoc's C++ classes would then be
/// `mirbft::Request` and the like, and a program that links both would mix them up.
inline constexpr std::string_view default_package = "mirbft.v1";

namespace detail {

template <class T>
inline constexpr char type_key = 0;

constexpr bool is_upper(char letter) { return letter >= 'A' && letter <= 'Z'; }

// HashResult_BatchHash → hash_result_batch_hash
inline std::string snake_case(std::string_view name) {
  std::string made;
  char before = '_';
  for (const char letter : name) {
    if (is_upper(letter) && !is_upper(before) && before != '_') made += '_';
    made += is_upper(letter) ? static_cast<char>(letter - 'A' + 'a') : letter;
    before = letter;
  }
  return made;
}

template <class T>
inline constexpr std::string_view unit_of = {};
template <class Rep>
inline constexpr std::string_view unit_of<std::chrono::duration<Rep, std::nano>> = "nanoseconds";
template <class Rep>
inline constexpr std::string_view unit_of<std::chrono::duration<Rep, std::micro>> = "microseconds";
template <class Rep>
inline constexpr std::string_view unit_of<std::chrono::duration<Rep, std::milli>> = "milliseconds";
template <class Rep>
inline constexpr std::string_view unit_of<std::chrono::duration<Rep>> = "seconds";

template <class T>
FieldSchema describe_number() {
  constexpr bool is_signed = std::is_signed_v<T> || requires { T{}.count(); };
  constexpr std::string_view wide = sizeof(T) <= 4 ? "32" : "64";
  FieldSchema field;
  field.kind = Kind::number;
  field.size = sizeof(T);
  field.type = (is_signed ? "int" : "uint") + std::string(wide);
  if constexpr (std::is_same_v<T, bool>) {
    field.type = "bool";
  } else if constexpr (std::is_enum_v<T>) {
    field.note = type_name<T>;
  } else if constexpr (requires { T{}.count(); }) {
    field.note = unit_of<T>;
  } else if constexpr (sizeof(T) < 4) {
    field.note = "at most " + std::to_string(8 * sizeof(T)) + " bits";
  }
  return field;
}

template <class T>
FieldSchema describe_blob() {
  FieldSchema field;
  field.kind = Kind::blob;
  field.size = fixed_size<T>;
  field.type = std::is_same_v<T, std::string> ? "string" : "bytes";
  if (field.size > 0) field.note = "exactly " + std::to_string(field.size) + " bytes";
  return field;
}

class SchemaMaker {
 public:
  explicit SchemaMaker(Schema start) : schema_(std::move(start)) {}

  Schema take() && { return std::move(schema_); }

  // Adds the message of `T`, and after it those of its members, unless they are there already.
  // Returns its name with its package.
  template <class T>
  std::string add() {
    if (const MessageSchema* known = schema_.find(type_name<T>)) {
      if (known->type == &type_key<T>) return known->full_name();
      throw std::logic_error("message " + known->full_name() +
                             ": two C++ types have this name; give one of them another by a "
                             "member `static constexpr std::string_view wire_name`");
    }
    const std::size_t place = schema_.messages.size();
    schema_.messages.push_back(
        {std::string(type_name<T>), schema_.package, {}, false, &type_key<T>});
    const T example{};
    std::vector<FieldSchema> fields = describe_fields(example);
    MessageSchema& message = schema_.messages[place];
    message.fields = std::move(fields);
    if constexpr (kind_of<T> == Kind::choice) message.needs_choice = !may_be_empty<T>;
    return message.full_name();
  }

 private:
  template <Reflected T>
  std::vector<FieldSchema> describe_fields(const T& example) {
    std::vector<FieldSchema> fields;
    for_each_member(example, [&](auto number, const auto& member) {
      fields.push_back(describe<std::remove_cvref_t<decltype(member)>>());
      fields.back().number = number;
      fields.back().name = member_names<T>[number - 1];
    });
    return fields;
  }

  template <class... Alternatives>
  std::vector<FieldSchema> describe_fields(const std::variant<Alternatives...>&) {
    std::vector<FieldSchema> fields;
    const auto describe_one = [&]<class T>(std::type_identity<T>, std::uint32_t number) {
      if constexpr (!std::is_same_v<T, std::monostate>) {
        fields.push_back(describe<T>());
        fields.back().number = number;
        fields.back().name = snake_case(type_name<T>);
        fields.back().label = Label::alternative;
      }
    };
    const std::uint32_t* number = alternative_numbers<std::variant<Alternatives...>>.data();
    (describe_one(std::type_identity<Alternatives>{}, *number++), ...);
    return fields;
  }

  template <class T>
  FieldSchema describe() {
    if constexpr (is_shared<T>) {
      return describe<typename T::value_type>();
    } else if constexpr (kind_of<T> == Kind::list || kind_of<T> == Kind::maybe) {
      FieldSchema field = describe<typename T::value_type>();
      field.label = kind_of<T> == Kind::list ? Label::repeated : Label::optional;
      return field;
    } else if constexpr (kind_of<T> == Kind::number) {
      return describe_number<T>();
    } else if constexpr (kind_of<T> == Kind::blob) {
      return describe_blob<T>();
    } else {
      FieldSchema field;
      field.kind = kind_of<T>;
      field.type = add<T>();
      return field;
    }
  }

  Schema schema_;
};

}  // namespace detail

/// The schema of the given structs and variants and of all that they contain. What an import has
/// already is referred to, not repeated. Throws std::logic_error if two types have one name.
template <Message... Ts>
Schema schema(std::string file, std::vector<Schema> imports = {},
              std::string_view package = default_package) {
  detail::SchemaMaker maker({std::move(file), std::string(package), {}, std::move(imports)});
  (maker.template add<typename detail::Unshared<Ts>::type>(), ...);
  return std::move(maker).take();
}

}  // namespace mirbft::wire

namespace mirbft::wire {

namespace detail {

using google::protobuf::DescriptorProto;
using google::protobuf::FieldDescriptorProto;

inline FieldDescriptorProto::Type scalar_type(const std::string& name) {
  if (name == "bool") return FieldDescriptorProto::TYPE_BOOL;
  if (name == "uint32") return FieldDescriptorProto::TYPE_UINT32;
  if (name == "uint64") return FieldDescriptorProto::TYPE_UINT64;
  if (name == "int32") return FieldDescriptorProto::TYPE_INT32;
  if (name == "int64") return FieldDescriptorProto::TYPE_INT64;
  if (name == "string") return FieldDescriptorProto::TYPE_STRING;
  return FieldDescriptorProto::TYPE_BYTES;
}

inline void describe_field(const FieldSchema& field, DescriptorProto& message) {
  FieldDescriptorProto& made = *message.add_field();
  made.set_name(field.name);
  made.set_number(static_cast<std::int32_t>(field.number));
  made.set_label(field.label == Label::repeated ? FieldDescriptorProto::LABEL_REPEATED
                                                : FieldDescriptorProto::LABEL_OPTIONAL);
  if (field.kind == Kind::number || field.kind == Kind::blob) {
    made.set_type(scalar_type(field.type));
  } else {
    made.set_type(FieldDescriptorProto::TYPE_MESSAGE);
    made.set_type_name('.' + field.type);
  }
  if (field.label == Label::alternative) {
    if (message.oneof_decl_size() == 0) message.add_oneof_decl()->set_name("which");
    made.set_oneof_index(0);
  } else if (field.label == Label::optional) {
    // As protoc does it: a oneof of its own for each field with explicit presence.
    made.set_oneof_index(message.oneof_decl_size());
    made.set_proto3_optional(true);
    message.add_oneof_decl()->set_name('_' + field.name);
  }
}

}  // namespace detail

/// What protoc would make of `proto_text(schema)`, but for names in JSON and places in the text.
inline google::protobuf::FileDescriptorProto descriptor(const Schema& schema) {
  google::protobuf::FileDescriptorProto file;
  file.set_name(schema.file);
  file.set_package(schema.package);
  file.set_syntax("proto3");
  for (const Schema& import : schema.imports) file.add_dependency(import.file);
  for (const MessageSchema& message : schema.messages) {
    google::protobuf::DescriptorProto& made = *file.add_message_type();
    made.set_name(message.name);
    for (const FieldSchema& field : message.fields) detail::describe_field(field, made);
  }
  return file;
}

}  // namespace mirbft::wire

// <mirbft/wire/from_message.hpp>
// From a message that protobuf has parsed to a reflected struct: for what people write.

#include <google/protobuf/message.h>

namespace mirbft::wire {

/// The schema of `T` as people write it: a field that is left out can be told from a zero, and
/// bytes are hexadecimal digits, as `to_json` prints them.
template <Reflected T>
Schema text_schema() {
  Schema made = schema<T>("text.proto");
  for (MessageSchema& message : made.messages) {
    for (FieldSchema& field : message.fields) {
      if (field.label == Label::plain) field.label = Label::optional;
      if (field.type == "bytes") field.type = "string";
    }
  }
  return made;
}

namespace detail {

// A value of a parsed field; `index` counts those of a repeated one.
struct ParsedValue {
  const google::protobuf::Message& message;
  const google::protobuf::FieldDescriptor* field;
  int index = 0;

  std::uint64_t number() const {
    using google::protobuf::FieldDescriptor;
    const auto& from = *message.GetReflection();
    const bool one = !field->is_repeated();
    const auto extend = [](std::int64_t number) { return static_cast<std::uint64_t>(number); };
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_BOOL:
        return one ? from.GetBool(message, field) : from.GetRepeatedBool(message, field, index);
      case FieldDescriptor::CPPTYPE_INT32:
        return extend(one ? from.GetInt32(message, field)
                          : from.GetRepeatedInt32(message, field, index));
      case FieldDescriptor::CPPTYPE_INT64:
        return extend(one ? from.GetInt64(message, field)
                          : from.GetRepeatedInt64(message, field, index));
      case FieldDescriptor::CPPTYPE_UINT32:
        return one ? from.GetUInt32(message, field) : from.GetRepeatedUInt32(message, field, index);
      default:
        return one ? from.GetUInt64(message, field) : from.GetRepeatedUInt64(message, field, index);
    }
  }
  std::string text() const {
    const auto& from = *message.GetReflection();
    return field->is_repeated() ? from.GetRepeatedString(message, field, index)
                                : from.GetString(message, field);
  }
  const google::protobuf::Message& record() const {
    const auto& from = *message.GetReflection();
    return field->is_repeated() ? from.GetRepeatedMessage(message, field, index)
                                : from.GetMessage(message, field);
  }
};

// Text from outside in an error: one line, not too long.
inline std::string shown(std::string_view text) {
  constexpr std::size_t longest = 80;
  std::string made(text.substr(0, longest));
  for (char& letter : made)
    if (static_cast<unsigned char>(letter) < ' ') letter = ' ';
  return text.size() > longest ? made + "…" : made;
}

// Two digits a byte.
template <class Refuse>
void read_hex(std::string_view text, std::uint8_t* out, Refuse&& refuse) {
  const auto digit = [&](char letter) {
    const std::size_t place = std::string_view("0123456789abcdef").find(letter);
    if (place == std::string_view::npos) refuse("must be hexadecimal digits, 0-9 and a-f");
    return place;
  };
  for (std::size_t i = 0; i < text.size(); i += 2)
    *out++ = static_cast<std::uint8_t>(digit(text[i]) << 4 | digit(text[i + 1]));
}

// Carries values over. `path` is where they stand, for the error.
struct FromMessage {
  template <Reflected T>
  static void fill(T& value, const google::protobuf::Message& message, const std::string& path) {
    for_each_member(value, [&](auto number, auto& member) {
      const auto* field = message.GetDescriptor()->FindFieldByNumber(number);
      fill_member(member, ParsedValue{message, field}, path + field->name());
    });
  }

  template <class T>
  static void fill_member(T& member, ParsedValue from, const std::string& path) {
    const auto& reflection = *from.message.GetReflection();
    if constexpr (kind_of<T> == Kind::list) {
      const int size = reflection.FieldSize(from.message, from.field);
      if (size != 0) member.clear();
      for (; from.index < size; ++from.index)
        put(member.emplace_back(), from, path + '[' + std::to_string(from.index) + ']');
    } else if (reflection.HasField(from.message, from.field)) {
      if constexpr (kind_of<T> == Kind::maybe) {
        put(member.emplace(), from, path);
      } else {
        put(member, from, path);
      }
    }
  }

  template <class T>
  static void put(T& value, const ParsedValue& from, const std::string& path) {
    static_assert(
        kind_of<T> == Kind::number || kind_of<T> == Kind::blob || kind_of<T> == Kind::record,
        "[mirbft] a member of this type cannot be read from text: use numbers, ids, "
        "text, bytes, reflected structs, and vectors and optionals of these");
    if constexpr (kind_of<T> == Kind::record) {
      fill(value, from.record(), path + '.');
    } else if constexpr (kind_of<T> == Kind::number) {
      put_number(value, from.number(), path);
    } else if constexpr (std::is_same_v<T, std::string>) {
      value = from.text();
    } else {
      put_bytes(value, from.text(), path);
    }
  }

  template <class T>
  static void put_number(T& value, std::uint64_t number, const std::string& path) {
    if (from_number(number, value)) return;
    const std::string given = std::is_signed_v<T>
                                  ? std::to_string(static_cast<std::int64_t>(number))
                                  : std::to_string(number);
    throw ConfigError(
        path, given,
        "must be a whole number of at most " + std::to_string(8 * sizeof(T)) + " bits");
  }

  template <class T>
  static void put_bytes(T& value, const std::string& text, const std::string& path) {
    const auto refuse = [&](std::string rule) {
      throw ConfigError(path, shown('"' + text + '"'), std::move(rule));
    };
    constexpr std::size_t size = fixed_size<T>;
    if (text.size() % 2 != 0) refuse("must have two hexadecimal digits for each byte");
    if (size != 0 && text.size() != 2 * size)
      refuse("must be " + std::to_string(size) + " bytes, two hexadecimal digits each");
    if constexpr (std::is_same_v<T, Bytes>) {
      value =
          Bytes::filled(text.size() / 2, [&](std::uint8_t* out) { read_hex(text, out, refuse); });
    } else if constexpr (requires { value.bytes; }) {
      read_hex(text, value.bytes.data(), refuse);
    } else {
      read_hex(text, value.data(), refuse);
    }
  }
};

}  // namespace detail

/// Overwrites the members of `value` that stand in `message`, which was made from `text_schema<T>`;
/// the others keep their values. Throws ConfigError where a value does not fit its member; `path`
/// stands before the member's name in the error.
template <Reflected T>
void fill_from(T& value, const google::protobuf::Message& message, const std::string& path = {}) {
  detail::FromMessage::fill(value, message, path);
}

}  // namespace mirbft::wire

namespace mirbft::wire {

namespace detail {

// The whole file, or a ConfigError that says why not.
inline std::string read_config_text(const std::string& path) {
  constexpr std::size_t longest = std::size_t{16} << 20;
  const auto refuse = [&](const char* what, const char* mend) {
    throw ConfigError(path, what, mend);
  };
  const auto refuse_to_read = [&] {
    refuse(std::strerror(errno), "must be a file that this user can read");
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  if (!file) refuse_to_read();
  std::string text(longest, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get())) refuse_to_read();
  if (text.size() == longest) refuse("a long file", "must be shorter than 16 MiB");
  return text;
}

// Protobuf's complaints about JSON, in our form. It knows three kinds.
class JsonComplaint {
 public:
  JsonComplaint(const std::string& source, std::string_view text, std::string_view complaint)
      : source_(source), text_(text), complaint_(complaint) {}

  [[noreturn]] void raise(const google::protobuf::Descriptor& type) const {
    // How it ends says which it is: all else may be quoted from the text.
    if (complaint_.ends_with('^')) raise_bad_text();
    if (complaint_.ends_with(unknown_field))
      raise_unknown_field(complaint_.substr(0, complaint_.size() - unknown_field.size()), type);
    if (const auto end = complaint_.find(wrong_value); end != std::string_view::npos)
      raise_wrong_value(complaint_.substr(0, end), complaint_.substr(end + wrong_value.size()));
    raise_bad_text();
  }

 private:
  static constexpr std::string_view unknown_field = ": Cannot find field.";
  static constexpr std::string_view wrong_value = ": invalid value ";

  // "(members[1]) prot: Cannot find field.", without the parentheses on the top level.
  [[noreturn]] void raise_unknown_field(std::string_view where,
                                        const google::protobuf::Descriptor& root) const {
    std::string path;
    if (const auto end = where.find(") "); where.starts_with('(') && end != where.npos) {
      path = std::string(where.substr(1, end - 1)) + '.';
      where.remove_prefix(end + 2);
    }
    const google::protobuf::Descriptor* type = type_at(path, root);
    std::string known;
    for (int i = 0; type && i < type->field_count(); ++i)
      known += (i == 0 ? "; known here: " : ", ") + type->field(i)->name();
    throw ConfigError(source_ + ": " + path + shown(where), "(unknown field)",
                      "correct its name or remove it" + known);
  }

  // The type of the object at a path such as "members[1]." or "log.file.".
  static const google::protobuf::Descriptor* type_at(std::string_view path,
                                                     const google::protobuf::Descriptor& root) {
    const google::protobuf::Descriptor* type = &root;
    while (type && !path.empty()) {
      const std::string_view step = path.substr(0, path.find('.'));
      const auto* field = type->FindFieldByName(std::string(step.substr(0, step.find('['))));
      type = field ? field->message_type() : nullptr;
      path.remove_prefix(step.size() + 1);
    }
    return type;
  }

  // "(members[1].port): invalid value "x" for type TYPE_UINT32"; a field that is given twice is
  // "invalid value oneof field '_port' is already set. Cannot set 'port' for type oneof".
  [[noreturn]] void raise_wrong_value(std::string_view where, std::string_view what) const {
    const bool nested = where.starts_with('(');
    std::string path = source_ + ": ";
    path += nested ? where.substr(1, where.size() - 2) : where;
    const std::size_t end = std::min(what.rfind(" for type "), what.size());
    const std::string_view type = what.substr(end);
    std::string value(what.substr(0, end));
    if (type.ends_with("oneof")) {
      const std::size_t name = value.rfind('\'', value.size() - 2) + 1;
      path += (nested ? "." : "") + value.substr(name, value.size() - 1 - name);
      throw ConfigError(path, "(given twice)", "give each field once");
    }
    throw ConfigError(path, shown(value), "must be " + std::string(kind_called(type)));
  }

  static std::string_view kind_called(std::string_view type) {
    if (type.ends_with("INT32") || type.ends_with("INT64")) return "a whole number in range";
    if (type.ends_with("BOOL")) return "true or false";
    if (type.ends_with("STRING")) return "text in quotation marks";
    return "an object in braces";
  }

  // "Expected : between key:value pair.\n<20 bytes to each side of the place>\n<blanks>^"
  [[noreturn]] void raise_bad_text() const {
    const std::string_view first = complaint_.substr(0, complaint_.find('\n'));
    const std::size_t last = complaint_.rfind('\n');
    std::size_t place = text_.size();
    if (last != std::string_view::npos && last > first.size() + 1) {
      const auto around = complaint_.substr(first.size() + 1, last - first.size() - 1);
      place = std::min(text_.find(around), text_.size()) + complaint_.size() - last - 2;
    }
    const auto before = text_.substr(0, place);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t begin = std::min(first.find_first_not_of(": "), first.size());
    throw ConfigError(source_, "line " + std::to_string(line),
                      "must be a JSON object: " + shown(first.substr(begin)));
  }

  const std::string& source_;
  std::string_view text_;
  std::string_view complaint_;
};

}  // namespace detail

/// Reads one JSON object with the members' names, as a person writes it or `to_json` prints it. A
/// member that is left out keeps the value that `T` gives it. Ids and enums are numbers; durations
/// too, in the unit of their type; bytes are hexadecimal digits. `T` holds no variants.
///
/// Throws ConfigError that names `source`, the field or the line, the rule and the mend: for a
/// field that `T` does not have, a value of a wrong type or range, and what is no JSON.
template <Reflected T>
T parse_config(std::string_view text, const std::string& source) {
  google::protobuf::DescriptorPool pool;
  const auto* file = pool.BuildFile(descriptor(text_schema<T>()));
  const auto* type = file->FindMessageTypeByName(std::string(type_name<T>));
  google::protobuf::DynamicMessageFactory factory(&pool);
  const std::unique_ptr<google::protobuf::Message> message(factory.GetPrototype(type)->New());
  const auto status =
      google::protobuf::util::JsonStringToMessage({text.data(), text.size()}, message.get());
  if (!status.ok()) {
    const std::string complaint(status.message().data(), status.message().size());
    detail::JsonComplaint(source, text, complaint).raise(*type);
  }
  T config{};
  fill_from(config, *message, source + ": ");
  return config;
}

/// The same from a file.
template <Reflected T>
T load_config(const std::string& path) {
  return parse_config<T>(detail::read_config_text(path), path);
}

}  // namespace mirbft::wire

// <mirbft/wire/joined.hpp>
// Several variants behind one another in one byte string, and taken apart again.

namespace mirbft::wire {

/// Whether the encoding of a `T` shows where it ends: a variant that always holds something is
/// one field with its length.
template <class T>
constexpr bool ends_by_itself() noexcept {
  if constexpr (kind_of<T> == Kind::choice) {
    return !may_be_empty<T>;
  } else {
    return false;
  }
}

/// Encoded values that end by themselves, behind one another.
inline Bytes join(const std::vector<Bytes>& parts) {
  std::size_t size = 0;
  for (const Bytes& part : parts) size += part.size();
  return Bytes::filled(size, [&](std::uint8_t* out) {
    for (const Bytes& part : parts) out = std::copy(part.begin(), part.end(), out);
  });
}

/// Calls `take(const Bytes&)` for each part of what `join` has made, until it returns false.
/// Returns whether all was taken: false too where the bytes end amid a part, or hold more than
/// `most` of them. A part that stands alone shares the storage; each of several is a copy, since
/// who keeps one of them should not keep them all.
template <class Take>
bool split(const Bytes& joined, std::size_t most, Take&& take) {
  detail::Session session{0, 0};
  detail::Reader in(joined.view(), session);
  const std::uint8_t* begin = joined.data();
  for (std::size_t count = 0; begin != joined.end(); ++count) {
    std::uint32_t tag = detail::end_tag;
    ByteView content;
    if (count == most || !in.next_tag(tag) || (tag & 7) != detail::delimited_type ||
        !in.delimited(content))
      return false;
    const std::uint8_t* const end = content.data() + content.size();
    const bool alone = begin == joined.data() && end == joined.end();
    if (!take(alone ? joined : Bytes(ByteView(begin, end)))) return false;
    begin = end;
  }
  return !joined.empty();
}

}  // namespace mirbft::wire

// <mirbft/wire/json.hpp>
// Reflected structs as JSON, for people and scripts: statuses, logs, reports. It is not read back.

#include <charconv>
#include <cmath>

namespace mirbft::wire {

/// One line, or one line a value with two spaces a level.
enum class JsonLayout : std::uint8_t { compact, indented };

namespace detail {

class JsonWriter {
 public:
  explicit JsonWriter(JsonLayout layout) noexcept : layout_(layout) {}

  std::string take() && { return std::move(text_); }

  template <class T>
  void put(const T& value) {
    if constexpr (is_shared<T>) {
      put(*value);
    } else if constexpr (std::same_as<T, bool>) {
      text_ += value ? "true" : "false";
    } else if constexpr (std::convertible_to<T, std::string_view>) {
      put_text(value);
    } else if constexpr (std::floating_point<T>) {
      put_fraction(value);
    } else if constexpr (kind_of<T> == Kind::number) {
      put_number(value);
    } else if constexpr (kind_of<T> == Kind::blob) {
      put_text(hex(view_of(value)));
    } else if constexpr (kind_of<T> == Kind::unknown) {
      static_assert(kind_of<T> != Kind::unknown,
                    "[mirbft] a value of this type cannot be shown as JSON: use numbers, enums, "
                    "ids, durations, text, Bytes, reflected structs, variants, vectors and "
                    "optionals");
    } else {
      put_compound(value);
    }
  }

 private:
  template <class T>
  void put_compound(const T& value) {
    if constexpr (kind_of<T> == Kind::maybe) {
      value ? put(*value) : put_null();
    } else if constexpr (kind_of<T> == Kind::choice) {
      if (held_number(value) == 0) return put_null();
      open('{');
      visit_choice(value, [&](std::uint32_t, const auto& held) {
        put_pair(type_name<std::remove_cvref_t<decltype(held)>>, held);
      });
      close('}');
    } else if constexpr (kind_of<T> == Kind::list) {
      open('[');
      for (const auto& element : value) {
        next();
        put(element);
      }
      close(']');
    } else {
      open('{');
      for_each_member(value, [&](auto number, const auto& member) {
        put_pair(member_names<T>[number - 1], member);
      });
      close('}');
    }
  }

  template <class T>
  void put_pair(std::string_view name, const T& value) {
    next();
    put_text(name);
    text_ += layout_ == JsonLayout::indented ? ": " : ":";
    put(value);
  }

  template <class T>
  void put_number(const T& value) {
    if constexpr (requires { value.count(); }) {
      put_digits(std::chrono::duration_cast<std::chrono::nanoseconds>(value).count());
    } else if constexpr (std::is_enum_v<T>) {
      put_digits(static_cast<std::int64_t>(value));
    } else if constexpr (std::signed_integral<T>) {
      put_digits(value);
    } else {
      put_digits(to_number(value));
    }
  }

  template <std::integral T>
  void put_digits(T value) {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.begin(), digits.end(), value).ptr;
    text_.append(digits.begin(), end);
  }

  // JSON has no infinities and no NaN.
  void put_fraction(double value) {
    if (!std::isfinite(value)) return put_null();
    std::array<char, 32> digits;
    const auto end = std::to_chars(digits.begin(), digits.end(), value).ptr;
    text_.append(digits.begin(), end);
  }

  void put_null() { text_ += "null"; }

  void put_text(std::string_view text) {
    text_ += '"';
    for (const char character : text) put_character(character);
    text_ += '"';
  }

  void put_character(char character) {
    switch (character) {
      case '"': text_ += "\\\""; return;
      case '\\': text_ += "\\\\"; return;
      case '\n': text_ += "\\n"; return;
      case '\r': text_ += "\\r"; return;
      case '\t': text_ += "\\t"; return;
      default: break;
    }
    const auto code = static_cast<std::uint8_t>(character);
    if (code < 0x20) {
      text_ += "\\u00" + hex(ByteView(&code, 1));
    } else {
      text_ += character;
    }
  }

  void open(char bracket) {
    text_ += bracket;
    ++depth_;
    empty_ = true;
  }

  void next() {
    if (!empty_) text_ += ',';
    empty_ = false;
    break_line();
  }

  void close(char bracket) {
    --depth_;
    if (!empty_) break_line();
    empty_ = false;
    text_ += bracket;
  }

  void break_line() {
    if (layout_ == JsonLayout::indented) text_.append(1, '\n').append(2 * depth_, ' ');
  }

  JsonLayout layout_;
  std::string text_;
  std::size_t depth_ = 0;
  bool empty_ = true;  // Nothing stands yet between the innermost brackets.
};

}  // namespace detail

/// A value as JSON: structs are objects, vectors arrays, absent optionals null; ids, enums and
/// durations (in nanoseconds) numbers; digests and bytes hexadecimal strings; a variant an object
/// with one member, named after the type that it holds. Text is taken to be UTF-8.
template <class T>
std::string to_json(const T& value, JsonLayout layout = JsonLayout::compact) {
  detail::JsonWriter writer(layout);
  writer.put(value);
  return std::move(writer).take();
}

}  // namespace mirbft::wire

// <mirbft/wire/proto_text.hpp>
// A schema as the text of a .proto file.

namespace mirbft::wire {

namespace detail {

inline std::string field_text(const FieldSchema& field, std::string_view package) {
  const bool own = field.type.starts_with(std::string(package) + '.');
  const std::string_view type = std::string_view(field.type).substr(own ? package.size() + 1 : 0);
  std::string text = field.label == Label::repeated   ? "repeated "
                     : field.label == Label::optional ? "optional "
                                                      : "";
  text.append(type) += ' ' + field.name + " = " + std::to_string(field.number) + ';';
  if (!field.note.empty()) text += "  // " + field.note;
  return text + '\n';
}

inline std::string message_text(const MessageSchema& message) {
  if (message.fields.empty()) return "message " + message.name + " {}\n";
  const bool is_choice = message.fields.front().label == Label::alternative;
  std::string text = "message " + message.name + " {\n";
  if (is_choice) text += "  oneof which {\n";
  for (const FieldSchema& field : message.fields) {
    text += (is_choice ? "    " : "  ") + field_text(field, message.package);
  }
  if (is_choice) text += "  }\n";
  return text + "}\n";
}

}  // namespace detail

/// The .proto file of a schema. The same text with every compiler.
inline std::string proto_text(const Schema& schema) {
  std::string text =
      "// Printed from the C++ types; a test fails where the two drift apart. A field's number is\n"
      "// the place of its member: members are appended, and never moved.\n"
      "syntax = \"proto3\";\n\npackage " +
      schema.package + ";\n";
  if (!schema.imports.empty()) text += '\n';
  for (const Schema& import : schema.imports) text += "import \"" + import.file + "\";\n";
  for (const MessageSchema& message : schema.messages) text += '\n' + detail::message_text(message);
  return text;
}

}  // namespace mirbft::wire

// <mirbft/wire/request_bytes.hpp>
// What is hashed of a client's request, and what the client signs.

namespace mirbft::wire {

/// What stands in front of a request's body when it is hashed. The size makes the two together
/// unambiguous.
struct RequestHeader {
  ClientId client;
  ReqNo req_no;
  std::uint64_t size = 0;
};

}  // namespace mirbft::wire

BOOST_HANA_ADAPT_STRUCT(mirbft::wire::RequestHeader, client, req_no, size);

namespace mirbft::wire {

/// The bytes whose hash is a request's digest, in two parts: the header and the body itself,
/// which is not copied.
inline std::vector<Bytes> request_parts(ByteView cluster, ClientId client, ReqNo req_no,
                                        Bytes data) {
  std::vector<Bytes> parts;
  parts.reserve(2);
  parts.push_back(canonical("request", cluster, RequestHeader{client, req_no, data.size()}));
  parts.push_back(std::move(data));
  return parts;
}

/// What a client signs to submit a request. The reference holds the digest, and so the body.
inline Bytes request_signature_bytes(ByteView cluster, const RequestRef& reference) {
  return canonical("request signature", cluster, reference);
}

}  // namespace mirbft::wire

// <mirbft/events/app.hpp>
// Events for the App.

// <mirbft/events/event.hpp>
// What an event is: a reflected struct with a destination and a stable number.

#include <bit>

namespace mirbft {

/// A place for a module in a Node, or several of them (`slot::tracker | slot::protocol`).
class Slot {
 public:
  constexpr explicit Slot(std::uint16_t bits) noexcept : bits_(bits) {}

  friend constexpr Slot operator|(Slot left, Slot right) noexcept {
    return Slot(static_cast<std::uint16_t>(left.bits_ | right.bits_));
  }
  friend constexpr bool operator==(Slot, Slot) = default;

  constexpr bool includes(Slot other) const noexcept { return (bits_ & other.bits_) != 0; }
  constexpr bool is_single() const noexcept { return std::has_single_bit(bits_); }
  constexpr std::uint16_t bits() const noexcept { return bits_; }
  /// Place of a single slot in the order of dispatch.
  constexpr std::size_t index() const noexcept {
    return static_cast<std::size_t>(std::countr_zero(bits_));
  }

 private:
  std::uint16_t bits_;
};

/// The slots that events are sent to, in the order in which `process()` visits their lists.
namespace slot {
inline constexpr Slot tracker{1 << 0};
inline constexpr Slot hasher{1 << 1};
inline constexpr Slot crypto{1 << 2};
inline constexpr Slot store{1 << 3};
inline constexpr Slot protocol{1 << 4};
inline constexpr Slot wal{1 << 5};
inline constexpr Slot app{1 << 6};
inline constexpr Slot net{1 << 7};
/// The Node itself: replies to its callers, and orders to stop.
inline constexpr Slot node{1 << 8};
inline constexpr Slot all{(1 << 8) - 1};
}  // namespace slot

inline constexpr std::size_t slot_count = 9;
inline constexpr const char* slot_names[slot_count] = {
    "tracker", "hasher", "crypto", "store", "protocol", "wal", "app", "net", "node"};

/// A list of event types: `using consumes = events<Tick, MessageReceived<Message>>;`
template <class... Events>
struct events {};

/// Lists as one: for a module that is made of parts, each with its own events.
template <class... Lists>
struct Joined;
template <class... Es>
struct Joined<events<Es...>> {
  using type = events<Es...>;
};
template <class... As, class... Bs, class... Rest>
struct Joined<events<As...>, events<Bs...>, Rest...> : Joined<events<As..., Bs...>, Rest...> {};
template <class... Lists>
using joined = typename Joined<Lists...>::type;

/// Whether a list holds `E`.
template <class E, class List>
inline constexpr bool is_listed = false;
template <class E, class... Es>
inline constexpr bool is_listed<E, events<Es...>> = (std::is_same_v<E, Es> || ...);

/// Numbers of event templates: a family's number above, its origin's or entry's below, so that
/// `HashRequest<MyOrigin>` keeps its number whoever else asks for hashes.
///
/// The library's plain events have numbers below 1000, users' events from 1000 to 18999 (protobuf
/// keeps 19000 to 19999 for itself); origins and WAL entries of the library are below 1000, users'
/// from 1000 up to 65535.
constexpr std::uint32_t family_number(std::uint32_t family, std::uint32_t member) noexcept {
  return family << 16 | member;
}

}  // namespace mirbft

// <mirbft/events/reconfiguration.hpp>
// Changes of keys, as an App asks for them.

namespace mirbft {

/// A node's public key from now on.
struct NodeKey {
  NodeId node;
  /// None removes the key.
  std::optional<Bytes> key;

  friend bool operator==(const NodeKey&, const NodeKey&) = default;
};
/// A client's public key from now on.
struct ClientKey {
  ClientId client;
  /// None removes the key: nothing of this client is admitted any more.
  std::optional<Bytes> key;

  friend bool operator==(const ClientKey&, const ClientKey&) = default;
};

/// What an App may ask of the protocol, by `reconfigurations()`. What is asked for by requests of
/// epoch `e` holds from epoch `e + 2` on, at every replica. The members of a cluster cannot be
/// changed yet: a key of a node that is no member, and the removal of a member's key, are refused.
using Reconfiguration = std::variant<NodeKey, ClientKey>;

/// Longest public key that is taken, in bytes: those of all members must fit a vote.
inline constexpr std::size_t max_public_key_bytes = 64;

namespace wire {
template <>
inline constexpr std::string_view given_name<Reconfiguration> = "Reconfiguration";
}  // namespace wire

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::NodeKey, node, key);
BOOST_HANA_ADAPT_STRUCT(mirbft::ClientKey, client, key);

namespace mirbft {

/// The requests of a sequence number, in the order in which the App must apply them.
struct Apply {
  static constexpr auto destination = slot::app;
  static constexpr std::uint32_t number = 7;

  SeqNr sn;
  std::vector<Request> requests;
};

/// One chunk of an App's state.
struct AppChunk {
  std::uint64_t index = 0;
  Bytes data;
};

/// A piece of the App's state after exactly the sequence numbers up to `sn`. The state comes as
/// several of them, while later batches are applied.
struct AppSnapshot {
  static constexpr auto destination = slot::protocol;
  static constexpr std::uint32_t number = 13;

  SeqNr sn;
  /// How many chunks the whole state has.
  std::uint64_t chunks = 0;
  /// Some of those that have changed since the snapshot, or the restored state, before this one.
  std::vector<AppChunk> changed;
  /// How many more of them come in later pieces.
  std::uint64_t remaining = 0;
  /// In the last piece: what the requests since the snapshot before have asked for, in their order.
  std::vector<Reconfiguration> reconfigurations{};
};

/// Asks for what has changed in the state up to `sn`. May arrive before `Apply` of `sn`, never
/// after that of `sn + 1`.
struct AppSnapshotRequest {
  static constexpr auto destination = slot::app;
  static constexpr std::uint32_t number = 12;
  using answer = AppSnapshot;

  SeqNr sn;
};

/// The App's state is now the one after `sn`.
struct AppRestored {
  static constexpr auto destination = slot::protocol;
  static constexpr std::uint32_t number = 15;

  SeqNr sn;
};

/// Replaces the App's state by the one after `sn`.
struct AppRestoreState {
  static constexpr auto destination = slot::app;
  static constexpr std::uint32_t number = 14;
  using answer = AppRestored;

  SeqNr sn;
  /// All of its chunks, in their order.
  std::vector<Bytes> chunks;
};

/// The App's note to itself: the next piece of a snapshot, once the batches that have come
/// meanwhile are applied.
struct AppContinue {
  static constexpr auto destination = slot::app;
  static constexpr std::uint32_t number = 26;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::Apply, sn, requests);
BOOST_HANA_ADAPT_STRUCT(mirbft::AppChunk, index, data);
BOOST_HANA_ADAPT_STRUCT(mirbft::AppSnapshot, sn, chunks, changed, remaining, reconfigurations);
BOOST_HANA_ADAPT_STRUCT(mirbft::AppSnapshotRequest, sn);
BOOST_HANA_ADAPT_STRUCT(mirbft::AppRestored, sn);
BOOST_HANA_ADAPT_STRUCT(mirbft::AppRestoreState, sn, chunks);
BOOST_HANA_ADAPT_STRUCT(mirbft::AppContinue);

// <mirbft/events/crypto.hpp>
// Events for the Crypto module and its answers.

// <mirbft/events/tracker.hpp>
// Events for the Tracker, which admits clients' requests.

namespace mirbft {

/// Who else has a request that arrives here.
enum class Spread : std::uint8_t {
  /// The client sends it to every replica itself, as the ISS paper assumes.
  by_client,
  /// This replica alone has it and passes it on to the others.
  by_replica,
  /// The Protocol asked for it, because a proposal names it.
  fetched,
  /// Another replica passed it on. Its refusal concerns no caller here: a Byzantine replica may
  /// have made it up, under the number of an honest request.
  relayed,
};

/// Whether no caller of this replica waits for the answer.
constexpr bool is_from_replica(Spread spread) noexcept {
  return spread == Spread::fetched || spread == Spread::relayed;
}

/// A request arrived, from a caller of `submit`, a client's connection, or another replica.
struct NewRequest {
  static constexpr auto destination = slot::tracker;
  static constexpr std::uint32_t number = 3;

  Request request;
  Spread spread = Spread::by_client;
};

/// The Crypto module's verdict on a request's signature.
struct RequestSigVerified {
  static constexpr auto destination = slot::tracker;
  static constexpr std::uint32_t number = 20;

  RequestRef reference;
  SignatureCheck verdict = SignatureCheck::invalid;
  /// Of this epoch was the key, or of a later one in which it is the same.
  Epoch keys{};
};

/// The App's answer to one request.
struct Reply {
  ClientId client;
  ReqNo req_no;
  Bytes result;

  friend bool operator==(const Reply&, const Reply&) = default;
};

/// The App has applied the batch of a sequence number.
struct Applied {
  static constexpr auto destination = slot::tracker;
  static constexpr std::uint32_t number = 8;

  SeqNr sn;
  std::vector<Reply> replies;
};

/// An epoch begins: these windows hold until the next one.
struct WindowsMoved {
  static constexpr auto destination = slot::tracker;
  static constexpr std::uint32_t number = 10;

  Epoch epoch;
  /// Only the clients that have delivered anything, by ascending id; all others start at 0.
  std::vector<ClientWindow> windows;
  /// The clients whose key is another one from this epoch on, by ascending id: what they have
  /// signed with the old one and is not delivered is void.
  std::vector<ClientId> rekeyed{};
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::NewRequest, request, spread);
BOOST_HANA_ADAPT_STRUCT(mirbft::RequestSigVerified, reference, verdict, keys);
BOOST_HANA_ADAPT_STRUCT(mirbft::Reply, client, req_no, result);
BOOST_HANA_ADAPT_STRUCT(mirbft::Applied, sn, replies);
BOOST_HANA_ADAPT_STRUCT(mirbft::WindowsMoved, epoch, windows, rekeyed);

namespace mirbft {

/// This node's signature, for the module that asked.
template <class Origin>
struct SignResult {
  using origin_type = Origin;
  static constexpr auto destination = Origin::module;
  static constexpr std::uint32_t number = family_number(4, Origin::number);

  Bytes signature;
  Origin origin;
};

/// Asks for this node's signature over `message` (canonical bytes), by its key of `epoch`.
template <class Origin>
struct SignRequest {
  using origin_type = Origin;
  static constexpr auto destination = slot::crypto;
  static constexpr std::uint32_t number = family_number(3, Origin::number);
  using answer = SignResult<Origin>;

  Epoch epoch;
  Bytes message;
  Origin origin;
};

/// A signature that a node is said to have made over `message` (canonical bytes).
struct NodeSignature {
  NodeId node;
  Bytes message;
  Bytes signature;
};

/// One verdict for each of the request's signatures, in their order.
template <class Origin>
struct NodeSigsVerified {
  using origin_type = Origin;
  static constexpr auto destination = Origin::module;
  static constexpr std::uint32_t number = family_number(6, Origin::number);

  std::vector<SignatureCheck> verdicts;
  Origin origin;
};

/// Asks whether nodes have made these signatures, all by their keys of `epoch`: a retired key signs
/// nothing new, a new one nothing old.
template <class Origin>
struct VerifyNodeSigs {
  using origin_type = Origin;
  static constexpr auto destination = slot::crypto;
  static constexpr std::uint32_t number = family_number(5, Origin::number);
  using answer = NodeSigsVerified<Origin>;

  Epoch epoch;
  std::vector<NodeSignature> signatures;
  Origin origin;
};

/// Asks whether `authenticator` is the client's signature over the reference.
struct VerifyRequestSig {
  static constexpr auto destination = slot::crypto;
  static constexpr std::uint32_t number = 19;
  using answer = RequestSigVerified;

  RequestRef reference;
  Bytes authenticator;
};

/// Keys of nodes from an epoch on. Those of earlier epochs stay as they are.
struct UpdateNodeKeys {
  static constexpr auto destination = slot::crypto;
  static constexpr std::uint32_t number = 17;

  Epoch from;
  std::vector<NodeKey> keys;
};

/// No signature of an epoch before this one will be asked about any more.
struct ForgetNodeKeys {
  static constexpr auto destination = slot::crypto;
  static constexpr std::uint32_t number = 30;

  Epoch before;
};

/// Changes keys of clients, since `epoch` begins; what was asked for before is verified under the
/// old ones.
struct UpdateClientKeys {
  static constexpr auto destination = slot::crypto;
  static constexpr std::uint32_t number = 18;

  Epoch epoch;
  std::vector<ClientKey> keys;
};

}  // namespace mirbft

MIRBFT_ADAPT_TEMPLATE(mirbft::SignResult, signature, origin);
MIRBFT_ADAPT_TEMPLATE(mirbft::SignRequest, epoch, message, origin);
MIRBFT_ADAPT_TEMPLATE(mirbft::NodeSigsVerified, verdicts, origin);
MIRBFT_ADAPT_TEMPLATE(mirbft::VerifyNodeSigs, epoch, signatures, origin);
BOOST_HANA_ADAPT_STRUCT(mirbft::NodeSignature, node, message, signature);
BOOST_HANA_ADAPT_STRUCT(mirbft::VerifyRequestSig, reference, authenticator);
BOOST_HANA_ADAPT_STRUCT(mirbft::UpdateNodeKeys, from, keys);
BOOST_HANA_ADAPT_STRUCT(mirbft::ForgetNodeKeys, before);
BOOST_HANA_ADAPT_STRUCT(mirbft::UpdateClientKeys, epoch, keys);

// <mirbft/events/hasher.hpp>
// Events for the Hasher and its answers.

namespace mirbft {

/// The digest of a `HashRequest`, routed to the module that its origin names.
template <class Origin>
struct HashResult {
  using origin_type = Origin;
  static constexpr auto destination = Origin::module;
  static constexpr std::uint32_t number = family_number(2, Origin::number);

  Digest digest;
  Origin origin;
};

/// Asks for the hash of the concatenation of `parts`. They are parts only to save copying: make
/// them one unambiguous string with `wire::canonical`.
template <class Origin>
struct HashRequest {
  using origin_type = Origin;
  static constexpr auto destination = slot::hasher;
  static constexpr std::uint32_t number = family_number(1, Origin::number);
  using answer = HashResult<Origin>;

  std::vector<Bytes> parts;
  Origin origin;
};

}  // namespace mirbft

MIRBFT_ADAPT_TEMPLATE(mirbft::HashResult, digest, origin);
MIRBFT_ADAPT_TEMPLATE(mirbft::HashRequest, parts, origin);

// <mirbft/events/net.hpp>
// Events for the Net.

namespace mirbft {

/// Sends a protocol message to other replicas. The message is encoded once for all of them.
template <class Message>
struct SendMessage {
  static constexpr auto destination = slot::net;
  static constexpr std::uint32_t number = 5;

  std::vector<NodeId> destinations;
  Message message;
};

}  // namespace mirbft

MIRBFT_ADAPT_TEMPLATE(mirbft::SendMessage, destinations, message);

// <mirbft/events/node.hpp>
// Events of the Node itself: what it tells its modules, and what it is told.

namespace mirbft {

/// The write-ahead log has been played back: from here on, modules may act.
struct Init {
  static constexpr auto destination = slot::all;
  static constexpr std::uint32_t number = 1;
};

/// The only time that deterministic modules know: since some fixed point, never going back.
struct Tick {
  static constexpr auto destination = slot::protocol | slot::tracker;
  static constexpr std::uint32_t number = 2;

  std::chrono::nanoseconds now{};
};

/// What became of a submitted request; goes to the caller who waits for it.
struct Replied {
  static constexpr auto destination = slot::node;
  static constexpr std::uint32_t number = 9;

  ClientId client;
  ReqNo req_no;
  Outcome outcome = Outcome::delivered;
  /// Where it was delivered; 0 unless `outcome` is `delivered`.
  SeqNr sn;
  /// Of the App; if `outcome` is `rejected_window`, where the client stands (`ClientPosition`).
  Bytes result;
};

/// A deterministic module found that going on would be wrong; the Node stops and says why.
struct Halt {
  static constexpr auto destination = slot::node;
  static constexpr std::uint32_t number = 23;

  std::string reason;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::Init);
BOOST_HANA_ADAPT_STRUCT(mirbft::Tick, now);
BOOST_HANA_ADAPT_STRUCT(mirbft::Replied, client, req_no, outcome, sn, result);
BOOST_HANA_ADAPT_STRUCT(mirbft::Halt, reason);

// <mirbft/events/protocol.hpp>
// Events for the Protocol that come from no origin of its own.

namespace mirbft {

/// A message of another replica. Its sender is authenticated by the Net, or vouched for by the
/// caller of `Node::step`.
template <class Message>
struct MessageReceived {
  static constexpr auto destination = slot::protocol;
  static constexpr std::uint32_t number = 4;

  NodeId from;
  Message message;
};

/// A request is authentic, its body durable: it may be proposed and voted for.
struct RequestReady {
  static constexpr auto destination = slot::protocol;
  static constexpr std::uint32_t number = 22;

  RequestRef reference;
  /// Length of the body in bytes, for the limits of a batch.
  std::uint32_t size = 0;
  Spread spread = Spread::by_client;
  /// As in `RequestSigVerified`.
  Epoch keys{};
};

}  // namespace mirbft

MIRBFT_ADAPT_TEMPLATE(mirbft::MessageReceived, from, message);
BOOST_HANA_ADAPT_STRUCT(mirbft::RequestReady, reference, size, spread, keys);

// <mirbft/events/store.hpp>
// Events for the Store, which keeps the bodies of requests.

namespace mirbft {

/// Keeps a request whose signature is verified; follow-ups run once it is durable.
struct StoreVerifiedRequest {
  static constexpr auto destination = slot::store;
  static constexpr std::uint32_t number = 21;

  RequestRef reference;
  Bytes data;
  Bytes authenticator;
};

/// What the Store has of the requests that were asked for.
template <class Origin>
struct RequestsFetched {
  using origin_type = Origin;
  static constexpr auto destination = Origin::module;
  static constexpr std::uint32_t number = family_number(8, Origin::number);

  /// Those that are there, in the order of the request.
  std::vector<Request> found;
  std::vector<RequestRef> absent;
  Origin origin;
};

/// Asks for the bodies of requests.
template <class Origin>
struct FetchRequests {
  using origin_type = Origin;
  static constexpr auto destination = slot::store;
  static constexpr std::uint32_t number = family_number(7, Origin::number);
  using answer = RequestsFetched<Origin>;

  std::vector<RequestRef> references;
  Origin origin;
};

/// A sequence number is decided and it is its turn; the Store resolves the references and sends
/// `Apply` on to the App. Every body must be there.
struct Deliver {
  static constexpr auto destination = slot::store;
  static constexpr std::uint32_t number = 6;

  SeqNr sn;
  Batch batch;
};

/// Forgets what a stable checkpoint covers.
struct CollectRequests {
  static constexpr auto destination = slot::store;
  static constexpr std::uint32_t number = 11;

  Collection collection;
};

}  // namespace mirbft

MIRBFT_ADAPT_TEMPLATE(mirbft::RequestsFetched, found, absent, origin);
MIRBFT_ADAPT_TEMPLATE(mirbft::FetchRequests, references, origin);
BOOST_HANA_ADAPT_STRUCT(mirbft::StoreVerifiedRequest, reference, data, authenticator);
BOOST_HANA_ADAPT_STRUCT(mirbft::Deliver, sn, batch);
BOOST_HANA_ADAPT_STRUCT(mirbft::CollectRequests, collection);

// <mirbft/events/wal.hpp>
// Events for the write-ahead log.

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

// <mirbft/engine/app_chunks.hpp>
// The state of an App as chunks, whichever form the App has.

#include <functional>

// <mirbft/concepts.hpp>
// What each of a Node's nine modules must offer.

// <mirbft/engine/event_list.hpp>
// The list of events that wait for one module.

// <mirbft/engine/cell.hpp>
// Storage for one event of a fixed set, filled once and emptied once by a generated visitor.

namespace mirbft::engine {

/// A `std::variant` whose life the engine controls: libstdc++ destroys and moves variants of
/// twelve or more alternatives through a table of functions, so neither ever happens here. The
/// event moves in, and out again or to its end, by `visit_alternative`.
template <class... Es>
class Cell {
 public:
  using Variant = std::variant<Es...>;

  Cell() noexcept {}
  ~Cell() {}
  Cell(const Cell&) = delete;
  Cell& operator=(const Cell&) = delete;

  /// Requires an empty cell.
  template <class E>
  E& put(E&& event) {
    std::construct_at(&variant_, std::in_place_type<E>, std::move(event));
    return *std::get_if<E>(&variant_);
  }

  /// Hands the event to `use(E&&)` and empties the cell, also when `use` throws.
  template <class Use>
  void take(Use&& use) {
    visit_alternative(variant_, [&use](auto& event) {
      struct Emptied {
        decltype(event) held;
        ~Emptied() { std::destroy_at(&held); }
      } emptied{event};
      use(std::move(event));
    });
  }

  /// Calls `look(const E&)`. Requires a filled cell.
  template <class Look>
  void peek(Look&& look) const {
    visit_alternative(const_cast<Variant&>(variant_),
                      [&look](auto& event) { look(std::as_const(event)); });
  }

 private:
  union {
    Variant variant_;
  };
};

}  // namespace mirbft::engine

// <mirbft/engine/follow_ups.hpp>
// Events that wait for another event to be processed: `out.emit(a).then(b, chain(c).then(d))`.

#include <tuple>

namespace mirbft {

/// An event with its follow-ups, as a value; made by `chain`.
template <class E, class... Next>
struct Chain {
  E event;
  std::tuple<Next...> next;
};

/// Begins a nested follow-up: `chain(SendMessage{…}).then(Deliver{…})`.
template <class E>
struct ChainStart {
  E event;

  template <class... Next>
  Chain<E, Next...> then(Next... next) && {
    return {std::move(event), {std::move(next)...}};
  }
};
template <class E>
ChainStart<E> chain(E event) {
  return {std::move(event)};
}

namespace engine {

/// Handle of a list of follow-ups in a `FollowUpSlab`; null means none. Eight bytes beside each
/// event, so that event structs need not know of one another.
struct FollowUps {
  void* first = nullptr;

  explicit operator bool() const noexcept { return first != nullptr; }
};

/// Where follow-ups wait: reused nodes in chunks that never move. Used by one thread.
template <class List>
class FollowUpSlab;

template <class... Es>
class FollowUpSlab<events<Es...>> {
 public:
  FollowUpSlab() = default;
  FollowUpSlab(const FollowUpSlab&) = delete;
  FollowUpSlab& operator=(const FollowUpSlab&) = delete;
  /// Follow-ups whose parents were never processed end here: those that are not on the free list.
  ~FollowUpSlab() {
    for (Node* node = free_; node; node = node->sibling) node->is_free = true;
    for (const std::unique_ptr<Node[]>& chunk : chunks_)
      for (std::size_t i = 0; i < chunk_size; ++i)
        if (!chunk[i].is_free) chunk[i].event.take([](auto&&) {});
  }

  /// Whether it never held anything.
  bool is_unused() const noexcept { return chunks_.empty(); }

  /// Puts an event at the end of `list`; returns the place for its own follow-ups.
  template <class E>
  FollowUps& append(FollowUps& list, E&& event) {
    if (!free_) grow();
    Node& node = *free_;
    node.event.put(std::move(event));
    free_ = std::exchange(node.sibling, nullptr);
    node.next = {};
    if (list) {
      Node* const first = first_of(list);
      first->last->sibling = &node;
      first->last = &node;
    } else {
      list.first = &node;
      node.last = &node;
    }
    return node.next;
  }

  /// Takes the events out in their order: `use(E&&, FollowUps its_own)`.
  template <class Use>
  void release(FollowUps list, Use&& use) {
    for (Node* node = first_of(list); node;) {
      Node* const sibling = node->sibling;
      const Freed freed{*this, *node};
      node->event.take([&](auto&& event) { use(std::move(event), node->next); });
      node = sibling;
    }
  }

 private:
  static constexpr std::size_t chunk_size = 256;
  struct Node {
    Cell<Es...> event;
    FollowUps next;
    Node* sibling = nullptr;
    Node* last = nullptr;  // of its list, in the list's first node
    bool is_free = false;  // known at the end only
  };
  /// Puts a node on the free list once it is empty, which it also is when its user threw.
  struct Freed {
    FollowUpSlab& slab;
    Node& node;
    ~Freed() { node.sibling = std::exchange(slab.free_, &node); }
  };

  static Node* first_of(FollowUps list) noexcept { return static_cast<Node*>(list.first); }

  void grow() {
    chunks_.push_back(std::make_unique<Node[]>(chunk_size));
    for (std::size_t i = chunk_size; i-- > 0;)
      chunks_.back()[i].sibling = std::exchange(free_, &chunks_.back()[i]);
  }

  Node* free_ = nullptr;
  std::vector<std::unique_ptr<Node[]>> chunks_;
};

}  // namespace engine
}  // namespace mirbft

namespace mirbft::engine {

/// No list may hold more events than this. The Node stops taking input long before (see
/// `NodeConfig::busy_above`), so reaching it means that a module emits without end.
inline constexpr std::size_t list_capacity = std::size_t{1} << 22;

/// A FIFO of events with their follow-ups, in chunks that never move and are reused.
template <class List>
class EventList;

/// A module that handles nothing.
template <>
class EventList<events<>> {
 public:
  std::size_t size() const noexcept { return 0; }
  template <class Look>
  void for_each(Look&&) const {}
  template <class Use>
  void consume(std::vector<FollowUps>&, Use&&) {}
  template <class Use>
  void consume_items(Use&&) {}
  template <class Use>
  void consume_part(std::size_t, std::size_t, Use&&) {}
  void consumed(std::vector<FollowUps>&) {}
  void append(EventList&) {}
};

template <class... Es>
class EventList<events<Es...>> {
 public:
  EventList() = default;
  EventList(EventList&& other) noexcept
      : chunks_(std::move(other.chunks_)),
        last_(std::exchange(other.last_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        taken_(std::exchange(other.taken_, 0)) {}
  EventList& operator=(EventList&& other) noexcept {
    std::swap(chunks_, other.chunks_);
    std::swap(last_, other.last_);
    std::swap(size_, other.size_);
    std::swap(taken_, other.taken_);
    return *this;
  }
  ~EventList() {
    while (taken_ < size_) at(taken_++).event.take([](auto&&) {});
  }

  std::size_t size() const noexcept { return size_ - taken_; }

  /// Appends; returns the place for the event's follow-ups, valid until the list is consumed.
  template <class E>
  FollowUps& push(E&& event) {
    if (size_ % chunk_size == 0) begin_chunk();
    Item& item = last_[size_ % chunk_size];
    item.event.put(std::move(event));
    item.next = {};
    ++size_;
    return item.next;
  }

  /// Moves everything from `other`, whose follow-ups wait in the same place, to the end.
  void append(EventList& other) {
    if (size() == 0) return std::swap(*this, other);
    other.consume_items(
        [this](auto&& event, FollowUps next) { this->push(std::move(event)) = next; });
  }

  /// Calls `look(const E&)` for each event, in order.
  template <class Look>
  void for_each(Look&& look) const {
    for (std::size_t i = taken_; i < size_; ++i) at(i).event.peek(look);
  }

  /// Hands each event to `use(E&&)`, collects their follow-ups in order, and empties the list.
  /// When `use` throws, the rest stays.
  template <class Use>
  void consume(std::vector<FollowUps>& follow_ups, Use&& use) {
    while (taken_ < size_) {
      Item& item = at(taken_++);
      item.event.take(use);
      if (item.next) follow_ups.push_back(item.next);
    }
    size_ = taken_ = 0;
  }

  /// Hands each event with its follow-ups to `use(E&&, FollowUps)`, and empties the list.
  template <class Use>
  void consume_items(Use&& use) {
    while (taken_ < size_) {
      Item& item = at(taken_++);
      item.event.take([&](auto&& event) { use(std::move(event), item.next); });
    }
    size_ = taken_ = 0;
  }

  /// As `consume`, but of the part `[begin, end)`, by one of several threads. `use` must not
  /// throw. When every part is consumed, one thread calls `consumed`.
  template <class Use>
  void consume_part(std::size_t begin, std::size_t end, Use&& use) {
    for (std::size_t i = begin; i < end; ++i) at(i).event.take(use);
  }
  /// Collects the follow-ups after `consume_part` has covered everything.
  void consumed(std::vector<FollowUps>& follow_ups) {
    for (std::size_t i = 0; i < size_; ++i)
      if (at(i).next) follow_ups.push_back(at(i).next);
    size_ = taken_ = 0;
  }

 private:
  static constexpr std::size_t chunk_size = 64;
  struct Item {
    Cell<Es...> event;
    FollowUps next;
  };
  using Chunk = std::unique_ptr<Item[]>;

  Item& at(std::size_t i) { return chunks_[i / chunk_size][i % chunk_size]; }
  const Item& at(std::size_t i) const { return chunks_[i / chunk_size][i % chunk_size]; }

  void begin_chunk() {
    if (size_ >= list_capacity) throw ModuleFailure("its list of events is full");
    const std::size_t chunk = size_ / chunk_size;
    if (chunk == chunks_.size()) chunks_.push_back(std::make_unique<Item[]>(chunk_size));
    last_ = chunks_[chunk].get();
  }

  std::vector<Chunk> chunks_;
  Item* last_ = nullptr;  // the chunk that is being filled
  std::size_t size_ = 0;
  std::size_t taken_ = 0;
};

}  // namespace mirbft::engine

// <mirbft/engine/module_traits.hpp>
// What the engine reads off a module type: its lists of events, its placement, its status.

namespace mirbft {

/// Where the threaded driver runs a module. A module type may declare
/// `using placement = placement::thread;`; the wrappers below overrule it.
namespace placement {
/// On the dispatching thread: right for whatever is cheaper than waking a thread (28 to 48 µs).
struct dispatcher {
  static constexpr std::size_t threads = 0;
};
/// On a thread of its own, which gets whole lists: that is the group commit.
struct thread {
  static constexpr std::size_t threads = 1;
};
/// Each list is split among N threads; the module's calls must be `const` and thread-safe.
template <std::size_t N>
struct pool {
  static_assert(N > 0, "[mirbft] a pool needs at least one thread: name N in pool<N>");
  static constexpr std::size_t threads = N;
};
}  // namespace placement

/// Module `M`, run on the dispatching thread whatever it declares.
template <class M>
struct inline_ {};
/// Module `M`, run on a thread of its own.
template <class M>
struct on_thread {};
/// Module `M`, run on a pool of `N` threads.
template <class M, std::size_t N>
struct on_pool {};

namespace engine {

template <class M>
concept DeclaresPlacement = requires { typename M::placement; };
template <class M>
concept DeclaresConsumes = requires { typename M::consumes; };
template <class M>
concept DeclaresEmits = requires { typename M::emits; };

/// `M`, or what a placement wrapper wraps, and where it runs.
template <class M>
struct Placed {
  using module = M;
  using where = placement::dispatcher;
};
template <DeclaresPlacement M>
struct Placed<M> {
  using module = M;
  using where = typename M::placement;
};
template <class M>
struct Placed<inline_<M>> {
  using module = M;
  using where = placement::dispatcher;
};
template <class M>
struct Placed<on_thread<M>> {
  using module = M;
  using where = placement::thread;
};
template <class M, std::size_t N>
struct Placed<on_pool<M, N>> {
  using module = M;
  using where = placement::pool<N>;
};

template <class M>
using module_of = typename Placed<M>::module;

template <class List>
inline constexpr bool is_list_of_events = false;
template <class... Es>
inline constexpr bool is_list_of_events<events<Es...>> = true;

template <class M>
struct ConsumedBy {
  using type = events<>;
};
template <DeclaresConsumes M>
  requires is_list_of_events<typename M::consumes>
struct ConsumedBy<M> {
  using type = typename M::consumes;
};

template <class M>
struct EmittedBy {
  using type = events<>;
};
template <DeclaresEmits M>
  requires is_list_of_events<typename M::emits>
struct EmittedBy<M> {
  using type = typename M::emits;
};

/// The events that `M` handles by `process(E, out)`; none where it does not say.
template <class M>
using consumes_of = typename ConsumedBy<M>::type;
/// The events that `M` may emit.
template <class M>
using emits_of = typename EmittedBy<M>::type;

/// What a module reports when it reports nothing.
struct NoStatus {};

template <class M>
concept HasStatus = requires(const M& module) { module.status(); };

template <class M>
auto status_of(const M& module) {
  if constexpr (HasStatus<M>) {
    return module.status();
  } else {
    return NoStatus{};
  }
}

}  // namespace engine
}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::engine::NoStatus);

namespace mirbft {

// Every module is a movable type. It may offer `status()`, which returns a reflected struct for
// the operator; `using placement = placement::…`; and `consumes`, `emits` and `process` for
// events of its own. Its calls come from one thread at a time unless its concept says otherwise.

/// Exchanges frames with the other replicas; knows nothing of what is in them.
/// `send` never blocks: it queues, and drops and counts when the peer's queue is full. `flush`
/// comes after each list of sends. `poll(sink, at_most, max_frames)` waits for a frame or a wake-up
/// and calls `sink(NodeId from, Bytes payload)` for what has arrived; the sender is authentic as
/// far as the Net can tell. `wake` may be called from any thread and ends a poll. `close` sends
/// what is queued.
template <class M>
concept IsNet = std::movable<engine::module_of<M>> &&
                requires(engine::module_of<M>& net, NodeId to, FrameClass kind,
                         const Bytes& payload, void (*sink)(NodeId, Bytes)) {
                  net.send(to, kind, payload);
                  net.flush();
                  net.poll(sink, std::chrono::nanoseconds(0), std::size_t{1});
                  net.wake();
                  net.close();
                };

/// Hashes like any standard hasher: `update` takes the next bytes, `finish` returns the digest of
/// all of them and begins anew.
template <class M>
concept IsHasher = std::movable<engine::module_of<M>> &&
                   requires(engine::module_of<M>& hasher, ByteView bytes) {
                     hasher.update(bytes);
                     { hasher.finish() } -> std::same_as<Digest>;
                   };

/// Signs for this node and verifies the signatures of nodes and clients, whose keys it keeps.
/// The `const` calls may run on several threads at once, the updates never beside another call.
///
/// A node's key may change between epochs. `update_node_key(node, from, key)` says which one holds
/// from an epoch on, and leaves those of earlier epochs as they are until
/// `forget_node_keys(before)` says that none before this one is asked about. `sign` and
/// `verify_node` use the key of the epoch that they name. A `sign` without the secret to the own
/// public key of that epoch throws ModuleFailure. Clients have one key at a time.
template <class M>
concept IsCrypto = std::movable<engine::module_of<M>> &&
                   requires(engine::module_of<M>& crypto, const engine::module_of<M>& keys,
                            NodeId node, Epoch epoch, ClientId client, ByteView bytes,
                            std::optional<Bytes> key) {
                     { keys.sign(epoch, bytes) } -> std::same_as<Bytes>;
                     {
                       keys.verify_node(node, epoch, bytes, bytes)
                     } -> std::same_as<SignatureCheck>;
                     { keys.verify_client(client, bytes, bytes) } -> std::same_as<SignatureCheck>;
                     crypto.update_node_key(node, epoch, key);
                     crypto.forget_node_keys(epoch);
                     crypto.update_client_key(client, key);
                   };

/// The replicated service. `apply` is called once for each sequence number that holds requests,
/// in order, and returns one result a request; it must depend on nothing but its arguments and
/// its state.
///
/// An App may change keys: `std::vector<Reconfiguration> reconfigurations()` is called with each
/// `snapshot` or `freeze`, and hands out what the requests applied since the last call, or since
/// `restore`, have asked for. It is part of the checkpoint then, and holds from the second next
/// epoch on.
template <class M>
concept AppliesRequests =
    std::movable<engine::module_of<M>> &&
    requires(engine::module_of<M>& app, SeqNr sn, std::span<const Request> requests) {
      { app.apply(sn, requests) } -> std::same_as<std::vector<Bytes>>;
    };

/// The simple form, for small states: `snapshot` writes all of the state, the same bytes for the
/// same state, while nothing else goes on; `restore` replaces the state by one so described.
template <class M>
concept IsSimpleApp = AppliesRequests<M> && requires(engine::module_of<M>& app, ByteView state) {
  { app.snapshot() } -> std::same_as<Bytes>;
  app.restore(state);
};

/// The chunked form, for large states, of which a checkpoint takes what has changed. The state is
/// a row of numbered chunks, of `good_chunk_size` at most where that can be. What is in which
/// chunk is the App's affair, but part of the state: a function of the requests alone.
///
/// `freeze` says how many chunks there are, and which differ from what they were at the last
/// `freeze` or `restore`; of a new App all do. It delays the requests, so it should only note
/// down. Afterwards `frozen(i)` is called once for each of those, between later calls of `apply`,
/// and returns the chunk as it was at `freeze`; all of them are read before the next `freeze`.
/// Chunks are added at the end; when one goes, the last one takes its number.
/// `restore` replaces the state, by all chunks in their order; that also ends a `freeze`.
template <class M>
concept IsChunkedApp =
    AppliesRequests<M> && requires(engine::module_of<M>& app, std::uint64_t index,
                                   std::span<const Bytes> chunks) {
      { app.freeze() } -> std::same_as<FrozenChunks>;
      { app.frozen(index) } -> std::same_as<Bytes>;
      app.restore(chunks);
    };

/// Of one form or the other; where an App has both, the engine takes the chunked one.
template <class M>
concept IsApp = IsSimpleApp<M> || IsChunkedApp<M>;

/// A write-ahead log. What was appended before `sync` is durable after it. `replay` calls
/// `f(type, entry)` for all that is in the log, in order; `truncate(i)` allows entries with a
/// lower retention index to be dropped. An error is an exception and stops the Node. A log that
/// keeps nothing may say so by `static constexpr bool discards = true;`, and is then not called.
template <class M>
concept IsWal = std::movable<engine::module_of<M>> &&
                requires(engine::module_of<M>& wal, Bytes entry, RetentionIndex index,
                         void (*f)(std::uint32_t, const Bytes&)) {
                  wal.append(std::uint32_t{1}, entry, index);
                  wal.sync();
                  wal.truncate(index);
                  wal.replay(f);
                };

/// Admits clients' requests: window, duplicates, size, authenticity, durability. Event-shaped:
/// it handles at least NewRequest and Applied.
template <class M>
concept IsTracker = std::movable<engine::module_of<M>> && requires {
  typename engine::module_of<M>::consumes;
  typename engine::module_of<M>::emits;
};

/// Keeps the bodies of requests. `put` of one that is there already takes the new authenticator in
/// place of the old: the client may have another key by now. `get` returns null for an unknown
/// reference, and a pointer that is valid until the next call. `delivered` says where references
/// were delivered, so that `collect` can drop them.
template <class M>
concept IsStore =
    std::movable<engine::module_of<M>> &&
    requires(engine::module_of<M>& store, const RequestRef& reference, Bytes bytes, SeqNr sn,
             Batch batch, const Collection& collection) {
      store.put(reference, bytes, bytes);
      store.sync();
      { store.get(reference) } -> std::convertible_to<const Request*>;
      store.delivered(sn, batch);
      store.collect(collection);
    };

/// Orders requests: a deterministic state machine over events. `Message` is what it sends to
/// other replicas, a variant of reflected structs, and `frame_class` tells the Net how to treat
/// one.
template <class M>
concept IsProtocol =
    std::movable<engine::module_of<M>> &&
    requires(const typename engine::module_of<M>::Message& message) {
      typename engine::module_of<M>::consumes;
      typename engine::module_of<M>::emits;
      { engine::module_of<M>::frame_class(message) } -> std::same_as<FrameClass>;
    };

/// Sees every list of events as it is dispatched: `intercept(slot, list)`, where
/// `list.for_each(look)` calls `look(const Event&)` in order. `begin(self, cluster, events<…>)`
/// tells it beforehand what it may see; `end` is the last call.
template <class M>
concept IsInterceptor =
    std::movable<M> && requires(M& interceptor, NodeId self, ByteView cluster,
                                const engine::EventList<events<>>& list) {
      interceptor.begin(self, cluster, events<Init>{});
      interceptor.intercept(slot::node, list);
      interceptor.end();
    };

}  // namespace mirbft

namespace mirbft::engine {

/// Calls a chunked App, and sees that it keeps to what it must. Throws ModuleFailure.
template <class App>
class AppChunks {
 public:
  FrozenChunks freeze(App& app) {
    FrozenChunks frozen = app.freeze();
    if (frozen.count > max_chunks)
      throw ModuleFailure("the App's state has " + std::to_string(frozen.count) +
                          " chunks, and may have " + std::to_string(max_chunks) +
                          ": make larger chunks");
    const auto& changed = frozen.changed;
    if (std::adjacent_find(changed.begin(), changed.end(), std::greater_equal<>()) !=
            changed.end() ||
        (!changed.empty() && changed.back() >= frozen.count))
      throw ModuleFailure("the App must list changed chunks by ascending number, all below the "
                          "count of its chunks");
    const auto first_new = std::ranges::lower_bound(changed, count_);
    if (frozen.count > count_ &&
        static_cast<std::uint64_t>(changed.end() - first_new) != frozen.count - count_)
      throw ModuleFailure("the App must list every chunk that is new as one that has changed");
    count_ = frozen.count;
    return frozen;
  }
  Bytes read(App& app, std::uint64_t index) {
    Bytes chunk = app.frozen(index);
    if (chunk.size() > max_chunk_size)
      throw ModuleFailure("chunk " + std::to_string(index) + " of the App's state has " +
                          std::to_string(chunk.size()) + " bytes, and may have " +
                          std::to_string(max_chunk_size) + ": make smaller chunks");
    return chunk;
  }
  void restore(App& app, const std::vector<Bytes>& chunks) {
    app.restore(std::span<const Bytes>(chunks));
    count_ = chunks.size();
  }

 private:
  /// At the last `freeze` or `restore`.
  std::uint64_t count_ = 0;
};

/// Cuts the bytes of a simple App into chunks, and finds out which have changed.
template <class App>
  requires(!IsChunkedApp<App>)
class AppChunks<App> {
 public:
  FrozenChunks freeze(App& app) {
    const Bytes before = std::exchange(state_, app.snapshot());
    FrozenChunks frozen{chunks_of(state_), {}};
    for (std::uint64_t index = 0; index < frozen.count; ++index)
      if (index >= chunks_of(before) || slice(before, index) != slice(state_, index))
        frozen.changed.push_back(index);
    return frozen;
  }
  /// A copy: a slice would keep all of an old state alive.
  Bytes read(App& /*app*/, std::uint64_t index) const { return Bytes(slice(state_, index).view()); }
  void restore(App& app, const std::vector<Bytes>& chunks) {
    state_ = joined(chunks);
    app.restore(state_.view());
  }

 private:
  static std::uint64_t chunks_of(const Bytes& state) noexcept {
    return (state.size() + good_chunk_size - 1) / good_chunk_size;
  }
  static Bytes slice(const Bytes& state, std::uint64_t index) noexcept {
    return state.slice(index * good_chunk_size, good_chunk_size);
  }
  static Bytes joined(const std::vector<Bytes>& chunks) {
    std::size_t length = 0;
    for (const Bytes& chunk : chunks) length += chunk.size();
    return Bytes::filled(length, [&](std::uint8_t* at) {
      for (const Bytes& chunk : chunks) at = std::copy(chunk.begin(), chunk.end(), at);
    });
  }

  /// As of the last `freeze` or `restore`.
  Bytes state_;
};

}  // namespace mirbft::engine

// <mirbft/engine/assertions.hpp>
// What can be wrong with the wiring of a Node, in sentences that a compiler prints.

namespace mirbft::engine::wiring {

// A flaw in the wiring is a type whose name reads as a sentence, so that the compiler's first line
// says it: `event<Applied>::emitted_by<MyApp>::is_not_handled_by<MyTracker>`. It is only named
// where it is found; as a base class of Node it is looked into, and its assertion says what to do.
// So a flaw makes one error, without a cascade.

/// False, but not before the types are there; a compiler shows them with the assertion.
template <class... Ts>
inline constexpr bool fits = false;

template <class M>
struct module {
  template <class NoList>
  struct declares_no_list_but {
    static_assert(fits<M, NoList>,
                  "[mirbft] `consumes` and `emits` are lists of events: write `using emits = "
                  "events<...>;`");
  };
};

template <class E>
struct event {
  template <class M>
  struct emitted_by {
    /// `D` is the module in the event's destination.
    template <class D>
    struct is_not_handled_by {
      static_assert(fits<E, M, D>,
                    "[mirbft] nobody handles this event: add it to `consumes` of the module in its "
                    "destination slot, or take it out of the `emits` of the module it comes from");
    };
    template <class AndSo>
    struct has_no_destination {
      static_assert(fits<E, M, AndSo>,
                    "[mirbft] this type is no event: give it `static constexpr auto destination = "
                    "slot::...;` and `static constexpr std::uint32_t number = ...;`");
    };
    template <class Origin>
    struct is_for_an_origin_without_module {
      static_assert(fits<E, M, Origin>,
                    "[mirbft] nobody could get the answer: give the origin `static constexpr auto "
                    "module = slot::...;` and `static constexpr std::uint32_t number = ...;`");
    };
    template <class Declared>
    struct is_not_declared_among {
      static_assert(fits<E, M, Declared>,
                    "[mirbft] this module emits an event that it does not declare: add the event "
                    "to the module's `using emits = events<...>;`");
    };
    template <class AndSo>
    struct goes_to_several_and_has_follow_ups {
      static_assert(fits<E, M, AndSo>,
                    "[mirbft] a broadcast has no follow-ups: chain them to an event with a single "
                    "destination");
    };
  };

  template <class M>
  struct consumed_by {
    template <class AndSo>
    struct without_process {
      static_assert(fits<E, M, AndSo>,
                    "[mirbft] the module lists this event in `consumes`, so give it a public "
                    "`void process(Event, auto& out)`, and just one that fits");
    };
    template <class Result>
    struct with_process_returning {
      static_assert(fits<E, M, Result>,
                    "[mirbft] `process` must be declared to return void: what it has to say it "
                    "emits into `out`");
    };
    template <class Task>
    struct but_handled_by {
      static_assert(fits<E, M, Task>,
                    "[mirbft] the engine turns this event into calls of the module, so `process` "
                    "would never be called: take the event out of `consumes`");
    };
  };

  template <class Other>
  struct and_event {
    template <std::uint32_t Number>
    struct have_the_same_number {
      static_assert(fits<E, Other>,
                    "[mirbft] numbers name events in logs, so no two events of a Node may share "
                    "one: give one of these another `number`");
    };
  };
};

}  // namespace mirbft::engine::wiring

// <mirbft/engine/callback.hpp>
// A caller's function that runs once, when its request is answered.

namespace mirbft::engine {

/// Owns any callable `f(const Replied&)`; a small one stands in place, since every request has
/// one. Called off the way of events, after a round's work.
class Callback {
 public:
  template <class F>
    requires(!std::is_same_v<F, Callback>)
  explicit Callback(F function) {
    if constexpr (sizeof(F) <= room && alignof(F) <= alignof(std::max_align_t) &&
                  std::is_nothrow_move_constructible_v<F>) {
      put(std::move(function));
    } else {
      put([boxed = std::make_unique<F>(std::move(function))](const Replied& reply) {
        (*boxed)(reply);
      });
    }
  }
  Callback(Callback&& other) noexcept : acts_(std::exchange(other.acts_, nullptr)) {
    if (acts_) acts_->move(other.storage_, storage_);
  }
  Callback& operator=(Callback&& other) noexcept {
    if (this == &other) return *this;
    this->~Callback();
    return *std::construct_at(this, std::move(other));
  }
  ~Callback() {
    if (acts_) acts_->destroy(storage_);
  }

  void operator()(const Replied& reply) { acts_->call(storage_, reply); }

 private:
  static constexpr std::size_t room = 48;

  struct Acts {
    void (*call)(void*, const Replied&);
    /// Leaves nothing behind.
    void (*move)(void* from, void* to) noexcept;
    void (*destroy)(void*) noexcept;
  };
  template <class F>
  static constexpr Acts acts_of = {
      [](void* held, const Replied& reply) { (*static_cast<F*>(held))(reply); },
      [](void* from, void* to) noexcept {
        ::new (to) F(std::move(*static_cast<F*>(from)));
        std::destroy_at(static_cast<F*>(from));
      },
      [](void* held) noexcept { std::destroy_at(static_cast<F*>(held)); }};

  template <class F>
  void put(F function) {
    ::new (static_cast<void*>(storage_)) F(std::move(function));
    acts_ = &acts_of<F>;
  }

  const Acts* acts_ = nullptr;
  alignas(std::max_align_t) std::byte storage_[room];
};

}  // namespace mirbft::engine

// <mirbft/engine/callers.hpp>
// Those who wait for replies.

namespace mirbft::engine {

/// One who waits for the reply to a request.
struct Waiting {
  ClientId client;
  ReqNo req_no;
  Callback callback;
};

/// The callbacks by request. Used by the dispatching thread alone.
class Callers {
 public:
  std::size_t size() const noexcept { return size_; }

  void expect(Waiting waiting) {
    Request& request = clients_[waiting.client][waiting.req_no.value];
    if (request.first) {
      request.others.push_back(std::move(waiting.callback));
    } else {
      request.first.emplace(std::move(waiting.callback));
    }
    ++size_;
  }

  /// Takes out everybody who waits for this request: `call(Callback&)` for each; nobody may.
  template <class Call>
  void answer(const Replied& reply, Call&& call) {
    const auto client = clients_.find(reply.client);
    if (client == clients_.end()) return;
    std::optional<Request> request = client->second.take(reply.req_no.value);
    if (client->second.empty()) clients_.erase(client);
    if (request) request->call_all(call, size_);
  }

  /// Takes out everybody who still waits: `call(Callback&, client, req_no)` for each.
  template <class Call>
  void abandon(Call&& call) {
    for (auto& [id, requests] : std::exchange(clients_, {}))
      requests.erase_if([&, client = id](std::uint64_t number, Request& request) {
        request.call_all([&](Callback& callback) { call(callback, client, ReqNo(number)); },
                         size_);
        return true;
      });
  }

 private:
  /// Mostly one waits for a request; whoever submits it again waits as well.
  struct Request {
    std::optional<Callback> first;
    std::vector<Callback> others;

    template <class Call>
    void call_all(Call&& call, std::size_t& size) {
      size -= 1 + others.size();
      call(*first);
      for (Callback& callback : others) call(callback);
    }
  };

  std::map<ClientId, NumberMap<Request>> clients_;
  std::size_t size_ = 0;
};

}  // namespace mirbft::engine

// <mirbft/engine/config.hpp>
// What a Node is told about itself, and the rules for that.

namespace mirbft {

/// How votes leave: those to the same peers that come of one list of events in one frame, or each
/// in a frame of its own. Replicas understand both.
enum class VoteFrames : std::uint8_t { gathered, single };

/// How often the write-ahead log is synced: once for a list of events, after which everything that
/// waited for any of its entries goes on; or once for each entry.
enum class GroupCommit : std::uint8_t { list, entry };

/// What a Node needs to know that is no module's business.
struct NodeConfig {
  /// This replica, for logs and reports.
  NodeId self;
  /// Name of the cluster; part of everything that is hashed or signed. Not empty.
  Bytes cluster{"mirbft"};
  /// How often time is told to the modules.
  std::chrono::nanoseconds tick_every = std::chrono::milliseconds(5);
  /// Above so many pending events the Node takes nothing in until it has caught up.
  std::uint64_t busy_above = 1 << 15;
  /// So many submissions may wait to be taken in; further ones are refused as overloaded.
  std::uint64_t inbox_capacity = 1 << 16;
  /// How many frames are taken from the Net at a time.
  std::uint64_t frames_at_a_time = 1024;
  VoteFrames vote_frames = VoteFrames::gathered;
  GroupCommit group_commit = GroupCommit::list;
};

namespace engine {

/// Throws ConfigError for the first rule that is broken.
inline void check(const NodeConfig& config) {
  const auto positive = [](const char* field, auto value, const char* mend) {
    if (value <= 0) throw ConfigError(field, std::to_string(value), mend);
  };
  const auto countable = [](const char* field, std::uint64_t value, const char* mend) {
    if (value == 0 || value > list_capacity / 4)
      throw ConfigError(field, std::to_string(value),
                        mend + std::to_string(list_capacity / 4));
  };
  if (config.cluster.empty())
    throw ConfigError("cluster", "\"\"", "a cluster needs a name: give it any that is not empty");
  positive("tick_every", config.tick_every.count(),
           "time must be told now and then: set it to a few milliseconds");
  countable("busy_above", config.busy_above, "so many events may be pending: from 1 to ");
  countable("inbox_capacity", config.inbox_capacity, "so many submissions may wait: from 1 to ");
  countable("frames_at_a_time", config.frames_at_a_time,
            "so many frames are taken from the net at once: from 1 to ");
}

}  // namespace engine
}  // namespace mirbft

// <mirbft/engine/core.hpp>
// The working part of a Node: its stages, its lists, and the dispatch from one to the other.

#include <exception>

// <mirbft/engine/inbox.hpp>
// What other threads put into a Node: events, and callers who wait for replies.

#include <mutex>

// <mirbft/engine/wake.hpp>
// How other threads tell the dispatching thread that there is something to do.

#include <condition_variable>

namespace mirbft::engine {

/// A latch that any thread may set and one thread waits for. When that thread waits inside the
/// Net instead, the Net is told to end that wait.
class Wake {
 public:
  /// Ends the current wait, or the next one at once.
  void wake() {
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(set_, true)) return;
      if (interrupt_) interrupt_(interrupted_);
    }
    condition_.notify_one();
  }

  /// Waits until woken, at most for `at_most`.
  void wait(std::chrono::nanoseconds at_most) {
    std::unique_lock lock(mutex_);
    condition_.wait_for(lock, at_most, [this] { return set_; });
    set_ = false;
  }
  /// Whether it was woken since the last wait; clears that.
  bool take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(set_, false);
  }

  /// From now on a wake-up also calls `object.wake()`, until `forget` is called.
  template <class Object>
  void also_wake(Object& object) noexcept {
    const std::lock_guard lock(mutex_);
    interrupted_ = &object;
    interrupt_ = [](void* it) { static_cast<Object*>(it)->wake(); };
  }
  void forget() noexcept {
    const std::lock_guard lock(mutex_);
    interrupt_ = nullptr;
  }

 private:
  std::mutex mutex_;
  std::condition_variable condition_;
  bool set_ = false;
  void* interrupted_ = nullptr;
  void (*interrupt_)(void*) = nullptr;
};

}  // namespace mirbft::engine

// <mirbft/engine/work_items.hpp>
// The WorkItems: one list of events for each module, and the follow-ups that wait.

// <mirbft/engine/type_list.hpp>
// Compile-time lists of event types: joining, deduplicating, selecting. Plain folds, because
// hana::set, map and union_ cost three to four times their front-end time.

namespace mirbft::engine {

/// Carries a type as a value.
template <class T>
struct Type {
  using type = T;
};

template <class T, class List>
inline constexpr bool contains = false;
template <class T, class... Ts>
inline constexpr bool contains<T, events<Ts...>> = (std::is_same_v<T, Ts> || ...);

/// Place of `T` in the list; the list's length when it is not there.
template <class T, class List>
inline constexpr std::size_t index_of = 0;
template <class T, class... Ts>
inline constexpr std::size_t index_of<T, events<Ts...>> = [] {
  std::size_t place = 0;
  (void)((std::is_same_v<T, Ts> || (++place, false)) || ...);
  return place;
}();

template <class List>
inline constexpr std::size_t length = 0;
template <class... Ts>
inline constexpr std::size_t length<events<Ts...>> = sizeof...(Ts);

namespace detail {

template <class... As, class B>
constexpr auto operator+(events<As...>, Type<B>) {
  if constexpr ((std::is_same_v<As, B> || ...)) {
    return events<As...>{};
  } else {
    return events<As..., B>{};
  }
}
template <class... As, class... Bs>
constexpr auto operator|(events<As...> list, events<Bs...>) {
  return (list + ... + Type<Bs>{});
}
template <class... Lists>
constexpr auto join(Lists... lists) {
  return (events<>{} | ... | lists);
}

}  // namespace detail

/// The lists one after another, each type once.
template <class... Lists>
using Union = decltype(detail::join(Lists{}...));

/// The types of `List` for which `Keep<T>::value` holds.
template <template <class> class Keep, class List>
struct Select;
template <template <class> class Keep, class... Ts>
struct Select<Keep, events<Ts...>> {
  using type = Union<std::conditional_t<Keep<Ts>::value, events<Ts>, events<>>...>;
};

}  // namespace mirbft::engine

namespace mirbft::engine {

/// The lists of a Node, or of a thread that works for it. Filled at `push`, where the destination
/// is known; not thread-safe.
template <class Plan>
class WorkItems {
 public:
  template <std::size_t S>
  using List = EventList<typename Plan::template Received<S>>;

  /// Appends the event to the list of each module that it goes to. Returns the place for its
  /// follow-ups; null for a broadcast, which has none.
  template <class E>
  FollowUps* push(E&& event) {
    return push_to(std::move(event), std::make_index_sequence<slot_count>{});
  }

  template <std::size_t S>
  List<S>& list() noexcept {
    return std::get<S>(lists_);
  }
  /// How many events are pending, follow-ups that still wait aside.
  std::size_t size() const noexcept {
    return std::apply([](const auto&... lists) { return (lists.size() + ...); }, lists_);
  }

  /// Stores a follow-up at the end of `list`; returns the place for its own follow-ups.
  template <class E>
  FollowUps& append(FollowUps& list, E&& event) {
    return slab_.append(list, std::move(event));
  }

  /// Moves follow-ups whose parents have been processed to their modules' lists.
  void release(std::vector<FollowUps>& follow_ups) {
    for (const FollowUps list : follow_ups)
      slab_.release(list, [this](auto&& event, FollowUps next) {
        FollowUps* place = this->push(std::move(event));
        if (place) *place = next;
      });
    follow_ups.clear();
  }

  /// Takes over everything that another thread has put out, in its order.
  void absorb(WorkItems& other) {
    [&]<std::size_t... S>(std::index_sequence<S...>) {
      (absorb_list<S>(other), ...);
    }(std::make_index_sequence<slot_count>{});
  }

  /// The slots whose lists hold something.
  Slot pending() const noexcept {
    return [&]<std::size_t... S>(std::index_sequence<S...>) {
      return Slot(static_cast<std::uint16_t>(
          ((std::get<S>(lists_).size() != 0 ? 1u << S : 0u) | ...)));
    }(std::make_index_sequence<slot_count>{});
  }

 private:
  template <class E, std::size_t... S>
  FollowUps* push_to(E&& event, std::index_sequence<S...>) {
    if constexpr (E::destination.is_single()) {
      return &list<E::destination.index()>().push(std::move(event));
    } else {
      (push_copy<S>(event), ...);
      return nullptr;
    }
  }
  template <std::size_t S, class E>
  void push_copy(const E& event) {
    if constexpr (Plan::template routes<S, E>) list<S>().push(E(event));
  }

  template <std::size_t S>
  void absorb_list(WorkItems& other) {
    if constexpr (length<typename Plan::template Received<S>> != 0) {
      if (other.slab_.is_unused()) return list<S>().append(other.template list<S>());
      other.template list<S>().consume_items([&](auto&& event, FollowUps next) {
        FollowUps& place = list<S>().push(std::move(event));
        if (next) adopt(place, other, next);
      });
    }
  }
  void adopt(FollowUps& place, WorkItems& other, FollowUps theirs) {
    other.slab_.release(theirs, [&](auto&& event, FollowUps next) {
      FollowUps& own = slab_.append(place, std::move(event));
      adopt(own, other, next);
    });
  }

  template <class Indices>
  struct ListsOf;
  template <std::size_t... S>
  struct ListsOf<std::index_sequence<S...>> {
    using type = std::tuple<List<S>...>;
  };

  typename ListsOf<std::make_index_sequence<slot_count>>::type lists_;
  FollowUpSlab<typename Plan::Events> slab_;
};

}  // namespace mirbft::engine

namespace mirbft::engine {

/// A bounded, thread-safe way into the lists.
template <class Plan>
class Inbox {
 public:
  enum class Put : std::uint8_t { taken, full, closed };

  explicit Inbox(std::size_t capacity) : capacity_(capacity) {}

  /// Puts an event in, with those who wait for what it brings, and wakes the dispatcher.
  template <class E, class... Waitings>
  Put put(E&& event, Waitings&&... waiting) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return Put::closed;
      if (count_ >= capacity_) return Put::full;
      (waiting_.push_back(std::move(waiting)), ...);
      items_.push(std::move(event));
      ++count_;
      if (filled_.exchange(true, std::memory_order_relaxed)) return Put::taken;
    }
    dispatcher_.wake();
    return Put::taken;
  }

  /// Moves everything to the dispatcher's own lists. Returns whether there was anything.
  bool drain(WorkItems<Plan>& items, Callers& callers) {
    if (!filled_.load(std::memory_order_relaxed)) return false;
    {
      const std::lock_guard lock(mutex_);
      filled_.store(false, std::memory_order_relaxed);
      count_ = 0;
      items.absorb(items_);
      std::swap(waiting_, drained_);
    }
    for (Waiting& waiting : drained_) callers.expect(std::move(waiting));
    drained_.clear();
    return true;
  }

  /// From now on nothing is taken.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }

  Wake& dispatcher() const noexcept { return dispatcher_; }

 private:
  const std::size_t capacity_;
  mutable Wake dispatcher_;
  std::atomic<bool> filled_{false};
  std::mutex mutex_;
  bool closed_ = false;
  std::size_t count_ = 0;
  WorkItems<Plan> items_;
  std::vector<Waiting> waiting_;
  std::vector<Waiting> drained_;  // the dispatcher's alone; kept for its storage
};

}  // namespace mirbft::engine

// <mirbft/engine/stage.hpp>
// A module in its slot: the module, its task, and how a list is run through both.

// <mirbft/engine/emitter.hpp>
// `out`: what a module emits its events into.

namespace mirbft::engine {

/// The follow-ups of an event that was just emitted.
template <class M, class Declared, class Items>
class Emitted {
 public:
  Emitted(Items& items, FollowUps& place) noexcept : items_(items), place_(place) {}

  /// These events go to their modules after the emitted one has been processed; they have no
  /// order among one another. `chain(e).then(…)` nests.
  template <class... Next>
  void then(Next... next) {
    (append(place_, std::move(next)), ...);
  }

 private:
  template <class E>
  void append(FollowUps& list, E&& event) {
    if constexpr (contains<E, Declared>) {
      items_.append(list, std::move(event));
    } else {
      (void)sizeof(typename Flaws<E>::template is_not_declared_among<Declared>);
    }
  }
  template <class E>
  void append(FollowUps& list, ChainStart<E>&& chain) {
    append(list, std::move(chain.event));
  }
  template <class E, class... Next>
  void append(FollowUps& list, Chain<E, Next...>&& chain) {
    if constexpr (!contains<E, Declared>) {
      (void)sizeof(typename Flaws<E>::template is_not_declared_among<Declared>);
    } else if constexpr (!E::destination.is_single()) {
      (void)sizeof(typename Flaws<E>::template goes_to_several_and_has_follow_ups<E>);
    } else {
      FollowUps& own = items_.append(list, std::move(chain.event));
      std::apply([&](Next&... deeper) { (append(own, std::move(deeper)), ...); }, chain.next);
    }
  }

  template <class E>
  using Flaws = typename wiring::event<E>::template emitted_by<M>;

  Items& items_;
  FollowUps& place_;
};

/// The place where a broadcast would have follow-ups.
template <class M, class E>
struct NoFollowUps {
  template <class... Next>
  void then(Next&&...) {
    (void)sizeof(typename wiring::event<E>::template emitted_by<
                 M>::template goes_to_several_and_has_follow_ups<E>);
  }
};
/// The place behind an event that was refused: one error is enough.
struct Refused {
  template <class... Next>
  void then(Next&&...) {}
};

/// Emits into `Items` whatever `Declared` lists. The checks stand where the compiler, in telling
/// of a flaw, also names the line that emits.
template <class M, class Declared, class Items>
class Emitter {
 public:
  explicit Emitter(Items& items) noexcept : items_(items) {}

  template <class E>
  auto emit(E event) {
    if constexpr (!contains<E, Declared>) {
      (void)sizeof(typename wiring::event<E>::template emitted_by<
                   M>::template is_not_declared_among<Declared>);
      return Refused{};
    } else if constexpr (E::destination.is_single()) {
      return Emitted<M, Declared, Items>(items_, *items_.push(std::move(event)));
    } else {
      items_.push(std::move(event));
      return NoFollowUps<M, E>{};
    }
  }

 private:
  Items& items_;
};

/// What a task emits into: answers, which the plan holds when anybody asks. An event that nobody
/// in this Node asks for goes nowhere.
template <class Events, class Items>
class TaskEmitter {
 public:
  explicit TaskEmitter(Items& items) noexcept : items_(items) {}

  template <class E>
  void emit(E&& event) {
    if constexpr (contains<std::remove_cvref_t<E>, Events>) items_.push(std::move(event));
  }

 private:
  Items& items_;
};

}  // namespace mirbft::engine

namespace mirbft::engine {

/// What a stage is made of.
template <class Module>
struct StageParts {
  Module module;
  const NodeConfig& config;
};

/// Where a stage stands: what its module and its task say of themselves.
template <class Module, class Task>
struct Report {
  decltype(status_of(std::declval<const Module&>())) module;
  decltype(status_of(std::declval<const Task&>())) task;
};

/// Slot `S` of a Node. Runs on one thread at a time, `report` aside.
template <std::size_t S, class Plan>
class Stage {
 public:
  using Module = typename Plan::template Module<S>;
  using Task = typename Plan::template Task<S>;
  using Items = WorkItems<Plan>;
  using List = typename Items::template List<S>;
  using ModuleOut = Emitter<Module, emits_of<Module>, Items>;
  using TaskOut = TaskEmitter<typename Plan::Events, Items>;

  explicit Stage(StageParts<Module>&& parts)
      : module_(std::move(parts.module)), task_(parts.config) {}

  Module& module() noexcept { return module_; }
  const Module& module() const noexcept { return module_; }
  Task& task() noexcept { return task_; }

  /// Processes the whole list: outputs go to `out`, follow-ups that are due to `follow_ups`.
  void run(List& list, Items& out, std::vector<FollowUps>& follow_ups) {
    list.consume(follow_ups, [&](auto&& event) { process(std::move(event), out); });
    finish(out);
  }

  template <class E>
  void process(E&& event, Items& out) {
    if constexpr (Task::template handles<E>) {
      TaskOut task_out(out);
      task_.process(module_, std::move(event), task_out);
    } else {
      ModuleOut module_out(out);
      module_.process(std::move(event), module_out);
    }
  }

  void finish(Items& out) {
    TaskOut task_out(out);
    task_.finish(module_, task_out);
  }

  /// Where the stage stands. While it is lent to a thread, as of that thread's last `publish`.
  Report<Module, Task> report() const {
    const std::lock_guard lock(mutex_);
    if (!lent_) published_ = look();
    return *published_;
  }

  /// From here until `take_back` another thread runs this stage; it calls `publish` now and then.
  void lend() {
    publish();
    lent_ = true;
  }
  void publish() {
    Report<Module, Task> now = look();
    const std::lock_guard lock(mutex_);
    published_ = std::move(now);
  }
  void take_back() { lent_ = false; }

 private:
  Report<Module, Task> look() const { return {status_of(module_), status_of(task_)}; }

  Module module_;
  Task task_;
  bool lent_ = false;  // the lender's alone
  mutable std::mutex mutex_;
  mutable std::optional<Report<Module, Task>> published_;
};

}  // namespace mirbft::engine

// <mirbft/engine/wiring.hpp>
// The proof that in a Node every event arrives, or a compiler's words on why it does not.

// <mirbft/engine/plan.hpp>
// The plan of a Node: which events it can see, and which module gets each.

// <mirbft/engine/tasks.hpp>
// The duty of each slot: which events of the vocabulary become which calls of a task-shaped module.

// <mirbft/engine/tasks/app.hpp>
// The App's duty: batches applied in order, and snapshots between two of them, read bit by bit.

// <mirbft/engine/tasks/task.hpp>
// What a task is: the adapter between a slot's events and a module's calls.

namespace mirbft::engine {

/// Whether `E` is `Template<…>`.
template <template <class> class Template, class E>
inline constexpr bool is_instance = false;
template <template <class> class Template, class Argument>
inline constexpr bool is_instance<Template, Template<Argument>> = true;

/// The task of slot `S`. A task
/// - says by `handles<E>` which events it turns into calls, and by `emits` what they bring,
///   answers aside;
/// - has `process(module, E&&, out)` for those, and `finish(module, out)`, called after each list;
/// - says by `alone<E>` which events must not run beside others in a pool.
/// Slots without a duty of their own (Tracker, Protocol) have this one.
template <std::size_t S, class Module, class Protocol>
struct TaskOf {
  using emits = events<>;
  template <class E>
  static constexpr bool handles = false;
  template <class E>
  static constexpr bool alone = true;

  explicit TaskOf(const NodeConfig& /*config*/) {}
  void finish(Module&, auto& /*out*/) {}
};

}  // namespace mirbft::engine

namespace mirbft::engine {

/// A snapshot stops the App for `freeze` only. What has changed is read later, at most
/// `piece_size` at a time, and batches that come meanwhile are applied in between. A next snapshot
/// that is due before all is read holds back the batches behind it: who makes checkpoints faster
/// than it can read them must slow down.
template <class Module, class Protocol>
struct TaskOf<slot::app.index(), Module, Protocol> {
  using emits = events<Applied, AppContinue>;
  template <class E>
  static constexpr bool handles =
      std::is_same_v<E, Apply> || std::is_same_v<E, AppSnapshotRequest> ||
      std::is_same_v<E, AppRestoreState> || std::is_same_v<E, AppContinue>;
  template <class E>
  static constexpr bool alone = true;

  /// How much of a snapshot is read in one step; a chunk is read whole. Of many small entries
  /// that is a millisecond or two.
  static constexpr std::size_t piece_size = 128 * 1024;

  explicit TaskOf(const NodeConfig& /*config*/) {}

  void process(Module& app, Apply&& batch, auto& out) {
    // A restored state overtakes batches that it covers: those go through the Store.
    if (batch.sn < restored_) return;
    if (!held_.empty() || is_held_back()) {
      held_.push_back(std::move(batch));
    } else {
      apply(app, std::move(batch), out);
    }
    note_to_continue(out);
  }

  void process(Module& app, AppSnapshotRequest&& request, auto& out) {
    if (request.sn + 1 < next_)
      throw ModuleFailure("a snapshot was asked for after later batches were applied");
    wanted_.push_back(request.sn);
    freeze_if_due(app);
    note_to_continue(out);
  }

  void process(Module& app, AppContinue&&, auto& out) {
    noted_ = false;
    if (reading_) read(app, out);
    freeze_if_due(app);
    if (!held_.empty() && !is_held_back()) {
      Apply batch = std::move(held_.front());
      held_.pop_front();
      apply(app, std::move(batch), out);
    }
    note_to_continue(out);
  }

  void process(Module& app, AppRestoreState&& restore, auto& out) {
    chunks_.restore(app, restore.chunks);
    next_ = restored_ = restore.sn + 1;
    wanted_.clear();
    held_.clear();
    reading_.reset();
    out.emit(AppRestored{restore.sn});
  }

  void finish(Module&, auto& /*out*/) {}

 private:
  /// A snapshot that is being read.
  struct Reading {
    SeqNr sn;
    FrozenChunks frozen;
    std::vector<Reconfiguration> reconfigurations;
    std::size_t next = 0;
  };

  void apply(Module& app, Apply&& batch, auto& out) {
    if (batch.sn != next_) throw ModuleFailure("the App was given sequence numbers out of order");
    ++next_;
    Applied applied{batch.sn, {}};
    if (!batch.requests.empty()) {
      std::vector<Bytes> results = app.apply(batch.sn, std::span<const Request>(batch.requests));
      if (results.size() != batch.requests.size())
        throw ModuleFailure("the App must return one result for each request");
      applied.replies.reserve(results.size());
      for (std::size_t i = 0; i < results.size(); ++i)
        applied.replies.push_back(
            {batch.requests[i].client, batch.requests[i].req_no, std::move(results[i])});
    }
    out.emit(std::move(applied));
    freeze_if_due(app);
  }

  /// A snapshot request overtakes its batch, which goes through the Store, so it waits here.
  bool is_due() const noexcept { return !wanted_.empty() && wanted_.front() + 1 == next_; }
  /// The next batch would change what the next snapshot must show.
  bool is_held_back() const noexcept { return reading_ && is_due(); }

  void freeze_if_due(Module& app) {
    if (reading_ || !is_due()) return;
    reading_ = Reading{wanted_.front(), chunks_.freeze(app), {}};
    if constexpr (requires { app.reconfigurations(); })
      reading_->reconfigurations = app.reconfigurations();
    wanted_.pop_front();
  }
  void read(Module& app, auto& out) {
    const std::vector<std::uint64_t>& changed = reading_->frozen.changed;
    AppSnapshot piece{reading_->sn, reading_->frozen.count, {}, 0, {}};
    for (std::size_t size = 0; size < piece_size && reading_->next < changed.size();) {
      const std::uint64_t index = changed[reading_->next++];
      piece.changed.push_back({index, chunks_.read(app, index)});
      size += piece.changed.back().data.size();
    }
    piece.remaining = changed.size() - reading_->next;
    if (piece.remaining == 0) {
      piece.reconfigurations = std::move(reading_->reconfigurations);
      reading_.reset();
    }
    out.emit(std::move(piece));
  }
  void note_to_continue(auto& out) {
    const bool more = reading_ || !held_.empty();
    if (more && !std::exchange(noted_, true)) out.emit(AppContinue{});
  }

  AppChunks<Module> chunks_;
  SeqNr next_;
  /// The first sequence number after the restored state.
  SeqNr restored_;
  std::deque<SeqNr> wanted_;
  std::optional<Reading> reading_;
  /// Batches behind a snapshot that cannot be taken yet.
  std::deque<Apply> held_;
  /// An `AppContinue` is on its way.
  bool noted_ = false;
};

}  // namespace mirbft::engine

// <mirbft/engine/tasks/crypto.hpp>
// The Crypto module's duty: signatures and their keys.

namespace mirbft::engine {

template <class Module, class Protocol>
struct TaskOf<slot::crypto.index(), Module, Protocol> {
  using emits = events<>;
  using updates = events<UpdateNodeKeys, ForgetNodeKeys, UpdateClientKeys>;
  template <class E>
  static constexpr bool handles =
      is_instance<SignRequest, E> || is_instance<VerifyNodeSigs, E> ||
      std::is_same_v<E, VerifyRequestSig> || is_listed<E, updates>;
  /// Signing and verifying run side by side; a change of keys and a module's own events do not.
  template <class E>
  static constexpr bool alone = !handles<E> || is_listed<E, updates>;

  explicit TaskOf(const NodeConfig& config) : cluster_(config.cluster) {}

  template <class Origin>
  void process(Module& crypto, SignRequest<Origin>&& request, auto& out) {
    Bytes signature = std::as_const(crypto).sign(request.epoch, request.message.view());
    out.emit(SignResult<Origin>{std::move(signature), std::move(request.origin)});
  }

  template <class Origin>
  void process(Module& crypto, VerifyNodeSigs<Origin>&& request, auto& out) {
    std::vector<SignatureCheck> verdicts;
    verdicts.reserve(request.signatures.size());
    for (const NodeSignature& made : request.signatures)
      verdicts.push_back(std::as_const(crypto).verify_node(
          made.node, request.epoch, made.message.view(), made.signature.view()));
    out.emit(NodeSigsVerified<Origin>{std::move(verdicts), std::move(request.origin)});
  }

  void process(Module& crypto, VerifyRequestSig&& request, auto& out) {
    Bytes message;
    if constexpr (!requires { Module::trusts_everyone; })  // nobody would read it
      message = wire::request_signature_bytes(cluster_.view(), request.reference);
    const SignatureCheck verdict = std::as_const(crypto).verify_client(
        request.reference.client, message.view(), request.authenticator.view());
    out.emit(RequestSigVerified{request.reference, verdict, client_keys_});
  }

  void process(Module& crypto, UpdateNodeKeys&& update, auto& /*out*/) {
    for (NodeKey& change : update.keys)
      crypto.update_node_key(change.node, update.from, std::move(change.key));
  }
  void process(Module& crypto, ForgetNodeKeys&& forget, auto& /*out*/) {
    crypto.forget_node_keys(forget.before);
  }
  void process(Module& crypto, UpdateClientKeys&& update, auto& /*out*/) {
    client_keys_ = update.epoch;
    for (ClientKey& change : update.keys)
      crypto.update_client_key(change.client, std::move(change.key));
  }

  void finish(Module&, auto& /*out*/) {}

 private:
  Bytes cluster_;
  /// The epoch of which the clients' keys are.
  Epoch client_keys_;
};

}  // namespace mirbft::engine

// <mirbft/engine/tasks/hasher.hpp>
// The Hasher's duty: digests.

namespace mirbft::engine {

template <class Module, class Protocol>
struct TaskOf<slot::hasher.index(), Module, Protocol> {
  using emits = events<>;
  template <class E>
  static constexpr bool handles = is_instance<HashRequest, E>;
  template <class E>
  static constexpr bool alone = true;

  explicit TaskOf(const NodeConfig& /*config*/) {}

  template <class Origin>
  void process(Module& hasher, HashRequest<Origin>&& request, auto& out) {
    for (const Bytes& part : request.parts) hasher.update(part.view());
    out.emit(HashResult<Origin>{hasher.finish(), std::move(request.origin)});
  }
  void finish(Module&, auto& /*out*/) {}
};

}  // namespace mirbft::engine

// <mirbft/engine/tasks/net.hpp>
// The Net's duty: messages out as frames; frames in as messages, if they are well formed.

namespace mirbft::engine {

/// A frame holds one message, or several votes behind one another: at most so many. Without a
/// limit, frames of the shortest votes would fill the Protocol's list.
inline constexpr std::size_t votes_in_a_frame = 256;

template <class Module, class Protocol>
struct TaskOf<slot::net.index(), Module, Protocol> {
  using Message = typename Protocol::Message;
  using emits = events<MessageReceived<Message>>;
  template <class E>
  static constexpr bool handles = std::is_same_v<E, SendMessage<Message>>;
  template <class E>
  static constexpr bool alone = true;

  explicit TaskOf(const NodeConfig& config) : vote_frames_(config.vote_frames) {}

  /// Votes wait for the end of the list, for others to the same peers to join them.
  void process(Module& net, SendMessage<Message>&& send, auto& /*out*/) {
    const FrameClass kind = Protocol::frame_class(send.message);
    Bytes frame = wire::encode(send.message);
    if (!gathers(kind)) return send_to(net, send.destinations, kind, frame);
    if (send.destinations != destinations_ || votes_.size() == votes_in_a_frame ||
        bytes_ + frame.size() > frame_limit(kind))
      send_votes(net);
    destinations_ = std::move(send.destinations);
    bytes_ += frame.size();
    votes_.push_back(std::move(frame));
  }
  void finish(Module& net, auto& /*out*/) {
    send_votes(net);
    net.flush();
  }

  /// Takes in what has arrived, waiting `at_most` for it; a frame that holds anything but
  /// canonical messages is counted, and from there on dropped.
  void receive(Module& net, std::chrono::nanoseconds at_most, std::size_t max_frames, auto& out) {
    const auto take = [&](NodeId from, Bytes frame) {
      const auto take_one = [&](const Bytes& bytes) {
        std::optional<Message> message = wire::decode<Message>(bytes, wire::Form::canonical);
        if (message) out.emit(MessageReceived<Message>{from, std::move(*message)});
        return message.has_value();
      };
      bool sound = false;
      if constexpr (wire::ends_by_itself<Message>()) {
        sound = wire::split(frame, votes_in_a_frame, take_one);
      } else {
        sound = take_one(frame);
      }
      status_.malformed_frames += !sound;
    };
    net.poll(take, at_most, max_frames);
  }

  /// Frames of which something was dropped, as it was no canonical message.
  struct Status {
    std::uint64_t malformed_frames = 0;
  };
  Status status() const noexcept { return status_; }

 private:
  bool gathers(FrameClass kind) const noexcept {
    return wire::ends_by_itself<Message>() && kind == FrameClass::vote &&
           vote_frames_ == VoteFrames::gathered;
  }
  static void send_to(Module& net, const std::vector<NodeId>& destinations, FrameClass kind,
                      const Bytes& frame) {
    for (const NodeId destination : destinations) net.send(destination, kind, frame);
  }
  void send_votes(Module& net) {
    if (votes_.empty()) return;
    const Bytes frame = votes_.size() == 1 ? std::move(votes_.front()) : wire::join(votes_);
    send_to(net, destinations_, FrameClass::vote, frame);
    votes_.clear();
    bytes_ = 0;
  }

  VoteFrames vote_frames_;
  /// Encoded votes that have not left, all to the same peers.
  std::vector<Bytes> votes_;
  std::vector<NodeId> destinations_;
  std::size_t bytes_ = 0;
  Status status_;
};

}  // namespace mirbft::engine

// <mirbft/engine/tasks/node.hpp>
// The Node's own slot: replies go to those who wait for them, Halt stops everything.

namespace mirbft::engine {

/// Stands for the Node among its modules: it puts in what comes from outside and holds back the
/// replies, so that callers' code runs after the work and not amid it.
struct TheNode {
  std::vector<Replied> replies;
};

template <class Module, class Protocol>
struct TaskOf<slot::node.index(), Module, Protocol> {
  using emits = events<Init, Tick, NewRequest, Halt>;
  template <class E>
  static constexpr bool handles = std::is_same_v<E, Replied> || std::is_same_v<E, Halt>;
  template <class E>
  static constexpr bool alone = true;

  explicit TaskOf(const NodeConfig& /*config*/) {}

  void process(Module& node, Replied&& reply, auto& /*out*/) {
    node.replies.push_back(std::move(reply));
  }
  void process(Module&, Halt&& halt, auto& /*out*/) { throw ModuleFailure(halt.reason); }
  void finish(Module&, auto& /*out*/) {}
};

}  // namespace mirbft::engine

// <mirbft/engine/tasks/store.hpp>
// The Store's duty: bodies of requests, kept until a checkpoint covers them.

namespace mirbft::engine {

template <class Module, class Protocol>
struct TaskOf<slot::store.index(), Module, Protocol> {
  using emits = events<Apply>;
  template <class E>
  static constexpr bool handles =
      std::is_same_v<E, StoreVerifiedRequest> || std::is_same_v<E, Deliver> ||
      std::is_same_v<E, CollectRequests> || is_instance<FetchRequests, E>;
  template <class E>
  static constexpr bool alone = true;

  explicit TaskOf(const NodeConfig& /*config*/) {}

  void process(Module& store, StoreVerifiedRequest&& request, auto& /*out*/) {
    store.put(request.reference, std::move(request.data), std::move(request.authenticator));
    unsynced_ = true;
  }

  void process(Module& store, Deliver&& delivery, auto& out) {
    Apply apply{delivery.sn, {}};
    apply.requests.reserve(delivery.batch->size());
    for (const RequestRef& reference : *delivery.batch) {
      const Request* request = store.get(reference);
      if (!request) throw ModuleFailure(missing(delivery.sn, reference));
      apply.requests.push_back(*request);
    }
    store.delivered(delivery.sn, std::move(delivery.batch));
    out.emit(std::move(apply));
  }

  template <class Origin>
  void process(Module& store, FetchRequests<Origin>&& request, auto& out) {
    RequestsFetched<Origin> fetched{{}, {}, std::move(request.origin)};
    for (const RequestRef& reference : request.references) {
      if (const Request* found = store.get(reference)) {
        fetched.found.push_back(*found);
      } else {
        fetched.absent.push_back(reference);
      }
    }
    out.emit(std::move(fetched));
  }

  void process(Module& store, CollectRequests&& collect, auto& /*out*/) {
    store.collect(collect.collection);
  }

  void finish(Module& store, auto& /*out*/) {
    if (std::exchange(unsynced_, false)) store.sync();
  }

 private:
  static std::string missing(SeqNr sn, const RequestRef& reference) {
    return "sequence number " + std::to_string(sn.value) + " delivers request " +
           std::to_string(reference.req_no.value) + " of client " +
           std::to_string(reference.client.value) + ", whose body the store does not have";
  }

  bool unsynced_ = false;
};

}  // namespace mirbft::engine

// <mirbft/engine/tasks/wal.hpp>
// The write-ahead log's duty: entries made durable, a whole list by one sync unless told otherwise.

namespace mirbft::engine {

/// A log that says `static constexpr bool discards = true;` keeps nothing, so that its entries
/// need not even be encoded.
template <class Wal>
concept DiscardsEntries = requires { requires Wal::discards; };

template <class Module, class Protocol>
struct TaskOf<slot::wal.index(), Module, Protocol> {
  using emits = events<>;
  template <class E>
  static constexpr bool handles = std::is_same_v<E, WalTruncate> || is_instance<WalAppend, E>;
  template <class E>
  static constexpr bool alone = true;

  explicit TaskOf(const NodeConfig& config) : group_commit_(config.group_commit) {}

  template <class Entry>
  void process(Module& wal, WalAppend<Entry>&& append, auto& /*out*/) {
    if constexpr (!DiscardsEntries<Module>) {
      wal.append(WalAppend<Entry>::number, wire::encode(append.entry), append.retention);
      unsynced_ = true;
      if (group_commit_ == GroupCommit::entry) sync(wal);
    }
  }
  void process(Module& wal, WalTruncate&& truncate, auto& /*out*/) {
    wal.truncate(truncate.index);
  }
  void finish(Module& wal, auto& /*out*/) { sync(wal); }

 private:
  void sync(Module& wal) {
    if (std::exchange(unsynced_, false)) wal.sync();
  }

  GroupCommit group_commit_;
  bool unsynced_ = false;
};

}  // namespace mirbft::engine

namespace mirbft::engine {

/// An event that the compiler can route.
template <class E>
concept HasDestination = requires {
  { E::destination } -> std::convertible_to<Slot>;
  { E::number } -> std::convertible_to<std::uint32_t>;
};
template <class O>
concept NamesItsModule = requires {
  { O::module } -> std::convertible_to<Slot>;
  { O::number } -> std::convertible_to<std::uint32_t>;
};
template <class E>
concept HasOrigin = requires { typename E::origin_type; };

/// An event whose destination depends on an origin (or on a log entry) that names no module.
template <class E>
constexpr bool origin_is_sound() {
  if constexpr (HasOrigin<E>) {
    return NamesItsModule<typename E::origin_type>;
  } else {
    return true;
  }
}
template <class E>
constexpr bool is_routable() {
  if constexpr (origin_is_sound<E>()) {
    return HasDestination<E>;
  } else {
    return false;
  }
}

template <class E>
concept HasAnswer = requires { typename E::answer; };

/// `E` and what it is answered by.
template <class E>
constexpr auto with_answer() {
  if constexpr (!is_routable<E>()) {
    return events<>{};
  } else if constexpr (HasAnswer<E>) {
    return events<E, typename E::answer>{};
  } else {
    return events<E>{};
  }
}
template <class List>
struct Closure;
template <class... Es>
struct Closure<events<Es...>> {
  using type = Union<decltype(with_answer<Es>())...>;
};

/// The modules of a Node, by the slots in `events/event.hpp`.
template <class Net, class Hasher, class Crypto, class App, class Wal, class Tracker, class Store,
          class Protocol>
struct Plan {
  using Message = typename Protocol::Message;

  /// Modules by slot index; the last is the Node itself.
  using Modules = std::tuple<Tracker, Hasher, Crypto, Store, Protocol, Wal, App, Net, TheNode>;
  template <std::size_t S>
  using Module = std::tuple_element_t<S, Modules>;
  template <std::size_t S>
  using Task = TaskOf<S, Module<S>, Protocol>;

  /// What may come out of the module in slot S, answers aside: what it declares, and what its
  /// duty brings.
  template <std::size_t S>
  using Emits = Union<typename Task<S>::emits, emits_of<Module<S>>>;

  using Emitted = Union<Emits<0>, Emits<1>, Emits<2>, Emits<3>, Emits<4>, Emits<5>, Emits<6>,
                        Emits<7>, Emits<8>>;
  /// Every event that this Node can see.
  using Events = typename Closure<Emitted>::type;

  template <std::size_t S, class E>
  static constexpr bool handles =
      Task<S>::template handles<E> || contains<E, consumes_of<Module<S>>>;

  /// Whether events of type E go to the list of slot S. A broadcast goes to those who want it.
  template <std::size_t S, class E>
  static constexpr bool routes =
      E::destination.includes(Slot(static_cast<std::uint16_t>(1u << S))) && handles<S, E>;

  template <std::size_t S>
  struct To {
    template <class E>
    struct keep {
      static constexpr bool value = routes<S, E>;
    };
    using type = typename Select<keep, Events>::type;
  };
  /// The events of the list of slot S.
  template <std::size_t S>
  using Received = typename To<S>::type;

  /// Whether somebody handles E; nobody need handle a broadcast.
  template <class E>
  static constexpr bool is_handled = []<std::size_t... S>(std::index_sequence<S...>) {
    return (!E::destination.is_single() || ... || routes<S, E>);
  }(std::make_index_sequence<slot_count>{});
};

}  // namespace mirbft::engine

namespace mirbft::engine::wiring {

/// An `out` for the check of a signature: nothing is instantiated in the body.
struct AnyOut {
  template <class E>
  AnyOut& emit(E&&);
  template <class... Next>
  AnyOut& then(Next&&...);
};

template <class M, class E>
concept Processes = requires(M& module, E event, AnyOut& out) {
  module.process(std::move(event), out);
};
template <class M, class E>
using Processed =
    decltype(std::declval<M&>().process(std::declval<E>(), std::declval<AnyOut&>()));

/// Lists of flaws one after another. No function is called with them: that would look into them.
template <class... Lists>
struct Joined {
  using type = events<>;
};
template <class... Flaws>
struct Joined<events<Flaws...>> {
  using type = events<Flaws...>;
};
template <class... Left, class... Right, class... Rest>
struct Joined<events<Left...>, events<Right...>, Rest...>
    : Joined<events<Left..., Right...>, Rest...> {};

/// What is wrong with a list that module `M` declares.
template <class M, class List>
constexpr auto flaws_of_list() {
  if constexpr (is_list_of_events<List>) {
    return Type<events<>>{};
  } else {
    return Type<events<typename module<M>::template declares_no_list_but<List>>>{};
  }
}
template <class M>
constexpr auto flaws_of_consumes() {
  if constexpr (DeclaresConsumes<M>) {
    return flaws_of_list<M, typename M::consumes>();
  } else {
    return Type<events<>>{};
  }
}
template <class M>
constexpr auto flaws_of_emits() {
  if constexpr (DeclaresEmits<M>) {
    return flaws_of_list<M, typename M::emits>();
  } else {
    return Type<events<>>{};
  }
}

/// What is wrong with event `E` coming out of module `M`.
template <class Plan, class M, class E>
constexpr auto flaws_of_emission() {
  using Here = typename event<E>::template emitted_by<M>;
  if constexpr (!origin_is_sound<E>()) {
    return Type<events<
        typename Here::template is_for_an_origin_without_module<typename E::origin_type>>>{};
  } else if constexpr (!HasDestination<E>) {
    return Type<events<typename Here::template has_no_destination<E>>>{};
  } else if constexpr (!Plan::template is_handled<E>) {
    using Destination = typename Plan::template Module<E::destination.index()>;
    return Type<events<typename Here::template is_not_handled_by<Destination>>>{};
  } else {
    return Type<events<>>{};
  }
}

/// The same for what the module in the event's destination answers.
template <class Plan, class E>
constexpr auto flaws_of_answer() {
  if constexpr (HasAnswer<E>) {
    return flaws_of_emission<Plan, typename Plan::template Module<E::destination.index()>,
                             typename E::answer>();
  } else {
    return Type<events<>>{};
  }
}

/// What is wrong with module `M`, whose task is `Task`, handling event `E` itself.
template <class Task, class M, class E>
constexpr auto flaws_of_consumption() {
  using Here = typename event<E>::template consumed_by<M>;
  if constexpr (Task::template handles<E>) {
    return Type<events<typename Here::template but_handled_by<Task>>>{};
  } else if constexpr (!Processes<M, E>) {
    return Type<events<typename Here::template without_process<E>>>{};
  } else if constexpr (!std::is_void_v<Processed<M, E>>) {
    return Type<events<typename Here::template with_process_returning<Processed<M, E>>>>{};
  } else {
    return Type<events<>>{};
  }
}

template <class E, class Other>
constexpr auto flaws_of_pair() {
  if constexpr (E::number == Other::number && !std::is_same_v<E, Other>) {
    using Here = typename event<E>::template and_event<Other>;
    return Type<events<typename Here::template have_the_same_number<E::number>>>{};
  } else {
    return Type<events<>>{};
  }
}

template <class... Es>
constexpr bool numbers_are_unique(events<Es...>) {
  std::array<std::uint32_t, sizeof...(Es)> numbers{Es::number...};
  std::sort(numbers.begin(), numbers.end());
  return std::adjacent_find(numbers.begin(), numbers.end()) == numbers.end();
}

/// Only when a number is taken twice are the pairs spelled out: that costs n² templates.
template <class List, bool Unique>
struct FlawsOfNumbers {
  using type = events<>;
};
template <class E, class... Es>
struct FlawsOfNumbers<events<E, Es...>, false>
    : Joined<typename decltype(flaws_of_pair<E, Es>())::type...,
             typename FlawsOfNumbers<events<Es...>, false>::type> {};

template <class Plan, class M, class List>
struct FlawsOfEmissions;
template <class Plan, class M, class... Es>
struct FlawsOfEmissions<Plan, M, events<Es...>>
    : Joined<typename decltype(flaws_of_emission<Plan, M, Es>())::type...> {};

template <class Plan, class List>
struct FlawsOfAnswers;
template <class Plan, class... Es>
struct FlawsOfAnswers<Plan, events<Es...>>
    : Joined<typename decltype(flaws_of_answer<Plan, Es>())::type...> {};

template <class Task, class M, class List>
struct FlawsOfConsumptions;
template <class Task, class M, class... Es>
struct FlawsOfConsumptions<Task, M, events<Es...>>
    : Joined<typename decltype(flaws_of_consumption<Task, M, Es>())::type...> {};

/// What comes out of the modules.
template <class Plan, class Slots>
struct FlawsOfOutputs;
template <class Plan, std::size_t... S>
struct FlawsOfOutputs<Plan, std::index_sequence<S...>>
    : Joined<typename decltype(flaws_of_consumes<typename Plan::template Module<S>>())::type...,
             typename decltype(flaws_of_emits<typename Plan::template Module<S>>())::type...,
             typename FlawsOfEmissions<Plan, typename Plan::template Module<S>,
                                       typename Plan::template Emits<S>>::type...,
             typename FlawsOfAnswers<Plan, typename Plan::Events>::type> {};

/// What goes into them; looked at only when what comes out is sound.
template <class Plan, class Slots, class FlawsBefore>
struct FlawsOf {
  using type = FlawsBefore;
};
template <class Plan, std::size_t... S>
struct FlawsOf<Plan, std::index_sequence<S...>, events<>>
    : Joined<typename FlawsOfConsumptions<typename Plan::template Task<S>,
                                          typename Plan::template Module<S>,
                                          consumes_of<typename Plan::template Module<S>>>::type...,
             typename FlawsOfNumbers<typename Plan::Events,
                                     numbers_are_unique(typename Plan::Events{})>::type> {};

/// Where the flaws are looked into.
template <class List>
struct node_refused_because;
template <class... Flaws>
struct node_refused_because<events<Flaws...>> : Flaws... {};

/// A base class of Node: empty when all is well.
template <class Plan, class Slots = std::make_index_sequence<slot_count>>
using Verdict = node_refused_because<
    typename FlawsOf<Plan, Slots, typename FlawsOfOutputs<Plan, Slots>::type>::type>;

}  // namespace mirbft::engine::wiring

namespace mirbft::engine {

/// How the life of a Node goes.
enum class Phase : std::uint8_t { created, working, stopped, failed };

constexpr const char* to_string(Phase phase) noexcept {
  constexpr const char* names[] = {"created", "working", "stopped", "failed"};
  return names[static_cast<std::size_t>(phase)];
}

/// Calls `call()`; an exception becomes `fail(reason)`.
template <class Call, class Fail>
void guarded(Call&& call, Fail&& fail) {
  try {
    call();
  } catch (const std::exception& error) {
    fail(error.what());
  } catch (...) {
    fail("an exception that is no std::exception");
  }
}

/// The modules of a Node at work. One thread at a time, the Inbox aside.
template <class PlanOfNode, class Interceptor>
class Core {
 public:
  using Plan = PlanOfNode;
  using Items = WorkItems<Plan>;
  static constexpr std::size_t net = slot::net.index();
  static constexpr std::size_t wal = slot::wal.index();

  template <class... Modules>
  Core(NodeConfig config, Interceptor interceptor, Modules&&... modules)
      : config_((check(config), std::move(config))),
        inbox_(config_.inbox_capacity),
        interceptor_(std::move(interceptor)),
        stages_(StageParts<Modules>{std::move(modules), config_}...) {}
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;
  ~Core() { abandon_callers(); }

  const NodeConfig& config() const noexcept { return config_; }
  Inbox<Plan>& inbox() noexcept { return inbox_; }
  const Inbox<Plan>& inbox() const noexcept { return inbox_; }
  Items& items() noexcept { return items_; }
  const Items& items() const noexcept { return items_; }
  Phase phase() const noexcept { return phase_; }
  const std::string& reason() const noexcept { return reason_; }
  std::uint64_t dispatched() const noexcept { return dispatched_; }
  std::size_t waiting() const noexcept { return callers_.size(); }

  template <std::size_t S>
  auto& stage() noexcept {
    return std::get<S>(stages_);
  }
  template <std::size_t S>
  const auto& stage() const noexcept {
    return std::get<S>(stages_);
  }

  /// Plays the write-ahead log back, lets the modules digest it, and tells them to begin.
  void start() {
    if (phase_ != Phase::created) return;
    phase_ = Phase::working;
    guarded("interceptor", [&] {
      interceptor_.begin(config_.self, config_.cluster.view(), typename Plan::Events{});
    });
    guarded("wal", [&] { play_back(); });
    guarded("start", [&] {
      dispatch_all();
      items_.push(Init{});
      dispatch_all();
    });
  }

  /// Whether so much is pending that nothing more is taken in.
  bool is_full() const noexcept { return items_.size() >= config_.busy_above; }

  /// Takes in what other threads have put into the inbox. Says if there was anything.
  bool take_submitted() { return !is_full() && inbox_.drain(items_, callers_); }

  /// Takes in what other replicas have sent, waiting `at_most` for it, where the Net runs on this
  /// thread. Says if there was anything.
  bool take_received(std::chrono::nanoseconds at_most) {
    if (is_full()) return false;
    const std::size_t before = items_.size();
    guarded(slot_names[net], [&] {
      auto& stage = this->stage<net>();
      typename std::tuple_element_t<net, Stages>::TaskOut out(items_);
      stage.task().receive(stage.module(), at_most, config_.frames_at_a_time, out);
    });
    return items_.size() != before;
  }

  /// Dispatches the list of slot S, if there is anything in it, on this thread. Returns how many
  /// events that were.
  template <std::size_t S>
  std::size_t dispatch() {
    auto& list = std::get<S>(dispatching_);
    if (items_.template list<S>().size() == 0 || phase_ != Phase::working) return 0;
    std::swap(list, items_.template list<S>());
    const std::size_t count = list.size();
    if (!intercept<S>(list)) return count;
    guarded(slot_names[S], [&] {
      stage<S>().run(list, items_, follow_ups_);
      items_.release(follow_ups_);
    });
    return count;
  }

  /// Shows a list to the Interceptor, in the order of dispatch. False when that failed: the list
  /// must not be processed then.
  template <std::size_t S, class List>
  bool intercept(const List& list) {
    dispatched_ += list.size();
    return guarded("interceptor", [&] {
      interceptor_.intercept(Slot(static_cast<std::uint16_t>(1u << S)), list);
    });
  }

  /// Dispatches until nothing is left to do. Returns how many events that were.
  std::size_t dispatch_all() { return dispatch_all_in(slot::all | slot::node); }

  /// Gives callers the replies of the last rounds: their code runs here, on this thread.
  void call_back() {
    auto& replies = stage<slot::node.index()>().module().replies;
    if (replies.empty()) return;
    // A callback may process the Node again, and so come here.
    std::vector<Replied> due;
    std::swap(due, replies);
    for (const Replied& reply : due)
      callers_.answer(reply, [&](Callback& callback) {
        guarded("callback of a request", [&] { callback(reply); });
      });
    due.clear();
    if (replies.empty()) std::swap(due, replies);  // for its storage
  }

  /// Ends the work: nothing more is taken in, what is pending is done, callers who still wait are
  /// told. May be called again.
  void stop() {
    if (std::exchange(ended_, true)) return;
    inbox_.close();
    const bool begun = phase_ != Phase::created;
    if (phase_ == Phase::working) {
      guarded("inbox", [&] { inbox_.drain(items_, callers_); });
      dispatch_all();
    }
    call_back();
    guarded(slot_names[net], [&] { stage<net>().module().close(); });
    if (begun) guarded("interceptor", [&] { interceptor_.end(); });
    if (phase_ != Phase::failed) phase_ = Phase::stopped;
    abandon_callers();
  }

  /// The Node can no longer work: says why, and takes nothing more.
  void fail(std::string_view who, std::string_view why) {
    if (phase_ == Phase::failed) return;
    phase_ = Phase::failed;
    reason_ = std::string(who) + ": " + std::string(why);
    inbox_.close();
    follow_ups_.clear();
  }

  /// Calls `call()`; an exception fails the Node in the name of `who`. Returns whether all is well.
  template <class Call>
  bool guarded(const char* who, Call&& call) {
    bool well = true;
    engine::guarded(call, [&](const char* why) {
      well = false;
      fail(who, why);
    });
    return well;
  }

 private:
  template <class Indices>
  struct Slots;
  template <std::size_t... S>
  struct Slots<std::index_sequence<S...>> {
    using Stages = std::tuple<Stage<S, Plan>...>;
    using Lists = std::tuple<typename Items::template List<S>...>;
  };
  using AllSlots = Slots<std::make_index_sequence<slot_count>>;
  using Stages = typename AllSlots::Stages;

  std::size_t dispatch_all_in(Slot slots) {
    std::size_t total = 0;
    for (std::size_t round = 1; round != 0; total += round)
      round = [&]<std::size_t... S>(std::index_sequence<S...>) {
        return ((slots.bits() >> S & 1 ? dispatch<S>() : 0) + ...);
      }(std::make_index_sequence<slot_count>{});
    return total;
  }

  /// What modules append meanwhile waits: the log is being read.
  void play_back() {
    auto& module = stage<wal>().module();
    if constexpr (!DiscardsEntries<typename Plan::template Module<wal>>) {
      const Slot others(static_cast<std::uint16_t>((slot::all | slot::node).bits() &
                                                   ~slot::wal.bits()));
      module.replay([&](std::uint32_t type, const Bytes& entry) {
        if (phase_ != Phase::working) return;
        push_wal_entry(type, entry, typename Plan::Events{});
        if (is_full()) dispatch_all_in(others);
      });
    }
  }
  template <class... Es>
  void push_wal_entry(std::uint32_t type, const Bytes& entry, events<Es...>) {
    if (!(push_if_it_is<Es>(type, entry) || ...))
      throw ModuleFailure("the write-ahead log holds an entry of type " + std::to_string(type) +
                          ", which no module of this Node has written");
  }
  template <class E>
  bool push_if_it_is(std::uint32_t type, const Bytes& bytes) {
    if constexpr (is_instance<WalAppend, E>) {
      if (type != E::number) return false;
      auto entry = wire::decode<typename E::origin_type>(bytes, wire::Form::lenient);
      if (!entry)
        throw ModuleFailure("an entry of type " + std::to_string(type) +
                            " in the write-ahead log cannot be decoded");
      items_.push(typename E::answer{std::move(*entry)});
      return true;
    } else {
      return false;
    }
  }

  void abandon_callers() {
    inbox_.close();
    inbox_.drain(items_, callers_);
    callers_.abandon([&](Callback& callback, ClientId client, ReqNo req_no) {
      guarded("callback of a request", [&] {
        callback(Replied{client, req_no, Outcome::shut_down, {}, {}});
      });
    });
  }

  const NodeConfig config_;
  Inbox<Plan> inbox_;
  Interceptor interceptor_;
  Stages stages_;
  Items items_;
  typename AllSlots::Lists dispatching_;
  std::vector<FollowUps> follow_ups_;
  Callers callers_;
  Phase phase_ = Phase::created;
  std::string reason_;
  std::uint64_t dispatched_ = 0;
  bool ended_ = false;
};

}  // namespace mirbft::engine

// <mirbft/engine/inquiry.hpp>
// How any thread asks the dispatching one for what only that one may look at.

#include <thread>

namespace mirbft::engine {

/// While it is open, one thread answers and the others wait for it; while it is closed, whoever
/// asks looks for himself.
template <class Answer>
class Inquiry {
 public:
  /// This thread answers from now on, until it closes.
  void open() {
    const std::lock_guard lock(mutex_);
    answering_ = std::this_thread::get_id();
  }
  /// The last call of the thread that answers: who still waits then looks for himself.
  void close() {
    {
      const std::lock_guard lock(mutex_);
      answering_ = {};
    }
    changed_.notify_all();
  }

  /// `look()`, or what the answering thread says, which is woken. Not while that thread is
  /// blocked for good.
  template <class Look>
  Answer ask(Look&& look, Wake& answering) {
    std::unique_lock lock(mutex_);
    if (answers_itself()) return look();
    const std::uint64_t question = ++asked_;
    pending_.store(true, std::memory_order_relaxed);
    lock.unlock();
    answering.wake();
    lock.lock();
    changed_.wait(lock, [&] { return answered_ >= question || answers_itself(); });
    return answered_ >= question ? *answer_ : look();
  }

  /// Answers all who have asked: `look()` is called only when there is anybody.
  template <class Look>
  void answer(Look&& look) {
    if (!pending_.load(std::memory_order_relaxed)) return;
    {
      const std::lock_guard lock(mutex_);
      pending_.store(false, std::memory_order_relaxed);
      answer_.emplace(look());
      answered_ = asked_;
    }
    changed_.notify_all();
  }

 private:
  bool answers_itself() const noexcept {
    return answering_ == std::thread::id{} || answering_ == std::this_thread::get_id();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::thread::id answering_;
  std::atomic<bool> pending_{false};
  std::uint64_t asked_ = 0;
  std::uint64_t answered_ = 0;
  std::optional<Answer> answer_;
};

}  // namespace mirbft::engine

// <mirbft/engine/net_runner.hpp>
// A thread for a Net that has its own: it sends the lists it is given and waits for frames.

#include <stop_token>

namespace mirbft::engine {

/// Sends and receives on one thread. When the dispatching thread does not keep up with what
/// arrives, this one stops reading, and goes on sending. All calls are the dispatching thread's.
template <class Core>
class NetRunner {
 public:
  using Stage = engine::Stage<slot::net.index(), typename Core::Plan>;
  using Items = typename Stage::Items;
  using List = typename Stage::List;

  explicit NetRunner(Core& core)
      : core_(core), stage_(core.template stage<slot::net.index()>()),
        wake_(core.inbox().dispatcher()), room_(core.config().busy_above) {
    stage_.lend();
    thread_ = std::jthread([this](std::stop_token stop) { work(stop); });
  }
  ~NetRunner() {
    thread_.request_stop();
    stage_.module().wake();
    thread_.join();
    stage_.take_back();
  }

  /// Whether nothing is left of what was handed over, nor of what has come in.
  bool idle() const {
    const std::lock_guard lock(mutex_);
    return !sending_ && outgoing_.size() == 0 && incoming_.size() == 0 && released_.empty();
  }

  /// Whether a list may be handed over: always, as a Net never blocks.
  bool ready() const noexcept { return true; }

  /// Takes the list, which is left empty.
  void hand_over(List& list) {
    {
      const std::lock_guard lock(mutex_);
      outgoing_.append(list);
    }
    changed_.notify_one();
    stage_.module().wake();
  }

  /// Moves what came in to `items`, unless the Node is full, and the follow-ups that are due to
  /// `follow_ups`. Throws ModuleFailure with the reason when the module failed.
  void collect(Items& items, std::vector<FollowUps>& follow_ups) {
    const std::lock_guard lock(mutex_);
    if (failure_) throw ModuleFailure(*failure_);
    follow_ups.insert(follow_ups.end(), released_.begin(), released_.end());
    released_.clear();
    if (incoming_.size() == 0 || core_.is_full()) return;
    items.absorb(incoming_);
    changed_.notify_one();
  }

  /// Stops reading; what is handed over is still sent.
  void stop_receiving() {
    {
      const std::lock_guard lock(mutex_);
      receiving_ = false;
    }
    stage_.module().wake();
  }

 private:
  void work(std::stop_token stop) {
    List list;
    Items out;
    std::vector<FollowUps> follow_ups;
    while (wait_for_work(stop, list)) {
      engine::guarded([&] { send_and_receive(list, out, follow_ups); },
                      [&](const char* why) {
                        const std::lock_guard lock(mutex_);
                        failure_ = why;
                      });
      if (!hand_in(out, follow_ups)) return;
    }
  }

  /// Waits only while there is nothing to send and no room for what might be received.
  bool wait_for_work(const std::stop_token& stop, List& list) {
    std::unique_lock lock(mutex_);
    const auto may_receive = [this] { return receiving_ && incoming_.size() < room_; };
    changed_.wait(lock, stop, [&] { return outgoing_.size() != 0 || may_receive(); });
    if (stop.stop_requested()) return false;
    std::swap(list, outgoing_);
    sending_ = list.size() != 0;
    may_receive_ = may_receive();
    return true;
  }

  void send_and_receive(List& list, Items& out, std::vector<FollowUps>& follow_ups) {
    const bool sent = list.size() != 0;
    if (sent) stage_.run(list, out, follow_ups);
    if (may_receive_) {
      // What follows a sending must not wait for what arrives.
      const std::chrono::nanoseconds at_most = std::chrono::seconds(sent ? 0 : 1);
      typename Stage::TaskOut task_out(out);
      stage_.task().receive(stage_.module(), at_most, core_.config().frames_at_a_time, task_out);
    }
    stage_.publish();
  }

  /// Shows the dispatching thread what came out. False when the module has failed.
  bool hand_in(Items& out, std::vector<FollowUps>& follow_ups) {
    bool failed = false;
    bool awaited = out.size() != 0 || !follow_ups.empty();
    {
      const std::lock_guard lock(mutex_);
      failed = failure_.has_value();
      awaited = awaited || failed || !receiving_;
      sending_ = false;
      incoming_.absorb(out);
      released_.insert(released_.end(), follow_ups.begin(), follow_ups.end());
      follow_ups.clear();
    }
    if (awaited) wake_.wake();
    return !failed;
  }

  Core& core_;
  Stage& stage_;
  Wake& wake_;
  const std::size_t room_;
  bool may_receive_ = false;  // the thread's alone

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  bool receiving_ = true;
  bool sending_ = false;
  List outgoing_;
  Items incoming_;
  std::vector<FollowUps> released_;
  std::optional<std::string> failure_;
  std::jthread thread_;
};

}  // namespace mirbft::engine

// <mirbft/engine/runner.hpp>
// Threads for the modules that have them: one, or a pool that shares each list.

namespace mirbft::engine {

/// Runs the lists of slot `S` on `Threads` threads of its own. The dispatching thread hands a
/// whole list over when the last one is back; meanwhile the next one grows. All calls are the
/// dispatching thread's.
template <std::size_t S, class Core, std::size_t Threads>
class Runner {
 public:
  using Stage = engine::Stage<S, typename Core::Plan>;
  using Items = typename Stage::Items;
  using List = typename Stage::List;

  explicit Runner(Core& core) : stage_(core.template stage<S>()), wake_(core.inbox().dispatcher()) {
    stage_.lend();
    for (std::size_t i = 0; i < Threads; ++i)
      threads_[i] = std::jthread([this, i](std::stop_token stop) { work(stop, i); });
  }
  ~Runner() {
    for (std::jthread& thread : threads_) thread.request_stop();
    for (std::jthread& thread : threads_) thread.join();
    stage_.take_back();
  }

  /// Whether nothing is left of what was handed over.
  bool idle() const noexcept { return !busy_; }
  /// Whether a list may be handed over.
  bool ready() const noexcept { return !busy_; }

  /// Takes the list, which is left empty. Requires `ready()`.
  void hand_over(List& list) {
    busy_ = true;
    {
      const std::lock_guard lock(mutex_);
      std::swap(list_, list);
      parts_ = can_be_shared(list_) ? Threads : 1;
      remaining_ = Threads;
      done_ = false;
      ++round_;
    }
    handed_over_.notify_all();
  }

  /// When the list is done: moves what came out of it to `items`, with the follow-ups that are
  /// due. Throws ModuleFailure with the reason when the module failed.
  void collect(Items& items, std::vector<FollowUps>& follow_ups) {
    if (!busy_) return;
    {
      const std::lock_guard lock(mutex_);
      if (!done_) return;
      if (failure_) throw ModuleFailure(*failure_);
    }
    busy_ = false;
    for (Items& out : out_) items.absorb(out);
    follow_ups.insert(follow_ups.end(), due_.begin(), due_.end());
    due_.clear();
  }

 private:
  /// Whether no event of the list wants to be alone.
  static bool can_be_shared(const List& list) {
    bool shared = Threads > 1;
    if constexpr (Threads > 1) {
      list.for_each([&]<class E>(const E&) { shared = shared && !Stage::Task::template alone<E>; });
    }
    return shared;
  }

  void work(std::stop_token stop, std::size_t part) {
    for (std::size_t seen = 0;;) {
      {
        std::unique_lock lock(mutex_);
        if (!handed_over_.wait(lock, stop, [&] { return round_ != seen; })) return;
        seen = round_;
      }
      if (part < parts_) run_part(part);
      {
        const std::lock_guard lock(mutex_);
        if (--remaining_ != 0) continue;
      }
      finish(part);
    }
  }

  /// This thread's part of the list. After a failure the rest is dropped: a write-ahead log must
  /// not hold what comes after an entry that it does not hold.
  void run_part(std::size_t part) {
    const std::size_t size = list_.size();
    bool well = true;
    list_.consume_part(size * part / parts_, size * (part + 1) / parts_, [&](auto&& event) {
      if (well) well = guarded([&] { stage_.process(std::move(event), out_[part]); });
    });
  }

  /// The end of a list, on the thread that was last. It may take long: a sync does.
  void finish(std::size_t part) {
    list_.consumed(due_);
    const auto failed = [&] {
      const std::lock_guard lock(mutex_);
      return failure_.has_value();
    };
    if (!failed()) guarded([&] { stage_.finish(out_[part]); });
    guarded([&] { stage_.publish(); });
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    wake_.wake();
  }

  template <class Call>
  bool guarded(Call&& call) {
    bool well = true;
    engine::guarded(call, [&](const char* why) {
      const std::lock_guard lock(mutex_);
      well = false;
      if (!failure_) failure_ = why;
    });
    return well;
  }

  Stage& stage_;
  Wake& wake_;
  bool busy_ = false;  // the dispatching thread's alone

  std::mutex mutex_;
  std::condition_variable_any handed_over_;
  std::size_t round_ = 0;
  std::size_t remaining_ = 0;
  bool done_ = true;
  std::optional<std::string> failure_;

  // These belong to the threads between `hand_over` and `done_`, else to the dispatching thread.
  List list_;
  std::size_t parts_ = 1;
  std::array<Items, Threads> out_;
  std::vector<FollowUps> due_;

  std::array<std::jthread, Threads> threads_;
};

}  // namespace mirbft::engine

// <mirbft/engine/threaded_driver.hpp>
// Runs a Node on threads: one that dispatches, and those that modules have of their own.

namespace mirbft::engine {

/// A slot without a thread of its own: its lists run where they are dispatched.
template <class Core>
struct RunHere {
  explicit RunHere(Core&) {}
  bool idle() const noexcept { return true; }
};

template <std::size_t S, class Core, std::size_t Threads>
struct RunnerFor {
  using type = Runner<S, Core, Threads>;
};
template <std::size_t S, class Core>
struct RunnerFor<S, Core, 0> {
  using type = RunHere<Core>;
};
template <class Core, std::size_t Threads>
  requires(Threads > 0)
struct RunnerFor<slot::net.index(), Core, Threads> {
  using type = NetRunner<Core>;
};

/// `Threads` is an index sequence with the number of threads of each slot.
template <class Core, class Threads>
class ThreadedDriver;

template <class Core, std::size_t... Threads>
class ThreadedDriver<Core, std::index_sequence<Threads...>> {
  template <std::size_t S>
  static constexpr std::size_t threads = std::array{Threads...}[S];
  static constexpr std::size_t net = slot::net.index();
  static constexpr bool net_is_here = threads<net> == 0;

 public:
  explicit ThreadedDriver(Core& core) : core_(core) {}

  /// Works until `stop` is requested or a module fails; then finishes what was begun.
  /// `clock()` tells the time as nanoseconds since any fixed point; `each_round()` is called now
  /// and then.
  template <class Clock, class EachRound>
  void run(std::stop_token stop, Clock&& clock, EachRound&& each_round) {
    Wake& wake = core_.inbox().dispatcher();
    if constexpr (net_is_here) wake.also_wake(core_.template stage<net>().module());
    {
      const std::stop_callback on_stop(stop, [&wake] { wake.wake(); });
      if (!stop.stop_requested()) core_.start();
      if (core_.phase() == Phase::working)
        core_.guarded("threads", [&] { work_on_threads(stop, clock, each_round); });
    }
    core_.stop();
    wake.forget();
  }

 private:
  template <class Indices>
  struct RunnersOf;
  template <std::size_t... S>
  struct RunnersOf<std::index_sequence<S...>> {
    struct type : std::tuple<typename RunnerFor<S, Core, threads<S>>::type...> {
      explicit type(Core& core)
          : std::tuple<typename RunnerFor<S, Core, threads<S>>::type...>((void(S), core)...) {}
    };
  };
  using Runners = typename RunnersOf<std::make_index_sequence<slot_count>>::type;

  template <class Clock, class EachRound>
  void work_on_threads(const std::stop_token& stop, Clock& clock, EachRound& each_round) {
    Runners runners(core_);
    std::chrono::nanoseconds next_tick = clock();
    while (!stop.stop_requested() && core_.phase() == Phase::working) {
      const std::chrono::nanoseconds now = clock();
      if (now >= next_tick) {
        core_.items().push(Tick{now});
        next_tick = now + core_.config().tick_every;
      }
      bool busy = core_.take_submitted();
      if constexpr (net_is_here) {
        if (core_.take_received(std::chrono::nanoseconds(0))) busy = true;
      }
      if (round(runners)) busy = true;
      each_round();
      if (!busy) wait(next_tick - now);
    }
    finish(runners, each_round);
  }

  /// No more inputs: goes on until every list is empty and every thread idle.
  template <class EachRound>
  void finish(Runners& runners, EachRound& each_round) {
    core_.inbox().close();
    if constexpr (!net_is_here) std::get<net>(runners).stop_receiving();
    while (core_.phase() == Phase::working) {
      const bool busy = core_.take_submitted() || round(runners);
      each_round();
      if (busy) continue;
      if (all_idle(runners) && core_.items().size() == 0) return;
      core_.inbox().dispatcher().wait(std::chrono::milliseconds(100));
    }
  }

  /// Waits for a reason to go on. A Node that is full reads nothing, so it doesn't wait in the Net.
  void wait(std::chrono::nanoseconds at_most) {
    Wake& wake = core_.inbox().dispatcher();
    if (!net_is_here || core_.is_full()) {
      wake.wait(at_most);
    } else if (!wake.take()) {
      core_.take_received(at_most);
    }
  }

  /// Every list once, then the callers. Says if anything moved.
  bool round(Runners& runners) {
    const bool moved = [&]<std::size_t... S>(std::index_sequence<S...>) {
      return (int{visit<S>(runners)} | ...) != 0;
    }(std::make_index_sequence<slot_count>{});
    core_.call_back();
    return moved;
  }
  template <std::size_t S>
  bool visit(Runners& runners) {
    if constexpr (threads<S> == 0) {
      return core_.template dispatch<S>() != 0;
    } else {
      return exchange<S>(std::get<S>(runners));
    }
  }
  /// Takes what the module's threads have finished and gives them the next list.
  template <std::size_t S, class R>
  bool exchange(R& runner) {
    if (core_.phase() != Phase::working) return false;
    bool moved = false;
    core_.guarded(slot_names[S], [&] {
      const std::size_t before = core_.items().size();
      runner.collect(core_.items(), follow_ups_);
      core_.items().release(follow_ups_);
      moved = core_.items().size() != before;
      if (hand_over<S>(runner)) moved = true;
    });
    return moved;
  }
  template <std::size_t S, class R>
  bool hand_over(R& runner) {
    auto& list = core_.items().template list<S>();
    if (list.size() == 0 || !runner.ready()) return false;
    if (!core_.template intercept<S>(list)) return false;
    runner.hand_over(list);
    return true;
  }

  bool all_idle(const Runners& runners) {
    return [&]<std::size_t... S>(std::index_sequence<S...>) {
      return (std::get<S>(runners).idle() && ...);
    }(std::make_index_sequence<slot_count>{});
  }

  Core& core_;
  std::vector<FollowUps> follow_ups_;
};

}  // namespace mirbft::engine

// <mirbft/engine/wiring_text.hpp>
// The wiring of a Node, printed for people: plain text, Graphviz or Mermaid.

namespace mirbft {

/// How `Node::wiring` draws the plan.
enum class WiringFormat : std::uint8_t { text, graphviz, mermaid };

namespace engine {

/// One event type between two slots.
struct Wire {
  std::size_t from;
  std::size_t to;
  std::string_view event;
};

/// Why a module never gets an event that it could handle. Neither is an error, since modules get
/// swapped.
enum class Unfed : std::uint8_t { nobody_emits_it, it_goes_elsewhere };

/// An event that a module waits for in vain.
struct LooseEnd {
  std::size_t slot;
  std::string_view event;
  Unfed why;
};

/// A Node's plan as data.
struct WiringPlan {
  std::array<std::string_view, slot_count> modules;
  std::vector<Wire> wires;
  std::vector<LooseEnd> loose_ends;
};

/// What a module type is called, without namespaces and arguments.
template <class M>
constexpr std::string_view module_name() {
  const std::string_view text = wire::detail::type_text<M>();
  return wire::detail::last_identifier(text.ends_with('>') ? wire::detail::without_arguments(text)
                                                           : text);
}

template <class Plan, std::size_t From, class E>
void add_wires(WiringPlan& plan) {
  [&]<std::size_t... To>(std::index_sequence<To...>) {
    ((Plan::template routes<To, E> ? plan.wires.push_back({From, To, wire::type_name<E>})
                                   : void()),
     ...);
  }(std::make_index_sequence<slot_count>{});
}

template <class Plan, std::size_t From, class... Es>
void add_emissions(WiringPlan& plan, events<Es...>) {
  (add_wires<Plan, From, Es>(plan), ...);
}

template <class E>
struct AnswerTo {
  using type = events<>;
};
template <HasAnswer E>
struct AnswerTo<E> {
  using type = events<typename E::answer>;
};
template <class E>
using AnswersTo = typename AnswerTo<E>::type;

/// A task answers what it is asked, so its wires follow from what it receives.
template <class Plan, std::size_t S, class... Es>
void add_answers(WiringPlan& plan, events<Es...>) {
  (add_emissions<Plan, S>(plan, AnswersTo<Es>{}), ...);
}

template <class Plan, std::size_t S, class E>
void add_loose_end(WiringPlan& plan) {
  if constexpr (!contains<E, typename Plan::Events>) {
    plan.loose_ends.push_back({S, wire::type_name<E>, Unfed::nobody_emits_it});
  } else if constexpr (!Plan::template routes<S, E>) {
    plan.loose_ends.push_back({S, wire::type_name<E>, Unfed::it_goes_elsewhere});
  }
}
template <class Plan, std::size_t S, class... Es>
void add_loose_ends(WiringPlan& plan, events<Es...>) {
  (add_loose_end<Plan, S, Es>(plan), ...);
}

template <class Plan>
WiringPlan wiring_plan() {
  WiringPlan plan{};
  [&]<std::size_t... S>(std::index_sequence<S...>) {
    plan.modules = {module_name<typename Plan::template Module<S>>()...};
    (add_emissions<Plan, S>(plan, typename Plan::template Emits<S>{}), ...);
    (add_answers<Plan, S>(plan, typename Plan::template Received<S>{}), ...);
    (add_loose_ends<Plan, S>(plan, consumes_of<typename Plan::template Module<S>>{}), ...);
  }(std::make_index_sequence<slot_count>{});
  return plan;
}

inline std::string as_text(const WiringPlan& plan) {
  std::string text;
  for (std::size_t slot = 0; slot < slot_count; ++slot) {
    text += std::string(slot_names[slot]) + ": " + std::string(plan.modules[slot]) + "\n";
    for (const Wire& wire : plan.wires)
      if (wire.from == slot)
        text += "  " + std::string(wire.event) + " -> " + slot_names[wire.to] + "\n";
    for (const LooseEnd& end : plan.loose_ends)
      if (end.slot == slot)
        text += end.why == Unfed::nobody_emits_it
                    ? "  (nobody emits " + std::string(end.event) + ")\n"
                    : "  (" + std::string(end.event) + " never comes here)\n";
  }
  return text;
}

inline std::string as_graph(const WiringPlan& plan, WiringFormat format) {
  const bool dot = format == WiringFormat::graphviz;
  std::string text = dot ? "digraph node {\n" : "flowchart LR\n";
  for (std::size_t slot = 0; slot < slot_count; ++slot) {
    const std::string name = slot_names[slot];
    const std::string label = name + ": " + std::string(plan.modules[slot]);
    text += "  " + name;
    text += dot ? "_ [shape=box, label=\"" + label + "\"];\n" : "_[\"" + label + "\"]\n";
  }
  for (const Wire& wire : plan.wires) {
    const std::string from = std::string(slot_names[wire.from]) + "_";
    const std::string to = std::string(slot_names[wire.to]) + "_";
    const std::string event(wire.event);
    text += dot ? "  " + from + " -> " + to + " [label=\"" + event + "\"];\n"
                : "  " + from + " -->|" + event + "| " + to + "\n";
  }
  for (const LooseEnd& end : plan.loose_ends) {
    const std::string to = std::string(slot_names[end.slot]) + "_";
    const std::string event(end.event);
    text += dot ? "  nobody -> " + to + " [style=dashed, label=\"" + event + "\"];\n"
                : "  nobody -.->|" + event + "| " + to + "\n";
  }
  return text + (dot ? "}\n" : "");
}

template <class Plan>
std::string wiring_text(WiringFormat format) {
  const WiringPlan plan = wiring_plan<Plan>();
  return format == WiringFormat::text ? as_text(plan) : as_graph(plan, format);
}

}  // namespace engine
}  // namespace mirbft

// <mirbft/modules/app/counter.hpp>
// The smallest useful App: a replicated counter, and the example of writing one.

#include <system_error>

namespace mirbft {

/// Adds up: the body "add N" counts N, any other counts one. The reply is the new value as text.
/// Sums wrap at 2^64, so that every replica agrees on every input.
class Counter {
 public:
  std::vector<Bytes> apply(SeqNr, std::span<const Request> requests) {
    std::vector<Bytes> replies;
    replies.reserve(requests.size());
    for (const Request& request : requests) {
      value_ += amount(request.data.text());
      replies.push_back(snapshot());
    }
    return replies;
  }

  Bytes snapshot() const { return Bytes(std::to_string(value_)); }

  void restore(ByteView state) {
    const auto value = number({reinterpret_cast<const char*>(state.data()), state.size()});
    if (!value) throw ModuleFailure("counter: the snapshot is not a number");
    value_ = *value;
  }

  std::uint64_t value() const noexcept { return value_; }

 private:
  static std::uint64_t amount(std::string_view body) noexcept {
    return body.starts_with("add ") ? number(body.substr(4)).value_or(1) : 1;
  }

  static std::optional<std::uint64_t> number(std::string_view text) noexcept {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
  }

  std::uint64_t value_ = 0;
};

}  // namespace mirbft

// <mirbft/modules/app/key_value_chunks.hpp>
// Keys and values in chunks of bounded size, of which a checkpoint takes those that have changed.

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

// <mirbft/modules/app/key_value_store.hpp>
// A key-value store as an App: SET, GET, DEL and INCR, as lines of text.

namespace mirbft {

/// What the body of a request asks of a `KeyValueStore`. The views are of that body.
struct KeyValueCommand {
  enum class Verb : std::uint8_t { set, get, del, incr };

  Verb verb = Verb::get;
  std::string_view key;
  std::string_view value;  ///< of SET: all that follows the key, blanks included; may be empty

  /// What a command looks like, for those who wrote another.
  static constexpr std::string_view rule = "SET key value, GET key, DEL key or INCR key";

  /// Reads `SET key value`, `GET key`, `DEL key` or `INCR key`, with one blank between the words.
  /// None if it is something else. A key holds no blank.
  static std::optional<KeyValueCommand> parse(std::string_view text) noexcept {
    const auto next_word = [&text] {
      const std::string_view word = text.substr(0, text.find(' '));
      text.remove_prefix(word.size());
      return word;
    };
    const auto skip_blank = [&text] {
      const bool there = text.starts_with(' ');
      if (there) text.remove_prefix(1);
      return there;
    };
    const std::optional<Verb> verb = verb_named(next_word());
    if (!verb || !skip_blank()) return std::nullopt;
    const std::string_view key = next_word();
    const bool has_value = skip_blank();
    if (key.empty() || has_value != (verb == Verb::set)) return std::nullopt;
    return KeyValueCommand{*verb, key, text};
  }

 private:
  static constexpr std::optional<Verb> verb_named(std::string_view name) noexcept {
    if (name == "SET") return Verb::set;
    if (name == "GET") return Verb::get;
    if (name == "DEL") return Verb::del;
    if (name == "INCR") return Verb::incr;
    return std::nullopt;
  }
};

/// A key and its value in a snapshot.
struct KeyValueEntry {
  Bytes key;
  Bytes value;
};

/// All entries, by ascending key: the same state always gives the same bytes.
struct KeyValueSnapshot {
  std::vector<KeyValueEntry> entries;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::KeyValueEntry, key, value);
BOOST_HANA_ADAPT_STRUCT(mirbft::KeyValueSnapshot, entries);

namespace mirbft {

/// Maps keys to values, both of any bytes. A chunked App, and so the example of writing one; for
/// small states it also is a simple one. The first character of a reply says what follows, as in
/// Redis' protocol: `+` done, `$` a value, `:` a number, `_` no such key, `-` an error.
class KeyValueStore {
 public:
  std::vector<Bytes> apply(SeqNr, std::span<const Request> requests) {
    std::vector<Bytes> replies;
    replies.reserve(requests.size());
    for (const Request& request : requests) replies.emplace_back(execute(request.data.text()));
    return replies;
  }

  Bytes snapshot() const {
    KeyValueSnapshot all;
    all.entries.reserve(values_.size());
    values_.for_each([&](std::string_view key, std::string_view value) {
      all.entries.push_back({Bytes(key), Bytes(value)});
    });
    return wire::encode(all);
  }

  void restore(ByteView state) {
    // A quorum vouches for the state, so it may be as large as it is.
    const wire::Limits limits{.memory = std::numeric_limits<std::size_t>::max()};
    const auto all = wire::decode<KeyValueSnapshot>(Bytes(state), wire::Form::canonical, limits);
    // The one snapshot of a state has its keys in order: two texts must not mean one state.
    if (!all || std::adjacent_find(all->entries.begin(), all->entries.end(),
                                   [](const KeyValueEntry& left, const KeyValueEntry& right) {
                                     return left.key >= right.key;
                                   }) != all->entries.end())
      throw ModuleFailure("key-value store: the snapshot cannot be read");
    values_ = {};
    for (const KeyValueEntry& entry : all->entries)
      values_.set(entry.key.text(), entry.value.text());
  }

  FrozenChunks freeze() { return values_.freeze(); }
  Bytes frozen(std::uint64_t number) { return values_.frozen(number); }
  void restore(std::span<const Bytes> chunks) { values_.restore(chunks); }

  /// The value of a key; none if there is no such key. Valid until the next change.
  std::optional<std::string_view> find(std::string_view key) const { return values_.find(key); }
  std::size_t size() const noexcept { return values_.size(); }

 private:
  std::string execute(std::string_view text) {
    const auto command = KeyValueCommand::parse(text);
    if (!command) return "-the command must be " + std::string(KeyValueCommand::rule);
    switch (command->verb) {
      case KeyValueCommand::Verb::set:
        values_.set(command->key, command->value);
        return "+OK";
      case KeyValueCommand::Verb::get: break;
      case KeyValueCommand::Verb::del: return values_.erase(command->key) ? ":1" : ":0";
      case KeyValueCommand::Verb::incr: return incr(command->key);
    }
    const auto value = find(command->key);
    return value ? '$' + std::string(*value) : "_";
  }

  /// A key that is not there counts as 0.
  std::string incr(std::string_view key) {
    const std::string_view text = find(key).value_or("0");
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() ||
        number == std::numeric_limits<std::int64_t>::max())
      return "-the value is not a number that can grow by one";
    const std::string grown = std::to_string(number + 1);
    values_.set(key, grown);
    return ':' + grown;
  }

  KeyValueChunks values_;
};

}  // namespace mirbft

// <mirbft/modules/app/reconfigurable.hpp>
// An App around another one: administrators change keys by requests of their own.

#include <set>

namespace mirbft {

/// Who may change keys, and what a key looks like. The same at every replica.
struct ReconfigurableConfig {
  /// Clients all of whose requests are reconfigurations.
  std::set<ClientId> administrators;
  /// The members of the cluster: nobody else's key can be changed.
  std::set<NodeId> members;
  /// Whether the Crypto module takes this for a public key, as `Ed25519Key::is_public_key` says.
  bool (*is_key)(ByteView key) = [](ByteView key) { return !key.empty(); };
};

/// What the body of an administrator's request holds.
struct ReconfigurationRequest {
  Reconfiguration change;
};

/// Passes requests on to `Inner`, but for those of administrators. The body of such a request is
/// `wire::encode(ReconfigurationRequest{…})`; the reply is `accepted`, or says why not, and then
/// nothing changes.
///
/// It has the forms that `Inner` has, the simple one, the chunked one or both. The state is that of
/// `Inner`: what was asked for is handed out with each snapshot, and is the
/// protocol's from then on. The administrator's own key may be changed in the same way.
template <class Inner>
class Reconfigurable {
 public:
  static constexpr std::string_view accepted = "in force from the second next epoch";

  explicit Reconfigurable(ReconfigurableConfig config, Inner inner = {})
      : config_(std::move(config)), inner_(std::move(inner)) {}

  std::vector<Bytes> apply(SeqNr sn, std::span<const Request> requests) {
    std::vector<Bytes> replies(requests.size());
    std::vector<Request> others;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      if (config_.administrators.contains(requests[i].client)) {
        replies[i] = Bytes(ask(requests[i].data));
      } else {
        others.push_back(requests[i]);
        places.push_back(i);
      }
    }
    if (others.empty()) return replies;
    std::vector<Bytes> inner = inner_.apply(sn, std::span<const Request>(others));
    if (inner.size() != others.size()) return inner;  // the engine says what is wrong with that
    for (std::size_t i = 0; i < inner.size(); ++i) replies[places[i]] = std::move(inner[i]);
    return replies;
  }

  Bytes snapshot()
    requires requires(Inner& app) { app.snapshot(); }
  {
    return inner_.snapshot();
  }
  Bytes snapshot() const
    requires requires(const Inner& app) { app.snapshot(); }
  {
    return inner_.snapshot();
  }
  FrozenChunks freeze()
    requires requires(Inner& app) { app.freeze(); }
  {
    return inner_.freeze();
  }
  Bytes frozen(std::uint64_t index)
    requires requires(Inner& app) { app.frozen(index); }
  {
    return inner_.frozen(index);
  }
  /// `State` is what `Inner` restores from, in the one form or the other.
  template <class State>
    requires requires(Inner& app, const State& state) { app.restore(state); }
  void restore(const State& state) {
    inner_.restore(state);
    asked_.clear();
  }

  std::vector<Reconfiguration> reconfigurations() { return std::exchange(asked_, {}); }

  const Inner& inner() const noexcept { return inner_; }

  auto status() const
    requires requires(const Inner& app) { app.status(); }
  {
    return inner_.status();
  }

 private:
  std::string_view ask(const Bytes& body) {
    const auto read = wire::decode<ReconfigurationRequest>(body, wire::Form::canonical);
    if (!read) return "refused: the body is no ReconfigurationRequest";
    const std::string_view fault = std::visit([&](const auto& one) { return fault_of(one); },
                                              read->change);
    if (!fault.empty()) return fault;
    asked_.push_back(own_copy(read->change));
    return accepted;
  }

  std::string_view fault_of(const NodeKey& change) const {
    if (!config_.members.contains(change.node))
      return "refused: the node is no member, and members cannot be added yet";
    if (!change.key) return "refused: a member needs a key, and members cannot be removed yet";
    return fault_of_key(*change.key);
  }
  std::string_view fault_of(const ClientKey& change) const {
    return change.key ? fault_of_key(*change.key) : "";
  }
  std::string_view fault_of_key(const Bytes& key) const {
    if (key.size() > max_public_key_bytes || !config_.is_key(key.view()))
      return "refused: that is no public key";
    return "";
  }

  /// A slice would keep the whole body in memory.
  static Reconfiguration own_copy(Reconfiguration change) {
    std::visit([](auto& one) { if (one.key) one.key = Bytes(one.key->view()); }, change);
    return change;
  }

  ReconfigurableConfig config_;
  Inner inner_;
  std::vector<Reconfiguration> asked_;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::ReconfigurationRequest, change);

// <mirbft/modules/crypto/null.hpp>
// A Crypto module that signs nothing and believes everything: for simulation and measuring.

namespace mirbft {

/// Empty signatures, all of them valid, from whomever. With it the cluster tolerates crashes but
/// nobody who lies, and anybody may submit in a client's name.
class NullCrypto {
 public:
  /// Spares the Node the work of composing what a client has signed.
  static constexpr bool trusts_everyone = true;

  Bytes sign(Epoch, ByteView) const noexcept { return {}; }

  SignatureCheck verify_node(NodeId, Epoch, ByteView, ByteView) const noexcept {
    return SignatureCheck::valid;
  }
  SignatureCheck verify_client(ClientId, ByteView, ByteView) const noexcept {
    return SignatureCheck::valid;
  }

  void update_node_key(NodeId, Epoch, const std::optional<Bytes>&) noexcept {}
  void forget_node_keys(Epoch) noexcept {}
  void update_client_key(ClientId, const std::optional<Bytes>&) noexcept {}
};

}  // namespace mirbft

// <mirbft/modules/interceptor/file.hpp>
// An Interceptor that records everything: the event log in a file.

// <mirbft/log/error.hpp>
// Why an event log could not be written or read.

namespace mirbft {

/// Which file, at which byte, and what is wrong there.
class LogError : public std::runtime_error {
 public:
  LogError(std::string file, std::uint64_t offset, std::string reason)
      : std::runtime_error(file + ": at byte " + std::to_string(offset) + ": " + reason),
        file_(std::move(file)),
        offset_(offset),
        reason_(std::move(reason)) {}

  const std::string& file() const noexcept { return file_; }
  std::uint64_t offset() const noexcept { return offset_; }
  const std::string& reason() const noexcept { return reason_; }

 private:
  std::string file_;
  std::uint64_t offset_;
  std::string reason_;
};

}  // namespace mirbft

// <mirbft/log/writer.hpp>
// Writes an event log: every list as it is dispatched, in one write.

// <mirbft/log/file.hpp>
// A file as the event log needs it: appended to by one call a list, read at any place.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mirbft {

/// An open file. Whatever fails is a LogError with the system's reason.
class LogFile {
 public:
  /// A file to write: a new or empty one, a pipe or a device. What has content is refused, since a
  /// log is worth most after the crash that a restart would wipe out.
  static LogFile create(std::string path) {
    LogFile file(std::move(path), O_WRONLY | O_CREAT);
    if (file.is_regular() && file.size() != 0)
      file.fail(0, "the file has content already: move it away or choose another name");
    return file;
  }

  /// A file to read, which must be a regular one.
  static LogFile open(std::string path) {
    LogFile file(std::move(path), O_RDONLY | O_NONBLOCK);
    if (!file.is_regular()) file.fail(0, "this is no regular file and so no event log");
    return file;
  }

  LogFile(LogFile&& other) noexcept
      : path_(std::move(other.path_)), handle_(std::exchange(other.handle_, -1)) {}
  LogFile& operator=(LogFile other) noexcept {
    std::swap(path_, other.path_);
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~LogFile() {
    if (handle_ >= 0) ::close(handle_);
  }

  const std::string& path() const noexcept { return path_; }

  std::uint64_t size() const { return static_cast<std::uint64_t>(status().st_size); }

  /// Appends all of `bytes`; `offset`, where they begin, is for the error's sake.
  void append(ByteView bytes, std::uint64_t offset) const {
    while (!bytes.empty()) {
      const ssize_t written = ::write(handle_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail(offset, reason("cannot write"));
      bytes = bytes.subspan(static_cast<std::size_t>(written));
      offset += static_cast<std::uint64_t>(written);
    }
  }

  /// Reads exactly `size` bytes from `offset`.
  void read(std::uint64_t offset, std::uint8_t* to, std::size_t size) const {
    while (size != 0) {
      const ssize_t got = ::pread(handle_, to, size, static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) fail(offset, reason("cannot read"));
      if (got == 0) fail(offset, "the file became shorter while it was read");
      to += got;
      size -= static_cast<std::size_t>(got);
      offset += static_cast<std::uint64_t>(got);
    }
  }

  [[noreturn]] void fail(std::uint64_t offset, std::string why) const {
    throw LogError(path_, offset, std::move(why));
  }

 private:
  LogFile(std::string path, int flags)
      : path_(std::move(path)), handle_(::open(path_.c_str(), flags | O_CLOEXEC, 0644)) {
    if (handle_ < 0) fail(0, reason("cannot open"));
  }

  bool is_regular() const { return S_ISREG(status().st_mode); }

  struct ::stat status() const {
    struct ::stat found {};
    if (::fstat(handle_, &found) != 0) fail(0, reason("cannot inspect"));
    return found;
  }

  static std::string reason(const char* what) {
    return std::string(what) + ": " + std::strerror(errno);
  }

  std::string path_;
  int handle_;
};

}  // namespace mirbft

// <mirbft/log/format.hpp>
// How an event log lies on the disk.
//
//   log       magic (8 bytes), version (u32), preamble, list…
//   preamble  block whose content is the protobuf message Preamble below
//   list      block whose content is the events of one dispatched list, or of a part of it
//   block     header (24 bytes), content
//   header    length of the content (u32), kind (u16), slot (u16), index of the first event (u64),
//             CRC-32C of the content (u32), CRC-32C of the header up to here (u32)
//   event     number (u32), length (u32), protobuf bytes
//
// All numbers are little-endian. The index of an event is its place in the total order of dispatch
// and goes on from block to block. A slot is its place in `slot_names`. A log whose writer was
// killed may end within a block; everything else that does not fit is damage.

namespace mirbft::log_format {

/// Not ASCII at first, a line end at last: neither a text nor what a text-mode copy leaves of it.
inline constexpr std::array<std::uint8_t, 8> magic{0x89, 'm', 'i', 'r', 'l', 'o', 'g', '\n'};
inline constexpr std::uint32_t version = 1;
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
};

/// Writes a number and moves on behind it.
template <std::unsigned_integral Number>
void put(std::uint8_t*& at, Number number) noexcept {
  for (std::size_t i = 0; i < sizeof number; ++i)
    *at++ = static_cast<std::uint8_t>(number >> (8 * i));
}

/// Reads a number and moves on behind it.
template <std::unsigned_integral Number>
Number get(const std::uint8_t*& at) noexcept {
  Number number = 0;
  for (std::size_t i = 0; i < sizeof number; ++i)
    number = static_cast<Number>(number | static_cast<Number>(*at++) << (8 * i));
  return number;
}

/// Magic and version, the first `prologue_size` bytes.
inline void store_prologue(std::uint8_t* at) noexcept {
  for (const std::uint8_t byte : magic) put(at, byte);
  put(at, version);
}

/// What a block holds.
enum class Kind : std::uint16_t { preamble = 1, list = 2 };

/// What stands before a block's content.
struct BlockHeader {
  static constexpr std::size_t size = 24;

  std::uint32_t length = 0;
  Kind kind = Kind::preamble;
  /// Place of the slot that the list was dispatched to.
  std::uint16_t slot = 0;
  /// Index of the first event.
  std::uint64_t first = 0;
  /// Of the content.
  std::uint32_t checksum = 0;

  void store(std::uint8_t* to) const noexcept {
    std::uint8_t* at = to;
    put(at, length);
    put(at, static_cast<std::uint16_t>(kind));
    put(at, slot);
    put(at, first);
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
BOOST_HANA_ADAPT_STRUCT(mirbft::log_format::Preamble, node, cluster, schema, types);

// <mirbft/log/schema.hpp>
// What an event log says about its events, so that it can be read without their C++ types.

namespace mirbft::log_format {

/// The full name of an event's message in the schema.
template <class E>
const std::string& message_name() {
  static const std::string name =
      std::string(wire::default_package) + '.' + std::string(wire::type_name<E>);
  return name;
}

/// A serialized google.protobuf.FileDescriptorSet: the messages of these events and of all that
/// they contain, in one file.
template <class... Es>
Bytes schema_of() {
  google::protobuf::FileDescriptorSet files;
  *files.add_file() = wire::descriptor(wire::schema<Es...>("events.proto"));
  return Bytes::filled(files.ByteSizeLong(), [&](std::uint8_t* to) {
    files.SerializeWithCachedSizesToArray(to);
  });
}

}  // namespace mirbft::log_format

namespace mirbft {

/// An event log in the making. Used by one thread; throws LogError when the file refuses.
///
/// A list is with the operating system when `append` returns, so a killed process loses at most
/// the list it was at. Nothing is synced to the disk, so a power failure may lose more.
class LogWriter {
 public:
  /// Opens the file, which must be new or empty.
  explicit LogWriter(std::string path) : file_(LogFile::create(std::move(path))) { start_block(); }

  const std::string& path() const noexcept { return file_.path(); }

  /// Writes what comes before all lists: whose log it is and what each event type looks like.
  /// Called once, before `append`.
  template <class... Es>
  void begin(NodeId self, ByteView cluster, events<Es...>) {
    const Bytes preamble = wire::encode(log_format::Preamble{
        self, Bytes(cluster), log_format::schema_of<Es...>(),
        {log_format::EventType{Es::number, Es::destination.bits(),
                               log_format::message_name<Es>()}...}});
    std::array<std::uint8_t, log_format::prologue_size> prologue;
    log_format::store_prologue(prologue.data());
    file_.append(prologue, 0);
    size_ = prologue.size();
    put(preamble.view());
    write_block(log_format::Kind::preamble, 0);
  }

  /// Adds a list: whatever has `for_each(visit)` with `visit(const Event&)` for each in order.
  template <class List>
  void append(Slot slot, const List& list) {
    const auto place = static_cast<std::uint16_t>(slot.index());
    list.for_each([this, place]<class E>(const E& event) {
      add(E::number, wire::encode(event));
      if (block_.size() >= log_format::block_target) write_block(log_format::Kind::list, place);
    });
    if (pending_ != 0) write_block(log_format::Kind::list, place);
  }

 private:
  void start_block() {
    // One event may be huge, and the memory for it is not kept.
    if (block_.capacity() > 4 * log_format::block_target) block_ = std::vector<std::uint8_t>();
    block_.resize(log_format::BlockHeader::size);
    pending_ = 0;
  }

  void put(ByteView bytes) { block_.insert(block_.end(), bytes.begin(), bytes.end()); }

  void add(std::uint32_t number, const Bytes& event) {
    check_length(event.size());
    std::array<std::uint8_t, log_format::EntryHeader::size> entry;
    log_format::EntryHeader{number, static_cast<std::uint32_t>(event.size())}.store(entry.data());
    put(entry);
    put(event.view());
    ++pending_;
  }

  void write_block(log_format::Kind kind, std::uint16_t slot) {
    const ByteView content = ByteView(block_).subspan(log_format::BlockHeader::size);
    log_format::BlockHeader{static_cast<std::uint32_t>(content.size()), kind, slot, next_index_,
                            crc32c(content)}
        .store(block_.data());
    file_.append(block_, size_);
    size_ += block_.size();
    next_index_ += pending_;
    start_block();
  }

  /// A block is full well below its limit and holds one event more, so that event is to blame.
  void check_length(std::size_t length) const {
    constexpr std::size_t longest =
        std::numeric_limits<std::uint32_t>::max() - 2 * log_format::block_target;
    if (length > longest)
      file_.fail(size_, "an event of " + std::to_string(length) + " bytes is too long for a log");
  }

  LogFile file_;
  std::vector<std::uint8_t> block_;
  std::uint64_t size_ = 0;
  std::uint64_t next_index_ = 0;
  std::uint64_t pending_ = 0;
};

}  // namespace mirbft

namespace mirbft {

/// Appends every list to an event log as it is dispatched (see log/format.hpp). One log is one
/// run of a Node: choose a name that no earlier run has used.
///
/// It knows no time but that of the `Tick` events. A kill of the process costs at most the list
/// that was being dispatched; a power failure may cost more, since nothing is synced. When the
/// file refuses a write the Node stops, as a log with a gap could not be replayed.
class FileInterceptor {
 public:
  /// Opens the file; throws ConfigError when that cannot be, or when it has content.
  explicit FileInterceptor(std::string path) : writer_(open(std::move(path))) {}

  template <class... Es>
  void begin(NodeId self, ByteView cluster, events<Es...> types) {
    guarded([&] { writer_.begin(self, cluster, types); });
  }

  template <class List>
  void intercept(Slot slot, const List& list) {
    guarded([&] { writer_.append(slot, list); });
  }

  /// Nothing is left to do: every list is with the operating system already.
  void end() noexcept {}

 private:
  static LogWriter open(std::string path) {
    try {
      return LogWriter(path);
    } catch (const LogError& error) {
      throw ConfigError("event log", std::move(path), error.reason());
    }
  }

  template <class Write>
  static void guarded(Write&& write) {
    try {
      write();
    } catch (const LogError& error) {
      throw ModuleFailure(std::string("the event log ") + error.what());
    }
  }

  LogWriter writer_;
};

}  // namespace mirbft

// <mirbft/modules/interceptor/null.hpp>
// An Interceptor that looks away: what a Node has in production.

namespace mirbft {

/// Records nothing and costs nothing: every call is empty and disappears in the compiler.
class NullInterceptor {
 public:
  template <class... Events>
  constexpr void begin(NodeId, ByteView, events<Events...>) const noexcept {}
  template <class List>
  constexpr void intercept(Slot, const List&) const noexcept {}
  constexpr void end() const noexcept {}
};

}  // namespace mirbft

// <mirbft/modules/net/framing.hpp>
// How messages are cut out of a stream of bytes: headers, limits, and the decoder of frames.

namespace mirbft {

/// What a frame is on the wire: the four classes of messages, and what connections say among
/// themselves.
enum class FrameKind : std::uint8_t { vote, batch, chunk, request, hello = 0xf0, ping = 0xf1 };

constexpr FrameKind frame_kind(FrameClass message) noexcept {
  return static_cast<FrameKind>(message);
}

/// Whether it carries a message of the Node.
constexpr bool is_message(FrameKind kind) noexcept {
  return static_cast<std::size_t>(kind) < frame_classes;
}

/// Longest payload of a kind in bytes; nothing if there is no such kind.
constexpr std::optional<std::size_t> frame_limit(FrameKind kind) noexcept {
  if (is_message(kind)) return frame_limit(static_cast<FrameClass>(kind));
  if (kind == FrameKind::hello) return 1024;
  if (kind == FrameKind::ping) return 0;
  return std::nullopt;
}

/// Before its payload a frame has the payload's length, four bytes with the lowest first, and one
/// byte for its kind.
using FrameHeader = std::array<std::uint8_t, 5>;

constexpr FrameHeader frame_header(FrameKind kind, std::size_t length) noexcept {
  FrameHeader header{};
  for (unsigned place = 0; place < 4; ++place)
    header[place] = static_cast<std::uint8_t>(length >> (8 * place));
  header[4] = static_cast<std::uint8_t>(kind);
  return header;
}

/// One frame of a connection.
struct Frame {
  FrameKind kind{};
  Bytes payload;
};

/// Why a stream cannot be decoded further.
enum class FrameFault : std::uint8_t { none, unknown_kind, too_long };

/// Cuts a stream into frames. A loop of: write received bytes into `room()`, say how many with
/// `wrote()`, take frames with `next()` until there is none.
///
/// A payload is copied once, into storage of its own size. Slices of the read buffer would save
/// that copy, but one kept vote of 100 bytes would then keep the whole buffer alive, so that a
/// peer could make us hold hundreds of times what it sends and what our queues account for. A
/// frame that is longer than what was read gets the rest straight from the socket.
class FrameDecoder {
 public:
  explicit FrameDecoder(std::size_t buffer_size = 64 * 1024)
      : buffer_(std::make_unique_for_overwrite<std::uint8_t[]>(buffer_size)),
        buffer_size_(buffer_size) {}

  /// Where the next bytes of the stream belong: the rest of the frame that has begun, and then
  /// the buffer. Valid until the next call.
  std::array<std::span<std::uint8_t>, 2> room() noexcept {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
    return {std::span(rest_, missing_), std::span(buffer_.get() + end_, buffer_size_ - end_)};
  }

  /// `count` bytes were written to `room()`, in order.
  void wrote(std::size_t count) noexcept {
    const std::size_t in_frame = std::min(count, missing_);
    rest_ += in_frame;
    missing_ -= in_frame;
    end_ += count - in_frame;
  }

  /// Gives the next frame; false if it is not complete, or if `fault()` says why there is none.
  /// For a frame with a fault nothing is allocated.
  bool next(Frame& frame) {
    if (rest_) return finish(frame);
    const ByteView read(buffer_.get() + begin_, end_ - begin_);
    if (fault_ != FrameFault::none || read.size() < FrameHeader{}.size()) return false;

    std::size_t length = 0;
    for (unsigned place = 0; place < 4; ++place) length |= std::size_t{read[place]} << (8 * place);
    const FrameKind kind{read[4]};
    fault_ = check(kind, length);
    if (fault_ != FrameFault::none) return false;

    const ByteView payload = read.subspan(FrameHeader{}.size());
    const ByteView here = payload.first(std::min(length, payload.size()));
    begin_ += FrameHeader{}.size() + here.size();
    if (here.size() < length) return start(kind, length, here);
    frame = {kind, Bytes(here)};
    return true;
  }

  FrameFault fault() const noexcept { return fault_; }

 private:
  static FrameFault check(FrameKind kind, std::size_t length) noexcept {
    const std::optional<std::size_t> limit = frame_limit(kind);
    if (!limit) return FrameFault::unknown_kind;
    return length > *limit ? FrameFault::too_long : FrameFault::none;
  }

  /// The storage is written to until `finish` gives it to somebody else.
  bool start(FrameKind kind, std::size_t length, ByteView here) {
    begun_ = {kind, Bytes::filled(length, [&](std::uint8_t* storage) {
      rest_ = std::copy(here.begin(), here.end(), storage);
    })};
    missing_ = length - here.size();
    return false;
  }

  bool finish(Frame& frame) noexcept {
    if (missing_ > 0) return false;
    frame = std::move(begun_);
    rest_ = nullptr;
    return true;
  }

  std::unique_ptr<std::uint8_t[]> buffer_;
  std::size_t buffer_size_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  Frame begun_;
  std::uint8_t* rest_ = nullptr;  // what `begun_` still lacks goes here; null if none has begun
  std::size_t missing_ = 0;
  FrameFault fault_ = FrameFault::none;
};

/// The first frame of a connection, from either side.
struct Hello {
  static constexpr std::uint32_t current_version = 1;

  std::uint32_t version = current_version;
  std::string cluster_id;
  NodeId node;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::Hello, version, cluster_id, node);

// <mirbft/modules/net/gather.hpp>
// Many frames as a few pieces of memory, for one gathered write.

namespace mirbft {

/// Collects frames until one write is worth its system call. Short payloads are copied behind one
/// another: a vector of 32 pieces of 100 bytes costs more than copying them, and TLS makes a
/// record of each piece. Long payloads are held and pointed to.
class GatheredFrames {
 public:
  static constexpr std::size_t staging_size = 64 * 1024;
  static constexpr std::size_t copied_up_to = 4 * 1024;
  static constexpr std::size_t enough_held = 1024 * 1024;

  /// Whether any frame may be added; the last one may be as long as its limit.
  bool has_room() const noexcept {
    return staged_ + FrameHeader{}.size() + copied_up_to <= staging_size && held_ < enough_held;
  }

  void add(FrameKind kind, Bytes payload) {
    messages_ += is_message(kind) ? 1 : 0;
    const FrameHeader header = frame_header(kind, payload.size());
    stage(header);
    if (payload.size() <= copied_up_to) {
      stage(payload.view());
    } else {
      cut();
      held_ += payload.size();
      pieces_.push_back(payload.view());
      payloads_.push_back(std::move(payload));
    }
  }

  /// What to write, in this order; valid until the next call of `add` or `clear`.
  const std::vector<ByteView>& pieces() {
    cut();
    return pieces_;
  }

  void clear() noexcept {
    pieces_.clear();
    payloads_.clear();
    staged_ = cut_ = held_ = messages_ = 0;
  }

  bool empty() const noexcept { return staged_ == 0; }
  /// How many of the frames carry messages of the Node.
  std::size_t messages() const noexcept { return messages_; }

 private:
  void stage(ByteView content) noexcept {
    std::copy(content.begin(), content.end(), staging_.get() + staged_);
    staged_ += content.size();
  }

  /// Ends the piece that what was staged since the last cut makes.
  void cut() {
    if (staged_ > cut_) pieces_.push_back(ByteView(staging_.get() + cut_, staged_ - cut_));
    cut_ = staged_;
  }

  std::unique_ptr<std::uint8_t[]> staging_ =
      std::make_unique_for_overwrite<std::uint8_t[]>(staging_size);
  std::vector<ByteView> pieces_;
  std::vector<Bytes> payloads_;
  std::size_t staged_ = 0;
  std::size_t cut_ = 0;
  std::size_t held_ = 0;
  std::size_t messages_ = 0;
};

}  // namespace mirbft

// <mirbft/modules/net/loopback.hpp>
// A Net for several Nodes in one process: frames pass from list to list, payloads are shared.

namespace mirbft {

/// What a `LoopbackNet` has done since it was made, in frames.
struct LoopbackStatus {
  std::uint64_t sent = 0;      ///< taken by `send`
  std::uint64_t received = 0;  ///< given to the sink of `poll`
  std::uint64_t dropped = 0;   ///< sent, but the receiver's inbox was full or closed
  std::uint64_t refused = 0;   ///< to nobody in the hub, longer than its class, or after `close`
};

/// The members' inboxes, which their `LoopbackNet`s share; outlives these. Thread-safe.
///
/// An inbox exists from the start, so members may be made in any order and miss nothing. It is
/// bounded in bytes, to which every frame adds `frame_cost`, and holds a frame until the `poll`
/// after the one that delivered it.
class LoopbackHub {
 public:
  static constexpr std::size_t frame_cost = 64;

  explicit LoopbackHub(const std::vector<NodeId>& members, std::size_t inbox_bytes = 64U << 20) {
    for (const NodeId member : members) {
      if (!inboxes_.try_emplace(member, inbox_bytes).second)
        throw ConfigError("members", std::to_string(member.value), "stands twice; name it once");
    }
  }
  LoopbackHub(const LoopbackHub&) = delete;
  LoopbackHub& operator=(const LoopbackHub&) = delete;

 private:
  friend class LoopbackNet;

  struct Frame {
    NodeId from;
    Bytes payload;
  };

  /// Frames and what they cost together.
  struct List {
    std::vector<Frame> frames;
    std::size_t cost = 0;

    static std::size_t cost_of(const Bytes& payload) noexcept {
      return payload.size() + frame_cost;
    }
    void push(Frame frame) {
      cost += cost_of(frame.payload);
      frames.push_back(std::move(frame));
    }
    void clear() noexcept {
      frames.clear();
      cost = 0;
    }
  };

  class Inbox {
   public:
    explicit Inbox(std::size_t limit) : limit_(limit) {}

    std::size_t limit() const noexcept { return limit_; }

    /// Takes over what fits of the list, empties it and says how many frames did not fit.
    std::size_t put(List& list) {
      std::size_t dropped = 0;
      {
        const std::lock_guard lock(mutex_);
        if (waiting_.frames.empty() && fits(list.cost)) {
          held_ += list.cost;
          std::swap(waiting_, list);
        } else {
          dropped = append(list);
        }
      }
      filled_.notify_one();
      list.clear();
      return dropped;
    }

    /// Gives the waiting frames for the delivered ones; without any, waits for frames or a wake.
    void take(List& delivered, std::chrono::nanoseconds at_most) {
      std::unique_lock lock(mutex_);
      held_ -= std::min(held_, delivered.cost);
      delivered.clear();
      wait(lock, at_most, [this] { return woken_ || !open_ || !waiting_.frames.empty(); });
      std::swap(waiting_, delivered);
    }

    /// Waits for a wake only.
    void rest(std::chrono::nanoseconds at_most) {
      std::unique_lock lock(mutex_);
      wait(lock, at_most, [this] { return woken_ || !open_; });
    }

    void wake() {
      {
        const std::lock_guard lock(mutex_);
        woken_ = true;
      }
      filled_.notify_one();
    }

    /// Claims the inbox for one `LoopbackNet`; false if another one has it.
    bool claim() {
      const std::lock_guard lock(mutex_);
      open_ = true;
      return !std::exchange(claimed_, true);
    }
    void close() {
      const std::lock_guard lock(mutex_);
      open_ = false;
      waiting_.clear();
      held_ = 0;
    }
    void release() {
      close();
      const std::lock_guard lock(mutex_);
      claimed_ = false;
    }

   private:
    using Clock = std::chrono::steady_clock;

    bool fits(std::size_t cost) const noexcept { return open_ && held_ + cost <= limit_; }

    std::size_t append(List& list) {
      std::size_t dropped = 0;
      for (Frame& frame : list.frames) {
        const std::size_t cost = List::cost_of(frame.payload);
        if (fits(cost)) {
          held_ += cost;
          waiting_.push(std::move(frame));
        } else {
          ++dropped;
        }
      }
      return dropped;
    }

    template <class Ready>
    void wait(std::unique_lock<std::mutex>& lock, std::chrono::nanoseconds at_most, Ready ready) {
      if (at_most.count() > 0 && !ready()) filled_.wait_until(lock, deadline(at_most), ready);
      woken_ = false;
    }

    /// The end of a wait, cut at the end of time: callers may wait for `nanoseconds::max()`.
    static Clock::time_point deadline(std::chrono::nanoseconds at_most) {
      const Clock::time_point now = Clock::now();
      return at_most < Clock::time_point::max() - now ? now + at_most : Clock::time_point::max();
    }

    const std::size_t limit_;
    std::mutex mutex_;
    std::condition_variable filled_;
    List waiting_;
    std::size_t held_ = 0;
    bool woken_ = false;
    bool open_ = true;
    bool claimed_ = false;
  };

  std::map<NodeId, Inbox> inboxes_;
};

/// One member's way to the others of its hub, itself included. Frames of one sender arrive in the
/// order of sending; those that find an inbox full are dropped and counted by the sender.
///
/// `send`, `flush`, `poll` and `close` come from one thread at a time, `wake` from any.
class LoopbackNet {
 public:
  /// Throws `ConfigError` if `self` is not a member of the hub or has a `LoopbackNet` already.
  LoopbackNet(LoopbackHub& hub, NodeId self) : self_(self), inbox_(claim(hub, self)) {
    for (auto& [member, inbox] : hub.inboxes_) outgoing_.push_back({member, &inbox, {}});
  }

  /// Puts a frame on the list that the next `flush` hands over.
  void send(NodeId to, FrameClass kind, const Bytes& payload) {
    Outgoing* const outgoing = find(to);
    if (!outgoing || payload.size() > frame_limit(kind)) {
      ++status_.refused;
      return;
    }
    ++status_.sent;
    if (outgoing->list.cost + LoopbackHub::List::cost_of(payload) > outgoing->inbox->limit())
      ++status_.dropped;
    else
      outgoing->list.push({self_, payload});
  }

  /// Hands over what was sent since the last `flush`, one lock for each destination.
  void flush() {
    for (Outgoing& outgoing : outgoing_) {
      if (!outgoing.list.frames.empty()) status_.dropped += outgoing.inbox->put(outgoing.list);
    }
  }

  /// Waits until there is a frame, a `wake()`, or the time is up, then calls
  /// `sink(NodeId from, Bytes payload)` for at most `max_frames` frames. With 0 frames only a
  /// wake ends it before its time.
  template <class Sink>
  void poll(Sink&& sink, std::chrono::nanoseconds at_most, std::size_t max_frames) {
    if (max_frames == 0) return inbox_->rest(at_most);
    if (next_ == taken_.frames.size()) {
      next_ = 0;
      inbox_->take(taken_, at_most);
    }
    const std::size_t end = next_ + std::min(max_frames, taken_.frames.size() - next_);
    while (next_ < end) {
      LoopbackHub::Frame& frame = taken_.frames[next_++];
      ++status_.received;
      sink(frame.from, std::move(frame.payload));
    }
  }

  /// Makes the `poll` that waits, or else the next one, return soon.
  void wake() { inbox_->wake(); }

  /// Hands over what was sent and closes the inbox, until another `LoopbackNet` opens it again.
  void close() {
    flush();
    outgoing_.clear();
    inbox_->close();
  }

  LoopbackStatus status() const noexcept { return status_; }

 private:
  struct Outgoing {
    NodeId to;
    LoopbackHub::Inbox* inbox;
    LoopbackHub::List list;
  };
  struct Release {
    void operator()(LoopbackHub::Inbox* inbox) const { inbox->release(); }
  };
  using Claimed = std::unique_ptr<LoopbackHub::Inbox, Release>;

  static Claimed claim(LoopbackHub& hub, NodeId self) {
    const auto found = hub.inboxes_.find(self);
    if (found == hub.inboxes_.end())
      throw ConfigError("self", std::to_string(self.value), "is no member; name it to the hub");
    if (!found->second.claim())
      throw ConfigError("self", std::to_string(self.value), "has a LoopbackNet; make one a member");
    return Claimed(&found->second);
  }

  Outgoing* find(NodeId to) noexcept {
    const auto found = std::lower_bound(
        outgoing_.begin(), outgoing_.end(), to,
        [](const Outgoing& outgoing, NodeId id) { return outgoing.to < id; });
    return found != outgoing_.end() && found->to == to ? &*found : nullptr;
  }

  NodeId self_;
  Claimed inbox_;
  std::vector<Outgoing> outgoing_;
  LoopbackHub::List taken_;
  std::size_t next_ = 0;
  LoopbackStatus status_;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::LoopbackStatus, sent, received, dropped, refused);

// <mirbft/modules/net/peer_queue.hpp>
// The frames that wait until one peer can take them, bounded in bytes.

namespace mirbft {

/// A queue that keeps the order of all frames and never holds more than `limit` bytes.
///
/// When it is full, a new frame makes room for itself: frames of the lowest class go first, the
/// oldest of them first, since of what a peer missed the latest is worth the most. A frame never
/// displaces one of a higher class; if only such ones are left, it is dropped itself.
class PeerQueue {
 public:
  /// What a frame counts besides its payload.
  static constexpr std::size_t frame_cost = 64;

  struct Entry {
    FrameClass kind;
    Bytes payload;
  };

  explicit PeerQueue(std::size_t limit) noexcept : limit_(limit) {}

  void push(FrameClass kind, const Bytes& payload) {
    const std::size_t cost = payload.size() + frame_cost;
    if (!make_room(index(kind), cost)) {
      ++lanes_[index(kind)].dropped;
      return;
    }
    Lane& lane = lanes_[index(kind)];
    lane.frames.push_back({next_place_++, payload});
    lane.bytes += cost;
    bytes_ += cost;
  }

  /// Takes out the oldest frame of all; the queue must not be empty.
  Entry pop() {
    std::size_t oldest = frame_classes;
    for (std::size_t kind = 0; kind < frame_classes; ++kind) {
      if (lanes_[kind].frames.empty()) continue;
      if (oldest == frame_classes || front_place(kind) < front_place(oldest)) oldest = kind;
    }
    return {static_cast<FrameClass>(oldest), take_front(lanes_[oldest])};
  }

  bool empty() const noexcept { return bytes_ == 0; }
  std::size_t bytes() const noexcept { return bytes_; }
  /// How many frames of the class found no room or had to make it.
  std::uint64_t dropped(FrameClass kind) const noexcept { return lanes_[index(kind)].dropped; }

 private:
  struct Waiting {
    std::uint64_t place;
    Bytes payload;
  };
  /// The frames of one class.
  struct Lane {
    std::deque<Waiting> frames;
    std::size_t bytes = 0;
    std::uint64_t dropped = 0;
  };

  static constexpr std::size_t index(FrameClass kind) noexcept {
    return static_cast<std::size_t>(kind);
  }
  std::uint64_t front_place(std::size_t kind) const noexcept {
    return lanes_[kind].frames.front().place;
  }

  Bytes take_front(Lane& lane) {
    Bytes payload = std::move(lane.frames.front().payload);
    lane.frames.pop_front();
    lane.bytes -= payload.size() + frame_cost;
    bytes_ -= payload.size() + frame_cost;
    return payload;
  }

  /// Drops what a frame of this class and cost may displace, if that is enough.
  bool make_room(std::size_t kind, std::size_t cost) {
    std::size_t kept = bytes_;
    for (std::size_t lower = kind; lower < frame_classes; ++lower) kept -= lanes_[lower].bytes;
    if (kept + cost > limit_) return false;
    for (std::size_t lower = frame_classes; lower-- > kind;) {
      for (Lane& lane = lanes_[lower]; bytes_ + cost > limit_ && !lane.frames.empty();) {
        take_front(lane);
        ++lane.dropped;
      }
    }
    return true;
  }

  std::size_t limit_;
  std::array<Lane, frame_classes> lanes_;
  std::uint64_t next_place_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace mirbft

// <mirbft/modules/net/tcp.hpp>
// A Net over plain TCP, by Boost.Asio: for measurements and trusted networks only.

#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

// <mirbft/modules/net/tcp_config.hpp>
// What a net of TCP connections is told, what it reports, and why it ends a connection.

namespace mirbft {

/// Where another node listens.
struct TcpPeer {
  NodeId id;
  std::string host;        ///< an IP address, or a name, which is looked up at each attempt
  std::uint16_t port = 0;  ///< 0: not known yet; see `TcpNet::set_peer_address`
};

/// The configuration of a `TcpNet`.
struct TcpConfig {
  NodeId self;
  std::string listen_host = "127.0.0.1";
  std::uint16_t listen_port = 0;  ///< 0: any free port; `TcpNet::port` says which
  std::vector<TcpPeer> peers;     ///< an entry for `self` is skipped, so all may have one list
  std::string cluster_id;         ///< connections of nodes with different ones are refused

  std::uint64_t queue_bytes = 32U << 20;  ///< most that waits for one peer
  std::chrono::milliseconds reconnect_first{50};   ///< longest pause after the first failure
  std::chrono::milliseconds reconnect_longest{5'000};
  std::chrono::milliseconds healthy_after{10'000};  ///< so old a connection resets the pause
  std::chrono::milliseconds ping_after{2'000};      ///< of having written nothing
  std::chrono::milliseconds dead_after{6'000};      ///< of having read nothing
  std::chrono::milliseconds hello_within{5'000};    ///< connecting included
  std::chrono::milliseconds close_within{500};      ///< longest stay in `close`
};

/// How many connections ended, by reason.
struct TcpEnds {
  std::uint64_t lost = 0;           ///< closed by the other side, or by a failure between
  std::uint64_t failed = 0;         ///< could not be made
  std::uint64_t silent = 0;         ///< nothing was read for `dead_after`
  std::uint64_t no_hello = 0;       ///< no Hello for `hello_within`
  std::uint64_t bad_hello = 0;      ///< something else in its place, unreadable, or a second one
  std::uint64_t wrong_version = 0;  ///< a different version of the protocol
  std::uint64_t wrong_cluster = 0;  ///< a different cluster id
  std::uint64_t stranger = 0;       ///< not the node dialed, or no peer with a lower id
  std::uint64_t unknown_kind = 0;   ///< a frame of no known class
  std::uint64_t too_long = 0;       ///< a frame beyond the limit of its class
  std::uint64_t replaced = 0;       ///< the peer made a new connection, or has a new address
};

/// What a `TcpNet` has done since it was made. Bytes are those of payloads.
struct TcpStatus {
  std::uint64_t connected = 0;  ///< peers that frames flow to and from at present
  std::uint64_t queued_bytes = 0;
  std::uint64_t frames_sent = 0;  ///< given to a connection
  std::uint64_t bytes_sent = 0;
  std::uint64_t frames_received = 0;  ///< given to the sink of `poll`
  std::uint64_t bytes_received = 0;
  std::uint64_t dropped_votes = 0;  ///< for want of room in the queue; likewise the next three
  std::uint64_t dropped_batches = 0;
  std::uint64_t dropped_chunks = 0;
  std::uint64_t dropped_requests = 0;
  std::uint64_t cut_off = 0;  ///< sent on a connection that ended meanwhile; some may have arrived
  std::uint64_t refused = 0;  ///< to no peer, longer than its class allows, or after `close`
  TcpEnds ended;
  std::string last_end;  ///< the latest reason in words, with the address; empty: none yet
};

/// Why a connection ends: its counter and its words.
struct TcpEnd {
  std::uint64_t TcpEnds::*counter;
  std::string_view text;

  static const TcpEnd lost, failed, silent, no_hello, bad_hello, wrong_version, wrong_cluster,
      stranger, unknown_kind, too_long, replaced;
};

inline constexpr TcpEnd TcpEnd::lost{&TcpEnds::lost, "the connection was lost"};
inline constexpr TcpEnd TcpEnd::failed{&TcpEnds::failed, "no connection could be made"};
inline constexpr TcpEnd TcpEnd::silent{&TcpEnds::silent, "the peer was silent for too long"};
inline constexpr TcpEnd TcpEnd::no_hello{&TcpEnds::no_hello, "no Hello came in time"};
inline constexpr TcpEnd TcpEnd::bad_hello{&TcpEnds::bad_hello, "the Hello was not understood"};
inline constexpr TcpEnd TcpEnd::wrong_version{
    &TcpEnds::wrong_version, "the other side speaks a different version of the protocol"};
inline constexpr TcpEnd TcpEnd::wrong_cluster{
    &TcpEnds::wrong_cluster, "the other side belongs to a different cluster"};
inline constexpr TcpEnd TcpEnd::stranger{
    &TcpEnds::stranger, "the other side is not a peer that is expected here"};
inline constexpr TcpEnd TcpEnd::unknown_kind{
    &TcpEnds::unknown_kind, "a frame of an unknown class came"};
inline constexpr TcpEnd TcpEnd::too_long{
    &TcpEnds::too_long, "a frame came that is longer than its class allows"};
inline constexpr TcpEnd TcpEnd::replaced{&TcpEnds::replaced, "a newer connection took its place"};

/// Throws `ConfigError` unless a net can work with this configuration.
inline void validate(const TcpConfig& config) {
  const auto require = [](bool holds, const char* field, const auto& value, const char* rule) {
    if (!holds) throw ConfigError(field, value, rule);
  };
  require(!config.cluster_id.empty() && config.cluster_id.size() <= 256, "cluster_id",
          '"' + config.cluster_id + '"', "must have 1 to 256 bytes, the same on all nodes");
  constexpr std::size_t longest = frame_limit(FrameClass::batch);
  require(config.queue_bytes >= 2 * longest, "queue_bytes", std::to_string(config.queue_bytes),
          "must hold two of the longest frames, 8388608");
  std::set<NodeId> ids;
  for (const TcpPeer& peer : config.peers) {
    const std::string id = std::to_string(peer.id.value);
    require(ids.insert(peer.id).second, "peers.id", id, "stands twice; name each peer once");
    require(!peer.host.empty(), "peers.host", "\"\"", "is empty; give an IP address or a name");
  }

  const auto positive = [&](const char* field, std::chrono::milliseconds time) {
    require(time.count() > 0, field, std::to_string(time.count()), "must be above 0 milliseconds");
  };
  positive("reconnect_first", config.reconnect_first);
  positive("ping_after", config.ping_after);
  positive("hello_within", config.hello_within);
  require(config.reconnect_longest >= config.reconnect_first, "reconnect_longest",
          std::to_string(config.reconnect_longest.count()), "must be at least reconnect_first");
  require(config.dead_after >= 2 * config.ping_after, "dead_after",
          std::to_string(config.dead_after.count()), "must be at least twice ping_after");
}

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::TcpPeer, id, host, port);
BOOST_HANA_ADAPT_STRUCT(mirbft::TcpConfig, self, listen_host, listen_port, peers, cluster_id,
                        queue_bytes, reconnect_first, reconnect_longest, healthy_after, ping_after,
                        dead_after, hello_within, close_within);
BOOST_HANA_ADAPT_STRUCT(mirbft::TcpEnds, lost, failed, silent, no_hello, bad_hello, wrong_version,
                        wrong_cluster, stranger, unknown_kind, too_long, replaced);
BOOST_HANA_ADAPT_STRUCT(mirbft::TcpStatus, connected, queued_bytes, frames_sent, bytes_sent,
                        frames_received, bytes_received, dropped_votes, dropped_batches,
                        dropped_chunks, dropped_requests, cut_off, refused, ended, last_end);

// <mirbft/modules/net/tcp_mesh.hpp>
// All connections of one node: listens, dials, reconnects, and moves frames when it is polled.

#include <random>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

// <mirbft/modules/net/tcp_link.hpp>
// One connection between two nodes: frames in, frames out, and signs of life.

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/write.hpp>

namespace mirbft {

/// A connection over `Transport::Stream` from its making to its end. First both sides say Hello;
/// once the owner has named the peer, the frames of that peer's queue flow.
///
/// The owner is told by `greeted(link, hello)`, `readable(link)` (frames wait for `deliver`) and
/// `ended(link, reason)`. It deletes a link that is `over()`; until then handlers refer to it.
template <class Transport, class Owner>
class TcpLink {
 public:
  using Clock = std::chrono::steady_clock;
  using Stream = typename Transport::Stream;

  /// `expected` is the peer that is dialed; none for a connection that was accepted.
  TcpLink(Owner& owner, TcpStatus& counters, Stream stream, std::optional<NodeId> expected)
      : owner_(owner), counters_(counters), stream_(std::move(stream)), expected_(expected) {}
  TcpLink(const TcpLink&) = delete;
  TcpLink& operator=(const TcpLink&) = delete;

  std::optional<NodeId> expected() const noexcept { return expected_; }
  /// The peer that `join` named, if it has.
  std::optional<NodeId> peer() const noexcept { return peer_; }
  bool joined_before(Clock::time_point when) const noexcept { return peer_ && since_ <= when; }
  bool open() const noexcept { return !ended_; }
  /// Nothing refers to the link any more.
  bool over() const noexcept { return ended_ && pending_ == 0; }
  bool writing() const noexcept { return writing_; }
  bool idle() const noexcept { return !writing_ && (!queue_ || queue_->empty()); }

  std::string remote_address() const {
    Error unknown;
    const auto remote = stream_.lowest_layer().remote_endpoint(unknown);
    if (unknown) return "an unknown address";
    return remote.address().to_string() + ':' + std::to_string(remote.port());
  }

  template <class Endpoints>
  void connect(const Endpoints& endpoints, Transport& transport, const Hello& hello) {
    boost::asio::async_connect(stream_.lowest_layer(), endpoints,
                               tracked([this, &transport, hello](Error error, const auto&) {
                                 if (error) return end(TcpEnd::failed);
                                 greet(transport, hello);
                               }));
  }

  /// Begins to talk on a stream that is connected.
  void greet(Transport& transport, const Hello& hello) {
    Error ignored;
    stream_.lowest_layer().set_option(boost::asio::ip::tcp::no_delay(true), ignored);
    transport.handshake(stream_, expected_.has_value(), tracked([this, hello](Error error) {
      if (error) return end(TcpEnd::failed);
      gathered_.add(FrameKind::hello, wire::encode(hello));
      flush();
      read();
    }));
  }

  /// The Hello was right: from now on frames flow between `queue`, `deliver` and this peer.
  void join(NodeId peer, PeerQueue& queue) {
    peer_ = peer;
    queue_ = &queue;
    since_ = Clock::now();
    flush();
  }

  /// Writes what waits in the queue, unless a write is under way, which will go on by itself.
  void flush() {
    if (writing_ || ended_) return;
    while (queue_ && !queue_->empty() && gathered_.has_room()) {
      PeerQueue::Entry entry = queue_->pop();
      ++counters_.frames_sent;
      counters_.bytes_sent += entry.payload.size();
      gathered_.add(frame_kind(entry.kind), std::move(entry.payload));
    }
    if (!gathered_.empty()) write();
  }

  /// Gives at most `at_most` waiting frames to `sink(NodeId, Bytes)`; how many frames it took out
  /// of the stream, signs of life included. Reads on when none is left.
  template <class Sink>
  std::size_t deliver(Sink& sink, std::size_t at_most) {
    Frame frame;
    for (std::size_t taken = 0; taken < at_most; ++taken) {
      if (!next(frame)) return taken;
      if (!is_message(frame.kind)) continue;
      ++counters_.frames_received;
      counters_.bytes_received += frame.payload.size();
      sink(*peer_, std::move(frame.payload));
    }
    return at_most;
  }

  /// Whether frames may wait for `deliver`.
  bool readable() const noexcept { return readable_; }

  /// Pings, or ends the link, where it is time. To be called at intervals; what a call comes too
  /// late by is no silence of the peer, since nobody listened.
  void tick(Clock::time_point now, Clock::duration late, const TcpConfig& config) {
    if (ended_) return;
    heard_ = std::min(now, heard_ + late);
    if (!peer_) {
      if (now - since_ > config.hello_within) end(TcpEnd::no_hello);
    } else if (now - heard_ > config.dead_after && !readable_) {
      end(TcpEnd::silent);
    } else if (now - wrote_ > config.ping_after && !writing_) {
      gathered_.add(FrameKind::ping, Bytes());
      flush();
    }
  }

  /// Tells the other side that nothing more will come.
  void finish() {
    Error ignored;
    stream_.lowest_layer().shutdown(boost::asio::ip::tcp::socket::shutdown_send, ignored);
  }

  void end(const TcpEnd& reason) {
    if (ended_) return;
    ended_ = true;
    readable_ = false;
    counters_.cut_off += gathered_.messages();
    owner_.ended(*this, reason);
    Error ignored;
    stream_.lowest_layer().close(ignored);
  }

 private:
  using Error = boost::system::error_code;

  /// A handler that counts as referring to the link and does nothing once that has ended.
  template <class Handler>
  auto tracked(Handler handler) {
    ++pending_;
    return [this, handler = std::move(handler)](Error error, const auto&... results) {
      --pending_;
      if (!ended_) handler(error, results...);
    };
  }

  void read() {
    const auto room = decoder_.room();
    const std::array buffers{boost::asio::buffer(room[0].data(), room[0].size()),
                             boost::asio::buffer(room[1].data(), room[1].size())};
    stream_.async_read_some(buffers, tracked([this](Error error, std::size_t count) {
      if (error) return end(TcpEnd::lost);
      decoder_.wrote(count);
      heard_ = Clock::now();
      if (!peer_ && !hear_hello()) return;
      readable_ = true;
      owner_.readable(*this);
    }));
  }

  void write() {
    buffers_.clear();
    for (const ByteView piece : gathered_.pieces())
      buffers_.push_back(boost::asio::buffer(piece.data(), piece.size()));
    writing_ = true;
    boost::asio::async_write(stream_, std::span<const boost::asio::const_buffer>(buffers_),
                             tracked([this](Error error, std::size_t) {
                               if (error) return end(TcpEnd::lost);
                               writing_ = false;
                               gathered_.clear();
                               wrote_ = Clock::now();
                               flush();
                             }));
  }

  /// Whether the Hello has come, was right and made the owner name the peer.
  bool hear_hello() {
    Frame frame;
    if (!next(frame)) return false;
    std::optional<Hello> hello;
    if (frame.kind == FrameKind::hello)
      hello = wire::decode<Hello>(frame.payload, wire::Form::lenient);
    if (!hello)
      end(TcpEnd::bad_hello);
    else
      owner_.greeted(*this, *hello);
    return peer_ && !ended_;
  }

  /// The next frame that has arrived; without one, reads on or ends the link, as it must be.
  bool next(Frame& frame) {
    if (ended_) return false;
    if (decoder_.next(frame)) {
      if (!peer_ || frame.kind != FrameKind::hello) return true;
      end(TcpEnd::bad_hello);
      return false;
    }
    readable_ = false;
    if (decoder_.fault() == FrameFault::none)
      read();
    else
      end(decoder_.fault() == FrameFault::too_long ? TcpEnd::too_long : TcpEnd::unknown_kind);
    return false;
  }

  Owner& owner_;
  TcpStatus& counters_;
  Stream stream_;
  std::optional<NodeId> expected_;
  std::optional<NodeId> peer_;
  PeerQueue* queue_ = nullptr;
  FrameDecoder decoder_;
  GatheredFrames gathered_;
  std::vector<boost::asio::const_buffer> buffers_;
  Clock::time_point since_ = Clock::now();  // made, or joined
  Clock::time_point heard_ = since_;
  Clock::time_point wrote_ = since_;
  int pending_ = 0;
  bool writing_ = false;
  bool readable_ = false;
  bool ended_ = false;
};

}  // namespace mirbft

namespace mirbft {

/// The work behind `TcpNet`, over any `Transport` that has
/// - `Stream`: a stream of Asio whose `lowest_layer()` is a TCP socket,
/// - `Stream stream(socket)`: such a stream over a socket,
/// - `handshake(Stream&, bool dialed, handler)`: calls `handler(error_code)` when both sides may
///   talk.
///
/// Each pair of nodes has one connection, which the one with the lower id makes. Everything runs
/// inside the calls, on the caller's thread; only the names of peers that are no IP addresses are
/// looked up on a thread of Asio.
template <class Transport>
class TcpMesh {
 public:
  TcpMesh(TcpConfig config, Transport transport)
      : config_(checked(std::move(config))),
        transport_(std::move(transport)),
        own_queue_(config_.queue_bytes),
        jitter_(static_cast<std::minstd_rand::result_type>(config_.self.value + 1)) {
    listen();
    for (const TcpPeer& peer : config_.peers)
      if (peer.id != config_.self) peers_.try_emplace(peer.id, peer, config_.queue_bytes, io_);
    for (auto& [id, peer] : peers_) dial(peer);
    tick();
  }
  TcpMesh(const TcpMesh&) = delete;
  TcpMesh& operator=(const TcpMesh&) = delete;

  std::uint16_t port() const noexcept { return port_; }

  void set_peer_address(NodeId id, std::string host, std::uint16_t port) {
    Peer* const peer = find(id);
    if (!peer) throw ConfigError("peers.id", std::to_string(id.value), "is no peer of this node");
    peer->address = {id, std::move(host), port};
    if (peer->dialing) peer->dialing->end(TcpEnd::replaced);
    peer->retry.cancel();
    peer->pause = {};
    dial(*peer);
  }

  bool connected(NodeId id) const noexcept {
    const auto found = peers_.find(id);
    return found != peers_.end() && found->second.link;
  }

  void send(NodeId to, FrameClass kind, const Bytes& payload) {
    Peer* const peer = find(to);
    if (closed_ || payload.size() > frame_limit(kind) || (!peer && to != config_.self))
      ++counters_.refused;
    else
      (peer ? peer->queue : own_queue_).push(kind, payload);
  }

  void flush() {
    bool unfinished = false;
    for (auto& [id, peer] : peers_) {
      if (!peer.link) continue;
      unfinished = unfinished || peer.link->writing();
      peer.link->flush();
    }
    // An earlier write goes on, and is followed by the next one, only when handlers run.
    if (unfinished) io_.poll();
  }

  template <class Sink>
  void poll(Sink& sink, std::chrono::nanoseconds at_most, std::size_t max_frames) {
    io_.poll();
    bool something = deliver(sink, max_frames);
    if (!something && at_most.count() > 0) {
      const Clock::time_point deadline = after(at_most);
      while (!something && !woken_ && !closed_ && io_.run_one_until(deadline) > 0) {
        io_.poll();
        something = deliver(sink, max_frames);
      }
    }
    woken_ = false;
    sweep();
  }

  void wake() {
    if (!woken_.exchange(true)) boost::asio::post(io_, [] {});
  }

  void close() {
    if (std::exchange(closed_, true)) return;
    const Clock::time_point deadline = after(config_.close_within);
    Error ignored;
    acceptor_.close(ignored);
    run_until(deadline, [](const Link& link) { return !link.peer() || link.idle(); });
    for (const auto& link : links_) link->finish();
    run_until(deadline, [](const Link& link) { return !link.peer(); });
    for (const auto& link : links_) link->end(TcpEnd::lost);
  }

  TcpStatus status() const {
    TcpStatus status = counters_;
    add(own_queue_, status);
    for (const auto& [id, peer] : peers_) {
      status.connected += peer.link ? 1 : 0;
      add(peer.queue, status);
    }
    return status;
  }

 private:
  using Link = TcpLink<Transport, TcpMesh>;
  friend Link;
  using Clock = std::chrono::steady_clock;
  using Error = boost::system::error_code;
  using tcp = boost::asio::ip::tcp;

  /// Connections beyond one for each peer: strangers, and peers who come again.
  static constexpr std::size_t spare_links = 64;

  struct Peer {
    Peer(TcpPeer at, std::size_t queue_bytes, boost::asio::io_context& io)
        : address(std::move(at)), queue(queue_bytes), retry(io) {}

    TcpPeer address;
    PeerQueue queue;
    boost::asio::steady_timer retry;
    std::chrono::milliseconds pause{};  // the longest before the next attempt
    Link* link = nullptr;               // the connection that frames flow on
    Link* dialing = nullptr;            // the one that is being made
    bool resolving = false;
  };

  static TcpConfig checked(TcpConfig config) {
    validate(config);
    return config;
  }

  /// So long from now, cut at the end of time.
  static Clock::time_point after(std::chrono::nanoseconds time) {
    const Clock::time_point now = Clock::now();
    return time < Clock::time_point::max() - now ? now + time : Clock::time_point::max();
  }

  Peer* find(std::optional<NodeId> id) noexcept {
    const auto found = id ? peers_.find(*id) : peers_.end();
    return found != peers_.end() ? &found->second : nullptr;
  }

  Hello hello() const { return {Hello::current_version, config_.cluster_id, config_.self}; }

  void listen() {
    const std::string port = std::to_string(config_.listen_port);
    Error error;
    const auto found = tcp::resolver(io_).resolve(config_.listen_host, port,
                                                  tcp::resolver::passive, error);
    if (!error) {
      const tcp::endpoint endpoint = *found.begin();
      acceptor_.open(endpoint.protocol(), error);
      if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
      if (!error) acceptor_.bind(endpoint, error);
      if (!error) acceptor_.listen(tcp::acceptor::max_listen_connections, error);
    }
    if (error == boost::asio::error::address_in_use)
      throw ConfigError("listen_port", port, "is in use; stop who has it or choose another port");
    if (error == boost::asio::error::access_denied)
      throw ConfigError("listen_port", port, "may not be opened; choose one above 1023");
    if (error)
      throw ConfigError("listen_host", '"' + config_.listen_host + '"',
                        "must be an address of this machine (" + error.message() + ')');
    port_ = acceptor_.local_endpoint().port();
    accept();
  }

  void accept() {
    if (accepting_ || closed_ || links_.size() >= peers_.size() + spare_links) return;
    accepting_ = true;
    acceptor_.async_accept([this](Error error, tcp::socket socket) {
      accepting_ = false;
      if (error || closed_) return;  // the next tick tries again: a lack of descriptors may pass
      add_link(std::move(socket), std::nullopt).greet(transport_, hello());
      accept();
    });
  }

  Link& add_link(tcp::socket socket, std::optional<NodeId> expected) {
    links_.push_back(std::make_unique<Link>(*this, counters_,
                                            transport_.stream(std::move(socket)), expected));
    return *links_.back();
  }

  void dial(Peer& peer) {
    if (closed_ || peer.link || peer.dialing || peer.resolving) return;
    if (peer.address.port == 0 || peer.address.id < config_.self) return;
    Error no_address;
    const auto address = boost::asio::ip::make_address(peer.address.host, no_address);
    if (!no_address) return connect(peer, std::array{tcp::endpoint(address, peer.address.port)});

    peer.resolving = true;
    resolver_.async_resolve(peer.address.host, std::to_string(peer.address.port),
                            [this, &peer](Error error, const auto& endpoints) {
                              peer.resolving = false;
                              if (closed_) return;
                              if (error) return retry(peer);
                              connect(peer, endpoints);
                            });
  }

  template <class Endpoints>
  void connect(Peer& peer, const Endpoints& endpoints) {
    peer.dialing = &add_link(tcp::socket(io_), peer.address.id);
    peer.dialing->connect(endpoints, transport_, hello());
  }

  /// Dials after a random time, so that a cluster that starts again does not do it in step.
  void retry(Peer& peer) {
    if (closed_) return;
    peer.pause = std::max(peer.pause, config_.reconnect_first);
    std::uniform_int_distribution<std::int64_t> pick(0, peer.pause.count());
    peer.retry.expires_after(std::chrono::milliseconds(pick(jitter_)));
    peer.pause = std::min(2 * peer.pause, config_.reconnect_longest);
    peer.retry.async_wait([this, &peer](Error cancelled) {
      if (!cancelled) dial(peer);
    });
  }

  // What links tell.

  void greeted(Link& link, const Hello& hello) {
    if (hello.version != Hello::current_version) return link.end(TcpEnd::wrong_version);
    if (hello.cluster_id != config_.cluster_id) return link.end(TcpEnd::wrong_cluster);
    Peer* const peer = find(hello.node);
    const bool right = link.expected() ? hello.node == *link.expected() : hello.node < config_.self;
    if (!peer || !right) return link.end(TcpEnd::stranger);
    // Of two connections the old one is dead: who dials has lost it.
    if (peer->link) peer->link->end(TcpEnd::replaced);
    peer->dialing = nullptr;
    peer->link = &link;
    link.join(hello.node, peer->queue);
  }

  void readable(Link& link) { ready_.push_back(&link); }

  void ended(Link& link, const TcpEnd& reason) {
    ++(counters_.ended.*reason.counter);
    counters_.last_end = describe(link) + ": " + std::string(reason.text);
    std::erase(ready_, &link);
    Peer* const peer = find(link.peer() ? link.peer() : link.expected());
    if (!peer || (peer->link != &link && peer->dialing != &link)) return;
    peer->link = peer->dialing = nullptr;
    if (link.joined_before(Clock::now() - config_.healthy_after)) peer->pause = {};
    if (config_.self < peer->address.id) retry(*peer);
  }

  std::string describe(const Link& link) const {
    if (link.expected()) {
      const TcpPeer& peer = peers_.at(*link.expected()).address;
      return "node " + std::to_string(peer.id.value) + " at " + peer.host + ':' +
             std::to_string(peer.port);
    }
    const std::optional<NodeId> node = link.peer();
    return (node ? "node " + std::to_string(node->value) : "somebody") + " at " +
           link.remote_address();
  }

  // What happens in a poll.

  /// Whether a frame was given to the sink or still waits for it; nothing waits for one that
  /// takes no frames.
  template <class Sink>
  bool deliver(Sink& sink, std::size_t max_frames) {
    const std::uint64_t before = counters_.frames_received;
    std::size_t left = max_frames;
    for (; left > 0 && !own_queue_.empty(); --left) {
      ++counters_.frames_received;
      sink(config_.self, own_queue_.pop().payload);
    }
    while (left > 0 && !ready_.empty()) {
      Link& link = *ready_.front();
      left -= link.deliver(sink, left);
      if (!link.readable()) std::erase(ready_, &link);
    }
    return max_frames > 0 &&
           (counters_.frames_received != before || !ready_.empty() || !own_queue_.empty());
  }

  void tick() {
    const Clock::duration shortest = std::min(config_.ping_after, config_.hello_within);
    const Clock::time_point due = Clock::now() + shortest / 4;
    ticker_.expires_at(due);
    ticker_.async_wait([this, due](Error cancelled) {
      if (cancelled) return;
      const Clock::time_point now = Clock::now();
      for (const auto& link : links_) link->tick(now, now - due, config_);
      accept();
      tick();
    });
  }

  /// Frees the links that are over; not while one of their handlers runs.
  void sweep() {
    if (std::erase_if(links_, [](const auto& link) { return link->over(); }) > 0) accept();
  }

  /// Runs, and throws away what arrives, until all open links are done or time is up.
  template <class Done>
  void run_until(Clock::time_point deadline, Done done) {
    const auto ignore = [](NodeId, const Bytes&) {};
    const auto all_done = [&] {
      return std::all_of(links_.begin(), links_.end(),
                         [&](const auto& link) { return !link->open() || done(*link); });
    };
    flush();
    while (!all_done() && Clock::now() < deadline) {
      if (!deliver(ignore, 1'000)) io_.run_one_until(deadline);
      io_.poll();
    }
  }

  static void add(const PeerQueue& queue, TcpStatus& status) noexcept {
    status.queued_bytes += queue.bytes();
    status.dropped_votes += queue.dropped(FrameClass::vote);
    status.dropped_batches += queue.dropped(FrameClass::batch);
    status.dropped_chunks += queue.dropped(FrameClass::chunk);
    status.dropped_requests += queue.dropped(FrameClass::request);
  }

  TcpConfig config_;
  Transport transport_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      io_.get_executor()};
  tcp::acceptor acceptor_{io_};
  tcp::resolver resolver_{io_};
  boost::asio::steady_timer ticker_{io_};
  std::map<NodeId, Peer> peers_;
  std::vector<std::unique_ptr<Link>> links_;
  std::deque<Link*> ready_;
  std::uint16_t port_ = 0;
  PeerQueue own_queue_;
  TcpStatus counters_;
  std::minstd_rand jitter_;
  std::atomic<bool> woken_ = false;
  bool accepting_ = false;
  bool closed_ = false;
};

}  // namespace mirbft

namespace mirbft {

/// Sockets as they are: nothing is encrypted, and whoever connects is who he says he is.
struct PlainTcp {
  using Stream = boost::asio::ip::tcp::socket;

  Stream stream(boost::asio::ip::tcp::socket socket) { return socket; }

  template <class Handler>
  void handshake(Stream&, bool, Handler&& handler) {
    handler(boost::system::error_code{});
  }
};

/// Exchanges frames with the other nodes of a cluster over TCP without any protection: anybody
/// who reaches the port can speak as any node. For measurements and trusted networks only.
///
/// Frames to one peer arrive in the order of sending. Gaps are possible, and counted: where its
/// queue was full, or its connection broke. Lost connections are made anew for ever. Frames to
/// oneself come back from the next `poll`.
///
/// All the work is done inside the calls, so poll at least once a second, or the peers give up
/// the connections. `wake` may be called from any thread, the rest from one at a time.
class TcpNet {
 public:
  /// Listens at once. Throws `ConfigError` for a wrong configuration or a port that is in use.
  explicit TcpNet(TcpConfig config)
      : mesh_(std::make_unique<TcpMesh<PlainTcp>>(std::move(config), PlainTcp{})) {}

  /// The port that the net listens on.
  std::uint16_t port() const { return mesh_->port(); }

  /// From now on this peer is dialed there. Throws `ConfigError` if it is no peer.
  void set_peer_address(NodeId peer, std::string host, std::uint16_t port) {
    mesh_->set_peer_address(peer, std::move(host), port);
  }

  /// Whether frames flow to and from the peer at present.
  bool connected(NodeId peer) const noexcept { return mesh_->connected(peer); }

  /// Queues a frame for the next `flush`; never blocks. What finds no room is dropped and counted
  /// (see `PeerQueue`), and so is what no receiver would take.
  void send(NodeId to, FrameClass kind, const Bytes& payload) { mesh_->send(to, kind, payload); }

  /// Writes what was sent, many frames at once; what TCP does not take yet goes on in later calls
  /// of `flush` and `poll`.
  void flush() { mesh_->flush(); }

  /// Waits until there is a frame, a `wake()`, or the time is up, and does all due work of the
  /// connections; then calls `sink(NodeId from, Bytes payload)` for at most `max_frames` frames.
  /// The rest waits, and TCP holds back whoever sends more. Who can take nothing at present calls
  /// with 0 frames: that does not end for frames, and keeps the connections alive.
  template <class Sink>
  void poll(Sink&& sink, std::chrono::nanoseconds at_most, std::size_t max_frames) {
    mesh_->poll(sink, at_most, max_frames);
  }

  /// Makes the `poll` that waits, or else the next one, return soon.
  void wake() { mesh_->wake(); }

  /// Sends what is queued for connected peers, for `close_within` at most, and closes. What
  /// arrives meanwhile is thrown away.
  void close() { mesh_->close(); }

  TcpStatus status() const { return mesh_->status(); }

 private:
  std::unique_ptr<TcpMesh<PlainTcp>> mesh_;
};

}  // namespace mirbft

// <mirbft/modules/store/memory.hpp>
// A Store that keeps requests in memory: for tests, simulation, and nodes whose loss is acceptable.

namespace mirbft {

/// What a MemoryStore keeps now: requests, and the bytes of their bodies and authenticators.
struct MemoryStoreStatus {
  std::uint64_t requests = 0;
  std::uint64_t bytes = 0;
};

/// Requests by reference; nothing survives the object, so `sync` has nothing to do.
///
/// Several payloads under one number are kept side by side. A client's requests stand in short
/// sorted shelves of neighbouring numbers: clients count upwards, so nearly every request goes to
/// the end of a shelf, and memory follows what is kept and not how far apart the numbers are.
class MemoryStore {
 public:
  /// Keeps a request; of one that is there already, only the authenticator is new.
  void put(const RequestRef& reference, Bytes data, Bytes authenticator) {
    Shelf& shelf = clients_[reference.client][reference.req_no.value / shelf_width];
    auto place = shelf.lower_bound(reference);
    if (place == shelf.items.end() || !place->is(reference))
      place = shelf.items.insert(place, Item{});
    else if (place->kept)
      return replace_authenticator(*place, std::move(authenticator));
    place->request = {reference.client, reference.req_no, std::move(data),
                      std::move(authenticator)};
    place->digest = reference.digest;
    place->kept = true;
    place->delivered = false;
    ++shelf.kept;
    ++status_.requests;
    status_.bytes += place->bytes();
  }

  void sync() noexcept {}

  /// The request, or null when it is absent. Valid until the next call that is not `get`.
  const Request* get(const RequestRef& reference) const noexcept {
    const Item* item = const_cast<MemoryStore*>(this)->find(reference);
    return item ? &item->request : nullptr;
  }

  /// Remembers where the requests of a batch were delivered.
  void delivered(SeqNr sn, Batch batch) {
    for (const RequestRef& reference : *batch)
      if (Item* item = find(reference)) item->delivered = true;
    delivered_.insert_or_assign(sn, std::move(batch));
  }

  /// Drops what was delivered at or before `collection.through`, and what was never delivered
  /// below its client's `low`.
  void collect(const Collection& collection) {
    const auto end = delivered_.upper_bound(collection.through);
    for (auto at = delivered_.begin(); at != end; at = delivered_.erase(at))
      for (const RequestRef& reference : *at->second) drop(reference);
    for (const ClientWindow& window : collection.windows) drop_undelivered(window);
  }

  MemoryStoreStatus status() const noexcept { return status_; }

 private:
  static constexpr std::uint64_t shelf_width = 64;

  struct Item {
    Request request;
    Digest digest;
    /// False once dropped: its place is freed with the whole shelf, so nothing has to move up.
    bool kept = false;
    bool delivered = false;

    bool is(const RequestRef& reference) const noexcept {
      return request.req_no == reference.req_no && digest == reference.digest;
    }
    std::uint64_t bytes() const noexcept {
      return request.data.size() + request.authenticator.size();
    }
  };

  /// The requests of numbers `[shelf_width * key, shelf_width * (key + 1))`, by number and digest.
  struct Shelf {
    std::vector<Item> items;
    std::size_t kept = 0;

    std::vector<Item>::iterator lower_bound(const RequestRef& reference) {
      const auto before = [](const Item& item, const RequestRef& wanted) {
        return item.request.req_no != wanted.req_no ? item.request.req_no < wanted.req_no
                                                    : item.digest < wanted.digest;
      };
      // Without gaps, each stands where its number says.
      const std::uint64_t guess = reference.req_no.value % shelf_width;
      if (guess < items.size() && items[guess].is(reference))
        return items.begin() + static_cast<std::ptrdiff_t>(guess);
      if (items.empty() || before(items.back(), reference)) return items.end();
      return std::lower_bound(items.begin(), items.end(), reference, before);
    }
  };
  using Shelves = std::map<std::uint64_t, Shelf>;

  Item* find(const RequestRef& reference) noexcept {
    const auto shelves = clients_.find(reference.client);
    if (shelves == clients_.end()) return nullptr;
    const auto shelf = shelves->second.find(reference.req_no.value / shelf_width);
    return shelf == shelves->second.end() ? nullptr : find(shelf->second, reference);
  }
  static Item* find(Shelf& shelf, const RequestRef& reference) noexcept {
    const auto place = shelf.lower_bound(reference);
    return place != shelf.items.end() && place->is(reference) && place->kept ? &*place : nullptr;
  }

  void drop(const RequestRef& reference) {
    const auto shelves = clients_.find(reference.client);
    if (shelves == clients_.end()) return;
    const auto shelf = shelves->second.find(reference.req_no.value / shelf_width);
    if (shelf == shelves->second.end()) return;
    if (Item* item = find(shelf->second, reference)) forget(shelf->second, *item);
    if (shelf->second.kept == 0) shelves->second.erase(shelf);
    if (shelves->second.empty()) clients_.erase(shelves);
  }

  void drop_undelivered(const ClientWindow& window) {
    const auto shelves = clients_.find(window.client);
    if (shelves == clients_.end()) return;
    const auto end = shelves->second.upper_bound(window.low.value / shelf_width);
    for (auto shelf = shelves->second.begin(); shelf != end;) {
      for (Item& item : shelf->second.items)
        if (item.kept && !item.delivered && item.request.req_no < window.low)
          forget(shelf->second, item);
      shelf = shelf->second.kept == 0 ? shelves->second.erase(shelf) : std::next(shelf);
    }
    if (shelves->second.empty()) clients_.erase(shelves);
  }

  void replace_authenticator(Item& item, Bytes authenticator) noexcept {
    status_.bytes -= item.bytes();
    item.request.authenticator = std::move(authenticator);
    status_.bytes += item.bytes();
  }

  void forget(Shelf& shelf, Item& item) noexcept {
    --shelf.kept;
    --status_.requests;
    status_.bytes -= item.bytes();
    item.kept = false;
    item.request.data = {};
    item.request.authenticator = {};
  }

  std::map<ClientId, Shelves> clients_;
  std::map<SeqNr, Batch> delivered_;
  MemoryStoreStatus status_;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::MemoryStoreStatus, requests, bytes);

// <mirbft/modules/tracker/client_tracker.hpp>
// The default Tracker: takes clients' requests through window, digest, signature and store.

// <mirbft/modules/tracker/delivered_numbers.hpp>
// Which of a client's request numbers are delivered, as bits.

namespace mirbft::tracker {

/// A client's window: every number below `low()` is delivered, of those from `low()` up it knows
/// one by one, `width` of them at most. One bit a number.
class DeliveredNumbers {
 public:
  ReqNo low() const noexcept { return low_; }
  /// One past the highest number that is delivered.
  ReqNo end() const noexcept { return end_; }

  bool contains(ReqNo number) const noexcept {
    if (number < low_) return true;
    const std::uint64_t* word = words_.find(number.value / 64);
    return word && (*word >> (number.value % 64) & 1);
  }

  /// Numbers outside the window stay as they are.
  void insert(ReqNo number, std::uint64_t width) {
    if (number < low_ || number - low_ >= width) return;
    words_.at(number.value / 64) |= std::uint64_t{1} << (number.value % 64);
    end_ = std::max(end_, number + 1);
  }

  /// Slides to the window's `low` and takes over its bits. A window that lies behind is ignored.
  void advance(const ClientWindow& window, std::uint64_t width) {
    if (window.low < low_) return;
    low_ = window.low;
    end_ = std::max(end_, low_);
    words_.advance(low_.value / 64);
    for (std::size_t i = 0; i < window.delivered.size() && 8 * i < width; ++i)
      if (window.delivered[i] != 0) insert_byte(low_ + 8 * i, window.delivered[i]);
  }

 private:
  void insert_byte(ReqNo first, std::uint64_t bits) {
    end_ = std::max(end_, first + static_cast<std::uint64_t>(std::bit_width(bits)));
    const std::uint64_t shift = first.value % 64;
    words_.at(first.value / 64) |= bits << shift;
    if (shift > 64 - 8) words_.at(first.value / 64 + 1) |= bits >> (64 - shift);
  }

  ReqNo low_;
  ReqNo end_;
  SlidingWindow<std::uint64_t, 64> words_;
};

}  // namespace mirbft::tracker

// <mirbft/modules/tracker/open_number.hpp>
// What the Tracker knows of a request number that is not delivered yet.

// <mirbft/modules/tracker/tracker_config.hpp>
// What the Tracker is configured with, and the rules that a configuration must keep.

namespace mirbft {

/// Bounds of what a ClientTracker admits and keeps.
struct TrackerConfig {
  /// The cluster's id, a part of everything that is hashed and signed.
  Bytes cluster;
  /// W: request numbers in `[low, low + W)` are valid. The same at every replica.
  std::uint64_t window = std::uint64_t{1} << 20;
  /// Longest body of a request. The same at every replica.
  std::uint64_t max_request_bytes = 64 * 1024;
  /// Most bytes of requests that are open: being checked, or admitted and not yet delivered. Each
  /// counts with its body, its authenticator and `request_overhead`. Fetched requests may take as
  /// much again, so that clients cannot keep a replica from following its leaders.
  std::uint64_t max_pending_bytes = 256 * 1024 * 1024;
  /// Requests of further clients are not taken.
  std::uint64_t max_clients = 65536;
  /// Newest results that are kept for repeated submissions, for each client; 0 keeps none.
  std::uint64_t reply_cache_bytes = 16 * 1024;

  static constexpr std::uint64_t max_window = std::uint64_t{1} << 26;
  /// Longest authenticator of a request.
  static constexpr std::uint64_t max_authenticator_bytes = 4096;
  /// What the bookkeeping of an open request is taken to cost.
  static constexpr std::uint64_t request_overhead = 512;

  /// Throws ConfigError for the first rule that is broken.
  void check() const;
};

inline void TrackerConfig::check() const {
  const auto require = [](bool kept, std::string_view field, std::uint64_t value,
                          std::string rule) {
    if (!kept)
      throw ConfigError("tracker." + std::string(field), std::to_string(value), std::move(rule));
  };
  const auto at_most = [](std::uint64_t limit) {
    return "must be from 1 to " + std::to_string(limit);
  };
  constexpr std::uint64_t header_bytes = 256;
  constexpr std::uint64_t longest_body =
      frame_limit(FrameClass::request) - max_authenticator_bytes - header_bytes;

  require(window >= 1 && window <= max_window, "window", window, at_most(max_window));
  require(max_request_bytes >= 1 && max_request_bytes <= longest_body, "max_request_bytes",
          max_request_bytes,
          at_most(longest_body) + ", so that a request and its authenticator fit into a frame");
  const std::uint64_t one = max_request_bytes + max_authenticator_bytes + request_overhead;
  require(max_pending_bytes >= one, "max_pending_bytes", max_pending_bytes,
          "must hold one request of max_request_bytes: at least " + std::to_string(one));
  require(max_clients >= 1, "max_clients", max_clients, "must be at least 1");
}

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::TrackerConfig, cluster, window, max_request_bytes,
                        max_pending_bytes, max_clients, reply_cache_bytes);

namespace mirbft::tracker {

/// How far a payload has come.
enum class Stage : std::uint8_t {
  hashing,
  verifying,
  /// The same body is being verified with another authenticator: one of the two may be forged,
  /// and a verdict names the body only, so they take turns.
  waiting,
  /// Authentic, and with the Store. Only a proposal brings in more than one under a number.
  admitted,
};

/// A request that was submitted under some number.
struct Payload {
  /// Identifies it until its digest is known.
  std::uint64_t ticket = 0;
  /// Both are empty once it is admitted.
  Bytes data;
  Bytes authenticator;
  /// What it counts for in `TrackerConfig::max_pending_bytes`.
  std::uint64_t cost = 0;
  Digest digest;
  Stage stage = Stage::hashing;
  Spread spread = Spread::by_client;
  /// A proposal names it, so it is needed whatever else the client has signed.
  bool proposed = false;

  /// It is submitted once more, in the same way or in another.
  void join(Spread other) noexcept {
    proposed = proposed || other == Spread::fetched;
    if (is_from_replica(spread) || other == Spread::by_replica) spread = other;
  }
};

inline std::uint64_t cost_of(const Bytes& data, const Bytes& authenticator) noexcept {
  return data.size() + authenticator.size() + TrackerConfig::request_overhead;
}

/// The payloads under one number, oldest first.
struct OpenNumber {
  std::vector<Payload> payloads;
  /// The Protocol has it delivered, the App's reply is still to come.
  bool awaits_reply = false;

  Payload* find(Stage stage, const Digest& digest) noexcept {
    return find_if([&](const Payload& payload) {
      return payload.stage == stage && payload.digest == digest;
    });
  }
  Payload* find_admitted() noexcept {
    return find_if([](const Payload& payload) { return payload.stage == Stage::admitted; });
  }
  Payload* find_hashing(std::uint64_t ticket) noexcept {
    return find_if([ticket](const Payload& payload) {
      return payload.stage == Stage::hashing && payload.ticket == ticket;
    });
  }
  /// One that is being checked and is the same to the last byte.
  Payload* find_same(const Bytes& data, const Bytes& authenticator) noexcept {
    return find_if([&](const Payload& payload) {
      return payload.stage != Stage::admitted && payload.data == data &&
             payload.authenticator == authenticator;
    });
  }

  /// How many are being checked. Those of proposals and those of clients are counted apart, so
  /// that clients cannot keep proposals out.
  std::size_t count_checking(bool proposed) const noexcept {
    std::size_t count = 0;
    for (const Payload& payload : payloads)
      count += payload.stage != Stage::admitted && payload.proposed == proposed;
    return count;
  }

 private:
  template <class Wanted>
  Payload* find_if(Wanted&& wanted) noexcept {
    for (Payload& payload : payloads)
      if (wanted(payload)) return &payload;
    return nullptr;
  }
};

}  // namespace mirbft::tracker

// <mirbft/modules/tracker/reply_cache.hpp>
// A client's newest results, for requests that it submits again.

namespace mirbft::tracker {

/// A delivered request's place in the total order, and its result.
struct CachedReply {
  ReqNo req_no;
  SeqNr sn;
  Bytes result;

  std::uint64_t cost() const noexcept { return sizeof(CachedReply) + result.size(); }
};

/// The last delivered first to be found, the first delivered first to go. Looking a result up is
/// linear in their number, since only repeated submissions ask.
class ReplyCache {
 public:
  /// Keeps `reply`, and drops the oldest until all fit into `limit` bytes.
  void keep(CachedReply reply, std::uint64_t limit) {
    bytes_ += reply.cost();
    replies_.push_back(std::move(reply));
    for (; bytes_ > limit; replies_.pop_front()) bytes_ -= replies_.front().cost();
  }

  const CachedReply* find(ReqNo number) const noexcept {
    const auto found =
        std::find_if(replies_.rbegin(), replies_.rend(),
                     [number](const CachedReply& reply) { return reply.req_no == number; });
    return found == replies_.rend() ? nullptr : &*found;
  }

 private:
  std::deque<CachedReply> replies_;
  std::uint64_t bytes_ = 0;
};

}  // namespace mirbft::tracker

// <mirbft/modules/tracker/tracker_status.hpp>
// What a ClientTracker tells the operator.

namespace mirbft {

/// Where a ClientTracker stands, and what it has done since the start.
struct TrackerStatus {
  /// Now: clients known, submissions being checked, payloads admitted and not yet delivered, and
  /// what both cost (TrackerConfig::max_pending_bytes says how that is counted).
  std::uint64_t clients = 0;
  std::uint64_t checking = 0;
  std::uint64_t pending = 0;
  std::uint64_t pending_bytes = 0;
  /// Since the start.
  std::uint64_t admitted = 0;
  std::uint64_t delivered = 0;
  /// Submissions of what was open already: they share its outcome.
  std::uint64_t repeated = 0;
  /// Submissions that were answered at once, with or without their result.
  std::uint64_t already_delivered = 0;
  std::uint64_t rejected_size = 0;
  std::uint64_t rejected_window = 0;
  std::uint64_t rejected_signature = 0;
  std::uint64_t rejected_conflict = 0;
  std::uint64_t overloaded = 0;
  /// Clients' signatures over a second payload under one number: proofs of misbehaviour.
  std::uint64_t equivocations = 0;

  void count(Outcome outcome) noexcept {
    switch (outcome) {
      case Outcome::delivered:
      case Outcome::already_delivered: ++already_delivered; break;
      case Outcome::rejected_signature: ++rejected_signature; break;
      case Outcome::rejected_size: ++rejected_size; break;
      case Outcome::rejected_window: ++rejected_window; break;
      case Outcome::rejected_conflict: ++rejected_conflict; break;
      case Outcome::overloaded: ++overloaded; break;
      case Outcome::shut_down: break;
    }
  }
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::TrackerStatus, clients, checking, pending, pending_bytes, admitted,
                        delivered, repeated, already_delivered, rejected_size, rejected_window,
                        rejected_signature, rejected_conflict, overloaded, equivocations);

namespace mirbft {

/// What the Tracker hashes a request for. The ticket tells payloads under one number apart.
struct RequestHash {
  static constexpr auto module = slot::tracker;
  static constexpr std::uint32_t number = 1;

  ClientId client;
  ReqNo req_no;
  std::uint64_t ticket = 0;
};

/// Admits requests, and answers their submitters (protocol, section 2).
///
///     NewRequest → HashRequest → VerifyRequestSig → StoreVerifiedRequest, then RequestReady
///     Applied → Replied
///
/// Under a (client, number) the first payload whose signature verifies is admitted; until then
/// several are checked side by side, so that a forged one cannot keep the honest one out. What the
/// Protocol fetched because a proposal names it is admitted beside another.
///
/// Every submission is answered by Replied: at once when it is refused, else with the result. For
/// what the Protocol fetched nobody waits, so its refusal is only counted.
///
/// Memory is bounded by TrackerConfig, whatever arrives; beyond it, one bit for each number that a
/// client has delivered inside its window.
class ClientTracker {
 public:
  using consumes = events<Init, NewRequest, HashResult<RequestHash>, RequestSigVerified, Applied,
                          WindowsMoved>;
  using emits = events<HashRequest<RequestHash>, VerifyRequestSig, StoreVerifiedRequest,
                       RequestReady, Replied>;

  /// Payloads that are checked at a time under one number: so many of clients, and as many again
  /// of proposals. Further ones are refused as overload.
  static constexpr std::size_t max_checking = 4;

  /// Throws ConfigError.
  explicit ClientTracker(TrackerConfig config) : config_(std::move(config)) { config_.check(); }

  void process(Init, auto& /*out*/) noexcept {}

  void process(NewRequest event, auto& out) {
    Request& request = event.request;
    const auto refused = [&](Outcome outcome) {
      refuse(request.client, request.req_no, event.spread, outcome, out);
    };
    if (request.data.size() > config_.max_request_bytes ||
        request.authenticator.size() > TrackerConfig::max_authenticator_bytes)
      return refused(Outcome::rejected_size);

    Client* client = find(request.client);
    const ReqNo low = client ? client->delivered.low() : ReqNo(0);
    if (client && client->delivered.contains(request.req_no))
      return answer_again(request, event.spread, *client, out);
    if (request.req_no - low >= config_.window)
      return refuse_number(request, event.spread, client, out);

    OpenNumber* number = client ? client->find(request.req_no) : nullptr;
    Payload* same = number ? number->find_same(request.data, request.authenticator) : nullptr;
    if (same) {
      ++status_.repeated;
      return same->join(event.spread);
    }
    const bool proposed = event.spread == Spread::fetched;
    if (number && number->count_checking(proposed) >= max_checking)
      return refused(Outcome::overloaded);
    if (!has_room(client, request, proposed)) return refused(Outcome::overloaded);

    begin(std::move(event), client ? *client : clients_[request.client], out);
  }

  void process(HashResult<RequestHash> event, auto& out) {
    const RequestRef reference{event.origin.client, event.origin.req_no, event.digest};
    Client* client = find(reference.client);
    OpenNumber* number = client ? client->find(reference.req_no) : nullptr;
    Payload* payload = number ? number->find_hashing(event.origin.ticket) : nullptr;
    if (!payload) return;  // its number is delivered meanwhile

    payload->digest = event.digest;
    if (number->find(Stage::admitted, event.digest)) {
      ++status_.repeated;
      drop(*number, *payload);
    } else if (!payload->proposed && number->find_admitted()) {
      refuse(reference.client, reference.req_no, payload->spread, Outcome::rejected_conflict, out);
      drop(*number, *payload);
    } else if (number->find(Stage::verifying, event.digest)) {
      payload->stage = Stage::waiting;
    } else {
      verify(reference, *payload, out);
    }
  }

  void process(RequestSigVerified event, auto& out) {
    const RequestRef& reference = event.reference;
    Client* client = find(reference.client);
    OpenNumber* number = client ? client->find(reference.req_no) : nullptr;
    Payload* payload = number ? number->find(Stage::verifying, reference.digest) : nullptr;
    if (!payload) return;

    if (event.keys < client->rekeyed) return verify(reference, *payload, out);
    if (event.verdict == SignatureCheck::valid) {
      decide(event, *number, join_waiting(*number, *payload), out);
      return;
    }
    refuse(reference.client, reference.req_no, payload->spread, Outcome::rejected_signature, out);
    drop(*number, *payload);
    if (Payload* next = number->find(Stage::waiting, reference.digest))
      verify(reference, *next, out);
    else if (number->payloads.empty())
      forget(reference.client, *client, reference.req_no);
  }

  void process(Applied event, auto& out) {
    for (Reply& reply : event.replies) {
      Client& client = lasting(reply.client);
      client.delivered.insert(reply.req_no, config_.window);
      if (auto number = client.open.take(reply.req_no.value)) release(*number);
      client.replies.keep({reply.req_no, event.sn, reply.result}, config_.reply_cache_bytes);
      ++status_.delivered;
      out.emit(Replied{reply.client, reply.req_no, Outcome::delivered, event.sn,
                       std::move(reply.result)});
    }
  }

  void process(WindowsMoved event, auto& out) {
    for (const ClientWindow& window : event.windows) {
      Client& client = lasting(window.client);
      client.delivered.advance(window, config_.window);
      settle_delivered(window.client, client, out);
    }
    for (const ClientId id : event.rekeyed)
      if (Client* client = find(id)) void_admitted(id, *client, event.epoch, out);
  }

  TrackerStatus status() const noexcept {
    TrackerStatus now = status_;
    now.clients = clients_.size();
    return now;
  }

 private:
  using OpenNumber = tracker::OpenNumber;
  using Payload = tracker::Payload;
  using Stage = tracker::Stage;

  struct Client {
    tracker::DeliveredNumbers delivered;
    NumberMap<OpenNumber> open;
    tracker::ReplyCache replies;
    /// Since when it has its key.
    Epoch rekeyed;
    /// It has delivered requests. Others are forgotten as soon as nothing of them is open, or
    /// forgeries could fill the table.
    bool lasting = false;

    OpenNumber* find(ReqNo number) noexcept { return open.find(number.value); }
    ReqNo next() const noexcept { return std::max(delivered.end(), ReqNo(open.end())); }
  };

  // Requests come in runs of one client, so the last one is found without a search.
  Client* find(ClientId id) {
    if (last_ && last_->first == id) return &last_->second;
    const auto found = clients_.find(id);
    if (found == clients_.end()) return nullptr;
    last_ = &*found;
    return &found->second;
  }

  /// The state of a client that has delivered a request, here or elsewhere.
  Client& lasting(ClientId id) {
    Client* known = find(id);
    Client& client = known ? *known : clients_[id];
    client.lasting = true;
    return client;
  }

  bool has_room(const Client* client, const Request& request, bool proposed) const noexcept {
    const std::uint64_t limit = config_.max_pending_bytes * (proposed ? 2 : 1);
    return (client || proposed || clients_.size() < config_.max_clients) &&
           status_.pending_bytes + tracker::cost_of(request.data, request.authenticator) <= limit;
  }

  void refuse(ClientId client, ReqNo number, Spread spread, Outcome outcome, auto& out) {
    status_.count(outcome);
    if (!is_from_replica(spread)) out.emit(Replied{client, number, outcome, {}, {}});
  }

  /// The answer says where the client stands, for one that has lost its memory.
  void refuse_number(const Request& request, Spread spread, const Client* client, auto& out) {
    status_.count(Outcome::rejected_window);
    if (is_from_replica(spread)) return;
    const ClientPosition position =
        client ? ClientPosition{client->delivered.low(), client->next()} : ClientPosition{};
    out.emit(Replied{request.client, request.req_no, Outcome::rejected_window, {},
                     wire::encode(position)});
  }

  /// A delivered request is submitted again.
  void answer_again(const Request& request, Spread spread, Client& client, auto& out) {
    if (is_from_replica(spread)) return;
    if (client.find(request.req_no)) {
      ++status_.repeated;  // its reply is on the way
      return;
    }
    status_.count(Outcome::already_delivered);
    const tracker::CachedReply* cached = client.replies.find(request.req_no);
    out.emit(cached ? Replied{request.client, request.req_no, Outcome::delivered, cached->sn,
                              cached->result}
                    : Replied{request.client, request.req_no, Outcome::already_delivered, {}, {}});
  }

  void begin(NewRequest event, Client& client, auto& out) {
    Request& request = event.request;
    const RequestHash origin{request.client, request.req_no, next_ticket_++};
    out.emit(HashRequest<RequestHash>{
        wire::request_parts(config_.cluster.view(), origin.client, origin.req_no, request.data),
        origin});

    Payload& payload = client.open[origin.req_no.value].payloads.emplace_back();
    payload.ticket = origin.ticket;
    payload.data = std::move(request.data);
    payload.authenticator = std::move(request.authenticator);
    payload.cost = tracker::cost_of(payload.data, payload.authenticator);
    payload.spread = event.spread;
    payload.proposed = event.spread == Spread::fetched;
    ++status_.checking;
    status_.pending_bytes += payload.cost;
  }

  void verify(const RequestRef& reference, Payload& payload, auto& out) {
    payload.stage = Stage::verifying;
    out.emit(VerifyRequestSig{reference, payload.authenticator});
  }

  /// A payload has turned out authentic: those that wait with the same body need no verdict.
  /// Returns the payload, which may have moved.
  Payload& join_waiting(OpenNumber& number, Payload& payload) {
    const Digest digest = payload.digest;
    Payload* verified = &payload;
    while (Payload* other = number.find(Stage::waiting, digest)) {
      verified->join(other->spread);
      verified->proposed = verified->proposed || other->proposed;
      ++status_.repeated;
      drop(number, *other);
      verified = number.find(Stage::verifying, digest);
    }
    return *verified;
  }

  /// Admits an authentic payload, unless the client has signed another one before.
  void decide(const RequestSigVerified& event, OpenNumber& number, Payload& payload, auto& out) {
    const RequestRef& reference = event.reference;
    const bool second = number.find_admitted() != nullptr;
    if (second) ++status_.equivocations;
    if (second && !payload.proposed) {
      refuse(reference.client, reference.req_no, payload.spread, Outcome::rejected_conflict, out);
      return drop(number, payload);
    }
    payload.stage = Stage::admitted;
    --status_.checking;
    ++status_.pending;
    ++status_.admitted;
    const auto size = static_cast<std::uint32_t>(payload.data.size());
    out.emit(StoreVerifiedRequest{reference, std::move(payload.data),
                                  std::move(payload.authenticator)})
        .then(RequestReady{reference, size, payload.spread, event.keys});
  }

  void drop(OpenNumber& number, const Payload& payload) {
    write_off(payload);
    number.payloads.erase(number.payloads.begin() + (&payload - number.payloads.data()));
  }

  void drop_unverified(OpenNumber& number) {
    std::erase_if(number.payloads, [this](const Payload& payload) {
      if (payload.stage == Stage::admitted) return false;
      write_off(payload);
      return true;
    });
  }

  /// Takes a number that is closed out of the accounts.
  void release(const OpenNumber& number) noexcept {
    for (const Payload& payload : number.payloads) write_off(payload);
  }

  void write_off(const Payload& payload) noexcept {
    --(payload.stage == Stage::admitted ? status_.pending : status_.checking);
    status_.pending_bytes -= payload.cost;
  }

  /// Nothing is open under a number any more.
  void forget(ClientId id, Client& client, ReqNo req_no) {
    client.open.take(req_no.value);
    forget_if_idle(id, client);
  }
  void forget_if_idle(ClientId id, const Client& client) {
    if (client.lasting || !client.open.empty()) return;
    last_ = nullptr;
    clients_.erase(id);
  }

  /// The windows overtake the App: what they call delivered is closed by its Applied, which is on
  /// the way. After a state transfer there is none, so at the windows' second move the submitter is
  /// told what is known.
  void settle_delivered(ClientId id, Client& client, auto& out) {
    client.open.erase_if([&](std::uint64_t req_no, OpenNumber& number) {
      if (!client.delivered.contains(ReqNo(req_no))) return false;
      if (!std::exchange(number.awaits_reply, true)) {
        drop_unverified(number);
        return false;
      }
      release(number);
      out.emit(Replied{id, ReqNo(req_no), Outcome::already_delivered, {}, {}});
      return true;
    });
  }

  /// A client has a new key, or none: what was admitted under the old one may not be ordered any
  /// more. Its submitter hears so, and may sign it anew; what is being checked is checked again.
  void void_admitted(ClientId id, Client& client, Epoch epoch, auto& out) {
    client.rekeyed = epoch;
    client.open.erase_if([&](std::uint64_t req_no, OpenNumber& number) {
      if (number.awaits_reply) return false;
      std::erase_if(number.payloads, [&](const Payload& payload) {
        if (payload.stage != Stage::admitted) return false;
        refuse(id, ReqNo(req_no), payload.spread, Outcome::rejected_signature, out);
        write_off(payload);
        return true;
      });
      return number.payloads.empty();
    });
    forget_if_idle(id, client);
  }

  TrackerConfig config_;
  std::map<ClientId, Client> clients_;
  std::pair<const ClientId, Client>* last_ = nullptr;
  std::uint64_t next_ticket_ = 0;
  TrackerStatus status_;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::RequestHash, client, req_no, ticket);

// <mirbft/modules/wal/memory.hpp>
// A write-ahead log in memory that outlives the Node, so that tests can restart and crash nodes.

namespace mirbft {

/// Where a MemoryWal's log stands.
struct MemoryWalStatus {
  /// What is in the log now, and of that what a crash would spare.
  std::uint64_t entries = 0;
  std::uint64_t durable = 0;
  std::uint64_t bytes = 0;
  /// Since the log was made.
  std::uint64_t appended = 0;
  std::uint64_t syncs = 0;
  std::uint64_t truncated = 0;
  std::uint64_t lost = 0;
};

/// A handle to a `MemoryWal::Log`. One made without a log has its own, which dies with it.
class MemoryWal {
 public:
  class Log;

  MemoryWal();
  /// Writes to `log`, which must outlive this handle. One handle at a time.
  explicit MemoryWal(Log& log) noexcept : log_(&log) {}

  void append(std::uint32_t type, Bytes entry, RetentionIndex retention);
  void sync() noexcept;
  void truncate(RetentionIndex index);
  /// Calls `f(std::uint32_t type, Bytes entry)` for every entry, oldest first.
  template <class F>
  void replay(F&& f);

  const MemoryWalStatus& status() const noexcept;

 private:
  std::unique_ptr<Log> own_;
  Log* log_;
};

/// What would be on the disk. Between two Nodes, a test may call `crash()`.
class MemoryWal::Log {
 public:
  /// Loses every entry since the last `sync`, as a power failure may.
  void crash() {
    status_.lost += status_.entries - status_.durable;
    records_.resize(status_.durable);
    recount();
  }

  const MemoryWalStatus& status() const noexcept { return status_; }

 private:
  friend class MemoryWal;

  struct Record {
    std::uint32_t type = 0;
    Bytes entry;
    RetentionIndex retention;
  };

  /// An entry below the last truncation is dropped at once: a log on disk may do the same.
  void append(Record record) {
    ++status_.appended;
    if (record.retention < low_) {
      ++status_.truncated;
      return;
    }
    ++status_.entries;
    status_.bytes += record.entry.size();
    records_.push_back(std::move(record));
  }

  void sync() noexcept {
    ++status_.syncs;
    status_.durable = status_.entries;
  }

  void truncate(RetentionIndex index) {
    low_ = std::max(low_, index);
    const auto old = [this](const Record& record) { return record.retention < low_; };
    const auto unsynced = records_.begin() + static_cast<std::ptrdiff_t>(status_.durable);
    status_.durable -= static_cast<std::uint64_t>(std::count_if(records_.begin(), unsynced, old));
    status_.truncated += std::erase_if(records_, old);
    recount();
  }

  void recount() noexcept {
    status_.entries = records_.size();
    status_.bytes = 0;
    for (const Record& record : records_) status_.bytes += record.entry.size();
  }

  std::vector<Record> records_;
  RetentionIndex low_;
  MemoryWalStatus status_;
};

inline MemoryWal::MemoryWal() : own_(std::make_unique<Log>()), log_(own_.get()) {}

inline void MemoryWal::append(std::uint32_t type, Bytes entry, RetentionIndex retention) {
  log_->append({type, std::move(entry), retention});
}
inline void MemoryWal::sync() noexcept { log_->sync(); }
inline void MemoryWal::truncate(RetentionIndex index) { log_->truncate(index); }
inline const MemoryWalStatus& MemoryWal::status() const noexcept { return log_->status(); }

template <class F>
void MemoryWal::replay(F&& f) {
  for (const Log::Record& record : log_->records_) f(record.type, record.entry);
}

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::MemoryWalStatus, entries, durable, bytes, appended, syncs,
                        truncated, lost);

// <mirbft/modules/wal/null.hpp>
// A write-ahead log that forgets everything: for measuring, and for nodes that never restart.

namespace mirbft {

/// Keeps nothing. A node that restarts with it has forgotten its votes, and so may vote twice:
/// it counts as faulty from its first restart on.
class NullWal {
 public:
  /// Entries for it are not even encoded.
  static constexpr bool discards = true;

  void append(std::uint32_t, const Bytes&, RetentionIndex) noexcept {}
  void sync() noexcept {}
  void truncate(RetentionIndex) noexcept {}
  template <class F>
  void replay(F&&) noexcept {}
};

}  // namespace mirbft

// <mirbft/protocol/iss/allowance.hpp>
// How many bytes of answers each peer may have at a time.

// <mirbft/protocol/iss/cluster.hpp>
// The members of a cluster as one of them sees it.

// <mirbft/protocol/iss/config.hpp>
// The parameters of ISS. They are the same at every replica, `self` aside.

namespace mirbft {

/// What a replica remembers of its own votes when it starts. One whose write-ahead log is lost or
/// damaged must say so: it would otherwise vote twice, and count as Byzantine.
enum class Memory : std::uint8_t { whole, lost };

/// When a leader whose next slot holds up what others have proposed fills it, if need be with
/// nothing: at once, or only when its last proposal is `batch_delay` old, as in the ISS paper.
enum class PullAlong : std::uint8_t { at_once, delayed };

/// When a batch that is not full is proposed: at the latest when the last one is `batch_delay` old.
/// An adaptive leader does so once it is as large as the load makes worth while (see
/// `iss::Proposer`).
enum class Batching : std::uint8_t { adaptive, fixed_delay };

/// Configuration of `Iss`. The defaults are for a local network, and are what the benchmark runs.
struct IssConfig {
  NodeId self;
  /// All replicas, `self` among them. Any order; each once.
  std::vector<NodeId> members;
  /// Name of the cluster: part of everything that is hashed or signed.
  Bytes cluster{"mirbft"};
  /// Sequence numbers of an epoch, about: each leader gets the same share.
  std::uint32_t epoch_length = 512;
  std::uint32_t min_segment_length = 2;
  std::uint32_t max_segment_length = 4096;
  /// Most requests, and bytes of their bodies, in a batch.
  std::uint32_t max_batch_requests = 2048;
  std::uint64_t max_batch_bytes = 4u << 20;
  /// How long a request may wait for its batch to fill.
  std::chrono::nanoseconds batch_delay = std::chrono::milliseconds(20);
  /// How many of its slots a leader has in flight at most.
  std::uint32_t pipeline = 8;
  /// Open request numbers of each client; must be that of the Tracker.
  std::uint64_t client_window = 1u << 20;
  /// How long a replica waits for a missing body to come by itself before it asks for it.
  std::chrono::nanoseconds fetch_delay = std::chrono::milliseconds(100);
  /// T_0, the shortest patience with a leader; it grows while leaders are suspected that are not
  /// to blame (see `iss::Pace`). Between far places 4 s do.
  std::chrono::nanoseconds base_timeout = std::chrono::seconds(1);
  /// t_max, how long one slot of a segment may take when all is well. Between far places 150 ms do.
  std::chrono::nanoseconds slot_time = std::chrono::milliseconds(20);
  /// Bytes that are kept of each peer's messages for the next epochs.
  std::uint64_t early_bytes_per_peer = 32u << 20;
  Memory memory = Memory::whole;
  PullAlong pull_along = PullAlong::at_once;
  Batching batching = Batching::adaptive;
};

namespace iss {

/// Within these no time that is derived from them overflows (see `iss::Pace`).
inline constexpr std::chrono::nanoseconds longest_timeout = std::chrono::hours(1);
inline constexpr std::chrono::nanoseconds longest_slot_time = std::chrono::seconds(1);

inline void check(const IssConfig& config) {
  const auto number = [](std::uint64_t value) { return std::to_string(value); };
  const auto at_least_one = [&](const char* field, std::uint64_t value) {
    if (value == 0)
      throw ConfigError(field, "0", "must be at least 1: leave it out for the default");
  };
  if (config.members.empty())
    throw ConfigError("members", "[]", "a cluster has at least one member: list all of them");
  std::vector<NodeId> sorted = config.members;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end())
    throw ConfigError("members", number(twice->value), "is listed twice: ids must be distinct");
  if (!std::binary_search(sorted.begin(), sorted.end(), config.self))
    throw ConfigError("self", number(config.self.value), "is no member: add it to `members`");
  if (config.cluster.empty())
    throw ConfigError("cluster", "\"\"", "a cluster needs a name: give it any that is not empty");
  at_least_one("epoch_length", config.epoch_length);
  at_least_one("min_segment_length", config.min_segment_length);
  at_least_one("max_batch_requests", config.max_batch_requests);
  at_least_one("max_batch_bytes", config.max_batch_bytes);
  at_least_one("pipeline", config.pipeline);
  at_least_one("client_window", config.client_window);
  if (config.max_segment_length < config.min_segment_length)
    throw ConfigError("max_segment_length", number(config.max_segment_length),
                      "must not be below min_segment_length");
  if (config.max_batch_requests > 65536)
    throw ConfigError("max_batch_requests", number(config.max_batch_requests),
                      "a proposal must fit a frame of 4 MiB: at most 65536");
  if (config.batch_delay.count() < 0 || config.fetch_delay.count() < 0)
    throw ConfigError("batch_delay, fetch_delay", "a negative time", "must not be negative");
  if (config.base_timeout.count() <= 0 || config.base_timeout > longest_timeout)
    throw ConfigError("base_timeout", std::to_string(config.base_timeout.count()) + " ns",
                      "must be above 0 and at most an hour");
  if (config.slot_time.count() <= 0 || config.slot_time > longest_slot_time)
    throw ConfigError("slot_time", std::to_string(config.slot_time.count()) + " ns",
                      "must be above 0 and at most a second");
}

}  // namespace iss
}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::IssConfig, self, members, cluster, epoch_length,
                        min_segment_length, max_segment_length, max_batch_requests,
                        max_batch_bytes, batch_delay, pipeline, client_window,
                        fetch_delay, base_timeout, slot_time, early_bytes_per_peer, memory,
                        pull_along, batching);

namespace mirbft::iss {

/// A member: its id, and its place among the sorted members.
struct Member {
  NodeId id;
  std::size_t index = 0;
};

/// Who is in the cluster, and how many of them must agree. Immutable.
class Cluster {
 public:
  Cluster(const IssConfig& config, Quorum quorum)
      : name_(config.cluster), members_(config.members), quorum_(quorum) {
    std::sort(members_.begin(), members_.end());
    self_ = *find(config.self);
    for (const NodeId member : members_)
      if (member != self_.id) others_.push_back(member);
  }

  const Bytes& name() const noexcept { return name_; }
  const std::vector<NodeId>& members() const noexcept { return members_; }
  const std::vector<NodeId>& others() const noexcept { return others_; }
  Quorum quorum() const noexcept { return quorum_; }
  Member self() const noexcept { return self_; }

  std::optional<Member> find(NodeId id) const noexcept {
    const auto found = std::lower_bound(members_.begin(), members_.end(), id);
    if (found == members_.end() || *found != id) return std::nullopt;
    return Member{id, static_cast<std::size_t>(found - members_.begin())};
  }

 private:
  Bytes name_;
  std::vector<NodeId> members_;
  std::vector<NodeId> others_;
  Quorum quorum_;
  Member self_;
};

}  // namespace mirbft::iss

namespace mirbft::iss {

/// Bytes of answers that a peer may have between two calls of `refill`: a small question must not
/// bring a huge answer for ever (protocol, section 10).
inline constexpr std::uint64_t answer_allowance = 32u << 20;

/// Counts the bytes sent to each member. An answer may go beyond what is left, the next one waits.
class Allowance {
 public:
  explicit Allowance(std::size_t members) : spent_(members) {}

  /// From time to time: peers may ask again.
  void refill() { spent_.assign(spent_.size(), 0); }
  void spend(Member whom, std::uint64_t bytes) { spent_[whom.index] += bytes; }
  bool is_spent(Member whom) const { return spent_[whom.index] >= answer_allowance; }

 private:
  std::vector<std::uint64_t> spent_;
};

}  // namespace mirbft::iss

// <mirbft/protocol/iss/amnesia.hpp>
// A replica whose durable records are gone: it learns, and does not vote until that is safe.

// <mirbft/protocol/iss/events.hpp>
// What ISS asks of other modules, notes to itself, and writes ahead.

// <mirbft/protocol/iss/messages.hpp>
// What ISS replicas say to one another beside what their orderers say.

// <mirbft/protocol/iss/epoch_plan.hpp>
// Who leads what in an epoch: segments, their sequence numbers, and their buckets.

namespace mirbft {

/// One leader's share of an epoch (ISS, section 2.3).
struct SegmentId {
  Epoch epoch;
  std::uint32_t index = 0;

  friend auto operator<=>(const SegmentId&, const SegmentId&) = default;
};

/// What is decided for a slot that is given up: nothing. No hash has this value, so it stands for
/// itself; the slot is named beside it wherever it is signed.
inline constexpr Digest nil_digest{};

namespace iss {

inline constexpr std::uint32_t buckets_per_member = 16;

/// The finalizer of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): a bijection that spreads.
constexpr std::uint64_t mix(std::uint64_t value) noexcept {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ull;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebull;
  return value ^ (value >> 31);
}

/// The bucket of a request. The body is left out on purpose: two bodies under one number must not
/// land in two buckets. Numbers are mixed, or clients in lock-step would all hit one leader. A
/// cryptographic hash would resist a client no better, since it could compute that as well.
constexpr std::uint32_t bucket_of(ClientId client, ReqNo req_no, std::uint32_t buckets) noexcept {
  return static_cast<std::uint32_t>(
      mix(mix(client.value + 0x9e3779b97f4a7c15ull) + req_no.value) % buckets);
}

/// The layout of one epoch; the same at every correct replica.
class EpochPlan {
 public:
  /// `members` is sorted; `leaders` is a non-empty subset, sorted.
  EpochPlan(Epoch epoch, SeqNr first, const std::vector<NodeId>& members,
            std::vector<NodeId> leaders, const IssConfig& config)
      : epoch_(epoch), first_(first), leaders_(std::move(leaders)) {
    const auto count = static_cast<std::uint32_t>(leaders_.size());
    segment_length_ = std::clamp((config.epoch_length + count - 1) / count,
                                 config.min_segment_length, config.max_segment_length);
    assign_buckets(members);
  }

  Epoch epoch() const noexcept { return epoch_; }
  SeqNr first() const noexcept { return first_; }
  SeqNr end() const noexcept { return first_ + length(); }
  SeqNr last() const noexcept { return first_ + (length() - 1); }
  std::uint64_t length() const noexcept { return leaders_.size() * segment_length_; }
  std::uint32_t segments() const noexcept { return static_cast<std::uint32_t>(leaders_.size()); }
  std::uint32_t segment_length() const noexcept { return segment_length_; }
  NodeId leader(std::uint32_t segment) const noexcept { return leaders_[segment]; }
  const std::vector<NodeId>& leaders() const noexcept { return leaders_; }

  bool contains(SeqNr sn) const noexcept { return sn >= first_ && sn < end(); }
  std::uint32_t segment_of(SeqNr sn) const noexcept {
    return static_cast<std::uint32_t>((sn - first_) % leaders_.size());
  }
  /// Place of `sn` within its segment.
  std::uint32_t slot_of(SeqNr sn) const noexcept {
    return static_cast<std::uint32_t>((sn - first_) / leaders_.size());
  }
  SeqNr sn_of(std::uint32_t segment, std::uint32_t slot) const noexcept {
    return first_ + (segment + std::uint64_t{slot} * leaders_.size());
  }
  /// The segment whose leader may propose the requests of a bucket.
  std::uint32_t owner(std::uint32_t bucket) const noexcept { return owners_[bucket]; }
  std::uint32_t buckets() const noexcept { return static_cast<std::uint32_t>(owners_.size()); }

 private:
  /// Rotation runs over all members, so that every bucket comes to every leader within n epochs;
  /// the buckets of those who do not lead are dealt out among those who do.
  void assign_buckets(const std::vector<NodeId>& members) {
    const std::size_t n = members.size();
    owners_.resize(buckets_per_member * n);
    std::uint32_t dealt = 0;
    for (std::uint32_t bucket = 0; bucket < owners_.size(); ++bucket) {
      const NodeId member = members[(bucket + epoch_.value % n) % n];
      const auto leader = std::lower_bound(leaders_.begin(), leaders_.end(), member);
      const bool leads = leader != leaders_.end() && *leader == member;
      owners_[bucket] = leads ? static_cast<std::uint32_t>(leader - leaders_.begin())
                              : dealt++ % segments();
    }
  }

  Epoch epoch_;
  SeqNr first_;
  std::vector<NodeId> leaders_;
  std::uint32_t segment_length_ = 0;
  std::vector<std::uint32_t> owners_;
};

}  // namespace iss
}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::SegmentId, epoch, index);

namespace mirbft {

/// All sequence numbers of a segment are committed here, with these digests. `w` matching ones let
/// a laggard finish; `q` make the segment stable. Channel authentication is enough: nobody shows
/// it on.
struct Done {
  SegmentId segment;
  std::vector<Digest> digests;

  friend bool operator==(const Done&, const Done&) = default;
};

/// A slot that the sender has decided.
struct SlotDecision {
  std::uint32_t slot = 0;
  Digest digest;
};
/// The same for single slots of a segment that is not finished: for a replica that asks.
struct Decided {
  SegmentId segment;
  std::vector<SlotDecision> decisions;
};

/// What a checkpoint is of. Equal headers mean equal states.
struct CheckpointHeader {
  Epoch epoch;
  /// The last sequence number that it covers.
  SeqNr last;
  /// Hash of the delivered log: of the one before and this epoch's digests.
  Digest log;
  /// Hash of the Merkle root over the App's chunks, and of their number.
  Digest app_state;
  /// In bytes, of all chunks together.
  std::uint64_t app_length = 0;
  Digest clients;
  Digest policy;
  Digest membership;
  Digest parameters;
  /// How many epochs so far have changed keys of nodes, this one included.
  std::uint64_t key_changes = 0;
  /// Those that the requests of this epoch have asked for, by ascending node. They stand here, and
  /// not in the state, so that a certificate is all that a laggard needs to learn of them.
  std::vector<NodeKey> node_keys;

  friend bool operator==(const CheckpointHeader&, const CheckpointHeader&) = default;
};

/// A replica's signature under a checkpoint; `q` of them make it stable.
struct CheckpointVote {
  CheckpointHeader header;
  Bytes signature;

  friend bool operator==(const CheckpointVote&, const CheckpointVote&) = default;
};

/// One signature under a checkpoint.
struct CheckpointSignature {
  NodeId node;
  Bytes signature;

  friend bool operator==(const CheckpointSignature&, const CheckpointSignature&) = default;
};

/// Proof of a stable checkpoint, for those who lag behind: `q` signatures by ascending node.
struct StableCheckpoint {
  CheckpointHeader header;
  std::vector<CheckpointSignature> certificate;

  friend bool operator==(const StableCheckpoint&, const StableCheckpoint&) = default;
};

/// A long byte string by the digests of its chunks. Who fetches them gets the list, which is
/// checked as a whole, and no Merkle proofs: 32 bytes a chunk are little beside the chunk.
struct ChunkList {
  /// In bytes, of all chunks together.
  std::uint64_t length = 0;
  std::vector<Digest> digests;

  friend bool operator==(const ChunkList&, const ChunkList&) = default;
};

/// Asks for what there is to fetch of a stable checkpoint's state.
struct StateWanted {
  Epoch epoch;
};
/// The answer. Each part hashes to one in the checkpoint's header.
struct StateHead {
  Epoch epoch;
  /// Of the encoded windows of all clients, cut into chunks that are full but for the last.
  ChunkList clients;
  /// The encoded states of the leader policy and of the epoch's time-out.
  Bytes policy;
  Bytes pace;
  /// Of the App's chunks, which are as long as they are.
  ChunkList app;
};

/// Asks for a chunk; those of the clients come first, those of the App follow.
struct ChunkWanted {
  Epoch epoch;
  std::uint64_t index = 0;
};
/// One of them. The receiver checks it against the digest in the head.
struct ChunkSupplied {
  Epoch epoch;
  std::uint64_t index = 0;
  Bytes data;
};

/// Requests that a client gave to the sender alone.
struct Relayed {
  std::vector<Request> requests;
};

/// Asks for bodies that a proposal names and the sender does not have.
struct RequestsWanted {
  std::vector<RequestRef> references;
};
/// The answer. The receiver checks every request anew.
struct RequestsSupplied {
  std::vector<Request> requests;
};

/// Asks for decided batches of a segment, by their places in it.
struct BatchesWanted {
  SegmentId segment;
  std::vector<std::uint32_t> slots;
};
/// One of them. The receiver checks it against the digest that `w` replicas vouch for.
struct BatchSupplied {
  SegmentId segment;
  std::uint32_t slot = 0;
  Batch batch;
};

/// Where the sender stands; said from time to time, so that whoever is behind finds out.
struct Progress {
  Epoch epoch;
  /// The next sequence number that it delivers.
  SeqNr next;
  std::uint64_t stable_epochs = 0;
  /// Of how many changes of nodes' keys it knows.
  std::uint64_t key_changes = 0;
};

/// Asks for what the receiver itself has said of these slots, by their places: the sender lacks
/// something, or it would have decided them.
struct SlotsWanted {
  SegmentId segment;
  std::vector<std::uint32_t> slots;
};

/// All that ISS with a given orderer sends.
template <class OrdererMessage>
using IssMessage =
    std::variant<OrdererMessage, Done, CheckpointVote, Relayed, RequestsWanted, RequestsSupplied,
                 BatchesWanted, BatchSupplied, StableCheckpoint, StateWanted, StateHead,
                 ChunkWanted, ChunkSupplied, Progress, SlotsWanted, Decided>;

namespace wire {
template <class OrdererMessage>
inline constexpr std::string_view
    given_name<std::variant<OrdererMessage, Done, CheckpointVote, Relayed, RequestsWanted,
                            RequestsSupplied, BatchesWanted, BatchSupplied, StableCheckpoint,
                            StateWanted, StateHead, ChunkWanted, ChunkSupplied, Progress,
                            SlotsWanted, Decided>> = "IssMessage";
}  // namespace wire

namespace iss {

/// How the Net treats a message; `Orderer` knows its own.
template <class Orderer>
FrameClass frame_class(const IssMessage<typename Orderer::Message>& message) {
  if (const auto* ordering = std::get_if<typename Orderer::Message>(&message))
    return Orderer::frame_class(*ordering);
  if (std::holds_alternative<ChunkSupplied>(message)) return FrameClass::chunk;
  const bool small = std::holds_alternative<CheckpointVote>(message) ||
                     std::holds_alternative<BatchesWanted>(message) ||
                     std::holds_alternative<StableCheckpoint>(message) ||
                     std::holds_alternative<StateWanted>(message) ||
                     std::holds_alternative<ChunkWanted>(message) ||
                     std::holds_alternative<Progress>(message) ||
                     std::holds_alternative<SlotsWanted>(message);
  // The digests of a long segment are more than a vote may hold.
  return small ? FrameClass::vote : FrameClass::batch;
}

}  // namespace iss
}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::Done, segment, digests);
BOOST_HANA_ADAPT_STRUCT(mirbft::CheckpointHeader, epoch, last, log, app_state, app_length, clients,
                        policy, membership, parameters, key_changes, node_keys);
BOOST_HANA_ADAPT_STRUCT(mirbft::CheckpointVote, header, signature);
BOOST_HANA_ADAPT_STRUCT(mirbft::CheckpointSignature, node, signature);
BOOST_HANA_ADAPT_STRUCT(mirbft::StableCheckpoint, header, certificate);
BOOST_HANA_ADAPT_STRUCT(mirbft::ChunkList, length, digests);
BOOST_HANA_ADAPT_STRUCT(mirbft::StateWanted, epoch);
BOOST_HANA_ADAPT_STRUCT(mirbft::StateHead, epoch, clients, policy, pace, app);
BOOST_HANA_ADAPT_STRUCT(mirbft::ChunkWanted, epoch, index);
BOOST_HANA_ADAPT_STRUCT(mirbft::ChunkSupplied, epoch, index, data);
BOOST_HANA_ADAPT_STRUCT(mirbft::Relayed, requests);
BOOST_HANA_ADAPT_STRUCT(mirbft::RequestsWanted, references);
BOOST_HANA_ADAPT_STRUCT(mirbft::RequestsSupplied, requests);
BOOST_HANA_ADAPT_STRUCT(mirbft::BatchesWanted, segment, slots);
BOOST_HANA_ADAPT_STRUCT(mirbft::BatchSupplied, segment, slot, batch);
BOOST_HANA_ADAPT_STRUCT(mirbft::SlotDecision, slot, digest);
BOOST_HANA_ADAPT_STRUCT(mirbft::Decided, segment, decisions);
BOOST_HANA_ADAPT_STRUCT(mirbft::Progress, epoch, next, stable_epochs, key_changes);
BOOST_HANA_ADAPT_STRUCT(mirbft::SlotsWanted, segment, slots);

namespace mirbft {

/// The Protocol's note to itself: go on when everything that is in the list now is through. So a
/// list of a thousand ready requests makes one batch, and not a thousand.
struct Continue {
  static constexpr auto destination = slot::protocol;
  static constexpr std::uint32_t number = 24;
};

/// The Protocol's note to itself: the state of a later checkpoint has been fetched and is durable.
struct StateInstalled {
  static constexpr auto destination = slot::protocol;
  static constexpr std::uint32_t number = 25;

  Epoch epoch;
};

/// Why the digest of a batch is computed.
enum class BatchUse : std::uint8_t { propose, vote, adopt };

/// What is hashed for a batch. The view is not in it, so a digest survives a view change.
struct BatchContent {
  Epoch epoch;
  SeqNr sn;
  Batch batch;
};

/// Origin of the digest of a batch.
struct BatchHash {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 2;

  SegmentId segment;
  std::uint32_t slot = 0;
  Batch batch;
  BatchUse use = BatchUse::propose;
};

/// What is hashed for the delivered log: the hash before an epoch, and the epoch's digests.
struct LogContent {
  Digest before;
  std::vector<Digest> digests;
};

/// The parts of a checkpoint's header that are hashes.
enum class CheckpointPart : std::uint8_t {
  log,
  app_state,
  clients,
  policy,
  membership,
  parameters,
};
inline constexpr std::uint32_t checkpoint_parts = 6;

/// Origin of the digest of a part of a checkpoint.
struct CheckpointHash {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 3;

  Epoch epoch;
  CheckpointPart part = CheckpointPart::log;
};

/// What is hashed for the state of the leader policy and of the epoch's time-out: both encoded,
/// so that who fetches them can check them before reading them.
struct PolicyContent {
  Bytes policy;
  Bytes pace;
};

/// Origin of the digest of a chunk of the own state: of the clients' or the App's part.
struct ChunkHash {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 8;

  Epoch epoch;
  CheckpointPart part = CheckpointPart::app_state;
  std::uint64_t index = 0;
};

/// What is hashed for an inner node of the tree over the App's chunks.
struct MerkleContent {
  Digest left;
  Digest right;
};
/// What is hashed for the App's state.
struct AppContent {
  std::uint64_t chunks = 0;
  /// Of the tree over their digests.
  Digest root;
};

/// Origin of the digest of an inner node of the tree over the own App's chunks.
struct TreeHash {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 11;

  Epoch epoch;
  std::uint64_t level = 0;
  std::uint64_t index = 0;
};

/// The same of the tree over the digests that another replica supplied.
struct TransferTreeHash {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 12;

  /// Number of the question that was answered by them.
  std::uint64_t question = 0;
  std::uint64_t level = 0;
  std::uint64_t index = 0;
};

/// Origin of the digest of a part of the head, or of a chunk, that another replica supplied.
struct TransferHash {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 9;

  /// The piece: 0 is the head, `i + 1` is chunk `i`.
  std::uint64_t piece = 0;
  /// Of the head's parts.
  CheckpointPart part = CheckpointPart::app_state;
  /// Number of the question: who asks twice takes no old result for a new one.
  std::uint64_t question = 0;
};

/// Origin of the check of a certificate that another replica sent.
struct ProofChecking {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 10;

  NodeId from;
  StableCheckpoint proof;
};

/// Origin of this replica's own signature under a checkpoint.
struct CheckpointSigning {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 4;

  CheckpointHeader header;
};

/// Origin of the check of others' signatures under a checkpoint.
struct CheckpointChecking {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 5;

  CheckpointHeader header;
  std::vector<NodeId> signers;
};

/// Bodies to pass on to the others.
struct RelayFetch {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 6;
};

/// Bodies that another replica asked for.
struct SupplyFetch {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 7;

  NodeId to;
};

/// This replica has forgotten what it has said, and votes again from this epoch on; 0 while that is
/// not known.
struct AmnesiaEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 6;

  Epoch votes_from;
};

/// Everything of a segment is decided, durably: before its Done, upon which others forget what they
/// have said of it.
struct DoneEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 7;

  SegmentId segment;
};

/// Before any message of an epoch.
struct EpochEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 2;

  Epoch epoch;
  SeqNr first;
};

/// A stable checkpoint that changes keys of nodes: before anything that is signed by them.
struct KeyEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 10;

  StableCheckpoint proof;
};

/// The key of a client from an epoch on.
struct ClientKeyChange {
  ClientId client;
  Epoch from;
  /// None: it has no key any more.
  std::optional<Bytes> key;

  friend bool operator==(const ClientKeyChange&, const ClientKeyChange&) = default;
};

/// A long byte string with the digests of its chunks, which are not computed twice.
struct ChunkedBytes {
  Bytes data;
  std::vector<Digest> digests;
};

/// A chunk of the App's state, before the checkpoints that it is part of. Changed chunks alone are
/// written; see `iss::ChunkTable`.
struct ChunkEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 8;

  /// The end of this epoch is where the chunk had first this content.
  Epoch epoch;
  std::uint64_t index = 0;
  /// The entry stays in the log as long as the checkpoint of this epoch does.
  Epoch kept;
  Digest digest;
  Bytes data;
};

/// All that a replica needs to go on from a checkpoint, the App's chunks aside.
struct CheckpointState {
  /// The encoded windows and changed keys of all clients.
  ChunkedBytes clients;
  /// The encoded states of the leader policy and of the epoch's time-out.
  Bytes policy;
  Bytes pace;
  /// How many chunks the App's state has.
  std::uint64_t app_chunks = 0;
};

/// Before the checkpoint's message: whoever votes for a state can restore and supply it.
struct CheckpointEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 3;

  CheckpointHeader header;
  Bytes signature;
  CheckpointState state;
};

/// Before anything is truncated or collected.
struct StableEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 4;

  CheckpointHeader header;
  std::vector<CheckpointSignature> certificate;
};

/// A state that was fetched from others: before any message that builds on it.
struct InstalledEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 5;

  CheckpointHeader header;
  std::vector<CheckpointSignature> certificate;
  CheckpointState state;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::Continue);
BOOST_HANA_ADAPT_STRUCT(mirbft::StateInstalled, epoch);
BOOST_HANA_ADAPT_STRUCT(mirbft::PolicyContent, policy, pace);
BOOST_HANA_ADAPT_STRUCT(mirbft::ChunkHash, epoch, part, index);
BOOST_HANA_ADAPT_STRUCT(mirbft::MerkleContent, left, right);
BOOST_HANA_ADAPT_STRUCT(mirbft::AppContent, chunks, root);
BOOST_HANA_ADAPT_STRUCT(mirbft::TreeHash, epoch, level, index);
BOOST_HANA_ADAPT_STRUCT(mirbft::TransferTreeHash, question, level, index);
BOOST_HANA_ADAPT_STRUCT(mirbft::TransferHash, piece, part, question);
BOOST_HANA_ADAPT_STRUCT(mirbft::ProofChecking, from, proof);
BOOST_HANA_ADAPT_STRUCT(mirbft::BatchContent, epoch, sn, batch);
BOOST_HANA_ADAPT_STRUCT(mirbft::LogContent, before, digests);
BOOST_HANA_ADAPT_STRUCT(mirbft::BatchHash, segment, slot, batch, use);
BOOST_HANA_ADAPT_STRUCT(mirbft::CheckpointHash, epoch, part);
BOOST_HANA_ADAPT_STRUCT(mirbft::CheckpointSigning, header);
BOOST_HANA_ADAPT_STRUCT(mirbft::CheckpointChecking, header, signers);
BOOST_HANA_ADAPT_STRUCT(mirbft::RelayFetch);
BOOST_HANA_ADAPT_STRUCT(mirbft::SupplyFetch, to);
BOOST_HANA_ADAPT_STRUCT(mirbft::AmnesiaEntry, votes_from);
BOOST_HANA_ADAPT_STRUCT(mirbft::DoneEntry, segment);
BOOST_HANA_ADAPT_STRUCT(mirbft::EpochEntry, epoch, first);
BOOST_HANA_ADAPT_STRUCT(mirbft::KeyEntry, proof);
BOOST_HANA_ADAPT_STRUCT(mirbft::ClientKeyChange, client, from, key);
BOOST_HANA_ADAPT_STRUCT(mirbft::ChunkedBytes, data, digests);
BOOST_HANA_ADAPT_STRUCT(mirbft::ChunkEntry, epoch, index, kept, digest, data);
BOOST_HANA_ADAPT_STRUCT(mirbft::CheckpointState, clients, policy, pace, app_chunks);
BOOST_HANA_ADAPT_STRUCT(mirbft::CheckpointEntry, header, signature, state);
BOOST_HANA_ADAPT_STRUCT(mirbft::StableEntry, header, certificate);
BOOST_HANA_ADAPT_STRUCT(mirbft::InstalledEntry, header, certificate, state);

namespace mirbft::iss {

/// How many epochs may begin before the checkpoint of an earlier one is stable: K.
inline constexpr std::uint64_t epochs_ahead = 2;

/// From which epoch on a replica may vote (protocol, section 9). One that has forgotten its votes
/// could vote a second time, for something else, in any epoch that it has ever been in. It was at
/// most K epochs past the newest stable checkpoint then, and a strong quorum shows where that is
/// at least by now; what it can have said is over once 2K more epochs are.
class Amnesia {
 public:
  Amnesia(Memory memory, std::size_t members)
      : has_forgotten_(memory == Memory::lost), claims_(members) {}

  /// In the order of the write-ahead log: amnesia outlasts a restart.
  void recover(const AmnesiaEntry& entry) {
    has_forgotten_ = true;
    if (entry.votes_from != Epoch(0)) votes_from_ = entry.votes_from;
  }
  /// What to write ahead when the replica begins.
  std::optional<AmnesiaEntry> begin() const {
    return has_forgotten_ && !votes_from_ ? std::optional(AmnesiaEntry{}) : std::nullopt;
  }

  bool may_vote_in(Epoch epoch) const noexcept {
    return !has_forgotten_ || (votes_from_ && epoch >= *votes_from_);
  }

  /// A member says how many epochs are stable for it, of which `proven` are certified here: it is
  /// believed no more than that. It says so again, with a certificate in between. Returns what is
  /// to be written ahead once that is settled.
  std::optional<AmnesiaEntry> heard(std::size_t member, std::uint64_t stable_epochs,
                                    std::uint64_t proven, Quorum quorum) {
    if (!has_forgotten_ || votes_from_ || stable_epochs > proven) return std::nullopt;
    claims_[member] = stable_epochs;
    std::size_t heard = 0;
    std::uint64_t highest = 0;
    for (const auto& claim : claims_) {
      heard += claim.has_value();
      highest = std::max(highest, claim.value_or(0));
    }
    if (heard < quorum.strong()) return std::nullopt;
    votes_from_ = Epoch(highest + 2 * epochs_ahead);
    return AmnesiaEntry{*votes_from_};
  }

 private:
  bool has_forgotten_;
  /// Unknown until a strong quorum has told where it stands.
  std::optional<Epoch> votes_from_;
  std::vector<std::optional<std::uint64_t>> claims_;
};

}  // namespace mirbft::iss

// <mirbft/protocol/iss/app_root.hpp>
// The Merkle root of the App's state from epoch to epoch.

// <mirbft/protocol/iss/chunk_table.hpp>
// The chunks of the App's state as they stood at the checkpoints that are kept, and in the log.

namespace mirbft::iss {

inline WalAppend<ChunkEntry> written_ahead(ChunkEntry entry) {
  const RetentionIndex retention(entry.kept.value);
  return {std::move(entry), retention};
}

/// Versions of chunks. A version is of the epoch at whose end the chunk had first this content; at
/// the end of a later epoch a chunk is what its latest version by then is.
///
/// The write-ahead log holds the same versions, as `ChunkEntry`, in any order. That of an unchanged
/// chunk must outlive truncations, so it is written again before one can reach it. What this rests
/// on: when the checkpoint of an epoch is written ahead, each of its chunks is in the log before
/// it, with a retention index of that epoch or later. An entry is kept the longer the longer its
/// chunk has not changed, so that few are written again, and for a bounded time, as the log can
/// drop no more than its oldest part.
class ChunkTable {
 public:
  static constexpr std::uint64_t shortest_life = 8;
  static constexpr std::uint64_t longest_life = 128;

  /// What is written ahead for a chunk that has changed in `epoch`.
  static ChunkEntry changed(Epoch epoch, std::uint64_t index, const Digest& digest, Bytes data) {
    return {epoch, index, kept_until(epoch, index, epoch), digest, std::move(data)};
  }

  /// Takes a version in. False if it is here.
  bool put(ChunkEntry entry) {
    std::vector<ChunkEntry>& versions = chunks_[entry.index];
    auto place = std::partition_point(versions.begin(), versions.end(),
                                      [&](const auto& one) { return one.epoch < entry.epoch; });
    const bool is_here = place != versions.end() && place->epoch == entry.epoch;
    if (is_here && place->digest == entry.digest && place->kept >= entry.kept) return false;
    due_.emplace(entry.kept, entry.index);
    touched_.emplace(entry.epoch, entry.index);
    if (is_here) {
      *place = std::move(entry);
    } else {
      versions.insert(place, std::move(entry));
    }
    return true;
  }

  /// The chunk at the end of `epoch`; null if it is not known.
  const ChunkEntry* find(Epoch epoch, std::uint64_t index) const {
    const auto chunk = chunks_.find(index);
    if (chunk == chunks_.end()) return nullptr;
    const auto& versions = chunk->second;
    const auto next = std::partition_point(versions.begin(), versions.end(),
                                           [&](const auto& one) { return one.epoch <= epoch; });
    return next == versions.begin() ? nullptr : &*std::prev(next);
  }

  /// The checkpoint of `epoch`, with so many chunks, is about to be written ahead: those chunks
  /// that must be written again before it.
  std::vector<ChunkEntry> renew(Epoch epoch, std::uint64_t count) {
    std::vector<ChunkEntry> renewed;
    while (!due_.empty() && due_.begin()->first < epoch) {
      const std::uint64_t index = due_.extract(due_.begin()).value().second;
      const ChunkEntry* chunk = index < count ? find(epoch, index) : nullptr;
      if (!chunk || chunk->kept >= epoch) continue;
      ChunkEntry entry = *chunk;
      entry.kept = kept_until(epoch, index, entry.epoch);
      put(entry);
      renewed.push_back(std::move(entry));
    }
    return renewed;
  }

  /// No checkpoint before that of `epoch` is of use, and that one has so many chunks.
  void forget_before(Epoch epoch, std::uint64_t count) {
    for (auto gone = chunks_.lower_bound(count); gone != chunks_.end();) {
      std::erase_if(gone->second, [&](const auto& one) { return one.epoch <= epoch; });
      gone = gone->second.empty() ? chunks_.erase(gone) : std::next(gone);
    }
    while (!touched_.empty() && touched_.begin()->first <= epoch) {
      const auto chunk = chunks_.find(touched_.extract(touched_.begin()).value().second);
      if (chunk == chunks_.end()) continue;
      auto& versions = chunk->second;
      const auto next = std::partition_point(versions.begin(), versions.end(),
                                             [&](const auto& one) { return one.epoch <= epoch; });
      if (next != versions.begin()) versions.erase(versions.begin(), std::prev(next));
    }
  }

  /// How many versions there are.
  std::size_t size() const noexcept {
    std::size_t sum = 0;
    for (const auto& [index, versions] : chunks_) sum += versions.size();
    return sum;
  }

 private:
  /// Chunks that are written together are not all written again together.
  static Epoch kept_until(Epoch now, std::uint64_t index, Epoch changed) {
    const std::uint64_t life =
        std::clamp(now.value - changed.value, shortest_life, longest_life);
    return now + life + index % life;
  }

  /// By number; versions by ascending epoch.
  std::map<std::uint64_t, std::vector<ChunkEntry>> chunks_;
  /// Until when the log keeps versions; of some, also until when it would have.
  std::set<std::pair<Epoch, std::uint64_t>> due_;
  /// Which chunks have versions of which epochs that are not looked through yet.
  std::set<std::pair<Epoch, std::uint64_t>> touched_;
};

/// A state that was fetched from others, and its App's chunks, all of that epoch.
struct FetchedState {
  InstalledEntry entry;
  std::vector<ChunkEntry> chunks;
};

}  // namespace mirbft::iss

// <mirbft/protocol/iss/merkle_tree.hpp>
// A Merkle tree that hashes anew only what lies above changed leaves.

namespace mirbft::iss {

/// An inner node that is to be hashed: `index` counts from the left, `level` from the leaves, which
/// are level 0.
struct MerkleInner {
  std::uint64_t level = 0;
  std::uint64_t index = 0;
  Digest left;
  Digest right;
};

/// The tree of RFC 6962, section 2.1: a last node without a sibling goes up as it is. Hashes
/// nothing itself: `rise` asks for the inner nodes of one level at a time, lowest first, and
/// `hashed` takes the answers in any order.
class MerkleTree {
 public:
  std::uint64_t size() const noexcept { return levels_.front().size(); }
  const std::vector<Digest>& leaves() const noexcept { return levels_.front(); }

  /// New leaves must be set. Not while answers are awaited.
  void resize(std::uint64_t size) {
    if (size < this->size() && size != 0) stale_.push_back(size - 1);
    levels_.front().resize(size);
  }
  void set(std::uint64_t leaf, const Digest& digest) {
    levels_.front()[leaf] = digest;
    stale_.push_back(leaf);
  }

  /// Once all leaves are set, and again whenever `hashed` returns true: what to hash next. When
  /// there is nothing, `root` holds.
  std::vector<MerkleInner> rise() {
    std::vector<MerkleInner> due;
    for (; due.empty() && levels_[level_].size() > 1; ++level_) climb(due);
    awaited_ = due.size();
    if (due.empty()) {
      levels_.resize(level_ + 1);
      level_ = 0;
      stale_.clear();
    }
    return due;
  }
  /// Returns whether this was the last answer to `rise`.
  bool hashed(std::uint64_t level, std::uint64_t index, const Digest& digest) {
    levels_[level][index] = digest;
    return --awaited_ == 0;
  }
  /// Of no leaves, the digest of zeros; of one, the leaf.
  Digest root() const { return levels_.back().empty() ? Digest{} : levels_.back().front(); }

 private:
  /// Makes `stale_` the places on the level above that are affected: passes on those that have no
  /// sibling, and adds the others to `due`.
  void climb(std::vector<MerkleInner>& due) {
    if (levels_.size() == level_ + 1) levels_.emplace_back();
    const std::vector<Digest>& below = levels_[level_];
    std::vector<Digest>& above = levels_[level_ + 1];
    above.resize((below.size() + 1) / 2);
    std::sort(stale_.begin(), stale_.end());
    std::vector<std::uint64_t> parents;
    for (const std::uint64_t place : stale_) {
      const std::uint64_t parent = place / 2;
      if (place >= below.size() || (!parents.empty() && parents.back() == parent)) continue;
      parents.push_back(parent);
      if (2 * parent + 1 < below.size()) {
        due.push_back({level_ + 1, parent, below[2 * parent], below[2 * parent + 1]});
      } else {
        above[parent] = below[2 * parent];
      }
    }
    stale_ = std::move(parents);
  }

  std::vector<std::vector<Digest>> levels_{1};
  /// Changed places on level `level_`, whose parents are not asked for yet.
  std::vector<std::uint64_t> stale_;
  std::size_t level_ = 0;
  std::size_t awaited_ = 0;
};

}  // namespace mirbft::iss

// <mirbft/protocol/iss/state_chunks.hpp>
// A checkpoint's state as bytes: in chunks, hashed, and read back.

namespace mirbft::iss {

/// How many stable epochs are kept, with their states, for those who lag behind.
inline constexpr std::uint64_t epochs_kept = 2;

/// Of the clients' part; the App decides on its own chunks.
inline constexpr std::uint64_t chunk_size = good_chunk_size;

constexpr std::uint64_t chunks_of(std::uint64_t length) noexcept {
  return length / chunk_size + (length % chunk_size != 0);
}
/// Length of a chunk of a string of `length` bytes.
constexpr std::uint64_t chunk_length(std::uint64_t length, std::uint64_t index) noexcept {
  return std::min(chunk_size, length - index * chunk_size);
}
inline Bytes chunk_of(const Bytes& data, std::uint64_t index) noexcept {
  return data.slice(index * chunk_size, chunk_size);
}

/// What is hashed for a chunk; its place is given by the list that its digest stands in.
inline std::vector<Bytes> chunk_content(ByteView cluster, Bytes chunk) {
  return {wire::canonical("chunk", cluster, std::uint64_t{chunk.size()}), std::move(chunk)};
}
/// What is hashed for an inner node of the tree over the App's chunks.
inline Bytes inner_content(ByteView cluster, const MerkleInner& inner) {
  return wire::canonical("inner node", cluster, MerkleContent{inner.left, inner.right});
}
/// What is hashed for the parts of a state, and stands in the checkpoint's header. The number of
/// chunks is in it, so that nobody can pass off inner nodes as chunks.
inline Bytes app_content(ByteView cluster, const MerkleTree& tree) {
  return wire::canonical("app state", cluster, AppContent{tree.size(), tree.root()});
}
inline Bytes clients_content(ByteView cluster, const ChunkList& list) {
  return wire::canonical("clients", cluster, list);
}
inline Bytes policy_content(ByteView cluster, const Bytes& policy, const Bytes& pace) {
  return wire::canonical("policy", cluster, PolicyContent{policy, pace});
}

inline ChunkList list_of(const ChunkedBytes& bytes) { return {bytes.data.size(), bytes.digests}; }

/// Client windows and keys as the bytes that are hashed, written ahead and transferred.
struct ClientsPart {
  std::vector<ClientWindow> windows;
  std::vector<ClientKeyChange> keys;
};

}  // namespace mirbft::iss

BOOST_HANA_ADAPT_STRUCT(mirbft::iss::ClientsPart, windows, keys);

namespace mirbft::iss {

inline Bytes encoded(std::vector<ClientWindow> windows, std::vector<ClientKeyChange> keys) {
  return wire::encode(ClientsPart{std::move(windows), std::move(keys)});
}
/// Reads what this replica encoded, or a quorum certified. Throws ModuleFailure.
inline ClientsPart clients_of(const CheckpointState& state) {
  // Nobody made these bytes to hurt, so their length alone bounds what they take.
  wire::Limits limits;
  limits.memory = limits.bytes;
  auto read = wire::decode<ClientsPart>(state.clients.data, wire::Form::canonical, limits);
  if (!read) throw ModuleFailure("the client windows of a checkpoint cannot be read");
  return std::move(*read);
}
inline std::vector<ClientWindow> windows_of(const CheckpointState& state) {
  return clients_of(state).windows;
}

/// What a replica goes on from: a stable checkpoint with its state.
struct StableState {
  CheckpointHeader header;
  std::vector<ClientWindow> windows;
  /// The encoded states of the leader policy and of the time-out, to `wire::decode`.
  Bytes policy;
  Bytes pace;
  /// The chunks of the App's state.
  std::vector<Bytes> app;
};

/// Throws ModuleFailure when something is missing.
inline StableState opened(const CheckpointHeader& header, const CheckpointState& state,
                          const ChunkTable& chunks) {
  StableState stable{header, windows_of(state), state.policy, state.pace, {}};
  for (std::uint64_t index = 0; index < state.app_chunks; ++index) {
    const ChunkEntry* chunk = chunks.find(header.epoch, index);
    if (!chunk)
      throw ModuleFailure("the write-ahead log lacks chunk " + std::to_string(index) +
                          " of the App's state at the end of epoch " +
                          std::to_string(header.epoch.value));
    stable.app.push_back(chunk->data);
  }
  return stable;
}

}  // namespace mirbft::iss

namespace mirbft::iss {

/// Each epoch's root is that of the one before, with what has changed hashed anew.
class AppRoot {
 public:
  using consumes = events<HashResult<TreeHash>>;
  using emits = events<HashRequest<TreeHash>>;

  /// The next epoch does not follow on the last one: its root is computed from all chunks.
  void clear() { *this = {}; }

  /// Begins with an epoch, when the last one is done. All of its chunks are in `chunks`, and these
  /// have changed. Returns whether it is done at once. Throws ModuleFailure.
  bool begin(Epoch epoch, std::uint64_t count, const std::vector<std::uint64_t>& changed,
             const ChunkTable& chunks, auto& env) {
    epoch_ = epoch;
    const std::uint64_t before = tree_.size();
    for (std::uint64_t index = count; index < before; ++index) length_ -= sizes_[index];
    tree_.resize(count);
    sizes_.resize(count);
    for (const std::uint64_t index : changed)
      if (index < before) set(index, chunks);
    for (std::uint64_t index = before; index < count; ++index) set(index, chunks);
    return rise(env);
  }
  /// Returns whether the root is there.
  bool process(const HashResult<TreeHash>& hashed, auto& env) {
    const auto& [epoch, level, index] = hashed.origin;
    return epoch == epoch_ && tree_.hashed(level, index, hashed.digest) && rise(env);
  }

  const MerkleTree& tree() const noexcept { return tree_; }
  /// Of all chunks together, in bytes.
  std::uint64_t length() const noexcept { return length_; }

 private:
  void set(std::uint64_t index, const ChunkTable& chunks) {
    const ChunkEntry* chunk = chunks.find(*epoch_, index);
    if (!chunk)
      throw ModuleFailure("the App has not handed out chunk " + std::to_string(index) +
                          " of its state");
    length_ += chunk->data.size() - sizes_[index];
    sizes_[index] = chunk->data.size();
    tree_.set(index, chunk->digest);
  }
  bool rise(auto& env) {
    const std::vector<MerkleInner> due = tree_.rise();
    for (const MerkleInner& inner : due)
      env.emit(HashRequest<TreeHash>{{inner_content(env.cluster().name().view(), inner)},
                                     {*epoch_, inner.level, inner.index}});
    return due.empty();
  }

  MerkleTree tree_;
  std::vector<std::uint64_t> sizes_;
  std::uint64_t length_ = 0;
  std::optional<Epoch> epoch_;
};

}  // namespace mirbft::iss

// <mirbft/protocol/iss/bad_message.hpp>
// Why messages of other replicas were dropped, counted for the operator.

namespace mirbft::iss {

/// The rules that a message may break.
enum class BadMessage : std::uint8_t {
  stranger,     // its sender is no member
  old_epoch,    // of an epoch that is over and forgotten: normal for a slow sender
  far_epoch,    // of an epoch too far ahead, or beyond what is kept of a sender
  proposal,     // a proposal that breaks a rule of protocol.md, section 3
  vote,         // a vote for a slot or view that does not exist
  duplicate,    // a second one where one is allowed
  signature,    // a signature that does not verify
  unasked,      // an answer that nobody asked for
  oversized,    // more than its kind may hold
  certificate,  // a certificate with too few signers, one twice, or of another membership
  state,        // a part of a state that is not what was certified
};

/// The counts by reason.
struct BadMessages {
  std::uint64_t stranger = 0;
  std::uint64_t old_epoch = 0;
  std::uint64_t far_epoch = 0;
  std::uint64_t proposal = 0;
  std::uint64_t vote = 0;
  std::uint64_t duplicate = 0;
  std::uint64_t signature = 0;
  std::uint64_t unasked = 0;
  std::uint64_t oversized = 0;
  std::uint64_t certificate = 0;
  std::uint64_t state = 0;

  void count(BadMessage reason) noexcept {
    switch (reason) {
      case BadMessage::stranger: ++stranger; break;
      case BadMessage::old_epoch: ++old_epoch; break;
      case BadMessage::far_epoch: ++far_epoch; break;
      case BadMessage::proposal: ++proposal; break;
      case BadMessage::vote: ++vote; break;
      case BadMessage::duplicate: ++duplicate; break;
      case BadMessage::signature: ++signature; break;
      case BadMessage::unasked: ++unasked; break;
      case BadMessage::oversized: ++oversized; break;
      case BadMessage::certificate: ++certificate; break;
      case BadMessage::state: ++state; break;
    }
  }
};

}  // namespace mirbft::iss

BOOST_HANA_ADAPT_STRUCT(mirbft::iss::BadMessages, stranger, old_epoch, far_epoch, proposal, vote,
                        duplicate, signature, unasked, oversized, certificate, state);

// <mirbft/protocol/iss/bodies.hpp>
// Bodies of requests on their way between replicas.

namespace mirbft::iss {

/// Whether each element is greater than the one before: nothing is asked for twice.
template <class T>
bool is_ascending(const std::vector<T>& list) {
  return std::adjacent_find(list.begin(), list.end(), std::greater_equal<T>()) == list.end();
}

/// Passes on requests that clients gave to this replica alone, and answers those who lack some.
class Bodies {
 public:
  using consumes = events<RequestsFetched<RelayFetch>, RequestsFetched<SupplyFetch>>;
  using emits = events<FetchRequests<RelayFetch>, FetchRequests<SupplyFetch>>;

  /// References in one question, and requests and bytes in one message with bodies.
  static constexpr std::size_t asked_at_once = 4096;
  static constexpr std::size_t requests_at_once = 1024;
  /// Requests of a segment without progress that are passed on again.
  static constexpr std::size_t repeated_at_once = 32;
  static constexpr std::size_t bytes_at_once = 1u << 20;

  explicit Bodies(std::size_t members) : allowance_(members) {}

  /// From time to time: peers may ask again.
  void refill() { allowance_.refill(); }

  void relay_later(const RequestRef& reference) { to_relay_.push_back(reference); }
  void relay(auto& env) {
    if (to_relay_.empty() || env.cluster().others().empty()) return to_relay_.clear();
    env.emit(FetchRequests<RelayFetch>{std::exchange(to_relay_, {}), {}});
  }
  void process(RequestsFetched<RelayFetch> fetched, auto& env) {
    in_parts<Relayed>(std::move(fetched.found),
                      [&](Relayed part) { env.emit(env.to_others(std::move(part))); });
  }

  void receive(Member from, RequestsWanted wanted, auto& env) {
    if (wanted.references.size() > asked_at_once || !is_ascending(wanted.references) ||
        allowance_.is_spent(from))
      return env.bad(BadMessage::oversized);
    env.emit(FetchRequests<SupplyFetch>{std::move(wanted.references), {from.id}});
  }
  void process(RequestsFetched<SupplyFetch> fetched, auto& env) {
    const Member whom = *env.cluster().find(fetched.origin.to);
    if (allowance_.is_spent(whom)) return;  // by answers to questions that came together
    for (const Request& request : fetched.found) allowance_.spend(whom, request.data.size());
    in_parts<RequestsSupplied>(std::move(fetched.found), [&](RequestsSupplied part) {
      env.emit(env.to(whom.id, std::move(part)));
    });
  }

 private:
  /// Messages that fit a frame each.
  template <class Message, class Send>
  static void in_parts(std::vector<Request> requests, Send&& send) {
    Message part;
    std::size_t bytes = 0;
    for (Request& request : requests) {
      bytes += request.data.size() + request.authenticator.size();
      part.requests.push_back(std::move(request));
      if (bytes < bytes_at_once && part.requests.size() < requests_at_once) continue;
      send(std::exchange(part, {}));
      bytes = 0;
    }
    if (!part.requests.empty()) send(std::move(part));
  }

  std::vector<RequestRef> to_relay_;
  Allowance allowance_;
};

}  // namespace mirbft::iss

// <mirbft/protocol/iss/buckets.hpp>
// Requests that are ready and not yet delivered, in the buckets from which leaders cut batches.

// <mirbft/protocol/iss/clients.hpp>
// What the protocol knows of each client's requests: ready, proposed, delivered.

namespace mirbft::iss {

/// Whether a proposal waits for a body.
enum class Wanted : std::uint8_t { no, yes };

/// The frozen windows and the state of every request in them. `low` moves only at the end of an
/// epoch, so that all correct replicas judge a proposal alike (protocol, section 2).
///
/// Only an authentic request makes an entry: what a Byzantine leader merely names must neither fill
/// the table nor change what is thought of other proposals.
class Clients {
 public:
  explicit Clients(std::uint64_t window) : window_(window) {}

  enum class Readiness : std::uint8_t { first, again, refused };

  /// A body of `size` bytes is here and authentic. Says whether it is the first one under its
  /// number. Further bodies of an equivocating client are nobody's to propose; they are remembered
  /// where a proposal wants them, and otherwise only so many.
  Readiness ready(const RequestRef& reference, std::uint32_t size, Wanted wanted) {
    Entry* entry = make(reference.client, reference.req_no);
    if (!entry || entry->delivered != never) return Readiness::refused;
    if (!entry->ready) {
      entry->ready = true;
      entry->digest = reference.digest;
      entry->size = size;
      return Readiness::first;
    }
    if (entry->digest == reference.digest) return Readiness::again;
    if (wanted == Wanted::yes || others_.size() < max_others) others_.emplace(reference, size);
    return Readiness::again;
  }
  /// Length of a body that is here; none when it is not.
  std::optional<std::uint32_t> ready_size(const RequestRef& reference) {
    const Entry* entry = find(reference.client, reference.req_no);
    if (entry && entry->ready && entry->digest == reference.digest) return entry->size;
    if (others_.empty()) return std::nullopt;
    const auto other = others_.find(reference);
    return other == others_.end() ? std::nullopt : std::optional(other->second);
  }

  /// A new epoch: what was claimed in the last one is claimed no more.
  void begin_epoch(SeqNr first) {
    first_ = first;
    early_claims_.clear();
  }
  /// Claims a number for the proposal of `sn`. False when it is not open, was delivered before the
  /// epoch, or another proposal of the epoch has it.
  bool claim(SeqNr sn, ClientId client, ReqNo req_no) {
    if (!is_open(client, req_no)) return false;
    Entry* entry = find(client, req_no);
    if (!entry || !entry->used())
      return early_claims_.try_emplace({client, req_no}, sn).second;
    if (entry->claimed > first_.value) return false;
    if (entry->delivered != never && entry->delivered <= first_.value) return false;
    entry->claimed = mark(sn);
    return true;
  }
  /// Which proposal of the epoch has a number whose body is here, if one has.
  std::optional<SeqNr> claimed_by(ClientId client, ReqNo req_no) {
    const Entry* entry = find(client, req_no);
    if (!entry || entry->claimed <= first_.value) return std::nullopt;
    return SeqNr(entry->claimed - 1);
  }
  /// Gives a claim of `sn` back: the proposal turned out to break a rule.
  void unclaim(SeqNr sn, ClientId client, ReqNo req_no) {
    Entry* entry = find(client, req_no);
    if (entry && entry->claimed == mark(sn)) entry->claimed = never;
    const auto early = early_claims_.find({client, req_no});
    if (early != early_claims_.end() && early->second == sn) early_claims_.erase(early);
  }

  /// Notes a delivery. False when the number was delivered before: the protocol has failed.
  bool deliver(SeqNr sn, const RequestRef& reference) {
    Entry* entry = make(reference.client, reference.req_no);
    if (!entry || entry->delivered != never) return false;
    entry->delivered = mark(sn);
    if (!others_.empty()) forget_others(reference);
    return true;
  }
  bool is_delivered(ClientId client, ReqNo req_no) {
    const Window* window = lookup(client);
    if (!window) return false;
    if (req_no.value < window->low()) return true;
    const Entry* entry = window->find(req_no.value);
    return entry && entry->delivered != never;
  }

  /// The end of an epoch: each window slides over its contiguous delivered prefix.
  void slide() {
    for (auto& [client, window] : clients_) {
      std::uint64_t low = window.low();
      for (const Entry* entry = window.find(low); entry && entry->delivered != never;)
        entry = window.find(++low);
      window.advance(low);
    }
  }

  /// The windows as they stand, by ascending client: part of the checkpoint.
  std::vector<ClientWindow> windows() {
    std::vector<ClientWindow> all;
    for (auto& [client, window] : clients_) {
      ClientWindow one{client, ReqNo(window.low()), bitmap(window)};
      if (one.low != ReqNo() || !one.delivered.empty()) all.push_back(std::move(one));
    }
    return all;
  }

  /// The state at the end of an epoch, of a checkpoint that is verified: takes the place of what
  /// was delivered here. A checkpoint says nothing of bodies; those that are here and still of use
  /// stay. `begin_epoch` must follow.
  void restore(const std::vector<ClientWindow>& windows) {
    std::map<ClientId, Window> before = std::exchange(clients_, {});
    last_ = nullptr;
    early_claims_.clear();
    for (const ClientWindow& window : windows) restore(window);
    for (auto& [client, window] : before) keep_bodies(client, window);
    std::erase_if(others_, [&](const auto& other) {
      return is_delivered(other.first.client, other.first.req_no);
    });
  }

  /// A client's key has changed: what is here of its requests and not delivered counts no more.
  /// Call before `begin_epoch`.
  void forget_bodies(ClientId client) {
    if (Window* window = lookup(client))
      window->for_each([](std::uint64_t, Entry& entry) { entry.ready = false; });
    std::erase_if(others_, [&](const auto& other) { return other.first.client == client; });
  }

  std::size_t size() const noexcept { return clients_.size(); }

 private:
  static constexpr std::uint64_t never = 0;
  static constexpr std::uint64_t mark(SeqNr sn) noexcept { return sn.value + 1; }
  /// The mark of the first sequence number: one of some epoch before the current one.
  static constexpr std::uint64_t long_ago = never + 1;
  /// Bodies that equivocating clients may make us remember beside the first.
  static constexpr std::size_t max_others = 4096;

  struct Entry {
    Digest digest{};
    // Both hold `mark(sn)`.
    std::uint64_t claimed = never;
    std::uint64_t delivered = never;
    std::uint32_t size = 0;
    bool ready = false;

    bool used() const noexcept { return ready || delivered != never; }
  };
  using Window = SlidingWindow<Entry, 32>;

  Window* lookup(ClientId client) {
    if (last_ && last_client_ == client) return last_;
    const auto found = clients_.find(client);
    if (found == clients_.end()) return nullptr;
    last_client_ = client;
    return last_ = &found->second;
  }
  Entry* find(ClientId client, ReqNo req_no) {
    Window* window = lookup(client);
    return window ? window->find(req_no.value) : nullptr;
  }
  bool is_open(ClientId client, ReqNo req_no) {
    const Window* window = lookup(client);
    const std::uint64_t low = window ? window->low() : 0;
    return req_no.value >= low && req_no.value - low < window_;
  }
  /// The entry of an open number, made on first use, with the claim that there may be on it; null
  /// outside the window.
  Entry* make(ClientId client, ReqNo req_no) {
    if (!is_open(client, req_no)) return nullptr;
    Window* window = lookup(client);
    if (!window) {
      last_client_ = client;
      window = last_ = &clients_[client];
    }
    Entry& entry = window->at(req_no.value);
    if (!early_claims_.empty() && !entry.used()) {
      const auto early = early_claims_.find({client, req_no});
      if (early != early_claims_.end()) {
        entry.claimed = mark(early->second);
        early_claims_.erase(early);
      }
    }
    return &entry;
  }
  void forget_others(const RequestRef& reference) {
    auto other = others_.lower_bound({reference.client, reference.req_no, Digest{}});
    while (other != others_.end() && other->first.client == reference.client &&
           other->first.req_no == reference.req_no)
      other = others_.erase(other);
  }

  void restore(const ClientWindow& from) {
    Window& window = clients_[from.client];
    window.advance(from.low.value);
    for (std::uint64_t bit = 0; bit < 8 * from.delivered.size(); ++bit)
      if (from.is_delivered(from.low + bit)) window.at(from.low.value + bit).delivered = long_ago;
  }
  void keep_bodies(ClientId client, Window& before) {
    before.for_each([&](std::uint64_t number, const Entry& had) {
      if (!had.ready || had.delivered != never) return;
      Entry* entry = make(client, ReqNo(number));
      if (!entry || entry->delivered != never) return;
      *entry = had;
    });
  }

  static Bytes bitmap(Window& window) {
    std::vector<std::uint8_t> bits;
    window.for_each([&](std::uint64_t number, const Entry& entry) {
      if (entry.delivered == never) return;
      const std::uint64_t bit = number - window.low();
      if (bits.size() <= bit / 8) bits.resize(bit / 8 + 1);
      bits[bit / 8] = static_cast<std::uint8_t>(bits[bit / 8] | (1u << (bit % 8)));
    });
    return Bytes(ByteView(bits));
  }

  std::uint64_t window_;
  SeqNr first_;
  std::map<ClientId, Window> clients_;
  std::map<RequestRef, std::uint32_t> others_;
  /// Claims on numbers of which nothing authentic is here yet: those of one epoch's proposals.
  std::map<std::pair<ClientId, ReqNo>, SeqNr> early_claims_;
  // The last client that was looked up: requests of one client come in runs. Map nodes never move.
  ClientId last_client_;
  Window* last_ = nullptr;
};

}  // namespace mirbft::iss

namespace mirbft::iss {

/// FIFO queues of references, one a bucket. What stands at the head of one is not delivered yet.
class Buckets {
 public:
  explicit Buckets(std::uint32_t count) : queues_(count) {}

  std::uint32_t count() const noexcept { return static_cast<std::uint32_t>(queues_.size()); }

  void add(const RequestRef& reference, std::uint32_t size) {
    const std::uint32_t bucket = bucket_of(reference.client, reference.req_no, count());
    queues_[bucket].push_back({reference, size});
    if (own_[bucket]) count_in(size);
  }
  /// Puts a request back at the head of its bucket, after its batch was decided as nil.
  void put_back(const RequestRef& reference, std::uint32_t size) {
    const std::uint32_t bucket = bucket_of(reference.client, reference.req_no, count());
    queues_[bucket].push_front({reference, size});
    if (own_[bucket]) count_in(size);
  }

  /// What waits in the buckets that this replica may propose from.
  std::uint64_t own_requests() const noexcept { return own_requests_; }
  std::uint64_t own_bytes() const noexcept { return own_bytes_; }

  /// A new epoch: drops what is delivered or counts no more, and notes which buckets are this
  /// replica's.
  void begin_epoch(const EpochPlan& plan, Clients& clients,
                   const std::optional<std::uint32_t>& own_segment) {
    own_requests_ = own_bytes_ = 0;
    by_segment_.assign(plan.segments(), {});
    for (std::uint32_t bucket = 0; bucket < count(); ++bucket) {
      by_segment_[plan.owner(bucket)].push_back(bucket);
      own_[bucket] = own_segment && plan.owner(bucket) == *own_segment;
      std::erase_if(queues_[bucket],
                    [&](const Waiting& waiting) { return !is_waiting(waiting, clients); });
      if (own_[bucket])
        for (const Waiting& waiting : queues_[bucket]) count_in(waiting.size);
    }
  }

  /// A request was delivered: what has come to the head of its bucket by that is dropped.
  void delivered(const RequestRef& reference, Clients& clients) {
    const std::uint32_t bucket = bucket_of(reference.client, reference.req_no, count());
    auto& queue = queues_[bucket];
    while (!queue.empty() && is_delivered(queue.front(), clients)) {
      if (own_[bucket]) count_out(queue.front().size);
      queue.pop_front();
    }
  }

  /// Whether anything waits in the buckets of a segment that this replica has not proposed itself
  /// and that is not decided, as `is_decided(reference)` says: then its leader is expected to make
  /// progress. It has done its part for what only waits for other segments to be delivered.
  template <class IsDecided>
  bool waits(std::uint32_t segment, IsDecided&& is_decided) const {
    return std::ranges::any_of(by_segment_[segment], [&](std::uint32_t bucket) {
      return std::ranges::any_of(queues_[bucket], [&](const Waiting& waiting) {
        return !is_decided(waiting.reference);
      });
    });
  }
  /// Up to `most` undelivered requests of a segment, the oldest of each bucket first: to pass on to
  /// a leader that may lack them.
  std::vector<RequestRef> oldest(std::uint32_t segment, std::size_t most, Clients& clients) const {
    std::vector<RequestRef> found;
    bool deeper = true;
    for (std::size_t depth = 0; deeper; ++depth) {
      deeper = false;
      for (const std::uint32_t bucket : by_segment_[segment]) {
        if (found.size() == most) return found;
        const auto& queue = queues_[bucket];
        if (depth >= queue.size()) continue;
        deeper = true;
        if (!is_delivered(queue[depth], clients)) found.push_back(queue[depth].reference);
      }
    }
    return found;
  }

  /// Takes a batch out of this replica's buckets, one request of each in turn, within the limits.
  /// `may(reference)` claims a request for the batch.
  template <class May>
  std::vector<RequestRef> cut(std::uint64_t max_requests, std::uint64_t max_bytes, May&& may) {
    std::vector<RequestRef> batch;
    batch.reserve(std::min(max_requests, own_requests_));
    std::uint64_t bytes = 0;
    while (own_requests_ != 0 && batch.size() < max_requests) {
      while (!own_[turn_] || queues_[turn_].empty()) turn_ = (turn_ + 1) % count();
      const Waiting next = queues_[turn_].front();
      if (!batch.empty() && bytes + next.size > max_bytes) break;
      queues_[turn_].pop_front();
      turn_ = (turn_ + 1) % count();
      count_out(next.size);
      if (!may(next.reference)) continue;
      bytes += next.size;
      batch.push_back(next.reference);
    }
    return batch;
  }

 private:
  struct Waiting {
    RequestRef reference;
    std::uint32_t size;
  };

  void count_in(std::uint32_t size) noexcept {
    ++own_requests_;
    own_bytes_ += size;
  }
  void count_out(std::uint32_t size) noexcept {
    --own_requests_;
    own_bytes_ -= size;
  }
  static bool is_delivered(const Waiting& waiting, Clients& clients) {
    return clients.is_delivered(waiting.reference.client, waiting.reference.req_no);
  }

  static bool is_waiting(const Waiting& waiting, Clients& clients) {
    return clients.ready_size(waiting.reference) && !is_delivered(waiting, clients);
  }

  std::vector<std::deque<Waiting>> queues_;
  /// The buckets of each segment of the current epoch.
  std::vector<std::vector<std::uint32_t>> by_segment_;
  std::vector<char> own_ = std::vector<char>(queues_.size(), 0);
  std::uint64_t own_requests_ = 0;
  std::uint64_t own_bytes_ = 0;
  std::uint32_t turn_ = 0;
};

}  // namespace mirbft::iss

// <mirbft/protocol/iss/checkpoint_draft.hpp>
// A checkpoint that this replica is making: its parts come one by one from the App and the Hasher.

namespace mirbft::iss {

/// The end of an epoch on its way to a header.
class CheckpointDraft {
 public:
  /// `state` is what there is without the parts of App and clients; `log` are the digests of the
  /// epoch.
  CheckpointDraft(Epoch epoch, SeqNr last, std::vector<Digest> log,
                  std::vector<ClientWindow> windows, CheckpointState state)
      : log_(std::move(log)), windows_(std::move(windows)), state_(std::move(state)) {
    header_.epoch = epoch;
    header_.last = last;
  }

  SeqNr last() const noexcept { return header_.last; }
  const std::vector<Digest>& log() const noexcept { return log_; }

  // The App's part.

  /// A piece of what has changed; its chunks are to be hashed.
  void snapshot(const AppSnapshot& piece) {
    state_.app_chunks = piece.chunks;
    for (const AppChunk& chunk : piece.changed) {
      changed_.push_back(chunk.index);
      unhashed_.emplace(chunk.index, chunk.data);
    }
    app_is_here_ = piece.remaining == 0;
  }
  /// The keys that were asked for: of nodes in this epoch, in the `key_changes`-th such epoch so
  /// far, and of clients until now. The clients' part is there then, and to be hashed.
  void keys(std::vector<NodeKey> nodes, std::uint64_t key_changes,
            std::vector<ClientKeyChange> clients) {
    header_.node_keys = std::move(nodes);
    header_.key_changes = key_changes;
    state_.clients.data = encoded(std::move(windows_), std::move(clients));
    missing_clients_ = chunks_of(state_.clients.data.size());
    state_.clients.digests.resize(missing_clients_);
  }
  /// One chunk's hash is there. Returns the chunk.
  Bytes app_chunk(std::uint64_t index) { return unhashed_.extract(index).mapped(); }
  bool app_is_hashed() const noexcept { return app_is_here_ && unhashed_.empty(); }
  /// The chunks that have changed.
  const std::vector<std::uint64_t>& changed() const noexcept { return changed_; }
  void app_length(std::uint64_t length) noexcept { header_.app_length = length; }

  /// One chunk's hash of the clients' part is there. Returns whether it is the last one.
  bool clients_chunk(std::uint64_t index, const Digest& digest) {
    state_.clients.digests[index] = digest;
    return --missing_clients_ == 0;
  }

  /// One part's hash is there. Returns the header when it is the last one.
  std::optional<CheckpointHeader> part(CheckpointPart part, const Digest& digest) {
    if (is_complete()) return std::nullopt;
    switch (part) {
      case CheckpointPart::log: header_.log = digest; break;
      case CheckpointPart::app_state: header_.app_state = digest; break;
      case CheckpointPart::clients: header_.clients = digest; break;
      case CheckpointPart::policy: header_.policy = digest; break;
      case CheckpointPart::membership: header_.membership = digest; break;
      case CheckpointPart::parameters: header_.parameters = digest; break;
    }
    parts_ |= 1u << static_cast<std::uint32_t>(part);
    if (!is_complete()) return std::nullopt;
    return header_;
  }

  const CheckpointState& state() const noexcept { return state_; }

 private:
  bool is_complete() const noexcept { return parts_ + 1 == 1u << checkpoint_parts; }

  CheckpointHeader header_;
  std::vector<Digest> log_;
  /// Until the keys are known that go with them.
  std::vector<ClientWindow> windows_;
  CheckpointState state_;
  std::uint64_t missing_clients_ = 0;
  bool app_is_here_ = false;
  std::vector<std::uint64_t> changed_;
  std::map<std::uint64_t, Bytes> unhashed_;
  /// A bit for each part that is there.
  std::uint32_t parts_ = 0;
};

}  // namespace mirbft::iss

// <mirbft/protocol/iss/checkpoint_maker.hpp>
// The making of this replica's own checkpoints: everything that a header covers, hashed.

// <mirbft/protocol/iss/key_changes.hpp>
// Keys that the ordered log has changed: of nodes as a chain of certificates, of clients as state.

namespace mirbft::iss {

/// What the requests of `epoch` ask for holds from here on. Who enters this epoch knows it: the
/// checkpoint of `epoch` is stable there, as K = 2, and the own App has told what was asked for.
constexpr Epoch in_force_from(Epoch epoch) noexcept { return epoch + 2; }

/// What an App asks for, as far as it is carried out.
struct KeyChanges {
  /// By ascending id; the last one for a node or client counts.
  std::vector<NodeKey> nodes;
  std::vector<ClientKey> clients;
  /// How many reconfigurations are not carried out: keys of nodes that are no members, members
  /// without a key, keys that are empty or too long.
  std::uint64_t refused = 0;
};

inline KeyChanges key_changes(std::vector<Reconfiguration> asked, const Cluster& cluster) {
  KeyChanges made;
  std::map<NodeId, NodeKey> nodes;
  std::map<ClientId, ClientKey> clients;
  const auto is_key = [](const Bytes& key) {
    return !key.empty() && key.size() <= max_public_key_bytes;
  };
  for (Reconfiguration& one : asked) {
    if (auto* node = std::get_if<NodeKey>(&one);
        node && node->key && is_key(*node->key) && cluster.find(node->node)) {
      nodes.insert_or_assign(node->node, std::move(*node));
    } else if (auto* client = std::get_if<ClientKey>(&one);
               client && (!client->key || is_key(*client->key))) {
      clients.insert_or_assign(client->client, std::move(*client));
    } else {
      ++made.refused;
    }
  }
  for (auto& [id, key] : nodes) made.nodes.push_back(std::move(key));
  for (auto& [id, key] : clients) made.clients.push_back(std::move(key));
  return made;
}

/// The certificates of all checkpoints that change keys of nodes. Each is signed by the keys that
/// those before it have made, so that a replica which was away for long gets from the keys that it
/// knows to those in force, as long as it believes in the ones that it knows. It is kept for ever:
/// some hundred bytes for each signature, as often as keys are changed.
class KeyChain {
 public:
  /// How many epochs have changed keys of nodes, as far as is known here.
  std::uint64_t length() const noexcept { return links_.size(); }

  /// Whether the keys that sign this checkpoint are known: those of all earlier changes are.
  bool covers(const CheckpointHeader& header) const noexcept {
    return header.key_changes <= length() + (header.node_keys.empty() ? 0 : 1);
  }

  /// Recovery. An entry may be there twice.
  void recover(KeyEntry entry) {
    if (is_next(entry.proof.header)) links_.push_back(std::move(entry.proof));
  }
  /// Tells Crypto the keys of all links: at the start, before anything is signed or verified.
  void announce(auto& env) const {
    for (const StableCheckpoint& link : links_) announce(link, env);
  }

  /// A valid certificate. The next link is written ahead of all that is signed by its keys. Returns
  /// whether it was one.
  bool extend(const StableCheckpoint& proof, auto& env) {
    if (!is_next(proof.header)) return false;
    links_.push_back(proof);
    env.emit(WalAppend<KeyEntry>{{proof}, RetentionIndex(~std::uint64_t{0})});
    announce(proof, env);
    return true;
  }

  /// The link after the first `known`; null if there is none.
  const StableCheckpoint* after(std::uint64_t known) const noexcept {
    return known < length() ? &links_[known] : nullptr;
  }

 private:
  bool is_next(const CheckpointHeader& header) const noexcept {
    return !header.node_keys.empty() && header.key_changes == length() + 1;
  }
  static void announce(const StableCheckpoint& link, auto& env) {
    env.emit(UpdateNodeKeys{in_force_from(link.header.epoch), link.header.node_keys});
  }

  std::vector<StableCheckpoint> links_;
};

/// The keys of clients that are not, or no longer, those that Crypto was configured with: a part of
/// every checkpoint.
class ClientKeys {
 public:
  ClientKeys() = default;
  explicit ClientKeys(std::vector<ClientKeyChange> changes) : changes_(std::move(changes)) {}

  /// By ascending client and epoch.
  const std::vector<ClientKeyChange>& changes() const noexcept { return changes_; }

  /// The requests of `epoch` have asked for these. What is replaced in that epoch already is
  /// forgotten.
  void asked(Epoch epoch, const std::vector<ClientKey>& keys) {
    for (const ClientKey& key : keys)
      changes_.push_back({key.client, in_force_from(epoch), key.key});
    std::ranges::sort(changes_, {}, [](const ClientKeyChange& change) {
      return std::pair(change.client, change.from);
    });
    const auto is_replaced = [&](const ClientKeyChange& change) {
      const ClientKeyChange* next = &change + 1;
      return next != changes_.data() + changes_.size() && next->client == change.client &&
             next->from <= epoch;
    };
    std::vector<ClientKeyChange> kept;
    for (const ClientKeyChange& change : changes_)
      if (!is_replaced(change)) kept.push_back(change);
    changes_ = std::move(kept);
  }

  /// The keys that come into force after `before`, until `epoch` at the latest.
  std::vector<ClientKey> due(Epoch before, Epoch epoch) const {
    std::vector<ClientKey> keys;
    for (const ClientKeyChange& change : changes_) {
      if (change.from > epoch || change.from <= before) continue;
      if (!keys.empty() && keys.back().client == change.client) keys.pop_back();
      keys.push_back({change.client, change.key});
    }
    return keys;
  }

  /// Since when a client has the key that it has in `epoch`.
  Epoch since(ClientId client, Epoch epoch) const noexcept {
    const auto later = std::ranges::upper_bound(
        changes_, std::pair(client, epoch), {},
        [](const ClientKeyChange& change) { return std::pair(change.client, change.from); });
    const bool changed = later != changes_.begin() && std::prev(later)->client == client;
    return changed ? std::prev(later)->from : Epoch(0);
  }

 private:
  std::vector<ClientKeyChange> changes_;
};

}  // namespace mirbft::iss

namespace mirbft::iss {

/// Makes headers of the epochs that end here. Knows nothing of votes.
class CheckpointMaker {
 public:
  using consumes = joined<
      events<AppSnapshot, HashResult<CheckpointHash>, HashResult<ChunkHash>>, AppRoot::consumes>;
  using emits = joined<events<AppSnapshotRequest, HashRequest<CheckpointHash>,
                              HashRequest<ChunkHash>, WalAppend<ChunkEntry>>,
                       AppRoot::emits>;

  /// Computes what every header says of members and configuration, to check those of others.
  void start(const IssConfig& parameters, auto& env) {
    hash_common_parts(next_log_, parameters, env);
  }
  const std::optional<Digest>& membership() const noexcept { return membership_; }
  const std::optional<Digest>& parameters() const noexcept { return parameters_; }

  /// The log up to here is that of another's checkpoint, or of one from before a restart.
  void go_on_from(const CheckpointHeader& header, ClientKeys keys) {
    drafts_.erase(drafts_.begin(), drafts_.upper_bound(header.epoch));
    log_ = header.log;
    next_log_ = next_root_ = next_snapshot_ = header.epoch + 1;
    root_.clear();
    root_is_begun_ = false;
    key_changes_ = header.key_changes;
    client_keys_ = std::move(keys);
  }

  /// What the App's snapshots have asked for until now.
  const ClientKeys& client_keys() const noexcept { return client_keys_; }
  /// Of how many epochs the App's snapshot is here. After a restart a checkpoint may be stable
  /// before the App has come to it again.
  std::uint64_t snapshots() const noexcept { return next_snapshot_.value; }
  /// How many reconfigurations were not carried out.
  std::uint64_t refused_reconfigurations() const noexcept { return refused_; }

  /// See `Checkpointing::begin`.
  template <class Policy, class Pace>
  void begin(Epoch epoch, SeqNr last, std::vector<Digest> digests,
             std::vector<ClientWindow> windows, const Policy& policy, const Pace& pace,
             const IssConfig& parameters, auto& env) {
    CheckpointState state;
    state.policy = wire::encode(policy);
    state.pace = wire::encode(pace);
    hash(epoch, CheckpointPart::policy,
         policy_content(env.cluster().name().view(), state.policy, state.pace), env);
    hash_common_parts(epoch, parameters, env);
    drafts_.try_emplace(epoch, epoch, last, std::move(digests), std::move(windows),
                        std::move(state));
    if (epoch == next_log_) hash_log(env);
    env.emit(AppSnapshotRequest{last});
  }

  void process(AppSnapshot piece, auto& env) {
    for (auto& [epoch, draft] : drafts_) {
      if (draft.last() != piece.sn) continue;
      draft.snapshot(piece);
      for (AppChunk& chunk : piece.changed)
        hash_chunk({epoch, CheckpointPart::app_state, chunk.index}, std::move(chunk.data), env);
      if (piece.remaining == 0)
        change_keys(epoch, draft, std::move(piece.reconfigurations), env);
    }
    begin_root(env);
  }
  void process(HashResult<ChunkHash> hashed, auto& env) {
    const auto& [epoch, part, index] = hashed.origin;
    const auto found = drafts_.find(epoch);
    if (found == drafts_.end()) return;
    CheckpointDraft& draft = found->second;
    if (part == CheckpointPart::clients) {
      if (draft.clients_chunk(index, hashed.digest)) hash_clients_list(epoch, draft, env);
    } else {
      write(ChunkTable::changed(epoch, index, hashed.digest, draft.app_chunk(index)), env);
      begin_root(env);
    }
  }
  void process(HashResult<TreeHash> hashed, auto& env) {
    if (root_is_begun_ && root_.process(hashed, env)) end_root(env);
  }
  /// Returns the header when its last part is there.
  std::optional<CheckpointHeader> process(HashResult<CheckpointHash> hashed, auto& env) {
    const auto& [epoch, part] = hashed.origin;
    if (part == CheckpointPart::membership) membership_ = hashed.digest;
    if (part == CheckpointPart::parameters) parameters_ = hashed.digest;
    if (part == CheckpointPart::log) extend_log(epoch, hashed.digest, env);
    const auto draft = drafts_.find(epoch);
    if (draft == drafts_.end()) return std::nullopt;
    return draft->second.part(part, hashed.digest);
  }

  /// The state that is being hashed, or was; null when there is none.
  const CheckpointState* state(Epoch epoch) const {
    const auto draft = drafts_.find(epoch);
    return draft == drafts_.end() ? nullptr : &draft->second.state();
  }
  /// The checkpoint of `epoch` is done with.
  void forget(Epoch epoch) { drafts_.erase(epoch); }

  /// The App's chunks, at the ends of these and of earlier epochs.
  ChunkTable& chunks() noexcept { return chunks_; }
  const ChunkTable& chunks() const noexcept { return chunks_; }

 private:
  static void hash(Epoch epoch, CheckpointPart part, Bytes content, auto& env) {
    env.emit(HashRequest<CheckpointHash>{{std::move(content)}, {epoch, part}});
  }
  template <class T>
  static void hash(Epoch epoch, CheckpointPart part, std::string_view domain, const T& value,
                   auto& env) {
    hash(epoch, part, wire::canonical(domain, env.cluster().name().view(), value), env);
  }
  static void hash_common_parts(Epoch epoch, const IssConfig& parameters, auto& env) {
    hash(epoch, CheckpointPart::membership, "members", env.cluster().members(), env);
    hash(epoch, CheckpointPart::parameters, "parameters", parameters, env);
  }

  static void hash_chunk(ChunkHash origin, Bytes chunk, auto& env) {
    env.emit(HashRequest<ChunkHash>{chunk_content(env.cluster().name().view(), std::move(chunk)),
                                    std::move(origin)});
  }
  /// Snapshots come in the order of their epochs, so that all know the changes before these.
  void change_keys(Epoch epoch, CheckpointDraft& draft, std::vector<Reconfiguration> asked,
                   auto& env) {
    KeyChanges changes = key_changes(std::move(asked), env.cluster());
    refused_ += changes.refused;
    key_changes_ += !changes.nodes.empty();
    client_keys_.asked(epoch, changes.clients);
    next_snapshot_ = epoch + 1;
    draft.keys(std::move(changes.nodes), key_changes_, client_keys_.changes());
    hash_clients(epoch, draft, env);
  }
  static void hash_clients(Epoch epoch, const CheckpointDraft& draft, auto& env) {
    const Bytes& data = draft.state().clients.data;
    if (data.empty()) return hash_clients_list(epoch, draft, env);
    for (std::uint64_t index = 0; index < chunks_of(data.size()); ++index)
      hash_chunk({epoch, CheckpointPart::clients, index}, chunk_of(data, index), env);
  }
  static void hash_clients_list(Epoch epoch, const CheckpointDraft& draft, auto& env) {
    hash(epoch, CheckpointPart::clients,
         clients_content(env.cluster().name().view(), list_of(draft.state().clients)), env);
  }

  /// What was written before a restart is not written again.
  void write(ChunkEntry entry, auto& env) {
    if (chunks_.put(entry)) env.emit(written_ahead(std::move(entry)));
  }
  /// Each epoch's root builds on the one before.
  void begin_root(auto& env) {
    const auto found = drafts_.find(next_root_);
    if (found == drafts_.end() || root_is_begun_ || !found->second.app_is_hashed()) return;
    const CheckpointDraft& draft = found->second;
    root_is_begun_ = true;
    if (root_.begin(next_root_, draft.state().app_chunks, draft.changed(), chunks_, env))
      end_root(env);
  }
  void end_root(auto& env) {
    drafts_.find(next_root_)->second.app_length(root_.length());
    hash(next_root_, CheckpointPart::app_state,
         app_content(env.cluster().name().view(), root_.tree()), env);
    ++next_root_;
    root_is_begun_ = false;
    begin_root(env);
  }

  /// Each epoch's hash of the log goes into the next one's, so they are computed one by one, though
  /// several epochs may end at once after a restart.
  void hash_log(auto& env) {
    const auto draft = drafts_.find(next_log_);
    if (draft == drafts_.end()) return;
    hash(next_log_, CheckpointPart::log, "log", LogContent{log_, draft->second.log()}, env);
  }
  void extend_log(Epoch epoch, const Digest& digest, auto& env) {
    if (epoch != next_log_) return;
    log_ = digest;
    ++next_log_;
    hash_log(env);
  }

  std::map<Epoch, CheckpointDraft> drafts_;
  /// Hash of the log before the epoch whose hash is the next one.
  Digest log_;
  Epoch next_log_;
  ChunkTable chunks_;
  AppRoot root_;
  /// Whose root is the next one, and whether it is being computed.
  Epoch next_root_;
  bool root_is_begun_ = false;
  std::optional<Digest> membership_;
  std::optional<Digest> parameters_;
  Epoch next_snapshot_;
  /// Of all epochs whose snapshots are here.
  std::uint64_t key_changes_ = 0;
  ClientKeys client_keys_;
  std::uint64_t refused_ = 0;
};

}  // namespace mirbft::iss

// <mirbft/protocol/iss/checkpoint_proofs.hpp>
// Certificates of stable checkpoints that other replicas send: checked, and the newest one kept.

namespace mirbft::iss {

/// Believes a certificate for its signatures, not for its sender.
class CheckpointProofs {
 public:
  using consumes = events<NodeSigsVerified<ProofChecking>>;
  using emits = events<VerifyNodeSigs<ProofChecking>>;

  /// How many certificates of one sender are checked at a time: as many as a replica keeps.
  static constexpr std::uint32_t checked_at_once = 2;

  /// A certificate of an epoch that is not stable here. `membership` is the hash of the members
  /// that are known here: others' signatures prove nothing. One that is signed by keys of which
  /// nothing is known yet waits to be sent again.
  void receive(Member from, StableCheckpoint proof, const std::optional<Digest>& membership,
               const KeyChain& keys, auto& env) {
    if ((newest_ && newest_->header == proof.header) || !keys.covers(proof.header)) return;
    if (proof.header.membership != membership || !is_quorum(proof, env.cluster()))
      return env.bad(BadMessage::certificate);
    if (checking_[from.id] == checked_at_once) return env.bad(BadMessage::oversized);
    ++checking_[from.id];
    const Bytes message =
        wire::canonical("checkpoint", env.cluster().name().view(), proof.header);
    VerifyNodeSigs<ProofChecking> request;
    request.epoch = proof.header.epoch;
    for (const CheckpointSignature& one : proof.certificate)
      request.signatures.push_back({one.node, message, one.signature});
    request.origin = {from.id, std::move(proof)};
    env.emit(std::move(request));
  }

  /// The certificate that was checked, if it is valid.
  std::optional<StableCheckpoint> checked(NodeSigsVerified<ProofChecking> verified, auto& env) {
    --checking_[verified.origin.from];
    if (!all_valid(verified.verdicts)) {
      env.bad(BadMessage::signature);
      return std::nullopt;
    }
    StableCheckpoint& proof = verified.origin.proof;
    if (!newest_ || newest_->header.epoch < proof.header.epoch) newest_ = proof;
    return std::move(proof);
  }

  /// The valid certificate of the latest epoch.
  const std::optional<StableCheckpoint>& newest() const noexcept { return newest_; }

 private:
  /// Whether a strong quorum is said to have signed: exactly, by ascending id, each a member.
  static bool is_quorum(const StableCheckpoint& proof, const Cluster& cluster) {
    const auto& signers = proof.certificate;
    if (signers.size() != cluster.quorum().strong()) return false;
    for (std::size_t i = 0; i < signers.size(); ++i)
      if (!cluster.find(signers[i].node) || (i > 0 && signers[i - 1].node >= signers[i].node))
        return false;
    return true;
  }

  std::map<NodeId, std::uint32_t> checking_;
  std::optional<StableCheckpoint> newest_;
};

}  // namespace mirbft::iss

// <mirbft/protocol/iss/checkpointing.hpp>
// Checkpoints: made at the end of every epoch, agreed on, and collected behind.

// <mirbft/protocol/iss/checkpoints.hpp>
// Checkpoints on their way to stability: own state, others' votes, certificates.

namespace mirbft::iss {

/// The members' votes for one epoch's checkpoint.
class CheckpointVotes {
 public:
  /// Keeps a member's vote. False when there is another one; the same one may come again.
  bool keep(std::size_t member, CheckpointVote vote, bool trusted, std::size_t members) {
    votes_.resize(members);
    if (votes_[member]) return votes_[member]->vote == vote;
    votes_[member] = Kept{std::move(vote), trusted, false};
    return true;
  }

  /// Has the signatures under `header` checked together, once they could make a quorum and the keys
  /// of its epoch are known.
  void check(const CheckpointHeader& header, const KeyChain& keys, auto& env) {
    if (!keys.covers(header)) return;
    const auto unchecked = to_check(header, env.cluster().quorum().strong());
    if (unchecked.empty()) return;
    const Bytes message = wire::canonical("checkpoint", env.cluster().name().view(), header);
    VerifyNodeSigs<CheckpointChecking> request{header.epoch, {}, {header, {}}};
    for (const std::size_t member : unchecked) {
      const NodeId signer = env.cluster().members()[member];
      request.signatures.push_back({signer, message, signature(member)});
      request.origin.signers.push_back(signer);
    }
    env.emit(std::move(request));
  }
  void checked(const NodeSigsVerified<CheckpointChecking>& verified, auto& env) {
    for (std::size_t i = 0; i < verified.verdicts.size(); ++i) {
      const bool valid = verified.verdicts[i] == SignatureCheck::valid;
      if (!valid) env.bad(BadMessage::signature);
      checked(env.cluster().find(verified.origin.signers[i])->index, valid);
    }
  }

  /// The members whose votes for `header` must be checked, now that they could make a quorum.
  std::vector<std::size_t> to_check(const CheckpointHeader& header, std::size_t quorum) {
    std::vector<std::size_t> unchecked;
    std::size_t matching = 0;
    for (std::size_t i = 0; i < votes_.size(); ++i) {
      if (!votes_[i] || votes_[i]->vote.header != header) continue;
      ++matching;
      if (!votes_[i]->valid && !votes_[i]->checking) unchecked.push_back(i);
    }
    if (matching < quorum) return {};
    for (const std::size_t i : unchecked) votes_[i]->checking = true;
    return unchecked;
  }
  const Bytes& signature(std::size_t member) const { return votes_[member]->vote.signature; }

  void checked(std::size_t member, bool valid) {
    if (valid) {
      votes_[member]->valid = true;
    } else {
      votes_[member].reset();
    }
  }

  /// The header that a strong quorum has validly signed, once there is one. It need not be the own.
  std::optional<StableCheckpoint> certified(const Cluster& cluster) const {
    const std::size_t quorum = cluster.quorum().strong();
    for (const auto& candidate : votes_) {
      if (!candidate || !candidate->valid) continue;
      StableCheckpoint made{candidate->vote.header, {}};
      for (std::size_t i = 0; i < votes_.size() && made.certificate.size() < quorum; ++i)
        if (votes_[i] && votes_[i]->valid && votes_[i]->vote.header == made.header)
          made.certificate.push_back({cluster.members()[i], votes_[i]->vote.signature});
      if (made.certificate.size() == quorum) return made;
    }
    return std::nullopt;
  }

 private:
  struct Kept {
    CheckpointVote vote;
    bool valid = false;
    bool checking = false;
  };

  std::vector<std::optional<Kept>> votes_;
};

/// What is known of one epoch's checkpoint.
struct Checkpoint {
  /// This replica's state and vote, once they are durable. There is no signature under a state
  /// that was fetched.
  std::optional<CheckpointEntry> own;
  CheckpointVotes votes;
  /// That a quorum has signed it: verified, but perhaps not what this replica has.
  std::optional<StableCheckpoint> proof;
};

inline CheckpointVote vote_of(const CheckpointEntry& own) { return {own.header, own.signature}; }
/// What may be forgotten when the epochs up to this one are.
inline Collection collection_of(const CheckpointEntry& own) {
  auto windows = windows_of(own.state);
  for (ClientWindow& window : windows) window.delivered = {};
  return {own.header.last, std::move(windows)};
}

}  // namespace mirbft::iss

// <mirbft/protocol/iss/early_messages.hpp>
// Messages of the next epochs from replicas that are ahead, kept within a bound for each of them.

#include <numeric>

namespace mirbft::iss {

/// So far ahead of the own epoch messages are kept: others may be two epochs ahead before they
/// have a stable checkpoint, and a busy replica may be two behind for a moment.
inline constexpr std::uint64_t epochs_ahead_kept = 4;

/// Messages in the order of their arrival, counted in bytes by sender.
template <class Message>
class EarlyMessages {
 public:
  EarlyMessages(std::size_t members, std::uint64_t bytes_per_peer)
      : bytes_(members), bytes_per_peer_(bytes_per_peer) {}

  /// False when the sender has no room left.
  bool keep(std::size_t member, MessageReceived<Message> message, std::size_t size) {
    if (bytes_[member] + size > bytes_per_peer_) return false;
    bytes_[member] += size;
    messages_.push_back(std::move(message));
    return true;
  }
  std::vector<MessageReceived<Message>> take() {
    bytes_.assign(bytes_.size(), 0);
    return std::exchange(messages_, {});
  }
  std::uint64_t bytes() const noexcept {
    return std::accumulate(bytes_.begin(), bytes_.end(), std::uint64_t{0});
  }

 private:
  std::vector<std::uint64_t> bytes_;
  std::uint64_t bytes_per_peer_;
  std::vector<MessageReceived<Message>> messages_;
};

}  // namespace mirbft::iss

namespace mirbft::iss {

/// The checkpoint of every epoch that is not collected yet (protocol, section 8).
/// `env` is what an orderer gets: see `Pbft`.
class Checkpointing {
 public:
  using consumes =
      joined<events<SignResult<CheckpointSigning>, NodeSigsVerified<CheckpointChecking>,
                    WalEntry<ChunkEntry>, WalEntry<CheckpointEntry>, WalEntry<StableEntry>,
                    WalEntry<InstalledEntry>, WalEntry<KeyEntry>>,
             CheckpointMaker::consumes, CheckpointProofs::consumes>;
  using emits =
      joined<events<SignRequest<CheckpointSigning>, VerifyNodeSigs<CheckpointChecking>,
                    WalAppend<CheckpointEntry>, WalAppend<StableEntry>, WalAppend<KeyEntry>,
                    WalTruncate, CollectRequests, UpdateNodeKeys, ForgetNodeKeys, Halt>,
             CheckpointMaker::emits, CheckpointProofs::emits>;

  /// How many epochs have a stable checkpoint.
  std::uint64_t stable_epochs() const noexcept { return stable_ ? stable_->value + 1 : 0; }
  /// How many epochs are certified to be stable somewhere.
  std::uint64_t proven_epochs() const noexcept {
    const auto& newest = proofs_.newest();
    return std::max(stable_epochs(), newest ? newest->header.epoch.value + 1 : 0);
  }
  /// The first epoch that is not forgotten.
  Epoch first_kept() const noexcept {
    return Epoch(stable_epochs() > epochs_kept ? stable_epochs() - epochs_kept : 0);
  }

  // Keys.

  /// Of how many changes of nodes' keys this replica knows.
  std::uint64_t known_key_changes() const noexcept { return keys_.length(); }
  const ClientKeys& client_keys() const noexcept { return maker_.client_keys(); }
  /// Up to which epoch the keys are known that may be in use.
  Epoch keys_known_below() const noexcept {
    return in_force_from(Epoch(std::min(stable_epochs(), maker_.snapshots())));
  }
  std::uint64_t refused_reconfigurations() const noexcept {
    return maker_.refused_reconfigurations();
  }
  /// Tells Crypto the keys that were changed before a restart. Call it before anything is signed.
  void announce_keys(auto& env) const { keys_.announce(env); }

  // Recovery: entries of the write-ahead log in their order, then `announce_keys`, `restored` and
  // `start`.

  void process(WalEntry<ChunkEntry> read, auto& /*env*/) {
    maker_.chunks().put(std::move(read.entry));
  }
  void process(WalEntry<CheckpointEntry> read, auto& env) {
    CheckpointEntry& entry = read.entry;
    const Cluster& cluster = env.cluster();
    Checkpoint& checkpoint = checkpoints_[entry.header.epoch];
    checkpoint.votes.keep(cluster.self().index, {entry.header, entry.signature}, true,
                          cluster.members().size());
    checkpoint.own = std::move(entry);
  }
  void process(WalEntry<StableEntry> read, auto& /*env*/) {
    StableEntry& entry = read.entry;
    Checkpoint* checkpoint = find(entry.header.epoch);
    if (!checkpoint || !checkpoint->own || checkpoint->own->header != entry.header) return;
    checkpoint->proof = {entry.header, std::move(entry.certificate)};
    go_on_from(*checkpoint->own);
    forget();
  }
  void process(WalEntry<InstalledEntry> read, auto& /*env*/) { adopt(std::move(read.entry)); }
  void process(WalEntry<KeyEntry> read, auto& /*env*/) { keys_.recover(std::move(read.entry)); }

  /// The newest stable checkpoint with its state, if there is one. Throws ModuleFailure.
  std::optional<StableState> restored() const {
    if (!stable_) return std::nullopt;
    const CheckpointEntry& own = *checkpoints_.find(*stable_)->second.own;
    return opened(own.header, own.state, maker_.chunks());
  }

  /// The same, to go on from there. Requires that there is one.
  StableState skip_to_stable() {
    go_on_from(*checkpoints_.find(*stable_)->second.own);
    return *restored();
  }

  /// From here on this replica may speak: what it said of epochs that are not stable yet, it says
  /// again.
  void start(const IssConfig& parameters, auto& env) {
    maker_.start(parameters, env);
    std::vector<Epoch> open;
    for (const auto& [epoch, checkpoint] : checkpoints_)
      if (checkpoint.own && !is_stable(epoch)) open.push_back(epoch);
    for (const Epoch epoch : open) {
      env.emit(env.to_others(vote_of(*checkpoints_[epoch].own)));
      try_to_stabilise(epoch, env);
    }
  }

  // The own checkpoint.

  /// All of `epoch` is delivered: `digests` up to `last`. The other arguments are what else the
  /// header covers; `policy` and `pace` are reflected.
  template <class Policy, class Pace>
  void begin(Epoch epoch, SeqNr last, std::vector<Digest> digests,
             std::vector<ClientWindow> windows, const Policy& policy, const Pace& pace,
             const IssConfig& parameters, auto& env) {
    maker_.begin(epoch, last, std::move(digests), std::move(windows), policy, pace, parameters,
                 env);
  }

  void process(AppSnapshot piece, auto& env) { maker_.process(std::move(piece), env); }
  void process(HashResult<ChunkHash> hashed, auto& env) { maker_.process(std::move(hashed), env); }
  void process(HashResult<TreeHash> hashed, auto& env) { maker_.process(std::move(hashed), env); }
  void process(HashResult<CheckpointHash> hashed, auto& env) {
    if (const auto header = maker_.process(std::move(hashed), env)) made(*header, env);
  }

  void process(SignResult<CheckpointSigning> signed_, auto& env) {
    const CheckpointVote vote{signed_.origin.header, signed_.signature};
    const CheckpointState* state = maker_.state(vote.header.epoch);
    if (!state) return;
    for (ChunkEntry& chunk : maker_.chunks().renew(vote.header.epoch, state->app_chunks))
      env.emit(written_ahead(std::move(chunk)));
    env.emit(WalAppend<CheckpointEntry>{{vote.header, vote.signature, *state},
                                        RetentionIndex(vote.header.epoch.value)})
        .then(env.to_others(vote), env.to_self(vote));
  }

  // What others say.

  /// A vote for a checkpoint, of `current + epochs_ahead_kept` at the latest.
  void receive(Member from, CheckpointVote vote, Epoch current, auto& env) {
    const CheckpointHeader header = vote.header;
    if (is_stable(header.epoch)) return;
    if (header.epoch > current + epochs_ahead_kept) return env.bad(BadMessage::far_epoch);
    Checkpoint& checkpoint = checkpoints_[header.epoch];
    const bool own = from.id == env.cluster().self().id;
    if (own) record(vote);
    if (!checkpoint.votes.keep(from.index, std::move(vote), own, env.cluster().members().size()))
      return env.bad(BadMessage::duplicate);
    checkpoint.votes.check(header, keys_, env);
    if (own) try_to_stabilise(header.epoch, env);
  }

  void process(NodeSigsVerified<CheckpointChecking> verified, auto& env) {
    const CheckpointHeader& header = verified.origin.header;
    Checkpoint* checkpoint = find(header.epoch);
    if (!checkpoint || is_stable(header.epoch)) return;
    checkpoint->votes.checked(verified, env);
    try_to_stabilise(header.epoch, env);
  }

  /// Proof that a checkpoint is stable elsewhere.
  void receive(Member from, StableCheckpoint proof, auto& env) {
    if (is_stable(proof.header.epoch)) return;
    const Checkpoint* checkpoint = find(proof.header.epoch);
    if (checkpoint && checkpoint->proof) return;
    proofs_.receive(from, std::move(proof), maker_.membership(), keys_, env);
  }
  void process(NodeSigsVerified<ProofChecking> verified, auto& env) {
    auto proof = proofs_.checked(std::move(verified), env);
    if (proof && keys_.extend(*proof, env)) check_later(proof->header.epoch, env);
    if (!proof || is_stable(proof->header.epoch)) return;
    const Epoch epoch = proof->header.epoch;
    if (maker_.parameters() && maker_.parameters() != proof->header.parameters)
      return env.halt("this replica's configuration differs from that of the others, who have "
                      "certified the checkpoint of epoch " + std::to_string(epoch.value));
    if (Checkpoint* checkpoint = find(epoch)) checkpoint->proof = std::move(proof);
    try_to_stabilise(epoch, env);
  }

  // Those who lag behind.

  /// Sends a peer what it lacks to have as many stable epochs as this replica: certificates, and
  /// the own votes for what is not stable here either.
  void tell(Member to, std::uint64_t its_stable_epochs, auto& env) const {
    auto known = checkpoints_.lower_bound(Epoch(its_stable_epochs));
    for (; known != checkpoints_.end(); ++known) {
      const auto& [epoch, checkpoint] = *known;
      if (is_stable(epoch)) {
        if (checkpoint.proof) env.emit(env.to(to.id, *checkpoint.proof));
      } else if (checkpoint.own) {
        env.emit(env.to(to.id, vote_of(*checkpoint.own)));
      }
    }
  }

  /// Sends a peer the next change of nodes' keys that it does not know of, if there is one. It says
  /// so again when it has learnt that.
  void tell_keys(Member to, std::uint64_t its_key_changes, auto& env) const {
    if (const StableCheckpoint* link = keys_.after(its_key_changes))
      env.emit(env.to(to.id, *link));
  }

  /// The state of a stable checkpoint, for those who ask for it; null if it is not kept.
  const CheckpointState* stable_state(Epoch epoch) const {
    const auto found = checkpoints_.find(epoch);
    const bool kept = found != checkpoints_.end() && is_stable(epoch) && found->second.own &&
                      found->second.proof;
    return kept ? &found->second.own->state : nullptr;
  }

  /// The App's chunks, at the ends of all epochs whose states are kept.
  const ChunkTable& chunks() const noexcept { return maker_.chunks(); }

  /// The newest stable checkpoint of others, if it is of `epoch` or later and not stable here.
  const StableCheckpoint* proven_from(Epoch epoch) const {
    const auto& newest = proofs_.newest();
    if (!newest || newest->header.epoch < epoch || is_stable(newest->header.epoch)) return nullptr;
    return &*newest;
  }

  /// A state that was fetched is durable. Returns what to go on from; nothing if this replica got
  /// as far by itself. Throws ModuleFailure.
  std::optional<StableState> install(FetchedState fetched, auto& env) {
    const Epoch epoch = fetched.entry.header.epoch;
    const Checkpoint* known = find(epoch);
    if (is_stable(epoch) || maker_.state(epoch) || (known && known->own)) return std::nullopt;
    for (ChunkEntry& chunk : fetched.chunks) maker_.chunks().put(std::move(chunk));
    adopt(std::move(fetched.entry));
    env.emit(CollectRequests{collection_of(*checkpoints_[*stable_].own)});
    env.emit(WalTruncate{RetentionIndex(first_kept().value)});
    return restored();
  }

 private:
  bool is_stable(Epoch epoch) const noexcept { return stable_ && epoch <= *stable_; }
  Checkpoint* find(Epoch epoch) {
    const auto found = checkpoints_.find(epoch);
    return found == checkpoints_.end() ? nullptr : &found->second;
  }

  /// The own header is there. Before a restart it must have been the same.
  void made(const CheckpointHeader& header, auto& env) {
    const Checkpoint* before = find(header.epoch);
    if (!before || !before->own) {
      Bytes message = wire::canonical("checkpoint", env.cluster().name().view(), header);
      env.emit(SignRequest<CheckpointSigning>{header.epoch, std::move(message), {header}});
    } else if (before->own->header != header) {
      env.halt("this replica has diverged: at the end of epoch " +
               std::to_string(header.epoch.value) +
               " it has another state than before it was restarted");
    } else {
      maker_.forget(header.epoch);
    }
  }
  /// The own vote has been written ahead, with the state.
  void record(const CheckpointVote& vote) {
    const Epoch epoch = vote.header.epoch;
    const CheckpointState* state = maker_.state(epoch);
    if (!state) return;
    checkpoints_[epoch].own = CheckpointEntry{vote.header, vote.signature, *state};
    maker_.forget(epoch);
  }

  // Stability.

  /// Stable is what a quorum has signed and this replica has durably. A certified header that
  /// differs from the own one means that states have diverged: going on would only spread the
  /// damage.
  void try_to_stabilise(Epoch epoch, auto& env) {
    Checkpoint* checkpoint = find(epoch);
    if (!checkpoint || !checkpoint->own || is_stable(epoch)) return;
    if (!keys_.covers(checkpoint->own->header)) return;
    const auto& newest = proofs_.newest();
    if (!checkpoint->proof)
      checkpoint->proof = newest && newest->header.epoch == epoch
                              ? newest
                              : checkpoint->votes.certified(env.cluster());
    if (!checkpoint->proof) return;
    if (checkpoint->own->header != checkpoint->proof->header)
      return env.halt("this replica has diverged: at the end of epoch " +
                      std::to_string(epoch.value) +
                      " a quorum certifies another state than the own one");
    stable_ = epoch;
    const bool changes_keys = keys_.extend(*checkpoint->proof, env);
    collect(env.emit(WalAppend<StableEntry>{
        {checkpoint->proof->header, checkpoint->proof->certificate},
        RetentionIndex(epoch.value)}));
    if (changes_keys) check_later(epoch, env);
  }
  /// Votes of later epochs may wait for the keys of this one.
  void check_later(Epoch epoch, auto& env) {
    std::vector<Epoch> later;
    for (auto at = checkpoints_.upper_bound(epoch); at != checkpoints_.end(); ++at)
      if (at->second.own) later.push_back(at->first);
    for (const Epoch one : later) {
      // One that is stable may have ended others.
      Checkpoint* checkpoint = find(one);
      if (!checkpoint) continue;
      checkpoint->votes.check(checkpoint->own->header, keys_, env);
      try_to_stabilise(one, env);
    }
  }

  /// Forgets what lies before `first_kept`, once the stable checkpoint is durable. That and its
  /// state have the retention index of their epoch, so they stay until there are two newer ones.
  void collect(auto stable) {
    if (first_kept() == Epoch(0)) return;
    const WalTruncate truncate{RetentionIndex(first_kept().value)};
    if (keys_.length() != 0) stable.then(ForgetNodeKeys{first_kept()});
    const Checkpoint* last = find(Epoch(first_kept().value - 1));
    if (last && last->own) {
      stable.then(CollectRequests{collection_of(*last->own)}, truncate);
    } else {
      stable.then(truncate);
    }
    forget();
  }
  void forget() {
    checkpoints_.erase(checkpoints_.begin(), checkpoints_.lower_bound(first_kept()));
    const auto oldest = std::find_if(checkpoints_.begin(), checkpoints_.end(),
                                     [](const auto& one) { return one.second.own.has_value(); });
    if (oldest != checkpoints_.end())
      maker_.chunks().forget_before(oldest->first, oldest->second.own->state.app_chunks);
  }

  void go_on_from(const CheckpointEntry& own) {
    stable_ = own.header.epoch;
    maker_.go_on_from(own.header, ClientKeys(clients_of(own.state).keys));
  }
  /// A fetched state takes the place of an own one, without an own vote.
  void adopt(InstalledEntry installed) {
    const CheckpointHeader header = installed.header;
    checkpoints_.erase(checkpoints_.begin(), checkpoints_.upper_bound(header.epoch));
    Checkpoint& checkpoint = checkpoints_[header.epoch];
    checkpoint.own = CheckpointEntry{header, {}, std::move(installed.state)};
    checkpoint.proof = {header, std::move(installed.certificate)};
    go_on_from(*checkpoint.own);
    forget();
  }

  std::map<Epoch, Checkpoint> checkpoints_;
  std::optional<Epoch> stable_;
  CheckpointMaker maker_;
  CheckpointProofs proofs_;
  KeyChain keys_;
};

}  // namespace mirbft::iss

// <mirbft/protocol/iss/epoch_state.hpp>
// One epoch at one replica: its segments, what they decided, and who else is done.

namespace mirbft::iss {

/// A decided slot.
struct Decision {
  Digest digest;
  Batch batch;
};

/// `Segment` is the orderer's.
template <class Segment>
class EpochState {
 public:
  EpochState(EpochPlan plan, std::size_t members)
      : plan_(std::move(plan)),
        decisions_(plan_.length()),
        open_(plan_.segments(), plan_.segment_length()),
        first_open_(plan_.segments()),
        members_(members),
        said_(plan_.segments()),
        done_(plan_.segments(), std::vector<bool>(members)) {
    segments_.reserve(plan_.segments());
    for (std::uint32_t index = 0; index < plan_.segments(); ++index)
      segments_.emplace_back(plan_, index, members);
  }

  const EpochPlan& plan() const noexcept { return plan_; }
  bool has(std::uint32_t segment) const noexcept { return segment < segments_.size(); }
  Segment& segment(std::uint32_t index) { return segments_[index]; }
  const Segment& segment(std::uint32_t index) const { return segments_[index]; }

  /// Notes a decision. Returns whether its segment is complete by that.
  bool decide(std::uint32_t segment, std::uint32_t slot, const Digest& digest, Batch batch) {
    auto& decision = at(segment, slot);
    if (decision) return false;
    decision = Decision{digest, std::move(batch)};
    return --open_[segment] == 0;
  }
  const std::optional<Decision>& decision(SeqNr sn) const { return decisions_[sn - plan_.first()]; }
  std::optional<Decision>& at(std::uint32_t segment, std::uint32_t slot) {
    return decisions_[segment + std::size_t{slot} * plan_.segments()];
  }
  bool is_complete(std::uint32_t segment) const noexcept { return open_[segment] == 0; }
  /// The first sequence number of a segment that is not decided; the epoch's end if all are.
  SeqNr first_open(std::uint32_t segment) {
    std::uint32_t& slot = first_open_[segment];
    while (slot < plan_.segment_length() && at(segment, slot)) ++slot;
    return slot < plan_.segment_length() ? plan_.sn_of(segment, slot) : plan_.end();
  }
  /// How many leaders have lost a slot.
  std::size_t suspected() {
    std::size_t count = 0;
    for (std::uint32_t segment = 0; segment < plan_.segments(); ++segment)
      count += std::ranges::any_of(digests(segment), [](auto& one) { return one == nil_digest; });
    return count;
  }

  std::vector<Digest> digests(std::uint32_t segment) {
    std::vector<Digest> all;
    for (std::uint32_t slot = 0; slot < plan_.segment_length(); ++slot)
      all.push_back(at(segment, slot)->digest);
    return all;
  }
  std::vector<Digest> digests() const {
    std::vector<Digest> all;
    all.reserve(decisions_.size());
    for (const auto& decision : decisions_) all.push_back(decision->digest);
    return all;
  }

  // What members say that they have decided.

  /// A member says so of one slot. False when it has said otherwise before.
  bool said(std::size_t member, std::uint32_t segment, std::uint32_t slot, const Digest& digest) {
    auto& all = said_[segment];
    if (all.empty()) all.resize(members_);
    if (all[member].empty()) all[member].resize(plan_.segment_length());
    auto& known = all[member][slot];
    if (!known) known = digest;
    return known == digest;
  }
  /// The members that have said anything of a segment.
  std::vector<std::size_t> speakers(std::uint32_t segment) const {
    std::vector<std::size_t> found;
    for (std::size_t member = 0; member < said_[segment].size(); ++member)
      if (!said_[segment][member].empty()) found.push_back(member);
    return found;
  }
  /// The digest that a weak quorum has decided for a slot, if one says so.
  std::optional<Digest> vouched(std::uint32_t segment, std::uint32_t slot, Quorum quorum) const {
    const auto& all = said_[segment];
    for (std::size_t member = 0; member < all.size(); ++member) {
      if (all[member].empty() || !all[member][slot]) continue;
      std::size_t same = 0;
      for (const auto& other : all) same += !other.empty() && other[slot] == all[member][slot];
      if (same >= quorum.weak()) return all[member][slot];
    }
    return std::nullopt;
  }
  /// A member has all of a segment durably.
  void done(std::size_t member, std::uint32_t segment) { done_[segment][member] = true; }
  bool is_done(std::size_t member, std::uint32_t segment) const {
    return done_[segment][member];
  }
  /// How many members have that, and have decided it as this replica has.
  std::size_t agreeing(std::uint32_t segment) {
    std::size_t count = 0;
    for (std::size_t member = 0; member < said_[segment].size(); ++member) {
      const auto& one = said_[segment][member];
      bool same = done_[segment][member];
      for (std::uint32_t slot = 0; same && slot < plan_.segment_length(); ++slot)
        same = one[slot] == at(segment, slot)->digest;
      count += same;
    }
    return count;
  }

 private:
  EpochPlan plan_;
  std::vector<Segment> segments_;
  std::vector<std::optional<Decision>> decisions_;
  /// Undecided slots by segment.
  std::vector<std::uint32_t> open_;
  /// No slot of a segment before this one is open.
  std::vector<std::uint32_t> first_open_;
  std::size_t members_;
  /// By segment, member and slot; empty where nobody has said anything.
  std::vector<std::vector<std::vector<std::optional<Digest>>>> said_;
  /// By segment and member.
  std::vector<std::vector<bool>> done_;
};

}  // namespace mirbft::iss

// <mirbft/protocol/iss/laggard.hpp>
// Catching up with those who are done: batches that this replica missed, vouched for by others.

// <mirbft/protocol/iss/waiting_batches.hpp>
// Batches that wait for the bodies of their requests.

namespace mirbft::iss {

/// By sequence number: proposals and adopted batches some of whose bodies are not here yet.
class WaitingBatches {
 public:
  struct Waiting {
    BatchHash batch;
    std::size_t missing = 0;
    /// When it began to wait, or was last asked for.
    std::chrono::nanoseconds since{};
    /// How often it was asked for: each time of another replica.
    std::size_t asked = 0;
  };

  bool empty() const noexcept { return waiting_.empty(); }
  std::size_t size() const noexcept { return waiting_.size(); }
  /// Whether a batch that others have committed waits for `sn`; a mere proposal may be a phantom.
  bool adopts(SeqNr sn) const {
    const auto found = waiting_.find(sn);
    return found != waiting_.end() && found->second.batch.use == BatchUse::adopt;
  }
  bool wants(const RequestRef& reference) const {
    return !missing_.empty() && missing_.contains(reference);
  }
  /// Whether any body is wanted under this number.
  bool wants(ClientId client, ReqNo req_no) const {
    const auto first = missing_.lower_bound({client, req_no, Digest{}});
    return first != missing_.end() && first->first.client == client &&
           first->first.req_no == req_no;
  }

  /// Takes the place of what waited for `sn` before.
  void add(SeqNr sn, BatchHash batch, const std::vector<RequestRef>& missing,
           std::chrono::nanoseconds now) {
    forget(waiting_.find(sn));
    for (const RequestRef& reference : missing) missing_.emplace(reference, sn);
    waiting_.emplace(sn, Waiting{std::move(batch), missing.size(), now, 0});
  }

  /// A body has come. Returns the batches that are complete by that.
  std::vector<BatchHash> body_came(const RequestRef& reference) {
    std::vector<BatchHash> complete;
    const auto [begin, end] = missing_.equal_range(reference);
    for (auto entry = begin; entry != end; ++entry) {
      const auto waiting = waiting_.find(entry->second);
      if (--waiting->second.missing != 0) continue;
      complete.push_back(std::move(waiting->second.batch));
      waiting_.erase(waiting);
    }
    missing_.erase(begin, end);
    return complete;
  }

  /// Calls `ask(waiting)` for each batch that has waited for longer than `patience`.
  template <class Ask>
  void ask_again(std::chrono::nanoseconds now, std::chrono::nanoseconds patience, Ask&& ask) {
    for (auto& [sn, waiting] : waiting_) {
      if (now - waiting.since < patience) continue;
      waiting.since = now;
      ++waiting.asked;
      ask(waiting);
    }
  }

  /// Forgets what lies before `sn`: it was delivered otherwise.
  void forget_before(SeqNr sn) {
    while (!waiting_.empty() && waiting_.begin()->first < sn) forget(waiting_.begin());
  }

 private:
  using Batches = std::map<SeqNr, Waiting>;

  void forget(Batches::iterator waiting) {
    if (waiting == waiting_.end()) return;
    for (const RequestRef& reference : *waiting->second.batch.batch) {
      const auto [begin, end] = missing_.equal_range(reference);
      for (auto entry = begin; entry != end;)
        entry = entry->second == waiting->first ? missing_.erase(entry) : std::next(entry);
    }
    waiting_.erase(waiting);
  }

  Batches waiting_;
  /// Which sequence numbers wait for a body.
  std::multimap<RequestRef, SeqNr> missing_;
};

}  // namespace mirbft::iss

namespace mirbft::iss {

/// The second rung of the ladder (protocol, section 8): `Done` vectors and fetched batches.
class Laggard {
 public:
  static constexpr std::size_t asked_at_once = 16;

  explicit Laggard(std::size_t members) : allowance_(members) {}

  /// From time to time: peers may ask again.
  void refill() { allowance_.refill(); }

  /// Asks for the batches of slots that a weak quorum has decided and this replica has not, and for
  /// those of which the orderer knows no more than the digest; not at once, since most of them are
  /// on their way, and each time another replica.
  template <class Epochs>
  void ask(Epochs& epoch, const WaitingBatches& waiting, std::chrono::nanoseconds now,
           std::chrono::nanoseconds patience, auto& env) {
    if (now - asked_ < patience || env.cluster().others().empty()) return;
    asked_ = now;
    const EpochPlan& plan = epoch.plan();
    for (std::uint32_t segment = 0; segment < plan.segments(); ++segment) {
      if (epoch.is_complete(segment)) continue;
      BatchesWanted wanted{{plan.epoch(), segment}, {}};
      for (std::uint32_t slot = 0; slot < plan.segment_length(); ++slot)
        if (wanted.slots.size() < asked_at_once && !waiting.adopts(plan.sn_of(segment, slot)) &&
            expected(epoch, segment, slot, env.cluster().quorum()))
          wanted.slots.push_back(slot);
      if (wanted.slots.empty()) continue;
      // Who says that it has decided must have the batch, but may be down.
      const auto speakers = epoch.speakers(segment);
      const NodeId whom = speakers.empty() || turn_ % 2 == 1
                              ? in_turn(env.cluster().others())
                              : env.cluster().members()[in_turn(speakers)];
      env.emit(env.to(whom, std::move(wanted)));
    }
  }

  /// Another replica asks.
  template <class Epochs>
  void answer(Member from, const BatchesWanted& wanted, Epochs& epoch, auto& env) {
    if (wanted.slots.size() > asked_at_once || !is_ascending(wanted.slots) ||
        allowance_.is_spent(from))
      return env.bad(BadMessage::oversized);
    for (const std::uint32_t slot : wanted.slots) {
      if (slot >= epoch.plan().segment_length()) return env.bad(BadMessage::oversized);
      const auto& decision = epoch.at(wanted.segment.index, slot);
      const auto batch = decision ? std::optional(decision->batch)
                                  : epoch.segment(wanted.segment.index).batch_of(slot);
      if (!batch) continue;
      BatchSupplied supplied{wanted.segment, slot, *batch};
      allowance_.spend(from, wire::encoded_size(supplied));
      env.emit(env.to(from.id, std::move(supplied)));
    }
  }

  /// The digest that a weak quorum vouches for, of a slot that is not decided here; or else the one
  /// of which the orderer wants the batch.
  template <class Epochs>
  static std::optional<Digest> expected(Epochs& epoch, std::uint32_t segment, std::uint32_t slot,
                                       Quorum quorum) {
    if (slot >= epoch.plan().segment_length() || epoch.at(segment, slot)) return std::nullopt;
    const auto vouched = epoch.vouched(segment, slot, quorum);
    return vouched ? vouched : epoch.segment(segment).wanted(slot);
  }

 private:
  template <class T>
  const T& in_turn(const std::vector<T>& list) {
    return list[turn_++ % list.size()];
  }

  Allowance allowance_;
  std::chrono::nanoseconds asked_{};
  std::size_t turn_ = 0;
};

}  // namespace mirbft::iss

// <mirbft/protocol/iss/leader_policies.hpp>
// Who leads an epoch: pure functions of the delivered log.

namespace mirbft {

// A leader policy is a value type, reflected (its state is part of the checkpoint), with
//   leaders(epoch, members, quorum) const  the leaders of an epoch, sorted, at least one;
//   delivered(sn, leader, outcome)         what became of a leader's sequence number; called for
//                                          each, in ascending order;
//   epoch_ended(epoch, leaders)            all of an epoch, which these led, is delivered; called
//                                          before the epoch's checkpoint is made.
// Anything else that it depends on would let replicas disagree on who leads.

/// Whether a sequence number delivered a batch, or nothing because its leader was given up on.
enum class SlotOutcome : std::uint8_t { batch, nil };

/// Every member leads (ISS, section 3.4, SIMPLE).
struct Simple {
  std::vector<NodeId> leaders(Epoch, const std::vector<NodeId>& members, Quorum) const {
    return members;
  }
  void delivered(SeqNr, NodeId, SlotOutcome) noexcept {}
  void epoch_ended(Epoch, const std::vector<NodeId>&) noexcept {}
};

/// One member leads everything: plain PBFT. `leader` is its place among the sorted members.
struct Fixed {
  std::uint32_t leader = 0;

  std::vector<NodeId> leaders(Epoch, const std::vector<NodeId>& members, Quorum) const {
    return {members[leader % members.size()]};
  }
  void delivered(SeqNr, NodeId, SlotOutcome) noexcept {}
  void epoch_ended(Epoch, const std::vector<NodeId>&) noexcept {}
};

/// All lead but the f whose last nil is the most recent (ISS, section 3.4, BLACKLIST). Who fails
/// stays out until others fail later; a correct member that was suspected wrongly comes back then.
struct Blacklist {
  /// Every member that ever had a nil, once, by its last one. Sequence numbers are delivered in
  /// order, so the newest stands last, and none need be kept.
  std::vector<NodeId> suspects;

  std::vector<NodeId> leaders(Epoch, const std::vector<NodeId>& members, Quorum quorum) const {
    std::vector<NodeId> leading = members;
    for (auto suspect = suspects.rbegin();
         suspect != suspects.rend() && members.size() - leading.size() < quorum.faulty(); ++suspect)
      std::erase(leading, *suspect);
    return leading;
  }
  void delivered(SeqNr, NodeId leader, SlotOutcome outcome) {
    if (outcome != SlotOutcome::nil || (!suspects.empty() && suspects.back() == leader)) return;
    std::erase(suspects, leader);
    suspects.push_back(leader);
  }
  void epoch_ended(Epoch, const std::vector<NodeId>&) noexcept {}
};

/// What `Backoff` remembers of a member that has failed.
struct Ban {
  NodeId member;
  /// How many epochs the next ban lasts.
  std::uint64_t length = 0;
  /// The first epoch that it may lead again.
  Epoch until;
};

/// Who has a nil is banned for some epochs, each time for twice as many, and for one fewer with
/// each epoch that it leads without one (ISS, section 3.4, BACKOFF). At least f+1 lead, so that one
/// of them is correct: the bans that end first are lifted for that.
struct Backoff {
  /// Epochs of the first ban, and of the longest.
  std::uint64_t first_ban = 2;
  std::uint64_t longest_ban = 1024;
  /// By ascending member.
  std::vector<Ban> bans;
  /// Who had a nil in the current epoch, ascending.
  std::vector<NodeId> failed;

  std::vector<NodeId> leaders(Epoch epoch, const std::vector<NodeId>& members,
                              Quorum quorum) const {
    std::vector<NodeId> leading;
    std::vector<std::pair<Epoch, NodeId>> banned;
    for (const NodeId member : members) {
      const auto ban = place(member);
      if (is_at(ban, member) && epoch < ban->until) {
        banned.emplace_back(ban->until, member);
      } else {
        leading.push_back(member);
      }
    }
    std::sort(banned.begin(), banned.end());
    for (auto next = banned.begin(); leading.size() < quorum.faulty() + 1; ++next)
      leading.push_back(next->second);
    std::sort(leading.begin(), leading.end());
    return leading;
  }
  void delivered(SeqNr, NodeId leader, SlotOutcome outcome) {
    if (outcome != SlotOutcome::nil) return;
    const auto at = std::lower_bound(failed.begin(), failed.end(), leader);
    if (at == failed.end() || *at != leader) failed.insert(at, leader);
  }
  void epoch_ended(Epoch epoch, const std::vector<NodeId>& leaders) {
    for (const NodeId leader : leaders) {
      if (std::binary_search(failed.begin(), failed.end(), leader)) {
        ban(leader, epoch);
      } else {
        relent(leader);
      }
    }
    failed.clear();
  }

 private:
  std::vector<Ban>::const_iterator place(NodeId member) const {
    return std::lower_bound(bans.begin(), bans.end(), member,
                            [](const Ban& ban, NodeId wanted) { return ban.member < wanted; });
  }
  bool is_at(std::vector<Ban>::const_iterator ban, NodeId member) const {
    return ban != bans.end() && ban->member == member;
  }
  Ban* find(NodeId member) {
    const auto ban = place(member);
    return is_at(ban, member) ? &bans[static_cast<std::size_t>(ban - bans.begin())] : nullptr;
  }

  void ban(NodeId member, Epoch epoch) {
    Ban* known = find(member);
    if (!known) known = &*bans.insert(place(member), {member, first_ban, {}});
    known->until = epoch + 1 + known->length;
    known->length = std::min(2 * known->length, longest_ban);
  }
  void relent(NodeId member) {
    Ban* known = find(member);
    if (!known) return;
    if (known->length > first_ban) --known->length;
    if (known->length <= first_ban) bans.erase(place(member));
  }
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::Simple);
BOOST_HANA_ADAPT_STRUCT(mirbft::Fixed, leader);
BOOST_HANA_ADAPT_STRUCT(mirbft::Blacklist, suspects);
BOOST_HANA_ADAPT_STRUCT(mirbft::Ban, member, length, until);
BOOST_HANA_ADAPT_STRUCT(mirbft::Backoff, first_ban, longest_ban, bans, failed);

// <mirbft/protocol/iss/own_batches.hpp>
// What this replica has proposed in the current epoch, until it is delivered.

namespace mirbft::iss {

/// The cutter takes requests out of their buckets. Those of a batch that is given up on, since its
/// slot was decided as nil, must get back into them, or nobody here would ever propose them again.
class OwnBatches {
 public:
  /// This replica proposes `batch` for `sn`, or has done so before a restart.
  void proposed(SeqNr sn, Batch batch) { open_.insert_or_assign(sn, std::move(batch)); }

  /// `sn` delivers this; nil is empty.
  void delivered(SeqNr sn, const Batch& batch) {
    const auto own = open_.find(sn);
    if (own != open_.end() && own->second == batch) open_.erase(own);
  }

  /// Batches that are neither delivered nor put back.
  std::size_t size() const noexcept { return open_.size(); }

  /// The end of the epoch: puts the requests of lost batches back at the head of their buckets, in
  /// the order in which they stood there, but for those that were delivered otherwise. Not before
  /// that: within the epoch their numbers stay claimed, so that nobody may propose them. Call
  /// before `Buckets::begin_epoch`.
  void put_back(Buckets& buckets, Clients& clients) {
    for (auto batch = open_.rbegin(); batch != open_.rend(); ++batch) {
      const auto& requests = *batch->second;
      for (auto request = requests.rbegin(); request != requests.rend(); ++request) {
        const auto size = clients.ready_size(*request);
        if (size && !clients.is_delivered(request->client, request->req_no))
          buckets.put_back(*request, *size);
      }
    }
    open_.clear();
  }

 private:
  std::map<SeqNr, Batch> open_;
};

}  // namespace mirbft::iss

// <mirbft/protocol/iss/pace.hpp>
// How long a leader may take: a time-out that follows the delivered log, and what derives from it.

namespace mirbft::iss {

/// T_e (protocol, section 6). Part of the checkpoint: every epoch starts at view 0 again, so that
/// patience that was learnt in one epoch would be lost if it were kept by segment.
struct Pace {
  /// Clean epochs in a row after which the time-out is halved.
  static constexpr std::uint32_t clean_epochs_needed = 8;

  /// T_e of the current epoch. Starts as `IssConfig::base_timeout`.
  std::chrono::nanoseconds timeout{};
  /// How many epochs in a row have been without nil.
  std::uint32_t clean_epochs = 0;

  friend bool operator==(const Pace&, const Pace&) = default;

  /// The end of an epoch in which `suspected` leaders had at least one nil. More than f of them
  /// cannot all have been faulty: some correct one had too little time. Up to f may have been, and
  /// change nothing. `base` is T_0.
  constexpr void epoch_ended(std::size_t suspected, Quorum quorum, std::chrono::nanoseconds base) {
    clean_epochs = suspected == 0 ? clean_epochs + 1 : 0;
    if (suspected > quorum.faulty()) timeout = std::min(2 * timeout, longest_timeout);
    if (clean_epochs < clean_epochs_needed) return;
    clean_epochs = 0;
    timeout = std::max(timeout / 2, base);
  }
};

/// How long a segment may stand still in a view before its primary is given up on. Doubles with
/// every second view: some of the primaries in a row may be faulty, and patience that is learnt
/// while the network is cut is waited for once it is not.
constexpr std::chrono::nanoseconds view_timeout(std::chrono::nanoseconds timeout, View view) {
  constexpr std::uint64_t most_doublings = 12;
  return timeout * (std::int64_t{1} << std::min(view.value / 2, most_doublings));
}

/// How long a whole segment of `length` slots may take in view 0: a leader that always makes a
/// little progress must not hold up an epoch for ever.
constexpr std::chrono::nanoseconds segment_timeout(std::chrono::nanoseconds timeout,
                                                   std::uint32_t length,
                                                   std::chrono::nanoseconds slot_time) {
  return 4 * timeout + 2 * std::int64_t{length} * slot_time;
}

/// How long to wait for an answer before what was said is said again.
constexpr std::chrono::nanoseconds resend_interval(std::chrono::nanoseconds timeout) {
  return timeout / 2;
}

}  // namespace mirbft::iss

BOOST_HANA_ADAPT_STRUCT(mirbft::iss::Pace, timeout, clean_epochs);

// <mirbft/protocol/iss/proposer.hpp>
// When a leader fills its next slot.

namespace mirbft::iss {

/// This replica's own segment of the current epoch, if it leads one.
///
/// An adaptive leader lets a batch grow to what arrives during one commit: the rate of requests
/// times the time that a commit takes. Both are measured as one, by counting what arrives while a
/// slot is in flight, since ticks are coarser than a commit. With few requests that is less than
/// one of them, and each leaves at once. A batch that is still smaller when nothing is in flight
/// and time goes on shows that the load has fallen, and waits no longer.
class Proposer {
 public:
  void begin_epoch(const EpochPlan& plan, NodeId self) {
    own_.reset();
    for (std::uint32_t segment = 0; segment < plan.segments(); ++segment)
      if (plan.leader(segment) == self) own_ = segment;
    next_ = in_flight_ = 0;
    arrived_before_.assign(plan.segment_length(), std::nullopt);
    highest_ = plan.first();
  }

  const std::optional<std::uint32_t>& own_segment() const noexcept { return own_; }
  bool leads(std::uint32_t segment) const noexcept { return own_ == segment; }
  std::uint64_t proposed() const noexcept { return proposed_; }

  /// Somebody has proposed for `sn`; leaders that are behind propose then too, if need be nothing,
  /// so that it can be delivered. Who has used the last slot of a segment needs the next epoch, and
  /// so the end of this one. Returns whether that is news.
  bool saw(SeqNr sn, const EpochPlan& plan) noexcept {
    if (plan.slot_of(sn) + 1 == plan.segment_length()) sn = plan.end();
    if (sn <= highest_) return false;
    highest_ = sn;
    return true;
  }

  /// Somebody has delivered everything before `next`.
  void reached(SeqNr next) noexcept { highest_ = std::max(highest_, next); }

  /// The slot that is to be filled now: a batch is full, has waited long enough or need not wait,
  /// or other leaders are ahead.
  std::optional<std::uint32_t> due(const EpochPlan& plan, const Buckets& buckets,
                                   const IssConfig& config, std::chrono::nanoseconds now) const {
    if (!own_ || next_ >= plan.segment_length() || in_flight_ >= config.pipeline)
      return std::nullopt;
    const bool any = buckets.own_requests() != 0;
    const bool full = buckets.own_requests() >= config.max_batch_requests ||
                      buckets.own_bytes() >= config.max_batch_bytes;
    const bool waited = now - last_ >= config.batch_delay;
    const bool enough = 4 * buckets.own_requests() >= arrivals_x4_ ||
                        (in_flight_ == 0 && now != decided_at_);
    const bool adaptive = config.batching == Batching::adaptive;
    const bool pulled = plan.sn_of(*own_, next_) < highest_ &&
                        (waited || config.pull_along == PullAlong::at_once);
    return full || (any && (waited || (adaptive && enough))) || pulled ? std::optional(next_)
                                                                       : std::nullopt;
  }
  /// The slot that was due is proposed for, with so many requests, which have left the buckets.
  void propose(std::size_t requests, const Buckets& buckets, std::chrono::nanoseconds now) {
    taken_ += requests;
    arrived_before_[next_] = arrived(buckets);
    ++next_;
    ++in_flight_;
    ++proposed_;
    last_ = now;
  }
  /// The slot that was due needs no proposal: this replica has made one before it was restarted.
  void skip() noexcept { ++next_; }
  /// One of the own slots is decided, perhaps without having been proposed for since a restart.
  void decided(std::uint32_t slot, const Buckets& buckets, std::chrono::nanoseconds now) {
    const auto before = std::exchange(arrived_before_[slot], std::nullopt);
    if (!before) return;
    --in_flight_;
    decided_at_ = now;
    // What is delivered from another replica's memory leaves the buckets without being taken.
    const std::uint64_t meanwhile = std::max(arrived(buckets), *before) - *before;
    arrivals_x4_ += meanwhile - arrivals_x4_ / 4;
  }

  /// Whoever leads this sequence number is expected to propose for it.
  bool is_pulled(SeqNr sn) const noexcept { return sn < highest_; }

 private:
  /// How many requests have come into the own buckets: only differences within an epoch count.
  std::uint64_t arrived(const Buckets& buckets) const noexcept {
    return taken_ + buckets.own_requests();
  }

  std::optional<std::uint32_t> own_;
  std::uint32_t next_ = 0;
  std::uint32_t in_flight_ = 0;
  /// For each slot that is in flight what had arrived when it was proposed for.
  std::vector<std::optional<std::uint64_t>> arrived_before_;
  std::uint64_t taken_ = 0;
  /// Four times the running mean of what arrives during a commit; each commit counts a quarter.
  std::uint64_t arrivals_x4_ = 0;
  std::chrono::nanoseconds decided_at_{};
  SeqNr highest_;
  std::chrono::nanoseconds last_{};
  std::uint64_t proposed_ = 0;
};

}  // namespace mirbft::iss

// <mirbft/protocol/iss/reminders.hpp>
// What is lost on the way is asked for and said again.

namespace mirbft::iss {

/// The first rung of the ladder (protocol, section 8): a replica that stands still says what it
/// lacks, and every other one repeats what it has said of that itself. So no message needs an
/// acknowledgement of its own.
class Reminders {
 public:
  /// Slots in one question.
  static constexpr std::size_t asked_at_once = 256;

  explicit Reminders(std::size_t members) : allowance_(members) {}

  /// At every Tick: tells where this replica stands, and asks for what it lacks, once an interval.
  template <class Epochs>
  void remind(Epochs& epoch, const Progress& own, auto& env) {
    if (env.now() - last_ < env.resend_after()) return;
    last_ = env.now();
    allowance_.refill();
    if (env.cluster().others().empty()) return;
    env.emit(env.to_others(own));
    for (std::uint32_t segment = 0; segment < epoch.plan().segments(); ++segment)
      if (epoch.segment(segment).idle_for(env.now()) >= env.resend_after())
        ask(epoch, segment, env);
  }

  /// A peer asks for what this replica has said.
  template <class Epochs>
  void answer(Member from, const SlotsWanted& wanted, Epochs& epoch, auto& env) {
    const std::uint32_t index = wanted.segment.index;
    if (wanted.slots.size() > asked_at_once || !is_ascending(wanted.slots) ||
        (!wanted.slots.empty() && wanted.slots.back() >= epoch.plan().segment_length()))
      return env.bad(BadMessage::oversized);
    if (allowance_.is_spent(from)) return;
    const auto send = [&](auto message) {
      allowance_.spend(from, wire::encoded_size(message));
      env.emit(env.to(from.id, std::move(message)));
    };
    const bool done = epoch.is_done(env.cluster().self().index, index);
    if (done) send(Done{wanted.segment, epoch.digests(index)});
    const auto& segment = epoch.segment(index);
    segment.repeat_view(send);
    Decided decided{wanted.segment, {}};
    for (const std::uint32_t slot : wanted.slots) {
      segment.repeat_slot(slot, env.cluster().self().id, send);
      if (const auto& decision = epoch.at(index, slot))
        decided.decisions.push_back({slot, decision->digest});
    }
    if (!done && !decided.decisions.empty()) send(std::move(decided));
  }

 private:
  template <class Epochs>
  static void ask(Epochs& epoch, std::uint32_t segment, auto& env) {
    SlotsWanted wanted{{epoch.plan().epoch(), segment}, {}};
    for (std::uint32_t slot = 0;
         slot < epoch.plan().segment_length() && wanted.slots.size() < asked_at_once; ++slot)
      if (!epoch.at(segment, slot) || epoch.segment(segment).awaits_votes(slot))
        wanted.slots.push_back(slot);
    if (!wanted.slots.empty()) env.emit(env.to_others(std::move(wanted)));
  }

  std::chrono::nanoseconds last_{};
  Allowance allowance_;
};

}  // namespace mirbft::iss

// <mirbft/protocol/iss/rules.hpp>
// The decisions on which safety and liveness rest, one small function each.

namespace mirbft::iss {

/// What `Iss` and `Pbft` decide by. Nobody has a reason to use others in earnest: this is a policy
/// so that `sim/zoo/` can break one rule at a time, and show that the simulator would notice.
struct Rules {
  // How many are enough.

  /// Prepares that make a certificate.
  std::size_t prepares(Quorum quorum) const noexcept { return quorum.strong(); }
  /// Commits that decide a slot.
  std::size_t commits(Quorum quorum) const noexcept { return quorum.strong(); }
  /// ViewChanges that make a NewView.
  std::size_t view_changes(Quorum quorum) const noexcept { return quorum.strong(); }
  /// ViewChanges for a view that make a replica call for it too.
  std::size_t callers(Quorum quorum) const noexcept { return quorum.weak(); }

  // Changing views.

  /// Whether a replica that votes in `view` and has called for `target` may make a certificate.
  bool may_prepare(View view, View target) const noexcept { return target <= view; }
  /// Whether a ViewChange must claim a slot that this digest was prepared for.
  bool must_claim(const Digest&) const noexcept { return true; }
  /// Whether a claim of a later view takes the place of one that is known.
  bool supersedes(View claim, View known) const noexcept { return claim > known; }
  /// Whether a ViewChange to `view` counts for a NewView of `wanted`.
  bool counts_for(View view, View wanted) const noexcept { return view == wanted; }

  // Requests.

  /// Whether a segment may hold requests of a bucket that is `owner`'s.
  bool may_draw(std::uint32_t owner, std::uint32_t segment) const noexcept {
    return owner == segment;
  }
  /// Whether a request may be proposed for `sn`: it is not in any other batch.
  bool claim(auto& clients, SeqNr sn, const RequestRef& request) const {
    return clients.claim(sn, request.client, request.req_no);
  }
  /// Whether a request that was delivered may be proposed again.
  bool may_propose(auto& clients, const RequestRef& request) const {
    return !clients.is_delivered(request.client, request.req_no);
  }
  /// What becomes of the requests of own batches that were given up on.
  void put_back(auto& batches, auto& buckets, auto& clients) const {
    batches.put_back(buckets, clients);
  }
};

}  // namespace mirbft::iss

// <mirbft/protocol/iss/slot_range.hpp>
// The sequence numbers of one segment, which an orderer counts from 0 as places.

namespace mirbft::iss {

/// Every `stride`-th number from `first` on.
struct SlotRange {
  SeqNr first;
  std::uint64_t stride = 1;
  std::uint32_t count = 0;

  SeqNr sn_of(std::uint32_t place) const noexcept { return first + place * stride; }
  /// None for a number of another segment.
  std::optional<std::uint32_t> place_of(SeqNr sn) const noexcept {
    const std::uint64_t distance = sn - first;
    if (sn < first || distance % stride != 0 || distance / stride >= count) return std::nullopt;
    return static_cast<std::uint32_t>(distance / stride);
  }
};

}  // namespace mirbft::iss

// <mirbft/protocol/iss/state_supply.hpp>
// Answers to those who fetch the state of a stable checkpoint.

namespace mirbft::iss {

/// Supplies heads and chunks of the stable states that are kept, so many bytes to each peer.
class StateSupply {
 public:
  explicit StateSupply(std::size_t members) : allowance_(members) {}

  /// From time to time: peers may ask again.
  void refill() { allowance_.refill(); }

  void receive(Member from, StateWanted wanted, const Checkpointing& kept, auto& env) {
    const CheckpointState* state = state_for(from, wanted.epoch, kept, env);
    if (!state) return;
    StateHead head{wanted.epoch, list_of(state->clients), state->policy, state->pace,
                   app_list(kept, wanted.epoch)};
    const std::size_t digests = head.clients.digests.size() + head.app.digests.size();
    allowance_.spend(from, Digest::size * digests + head.policy.size() + head.pace.size());
    env.emit(env.to(from.id, std::move(head)));
  }

  void receive(Member from, ChunkWanted wanted, const Checkpointing& kept, auto& env) {
    const CheckpointState* state = state_for(from, wanted.epoch, kept, env);
    if (!state) return;
    const std::uint64_t clients = state->clients.digests.size();
    if (wanted.index >= clients + state->app_chunks) return env.bad(BadMessage::oversized);
    Bytes chunk = wanted.index < clients
                      ? chunk_of(state->clients.data, wanted.index)
                      : kept.chunks().find(wanted.epoch, wanted.index - clients)->data;
    allowance_.spend(from, chunk.size());
    env.emit(env.to(from.id, ChunkSupplied{wanted.epoch, wanted.index, std::move(chunk)}));
  }

 private:
  static ChunkList app_list(const Checkpointing& kept, Epoch epoch) {
    ChunkList list;
    for (std::uint64_t index = 0; index < kept.stable_state(epoch)->app_chunks; ++index) {
      const ChunkEntry& chunk = *kept.chunks().find(epoch, index);
      list.length += chunk.data.size();
      list.digests.push_back(chunk.digest);
    }
    return list;
  }

  /// What any answer costs at least: about a certificate.
  static constexpr std::uint64_t least_cost = 4096;

  /// The state, if it is kept and the peer may have more. Who asks for one that is collected hears
  /// which ones are there.
  const CheckpointState* state_for(Member from, Epoch epoch, const Checkpointing& kept, auto& env) {
    if (allowance_.is_spent(from)) {
      env.bad(BadMessage::oversized);
      return nullptr;
    }
    allowance_.spend(from, least_cost);
    const CheckpointState* state = kept.stable_state(epoch);
    if (!state) kept.tell(from, epoch.value, env);
    return state;
  }

  Allowance allowance_;
};

}  // namespace mirbft::iss

// <mirbft/protocol/iss/state_transfer.hpp>
// State transfer: fetches the state of a stable checkpoint from the others, piece by piece.

namespace mirbft::iss {

/// The last rung of the ladder (protocol, section 8). Nothing is believed but hashes that lead up
/// to a header that a quorum has signed, so any peer may supply any piece. Piece 0 is the head,
/// piece `i + 1` is chunk `i`.
class StateTransfer {
 public:
  using consumes = events<HashResult<TransferHash>, HashResult<TransferTreeHash>>;
  using emits = events<HashRequest<TransferHash>, HashRequest<TransferTreeHash>,
                       WalAppend<ChunkEntry>, WalAppend<InstalledEntry>, StateInstalled>;

  /// Pieces that are on their way at a time, from all peers together.
  static constexpr std::size_t pieces_at_once = 16;

  /// Whether a state is being fetched or waits to be taken.
  bool is_active() const noexcept { return target_.has_value(); }

  /// A verified checkpoint that only a transfer leads to. A transfer that is under way goes on,
  /// unless the peers have collected its checkpoint by now.
  void begin(const StableCheckpoint& proof, auto& env) {
    const Epoch epoch = proof.header.epoch;
    if (done_ || (target_ && epoch < target_->header.epoch + epochs_kept)) return;
    target_ = proof;
    faults_.resize(env.cluster().members().size());
    asked_.clear();
    unasked_.assign(1, head_piece);
    incoming_.reset();
    ask(env);
  }
  /// Asks other peers for what has not come, and gives up if this replica has got as far by itself.
  /// Call it at every `Tick`.
  void tick(std::uint64_t stable_epochs, auto& env) {
    if (!target_ || done_) return;
    if (target_->header.epoch.value < stable_epochs) return reset();
    std::vector<std::uint64_t> overdue;
    for (const auto& [piece, question] : asked_)
      if (!question.answered && env.now() - question.at >= env.timeout()) overdue.push_back(piece);
    for (const std::uint64_t piece : overdue) fail(piece);
    ask(env);
  }

  void receive(Member from, StateHead head, auto& env) {
    Question* question = question_of(from, head.epoch, head_piece);
    if (!question) return env.bad(BadMessage::unasked);
    if (!is_whole(head.clients) || head.app.length != target_->header.app_length)
      return refuse(head_piece, env);
    question->answered = true;
    incoming_ = std::move(head);
    unchecked_ = 3;
    check_head(*question, env);
  }

  void receive(Member from, ChunkSupplied supplied, auto& env) {
    if (!head_ || supplied.index >= chunks_.size()) return env.bad(BadMessage::unasked);
    const std::uint64_t piece = supplied.index + 1;
    Question* question = question_of(from, supplied.epoch, piece);
    if (!question) return env.bad(BadMessage::unasked);
    if (!fits(supplied)) return refuse(piece, env);
    question->answered = true;
    question->chunk = supplied.data;
    env.emit(HashRequest<TransferHash>{
        chunk_content(env.cluster().name().view(), std::move(supplied.data)),
        {piece, CheckpointPart::app_state, question->number}});
  }

  void process(HashResult<TransferHash> hashed, auto& env) {
    const TransferHash& origin = hashed.origin;
    const auto question = asked_.find(origin.piece);
    if (question == asked_.end() || question->second.number != origin.question) return;
    if (hashed.digest != expected(origin)) return refuse(origin.piece, env);
    if (origin.piece == head_piece) {
      if (--unchecked_ != 0) return;
      accept_head();
    } else {
      chunks_[origin.piece - 1] = std::move(question->second.chunk);
      --missing_;
    }
    asked_.erase(question);
    ask(env);
    if (missing_ == 0) finish(env);
  }

  void process(HashResult<TransferTreeHash> hashed, auto& env) {
    const auto& [number, level, index] = hashed.origin;
    const auto question = asked_.find(head_piece);
    if (question == asked_.end() || question->second.number != number) return;
    if (tree_.hashed(level, index, hashed.digest)) check_app(question->second, env);
  }

  /// What was fetched, once `StateInstalled` says that it is durable.
  FetchedState take() {
    FetchedState fetched = std::move(*done_);
    done_.reset();
    reset();
    return fetched;
  }

 private:
  static constexpr std::uint64_t head_piece = 0;

  struct Question {
    Member whom;
    std::chrono::nanoseconds at{};
    std::uint64_t number = 0;
    /// The answer is here, and is being hashed.
    bool answered = false;
    Bytes chunk;
  };

  // Questions.

  void ask(auto& env) {
    if (!target_ || done_) return;
    const Epoch epoch = target_->header.epoch;
    while (!unasked_.empty() && asked_.size() < pieces_at_once) {
      const std::uint64_t piece = unasked_.front();
      unasked_.pop_front();
      const Member whom = next_peer(env.cluster());
      asked_[piece] = {whom, env.now(), ++questions_, false, {}};
      if (piece == head_piece) {
        env.emit(env.to(whom.id, StateWanted{epoch}));
      } else {
        env.emit(env.to(whom.id, ChunkWanted{epoch, piece - 1}));
      }
    }
  }
  /// The next one in turn of those that have failed least often.
  Member next_peer(const Cluster& cluster) {
    const std::vector<NodeId>& others = cluster.others();
    std::optional<Member> best;
    for (std::size_t i = 0; i < others.size(); ++i) {
      const Member peer = *cluster.find(others[(turn_ + i) % others.size()]);
      if (!best || faults_[peer.index] < faults_[best->index]) best = peer;
    }
    turn_ = (turn_ + 1) % others.size();
    return *best;
  }
  Question* question_of(Member from, Epoch epoch, std::uint64_t piece) {
    const auto found = asked_.find(piece);
    const bool asked = target_ && target_->header.epoch == epoch && found != asked_.end() &&
                       found->second.whom.id == from.id && !found->second.answered;
    return asked ? &found->second : nullptr;
  }

  /// The peer that was asked for a piece has not supplied it: it is another's turn.
  void fail(std::uint64_t piece) {
    const auto question = asked_.find(piece);
    ++faults_[question->second.whom.index];
    asked_.erase(question);
    unasked_.push_front(piece);
  }
  void refuse(std::uint64_t piece, auto& env) {
    env.bad(BadMessage::state);
    fail(piece);
    ask(env);
  }

  // The head.

  static bool is_whole(const ChunkList& list) {
    return list.digests.size() == chunks_of(list.length);
  }
  void check_head(const Question& question, auto& env) {
    const ByteView cluster = env.cluster().name().view();
    const auto check = [&](CheckpointPart part, Bytes content) {
      env.emit(HashRequest<TransferHash>{{std::move(content)},
                                         {head_piece, part, question.number}});
    };
    check(CheckpointPart::clients, clients_content(cluster, incoming_->clients));
    check(CheckpointPart::policy, policy_content(cluster, incoming_->policy, incoming_->pace));
    tree_ = {};
    tree_.resize(incoming_->app.digests.size());
    for (std::uint64_t index = 0; index < tree_.size(); ++index)
      tree_.set(index, incoming_->app.digests[index]);
    check_app(question, env);
  }
  /// The digests of the App's chunks: level by level up to the root.
  void check_app(const Question& question, auto& env) {
    const ByteView cluster = env.cluster().name().view();
    const std::vector<MerkleInner> due = tree_.rise();
    for (const MerkleInner& inner : due)
      env.emit(HashRequest<TransferTreeHash>{{inner_content(cluster, inner)},
                                             {question.number, inner.level, inner.index}});
    if (due.empty())
      env.emit(HashRequest<TransferHash>{
          {app_content(cluster, tree_)},
          {head_piece, CheckpointPart::app_state, question.number}});
  }
  /// Chunks of an earlier transfer that have not changed since are not fetched again, so that a
  /// large state comes in though checkpoints move on meanwhile.
  void accept_head() {
    std::map<Digest, Bytes> known;
    for (std::uint64_t index = 0; index < chunks_.size(); ++index)
      if (chunks_[index]) known[digest_of(*head_, index)] = std::move(*chunks_[index]);
    head_ = std::move(incoming_);
    incoming_.reset();
    chunks_.assign(head_->clients.digests.size() + head_->app.digests.size(), {});
    missing_ = 0;
    for (std::uint64_t index = 0; index < chunks_.size(); ++index) {
      const auto same = known.find(digest_of(*head_, index));
      if (same != known.end()) {
        chunks_[index] = same->second;
      } else {
        unasked_.push_back(index + 1);
        ++missing_;
      }
    }
  }

  // Chunks.

  static const Digest& digest_of(const StateHead& head, std::uint64_t index) {
    const std::uint64_t clients = head.clients.digests.size();
    return index < clients ? head.clients.digests[index] : head.app.digests[index - clients];
  }
  bool fits(const ChunkSupplied& supplied) const {
    const ChunkList& clients = head_->clients;
    const std::size_t size = supplied.data.size();
    return supplied.index < clients.digests.size()
               ? size == chunk_length(clients.length, supplied.index)
               : size <= max_chunk_size;
  }
  const Digest& expected(const TransferHash& origin) const {
    if (origin.piece != head_piece) return digest_of(*head_, origin.piece - 1);
    switch (origin.part) {
      case CheckpointPart::clients: return target_->header.clients;
      case CheckpointPart::policy: return target_->header.policy;
      default: return target_->header.app_state;
    }
  }
  ChunkedBytes clients() const {
    const ChunkList& list = head_->clients;
    return {Bytes::filled(list.length,
                          [&](std::uint8_t* at) {
                            for (std::uint64_t i = 0; i < list.digests.size(); ++i)
                              at = std::copy(chunks_[i]->begin(), chunks_[i]->end(), at);
                          }),
            list.digests};
  }
  void finish(auto& env) {
    const Epoch epoch = target_->header.epoch;
    const ChunkList& app = head_->app;
    const std::uint64_t first = head_->clients.digests.size();
    done_ = FetchedState{{target_->header,
                          target_->certificate,
                          {clients(), head_->policy, head_->pace, app.digests.size()}},
                         {}};
    for (std::uint64_t index = 0; index < app.digests.size(); ++index) {
      done_->chunks.push_back(ChunkTable::changed(epoch, index, app.digests[index],
                                                  std::move(*chunks_[first + index])));
      env.emit(written_ahead(done_->chunks.back()));
    }
    chunks_.clear();
    env.emit(WalAppend<InstalledEntry>{done_->entry, RetentionIndex(epoch.value)})
        .then(StateInstalled{epoch});
  }
  void reset() {
    target_.reset();
    incoming_.reset();
    head_.reset();
    chunks_.clear();
    asked_.clear();
    unasked_.clear();
  }

  std::optional<StableCheckpoint> target_;
  /// A head that is being checked, and how many of its parts are not yet.
  std::optional<StateHead> incoming_;
  std::uint32_t unchecked_ = 0;
  MerkleTree tree_;
  /// The head of `chunks_`, and those that are here.
  std::optional<StateHead> head_;
  std::vector<std::optional<Bytes>> chunks_;
  std::uint64_t missing_ = 0;
  std::optional<FetchedState> done_;

  std::deque<std::uint64_t> unasked_;
  std::map<std::uint64_t, Question> asked_;
  std::uint64_t questions_ = 0;
  /// By member: how many pieces it was asked for and did not supply.
  std::vector<std::uint64_t> faults_;
  std::size_t turn_ = 0;
};

}  // namespace mirbft::iss

// <mirbft/protocol/iss.hpp>
// ISS: total order from many leaders at once, each with a segment of every epoch.

namespace mirbft {

/// Where the protocol stands.
struct IssStatus {
  Epoch epoch;
  SeqNr next_delivery;
  std::uint64_t stable_checkpoints = 0;
  std::uint64_t delivered_requests = 0;
  std::uint64_t proposed_batches = 0;
  std::uint64_t own_requests_waiting = 0;
  std::uint64_t batches_waiting_for_bodies = 0;
  std::uint64_t clients = 0;
  std::uint64_t early_bytes = 0;
  /// Of the current epoch: segments that are not finished, and those whose leader this replica has
  /// given up on.
  std::uint64_t open_segments = 0;
  std::uint64_t suspected_segments = 0;
  /// T_e, how long a leader may stand still.
  std::chrono::nanoseconds timeout{};
  /// How many epochs have changed keys of nodes, as far as this replica knows, and how much of what
  /// the App has asked for was not carried out.
  std::uint64_t key_changes = 0;
  std::uint64_t refused_reconfigurations = 0;
  iss::BadMessages bad_messages;
};

/// ISS (Stathakopoulou, Pavlovic, Vukolić, EuroSys 2022): epochs of sequence numbers, cut into
/// segments that their leaders fill in parallel from disjoint buckets of requests; an orderer such
/// as `Pbft` agrees on each slot. Deterministic.
template <class Orderer, class LeaderPolicy = Blacklist, class Rules = iss::Rules>
class Iss {
 public:
  using Message = IssMessage<typename Orderer::Message>;
  using Status = IssStatus;
  using consumes = joined<
      events<Init, Tick, Continue, RequestReady, MessageReceived<Message>, HashResult<BatchHash>,
             WalEntry<EpochEntry>, WalEntry<AmnesiaEntry>, WalEntry<DoneEntry>, StateInstalled,
             AppRestored>,
      iss::Bodies::consumes, iss::Checkpointing::consumes, iss::StateTransfer::consumes,
      typename Orderer::consumes>;
  using emits = joined<events<Continue, Deliver, SendMessage<Message>, MessageReceived<Message>,
                              NewRequest, HashRequest<BatchHash>, WalAppend<EpochEntry>,
                              WalAppend<AmnesiaEntry>, WalAppend<DoneEntry>, WindowsMoved,
                              UpdateClientKeys, AppRestoreState, Halt>,
                       iss::Bodies::emits, iss::Checkpointing::emits, iss::StateTransfer::emits,
                       typename Orderer::emits>;

  /// Throws ConfigError.
  explicit Iss(IssConfig config, LeaderPolicy policy = {}, Rules rules = {})
      : config_((iss::check(config), std::move(config))),
        policy_(std::move(policy)),
        rules_(std::move(rules)),
        cluster_(config_, Orderer::quorum(config_.members.size())),
        clients_(config_.client_window),
        buckets_(static_cast<std::uint32_t>(iss::buckets_per_member * config_.members.size())),
        early_(config_.members.size(), config_.early_bytes_per_peer),
        bodies_(config_.members.size()),
        laggard_(config_.members.size()),
        reminders_(config_.members.size()),
        supply_(config_.members.size()),
        amnesia_(config_.memory, config_.members.size()),
        pace_{config_.base_timeout} {}

  static FrameClass frame_class(const Message& message) {
    return iss::frame_class<Orderer>(message);
  }

  /// The write-ahead log has been played back: goes on from the newest stable checkpoint in it.
  void process(Init, auto& out) {
    auto env = env_of(out);
    checkpointing_.announce_keys(env);
    if (const auto entry = amnesia_.begin()) remember(*entry, out);
    if (auto state = checkpointing_.restored()) {
      go_on_from(std::move(*state), out);
    } else {
      enter_epoch(Epoch(0), SeqNr(0), out);
    }
    checkpointing_.start(parameters(), env);
    go_on(out);
  }

  void process(Tick tick, auto& out) {
    now_ = tick.now;
    if (started_) {
      auto env = env_of(out);
      if (now_ - refilled_ >= config_.fetch_delay) {
        refilled_ = now_;
        bodies_.refill();
        laggard_.refill();
        supply_.refill();
      }
      ask_for_bodies(env);
      laggard_.ask(current(), waiting_, now_, config_.fetch_delay, env);
      watch_segments(env);
      reminders_.remind(current(),
                        {epoch_, next_, checkpointing_.stable_epochs(),
                         checkpointing_.known_key_changes()},
                        env);
      transfer_state(env);
    }
    note_to_continue(out);
  }

  void process(Continue, auto& out) {
    noted_ = false;
    auto env = env_of(out);
    bodies_.relay(env);
    propose(out);
  }

  void process(RequestReady ready, auto& out) {
    const RequestRef& reference = ready.reference;
    if (ready.keys < checkpointing_.client_keys().since(reference.client, epoch_)) return;
    const bool wanted = waiting_.wants(reference);
    const auto readiness =
        clients_.ready(reference, ready.size, wanted ? iss::Wanted::yes : iss::Wanted::no);
    if (readiness == iss::Clients::Readiness::refused) return;
    if (readiness == iss::Clients::Readiness::first) buckets_.add(reference, ready.size);
    if (ready.spread == Spread::by_replica) bodies_.relay_later(reference);
    if (wanted)
      for (BatchHash& complete : waiting_.body_came(reference))
        await_bodies(std::move(complete), out);
    note_to_continue(out);
  }

  void process(MessageReceived<Message> received, auto& out) {
    const std::optional<iss::Member> from = cluster_.find(received.from);
    if (!from) return bad_.count(Bad::stranger);
    receive(*from, std::move(received.message), out);
  }

  void process(HashResult<BatchHash> hashed, auto& out) {
    BatchHash& origin = hashed.origin;
    Epochs* epoch = find_epoch(origin.segment.epoch);
    if (!epoch) return;
    auto env = env_of(out);
    auto& segment = epoch->segment(origin.segment.index);
    switch (origin.use) {
      case BatchUse::propose:
        segment.propose(origin.slot, std::move(origin.batch), hashed.digest, env);
        break;
      case BatchUse::vote: segment.checked(origin.slot, hashed.digest, env); break;
      case BatchUse::adopt: adopt(*epoch, std::move(origin), hashed.digest, env); break;
    }
  }

  /// Events of the orderer go to the segment that they name.
  template <class E>
    requires requires(E event) { event.origin.content.segment; }
  void process(E event, auto& out) {
    Epochs* epoch = find_epoch(event.origin.content.segment.epoch);
    if (!epoch) return;
    auto env = env_of(out);
    epoch->segment(event.origin.content.segment.index).process(std::move(event), env);
  }

  /// What the orderer has written ahead waits for its epoch to be entered.
  template <class Entry>
    requires std::is_constructible_v<typename Orderer::Entry, Entry>
  void process(WalEntry<Entry> found, auto&) {
    const Epoch epoch = Orderer::segment_of(found.entry).epoch;
    recovered_[epoch].push_back(std::move(found.entry));
  }
  /// Which epochs were begun follows from what was decided in them.
  void process(WalEntry<EpochEntry>, auto&) {}
  void process(WalEntry<DoneEntry> found, auto&) { recovered_done_.insert(found.entry.segment); }
  void process(WalEntry<AmnesiaEntry> found, auto&) { amnesia_.recover(found.entry); }

  void process(HashResult<TransferHash> hashed, auto& out) {
    auto env = env_of(out);
    transfer_.process(std::move(hashed), env);
  }
  void process(HashResult<TransferTreeHash> hashed, auto& out) {
    auto env = env_of(out);
    transfer_.process(std::move(hashed), env);
  }
  void process(StateInstalled, auto& out) {
    auto env = env_of(out);
    if (auto state = checkpointing_.install(transfer_.take(), env))
      go_on_from(std::move(*state), out);
  }
  void process(AppRestored, auto&) {}

  template <class E>
    requires is_listed<E, iss::Bodies::consumes>
  void process(E event, auto& out) {
    auto env = env_of(out);
    bodies_.process(std::move(event), env);
  }

  template <class E>
    requires is_listed<E, iss::Checkpointing::consumes>
  void process(E event, auto& out) {
    auto env = env_of(out);
    checkpointing_.process(std::move(event), env);
    go_on(out);
    // At once: where epochs are short, the next Tick finds a certificate too old to be of use.
    if (started_) transfer_state(env);
  }

  Status status() const {
    std::uint64_t open = 0;
    std::uint64_t suspected = 0;
    if (const auto found = epochs_.find(epoch_); found != epochs_.end())
      for (std::uint32_t index = 0; found->second.has(index); ++index) {
        const Segment& segment = found->second.segment(index);
        open += !segment.is_complete();
        suspected += !segment.is_complete() && !segment.is_open();
      }
    return {epoch_,
            next_,
            checkpointing_.stable_epochs(),
            delivered_,
            proposer_.proposed(),
            buckets_.own_requests(),
            waiting_.size(),
            clients_.size(),
            early_.bytes(),
            open,
            suspected,
            pace_.timeout,
            checkpointing_.known_key_changes(),
            checkpointing_.refused_reconfigurations(),
            bad_};
  }

 private:
  using Bad = iss::BadMessage;
  using Segment = typename Orderer::Segment;
  using Epochs = iss::EpochState<Segment>;

  /// What the orderer sees of ISS while it handles one event.
  template <class Out>
  class Env {
   public:
    Env(Iss& iss, Out& out) : iss_(iss), out_(out) {}

    const iss::Cluster& cluster() const noexcept { return iss_.cluster_; }
    const Rules& rules() const noexcept { return iss_.rules_; }
    template <class E>
    auto emit(E event) {
      return out_.emit(std::move(event));
    }
    auto to_others(auto message) { return to(iss_.cluster_.others(), std::move(message)); }
    auto to(NodeId whom, auto message) { return to(std::vector{whom}, std::move(message)); }
    std::chrono::nanoseconds now() const noexcept { return iss_.now_; }
    std::chrono::nanoseconds timeout() const noexcept { return iss_.pace_.timeout; }
    std::chrono::nanoseconds patience(View view) const noexcept {
      return iss::view_timeout(iss_.pace_.timeout, view);
    }
    std::chrono::nanoseconds segment_patience(std::size_t length) const noexcept {
      return iss::segment_timeout(iss_.pace_.timeout, static_cast<std::uint32_t>(length),
                                  iss_.config_.slot_time);
    }
    std::chrono::nanoseconds resend_after() const noexcept {
      return iss::resend_interval(iss_.pace_.timeout);
    }
    bool may_vote(SegmentId segment) const noexcept {
      return iss_.amnesia_.may_vote_in(segment.epoch);
    }
    auto to_self(auto message) {
      return MessageReceived<Message>{iss_.cluster_.self().id, wrap(std::move(message))};
    }
    void check(SegmentId segment, std::uint32_t slot, const Batch& batch) {
      iss_.check_proposal(segment, slot, batch, out_);
    }
    void decided(SegmentId segment, std::uint32_t slot, const Digest& digest, Batch batch) {
      iss_.decided(segment, slot, digest, std::move(batch), out_);
    }
    void claimed(SegmentId segment, std::uint32_t slot, const Batch& batch) {
      Epochs& epoch = *iss_.find_epoch(segment.epoch);
      const SeqNr sn = epoch.plan().sn_of(segment.index, slot);
      (void)iss_.claim_all(epoch, segment.index, sn, batch);
      if (iss_.proposer_.leads(segment.index)) iss_.own_batches_.proposed(sn, batch);
    }
    void bad(Bad reason) { iss_.bad_.count(reason); }
    void halt(std::string reason) { out_.emit(Halt{std::move(reason)}); }

   private:
    static SendMessage<Message> to(std::vector<NodeId> destinations, auto message) {
      return {std::move(destinations), wrap(std::move(message))};
    }
    /// An orderer's message is one of the orderer's alternatives within ours.
    template <class M>
    static Message wrap(M message) {
      if constexpr (std::is_constructible_v<typename Orderer::Message, M>) {
        return typename Orderer::Message(std::move(message));
      } else {
        return message;
      }
    }

    Iss& iss_;
    Out& out_;
  };

  template <class Out>
  Env<Out> env_of(Out& out) {
    return {*this, out};
  }

  Epochs* find_epoch(Epoch epoch) {
    const auto found = epochs_.find(epoch);
    return found == epochs_.end() ? nullptr : &found->second;
  }
  Epochs& current() { return epochs_.find(epoch_)->second; }
  const iss::EpochPlan& plan() { return current().plan(); }

  void note_to_continue(auto& out) {
    if (!std::exchange(noted_, true)) out.emit(Continue{});
  }

  // Messages.

  void receive(iss::Member from, Message message, auto& out) {
    auto env = env_of(out);
    if (auto* ordering = std::get_if<typename Orderer::Message>(&message)) {
      receive(from, std::move(*ordering), out);
    } else if (auto* done = std::get_if<Done>(&message)) {
      receive(from, std::move(*done), env);
    } else if (auto* vote = std::get_if<CheckpointVote>(&message)) {
      checkpointing_.receive(from, std::move(*vote), epoch_, env);
      go_on(out);
    } else if (auto* relayed = std::get_if<Relayed>(&message)) {
      receive(std::move(*relayed), out);
    } else if (auto* wanted = std::get_if<RequestsWanted>(&message)) {
      bodies_.receive(from, std::move(*wanted), env);
    } else if (auto* supplied = std::get_if<RequestsSupplied>(&message)) {
      receive(std::move(*supplied), out);
    } else if (auto* batches = std::get_if<BatchesWanted>(&message)) {
      if (Epochs* epoch = epoch_of(batches->segment))
        laggard_.answer(from, *batches, *epoch, env);
    } else if (auto* batch = std::get_if<BatchSupplied>(&message)) {
      receive(std::move(*batch), out);
    } else if (auto* stable = std::get_if<StableCheckpoint>(&message)) {
      checkpointing_.receive(from, std::move(*stable), env);
    } else if (auto* state = std::get_if<StateWanted>(&message)) {
      supply_.receive(from, *state, checkpointing_, env);
    } else if (auto* head = std::get_if<StateHead>(&message)) {
      transfer_.receive(from, std::move(*head), env);
    } else if (auto* chunk = std::get_if<ChunkWanted>(&message)) {
      supply_.receive(from, *chunk, checkpointing_, env);
    } else if (auto* piece = std::get_if<ChunkSupplied>(&message)) {
      transfer_.receive(from, std::move(*piece), env);
    } else if (auto* progress = std::get_if<Progress>(&message)) {
      receive(from, *progress, env);
    } else if (auto* decided = std::get_if<Decided>(&message)) {
      receive(from, *decided, env);
    } else if (auto* slots = std::get_if<SlotsWanted>(&message)) {
      receive(from, *slots, env);
    }
  }

  /// The epoch of a message, if it is one that is kept; counts the message as bad otherwise.
  Epochs* epoch_of(SegmentId segment) {
    Epochs* epoch = find_epoch(segment.epoch);
    if (epoch && epoch->has(segment.index)) return epoch;
    bad_.count(epoch ? Bad::vote : segment.epoch > epoch_ ? Bad::far_epoch : Bad::old_epoch);
    return nullptr;
  }
  bool is_early(SegmentId segment) const noexcept {
    return !started_ ||
           (segment.epoch > epoch_ && segment.epoch <= epoch_ + iss::epochs_ahead_kept);
  }
  void keep_for_later(iss::Member from, Message message) {
    const std::size_t size = wire::encoded_size(message);
    if (!early_.keep(from.index, {from.id, std::move(message)}, size)) bad_.count(Bad::far_epoch);
  }

  void receive(iss::Member from, typename Orderer::Message message, auto& out) {
    const SegmentId segment = Orderer::segment_of(message);
    if (is_early(segment)) return keep_for_later(from, std::move(message));
    Epochs* epoch = epoch_of(segment);
    if (!epoch) return;
    auto env = env_of(out);
    epoch->segment(segment.index).receive(from, std::move(message), env);
  }

  void receive(iss::Member from, Done done, auto& env) {
    if (is_early(done.segment)) return keep_for_later(from, std::move(done));
    Epochs* epoch = epoch_of(done.segment);
    if (!epoch) return;
    if (done.digests.size() != epoch->plan().segment_length()) return bad_.count(Bad::oversized);
    bool consistent = true;
    for (std::uint32_t slot = 0; slot < done.digests.size(); ++slot)
      consistent &= epoch->said(from.index, done.segment.index, slot, done.digests[slot]);
    if (!consistent) bad_.count(Bad::duplicate);
    epoch->done(from.index, done.segment.index);
    settle(done.segment, env);
  }
  void receive(iss::Member from, const Decided& decided, auto& env) {
    Epochs* epoch = started_ ? find_epoch(decided.segment.epoch) : nullptr;
    if (!epoch || !epoch->has(decided.segment.index)) return bad_.count(Bad::old_epoch);
    if (decided.decisions.size() > iss::Reminders::asked_at_once)
      return bad_.count(Bad::oversized);
    for (const auto& [slot, digest] : decided.decisions)
      if (slot >= epoch->plan().segment_length() ||
          !epoch->said(from.index, decided.segment.index, slot, digest))
        return bad_.count(Bad::duplicate);
    settle(decided.segment, env);
  }

  /// What members say that they have decided: a strong quorum that is done makes a segment stable,
  /// a weak one is believed what was given up on, where there is nothing to fetch.
  void settle(SegmentId id, auto& env) {
    Epochs& epoch = *find_epoch(id.epoch);
    if (epoch.is_complete(id.index)) {
      if (epoch.agreeing(id.index) >= cluster_.quorum().strong()) epoch.segment(id.index).stable();
      return;
    }
    for (std::uint32_t slot = 0; slot < epoch.plan().segment_length(); ++slot) {
      Epochs* still = find_epoch(id.epoch);
      if (still && !still->at(id.index, slot) &&
          still->vouched(id.index, slot, cluster_.quorum()) == nil_digest)
        still->segment(id.index).adopt(slot, nil_digest, {}, env);
    }
  }

  /// A peer that is ahead shows that there is something to wait for; one that is behind is told
  /// what it has missed.
  void receive(iss::Member from, const Progress& progress, auto& env) {
    if (!started_) return;
    checkpointing_.tell_keys(from, progress.key_changes, env);
    checkpointing_.tell(from, progress.stable_epochs, env);
    if (const auto entry = amnesia_.heard(from.index, progress.stable_epochs,
                                          checkpointing_.proven_epochs(), cluster_.quorum()))
      remember(*entry, env);
    if (progress.epoch < epoch_) return;
    const SeqNr seen = progress.epoch > epoch_ ? plan().end() : progress.next;
    if (seen > next_) proposer_.reached(seen);
  }
  void receive(iss::Member from, const SlotsWanted& wanted, auto& env) {
    if (Epochs* epoch = started_ ? find_epoch(wanted.segment.epoch) : nullptr)
      if (epoch->has(wanted.segment.index)) reminders_.answer(from, wanted, *epoch, env);
  }

  /// A request that leaves its message: a slice would keep the whole frame in memory.
  static Request own_copy(const Request& request) {
    return {request.client, request.req_no, Bytes(request.data.view()),
            Bytes(request.authenticator.view())};
  }

  /// Requests that clients gave to the sender alone: checked like any other, by the Tracker.
  void receive(Relayed relayed, auto& out) {
    if (relayed.requests.size() > iss::Bodies::requests_at_once) return bad_.count(Bad::oversized);
    for (Request& request : relayed.requests)
      out.emit(NewRequest{own_copy(request), Spread::relayed});
  }

  /// A batch that was asked for. What it is worth shows when it is hashed.
  void receive(BatchSupplied supplied, auto& out) {
    Epochs* epoch = epoch_of(supplied.segment);
    if (!epoch) return;
    if (supplied.batch->size() > config_.max_batch_requests) return bad_.count(Bad::oversized);
    if (!laggard_.expected(*epoch, supplied.segment.index, supplied.slot, cluster_.quorum()))
      return bad_.count(Bad::unasked);
    hash(*epoch, {supplied.segment, supplied.slot, std::move(supplied.batch), BatchUse::adopt},
         out);
  }

  // Proposals of others.

  /// Rules 2 to 6 for a proposal (protocol, section 3). An acceptable one is hashed as soon as all
  /// its bodies are here; of one that breaks a rule nothing more is heard.
  void check_proposal(SegmentId segment, std::uint32_t slot, const Batch& batch, auto& out) {
    Epochs& epoch = *find_epoch(segment.epoch);
    const SeqNr sn = epoch.plan().sn_of(segment.index, slot);
    if (batch->size() > config_.max_batch_requests || !claim_all(epoch, segment.index, sn, batch))
      return bad_.count(Bad::proposal);
    if (proposer_.saw(sn, epoch.plan())) note_to_continue(out);
    await_bodies({segment, slot, batch, BatchUse::vote}, out);
  }

  bool claim_all(Epochs& epoch, std::uint32_t segment, SeqNr sn, const Batch& batch) {
    const iss::EpochPlan& where = epoch.plan();
    for (std::size_t i = 0; i < batch->size(); ++i) {
      const RequestRef& reference = (*batch)[i];
      const std::uint32_t bucket =
          iss::bucket_of(reference.client, reference.req_no, where.buckets());
      if (rules_.may_draw(where.owner(bucket), segment) && rules_.claim(clients_, sn, reference))
        continue;
      unclaim(sn, *batch, i);
      return false;
    }
    return true;
  }
  void unclaim(SeqNr sn, const std::vector<RequestRef>& batch, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) clients_.unclaim(sn, batch[i].client, batch[i].req_no);
  }

  /// Hashes a batch of another replica if all its bodies are here; lets it wait for them otherwise.
  void await_bodies(BatchHash batch, auto& out) {
    Epochs* epoch = find_epoch(batch.segment.epoch);
    if (!epoch) return;
    const SeqNr sn = epoch->plan().sn_of(batch.segment.index, batch.slot);
    std::vector<RequestRef> missing;
    std::uint64_t bytes = 0;
    for (const RequestRef& reference : *batch.batch) {
      const auto size = clients_.ready_size(reference);
      bytes += size.value_or(0);
      if (!size) missing.push_back(reference);
    }
    if (!missing.empty()) return waiting_.add(sn, std::move(batch), missing, now_);
    if (batch.use == BatchUse::vote && batch.batch->size() > 1 &&
        bytes > config_.max_batch_bytes) {
      unclaim(sn, *batch.batch, batch.batch->size());
      return bad_.count(Bad::proposal);
    }
    hash(*epoch, std::move(batch), out);
  }

  void hash(Epochs& epoch, BatchHash batch, auto& out) {
    const SeqNr sn = epoch.plan().sn_of(batch.segment.index, batch.slot);
    Bytes bytes = wire::canonical("batch", cluster_.name().view(),
                                  BatchContent{batch.segment.epoch, sn, batch.batch});
    out.emit(HashRequest<BatchHash>{{std::move(bytes)}, std::move(batch)});
  }

  /// Bodies that have not come by themselves: asks the leader first, then the others in turn.
  void ask_for_bodies(auto& env) {
    const std::vector<NodeId>& others = cluster_.others();
    waiting_.ask_again(now_, config_.fetch_delay, [&](const auto& waiting) {
      const SegmentId segment = waiting.batch.segment;
      Epochs* epoch = find_epoch(segment.epoch);
      if (!epoch || others.empty()) return;
      std::vector<RequestRef> absent;
      for (const RequestRef& reference : *waiting.batch.batch)
        if (waiting_.wants(reference)) absent.push_back(reference);
      std::sort(absent.begin(), absent.end());
      if (absent.size() > iss::Bodies::asked_at_once) absent.resize(iss::Bodies::asked_at_once);
      const NodeId leader = epoch->plan().leader(segment.index);
      const bool ask_leader = waiting.asked == 1 && leader != cluster_.self().id;
      env.emit(env.to(ask_leader ? leader : others[waiting.asked % others.size()],
                      RequestsWanted{std::move(absent)}));
    });
  }

  /// Bodies that were asked for. Each is checked by the Tracker like any other request.
  void receive(RequestsSupplied supplied, auto& out) {
    if (supplied.requests.size() > iss::Bodies::requests_at_once) return bad_.count(Bad::oversized);
    for (Request& request : supplied.requests) {
      if (waiting_.wants(request.client, request.req_no)) {
        out.emit(NewRequest{own_copy(request), Spread::fetched});
      } else {
        bad_.count(Bad::unasked);
      }
    }
  }

  /// The batch is adopted if it is the one that is vouched for, as soon as its bodies are here; or
  /// handed to the orderer, who wants it for a vote.
  void adopt(Epochs& epoch, BatchHash batch, const Digest& digest, auto& env) {
    const std::uint32_t segment = batch.segment.index;
    if (laggard_.expected(epoch, segment, batch.slot, cluster_.quorum()) != digest)
      return bad_.count(Bad::unasked);
    std::vector<RequestRef> missing;
    for (const RequestRef& reference : *batch.batch)
      if (!clients_.ready_size(reference)) missing.push_back(reference);
    if (missing.empty() && epoch.segment(segment).wanted(batch.slot) == digest) {
      epoch.segment(segment).supplied(batch.slot, digest, std::move(batch.batch), env);
    } else if (missing.empty()) {
      epoch.segment(segment).adopt(batch.slot, digest, std::move(batch.batch), env);
    } else {
      waiting_.add(epoch.plan().sn_of(segment, batch.slot), std::move(batch), missing, now_);
    }
  }

  // Own proposals.

  void propose(auto& out) {
    if (!started_ || !amnesia_.may_vote_in(epoch_)) return;
    while (const auto slot = proposer_.due(plan(), buckets_, config_, now_)) {
      const std::uint32_t segment = *proposer_.own_segment();
      if (!current().segment(segment).is_open()) return;
      if (current().segment(segment).is_proposed(*slot)) {
        proposer_.skip();
        continue;
      }
      const SeqNr sn = plan().sn_of(segment, *slot);
      const auto claim = [&](const RequestRef& reference) {
        return rules_.may_propose(clients_, reference) && rules_.claim(clients_, sn, reference);
      };
      Batch batch(buckets_.cut(config_.max_batch_requests, config_.max_batch_bytes, claim));
      if (!batch->empty()) (void)proposer_.saw(sn, plan());
      own_batches_.proposed(sn, batch);
      proposer_.propose(batch->size(), buckets_, now_);
      hash(current(), {{epoch_, segment}, *slot, std::move(batch), BatchUse::propose}, out);
    }
  }

  // Decisions and delivery.

  void decided(SegmentId segment, std::uint32_t slot, const Digest& digest, Batch batch,
               auto& out) {
    Epochs& epoch = *find_epoch(segment.epoch);
    if (epoch.decide(segment.index, slot, digest, std::move(batch))) {
      const Done done{segment, epoch.digests(segment.index)};
      const SendMessage<Message> to_others{cluster_.others(), done};
      const MessageReceived<Message> to_self{cluster_.self().id, done};
      if (recovered_done_.erase(segment) != 0) {
        out.emit(to_others);
        out.emit(to_self);
      } else {
        out.emit(WalAppend<DoneEntry>{{segment}, RetentionIndex(segment.epoch.value)})
            .then(to_others, to_self);
      }
    }
    if (segment.epoch == epoch_) {
      if (proposer_.leads(segment.index)) proposer_.decided(slot, buckets_, now_);
      (void)proposer_.saw(plan().sn_of(segment.index, slot), plan());
      note_to_continue(out);
    }
    deliver(out);
  }

  /// Delivers the contiguous prefix of what is decided.
  void deliver(auto& out) {
    if (finished_) return;
    while (plan().contains(next_) && current().decision(next_)) {
      const iss::Decision& decision = *current().decision(next_);
      for (const RequestRef& reference : *decision.batch) {
        if (!clients_.deliver(next_, reference)) return halt_for_duplicate(reference, out);
        buckets_.delivered(reference, clients_);
      }
      delivered_ += decision.batch->size();
      own_batches_.delivered(next_, decision.batch);
      policy_.delivered(next_, plan().leader(plan().segment_of(next_)),
                        decision.digest == nil_digest ? SlotOutcome::nil : SlotOutcome::batch);
      out.emit(Deliver{next_, decision.batch});
      ++next_;
      delivered_at_ = now_;
    }
    waiting_.forget_before(next_);
    if (next_ == plan().end()) finish_epoch(out);
  }

  void halt_for_duplicate(const RequestRef& reference, auto& out) {
    out.emit(Halt{"sequence number " + std::to_string(next_.value) + " would deliver request " +
                  std::to_string(reference.req_no.value) + " of client " +
                  std::to_string(reference.client.value) + " a second time"});
  }

  // Epochs.

  void enter_epoch(Epoch epoch, SeqNr first, auto& out) {
    started_ = true;
    finished_ = false;
    const std::vector<ClientId> rekeyed = change_client_keys(epoch, out);
    epoch_ = epoch;
    iss::EpochPlan next(epoch, first, cluster_.members(),
                        policy_.leaders(epoch, cluster_.members(), cluster_.quorum()),
                        config_);
    proposer_.begin_epoch(next, cluster_.self().id);
    rules_.put_back(own_batches_, buckets_, clients_);
    clients_.begin_epoch(first);
    buckets_.begin_epoch(next, clients_, proposer_.own_segment());
    epochs_.try_emplace(epoch, std::move(next), cluster_.members().size());
    out.emit(WalAppend<EpochEntry>{{epoch, first}, RetentionIndex(epoch.value)});
    out.emit(WindowsMoved{epoch, clients_.windows(), rekeyed});
    resume(epoch, out);
    for (MessageReceived<Message>& message : early_.take())
      receive(*cluster_.find(message.from), std::move(message.message), out);
    note_to_continue(out);
  }

  /// The keys of clients that come into force. A request is ordered in an epoch only if it is
  /// authentic by its client's key of that epoch: what is signed with an older one and not
  /// delivered by then is void. So the keys are as frozen as the windows, and all correct replicas
  /// judge a proposal alike, whether its bodies came before the change or are fetched after it. A
  /// correct leader proposes nothing that others would have to refuse; and what a quorum has voted
  /// for can be fetched and checked by everybody, since no replica leaves an epoch before it has
  /// delivered all of it. Returns whose keys they are.
  std::vector<ClientId> change_client_keys(Epoch epoch, auto& out) {
    std::vector<ClientKey> keys = checkpointing_.client_keys().due(epoch_, epoch);
    std::vector<ClientId> rekeyed;
    for (const ClientKey& key : keys) {
      clients_.forget_bodies(key.client);
      rekeyed.push_back(key.client);
    }
    if (!keys.empty()) out.emit(UpdateClientKeys{epoch, std::move(keys)});
    return rekeyed;
  }

  /// Where others have forgotten the current epoch, only a transfer of state helps; and also where
  /// they do remember it, or should, and that has not helped for long: those who were restarted
  /// know no more than their checkpoint.
  void transfer_state(auto& env) {
    const bool stuck = now_ - delivered_at_ >= 2 * pace_.timeout;
    const std::uint64_t ahead = stuck ? 0 : iss::epochs_kept;
    if (const auto* proof = checkpointing_.proven_from(epoch_ + ahead))
      transfer_.begin(*proof, env);
    transfer_.tick(checkpointing_.stable_epochs(), env);
  }

  /// For ever: another restart must not make up for what was forgotten.
  static void remember(const AmnesiaEntry& entry, auto& out) {
    out.emit(WalAppend<AmnesiaEntry>{entry, RetentionIndex(~std::uint64_t{0})});
  }

  /// A stable checkpoint with its state takes the place of all that came before it.
  void go_on_from(iss::StableState state, auto& out) {
    const Epoch next(state.header.epoch.value + 1);
    policy_ = decoded<LeaderPolicy>(state.policy, "leader policy");
    pace_ = decoded<iss::Pace>(state.pace, "time-out");
    clients_.restore(state.windows);
    next_ = state.header.last + 1;
    waiting_.forget_before(next_);
    epochs_.erase(epochs_.begin(), epochs_.lower_bound(next));
    recovered_.erase(recovered_.begin(), recovered_.lower_bound(next));
    std::erase_if(recovered_done_, [&](const SegmentId& id) { return id.epoch < next; });
    out.emit(AppRestoreState{state.header.last, std::move(state.app)});
    enter_epoch(next, next_, out);
  }
  template <class T>
  static T decoded(const Bytes& bytes, const char* what) {
    auto value = wire::decode<T>(bytes, wire::Form::canonical);
    if (!value)
      throw ModuleFailure(std::string("the ") + what + " of a stable checkpoint cannot be read");
    return std::move(*value);
  }

  /// What was done in this epoch before a restart is known again, and said again. That may end the
  /// epoch, and even begin the next.
  void resume(Epoch epoch, auto& out) {
    auto found = recovered_.extract(epoch);
    if (!found) return;
    auto env = env_of(out);
    for (typename Orderer::Entry& entry : found.mapped())
      visit_alternative(entry, [&](auto& one) {
        const SegmentId id = Orderer::segment_of(one);
        Epochs* state = find_epoch(epoch);
        if (state && state->has(id.index)) state->segment(id.index).recover(std::move(one), env);
      });
    for (std::uint32_t index = 0;; ++index) {
      Epochs* state = find_epoch(epoch);
      if (!state || !state->has(index)) return;
      state->segment(index).resume(env);
    }
  }

  /// Tells each segment the time, and whether anybody waits for it: its leader has requests to
  /// propose that are known here, or others have gone ahead. Requests that wait in vain are passed
  /// on again: perhaps nobody else knows of them.
  void watch_segments(auto& env) {
    const bool relays = now_ - relayed_ >= env.resend_after();
    if (relays) relayed_ = now_;
    Epochs* const epoch = &current();
    const auto is_decided = [&](const RequestRef& reference) {
      const auto sn = clients_.claimed_by(reference.client, reference.req_no);
      return sn && epoch->decision(*sn);
    };
    for (std::uint32_t index = 0; epoch->has(index); ++index) {
      if (epoch->is_complete(index)) continue;
      const bool expected = proposer_.is_pulled(epoch->first_open(index)) ||
                            buckets_.waits(index, is_decided);
      epoch->segment(index).tick(expected, env);
      if (relays && epoch->segment(index).idle_for(now_) >= env.resend_after())
        for (const RequestRef& reference :
             buckets_.oldest(index, iss::Bodies::repeated_at_once, clients_))
          bodies_.relay_later(reference);
    }
  }

  /// Everything of the epoch is delivered: begins its checkpoint.
  void finish_epoch(auto& out) {
    finished_ = true;
    clients_.slide();
    policy_.epoch_ended(epoch_, plan().leaders());
    pace_.epoch_ended(current().suspected(), cluster_.quorum(), config_.base_timeout);
    auto env = env_of(out);
    checkpointing_.begin(epoch_, plan().last(), current().digests(), clients_.windows(), policy_,
                         pace_, parameters(), env);
    go_on(out);
  }

  /// Forgets epochs that are no longer needed, and begins the next one if it may begin. After a
  /// restart the checkpoint of an epoch may become stable before its batches are here again: then
  /// its state, which is, takes their place.
  void go_on(auto& out) {
    if (!started_) return;
    if (!finished_ && checkpointing_.stable_epochs() > epoch_.value)
      return go_on_from(checkpointing_.skip_to_stable(), out);
    epochs_.erase(epochs_.begin(), epochs_.lower_bound(checkpointing_.first_kept()));
    const Epoch next = epoch_ + 1;
    if (finished_ && next < checkpointing_.keys_known_below())
      enter_epoch(next, plan().end(), out);
  }

  /// The configuration as it must be the same everywhere.
  IssConfig parameters() const {
    IssConfig common = config_;
    common.self = {};
    common.memory = {};
    common.members = cluster_.members();
    return common;
  }

  IssConfig config_;
  LeaderPolicy policy_;
  [[no_unique_address]] Rules rules_;
  iss::Cluster cluster_;
  iss::Clients clients_;
  iss::Buckets buckets_;
  iss::EarlyMessages<Message> early_;
  iss::WaitingBatches waiting_;
  iss::Bodies bodies_;
  iss::Laggard laggard_;
  iss::Proposer proposer_;
  iss::OwnBatches own_batches_;
  iss::Reminders reminders_;
  iss::StateSupply supply_;
  iss::StateTransfer transfer_;
  iss::Amnesia amnesia_;
  iss::Pace pace_;
  iss::Checkpointing checkpointing_;
  std::map<Epoch, Epochs> epochs_;
  /// Entries of the write-ahead log, of epochs that are not entered yet.
  std::map<Epoch, std::vector<typename Orderer::Entry>> recovered_;
  std::set<SegmentId> recovered_done_;

  Epoch epoch_;
  SeqNr next_;
  std::chrono::nanoseconds now_{};
  std::chrono::nanoseconds refilled_{};
  std::chrono::nanoseconds relayed_{};
  std::chrono::nanoseconds delivered_at_{};
  bool started_ = false;
  /// The current epoch is delivered; the next one waits for a stable checkpoint.
  bool finished_ = false;
  /// A `Continue` is on its way.
  bool noted_ = false;
  std::uint64_t delivered_ = 0;
  iss::BadMessages bad_;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::IssStatus, epoch, next_delivery, stable_checkpoints,
                        delivered_requests, proposed_batches, own_requests_waiting,
                        batches_waiting_for_bodies, clients, early_bytes, open_segments,
                        suspected_segments, timeout, key_changes, refused_reconfigurations,
                        bad_messages);

// <mirbft/protocol/orderers/paxos.hpp>
// Paxos as an orderer of ISS: for clusters whose members may crash but do not lie.

// <mirbft/protocol/orderers/paxos_messages.hpp>
// What Paxos says and writes ahead for a segment.

namespace mirbft {

/// The leader's proposal for a slot in ballot 0, of which it has no need to ask first. It says as
/// well that the leader has accepted it.
struct PaxosAccept {
  SegmentId segment;
  SeqNr sn;
  Batch batch;
};

/// "I have accepted this in this ballot, durably."
struct PaxosAccepted {
  SegmentId segment;
  View ballot;
  SeqNr sn;
  Digest digest;
};

/// What a member has accepted for a slot, within its promise.
struct PaxosClaim {
  View ballot;
  SeqNr sn;
  Digest digest;
};

/// "I accept nothing below this ballot any more, and this is what I have accepted, durably."
/// To all: it is reason for every other member to wait for progress, or to promise the same.
struct PaxosPromise {
  SegmentId segment;
  View ballot;
  /// Of each slot the newest, by ascending `sn`.
  std::vector<PaxosClaim> claims;
};

/// What the owner of a ballot above 0 proposes, slot by slot; `nil_digest` where nothing can have
/// been chosen.
struct PaxosTakeOver {
  SegmentId segment;
  View ballot;
  std::vector<Digest> digests;
};

using PaxosMessage = std::variant<PaxosAccept, PaxosAccepted, PaxosPromise, PaxosTakeOver>;

namespace wire {
template <>
inline constexpr std::string_view given_name<PaxosMessage> = "PaxosMessage";
}  // namespace wire

/// Before a promise is sent.
struct PaxosPromiseEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 40;

  SegmentId segment;
  View ballot;
};

/// Before anything is accepted in a ballot above 0, and before its owner proposes anything in it.
struct PaxosTakeOverEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 41;

  PaxosTakeOver message;
};

/// Before an `Accept` or `Accepted` is sent.
struct PaxosAcceptedEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 42;

  SegmentId segment;
  View ballot;
  SeqNr sn;
  Digest digest;
  /// Empty where the entry before it, of this slot, has the same digest.
  Batch batch;
};

/// A slot is decided. Nothing waits for it: it only saves work after a restart.
struct PaxosDecidedEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 43;

  SegmentId segment;
  SeqNr sn;
  Digest digest;
  /// Empty where what was accepted last has the same digest.
  Batch batch;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::PaxosAccept, segment, sn, batch);
BOOST_HANA_ADAPT_STRUCT(mirbft::PaxosAccepted, segment, ballot, sn, digest);
BOOST_HANA_ADAPT_STRUCT(mirbft::PaxosClaim, ballot, sn, digest);
BOOST_HANA_ADAPT_STRUCT(mirbft::PaxosPromise, segment, ballot, claims);
BOOST_HANA_ADAPT_STRUCT(mirbft::PaxosTakeOver, segment, ballot, digests);
BOOST_HANA_ADAPT_STRUCT(mirbft::PaxosPromiseEntry, segment, ballot);
BOOST_HANA_ADAPT_STRUCT(mirbft::PaxosTakeOverEntry, message);
BOOST_HANA_ADAPT_STRUCT(mirbft::PaxosAcceptedEntry, segment, ballot, sn, digest, batch);
BOOST_HANA_ADAPT_STRUCT(mirbft::PaxosDecidedEntry, segment, sn, digest, batch);

// <mirbft/protocol/orderers/paxos_slot.hpp>
// One slot of a Paxos segment: what is proposed, what was accepted, and what that has led to.

namespace mirbft::paxos {

/// What a member has accepted, and in which ballot.
struct Acceptance {
  View ballot;
  Digest digest;

  friend bool operator==(const Acceptance&, const Acceptance&) = default;
};

/// What this replica knows of a slot.
struct Slot {
  /// How far it has come in the current ballot.
  enum class Stage : std::uint8_t {
    idle,
    checking,  // the leader's proposal is being checked, its bodies may be missing
    fetching,  // the ballot's digest is known, its batch is not here
    accepted,
  };

  Stage stage = Stage::idle;
  /// What the current ballot proposes, once its digest is known.
  Digest proposed;

  /// The leader's batch if it is here, and its digest once that is computed.
  Batch batch;
  std::optional<Digest> batch_digest;

  /// The newest that this replica has accepted; durable before anything is said that follows
  /// from it, since the log keeps its order.
  std::optional<Acceptance> accepted;
  /// The newest that is durable, so that it may be said again.
  std::optional<Acceptance> said;

  /// Of each member the newest. A member never goes back to a lower ballot.
  std::vector<std::optional<Acceptance>> acceptances;
  /// A majority has accepted this in one ballot.
  std::optional<Digest> chosen;
  std::optional<Digest> decided;

  bool holds(const Digest& wanted) const noexcept {
    return wanted == nil_digest || batch_digest == wanted;
  }
  Batch batch_for(const Digest& wanted) const { return wanted == nil_digest ? Batch{} : batch; }
  /// The batch as the log needs it: nothing where what was accepted last has it already.
  Batch batch_to_log(const Digest& wanted) const {
    return accepted && accepted->digest == wanted ? Batch{} : batch_for(wanted);
  }

  /// Notes what a member has accepted. Returns how many have accepted the same.
  std::size_t note(std::size_t member, const Acceptance& acceptance, std::size_t members) {
    acceptances.resize(members);
    auto& newest = acceptances[member];
    if (!newest || newest->ballot < acceptance.ballot) newest = acceptance;
    std::size_t same = 0;
    for (const auto& other : acceptances) same += other == acceptance;
    return same;
  }
};

}  // namespace mirbft::paxos

namespace mirbft {

/// Single-decree Paxos (Lamport, "Paxos Made Simple", 2001) for each slot of a segment, with the
/// ballots of all its slots in common. n > 2f members, of which f may stop; nothing is signed.
/// `env` is what every orderer gets: see `Pbft`.
///
/// Ballot b is owned by members[(index(leader) + b) mod n]. The leader owns ballot 0 and proposes
/// in it at once, since there is no lower one. Who gives up on a ballot promises the next one and
/// tells all: phases 1a and 1b in one. The others then wait for the segment as well, and promise
/// in their turn unless it makes progress: one member that hears too little does not stop it. The
/// owner of a ballot with a majority of promises proposes for all slots together. In ballots above
/// 0 digests are enough, since no member accepts what it does not hold. A slot has one batch at
/// most: what the leader has proposed was durable first, and no other member proposes a new one.
struct Paxos {
  using Message = PaxosMessage;
  using Entry = std::variant<PaxosPromiseEntry, PaxosTakeOverEntry, PaxosAcceptedEntry,
                             PaxosDecidedEntry>;
  using consumes = events<WalEntry<PaxosPromiseEntry>, WalEntry<PaxosTakeOverEntry>,
                          WalEntry<PaxosAcceptedEntry>, WalEntry<PaxosDecidedEntry>>;
  using emits = events<WalAppend<PaxosPromiseEntry>, WalAppend<PaxosTakeOverEntry>,
                       WalAppend<PaxosAcceptedEntry>, WalAppend<PaxosDecidedEntry>>;

  static constexpr Quorum quorum(std::size_t members) noexcept {
    return Quorum(members, Faults::crash);
  }

  static FrameClass frame_class(const Message& message) noexcept {
    return std::holds_alternative<PaxosAccepted>(message) ? FrameClass::vote : FrameClass::batch;
  }

  static SegmentId segment_of(const Message& message) noexcept {
    SegmentId segment;
    visit_alternative(message, [&](const auto& one) { segment = one.segment; });
    return segment;
  }
  static SegmentId segment_of(const PaxosPromiseEntry& entry) noexcept { return entry.segment; }
  static SegmentId segment_of(const PaxosTakeOverEntry& entry) noexcept {
    return entry.message.segment;
  }
  static SegmentId segment_of(const PaxosAcceptedEntry& entry) noexcept { return entry.segment; }
  static SegmentId segment_of(const PaxosDecidedEntry& entry) noexcept { return entry.segment; }

  class Segment;
};

/// The state of one segment at one replica.
class Paxos::Segment {
 public:
  Segment(const iss::EpochPlan& plan, std::uint32_t index, std::size_t members)
      : id_{plan.epoch(), index},
        leader_(plan.leader(index)),
        range_{plan.sn_of(index, 0), plan.segments(), plan.segment_length()},
        slots_(plan.segment_length()),
        promises_(members) {}

  NodeId leader() const noexcept { return leader_; }
  View view() const noexcept { return ballot_; }
  bool is_complete() const noexcept { return decided_ == slots_.size(); }
  /// Whether its leader may still propose.
  bool is_open() const noexcept { return promised_ == View(0); }

  // Proposals, batches and decisions.

  /// The leader's own proposal for a slot that has none yet. It comes to nothing once ballot 0 is
  /// given up on: then the slot is decided as nil, and its requests go back to their buckets.
  void propose(std::uint32_t place, Batch batch, const Digest& digest, auto& env) {
    if (!is_open()) return;
    hold(place, std::move(batch), digest);
    accept(place, digest, env);
  }
  /// Whether this replica has proposed for a slot, perhaps before a restart.
  bool is_proposed(std::uint32_t place) const noexcept {
    return slots_[place].stage != Stage::idle || slots_[place].decided;
  }

  /// The answer to `env.check`: the proposal keeps the rules, its bodies are here.
  void checked(std::uint32_t place, const Digest& digest, auto& env) {
    Slot& slot = slots_[place];
    if (slot.decided) return;
    slot.batch_digest = digest;
    if (slot.stage == Stage::checking && is_open()) {
      accept(place, digest, env);
      note(place, env.cluster().find(leader_)->index, {View(0), digest}, env);
    }
    has_come(place, digest, env);
  }

  /// The digest of a batch that this replica lacks: fetched from others, and then `supplied`.
  std::optional<Digest> wanted(std::uint32_t place) const {
    const Slot& slot = slots_[place];
    if (slot.decided) return std::nullopt;
    if (slot.chosen) return slot.chosen;
    return slot.stage == Stage::fetching ? std::optional(slot.proposed) : std::nullopt;
  }
  void supplied(std::uint32_t place, const Digest& digest, Batch batch, auto& env) {
    if (wanted(place) != digest) return;
    hold(place, std::move(batch), digest);
    has_come(place, digest, env);
  }
  /// The batch that is here for a slot that may be undecided, for others who want it.
  std::optional<Batch> batch_of(std::uint32_t place) const {
    const Slot& slot = slots_[place];
    return slot.batch_digest ? std::optional(slot.batch) : std::nullopt;
  }

  /// Others have decided this: so has this replica.
  void adopt(std::uint32_t place, const Digest& digest, Batch batch, auto& env) {
    if (slots_[place].decided) return;
    if (digest != nil_digest) hold(place, std::move(batch), digest);
    decide(place, digest, env);
  }
  /// Who has decided a slot tells the digest to whoever asks, and needs nobody's votes for that.
  static constexpr bool awaits_votes(std::uint32_t) noexcept { return false; }
  bool is_committed(std::uint32_t place) const noexcept {
    return slots_[place].decided.has_value();
  }

  void receive(iss::Member from, Message message, auto& env) {
    if (is_stable_) return;
    visit_alternative(message, [&](auto& one) { receive(from, std::move(one), env); });
  }

  // Time.

  /// At every Tick. `expected` tells whether anybody waits for this segment: a leader who has
  /// nothing to propose is not suspected.
  void tick(bool expected, auto& env) {
    const auto now = env.now();
    const auto elapsed = now - std::exchange(last_tick_, now);
    if (is_stable_) return;
    if (is_changing()) return tick_while_changing(env);
    if (is_complete()) return;
    if (!expected && ballot_ == View(0) && highest_promise() == View(0)) {
      last_progress_ = now;
      return;
    }
    if (began_) waited_ += elapsed;
    if (!std::exchange(began_, true)) last_progress_ = now;
    const bool stuck = now - last_progress_ >= env.patience(ballot_);
    const bool slow = ballot_ == View(0) && waited_ >= env.segment_patience(slots_.size());
    if (stuck || slow) promise(std::max(ballot_ + 1, highest_promise()), env);
  }
  /// For how long nothing has been decided here although it was expected.
  std::chrono::nanoseconds idle_for(std::chrono::nanoseconds now) const noexcept {
    return began_ ? now - last_progress_ : std::chrono::nanoseconds(0);
  }

  /// A majority is done with the segment: nobody needs what was said of it any more.
  void stable() {
    if (!is_complete()) return;
    is_stable_ = true;
    for (Slot& slot : slots_) {
      const auto decided = slot.decided;
      slot = {};
      slot.decided = decided;
    }
    promises_ = {};
    take_over_.reset();
  }

  /// Says again, by `send(message)`, what this replica has said of a slot.
  void repeat_slot(std::uint32_t place, NodeId self, auto&& send) const {
    const Slot& slot = slots_[place];
    if (!slot.said) return;
    const SeqNr sn = range_.sn_of(place);
    if (self == leader_ && slot.said->ballot == View(0)) send(PaxosAccept{id_, sn, slot.batch});
    // Of a leader too: who no longer looks at its proposal can still learn from that.
    send(PaxosAccepted{id_, slot.said->ballot, sn, slot.said->digest});
  }
  /// The same of the segment as a whole.
  void repeat_view(auto&& send) const {
    if (is_changing() && has_said_promise_) send(own_promise());
    if (take_over_) send(*take_over_);
  }

  // After a restart: entries of the write-ahead log, in order, and then `resume`.

  void recover(PaxosPromiseEntry entry, auto&) {
    promised_ = std::max(promised_, entry.ballot);
    has_said_promise_ = true;
  }
  void recover(PaxosTakeOverEntry entry, auto& env) { begin(std::move(entry.message), env); }
  void recover(PaxosAcceptedEntry entry, auto& env) {
    const auto place = range_.place_of(entry.sn);
    if (!place) return;
    Slot& slot = slots_[*place];
    if (!slot.holds(entry.digest)) hold(*place, std::move(entry.batch), entry.digest);
    if (entry.ballot == View(0)) env.claimed(id_, *place, slot.batch);
    slot.accepted = slot.said = {entry.ballot, entry.digest};
    slot.stage = Stage::accepted;
    slot.proposed = entry.digest;
    if (!slot.decided)
      (void)slot.note(env.cluster().self().index, *slot.said, env.cluster().members().size());
  }
  void recover(PaxosDecidedEntry entry, auto& env) {
    const auto place = range_.place_of(entry.sn);
    if (!place || slots_[*place].decided) return;
    if (!slots_[*place].holds(entry.digest)) hold(*place, std::move(entry.batch), entry.digest);
    settle(*place, entry.digest, env);
  }
  void resume(auto& env) {
    if (is_changing()) {
      promises_[env.cluster().self().index] = own_promise();
      try_to_take_over(env);
    } else if (ballot_ != View(0)) {
      accept_all(env);
    }
    const NodeId self = env.cluster().self().id;
    const auto send = [&](auto message) { env.emit(env.to_others(std::move(message))); };
    repeat_view(send);
    for (std::uint32_t place = 0; place < slots_.size(); ++place)
      if (!slots_[place].decided) repeat_slot(place, self, send);
  }

 private:
  using Bad = iss::BadMessage;
  using Slot = paxos::Slot;
  using Stage = Slot::Stage;

  RetentionIndex retention() const noexcept { return RetentionIndex(id_.epoch.value); }
  /// This replica has promised a ballot, and accepts nothing until that or a later one begins.
  bool is_changing() const noexcept { return promised_ > ballot_; }
  NodeId owner(View ballot, const iss::Cluster& cluster) const {
    const std::size_t n = cluster.members().size();
    return cluster.members()[(cluster.find(leader_)->index + ballot.value % n) % n];
  }
  void hold(std::uint32_t place, Batch batch, const Digest& digest) {
    slots_[place].batch = std::move(batch);
    slots_[place].batch_digest = digest;
  }

  // Accepting, and learning what was chosen.

  /// At most one value a slot and ballot; it is here, and durable before anybody hears of it.
  void accept(std::uint32_t place, const Digest& digest, auto& env) {
    if (!env.may_vote(id_)) return;
    Slot& slot = slots_[place];
    const SeqNr sn = range_.sn_of(place);
    slot.stage = Stage::accepted;
    slot.proposed = digest;
    const Batch to_log = slot.batch_to_log(digest);
    slot.accepted = {ballot_, digest};
    const PaxosAccepted own{id_, ballot_, sn, digest};
    auto durable =
        env.emit(WalAppend<PaxosAcceptedEntry>{{id_, ballot_, sn, digest, to_log}, retention()});
    if (ballot_ == View(0) && env.cluster().self().id == leader_) {
      durable.then(env.to_others(PaxosAccept{id_, sn, slot.batch}), env.to_self(own));
    } else {
      durable.then(env.to_others(own), env.to_self(own));
    }
  }

  void receive(iss::Member from, PaxosAccept message, auto& env) {
    const std::optional<std::uint32_t> place = range_.place_of(message.sn);
    if (!place || from.id != leader_ || from.id == env.cluster().self().id)
      return env.bad(Bad::proposal);
    Slot& slot = slots_[*place];
    if (slot.decided || !is_open() || slot.stage != Stage::idle) return;
    slot.stage = Stage::checking;
    slot.batch = std::move(message.batch);
    slot.batch_digest.reset();
    env.check(id_, *place, slot.batch);
  }

  void receive(iss::Member from, const PaxosAccepted& message, auto& env) {
    const std::optional<std::uint32_t> place = range_.place_of(message.sn);
    if (!place) return env.bad(Bad::vote);
    const paxos::Acceptance acceptance{message.ballot, message.digest};
    if (from.id == env.cluster().self().id) slots_[*place].said = acceptance;
    note(*place, from.index, acceptance, env);
  }

  void note(std::uint32_t place, std::size_t member, const paxos::Acceptance& acceptance,
            auto& env) {
    Slot& slot = slots_[place];
    if (slot.decided || slot.chosen) return;
    const std::size_t same = slot.note(member, acceptance, env.cluster().members().size());
    if (same < env.cluster().quorum().strong()) return;
    slot.chosen = acceptance.digest;
    if (slot.holds(*slot.chosen)) decide(place, acceptance.digest, env);
  }

  /// A batch is here now: it may be what a majority has chosen, or what the ballot proposes.
  void has_come(std::uint32_t place, const Digest& digest, auto& env) {
    Slot& slot = slots_[place];
    if (slot.stage == Stage::fetching && slot.proposed == digest && !is_changing())
      accept(place, digest, env);
    if (slot.chosen == digest && !slot.decided) decide(place, digest, env);
  }

  void decide(std::uint32_t place, const Digest& digest, auto& env) {
    const Slot& slot = slots_[place];
    env.emit(WalAppend<PaxosDecidedEntry>{
        {id_, range_.sn_of(place), digest, slot.batch_to_log(digest)}, retention()});
    settle(place, digest, env);
  }
  void settle(std::uint32_t place, const Digest& digest, auto& env) {
    Slot& slot = slots_[place];
    slot.decided = digest;
    slot.acceptances = {};
    ++decided_;
    last_progress_ = env.now();
    env.decided(id_, place, digest, slot.batch_for(digest));
  }

  // Changing ballots.

  /// Accepts nothing below `ballot` any more, and tells all.
  void promise(View ballot, auto& env) {
    if (!env.may_vote(id_)) return;
    promised_ = ballot;
    called_.reset();
    has_said_promise_ = has_drafted_ = false;
    const PaxosPromise own = own_promise();
    env.emit(WalAppend<PaxosPromiseEntry>{{id_, ballot}, retention()})
        .then(env.to_others(own), env.to_self(own));
  }
  View highest_promise() const noexcept {
    View highest;
    for (const auto& one : promises_)
      if (one) highest = std::max(highest, one->ballot);
    return highest;
  }
  /// Nothing is accepted between a promise and the ballot that it is for, so that this is the same
  /// each time.
  PaxosPromise own_promise() const {
    PaxosPromise own{id_, promised_, {}};
    for (std::uint32_t place = 0; place < slots_.size(); ++place)
      if (const auto& accepted = slots_[place].accepted)
        own.claims.push_back({accepted->ballot, range_.sn_of(place), accepted->digest});
    return own;
  }

  void receive(iss::Member from, PaxosPromise message, auto& env) {
    for (const PaxosClaim& claim : message.claims)
      if (!range_.place_of(claim.sn) || claim.ballot >= message.ballot) return env.bad(Bad::vote);
    if (message.ballot <= ballot_) {
      if (take_over_ && from.id != env.cluster().self().id)
        env.emit(env.to(from.id, *take_over_));
      return;
    }
    if (from.id == env.cluster().self().id && message.ballot == promised_)
      has_said_promise_ = true;
    auto& newest = promises_[from.index];
    if (newest && message.ballot < newest->ballot) return;
    newest = std::move(message);
    // Who has decided everything has nothing to lose by it.
    if ((is_changing() || is_complete()) && newest->ballot > promised_)
      promise(newest->ballot, env);
    try_to_take_over(env);
  }

  /// A majority has promised the own ballot: of each slot what was accepted last, or nil where
  /// nothing can have been chosen. Durable before it is proposed, since after a restart another
  /// majority might lead to another proposal.
  void try_to_take_over(auto& env) {
    if (!is_changing() || has_drafted_ ||
        owner(promised_, env.cluster()) != env.cluster().self().id)
      return;
    std::size_t promised = 0;
    std::vector<paxos::Acceptance> newest(slots_.size());
    for (const auto& one : promises_) {
      if (!one || one->ballot != promised_) continue;
      ++promised;
      for (const PaxosClaim& claim : one->claims) {
        paxos::Acceptance& best = newest[*range_.place_of(claim.sn)];
        if (claim.ballot >= best.ballot) best = {claim.ballot, claim.digest};
      }
    }
    if (promised < env.cluster().quorum().strong()) return;
    has_drafted_ = true;
    PaxosTakeOver own{id_, promised_, {}};
    for (const paxos::Acceptance& best : newest) own.digests.push_back(best.digest);
    env.emit(WalAppend<PaxosTakeOverEntry>{{own}, retention()})
        .then(env.to_others(own), env.to_self(own));
  }

  /// Anybody may pass it on: nobody lies.
  void receive(iss::Member from, PaxosTakeOver message, auto& env) {
    if (message.digests.size() != slots_.size()) return env.bad(Bad::vote);
    if (message.ballot <= ballot_ || message.ballot < promised_ || !env.may_vote(id_)) return;
    if (from.id != env.cluster().self().id)
      env.emit(WalAppend<PaxosTakeOverEntry>{{message}, retention()});
    begin(std::move(message), env);
    accept_all(env);
  }

  void begin(PaxosTakeOver message, auto& env) {
    ballot_ = promised_ = message.ballot;
    called_.reset();
    has_said_promise_ = has_drafted_ = false;
    began_ = true;
    last_progress_ = last_said_ = env.now();
    for (std::uint32_t place = 0; place < slots_.size(); ++place) {
      slots_[place].stage = Stage::idle;
      slots_[place].proposed = message.digests[place];
    }
    take_over_ = std::move(message);
  }

  /// Also what is decided here: others may need that to finish.
  void accept_all(auto& env) {
    for (std::uint32_t place = 0; place < slots_.size(); ++place) {
      Slot& slot = slots_[place];
      if (slot.decided && slot.decided != slot.proposed)
        return env.halt("ballot " + std::to_string(ballot_.value) +
                        " contradicts what is decided for sequence number " +
                        std::to_string(range_.sn_of(place).value));
      if (slot.stage == Stage::accepted) continue;
      if (slot.holds(slot.proposed)) {
        accept(place, Digest(slot.proposed), env);
      } else {
        slot.stage = Stage::fetching;
      }
    }
  }

  /// The next ballot is promised only once a majority is ready for this one: a replica that is cut
  /// off must not race ahead alone.
  void tick_while_changing(auto& env) {
    const auto now = env.now();
    if (has_said_promise_ && now - last_said_ >= env.resend_after()) {
      last_said_ = now;
      env.emit(env.to_others(own_promise()));
    }
    std::size_t ready = 0;
    for (const auto& one : promises_) ready += one && one->ballot >= promised_;
    if (ready < env.cluster().quorum().strong()) return called_.reset();
    if (!called_) called_ = now;
    if (now - *called_ >= env.patience(promised_)) promise(promised_ + 1, env);
  }

  SegmentId id_;
  NodeId leader_;
  iss::SlotRange range_;
  std::vector<Slot> slots_;
  std::size_t decided_ = 0;
  bool is_stable_ = false;

  /// The ballot in which this replica accepts.
  View ballot_;
  /// No less than `ballot_`; above it while its owner's proposals are awaited.
  View promised_;
  /// The newest of each member.
  std::vector<std::optional<PaxosPromise>> promises_;
  /// The promise of `promised_` is durable.
  bool has_said_promise_ = false;
  /// This replica owns `promised_` and is about to propose in it.
  bool has_drafted_ = false;
  /// The proposals of the current ballot, if it is above 0.
  std::optional<PaxosTakeOver> take_over_;

  /// Whether this segment has been waited for yet.
  bool began_ = false;
  std::chrono::nanoseconds last_tick_{};
  std::chrono::nanoseconds last_progress_{};
  std::chrono::nanoseconds last_said_{};
  /// All the time for which this segment was waited for.
  std::chrono::nanoseconds waited_{};
  /// Since when a majority has promised `promised_` or a later ballot.
  std::optional<std::chrono::nanoseconds> called_;
};

}  // namespace mirbft

// <mirbft/protocol/orderers/pbft.hpp>
// PBFT as an orderer of ISS: agreement on each slot of one segment, under changing primaries.

// <mirbft/protocol/orderers/pbft_messages.hpp>
// What PBFT says, signs and writes ahead for a segment.

namespace mirbft {

/// The leader's proposal for a slot, with the leader's own signed Prepare (PBFT, section 4.2).
struct PrePrepare {
  SegmentId segment;
  SeqNr sn;
  Batch batch;
  Bytes signature;
};

/// "I have voted for this digest in this view, durably." Signed, since certificates show it on.
struct Prepare {
  SegmentId segment;
  View view;
  SeqNr sn;
  Digest digest;
  Bytes signature;
};

/// "I hold a certificate for this digest, durably." Nobody shows it on, so it is not signed.
struct Commit {
  SegmentId segment;
  View view;
  SeqNr sn;
  Digest digest;
};

/// One signature of a certificate.
struct CertificateSignature {
  NodeId node;
  Bytes signature;
};

/// `q` signed Prepares for one digest in one view of a slot: no other digest can have them there.
/// `nil_digest` may be certified like any other.
struct Certificate {
  View view;
  SeqNr sn;
  Digest digest;
  /// By ascending member.
  std::vector<CertificateSignature> signatures;
};

/// "In this view I held a certificate for this digest", within a ViewChange.
struct PreparedClaim {
  View view;
  SeqNr sn;
  Digest digest;

  friend bool operator==(const PreparedClaim&, const PreparedClaim&) = default;
};

/// "I vote in no view below this one, and this is all that I hold certificates for" (PBFT, section
/// 4.4). The certificates travel beside what is signed, so that a NewView need not repeat them all.
struct ViewChange {
  SegmentId segment;
  View view;
  NodeId sender;
  /// One for each slot with a certificate, that of the highest view; by ascending `sn`.
  std::vector<PreparedClaim> claims;
  Bytes signature;
  /// Those of the claims, in their order. None within a NewView.
  std::vector<Certificate> certificates;
};

/// The new primary's proof of what may be voted for in its view: exactly `q` ViewChanges, and one
/// certificate for each slot that any of them claims. The outcome follows from these alone.
struct NewView {
  SegmentId segment;
  View view;
  /// By ascending sender.
  std::vector<ViewChange> view_changes;
  /// By ascending `sn`.
  std::vector<Certificate> certificates;
  Bytes signature;
};

using PbftMessage = std::variant<PrePrepare, Prepare, Commit, ViewChange, NewView>;

namespace wire {
template <>
inline constexpr std::string_view given_name<PbftMessage> = "PbftMessage";
}  // namespace wire

/// What a Prepare's signature covers, with the domain and the cluster.
struct PrepareContent {
  SegmentId segment;
  View view;
  SeqNr sn;
  Digest digest;
};

/// Origin of the signature under this replica's own Prepare.
struct PrepareSigning {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 20;

  PrepareContent content;
};

/// Origin of the check of other replicas' Prepares for one slot.
struct PrepareChecking {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 21;

  PrepareContent content;
  std::vector<NodeId> signers;
};

/// What a ViewChange's signature covers.
struct ViewChangeContent {
  SegmentId segment;
  View view;
  NodeId sender;
  std::vector<PreparedClaim> claims;
};

/// What a NewView's signature covers.
struct NewViewContent {
  SegmentId segment;
  View view;
  std::vector<ViewChange> view_changes;
  std::vector<Certificate> certificates;
};

/// Which message of a view change of a segment: its view, and who has sent it.
struct ViewChangeMark {
  SegmentId segment;
  View view;
  NodeId sender;
};

/// Origin of the signature under this replica's own ViewChange.
struct ViewChangeSigning {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 22;

  ViewChangeContent content;
};

/// Origin of the check of another replica's ViewChange.
struct ViewChangeChecking {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 23;

  ViewChangeMark content;
};

/// Origin of the signature under this replica's own NewView.
struct NewViewSigning {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 24;

  ViewChangeMark content;
};

/// Origin of the check of a NewView.
struct NewViewChecking {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 25;

  ViewChangeMark content;
};

/// Before a Prepare is sent, and a PrePrepare with it: what it says, and of which batch.
struct VoteEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 20;

  PrepareContent content;
  Bytes signature;
  Batch batch;
};

/// Before a Commit is sent: the certificate that it stands for.
struct PreparedEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 21;

  SegmentId segment;
  Certificate certificate;
};

/// A slot is decided. Nothing waits for it: it only saves work after a restart.
struct DecidedEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 22;

  SegmentId segment;
  SeqNr sn;
  Digest digest;
  Batch batch;
};

/// Before a ViewChange is sent. Its certificates are in entries of their own.
struct ViewChangeEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 23;

  ViewChange message;
};

/// Before anything is voted for in a view, and before the NewView is sent by the one who made it.
struct NewViewEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 24;

  NewView message;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::PrePrepare, segment, sn, batch, signature);
BOOST_HANA_ADAPT_STRUCT(mirbft::Prepare, segment, view, sn, digest, signature);
BOOST_HANA_ADAPT_STRUCT(mirbft::Commit, segment, view, sn, digest);
BOOST_HANA_ADAPT_STRUCT(mirbft::CertificateSignature, node, signature);
BOOST_HANA_ADAPT_STRUCT(mirbft::Certificate, view, sn, digest, signatures);
BOOST_HANA_ADAPT_STRUCT(mirbft::PreparedClaim, view, sn, digest);
BOOST_HANA_ADAPT_STRUCT(mirbft::ViewChange, segment, view, sender, claims, signature,
                        certificates);
BOOST_HANA_ADAPT_STRUCT(mirbft::NewView, segment, view, view_changes, certificates, signature);
BOOST_HANA_ADAPT_STRUCT(mirbft::PrepareContent, segment, view, sn, digest);
BOOST_HANA_ADAPT_STRUCT(mirbft::PrepareSigning, content);
BOOST_HANA_ADAPT_STRUCT(mirbft::PrepareChecking, content, signers);
BOOST_HANA_ADAPT_STRUCT(mirbft::ViewChangeContent, segment, view, sender, claims);
BOOST_HANA_ADAPT_STRUCT(mirbft::NewViewContent, segment, view, view_changes, certificates);
BOOST_HANA_ADAPT_STRUCT(mirbft::ViewChangeMark, segment, view, sender);
BOOST_HANA_ADAPT_STRUCT(mirbft::ViewChangeSigning, content);
BOOST_HANA_ADAPT_STRUCT(mirbft::ViewChangeChecking, content);
BOOST_HANA_ADAPT_STRUCT(mirbft::NewViewSigning, content);
BOOST_HANA_ADAPT_STRUCT(mirbft::NewViewChecking, content);
BOOST_HANA_ADAPT_STRUCT(mirbft::VoteEntry, content, signature, batch);
BOOST_HANA_ADAPT_STRUCT(mirbft::PreparedEntry, segment, certificate);
BOOST_HANA_ADAPT_STRUCT(mirbft::DecidedEntry, segment, sn, digest, batch);
BOOST_HANA_ADAPT_STRUCT(mirbft::ViewChangeEntry, message);
BOOST_HANA_ADAPT_STRUCT(mirbft::NewViewEntry, message);

// <mirbft/protocol/orderers/pbft_slot.hpp>
// One slot of a PBFT segment: the proposal, the votes for it, and what they have led to.

namespace mirbft::pbft {

using iss::SlotRange;

/// A member's Prepare.
struct PrepareVote {
  enum class Opinion : std::uint8_t { unchecked, valid, forged };

  View view;
  Digest digest;
  Bytes signature;
  Opinion opinion = Opinion::unchecked;
};
/// A member's Commit.
struct CommitVote {
  View view;
  Digest digest;
};

/// What became of a vote: `contradicts` means another digest in the same view.
enum class Kept : std::uint8_t { news, known, contradicts };

/// Of each member the vote of its highest view: a correct member never goes back to a lower one.
template <class Vote>
class Votes {
 public:
  void make_room(std::size_t members) {
    if (votes_.empty()) votes_.resize(members);
  }
  void clear() { votes_ = {}; }

  Kept keep(std::size_t member, Vote vote) {
    auto& kept = votes_[member];
    if (kept && vote.view < kept->view) return Kept::known;
    if (kept && vote.view == kept->view)
      return vote.digest == kept->digest ? Kept::known : Kept::contradicts;
    kept = std::move(vote);
    return Kept::news;
  }
  /// The vote of a member if it is for `digest` in `view`.
  Vote* find(std::size_t member, View view, const Digest& digest) {
    if (member >= votes_.size() || !votes_[member]) return nullptr;
    Vote& vote = *votes_[member];
    return vote.view == view && vote.digest == digest ? &vote : nullptr;
  }
  std::size_t size() const noexcept { return votes_.size(); }

 private:
  std::vector<std::optional<Vote>> votes_;
};

/// What this replica knows of a slot.
struct Slot {
  /// How far it has come in the current view.
  enum class Stage : std::uint8_t {
    idle,
    checking,  // the proposal is being checked, its bodies may be missing
    fetching,  // the view's digest is known, its batch is not here
    voting,    // the own Prepare is being signed and written ahead
    voted,
    preparing,  // the certificate is being written ahead
    prepared,
  };

  Stage stage = Stage::idle;
  /// What is voted for in the current view.
  Digest digest;
  /// Signatures of Prepares are being checked.
  bool checking = false;
  Votes<PrepareVote> prepares;
  Votes<CommitVote> commits;

  /// The newest batch that is here, and its digest once that is computed.
  Batch batch;
  std::optional<Digest> batch_digest;
  Bytes leader_signature;

  // What this replica has said, durably; of each the newest.
  std::optional<PrepareVote> own_prepare;
  std::optional<CommitVote> own_commit;
  std::optional<Certificate> certificate;

  std::optional<Digest> decided;
  /// Votes of this view and below no longer matter.
  View decided_in;

  bool holds(const Digest& wanted) const noexcept {
    return wanted == nil_digest || batch_digest == wanted;
  }
  Batch batch_for(const Digest& wanted) const { return wanted == nil_digest ? Batch{} : batch; }
};

}  // namespace mirbft::pbft

// <mirbft/protocol/orderers/pbft_view_change.hpp>
// View changes of a PBFT segment: which messages are well formed, and what follows from them.

namespace mirbft::pbft {

// What is signed.

inline Bytes signed_bytes(const iss::Cluster& cluster, const PrepareContent& content) {
  return wire::canonical("prepare", cluster.name().view(), content);
}
inline ViewChangeContent content_of(const ViewChange& message) {
  return {message.segment, message.view, message.sender, message.claims};
}
inline Bytes signed_bytes(const iss::Cluster& cluster, const ViewChange& message) {
  return wire::canonical("view change", cluster.name().view(), content_of(message));
}
inline Bytes signed_bytes(const iss::Cluster& cluster, const NewView& message) {
  const NewViewContent content{message.segment, message.view, message.view_changes,
                               message.certificates};
  return wire::canonical("new view", cluster.name().view(), content);
}

// What is well formed. Cheap, and before any signature is checked.

/// Exactly a strong quorum of distinct members has signed.
template <class Rules = iss::Rules>
bool is_well_formed(const Certificate& certificate, const iss::Cluster& cluster,
                    const Rules& rules = {}) {
  const auto& signatures = certificate.signatures;
  if (signatures.size() != rules.prepares(cluster.quorum())) return false;
  for (std::size_t i = 0; i < signatures.size(); ++i)
    if (!cluster.find(signatures[i].node) ||
        (i != 0 && signatures[i - 1].node >= signatures[i].node))
      return false;
  return true;
}

/// Each claim is of another slot of the segment, and of a view before the one that is called for.
inline bool are_well_formed(const std::vector<PreparedClaim>& claims, View before,
                            const SlotRange& slots) {
  for (std::size_t i = 0; i < claims.size(); ++i)
    if (!slots.place_of(claims[i].sn) || claims[i].view >= before ||
        (i != 0 && claims[i - 1].sn >= claims[i].sn))
      return false;
  return true;
}

inline bool proves(const Certificate& certificate, const PreparedClaim& claim) {
  return certificate.view == claim.view && certificate.sn == claim.sn &&
         certificate.digest == claim.digest;
}

/// A ViewChange as its sender sends it: with the certificate of each claim.
template <class Rules = iss::Rules>
bool is_well_formed(const ViewChange& message, const SlotRange& slots, const iss::Cluster& cluster,
                    const Rules& rules = {}) {
  if (message.view == View(0) || !are_well_formed(message.claims, message.view, slots) ||
      message.certificates.size() != message.claims.size())
    return false;
  for (std::size_t i = 0; i < message.claims.size(); ++i)
    if (!proves(message.certificates[i], message.claims[i]) ||
        !is_well_formed(message.certificates[i], cluster, rules))
      return false;
  return true;
}

/// What a set of ViewChanges leads to: of each slot that is claimed, the claim of the highest view;
/// every other slot is given up. None if two claims contradict one another there. A function of
/// the set alone, so that the primary and its followers cannot differ.
template <class Rules = iss::Rules>
std::optional<std::vector<PreparedClaim>> outcome(const std::vector<ViewChange>& changes,
                                                  const Rules& rules = {}) {
  std::map<SeqNr, PreparedClaim> highest;
  bool contradiction = false;
  for (const ViewChange& change : changes)
    for (const PreparedClaim& claim : change.claims) {
      PreparedClaim& known = highest.try_emplace(claim.sn, claim).first->second;
      if (rules.supersedes(claim.view, known.view)) known = claim;
    }
  for (const ViewChange& change : changes)
    for (const PreparedClaim& claim : change.claims) {
      const PreparedClaim& chosen = highest.at(claim.sn);
      contradiction |= claim.view == chosen.view && claim.digest != chosen.digest;
    }
  if (contradiction) return std::nullopt;
  std::vector<PreparedClaim> claims;
  for (const auto& [sn, claim] : highest) claims.push_back(claim);
  return claims;
}

template <class Rules = iss::Rules>
bool is_well_formed(const NewView& message, const SlotRange& slots, const iss::Cluster& cluster,
                    const Rules& rules = {}) {
  const auto& changes = message.view_changes;
  if (message.view == View(0) || changes.size() != rules.view_changes(cluster.quorum()))
    return false;
  for (std::size_t i = 0; i < changes.size(); ++i)
    if (changes[i].segment != message.segment ||
        !rules.counts_for(changes[i].view, message.view) ||
        !cluster.find(changes[i].sender) || !changes[i].certificates.empty() ||
        (i != 0 && changes[i - 1].sender >= changes[i].sender) ||
        !are_well_formed(changes[i].claims, message.view, slots))
      return false;
  const auto claims = outcome(changes, rules);
  if (!claims || claims->size() != message.certificates.size()) return false;
  for (std::size_t i = 0; i < claims->size(); ++i)
    if (!proves(message.certificates[i], (*claims)[i]) ||
        !is_well_formed(message.certificates[i], cluster, rules))
      return false;
  return true;
}

// What has to be verified.

inline void add_signatures(std::vector<NodeSignature>& list, SegmentId segment,
                           const Certificate& certificate, const iss::Cluster& cluster) {
  const PrepareContent content{segment, certificate.view, certificate.sn, certificate.digest};
  const Bytes message = signed_bytes(cluster, content);
  for (const CertificateSignature& one : certificate.signatures)
    list.push_back({one.node, message, one.signature});
}
inline std::vector<NodeSignature> signatures_of(const ViewChange& change,
                                                const iss::Cluster& cluster) {
  std::vector<NodeSignature> list{
      {change.sender, signed_bytes(cluster, change), change.signature}};
  for (const Certificate& certificate : change.certificates)
    add_signatures(list, change.segment, certificate, cluster);
  return list;
}
inline std::vector<NodeSignature> signatures_of(const NewView& message, NodeId primary,
                                                const iss::Cluster& cluster) {
  std::vector<NodeSignature> list{{primary, signed_bytes(cluster, message), message.signature}};
  for (const ViewChange& change : message.view_changes)
    list.push_back({change.sender, signed_bytes(cluster, change), change.signature});
  for (const Certificate& certificate : message.certificates)
    add_signatures(list, message.segment, certificate, cluster);
  return list;
}

/// The ViewChanges of a segment: of each member that of the highest view.
class ViewChanges {
 public:
  void make_room(std::size_t members) {
    if (of_.empty()) of_.resize(members);
  }
  void clear() { of_ = {}; }

  /// Keeps a message whose signatures are yet to be checked. False when it is not news.
  bool keep(std::size_t member, ViewChange message) {
    One& one = of_[member];
    if (message.view <= one.view) return false;
    one = {message.view, std::move(message), false};
    return true;
  }
  /// The message that `mark` names, if it is still the newest of its sender.
  void checked(std::size_t member, View view, bool valid) {
    if (member >= of_.size() || of_[member].view != view) return;
    of_[member].is_valid = valid;
  }

  /// The highest view that at least `count` members call for, or a later one.
  View called_for_by(std::size_t count) const {
    std::vector<View> views;
    for (const One& one : of_) views.push_back(one.view);
    if (views.size() < count) return View(0);
    const auto nth = views.begin() + static_cast<std::ptrdiff_t>(count - 1);
    std::nth_element(views.begin(), nth, views.end(), std::greater<>());
    return *nth;
  }

  /// The NewView of `view`, unsigned, once a strong quorum calls for exactly that view.
  template <class Rules = iss::Rules>
  std::optional<NewView> new_view(SegmentId segment, View view, Quorum members,
                                  const Rules& rules = {}) const {
    const std::size_t quorum = rules.view_changes(members);
    NewView made{segment, view, {}, {}, {}};
    std::vector<const ViewChange*> chosen;
    for (const One& one : of_)
      if (one.is_valid && rules.counts_for(one.view, view) && chosen.size() < quorum)
        chosen.push_back(&one.message);
    if (chosen.size() < quorum) return std::nullopt;
    for (const ViewChange* change : chosen) {
      made.view_changes.push_back(*change);
      made.view_changes.back().certificates.clear();
    }
    const auto claims = outcome(made.view_changes, rules);
    if (!claims) return std::nullopt;
    for (const PreparedClaim& claim : *claims)
      made.certificates.push_back(certificate_of(claim, chosen));
    return made;
  }

 private:
  struct One {
    View view;
    ViewChange message;
    bool is_valid = false;
  };

  static Certificate certificate_of(const PreparedClaim& claim,
                                    const std::vector<const ViewChange*>& changes) {
    for (const ViewChange* change : changes)
      for (const Certificate& certificate : change->certificates)
        if (proves(certificate, claim)) return certificate;
    return {};
  }

  std::vector<One> of_;
};

}  // namespace mirbft::pbft

namespace mirbft {

/// Practical Byzantine Fault Tolerance (Castro and Liskov, OSDI 1999), one instance a segment.
///
/// An orderer of `Iss` offers `Message`, `Entry` (a variant of what it writes ahead), `consumes`,
/// `emits`, `segment_of`, `frame_class`, `quorum`, and the class `Segment`, whose calls get an
/// environment `env`:
///   env.cluster()                         the members;
///   env.rules()                           what is decided by: `iss::Rules`;
///   env.emit(event)                       emits, with `.then(…)`;
///   env.to(node, m), env.to_others(m), env.to_self(m)   events that carry an orderer's message;
///   env.now()                             the time of the newest Tick;
///   env.patience(view)                    how long a view may go without progress;
///   env.segment_patience(length)          how long a whole segment may be waited for;
///   env.resend_after()                    when to say something again;
///   env.may_vote(segment)                 false where this replica only learns;
///   env.claimed(segment, slot, batch)     a proposal that was voted for before a restart;
///   env.check(segment, slot, batch)       asks whether a proposal may be voted for; the answer is
///                                         a call of `checked`, when every body is there, or none;
///   env.decided(segment, slot, digest, batch)  the slot is committed, `nil_digest` for nothing;
///   env.bad(reason)                       counts a message that breaks a rule;
///   env.halt(reason)                      going on would be wrong.
struct Pbft {
  using Message = PbftMessage;
  using Entry =
      std::variant<VoteEntry, PreparedEntry, DecidedEntry, ViewChangeEntry, NewViewEntry>;
  using consumes =
      events<SignResult<PrepareSigning>, NodeSigsVerified<PrepareChecking>,
             SignResult<ViewChangeSigning>, NodeSigsVerified<ViewChangeChecking>,
             SignResult<NewViewSigning>, NodeSigsVerified<NewViewChecking>, WalEntry<VoteEntry>,
             WalEntry<PreparedEntry>, WalEntry<DecidedEntry>, WalEntry<ViewChangeEntry>,
             WalEntry<NewViewEntry>>;
  using emits =
      events<SignRequest<PrepareSigning>, VerifyNodeSigs<PrepareChecking>,
             SignRequest<ViewChangeSigning>, VerifyNodeSigs<ViewChangeChecking>,
             SignRequest<NewViewSigning>, VerifyNodeSigs<NewViewChecking>, WalAppend<VoteEntry>,
             WalAppend<PreparedEntry>, WalAppend<DecidedEntry>, WalAppend<ViewChangeEntry>,
             WalAppend<NewViewEntry>>;

  static constexpr Quorum quorum(std::size_t members) noexcept {
    return Quorum(members);
  }

  static FrameClass frame_class(const Message& message) noexcept {
    const bool small =
        std::holds_alternative<Prepare>(message) || std::holds_alternative<Commit>(message);
    return small ? FrameClass::vote : FrameClass::batch;
  }

  static SegmentId segment_of(const Message& message) noexcept {
    SegmentId segment;
    visit_alternative(message, [&](const auto& one) { segment = one.segment; });
    return segment;
  }
  static SegmentId segment_of(const VoteEntry& entry) noexcept { return entry.content.segment; }
  static SegmentId segment_of(const PreparedEntry& entry) noexcept { return entry.segment; }
  static SegmentId segment_of(const DecidedEntry& entry) noexcept { return entry.segment; }
  static SegmentId segment_of(const ViewChangeEntry& entry) noexcept {
    return entry.message.segment;
  }
  static SegmentId segment_of(const NewViewEntry& entry) noexcept { return entry.message.segment; }

  class Segment;
};

/// The state of one segment at one replica.
class Pbft::Segment {
 public:
  Segment(const iss::EpochPlan& plan, std::uint32_t index, std::size_t members)
      : id_{plan.epoch(), index},
        leader_(plan.leader(index)),
        range_{plan.sn_of(index, 0), plan.segments(), plan.segment_length()},
        members_(members),
        slots_(plan.segment_length()) {}

  NodeId leader() const noexcept { return leader_; }
  View view() const noexcept { return view_; }
  bool is_complete() const noexcept { return decided_ == slots_.size(); }
  /// Whether its leader may still propose.
  bool is_open() const noexcept { return view_ == View(0) && !is_changing(); }

  // Proposals, batches and decisions.

  /// The leader's own proposal for a slot that has none yet. It comes to nothing once the view is
  /// changing: then the slot is decided as nil, and its requests go back to their buckets.
  void propose(std::uint32_t place, Batch batch, const Digest& digest, auto& env) {
    if (!is_open()) return;
    hold(place, std::move(batch), digest);
    vote(place, digest, env);
  }
  /// Whether this replica has proposed for a slot, perhaps before a restart.
  bool is_proposed(std::uint32_t place) const noexcept {
    return slots_[place].stage != Stage::idle || slots_[place].decided;
  }

  /// The answer to `env.check`: the proposal keeps the rules, its bodies are here.
  void checked(std::uint32_t place, const Digest& digest, auto& env) {
    Slot& slot = slots_[place];
    if (slot.batch_digest) return;  // another batch has taken the place of the one that was checked
    slot.batch_digest = digest;
    if (slot.stage == Stage::fetching && slot.digest == digest) return vote(place, digest, env);
    if (slot.stage != Stage::checking || is_changing()) return;
    const std::size_t leader = env.cluster().find(leader_)->index;
    make_room(slot);
    (void)slot.prepares.keep(leader, {view_, digest, slot.leader_signature});
    vote(place, digest, env);
  }

  /// The digest of a batch that this replica lacks: fetched from others, and then `supplied`.
  std::optional<Digest> wanted(std::uint32_t place) const {
    const Slot& slot = slots_[place];
    return slot.stage == Stage::fetching && !slot.decided ? std::optional(slot.digest)
                                                          : std::nullopt;
  }
  void supplied(std::uint32_t place, const Digest& digest, Batch batch, auto& env) {
    if (wanted(place) != digest) return;
    hold(place, std::move(batch), digest);
    vote(place, digest, env);
  }
  /// The batch that is here for a slot that may be undecided, for others who want it.
  std::optional<Batch> batch_of(std::uint32_t place) const {
    const Slot& slot = slots_[place];
    return slot.batch_digest ? std::optional(slot.batch) : std::nullopt;
  }

  /// Others have committed this: so has this replica.
  void adopt(std::uint32_t place, const Digest& digest, Batch batch, auto& env) {
    if (slots_[place].decided) return;
    if (digest != nil_digest) hold(place, std::move(batch), digest);
    commit(place, digest, env);
  }

  // Messages, and answers of other modules.

  void receive(iss::Member from, Message message, auto& env) {
    if (is_stable_) return;
    visit_alternative(message, [&](auto& one) { receive(from, std::move(one), env); });
  }

  /// The own signature is there: the vote becomes durable, and only then is it sent and counted.
  void process(SignResult<PrepareSigning> signed_, auto& env) {
    const PrepareContent& content = signed_.origin.content;
    const std::optional<std::uint32_t> place = range_.place_of(content.sn);
    if (!place || content.view != view_ || is_changing()) return;
    const Slot& slot = slots_[*place];
    if (slot.stage != Stage::voting || slot.digest != content.digest) return;
    const Batch batch = slot.batch_for(content.digest);
    const Prepare own{id_, content.view, content.sn, content.digest, signed_.signature};
    auto voted =
        env.emit(WalAppend<VoteEntry>{{content, signed_.signature, batch}, retention()});
    if (view_ == View(0) && env.cluster().self().id == leader_) {
      voted.then(env.to_others(PrePrepare{id_, content.sn, batch, signed_.signature}),
                 env.to_self(own));
    } else {
      voted.then(env.to_others(own), env.to_self(own));
    }
  }

  void process(NodeSigsVerified<PrepareChecking> verified, auto& env) {
    const PrepareContent& content = verified.origin.content;
    const std::optional<std::uint32_t> place = range_.place_of(content.sn);
    if (!place) return;
    Slot& slot = slots_[*place];
    if (content.view == view_) slot.checking = false;
    for (std::size_t i = 0; i < verified.verdicts.size(); ++i) {
      const std::size_t signer = env.cluster().find(verified.origin.signers[i])->index;
      const bool valid = verified.verdicts[i] == SignatureCheck::valid;
      if (!valid) env.bad(Bad::signature);
      if (PrepareVote* vote = slot.prepares.find(signer, content.view, content.digest))
        vote->opinion = valid ? Opinion::valid : Opinion::forged;
    }
    try_to_prepare(*place, env);
  }

  void process(SignResult<ViewChangeSigning> signed_, auto& env) {
    ViewChangeContent& content = signed_.origin.content;
    if (content.view != target_ || !is_changing()) return;
    ViewChange own{content.segment,          content.view, content.sender,
                   std::move(content.claims), {},           {}};
    own.signature = std::move(signed_.signature);
    auto durable = env.emit(WalAppend<ViewChangeEntry>{{own}, retention()});
    own.certificates = certificates(env.rules());
    durable.then(env.to_others(own), env.to_self(own));
  }

  void process(NodeSigsVerified<ViewChangeChecking> verified, auto& env) {
    const ViewChangeMark& mark = verified.origin.content;
    const bool valid = all_valid(verified.verdicts);
    if (!valid) env.bad(Bad::signature);
    changes_.checked(env.cluster().find(mark.sender)->index, mark.view, valid);
    try_to_lead(env);
  }

  void process(SignResult<NewViewSigning> signed_, auto& env) {
    if (!draft_ || signed_.origin.content.view != draft_->view || target_ != draft_->view) return;
    draft_->signature = std::move(signed_.signature);
    const NewView own = std::move(*draft_);
    env.emit(WalAppend<NewViewEntry>{{own}, retention()})
        .then(env.to_others(own), env.to_self(own));
    enter(own, env);
  }

  void process(NodeSigsVerified<NewViewChecking> verified, auto& env) {
    const ViewChangeMark& mark = verified.origin.content;
    const std::size_t sender = env.cluster().find(mark.sender)->index;
    if (sender >= offered_.size() || !offered_[sender] || offered_[sender]->view != mark.view)
      return;
    const NewView message = *std::exchange(offered_[sender], std::nullopt);
    if (!all_valid(verified.verdicts)) return env.bad(Bad::signature);
    if (message.view <= view_ || message.view < target_) return;
    env.emit(WalAppend<NewViewEntry>{{message}, retention()}).then(env.to_self(message));
    enter(message, env);
  }

  // Time.

  /// Whether this replica still needs votes of the current view to help those who have not decided
  /// a slot that it has.
  bool awaits_votes(std::uint32_t place) const noexcept {
    return !is_stable_ && !is_changing() && view_ != View(0) &&
           slots_[place].stage < Stage::preparing;
  }

  /// At every Tick. `expected` tells whether anybody waits for this segment: a leader who has
  /// nothing to propose is not suspected.
  void tick(bool expected, auto& env) {
    const auto now = env.now();
    const auto elapsed = now - std::exchange(last_tick_, now);
    if (is_stable_ || is_complete()) return;
    if (is_changing()) return tick_while_changing(env);
    if (!expected && view_ == View(0)) {
      last_progress_ = now;
      return;
    }
    if (began_) waited_ += elapsed;
    if (!std::exchange(began_, true)) last_progress_ = now;
    const bool stuck = now - last_progress_ >= env.patience(view_);
    const bool slow = view_ == View(0) && waited_ >= env.segment_patience(slots_.size());
    if (stuck || slow) call_for(view_ + 1, env);
  }
  /// For how long nothing has been decided here although it was expected.
  std::chrono::nanoseconds idle_for(std::chrono::nanoseconds now) const noexcept {
    return began_ ? now - last_progress_ : std::chrono::nanoseconds(0);
  }

  /// A strong quorum is done with the segment: nobody needs its votes or certificates any more.
  void stable() {
    if (!is_complete()) return;
    is_stable_ = true;
    for (Slot& slot : slots_) {
      const auto decided = slot.decided;
      slot = {};
      slot.decided = decided;
    }
    changes_.clear();
    offered_ = {};
    own_change_.reset();
    new_view_.reset();
  }

  /// Says again, by `send(message)`, what this replica has said of a slot.
  void repeat_slot(std::uint32_t place, NodeId self, auto&& send) const {
    const Slot& slot = slots_[place];
    const SeqNr sn = range_.sn_of(place);
    if (const auto& own = slot.own_prepare) {
      if (own->view == View(0) && self == leader_) {
        send(PrePrepare{id_, sn, slot.batch, own->signature});
      } else {
        send(Prepare{id_, own->view, sn, own->digest, own->signature});
      }
    }
    if (const auto& own = slot.own_commit) send(Commit{id_, own->view, sn, own->digest});
  }
  /// The same of the segment as a whole.
  void repeat_view(auto&& send) const {
    if (is_changing() && own_change_) send(*own_change_);
    if (new_view_) send(*new_view_);
  }

  // After a restart: entries of the write-ahead log, in order, and then `resume`.

  void recover(VoteEntry entry, auto& env) {
    const auto place = range_.place_of(entry.content.sn);
    if (!place) return;
    Slot& slot = slots_[*place];
    const PrepareContent& content = entry.content;
    if (content.digest != nil_digest) hold(*place, std::move(entry.batch), content.digest);
    if (content.view == View(0)) env.claimed(id_, *place, slot.batch);
    slot.own_prepare = {content.view, content.digest, entry.signature, Opinion::valid};
    if (content.view != view_ || (slot.decided && content.view <= slot.decided_in)) return;
    slot.digest = content.digest;
    slot.stage = Stage::voted;
    make_room(slot);
    (void)slot.prepares.keep(env.cluster().self().index, *slot.own_prepare);
  }
  void recover(PreparedEntry entry, auto& env) {
    const auto place = range_.place_of(entry.certificate.sn);
    if (!place) return;
    Slot& slot = slots_[*place];
    slot.own_commit = {entry.certificate.view, entry.certificate.digest};
    if (!slot.decided) {
      make_room(slot);
      (void)slot.commits.keep(env.cluster().self().index, *slot.own_commit);
    }
    if (entry.certificate.view == view_) slot.stage = Stage::prepared;
    slot.certificate = std::move(entry.certificate);
  }
  void recover(DecidedEntry entry, auto& env) {
    const auto place = range_.place_of(entry.sn);
    if (!place || slots_[*place].decided) return;
    if (!slots_[*place].holds(entry.digest)) hold(*place, std::move(entry.batch), entry.digest);
    decide(*place, entry.digest, env);
  }
  void recover(ViewChangeEntry entry, auto& env) {
    target_ = entry.message.view;
    began_ = true;
    own_change_ = std::move(entry.message);
    own_change_->certificates = certificates(env.rules());
    changes_.make_room(members_);
    keep_own_change(env);
  }
  void recover(NewViewEntry entry, auto& env) {
    begin_view(entry.message, env);
    new_view_ = std::move(entry.message);
  }

  void resume(auto& env) {
    if (!is_changing() && view_ != View(0)) vote_for_outcome(env);
    const auto send = [&](auto message) { env.emit(env.to_others(std::move(message))); };
    repeat_view(send);
    for (std::uint32_t place = 0; place < slots_.size(); ++place) {
      if (slots_[place].decided) continue;
      repeat_slot(place, env.cluster().self().id, send);
      try_to_prepare(place, env);
      try_to_commit(place, env);
    }
  }

 private:
  using Bad = iss::BadMessage;
  using Slot = pbft::Slot;
  using Stage = Slot::Stage;
  using PrepareVote = pbft::PrepareVote;
  using Opinion = PrepareVote::Opinion;

  RetentionIndex retention() const noexcept { return RetentionIndex(id_.epoch.value); }
  /// This replica has called for a view, and votes in none until that or a later one begins.
  bool is_changing() const noexcept { return target_ > view_; }
  NodeId primary(View view, const iss::Cluster& cluster) const {
    const std::size_t n = cluster.members().size();
    return cluster.members()[(cluster.find(leader_)->index + view.value % n) % n];
  }
  void make_room(Slot& slot) {
    slot.prepares.make_room(members_);
    slot.commits.make_room(members_);
  }
  void hold(std::uint32_t place, Batch batch, const Digest& digest) {
    slots_[place].batch = std::move(batch);
    slots_[place].batch_digest = digest;
  }

  // Voting.

  /// One vote a slot and view, restarts included: another one would be a lie to somebody.
  void vote(std::uint32_t place, const Digest& digest, auto& env) {
    if (!env.may_vote(id_)) return;
    Slot& slot = slots_[place];
    make_room(slot);
    slot.digest = digest;
    if (slot.own_prepare && slot.own_prepare->view == view_) {
      if (slot.own_prepare->digest != digest)
        return env.halt("a second vote for sequence number " +
                        std::to_string(range_.sn_of(place).value) + " in view " +
                        std::to_string(view_.value));
      slot.stage = Stage::voted;
      return try_to_prepare(place, env);
    }
    slot.stage = Stage::voting;
    const PrepareContent content{id_, view_, range_.sn_of(place), digest};
    env.emit(SignRequest<PrepareSigning>{
        id_.epoch, pbft::signed_bytes(env.cluster(), content), {content}});
  }

  void receive(iss::Member from, PrePrepare message, auto& env) {
    const std::optional<std::uint32_t> place = range_.place_of(message.sn);
    if (!place || from.id != leader_ || from.id == env.cluster().self().id)
      return env.bad(Bad::proposal);
    Slot& slot = slots_[*place];
    if (slot.decided || !is_open()) return;
    if (slot.stage != Stage::idle) {
      // Said again, since this replica has asked; or a second proposal.
      if (!(slot.batch == message.batch)) env.bad(Bad::duplicate);
      return;
    }
    slot.stage = Stage::checking;
    slot.batch = std::move(message.batch);
    slot.batch_digest.reset();
    slot.leader_signature = std::move(message.signature);
    env.check(id_, *place, slot.batch);
  }

  /// The slot of a vote, if the vote may still matter.
  Slot* slot_for(SeqNr sn, View view, auto& env) {
    const std::optional<std::uint32_t> place = range_.place_of(sn);
    if (!place) {
      env.bad(Bad::vote);
      return nullptr;
    }
    Slot& slot = slots_[*place];
    if (slot.decided && view <= slot.decided_in) return nullptr;
    make_room(slot);
    return &slot;
  }

  void receive(iss::Member from, Prepare message, auto& env) {
    Slot* slot = slot_for(message.sn, message.view, env);
    if (!slot) return;
    const bool own = from.id == env.cluster().self().id;
    const PrepareVote vote{message.view, message.digest, std::move(message.signature),
                           own ? Opinion::valid : Opinion::unchecked};
    const auto kept = slot->prepares.keep(from.index, vote);
    if (kept == pbft::Kept::contradicts) return env.bad(Bad::duplicate);
    if (own && kept == pbft::Kept::news) {
      slot->own_prepare = vote;
      if (slot->stage == Stage::voting && message.view == view_) slot->stage = Stage::voted;
    }
    try_to_prepare(*range_.place_of(message.sn), env);
  }

  void receive(iss::Member from, const Commit& message, auto& env) {
    Slot* slot = slot_for(message.sn, message.view, env);
    if (!slot) return;
    const pbft::CommitVote vote{message.view, message.digest};
    const auto kept = slot->commits.keep(from.index, vote);
    if (kept == pbft::Kept::contradicts) return env.bad(Bad::duplicate);
    if (from.id == env.cluster().self().id && kept == pbft::Kept::news) {
      slot->own_commit = vote;
      if (slot->stage == Stage::preparing && message.view == view_) slot->stage = Stage::prepared;
    }
    try_to_commit(*range_.place_of(message.sn), env);
  }

  /// q valid Prepares that match the own vote make a certificate. Signatures are checked together,
  /// once there are enough that they could matter.
  void try_to_prepare(std::uint32_t place, auto& env) {
    Slot& slot = slots_[place];
    if (slot.stage != Stage::voted || slot.checking ||
        !env.rules().may_prepare(view_, target_))
      return;
    std::size_t valid = 0;
    std::size_t unchecked = 0;
    for (std::size_t member = 0; member < slot.prepares.size(); ++member) {
      const PrepareVote* vote = slot.prepares.find(member, view_, slot.digest);
      valid += vote && vote->opinion == Opinion::valid;
      unchecked += vote && vote->opinion == Opinion::unchecked;
    }
    const std::size_t needed = env.rules().prepares(env.cluster().quorum());
    if (valid >= needed) {
      prepare(place, env);
    } else if (valid + unchecked >= needed) {
      check_signatures(place, env);
    }
  }

  void check_signatures(std::uint32_t place, auto& env) {
    Slot& slot = slots_[place];
    const PrepareContent content{id_, view_, range_.sn_of(place), slot.digest};
    const Bytes message = pbft::signed_bytes(env.cluster(), content);
    VerifyNodeSigs<PrepareChecking> request{id_.epoch, {}, {content, {}}};
    for (std::size_t member = 0; member < slot.prepares.size(); ++member) {
      const PrepareVote* vote = slot.prepares.find(member, view_, slot.digest);
      if (!vote || vote->opinion != Opinion::unchecked) continue;
      const NodeId signer = env.cluster().members()[member];
      request.signatures.push_back({signer, message, vote->signature});
      request.origin.signers.push_back(signer);
    }
    slot.checking = true;
    env.emit(std::move(request));
  }

  /// The certificate becomes durable before the Commit that stands for it is sent or counted.
  void prepare(std::uint32_t place, auto& env) {
    Slot& slot = slots_[place];
    slot.stage = Stage::preparing;
    Certificate certificate{view_, range_.sn_of(place), slot.digest, {}};
    for (std::size_t member = 0; member < slot.prepares.size(); ++member) {
      const PrepareVote* vote = slot.prepares.find(member, view_, slot.digest);
      if (vote && vote->opinion == Opinion::valid &&
          certificate.signatures.size() < env.rules().prepares(env.cluster().quorum()))
        certificate.signatures.push_back({env.cluster().members()[member], vote->signature});
    }
    const Commit own{id_, view_, certificate.sn, slot.digest};
    slot.certificate = certificate;
    env.emit(WalAppend<PreparedEntry>{{id_, std::move(certificate)}, retention()})
        .then(env.to_others(own), env.to_self(own));
  }

  /// Also while the view is changing: a decision is one in every view.
  void try_to_commit(std::uint32_t place, auto& env) {
    Slot& slot = slots_[place];
    if (slot.decided || !slot.certificate || !slot.own_commit ||
        slot.own_commit->view != slot.certificate->view)
      return;
    const Certificate& certificate = *slot.certificate;
    std::size_t matching = 0;
    for (std::size_t member = 0; member < slot.commits.size(); ++member)
      matching += slot.commits.find(member, certificate.view, certificate.digest) != nullptr;
    if (matching >= env.rules().commits(env.cluster().quorum()))
      commit(place, Digest(certificate.digest), env);
  }

  /// The entry repeats the batch only where no vote in the log has it.
  void commit(std::uint32_t place, const Digest& digest, auto& env) {
    const Slot& slot = slots_[place];
    const bool voted = slot.own_prepare && slot.own_prepare->digest == digest;
    env.emit(WalAppend<DecidedEntry>{
        {id_, range_.sn_of(place), digest, voted ? Batch{} : slot.batch_for(digest)},
        retention()});
    decide(place, digest, env);
  }
  void decide(std::uint32_t place, const Digest& digest, auto& env) {
    Slot& slot = slots_[place];
    slot.decided = digest;
    slot.decided_in = view_;
    slot.prepares.clear();
    slot.commits.clear();
    ++decided_;
    last_progress_ = env.now();
    env.decided(id_, place, digest, slot.batch_for(digest));
  }

  // Changing views.

  /// Votes in no view before `view` any more, and calls for it.
  void call_for(View view, auto& env) {
    if (!env.may_vote(id_)) return;
    target_ = view;
    began_ = true;
    called_.reset();
    draft_.reset();
    ViewChange change{id_, view, env.cluster().self().id, {}, {}, {}};
    for (const Slot& slot : slots_)
      if (slot.certificate && env.rules().must_claim(slot.certificate->digest))
        change.claims.push_back(
            {slot.certificate->view, slot.certificate->sn, slot.certificate->digest});
    env.emit(SignRequest<ViewChangeSigning>{
        id_.epoch, pbft::signed_bytes(env.cluster(), change), {pbft::content_of(change)}});
  }
  std::vector<Certificate> certificates(const auto& rules) const {
    std::vector<Certificate> all;
    for (const Slot& slot : slots_)
      if (slot.certificate && rules.must_claim(slot.certificate->digest))
        all.push_back(*slot.certificate);
    return all;
  }
  void keep_own_change(auto& env) {
    const std::size_t self = env.cluster().self().index;
    (void)changes_.keep(self, *own_change_);
    changes_.checked(self, own_change_->view, true);
  }

  void receive(iss::Member from, ViewChange message, auto& env) {
    if (message.sender != from.id ||
        !pbft::is_well_formed(message, range_, env.cluster(), env.rules()))
      return env.bad(Bad::vote);
    changes_.make_room(members_);
    if (from.id == env.cluster().self().id) {
      own_change_ = std::move(message);
      keep_own_change(env);
    } else if (message.view <= view_) {
      if (new_view_ && may_answer(from, env)) env.emit(env.to(from.id, *new_view_));
      return;
    } else {
      VerifyNodeSigs<ViewChangeChecking> check{id_.epoch,
                                               pbft::signatures_of(message, env.cluster()),
                                               {{id_, message.view, from.id}}};
      const View view = message.view;
      if (!changes_.keep(from.index, std::move(message))) return answer(from, view, env);
      env.emit(std::move(check));
    }
    join(env);
    try_to_lead(env);
  }

  /// A member says it again, so it still waits. Whoever waits repeats itself unasked; a replica
  /// that is complete does not.
  void answer(iss::Member from, View view, auto& env) {
    if (is_complete() && own_change_ && own_change_->view >= view && may_answer(from, env))
      env.emit(env.to(from.id, *own_change_));
  }

  /// Whoever says something again has waited for an interval; who does not wait is not answered
  /// each time, since an answer is large.
  bool may_answer(iss::Member from, auto& env) {
    answered_.resize(members_);
    auto& last = answered_[from.index];
    if (last && env.now() - *last < env.resend_after() / 2) return false;
    last = env.now();
    return true;
  }

  /// One correct member that has given up on a view is reason enough to do so too.
  void join(auto& env) {
    const View wanted = changes_.called_for_by(env.rules().callers(env.cluster().quorum()));
    if (wanted > target_) call_for(wanted, env);
  }

  /// The primary of the view that is called for proves what may be voted for in it.
  void try_to_lead(auto& env) {
    if (!is_changing() || draft_ || primary(target_, env.cluster()) != env.cluster().self().id)
      return;
    draft_ = changes_.new_view(id_, target_, env.cluster().quorum(), env.rules());
    if (draft_)
      env.emit(SignRequest<NewViewSigning>{id_.epoch,
                                           pbft::signed_bytes(env.cluster(), *draft_),
                                           {{id_, target_, env.cluster().self().id}}});
  }

  /// Anybody may pass a NewView on: its primary has signed it.
  void receive(iss::Member from, NewView message, auto& env) {
    if (from.id == env.cluster().self().id) {
      if (message.view == view_) new_view_ = std::move(message);
      return;
    }
    if (message.view <= view_ || message.view < target_) return;
    if (!pbft::is_well_formed(message, range_, env.cluster(), env.rules()))
      return env.bad(Bad::vote);
    offered_.resize(members_);
    if (offered_[from.index]) return;
    const NodeId leads = primary(message.view, env.cluster());
    env.emit(VerifyNodeSigs<NewViewChecking>{
        id_.epoch,
        pbft::signatures_of(message, leads, env.cluster()),
        {{id_, message.view, from.id}}});
    offered_[from.index] = std::move(message);
  }

  void enter(const NewView& message, auto& env) {
    begin_view(message, env);
    vote_for_outcome(env);
  }

  /// Every slot has an outcome, so that no fresh proposal is made in this view.
  void begin_view(const NewView& message, auto& env) {
    view_ = target_ = message.view;
    called_.reset();
    draft_.reset();
    began_ = true;
    last_progress_ = last_said_ = env.now();
    for (Slot& slot : slots_) {
      slot.stage = Stage::idle;
      slot.checking = false;
      slot.digest = nil_digest;
    }
    for (const Certificate& certificate : message.certificates)
      slots_[*range_.place_of(certificate.sn)].digest = certificate.digest;
    new_view_.reset();
  }

  /// Also for what is decided here: others may need the vote to finish.
  void vote_for_outcome(auto& env) {
    for (std::uint32_t place = 0; place < slots_.size(); ++place) {
      Slot& slot = slots_[place];
      if (slot.decided && slot.decided != slot.digest)
        return env.halt("view " + std::to_string(view_.value) +
                        " contradicts what is decided for sequence number " +
                        std::to_string(range_.sn_of(place).value));
      if (slot.stage != Stage::idle) continue;
      if (slot.holds(slot.digest)) {
        vote(place, Digest(slot.digest), env);
      } else {
        slot.stage = Stage::fetching;
      }
    }
  }

  /// The next view is called for only once a strong quorum is ready for this one: a replica that
  /// is cut off must not race ahead alone.
  void tick_while_changing(auto& env) {
    const auto now = env.now();
    if (own_change_ && own_change_->view == target_ && now - last_said_ >= env.resend_after()) {
      last_said_ = now;
      env.emit(env.to_others(*own_change_));
    }
    if (changes_.called_for_by(env.cluster().quorum().strong()) < target_) return called_.reset();
    if (!called_) called_ = now;
    if (now - *called_ >= env.patience(target_)) call_for(target_ + 1, env);
  }

  SegmentId id_;
  NodeId leader_;
  pbft::SlotRange range_;
  std::size_t members_;
  std::vector<Slot> slots_;
  std::size_t decided_ = 0;
  bool is_stable_ = false;

  View view_;
  /// The view that this replica has called for; no less than `view_`.
  View target_;
  pbft::ViewChanges changes_;
  std::optional<ViewChange> own_change_;
  /// The own NewView while it is being signed.
  std::optional<NewView> draft_;
  /// What made the current view, once that is durable.
  std::optional<NewView> new_view_;
  /// NewViews whose signatures are being checked, by sender. Each stays until that is done, or its
  /// verdict would be taken for that of the sender's next one.
  std::vector<std::optional<NewView>> offered_;
  /// When each member was last told of a view that it calls for.
  std::vector<std::optional<std::chrono::nanoseconds>> answered_;

  /// Whether this segment has been waited for yet.
  bool began_ = false;
  std::chrono::nanoseconds last_tick_{};
  std::chrono::nanoseconds last_progress_{};
  std::chrono::nanoseconds last_said_{};
  /// All the time for which this segment was waited for.
  std::chrono::nanoseconds waited_{};
  /// Since when a strong quorum calls for `target_` or a later view.
  std::optional<std::chrono::nanoseconds> called_;
};

}  // namespace mirbft

// <mirbft/protocol/solo.hpp>
// Solo: a cluster of one. The smallest Protocol, and the example of writing one.

namespace mirbft {

/// What Solo writes ahead: the batch of a sequence number, so that a restart delivers it again.
struct SoloDecided {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 1;

  SeqNr sn;
  Batch batch;
};

/// What Solo would send to other replicas; there are none.
struct SoloNothing {};

/// Orders requests as they become ready. A request is delivered once it is in the log.
class Solo {
 public:
  using Message = std::variant<SoloNothing>;
  using consumes = events<RequestReady, MessageReceived<Message>, WalEntry<SoloDecided>>;
  using emits = events<WalAppend<SoloDecided>, Deliver>;

  struct Status {
    SeqNr next;
    std::uint64_t strangers_messages = 0;
  };

  static FrameClass frame_class(const Message&) { return FrameClass::vote; }

  void process(RequestReady ready, auto& out) {
    const Deliver deliver{next_, Batch({ready.reference})};
    ++next_;
    // Durable before it takes effect: the delivery follows the append.
    out.emit(WalAppend<SoloDecided>{{deliver.sn, deliver.batch}, RetentionIndex(0)})
        .then(deliver);
  }

  void process(WalEntry<SoloDecided> decided, auto& out) {
    next_ = decided.entry.sn + 1;
    out.emit(Deliver{decided.entry.sn, std::move(decided.entry.batch)});
  }

  /// There is nobody who could rightly send one: counted and dropped, as bad input always is.
  void process(MessageReceived<Message>, auto& /*out*/) { ++strangers_messages_; }

  Status status() const { return {next_, strangers_messages_}; }

 private:
  SeqNr next_;
  std::uint64_t strangers_messages_ = 0;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::SoloDecided, sn, batch);
BOOST_HANA_ADAPT_STRUCT(mirbft::SoloNothing);
BOOST_HANA_ADAPT_STRUCT(mirbft::Solo::Status, next, strangers_messages);

// <mirbft/node.hpp>
// The Node: nine modules and the events that move between them.

#include <future>

#include <boost/hana/define_struct.hpp>

namespace mirbft {

/// What `submit` did with a request.
enum class Submitted : std::uint8_t {
  /// It is on its way; the callback will be called, exactly once.
  accepted,
  /// The Node has too much to do: try again later. The callback will not be called.
  overloaded,
  /// The Node stopped. The callback will not be called.
  stopped,
};

/// The clock of `run` where no other is given.
struct SteadyClock {
  std::chrono::nanoseconds operator()() const {
    return std::chrono::steady_clock::now().time_since_epoch();
  }
};

/// A replica: takes requests, orders them together with the other replicas, applies them.
///
/// Drive it in one of two ways. Inline: call `process()` whenever there is something to do, and
/// `tick()` now and then. Threaded: call `run(stop_token)` on a thread, which is the dispatching
/// thread until it returns. `submit`, `step`, `inject`, `tick` and `stop` may be called from any
/// thread, `status` from any thread while `run` works; all else only where the Node is driven.
/// No exception of a module crosses these calls: it stops the Node, and `failure()` says why.
template <IsNet Net, IsHasher Hasher, IsCrypto Crypto, IsApp App, IsWal Wal, IsTracker Tracker,
          IsStore Store, IsProtocol Protocol, IsInterceptor Interceptor>
class Node : engine::wiring::Verdict<
                 engine::Plan<engine::module_of<Net>, engine::module_of<Hasher>,
                              engine::module_of<Crypto>, engine::module_of<App>,
                              engine::module_of<Wal>, engine::module_of<Tracker>,
                              engine::module_of<Store>, engine::module_of<Protocol>>> {
 public:
  using Plan = engine::Plan<engine::module_of<Net>, engine::module_of<Hasher>,
                            engine::module_of<Crypto>, engine::module_of<App>,
                            engine::module_of<Wal>, engine::module_of<Tracker>,
                            engine::module_of<Store>, engine::module_of<Protocol>>;

  /// Every event type that this Node can see.
  using Events = typename Plan::Events;
  using Message = typename Plan::Message;

  /// The nine modules, ready to work.
  struct Modules {
    engine::module_of<Net> net{};
    engine::module_of<Hasher> hasher{};
    engine::module_of<Crypto> crypto{};
    engine::module_of<App> app{};
    engine::module_of<Wal> wal{};
    engine::module_of<Tracker> tracker{};
    engine::module_of<Store> store{};
    engine::module_of<Protocol> protocol{};
    Interceptor interceptor{};
  };

  /// Where every module stands; print it with `wire::to_json`.
  struct Status {
    BOOST_HANA_DEFINE_STRUCT(
        Status, (NodeId, self), (std::string, state), (std::string, reason),
        (std::uint64_t, dispatched_events), (std::uint64_t, pending_events),
        (std::uint64_t, waiting_callers), (std::uint64_t, malformed_frames),
        (decltype(engine::status_of(std::declval<engine::module_of<Net>>())), net),
        (decltype(engine::status_of(std::declval<engine::module_of<Hasher>>())), hasher),
        (decltype(engine::status_of(std::declval<engine::module_of<Crypto>>())), crypto),
        (decltype(engine::status_of(std::declval<engine::module_of<App>>())), app),
        (decltype(engine::status_of(std::declval<engine::module_of<Wal>>())), wal),
        (decltype(engine::status_of(std::declval<engine::module_of<Tracker>>())), tracker),
        (decltype(engine::status_of(std::declval<engine::module_of<Store>>())), store),
        (decltype(engine::status_of(std::declval<engine::module_of<Protocol>>())), protocol));
  };

  /// Throws ConfigError when the configuration cannot work. Nothing runs yet.
  Node(NodeConfig config, Modules modules)
      : core_(std::move(config), std::move(modules.interceptor), std::move(modules.tracker),
              std::move(modules.hasher), std::move(modules.crypto), std::move(modules.store),
              std::move(modules.protocol), std::move(modules.wal), std::move(modules.app),
              std::move(modules.net), engine::TheNode{}) {
    meet<0>(typename Plan::template Received<0>{});
    meet<1>(typename Plan::template Received<1>{});
    meet<2>(typename Plan::template Received<2>{});
    meet<3>(typename Plan::template Received<3>{});
    meet<4>(typename Plan::template Received<4>{});
    meet<5>(typename Plan::template Received<5>{});
    meet<6>(typename Plan::template Received<6>{});
    meet<7>(typename Plan::template Received<7>{});
  }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  /// What is pending is dropped, and callers who still wait are told so. `run` must have returned.
  ~Node() = default;

  /// Puts a request in; `on_reply(const Replied&)` is called once, where the Node is driven. It
  /// must not throw: that would stop the Node.
  /// `spread` says whether the client sends the request to the other replicas itself.
  template <class OnReply>
  Submitted submit(Request request, OnReply on_reply, Spread spread = Spread::by_replica) {
    const ClientId client = request.client;
    const ReqNo req_no = request.req_no;
    return put(NewRequest{std::move(request), spread},
               engine::Waiting{client, req_no, engine::Callback(std::move(on_reply))});
  }

  /// The same with a future. A Node that refuses the request answers at once.
  std::future<Replied> submit(Request request, Spread spread = Spread::by_replica) {
    const ClientId client = request.client;
    const ReqNo req_no = request.req_no;
    std::promise<Replied> promise;
    std::future<Replied> future = promise.get_future();
    const Submitted submitted = submit(
        std::move(request),
        [promise = std::move(promise)](const Replied& reply) mutable { promise.set_value(reply); },
        spread);
    if (submitted == Submitted::accepted) return future;
    std::promise<Replied> refusal;
    refusal.set_value({client, req_no,
                       submitted == Submitted::overloaded ? Outcome::overloaded
                                                          : Outcome::shut_down,
                       {}, {}});
    return refusal.get_future();
  }

  /// Hands in a message by hand. The caller vouches for its sender.
  Submitted step(NodeId from, Message message) {
    return put(MessageReceived<Message>{from, std::move(message)});
  }

  /// Hands in any event that this Node can see: for modules of one's own, and for tests.
  template <class E>
  Submitted inject(E event) {
    static_assert(engine::contains<E, Events>,
                  "[mirbft] no module of this Node emits or answers with this event: declare it "
                  "in the `emits` of the module that it comes from");
    if constexpr (engine::contains<E, Events>) {
      return put(std::move(event));
    } else {
      return Submitted::stopped;
    }
  }

  /// Tells the time, where the Node is driven inline; `run` does so by itself.
  Submitted tick(std::chrono::nanoseconds now) { return put(Tick{now}); }

  /// Does what is pending on this thread, arrived messages included. Returns how many events were
  /// dispatched: 0 means that there was nothing to do. The first call plays back the write-ahead
  /// log.
  std::size_t process() {
    start();
    take_inputs();
    const std::size_t count = core_.dispatch_all();
    end_round();
    return count;
  }

  /// The parts of `process()`, for those who choose the order themselves (simulation): plays back
  /// the write-ahead log and tells the modules to begin; does nothing the second time.
  void start() {
    core_.start();
    end_round();
  }
  /// Takes in what was submitted and what has arrived. Says whether there was anything.
  bool take_inputs() {
    if (core_.phase() != engine::Phase::working) return false;
    const bool submitted = core_.take_submitted();
    return core_.take_received(std::chrono::nanoseconds(0)) || submitted;
  }
  /// The slots that have events to process; each may be next.
  Slot pending() const noexcept { return core_.items().pending(); }
  /// Dispatches the whole list of one slot. Returns how many events that were.
  std::size_t process(Slot slot) {
    std::size_t count = 0;
    [&]<std::size_t... S>(std::index_sequence<S...>) {
      (void)((S == slot.index() && (count = core_.template dispatch<S>(), true)) || ...);
    }(std::make_index_sequence<slot_count>{});
    end_round();
    return count;
  }

  /// Works on threads until `stop_token` is triggered, `stop()` is called or a module fails;
  /// then finishes what was begun. Returns whether it ended without a failure. A Node runs once:
  /// afterwards it takes nothing in.
  template <class Clock = SteadyClock>
  bool run(std::stop_token stop, Clock clock = {}) {
    const std::stop_callback on_stop(stop, [this] { stop_.request_stop(); });
    using Threads = std::index_sequence<
        threads<Tracker>, threads<Hasher>, threads<Crypto>, threads<Store>, threads<Protocol>,
        threads<Wal>, threads<App>, threads<Net>, 0>;
    inquiry_.open();
    engine::ThreadedDriver<Core, Threads>(core_).run(stop_.get_token(), clock, [this] {
      core_.guarded("status", [this] { inquiry_.answer([this] { return look(); }); });
    });
    inquiry_.close();
    return core_.phase() != engine::Phase::failed;
  }

  /// Ends `run`, from any thread. Where the Node is driven inline, `finish()` ends it.
  void stop() { stop_.request_stop(); }

  /// Ends a Node that is driven inline: what is pending is done, callers who still wait are told.
  void finish() { core_.stop(); }

  /// The reason why a module stopped the Node; empty while none has.
  const std::string& failure() const noexcept { return core_.reason(); }

  /// Where everything stands. While `run` works, its thread answers between two rounds, and a
  /// module with a thread of its own is reported as of the last list that it has finished.
  Status status() const {
    return inquiry_.ask([this] { return look(); }, core_.inbox().dispatcher());
  }

  /// The whole plan: who emits what to whom.
  static std::string wiring(WiringFormat format = WiringFormat::text) {
    return engine::wiring_text<Plan>(format);
  }

  const engine::module_of<App>& app() const noexcept {
    return core_.template stage<slot::app.index()>().module();
  }
  const engine::module_of<Protocol>& protocol() const noexcept {
    return core_.template stage<slot::protocol.index()>().module();
  }
  engine::module_of<Net>& net() noexcept {
    return core_.template stage<slot::net.index()>().module();
  }

 private:
  using Core = engine::Core<Plan, Interceptor>;
  template <class M>
  static constexpr std::size_t threads = engine::Placed<M>::where::threads;
  static_assert(threads<Net> <= 1,
                "[mirbft] a Net cannot run on a pool: use inline_<Net> or on_thread<Net>");

  /// Where the compiler first meets what the modules do with their events: an error in there is
  /// told from here, and not from the depth of the dispatch.
  template <std::size_t S, class... Es>
  static constexpr void meet(events<Es...>) {
    (void(&engine::Stage<S, Plan>::template process<Es>), ...);
  }

  template <class E, class... Waiting>
  Submitted put(E event, Waiting... waiting) {
    using Put = typename engine::Inbox<Plan>::Put;
    switch (core_.inbox().put(std::move(event), std::move(waiting)...)) {
      case Put::taken: return Submitted::accepted;
      case Put::full: return Submitted::overloaded;
      case Put::closed: break;
    }
    return Submitted::stopped;
  }

  void end_round() {
    core_.call_back();
    if (core_.phase() == engine::Phase::failed) core_.stop();
  }

  template <std::size_t S>
  auto report() const {
    return core_.template stage<S>().report();
  }
  Status look() const {
    const auto net = report<slot::net.index()>();
    return Status{core_.config().self,
                  engine::to_string(core_.phase()),
                  core_.reason(),
                  core_.dispatched(),
                  core_.items().size(),
                  core_.waiting(),
                  net.task.malformed_frames,
                  net.module,
                  report<slot::hasher.index()>().module,
                  report<slot::crypto.index()>().module,
                  report<slot::app.index()>().module,
                  report<slot::wal.index()>().module,
                  report<slot::tracker.index()>().module,
                  report<slot::store.index()>().module,
                  report<slot::protocol.index()>().module};
  }

  Core core_;
  mutable engine::Inquiry<Status> inquiry_;
  std::stop_source stop_;
};

}  // namespace mirbft

// <mirbft/client/client_recovery.hpp>
// How a client that has lost its memory learns which number comes next.

namespace mirbft {

/// Asks the replicas where a client stands: send `probe()` to all, hand in the answers, ask again
/// those that are silent. What comes out once a strong quorum has answered is not what f liars
/// want: of each number it is the w-th highest, so that a correct replica says as much, and w
/// correct ones that say more are not outvoted.
///
/// Go on with `next`. Numbers from `low` up to there may be lost on their way, and would hold up
/// the window for good: submit an empty request under each. Those that are delivered already, or
/// still on their way, are answered as such.
///
/// A number that reached fewer than w correct replicas may be taken a second time. Then either
/// request is delivered, and the same one everywhere.
class ClientRecovery {
 public:
  ClientRecovery(ClientId client, std::vector<NodeId> replicas)
      : client_(client), replicas_(std::move(replicas)), quorum_(replicas_.size()) {}

  /// Needs no signature: it is never ordered.
  Request probe() const { return {client_, never_valid, {}, {}}; }

  /// A replica has answered the probe; its newest answer counts. Where the client stands, once
  /// enough have answered.
  std::optional<ClientPosition> replied(NodeId from, const Replied& reply) {
    if (reply.client != client_ || reply.req_no != never_valid ||
        reply.outcome != Outcome::rejected_window ||
        std::find(replicas_.begin(), replicas_.end(), from) == replicas_.end())
      return std::nullopt;
    const auto position = wire::decode<ClientPosition>(reply.result, wire::Form::canonical);
    if (!position || position->next < position->low) return std::nullopt;
    said_.insert_or_assign(from, *position);
    if (said_.size() < quorum_.strong()) return std::nullopt;
    return ClientPosition{vouched(&ClientPosition::low), vouched(&ClientPosition::next)};
  }

 private:
  /// The w-th highest of what was said.
  ReqNo vouched(ReqNo ClientPosition::*which) const {
    std::vector<ReqNo> all;
    for (const auto& [replica, position] : said_) all.push_back(position.*which);
    std::sort(all.begin(), all.end(), std::greater<>());
    return all[quorum_.weak() - 1];
  }

  ClientId client_;
  std::vector<NodeId> replicas_;
  Quorum quorum_;
  std::map<NodeId, ClientPosition> said_;
};

}  // namespace mirbft

// <mirbft/client/reply_quorum.hpp>
// What a remote client believes: results on which enough replicas agree.

namespace mirbft {

/// A request that is certainly delivered.
struct ClientResult {
  ReqNo req_no;
  /// None if no replica remembers it any longer, which happens to requests that are repeated late.
  std::optional<Bytes> result;

  friend bool operator==(const ClientResult&, const ClientResult&) = default;
};

/// What a `ReplyQuorum` has seen.
struct ReplyQuorumStatus {
  /// Requests that wait for their result now.
  std::uint64_t open = 0;
  std::uint64_t believed = 0;
  /// Answers that differ from what is believed, or from what their replica said before.
  std::uint64_t conflicting = 0;
  /// Answers of strangers, for other clients, or to numbers that do not wait.
  std::uint64_t unasked = 0;
  /// Answers that refuse a request: ask again, or look at why.
  std::uint64_t refused = 0;
};

/// Gathers the replicas' answers to one client's requests, however they come, and believes a
/// result once w replicas say the same: one of them does not lie (protocol, section 2). Replicas
/// may send the whole result or only its hash, as long as one sends the whole.
///
/// Who answered is the transport's word: it must know the replicas' channels apart. Memory is
/// bounded by the numbers that are expected and one answer of each replica. One thread at a time.
template <class Hasher>
class ReplyQuorum {
 public:
  ReplyQuorum(ClientId client, std::vector<NodeId> replicas, Hasher hasher = {})
      : client_(client),
        replicas_(std::move(replicas)),
        quorum_(replicas_.size()),
        hasher_(std::move(hasher)) {}

  /// Answers to this number count from now on, until one is believed.
  void expect(ReqNo number) { open_[number].said.resize(replicas_.size()); }

  /// A replica has answered. The result, once enough say the same.
  std::optional<ClientResult> replied(NodeId from, const Replied& reply) {
    switch (reply.outcome) {
      case Outcome::delivered: break;
      case Outcome::already_delivered:
        return vouched(from, reply.client, reply.req_no, forgotten);
      default: ++status_.refused; return std::nullopt;
    }
    hasher_.update(reply.result.view());
    return said(from, reply.client, reply.req_no, hasher_.finish(), &reply.result);
  }
  /// A replica has answered with the hash of the result alone.
  std::optional<ClientResult> vouched(NodeId from, ClientId client, ReqNo number,
                                      const Digest& digest) {
    return said(from, client, number, digest, nullptr);
  }

  ReplyQuorumStatus status() const noexcept {
    ReplyQuorumStatus now = status_;
    now.open = open_.size();
    return now;
  }

 private:
  /// Stands for the hash of a result that a replica does not remember.
  static constexpr Digest forgotten{};

  struct Open {
    std::vector<std::optional<Digest>> said;
    std::map<Digest, Bytes> results;
  };

  std::optional<ClientResult> said(NodeId from, ClientId client, ReqNo number,
                                   const Digest& digest, const Bytes* result) {
    const auto open = client == client_ ? open_.find(number) : open_.end();
    const auto replica = std::find(replicas_.begin(), replicas_.end(), from);
    if (open == open_.end() || replica == replicas_.end()) {
      ++status_.unasked;
      return std::nullopt;
    }
    auto& before = open->second.said[static_cast<std::size_t>(replica - replicas_.begin())];
    if (before && *before != forgotten && *before != digest) {
      ++status_.conflicting;
      return std::nullopt;
    }
    before = digest;
    if (result) open->second.results.try_emplace(digest, *result);
    return settle(number, open->second, digest);
  }

  std::optional<ClientResult> settle(ReqNo number, const Open& open, const Digest& digest) {
    const auto agreeing = static_cast<std::size_t>(
        std::count(open.said.begin(), open.said.end(), std::optional(digest)));
    const auto result = open.results.find(digest);
    // What is forgotten is believed only when too few are left for a result.
    const bool believed = digest == forgotten
                              ? agreeing + quorum_.weak() > replicas_.size()
                              : agreeing >= quorum_.weak() && result != open.results.end();
    if (!believed) return std::nullopt;
    ++status_.believed;
    for (const std::optional<Digest>& other : open.said)
      status_.conflicting += other && *other != digest && *other != forgotten;
    ClientResult known{number, std::nullopt};
    if (digest != forgotten) known.result = result->second;
    open_.erase(number);
    return known;
  }

  ClientId client_;
  std::vector<NodeId> replicas_;
  Quorum quorum_;
  Hasher hasher_;
  std::map<ReqNo, Open> open_;
  ReplyQuorumStatus status_;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::ReplyQuorumStatus, open, believed, conflicting, unasked, refused);

// <mirbft/log/block_reader.hpp>
// The blocks of an event log, one after another, each whole and undamaged.

namespace mirbft::log_format {

/// A block as it was written.
struct Block {
  /// Where it begins in the file.
  std::uint64_t offset = 0;
  BlockHeader header;
  Bytes content;
};

/// Throws LogError for what is no event log and for damage, as often as it is asked again.
class BlockReader {
 public:
  explicit BlockReader(LogFile file) : file_(std::move(file)) { read_prologue(); }

  const LogFile& file() const noexcept { return file_; }

  /// Nothing at the end of the last whole block, which may move while the log is being written.
  std::optional<Block> next() {
    if (!available(BlockHeader::size)) return std::nullopt;
    const std::optional<BlockHeader> header = BlockHeader::load(peek(BlockHeader::size).data());
    if (!header) file_.fail(at_, "damaged: the header of the block here has a wrong checksum");
    const std::size_t whole = BlockHeader::size + header->length;
    if (!available(whole)) return std::nullopt;
    Bytes content = peek(whole).slice(BlockHeader::size, header->length);
    if (crc32c(content.view()) != header->checksum)
      file_.fail(at_, "damaged: the content of the block here has a wrong checksum");
    return Block{std::exchange(at_, at_ + whole), *header, std::move(content)};
  }

  /// Bytes after the last whole block, once `next` has returned nothing.
  std::uint64_t torn_bytes() const noexcept { return size_ > at_ ? size_ - at_ : 0; }

 private:
  static constexpr std::size_t window_size = std::size_t{1} << 18;

  void read_prologue() {
    std::array<std::uint8_t, prologue_size> expected;
    store_prologue(expected.data());
    const bool whole = available(prologue_size);
    if (size_ == 0) file_.fail(0, "the file is empty: no Node has begun to write to it");
    const Bytes found = peek(whole ? prologue_size : static_cast<std::size_t>(size_));
    if (!std::equal(found.begin(), found.begin() + std::min(found.size(), magic.size()),
                    magic.begin()))
      file_.fail(0, "this is no event log: it does not begin like one");
    if (!whole) file_.fail(size_, "the log is cut off in its very beginning");
    const std::uint8_t* version_at = found.data() + magic.size();
    if (const auto written = get<std::uint32_t>(version_at); written != version)
      file_.fail(magic.size(), "the log has version " + std::to_string(written) +
                                   " of the format, and this program reads only version " +
                                   std::to_string(version));
    at_ = prologue_size;
  }

  /// Whether the file has that many bytes from here on.
  bool available(std::size_t count) {
    if (size_ < at_ + count) size_ = file_.size();
    return size_ >= at_ + count;
  }

  /// The bytes from here on, which must be available. They are read in large pieces.
  Bytes peek(std::size_t count) {
    if (at_ + count > window_at_ + window_.size()) {
      const auto left = static_cast<std::size_t>(size_ - at_);
      const std::size_t size = std::min(std::max(count, window_size), left);
      window_ = Bytes::filled(size, [&](std::uint8_t* to) { file_.read(at_, to, size); });
      window_at_ = at_;
    }
    return window_.slice(static_cast<std::size_t>(at_ - window_at_), count);
  }

  LogFile file_;
  std::uint64_t size_ = 0;
  std::uint64_t at_ = 0;
  Bytes window_;
  std::uint64_t window_at_ = 0;
};

}  // namespace mirbft::log_format

// <mirbft/log/event.hpp>
// An event as it stands in an event log.

namespace mirbft {

/// One event of a log, in the protobuf bytes that were recorded.
struct LogEvent {
  /// Place in the total order of dispatch, from 0.
  std::uint64_t index = 0;
  /// The module that it was dispatched to. An event for several stands there once for each.
  Slot slot = slot::node;
  std::uint32_t number = 0;
  /// Its message in the log's schema; as long-lived as the reader that it comes from.
  std::string_view name;
  Bytes payload;
  /// Where it begins in the file.
  std::uint64_t offset = 0;

  /// The event as a C++ value; nothing when it is no `E`, or one that this `E` cannot hold.
  template <class E>
  std::optional<E> as() const {
    if (number != E::number) return std::nullopt;
    return wire::decode<E>(payload, wire::Form::lenient);
  }
};

}  // namespace mirbft

// <mirbft/log/printer.hpp>
// Shows recorded events with nothing but the schema in their log: no C++ type is needed.

#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>

// <mirbft/log/reader.hpp>
// Reads an event log, also one that is still being written or whose writer was killed.

namespace mirbft {

/// An event log from its first event to its last. A block is checked before its first event comes
/// out. Throws LogError for what is no log and for damage; what came before is good.
class LogReader {
 public:
  using EventType = log_format::EventType;

  explicit LogReader(std::string path) : blocks_(LogFile::open(std::move(path))) {
    std::optional<log_format::Block> first = blocks_.next();
    if (!first)
      fail(log_format::prologue_size, "the log is cut off before it says what its events are");
    if (first->header.kind != log_format::Kind::preamble)
      fail(first->offset, "the log does not say what its events are");
    const wire::DecodeError error =
        wire::decode_into(preamble_, first->content, wire::Form::lenient);
    if (error != wire::DecodeError::none)
      fail(first->offset,
           "what the log says of its events is " + std::string(wire::to_string(error)));
    std::ranges::sort(preamble_.types, {}, &EventType::number);
  }

  const std::string& path() const noexcept { return blocks_.file().path(); }
  /// Whose log it is.
  NodeId node() const noexcept { return preamble_.node; }
  const Bytes& cluster() const noexcept { return preamble_.cluster; }
  /// A serialized google.protobuf.FileDescriptorSet.
  const Bytes& schema() const noexcept { return preamble_.schema; }
  /// Every event type that the Node could see, by ascending number.
  const std::vector<EventType>& types() const noexcept { return preamble_.types; }

  /// The next event; nothing at the end of the last whole block. Ask again when the log has grown.
  std::optional<LogEvent> next() {
    while (content_.empty())
      if (!open_block()) return std::nullopt;
    return take_event();
  }

  /// The event as a C++ value; throws LogError when `E` is another type or cannot hold it.
  template <class E>
  E decode(const LogEvent& event) const {
    std::optional<E> value = event.as<E>();
    if (!value) fail(event.offset, std::string(event.name) + " is not as this program knows it");
    return std::move(*value);
  }

  /// Bytes after the last whole block, once `next` has returned nothing: the list at which the
  /// writer was killed, or is just now.
  std::uint64_t torn_bytes() const noexcept { return blocks_.torn_bytes(); }

 private:
  [[noreturn]] void fail(std::uint64_t offset, std::string why) const {
    blocks_.file().fail(offset, std::move(why));
  }

  bool open_block() {
    std::optional<log_format::Block> block = blocks_.next();
    if (!block) return false;
    const log_format::BlockHeader& header = block->header;
    if (header.kind != log_format::Kind::list || header.slot >= slot_count)
      fail(block->offset, "damaged: no list of events where one must be");
    if (started_ && header.first != next_index_)
      fail(block->offset, "damaged: event " + std::to_string(header.first) + " follows where " +
                              std::to_string(next_index_) + " must");
    started_ = true;
    next_index_ = header.first;
    slot_ = Slot(static_cast<std::uint16_t>(1u << header.slot));
    content_ = std::move(block->content);
    content_at_ = block->offset + log_format::BlockHeader::size;
    return true;
  }

  LogEvent take_event() {
    using log_format::EntryHeader;
    if (content_.size() < EntryHeader::size) fail(content_at_, "damaged: half an event");
    const EntryHeader header = EntryHeader::load(content_.data());
    const std::size_t whole = EntryHeader::size + std::size_t{header.length};
    if (content_.size() < whole) fail(content_at_, "damaged: the event reaches beyond its block");
    LogEvent event{next_index_, slot_, header.number, name_of(header.number),
                   content_.slice(EntryHeader::size, header.length), content_at_};
    content_ = content_.slice(whole, content_.size() - whole);
    content_at_ += whole;
    ++next_index_;
    return event;
  }

  std::string_view name_of(std::uint32_t number) const {
    const auto& types = preamble_.types;
    const auto found = std::ranges::lower_bound(types, number, {}, &EventType::number);
    if (found == types.end() || found->number != number)
      fail(content_at_,
           "damaged: event number " + std::to_string(number) + " is not among the log's types");
    return found->name;
  }

  log_format::BlockReader blocks_;
  log_format::Preamble preamble_;
  bool started_ = false;
  std::uint64_t next_index_ = 0;
  Slot slot_ = slot::node;
  Bytes content_;
  std::uint64_t content_at_ = 0;
};

}  // namespace mirbft

namespace mirbft {

namespace detail {

/// Byte strings as people read them: printable text in quotes, everything else in hexadecimal.
class ReadableValues : public google::protobuf::TextFormat::FastFieldValuePrinter {
 public:
  void PrintBytes(const std::string& value,
                  google::protobuf::TextFormat::BaseTextGenerator* out) const override {
    const bool printable = std::ranges::all_of(value, [](char c) { return c >= ' ' && c <= '~'; });
    if (printable) {
      PrintString(value, out);
    } else {
      out->PrintString("0x" + hex(bytes_of(value)));
    }
  }
};

/// The first error that protobuf finds in a schema.
class FirstSchemaError : public google::protobuf::DescriptorPool::ErrorCollector {
 public:
  void AddError(const std::string& /*file*/, const std::string& element,
                const google::protobuf::Message*, ErrorLocation,
                const std::string& message) override {
    if (text_.empty()) text_ = element + ": " + message;
  }
  const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
};

/// Differences as protobuf reports them, with values as `printer` shows them.
class DifferenceReporter : public google::protobuf::util::MessageDifferencer::StreamReporter {
 public:
  using Path = std::vector<google::protobuf::util::MessageDifferencer::SpecificField>;

  DifferenceReporter(google::protobuf::io::ZeroCopyOutputStream* out,
                     const google::protobuf::TextFormat::Printer& printer)
      : StreamReporter(out), printer_(printer) {}

 protected:
  void PrintValue(const google::protobuf::Message& message, const Path& path,
                  bool left) override {
    const auto& place = path.back();
    if (place.field == nullptr) return StreamReporter::PrintValue(message, path, left);
    std::string value;
    printer_.PrintFieldValueToString(message, place.field, left ? place.index : place.new_index,
                                     &value);
    const bool nested =
        place.field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE;
    Print(nested ? "{ " + value + "}" : value);
  }

 private:
  const google::protobuf::TextFormat::Printer& printer_;
};

}  // namespace detail

/// Turns the events of one log into text. Not movable; used by one thread.
class LogPrinter {
 public:
  /// Throws LogError when the log's schema is none.
  explicit LogPrinter(const LogReader& log) : path_(log.path()), messages_(&pool_) {
    google::protobuf::FileDescriptorSet schema;
    if (!schema.ParseFromArray(log.schema().data(), static_cast<int>(log.schema().size())))
      fail(0, "its schema is no protobuf FileDescriptorSet");
    for (const google::protobuf::FileDescriptorProto& file : schema.file()) {
      detail::FirstSchemaError error;
      if (!pool_.BuildFileCollectingErrors(file, &error))
        fail(0, "its schema is not sound: " + error.text());
    }
    printer_.SetSingleLineMode(true);
    printer_.SetDefaultFieldValuePrinter(new detail::ReadableValues);  // The printer owns it.
  }

  /// One line in protobuf's text format; fields that hold their default are left out.
  std::string text(const LogEvent& event) const {
    std::string line;
    printer_.PrintToString(*message(event), &line);
    if (line.ends_with(' ')) line.pop_back();
    return line;
  }

  /// One line in protobuf's JSON; every field is there.
  std::string json(const LogEvent& event) const {
    google::protobuf::util::JsonPrintOptions options;
    options.always_print_primitive_fields = true;
    options.preserve_proto_field_names = true;
    std::string line;
    const auto done =
        google::protobuf::util::MessageToJsonString(*message(event), &line, options);
    if (!done.ok()) fail(event.offset, "event cannot be shown as JSON: " + done.ToString());
    return line;
  }

  /// What must change in `event` to become `other`, an event of the same type: a line a field.
  /// Empty when they are equal.
  std::string differences(const LogEvent& event, const LogEvent& other) const {
    using google::protobuf::util::MessageDifferencer;
    std::string lines;
    google::protobuf::io::StringOutputStream stream(&lines);
    const auto left = message(event);
    const auto right = message(other);
    {
      detail::DifferenceReporter reporter(&stream, printer_);
      reporter.SetMessages(*left, *right);
      MessageDifferencer differencer;
      differencer.set_message_field_comparison(MessageDifferencer::EQUIVALENT);
      differencer.ReportDifferencesTo(&reporter);
      differencer.Compare(*left, *right);
    }
    return lines;
  }

 private:
  std::unique_ptr<google::protobuf::Message> message(const LogEvent& event) const {
    const auto* type = pool_.FindMessageTypeByName(std::string(event.name));
    if (!type) fail(event.offset, "the log's schema lacks " + std::string(event.name));
    std::unique_ptr<google::protobuf::Message> made(messages_.GetPrototype(type)->New());
    const Bytes& bytes = event.payload;
    if (!made->ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
      fail(event.offset, "what is recorded is no " + std::string(event.name));
    return made;
  }

  [[noreturn]] void fail(std::uint64_t offset, std::string reason) const {
    throw LogError(path_, offset, std::move(reason));
  }

  std::string path_;
  google::protobuf::DescriptorPool pool_;
  mutable google::protobuf::DynamicMessageFactory messages_;
  google::protobuf::TextFormat::Printer printer_;
};

}  // namespace mirbft

// <mirbft/log/replay.hpp>
// Runs a deterministic module once more on what an event log says it was given, and compares what
// it emits with what the log says was dispatched.
//
// The log shows events where they are dispatched and not where they are emitted, so the rule is:
//
// - Whatever the module emits directly to one module goes to the end of that module's list, and
//   lists are first in, first out. So such events stand in the log, for each destination, in the
//   order in which they were emitted.
// - Follow-ups wait for their parent, and of a broadcast it is not known here who handles it: such
//   events may stand anywhere after they were emitted.
// - Nothing that only this module emits stands in the log unless it was emitted before.
//
// The first recorded event that breaks this is the difference. A log of the same module never
// breaks it, whatever drives the Node and wherever the log ends: what the module has emitted and
// the log does not show is pending. An altered output that only this module emits breaks it at
// that event; if the alteration happens to make it another one that is due, where that one comes
// and is not expected any more. An altered input breaks it as soon as the outputs differ.

#include <list>

namespace mirbft {

/// Where a replay and its log part.
struct LogDifference {
  /// The recorded event that the module did not emit, or not then.
  LogEvent recorded;
  /// What the replay has in its place: a line a field (`modified: sn: 5 -> 6`, from the log to the
  /// replay) where it is an event of the same type.
  std::string text;
};

namespace detail {

/// What a replayed module has emitted and the log has not shown yet.
class ExpectedEvents {
 public:
  template <class E>
  void add_in_order(const E& event) {
    ordered_[E::destination.index()].push_back(expected(event));
  }
  template <class E>
  void add_in_any_order(const E& event) {
    for (std::size_t place = 0; place < slot_count; ++place)
      if ((E::destination.bits() >> place & 1) != 0) unordered_[place].push_back(expected(event));
  }

  /// Crosses a recorded event off; false when it was not expected. Those in order come first: of
  /// two equal events it does not matter which goes, but nothing may hold up the order.
  bool take(const LogEvent& event) {
    const SameAs equal{event};
    auto& ordered = ordered_[event.slot.index()];
    if (!ordered.empty() && equal(ordered.front())) {
      ordered.pop_front();
      return true;
    }
    auto& unordered = unordered_[event.slot.index()];
    const auto found = std::ranges::find_if(unordered, equal);
    if (found == unordered.end()) return false;
    unordered.erase(found);
    return true;
  }

  /// What most likely should stand in the place of an event that was not expected: the next one
  /// in order if it is of the same type or comes too late; null if there is nothing.
  const LogEvent* in_place_of(const LogEvent& event) const {
    const auto& ordered = ordered_[event.slot.index()];
    const auto& unordered = unordered_[event.slot.index()];
    const LogEvent* next = ordered.empty() ? nullptr : &ordered.front();
    if (next && next->number == event.number) return next;
    if (std::ranges::any_of(ordered, SameAs{event})) return next;
    const auto found = std::ranges::find(unordered, event.number, &LogEvent::number);
    return found != unordered.end() ? &*found : next;
  }

  std::size_t size() const noexcept {
    std::size_t total = 0;
    for (const auto& events : ordered_) total += events.size();
    for (const auto& events : unordered_) total += events.size();
    return total;
  }

 private:
  struct SameAs {
    const LogEvent& event;

    bool operator()(const LogEvent& expected) const {
      return expected.number == event.number && expected.payload == event.payload;
    }
  };

  template <class E>
  static LogEvent expected(const E& event) {
    LogEvent made;
    made.number = E::number;
    made.name = log_format::message_name<E>();
    made.payload = wire::encode(event);
    return made;
  }

  std::array<std::list<LogEvent>, slot_count> ordered_;
  std::array<std::list<LogEvent>, slot_count> unordered_;
};

/// The follow-ups of an event that a replayed module emits.
class ReplayedFollowUps {
 public:
  explicit ReplayedFollowUps(ExpectedEvents& expected) noexcept : expected_(expected) {}

  template <class... Next>
  void then(const Next&... next) {
    (add(next), ...);
  }

 private:
  template <class E>
  void add(const E& event) {
    expected_.add_in_any_order(event);
  }
  template <class E, class... Next>
  void add(const Chain<E, Next...>& chain) {
    add(chain.event);
    std::apply([this](const Next&... next) { (add(next), ...); }, chain.next);
  }

  ExpectedEvents& expected_;
};

/// What a replayed module gets as its `out`.
class ReplayOut {
 public:
  explicit ReplayOut(ExpectedEvents& expected) noexcept : expected_(expected) {}

  template <class E>
  ReplayedFollowUps emit(const E& event) {
    if constexpr (E::destination.is_single()) {
      expected_.add_in_order(event);
    } else {
      expected_.add_in_any_order(event);
    }
    return ReplayedFollowUps(expected_);
  }

 private:
  ExpectedEvents& expected_;
};

}  // namespace detail

/// An event-shaped module under replay: one with `consumes`, `emits` and `process(event, out)`.
/// `Shared` lists those of its `emits` that somebody else in the Node may emit or inject too: such
/// an event is no difference when this module did not emit it.
template <class Module, class Shared = events<>>
class Replay {
 public:
  /// `module` is as it was when the recorded Node started. It and `log` outlive this.
  Replay(Module& module, Slot slot, const LogReader& log)
      : module_(module), slot_(slot), log_(log), printer_(log) {}

  /// Takes the next event of the log. Throws LogError when the module's C++ type cannot hold an
  /// input, and whatever the module throws.
  std::optional<LogDifference> step(const LogEvent& event) {
    std::optional<LogDifference> difference;
    if (is_one_of(typename Module::emits{}, event)) {
      if (expected_.take(event)) {
        ++compared_;
      } else if (!is_one_of(Shared{}, event)) {
        difference = LogDifference{event, describe(event)};
      }
    }
    if (event.slot == slot_) feed(event, typename Module::consumes{});
    return difference;
  }

  /// Events that the module was given.
  std::uint64_t fed() const noexcept { return fed_; }
  /// Recorded events that the module has emitted in the replay too.
  std::uint64_t compared() const noexcept { return compared_; }
  /// Events that the module has emitted and the log has not shown up to here.
  std::size_t pending() const noexcept { return expected_.size(); }

 private:
  template <class... Es>
  static bool is_one_of(events<Es...>, const LogEvent& event) {
    return ((event.number == Es::number) || ...);
  }

  template <class... Es>
  void feed(const LogEvent& event, events<Es...>) {
    (void)((event.number == Es::number && (feed_as<Es>(event), true)) || ...);
  }
  template <class E>
  void feed_as(const LogEvent& event) {
    detail::ReplayOut out(expected_);
    module_.process(log_.template decode<E>(event), out);
    ++fed_;
  }

  std::string describe(const LogEvent& event) const {
    const LogEvent* expected = expected_.in_place_of(event);
    if (!expected) return "the replay has not emitted such an event";
    try {
      if (expected->number == event.number) return printer_.differences(event, *expected);
      return "the replay has " + std::string(expected->name) + " { " + printer_.text(*expected) +
             " }";
    } catch (const LogError& error) {
      return error.reason();
    }
  }

  Module& module_;
  Slot slot_;
  const LogReader& log_;
  LogPrinter printer_;
  detail::ExpectedEvents expected_;
  std::uint64_t fed_ = 0;
  std::uint64_t compared_ = 0;
};

/// What came of a replay.
struct ReplayResult {
  std::uint64_t fed = 0;
  std::uint64_t compared = 0;
  std::uint64_t pending = 0;
  std::optional<LogDifference> difference;
};

/// Replays what is left of a log up to the first difference; see `Replay`.
template <class Shared = events<>, class Module>
ReplayResult replay(Module& module, Slot slot, LogReader& log) {
  Replay<Module, Shared> replay(module, slot, log);
  std::optional<LogDifference> difference;
  while (!difference) {
    const std::optional<LogEvent> event = log.next();
    if (!event) break;
    difference = replay.step(*event);
  }
  return {replay.fed(), replay.compared(), replay.pending(), std::move(difference)};
}

}  // namespace mirbft

// <mirbft/sim/agenda.hpp>
// What is going to happen, in the order of time.

// <mirbft/sim/clock.hpp>
// Virtual time, and what the clock of a node makes of it.

namespace mirbft::sim {

/// A point in virtual time, since the beginning of the simulation, or a span of it.
using Time = std::chrono::nanoseconds;

/// The time of the simulation: it stands still while anything happens, and jumps in between.
class Clock {
 public:
  Time now() const noexcept { return now_; }
  /// Goes on to `time`; never back.
  void advance_to(Time time) noexcept { now_ = std::max(now_, time); }

 private:
  Time now_{};
};

/// The clock of one node: it has an origin of its own, runs too fast or too slow, and may jump
/// forward. It never goes back, as steady clocks do not.
class LocalClock {
 public:
  LocalClock() = default;
  /// Shows `origin` at the time `now`, and gains `drift` nanoseconds in a million.
  LocalClock(Time now, Time origin, std::int64_t drift) noexcept
      : since_(now), shown_(origin), drift_(drift) {}

  Time read(Time now) const noexcept {
    const Time passed = now - since_;
    return shown_ + passed + passed / 1'000'000 * drift_;
  }
  void jump(Time by) noexcept { shown_ += by; }

 private:
  Time since_{};
  Time shown_{};
  std::int64_t drift_ = 0;
};

}  // namespace mirbft::sim

namespace mirbft::sim {

/// Later than everything.
inline constexpr Time never{std::numeric_limits<Time::rep>::max()};

/// Things to happen, ordered by their time and, at the same time, by when they were noted down:
/// never by an address or by chance.
template <class What>
class Agenda {
 public:
  void at(Time time, What what) {
    heap_.push_back({time, next_number_++, std::move(what)});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }

  bool empty() const noexcept { return heap_.empty(); }
  std::size_t size() const noexcept { return heap_.size(); }
  /// When the next thing happens; `never` if there is none.
  Time next() const noexcept { return heap_.empty() ? never : heap_.front().time; }
  /// Takes out the next thing, which must be there.
  What take() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    What what = std::move(heap_.back().what);
    heap_.pop_back();
    return what;
  }
  void clear() noexcept { heap_.clear(); }

 private:
  struct Entry {
    Time time;
    std::uint64_t number;
    What what;
  };
  static bool later(const Entry& left, const Entry& right) noexcept {
    return left.time != right.time ? left.time > right.time : left.number > right.number;
  }

  std::vector<Entry> heap_;
  std::uint64_t next_number_ = 0;
};

}  // namespace mirbft::sim

// <mirbft/sim/client.hpp>
// A simulated client: it keeps requests open, waits for answers, and asks again.

// <mirbft/sim/findings.hpp>
// What a simulation has found to be wrong.

namespace mirbft::sim {

/// A rule that was broken.
struct Finding {
  /// Short name of the rule, such as "agreement".
  std::string rule;
  /// What was seen, where and when, for people.
  std::string text;
  /// In nanoseconds since the beginning.
  std::uint64_t at = 0;
};

/// The findings of one run. Its texts name the seed, so that a single line is enough to begin with.
class Findings {
 public:
  /// Beyond so many, findings are only counted: the first ones tell the story.
  static constexpr std::size_t kept = 16;

  /// `clock` must outlive it.
  Findings(std::uint64_t seed, const Clock& clock) noexcept : seed_(seed), clock_(clock) {}

  void report(std::string rule, NodeId node, std::optional<SeqNr> sn, const std::string& what) {
    ++count_;
    if (all_.size() >= kept) return;
    const auto now = static_cast<std::uint64_t>(clock_.now().count());
    std::string text = "seed " + std::to_string(seed_) + ", node " + std::to_string(node.value);
    if (sn) text += ", sn " + std::to_string(sn->value);
    text += ", at " + std::to_string(now / 1'000'000) + " ms: " + rule + ": " + what;
    all_.push_back({std::move(rule), std::move(text), now});
  }

  bool none() const noexcept { return count_ == 0; }
  std::uint64_t count() const noexcept { return count_; }
  const std::vector<Finding>& all() const noexcept { return all_; }

 private:
  std::uint64_t seed_;
  const Clock& clock_;
  std::uint64_t count_ = 0;
  std::vector<Finding> all_;
};

}  // namespace mirbft::sim

BOOST_HANA_ADAPT_STRUCT(mirbft::sim::Finding, rule, text, at);

// <mirbft/sim/invariants.hpp>
// Invariants of every total order broadcast, whatever the protocol.

namespace mirbft::sim {

/// Names of requests in findings.
inline std::string name_of(ClientId client, ReqNo req_no) {
  return "request " + std::to_string(req_no.value) + " of client " + std::to_string(client.value);
}

/// Agreement: correct nodes deliver one batch for a sequence number. No duplication: a request has
/// one sequence number. Total order: an App sees each number once, ascending, without gaps, from 0
/// or from the state that it was given, and at each number the requests that were delivered there.
class TotalOrder {
 public:
  void started(NodeId node) { next_[node] = restored_[node] = SeqNr(0); }

  void event(NodeId node, const Deliver& delivery, Findings& findings) {
    const auto [place, is_first] = log_.try_emplace(delivery.sn, delivery.batch);
    if (is_first) {
      note_requests(node, delivery, findings);
    } else if (place->second != delivery.batch) {
      findings.report("agreement", node, delivery.sn,
                      "delivers another batch than a correct node before it: " +
                          std::to_string(delivery.batch->size()) + " requests here, " +
                          std::to_string(place->second->size()) + " there");
    }
  }

  void event(NodeId node, const Apply& apply, Findings& findings) {
    // What a restored state covers and was on its way before it is not applied.
    if (apply.sn < restored_[node]) return;
    SeqNr& next = next_[node];
    if (apply.sn != next)
      findings.report("total order", node, apply.sn,
                      "reaches the App when sn " + std::to_string(next.value) + " is due");
    next = apply.sn + 1;
    const auto chosen = log_.find(apply.sn);
    const auto same = [](const Request& request, const RequestRef& reference) {
      return request.client == reference.client && request.req_no == reference.req_no;
    };
    if (chosen == log_.end() || !std::equal(apply.requests.begin(), apply.requests.end(),
                                            chosen->second->begin(), chosen->second->end(), same))
      findings.report("total order", node, apply.sn,
                      "the App is given other requests than those that were delivered");
  }

  void event(NodeId node, const AppRestoreState& restore, Findings& findings) {
    SeqNr& next = next_[node];
    if (restore.sn + 1 < next)
      findings.report("total order", node, restore.sn,
                      "the App goes back: sn " + std::to_string(next.value) + " is due");
    next = restored_[node] = restore.sn + 1;
  }

  /// How many sequence numbers, and requests, were delivered by any correct node.
  std::size_t length() const noexcept { return log_.size(); }
  std::size_t requests() const noexcept { return places_.size(); }
  /// Whether a correct node has delivered the request.
  bool has(ClientId client, ReqNo req_no) const { return places_.contains({client, req_no}); }

 private:
  void note_requests(NodeId node, const Deliver& delivery, Findings& findings) {
    for (const RequestRef& reference : *delivery.batch) {
      const auto [place, is_first] =
          places_.try_emplace({reference.client, reference.req_no}, delivery.sn);
      if (!is_first)
        findings.report("no duplication", node, delivery.sn,
                        name_of(reference.client, reference.req_no) +
                            " was delivered before, at sn " +
                            std::to_string(place->second.value));
    }
  }

  std::map<SeqNr, Batch> log_;
  std::map<std::pair<ClientId, ReqNo>, SeqNr> places_;
  std::map<NodeId, SeqNr> next_;
  std::map<NodeId, SeqNr> restored_;
};

/// Integrity: what an App is given was submitted by that client under that number, byte for byte.
class Integrity {
 public:
  void submitted(const Request& request, Time) {
    std::vector<Bytes>& bodies = bodies_[{request.client, request.req_no}];
    if (std::find(bodies.begin(), bodies.end(), request.data) == bodies.end())
      bodies.push_back(request.data);
  }

  void event(NodeId node, const Apply& apply, Findings& findings) {
    for (const Request& request : apply.requests) {
      const auto found = bodies_.find({request.client, request.req_no});
      if (found == bodies_.end() ||
          std::find(found->second.begin(), found->second.end(), request.data) ==
              found->second.end())
        findings.report("integrity", node, apply.sn,
                        name_of(request.client, request.req_no) +
                            " was never submitted with this body");
    }
  }

 private:
  std::map<std::pair<ClientId, ReqNo>, std::vector<Bytes>> bodies_;
};

}  // namespace mirbft::sim

// <mirbft/sim/random.hpp>
// Random numbers that are the same with every compiler: all that a simulation draws comes from it.

namespace mirbft::sim {

/// xoshiro256** (Blackman and Vigna, 2018), seeded by SplitMix64. Integers only, since results of
/// floating point and of the standard library's distributions differ between platforms.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : seed_(seed) {
    for (std::uint64_t& word : state_) word = mix(seed += golden);
  }

  std::uint64_t next() noexcept {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// From 0 to `n - 1`; `n` is not 0. Its bias is below `n / 2^64`.
  std::uint64_t below(std::uint64_t n) noexcept { return next() % n; }

  /// From `low` to `high`, both included and in this order.
  template <class T>
    requires std::is_integral_v<T>
  T between(T low, T high) noexcept {
    const auto span = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
    return static_cast<T>(static_cast<std::uint64_t>(low) +
                          (span == ~std::uint64_t{0} ? next() : below(span + 1)));
  }
  std::chrono::nanoseconds between(std::chrono::nanoseconds low,
                                   std::chrono::nanoseconds high) noexcept {
    return std::chrono::nanoseconds(between(low.count(), high.count()));
  }

  /// True in so many of a thousand cases.
  bool chance(std::uint32_t per_mille) noexcept {
    return per_mille != 0 && below(1000) < per_mille;
  }

  /// An element of a list that is not empty.
  template <class List>
  auto& pick(List& list) noexcept {
    return list[below(list.size())];
  }

  template <class List>
  void shuffle(List& list) noexcept {
    for (std::size_t i = list.size(); i > 1; --i) std::swap(list[i - 1], list[below(i)]);
  }

  /// A generator of its own for a part of the simulation. It depends on the seed, the label and
  /// the number, and not on what was drawn before: a part that draws more disturbs no other.
  Random fork(std::string_view label, std::uint64_t number = 0) const noexcept {
    std::uint64_t child = mix(seed_ + golden);
    for (const char letter : label) child = mix(child ^ static_cast<unsigned char>(letter));
    return Random(mix(child + number));
  }

 private:
  static constexpr std::uint64_t golden = 0x9e3779b97f4a7c15ull;

  static constexpr std::uint64_t mix(std::uint64_t value) noexcept {
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ull;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebull;
    return value ^ (value >> 31);
  }

  std::uint64_t seed_;
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace mirbft::sim

namespace mirbft::sim {

/// To how many replicas a client gives a request.
enum class Target : std::uint8_t { one, some, all };

/// What a client does.
struct ClientConfig {
  ClientId id{};
  /// How many requests it makes altogether, and how many of them at a time.
  std::uint64_t requests = 100;
  std::size_t open = 4;
  Target target = Target::all;
  /// When it asks again for what is not answered, with the same number.
  Time retry_after = std::chrono::seconds(2);
  /// Between an answer and the next request, at most.
  Time rest = std::chrono::milliseconds(20);
  /// The body of a request; by default some text that names it.
  std::function<std::string(ClientId, ReqNo, Random&)> body{};
  /// Its signature under a request, made anew whenever it asks; by default there is none. While the
  /// client has another key than the replicas believe, it is refused and tries again.
  std::function<Bytes(const Request&)> sign{};
};

/// A correct client. An answer is believed when a weak quorum gives it, or the only replica that
/// was asked.
class Client {
 public:
  Client(ClientConfig config, std::vector<NodeId> replicas, Random random)
      : config_(std::move(config)), replicas_(std::move(replicas)), random_(random) {}

  ClientId id() const noexcept { return config_.id; }
  std::uint64_t made() const noexcept { return next_.value; }
  std::uint64_t completed() const noexcept { return next_.value - open_.size(); }
  std::uint64_t retries() const noexcept { return retries_; }
  /// Whether it has made all its requests, and has all the answers.
  bool done() const noexcept { return open_.empty() && next_.value >= config_.requests; }
  /// The first request without an answer, if there is one.
  std::optional<ReqNo> waits_for() const {
    return open_.empty() ? std::nullopt : std::optional(open_.begin()->first);
  }

  /// Makes no more requests.
  void stop() noexcept { config_.requests = std::min(config_.requests, next_.value); }
  /// From now on these are asked, and soon: what is open is due for another try at `now`.
  void turn_to(std::vector<NodeId> replicas, Time now) {
    replicas_ = std::move(replicas);
    for (auto& [number, open] : open_) open.due = now;
  }

  /// Makes new requests and repeats those that are due: calls `send(NodeId, const Request&,
  /// Spread)` for each replica, and `made(const Request&)` for new ones. Returns when it wants to
  /// be called again; `never` if an answer must come first.
  template <class Send, class Made>
  Time go_on(Time now, Send&& send, Made&& made) {
    Time wake = never;
    for (auto& [number, open] : open_) {
      if (open.due <= now) {
        ++retries_;
        ask(open, now, send);
      }
      wake = std::min(wake, open.due);
    }
    while (open_.size() < config_.open && next_.value < config_.requests) {
      Open& open = open_[next_];
      open.request = make_request();
      made(open.request);
      ask(open, now, send);
      wake = std::min(wake, open.due);
      ++next_;
    }
    return wake;
  }

  /// A correct replica has answered. Returns whether the request is complete by that, and so a new
  /// one may be made.
  bool replied(NodeId from, const Replied& reply, Findings& findings) {
    const auto found = open_.find(reply.req_no);
    if (found == open_.end()) return false;
    Open& open = found->second;
    switch (reply.outcome) {
      case Outcome::delivered: check(from, reply, open, findings); break;
      case Outcome::already_delivered: break;
      case Outcome::overloaded:
      case Outcome::rejected_window:
      case Outcome::shut_down: return false;  // it tries again in time
      case Outcome::rejected_signature:
        if (config_.sign) return false;
        [[fallthrough]];
      default:
        findings.report("admission", from, std::nullopt,
                        name_of(reply.client, reply.req_no) + " is honest, and was " +
                            std::string(to_string(reply.outcome)));
        return false;
    }
    if (std::find(open.answered.begin(), open.answered.end(), from) == open.answered.end())
      open.answered.push_back(from);
    if (open.answered.size() < open.needed) return false;
    open_.erase(found);
    return true;
  }

  /// How long it rests before its next request.
  Time rest() noexcept { return random_.between(Time{}, config_.rest); }

 private:
  struct Open {
    Request request;
    Time due{};
    std::size_t needed = 1;
    std::vector<NodeId> answered;
    bool known = false;
    SeqNr sn;
    Bytes result;
  };

  Request make_request() {
    std::string body = config_.body
                           ? config_.body(config_.id, next_, random_)
                           : std::to_string(config_.id.value) + "/" + std::to_string(next_.value);
    return {config_.id, next_, Bytes(body), {}};
  }

  template <class Send>
  void ask(Open& open, Time now, Send& send) {
    open.due = now + config_.retry_after;
    if (config_.sign) open.request.authenticator = config_.sign(open.request);
    random_.shuffle(replicas_);
    const std::size_t count = config_.target == Target::one    ? 1
                              : config_.target == Target::some ? 1 + random_.below(replicas_.size())
                                                               : replicas_.size();
    const Spread spread = config_.target == Target::all ? Spread::by_client : Spread::by_replica;
    open.needed = std::min(count, Quorum(replicas_.size()).weak());
    for (std::size_t i = 0; i < count; ++i) send(replicas_[i], open.request, spread);
  }

  /// Correct replicas apply the same requests at the same places, with the same results.
  void check(NodeId from, const Replied& reply, Open& open, Findings& findings) const {
    if (open.known && (open.sn != reply.sn || open.result != reply.result))
      findings.report("same results", from, reply.sn,
                      name_of(reply.client, reply.req_no) +
                          " has another place or result than at the replica that answered first");
    open.known = true;
    open.sn = reply.sn;
    open.result = reply.result;
  }

  ClientConfig config_;
  std::vector<NodeId> replicas_;
  Random random_;
  ReqNo next_;
  std::map<ReqNo, Open> open_;
  std::uint64_t retries_ = 0;
};

}  // namespace mirbft::sim

// <mirbft/sim/cluster.hpp>
// A whole cluster of real Nodes in one thread, one seed and virtual time.

// <mirbft/sim/disk.hpp>
// The disk of a simulated node, which outlives it, and the Wal and Store modules that write to it.

namespace mirbft::sim {

/// The node is gone amid an operation of its disk. Thrown out of its Wal or Store.
class PowerFailure : public ModuleFailure {
 public:
  PowerFailure() : ModuleFailure("the power failed") {}
};

/// What a crash leaves of what was written after the last sync: all of it, a prefix that is drawn,
/// or nothing.
enum class Tail : std::uint8_t { kept, drawn, lost };

/// Whether a disk holds what its node has written; if it was lost, until new records are durable.
enum class Contents : std::uint8_t { kept, lost };

/// An entry of a write-ahead log as it stands on the disk.
struct Record {
  std::uint32_t type = 0;
  Bytes entry;
  RetentionIndex retention;
};

/// What a Wal has done since the disk was made.
struct WalStatus {
  std::uint64_t entries = 0;
  std::uint64_t durable = 0;
  std::uint64_t appended = 0;
  std::uint64_t syncs = 0;
};

/// What a Store holds.
struct StoreStatus {
  std::uint64_t requests = 0;
};

/// Records and requests, and which of them a crash spares: those before the last sync, and of the
/// others what `Tail` says.
class Disk {
 public:
  explicit Disk(Random random) noexcept : random_(random) {}
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  /// Calls `look(record)` for every record once it is durable.
  void on_durable(std::function<void(const Record&)> look) { on_durable_ = std::move(look); }

  /// The power fails at an operation: this one, if `operations` is 0, or so many later. A write
  /// that it fails at is not done. Every `append`, `put`, `delivered` and `sync` is an operation.
  void fail_after(std::uint64_t operations) noexcept { left_ = operations; }
  /// The power fails now, amid the work of another module.
  void fail() noexcept { failed_ = true; }
  /// Takes back `fail_after`, if it has not come to that yet.
  void spare() noexcept {
    if (!failed_) left_ = forever;
  }
  /// Whether the power failed, and `crash` was not called since.
  bool failed() const noexcept { return failed_; }
  /// How many operations there have been.
  std::uint64_t operations() const noexcept { return operations_; }

  /// The node is gone. Returns how much of what it wrote is lost.
  std::size_t crash(Tail tail = Tail::drawn) {
    failed_ = false;
    left_ = forever;
    return crash_log(tail) + crash_requests(tail);
  }
  /// Everything is lost: the node comes back with an empty disk, and must be told so.
  void wipe() {
    contents_ = Contents::lost;
    records_.clear();
    durable_ = 0;
    requests_.clear();
    delivered_.clear();
    unsynced_.clear();
  }

  Contents contents() const noexcept { return contents_; }
  /// The log, oldest first, and how many of its records a crash spares.
  const std::vector<Record>& records() const noexcept { return records_; }
  std::size_t durable() const noexcept { return durable_; }

 private:
  friend class Wal;
  friend class Store;

  static constexpr std::uint64_t forever = std::numeric_limits<std::uint64_t>::max();

  struct Kept {
    Request request;
    bool durable = false;
    std::optional<SeqNr> delivered;
  };
  using Requests = std::map<RequestRef, Kept>;

  void operate() {
    ++operations_;
    if (failed_) throw PowerFailure();
    if (left_ == forever) return;
    failed_ = left_-- == 0;
    if (failed_) throw PowerFailure();
  }

  /// How much a crash spares, of which at least `synced`, at most `written`.
  std::size_t spared(Tail tail, std::size_t synced, std::size_t written) noexcept {
    switch (tail) {
      case Tail::kept: return written;
      case Tail::lost: return synced;
      case Tail::drawn: break;
    }
    return random_.between(synced, written);
  }

  void append(Record record) {
    operate();
    ++appended_;
    records_.push_back(std::move(record));
  }
  void sync_log() {
    operate();
    ++syncs_;
    if (on_durable_)
      for (std::size_t i = durable_; i < records_.size(); ++i) on_durable_(records_[i]);
    spare_records(records_.size());
  }
  void truncate(RetentionIndex index) {
    const auto old = [index](const Record& record) { return record.retention < index; };
    const auto unsynced = records_.begin() + static_cast<std::ptrdiff_t>(durable_);
    durable_ -= static_cast<std::size_t>(std::count_if(records_.begin(), unsynced, old));
    std::erase_if(records_, old);
  }
  std::size_t crash_log(Tail tail) {
    const std::size_t kept = spared(tail, durable_, records_.size());
    const std::size_t lost = records_.size() - kept;
    records_.resize(kept);
    // What happened to reach the disk is as good as what was synced.
    if (on_durable_)
      for (std::size_t i = durable_; i < kept; ++i) on_durable_(records_[i]);
    spare_records(kept);
    return lost;
  }
  void spare_records(std::size_t count) noexcept {
    durable_ = count;
    if (count != 0) contents_ = Contents::kept;
  }

  void put(const RequestRef& reference, Bytes data, Bytes authenticator) {
    operate();
    const auto [place, is_new] = requests_.try_emplace(reference);
    if (!is_new) {
      place->second.request.authenticator = std::move(authenticator);
      return;
    }
    place->second.request = {reference.client, reference.req_no, std::move(data),
                             std::move(authenticator)};
    unsynced_.push_back(reference);
  }
  void sync_requests() {
    operate();
    for (const RequestRef& reference : unsynced_) {
      const auto place = requests_.find(reference);
      if (place != requests_.end()) place->second.durable = true;
    }
    unsynced_.clear();
  }
  std::size_t crash_requests(Tail tail) {
    const std::size_t kept = spared(tail, 0, unsynced_.size());
    const std::size_t lost = unsynced_.size() - kept;
    for (std::size_t i = kept; i < unsynced_.size(); ++i) requests_.erase(unsynced_[i]);
    for (std::size_t i = 0; i < kept; ++i) {
      const auto place = requests_.find(unsynced_[i]);
      if (place != requests_.end()) place->second.durable = true;
    }
    unsynced_.clear();
    return lost;
  }

  void deliver(SeqNr sn, const Batch& batch) {
    operate();
    for (const RequestRef& reference : *batch) {
      const auto place = requests_.find(reference);
      if (place != requests_.end()) place->second.delivered = sn;
    }
    delivered_.insert_or_assign(sn, batch);
  }
  void collect(const Collection& collection) {
    const auto end = delivered_.upper_bound(collection.through);
    for (auto at = delivered_.begin(); at != end; at = delivered_.erase(at))
      for (const RequestRef& reference : *at->second) requests_.erase(reference);
    for (const ClientWindow& window : collection.windows) {
      const auto low = requests_.lower_bound({window.client, ReqNo(0), {}});
      const auto high = requests_.lower_bound({window.client, window.low, {}});
      for (auto at = low; at != high;)
        at = at->second.delivered ? std::next(at) : requests_.erase(at);
    }
  }

  Random random_;
  std::function<void(const Record&)> on_durable_;
  std::uint64_t left_ = forever;
  bool failed_ = false;
  std::uint64_t operations_ = 0;
  Contents contents_ = Contents::kept;

  std::vector<Record> records_;
  std::size_t durable_ = 0;
  std::uint64_t appended_ = 0;
  std::uint64_t syncs_ = 0;

  Requests requests_;
  std::map<SeqNr, Batch> delivered_;
  /// Requests since the last sync, in their order.
  std::vector<RequestRef> unsynced_;
};

/// The Wal module of a simulated node.
class Wal {
 public:
  /// Writes to `disk`, which must outlive it.
  explicit Wal(Disk& disk) noexcept : disk_(&disk) {}

  void append(std::uint32_t type, Bytes entry, RetentionIndex retention) {
    disk_->append({type, std::move(entry), retention});
  }
  void sync() { disk_->sync_log(); }
  void truncate(RetentionIndex index) { disk_->truncate(index); }
  template <class F>
  void replay(F&& f) {
    for (const Record& record : disk_->records()) f(record.type, record.entry);
  }

  WalStatus status() const noexcept {
    return {disk_->records_.size(), disk_->durable_, disk_->appended_, disk_->syncs_};
  }

 private:
  Disk* disk_;
};

/// The Store module of a simulated node.
class Store {
 public:
  /// Writes to `disk`, which must outlive it.
  explicit Store(Disk& disk) noexcept : disk_(&disk) {}

  void put(const RequestRef& reference, Bytes data, Bytes authenticator) {
    disk_->put(reference, std::move(data), std::move(authenticator));
  }
  void sync() { disk_->sync_requests(); }
  const Request* get(const RequestRef& reference) const {
    const auto found = disk_->requests_.find(reference);
    return found == disk_->requests_.end() ? nullptr : &found->second.request;
  }
  void delivered(SeqNr sn, const Batch& batch) { disk_->deliver(sn, batch); }
  void collect(const Collection& collection) { disk_->collect(collection); }

  StoreStatus status() const noexcept { return {disk_->requests_.size()}; }

 private:
  Disk* disk_;
};

}  // namespace mirbft::sim

BOOST_HANA_ADAPT_STRUCT(mirbft::sim::WalStatus, entries, durable, appended, syncs);
BOOST_HANA_ADAPT_STRUCT(mirbft::sim::StoreStatus, requests);

// <mirbft/sim/fault.hpp>
// The kinds of faults, and how often each has struck.

namespace mirbft::sim {

/// What can go wrong in a simulated cluster without anybody's malice.
enum class Fault : std::uint8_t {
  /// A frame disappears.
  loss,
  /// A frame arrives twice.
  duplication,
  /// A frame overtakes others of its link, or is overtaken.
  reordering,
  /// A frame takes far longer than others.
  delay,
  /// A link holds back everything for a while.
  clog,
  /// Two groups do not hear each other.
  symmetric_partition,
  /// One group does not hear the other, which hears it.
  asymmetric_partition,
  /// Two groups do not hear each other, but one member hears both and is heard by both.
  bridge_partition,
  /// A node is gone between two lists of events, and comes back later on the same disk.
  crash,
  /// A node is gone amid a list of its disk: a part of it is written, and nothing is synced.
  crash_in_list,
  /// What was written and not synced before a crash is lost, but for some prefix of it.
  lost_tail,
  /// A node does nothing for a while.
  pause,
  /// The clock of a node runs too fast or too slow.
  clock_skew,
  /// The clock of a node jumps forward.
  clock_jump,
  /// A module of a node gets no work done for a while; the others of the node do.
  slow_module,
  /// The modules of a node get their work in another order than `Node::process` would give it.
  slot_order,
  /// A node loses its whole disk, and comes back without its memory.
  wipe,
};

inline constexpr std::size_t fault_kinds = 17;

constexpr std::string_view to_string(Fault fault) noexcept {
  constexpr std::string_view names[fault_kinds] = {"loss",
                                                   "duplication",
                                                   "reordering",
                                                   "delay",
                                                   "clog",
                                                   "symmetric_partition",
                                                   "asymmetric_partition",
                                                   "bridge_partition",
                                                   "crash",
                                                   "crash_in_list",
                                                   "lost_tail",
                                                   "pause",
                                                   "clock_skew",
                                                   "clock_jump",
                                                   "slow_module",
                                                   "slot_order",
                                                   "wipe"};
  return names[static_cast<std::size_t>(fault)];
}

constexpr Fault fault_at(std::size_t place) noexcept { return static_cast<Fault>(place); }

/// Which kinds of faults may strike.
class FaultKinds {
 public:
  constexpr FaultKinds() = default;
  constexpr FaultKinds(std::initializer_list<Fault> kinds) noexcept {
    for (const Fault kind : kinds) bits_ |= bit(kind);
  }
  static constexpr FaultKinds all() noexcept {
    FaultKinds kinds;
    kinds.bits_ = (1u << fault_kinds) - 1;
    return kinds;
  }

  constexpr bool has(Fault kind) const noexcept { return (bits_ & bit(kind)) != 0; }
  constexpr bool none() const noexcept { return bits_ == 0; }
  friend constexpr FaultKinds operator|(FaultKinds left, FaultKinds right) noexcept {
    left.bits_ |= right.bits_;
    return left;
  }
  friend constexpr bool operator==(FaultKinds, FaultKinds) = default;

 private:
  static constexpr std::uint32_t bit(Fault kind) noexcept {
    return 1u << static_cast<unsigned>(kind);
  }

  std::uint32_t bits_ = 0;
};

/// The names of kinds, with commas between; "none" for none of them.
inline std::string to_string(FaultKinds kinds) {
  std::string text;
  for (std::size_t i = 0; i < fault_kinds; ++i)
    if (kinds.has(fault_at(i))) (text += text.empty() ? "" : ",") += to_string(fault_at(i));
  return text.empty() ? "none" : text;
}

/// Reads names with commas between, "all" or "none". Throws ConfigError for anything else.
inline FaultKinds parse_fault_kinds(std::string_view text) {
  if (text == "all") return FaultKinds::all();
  FaultKinds kinds;
  if (text == "none") return kinds;
  for (std::string_view rest = text;;) {
    const std::string_view name = rest.substr(0, rest.find(','));
    std::optional<Fault> found;
    for (std::size_t i = 0; i < fault_kinds; ++i)
      if (name == to_string(fault_at(i))) found = fault_at(i);
    if (!found)
      throw ConfigError("faults", '"' + std::string(name) + '"',
                        "must be all, none or a list of " + to_string(FaultKinds::all()));
    kinds = kinds | FaultKinds{*found};
    if (name.size() == rest.size()) return kinds;
    rest.remove_prefix(name.size() + 1);
  }
}

/// How often each kind of fault has struck.
class FaultCounts {
 public:
  void count(Fault kind, std::uint64_t times = 1) noexcept {
    counts_[static_cast<std::size_t>(kind)] += times;
  }
  std::uint64_t operator[](Fault kind) const noexcept {
    return counts_[static_cast<std::size_t>(kind)];
  }
  FaultCounts& operator+=(const FaultCounts& other) noexcept {
    for (std::size_t i = 0; i < fault_kinds; ++i) counts_[i] += other.counts_[i];
    return *this;
  }
  /// Those of `wanted` that have never struck.
  FaultKinds missing(FaultKinds wanted) const noexcept {
    FaultKinds kinds;
    for (std::size_t i = 0; i < fault_kinds; ++i)
      if (wanted.has(fault_at(i)) && counts_[i] == 0) kinds = kinds | FaultKinds{fault_at(i)};
    return kinds;
  }

 private:
  std::array<std::uint64_t, fault_kinds> counts_{};
};

}  // namespace mirbft::sim

// <mirbft/sim/network.hpp>
// The network of a simulation, and the Net module that a node reaches it by.

namespace mirbft::sim {

/// A frame as a node sends it.
struct Frame {
  NodeId from;
  NodeId to;
  FrameClass kind = FrameClass::vote;
  Bytes payload;
};

/// What becomes of a frame, or of a part of it.
struct Passage {
  Bytes payload;
  /// Beyond what it takes anyhow. What is late is overtaken by others.
  Time late{};
};

/// How the links behave; rates are of a thousand frames.
struct LinkRates {
  /// What an ordinary frame takes, at least and at most.
  Time shortest = std::chrono::microseconds(50);
  Time longest = std::chrono::milliseconds(1);
  std::uint32_t loss = 0;
  std::uint32_t duplication = 0;
  std::uint32_t reordering = 0;
  std::uint32_t delay = 0;
  /// What a delayed frame takes, at most.
  Time longest_delay = std::chrono::milliseconds(500);

  friend bool operator==(const LinkRates&, const LinkRates&) = default;
};

/// Links in one direction that carry nothing, for one reason.
struct Cut {
  Fault kind = Fault::symmetric_partition;
  /// From whom to whom.
  std::vector<std::pair<NodeId, NodeId>> links;
};

/// What a `Net` has done, in frames.
struct NetStatus {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  /// Sent to nobody in the network, or longer than its class allows.
  std::uint64_t refused = 0;
};

class Net;

/// Carries frames between members, late, in disorder, twice or never: as its rates and its random
/// numbers say. What arrives waits in the receiver's inbox until its `Net` is polled.
class Network {
 public:
  /// `clock` must outlive the network.
  Network(std::vector<NodeId> members, const Clock& clock, Random random, LinkRates rates = {})
      : members_(std::move(members)), clock_(clock), random_(random), rates_(rates) {
    std::sort(members_.begin(), members_.end());
    for (std::size_t i = 0; i < members_.size(); ++i)
      ends_.push_back(std::make_unique<End>(End{this, i, false, {}, 0}));
    links_.resize(members_.size() * members_.size());
  }
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  /// A member's way in, until it is destroyed; then what waits for it is lost, and what arrives
  /// too. Throws ConfigError if there is one already, or no such member.
  Net connect(NodeId self);

  /// Calls `tap(frame)` for every frame that is sent, whatever becomes of it.
  void tap(std::function<void(const Frame&)> tap) { tap_ = std::move(tap); }

  /// Asks `judge(frame)` what becomes of every frame that is sent: each of its passages goes on as
  /// a frame of its own, and there may be none.
  void judge(std::function<std::vector<Passage>(const Frame&)> judge) {
    judge_ = std::move(judge);
  }

  const std::vector<NodeId>& members() const noexcept { return members_; }
  LinkRates& rates() noexcept { return rates_; }
  const FaultCounts& faults() const noexcept { return faults_; }
  std::uint64_t frames() const noexcept { return frames_; }
  std::uint64_t bytes() const noexcept { return bytes_; }

  /// When the next frame arrives; `never` if none is on its way.
  Time next_arrival() const noexcept { return flights_.next(); }
  /// Puts the next frame into its receiver's inbox, and says whose that is.
  NodeId arrive() {
    Flight flight = flights_.take();
    End& end = *ends_[flight.to];
    if (end.open) end.inbox.push_back({members_[flight.from], std::move(flight.payload)});
    return members_[flight.to];
  }

  /// The links of `cut` carry nothing until it is mended. Cuts may overlap.
  void cut(const Cut& cut) {
    for (const auto& [from, to] : cut.links) {
      Link& link = this->link(place(from), place(to));
      ++link.cuts;
      link.cut_by = cut.kind;
    }
  }
  void mend(const Cut& cut) {
    for (const auto& [from, to] : cut.links) {
      Link& link = this->link(place(from), place(to));
      if (link.cuts != 0) --link.cuts;
    }
  }
  /// A link holds back everything until `until`, then carries it in order.
  void clog(NodeId from, NodeId to, Time until) {
    Link& link = this->link(place(from), place(to));
    link.clogged_until = std::max(link.clogged_until, until);
  }
  /// Nothing is cut, clogged or judged any more, and from now on every frame arrives once and in
  /// order. What is on its way already is not hurried.
  void heal() {
    for (Link& link : links_) {
      link.cuts = 0;
      link.clogged_until = {};
    }
    rates_ = {};
    judge_ = {};
  }
  /// For those who judge: that a fault has struck.
  void count(Fault kind) noexcept { faults_.count(kind); }

 private:
  friend class Net;

  struct Flight {
    std::size_t from;
    std::size_t to;
    Bytes payload;
  };
  struct Arrived {
    NodeId from;
    Bytes payload;
  };
  struct End {
    Network* network;
    std::size_t place;
    bool open;
    std::vector<Arrived> inbox;
    std::size_t taken;
  };
  struct Link {
    std::uint32_t cuts = 0;
    Fault cut_by = Fault::symmetric_partition;
    Time clogged_until{};
    Time last_arrival{};
  };

  /// The place among the members; their number for others.
  std::size_t find(NodeId id) const noexcept {
    const auto found = std::lower_bound(members_.begin(), members_.end(), id);
    return found != members_.end() && *found == id
               ? static_cast<std::size_t>(found - members_.begin())
               : members_.size();
  }
  std::size_t place(NodeId id) const {
    const std::size_t found = find(id);
    if (found == members_.size())
      throw ConfigError("node", std::to_string(id.value), "is no member of the network");
    return found;
  }
  Link& link(std::size_t from, std::size_t to) noexcept {
    return links_[from * members_.size() + to];
  }

  void send(std::size_t from, std::size_t to, FrameClass kind, const Bytes& payload) {
    ++frames_;
    bytes_ += payload.size();
    const Frame frame{members_[from], members_[to], kind, payload};
    if (tap_) tap_(frame);
    if (!judge_) return carry({from, to, payload}, {});
    for (const Passage& passage : judge_(frame)) carry({from, to, passage.payload}, passage.late);
  }

  void carry(const Flight& flight, Time late) {
    const Link& link = this->link(flight.from, flight.to);
    if (link.cuts != 0) return faults_.count(link.cut_by);
    if (strikes(rates_.loss, Fault::loss)) return;
    fly(flight, late);
    if (strikes(rates_.duplication, Fault::duplication)) fly(flight, late);
  }

  void fly(Flight flight, Time late) {
    Link& link = this->link(flight.from, flight.to);
    Time arrival = clock_.now() + late + random_.between(rates_.shortest, rates_.longest);
    if (arrival < link.clogged_until) {
      faults_.count(Fault::clog);
      arrival = link.clogged_until;
    }
    if (strikes(rates_.delay, Fault::delay)) arrival += random_.between({}, rates_.longest_delay);
    if (strikes(rates_.reordering, Fault::reordering)) {
      arrival += random_.between({}, 4 * rates_.longest);
    } else if (late == Time{}) {
      arrival = link.last_arrival = std::max(arrival, link.last_arrival);
    }
    flights_.at(arrival, std::move(flight));
  }

  bool strikes(std::uint32_t per_mille, Fault kind) noexcept {
    if (!random_.chance(per_mille)) return false;
    faults_.count(kind);
    return true;
  }

  std::vector<NodeId> members_;
  const Clock& clock_;
  Random random_;
  LinkRates rates_;
  std::function<void(const Frame&)> tap_;
  std::function<std::vector<Passage>(const Frame&)> judge_;
  std::vector<std::unique_ptr<End>> ends_;
  std::vector<Link> links_;
  Agenda<Flight> flights_;
  FaultCounts faults_;
  std::uint64_t frames_ = 0;
  std::uint64_t bytes_ = 0;
};

/// The Net module of a simulated node. It never waits: time is not its own.
class Net {
 public:
  void send(NodeId to, FrameClass kind, const Bytes& payload) {
    const std::size_t place = end_->network->find(to);
    if (place == end_->network->members_.size() || payload.size() > frame_limit(kind)) {
      ++status_.refused;
      return;
    }
    ++status_.sent;
    end_->network->send(end_->place, place, kind, payload);
  }
  void flush() noexcept {}

  template <class Sink>
  void poll(Sink&& sink, std::chrono::nanoseconds /*at_most*/, std::size_t max_frames) {
    auto& [network, place, open, inbox, taken] = *end_;
    for (; taken < inbox.size() && max_frames != 0; --max_frames) {
      Network::Arrived& arrived = inbox[taken++];
      ++status_.received;
      sink(arrived.from, std::move(arrived.payload));
    }
    if (taken < inbox.size()) return;
    inbox.clear();
    taken = 0;
  }
  void wake() noexcept {}
  void close() noexcept {}

  NetStatus status() const noexcept { return status_; }

 private:
  friend class Network;

  struct Disconnect {
    void operator()(Network::End* end) const noexcept {
      end->open = false;
      end->inbox.clear();
      end->taken = 0;
    }
  };

  explicit Net(Network::End& end) noexcept : end_(&end) { end.open = true; }

  std::unique_ptr<Network::End, Disconnect> end_;
  NetStatus status_;
};

inline Net Network::connect(NodeId self) {
  End& end = *ends_[place(self)];
  if (end.open)
    throw ConfigError("node", std::to_string(self.value), "is connected already; once is enough");
  return Net(end);
}

/// All links between the two groups, in both directions.
inline Cut symmetric_partition(const std::vector<NodeId>& left, const std::vector<NodeId>& right) {
  Cut cut{Fault::symmetric_partition, {}};
  for (const NodeId one : left)
    for (const NodeId other : right) {
      cut.links.push_back({one, other});
      cut.links.push_back({other, one});
    }
  return cut;
}
/// All links from `mute` to `others`: these are not heard, and hear everything.
inline Cut asymmetric_partition(const std::vector<NodeId>& mute,
                                const std::vector<NodeId>& others) {
  Cut cut{Fault::asymmetric_partition, {}};
  for (const NodeId from : mute)
    for (const NodeId to : others) cut.links.push_back({from, to});
  return cut;
}
/// As a symmetric one; who is in neither group hears both and is heard by both.
inline Cut bridge_partition(const std::vector<NodeId>& left, const std::vector<NodeId>& right) {
  Cut cut = symmetric_partition(left, right);
  cut.kind = Fault::bridge_partition;
  return cut;
}

}  // namespace mirbft::sim

BOOST_HANA_ADAPT_STRUCT(mirbft::sim::NetStatus, sent, received, refused);

// <mirbft/sim/watch.hpp>
// The invariants of a simulation, and the Interceptor that shows them every event.

// <mirbft/sim/fingerprint.hpp>
// The hash of a run: two runs of one seed must have the same.

namespace mirbft::sim {

/// Sums up, in order, everything that it is told. Fast and the same on every machine; no
/// protection against those who look for collisions.
class Fingerprint {
 public:
  void add(std::uint64_t value) noexcept {
    state_ = std::rotl((state_ ^ value) * 0x9e3779b97f4a7c15ull, 29);
  }
  void add(ByteView bytes) noexcept {
    add(bytes.size());
    std::size_t at = 0;
    for (; at + 8 <= bytes.size(); at += 8) add(word(bytes.data() + at, 8));
    if (at != bytes.size()) add(word(bytes.data() + at, bytes.size() - at));
  }

  std::uint64_t value() const noexcept {
    return (state_ ^ (state_ >> 32)) * 0xd6e8feb86659fd93ull;
  }

 private:
  /// Little-endian on every machine; compilers make one load of it.
  static std::uint64_t word(const std::uint8_t* bytes, std::size_t count) noexcept {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value |= std::uint64_t{bytes[i]} << (8 * i);
    return value;
  }

  // Not 0, so that zeros count too.
  std::uint64_t state_ = 0x6a09e667f3bcc908ull;
};

}  // namespace mirbft::sim

namespace mirbft::sim {

/// Invariants that are checked together. Each is a class with any of
///
///     void submitted(const Request&, Time now)                  a client has made it
///     void answered(ClientId, ReqNo, const Bytes& result, Time now)   and believes the result
///     void event(NodeId, const E&, Findings&)                   a correct node dispatches an event
///     void frame(const Frame&, Findings&)                       a frame is sent, by whomever
///     void durable(NodeId, const Record&, Findings&)            a record of a correct node's log
///                                                               survives crashes from now on
///     void started(NodeId), void crashed(NodeId), void wiped(NodeId)
///     void looked(NodeId, const Replica&, Findings&)            a correct node, between its lists
///     void ended(Findings&)                                     the run is over
///
/// `event` may be overloaded or a template: it is called for those events that it takes. An
/// invariant reports what it finds, and never throws.
template <class... Invariants>
class Checks {
 public:
  Checks() = default;
  explicit Checks(Invariants... invariants)
    requires(sizeof...(Invariants) != 0)
      : all_(std::move(invariants)...) {}

  template <class Invariant>
  Invariant& get() noexcept {
    return std::get<Invariant>(all_);
  }

  void submitted(const Request& request, Time now) {
    each([&](auto& one) {
      if constexpr (requires { one.submitted(request, now); }) one.submitted(request, now);
    });
  }
  void answered(ClientId client, ReqNo req_no, const Bytes& result, Time now) {
    each([&](auto& one) {
      if constexpr (requires { one.answered(client, req_no, result, now); })
        one.answered(client, req_no, result, now);
    });
  }
  template <class E>
  void event(NodeId node, const E& event, Findings& findings) {
    each([&](auto& one) {
      if constexpr (requires { one.event(node, event, findings); })
        one.event(node, event, findings);
    });
  }
  void frame(const auto& frame, Findings& findings) {
    each([&](auto& one) {
      if constexpr (requires { one.frame(frame, findings); }) one.frame(frame, findings);
    });
  }
  void durable(NodeId node, const auto& record, Findings& findings) {
    each([&](auto& one) {
      if constexpr (requires { one.durable(node, record, findings); })
        one.durable(node, record, findings);
    });
  }
  void started(NodeId node) {
    each([&](auto& one) {
      if constexpr (requires { one.started(node); }) one.started(node);
    });
  }
  void crashed(NodeId node) {
    each([&](auto& one) {
      if constexpr (requires { one.crashed(node); }) one.crashed(node);
    });
  }
  void wiped(NodeId node) {
    each([&](auto& one) {
      if constexpr (requires { one.wiped(node); }) one.wiped(node);
    });
  }
  void looked(NodeId node, const auto& replica, Findings& findings) {
    each([&](auto& one) {
      if constexpr (requires { one.looked(node, replica, findings); })
        one.looked(node, replica, findings);
    });
  }
  void ended(Findings& findings) {
    each([&](auto& one) {
      if constexpr (requires { one.ended(findings); }) one.ended(findings);
    });
  }

 private:
  template <class Call>
  void each(Call&& call) {
    std::apply([&](auto&... all) { (call(all), ...); }, all_);
  }

  std::tuple<Invariants...> all_;
};

/// What is seen of a whole cluster: its invariants, what they have found, and the hash of all.
template <class ChecksOfCluster>
struct Observation {
  ChecksOfCluster checks;
  Findings findings;
  Fingerprint fingerprint;
  std::uint64_t events = 0;
  /// The next sequence number of each node's App.
  std::map<NodeId, SeqNr> applied;
};

/// The Interceptor of a simulated node: it notes that events are dispatched, in which order, and
/// shows those of a correct node to the invariants. `Also` is another Interceptor, such as a
/// `FileInterceptor`, that sees the same once it is given.
template <class ChecksOfCluster = Checks<>, class Also = NullInterceptor>
class Watch {
 public:
  using ChecksOfWatch = ChecksOfCluster;

  /// Whether a node is one whose events must keep the rules.
  enum class Subject : std::uint8_t { correct, faulty };

  using Observed = Observation<ChecksOfCluster>;

  Watch(Observed& observation, NodeId node, Subject subject = Subject::correct) noexcept
      : observation_(&observation), node_(node), subject_(subject) {}

  /// Shows everything to `also` as well. Before the node is made.
  void also(Also also) { also_.emplace(std::move(also)); }

  template <class... Es>
  void begin(NodeId self, ByteView cluster, events<Es...> types) {
    if (also_) also_->begin(self, cluster, types);
  }

  template <class List>
  void intercept(Slot slot, const List& list) {
    observation_->fingerprint.add(node_.value << 16 | slot.bits());
    observation_->events += list.size();
    list.for_each([this]<class E>(const E& event) {
      observation_->fingerprint.add(E::number);
      if constexpr (std::is_same_v<E, Apply> || std::is_same_v<E, AppRestoreState>)
        observation_->applied[node_] = event.sn + 1;
      if (subject_ == Subject::correct)
        observation_->checks.event(node_, event, observation_->findings);
    });
    if (also_) also_->intercept(slot, list);
  }
  void end() {
    if (also_) also_->end();
  }

 private:
  Observed* observation_;
  NodeId node_;
  Subject subject_;
  std::optional<Also> also_;
};

}  // namespace mirbft::sim

namespace mirbft::sim {

/// How a cluster is made, and how its nodes are driven.
struct ClusterConfig {
  std::uint64_t seed = 1;
  std::size_t nodes = 4;
  /// Of every node; `self` is set by the cluster.
  NodeConfig node{};
  /// How often a node is told the time. Every tick costs, so it is not that of `node`.
  Time tick_every = std::chrono::milliseconds(50);
  /// Nodes that keep no rules: their events are not checked.
  std::vector<NodeId> faulty{};
  LinkRates links{};
  /// In so many of a thousand steps, the next slot of a node is drawn; in the others it is the
  /// first that has work.
  std::uint32_t shuffled_slots = 1000;
  /// Between the arrival of work and its begin, at most.
  Time reaction = std::chrono::microseconds(100);
  /// After so many of a thousand steps a node pauses for at most `reaction`.
  std::uint32_t short_pauses = 20;
  /// What crashes leave of what is not synced.
  Tail tail = Tail::drawn;
};

/// What a replica's modules are made of: hand them over to `Node::Modules`.
template <class WatchOfReplica>
struct Parts {
  NodeId self;
  /// How many times this node was restarted.
  std::uint64_t incarnation = 0;
  /// Whether its disk was lost: a protocol that votes must know.
  Contents disk = Contents::kept;
  const std::vector<NodeId>& members;
  Net net;
  Wal wal;
  Store store;
  WatchOfReplica watch;
};

namespace detail {

/// The Interceptor of a Node, and its Protocol.
template <class Replica>
struct InterceptorOf;
template <class N, class H, class C, class A, class W, class T, class S, class P, class I>
struct InterceptorOf<Node<N, H, C, A, W, T, S, P, I>> {
  using type = I;
};
template <class Replica>
struct ProtocolOf;
template <class N, class H, class C, class A, class W, class T, class S, class P, class I>
struct ProtocolOf<Node<N, H, C, A, W, T, S, P, I>> {
  using type = P;
};

}  // namespace detail

/// What a cluster has done.
struct Figures {
  /// Time that nodes were up, summed over them.
  Time node_time{};
  std::uint64_t events = 0;
  std::uint64_t frames = 0;
  std::uint64_t frame_bytes = 0;
  std::uint64_t requests = 0;
  std::uint64_t retries = 0;
  FaultCounts faults;

  Figures& operator+=(const Figures& other) noexcept {
    node_time += other.node_time;
    events += other.events;
    frames += other.frames;
    frame_bytes += other.frame_bytes;
    requests += other.requests;
    retries += other.retries;
    faults += other.faults;
    return *this;
  }
};

/// Runs `Replica`s, any `Node<sim::Net, …, sim::Watch<Checks<…>>>`, against one another.
///
/// Everything happens in virtual time and in an order that the seed decides: when frames arrive,
/// when nodes get to work, and which of a node's modules is next, as they are independent in
/// production. Nothing depends on real time, addresses or threads. A node that stops by itself is
/// a finding; the run ends at the first findings.
///
///     using Replica = Node<sim::Net, Sha256, NullCrypto, Counter, sim::Wal, ClientTracker,
///                          sim::Store, Iss<Pbft>, sim::Watch<sim::Checks<sim::TotalOrder>>>;
///     sim::Cluster<Replica> cluster({.seed = 7}, [](auto parts) {
///       return Replica::Modules{.net = std::move(parts.net), …};
///     });
///     cluster.add_client({.id = ClientId(1), .requests = 100});
///     cluster.run_until([&] { return cluster.clients_done(); }, std::chrono::minutes(1));
template <class Replica>
class Cluster {
 public:
  using WatchOfReplica = typename detail::InterceptorOf<Replica>::type;
  using ChecksOfCluster = typename WatchOfReplica::ChecksOfWatch;
  using PartsOfReplica = Parts<WatchOfReplica>;
  using Make = std::function<typename Replica::Modules(PartsOfReplica)>;

  /// `make(parts)` returns the modules of a replica; it is called again for each restart. All
  /// nodes are started. Throws what `make` and the Nodes throw.
  Cluster(ClusterConfig config, Make make, ChecksOfCluster checks = {})
      : config_(std::move(config)),
        make_(std::move(make)),
        random_(Random(config_.seed).fork("cluster")),
        observed_{std::move(checks), Findings(config_.seed, clock_), {}, 0, {}},
        network_(ids(config_.nodes), clock_, Random(config_.seed).fork("network"), config_.links) {
    network_.tap([this](const Frame& frame) { see(frame); });
    for (const NodeId id : network_.members()) {
      const Random disk = Random(config_.seed).fork("disk", id.value);
      Member& member = *members_.emplace_back(std::make_unique<Member>(id, disk));
      member.faulty = std::ranges::find(config_.faulty, id) != config_.faulty.end();
      if (!member.faulty)
        member.disk.on_durable([this, id](const Record& record) {
          observed_.checks.durable(id, record, observed_.findings);
        });
    }
    for (const NodeId id : network_.members()) start(id);
  }
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;
  /// Callers of requests are told that their node is gone, and do not care.
  ~Cluster() {
    for (auto& member : members_) member->replica.reset();
  }

  Time now() const noexcept { return clock_.now(); }
  const std::vector<NodeId>& members() const noexcept { return network_.members(); }
  Network& network() noexcept { return network_; }
  Disk& disk(NodeId id) { return at(id).disk; }
  ChecksOfCluster& checks() noexcept { return observed_.checks; }
  Findings& findings() noexcept { return observed_.findings; }
  /// Two runs of one seed have the same, whatever compiled them.
  std::uint64_t fingerprint() const noexcept { return observed_.fingerprint.value(); }

  bool is_up(NodeId id) { return at(id).replica != nullptr; }
  /// The Node, which must be up. It lives until it crashes.
  Replica& operator[](NodeId id) { return *at(id).replica; }

  // Clients.

  /// A client begins now.
  void add_client(ClientConfig config) {
    const Random random = Random(config_.seed).fork("client", config.id.value);
    clients_.push_back({Client(std::move(config), members(), random)});
    wake_client(clients_.size() - 1, now());
  }
  std::size_t clients() const noexcept { return clients_.size(); }
  const Client& client(std::size_t place) const noexcept { return clients_[place].client; }
  bool clients_done() const {
    return std::ranges::all_of(clients_, [](const auto& entry) { return entry.client.done(); });
  }
  /// No client makes further requests; all turn to `replicas` with those that are open.
  void finish_requests(const std::vector<NodeId>& replicas) {
    for (std::size_t place = 0; place < clients_.size(); ++place) {
      clients_[place].client.stop();
      clients_[place].client.turn_to(replicas, now());
      wake_client(place, now());
    }
  }

  // Faults.

  /// The node is gone at once: what its disk has not synced may be lost.
  void crash(NodeId id) {
    Member& member = at(id);
    if (!member.replica) return;
    faults_.count(member.disk.failed() ? Fault::crash_in_list : Fault::crash);
    member.steps_left.reset();
    member.frames_left.reset();
    member.node_time += now() - member.since;
    ++member.incarnation;
    member.replica.reset();
    faults_.count(Fault::lost_tail, member.disk.crash(config_.tail));
    if (!member.faulty) observed_.checks.crashed(id);
  }
  /// The node is gone, and with it all that is on its disk.
  void wipe(NodeId id) {
    crash(id);
    faults_.count(Fault::wipe);
    Member& member = at(id);
    member.disk.wipe();
    member.wiped = true;
    if (!member.faulty) observed_.checks.wiped(id);
  }
  /// Whether the node has ever lost its disk.
  bool was_wiped(NodeId id) { return at(id).wiped; }
  /// The node is gone after so many lists of events more.
  void crash_after(NodeId id, std::uint64_t lists) { at(id).steps_left = lists; }
  /// The node is gone after it has sent so many frames more: amid a list, if they are of one.
  void crash_after_frames(NodeId id, std::uint64_t frames) { at(id).frames_left = frames; }
  /// A new Node begins on the disk of the one that crashed; does nothing if the node is up.
  void restart(NodeId id) {
    if (!is_up(id)) start(id);
  }
  /// The node does nothing until `until`.
  void pause(NodeId id, Time until) {
    faults_.count(Fault::pause);
    at(id).paused_until = until;
    wake(id, until);
  }
  /// The modules in `slots` do nothing until `until`; the others of the node do.
  void hold(NodeId id, Slot slots, Time until) {
    faults_.count(Fault::slow_module);
    at(id).held = slots;
    at(id).held_until = until;
    wake(id, until);
  }
  /// The node's clock gains `drift` nanoseconds in a million from now on.
  void skew(NodeId id, std::int64_t drift) {
    faults_.count(Fault::clock_skew);
    Member& member = at(id);
    member.clock = LocalClock(now(), member.clock.read(now()), drift);
  }
  void jump(NodeId id, Time by) {
    faults_.count(Fault::clock_jump);
    at(id).clock.jump(by);
  }
  /// Calls `act()` when its time has come, between the steps of nodes.
  void at(Time time, std::function<void()> act) { acts_.at(time, std::move(act)); }
  /// Ends everything that hinders nodes that are up, or would crash them, and the network; forgets
  /// what was to come by `at`.
  void heal() {
    network_.heal();
    acts_.clear();
    for (auto& member : members_) {
      member->paused_until = member->held_until = {};
      member->steps_left.reset();
      member->frames_left.reset();
      member->disk.spare();
      if (member->replica) wake(member->id, now());
    }
  }

  // Time.

  /// Goes on until `end`, or the first finding. Returns whether there is none.
  bool run_until(Time end) {
    while (findings().none() && next() <= end) step();
    if (findings().none()) clock_.advance_to(end);
    return findings().none();
  }
  bool run_for(Time span) { return run_until(now() + span); }
  /// Goes on until `done()` holds, and asks for it now and then. False if that takes longer than
  /// `at_most`, or there are findings before.
  template <class Done>
    requires std::is_invocable_r_v<bool, Done>
  bool run_until(Done&& done, Time at_most, Time ask_every = std::chrono::milliseconds(20)) {
    const Time end = now() + at_most;
    while (!done()) {
      if (now() >= end) return false;
      if (!run_until(std::min(end, now() + ask_every))) return false;
    }
    return true;
  }

  /// Whether these nodes are up and their Apps stand at the same place, in the same state.
  bool agree(const std::vector<NodeId>& nodes) {
    const Member* first = nullptr;
    for (const NodeId id : nodes) {
      const Member& member = at(id);
      if (!member.replica) return false;
      if (first && (observed_.applied[member.id] != observed_.applied[first->id] ||
                    member.replica->app().snapshot() != first->replica->app().snapshot()))
        return false;
      first = &member;
    }
    return true;
  }

  Figures figures() {
    Figures sum;
    for (auto& member : members_)
      sum.node_time +=
          member->node_time + (member->replica ? now() - member->since : Time{});
    sum.events = observed_.events;
    sum.frames = network_.frames();
    sum.frame_bytes = network_.bytes();
    for (const auto& entry : clients_) {
      sum.requests += entry.client.completed();
      sum.retries += entry.client.retries();
    }
    sum.faults = faults_;
    sum.faults += network_.faults();
    return sum;
  }

 private:
  struct Member {
    Member(NodeId self, Random random) : id(self), disk(random) {}

    const NodeId id;
    Disk disk;
    bool faulty = false;
    bool wiped = false;
    std::unique_ptr<Replica> replica;
    LocalClock clock;
    std::uint64_t incarnation = 0;
    /// When it will work; `never` if it sees no reason to.
    Time work_at = never;
    Time paused_until{};
    Slot held{0};
    Time held_until{};
    std::optional<std::uint64_t> steps_left;
    std::optional<std::uint64_t> frames_left;
    /// Lists since it had nothing to do.
    std::uint64_t restless_steps = 0;
    Time since{};
    Time node_time{};
  };
  struct ClientEntry {
    Client client;
    Time wake = never;
  };
  /// What the cluster itself is going to do.
  struct Deed {
    enum class Kind : std::uint8_t { work, tick, ask };

    Kind kind;
    /// Of a member or of a client.
    std::size_t place;
    std::uint64_t incarnation;
  };
  /// A request on its way.
  struct Submission {
    NodeId to;
    std::size_t client;
    Request request;
    Spread spread;
  };

  static std::vector<NodeId> ids(std::size_t count) {
    std::vector<NodeId> all;
    for (std::size_t i = 0; i < count; ++i) all.push_back(NodeId(i));
    return all;
  }
  Member& at(NodeId id) { return *members_[id.value]; }

  /// A frame is about to be sent. Throws PowerFailure if its sender is gone before that.
  void see(const Frame& frame) {
    Member& sender = at(frame.from);
    if (sender.frames_left && (*sender.frames_left)-- == 0) {
      sender.disk.fail();
      throw PowerFailure();
    }
    observed_.fingerprint.add(frame.from.value << 32 | frame.to.value);
    observed_.fingerprint.add(frame.payload.view());
    observed_.checks.frame(frame, observed_.findings);
  }

  // The course of time.

  Time next() const noexcept {
    return std::min({network_.next_arrival(), acts_.next(), deeds_.next(), submissions_.next()});
  }
  void step() {
    clock_.advance_to(next());
    if (network_.next_arrival() == now()) return wake(network_.arrive(), now());
    if (acts_.next() == now()) return acts_.take()();
    if (submissions_.next() == now()) return submit(submissions_.take());
    const Deed deed = deeds_.take();
    switch (deed.kind) {
      case Deed::Kind::work: return begin_work(*members_[deed.place]);
      case Deed::Kind::tick: return tick(*members_[deed.place], deed.incarnation);
      case Deed::Kind::ask: return ask(deed.place);
    }
  }

  // Nodes.

  void start(NodeId id) {
    Member& member = at(id);
    member.since = now();
    observed_.applied[id] = SeqNr(0);
    member.restless_steps = 0;
    member.work_at = never;
    // A steady clock begins anywhere.
    member.clock = LocalClock(now(), random_.between(Time{}, Time(std::chrono::hours(1))), 0);
    if (!member.faulty) observed_.checks.started(id);
    using Subject = typename WatchOfReplica::Subject;
    NodeConfig config = config_.node;
    config.self = id;
    member.replica = std::make_unique<Replica>(
        std::move(config),
        make_({id, member.incarnation, member.disk.contents(), members(), network_.connect(id),
               Wal(member.disk), Store(member.disk),
               WatchOfReplica(observed_, id, member.faulty ? Subject::faulty : Subject::correct)}));
    member.replica->start();
    if (!survives(member)) return;
    deeds_.at(now() + random_.between(Time{}, config_.tick_every),
              {Deed::Kind::tick, id.value, member.incarnation});
    wake(id, now());
  }

  void tick(Member& member, std::uint64_t incarnation) {
    if (incarnation != member.incarnation || !member.replica) return;
    deeds_.at(now() + config_.tick_every, {Deed::Kind::tick, member.id.value, incarnation});
    if (member.paused_until > now()) return;
    member.replica->tick(member.clock.read(now()));
    work(member);
  }

  /// The node will work soon after `time`.
  void wake(NodeId id, Time time) {
    Member& member = at(id);
    if (member.work_at <= time) return;
    member.work_at = time + random_.between(Time{}, config_.reaction);
    deeds_.at(member.work_at, {Deed::Kind::work, id.value, 0});
  }
  void begin_work(Member& member) {
    if (member.work_at != now()) return;  // it has worked meanwhile
    work(member);
  }

  /// The node takes in what has come and works until nothing is left, or it pauses.
  void work(Member& member) {
    member.work_at = never;
    if (!member.replica) return;
    if (member.paused_until > now()) return wake(member.id, member.paused_until);
    member.replica->take_inputs();
    for (;;) {
      const Slot pending = unhindered(member, member.replica->pending());
      if (pending.bits() == 0) {
        member.restless_steps = 0;
        break;
      }
      if (++member.restless_steps > most_steps)
        return findings().report("rest", member.id, std::nullopt,
                                 "does not come to rest: its modules emit in a loop");
      member.replica->process(choose(pending));
      if (!survives(member)) return;
      if (random_.chance(config_.short_pauses)) {
        wake(member.id, now());
        break;
      }
    }
    if (member.held_until > now()) wake(member.id, member.held_until);
    if (!member.faulty)
      observed_.checks.looked(member.id, std::as_const(*member.replica), findings());
  }

  Slot unhindered(Member& member, Slot pending) {
    if (member.held_until <= now()) return pending;
    return Slot(static_cast<std::uint16_t>(pending.bits() & ~member.held.bits()));
  }
  /// One of the pending slots.
  Slot choose(Slot pending) {
    auto bits = pending.bits();
    if (!std::has_single_bit(bits) && random_.chance(config_.shuffled_slots)) {
      faults_.count(Fault::slot_order);
      for (auto skip = random_.below(static_cast<unsigned>(std::popcount(bits))); skip != 0; --skip)
        bits = static_cast<std::uint16_t>(bits & (bits - 1));
    }
    return Slot(static_cast<std::uint16_t>(1u << std::countr_zero(bits)));
  }

  /// Whether the node is still there after a step: it crashes if its time has come, or if its disk
  /// has failed; any other failure is a finding.
  bool survives(Member& member) {
    const bool failed = !member.replica->failure().empty();
    if (failed && !member.disk.failed() && !member.faulty)
      findings().report("no failure", member.id, std::nullopt,
                        "the node stopped: " + member.replica->failure());
    const bool due = member.steps_left && (*member.steps_left)-- == 0;
    if (failed || due) crash(member.id);
    return !failed && !due;
  }

  // Clients.

  void wake_client(std::size_t place, Time time) {
    ClientEntry& entry = clients_[place];
    if (entry.wake <= time) return;
    entry.wake = time;
    deeds_.at(time, {Deed::Kind::ask, place, 0});
  }
  void ask(std::size_t place) {
    ClientEntry& entry = clients_[place];
    if (entry.wake != now()) return;
    entry.wake = never;
    const Time wake = entry.client.go_on(
        now(),
        [&](NodeId to, const Request& request, Spread spread) {
          const LinkRates ways;
          submissions_.at(now() + random_.between(ways.shortest, ways.longest),
                          {to, place, request, spread});
        },
        [&](const Request& request) { observed_.checks.submitted(request, now()); });
    if (wake != never) wake_client(place, wake);
  }
  /// A request has come to its replica. If that is down or has too much to do, it is lost.
  void submit(Submission submission) {
    Member& member = at(submission.to);
    if (!member.replica) return;
    observed_.fingerprint.add(submission.request.data.view());
    const auto on_reply = [this, to = submission.to, place = submission.client,
                           incarnation = member.incarnation](const Replied& reply) {
      if (at(to).incarnation == incarnation) replied(to, place, reply);
    };
    (void)member.replica->submit(std::move(submission.request), on_reply, submission.spread);
    wake(submission.to, now());
  }
  void replied(NodeId from, std::size_t place, const Replied& reply) {
    if (at(from).faulty) return;
    Client& client = clients_[place].client;
    if (!client.replied(from, reply, findings())) return;
    if (reply.outcome == Outcome::delivered)
      observed_.checks.answered(reply.client, reply.req_no, reply.result, now());
    wake_client(place, now() + client.rest());
  }

  /// More than any sane node makes of what can be pending.
  static constexpr std::uint64_t most_steps = 100'000;

  ClusterConfig config_;
  Make make_;
  Clock clock_;
  Random random_;
  Observation<ChecksOfCluster> observed_;
  Network network_;
  std::vector<std::unique_ptr<Member>> members_;
  std::vector<ClientEntry> clients_;
  Agenda<std::function<void()>> acts_;
  Agenda<Deed> deeds_;
  Agenda<Submission> submissions_;
  FaultCounts faults_;
};

}  // namespace mirbft::sim

// <mirbft/sim/faults.hpp>
// Which faults strike a cluster, when and how often: drawn anew for each seed.

// <mirbft/sim/schedule.hpp>
// The faults of a run as data: how the links misbehave throughout, and what strikes when.

namespace mirbft::sim {

/// A fault that strikes at one moment. What its members mean is said by the shape of its kind.
struct Strike {
  Time at{};
  Fault kind = Fault::pause;
  /// The node that is struck, the sender of the link, or one group.
  std::vector<NodeId> nodes{};
  /// The receiver of the link, or the other group.
  std::vector<NodeId> others{};
  std::int64_t amount = 0;
  /// 0 for as long as there are faults at all.
  Time lasts{};

  friend bool operator==(const Strike&, const Strike&) = default;
};

/// Whom a kind of strike hits.
enum class Whom : std::uint8_t { node, link, groups };

/// What there is to say of a strike. A kind of fault that strikes at a moment has a row below, and
/// a case in `strike` (strikes.hpp): drawing it, printing it and reading it follow from the row.
struct StrikeShape {
  Fault kind;
  Whom whom = Whom::node;
  /// The word before the amount; none for kinds without.
  std::string_view amount = {};
  /// What an amount may be, and the most that a seed draws.
  std::int64_t least = 0;
  std::int64_t most = 0;
  std::int64_t most_drawn = most;
  /// For amounts that are names: those from 0 to `most`.
  const char* const* names = nullptr;
  /// The word before the time that it lasts; none for kinds that come to stay.
  std::string_view span = "for";
};

inline constexpr StrikeShape strike_shapes[] = {
    {.kind = Fault::clog, .whom = Whom::link},
    {.kind = Fault::symmetric_partition, .whom = Whom::groups},
    {.kind = Fault::asymmetric_partition, .whom = Whom::groups},
    {.kind = Fault::bridge_partition, .whom = Whom::groups},
    // After so many more lists of events, or operations of the disk.
    {.kind = Fault::crash, .amount = "after", .most = 1'000'000, .most_drawn = 19},
    {.kind = Fault::crash_in_list, .amount = "after", .most = 1'000'000, .most_drawn = 19},
    {.kind = Fault::pause},
    // Parts in a million.
    {.kind = Fault::clock_skew, .amount = "ppm", .least = -100'000, .most = 100'000, .span = ""},
    {.kind = Fault::clock_jump, .span = "by"},
    {.kind = Fault::slow_module, .amount = "module", .most = slot_count - 1, .names = slot_names},
    {.kind = Fault::wipe},
};

/// The shape of a kind; null for those that do not strike at a moment.
constexpr const StrikeShape* shape_of(Fault kind) noexcept {
  for (const StrikeShape& shape : strike_shapes)
    if (shape.kind == kind) return &shape;
  return nullptr;
}

/// How the nodes are driven, as in `ClusterConfig`.
struct Pace {
  std::uint32_t shuffled_slots = 0;
  Time reaction = std::chrono::microseconds(100);

  friend bool operator==(const Pace&, const Pace&) = default;
};

/// How the disks behave.
struct DiskRates {
  /// What crashes leave of what is not synced.
  Tail tail = Tail::kept;

  friend bool operator==(const DiskRates&, const DiskRates&) = default;
};

/// All faults of a run.
struct Schedule {
  LinkRates links;
  Pace pace;
  DiskRates disks;
  /// By their time.
  std::vector<Strike> strikes{};
  /// When everything is healed.
  Time heal = std::chrono::seconds(5);
  /// Those that stay down from then on.
  std::vector<NodeId> lost{};

  friend bool operator==(const Schedule&, const Schedule&) = default;
};

}  // namespace mirbft::sim

BOOST_HANA_ADAPT_STRUCT(mirbft::sim::LinkRates, shortest, longest, loss, duplication, reordering,
                        delay, longest_delay);
BOOST_HANA_ADAPT_STRUCT(mirbft::sim::Pace, shuffled_slots, reaction);
BOOST_HANA_ADAPT_STRUCT(mirbft::sim::DiskRates, tail);

namespace mirbft::sim {

/// Draws the faults of one run, ahead of it. Of the kinds that are allowed, each seed leaves some
/// out and exaggerates others: swarm testing (Groce and others, ISSTA 2012) finds what an average
/// hides. Each kind has random numbers of its own: one that is added changes none of the others.
class ScheduleDraw {
 public:
  /// For the nodes from 0 to `nodes - 1`; they are healed when `most` is over, or before.
  ScheduleDraw(FaultKinds allowed, std::size_t nodes, Time most, const Random& random)
      : allowed_(allowed), random_(random), most_(most) {
    for (std::size_t i = 0; i < nodes; ++i) members_.push_back(NodeId(i));
  }

  Schedule draw() {
    draw_end();
    draw_rates();
    for (const StrikeShape& shape : strike_shapes) draw_strikes(shape);
    std::stable_sort(faults_.strikes.begin(), faults_.strikes.end(),
                     [](const Strike& left, const Strike& right) { return left.at < right.at; });
    return std::move(faults_);
  }

 private:
  using microseconds = std::chrono::microseconds;
  using milliseconds = std::chrono::milliseconds;

  /// In whole microseconds, since people are going to read it.
  static Time between(Random& random, Time least, Time most) {
    return std::chrono::duration_cast<microseconds>(random.between(least, most));
  }
  /// Short ones are as likely as long ones.
  static Time span(Random& random, Time least, Time most) {
    return between(random, least, std::max(least, most / (1 << random.below(6))));
  }
  Random numbers_of(Fault kind) const noexcept { return random_.fork(to_string(kind)); }
  bool has(Fault kind, Random& random, std::uint32_t chance = 600) const noexcept {
    return random.chance(chance) && allowed_.has(kind);
  }
  /// In a thousand; small ones are as likely as large ones.
  std::uint32_t rate(Fault kind, std::uint32_t most) const noexcept {
    Random random = numbers_of(kind);
    return has(kind, random) ? random.between(1u, 1u + most / (1u << random.below(5))) : 0;
  }

  /// Those that stay down, where nodes may go down at all, are as many as a cluster must bear.
  void draw_end() {
    Random random = random_.fork("end");
    faults_.heal = between(random, most_ / 4, most_);
    random.shuffle(members_);
    if (allowed_.has(Fault::crash) && random.chance(500)) {
      const std::size_t lost = random.below(faulty() + 1);
      faults_.lost.assign(members_.begin(), members_.begin() + static_cast<std::ptrdiff_t>(lost));
      std::sort(faults_.lost.begin(), faults_.lost.end());
    }
  }

  void draw_rates() {
    Random random = random_.fork("rates");
    LinkRates& links = faults_.links;
    links.longest = span(random, microseconds(100), milliseconds(100));
    links.longest_delay = span(random, milliseconds(10), milliseconds(1000));
    links.loss = rate(Fault::loss, 200);
    links.duplication = rate(Fault::duplication, 300);
    links.reordering = rate(Fault::reordering, 900);
    links.delay = rate(Fault::delay, 50);
    faults_.pace.reaction = span(random, microseconds(1), milliseconds(5));
    Random order = numbers_of(Fault::slot_order);
    if (has(Fault::slot_order, order)) faults_.pace.shuffled_slots = 1000;
    Random tail = numbers_of(Fault::lost_tail);
    if (has(Fault::lost_tail, tail)) faults_.disks.tail = Tail::drawn;
  }

  /// A seed has its own idea of how often a kind strikes, and for how long. To lose a disk is so
  /// hard that it should be rarer.
  void draw_strikes(const StrikeShape& shape) {
    Random random = numbers_of(shape.kind);
    const bool is_wipe = shape.kind == Fault::wipe;
    const std::vector<NodeId> victims = is_wipe ? who_may_be_wiped() : members_;
    if (!has(shape.kind, random, is_wipe ? 300 : 600)) return;
    if (victims.size() < (shape.whom == Whom::groups ? 3 : 1)) return;
    const Time every = span(random, milliseconds(is_wipe ? 500 : 100), milliseconds(4000));
    const Time longest = span(random, milliseconds(5), milliseconds(2000));
    for (Time at{};;) {
      at += between(random, every / 2, every + every / 2);
      if (at >= faults_.heal) return;
      Strike strike{.at = at, .kind = shape.kind};
      draw_whom(strike, shape.whom, victims, random);
      if (!shape.amount.empty()) strike.amount = random.between(shape.least, shape.most_drawn);
      if (!shape.span.empty()) strike.lasts = between(random, milliseconds(1), longest);
      faults_.strikes.push_back(std::move(strike));
    }
  }

  static void draw_whom(Strike& strike, Whom whom, std::vector<NodeId> victims, Random& random) {
    if (whom == Whom::groups) return draw_groups(strike, std::move(victims), random);
    strike.nodes = {random.pick(victims)};
    if (whom == Whom::link) strike.others = {random.pick(victims)};
  }
  /// Each has a member at least; of a bridge, there is one between them.
  static void draw_groups(Strike& strike, std::vector<NodeId> members, Random& random) {
    random.shuffle(members);
    const auto size = static_cast<std::ptrdiff_t>(1 + random.below(members.size() - 2));
    const auto middle = members.begin() + size;
    strike.nodes.assign(members.begin(), middle);
    strike.others.assign(middle + (strike.kind == Fault::bridge_partition), members.end());
    std::sort(strike.nodes.begin(), strike.nodes.end());
    std::sort(strike.others.begin(), strike.others.end());
  }

  /// Who has ever lost its disk counts as faulty, together with those that stay down: the members
  /// stand in one drawn order, and both are the first of it.
  std::vector<NodeId> who_may_be_wiped() const {
    return {members_.begin(), members_.begin() + static_cast<std::ptrdiff_t>(faulty())};
  }
  std::size_t faulty() const noexcept { return Quorum(members_.size()).faulty(); }

  FaultKinds allowed_;
  Random random_;
  Time most_;
  /// In a drawn order.
  std::vector<NodeId> members_;
  Schedule faults_;
};

/// Draws the faults of a run of so many nodes that are healed after `most`, or before.
inline Schedule draw_schedule(FaultKinds allowed, std::size_t nodes, Time most,
                              const Random& random) {
  return ScheduleDraw(allowed, nodes, most, random).draw();
}

}  // namespace mirbft::sim

// <mirbft/sim/iss_invariants.hpp>
// Invariants of ISS: epochs, leaders, buckets, checkpoints and buffers.

namespace mirbft::sim {

/// Checkpoints agree: correct nodes sign, and hold as stable, one header for an epoch; when one is
/// stable, a weak quorum of correct nodes has it on its disks.
class CheckpointsAgree {
 public:
  explicit CheckpointsAgree(Quorum quorum) : quorum_(quorum) {}

  void durable(NodeId node, const Record& record, Findings&) {
    if (record.type != WalAppend<CheckpointEntry>::number) return;
    if (auto entry = wire::decode<CheckpointEntry>(record.entry, wire::Form::lenient))
      holders_[entry->header.epoch].insert(node);
  }
  void wiped(NodeId node) {
    for (auto& [epoch, holders] : holders_) holders.erase(node);
  }

  void event(NodeId node, const WalAppend<CheckpointEntry>& append, Findings& findings) {
    compare(node, append.entry.header, findings);
  }
  void event(NodeId node, const WalAppend<StableEntry>& append, Findings& findings) {
    const CheckpointHeader& header = append.entry.header;
    compare(node, header, findings);
    const std::size_t holders = holders_[header.epoch].size();
    if (holders < quorum_.weak())
      findings.report("checkpoints agree", node, header.last,
                      "the checkpoint of epoch " + std::to_string(header.epoch.value) +
                          " is stable, and only " + std::to_string(holders) +
                          " correct nodes have it on disk");
  }

 private:
  void compare(NodeId node, const CheckpointHeader& header, Findings& findings) {
    const auto [place, is_first] = headers_.try_emplace(header.epoch, header);
    if (!is_first && place->second != header)
      findings.report("checkpoints agree", node, header.last,
                      "the checkpoint of epoch " + std::to_string(header.epoch.value) +
                          " differs from that of a correct node before it");
  }

  Quorum quorum_;
  std::map<Epoch, CheckpointHeader> headers_;
  std::map<Epoch, std::set<NodeId>> holders_;
};

/// Leaders and buckets: epochs begin where the leader policy says, every slot belongs to the
/// segment that it says, and every delivered request to a bucket of that segment's leader. The
/// policy is run again here, over what was decided.
template <class Policy = Blacklist>
class LeadersAndBuckets {
 public:
  /// `config` is that of any replica.
  LeadersAndBuckets(IssConfig config, Quorum quorum, Policy policy = {})
      : config_(std::move(config)), quorum_(quorum), policy_(std::move(policy)) {
    std::sort(config_.members.begin(), config_.members.end());
  }

  void event(NodeId, const Deliver& delivery, Findings&) {
    if (delivery.sn >= first_) slots_[delivery.sn].batch = delivery.batch;
  }
  void event(NodeId node, const WalAppend<DecidedEntry>& append, Findings&) {
    const DecidedEntry& entry = append.entry;
    if (entry.sn < first_) return;
    Slot& slot = slots_[entry.sn];
    slot.by = node;
    slot.segment = entry.segment;
    slot.is_nil = entry.digest == nil_digest;
  }
  void event(NodeId node, const WalAppend<EpochEntry>& append, Findings& findings) {
    const auto [place, is_new] = begins_.try_emplace(append.entry.epoch, append.entry.first);
    if (place->second != append.entry.first)
      findings.report("epochs agree", node, append.entry.first,
                      "begins epoch " + std::to_string(append.entry.epoch.value) +
                          " at another place than a correct node before it");
    while (check_epoch(findings)) {
    }
  }
  void ended(Findings& findings) {
    while (check_epoch(findings)) {
    }
  }

  /// How many epochs were checked.
  std::uint64_t epochs() const noexcept { return epoch_.value; }

 private:
  struct Slot {
    NodeId by;
    std::optional<SegmentId> segment;
    bool is_nil = false;
    std::optional<Batch> batch;
  };

  /// Checks the next epoch, if all of it is known by now.
  bool check_epoch(Findings& findings) {
    const iss::EpochPlan plan(epoch_, first_, config_.members,
                              policy_.leaders(epoch_, config_.members, quorum_), config_);
    for (SeqNr sn = first_; sn < plan.end(); ++sn) {
      const auto slot = slots_.find(sn);
      if (slot == slots_.end() || !slot->second.segment || !slot->second.batch) return false;
    }
    for (SeqNr sn = first_; sn < plan.end(); ++sn) check_slot(plan, sn, slots_[sn], findings);
    policy_.epoch_ended(epoch_, plan.leaders());
    const auto next = begins_.find(epoch_ + 1);
    if (next != begins_.end() && next->second != plan.end())
      findings.report("epochs agree", slots_[first_].by, next->second,
                      "epoch " + std::to_string(epoch_.value + 1) +
                          " does not begin where the leaders say, at sn " +
                          std::to_string(plan.end().value));
    ++epoch_;
    first_ = plan.end();
    slots_.erase(slots_.begin(), slots_.lower_bound(first_));
    return true;
  }

  void check_slot(const iss::EpochPlan& plan, SeqNr sn, const Slot& slot, Findings& findings) {
    const std::uint32_t segment = plan.segment_of(sn);
    if (*slot.segment != SegmentId{epoch_, segment})
      findings.report("leaders agree", slot.by, sn,
                      "was decided in segment " + std::to_string(slot.segment->index) +
                          " of epoch " + std::to_string(slot.segment->epoch.value) +
                          ", and belongs to segment " + std::to_string(segment) + " of epoch " +
                          std::to_string(epoch_.value));
    for (const RequestRef& reference : **slot.batch) {
      const auto bucket = iss::bucket_of(reference.client, reference.req_no, plan.buckets());
      if (plan.owner(bucket) != segment)
        findings.report("buckets", slot.by, sn,
                        name_of(reference.client, reference.req_no) +
                            " is of a bucket that the leader, node " +
                            std::to_string(plan.leader(segment).value) + ", does not have");
    }
    policy_.delivered(sn, plan.leader(segment),
                      slot.is_nil ? SlotOutcome::nil : SlotOutcome::batch);
  }

  IssConfig config_;
  Quorum quorum_;
  Policy policy_;
  /// The epoch that is checked next, and its first sequence number.
  Epoch epoch_;
  SeqNr first_;
  std::map<SeqNr, Slot> slots_;
  std::map<Epoch, SeqNr> begins_;
};

/// While a node is up, its epoch, its place in the order and its checkpoints only go forward.
class NeverBack {
 public:
  void started(NodeId node) { seen_.erase(node); }

  void looked(NodeId node, const auto& replica, Findings& findings) {
    const auto status = replica.protocol().status();
    Seen& seen = seen_[node];
    if (status.epoch < seen.epoch || status.next_delivery < seen.next ||
        status.stable_checkpoints < seen.stable)
      findings.report("never back", node, status.next_delivery,
                      "stands at epoch " + std::to_string(status.epoch.value) + " with " +
                          std::to_string(status.stable_checkpoints) +
                          " stable checkpoints, and was at epoch " +
                          std::to_string(seen.epoch.value) + ", sn " +
                          std::to_string(seen.next.value) + " with " +
                          std::to_string(seen.stable));
    seen = {status.epoch, status.next_delivery, status.stable_checkpoints};
  }

 private:
  struct Seen {
    Epoch epoch;
    SeqNr next;
    std::uint64_t stable = 0;
  };

  std::map<NodeId, Seen> seen_;
};

/// Buffers stay under their caps, those of the Tracker included.
class Bounded {
 public:
  /// The configurations of any replica.
  Bounded(const IssConfig& protocol, std::uint64_t max_pending_bytes)
      : early_bytes_(protocol.early_bytes_per_peer * protocol.members.size()),
        pending_bytes_(2 * max_pending_bytes) {}

  void looked(NodeId node, const auto& replica, Findings& findings) {
    // Asking costs as much as a step of the node: now and then is enough.
    if (looks_++ % 256 != 0) return;
    const auto status = replica.status();
    check(node, "messages of later epochs", status.protocol.early_bytes, early_bytes_, findings);
    if constexpr (requires { status.tracker.pending_bytes; })
      check(node, "open requests", status.tracker.pending_bytes, pending_bytes_, findings);
  }

  void check(NodeId node, const std::string& what, std::uint64_t bytes, std::uint64_t cap,
             Findings& findings) const {
    if (bytes > cap)
      findings.report("bounded", node, std::nullopt,
                      what + " take " + std::to_string(bytes) + " bytes, and may take " +
                          std::to_string(cap));
  }

 private:
  std::uint64_t early_bytes_;
  std::uint64_t pending_bytes_;
  std::uint64_t looks_ = 0;
};

}  // namespace mirbft::sim

// <mirbft/sim/key_value_model.hpp>
// What a key-value store does with one key, as plainly as can be.

namespace mirbft::sim {

/// A model for `Linearizable`: SET, GET, DEL and INCR as `KeyValueStore` answers them, written
/// again on purpose. Keys do not see one another.
struct KeyValueModel {
  /// The value of the key, if it is there.
  using State = std::optional<std::string>;

  static std::string part(const Bytes& request) { return std::string(words(request).key); }

  static Bytes apply(State& value, const Bytes& request) {
    const Words command = words(request);
    if (command.verb == "GET") return Bytes(value ? "$" + *value : "_");
    if (command.verb == "SET") {
      value = command.rest;
      return Bytes("+OK");
    }
    if (command.verb == "DEL") {
      const bool was_there = value.has_value();
      value.reset();
      return Bytes(was_there ? ":1" : ":0");
    }
    return increment(value);
  }

 private:
  struct Words {
    std::string_view verb;
    std::string_view key;
    std::string_view rest;
  };
  static Words words(const Bytes& request) {
    const std::string_view text = request.text();
    const std::size_t first = text.find(' ');
    const std::size_t second = text.find(' ', first + 1);
    if (second == text.npos) return {text.substr(0, first), text.substr(first + 1), {}};
    return {text.substr(0, first), text.substr(first + 1, second - first - 1),
            text.substr(second + 1)};
  }

  static Bytes increment(State& value) {
    const std::string text = value.value_or("0");
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() ||
        number == std::numeric_limits<std::int64_t>::max())
      return Bytes("-the value is not a number that can grow by one");
    value = std::to_string(number + 1);
    return Bytes(":" + *value);
  }
};

}  // namespace mirbft::sim

// <mirbft/sim/linearizability.hpp>
// Whether what the clients of a run have seen is what one machine, serving one request after
// another, could have shown them.

namespace mirbft::sim {

/// A request as its client saw it.
struct Operation {
  ClientId client{};
  ReqNo req_no{};
  Bytes request;
  Time invoked{};
  /// `never` if there was no answer: it may have had its effect at any time since, or none yet.
  Time returned = never;
  Bytes result;
};

/// What is known of a history. `undecided` after `most_steps`: too many operations overlap.
enum class Linearizability : std::uint8_t { holds, broken, undecided };

namespace detail {

template <class Model>
struct LinearizabilitySearch {
  using State = typename Model::State;

  std::vector<Operation> all;
  std::uint64_t steps_left;
  std::vector<bool> placed = std::vector<bool>(all.size(), false);
  std::set<std::pair<std::vector<bool>, State>> seen{};

  /// Whether those that are not placed can follow `state`.
  bool goes_on(const State& state, std::size_t left) {
    if (left == 0) return true;
    if (steps_left == 0) return false;
    --steps_left;
    const Time first_return = earliest_return();
    for (std::size_t i = 0; i < all.size(); ++i) {
      // One that begins after another has ended cannot come before it.
      if (placed[i] || all[i].invoked > first_return) continue;
      State after = state;
      const Bytes result = Model::apply(after, all[i].request);
      if (all[i].returned != never && result != all[i].result) continue;
      placed[i] = true;
      if (seen.emplace(placed, after).second && goes_on(after, left - 1)) return true;
      placed[i] = false;
    }
    return false;
  }
  Time earliest_return() const {
    Time earliest = never;
    for (std::size_t i = 0; i < all.size(); ++i)
      if (!placed[i]) earliest = std::min(earliest, all[i].returned);
    return earliest;
  }
};

}  // namespace detail

/// Linearizability (Herlihy and Wing, TOPLAS 1990): there is an order of all operations in which
/// each gives its result, and which keeps the real-time order of those that did not overlap.
///
/// `Model` is the service on one machine, and small:
///
///     using State = …;                                        copyable, ordered
///     static std::string part(const Bytes& request)           requests on different parts of the
///                                                             state do not see one another
///     static Bytes apply(State& state, const Bytes& request)  returns the result
///
/// Depth-first search over the orders, without the same set of operations and state twice (Wing
/// and Gong, JPDC 1993; Lowe, "Testing for linearizability", 2017). Exponential in the number of
/// operations that overlap.
template <class Model>
Linearizability linearizability(std::vector<Operation> history,
                                std::uint64_t most_steps = 200'000) {
  // Those that ended first are tried first: most often that is the order.
  std::ranges::stable_sort(history, {}, &Operation::returned);
  const std::size_t size = history.size();
  detail::LinearizabilitySearch<Model> search{std::move(history), most_steps};
  if (search.goes_on({}, size)) return Linearizability::holds;
  return search.steps_left == 0 ? Linearizability::undecided : Linearizability::broken;
}

/// The check of a whole run, part by part of the service's state. At the first answer that no order
/// explains it names the request.
template <class Model>
class Linearizable {
 public:
  void submitted(const Request& request, Time now) {
    const auto [place, is_new] =
        places_.try_emplace({request.client, request.req_no}, operations_.size());
    if (is_new)
      operations_.push_back({request.client, request.req_no, request.data, now, never, {}});
  }
  void answered(ClientId client, ReqNo req_no, const Bytes& result, Time now) {
    Operation& operation = operations_[places_.at({client, req_no})];
    operation.returned = now;
    operation.result = result;
  }

  void ended(Findings& findings) {
    std::map<std::string, std::vector<Operation>> parts;
    for (const Operation& operation : operations_)
      parts[Model::part(operation.request)].push_back(operation);
    for (auto& [name, history] : parts)
      switch (linearizability<Model>(history)) {
        case Linearizability::holds: break;
        case Linearizability::undecided: ++undecided_; break;
        case Linearizability::broken: report(name, std::move(history), findings);
      }
  }

  /// Parts of which nothing is known.
  std::uint64_t undecided() const noexcept { return undecided_; }

 private:
  /// The history up to an answer: what came later had not happened then.
  static std::vector<Operation> until(const std::vector<Operation>& history, Time end) {
    std::vector<Operation> before;
    for (Operation operation : history) {
      if (operation.invoked > end) continue;
      if (operation.returned > end) operation.returned = never;
      before.push_back(std::move(operation));
    }
    return before;
  }

  static void report(const std::string& part, std::vector<Operation> history, Findings& findings) {
    std::ranges::sort(history, {}, &Operation::returned);
    const auto wrong = std::find_if(history.begin(), history.end(), [&](const Operation& one) {
      return linearizability<Model>(until(history, one.returned)) == Linearizability::broken;
    });
    const Operation& answer = wrong == history.end() ? history.back() : *wrong;
    findings.report("linearizability", {}, std::nullopt,
                    name_of(answer.client, answer.req_no) + ", '" +
                        std::string(answer.request.text()) + "', was answered '" +
                        std::string(answer.result.text()) +
                        "', which no order of the requests on '" + part + "' explains");
  }

  std::vector<Operation> operations_;
  std::uint64_t undecided_ = 0;
  std::map<std::pair<ClientId, ReqNo>, std::size_t> places_;
};

}  // namespace mirbft::sim

// <mirbft/sim/message_facts.hpp>
// What a message says of itself, whatever its type: its name, and the place that it is about.

namespace mirbft::sim {

/// What can be seen from outside of a message.
struct MessageFacts {
  /// The name of its type, as in the schema.
  std::string_view type;
  /// The first of its members with such a type, those of its members' members included.
  std::optional<std::uint64_t> epoch;
  std::optional<std::uint64_t> view;
  std::optional<std::uint64_t> sn;
};

namespace detail {

template <class T>
void note_place(const T& member, MessageFacts& facts) {
  const auto note = [](std::optional<std::uint64_t>& fact, std::uint64_t number) {
    if (!fact) fact = number;
  };
  if constexpr (std::is_same_v<T, Epoch>) {
    note(facts.epoch, member.value);
  } else if constexpr (std::is_same_v<T, View>) {
    note(facts.view, member.value);
  } else if constexpr (std::is_same_v<T, SeqNr>) {
    note(facts.sn, member.value);
  } else if constexpr (wire::kind_of<T> == wire::Kind::record && !wire::is_shared<T>) {
    wire::for_each_member(member, [&](auto, const auto& inner) { note_place(inner, facts); });
  }
}

template <class T>
inline constexpr bool is_variant = false;
template <class... Alternatives>
inline constexpr bool is_variant<std::variant<Alternatives...>> = true;

/// Calls `visit(message)` for a message of each type that a variant can hold, those of variants
/// within it included.
template <class Message, class Visit>
void for_each_type(Visit&& visit) {
  if constexpr (is_variant<Message>) {
    [&]<std::size_t... place>(std::index_sequence<place...>) {
      (for_each_type<std::variant_alternative_t<place, Message>>(visit), ...);
    }(std::make_index_sequence<std::variant_size_v<Message>>{});
  } else {
    visit(Message{});
  }
}

}  // namespace detail

/// Of a reflected struct, or of what a variant holds.
template <class Message>
MessageFacts facts_of(const Message& message) {
  if constexpr (detail::is_variant<Message>) {
    MessageFacts facts;
    visit_alternative(message, [&](const auto& held) { facts = facts_of(held); });
    return facts;
  } else {
    MessageFacts facts{.type = wire::type_name<Message>, .epoch = {}, .view = {}, .sn = {}};
    detail::note_place(message, facts);
    return facts;
  }
}

/// One of each type of message that there is, with those numbers that the type has.
using Vocabulary = std::vector<MessageFacts>;

template <class Message>
Vocabulary vocabulary() {
  Vocabulary words;
  detail::for_each_type<Message>([&](const auto& one) { words.push_back(facts_of(one)); });
  return words;
}

}  // namespace mirbft::sim

// <mirbft/sim/pbft_invariants.hpp>
// Invariants of PBFT within ISS: votes, certificates, and what is written ahead of them.

namespace mirbft::sim {

/// The kinds of statements of which a correct replica makes at most one for each place.
enum class Statement : std::uint8_t {
  proposal,
  prepare,
  commit,
  view_change,
  new_view,
  done,
  checkpoint,
};

constexpr std::string_view to_string(Statement kind) noexcept {
  constexpr std::string_view names[] = {"PrePrepare", "Prepare", "Commit",    "ViewChange",
                                        "NewView",    "Done",    "Checkpoint"};
  return names[static_cast<std::size_t>(kind)];
}

/// Where a replica may say but one thing.
struct StatementPlace {
  NodeId node;
  Statement kind = Statement::prepare;
  SegmentId segment;
  View view;
  SeqNr sn;

  friend auto operator<=>(const StatementPlace&, const StatementPlace&) = default;
};

/// A statement: its place and a hash of its content. None of a message that binds nobody.
struct Said {
  StatementPlace place;
  std::uint64_t content = 0;
};

namespace detail {

inline std::uint64_t content_of(const Batch& batch) {
  Fingerprint content;
  for (const RequestRef& reference : *batch) {
    content.add(reference.client.value);
    content.add(reference.req_no.value);
    content.add(reference.digest.view());
  }
  return content.value();
}
inline std::uint64_t content_of(const Digest& digest) {
  Fingerprint content;
  content.add(digest.view());
  return content.value();
}
inline std::uint64_t content_of(const std::vector<Digest>& digests) {
  Fingerprint content;
  for (const Digest& digest : digests) content.add(digest.view());
  return content.value();
}
inline std::uint64_t content_of(const std::vector<PreparedClaim>& claims) {
  Fingerprint content;
  for (const PreparedClaim& claim : claims) {
    content.add(claim.view.value);
    content.add(claim.sn.value);
    content.add(claim.digest.view());
  }
  return content.value();
}
template <class T>
std::uint64_t content_of(const T& value) {
  Fingerprint content;
  content.add(wire::encode(value).view());
  return content.value();
}

}  // namespace detail

/// What `node` says by sending a message.
inline std::optional<Said> statement_of(NodeId node, const IssMessage<PbftMessage>& message) {
  using detail::content_of;
  const auto said = [&](Statement kind, SegmentId segment, View view, SeqNr sn,
                        std::uint64_t content) {
    return Said{{node, kind, segment, view, sn}, content};
  };
  if (const auto* done = std::get_if<Done>(&message))
    return said(Statement::done, done->segment, {}, {}, content_of(done->digests));
  if (const auto* vote = std::get_if<CheckpointVote>(&message))
    return said(Statement::checkpoint, {vote->header.epoch, 0}, {}, vote->header.last,
                content_of(vote->header));
  const auto* ordering = std::get_if<PbftMessage>(&message);
  if (!ordering) return std::nullopt;
  if (const auto* one = std::get_if<Prepare>(ordering))
    return said(Statement::prepare, one->segment, one->view, one->sn, content_of(one->digest));
  if (const auto* one = std::get_if<Commit>(ordering))
    return said(Statement::commit, one->segment, one->view, one->sn, content_of(one->digest));
  if (const auto* one = std::get_if<PrePrepare>(ordering))
    return said(Statement::proposal, one->segment, {}, one->sn, content_of(one->batch));
  if (const auto* one = std::get_if<ViewChange>(ordering))
    return said(Statement::view_change, one->segment, one->view, {}, content_of(one->claims));
  const auto& one = *std::get_if<NewView>(ordering);
  return said(Statement::new_view, one.segment, one.view, {}, content_of(one));
}

/// Names a statement in findings.
inline std::string to_string(const StatementPlace& place) {
  return std::string(to_string(place.kind)) + " of segment " + std::to_string(place.segment.index) +
         " of epoch " + std::to_string(place.segment.epoch.value) + ", view " +
         std::to_string(place.view.value);
}

/// Single vote: over everything that a correct node ever sends, restarts included, there is at most
/// one content for each place.
class SingleVote {
 public:
  using Message = IssMessage<PbftMessage>;

  void event(NodeId node, const SendMessage<Message>& send, Findings& findings) {
    const std::optional<Said> said = statement_of(node, send.message);
    if (!said) return;
    const auto [place, is_new] = said_.try_emplace(said->place, said->content);
    if (!is_new && place->second != said->content)
      findings.report("single vote", node, said->place.sn,
                      "sends two different messages as its " + to_string(said->place));
  }

 private:
  std::map<StatementPlace, std::uint64_t> said_;
};

/// Write-ahead: what a correct node sends, or counts as its own vote, was on its disk before. It
/// writes no vote and no certificate of a view after its ViewChange to a later one, whose claims
/// would lack it. Once one decides, enough correct disks hold a certificate, or a stable checkpoint
/// past it.
class WriteAhead {
 public:
  using Message = IssMessage<PbftMessage>;

  explicit WriteAhead(Quorum quorum) : quorum_(quorum) {}

  void durable(NodeId node, const Record& record, Findings& findings) {
    take<EpochEntry>(record, [&](const EpochEntry& entry) {
      epochs_.insert({node, entry.epoch});
    });
    take<VoteEntry>(record, [&](const VoteEntry& entry) {
      const PrepareContent& vote = entry.content;
      hold(node, Statement::prepare, vote.segment, vote.view, vote.sn, vote.digest);
      check_view({node, Statement::prepare, vote.segment, vote.view, vote.sn}, findings);
    });
    take<PreparedEntry>(record, [&](const PreparedEntry& entry) {
      const Certificate& held = entry.certificate;
      hold(node, Statement::commit, entry.segment, held.view, held.sn, held.digest);
      check_view({node, Statement::commit, entry.segment, held.view, held.sn}, findings);
      certified_[{held.sn, held.digest}].insert(node);
    });
    take<ViewChangeEntry>(record, [&](const ViewChangeEntry& entry) {
      hold(node, Statement::view_change, entry.message.segment, entry.message.view, {}, {});
      View& left = left_[{node, entry.message.segment}];
      left = std::max(left, entry.message.view);
    });
    take<NewViewEntry>(record, [&](const NewViewEntry& entry) {
      hold(node, Statement::new_view, entry.message.segment, entry.message.view, {}, {});
    });
    take<CheckpointEntry>(record, [&](const CheckpointEntry& entry) {
      hold(node, Statement::checkpoint, {entry.header.epoch, 0}, {}, entry.header.last, {});
    });
    take<StableEntry>(record, [&](const StableEntry& entry) {
      stable_ = std::max(stable_, entry.header.last + 1);
    });
  }
  void wiped(NodeId node) {
    std::erase_if(epochs_, [&](const auto& one) { return one.first == node; });
    std::erase_if(records_, [&](const auto& one) { return one.first.node == node; });
    std::erase_if(left_, [&](const auto& one) { return one.first.first == node; });
    for (auto& [slot, holders] : certified_) holders.erase(node);
  }

  void event(NodeId node, const SendMessage<Message>& send, Findings& findings) {
    check(node, send.message, "sends", findings);
  }
  void event(NodeId node, const MessageReceived<Message>& received, Findings& findings) {
    if (received.from == node) check(node, received.message, "counts", findings);
  }

  void event(NodeId node, const WalAppend<DecidedEntry>& append, Findings& findings) {
    const DecidedEntry& entry = append.entry;
    if (entry.sn < stable_) return;
    const std::size_t holders = certified_[{entry.sn, entry.digest}].size();
    if (holders < quorum_.strong() - quorum_.faulty())
      findings.report("certificates", node, entry.sn,
                      "is decided, and only " + std::to_string(holders) +
                          " correct disks hold a certificate for its digest");
  }

 private:
  template <class Entry, class Use>
  static void take(const Record& record, Use&& use) {
    if (record.type != WalAppend<Entry>::number) return;
    if (const auto entry = wire::decode<Entry>(record.entry, wire::Form::lenient)) use(*entry);
  }

  void hold(NodeId node, Statement kind, SegmentId segment, View view, SeqNr sn,
            const Digest& digest) {
    records_[{node, kind, segment, view, sn}] = digest;
  }

  void check_view(const StatementPlace& place, Findings& findings) {
    const View left = left_[{place.node, place.segment}];
    if (place.view < left)
      findings.report("no vote in a view that was left", place.node, place.sn,
                      "writes the record of its " + to_string(place) +
                          " after that of its ViewChange to view " + std::to_string(left.value));
  }

  void check(NodeId node, const Message& message, std::string_view does, Findings& findings) {
    const auto* ordering = std::get_if<PbftMessage>(&message);
    if (const auto* vote = std::get_if<CheckpointVote>(&message))
      return require({node, Statement::checkpoint, {vote->header.epoch, 0}, {}, vote->header.last},
                     std::nullopt, does, findings);
    if (!ordering) return;
    visit_alternative(*ordering, [&](const auto& one) { check(node, one, does, findings); });
  }
  void check(NodeId node, const PrePrepare& one, std::string_view does, Findings& findings) {
    require({node, Statement::prepare, one.segment, View(0), one.sn}, std::nullopt, does, findings);
  }
  void check(NodeId node, const Prepare& one, std::string_view does, Findings& findings) {
    require({node, Statement::prepare, one.segment, one.view, one.sn}, one.digest, does, findings);
  }
  void check(NodeId node, const Commit& one, std::string_view does, Findings& findings) {
    require({node, Statement::commit, one.segment, one.view, one.sn}, one.digest, does, findings);
  }
  void check(NodeId node, const ViewChange& one, std::string_view does, Findings& findings) {
    require({node, Statement::view_change, one.segment, one.view, {}}, std::nullopt, does,
            findings);
  }
  void check(NodeId node, const NewView& one, std::string_view does, Findings& findings) {
    require({node, Statement::new_view, one.segment, one.view, {}}, std::nullopt, does, findings);
  }

  void require(const StatementPlace& place, const std::optional<Digest>& digest,
               std::string_view does, Findings& findings) const {
    const auto record = records_.find(place);
    const auto wrong = [&](const std::string& what) {
      findings.report("write-ahead", place.node, place.sn,
                      std::string(does) + " what needs the record of its " + to_string(place) +
                          ": " + what);
    };
    if (record == records_.end()) return wrong("that is not on its disk");
    if (digest && record->second != *digest) return wrong("that is of another digest on its disk");
    if (!epochs_.contains({place.node, place.segment.epoch}))
      wrong("that the epoch was entered is not on its disk");
  }

  Quorum quorum_;
  std::map<StatementPlace, Digest> records_;
  /// The highest view of a ViewChange that is on disk.
  std::map<std::pair<NodeId, SegmentId>, View> left_;
  std::set<std::pair<NodeId, Epoch>> epochs_;
  std::map<std::pair<SeqNr, Digest>, std::set<NodeId>> certified_;
  /// What lies before is covered by a stable checkpoint.
  SeqNr stable_;
};

/// Decisions agree: correct nodes decide one digest for a sequence number.
class DecisionsAgree {
 public:
  void event(NodeId node, const WalAppend<DecidedEntry>& append, Findings& findings) {
    const DecidedEntry& entry = append.entry;
    const auto [place, is_first] = digests_.try_emplace(entry.sn, entry.digest);
    if (!is_first && place->second != entry.digest)
      findings.report("decisions agree", node, entry.sn,
                      "decides another digest than a correct node before it");
  }

 private:
  std::map<SeqNr, Digest> digests_;
};

}  // namespace mirbft::sim

// <mirbft/sim/rule.hpp>
// Scripted faults as data: which messages they are about, from when, until when, and what is done.

namespace mirbft::sim {

/// Numbers from `first` to `last`, both included.
struct Span {
  std::uint64_t first = 0;
  std::uint64_t last = std::numeric_limits<std::uint64_t>::max();

  bool has(std::uint64_t number) const noexcept { return first <= number && number <= last; }
  friend bool operator==(const Span&, const Span&) = default;
};

/// Some of the messages that are sent. A message to several nodes is one message for each of them.
struct Match {
  /// The name of its type, as in the schema; empty for all types.
  std::string type;
  /// Senders and receivers; empty for all of them.
  std::vector<NodeId> from;
  std::vector<NodeId> to;
  /// Those without such a number do not match.
  std::optional<Span> epoch;
  std::optional<Span> view;
  std::optional<Span> sn;

  bool has(NodeId sender, NodeId receiver, const MessageFacts& facts) const {
    return (type.empty() || type == facts.type) && is_one_of(from, sender) &&
           is_one_of(to, receiver) && is_within(epoch, facts.epoch) &&
           is_within(view, facts.view) && is_within(sn, facts.sn);
  }

  friend bool operator==(const Match&, const Match&) = default;

 private:
  static bool is_one_of(const std::vector<NodeId>& nodes, NodeId node) {
    return nodes.empty() || std::find(nodes.begin(), nodes.end(), node) != nodes.end();
  }
  static bool is_within(const std::optional<Span>& span, std::optional<std::uint64_t> number) {
    return !span || (number && span->has(*number));
  }
};

/// A point in the course of events: a time, or when so many messages have been sent. The message
/// that makes them so many still comes before it.
struct Moment {
  Time time{};
  /// 0 for a time.
  std::uint64_t messages = 0;
  Match match;

  friend bool operator==(const Moment&, const Moment&) = default;
};

/// What is done to messages.
enum class Meddling : std::uint8_t { drop, delay, duplicate };

/// Messages that do not arrive as they were sent.
struct Rule {
  /// The rule holds from one moment to the other; by default all the time.
  std::optional<Moment> after;
  std::optional<Moment> until;
  Match match;
  Meddling what = Meddling::drop;
  /// By how much it delays.
  Time late{};
  /// How many messages it takes, the first ones; 0 for all.
  std::uint64_t first = 0;

  friend bool operator==(const Rule&, const Rule&) = default;
};

/// A strike that waits for messages; its own time does not count.
struct Trigger {
  Moment after;
  Strike strike;

  friend bool operator==(const Trigger&, const Trigger&) = default;
};

}  // namespace mirbft::sim

// <mirbft/sim/scenario.hpp>
// All that decides the course of a run: who takes part, what is asked of them, and what goes wrong.

namespace mirbft::sim {

/// What a client does, as in `ClientConfig`.
struct ClientLoad {
  std::uint64_t requests = 20;
  std::uint64_t open = 4;
  Target target = Target::all;
  Time retry_after = std::chrono::seconds(2);
  Time rest = std::chrono::milliseconds(20);

  friend bool operator==(const ClientLoad&, const ClientLoad&) = default;
};

/// A run. Two runs of one scenario, with the same replica, are the same course of events.
struct Scenario {
  /// Of all that is still drawn on the way, such as how long each frame takes.
  std::uint64_t seed = 1;
  std::uint64_t nodes = 4;
  std::vector<ClientLoad> clients;
  Schedule faults;
  std::vector<Rule> rules;
  std::vector<Trigger> triggers;
  /// Within this time after the healing everything must be delivered, and states agree.
  Time settle = std::chrono::seconds(120);

  friend bool operator==(const Scenario&, const Scenario&) = default;
};

/// What a client asks for: the body of its request with that number.
using MakeBody = std::function<std::string(ClientId, ReqNo, Random&)>;

/// What is the same for all seeds of a campaign.
struct TrialConfig {
  std::uint64_t nodes = 4;
  /// The kinds of faults that a seed may draw.
  FaultKinds faults{};
  /// How long they strike, at most.
  Time faulty_for = std::chrono::seconds(5);
  /// Within this time after it everything must be delivered, and states agree.
  Time heal_within = std::chrono::seconds(120);
  /// Clients, and requests of each, at most.
  std::uint64_t clients = 4;
  std::uint64_t requests = 60;
  /// The bodies of requests, if they are not to be the default of `ClientConfig`.
  MakeBody body{};
};

/// A scenario that follows from the seed and the configuration alone. It has no rules.
inline Scenario draw_scenario(std::uint64_t seed, const TrialConfig& config) {
  using std::chrono::milliseconds;
  Scenario scenario;
  scenario.seed = seed;
  scenario.nodes = config.nodes;
  scenario.settle = config.heal_within;
  const Random random = Random(seed).fork("trial");
  scenario.faults =
      draw_schedule(config.faults, config.nodes, config.faulty_for, random.fork("schedule"));
  Random load = random.fork("load");
  scenario.clients.resize(load.between<std::uint64_t>(1, config.clients));
  for (ClientLoad& client : scenario.clients)
    client = {.requests = load.between<std::uint64_t>(1, config.requests),
              .open = load.between<std::uint64_t>(1, 16),
              .target = static_cast<Target>(load.below(3)),
              .retry_after = milliseconds(load.between(1000, 5000)),
              .rest = milliseconds(load.between(0, 200))};
  return scenario;
}

}  // namespace mirbft::sim

BOOST_HANA_ADAPT_STRUCT(mirbft::sim::ClientLoad, requests, open, target, retry_after, rest);

// <mirbft/sim/script.hpp>
// Plays scripted faults: watches a cluster's messages, meddles with some, strikes after others.

namespace mirbft::sim {

/// Judges the frames of replicas that say `Message`s to one another. A frame with several messages
/// is taken apart if it must be: those that are left alone go on together.
template <class Message>
class Script {
 public:
  Script(const std::vector<Rule>& rules, const std::vector<Trigger>& triggers) {
    for (const Rule& rule : rules) rules_.push_back({rule, Gate(rule.after), Gate(rule.until), 0});
    for (const Trigger& trigger : triggers)
      triggers_.push_back({trigger.strike, Gate(trigger.after)});
  }

  bool empty() const noexcept { return rules_.empty() && triggers_.empty(); }

  /// What becomes of a frame that is sent `now`. Calls `strike(const Strike&)` for the strikes that
  /// one of its messages sets off, and `count(Fault)` for what is done to it.
  template <class Do, class Count>
  std::vector<Passage> judge(const Frame& frame, Time now, Do&& strike, Count&& count) {
    Judged judged;
    const auto take = [&](const Bytes& bytes) {
      const auto message = wire::decode<Message>(bytes, wire::Form::lenient);
      if (!message) return false;
      const Seen seen{frame.from, frame.to, now, facts_of(*message)};
      notice(seen, strike);
      pass(bytes, meddle(seen, count), judged);
      return true;
    };
    if (!take_each(frame.payload, take)) return {{frame.payload, {}}};
    if (!judged.alone.empty()) judged.passages.push_back({wire::join(judged.alone), {}});
    return std::move(judged.passages);
  }

 private:
  static constexpr std::size_t every_message = std::numeric_limits<std::size_t>::max();

  struct Seen {
    NodeId from;
    NodeId to;
    Time now;
    MessageFacts facts;

    bool is(const Match& match) const { return match.has(from, to, facts); }
  };

  /// Whether a moment has come.
  class Gate {
   public:
    explicit Gate(std::optional<Moment> moment) : moment_(std::move(moment)) {}

    /// Whether there is anything to wait for.
    explicit operator bool() const noexcept { return moment_.has_value(); }
    /// Whether a message comes after the moment: the one that completes it does not.
    bool is_over(const Seen& seen) const {
      return moment_->messages == 0 ? seen.now >= moment_->time : count_ >= moment_->messages;
    }
    /// Whether it is this message that completes the moment.
    bool note(const Seen& seen) {
      return moment_ && moment_->messages != 0 && count_ < moment_->messages &&
             seen.is(moment_->match) && ++count_ == moment_->messages;
    }

   private:
    std::optional<Moment> moment_;
    std::uint64_t count_ = 0;
  };
  struct Playing {
    Rule rule;
    Gate after;
    Gate until;
    std::uint64_t taken;
  };
  struct Waiting {
    Strike strike;
    Gate after;
  };
  struct Fate {
    bool dropped = false;
    bool twice = false;
    Time late{};
  };
  struct Judged {
    std::vector<Bytes> alone;
    std::vector<Passage> passages;
  };

  template <class Take>
  static bool take_each(const Bytes& payload, Take& take) {
    if constexpr (wire::ends_by_itself<Message>()) {
      return wire::split(payload, every_message, take);
    } else {
      return take(payload);
    }
  }

  template <class Do>
  void notice(const Seen& seen, Do& strike) {
    for (Waiting& waiting : triggers_)
      if (waiting.after.note(seen)) strike(std::as_const(waiting.strike));
  }

  /// What all rules together make of a message.
  template <class Count>
  Fate meddle(const Seen& seen, Count& count) {
    Fate fate;
    for (Playing& playing : rules_) {
      if (takes(playing, seen)) apply(playing.rule, fate, count);
      playing.after.note(seen);
      playing.until.note(seen);
    }
    return fate;
  }
  static bool takes(Playing& playing, const Seen& seen) {
    const Rule& rule = playing.rule;
    if (playing.after && !playing.after.is_over(seen)) return false;
    if (playing.until && playing.until.is_over(seen)) return false;
    if (!seen.is(rule.match)) return false;
    return rule.first == 0 || playing.taken++ < rule.first;
  }
  template <class Count>
  static void apply(const Rule& rule, Fate& fate, Count& count) {
    switch (rule.what) {
      case Meddling::drop: count(Fault::loss); fate.dropped = true; break;
      case Meddling::delay: count(Fault::delay); fate.late += rule.late; break;
      case Meddling::duplicate: count(Fault::duplication); fate.twice = true; break;
    }
  }

  static void pass(const Bytes& message, const Fate& fate, Judged& judged) {
    if (fate.dropped) return;
    if (fate.late == Time{} && !fate.twice) return judged.alone.push_back(message);
    judged.passages.push_back({message, fate.late});
    if (fate.twice) judged.passages.push_back({message, fate.late});
  }

  std::vector<Playing> rules_;
  std::vector<Waiting> triggers_;
};

}  // namespace mirbft::sim

// <mirbft/sim/strikes.hpp>
// What a strike does to a cluster.

namespace mirbft::sim {

namespace detail {

/// A node whose crash is due and has not come yet is waited for.
template <class Replica>
void restart_at(Cluster<Replica>& cluster, NodeId node, Time time) {
  cluster.at(time, [&cluster, node] {
    if (!cluster.is_up(node)) return cluster.restart(node);
    restart_at(cluster, node, cluster.now() + std::chrono::milliseconds(50));
  });
}

template <class Replica>
void part(Cluster<Replica>& cluster, Cut cut, Time end) {
  cluster.network().cut(cut);
  cluster.at(end, [&cluster, cut = std::move(cut)] { cluster.network().mend(cut); });
}

}  // namespace detail

/// Strikes now, and makes sure that it ends: after the time that the strike lasts, or at `heal`.
/// May be called amid the work of a node.
template <class Replica>
void strike(Cluster<Replica>& cluster, const Strike& strike, Time heal) {
  const Time end = strike.lasts == Time{} ? heal : cluster.now() + strike.lasts;
  const NodeId node = strike.nodes.front();
  const auto lists = static_cast<std::uint64_t>(strike.amount);
  switch (strike.kind) {
    case Fault::clog: return cluster.network().clog(node, strike.others.front(), end);
    case Fault::symmetric_partition:
      return detail::part(cluster, symmetric_partition(strike.nodes, strike.others), end);
    case Fault::asymmetric_partition:
      return detail::part(cluster, asymmetric_partition(strike.nodes, strike.others), end);
    case Fault::bridge_partition:
      return detail::part(cluster, bridge_partition(strike.nodes, strike.others), end);
    case Fault::crash:
      if (!cluster.is_up(node)) return;
      cluster.crash_after(node, lists);
      return detail::restart_at(cluster, node, end);
    case Fault::crash_in_list:
      if (!cluster.is_up(node)) return;
      cluster.disk(node).fail_after(lists);
      return detail::restart_at(cluster, node, end);
    case Fault::wipe:
      cluster.at(cluster.now(), [&cluster, node] { cluster.wipe(node); });
      return detail::restart_at(cluster, node, end);
    case Fault::pause: return cluster.pause(node, end);
    case Fault::clock_skew: return cluster.skew(node, strike.amount);
    case Fault::clock_jump: return cluster.jump(node, end - cluster.now());
    case Fault::slow_module:
      return cluster.hold(node, Slot(static_cast<std::uint16_t>(1u << strike.amount)), end);
    default: return;  // throughout a run, and no strike
  }
}

}  // namespace mirbft::sim

// <mirbft/sim/time_text.hpp>
// Times as people write them: "250ms", "1.5s".

namespace mirbft::sim {

namespace detail {

struct TimeUnit {
  std::string_view name;
  std::int64_t nanoseconds;
};
inline constexpr TimeUnit time_units[] = {
    {"s", 1'000'000'000}, {"ms", 1'000'000}, {"us", 1'000}, {"ns", 1}};

}  // namespace detail

/// In the largest unit that needs no more than three decimals. `time` is not negative.
inline std::string time_text(Time time) {
  for (const auto& [name, unit] : detail::time_units) {
    const std::int64_t thousandth = unit == 1 ? 1 : unit / 1000;
    if (time.count() < unit || time.count() % thousandth != 0) continue;
    std::string text = std::to_string(time.count() / unit);
    if (std::int64_t rest = time.count() % unit; rest != 0) {
      std::string decimals = std::to_string(1000 + rest / thousandth);
      decimals.erase(decimals.find_last_not_of('0') + 1);
      text += '.' + decimals.substr(1);
    }
    return text.append(name);
  }
  return "0s";
}

/// Reads what `time_text` writes. Empty for anything else, and for more than a year.
inline std::optional<Time> parse_time(std::string_view text) {
  const std::size_t size = std::min(text.find_first_not_of("0123456789."), text.size());
  const auto* unit = std::ranges::find(detail::time_units, text.substr(size),
                                       &detail::TimeUnit::name);
  const std::size_t dot = std::min(text.substr(0, size).find('.'), size);
  constexpr std::int64_t longest = std::int64_t{366} * 24 * 3600 * 1'000'000'000;
  std::int64_t whole = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + dot, whole);
  if (unit == std::end(detail::time_units) || error != std::errc() || end != text.data() + dot ||
      dot + 1 == size || whole > longest / unit->nanoseconds)
    return std::nullopt;
  std::int64_t sum = whole * unit->nanoseconds;
  std::int64_t worth = unit->nanoseconds;
  for (const char digit : text.substr(std::min(dot + 1, size), size - std::min(dot + 1, size))) {
    if (digit == '.' || worth % 10 != 0) return std::nullopt;
    sum += (digit - '0') * (worth /= 10);
  }
  return Time(sum);
}

}  // namespace mirbft::sim

// <mirbft/sim/trial.hpp>
// A run of one scenario: faults first, then healing, and then everything must get done.

namespace mirbft::sim {

/// How a run ended.
struct TrialResult {
  std::uint64_t seed = 0;
  Figures figures;
  std::uint64_t fingerprint = 0;
  Time took{};
  std::vector<Finding> findings;
  /// If there are findings: the status of each node that is up, as JSON.
  std::vector<std::string> states;
};

/// Runs a cluster under the faults of a scenario, then heals all but those that are lost and
/// demands that every request gets delivered there and that their states agree.
template <class Replica>
class Trial {
 public:
  using ClusterOfTrial = Cluster<Replica>;

  /// `make` as for a cluster; `body` is that of `ClientConfig`, if it is not to be its default.
  Trial(Scenario scenario, typename ClusterOfTrial::Make make,
        typename ClusterOfTrial::ChecksOfCluster checks = {}, MakeBody body = {})
      : scenario_(std::move(scenario)),
        script_(scenario_.rules, scenario_.triggers),
        cluster_(cluster_config(), std::move(make), std::move(checks)) {
    add_clients(body);
  }
  /// The run that a seed draws.
  Trial(std::uint64_t seed, const TrialConfig& config, typename ClusterOfTrial::Make make,
        typename ClusterOfTrial::ChecksOfCluster checks = {})
      : Trial(draw_scenario(seed, config), std::move(make), std::move(checks), config.body) {}
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

  ClusterOfTrial& cluster() noexcept { return cluster_; }

  TrialResult run() {
    if (suffer()) recover();
    cluster_.checks().ended(cluster_.findings());
    return {scenario_.seed, cluster_.figures(),        cluster_.fingerprint(),
            cluster_.now(), cluster_.findings().all(), states()};
  }

 private:
  using Message = typename detail::ProtocolOf<Replica>::type::Message;

  ClusterConfig cluster_config() const {
    ClusterConfig config;
    config.seed = scenario_.seed;
    config.nodes = scenario_.nodes;
    config.links = scenario_.faults.links;
    config.shuffled_slots = scenario_.faults.pace.shuffled_slots;
    config.reaction = scenario_.faults.pace.reaction;
    config.tail = scenario_.faults.disks.tail;
    return config;
  }

  void add_clients(const MakeBody& body) {
    std::uint64_t id = 0;
    for (const ClientLoad& load : scenario_.clients)
      cluster_.add_client({.id = ClientId(id++),
                           .requests = load.requests,
                           .open = load.open,
                           .target = load.target,
                           .retry_after = load.retry_after,
                           .rest = load.rest,
                           .body = body});
  }

  /// The first phase. Returns whether no rule was broken.
  bool suffer() {
    const Time heal = scenario_.faults.heal;
    const auto strike_now = [this, heal](const Strike& one) { strike(cluster_, one, heal); };
    for (const Strike& one : scenario_.faults.strikes)
      cluster_.at(one.at, [&one, strike_now] { strike_now(one); });
    if (!script_.empty())
      cluster_.network().judge([this, strike_now](const Frame& frame) {
        return script_.judge(frame, cluster_.now(), strike_now,
                             [this](Fault kind) { cluster_.network().count(kind); });
      });
    return cluster_.run_until(heal);
  }

  void recover() {
    const std::vector<NodeId> core = heal();
    cluster_.finish_requests(core);
    const auto settled = [&] { return cluster_.clients_done() && cluster_.agree(core); };
    if (cluster_.run_until(settled, scenario_.settle) || !cluster_.findings().none()) return;
    report_what_is_open(core);
  }

  /// Returns those that are up and stay up.
  std::vector<NodeId> heal() {
    const std::vector<NodeId>& lost = scenario_.faults.lost;
    std::vector<NodeId> core = cluster_.members();
    std::erase_if(core, [&](NodeId id) { return std::ranges::find(lost, id) != lost.end(); });
    for (const NodeId id : lost) cluster_.crash(id);
    cluster_.heal();
    for (const NodeId id : core) cluster_.restart(id);
    return core;
  }

  std::vector<std::string> states() {
    std::vector<std::string> all;
    if (cluster_.findings().none()) return all;
    for (const NodeId id : cluster_.members())
      if (cluster_.is_up(id)) all.push_back(wire::to_json(cluster_[id].status()));
    return all;
  }

  void report_what_is_open(const std::vector<NodeId>& core) {
    const std::string bound =
        " within " + time_text(scenario_.settle) + " after all faults have ended";
    for (std::size_t i = 0; i < cluster_.clients(); ++i) {
      const Client& client = cluster_.client(i);
      if (const auto number = client.waits_for())
        cluster_.findings().report("liveness", core.front(), std::nullopt,
                                   name_of(client.id(), *number) + " has no answer" + bound);
    }
    if (cluster_.clients_done())
      cluster_.findings().report("liveness", core.front(), std::nullopt,
                                 "the replicas' states do not come to agree" + bound);
  }

  const Scenario scenario_;
  Script<Message> script_;
  ClusterOfTrial cluster_;
};

/// What many runs add up to.
struct Campaign {
  std::uint64_t seeds = 0;
  std::uint64_t failed = 0;
  Figures figures;

  void add(const TrialResult& result) noexcept {
    ++seeds;
    failed += !result.findings.empty();
    figures += result.figures;
  }
};

}  // namespace mirbft::sim

// <mirbft/sim/zoo/disk.hpp>
// A write-ahead log, a request store and an App, each with a mistake.

// <mirbft/sim/zoo/mutant.hpp>
// The bug zoo: mistakes that an implementation of this library could have made, by name.

namespace mirbft::sim::zoo {

/// A mistake. A simulator that does not find one of these has a hole.
enum class Mutant : std::uint8_t {
  quorum_2f,
  weak_commit,
  votes_after_leaving,
  claims_forgotten,
  nil_not_claimed,
  lowest_claim,
  view_not_compared,
  never_joins,
  no_duplicate_filter,
  lost_batches,
  vote_not_logged,
  certificate_not_logged,
  view_change_not_logged,
  new_view_not_logged,
  checkpoint_not_logged,
  log_sync_lies,
  log_truncated_early,
  votes_not_recovered,
  certificates_not_recovered,
  views_not_recovered,
  store_sync_lies,
  live_payloads_collected,
  policy_not_persisted,
  app_forgets_on_restore,
  amnesia_ignored,
};

/// A mistake's name, and what it is.
struct MutantInfo {
  std::string_view name;
  std::string_view about;
};

inline constexpr std::array mutants{
    MutantInfo{"quorum_2f", "one Prepare, Commit and ViewChange too few are enough"},
    MutantInfo{"weak_commit", "f+1 Commits decide a slot"},
    MutantInfo{"votes_after_leaving", "certificates are made in a view that was left"},
    MutantInfo{"claims_forgotten", "a ViewChange claims nothing that was prepared"},
    MutantInfo{"nil_not_claimed", "a ViewChange does not claim a prepared nil"},
    MutantInfo{"lowest_claim", "of two claims the one of the lower view counts"},
    MutantInfo{"view_not_compared", "a ViewChange to an earlier view counts for a NewView"},
    MutantInfo{"never_joins", "no replica joins others that call for a view"},
    MutantInfo{"no_duplicate_filter", "a request may be proposed twice"},
    MutantInfo{"lost_batches", "requests of batches that were given up on are dropped"},
    MutantInfo{"vote_not_logged", "a Prepare is sent without its record"},
    MutantInfo{"certificate_not_logged", "a Commit is sent without its certificate's record"},
    MutantInfo{"view_change_not_logged", "a ViewChange is sent without its record"},
    MutantInfo{"new_view_not_logged", "votes in a new view are sent without its record"},
    MutantInfo{"checkpoint_not_logged", "a Checkpoint is sent without its state's record"},
    MutantInfo{"log_sync_lies", "the log says that it is synced, and is not"},
    MutantInfo{"log_truncated_early", "the log drops what is still needed"},
    MutantInfo{"votes_not_recovered", "a restarted replica does not know how it voted"},
    MutantInfo{"certificates_not_recovered", "a restarted replica does not know what it prepared"},
    MutantInfo{"views_not_recovered", "a restarted replica does not know which views it left"},
    MutantInfo{"store_sync_lies", "the store says that it is synced, and is not"},
    MutantInfo{"live_payloads_collected", "the store collects what is still needed"},
    MutantInfo{"policy_not_persisted", "leaders depend on what a restart forgets"},
    MutantInfo{"app_forgets_on_restore", "the App loses a part of a state that it restores"},
    MutantInfo{"amnesia_ignored", "a replica that has lost its disk votes at once"},
};

constexpr const MutantInfo& info(Mutant mutant) noexcept {
  return mutants[static_cast<std::size_t>(mutant)];
}

/// Throws ConfigError if there is no such mutant.
inline Mutant parse_mutant(std::string_view name) {
  std::string known;
  for (std::size_t i = 0; i < mutants.size(); ++i) {
    if (mutants[i].name == name) return static_cast<Mutant>(i);
    (known += known.empty() ? "" : ", ") += mutants[i].name;
  }
  throw ConfigError("mutant", '"' + std::string(name) + '"', "must be all or one of " + known);
}

}  // namespace mirbft::sim::zoo

namespace mirbft::sim::zoo {

/// Another Wal, with a mistake.
template <class Base>
class Wal {
 public:
  Wal(Base base, Mutant mutant) : base_(std::move(base)), mutant_(mutant) {}

  void append(std::uint32_t type, Bytes entry, RetentionIndex retention) {
    if (!is_dropped(type)) base_.append(type, std::move(entry), retention);
  }
  void sync() {
    if (mutant_ != Mutant::log_sync_lies) base_.sync();
  }
  void truncate(RetentionIndex index) {
    // Two epochs are kept behind the stable one; this takes them too, and the next.
    const std::uint64_t too_much = mutant_ == Mutant::log_truncated_early ? 3 : 0;
    base_.truncate(RetentionIndex(index.value + too_much));
  }
  template <class F>
  void replay(F&& f) {
    base_.replay([&](std::uint32_t type, const Bytes& entry) {
      if (!is_forgotten(type)) f(type, entry);
    });
  }
  auto status() const { return base_.status(); }

 private:
  template <class Entry>
  static bool holds(std::uint32_t type) noexcept {
    return type == WalAppend<Entry>::number;
  }
  bool is_dropped(std::uint32_t type) const noexcept {
    switch (mutant_) {
      case Mutant::vote_not_logged: return holds<VoteEntry>(type);
      case Mutant::certificate_not_logged: return holds<PreparedEntry>(type);
      case Mutant::view_change_not_logged: return holds<ViewChangeEntry>(type);
      case Mutant::new_view_not_logged: return holds<NewViewEntry>(type);
      case Mutant::checkpoint_not_logged: return holds<CheckpointEntry>(type);
      default: return false;
    }
  }
  bool is_forgotten(std::uint32_t type) const noexcept {
    switch (mutant_) {
      case Mutant::votes_not_recovered: return holds<VoteEntry>(type);
      case Mutant::certificates_not_recovered: return holds<PreparedEntry>(type);
      case Mutant::views_not_recovered:
        return holds<ViewChangeEntry>(type) || holds<NewViewEntry>(type);
      default: return false;
    }
  }

  Base base_;
  Mutant mutant_;
};

/// Another Store, with a mistake.
template <class Base>
class Store {
 public:
  Store(Base base, Mutant mutant) : base_(std::move(base)), mutant_(mutant) {}

  void put(const RequestRef& reference, Bytes data, Bytes authenticator) {
    base_.put(reference, std::move(data), std::move(authenticator));
  }
  void sync() {
    if (mutant_ != Mutant::store_sync_lies) base_.sync();
  }
  const Request* get(const RequestRef& reference) { return base_.get(reference); }
  void delivered(SeqNr sn, const Batch& batch) { base_.delivered(sn, batch); }
  void collect(Collection collection) {
    if (mutant_ == Mutant::live_payloads_collected)
      collection.through = SeqNr(std::numeric_limits<std::uint64_t>::max() - 1);
    base_.collect(collection);
  }
  auto status() const { return base_.status(); }

 private:
  Base base_;
  Mutant mutant_;
};

/// Another App of the simple kind, with a mistake.
template <class Base>
class App {
 public:
  explicit App(Mutant mutant, Base base = {})
      : base_(std::move(base)), mutant_(mutant) {}

  auto apply(SeqNr sn, std::span<const Request> requests) { return base_.apply(sn, requests); }
  Bytes snapshot() const { return base_.snapshot(); }
  void restore(ByteView state) {
    if (mutant_ != Mutant::app_forgets_on_restore) base_.restore(state);
  }

 private:
  Base base_;
  Mutant mutant_;
};

}  // namespace mirbft::sim::zoo

// <mirbft/sim/zoo/rules.hpp>
// Rules of the protocol and a leader policy, each with a mistake.

namespace mirbft::sim::zoo {

/// The rules, but for one.
class Rules : public iss::Rules {
  using Sound = iss::Rules;

 public:
  explicit Rules(Mutant mutant) noexcept : mutant_(mutant) {}

  std::size_t prepares(Quorum quorum) const noexcept {
    return Sound::prepares(quorum) - is(Mutant::quorum_2f);
  }
  std::size_t commits(Quorum quorum) const noexcept {
    return is(Mutant::weak_commit) ? quorum.weak()
                                   : Sound::commits(quorum) - is(Mutant::quorum_2f);
  }
  std::size_t view_changes(Quorum quorum) const noexcept {
    return Sound::view_changes(quorum) - is(Mutant::quorum_2f);
  }
  std::size_t callers(Quorum quorum) const noexcept {
    return is(Mutant::never_joins) ? quorum.members() + 1 : Sound::callers(quorum);
  }
  bool may_prepare(View view, View target) const noexcept {
    return is(Mutant::votes_after_leaving) || Sound::may_prepare(view, target);
  }
  bool must_claim(const Digest& digest) const noexcept {
    return !is(Mutant::claims_forgotten) && !(is(Mutant::nil_not_claimed) && digest == Digest{}) &&
           Sound::must_claim(digest);
  }
  bool supersedes(View claim, View known) const noexcept {
    return is(Mutant::lowest_claim) ? claim < known : Sound::supersedes(claim, known);
  }
  bool counts_for(View view, View wanted) const noexcept {
    return is(Mutant::view_not_compared) ? view <= wanted : Sound::counts_for(view, wanted);
  }
  bool claim(auto& clients, SeqNr sn, const RequestRef& request) const {
    return Sound::claim(clients, sn, request) || is(Mutant::no_duplicate_filter);
  }
  bool may_propose(auto& clients, const RequestRef& request) const {
    return is(Mutant::no_duplicate_filter) || Sound::may_propose(clients, request);
  }
  void put_back(auto& batches, auto& buckets, auto& clients) const {
    if (!is(Mutant::lost_batches)) Sound::put_back(batches, buckets, clients);
  }

 private:
  bool is(Mutant mutant) const noexcept { return mutant_ == mutant; }

  Mutant mutant_;
};

/// `Blacklist`, but for a count that no checkpoint holds.
struct Policy {
  Blacklist base{};
  /// Whether it is wrong; a part of the state, since a policy is made anew from that.
  std::uint8_t forgets = 0;
  std::uint64_t ended{};

  std::vector<NodeId> leaders(Epoch epoch, const std::vector<NodeId>& members,
                              Quorum quorum) const {
    if (forgets == 0 || ended % 8 < 4) return base.leaders(epoch, members, quorum);
    return {members.front()};
  }
  void delivered(SeqNr sn, NodeId leader, SlotOutcome outcome) {
    base.delivered(sn, leader, outcome);
  }
  void epoch_ended(Epoch epoch, const std::vector<NodeId>& leaders) {
    ++ended;
    base.epoch_ended(epoch, leaders);
  }
};

}  // namespace mirbft::sim::zoo

BOOST_HANA_ADAPT_STRUCT(mirbft::sim::zoo::Policy, base, forgets);

#ifdef MIRBFT_WITH_OPENSSL

// <mirbft/modules/hasher/openssl.hpp>
// The default Hasher: SHA-256 by OpenSSL 3.

#include <openssl/evp.h>

namespace mirbft {

/// SHA-256 (FIPS 180-4). The algorithm is looked up once and the context is reused, since the
/// one-shot call of OpenSSL 3 spends several times the hashing of 64 bytes on that lookup.
///
/// Not thread-safe; use one object a thread. Throws `ModuleFailure` if OpenSSL refuses to work.
class Sha256 {
 public:
  Sha256() : algorithm_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context_(EVP_MD_CTX_new()) {
    require(algorithm_ && context_);
    start();
  }

  /// Appends bytes to the message.
  void update(ByteView bytes) {
    require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
  }

  /// The digest of all bytes since the last `finish`; the next message starts empty.
  Digest finish() {
    Digest digest;
    require(EVP_DigestFinal_ex(context_.get(), digest.bytes.data(), nullptr) == 1);
    start();
    return digest;
  }

 private:
  struct Free {
    void operator()(EVP_MD* algorithm) const noexcept { EVP_MD_free(algorithm); }
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
  };

  void start() { require(EVP_DigestInit_ex2(context_.get(), algorithm_.get(), nullptr) == 1); }

  static void require(bool worked) {
    if (!worked) throw ModuleFailure("SHA-256: OpenSSL failed; check the installed providers");
  }

  std::unique_ptr<EVP_MD, Free> algorithm_;
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

}  // namespace mirbft

#endif

#ifdef MIRBFT_WITH_SODIUM

// <mirbft/modules/crypto/sodium.hpp>
// The default Crypto module: Ed25519 signatures of nodes and clients, by libsodium.

#include <sodium.h>

namespace mirbft {

/// An Ed25519 key pair (RFC 8032), of a node or a client. The secret half is wiped from memory
/// with the object. `const` calls may run on several threads at once.
class Ed25519Key {
 public:
  static constexpr std::size_t seed_size = crypto_sign_SEEDBYTES;
  static constexpr std::size_t public_size = crypto_sign_PUBLICKEYBYTES;
  static constexpr std::size_t signature_size = crypto_sign_BYTES;

  /// The pair that belongs to this secret seed; throws `ConfigError` unless it has 32 bytes.
  explicit Ed25519Key(ByteView seed) {
    start_library();
    if (seed.size() != seed_size)
      throw ConfigError("seed", std::to_string(seed.size()) + " bytes", "must be 32 secret bytes");
    crypto_sign_seed_keypair(public_.data(), secret_.data(), seed.data());
  }
  Ed25519Key(const Ed25519Key&) = default;
  Ed25519Key& operator=(const Ed25519Key&) = default;
  ~Ed25519Key() { sodium_memzero(secret_.data(), secret_.size()); }

  /// A seed that nobody can guess.
  static Bytes random_seed() {
    start_library();
    return Bytes::filled(seed_size, [](std::uint8_t* out) { randombytes_buf(out, seed_size); });
  }

  Bytes public_key() const { return Bytes(ByteView(public_)); }
  /// Whether this is the public half.
  bool is_secret_to(const std::array<std::uint8_t, public_size>& key) const noexcept {
    return public_ == key;
  }
  /// Whether `SodiumCrypto` takes this for a public key: one in the prime-order subgroup.
  static bool is_public_key(ByteView key) noexcept {
    return key.size() == public_size && crypto_core_ed25519_is_valid_point(key.data()) == 1;
  }

  Bytes sign(ByteView message) const {
    return Bytes::filled(signature_size, [&](std::uint8_t* out) {
      crypto_sign_detached(out, nullptr, message.data(), message.size(), secret_.data());
    });
  }

  /// Chooses the fastest code for this processor; does nothing when called again. Thread-safe.
  static void start_library() {
    if (sodium_init() < 0)
      throw ModuleFailure("Ed25519: libsodium found no source of randomness; provide /dev/urandom");
  }

 private:
  std::array<std::uint8_t, public_size> public_;
  std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> secret_;
};

/// What a `SodiumCrypto` knows.
struct SodiumStatus {
  std::uint64_t nodes = 0;           ///< nodes with a key
  std::uint64_t clients = 0;         ///< clients with a key
  std::uint64_t malformed_keys = 0;  ///< updates that brought no usable key
};

/// Signs with this node's key and verifies by the keys that it was given.
///
/// Replicas must agree on what is valid, and Ed25519 verifiers differ at the edges. This one
/// accepts a signature if `S` is below the group's order, neither `R` nor the key has a small
/// order or a non-canonical encoding, and `R = S·B − k·A` without a cofactor. Keys are also
/// required to lie in the prime-order subgroup; others count as malformed.
///
/// The keys that it is made with are those that the cluster began with, also after they were
/// changed: what came later is in the replica's write-ahead log, and what the others certify.
///
/// `const` calls may run on several threads at once, but not together with an update.
class SodiumCrypto {
 public:
  /// For a node that has one key. Throws `ConfigError` for a seed or a key that is none.
  SodiumCrypto(ByteView seed, const std::map<NodeId, Bytes>& node_keys,
               const std::map<ClientId, Bytes>& client_keys)
      : SodiumCrypto({Ed25519Key(seed)}, std::nullopt, node_keys, client_keys) {
    for (const auto& [node, keys] : nodes_)
      if (!self_ && own_.front().is_secret_to(*keys.begin()->second)) self_ = node;
  }

  /// For the node `self`, whose key changes: it signs by that of its `own` key pairs which is in
  /// force. Throws `ConfigError`.
  SodiumCrypto(std::vector<Ed25519Key> own, NodeId self, const std::map<NodeId, Bytes>& node_keys,
               const std::map<ClientId, Bytes>& client_keys)
      : SodiumCrypto(std::move(own), std::optional(self), node_keys, client_keys) {}

  /// Throws `ModuleFailure` when the secret key is missing: a node that could not sign would only
  /// look as if it took part.
  Bytes sign(Epoch epoch, ByteView message) const { return own_key(epoch).sign(message); }

  SignatureCheck verify_node(NodeId signer, Epoch epoch, ByteView message,
                             ByteView signature) const {
    return verify(node_key(signer, epoch), message, signature);
  }
  SignatureCheck verify_client(ClientId signer, ByteView message, ByteView signature) const {
    const auto key = clients_.find(signer);
    return verify(key == clients_.end() ? nullptr : &key->second, message, signature);
  }

  /// Sets a key from an epoch on, or removes it if there is none. A malformed one is counted and
  /// removes too: who meant to replace a key wants the old one to be gone.
  void update_node_key(NodeId node, Epoch from, const std::optional<Bytes>& key) {
    nodes_[node].insert_or_assign(from, usable(key));
  }
  /// Forgets the keys that are replaced by then.
  void forget_node_keys(Epoch before) {
    for (auto& [node, keys] : nodes_)
      while (keys.size() > 1 && std::next(keys.begin())->first <= before) keys.erase(keys.begin());
  }
  void update_client_key(ClientId client, const std::optional<Bytes>& key) {
    if (const auto found = usable(key)) {
      clients_[client] = *found;
    } else {
      clients_.erase(client);
    }
  }

  SodiumStatus status() const noexcept {
    std::uint64_t nodes = 0;
    for (const auto& [node, keys] : nodes_) nodes += keys.rbegin()->second.has_value();
    return {nodes, clients_.size(), malformed_keys_};
  }

 private:
  using PublicKey = std::array<std::uint8_t, Ed25519Key::public_size>;
  /// A node's keys by the epoch from which each holds; none where it was removed.
  using Keys = std::map<Epoch, std::optional<PublicKey>>;

  SodiumCrypto(std::vector<Ed25519Key> own, std::optional<NodeId> self,
               const std::map<NodeId, Bytes>& node_keys,
               const std::map<ClientId, Bytes>& client_keys)
      : own_(std::move(own)), self_(self), clients_(checked(client_keys, "client_keys")) {
    if (own_.empty()) throw ConfigError("own", "[]", "a node signs with at least one key pair");
    for (const auto& [node, key] : checked(node_keys, "node_keys")) nodes_[node][Epoch(0)] = key;
  }

  /// The key of a node in an epoch; null if there is none.
  const PublicKey* node_key(NodeId node, Epoch epoch) const {
    const auto keys = nodes_.find(node);
    if (keys == nodes_.end()) return nullptr;
    const auto later = keys->second.upper_bound(epoch);
    if (later == keys->second.begin()) return nullptr;
    const std::optional<PublicKey>& key = std::prev(later)->second;
    return key ? &*key : nullptr;
  }
  const Ed25519Key& own_key(Epoch epoch) const {
    if (!self_) return own_.front();
    const PublicKey* wanted = node_key(*self_, epoch);
    for (const Ed25519Key& own : own_)
      if (wanted && own.is_secret_to(*wanted)) return own;
    throw ModuleFailure("Ed25519: node " + std::to_string(self_->value) +
                        " lacks the secret key to its public key in epoch " +
                        std::to_string(epoch.value) + ": start it with the seed of that one too");
  }

  std::optional<PublicKey> usable(const std::optional<Bytes>& key) {
    const std::optional<PublicKey> parsed = key ? parse(*key) : std::nullopt;
    malformed_keys_ += key && !parsed;
    return parsed;
  }
  static std::optional<PublicKey> parse(const Bytes& key) {
    if (!Ed25519Key::is_public_key(key.view())) return std::nullopt;
    PublicKey parsed;
    std::copy(key.begin(), key.end(), parsed.begin());
    return parsed;
  }

  template <class Id>
  static std::map<Id, PublicKey> checked(const std::map<Id, Bytes>& keys, const char* field) {
    std::map<Id, PublicKey> parsed;
    for (const auto& [id, key] : keys) {
      const std::optional<PublicKey> usable = parse(key);
      if (!usable)
        throw ConfigError(std::string(field) + '[' + std::to_string(id.value) + ']',
                          hex(key.view()), "must be an Ed25519 public key of 32 bytes");
      parsed.emplace(id, *usable);
    }
    return parsed;
  }

  static SignatureCheck verify(const PublicKey* key, ByteView message, ByteView signature) {
    if (!key) return SignatureCheck::unknown_signer;
    if (signature.size() != Ed25519Key::signature_size) return SignatureCheck::malformed;
    const int wrong = crypto_sign_verify_detached(signature.data(), message.data(), message.size(),
                                                  key->data());
    return wrong == 0 ? SignatureCheck::valid : SignatureCheck::invalid;
  }

  std::vector<Ed25519Key> own_;
  /// Which node this is, so that it signs by its key in force. Not known if its one key is not
  /// among those that it was made with: it signs whatever it is asked to then.
  std::optional<NodeId> self_;
  std::map<NodeId, Keys> nodes_;
  std::map<ClientId, PublicKey> clients_;
  std::uint64_t malformed_keys_ = 0;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::SodiumStatus, nodes, clients, malformed_keys);

#endif

#endif

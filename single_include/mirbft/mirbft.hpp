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

// <mirbft/types/client_window.hpp>
// Which request numbers of a client are open, and what a checkpoint allows to be forgotten.

#include <vector>

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

/// The quorum sizes of a cluster of `n` members, of which `faulty()` may be Byzantine.
/// Never `2f+1`: with n = 6 two sets of three could be disjoint (protocol, section 0).
class Quorum {
 public:
  explicit constexpr Quorum(std::size_t members) noexcept : members_(members) {}

  constexpr std::size_t members() const noexcept { return members_; }
  /// f: how many members may fail in any way.
  constexpr std::size_t faulty() const noexcept { return members_ == 0 ? 0 : (members_ - 1) / 3; }
  /// q: any two strong quorums share a correct member.
  constexpr std::size_t strong() const noexcept { return (members_ + faulty()) / 2 + 1; }
  /// w: a weak quorum holds at least one correct member.
  constexpr std::size_t weak() const noexcept { return faulty() + 1; }

 private:
  std::size_t members_;
};

}  // namespace mirbft

// <mirbft/types/reflect.hpp>
// Reflection of templates: what BOOST_HANA_ADAPT_STRUCT does for a struct, for a template's structs.

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

// <mirbft/wire/canonical.hpp>
// The bytes of a value that are hashed and signed: one fixed encoding, injective by construction.
//
// Every part says where it ends, so two different values of a type never give the same bytes, and
// a domain tag keeps a signature over one thing from being taken for a signature over another.

// <mirbft/wire/choice.hpp>
// Variants: the field numbers of their alternatives, and visiting without a table of functions.

#include <type_traits>
#include <variant>

// <mirbft/wire/kind.hpp>
// What a C++ type is on the wire: a number, a byte string, a message, or a repetition of these.

#include <chrono>
#include <concepts>
#include <optional>

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

// Hana's algorithms would be instantiated once more for every struct; the packs of names and
// accessors are all that is needed, and matching them costs next to nothing.
template <class Accessors>
struct MemberList;

template <class... Name, class... Access>
struct MemberList<boost::hana::tuple<boost::hana::pair<Name, Access>...>> {
  static constexpr std::array<std::string_view, sizeof...(Name)> names{Name::c_str()...};

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
      if (held != nullptr) visit(Traits::numbers[place], *held);
    }
  };
  [&]<std::size_t... place>(std::index_sequence<place...>) {
    (visit_one(place, std::get_if<place>(&value)), ...);
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
    for (int shift = 0; shift < 64; shift += 8) *at_++ = static_cast<std::uint8_t>(value >> shift);
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
  static_assert(kind_of<T> != Kind::unknown,
                "[mirbft] a value of this type has no canonical bytes: use integers, enums, ids, "
                "durations, Bytes, std::string, byte arrays, reflected structs, variants, vectors "
                "and optionals");
  if constexpr (is_shared<T>) {
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

#include <limits>

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
  } else if constexpr (fixed_size<T> == 0) {
    return value.empty();
  } else {
    return value == T{};
  }
}

template <class Sink, class T>
void put_body(Sink& out, const T& value);

// A value without its tag, with its length where it has one.
template <class Sink, class T>
void put_value(Sink& out, const T& value) {
  static_assert(Single<T>,
                "[mirbft] a member of this type cannot travel: use integers, enums, ids, "
                "durations, Bytes, std::string, byte arrays, reflected structs, variants, or a "
                "vector or optional of one of these; wrap what is nested deeper in a struct");
  if constexpr (is_shared<T>) {
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
  } else {
    for_each_member_backward(
        value, [&](auto number, const auto& member) { put_field(out, number, member); });
  }
}

}  // namespace detail

/// The number of bytes that `encode` makes of a value.
template <Message T>
std::size_t encoded_size(const T& value) {
  detail::Counter counter;
  detail::put_body(counter, value);
  return counter.size();
}

/// A struct or variant as a proto3 message: fields in the order of their numbers, those that hold
/// their default left out, each number as short as it can be. Equal values give equal bytes.
template <Message T>
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

/// What a decoder may spend on one input.
struct Limits {
  std::size_t bytes = std::size_t{1} << 30;     ///< longest input; never over 2 GiB
  std::size_t elements = std::size_t{1} << 20;  ///< elements of all vectors together
  std::uint32_t depth = 100;                    ///< messages within messages
};

/// Why bytes were refused.
enum class DecodeError : std::uint8_t {
  none,
  malformed,      ///< no protobuf message: cut off, a bad wire type or length, field number 0
  oversized_tag,  ///< a tag of more than 32 bits, which some parsers cut
  limit,          ///< longer, deeper or with more elements than allowed
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
    case DecodeError::limit: return "longer, deeper or with more elements than allowed";
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
  std::size_t elements;
  std::uint32_t depth;
  DecodeError error = DecodeError::none;

  bool fail(DecodeError reason) noexcept {
    error = reason;
    return false;
  }
  bool spend_elements(std::size_t count) noexcept {
    if (count > elements) return fail(DecodeError::limit);
    elements -= count;
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
      : input_(input), form_(form), session_{limits.elements, limits.depth} {}

  DecodeError error() const noexcept { return session_.error; }

  // Merges the content of a message into `value`.
  template <class T>
  bool body(ByteView content, T& value) {
    if constexpr (is_shared<T>) {
      return edit(value, [&](auto& own) { return body(content, own); });
    } else if constexpr (kind_of<T> == Kind::choice) {
      return choice(content, value);
    } else {
      return fields(content, [&](Reader& in, std::uint32_t& tag) {
        Outcome outcome = Outcome::unknown;
        for_each_member(value, [&](auto number, auto& member) {
          using Member = std::remove_reference_t<decltype(member)>;
          if (!is_tag_of<Member>(tag, number) || outcome == Outcome::failed) return;
          outcome = outcome_of(field(in, tag, member) && in.next_tag(tag));
        });
        return outcome;
      });
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
        ((is_tag_of_alternative<Variant, place>(tag) && outcome != Outcome::failed
              ? outcome = outcome_of(alternative<place>(in, value) && in.next_tag(tag))
              : outcome),
         ...);
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
      if (!session_.spend_elements(1)) return false;
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
    if (!session_.spend_elements(count)) return false;
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
    if constexpr (kind_of<T> == Kind::number) {
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

  // A shared value is changed in a copy. What it already holds is paid for, since a lenient input
  // could come back to the same field again and again.
  template <class T, class Change>
  bool edit(Shared<T>& value, Change&& change) {
    if (!session_.spend_elements(field_size(*value))) return false;
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
template <Message T>
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
template <Message T>
std::optional<T> decode(const Bytes& input, Form form, const Limits& limits = {}) {
  std::optional<T> value(std::in_place);
  if (decode_into(*value, input, form, limits) != DecodeError::none) value.reset();
  return value;
}

}  // namespace mirbft::wire

// <mirbft/wire/json.hpp>
// Reflected structs as JSON, for people and scripts: statuses, logs, reports. It is not read back.

#include <charconv>
#include <cmath>

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
  static constexpr std::string_view value =
      given_name<T>.empty() ? DerivedName<T>::value : given_name<T>;
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

/// One line, or one line a value with two spaces a level.
enum class JsonLayout : std::uint8_t { compact, indented };

namespace detail {

class JsonWriter {
 public:
  explicit JsonWriter(JsonLayout layout) noexcept : layout_(layout) {}

  std::string take() && { return std::move(text_); }

  template <class T>
  void put(const T& value) {
    static_assert(kind_of<T> != Kind::unknown || std::floating_point<T> ||
                      std::convertible_to<T, std::string_view>,
                  "[mirbft] a value of this type cannot be shown as JSON: use numbers, enums, ids, "
                  "durations, text, Bytes, reflected structs, variants, vectors and optionals");
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

/// Numbers of event templates: a family's number above, its origin's or entry's below, so that
/// `HashRequest<MyOrigin>` keeps its number whoever else asks for hashes.
///
/// The library's plain events have numbers below 1000, users' events from 1000 to 18999 (protobuf
/// keeps 19000 to 19999 for itself); origins and WAL entries of the library are below 1000 and users'
/// from 1000 up to 65535.
constexpr std::uint32_t family_number(std::uint32_t family, std::uint32_t member) noexcept {
  return family << 16 | member;
}

}  // namespace mirbft

namespace mirbft {

/// The requests of a sequence number, in the order in which the App must apply them.
struct Apply {
  static constexpr auto destination = slot::app;
  static constexpr std::uint32_t number = 7;

  SeqNr sn;
  std::vector<Request> requests;
};

/// The App's state after exactly the sequence numbers up to `sn`.
struct AppSnapshot {
  static constexpr auto destination = slot::protocol;
  static constexpr std::uint32_t number = 13;

  SeqNr sn;
  Bytes data;
};

/// Asks for the state after `sn`. May arrive before `Apply` of `sn`, never after that of `sn + 1`.
struct AppSnapshotRequest {
  static constexpr auto destination = slot::app;
  static constexpr std::uint32_t number = 12;
  using answer = AppSnapshot;

  SeqNr sn;
};

struct AppRestored {
  static constexpr auto destination = slot::protocol;
  static constexpr std::uint32_t number = 15;

  SeqNr sn;
};

/// Replaces the App's state by a snapshot taken after `sn`.
struct AppRestoreState {
  static constexpr auto destination = slot::app;
  static constexpr std::uint32_t number = 14;
  using answer = AppRestored;

  SeqNr sn;
  Bytes data;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::Apply, sn, requests);
BOOST_HANA_ADAPT_STRUCT(mirbft::AppSnapshot, sn, data);
BOOST_HANA_ADAPT_STRUCT(mirbft::AppSnapshotRequest, sn);
BOOST_HANA_ADAPT_STRUCT(mirbft::AppRestored, sn);
BOOST_HANA_ADAPT_STRUCT(mirbft::AppRestoreState, sn, data);

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
};

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
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::NewRequest, request, spread);
BOOST_HANA_ADAPT_STRUCT(mirbft::RequestSigVerified, reference, verdict);
BOOST_HANA_ADAPT_STRUCT(mirbft::Reply, client, req_no, result);
BOOST_HANA_ADAPT_STRUCT(mirbft::Applied, sn, replies);
BOOST_HANA_ADAPT_STRUCT(mirbft::WindowsMoved, epoch, windows);

namespace mirbft {

template <class Origin>
struct SignResult {
  static constexpr auto destination = Origin::module;
  static constexpr std::uint32_t number = family_number(4, Origin::number);

  Bytes signature;
  Origin origin;
};

/// Asks for this node's signature over `message` (canonical bytes).
template <class Origin>
struct SignRequest {
  static constexpr auto destination = slot::crypto;
  static constexpr std::uint32_t number = family_number(3, Origin::number);
  using answer = SignResult<Origin>;

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
  static constexpr auto destination = Origin::module;
  static constexpr std::uint32_t number = family_number(6, Origin::number);

  std::vector<SignatureCheck> verdicts;
  Origin origin;
};

template <class Origin>
struct VerifyNodeSigs {
  static constexpr auto destination = slot::crypto;
  static constexpr std::uint32_t number = family_number(5, Origin::number);
  using answer = NodeSigsVerified<Origin>;

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

struct NodeKey {
  NodeId node;
  /// None removes the key.
  std::optional<Bytes> key;
};
struct ClientKey {
  ClientId client;
  std::optional<Bytes> key;
};

struct UpdateNodeKeys {
  static constexpr auto destination = slot::crypto;
  static constexpr std::uint32_t number = 17;

  std::vector<NodeKey> keys;
};

struct UpdateClientKeys {
  static constexpr auto destination = slot::crypto;
  static constexpr std::uint32_t number = 18;

  std::vector<ClientKey> keys;
};

}  // namespace mirbft

MIRBFT_ADAPT_TEMPLATE(mirbft::SignResult, signature, origin);
MIRBFT_ADAPT_TEMPLATE(mirbft::SignRequest, message, origin);
MIRBFT_ADAPT_TEMPLATE(mirbft::NodeSigsVerified, verdicts, origin);
MIRBFT_ADAPT_TEMPLATE(mirbft::VerifyNodeSigs, signatures, origin);
BOOST_HANA_ADAPT_STRUCT(mirbft::NodeSignature, node, message, signature);
BOOST_HANA_ADAPT_STRUCT(mirbft::VerifyRequestSig, reference, authenticator);
BOOST_HANA_ADAPT_STRUCT(mirbft::NodeKey, node, key);
BOOST_HANA_ADAPT_STRUCT(mirbft::ClientKey, client, key);
BOOST_HANA_ADAPT_STRUCT(mirbft::UpdateNodeKeys, keys);
BOOST_HANA_ADAPT_STRUCT(mirbft::UpdateClientKeys, keys);

// <mirbft/events/hasher.hpp>
// Events for the Hasher and its answers.

namespace mirbft {

/// The digest of a `HashRequest`, routed to the module that its origin names.
template <class Origin>
struct HashResult {
  static constexpr auto destination = Origin::module;
  static constexpr std::uint32_t number = family_number(2, Origin::number);

  Digest digest;
  Origin origin;
};

/// Asks for the hash of the concatenation of `parts`. They are parts only to save copying: make
/// them one unambiguous string with `wire::canonical`.
template <class Origin>
struct HashRequest {
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
};

}  // namespace mirbft

MIRBFT_ADAPT_TEMPLATE(mirbft::MessageReceived, from, message);
BOOST_HANA_ADAPT_STRUCT(mirbft::RequestReady, reference, size, spread);

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

template <class Origin>
struct RequestsFetched {
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
  static constexpr auto destination = Entry::module;
  static constexpr std::uint32_t number = family_number(10, Entry::number);

  Entry entry;
};

/// Makes an entry durable; follow-ups run after the sync. `Entry` names the `module` that gets it
/// back, and its own stable `number`.
template <class Entry>
struct WalAppend {
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

// <mirbft/modules/crypto/null.hpp>
// A Crypto module that signs nothing and believes everything: for simulation and measuring.

namespace mirbft {

/// Empty signatures, all of them valid, from whomever. With it the cluster tolerates crashes but
/// nobody who lies, and anybody may submit in a client's name.
class NullCrypto {
 public:
  Bytes sign(ByteView) const noexcept { return {}; }

  SignatureCheck verify_node(NodeId, ByteView, ByteView) const noexcept {
    return SignatureCheck::valid;
  }
  SignatureCheck verify_client(ClientId, ByteView, ByteView) const noexcept {
    return SignatureCheck::valid;
  }

  void update_node_key(NodeId, const std::optional<Bytes>&) noexcept {}
  void update_client_key(ClientId, const std::optional<Bytes>&) noexcept {}
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

// <mirbft/modules/net/loopback.hpp>
// A Net for several Nodes in one process: frames pass from list to list, payloads are shared.

#include <condition_variable>
#include <map>
#include <mutex>

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
      const auto ready = [this] { return !waiting_.frames.empty() || woken_ || !open_; };
      std::unique_lock lock(mutex_);
      held_ -= std::min(held_, delivered.cost);
      delivered.clear();
      if (at_most.count() > 0 && !ready()) filled_.wait_until(lock, deadline(at_most), ready);
      woken_ = false;
      std::swap(waiting_, delivered);
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
  /// `sink(NodeId from, Bytes payload)` for at most `max_frames` frames.
  template <class Sink>
  void poll(Sink&& sink, std::chrono::nanoseconds at_most, std::size_t max_frames) {
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

// <mirbft/modules/store/memory.hpp>
// A Store that keeps requests in memory: for tests, simulation, and nodes whose loss is acceptable.

#include <iterator>

namespace mirbft {

struct MemoryStoreStatus {
  /// Requests that are kept now, and the bytes of their bodies and authenticators.
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
  /// Keeps a request; one that is there already stays as it is.
  void put(const RequestRef& reference, Bytes data, Bytes authenticator) {
    Shelf& shelf = clients_[reference.client][reference.req_no.value / shelf_width];
    auto place = shelf.lower_bound(reference);
    if (place == shelf.items.end() || !place->is(reference))
      place = shelf.items.insert(place, Item{});
    else if (place->kept)
      return;
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

// <mirbft/modules/wal/memory.hpp>
// A write-ahead log in memory that outlives the Node, so that tests can restart and crash nodes.

namespace mirbft {

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
  void append(std::uint32_t, const Bytes&, RetentionIndex) noexcept {}
  void sync() noexcept {}
  void truncate(RetentionIndex) noexcept {}
  template <class F>
  void replay(F&&) noexcept {}
};

}  // namespace mirbft

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
/// `const` calls may run on several threads at once, but not together with an update.
class SodiumCrypto {
 public:
  /// Throws `ConfigError` for a seed or a key that is none.
  SodiumCrypto(ByteView seed, const std::map<NodeId, Bytes>& node_keys,
               const std::map<ClientId, Bytes>& client_keys)
      : own_(seed),
        nodes_(checked(node_keys, "node_keys")),
        clients_(checked(client_keys, "client_keys")) {}

  Bytes sign(ByteView message) const { return own_.sign(message); }

  SignatureCheck verify_node(NodeId signer, ByteView message, ByteView signature) const {
    return verify(nodes_, signer, message, signature);
  }
  SignatureCheck verify_client(ClientId signer, ByteView message, ByteView signature) const {
    return verify(clients_, signer, message, signature);
  }

  /// Sets a key, or removes it if there is none. A malformed one is counted and removes too: who
  /// meant to replace a key wants the old one to be gone.
  void update_node_key(NodeId node, const std::optional<Bytes>& key) { update(nodes_, node, key); }
  void update_client_key(ClientId client, const std::optional<Bytes>& key) {
    update(clients_, client, key);
  }

  SodiumStatus status() const noexcept {
    return {nodes_.size(), clients_.size(), malformed_keys_};
  }

 private:
  using PublicKey = std::array<std::uint8_t, Ed25519Key::public_size>;

  static std::optional<PublicKey> parse(const Bytes& key) {
    if (key.size() != Ed25519Key::public_size) return std::nullopt;
    if (crypto_core_ed25519_is_valid_point(key.data()) != 1) return std::nullopt;
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

  template <class Id>
  static SignatureCheck verify(const std::map<Id, PublicKey>& keys, Id signer, ByteView message,
                               ByteView signature) {
    const auto key = keys.find(signer);
    if (key == keys.end()) return SignatureCheck::unknown_signer;
    if (signature.size() != Ed25519Key::signature_size) return SignatureCheck::malformed;
    const int wrong = crypto_sign_verify_detached(signature.data(), message.data(), message.size(),
                                                  key->second.data());
    return wrong == 0 ? SignatureCheck::valid : SignatureCheck::invalid;
  }

  template <class Id>
  void update(std::map<Id, PublicKey>& keys, Id id, const std::optional<Bytes>& key) {
    const std::optional<PublicKey> usable = key ? parse(*key) : std::nullopt;
    if (usable) {
      keys[id] = *usable;
    } else {
      keys.erase(id);
      malformed_keys_ += key ? 1 : 0;
    }
  }

  Ed25519Key own_;
  std::map<NodeId, PublicKey> nodes_;
  std::map<ClientId, PublicKey> clients_;
  std::uint64_t malformed_keys_ = 0;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::SodiumStatus, nodes, clients, malformed_keys);

#endif

#endif

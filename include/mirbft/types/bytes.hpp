// Immutable, shared, cheaply copied byte strings: what payloads travel in.
#ifndef MIRBFT_TYPES_BYTES_HPP
#define MIRBFT_TYPES_BYTES_HPP

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

#endif

// An immutable value with an intrusive reference count: large event fields are copied by pointer.
#ifndef MIRBFT_TYPES_SHARED_HPP
#define MIRBFT_TYPES_SHARED_HPP

#include <atomic>
#include <cstdint>
#include <utility>

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

#endif

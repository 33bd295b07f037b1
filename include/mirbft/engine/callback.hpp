// A caller's function that runs once, when its request is answered.
#ifndef MIRBFT_ENGINE_CALLBACK_HPP
#define MIRBFT_ENGINE_CALLBACK_HPP

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

#include <mirbft/events/node.hpp>

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

#endif

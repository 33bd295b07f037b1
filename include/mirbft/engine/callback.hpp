// A caller's function that runs once, when its request is answered.
#ifndef MIRBFT_ENGINE_CALLBACK_HPP
#define MIRBFT_ENGINE_CALLBACK_HPP

#include <memory>
#include <utility>

#include <mirbft/events/node.hpp>

namespace mirbft::engine {

/// Owns any callable `f(const Replied&)`. Called off the way of events, after a round's work.
class Callback {
 public:
  template <class F>
  explicit Callback(F function)
      : state_(new F(std::move(function)), [](void* state) { delete static_cast<F*>(state); }),
        call_([](void* state, const Replied& reply) { (*static_cast<F*>(state))(reply); }) {}

  void operator()(const Replied& reply) { call_(state_.get(), reply); }

 private:
  std::unique_ptr<void, void (*)(void*)> state_;
  void (*call_)(void*, const Replied&);
};

}  // namespace mirbft::engine

#endif

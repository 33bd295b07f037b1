// The Hasher's duty: digests.
#ifndef MIRBFT_ENGINE_TASKS_HASHER_HPP
#define MIRBFT_ENGINE_TASKS_HASHER_HPP

#include <utility>

#include <mirbft/engine/tasks/task.hpp>
#include <mirbft/events/hasher.hpp>

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

#endif

// What a task is: the adapter between a slot's events and a module's calls.
#ifndef MIRBFT_ENGINE_TASKS_TASK_HPP
#define MIRBFT_ENGINE_TASKS_TASK_HPP

#include <cstddef>

#include <mirbft/engine/config.hpp>
#include <mirbft/events/event.hpp>

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

#endif

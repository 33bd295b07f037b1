// The Node's own slot: replies go to those who wait for them, Halt stops everything.
#ifndef MIRBFT_ENGINE_TASKS_NODE_HPP
#define MIRBFT_ENGINE_TASKS_NODE_HPP

#include <type_traits>
#include <utility>
#include <vector>

#include <mirbft/engine/tasks/task.hpp>
#include <mirbft/events/node.hpp>
#include <mirbft/events/tracker.hpp>
#include <mirbft/types/errors.hpp>

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

#endif

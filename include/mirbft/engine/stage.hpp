// A module in its slot: the module, its task, and how a list is run through both.
#ifndef MIRBFT_ENGINE_STAGE_HPP
#define MIRBFT_ENGINE_STAGE_HPP

#include <cstddef>
#include <utility>
#include <vector>

#include <mirbft/engine/emitter.hpp>
#include <mirbft/engine/module_traits.hpp>
#include <mirbft/engine/work_items.hpp>
#include <mirbft/types/bytes.hpp>

namespace mirbft::engine {

/// Slot `S` of a Node. Runs on one thread at a time.
template <std::size_t S, class Plan>
class Stage {
 public:
  static constexpr std::size_t index = S;
  using Module = typename Plan::template Module<S>;
  using Task = typename Plan::template Task<S>;
  using Items = WorkItems<Plan>;
  using List = typename Items::template List<S>;
  using ModuleOut = Emitter<Module, emits_of<Module>, Items>;
  using TaskOut = TaskEmitter<typename Plan::Events, Items>;

  Stage(Module module, const Bytes& cluster) : module_(std::move(module)), task_(cluster) {}

  Module& module() noexcept { return module_; }
  const Module& module() const noexcept { return module_; }
  Task& task() noexcept { return task_; }
  const Task& task() const noexcept { return task_; }

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

 private:
  Module module_;
  Task task_;
};

}  // namespace mirbft::engine

#endif

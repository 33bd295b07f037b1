// A module in its slot: the module, its task, and how a list is run through both.
#ifndef MIRBFT_ENGINE_STAGE_HPP
#define MIRBFT_ENGINE_STAGE_HPP

#include <cstddef>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <mirbft/engine/config.hpp>
#include <mirbft/engine/emitter.hpp>
#include <mirbft/engine/module_traits.hpp>
#include <mirbft/engine/work_items.hpp>

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

#endif

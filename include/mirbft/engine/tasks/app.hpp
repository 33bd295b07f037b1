// The App's duty: batches applied in order, snapshots taken between two of them.
#ifndef MIRBFT_ENGINE_TASKS_APP_HPP
#define MIRBFT_ENGINE_TASKS_APP_HPP

#include <cstdint>
#include <deque>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <mirbft/engine/tasks/task.hpp>
#include <mirbft/events/app.hpp>
#include <mirbft/events/tracker.hpp>
#include <mirbft/types/errors.hpp>

namespace mirbft::engine {

template <class Module, class Protocol>
struct TaskOf<slot::app.index(), Module, Protocol> {
  using emits = events<Applied>;
  template <class E>
  static constexpr bool handles =
      std::is_same_v<E, Apply> || std::is_same_v<E, AppSnapshotRequest> ||
      std::is_same_v<E, AppRestoreState>;
  template <class E>
  static constexpr bool alone = true;

  explicit TaskOf(const NodeConfig& /*config*/) {}

  void process(Module& app, Apply&& apply, auto& out) {
    // A restored state overtakes batches that it covers: those go through the Store.
    if (apply.sn < restored_) return;
    if (apply.sn != next_) throw ModuleFailure("the App was given sequence numbers out of order");
    ++next_;
    Applied applied{apply.sn, {}};
    if (!apply.requests.empty()) {
      std::vector<Bytes> results = app.apply(apply.sn, std::span<const Request>(apply.requests));
      if (results.size() != apply.requests.size())
        throw ModuleFailure("the App must return one result for each request");
      applied.replies.reserve(results.size());
      for (std::size_t i = 0; i < results.size(); ++i)
        applied.replies.push_back(
            {apply.requests[i].client, apply.requests[i].req_no, std::move(results[i])});
    }
    out.emit(std::move(applied));
    take_due_snapshots(app, out);
  }

  void process(Module& app, AppSnapshotRequest&& request, auto& out) {
    if (request.sn + 1 < next_)
      throw ModuleFailure("a snapshot was asked for after later batches were applied");
    wanted_.push_back(request.sn);
    take_due_snapshots(app, out);
  }

  void process(Module& app, AppRestoreState&& restore, auto& out) {
    app.restore(restore.data.view());
    next_ = restored_ = restore.sn + 1;
    wanted_.clear();
    out.emit(AppRestored{restore.sn});
  }

  void finish(Module&, auto& /*out*/) {}

 private:
  /// A snapshot request overtakes its batch, which goes through the Store, so it waits here.
  void take_due_snapshots(Module& app, auto& out) {
    while (!wanted_.empty() && wanted_.front() + 1 == next_) {
      out.emit(AppSnapshot{wanted_.front(), app.snapshot()});
      wanted_.pop_front();
    }
  }

  SeqNr next_;
  /// The first sequence number after the restored state.
  SeqNr restored_;
  std::deque<SeqNr> wanted_;
};

}  // namespace mirbft::engine

#endif

// The App's duty: batches applied in order, and snapshots between two of them, read bit by bit.
#ifndef MIRBFT_ENGINE_TASKS_APP_HPP
#define MIRBFT_ENGINE_TASKS_APP_HPP

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <mirbft/engine/app_chunks.hpp>
#include <mirbft/engine/tasks/task.hpp>
#include <mirbft/events/app.hpp>
#include <mirbft/events/tracker.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/frozen_chunks.hpp>

namespace mirbft::engine {

/// A snapshot stops the App for `freeze` only. What has changed is read later, at most
/// `piece_size` at a time, and batches that come meanwhile are applied in between. A next snapshot
/// that is due before all is read holds back the batches behind it: who makes checkpoints faster
/// than it can read them must slow down.
template <class Module, class Protocol>
struct TaskOf<slot::app.index(), Module, Protocol> {
  using emits = events<Applied, AppContinue>;
  template <class E>
  static constexpr bool handles =
      std::is_same_v<E, Apply> || std::is_same_v<E, AppSnapshotRequest> ||
      std::is_same_v<E, AppRestoreState> || std::is_same_v<E, AppContinue>;
  template <class E>
  static constexpr bool alone = true;

  /// How much of a snapshot is read in one step; a chunk is read whole. Of many small entries
  /// that is a millisecond or two.
  static constexpr std::size_t piece_size = 128 * 1024;

  explicit TaskOf(const NodeConfig& /*config*/) {}

  void process(Module& app, Apply&& batch, auto& out) {
    // A restored state overtakes batches that it covers: those go through the Store.
    if (batch.sn < restored_) return;
    if (!held_.empty() || is_held_back()) {
      held_.push_back(std::move(batch));
    } else {
      apply(app, std::move(batch), out);
    }
    note_to_continue(out);
  }

  void process(Module& app, AppSnapshotRequest&& request, auto& out) {
    if (request.sn + 1 < next_)
      throw ModuleFailure("a snapshot was asked for after later batches were applied");
    wanted_.push_back(request.sn);
    freeze_if_due(app);
    note_to_continue(out);
  }

  void process(Module& app, AppContinue&&, auto& out) {
    noted_ = false;
    if (reading_) read(app, out);
    freeze_if_due(app);
    if (!held_.empty() && !is_held_back()) {
      Apply batch = std::move(held_.front());
      held_.pop_front();
      apply(app, std::move(batch), out);
    }
    note_to_continue(out);
  }

  void process(Module& app, AppRestoreState&& restore, auto& out) {
    chunks_.restore(app, restore.chunks);
    next_ = restored_ = restore.sn + 1;
    wanted_.clear();
    held_.clear();
    reading_.reset();
    out.emit(AppRestored{restore.sn});
  }

  void finish(Module&, auto& /*out*/) {}

 private:
  /// A snapshot that is being read.
  struct Reading {
    SeqNr sn;
    FrozenChunks frozen;
    std::vector<Reconfiguration> reconfigurations;
    std::size_t next = 0;
  };

  void apply(Module& app, Apply&& batch, auto& out) {
    if (batch.sn != next_) throw ModuleFailure("the App was given sequence numbers out of order");
    ++next_;
    Applied applied{batch.sn, {}};
    if (!batch.requests.empty()) {
      std::vector<Bytes> results = app.apply(batch.sn, std::span<const Request>(batch.requests));
      if (results.size() != batch.requests.size())
        throw ModuleFailure("the App must return one result for each request");
      applied.replies.reserve(results.size());
      for (std::size_t i = 0; i < results.size(); ++i)
        applied.replies.push_back(
            {batch.requests[i].client, batch.requests[i].req_no, std::move(results[i])});
    }
    out.emit(std::move(applied));
    freeze_if_due(app);
  }

  /// A snapshot request overtakes its batch, which goes through the Store, so it waits here.
  bool is_due() const noexcept { return !wanted_.empty() && wanted_.front() + 1 == next_; }
  /// The next batch would change what the next snapshot must show.
  bool is_held_back() const noexcept { return reading_ && is_due(); }

  void freeze_if_due(Module& app) {
    if (reading_ || !is_due()) return;
    reading_ = Reading{wanted_.front(), chunks_.freeze(app), {}};
    if constexpr (requires { app.reconfigurations(); })
      reading_->reconfigurations = app.reconfigurations();
    wanted_.pop_front();
  }
  void read(Module& app, auto& out) {
    const std::vector<std::uint64_t>& changed = reading_->frozen.changed;
    AppSnapshot piece{reading_->sn, reading_->frozen.count, {}, 0, {}};
    for (std::size_t size = 0; size < piece_size && reading_->next < changed.size();) {
      const std::uint64_t index = changed[reading_->next++];
      piece.changed.push_back({index, chunks_.read(app, index)});
      size += piece.changed.back().data.size();
    }
    piece.remaining = changed.size() - reading_->next;
    if (piece.remaining == 0) {
      piece.reconfigurations = std::move(reading_->reconfigurations);
      reading_.reset();
    }
    out.emit(std::move(piece));
  }
  void note_to_continue(auto& out) {
    const bool more = reading_ || !held_.empty();
    if (more && !std::exchange(noted_, true)) out.emit(AppContinue{});
  }

  AppChunks<Module> chunks_;
  SeqNr next_;
  /// The first sequence number after the restored state.
  SeqNr restored_;
  std::deque<SeqNr> wanted_;
  std::optional<Reading> reading_;
  /// Batches behind a snapshot that cannot be taken yet.
  std::deque<Apply> held_;
  /// An `AppContinue` is on its way.
  bool noted_ = false;
};

}  // namespace mirbft::engine

#endif

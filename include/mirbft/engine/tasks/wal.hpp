// The write-ahead log's duty: entries made durable, a whole list by one sync unless told otherwise.
#ifndef MIRBFT_ENGINE_TASKS_WAL_HPP
#define MIRBFT_ENGINE_TASKS_WAL_HPP

#include <type_traits>
#include <utility>

#include <mirbft/engine/tasks/task.hpp>
#include <mirbft/events/wal.hpp>
#include <mirbft/wire/codec.hpp>

namespace mirbft::engine {

/// A log that says `static constexpr bool discards = true;` keeps nothing, so that its entries
/// need not even be encoded.
template <class Wal>
concept DiscardsEntries = requires { requires Wal::discards; };

template <class Module, class Protocol>
struct TaskOf<slot::wal.index(), Module, Protocol> {
  using emits = events<>;
  template <class E>
  static constexpr bool handles = std::is_same_v<E, WalTruncate> || is_instance<WalAppend, E>;
  template <class E>
  static constexpr bool alone = true;

  explicit TaskOf(const NodeConfig& config) : group_commit_(config.group_commit) {}

  template <class Entry>
  void process(Module& wal, WalAppend<Entry>&& append, auto& /*out*/) {
    if constexpr (!DiscardsEntries<Module>) {
      wal.append(WalAppend<Entry>::number, wire::encode(append.entry), append.retention);
      unsynced_ = true;
      if (group_commit_ == GroupCommit::entry) sync(wal);
    }
  }
  void process(Module& wal, WalTruncate&& truncate, auto& /*out*/) {
    wal.truncate(truncate.index);
  }
  void finish(Module& wal, auto& /*out*/) { sync(wal); }

 private:
  void sync(Module& wal) {
    if (std::exchange(unsynced_, false)) wal.sync();
  }

  GroupCommit group_commit_;
  bool unsynced_ = false;
};

}  // namespace mirbft::engine

#endif

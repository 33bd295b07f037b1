// The Wal and the Store of a simulated node that writes files as a real one does.
#ifndef MIRBFT_SIM_FILE_MODULES_HPP
#define MIRBFT_SIM_FILE_MODULES_HPP

#include <cstdint>
#include <utility>
#include <vector>

#include <mirbft/modules/files/segment_log.hpp>
#include <mirbft/modules/store/segment.hpp>
#include <mirbft/modules/wal/segment.hpp>
#include <mirbft/sim/disk.hpp>
#include <mirbft/sim/file_system.hpp>
#include <mirbft/sim/files.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/client_window.hpp>
#include <mirbft/types/request.hpp>

namespace mirbft::sim {

/// How large the files of simulated nodes are: small, so that there are several.
inline SegmentConfig small_segments(NodeId node) {
  return {.node = node, .segment_size = std::uint64_t{1} << 14};
}

/// A SegmentWal. Beside it, a `Disk` keeps the account of what it holds: the cluster's invariants
/// look there, and what comes back after a crash is held against it.
class FileWal {
 public:
  /// Throws LogCorruption and whatever else SegmentWal throws.
  FileWal(Disk& account, FileSystem& files, NodeId node)
      : account_(&account), log_(Files(files, "wal"), small_segments(node)) {}

  void append(std::uint32_t type, Bytes entry, RetentionIndex retention) {
    Wal(*account_).append(type, entry, retention);
    log_.append(type, entry, retention);
  }
  void sync() {
    log_.sync();
    Wal(*account_).sync();
  }
  void truncate(RetentionIndex index) {
    Wal(*account_).truncate(index);
    log_.truncate(index);
  }
  template <class F>
  void replay(F&& f) {
    std::vector<Record> found;
    log_.replay([&](std::uint32_t type, const Bytes& entry) {
      found.push_back({type, entry, {}});
    });
    account_->settle_log(found);
    for (Record& record : found) f(record.type, std::move(record.entry));
  }

  SegmentStatus status() const noexcept { return log_.status(); }

 private:
  Disk* account_;
  SegmentWal<Files> log_;
};

/// A SegmentStore, likewise.
class FileStore {
 public:
  FileStore(Disk& account, FileSystem& files, NodeId node)
      : account_(&account), store_(Files(files, "store"), small_segments(node)) {
    account_->settle_requests(store_);
  }

  void put(const RequestRef& reference, const Bytes& data, const Bytes& authenticator) {
    Store(*account_).put(reference, data, authenticator);
    store_.put(reference, data, authenticator);
  }
  void sync() {
    store_.sync();
    Store(*account_).sync();
  }
  const Request* get(const RequestRef& reference) { return store_.get(reference); }
  void delivered(SeqNr sn, const Batch& batch) {
    Store(*account_).delivered(sn, batch);
    store_.delivered(sn, batch);
  }
  void collect(const Collection& collection) {
    Store(*account_).collect(collection);
    store_.collect(collection);
  }

  SegmentStoreStatus status() const noexcept { return store_.status(); }

 private:
  Disk* account_;
  SegmentStore<Files> store_;
};

}  // namespace mirbft::sim

#endif

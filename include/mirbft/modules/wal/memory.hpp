// A write-ahead log in memory that outlives the Node, so that tests can restart and crash nodes.
#ifndef MIRBFT_MODULES_WAL_MEMORY_HPP
#define MIRBFT_MODULES_WAL_MEMORY_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft {

/// Where a MemoryWal's log stands.
struct MemoryWalStatus {
  /// What is in the log now, and of that what a crash would spare.
  std::uint64_t entries = 0;
  std::uint64_t durable = 0;
  std::uint64_t bytes = 0;
  /// Since the log was made.
  std::uint64_t appended = 0;
  std::uint64_t syncs = 0;
  std::uint64_t truncated = 0;
  std::uint64_t lost = 0;
};

/// A handle to a `MemoryWal::Log`. One made without a log has its own, which dies with it.
class MemoryWal {
 public:
  class Log;

  MemoryWal();
  /// Writes to `log`, which must outlive this handle. One handle at a time.
  explicit MemoryWal(Log& log) noexcept : log_(&log) {}

  void append(std::uint32_t type, Bytes entry, RetentionIndex retention);
  void sync() noexcept;
  void truncate(RetentionIndex index);
  /// Calls `f(std::uint32_t type, Bytes entry)` for every entry, oldest first.
  template <class F>
  void replay(F&& f);

  const MemoryWalStatus& status() const noexcept;

 private:
  std::unique_ptr<Log> own_;
  Log* log_;
};

/// What would be on the disk. Between two Nodes, a test may call `crash()`.
class MemoryWal::Log {
 public:
  /// Loses every entry since the last `sync`, as a power failure may.
  void crash() {
    status_.lost += status_.entries - status_.durable;
    records_.resize(status_.durable);
    recount();
  }

  const MemoryWalStatus& status() const noexcept { return status_; }

 private:
  friend class MemoryWal;

  struct Record {
    std::uint32_t type = 0;
    Bytes entry;
    RetentionIndex retention;
  };

  /// An entry below the last truncation is dropped at once: a log on disk may do the same.
  void append(Record record) {
    ++status_.appended;
    if (record.retention < low_) {
      ++status_.truncated;
      return;
    }
    ++status_.entries;
    status_.bytes += record.entry.size();
    records_.push_back(std::move(record));
  }

  void sync() noexcept {
    ++status_.syncs;
    status_.durable = status_.entries;
  }

  void truncate(RetentionIndex index) {
    low_ = std::max(low_, index);
    const auto old = [this](const Record& record) { return record.retention < low_; };
    const auto unsynced = records_.begin() + static_cast<std::ptrdiff_t>(status_.durable);
    status_.durable -= static_cast<std::uint64_t>(std::count_if(records_.begin(), unsynced, old));
    status_.truncated += std::erase_if(records_, old);
    recount();
  }

  void recount() noexcept {
    status_.entries = records_.size();
    status_.bytes = 0;
    for (const Record& record : records_) status_.bytes += record.entry.size();
  }

  std::vector<Record> records_;
  RetentionIndex low_;
  MemoryWalStatus status_;
};

inline MemoryWal::MemoryWal() : own_(std::make_unique<Log>()), log_(own_.get()) {}

inline void MemoryWal::append(std::uint32_t type, Bytes entry, RetentionIndex retention) {
  log_->append({type, std::move(entry), retention});
}
inline void MemoryWal::sync() noexcept { log_->sync(); }
inline void MemoryWal::truncate(RetentionIndex index) { log_->truncate(index); }
inline const MemoryWalStatus& MemoryWal::status() const noexcept { return log_->status(); }

template <class F>
void MemoryWal::replay(F&& f) {
  for (const Log::Record& record : log_->records_) f(record.type, record.entry);
}

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::MemoryWalStatus, entries, durable, bytes, appended, syncs,
                        truncated, lost);

#endif

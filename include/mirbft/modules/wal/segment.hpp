// The write-ahead log of a node in earnest: durable, checked, in segments on disk.
#ifndef MIRBFT_MODULES_WAL_SEGMENT_HPP
#define MIRBFT_MODULES_WAL_SEGMENT_HPP

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include <mirbft/modules/files/files.hpp>
#include <mirbft/modules/files/segment_log.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft {

/// A log in a directory of its own, by one node and one process.
///
/// A group commit: everything appended is written and synced by one `sync`. `truncate` removes
/// whole segments, the oldest first. Where little of them is still needed, such as what is kept for
/// ever, that is written again at the end of the log, and keeps its place in the order of `replay`.
template <IsFiles Files, class Policy = ThrowOnFailure>
class SegmentWal {
 public:
  /// Throws LogCorruption, ConfigError or ModuleFailure, as SegmentLog does.
  explicit SegmentWal(Files files, SegmentConfig config = {})
      : log_(std::move(files), std::move(config), segments::Content::entries,
             [this](segments::Place place, const segments::Record& record) {
               note(place, record.retention, segments::record_size(record.payload.size()),
                    record.index != record.origin);
             }),
        low_(log_.low()) {}

  void append(std::uint32_t type, const Bytes& entry, RetentionIndex retention) {
    note(log_.append(type, retention, {entry.view()}), retention,
         segments::record_size(entry.size()), false);
  }
  void sync() { log_.sync(); }

  /// Entries with a lower index may go. Those that go are no longer replayed.
  void truncate(RetentionIndex index) {
    low_ = std::max(low_, index);
    const std::uint64_t oldest =
        log_.worth_keeping_from([this](std::uint64_t id) { return usage_[id].needed(low_); });
    if (oldest == log_.oldest()) return;
    for (std::uint64_t id = log_.oldest(); id < oldest; ++id) carry(id);
    log_.drop_before(oldest, low_);
    usage_.erase(usage_.begin(), usage_.lower_bound(oldest));
  }

  /// Calls `f(std::uint32_t type, Bytes entry)` for every entry, oldest first.
  template <class F>
  void replay(F&& f) {
    sync();
    for (const Entry& entry : carried_entries()) f(entry.type, entry.content);
    log_.read_all([&](segments::Place, const segments::Record& record) {
      if (record.index == record.origin && record.retention >= log_.low())
        f(record.type, Bytes(record.payload));
    });
  }

  SegmentStatus status() const noexcept { return log_.status(); }

 private:
  /// What is in a segment.
  struct Usage {
    std::map<RetentionIndex, std::uint64_t> bytes;
    bool has_carried = false;

    std::uint64_t needed(RetentionIndex low) const noexcept {
      std::uint64_t sum = 0;
      for (auto at = bytes.lower_bound(low); at != bytes.end(); ++at) sum += at->second;
      return sum;
    }
  };
  struct Entry {
    std::uint64_t origin = 0;
    std::uint32_t type = 0;
    Bytes content;
  };

  void note(segments::Place place, RetentionIndex retention, std::uint64_t size, bool is_carried) {
    Usage& usage = usage_[place.segment];
    usage.bytes[retention] += size;
    usage.has_carried |= is_carried;
  }

  void carry(std::uint64_t segment) {
    if (usage_[segment].needed(low_) == 0) return;
    log_.read_segment(segment, [this](segments::Place, const segments::Record& record) {
      if (record.retention < low_) return;
      note(log_.append(record.type, record.retention, {record.payload}, record.origin),
           record.retention, segments::record_size(record.payload.size()), true);
    });
  }

  /// What was written again, in its first order: all that was written between has gone. Some may
  /// be there twice, where the removal of their first segment did not come about.
  std::vector<Entry> carried_entries() {
    std::vector<Entry> entries;
    for (const auto& [id, usage] : usage_)
      if (usage.has_carried)
        log_.read_segment(id, [&](segments::Place, const segments::Record& record) {
          if (record.origin < log_.first_index() && record.retention >= log_.low())
            entries.push_back({record.origin, record.type, Bytes(record.payload)});
        });
    std::sort(entries.begin(), entries.end(),
              [](const Entry& left, const Entry& right) { return left.origin < right.origin; });
    entries.erase(std::unique(entries.begin(), entries.end(),
                              [](const Entry& left, const Entry& right) {
                                return left.origin == right.origin;
                              }),
                  entries.end());
    return entries;
  }

  /// By segment. Made before the log, which fills it.
  std::map<std::uint64_t, Usage> usage_;
  segments::SegmentLog<Files, Policy> log_;
  RetentionIndex low_;
};

}  // namespace mirbft

#endif

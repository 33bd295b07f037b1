// The disk of a simulated node, which outlives it, and the Wal and Store modules that write to it.
#ifndef MIRBFT_SIM_DISK_HPP
#define MIRBFT_SIM_DISK_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/sim/random.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/client_window.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/request.hpp>

namespace mirbft::sim {

/// The node is gone amid an operation of its disk. Thrown out of its Wal or Store.
class PowerFailure : public ModuleFailure {
 public:
  PowerFailure() : ModuleFailure("the power failed") {}
};

/// What a crash leaves of what was written after the last sync: all of it, a prefix that is drawn,
/// or nothing.
enum class Tail : std::uint8_t { kept, drawn, lost };

/// Whether a disk holds what its node has written; if it was lost, until new records are durable.
enum class Contents : std::uint8_t { kept, lost };

/// An entry of a write-ahead log as it stands on the disk.
struct Record {
  std::uint32_t type = 0;
  Bytes entry;
  RetentionIndex retention;
};

/// What a Wal has done since the disk was made.
struct WalStatus {
  std::uint64_t entries = 0;
  std::uint64_t durable = 0;
  std::uint64_t appended = 0;
  std::uint64_t syncs = 0;
};

/// What a Store holds.
struct StoreStatus {
  std::uint64_t requests = 0;
};

/// Records and requests, and which of them a crash spares: those before the last sync, and of the
/// others what `Tail` says.
class Disk {
 public:
  explicit Disk(Random random) noexcept : random_(random) {}
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  /// Calls `look(record)` for every record once it is durable.
  void on_durable(std::function<void(const Record&)> look) { on_durable_ = std::move(look); }

  /// The power fails at an operation: this one, if `operations` is 0, or so many later. A write
  /// that it fails at is not done. Every `append`, `put`, `delivered` and `sync` is an operation.
  void fail_after(std::uint64_t operations) noexcept { left_ = operations; }
  /// The power fails now, amid the work of another module.
  void fail() noexcept { failed_ = true; }
  /// Takes back `fail_after`, if it has not come to that yet.
  void spare() noexcept {
    if (!failed_) left_ = forever;
  }
  /// Whether the power failed, and `crash` was not called since.
  bool failed() const noexcept { return failed_; }
  /// How many operations there have been.
  std::uint64_t operations() const noexcept { return operations_; }

  /// The node is gone. Returns how much of what it wrote is lost.
  std::size_t crash(Tail tail = Tail::drawn) {
    failed_ = false;
    left_ = forever;
    return crash_log(tail) + crash_requests(tail);
  }
  /// Everything is lost: the node comes back with an empty disk, and must be told so.
  void wipe() {
    contents_ = Contents::lost;
    records_.clear();
    durable_ = 0;
    low_ = {};
    requests_.clear();
    delivered_.clear();
    unsynced_.clear();
    in_doubt_.clear();
  }

  /// For a node that writes files, of which this is but the account: the node is gone, and it is in
  /// doubt what files hold of what was not synced, until `settle`.
  /// Returns how much that is.
  std::size_t doubt() {
    failed_ = false;
    left_ = forever;
    in_doubt_.assign(records_.begin() + static_cast<std::ptrdiff_t>(durable_), records_.end());
    records_.resize(durable_);
    return in_doubt_.size() + crash_requests(Tail::lost);
  }
  /// The log that came back. Throws ModuleFailure if anything durable is not in it.
  void settle_log(const std::vector<Record>& found) {
    const auto same = [](const Record& left, const Record& right) {
      return left.type == right.type && left.entry == right.entry;
    };
    auto next = found.begin();
    for (const Record& record : records_) {
      if (record.retention < low_) {
        // It may be gone. If it is not, it is none of those in doubt.
        if (next != found.end() && same(*next, record)) ++next;
        continue;
      }
      next = std::find_if(next, found.end(), [&](const auto& one) { return same(one, record); });
      if (next == found.end())
        throw ModuleFailure("an entry of type " + std::to_string(record.type) +
                            ", which was durable, is lost");
      ++next;
    }
    // A log ends with what came to the disk of the entries in doubt.
    std::size_t spared = std::min(in_doubt_.size(), static_cast<std::size_t>(found.end() - next));
    while (spared != 0 && !std::equal(found.end() - static_cast<std::ptrdiff_t>(spared),
                                      found.end(), in_doubt_.begin(), same))
      --spared;
    for (std::size_t i = 0; i < spared; ++i) {
      records_.push_back(std::move(in_doubt_[i]));
      if (on_durable_) on_durable_(records_.back());
    }
    in_doubt_.clear();
    spare_records(records_.size());
  }
  /// The requests that came back, likewise.
  template <class StoreOnFiles>
  void settle_requests(StoreOnFiles& found) {
    for (const auto& [reference, kept] : requests_)
      if (!found.get(reference))
        throw ModuleFailure("request " + std::to_string(reference.req_no.value) + " of client " +
                            std::to_string(reference.client.value) +
                            ", which was durable, is lost");
    found.for_each([this](const RequestRef& reference, const Request& request) {
      const auto [place, is_new] = requests_.try_emplace(reference);
      if (is_new) place->second = {request, true, std::nullopt};
    });
  }
  /// The node is set back to what it had on its disk at another time, or to worse, and cannot know.
  void set_back() {
    const Contents contents = contents_;
    wipe();
    contents_ = contents;
  }

  Contents contents() const noexcept { return contents_; }
  /// The log, oldest first, and how many of its records a crash spares.
  const std::vector<Record>& records() const noexcept { return records_; }
  std::size_t durable() const noexcept { return durable_; }
  /// Whether a crash spares the body of this request.
  bool holds(const RequestRef& reference) const {
    const auto found = requests_.find(reference);
    return found != requests_.end() && found->second.durable;
  }

 private:
  friend class Wal;
  friend class Store;

  static constexpr std::uint64_t forever = std::numeric_limits<std::uint64_t>::max();

  struct Kept {
    Request request;
    bool durable = false;
    std::optional<SeqNr> delivered;
  };
  using Requests = std::map<RequestRef, Kept>;

  void operate() {
    ++operations_;
    if (failed_) throw PowerFailure();
    if (left_ == forever) return;
    failed_ = left_-- == 0;
    if (failed_) throw PowerFailure();
  }

  /// How much a crash spares, of which at least `synced`, at most `written`.
  std::size_t spared(Tail tail, std::size_t synced, std::size_t written) noexcept {
    switch (tail) {
      case Tail::kept: return written;
      case Tail::lost: return synced;
      case Tail::drawn: break;
    }
    return random_.between(synced, written);
  }

  void append(Record record) {
    operate();
    ++appended_;
    records_.push_back(std::move(record));
  }
  void sync_log() {
    operate();
    ++syncs_;
    if (on_durable_)
      for (std::size_t i = durable_; i < records_.size(); ++i) on_durable_(records_[i]);
    spare_records(records_.size());
  }
  void truncate(RetentionIndex index) {
    low_ = std::max(low_, index);
    const auto old = [index](const Record& record) { return record.retention < index; };
    const auto unsynced = records_.begin() + static_cast<std::ptrdiff_t>(durable_);
    durable_ -= static_cast<std::size_t>(std::count_if(records_.begin(), unsynced, old));
    std::erase_if(records_, old);
  }
  std::size_t crash_log(Tail tail) {
    const std::size_t kept = spared(tail, durable_, records_.size());
    const std::size_t lost = records_.size() - kept;
    records_.resize(kept);
    // What happened to reach the disk is as good as what was synced.
    if (on_durable_)
      for (std::size_t i = durable_; i < kept; ++i) on_durable_(records_[i]);
    spare_records(kept);
    return lost;
  }
  void spare_records(std::size_t count) noexcept {
    durable_ = count;
    if (count != 0) contents_ = Contents::kept;
  }

  void put(const RequestRef& reference, Bytes data, Bytes authenticator) {
    operate();
    const auto [place, is_new] = requests_.try_emplace(reference);
    if (!is_new) {
      place->second.request.authenticator = std::move(authenticator);
      return;
    }
    place->second.request = {reference.client, reference.req_no, std::move(data),
                             std::move(authenticator)};
    unsynced_.push_back(reference);
  }
  void sync_requests() {
    operate();
    for (const RequestRef& reference : unsynced_) {
      const auto place = requests_.find(reference);
      if (place != requests_.end()) place->second.durable = true;
    }
    unsynced_.clear();
  }
  std::size_t crash_requests(Tail tail) {
    const std::size_t kept = spared(tail, 0, unsynced_.size());
    const std::size_t lost = unsynced_.size() - kept;
    for (std::size_t i = kept; i < unsynced_.size(); ++i) requests_.erase(unsynced_[i]);
    for (std::size_t i = 0; i < kept; ++i) {
      const auto place = requests_.find(unsynced_[i]);
      if (place != requests_.end()) place->second.durable = true;
    }
    unsynced_.clear();
    return lost;
  }

  void deliver(SeqNr sn, const Batch& batch) {
    operate();
    for (const RequestRef& reference : *batch) {
      const auto place = requests_.find(reference);
      if (place != requests_.end()) place->second.delivered = sn;
    }
    delivered_.insert_or_assign(sn, batch);
  }
  void collect(const Collection& collection) {
    const auto end = delivered_.upper_bound(collection.through);
    for (auto at = delivered_.begin(); at != end; at = delivered_.erase(at))
      for (const RequestRef& reference : *at->second) requests_.erase(reference);
    for (const ClientWindow& window : collection.windows) {
      const auto low = requests_.lower_bound({window.client, ReqNo(0), {}});
      const auto high = requests_.lower_bound({window.client, window.low, {}});
      for (auto at = low; at != high;)
        at = at->second.delivered ? std::next(at) : requests_.erase(at);
    }
  }

  Random random_;
  std::function<void(const Record&)> on_durable_;
  std::uint64_t left_ = forever;
  bool failed_ = false;
  std::uint64_t operations_ = 0;
  Contents contents_ = Contents::kept;

  std::vector<Record> records_;
  std::size_t durable_ = 0;
  std::vector<Record> in_doubt_;
  /// What lies below may go, also if it is written later.
  RetentionIndex low_;
  std::uint64_t appended_ = 0;
  std::uint64_t syncs_ = 0;

  Requests requests_;
  std::map<SeqNr, Batch> delivered_;
  /// Requests since the last sync, in their order.
  std::vector<RequestRef> unsynced_;
};

/// The Wal module of a simulated node.
class Wal {
 public:
  /// Writes to `disk`, which must outlive it.
  explicit Wal(Disk& disk) noexcept : disk_(&disk) {}

  void append(std::uint32_t type, Bytes entry, RetentionIndex retention) {
    disk_->append({type, std::move(entry), retention});
  }
  void sync() { disk_->sync_log(); }
  void truncate(RetentionIndex index) { disk_->truncate(index); }
  template <class F>
  void replay(F&& f) {
    for (const Record& record : disk_->records()) f(record.type, record.entry);
  }

  WalStatus status() const noexcept {
    return {disk_->records_.size(), disk_->durable_, disk_->appended_, disk_->syncs_};
  }

 private:
  Disk* disk_;
};

/// The Store module of a simulated node.
class Store {
 public:
  /// Writes to `disk`, which must outlive it.
  explicit Store(Disk& disk) noexcept : disk_(&disk) {}

  void put(const RequestRef& reference, Bytes data, Bytes authenticator) {
    disk_->put(reference, std::move(data), std::move(authenticator));
  }
  void sync() { disk_->sync_requests(); }
  const Request* get(const RequestRef& reference) const {
    const auto found = disk_->requests_.find(reference);
    return found == disk_->requests_.end() ? nullptr : &found->second.request;
  }
  void delivered(SeqNr sn, const Batch& batch) { disk_->deliver(sn, batch); }
  void collect(const Collection& collection) { disk_->collect(collection); }

  StoreStatus status() const noexcept { return {disk_->requests_.size()}; }

 private:
  Disk* disk_;
};

}  // namespace mirbft::sim

BOOST_HANA_ADAPT_STRUCT(mirbft::sim::WalStatus, entries, durable, appended, syncs);
BOOST_HANA_ADAPT_STRUCT(mirbft::sim::StoreStatus, requests);

#endif

// The request store of a node in earnest: bodies in segments on disk, their places in memory.
#ifndef MIRBFT_MODULES_STORE_SEGMENT_HPP
#define MIRBFT_MODULES_STORE_SEGMENT_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/modules/files/files.hpp>
#include <mirbft/modules/files/segment_log.hpp>
#include <mirbft/modules/store/request_index.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/client_window.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/request.hpp>

namespace mirbft {

/// What a SegmentStore holds: requests, and the bytes that they take on disk.
struct SegmentStoreStatus {
  std::uint64_t requests = 0;
  std::uint64_t bytes = 0;
  SegmentStatus log;
};

/// Requests by reference, in a directory of its own, by one node and one process.
///
/// A request that is not delivered yet stays in memory as well, within a bound.
///
/// A request is written once, and again only if most around it has gone or its authenticator is
/// new; a segment goes with the last request in it. What was delivered where is not kept: a node
/// that restarts delivers again what its last checkpoint does not cover, and what was delivered
/// before is collected once it is below its client's window.
template <IsFiles Files, class Policy = ThrowOnFailure>
class SegmentStore {
 public:
  /// Throws LogCorruption, ConfigError or ModuleFailure, as SegmentLog does.
  explicit SegmentStore(Files files, SegmentConfig config = {})
      : log_(std::move(files), std::move(config), segments::Content::requests,
             [this](segments::Place place, const segments::Record& record) {
               note(place, record);
             }) {}

  /// Keeps a request; of one that is there already, only the authenticator is new.
  void put(const RequestRef& reference, const Bytes& data, const Bytes& authenticator) {
    if (const Request* before = get(reference)) {
      if (before->authenticator == authenticator) return;
      return write(reference, Bytes(before->data), authenticator);
    }
    write(reference, data, authenticator);
  }

  void sync() { log_.sync(); }

  /// The request, or null when it is absent. Valid until the next call.
  const Request* get(const RequestRef& reference) {
    const Kept* kept = index_.find(reference);
    if (!kept) return nullptr;
    if (kept->recent) return &*kept->recent;
    log_.read(kept->place, kept->size, [&](const segments::Record& record) {
      const Stored stored(record.payload);
      last_ = {reference.client, reference.req_no, Bytes(stored.data), Bytes(stored.authenticator)};
    });
    return &last_;
  }

  /// Calls `look(const RequestRef&, const Request&)` for every request.
  template <class Look>
  void for_each(Look&& look) {
    index_.for_each([&](const RequestRef& reference, Kept&) { look(reference, *get(reference)); });
  }

  /// Remembers where the requests of a batch were delivered.
  void delivered(SeqNr sn, Batch batch) {
    for (const RequestRef& reference : *batch) {
      Kept* kept = index_.find(reference);
      if (!kept) continue;
      kept->delivered = true;
      let_go(*kept);
    }
    delivered_.insert_or_assign(sn, std::move(batch));
  }

  /// Drops what was delivered at or before `collection.through`, and what was never delivered
  /// below its client's `low`.
  void collect(const Collection& collection) {
    const auto forget = [this](Kept& kept) { this->forget(kept); };
    const auto end = delivered_.upper_bound(collection.through);
    for (auto at = delivered_.begin(); at != end; at = delivered_.erase(at))
      for (const RequestRef& reference : *at->second) index_.erase(reference, forget);
    for (const ClientWindow& window : collection.windows)
      index_.erase_below(window.client, window.low, [&](Kept& kept) {
        if (!kept.delivered) forget(kept);
        return !kept.delivered;
      });
    remove_segments();
  }

  SegmentStoreStatus status() const noexcept {
    SegmentStoreStatus status{index_.size(), 0, log_.status()};
    for (const auto& [id, bytes] : needed_) status.bytes += bytes;
    return status;
  }

 private:
  struct Kept {
    segments::Place place;
    std::uint64_t size = 0;
    bool delivered = false;
    /// The request itself, which will soon be asked for, while there is memory for it.
    std::optional<Request> recent;
  };
  /// So many bytes of requests are kept in memory at most.
  static constexpr std::uint64_t most_recent_bytes = 64u << 20;

  /// What stands before a body: client (u64), number (u64), digest (32 bytes), length (u32).
  using Head = std::array<std::uint8_t, 20 + Digest::size>;

  static Head head_of(const RequestRef& reference, const Bytes& data) noexcept {
    Head head;
    std::uint8_t* at = head.data();
    segments::put(at, reference.client.value);
    segments::put(at, reference.req_no.value);
    at = std::copy(reference.digest.bytes.begin(), reference.digest.bytes.end(), at);
    segments::put(at, static_cast<std::uint32_t>(data.size()));
    return head;
  }

  /// A request as it stands in a record.
  struct Stored {
    explicit Stored(ByteView payload) {
      const std::uint8_t* at = payload.data();
      if (payload.size() < sizeof(Head)) throw ModuleFailure(no_request);
      reference.client = ClientId(segments::get<std::uint64_t>(at));
      reference.req_no = ReqNo(segments::get<std::uint64_t>(at));
      std::copy_n(at, Digest::size, reference.digest.bytes.begin());
      at += Digest::size;
      const std::size_t length = segments::get<std::uint32_t>(at);
      const ByteView rest = payload.subspan(sizeof(Head));
      if (length > rest.size()) throw ModuleFailure(no_request);
      data = rest.first(length);
      authenticator = rest.subspan(length);
    }

    static constexpr const char* no_request = "a record of the request store is no request";

    RequestRef reference;
    ByteView data;
    ByteView authenticator;
  };

  void write(const RequestRef& reference, const Bytes& data, const Bytes& authenticator) {
    const Head head = head_of(reference, data);
    const std::uint64_t size =
        segments::record_size(head.size() + data.size() + authenticator.size());
    const segments::Place place =
        log_.append(0, RetentionIndex(0), {head, data.view(), authenticator.view()});
    Kept& kept = note(reference, place, size);
    let_go(kept);
    Request request{reference.client, reference.req_no, data, authenticator};
    if (kept.delivered || recent_bytes_ + bytes_of(request) > most_recent_bytes) return;
    recent_bytes_ += bytes_of(request);
    kept.recent.emplace(std::move(request));
  }

  static std::uint64_t bytes_of(const Request& request) noexcept {
    return request.data.size() + request.authenticator.size();
  }
  void let_go(Kept& kept) noexcept {
    if (kept.recent) recent_bytes_ -= bytes_of(*kept.recent);
    kept.recent.reset();
  }

  /// A request has another place now, or its first.
  Kept& note(const RequestRef& reference, segments::Place place, std::uint64_t size) {
    Kept& kept = index_[reference];
    if (kept.size != 0) needed_[kept.place.segment] -= kept.size;
    kept.place = place;
    kept.size = size;
    needed_[place.segment] += size;
    return kept;
  }
  void note(segments::Place place, const segments::Record& record) {
    note(Stored(record.payload).reference, place, segments::record_size(record.payload.size()));
  }

  /// A request goes, and its entry with it.
  void forget(Kept& kept) {
    let_go(kept);
    needed_[kept.place.segment] -= kept.size;
  }

  void remove_segments() {
    const std::uint64_t oldest =
        log_.worth_keeping_from([this](std::uint64_t id) { return needed_[id]; });
    if (oldest == log_.oldest()) return;
    for (std::uint64_t id = log_.oldest(); id < oldest; ++id)
      if (needed_[id] != 0) carry(id);
    log_.drop_before(oldest, RetentionIndex(0));
    needed_.erase(needed_.begin(), needed_.lower_bound(oldest));
  }
  void carry(std::uint64_t segment) {
    log_.read_segment(segment, [this](segments::Place place, const segments::Record& record) {
      const RequestRef reference = Stored(record.payload).reference;
      const Kept* kept = index_.find(reference);
      if (!kept || kept->place != place) return;
      note(log_.append(0, RetentionIndex(0), {record.payload}, record.origin), record);
    });
  }

  // Made before the log, which fills them.
  RequestIndex<Kept> index_;
  /// Bytes by segment.
  std::map<std::uint64_t, std::uint64_t> needed_;
  segments::SegmentLog<Files, Policy> log_;
  std::map<SeqNr, Batch> delivered_;
  std::uint64_t recent_bytes_ = 0;
  Request last_;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::SegmentStoreStatus, requests, bytes, log);

#endif

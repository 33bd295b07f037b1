// A Store that keeps requests in memory: for tests, simulation, and nodes whose loss is acceptable.
#ifndef MIRBFT_MODULES_STORE_MEMORY_HPP
#define MIRBFT_MODULES_STORE_MEMORY_HPP

#include <cstdint>
#include <map>
#include <utility>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/modules/store/request_index.hpp>
#include <mirbft/types/client_window.hpp>
#include <mirbft/types/request.hpp>

namespace mirbft {

/// What a MemoryStore keeps now: requests, and the bytes of their bodies and authenticators.
struct MemoryStoreStatus {
  std::uint64_t requests = 0;
  std::uint64_t bytes = 0;
};

/// Requests by reference; nothing survives the object, so `sync` has nothing to do.
class MemoryStore {
 public:
  /// Keeps a request; of one that is there already, only the authenticator is new.
  void put(const RequestRef& reference, Bytes data, Bytes authenticator) {
    if (Kept* kept = index_.find(reference)) {
      bytes_ -= bytes_of(*kept);
      kept->request.authenticator = std::move(authenticator);
      bytes_ += bytes_of(*kept);
      return;
    }
    Kept& kept = index_[reference];
    kept.request = {reference.client, reference.req_no, std::move(data), std::move(authenticator)};
    bytes_ += bytes_of(kept);
  }

  void sync() noexcept {}

  /// The request, or null when it is absent. Valid until the next call that is not `get`.
  const Request* get(const RequestRef& reference) noexcept {
    const Kept* kept = index_.find(reference);
    return kept ? &kept->request : nullptr;
  }

  /// Remembers where the requests of a batch were delivered.
  void delivered(SeqNr sn, Batch batch) {
    for (const RequestRef& reference : *batch)
      if (Kept* kept = index_.find(reference)) kept->delivered = true;
    delivered_.insert_or_assign(sn, std::move(batch));
  }

  /// Drops what was delivered at or before `collection.through`, and what was never delivered
  /// below its client's `low`.
  void collect(const Collection& collection) {
    const auto forget = [this](const Kept& kept) { bytes_ -= bytes_of(kept); };
    const auto end = delivered_.upper_bound(collection.through);
    for (auto at = delivered_.begin(); at != end; at = delivered_.erase(at))
      for (const RequestRef& reference : *at->second) index_.erase(reference, forget);
    for (const ClientWindow& window : collection.windows)
      index_.erase_below(window.client, window.low, [&](const Kept& kept) {
        if (!kept.delivered) forget(kept);
        return !kept.delivered;
      });
  }

  MemoryStoreStatus status() const noexcept { return {index_.size(), bytes_}; }

 private:
  struct Kept {
    Request request;
    bool delivered = false;
  };

  static std::uint64_t bytes_of(const Kept& kept) noexcept {
    return kept.request.data.size() + kept.request.authenticator.size();
  }

  RequestIndex<Kept> index_;
  std::map<SeqNr, Batch> delivered_;
  std::uint64_t bytes_ = 0;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::MemoryStoreStatus, requests, bytes);

#endif

// A Store that keeps requests in memory: for tests, simulation, and nodes whose loss is acceptable.
#ifndef MIRBFT_MODULES_STORE_MEMORY_HPP
#define MIRBFT_MODULES_STORE_MEMORY_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/types/client_window.hpp>
#include <mirbft/types/request.hpp>

namespace mirbft {

/// What a MemoryStore keeps now: requests, and the bytes of their bodies and authenticators.
struct MemoryStoreStatus {
  std::uint64_t requests = 0;
  std::uint64_t bytes = 0;
};

/// Requests by reference; nothing survives the object, so `sync` has nothing to do.
///
/// Several payloads under one number are kept side by side. A client's requests stand in short
/// sorted shelves of neighbouring numbers: clients count upwards, so nearly every request goes to
/// the end of a shelf, and memory follows what is kept and not how far apart the numbers are.
class MemoryStore {
 public:
  /// Keeps a request; of one that is there already, only the authenticator is new.
  void put(const RequestRef& reference, Bytes data, Bytes authenticator) {
    Shelf& shelf = clients_[reference.client][reference.req_no.value / shelf_width];
    auto place = shelf.lower_bound(reference);
    if (place == shelf.items.end() || !place->is(reference))
      place = shelf.items.insert(place, Item{});
    else if (place->kept)
      return replace_authenticator(*place, std::move(authenticator));
    place->request = {reference.client, reference.req_no, std::move(data),
                      std::move(authenticator)};
    place->digest = reference.digest;
    place->kept = true;
    place->delivered = false;
    ++shelf.kept;
    ++status_.requests;
    status_.bytes += place->bytes();
  }

  void sync() noexcept {}

  /// The request, or null when it is absent. Valid until the next call that is not `get`.
  const Request* get(const RequestRef& reference) const noexcept {
    const Item* item = const_cast<MemoryStore*>(this)->find(reference);
    return item ? &item->request : nullptr;
  }

  /// Remembers where the requests of a batch were delivered.
  void delivered(SeqNr sn, Batch batch) {
    for (const RequestRef& reference : *batch)
      if (Item* item = find(reference)) item->delivered = true;
    delivered_.insert_or_assign(sn, std::move(batch));
  }

  /// Drops what was delivered at or before `collection.through`, and what was never delivered
  /// below its client's `low`.
  void collect(const Collection& collection) {
    const auto end = delivered_.upper_bound(collection.through);
    for (auto at = delivered_.begin(); at != end; at = delivered_.erase(at))
      for (const RequestRef& reference : *at->second) drop(reference);
    for (const ClientWindow& window : collection.windows) drop_undelivered(window);
  }

  MemoryStoreStatus status() const noexcept { return status_; }

 private:
  static constexpr std::uint64_t shelf_width = 64;

  struct Item {
    Request request;
    Digest digest;
    /// False once dropped: its place is freed with the whole shelf, so nothing has to move up.
    bool kept = false;
    bool delivered = false;

    bool is(const RequestRef& reference) const noexcept {
      return request.req_no == reference.req_no && digest == reference.digest;
    }
    std::uint64_t bytes() const noexcept {
      return request.data.size() + request.authenticator.size();
    }
  };

  /// The requests of numbers `[shelf_width * key, shelf_width * (key + 1))`, by number and digest.
  struct Shelf {
    std::vector<Item> items;
    std::size_t kept = 0;

    std::vector<Item>::iterator lower_bound(const RequestRef& reference) {
      const auto before = [](const Item& item, const RequestRef& wanted) {
        return item.request.req_no != wanted.req_no ? item.request.req_no < wanted.req_no
                                                    : item.digest < wanted.digest;
      };
      // Without gaps, each stands where its number says.
      const std::uint64_t guess = reference.req_no.value % shelf_width;
      if (guess < items.size() && items[guess].is(reference))
        return items.begin() + static_cast<std::ptrdiff_t>(guess);
      if (items.empty() || before(items.back(), reference)) return items.end();
      return std::lower_bound(items.begin(), items.end(), reference, before);
    }
  };
  using Shelves = std::map<std::uint64_t, Shelf>;

  Item* find(const RequestRef& reference) noexcept {
    const auto shelves = clients_.find(reference.client);
    if (shelves == clients_.end()) return nullptr;
    const auto shelf = shelves->second.find(reference.req_no.value / shelf_width);
    return shelf == shelves->second.end() ? nullptr : find(shelf->second, reference);
  }
  static Item* find(Shelf& shelf, const RequestRef& reference) noexcept {
    const auto place = shelf.lower_bound(reference);
    return place != shelf.items.end() && place->is(reference) && place->kept ? &*place : nullptr;
  }

  void drop(const RequestRef& reference) {
    const auto shelves = clients_.find(reference.client);
    if (shelves == clients_.end()) return;
    const auto shelf = shelves->second.find(reference.req_no.value / shelf_width);
    if (shelf == shelves->second.end()) return;
    if (Item* item = find(shelf->second, reference)) forget(shelf->second, *item);
    if (shelf->second.kept == 0) shelves->second.erase(shelf);
    if (shelves->second.empty()) clients_.erase(shelves);
  }

  void drop_undelivered(const ClientWindow& window) {
    const auto shelves = clients_.find(window.client);
    if (shelves == clients_.end()) return;
    const auto end = shelves->second.upper_bound(window.low.value / shelf_width);
    for (auto shelf = shelves->second.begin(); shelf != end;) {
      for (Item& item : shelf->second.items)
        if (item.kept && !item.delivered && item.request.req_no < window.low)
          forget(shelf->second, item);
      shelf = shelf->second.kept == 0 ? shelves->second.erase(shelf) : std::next(shelf);
    }
    if (shelves->second.empty()) clients_.erase(shelves);
  }

  void replace_authenticator(Item& item, Bytes authenticator) noexcept {
    status_.bytes -= item.bytes();
    item.request.authenticator = std::move(authenticator);
    status_.bytes += item.bytes();
  }

  void forget(Shelf& shelf, Item& item) noexcept {
    --shelf.kept;
    --status_.requests;
    status_.bytes -= item.bytes();
    item.kept = false;
    item.request.data = {};
    item.request.authenticator = {};
  }

  std::map<ClientId, Shelves> clients_;
  std::map<SeqNr, Batch> delivered_;
  MemoryStoreStatus status_;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::MemoryStoreStatus, requests, bytes);

#endif

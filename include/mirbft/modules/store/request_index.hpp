// A table of requests by reference, for Stores.
#ifndef MIRBFT_MODULES_STORE_REQUEST_INDEX_HPP
#define MIRBFT_MODULES_STORE_REQUEST_INDEX_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <vector>

#include <mirbft/types/request.hpp>

namespace mirbft {

/// What a Store knows of each request. Several payloads under one number stand side by side.
///
/// A client's requests stand on short sorted shelves of neighbouring numbers: clients count
/// upwards, so nearly every request goes to the end of a shelf, and memory follows what is there
/// and not how far apart the numbers are.
/// A pointer to an entry is valid until an entry is made or erased.
template <class T>
class RequestIndex {
 public:
  std::size_t size() const noexcept { return size_; }

  /// The entry, or null when there is none.
  T* find(const RequestRef& reference) noexcept {
    const auto shelves = clients_.find(reference.client);
    if (shelves == clients_.end()) return nullptr;
    const auto shelf = shelves->second.find(shelf_of(reference.req_no));
    if (shelf == shelves->second.end()) return nullptr;
    Item* item = shelf->second.find(reference);
    return item ? &*item->entry : nullptr;
  }

  /// The entry, default-made on first use.
  T& operator[](const RequestRef& reference) {
    Shelves& shelves = clients_[reference.client];
    Shelf& shelf = shelves.try_emplace(shelves.end(), shelf_of(reference.req_no))->second;
    auto place = shelf.place(reference);
    if (place == shelf.items.end() || !place->is(reference))
      place = shelf.items.insert(place, Item{reference.req_no, reference.digest, std::nullopt});
    if (!place->entry) {
      place->entry.emplace();
      ++shelf.used;
      ++size_;
    }
    return *place->entry;
  }

  /// Erases the entry, if there is one, after `last_look(T&)`.
  template <class LastLook>
  void erase(const RequestRef& reference, LastLook&& last_look) {
    const auto shelves = clients_.find(reference.client);
    if (shelves == clients_.end()) return;
    const auto shelf = shelves->second.find(shelf_of(reference.req_no));
    if (shelf == shelves->second.end()) return;
    if (Item* item = shelf->second.find(reference)) {
      last_look(*item->entry);
      clear(shelf->second, *item);
    }
    if (shelf->second.used == 0) shelves->second.erase(shelf);
    if (shelves->second.empty()) clients_.erase(shelves);
  }

  /// Erases the entries of a client below a number for which `drop(T&)` holds.
  template <class Drop>
  void erase_below(ClientId client, ReqNo end, Drop&& drop) {
    const auto shelves = clients_.find(client);
    if (shelves == clients_.end()) return;
    const auto last = shelves->second.upper_bound(shelf_of(end));
    for (auto shelf = shelves->second.begin(); shelf != last;) {
      for (Item& item : shelf->second.items)
        if (item.entry && item.number < end && drop(*item.entry)) clear(shelf->second, item);
      shelf = shelf->second.used == 0 ? shelves->second.erase(shelf) : std::next(shelf);
    }
    if (shelves->second.empty()) clients_.erase(shelves);
  }

  /// Calls `look(const RequestRef&, T&)` for all, in the order of their references.
  template <class Look>
  void for_each(Look&& look) {
    for (auto& [client, shelves] : clients_)
      for (auto& [key, shelf] : shelves)
        for (Item& item : shelf.items)
          if (item.entry) look(RequestRef{client, item.number, item.digest}, *item.entry);
  }

 private:
  static constexpr std::uint64_t shelf_width = 64;
  static std::uint64_t shelf_of(ReqNo number) noexcept { return number.value / shelf_width; }

  struct Item {
    ReqNo number;
    Digest digest;
    /// Nothing once erased: the place is freed with the whole shelf, so nothing has to move up.
    std::optional<T> entry;

    bool is(const RequestRef& reference) const noexcept {
      return number == reference.req_no && digest == reference.digest;
    }
  };

  /// The requests of numbers `[shelf_width * key, shelf_width * (key + 1))`, by number and digest.
  struct Shelf {
    std::vector<Item> items;
    std::size_t used = 0;

    /// The first item that does not come before the reference.
    typename std::vector<Item>::iterator place(const RequestRef& reference) noexcept {
      const auto before = [](const Item& item, const RequestRef& wanted) {
        return item.number != wanted.req_no ? item.number < wanted.req_no
                                            : item.digest < wanted.digest;
      };
      // Without gaps, each stands where its number says.
      const std::uint64_t guess = reference.req_no.value % shelf_width;
      if (guess < items.size() && items[guess].is(reference))
        return items.begin() + static_cast<std::ptrdiff_t>(guess);
      if (items.empty() || before(items.back(), reference)) return items.end();
      return std::lower_bound(items.begin(), items.end(), reference, before);
    }
    Item* find(const RequestRef& reference) noexcept {
      const auto item = place(reference);
      return item != items.end() && item->is(reference) && item->entry ? &*item : nullptr;
    }
  };
  using Shelves = std::map<std::uint64_t, Shelf>;

  void clear(Shelf& shelf, Item& item) noexcept {
    item.entry.reset();
    --shelf.used;
    --size_;
  }

  std::map<ClientId, Shelves> clients_;
  std::size_t size_ = 0;
};

}  // namespace mirbft

#endif

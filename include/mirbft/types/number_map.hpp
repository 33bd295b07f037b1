// An ordered map from numbers that mostly follow one another, as a client's request numbers do.
#ifndef MIRBFT_TYPES_NUMBER_MAP_HPP
#define MIRBFT_TYPES_NUMBER_MAP_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace mirbft {

/// Entries stand on short sorted shelves of neighbouring numbers: a run costs about as much as an
/// array, and numbers that are chosen to hurt cost as much as in a `std::map`.
/// A pointer to an entry is valid until an entry is made or erased.
template <class T, std::uint64_t shelf_width = 64>
class NumberMap {
 public:
  bool empty() const noexcept { return shelves_.empty(); }

  /// One past the highest number of an entry; 0 when there is none.
  std::uint64_t end() const noexcept {
    if (empty()) return 0;
    const auto& items = shelves_.rbegin()->second.items;
    return std::find_if(items.rbegin(), items.rend(),
                        [](const Item& item) { return item.value.has_value(); })
               ->number +
           1;
  }

  /// The entry, or null when there is none.
  T* find(std::uint64_t number) noexcept {
    const auto shelf = shelves_.find(number / shelf_width);
    if (shelf == shelves_.end()) return nullptr;
    const auto item = shelf->second.place(number);
    const bool found = item != shelf->second.items.end() && item->number == number && item->value;
    return found ? &*item->value : nullptr;
  }

  /// The entry, default-made on first use.
  T& operator[](std::uint64_t number) {
    // Numbers mostly ascend, so that the shelf is the last one.
    Shelf& shelf = shelves_.try_emplace(shelves_.end(), number / shelf_width)->second;
    auto item = shelf.place(number);
    if (item == shelf.items.end() || item->number != number)
      item = shelf.items.insert(item, Item{number, std::nullopt});
    if (!item->value) {
      item->value.emplace();
      ++shelf.used;
    }
    return *item->value;
  }

  /// Erases the entry, if there is one, and returns it.
  std::optional<T> take(std::uint64_t number) {
    std::optional<T> taken;
    const auto shelf = shelves_.find(number / shelf_width);
    if (shelf == shelves_.end()) return taken;
    const auto item = shelf->second.place(number);
    if (item == shelf->second.items.end() || item->number != number || !item->value) return taken;
    taken = std::move(item->value);
    shelf->second.clear(*item);
    tidy(shelf);
    return taken;
  }

  /// Visits all entries in order: `visit(number, entry)`.
  template <class Visit>
  void for_each(Visit&& visit) {
    for (auto& [place, shelf] : shelves_)
      for (Item& item : shelf.items)
        if (item.value) visit(item.number, *item.value);
  }

  /// Visits all entries in order, and erases those for which `drop(number, entry)` holds.
  template <class Drop>
  void erase_if(Drop&& drop) {
    for (auto shelf = shelves_.begin(); shelf != shelves_.end(); shelf = tidy(shelf))
      for (Item& item : shelf->second.items)
        if (item.value && drop(item.number, *item.value)) shelf->second.clear(item);
  }

 private:
  struct Item {
    std::uint64_t number = 0;
    /// Nothing once it is erased, so that the others need not move up each time.
    std::optional<T> value;
  };

  struct Shelf {
    std::vector<Item> items;
    std::size_t used = 0;

    /// The first item that is not below `number`.
    typename std::vector<Item>::iterator place(std::uint64_t number) noexcept {
      if (items.empty() || items.back().number < number) return items.end();
      // Where there are no gaps, an item stands as far behind the first as its number says.
      const std::uint64_t guess = number - items.front().number;
      if (guess < items.size() && items[guess].number == number)
        return items.begin() + static_cast<std::ptrdiff_t>(guess);
      return std::lower_bound(
          items.begin(), items.end(), number,
          [](const Item& item, std::uint64_t wanted) { return item.number < wanted; });
    }

    void clear(Item& item) noexcept {
      item.value.reset();
      --used;
    }
  };
  using Shelves = std::map<std::uint64_t, Shelf>;

  /// Gives back the memory of erased items once they are the greater part. Returns the next shelf.
  typename Shelves::iterator tidy(typename Shelves::iterator at) {
    Shelf& shelf = at->second;
    if (shelf.used == 0) return shelves_.erase(at);
    if (2 * shelf.used < shelf.items.size()) {
      std::erase_if(shelf.items, [](const Item& item) { return !item.value; });
      shelf.items.shrink_to_fit();
    }
    return std::next(at);
  }

  Shelves shelves_;
};

}  // namespace mirbft

#endif

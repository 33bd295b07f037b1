// What is going to happen, in the order of time.
#ifndef MIRBFT_SIM_AGENDA_HPP
#define MIRBFT_SIM_AGENDA_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include <mirbft/sim/clock.hpp>

namespace mirbft::sim {

/// Later than everything.
inline constexpr Time never{std::numeric_limits<Time::rep>::max()};

/// Things to happen, ordered by their time and, at the same time, by when they were noted down:
/// never by an address or by chance.
template <class What>
class Agenda {
 public:
  void at(Time time, What what) {
    heap_.push_back({time, next_number_++, std::move(what)});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }

  bool empty() const noexcept { return heap_.empty(); }
  std::size_t size() const noexcept { return heap_.size(); }
  /// When the next thing happens; `never` if there is none.
  Time next() const noexcept { return heap_.empty() ? never : heap_.front().time; }
  /// Takes out the next thing, which must be there.
  What take() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    What what = std::move(heap_.back().what);
    heap_.pop_back();
    return what;
  }
  void clear() noexcept { heap_.clear(); }

 private:
  struct Entry {
    Time time;
    std::uint64_t number;
    What what;
  };
  static bool later(const Entry& left, const Entry& right) noexcept {
    return left.time != right.time ? left.time > right.time : left.number > right.number;
  }

  std::vector<Entry> heap_;
  std::uint64_t next_number_ = 0;
};

}  // namespace mirbft::sim

#endif

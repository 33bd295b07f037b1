// Work on several threads whose results are taken in order, as if it was done one by one.
#ifndef MIRBFT_EXAMPLES_SIM_IN_ORDER_HPP
#define MIRBFT_EXAMPLES_SIM_IN_ORDER_HPP

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace simulation {

/// Makes a result of each number from `first` on, up to `last`, on so many threads, and hands them
/// to the calling one in their order, until `take(number, result)` returns false. What was made
/// ahead by then is dropped: what is taken does not depend on how many threads there are. Throws
/// what they throw.
template <class Make, class Take>
void make_in_order(std::uint64_t first, std::uint64_t last, unsigned threads, Make make,
                   Take take) {
  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t next = first;
  bool over = false;
  std::exception_ptr failure;
  std::map<std::uint64_t, std::invoke_result_t<Make, std::uint64_t>> made;

  const auto work = [&] {
    std::unique_lock lock(mutex);
    while (!over) {
      const std::uint64_t number = next++;
      over = number == last;
      lock.unlock();
      try {
        auto result = make(number);
        lock.lock();
        made.emplace(number, std::move(result));
      } catch (...) {
        lock.lock();
        failure = std::current_exception();
        over = true;
      }
      changed.notify_one();
    }
  };
  std::vector<std::jthread> workers;
  for (unsigned i = 0; i < threads; ++i) workers.emplace_back(work);

  std::unique_lock lock(mutex);
  for (std::uint64_t number = first;; ++number) {
    changed.wait(lock, [&] { return failure || made.contains(number); });
    if (failure) break;
    auto result = made.extract(number);
    lock.unlock();
    bool more = false;
    try {
      more = take(number, std::move(result.mapped()));
      lock.lock();
    } catch (...) {
      lock.lock();
      failure = std::current_exception();
    }
    if (!more || number == last) break;
  }
  over = true;
  lock.unlock();
  workers.clear();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace simulation

#endif

// A course of work for request stores, beside one in memory that says what must be there.
#ifndef MIRBFT_TESTS_SUPPORT_STORE_USE_HPP
#define MIRBFT_TESTS_SUPPORT_STORE_USE_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/modules/store/memory.hpp>
#include <mirbft/sim/random.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/client_window.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/request.hpp>

namespace mirbft::testing {

/// What nodes do to a store, and what a store in memory makes of it.
class Use {
 public:
  explicit Use(std::uint64_t seed) : random_(seed) {}

  template <class Store>
  void step(Store& store) {
    for (std::uint64_t count = random_.below(5); count != 0; --count) put(store);
    store.sync();
    synced_ = next_;
    if (random_.chance(500)) deliver(store);
    if (random_.chance(200)) collect(store);
  }

  /// What is wrong with the store, if anything. It may have more than one in memory: what was
  /// collected may come back.
  template <class Store>
  std::string fault_of(Store& store) {
    for (std::uint64_t number = 0; number < next_; ++number) {
      const Request* wanted = memory_.get(reference(number));
      const Request* found = store.get(reference(number));
      const std::string name = "request " + std::to_string(number);
      if (wanted && !found && number < synced_) return name + " was synced and is lost";
      if (found && *found != request(number)) return name + " is altered";
      found_more_ += found && !wanted;
    }
    return {};
  }
  /// A crash may have taken what was not synced.
  template <class Store>
  void forget_unsynced(Store& store) {
    for (std::uint64_t number = synced_; number < next_; ++number)
      if (!store.get(reference(number))) memory_drop(number);
  }
  std::size_t found_more() const noexcept { return found_more_; }
  const MemoryStore& memory() const noexcept { return memory_; }

 private:
  static RequestRef reference(std::uint64_t number) {
    RequestRef made{ClientId(number % 3), ReqNo(number / 3), {}};
    made.digest.bytes[5] = static_cast<std::uint8_t>(number);
    return made;
  }
  static Request request(std::uint64_t number) {
    const RequestRef made = reference(number);
    return {made.client, made.req_no,
            Bytes(std::string(number * 37 % 500, static_cast<char>('a' + number % 26))),
            Bytes("signature " + std::to_string(number))};
  }

  template <class Store>
  void put(Store& store) {
    const Request made = request(next_);
    memory_.put(reference(next_), made.data, made.authenticator);
    store.put(reference(next_++), made.data, made.authenticator);
  }
  template <class Store>
  void deliver(Store& store) {
    std::vector<RequestRef> batch;
    // One in seven is not delivered for long.
    for (; delivered_ < next_; ++delivered_)
      if (delivered_ % 7 != 0) batch.push_back(reference(delivered_));
    memory_.delivered(sn_, Batch(batch));
    store.delivered(sn_, Batch(std::move(batch)));
    ++sn_;
  }
  template <class Store>
  void collect(Store& store) {
    Collection collection{SeqNr(sn_.value), {}};
    for (std::uint64_t client = 0; client < 3; ++client)
      collection.windows.push_back(
          {ClientId(client), ReqNo(delivered_ / 3 - std::min<std::uint64_t>(delivered_ / 3, 20)),
           {}});
    memory_.collect(collection);
    store.collect(collection);
  }
  void memory_drop(std::uint64_t number) {
    memory_.delivered(SeqNr(0), Batch(std::vector<RequestRef>{reference(number)}));
    memory_.collect({SeqNr(0), {}});
  }

  sim::Random random_;
  MemoryStore memory_;
  std::uint64_t next_ = 0;
  std::uint64_t synced_ = 0;
  std::uint64_t delivered_ = 0;
  SeqNr sn_;
  std::size_t found_more_ = 0;
};

}  // namespace mirbft::testing

#endif

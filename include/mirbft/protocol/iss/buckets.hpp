// Requests that are ready and not yet delivered, in the buckets from which leaders cut batches.
#ifndef MIRBFT_PROTOCOL_ISS_BUCKETS_HPP
#define MIRBFT_PROTOCOL_ISS_BUCKETS_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include <mirbft/protocol/iss/clients.hpp>
#include <mirbft/protocol/iss/epoch_plan.hpp>
#include <mirbft/types/request.hpp>

namespace mirbft::iss {

/// FIFO queues of references, one a bucket. What stands at the head of one is not delivered yet.
class Buckets {
 public:
  explicit Buckets(std::uint32_t count) : queues_(count) {}

  std::uint32_t count() const noexcept { return static_cast<std::uint32_t>(queues_.size()); }

  void add(const RequestRef& reference, std::uint32_t size) {
    const std::uint32_t bucket = bucket_of(reference.client, reference.req_no, count());
    queues_[bucket].push_back({reference, size});
    if (own_[bucket]) count_in(size);
  }
  /// Puts a request back at the head of its bucket, after its batch was decided as nil.
  void put_back(const RequestRef& reference, std::uint32_t size) {
    const std::uint32_t bucket = bucket_of(reference.client, reference.req_no, count());
    queues_[bucket].push_front({reference, size});
    if (own_[bucket]) count_in(size);
  }

  /// What waits in the buckets that this replica may propose from.
  std::uint64_t own_requests() const noexcept { return own_requests_; }
  std::uint64_t own_bytes() const noexcept { return own_bytes_; }

  /// A new epoch: drops what is delivered or counts no more, and notes which buckets are this
  /// replica's.
  void begin_epoch(const EpochPlan& plan, Clients& clients,
                   const std::optional<std::uint32_t>& own_segment) {
    own_requests_ = own_bytes_ = 0;
    by_segment_.assign(plan.segments(), {});
    for (std::uint32_t bucket = 0; bucket < count(); ++bucket) {
      by_segment_[plan.owner(bucket)].push_back(bucket);
      own_[bucket] = own_segment && plan.owner(bucket) == *own_segment;
      std::erase_if(queues_[bucket],
                    [&](const Waiting& waiting) { return !is_waiting(waiting, clients); });
      if (own_[bucket])
        for (const Waiting& waiting : queues_[bucket]) count_in(waiting.size);
    }
  }

  /// A request was delivered: what has come to the head of its bucket by that is dropped.
  void delivered(const RequestRef& reference, Clients& clients) {
    const std::uint32_t bucket = bucket_of(reference.client, reference.req_no, count());
    auto& queue = queues_[bucket];
    while (!queue.empty() && is_delivered(queue.front(), clients)) {
      if (own_[bucket]) count_out(queue.front().size);
      queue.pop_front();
    }
  }

  /// Whether anything waits in the buckets of a segment that this replica has not proposed itself
  /// and that is not decided, as `is_decided(reference)` says: then its leader is expected to make
  /// progress. It has done its part for what only waits for other segments to be delivered.
  template <class IsDecided>
  bool waits(std::uint32_t segment, IsDecided&& is_decided) const {
    return std::ranges::any_of(by_segment_[segment], [&](std::uint32_t bucket) {
      return std::ranges::any_of(queues_[bucket], [&](const Waiting& waiting) {
        return !is_decided(waiting.reference);
      });
    });
  }
  /// Up to `most` undelivered requests of a segment, the oldest of each bucket first: to pass on to
  /// a leader that may lack them.
  std::vector<RequestRef> oldest(std::uint32_t segment, std::size_t most, Clients& clients) const {
    std::vector<RequestRef> found;
    bool deeper = true;
    for (std::size_t depth = 0; deeper; ++depth) {
      deeper = false;
      for (const std::uint32_t bucket : by_segment_[segment]) {
        if (found.size() == most) return found;
        const auto& queue = queues_[bucket];
        if (depth >= queue.size()) continue;
        deeper = true;
        if (!is_delivered(queue[depth], clients)) found.push_back(queue[depth].reference);
      }
    }
    return found;
  }

  /// Takes a batch out of this replica's buckets, one request of each in turn, within the limits.
  /// `may(reference)` claims a request for the batch.
  template <class May>
  std::vector<RequestRef> cut(std::uint64_t max_requests, std::uint64_t max_bytes, May&& may) {
    std::vector<RequestRef> batch;
    batch.reserve(std::min(max_requests, own_requests_));
    std::uint64_t bytes = 0;
    while (own_requests_ != 0 && batch.size() < max_requests) {
      while (!own_[turn_] || queues_[turn_].empty()) turn_ = (turn_ + 1) % count();
      const Waiting next = queues_[turn_].front();
      if (!batch.empty() && bytes + next.size > max_bytes) break;
      queues_[turn_].pop_front();
      turn_ = (turn_ + 1) % count();
      count_out(next.size);
      if (!may(next.reference)) continue;
      bytes += next.size;
      batch.push_back(next.reference);
    }
    return batch;
  }

 private:
  struct Waiting {
    RequestRef reference;
    std::uint32_t size;
  };

  void count_in(std::uint32_t size) noexcept {
    ++own_requests_;
    own_bytes_ += size;
  }
  void count_out(std::uint32_t size) noexcept {
    --own_requests_;
    own_bytes_ -= size;
  }
  static bool is_delivered(const Waiting& waiting, Clients& clients) {
    return clients.is_delivered(waiting.reference.client, waiting.reference.req_no);
  }

  static bool is_waiting(const Waiting& waiting, Clients& clients) {
    return clients.ready_size(waiting.reference) && !is_delivered(waiting, clients);
  }

  std::vector<std::deque<Waiting>> queues_;
  /// The buckets of each segment of the current epoch.
  std::vector<std::vector<std::uint32_t>> by_segment_;
  std::vector<char> own_ = std::vector<char>(queues_.size(), 0);
  std::uint64_t own_requests_ = 0;
  std::uint64_t own_bytes_ = 0;
  std::uint32_t turn_ = 0;
};

}  // namespace mirbft::iss

#endif

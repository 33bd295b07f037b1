// Requests that are ready and not yet delivered, in the buckets from which leaders cut batches.
#ifndef MIRBFT_PROTOCOL_ISS_BUCKETS_HPP
#define MIRBFT_PROTOCOL_ISS_BUCKETS_HPP

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

/// FIFO queues of references, one a bucket.
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

  /// A new epoch: drops what is delivered and notes which buckets are this replica's.
  void begin_epoch(const EpochPlan& plan, Clients& clients,
                   const std::optional<std::uint32_t>& own_segment) {
    own_requests_ = own_bytes_ = 0;
    for (std::uint32_t bucket = 0; bucket < count(); ++bucket) {
      own_[bucket] = own_segment && plan.owner(bucket) == *own_segment;
      std::erase_if(queues_[bucket], [&](const Waiting& waiting) {
        return clients.is_delivered(waiting.reference.client, waiting.reference.req_no);
      });
      if (own_[bucket])
        for (const Waiting& waiting : queues_[bucket]) count_in(waiting.size);
    }
  }

  /// A request was delivered: what has come to the head of its bucket by that is dropped.
  void delivered(const RequestRef& reference, Clients& clients) {
    const std::uint32_t bucket = bucket_of(reference.client, reference.req_no, count());
    if (own_[bucket]) return;  // the cutter took it
    auto& queue = queues_[bucket];
    while (!queue.empty() && clients.is_delivered(queue.front().reference.client,
                                                  queue.front().reference.req_no))
      queue.pop_front();
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
      --own_requests_;
      own_bytes_ -= next.size;
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

  std::vector<std::deque<Waiting>> queues_;
  std::vector<char> own_ = std::vector<char>(queues_.size(), 0);
  std::uint64_t own_requests_ = 0;
  std::uint64_t own_bytes_ = 0;
  std::uint32_t turn_ = 0;
};

}  // namespace mirbft::iss

#endif

// What this replica has proposed in the current epoch, until it is delivered.
#ifndef MIRBFT_PROTOCOL_ISS_OWN_BATCHES_HPP
#define MIRBFT_PROTOCOL_ISS_OWN_BATCHES_HPP

#include <cstddef>
#include <map>
#include <utility>

#include <mirbft/protocol/iss/buckets.hpp>
#include <mirbft/protocol/iss/clients.hpp>
#include <mirbft/types/request.hpp>

namespace mirbft::iss {

/// The cutter takes requests out of their buckets. Those of a batch that is given up on, since its
/// slot was decided as nil, must get back into them, or nobody here would ever propose them again.
class OwnBatches {
 public:
  /// This replica proposes `batch` for `sn`, or has done so before a restart.
  void proposed(SeqNr sn, Batch batch) { open_.insert_or_assign(sn, std::move(batch)); }

  /// `sn` delivers this; nil is empty.
  void delivered(SeqNr sn, const Batch& batch) {
    const auto own = open_.find(sn);
    if (own != open_.end() && own->second == batch) open_.erase(own);
  }

  /// Batches that are neither delivered nor put back.
  std::size_t size() const noexcept { return open_.size(); }

  /// The end of the epoch: puts the requests of lost batches back at the head of their buckets, in
  /// the order in which they stood there, but for those that were delivered otherwise. Not before
  /// that: within the epoch their numbers stay claimed, so that nobody may propose them. Call
  /// before `Buckets::begin_epoch`.
  void put_back(Buckets& buckets, Clients& clients) {
    for (auto batch = open_.rbegin(); batch != open_.rend(); ++batch) {
      const auto& requests = *batch->second;
      for (auto request = requests.rbegin(); request != requests.rend(); ++request) {
        const auto size = clients.ready_size(*request);
        if (size && !clients.is_delivered(request->client, request->req_no))
          buckets.put_back(*request, *size);
      }
    }
    open_.clear();
  }

 private:
  std::map<SeqNr, Batch> open_;
};

}  // namespace mirbft::iss

#endif

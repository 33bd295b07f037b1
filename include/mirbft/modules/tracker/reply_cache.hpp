// A client's newest results, for requests that it submits again.
#ifndef MIRBFT_MODULES_TRACKER_REPLY_CACHE_HPP
#define MIRBFT_MODULES_TRACKER_REPLY_CACHE_HPP

#include <algorithm>
#include <cstdint>
#include <deque>
#include <utility>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft::tracker {

/// A delivered request's place in the total order, and its result.
struct CachedReply {
  ReqNo req_no;
  SeqNr sn;
  Bytes result;

  std::uint64_t cost() const noexcept { return sizeof(CachedReply) + result.size(); }
};

/// The last delivered first to be found, the first delivered first to go. Looking a result up is
/// linear in their number, since only repeated submissions ask.
class ReplyCache {
 public:
  /// Keeps `reply`, and drops the oldest until all fit into `limit` bytes.
  void keep(CachedReply reply, std::uint64_t limit) {
    bytes_ += reply.cost();
    replies_.push_back(std::move(reply));
    for (; bytes_ > limit; replies_.pop_front()) bytes_ -= replies_.front().cost();
  }

  const CachedReply* find(ReqNo number) const noexcept {
    const auto found =
        std::find_if(replies_.rbegin(), replies_.rend(),
                     [number](const CachedReply& reply) { return reply.req_no == number; });
    return found == replies_.rend() ? nullptr : &*found;
  }

 private:
  std::deque<CachedReply> replies_;
  std::uint64_t bytes_ = 0;
};

}  // namespace mirbft::tracker

#endif

// Batches that wait for the bodies of their requests.
#ifndef MIRBFT_PROTOCOL_ISS_WAITING_BATCHES_HPP
#define MIRBFT_PROTOCOL_ISS_WAITING_BATCHES_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include <mirbft/protocol/iss/events.hpp>

namespace mirbft::iss {

/// By sequence number: proposals and adopted batches some of whose bodies are not here yet.
class WaitingBatches {
 public:
  struct Waiting {
    BatchHash batch;
    std::size_t missing = 0;
    /// When it began to wait, or was last asked for.
    std::chrono::nanoseconds since{};
    /// How often it was asked for: each time of another replica.
    std::size_t asked = 0;
  };

  bool empty() const noexcept { return waiting_.empty(); }
  std::size_t size() const noexcept { return waiting_.size(); }
  /// Whether a batch that others have committed waits for `sn`; a mere proposal may be a phantom.
  bool adopts(SeqNr sn) const {
    const auto found = waiting_.find(sn);
    return found != waiting_.end() && found->second.batch.use == BatchUse::adopt;
  }
  bool wants(const RequestRef& reference) const {
    return !missing_.empty() && missing_.contains(reference);
  }
  /// Whether any body is wanted under this number.
  bool wants(ClientId client, ReqNo req_no) const {
    const auto first = missing_.lower_bound({client, req_no, Digest{}});
    return first != missing_.end() && first->first.client == client &&
           first->first.req_no == req_no;
  }

  /// Takes the place of what waited for `sn` before.
  void add(SeqNr sn, BatchHash batch, const std::vector<RequestRef>& missing,
           std::chrono::nanoseconds now) {
    forget(waiting_.find(sn));
    for (const RequestRef& reference : missing) missing_.emplace(reference, sn);
    waiting_.emplace(sn, Waiting{std::move(batch), missing.size(), now, 0});
  }

  /// A body has come. Returns the batches that are complete by that.
  std::vector<BatchHash> body_came(const RequestRef& reference) {
    std::vector<BatchHash> complete;
    const auto [begin, end] = missing_.equal_range(reference);
    for (auto entry = begin; entry != end; ++entry) {
      const auto waiting = waiting_.find(entry->second);
      if (--waiting->second.missing != 0) continue;
      complete.push_back(std::move(waiting->second.batch));
      waiting_.erase(waiting);
    }
    missing_.erase(begin, end);
    return complete;
  }

  /// Calls `ask(waiting)` for each batch that has waited for longer than `patience`.
  template <class Ask>
  void ask_again(std::chrono::nanoseconds now, std::chrono::nanoseconds patience, Ask&& ask) {
    for (auto& [sn, waiting] : waiting_) {
      if (now - waiting.since < patience) continue;
      waiting.since = now;
      ++waiting.asked;
      ask(waiting);
    }
  }

  /// Forgets what lies before `sn`: it was delivered otherwise.
  void forget_before(SeqNr sn) {
    while (!waiting_.empty() && waiting_.begin()->first < sn) forget(waiting_.begin());
  }

 private:
  using Batches = std::map<SeqNr, Waiting>;

  void forget(Batches::iterator waiting) {
    if (waiting == waiting_.end()) return;
    for (const RequestRef& reference : *waiting->second.batch.batch) {
      const auto [begin, end] = missing_.equal_range(reference);
      for (auto entry = begin; entry != end;)
        entry = entry->second == waiting->first ? missing_.erase(entry) : std::next(entry);
    }
    waiting_.erase(waiting);
  }

  Batches waiting_;
  /// Which sequence numbers wait for a body.
  std::multimap<RequestRef, SeqNr> missing_;
};

}  // namespace mirbft::iss

#endif

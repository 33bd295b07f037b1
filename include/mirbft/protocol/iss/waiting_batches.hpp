// Batches that wait for the bodies of their requests.
#ifndef MIRBFT_PROTOCOL_ISS_WAITING_BATCHES_HPP
#define MIRBFT_PROTOCOL_ISS_WAITING_BATCHES_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <mirbft/protocol/iss/clients.hpp>
#include <mirbft/protocol/iss/events.hpp>

namespace mirbft::iss {

/// By sequence number: proposals and adopted batches some of whose bodies are not here yet.
class WaitingBatches {
 public:
  struct Waiting {
    BatchHash batch;
    /// At most so many bodies are still missing.
    std::size_t missing = 0;
    /// When it began to wait, or was last asked for.
    std::chrono::nanoseconds since{};
    /// How often it was asked for: each time of another replica.
    std::size_t asked = 0;
  };

  bool empty() const noexcept { return waiting_.empty(); }
  std::size_t size() const noexcept { return waiting_.size(); }
  bool contains(SeqNr sn) const { return waiting_.contains(sn); }

  void add(SeqNr sn, BatchHash batch, std::size_t missing, std::chrono::nanoseconds now) {
    waiting_[sn] = {std::move(batch), missing, now, 0};
  }

  /// A body has come that the batch of `sn` claims. Returns the batch when it is complete by that.
  std::optional<BatchHash> body_came(SeqNr sn, Clients& clients) {
    const auto found = waiting_.find(sn);
    if (found == waiting_.end() || --found->second.missing != 0) return std::nullopt;
    // The body of an equivocating client may not have been the one that is wanted: count anew.
    found->second.missing = missing(*found->second.batch.batch, clients).size();
    if (found->second.missing != 0) return std::nullopt;
    BatchHash batch = std::move(found->second.batch);
    waiting_.erase(found);
    return batch;
  }

  static std::vector<RequestRef> missing(const std::vector<RequestRef>& batch, Clients& clients) {
    std::vector<RequestRef> absent;
    for (const RequestRef& reference : batch)
      if (!clients.ready_size(reference)) absent.push_back(reference);
    return absent;
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
  void forget_before(SeqNr sn) { waiting_.erase(waiting_.begin(), waiting_.lower_bound(sn)); }

 private:
  std::map<SeqNr, Waiting> waiting_;
};

}  // namespace mirbft::iss

#endif

// What stands in for a Node behind a client port: answers when a test says so, and what it says.
#ifndef MIRBFT_TESTS_SUPPORT_FAKE_REPLICA_HPP
#define MIRBFT_TESTS_SUPPORT_FAKE_REPLICA_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <mirbft/events/node.hpp>
#include <mirbft/events/tracker.hpp>
#include <mirbft/node.hpp>
#include <mirbft/types/client_position.hpp>
#include <mirbft/types/request.hpp>
#include <mirbft/wire/codec.hpp>

namespace mirbft::testing {

class FakeReplica {
 public:
  /// The answer to a request, if there is one at once.
  using Answer = std::function<std::optional<Replied>(const Request&)>;

  FakeReplica() = default;
  explicit FakeReplica(Answer answer) : answer_(std::move(answer)) {}

  template <class OnReply>
  Submitted submit(Request request, OnReply on_reply, Spread spread) {
    const std::lock_guard lock(mutex_);
    if (takes_ != Submitted::accepted) return takes_;
    if (const auto reply = answer_ ? answer_(request) : std::nullopt)
      on_reply(*reply);
    else
      open_.push_back({std::move(request), spread, std::move(on_reply)});
    return Submitted::accepted;
  }

  void take(Submitted how) {
    const std::lock_guard lock(mutex_);
    takes_ = how;
  }
  std::size_t open() const {
    const std::lock_guard lock(mutex_);
    return open_.size();
  }
  /// Answers the oldest request that has no answer; returns it.
  Request answer_oldest(Outcome outcome, Bytes result = {}) {
    const std::lock_guard lock(mutex_);
    const Open oldest = open_.front();
    open_.erase(open_.begin());
    oldest.on_reply({oldest.request.client, oldest.request.req_no, outcome, SeqNr(5), result});
    return oldest.request;
  }

 private:
  struct Open {
    Request request;
    Spread spread;
    std::function<void(const Replied&)> on_reply;
  };

  mutable std::mutex mutex_;
  Answer answer_;
  Submitted takes_ = Submitted::accepted;
  std::vector<Open> open_;
};

/// Says that it has never seen the client.
inline Replied never_seen(const Request& request) {
  return {request.client, request.req_no, Outcome::rejected_window, {},
          wire::encode(ClientPosition{})};
}

}  // namespace mirbft::testing

#endif

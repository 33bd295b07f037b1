// Those who wait for replies.
#ifndef MIRBFT_ENGINE_CALLERS_HPP
#define MIRBFT_ENGINE_CALLERS_HPP

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include <mirbft/engine/callback.hpp>

namespace mirbft::engine {

/// One who waits for the reply to a request.
struct Waiting {
  ClientId client;
  ReqNo req_no;
  Callback callback;
};

/// The callbacks by request. Used by the dispatching thread alone.
class Callers {
 public:
  std::size_t size() const noexcept { return size_; }

  void expect(Waiting waiting) {
    clients_[waiting.client].emplace(waiting.req_no, std::move(waiting.callback));
    ++size_;
  }

  /// Calls everybody who waits for this request; nobody may.
  void answer(const Replied& reply) {
    const auto client = clients_.find(reply.client);
    if (client == clients_.end()) return;
    const auto [begin, end] = client->second.equal_range(reply.req_no);
    std::vector<Callback> due;
    for (auto it = begin; it != end; ++it) due.push_back(std::move(it->second));
    client->second.erase(begin, end);
    if (client->second.empty()) clients_.erase(client);
    size_ -= due.size();
    for (Callback& callback : due) callback(reply);
  }

  /// Tells everybody who still waits that no answer will come.
  void abandon() {
    for (auto& [client, requests] : std::exchange(clients_, {}))
      for (auto& [req_no, callback] : requests)
        callback(Replied{client, req_no, Outcome::shut_down, {}, {}});
    size_ = 0;
  }

 private:
  std::map<ClientId, std::multimap<ReqNo, Callback>> clients_;
  std::size_t size_ = 0;
};

}  // namespace mirbft::engine

#endif

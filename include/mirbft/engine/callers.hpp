// Those who wait for replies.
#ifndef MIRBFT_ENGINE_CALLERS_HPP
#define MIRBFT_ENGINE_CALLERS_HPP

#include <cstddef>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <mirbft/engine/callback.hpp>
#include <mirbft/types/number_map.hpp>

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
    Request& request = clients_[waiting.client][waiting.req_no.value];
    if (request.first) {
      request.others.push_back(std::move(waiting.callback));
    } else {
      request.first.emplace(std::move(waiting.callback));
    }
    ++size_;
  }

  /// Takes out everybody who waits for this request: `call(Callback&)` for each; nobody may.
  template <class Call>
  void answer(const Replied& reply, Call&& call) {
    const auto client = clients_.find(reply.client);
    if (client == clients_.end()) return;
    std::optional<Request> request = client->second.take(reply.req_no.value);
    if (client->second.empty()) clients_.erase(client);
    if (request) request->call_all(call, size_);
  }

  /// Takes out everybody who still waits: `call(Callback&, client, req_no)` for each.
  template <class Call>
  void abandon(Call&& call) {
    for (auto& [id, requests] : std::exchange(clients_, {}))
      requests.erase_if([&, client = id](std::uint64_t number, Request& request) {
        request.call_all([&](Callback& callback) { call(callback, client, ReqNo(number)); },
                         size_);
        return true;
      });
  }

 private:
  /// Mostly one waits for a request; whoever submits it again waits as well.
  struct Request {
    std::optional<Callback> first;
    std::vector<Callback> others;

    template <class Call>
    void call_all(Call&& call, std::size_t& size) {
      size -= 1 + others.size();
      call(*first);
      for (Callback& callback : others) call(callback);
    }
  };

  std::map<ClientId, NumberMap<Request>> clients_;
  std::size_t size_ = 0;
};

}  // namespace mirbft::engine

#endif

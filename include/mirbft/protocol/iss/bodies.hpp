// Bodies of requests on their way between replicas.
#ifndef MIRBFT_PROTOCOL_ISS_BODIES_HPP
#define MIRBFT_PROTOCOL_ISS_BODIES_HPP

#include <algorithm>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include <mirbft/events/store.hpp>
#include <mirbft/protocol/iss/allowance.hpp>
#include <mirbft/protocol/iss/bad_message.hpp>
#include <mirbft/protocol/iss/cluster.hpp>
#include <mirbft/protocol/iss/events.hpp>

namespace mirbft::iss {

/// Whether each element is greater than the one before: nothing is asked for twice.
template <class T>
bool is_ascending(const std::vector<T>& list) {
  return std::adjacent_find(list.begin(), list.end(), std::greater_equal<T>()) == list.end();
}

/// Passes on requests that clients gave to this replica alone, and answers those who lack some.
class Bodies {
 public:
  using consumes = events<RequestsFetched<RelayFetch>, RequestsFetched<SupplyFetch>>;
  using emits = events<FetchRequests<RelayFetch>, FetchRequests<SupplyFetch>>;

  /// References in one question, and requests and bytes in one message with bodies.
  static constexpr std::size_t asked_at_once = 4096;
  static constexpr std::size_t requests_at_once = 1024;
  /// Requests of a segment without progress that are passed on again.
  static constexpr std::size_t repeated_at_once = 32;
  static constexpr std::size_t bytes_at_once = 1u << 20;

  explicit Bodies(std::size_t members) : allowance_(members) {}

  /// From time to time: peers may ask again.
  void refill() { allowance_.refill(); }

  void relay_later(const RequestRef& reference) { to_relay_.push_back(reference); }
  void relay(auto& env) {
    if (to_relay_.empty() || env.cluster().others().empty()) return to_relay_.clear();
    env.emit(FetchRequests<RelayFetch>{std::exchange(to_relay_, {}), {}});
  }
  void process(RequestsFetched<RelayFetch> fetched, auto& env) {
    in_parts<Relayed>(std::move(fetched.found),
                      [&](Relayed part) { env.emit(env.to_others(std::move(part))); });
  }

  void receive(Member from, RequestsWanted wanted, auto& env) {
    if (wanted.references.size() > asked_at_once || !is_ascending(wanted.references) ||
        allowance_.is_spent(from))
      return env.bad(BadMessage::oversized);
    env.emit(FetchRequests<SupplyFetch>{std::move(wanted.references), {from.id}});
  }
  void process(RequestsFetched<SupplyFetch> fetched, auto& env) {
    const Member whom = *env.cluster().find(fetched.origin.to);
    if (allowance_.is_spent(whom)) return;  // by answers to questions that came together
    for (const Request& request : fetched.found) allowance_.spend(whom, request.data.size());
    in_parts<RequestsSupplied>(std::move(fetched.found), [&](RequestsSupplied part) {
      env.emit(env.to(whom.id, std::move(part)));
    });
  }

 private:
  /// Messages that fit a frame each.
  template <class Message, class Send>
  static void in_parts(std::vector<Request> requests, Send&& send) {
    Message part;
    std::size_t bytes = 0;
    for (Request& request : requests) {
      bytes += request.data.size() + request.authenticator.size();
      part.requests.push_back(std::move(request));
      if (bytes < bytes_at_once && part.requests.size() < requests_at_once) continue;
      send(std::exchange(part, {}));
      bytes = 0;
    }
    if (!part.requests.empty()) send(std::move(part));
  }

  std::vector<RequestRef> to_relay_;
  Allowance allowance_;
};

}  // namespace mirbft::iss

#endif

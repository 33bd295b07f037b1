// Orders that a cluster applies, through a client of it.
#ifndef MIRBFT_EXAMPLES_REDIS_CLUSTER_ORDERS_HPP
#define MIRBFT_EXAMPLES_REDIS_CLUSTER_ORDERS_HPP

#include <optional>
#include <string_view>
#include <utility>

#include <mirbft/types/bytes.hpp>

#include "session.hpp"

namespace redis {

/// `Client` is a `mirbft::Client`, or has its `submit`; it outlives this. Its thread calls back,
/// and what it does not accept is answered at once.
template <class Client>
class ClusterOrders {
 public:
  explicit ClusterOrders(Client& client) : client_(client) {}

  template <class Answered>
  void submit(mirbft::Bytes body, Answered answered) {
    const auto submitted =
        client_.submit(std::move(body), [answered](const auto& reply) mutable {
          answered(answer_of(reply));
        });
    using Submitted = decltype(submitted);
    if (submitted == Submitted::overloaded)
      answered(Answer{std::nullopt, "the gateway has too many open requests: not applied"});
    if (submitted == Submitted::stopped)
      answered(Answer{std::nullopt, "the gateway shuts down: not applied"});
  }

 private:
  template <class Reply>
  static Answer answer_of(const Reply& reply) {
    using End = decltype(reply.end);
    if (reply.end == End::delivered) return {reply.result, {}};
    if (reply.end == End::rejected) return {std::nullopt, to_string(reply.reason)};
    return {std::nullopt, to_string(reply.end)};
  }

  Client& client_;
};

}  // namespace redis

#endif

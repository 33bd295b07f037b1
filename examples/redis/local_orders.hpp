// Orders without a cluster: a database in the gateway's own process.
#ifndef MIRBFT_EXAMPLES_REDIS_LOCAL_ORDERS_HPP
#define MIRBFT_EXAMPLES_REDIS_LOCAL_ORDERS_HPP

#include <span>
#include <utility>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/request.hpp>

#include "database.hpp"
#include "session.hpp"

namespace redis {

/// Applies each order at once: for trying commands, and for tests. Nothing is replicated or kept.
class LocalOrders {
 public:
  template <class Answered>
  void submit(mirbft::Bytes body, Answered&& answered) {
    const mirbft::Request request{mirbft::ClientId(0), next_, std::move(body), {}};
    ++next_;
    auto results = database_.apply(mirbft::SeqNr(request.req_no.value), std::span(&request, 1));
    std::forward<Answered>(answered)(Answer{std::move(results.front()), {}});
  }
  const Database& database() const noexcept { return database_; }

 private:
  Database database_;
  mirbft::ReqNo next_;
};

}  // namespace redis

#endif

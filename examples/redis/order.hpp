// What a gateway asks the cluster to order, and what it gets back.
#ifndef MIRBFT_EXAMPLES_REDIS_ORDER_HPP
#define MIRBFT_EXAMPLES_REDIS_ORDER_HPP

#include <cstdint>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/types/bytes.hpp>

namespace redis {

/// One command, with what its connection has chosen: the database holds nothing of connections.
struct Step {
  std::uint32_t database = 0;
  std::uint32_t protocol = 2;
  std::vector<mirbft::Bytes> arguments;
  bool continues = false;  ///< a transaction, which it must not be cut from

  friend bool operator==(const Step&, const Step&) = default;
};

/// The body of a request. Its steps are applied one after another with nothing in between, which
/// makes a transaction of them, and keeps the order of what a client sends without waiting.
struct Order {
  /// The gateway's wall clock, in milliseconds since 1970.
  std::uint64_t time_ms = 0;
  std::vector<Step> steps;

  friend bool operator==(const Order&, const Order&) = default;
};

/// The result of an order: one reply a step, as the client is to read it. If the replies became
/// too long for one result, the steps without reply were not applied: order them again. None if
/// the order could not be read; or, with `again`, if others that were decided with it have used up
/// what all of them may answer.
struct Replies {
  std::vector<mirbft::Bytes> replies;
  bool again = false;

  friend bool operator==(const Replies&, const Replies&) = default;
};

}  // namespace redis

BOOST_HANA_ADAPT_STRUCT(redis::Step, database, protocol, arguments, continues);
BOOST_HANA_ADAPT_STRUCT(redis::Order, time_ms, steps);
BOOST_HANA_ADAPT_STRUCT(redis::Replies, replies, again);

#endif

// Events for the Protocol that come from no origin of its own.
#ifndef MIRBFT_EVENTS_PROTOCOL_HPP
#define MIRBFT_EVENTS_PROTOCOL_HPP

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/events/event.hpp>
#include <mirbft/events/tracker.hpp>
#include <mirbft/types/reflect.hpp>
#include <mirbft/types/request.hpp>

namespace mirbft {

/// A message of another replica. Its sender is authenticated by the Net, or vouched for by the
/// caller of `Node::step`.
template <class Message>
struct MessageReceived {
  static constexpr auto destination = slot::protocol;
  static constexpr std::uint32_t number = 4;

  NodeId from;
  Message message;
};

/// A request is authentic, its body durable: it may be proposed and voted for.
struct RequestReady {
  static constexpr auto destination = slot::protocol;
  static constexpr std::uint32_t number = 22;

  RequestRef reference;
  /// Length of the body in bytes, for the limits of a batch.
  std::uint32_t size = 0;
  Spread spread = Spread::by_client;
  /// As in `RequestSigVerified`.
  Epoch keys{};
};

}  // namespace mirbft

MIRBFT_ADAPT_TEMPLATE(mirbft::MessageReceived, from, message);
BOOST_HANA_ADAPT_STRUCT(mirbft::RequestReady, reference, size, spread, keys);

#endif

// Events for the Net.
#ifndef MIRBFT_EVENTS_NET_HPP
#define MIRBFT_EVENTS_NET_HPP

#include <vector>

#include <mirbft/events/event.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/reflect.hpp>

namespace mirbft {

/// Sends a protocol message to other replicas. The message is encoded once for all of them.
template <class Message>
struct SendMessage {
  static constexpr auto destination = slot::net;
  static constexpr std::uint32_t number = 5;

  std::vector<NodeId> destinations;
  Message message;
};

}  // namespace mirbft

MIRBFT_ADAPT_TEMPLATE(mirbft::SendMessage, destinations, message);

#endif

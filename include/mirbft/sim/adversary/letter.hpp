// A message of a faulty replica on its way to one other, and how to look into it.
#ifndef MIRBFT_SIM_ADVERSARY_LETTER_HPP
#define MIRBFT_SIM_ADVERSARY_LETTER_HPP

#include <type_traits>
#include <variant>
#include <vector>

#include <mirbft/protocol/iss/messages.hpp>
#include <mirbft/protocol/orderers/pbft_messages.hpp>
#include <mirbft/sim/clock.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft::sim::byzantine {

/// All that replicas of ISS with PBFT say.
using Message = IssMessage<PbftMessage>;

/// What is said to one replica, and how much later than it could be.
struct Letter {
  NodeId to;
  Message message;
  Time delay{};
};
using Letters = std::vector<Letter>;

/// The message as a `T`, one of ISS or one of PBFT; null if it is another.
template <class T, class M>
auto* as(M& message) {
  if constexpr (std::is_constructible_v<PbftMessage, T>) {
    auto* ordering = std::get_if<PbftMessage>(&message);
    return ordering ? std::get_if<T>(ordering) : nullptr;
  } else {
    return std::get_if<T>(&message);
  }
}

/// Wraps an alternative of PBFT or of ISS.
template <class T>
Message wrapped(T message) {
  if constexpr (std::is_constructible_v<PbftMessage, T>) {
    return PbftMessage(std::move(message));
  } else {
    return message;
  }
}

}  // namespace mirbft::sim::byzantine

#endif

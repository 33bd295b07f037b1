// Changes of keys, as an App asks for them.
#ifndef MIRBFT_EVENTS_RECONFIGURATION_HPP
#define MIRBFT_EVENTS_RECONFIGURATION_HPP

#include <cstddef>
#include <optional>
#include <string_view>
#include <variant>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/wire/type_name.hpp>

namespace mirbft {

/// A node's public key from now on.
struct NodeKey {
  NodeId node;
  /// None removes the key.
  std::optional<Bytes> key;

  friend bool operator==(const NodeKey&, const NodeKey&) = default;
};
/// A client's public key from now on.
struct ClientKey {
  ClientId client;
  /// None removes the key: nothing of this client is admitted any more.
  std::optional<Bytes> key;

  friend bool operator==(const ClientKey&, const ClientKey&) = default;
};

/// What an App may ask of the protocol, by `reconfigurations()`. What is asked for by requests of
/// epoch `e` holds from epoch `e + 2` on, at every replica. The members of a cluster cannot be
/// changed yet: a key of a node that is no member, and the removal of a member's key, are refused.
using Reconfiguration = std::variant<NodeKey, ClientKey>;

/// Longest public key that is taken, in bytes: those of all members must fit a vote.
inline constexpr std::size_t max_public_key_bytes = 64;

namespace wire {
template <>
inline constexpr std::string_view given_name<Reconfiguration> = "Reconfiguration";
}  // namespace wire

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::NodeKey, node, key);
BOOST_HANA_ADAPT_STRUCT(mirbft::ClientKey, client, key);

#endif

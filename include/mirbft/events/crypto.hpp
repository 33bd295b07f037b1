// Events for the Crypto module and its answers.
#ifndef MIRBFT_EVENTS_CRYPTO_HPP
#define MIRBFT_EVENTS_CRYPTO_HPP

#include <optional>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/events/event.hpp>
#include <mirbft/events/tracker.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/reflect.hpp>
#include <mirbft/types/request.hpp>
#include <mirbft/types/signature_check.hpp>

namespace mirbft {

/// This node's signature, for the module that asked.
template <class Origin>
struct SignResult {
  using origin_type = Origin;
  static constexpr auto destination = Origin::module;
  static constexpr std::uint32_t number = family_number(4, Origin::number);

  Bytes signature;
  Origin origin;
};

/// Asks for this node's signature over `message` (canonical bytes).
template <class Origin>
struct SignRequest {
  using origin_type = Origin;
  static constexpr auto destination = slot::crypto;
  static constexpr std::uint32_t number = family_number(3, Origin::number);
  using answer = SignResult<Origin>;

  Bytes message;
  Origin origin;
};

/// A signature that a node is said to have made over `message` (canonical bytes).
struct NodeSignature {
  NodeId node;
  Bytes message;
  Bytes signature;
};

/// One verdict for each of the request's signatures, in their order.
template <class Origin>
struct NodeSigsVerified {
  using origin_type = Origin;
  static constexpr auto destination = Origin::module;
  static constexpr std::uint32_t number = family_number(6, Origin::number);

  std::vector<SignatureCheck> verdicts;
  Origin origin;
};

/// Asks whether nodes have made these signatures.
template <class Origin>
struct VerifyNodeSigs {
  using origin_type = Origin;
  static constexpr auto destination = slot::crypto;
  static constexpr std::uint32_t number = family_number(5, Origin::number);
  using answer = NodeSigsVerified<Origin>;

  std::vector<NodeSignature> signatures;
  Origin origin;
};

/// Asks whether `authenticator` is the client's signature over the reference.
struct VerifyRequestSig {
  static constexpr auto destination = slot::crypto;
  static constexpr std::uint32_t number = 19;
  using answer = RequestSigVerified;

  RequestRef reference;
  Bytes authenticator;
};

/// A change of one node's public key.
struct NodeKey {
  NodeId node;
  /// None removes the key.
  std::optional<Bytes> key;
};
/// A change of one client's public key.
struct ClientKey {
  ClientId client;
  std::optional<Bytes> key;
};

/// Changes keys of nodes; what was asked for before is verified under the old ones.
struct UpdateNodeKeys {
  static constexpr auto destination = slot::crypto;
  static constexpr std::uint32_t number = 17;

  std::vector<NodeKey> keys;
};

/// Changes keys of clients; what was asked for before is verified under the old ones.
struct UpdateClientKeys {
  static constexpr auto destination = slot::crypto;
  static constexpr std::uint32_t number = 18;

  std::vector<ClientKey> keys;
};

}  // namespace mirbft

MIRBFT_ADAPT_TEMPLATE(mirbft::SignResult, signature, origin);
MIRBFT_ADAPT_TEMPLATE(mirbft::SignRequest, message, origin);
MIRBFT_ADAPT_TEMPLATE(mirbft::NodeSigsVerified, verdicts, origin);
MIRBFT_ADAPT_TEMPLATE(mirbft::VerifyNodeSigs, signatures, origin);
BOOST_HANA_ADAPT_STRUCT(mirbft::NodeSignature, node, message, signature);
BOOST_HANA_ADAPT_STRUCT(mirbft::VerifyRequestSig, reference, authenticator);
BOOST_HANA_ADAPT_STRUCT(mirbft::NodeKey, node, key);
BOOST_HANA_ADAPT_STRUCT(mirbft::ClientKey, client, key);
BOOST_HANA_ADAPT_STRUCT(mirbft::UpdateNodeKeys, keys);
BOOST_HANA_ADAPT_STRUCT(mirbft::UpdateClientKeys, keys);

#endif

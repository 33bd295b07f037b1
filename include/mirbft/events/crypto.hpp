// Events for the Crypto module and its answers.
#ifndef MIRBFT_EVENTS_CRYPTO_HPP
#define MIRBFT_EVENTS_CRYPTO_HPP

#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/events/event.hpp>
#include <mirbft/events/reconfiguration.hpp>
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

/// Asks for this node's signature over `message` (canonical bytes), by its key of `epoch`.
template <class Origin>
struct SignRequest {
  using origin_type = Origin;
  static constexpr auto destination = slot::crypto;
  static constexpr std::uint32_t number = family_number(3, Origin::number);
  using answer = SignResult<Origin>;

  Epoch epoch;
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

/// Asks whether nodes have made these signatures, all by their keys of `epoch`: a retired key signs
/// nothing new, a new one nothing old.
template <class Origin>
struct VerifyNodeSigs {
  using origin_type = Origin;
  static constexpr auto destination = slot::crypto;
  static constexpr std::uint32_t number = family_number(5, Origin::number);
  using answer = NodeSigsVerified<Origin>;

  Epoch epoch;
  std::vector<NodeSignature> signatures;
  Origin origin;
};

/// Asks whether `authenticator` proves that the client has signed the reference: alone, or as one
/// of a batch.
struct VerifyRequestSig {
  static constexpr auto destination = slot::crypto;
  static constexpr std::uint32_t number = 19;
  using answer = RequestSigVerified;

  RequestRef reference;
  Bytes authenticator;
};

/// Keys of nodes from an epoch on. Those of earlier epochs stay as they are.
struct UpdateNodeKeys {
  static constexpr auto destination = slot::crypto;
  static constexpr std::uint32_t number = 17;

  Epoch from;
  std::vector<NodeKey> keys;
};

/// No signature of an epoch before this one will be asked about any more.
struct ForgetNodeKeys {
  static constexpr auto destination = slot::crypto;
  static constexpr std::uint32_t number = 30;

  Epoch before;
};

/// Changes keys of clients, since `epoch` begins; what was asked for before is verified under the
/// old ones.
struct UpdateClientKeys {
  static constexpr auto destination = slot::crypto;
  static constexpr std::uint32_t number = 18;

  Epoch epoch;
  std::vector<ClientKey> keys;
};

}  // namespace mirbft

MIRBFT_ADAPT_TEMPLATE(mirbft::SignResult, signature, origin);
MIRBFT_ADAPT_TEMPLATE(mirbft::SignRequest, epoch, message, origin);
MIRBFT_ADAPT_TEMPLATE(mirbft::NodeSigsVerified, verdicts, origin);
MIRBFT_ADAPT_TEMPLATE(mirbft::VerifyNodeSigs, epoch, signatures, origin);
BOOST_HANA_ADAPT_STRUCT(mirbft::NodeSignature, node, message, signature);
BOOST_HANA_ADAPT_STRUCT(mirbft::VerifyRequestSig, reference, authenticator);
BOOST_HANA_ADAPT_STRUCT(mirbft::UpdateNodeKeys, from, keys);
BOOST_HANA_ADAPT_STRUCT(mirbft::ForgetNodeKeys, before);
BOOST_HANA_ADAPT_STRUCT(mirbft::UpdateClientKeys, epoch, keys);

#endif

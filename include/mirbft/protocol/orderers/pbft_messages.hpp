// What PBFT says, signs and writes ahead for one slot of a segment.
#ifndef MIRBFT_PROTOCOL_ORDERERS_PBFT_MESSAGES_HPP
#define MIRBFT_PROTOCOL_ORDERERS_PBFT_MESSAGES_HPP

#include <string_view>
#include <variant>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/events/event.hpp>
#include <mirbft/protocol/iss/epoch_plan.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/types/request.hpp>
#include <mirbft/wire/type_name.hpp>

namespace mirbft {

/// The leader's proposal for a slot, with the leader's own signed Prepare (PBFT, section 4.2).
struct PrePrepare {
  SegmentId segment;
  SeqNr sn;
  Batch batch;
  Bytes signature;
};

/// "I have voted for this digest in this view, durably." Signed, since certificates show it on.
struct Prepare {
  SegmentId segment;
  View view;
  SeqNr sn;
  Digest digest;
  Bytes signature;
};

/// "I hold a certificate for this digest, durably." Nobody shows it on, so it is not signed.
struct Commit {
  SegmentId segment;
  View view;
  SeqNr sn;
  Digest digest;
};

using PbftMessage = std::variant<PrePrepare, Prepare, Commit>;

namespace wire {
template <>
inline constexpr std::string_view given_name<PbftMessage> = "PbftMessage";
}  // namespace wire

/// What a Prepare's signature covers, with the domain and the cluster.
struct PrepareContent {
  SegmentId segment;
  View view;
  SeqNr sn;
  Digest digest;
};

/// Origin of the signature under this replica's own Prepare.
struct PrepareSigning {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 20;

  PrepareContent content;
};

/// Origin of the check of other replicas' Prepares for one slot.
struct PrepareChecking {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 21;

  PrepareContent content;
  std::vector<NodeId> signers;
};

/// One signature of a certificate.
struct CertificateSignature {
  NodeId node;
  Bytes signature;
};

/// Before a PrePrepare is sent: which batch it was.
struct ProposalEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 20;

  SegmentId segment;
  SeqNr sn;
  Batch batch;
};

/// Before a Prepare is sent: what it says.
struct VoteEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 21;

  PrepareContent content;
  Bytes signature;
};

/// Before a Commit is sent: the certificate that it stands for.
struct PreparedEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 22;

  PrepareContent content;
  std::vector<CertificateSignature> certificate;
};

/// A slot is decided. Nothing waits for it: it only saves work after a restart.
struct DecidedEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 23;

  PrepareContent content;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::PrePrepare, segment, sn, batch, signature);
BOOST_HANA_ADAPT_STRUCT(mirbft::Prepare, segment, view, sn, digest, signature);
BOOST_HANA_ADAPT_STRUCT(mirbft::Commit, segment, view, sn, digest);
BOOST_HANA_ADAPT_STRUCT(mirbft::PrepareContent, segment, view, sn, digest);
BOOST_HANA_ADAPT_STRUCT(mirbft::PrepareSigning, content);
BOOST_HANA_ADAPT_STRUCT(mirbft::PrepareChecking, content, signers);
BOOST_HANA_ADAPT_STRUCT(mirbft::CertificateSignature, node, signature);
BOOST_HANA_ADAPT_STRUCT(mirbft::ProposalEntry, segment, sn, batch);
BOOST_HANA_ADAPT_STRUCT(mirbft::VoteEntry, content, signature);
BOOST_HANA_ADAPT_STRUCT(mirbft::PreparedEntry, content, certificate);
BOOST_HANA_ADAPT_STRUCT(mirbft::DecidedEntry, content);

#endif

// What PBFT says, signs and writes ahead for a segment.
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

/// One signature of a certificate.
struct CertificateSignature {
  NodeId node;
  Bytes signature;
};

/// `q` signed Prepares for one digest in one view of a slot: no other digest can have them there.
/// `nil_digest` may be certified like any other.
struct Certificate {
  View view;
  SeqNr sn;
  Digest digest;
  /// By ascending member.
  std::vector<CertificateSignature> signatures;
};

/// "In this view I held a certificate for this digest", within a ViewChange.
struct PreparedClaim {
  View view;
  SeqNr sn;
  Digest digest;

  friend bool operator==(const PreparedClaim&, const PreparedClaim&) = default;
};

/// "I vote in no view below this one, and this is all that I hold certificates for" (PBFT, section
/// 4.4). The certificates travel beside what is signed, so that a NewView need not repeat them all.
struct ViewChange {
  SegmentId segment;
  View view;
  NodeId sender;
  /// One for each slot with a certificate, that of the highest view; by ascending `sn`.
  std::vector<PreparedClaim> claims;
  Bytes signature;
  /// Those of the claims, in their order. None within a NewView.
  std::vector<Certificate> certificates;
};

/// The new primary's proof of what may be voted for in its view: exactly `q` ViewChanges, and one
/// certificate for each slot that any of them claims. The outcome follows from these alone.
struct NewView {
  SegmentId segment;
  View view;
  /// By ascending sender.
  std::vector<ViewChange> view_changes;
  /// By ascending `sn`.
  std::vector<Certificate> certificates;
  Bytes signature;
};

using PbftMessage = std::variant<PrePrepare, Prepare, Commit, ViewChange, NewView>;

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

/// What a ViewChange's signature covers.
struct ViewChangeContent {
  SegmentId segment;
  View view;
  NodeId sender;
  std::vector<PreparedClaim> claims;
};

/// What a NewView's signature covers.
struct NewViewContent {
  SegmentId segment;
  View view;
  std::vector<ViewChange> view_changes;
  std::vector<Certificate> certificates;
};

/// Which message of a view change of a segment: its view, and who has sent it.
struct ViewChangeMark {
  SegmentId segment;
  View view;
  NodeId sender;
};

/// Origin of the signature under this replica's own ViewChange.
struct ViewChangeSigning {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 22;

  ViewChangeContent content;
};

/// Origin of the check of another replica's ViewChange.
struct ViewChangeChecking {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 23;

  ViewChangeMark content;
};

/// Origin of the signature under this replica's own NewView.
struct NewViewSigning {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 24;

  ViewChangeMark content;
};

/// Origin of the check of a NewView.
struct NewViewChecking {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 25;

  ViewChangeMark content;
};

/// Before a Prepare is sent, and a PrePrepare with it: what it says, and of which batch.
struct VoteEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 20;

  PrepareContent content;
  Bytes signature;
  Batch batch;
};

/// Before a Commit is sent: the certificate that it stands for.
struct PreparedEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 21;

  SegmentId segment;
  Certificate certificate;
};

/// A slot is decided. Nothing waits for it: it only saves work after a restart.
struct DecidedEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 22;

  SegmentId segment;
  SeqNr sn;
  Digest digest;
  Batch batch;
};

/// Before a ViewChange is sent. Its certificates are in entries of their own.
struct ViewChangeEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 23;

  ViewChange message;
};

/// Before anything is voted for in a view, and before the NewView is sent by the one who made it.
struct NewViewEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 24;

  NewView message;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::PrePrepare, segment, sn, batch, signature);
BOOST_HANA_ADAPT_STRUCT(mirbft::Prepare, segment, view, sn, digest, signature);
BOOST_HANA_ADAPT_STRUCT(mirbft::Commit, segment, view, sn, digest);
BOOST_HANA_ADAPT_STRUCT(mirbft::CertificateSignature, node, signature);
BOOST_HANA_ADAPT_STRUCT(mirbft::Certificate, view, sn, digest, signatures);
BOOST_HANA_ADAPT_STRUCT(mirbft::PreparedClaim, view, sn, digest);
BOOST_HANA_ADAPT_STRUCT(mirbft::ViewChange, segment, view, sender, claims, signature,
                        certificates);
BOOST_HANA_ADAPT_STRUCT(mirbft::NewView, segment, view, view_changes, certificates, signature);
BOOST_HANA_ADAPT_STRUCT(mirbft::PrepareContent, segment, view, sn, digest);
BOOST_HANA_ADAPT_STRUCT(mirbft::PrepareSigning, content);
BOOST_HANA_ADAPT_STRUCT(mirbft::PrepareChecking, content, signers);
BOOST_HANA_ADAPT_STRUCT(mirbft::ViewChangeContent, segment, view, sender, claims);
BOOST_HANA_ADAPT_STRUCT(mirbft::NewViewContent, segment, view, view_changes, certificates);
BOOST_HANA_ADAPT_STRUCT(mirbft::ViewChangeMark, segment, view, sender);
BOOST_HANA_ADAPT_STRUCT(mirbft::ViewChangeSigning, content);
BOOST_HANA_ADAPT_STRUCT(mirbft::ViewChangeChecking, content);
BOOST_HANA_ADAPT_STRUCT(mirbft::NewViewSigning, content);
BOOST_HANA_ADAPT_STRUCT(mirbft::NewViewChecking, content);
BOOST_HANA_ADAPT_STRUCT(mirbft::VoteEntry, content, signature, batch);
BOOST_HANA_ADAPT_STRUCT(mirbft::PreparedEntry, segment, certificate);
BOOST_HANA_ADAPT_STRUCT(mirbft::DecidedEntry, segment, sn, digest, batch);
BOOST_HANA_ADAPT_STRUCT(mirbft::ViewChangeEntry, message);
BOOST_HANA_ADAPT_STRUCT(mirbft::NewViewEntry, message);

#endif

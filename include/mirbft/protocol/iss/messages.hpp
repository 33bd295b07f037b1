// What ISS replicas say to one another beside what their orderers say.
#ifndef MIRBFT_PROTOCOL_ISS_MESSAGES_HPP
#define MIRBFT_PROTOCOL_ISS_MESSAGES_HPP

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/events/reconfiguration.hpp>
#include <mirbft/protocol/iss/epoch_plan.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/types/frame_class.hpp>
#include <mirbft/types/request.hpp>
#include <mirbft/wire/type_name.hpp>

namespace mirbft {

/// All sequence numbers of a segment are committed here, with these digests. `w` matching ones let
/// a laggard finish; `q` make the segment stable. Channel authentication is enough: nobody shows
/// it on.
struct Done {
  SegmentId segment;
  std::vector<Digest> digests;

  friend bool operator==(const Done&, const Done&) = default;
};

/// A slot that the sender has decided.
struct SlotDecision {
  std::uint32_t slot = 0;
  Digest digest;
};
/// The same for single slots of a segment that is not finished: for a replica that asks.
struct Decided {
  SegmentId segment;
  std::vector<SlotDecision> decisions;
};

/// What a checkpoint is of. Equal headers mean equal states.
struct CheckpointHeader {
  Epoch epoch;
  /// The last sequence number that it covers.
  SeqNr last;
  /// Hash of the delivered log: of the one before and this epoch's digests.
  Digest log;
  /// Hash of the Merkle root over the App's chunks, and of their number.
  Digest app_state;
  /// In bytes, of all chunks together.
  std::uint64_t app_length = 0;
  Digest clients;
  Digest policy;
  Digest membership;
  Digest parameters;
  /// How many epochs so far have changed keys of nodes, this one included.
  std::uint64_t key_changes = 0;
  /// Those that the requests of this epoch have asked for, by ascending node. They stand here, and
  /// not in the state, so that a certificate is all that a laggard needs to learn of them.
  std::vector<NodeKey> node_keys;

  friend bool operator==(const CheckpointHeader&, const CheckpointHeader&) = default;
};

/// A replica's signature under a checkpoint; `q` of them make it stable.
struct CheckpointVote {
  CheckpointHeader header;
  Bytes signature;

  friend bool operator==(const CheckpointVote&, const CheckpointVote&) = default;
};

/// One signature under a checkpoint.
struct CheckpointSignature {
  NodeId node;
  Bytes signature;

  friend bool operator==(const CheckpointSignature&, const CheckpointSignature&) = default;
};

/// Proof of a stable checkpoint, for those who lag behind: `q` signatures by ascending node.
struct StableCheckpoint {
  CheckpointHeader header;
  std::vector<CheckpointSignature> certificate;

  friend bool operator==(const StableCheckpoint&, const StableCheckpoint&) = default;
};

/// A long byte string by the digests of its chunks. Who fetches them gets the list, which is
/// checked as a whole, and no Merkle proofs: 32 bytes a chunk are little beside the chunk.
struct ChunkList {
  /// In bytes, of all chunks together.
  std::uint64_t length = 0;
  std::vector<Digest> digests;

  friend bool operator==(const ChunkList&, const ChunkList&) = default;
};

/// Asks for what there is to fetch of a stable checkpoint's state.
struct StateWanted {
  Epoch epoch;
};
/// The answer. Each part hashes to one in the checkpoint's header.
struct StateHead {
  Epoch epoch;
  /// Of the encoded windows of all clients, cut into chunks that are full but for the last.
  ChunkList clients;
  /// The encoded states of the leader policy and of the epoch's time-out.
  Bytes policy;
  Bytes pace;
  /// Of the App's chunks, which are as long as they are.
  ChunkList app;
};

/// Asks for a chunk; those of the clients come first, those of the App follow.
struct ChunkWanted {
  Epoch epoch;
  std::uint64_t index = 0;
};
/// One of them. The receiver checks it against the digest in the head.
struct ChunkSupplied {
  Epoch epoch;
  std::uint64_t index = 0;
  Bytes data;
};

/// Requests that a client gave to the sender alone.
struct Relayed {
  std::vector<Request> requests;
};

/// Asks for bodies that a proposal names and the sender does not have.
struct RequestsWanted {
  std::vector<RequestRef> references;
};
/// The answer. The receiver checks every request anew.
struct RequestsSupplied {
  std::vector<Request> requests;
};

/// Asks for decided batches of a segment, by their places in it.
struct BatchesWanted {
  SegmentId segment;
  std::vector<std::uint32_t> slots;
};
/// One of them. The receiver checks it against the digest that `w` replicas vouch for.
struct BatchSupplied {
  SegmentId segment;
  std::uint32_t slot = 0;
  Batch batch;
};

/// Where the sender stands; said from time to time, so that whoever is behind finds out.
struct Progress {
  Epoch epoch;
  /// The next sequence number that it delivers.
  SeqNr next;
  std::uint64_t stable_epochs = 0;
  /// Of how many changes of nodes' keys it knows.
  std::uint64_t key_changes = 0;
};

/// Asks for what the receiver itself has said of these slots, by their places: the sender lacks
/// something, or it would have decided them.
struct SlotsWanted {
  SegmentId segment;
  std::vector<std::uint32_t> slots;
};

/// All that ISS with a given orderer sends.
template <class OrdererMessage>
using IssMessage =
    std::variant<OrdererMessage, Done, CheckpointVote, Relayed, RequestsWanted, RequestsSupplied,
                 BatchesWanted, BatchSupplied, StableCheckpoint, StateWanted, StateHead,
                 ChunkWanted, ChunkSupplied, Progress, SlotsWanted, Decided>;

namespace wire {
template <class OrdererMessage>
inline constexpr std::string_view
    given_name<std::variant<OrdererMessage, Done, CheckpointVote, Relayed, RequestsWanted,
                            RequestsSupplied, BatchesWanted, BatchSupplied, StableCheckpoint,
                            StateWanted, StateHead, ChunkWanted, ChunkSupplied, Progress,
                            SlotsWanted, Decided>> = "IssMessage";
}  // namespace wire

namespace iss {

/// How the Net treats a message; `Orderer` knows its own.
template <class Orderer>
FrameClass frame_class(const IssMessage<typename Orderer::Message>& message) {
  if (const auto* ordering = std::get_if<typename Orderer::Message>(&message))
    return Orderer::frame_class(*ordering);
  if (std::holds_alternative<ChunkSupplied>(message)) return FrameClass::chunk;
  const bool small = std::holds_alternative<CheckpointVote>(message) ||
                     std::holds_alternative<BatchesWanted>(message) ||
                     std::holds_alternative<StableCheckpoint>(message) ||
                     std::holds_alternative<StateWanted>(message) ||
                     std::holds_alternative<ChunkWanted>(message) ||
                     std::holds_alternative<Progress>(message) ||
                     std::holds_alternative<SlotsWanted>(message);
  // The digests of a long segment are more than a vote may hold.
  return small ? FrameClass::vote : FrameClass::batch;
}

}  // namespace iss
}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::Done, segment, digests);
BOOST_HANA_ADAPT_STRUCT(mirbft::CheckpointHeader, epoch, last, log, app_state, app_length, clients,
                        policy, membership, parameters, key_changes, node_keys);
BOOST_HANA_ADAPT_STRUCT(mirbft::CheckpointVote, header, signature);
BOOST_HANA_ADAPT_STRUCT(mirbft::CheckpointSignature, node, signature);
BOOST_HANA_ADAPT_STRUCT(mirbft::StableCheckpoint, header, certificate);
BOOST_HANA_ADAPT_STRUCT(mirbft::ChunkList, length, digests);
BOOST_HANA_ADAPT_STRUCT(mirbft::StateWanted, epoch);
BOOST_HANA_ADAPT_STRUCT(mirbft::StateHead, epoch, clients, policy, pace, app);
BOOST_HANA_ADAPT_STRUCT(mirbft::ChunkWanted, epoch, index);
BOOST_HANA_ADAPT_STRUCT(mirbft::ChunkSupplied, epoch, index, data);
BOOST_HANA_ADAPT_STRUCT(mirbft::Relayed, requests);
BOOST_HANA_ADAPT_STRUCT(mirbft::RequestsWanted, references);
BOOST_HANA_ADAPT_STRUCT(mirbft::RequestsSupplied, requests);
BOOST_HANA_ADAPT_STRUCT(mirbft::BatchesWanted, segment, slots);
BOOST_HANA_ADAPT_STRUCT(mirbft::BatchSupplied, segment, slot, batch);
BOOST_HANA_ADAPT_STRUCT(mirbft::SlotDecision, slot, digest);
BOOST_HANA_ADAPT_STRUCT(mirbft::Decided, segment, decisions);
BOOST_HANA_ADAPT_STRUCT(mirbft::Progress, epoch, next, stable_epochs, key_changes);
BOOST_HANA_ADAPT_STRUCT(mirbft::SlotsWanted, segment, slots);

#endif

// What ISS asks of other modules, notes to itself, and writes ahead.
#ifndef MIRBFT_PROTOCOL_ISS_EVENTS_HPP
#define MIRBFT_PROTOCOL_ISS_EVENTS_HPP

#include <cstdint>
#include <optional>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/events/event.hpp>
#include <mirbft/protocol/iss/messages.hpp>

namespace mirbft {

/// The Protocol's note to itself: go on when everything that is in the list now is through. So a
/// list of a thousand ready requests makes one batch, and not a thousand.
struct Continue {
  static constexpr auto destination = slot::protocol;
  static constexpr std::uint32_t number = 24;
};

/// The Protocol's note to itself: the state of a later checkpoint has been fetched and is durable.
struct StateInstalled {
  static constexpr auto destination = slot::protocol;
  static constexpr std::uint32_t number = 25;

  Epoch epoch;
};

/// Why the digest of a batch is computed.
enum class BatchUse : std::uint8_t { propose, vote, adopt };

/// What is hashed for a batch. The view is not in it, so a digest survives a view change.
struct BatchContent {
  Epoch epoch;
  SeqNr sn;
  Batch batch;
};

/// Origin of the digest of a batch.
struct BatchHash {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 2;

  SegmentId segment;
  std::uint32_t slot = 0;
  Batch batch;
  BatchUse use = BatchUse::propose;
};

/// What is hashed for the delivered log: the hash before an epoch, and the epoch's digests.
struct LogContent {
  Digest before;
  std::vector<Digest> digests;
};

/// The parts of a checkpoint's header that are hashes.
enum class CheckpointPart : std::uint8_t {
  log,
  app_state,
  clients,
  policy,
  membership,
  parameters,
};
inline constexpr std::uint32_t checkpoint_parts = 6;

/// Origin of the digest of a part of a checkpoint.
struct CheckpointHash {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 3;

  Epoch epoch;
  CheckpointPart part = CheckpointPart::log;
};

/// What is hashed for the state of the leader policy and of the epoch's time-out: both encoded,
/// so that who fetches them can check them before reading them.
struct PolicyContent {
  Bytes policy;
  Bytes pace;
};

/// Origin of the digest of a chunk of the own state: of the clients' or the App's part.
struct ChunkHash {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 8;

  Epoch epoch;
  CheckpointPart part = CheckpointPart::app_state;
  std::uint64_t index = 0;
};

/// What is hashed for an inner node of the tree over the App's chunks.
struct MerkleContent {
  Digest left;
  Digest right;
};
/// What is hashed for the App's state.
struct AppContent {
  std::uint64_t chunks = 0;
  /// Of the tree over their digests.
  Digest root;
};

/// Origin of the digest of an inner node of the tree over the own App's chunks.
struct TreeHash {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 11;

  Epoch epoch;
  std::uint64_t level = 0;
  std::uint64_t index = 0;
};

/// The same of the tree over the digests that another replica supplied.
struct TransferTreeHash {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 12;

  /// Number of the question that was answered by them.
  std::uint64_t question = 0;
  std::uint64_t level = 0;
  std::uint64_t index = 0;
};

/// Origin of the digest of a part of the head, or of a chunk, that another replica supplied.
struct TransferHash {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 9;

  /// The piece: 0 is the head, `i + 1` is chunk `i`.
  std::uint64_t piece = 0;
  /// Of the head's parts.
  CheckpointPart part = CheckpointPart::app_state;
  /// Number of the question: who asks twice takes no old result for a new one.
  std::uint64_t question = 0;
};

/// Origin of the check of a certificate that another replica sent.
struct ProofChecking {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 10;

  NodeId from;
  StableCheckpoint proof;
};

/// Origin of this replica's own signature under a checkpoint.
struct CheckpointSigning {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 4;

  CheckpointHeader header;
};

/// Origin of the check of others' signatures under a checkpoint.
struct CheckpointChecking {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 5;

  CheckpointHeader header;
  std::vector<NodeId> signers;
};

/// Bodies to pass on to the others.
struct RelayFetch {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 6;
};

/// Bodies that another replica asked for.
struct SupplyFetch {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 7;

  NodeId to;
};

/// This replica has forgotten what it has said, and votes again from this epoch on; 0 while that is
/// not known.
struct AmnesiaEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 6;

  Epoch votes_from;
};

/// Everything of a segment is decided, durably: before its Done, upon which others forget what they
/// have said of it.
struct DoneEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 7;

  SegmentId segment;
};

/// Before any message of an epoch.
struct EpochEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 2;

  Epoch epoch;
  SeqNr first;
};

/// A stable checkpoint that changes keys of nodes: before anything that is signed by them.
struct KeyEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 10;

  StableCheckpoint proof;
};

/// The key of a client from an epoch on.
struct ClientKeyChange {
  ClientId client;
  Epoch from;
  /// None: it has no key any more.
  std::optional<Bytes> key;

  friend bool operator==(const ClientKeyChange&, const ClientKeyChange&) = default;
};

/// A long byte string with the digests of its chunks, which are not computed twice.
struct ChunkedBytes {
  Bytes data;
  std::vector<Digest> digests;
};

/// A chunk of the App's state, before the checkpoints that it is part of. Changed chunks alone are
/// written; see `iss::ChunkTable`.
struct ChunkEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 8;

  /// The end of this epoch is where the chunk had first this content.
  Epoch epoch;
  std::uint64_t index = 0;
  /// The entry stays in the log as long as the checkpoint of this epoch does.
  Epoch kept;
  Digest digest;
  Bytes data;
};

/// All that a replica needs to go on from a checkpoint, the App's chunks aside.
struct CheckpointState {
  /// The encoded windows and changed keys of all clients.
  ChunkedBytes clients;
  /// The encoded states of the leader policy and of the epoch's time-out.
  Bytes policy;
  Bytes pace;
  /// How many chunks the App's state has.
  std::uint64_t app_chunks = 0;
};

/// Before the checkpoint's message: whoever votes for a state can restore and supply it.
struct CheckpointEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 3;

  CheckpointHeader header;
  Bytes signature;
  CheckpointState state;
};

/// Before anything is truncated or collected.
struct StableEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 4;

  CheckpointHeader header;
  std::vector<CheckpointSignature> certificate;
};

/// A state that was fetched from others: before any message that builds on it.
struct InstalledEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 5;

  CheckpointHeader header;
  std::vector<CheckpointSignature> certificate;
  CheckpointState state;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::Continue);
BOOST_HANA_ADAPT_STRUCT(mirbft::StateInstalled, epoch);
BOOST_HANA_ADAPT_STRUCT(mirbft::PolicyContent, policy, pace);
BOOST_HANA_ADAPT_STRUCT(mirbft::ChunkHash, epoch, part, index);
BOOST_HANA_ADAPT_STRUCT(mirbft::MerkleContent, left, right);
BOOST_HANA_ADAPT_STRUCT(mirbft::AppContent, chunks, root);
BOOST_HANA_ADAPT_STRUCT(mirbft::TreeHash, epoch, level, index);
BOOST_HANA_ADAPT_STRUCT(mirbft::TransferTreeHash, question, level, index);
BOOST_HANA_ADAPT_STRUCT(mirbft::TransferHash, piece, part, question);
BOOST_HANA_ADAPT_STRUCT(mirbft::ProofChecking, from, proof);
BOOST_HANA_ADAPT_STRUCT(mirbft::BatchContent, epoch, sn, batch);
BOOST_HANA_ADAPT_STRUCT(mirbft::LogContent, before, digests);
BOOST_HANA_ADAPT_STRUCT(mirbft::BatchHash, segment, slot, batch, use);
BOOST_HANA_ADAPT_STRUCT(mirbft::CheckpointHash, epoch, part);
BOOST_HANA_ADAPT_STRUCT(mirbft::CheckpointSigning, header);
BOOST_HANA_ADAPT_STRUCT(mirbft::CheckpointChecking, header, signers);
BOOST_HANA_ADAPT_STRUCT(mirbft::RelayFetch);
BOOST_HANA_ADAPT_STRUCT(mirbft::SupplyFetch, to);
BOOST_HANA_ADAPT_STRUCT(mirbft::AmnesiaEntry, votes_from);
BOOST_HANA_ADAPT_STRUCT(mirbft::DoneEntry, segment);
BOOST_HANA_ADAPT_STRUCT(mirbft::EpochEntry, epoch, first);
BOOST_HANA_ADAPT_STRUCT(mirbft::KeyEntry, proof);
BOOST_HANA_ADAPT_STRUCT(mirbft::ClientKeyChange, client, from, key);
BOOST_HANA_ADAPT_STRUCT(mirbft::ChunkedBytes, data, digests);
BOOST_HANA_ADAPT_STRUCT(mirbft::ChunkEntry, epoch, index, kept, digest, data);
BOOST_HANA_ADAPT_STRUCT(mirbft::CheckpointState, clients, policy, pace, app_chunks);
BOOST_HANA_ADAPT_STRUCT(mirbft::CheckpointEntry, header, signature, state);
BOOST_HANA_ADAPT_STRUCT(mirbft::StableEntry, header, certificate);
BOOST_HANA_ADAPT_STRUCT(mirbft::InstalledEntry, header, certificate, state);

#endif

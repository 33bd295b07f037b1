// What ISS asks of other modules, notes to itself, and writes ahead.
#ifndef MIRBFT_PROTOCOL_ISS_EVENTS_HPP
#define MIRBFT_PROTOCOL_ISS_EVENTS_HPP

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

/// Before any message of an epoch.
struct EpochEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 2;

  Epoch epoch;
  SeqNr first;
};

/// Before the checkpoint's message.
struct CheckpointEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 3;

  CheckpointHeader header;
  Bytes signature;
};

/// One signature under a checkpoint.
struct CheckpointSignature {
  NodeId node;
  Bytes signature;
};

/// Before anything is truncated or collected.
struct StableEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 4;

  CheckpointHeader header;
  std::vector<CheckpointSignature> certificate;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::Continue);
BOOST_HANA_ADAPT_STRUCT(mirbft::BatchContent, epoch, sn, batch);
BOOST_HANA_ADAPT_STRUCT(mirbft::LogContent, before, digests);
BOOST_HANA_ADAPT_STRUCT(mirbft::BatchHash, segment, slot, batch, use);
BOOST_HANA_ADAPT_STRUCT(mirbft::CheckpointHash, epoch, part);
BOOST_HANA_ADAPT_STRUCT(mirbft::CheckpointSigning, header);
BOOST_HANA_ADAPT_STRUCT(mirbft::CheckpointChecking, header, signers);
BOOST_HANA_ADAPT_STRUCT(mirbft::RelayFetch);
BOOST_HANA_ADAPT_STRUCT(mirbft::SupplyFetch, to);
BOOST_HANA_ADAPT_STRUCT(mirbft::EpochEntry, epoch, first);
BOOST_HANA_ADAPT_STRUCT(mirbft::CheckpointEntry, header, signature);
BOOST_HANA_ADAPT_STRUCT(mirbft::CheckpointSignature, node, signature);
BOOST_HANA_ADAPT_STRUCT(mirbft::StableEntry, header, certificate);

#endif

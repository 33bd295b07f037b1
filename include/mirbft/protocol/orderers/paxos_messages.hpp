// What Paxos says and writes ahead for a segment.
#ifndef MIRBFT_PROTOCOL_ORDERERS_PAXOS_MESSAGES_HPP
#define MIRBFT_PROTOCOL_ORDERERS_PAXOS_MESSAGES_HPP

#include <cstdint>
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

/// The leader's proposal for a slot in ballot 0, of which it has no need to ask first. It says as
/// well that the leader has accepted it.
struct PaxosAccept {
  SegmentId segment;
  SeqNr sn;
  Batch batch;
};

/// "I have accepted this in this ballot, durably."
struct PaxosAccepted {
  SegmentId segment;
  View ballot;
  SeqNr sn;
  Digest digest;
};

/// What a member has accepted for a slot, within its promise.
struct PaxosClaim {
  View ballot;
  SeqNr sn;
  Digest digest;
};

/// "I accept nothing below this ballot any more, and this is what I have accepted, durably."
/// To all: it is reason for every other member to wait for progress, or to promise the same.
struct PaxosPromise {
  SegmentId segment;
  View ballot;
  /// Of each slot the newest, by ascending `sn`.
  std::vector<PaxosClaim> claims;
};

/// What the owner of a ballot above 0 proposes, slot by slot; `nil_digest` where nothing can have
/// been chosen.
struct PaxosTakeOver {
  SegmentId segment;
  View ballot;
  std::vector<Digest> digests;
};

using PaxosMessage = std::variant<PaxosAccept, PaxosAccepted, PaxosPromise, PaxosTakeOver>;

namespace wire {
template <>
inline constexpr std::string_view given_name<PaxosMessage> = "PaxosMessage";
}  // namespace wire

/// Before a promise is sent.
struct PaxosPromiseEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 40;

  SegmentId segment;
  View ballot;
};

/// Before anything is accepted in a ballot above 0, and before its owner proposes anything in it.
struct PaxosTakeOverEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 41;

  PaxosTakeOver message;
};

/// Before an `Accept` or `Accepted` is sent.
struct PaxosAcceptedEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 42;

  SegmentId segment;
  View ballot;
  SeqNr sn;
  Digest digest;
  /// Empty where the entry before it, of this slot, has the same digest.
  Batch batch;
};

/// A slot is decided. Nothing waits for it: it only saves work after a restart.
struct PaxosDecidedEntry {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 43;

  SegmentId segment;
  SeqNr sn;
  Digest digest;
  /// Empty where what was accepted last has the same digest.
  Batch batch;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::PaxosAccept, segment, sn, batch);
BOOST_HANA_ADAPT_STRUCT(mirbft::PaxosAccepted, segment, ballot, sn, digest);
BOOST_HANA_ADAPT_STRUCT(mirbft::PaxosClaim, ballot, sn, digest);
BOOST_HANA_ADAPT_STRUCT(mirbft::PaxosPromise, segment, ballot, claims);
BOOST_HANA_ADAPT_STRUCT(mirbft::PaxosTakeOver, segment, ballot, digests);
BOOST_HANA_ADAPT_STRUCT(mirbft::PaxosPromiseEntry, segment, ballot);
BOOST_HANA_ADAPT_STRUCT(mirbft::PaxosTakeOverEntry, message);
BOOST_HANA_ADAPT_STRUCT(mirbft::PaxosAcceptedEntry, segment, ballot, sn, digest, batch);
BOOST_HANA_ADAPT_STRUCT(mirbft::PaxosDecidedEntry, segment, sn, digest, batch);

#endif

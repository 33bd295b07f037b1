// A Byzantine replica alone: what it is given to say, and what it says.
#ifndef MIRBFT_TESTS_SIM_ADVERSARY_STAGE_HPP
#define MIRBFT_TESTS_SIM_ADVERSARY_STAGE_HPP

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/sim/adversary/behaviour.hpp>

namespace mirbft::testing {

using namespace sim::byzantine;

/// Tells contents apart, and needs no library.
inline Digest short_hash(ByteView bytes) {
  sim::Fingerprint sum;
  sum.add(bytes);
  Digest digest;
  for (std::size_t i = 0; i < 8; ++i)
    digest.bytes[i] = static_cast<std::uint8_t>(sum.value() >> (8 * i));
  return digest;
}

/// Those of replica 0 of 4, or of more.
inline Powers powers(std::uint64_t seed = 1, std::size_t nodes = 4) {
  std::vector<NodeId> members;
  for (std::size_t i = 0; i < nodes; ++i) members.push_back(NodeId(i));
  return Powers(NodeId(0), members, short_hash, sim::Random(seed));
}

/// What becomes of a message to `to`.
template <class T>
Letters said(Behaviour& behaviour, T message, std::uint64_t to = 1) {
  Letters out;
  behaviour.send({NodeId(to), wrapped(std::move(message))}, out);
  return out;
}
/// What is said because of a message from `from`.
template <class T>
Letters heard(Behaviour& behaviour, T message, std::uint64_t from = 1) {
  Letters out;
  behaviour.hear(NodeId(from), wrapped(std::move(message)), out);
  return out;
}

/// All letters that are a `T`.
template <class T>
std::vector<T> all(const Letters& letters) {
  std::vector<T> found;
  for (const Letter& letter : letters)
    if (const T* one = as<T>(letter.message)) found.push_back(*one);
  return found;
}

constexpr SegmentId segment{Epoch(2), 1};

inline Digest digest(std::uint8_t first) {
  Digest made;
  made.bytes[0] = first;
  return made;
}
inline RequestRef reference(std::uint64_t client, std::uint64_t number) {
  return {ClientId(client), ReqNo(number), digest(static_cast<std::uint8_t>(number + 1))};
}
inline PrePrepare proposal(std::uint64_t sn, std::vector<RequestRef> requests) {
  PrePrepare made{segment, SeqNr(sn), Batch(std::move(requests)), {}};
  powers().sign(made);
  return made;
}
inline Prepare prepare(std::uint64_t sn, std::uint64_t view = 0) {
  Prepare made{segment, View(view), SeqNr(sn), digest(7), {}};
  powers().sign(made);
  return made;
}
inline Commit commit(std::uint64_t sn, std::uint64_t view = 0) {
  return {segment, View(view), SeqNr(sn), digest(7)};
}

// Whether a signature is that of the Byzantine replica itself.

inline bool is_signed(SegmentId where, ByteView message, const Bytes& signature) {
  return sim::Crypto(NodeId(9)).verify_node(NodeId(0), where.epoch, message, signature.view()) ==
         SignatureCheck::valid;
}
inline bool is_signed(const Prepare& one) {
  const PrepareContent content{one.segment, one.view, one.sn, one.digest};
  return is_signed(one.segment, pbft::signed_bytes(powers().cluster(), content).view(),
                   one.signature);
}
inline bool is_signed(const PrePrepare& one) {
  return is_signed(
      Prepare{one.segment, View(0), one.sn, powers().digest_of(one), one.signature});
}
template <class Change>
  requires requires(Change change) { change.view_changes; } ||
           requires(Change change) { change.claims; }
bool is_signed(const Change& one) {
  return is_signed(one.segment, pbft::signed_bytes(powers().cluster(), one).view(),
                   one.signature);
}

}  // namespace mirbft::testing

#endif

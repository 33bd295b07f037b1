// What the tests of invariants share: a place for findings, and short histories.
#ifndef MIRBFT_TESTS_SIM_SEEN_HPP
#define MIRBFT_TESTS_SIM_SEEN_HPP

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <mirbft/events/net.hpp>
#include <mirbft/events/wal.hpp>
#include <mirbft/protocol/iss/events.hpp>
#include <mirbft/protocol/iss/messages.hpp>
#include <mirbft/protocol/orderers/pbft_messages.hpp>
#include <mirbft/sim/clock.hpp>
#include <mirbft/sim/findings.hpp>

namespace mirbft::testing {

using IssPbftMessage = IssMessage<PbftMessage>;

/// What an invariant has found.
struct Seen {
  sim::Clock clock;
  sim::Findings findings{7, clock};

  /// The rule that was broken first.
  std::string first() const { return findings.none() ? "" : findings.all()[0].rule; }
  std::string text() const { return findings.none() ? "" : findings.all()[0].text; }
};

inline Digest digest_of(std::uint8_t mark) {
  Digest made;
  made.bytes[0] = mark;
  return made;
}

inline IssConfig seen_config(std::uint64_t nodes = 4) {
  IssConfig made;
  for (std::uint64_t i = 0; i < nodes; ++i) made.members.push_back(NodeId(i));
  made.epoch_length = 8;
  return made;
}

template <class M>
IssPbftMessage message_of(M one) {
  if constexpr (std::is_constructible_v<PbftMessage, M>) {
    return PbftMessage(std::move(one));
  } else {
    return one;
  }
}
template <class M>
SendMessage<IssPbftMessage> sent(M one) {
  return {{NodeId(3)}, message_of(std::move(one))};
}
template <class Entry>
WalAppend<Entry> appended(Entry entry) {
  return {std::move(entry), RetentionIndex(0)};
}

/// The end of an epoch of 8 sequence numbers.
inline CheckpointHeader header_of(std::uint64_t epoch, std::uint64_t length = 1) {
  CheckpointHeader made;
  made.epoch = Epoch(epoch);
  made.last = SeqNr(8 * epoch + 7);
  made.app_length = length;
  return made;
}
inline CheckpointEntry checkpoint_of(const CheckpointHeader& header) {
  CheckpointEntry entry;
  entry.header = header;
  return entry;
}

}  // namespace mirbft::testing

#endif

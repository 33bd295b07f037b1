// Catching up with those who are done: batches that this replica missed, vouched for by others.
#ifndef MIRBFT_PROTOCOL_ISS_LAGGARD_HPP
#define MIRBFT_PROTOCOL_ISS_LAGGARD_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <mirbft/protocol/iss/allowance.hpp>
#include <mirbft/protocol/iss/bad_message.hpp>
#include <mirbft/protocol/iss/bodies.hpp>
#include <mirbft/protocol/iss/cluster.hpp>
#include <mirbft/protocol/iss/epoch_state.hpp>
#include <mirbft/protocol/iss/events.hpp>
#include <mirbft/protocol/iss/waiting_batches.hpp>
#include <mirbft/wire/codec.hpp>

namespace mirbft::iss {

/// The second rung of the ladder (protocol, section 8): `Done` vectors and fetched batches.
class Laggard {
 public:
  static constexpr std::size_t asked_at_once = 16;

  explicit Laggard(std::size_t members) : allowance_(members) {}

  /// From time to time: peers may ask again.
  void refill() { allowance_.refill(); }

  /// Asks for the batches of slots that a weak quorum has decided and this replica has not, and for
  /// those of which the orderer knows no more than the digest; not at once, since most of them are
  /// on their way, and each time another replica.
  template <class Epochs>
  void ask(Epochs& epoch, const WaitingBatches& waiting, std::chrono::nanoseconds now,
           std::chrono::nanoseconds patience, auto& env) {
    if (now - asked_ < patience || env.cluster().others().empty()) return;
    asked_ = now;
    const EpochPlan& plan = epoch.plan();
    for (std::uint32_t segment = 0; segment < plan.segments(); ++segment) {
      if (epoch.is_complete(segment)) continue;
      BatchesWanted wanted{{plan.epoch(), segment}, {}};
      for (std::uint32_t slot = 0; slot < plan.segment_length(); ++slot)
        if (wanted.slots.size() < asked_at_once && !waiting.adopts(plan.sn_of(segment, slot)) &&
            expected(epoch, segment, slot, env.cluster().quorum()))
          wanted.slots.push_back(slot);
      if (wanted.slots.empty()) continue;
      // Who says that it has decided must have the batch, but may be down.
      const auto speakers = epoch.speakers(segment);
      const NodeId whom = speakers.empty() || turn_ % 2 == 1
                              ? in_turn(env.cluster().others())
                              : env.cluster().members()[in_turn(speakers)];
      env.emit(env.to(whom, std::move(wanted)));
    }
  }

  /// Another replica asks.
  template <class Epochs>
  void answer(Member from, const BatchesWanted& wanted, Epochs& epoch, auto& env) {
    if (wanted.slots.size() > asked_at_once || !is_ascending(wanted.slots) ||
        allowance_.is_spent(from))
      return env.bad(BadMessage::oversized);
    for (const std::uint32_t slot : wanted.slots) {
      if (slot >= epoch.plan().segment_length()) return env.bad(BadMessage::oversized);
      const auto& decision = epoch.at(wanted.segment.index, slot);
      const auto batch = decision ? std::optional(decision->batch)
                                  : epoch.segment(wanted.segment.index).batch_of(slot);
      if (!batch) continue;
      BatchSupplied supplied{wanted.segment, slot, *batch};
      allowance_.spend(from, wire::encoded_size(supplied));
      env.emit(env.to(from.id, std::move(supplied)));
    }
  }

  /// The digest that a weak quorum vouches for, of a slot that is not decided here; or else the one
  /// of which the orderer wants the batch.
  template <class Epochs>
  static std::optional<Digest> expected(Epochs& epoch, std::uint32_t segment, std::uint32_t slot,
                                       Quorum quorum) {
    if (slot >= epoch.plan().segment_length() || epoch.at(segment, slot)) return std::nullopt;
    const auto vouched = epoch.vouched(segment, slot, quorum);
    return vouched ? vouched : epoch.segment(segment).wanted(slot);
  }

 private:
  template <class T>
  const T& in_turn(const std::vector<T>& list) {
    return list[turn_++ % list.size()];
  }

  Allowance allowance_;
  std::chrono::nanoseconds asked_{};
  std::size_t turn_ = 0;
};

}  // namespace mirbft::iss

#endif

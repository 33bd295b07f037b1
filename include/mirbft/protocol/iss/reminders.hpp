// What is lost on the way is asked for and said again.
#ifndef MIRBFT_PROTOCOL_ISS_REMINDERS_HPP
#define MIRBFT_PROTOCOL_ISS_REMINDERS_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <mirbft/protocol/iss/allowance.hpp>
#include <mirbft/protocol/iss/bad_message.hpp>
#include <mirbft/protocol/iss/bodies.hpp>
#include <mirbft/protocol/iss/cluster.hpp>
#include <mirbft/protocol/iss/epoch_state.hpp>
#include <mirbft/protocol/iss/messages.hpp>
#include <mirbft/wire/codec.hpp>

namespace mirbft::iss {

/// The first rung of the ladder (protocol, section 8): a replica that stands still says what it
/// lacks, and every other one repeats what it has said of that itself. So no message needs an
/// acknowledgement of its own.
class Reminders {
 public:
  /// Slots in one question.
  static constexpr std::size_t asked_at_once = 256;

  explicit Reminders(std::size_t members) : allowance_(members) {}

  /// At every Tick: tells where this replica stands, and asks for what it lacks, once an interval.
  template <class Epochs>
  void remind(Epochs& epoch, const Progress& own, auto& env) {
    if (env.now() - last_ < env.resend_after()) return;
    last_ = env.now();
    allowance_.refill();
    if (env.cluster().others().empty()) return;
    env.emit(env.to_others(own));
    for (std::uint32_t segment = 0; segment < epoch.plan().segments(); ++segment)
      if (epoch.segment(segment).idle_for(env.now()) >= env.resend_after())
        ask(epoch, segment, env);
  }

  /// A peer asks for what this replica has said.
  template <class Epochs>
  void answer(Member from, const SlotsWanted& wanted, Epochs& epoch, auto& env) {
    const std::uint32_t index = wanted.segment.index;
    if (wanted.slots.size() > asked_at_once || !is_ascending(wanted.slots) ||
        (!wanted.slots.empty() && wanted.slots.back() >= epoch.plan().segment_length()))
      return env.bad(BadMessage::oversized);
    if (allowance_.is_spent(from)) return;
    const auto send = [&](auto message) {
      allowance_.spend(from, wire::encoded_size(message));
      env.emit(env.to(from.id, std::move(message)));
    };
    const bool done = epoch.is_done(env.cluster().self().index, index);
    if (done) send(Done{wanted.segment, epoch.digests(index)});
    const auto& segment = epoch.segment(index);
    segment.repeat_view(send);
    Decided decided{wanted.segment, {}};
    for (const std::uint32_t slot : wanted.slots) {
      segment.repeat_slot(slot, env.cluster().self().id, send);
      if (const auto& decision = epoch.at(index, slot))
        decided.decisions.push_back({slot, decision->digest});
    }
    if (!done && !decided.decisions.empty()) send(std::move(decided));
  }

 private:
  template <class Epochs>
  static void ask(Epochs& epoch, std::uint32_t segment, auto& env) {
    SlotsWanted wanted{{epoch.plan().epoch(), segment}, {}};
    for (std::uint32_t slot = 0;
         slot < epoch.plan().segment_length() && wanted.slots.size() < asked_at_once; ++slot)
      if (!epoch.at(segment, slot) || epoch.segment(segment).awaits_votes(slot))
        wanted.slots.push_back(slot);
    if (!wanted.slots.empty()) env.emit(env.to_others(std::move(wanted)));
  }

  std::chrono::nanoseconds last_{};
  Allowance allowance_;
};

}  // namespace mirbft::iss

#endif

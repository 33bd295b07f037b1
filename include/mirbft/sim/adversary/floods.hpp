// Replicas that send too much, or what is no message.
#ifndef MIRBFT_SIM_ADVERSARY_FLOODS_HPP
#define MIRBFT_SIM_ADVERSARY_FLOODS_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <mirbft/sim/adversary/behaviour.hpp>
#include <mirbft/types/visit.hpp>

namespace mirbft::sim::byzantine {

/// Asks everybody for everything, over and over, and votes for what is far off.
class Flood : public Behaviour {
 public:
  using Behaviour::Behaviour;

  void hear(NodeId, const Message& message, Letters&) override {
    if (const auto* ordering = std::get_if<PbftMessage>(&message))
      visit_alternative(*ordering, [&](const auto& one) { newest_ = one.segment; });
  }
  void act(Time now, Letters& out) override {
    if (now < next_) return;
    next_ = now + every;
    count();
    for (const NodeId to : others())
      for (int i = 0; i < at_once; ++i) out.push_back({to, anything()});
  }

 private:
  Message anything() {
    const SegmentId segment{newest_.epoch + random().below(3), newest_.index};
    const Epoch old(newest_.epoch.value - std::min(newest_.epoch.value, random().below(4)));
    const SeqNr sn(random().below(1u << 20));
    switch (random().below(10)) {
      case 0: return BatchesWanted{newest_, {0, 1, 2, 3}};
      case 1: return SlotsWanted{newest_, {0, 1, 2, 3}};
      case 2: return RequestsWanted{{{ClientId(0), ReqNo(random().below(100)), {}}}};
      case 3: return StateWanted{old};
      case 4: return ChunkWanted{old, random().below(4)};
      case 5: return Progress{segment.epoch, sn, random().below(2) * old.value, 0};
      case 6: return wrapped(Commit{segment, View(random().below(3)), sn, {}});
      case 7: return Done{segment, std::vector<Digest>(random().below(64))};
      case 8: return wrapped(view_change(segment));
      default: return wrapped(Prepare{segment, View(~random().below(2)), sn, {}, Bytes("no")});
    }
  }
  ViewChange view_change(SegmentId segment) {
    ViewChange change{segment, View(1u << random().below(32)), self(), {}, {}, {}};
    powers().sign(change);
    return change;
  }

  static constexpr Time every = std::chrono::milliseconds(20);
  static constexpr int at_once = 10;

  SegmentId newest_;
  Time next_{};
};

/// Sends frames that are no messages, or not in the one form that they may have.
class MalformedFrames : public Behaviour {
 public:
  using Behaviour::Behaviour;

  void garble(std::vector<std::uint8_t>& frame) override {
    if (frame.empty() || !random().chance(200)) return;
    count();
    const auto junk = [this] { return static_cast<std::uint8_t>(random().next()); };
    switch (random().below(4)) {
      case 0: frame.resize(random().below(frame.size())); break;
      case 1: random().pick(frame) ^= static_cast<std::uint8_t>(1u << random().below(8)); break;
      case 2: {
        // Drawn before the call: compilers differ in which argument comes first.
        const std::size_t more = random().below(64);
        frame.insert(frame.end(), more, junk());
        break;
      }
      default: std::generate(frame.begin(), frame.end(), junk);
    }
  }
};

}  // namespace mirbft::sim::byzantine

#endif

// Replay: the same events make the same outputs and the same state.
#ifndef MIRBFT_SIM_REPLAY_INVARIANTS_HPP
#define MIRBFT_SIM_REPLAY_INVARIANTS_HPP

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <mirbft/events/event.hpp>
#include <mirbft/events/protocol.hpp>
#include <mirbft/events/tracker.hpp>
#include <mirbft/log/event.hpp>
#include <mirbft/log/replay.hpp>
#include <mirbft/sim/disk.hpp>
#include <mirbft/sim/findings.hpp>
#include <mirbft/sim/spares.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/wire/codec.hpp>

namespace mirbft::sim {

/// The lives of nodes that are drawn, those that begin from a log too, are replayed while they
/// last: a second Protocol, made like the first, is given the events that the Node dispatches to
/// its own, in that order. By the rules of `mirbft::Replay` nothing may be dispatched that only a
/// Protocol emits and the second has not emitted; and the two must tell of the same state.
template <class Protocol>
class ReplaysAlike {
 public:
  explicit ReplaysAlike(Spares<Protocol> spares) : spares_(std::move(spares)) {}

  void disk(NodeId node, const Disk& disk) { disks_[node] = &disk; }
  void started(NodeId node) {
    lives_.erase(node);
    if (!spares_.draw()) return;
    lives_.emplace(node,
                   std::make_unique<Life>(spares_.make(node, disks_[node]->contents())));
    ++replayed_;
  }
  void crashed(NodeId node) { lives_.erase(node); }

  template <class E>
  void event(NodeId node, Slot slot, const E& event, Findings& findings) {
    if constexpr (is_listed<E, typename Protocol::emits> ||
                  is_listed<E, typename Protocol::consumes>)
      if (const auto life = lives_.find(node); life != lives_.end())
        step(node, *life->second, slot, event, findings);
  }
  void looked(NodeId node, const auto& replica, Findings& findings) {
    const auto life = lives_.find(node);
    if (life == lives_.end() || life->second->looks++ % 16 != 0) return;
    if (wire::encode(life->second->again.status()) != wire::encode(replica.protocol().status()))
      findings.report("replay", node, std::nullopt, "stands elsewhere than a replay of its events");
  }

  /// How many lives were replayed.
  std::uint64_t replayed() const noexcept { return replayed_; }

 private:
  /// What others in the Node emit or inject too.
  using Shared = events<MessageReceived<typename Protocol::Message>, NewRequest>;

  struct Life {
    explicit Life(Protocol protocol) : again(std::move(protocol)) {}

    Protocol again;
    mirbft::detail::ExpectedEvents expected;
    std::uint64_t looks = 0;
  };

  template <class E>
  static void step(NodeId node, Life& life, Slot slot, const E& event, Findings& findings) {
    if constexpr (is_listed<E, typename Protocol::emits>) {
      LogEvent recorded;
      recorded.slot = slot;
      recorded.number = E::number;
      recorded.payload = wire::encode(event);
      if (!life.expected.take(recorded) && !is_listed<E, Shared>)
        findings.report("replay", node, std::nullopt,
                        "dispatches event " + std::to_string(E::number) +
                            ", which a replay of its events has not emitted");
    }
    if constexpr (is_listed<E, typename Protocol::consumes>) {
      if (slot != slot::protocol) return;
      life.expected.forget_newest();
      mirbft::detail::ReplayOut out(life.expected);
      try {
        life.again.process(E(event), out);
      } catch (const ModuleFailure& failure) {
        findings.report("replay", node, std::nullopt,
                        std::string("a replay of its events fails: ") + failure.what());
      }
    }
  }

  Spares<Protocol> spares_;
  std::uint64_t replayed_ = 0;
  std::map<NodeId, const Disk*> disks_;
  std::map<NodeId, std::unique_ptr<Life>> lives_;
};

}  // namespace mirbft::sim

#endif

// Recovery: whoever starts on a disk comes to where the one stands who has written to it.
#ifndef MIRBFT_SIM_RECOVERY_INVARIANTS_HPP
#define MIRBFT_SIM_RECOVERY_INVARIANTS_HPP

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include <mirbft/events/event.hpp>
#include <mirbft/events/node.hpp>
#include <mirbft/events/wal.hpp>
#include <mirbft/protocol/iss/messages.hpp>
#include <mirbft/protocol/orderers/pbft_messages.hpp>
#include <mirbft/sim/disk.hpp>
#include <mirbft/sim/findings.hpp>
#include <mirbft/sim/spares.hpp>
#include <mirbft/sim/statement.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/wire/codec.hpp>

namespace mirbft::sim {

namespace detail {

/// Where the events of a Protocol go that nobody runs.
struct Nowhere {
  template <class E>
  Nowhere emit(const E&) const noexcept {
    return {};
  }
  template <class... Next>
  void then(const Next&...) const noexcept {}
};

/// Hands the records of a log to a new Protocol, as a Node does, and has it begin.
template <class Protocol, class... Es>
void play_back(const Disk& disk, Protocol& protocol, events<Es...>) {
  Nowhere out;
  const auto read = [&]<class E>(const Record& record, const E*) {
    if constexpr (requires { typename E::origin_type; }) {
      using Entry = typename E::origin_type;
      if constexpr (std::is_same_v<E, WalEntry<Entry>>) {
        if (record.type != WalAppend<Entry>::number) return false;
        if (auto entry = wire::decode<Entry>(record.entry, wire::Form::lenient))
          protocol.process(E{std::move(*entry)}, out);
        return true;
      }
    }
    return false;
  };
  for (const Record& record : disk.records())
    (void)(read(record, static_cast<const Es*>(nullptr)) || ...);
  protocol.process(Init{}, out);
}

}  // namespace detail

/// The state after a crash and recovery is that of a node that has not crashed, as far as it is
/// durable: at drawn moments when all of a node's log is, and nothing is on its way within it, a
/// new Protocol that is given the log stands where the node's own does, has decided what that has
/// decided, and repeats whatever that would repeat, or what it has said there in a later view.
template <class Protocol>
class Recoverable {
 public:
  explicit Recoverable(Spares<Protocol> spares) : spares_(std::move(spares)) {}

  void disk(NodeId node, const Disk& disk) { disks_[node] = &disk; }
  void looked(NodeId node, const auto& replica, Findings& findings) {
    const Disk& disk = *disks_[node];
    if (!spares_.draw() || replica.pending().bits() != 0 ||
        disk.durable() != disk.records().size())
      return;
    ++compared_;
    try {
      Protocol again = spares_.make(node, Contents::kept);
      detail::play_back(disk, again, typename Protocol::consumes{});
      compare(node, replica.protocol(), again, findings);
    } catch (const ModuleFailure& failure) {
      findings.report("recovery", node, std::nullopt,
                      std::string("could not begin again: ") + failure.what());
    }
  }

  /// How often a recovery was compared.
  std::uint64_t compared() const noexcept { return compared_; }

 private:
  struct Last {
    View view;
    std::uint64_t content = 0;
  };
  /// By places without their views.
  using Repeated = std::map<StatementPlace, Last>;

  static void compare(NodeId node, const Protocol& own, const Protocol& again,
                      Findings& findings) {
    const auto is = own.status();
    const auto would_be = again.status();
    if (would_be.stable_checkpoints != is.stable_checkpoints || would_be.epoch < is.epoch ||
        would_be.next_delivery < is.next_delivery ||
        (would_be.epoch == is.epoch && would_be.timeout != is.timeout))
      return findings.report("recovery", node, is.next_delivery,
                             "stands here, and would be at sn " +
                                 std::to_string(would_be.next_delivery.value) + " of epoch " +
                                 std::to_string(would_be.epoch.value) + " with " +
                                 std::to_string(would_be.stable_checkpoints) +
                                 " stable checkpoints after a restart");
    const Repeated repeated = repeated_by(again);
    for (const auto& [place, last] : repeated_by(own)) {
      if (place.segment.epoch.value < is.stable_checkpoints) continue;  // the state stands for it
      const auto found = repeated.find(place);
      const bool is_known = found != repeated.end() && found->second.view >= last.view;
      if (is_known && (found->second.view > last.view || found->second.content == last.content))
        continue;
      StatementPlace said = place;
      said.view = last.view;
      return findings.report("recovery", node, place.sn,
                             "stands by its " + to_string(said) + ", and would " +
                                 (is_known ? "say something else" : "not know of it") +
                                 " after a restart");
    }
  }
  /// All that a replica stands by; its decisions count as a Done for each slot.
  static Repeated repeated_by(const Protocol& protocol) {
    Repeated all;
    protocol.repeat([&](const IssMessage<PbftMessage>& message) {
      if (const auto* decided = std::get_if<Decided>(&message)) {
        for (const auto& [slot, digest] : decided->decisions)
          all[{decided->segment, Statement::done, {}, SeqNr(slot)}] = {{}, content_of(digest)};
      } else if (const auto said = statement_of(message)) {
        const auto& [segment, kind, view, sn] = said->place;
        all[{segment, kind, {}, sn}] = {view, said->content};
      }
    });
    return all;
  }

  Spares<Protocol> spares_;
  std::uint64_t compared_ = 0;
  std::map<NodeId, const Disk*> disks_;
};

}  // namespace mirbft::sim

#endif

// What all correct replicas must have in common, found in the logs of two of them.
#ifndef MIRBFT_MIRCAT_AGREEMENT_HPP
#define MIRBFT_MIRCAT_AGREEMENT_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include <mirbft/events/crypto.hpp>
#include <mirbft/events/event.hpp>
#include <mirbft/events/store.hpp>
#include <mirbft/events/tracker.hpp>
#include <mirbft/log/event.hpp>
#include <mirbft/log/reader.hpp>
#include <mirbft/protocol/iss/events.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft::mircat {

/// The kinds of facts, in the order in which a sequence number comes to them: which batch it is,
/// what the App answers, and what a checkpoint that ends there says of the state.
enum class FactKind : std::uint8_t { decision, results, checkpoint };
inline constexpr std::size_t fact_kinds = 3;
inline constexpr const char* fact_names[fact_kinds] = {"decisions", "results", "checkpoints"};

/// One of them, as an event of a log.
struct Fact {
  FactKind kind = FactKind::decision;
  SeqNr sn;
  LogEvent event;
};

/// The fact that an event tells; nothing if it tells none. Checkpoints are those of ISS.
inline std::optional<Fact> fact_of(const LogEvent& event) {
  if (const auto deliver = event.as<Deliver>())
    return Fact{FactKind::decision, deliver->sn, event};
  if (event.slot == slot::tracker)
    if (const auto applied = event.as<Applied>())
      return Fact{FactKind::results, applied->sn, event};
  if (const auto signing = event.as<SignRequest<CheckpointSigning>>())
    return Fact{FactKind::checkpoint, signing->origin.header.last, event};
  return std::nullopt;
}

/// How far two logs tell the same, for one kind of facts.
struct Common {
  std::uint64_t facts = 0;
  std::optional<SeqNr> first;
  std::optional<SeqNr> last;
};

/// Where two logs part.
struct Parting {
  FactKind kind = FactKind::decision;
  SeqNr sn;
  LogEvent left;
  LogEvent right;
};

/// Compares facts as they come from either log. Those of a kind come by ascending number.
class Agreement {
 public:
  enum class Side : std::uint8_t { left, right };

  /// Takes the next fact of a log.
  void add(Side side, const Fact& fact) {
    Strand& own = strand(side, fact.kind);
    Strand& other = strand(side == Side::left ? Side::right : Side::left, fact.kind);
    own.reached = fact.sn;
    // What the other log has passed by now it will not tell any more.
    while (!other.waiting.empty() && other.waiting.begin()->first < fact.sn)
      other.waiting.erase(other.waiting.begin());
    const auto partner = other.waiting.find(fact.sn);
    if (partner == other.waiting.end()) {
      if (!other.reached || *other.reached < fact.sn) own.keep(fact);
      return;
    }
    if (partner->second.payload == fact.event.payload) {
      note_common(fact);
    } else if (!parting_ || fact.sn < parting_->sn) {
      const bool is_left = side == Side::left;
      parting_ = Parting{fact.kind, fact.sn, is_left ? fact.event : partner->second,
                         is_left ? partner->second : fact.event};
    }
    other.waiting.erase(partner);
  }

  /// The lowest number that has been found to differ.
  const std::optional<Parting>& parting() const noexcept { return parting_; }
  const Common& common(FactKind kind) const noexcept { return common_[index(kind)]; }
  /// The last number of a kind that a log has told of.
  std::optional<SeqNr> reached(Side side, FactKind kind) const {
    return strands_[index(side)][index(kind)].reached;
  }
  /// The log that should be read on, so that little waits: the one that lags behind.
  Side next() const {
    const auto place = [&](Side side) { return reached(side, FactKind::decision).value_or(SeqNr()); };
    return place(Side::right) < place(Side::left) ? Side::right : Side::left;
  }

 private:
  /// The facts of a kind from one log.
  struct Strand {
    std::optional<SeqNr> reached;
    std::map<SeqNr, LogEvent> waiting;

    void keep(const Fact& fact) {
      LogEvent event = fact.event;
      event.payload = Bytes(event.payload.view());  // A slice would keep its block in memory.
      waiting.insert_or_assign(fact.sn, std::move(event));
    }
  };

  template <class E>
  static std::size_t index(E value) noexcept {
    return static_cast<std::size_t>(value);
  }
  Strand& strand(Side side, FactKind kind) { return strands_[index(side)][index(kind)]; }

  void note_common(const Fact& fact) {
    if (parting_ && parting_->sn <= fact.sn) return;
    Common& common = common_[index(fact.kind)];
    ++common.facts;
    if (!common.first) common.first = fact.sn;
    common.last = fact.sn;
  }

  std::array<std::array<Strand, fact_kinds>, 2> strands_;
  std::array<Common, fact_kinds> common_;
  std::optional<Parting> parting_;
};

}  // namespace mirbft::mircat

#endif

// What a ClientTracker tells the operator.
#ifndef MIRBFT_MODULES_TRACKER_TRACKER_STATUS_HPP
#define MIRBFT_MODULES_TRACKER_TRACKER_STATUS_HPP

#include <cstdint>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/types/outcome.hpp>

namespace mirbft {

/// Where a ClientTracker stands, and what it has done since the start.
struct TrackerStatus {
  /// Now: clients known, submissions being checked, payloads admitted and not yet delivered, and
  /// what both cost (TrackerConfig::max_pending_bytes says how that is counted).
  std::uint64_t clients = 0;
  std::uint64_t checking = 0;
  std::uint64_t pending = 0;
  std::uint64_t pending_bytes = 0;
  /// Since the start.
  std::uint64_t admitted = 0;
  std::uint64_t delivered = 0;
  /// Submissions of what was open already: they share its outcome.
  std::uint64_t repeated = 0;
  /// Submissions that were answered at once, with or without their result.
  std::uint64_t already_delivered = 0;
  std::uint64_t rejected_size = 0;
  std::uint64_t rejected_window = 0;
  std::uint64_t rejected_signature = 0;
  std::uint64_t rejected_conflict = 0;
  std::uint64_t overloaded = 0;
  /// Clients' signatures over a second payload under one number: proofs of misbehaviour.
  std::uint64_t equivocations = 0;

  void count(Outcome outcome) noexcept {
    switch (outcome) {
      case Outcome::delivered:
      case Outcome::already_delivered: ++already_delivered; break;
      case Outcome::rejected_signature: ++rejected_signature; break;
      case Outcome::rejected_size: ++rejected_size; break;
      case Outcome::rejected_window: ++rejected_window; break;
      case Outcome::rejected_conflict: ++rejected_conflict; break;
      case Outcome::overloaded: ++overloaded; break;
      case Outcome::shut_down: break;
    }
  }
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::TrackerStatus, clients, checking, pending, pending_bytes, admitted,
                        delivered, repeated, already_delivered, rejected_size, rejected_window,
                        rejected_signature, rejected_conflict, overloaded, equivocations);

#endif

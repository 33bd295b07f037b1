// What the Tracker knows of a request number that is not delivered yet.
#ifndef MIRBFT_MODULES_TRACKER_OPEN_NUMBER_HPP
#define MIRBFT_MODULES_TRACKER_OPEN_NUMBER_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <mirbft/events/tracker.hpp>
#include <mirbft/modules/tracker/tracker_config.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/types/request.hpp>

namespace mirbft::tracker {

/// What a request is taken to occupy while it is open.
inline std::uint64_t cost(const Request& request) noexcept {
  return request.data.size() + request.authenticator.size() + TrackerConfig::request_overhead;
}

enum class Stage : std::uint8_t {
  hashing,
  verifying,
  /// The same body is being verified with another authenticator: one of the two may be forged,
  /// and a verdict names the body only, so they take turns.
  waiting,
};

/// A submitted request that is not known to be authentic yet.
struct Candidate {
  Request request;
  std::uint64_t ticket = 0;
  Digest digest;
  Stage stage = Stage::hashing;
  Spread spread = Spread::by_client;
  /// A proposal names it, so it is needed whatever else the client has signed.
  bool proposed = false;

  bool same_as(const Request& other) const noexcept {
    return request.data == other.data && request.authenticator == other.authenticator;
  }
  /// It is submitted once more, in the same way or in another.
  void join(Spread other) noexcept {
    proposed = proposed || other == Spread::fetched;
    if (spread == Spread::fetched || other == Spread::by_replica) spread = other;
  }
  void join(const Candidate& other) noexcept {
    join(other.spread);
    proposed = proposed || other.proposed;
  }
};

/// Candidates and admitted payloads under one number.
struct OpenNumber {
  std::vector<Candidate> candidates;
  /// The first authentic payload. Only a proposal brings in others.
  std::optional<Digest> admitted;
  std::vector<Digest> also_admitted;
  /// Cost of what is admitted.
  std::uint64_t admitted_cost = 0;
  /// The Protocol has it delivered, the App's reply is still to come.
  bool awaits_reply = false;

  bool idle() const noexcept { return candidates.empty() && !admitted; }

  bool holds(const Digest& digest) const noexcept {
    return admitted == digest || std::find(also_admitted.begin(), also_admitted.end(), digest) !=
                                     also_admitted.end();
  }

  void admit(const Candidate& candidate) {
    if (admitted)
      also_admitted.push_back(candidate.digest);
    else
      admitted = candidate.digest;
    admitted_cost += cost(candidate.request);
  }

  /// A candidate at `stage`; null if there is none.
  Candidate* find(Stage stage, const Digest& digest) noexcept {
    for (Candidate& candidate : candidates)
      if (candidate.stage == stage && candidate.digest == digest) return &candidate;
    return nullptr;
  }
  Candidate* find_hashing(std::uint64_t ticket) noexcept {
    for (Candidate& candidate : candidates)
      if (candidate.stage == Stage::hashing && candidate.ticket == ticket) return &candidate;
    return nullptr;
  }
  Candidate* find_same(const Request& request) noexcept {
    for (Candidate& candidate : candidates)
      if (candidate.same_as(request)) return &candidate;
    return nullptr;
  }

  /// Proposals' candidates and clients' are counted apart: clients cannot keep the others out.
  std::size_t count(bool proposed) const noexcept {
    std::size_t number = 0;
    for (const Candidate& candidate : candidates) number += candidate.proposed == proposed;
    return number;
  }
};

}  // namespace mirbft::tracker

#endif

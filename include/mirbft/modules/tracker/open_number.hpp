// What the Tracker knows of a request number that is not delivered yet.
#ifndef MIRBFT_MODULES_TRACKER_OPEN_NUMBER_HPP
#define MIRBFT_MODULES_TRACKER_OPEN_NUMBER_HPP

#include <cstddef>
#include <cstdint>
#include <vector>

#include <mirbft/events/tracker.hpp>
#include <mirbft/modules/tracker/tracker_config.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/digest.hpp>

namespace mirbft::tracker {

/// How far a payload has come.
enum class Stage : std::uint8_t {
  hashing,
  verifying,
  /// The same body is being verified with another authenticator: one of the two may be forged,
  /// and a verdict names the body only, so they take turns.
  waiting,
  /// Authentic, and with the Store. Only a proposal brings in more than one under a number.
  admitted,
};

/// A request that was submitted under some number.
struct Payload {
  /// Identifies it until its digest is known.
  std::uint64_t ticket = 0;
  /// Both are empty once it is admitted.
  Bytes data;
  Bytes authenticator;
  /// What it counts for in `TrackerConfig::max_pending_bytes`.
  std::uint64_t cost = 0;
  Digest digest;
  Stage stage = Stage::hashing;
  Spread spread = Spread::by_client;
  /// A proposal names it, so it is needed whatever else the client has signed.
  bool proposed = false;

  /// It is submitted once more, in the same way or in another.
  void join(Spread other) noexcept {
    proposed = proposed || other == Spread::fetched;
    if (is_from_replica(spread) || other == Spread::by_replica) spread = other;
  }
};

inline std::uint64_t cost_of(const Bytes& data, const Bytes& authenticator) noexcept {
  return data.size() + authenticator.size() + TrackerConfig::request_overhead;
}

/// The payloads under one number, oldest first.
struct OpenNumber {
  std::vector<Payload> payloads;
  /// The Protocol has it delivered, the App's reply is still to come.
  bool awaits_reply = false;

  Payload* find(Stage stage, const Digest& digest) noexcept {
    return find_if([&](const Payload& payload) {
      return payload.stage == stage && payload.digest == digest;
    });
  }
  Payload* find_admitted() noexcept {
    return find_if([](const Payload& payload) { return payload.stage == Stage::admitted; });
  }
  Payload* find_hashing(std::uint64_t ticket) noexcept {
    return find_if([ticket](const Payload& payload) {
      return payload.stage == Stage::hashing && payload.ticket == ticket;
    });
  }
  /// One that is being checked and is the same to the last byte.
  Payload* find_same(const Bytes& data, const Bytes& authenticator) noexcept {
    return find_if([&](const Payload& payload) {
      return payload.stage != Stage::admitted && payload.data == data &&
             payload.authenticator == authenticator;
    });
  }

  /// How many are being checked. Those of proposals and those of clients are counted apart, so
  /// that clients cannot keep proposals out.
  std::size_t count_checking(bool proposed) const noexcept {
    std::size_t count = 0;
    for (const Payload& payload : payloads)
      count += payload.stage != Stage::admitted && payload.proposed == proposed;
    return count;
  }

 private:
  template <class Wanted>
  Payload* find_if(Wanted&& wanted) noexcept {
    for (Payload& payload : payloads)
      if (wanted(payload)) return &payload;
    return nullptr;
  }
};

}  // namespace mirbft::tracker

#endif

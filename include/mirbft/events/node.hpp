// Events of the Node itself: what it tells its modules, and what it is told.
#ifndef MIRBFT_EVENTS_NODE_HPP
#define MIRBFT_EVENTS_NODE_HPP

#include <chrono>
#include <string>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/events/event.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/outcome.hpp>

namespace mirbft {

/// The write-ahead log has been played back: from here on, modules may act.
struct Init {
  static constexpr auto destination = slot::all;
  static constexpr std::uint32_t number = 1;
};

/// The only time that deterministic modules know: since some fixed point, never going back.
struct Tick {
  static constexpr auto destination = slot::protocol | slot::tracker;
  static constexpr std::uint32_t number = 2;

  std::chrono::nanoseconds now{};
};

/// What became of a submitted request; goes to the caller who waits for it.
struct Replied {
  static constexpr auto destination = slot::node;
  static constexpr std::uint32_t number = 9;

  ClientId client;
  ReqNo req_no;
  Outcome outcome = Outcome::delivered;
  /// Where it was delivered; 0 unless `outcome` is `delivered`.
  SeqNr sn;
  /// Of the App; if `outcome` is `rejected_window`, where the client stands (`ClientPosition`).
  Bytes result;
};

/// A deterministic module found that going on would be wrong; the Node stops and says why.
struct Halt {
  static constexpr auto destination = slot::node;
  static constexpr std::uint32_t number = 23;

  std::string reason;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::Init);
BOOST_HANA_ADAPT_STRUCT(mirbft::Tick, now);
BOOST_HANA_ADAPT_STRUCT(mirbft::Replied, client, req_no, outcome, sn, result);
BOOST_HANA_ADAPT_STRUCT(mirbft::Halt, reason);

#endif

// Events for the App.
#ifndef MIRBFT_EVENTS_APP_HPP
#define MIRBFT_EVENTS_APP_HPP

#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/events/event.hpp>
#include <mirbft/events/reconfiguration.hpp>
#include <mirbft/types/request.hpp>

namespace mirbft {

/// The requests of a sequence number, in the order in which the App must apply them.
struct Apply {
  static constexpr auto destination = slot::app;
  static constexpr std::uint32_t number = 7;

  SeqNr sn;
  std::vector<Request> requests;
};

/// The App's state after exactly the sequence numbers up to `sn`.
struct AppSnapshot {
  static constexpr auto destination = slot::protocol;
  static constexpr std::uint32_t number = 13;

  SeqNr sn;
  Bytes data;
  /// What the requests since the snapshot before have asked for, in their order.
  std::vector<Reconfiguration> reconfigurations{};
};

/// Asks for the state after `sn`. May arrive before `Apply` of `sn`, never after that of `sn + 1`.
struct AppSnapshotRequest {
  static constexpr auto destination = slot::app;
  static constexpr std::uint32_t number = 12;
  using answer = AppSnapshot;

  SeqNr sn;
};

/// The App's state is now the one after `sn`.
struct AppRestored {
  static constexpr auto destination = slot::protocol;
  static constexpr std::uint32_t number = 15;

  SeqNr sn;
};

/// Replaces the App's state by a snapshot taken after `sn`.
struct AppRestoreState {
  static constexpr auto destination = slot::app;
  static constexpr std::uint32_t number = 14;
  using answer = AppRestored;

  SeqNr sn;
  Bytes data;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::Apply, sn, requests);
BOOST_HANA_ADAPT_STRUCT(mirbft::AppSnapshot, sn, data, reconfigurations);
BOOST_HANA_ADAPT_STRUCT(mirbft::AppSnapshotRequest, sn);
BOOST_HANA_ADAPT_STRUCT(mirbft::AppRestored, sn);
BOOST_HANA_ADAPT_STRUCT(mirbft::AppRestoreState, sn, data);

#endif

// Events for the App.
#ifndef MIRBFT_EVENTS_APP_HPP
#define MIRBFT_EVENTS_APP_HPP

#include <cstdint>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/events/event.hpp>
#include <mirbft/events/reconfiguration.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/request.hpp>

namespace mirbft {

/// The requests of a sequence number, in the order in which the App must apply them.
struct Apply {
  static constexpr auto destination = slot::app;
  static constexpr std::uint32_t number = 7;

  SeqNr sn;
  std::vector<Request> requests;
};

/// One chunk of an App's state.
struct AppChunk {
  std::uint64_t index = 0;
  Bytes data;
};

/// A piece of the App's state after exactly the sequence numbers up to `sn`. The state comes as
/// several of them, while later batches are applied.
struct AppSnapshot {
  static constexpr auto destination = slot::protocol;
  static constexpr std::uint32_t number = 13;

  SeqNr sn;
  /// How many chunks the whole state has.
  std::uint64_t chunks = 0;
  /// Some of those that have changed since the snapshot, or the restored state, before this one.
  std::vector<AppChunk> changed;
  /// How many more of them come in later pieces.
  std::uint64_t remaining = 0;
  /// In the last piece: what the requests since the snapshot before have asked for, in their order.
  std::vector<Reconfiguration> reconfigurations{};
};

/// Asks for what has changed in the state up to `sn`. May arrive before `Apply` of `sn`, never
/// after that of `sn + 1`.
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

/// Replaces the App's state by the one after `sn`.
struct AppRestoreState {
  static constexpr auto destination = slot::app;
  static constexpr std::uint32_t number = 14;
  using answer = AppRestored;

  SeqNr sn;
  /// All of its chunks, in their order.
  std::vector<Bytes> chunks;
};

/// The App's note to itself: the next piece of a snapshot, once the batches that have come
/// meanwhile are applied.
struct AppContinue {
  static constexpr auto destination = slot::app;
  static constexpr std::uint32_t number = 26;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::Apply, sn, requests);
BOOST_HANA_ADAPT_STRUCT(mirbft::AppChunk, index, data);
BOOST_HANA_ADAPT_STRUCT(mirbft::AppSnapshot, sn, chunks, changed, remaining, reconfigurations);
BOOST_HANA_ADAPT_STRUCT(mirbft::AppSnapshotRequest, sn);
BOOST_HANA_ADAPT_STRUCT(mirbft::AppRestored, sn);
BOOST_HANA_ADAPT_STRUCT(mirbft::AppRestoreState, sn, chunks);
BOOST_HANA_ADAPT_STRUCT(mirbft::AppContinue);

#endif

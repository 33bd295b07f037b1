// An event as it stands in an event log.
#ifndef MIRBFT_LOG_EVENT_HPP
#define MIRBFT_LOG_EVENT_HPP

#include <cstdint>
#include <optional>
#include <string_view>

#include <mirbft/events/event.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/wire/decode.hpp>

namespace mirbft {

/// One event of a log, in the protobuf bytes that were recorded.
struct LogEvent {
  /// Place in the total order of dispatch, from 0.
  std::uint64_t index = 0;
  /// The module that it was dispatched to. An event for several stands there once for each.
  Slot slot = slot::node;
  std::uint32_t number = 0;
  /// Its message in the log's schema; as long-lived as the reader that it comes from.
  std::string_view name;
  Bytes payload;
  /// Where it begins in the file; where its block begins if that is compressed.
  std::uint64_t offset = 0;
  /// When it was dispatched, in nanoseconds since the Unix epoch of the clock that the writer had;
  /// virtual time in a simulation. Zero where it is not known.
  std::uint64_t time = 0;

  /// The event as a C++ value; nothing when it is no `E`, or one that this `E` cannot hold.
  template <class E>
  std::optional<E> as() const {
    if (number != E::number) return std::nullopt;
    return wire::decode<E>(payload, wire::Form::lenient);
  }
};

}  // namespace mirbft

#endif

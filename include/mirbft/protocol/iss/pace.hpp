// How long a leader may take: a time-out that follows the delivered log, and what derives from it.
#ifndef MIRBFT_PROTOCOL_ISS_PACE_HPP
#define MIRBFT_PROTOCOL_ISS_PACE_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/protocol/iss/config.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/quorum.hpp>

namespace mirbft::iss {

/// T_e (protocol, section 6). Part of the checkpoint: every epoch starts at view 0 again, so that
/// patience that was learnt in one epoch would be lost if it were kept by segment.
struct Pace {
  /// Clean epochs in a row after which the time-out is halved.
  static constexpr std::uint32_t clean_epochs_needed = 8;

  /// T_e of the current epoch. Starts as `IssConfig::base_timeout`.
  std::chrono::nanoseconds timeout{};
  /// How many epochs in a row have been without nil.
  std::uint32_t clean_epochs = 0;

  friend bool operator==(const Pace&, const Pace&) = default;

  /// The end of an epoch in which `suspected` leaders had at least one nil. More than f of them
  /// cannot all have been faulty: some correct one had too little time. Up to f may have been, and
  /// change nothing. `base` is T_0.
  constexpr void epoch_ended(std::size_t suspected, Quorum quorum, std::chrono::nanoseconds base) {
    clean_epochs = suspected == 0 ? clean_epochs + 1 : 0;
    if (suspected > quorum.faulty()) timeout = std::min(2 * timeout, longest_timeout);
    if (clean_epochs < clean_epochs_needed) return;
    clean_epochs = 0;
    timeout = std::max(timeout / 2, base);
  }
};

/// How long a segment may stand still in a view before its primary is given up on. Doubles with
/// every second view: some of the primaries in a row may be faulty, and patience that is learnt
/// while the network is cut is waited for once it is not.
constexpr std::chrono::nanoseconds view_timeout(std::chrono::nanoseconds timeout, View view) {
  constexpr std::uint64_t most_doublings = 12;
  return timeout * (std::int64_t{1} << std::min(view.value / 2, most_doublings));
}

/// How long a whole segment of `length` slots may take in view 0: a leader that always makes a
/// little progress must not hold up an epoch for ever.
constexpr std::chrono::nanoseconds segment_timeout(std::chrono::nanoseconds timeout,
                                                   std::uint32_t length,
                                                   std::chrono::nanoseconds slot_time) {
  return 4 * timeout + 2 * std::int64_t{length} * slot_time;
}

/// How long to wait for an answer before what was said is said again.
constexpr std::chrono::nanoseconds resend_interval(std::chrono::nanoseconds timeout) {
  return timeout / 2;
}

}  // namespace mirbft::iss

BOOST_HANA_ADAPT_STRUCT(mirbft::iss::Pace, timeout, clean_epochs);

#endif

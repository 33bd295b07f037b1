// The words of scenario files: what writing and reading them have in common.
//
//     # A comment, up to the end of the line.
//     seed 7                          of all that is still drawn, such as how long a frame takes
//     nodes 4                         before any line that names one
//     clients 2 requests 20 open 4 target all retry_after 2s rest 20ms
//     links loss 20 delay 5           of a thousand frames; and the other members of LinkRates
//     pace shuffled_slots 1000        members of Pace
//     disks tail drawn                members of DiskRates
//     adversary 3 silent_leader,double_vote
//     adversary clients two_payloads  and others; mirbft-sim --adversary list
//     at 200ms crash 2 after 7 for 500ms
//     at 1s symmetric_partition 0,1 | 2,3 for 1s
//     at 2s clog 0 to 3 for 300ms
//     for Commit from 2 to 0,1 drop
//     after 1s until 2s for Prepare view 1.. to 3 delay 50ms
//     until 2 NewView from 1 for any from 0 drop
//     for NewView first 3 duplicate
//     after 3 NewView from 1 crash 1 for 500ms
//     heal 5s without 3               everything ends, and 3 stays down; else after the last strike
//     settle 120s                     within this time after it all must be done
//
// A line `at TIME` or `after MESSAGES` ends with a strike, whose form is that of its shape
// (schedule.hpp). A line with `for` meddles with messages (rule.hpp). Messages are a type's name or
// `any`, then any of `from`, `to`, `epoch`, `view` and `sn`, ranges being 5, 5..9 or 5.. . `after`
// and `until` take a time, or how many of which messages.
#ifndef MIRBFT_SIM_SCENARIO_WORDS_HPP
#define MIRBFT_SIM_SCENARIO_WORDS_HPP

#include <string_view>

#include <mirbft/sim/client.hpp>
#include <mirbft/sim/disk.hpp>
#include <mirbft/sim/rule.hpp>

namespace mirbft::sim::detail {

/// The names of an enum's values, in their order.
template <class E>
inline constexpr std::string_view value_names[1] = {};
template <>
inline constexpr std::string_view value_names<Target>[3] = {"one", "some", "all"};
template <>
inline constexpr std::string_view value_names<Tail>[3] = {"kept", "drawn", "lost"};
template <>
inline constexpr std::string_view value_names<Meddling>[3] = {"drop", "delay", "duplicate"};

/// The word for messages of every type.
inline constexpr std::string_view any_type = "any";

}  // namespace mirbft::sim::detail

#endif

// What a replica tells its launcher, one JSON object a line.
#ifndef MIRBFT_EXAMPLES_REPLICA_REPORT_HPP
#define MIRBFT_EXAMPLES_REPLICA_REPORT_HPP

#include <cstdint>
#include <string>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/types/digest.hpp>
#include <mirbft/types/id.hpp>

namespace quickstart {

/// Where a replica stands. Only in the last one, whose stage is `ended`, is all of it filled.
struct Report {
  /// `ready`: it listens. `working`: a sign of life. `complete`: all is delivered and its own
  /// clients have their replies. `ended`: it has stopped.
  std::string stage;
  /// Deliveries, whatever they were.
  std::uint64_t delivered = 0;
  /// Of these, those of a request that was delivered before.
  std::uint64_t repeated = 0;
  /// Of these, those that are no command of the input, or not the one under this number.
  std::uint64_t foreign = 0;
  /// Submissions of its own clients that were answered without a result, and the last answer.
  std::uint64_t refused = 0;
  std::string refusal{};
  /// The last sequence number that held requests.
  mirbft::SeqNr last_sn{};
  /// Of all (sequence number, client, request number, digest), in order.
  mirbft::Digest log{};
  /// Of the App's snapshot.
  mirbft::Digest store{};
  std::uint64_t requests_per_second = 0;
  /// From submission to reply, of its own clients' requests.
  std::uint64_t p50_us = 0;
  std::uint64_t p99_us = 0;
};

}  // namespace quickstart

BOOST_HANA_ADAPT_STRUCT(quickstart::Report, stage, delivered, repeated, foreign, refused, refusal,
                        last_sn, log, store, requests_per_second, p50_us, p99_us);

#endif

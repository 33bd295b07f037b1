// What the benchmark is asked to run, and what it found.
#ifndef MIRBFT_EXAMPLES_BENCH_OPTIONS_HPP
#define MIRBFT_EXAMPLES_BENCH_OPTIONS_HPP

#include <cstdint>
#include <string>

#include <boost/hana/adapt_struct.hpp>

namespace bench {

struct Options {
  std::string transport = "memory";
  std::uint32_t nodes = 4;
  std::uint32_t payload = 500;
  std::uint32_t clients = 8;
  /// Requests that each client keeps open.
  std::uint32_t outstanding = 96;
  std::string crypto = "null";
  std::string wal = "none";
  /// What a sync of the log takes, in microseconds; it sleeps for so long.
  std::uint32_t sync_time = 0;
  std::string votes = "gathered";
  std::string group_commit = "list";
  std::string pull_along = "at-once";
  std::string batching = "adaptive";
  /// Folder for an event log of each node; nothing is recorded without.
  std::string record;
  double seconds = 5;
  /// Load before the measurement begins.
  double warm_up = 1;
};

struct Latency {
  double p50 = 0;
  double p99 = 0;
  double p999 = 0;
};

struct Result {
  Options options;
  std::uint64_t requests = 0;
  double requests_per_second = 0;
  Latency latency_ms;
  double cpu_us_per_request = 0;
  /// Whether all nodes delivered the same requests in the same order.
  bool agreed = false;
  /// With signatures: what one core verifies a second, measured before the load, and the most
  /// requests that all cores could verify at every node.
  double verifications_per_second = 0;
  double verification_limit = 0;
};

}  // namespace bench

BOOST_HANA_ADAPT_STRUCT(bench::Options, transport, nodes, payload, clients, outstanding, crypto,
                        wal, sync_time, votes, group_commit, pull_along, batching, record,
                        seconds, warm_up);
BOOST_HANA_ADAPT_STRUCT(bench::Latency, p50, p99, p999);
BOOST_HANA_ADAPT_STRUCT(bench::Result, options, requests, requests_per_second, latency_ms,
                        cpu_us_per_request, agreed, verifications_per_second, verification_limit);

#endif

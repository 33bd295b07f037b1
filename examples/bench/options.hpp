// What the benchmark is asked to run, and what it found.
#ifndef MIRBFT_EXAMPLES_BENCH_OPTIONS_HPP
#define MIRBFT_EXAMPLES_BENCH_OPTIONS_HPP

#include <cstdint>
#include <string>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

namespace bench {

struct Options {
  /// Each node in a process of its own, or all in one.
  bool processes = false;
  std::string transport = "memory";
  std::uint32_t nodes = 4;
  std::uint32_t payload = 500;
  std::uint32_t clients = 8;
  /// Requests that each client keeps open.
  std::uint32_t outstanding = 96;
  /// Of clients: none, one for each request, or one for many. Nodes sign unless it is none.
  std::string signatures = "none";
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
  /// Where processes keep their data, and whatever else they need; it is removed afterwards.
  std::string folder = "/var/tmp";
};

struct Latency {
  double p50 = 0;
  double p99 = 0;
  double p999 = 0;
};

/// What a process spent on a request.
struct Cost {
  std::string who;
  double cpu_us_per_request = 0;
};

struct Result {
  Options options;
  std::uint64_t requests = 0;
  double requests_per_second = 0;
  Latency latency_ms;
  /// Of all together.
  double cpu_us_per_request = 0;
  std::vector<Cost> costs;
  /// Whether all nodes delivered the same requests in the same order.
  bool agreed = false;
  /// With a signature for each request: what one core verifies a second, measured before the load,
  /// and the most requests that all cores could verify at every node.
  double verifications_per_second = 0;
  double verification_limit = 0;
};

/// Each runs what is asked for; throws ConfigError for what cannot be, and whatever else fails.
Result run_in_one_process(const Options& options);
Result run_in_processes(const Options& options);

/// Works as a node that `run_in_processes` has started; `config` is its file.
int run_replica(const std::string& config, const Options& options);

}  // namespace bench

BOOST_HANA_ADAPT_STRUCT(bench::Options, processes, transport, nodes, payload, clients, outstanding,
                        signatures, wal, sync_time, votes, group_commit, pull_along, batching, record,
                        seconds, warm_up, folder);
BOOST_HANA_ADAPT_STRUCT(bench::Latency, p50, p99, p999);
BOOST_HANA_ADAPT_STRUCT(bench::Cost, who, cpu_us_per_request);
BOOST_HANA_ADAPT_STRUCT(bench::Result, options, requests, requests_per_second, latency_ms,
                        cpu_us_per_request, costs, agreed, verifications_per_second,
                        verification_limit);

#endif

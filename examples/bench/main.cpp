// mirbft-bench: how many requests a cluster orders a second, how soon, and at what cost.
#include <csignal>
#include <cstdio>
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>

#include <mirbft/types/errors.hpp>
#include <mirbft/wire/json.hpp>

#include "../shared/program.hpp"
#include "options.hpp"

namespace {

using namespace bench;

constexpr const char* about =
    "Measures a cluster of mirbft nodes under closed-loop load: in one process, or, where TLS or\n"
    "real disks are asked for, in processes of their own.\n"
    "Ends with 1 where the nodes do not agree in the end.";

void print(const Result& result) {
  const Options& options = result.options;
  std::printf("%u nodes in %s, transport %s, signatures %s, wal %s\n", options.nodes,
              options.processes ? "as many processes" : "one process", options.transport.c_str(),
              options.signatures.c_str(), options.wal.c_str());
  std::printf("%u clients with %u requests of %u bytes open each, every request to all nodes\n\n",
              options.clients, options.outstanding, options.payload);
  std::printf("  requests/s      %12.0f\n", result.requests_per_second);
  std::printf("  latency p50     %12.2f ms\n", result.latency_ms.p50);
  std::printf("  latency p99     %12.2f ms\n", result.latency_ms.p99);
  std::printf("  latency p99.9   %12.2f ms\n", result.latency_ms.p999);
  std::printf("  CPU/request     %12.2f us, clients included\n", result.cpu_us_per_request);
  for (const Cost& cost : result.costs)
    std::printf("    %-13s %12.2f us\n", cost.who.c_str(), cost.cpu_us_per_request);
  if (result.verification_limit > 0)
    std::printf("  of what verifying allows %6.0f %% (%.0f requests/s at %.0f verifications/s)\n",
                100 * result.requests_per_second / result.verification_limit,
                result.verification_limit, result.verifications_per_second);
  std::printf("  all agreed      %12s\n", result.agreed ? "yes" : "NO");
}

void require(bool holds, const char* field, const std::string& value, const char* rule) {
  if (!holds) throw mirbft::ConfigError(field, value, rule);
}

/// What only all options together show.
void check(const Options& options) {
  const std::uint64_t open = std::uint64_t{options.clients} * options.outstanding;
  require(open <= 60000, "--clients times --outstanding", std::to_string(open),
          "must be at most 60000, which a node's inbox holds");
  if (options.processes) {
    require(options.transport != "memory", "--transport", "memory",
            "must be tcp or tls between processes");
    require(options.wal != "memory" && options.sync_time == 0, "--wal", "memory",
            "must be none, write or sync in processes, and without --sync-time");
    require(options.clients <= 1000, "--clients", std::to_string(options.clients),
            "must be at most 1000 with processes");
    require(options.payload > 0, "--payload", "0", "must be at least 1 with processes");
  } else {
    require(options.signatures != "merkle", "--signatures", "merkle",
            "is what remote clients do: add --processes and --transport tls or tcp");
  }
}

int run(const Options& options, bool json) {
  check(options);
  const Result result = options.processes ? run_in_processes(options) : run_in_one_process(options);
  if (json) {
    std::cout << mirbft::wire::to_json(result) << std::endl;
  } else {
    print(result);
  }
  return result.agreed ? 0 : 1;
}

void add_options(CLI::App& program, Options& options) {
  program.option_defaults()->always_capture_default();
  program.add_flag("--processes", options.processes,
                   "a process for each node; so it is with TLS, or a log on disk");
  program.add_option("--transport", options.transport, "how nodes and clients reach one another")
      ->check(CLI::IsMember({"memory", "tcp", "tls"}));
  program.add_option("--nodes", options.nodes, "members of the cluster")->check(CLI::Range(1, 64));
  program.add_option("--payload", options.payload, "bytes of a request")
      ->check(CLI::Range(0, 65536));
  program.add_option("--clients", options.clients, "clients")->check(CLI::Range(1, 4096));
  program
      .add_option("--outstanding", options.outstanding, "requests that each client keeps open")
      ->check(CLI::Range(1, 65536));
  program
      .add_option("--signatures", options.signatures,
                  "of clients: one for each request, or (merkle) for many; nodes sign as well")
      ->check(CLI::IsMember({"none", "each", "merkle"}));
  program.add_option("--wal", options.wal, "the write-ahead log, and in processes the store")
      ->check(CLI::IsMember({"none", "memory", "write", "sync"}));
  program
      .add_option("--sync-time", options.sync_time,
                  "microseconds that a sync of the log in memory takes")
      ->check(CLI::Range(0, 1000000));
  program
      .add_option("--votes", options.votes, "those of one step in one frame, or each in its own")
      ->check(CLI::IsMember({"gathered", "single"}));
  program
      .add_option("--group-commit", options.group_commit, "one sync for a list, or for each entry")
      ->check(CLI::IsMember({"list", "entry"}));
  program
      .add_option("--pull-along", options.pull_along, "when a leader that is behind fills its slot")
      ->check(CLI::IsMember({"at-once", "delayed"}));
  program
      .add_option("--batching", options.batching, "when a batch that is not full is proposed")
      ->check(CLI::IsMember({"adaptive", "fixed-delay"}));
  program.add_option("--record", options.record, "folder for an event log of each node")
      ->check(CLI::ExistingDirectory);
  program
      .add_option("--record-gather", options.record_gather,
                  "milliseconds that what is recorded may wait to be written")
      ->check(CLI::Range(0, 1000));
  program.add_option("--record-compression", options.record_compression, "of what is recorded")
      ->check(CLI::IsMember({"none", "zstd"}));
  program.add_option("--seconds", options.seconds, "length of the measurement")
      ->check(CLI::Range(0.1, 3600.0));
  program.add_option("--warm-up", options.warm_up, "load before it, in seconds")
      ->check(CLI::Range(0.0, 3600.0));
  program.add_option("--folder", options.folder,
                     "where the processes' files are for as long; on the disk to be measured");
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App program(about);
  Options options;
  bool json = false;
  std::string replica;
  add_options(program, options);
  program.add_flag("--json", json, "print the result as JSON");
  program.add_option("--replica", replica)->group("");  // what this program starts itself with
  program.set_version_flag("--version", "mirbft-bench " MIRBFT_VERSION);
  return programs::run_program("mirbft-bench", program, argc, argv, [&] {
    if (!replica.empty()) return run_replica(replica, options);
    if (options.wal == "write" || options.wal == "sync" || options.transport == "tls") {
      options.processes = true;
      if (options.transport == "memory") options.transport = "tls";
    }
    return run(options, json);
  });
}

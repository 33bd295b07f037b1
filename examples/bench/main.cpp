// mirbft-bench: how many requests a cluster orders a second, how soon, and at what cost.
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>

#include <mirbft/wire/json.hpp>

#include "cluster.hpp"
#include "load.hpp"
#include "options.hpp"

namespace {

using namespace bench;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Signatures that one core verifies a second, on messages like those of the run.
double verification_rate() {
  const mirbft::Ed25519Key key = key_of('c', 0);
  const mirbft::SodiumCrypto crypto(mirbft::bytes_of(seed_of('n', 0)), {},
                                    {{mirbft::ClientId(0), mirbft::Bytes(key.public_key())}});
  const mirbft::Bytes message =
      mirbft::wire::request_signature_bytes(cluster_name.view(), mirbft::RequestRef{});
  const mirbft::Bytes signature = key.sign(message.view());
  const auto begin = std::chrono::steady_clock::now();
  std::uint64_t count = 0;
  std::chrono::duration<double> spent{};
  for (; spent.count() < 0.5; spent = std::chrono::steady_clock::now() - begin, ++count)
    if (crypto.verify_client(mirbft::ClientId(0), message.view(), signature.view()) !=
        mirbft::SignatureCheck::valid)
      return 0;
  return static_cast<double>(count) / spent.count();
}

/// Waits, with a line a second on a terminal.
void wait(const Load& load, double seconds, const char* what) {
  const bool terminal = isatty(STDERR_FILENO) != 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  for (std::uint64_t before = load.completed(); std::chrono::steady_clock::now() < end;) {
    std::this_thread::sleep_until(std::min(
        std::chrono::time_point_cast<std::chrono::steady_clock::duration>(end),
        std::chrono::steady_clock::now() + std::chrono::seconds(1)));
    const std::uint64_t now = load.completed();
    if (terminal) std::fprintf(stderr, "\r%s: %9lu requests/s  ", what, now - before);
    before = now;
  }
  if (terminal) std::fprintf(stderr, "\r\033[K");
}

double milliseconds_at(const std::vector<std::uint64_t>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto place = static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1));
  return static_cast<double>(sorted[place]) * 1e-6;
}

Result run(const Options& options) {
  Result result{options, 0, 0, {}, 0, false, 0, 0};
  if (options.crypto == "ed25519") {
    result.verifications_per_second = verification_rate();
    result.verification_limit =
        result.verifications_per_second * std::thread::hardware_concurrency() / options.nodes;
  }
  Cluster cluster(options);
  Load load(cluster, options);
  cluster.start();
  load.start();
  wait(load, options.warm_up, "warm-up");
  load.measure(true);
  const std::uint64_t before = load.completed();
  const double cpu_before = cpu_seconds();
  const auto begin = std::chrono::steady_clock::now();
  wait(load, options.seconds, "measuring");
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
  result.requests = load.completed() - before;
  const double cpu = cpu_seconds() - cpu_before;
  load.measure(false);
  const bool drained = load.finish(std::chrono::seconds(30));
  cluster.stop();
  if (!cluster.failure().empty()) throw std::runtime_error(cluster.failure());
  result.agreed = drained && load.refused() == 0 && cluster.agreed(load.submitted());
  const double requests = static_cast<double>(std::max<std::uint64_t>(result.requests, 1));
  result.requests_per_second = static_cast<double>(result.requests) / spent.count();
  result.cpu_us_per_request = cpu * 1e6 / requests;
  const auto latencies = load.latencies();
  result.latency_ms = {milliseconds_at(latencies, 0.5), milliseconds_at(latencies, 0.99),
                       milliseconds_at(latencies, 0.999)};
  return result;
}

void print(const Result& result) {
  const Options& options = result.options;
  std::printf("%u nodes in one process, transport %s, crypto %s, wal %s\n", options.nodes,
              options.transport.c_str(), options.crypto.c_str(), options.wal.c_str());
  std::printf("%u clients with %u requests of %u bytes open each, every request to all nodes\n\n",
              options.clients, options.outstanding, options.payload);
  std::printf("  requests/s      %12.0f\n", result.requests_per_second);
  std::printf("  latency p50     %12.2f ms\n", result.latency_ms.p50);
  std::printf("  latency p99     %12.2f ms\n", result.latency_ms.p99);
  std::printf("  latency p99.9   %12.2f ms\n", result.latency_ms.p999);
  std::printf("  CPU/request     %12.2f us, clients included\n", result.cpu_us_per_request);
  if (result.verification_limit > 0)
    std::printf("  of what verifying allows %6.0f %% (%.0f requests/s at %.0f verifications/s)\n",
                100 * result.requests_per_second / result.verification_limit,
                result.verification_limit, result.verifications_per_second);
  std::printf("  all agreed      %12s\n", result.agreed ? "yes" : "NO");
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  bool json = false;
  CLI::App app{"Measures a cluster of mirbft nodes under closed-loop load.", "mirbft-bench"};
  app.set_version_flag("--version", "mirbft-bench 0.1.0");
  app.option_defaults()->always_capture_default();
  app.add_option("--transport", options.transport, "how nodes reach one another")
      ->check(CLI::IsMember({"memory", "tcp", "tls"}));
  app.add_option("--nodes", options.nodes, "members of the cluster")->check(CLI::Range(1, 64));
  app.add_option("--payload", options.payload, "bytes of a request")->check(CLI::Range(0, 65536));
  app.add_option("--clients", options.clients, "clients")->check(CLI::Range(1, 4096));
  app.add_option("--outstanding", options.outstanding, "requests that each client keeps open")
      ->check(CLI::Range(1, 65536));
  app.add_option("--crypto", options.crypto, "signatures of nodes and clients")
      ->check(CLI::IsMember({"null", "ed25519"}));
  app.add_option("--wal", options.wal, "the write-ahead log")
      ->check(CLI::IsMember({"none", "memory", "sync"}));
  app.add_option("--sync-time", options.sync_time,
                 "microseconds that a sync of the log in memory takes")
      ->check(CLI::Range(0, 1000000));
  app.add_option("--votes", options.votes, "those of one step in one frame, or each in its own")
      ->check(CLI::IsMember({"gathered", "single"}));
  app.add_option("--record", options.record, "folder for an event log of each node")
      ->check(CLI::ExistingDirectory);
  app.add_option("--group-commit", options.group_commit, "one sync for a list, or for each entry")
      ->check(CLI::IsMember({"list", "entry"}));
  app.add_option("--pull-along", options.pull_along, "when a leader that is behind fills its slot")
      ->check(CLI::IsMember({"at-once", "delayed"}));
  app.add_option("--batching", options.batching, "when a batch that is not full is proposed")
      ->check(CLI::IsMember({"adaptive", "fixed-delay"}));
  app.add_option("--seconds", options.seconds, "length of the measurement")
      ->check(CLI::Range(0.1, 3600.0));
  app.add_option("--warm-up", options.warm_up, "load before it, in seconds")
      ->check(CLI::Range(0.0, 3600.0));
  app.add_flag("--json", json, "print the result as JSON");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (options.transport == "tls" || options.wal == "sync") {
    std::cerr << "error: " << (options.wal == "sync" ? "--wal sync" : "--transport tls")
              << " is not there yet in this version: use --wal none or memory, --transport memory "
                 "or tcp\n";
    return 2;
  }
  if (std::uint64_t{options.clients} * options.outstanding > 60000) {
    std::cerr << "error: --clients times --outstanding is " << options.clients * options.outstanding
              << ", above the 60000 requests that a node's inbox holds: lower one of them\n";
    return 2;
  }
  try {
    const Result result = run(options);
    if (json) {
      std::cout << mirbft::wire::to_json(result) << "\n";
    } else {
      print(result);
    }
    return result.agreed ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << "\n";
    return 1;
  }
}

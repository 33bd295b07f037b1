// All nodes and clients of a benchmark in this process.
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <thread>
#include <vector>

#include "cluster.hpp"
#include "load.hpp"
#include "measuring.hpp"
#include "options.hpp"

namespace bench {
namespace {

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

}  // namespace

Result run_in_one_process(const Options& options) {
  Result result;
  result.options = options;
  if (options.signatures == "each") {
    result.verifications_per_second = verification_rate();
    result.verification_limit =
        result.verifications_per_second * std::thread::hardware_concurrency() / options.nodes;
  }
  Cluster cluster(options);
  Load load(cluster, options);
  cluster.start();
  measure(load, options, result, [](Time until) { std::this_thread::sleep_until(until); },
          [] { return std::vector{cpu_seconds()}; });
  const bool drained = load.finish(std::chrono::seconds(30));
  cluster.stop();
  if (!cluster.failure().empty()) throw std::runtime_error(cluster.failure());
  result.agreed = drained && load.refused() == 0 && cluster.agreed(load.submitted());
  result.latency_ms = latency_of(load.latencies());
  return result;
}

}  // namespace bench

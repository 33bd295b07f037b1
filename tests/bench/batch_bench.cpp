// What a replica pays to verify 1,000 requests of a client: signed one by one, and in batches of so
// many. `gain` is the ratio of the two, measured turn by turn in one run.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include <mirbft/client/batch_signer.hpp>
#include <mirbft/modules/crypto/batch.hpp>
#include <mirbft/modules/crypto/sodium.hpp>
#include <mirbft/modules/hasher/openssl.hpp>

namespace {

using namespace mirbft;

constexpr std::size_t count = 1000;
const Bytes cluster("mirbft");

/// CPU time of the thread: others may be at work on the machine.
std::chrono::nanoseconds now() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}
double seconds(std::chrono::nanoseconds time) { return static_cast<double>(time.count()) / 1e9; }

Ed25519Key key() { return Ed25519Key(Bytes(std::string(Ed25519Key::seed_size, 'c')).view()); }

/// Signed by parts of `size`; the time that it takes is added to `spent`.
std::vector<Bytes> sign(std::span<const RequestRef> requests, std::size_t size,
                        std::chrono::nanoseconds& spent) {
  BatchSigner<Ed25519Key, Sha256> signer(key(), cluster);
  std::vector<Bytes> authenticators;
  const auto began = now();
  for (; !requests.empty(); requests = requests.subspan(std::min(size, requests.size())))
    for (Bytes& made : signer.sign(requests.first(std::min(size, requests.size()))))
      authenticators.push_back(std::move(made));
  spent += now() - began;
  return authenticators;
}

/// How long a replica that has seen none of them takes.
std::chrono::nanoseconds time_to_verify(const std::vector<RequestRef>& requests,
                                        const std::vector<Bytes>& authenticators) {
  const BatchVerifier<SodiumCrypto, Sha256> crypto(
      SodiumCrypto(Bytes(std::string(32, 'n')).view(), {}, {{ClientId(1), key().public_key()}}));
  const auto began = now();
  for (std::size_t i = 0; i < requests.size(); ++i)
    if (crypto.verify_request(cluster.view(), requests[i], authenticators[i].view()) !=
        SignatureCheck::valid)
      throw std::logic_error("a right signature is refused");
  return now() - began;
}

void verify(benchmark::State& state) {
  std::vector<RequestRef> requests;
  for (std::size_t i = 0; i < count; ++i) requests.push_back({ClientId(1), ReqNo(i), {}});
  std::chrono::nanoseconds alone{}, batched{}, signed_alone{}, signed_batched{};
  for (auto round : state) {
    const std::vector<Bytes> plain = sign(requests, 1, signed_alone);
    const std::vector<Bytes> together =
        sign(requests, static_cast<std::size_t>(state.range(0)), signed_batched);
    alone += time_to_verify(requests, plain);
    const auto spent = time_to_verify(requests, together);
    batched += spent;
    state.SetIterationTime(seconds(spent));
  }
  const auto each = [&](std::chrono::nanoseconds time) {
    return seconds(time) * 1e6 / double{count} / static_cast<double>(state.iterations());
  };
  state.counters["plain_us"] = each(alone);
  state.counters["batch_us"] = each(batched);
  state.counters["gain"] = seconds(alone) / seconds(batched);
  state.counters["sign_gain"] = seconds(signed_alone) / seconds(signed_batched);
}
BENCHMARK(verify)->Arg(8)->Arg(32)->Arg(64)->Arg(128)->Arg(1000)->UseManualTime()
    ->Unit(benchmark::kMicrosecond)->Name("verify_1000_in_batches_of");

}  // namespace

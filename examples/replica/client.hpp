// A client that lives in a replica's process: signs, submits, and measures how long replies take.
#ifndef MIRBFT_EXAMPLES_REPLICA_CLIENT_HPP
#define MIRBFT_EXAMPLES_REPLICA_CLIENT_HPP

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <mirbft/modules/crypto/sodium.hpp>
#include <mirbft/modules/hasher/openssl.hpp>
#include <mirbft/types/outcome.hpp>
#include <mirbft/wire/request_bytes.hpp>

#include "config.hpp"
#include "countdown.hpp"
#include "recording.hpp"
#include "replica.hpp"

namespace quickstart {

/// Submits its share of the workload, in order, to the replica that it lives with; that one passes
/// the requests on to the others. Its thread ends once all have been answered.
class Client {
 public:
  /// All that it is given outlives it; and it outlives the replica's work, which calls it back.
  Client(const OwnClientConfig& own, const ReplicaConfig& config, const Workload& workload,
         Countdown& countdown)
      : id_(own.id),
        key_(mirbft::ByteView(own.seed)),
        cluster_(config.cluster),
        most_open_(config.outstanding),
        workload_(workload),
        countdown_(countdown) {}
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Begins, on a thread of its own.
  void start(Replica& replica) {
    thread_ = std::jthread([this, &replica](std::stop_token stop) { work(replica, stop); });
  }
  /// Submits nothing more and forgets what is open.
  void stop() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
  }

  // What came out; for after `stop`.
  std::uint64_t refused() const noexcept { return refused_; }
  const std::string& refusal() const noexcept { return refusal_; }
  const std::vector<std::chrono::nanoseconds>& latencies() const noexcept { return latencies_; }

 private:
  using Clock = std::chrono::steady_clock;

  void work(Replica& replica, const std::stop_token& stop) {
    const std::uint64_t share = workload_.share_of(id_);
    for (mirbft::ReqNo number; number.value < share; ++number) {
      if (!wait_until_open_below(most_open_, stop)) return;
      submit(replica, sign(number));
    }
    if (wait_until_open_below(1, stop)) countdown_.client_finished();
  }

  bool wait_until_open_below(std::uint64_t limit, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    return changed_.wait(lock, stop, [&] { return open_ < limit; });
  }

  mirbft::Request sign(mirbft::ReqNo number) {
    const mirbft::Bytes body(workload_.command(workload_.place_of(id_, number)));
    const auto parts = mirbft::wire::request_parts(cluster_.view(), id_, number, body);
    const mirbft::RequestRef reference{id_, number, digest_of(hasher_, parts)};
    return {id_, number, body,
            key_.sign(mirbft::wire::request_signature_bytes(cluster_.view(), reference).view())};
  }

  void submit(Replica& replica, mirbft::Request request) {
    {
      const std::lock_guard lock(mutex_);
      ++open_;
    }
    const auto on_reply = [this, began = Clock::now()](const mirbft::Replied& reply) {
      answered(reply.outcome, Clock::now() - began);
    };
    switch (replica.submit(std::move(request), on_reply, mirbft::Spread::by_replica)) {
      case mirbft::Submitted::accepted: return;
      case mirbft::Submitted::overloaded: return answered(mirbft::Outcome::overloaded, {});
      case mirbft::Submitted::stopped: return answered(mirbft::Outcome::shut_down, {});
    }
  }

  void answered(mirbft::Outcome outcome, std::chrono::nanoseconds latency) {
    {
      const std::lock_guard lock(mutex_);
      --open_;
      if (outcome == mirbft::Outcome::delivered) {
        latencies_.push_back(latency);
      } else {
        ++refused_;
        refusal_ = mirbft::to_string(outcome);
      }
    }
    changed_.notify_one();
  }

  const mirbft::ClientId id_;
  const mirbft::Ed25519Key key_;
  const mirbft::Bytes cluster_;
  const std::uint64_t most_open_;
  const Workload& workload_;
  Countdown& countdown_;
  mirbft::Sha256 hasher_;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::uint64_t open_ = 0;
  std::uint64_t refused_ = 0;
  std::string refusal_;
  std::vector<std::chrono::nanoseconds> latencies_;
  std::jthread thread_;
};

}  // namespace quickstart

#endif

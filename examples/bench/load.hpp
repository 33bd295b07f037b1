// The clients of a benchmark: closed loops that submit each request to all nodes.
#ifndef MIRBFT_EXAMPLES_BENCH_LOAD_HPP
#define MIRBFT_EXAMPLES_BENCH_LOAD_HPP

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/types/quorum.hpp>
#include <mirbft/wire/request_bytes.hpp>

#include "cluster.hpp"
#include "measuring.hpp"
#include "options.hpp"

namespace bench {

/// Keeps `clients * outstanding` requests open. A request is done when a weak quorum has replied,
/// as a client who trusts nobody must wait for; then its lane submits the next, on the thread of
/// the node whose reply it was.
class Load {
 public:
  Load(Cluster& cluster, const Options& options)
      : cluster_(cluster),
        options_(options),
        needed_(mirbft::Quorum(options.nodes).weak()),
        next_(options.clients),
        lanes_(std::size_t{options.clients} * options.outstanding),
        samples_(cluster.size()) {
    if (options.signatures == "each")
      for (std::uint32_t i = 0; i < options.clients; ++i) keys_.push_back(key_of('c', i));
    for (std::size_t i = 0; i < lanes_.size(); ++i) lanes_[i].client = i % options.clients;
  }

  void start() {
    for (Lane& lane : lanes_) submit(lane);
  }
  /// From now on the latency of what is submitted counts.
  void measure(bool on) { measuring_.store(on, std::memory_order_relaxed); }
  std::uint64_t completed() const noexcept { return completed_.load(std::memory_order_relaxed); }

  /// Submits nothing more and waits until every node has replied to everything.
  /// False when that does not happen within `at_most`.
  bool finish(std::chrono::seconds at_most) {
    stopping_.store(true);
    std::unique_lock lock(mutex_);
    return drained_.wait_for(lock, at_most, [this] { return open_.load() == 0; });
  }
  std::uint64_t submitted() const noexcept { return submitted_.load(); }
  std::uint64_t refused() const noexcept { return refused_.load(); }

  /// Latencies in nanoseconds, ascending. After `finish`.
  std::vector<std::uint64_t> latencies() const {
    std::vector<std::uint64_t> all;
    for (const Samples& samples : samples_)
      all.insert(all.end(), samples.nanoseconds.begin(), samples.nanoseconds.end());
    std::sort(all.begin(), all.end());
    return all;
  }

 private:
  struct Lane {
    std::uint64_t client = 0;
    /// Number of the lane's request above, replies to it in the lowest byte.
    std::atomic<std::uint64_t> state{0};
    Time submitted;
    bool measured = false;
  };
  /// One a node, written by that node's thread alone.
  struct alignas(64) Samples {
    std::vector<std::uint64_t> nanoseconds;
  };

  void submit(Lane& lane) {
    const mirbft::ClientId client(lane.client);
    const mirbft::ReqNo req_no(next_[lane.client].fetch_add(1, std::memory_order_relaxed));
    const std::uint64_t generation = (lane.state.load(std::memory_order_relaxed) >> 8) + 1;
    std::string body(options_.payload, 'x');
    const mirbft::Bytes authenticator = sign(client, req_no, body);
    lane.submitted = std::chrono::steady_clock::now();
    lane.measured = measuring_.load(std::memory_order_relaxed);
    submitted_.fetch_add(1, std::memory_order_relaxed);
    open_.fetch_add(cluster_.size());
    lane.state.store(generation << 8, std::memory_order_release);
    for (std::size_t node = 0; node < cluster_.size(); ++node) {
      // Each node gets a copy of the body, as if it had come over a wire.
      mirbft::Request request{client, req_no, mirbft::Bytes(body), authenticator};
      const auto submitted = cluster_[node].submit(
          std::move(request),
          [this, &lane, generation, node](const mirbft::Replied& reply) {
            replied(lane, generation, node, reply);
          },
          mirbft::Spread::by_client);
      if (submitted == mirbft::Submitted::accepted) continue;
      refused_.fetch_add(1);
      close_one();
    }
  }

  mirbft::Bytes sign(mirbft::ClientId client, mirbft::ReqNo req_no, const std::string& body) {
    if (keys_.empty()) return {};
    thread_local mirbft::Sha256 hasher;
    const auto cluster = cluster_name.view();
    for (const mirbft::Bytes& part :
         mirbft::wire::request_parts(cluster, client, req_no, mirbft::Bytes(body)))
      hasher.update(part.view());
    const mirbft::RequestRef reference{client, req_no, hasher.finish()};
    return keys_[client.value].sign(
        mirbft::wire::request_signature_bytes(cluster, reference).view());
  }

  void replied(Lane& lane, std::uint64_t generation, std::size_t node,
               const mirbft::Replied& reply) {
    if (reply.outcome != mirbft::Outcome::delivered) refused_.fetch_add(1);
    if (count(lane, generation)) {
      completed_.fetch_add(1, std::memory_order_relaxed);
      if (lane.measured)
        samples_[node].nanoseconds.push_back(static_cast<std::uint64_t>(
            std::chrono::nanoseconds(std::chrono::steady_clock::now() - lane.submitted).count()));
      if (!stopping_.load(std::memory_order_relaxed)) submit(lane);
    }
    close_one();
  }
  /// Whether this is the reply that completes the lane's current request.
  bool count(Lane& lane, std::uint64_t generation) {
    std::uint64_t state = lane.state.load(std::memory_order_acquire);
    while (state >> 8 == generation)
      if (lane.state.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel))
        return (state & 0xff) + 1 == needed_;
    return false;
  }
  void close_one() {
    if (open_.fetch_sub(1) != 1) return;
    const std::lock_guard lock(mutex_);
    drained_.notify_all();
  }

  Cluster& cluster_;
  const Options& options_;
  const std::size_t needed_;
  std::vector<mirbft::Ed25519Key> keys_;
  std::vector<std::atomic<std::uint64_t>> next_;
  std::vector<Lane> lanes_;
  std::vector<Samples> samples_;
  std::atomic<bool> measuring_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> completed_{0};
  std::atomic<std::uint64_t> submitted_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> open_{0};
  std::mutex mutex_;
  std::condition_variable drained_;
};

}  // namespace bench

#endif

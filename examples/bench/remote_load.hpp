// The clients of a benchmark whose nodes are processes: closed loops over real connections.
#ifndef MIRBFT_EXAMPLES_BENCH_REMOTE_LOAD_HPP
#define MIRBFT_EXAMPLES_BENCH_REMOTE_LOAD_HPP

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <mirbft/client/batch_signer.hpp>
#include <mirbft/client/client.hpp>
#include <mirbft/client/ed25519_signer.hpp>
#include <mirbft/modules/crypto/sodium.hpp>
#include <mirbft/modules/hasher/openssl.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/request.hpp>

#include "../kv/config.hpp"
#include "measuring.hpp"
#include "options.hpp"

namespace bench {

/// For nodes that trust everyone.
struct NoSigner {
  std::vector<mirbft::Bytes> sign(std::span<const mirbft::RequestRef> requests) const {
    return std::vector<mirbft::Bytes>(requests.size());
  }
};

/// Signs as the options say.
class AnySigner {
 public:
  AnySigner(const Options& options, const kv::ClientConfig& file) {
    const mirbft::ByteView seed(file.seed);
    if (options.signatures == "each")
      signer_.emplace<mirbft::Ed25519Signer>(seed, file.cluster);
    if (options.signatures == "merkle")
      signer_.emplace<ForMany>(mirbft::Ed25519Key(seed), mirbft::Bytes(file.cluster));
  }

  std::vector<mirbft::Bytes> sign(std::span<const mirbft::RequestRef> requests) {
    return std::visit([&](auto& signer) { return signer.sign(requests); }, signer_);
  }

 private:
  using ForMany = mirbft::BatchSigner<mirbft::Ed25519Key, mirbft::Sha256>;
  std::variant<NoSigner, mirbft::Ed25519Signer, ForMany> signer_;
};

/// Keeps `outstanding` requests of each client open. `Transport` is the clients' side of it.
template <class Transport>
class RemoteLoad {
 public:
  /// `transport()` makes one for each client.
  template <class MakeTransport>
  RemoteLoad(const Options& options, const std::vector<kv::ClientConfig>& clients,
             MakeTransport&& transport)
      : options_(options) {
    for (const kv::ClientConfig& client : clients)
      users_.push_back(std::make_unique<User>(mirbft::Bytes(std::string(options.payload, 'x')),
                                              client_config(client), AnySigner(options, client),
                                              transport()));
  }
  ~RemoteLoad() {
    // All of them before any of what their callbacks use goes.
    for (const auto& user : users_) user->client.shut_down();
  }

  void start() {
    for (const auto& user : users_)
      for (std::uint32_t i = 0; i < options_.outstanding; ++i) submit(*user);
  }
  /// From now on the latency of what is submitted counts.
  void measure(bool on) { measuring_.store(on, std::memory_order_relaxed); }
  std::uint64_t completed() const noexcept { return completed_.load(std::memory_order_relaxed); }
  /// Requests that were not delivered.
  std::uint64_t failed() const noexcept { return failed_.load(std::memory_order_relaxed); }

  /// Submits nothing more.
  void stop() { stopping_.store(true); }
  /// Whether everything has ended.
  bool drained() const noexcept { return open_.load() == 0; }

  /// Latencies in nanoseconds, ascending; for after the end.
  std::vector<std::uint64_t> latencies() {
    std::vector<std::uint64_t> all;
    for (const auto& user : users_) {
      user->client.shut_down();
      all.insert(all.end(), user->nanoseconds.begin(), user->nanoseconds.end());
    }
    std::sort(all.begin(), all.end());
    return all;
  }

 private:
  using Client = mirbft::Client<AnySigner, mirbft::Sha256, Transport>;

  struct User {
    User(mirbft::Bytes request, mirbft::ClientConfig config, AnySigner signer,
         Transport transport)
        : body(std::move(request)),
          client(std::move(config), std::move(signer), std::move(transport)) {}

    const mirbft::Bytes body;  // its own, so that threads do not count references together
    std::vector<std::uint64_t> nanoseconds;  // the client's thread's
    Client client;
  };

  mirbft::ClientConfig client_config(const kv::ClientConfig& file) const {
    mirbft::ClientConfig config;
    config.cluster_id = file.cluster;
    config.id = file.id;
    for (const kv::Member& member : file.members)
      config.replicas.push_back({member.id, member.host, member.client_port});
    config.max_open = options_.outstanding;
    return config;
  }

  void submit(User& user) {
    const Time begun = std::chrono::steady_clock::now();
    const bool measured = measuring_.load(std::memory_order_relaxed);
    open_.fetch_add(1, std::memory_order_relaxed);
    const auto submitted = user.client.submit(
        user.body, [this, &user, begun, measured](const mirbft::ClientReply& reply) {
          ended(user, begun, measured, reply);
        });
    if (submitted == mirbft::Submitted::accepted) return;
    failed_.fetch_add(1);
    open_.fetch_sub(1);
  }

  void ended(User& user, Time begun, bool measured, const mirbft::ClientReply& reply) {
    if (reply.end != mirbft::ClientEnd::delivered) failed_.fetch_add(1);
    completed_.fetch_add(1, std::memory_order_relaxed);
    if (measured)
      user.nanoseconds.push_back(static_cast<std::uint64_t>(
          std::chrono::nanoseconds(std::chrono::steady_clock::now() - begun).count()));
    if (!stopping_.load(std::memory_order_relaxed) && reply.end == mirbft::ClientEnd::delivered)
      submit(user);
    open_.fetch_sub(1, std::memory_order_release);
  }

  const Options& options_;
  std::atomic<bool> measuring_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> completed_{0};
  std::atomic<std::uint64_t> failed_{0};
  std::atomic<std::uint64_t> open_{0};
  std::vector<std::unique_ptr<User>> users_;
};

}  // namespace bench

#endif

// A remote client: signs requests, has the replicas order them, and believes what w of them say.
#ifndef MIRBFT_CLIENT_CLIENT_HPP
#define MIRBFT_CLIENT_CLIENT_HPP

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>

#include <mirbft/client/client_calls.hpp>
#include <mirbft/client/client_config.hpp>
#include <mirbft/client/io_loop.hpp>
#include <mirbft/client/replica_links.hpp>
#include <mirbft/modules/net/tcp.hpp>
#include <mirbft/node.hpp>
#include <mirbft/types/bytes.hpp>

namespace mirbft {

/// A client of a cluster, with connections and a thread of its own. All calls may be made from any
/// thread. Requests are pipelined: many may be open, and they may end in any order.
///
/// A client has its number space to itself: never run two with one id at a time.
///
/// `Signer` is what `ClientCalls` says, `Hasher` the replicas' hasher, `Transport` what `TcpMesh`
/// says; `PlainTcp` protects nothing.
template <class Signer, class Hasher, class Transport = PlainTcp>
class Client {
 public:
  /// Begins to connect at once. Throws `ConfigError`.
  Client(ClientConfig config, Signer signer, Transport transport = {})
      : config_(checked(std::move(config))),
        calls_(config_, std::move(signer)),
        links_(config_, std::move(transport), *this, loop_.context()),
        thread_([this](const std::stop_token& stop) { work(stop); }) {}
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  /// Shuts down first. Not from a callback.
  ~Client() { shut_down(); }

  /// Has a request ordered. `on_end(const ClientReply&)`, which can be copied, is called once, on
  /// the client's thread, and must neither throw nor wait; it may submit. If the request is not
  /// accepted, because `max_open` others are open or the client was shut down, it is not called.
  template <class OnEnd>
  Submitted submit(Bytes data, OnEnd on_end, std::chrono::milliseconds within) {
    const auto deadline = Clock::now() + within;
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return Submitted::stopped;
      if (count_ >= config_.max_open) return Submitted::overloaded;
      ++count_;
      inbox_.push_back({std::move(data),
                        [this, on_end = std::move(on_end)](const ClientReply& reply) mutable {
                          --count_;
                          on_end(reply);
                        },
                        deadline});
    }
    loop_.wake();
    return Submitted::accepted;
  }
  template <class OnEnd>
    requires std::invocable<OnEnd&, const ClientReply&>
  Submitted submit(Bytes data, OnEnd on_end) {
    return submit(std::move(data), std::move(on_end), config_.deadline);
  }

  /// The same with a future. What is not accepted ends at once.
  std::future<ClientReply> submit(Bytes data, std::chrono::milliseconds within) {
    const auto promise = std::make_shared<std::promise<ClientReply>>();
    const Submitted submitted = submit(
        std::move(data), [promise](const ClientReply& reply) { promise->set_value(reply); },
        within);
    if (submitted == Submitted::overloaded)
      promise->set_value({ClientEnd::overloaded, {}, {}, {}});
    if (submitted == Submitted::stopped) promise->set_value({ClientEnd::shut_down, {}, {}, {}});
    return promise->get_future();
  }
  std::future<ClientReply> submit(Bytes data) {
    return submit(std::move(data), config_.deadline);
  }

  /// Waits for the end of a request. Not from a callback, which would wait for itself.
  ClientReply call(Bytes data, std::chrono::milliseconds within) {
    return submit(std::move(data), within).get();
  }
  ClientReply call(Bytes data) { return call(std::move(data), config_.deadline); }

  /// Ends all that is open with `shut_down`, and closes the connections. Not from a callback.
  void shut_down() {
    std::call_once(shut_down_, [this] {
      {
        const std::lock_guard lock(mutex_);
        closed_ = true;
      }
      thread_.request_stop();
      thread_.join();
    });
  }

  /// Where the client stood a moment ago.
  ClientStatus status() const {
    const std::lock_guard lock(mutex_);
    return published_;
  }

 private:
  using Links = ReplicaLinks<Transport, Client>;
  friend Links;
  using Clock = std::chrono::steady_clock;

  static ClientConfig checked(ClientConfig config) {
    validate(config);
    return config;
  }

  void work(const std::stop_token& stop) {
    loop_.run(stop, [this] { go_on(); });
    take_inbox();
    calls_.shut_down();
    links_.close();
    publish();
  }

  /// After a round of handlers: what came of them, and of what was submitted meanwhile.
  void go_on() {
    take_inbox();
    const Clock::time_point wake =
        calls_.go_on(Clock::now(), [this](std::size_t place, const Submission& submission) {
          return links_.send(place, submission);
        });
    links_.flush();
    publish();
    if (wake >= wake_at_) return;  // the timer that runs makes another round in time
    wake_at_ = wake;
    timer_.expires_at(wake);
    timer_.async_wait([this](boost::system::error_code cancelled) {
      if (!cancelled) wake_at_ = Clock::time_point::max();
    });
  }

  void take_inbox() {
    {
      const std::lock_guard lock(mutex_);
      std::swap(inbox_, taken_);
    }
    for (ClientCall& call : taken_) {
      if (call.data.size() <= config_.max_request_bytes)
        calls_.add(std::move(call));
      else
        call.on_end({ClientEnd::rejected, Outcome::rejected_size, {}, {}});
    }
    taken_.clear();
  }

  void publish() {
    ClientStatus now = calls_.status();
    now.ended = links_.ended();
    now.last_end = links_.last_end();
    const std::lock_guard lock(mutex_);
    published_ = std::move(now);
  }

  // What the connections tell.

  void connected(std::size_t place) { calls_.connected(place); }
  void lost(std::size_t place) { calls_.lost(place, Clock::now()); }
  void answered(std::size_t place, const SubmissionAnswer& answer, Clock::time_point when) {
    calls_.answered(place, answer, when);
  }

  const ClientConfig config_;
  IoLoop loop_;
  ClientCalls<Signer, Hasher> calls_;
  Links links_;
  boost::asio::steady_timer timer_{loop_.context()};
  Clock::time_point wake_at_ = Clock::time_point::max();
  std::vector<ClientCall> taken_;  // the thread's alone; kept for its storage

  mutable std::mutex mutex_;
  bool closed_ = false;
  std::vector<ClientCall> inbox_;
  ClientStatus published_;
  /// Requests that wait for their end.
  std::atomic<std::uint64_t> count_ = 0;
  std::once_flag shut_down_;
  std::jthread thread_;
};

}  // namespace mirbft

#endif

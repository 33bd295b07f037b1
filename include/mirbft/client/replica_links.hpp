// A client's connections to all replicas: dials, says Hello, reconnects, and moves frames.
#ifndef MIRBFT_CLIENT_REPLICA_LINKS_HPP
#define MIRBFT_CLIENT_REPLICA_LINKS_HPP

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>

#include <mirbft/client/client_config.hpp>
#include <mirbft/client/client_frames.hpp>
#include <mirbft/client/client_link.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/wire/codec.hpp>

namespace mirbft {

/// Keeps a connection to each replica, for ever. Replicas are named by their place in the
/// configuration. `Transport` is what `TcpMesh` says.
///
/// The owner is told by `connected(place)`, `lost(place)` and `answered(place, answer, when)`,
/// inside the handlers of the `io_context`. One thread at a time.
template <class Transport, class Owner>
class ReplicaLinks {
 public:
  using Clock = std::chrono::steady_clock;

  /// The configuration is checked. It, the context and the owner outlive this.
  ReplicaLinks(const ClientConfig& config, Transport transport, Owner& owner,
               boost::asio::io_context& io)
      : config_(config), transport_(std::move(transport)), owner_(owner), io_(io) {
    for (std::size_t place = 0; place < config_.replicas.size(); ++place)
      replicas_.emplace_back(io_);
    for (std::size_t place = 0; place < replicas_.size(); ++place) dial(place);
    tick();
  }
  ReplicaLinks(const ReplicaLinks&) = delete;
  ReplicaLinks& operator=(const ReplicaLinks&) = delete;

  /// Queues a submission for the next `flush`; false if the replica is not connected, or does not
  /// read fast enough. Submissions with one number, which is not 0, are the same.
  bool send(std::size_t place, const Submission& submission) {
    Link* const link = replicas_[place].link;
    if (!link || !link->met()) return false;
    // Most go to several replicas, one after the other.
    if (std::exchange(encoded_number_, submission.number) != submission.number)
      encoded_ = wire::encode(submission);
    if (link->unwritten() + Link::cost(encoded_) > config_.queue_bytes) return false;
    link->send(ToReplica::submission, encoded_);
    return true;
  }

  /// Writes what was sent, and frees connections that are over. Not inside a handler.
  void flush() {
    for (const Replica& replica : replicas_)
      if (replica.link) replica.link->flush();
    std::erase_if(links_, [](const auto& link) { return link->over(); });
  }

  void close() {
    closed_ = true;
    for (const auto& link : links_) link->end(LinkEnd::closed);
  }

  const LinkEnds& ended() const noexcept { return ended_; }
  const std::string& last_end() const noexcept { return last_end_; }

 private:
  using Link = ClientLink<Transport, ToClient, ToReplica, ReplicaLinks>;
  friend Link;
  using Error = boost::system::error_code;
  using tcp = boost::asio::ip::tcp;

  struct Replica {
    explicit Replica(boost::asio::io_context& io) : retry(io) {}

    boost::asio::steady_timer retry;
    std::chrono::milliseconds pause{};  // the longest before the next attempt
    Link* link = nullptr;
  };

  void dial(std::size_t place) {
    const ReplicaAddress& at = config_.replicas[place];
    Error no_address;
    const auto address = boost::asio::ip::make_address(at.host, no_address);
    if (!no_address) return connect(place, std::array{tcp::endpoint(address, at.port)});
    resolver_.async_resolve(at.host, std::to_string(at.port),
                            [this, place](Error error, const auto& endpoints) {
                              if (closed_) return;
                              if (error) return retry(place);
                              connect(place, endpoints);
                            });
  }

  template <class Endpoints>
  void connect(std::size_t place, const Endpoints& endpoints) {
    links_.push_back(
        std::make_unique<Link>(*this, place, transport_.stream(tcp::socket(io_))));
    replicas_[place].link = links_.back().get();
    links_.back()->connect(endpoints, transport_);
  }

  /// Dials after a random time, so that clients do not come back in step.
  void retry(std::size_t place) {
    Replica& replica = replicas_[place];
    replica.pause = std::max(replica.pause, config_.reconnect_first);
    std::uniform_int_distribution<std::int64_t> pick(0, replica.pause.count());
    replica.retry.expires_after(std::chrono::milliseconds(pick(jitter_)));
    replica.pause = std::min(2 * replica.pause, config_.reconnect_longest);
    replica.retry.async_wait([this, place](Error cancelled) {
      if (!cancelled && !closed_) dial(place);
    });
  }

  // What links tell.

  void opened(Link& link) {
    link.send(ToReplica::hello,
              wire::encode(ClientHello{client_protocol, config_.cluster_id, config_.id}));
  }

  void received(Link& link, ToClient kind, const Bytes& payload) {
    if (kind == ToClient::hello) return greeted(link, payload);
    const auto answer = wire::decode<SubmissionAnswer>(payload, wire::Form::lenient);
    if (!answer) return link.end(LinkEnd::bad_frame);
    owner_.answered(link.id(), *answer, link.heard());
  }

  void greeted(Link& link, const Bytes& payload) {
    const auto hello = wire::decode<ReplicaHello>(payload, wire::Form::lenient);
    if (!hello) return link.end(LinkEnd::bad_hello);
    if (hello->version != client_protocol) return link.end(LinkEnd::wrong_version);
    if (hello->cluster_id != config_.cluster_id) return link.end(LinkEnd::wrong_cluster);
    if (hello->node != config_.replicas[link.id()].id ||
        !transport_.may_speak(link.stream(), hello->node))
      return link.end(LinkEnd::stranger);
    link.meet();
    owner_.connected(link.id());
  }

  void written(Link&) noexcept {}

  void ended(Link& link, const LinkEnd& reason) {
    const std::size_t place = link.id();
    const ReplicaAddress& at = config_.replicas[place];
    ++(ended_.*reason.counter);
    last_end_ = "replica " + std::to_string(at.id.value) + " at " + at.host + ':' +
                std::to_string(at.port) + ": " + std::string(reason.text);
    Replica& replica = replicas_[place];
    replica.link = nullptr;
    if (link.met()) owner_.lost(place);
    if (closed_) return;
    if (link.met_before(Clock::now() - config_.healthy_after)) replica.pause = {};
    retry(place);
  }

  void tick() {
    const LinkTimes times{config_.ping_after, config_.dead_after, config_.hello_within};
    const Clock::time_point due = Clock::now() + std::min(times.ping_after, times.hello_within) / 4;
    ticker_.expires_at(due);
    ticker_.async_wait([this, due, times](Error cancelled) {
      if (cancelled || closed_) return;
      const Clock::time_point now = Clock::now();
      for (const auto& link : links_) link->tick(now, now - due, times);
      tick();
    });
  }

  const ClientConfig& config_;
  Transport transport_;
  Owner& owner_;
  boost::asio::io_context& io_;
  tcp::resolver resolver_{io_};
  boost::asio::steady_timer ticker_{io_};
  std::minstd_rand jitter_{std::random_device{}()};
  std::deque<Replica> replicas_;
  std::vector<std::unique_ptr<Link>> links_;
  std::uint64_t encoded_number_ = 0;
  Bytes encoded_;  // the submission with this number
  LinkEnds ended_;
  std::string last_end_;
  bool closed_ = false;
};

}  // namespace mirbft

#endif

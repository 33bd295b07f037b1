// All connections of one node: listens, dials, reconnects, and moves frames when it is polled.
#ifndef MIRBFT_MODULES_NET_TCP_MESH_HPP
#define MIRBFT_MODULES_NET_TCP_MESH_HPP

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>

#include <mirbft/modules/net/framing.hpp>
#include <mirbft/modules/net/peer_queue.hpp>
#include <mirbft/modules/net/tcp_config.hpp>
#include <mirbft/modules/net/tcp_door.hpp>
#include <mirbft/modules/net/tcp_link.hpp>
#include <mirbft/modules/net/tcp_origin.hpp>
#include <mirbft/modules/net/tcp_report.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/frame_class.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft {

/// The work behind `TcpNet` and `TlsNet`, over any `Transport` that has
/// - `Stream`: a stream of Asio whose `lowest_layer()` is a TCP socket,
/// - `Stream stream(socket)`: such a stream over a socket,
/// - `handshake(Stream&, Side, handler)`: calls `handler(error_code)` when both sides may talk,
/// - `bool may_speak(Stream&, NodeId)`: whether the other side has proved to be that node,
/// - `bytes_per_key` and `static bool renew_key(Stream&)`, which is called between two writes when
///   so many bytes were written since it returned true,
/// - `static const TcpEnd& reason(error_code, const TcpEnd& otherwise)`: what an error of the
///   stream or the handshake means, where the transport knows more than that it failed.
///
/// Each pair of nodes has one connection, which the one with the lower id makes. Everything runs
/// inside the calls, on the caller's thread; only the names of peers that are no IP addresses are
/// looked up on a thread of Asio.
template <class Transport>
class TcpMesh {
 public:
  TcpMesh(TcpConfig config, Transport transport)
      : config_(checked(std::move(config))),
        transport_(std::move(transport)),
        own_queue_(config_.queue_bytes),
        jitter_(static_cast<std::minstd_rand::result_type>(config_.self.value + 1)) {
    port_ = door_.listen(io_, config_.listen_host, config_.listen_port);
    for (const TcpPeer& peer : config_.peers)
      if (peer.id != config_.self) peers_.try_emplace(peer.id, peer, config_.queue_bytes, io_);
    for (auto& [id, peer] : peers_) dial(peer);
    tick();
  }
  TcpMesh(const TcpMesh&) = delete;
  TcpMesh& operator=(const TcpMesh&) = delete;

  std::uint16_t port() const noexcept { return port_; }

  void set_peer_address(NodeId id, std::string host, std::uint16_t port) {
    Peer& peer = require_peer(id);
    peer.address = {id, std::move(host), port};
    if (peer.dialing) peer.dialing->end(TcpEnd::replaced);
    dial_at_once(peer);
  }

  /// Calls `change(Transport&)`, which may change who can speak as this peer: a connection that is
  /// no longer allowed ends, and the peer is dialed at once. Throws `ConfigError` if it is no peer.
  template <class Change>
  void change_peer(NodeId id, Change change) {
    Peer& peer = require_peer(id);
    change(transport_);
    if (peer.link && !transport_.may_speak(peer.link->stream(), id))
      peer.link->end(TcpEnd::withdrawn);
    dial_at_once(peer);
  }

  bool connected(NodeId id) const noexcept {
    const auto found = peers_.find(id);
    return found != peers_.end() && found->second.link;
  }

  void send(NodeId to, FrameClass kind, const Bytes& payload) {
    Peer* const peer = find(to);
    if (closed_ || payload.size() > frame_limit(kind) || (!peer && to != config_.self))
      ++counters_.refused;
    else
      (peer ? peer->queue : own_queue_).push(kind, payload);
  }

  void flush() {
    bool unfinished = false;
    for (auto& [id, peer] : peers_) {
      if (!peer.link) continue;
      unfinished = unfinished || peer.link->writing();
      peer.link->flush();
    }
    // An earlier write goes on, and is followed by the next one, only when handlers run.
    if (unfinished) io_.poll();
  }

  template <class Sink>
  void poll(Sink& sink, std::chrono::nanoseconds at_most, std::size_t max_frames) {
    io_.poll();
    bool something = deliver(sink, max_frames);
    if (!something && at_most.count() > 0) {
      const Clock::time_point deadline = moment_in(at_most);
      while (!something && !woken_ && !closed_ && io_.run_one_until(deadline) > 0) {
        io_.poll();
        sweep();
        something = deliver(sink, max_frames);
      }
    }
    woken_ = false;
    sweep();
  }

  void wake() {
    if (!woken_.exchange(true)) boost::asio::post(io_, [] {});
  }

  void close() {
    if (std::exchange(closed_, true)) return;
    const Clock::time_point deadline = moment_in(config_.close_within);
    door_.close();
    run_until(deadline, [](const Link& link) { return !link.peer() || link.idle(); });
    for (const auto& link : links_) link->finish();
    run_until(deadline, [](const Link& link) { return !link.peer(); });
    for (const auto& link : links_) link->end(TcpEnd::lost);
  }

  TcpStatus status() const {
    TcpStatus status = counters_;
    add(own_queue_, status);
    for (const auto& [id, peer] : peers_) {
      status.connected += peer.link ? 1 : 0;
      if (!peer.link) status.absent.push_back({id, std::string(peer.why)});
      add(peer.queue, status);
    }
    return status;
  }

 private:
  using Link = TcpLink<Transport, TcpMesh>;
  friend Link;
  using Door = TcpDoor<TcpMesh>;
  friend Door;
  using Clock = std::chrono::steady_clock;
  using Error = boost::system::error_code;
  using tcp = boost::asio::ip::tcp;

  /// Accepted connections that have not said yet whose they are.
  static constexpr std::size_t most_unnamed = 64;

  struct Peer {
    Peer(TcpPeer at, std::size_t queue_bytes, boost::asio::io_context& io)
        : address(std::move(at)), queue(queue_bytes), retry(io) {}

    TcpPeer address;
    PeerQueue queue;
    boost::asio::steady_timer retry;
    std::chrono::milliseconds pause{};  // the longest before the next attempt
    Link* link = nullptr;               // the connection that frames flow on
    Link* dialing = nullptr;            // the one that is being made
    std::string_view why = "no connection was made yet";
    bool resolving = false;
  };

  static TcpConfig checked(TcpConfig config) {
    validate(config);
    return config;
  }

  Peer* find(std::optional<NodeId> id) noexcept {
    const auto found = id ? peers_.find(*id) : peers_.end();
    return found != peers_.end() ? &found->second : nullptr;
  }

  Peer& require_peer(NodeId id) {
    Peer* const peer = find(id);
    if (!peer) throw ConfigError("peers.id", std::to_string(id.value), "is no peer of this node");
    return *peer;
  }

  Hello hello() const {
    return {Hello::current_version, config_.cluster_id, config_.self, config_.configuration};
  }

  // What the door tells.

  void let_in(tcp::socket socket) {
    make_room();
    add_link(std::move(socket), std::nullopt).greet(transport_, hello());
  }
  void turned_away(const tcp::socket& socket) {
    count_end(TcpEnd::crowded_out, "somebody at " + remote_address(socket));
  }

  /// Who connects and says nothing must not keep peers out: of too many, one goes.
  void make_room() {
    std::vector<Link*> unnamed;
    std::vector<boost::asio::ip::address> origins;
    for (const auto& link : links_) {
      if (!link->open() || link->peer() || link->expected()) continue;
      unnamed.push_back(link.get());
      origins.push_back(link->origin());
    }
    if (unnamed.size() >= most_unnamed)
      unnamed[Crowd(std::move(origins)).first_of_most()]->end(TcpEnd::crowded_out);
  }

  Link& add_link(tcp::socket socket, std::optional<NodeId> expected) {
    links_.push_back(std::make_unique<Link>(*this, counters_,
                                            transport_.stream(std::move(socket)), expected));
    return *links_.back();
  }

  void dial(Peer& peer) {
    if (closed_ || peer.link || peer.dialing || peer.resolving) return;
    if (peer.address.port == 0 || peer.address.id < config_.self) return;
    Error no_address;
    const auto address = boost::asio::ip::make_address(peer.address.host, no_address);
    if (!no_address) return connect(peer, std::array{tcp::endpoint(address, peer.address.port)});

    peer.resolving = true;
    resolver_.async_resolve(peer.address.host, std::to_string(peer.address.port),
                            [this, &peer](Error error, const auto& endpoints) {
                              peer.resolving = false;
                              if (closed_) return;
                              if (error) {
                                peer.why = "its name is not found";
                                return retry(peer);
                              }
                              connect(peer, endpoints);
                            });
  }

  void dial_at_once(Peer& peer) {
    peer.retry.cancel();
    peer.pause = {};
    dial(peer);
  }

  template <class Endpoints>
  void connect(Peer& peer, const Endpoints& endpoints) {
    peer.dialing = &add_link(tcp::socket(io_), peer.address.id);
    peer.dialing->connect(endpoints, transport_, hello());
  }

  /// Dials after a random time, so that a cluster that starts again does not do it in step.
  void retry(Peer& peer) {
    if (closed_) return;
    peer.pause = std::max(peer.pause, config_.reconnect_first);
    std::uniform_int_distribution<std::int64_t> pick(0, peer.pause.count());
    peer.retry.expires_after(std::chrono::milliseconds(pick(jitter_)));
    peer.pause = std::min(2 * peer.pause, config_.reconnect_longest);
    peer.retry.async_wait([this, &peer](Error cancelled) {
      if (!cancelled) dial(peer);
    });
  }

  // What links tell.

  void greeted(Link& link, const Hello& hello) {
    Peer* const peer = find(hello.node);
    if (const TcpEnd* const refusal = refusal_of(link, hello)) {
      if (peer && transport_.may_speak(link.stream(), hello.node)) peer->why = refusal->text;
      return link.end(*refusal);
    }
    // Of two connections the old one is dead: who dials has lost it.
    if (peer->link) peer->link->end(TcpEnd::replaced);
    peer->dialing = nullptr;
    peer->link = &link;
    link.join(hello.node, peer->queue);
  }

  const TcpEnd* refusal_of(Link& link, const Hello& hello) {
    if (const TcpEnd* const odd = difference(this->hello(), hello)) return odd;
    const bool right = link.expected() ? hello.node == *link.expected() : hello.node < config_.self;
    if (!right || !find(hello.node)) return &TcpEnd::stranger;
    if (!transport_.may_speak(link.stream(), hello.node)) return &TcpEnd::wrong_certificate;
    return nullptr;
  }

  void readable(Link& link) { ready_.push_back(&link); }

  void ended(Link& link, const TcpEnd& reason) {
    count_end(reason, describe(link));
    std::erase(ready_, &link);
    Peer* const peer = find(link.peer() ? link.peer() : link.expected());
    if (!peer && &reason != &TcpEnd::crowded_out)
      counters_.last_refused = link.origin().to_string() + ": " + std::string(reason.text);
    if (!peer || (peer->link != &link && peer->dialing != &link)) return;
    peer->link = peer->dialing = nullptr;
    peer->why = reason.text;
    if (link.joined_before(Clock::now() - config_.healthy_after)) peer->pause = {};
    if (config_.self < peer->address.id) retry(*peer);
  }

  void count_end(const TcpEnd& reason, const std::string& who) {
    ++(counters_.ended.*reason.counter);
    counters_.last_end = who + ": " + std::string(reason.text);
  }

  std::string describe(const Link& link) const {
    if (link.expected()) return mirbft::describe(peers_.at(*link.expected()).address);
    const std::optional<NodeId> node = link.peer();
    return (node ? "node " + std::to_string(node->value) : "somebody") + " at " +
           remote_address(link.socket());
  }

  // What happens in a poll.

  /// Whether a frame was given to the sink or still waits for it; nothing waits for one that
  /// takes no frames.
  template <class Sink>
  bool deliver(Sink& sink, std::size_t max_frames) {
    const std::uint64_t before = counters_.frames_received;
    std::size_t left = max_frames;
    for (; left > 0 && !own_queue_.empty(); --left) {
      ++counters_.frames_received;
      sink(config_.self, own_queue_.pop().payload);
    }
    while (left > 0 && !ready_.empty()) {
      Link& link = *ready_.front();
      left -= link.deliver(sink, left);
      if (!link.readable()) std::erase(ready_, &link);
    }
    return max_frames > 0 &&
           (counters_.frames_received != before || !ready_.empty() || !own_queue_.empty());
  }

  void tick() {
    const Clock::duration shortest = std::min(config_.ping_after, config_.hello_within);
    const Clock::time_point due = Clock::now() + shortest / 4;
    ticker_.expires_at(due);
    ticker_.async_wait([this, due](Error cancelled) {
      if (cancelled) return;
      const Clock::time_point now = Clock::now();
      for (const auto& link : links_) link->tick(now, now - due, config_);
      tick();
    });
  }

  /// Frees the links that are over; not while one of their handlers runs.
  void sweep() {
    std::erase_if(links_, [](const auto& link) { return link->over(); });
  }

  /// Runs, and throws away what arrives, until all open links are done or time is up.
  template <class Done>
  void run_until(Clock::time_point deadline, Done done) {
    const auto ignore = [](NodeId, const Bytes&) {};
    const auto all_done = [&] {
      return std::all_of(links_.begin(), links_.end(),
                         [&](const auto& link) { return !link->open() || done(*link); });
    };
    flush();
    while (!all_done() && Clock::now() < deadline) {
      if (!deliver(ignore, 1'000)) io_.run_one_until(deadline);
      io_.poll();
    }
  }

  TcpConfig config_;
  Transport transport_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      io_.get_executor()};
  Door door_{*this, io_};
  tcp::resolver resolver_{io_};
  boost::asio::steady_timer ticker_{io_};
  std::map<NodeId, Peer> peers_;
  std::vector<std::unique_ptr<Link>> links_;
  std::deque<Link*> ready_;
  std::uint16_t port_ = 0;
  PeerQueue own_queue_;
  TcpStatus counters_;
  std::minstd_rand jitter_;
  std::atomic<bool> woken_ = false;
  bool closed_ = false;
};

}  // namespace mirbft

#endif

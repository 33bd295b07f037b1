// The port of a replica that remote clients submit to.
#ifndef MIRBFT_CLIENT_CLIENT_PORT_HPP
#define MIRBFT_CLIENT_CLIENT_PORT_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>

#include <mirbft/client/client_frames.hpp>
#include <mirbft/client/client_link.hpp>
#include <mirbft/client/client_port_config.hpp>
#include <mirbft/client/io_loop.hpp>
#include <mirbft/client/port_accounts.hpp>
#include <mirbft/client/port_queue.hpp>
#include <mirbft/events/node.hpp>
#include <mirbft/events/tracker.hpp>
#include <mirbft/modules/net/tcp.hpp>
#include <mirbft/modules/net/tcp_listen.hpp>
#include <mirbft/node.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/wire/codec.hpp>

namespace mirbft {

/// Takes remote clients' requests for a `Replica` (a `Node`, or whatever has its `submit`), on a
/// port and a thread of its own, and sends the answers back.
///
/// Whatever comes is bounded: connections, open requests and bytes, of all together, of each
/// address and of each client. A request beyond that is answered `overloaded`; a client that does
/// not read its answers is cut off; each refusal is counted under its name in `status()`.
///
/// `Transport` is what `TcpMesh` says; `PlainTcp` protects nothing. Requests are signed, and it is
/// the Node that checks that.
template <class Replica, class Transport = PlainTcp>
class ClientPort {
 public:
  /// Listens at once. The replica must outlive the port. Throws `ConfigError`.
  ClientPort(ClientPortConfig config, Replica& replica, Transport transport = {})
      : config_(checked(std::move(config))),
        queue_(replica, loop_),
        transport_(std::move(transport)),
        accounts_(config_) {
    listen();
    tick();
    thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
  }
  ClientPort(const ClientPort&) = delete;
  ClientPort& operator=(const ClientPort&) = delete;
  /// Sends what is answered, for `close_within` at most, and closes.
  ~ClientPort() = default;

  std::uint16_t port() const noexcept { return port_; }

  /// Where the port stood a moment ago. From any thread.
  ClientPortStatus status() const {
    const std::lock_guard lock(mutex_);
    return published_;
  }

 private:
  using Link = ClientLink<Transport, ToReplica, ToClient, ClientPort>;
  friend Link;
  using Clock = std::chrono::steady_clock;
  using Error = boost::system::error_code;
  using tcp = boost::asio::ip::tcp;

  /// A connection.
  struct Session {
    PortUser user;
    PortAccounts::Account* account = nullptr;  // of the user; null once it has ended
    std::unique_ptr<Link> link;
    std::uint64_t answer_bytes = 0;  // as they stand in the account
    bool unflushed = false;          // it is in the list of those
  };
  /// Whose request it is that waits for its answer; the connection may be gone.
  struct Asker {
    std::uint64_t session = 0;
    std::uint64_t number = 0;
    PortAccounts::Account* account = nullptr;  // in which the request stands
    std::uint32_t cost = 0;
  };

  /// What the bookkeeping of an open request is taken to cost.
  static constexpr std::uint32_t request_overhead = 256;

  static ClientPortConfig checked(ClientPortConfig config) {
    validate(config);
    return config;
  }

  // Connections.

  void listen() {
    port_ = detail::listen_at(acceptor_, loop_.context(), config_.listen_host,
                              config_.listen_port);
    accept();
  }

  void accept() {
    if (std::exchange(accepting_, true)) return;
    acceptor_.async_accept([this](Error error, tcp::socket socket) {
      accepting_ = false;
      if (closing_) return;
      if (error) return;  // the next tick tries again: a lack of descriptors may pass
      welcome(std::move(socket));
      accept();
    });
  }

  void welcome(tcp::socket socket) {
    Error gone;
    const auto remote = socket.remote_endpoint(gone);
    if (gone) return;
    const PortUser user{origin_of(remote.address()), {}};
    if (const LinkEnd* const refusal = refusal_of(accounts_.full(user, &PortShare::connections, 1)))
      return count_end(user, *refusal);
    ++status_.accepted;
    const std::uint64_t id = ++last_session_;
    Session& session = sessions_[id];
    session.user = user;
    session.account = &accounts_.add(user, &PortShare::connections, 1);
    session.link = std::make_unique<Link>(*this, id, transport_.stream(std::move(socket)));
    session.link->accept(transport_);
  }

  static const LinkEnd* refusal_of(PortAccounts::Full full) noexcept {
    switch (full) {
      case PortAccounts::Full::nothing: return nullptr;
      case PortAccounts::Full::port: return &LinkEnd::port_full;
      case PortAccounts::Full::address: return &LinkEnd::address_full;
      case PortAccounts::Full::client: return &LinkEnd::client_full;
    }
    return nullptr;
  }

  void count_end(const PortUser& user, const LinkEnd& reason) {
    ++(status_.ended.*reason.counter);
    status_.last_end =
        (user.client ? "client " + std::to_string(user.client->value) : "somebody") + " at " +
        user.origin.to_string() + ": " + std::string(reason.text);
  }

  // What connections tell.

  void opened(Link& link) {
    link.send(ToClient::hello,
              wire::encode(ReplicaHello{client_protocol, config_.cluster_id, config_.self}));
  }

  void received(Link& link, ToReplica kind, Bytes payload) {
    Session& session = sessions_.at(link.id());
    if (kind == ToReplica::hello)
      greeted(session, payload);
    else
      submitted(session, std::move(payload));
  }

  void greeted(Session& session, const Bytes& payload) {
    Link& link = *session.link;
    const auto hello = wire::decode<ClientHello>(payload, wire::Form::lenient);
    if (!hello) return link.end(LinkEnd::bad_hello);
    if (hello->version != client_protocol) return link.end(LinkEnd::wrong_version);
    if (hello->cluster_id != config_.cluster_id) return link.end(LinkEnd::wrong_cluster);
    accounts_.remove(*session.account, &PortShare::connections, 1);
    session.user.client = hello->client;
    const auto full = accounts_.full(session.user, &PortShare::connections, 1);
    session.account = &accounts_.add(session.user, &PortShare::connections, 1);
    if (const LinkEnd* const refusal = refusal_of(full)) return link.end(*refusal);
    link.meet();
  }

  void submitted(Session& session, Bytes payload) {
    auto submission = wire::decode<Submission>(payload, wire::Form::lenient);
    if (!submission || submission->spread > Spread::by_replica)
      return session.link->end(LinkEnd::bad_frame);
    const Request& request = submission->request;
    if (request.client != session.user.client) return session.link->end(LinkEnd::stranger);

    const std::uint32_t cost = static_cast<std::uint32_t>(payload.size()) + request_overhead;
    PortAccounts::Account& account = *session.account;
    if (closing_ || !has_room(account, cost))
      return answer(session, {submission->number,
                              {request.client, request.req_no, Outcome::overloaded, {}, {}}});
    accounts_.add(account, &PortShare::requests, 1);
    accounts_.add(account, &PortShare::request_bytes, cost);
    queue_.submit({session.link->id(), submission->number, &account, cost},
                  std::move(*submission), std::move(payload));
  }

  bool has_room(const PortAccounts::Account& account, std::uint64_t cost) {
    auto full = accounts_.full(account, &PortShare::requests, 1);
    if (full == PortAccounts::Full::nothing)
      full = accounts_.full(account, &PortShare::request_bytes, cost);
    status_.refused.port_full += full == PortAccounts::Full::port;
    status_.refused.address_full += full == PortAccounts::Full::address;
    status_.refused.client_full += full == PortAccounts::Full::client;
    return full == PortAccounts::Full::nothing;
  }

  void written(Link& link) { settle(sessions_.at(link.id())); }

  void settle(Session& session) {
    const std::uint64_t unwritten = session.link->unwritten();
    if (unwritten >= session.answer_bytes) return;
    accounts_.remove(*session.account, &PortShare::answer_bytes, session.answer_bytes - unwritten);
    session.answer_bytes = unwritten;
  }

  void ended(Link& link, const LinkEnd& reason) {
    Session& session = sessions_.at(link.id());
    count_end(session.user, reason);
    PortAccounts::Account& account = *std::exchange(session.account, nullptr);
    accounts_.remove(account, &PortShare::answer_bytes, std::exchange(session.answer_bytes, 0));
    accounts_.remove(account, &PortShare::connections, 1);
    over_.push_back(link.id());
  }

  // Answers.

  /// The Node has answered a request.
  void answered(const Asker& asker, Replied reply) {
    accounts_.remove(*asker.account, &PortShare::request_bytes, asker.cost);
    accounts_.remove(*asker.account, &PortShare::requests, 1);
    const auto session = sessions_.find(asker.session);
    if (session == sessions_.end() || !session->second.link->open())
      ++status_.dropped_answers;
    else
      answer(session->second, {asker.number, std::move(reply)});
  }

  void answer(Session& session, SubmissionAnswer answer) {
    Bytes payload = wire::encode(answer);
    if (payload.size() > frame_limit(ToClient::answer)) {
      ++status_.too_long_answers;
      answer.reply = {answer.reply.client, answer.reply.req_no, Outcome::already_delivered, {}, {}};
      payload = wire::encode(answer);
    }
    const std::uint64_t cost = Link::cost(payload);
    if (!make_room(session, cost)) return;
    accounts_.add(*session.account, &PortShare::answer_bytes, cost);
    session.answer_bytes += cost;
    session.link->send(ToClient::answer, payload);
    ++status_.answered;
    if (!std::exchange(session.unflushed, true)) unflushed_.push_back(session.link->id());
  }

  /// Where the answers that wait to be read fill an account, the one of its connections goes that
  /// has most of them, not the one that happens to be answered. False if that is this one.
  bool make_room(Session& session, std::uint64_t cost) {
    for (;;) {
      const auto full = accounts_.full(*session.account, &PortShare::answer_bytes, cost);
      if (full == PortAccounts::Full::nothing) return true;
      Session* slowest = &session;
      for (auto& [id, other] : sessions_)
        if (PortAccounts::share(full, session.user, other.user) &&
            other.answer_bytes > slowest->answer_bytes)
          slowest = &other;
      slowest->link->end(LinkEnd::slow_reader);
      if (slowest == &session) return false;
    }
  }

  // The thread.

  void work(const std::stop_token& stop) {
    loop_.run(stop, [this] { go_on(); });
    closing_ = true;
    Error ignored;
    acceptor_.close(ignored);
    loop_.run_until(Clock::now() + config_.close_within, [this] { go_on(); }, [this] {
      return std::all_of(sessions_.begin(), sessions_.end(), [](const auto& session) {
        return !session.second.link->open() || session.second.link->unwritten() == 0;
      });
    });
    for (auto& [id, session] : sessions_) session.link->end(LinkEnd::closed);
    queue_.close();
    publish();
  }

  /// After a round of handlers: the answers that have come, and one write for each connection.
  void go_on() {
    queue_.take_answers(
        [this](const Asker& asker, Replied reply) { answered(asker, std::move(reply)); });
    for (const std::uint64_t id : std::exchange(unflushed_, {}))
      if (const auto session = sessions_.find(id); session != sessions_.end()) {
        session->second.unflushed = false;
        session->second.link->flush();
      }
    std::erase_if(over_, [this](std::uint64_t id) {
      if (!sessions_.at(id).link->over()) return false;
      sessions_.erase(id);
      return true;
    });
    publish();
  }

  void publish() {
    ClientPortStatus now = status_;
    now.used = accounts_.total();
    now.addresses = accounts_.addresses();
    now.clients = accounts_.clients();
    now.submitted = queue_.submitted();
    now.held_back = queue_.held_back();
    now.refused.replica_full = queue_.refused();
    const std::lock_guard lock(mutex_);
    published_ = std::move(now);
  }

  void tick() {
    const LinkTimes times{config_.ping_after, config_.dead_after, config_.hello_within};
    const Clock::time_point due = Clock::now() + std::min(times.ping_after, times.hello_within) / 4;
    ticker_.expires_at(due);
    ticker_.async_wait([this, due, times](Error cancelled) {
      if (cancelled || closing_) return;
      const Clock::time_point now = Clock::now();
      for (auto& [id, session] : sessions_) session.link->tick(now, now - due, times);
      accept();
      tick();
    });
  }

  const ClientPortConfig config_;
  IoLoop loop_;
  PortQueue<Replica, Asker> queue_;
  Transport transport_;
  tcp::acceptor acceptor_{loop_.context()};
  boost::asio::steady_timer ticker_{loop_.context()};
  std::uint16_t port_ = 0;
  bool accepting_ = false;
  bool closing_ = false;

  PortAccounts accounts_;
  std::map<std::uint64_t, Session> sessions_;
  std::uint64_t last_session_ = 0;
  std::vector<std::uint64_t> unflushed_;  // sessions with something to write
  std::vector<std::uint64_t> over_;       // sessions that ended and are still there
  ClientPortStatus status_;

  mutable std::mutex mutex_;
  ClientPortStatus published_;
  std::jthread thread_;
};

}  // namespace mirbft

#endif

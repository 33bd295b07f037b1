// The port of a node: however many connect, letting them in costs a bounded share of its time.
#ifndef MIRBFT_MODULES_NET_TCP_DOOR_HPP
#define MIRBFT_MODULES_NET_TCP_DOOR_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>

#include <mirbft/modules/net/tcp_origin.hpp>
#include <mirbft/modules/net/tcp_listen.hpp>

namespace mirbft {

/// So many at once, and after that one in each `pause`.
class Pace {
 public:
  using Clock = std::chrono::steady_clock;

  Pace(Clock::duration pause, int at_once) : pause_(pause), at_once_(at_once) {}

  /// Whether one more may be done now; then it counts as done.
  bool take(Clock::time_point now) {
    if (now < due_) return false;
    due_ = std::max(due_, now - (at_once_ - 1) * pause_) + pause_;
    return true;
  }
  /// When the next may be done at the earliest.
  Clock::time_point due() const noexcept { return due_; }
  void rest_until(Clock::time_point then) { due_ = std::max(due_, then); }

 private:
  Clock::duration pause_;
  int at_once_;
  Clock::time_point due_{};
};

/// Accepts connections, has them wait, and lets them in one after the other. To accept costs
/// little; what a stranger can demand then, a TLS handshake, costs a fraction of a millisecond.
/// So both are paced, and of those who wait the turn is that of the origin that has fewest there.
///
/// The owner has `let_in(tcp::socket)` and `turned_away(const tcp::socket&)`, for those who find
/// no room to wait; it may not close the door in them.
template <class Owner>
class TcpDoor {
 public:
  using tcp = boost::asio::ip::tcp;

  /// So many wait at most.
  static constexpr std::size_t room = 64;
  /// At 0.5 ms a handshake, strangers get a tenth of the thread. A large cluster that starts
  /// again comes together within a second.
  static constexpr std::chrono::milliseconds admission_pause{5};
  static constexpr int admitted_at_once = 16;
  static constexpr std::chrono::microseconds accept_pause{500};
  static constexpr int accepted_at_once = 16;
  /// After the system could not accept, for want of descriptors for instance.
  static constexpr std::chrono::milliseconds rest{100};

  TcpDoor(Owner& owner, boost::asio::io_context& io) : owner_(owner), acceptor_(io), timer_(io) {}
  TcpDoor(const TcpDoor&) = delete;
  TcpDoor& operator=(const TcpDoor&) = delete;

  /// Returns the port. Throws `ConfigError`.
  std::uint16_t listen(boost::asio::io_context& io, const std::string& host, std::uint16_t port) {
    const std::uint16_t found = detail::listen_at(acceptor_, io, host, port);
    go_on();
    return found;
  }

  /// Nobody comes in any more.
  void close() {
    Error ignored;
    acceptor_.close(ignored);
    timer_.cancel();
    guests_.clear();
  }

 private:
  using Error = boost::system::error_code;
  using Clock = Pace::Clock;

  struct Guest {
    boost::asio::ip::address origin;
    tcp::socket socket;
  };

  void go_on() {
    const Clock::time_point now = Clock::now();
    while (!guests_.empty() && admissions_.take(now))
      owner_.let_in(take(crowd().first_of_fewest()));
    if (!accepting_ && accepts_.take(now)) accept();
    Clock::time_point due = Clock::time_point::max();
    if (!guests_.empty()) due = admissions_.due();
    if (!accepting_) due = std::min(due, accepts_.due());
    if (due != Clock::time_point::max()) wake_at(due);
  }

  void wake_at(Clock::time_point due) {
    timer_.expires_at(due);
    timer_.async_wait([this](Error cancelled) {
      if (!cancelled && acceptor_.is_open()) go_on();
    });
  }

  void accept() {
    accepting_ = true;
    acceptor_.async_accept([this](Error error, tcp::socket socket) {
      accepting_ = false;
      if (!acceptor_.is_open()) return;
      if (error) accepts_.rest_until(Clock::now() + rest);
      else enter(std::move(socket));
      go_on();
    });
  }

  void enter(tcp::socket socket) {
    Error gone;  // then it has no address, and fails when its turn comes
    const auto remote = socket.remote_endpoint(gone);
    guests_.push_back({origin_of(remote.address()), std::move(socket)});
    if (guests_.size() > room) owner_.turned_away(take(crowd().first_of_most()));
  }

  Crowd crowd() const {
    std::vector<boost::asio::ip::address> origins;
    for (const Guest& guest : guests_) origins.push_back(guest.origin);
    return Crowd(std::move(origins));
  }
  tcp::socket take(std::size_t place) {
    const auto at = guests_.begin() + static_cast<std::ptrdiff_t>(place);
    tcp::socket socket = std::move(at->socket);
    guests_.erase(at);
    return socket;
  }

  Owner& owner_;
  tcp::acceptor acceptor_;
  boost::asio::steady_timer timer_;
  std::deque<Guest> guests_;
  Pace admissions_{admission_pause, admitted_at_once};
  Pace accepts_{accept_pause, accepted_at_once};
  bool accepting_ = false;
};

}  // namespace mirbft

#endif

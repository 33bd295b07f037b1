// The network side: a port on which clients of Redis connect, each with a session of its own.
#ifndef MIRBFT_EXAMPLES_REDIS_GATEWAY_HPP
#define MIRBFT_EXAMPLES_REDIS_GATEWAY_HPP

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/error_code.hpp>

#include <mirbft/types/errors.hpp>

#include "session.hpp"

namespace redis {

/// Where to listen, and what connections may use.
struct GatewayConfig {
  std::string host = "127.0.0.1";
  std::uint16_t port = 6380;  ///< 0 for one that is free
  std::size_t max_connections = 10'000;
  SessionLimits session{};
};

/// Serves while its io_context runs, on one thread. `Orders` is called on that thread and may call
/// back on any. The io_context outlives `Orders`, and that outlives the gateway.
template <class Orders>
class Gateway {
 public:
  /// Throws ConfigError if it cannot listen there.
  Gateway(boost::asio::io_context& io, Orders& orders, GatewayConfig config)
      : io_(io), orders_(orders), config_(std::move(config)), acceptor_(io), retry_(io) {
    listen();
    accept();
  }
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  using tcp = boost::asio::ip::tcp;
  using Error = boost::system::error_code;

  /// How long no connection is accepted after the system could not give one.
  static constexpr std::chrono::milliseconds pause{100};

  static std::uint64_t wall_clock() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
  }

  class Link;

  /// Takes a session's orders to the cluster, and the answers back to the gateway's thread.
  struct Relay {
    Link& link;

    template <class Answered>
    void submit(mirbft::Bytes body, Answered answered) {
      link.submit(std::move(body), std::move(answered));
    }
  };

  /// A socket and its session. It lives while an operation of its own is under way, be it of the
  /// socket or in the cluster: longer than the gateway, if that ends first.
  class Link : public std::enable_shared_from_this<Link> {
   public:
    Link(Gateway& gateway, tcp::socket socket, std::uint64_t id)
        : io_(gateway.io_),
          orders_(gateway.orders_),
          connections_(gateway.connections_),
          socket_(std::move(socket)),
          session_(relay_, id, &Gateway::wall_clock, gateway.config_.session) {
      ++*connections_;
    }
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;
    ~Link() { --*connections_; }

    /// Reads, writes and closes, whatever there is to do and is not being done.
    void proceed() {
      if (!socket_.is_open()) return;
      if (session_.finished() && !writing_) {
        Error ignored;
        socket_.shutdown(tcp::socket::shutdown_both, ignored);
        socket_.close(ignored);
        return;
      }
      if (!writing_ && session_.has_output()) write();
      if (!reading_ && session_.wants_input()) read();
    }

    template <class Answered>
    void submit(mirbft::Bytes body, Answered answered) {
      auto self = this->shared_from_this();
      orders_.submit(std::move(body), [self, answered](const Answer& answer) mutable {
        boost::asio::io_context& io = self->io_;
        boost::asio::post(io, [self = std::move(self), answered, answer] {
          answered(answer);
          self->proceed();
        });
      });
    }

   private:
    void read() {
      reading_ = true;
      socket_.async_read_some(boost::asio::buffer(input_),
                              [self = this->shared_from_this()](Error error, std::size_t size) {
                                self->reading_ = false;
                                if (error) return self->close();
                                self->session_.receive({self->input_.data(), size});
                                self->proceed();
                              });
    }
    void write() {
      writing_ = true;
      output_ = session_.take_output();
      boost::asio::async_write(socket_, boost::asio::buffer(output_),
                               [self = this->shared_from_this()](Error error, std::size_t) {
                                 self->writing_ = false;
                                 if (error) return self->close();
                                 self->proceed();
                               });
    }
    void close() {
      Error ignored;
      socket_.close(ignored);
    }

    boost::asio::io_context& io_;
    Orders& orders_;
    std::shared_ptr<std::atomic<std::size_t>> connections_;
    tcp::socket socket_;
    Relay relay_{*this};
    Session<Relay> session_;
    std::array<char, 16 * 1024> input_;
    std::string output_;
    bool reading_ = false;
    bool writing_ = false;
  };

  void listen() {
    const auto refuse = [](const char* field, std::string value, std::string rule) {
      throw mirbft::ConfigError(field, std::move(value), std::move(rule));
    };
    Error error;
    const auto address = boost::asio::ip::make_address(config_.host, error);
    if (error) refuse("host", '"' + config_.host + '"', "must be an IP address of this machine");
    const tcp::endpoint endpoint(address, config_.port);
    const std::string port = std::to_string(config_.port);
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(tcp::acceptor::max_listen_connections, error);
    if (error == boost::asio::error::address_in_use)
      refuse("port", port, "is in use; stop who has it or choose another port");
    if (error == boost::asio::error::access_denied)
      refuse("port", port, "may not be opened; choose one above 1023");
    if (error)
      refuse("host", '"' + config_.host + '"',
             "must be an IP address of this machine (" + error.message() + ')');
  }

  void accept() {
    acceptor_.async_accept([this](Error error, tcp::socket socket) {
      if (error == boost::asio::error::operation_aborted) return;
      if (error) return accept_later();
      if (*connections_ < config_.max_connections) welcome(std::move(socket));
      else refuse(std::move(socket));
      accept();
    });
  }
  /// The system has no handles left, or the like.
  void accept_later() {
    retry_.expires_after(pause);
    retry_.async_wait([this](Error error) {
      if (!error) accept();
    });
  }
  void welcome(tcp::socket socket) {
    Error ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    std::make_shared<Link>(*this, std::move(socket), ++last_id_)->proceed();
  }
  static void refuse(tcp::socket socket) {
    Error ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(
        boost::asio::buffer(std::string_view("-ERR max number of clients reached\r\n")), ignored);
  }

  boost::asio::io_context& io_;
  Orders& orders_;
  GatewayConfig config_;
  tcp::acceptor acceptor_;
  boost::asio::steady_timer retry_;
  std::uint64_t last_id_ = 0;
  // Links count themselves. The last one to hold one may be a thread of `Orders`.
  std::shared_ptr<std::atomic<std::size_t>> connections_ =
      std::make_shared<std::atomic<std::size_t>>(0);
};

}  // namespace redis

#endif

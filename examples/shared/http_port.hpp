// A port where the operator of a program looks at its pages, by Boost.Beast.
#ifndef MIRBFT_EXAMPLES_SHARED_HTTP_PORT_HPP
#define MIRBFT_EXAMPLES_SHARED_HTTP_PORT_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <mirbft/types/errors.hpp>

namespace programs {

/// What is answered.
struct Page {
  unsigned status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body{};
};

/// Answers GET and HEAD on a thread of its own, one request a connection. Whoever is slow, greedy
/// or many costs no more than this: `most_connections`, of which the oldest goes when another
/// comes, each with `longest_head` bytes, one page and `patience`.
class HttpPort {
 public:
  /// The page at a path, nothing if there is none. Called on the port's thread; must not throw.
  using Pages = std::function<std::optional<Page>(std::string_view path)>;

  static constexpr std::size_t most_connections = 32;
  static constexpr std::uint32_t longest_head = 8 << 10;
  static constexpr std::chrono::seconds patience{5};

  /// Listens at once; port 0 is any free one. Throws ConfigError.
  HttpPort(const std::string& host, std::uint16_t port, Pages pages)
      : pages_(std::move(pages)), acceptor_(context_) {
    listen(host, port);
    accept();
    thread_ = std::jthread([this] { context_.run(); });
  }
  HttpPort(const HttpPort&) = delete;
  HttpPort& operator=(const HttpPort&) = delete;
  ~HttpPort() {
    context_.stop();
    thread_.join();
  }

  std::uint16_t port() const { return port_; }

 private:
  using Tcp = boost::asio::ip::tcp;
  using Error = boost::beast::error_code;
  template <class Body>
  using Response = boost::beast::http::response<Body>;

  struct Connection {
    explicit Connection(Tcp::socket socket) : stream(std::move(socket)) {
      parser.header_limit(longest_head);
      parser.body_limit(std::uint64_t{0});
      stream.expires_after(patience);
    }

    boost::beast::tcp_stream stream;
    boost::beast::flat_buffer buffer{longest_head};
    boost::beast::http::request_parser<boost::beast::http::empty_body> parser;
    Response<boost::beast::http::string_body> response;
  };
  using Shared = std::shared_ptr<Connection>;

  void listen(const std::string& host, std::uint16_t port) {
    Error error;
    const auto require = [&](const char* field, const std::string& value, const std::string& rule) {
      if (error) throw mirbft::ConfigError(field, value, rule);
    };
    const auto address = boost::asio::ip::make_address(host, error);
    require("http_host", '"' + host + '"', "must be an IP address of this machine, as 127.0.0.1");
    const Tcp::endpoint place(address, port);
    acceptor_.open(place.protocol(), error);
    if (!error) acceptor_.set_option(Tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(place, error);
    if (!error) acceptor_.listen(Tcp::acceptor::max_listen_connections, error);
    require("http_port", host + ':' + std::to_string(port),
            error.message() + ": choose a free port, or end who has this one");
    port_ = acceptor_.local_endpoint().port();
  }

  void accept() {
    acceptor_.async_accept([this](const Error& error, Tcp::socket socket) {
      if (error == boost::asio::error::operation_aborted) return;
      if (error) return accept_later();
      begin(std::make_shared<Connection>(std::move(socket)));
      accept();
    });
  }

  /// The system has no descriptor to give at present, for instance.
  void accept_later() {
    pause_.expires_after(std::chrono::milliseconds(100));
    pause_.async_wait([this](const Error& error) {
      if (!error) accept();
    });
  }

  void begin(const Shared& connection) {
    connections_.remove_if([](const auto& other) { return other.expired(); });
    if (connections_.size() == most_connections) {
      if (const Shared oldest = connections_.front().lock()) oldest->stream.close();
      connections_.pop_front();
    }
    connections_.push_back(connection);
    boost::beast::http::async_read_header(
        connection->stream, connection->buffer, connection->parser,
        [this, connection](const Error& error, std::size_t) { answer(connection, error); });
  }

  void answer(const Shared& connection, const Error& error) {
    namespace http = boost::beast::http;
    if (error == http::error::end_of_stream || error == boost::beast::error::timeout) return;
    if (error && error.category() != make_error_code(http::error::bad_method).category()) return;
    const auto& request = connection->parser.get();
    Page page = error ? Page{error == http::error::header_limit ? 431U : 400U, Page{}.type,
                             error.message() + '\n'}
                      : page_for(request.method(), request.target());
    auto& response = connection->response;
    response.version(11);
    response.result(page.status);
    response.set(http::field::content_type, page.type);
    response.set(http::field::cache_control, "no-store");
    if (page.status == 405) response.set(http::field::allow, "GET, HEAD");
    response.keep_alive(false);
    response.content_length(page.body.size());
    if (error || request.method() != http::verb::head) response.body() = std::move(page.body);
    http::async_write(connection->stream, response, [connection](const Error&, std::size_t) {
      Error ignored;
      connection->stream.socket().shutdown(Tcp::socket::shutdown_send, ignored);
    });
  }

  Page page_for(boost::beast::http::verb method, boost::beast::string_view target) const {
    using boost::beast::http::verb;
    if (method != verb::get && method != verb::head)
      return {405, Page{}.type, "this port is for looking only: GET or HEAD\n"};
    const std::string_view path(target.data(), target.size());
    if (auto page = pages_(path.substr(0, path.find('?')))) return std::move(*page);
    return {404, Page{}.type, "no such page: /metrics, /livez, /readyz and /status are here\n"};
  }

  Pages pages_;
  boost::asio::io_context context_{1};
  Tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_{context_};
  std::uint16_t port_ = 0;
  /// Oldest first.
  std::list<std::weak_ptr<Connection>> connections_;
  std::jthread thread_;
};

}  // namespace programs

#endif

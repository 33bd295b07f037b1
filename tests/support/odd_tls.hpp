// An end of a TLS connection that says to a node what a test makes it say.
#ifndef MIRBFT_TESTS_SUPPORT_ODD_TLS_HPP
#define MIRBFT_TESTS_SUPPORT_ODD_TLS_HPP

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <mirbft/modules/net/framing.hpp>
#include <mirbft/modules/net/tls_identity.hpp>
#include <mirbft/wire/codec.hpp>

namespace mirbft::testing {

/// Dials a node, or is dialed by one, and takes whoever answers. It moves on in `closed` only.
class OddTls {
 public:
  using Socket = boost::asio::ip::tcp::socket;
  using Stream = boost::asio::ssl::stream<Socket>;

  /// What the end shows, and the latest version of TLS that it knows.
  struct Manners {
    std::optional<TlsIdentity> identity{};
    int version = TLS1_3_VERSION;
  };

  /// Dials.
  OddTls(std::uint16_t port, const Manners& manners) : OddTls(manners) {
    stream_->lowest_layer().connect({boost::asio::ip::make_address("127.0.0.1"), port});
    shake_hands(Stream::client);
  }

  /// Listens on `port()`.
  explicit OddTls(const Manners& manners) : context_(boost::asio::ssl::context::tls) {
    SSL_CTX* const context = context_.native_handle();
    REQUIRE(SSL_CTX_set_max_proto_version(context, manners.version) == 1);
    if (manners.identity) {
      REQUIRE(SSL_CTX_use_certificate(context, manners.identity->certificate()) == 1);
      REQUIRE(SSL_CTX_use_PrivateKey(context, manners.identity->key()) == 1);
    }
    stream_.emplace(Socket(io_), context_);
    acceptor_.async_accept(stream_->lowest_layer(), [this](Error error) {
      if (!error) shake_hands(Stream::server);
    });
  }

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  void say(FrameKind kind, const Bytes& payload) { say(kind, payload.size(), payload); }
  void say(FrameKind kind, std::size_t length, const Bytes& payload) {
    const FrameHeader header = frame_header(kind, length);
    to_say_.append(header.begin(), header.end());
    to_say_.append(payload.text());
    write();
  }
  void say(const Hello& hello) { say(FrameKind::hello, wire::encode(hello)); }
  void hello(std::uint64_t node) {
    say(Hello{Hello::current_version, "test", NodeId(node), Digest{}});
  }

  /// Does what is due; whether the other side has closed.
  bool closed() {
    io_.poll();
    return closed_;
  }
  std::size_t heard() {
    closed();
    return heard_;
  }
  /// Why it closed, by OpenSSL's number; 0 for no reason of TLS.
  int reason() const { return reason_; }
  SSL* ssl() { return stream_->native_handle(); }
  Socket& socket() { return stream_->next_layer(); }

 private:
  using Error = boost::system::error_code;

  void shake_hands(boost::asio::ssl::stream_base::handshake_type as) {
    stream_->async_handshake(as, [this](Error error) {
      if (error) return end(error);
      ready_ = true;
      write();
      read();
    });
  }

  void read() {
    stream_->async_read_some(boost::asio::buffer(buffer_), [this](Error error, std::size_t count) {
      if (error) return end(error);
      heard_ += count;
      read();
    });
  }

  void write() {
    if (!ready_ || !saying_.empty() || to_say_.empty()) return;
    saying_ = std::exchange(to_say_, {});
    boost::asio::async_write(*stream_, boost::asio::buffer(saying_), [this](Error, std::size_t) {
      saying_.clear();
      write();
    });
  }

  void end(Error error) {
    closed_ = true;
    if (error.category() == boost::asio::error::get_ssl_category())
      reason_ = ERR_GET_REASON(static_cast<unsigned long>(error.value()));
  }

  boost::asio::io_context io_;
  boost::asio::ssl::context context_;
  boost::asio::ip::tcp::acceptor acceptor_{
      io_, {boost::asio::ip::make_address("127.0.0.1"), 0}};
  std::optional<Stream> stream_;
  std::array<char, 4096> buffer_{};
  std::string to_say_;
  std::string saying_;
  std::size_t heard_ = 0;
  int reason_ = 0;
  bool ready_ = false;
  bool closed_ = false;
};

}  // namespace mirbft::testing

#endif

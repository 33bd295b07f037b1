// Connections by TLS 1.3 with pinned certificates: between nodes, and from clients to nodes.
#ifndef MIRBFT_MODULES_NET_TLS_TRANSPORT_HPP
#define MIRBFT_MODULES_NET_TLS_TRANSPORT_HPP

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/system/error_code.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/sslerr.h>
#include <openssl/x509_vfy.h>

#include <mirbft/modules/net/tcp_config.hpp>
#include <mirbft/modules/net/tls_identity.hpp>
#include <mirbft/modules/net/tls_pins.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft {

/// What the three kinds of ends have in common: TLS 1.3 and nothing older, no resumption (hence no
/// tickets and no early data, which could be replayed), and errors by name. The dates and names in
/// certificates mean nothing; see `TlsIdentity`.
class Tls {
 public:
  using Stream = boost::asio::ssl::stream<boost::asio::ip::tcp::socket>;

  /// Never inlined, or g++ 12 warns of what Asio leaves unset in a socket that is not open yet.
  [[gnu::noinline]] Stream stream(boost::asio::ip::tcp::socket socket) {
    return Stream(std::move(socket), context_);
  }

  /// Calls `handler(error_code)` when both sides have shown what they must.
  template <class Handler>
  void handshake(Stream& stream, Side side, Handler&& handler) {
    stream.async_handshake(side == Side::dialed ? Stream::client : Stream::server,
                           std::forward<Handler>(handler));
  }

  /// The fingerprint of the certificate that the other side has shown; none if it has not.
  static std::optional<Digest> shown(Stream& stream) {
    const detail::Certificate certificate(SSL_get1_peer_certificate(stream.native_handle()));
    return certificate ? std::optional(fingerprint(*certificate)) : std::nullopt;
  }

  /// AES-GCM wears out after some 388 GB (RFC 8446, section 5.5), which a busy connection writes in
  /// hours.
  static constexpr std::uint64_t bytes_per_key = std::uint64_t{1} << 36;

  /// What this side writes from now on has a new key; to be called between two writes. False: not
  /// now, for instance because the other side is in the middle of doing the same.
  static bool renew_key(Stream& stream) noexcept {
    const bool renewed = SSL_key_update(stream.native_handle(), SSL_KEY_UPDATE_NOT_REQUESTED) == 1;
    ERR_clear_error();
    return renewed;
  }

  /// Why a stream or a handshake failed with this error; `otherwise` if that is no matter of TLS.
  static const TcpEnd& reason(boost::system::error_code error, const TcpEnd& otherwise) noexcept {
    if (error.category() != boost::asio::error::get_ssl_category()) return otherwise;
    const auto code = static_cast<unsigned long>(error.value());
    if (ERR_GET_LIB(code) != ERR_LIB_SSL) return TcpEnd::bad_tls;
    switch (ERR_GET_REASON(code)) {
      case SSL_R_HTTP_REQUEST:
      case SSL_R_HTTPS_PROXY_REQUEST:
      case SSL_R_WRONG_VERSION_NUMBER:
        return TcpEnd::not_tls;
      case SSL_R_UNSUPPORTED_PROTOCOL:
      case SSL_R_VERSION_TOO_LOW:
      case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
        return TcpEnd::old_tls;
      case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        return TcpEnd::no_certificate;
      case SSL_R_CERTIFICATE_VERIFY_FAILED:
        return TcpEnd::wrong_certificate;
      case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
      case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
      case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
        return TcpEnd::turned_away;
      default:
        return TcpEnd::bad_tls;
    }
  }

 protected:
  explicit Tls(boost::asio::ssl::context::method method) : context_(method) {
    SSL_CTX* const context = context_.native_handle();
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    // Of the ciphers of TLS 1.3 the one that costs least where processors know AES.
    detail::require_openssl(
        SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
        SSL_CTX_set_num_tickets(context, 0) == 1 &&
        SSL_CTX_set_max_early_data(context, 0) == 1 &&
        SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                          "TLS_CHACHA20_POLY1305_SHA256") == 1);
  }

  void show(const TlsIdentity& identity) {
    SSL_CTX* const context = context_.native_handle();
    detail::require_openssl(SSL_CTX_use_certificate(context, identity.certificate()) == 1 &&
                            SSL_CTX_use_PrivateKey(context, identity.key()) == 1);
  }

  /// Demands a certificate of the other side, and takes those that are pinned for some node.
  void demand(TlsPins& pins) {
    SSL_CTX* const context = context_.native_handle();
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_cert_verify_callback(context, &Tls::is_pinned, &pins);
  }

 private:
  /// Stands in for the building of a chain. Only the first certificate counts: the handshake
  /// proves that the other side has its key.
  static int is_pinned(X509_STORE_CTX* checked, void* pins) noexcept {
    const X509* const certificate = X509_STORE_CTX_get0_cert(checked);
    Digest digest;
    const bool pinned =
        certificate &&
        X509_digest(certificate, EVP_sha256(), digest.bytes.data(), nullptr) == 1 &&
        static_cast<const TlsPins*>(pins)->owner(digest).has_value();
    // The alert that this becomes tells the other side what was wrong.
    X509_STORE_CTX_set_error(checked, pinned ? X509_V_OK : X509_V_ERR_CERT_UNTRUSTED);
    return pinned ? 1 : 0;
  }

  boost::asio::ssl::context context_;
};

/// An end that takes only nodes whose certificates are pinned.
class PinnedTls : public Tls {
 public:
  /// The node that the other side has proved to be, by the pins as they are now; nothing if its
  /// certificate is pinned for none.
  std::optional<NodeId> speaker(Stream& stream) const {
    const std::optional<Digest> certificate = shown(stream);
    return certificate ? pins_->owner(*certificate) : std::nullopt;
  }

  bool may_speak(Stream& stream, NodeId node) const { return speaker(stream) == node; }

  /// Handshakes to come see what is changed here; connections that exist are the caller's affair.
  TlsPins& pins() noexcept { return *pins_; }

 protected:
  PinnedTls(boost::asio::ssl::context::method method, TlsPins pins)
      : Tls(method), pins_(std::make_unique<TlsPins>(std::move(pins))) {
    demand(*pins_);
  }

 private:
  std::unique_ptr<TlsPins> pins_;  // the context refers to it
};

/// Between nodes: either side may have dialed, and each shows its certificate.
class MutualTls : public PinnedTls {
 public:
  MutualTls(const TlsIdentity& self, TlsPins peers)
      : PinnedTls(boost::asio::ssl::context::tls, std::move(peers)) {
    show(self);
  }
};

/// A node's end towards clients: it shows its certificate and asks for none, since clients sign
/// their requests. It can only accept: to dial fails.
class TlsServer : public Tls {
 public:
  explicit TlsServer(const TlsIdentity& self) : Tls(boost::asio::ssl::context::tls_server) {
    show(self);
  }
};

/// A client's end towards nodes: it shows no certificate, and demands one that is pinned. Which
/// node it reached, `speaker` says: check that it is the one dialed, or a node can stand in for
/// another. It can only dial: to accept fails.
class TlsClient : public PinnedTls {
 public:
  explicit TlsClient(TlsPins nodes)
      : PinnedTls(boost::asio::ssl::context::tls_client, std::move(nodes)) {}
};

}  // namespace mirbft

#endif

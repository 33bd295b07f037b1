// Who a node is in TLS: an Ed25519 key and a certificate that it has signed itself.
#ifndef MIRBFT_MODULES_NET_TLS_IDENTITY_HPP
#define MIRBFT_MODULES_NET_TLS_IDENTITY_HPP

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <mirbft/types/digest.hpp>
#include <mirbft/types/errors.hpp>

namespace mirbft {

namespace detail {

/// Gives objects of OpenSSL back to it.
struct TlsFree {
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
  void operator()(BIO* text) const noexcept { BIO_free(text); }
  void operator()(BIGNUM* number) const noexcept { BN_free(number); }
};

using Certificate = std::unique_ptr<X509, TlsFree>;
using PrivateKey = std::unique_ptr<EVP_PKEY, TlsFree>;
using PemText = std::unique_ptr<BIO, TlsFree>;

inline void require_openssl(bool worked) {
  if (worked) return;
  ERR_clear_error();
  throw ModuleFailure("TLS: OpenSSL failed; check the installed providers and the memory");
}

inline PemText pem_reader(std::string_view text) {
  PemText reader(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  require_openssl(reader != nullptr);
  return reader;
}

/// The PEM text that `write(BIO*)` makes.
template <class Write>
std::string pem_written(Write write) {
  const PemText memory(BIO_new(BIO_s_mem()));
  require_openssl(memory && write(memory.get()) == 1);
  char* content = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &content);
  return std::string(content, static_cast<std::size_t>(size));
}

/// Throws `ConfigError` unless the text begins with a certificate.
inline Certificate certificate_from_pem(std::string_view pem) {
  Certificate read(PEM_read_bio_X509(pem_reader(pem).get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (!read) {
    throw ConfigError("certificate", std::to_string(pem.size()) + " bytes",
                      "must be an X.509 certificate in PEM, -----BEGIN CERTIFICATE-----");
  }
  return read;
}

/// Throws `ConfigError` unless the text has an Ed25519 key that no password protects; the text
/// itself appears in no message.
inline PrivateKey key_from_pem(std::string_view pem) {
  const auto no_password = [](char*, int, int, void*) { return -1; };
  PrivateKey read(PEM_read_bio_PrivateKey(pem_reader(pem).get(), nullptr, no_password, nullptr));
  ERR_clear_error();
  if (!read || EVP_PKEY_is_a(read.get(), "ED25519") != 1) {
    throw ConfigError("key", std::to_string(pem.size()) + " bytes, not shown",
                      "must be an Ed25519 private key in PEM without a password, "
                      "-----BEGIN PRIVATE KEY-----");
  }
  return read;
}

}  // namespace detail

/// SHA-256 of the certificate's DER: what peers know a node by.
inline Digest fingerprint(const X509& certificate) {
  Digest digest;
  detail::require_openssl(
      X509_digest(&certificate, EVP_sha256(), digest.bytes.data(), nullptr) == 1);
  return digest;
}

/// The fingerprint of a certificate in PEM. Throws `ConfigError` if that is none.
inline Digest fingerprint(std::string_view certificate_pem) {
  return fingerprint(*detail::certificate_from_pem(certificate_pem));
}

/// A certificate and its private key. Peers pin the certificate by its fingerprint, so the name in
/// it is for people, no authority signs it, and it is valid for ever: it ends when the peers take
/// another one in its place. Copies share both. Thread-safe.
class TlsIdentity {
 public:
  /// A new key and its certificate, with `name` as the common name. Throws `ConfigError` unless
  /// the name is text of 1 to 64 characters.
  static TlsIdentity generate(std::string_view name) {
    detail::PrivateKey key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    detail::Certificate made(X509_new());
    detail::require_openssl(key && made);
    set_name(*made, name);
    set_serial(*made);
    // The end of time, as RFC 5280 section 4.1.2.5 writes it.
    detail::require_openssl(
        X509_set_version(made.get(), 2) == 1 && X509_set_pubkey(made.get(), key.get()) == 1 &&
        ASN1_TIME_set_string_X509(X509_getm_notBefore(made.get()), "20000101000000Z") == 1 &&
        ASN1_TIME_set_string_X509(X509_getm_notAfter(made.get()), "99991231235959Z") == 1 &&
        X509_sign(made.get(), key.get(), nullptr) > 0);
    return TlsIdentity(std::move(made), std::move(key));
  }

  /// Reads what `certificate_pem` and `key_pem` wrote. Throws `ConfigError` for text that is none
  /// of that, and for a key of another certificate.
  static TlsIdentity from_pem(std::string_view certificate, std::string_view key) {
    detail::Certificate shown = detail::certificate_from_pem(certificate);
    detail::PrivateKey secret = detail::key_from_pem(key);
    const bool match = X509_check_private_key(shown.get(), secret.get()) == 1;
    ERR_clear_error();
    if (!match) {
      throw ConfigError("key", "not shown", "belongs to another certificate than \"" +
                                                hex(mirbft::fingerprint(*shown)) +
                                                "\"; keep the files of one identity together");
    }
    return TlsIdentity(std::move(shown), std::move(secret));
  }

  TlsIdentity(const TlsIdentity& other) noexcept
      : certificate_(other.certificate_.get()), key_(other.key_.get()) {
    X509_up_ref(certificate_.get());
    EVP_PKEY_up_ref(key_.get());
  }
  TlsIdentity(TlsIdentity&&) noexcept = default;
  TlsIdentity& operator=(TlsIdentity other) noexcept {
    std::swap(certificate_, other.certificate_);
    std::swap(key_, other.key_);
    return *this;
  }
  ~TlsIdentity() = default;

  /// For everybody to see.
  std::string certificate_pem() const {
    return detail::pem_written([this](BIO* out) { return PEM_write_bio_X509(out, certificate()); });
  }

  /// The secret, unprotected: who has it is this node. A file that holds it is the caller's
  /// affair: create it with mode 0600, before the first byte is in it.
  std::string key_pem() const {
    return detail::pem_written([this](BIO* out) {
      return PEM_write_bio_PKCS8PrivateKey(out, key(), nullptr, nullptr, 0, nullptr, nullptr);
    });
  }

  /// What the peers pin.
  Digest fingerprint() const { return mirbft::fingerprint(*certificate_); }

  /// For OpenSSL, which counts its own references.
  X509* certificate() const noexcept { return certificate_.get(); }
  EVP_PKEY* key() const noexcept { return key_.get(); }

 private:
  TlsIdentity(detail::Certificate certificate, detail::PrivateKey key) noexcept
      : certificate_(std::move(certificate)), key_(std::move(key)) {}

  static void set_name(X509& certificate, std::string_view name) {
    X509_NAME* const subject = X509_get_subject_name(&certificate);
    const bool set = !name.empty() && name.size() <= 4 * 64 &&
                     X509_NAME_add_entry_by_txt(
                         subject, "CN", MBSTRING_UTF8,
                         reinterpret_cast<const unsigned char*>(name.data()),
                         static_cast<int>(name.size()), -1, 0) == 1;
    ERR_clear_error();
    if (!set) {
      throw ConfigError("name", '"' + std::string(name) + '"',
                        "must be UTF-8 text of 1 to 64 characters");
    }
    detail::require_openssl(X509_set_issuer_name(&certificate, subject) == 1);
  }

  /// A number that no other certificate has, as RFC 5280 section 4.1.2.2 asks for.
  static void set_serial(X509& certificate) {
    const std::unique_ptr<BIGNUM, detail::TlsFree> number(BN_new());
    detail::require_openssl(
        number && BN_rand(number.get(), 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
        BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&certificate)) != nullptr);
  }

  detail::Certificate certificate_;
  detail::PrivateKey key_;
};

}  // namespace mirbft

#endif

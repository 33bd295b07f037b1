// The default Hasher: SHA-256 by OpenSSL 3.
#ifndef MIRBFT_MODULES_HASHER_OPENSSL_HPP
#define MIRBFT_MODULES_HASHER_OPENSSL_HPP

#include <memory>

#include <openssl/evp.h>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/types/errors.hpp>

namespace mirbft {

/// SHA-256 (FIPS 180-4). The algorithm is looked up once and the context is reused, since the
/// one-shot call of OpenSSL 3 spends several times the hashing of 64 bytes on that lookup.
///
/// Not thread-safe; use one object a thread. Throws `ModuleFailure` if OpenSSL refuses to work.
class Sha256 {
 public:
  Sha256() : algorithm_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context_(EVP_MD_CTX_new()) {
    require(algorithm_ && context_);
    start();
  }

  /// Appends bytes to the message.
  void update(ByteView bytes) {
    require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
  }

  /// The digest of all bytes since the last `finish`; the next message starts empty.
  Digest finish() {
    Digest digest;
    require(EVP_DigestFinal_ex(context_.get(), digest.bytes.data(), nullptr) == 1);
    start();
    return digest;
  }

 private:
  struct Free {
    void operator()(EVP_MD* algorithm) const noexcept { EVP_MD_free(algorithm); }
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
  };

  void start() { require(EVP_DigestInit_ex2(context_.get(), algorithm_.get(), nullptr) == 1); }

  static void require(bool worked) {
    if (!worked) throw ModuleFailure("SHA-256: OpenSSL failed; check the installed providers");
  }

  std::unique_ptr<EVP_MD, Free> algorithm_;
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

}  // namespace mirbft

#endif

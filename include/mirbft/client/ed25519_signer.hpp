// Signs a client's requests, each by itself.
#ifndef MIRBFT_CLIENT_ED25519_SIGNER_HPP
#define MIRBFT_CLIENT_ED25519_SIGNER_HPP

#include <span>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/modules/crypto/sodium.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/request.hpp>
#include <mirbft/wire/request_bytes.hpp>

namespace mirbft {

/// An Ed25519 signature for each request, as `SodiumCrypto` checks them.
class Ed25519Signer {
 public:
  /// Throws `ConfigError` unless the secret seed has 32 bytes.
  Ed25519Signer(ByteView seed, std::string cluster_id)
      : key_(seed), cluster_id_(std::move(cluster_id)) {}

  Bytes public_key() const { return key_.public_key(); }

  /// The authenticators of these requests, in their order.
  std::vector<Bytes> sign(std::span<const RequestRef> requests) const {
    std::vector<Bytes> signatures;
    signatures.reserve(requests.size());
    for (const RequestRef& request : requests)
      signatures.push_back(
          key_.sign(wire::request_signature_bytes(bytes_of(cluster_id_), request).view()));
    return signatures;
  }

 private:
  Ed25519Key key_;
  std::string cluster_id_;
};

}  // namespace mirbft

#endif

// A Crypto module that also verifies requests of which many are signed as one.
#ifndef MIRBFT_MODULES_CRYPTO_BATCH_HPP
#define MIRBFT_MODULES_CRYPTO_BATCH_HPP

#include <concepts>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <mirbft/modules/crypto/batch_roots.hpp>
#include <mirbft/modules/crypto/verified_roots.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/reflect.hpp>
#include <mirbft/types/request.hpp>
#include <mirbft/types/signature_check.hpp>
#include <mirbft/wire/request_batch.hpp>
#include <mirbft/wire/request_bytes.hpp>

namespace mirbft {

/// What a `BatchVerifier` has done; `crypto` is the status of the module within.
template <class CryptoStatus>
struct BatchVerifierStatus {
  CryptoStatus crypto;
  std::uint64_t roots = 0;           ///< that are remembered
  std::uint64_t roots_verified = 0;  ///< by their signatures, which held or not
  std::uint64_t roots_known = 0;     ///< requests whose root needed no verification
};

/// Does what `Crypto` does, and takes authenticators of batches beside plain signatures
/// (`wire::BatchAuthenticator`). A request of a batch costs the hashes of its path, or about two if
/// they come in their order; the signature over the root is verified with the first one, and
/// remembered under that client's key.
///
/// Whether it is remembered changes no verdict: what is remembered is a signature as it stands,
/// over one root by one client, and only a valid one. So replicas agree, whatever each has seen.
///
/// `Crypto` names the length of its signatures by `signature_size`; `Hasher` is the one that the
/// clients use. `const` calls may run on several threads at once.
template <class Crypto, class Hasher>
class BatchVerifier {
 public:
  /// Throws ConfigError.
  explicit BatchVerifier(Crypto crypto, RootLimits limits = {})
      : crypto_(std::move(crypto)), known_(std::make_unique<Known>(limits)) {}

  /// As the module within says, and made anew from that.
  auto config() const
    requires requires(const Crypto& crypto) { crypto.config(); }
  {
    return crypto_.config();
  }
  template <class Config>
    requires std::constructible_from<Crypto, const Config&> &&
             requires(const Crypto& crypto) { { crypto.config() } -> std::same_as<Config>; }
  explicit BatchVerifier(const Config& config) : BatchVerifier(Crypto(config)) {}

  Bytes sign(Epoch epoch, ByteView message) const { return crypto_.sign(epoch, message); }
  SignatureCheck verify_node(NodeId signer, Epoch epoch, ByteView message,
                             ByteView signature) const {
    return crypto_.verify_node(signer, epoch, message, signature);
  }
  /// Of a plain signature.
  SignatureCheck verify_client(ClientId signer, ByteView message, ByteView signature) const {
    return crypto_.verify_client(signer, message, signature);
  }
  SignatureCheck verify_request(ByteView cluster, const RequestRef& request,
                                ByteView authenticator) const {
    if (authenticator.size() == Crypto::signature_size)
      return verify_client(request.client, wire::request_signature_bytes(cluster, request).view(),
                           authenticator);
    const auto batch = wire::read_batch_authenticator(authenticator, Crypto::signature_size);
    if (!batch) return SignatureCheck::malformed;
    // Dear to make, and no two threads may share it. It holds nothing that is secret or believed.
    thread_local BatchRoots<Hasher> roots;
    const Digest root = roots.root_of(cluster, request, *batch);
    return verify_root(cluster, request.client, {root, batch->leaves, Bytes(batch->signature)});
  }

  void update_node_key(NodeId node, Epoch from, const std::optional<Bytes>& key) {
    crypto_.update_node_key(node, from, key);
  }
  void forget_node_keys(Epoch before) { crypto_.forget_node_keys(before); }
  void update_client_key(ClientId client, const std::optional<Bytes>& key) {
    known_->roots.forget(client);
    crypto_.update_client_key(client, key);
  }

  auto status() const
    requires requires(const Crypto& crypto) { crypto.status(); }
  {
    const std::lock_guard lock(known_->mutex);
    return BatchVerifierStatus<decltype(crypto_.status())>{
        crypto_.status(), known_->roots.size(), known_->verified, known_->spared};
  }

 private:
  struct Known {
    explicit Known(RootLimits limits) : roots(limits) {}

    std::mutex mutex;
    VerifiedRoots roots;
    std::uint64_t verified = 0;
    std::uint64_t spared = 0;
  };

  /// Threads that meet a root at the same time verify it each: cheaper than to wait for another.
  SignatureCheck verify_root(ByteView cluster, ClientId client, SignedRoot root) const {
    {
      const std::lock_guard lock(known_->mutex);
      if (known_->roots.contains(client, root)) {
        ++known_->spared;
        return SignatureCheck::valid;
      }
    }
    const Bytes message = wire::batch_signature_bytes(cluster, {client, root.root, root.leaves});
    const SignatureCheck verdict =
        crypto_.verify_client(client, message.view(), root.signature.view());
    const std::lock_guard lock(known_->mutex);
    ++known_->verified;
    if (verdict == SignatureCheck::valid) known_->roots.insert(client, std::move(root));
    return verdict;
  }

  Crypto crypto_;
  std::unique_ptr<Known> known_;
};

}  // namespace mirbft

MIRBFT_ADAPT_TEMPLATE(mirbft::BatchVerifierStatus, crypto, roots, roots_verified, roots_known);

#endif

// The default Crypto module: Ed25519 signatures of nodes and clients, by libsodium.
#ifndef MIRBFT_MODULES_CRYPTO_SODIUM_HPP
#define MIRBFT_MODULES_CRYPTO_SODIUM_HPP

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include <boost/hana/adapt_struct.hpp>
#include <sodium.h>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/signature_check.hpp>

namespace mirbft {

/// An Ed25519 key pair (RFC 8032), of a node or a client. The secret half is wiped from memory
/// with the object. `const` calls may run on several threads at once.
class Ed25519Key {
 public:
  static constexpr std::size_t seed_size = crypto_sign_SEEDBYTES;
  static constexpr std::size_t public_size = crypto_sign_PUBLICKEYBYTES;
  static constexpr std::size_t signature_size = crypto_sign_BYTES;

  /// The pair that belongs to this secret seed; throws `ConfigError` unless it has 32 bytes.
  explicit Ed25519Key(ByteView seed) {
    start_library();
    if (seed.size() != seed_size)
      throw ConfigError("seed", std::to_string(seed.size()) + " bytes", "must be 32 secret bytes");
    crypto_sign_seed_keypair(public_.data(), secret_.data(), seed.data());
  }
  Ed25519Key(const Ed25519Key&) = default;
  Ed25519Key& operator=(const Ed25519Key&) = default;
  ~Ed25519Key() { sodium_memzero(secret_.data(), secret_.size()); }

  /// A seed that nobody can guess.
  static Bytes random_seed() {
    start_library();
    return Bytes::filled(seed_size, [](std::uint8_t* out) { randombytes_buf(out, seed_size); });
  }

  Bytes public_key() const { return Bytes(ByteView(public_)); }

  Bytes sign(ByteView message) const {
    return Bytes::filled(signature_size, [&](std::uint8_t* out) {
      crypto_sign_detached(out, nullptr, message.data(), message.size(), secret_.data());
    });
  }

  /// Chooses the fastest code for this processor; does nothing when called again. Thread-safe.
  static void start_library() {
    if (sodium_init() < 0)
      throw ModuleFailure("Ed25519: libsodium found no source of randomness; provide /dev/urandom");
  }

 private:
  std::array<std::uint8_t, public_size> public_;
  std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> secret_;
};

/// What a `SodiumCrypto` knows.
struct SodiumStatus {
  std::uint64_t nodes = 0;           ///< nodes with a key
  std::uint64_t clients = 0;         ///< clients with a key
  std::uint64_t malformed_keys = 0;  ///< updates that brought no usable key
};

/// Signs with this node's key and verifies by the keys that it was given.
///
/// Replicas must agree on what is valid, and Ed25519 verifiers differ at the edges. This one
/// accepts a signature if `S` is below the group's order, neither `R` nor the key has a small
/// order or a non-canonical encoding, and `R = S·B − k·A` without a cofactor. Keys are also
/// required to lie in the prime-order subgroup; others count as malformed.
///
/// `const` calls may run on several threads at once, but not together with an update.
class SodiumCrypto {
 public:
  /// Throws `ConfigError` for a seed or a key that is none.
  SodiumCrypto(ByteView seed, const std::map<NodeId, Bytes>& node_keys,
               const std::map<ClientId, Bytes>& client_keys)
      : own_(seed),
        nodes_(checked(node_keys, "node_keys")),
        clients_(checked(client_keys, "client_keys")) {}

  Bytes sign(ByteView message) const { return own_.sign(message); }

  SignatureCheck verify_node(NodeId signer, ByteView message, ByteView signature) const {
    return verify(nodes_, signer, message, signature);
  }
  SignatureCheck verify_client(ClientId signer, ByteView message, ByteView signature) const {
    return verify(clients_, signer, message, signature);
  }

  /// Sets a key, or removes it if there is none. A malformed one is counted and removes too: who
  /// meant to replace a key wants the old one to be gone.
  void update_node_key(NodeId node, const std::optional<Bytes>& key) { update(nodes_, node, key); }
  void update_client_key(ClientId client, const std::optional<Bytes>& key) {
    update(clients_, client, key);
  }

  SodiumStatus status() const noexcept {
    return {nodes_.size(), clients_.size(), malformed_keys_};
  }

 private:
  using PublicKey = std::array<std::uint8_t, Ed25519Key::public_size>;

  static std::optional<PublicKey> parse(const Bytes& key) {
    if (key.size() != Ed25519Key::public_size) return std::nullopt;
    if (crypto_core_ed25519_is_valid_point(key.data()) != 1) return std::nullopt;
    PublicKey parsed;
    std::copy(key.begin(), key.end(), parsed.begin());
    return parsed;
  }

  template <class Id>
  static std::map<Id, PublicKey> checked(const std::map<Id, Bytes>& keys, const char* field) {
    std::map<Id, PublicKey> parsed;
    for (const auto& [id, key] : keys) {
      const std::optional<PublicKey> usable = parse(key);
      if (!usable)
        throw ConfigError(std::string(field) + '[' + std::to_string(id.value) + ']',
                          hex(key.view()), "must be an Ed25519 public key of 32 bytes");
      parsed.emplace(id, *usable);
    }
    return parsed;
  }

  template <class Id>
  static SignatureCheck verify(const std::map<Id, PublicKey>& keys, Id signer, ByteView message,
                               ByteView signature) {
    const auto key = keys.find(signer);
    if (key == keys.end()) return SignatureCheck::unknown_signer;
    if (signature.size() != Ed25519Key::signature_size) return SignatureCheck::malformed;
    const int wrong = crypto_sign_verify_detached(signature.data(), message.data(), message.size(),
                                                  key->second.data());
    return wrong == 0 ? SignatureCheck::valid : SignatureCheck::invalid;
  }

  template <class Id>
  void update(std::map<Id, PublicKey>& keys, Id id, const std::optional<Bytes>& key) {
    const std::optional<PublicKey> usable = key ? parse(*key) : std::nullopt;
    if (usable) {
      keys[id] = *usable;
    } else {
      keys.erase(id);
      malformed_keys_ += key ? 1 : 0;
    }
  }

  Ed25519Key own_;
  std::map<NodeId, PublicKey> nodes_;
  std::map<ClientId, PublicKey> clients_;
  std::uint64_t malformed_keys_ = 0;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::SodiumStatus, nodes, clients, malformed_keys);

#endif

// The default Crypto module: Ed25519 signatures of nodes and clients, by libsodium.
#ifndef MIRBFT_MODULES_CRYPTO_SODIUM_HPP
#define MIRBFT_MODULES_CRYPTO_SODIUM_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/hana/adapt_struct.hpp>
#include <sodium.h>

#include <mirbft/events/reconfiguration.hpp>
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
  /// Whether this is the public half.
  bool is_secret_to(const std::array<std::uint8_t, public_size>& key) const noexcept {
    return public_ == key;
  }
  /// Whether `SodiumCrypto` takes this for a public key: one in the prime-order subgroup.
  static bool is_public_key(ByteView key) noexcept {
    return key.size() == public_size && crypto_core_ed25519_is_valid_point(key.data()) == 1;
  }

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

/// All that it takes to verify what others sign.
struct PublicKeys {
  std::vector<NodeKey> nodes;
  std::vector<ClientKey> clients;
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
/// The keys that it is made with are those that the cluster began with, also after they were
/// changed: what came later is in the replica's write-ahead log, and what the others certify.
///
/// `const` calls may run on several threads at once, but not together with an update.
class SodiumCrypto {
 public:
  /// All signatures have it.
  static constexpr std::size_t signature_size = Ed25519Key::signature_size;

  /// For a node that has one key. Throws `ConfigError` for a seed or a key that is none.
  SodiumCrypto(ByteView seed, const std::map<NodeId, Bytes>& node_keys,
               const std::map<ClientId, Bytes>& client_keys)
      : SodiumCrypto({Ed25519Key(seed)}, std::nullopt, node_keys, client_keys) {
    for (const auto& [node, keys] : nodes_)
      if (!self_ && own_.front().is_secret_to(*keys.begin()->second)) self_ = node;
  }

  /// For the node `self`, whose key changes: it signs by that of its `own` key pairs which is in
  /// force. Throws `ConfigError`.
  SodiumCrypto(std::vector<Ed25519Key> own, NodeId self, const std::map<NodeId, Bytes>& node_keys,
               const std::map<ClientId, Bytes>& client_keys)
      : SodiumCrypto(std::move(own), std::optional(self), node_keys, client_keys) {
    if (own_.empty()) throw ConfigError("own", "[]", "a node signs with at least one key pair");
  }

  /// Without a secret: one that verifies, and cannot sign. Throws `ConfigError`.
  explicit SodiumCrypto(const PublicKeys& keys)
      : SodiumCrypto((Ed25519Key::start_library(), std::vector<Ed25519Key>()), std::nullopt,
                     by_id(keys.nodes, &NodeKey::node),
                     by_id(keys.clients, &ClientKey::client)) {}

  /// The public keys that it was made with; where some have changed, the newest ones.
  PublicKeys config() const {
    const auto bytes = [](const PublicKey& key) { return Bytes(ByteView(key)); };
    PublicKeys keys;
    for (const auto& [node, all] : nodes_)
      if (const auto& newest = all.rbegin()->second) keys.nodes.push_back({node, bytes(*newest)});
    for (const auto& [client, key] : clients_) keys.clients.push_back({client, bytes(key)});
    return keys;
  }

  /// Throws `ModuleFailure` when the secret key is missing: a node that could not sign would only
  /// look as if it took part.
  Bytes sign(Epoch epoch, ByteView message) const { return own_key(epoch).sign(message); }

  SignatureCheck verify_node(NodeId signer, Epoch epoch, ByteView message,
                             ByteView signature) const {
    return verify(node_key(signer, epoch), message, signature);
  }
  SignatureCheck verify_client(ClientId signer, ByteView message, ByteView signature) const {
    const auto key = clients_.find(signer);
    return verify(key == clients_.end() ? nullptr : &key->second, message, signature);
  }

  /// Sets a key from an epoch on, or removes it if there is none. A malformed one is counted and
  /// removes too: who meant to replace a key wants the old one to be gone.
  void update_node_key(NodeId node, Epoch from, const std::optional<Bytes>& key) {
    nodes_[node].insert_or_assign(from, usable(key));
  }
  /// Forgets the keys that are replaced by then.
  void forget_node_keys(Epoch before) {
    for (auto& [node, keys] : nodes_)
      while (keys.size() > 1 && std::next(keys.begin())->first <= before) keys.erase(keys.begin());
  }
  void update_client_key(ClientId client, const std::optional<Bytes>& key) {
    if (const auto found = usable(key)) {
      clients_[client] = *found;
    } else {
      clients_.erase(client);
    }
  }

  SodiumStatus status() const noexcept {
    std::uint64_t nodes = 0;
    for (const auto& [node, keys] : nodes_) nodes += keys.rbegin()->second.has_value();
    return {nodes, clients_.size(), malformed_keys_};
  }

 private:
  using PublicKey = std::array<std::uint8_t, Ed25519Key::public_size>;
  /// A node's keys by the epoch from which each holds; none where it was removed.
  using Keys = std::map<Epoch, std::optional<PublicKey>>;

  SodiumCrypto(std::vector<Ed25519Key> own, std::optional<NodeId> self,
               const std::map<NodeId, Bytes>& node_keys,
               const std::map<ClientId, Bytes>& client_keys)
      : own_(std::move(own)), self_(self), clients_(checked(client_keys, "client_keys")) {
    for (const auto& [node, key] : checked(node_keys, "node_keys")) nodes_[node][Epoch(0)] = key;
  }

  /// The key of a node in an epoch; null if there is none.
  const PublicKey* node_key(NodeId node, Epoch epoch) const {
    const auto keys = nodes_.find(node);
    if (keys == nodes_.end()) return nullptr;
    const auto later = keys->second.upper_bound(epoch);
    if (later == keys->second.begin()) return nullptr;
    const std::optional<PublicKey>& key = std::prev(later)->second;
    return key ? &*key : nullptr;
  }
  const Ed25519Key& own_key(Epoch epoch) const {
    if (own_.empty())
      throw ModuleFailure("Ed25519: made of public keys alone, this verifies and cannot sign");
    if (!self_) return own_.front();
    const PublicKey* wanted = node_key(*self_, epoch);
    for (const Ed25519Key& own : own_)
      if (wanted && own.is_secret_to(*wanted)) return own;
    throw ModuleFailure("Ed25519: node " + std::to_string(self_->value) +
                        " lacks the secret key to its public key in epoch " +
                        std::to_string(epoch.value) + ": start it with the seed of that one too");
  }

  std::optional<PublicKey> usable(const std::optional<Bytes>& key) {
    const std::optional<PublicKey> parsed = key ? parse(*key) : std::nullopt;
    malformed_keys_ += key && !parsed;
    return parsed;
  }
  static std::optional<PublicKey> parse(const Bytes& key) {
    if (!Ed25519Key::is_public_key(key.view())) return std::nullopt;
    PublicKey parsed;
    std::copy(key.begin(), key.end(), parsed.begin());
    return parsed;
  }

  template <class Id, class Key>
  static std::map<Id, Bytes> by_id(const std::vector<Key>& keys, Id Key::*id) {
    std::map<Id, Bytes> found;
    for (const Key& each : keys)
      if (each.key) found[each.*id] = *each.key;
    return found;
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

  static SignatureCheck verify(const PublicKey* key, ByteView message, ByteView signature) {
    if (!key) return SignatureCheck::unknown_signer;
    if (signature.size() != Ed25519Key::signature_size) return SignatureCheck::malformed;
    const int wrong = crypto_sign_verify_detached(signature.data(), message.data(), message.size(),
                                                  key->data());
    return wrong == 0 ? SignatureCheck::valid : SignatureCheck::invalid;
  }

  std::vector<Ed25519Key> own_;
  /// Which node this is, so that it signs by its key in force. Not known if its one key is not
  /// among those that it was made with: it signs whatever it is asked to then.
  std::optional<NodeId> self_;
  std::map<NodeId, Keys> nodes_;
  std::map<ClientId, PublicKey> clients_;
  std::uint64_t malformed_keys_ = 0;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::PublicKeys, nodes, clients);
BOOST_HANA_ADAPT_STRUCT(mirbft::SodiumStatus, nodes, clients, malformed_keys);

#endif

// Signatures of a simulation: they cost next to nothing, and bind those who keep the rules of it.
#ifndef MIRBFT_SIM_CRYPTO_HPP
#define MIRBFT_SIM_CRYPTO_HPP

#include <cstdint>
#include <optional>

#include <mirbft/sim/fingerprint.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/request.hpp>
#include <mirbft/types/signature_check.hpp>
#include <mirbft/wire/request_bytes.hpp>

namespace mirbft::sim {

/// The Crypto module of a simulated node. A signature is a hash of the signer, the epoch and the
/// message, so that any other message, epoch or signer needs another one. Nothing is secret: an
/// adversary must be given no more than its own `Crypto`. Keys do not change.
class Crypto {
 public:
  explicit Crypto(NodeId self) noexcept : self_(self) {}

  Bytes sign(Epoch epoch, ByteView message) const {
    return written(hash(of_node, self_.value, epoch.value, message));
  }
  SignatureCheck verify_node(NodeId node, Epoch epoch, ByteView message,
                             ByteView signature) const noexcept {
    return check(hash(of_node, node.value, epoch.value, message), signature);
  }

  /// A client's signature.
  static Bytes sign_as(ClientId client, ByteView message) {
    return written(hash(of_client, client.value, 0, message));
  }
  SignatureCheck verify_client(ClientId client, ByteView message,
                               ByteView signature) const noexcept {
    return check(hash(of_client, client.value, 0, message), signature);
  }

  void update_node_key(NodeId, Epoch, const std::optional<Bytes>&) noexcept {}
  void forget_node_keys(Epoch) noexcept {}
  void update_client_key(ClientId, const std::optional<Bytes>&) noexcept {}

 private:
  static constexpr std::uint64_t of_node = 1;
  static constexpr std::uint64_t of_client = 2;
  static constexpr std::size_t length = 8;

  static std::uint64_t hash(std::uint64_t kind, std::uint64_t signer, std::uint64_t epoch,
                            ByteView message) noexcept {
    Fingerprint sum;
    for (const std::uint64_t part : {kind, signer, epoch}) sum.add(part);
    sum.add(message);
    return sum.value();
  }
  static std::uint8_t byte_of(std::uint64_t value, std::size_t place) noexcept {
    return static_cast<std::uint8_t>(value >> (8 * place));
  }
  static Bytes written(std::uint64_t value) {
    return Bytes::filled(length, [value](std::uint8_t* out) {
      for (std::size_t i = 0; i < length; ++i) out[i] = byte_of(value, i);
    });
  }
  static SignatureCheck check(std::uint64_t expected, ByteView signature) noexcept {
    if (signature.size() != length) return SignatureCheck::malformed;
    for (std::size_t i = 0; i < length; ++i)
      if (signature[i] != byte_of(expected, i)) return SignatureCheck::invalid;
    return SignatureCheck::valid;
  }

  NodeId self_;
};

/// What its client writes under a request, where replicas hash by `Hasher` and verify by `Crypto`.
template <class Hasher>
Bytes signature_under(const Request& request, ByteView cluster) {
  Hasher hasher;
  for (const Bytes& part :
       wire::request_parts(cluster, request.client, request.req_no, request.data))
    hasher.update(part.view());
  const RequestRef reference{request.client, request.req_no, hasher.finish()};
  return Crypto::sign_as(request.client,
                         wire::request_signature_bytes(cluster, reference).view());
}

}  // namespace mirbft::sim

#endif

// A Crypto module that signs nothing and believes everything: for simulation and measuring.
#ifndef MIRBFT_MODULES_CRYPTO_NULL_HPP
#define MIRBFT_MODULES_CRYPTO_NULL_HPP

#include <optional>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/signature_check.hpp>

namespace mirbft {

/// Empty signatures, all of them valid, from whomever. With it the cluster tolerates crashes but
/// nobody who lies, and anybody may submit in a client's name.
class NullCrypto {
 public:
  /// Spares the Node the work of composing what a client has signed.
  static constexpr bool trusts_everyone = true;

  Bytes sign(Epoch, ByteView) const noexcept { return {}; }

  SignatureCheck verify_node(NodeId, Epoch, ByteView, ByteView) const noexcept {
    return SignatureCheck::valid;
  }
  SignatureCheck verify_client(ClientId, ByteView, ByteView) const noexcept {
    return SignatureCheck::valid;
  }

  void update_node_key(NodeId, Epoch, const std::optional<Bytes>&) noexcept {}
  void forget_node_keys(Epoch) noexcept {}
  void update_client_key(ClientId, const std::optional<Bytes>&) noexcept {}
};

}  // namespace mirbft

#endif

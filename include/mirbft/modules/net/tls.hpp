// The Net for earnest use: TLS 1.3 between nodes that know each other's certificates.
#ifndef MIRBFT_MODULES_NET_TLS_HPP
#define MIRBFT_MODULES_NET_TLS_HPP

#include <map>
#include <set>
#include <string>
#include <utility>

#include <mirbft/modules/net/mesh_net.hpp>
#include <mirbft/modules/net/tcp_config.hpp>
#include <mirbft/modules/net/tls_identity.hpp>
#include <mirbft/modules/net/tls_pins.hpp>
#include <mirbft/modules/net/tls_transport.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft {

/// The configuration of a `TlsNet`.
struct TlsConfig {
  TcpConfig tcp;
  TlsIdentity identity;  ///< what this node shows

  /// The fingerprints of what each peer may show: one, and two while it changes its certificate.
  /// There may be an entry for `self`, which must then name `identity`, so all may have one list.
  std::map<NodeId, std::set<Digest>> certificates;
};

/// The pins of this configuration. Throws `ConfigError` unless each peer has a certificate of its
/// own, and nobody else has one.
inline TlsPins pins_of(const TlsConfig& config) {
  TlsPins pins(config.certificates);
  std::set<NodeId> peers{config.tcp.self};
  for (const TcpPeer& peer : config.tcp.peers) peers.insert(peer.id);
  for (const auto& [node, pinned] : config.certificates) {
    if (!peers.contains(node)) {
      throw ConfigError("certificates", std::to_string(node.value),
                        "is no peer of this node; leave it out, or name it among the peers");
    }
  }
  const Digest own = config.identity.fingerprint();
  if (pins.has(config.tcp.self) && pins.owner(own) != config.tcp.self) {
    throw ConfigError("identity", hex(own),
                      "is not what `certificates` says of this node; give it that identity");
  }
  pins.add(config.tcp.self, own);
  for (const NodeId peer : peers) {
    if (!pins.has(peer)) {
      throw ConfigError("certificates", std::to_string(peer.value),
                        "is missing; give the fingerprint of this peer's certificate");
    }
  }
  return pins;
}

/// Exchanges frames with the other nodes of a cluster by TLS 1.3. Both sides show a certificate,
/// and the certificate decides as which node a peer may speak: no authority, name or date does.
/// Who is refused, and why, `status().ended` counts and `status().last_end` names.
class TlsNet : public MeshNet<MutualTls> {
 public:
  /// Listens at once. Throws `ConfigError` for a wrong configuration or a port that is in use.
  explicit TlsNet(const TlsConfig& config)
      : MeshNet(config.tcp, MutualTls(config.identity, pins_of(config))) {}

  /// From now on the peer may show this certificate besides those that it may already: the first
  /// half of a change. Throws `ConfigError` for no peer, or a certificate of another node.
  void add_peer_certificate(NodeId peer, const Digest& certificate) {
    mesh().change_peer(peer, [&](MutualTls& tls) { tls.pins().add(peer, certificate); });
  }

  /// From now on the peer may show this certificate only; a connection with another one ends.
  /// Throws as `add_peer_certificate` does.
  void set_peer_certificate(NodeId peer, const Digest& certificate) {
    mesh().change_peer(peer, [&](MutualTls& tls) { tls.pins().set(peer, certificate); });
  }
};

}  // namespace mirbft

#endif

// Which certificate belongs to which node: all the trust that TLS needs here.
#ifndef MIRBFT_MODULES_NET_TLS_PINS_HPP
#define MIRBFT_MODULES_NET_TLS_PINS_HPP

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <mirbft/types/digest.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft {

/// The fingerprints of the certificates that each node may show: one, and two while it changes
/// from one to the other. No certificate belongs to two nodes.
class TlsPins {
 public:
  TlsPins() = default;

  /// Throws `ConfigError` for an empty set, a fingerprint of zeros, and one of two nodes.
  explicit TlsPins(const std::map<NodeId, std::set<Digest>>& certificates) {
    for (const auto& [node, pinned] : certificates) {
      if (pinned.empty()) throw ConfigError(field(node), "none", "name at least one certificate");
      for (const Digest& certificate : pinned) add(node, certificate);
    }
  }

  bool has(NodeId node) const { return !of(node).empty(); }

  /// Who shows this certificate; nothing if it is pinned for nobody.
  std::optional<NodeId> owner(const Digest& certificate) const {
    const auto found = owners_.find(certificate);
    return found != owners_.end() ? std::optional(found->second) : std::nullopt;
  }

  /// From now on the node may show this certificate too. Throws as the constructor does.
  void add(NodeId node, const Digest& certificate) {
    require_free(node, certificate);
    owners_.insert_or_assign(certificate, node);
  }

  /// From now on the node may show this certificate and no other. Throws as the constructor does.
  void set(NodeId node, const Digest& certificate) {
    require_free(node, certificate);
    std::erase_if(owners_, [node](const auto& pin) { return pin.second == node; });
    owners_.insert_or_assign(certificate, node);
  }

  /// What the node may show.
  std::set<Digest> of(NodeId node) const {
    std::set<Digest> found;
    for (const auto& [certificate, owner] : owners_)
      if (owner == node) found.insert(certificate);
    return found;
  }

 private:
  static std::string field(NodeId node) {
    return "certificates of node " + std::to_string(node.value);
  }

  void require_free(NodeId node, const Digest& certificate) const {
    if (certificate == Digest{})
      throw ConfigError(field(node), hex(certificate), "is no SHA-256 of a certificate");
    const std::optional<NodeId> other = owner(certificate);
    if (other && *other != node) {
      throw ConfigError(field(node), hex(certificate),
                        "is that of node " + std::to_string(other->value) +
                            "; each node needs a certificate of its own");
    }
  }

  std::map<Digest, NodeId> owners_;
};

}  // namespace mirbft

#endif

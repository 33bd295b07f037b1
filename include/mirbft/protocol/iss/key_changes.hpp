// Keys that the ordered log has changed: of nodes as a chain of certificates, of clients as state.
#ifndef MIRBFT_PROTOCOL_ISS_KEY_CHANGES_HPP
#define MIRBFT_PROTOCOL_ISS_KEY_CHANGES_HPP

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <utility>
#include <variant>
#include <vector>

#include <mirbft/events/crypto.hpp>
#include <mirbft/events/reconfiguration.hpp>
#include <mirbft/events/wal.hpp>
#include <mirbft/protocol/iss/cluster.hpp>
#include <mirbft/protocol/iss/events.hpp>

namespace mirbft::iss {

/// What the requests of `epoch` ask for holds from here on. Who enters this epoch knows it: the
/// checkpoint of `epoch` is stable there, as K = 2, and the own App has told what was asked for.
constexpr Epoch in_force_from(Epoch epoch) noexcept { return epoch + 2; }

/// What an App asks for, as far as it is carried out.
struct KeyChanges {
  /// By ascending id; the last one for a node or client counts.
  std::vector<NodeKey> nodes;
  std::vector<ClientKey> clients;
  /// How many reconfigurations are not carried out: keys of nodes that are no members, members
  /// without a key, keys that are empty or too long.
  std::uint64_t refused = 0;
};

inline KeyChanges key_changes(std::vector<Reconfiguration> asked, const Cluster& cluster) {
  KeyChanges made;
  std::map<NodeId, NodeKey> nodes;
  std::map<ClientId, ClientKey> clients;
  const auto is_key = [](const Bytes& key) {
    return !key.empty() && key.size() <= max_public_key_bytes;
  };
  for (Reconfiguration& one : asked) {
    if (auto* node = std::get_if<NodeKey>(&one);
        node && node->key && is_key(*node->key) && cluster.find(node->node)) {
      nodes.insert_or_assign(node->node, std::move(*node));
    } else if (auto* client = std::get_if<ClientKey>(&one);
               client && (!client->key || is_key(*client->key))) {
      clients.insert_or_assign(client->client, std::move(*client));
    } else {
      ++made.refused;
    }
  }
  for (auto& [id, key] : nodes) made.nodes.push_back(std::move(key));
  for (auto& [id, key] : clients) made.clients.push_back(std::move(key));
  return made;
}

/// The certificates of all checkpoints that change keys of nodes. Each is signed by the keys that
/// those before it have made, so that a replica which was away for long gets from the keys that it
/// knows to those in force, as long as it believes in the ones that it knows. It is kept for ever:
/// some hundred bytes for each signature, as often as keys are changed.
class KeyChain {
 public:
  /// How many epochs have changed keys of nodes, as far as is known here.
  std::uint64_t length() const noexcept { return links_.size(); }

  /// Whether the keys that sign this checkpoint are known: those of all earlier changes are.
  bool covers(const CheckpointHeader& header) const noexcept {
    return header.key_changes <= length() + (header.node_keys.empty() ? 0 : 1);
  }

  /// Recovery. An entry may be there twice.
  void recover(KeyEntry entry) {
    if (is_next(entry.proof.header)) links_.push_back(std::move(entry.proof));
  }
  /// Tells Crypto the keys of all links: at the start, before anything is signed or verified.
  void announce(auto& env) const {
    for (const StableCheckpoint& link : links_) announce(link, env);
  }

  /// A valid certificate. The next link is written ahead of all that is signed by its keys. Returns
  /// whether it was one.
  bool extend(const StableCheckpoint& proof, auto& env) {
    if (!is_next(proof.header)) return false;
    links_.push_back(proof);
    env.emit(WalAppend<KeyEntry>{{proof}, RetentionIndex(~std::uint64_t{0})});
    announce(proof, env);
    return true;
  }

  /// The link after the first `known`; null if there is none.
  const StableCheckpoint* after(std::uint64_t known) const noexcept {
    return known < length() ? &links_[known] : nullptr;
  }

 private:
  bool is_next(const CheckpointHeader& header) const noexcept {
    return !header.node_keys.empty() && header.key_changes == length() + 1;
  }
  static void announce(const StableCheckpoint& link, auto& env) {
    env.emit(UpdateNodeKeys{in_force_from(link.header.epoch), link.header.node_keys});
  }

  std::vector<StableCheckpoint> links_;
};

/// The keys of clients that are not, or no longer, those that Crypto was configured with: a part of
/// every checkpoint.
class ClientKeys {
 public:
  ClientKeys() = default;
  explicit ClientKeys(std::vector<ClientKeyChange> changes) : changes_(std::move(changes)) {}

  /// By ascending client and epoch.
  const std::vector<ClientKeyChange>& changes() const noexcept { return changes_; }

  /// The requests of `epoch` have asked for these. What is replaced in that epoch already is
  /// forgotten.
  void asked(Epoch epoch, const std::vector<ClientKey>& keys) {
    for (const ClientKey& key : keys)
      changes_.push_back({key.client, in_force_from(epoch), key.key});
    std::ranges::sort(changes_, {}, [](const ClientKeyChange& change) {
      return std::pair(change.client, change.from);
    });
    const auto is_replaced = [&](const ClientKeyChange& change) {
      const ClientKeyChange* next = &change + 1;
      return next != changes_.data() + changes_.size() && next->client == change.client &&
             next->from <= epoch;
    };
    std::vector<ClientKeyChange> kept;
    for (const ClientKeyChange& change : changes_)
      if (!is_replaced(change)) kept.push_back(change);
    changes_ = std::move(kept);
  }

  /// The keys that come into force after `before`, until `epoch` at the latest.
  std::vector<ClientKey> due(Epoch before, Epoch epoch) const {
    std::vector<ClientKey> keys;
    for (const ClientKeyChange& change : changes_) {
      if (change.from > epoch || change.from <= before) continue;
      if (!keys.empty() && keys.back().client == change.client) keys.pop_back();
      keys.push_back({change.client, change.key});
    }
    return keys;
  }

  /// Since when a client has the key that it has in `epoch`.
  Epoch since(ClientId client, Epoch epoch) const noexcept {
    const auto later = std::ranges::upper_bound(
        changes_, std::pair(client, epoch), {},
        [](const ClientKeyChange& change) { return std::pair(change.client, change.from); });
    const bool changed = later != changes_.begin() && std::prev(later)->client == client;
    return changed ? std::prev(later)->from : Epoch(0);
  }

 private:
  std::vector<ClientKeyChange> changes_;
};

}  // namespace mirbft::iss

#endif

// Who plays which adversary in one run, and how often each has acted.
#ifndef MIRBFT_SIM_ADVERSARY_CAST_HPP
#define MIRBFT_SIM_ADVERSARY_CAST_HPP

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/sim/adversary/kinds.hpp>
#include <mirbft/sim/adversary/replica.hpp>
#include <mirbft/sim/random.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/quorum.hpp>

namespace mirbft::sim {

/// The adversaries of one run: of replicas at most as many as a cluster must bear, each of one kind
/// or a few, and a client of each kind that is drawn.
class Cast {
 public:
  /// Draws them. Throws ConfigError if there are too few nodes for any of them to be faulty.
  Cast(AdversaryKinds allowed, const std::vector<NodeId>& members, byzantine::Hash hash,
       Random random) {
    std::vector<std::size_t> kinds = allowed.of_replicas();
    const std::size_t most = Quorum(members.size()).faulty();
    if (!kinds.empty() && most == 0)
      throw ConfigError("nodes", std::to_string(members.size()),
                        "must be 4 or more for an adversary among the replicas");
    clients_ = drawn(allowed.of_clients(), random);
    if (kinds.empty()) return;
    std::vector<NodeId> nodes = members;
    random.shuffle(nodes);
    nodes.resize(random.between<std::size_t>(1, most));
    for (const NodeId node : nodes)
      cast(node, drawn(kinds, random), [&](std::size_t kind) {
        return byzantine::Powers(node, members, hash,
                                 random.fork(adversary_kinds[kind].name, node.value));
      });
  }

  /// Null for a correct node. It lives as long as this.
  Adversary* of(NodeId node) const {
    const auto found = replicas_.find(node);
    return found == replicas_.end() ? nullptr : found->second.adversary.get();
  }
  std::vector<NodeId> nodes() const {
    std::vector<NodeId> all;
    for (const auto& [node, role] : replicas_) all.push_back(node);
    return all;
  }
  /// The kinds of faulty clients.
  const std::vector<std::size_t>& clients() const noexcept { return clients_; }

  /// How often the replicas' adversaries have acted.
  AdversaryCounts counts() const {
    AdversaryCounts counts;
    for (const auto& [node, role] : replicas_)
      for (std::size_t i = 0; i < role.kinds.size(); ++i)
        counts.count(role.kinds[i], role.adversary->behaviours()[i]->acted());
    return counts;
  }

 private:
  struct Role {
    std::vector<std::size_t> kinds;
    std::unique_ptr<byzantine::Replica> adversary;
  };

  /// One of the kinds, or up to three, so that they meet.
  static std::vector<std::size_t> drawn(std::vector<std::size_t> kinds, Random& random) {
    random.shuffle(kinds);
    const std::size_t most = random.chance(500) ? 1 : 3;
    if (kinds.size() > most) kinds.resize(most);
    return kinds;
  }
  template <class PowersFor>
  void cast(NodeId node, std::vector<std::size_t> kinds, PowersFor&& powers_for) {
    std::vector<std::unique_ptr<byzantine::Behaviour>> behaviours;
    for (const std::size_t kind : kinds)
      behaviours.push_back(adversary_kinds[kind].replica(powers_for(kind)));
    replicas_[node] = {std::move(kinds),
                       std::make_unique<byzantine::Replica>(std::move(behaviours))};
  }

  std::map<NodeId, Role> replicas_;
  std::vector<std::size_t> clients_;
};

}  // namespace mirbft::sim

#endif

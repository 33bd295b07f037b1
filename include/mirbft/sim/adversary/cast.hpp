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
#include <mirbft/sim/adversary/roles.hpp>
#include <mirbft/sim/random.hpp>

namespace mirbft::sim {

/// The adversaries of one run.
class Cast {
 public:
  Cast(const Roles& roles, const std::vector<NodeId>& members, byzantine::Hash hash,
       const Random& random)
      : clients_(roles.clients.of_clients()) {
    for (const Role& role : roles.replicas)
      cast(role.node, role.kinds.of_replicas(), [&](std::size_t kind) {
        return byzantine::Powers(role.node, members, hash,
                                 random.fork(adversary_kinds[kind].name, role.node.value));
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
  struct Player {
    std::vector<std::size_t> kinds;
    std::unique_ptr<byzantine::Replica> adversary;
  };

  template <class PowersFor>
  void cast(NodeId node, std::vector<std::size_t> kinds, PowersFor&& powers_for) {
    std::vector<std::unique_ptr<byzantine::Behaviour>> behaviours;
    for (const std::size_t kind : kinds)
      behaviours.push_back(adversary_kinds[kind].replica(powers_for(kind)));
    replicas_[node] = {std::move(kinds),
                       std::make_unique<byzantine::Replica>(std::move(behaviours))};
  }

  std::map<NodeId, Player> replicas_;
  std::vector<std::size_t> clients_;
};

}  // namespace mirbft::sim

#endif

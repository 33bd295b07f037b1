// Who is faulty in a run, and in which ways.
#ifndef MIRBFT_SIM_ADVERSARY_ROLES_HPP
#define MIRBFT_SIM_ADVERSARY_ROLES_HPP

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <mirbft/sim/adversary/kinds.hpp>
#include <mirbft/sim/random.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft::sim {

/// A faulty replica.
struct Role {
  NodeId node;
  AdversaryKinds kinds;

  friend bool operator==(const Role&, const Role&) = default;
};

/// The adversaries of one run.
struct Roles {
  /// By their node, which is there once.
  std::vector<Role> replicas;
  /// There is one client of each of these kinds.
  AdversaryKinds clients;

  bool has(NodeId node) const noexcept {
    return std::ranges::find(replicas, node, &Role::node) != replicas.end();
  }
  friend bool operator==(const Roles&, const Roles&) = default;
};

namespace detail {

/// One of the kinds, or up to three, so that they meet.
inline AdversaryKinds some_of(std::vector<std::size_t> kinds, Random& random) {
  random.shuffle(kinds);
  const std::size_t most = random.chance(500) ? 1 : 3;
  if (kinds.size() > most) kinds.resize(most);
  AdversaryKinds some;
  for (const std::size_t kind : kinds) some.add(kind);
  return some;
}

}  // namespace detail

/// Draws them: one of `suspects` at least, of those whom the cluster can do without. Throws
/// ConfigError if there are none, and a replica is to be faulty.
inline Roles draw_roles(AdversaryKinds allowed, std::vector<NodeId> suspects, Random random) {
  Roles roles;
  roles.clients = detail::some_of(allowed.of_clients(), random);
  const std::vector<std::size_t> kinds = allowed.of_replicas();
  if (kinds.empty()) return roles;
  if (suspects.empty())
    throw ConfigError("nodes", "fewer than 4", "must be 4 or more for a faulty replica");
  random.shuffle(suspects);
  suspects.resize(random.between<std::size_t>(1, suspects.size()));
  std::sort(suspects.begin(), suspects.end());
  for (const NodeId node : suspects)
    roles.replicas.push_back({node, detail::some_of(kinds, random)});
  return roles;
}

}  // namespace mirbft::sim

#endif

// The members of a cluster as one of them sees it.
#ifndef MIRBFT_PROTOCOL_ISS_CLUSTER_HPP
#define MIRBFT_PROTOCOL_ISS_CLUSTER_HPP

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include <mirbft/protocol/iss/config.hpp>
#include <mirbft/types/quorum.hpp>

namespace mirbft::iss {

/// A member: its id, and its place among the sorted members.
struct Member {
  NodeId id;
  std::size_t index = 0;
};

/// Who is in the cluster, and how many of them must agree. Immutable.
class Cluster {
 public:
  Cluster(const IssConfig& config, Quorum quorum)
      : name_(config.cluster), members_(config.members), quorum_(quorum) {
    std::sort(members_.begin(), members_.end());
    self_ = *find(config.self);
    for (const NodeId member : members_)
      if (member != self_.id) others_.push_back(member);
  }

  const Bytes& name() const noexcept { return name_; }
  const std::vector<NodeId>& members() const noexcept { return members_; }
  const std::vector<NodeId>& others() const noexcept { return others_; }
  Quorum quorum() const noexcept { return quorum_; }
  Member self() const noexcept { return self_; }

  std::optional<Member> find(NodeId id) const noexcept {
    const auto found = std::lower_bound(members_.begin(), members_.end(), id);
    if (found == members_.end() || *found != id) return std::nullopt;
    return Member{id, static_cast<std::size_t>(found - members_.begin())};
  }

 private:
  Bytes name_;
  std::vector<NodeId> members_;
  std::vector<NodeId> others_;
  Quorum quorum_;
  Member self_;
};

}  // namespace mirbft::iss

#endif

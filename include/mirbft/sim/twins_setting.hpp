// What all scenarios of twins have in common, and what is counted in them.
#ifndef MIRBFT_SIM_TWINS_SETTING_HPP
#define MIRBFT_SIM_TWINS_SETTING_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/protocol/iss/cluster.hpp>
#include <mirbft/protocol/iss/config.hpp>
#include <mirbft/protocol/iss/epoch_plan.hpp>
#include <mirbft/sim/fingerprint.hpp>
#include <mirbft/sim/node_ids.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/signature_check.hpp>

namespace mirbft::sim::twins {

/// Signatures that cost next to nothing, and that twins, who have their key, need not forge.
inline Bytes sign(NodeId node, ByteView message) {
  Fingerprint signature;
  signature.add(node.value);
  signature.add(message);
  return Bytes::filled(8, [value = signature.value()](std::uint8_t* out) mutable {
    for (std::size_t i = 0; i < 8; ++i, value >>= 8) out[i] = static_cast<std::uint8_t>(value);
  });
}

/// The keys of all nodes, as a Crypto module.
struct Keys {
  SignatureCheck verify_node(NodeId node, Epoch, ByteView message, ByteView signature) const {
    return sign(node, message) == Bytes(signature) ? SignatureCheck::valid
                                                   : SignatureCheck::invalid;
  }
  void update_node_key(NodeId, Epoch, const std::optional<Bytes>&) const noexcept {}
};

/// What is the same for all instances and scenarios of a shape. Immutable.
template <class Subject>
class Setting {
 public:
  Setting(std::size_t nodes, std::uint32_t slots, Subject subject)
      : subject_(std::move(subject)),
        config_(config_of(nodes, slots)),
        plan_(Epoch(0), SeqNr(0), config_.members, {config_.members.front()}, config_) {
    for (const NodeId member : config_.members) {
      config_.self = member;
      clusters_.emplace_back(config_, Subject::Orderer::quorum(nodes));
    }
  }

  const Subject& subject() const noexcept { return subject_; }
  /// Of any replica.
  const IssConfig& config() const noexcept { return config_; }
  const iss::EpochPlan& plan() const noexcept { return plan_; }
  const iss::Cluster& cluster_of(std::size_t node) const noexcept { return clusters_[node]; }
  std::uint32_t slots() const noexcept { return plan_.segment_length(); }

 private:
  static IssConfig config_of(std::size_t nodes, std::uint32_t slots) {
    IssConfig config;
    config.members = node_ids(nodes);
    config.min_segment_length = config.max_segment_length = slots;
    return config;
  }

  Subject subject_;
  IssConfig config_;
  iss::EpochPlan plan_;
  std::vector<iss::Cluster> clusters_;
};

/// What scenarios have come to.
struct Figures {
  /// Slots that a correct node has decided, by what, and those that were before the network healed.
  std::uint64_t decided_batches = 0;
  std::uint64_t decided_nil = 0;
  std::uint64_t decided_early = 0;
  /// Places where the two instances of a node have proposed two different things: proof that twins
  /// were twins. And of these, those in views after the first.
  std::uint64_t double_proposals = 0;
  std::uint64_t double_new_views = 0;
  std::uint64_t messages = 0;
  std::uint64_t lost = 0;
  std::uint64_t restarts = 0;
  /// The highest view in which a correct node has voted.
  std::uint64_t highest_view = 0;
  /// Rounds that the network had to be whole for, at most.
  std::uint64_t healing_rounds = 0;

  Figures& operator+=(const Figures& other) noexcept {
    decided_batches += other.decided_batches;
    decided_nil += other.decided_nil;
    decided_early += other.decided_early;
    double_proposals += other.double_proposals;
    double_new_views += other.double_new_views;
    messages += other.messages;
    lost += other.lost;
    restarts += other.restarts;
    highest_view = std::max(highest_view, other.highest_view);
    healing_rounds = std::max(healing_rounds, other.healing_rounds);
    return *this;
  }
};

}  // namespace mirbft::sim::twins

BOOST_HANA_ADAPT_STRUCT(mirbft::sim::twins::Figures, decided_batches, decided_nil, decided_early,
                        double_proposals, double_new_views, messages, lost, restarts,
                        highest_view, healing_rounds);

#endif

// Invariants of ISS: epochs, leaders, buckets, time-outs and configuration.
#ifndef MIRBFT_SIM_EPOCH_INVARIANTS_HPP
#define MIRBFT_SIM_EPOCH_INVARIANTS_HPP

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <mirbft/events/net.hpp>
#include <mirbft/events/store.hpp>
#include <mirbft/events/tracker.hpp>
#include <mirbft/events/wal.hpp>
#include <mirbft/protocol/iss/config.hpp>
#include <mirbft/protocol/iss/events.hpp>
#include <mirbft/protocol/iss/messages.hpp>
#include <mirbft/protocol/orderers/pbft_messages.hpp>
#include <mirbft/sim/epoch_reference.hpp>
#include <mirbft/sim/findings.hpp>
#include <mirbft/sim/invariants.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/wire/codec.hpp>

namespace mirbft::sim {

/// Epochs begin where the leader policy says, each slot is led and decided in the segment that it
/// belongs to, every delivered request is of a bucket of that segment's leader, and replicas are as
/// patient as what was decided until then says.
template <class Policy = Blacklist>
class EpochsAgree {
 public:
  using Message = IssMessage<PbftMessage>;

  /// `config` is that of any replica.
  explicit EpochsAgree(IssConfig config, Policy policy = {})
      : epochs_(std::move(config), std::move(policy)) {}

  void event(NodeId node, const WalAppend<DecidedEntry>& append, Findings& findings) {
    const auto& [segment, sn, digest, batch] = append.entry;
    if (const auto* known = epochs_.find(sn);
        known && segment != SegmentId{known->plan.epoch(), known->plan.segment_of(sn)})
      findings.report("leaders agree", node, sn,
                      "is decided in segment " + std::to_string(segment.index) + " of epoch " +
                          std::to_string(segment.epoch.value) + ", and belongs to segment " +
                          std::to_string(known->plan.segment_of(sn)) + " of epoch " +
                          std::to_string(known->plan.epoch().value));
    epochs_.decided(sn, digest == nil_digest);
  }
  void event(NodeId node, const WalAppend<EpochEntry>& append, Findings& findings) {
    const auto& [epoch, first] = append.entry;
    const auto* known = epochs_.find(epoch);
    if (known ? known->plan.first() == first : epoch < epochs_.current()) return;
    findings.report("epochs agree", node, first,
                    "begins epoch " + std::to_string(epoch.value) +
                        (known ? ", which the leaders say begins at sn " +
                                     std::to_string(known->plan.first().value)
                               : ", and not all before it is decided"));
  }
  void event(NodeId node, const SendMessage<Message>& send, Findings& findings) {
    const auto* ordering = std::get_if<PbftMessage>(&send.message);
    const auto* proposal = ordering ? std::get_if<PrePrepare>(ordering) : nullptr;
    const auto* known = proposal ? epochs_.find(proposal->segment.epoch) : nullptr;
    if (known && (proposal->segment.index >= known->plan.segments() ||
                  known->plan.leader(proposal->segment.index) != node))
      findings.report("leaders agree", node, proposal->sn,
                      "proposes in segment " + std::to_string(proposal->segment.index) +
                          ", which it does not lead");
  }
  void event(NodeId node, const Deliver& delivery, Findings& findings) {
    const auto* known = epochs_.find(delivery.sn);
    if (!known) return;
    const std::uint32_t segment = known->plan.segment_of(delivery.sn);
    for (const RequestRef& reference : *delivery.batch) {
      const std::uint32_t bucket =
          iss::bucket_of(reference.client, reference.req_no, known->plan.buckets());
      if (known->plan.owner(bucket) != segment)
        findings.report("buckets", node, delivery.sn,
                        name_of(reference.client, reference.req_no) +
                            " is of a bucket that the leader, node " +
                            std::to_string(known->plan.leader(segment).value) +
                            ", does not have");
    }
  }
  void event(NodeId node, const WalAppend<CheckpointEntry>& append, Findings& findings) {
    const auto& [header, signature, state] = append.entry;
    const auto* known = epochs_.find(header.epoch);
    if (!known || !known->policy_after) return;
    if (state.policy != wire::encode(*known->policy_after))
      findings.report("leaders agree", node, header.last,
                      "has another leader policy than what was decided makes of it");
    if (state.pace != wire::encode(known->pace_after))
      findings.report("time-outs agree", node, header.last,
                      "has another time-out than what was decided makes of it, which is " +
                          std::to_string(known->pace_after.timeout.count()) + " ns");
  }
  void looked(NodeId node, const auto& replica, Findings& findings) {
    // Of an epoch that is over the time-out is the next one's already.
    if (looks_++ % 16 != 0) return;
    const auto status = replica.protocol().status();
    const auto* known = epochs_.find(status.epoch);
    if (known && status.open_segments != 0 && status.timeout != known->timeout)
      findings.report("time-outs agree", node, status.next_delivery,
                      "waits for leaders for " + std::to_string(status.timeout.count()) +
                          " ns, and should for " + std::to_string(known->timeout.count()));
  }

  /// How many epochs are wholly decided, and were checked.
  std::uint64_t epochs() const noexcept { return epochs_.current().value; }

 private:
  EpochReference<Policy> epochs_;
  std::uint64_t looks_ = 0;
};

/// The members and parameters in all checkpoints are the same, keys change one by one, and in an
/// epoch all correct nodes take the same requests: the windows of clients are equal, and move on.
class ConfigurationAgrees {
 public:
  void event(NodeId node, const WalAppend<CheckpointEntry>& append, Findings& findings) {
    const CheckpointHeader& header = append.entry.header;
    if (!first_) first_ = header;
    if (header.membership != first_->membership || header.parameters != first_->parameters)
      findings.report("configuration agrees", node, header.last,
                      "signs a checkpoint with other members or parameters than those of epoch " +
                          std::to_string(first_->epoch.value));
    check_keys(node, header, findings);
  }
  void event(NodeId node, const WindowsMoved& moved, Findings& findings) {
    const auto [place, is_first] = windows_.try_emplace(moved.epoch, moved.windows);
    const auto wrong = [&](const std::string& what) {
      findings.report("windows agree", node, std::nullopt,
                      "begins epoch " + std::to_string(moved.epoch.value) + what);
    };
    if (!is_first) {
      if (place->second != moved.windows)
        wrong(" with other windows of clients than a correct node before it");
      return;
    }
    if (place != windows_.begin() && goes_back(std::prev(place)->second, moved.windows))
      wrong(" with a client's window that has gone back");
    if (windows_.size() > epochs_kept) windows_.erase(windows_.begin());
  }

 private:
  static constexpr std::size_t epochs_kept = 16;

  void check_keys(NodeId node, const CheckpointHeader& header, Findings& findings) {
    const auto [place, is_first] = key_changes_.try_emplace(header.epoch, header.key_changes);
    const std::uint64_t own = header.node_keys.empty() ? 0 : 1;
    const bool known = place != key_changes_.begin();
    const auto before = known ? std::prev(place) : place;
    const bool is_next = known && before->first + 1 == header.epoch;
    if (place->second != header.key_changes ||
        (is_next && before->second + own != header.key_changes))
      findings.report("configuration agrees", node, header.last,
                      "counts " + std::to_string(header.key_changes) +
                          " changes of nodes' keys up to here");
    if (key_changes_.size() > epochs_kept) key_changes_.erase(key_changes_.begin());
  }
  /// Both are sorted by client.
  static bool goes_back(const std::vector<ClientWindow>& before,
                        const std::vector<ClientWindow>& after) {
    auto at = after.begin();
    for (const ClientWindow& window : before) {
      while (at != after.end() && at->client < window.client) ++at;
      if (at == after.end() || at->client != window.client || at->low < window.low) return true;
    }
    return false;
  }

  std::optional<CheckpointHeader> first_;
  std::map<Epoch, std::uint64_t> key_changes_;
  std::map<Epoch, std::vector<ClientWindow>> windows_;
};

}  // namespace mirbft::sim

#endif

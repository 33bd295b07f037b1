// What a Byzantine replica has to work with: its own signature, and nobody else's.
#ifndef MIRBFT_SIM_ADVERSARY_POWERS_HPP
#define MIRBFT_SIM_ADVERSARY_POWERS_HPP

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <mirbft/protocol/iss/cluster.hpp>
#include <mirbft/protocol/iss/events.hpp>
#include <mirbft/protocol/iss/messages.hpp>
#include <mirbft/protocol/orderers/pbft_view_change.hpp>
#include <mirbft/sim/crypto.hpp>
#include <mirbft/sim/fingerprint.hpp>
#include <mirbft/sim/random.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/wire/canonical.hpp>

namespace mirbft::sim::byzantine {

/// As the replicas' Hasher does.
using Hash = Digest (*)(ByteView);

/// The means of one Byzantine replica. It may sign anything, as itself.
class Powers {
 public:
  Powers(NodeId self, const std::vector<NodeId>& members, Hash hash, Random random)
      : cluster_(config(self, members), Quorum(members.size())),
        crypto_(self),
        hash_(hash),
        random_(random),
        taste_(random_.next()) {}

  NodeId self() const noexcept { return cluster_.self().id; }
  const iss::Cluster& cluster() const noexcept { return cluster_; }
  Random& random() noexcept { return random_; }

  void sign(SegmentId segment, View view, SeqNr sn, const Digest& digest, Bytes& signature) const {
    const PrepareContent content{segment, view, sn, digest};
    signature = crypto_.sign(segment.epoch, pbft::signed_bytes(cluster_, content).view());
  }
  void sign(Prepare& vote) const {
    sign(vote.segment, vote.view, vote.sn, vote.digest, vote.signature);
  }
  void sign(PrePrepare& proposal) const {
    sign(proposal.segment, View(0), proposal.sn, digest_of(proposal), proposal.signature);
  }
  void sign(ViewChange& change) const {
    change.signature =
        crypto_.sign(change.segment.epoch, pbft::signed_bytes(cluster_, change).view());
  }
  void sign(NewView& message) const {
    message.signature =
        crypto_.sign(message.segment.epoch, pbft::signed_bytes(cluster_, message).view());
  }
  void sign(CheckpointVote& vote) const {
    const Bytes content = wire::canonical("checkpoint", cluster_.name().view(), vote.header);
    vote.signature = crypto_.sign(vote.header.epoch, content.view());
  }

  /// Of what a leader proposes.
  Digest digest_of(const PrePrepare& proposal) const {
    const BatchContent content{proposal.segment.epoch, proposal.sn, proposal.batch};
    return hash_(wire::canonical("batch", cluster_.name().view(), content).view());
  }
  /// Of nothing at all.
  Digest made_up_digest() {
    Digest digest;
    for (std::uint8_t& byte : digest.bytes) byte = static_cast<std::uint8_t>(random_.next());
    return digest;
  }

  /// A coin that falls the same way whenever it is thrown for the same numbers.
  bool coin(std::uint64_t first, std::uint64_t second = 0) const noexcept {
    return draw(first, second) % 2 == 0;
  }
  std::uint64_t draw(std::uint64_t first, std::uint64_t second = 0) const noexcept {
    Fingerprint sum;
    for (const std::uint64_t part : {taste_, first, second}) sum.add(part);
    return sum.value() >> 16;
  }

 private:
  static IssConfig config(NodeId self, const std::vector<NodeId>& members) {
    IssConfig config;
    config.self = self;
    config.members = members;
    return config;
  }

  iss::Cluster cluster_;
  Crypto crypto_;
  Hash hash_;
  Random random_;
  std::uint64_t taste_;
};

}  // namespace mirbft::sim::byzantine

#endif

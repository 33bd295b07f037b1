// Certificates, checked once more by somebody who knows nothing of the protocol's own checks.
#ifndef MIRBFT_SIM_CERTIFICATE_INVARIANTS_HPP
#define MIRBFT_SIM_CERTIFICATE_INVARIANTS_HPP

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <mirbft/events/crypto.hpp>
#include <mirbft/events/net.hpp>
#include <mirbft/events/wal.hpp>
#include <mirbft/modules/crypto/null.hpp>
#include <mirbft/protocol/iss/config.hpp>
#include <mirbft/protocol/iss/events.hpp>
#include <mirbft/protocol/iss/messages.hpp>
#include <mirbft/protocol/orderers/pbft_messages.hpp>
#include <mirbft/sim/findings.hpp>
#include <mirbft/sim/statement.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/quorum.hpp>
#include <mirbft/wire/canonical.hpp>

namespace mirbft::sim {

/// Whether `signature` is that of `node` under `value`.
template <class Crypto, class T>
bool is_signed(const Crypto& crypto, const Bytes& cluster, NodeId node, Epoch epoch,
               const char* domain, const T& value, const Bytes& signature) {
  if constexpr (requires { requires Crypto::trusts_everyone; }) {
    return true;
  } else {
    const Bytes message = wire::canonical(domain, cluster.view(), value);
    return crypto.verify_node(node, epoch, message.view(), signature.view()) ==
           SignatureCheck::valid;
  }
}

/// Every certificate verifies that a correct node makes, writes down or passes on: those of slots,
/// in ViewChanges and NewViews too, and those of checkpoints. A strong quorum of members, each
/// counted once, has signed: by the Crypto of the run, and where the signer is correct, also by
/// what its disk says that it has.
template <class Crypto = NullCrypto>
class CertificatesVerify {
 public:
  using Message = IssMessage<PbftMessage>;

  /// `config` is that of any replica.
  explicit CertificatesVerify(const IssConfig& config, Crypto crypto = Crypto())
      : cluster_(config.cluster),
        members_(config.members.begin(), config.members.end()),
        needed_(Quorum(config.members.size()).strong()),
        crypto_(std::move(crypto)) {}

  void started(NodeId node) { written_.try_emplace(node); }
  void distrusted(NodeId node) { written_.erase(node); }
  void durable(NodeId node, const VoteEntry& entry, Findings&) {
    const auto& [segment, view, sn, digest] = entry.content;
    wrote(node, said(Prepare{segment, view, sn, digest, {}}));
  }
  void durable(NodeId node, const ViewChangeEntry& entry, Findings&) {
    wrote(node, said(entry.message));
  }
  void durable(NodeId node, const CheckpointEntry& entry, Findings&) {
    wrote(node, said(CheckpointVote{entry.header, {}}));
    if (entry.header.epoch.value > epochs_kept)
      written_[node].forget_before(Epoch(entry.header.epoch.value - epochs_kept));
  }

  void event(NodeId, const UpdateNodeKeys& update, Findings&) {
    for (const NodeKey& key : update.keys) crypto_.update_node_key(key.node, update.from, key.key);
  }
  void event(NodeId node, const WalAppend<PreparedEntry>& append, Findings& findings) {
    check(node, append.entry.segment, append.entry.certificate, findings);
  }
  void event(NodeId node, const WalAppend<NewViewEntry>& append, Findings& findings) {
    check(node, append.entry.message, findings);
  }
  void event(NodeId node, const WalAppend<StableEntry>& append, Findings& findings) {
    check(node, StableCheckpoint{append.entry.header, append.entry.certificate}, findings);
  }
  void event(NodeId node, const WalAppend<InstalledEntry>& append, Findings& findings) {
    check(node, StableCheckpoint{append.entry.header, append.entry.certificate}, findings);
  }
  void event(NodeId node, const WalAppend<KeyEntry>& append, Findings& findings) {
    check(node, append.entry.proof, findings);
  }
  void event(NodeId node, const SendMessage<Message>& send, Findings& findings) {
    if (const auto* proof = std::get_if<StableCheckpoint>(&send.message))
      return check(node, *proof, findings);
    const auto* ordering = std::get_if<PbftMessage>(&send.message);
    if (const auto* change = ordering ? std::get_if<ViewChange>(ordering) : nullptr)
      return check(node, *change, findings);
    if (const auto* made = ordering ? std::get_if<NewView>(ordering) : nullptr)
      return check(node, *made, findings);
  }

 private:
  /// For so many of its epochs it is known what a correct node has signed.
  static constexpr std::uint64_t epochs_kept = 8;

  void wrote(NodeId node, const Said& said) { written_[node].replace(said); }

  // What is checked. Each certificate is of what its signers have said by it.

  void check(NodeId node, SegmentId segment, const Certificate& certificate, Findings& findings) {
    const auto& [view, sn, digest, signatures] = certificate;
    check(node, said(Prepare{segment, view, sn, digest, {}}), "prepare",
          PrepareContent{segment, view, sn, digest}, signatures, findings);
  }
  void check(NodeId node, const StableCheckpoint& proof, Findings& findings) {
    check(node, said(CheckpointVote{proof.header, {}}), "checkpoint", proof.header,
          proof.certificate, findings);
  }
  void check(NodeId node, const ViewChange& change, Findings& findings) {
    bool proven = change.certificates.size() == change.claims.size();
    for (std::size_t i = 0; proven && i < change.claims.size(); ++i)
      proven = change.certificates[i].view == change.claims[i].view &&
               change.certificates[i].sn == change.claims[i].sn &&
               change.certificates[i].digest == change.claims[i].digest;
    if (!proven) wrong(node, said(change).place, "claims what it does not prove", findings);
    check_claims(node, change, findings);
    for (const Certificate& one : change.certificates) check(node, change.segment, one, findings);
  }
  void check(NodeId node, const NewView& made, Findings& findings) {
    for (const ViewChange& change : made.view_changes) check_claims(node, change, findings);
    for (const Certificate& one : made.certificates) check(node, made.segment, one, findings);
  }
  void check_claims(NodeId node, const ViewChange& change, Findings& findings) {
    check_signature(node, change.sender, said(change), "view change",
                    ViewChangeContent{change.segment, change.view, change.sender, change.claims},
                    change.signature, findings);
  }

  template <class T, class Signature>
  void check(NodeId node, const Said& said, const char* domain, const T& content,
             const std::vector<Signature>& signatures, Findings& findings) {
    std::set<NodeId> signers;
    for (const auto& [signer, signature] : signatures) {
      check_signature(node, signer, said, domain, content, signature, findings);
      signers.insert(signer);
    }
    if (signers.size() < needed_ || signers.size() != signatures.size())
      wrong(node, said.place,
            "has " + std::to_string(signatures.size()) + " signatures of " +
                std::to_string(signers.size()) + " nodes, where " + std::to_string(needed_) +
                " are needed", findings);
  }
  template <class T>
  void check_signature(NodeId node, NodeId signer, const Said& said, const char* domain,
                       const T& content, const Bytes& signature, Findings& findings) {
    const auto bad = [&](const char* what) {
      wrong(node, said.place, "node " + std::to_string(signer.value) + ' ' + what, findings);
    };
    const Epoch epoch = said.place.segment.epoch;
    if (!members_.contains(signer)) return bad("is no member");
    if (!is_signed(crypto_, cluster_, signer, epoch, domain, content, signature))
      return bad("has not made the signature that is said to be its own");
    const auto written = written_.find(signer);
    if (written == written_.end() || written->second.has_forgotten(epoch)) return;
    if (written->second.at(said.place) != said.content) bad("is correct and has never signed that");
  }
  static void wrong(NodeId node, const StatementPlace& place, const std::string& what,
                    Findings& findings) {
    findings.report("certificates verify", node, place.sn,
                    "takes a bad certificate of the " + to_string(place) + ": " + what);
  }

  Bytes cluster_;
  std::set<NodeId> members_;
  std::size_t needed_;
  Crypto crypto_;
  /// What correct nodes have written down before they signed it.
  std::map<NodeId, Statements> written_;
};

}  // namespace mirbft::sim

#endif

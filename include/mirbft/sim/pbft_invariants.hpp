// Invariants of PBFT within ISS: votes, certificates, and what is written ahead of them.
#ifndef MIRBFT_SIM_PBFT_INVARIANTS_HPP
#define MIRBFT_SIM_PBFT_INVARIANTS_HPP

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <mirbft/events/net.hpp>
#include <mirbft/events/protocol.hpp>
#include <mirbft/events/wal.hpp>
#include <mirbft/protocol/iss/events.hpp>
#include <mirbft/protocol/iss/messages.hpp>
#include <mirbft/protocol/orderers/pbft_messages.hpp>
#include <mirbft/sim/disk.hpp>
#include <mirbft/sim/findings.hpp>
#include <mirbft/sim/fingerprint.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/quorum.hpp>
#include <mirbft/types/visit.hpp>
#include <mirbft/wire/codec.hpp>

namespace mirbft::sim {

/// The kinds of statements of which a correct replica makes at most one for each place.
enum class Statement : std::uint8_t {
  proposal,
  prepare,
  commit,
  view_change,
  new_view,
  done,
  checkpoint,
};

constexpr std::string_view to_string(Statement kind) noexcept {
  constexpr std::string_view names[] = {"PrePrepare", "Prepare", "Commit",    "ViewChange",
                                        "NewView",    "Done",    "Checkpoint"};
  return names[static_cast<std::size_t>(kind)];
}

/// Where a replica may say but one thing.
struct StatementPlace {
  NodeId node;
  Statement kind = Statement::prepare;
  SegmentId segment;
  View view;
  SeqNr sn;

  friend auto operator<=>(const StatementPlace&, const StatementPlace&) = default;
};

/// A statement: its place and a hash of its content. None of a message that binds nobody.
struct Said {
  StatementPlace place;
  std::uint64_t content = 0;
};

namespace detail {

inline std::uint64_t content_of(const Batch& batch) {
  Fingerprint content;
  for (const RequestRef& reference : *batch) {
    content.add(reference.client.value);
    content.add(reference.req_no.value);
    content.add(reference.digest.view());
  }
  return content.value();
}
inline std::uint64_t content_of(const Digest& digest) {
  Fingerprint content;
  content.add(digest.view());
  return content.value();
}
inline std::uint64_t content_of(const std::vector<Digest>& digests) {
  Fingerprint content;
  for (const Digest& digest : digests) content.add(digest.view());
  return content.value();
}
inline std::uint64_t content_of(const std::vector<PreparedClaim>& claims) {
  Fingerprint content;
  for (const PreparedClaim& claim : claims) {
    content.add(claim.view.value);
    content.add(claim.sn.value);
    content.add(claim.digest.view());
  }
  return content.value();
}
template <class T>
std::uint64_t content_of(const T& value) {
  Fingerprint content;
  content.add(wire::encode(value).view());
  return content.value();
}

}  // namespace detail

/// What `node` says by sending a message.
inline std::optional<Said> statement_of(NodeId node, const IssMessage<PbftMessage>& message) {
  using detail::content_of;
  const auto said = [&](Statement kind, SegmentId segment, View view, SeqNr sn,
                        std::uint64_t content) {
    return Said{{node, kind, segment, view, sn}, content};
  };
  if (const auto* done = std::get_if<Done>(&message))
    return said(Statement::done, done->segment, {}, {}, content_of(done->digests));
  if (const auto* vote = std::get_if<CheckpointVote>(&message))
    return said(Statement::checkpoint, {vote->header.epoch, 0}, {}, vote->header.last,
                content_of(vote->header));
  const auto* ordering = std::get_if<PbftMessage>(&message);
  if (!ordering) return std::nullopt;
  if (const auto* one = std::get_if<Prepare>(ordering))
    return said(Statement::prepare, one->segment, one->view, one->sn, content_of(one->digest));
  if (const auto* one = std::get_if<Commit>(ordering))
    return said(Statement::commit, one->segment, one->view, one->sn, content_of(one->digest));
  if (const auto* one = std::get_if<PrePrepare>(ordering))
    return said(Statement::proposal, one->segment, {}, one->sn, content_of(one->batch));
  if (const auto* one = std::get_if<ViewChange>(ordering))
    return said(Statement::view_change, one->segment, one->view, {}, content_of(one->claims));
  const auto& one = *std::get_if<NewView>(ordering);
  return said(Statement::new_view, one.segment, one.view, {}, content_of(one));
}

/// Names a statement in findings.
inline std::string to_string(const StatementPlace& place) {
  return std::string(to_string(place.kind)) + " of segment " + std::to_string(place.segment.index) +
         " of epoch " + std::to_string(place.segment.epoch.value) + ", view " +
         std::to_string(place.view.value);
}

/// Single vote: over everything that a correct node ever sends, restarts included, there is at most
/// one content for each place. And it votes in no view below one that it has left.
class SingleVote {
 public:
  using Message = IssMessage<PbftMessage>;

  void event(NodeId node, const SendMessage<Message>& send, Findings& findings) {
    const std::optional<Said> said = statement_of(node, send.message);
    if (!said) return;
    const auto [place, is_new] = said_.try_emplace(said->place, said->content);
    if (!is_new) {
      if (place->second != said->content)
        findings.report("single vote", node, said->place.sn,
                        "sends two different messages as its " + to_string(said->place));
      return;
    }
    check_view(*said, findings);
  }

 private:
  /// What is voted for the first time must not be in a view that was left.
  void check_view(const Said& said, Findings& findings) {
    const StatementPlace& place = said.place;
    if (place.kind > Statement::view_change) return;
    View& left = left_[{place.node, place.segment}];
    if (place.view < left)
      findings.report("no vote in a view that was left", place.node, place.sn,
                      "sends its first " + to_string(place) + ", after its ViewChange to view " +
                          std::to_string(left.value));
    if (place.kind == Statement::view_change) left = std::max(left, place.view);
  }

  std::map<StatementPlace, std::uint64_t> said_;
  std::map<std::pair<NodeId, SegmentId>, View> left_;
};

/// Write-ahead: what a correct node sends, or counts as its own vote, was on its disk before. Once
/// one decides, enough correct disks hold a certificate, or a stable checkpoint past it.
class WriteAhead {
 public:
  using Message = IssMessage<PbftMessage>;

  explicit WriteAhead(Quorum quorum) : quorum_(quorum) {}

  void durable(NodeId node, const Record& record, Findings&) {
    take<EpochEntry>(record, [&](const EpochEntry& entry) {
      epochs_.insert({node, entry.epoch});
    });
    take<VoteEntry>(record, [&](const VoteEntry& entry) {
      const PrepareContent& vote = entry.content;
      hold(node, Statement::prepare, vote.segment, vote.view, vote.sn, vote.digest);
    });
    take<PreparedEntry>(record, [&](const PreparedEntry& entry) {
      const Certificate& held = entry.certificate;
      hold(node, Statement::commit, entry.segment, held.view, held.sn, held.digest);
      certified_[{held.sn, held.digest}].insert(node);
    });
    take<ViewChangeEntry>(record, [&](const ViewChangeEntry& entry) {
      hold(node, Statement::view_change, entry.message.segment, entry.message.view, {}, {});
    });
    take<NewViewEntry>(record, [&](const NewViewEntry& entry) {
      hold(node, Statement::new_view, entry.message.segment, entry.message.view, {}, {});
    });
    take<CheckpointEntry>(record, [&](const CheckpointEntry& entry) {
      hold(node, Statement::checkpoint, {entry.header.epoch, 0}, {}, entry.header.last, {});
    });
    take<StableEntry>(record, [&](const StableEntry& entry) {
      stable_ = std::max(stable_, entry.header.last + 1);
    });
  }
  void wiped(NodeId node) {
    std::erase_if(epochs_, [&](const auto& one) { return one.first == node; });
    std::erase_if(records_, [&](const auto& one) { return one.first.node == node; });
    for (auto& [slot, holders] : certified_) holders.erase(node);
  }

  void event(NodeId node, const SendMessage<Message>& send, Findings& findings) {
    check(node, send.message, "sends", findings);
  }
  void event(NodeId node, const MessageReceived<Message>& received, Findings& findings) {
    if (received.from == node) check(node, received.message, "counts", findings);
  }

  void event(NodeId node, const WalAppend<DecidedEntry>& append, Findings& findings) {
    const DecidedEntry& entry = append.entry;
    if (entry.sn < stable_) return;
    const std::size_t holders = certified_[{entry.sn, entry.digest}].size();
    if (holders < quorum_.strong() - quorum_.faulty())
      findings.report("certificates", node, entry.sn,
                      "is decided, and only " + std::to_string(holders) +
                          " correct disks hold a certificate for its digest");
  }

 private:
  template <class Entry, class Use>
  static void take(const Record& record, Use&& use) {
    if (record.type != WalAppend<Entry>::number) return;
    if (const auto entry = wire::decode<Entry>(record.entry, wire::Form::lenient)) use(*entry);
  }

  void hold(NodeId node, Statement kind, SegmentId segment, View view, SeqNr sn,
            const Digest& digest) {
    records_[{node, kind, segment, view, sn}] = digest;
  }

  void check(NodeId node, const Message& message, std::string_view does, Findings& findings) {
    const auto* ordering = std::get_if<PbftMessage>(&message);
    if (const auto* vote = std::get_if<CheckpointVote>(&message))
      return require({node, Statement::checkpoint, {vote->header.epoch, 0}, {}, vote->header.last},
                     std::nullopt, does, findings);
    if (!ordering) return;
    visit_alternative(*ordering, [&](const auto& one) { check(node, one, does, findings); });
  }
  void check(NodeId node, const PrePrepare& one, std::string_view does, Findings& findings) {
    require({node, Statement::prepare, one.segment, View(0), one.sn}, std::nullopt, does, findings);
  }
  void check(NodeId node, const Prepare& one, std::string_view does, Findings& findings) {
    require({node, Statement::prepare, one.segment, one.view, one.sn}, one.digest, does, findings);
  }
  void check(NodeId node, const Commit& one, std::string_view does, Findings& findings) {
    require({node, Statement::commit, one.segment, one.view, one.sn}, one.digest, does, findings);
  }
  void check(NodeId node, const ViewChange& one, std::string_view does, Findings& findings) {
    require({node, Statement::view_change, one.segment, one.view, {}}, std::nullopt, does,
            findings);
  }
  void check(NodeId node, const NewView& one, std::string_view does, Findings& findings) {
    require({node, Statement::new_view, one.segment, one.view, {}}, std::nullopt, does, findings);
  }

  void require(const StatementPlace& place, const std::optional<Digest>& digest,
               std::string_view does, Findings& findings) const {
    const auto record = records_.find(place);
    const auto wrong = [&](const std::string& what) {
      findings.report("write-ahead", place.node, place.sn,
                      std::string(does) + " what needs the record of its " + to_string(place) +
                          ": " + what);
    };
    if (record == records_.end()) return wrong("that is not on its disk");
    if (digest && record->second != *digest) return wrong("that is of another digest on its disk");
    if (!epochs_.contains({place.node, place.segment.epoch}))
      wrong("that the epoch was entered is not on its disk");
  }

  Quorum quorum_;
  std::map<StatementPlace, Digest> records_;
  std::set<std::pair<NodeId, Epoch>> epochs_;
  std::map<std::pair<SeqNr, Digest>, std::set<NodeId>> certified_;
  /// What lies before is covered by a stable checkpoint.
  SeqNr stable_;
};

/// Decisions agree: correct nodes decide one digest for a sequence number.
class DecisionsAgree {
 public:
  void event(NodeId node, const WalAppend<DecidedEntry>& append, Findings& findings) {
    const DecidedEntry& entry = append.entry;
    const auto [place, is_first] = digests_.try_emplace(entry.sn, entry.digest);
    if (!is_first && place->second != entry.digest)
      findings.report("decisions agree", node, entry.sn,
                      "decides another digest than a correct node before it");
  }

 private:
  std::map<SeqNr, Digest> digests_;
};

}  // namespace mirbft::sim

#endif

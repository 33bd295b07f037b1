// What replicas of ISS with PBFT bind themselves to by what they send.
#ifndef MIRBFT_SIM_STATEMENT_HPP
#define MIRBFT_SIM_STATEMENT_HPP

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include <mirbft/protocol/iss/messages.hpp>
#include <mirbft/protocol/orderers/pbft_messages.hpp>
#include <mirbft/sim/fingerprint.hpp>
#include <mirbft/types/id.hpp>
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
  SegmentId segment;
  Statement kind = Statement::prepare;
  View view;
  SeqNr sn;

  friend auto operator<=>(const StatementPlace&, const StatementPlace&) = default;
};

/// Names a statement in findings.
inline std::string to_string(const StatementPlace& place) {
  return std::string(to_string(place.kind)) + " of segment " + std::to_string(place.segment.index) +
         " of epoch " + std::to_string(place.segment.epoch.value) + ", view " +
         std::to_string(place.view.value);
}

/// A statement: its place, and a hash of its content.
struct Said {
  StatementPlace place;
  std::uint64_t content = 0;
};

/// Hashes of what is said.
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
inline std::uint64_t content_of(const NewView& message) {
  Fingerprint content;
  content.add(wire::encode(message).view());
  return content.value();
}
inline std::uint64_t content_of(const CheckpointHeader& header) {
  Fingerprint content;
  content.add(wire::encode(header).view());
  return content.value();
}

inline Said said(const PrePrepare& one) {
  return {{one.segment, Statement::proposal, {}, one.sn}, content_of(one.batch)};
}
inline Said said(const Prepare& one) {
  return {{one.segment, Statement::prepare, one.view, one.sn}, content_of(one.digest)};
}
inline Said said(const Commit& one) {
  return {{one.segment, Statement::commit, one.view, one.sn}, content_of(one.digest)};
}
inline Said said(const ViewChange& one) {
  return {{one.segment, Statement::view_change, one.view, {}}, content_of(one.claims)};
}
inline Said said(const NewView& one) {
  return {{one.segment, Statement::new_view, one.view, {}}, content_of(one)};
}
inline Said said(const Done& one) {
  return {{one.segment, Statement::done, {}, {}}, content_of(one.digests)};
}
inline Said said(const CheckpointVote& one) {
  return {{{one.header.epoch, 0}, Statement::checkpoint, {}, one.header.last},
          content_of(one.header)};
}

/// What a message says; none of one that binds nobody.
inline std::optional<Said> statement_of(const IssMessage<PbftMessage>& message) {
  std::optional<Said> statement;
  const auto find = [&](const auto& one) {
    if constexpr (requires { said(one); }) statement = said(one);
  };
  if (const auto* ordering = std::get_if<PbftMessage>(&message)) {
    visit_alternative(*ordering, find);
  } else {
    visit_alternative(message, find);
  }
  return statement;
}

/// The statements of one node, without those of epochs that it has truncated: it says nothing of
/// them any more, but for what is on its way out.
class Statements {
 public:
  /// Whether nothing is known of an epoch any more.
  bool has_forgotten(Epoch epoch) const noexcept { return epoch < first_; }
  void forget_before(Epoch first) {
    first_ = std::max(first_, first);
    segments_.erase(segments_.begin(), segments_.lower_bound({first_, 0}));
  }

  /// Notes a statement; returns the content that stands at its place from now on, which is the
  /// first one.
  std::uint64_t keep(const Said& one) {
    if (has_forgotten(one.place.segment.epoch)) return one.content;
    return segments_[one.place.segment].try_emplace(key(one.place), one.content).first->second;
  }
  /// The same, and the newest one stands.
  void replace(const Said& one) {
    if (!has_forgotten(one.place.segment.epoch))
      segments_[one.place.segment].insert_or_assign(key(one.place), one.content);
  }
  std::optional<std::uint64_t> at(const StatementPlace& place) const {
    const auto segment = segments_.find(place.segment);
    if (segment == segments_.end()) return std::nullopt;
    const auto found = segment->second.find(key(place));
    return found == segment->second.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  /// Sequence number, view and kind.
  using Key = std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>;

  static Key key(const StatementPlace& place) noexcept {
    return {place.sn.value, place.view.value, static_cast<std::uint64_t>(place.kind)};
  }

  std::map<SegmentId, std::map<Key, std::uint64_t>> segments_;
  Epoch first_;
};

}  // namespace mirbft::sim

#endif

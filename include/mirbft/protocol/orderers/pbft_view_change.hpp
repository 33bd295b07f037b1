// View changes of a PBFT segment: which messages are well formed, and what follows from them.
#ifndef MIRBFT_PROTOCOL_ORDERERS_PBFT_VIEW_CHANGE_HPP
#define MIRBFT_PROTOCOL_ORDERERS_PBFT_VIEW_CHANGE_HPP

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <mirbft/events/crypto.hpp>
#include <mirbft/protocol/iss/cluster.hpp>
#include <mirbft/protocol/iss/rules.hpp>
#include <mirbft/protocol/orderers/pbft_messages.hpp>
#include <mirbft/protocol/orderers/pbft_slot.hpp>
#include <mirbft/wire/canonical.hpp>

namespace mirbft::pbft {

// What is signed.

inline Bytes signed_bytes(const iss::Cluster& cluster, const PrepareContent& content) {
  return wire::canonical("prepare", cluster.name().view(), content);
}
inline ViewChangeContent content_of(const ViewChange& message) {
  return {message.segment, message.view, message.sender, message.claims};
}
inline Bytes signed_bytes(const iss::Cluster& cluster, const ViewChange& message) {
  return wire::canonical("view change", cluster.name().view(), content_of(message));
}
inline Bytes signed_bytes(const iss::Cluster& cluster, const NewView& message) {
  const NewViewContent content{message.segment, message.view, message.view_changes,
                               message.certificates};
  return wire::canonical("new view", cluster.name().view(), content);
}

// What is well formed. Cheap, and before any signature is checked.

/// Exactly a strong quorum of distinct members has signed.
template <class Rules = iss::Rules>
bool is_well_formed(const Certificate& certificate, const iss::Cluster& cluster,
                    const Rules& rules = {}) {
  const auto& signatures = certificate.signatures;
  if (signatures.size() != rules.prepares(cluster.quorum())) return false;
  for (std::size_t i = 0; i < signatures.size(); ++i)
    if (!cluster.find(signatures[i].node) ||
        (i != 0 && signatures[i - 1].node >= signatures[i].node))
      return false;
  return true;
}

/// Each claim is of another slot of the segment, and of a view before the one that is called for.
inline bool are_well_formed(const std::vector<PreparedClaim>& claims, View before,
                            const SlotRange& slots) {
  for (std::size_t i = 0; i < claims.size(); ++i)
    if (!slots.place_of(claims[i].sn) || claims[i].view >= before ||
        (i != 0 && claims[i - 1].sn >= claims[i].sn))
      return false;
  return true;
}

inline bool proves(const Certificate& certificate, const PreparedClaim& claim) {
  return certificate.view == claim.view && certificate.sn == claim.sn &&
         certificate.digest == claim.digest;
}

/// A ViewChange as its sender sends it: with the certificate of each claim.
template <class Rules = iss::Rules>
bool is_well_formed(const ViewChange& message, const SlotRange& slots, const iss::Cluster& cluster,
                    const Rules& rules = {}) {
  if (message.view == View(0) || !are_well_formed(message.claims, message.view, slots) ||
      message.certificates.size() != message.claims.size())
    return false;
  for (std::size_t i = 0; i < message.claims.size(); ++i)
    if (!proves(message.certificates[i], message.claims[i]) ||
        !is_well_formed(message.certificates[i], cluster, rules))
      return false;
  return true;
}

/// What a set of ViewChanges leads to: of each slot that is claimed, the claim of the highest view;
/// every other slot is given up. None if two claims contradict one another there. A function of
/// the set alone, so that the primary and its followers cannot differ.
template <class Rules = iss::Rules>
std::optional<std::vector<PreparedClaim>> outcome(const std::vector<ViewChange>& changes,
                                                  const Rules& rules = {}) {
  std::map<SeqNr, PreparedClaim> highest;
  bool contradiction = false;
  for (const ViewChange& change : changes)
    for (const PreparedClaim& claim : change.claims) {
      PreparedClaim& known = highest.try_emplace(claim.sn, claim).first->second;
      if (rules.supersedes(claim.view, known.view)) known = claim;
    }
  for (const ViewChange& change : changes)
    for (const PreparedClaim& claim : change.claims) {
      const PreparedClaim& chosen = highest.at(claim.sn);
      contradiction |= claim.view == chosen.view && claim.digest != chosen.digest;
    }
  if (contradiction) return std::nullopt;
  std::vector<PreparedClaim> claims;
  for (const auto& [sn, claim] : highest) claims.push_back(claim);
  return claims;
}

template <class Rules = iss::Rules>
bool is_well_formed(const NewView& message, const SlotRange& slots, const iss::Cluster& cluster,
                    const Rules& rules = {}) {
  const auto& changes = message.view_changes;
  if (message.view == View(0) || changes.size() != rules.view_changes(cluster.quorum()))
    return false;
  for (std::size_t i = 0; i < changes.size(); ++i)
    if (changes[i].segment != message.segment ||
        !rules.counts_for(changes[i].view, message.view) ||
        !cluster.find(changes[i].sender) || !changes[i].certificates.empty() ||
        (i != 0 && changes[i - 1].sender >= changes[i].sender) ||
        !are_well_formed(changes[i].claims, message.view, slots))
      return false;
  const auto claims = outcome(changes, rules);
  if (!claims || claims->size() != message.certificates.size()) return false;
  for (std::size_t i = 0; i < claims->size(); ++i)
    if (!proves(message.certificates[i], (*claims)[i]) ||
        !is_well_formed(message.certificates[i], cluster, rules))
      return false;
  return true;
}

// What has to be verified.

inline void add_signatures(std::vector<NodeSignature>& list, SegmentId segment,
                           const Certificate& certificate, const iss::Cluster& cluster) {
  const PrepareContent content{segment, certificate.view, certificate.sn, certificate.digest};
  const Bytes message = signed_bytes(cluster, content);
  for (const CertificateSignature& one : certificate.signatures)
    list.push_back({one.node, message, one.signature});
}
inline std::vector<NodeSignature> signatures_of(const ViewChange& change,
                                                const iss::Cluster& cluster) {
  std::vector<NodeSignature> list{
      {change.sender, signed_bytes(cluster, change), change.signature}};
  for (const Certificate& certificate : change.certificates)
    add_signatures(list, change.segment, certificate, cluster);
  return list;
}
inline std::vector<NodeSignature> signatures_of(const NewView& message, NodeId primary,
                                                const iss::Cluster& cluster) {
  std::vector<NodeSignature> list{{primary, signed_bytes(cluster, message), message.signature}};
  for (const ViewChange& change : message.view_changes)
    list.push_back({change.sender, signed_bytes(cluster, change), change.signature});
  for (const Certificate& certificate : message.certificates)
    add_signatures(list, message.segment, certificate, cluster);
  return list;
}

/// The ViewChanges of a segment: of each member that of the highest view.
class ViewChanges {
 public:
  void make_room(std::size_t members) {
    if (of_.empty()) of_.resize(members);
  }
  void clear() { of_ = {}; }

  /// Keeps a message whose signatures are yet to be checked. False when it is not news.
  bool keep(std::size_t member, ViewChange message) {
    One& one = of_[member];
    if (message.view <= one.view) return false;
    one = {message.view, std::move(message), false};
    return true;
  }
  /// The message that `mark` names, if it is still the newest of its sender.
  void checked(std::size_t member, View view, bool valid) {
    if (member >= of_.size() || of_[member].view != view) return;
    of_[member].is_valid = valid;
  }

  /// The highest view that at least `count` members call for, or a later one.
  View called_for_by(std::size_t count) const {
    std::vector<View> views;
    for (const One& one : of_) views.push_back(one.view);
    if (views.size() < count) return View(0);
    const auto nth = views.begin() + static_cast<std::ptrdiff_t>(count - 1);
    std::nth_element(views.begin(), nth, views.end(), std::greater<>());
    return *nth;
  }

  /// The NewView of `view`, unsigned, once a strong quorum calls for exactly that view.
  template <class Rules = iss::Rules>
  std::optional<NewView> new_view(SegmentId segment, View view, Quorum members,
                                  const Rules& rules = {}) const {
    const std::size_t quorum = rules.view_changes(members);
    NewView made{segment, view, {}, {}, {}};
    std::vector<const ViewChange*> chosen;
    for (const One& one : of_)
      if (one.is_valid && rules.counts_for(one.view, view) && chosen.size() < quorum)
        chosen.push_back(&one.message);
    if (chosen.size() < quorum) return std::nullopt;
    for (const ViewChange* change : chosen) {
      made.view_changes.push_back(*change);
      made.view_changes.back().certificates.clear();
    }
    const auto claims = outcome(made.view_changes, rules);
    if (!claims) return std::nullopt;
    for (const PreparedClaim& claim : *claims)
      made.certificates.push_back(certificate_of(claim, chosen));
    return made;
  }

 private:
  struct One {
    View view;
    ViewChange message;
    bool is_valid = false;
  };

  static Certificate certificate_of(const PreparedClaim& claim,
                                    const std::vector<const ViewChange*>& changes) {
    for (const ViewChange* change : changes)
      for (const Certificate& certificate : change->certificates)
        if (proves(certificate, claim)) return certificate;
    return {};
  }

  std::vector<One> of_;
};

}  // namespace mirbft::pbft

#endif

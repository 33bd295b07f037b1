// Replicas that lie in view changes: about what they hold certificates for, and as primaries.
#ifndef MIRBFT_SIM_ADVERSARY_CERTIFICATES_HPP
#define MIRBFT_SIM_ADVERSARY_CERTIFICATES_HPP

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include <mirbft/sim/adversary/behaviour.hpp>

namespace mirbft::sim::byzantine {

/// Claims in view changes to hold no certificates.
class WithheldCertificates : public Behaviour {
 public:
  using Behaviour::Behaviour;

  void send(Letter letter, Letters& out) override {
    if (auto* change = as<ViewChange>(letter.message); change && !change->claims.empty()) {
      count();
      change->claims.clear();
      change->certificates.clear();
      powers().sign(*change);
    }
    out.push_back(std::move(letter));
  }
};

/// Claims certificates for what nobody has voted for: its own signature, and those that others have
/// made under something else. As a primary it begins a view by them.
class ForgedCertificates : public Behaviour {
 public:
  using Behaviour::Behaviour;

  void send(Letter letter, Letters& out) override {
    if (auto* change = as<ViewChange>(letter.message)) forge(*change);
    if (auto* message = as<NewView>(letter.message)) forge(*message);
    out.push_back(std::move(letter));
  }
  void hear(NodeId from, const Message& message, Letters&) override {
    if (const auto* vote = as<Prepare>(message))
      signatures_[vote->segment][vote->sn][from] = vote->signature;
  }

 private:
  void forge(ViewChange& change) {
    change.claims.clear();
    change.certificates.clear();
    for (const auto& [sn, signatures] : signatures_[change.segment]) {
      change.certificates.push_back(forged(change.segment, View(change.view.value - 1), sn));
      const Certificate& made = change.certificates.back();
      change.claims.push_back({made.view, made.sn, made.digest});
    }
    if (!change.claims.empty()) count();
    powers().sign(change);
  }
  /// Its own ViewChange among those that it begins the view by is exchanged for a forged one, and
  /// with it the certificates, since its claims are of the highest view.
  void forge(NewView& message) {
    for (ViewChange& change : message.view_changes) {
      if (change.sender != self()) continue;
      forge(change);
      for (const Certificate& made : std::exchange(change.certificates, {})) put(message, made);
      powers().sign(message);
    }
  }
  static void put(NewView& message, const Certificate& made) {
    std::erase_if(message.certificates, [&](const auto& one) { return one.sn == made.sn; });
    const auto later = [&](const Certificate& one) { return one.sn > made.sn; };
    const auto place = std::ranges::find_if(message.certificates, later);
    message.certificates.insert(place, made);
  }
  Certificate forged(SegmentId segment, View view, SeqNr sn) {
    Certificate made{view, sn, powers().made_up_digest(), {}};
    const std::map<NodeId, Bytes>& heard = signatures_[segment][sn];
    for (const NodeId node : powers().cluster().members()) {
      if (made.signatures.size() == powers().cluster().quorum().strong()) break;
      const auto other = heard.find(node);
      made.signatures.push_back({node, other == heard.end() ? Bytes() : other->second});
      if (node == self())
        powers().sign(segment, view, sn, made.digest, made.signatures.back().signature);
    }
    return made;
  }

  /// Of others' Prepares, whatever they are for.
  std::map<SegmentId, std::map<SeqNr, std::map<NodeId, Bytes>>> signatures_;
};

/// A primary that begins its view for some replicas as if it held no certificates itself, so that
/// the view may have two outcomes, both well proven.
class EquivocatingPrimary : public Behaviour {
 public:
  using Behaviour::Behaviour;

  void send(Letter letter, Letters& out) override {
    if (auto* message = as<NewView>(letter.message))
      if (powers().coin(message->segment.epoch.value, letter.to.value)) change_outcome(*message);
    out.push_back(std::move(letter));
  }

 private:
  /// Its own ViewChange gives way to one without claims; or that takes the place of another's.
  void change_outcome(NewView& message) {
    const auto& changes = message.view_changes;
    const bool among = std::ranges::find(changes, self(), &ViewChange::sender) != changes.end();
    for (std::size_t i = 0; i < changes.size(); ++i) {
      if (among && changes[i].sender != self()) continue;
      NewView other = message;
      other.view_changes[i] = {message.segment, message.view, self(), {}, {}, {}};
      powers().sign(other.view_changes[i]);
      std::ranges::sort(other.view_changes, {}, &ViewChange::sender);
      if (!keep_what_is_claimed(other) ||
          other.certificates.size() == message.certificates.size())
        continue;
      count();
      powers().sign(other);
      message = std::move(other);
      return;
    }
  }
  /// False if a certificate is missing: a claim of an earlier view has come to light.
  static bool keep_what_is_claimed(NewView& message) {
    const auto claims = pbft::outcome(message.view_changes);
    if (!claims) return false;
    std::erase_if(message.certificates, [&](const Certificate& one) {
      return std::ranges::none_of(
          *claims, [&](const PreparedClaim& claim) { return pbft::proves(one, claim); });
    });
    return message.certificates.size() == claims->size();
  }
};

}  // namespace mirbft::sim::byzantine

#endif

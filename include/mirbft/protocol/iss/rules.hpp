// The decisions on which safety and liveness rest, one small function each.
#ifndef MIRBFT_PROTOCOL_ISS_RULES_HPP
#define MIRBFT_PROTOCOL_ISS_RULES_HPP

#include <cstddef>

#include <mirbft/types/digest.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/quorum.hpp>
#include <mirbft/types/request.hpp>

namespace mirbft::iss {

/// What `Iss` and `Pbft` decide by. Nobody has a reason to use others in earnest: this is a policy
/// so that `sim/zoo/` can break one rule at a time, and show that the simulator would notice.
struct Rules {
  // How many are enough.

  /// Prepares that make a certificate.
  std::size_t prepares(Quorum quorum) const noexcept { return quorum.strong(); }
  /// Commits that decide a slot.
  std::size_t commits(Quorum quorum) const noexcept { return quorum.strong(); }
  /// ViewChanges that make a NewView.
  std::size_t view_changes(Quorum quorum) const noexcept { return quorum.strong(); }
  /// ViewChanges for a view that make a replica call for it too.
  std::size_t callers(Quorum quorum) const noexcept { return quorum.weak(); }

  // Changing views.

  /// Whether a replica that votes in `view` and has called for `target` may make a certificate.
  bool may_prepare(View view, View target) const noexcept { return target <= view; }
  /// Whether a ViewChange must claim a slot that this digest was prepared for.
  bool must_claim(const Digest&) const noexcept { return true; }
  /// Whether a claim of a later view takes the place of one that is known.
  bool supersedes(View claim, View known) const noexcept { return claim > known; }
  /// Whether a ViewChange to `view` counts for a NewView of `wanted`.
  bool counts_for(View view, View wanted) const noexcept { return view == wanted; }

  // Requests.

  /// Whether a request may be proposed for `sn`: it is not in any other batch.
  bool claim(auto& clients, SeqNr sn, const RequestRef& request) const {
    return clients.claim(sn, request.client, request.req_no);
  }
  /// Whether a request that was delivered may be proposed again.
  bool may_propose(auto& clients, const RequestRef& request) const {
    return !clients.is_delivered(request.client, request.req_no);
  }
  /// What becomes of the requests of own batches that were given up on.
  void put_back(auto& batches, auto& buckets, auto& clients) const {
    batches.put_back(buckets, clients);
  }
};

}  // namespace mirbft::iss

#endif

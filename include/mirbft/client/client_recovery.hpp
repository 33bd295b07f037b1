// How a client that has lost its memory learns which number comes next.
#ifndef MIRBFT_CLIENT_CLIENT_RECOVERY_HPP
#define MIRBFT_CLIENT_CLIENT_RECOVERY_HPP

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <mirbft/events/node.hpp>
#include <mirbft/types/client_position.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/outcome.hpp>
#include <mirbft/types/quorum.hpp>
#include <mirbft/types/request.hpp>
#include <mirbft/wire/codec.hpp>

namespace mirbft {

/// Asks the replicas where a client stands: send `probe()` to all, hand in the answers, ask again
/// those that are silent. What comes out once a strong quorum has answered is not what f liars
/// want: of each number it is the w-th highest, so that a correct replica says as much, and w
/// correct ones that say more are not outvoted.
///
/// Go on with `next`. Numbers from `low` up to there may be lost on their way, and would hold up
/// the window for good: submit an empty request under each. Those that are delivered already, or
/// still on their way, are answered as such.
///
/// A number that reached fewer than w correct replicas may be taken a second time. Then either
/// request is delivered, and the same one everywhere.
class ClientRecovery {
 public:
  ClientRecovery(ClientId client, std::vector<NodeId> replicas)
      : client_(client), replicas_(std::move(replicas)), quorum_(replicas_.size()) {}

  /// Needs no signature: it is never ordered.
  Request probe() const { return {client_, never_valid, {}, {}}; }

  /// A replica has answered the probe; its newest answer counts. Where the client stands, once
  /// enough have answered.
  std::optional<ClientPosition> replied(NodeId from, const Replied& reply) {
    if (reply.client != client_ || reply.req_no != never_valid ||
        reply.outcome != Outcome::rejected_window ||
        std::find(replicas_.begin(), replicas_.end(), from) == replicas_.end())
      return std::nullopt;
    const auto position = wire::decode<ClientPosition>(reply.result, wire::Form::canonical);
    if (!position || position->next < position->low) return std::nullopt;
    said_.insert_or_assign(from, *position);
    if (said_.size() < quorum_.strong()) return std::nullopt;
    return ClientPosition{vouched(&ClientPosition::low), vouched(&ClientPosition::next)};
  }

 private:
  /// The w-th highest of what was said.
  ReqNo vouched(ReqNo ClientPosition::*which) const {
    std::vector<ReqNo> all;
    for (const auto& [replica, position] : said_) all.push_back(position.*which);
    std::sort(all.begin(), all.end(), std::greater<>());
    return all[quorum_.weak() - 1];
  }

  ClientId client_;
  std::vector<NodeId> replicas_;
  Quorum quorum_;
  std::map<NodeId, ClientPosition> said_;
};

}  // namespace mirbft

#endif

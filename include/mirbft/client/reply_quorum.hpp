// What a remote client believes: results on which enough replicas agree.
#ifndef MIRBFT_CLIENT_REPLY_QUORUM_HPP
#define MIRBFT_CLIENT_REPLY_QUORUM_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/events/node.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/outcome.hpp>
#include <mirbft/types/quorum.hpp>

namespace mirbft {

/// A request that is certainly delivered.
struct ClientResult {
  ReqNo req_no;
  /// None if no replica remembers it any longer, which happens to requests that are repeated late.
  std::optional<Bytes> result;

  friend bool operator==(const ClientResult&, const ClientResult&) = default;
};

/// What a `ReplyQuorum` has seen.
struct ReplyQuorumStatus {
  /// Requests that wait for their result now.
  std::uint64_t open = 0;
  std::uint64_t believed = 0;
  /// Answers that differ from what is believed, or from what their replica said before.
  std::uint64_t conflicting = 0;
  /// Answers of strangers, for other clients, or to numbers that do not wait.
  std::uint64_t unasked = 0;
  /// Answers that refuse a request: ask again, or look at why.
  std::uint64_t refused = 0;
};

/// Gathers the replicas' answers to one client's requests, however they come, and believes a
/// result once w replicas say the same: one of them does not lie (protocol, section 2). Replicas
/// may send the whole result or only its hash, as long as one sends the whole.
///
/// Who answered is the transport's word: it must know the replicas' channels apart. Memory is
/// bounded by the numbers that are expected and one answer of each replica. One thread at a time.
template <class Hasher>
class ReplyQuorum {
 public:
  ReplyQuorum(ClientId client, std::vector<NodeId> replicas, Hasher hasher = {})
      : client_(client),
        replicas_(std::move(replicas)),
        quorum_(replicas_.size()),
        hasher_(std::move(hasher)) {}

  /// Answers to this number count from now on, until one is believed.
  void expect(ReqNo number) { open_[number].said.resize(replicas_.size()); }
  /// Nobody waits for this number any more.
  void forget(ReqNo number) { open_.erase(number); }

  /// A replica has answered. The result, once enough say the same.
  std::optional<ClientResult> replied(NodeId from, const Replied& reply) {
    switch (reply.outcome) {
      case Outcome::delivered: break;
      case Outcome::already_delivered:
        return vouched(from, reply.client, reply.req_no, forgotten);
      default: ++status_.refused; return std::nullopt;
    }
    hasher_.update(reply.result.view());
    return said(from, reply.client, reply.req_no, hasher_.finish(), &reply.result);
  }
  /// A replica has answered with the hash of the result alone.
  std::optional<ClientResult> vouched(NodeId from, ClientId client, ReqNo number,
                                      const Digest& digest) {
    return said(from, client, number, digest, nullptr);
  }

  ReplyQuorumStatus status() const noexcept {
    ReplyQuorumStatus now = status_;
    now.open = open_.size();
    return now;
  }

 private:
  /// Stands for the hash of a result that a replica does not remember.
  static constexpr Digest forgotten{};

  struct Open {
    std::vector<std::optional<Digest>> said;
    std::map<Digest, Bytes> results;
  };

  std::optional<ClientResult> said(NodeId from, ClientId client, ReqNo number,
                                   const Digest& digest, const Bytes* result) {
    const auto open = client == client_ ? open_.find(number) : open_.end();
    const auto replica = std::find(replicas_.begin(), replicas_.end(), from);
    if (open == open_.end() || replica == replicas_.end()) {
      ++status_.unasked;
      return std::nullopt;
    }
    auto& before = open->second.said[static_cast<std::size_t>(replica - replicas_.begin())];
    if (before && *before != forgotten && *before != digest) {
      ++status_.conflicting;
      return std::nullopt;
    }
    const bool repeated = before == digest;
    before = digest;
    if (result) open->second.results.try_emplace(digest, *result);
    if (is_believed(open->second, digest)) return close(number, digest);
    if (repeated && has_lost_its_result(open->second)) return close(number, forgotten);
    return std::nullopt;
  }

  std::size_t count(const Open& open, const Digest& digest) const {
    return static_cast<std::size_t>(
        std::count(open.said.begin(), open.said.end(), std::optional(digest)));
  }
  /// What is forgotten is believed only when too few are left for a result.
  bool is_believed(const Open& open, const Digest& digest) const {
    if (digest == forgotten) return count(open, forgotten) + quorum_.weak() > replicas_.size();
    return count(open, digest) >= quorum_.weak() && open.results.contains(digest);
  }
  /// All but f have answered, and have been asked again, and those who remember are too few, or
  /// liars: whoever has said nothing by now may never do. One correct replica at least has said
  /// that the request is delivered.
  bool has_lost_its_result(const Open& open) const {
    const auto silent = static_cast<std::size_t>(
        std::count(open.said.begin(), open.said.end(), std::nullopt));
    return count(open, forgotten) >= quorum_.weak() && silent <= quorum_.faulty();
  }

  std::optional<ClientResult> close(ReqNo number, const Digest& digest) {
    const auto open = open_.find(number);
    ClientResult known{number, std::nullopt};
    if (digest != forgotten) {
      known.result = open->second.results.at(digest);
      for (const std::optional<Digest>& other : open->second.said)
        status_.conflicting += other && *other != digest && *other != forgotten;
    }
    ++status_.believed;
    open_.erase(open);
    return known;
  }

  ClientId client_;
  std::vector<NodeId> replicas_;
  Quorum quorum_;
  Hasher hasher_;
  std::map<ReqNo, Open> open_;
  ReplyQuorumStatus status_;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::ReplyQuorumStatus, open, believed, conflicting, unasked, refused);

#endif

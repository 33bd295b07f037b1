// What a remote client believes: results on which enough replicas agree.
#ifndef MIRBFT_CLIENT_REPLY_QUORUM_HPP
#define MIRBFT_CLIENT_REPLY_QUORUM_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/events/node.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/number_map.hpp>
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
  /// Bytes of results that are not believed yet.
  std::uint64_t kept_bytes = 0;
};

/// Gathers the replicas' answers to one client's requests, however they come, and believes a
/// result once w replicas say the same: one of them does not lie (protocol, section 2). Replicas
/// may send the whole result or only its hash, as long as one sends the whole.
///
/// Who answered is the transport's word: it must know the replicas' channels apart. Memory is
/// bounded: of each replica's answers the hashes are kept, one of each number, and whole results
/// up to `most_kept`, which a liar can fill with lies. Then a result is believed when its last
/// voucher sends the whole; who has sent the hash alone, is to be asked for it.
///
/// One thread at a time.
template <class Hasher>
class ReplyQuorum {
 public:
  /// The bytes of whole results that are kept of one replica.
  static constexpr std::uint64_t most_kept = std::uint64_t{4} << 20;

  ReplyQuorum(ClientId client, std::vector<NodeId> replicas, Hasher hasher = {})
      : client_(client),
        replicas_(std::move(replicas)),
        quorum_(replicas_.size()),
        hasher_(std::move(hasher)),
        kept_(replicas_.size()) {}

  /// Answers to this number count from now on, until one is believed.
  void expect(ReqNo number) { open_[number.value].said.resize(replicas_.size()); }
  /// Nobody waits for this number any more.
  void forget(ReqNo number) {
    if (const std::optional<Open> open = open_.take(number.value)) drop(open->results);
  }

  /// A replica has answered. The result, once enough say the same.
  std::optional<ClientResult> replied(NodeId from, const Replied& reply) {
    switch (reply.outcome) {
      case Outcome::delivered: break;
      case Outcome::already_delivered:
        return vouched(from, reply.client, reply.req_no, forgotten);
      default: ++status_.refused; return std::nullopt;
    }
    return said(from, reply.client, reply.req_no, digest_of(reply), &reply.result);
  }
  /// A replica has answered with the hash of the result alone.
  std::optional<ClientResult> vouched(NodeId from, ClientId client, ReqNo number,
                                      const Digest& digest) {
    return said(from, client, number, digest, nullptr);
  }

  ReplyQuorumStatus status() const noexcept {
    ReplyQuorumStatus now = status_;
    now.open = open_.size();
    now.kept_bytes = std::accumulate(kept_.begin(), kept_.end(), std::uint64_t{0});
    return now;
  }

 private:
  /// Stands for the hash of a result that a replica does not remember.
  static constexpr Digest forgotten{};

  /// A whole result, and the place of the replica that has sent it.
  struct Kept {
    Digest digest;
    Bytes result;
    std::size_t by = 0;
  };
  struct Open {
    std::vector<std::optional<Digest>> said;
    std::vector<Kept> results;  // mostly one, at most one of each replica
  };

  /// What is kept already needs no hashing.
  Digest digest_of(const Replied& reply) {
    if (const Open* const open = open_.find(reply.req_no.value))
      for (const Kept& kept : open->results)
        if (kept.result == reply.result) return kept.digest;
    hasher_.update(reply.result.view());
    return hasher_.finish();
  }

  std::optional<ClientResult> said(NodeId from, ClientId client, ReqNo number,
                                   const Digest& digest, const Bytes* result) {
    Open* const open = client == client_ ? open_.find(number.value) : nullptr;
    const auto replica = std::find(replicas_.begin(), replicas_.end(), from);
    if (!open || replica == replicas_.end()) {
      ++status_.unasked;
      return std::nullopt;
    }
    const auto place = static_cast<std::size_t>(replica - replicas_.begin());
    auto& before = open->said[place];
    if (before && *before != forgotten && *before != digest) {
      ++status_.conflicting;
      return std::nullopt;
    }
    const bool repeated = before == digest;
    before = digest;
    if (digest == forgotten) {
      if (are_too_few_left(*open)) return close(number, forgotten, {});
    } else if (count(*open, digest) >= quorum_.weak()) {
      if (!result) result = kept(*open, digest);
      if (result) return close(number, digest, *result);
    }
    if (repeated && has_lost_its_result(*open)) return close(number, forgotten, {});
    if (result && !kept(*open, digest)) keep(*open, {digest, *result, place});
    return std::nullopt;
  }

  std::size_t count(const Open& open, const Digest& digest) const {
    return static_cast<std::size_t>(
        std::count(open.said.begin(), open.said.end(), std::optional(digest)));
  }
  static const Bytes* kept(const Open& open, const Digest& digest) {
    const auto found = std::find_if(open.results.begin(), open.results.end(),
                                    [&](const Kept& kept) { return kept.digest == digest; });
    return found == open.results.end() ? nullptr : &found->result;
  }
  void keep(Open& open, Kept kept) {
    const std::uint64_t bytes = kept.result.size();
    if (kept_[kept.by] + bytes > most_kept) return;
    kept_[kept.by] += bytes;
    open.results.push_back(std::move(kept));
  }
  void drop(const std::vector<Kept>& results) {
    for (const Kept& kept : results) kept_[kept.by] -= kept.result.size();
  }

  /// What is forgotten is believed only when too few are left for a result.
  bool are_too_few_left(const Open& open) const {
    return count(open, forgotten) + quorum_.weak() > replicas_.size();
  }
  /// All but f have answered, and have been asked again, and those who remember are too few, or
  /// liars: whoever has said nothing by now may never do. One correct replica at least has said
  /// that the request is delivered.
  bool has_lost_its_result(const Open& open) const {
    const auto silent = static_cast<std::size_t>(
        std::count(open.said.begin(), open.said.end(), std::nullopt));
    return count(open, forgotten) >= quorum_.weak() && silent <= quorum_.faulty();
  }

  ClientResult close(ReqNo number, const Digest& digest, const Bytes& result) {
    const std::optional<Open> open = open_.take(number.value);
    drop(open->results);
    ++status_.believed;
    if (digest == forgotten) return {number, std::nullopt};
    for (const std::optional<Digest>& other : open->said)
      status_.conflicting += other && *other != digest && *other != forgotten;
    return {number, result};
  }

  ClientId client_;
  std::vector<NodeId> replicas_;
  Quorum quorum_;
  Hasher hasher_;
  NumberMap<Open> open_;
  std::vector<std::uint64_t> kept_;  // bytes of whole results of each replica
  ReplyQuorumStatus status_;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::ReplyQuorumStatus, open, believed, conflicting, unasked, refused,
                        kept_bytes);

#endif

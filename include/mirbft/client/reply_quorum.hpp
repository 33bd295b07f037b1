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
  void expect(ReqNo number) {
    Open& open = open_[number.value];
    if (open.empty()) ++status_.open;
    open.resize(replicas_.size());
  }
  /// Nobody waits for this number any more.
  void forget(ReqNo number) {
    if (open_.find(number.value)) take(number);
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
    now.kept_bytes = std::accumulate(kept_.begin(), kept_.end(), std::uint64_t{0});
    return now;
  }

 private:
  /// Stands for the hash of a result that a replica does not remember.
  static constexpr Digest forgotten{};

  /// What one replica has said, and the whole of it, unless that is kept as another one's.
  struct Said {
    std::optional<Digest> digest;
    std::optional<Bytes> kept;
  };
  using Open = std::vector<Said>;  // by the replicas' places

  /// What is kept already needs no hashing.
  Digest digest_of(const Replied& reply) {
    if (const Open* const open = open_.find(reply.req_no.value))
      for (const Said& said : *open)
        if (said.kept == reply.result) return *said.digest;
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
    std::optional<Digest>& before = (*open)[place].digest;
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
    if (result && !kept(*open, digest)) keep(*open, place, *result);
    return std::nullopt;
  }

  std::size_t count(const Open& open, const Digest& digest) const {
    return static_cast<std::size_t>(
        std::count_if(open.begin(), open.end(),
                      [&](const Said& said) { return said.digest == digest; }));
  }
  static const Bytes* kept(const Open& open, const Digest& digest) {
    for (const Said& said : open)
      if (said.kept && said.digest == digest) return &*said.kept;
    return nullptr;
  }
  void keep(Open& open, std::size_t place, const Bytes& result) {
    if (kept_[place] + result.size() > most_kept) return;
    kept_[place] += result.size();
    open[place].kept = result;
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
        std::count_if(open.begin(), open.end(), [](const Said& said) { return !said.digest; }));
    return count(open, forgotten) >= quorum_.weak() && silent <= quorum_.faulty();
  }

  ClientResult close(ReqNo number, const Digest& digest, const Bytes& result) {
    const Open open = take(number);  // which may hold the result
    ++status_.believed;
    if (digest == forgotten) return {number, std::nullopt};
    for (const Said& other : open)
      status_.conflicting +=
          other.digest && *other.digest != digest && *other.digest != forgotten;
    return {number, result};
  }
  /// Only a number that is open.
  Open take(ReqNo number) {
    --status_.open;
    Open open = *open_.take(number.value);
    for (std::size_t place = 0; place < open.size(); ++place)
      if (open[place].kept) kept_[place] -= open[place].kept->size();
    return open;
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

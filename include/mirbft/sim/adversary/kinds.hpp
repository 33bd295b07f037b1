// The kinds of adversaries: their names, what they do, and how each is made.
#ifndef MIRBFT_SIM_ADVERSARY_KINDS_HPP
#define MIRBFT_SIM_ADVERSARY_KINDS_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mirbft/sim/adversary/certificates.hpp>
#include <mirbft/sim/adversary/clients.hpp>
#include <mirbft/sim/adversary/floods.hpp>
#include <mirbft/sim/adversary/leaders.hpp>
#include <mirbft/sim/adversary/links.hpp>
#include <mirbft/sim/adversary/state.hpp>
#include <mirbft/sim/adversary/votes.hpp>
#include <mirbft/types/errors.hpp>

namespace mirbft::sim {

/// A way for a replica, or for a client, to be faulty.
struct AdversaryKind {
  using MakeReplica = std::unique_ptr<byzantine::Behaviour> (*)(byzantine::Powers);
  using MakeClient = std::unique_ptr<FaultyClient> (*)(ClientId, std::vector<NodeId>,
                                                       FaultyClient::Sign, Random);

  std::string_view name;
  std::string_view what;
  /// One of the two is null.
  MakeReplica replica = nullptr;
  MakeClient client = nullptr;
};

namespace detail {

template <class B>
constexpr AdversaryKind replica_that(std::string_view name, std::string_view what) {
  return {name, what, [](byzantine::Powers powers) -> std::unique_ptr<byzantine::Behaviour> {
            return std::make_unique<B>(std::move(powers));
          }};
}
template <class C>
constexpr AdversaryKind client_that(std::string_view name, std::string_view what) {
  return {name, what, nullptr,
          [](ClientId self, std::vector<NodeId> replicas, FaultyClient::Sign sign,
             Random random) -> std::unique_ptr<FaultyClient> {
            return std::make_unique<C>(self, std::move(replicas), std::move(sign), random);
          }};
}

}  // namespace detail

/// All of them.
inline constexpr std::array adversary_kinds{
    detail::replica_that<byzantine::SilentLeader>("silent_leader", "proposes nothing"),
    detail::replica_that<byzantine::EquivocatingLeader>(
        "equivocating_leader", "proposes different batches to different replicas"),
    detail::replica_that<byzantine::EquivocatingPrimary>(
        "equivocating_primary", "begins a view with different outcomes for different replicas"),
    detail::replica_that<byzantine::CensoringLeader>("censoring_leader",
                                                     "never proposes requests of some clients"),
    detail::replica_that<byzantine::DuplicatingLeader>(
        "duplicate_proposal", "proposes requests again, also those of other leaders' buckets"),
    detail::replica_that<byzantine::OversizingLeader>("oversized_batch",
                                                      "proposes more than a batch may hold"),
    detail::replica_that<byzantine::WithheldPayloads>(
        "payload_withheld", "proposes bodies that nobody has, and gives its own to one alone"),
    detail::replica_that<byzantine::DoubleVotes>("double_vote",
                                                 "votes for whatever anybody wants"),
    detail::replica_that<byzantine::StaleVotes>(
        "stale_votes", "repeats old votes, in other segments and epochs, and after restarts"),
    detail::replica_that<byzantine::OffByOne>(
        "off_by_one", "signs views, numbers and epochs that are off by one"),
    detail::replica_that<byzantine::WrongDigests>("wrong_digest", "votes for digests of nothing"),
    detail::replica_that<byzantine::SelectiveSending>(
        "selective_sending", "lets exactly q, q-1 or w replicas know"),
    detail::replica_that<byzantine::DelayedCommits>("delayed_commits",
                                                    "sends its Commits late to one victim"),
    detail::replica_that<byzantine::SlowDrip>("slow_drip",
                                              "says everything just before patience ends"),
    detail::replica_that<byzantine::WithheldCertificates>(
        "certificate_withheld", "hides its certificates in view changes"),
    detail::replica_that<byzantine::ForgedCertificates>(
        "certificate_forged", "shows certificates that others have not signed"),
    detail::replica_that<byzantine::FakeCheckpoints>("fake_checkpoint",
                                                     "vouches for states that never were"),
    detail::replica_that<byzantine::CorruptState>("corrupt_state",
                                                  "supplies other chunks and batches"),
    detail::replica_that<byzantine::ForgedRelays>("forged_relays",
                                                  "passes on requests that nobody has made"),
    detail::replica_that<byzantine::FalseReplies>("false_replies", "answers clients wrongly"),
    detail::replica_that<byzantine::Flood>("flood", "asks everybody for everything"),
    detail::replica_that<byzantine::MalformedFrames>("malformed_frames",
                                                     "sends what is no message"),
    detail::replica_that<byzantine::Amnesia>("amnesia", "crashes, and forgets the end of its log"),
    detail::client_that<byzantine::ForgedRequests>("forged_requests",
                                                   "a client that speaks in others' names"),
    detail::client_that<byzantine::ReplayedRequests>("replayed_requests",
                                                     "a client that repeats others' requests"),
    detail::client_that<byzantine::TwoPayloads>(
        "two_payloads", "a client that signs two payloads under one number"),
    detail::client_that<byzantine::WindowFlood>("window_flood",
                                                "a client that uses any number, and many"),
    detail::client_that<byzantine::MalformedRequests>("malformed_requests",
                                                      "a client that no service understands"),
};

/// Some of the kinds, by their places among all.
class AdversaryKinds {
 public:
  constexpr AdversaryKinds() = default;
  static constexpr AdversaryKinds all() noexcept {
    AdversaryKinds kinds;
    for (std::size_t i = 0; i < adversary_kinds.size(); ++i) kinds.add(i);
    return kinds;
  }

  constexpr void add(std::size_t place) noexcept { bits_ |= 1u << place; }
  constexpr bool has(std::size_t place) const noexcept { return (bits_ >> place & 1) != 0; }
  constexpr bool none() const noexcept { return bits_ == 0; }
  /// The places of those that are ways of replicas, or of clients.
  std::vector<std::size_t> of_replicas() const {
    return places([](const AdversaryKind& kind) { return kind.replica != nullptr; });
  }
  std::vector<std::size_t> of_clients() const {
    return places([](const AdversaryKind& kind) { return kind.client != nullptr; });
  }
  friend constexpr bool operator==(AdversaryKinds, AdversaryKinds) = default;

 private:
  template <class Wanted>
  std::vector<std::size_t> places(Wanted&& wanted) const {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < adversary_kinds.size(); ++i)
      if (has(i) && wanted(adversary_kinds[i])) found.push_back(i);
    return found;
  }

  std::uint32_t bits_ = 0;
  static_assert(adversary_kinds.size() <= 32);
};

/// The names of kinds, with commas between; "none" for none of them.
inline std::string to_string(AdversaryKinds kinds) {
  std::string text;
  for (std::size_t i = 0; i < adversary_kinds.size(); ++i)
    if (kinds.has(i)) (text += text.empty() ? "" : ",") += adversary_kinds[i].name;
  return text.empty() ? "none" : text;
}

/// Reads names with commas between, "all" or "none". Throws ConfigError for anything else.
inline AdversaryKinds parse_adversary_kinds(std::string_view text) {
  if (text == "all") return AdversaryKinds::all();
  AdversaryKinds kinds;
  if (text == "none") return kinds;
  for (std::string_view rest = text;;) {
    const std::string_view name = rest.substr(0, rest.find(','));
    std::size_t place = 0;
    while (place < adversary_kinds.size() && adversary_kinds[place].name != name) ++place;
    if (place == adversary_kinds.size())
      throw ConfigError("adversary", '"' + std::string(name) + '"',
                        "must be all, none or a list of " + to_string(AdversaryKinds::all()));
    kinds.add(place);
    if (name.size() == rest.size()) return kinds;
    rest.remove_prefix(name.size() + 1);
  }
}

/// How often each kind has acted.
class AdversaryCounts {
 public:
  void count(std::size_t place, std::uint64_t times) noexcept { counts_[place] += times; }
  std::uint64_t operator[](std::size_t place) const noexcept { return counts_[place]; }
  AdversaryCounts& operator+=(const AdversaryCounts& other) noexcept {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    return *this;
  }
  /// Those of `wanted` that have never acted.
  AdversaryKinds missing(AdversaryKinds wanted) const noexcept {
    AdversaryKinds kinds;
    for (std::size_t i = 0; i < counts_.size(); ++i)
      if (wanted.has(i) && counts_[i] == 0) kinds.add(i);
    return kinds;
  }

 private:
  std::array<std::uint64_t, adversary_kinds.size()> counts_{};
};

}  // namespace mirbft::sim

#endif

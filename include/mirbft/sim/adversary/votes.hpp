// Votes that contradict one another, come again, or say what their place does not allow.
#ifndef MIRBFT_SIM_ADVERSARY_VOTES_HPP
#define MIRBFT_SIM_ADVERSARY_VOTES_HPP

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <variant>

#include <mirbft/sim/adversary/behaviour.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/types/visit.hpp>

namespace mirbft::sim::byzantine {

/// Votes for whatever it is told, by each replica to that one, and besides for nothing at all.
class DoubleVotes : public Behaviour {
 public:
  using Behaviour::Behaviour;

  void send(Letter letter, Letters& out) override {
    if (auto* vote = as<Prepare>(letter.message)) contradict(letter.to, *vote, out);
    if (auto* vote = as<Commit>(letter.message)) contradict(letter.to, *vote, out);
    out.push_back(std::move(letter));
  }
  void hear(NodeId from, const Message& message, Letters& out) override {
    if (const auto* vote = as<Prepare>(message))
      agree(from, {vote->segment, vote->view, vote->sn, vote->digest, {}}, out);
    if (const auto* one = as<PrePrepare>(message))
      agree(from, {one->segment, View(0), one->sn, powers().digest_of(*one), {}}, out);
  }

 private:
  void contradict(NodeId to, auto vote, Letters& out) {
    if (!powers().coin(vote.sn.value, to.value)) return;
    count();
    vote.digest = vote.digest == nil_digest ? powers().made_up_digest() : nil_digest;
    if constexpr (requires { powers().sign(vote); }) powers().sign(vote);
    out.push_back({to, wrapped(vote)});
  }
  /// Once: two of a kind would never stop.
  void agree(NodeId with, Prepare vote, Letters& out) {
    if (!agreed_.insert({with, vote.view, vote.sn, vote.digest}).second) return;
    powers().sign(vote);
    out.push_back({with, wrapped(Commit{vote.segment, vote.view, vote.sn, vote.digest})});
    out.push_back({with, wrapped(std::move(vote))});
  }

  std::set<std::tuple<NodeId, View, SeqNr, Digest>> agreed_;
};

/// Says again what it, or the primary of a view, has said long ago, also before a restart: as it
/// was, or for another segment, and so for another epoch, under the signature that it had.
class StaleVotes : public Behaviour {
 public:
  using Behaviour::Behaviour;

  void send(Letter letter, Letters& out) override {
    if (const auto segment = segment_of(letter.message)) {
      newest_ = *segment;
      keep(letter.message);
      if (random().chance(200)) repeat(letter.to, out);
    }
    out.push_back(std::move(letter));
  }
  void hear(NodeId, const Message& message, Letters&) override {
    if (as<NewView>(message)) keep(message);
  }

 private:
  static std::optional<SegmentId> segment_of(const Message& message) {
    if (const auto* done = as<Done>(message)) return done->segment;
    std::optional<SegmentId> segment;
    if (const auto* ordering = std::get_if<PbftMessage>(&message))
      visit_alternative(*ordering, [&](const auto& one) { segment = one.segment; });
    return segment;
  }
  void keep(const Message& message) {
    said_.push_back(message);
    if (said_.size() > kept) said_.pop_front();
  }
  void repeat(NodeId to, Letters& out) {
    count();
    Message message = random().pick(said_);
    if (random().chance(500)) out.push_back({to, message});
    move<Prepare, Commit, ViewChange, NewView, Done>(message);
    out.push_back({to, std::move(message)});
  }
  template <class... Ts>
  void move(Message& message) {
    const auto move_one = [&](auto* one) {
      if (one) one->segment = newest_;
    };
    (move_one(as<Ts>(message)), ...);
  }

  static constexpr std::size_t kept = 256;

  std::deque<Message> said_;
  SegmentId newest_;
};

/// Says besides, well signed, what is off by one: in the view, the sequence number or the epoch.
class OffByOne : public Behaviour {
 public:
  using Behaviour::Behaviour;

  void send(Letter letter, Letters& out) override {
    if (random().chance(300)) {
      Letter wrong = letter;
      if (spoil<Prepare, Commit, PrePrepare, ViewChange, NewView, Done>(wrong.message)) {
        count();
        out.push_back(std::move(wrong));
      }
    }
    out.push_back(std::move(letter));
  }

 private:
  template <class... Ts>
  bool spoil(Message& message) {
    return (spoil_one(as<Ts>(message)) || ...);
  }
  bool spoil_one(auto* message) {
    if (!message) return false;
    spoil_part(*message, random().below(3));
    if constexpr (requires { powers().sign(*message); }) powers().sign(*message);
    return true;
  }
  void spoil_part(auto& message, std::uint64_t part) {
    if constexpr (requires { message.view; })
      if (part == 0) return off_by_one(message.view);
    if constexpr (requires { message.sn; })
      if (part == 1) return off_by_one(message.sn);
    if constexpr (requires { message.claims; })
      if (part == 1 && !message.claims.empty()) return off_by_one(message.claims.back().view);
    off_by_one(message.segment.epoch);
  }
  void off_by_one(auto& number) {
    number.value += random().chance(500) && number.value != 0 ? ~std::uint64_t{0} : 1;
  }
};

/// Votes in half of the slots for digests of nothing, and says that they were decided.
class WrongDigests : public Behaviour {
 public:
  using Behaviour::Behaviour;

  void send(Letter letter, Letters& out) override {
    spoil(as<Prepare>(letter.message));
    spoil(as<Commit>(letter.message));
    if (auto* done = as<Done>(letter.message)) {
      count();
      random().pick(done->digests) = powers().made_up_digest();
    }
    out.push_back(std::move(letter));
  }

 private:
  void spoil(auto* vote) {
    if (!vote || !powers().coin(vote->sn.value)) return;
    count();
    vote->digest = powers().made_up_digest();
    if constexpr (requires { powers().sign(*vote); }) powers().sign(*vote);
  }
};

}  // namespace mirbft::sim::byzantine

#endif

// Leaders that propose nothing, or different things to different replicas, or what they may not.
#ifndef MIRBFT_SIM_ADVERSARY_LEADERS_HPP
#define MIRBFT_SIM_ADVERSARY_LEADERS_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <mirbft/sim/adversary/behaviour.hpp>
#include <mirbft/types/request.hpp>

namespace mirbft::sim::byzantine {

/// Votes, and proposes nothing, in no view.
class SilentLeader : public Behaviour {
 public:
  using Behaviour::Behaviour;

  void send(Letter letter, Letters& out) override {
    if (!as<PrePrepare>(letter.message) && !as<NewView>(letter.message))
      return out.push_back(std::move(letter));
    count();
  }
};

/// A leader that proposes other batches than its honest part does. It stands by its lies: each is
/// properly signed, and whoever was told one gets the Commit that goes with it.
class LyingLeader : public Behaviour {
 public:
  using Behaviour::Behaviour;

  void send(Letter letter, Letters& out) override {
    if (auto* proposal = as<PrePrepare>(letter.message)) {
      propose(letter.to, *proposal);
    } else if (auto* commit = as<Commit>(letter.message)) {
      const auto lie = lies_.find({letter.to, commit->sn});
      if (lie != lies_.end() && commit->view == View(0)) commit->digest = lie->second;
    }
    out.push_back(std::move(letter));
  }

 protected:
  using References = std::vector<RequestRef>;

  /// What `to` is told in place of an honest proposal, always the same for the same one; none if
  /// it is told the truth.
  virtual std::optional<References> lie(NodeId to, const PrePrepare& honest) = 0;

 private:
  void propose(NodeId to, PrePrepare& proposal) {
    auto batch = lie(to, proposal);
    if (!batch) return;
    count();
    proposal.batch = Batch(std::move(*batch));
    powers().sign(proposal);
    lies_[{to, proposal.sn}] = powers().digest_of(proposal);
  }

  std::map<std::pair<NodeId, SeqNr>, Digest> lies_;
};

/// Tells some replicas another batch than the others.
class EquivocatingLeader : public LyingLeader {
 public:
  using LyingLeader::LyingLeader;

 protected:
  std::optional<References> lie(NodeId to, const PrePrepare& honest) override {
    if (honest.batch->empty() || powers().coin(honest.sn.value, to.value)) return std::nullopt;
    References batch = *honest.batch;
    batch.pop_back();
    return batch;
  }
};

/// Never proposes requests of some clients.
class CensoringLeader : public LyingLeader {
 public:
  using LyingLeader::LyingLeader;

 protected:
  std::optional<References> lie(NodeId, const PrePrepare& honest) override {
    References batch = *honest.batch;
    const auto censored = [&](const RequestRef& one) { return powers().coin(one.client.value); };
    return std::erase_if(batch, censored) != 0 ? std::optional(batch) : std::nullopt;
  }
};

/// A leader that knows what others propose, and tells everybody the same: what it makes up once.
class InventiveLeader : public LyingLeader {
 public:
  using LyingLeader::LyingLeader;

  void hear(NodeId, const Message& message, Letters&) final {
    if (const auto* proposal = as<PrePrepare>(message)) note(*proposal->batch);
  }

 protected:
  std::optional<References> lie(NodeId, const PrePrepare& honest) final {
    const auto [place, is_new] = batches_.try_emplace(honest.sn);
    if (is_new) place->second = made_up(*honest.batch);
    return place->second;
  }

  virtual void note(const References& proposed) = 0;
  /// In place of an honest batch; none for that.
  virtual std::optional<References> made_up(const References& honest) = 0;

 private:
  std::map<SeqNr, std::optional<References>> batches_;
};

/// Proposes requests once more: of its own batch, of its last ones, and of those that belong to
/// other leaders' buckets.
class DuplicatingLeader : public InventiveLeader {
 public:
  using InventiveLeader::InventiveLeader;

 private:
  std::optional<References> made_up(const References& honest) override {
    if (powers().random().chance(500)) return std::nullopt;
    References batch = honest;
    References chosen = batch;
    if (chosen.empty() || powers().random().chance(700)) chosen.assign(seen_.begin(), seen_.end());
    note(batch);
    if (chosen.empty()) return std::nullopt;
    batch.push_back(powers().random().pick(chosen));
    return batch;
  }
  void note(const References& batch) override {
    seen_.insert(seen_.end(), batch.begin(), batch.end());
    while (seen_.size() > kept) seen_.pop_front();
  }

  static constexpr std::size_t kept = 32;

  std::deque<RequestRef> seen_;
};

/// Saves up its requests until they are more than anybody has proposed at once, and then proposes
/// them at once.
class OversizingLeader : public InventiveLeader {
 public:
  using InventiveLeader::InventiveLeader;

 private:
  std::optional<References> made_up(const References& batch) override {
    note(batch);
    hoard_.insert(hoard_.end(), batch.begin(), batch.end());
    return hoard_.size() > largest_ ? std::exchange(hoard_, {}) : References();
  }
  void note(const References& batch) override { largest_ = std::max(largest_, batch.size()); }

  std::size_t largest_ = 0;
  References hoard_;
};

/// Proposes bodies that nobody has, and keeps from others those that it alone was given, but for
/// one replica.
class WithheldPayloads : public LyingLeader {
 public:
  using LyingLeader::LyingLeader;

  void send(Letter letter, Letters& out) override {
    const bool bodies = as<Relayed>(letter.message) || as<RequestsSupplied>(letter.message);
    if (!bodies || letter.to == others()[powers().draw(0) % others().size()])
      return LyingLeader::send(std::move(letter), out);
    count();
  }

 protected:
  std::optional<References> lie(NodeId, const PrePrepare& honest) override {
    if (honest.batch->empty() || powers().coin(honest.sn.value)) return std::nullopt;
    const auto [place, is_new] = batches_.try_emplace(honest.sn, *honest.batch);
    if (is_new) place->second.back().digest = powers().made_up_digest();
    return place->second;
  }

 private:
  std::map<SeqNr, References> batches_;
};

}  // namespace mirbft::sim::byzantine

#endif

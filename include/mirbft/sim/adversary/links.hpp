// Replicas that send to some and not to others, or late.
#ifndef MIRBFT_SIM_ADVERSARY_LINKS_HPP
#define MIRBFT_SIM_ADVERSARY_LINKS_HPP

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include <mirbft/sim/adversary/behaviour.hpp>

namespace mirbft::sim::byzantine {

/// Lets exactly as many replicas as make a strong quorum, one fewer, or a weak quorum know of a
/// proposal or of a vote, itself counted.
class SelectiveSending : public Behaviour {
 public:
  using Behaviour::Behaviour;

  void send(Letter letter, Letters& out) override {
    if (tells(letter.to, as<PrePrepare>(letter.message), 0) &&
        tells(letter.to, as<Prepare>(letter.message), 1) &&
        tells(letter.to, as<Commit>(letter.message), 2))
      return out.push_back(std::move(letter));
    count();
  }

 private:
  bool tells(NodeId to, const auto* message, std::uint64_t kind) {
    return !message || is_chosen(to, 3 * message->sn.value + kind);
  }
  bool is_chosen(NodeId to, std::uint64_t what) {
    const Quorum quorum = powers().cluster().quorum();
    const std::array<std::size_t, 3> counts{quorum.strong(), quorum.strong() - 1, quorum.weak()};
    std::vector<NodeId> chosen = others();
    Random(powers().draw(what)).shuffle(chosen);
    chosen.resize(std::min(chosen.size(), counts[powers().draw(what, 1) % counts.size()] - 1));
    return std::find(chosen.begin(), chosen.end(), to) != chosen.end();
  }
};

/// Its Commits reach one victim late, when the others have gone on.
class DelayedCommits : public Behaviour {
 public:
  using Behaviour::Behaviour;

  void send(Letter letter, Letters& out) override {
    if (as<Commit>(letter.message) && letter.to == others()[powers().draw(0) % others().size()]) {
      count();
      letter.delay += random().between(Time{}, Time(std::chrono::seconds(3)));
    }
    out.push_back(std::move(letter));
  }
};

/// Keeps up appearances: what it says as a leader, and its votes for others, come shortly before
/// anybody would lose patience with it.
class SlowDrip : public Behaviour {
 public:
  using Behaviour::Behaviour;

  void send(Letter letter, Letters& out) override {
    if (std::holds_alternative<PbftMessage>(letter.message)) {
      count();
      letter.delay += as<PrePrepare>(letter.message) ? slow : slow / 2;
    }
    out.push_back(std::move(letter));
  }

 private:
  /// Of the default T_0, a second.
  static constexpr Time slow = std::chrono::milliseconds(800);
};

}  // namespace mirbft::sim::byzantine

#endif

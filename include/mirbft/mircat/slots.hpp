// Sequence numbers × nodes: how far each node is with each slot, since when, and what it waits for.
#ifndef MIRBFT_MIRCAT_SLOTS_HPP
#define MIRBFT_MIRCAT_SLOTS_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <mirbft/mircat/meaning.hpp>
#include <mirbft/types/quorum.hpp>

namespace mirbft::mircat {

/// A point of the merged logs: when, and which of the events.
struct Moment {
  std::uint64_t time = 0;
  std::uint64_t event = 0;
};

/// How far one node is with one slot.
struct SlotCell {
  /// Whose votes it has seen, in the highest view for which there are any.
  struct Votes {
    std::uint64_t view = 0;
    std::set<std::uint64_t> from;
  };

  /// When the phases from `proposed` on were reached; a phase may be skipped.
  std::array<std::optional<Moment>, phase_count> reached;
  /// For coming to be prepared, and to be committed.
  Votes prepares;
  Votes commits;

  Phase phase() const {
    for (std::size_t place = phase_count; place > 0; --place)
      if (reached[place - 1]) return static_cast<Phase>(place);
    return Phase::none;
  }
  const std::optional<Moment>& at(Phase phase) const {
    return reached[static_cast<std::size_t>(phase) - 1];
  }
};

/// Nodes, ascending, with commas between.
inline std::string node_list(const std::set<std::uint64_t>& nodes) {
  std::string text;
  for (const std::uint64_t node : nodes) text += (text.empty() ? "" : ", ") + std::to_string(node);
  return text;
}

/// All slots that are of interest: the first that each node lacks, and the last ones.
class SlotTable {
 public:
  using Cells = std::map<std::uint64_t, SlotCell>;

  /// How many of the last slots are kept whatever they are.
  static constexpr std::size_t kept = 4096;
  /// Before them, how many for each node that has not delivered them.
  static constexpr std::size_t kept_gaps = 512;

  /// A node that has a log.
  void add_node(std::uint64_t node) { nodes_.try_emplace(node); }

  /// Takes the next event of a node. Calls `seen(Phase before, Phase now, duration)` for a phase
  /// that is reached; `duration` is nothing when it is not known since when.
  template <class Seen>
  void add(std::uint64_t node, Moment moment, const Meaning& meaning, Seen&& seen) {
    members_.insert(node);
    for (const std::uint64_t peer : meaning.peers) members_.insert(peer);
    if (meaning.message.starts_with("Paxos")) faults_ = Faults::crash;
    if (meaning.mark == Mark::state_restored && meaning.sn) restore(node, moment, *meaning.sn);
    if (!meaning.sn || (meaning.reached == Phase::none && meaning.vote == Phase::none)) return;
    if (meaning.reached == Phase::delivered) note_delivery(node, *meaning.sn);
    if (is_forgotten(*meaning.sn)) return;
    SlotCell& cell = slots_[*meaning.sn][node];
    if (meaning.reached != Phase::none) reach(cell, moment, meaning.reached, seen);
    if (meaning.vote != Phase::none) count_vote(cell, node, meaning);
    if (slots_.size() >= kept + at_once + gaps_left_) forget_old();
  }

  const std::map<std::uint64_t, Cells>& slots() const noexcept { return slots_; }
  const std::set<std::uint64_t>& members() const noexcept { return members_; }
  Quorum quorum() const { return Quorum(members_.size(), faults_); }

  /// The last slot that a node with a log has delivered, or been given the state after.
  std::optional<std::uint64_t> delivered_up_to(std::uint64_t node) const {
    const auto found = nodes_.find(node);
    return found == nodes_.end() ? std::nullopt : found->second.last;
  }
  /// Of all nodes with logs.
  std::optional<std::uint64_t> highest_delivered() const {
    std::optional<std::uint64_t> highest;
    for (const auto& [node, progress] : nodes_)
      if (progress.last && (!highest || *progress.last > *highest)) highest = progress.last;
    return highest;
  }

  /// What a node that has not delivered the slot waits for, in words.
  std::string waits_for(std::uint64_t sn, std::uint64_t node) const {
    const SlotCell* cell = find(sn, node);
    const Phase phase = cell ? cell->phase() : Phase::none;
    if (phase == Phase::delivered) return {};
    if (phase == Phase::committed) {
      const auto last = delivered_up_to(node);
      const std::uint64_t next = last ? *last + 1 : 0;
      return next == sn ? "its delivery" : "its turn: sn " + std::to_string(next) + " comes first";
    }
    if (phase == Phase::prepared) return votes_text("Commits", cell->commits);
    if (phase == Phase::proposed) return votes_text("Prepares", cell->prepares);
    std::string text = "its proposal";
    if (cell && !cell->prepares.from.empty())
      text += "; has votes of " + node_list(cell->prepares.from);
    return text;
  }

  const SlotCell* find(std::uint64_t sn, std::uint64_t node) const {
    const auto slot = slots_.find(sn);
    if (slot == slots_.end()) return nullptr;
    const auto cell = slot->second.find(node);
    return cell == slot->second.end() ? nullptr : &cell->second;
  }

 private:
  struct Progress {
    std::optional<std::uint64_t> last;
  };

  template <class Seen>
  static void reach(SlotCell& cell, Moment moment, Phase phase, Seen&& seen) {
    const Phase before = cell.phase();
    auto& place = cell.reached[static_cast<std::size_t>(phase) - 1];
    if (place) return;
    place = moment;
    if (before >= phase) return;
    std::optional<std::uint64_t> duration;
    if (before != Phase::none && moment.time >= cell.at(before)->time)
      duration = moment.time - cell.at(before)->time;
    seen(before, phase, duration);
  }

  static void count_vote(SlotCell& cell, std::uint64_t node, const Meaning& meaning) {
    const std::uint64_t voter =
        meaning.direction == Direction::received ? meaning.peers.front() : node;
    SlotCell::Votes& votes = meaning.vote == Phase::prepared ? cell.prepares : cell.commits;
    if (meaning.view < votes.view) return;
    if (meaning.view > votes.view) votes = {meaning.view, {}};
    votes.from.insert(voter);
  }

  void restore(std::uint64_t node, Moment moment, std::uint64_t sn) {
    for (auto& [place, cells] : slots_) {
      if (place > sn) break;
      auto& delivered = cells[node].reached[phase_count - 1];
      if (!delivered) delivered = moment;
    }
    note_delivery(node, sn);
  }

  void note_delivery(std::uint64_t node, std::uint64_t sn) {
    Progress& progress = nodes_[node];
    if (!progress.last || *progress.last < sn) progress.last = sn;
  }

  /// What is told of such a slot now would be only a part of it.
  bool is_forgotten(std::uint64_t sn) const {
    return forgotten_ && sn <= *forgotten_ && !slots_.contains(sn);
  }

  void forget_old() {
    std::map<std::uint64_t, std::size_t> gaps;
    gaps_left_ = 0;
    auto slot = slots_.begin();
    for (std::size_t old = slots_.size() - kept; old > 0; --old) {
      if (is_first_gap(slot->second, gaps)) {
        ++gaps_left_;
        ++slot;
      } else {
        forgotten_ = std::max(forgotten_.value_or(0), slot->first);
        slot = slots_.erase(slot);
      }
    }
  }

  /// Counts the nodes that lack a slot, and says whether it is among the first for one of them.
  bool is_first_gap(const Cells& cells, std::map<std::uint64_t, std::size_t>& gaps) const {
    bool is_first = false;
    for (const auto& [node, progress] : nodes_) {
      const auto cell = cells.find(node);
      if (cell != cells.end() && cell->second.phase() == Phase::delivered) continue;
      if (++gaps[node] <= kept_gaps) is_first = true;
    }
    return is_first;
  }

  std::string votes_text(std::string_view what, const SlotCell::Votes& votes) const {
    std::set<std::uint64_t> absent;
    for (const std::uint64_t member : members_)
      if (!votes.from.contains(member)) absent.insert(member);
    std::string text(what);
    text += ": " + std::to_string(votes.from.size()) + " of " + std::to_string(quorum().strong());
    if (!votes.from.empty()) text += ", from " + node_list(votes.from);
    if (!absent.empty()) text += "; none from " + node_list(absent);
    if (votes.view != 0) text += " (view " + std::to_string(votes.view) + ")";
    return text;
  }

  /// How many slots come between two times of forgetting.
  static constexpr std::size_t at_once = 1024;

  std::map<std::uint64_t, Cells> slots_;
  /// How many before the last `kept` were left there the last time, and the last that was not.
  std::size_t gaps_left_ = 0;
  std::optional<std::uint64_t> forgotten_;
  std::map<std::uint64_t, Progress> nodes_;
  std::set<std::uint64_t> members_;
  Faults faults_ = Faults::byzantine;
};

}  // namespace mirbft::mircat

#endif

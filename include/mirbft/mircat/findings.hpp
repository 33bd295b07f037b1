// What the logs of a cluster show at a glance: who fell behind, what was lost, who disagrees.
#ifndef MIRBFT_MIRCAT_FINDINGS_HPP
#define MIRBFT_MIRCAT_FINDINGS_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mirbft/events/event.hpp>
#include <mirbft/mircat/found.hpp>
#include <mirbft/mircat/meaning.hpp>
#include <mirbft/mircat/slots.hpp>
#include <mirbft/mircat/time.hpp>

namespace mirbft::mircat {

/// How much a finding matters: agreement is broken; the cluster or a node does not get on; worth
/// knowing.
enum class Severity : std::uint8_t { broken, stuck, note };

/// One line for the person who looks for what went wrong, and where to look.
struct Finding {
  Severity severity = Severity::note;
  std::string text;
  std::optional<std::uint64_t> node;
  std::optional<std::uint64_t> sn;
  std::optional<Moment> at;
};

/// Watches all events go by, and says in the end what it has found.
class Findings {
 public:
  void add(const Found& found, Moment moment, const Meaning& meaning) {
    const std::uint64_t node = found.node.value;
    Seen& seen = nodes_[node];
    seen.last = moment;
    if (meaning.mark == Mark::started) ++seen.starts[found.event.slot.index()];
    if (meaning.mark == Mark::halted)
      halts_.push_back({Severity::stuck,
                        "node " + std::to_string(node) + " halted: " +
                            found.printer->text(found.event),
                        node, std::nullopt, moment});
    if (meaning.mark == Mark::view_change && meaning.direction == Direction::sent)
      note_view_change(node, moment);
    end_ = std::max(end_, moment.time);
    if (meaning.type == "Deliver" && meaning.sn) {
      note_delivery(moment);
      compare(node, moment, *meaning.sn, std::hash<std::string_view>{}(found.event.payload.text()));
    }
  }

  /// A message was sent to a node that has a log, or one such has arrived.
  void sent(std::uint64_t from, std::uint64_t to) { ++links_[{from, to}].sent; }
  void lost(std::uint64_t from, std::uint64_t to) { ++links_[{from, to}].lost; }

  /// The worst first.
  std::vector<Finding> all(const SlotTable& slots) const {
    std::vector<Finding> found = disagreements_;
    found.insert(found.end(), halts_.begin(), halts_.end());
    add_behind(slots, found);
    add_first_open(slots, found);
    add_pauses(found);
    add_silence(found);
    add_losses(found);
    add_restarts(found);
    if (view_changes_ != 0)
      found.push_back({Severity::note,
                       std::to_string(view_changes_) +
                           " view changes were asked for, first by node " +
                           std::to_string(first_view_change_node_),
                       first_view_change_node_, std::nullopt, first_view_change_});
    std::ranges::stable_sort(found, {}, &Finding::severity);
    return found;
  }

 private:
  static constexpr std::uint64_t silence = 1'000'000'000;
  static constexpr std::size_t most_disagreements = 20;

  struct Seen {
    Moment last;
    /// By slot: Init goes to several modules.
    std::array<std::uint64_t, slot_count> starts{};
  };
  struct Link {
    std::uint64_t sent = 0;
    std::uint64_t lost = 0;
  };
  struct Delivery {
    std::uint64_t node = 0;
    std::size_t hash = 0;
  };

  /// Between two deliveries, whichever nodes they were at.
  struct Pause {
    Moment since;
    std::uint64_t length = 0;
  };

  static std::string loss_text(const Link& link) {
    return std::to_string(link.lost) + " of " + std::to_string(link.sent);
  }

  static std::string range_text(std::uint64_t first, std::uint64_t last) {
    return "sn " + std::to_string(first) + (first == last ? "" : ".." + std::to_string(last));
  }

  void note_view_change(std::uint64_t node, Moment moment) {
    if (view_changes_++ != 0) return;
    first_view_change_node_ = node;
    first_view_change_ = moment;
  }

  void note_delivery(Moment moment) {
    const std::uint64_t length = last_delivery_ && moment.time > last_delivery_->time
                                     ? moment.time - last_delivery_->time
                                     : 0;
    if (length > longest_pause_.length) longest_pause_ = {*last_delivery_, length};
    last_delivery_ = moment;
  }

  void compare(std::uint64_t node, Moment moment, std::uint64_t sn, std::size_t hash) {
    const auto [place, first] = deliveries_.try_emplace(sn, Delivery{node, hash});
    if (first || place->second.hash == hash || disagreements_.size() >= most_disagreements) return;
    disagreements_.push_back({Severity::broken,
                              "sn " + std::to_string(sn) + ": nodes " +
                                  std::to_string(place->second.node) + " and " +
                                  std::to_string(node) + " delivered different batches",
                              node, sn, moment});
  }

  // Slots that some node has delivered and this one has not.
  void add_behind(const SlotTable& slots, std::vector<Finding>& found) const {
    for (const auto& [node, seen] : nodes_) {
      const auto last = slots.delivered_up_to(node);
      std::optional<std::uint64_t> first_missing, last_missing;
      std::set<std::uint64_t> others;
      for (const auto& [sn, cells] : slots.slots()) {
        if (last && sn <= *last) continue;
        std::set<std::uint64_t> here;
        for (const auto& [other, cell] : cells)
          if (cell.phase() == Phase::delivered) here.insert(other);
        if (here.empty()) continue;
        if (!first_missing) first_missing = sn, others = here;
        last_missing = sn;
      }
      if (!first_missing) continue;
      const SlotCell* cell = slots.find(*first_missing, node);
      const Phase phase = cell ? cell->phase() : Phase::none;
      const bool never = phase < Phase::committed;
      found.push_back({Severity::stuck,
                       range_text(*first_missing, *last_missing) + ": node " +
                           std::to_string(node) + " never " +
                           (never ? "committed" : "delivered") + ", as " + node_list(others) +
                           " did; waits for " + slots.waits_for(*first_missing, node),
                       node, first_missing, cell && phase != Phase::none ? cell->at(phase)
                                                                         : seen.last});
    }
  }

  // The first slot that was proposed somewhere and delivered nowhere.
  void add_first_open(const SlotTable& slots, std::vector<Finding>& found) const {
    const auto highest = slots.highest_delivered();
    const std::uint64_t next = highest ? *highest + 1 : 0;
    const auto slot = slots.slots().find(next);
    if (slot == slots.slots().end()) return;
    const auto& [sn, cells] = *slot;
    const auto best = std::ranges::max_element(
        cells, {}, [](const auto& entry) { return entry.second.phase(); });
    const Phase phase = best->second.phase();
    found.push_back({Severity::note,
                     range_text(sn, sn) + " is the first that no node has delivered: node " +
                         std::to_string(best->first) + " waits for " +
                         slots.waits_for(sn, best->first),
                     best->first, sn,
                     phase == Phase::none ? std::optional<Moment>() : best->second.at(phase)});
  }

  void add_pauses(std::vector<Finding>& found) const {
    if (!last_delivery_) return;
    const std::uint64_t at_end = end_ - std::min(end_, last_delivery_->time);
    if (at_end >= silence)
      found.push_back({Severity::stuck,
                       "no node delivers anything in the last " + duration_text(at_end),
                       std::nullopt, std::nullopt, last_delivery_});
    if (longest_pause_.length >= silence)
      found.push_back({Severity::note,
                       "no node delivers anything for " + duration_text(longest_pause_.length) +
                           ": the longest such time",
                       std::nullopt, std::nullopt, longest_pause_.since});
  }

  void add_silence(std::vector<Finding>& found) const {
    for (const auto& [node, seen] : nodes_)
      if (end_ - seen.last.time > silence)
        found.push_back({Severity::stuck,
                         "node " + std::to_string(node) + " is silent for the last " +
                             duration_text(end_ - seen.last.time),
                         node, std::nullopt, seen.last});
  }

  void add_losses(std::vector<Finding>& found) const {
    Link all;
    auto worst = links_.end();
    for (auto link = links_.begin(); link != links_.end(); ++link) {
      all.sent += link->second.sent;
      all.lost += link->second.lost;
      if (worst == links_.end() || worst->second.lost < link->second.lost) worst = link;
    }
    if (all.lost == 0) return;
    const std::uint64_t receiver = worst->first.second;
    found.push_back({Severity::note,
                     loss_text(all) + " messages between the nodes never arrived, most from node " +
                         std::to_string(worst->first.first) + " to node " +
                         std::to_string(receiver) + ": " + loss_text(worst->second),
                     receiver, std::nullopt, std::nullopt});
  }

  void add_restarts(std::vector<Finding>& found) const {
    for (const auto& [node, seen] : nodes_) {
      const std::uint64_t starts = *std::ranges::max_element(seen.starts);
      if (starts > 1)
        found.push_back({Severity::note,
                         "node " + std::to_string(node) + " was restarted " +
                             std::to_string(starts - 1) + (starts == 2 ? " time" : " times"),
                         node, std::nullopt, std::nullopt});
    }
  }

  std::map<std::uint64_t, Seen> nodes_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, Link> links_;
  /// Of all slots: a node may be any number of them behind, and must not differ unseen.
  std::map<std::uint64_t, Delivery> deliveries_;
  std::vector<Finding> disagreements_;
  std::vector<Finding> halts_;
  std::uint64_t view_changes_ = 0;
  std::uint64_t first_view_change_node_ = 0;
  std::optional<Moment> first_view_change_;
  std::optional<Moment> last_delivery_;
  Pause longest_pause_;
  std::uint64_t end_ = 0;
};

}  // namespace mirbft::mircat

#endif

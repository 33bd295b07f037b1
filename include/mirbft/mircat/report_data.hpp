// A Story as the JSON that the report's page reads.
#ifndef MIRBFT_MIRCAT_REPORT_DATA_HPP
#define MIRBFT_MIRCAT_REPORT_DATA_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <mirbft/events/event.hpp>
#include <mirbft/mircat/short_json.hpp>
#include <mirbft/mircat/story.hpp>

namespace mirbft::mircat {

/// Writes a Story as one JSON object of columns, and its events' fields as lines of JSON, each of
/// which stands there once: the page reads those only that somebody looks at.
///
/// Times are nanoseconds since `base`; events, nodes, names and lines go by their places; -1 is
/// none. report/model.js is the other end.
class ReportData {
 public:
  /// Slots in the matrix, at most: the last ones.
  static constexpr std::size_t most_slots = 5000;

  explicit ReportData(const Story& story) : story_(story) {
    base_ = UINT64_MAX;
    for (const auto& [node, seen] : story.nodes()) {
      node_places_.emplace(node, node_places_.size());
      if (seen.events != 0) base_ = std::min(base_, seen.first);
    }
    for (const auto& [number, event] : story.events()) {
      fields_.push_back(line(event.fields));
      bodies_.push_back(event.body.empty() ? -1 : line(event.body));
    }
  }

  void write(std::ostream& out, const std::vector<Finding>& findings) {
    out << "{\"base\":\"" << (base_ == UINT64_MAX ? 0 : base_) << "\",\"total\":" << story_.total()
        << ",\"wanted\":" << story_.wanted() << ",\"matched\":" << story_.matched()
        << ",\"quorum\":" << story_.slots().quorum().strong();
    write_nodes(out);
    write_events(out);
    write_arrows(out);
    write_slots(out);
    write_latencies(out);
    write_findings(out, findings);
    write_names(out);
    out << "}";
  }

  void write_lines(std::ostream& out) const {
    for (const std::string* text : lines_) out << *text << '\n';
  }

 private:
  static std::string quoted(std::string_view text) {
    std::string out;
    put_json(out, text);
    return out;
  }

  std::int64_t since_base(std::uint64_t time) const {
    return static_cast<std::int64_t>(time - base_);
  }

  std::int64_t node_place(std::uint64_t node) const {
    const auto found = node_places_.find(node);
    return found == node_places_.end() ? -1 : static_cast<std::int64_t>(found->second);
  }

  std::int64_t event_place(std::uint64_t event) const {
    const auto place = story_.place_of(event);
    return place ? static_cast<std::int64_t>(*place) : -1;
  }

  std::int64_t line(const std::string& text) {
    const auto [found, is_new] = line_places_.try_emplace(text, lines_.size());
    if (is_new) lines_.push_back(&found->first);
    return static_cast<std::int64_t>(found->second);
  }

  std::int64_t name(const std::string& text) {
    if (text.empty()) return -1;
    const auto [found, is_new] = name_places_.try_emplace(text, names_.size());
    if (is_new) names_.push_back(text);
    return static_cast<std::int64_t>(found->second);
  }

  template <class Value>
  void write_column(std::ostream& out, std::string_view name, Value&& value) {
    out << ",\"" << name << "\":[";
    bool first = true;
    for (const auto& [number, event] : story_.events()) {
      if (!first) out << ',';
      first = false;
      out << value(event);
    }
    out << ']';
  }

  void write_nodes(std::ostream& out) const {
    out << ",\"nodes\":[";
    for (const auto& [node, seen] : story_.nodes()) {
      if (node_places_.at(node) != 0) out << ',';
      const auto last = story_.slots().delivered_up_to(node);
      out << "{\"id\":" << node << ",\"events\":" << seen.events
          << ",\"first\":" << (seen.events ? since_base(seen.first) : 0)
          << ",\"last\":" << (seen.events ? since_base(seen.last) : 0)
          << ",\"delivered\":" << (last ? static_cast<std::int64_t>(*last) : -1) << ",\"files\":[";
      for (const std::string& file : seen.files)
        out << (&file == &seen.files.front() ? "" : ",") << quoted(file);
      out << "]}";
    }
    out << "],\"modules\":[";
    for (std::size_t place = 0; place < slot_count; ++place)
      out << (place == 0 ? "" : ",") << quoted(slot_names[place]);
    out << ']';
  }

  void write_events(std::ostream& out) {
    std::uint64_t before = base_;
    write_column(out, "node", [&](const StoryEvent& event) { return node_place(event.node); });
    write_column(out, "time", [&](const StoryEvent& event) {
      const auto step = static_cast<std::int64_t>(event.time - before);
      before = event.time;
      return step;
    });
    write_column(out, "index", [](const StoryEvent& event) { return event.index; });
    write_column(out, "module", [](const StoryEvent& event) { return int{event.slot}; });
    write_column(out, "type", [&](const StoryEvent& event) { return name(event.type); });
    write_column(out, "message", [&](const StoryEvent& event) { return name(event.message); });
    write_column(out, "direction",
                 [](const StoryEvent& event) { return static_cast<int>(event.direction); });
    write_column(out, "reached",
                 [](const StoryEvent& event) { return static_cast<int>(event.reached); });
    write_column(out, "sn", [](const StoryEvent& event) {
      return event.sn ? static_cast<std::int64_t>(*event.sn) : -1;
    });
    auto fields = fields_.begin();
    write_column(out, "fields", [&](const StoryEvent&) { return *fields++; });
    auto bodies = bodies_.begin();
    write_column(out, "body", [&](const StoryEvent&) { return *bodies++; });
  }

  void write_arrows(std::ostream& out) const {
    out << ",\"arrows\":[";
    bool first = true;
    for (const StoryArrow& arrow : story_.arrows()) {
      out << (first ? "" : ",") << event_place(arrow.from) << ',' << event_place(arrow.to);
      first = false;
    }
    out << "],\"lost\":[";
    first = true;
    for (const StoryArrow& arrow : story_.lost()) {
      out << (first ? "" : ",") << event_place(arrow.from) << ',' << node_place(arrow.to);
      first = false;
    }
    out << ']';
  }

  // A cell is null, or when each phase was reached and the event that reached the last one; and
  // what the node waits for.
  void write_cell(std::ostream& out, std::uint64_t sn, std::uint64_t node) const {
    const SlotCell* cell = story_.slots().find(sn, node);
    if (!cell) {
      out << "null";
      return;
    }
    out << '[';
    for (const auto& reached : cell->reached)
      out << (reached ? since_base(reached->time) : -1) << ',';
    const Phase phase = cell->phase();
    out << (phase == Phase::none ? -1 : event_place(cell->at(phase)->event));
    if (phase != Phase::delivered) out << ',' << quoted(story_.slots().waits_for(sn, node));
    out << ']';
  }

  void write_slots(std::ostream& out) const {
    const auto& slots = story_.slots().slots();
    auto slot = slots.begin();
    if (slots.size() > most_slots)
      std::advance(slot, static_cast<std::ptrdiff_t>(slots.size() - most_slots));
    out << ",\"slots\":[";
    for (bool first = true; slot != slots.end(); ++slot, first = false) {
      out << (first ? "[" : ",[") << slot->first;
      for (const auto& [node, seen] : story_.nodes()) write_cell(out << ',', slot->first, node);
      out << ']';
    }
    out << ']';
  }

  void write_latencies(std::ostream& out) const {
    out << ",\"steps\":" << Histogram::steps_per_octave
        << ",\"open\":" << story_.latencies().open() << ",\"latencies\":[";
    for (std::size_t leg = 0; leg < leg_count; ++leg) {
      const Histogram& histogram = story_.latencies()[static_cast<Leg>(leg)];
      out << (leg == 0 ? "" : ",") << "{\"name\":" << quoted(leg_names[leg])
          << ",\"total\":" << histogram.total() << ",\"quantiles\":[";
      for (const double share : {0.5, 0.9, 0.99, 1.0})
        out << (share == 0.5 ? "" : ",") << static_cast<std::uint64_t>(histogram.quantile(share));
      out << "],\"counts\":[";
      bool first = true;
      for (const auto& [place, count] : histogram.counts()) {
        out << (first ? "" : ",") << place << ',' << count;
        first = false;
      }
      out << "]}";
    }
    out << ']';
  }

  void write_findings(std::ostream& out, const std::vector<Finding>& findings) const {
    out << ",\"findings\":[";
    for (const Finding& finding : findings) {
      out << (&finding == &findings.front() ? "" : ",")
          << "{\"severity\":" << static_cast<int>(finding.severity)
          << ",\"text\":" << quoted(finding.text)
          << ",\"node\":" << (finding.node ? node_place(*finding.node) : -1)
          << ",\"sn\":" << (finding.sn ? static_cast<std::int64_t>(*finding.sn) : -1)
          << ",\"time\":" << (finding.at ? since_base(finding.at->time) : -1)
          << ",\"event\":" << (finding.at ? event_place(finding.at->event) : -1) << '}';
    }
    out << ']';
  }

  void write_names(std::ostream& out) const {
    out << ",\"names\":[";
    for (std::size_t place = 0; place < names_.size(); ++place)
      out << (place == 0 ? "" : ",") << quoted(names_[place]);
    out << ']';
  }

  const Story& story_;
  std::uint64_t base_ = 0;
  std::map<std::uint64_t, std::size_t> node_places_;
  std::unordered_map<std::string, std::size_t> line_places_;
  std::vector<const std::string*> lines_;
  std::map<std::string, std::size_t> name_places_;
  std::vector<std::string> names_;
  std::vector<std::int64_t> fields_;
  std::vector<std::int64_t> bodies_;
};

}  // namespace mirbft::mircat

#endif

// `mircat export`: events for the tools of others.
#ifndef MIRBFT_MIRCAT_EXPORT_HPP
#define MIRBFT_MIRCAT_EXPORT_HPP

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include <mirbft/log/error.hpp>
#include <mirbft/mircat/command.hpp>
#include <mirbft/mircat/console.hpp>
#include <mirbft/mircat/export_chrome.hpp>
#include <mirbft/mircat/export_dot.hpp>
#include <mirbft/mircat/export_shiviz.hpp>
#include <mirbft/mircat/line.hpp>
#include <mirbft/mircat/logs.hpp>
#include <mirbft/mircat/output.hpp>
#include <mirbft/mircat/progress.hpp>
#include <mirbft/mircat/selection.hpp>
#include <mirbft/types/errors.hpp>

namespace mirbft::mircat {

/// Writes the events that are selected, while it reads them, in a format that is asked for.
class Export {
 public:
  static constexpr std::string_view name = "export";
  static constexpr std::string_view about =
      "write events for Perfetto, ShiViz or Graphviz, or as JSON lines";
  static constexpr std::string_view examples =
      "  mircat export run/ --chrome -o trace.json      # open in https://ui.perfetto.dev\n"
      "  mircat export run/ --shiviz --filter sn=17 -o slot.log\n"
      "  mircat export run/ --dot --filter sn=17 | dot -Tsvg > slot.svg\n"
      "  mircat export run/ --json | jq .type\n";

  /// Graphviz takes minutes for more, and nobody can read them.
  static constexpr std::uint64_t most_in_graph = 1000;

  void options(Options& options) {
    selection_.options(options);
    options.optional("--chrome", "Chrome's trace format: opens in Perfetto", &chrome_);
    options.optional("--shiviz", "ShiViz' log, with vector clocks", &shiviz_);
    options.optional("--dot", "a graph of what caused what, for a small part", &dot_);
    options.optional("--json", "an object a line, events of all nodes merged", &json_);
    options.optional("-o,--output", "a file; - is standard output (-)", &output_);
  }

  int run(Console& console) {
    if (int{chrome_} + int{shiviz_} + int{dot_} + int{json_} != 1)
      throw ConfigError("format", "none or several",
                        "give one of --chrome, --shiviz, --dot and --json");
    SelectedEvents events(selection_);
    Output output(console, output_);
    const auto damage = write(console, events, output.stream());
    output.close();
    if (damage) throw *damage;
    return status::ok;
  }

 private:
  struct JsonLines {
    std::ostream& out;

    void add(const Found& found) { out << event_json(found) << '\n'; }
    void finish() {}
  };

  /// Returns what could not be read; what was is whole in its format.
  std::optional<LogError> write(Console& console, SelectedEvents& events,
                                std::ostream& out) const {
    const auto finished = [](auto writer, const auto& add_all) {
      const auto damage = damage_in([&] { add_all(writer); });
      writer.finish();
      return damage;
    };
    const auto all = [&](auto& writer) { add_all(console, events, writer); };
    if (chrome_) return finished(ChromeTrace(out), all);
    if (shiviz_) return finished(ShivizLog(out), all);
    if (json_) return finished(JsonLines{out}, all);
    return finished(DotGraph(out), [&](DotGraph& graph) { draw(console, events, graph); });
  }

  template <class Writer>
  static void add_all(Console& console, SelectedEvents& events, Writer& writer) {
    Progress progress(console, "exporting", Meanwhile::lines);
    while (const auto found = events.next()) {
      writer.add(*found);
      progress.show(events.logs().done(), events.logs().total());
    }
  }

  void draw(Console& console, SelectedEvents& events, DotGraph& graph) const {
    const std::uint64_t limit = selection_.limit.value_or(most_in_graph);
    std::uint64_t written = 0;
    while (const auto found = events.next()) {
      if (written++ == limit) {
        console.err() << "the graph ends after " << limit
                      << " events: --filter, --from and --limit choose others\n";
        break;
      }
      graph.add(*found);
    }
  }

  Selection selection_;
  bool chrome_ = false;
  bool shiviz_ = false;
  bool dot_ = false;
  bool json_ = false;
  std::string output_ = "-";
};

}  // namespace mirbft::mircat

#endif

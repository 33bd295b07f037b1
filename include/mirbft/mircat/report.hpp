// `mircat report`: what happened in a cluster, as one page that needs nothing but a browser.
#ifndef MIRBFT_MIRCAT_REPORT_HPP
#define MIRBFT_MIRCAT_REPORT_HPP

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <mirbft/mircat/command.hpp>
#include <mirbft/mircat/console.hpp>
#include <mirbft/mircat/filter.hpp>
#include <mirbft/mircat/found.hpp>
#include <mirbft/mircat/logs.hpp>
#include <mirbft/mircat/output.hpp>
#include <mirbft/mircat/progress.hpp>
#include <mirbft/mircat/report_data.hpp>
#include <mirbft/mircat/report_page.hpp>
#include <mirbft/mircat/selection.hpp>
#include <mirbft/mircat/story.hpp>

namespace mirbft::mircat {

/// Writes the page, and the findings as lines to the errors' stream.
class Report {
 public:
  static constexpr std::string_view name = "report";
  static constexpr std::string_view about = "write one page that shows what happened in a cluster";
  static constexpr std::string_view examples =
      "  mircat report node-*.log -o report.html\n"
      "  mircat report run/ --limit 20000\n"
      "  mircat report run/ --filter 'sn=100..120' -o slot.html\n";

  /// Events on a page unless another limit is given: a browser still draws these at once.
  static constexpr std::uint64_t most_events = 200'000;

  void options(Options& options) {
    selection_.options(options);
    options.optional("-o,--output", "the page's file, - for standard output (report.html)",
                     &output_);
  }

  /// The status `finding` says that nodes have delivered different things.
  int run(Console& console) {
    const std::uint64_t limit = selection_.limit.value_or(most_events);
    Story story(limit, selection_.from == 0 ? Keep::last : Keep::first);
    Logs logs(selection_.logs);
    const auto damage = damage_in([&] { read(console, logs, story); });
    story.finish();
    const std::vector<Finding> findings = story.findings();
    Output output(console, output_);
    write_page(output.stream(), story, findings);
    output.close();
    tell(console, story, findings);
    if (damage) throw *damage;
    const bool broken = std::ranges::any_of(
        findings, [](const Finding& f) { return f.severity == Severity::broken; });
    return broken ? status::finding : status::ok;
  }

 private:
  void read(Console& console, Logs& logs, Story& story) const {
    Filter filter = Filter::parse(selection_.filters);
    filter.check(logs);
    for (const auto& log : logs.all()) story.add_node(log->reader.node().value, log->reader.path());
    Progress progress(console, "reading");
    while (const auto found = logs.next()) {
      story.add(*found, [&](const Found& event) {
        return event.event.index >= selection_.from && filter(event);
      });
      progress.show(logs.done(), logs.total());
    }
  }

  static void write_page(std::ostream& out, const Story& story,
                         const std::vector<Finding>& findings) {
    ReportData data(story);
    for (const std::string_view piece : report_page::before_data) out << piece;
    out << "<script type=\"application/json\" id=\"data\">";
    data.write(out, findings);
    out << "</script>\n<script type=\"text/plain\" id=\"details\">";
    data.write_lines(out);
    out << "</script>\n";
    for (const std::string_view piece : report_page::after_data) out << piece;
  }

  void tell(Console& console, const Story& story, const std::vector<Finding>& findings) const {
    std::ostream& err = console.err();
    for (const Finding& finding : findings) err << finding.text << '\n';
    if (story.events().size() < story.wanted())
      err << "the page draws " << story.events().size() << " of " << story.wanted()
          << " events, the " << (selection_.from == 0 ? "last" : "first from --from on")
          << ": --from, --limit and --filter choose others\n";
    err << (output_ == "-" ? "the page" : output_) << ": " << story.nodes().size() << " nodes, "
        << story.total() << " events, " << story.matched() << " messages, " << findings.size()
        << " findings\n";
  }

  Selection selection_;
  std::string output_ = "report.html";
};

}  // namespace mirbft::mircat

#endif

// `mircat diff`: where two replicas part, and what led there; or where two logs of one node do.
#ifndef MIRBFT_MIRCAT_DIFF_HPP
#define MIRBFT_MIRCAT_DIFF_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/log/event.hpp>
#include <mirbft/mircat/agreement.hpp>
#include <mirbft/mircat/brief.hpp>
#include <mirbft/mircat/command.hpp>
#include <mirbft/mircat/console.hpp>
#include <mirbft/mircat/filter.hpp>
#include <mirbft/mircat/found.hpp>
#include <mirbft/mircat/logs.hpp>
#include <mirbft/mircat/progress.hpp>
#include <mirbft/mircat/side_by_side.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/wire/json.hpp>

namespace mirbft::mircat {

/// How far a kind of facts is the same, in JSON.
struct CommonReport {
  std::string kind;
  std::uint64_t facts = 0;
  std::optional<SeqNr> first;
  std::optional<SeqNr> last;
  /// How far each log goes.
  std::optional<SeqNr> left_reached;
  std::optional<SeqNr> right_reached;
};

/// Where two logs part, in JSON.
struct PartingReport {
  std::string kind;
  /// None for `--events`.
  std::optional<SeqNr> sn;
  std::uint64_t left_index = 0;
  std::uint64_t right_index = 0;
  /// A line a field, from the left to the right.
  std::string text;
  std::vector<PairReport> led_there;
};

/// What `diff` says, in JSON.
struct DiffReport {
  std::string left;
  std::string right;
  std::vector<CommonReport> common;
  std::optional<PartingReport> parting;
};

/// Compares two logs.
class Diff {
 public:
  static constexpr std::string_view name = "diff";
  static constexpr std::string_view about =
      "find where two nodes' logs part, and what led there";
  static constexpr std::string_view examples =
      "  mircat diff node-0.log node-1.log\n"
      "  mircat diff --events node-0.log node-0-again.log\n"
      "Exit status 1 if they part. That one of them is shorter is told, and is no difference.\n";

  void options(Options& options) {
    options.required("left", "an event log", &left_);
    options.required("right", "another one", &right_);
    options.optional("--events", "compare event by event: for two logs of one node", &events_);
    options.optional("--json", "a JSON object", &json_);
  }

  int run(Console& console) {
    DiffReport report{left_, right_, {}, {}};
    const std::unique_ptr<Log> left = open_log(left_);
    const std::unique_ptr<Log> right = open_log(right_);
    events_ ? compare_events(console, *left, *right, report)
            : compare_nodes(console, *left, *right, report);
    if (json_) console.out() << wire::to_json(report) << '\n';
    return report.parting ? status::finding : status::ok;
  }

 private:
  using Side = Agreement::Side;

  void compare_events(Console& console, Log& left, Log& right, DiffReport& report) const {
    std::uint64_t same = 0;
    std::optional<LogEvent> one, other;
    for (;; ++same) {
      one = left.reader.next();
      other = right.reader.next();
      if (!one || !other || !is_same(*one, *other)) break;
    }
    if (one && other)
      report.parting = PartingReport{"event",      std::nullopt, one->index,
                                     other->index, differences(left, *one, *other), {}};
    if (json_) return;
    std::ostream& out = console.out();
    out << same << " events are the same\n";
    if (report.parting) {
      out << "then they part:\n  " << line_of(left, *one) << "\n  " << line_of(right, *other)
          << '\n' << indented(report.parting->text);
    } else if (one || other) {
      out << "there " << (one ? right_ : left_) << " ends, " << (one ? left_ : right_)
          << " goes on\n";
    }
  }

  static bool is_same(const LogEvent& one, const LogEvent& other) {
    return one.slot == other.slot && one.name == other.name && one.payload == other.payload;
  }

  static std::string differences(const Log& left, const LogEvent& one, const LogEvent& other) {
    const auto changed = [](std::string field, std::string_view from, std::string_view to) {
      return field + ": " + std::string(from) + " -> " + std::string(to) + '\n';
    };
    if (one.name != other.name)
      return changed("type", short_name(one.name), short_name(other.name));
    std::string text = left.printer.differences(one, other);
    if (one.slot != other.slot) text += changed("slot", slot_name(one), slot_name(other));
    return text.empty() ? "the same fields in other bytes\n" : text;
  }

  void compare_nodes(Console& console, Log& left, Log& right, DiffReport& report) const {
    const Agreement agreement = agree(console, left, right);
    for (std::size_t place = 0; place < fact_kinds; ++place) {
      const auto kind = static_cast<FactKind>(place);
      const Common& common = agreement.common(kind);
      report.common.push_back({fact_names[place], common.facts, common.first, common.last,
                               agreement.reached(Side::left, kind),
                               agreement.reached(Side::right, kind)});
    }
    if (const auto& parting = agreement.parting()) {
      report.parting = PartingReport{fact_names[static_cast<std::size_t>(parting->kind)],
                                     parting->sn,
                                     parting->left.index,
                                     parting->right.index,
                                     differences(left, parting->left, parting->right),
                                     what_led_to(*parting)};
    }
    if (!json_) print(console, left, right, report);
  }

  /// Reads both logs, the one that lags behind first, until there is nothing more to be found.
  static Agreement agree(Console& console, Log& left, Log& right) {
    // A lower difference of another kind may still come: a checkpoint takes its time.
    constexpr std::uint64_t events_after_parting = 65536;
    Agreement agreement;
    Progress progress(console, "comparing");
    std::array<bool, 2> has_ended{};
    std::uint64_t bytes = 0;
    std::uint64_t after = 0;
    while (!(has_ended[0] && has_ended[1]) && after < events_after_parting) {
      Side side = agreement.next();
      if (has_ended[static_cast<std::size_t>(side)])
        side = side == Side::left ? Side::right : Side::left;
      Log& log = side == Side::left ? left : right;
      const std::optional<LogEvent> event = log.reader.next();
      if (!event) {
        has_ended[static_cast<std::size_t>(side)] = true;
        continue;
      }
      if (const auto fact = fact_of(*event)) agreement.add(side, *fact);
      if (agreement.parting()) ++after;
      progress.show(bytes += event->payload.size(), 0);
    }
    return agreement;
  }

  /// The events of both logs that are about that number, up to where they part.
  std::vector<PairReport> what_led_to(const Parting& parting) const {
    const std::string field = parting.kind == FactKind::checkpoint ? "last" : "sn";
    const std::string words =
        field + '=' + std::to_string(parting.sn.value) +
        " type!=HashRequest,HashResult,SignRequest,SignResult,VerifyNodeSigs,NodeSigsVerified";
    SideBySide pairs;
    const std::array<std::pair<const std::string*, std::uint64_t>, 2> logs{
        {{&left_, parting.left.index}, {&right_, parting.right.index}}};
    for (const auto& [path, last] : logs) {
      const std::unique_ptr<Log> log = open_log(*path);
      const Filter filter = Filter::parse(words);  // It remembers the log's types.
      while (auto event = log->reader.next()) {
        if (event->index > last) break;
        const Found found{log->reader.node(), std::move(*event), &log->reader, &log->printer};
        if (found.event.index == last || filter(found)) pairs.add(path == &left_, found);
      }
    }
    return std::move(pairs).take();
  }

  void print(Console& console, const Log& left, const Log& right, const DiffReport& report) const {
    std::ostream& out = console.out();
    out << "left:  node " << left.reader.node().value << ", " << left_ << "\nright: node "
        << right.reader.node().value << ", " << right_ << '\n';
    for (const CommonReport& common : report.common) {
      out << common.kind << ": " << common.facts << " the same"
          << (common.last ? ", of " + span(*common.first, *common.last) : "") << " (left up to "
          << number(common.left_reached) << ", right up to " << number(common.right_reached)
          << ")\n";
    }
    if (!report.parting) {
      out << (report.common.front().last ? "they do not part\n"
                                         : "they have no sequence number in common\n");
      return;
    }
    const PartingReport& parting = *report.parting;
    out << console.paint(Ink::red, "they part at sequence number " + number(parting.sn)) << ": "
        << parting.kind << " differ (event " << parting.left_index << " on the left, "
        << parting.right_index << " on the right), from left to right:\n"
        << indented(parting.text) << "what led there (left, right; = the same, ! not):\n";
    print_pairs(console, parting.led_there);
  }

  static std::string number(std::optional<SeqNr> sn) {
    return sn ? std::to_string(sn->value) : "nothing";
  }
  static std::string span(SeqNr first, SeqNr last) {
    return std::to_string(first.value) + ".." + std::to_string(last.value);
  }
  static std::string line_of(const Log& log, const LogEvent& event) {
    return std::to_string(event.index) + ' ' + std::string(slot_name(event)) + ' ' +
           brief({log.reader.node(), event, &log.reader, &log.printer});
  }
  static std::string indented(std::string_view lines) {
    std::string text;
    while (!lines.empty()) {
      const std::size_t end = std::min(lines.find('\n'), lines.size());
      text += "  " + std::string(lines.substr(0, end)) + '\n';
      lines.remove_prefix(std::min(end + 1, lines.size()));
    }
    return text;
  }

  std::string left_;
  std::string right_;
  bool events_ = false;
  bool json_ = false;
};

}  // namespace mirbft::mircat

BOOST_HANA_ADAPT_STRUCT(mirbft::mircat::CommonReport, kind, facts, first, last, left_reached,
                        right_reached);
BOOST_HANA_ADAPT_STRUCT(mirbft::mircat::PartingReport, kind, sn, left_index, right_index, text,
                        led_there);
BOOST_HANA_ADAPT_STRUCT(mirbft::mircat::DiffReport, left, right, common, parting);

#endif

// `mircat replay`: runs modules once more on what a log says they were given, and compares what
// they emit.
#ifndef MIRBFT_MIRCAT_REPLAY_HPP
#define MIRBFT_MIRCAT_REPLAY_HPP

#include <algorithm>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/events/event.hpp>
#include <mirbft/log/error.hpp>
#include <mirbft/mircat/command.hpp>
#include <mirbft/mircat/console.hpp>
#include <mirbft/mircat/found.hpp>
#include <mirbft/mircat/line.hpp>
#include <mirbft/mircat/log_replay.hpp>
#include <mirbft/mircat/logs.hpp>
#include <mirbft/mircat/progress.hpp>
#include <mirbft/mircat/replayed_module.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/wire/json.hpp>

namespace mirbft::mircat {

/// A difference, in JSON.
struct DifferenceReport {
  std::string module;
  std::uint64_t index = 0;
  std::string slot;
  std::string type;
  /// A line a field.
  std::string text;
};

/// A module, in JSON.
struct ModuleReport {
  std::string module;
  std::uint64_t fed = 0;
  std::uint64_t compared = 0;
  std::uint64_t pending = 0;
  /// Where the log's beginning is gone: what it shows of inputs before.
  std::uint64_t passed_over = 0;
  /// Why it was not replayed.
  std::optional<std::string> skipped;
  /// How it failed.
  std::optional<std::string> failure;
};

/// A log, in JSON.
struct ReplayReport {
  std::string log;
  NodeId node;
  std::uint64_t events = 0;
  std::vector<ModuleReport> modules;
  std::optional<DifferenceReport> difference;
};

/// What a replay has come to after so many events.
inline ReplayReport report_of(const LogReplay& replay, std::uint64_t events) {
  ReplayReport report{replay.log().reader.path(), replay.log().reader.node(), events, {}, {}};
  for (const ModuleInReplay& each : replay.modules()) {
    ModuleReport& module = report.modules.emplace_back();
    module.module = each.name();
    if (!each.module) {
      module.skipped = each.refusal;
      continue;
    }
    const ReplayCount count = each.module->count();
    module.fed = count.fed;
    module.compared = count.compared;
    module.pending = count.pending;
    module.passed_over = count.passed_over;
    if (!each.module->failure().empty()) module.failure = each.module->failure();
  }
  if (const auto& found = replay.difference()) {
    const LogEvent& event = found->difference.recorded;
    report.difference = DifferenceReport{slot_names[found->slot], event.index,
                                         std::string(slot_name(event)),
                                         std::string(short_name(event.name)),
                                         found->difference.text};
  }
  return report;
}

/// The difference for people: which event it is, and a line a field, from the log to the replay.
inline void print_difference(Console& console, const LogReplay& replay) {
  const FoundDifference& found = *replay.difference();
  const LogEvent& event = found.difference.recorded;
  const Log& log = replay.log();
  console.out() << console.paint(Ink::red, "the " + std::string(slot_names[found.slot]) +
                                               " parts from the log here")
                << ":\n  "
                << event_line(console, {log.reader.node(), event, &log.reader, &log.printer})
                << "\nfrom the log to the replay:\n";
  std::string_view text = found.difference.text;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    console.out() << "  " << text.substr(0, end) << '\n';
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

/// In a word. That nothing was compared is no success.
inline std::string verdict(const Console& console, const ModuleReport& module, bool differs) {
  if (differs) return console.paint(Ink::red, "DIFFERS");
  if (module.passed_over != 0 && module.compared == 0)
    return console.paint(Ink::yellow, "nothing compared");
  return console.paint(Ink::green, "same");
}

inline void print_report(Console& console, const ReplayReport& report) {
  std::ostream& out = console.out();
  out << report.log << ": node " << report.node.value << ", " << report.events << " events\n";
  for (const ModuleReport& module : report.modules) {
    out << "  " << module.module << std::string(10 - module.module.size(), ' ');
    if (module.skipped) {
      out << "not replayed: " << *module.skipped << '\n';
      continue;
    }
    if (module.passed_over != 0)
      out << "passed over " << module.passed_over << " of inputs that are gone, ";
    const bool differs = report.difference && report.difference->module == module.module;
    out << "given " << module.fed << ", compared " << module.compared << ", not dispatched yet "
        << module.pending << ": " << verdict(console, module, differs) << '\n';
    if (module.failure && !differs)
      out << "            " << *module.failure << "; the log ends so, too\n";
  }
}

/// Replays each log on its own, up to its first difference.
class ReplayCommand {
 public:
  static constexpr std::string_view name = "replay";
  static constexpr std::string_view about =
      "run modules on what they were given, compare what they emit";
  static constexpr std::string_view examples =
      "  mircat replay node-0.log\n"
      "  mircat replay run/ --module protocol,app --json\n"
      "  mircat replay old.log --module protocol --config protocol=iss.json\n";

  explicit ReplayCommand(const ModuleMaker& maker) : maker_(maker) {}

  void options(Options& options) {
    options.required("logs", "event logs, or directories of them: each is replayed alone", &logs_);
    options.optional("--module", "all, or some of protocol,tracker,app,hasher,crypto",
                     &choice_.modules);
    options.optional("--config", "MODULE=FILE: JSON in place of what the log says of a module",
                     &choice_.configs);
    options.optional("--json", "a JSON object for each log", &json_);
  }

  int run(Console& console) {
    int result = status::ok;
    for (const std::string& path : log_files(logs_))
      result = std::max(result, replay(console, path));
    return result;
  }

 private:
  /// The status. That a log cannot be read is told, and is no reason to leave out the next.
  int replay(Console& console, const std::string& path) const {
    std::unique_ptr<Log> log;
    if (!is_done(console, [&] { log = open_log(path); })) return status::unusable;
    LogReplay replay(*log, choice_, maker_);
    const std::uint64_t size = log_size(path);
    std::uint64_t events = 0;
    const bool is_whole = is_done(console, [&] {
      Progress progress(console, "replaying");
      for (; !replay.difference(); ++events) {
        const std::optional<LogEvent> event = replay.next();
        if (!event) break;
        progress.show(event->offset, size);
      }
    });
    if (is_whole || events != 0) tell(console, replay, events);
    if (!replay.gone().empty()) console.err() << "mircat: " << replay.gone() << '\n';
    if (!is_whole || !replay.gone().empty()) return status::unusable;
    return replay.difference() ? status::finding : status::ok;
  }

  /// Says why not.
  template <class Job>
  static bool is_done(Console& console, Job&& job) {
    const auto refuse = [&console](const std::exception& error) {
      console.err() << "mircat: " << error.what() << '\n';
      return false;
    };
    try {
      job();
      return true;
    } catch (const LogError& damage) {
      return refuse(damage);
    } catch (const ConfigError& error) {
      return refuse(error);
    }
  }

  void tell(Console& console, const LogReplay& replay, std::uint64_t events) const {
    const ReplayReport report = report_of(replay, events);
    if (json_) {
      console.out() << wire::to_json(report) << '\n';
    } else {
      print_report(console, report);
      if (report.difference) print_difference(console, replay);
    }
  }

  ModuleMaker maker_;
  std::vector<std::string> logs_;
  ReplayChoice choice_;
  bool json_ = false;
};

}  // namespace mirbft::mircat

BOOST_HANA_ADAPT_STRUCT(mirbft::mircat::DifferenceReport, module, index, slot, type, text);
BOOST_HANA_ADAPT_STRUCT(mirbft::mircat::ModuleReport, module, fed, compared, pending, passed_over,
                        skipped, failure);
BOOST_HANA_ADAPT_STRUCT(mirbft::mircat::ReplayReport, log, node, events, modules, difference);

#endif

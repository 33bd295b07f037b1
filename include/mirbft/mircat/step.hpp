// `mircat step`: a replay one event at a time, with the module's state between events.
#ifndef MIRBFT_MIRCAT_STEP_HPP
#define MIRBFT_MIRCAT_STEP_HPP

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <istream>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mirbft/mircat/command.hpp>
#include <mirbft/mircat/console.hpp>
#include <mirbft/mircat/filter.hpp>
#include <mirbft/mircat/found.hpp>
#include <mirbft/mircat/line.hpp>
#include <mirbft/mircat/log_replay.hpp>
#include <mirbft/mircat/logs.hpp>
#include <mirbft/mircat/replay.hpp>
#include <mirbft/mircat/replayed_module.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/wire/json.hpp>

namespace mirbft::mircat {

/// How a step is shown.
struct StepLayout {
  bool json = false;
  /// All of the state, and not only what has changed.
  bool full = false;
};

/// The replay of one module, step by step.
class Stepper {
 public:
  Stepper(Console& console, LogReplay& replay, StepLayout layout)
      : console_(console), replay_(replay), layout_(layout), state_(module().state()) {}

  /// Goes on to the next event that the module is given.
  void step() {
    run([this](const LogEvent& event) {
      return event.slot.index() == replay_.modules().front().slot;
    });
  }
  /// Goes on to the next event that `breaks(found)`.
  template <class Breaks>
  void go_on(const Breaks& breaks) {
    run([&](const LogEvent& event) { return breaks(found(event)); });
  }

  /// The fields of the state that begin like this.
  void print(std::string_view begin) const {
    for (const auto& [path, value] : module().state())
      if (path.starts_with(begin)) console_.out() << "  " << path << ": " << value << '\n';
  }

  /// Whether there is nothing left to do.
  bool is_over() const noexcept { return is_over_; }
  bool has_difference() const noexcept { return replay_.difference().has_value(); }

 private:
  const ReplayedModule& module() const { return *replay_.modules().front().module; }
  Found found(const LogEvent& event) const {
    const Log& log = replay_.log();
    return {log.reader.node(), event, &log.reader, &log.printer};
  }

  template <class Stops>
  void run(const Stops& stops) {
    if (is_over_) return say("the replay is over");
    while (const auto event = replay_.next()) {
      ++events_;
      if (has_difference()) {
        is_over_ = true;
        show(*event);
        if (!layout_.json) print_difference(console_, replay_);
        return;
      }
      if (stops(*event)) return show(*event);
    }
    is_over_ = true;
    say("the log ends after " + std::to_string(events_) + " events");
  }

  /// What is no event: in JSON there is nothing to say.
  void say(const std::string& text) const {
    if (!layout_.json) console_.out() << text << '\n';
  }

  void show(const LogEvent& event) {
    const StateFields before = std::exchange(state_, module().state());
    layout_.json ? show_json(event, before) : show_text(event, before);
  }

  void show_text(const LogEvent& event, const StateFields& before) const {
    std::ostream& out = console_.out();
    out << event_line(console_, found(event)) << '\n';
    for (const LogEvent& emitted : module().emitted())
      out << "  emits " << slots_of(emitted) << ' ' << short_name(emitted.name) << " { "
          << replay_.log().printer.text(emitted) << " }\n";
    if (!module().failure().empty()) out << "  " << module().failure() << '\n';
    for (std::size_t place = 0; place < state_.size(); ++place) {
      const auto& [path, value] = state_[place];
      const std::string* old = value_of(before, place, path);
      if (old && *old == value && !layout_.full) continue;
      out << "  " << path << ": ";
      if (old && *old != value) out << *old << " -> ";
      out << console_.paint(old && *old == value ? Ink::dim : Ink::yellow, value) << '\n';
    }
  }

  void show_json(const LogEvent& event, const StateFields& before) const {
    std::string line = event_json(found(event));
    line.back() = ',';
    line += "\"emitted\":[";
    for (const LogEvent& emitted : module().emitted())
      line += std::string(line.back() == '[' ? "" : ",") + "{\"slot\":\"" + slots_of(emitted) +
              "\",\"type\":\"" + std::string(short_name(emitted.name)) +
              "\",\"event\":" + replay_.log().printer.json(emitted) + '}';
    line += "],\"state\":{";
    for (std::size_t place = 0; place < state_.size(); ++place) {
      const auto& [path, value] = state_[place];
      const std::string* old = value_of(before, place, path);
      if (old && *old == value && !layout_.full) continue;
      line += (line.back() == '{' ? "" : ",") + wire::to_json(path) + ':' + value;
    }
    line += "},\"failure\":" + or_null(module().failure());
    line += ",\"difference\":" +
            or_null(has_difference() ? replay_.difference()->difference.text : "") + '}';
    console_.out() << line << '\n';
  }

  static std::string or_null(const std::string& text) {
    return text.empty() ? "null" : wire::to_json(text);
  }

  /// The fields of a state hardly change their places.
  static const std::string* value_of(const StateFields& fields, std::size_t place,
                                     const std::string& path) {
    if (place < fields.size() && fields[place].first == path) return &fields[place].second;
    const auto found = std::ranges::find(fields, path, &StateFields::value_type::first);
    return found == fields.end() ? nullptr : &found->second;
  }

  static std::string slots_of(const LogEvent& event) {
    std::string names;
    for (std::size_t place = 0; place < slot_count; ++place)
      if ((event.slot.bits() >> place & 1) != 0)
        names += (names.empty() ? "" : "|") + std::string(slot_names[place]);
    return names;
  }

  Console& console_;
  LogReplay& replay_;
  StepLayout layout_;
  StateFields state_;
  std::uint64_t events_ = 0;
  bool is_over_ = false;
};

/// Steps through one log; what to do is read from standard input.
class StepCommand {
 public:
  static constexpr std::string_view name = "step";
  static constexpr std::string_view about =
      "replay one module event by event; commands come from standard input";
  static constexpr std::string_view examples =
      "  mircat step node-0.log\n"
      "  echo 'step 20' | mircat step node-0.log --module tracker\n"
      "  printf 'continue\\nprint\\n' | mircat step node-0.log --break 'type=Deliver sn=57'\n"
      "Commands on standard input, of which the first letter is enough:\n"
      "  step [N]      the next event that the module is given, or the next N\n"
      "  continue      up to the next event that --break names, or the end\n"
      "  break FILTER  breaks there instead\n"
      "  print [FIELD] the state, or the fields that begin like this\n"
      "  quit\n";

  explicit StepCommand(const ModuleMaker& maker) : maker_(maker) { choice_.modules = "protocol"; }

  void options(Options& options) {
    options.required("log", "an event log", &log_);
    options.optional("--module", "protocol, tracker, app, hasher or crypto", &choice_.modules);
    options.optional("--config", "MODULE=FILE: JSON in place of what the log says of the module",
                     &choice_.configs);
    options.optional("--break", "where to stop, as in --filter of cat", &breaks_);
    options.optional("--full", "show all of the state each time, not only what has changed",
                     &layout_.full);
    options.optional("--json", "a JSON object for each event that is shown", &layout_.json);
  }

  int run(Console& console) {
    replayable_slot(choice_.modules, "--module");
    const Logs logs({log_});
    if (log_files({log_}).size() != 1)
      throw ConfigError("log", log_, "there are several in it: name the one to step through");
    Filter filter = breaks(breaks_, logs);
    LogReplay replay(*logs.all().front(), choice_, maker_);
    Stepper stepper(console, replay, layout_);
    std::string line;
    for (std::string again; read(console, line); again = line) {
      if (line.empty()) line = again;
      try {
        if (!obey(stepper, line, filter, logs)) break;
      } catch (const ConfigError& error) {
        if (!console.terminals().in) throw;
        console.err() << error.what() << '\n';
      }
    }
    return stepper.has_difference() ? status::finding : status::ok;
  }

 private:
  static Filter breaks(const std::vector<std::string>& words, const Logs& logs) {
    Filter filter = Filter::parse(words);
    filter.check(logs);
    return filter;
  }

  static bool read(Console& console, std::string& line) {
    if (console.terminals().in) console.out() << "(mircat) ";
    console.out().flush();
    return static_cast<bool>(std::getline(console.in(), line));
  }

  /// Whether to go on.
  static bool obey(Stepper& stepper, const std::string& line, Filter& filter, const Logs& logs) {
    const std::size_t blank = std::min(line.find(' '), line.size());
    const std::string_view word = std::string_view(line).substr(0, blank);
    const std::string argument = line.substr(std::min(blank + 1, line.size()));
    const auto is = [word](std::string_view command) {
      return !word.empty() && command.starts_with(word);
    };
    if (is("quit")) return false;
    if (is("step")) {
      std::uint64_t left = count(argument);
      do stepper.step();
      while (--left != 0 && !stepper.is_over());
    } else if (is("continue")) {
      stepper.go_on([&](const Found& found) { return !filter.empty() && filter(found); });
    } else if (is("break")) {
      filter = breaks({argument}, logs);
    } else if (is("print")) {
      stepper.print(argument);
    } else if (!word.empty()) {
      throw ConfigError("command", '"' + line + '"',
                        "say step [N], continue, break FILTER, print [FIELD] or quit");
    }
    return true;
  }

  static std::uint64_t count(const std::string& text) {
    if (text.empty()) return 1;
    std::uint64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || at != end || number == 0)
      throw ConfigError("step", '"' + text + '"', "say how many events: a number from 1 on");
    return number;
  }

  ModuleMaker maker_;
  std::string log_;
  ReplayChoice choice_;
  std::vector<std::string> breaks_;
  StepLayout layout_;
};

}  // namespace mirbft::mircat

#endif

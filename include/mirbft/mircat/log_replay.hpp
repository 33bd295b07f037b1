// The modules of a Node run once more on one of its logs.
#ifndef MIRBFT_MIRCAT_LOG_REPLAY_HPP
#define MIRBFT_MIRCAT_LOG_REPLAY_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mirbft/events/event.hpp>
#include <mirbft/log/event.hpp>
#include <mirbft/log/replay.hpp>
#include <mirbft/mircat/found.hpp>
#include <mirbft/mircat/logs.hpp>
#include <mirbft/mircat/replayed_module.hpp>
#include <mirbft/types/errors.hpp>

namespace mirbft::mircat {

/// Which modules are to be replayed, and how they were configured.
struct ReplayChoice {
  /// "all", or names with commas between.
  std::string modules = "all";
  /// Words MODULE=FILE.
  std::vector<std::string> configs;

  bool is_all() const noexcept { return modules == "all"; }

  /// Throws ConfigError.
  std::vector<std::size_t> slots() const {
    std::vector<std::size_t> chosen;
    for (std::string_view rest = modules; !is_all();) {
      const std::size_t comma = rest.find(',');
      chosen.push_back(replayable_slot(rest.substr(0, comma), "--module"));
      if (comma == std::string_view::npos) return chosen;
      rest.remove_prefix(comma + 1);
    }
    return {std::begin(replayable_slots), std::end(replayable_slots)};
  }
};

/// One module in a replay: it is there, or why it is not.
struct ModuleInReplay {
  std::size_t slot = 0;
  std::unique_ptr<ReplayedModule> module;
  std::string refusal;

  std::string name() const { return slot_names[slot]; }
};

/// Where a module and its log part.
struct FoundDifference {
  std::size_t slot = 0;
  LogDifference difference;
};

/// All chosen modules at once, event by event.
class LogReplay {
 public:
  /// What cannot be replayed is left out if all modules were chosen; else it is a ConfigError.
  LogReplay(Log& log, const ReplayChoice& choice, const ModuleMaker& maker)
      : log_(log), is_all_(choice.is_all()) {
    const ConfigFiles files = config_files(choice.configs);
    for (const std::size_t slot : choice.slots()) {
      ModuleInReplay made{slot, nullptr, choice.is_all() ? another_type(slot, maker) : ""};
      if (made.refusal.empty()) {
        MadeModule one = maker.make(slot, log.reader, files);
        made.module = std::move(one.module);
        made.refusal = std::move(one.refusal);
      }
      if (!made.module && !choice.is_all())
        throw ConfigError("--module", made.name(), made.refusal);
      modules_.push_back(std::move(made));
    }
    const auto is_there = [](const ModuleInReplay& made) { return made.module != nullptr; };
    if (std::ranges::none_of(modules_, is_there))
      throw ConfigError("log", log.reader.path(), "none of its modules can be replayed. The " +
                        modules_.front().name() + ": " + modules_.front().refusal);
  }

  /// Replays the next event; nothing at the end of the log. Throws LogError for damage, and
  /// ConfigError for a log without its beginning if a chosen module cannot do without.
  std::optional<LogEvent> next() {
    std::optional<LogEvent> event = log_.reader.next();
    if (event && !has_begun_ && event->index != 0) join(event->index);
    has_begun_ = has_begun_ || event;
    for (const ModuleInReplay& each : modules_) {
      if (!each.module) continue;
      auto difference = event ? each.module->step(*event) : each.module->end();
      if (difference && !difference_)
        difference_ = FoundDifference{each.slot, std::move(*difference)};
    }
    return event;
  }

  /// What cannot be replayed, as the log's beginning is gone; empty if nothing is.
  const std::string& gone() const noexcept { return gone_; }
  /// The first that was found.
  const std::optional<FoundDifference>& difference() const noexcept { return difference_; }
  const std::vector<ModuleInReplay>& modules() const noexcept { return modules_; }
  const Log& log() const noexcept { return log_; }

 private:
  /// Why a log of another program is hardly meant; empty where the types are the same.
  std::string another_type(std::size_t slot, const ModuleMaker& maker) const {
    const ModuleDescription* recorded = description_of(slot, log_.reader);
    if (!recorded || recorded->name == maker.name(slot)) return "";
    return "the log's is " + recorded->name + ", this program's " + maker.name(slot) +
           ": --module " + slot_names[slot] + " takes that all the same";
  }

  /// Goes on with the modules that can begin at that event.
  void join(std::uint64_t index) {
    std::string lost, rest;
    for (const ModuleInReplay& each : modules_) {
      if (!each.module) continue;
      std::string& names = each.module->join() ? rest : lost;
      names += (names.empty() ? "" : ", ") + each.name();
    }
    if (lost.empty()) return;
    const ConfigError why(
        "log", log_.reader.path(),
        "the files before event " + std::to_string(index) + " are missing, and what the modules "
            "were by then is not known (" + lost + "): keep more files to replay these; replay "
            "--module hasher, cat, diff and report do with what is left");
    if (rest.empty() || !is_all_) throw why;
    gone_ = why.what();
    for (ModuleInReplay& each : modules_) {
      if (!each.module || each.module->join()) continue;
      each.module.reset();
      each.refusal = "what it was by event " + std::to_string(index) + " is not known";
    }
  }

  Log& log_;
  bool is_all_;
  std::vector<ModuleInReplay> modules_;
  std::optional<FoundDifference> difference_;
  std::string gone_;
  bool has_begun_ = false;
};

}  // namespace mirbft::mircat

#endif

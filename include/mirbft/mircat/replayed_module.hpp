// A module under replay, whatever its type: what the commands that replay see of it.
#ifndef MIRBFT_MIRCAT_REPLAYED_MODULE_HPP
#define MIRBFT_MIRCAT_REPLAYED_MODULE_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mirbft/engine/module_description.hpp>
#include <mirbft/events/event.hpp>
#include <mirbft/log/event.hpp>
#include <mirbft/log/reader.hpp>
#include <mirbft/log/replay.hpp>
#include <mirbft/types/errors.hpp>

namespace mirbft::mircat {

/// What a module says of its state: fields by their dotted path, each with its value as JSON.
using StateFields = std::vector<std::pair<std::string, std::string>>;

/// How far a replay has come.
struct ReplayCount {
  std::uint64_t fed = 0;
  std::uint64_t compared = 0;
  std::uint64_t pending = 0;
  std::uint64_t passed_over = 0;
};

/// See `mirbft::Replay`.
class ReplayedModule {
 public:
  ReplayedModule() = default;
  ReplayedModule(const ReplayedModule&) = delete;
  ReplayedModule& operator=(const ReplayedModule&) = delete;
  virtual ~ReplayedModule() = default;

  /// False if it cannot do without the beginning of the log.
  virtual bool join() = 0;
  virtual std::optional<LogDifference> step(const LogEvent& event) = 0;
  /// At the end of the log.
  virtual std::optional<LogDifference> end() const = 0;
  virtual ReplayCount count() const = 0;
  virtual const std::vector<LogEvent>& emitted() const = 0;
  virtual const std::string& failure() const = 0;
  /// Empty if it has nothing to say.
  virtual StateFields state() const = 0;
};

/// Configurations that the command line gives: by slot, a file with JSON.
using ConfigFiles = std::map<std::size_t, std::string>;

/// A module, or why there is none.
struct MadeModule {
  std::unique_ptr<ReplayedModule> module;
  std::string refusal;
};

/// What a program knows of the modules of its Node.
struct ModuleMaker {
  /// The module in a slot as it was when `log`, which outlives it, began. Throws ConfigError for a
  /// configuration that cannot be.
  MadeModule (*make)(std::size_t slot, const LogReader& log, const ConfigFiles& files);
  /// What its type is called.
  std::string (*name)(std::size_t slot);
};

/// The slots whose modules can be replayed, in the order in which they are listed.
inline constexpr std::size_t replayable_slots[] = {
    slot::protocol.index(), slot::tracker.index(), slot::app.index(), slot::hasher.index(),
    slot::crypto.index()};

/// The slot that a person means. Throws ConfigError for none, and for one that is not replayed.
inline std::size_t replayable_slot(std::string_view name, const char* option) {
  for (const std::size_t slot : replayable_slots)
    if (name == slot_names[slot]) return slot;
  const bool is_slot = std::ranges::any_of(slot_names, [&](const char* s) { return name == s; });
  throw ConfigError(option, '"' + std::string(name) + '"',
                    std::string(is_slot ? "what this module does hangs on more than the log says"
                                        : "no module is called that") +
                        ": name protocol, tracker, app, hasher or crypto");
}

/// From words MODULE=FILE. Throws ConfigError.
inline ConfigFiles config_files(const std::vector<std::string>& words) {
  ConfigFiles files;
  for (const std::string& word : words) {
    const std::size_t place = word.find('=');
    if (place == std::string::npos)
      throw ConfigError("--config", word, "write MODULE=FILE, as protocol=iss.json");
    files[replayable_slot(std::string_view(word).substr(0, place), "--config")] =
        word.substr(place + 1);
  }
  return files;
}

/// What the log says of the module in a slot; null where it says nothing.
inline const ModuleDescription* description_of(std::size_t slot, const LogReader& log) {
  const auto found = std::ranges::find(log.modules(), slot, &ModuleDescription::slot);
  return found == log.modules().end() ? nullptr : &*found;
}

}  // namespace mirbft::mircat

#endif

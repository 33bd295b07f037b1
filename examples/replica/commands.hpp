// The commands of an input file, and which client submits which.
#ifndef MIRBFT_EXAMPLES_REPLICA_COMMANDS_HPP
#define MIRBFT_EXAMPLES_REPLICA_COMMANDS_HPP

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mirbft/modules/app/key_value_store.hpp>
#include <mirbft/modules/tracker/tracker_config.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/id.hpp>

namespace quickstart {

/// All of a file, or of standard input for "-". Throws ConfigError when it cannot be read.
inline std::string read_input(const std::string& path) {
  constexpr std::size_t longest = std::size_t{1} << 28;
  const auto close = [](std::FILE* file) { return file == stdin ? 0 : std::fclose(file); };
  const std::unique_ptr<std::FILE, decltype(close)> file(
      path == "-" ? stdin : std::fopen(path.c_str(), "rb"), close);
  const auto require = [&](bool holds, const char* what, const char* mend) {
    if (!holds) throw mirbft::ConfigError(path, what, mend);
  };
  const char* readable = "must be a file that this user can read; - is standard input";
  require(file != nullptr, std::strerror(errno), readable);
  std::string text;
  std::string part(1 << 16, '\0');
  while (const std::size_t got = std::fread(part.data(), 1, part.size(), file.get())) {
    text.append(part, 0, got);
    require(text.size() <= longest, "a long file", "must be no longer than 256 MiB: cut it");
  }
  require(std::ferror(file.get()) == 0, std::strerror(errno), readable);
  return text;
}

namespace detail {

[[noreturn]] inline void refuse_line(const std::string& source, std::size_t number,
                                     std::string_view line, std::string rule) {
  std::string shown(line.substr(0, 40));
  for (char& letter : shown)
    if (static_cast<unsigned char>(letter) < ' ') letter = '?';
  if (shown.size() < line.size()) shown += "...";
  throw mirbft::ConfigError(source + " line " + std::to_string(number), '"' + shown + '"',
                            std::move(rule));
}

}  // namespace detail

/// One command a line; blank lines and those that begin with # are skipped. Throws ConfigError
/// with the line's number for anything else, and when there is no command at all.
inline std::vector<std::string> parse_commands(std::string_view text, const std::string& source) {
  const std::size_t longest = mirbft::TrackerConfig{}.max_request_bytes;
  std::vector<std::string> commands;
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    if (line.size() > longest)
      detail::refuse_line(source, number, line,
                          "must be no longer than " + std::to_string(longest) + " bytes");
    if (!mirbft::KeyValueCommand::parse(line))
      detail::refuse_line(source, number, line,
                          "must be " + std::string(mirbft::KeyValueCommand::rule));
    commands.emplace_back(line);
  }
  if (commands.empty())
    throw mirbft::ConfigError(
        source, "no command",
        "must hold one a line: " + std::string(mirbft::KeyValueCommand::rule));
  return commands;
}

/// Deals the commands out: of K clients, the one at place c submits the commands c, c + K, c + 2K …
/// as its requests 0, 1, 2 …
class Workload {
 public:
  Workload(std::vector<std::string> commands, const std::vector<mirbft::ClientId>& clients)
      : commands_(std::move(commands)) {
    for (const mirbft::ClientId client : clients) places_.emplace(client, places_.size());
  }

  std::size_t size() const noexcept { return commands_.size(); }

  /// How many of the commands are this client's.
  std::uint64_t share_of(mirbft::ClientId client) const {
    const std::size_t place = places_.at(client);
    return (commands_.size() + places_.size() - 1 - place) / places_.size();
  }

  /// The place of a client's request among all commands; `size()` if it is none of them.
  std::size_t place_of(mirbft::ClientId client, mirbft::ReqNo number) const {
    const auto place = places_.find(client);
    if (place == places_.end() || number.value >= commands_.size()) return size();
    return std::min(place->second + places_.size() * number.value, size());
  }

  /// Requires `place < size()`.
  const std::string& command(std::size_t place) const { return commands_[place]; }

 private:
  std::vector<std::string> commands_;
  std::map<mirbft::ClientId, std::size_t> places_;
};

}  // namespace quickstart

#endif

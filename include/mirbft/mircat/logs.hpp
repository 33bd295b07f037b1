// The logs of several nodes as one, in the order of time.
#ifndef MIRBFT_MIRCAT_LOGS_HPP
#define MIRBFT_MIRCAT_LOGS_HPP

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include <mirbft/log/error.hpp>
#include <mirbft/log/event.hpp>
#include <mirbft/log/format.hpp>
#include <mirbft/log/printer.hpp>
#include <mirbft/log/reader.hpp>
#include <mirbft/log/series.hpp>
#include <mirbft/mircat/found.hpp>
#include <mirbft/types/errors.hpp>

namespace mirbft::mircat {

/// A log that is open.
struct Log {
  explicit Log(const std::string& path) : reader(path), printer(reader) {}

  LogReader reader;
  LogPrinter printer;
};

namespace detail {

/// Whether a file begins like an event log.
inline bool is_log(const std::filesystem::path& path) {
  std::array<char, log_format::magic.size()> begin{};
  std::ifstream file(path, std::ios::binary);
  return file.read(begin.data(), begin.size()) &&
         std::equal(begin.begin(), begin.end(), log_format::magic.begin(),
                    [](char left, std::uint8_t right) {
                      return static_cast<std::uint8_t>(left) == right;
                    });
}

/// The logs in a directory and below it, by name; the files of a series are one.
inline std::vector<std::string> logs_in(const std::string& directory) {
  namespace fs = std::filesystem;
  std::vector<std::string> found;
  std::error_code error;
  fs::recursive_directory_iterator at(directory, fs::directory_options::skip_permission_denied,
                                      error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error))
    if (at->is_regular_file(error) && is_log(at->path())) found.push_back(log_of(at->path()));
  std::ranges::sort(found);
  found.erase(std::unique(found.begin(), found.end()), found.end());
  if (found.empty())
    throw ConfigError("log", directory,
                      "no file in this directory is an event log: name one that a "
                      "FileInterceptor has written");
  return found;
}

}  // namespace detail

/// Reads, and returns what could not be read after all that could: what was read is worth being
/// written before that is thrown.
template <class Read>
std::optional<LogError> damage_in(Read&& read) {
  try {
    read();
  } catch (const LogError& damage) {
    return damage;
  }
  return std::nullopt;
}

/// Opens a log. Throws ConfigError when it is none, LogError for one that is damaged or was hardly
/// begun.
inline std::unique_ptr<Log> open_log(const std::string& path) {
  try {
    return std::make_unique<Log>(path);
  } catch (const LogError& error) {
    if (detail::is_log(error.file())) throw;
    throw ConfigError("log", path, error.reason() + ": name an event log that a FileInterceptor "
                                                    "has written, or a directory of such");
  }
}

/// The logs that are meant, files and series: a directory stands for all in it.
inline std::vector<std::string> log_files(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(path, ignored)) {
      files.push_back(path);
    } else {
      std::ranges::move(detail::logs_in(path), std::back_inserter(files));
    }
  }
  return files;
}

/// Logs that are read together. Their events come by time, then by node, then by index; those of
/// one log always in the order in which they stand there.
class Logs {
 public:
  /// Opens them; a directory stands for all logs in it. Throws ConfigError for what is no log, and
  /// LogError where not one can be opened; that some cannot is the damage that `next` ends with.
  explicit Logs(const std::vector<std::string>& paths) {
    for (const std::string& file : log_files(paths)) {
      const auto damage = damage_in([&] { logs_.push_back(open_log(file)); });
      if (damage && !damage_) damage_ = damage;
      total_ += log_size(file);
    }
    if (logs_.empty() && damage_) throw *damage_;
    heads_.resize(logs_.size());
  }

  /// The next event; nothing at the end of all logs, where one may ask again when they have grown.
  /// Throws LogError for the first damage, after all that can be read in spite of it.
  std::optional<Found> next() {
    return next([](const Log&, const LogBlock&) { return true; });
  }

  /// The same without the blocks that are not `wanted(log, block)`, which are not even read.
  template <class Wanted>
  std::optional<Found> next(const Wanted& wanted) {
    Head* first = nullptr;
    const Log* log = nullptr;
    for (std::size_t place = 0; place < heads_.size(); ++place) {
      Head& head = heads_[place];
      fill(head, *logs_[place], wanted);
      if (!head.event || (first && !is_before(*logs_[place], head, *log, *first))) continue;
      first = &head;
      log = logs_[place].get();
    }
    if (!first) return end();
    Found found{log->reader.node(), std::move(*first->event), &log->reader, &log->printer};
    first->event.reset();
    done_ += log_format::EntryHeader::size + found.event.payload.size();
    return found;
  }

  const std::vector<std::unique_ptr<Log>>& all() const noexcept { return logs_; }
  /// For a progress bar: bytes behind, of about so many.
  std::uint64_t done() const noexcept { return done_; }
  std::uint64_t total() const noexcept { return total_; }

 private:
  struct Head {
    std::optional<LogEvent> event;
    bool has_ended = false;
    bool is_damaged = false;
  };

  template <class Wanted>
  void fill(Head& head, Log& log, const Wanted& wanted) {
    if (head.event || head.has_ended || head.is_damaged) return;
    try {
      head.event = log.reader.next([&](const LogBlock& block) { return wanted(log, block); });
      head.has_ended = !head.event;
    } catch (const LogError& error) {
      head.is_damaged = true;
      if (!damage_) damage_ = error;
    }
  }

  static bool is_before(const Log& left_log, const Head& left, const Log& right_log,
                        const Head& right) {
    const auto key = [](const Log& log, const LogEvent& event) {
      return std::make_tuple(event.time, log.reader.node(), event.index);
    };
    return key(left_log, *left.event) < key(right_log, *right.event);
  }

  std::optional<Found> end() {
    if (damage_) throw *damage_;
    for (Head& head : heads_) head.has_ended = false;
    return std::nullopt;
  }

  std::vector<std::unique_ptr<Log>> logs_;
  std::vector<Head> heads_;
  std::optional<LogError> damage_;
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace mirbft::mircat

#endif

// The options by which a command is told which events of which logs it is about.
#ifndef MIRBFT_MIRCAT_SELECTION_HPP
#define MIRBFT_MIRCAT_SELECTION_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <mirbft/log/reader.hpp>
#include <mirbft/mircat/command.hpp>
#include <mirbft/mircat/filter.hpp>
#include <mirbft/mircat/found.hpp>
#include <mirbft/mircat/logs.hpp>

namespace mirbft::mircat {

/// What stands on the command line.
struct Selection {
  std::vector<std::string> logs;
  std::vector<std::string> filters;
  std::uint64_t from = 0;
  std::optional<std::uint64_t> limit;

  void options(Options& options) {
    options.required("logs", "event logs, or directories of them: read together, by time", &logs);
    options.optional("-f,--filter", "only events like this: 'type=PrePrepare node=0 sn=5..9'",
                     &filters);
    options.optional("--from", "begin at this index", &from);
    options.optional("--limit", "end after so many events", &limit);
  }
};

/// The events that a Selection is about. Throws what Logs and Filter throw.
class SelectedEvents {
 public:
  explicit SelectedEvents(const Selection& selection)
      : logs_(selection.logs),
        filter_(Filter::parse(selection.filters)),
        from_(selection.from),
        left_(selection.limit) {
    filter_.check(logs_);
  }

  /// Nothing at the end; see Logs.
  std::optional<Found> next() {
    return next([] { return false; });
  }

  /// The same, but nothing as soon as `stops()`, which is asked before each event that is read.
  template <class Stops>
  std::optional<Found> next(const Stops& stops) {
    if (is_over()) return std::nullopt;
    const auto wanted = [this](const Log& log, const LogBlock& block) {
      return block.first + block.events > from_ && filter_.may_pass(log, block);
    };
    while (!stops()) {
      std::optional<Found> found = logs_.next(wanted);
      if (found && !(found->event.index >= from_ && filter_(*found))) continue;
      if (found && left_) --*left_;
      return found;
    }
    return std::nullopt;
  }

  /// Whether there were as many as were wanted.
  bool is_over() const noexcept { return left_ == 0; }
  const Logs& logs() const noexcept { return logs_; }

 private:
  Logs logs_;
  Filter filter_;
  std::uint64_t from_;
  std::optional<std::uint64_t> left_;
};

}  // namespace mirbft::mircat

#endif

// An Interceptor that records everything: the event log in a file.
#ifndef MIRBFT_MODULES_INTERCEPTOR_FILE_HPP
#define MIRBFT_MODULES_INTERCEPTOR_FILE_HPP

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/events/event.hpp>
#include <mirbft/log/error.hpp>
#include <mirbft/log/options.hpp>
#include <mirbft/log/writer.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft {

/// The time of the machine, in nanoseconds since the Unix epoch.
struct SystemTime {
  std::uint64_t operator()() const noexcept {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch).count());
  }
};

/// Appends every list to an event log as it is dispatched (see log/format.hpp). One log is one
/// run of a Node: choose a name that no earlier run has used, or let it rotate: then each run has
/// files of its own. `LogOptions` say how soon what is dispatched is written, and how.
///
/// `Time` is what tells when a list is dispatched: called without arguments, it returns nanoseconds
/// since the Unix epoch. A simulation gives its own, so that the same seed makes the same log. A
/// kill of the process costs at most the list that was being dispatched, unless lists are gathered;
/// a power failure may cost more, since nothing is synced. When the file refuses a write the Node
/// stops, as a log with a gap could not be replayed.
template <class Time>
class TimedFileInterceptor {
 public:
  /// Opens the file; throws ConfigError when that cannot be, or when it has content.
  explicit TimedFileInterceptor(std::string path, Time time = Time())
      : TimedFileInterceptor(std::move(path), LogOptions(), std::move(time)) {}
  TimedFileInterceptor(std::string path, const LogOptions& options, Time time = Time())
      : writer_(open(std::move(path), options)), time_(std::move(time)) {}

  template <class... Es>
  void begin(NodeId self, ByteView cluster, events<Es...> types,
             const std::vector<ModuleDescription>& modules = {}) {
    guarded([&] { writer_.begin(self, cluster, types, modules); });
  }

  template <class List>
  void intercept(Slot slot, const List& list) {
    guarded([&] { writer_.append(slot, list, time_()); });
  }

  /// Writes what was gathered.
  void end() {
    guarded([&] { writer_.flush(); });
  }

 private:
  static LogWriter open(std::string path, const LogOptions& options) {
    try {
      return LogWriter(path, options);
    } catch (const LogError& error) {
      throw ConfigError("event log", std::move(path), error.reason());
    }
  }

  template <class Write>
  static void guarded(Write&& write) {
    try {
      write();
    } catch (const LogError& error) {
      throw ModuleFailure(std::string("the event log ") + error.what());
    }
  }

  LogWriter writer_;
  Time time_;
};

using FileInterceptor = TimedFileInterceptor<SystemTime>;

}  // namespace mirbft

#endif

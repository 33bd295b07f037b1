// `mircat verify`: whether all of a log is as it was written.
#ifndef MIRBFT_MIRCAT_VERIFY_HPP
#define MIRBFT_MIRCAT_VERIFY_HPP

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <mirbft/log/error.hpp>
#include <mirbft/mircat/command.hpp>
#include <mirbft/mircat/console.hpp>
#include <mirbft/mircat/logs.hpp>
#include <mirbft/mircat/progress.hpp>

namespace mirbft::mircat {

/// Looks at every checksum, every index and every event. What a killed writer has left at the end
/// is told, and is no damage.
class Verify {
 public:
  static constexpr std::string_view name = "verify";
  static constexpr std::string_view about = "check logs: checksums, gaps, events; 1 for damage";
  static constexpr std::string_view examples =
      "  mircat verify node-0.log\n"
      "  mircat verify run/ && echo sound\n";

  void options(Options& options) {
    options.required("logs", "event logs, or directories of them", &paths_);
  }

  int run(Console& console) {
    int status = status::ok;
    for (const std::string& file : log_files(paths_)) status |= check(console, file);
    return status;
  }

 private:
  /// The events that were read without a fault.
  struct Sound {
    std::uint64_t first = 0;
    std::uint64_t count = 0;

    std::string text() const {
      if (count == 0) return "no events";
      return std::to_string(count) + " events, " + std::to_string(first) + ".." +
             std::to_string(first + count - 1);
    }
  };

  static int check(Console& console, const std::string& file) {
    std::unique_ptr<Log> log;
    Sound sound;
    try {
      log = open_log(file);
      read(console, *log, file, sound);
    } catch (const LogError& damage) {
      console.out() << console.paint(Ink::red, "damaged") << ' ' << damage.what() << "; before it "
                    << sound.text() << " can be read\n";
      return status::finding;
    }
    console.out() << console.paint(Ink::green, "sound") << "   " << file << ": " << sound.text();
    if (const std::uint64_t torn = log->reader.torn_bytes())
      console.out() << "; the last " << torn << " bytes are of a list that was not written whole, "
                    << "as when the writer is killed or is just writing";
    console.out() << '\n';
    return status::ok;
  }

  static void read(Console& console, Log& log, const std::string& file, Sound& sound) {
    Progress progress(console, "checking " + file);
    const std::uint64_t size = log_size(file);
    while (const auto event = log.reader.next()) {
      (void)log.printer.parse(*event);
      if (sound.count++ == 0) sound.first = event->index;
      progress.show(event->offset, size);
    }
  }

  std::vector<std::string> paths_;
};

}  // namespace mirbft::mircat

#endif

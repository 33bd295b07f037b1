// `mircat ls`: which logs there are, and whose they are.
#ifndef MIRBFT_MIRCAT_LS_HPP
#define MIRBFT_MIRCAT_LS_HPP

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mirbft/log/error.hpp>
#include <mirbft/mircat/command.hpp>
#include <mirbft/mircat/console.hpp>
#include <mirbft/mircat/logs.hpp>
#include <mirbft/mircat/progress.hpp>
#include <mirbft/mircat/table.hpp>
#include <mirbft/mircat/time.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/digest.hpp>

namespace mirbft::mircat {

/// Reads each log once, from begin to end.
class Ls {
 public:
  static constexpr std::string_view name = "ls";
  static constexpr std::string_view about = "list logs: node, cluster, events, time, size";
  static constexpr std::string_view examples =
      "  mircat ls run/\n"
      "  mircat ls a.log b.log\n";

  void options(Options& options) {
    options.required("logs", "event logs, or directories of them", &paths_);
  }

  int run(Console& console) {
    Table table({"log", " node", "cluster", " events", "begin", " span", " size", " torn"});
    int status = status::ok;
    for (const std::string& file : log_files(paths_)) status |= add(console, table, file);
    table.print(console);
    return status;
  }

 private:
  static int add(Console& console, Table& table, const std::string& file) {
    std::unique_ptr<Log> log;
    const std::uint64_t size = log_size(file);
    Progress progress(console, file);
    std::uint64_t events = 0, begin = 0, end = 0;
    std::string torn = "-";
    int status = status::ok;
    try {
      log = open_log(file);
      while (const auto event = log->reader.next()) {
        if (events++ == 0) begin = event->time;
        end = event->time;
        progress.show(event->offset, size);
      }
      if (const auto bytes = log->reader.torn_bytes()) torn = std::to_string(bytes);
    } catch (const LogError& error) {
      progress.clear();
      console.err() << "mircat: " << error.what() << '\n';
      torn = "damaged";
      status = status::finding;
    }
    table.add({file, log ? std::to_string(log->reader.node().value) : "-",
               log ? cluster_text(log->reader.cluster()) : "-", std::to_string(events),
               time_text(begin),
               duration_text(std::max(begin, end) - begin), size_text(size), torn});
    return status;
  }

  static std::string cluster_text(const Bytes& cluster) {
    const auto is_plain = [](char c) { return c > ' ' && c <= '~'; };
    const std::string_view text = cluster.text();
    return std::ranges::all_of(text, is_plain) ? std::string(text) : "0x" + hex(cluster.view());
  }

  std::vector<std::string> paths_;
};

}  // namespace mirbft::mircat

#endif

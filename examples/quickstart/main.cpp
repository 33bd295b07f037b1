// mirbft-quickstart: four replicas as four processes put a file of commands into one order.
#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <mirbft/types/digest.hpp>
#include <mirbft/types/errors.hpp>

#include "../replica/commands.hpp"
#include "../shared/program.hpp"
#include "cluster.hpp"
#include "progress_bar.hpp"
#include "verdict.hpp"
#include "workspace.hpp"

namespace {

using namespace quickstart;

constexpr std::size_t replicas = 4;
constexpr std::size_t clients = 8;

constexpr const char* about =
    "Four replicas of a key-value store, as four processes with logs on disk and TLS between\n"
    "them, put the commands of a file into one order and apply them. Eight clients sign and\n"
    "submit them, two to each replica.\n"
    "Exit status: 0 if all replicas agree and each command was delivered exactly once, 1 if not,\n"
    "2 for wrong input.";

struct Options {
  std::string input;
  std::string event_logs;
};

std::filesystem::path event_log_of(std::size_t replica, const Options& options) {
  return std::filesystem::path(options.event_logs) /
         ("replica-" + std::to_string(replica) + ".log");
}

/// Each log is one run's: those of an earlier one are left alone.
void prepare_event_logs(const Options& options) {
  if (options.event_logs.empty()) return;
  std::filesystem::create_directories(options.event_logs);
  for (std::size_t i = 0; i < replicas; ++i)
    if (std::filesystem::exists(event_log_of(i, options)))
      throw mirbft::ConfigError("--event-logs", options.event_logs,
                                "holds the logs of an earlier run: name another directory");
}

std::vector<std::string> command_for(std::size_t replica, const Workspace& workspace,
                                     const Options& options) {
  const auto self = std::filesystem::read_symlink("/proc/self/exe");
  std::vector<std::string> command{self.parent_path() / "mirbft-replica", "--config",
                                   workspace.config_file(replica), "--input",
                                   workspace.commands_file()};
  if (!options.event_logs.empty())
    command.insert(command.end(), {"--event-log", event_log_of(replica, options)});
  return command;
}

/// Has the commands delivered; returns the replicas' last reports by their ids.
std::vector<Report> order(const std::vector<std::string>& commands, const Options& options) {
  const Signals signals;
  const Workspace workspace(replicas, clients, commands);
  Cluster cluster(signals);
  // Of two replicas the one with the lower id dials, so that it finds the others listening.
  for (std::size_t i = replicas; i-- > 0;)
    cluster.start("replica " + std::to_string(i), command_for(i, workspace, options));
  cluster.begin();
  {
    ProgressBar bar(commands.size());
    cluster.await_completion([&] { bar.show(cluster.delivered()); });
  }
  cluster.end();
  std::vector<Report> reports = cluster.reports();
  std::reverse(reports.begin(), reports.end());
  return reports;
}

/// A latency for a column; a replica whose clients had nothing to submit has none.
std::string milliseconds(std::uint64_t microseconds) {
  if (microseconds == 0) return "-";
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.1f", static_cast<double>(microseconds) / 1000);
  return text.data();
}

void print_table(const std::vector<Report>& reports) {
  const auto start_of = [](const mirbft::Digest& digest) {
    return mirbft::hex(digest.view().first(8));
  };
  const auto number = [](std::uint64_t value) { return std::to_string(value); };
  const auto print = [](const std::array<std::string, 8>& row) {
    constexpr std::array<int, 8> widths{7, 9, 10, 18, 18, 12, 9, 9};
    for (std::size_t i = 0; i < row.size(); ++i) std::printf("%*s", widths[i], row[i].c_str());
    std::puts("");
  };
  print({"replica", "last sn", "requests", "log", "store", "requests/s", "p50 ms", "p99 ms"});
  for (std::size_t i = 0; i < reports.size(); ++i) {
    const Report& report = reports[i];
    print({number(i), number(report.last_sn.value), number(report.delivered), start_of(report.log),
           start_of(report.store), number(report.requests_per_second), milliseconds(report.p50_us),
           milliseconds(report.p99_us)});
  }
  std::fflush(stdout);
}

int run(const Options& options) {
  const std::string source = options.input == "-" ? "standard input" : options.input;
  const auto commands = parse_commands(read_input(options.input), source);
  prepare_event_logs(options);
  std::cout << commands.size() << (commands.size() == 1 ? " command from " : " commands from ")
            << source << ", " << clients << " clients, " << replicas << " replicas" << std::endl;
  const std::vector<Report> reports = order(commands, options);
  print_table(reports);
  const std::vector<std::string> wrong = objections(reports, commands.size());
  for (const std::string& objection : wrong)
    std::cerr << "mirbft-quickstart: " << objection << '\n';
  std::cout << (wrong.empty() ? "all " + std::to_string(replicas) +
                                    " replicas agree; every command was delivered exactly once"
                              : "the replicas do NOT agree, or not on what was to be delivered")
            << std::endl;
  return wrong.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  // A replica that has died, or a reader of our output that has gone, is noticed otherwise.
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App program(about);
  Options options;
  program.add_option("FILE", options.input, "commands, one a line; - for standard input")
      ->required();
  program.add_option("--event-logs", options.event_logs,
                     "directory where each replica records every event");
  program.set_version_flag("--version", "mirbft-quickstart " MIRBFT_VERSION);
  return programs::run_program("mirbft-quickstart", program, argc, argv,
                               [&] { return run(options); });
}

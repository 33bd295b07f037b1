// mirbft-quickstart: four replicas as four processes put a file of commands into one order.
#include <algorithm>
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
#include "cluster.hpp"
#include "progress_bar.hpp"
#include "verdict.hpp"
#include "workspace.hpp"

namespace {

using namespace quickstart;

constexpr std::size_t replicas = 4;
constexpr std::size_t clients = 8;

constexpr const char* about =
    "Four replicas of a key-value store, as four processes on loopback TCP, put the commands of a\n"
    "file into one order and apply them. Eight clients submit them, two to each replica.\n"
    "Exit status: 0 if all replicas agree and each command was delivered exactly once, 1 if not,\n"
    "2 for wrong input.";

struct Options {
  std::string input;
  std::string event_logs;
};

std::vector<std::string> command_for(std::size_t replica, const Workspace& workspace,
                                     const Options& options) {
  const auto self = std::filesystem::read_symlink("/proc/self/exe");
  std::vector<std::string> command{self.parent_path() / "mirbft-replica", "--config",
                                   workspace.config_file(replica), "--input",
                                   workspace.commands_file()};
  if (!options.event_logs.empty()) {
    const std::string name = "replica-" + std::to_string(replica) + ".log";
    command.insert(command.end(),
                   {"--event-log", std::filesystem::path(options.event_logs) / name});
  }
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

void print_table(const std::vector<Report>& reports) {
  constexpr std::size_t digits = 16;
  std::printf("replica  last sn  requests  %-*s  %-*s  requests/s   p50 ms   p99 ms\n",
              static_cast<int>(digits), "log", static_cast<int>(digits), "store");
  for (std::size_t i = 0; i < reports.size(); ++i) {
    const Report& report = reports[i];
    std::printf("%7zu  %7llu  %8llu  %s  %s  %10llu  %7.1f  %7.1f\n", i,
                static_cast<unsigned long long>(report.last_sn.value),
                static_cast<unsigned long long>(report.delivered),
                mirbft::hex(report.log).substr(0, digits).c_str(),
                mirbft::hex(report.store).substr(0, digits).c_str(),
                static_cast<unsigned long long>(report.requests_per_second),
                static_cast<double>(report.p50_us) / 1000,
                static_cast<double>(report.p99_us) / 1000);
  }
  std::fflush(stdout);
}

int run(const Options& options) {
  const std::string source = options.input == "-" ? "standard input" : options.input;
  const auto commands = parse_commands(read_input(options.input), source);
  if (!options.event_logs.empty()) std::filesystem::create_directories(options.event_logs);
  std::cout << commands.size() << " commands from " << source << ", " << clients << " clients, "
            << replicas << " replicas" << std::endl;
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
  const auto fail = [](const std::exception& error, int status) {
    std::cerr << "mirbft-quickstart: " << error.what() << '\n';
    return status;
  };
  try {
    program.parse(argc, argv);
    return run(options);
  } catch (const CLI::Success& asked) {
    return program.exit(asked);
  } catch (const CLI::Error& error) {
    return fail(error, 2);
  } catch (const mirbft::ConfigError& error) {
    return fail(error, 2);
  } catch (const std::exception& error) {
    return fail(error, 1);
  }
}

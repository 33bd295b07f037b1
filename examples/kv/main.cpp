// mirbft-kv: one replica of a replicated key-value store, on real disks.
#include <poll.h>

#include <array>
#include <csignal>
#include <exception>
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>

#include <mirbft/modules/files/segment_examination.hpp>
#include <mirbft/types/errors.hpp>

#include "../shared/environment.hpp"
#include "../shared/program.hpp"
#include "../shared/signals.hpp"
#include "checks.hpp"
#include "config.hpp"
#include "data_directory.hpp"
#include "host.hpp"
#include "repair.hpp"

namespace {

using namespace kv;

constexpr const char* about =
    "One replica of a replicated key-value store, with its log and its requests on disk.\n"
    "SIGINT and SIGTERM end it. It ends with 2 if its configuration is wrong, with 1 if it fails.\n"
    "mirbft-testnet makes the configuration of a whole cluster.";

struct Options {
  std::string config;
  bool check = false;
  bool init = false;
  bool repair = false;
};

/// The complaints of what was made from a file name the file.
template <class Call>
auto from_file(const std::string& path, Call&& call) {
  try {
    return call();
  } catch (const mirbft::ConfigError& error) {
    throw mirbft::ConfigError(path + ": " + error.field(), error.value(), error.rule());
  }
}

/// Waits until a signal comes or the replica ends.
void attend(Host& host, const programs::Signals& signals) {
  const int progress_every = static_cast<int>(host.progress_every().count());
  for (;;) {
    std::array<pollfd, 2> waits{{{signals.handle(), POLLIN, 0}, {host.ended(), POLLIN, 0}}};
    const int ready = ::poll(waits.data(), waits.size(), progress_every);
    if (ready == 0) host.tell_progress();
    if (ready <= 0) continue;
    if (waits[0].revents != 0) log_line("told to end");
    return;
  }
}

std::string stop(Host& host, const std::string& config) {
  try {
    return host.stop();
  } catch (const mirbft::LogCorruption& damage) {
    throw mirbft::ModuleFailure(damage.what() +
                                ("; mend it by: mirbft-kv --repair --config " + config));
  }
}

int run(const Options& options) {
  const Config config = load_config(options.config);
  from_file(options.config, [&] {
    check(config);
    if (!options.init) DataDirectory::check(config);
  });
  if (options.init) {
    from_file(options.config, [&] { DataDirectory::create(config); });
    std::cout << config.data << " is ready for a first start" << std::endl;
    return 0;
  }
  if (options.check) {
    std::cout << options.config << " is good" << std::endl;
    return 0;
  }
  if (options.repair) {
    from_file(options.config, [&] { repair(config, std::cout); });
    return 0;
  }
  const programs::Signals signals;
  return from_file(options.config, [&] {
    Host host(config);
    attend(host, signals);
    const std::string failure = stop(host, options.config);
    log_line(failure.empty() ? "ended" : "failed: " + failure);
    return failure.empty() ? 0 : 1;
  });
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on files is to be told as any failure of the disk
  CLI::App program(about);
  Options options;
  program.add_option("--config", options.config, "JSON file with the replica's configuration")
      ->required();
  auto* const check = program.add_flag(
      "--check", options.check,
      "only say whether configuration, keys and data directory are in order");
  auto* const init = program.add_flag("--init", options.init,
                                      "only make the data directory, for a first start");
  auto* const repair = program.add_flag(
      "--repair", options.repair,
      "only say what is damaged in the logs, and if anything is, have the next start do without");
  init->excludes(check);
  repair->excludes(check)->excludes(init);
  program.footer("Environment variables that take the place of fields of the file:\n  " +
                 programs::environment_names<Config>(environment_prefix, "\n  "));
  program.set_version_flag("--version", "mirbft-kv " MIRBFT_VERSION);
  return programs::run_program("mirbft-kv", program, argc, argv,
                               [&] { return run(options); });
}

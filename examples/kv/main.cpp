// mirbft-kv: one replica of a replicated key-value store, on real disks.
#include <poll.h>

#include <array>
#include <csignal>
#include <exception>
#include <iostream>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include <mirbft/types/errors.hpp>
#include <mirbft/wire/config_file.hpp>

#include "../shared/environment.hpp"
#include "../shared/signals.hpp"
#include "checks.hpp"
#include "config.hpp"
#include "data_directory.hpp"
#include "host.hpp"
#include "local_client.hpp"

namespace {

using namespace kv;

constexpr const char* about =
    "One replica of a replicated key-value store, with its log and its requests on disk.\n"
    "SIGINT and SIGTERM end it. It ends with 2 if its configuration is wrong, with 1 if it fails.\n"
    "mirbft-testnet makes the configuration of a whole cluster.";

struct Options {
  std::string config;
  std::string client;
  bool check = false;
  bool init = false;
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

/// Waits until a signal comes or the replica ends; meanwhile serves its client, if it has one.
void attend(Host& host, const programs::Signals& signals, std::optional<LocalClient>& client) {
  constexpr int progress_every = 5000;
  constexpr int until_working = 50;
  for (;;) {
    Replica* const replica = host.working();
    const bool listens = client && replica;
    std::array<pollfd, 4> waits{{{signals.handle(), POLLIN, 0},
                                 {host.ended(), POLLIN, 0},
                                 {listens ? client->input() : -1, POLLIN, 0},
                                 {client ? client->answers() : -1, POLLIN, 0}}};
    const bool hurries = client && !replica;
    const int ready =
        ::poll(waits.data(), waits.size(), hurries ? until_working : progress_every);
    if (ready == 0 && !hurries) host.tell_progress();
    if (ready <= 0) continue;
    if (waits[0].revents != 0) return log_line("told to end");
    if (waits[1].revents != 0) return;
    if (waits[2].revents != 0) client->take_input(*replica);
    if (waits[3].revents != 0) client->print_answers();
  }
}

int run(const Options& options) {
  const Config config = load_config(options.config);
  std::optional<LocalClient> client;
  from_file(options.config, [&] {
    check(config);
    if (!options.init) DataDirectory::check(config);
  });
  if (!options.client.empty()) {
    const auto known = mirbft::wire::load_config<ClientConfig>(options.client);
    from_file(options.client, [&] { client.emplace(known, config); });
  }
  if (options.init) {
    from_file(options.config, [&] { DataDirectory::create(config); });
    std::cout << config.data << " is ready for a first start" << std::endl;
    return 0;
  }
  if (options.check) {
    std::cout << options.config << " is good" << std::endl;
    return 0;
  }
  const programs::Signals signals;
  return from_file(options.config, [&] {
    Host host(config);
    attend(host, signals, client);
    const std::string failure = host.stop();
    if (client) client->print_answers();
    log_line(failure.empty() ? "ended" : "failed: " + failure);
    return failure.empty() ? 0 : 1;
  });
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App program(about);
  Options options;
  program.add_option("--config", options.config, "JSON file with the replica's configuration")
      ->required();
  auto* const check = program.add_flag(
      "--check", options.check,
      "only say whether configuration, keys and data directory are in order");
  auto* const init = program.add_flag("--init", options.init,
                                      "only make the data directory, for a first start");
  init->excludes(check);
  program.add_option("--client", options.client,
                     "JSON file of a client: its requests are taken from standard input, each a "
                     "line NUMBER COMMAND; answers go to standard output");
  program.footer("Environment variables that take the place of fields of the file:\n  " +
                 programs::environment_names<Config>(environment_prefix, "\n  "));
  program.set_version_flag("--version", "mirbft-kv " MIRBFT_VERSION);
  const auto fail = [](const std::exception& error, int status) {
    std::cerr << "mirbft-kv: " << error.what() << '\n';
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

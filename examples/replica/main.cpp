// mirbft-replica: one replica of the quickstart's key-value store, and the clients it hosts.
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <deque>
#include <exception>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <mirbft/wire/config_file.hpp>
#include <mirbft/wire/json.hpp>

#include "client.hpp"
#include "commands.hpp"
#include "config.hpp"
#include "countdown.hpp"
#include "replica.hpp"
#include "report.hpp"

namespace {

using namespace quickstart;

constexpr const char* about =
    "One replica of a replicated key-value store, with the clients that it hosts.\n"
    "The first line on standard input lets the clients begin; its end ends the replica.\n"
    "Reports go to standard output, one JSON object a line.";

struct Options {
  std::string config;
  std::string input;
  std::string event_log;
};

/// A handle that is readable once SIGINT or SIGTERM has come. Threads made later do not see them.
int catch_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return ::signalfd(-1, &signals, SFD_CLOEXEC);
}

std::vector<mirbft::ClientId> ids_of(const std::vector<ClientConfig>& clients) {
  std::vector<mirbft::ClientId> ids;
  for (const ClientConfig& client : clients) ids.push_back(client.id);
  return ids;
}

/// The replica, its clients and the thread that drives it.
class Host {
 public:
  Host(const ReplicaConfig& config, std::vector<std::string> commands, OptionalLog log)
      : workload_(std::move(commands), ids_of(config.clients)),
        countdown_(workload_.size(), config.own_clients.size()),
        replica_(make_replica(
            config,
            App(mirbft::KeyValueStore(), mirbft::Bytes(config.cluster), workload_, countdown_),
            std::move(log))) {
    for (const OwnClientConfig& own : config.own_clients)
      clients_.emplace_back(own, config, workload_, countdown_);
  }
  ~Host() { stop(); }

  Countdown& countdown() noexcept { return countdown_; }

  void start() {
    thread_ = std::jthread([this](std::stop_token stop) {
      replica_->run(stop);
      countdown_.end();
    });
  }
  void start_clients() {
    countdown_.begin();
    for (Client& client : clients_) client.start(*replica_);
  }

  /// Ends everything; afterwards it can be reported. Returns why the replica failed, if it has.
  const std::string& stop() {
    for (Client& client : clients_) client.stop();
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
    return replica_->failure();
  }

  Report report() const {
    Report report{.stage = "ended", .delivered = countdown_.delivered()};
    const App& app = replica_->app();
    report.repeated = app.repeated();
    report.foreign = app.foreign();
    report.last_sn = app.last_sn();
    report.log = app.log();
    mirbft::Sha256 hasher;
    report.store = digest_of(hasher, {{app.snapshot()}});
    report.requests_per_second = countdown_.rate();
    std::vector<std::chrono::nanoseconds> latencies;
    for (const Client& client : clients_) {
      report.refused += client.refused();
      if (client.refused() != 0) report.refusal = client.refusal();
      latencies.insert(latencies.end(), client.latencies().begin(), client.latencies().end());
    }
    std::sort(latencies.begin(), latencies.end());
    report.p50_us = microseconds_at(latencies, 50);
    report.p99_us = microseconds_at(latencies, 99);
    return report;
  }

 private:
  static std::uint64_t microseconds_at(const std::vector<std::chrono::nanoseconds>& sorted,
                                       std::size_t percent) {
    if (sorted.empty()) return 0;
    const std::size_t place = (sorted.size() - 1) * percent / 100;
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(sorted[place]).count());
  }

  Workload workload_;
  Countdown countdown_;
  std::deque<Client> clients_;
  std::unique_ptr<Replica> replica_;
  std::jthread thread_;
};

void print(const Report& report) { std::cout << mirbft::wire::to_json(report) << std::endl; }

/// Waits until standard input or a signal says that it is enough, or the replica stops by itself.
/// Meanwhile it reports: that all is delivered, as soon as it is, and else a sign of life.
void attend(Host& host, int signals) {
  constexpr std::chrono::milliseconds sign_of_life{200};
  Countdown& countdown = host.countdown();
  std::string stage = "ready";
  print({.stage = stage});
  for (;;) {
    std::array<pollfd, 3> waits{
        {{STDIN_FILENO, POLLIN, 0}, {signals, POLLIN, 0}, {countdown.handle(), POLLIN, 0}}};
    ::poll(waits.data(), waits.size(), static_cast<int>(sign_of_life.count()));
    if (waits[1].revents != 0 || countdown.ended()) return;
    if (waits[0].revents != 0) {
      std::array<char, 64> line;
      if (::read(STDIN_FILENO, line.data(), line.size()) <= 0) return;
      if (stage == "ready") host.start_clients();
      if (stage == "ready") stage = "working";
    }
    if (waits[2].revents != 0) {
      std::uint64_t ignored;
      (void)::eventfd_read(countdown.handle(), &ignored);
    }
    if (countdown.complete()) stage = "complete";
    print({.stage = stage, .delivered = countdown.delivered()});
  }
}

int run(const Options& options) {
  const int signals = catch_signals();
  auto config = mirbft::wire::load_config<ReplicaConfig>(options.config);
  config.data = std::filesystem::absolute(options.config).parent_path() / config.data;
  auto commands = parse_commands(read_input(options.input), options.input);
  OptionalLog log = options.event_log.empty()
                        ? OptionalLog()
                        : OptionalLog(mirbft::FileInterceptor(options.event_log));
  std::unique_ptr<Host> host;
  try {
    host = std::make_unique<Host>(config, std::move(commands), std::move(log));
  } catch (const mirbft::ConfigError& error) {
    throw mirbft::ConfigError(options.config + ": " + error.field(), error.value(), error.rule());
  }
  host->start();
  attend(*host, signals);
  const std::string& failure = host->stop();
  print(host->report());
  if (failure.empty()) return host->countdown().complete() ? 0 : 1;
  std::cerr << "mirbft-replica: replica " << config.self.value << " failed: " << failure << '\n';
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App program(about);
  Options options;
  program.add_option("--config", options.config, "JSON file with the replica's configuration")
      ->required();
  program.add_option("--input", options.input, "file with the clients' commands, one a line")
      ->required();
  program.add_option("--event-log", options.event_log, "file to record every event in");
  program.set_version_flag("--version", "mirbft-replica " MIRBFT_VERSION);
  try {
    program.parse(argc, argv);
    return run(options);
  } catch (const CLI::Success& asked) {
    return program.exit(asked);
  } catch (const std::exception& error) {
    std::cerr << "mirbft-replica: " << error.what() << '\n';
    return 2;
  }
}

// A benchmark of nodes that are processes, with real connections and disks; the clients are here.
#include <chrono>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include <mirbft/modules/net/tcp.hpp>
#include <mirbft/modules/net/tls_transport.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/wire/config_file.hpp>

#include "../shared/signals.hpp"
#include "../shared/temporary_folder.hpp"
#include "../testnet/network.hpp"
#include "crew.hpp"
#include "measuring.hpp"
#include "options.hpp"
#include "remote_load.hpp"

namespace bench {
namespace {

programs::TemporaryFolder folder_in(const std::string& parent) {
  try {
    return programs::TemporaryFolder(parent + "/mirbft-bench");
  } catch (const std::system_error& error) {
    throw mirbft::ConfigError("--folder", parent,
                              error.code().message() +
                                  ": must be a folder that this user can write");
  }
}

void make_files(const Options& options, const std::filesystem::path& folder) {
  testnet::Plan plan;
  plan.nodes = options.nodes;
  plan.clients = options.clients;
  plan.cluster = "bench";
  testnet::make_network(plan, folder / "net");
}

std::vector<kv::ClientConfig> client_files(const Options& options,
                                           const std::filesystem::path& folder) {
  std::vector<kv::ClientConfig> files;
  for (std::uint32_t i = 0; i < options.clients; ++i)
    files.push_back(
        mirbft::wire::load_config<kv::ClientConfig>(testnet::client_file(folder / "net", i)));
  return files;
}

/// How a node is started.
std::vector<std::string> command(const Options& options, const std::string& config) {
  std::vector<std::string> words{std::filesystem::read_symlink("/proc/self/exe"),
                                 "--replica", config,
                                 "--transport", options.transport,
                                 "--signatures", options.signatures,
                                 "--wal", options.wal,
                                 "--votes", options.votes,
                                 "--group-commit", options.group_commit,
                                 "--pull-along", options.pull_along,
                                 "--batching", options.batching};
  if (!options.record.empty())
    for (const std::string& word :
         {std::string("--record"), options.record, std::string("--record-gather"),
          std::to_string(options.record_gather), std::string("--record-compression"),
          options.record_compression})
      words.push_back(word);
  return words;
}

/// Waits until the load is over and all nodes agree; false if that does not come about.
template <class Load>
bool finish(Load& load, Crew& crew) {
  constexpr std::chrono::seconds patience{30};
  constexpr std::chrono::milliseconds pause{50};
  load.stop();
  const Time deadline = std::chrono::steady_clock::now() + patience;
  while (!load.drained() || !crew.agrees(load.completed())) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    crew.watch(std::chrono::steady_clock::now() + pause);
  }
  return load.failed() == 0;
}

template <class Transport, class MakeTransport>
Result run(const Options& options, const std::filesystem::path& folder, Crew& crew,
           const std::vector<kv::ClientConfig>& clients, MakeTransport&& transport) {
  Result result;
  result.options = options;
  for (std::uint32_t i = 0; i < options.nodes; ++i) {
    crew.start(command(options, testnet::node_file(folder / "net", i)));
    result.costs.push_back({"node " + std::to_string(i), 0});
  }
  result.costs.push_back({"clients", 0});
  RemoteLoad<Transport> load(options, clients, transport);
  measure(load, options, result, [&](Time until) { crew.watch(until); },
          [&] {
            std::vector<double> all = crew.cpu();
            all.push_back(cpu_seconds());
            return all;
          });
  result.agreed = finish(load, crew);
  result.latency_ms = latency_of(load.latencies());
  crew.end();
  return result;
}

}  // namespace

Result run_in_processes(const Options& options) {
  const programs::Signals signals;
  const programs::TemporaryFolder folder = folder_in(options.folder);
  make_files(options, folder.path());
  Crew crew(signals);
  const auto clients = client_files(options, folder.path());
  if (options.transport == "tcp")
    return run<mirbft::PlainTcp>(options, folder.path(), crew, clients,
                                 [] { return mirbft::PlainTcp(); });
  return run<mirbft::TlsClient>(options, folder.path(), crew, clients, [&] {
    return mirbft::TlsClient(mirbft::TlsPins(kv::pins_of(clients.front().members)));
  });
}

}  // namespace bench

// mirbft-testnet: a whole cluster of the key-value store on one machine.
#include <csignal>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <mirbft/types/errors.hpp>

#include "../shared/program.hpp"
#include "../shared/signals.hpp"
#include "crew.hpp"
#include "network.hpp"

namespace {

constexpr const char* about =
    "A cluster of the replicated key-value store on this machine: `init` makes its files, `up` "
    "runs it\nuntil Ctrl-C.";

struct Options {
  testnet::Plan plan;
  std::uint16_t base_port = 0;
  std::string out;
  std::string folder;
  bool restart = false;
};

int init(Options options) {
  if (options.base_port != 0) options.plan.base_port = options.base_port;
  testnet::make_network(options.plan, options.out);
  std::cout << options.plan.nodes << (options.plan.nodes == 1 ? " node and " : " nodes and ")
            << options.plan.clients << (options.plan.clients == 1 ? " client in " : " clients in ")
            << options.out << "; run them with: mirbft-testnet up " << options.out << std::endl;
  return 0;
}

int up(const Options& options) {
  const auto bin = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  const programs::Signals signals;
  testnet::Crew crew(signals, options.restart ? testnet::OnEnd::restart : testnet::OnEnd::leave);
  std::size_t nodes = 0;
  for (; std::filesystem::exists(testnet::node_file(options.folder, nodes)); ++nodes)
    crew.add("node " + std::to_string(nodes),
             {bin / "mirbft-kv", "--config", testnet::node_file(options.folder, nodes)});
  if (nodes == 0)
    throw mirbft::ConfigError("DIR", options.folder,
                              "holds no node-0.json: make a cluster with mirbft-testnet init");
  return crew.work() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App program(about);
  Options options;
  program.require_subcommand(1);
  auto* const making =
      program.add_subcommand("init", "writes keys, certificates and configurations");
  making->add_option("--out", options.out, "directory, new or empty")->required();
  making->add_option("--nodes", options.plan.nodes, "how many replicas")->capture_default_str();
  making->add_option("--clients", options.plan.clients, "how many clients' files")
      ->capture_default_str();
  making->add_option("--service", options.plan.service,
                     "what the cluster keeps: key-value, or redis for mirbft-redis")
      ->check(CLI::IsMember({kv::key_value_service, kv::redis_service}))
      ->capture_default_str();
  making->add_option("--base-port", options.base_port,
                     "the first of three ports a node; else free ones are found");
  auto* const running = program.add_subcommand("up", "runs all replicas; one Ctrl-C ends them");
  running->add_option("DIR", options.folder, "what init has made")->required();
  running->add_flag("--restart", options.restart, "starts a replica again that has ended");
  program.set_version_flag("--version", "mirbft-testnet " MIRBFT_VERSION);
  return programs::run_program("mirbft-testnet", program, argc, argv,
                               [&] { return making->parsed() ? init(options) : up(options); });
}

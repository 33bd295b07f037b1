// mirbft-client: requests to a cluster of the key-value store, from arguments or a stream.
#include <chrono>
#include <csignal>
#include <cstdint>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/errors.hpp>

#include "../kv/cluster_client.hpp"
#include "../shared/program.hpp"
#include "stream.hpp"

namespace {

constexpr const char* about =
    "Sends requests to a cluster of mirbft-kv, and believes what f+1 replicas answer alike.\n"
    "Results go to standard output; where there is none, an exclamation mark and the reason. It\n"
    "ends with 1 if a request has failed, so that it may not have been delivered.\n"
    "Never run two programs with one client's file at a time.";

struct Options {
  std::string config;
  std::uint32_t open = 256;
  std::uint32_t deadline = 30;
  std::vector<std::string> words;
};

int run(const Options& options) {
  const auto client = kv::make_client(options.config, options.open,
                                      std::chrono::seconds(options.deadline));
  if (options.words == std::vector<std::string>{"-"}) {
    std::ios::sync_with_stdio(false);
    std::cin.tie(nullptr);  // who reads must not flush what another thread writes
    client_program::Stream stream(*client, options.open, std::cout, std::cerr);
    return stream.run(std::cin) ? 0 : 1;
  }
  std::string command;
  for (const std::string& word : options.words) command += (command.empty() ? "" : " ") + word;
  const mirbft::ClientReply reply = client->call(mirbft::Bytes(command));
  std::cout << client_program::text_of(reply) << std::endl;
  if (reply.end == mirbft::ClientEnd::timed_out && !client->status().last_end.empty())
    std::cerr << "mirbft-client: " << client->status().last_end << '\n';
  return client_program::is_delivered(reply) ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App program(about);
  Options options;
  program.add_option("--config", options.config, "the client's JSON file, as client.json")
      ->required();
  program.add_option("--open", options.open, "how many requests are under way at most")
      ->capture_default_str();
  program.add_option("--deadline", options.deadline, "seconds until a request is given up")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  program
      .add_option("COMMAND", options.words,
                  "one command, as SET key value; - for one a line from standard input")
      ->required();
  program.set_version_flag("--version", "mirbft-client " MIRBFT_VERSION);
  return programs::run_program("mirbft-client", program, argc, argv,
                               [&] { return run(options); });
}

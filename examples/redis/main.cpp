// mirbft-redis: speaks Redis' protocol, so that its tools and client libraries drive a cluster.
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/system/error_code.hpp>

#include <mirbft/types/errors.hpp>

#include "../kv/cluster_client.hpp"
#include "cluster_orders.hpp"
#include "gateway.hpp"
#include "local_orders.hpp"

namespace {

constexpr const char* about =
    "Speaks Redis' protocol to redis-cli, redis-benchmark and the client libraries of Redis.\n"
    "A cluster applies their commands: mirbft-testnet init --service redis makes one.\n"
    "With --local the data are in this process alone, and end with it.";

struct Options {
  redis::GatewayConfig gateway;
  std::string config;
  std::uint32_t open = 1024;
  bool local = false;
};

Options parse_options(int argc, char** argv) {
  Options options;
  CLI::App app(about);
  auto* const where = app.add_option_group("where");
  where->add_option("--config", options.config, "the client's JSON file, as client.json");
  where->add_flag("--local", options.local, "keep the data in this process");
  where->require_option(1);
  app.add_option("--open", options.open, "how many requests are under way at most")
      ->capture_default_str();
  app.add_option("--host", options.gateway.host, "the address to listen on")
      ->capture_default_str();
  app.add_option("--port", options.gateway.port, "the port to listen on; 0 for a free one")
      ->capture_default_str();
  app.add_option("--connections", options.gateway.max_connections, "how many clients at most")
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {
    std::exit(app.exit(asked));
  } catch (const CLI::ParseError& error) {
    const std::string text = error.what();
    throw mirbft::ConfigError("command line", text.substr(0, text.find('\n')),
                              "--help lists what there is");
  }
  return options;
}

template <class Orders>
void serve(boost::asio::io_context& io, Orders& orders, const redis::GatewayConfig& config) {
  redis::Gateway<Orders> gateway(io, orders, config);
  std::cout << "ready on " << config.host << ':' << gateway.port() << std::endl;
  io.run();
}

/// Serves until SIGINT or SIGTERM.
void serve(const Options& options) {
  constexpr std::chrono::seconds deadline{30};
  boost::asio::io_context io{1};
  boost::asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&io](const boost::system::error_code&, int) { io.stop(); });
  if (options.local) {
    redis::LocalOrders orders;
    return serve(io, orders, options.gateway);
  }
  const auto client = kv::make_client(options.config, options.open, deadline);
  redis::ClusterOrders orders(*client);
  serve(io, orders, options.gateway);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    serve(parse_options(argc, argv));
    return 0;
  } catch (const mirbft::ConfigError& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 1;
  }
}

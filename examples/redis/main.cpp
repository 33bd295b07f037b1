// mirbft-redis: speaks Redis' protocol, so that its tools and client libraries drive a cluster.
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/system/error_code.hpp>

#include <mirbft/types/errors.hpp>

#include "gateway.hpp"
#include "local_orders.hpp"

namespace {

constexpr const char* about =
    "Speaks Redis' protocol to redis-cli, redis-benchmark and the client libraries of Redis.\n"
    "With --local the data are in this process alone, and end with it.";

struct Options {
  redis::GatewayConfig gateway;
  bool local = false;
};

Options parse_options(int argc, char** argv) {
  Options options;
  CLI::App app(about);
  app.add_flag("--local", options.local, "keep the data in this process")->required();
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

/// Serves until SIGINT or SIGTERM.
void serve(const Options& options) {
  boost::asio::io_context io{1};
  boost::asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&io](const boost::system::error_code&, int) { io.stop(); });
  redis::LocalOrders orders;
  redis::Gateway<redis::LocalOrders> gateway(io, orders, options.gateway);
  std::cout << "ready on " << options.gateway.host << ':' << gateway.port() << std::endl;
  io.run();
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

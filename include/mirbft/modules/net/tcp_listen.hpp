// Opens a port for connections, or says in whose terms it cannot be opened.
#ifndef MIRBFT_MODULES_NET_TCP_LISTEN_HPP
#define MIRBFT_MODULES_NET_TCP_LISTEN_HPP

#include <cstdint>
#include <string>

#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include <mirbft/types/errors.hpp>

namespace mirbft::detail {

/// Has the acceptor listen at `listen_host` and `listen_port`, where 0 is any free one. Returns
/// the port. Throws `ConfigError`, which names one of the two.
inline std::uint16_t listen_at(boost::asio::ip::tcp::acceptor& acceptor,
                               boost::asio::io_context& io, const std::string& listen_host,
                               std::uint16_t listen_port) {
  using boost::asio::ip::tcp;
  const std::string port = std::to_string(listen_port);
  boost::system::error_code error;
  const auto found = tcp::resolver(io).resolve(listen_host, port, tcp::resolver::passive, error);
  if (!error) {
    const tcp::endpoint endpoint = *found.begin();
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
  }
  if (error == boost::asio::error::address_in_use)
    throw ConfigError("listen_port", port, "is in use; stop who has it or choose another port");
  if (error == boost::asio::error::access_denied)
    throw ConfigError("listen_port", port, "may not be opened; choose one above 1023");
  if (error)
    throw ConfigError("listen_host", '"' + listen_host + '"',
                      "must be an address of this machine (" + error.message() + ')');
  return acceptor.local_endpoint().port();
}

}  // namespace mirbft::detail

#endif

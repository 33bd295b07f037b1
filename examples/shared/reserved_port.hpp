// Free ports for a cluster on one machine.
#ifndef MIRBFT_EXAMPLES_SHARED_RESERVED_PORT_HPP
#define MIRBFT_EXAMPLES_SHARED_RESERVED_PORT_HPP

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

#include "process.hpp"

namespace programs {

/// A TCP port on loopback that is nobody else's for as long as this lives. It is bound but does
/// not listen, so that a child may, which binds it with the same option.
class ReservedPort {
 public:
  ReservedPort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int on = 1;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (::setsockopt(socket_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        ::bind(socket_.get(), any, size) != 0 || ::getsockname(socket_.get(), any, &size) != 0)
      throw std::system_error(errno, std::generic_category(), "no free port on 127.0.0.1");
    number_ = ntohs(address.sin_port);
  }

  std::uint16_t number() const noexcept { return number_; }

 private:
  Handle socket_;
  std::uint16_t number_ = 0;
};

}  // namespace programs

#endif

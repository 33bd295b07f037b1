// How many files and sockets the program may have open.
#ifndef MIRBFT_EXAMPLES_KV_DESCRIPTORS_HPP
#define MIRBFT_EXAMPLES_KV_DESCRIPTORS_HPP

#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include <mirbft/client/client_port_config.hpp>
#include <mirbft/types/errors.hpp>

namespace kv {

/// What the logs, the peers and the operator need, whatever strangers do.
inline constexpr std::uint64_t own_descriptors = 256;

/// Raises the limit as far as the system allows. Throws ConfigError where that is too few.
inline std::uint64_t raise_descriptors() {
  constexpr std::uint64_t least = own_descriptors + 64;
  ::rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < least)
    throw mirbft::ConfigError("open files", std::to_string(limit.rlim_cur),
                              "must be at least " + std::to_string(least) +
                                  ": raise the limit (ulimit -Hn)");
  return limit.rlim_cur;
}

/// Connections of clients take no more descriptors than the replica can spare: without one it
/// could not open the next file of its log, and would have to stop.
inline void leave_descriptors(mirbft::ClientPortConfig& config, std::uint64_t limit) {
  const std::uint64_t spare = limit - own_descriptors;
  config.total.connections = std::min(config.total.connections, spare);
  config.per_address.connections =
      std::min(config.per_address.connections, std::max<std::uint64_t>(spare / 4, 16));
}

}  // namespace kv

#endif

#include "replica.hpp"

#include <atomic>
#include <cstdint>
#include <memory>

namespace kv {

std::unique_ptr<Replica> make_replica(const Config& config, const DataDirectory& directory,
                                      std::atomic<std::uint64_t>& read) {
  return config.service == redis_service ? make_redis_replica(config, directory, read)
                                         : make_key_value_replica(config, directory, read);
}

}  // namespace kv

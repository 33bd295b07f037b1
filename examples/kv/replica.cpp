#include "replica.hpp"

#include <cstdint>
#include <memory>

namespace kv {

std::unique_ptr<Replica> make_replica(const Config& config, const DataDirectory& directory,
                                      Reading& reading) {
  return config.service == redis_service ? make_redis_replica(config, directory, reading)
                                         : make_key_value_replica(config, directory, reading);
}

}  // namespace kv

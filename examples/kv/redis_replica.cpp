#include <cstdint>
#include <memory>

#include "../redis/database.hpp"
#include "replica_of.hpp"

namespace kv {

std::unique_ptr<Replica> make_redis_replica(const Config& config, const DataDirectory& directory,
                                            Reading& reading) {
  return std::make_unique<ReplicaOf<redis::Database>>(config, directory, reading);
}

}  // namespace kv

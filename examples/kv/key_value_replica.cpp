#include <memory>

#include <mirbft/modules/app/key_value_store.hpp>

#include "replica_of.hpp"

namespace kv {

std::unique_ptr<Replica> make_key_value_replica(const Config& config,
                                                const DataDirectory& directory,
                                                Reading& reading) {
  return std::make_unique<ReplicaOf<mirbft::KeyValueStore>>(config, directory, reading);
}

}  // namespace kv

// The names of simulated nodes.
#ifndef MIRBFT_SIM_NODE_IDS_HPP
#define MIRBFT_SIM_NODE_IDS_HPP

#include <cstddef>
#include <vector>

#include <mirbft/types/id.hpp>

namespace mirbft::sim {

/// From 0 to `count - 1`.
inline std::vector<NodeId> node_ids(std::size_t count) {
  std::vector<NodeId> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back(NodeId(i));
  return all;
}

}  // namespace mirbft::sim

#endif

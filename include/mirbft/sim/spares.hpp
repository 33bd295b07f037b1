// Modules that are made once more, to be compared with those of a running node.
#ifndef MIRBFT_SIM_SPARES_HPP
#define MIRBFT_SIM_SPARES_HPP

#include <cstdint>
#include <functional>
#include <utility>

#include <mirbft/sim/disk.hpp>
#include <mirbft/sim/random.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft::sim {

/// Makes `Module`s as the cluster does for its nodes, and says when: to compare them is dear.
template <class Module>
class Spares {
 public:
  /// As for a node whose disk is kept, or was lost.
  using Make = std::function<Module(NodeId, Contents)>;

  /// None are ever wanted.
  Spares() = default;
  /// One is wanted at about one of `one_in` occasions.
  Spares(Make make, Random random, std::uint32_t one_in)
      : make_(std::move(make)), random_(random), one_in_(one_in) {}

  bool draw() noexcept { return one_in_ != 0 && random_.below(one_in_) == 0; }
  Module make(NodeId node, Contents disk) const { return make_(node, disk); }

 private:
  Make make_;
  Random random_{0};
  std::uint32_t one_in_ = 0;
};

}  // namespace mirbft::sim

#endif

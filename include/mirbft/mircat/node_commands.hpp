// The commands that must know the Node, for a type of it.
#ifndef MIRBFT_MIRCAT_NODE_COMMANDS_HPP
#define MIRBFT_MIRCAT_NODE_COMMANDS_HPP

#include <mirbft/mircat/node_modules.hpp>
#include <mirbft/mircat/replay.hpp>
#include <mirbft/mircat/step.hpp>

namespace mirbft::mircat {

template <class Node>
struct Replay : ReplayCommand {
  Replay() : ReplayCommand(NodeModules<Node>::maker) {}
};

template <class Node>
struct Step : StepCommand {
  Step() : StepCommand(NodeModules<Node>::maker) {}
};

}  // namespace mirbft::mircat

#endif

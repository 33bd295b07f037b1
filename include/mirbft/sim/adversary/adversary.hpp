// What may stand between a faulty node and the rest of the world.
#ifndef MIRBFT_SIM_ADVERSARY_ADVERSARY_HPP
#define MIRBFT_SIM_ADVERSARY_ADVERSARY_HPP

#include <cstddef>
#include <functional>

#include <mirbft/events/node.hpp>
#include <mirbft/sim/clock.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/frame_class.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft::sim {

/// The evil of a faulty node: it outlives the restarts of the node, which itself is honest and
/// knows nothing of it. As it stands here, it does nothing evil.
class Adversary {
 public:
  /// Sends a frame in the node's name.
  using Send = std::function<void(NodeId to, FrameClass kind, const Bytes& frame)>;

  virtual ~Adversary() = default;

  /// The node wants a frame sent.
  virtual void send(NodeId to, FrameClass kind, const Bytes& frame, const Send& send) {
    send(to, kind, frame);
  }
  /// A frame has come; the node sees it afterwards.
  virtual void hear(NodeId /*from*/, const Bytes& /*frame*/, const Send& /*send*/) {}
  /// Time has passed; called at least at every tick of the node.
  virtual void act(Time /*now*/, const Send& /*send*/) {}
  /// The node wants to answer a client.
  virtual void reply(Replied& /*reply*/) {}
  /// Whether the node crashes at this entry of its log.
  virtual bool crashes() { return false; }
  /// After a restart: how many of its records the log still shows.
  virtual std::size_t remembers(std::size_t records) { return records; }
};

}  // namespace mirbft::sim

#endif

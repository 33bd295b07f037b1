// One way of being Byzantine.
#ifndef MIRBFT_SIM_ADVERSARY_BEHAVIOUR_HPP
#define MIRBFT_SIM_ADVERSARY_BEHAVIOUR_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/events/node.hpp>
#include <mirbft/sim/adversary/letter.hpp>
#include <mirbft/sim/adversary/powers.hpp>
#include <mirbft/sim/clock.hpp>

namespace mirbft::sim::byzantine {

/// What a faulty replica does with what its honest part does. As it stands here, nothing. Several
/// of them can be at work in one replica: what the one says passes through the next.
class Behaviour {
 public:
  explicit Behaviour(Powers powers) : powers_(std::move(powers)) {}
  virtual ~Behaviour() = default;

  /// The honest part wants to send `letter`: what is to be said in its place goes to `out`.
  virtual void send(Letter letter, Letters& out) { out.push_back(std::move(letter)); }
  /// Another replica has said `message`; what is added to `out` is sent.
  virtual void hear(NodeId /*from*/, const Message& /*message*/, Letters& /*out*/) {}
  /// Time has passed.
  virtual void act(Time /*now*/, Letters& /*out*/) {}
  /// Frames on their way out, beyond repair for who comes later.
  virtual void garble(std::vector<std::uint8_t>& /*frame*/) {}
  /// An answer to a client.
  virtual void reply(Replied& /*reply*/) {}
  /// See `Adversary`.
  virtual bool crashes() { return false; }
  virtual std::size_t remembers(std::size_t records) { return records; }

  /// How often it has done what it is named after.
  std::uint64_t acted() const noexcept { return acted_; }

 protected:
  void count() noexcept { ++acted_; }
  Powers& powers() noexcept { return powers_; }
  Random& random() noexcept { return powers_.random(); }
  const std::vector<NodeId>& others() const noexcept { return powers_.cluster().others(); }
  NodeId self() const noexcept { return powers_.self(); }

 private:
  Powers powers_;
  std::uint64_t acted_ = 0;
};

}  // namespace mirbft::sim::byzantine

#endif

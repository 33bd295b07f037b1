// The Net of a node that may be faulty.
#ifndef MIRBFT_SIM_ADVERSARY_NET_HPP
#define MIRBFT_SIM_ADVERSARY_NET_HPP

#include <chrono>
#include <cstddef>
#include <utility>

#include <mirbft/sim/adversary/adversary.hpp>

namespace mirbft::sim {

/// A Net through whose hands all frames of an adversary's node go. Without an adversary it is the
/// Net that it wraps. `Inner` tells the time by `now()`.
template <class Inner>
class Adversarial {
 public:
  /// `adversary` may be null, and must outlive the Net.
  explicit Adversarial(Inner net, Adversary* adversary = nullptr)
      : net_(std::move(net)), adversary_(adversary) {}

  void send(NodeId to, FrameClass kind, const Bytes& frame) {
    if (!adversary_) return net_.send(to, kind, frame);
    adversary_->send(to, kind, frame, way_out());
  }
  void flush() { net_.flush(); }

  template <class Sink>
  void poll(Sink&& sink, std::chrono::nanoseconds at_most, std::size_t max_frames) {
    if (!adversary_) return net_.poll(sink, at_most, max_frames);
    adversary_->act(net_.now(), way_out());
    const auto overhear = [&](NodeId from, Bytes frame) {
      adversary_->hear(from, frame, way_out());
      sink(from, std::move(frame));
    };
    net_.poll(overhear, at_most, max_frames);
  }
  void wake() { net_.wake(); }
  void close() { net_.close(); }

  auto status() const { return net_.status(); }

 private:
  auto way_out() {
    return [this](NodeId to, FrameClass kind, const Bytes& frame) { net_.send(to, kind, frame); };
  }

  Inner net_;
  Adversary* adversary_;
};

}  // namespace mirbft::sim

#endif

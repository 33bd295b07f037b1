// The frames that wait until one peer can take them, bounded in bytes.
#ifndef MIRBFT_MODULES_NET_PEER_QUEUE_HPP
#define MIRBFT_MODULES_NET_PEER_QUEUE_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/frame_class.hpp>

namespace mirbft {

/// A queue that keeps the order of all frames and never holds more than `limit` bytes.
///
/// When it is full, a new frame makes room for itself: frames of the lowest class go first, the
/// oldest of them first, since of what a peer missed the latest is worth the most. A frame never
/// displaces one of a higher class; if only such ones are left, it is dropped itself.
class PeerQueue {
 public:
  /// What a frame counts besides its payload.
  static constexpr std::size_t frame_cost = 64;

  struct Entry {
    FrameClass kind;
    Bytes payload;
  };

  explicit PeerQueue(std::size_t limit) noexcept : limit_(limit) {}

  void push(FrameClass kind, const Bytes& payload) {
    const std::size_t cost = payload.size() + frame_cost;
    if (!make_room(index(kind), cost)) {
      ++lanes_[index(kind)].dropped;
      return;
    }
    Lane& lane = lanes_[index(kind)];
    lane.frames.push_back({next_place_++, payload});
    lane.bytes += cost;
    bytes_ += cost;
  }

  /// Takes out the oldest frame of all; the queue must not be empty.
  Entry pop() {
    std::size_t oldest = frame_classes;
    for (std::size_t kind = 0; kind < frame_classes; ++kind) {
      if (lanes_[kind].frames.empty()) continue;
      if (oldest == frame_classes || front_place(kind) < front_place(oldest)) oldest = kind;
    }
    return {static_cast<FrameClass>(oldest), take_front(lanes_[oldest])};
  }

  bool empty() const noexcept { return bytes_ == 0; }
  std::size_t bytes() const noexcept { return bytes_; }
  /// How many frames of the class found no room or had to make it.
  std::uint64_t dropped(FrameClass kind) const noexcept { return lanes_[index(kind)].dropped; }

 private:
  struct Waiting {
    std::uint64_t place;
    Bytes payload;
  };
  /// The frames of one class.
  struct Lane {
    std::deque<Waiting> frames;
    std::size_t bytes = 0;
    std::uint64_t dropped = 0;
  };

  static constexpr std::size_t index(FrameClass kind) noexcept {
    return static_cast<std::size_t>(kind);
  }
  std::uint64_t front_place(std::size_t kind) const noexcept {
    return lanes_[kind].frames.front().place;
  }

  Bytes take_front(Lane& lane) {
    Bytes payload = std::move(lane.frames.front().payload);
    lane.frames.pop_front();
    lane.bytes -= payload.size() + frame_cost;
    bytes_ -= payload.size() + frame_cost;
    return payload;
  }

  /// Drops what a frame of this class and cost may displace, if that is enough.
  bool make_room(std::size_t kind, std::size_t cost) {
    std::size_t kept = bytes_;
    for (std::size_t lower = kind; lower < frame_classes; ++lower) kept -= lanes_[lower].bytes;
    if (kept + cost > limit_) return false;
    for (std::size_t lower = frame_classes; lower-- > kind;) {
      for (Lane& lane = lanes_[lower]; bytes_ + cost > limit_ && !lane.frames.empty();) {
        take_front(lane);
        ++lane.dropped;
      }
    }
    return true;
  }

  std::size_t limit_;
  std::array<Lane, frame_classes> lanes_;
  std::uint64_t next_place_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace mirbft

#endif

// The Net's duty: messages out as frames; frames in as messages, if they are well formed.
#ifndef MIRBFT_ENGINE_TASKS_NET_HPP
#define MIRBFT_ENGINE_TASKS_NET_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <mirbft/engine/tasks/task.hpp>
#include <mirbft/events/net.hpp>
#include <mirbft/events/protocol.hpp>
#include <mirbft/types/frame_class.hpp>
#include <mirbft/wire/codec.hpp>
#include <mirbft/wire/joined.hpp>

namespace mirbft::engine {

/// A frame holds one message, or several votes behind one another: at most so many. Without a
/// limit, frames of the shortest votes would fill the Protocol's list.
inline constexpr std::size_t votes_in_a_frame = 256;

template <class Module, class Protocol>
struct TaskOf<slot::net.index(), Module, Protocol> {
  using Message = typename Protocol::Message;
  using emits = events<MessageReceived<Message>>;
  template <class E>
  static constexpr bool handles = std::is_same_v<E, SendMessage<Message>>;
  template <class E>
  static constexpr bool alone = true;

  explicit TaskOf(const NodeConfig& config) : vote_frames_(config.vote_frames) {}

  /// Votes wait for the end of the list, for others to the same peers to join them.
  void process(Module& net, SendMessage<Message>&& send, auto& /*out*/) {
    const FrameClass kind = Protocol::frame_class(send.message);
    Bytes frame = wire::encode(send.message);
    if (!gathers(kind)) return send_to(net, send.destinations, kind, frame);
    if (send.destinations != destinations_ || votes_.size() == votes_in_a_frame ||
        bytes_ + frame.size() > frame_limit(kind))
      send_votes(net);
    destinations_ = std::move(send.destinations);
    bytes_ += frame.size();
    votes_.push_back(std::move(frame));
  }
  void finish(Module& net, auto& /*out*/) {
    send_votes(net);
    net.flush();
  }

  /// Takes in what has arrived, waiting `at_most` for it; a frame that holds anything but
  /// canonical messages is counted, and from there on dropped. Returns how many bytes that were.
  std::uint64_t receive(Module& net, std::chrono::nanoseconds at_most, std::size_t max_frames,
                        auto& out) {
    std::uint64_t bytes = 0;
    const auto take = [&](NodeId from, Bytes frame) {
      bytes += frame.size();
      const auto take_one = [&](const Bytes& part) {
        auto message = wire::decode<Message>(part, wire::Form::canonical);
        if (message) out.emit(MessageReceived<Message>{from, std::move(*message)});
        return message.has_value();
      };
      bool sound = false;
      if constexpr (wire::ends_by_itself<Message>()) {
        sound = wire::split(frame, votes_in_a_frame, take_one);
      } else {
        sound = take_one(frame);
      }
      status_.malformed_frames += !sound;
    };
    net.poll(take, at_most, max_frames);
    return bytes;
  }

  /// Frames of which something was dropped, as it was no canonical message.
  struct Status {
    std::uint64_t malformed_frames = 0;
  };
  Status status() const noexcept { return status_; }

 private:
  bool gathers(FrameClass kind) const noexcept {
    return wire::ends_by_itself<Message>() && kind == FrameClass::vote &&
           vote_frames_ == VoteFrames::gathered;
  }
  static void send_to(Module& net, const std::vector<NodeId>& destinations, FrameClass kind,
                      const Bytes& frame) {
    for (const NodeId destination : destinations) net.send(destination, kind, frame);
  }
  void send_votes(Module& net) {
    if (votes_.empty()) return;
    const Bytes frame = votes_.size() == 1 ? std::move(votes_.front()) : wire::join(votes_);
    send_to(net, destinations_, FrameClass::vote, frame);
    votes_.clear();
    bytes_ = 0;
  }

  VoteFrames vote_frames_;
  /// Encoded votes that have not left, all to the same peers.
  std::vector<Bytes> votes_;
  std::vector<NodeId> destinations_;
  std::size_t bytes_ = 0;
  Status status_;
};

}  // namespace mirbft::engine

#endif

// The Net's duty: messages out as frames; frames in as messages, if they are well formed.
#ifndef MIRBFT_ENGINE_TASKS_NET_HPP
#define MIRBFT_ENGINE_TASKS_NET_HPP

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include <mirbft/engine/tasks/task.hpp>
#include <mirbft/events/net.hpp>
#include <mirbft/events/protocol.hpp>
#include <mirbft/types/frame_class.hpp>
#include <mirbft/wire/codec.hpp>

namespace mirbft::engine {

template <class Module, class Protocol>
struct TaskOf<slot::net.index(), Module, Protocol> {
  using Message = typename Protocol::Message;
  using emits = events<MessageReceived<Message>>;
  template <class E>
  static constexpr bool handles = std::is_same_v<E, SendMessage<Message>>;
  template <class E>
  static constexpr bool alone = true;

  explicit TaskOf(const Bytes& /*cluster*/) {}

  void process(Module& net, SendMessage<Message>&& send, auto& /*out*/) {
    const Bytes frame = wire::encode(send.message);
    const FrameClass kind = Protocol::frame_class(send.message);
    for (const NodeId destination : send.destinations) net.send(destination, kind, frame);
  }
  void finish(Module& net, auto& /*out*/) { net.flush(); }

  /// Takes in what has arrived, waiting `at_most` for it; a frame that is no canonical message
  /// is counted and dropped.
  void receive(Module& net, std::chrono::nanoseconds at_most, std::size_t max_frames, auto& out) {
    const auto take = [&](NodeId from, Bytes frame) {
      std::optional<Message> message = wire::decode<Message>(frame, wire::Form::canonical);
      if (message) {
        out.emit(MessageReceived<Message>{from, std::move(*message)});
      } else {
        ++status_.malformed_frames;
      }
    };
    net.poll(take, at_most, max_frames);
  }

  /// Frames that were dropped because they hold no canonical message.
  struct Status {
    std::uint64_t malformed_frames = 0;
  };
  Status status() const noexcept { return status_; }

 private:
  Status status_;
};

}  // namespace mirbft::engine

#endif

// The adversary of a replica of ISS with PBFT: some Byzantine behaviours, one after the other.
#ifndef MIRBFT_SIM_ADVERSARY_REPLICA_HPP
#define MIRBFT_SIM_ADVERSARY_REPLICA_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include <mirbft/protocol/orderers/pbft.hpp>
#include <mirbft/sim/adversary/adversary.hpp>
#include <mirbft/sim/adversary/behaviour.hpp>
#include <mirbft/sim/adversary/letter.hpp>
#include <mirbft/sim/agenda.hpp>
#include <mirbft/wire/codec.hpp>
#include <mirbft/wire/joined.hpp>

namespace mirbft::sim::byzantine {

/// What the honest part of a replica sends is taken apart into messages. Each goes through all
/// behaviours; what they make of it is sent, each message in a frame of its own.
class Replica : public Adversary {
 public:
  explicit Replica(std::vector<std::unique_ptr<Behaviour>> behaviours)
      : behaviours_(std::move(behaviours)) {}

  void send(NodeId to, FrameClass, const Bytes& frame, const Send& send) override {
    Letters letters;
    for_each_message(frame, [&](Message message) { letters.push_back({to, std::move(message)}); });
    for (const auto& behaviour : behaviours_) {
      Letters next;
      for (Letter& letter : letters) behaviour->send(std::move(letter), next);
      letters = std::move(next);
    }
    post(std::move(letters), send);
  }

  void hear(NodeId from, const Bytes& frame, const Send& send) override {
    Letters letters;
    for_each_message(frame, [&](const Message& message) {
      for (const auto& behaviour : behaviours_) behaviour->hear(from, message, letters);
    });
    post(std::move(letters), send);
  }

  void act(Time now, const Send& send) override {
    now_ = now;
    Letters letters;
    for (const auto& behaviour : behaviours_) behaviour->act(now, letters);
    while (delayed_.next() <= now) letters.push_back(delayed_.take());
    post(std::move(letters), send);
  }

  void reply(Replied& reply) override {
    for (const auto& behaviour : behaviours_) behaviour->reply(reply);
  }
  bool crashes() override {
    return std::ranges::any_of(behaviours_, [](const auto& one) { return one->crashes(); });
  }
  std::size_t remembers(std::size_t records) override {
    for (const auto& behaviour : behaviours_) records = behaviour->remembers(records);
    return records;
  }

  const std::vector<std::unique_ptr<Behaviour>>& behaviours() const noexcept {
    return behaviours_;
  }

 private:
  /// What is no message says nothing to a Byzantine replica either.
  template <class Take>
  static void for_each_message(const Bytes& frame, Take&& take) {
    wire::split(frame, frame.size(), [&](const Bytes& part) {
      auto message = wire::decode<Message>(part, wire::Form::canonical);
      if (message) take(std::move(*message));
      return message.has_value();
    });
  }

  void post(Letters letters, const Send& send) {
    for (Letter& letter : letters) {
      if (const Time delay = std::exchange(letter.delay, {}); delay > Time{}) {
        delayed_.at(now_ + delay, std::move(letter));
      } else {
        send(letter.to, iss::frame_class<Pbft>(letter.message), frame_of(letter.message));
      }
    }
  }
  Bytes frame_of(const Message& message) {
    const Bytes honest = wire::encode(message);
    std::vector<std::uint8_t> frame(honest.begin(), honest.end());
    for (const auto& behaviour : behaviours_) behaviour->garble(frame);
    return Bytes(ByteView(frame));
  }

  std::vector<std::unique_ptr<Behaviour>> behaviours_;
  Agenda<Letter> delayed_;
  Time now_{};
};

}  // namespace mirbft::sim::byzantine

#endif

// The way of remote clients' requests into a Node, and of its answers out.
#ifndef MIRBFT_CLIENT_PORT_QUEUE_HPP
#define MIRBFT_CLIENT_PORT_QUEUE_HPP

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <mirbft/client/io_loop.hpp>
#include <mirbft/events/node.hpp>
#include <mirbft/events/tracker.hpp>
#include <mirbft/node.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/number_map.hpp>
#include <mirbft/types/request.hpp>

namespace mirbft {

/// Gives requests to a Node so that each gets an answer of its own.
///
/// A Node tells everybody who waits for a (client, number) the same. So somebody who submits
/// rubbish under an honest client's number would have its refusal handed to the honest one too.
/// Here, different requests under one number are given to the Node one after the other.
///
/// One thread at a time; the Node answers on its own.
template <class Replica>
class PortQueue {
 public:
  PortQueue(Replica& replica, IoLoop& loop)
      : replica_(replica), answers_(std::make_shared<Answers>(&loop)) {}

  /// The ticket is for the answer, of which there will be one.
  void submit(std::uint64_t ticket, Request request, Spread spread) {
    const Key key{request.client, request.req_no};
    Number& number = numbers_[key];
    keys_[ticket] = key;
    if (number.inside > 0 && number.request != request) {
      ++held_back_;
      number.held.push_back({ticket, std::move(request), spread});
    } else {
      give(number, {ticket, std::move(request), spread});
    }
  }

  /// Calls `sink(ticket, Replied)` for each answer that has come.
  template <class Sink>
  void take_answers(Sink&& sink) {
    for (auto& [ticket, reply] : answers_->take()) {
      go_on(*keys_.take(ticket));
      sink(ticket, std::move(reply));
    }
  }

  /// What the Node answers from now on is dropped; the loop may go.
  void close() { answers_->close(); }

  std::uint64_t submitted() const noexcept { return submitted_; }
  std::uint64_t held_back() const noexcept { return held_back_; }
  /// How many requests the Node did not take.
  std::uint64_t refused() const noexcept { return refused_; }

 private:
  using Key = std::pair<ClientId, ReqNo>;

  /// The answers of the Node's thread; lives until the last of them, whoever goes first.
  class Answers {
   public:
    using List = std::vector<std::pair<std::uint64_t, Replied>>;

    explicit Answers(IoLoop* loop) : loop_(loop) {}

    void put(std::uint64_t ticket, const Replied& reply) {
      const std::lock_guard lock(mutex_);
      if (!loop_) return;
      list_.emplace_back(ticket, reply);
      loop_->wake();
    }
    List take() {
      const std::lock_guard lock(mutex_);
      return std::exchange(list_, {});
    }
    void close() {
      const std::lock_guard lock(mutex_);
      loop_ = nullptr;
    }

   private:
    std::mutex mutex_;
    IoLoop* loop_;
    List list_;
  };

  struct Held {
    std::uint64_t ticket = 0;
    Request request;
    Spread spread{};
  };
  /// A number of a client under which the Node has a request.
  struct Number {
    Request request;
    std::size_t inside = 0;  // how many answers to it are to come
    std::deque<Held> held;
  };

  void give(Number& number, Held held) {
    number.request = held.request;
    ++number.inside;
    Replied refusal{held.request.client, held.request.req_no, Outcome::overloaded, {}, {}};
    const Submitted submitted = replica_.submit(
        std::move(held.request),
        [answers = answers_, ticket = held.ticket](const Replied& reply) {
          answers->put(ticket, reply);
        },
        held.spread);
    ++(submitted == Submitted::accepted ? submitted_ : refused_);
    if (submitted == Submitted::accepted) return;
    if (submitted == Submitted::stopped) refusal.outcome = Outcome::shut_down;
    answers_->put(held.ticket, refusal);
  }

  /// A request under this number is answered: it is the turn of the next, and of its like.
  void go_on(const Key& key) {
    const auto number = numbers_.find(key);
    if (--number->second.inside > 0) return;
    std::deque<Held>& held = number->second.held;
    if (held.empty()) {
      numbers_.erase(number);
      return;
    }
    do {
      Held next = std::move(held.front());
      held.pop_front();
      give(number->second, std::move(next));
    } while (!held.empty() && held.front().request == number->second.request);
  }

  Replica& replica_;
  std::shared_ptr<Answers> answers_;
  std::map<Key, Number> numbers_;
  NumberMap<Key> keys_;  // by ticket
  std::uint64_t submitted_ = 0;
  std::uint64_t held_back_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace mirbft

#endif

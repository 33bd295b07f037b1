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

#include <mirbft/client/client_frames.hpp>
#include <mirbft/client/io_loop.hpp>
#include <mirbft/events/node.hpp>
#include <mirbft/node.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/number_map.hpp>
#include <mirbft/types/request.hpp>
#include <mirbft/wire/codec.hpp>

namespace mirbft {

/// Gives requests to a Node so that each gets an answer of its own.
///
/// A Node tells everybody who waits for a (client, number) the same. So somebody who submits
/// rubbish under an honest client's number would have its refusal handed to the honest one too.
/// Here, different requests under one number are given to the Node one after the other, in the
/// order in which they came: whoever repeats rubbish does not get ahead of who waits for its end.
///
/// `Asker` is a small value that goes with a request and comes back with its answer.
/// One thread at a time; the Node answers on its own.
template <class Replica, class Asker>
class PortQueue {
 public:
  PortQueue(Replica& replica, IoLoop& loop)
      : replica_(replica), answers_(std::make_shared<Answers>(&loop)) {}

  /// There will be one answer. `payload` is what the submission was decoded from.
  void submit(const Asker& asker, Submission submission, Bytes payload) {
    const Request& request = submission.request;
    Number& number = numbers_[request.client][request.req_no.value];
    const Key key{request.client, request.req_no};
    if (number.inside > 0 && (is_held(key) || request_in(number.payload) != request)) {
      ++held_back_;
      held_[key].push_back({asker, std::move(payload)});
    } else {
      give(number, asker, std::move(submission), std::move(payload));
    }
  }

  /// Calls `sink(asker, Replied)` for each answer that has come.
  template <class Sink>
  void take_answers(Sink&& sink) {
    for (auto& [asker, reply] : answers_->take()) {
      go_on(reply.client, reply.req_no);
      sink(asker, std::move(reply));
    }
  }

  /// What the Node answers from now on is dropped; the loop may go.
  void close() { answers_->close(); }

  std::uint64_t submitted() const noexcept { return submitted_; }
  std::uint64_t held_back() const noexcept { return held_back_; }
  /// How many requests the Node did not take.
  std::uint64_t refused() const noexcept { return refused_; }

 private:
  /// The answers of the Node's thread; lives until the last of them, whoever goes first.
  class Answers {
   public:
    using List = std::vector<std::pair<Asker, Replied>>;

    explicit Answers(IoLoop* loop) : loop_(loop) {}

    void put(const Asker& asker, const Replied& reply) {
      const std::lock_guard lock(mutex_);
      if (!loop_) return;
      list_.emplace_back(asker, reply);
      if (list_.size() == 1) loop_->wake();  // it then takes all that come meanwhile
    }
    List take() {
      List taken;
      const std::lock_guard lock(mutex_);
      taken.swap(list_);
      list_.reserve(taken.size());
      return taken;
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

  /// A number of a client under which the Node has a request.
  struct Number {
    /// Of the submission of that request. To keep the request would take a reference for each of
    /// its parts, and it is seldom needed.
    Bytes payload;
    std::uint32_t inside = 0;  // how many answers to it are to come
  };
  struct Held {
    Asker asker;
    Bytes payload;
  };

  using Key = std::pair<ClientId, ReqNo>;

  bool is_held(const Key& key) const { return !held_.empty() && held_.count(key) != 0; }

  static Submission submission_in(const Bytes& payload) {
    return *wire::decode<Submission>(payload, wire::Form::lenient);
  }
  static Request request_in(const Bytes& payload) { return submission_in(payload).request; }

  void give(Number& number, const Asker& asker, Submission submission, Bytes payload) {
    number.payload = std::move(payload);
    ++number.inside;
    Request& request = submission.request;
    Replied refusal{request.client, request.req_no, Outcome::overloaded, {}, {}};
    const Submitted submitted = replica_.submit(
        std::move(request),
        [answers = answers_, asker](const Replied& reply) { answers->put(asker, reply); },
        submission.spread);
    ++(submitted == Submitted::accepted ? submitted_ : refused_);
    if (submitted == Submitted::accepted) return;
    if (submitted == Submitted::stopped) refusal.outcome = Outcome::shut_down;
    answers_->put(asker, refusal);
  }

  /// A request under this number is answered: it is the turn of the next, and of its like.
  void go_on(ClientId client, ReqNo req_no) {
    const auto numbers = numbers_.find(client);
    Number& number = *numbers->second.find(req_no.value);
    if (--number.inside > 0) return;
    const auto held = held_.empty() ? held_.end() : held_.find({client, req_no});
    if (held == held_.end()) {
      numbers->second.take(req_no.value);
      if (numbers->second.empty()) numbers_.erase(numbers);
      return;
    }
    std::deque<Held>& queue = held->second;
    do {
      Held next = std::move(queue.front());
      queue.pop_front();
      give(number, next.asker, submission_in(next.payload), next.payload);
    } while (!queue.empty() && request_in(queue.front().payload) == request_in(number.payload));
    if (queue.empty()) held_.erase(held);
  }

  Replica& replica_;
  std::shared_ptr<Answers> answers_;
  std::map<ClientId, NumberMap<Number>> numbers_;
  std::map<Key, std::deque<Held>> held_;
  std::uint64_t submitted_ = 0;
  std::uint64_t held_back_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace mirbft

#endif

// A thread for a Net that has its own: it sends the lists it is given and waits for frames.
#ifndef MIRBFT_ENGINE_NET_RUNNER_HPP
#define MIRBFT_ENGINE_NET_RUNNER_HPP

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <mirbft/engine/core.hpp>

namespace mirbft::engine {

/// Sends and receives on one thread. When the dispatching thread does not keep up with what
/// arrives, this one stops reading, and goes on sending. All calls are the dispatching thread's.
template <class Core>
class NetRunner {
 public:
  using Stage = engine::Stage<slot::net.index(), typename Core::Plan>;
  using Items = typename Stage::Items;
  using List = typename Stage::List;

  explicit NetRunner(Core& core)
      : core_(core), stage_(core.template stage<slot::net.index()>()),
        wake_(core.inbox().dispatcher()), room_(core.config().busy_above) {
    stage_.lend();
    thread_ = std::jthread([this](std::stop_token stop) { work(stop); });
  }
  ~NetRunner() {
    thread_.request_stop();
    stage_.module().wake();
    thread_.join();
    stage_.take_back();
  }

  /// Whether nothing is left of what was handed over, nor of what has come in.
  bool idle() const {
    const std::lock_guard lock(mutex_);
    return !sending_ && outgoing_.size() == 0 && incoming_.size() == 0 && released_.empty();
  }

  /// Whether a list may be handed over: always, as a Net never blocks.
  bool ready() const noexcept { return true; }

  /// Takes the list, which is left empty.
  void hand_over(List& list) {
    {
      const std::lock_guard lock(mutex_);
      outgoing_.append(list);
    }
    changed_.notify_one();
    stage_.module().wake();
  }

  /// Moves what came in to `items`, unless the Node is full, and the follow-ups that are due to
  /// `follow_ups`. Throws ModuleFailure with the reason when the module failed.
  void collect(Items& items, std::vector<FollowUps>& follow_ups) {
    const std::lock_guard lock(mutex_);
    if (failure_) throw ModuleFailure(*failure_);
    follow_ups.insert(follow_ups.end(), released_.begin(), released_.end());
    released_.clear();
    if (incoming_.size() == 0 || core_.is_full()) return;
    items.absorb(incoming_);
    incoming_bytes_ = 0;
    changed_.notify_one();
  }

  /// Stops reading; what is handed over is still sent.
  void stop_receiving() {
    {
      const std::lock_guard lock(mutex_);
      receiving_ = false;
    }
    stage_.module().wake();
  }

 private:
  void work(std::stop_token stop) {
    List list;
    Items out;
    std::uint64_t bytes = 0;
    std::vector<FollowUps> follow_ups;
    while (wait_for_work(stop, list)) {
      bytes = 0;
      engine::guarded([&] { bytes = send_and_receive(list, out, follow_ups); },
                      [&](const char* why) {
                        const std::lock_guard lock(mutex_);
                        failure_ = why;
                      });
      if (!hand_in(out, bytes, follow_ups)) return;
    }
  }

  /// Waits only while there is nothing to send and no room for what might be received.
  bool wait_for_work(const std::stop_token& stop, List& list) {
    std::unique_lock lock(mutex_);
    const auto may_receive = [this] {
      return receiving_ && incoming_.size() < room_ &&
             incoming_bytes_ < core_.config().received_bytes;
    };
    changed_.wait(lock, stop, [&] { return outgoing_.size() != 0 || may_receive(); });
    if (stop.stop_requested()) return false;
    std::swap(list, outgoing_);
    sending_ = list.size() != 0;
    may_receive_ = may_receive();
    return true;
  }

  /// Returns how many bytes were received.
  std::uint64_t send_and_receive(List& list, Items& out, std::vector<FollowUps>& follow_ups) {
    const bool sent = list.size() != 0;
    if (sent) stage_.run(list, out, follow_ups);
    std::uint64_t bytes = 0;
    if (may_receive_) {
      // What follows a sending must not wait for what arrives.
      const std::chrono::nanoseconds at_most = std::chrono::seconds(sent ? 0 : 1);
      typename Stage::TaskOut task_out(out);
      bytes = stage_.task().receive(stage_.module(), at_most, core_.config().frames_at_a_time,
                                    task_out);
    }
    stage_.publish();
    return bytes;
  }

  /// Shows the dispatching thread what came out. False when the module has failed.
  bool hand_in(Items& out, std::uint64_t bytes, std::vector<FollowUps>& follow_ups) {
    bool failed = false;
    bool awaited = out.size() != 0 || !follow_ups.empty();
    {
      const std::lock_guard lock(mutex_);
      failed = failure_.has_value();
      awaited = awaited || failed || !receiving_;
      sending_ = false;
      incoming_.absorb(out);
      // Of frames that held nothing, nothing waits.
      incoming_bytes_ = incoming_.size() == 0 ? 0 : incoming_bytes_ + bytes;
      released_.insert(released_.end(), follow_ups.begin(), follow_ups.end());
      follow_ups.clear();
    }
    if (awaited) wake_.wake();
    return !failed;
  }

  Core& core_;
  Stage& stage_;
  Wake& wake_;
  const std::size_t room_;
  bool may_receive_ = false;  // the thread's alone

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  bool receiving_ = true;
  bool sending_ = false;
  List outgoing_;
  Items incoming_;
  std::uint64_t incoming_bytes_ = 0;
  std::vector<FollowUps> released_;
  std::optional<std::string> failure_;
  std::jthread thread_;
};

}  // namespace mirbft::engine

#endif

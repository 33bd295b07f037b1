// A thread for a Net that has its own: it sends the lists it is given and waits for frames.
#ifndef MIRBFT_ENGINE_NET_RUNNER_HPP
#define MIRBFT_ENGINE_NET_RUNNER_HPP

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <exception>
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
/// arrives, this one stops reading. All calls are the dispatching thread's.
template <class Stage>
class NetRunner {
 public:
  using Items = typename Stage::Items;
  using List = typename Stage::List;

  NetRunner(Stage& stage, Wake& dispatcher, const NodeConfig& config)
      : stage_(stage), dispatcher_(dispatcher), config_(config) {
    status_ = status_of(stage_.module());
    thread_ = std::jthread([this](std::stop_token stop) { work(stop); });
  }
  ~NetRunner() {
    thread_.request_stop();
    stage_.module().wake();
  }

  bool idle() const {
    const std::lock_guard lock(mutex_);
    return outgoing_.size() == 0;
  }

  void hand_over(List& list) {
    {
      const std::lock_guard lock(mutex_);
      std::swap(outgoing_, list);
    }
    stage_.module().wake();
  }

  std::optional<std::string> collect(Items& items, std::vector<FollowUps>& follow_ups) {
    const std::lock_guard lock(mutex_);
    items.absorb(incoming_);
    follow_ups.insert(follow_ups.end(), released_.begin(), released_.end());
    released_.clear();
    room_.notify_one();
    return std::exchange(failure_, std::nullopt);
  }

  auto status() const {
    const std::lock_guard lock(mutex_);
    return status_;
  }

 private:
  void work(std::stop_token stop) {
    List list;
    Items out;
    std::vector<FollowUps> follow_ups;
    while (!stop.stop_requested()) {
      try {
        {
          const std::lock_guard lock(mutex_);
          std::swap(list, outgoing_);
        }
        if (list.size() != 0) stage_.run(list, out, follow_ups);
        typename Stage::TaskOut task_out(out);
        stage_.task().receive(stage_.module(), std::chrono::seconds(1), config_.frames_at_a_time,
                              task_out);
      } catch (const std::exception& error) {
        const std::lock_guard lock(mutex_);
        failure_ = error.what();
        dispatcher_.wake();
        return;
      }
      hand_in(stop, out, follow_ups);
    }
  }

  void hand_in(const std::stop_token& stop, Items& out, std::vector<FollowUps>& follow_ups) {
    const bool any = out.size() != 0 || !follow_ups.empty();
    std::unique_lock lock(mutex_);
    status_ = status_of(stage_.module());
    if (!any) return;
    incoming_.absorb(out);
    released_.insert(released_.end(), follow_ups.begin(), follow_ups.end());
    follow_ups.clear();
    dispatcher_.wake();
    room_.wait(lock, stop, [this] { return incoming_.size() < config_.busy_above; });
  }

  Stage& stage_;
  Wake& dispatcher_;
  const NodeConfig& config_;

  mutable std::mutex mutex_;
  std::condition_variable_any room_;
  List outgoing_;
  Items incoming_;
  std::vector<FollowUps> released_;
  std::optional<std::string> failure_;
  decltype(status_of(std::declval<const typename Stage::Module&>())) status_;
  std::jthread thread_;
};

}  // namespace mirbft::engine

#endif

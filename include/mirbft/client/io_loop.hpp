// The loop of a thread that serves connections: waits for them, and for other threads.
#ifndef MIRBFT_CLIENT_IO_LOOP_HPP
#define MIRBFT_CLIENT_IO_LOOP_HPP

#include <atomic>
#include <chrono>
#include <stop_token>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace mirbft {

/// Runs handlers in rounds: all that are ready, then what their results call for together, such
/// as one write for many frames.
class IoLoop {
 public:
  boost::asio::io_context& context() noexcept { return context_; }

  /// Makes the round that waits, or else the next one, begin soon. From any thread.
  void wake() {
    if (!woken_.exchange(true)) boost::asio::post(context_, [] {});
  }

  /// Until it is stopped: waits for handlers, runs all that are ready, then calls `round()`.
  template <class Round>
  void run(const std::stop_token& stop, Round&& round) {
    const std::stop_callback on_stop(stop, [this] { wake(); });
    while (!stop.stop_requested()) {
      context_.run_one();
      settle(round);
    }
  }

  /// The same until `done()`, or the time is up.
  template <class Round, class Done>
  void run_until(std::chrono::steady_clock::time_point deadline, Round&& round, Done&& done) {
    while (!done() && std::chrono::steady_clock::now() < deadline) {
      context_.run_one_until(deadline);
      settle(round);
    }
  }

 private:
  /// At most so many handlers before a round: a socket that is always readable must not put off
  /// what is due to the others.
  static constexpr int longest_round = 256;

  template <class Round>
  void settle(Round& round) {
    for (int left = longest_round; left > 0 && context_.poll_one() > 0; --left) continue;
    woken_ = false;  // before the round looks for what other threads have left
    round();
  }

  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      context_.get_executor()};
  std::atomic<bool> woken_ = false;
};

}  // namespace mirbft

#endif

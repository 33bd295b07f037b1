// Requests from a stream, many under way at a time, with their results in the stream's order.
#ifndef MIRBFT_EXAMPLES_CLIENT_STREAM_HPP
#define MIRBFT_EXAMPLES_CLIENT_STREAM_HPP

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <istream>
#include <mutex>
#include <optional>
#include <ostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <mirbft/client/client_config.hpp>
#include <mirbft/node.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/outcome.hpp>

namespace client_program {

/// The result of a request, or after an exclamation mark why there is none.
inline std::string text_of(const mirbft::ClientReply& reply) {
  if (reply.end == mirbft::ClientEnd::delivered) return std::string(reply.result.text());
  if (reply.end == mirbft::ClientEnd::rejected)
    return "! " + std::string(mirbft::to_string(reply.reason));
  return "! " + std::string(mirbft::to_string(reply.end));
}

/// Whether it is certain that the request was delivered; its result may be forgotten.
inline bool is_delivered(const mirbft::ClientReply& reply) {
  return reply.end == mirbft::ClientEnd::delivered || reply.end == mirbft::ClientEnd::forgotten;
}

/// Reads a command a line, skipping empty ones and those that begin with #; `Client` is what
/// `mirbft::Client` is. Tells how far it is every few seconds, and at the end how it was.
template <class Client>
class Stream {
 public:
  /// Of `most_open` commands at most the results wait for their turn.
  Stream(Client& client, std::size_t most_open, std::ostream& results, std::ostream& news)
      : client_(client), most_open_(most_open), results_(results), news_(news) {}

  /// Returns whether every command was delivered.
  bool run(std::istream& commands) {
    const auto began = Clock::now();
    {
      const std::jthread printer([this] { print(); });
      for (std::string line; std::getline(commands, line);) {
        if (line.ends_with('\r')) line.pop_back();
        if (!line.empty() && line[0] != '#') submit(std::move(line));
      }
      const std::lock_guard lock(mutex_);
      over_ = true;
      changed_.notify_all();
    }
    const std::chrono::duration<double> spent = Clock::now() - began;
    tell_summary(spent.count());
    return failed_ == 0;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds news_every{5};
  /// The latest so many latencies make the summary.
  static constexpr std::size_t most_latencies = std::size_t{1} << 20;

  /// Waits until there is room.
  void submit(std::string command) {
    std::uint64_t number = 0;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return waiting_.size() < most_open_; });
      number = first_ + waiting_.size();
      waiting_.emplace_back();
    }
    const auto on_end = [this, number, began = Clock::now()](const mirbft::ClientReply& reply) {
      ended(number, reply, Clock::now() - began);
    };
    if (client_.submit(mirbft::Bytes(command), on_end) != mirbft::Submitted::accepted)
      on_end({mirbft::ClientEnd::overloaded, {}, {}, {}});
  }

  void ended(std::uint64_t number, const mirbft::ClientReply& reply, Clock::duration latency) {
    const std::lock_guard lock(mutex_);
    failed_ += !is_delivered(reply);
    const auto time = std::chrono::duration_cast<std::chrono::microseconds>(latency);
    if (latencies_.size() < most_latencies)
      latencies_.push_back(time);
    else
      latencies_[ended_ % most_latencies] = time;
    ++ended_;
    waiting_[number - first_] = text_of(reply);
    if (number == first_) changed_.notify_all();
  }

  /// On a thread of its own: a slow reader of the results holds up nobody's connections.
  void print() {
    auto told = Clock::now();
    std::uint64_t before = 0;
    std::unique_lock lock(mutex_);
    while (!over_ || !waiting_.empty()) {
      changed_.wait_until(lock, told + news_every, [this] {
        return waiting_.empty() ? over_ : waiting_.front().has_value();
      });
      std::string lines;
      for (; !waiting_.empty() && waiting_.front(); ++first_, waiting_.pop_front())
        lines += *waiting_.front() + '\n';
      changed_.notify_all();
      const std::uint64_t ended = ended_;
      lock.unlock();
      results_ << lines << std::flush;
      if (Clock::now() - told >= news_every) {
        told += news_every;
        news_ << ended << " requests answered, "
              << (ended - std::exchange(before, ended)) / news_every.count() << "/s" << std::endl;
      }
      lock.lock();
    }
  }

  void tell_summary(double seconds) {
    if (ended_ == 0) return;
    std::sort(latencies_.begin(), latencies_.end());
    const auto at = [this](std::size_t percent) {
      const auto time = latencies_[(latencies_.size() - 1) * percent / 100];
      return std::to_string(time.count() / 1000) + '.' + std::to_string(time.count() / 100 % 10);
    };
    news_ << ended_ << (ended_ == 1 ? " request, " : " requests, ") << failed_ << " failed, "
          << static_cast<std::uint64_t>(static_cast<double>(ended_) / std::max(seconds, 1e-3))
          << "/s, p50 " << at(50) << " ms, p99 " << at(99) << " ms" << std::endl;
  }

  Client& client_;
  const std::size_t most_open_;
  std::ostream& results_;
  std::ostream& news_;

  std::mutex mutex_;
  std::condition_variable changed_;
  /// Results from number `first_` on that are not printed yet.
  std::deque<std::optional<std::string>> waiting_;
  std::uint64_t first_ = 0;
  std::uint64_t ended_ = 0;
  std::uint64_t failed_ = 0;
  std::vector<std::chrono::microseconds> latencies_;
  bool over_ = false;
};

}  // namespace client_program

#endif

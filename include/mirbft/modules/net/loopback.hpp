// A Net for several Nodes in one process: frames pass from list to list, payloads are shared.
#ifndef MIRBFT_MODULES_NET_LOOPBACK_HPP
#define MIRBFT_MODULES_NET_LOOPBACK_HPP

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/frame_class.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft {

/// What a `LoopbackNet` has done since it was made, in frames.
struct LoopbackStatus {
  std::uint64_t sent = 0;      ///< taken by `send`
  std::uint64_t received = 0;  ///< given to the sink of `poll`
  std::uint64_t dropped = 0;   ///< sent, but the receiver's inbox was full or closed
  std::uint64_t refused = 0;   ///< to nobody in the hub, longer than its class, or after `close`
};

/// The members' inboxes, which their `LoopbackNet`s share; outlives these. Thread-safe.
///
/// An inbox exists from the start, so members may be made in any order and miss nothing. It is
/// bounded in bytes, to which every frame adds `frame_cost`, and holds a frame until the `poll`
/// after the one that delivered it.
class LoopbackHub {
 public:
  static constexpr std::size_t frame_cost = 64;

  explicit LoopbackHub(const std::vector<NodeId>& members, std::size_t inbox_bytes = 64U << 20) {
    for (const NodeId member : members) {
      if (!inboxes_.try_emplace(member, inbox_bytes).second)
        throw ConfigError("members", std::to_string(member.value), "stands twice; name it once");
    }
  }
  LoopbackHub(const LoopbackHub&) = delete;
  LoopbackHub& operator=(const LoopbackHub&) = delete;

 private:
  friend class LoopbackNet;

  struct Frame {
    NodeId from;
    Bytes payload;
  };

  /// Frames and what they cost together.
  struct List {
    std::vector<Frame> frames;
    std::size_t cost = 0;

    static std::size_t cost_of(const Bytes& payload) noexcept {
      return payload.size() + frame_cost;
    }
    void push(Frame frame) {
      cost += cost_of(frame.payload);
      frames.push_back(std::move(frame));
    }
    void clear() noexcept {
      frames.clear();
      cost = 0;
    }
  };

  class Inbox {
   public:
    explicit Inbox(std::size_t limit) : limit_(limit) {}

    std::size_t limit() const noexcept { return limit_; }

    /// Takes over what fits of the list, empties it and says how many frames did not fit.
    std::size_t put(List& list) {
      std::size_t dropped = 0;
      {
        const std::lock_guard lock(mutex_);
        if (waiting_.frames.empty() && fits(list.cost)) {
          held_ += list.cost;
          std::swap(waiting_, list);
        } else {
          dropped = append(list);
        }
      }
      filled_.notify_one();
      list.clear();
      return dropped;
    }

    /// Gives the waiting frames for the delivered ones; without any, waits for frames or a wake.
    void take(List& delivered, std::chrono::nanoseconds at_most) {
      std::unique_lock lock(mutex_);
      held_ -= std::min(held_, delivered.cost);
      delivered.clear();
      wait(lock, at_most, [this] { return woken_ || !open_ || !waiting_.frames.empty(); });
      std::swap(waiting_, delivered);
    }

    /// Waits for a wake only.
    void rest(std::chrono::nanoseconds at_most) {
      std::unique_lock lock(mutex_);
      wait(lock, at_most, [this] { return woken_ || !open_; });
    }

    void wake() {
      {
        const std::lock_guard lock(mutex_);
        woken_ = true;
      }
      filled_.notify_one();
    }

    /// Claims the inbox for one `LoopbackNet`; false if another one has it.
    bool claim() {
      const std::lock_guard lock(mutex_);
      open_ = true;
      return !std::exchange(claimed_, true);
    }
    void close() {
      const std::lock_guard lock(mutex_);
      open_ = false;
      waiting_.clear();
      held_ = 0;
    }
    void release() {
      close();
      const std::lock_guard lock(mutex_);
      claimed_ = false;
    }

   private:
    using Clock = std::chrono::steady_clock;

    bool fits(std::size_t cost) const noexcept { return open_ && held_ + cost <= limit_; }

    std::size_t append(List& list) {
      std::size_t dropped = 0;
      for (Frame& frame : list.frames) {
        const std::size_t cost = List::cost_of(frame.payload);
        if (fits(cost)) {
          held_ += cost;
          waiting_.push(std::move(frame));
        } else {
          ++dropped;
        }
      }
      return dropped;
    }

    template <class Ready>
    void wait(std::unique_lock<std::mutex>& lock, std::chrono::nanoseconds at_most, Ready ready) {
      if (at_most.count() > 0 && !ready()) filled_.wait_until(lock, deadline(at_most), ready);
      woken_ = false;
    }

    /// The end of a wait, cut at the end of time: callers may wait for `nanoseconds::max()`.
    static Clock::time_point deadline(std::chrono::nanoseconds at_most) {
      const Clock::time_point now = Clock::now();
      return at_most < Clock::time_point::max() - now ? now + at_most : Clock::time_point::max();
    }

    const std::size_t limit_;
    std::mutex mutex_;
    std::condition_variable filled_;
    List waiting_;
    std::size_t held_ = 0;
    bool woken_ = false;
    bool open_ = true;
    bool claimed_ = false;
  };

  std::map<NodeId, Inbox> inboxes_;
};

/// One member's way to the others of its hub, itself included. Frames of one sender arrive in the
/// order of sending; those that find an inbox full are dropped and counted by the sender.
///
/// `send`, `flush`, `poll` and `close` come from one thread at a time, `wake` from any.
class LoopbackNet {
 public:
  /// Throws `ConfigError` if `self` is not a member of the hub or has a `LoopbackNet` already.
  LoopbackNet(LoopbackHub& hub, NodeId self) : self_(self), inbox_(claim(hub, self)) {
    for (auto& [member, inbox] : hub.inboxes_) outgoing_.push_back({member, &inbox, {}});
  }

  /// Puts a frame on the list that the next `flush` hands over.
  void send(NodeId to, FrameClass kind, const Bytes& payload) {
    Outgoing* const outgoing = find(to);
    if (!outgoing || payload.size() > frame_limit(kind)) {
      ++status_.refused;
      return;
    }
    ++status_.sent;
    if (outgoing->list.cost + LoopbackHub::List::cost_of(payload) > outgoing->inbox->limit())
      ++status_.dropped;
    else
      outgoing->list.push({self_, payload});
  }

  /// Hands over what was sent since the last `flush`, one lock for each destination.
  void flush() {
    for (Outgoing& outgoing : outgoing_) {
      if (!outgoing.list.frames.empty()) status_.dropped += outgoing.inbox->put(outgoing.list);
    }
  }

  /// Waits until there is a frame, a `wake()`, or the time is up, then calls
  /// `sink(NodeId from, Bytes payload)` for at most `max_frames` frames. With 0 frames only a
  /// wake ends it before its time.
  template <class Sink>
  void poll(Sink&& sink, std::chrono::nanoseconds at_most, std::size_t max_frames) {
    if (max_frames == 0) return inbox_->rest(at_most);
    if (next_ == taken_.frames.size()) {
      next_ = 0;
      inbox_->take(taken_, at_most);
    }
    const std::size_t end = next_ + std::min(max_frames, taken_.frames.size() - next_);
    while (next_ < end) {
      LoopbackHub::Frame& frame = taken_.frames[next_++];
      ++status_.received;
      sink(frame.from, std::move(frame.payload));
    }
  }

  /// Makes the `poll` that waits, or else the next one, return soon.
  void wake() { inbox_->wake(); }

  /// Hands over what was sent and closes the inbox, until another `LoopbackNet` opens it again.
  void close() {
    flush();
    outgoing_.clear();
    inbox_->close();
  }

  LoopbackStatus status() const noexcept { return status_; }

 private:
  struct Outgoing {
    NodeId to;
    LoopbackHub::Inbox* inbox;
    LoopbackHub::List list;
  };
  struct Release {
    void operator()(LoopbackHub::Inbox* inbox) const { inbox->release(); }
  };
  using Claimed = std::unique_ptr<LoopbackHub::Inbox, Release>;

  static Claimed claim(LoopbackHub& hub, NodeId self) {
    const auto found = hub.inboxes_.find(self);
    if (found == hub.inboxes_.end())
      throw ConfigError("self", std::to_string(self.value), "is no member; name it to the hub");
    if (!found->second.claim())
      throw ConfigError("self", std::to_string(self.value), "has a LoopbackNet; make one a member");
    return Claimed(&found->second);
  }

  Outgoing* find(NodeId to) noexcept {
    const auto found = std::lower_bound(
        outgoing_.begin(), outgoing_.end(), to,
        [](const Outgoing& outgoing, NodeId id) { return outgoing.to < id; });
    return found != outgoing_.end() && found->to == to ? &*found : nullptr;
  }

  NodeId self_;
  Claimed inbox_;
  std::vector<Outgoing> outgoing_;
  LoopbackHub::List taken_;
  std::size_t next_ = 0;
  LoopbackStatus status_;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::LoopbackStatus, sent, received, dropped, refused);

#endif

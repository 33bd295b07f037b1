// The working part of a Node: its stages, its lists, and the dispatch from one to the other.
#ifndef MIRBFT_ENGINE_CORE_HPP
#define MIRBFT_ENGINE_CORE_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <mirbft/engine/callers.hpp>
#include <mirbft/engine/inbox.hpp>
#include <mirbft/engine/stage.hpp>
#include <mirbft/engine/wiring.hpp>
#include <mirbft/events/node.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/wire/codec.hpp>

namespace mirbft {

/// What a Node needs to know that is no module's business.
struct NodeConfig {
  /// This replica, for logs and reports.
  NodeId self;
  /// Name of the cluster; part of everything that is hashed or signed. Not empty.
  Bytes cluster{"mirbft"};
  /// How often time is told to the modules.
  std::chrono::nanoseconds tick_every = std::chrono::milliseconds(5);
  /// Above so many pending events the Node takes nothing in until it has caught up.
  std::uint64_t busy_above = 1 << 15;
  /// So many submissions may wait to be taken in; further ones are refused as overloaded.
  std::uint64_t inbox_capacity = 1 << 16;
  /// How many frames are taken from the Net at a time.
  std::uint64_t frames_at_a_time = 1024;
};

namespace engine {

inline void check(const NodeConfig& config) {
  const auto positive = [](const char* field, auto value, const char* mend) {
    if (value <= 0) throw ConfigError(field, std::to_string(value), mend);
  };
  if (config.cluster.empty())
    throw ConfigError("cluster", "\"\"", "a cluster needs a name: give it any that is not empty");
  positive("tick_every", config.tick_every.count(),
           "time must be told now and then: set it to a few milliseconds");
  positive("busy_above", static_cast<std::int64_t>(config.busy_above),
           "some events must be allowed to wait: set it to 1 or more");
  positive("inbox_capacity", static_cast<std::int64_t>(config.inbox_capacity),
           "some submissions must be allowed to wait: set it to 1 or more");
  positive("frames_at_a_time", static_cast<std::int64_t>(config.frames_at_a_time),
           "frames must be taken from the net: set it to 1 or more");
}

/// How the life of a Node goes.
enum class Phase : std::uint8_t { created, working, stopped, failed };

constexpr const char* to_string(Phase phase) noexcept {
  constexpr const char* names[] = {"created", "working", "stopped", "failed"};
  return names[static_cast<std::size_t>(phase)];
}

/// The modules of a Node at work. One thread at a time, the Inbox aside.
template <class Plan, class Interceptor>
class Core {
 public:
  using Items = WorkItems<Plan>;
  using Events = typename Plan::Events;
  static constexpr std::size_t net = slot::net.index();

  template <class... Modules>
  Core(NodeConfig config, Interceptor interceptor, Modules&&... modules)
      : config_((check(config), std::move(config))),
        inbox_(config_.inbox_capacity),
        interceptor_(std::move(interceptor)),
        stages_(StageArgument<Modules>{std::move(modules), config_.cluster}...) {}

  const NodeConfig& config() const noexcept { return config_; }
  Inbox<Plan>& inbox() noexcept { return inbox_; }
  Items& items() noexcept { return items_; }
  Phase phase() const noexcept { return phase_; }
  const std::string& reason() const noexcept { return reason_; }
  std::uint64_t dispatched() const noexcept { return dispatched_; }
  std::size_t pending() const noexcept { return items_.size(); }
  std::size_t waiting() const noexcept { return callers_.size(); }
  Interceptor& interceptor() noexcept { return interceptor_; }

  template <std::size_t S>
  auto& stage() noexcept {
    return std::get<S>(stages_);
  }
  template <std::size_t S>
  const auto& stage() const noexcept {
    return std::get<S>(stages_);
  }

  /// Plays the write-ahead log back, lets the modules digest it, and tells them to begin.
  void start() {
    if (phase_ != Phase::created) return;
    phase_ = Phase::working;
    guarded("start", [&] {
      interceptor_.begin(config_.self, config_.cluster.view(), Events{});
      stage<slot::wal.index()>().module().replay([&](std::uint32_t type, const Bytes& entry) {
        push_wal_entry(type, entry, Events{});
        if (items_.size() >= config_.busy_above) dispatch_all();
      });
      dispatch_all();
      items_.push(Init{});
      dispatch_all();
    });
  }

  /// Takes in what other threads and, when the Net runs on this one, other replicas sent, waiting
  /// `at_most` for the latter. Takes nothing while the lists are long. Says if there was anything.
  template <bool NetIsHere>
  bool take_inputs(std::chrono::nanoseconds at_most) {
    const std::size_t before = items_.size();
    if (before >= config_.busy_above) return true;
    bool any = inbox_.drain(items_, callers_);
    if constexpr (NetIsHere) {
      guarded("net", [&] {
        typename std::tuple_element_t<net, Stages>::TaskOut out(items_);
        stage<net>().task().receive(stage<net>().module(),
                                    any ? std::chrono::nanoseconds(0) : at_most,
                                    config_.frames_at_a_time, out);
      });
    }
    return any || items_.size() != before;
  }

  /// Dispatches the list of slot S, if there is anything in it, on this thread. Returns how many
  /// events that were.
  template <std::size_t S>
  std::size_t dispatch() {
    if (items_.template list<S>().size() == 0 || phase_ == Phase::failed) return 0;
    auto& list = std::get<S>(dispatching_);
    std::swap(list, items_.template list<S>());
    const std::size_t count = list.size();
    guarded(slot_names[S], [&] {
      intercept<S>(list);
      stage<S>().run(list, items_, follow_ups_);
      items_.release(follow_ups_);
    });
    return count;
  }

  /// Shows a list to the Interceptor, in the order of dispatch.
  template <std::size_t S, class List>
  void intercept(const List& list) {
    dispatched_ += list.size();
    interceptor_.intercept(Slot(static_cast<std::uint16_t>(1u << S)), list);
  }

  /// Dispatches until nothing is left to do. Returns how many events that were.
  std::size_t dispatch_all() {
    std::size_t total = 0;
    for (std::size_t round = 1; round != 0; total += round)
      round = [&]<std::size_t... S>(std::index_sequence<S...>) {
        return (dispatch<S>() + ...);
      }(std::make_index_sequence<slot_count>{});
    return total;
  }

  /// Gives callers the replies of the last rounds: their code runs here, on this thread.
  void call_back() {
    auto& replies = stage<slot::node.index()>().module().replies;
    for (std::size_t i = 0; i < replies.size(); ++i) callers_.answer(replies[i]);
    replies.clear();
  }

  /// Ends the work: nothing more is taken in, everything pending has been dispatched.
  void stop() {
    if (phase_ == Phase::stopped) return;
    inbox_.close();
    inbox_.drain(items_, callers_);
    if (phase_ == Phase::working) {
      dispatch_all();
      call_back();
      guarded("net", [&] { stage<net>().module().close(); });
      guarded("interceptor", [&] { interceptor_.end(); });
      if (phase_ == Phase::working) phase_ = Phase::stopped;
    }
    callers_.abandon();
  }

  /// The Node can no longer work: says why, and takes nothing more.
  void fail(std::string_view who, std::string_view why) {
    if (phase_ == Phase::failed) return;
    phase_ = Phase::failed;
    reason_ = std::string(who) + ": " + std::string(why);
    inbox_.close();
    follow_ups_.clear();
  }

  template <class Call>
  void guarded(const char* who, Call&& call) {
    try {
      call();
    } catch (const std::exception& error) {
      fail(who, error.what());
    }
  }

 private:
  template <class Module>
  struct StageArgument {
    Module module;
    const Bytes& cluster;
    template <std::size_t S>
    operator Stage<S, Plan>() && {
      return Stage<S, Plan>(std::move(module), cluster);
    }
  };
  template <class Indices>
  struct Slots;
  template <std::size_t... S>
  struct Slots<std::index_sequence<S...>> {
    using Stages = std::tuple<Stage<S, Plan>...>;
    using Lists = std::tuple<typename Items::template List<S>...>;
  };
  using AllSlots = Slots<std::make_index_sequence<slot_count>>;
  using Stages = typename AllSlots::Stages;

  template <class... Es>
  void push_wal_entry(std::uint32_t type, const Bytes& entry, events<Es...>) {
    if (!(push_if_it_is<Es>(type, entry) || ...))
      throw ModuleFailure("the write-ahead log holds an entry of type " + std::to_string(type) +
                          ", which no module of this Node has written");
  }
  template <class E>
  bool push_if_it_is(std::uint32_t type, const Bytes& bytes) {
    if constexpr (is_instance<WalAppend, E>) {
      if (type != E::number) return false;
      auto entry = wire::decode<typename E::origin_type>(bytes, wire::Form::lenient);
      if (!entry)
        throw ModuleFailure("an entry of type " + std::to_string(type) +
                            " in the write-ahead log cannot be decoded");
      items_.push(typename E::answer{std::move(*entry)});
      return true;
    } else {
      return false;
    }
  }

  const NodeConfig config_;
  Inbox<Plan> inbox_;
  Interceptor interceptor_;
  Stages stages_;
  Items items_;
  typename AllSlots::Lists dispatching_;
  std::vector<FollowUps> follow_ups_;
  Callers callers_;
  Phase phase_ = Phase::created;
  std::string reason_;
  std::uint64_t dispatched_ = 0;
};

}  // namespace engine
}  // namespace mirbft

#endif

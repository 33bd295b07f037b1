// The working part of a Node: its stages, its lists, and the dispatch from one to the other.
#ifndef MIRBFT_ENGINE_CORE_HPP
#define MIRBFT_ENGINE_CORE_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <mirbft/engine/callers.hpp>
#include <mirbft/engine/config.hpp>
#include <mirbft/engine/inbox.hpp>
#include <mirbft/engine/module_description.hpp>
#include <mirbft/engine/stage.hpp>
#include <mirbft/engine/wiring.hpp>
#include <mirbft/events/node.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/wire/codec.hpp>

namespace mirbft::engine {

/// How the life of a Node goes.
enum class Phase : std::uint8_t { created, working, stopped, failed };

constexpr const char* to_string(Phase phase) noexcept {
  constexpr const char* names[] = {"created", "working", "stopped", "failed"};
  return names[static_cast<std::size_t>(phase)];
}

/// Calls `call()`; an exception becomes `fail(reason)`.
template <class Call, class Fail>
void guarded(Call&& call, Fail&& fail) {
  try {
    call();
  } catch (const std::exception& error) {
    fail(error.what());
  } catch (...) {
    fail("an exception that is no std::exception");
  }
}

/// The modules of a Node at work. One thread at a time, the Inbox aside.
template <class PlanOfNode, class Interceptor>
class Core {
 public:
  using Plan = PlanOfNode;
  using Items = WorkItems<Plan>;
  static constexpr std::size_t net = slot::net.index();
  static constexpr std::size_t wal = slot::wal.index();

  template <class... Modules>
  Core(NodeConfig config, Interceptor interceptor, Modules&&... modules)
      : config_((check(config), std::move(config))),
        inbox_(config_.inbox_capacity),
        interceptor_(std::move(interceptor)),
        stages_(StageParts<Modules>{std::move(modules), config_}...) {}
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;
  ~Core() { abandon_callers(); }

  const NodeConfig& config() const noexcept { return config_; }
  Inbox<Plan>& inbox() noexcept { return inbox_; }
  const Inbox<Plan>& inbox() const noexcept { return inbox_; }
  Items& items() noexcept { return items_; }
  const Items& items() const noexcept { return items_; }
  Phase phase() const noexcept { return phase_; }
  const std::string& reason() const noexcept { return reason_; }
  std::uint64_t dispatched() const noexcept { return dispatched_; }
  std::size_t waiting() const noexcept { return callers_.size(); }

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
    guarded("interceptor", [&] { begin_interceptor(); });
    guarded("wal", [&] { play_back(); });
    guarded("start", [&] {
      dispatch_all();
      items_.push(Init{});
      dispatch_all();
    });
  }

  /// Whether so much is pending that nothing more is taken in.
  bool is_full() const noexcept { return items_.size() >= config_.busy_above; }

  /// Takes in what other threads have put into the inbox. Says if there was anything.
  bool take_submitted() { return !is_full() && inbox_.drain(items_, callers_); }

  /// Takes in what other replicas have sent, waiting `at_most` for it, where the Net runs on this
  /// thread. Says if there was anything.
  bool take_received(std::chrono::nanoseconds at_most) {
    if (is_full()) return false;
    const std::size_t before = items_.size();
    guarded(slot_names[net], [&] {
      auto& stage = this->stage<net>();
      typename std::tuple_element_t<net, Stages>::TaskOut out(items_);
      stage.task().receive(stage.module(), at_most, config_.frames_at_a_time, out);
    });
    return items_.size() != before;
  }

  /// Dispatches the list of slot S, if there is anything in it, on this thread. Returns how many
  /// events that were.
  template <std::size_t S>
  std::size_t dispatch() {
    auto& list = std::get<S>(dispatching_);
    if (items_.template list<S>().size() == 0 || phase_ != Phase::working) return 0;
    std::swap(list, items_.template list<S>());
    const std::size_t count = list.size();
    if (!intercept<S>(list)) return count;
    guarded(slot_names[S], [&] {
      stage<S>().run(list, items_, follow_ups_);
      items_.release(follow_ups_);
    });
    return count;
  }

  /// Shows a list to the Interceptor, in the order of dispatch. False when that failed: the list
  /// must not be processed then.
  template <std::size_t S, class List>
  bool intercept(const List& list) {
    dispatched_ += list.size();
    return guarded("interceptor", [&] {
      interceptor_.intercept(Slot(static_cast<std::uint16_t>(1u << S)), list);
    });
  }

  /// Dispatches until nothing is left to do. Returns how many events that were.
  std::size_t dispatch_all() { return dispatch_all_in(slot::all | slot::node); }

  /// Gives callers the replies of the last rounds: their code runs here, on this thread.
  void call_back() {
    auto& replies = stage<slot::node.index()>().module().replies;
    if (replies.empty()) return;
    // A callback may process the Node again, and so come here.
    std::vector<Replied> due;
    std::swap(due, replies);
    for (const Replied& reply : due)
      callers_.answer(reply, [&](Callback& callback) {
        guarded("callback of a request", [&] { callback(reply); });
      });
    due.clear();
    if (replies.empty()) std::swap(due, replies);  // for its storage
  }

  /// Ends the work: nothing more is taken in, what is pending is done, callers who still wait are
  /// told. May be called again.
  void stop() {
    if (std::exchange(ended_, true)) return;
    inbox_.close();
    const bool begun = phase_ != Phase::created;
    if (phase_ == Phase::working) {
      guarded("inbox", [&] { inbox_.drain(items_, callers_); });
      dispatch_all();
    }
    call_back();
    guarded(slot_names[net], [&] { stage<net>().module().close(); });
    if (begun) guarded("interceptor", [&] { interceptor_.end(); });
    if (phase_ != Phase::failed) phase_ = Phase::stopped;
    abandon_callers();
  }

  /// The Node can no longer work: says why, and takes nothing more.
  void fail(std::string_view who, std::string_view why) {
    if (phase_ == Phase::failed) return;
    phase_ = Phase::failed;
    reason_ = std::string(who) + ": " + std::string(why);
    inbox_.close();
    follow_ups_.clear();
  }

  /// Calls `call()`; an exception fails the Node in the name of `who`. Returns whether all is well.
  template <class Call>
  bool guarded(const char* who, Call&& call) {
    bool well = true;
    engine::guarded(call, [&](const char* why) {
      well = false;
      fail(who, why);
    });
    return well;
  }

 private:
  template <class Indices>
  struct Slots;
  template <std::size_t... S>
  struct Slots<std::index_sequence<S...>> {
    using Stages = std::tuple<Stage<S, Plan>...>;
    using Lists = std::tuple<typename Items::template List<S>...>;
  };
  using AllSlots = Slots<std::make_index_sequence<slot_count>>;
  using Stages = typename AllSlots::Stages;

  void begin_interceptor() {
    using Events = typename Plan::Events;
    const ByteView cluster = config_.cluster.view();
    if constexpr (TakesDescriptions<Interceptor, Events>) {
      interceptor_.begin(config_.self, cluster, Events{}, descriptions());
    } else {
      interceptor_.begin(config_.self, cluster, Events{});
    }
  }
  /// The Node's own slot is no module.
  std::vector<ModuleDescription> descriptions() const {
    return [&]<std::size_t... S>(std::index_sequence<S...>) {
      return std::vector{describe<S>(stage<S>().module())...};
    }(std::make_index_sequence<slot_count - 1>{});
  }

  std::size_t dispatch_all_in(Slot slots) {
    std::size_t total = 0;
    for (std::size_t round = 1; round != 0; total += round)
      round = [&]<std::size_t... S>(std::index_sequence<S...>) {
        return ((slots.bits() >> S & 1 ? dispatch<S>() : 0) + ...);
      }(std::make_index_sequence<slot_count>{});
    return total;
  }

  /// What modules append meanwhile waits: the log is being read.
  void play_back() {
    auto& module = stage<wal>().module();
    if constexpr (!DiscardsEntries<typename Plan::template Module<wal>>) {
      const Slot others(static_cast<std::uint16_t>((slot::all | slot::node).bits() &
                                                   ~slot::wal.bits()));
      module.replay([&](std::uint32_t type, const Bytes& entry) {
        if (phase_ != Phase::working) return;
        push_wal_entry(type, entry, typename Plan::Events{});
        if (is_full()) dispatch_all_in(others);
      });
    }
  }
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

  void abandon_callers() {
    inbox_.close();
    inbox_.drain(items_, callers_);
    callers_.abandon([&](Callback& callback, ClientId client, ReqNo req_no) {
      guarded("callback of a request", [&] {
        callback(Replied{client, req_no, Outcome::shut_down, {}, {}});
      });
    });
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
  bool ended_ = false;
};

}  // namespace mirbft::engine

#endif

// The Node: nine modules and the events that move between them.
#ifndef MIRBFT_NODE_HPP
#define MIRBFT_NODE_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <stop_token>
#include <string>
#include <utility>

#include <boost/hana/define_struct.hpp>

#include <mirbft/concepts.hpp>
#include <mirbft/engine/assertions.hpp>
#include <mirbft/engine/core.hpp>
#include <mirbft/engine/inquiry.hpp>
#include <mirbft/engine/threaded_driver.hpp>
#include <mirbft/engine/wiring.hpp>
#include <mirbft/engine/wiring_text.hpp>

namespace mirbft {

/// What `submit` did with a request.
enum class Submitted : std::uint8_t {
  /// It is on its way; the callback will be called, exactly once.
  accepted,
  /// The Node has too much to do: try again later. The callback will not be called.
  overloaded,
  /// The Node stopped. The callback will not be called.
  stopped,
};

/// The clock of `run` where no other is given.
struct SteadyClock {
  std::chrono::nanoseconds operator()() const {
    return std::chrono::steady_clock::now().time_since_epoch();
  }
};

/// A replica: takes requests, orders them together with the other replicas, applies them.
///
/// Drive it in one of two ways. Inline: call `process()` whenever there is something to do, and
/// `tick()` now and then. Threaded: call `run(stop_token)` on a thread, which is the dispatching
/// thread until it returns. `submit`, `step`, `inject`, `tick` and `stop` may be called from any
/// thread, `status` from any thread while `run` works; all else only where the Node is driven.
/// No exception of a module crosses these calls: it stops the Node, and `failure()` says why.
template <IsNet Net, IsHasher Hasher, IsCrypto Crypto, IsApp App, IsWal Wal, IsTracker Tracker,
          IsStore Store, IsProtocol Protocol, IsInterceptor Interceptor>
class Node : engine::wiring::Verdict<
                 engine::Plan<engine::module_of<Net>, engine::module_of<Hasher>,
                              engine::module_of<Crypto>, engine::module_of<App>,
                              engine::module_of<Wal>, engine::module_of<Tracker>,
                              engine::module_of<Store>, engine::module_of<Protocol>>> {
 public:
  using Plan = engine::Plan<engine::module_of<Net>, engine::module_of<Hasher>,
                            engine::module_of<Crypto>, engine::module_of<App>,
                            engine::module_of<Wal>, engine::module_of<Tracker>,
                            engine::module_of<Store>, engine::module_of<Protocol>>;

  /// Every event type that this Node can see.
  using Events = typename Plan::Events;
  using Message = typename Plan::Message;

  /// The nine modules, ready to work.
  struct Modules {
    engine::module_of<Net> net{};
    engine::module_of<Hasher> hasher{};
    engine::module_of<Crypto> crypto{};
    engine::module_of<App> app{};
    engine::module_of<Wal> wal{};
    engine::module_of<Tracker> tracker{};
    engine::module_of<Store> store{};
    engine::module_of<Protocol> protocol{};
    Interceptor interceptor{};
  };

  /// Where every module stands; print it with `wire::to_json`.
  struct Status {
    BOOST_HANA_DEFINE_STRUCT(
        Status, (NodeId, self), (std::string, state), (std::string, reason),
        (std::uint64_t, dispatched_events), (std::uint64_t, pending_events),
        (std::uint64_t, waiting_callers), (std::uint64_t, malformed_frames),
        (decltype(engine::status_of(std::declval<engine::module_of<Net>>())), net),
        (decltype(engine::status_of(std::declval<engine::module_of<Hasher>>())), hasher),
        (decltype(engine::status_of(std::declval<engine::module_of<Crypto>>())), crypto),
        (decltype(engine::status_of(std::declval<engine::module_of<App>>())), app),
        (decltype(engine::status_of(std::declval<engine::module_of<Wal>>())), wal),
        (decltype(engine::status_of(std::declval<engine::module_of<Tracker>>())), tracker),
        (decltype(engine::status_of(std::declval<engine::module_of<Store>>())), store),
        (decltype(engine::status_of(std::declval<engine::module_of<Protocol>>())), protocol));
  };

  /// Throws ConfigError when the configuration cannot work. Nothing runs yet.
  Node(NodeConfig config, Modules modules)
      : core_(std::move(config), std::move(modules.interceptor), std::move(modules.tracker),
              std::move(modules.hasher), std::move(modules.crypto), std::move(modules.store),
              std::move(modules.protocol), std::move(modules.wal), std::move(modules.app),
              std::move(modules.net), engine::TheNode{}) {
    meet<0>(typename Plan::template Received<0>{});
    meet<1>(typename Plan::template Received<1>{});
    meet<2>(typename Plan::template Received<2>{});
    meet<3>(typename Plan::template Received<3>{});
    meet<4>(typename Plan::template Received<4>{});
    meet<5>(typename Plan::template Received<5>{});
    meet<6>(typename Plan::template Received<6>{});
    meet<7>(typename Plan::template Received<7>{});
  }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  /// What is pending is dropped, and callers who still wait are told so. `run` must have returned.
  ~Node() = default;

  /// Puts a request in; `on_reply(const Replied&)` is called once, where the Node is driven. It
  /// must not throw: that would stop the Node.
  /// `spread` says whether the client sends the request to the other replicas itself.
  template <class OnReply>
  Submitted submit(Request request, OnReply on_reply, Spread spread = Spread::by_replica) {
    const ClientId client = request.client;
    const ReqNo req_no = request.req_no;
    return put(NewRequest{std::move(request), spread},
               engine::Waiting{client, req_no, engine::Callback(std::move(on_reply))});
  }

  /// The same with a future. A Node that refuses the request answers at once.
  std::future<Replied> submit(Request request, Spread spread = Spread::by_replica) {
    const ClientId client = request.client;
    const ReqNo req_no = request.req_no;
    std::promise<Replied> promise;
    std::future<Replied> future = promise.get_future();
    const Submitted submitted = submit(
        std::move(request),
        [promise = std::move(promise)](const Replied& reply) mutable { promise.set_value(reply); },
        spread);
    if (submitted == Submitted::accepted) return future;
    std::promise<Replied> refusal;
    refusal.set_value({client, req_no,
                       submitted == Submitted::overloaded ? Outcome::overloaded
                                                          : Outcome::shut_down,
                       {}, {}});
    return refusal.get_future();
  }

  /// Hands in a message by hand. The caller vouches for its sender.
  Submitted step(NodeId from, Message message) {
    return put(MessageReceived<Message>{from, std::move(message)});
  }

  /// Hands in any event that this Node can see: for modules of one's own, and for tests.
  template <class E>
  Submitted inject(E event) {
    static_assert(engine::contains<E, Events>,
                  "[mirbft] no module of this Node emits or answers with this event: declare it "
                  "in the `emits` of the module that it comes from");
    if constexpr (engine::contains<E, Events>) {
      return put(std::move(event));
    } else {
      return Submitted::stopped;
    }
  }

  /// Tells the time, where the Node is driven inline; `run` does so by itself.
  Submitted tick(std::chrono::nanoseconds now) { return put(Tick{now}); }

  /// Does what is pending on this thread, arrived messages included. Returns how many events were
  /// dispatched: 0 means that there was nothing to do. The first call plays back the write-ahead
  /// log.
  std::size_t process() {
    start();
    take_inputs();
    const std::size_t count = core_.dispatch_all();
    end_round();
    return count;
  }

  /// The parts of `process()`, for those who choose the order themselves (simulation): plays back
  /// the write-ahead log and tells the modules to begin; does nothing the second time.
  void start() {
    core_.start();
    end_round();
  }
  /// Takes in what was submitted and what has arrived. Says whether there was anything.
  bool take_inputs() {
    if (core_.phase() != engine::Phase::working) return false;
    const bool submitted = core_.take_submitted();
    return core_.take_received(std::chrono::nanoseconds(0)) || submitted;
  }
  /// The slots that have events to process; each may be next.
  Slot pending() const noexcept { return core_.items().pending(); }
  /// Dispatches the whole list of one slot. Returns how many events that were.
  std::size_t process(Slot slot) {
    std::size_t count = 0;
    [&]<std::size_t... S>(std::index_sequence<S...>) {
      (void)((S == slot.index() && (count = core_.template dispatch<S>(), true)) || ...);
    }(std::make_index_sequence<slot_count>{});
    end_round();
    return count;
  }

  /// Works on threads until `stop_token` is triggered, `stop()` is called or a module fails;
  /// then finishes what was begun. Returns whether it ended without a failure. A Node runs once:
  /// afterwards it takes nothing in.
  template <class Clock = SteadyClock>
  bool run(std::stop_token stop, Clock clock = {}) {
    const std::stop_callback on_stop(stop, [this] { stop_.request_stop(); });
    using Threads = std::index_sequence<
        threads<Tracker>, threads<Hasher>, threads<Crypto>, threads<Store>, threads<Protocol>,
        threads<Wal>, threads<App>, threads<Net>, 0>;
    inquiry_.open();
    engine::ThreadedDriver<Core, Threads>(core_).run(stop_.get_token(), clock, [this] {
      core_.guarded("status", [this] { inquiry_.answer([this] { return look(); }); });
    });
    inquiry_.close();
    return core_.phase() != engine::Phase::failed;
  }

  /// Ends `run`, from any thread. Where the Node is driven inline, `finish()` ends it.
  void stop() { stop_.request_stop(); }

  /// Ends a Node that is driven inline: what is pending is done, callers who still wait are told.
  void finish() { core_.stop(); }

  /// The reason why a module stopped the Node; empty while none has.
  const std::string& failure() const noexcept { return core_.reason(); }

  /// Where everything stands. While `run` works, its thread answers between two rounds, and a
  /// module with a thread of its own is reported as of the last list that it has finished.
  Status status() const {
    return inquiry_.ask([this] { return look(); }, core_.inbox().dispatcher());
  }

  /// The whole plan: who emits what to whom.
  static std::string wiring(WiringFormat format = WiringFormat::text) {
    return engine::wiring_text<Plan>(format);
  }

  const engine::module_of<App>& app() const noexcept {
    return core_.template stage<slot::app.index()>().module();
  }
  const engine::module_of<Protocol>& protocol() const noexcept {
    return core_.template stage<slot::protocol.index()>().module();
  }
  engine::module_of<Net>& net() noexcept {
    return core_.template stage<slot::net.index()>().module();
  }

 private:
  using Core = engine::Core<Plan, Interceptor>;
  template <class M>
  static constexpr std::size_t threads = engine::Placed<M>::where::threads;
  static_assert(threads<Net> <= 1,
                "[mirbft] a Net cannot run on a pool: use inline_<Net> or on_thread<Net>");

  /// Where the compiler first meets what the modules do with their events: an error in there is
  /// told from here, and not from the depth of the dispatch.
  template <std::size_t S, class... Es>
  static constexpr void meet(events<Es...>) {
    (void(&engine::Stage<S, Plan>::template process<Es>), ...);
  }

  template <class E, class... Waiting>
  Submitted put(E event, Waiting... waiting) {
    using Put = typename engine::Inbox<Plan>::Put;
    switch (core_.inbox().put(std::move(event), std::move(waiting)...)) {
      case Put::taken: return Submitted::accepted;
      case Put::full: return Submitted::overloaded;
      case Put::closed: break;
    }
    return Submitted::stopped;
  }

  void end_round() {
    core_.call_back();
    if (core_.phase() == engine::Phase::failed) core_.stop();
  }

  template <std::size_t S>
  auto report() const {
    return core_.template stage<S>().report();
  }
  Status look() const {
    const auto net = report<slot::net.index()>();
    return Status{core_.config().self,
                  engine::to_string(core_.phase()),
                  core_.reason(),
                  core_.dispatched(),
                  core_.items().size(),
                  core_.waiting(),
                  net.task.malformed_frames,
                  net.module,
                  report<slot::hasher.index()>().module,
                  report<slot::crypto.index()>().module,
                  report<slot::app.index()>().module,
                  report<slot::wal.index()>().module,
                  report<slot::tracker.index()>().module,
                  report<slot::store.index()>().module,
                  report<slot::protocol.index()>().module};
  }

  Core core_;
  mutable engine::Inquiry<Status> inquiry_;
  std::stop_source stop_;
};

}  // namespace mirbft

#endif

// The Node: nine modules and the events that move between them.
#ifndef MIRBFT_NODE_HPP
#define MIRBFT_NODE_HPP

#include <atomic>
#include <chrono>
#include <cstddef>
#include <future>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include <boost/hana/define_struct.hpp>

#include <mirbft/concepts.hpp>
#include <mirbft/engine/core.hpp>
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
/// Drive it in one of two ways. Inline: call `process()` whenever there is something to do.
/// Threaded: call `run(stop_token)` on a thread, which then is the dispatching thread. `submit`,
/// `step`, `inject` and `stop` may be called from any thread; everything else only where the Node is driven.
template <IsNet Net, IsHasher Hasher, IsCrypto Crypto, IsApp App, IsWal Wal, IsTracker Tracker,
          IsStore Store, IsProtocol Protocol, IsInterceptor Interceptor>
class Node : engine::wiring::Checked<
                 engine::Plan<engine::module_of<Net>, engine::module_of<Hasher>,
                              engine::module_of<Crypto>, engine::module_of<App>,
                              engine::module_of<Wal>, engine::module_of<Tracker>,
                              engine::module_of<Store>, engine::module_of<Protocol>>> {
 public:
  using Plan = engine::Plan<engine::module_of<Net>, engine::module_of<Hasher>,
                            engine::module_of<Crypto>, engine::module_of<App>,
                            engine::module_of<Wal>, engine::module_of<Tracker>,
                            engine::module_of<Store>, engine::module_of<Protocol>>;
  static_assert(engine::wiring::Checked<Plan>::sound);

  /// Every event type that this Node can see.
  using Events = typename Plan::Events;
  using Message = typename Plan::Message;

  /// The nine modules, ready to work.
  struct Modules {
    engine::module_of<Net> net;
    engine::module_of<Hasher> hasher;
    engine::module_of<Crypto> crypto;
    engine::module_of<App> app;
    engine::module_of<Wal> wal;
    engine::module_of<Tracker> tracker;
    engine::module_of<Store> store;
    engine::module_of<Protocol> protocol;
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
              std::move(modules.net), engine::TheNode{}) {}
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  /// Puts a request in; `on_reply(const Replied&)` is called once, where the Node is driven.
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
                       SeqNr{}, Bytes{}});
    return refusal.get_future();
  }

  /// Hands in a message by hand. The caller vouches for its sender.
  Submitted step(NodeId from, Message message) {
    return put(MessageReceived<Message>{from, std::move(message)}, {});
  }

  /// Hands in any event that this Node can see: for modules of one's own, and for tests.
  template <class E>
  Submitted inject(E event) {
    static_assert(engine::contains<E, Events>,
                  "[mirbft] no module of this Node emits or answers with this event: declare it "
                  "in the `emits` of the module that it comes from");
    return put(std::move(event), {});
  }

  /// Tells the time; only where the Node is driven inline.
  void tick(std::chrono::nanoseconds now) { core_.items().push(Tick{now}); }

  /// Does what is pending on this thread, arrived messages included. Returns how many events were
  /// dispatched: 0 means that there was nothing to do. The first call plays back the write-ahead log.
  std::size_t process() {
    core_.start();
    if (core_.phase() != engine::Phase::working) return end_if_failed();
    core_.template take_inputs<true>(std::chrono::nanoseconds(0));
    const std::size_t count = core_.dispatch_all();
    core_.call_back();
    return core_.phase() == engine::Phase::working ? count : end_if_failed();
  }

  /// Dispatches the list of one slot, for those who choose the order themselves (simulation).
  std::size_t process(Slot slot) {
    std::size_t count = 0;
    [&]<std::size_t... S>(std::index_sequence<S...>) {
      (void)((S == slot.index() && (count = core_.template dispatch<S>(), true)) || ...);
    }(std::make_index_sequence<slot_count>{});
    core_.call_back();
    return count;
  }

  /// Works on threads until `stop_token` is triggered, `stop()` is called or a module fails;
  /// then finishes what was begun. Returns whether it ended without a failure.
  template <class Clock = SteadyClock>
  bool run(std::stop_token stop, Clock clock = {}) {
    const std::stop_callback on_stop(stop, [this] { stop_.request_stop(); });
    using Threads = std::index_sequence<
        threads<Tracker>, threads<Hasher>, threads<Crypto>, threads<Store>, threads<Protocol>,
        threads<Wal>, threads<App>, threads<Net>, 0>;
    engine::ThreadedDriver<Core, Threads>(core_).run(stop_.get_token(), clock);
    return core_.phase() != engine::Phase::failed;
  }

  /// Ends `run`, from any thread. Where the Node is driven inline, `finish()` ends it.
  void stop() { stop_.request_stop(); }

  /// Ends a Node that is driven inline: what is pending is done, callers who still wait are told.
  void finish() { core_.stop(); }

  /// The reason why a module stopped the Node; empty while none has.
  const std::string& failure() const noexcept { return core_.reason(); }

  Status status() const {
    return Status{core_.config().self,
                  engine::to_string(core_.phase()),
                  core_.reason(),
                  core_.dispatched(),
                  core_.pending(),
                  core_.waiting(),
                  core_.template stage<slot::net.index()>().task().malformed(),
                  of<slot::net.index()>(),
                  of<slot::hasher.index()>(),
                  of<slot::crypto.index()>(),
                  of<slot::app.index()>(),
                  of<slot::wal.index()>(),
                  of<slot::tracker.index()>(),
                  of<slot::store.index()>(),
                  of<slot::protocol.index()>()};
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

  template <class E>
  Submitted put(E event, std::optional<engine::Waiting> waiting) {
    using Put = typename engine::Inbox<Plan>::Put;
    switch (core_.inbox().put(std::move(event), std::move(waiting))) {
      case Put::taken: return Submitted::accepted;
      case Put::full: return Submitted::overloaded;
      case Put::closed: break;
    }
    return Submitted::stopped;
  }

  std::size_t end_if_failed() {
    if (core_.phase() == engine::Phase::failed) core_.stop();
    return 0;
  }

  template <std::size_t S>
  auto of() const {
    return engine::status_of(core_.template stage<S>().module());
  }

  Core core_;
  std::stop_source stop_;
};

}  // namespace mirbft

#endif

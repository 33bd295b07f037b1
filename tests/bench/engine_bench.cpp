// What an event costs on its way through a Node, beside two ways in which one could do without it.
//
// All three do the same job: a request goes from the tracker to the hasher and back, to the store,
// to the protocol, to the app and back to the tracker: seven events, five modules that count.
// The last group is the Node alone, with the protocol's event as a follow-up of the store's, or
// emitted by the store: the difference is what a follow-up costs.
#include <cstdint>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include <benchmark/benchmark.h>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/modules/interceptor/null.hpp>
#include <mirbft/node.hpp>

#include "../support/stub_modules.hpp"
#include "rivals.hpp"

namespace bench {

using namespace mirbft;

struct Ask {
  static constexpr auto destination = slot::tracker;
  static constexpr std::uint32_t number = 1000;
  Request request;
};
struct Hash {
  static constexpr auto destination = slot::hasher;
  static constexpr std::uint32_t number = 1001;
  Bytes data;
  Request request;
};
struct Hashed {
  static constexpr auto destination = slot::tracker;
  static constexpr std::uint32_t number = 1002;
  Digest digest;
  Request request;
};
struct Keep {
  static constexpr auto destination = slot::store;
  static constexpr std::uint32_t number = 1003;
  RequestRef reference;
  Bytes data;
};
struct Ready {
  static constexpr auto destination = slot::protocol;
  static constexpr std::uint32_t number = 1004;
  RequestRef reference;
};
struct Decided {
  static constexpr auto destination = slot::app;
  static constexpr std::uint32_t number = 1005;
  SeqNr sn;
  RequestRef reference;
};
struct Done {
  static constexpr auto destination = slot::tracker;
  static constexpr std::uint32_t number = 1006;
  SeqNr sn;
  ClientId client;
  ReqNo req_no;
};
constexpr std::int64_t events_a_request = 7;

}  // namespace bench

BOOST_HANA_ADAPT_STRUCT(bench::Ask, request);
BOOST_HANA_ADAPT_STRUCT(bench::Hash, data, request);
BOOST_HANA_ADAPT_STRUCT(bench::Hashed, digest, request);
BOOST_HANA_ADAPT_STRUCT(bench::Keep, reference, data);
BOOST_HANA_ADAPT_STRUCT(bench::Ready, reference);
BOOST_HANA_ADAPT_STRUCT(bench::Decided, sn, reference);
BOOST_HANA_ADAPT_STRUCT(bench::Done, sn, client, req_no);

namespace bench {

/// The work itself, the same for all: `out(event)` passes the next one on.
struct TrackerWork {
  std::uint64_t done = 0;

  void operator()(Ask&& ask, auto&& out) {
    Bytes data = ask.request.data;
    out(Hash{std::move(data), std::move(ask.request)});
  }
  void operator()(Hashed&& hashed, auto&& out) {
    Request& request = hashed.request;
    out(Keep{{request.client, request.req_no, hashed.digest}, std::move(request.data)});
  }
  void operator()(Done&&, auto&&) { ++done; }
};
struct HasherWork {
  void operator()(Hash&& hash, auto&& out) {
    Digest digest;
    digest.bytes[0] = static_cast<std::uint8_t>(hash.data.size());
    out(Hashed{digest, std::move(hash.request)});
  }
};
struct StoreWork {
  std::uint64_t bytes = 0;

  void operator()(Keep&& keep, auto&& out) {
    bytes += keep.data.size();
    out(Ready{keep.reference});
  }
};
struct ProtocolWork {
  SeqNr next;

  void operator()(Ready&& ready, auto&& out) {
    out(Decided{next, ready.reference});
    ++next;
  }
};
struct AppWork {
  std::uint64_t applied = 0;

  void operator()(Decided&& decided, auto&& out) {
    ++applied;
    out(Done{decided.sn, decided.reference.client, decided.reference.req_no});
  }
};

Ask ask(std::uint64_t number) {
  static const Bytes body("a body of some length, shared by all");
  return {{ClientId(1), ReqNo(number), body, {}}};
}

// In a Node.
template <class Work, class Base, class Consumes, class Emits>
struct Module : Base {
  using consumes = engine::Union<engine::consumes_of<Base>, Consumes>;
  using emits = Emits;

  Work work;

  template <class E>
  void process(E&& event, auto& out) {
    if constexpr (engine::contains<std::remove_cvref_t<E>, Consumes>)
      work(std::move(event), [&](auto&& next) { out.emit(std::move(next)); });
  }
};
using testing::StubApp;
using testing::StubHasher;
using testing::StubProtocol;
using testing::StubStore;
using testing::StubTracker;

using Tracker =
    Module<TrackerWork, StubTracker, events<Ask, Hashed, Done>, events<Ask, Hash, Keep>>;
using Hasher = Module<HasherWork, StubHasher, events<Hash>, events<Hashed>>;
using Store = Module<StoreWork, StubStore, events<Keep>, events<Ready>>;
using Protocol = Module<ProtocolWork, StubProtocol, events<Ready>, events<Decided>>;
using App = Module<AppWork, StubApp, events<Decided>, events<Done>>;

/// The same with a follow-up: the request is ready once it is kept.
struct FollowedTracker : Tracker {
  using emits = events<Ask, Hash, Keep, Ready>;

  template <class E>
  void process(E&& event, auto& out) {
    Tracker::process(std::move(event), out);
  }
  void process(Hashed&& hashed, auto& out) {
    Request& request = hashed.request;
    const RequestRef reference{request.client, request.req_no, hashed.digest};
    out.emit(Keep{reference, std::move(request.data)}).then(Ready{reference});
  }
};
struct SilentStore : StubStore {
  using consumes = events<Keep>;
  std::uint64_t bytes = 0;

  void process(Keep&& keep, auto&) { bytes += keep.data.size(); }
};

template <class TrackerModule, class StoreModule>
void run_node(benchmark::State& state, std::int64_t items_a_request) {
  Node<testing::StubNet, Hasher, testing::StubCrypto, App, testing::StubWal, TrackerModule,
       StoreModule, Protocol, NullInterceptor>
      node({}, {});
  node.process();
  const std::int64_t requests = state.range(0);
  std::uint64_t number = 0;
  for (auto _ : state) {
    for (std::int64_t i = 0; i < requests; ++i) node.inject(ask(++number));
    benchmark::DoNotOptimize(node.process());
  }
  state.SetItemsProcessed(state.iterations() * requests * items_a_request);
}

void node(benchmark::State& state) { run_node<Tracker, Store>(state, events_a_request); }
void node_without_follow_up(benchmark::State& state) { run_node<Tracker, Store>(state, 1); }
void node_with_follow_up(benchmark::State& state) {
  run_node<FollowedTracker, SilentStore>(state, 1);
}

/// The modules of those who do without a Node.
struct Modules {
  TrackerWork tracker;
  HasherWork hasher;
  StoreWork store;
  ProtocolWork protocol;
  AppWork app;

  template <class E>
  void handle(E&& event, auto&& out) {
    if constexpr (E::destination == slot::tracker) tracker(std::move(event), out);
    if constexpr (E::destination == slot::hasher) hasher(std::move(event), out);
    if constexpr (E::destination == slot::store) store(std::move(event), out);
    if constexpr (E::destination == slot::protocol) protocol(std::move(event), out);
    if constexpr (E::destination == slot::app) app(std::move(event), out);
  }
};

// One list of variants.
void visit_loop(benchmark::State& state) {
  using Event = std::variant<Ask, Hash, Hashed, Keep, Ready, Decided, Done>;
  Modules modules;
  std::vector<Event> now, next;
  const std::int64_t requests = state.range(0);
  std::uint64_t number = 0;
  for (auto _ : state) {
    for (std::int64_t i = 0; i < requests; ++i) next.push_back(ask(++number));
    while (!next.empty()) {
      std::swap(now, next);
      for (Event& event : now)
        std::visit([&](auto& held) {
          modules.handle(std::move(held), [&](auto&& made) { next.push_back(std::move(made)); });
        }, event);
      now.clear();
    }
    benchmark::DoNotOptimize(modules);
  }
  state.SetItemsProcessed(state.iterations() * requests * events_a_request);
}

// One list of events on the heap, with virtual handlers.
struct HeapEvent {
  virtual ~HeapEvent() = default;
  virtual void handle(Modules& modules, std::vector<std::unique_ptr<HeapEvent>>& out) = 0;
};
template <class E>
struct Heap final : HeapEvent {
  explicit Heap(E&& made) : event(std::move(made)) {}
  void handle(Modules& modules, std::vector<std::unique_ptr<HeapEvent>>& out) override {
    modules.handle(std::move(event), [&]<class Made>(Made&& made) {
      out.push_back(std::make_unique<Heap<Made>>(std::move(made)));
    });
  }
  E event;
};

void heap_events(benchmark::State& state) {
  Modules modules;
  std::vector<std::unique_ptr<HeapEvent>> now, next;
  const std::int64_t requests = state.range(0);
  std::uint64_t number = 0;
  for (auto _ : state) {
    for (std::int64_t i = 0; i < requests; ++i)
      next.push_back(std::make_unique<Heap<Ask>>(ask(++number)));
    while (!next.empty()) {
      std::swap(now, next);
      for (std::unique_ptr<HeapEvent>& event : now) event->handle(modules, next);
      now.clear();
    }
    benchmark::DoNotOptimize(modules);
  }
  state.SetItemsProcessed(state.iterations() * requests * events_a_request);
}

BENCHMARK(node)->Name("event/node")->Arg(1)->Arg(32)->Arg(1024)->Repetitions(5);
BENCHMARK(visit_loop)->Name("event/visit_loop")->Arg(1)->Arg(32)->Arg(1024)->Repetitions(5);
BENCHMARK(heap_events)->Name("event/heap_events")->Arg(1)->Arg(32)->Arg(1024)->Repetitions(5);
BENCHMARK(node_without_follow_up)->Name("follow_up/without")->Arg(32)->Arg(1024)->Repetitions(5);
BENCHMARK(node_with_follow_up)->Name("follow_up/with")->Arg(32)->Arg(1024)->Repetitions(5);

}  // namespace bench

int main(int argc, char** argv) { return bench::compare_rivals(argc, argv); }

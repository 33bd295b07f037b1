// What an event costs on its way through a Node, beside two ways in which one could do without it.
//
// All three do the same job: a request goes from the tracker to the hasher and back, to the store,
// to the protocol, to the app and back to the tracker: seven events, five modules that count.
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
  void operator()(Ask&& e, auto&& out) {
    Bytes data = e.request.data;
    out(Hash{std::move(data), std::move(e.request)});
  }
  void operator()(Hashed&& e, auto&& out) {
    out(Keep{{e.request.client, e.request.req_no, e.digest}, std::move(e.request.data)});
  }
  void operator()(Done&&, auto&&) { ++done; }
};
struct HasherWork {
  void operator()(Hash&& e, auto&& out) {
    Digest digest;
    digest.bytes[0] = static_cast<std::uint8_t>(e.data.size());
    out(Hashed{digest, std::move(e.request)});
  }
};
struct StoreWork {
  std::uint64_t bytes = 0;
  void operator()(Keep&& e, auto&& out) {
    bytes += e.data.size();
    out(Ready{e.reference});
  }
};
struct ProtocolWork {
  SeqNr next;
  void operator()(Ready&& e, auto&& out) {
    out(Decided{next, e.reference});
    ++next;
  }
};
struct AppWork {
  std::uint64_t applied = 0;
  void operator()(Decided&& e, auto&& out) {
    ++applied;
    out(Done{e.sn, e.reference.client, e.reference.req_no});
  }
};

// In a Node.
template <class Work, class Base, class Consumes, class Emits>
struct Module : Base {
  using consumes = Consumes;
  using emits = Emits;
  Work work;

  template <class E>
  void process(E&& event, auto& out) {
    if constexpr (requires { work(std::move(event), [](auto&&) {}); })
      work(std::move(event), [&](auto&& next) { out.emit(std::move(next)); });
  }
};
using mirbft::testing::StubProtocol;
using Tracker = Module<TrackerWork, mirbft::testing::StubTracker,
                       events<NewRequest, Applied, Ask, Hashed, Done>, events<Ask, Hash, Keep>>;
using Hasher = Module<HasherWork, mirbft::testing::StubHasher, events<Hash>, events<Hashed>>;
using Store = Module<StoreWork, mirbft::testing::StubStore, events<Keep>, events<Ready>>;
using Protocol = Module<ProtocolWork, StubProtocol,
                        events<MessageReceived<StubProtocol::Message>, Ready>, events<Decided>>;
using App = Module<AppWork, mirbft::testing::StubApp, events<Decided>, events<Done>>;
using Node = mirbft::Node<mirbft::testing::StubNet, Hasher, mirbft::testing::StubCrypto, App,
                          mirbft::testing::StubWal, Tracker, Store, Protocol, NullInterceptor>;

void node(benchmark::State& state) {
  Node node({}, {});
  node.process();
  const std::int64_t requests = state.range(0);
  const Bytes body("a body of some length, shared by all");
  std::uint64_t number = 0;
  for (auto _ : state) {
    for (std::int64_t i = 0; i < requests; ++i)
      node.inject(Ask{{ClientId(1), ReqNo(++number), body, {}}});
    benchmark::DoNotOptimize(node.process());
  }
  state.SetItemsProcessed(state.iterations() * requests * events_a_request);
}
BENCHMARK(node)->Arg(1)->Arg(16)->Arg(256)->Arg(4096);

using Event = std::variant<Ask, Hash, Hashed, Keep, Ready, Decided, Done>;
struct Five {
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

void visit_loop(benchmark::State& state) {
  Five five;
  std::vector<Event> now, next;
  const std::int64_t requests = state.range(0);
  const Bytes body("a body of some length, shared by all");
  std::uint64_t number = 0;
  for (auto _ : state) {
    for (std::int64_t i = 0; i < requests; ++i)
      next.push_back(Ask{{ClientId(1), ReqNo(++number), body, {}}});
    while (!next.empty()) {
      std::swap(now, next);
      for (Event& event : now)
        std::visit([&](auto& held) {
          five.handle(std::move(held), [&](auto&& made) { next.push_back(std::move(made)); });
        }, event);
      now.clear();
    }
    benchmark::DoNotOptimize(five);
  }
  state.SetItemsProcessed(state.iterations() * requests * events_a_request);
}
BENCHMARK(visit_loop)->Arg(1)->Arg(16)->Arg(256)->Arg(4096);

struct HeapEvent;
using HeapList = std::vector<std::unique_ptr<HeapEvent>>;
struct HeapEvent {
  virtual ~HeapEvent() = default;
  virtual void handle(Five& five, HeapList& out) = 0;
};
template <class E>
struct Heap final : HeapEvent {
  explicit Heap(E&& e) : event(std::move(e)) {}
  void handle(Five& five, HeapList& out) override {
    five.handle(std::move(event), [&]<class M>(M&& made) {
      out.push_back(std::make_unique<Heap<M>>(std::move(made)));
    });
  }
  E event;
};

void heap_events(benchmark::State& state) {
  Five five;
  HeapList now, next;
  const std::int64_t requests = state.range(0);
  const Bytes body("a body of some length, shared by all");
  std::uint64_t number = 0;
  for (auto _ : state) {
    for (std::int64_t i = 0; i < requests; ++i)
      next.push_back(std::make_unique<Heap<Ask>>(Ask{{ClientId(1), ReqNo(++number), body, {}}}));
    while (!next.empty()) {
      std::swap(now, next);
      for (auto& event : now) event->handle(five, next);
      now.clear();
    }
    benchmark::DoNotOptimize(five);
  }
  state.SetItemsProcessed(state.iterations() * requests * events_a_request);
}
BENCHMARK(heap_events)->Arg(1)->Arg(16)->Arg(256)->Arg(4096);

}  // namespace bench

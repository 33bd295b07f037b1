// A Node driven by process(): everything happens on the calling thread.
#include <mirbft/node.hpp>

#include <bit>
#include <chrono>
#include <cstdint>
#include <future>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/wire/json.hpp>

#include "support/relay.hpp"
#include "support/small_node.hpp"

namespace mirbft::node_test {

using namespace testing;
using namespace std::chrono_literals;

namespace {

bool is_ready(std::future<Replied>& future) {
  return future.wait_for(0s) == std::future_status::ready;
}

/// Solo that writes down what it is told and in which order.
struct DiarySolo : Solo {
  using consumes =
      events<RequestReady, MessageReceived<Message>, WalEntry<SoloDecided>, Init, Tick>;

  std::string diary;

  template <class E>
  void process(E event, auto& out) {
    if constexpr (std::is_same_v<E, Init>) {
      diary += "init ";
    } else if constexpr (std::is_same_v<E, Tick>) {
      diary += "tick ";
    } else {
      if constexpr (std::is_same_v<E, RequestReady>) diary += "ready ";
      if constexpr (std::is_same_v<E, WalEntry<SoloDecided>>) diary += "wal ";
      if constexpr (std::is_same_v<E, MessageReceived<Message>>) diary += "message ";
      Solo::process(std::move(event), out);
    }
  }
};
struct DiaryParts : SmallParts {
  using Protocol = DiarySolo;
};

/// An App that fails in one way or another on a request that asks for it.
struct FailingApp : EchoApp {
  std::vector<Bytes> apply(SeqNr sn, std::span<const Request> requests) {
    for (const Request& request : requests) {
      if (request.data.text() == "fail") throw std::runtime_error("it was asked to fail");
      if (request.data.text() == "fail strangely") throw 42;
    }
    return EchoApp::apply(sn, requests);
  }
};
struct FailingParts : SmallParts {
  using App = FailingApp;
};
Request request_that_says(const char* text, std::uint64_t req_no = 0) {
  return {ClientId(1), ReqNo(req_no), Bytes(text), {}};
}

}  // namespace

TEST_CASE("a request comes back applied, to a callback or to a future") {
  SmallNode node({}, {});
  std::vector<Replied> replies;
  const auto keep = [&](const Replied& reply) { replies.push_back(reply); };
  CHECK(node.submit(request_of(1, 0), keep) == Submitted::accepted);
  CHECK(node.submit(request_of(2, 0), keep) == Submitted::accepted);
  std::future<Replied> future = node.submit(request_of(1, 1));
  CHECK(replies.empty());

  CHECK(node.process() > 0);
  REQUIRE(replies.size() == 2);
  CHECK(replies[0].client == ClientId(1));
  CHECK(replies[0].outcome == Outcome::delivered);
  CHECK(replies[0].result.text() == "1/0");
  CHECK(replies[0].sn == SeqNr(0));
  CHECK(replies[1].sn == SeqNr(1));
  REQUIRE(is_ready(future));
  CHECK(future.get().result.text() == "1/1");
  CHECK(node.app().applied.size() == 3);
  CHECK(node.process() == 0);
  CHECK(replies.size() == 2);
}

TEST_CASE("a full inbox refuses, and takes again once the Node has caught up") {
  NodeConfig config;
  config.inbox_capacity = 2;
  SmallNode node(config, {});
  int calls = 0;
  const auto count = [&](const Replied&) { ++calls; };
  CHECK(node.submit(request_of(1, 0), count) == Submitted::accepted);
  CHECK(node.submit(request_of(1, 1), count) == Submitted::accepted);
  CHECK(node.submit(request_of(1, 2), count) == Submitted::overloaded);
  CHECK(node.tick(1ns) == Submitted::overloaded);
  std::future<Replied> refused = node.submit(request_of(1, 3));
  REQUIRE(is_ready(refused));
  const Replied refusal = refused.get();
  CHECK(refusal.outcome == Outcome::overloaded);
  CHECK(refusal.req_no == ReqNo(3));

  node.process();
  CHECK(calls == 2);
  CHECK(node.submit(request_of(1, 2), count) == Submitted::accepted);
  node.process();
  CHECK(calls == 3);
}

TEST_CASE("finish() does what is pending and tells those who still wait") {
  struct LosingTracker : StubTracker {};  // takes every request and never answers
  struct Parts : SmallParts {
    using Tracker = LosingTracker;
  };
  NodeOf<Parts> node({}, {});
  std::future<Replied> lost = node.submit(request_of(1, 7));
  node.process();
  CHECK_FALSE(is_ready(lost));
  std::future<Replied> late = node.submit(request_of(1, 8));
  node.finish();
  REQUIRE(is_ready(lost));
  CHECK(lost.get().outcome == Outcome::shut_down);
  REQUIRE(is_ready(late));
  CHECK(late.get().req_no == ReqNo(8));

  CHECK(node.process() == 0);
  std::future<Replied> after = node.submit(request_of(1, 9));
  REQUIRE(is_ready(after));
  CHECK(after.get().outcome == Outcome::shut_down);
  CHECK(node.submit(request_of(1, 9), [](const Replied&) {}) == Submitted::stopped);
  node.finish();
  CHECK(node.status().state == "stopped");
}

TEST_CASE("finish() still processes what was accepted") {
  SmallNode node({}, {});
  node.process();
  std::future<Replied> future = node.submit(request_of(1, 0));
  node.finish();
  REQUIRE(is_ready(future));
  CHECK(future.get().outcome == Outcome::delivered);
}

TEST_CASE("a Node that is finished before it began never begins") {
  NodeOf<DiaryParts> node({}, {});
  std::future<Replied> future = node.submit(request_of(1, 0));
  node.finish();
  REQUIRE(is_ready(future));
  CHECK(future.get().outcome == Outcome::shut_down);
  CHECK(node.process() == 0);
  CHECK(node.protocol().diary.empty());
  CHECK(node.status().state == "stopped");
}

TEST_CASE("a Node that is destroyed tells those who wait, and drops what is pending") {
  std::vector<Outcome> outcomes;
  {
    NodeOf<DiaryParts> node({}, {});
    node.start();
    node.submit(request_of(1, 0), [&](const Replied& r) { outcomes.push_back(r.outcome); });
    node.take_inputs();
    node.process(slot::tracker);
    node.process(slot::hasher);
    // Leaves a follow-up in waiting.
    node.process(slot::tracker);
    node.submit(request_of(1, 1), [&](const Replied& r) { outcomes.push_back(r.outcome); });
    CHECK(outcomes.empty());
  }
  CHECK(outcomes == std::vector<Outcome>{Outcome::shut_down, Outcome::shut_down});
}

TEST_CASE("a module that fails stops the Node, which says why") {
  NodeOf<FailingParts> node({}, {});
  std::future<Replied> first = node.submit(request_that_says("fine", 0));
  std::future<Replied> second = node.submit(request_that_says("fail", 1));
  std::future<Replied> third = node.submit(request_that_says("fine", 2));
  CHECK(node.process() > 0);
  CHECK(node.failure() == "app: it was asked to fail");
  REQUIRE(is_ready(second));
  CHECK(second.get().outcome == Outcome::shut_down);
  CHECK(third.get().outcome == Outcome::shut_down);
  CHECK(first.get().outcome == Outcome::shut_down);

  CHECK(node.process() == 0);
  CHECK(node.submit(request_of(1, 3), [](const Replied&) {}) == Submitted::stopped);
  CHECK(node.status().state == "failed");
  CHECK(node.status().reason == "app: it was asked to fail");
}

TEST_CASE("an exception of any type is a failure with a reason") {
  NodeOf<FailingParts> node({}, {});
  node.submit(request_that_says("fail strangely"), [](const Replied&) {});
  node.process();
  CHECK(node.failure() == "app: an exception that is no std::exception");
}

namespace {

struct HaltingTracker : PlainTracker {
  using emits = engine::Union<PlainTracker::emits, events<Halt>>;
  using PlainTracker::process;
  void process(const Applied& applied, auto& out) {
    PlainTracker::process(applied, out);
    if (applied.sn == SeqNr(1)) out.emit(Halt{"two are enough"});
  }
};
struct HaltingTrackerParts : SmallParts {
  using Tracker = HaltingTracker;
};

}  // namespace

TEST_CASE("a reply that was made before the failure reaches its caller") {
  NodeOf<HaltingTrackerParts> node({}, {});
  std::vector<std::future<Replied>> futures;
  for (std::uint64_t i = 0; i < 3; ++i) futures.push_back(node.submit(request_of(1, i)));
  node.process();
  CHECK(node.failure() == "node: two are enough");
  CHECK(futures[0].get().outcome == Outcome::delivered);
  CHECK(futures[1].get().outcome == Outcome::delivered);
  CHECK(futures[2].get().outcome == Outcome::shut_down);
}

TEST_CASE("a callback that throws stops the Node, and the other callers still hear") {
  SmallNode node({}, {});
  int heard = 0;
  const auto hear = [&](const Replied&) { ++heard; };
  node.submit(request_of(1, 0), [](const Replied&) { throw std::runtime_error("no time"); });
  node.submit(request_of(1, 0), hear);
  node.submit(request_of(1, 1), hear);
  node.process();
  CHECK(node.failure() == "callback of a request: no time");
  CHECK(heard == 2);
}

TEST_CASE("a callback may submit, ask for the status, and drive the Node") {
  SmallNode node({}, {});
  std::vector<std::string> results;
  node.submit(request_of(1, 0), [&](const Replied& first) {
    results.push_back(std::string(first.result.text()));
    node.submit(request_of(1, 1), [&](const Replied& second) {
      results.push_back(std::string(second.result.text()));
    });
    CHECK(node.status().waiting_callers == 1);
    node.process();
    // The reply at hand is still there.
    results.push_back(std::string(first.result.text()));
  });
  node.submit(request_of(2, 0), [&](const Replied& other) {
    results.push_back(std::string(other.result.text()));
  });
  node.process();
  CHECK(results == std::vector<std::string>{"1/0", "1/1", "1/0", "2/0"});
}

TEST_CASE("the write-ahead log is played back before Init, and Init comes before all else") {
  MemoryWal::Log log;
  {
    NodeOf<DiaryParts> node({}, {.wal = MemoryWal(log)});
    for (std::uint64_t i = 0; i < 3; ++i) node.submit(request_of(1, i), [](const Replied&) {});
    node.process();
    node.tick(5ms);
    node.process();
    CHECK(node.protocol().diary == "init ready ready ready tick ");
  }
  // The bodies are gone with the store, so a Store that resolves everything takes its place.
  struct KnowingStore : StubStore {
    Request request;
    const Request* get(const RequestRef& reference) {
      request = {reference.client, reference.req_no, {}, {}};
      return &request;
    }
  };
  struct Parts : DiaryParts {
    using Store = KnowingStore;
  };
  for (const std::uint64_t busy_above : {1u, 2u, 1000u}) {
    NodeConfig config;
    config.busy_above = busy_above;
    NodeOf<Parts> node(config, {.wal = MemoryWal(log)});
    node.tick(5ms);
    node.step(NodeId(3), SoloNothing{});
    node.process();
    CHECK(node.protocol().diary == "wal wal wal init tick message ");
    CHECK(node.app().applied.size() == 3);
    CHECK(node.failure() == "");
  }
}

namespace {

struct CopyingSolo : Solo {
  using emits = events<WalAppend<SoloDecided>, Deliver>;
  using Solo::process;
  void process(WalEntry<SoloDecided> decided, auto& out) {
    out.emit(WalAppend<SoloDecided>{decided.entry, RetentionIndex(1)});
  }
};
struct CopyingParts : SmallParts {
  using Protocol = CopyingSolo;
};

}  // namespace

TEST_CASE("what modules append while the log is read waits until it has been read") {
  MemoryWal::Log log;
  MemoryWal writer(log);
  for (std::uint64_t i = 0; i < 100; ++i)
    writer.append(WalAppend<SoloDecided>::number, wire::encode(SoloDecided{SeqNr(i), {}}),
                  RetentionIndex(0));
  NodeConfig config;
  config.busy_above = 1;
  NodeOf<CopyingParts> node(config, {.wal = MemoryWal(log)});
  node.process();
  CHECK(node.failure() == "");
  CHECK(log.status().entries == 200);
}

TEST_CASE("a log that this Node did not write stops it at the start") {
  MemoryWal::Log log;
  MemoryWal writer(log);
  SUBCASE("an entry of an unknown type") {
    writer.append(77, Bytes("?"), RetentionIndex(0));
    SmallNode node({}, {.wal = MemoryWal(log)});
    CHECK(node.process() == 0);
    CHECK(node.failure() ==
          "wal: the write-ahead log holds an entry of type 77, which no module of this Node has "
          "written");
  }
  SUBCASE("an entry that cannot be decoded") {
    writer.append(WalAppend<SoloDecided>::number, Bytes{0xff}, RetentionIndex(0));
    SmallNode node({}, {.wal = MemoryWal(log)});
    CHECK(node.process() == 0);
    CHECK(node.failure() == "wal: an entry of type " +
                                std::to_string(WalAppend<SoloDecided>::number) +
                                " in the write-ahead log cannot be decoded");
  }
}

namespace {

struct LoudWal : StubWal {
  static constexpr bool discards = true;
  void append(std::uint32_t, const Bytes&, RetentionIndex) { throw ModuleFailure("append"); }
  void sync() { throw ModuleFailure("sync"); }
};
struct LoudParts : SmallParts {
  using Wal = LoudWal;
};

}  // namespace

TEST_CASE("a log that discards is not called at all") {
  NodeOf<LoudParts> node({}, {});
  std::future<Replied> future = node.submit(request_of(1, 0));
  node.process();
  CHECK(node.failure() == "");
  CHECK(future.get().outcome == Outcome::delivered);
}

namespace {

struct HaltingSolo : Solo {
  using emits = events<WalAppend<SoloDecided>, Deliver, Halt>;
  using Solo::process;
  void process(RequestReady, auto& out) { out.emit(Halt{"this cannot be"}); }
};
struct HaltingSoloParts : SmallParts {
  using Protocol = HaltingSolo;
};

}  // namespace

TEST_CASE("Halt stops the Node with its reason") {
  NodeOf<HaltingSoloParts> node({}, {});
  std::future<Replied> future = node.submit(request_of(1, 0));
  node.process();
  CHECK(node.failure() == "node: this cannot be");
  CHECK(future.get().outcome == Outcome::shut_down);
}

namespace {

struct RelayParts : SmallParts {
  using Net = Relay<slot::net.index(), StubNet>;
  using Hasher = Relay<slot::hasher.index(), StubHasher>;
  using Crypto = Relay<slot::crypto.index(), StubCrypto>;
  using App = Relay<slot::app.index(), StubApp>;
  using Wal = Relay<slot::wal.index(), StubWal>;
  using Tracker = Relay<slot::tracker.index(), StubTracker>;
  using Store = Relay<slot::store.index(), StubStore>;
  using Protocol = Relay<slot::protocol.index(), StubProtocol>;
};

}  // namespace

TEST_CASE("a user's own events travel through modules in every slot, each list in its order") {
  NodeOf<RelayParts> node({}, {});
  std::vector<std::uint64_t> sent;
  for (std::uint64_t i = 0; i < 500; ++i) {
    CHECK(node.inject(ToTracker{i}) == Submitted::accepted);
    sent.push_back(i);
    if (i % 100 == 99) node.process();
  }
  CHECK(node.app().caught == sent);
  CHECK(node.protocol().caught == sent);
  CHECK(node.net().caught == sent);
  CHECK(node.status().dispatched_events == 8 * 500);

  CHECK(node.inject(ToAll{}) == Submitted::accepted);
  CHECK(node.process() == 8);
  CHECK(node.app().broadcasts == 1);
  CHECK(node.net().broadcasts == 1);
}

namespace {

/// Writes down slot and number of everything that is dispatched.
struct DiaryInterceptor {
  std::string* diary;

  template <class... Es>
  void begin(NodeId self, ByteView cluster, events<Es...>) {
    static_assert(engine::contains<Deliver, events<Es...>>);
    *diary += "begin " + std::to_string(self.value) + " " +
              std::string(cluster.begin(), cluster.end()) + "\n";
  }
  template <class List>
  void intercept(Slot slot, const List& list) {
    *diary += slot_names[slot.index()];
    list.for_each([&]<class E>(const E&) {
      *diary += E::number < 1000 ? " " + std::to_string(E::number) : " own";
    });
    *diary += "\n";
  }
  void end() { *diary += "end\n"; }
};
struct DiaryInterceptorParts : SmallParts {
  using Interceptor = DiaryInterceptor;
};

}  // namespace

TEST_CASE("the Interceptor sees each list as it is dispatched") {
  std::string diary;
  NodeConfig config;
  config.self = NodeId(4);
  config.cluster = Bytes("here");
  {
    NodeOf<DiaryInterceptorParts> node(config, {.interceptor = {&diary}});
    for (std::uint64_t i = 0; i < 2; ++i) node.submit(request_of(1, i), [](const Replied&) {});
    node.process();
    node.finish();
    node.finish();
  }
  // New requests; hashes asked for and answered; stored; and only then, as a follow-up, ready;
  // appended; and only then delivered; applied; answered.
  CHECK(diary ==
        "begin 4 here\n"
        "tracker 3 3\nhasher own own\ntracker own own\nstore 21 21\nprotocol 22 22\n"
        "wal own own\nstore 6 6\napp 7 7\ntracker 8 8\nnode 9 9\n"
        "end\n");
}

namespace {

struct FullDisk {
  int lists = 0;
  template <class... Es>
  void begin(NodeId, ByteView, events<Es...>) {}
  template <class List>
  void intercept(Slot, const List&) {
    if (++lists == 4) throw ModuleFailure("the disk is full");
  }
  void end() { throw ModuleFailure("still full"); }
};
struct FullDiskParts : SmallParts {
  using Interceptor = FullDisk;
};

}  // namespace

TEST_CASE("an Interceptor that fails stops the Node before the list is processed") {
  NodeOf<FullDiskParts> node({}, {});
  std::future<Replied> future = node.submit(request_of(1, 0));
  node.process();
  CHECK(node.failure() == "interceptor: the disk is full");
  CHECK(node.status().store.requests == 0);  // the fourth list was the store's
  CHECK(future.get().outcome == Outcome::shut_down);
}

TEST_CASE("one may choose the order of the slots oneself") {
  NodeOf<DiaryParts> node({}, {});
  CHECK(node.process(slot::tracker) == 0);
  CHECK_FALSE(node.take_inputs());
  node.start();
  CHECK(node.protocol().diary == "init ");
  node.start();
  CHECK(node.pending() == Slot(0));

  std::future<Replied> future = node.submit(request_of(1, 0));
  node.tick(1ms);
  CHECK(node.pending() == Slot(0));
  CHECK(node.take_inputs());
  CHECK_FALSE(node.take_inputs());
  CHECK(node.pending() == (slot::tracker | slot::protocol));
  CHECK(node.process(slot::protocol) == 1);
  CHECK(node.protocol().diary == "init tick ");
  CHECK(node.pending() == slot::tracker);
  std::size_t steps = 0;
  for (; node.pending() != Slot(0); ++steps) {
    REQUIRE(steps < 100);
    const Slot last(std::bit_floor(node.pending().bits()));
    CHECK(node.process(last) == 1);
  }
  CHECK(steps == 10);
  CHECK(future.get().outcome == Outcome::delivered);
}

TEST_CASE("a message is handed in by step()") {
  NodeOf<DiaryParts> node({}, {});
  CHECK(node.step(NodeId(2), SoloNothing{}) == Submitted::accepted);
  node.process();
  CHECK(node.protocol().diary == "init message ");
  CHECK(node.protocol().status().strangers_messages == 1);
}

TEST_CASE("the status shows every module, and can be printed") {
  NodeConfig config;
  config.self = NodeId(3);
  SmallNode node(config, {});
  CHECK(node.status().state == "created");
  std::future<Replied> future = node.submit(request_of(1, 0));
  node.process();
  const SmallNode::Status status = node.status();
  CHECK(status.self == NodeId(3));
  CHECK(status.state == "working");
  CHECK(status.pending_events == 0);
  CHECK(status.waiting_callers == 0);
  CHECK(status.wal.durable == 1);
  CHECK(status.store.requests == 1);
  CHECK(status.protocol.next == SeqNr(1));
  const std::string json = wire::to_json(status);
  CHECK(json.find("\"state\":\"working\"") != std::string::npos);
  CHECK(json.find("\"wal\":{\"entries\":1,") != std::string::npos);
}

TEST_CASE("a module that is placed on threads works inline as well") {
  struct Parts : SmallParts {
    using Wal = on_thread<MemoryWal>;
    using Crypto = on_pool<StubCrypto, 3>;
    using Net = on_thread<StubNet>;
    using App = inline_<EchoApp>;
  };
  NodeOf<Parts> node({}, {});
  std::future<Replied> future = node.submit(request_of(1, 0));
  node.process();
  CHECK(future.get().outcome == Outcome::delivered);
  CHECK(node.status().wal.syncs == 1);
}

}  // namespace mirbft::node_test

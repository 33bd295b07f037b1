#include <mirbft/engine/core.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "../support/relay.hpp"

namespace mirbft::core_test {

using namespace mirbft::testing;
using engine::Phase;

namespace {

/// Writes down slot and length of each list, and fails when it is told to.
struct Diary {
  std::string* text;
  bool fails = false;

  template <class... Es>
  void begin(NodeId, ByteView, events<Es...>) {
    *text += "begin ";
  }
  template <class List>
  void intercept(Slot slot, const List& list) {
    if (fails) throw std::runtime_error("no paper");
    *text += std::string(slot_names[slot.index()]) + std::to_string(list.size()) + " ";
  }
  void end() { *text += "end "; }
};

template <class Plan>
using Core = engine::Core<Plan, Diary>;

struct Fixture {
  std::string diary;
  bool fails = false;

  template <class Modules>
  auto make(NodeConfig config = {}) {
    return Core<RelayPlan>(std::move(config), Diary{&diary, fails},
                           std::tuple_element_t<0, Modules>{}, std::tuple_element_t<1, Modules>{},
                           std::tuple_element_t<2, Modules>{}, std::tuple_element_t<3, Modules>{},
                           std::tuple_element_t<4, Modules>{}, std::tuple_element_t<5, Modules>{},
                           std::tuple_element_t<6, Modules>{}, std::tuple_element_t<7, Modules>{},
                           engine::TheNode{});
  }
  auto make(NodeConfig config = {}) { return make<RelayPlan::Modules>(std::move(config)); }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a core goes from created over working to stopped") {
  auto core = make();
  CHECK(core.phase() == Phase::created);
  core.items().push(ToApp{1});
  CHECK(core.dispatch_all() == 0);
  CHECK(core.dispatch<slot::app.index()>() == 0);

  core.start();
  core.start();
  CHECK(core.phase() == Phase::working);
  CHECK(diary == "begin app1 net1 ");
  CHECK(core.dispatched() == 2);
  core.stop();
  core.stop();
  CHECK(core.phase() == Phase::stopped);
  CHECK(diary == "begin app1 net1 end ");
  CHECK(core.inbox().put(ToApp{}) == engine::Inbox<RelayPlan>::Put::closed);
}

TEST_CASE_FIXTURE(Fixture, "the lists are dispatched one after another, slot by slot") {
  auto core = make();
  core.start();
  diary.clear();
  core.items().push(ToProtocol{1});
  core.items().push(ToTracker{2});
  core.items().push(ToTracker{3});
  // The tracker's two go on to the hasher, whose two go on, and so to the end.
  CHECK(core.dispatch_all() == 2 * 8 + 4);
  CHECK(diary == "tracker2 hasher2 crypto2 store2 protocol3 wal3 app3 net3 ");
  CHECK(core.stage<slot::net.index()>().module().caught == std::vector<std::uint64_t>{1, 2, 3});
}

TEST_CASE_FIXTURE(Fixture, "a core that is full takes nothing in until it has caught up") {
  NodeConfig config;
  config.busy_above = 2;
  auto core = make(config);
  core.start();
  for (std::uint64_t i = 0; i < 5; ++i) core.inbox().put(ToNet{i});
  CHECK(core.take_submitted());
  CHECK(core.is_full());
  core.inbox().put(ToNet{5});
  CHECK_FALSE(core.take_submitted());
  CHECK_FALSE(core.take_received(std::chrono::nanoseconds(0)));
  core.dispatch_all();
  CHECK_FALSE(core.is_full());
  CHECK(core.take_submitted());
}

TEST_CASE_FIXTURE(Fixture, "stopping does what is pending, full or not") {
  NodeConfig config;
  config.busy_above = 1;
  auto core = make(config);
  core.start();
  for (std::uint64_t i = 0; i < 5; ++i) core.inbox().put(ToNet{i});
  core.items().push(ToNet{9});
  core.stop();
  CHECK(core.stage<slot::net.index()>().module().caught ==
        std::vector<std::uint64_t>{9, 0, 1, 2, 3, 4});
}

TEST_CASE_FIXTURE(Fixture, "the first failure is the reason, and nothing is dispatched after it") {
  auto core = make();
  core.start();
  core.items().push(ToNet{1});
  CHECK_FALSE(core.guarded("wal", [] { throw ModuleFailure("first"); }));
  CHECK_FALSE(core.guarded("net", [] { throw 7; }));
  CHECK(core.guarded("app", [] {}));
  CHECK(core.phase() == Phase::failed);
  CHECK(core.reason() == "wal: first");
  CHECK(core.dispatch_all() == 0);
  core.stop();
  CHECK(core.phase() == Phase::failed);
  CHECK(diary == "begin end ");
  CHECK(core.stage<slot::net.index()>().module().caught.empty());
}

TEST_CASE_FIXTURE(Fixture, "what the Interceptor has not seen is not processed") {
  fails = true;
  auto core = make();
  core.start();
  core.items().push(ToNet{1});
  core.dispatch_all();
  CHECK(core.reason() == "interceptor: no paper");
  CHECK(core.stage<slot::net.index()>().module().caught.empty());
}

TEST_CASE_FIXTURE(Fixture, "a wrong configuration is refused before anything else") {
  NodeConfig config;
  config.busy_above = 0;
  CHECK_THROWS_AS(make(config), ConfigError);
  CHECK(diary.empty());
}

}  // namespace mirbft::core_test

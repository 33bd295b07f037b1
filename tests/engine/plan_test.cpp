#include <mirbft/engine/plan.hpp>

#include <type_traits>

#include <doctest/doctest.h>

#include <mirbft/engine/wiring.hpp>

#include "../support/small_node.hpp"

namespace mirbft::plan_test {

using namespace mirbft::engine;
using namespace mirbft::testing;

namespace {

using TestPlan = NodeOf<SmallParts>::Plan;
template <std::size_t S>
using Received = TestPlan::Received<S>;

// What a Node sees is what comes out of its modules and what that is answered by.
static_assert(contains<HashRequest<ToHash>, TestPlan::Events>);
static_assert(contains<HashResult<ToHash>, TestPlan::Events>);
static_assert(contains<WalEntry<SoloDecided>, TestPlan::Events>);
static_assert(contains<Apply, TestPlan::Events> && contains<Applied, TestPlan::Events>);
static_assert(contains<Halt, TestPlan::Events>);
static_assert(!contains<WindowsMoved, TestPlan::Events>);

// A list holds its slot's events, and of broadcasts only what the module wants.
static_assert(std::is_same_v<Received<slot::hasher.index()>, events<HashRequest<ToHash>>>);
static_assert(std::is_same_v<Received<slot::crypto.index()>, events<>>);
static_assert(std::is_same_v<Received<slot::app.index()>, events<Apply, AppContinue>>);
static_assert(length<Received<slot::tracker.index()>> == 3);
static_assert(!contains<Tick, Received<slot::protocol.index()>>);

static_assert(TestPlan::is_handled<Applied> && TestPlan::is_handled<Tick>);
static_assert(!TestPlan::is_handled<WindowsMoved>);

// Where a module runs, and what a wrapper makes of that.
struct Threaded {
  using placement = placement::thread;
};
static_assert(Placed<Threaded>::where::threads == 1);
static_assert(Placed<inline_<Threaded>>::where::threads == 0);
static_assert(Placed<StubWal>::where::threads == 0);
static_assert(Placed<on_thread<StubWal>>::where::threads == 1);
static_assert(Placed<on_pool<StubWal, 5>>::where::threads == 5);
static_assert(std::is_same_v<module_of<on_pool<StubWal, 5>>, StubWal>);

// A sound plan has no flaw, and costs a Node nothing.
static_assert(std::is_empty_v<wiring::Verdict<TestPlan>>);
static_assert(std::is_same_v<wiring::Verdict<TestPlan>, wiring::node_refused_because<events<>>>);

}  // namespace

TEST_CASE("plans are what the assertions above say: that this compiles is the test") {
  CHECK(length<TestPlan::Events> == 16);
}

}  // namespace mirbft::plan_test

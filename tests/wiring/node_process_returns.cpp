// `process` must return void: what it has to say it emits.
// expect: [mirbft] `process` must be declared to return void
// expect: Tick
// max-errors: 2
#include "../support/small_node.hpp"

using namespace mirbft;
using namespace mirbft::testing;

struct TalkingTracker : PlainTracker {
  using consumes = events<NewRequest, HashResult<ToHash>, Applied, Tick>;
  using PlainTracker::process;
  int process(Tick, auto&) { return 1; }
};
struct Parts : SmallParts {
  using Tracker = TalkingTracker;
};
std::string text() { return NodeOf<Parts>::wiring(); }

// A module lists an event in `consumes` and has no `process` for it.
// expect: [mirbft] the module lists this event in `consumes`
// expect: Tick
// expect: without_process
// max-errors: 2
#include "../support/small_node.hpp"

using namespace mirbft;
using namespace mirbft::testing;

struct SlowTracker : PlainTracker {
  using consumes = events<NewRequest, HashResult<ToHash>, Applied, Tick>;
};
struct Parts : SmallParts {
  using Tracker = SlowTracker;
};
std::string text() { return NodeOf<Parts>::wiring(); }

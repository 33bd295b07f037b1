// A module chains what it does not declare: a follow-up is emitted like anything else.
// expect: [mirbft] this module emits an event that it does not declare
// expect: is_not_declared_among
// expect: WindowsMoved
// max-errors: 2
#include "../support/small_node.hpp"

using namespace mirbft;
using namespace mirbft::testing;

struct BlurtingTracker : PlainTracker {
  void process(NewRequest fresh, auto& out) {
    std::vector<Bytes> parts{fresh.request.data};
    out.emit(HashRequest<ToHash>{std::move(parts), {std::move(fresh.request)}})
        .then(WindowsMoved{});
  }
  using PlainTracker::process;
};
struct Parts : SmallParts {
  using Tracker = BlurtingTracker;
};
std::size_t run(NodeOf<Parts>& node) { return node.process(); }

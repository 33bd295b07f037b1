// A Net waits for frames on one thread; it cannot be split over several.
// expect: [mirbft]
// expect: pool
#include "../support/small_node.hpp"

using namespace mirbft;
using namespace mirbft::testing;

struct Parts : SmallParts {
  using Net = on_pool<StubNet, 2>;
};
bool run(NodeOf<Parts>& node) { return node.run({}); }

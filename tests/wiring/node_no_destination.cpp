// A struct among `emits` that says not where it goes.
// expect: [mirbft] this type is no event
// expect: Nowhere
// expect: has_no_destination
// max-errors: 2
#include "../support/small_node.hpp"

using namespace mirbft;
using namespace mirbft::testing;

struct Nowhere {};
BOOST_HANA_ADAPT_STRUCT(Nowhere);

struct ChattyTracker : PlainTracker {
  using emits = events<HashRequest<ToHash>, StoreVerifiedRequest, RequestReady, Replied, Nowhere>;
};
struct Parts : SmallParts {
  using Tracker = ChattyTracker;
};
std::string text() { return NodeOf<Parts>::wiring(); }

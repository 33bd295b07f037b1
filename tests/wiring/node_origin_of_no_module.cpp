// A question whose origin does not say which module gets the answer.
// expect: [mirbft] nobody could get the answer
// expect: Orphan
// expect: is_for_an_origin_without_module
// max-errors: 2
#include "../support/small_node.hpp"

using namespace mirbft;
using namespace mirbft::testing;

struct Orphan {};
BOOST_HANA_ADAPT_STRUCT(Orphan);

struct ChattyTracker : PlainTracker {
  using emits = events<HashRequest<ToHash>, StoreVerifiedRequest, RequestReady, Replied,
                       HashRequest<Orphan>>;
};
struct Parts : SmallParts {
  using Tracker = ChattyTracker;
};
std::string text() { return NodeOf<Parts>::wiring(); }

// The Tracker emits an event that the module in its destination slot does not know.
// expect: [mirbft] nobody handles this event
// expect: Surprise
// expect: ChattyTracker
// expect: is_not_handled_by
// max-errors: 2
#include "../support/small_node.hpp"

using namespace mirbft;
using namespace mirbft::testing;

struct Surprise {
  static constexpr auto destination = slot::app;
  static constexpr std::uint32_t number = 1000;
};
BOOST_HANA_ADAPT_STRUCT(Surprise);

struct ChattyTracker : PlainTracker {
  using emits = events<HashRequest<ToHash>, StoreVerifiedRequest, RequestReady, Replied, Surprise>;
};
struct Parts : SmallParts {
  using Tracker = ChattyTracker;
};
NodeOf<Parts>* the_node;
std::string text() { return NodeOf<Parts>::wiring(); }

// Two events of one Node with one number.
// expect: [mirbft]
// expect: have_the_same_number
// expect: First
// expect: Second
// max-errors: 2
#include "../support/small_node.hpp"

using namespace mirbft;
using namespace mirbft::testing;

struct First {
  static constexpr auto destination = slot::tracker;
  static constexpr std::uint32_t number = 1001;
};
struct Second {
  static constexpr auto destination = slot::tracker;
  static constexpr std::uint32_t number = 1001;
};
BOOST_HANA_ADAPT_STRUCT(First);
BOOST_HANA_ADAPT_STRUCT(Second);

struct ChattyTracker : PlainTracker {
  using consumes = events<NewRequest, HashResult<ToHash>, Applied, First, Second>;
  using emits = events<HashRequest<ToHash>, StoreVerifiedRequest, RequestReady, Replied, First,
                       Second>;
  using PlainTracker::process;
  void process(First, auto&) {}
  void process(Second, auto&) {}
};
struct Parts : SmallParts {
  using Tracker = ChattyTracker;
};
std::string text() { return NodeOf<Parts>::wiring(); }

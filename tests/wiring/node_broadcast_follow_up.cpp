// A broadcast has no one moment at which it has been processed.
// expect: [mirbft] a broadcast has no follow-ups
// max-errors: 2
#include "../support/small_node.hpp"

using namespace mirbft;
using namespace mirbft::testing;

struct News {
  static constexpr auto destination = slot::tracker | slot::app;
  static constexpr std::uint32_t number = 1002;
};
BOOST_HANA_ADAPT_STRUCT(News);

struct CallingTracker : PlainTracker {
  using consumes = events<NewRequest, HashResult<ToHash>, Applied, News>;
  using emits = events<HashRequest<ToHash>, StoreVerifiedRequest, RequestReady, Replied, News>;
  using PlainTracker::process;
  void process(News, auto& out) { out.emit(News{}).then(Replied{}); }
};
struct Parts : SmallParts {
  using Tracker = CallingTracker;
};
std::size_t run(NodeOf<Parts>& node) { return node.process(); }

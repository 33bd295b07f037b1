// Who asks for a hash must take it.
// expect g++: event<mirbft::HashResult<Question> >::emitted_by<mirbft::testing::StubHasher>
// expect clang++: event<mirbft::HashResult<Question>>::emitted_by<mirbft::testing::StubHasher>
// expect: ::is_not_handled_by<Curious>
// expect: [mirbft] nobody handles this event: add it to `consumes` of the module in its
// max-errors: 1
// max-lines g++: 13
// max-lines clang++: 25
#include <mirbft/modules/interceptor/null.hpp>
#include <mirbft/node.hpp>

#include "../support/stub_modules.hpp"

using namespace mirbft;
using namespace mirbft::testing;

struct Question {
  static constexpr auto module = slot::tracker;
  static constexpr std::uint32_t number = 1000;
};
struct Curious : StubTracker {
  using emits = events<HashRequest<Question>>;
};

using Replica = Node<StubNet, StubHasher, StubCrypto, StubApp, StubWal, Curious, StubStore,
                     StubProtocol, NullInterceptor>;

int main() {
  Replica replica({}, {});
  replica.process();
  replica.run({});
}

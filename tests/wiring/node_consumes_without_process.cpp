// A module that promises more than it does.
// expect: event<mirbft::Tick>::consumed_by<Lazy>::without_process<mirbft::Tick>
// expect: [mirbft] the module lists this event in `consumes`, so give it a public `void process(
// max-errors: 1
// max-lines g++: 13
// max-lines clang++: 25
#include <mirbft/modules/interceptor/null.hpp>
#include <mirbft/node.hpp>

#include "../support/stub_modules.hpp"

using namespace mirbft;
using namespace mirbft::testing;

struct Lazy : StubTracker {
  using consumes = events<NewRequest, Applied, Tick>;
};

using Replica = Node<StubNet, StubHasher, StubCrypto, StubApp, StubWal, Lazy, StubStore,
                     StubProtocol, NullInterceptor>;

int main() {
  Replica replica({}, {});
  replica.process();
  replica.run({});
}

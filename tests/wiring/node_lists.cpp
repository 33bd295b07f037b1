// The lists of events are lists of events.
// expect: module<Single>::declares_no_list_but<mirbft::Replied>
// expect: [mirbft] `consumes` and `emits` are lists of events: write `using emits = events<...>;`
// max-errors: 1
// max-lines g++: 13
// max-lines clang++: 25
#include <mirbft/modules/interceptor/null.hpp>
#include <mirbft/node.hpp>

#include "../support/stub_modules.hpp"

using namespace mirbft;
using namespace mirbft::testing;

struct Single : StubTracker {
  using emits = Replied;
};

using Replica = Node<StubNet, StubHasher, StubCrypto, StubApp, StubWal, Single, StubStore,
                     StubProtocol, NullInterceptor>;

int main() {
  Replica replica({}, {});
  replica.process();
  replica.run({});
}

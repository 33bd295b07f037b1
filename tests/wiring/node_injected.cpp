// What is handed in by hand must be an event of this Node.
// expect: [mirbft] no module of this Node emits or answers with this event: declare it in the
// max-errors: 1
// max-lines g++: 13
// max-lines clang++: 25
#include <mirbft/modules/interceptor/null.hpp>
#include <mirbft/node.hpp>

#include "../support/stub_modules.hpp"

using namespace mirbft;
using namespace mirbft::testing;

using Replica = Node<StubNet, StubHasher, StubCrypto, StubApp, StubWal, StubTracker, StubStore,
                     StubProtocol, NullInterceptor>;

int main() {
  Replica replica({}, {});
  replica.inject(Deliver{});
}
